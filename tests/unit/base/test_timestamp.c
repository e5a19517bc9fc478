#include "timestamp.h"

#include <stdio.h>
#include <time.h>

#include "fl_test.h"
#include "quote.h"

static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
}

#define NOW INT64_C(1700000000123456789)

static const struct {
    const char *text;
    int64_t ns;
} times[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01T00:00:00.000000001Z", 1},
    {"2023-01-29T09:34:00Z", INT64_C(1674984840000000000)},
    {"2023-01-29 09:34:00Z", INT64_C(1674984840000000000)},
    {"2023-01-29t09:34:00z", INT64_C(1674984840000000000)},
    {"2023-01-29T09:34Z", INT64_C(1674984840000000000)},
    {"2023-01-29T10:34+01:00", INT64_C(1674984840000000000)},
    {"2023-01-29T04:04:00-05:30", INT64_C(1674984840000000000)},
    {"2023-01-29T09:34:00-00:00", INT64_C(1674984840000000000)},
    {"2023-01-29T09:34:00.1Z", INT64_C(1674984840100000000)},
    {"2023-01-29T09:34:00.123456789Z", INT64_C(1674984840123456789)},
    {"2023-01-29T09:34:00.12345678+00:00", INT64_C(1674984840123456780)},
    {"2000-02-29T00:00:00Z", INT64_C(951782400000000000)},
    {"2000-03-01T00:00:00Z", INT64_C(951868800000000000)},
    {"2100-03-01T00:00:00Z", INT64_C(4107542400000000000)},
    {"2262-04-11T23:47:16.854775807Z", INT64_MAX},
    {"1969-12-31T23:00:00-01:00", 0},
    {"1970-01-01T23:59:00+23:59", 0},
    {"2016-12-31T23:59:60Z", INT64_C(1483228800000000000)},
    {"2016-12-31T23:59:60.75Z", INT64_C(1483228800000000000)},
    {"2017-01-01T05:29:60+05:30", INT64_C(1483228800000000000)},
    {"now", NOW},
    {"-2h", NOW - INT64_C(7200000000000)},
    {"-1d1h30m", NOW - INT64_C(91800000000000)},
    {"1674984840", INT64_C(1674984840000000000)},
    {"1674984840123", INT64_C(1674984840123000000)},
    {"1674984840123456", INT64_C(1674984840123456000)},
    {"1674984840123456789", INT64_C(1674984840123456789)},
    {"9223372036854775807", INT64_MAX},
    {"0000000001", FL_NS_PER_S},
};

START_TEST(every_form_of_time_is_read)
{
    int64_t ns = -1;
    ck_assert_ok(fl_time_parse(&ns, SLICE(times[_i].text), NOW, &err));
    ck_assert_int_eq(ns, times[_i].ns);
}
END_TEST

static const char *const no_times[] = {
    "",
    "x",
    "2023",
    "2023-01-29",
    "2023-01-29T",
    "2023-01-29T09",
    "2023-01-29T09:34",
    "2023-01-29T09:34:00",
    "2023-01-29T09:34:0Z",
    "2023-01-29T09:34:00.Z",
    "2023-01-29T09:34:00.1234567890Z",
    "2023-01-29T09:34:00,5Z",
    "2023-01-29T09:34:00+1",
    "2023-01-29T09:34:00+01",
    "2023-01-29T09:34:00+0100",
    "2023-01-29T09:34:00+24:00",
    "2023-01-29T09:34:00+01:60",
    "2023-01-29T09:34:00Zx",
    " 2023-01-29T09:34:00Z",
    "2023-01-29T09:34:00Z ",
    "2023-1-29T09:34:00Z",
    "23-01-29T09:34:00Z",
    "2023/01/29T09:34:00Z",
    "2023-00-29T09:34:00Z",
    "2023-13-29T09:34:00Z",
    "2023-01-00T09:34:00Z",
    "2023-01-32T09:34:00Z",
    "2023-04-31T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "2023-01-29T24:00:00Z",
    "2023-01-29T09:60:00Z",
    "2023-01-29T09:34:60Z",
    "2023-01-29T09:34:61Z",
    "2016-12-31T23:59:60+01:00",
    "0000-01-01T00:00:00Z",
    "-2023-01-29T09:34:00Z",
    "+2h",
    "2h",
    "-",
    "-h",
    "-0s",
    "-1x",
    "-1m1h",
    "NOW",
    "167498484",
    "16749848400",
    "167498484012",
    "16749848401234567890",
    "1674984840.5",
    "-1674984840",
    "1e9",
};

