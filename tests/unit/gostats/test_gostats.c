#include <math.h>
#include <stdio.h>

#include "faultline/limits.h"
#include "fl_test.h"
#include "gostats_read.h"
#include "mem.h"
#include "timestamp.h"

static fl_error err;
static fl_arena arena;
static fl_gostats stats;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(64u << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

static double at(fl_gostat stat, size_t row)
{
    ck_assert_uint_lt(row, stats.row_count);
    ck_assert_msg(stats.values[stat] != NULL, "no %s", fl_gostat_name(stat));
    return stats.values[stat][row];
}

START_TEST(lines_in_lower_case_are_columns_since_the_start)
{
    fl_slice text = SLICE("{\"heap_inuse\":2416640,\"num_gc\":0,\"t\":0.2,\"requests\":12}\n"
                          "{\"heap_inuse\":3964928,\"num_gc\":1,\"gc_cpu\":0.25,\"t\":0.4}\n");
    ck_assert_ok(fl_gostats_read(&stats, text, 5, &arena, &err));
    ck_assert_int_eq(stats.source, FL_GOSTATS_LINES);
    ck_assert(stats.is_since_start);
    ck_assert_uint_eq(stats.row_count, 2);
    ck_assert_int_eq(stats.times_ns[1], 400000000);
    ck_assert_double_eq(at(FL_GOSTAT_HEAP_INUSE_BYTES, 0), 2416640);
    ck_assert_double_eq(at(FL_GOSTAT_NUM_GC, 1), 1);
    ck_assert_double_eq(at(FL_GOSTAT_GC_CPU_RATIO, 1), 0.25);
    ck_assert_double_nan(at(FL_GOSTAT_GC_CPU_RATIO, 0));
    ck_assert_double_nan(at(FL_GOSTAT_REQUESTS, 1));
    ck_assert_ptr_null(stats.values[FL_GOSTAT_FREES]);
}
END_TEST

START_TEST(the_runtimes_own_struct_is_dated_by_its_time_or_its_last_collection)
{
    fl_slice text = SLICE("{\"Alloc\":1,\"HeapAlloc\":7,\"LastGC\":1700000000000000000,"
                          "\"PauseNs\":[1,2],\"BySize\":[{\"Size\":8}],\"EnableGC\":true}"
                          "{\"HeapAlloc\":8,\"NextGC\":4194304,\"time\":\"2023-11-14T22:13:21Z\"}"
                          "{\"HeapAlloc\":9,\"time\":1700000002}{\"HeapAlloc\":10}"
                          "{\"HeapAlloc\":11,\"timestamp\":1700000002.5}");
    ck_assert_ok(fl_gostats_read(&stats, text, 77, &arena, &err));
    ck_assert(!stats.is_since_start);
    ck_assert_uint_eq(stats.row_count, 5);
    ck_assert_int_eq(stats.times_ns[0], INT64_C(1700000000) * FL_NS_PER_S);
    ck_assert_int_eq(stats.times_ns[1], INT64_C(1700000001) * FL_NS_PER_S);
    ck_assert_int_eq(stats.times_ns[2], INT64_C(1700000002) * FL_NS_PER_S);
    ck_assert_int_eq(stats.times_ns[3], 77);
    ck_assert_int_eq(stats.times_ns[4], INT64_C(1700000002500000000));
    ck_assert_double_eq(at(FL_GOSTAT_HEAP_ALLOC_BYTES, 4), 11);
    ck_assert_double_eq(at(FL_GOSTAT_NEXT_GC_BYTES, 1), 4194304);
}
END_TEST

START_TEST(expvar_holds_memstats_among_others)
{
    fl_slice text = SLICE("{\n\"cmdline\": [\"/bin/app\"],\n\"hits\": 7,\n"
                          "\"memstats\": {\"HeapInuse\":5,\"PauseTotalNs\":3,\"NumGC\":2,"
                          "\"LastGC\":1700000000000000001}\n}\n");
    ck_assert_ok(fl_gostats_read(&stats, text, 9, &arena, &err));
    ck_assert_int_eq(stats.source, FL_GOSTATS_EXPVAR);
    ck_assert_uint_eq(stats.row_count, 1);
    ck_assert_int_eq(stats.times_ns[0], INT64_C(1700000000000000001));
    ck_assert_double_eq(at(FL_GOSTAT_PAUSE_TOTAL_NS, 0), 3);
}
END_TEST

#define GC_1_26                                                                                    \
    "gc 4 @1.500s 2%: 0.5+1.5+0.25 ms clock, 1+0.57/2.0/3.4+0.5 ms cpu, 7->7->4 MB, 8 MB goal, "   \
    "0 MB stacks, 0 MB globals, 2 P\n"

START_TEST(gctrace_lines_are_found_among_others_and_summed)
{
    fl_slice text = SLICE("listening\n" GC_1_26 "2026-11-23T02:13:06.1Z stderr F "
                          "gc 5 @2.000s 3% (checking for goroutine leaks): 0.5+1.5+0.25 ms clock, "
                          "1+0.43/2.0/3.4+0.5 ms cpu, 9->10->6 MB, 12 MB goal, 2 P (forced)\n"
                          "the gc 7 is a name\n");
    ck_assert_ok(fl_gostats_read(&stats, text, 0, &arena, &err));
    ck_assert_int_eq(stats.source, FL_GOSTATS_GCTRACE);
    ck_assert(stats.is_since_start);
    ck_assert_uint_eq(stats.row_count, 2);
    ck_assert_uint_eq(stats.rejected, 0);
    ck_assert_int_eq(stats.times_ns[0], 1500 * FL_NS_PER_MS);
    ck_assert_double_eq(at(FL_GOSTAT_NUM_GC, 1), 5);
    ck_assert_double_eq(at(FL_GOSTAT_GC_CPU_RATIO, 1), 0.03);
    ck_assert_double_eq(at(FL_GOSTAT_HEAP_ALLOC_BYTES, 1), 10485760);
    ck_assert_double_eq(at(FL_GOSTAT_HEAP_LIVE_BYTES, 1), 6291456);
    ck_assert_double_eq(at(FL_GOSTAT_NEXT_GC_BYTES, 0), 8388608);
    ck_assert_double_eq_tol(at(FL_GOSTAT_PAUSE_TOTAL_NS, 1), 1500000, 1e-6);
    ck_assert_double_eq_tol(at(FL_GOSTAT_MARK_ASSIST_NS, 1), 1000000, 1e-6);
    ck_assert_double_eq_tol(at(FL_GOSTAT_GC_CPU_NS, 0), 4070000, 1e-6);
    ck_assert_double_eq(at(FL_GOSTAT_NUM_FORCED_GC, 0), 0);
    ck_assert_double_eq(at(FL_GOSTAT_NUM_FORCED_GC, 1), 1);
}
END_TEST

/* Nothing is left, and why. */
static const struct {
    const char *text;
    fl_status status;
    uint64_t offset;
    const char *message;
} hopeless[] = {
    {"", FL_E_UNSUPPORTED, FL_NO_OFFSET, "no memory statistics of a Go program"},
    {"hello\ngc of things\n", FL_E_UNSUPPORTED, FL_NO_OFFSET,
     "no memory statistics of a Go program"},
    {"<html>", FL_E_UNSUPPORTED, FL_NO_OFFSET, "no memory statistics of a Go program"},
    {"{\"name\":\"package\"}", FL_E_UNSUPPORTED, FL_NO_OFFSET,
     "no memory statistics of a Go program"},
    {"{\"HeapAlloc\":1", FL_E_SYNTAX, 14, "expected ',' or '}' after a member"},
    {"{\"HeapAlloc\":-1}", FL_E_SYNTAX, 13, "a memory statistic is not a number of at least 0"},
    {"{\"HeapAlloc\":true}", FL_E_SYNTAX, 13, "expected a number, found true"},
    {"{\"HeapAlloc\":1,\"time\":\"noon\"}", FL_E_SYNTAX, 22,
     "time 'noon' is not RFC 3339, -DURATION or an epoch"},
    {"{\"memstats\":{\"Sys\":\"x\"}}", FL_E_SYNTAX, 19, "expected a number in the string"},
    {"  gc 1 @0.5s 2%: 0.5+1 ms", FL_E_SYNTAX, 0, "a line of gctrace is not as Go writes it"},
    {"gc 1 @-0.5s 2%: 0.5+1 ms", FL_E_SYNTAX, 0, "a line of gctrace is not as Go writes it"},
};

START_TEST(what_holds_no_statistics_says_why)
{
    fl_status status = fl_gostats_read(&stats, SLICE(hopeless[_i].text), 0, &arena, &err);
    ck_assert_str_eq(err.message, hopeless[_i].message);
    ck_assert_fails(hopeless[_i].status, status);
    ck_assert_uint_eq(err.offset, hopeless[_i].offset);
}
END_TEST

START_TEST(a_broken_row_costs_itself)
{
    fl_slice text = SLICE("{\"HeapAlloc\":1,\"t\":1}\n{\"HeapAlloc\":\n{\"HeapAlloc\":3,\"t\":3}\n"
                          "garbage\n{\"HeapAlloc\":4,\"time\":1700000000}\n"
                          "{\"HeapAlloc\":5,\"t\":5}\n{\"HeapAll");
    ck_assert_ok(fl_gostats_read(&stats, text, 0, &arena, &err));
    ck_assert_uint_eq(stats.row_count, 3);
    ck_assert_double_eq(at(FL_GOSTAT_HEAP_ALLOC_BYTES, 1), 3);
    ck_assert_double_eq(at(FL_GOSTAT_HEAP_ALLOC_BYTES, 2), 5);
    ck_assert_uint_eq(stats.rejected, 4);
    ck_assert_uint_eq(stats.first_reject.offset, 58);
    text = SLICE(GC_1_26 "gc 5 @1.5s 2%: 0.5\n" GC_1_26);
    ck_assert_ok(fl_gostats_read(&stats, text, 0, &arena, &err));
    ck_assert_uint_eq(stats.row_count, 2);
    ck_assert_uint_eq(stats.rejected, 1);
    ck_assert_uint_eq(stats.first_reject.offset, strlen(GC_1_26));
}
END_TEST

START_TEST(every_prefix_is_read_or_refused)
{
    static const char *const texts[] = {
        "{\"heap_inuse\":2416640,\"num_gc\":0,\"t\":0.2}\n{\"heap_inuse\":3,\"t\":0.4}\n",
        "{\"cmdline\":[\"a\"],\"memstats\":{\"HeapInuse\":5,\"BySize\":[{\"Size\":1}]}}", GC_1_26};
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
        for (size_t len = 0; len <= strlen(texts[t]); len++) {
            err = (fl_error){0};
            fl_arena_reset(&arena);
            fl_slice text = {.ptr = (const unsigned char *)texts[t], .len = len};
            fl_status status = fl_gostats_read(&stats, text, 0, &arena, &err);
            ck_assert(status == FL_OK ? stats.row_count >= 1
                                      : status == FL_E_SYNTAX || status == FL_E_UNSUPPORTED);
        }
}
END_TEST

START_TEST(more_rows_than_fit_are_thinned_out_evenly)
{
    enum { ROWS = 3 * FL_MAX_GOSTATS_ROWS + 5 };
    char *text = malloc(ROWS * 40);
    size_t len = 0;
    for (int i = 0; i < ROWS; i++)
        len += (size_t)snprintf(text + len, 40, "{\"HeapAlloc\":%d,\"t\":%d}\n", i, i);
    fl_slice bytes = {.ptr = (unsigned char *)text, .len = len};
    ck_assert_ok(fl_gostats_read(&stats, bytes, 0, &arena, &err));
    ck_assert_uint_le(stats.row_count, FL_MAX_GOSTATS_ROWS);
    ck_assert_uint_gt(stats.row_count, FL_MAX_GOSTATS_ROWS / 2);
    ck_assert_uint_eq(stats.row_count + stats.left_out, ROWS);
    for (size_t i = 0; i + 1 < stats.row_count; i++)
        ck_assert_double_eq(at(FL_GOSTAT_HEAP_ALLOC_BYTES, i), (double)(4 * i));
    ck_assert_double_eq(at(FL_GOSTAT_HEAP_ALLOC_BYTES, stats.row_count - 1), ROWS - 1);
    free(text);
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_slice text = SLICE("{\"HeapAlloc\":1,\"Sys\":4,\"te\\nxt\":2}");
    for (long allowed = 0;; allowed++) {
        fl_arena_dispose(&arena);
        err = (fl_error){0};
        fl_mem_fail_after(allowed);
        fl_status status = fl_gostats_read(&stats, text, 0, &arena, &err);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_double_eq(at(FL_GOSTAT_SYS_BYTES, 0), 4);
    fl_arena small = fl_arena_of(64);
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOMEM, fl_gostats_read(&stats, text, 0, &small, &err));
    fl_arena_dispose(&small);
}
END_TEST

START_TEST(what_a_file_is_shows_in_its_first_bytes)
{
    ck_assert(fl_gostats_sniff(SLICE("{\"HeapInuse\":1}")));
    ck_assert(fl_gostats_sniff(SLICE("\xef\xbb\xbf {\"t\":1,\"heap_alloc\":1}")));
    ck_assert(fl_gostats_sniff(SLICE("{\n\"cmdline\":[],\n\"memstats\": {")));
    ck_assert(fl_gostats_sniff(SLICE("listening\n" GC_1_26)));
    ck_assert(!fl_gostats_sniff(SLICE("")));
    ck_assert(!fl_gostats_sniff(SLICE("{\"resourceSpans\":[]}")));
    ck_assert(!fl_gostats_sniff(SLICE("goroutine 1 [running]:\nmain.main()\n")));
}
END_TEST

START_TEST(columns_have_distinct_names)
{
    for (int s = 0; s < FL_GOSTAT_COUNT; s++)
        for (int other = 0; other < s; other++)
            ck_assert_str_ne(fl_gostat_name((fl_gostat)s), fl_gostat_name((fl_gostat)other));
    ck_assert(!fl_gostat_is_counter(FL_GOSTAT_NEXT_GC_BYTES));
    ck_assert(fl_gostat_is_counter(FL_GOSTAT_MALLOCS));
    ck_assert_str_eq(fl_gostat_unit(FL_GOSTAT_PAUSE_TOTAL_NS), "ns");
}
END_TEST

/* The recordings: each row read; the counters of the two independent sources agree. */
START_TEST(recorded_statistics_are_read_whole)
{
    const char *shared = getenv("FL_SHARED");
    char path[512];
    snprintf(path, sizeof(path), "%s/profiles/go/1.26/map_grow_only/memstats.jsonl",
             shared != NULL ? shared : FL_SOURCE_DIR "/../shared");
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        printf("skipped: no recordings\n");
        return;
    }
    static char text[1 << 20];
    size_t len = fread(text, 1, sizeof(text), file);
    fclose(file);
    fl_slice bytes = {.ptr = (unsigned char *)text, .len = len};
    ck_assert(fl_gostats_sniff((fl_slice){.ptr = bytes.ptr, .len = 200}));
    ck_assert_ok(fl_gostats_read(&stats, bytes, 0, &arena, &err));
    ck_assert_uint_eq(stats.row_count, 200);
    ck_assert_uint_eq(stats.rejected, 0);
    ck_assert(stats.is_since_start);
    ck_assert_double_gt(at(FL_GOSTAT_HEAP_INUSE_BYTES, 199), 4 * at(FL_GOSTAT_HEAP_INUSE_BYTES, 0));
    for (size_t i = 1; i < stats.row_count; i++)
        ck_assert_int_gt(stats.times_ns[i], stats.times_ns[i - 1]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("gostats");
    TCase *tc = tcase_create("core");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, lines_in_lower_case_are_columns_since_the_start);
    tcase_add_test(tc, the_runtimes_own_struct_is_dated_by_its_time_or_its_last_collection);
    tcase_add_test(tc, expvar_holds_memstats_among_others);
    tcase_add_test(tc, gctrace_lines_are_found_among_others_and_summed);
    tcase_add_loop_test(tc, what_holds_no_statistics_says_why, 0,
                        sizeof(hopeless) / sizeof(hopeless[0]));
    tcase_add_test(tc, a_broken_row_costs_itself);
    tcase_add_test(tc, every_prefix_is_read_or_refused);
    tcase_add_test(tc, more_rows_than_fit_are_thinned_out_evenly);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    tcase_add_test(tc, what_a_file_is_shows_in_its_first_bytes);
    tcase_add_test(tc, columns_have_distinct_names);
    tcase_add_test(tc, recorded_statistics_are_read_whole);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
