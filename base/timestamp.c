/*
 * timestamp.c - calendar arithmetic on integers; no locale, no time zone data, no floating point.
 *
 *   time     := date ("T" | "t" | " ") hh ":" mm [":" ss ["." digit{1,9}]] zone
 *   date     := yyyy "-" mm "-" dd
 *   zone     := "Z" | "z" | ("+" | "-") hh ":" mm
 *   epoch    := digit{10} (s) | digit{13} (ms) | digit{16} (us) | digit{19} (ns)
 *   relative := "now" | "-" duration
 *   duration := (digits unit)+, units of "d" "h" "m" "s" "ms" "us" "ns" in falling order
 *
 * A leap second (23:59:60 UTC, RFC 3339 section 5.7) is the start of the next second, whatever its
 * fraction: the epoch has no place for it.
 */
#include "timestamp.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "quote.h"
#include "slice.h"

static const int64_t SECONDS_PER_DAY = 86400;

/* Falling, so that a duration's units can only move forward in it. */
static const struct unit {
    const char *name;
    uint64_t ns;
} units[] = {
    {"d", UINT64_C(86400000000000)},
    {"h", UINT64_C(3600000000000)},
    {"m", UINT64_C(60000000000)},
    {"s", UINT64_C(1000000000)},
    {"ms", UINT64_C(1000000)},
    {"us", UINT64_C(1000)},
    {"ns", UINT64_C(1)},
};
enum { UNIT_COUNT = sizeof(units) / sizeof(units[0]), SHOWN_UNITS = 3 };

/* A cursor; a read that does not fit makes `ok` false and stays there. */
typedef struct scan {
    fl_slice text;
    size_t pos;
    bool ok;
} scan;

/* -1 at the end. */
static int peek(const scan *in)
{
    return in->pos < in->text.len ? in->text.ptr[in->pos] : -1;
}

/* Step over one character out of `set`; false where another stands there. */
static bool take_any(scan *in, const char *set)
{
    int c = peek(in);
    if (c <= 0 || strchr(set, c) == NULL)
        return false;
    in->pos++;
    return true;
}

/* As take_any(), but it must be there. */
static void want(scan *in, const char *set)
{
    if (!take_any(in, set))
        in->ok = false;
}

/* Up to `max` digits as a number; *count tells how many there were. */
static uint64_t digits(scan *in, size_t max, size_t *count)
{
    uint64_t value = 0;
    for (*count = 0; *count < max; ++*count, in->pos++) {
        int c = peek(in);
        if (c < '0' || c > '9')
            break;
        value = value * 10 + (uint64_t)(c - '0');
    }
    return value;
}

/* Exactly `count` digits whose value is in [low, high]. */
static int64_t field(scan *in, size_t count, int64_t low, int64_t high)
{
    size_t got;
    int64_t value = (int64_t)digits(in, count, &got);
    if (got != count || value < low || value > high)
        in->ok = false;
    return value;
}

/* Of the Gregorian calendar, also for the years before it was in use. */
static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* 28 to 31; `month` counts from 1. */
static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* 29ths of February from year 1 to the end of the year before. */
static int64_t leap_days_before(int64_t year)
{
    int64_t y = year - 1;
    return y / 4 - y / 100 + y / 400;
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar, year 1 or later. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    assert(year >= 1 && month >= 1 && month <= 12 && day >= 1);
    int64_t days = (year - 1970) * 365 + leap_days_before(year) - leap_days_before(1970) + day - 1;
    for (int64_t m = 1; m < month; m++)
        days += days_in_month(year, m);
    return days;
}

/* The inverse of days_of, for the years that an int64_t of nanoseconds can hold. */
void fl_time_date(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    *year = 1970 + days / 366; /* never too late for a positive count, corrected below */
    if (days < 0)
        *year = 1970 + days / 365 - 1;
    while (days_of(*year + 1, 1, 1) <= days)
        ++*year;
    *month = 1;
    int64_t left = days - days_of(*year, 1, 1);
    while (left >= days_in_month(*year, *month))
        left -= days_in_month(*year, (*month)++);
    *day = left + 1;
}

/* One to nine digits; "5" is half a second, so missing digits are zeros behind it. */
static int64_t fraction_ns(scan *in)
{
    size_t count;
    int64_t value = (int64_t)digits(in, 9, &count);
    if (count == 0)
        in->ok = false;
    for (; count < 9; count++)
        value *= 10;
    return value;
}

