/*
 * timestamp.h - one time type: int64_t nanoseconds since 1970-01-01T00:00:00Z.
 */
#ifndef FL_TIMESTAMP_H
#define FL_TIMESTAMP_H

#include <stdbool.h>

#include "faultline/status.h"

#define FL_NS_PER_S  INT64_C(1000000000)
#define FL_NS_PER_MS INT64_C(1000000)

enum { FL_TIME_TEXT = 40 }; /* room for any text that the functions below write */

/* A point in time: RFC 3339 ("2023-01-29T09:34:00Z", offsets, 1 to 9 fraction digits, a space for
 * the T, no seconds), "now", "-2h" (before `now_ns`), or an epoch of 10 (s), 13 (ms), 16 (us) or 19
 * (ns) digits. A leap second, 23:59:60 UTC, is the start of the next second. FL_E_SYNTAX: "time 'x'
 * is not RFC 3339, -DURATION or an epoch". FL_E_LIMIT: "time 'x' is outside of the years 1970 to
 * 2262" (exactly: of 1970-01-01T00:00:00Z to 2262-04-11T23:47:16.854775807Z). */
FL_NODISCARD fl_status fl_time_parse(int64_t *out_ns, fl_slice text, int64_t now_ns, fl_error *err);
/* "5m", "90s", "1h30m", "250ms", "2d": positive, whole numbers of d h m s ms us ns in falling
 * order. FL_E_SYNTAX: "duration 'x' is not like 5m, 90s, 250ms or 1h30m" or "duration 'x' is not
 * positive". FL_E_LIMIT: "duration 'x' is longer than 292 years". */
FL_NODISCARD fl_status fl_duration_parse(int64_t *out_ns, fl_slice text, fl_error *err);

/* RFC 3339 in UTC with as many fraction digits as needed (0, 3, 6 or 9). Returns `out`. */
char *fl_time_format(char out[FL_TIME_TEXT], int64_t time_ns);
/* The same without the fraction: the second in which it lies. */
char *fl_time_format_s(char out[FL_TIME_TEXT], int64_t time_ns);
/* "1h30m", "250ms", "0s", "-2d"; for people: the largest unit and the two that follow it, rounded
 * half up ("1d2h3m"). */
char *fl_duration_format(char out[FL_TIME_TEXT], int64_t duration_ns);
/* The day of the calendar, `days` after 1970-01-01; 0 <= days, up to the year 9999. */
void fl_time_date(int64_t days, int64_t *year, int64_t *month, int64_t *day);
int64_t fl_time_now(void);
/* Monotonic, for measuring. */
int64_t fl_time_monotonic(void);

#endif
