/*
 * version.c - which ecosystem orders what, and the grammar of ranges.
 *
 * A range is checked once, when it comes in, and walked without errors from then on: the same
 * reader serves both, so that what passed the check cannot fail in the walk (asserted).
 *
 * Cost: one comparison for each condition; nothing is allocated or copied.
 */
#include "version.h"

#include <assert.h>

#include "version_priv.h"

static const fl_version_order *const orders[FL_ECOSYSTEM_COUNT] = {
    [FL_ECOSYSTEM_SEMVER] = &fl_order_semver,
    [FL_ECOSYSTEM_GO] = &fl_order_go,
    [FL_ECOSYSTEM_MAVEN] = &fl_order_maven,
    [FL_ECOSYSTEM_DEBIAN] = &fl_order_debian,
};

/* Never NULL. */
static const fl_version_order *order_of(fl_ecosystem ecosystem)
{
    assert(ecosystem < FL_ECOSYSTEM_COUNT);
    assert(orders[ecosystem] != NULL);
    return orders[ecosystem];
}

const char *fl_ecosystem_name(fl_ecosystem ecosystem)
{
    return order_of(ecosystem)->name;
}

bool fl_ecosystem_of(fl_slice name, fl_ecosystem *out)
{
    for (fl_ecosystem i = 0; i < FL_ECOSYSTEM_COUNT; i++) {
        if (fl_slice_equal(name, fl_slice_of(orders[i]->name))) {
            *out = i;
            return true;
        }
    }
    return false;
}

int fl_digits_compare(fl_slice a, fl_slice b)
{
    assert(a.len == 0 || a.ptr != NULL);
    while (a.len > 0 && a.ptr[0] == '0')
        a = fl_slice_from(a, 1);
    while (b.len > 0 && b.ptr[0] == '0')
        b = fl_slice_from(b, 1);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len > 0 ? fl_sign(memcmp(a.ptr, b.ptr, a.len)) : 0;
}

fl_status fl_version_check(fl_ecosystem ecosystem, fl_slice text, fl_error *err)
{
    if (text.len == 0)
        return fl_fail(err, FL_E_SYNTAX, 0, "version: it is empty");
    if (text.len > FL_VERSION_BYTES)
        return fl_fail(err, FL_E_LIMIT, FL_VERSION_BYTES, "version: longer than %d bytes",
                       FL_VERSION_BYTES);
    return order_of(ecosystem)->check(text, err);
}

int fl_version_compare(fl_ecosystem ecosystem, fl_slice a, fl_slice b)
{
    assert(a.len > 0 && a.len <= FL_VERSION_BYTES);
    assert(b.len > 0 && b.len <= FL_VERSION_BYTES);
    return order_of(ecosystem)->compare(a, b);
}

/* One condition of a range: a comparator and its version, or an interval. */
typedef struct term {
    char comparator[3]; /* "", "=", "!=", ..., "^", "~", "*"; "[" for an interval */
    fl_slice version;
    bool has_low, has_high, low_included, high_included; /* of an interval */
    fl_slice low, high;
} term;

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == ',';
}

static size_t skip_blanks(fl_slice range, size_t at)
{
    while (at < range.len && is_blank(range.ptr[at]))
        at++;
    return at;
}

static fl_status check_at(fl_ecosystem ecosystem, fl_slice range, fl_slice version, fl_error *err)
{
    fl_error inner = {0};
    fl_status status = fl_version_check(ecosystem, version, &inner);
    if (status == FL_OK)
        return FL_OK;
    return fl_fail(err, status, (uint64_t)(version.ptr - range.ptr) + inner.offset, "range: %s",
                   inner.message);
}

/* "[low,high)" at *at. */
static fl_status read_interval(term *out, fl_slice range, size_t *at, fl_error *err)
{
    size_t open = *at, close = open;
    while (close < range.len && range.ptr[close] != ']' && range.ptr[close] != ')')
        close++;
    if (close == range.len)
        return fl_fail(err, FL_E_SYNTAX, open, "range: the interval is not closed");
    fl_slice inside = {.ptr = range.ptr + open + 1, .len = close - open - 1};
    const unsigned char *comma = inside.len > 0 ? memchr(inside.ptr, ',', inside.len) : NULL;
    size_t cut = comma != NULL ? (size_t)(comma - inside.ptr) : inside.len;
    *out = (term){.comparator = "[",
                  .low_included = range.ptr[open] == '[',
                  .high_included = range.ptr[close] == ']',
                  .low = fl_slice_trim(fl_slice_first(inside, cut))};
    out->high = comma != NULL ? fl_slice_trim(fl_slice_from(inside, cut + 1)) : out->low;
    out->has_low = out->low.len > 0;
    out->has_high = out->high.len > 0;
    *at = close + 1;
    if (comma == NULL && !(out->has_low && out->low_included && out->high_included))
        return fl_fail(err, FL_E_SYNTAX, open,
                       "range: an interval of one version is \"[VERSION]\"");
    return FL_OK;
}