/* Seconds east of UTC. "-00:00" (RFC 3339 section 4.3: offset unknown) is UTC. */
static int64_t zone_s(scan *in)
{
    if (take_any(in, "Zz"))
        return 0;
    bool west = peek(in) == '-';
    want(in, "+-");
    int64_t hours = field(in, 2, 0, 23);
    want(in, ":");
    int64_t offset = hours * 3600 + field(in, 2, 0, 59) * 60;
    return west ? -offset : offset;
}

/* Seconds since the epoch and nanoseconds, or false where `text` is not of that form. */
static bool parse_rfc3339(fl_slice text, int64_t *seconds, int64_t *ns)
{
    scan in = {.text = text, .ok = true};
    int64_t year = field(&in, 4, 1, 9999);
    want(&in, "-");
    int64_t month = field(&in, 2, 1, 12);
    want(&in, "-");
    int64_t day = field(&in, 2, 1, 31);
    want(&in, "Tt ");
    int64_t hour = field(&in, 2, 0, 23);
    want(&in, ":");
    int64_t minute = field(&in, 2, 0, 59), second = 0;
    *ns = 0;
    if (take_any(&in, ":")) {
        second = field(&in, 2, 0, 60);
        if (take_any(&in, "."))
            *ns = fraction_ns(&in);
    }
    int64_t offset = zone_s(&in);
    if (!in.ok || in.pos != text.len || day > days_in_month(year, month))
        return false;
    *seconds =
        days_of(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset;
    if (second == 60) {
        *ns = 0;
        return *seconds % SECONDS_PER_DAY == 0;
    }
    return true;
}

/* An int64_t of nanoseconds ends in 2262; before 1970 no telemetry was recorded. */
static fl_status fail_range(fl_slice text, fl_error *err)
{
    char quoted[FL_QUOTE_TEXT];
    return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "time '%s' is outside of the years 1970 to 2262",
                   fl_quote(quoted, text));
}

/* Checked before the product, which would overflow. */
static fl_status of_seconds(int64_t *out_ns, int64_t seconds, int64_t ns, fl_slice text,
                            fl_error *err)
{
    assert(ns >= 0 && ns < FL_NS_PER_S);
    if (seconds < 0 || seconds > INT64_MAX / FL_NS_PER_S ||
        (seconds == INT64_MAX / FL_NS_PER_S && ns > INT64_MAX % FL_NS_PER_S))
        return fail_range(text, err);
    *out_ns = seconds * FL_NS_PER_S + ns;
    return FL_OK;
}

/* An epoch tells its unit by its length. False where `text` is none. */
static bool parse_epoch(fl_slice text, uint64_t *value, uint64_t *unit_ns)
{
    scan in = {.text = text, .ok = true};
    size_t count;
    *value = digits(&in, 19, &count);
    *unit_ns = count == 10 ? 1000000000 : count == 13 ? 1000000 : count == 16 ? 1000 : 1;
    return in.pos == text.len && (*unit_ns > 1 || count == 19);
}

fl_status fl_time_parse(int64_t *out_ns, fl_slice text, int64_t now_ns, fl_error *err)
{
    assert(out_ns != NULL);
    uint64_t value, unit_ns;
    int64_t seconds, ns;
    if (fl_slice_equal(text, FL_SLICE("now"))) {
        *out_ns = now_ns;
        return FL_OK;
    }
    if (parse_epoch(text, &value, &unit_ns)) {
        if (value > INT64_MAX / unit_ns)
            return fail_range(text, err);
        *out_ns = (int64_t)(value * unit_ns);
        return FL_OK;
    }
    if (parse_rfc3339(text, &seconds, &ns))
        return of_seconds(out_ns, seconds, ns, text, err);
    if (text.len > 1 && text.ptr[0] == '-') {
        fl_slice rest = {.ptr = text.ptr + 1, .len = text.len - 1};
        fl_status status = fl_duration_parse(&ns, rest, NULL);
        if (status == FL_E_LIMIT || (status == FL_OK && ns > now_ns))
            return fail_range(text, err);
        if (status == FL_OK) {
            *out_ns = now_ns - ns;
            return FL_OK;
        }
    }
    char quoted[FL_QUOTE_TEXT];
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                   "time '%s' is not RFC 3339, -DURATION or an epoch", fl_quote(quoted, text));
}

/* The unit at the cursor, or UNIT_COUNT. A digit or the end must follow, which tells "m" from "ms".
 */
static size_t take_unit(scan *in)
{
    size_t len = 0;
    while (in->pos + len < in->text.len && in->text.ptr[in->pos + len] >= 'a')
        len++;
    fl_slice name = {.ptr = in->text.ptr + in->pos, .len = len};
    in->pos += len;
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (fl_slice_equal(name, fl_slice_of(units[i].name)))
            return i;
    return UNIT_COUNT;
}

