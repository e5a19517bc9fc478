/*
 * advice.c - the first word says which form is meant, the rest whether it is one.
 */
#include "advice.h"

#include <assert.h>
#include <stdbool.h>

#include "slice.h"

static const char *const names[FL_ADVICE_KIND_COUNT] = {
    [FL_ADVICE_SET] = "set",     [FL_ADVICE_AVOID] = "avoid",     [FL_ADVICE_LIMIT] = "limit",
    [FL_ADVICE_ALERT] = "alert", [FL_ADVICE_UPGRADE] = "upgrade", [FL_ADVICE_CHECK] = "check",
    [FL_ADVICE_DO] = "do",
};

const char *fl_advice_kind_name(fl_advice_kind kind)
{
    assert(kind < FL_ADVICE_KIND_COUNT);
    return names[kind];
}

/* The beginning of a text. */
static fl_slice first(fl_slice text, size_t len)
{
    return (fl_slice){.ptr = text.ptr, .len = len};
}

/* The rest of it. */
static fl_slice from(fl_slice text, size_t start)
{
    return (fl_slice){.ptr = text.ptr + start, .len = text.len - start};
}

/* No blank and no control character, and not empty. */
static bool is_word(fl_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] == 0x7F)
            return false;
    return text.len > 0;
}

/* "NAME=VALUE"; NAME alone where `needs_value` is false. */
static bool read_setting(fl_advice_words *out, fl_slice rest, bool needs_value)
{
    size_t equals = fl_slice_find(rest, FL_SLICE("="));
    out->name = first(rest, equals);
    out->value = equals < rest.len ? from(rest, equals + 1) : (fl_slice){0};
    if (equals == rest.len)
        return !needs_value && is_word(out->name);
    return is_word(out->name) && is_word(out->value);
}

/* "NAME to VERSION" */
static bool read_upgrade(fl_advice_words *out, fl_slice rest)
{
    size_t to = fl_slice_find(rest, FL_SLICE(" to "));
    if (to == rest.len)
        return false;
    out->name = first(rest, to);
    out->value = from(rest, to + 4);
    return is_word(out->name) && is_word(out->value);
}

/* Prometheus: letters, digits, '_' and ':'. */
static bool is_alert_name(fl_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

/* Digits and a unit, as Prometheus writes durations. */
static bool is_duration(fl_slice text)
{
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    fl_slice unit = from(text, digits);
    return digits > 0 && digits <= 6 && unit.len == 1 && memchr("smhdw", unit.ptr[0], 5) != NULL;
}

/* "NAME if EXPRESSION for DURATION": the last " for " counts. */
static bool read_alert(fl_advice_words *out, fl_slice rest)
{
    size_t condition = fl_slice_find(rest, FL_SLICE(" if ")), last = rest.len;
    if (condition == rest.len)
        return false;
    for (size_t at = condition + 4; at + 5 <= rest.len; at++)
        if (memcmp(rest.ptr + at, " for ", 5) == 0)
            last = at;
    if (last == rest.len)
        return false;
    out->name = first(rest, condition);
    out->value =
        fl_slice_trim((fl_slice){.ptr = rest.ptr + condition + 4, .len = last - condition - 4});
    out->duration = from(rest, last + 5);
    return is_alert_name(out->name) && out->value.len > 0 && is_duration(out->duration);
}

/* False where the rest does not fit the form of out->kind. */
static bool read_form(fl_advice_words *out, fl_slice rest)
{
    switch (out->kind) {
    case FL_ADVICE_SET:
    case FL_ADVICE_LIMIT:
        return read_setting(out, rest, true);
    case FL_ADVICE_AVOID:
        return read_setting(out, rest, false);
    case FL_ADVICE_UPGRADE:
        return read_upgrade(out, rest);
    case FL_ADVICE_ALERT:
        return read_alert(out, rest);
    case FL_ADVICE_CHECK:
        out->text = rest;
        return rest.len > 0;
    case FL_ADVICE_DO:
    case FL_ADVICE_KIND_COUNT:
        return false;
    }
    return false;
}

void fl_advice_read(fl_advice_words *out, fl_slice text)
{
    assert(text.len == 0 || text.ptr != NULL);
    fl_slice whole = fl_slice_trim(text);
    size_t blank = fl_slice_find(whole, FL_SLICE(" "));
    for (fl_advice_kind kind = 0; kind < FL_ADVICE_DO && blank < whole.len; kind++) {
        *out = (fl_advice_words){.kind = kind};
        if (fl_slice_equal(first(whole, blank), fl_slice_of(names[kind])) &&
            read_form(out, fl_slice_trim(from(whole, blank))))
            return;
    }
    *out = (fl_advice_words){.kind = FL_ADVICE_DO, .text = whole};
}
