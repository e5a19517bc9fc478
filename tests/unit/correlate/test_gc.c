#include <math.h>
#include <stdio.h>

#include "fl_test.h"
#include "gc_stats.h"
#include "mem.h"
#include "slice.h"

#define MIB    (INT64_C(1) << 20)
#define SECOND INT64_C(1000000000)
#define MS     INT64_C(1000000)

static fl_error err;
static fl_arena arena;
static fl_gc_stats *stats;
static fl_gc_report report;

/* As the library has them: a condition on the line of the log. */
static const fl_leak_condition grows[] = {
    {.feature = FL_LEAK_F_LOG, .op = FL_LEAK_MATCHES, .pattern = "^gc log: heap grows$"}};
static const fl_leak_condition other[] = {
    {.feature = FL_LEAK_F_LOG, .op = FL_LEAK_MATCHES, .pattern = "^gc log:"},
    {.feature = FL_LEAK_F_SHAPE, .op = FL_LEAK_MATCHES, .pattern = "growing"}};
static const fl_leak_signature library[] = {
    {.name = "other",
     .title = "not of a log alone",
     .subject = FL_LEAK_PROGRAM,
     .prior = 0.99,
     .must = other,
     .must_count = 2},
    {.name = "grows",
     .title = "it grows",
     .verdict = FL_LEAK_LEAK,
     .subject = FL_LEAK_PROGRAM,
     .prior = 0.75,
     .must = grows,
     .must_count = 1},
};

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(8 << 20);
    ck_assert_ok(fl_gc_stats_create(&stats, &err));
    ck_assert_ok(fl_gc_stats_begin(stats, "gc.log", &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_gc_stats_destroy(stats);
    fl_arena_dispose(&arena);
}

static fl_status judge(void)
{
    const fl_gc_options options = {.signatures = library, .signature_count = 2};
    return fl_gc_stats_report(&report, stats, &options, &arena, &err);
}

static fl_gc_event event_of(fl_gc_kind kind, int64_t since_ns, int64_t pause_ns)
{
    return (fl_gc_event){.kind = kind,
                         .name = FL_SLICE("Pause"),
                         .cause = FL_SLICE("cause"),
                         .line = 1,
                         .time_ns = -1,
                         .since_ns = since_ns,
                         .pause_ns = pause_ns,
                         .before_bytes = -1,
                         .after_bytes = -1,
                         .capacity_bytes = -1,
                         .promoted_bytes = -1,
                         .humongous_bytes = -1,
                         .metaspace_bytes = -1};
}

static void add(fl_gc_kind kind, int64_t since_ns, int64_t before, int64_t after)
{
    fl_gc_event event = event_of(kind, since_ns, 5 * MS);
    event.before_bytes = before;
    event.after_bytes = after;
    event.capacity_bytes = 1000 * MIB;
    fl_gc_stats_add(stats, &event);
}

static const fl_leak_finding *finding(const char *text)
{
    for (size_t i = 0; i < report.verdict.finding_count; i++)
        for (size_t k = 0; k < report.verdict.findings[i].evidence_count; k++)
            if (strstr(report.verdict.findings[i].evidence[k].text, text) != NULL)
                return &report.verdict.findings[i];
    return NULL;
}

/* Noise without a generator: the fractional part of multiples of an irrational number. */
static int64_t wobble(int i, int64_t size)
{
    double x = i * 0.6180339887498949;
    return (int64_t)((x - floor(x)) * (double)size);
}

START_TEST(quantiles_are_within_two_percent_and_the_largest_is_exact)
{
    for (int i = 1; i <= 1000; i++) {
        fl_gc_event event = event_of(FL_GC_YOUNG, i * SECOND, i * 12345);
        fl_gc_stats_add(stats, &event);
    }
    ck_assert_ok(judge());
    const fl_gc_durations *d = &report.pauses;
    ck_assert_uint_eq(d->count, 1000);
    ck_assert_int_eq(d->total_ns, INT64_C(12345) * 500500);
    ck_assert_int_eq(d->max_ns, 12345000);
    ck_assert_double_eq_tol((double)d->p50_ns / 12345, 500, 10);
    ck_assert_double_eq_tol((double)d->p95_ns / 12345, 950, 19);
    ck_assert_double_eq_tol((double)d->p99_ns / 12345, 990, 20);
    ck_assert_int_le(d->p999_ns, d->max_ns);
    ck_assert_uint_eq(report.group_count, 1);
    ck_assert_str_eq(report.groups[0].cause, "cause");
    ck_assert_double_eq_tol(report.pause_ratio, 12345.0 * 500500 / 999e9, 1e-9);
}
END_TEST

START_TEST(rates_are_what_was_filled_between_collections)
{
    for (int i = 0; i <= 100; i++) {
        fl_gc_event event = event_of(FL_GC_YOUNG, i * SECOND, MS);
        event.before_bytes = 60 * MIB;
        event.after_bytes = 20 * MIB;
        event.promoted_bytes = i > 0 ? MIB : 0;
        fl_gc_stats_add(stats, &event);
    }
    ck_assert_ok(judge());
    ck_assert_double_eq_tol(report.alloc_bytes_per_s, 40.0 * MIB, 1);
    ck_assert_double_eq_tol(report.promoted_bytes_per_s, 1.0 * MIB, 1);
}
END_TEST

START_TEST(a_heap_that_grows_after_full_collections_is_a_leak)
{
    for (int i = 0; i < 200; i++) {
        int64_t stays = 100 * MIB + i * 2 * MIB + wobble(i, 3 * MIB);
        add(FL_GC_YOUNG, i * 20 * SECOND, stays + 80 * MIB, stays + 30 * MIB);
        add(FL_GC_FULL, i * 20 * SECOND + SECOND, stays + 50 * MIB, stays);
    }
    ck_assert_ok(judge());
    ck_assert(report.heap_is_after_old);
    ck_assert_str_eq(report.heap.shape, "growing");
    ck_assert_int_eq(report.verdict.verdict, FL_LEAK_LEAK);
    ck_assert_str_eq(report.verdict.findings[0].signature->name, "grows");
    ck_assert_double_eq(report.verdict.confidence, 0.75);
    /* 2 MiB in 20 s; the largest heap that is told has 1000 MiB. */
    ck_assert_double_eq_tol(report.heap.per_hour.value / MIB, 360, 20);
    ck_assert_double_le(report.heap.per_hour.low, report.heap.per_hour.value);
    fl_leak_interval left = report.verdict.findings[0].seconds_to_limit;
    ck_assert_double_eq_tol(left.value, 5000, 500);
    ck_assert_double_le(left.low, left.value);
}
END_TEST

START_TEST(young_collections_that_fill_the_old_part_prove_nothing)
{
    for (int i = 0; i < 200; i++)
        add(FL_GC_YOUNG, i * SECOND, (120 + i) * MIB, (100 + i) * MIB);
    ck_assert_ok(judge());
    ck_assert(!report.heap_is_after_old);
    ck_assert_str_eq(report.heap.shape, "growing");
    ck_assert_int_eq(report.verdict.verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_uint_eq(report.verdict.finding_count, 0);
    ck_assert_uint_eq(report.verdict.collect_count, 1);
}
END_TEST

START_TEST(a_heap_that_stays_is_no_leak)
{
    for (int i = 0; i < 200; i++) {
        int64_t stays = 100 * MIB + wobble(i, 8 * MIB);
        add(FL_GC_MIXED, i * 20 * SECOND, stays + 80 * MIB, stays);
    }
    ck_assert_ok(judge());
    ck_assert_int_eq(report.verdict.verdict, FL_LEAK_NO_LEAK);
    ck_assert_uint_eq(report.verdict.finding_count, 0);
}
END_TEST

START_TEST(a_heap_with_no_room_left_is_said_to_be_full)
{
    for (int i = 0; i < 200; i++)
        add(FL_GC_FULL, i * 20 * SECOND, 1000 * MIB, 950 * MIB + wobble(i, MIB));
    ck_assert_ok(judge()); /* a capacity is no maximum */
    ck_assert_uint_eq(report.verdict.finding_count, 0);
    const fl_gc_about about = {.max_bytes = 1000 * MIB, .region_bytes = -1};
    fl_gc_stats_about(stats, &about);
    ck_assert_ok(judge());
    ck_assert_int_eq(report.verdict.verdict, FL_LEAK_GC_PRESSURE);
    ck_assert_ptr_nonnull(finding("the last of them left 95 % of the largest heap in use"));
}
END_TEST

START_TEST(the_room_to_grow_is_the_largest_capacity_so_far)
{
    for (int i = 0; i < 200; i++) {
        fl_gc_event event = event_of(FL_GC_FULL, i * 20 * SECOND, MS);
        event.before_bytes = event.after_bytes = 100 * MIB + i * 2 * MIB + wobble(i, 3 * MIB);
        event.capacity_bytes = i == 7 ? 4000 * MIB : 600 * MIB;
        fl_gc_stats_add(stats, &event);
    }
    ck_assert_ok(judge());
    ck_assert_double_gt(report.verdict.findings[0].seconds_to_limit.value, 30000);
}
END_TEST

START_TEST(the_worst_minute_is_no_shorter_than_one)
{
    for (int i = 0; i < 2200 * 12; i++) { /* parts of 32.8 s */
        bool is_bad = i >= 12000 && i < 12007;
        fl_gc_event event = event_of(FL_GC_YOUNG, i * 5 * SECOND, is_bad ? 4700 * MS : MS);
        fl_gc_stats_add(stats, &event);
    }
    ck_assert_ok(judge());
    ck_assert_double_le(report.worst_pause_ratio, 7 * 4.7 / 60 + 0.01);
    ck_assert_double_ge(report.worst_pause_ratio, 7 * 4.7 / 66 - 0.01);
}
END_TEST

START_TEST(young_cycles_of_shenandoah_do_not_collect_the_old_part)
{
    for (int i = 0; i < 200; i++) {
        fl_gc_event event = event_of(FL_GC_CYCLE, i * 20 * SECOND, -1);
        event.name = FL_SLICE("Concurrent cleanup (Young)");
        event.before_bytes = event.after_bytes = (100 + 2 * i) * MIB;
        fl_gc_stats_add(stats, &event);
    }
    ck_assert_ok(judge());
    ck_assert(!report.heap_is_after_old);
    ck_assert_uint_eq(report.verdict.finding_count, 0);
}
END_TEST

START_TEST(a_wall_clock_that_is_set_back_loses_no_time)
{
    const int64_t start = INT64_C(1700000000) * SECOND;
    for (int i = 0; i < 200; i++) {
        fl_gc_event event = event_of(FL_GC_YOUNG, -1, MS);
        event.time_ns = start + (i < 100 ? i : i - 90) * SECOND;
        fl_gc_stats_add(stats, &event);
    }
    ck_assert_ok(judge());
    ck_assert_int_eq(report.span_ns, 198 * SECOND);
}
END_TEST

static const struct {
    const char *file;
    uint64_t line;
    const char *command;
} again[] = {
    {"gc.log", 7, "sed -n 7p gc.log"},
    {"/var/log/my gc.log.gz", 7, "zcat '/var/log/my gc.log.gz' | sed -n 7p"},
    {"gc.log.zst", 12, "zstdcat gc.log.zst | sed -n 12p"},
    {"it's;rm -r x", 1, "sed -n 1p 'it'\\''s;rm -r x'"},
    {"-e.log", 1, "sed -n 1p ./-e.log"},
    {"rec.jfr", 0, "faultline jfr --view gc rec.jfr"},
    {"-", 7, ""},
};

START_TEST(a_line_is_shown_again_by_a_command_that_a_shell_takes)
{
    char out[FL_GC_AGAIN_TEXT], longest[2 * FL_GC_AGAIN_TEXT];
    ck_assert_str_eq(fl_gc_again(out, again[_i].file, again[_i].line), again[_i].command);
    memset(longest, '\'', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    ck_assert_str_eq(fl_gc_again(out, longest, 1), "");
}
END_TEST

START_TEST(metaspace_that_grows_is_a_leak)
{
    for (int i = 0; i < 100; i++) {
        fl_gc_event event = event_of(FL_GC_YOUNG, i * 60 * SECOND, MS);
        event.metaspace_bytes = 50 * MIB + i * MIB;
        fl_gc_stats_add(stats, &event);
    }
    ck_assert_ok(judge());
    ck_assert_ptr_nonnull(finding("Metaspace in use after collections rose from"));
    ck_assert_ptr_null(report.verdict.findings[0].signature);
}
END_TEST

START_TEST(collections_that_take_the_time_are_said_with_the_worst_minute)
{
    for (int i = 0; i < 600; i++) {
        fl_gc_event event = event_of(FL_GC_YOUNG, i * SECOND, i < 300 ? 10 * MS : 900 * MS);
        event.line = (uint64_t)i + 1;
        fl_gc_stats_add(stats, &event);
    }
    ck_assert_ok(judge());
    ck_assert_double_eq_tol(report.pause_ratio, 0.4558, 0.001);
    ck_assert_double_eq_tol(report.worst_pause_ratio, 0.9, 0.02);
    ck_assert_int_ge(report.worst_at_ns, 290 * SECOND);
    ck_assert_ptr_nonnull(finding("pauses took 45.6 % of the time: 600 of them"));
    ck_assert_ptr_nonnull(finding("(sed -n 301p gc.log)"));
    ck_assert_uint_eq(report.longest[0].line, 301);
    ck_assert_uint_eq(report.longest_count, FL_GC_LONGEST);
    for (size_t i = 1; i < report.longest_count; i++)
        ck_assert_int_ge(report.longest[i - 1].pause_ns, report.longest[i].pause_ns);
}
END_TEST

static void add_troubled(fl_gc_kind kind, fl_gc_trouble trouble, int count)
{
    for (int i = 0; i < count; i++) {
        fl_gc_event event = event_of(kind, -1, 10 * MS);
        event.troubles = 1u << trouble;
        event.line = 7;
        fl_gc_stats_add(stats, &event);
    }
}

START_TEST(failures_and_their_first_lines_are_findings)
{
    add_troubled(FL_GC_YOUNG, FL_GC_EVACUATION_FAILED, 3);
    add_troubled(FL_GC_FULL, FL_GC_CONCURRENT_FAILED, 1);
    add_troubled(FL_GC_FULL, FL_GC_EXPLICIT, 4);
    add_troubled(FL_GC_YOUNG, FL_GC_HUMONGOUS, 12);
    add_troubled(FL_GC_YOUNG, FL_GC_METASPACE, 1);
    fl_gc_event stall = event_of(FL_GC_STALL, -1, 3 * MS);
    for (int i = 0; i < 5; i++)
        fl_gc_stats_add(stats, &stall);
    ck_assert_ok(judge());
    ck_assert_ptr_nonnull(
        finding("no room to copy survivors to in 3 collections, which took 30.0 ms"));
    ck_assert_ptr_nonnull(finding("did not end in time in 1 collection,"));
    ck_assert_ptr_nonnull(finding("System.gc() began 4 collections, 4 of them full: 19 % of all"));
    ck_assert_ptr_nonnull(
        finding("12 of 21 collections were begun for an object of half a region"));
    ck_assert_ptr_nonnull(finding("threads stalled 5 times for memory, 15.0 ms in all"));
    ck_assert_ptr_nonnull(finding("sed -n 7p gc.log"));
    ck_assert_uint_eq(report.verdict.finding_count, 5);
    ck_assert_uint_eq(report.verdict.warning_count, 1);
    ck_assert_str_eq(report.verdict.warnings[0],
                     "the log has no times: rates, shares and trends cannot be told");
    ck_assert_uint_eq(report.stalls.count, 5);
    ck_assert_uint_eq(report.pauses.count, 21);
}
END_TEST

START_TEST(single_mishaps_are_no_findings)
{
    add_troubled(FL_GC_YOUNG, FL_GC_EVACUATION_FAILED, 1);
    add_troubled(FL_GC_FULL, FL_GC_EXPLICIT, 2);
    add_troubled(FL_GC_YOUNG, FL_GC_HUMONGOUS, 9);
    ck_assert_ok(judge());
    ck_assert_uint_eq(report.verdict.finding_count, 0);
}
END_TEST

START_TEST(a_restart_goes_on_in_time)
{
    const int64_t start = INT64_C(1700000000) * SECOND;
    for (int i = 0; i < 20; i++) {
        fl_gc_event event = event_of(FL_GC_YOUNG, (i % 10 + 1) * SECOND, MS);
        event.time_ns = start + (i < 10 ? i : i + 30) * SECOND;
        fl_gc_stats_add(stats, &event);
    }
    ck_assert_ok(judge());
    ck_assert_uint_eq(report.restarts, 1);
    ck_assert_int_eq(report.span_ns, 49 * SECOND);
    ck_assert_int_eq(report.from_ns, start);
    ck_assert_int_eq(report.to_ns, start + 49 * SECOND);
}
END_TEST

START_TEST(lines_of_threads_that_log_at_once_are_no_restart)
{
    for (int i = 0; i < 20; i++)
        add(FL_GC_MARK, i * SECOND + (i % 2 == 0 ? 1500 * MS : 0), -1, -1);
    ck_assert_ok(judge());
    ck_assert_uint_eq(report.restarts, 0);
}
END_TEST

START_TEST(a_month_of_collections_keeps_its_lows)
{
    for (int i = 0; i < 30 * 24; i++)
        add(FL_GC_FULL, (int64_t)i * 3600 * SECOND, 600 * MIB, (i % 24 == 3 ? 40 : 200) * MIB);
    ck_assert_ok(judge());
    ck_assert_uint_ge(report.heap.count, 20);
    for (size_t i = 0; i < report.heap.count; i++)
        ck_assert_double_eq(report.heap.bytes[i], 40.0 * MIB);
}
END_TEST

START_TEST(more_names_than_fit_share_one_row)
{
    char name[64];
    for (int i = 0; i < 200; i++) {
        fl_gc_event event = event_of(FL_GC_YOUNG, i * SECOND, MS);
        snprintf(name, sizeof(name), "Pause %d\033[2J", i);
        event.name = SLICE(name);
        fl_gc_stats_add(stats, &event);
    }
    ck_assert_ok(judge());
    ck_assert_uint_eq(report.group_count, FL_GC_MAX_GROUPS);
    ck_assert_str_eq(report.groups[0].name, "others");
    ck_assert_uint_eq(report.groups[0].pauses.count, 200 - FL_GC_MAX_GROUPS + 1);
    ck_assert_str_eq(report.groups[1].name, "Pause 0?[2J");
}
END_TEST

START_TEST(nothing_at_all_is_a_report)
{
    ck_assert_ok(judge());
    ck_assert_int_eq(report.verdict.verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_uint_eq(report.pauses.count, 0);
    ck_assert_int_eq(report.pauses.max_ns, -1);
    ck_assert_double_nan(report.alloc_bytes_per_s);
}
END_TEST

START_TEST(too_many_files_are_refused)
{
    for (int i = 1; i < FL_GC_MAX_FILES; i++)
        ck_assert_ok(fl_gc_stats_begin(stats, "gc.log.1", &err));
    ck_assert_fails(FL_E_LIMIT, fl_gc_stats_begin(stats, "one more", &err));
    ck_assert_str_eq(err.message, "more than 64 log files");
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_status status = FL_E_NOMEM;
    for (int i = 0; i < 100; i++)
        add(FL_GC_FULL, i * 20 * SECOND, (200 + i) * MIB, (100 + i) * MIB);
    for (long n = 0; status == FL_E_NOMEM && n < 1000; n++) {
        err = (fl_error){0};
        fl_arena_dispose(&arena);
        fl_mem_fail_after(n);
        status = judge();
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert(status == FL_OK || err.message[0] != '\0');
    }
    ck_assert_ok(status);
    for (size_t room = 0; room < 40; room++) {
        err = (fl_error){0};
        fl_arena_dispose(&arena);
        arena = fl_arena_of(room * 4096);
        status = judge();
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("gc");
    TCase *tc = tcase_create("core");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, quantiles_are_within_two_percent_and_the_largest_is_exact);
    tcase_add_test(tc, rates_are_what_was_filled_between_collections);
    tcase_add_test(tc, a_heap_that_grows_after_full_collections_is_a_leak);
    tcase_add_test(tc, young_collections_that_fill_the_old_part_prove_nothing);
    tcase_add_test(tc, a_heap_that_stays_is_no_leak);
    tcase_add_test(tc, a_heap_with_no_room_left_is_said_to_be_full);
    tcase_add_test(tc, the_room_to_grow_is_the_largest_capacity_so_far);
    tcase_add_test(tc, the_worst_minute_is_no_shorter_than_one);
    tcase_add_test(tc, young_cycles_of_shenandoah_do_not_collect_the_old_part);
    tcase_add_test(tc, a_wall_clock_that_is_set_back_loses_no_time);
    tcase_add_loop_test(tc, a_line_is_shown_again_by_a_command_that_a_shell_takes, 0,
                        sizeof(again) / sizeof(again[0]));
    tcase_add_test(tc, metaspace_that_grows_is_a_leak);
    tcase_add_test(tc, collections_that_take_the_time_are_said_with_the_worst_minute);
    tcase_add_test(tc, failures_and_their_first_lines_are_findings);
    tcase_add_test(tc, single_mishaps_are_no_findings);
    tcase_add_test(tc, a_restart_goes_on_in_time);
    tcase_add_test(tc, lines_of_threads_that_log_at_once_are_no_restart);
    tcase_add_test(tc, a_month_of_collections_keeps_its_lows);
    tcase_add_test(tc, more_names_than_fit_share_one_row);
    tcase_add_test(tc, nothing_at_all_is_a_report);
    tcase_add_test(tc, too_many_files_are_refused);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
