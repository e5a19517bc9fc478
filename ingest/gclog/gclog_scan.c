/*
 * gclog_scan.c - the pieces that both grammars are made of: sizes, durations, stamps, parentheses.
 *
 * Numbers are scaled integers, not doubles: "0.0059346 secs" is exact in nanoseconds, and a log has
 * some hundred thousand of them.
 */
#include <assert.h>
#include <string.h>

#include "gclog_priv.h"
#include "timestamp.h"

/* Without its first `count` bytes. */
static fl_slice behind(fl_slice text, size_t count)
{
    return fl_slice_part(text, count, text.len);
}

/* ASCII, whatever the locale. */
static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

bool fl_gclog_is_one_of(unsigned char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

bool fl_gclog_take(fl_slice *in, const char *text)
{
    size_t len = strlen(text);
    if (in->len < len || memcmp(in->ptr, text, len) != 0)
        return false;
    *in = behind(*in, len);
    return true;
}

bool fl_gclog_take_scaled(fl_slice *in, int64_t scale, int64_t *out)
{
    const int64_t most = INT64_C(1) << 62;
    size_t at = 0;
    int64_t whole = 0, part = 0, unit = scale;
    assert(scale > 0);
    for (; at < in->len && is_digit(in->ptr[at]); at++) {
        if (whole > (most / scale - 9) / 10)
            return false;
        whole = 10 * whole + (in->ptr[at] - '0');
    }
    if (at == 0)
        return false;
    bool has_fraction =
        at + 1 < in->len && (in->ptr[at] == '.' || in->ptr[at] == ',') && is_digit(in->ptr[at + 1]);
    if (has_fraction)
        for (at++; at < in->len && is_digit(in->ptr[at]); at++) {
            unit /= 10; /* exact for seconds; of a MiB's tenths some bytes are lost */
            part += unit * (in->ptr[at] - '0');
        }
    *out = whole * scale + part;
    *in = behind(*in, at);
    return true;
}

/* The unit behind a number, found before the number is scaled. */
static size_t number_length(fl_slice text)
{
    size_t at = 0;
    while (at < text.len && (is_digit(text.ptr[at]) || text.ptr[at] == '.' || text.ptr[at] == ','))
        at++;
    return at;
}

bool fl_gclog_take_size(fl_slice *in, int64_t *bytes)
{
    static const char units[] = "BKMGT";
    size_t len = number_length(*in);
    bool has_unit = len > 0 && len < in->len && fl_gclog_is_one_of(in->ptr[len], units);
    const char *unit = has_unit ? strchr(units, in->ptr[len]) : NULL;
    fl_slice rest = *in;
    if (unit == NULL || !fl_gclog_take_scaled(&rest, INT64_C(1) << 10 * (unit - units), bytes) ||
        rest.len == 0 || rest.ptr[0] != (unsigned char)*unit)
        return false;
    *in = behind(rest, 1);
    return true;
}

/* "(128M)" gives a capacity, "(11%)" none. False where it is neither. */
static bool take_capacity(fl_slice *in, int64_t *capacity)
{
    fl_slice rest = *in;
    int64_t percent;
    if (!fl_gclog_take(&rest, "("))
        return true;
    if (!fl_gclog_take_size(&rest, capacity) &&
        !(fl_gclog_take_scaled(&rest, 1, &percent) && fl_gclog_take(&rest, "%")))
        return false;
    if (!fl_gclog_take(&rest, ")"))
        return false;
    *in = rest;
    return true;
}

bool fl_gclog_take_sizes(fl_slice *in, fl_gc_sizes *out)
{
    fl_slice rest = *in;
    int64_t before_capacity = -1;
    *out = (fl_gc_sizes){-1, -1, -1};
    if (!fl_gclog_take_size(&rest, &out->before) || !take_capacity(&rest, &before_capacity) ||
        !fl_gclog_take(&rest, "->") || !fl_gclog_take_size(&rest, &out->after) ||
        !take_capacity(&rest, &out->capacity))
        return false;
    *in = rest;
    return true;
}

bool fl_gclog_take_duration(fl_slice *in, int64_t *ns)
{
    static const struct {
        const char *unit;
        int64_t scale;
    } units[] = {{"ms", 1000000}, {"secs", 1000000000}, {"s", 1000000000}, {"us", 1000}, {"ns", 1}};
    size_t len = number_length(*in);
    fl_slice unit = len > 0 ? behind(*in, len) : (fl_slice){0};
    while (unit.len > 0 && unit.ptr[0] == ' ')
        unit = behind(unit, 1);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && unit.len > 0; i++) {
        fl_slice rest = unit, number = fl_slice_part(*in, 0, len);
        if (!fl_gclog_take(&rest, units[i].unit))
            continue;
        if (!fl_gclog_take_scaled(&number, units[i].scale, ns) || number.len > 0)
            return false;
        *in = rest;
        return true;
    }
    return false;
}

bool fl_gclog_take_group(fl_slice *in, fl_slice *inside)
{
    size_t depth = 0;
    for (size_t at = 0; at < in->len; at++) {
        depth += in->ptr[at] == '(';
        if (depth == 0)
            return false;
        if (in->ptr[at] != ')' || --depth > 0)
            continue;
        *inside = fl_slice_part(*in, 1, at);
        *in = behind(*in, at + 1);
        return true;
    }
    return false;
}

/* The JVM writes the zone without a colon, which RFC 3339 wants. */
bool fl_gclog_time(fl_slice text, int64_t *ns)
{
    enum { STAMP = 28, COLON = 26 };
    unsigned char full[STAMP + 1];
    if (text.len != STAMP || (text.ptr[23] != '+' && text.ptr[23] != '-'))
        return false;
    memcpy(full, text.ptr, COLON);
    full[COLON] = ':';
    memcpy(full + COLON + 1, text.ptr + COLON, STAMP - COLON);
    if (full[19] == ',')
        full[19] = '.';
    return fl_time_parse(ns, (fl_slice){.ptr = full, .len = sizeof(full)}, 0, NULL) == FL_OK;
}