START_TEST(what_is_no_time_is_named)
{
    int64_t ns = 42;
    char expected[200];
    ck_assert_fails(FL_E_SYNTAX, fl_time_parse(&ns, SLICE(no_times[_i]), NOW, &err));
    snprintf(expected, sizeof(expected), "time '%s' is not RFC 3339, -DURATION or an epoch",
             no_times[_i]);
    ck_assert_str_eq(err.message, expected);
    ck_assert_uint_eq(err.offset, FL_NO_OFFSET);
    ck_assert_int_eq(ns, 42);
}
END_TEST

static const char *const outside[] = {
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+00:01",
    "2262-04-11T23:47:16.854775808Z",
    "2262-04-11T23:47:17Z",
    "2500-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "0001-01-01T00:00:00Z",
    "9999999999",
    "9223372036855",
    "9223372036854776",
    "9223372036854775808",
    "9999999999999999999",
    "-20000d", /* before 1970 */
    "-106752d",
};

START_TEST(what_lies_outside_of_the_range_is_named)
{
    int64_t ns = 42;
    char expected[200];
    ck_assert_fails(FL_E_LIMIT, fl_time_parse(&ns, SLICE(outside[_i]), NOW, &err));
    snprintf(expected, sizeof(expected), "time '%s' is outside of the years 1970 to 2262",
             outside[_i]);
    ck_assert_str_eq(err.message, expected);
    ck_assert_int_eq(ns, 42);
}
END_TEST

START_TEST(hostile_text_is_quoted_short_and_clean)
{
    int64_t ns;
    char text[1000];
    memset(text, '9', sizeof(text));
    memcpy(text, "\x1b[31m\xff\n", 7);
    fl_slice slice = {(unsigned char *)text, sizeof(text)};
    ck_assert_fails(FL_E_SYNTAX, fl_time_parse(&ns, slice, NOW, &err));
    ck_assert_str_eq(err.message, "time '?[31m??99999999999999999999999999999999999999999999999999"
                                  "999...' is not RFC 3339, -DURATION or an epoch");
    char quoted[FL_QUOTE_TEXT];
    slice.len = FL_QUOTE_TEXT - 1;
    ck_assert_uint_eq(strlen(fl_quote(quoted, slice)), FL_QUOTE_TEXT - 1);
    ck_assert_ptr_null(strstr(quoted, "..."));
    ck_assert_str_eq(fl_quote(quoted, (fl_slice){0}), "");
}
END_TEST

static const struct {
    const char *text;
    int64_t ns;
} durations[] = {
    {"5m", INT64_C(300000000000)},
    {"90s", INT64_C(90000000000)},
    {"1h30m", INT64_C(5400000000000)},
    {"250ms", 250000000},
    {"2d", INT64_C(172800000000000)},
    {"1d2h3m4s5ms6us7ns", INT64_C(93784005006007)},
    {"1ns", 1},
    {"0m1s", FL_NS_PER_S},
    {"1m1ms", INT64_C(60001000000)},
    {"00005m", INT64_C(300000000000)},
    {"9223372036854775807ns", INT64_MAX},
    {"106751d23h47m16s854ms775us807ns", INT64_MAX},
};

START_TEST(durations_are_read)
{
    int64_t ns = -1;
    ck_assert_ok(fl_duration_parse(&ns, SLICE(durations[_i].text), &err));
    ck_assert_int_eq(ns, durations[_i].ns);
}
END_TEST

#define NOT_LIKE     "duration '%s' is not like 5m, 90s, 250ms or 1h30m"
#define NOT_POSITIVE "duration '%s' is not positive"
#define TOO_LONG     "duration '%s' is longer than 292 years"