/* A comparator, blanks, a version; "*" stands alone. */
static fl_status read_comparator(term *out, fl_slice range, size_t *at, fl_error *err)
{
    size_t start = *at, end;
    while (*at < range.len && *at - start < 2 && memchr("=!<>^~*", range.ptr[*at], 7) != NULL)
        ++*at;
    *out = (term){0};
    memcpy(out->comparator, range.ptr + start, *at - start);
    static const char *const known[] = {"", "=", "!=", "<", "<=", ">", ">=", "^", "~", "*"};
    bool is_known = false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        is_known = is_known || strcmp(known[i], out->comparator) == 0;
    if (!is_known)
        return fl_fail(err, FL_E_SYNTAX, start,
                       "range: a comparator is one of = != < <= > >= ^ ~ *");
    if (out->comparator[0] == '*')
        return FL_OK;
    while (*at < range.len && (range.ptr[*at] == ' ' || range.ptr[*at] == '\t'))
        ++*at;
    for (end = *at; end < range.len && !is_blank(range.ptr[end]) && range.ptr[end] != '|'; end++)
        ;
    out->version = (fl_slice){.ptr = range.ptr + *at, .len = end - *at};
    *at = end;
    return FL_OK;
}

static bool is_interval(const term *t)
{
    return t->comparator[0] == '[';
}

/* What a condition is shows in its first character. */
static fl_status read_term(term *out, fl_slice range, size_t *at, fl_error *err)
{
    bool interval = range.ptr[*at] == '[' || range.ptr[*at] == '(';
    return interval ? read_interval(out, range, at, err) : read_comparator(out, range, at, err);
}

/* Whether the versions that it names are versions, and the comparator is known here. */
static fl_status check_term(fl_ecosystem ecosystem, fl_slice range, const term *t, fl_error *err)
{
    fl_status status = FL_OK;
    if (is_interval(t)) {
        if (t->has_low)
            status = check_at(ecosystem, range, t->low, err);
        if (status == FL_OK && t->has_high)
            status = check_at(ecosystem, range, t->high, err);
        return status;
    }
    if (t->comparator[0] == '*')
        return FL_OK;
    bool needs_ceiling = t->comparator[0] == '^' || t->comparator[0] == '~';
    if (needs_ceiling && order_of(ecosystem)->ceiling == NULL)
        return fl_fail(err, FL_E_SYNTAX, (size_t)(t->version.ptr - range.ptr),
                       "range: \"%s\" says nothing of %s versions", t->comparator,
                       fl_ecosystem_name(ecosystem));
    return check_at(ecosystem, range, t->version, err);
}

/* The upper end of "^" and "~". */
static bool below_ceiling(fl_ecosystem ecosystem, const term *t, fl_slice version)
{
    char below[FL_VERSION_BYTES + 8];
    fl_status status = order_of(ecosystem)->ceiling(t->version, t->comparator[0], below);
    assert(status == FL_OK);
    return order_of(ecosystem)->compare(version, fl_slice_of(below)) < 0;
}

/* An end that is not written is no bound. */
static bool in_interval(fl_ecosystem ecosystem, const term *t, fl_slice version)
{
    int low = t->has_low ? fl_version_compare(ecosystem, version, t->low) : 1;
    int high = t->has_high ? fl_version_compare(ecosystem, version, t->high) : -1;
    return (low > 0 || (low == 0 && t->low_included)) &&
           (high < 0 || (high == 0 && t->high_included));
}

/* One condition. */
static bool holds(fl_ecosystem ecosystem, const term *t, fl_slice version)
{
    if (is_interval(t))
        return in_interval(ecosystem, t, version);
    const char *comparator = t->comparator;
    if (comparator[0] == '*')
        return true;
    int order = fl_version_compare(ecosystem, version, t->version);
    switch (comparator[0]) {
    case '<':
        return order < 0 || (order == 0 && comparator[1] == '=');
    case '>':
        return order > 0 || (order == 0 && comparator[1] == '=');
    case '!':
        return order != 0;
    case '^':
    case '~':
        return order >= 0 && below_ceiling(ecosystem, t, version);
    default:
        return order == 0;
    }
}

static bool at_or(fl_slice range, size_t at)
{
    return at + 1 < range.len && range.ptr[at] == '|' && range.ptr[at + 1] == '|';
}

fl_status fl_version_range_check(fl_ecosystem ecosystem, fl_slice range, fl_error *err)
{
    assert(range.len == 0 || range.ptr != NULL);
    size_t terms = 0, at = skip_blanks(range, 0);
    for (; at < range.len; at = skip_blanks(range, at)) {
        if (at_or(range, at)) {
            if (terms == 0)
                return fl_fail(err, FL_E_SYNTAX, at, "range: nothing stands before \"||\"");
            terms = 0;
            at += 2;
            continue;
        }
        term t;
        fl_status status = read_term(&t, range, &at, err);
        if (status == FL_OK)
            status = check_term(ecosystem, range, &t, err);
        if (status != FL_OK)
            return status;
        terms++;
    }
    if (terms == 0)
        return fl_fail(err, FL_E_SYNTAX, range.len, "range: a version is expected");
    return FL_OK;
}

bool fl_version_in_range(fl_ecosystem ecosystem, fl_slice range, fl_slice version)
{
    bool all = true;
    for (size_t at = skip_blanks(range, 0); at < range.len; at = skip_blanks(range, at)) {
        if (at_or(range, at)) {
            if (all)
                return true;
            all = true;
            at += 2;
            continue;
        }
        term t;
        fl_status status = read_term(&t, range, &at, NULL);
        assert(status == FL_OK);
        all = all && holds(ecosystem, &t, version);
    }
    return all;
}