fl_status fl_duration_parse(int64_t *out_ns, fl_slice text, fl_error *err)
{
    assert(out_ns != NULL);
    char quoted[FL_QUOTE_TEXT];
    scan in = {.text = text, .ok = true};
    uint64_t total = 0;
    bool too_long = false;
    size_t next_unit = 0;
    while (in.ok && (in.pos < text.len || in.pos == 0)) {
        size_t count;
        uint64_t value = digits(&in, 19, &count); /* 19 digits fit 64 bits; more are too many */
        for (size_t more = 1; more > 0; too_long = too_long || more > 0)
            (void)digits(&in, SIZE_MAX, &more);
        size_t unit = take_unit(&in);
        in.ok = count > 0 && unit < UNIT_COUNT && unit >= next_unit;
        if (!in.ok)
            break;
        next_unit = unit + 1;
        too_long = too_long || value > (INT64_MAX - total) / units[unit].ns;
        total = too_long ? total : total + value * units[unit].ns;
    }
    if (!in.ok)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "duration '%s' is not like 5m, 90s, 250ms or 1h30m", fl_quote(quoted, text));
    if (too_long)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "duration '%s' is longer than 292 years",
                       fl_quote(quoted, text));
    if (total == 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "duration '%s' is not positive",
                       fl_quote(quoted, text));
    *out_ns = (int64_t)total;
    return FL_OK;
}

char *fl_time_format(char out[FL_TIME_TEXT], int64_t time_ns)
{
    int64_t ns = time_ns % FL_NS_PER_S, seconds = time_ns / FL_NS_PER_S;
    if (ns < 0) {
        ns += FL_NS_PER_S;
        seconds--;
    }
    int64_t of_day = seconds % SECONDS_PER_DAY, days = seconds / SECONDS_PER_DAY;
    if (of_day < 0) {
        of_day += SECONDS_PER_DAY;
        days--;
    }
    int64_t year, month, day;
    fl_time_date(days, &year, &month, &day);
    int len = snprintf(out, FL_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, (int)month,
                       (int)day, (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60));
    assert(len > 0 && len < FL_TIME_TEXT);
    int places = ns == 0 ? 0 : ns % 1000000 == 0 ? 3 : ns % 1000 == 0 ? 6 : 9;
    char *end = out + len;
    size_t room = FL_TIME_TEXT - (size_t)len;
    if (places == 0) {
        snprintf(end, room, "Z");
    } else {
        int64_t shown = places == 3 ? ns / 1000000 : places == 6 ? ns / 1000 : ns;
        snprintf(end, room, ".%0*dZ", places, (int)shown);
    }
    return out;
}

char *fl_time_format_s(char out[FL_TIME_TEXT], int64_t time_ns)
{
    char *fraction = strchr(fl_time_format(out, time_ns), '.');
    if (fraction != NULL)
        memcpy(fraction, "Z", 2);
    return out;
}

/* The first unit of which `ns` holds at least one; the last unit for 0. */
static size_t largest_unit(uint64_t ns)
{
    size_t unit = 0;
    while (unit + 1 < UNIT_COUNT && ns < units[unit].ns)
        unit++;
    return unit;
}

char *fl_duration_format(char out[FL_TIME_TEXT], int64_t duration_ns)
{
    uint64_t left = duration_ns < 0 ? -(uint64_t)duration_ns : (uint64_t)duration_ns;
    if (left == 0) {
        snprintf(out, FL_TIME_TEXT, "0s");
        return out;
    }
    size_t unit = largest_unit(left);
    size_t last = unit + SHOWN_UNITS <= UNIT_COUNT ? unit + SHOWN_UNITS - 1 : UNIT_COUNT - 1;
    left = (left + units[last].ns / 2) / units[last].ns * units[last].ns;
    size_t len = 0;
    if (duration_ns < 0)
        out[len++] = '-';
    for (unit = largest_unit(left); left > 0; unit++) {
        assert(unit < UNIT_COUNT);
        uint64_t count = left / units[unit].ns;
        left %= units[unit].ns;
        if (count > 0)
            len += (size_t)snprintf(out + len, FL_TIME_TEXT - len, "%llu%s",
                                    (unsigned long long)count, units[unit].name);
        assert(len < FL_TIME_TEXT);
    }
    return out;
}

/* A clock of POSIX that cannot be read is a broken system, not an input. */
static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    assert(failed == 0);
    (void)failed;
    return (int64_t)now.tv_sec * FL_NS_PER_S + now.tv_nsec;
}

int64_t fl_time_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t fl_time_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