static const struct {
    const char *text;
    fl_status status;
    const char *format;
} no_durations[] = {
    {"", FL_E_SYNTAX, NOT_LIKE},
    {"5", FL_E_SYNTAX, NOT_LIKE},
    {"m", FL_E_SYNTAX, NOT_LIKE},
    {"5x", FL_E_SYNTAX, NOT_LIKE},
    {"5M", FL_E_SYNTAX, NOT_LIKE},
    {"5 m", FL_E_SYNTAX, NOT_LIKE},
    {"-5m", FL_E_SYNTAX, NOT_LIKE},
    {"+5m", FL_E_SYNTAX, NOT_LIKE},
    {"1.5h", FL_E_SYNTAX, NOT_LIKE},
    {"5m5", FL_E_SYNTAX, NOT_LIKE},
    {"30m1h", FL_E_SYNTAX, NOT_LIKE},
    {"1m1m", FL_E_SYNTAX, NOT_LIKE},
    {"5mm", FL_E_SYNTAX, NOT_LIKE},
    {"5m ", FL_E_SYNTAX, NOT_LIKE},
    {"0s", FL_E_SYNTAX, NOT_POSITIVE},
    {"0h0m", FL_E_SYNTAX, NOT_POSITIVE},
    {"9223372036854775808ns", FL_E_LIMIT, TOO_LONG},
    {"106752d", FL_E_LIMIT, TOO_LONG},
    {"106751d23h47m16s854ms775us808ns", FL_E_LIMIT, TOO_LONG},
    {"99999999999999999999999999h", FL_E_LIMIT, TOO_LONG},
};

START_TEST(what_is_no_duration_is_named)
{
    int64_t ns = 42;
    char expected[200];
    ck_assert_fails(no_durations[_i].status,
                    fl_duration_parse(&ns, SLICE(no_durations[_i].text), &err));
    const char *at = strstr(no_durations[_i].format, "%s");
    snprintf(expected, sizeof(expected), "%.*s%s%s", (int)(at - no_durations[_i].format),
             no_durations[_i].format, no_durations[_i].text, at + 2);
    ck_assert_str_eq(err.message, expected);
    ck_assert_int_eq(ns, 42);
}
END_TEST

static const struct {
    int64_t ns;
    const char *text;
} shown_times[] = {
    {0, "1970-01-01T00:00:00Z"},
    {1, "1970-01-01T00:00:00.000000001Z"},
    {1000, "1970-01-01T00:00:00.000001Z"},
    {INT64_C(1674984840500000000), "2023-01-29T09:34:00.500Z"},
    {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
    {-1, "1969-12-31T23:59:59.999999999Z"},
    {-86400 * FL_NS_PER_S, "1969-12-31T00:00:00Z"},
    {INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
};

START_TEST(times_are_shown_with_as_many_digits_as_needed)
{
    char text[FL_TIME_TEXT];
    ck_assert_str_eq(fl_time_format(text, shown_times[_i].ns), shown_times[_i].text);
}
END_TEST

START_TEST(people_are_shown_whole_seconds)
{
    char text[FL_TIME_TEXT];
    ck_assert_str_eq(fl_time_format_s(text, INT64_C(1674984840500000000)), "2023-01-29T09:34:00Z");
    ck_assert_str_eq(fl_time_format_s(text, FL_NS_PER_S), "1970-01-01T00:00:01Z");
    ck_assert_str_eq(fl_time_format_s(text, -1), "1969-12-31T23:59:59Z");
    ck_assert_str_eq(fl_time_format_s(text, INT64_MAX), "2262-04-11T23:47:16Z");
}
END_TEST

static const struct {
    int64_t ns;
    const char *text;
} shown_durations[] = {
    {0, "0s"},
    {1, "1ns"},
    {999, "999ns"},
    {1500, "1us500ns"},
    {250000000, "250ms"},
    {1234567890, "1s234ms568us"},
    {INT64_C(5400000000000), "1h30m"},
    {INT64_C(93784005006007), "1d2h3m"},
    {INT64_C(93810000000000), "1d2h4m"}, /* 30 s: half up */
    {INT64_C(3599999999999), "1h"},
    {INT64_C(86399999999999), "1d"},
    {-INT64_C(7200000000000), "-2h"},
    {INT64_MAX, "106751d23h47m"},
    {INT64_MIN, "-106751d23h47m"},
};

START_TEST(durations_are_shown_in_three_units)
{
    char text[FL_TIME_TEXT];
    ck_assert_str_eq(fl_duration_format(text, shown_durations[_i].ns), shown_durations[_i].text);
}
END_TEST

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 1;
}

START_TEST(a_shown_time_reads_back_and_agrees_with_gmtime)
{
    uint64_t state = 1;
    for (int i = 0; i < 200000; i++) {
        int64_t ns = (int64_t)next_random(&state);
        if (i % 3 == 0)
            ns -= ns % FL_NS_PER_S;
        char text[FL_TIME_TEXT], expected[FL_TIME_TEXT];
        time_t seconds = (time_t)(ns / FL_NS_PER_S);
        struct tm parts;
        gmtime_r(&seconds, &parts);
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &parts);
        fl_time_format(text, ns);
        int64_t back = -1;
        if (memcmp(text, expected, 19) != 0 ||
            fl_time_parse(&back, SLICE(text), 0, &err) != FL_OK || back != ns)
            ck_abort_msg("%s is not %s, or does not read back: %s", text, expected, err.message);
    }
}
END_TEST

