/*
 * version_debian.c - deb-version(7).
 *
 *   version = [epoch ":"] upstream ["-" revision]
 *
 * Both parts are compared as runs of non-digits and digits in turn. In a run of non-digits "~"
 * sorts before the end of the text, letters before everything else.
 */
#include "version_priv.h"

typedef struct parts {
    fl_slice epoch, upstream, revision;
} parts;

static size_t last_of(fl_slice text, unsigned char c)
{
    for (size_t i = text.len; i > 0; i--)
        if (text.ptr[i - 1] == c)
            return i - 1;
    return text.len;
}

/* The epoch ends at the first colon after digits, the revision begins at the last dash. */
static parts split(fl_slice text)
{
    parts out = {.upstream = text};
    size_t digits = fl_digits(text);
    if (digits < text.len && text.ptr[digits] == ':') {
        out.epoch = fl_slice_first(text, digits);
        out.upstream = fl_slice_from(text, digits + 1);
    }
    size_t dash = last_of(out.upstream, '-');
    if (dash < out.upstream.len) {
        out.revision = fl_slice_from(out.upstream, dash + 1);
        out.upstream = fl_slice_first(out.upstream, dash);
    }
    return out;
}

/* What dpkg accepts. */
static fl_status check(fl_slice text, fl_error *err)
{
    parts version = split(text);
    size_t start = (size_t)(version.upstream.ptr - text.ptr);
    if (start > 0 && version.epoch.len == 0)
        return fl_fail(err, FL_E_SYNTAX, 0, "version: the epoch before the colon is empty");
    if (fl_digits(version.upstream) == 0)
        return fl_fail(err, FL_E_SYNTAX, start, "version: Debian's start with a digit");
    if (version.revision.ptr != NULL && version.revision.len == 0)
        return fl_fail(err, FL_E_SYNTAX, text.len, "version: the revision after the dash is empty");
    for (size_t i = start; i < text.len; i++) {
        unsigned char c = text.ptr[i];
        if (!fl_is_digit(c) && !fl_is_letter(c) && memchr(".+-~:", c, 5) == NULL)
            return fl_fail(err, FL_E_SYNTAX, i, "version: this character has no place");
    }
    return FL_OK;
}

/* Where a character of a run of non-digits sorts; the end of the run is 0. */
static int weight(fl_slice text, size_t at)
{
    if (at >= text.len || fl_is_digit(text.ptr[at]))
        return 0;
    unsigned char c = text.ptr[at];
    if (c == '~')
        return -1;
    return fl_is_letter(c) ? c : c + 256;
}

/* Runs of non-digits and digits in turn. */
static int part_compare(fl_slice a, fl_slice b)
{
    while (a.len > 0 || b.len > 0) {
        size_t i = 0;
        for (; weight(a, i) != 0 || weight(b, i) != 0; i++)
            if (weight(a, i) != weight(b, i))
                return weight(a, i) < weight(b, i) ? -1 : 1;
        a = fl_slice_from(a, i < a.len ? i : a.len);
        b = fl_slice_from(b, i < b.len ? i : b.len);
        size_t a_digits = fl_digits(a), b_digits = fl_digits(b);
        int order = fl_digits_compare(fl_slice_first(a, a_digits), fl_slice_first(b, b_digits));
        if (order != 0)
            return order;
        a = fl_slice_from(a, a_digits);
        b = fl_slice_from(b, b_digits);
    }
    return 0;
}

static int compare(fl_slice a, fl_slice b)
{
    parts left = split(a), right = split(b);
    int order = fl_digits_compare(left.epoch, right.epoch);
    if (order == 0)
        order = part_compare(left.upstream, right.upstream);
    return order != 0 ? order : part_compare(left.revision, right.revision);
}

const fl_version_order fl_order_debian = {"debian", check, compare, NULL};