/* Each midnight that an int64_t can name. */
START_TEST(every_day_of_the_range_agrees_with_gmtime)
{
    for (int64_t day = -106751; day <= 106751; day++) {
        char text[FL_TIME_TEXT], expected[FL_TIME_TEXT];
        time_t seconds = (time_t)(day * 86400);
        struct tm parts;
        gmtime_r(&seconds, &parts);
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &parts);
        int64_t ns = day * 86400 * FL_NS_PER_S, back = ns;
        if (strcmp(fl_time_format(text, ns), expected) != 0)
            ck_abort_msg("%s is not %s", text, expected);
        if (day > 0 && (fl_time_parse(&back, SLICE(expected), 0, &err) != FL_OK || back != ns))
            ck_abort_msg("%s does not read back: %s", expected, err.message);
    }
}
END_TEST

START_TEST(a_shown_duration_reads_back_within_its_rounding)
{
    uint64_t state = 2;
    for (int i = 0; i < 100000; i++) {
        int64_t ns = (int64_t)(next_random(&state) >> (i % 62)) + 1, back = -1;
        char text[FL_TIME_TEXT];
        if (ns <= 0)
            continue;
        fl_status status = fl_duration_parse(&back, SLICE(fl_duration_format(text, ns)), &err);
        int64_t off = back > ns ? back - ns : ns - back;
        if (status != FL_OK || off > ns / 1440 + 1) /* at worst half a minute of a day */
            ck_abort_msg("%s is not near %lld ns: %s", text, (long long)ns, err.message);
    }
}
END_TEST

START_TEST(the_clocks_run)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t expected = (int64_t)now.tv_sec * FL_NS_PER_S + now.tv_nsec, first = fl_time_monotonic();
    ck_assert_int_ge(fl_time_now(), expected);
    ck_assert_int_lt(fl_time_now() - expected, 10 * FL_NS_PER_S);
    ck_assert_int_ge(fl_time_monotonic(), first);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

static Suite *timestamp_suite(void)
{
    Suite *suite = suite_create("base/timestamp");
    TCase *cases = tcase_create("timestamp");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_add_loop_test(cases, every_form_of_time_is_read, 0, COUNT(times));
    tcase_add_loop_test(cases, what_is_no_time_is_named, 0, COUNT(no_times));
    tcase_add_loop_test(cases, what_lies_outside_of_the_range_is_named, 0, COUNT(outside));
    tcase_add_test(cases, hostile_text_is_quoted_short_and_clean);
    tcase_add_loop_test(cases, durations_are_read, 0, COUNT(durations));
    tcase_add_loop_test(cases, what_is_no_duration_is_named, 0, COUNT(no_durations));
    tcase_add_loop_test(cases, times_are_shown_with_as_many_digits_as_needed, 0,
                        COUNT(shown_times));
    tcase_add_test(cases, people_are_shown_whole_seconds);
    tcase_add_loop_test(cases, durations_are_shown_in_three_units, 0, COUNT(shown_durations));
    tcase_add_test(cases, a_shown_time_reads_back_and_agrees_with_gmtime);
    tcase_add_test(cases, every_day_of_the_range_agrees_with_gmtime);
    tcase_add_test(cases, a_shown_duration_reads_back_within_its_rounding);
    tcase_add_test(cases, the_clocks_run);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(timestamp_suite)
