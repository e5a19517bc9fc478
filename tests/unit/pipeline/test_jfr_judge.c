#include <stdio.h>

#include "fl_test.h"
#include "jfr_judge.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_jfr_recording *recording;
static fl_arena arena;
static fl_leak_report report;

static void setup(void)
{
    err = (fl_error){0};
    recording = NULL;
    arena = fl_arena_of(16 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_jfr_recording_destroy(recording);
    fl_arena_dispose(&arena);
}

static void read_fixture(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/tests/fixtures/jfr/%s", FL_SOURCE_DIR, name);
    ck_assert_ok(fl_jfr_recording_file(&recording, path, &err));
}

static fl_status judge(void)
{
    const fl_jfr_request request = {.name = "rec.jfr"};
    return fl_jfr_judge(&report, recording, &request, &arena, &err);
}

/* What each program did is in its own source: tests/corpus/jvm-recordings. */
static const struct {
    const char *file, *holder, *function;
} leaks[] = {
    {"11-leak.jfr.gz", "static field Recorded.OPEN (java.util.concurrent.ConcurrentHashMap)",
     "Recorded$Session.<init>"},
    {"17-leak.jfr.gz", "static field Recorded.OPEN (java.util.concurrent.ConcurrentHashMap)",
     "Recorded$Session.<init>"},
    {"21-list.jfr.zst", "Recorded.history (java.util.ArrayList)", "Recorded.remember"},
    {"25-leak.jfr.gz", "static field Recorded.OPEN (java.util.concurrent.ConcurrentHashMap)",
     "Recorded$Session.<init>"},
};

START_TEST(a_leak_is_named_by_its_holder_and_where_it_allocates)
{
    read_fixture(leaks[_i].file);
    ck_assert_ok(judge());
    ck_assert_str_eq(fl_leak_verdict_name(report.verdict), "leak");
    ck_assert_uint_ge(report.finding_count, 1);
    const fl_leak_finding *first = &report.findings[0];
    ck_assert_str_eq(first->holder, leaks[_i].holder);
    ck_assert_str_eq(first->function, leaks[_i].function);
    ck_assert_uint_gt(first->line, 0);
    ck_assert_uint_ge(first->evidence_count, 3);
    ck_assert_uint_eq(first->against_count, 1);
    ck_assert(first->support & 1u << FL_LEAK_FROM_HEAP);
    ck_assert_uint_eq(report.collect_count > 0 && strstr(report.collect[0], "path-to") != NULL, 0);
}
END_TEST

START_TEST(a_cache_that_evicts_is_no_leak)
{
    read_fixture("17-healthy.jfr.gz");
    ck_assert_ok(judge());
    ck_assert_str_eq(fl_leak_verdict_name(report.verdict), "not-enough-data");
    ck_assert_uint_eq(report.finding_count, 0);
    ck_assert_uint_gt(report.collect_count, 0);
}
END_TEST

/* The same recording, of which the holder's objects come from its last moments only. */
START_TEST(a_holder_of_new_objects_alone_is_no_leak)
{
    read_fixture("17-leak.jfr.gz");
    fl_jfr_recording late = *recording;
    fl_jfr_old *olds = malloc(recording->old_count * sizeof(*olds));
    ck_assert_ptr_nonnull(olds);
    memcpy(olds, recording->olds, recording->old_count * sizeof(*olds));
    for (size_t i = 0; i < late.old_count; i++)
        olds[i].allocated_ns = late.totals.to_ns;
    late.olds = olds;
    const fl_jfr_request request = {.name = "rec.jfr"};
    ck_assert_ok(fl_jfr_judge(&report, &late, &request, &arena, &err));
    ck_assert_str_eq(fl_leak_verdict_name(report.verdict), "not-enough-data");
    free(olds);
}
END_TEST

START_TEST(without_chains_it_says_how_to_record_them)
{
    read_fixture("17-leak.jfr.gz");
    fl_jfr_recording blind = *recording;
    blind.old_count = 0;
    blind.has_chains = false;
    const fl_jfr_request request = {.name = "rec.jfr"};
    ck_assert_ok(fl_jfr_judge(&report, &blind, &request, &arena, &err));
    ck_assert_str_eq(report.collect[report.collect_count - 1],
                     "record with path-to-gc-roots=true: it names who holds what stays");
}
END_TEST

START_TEST(each_allocation_that_fails_is_an_error)
{
    long n = 0;
    fl_status status = FL_E_NOMEM;
    read_fixture("17-leak.jfr.gz");
    for (; status != FL_OK && n < 10000; n++) {
        fl_arena_dispose(&arena);
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = judge();
        fl_mem_fail_after(-1);
        if (status != FL_OK)
            ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_int_gt(n, 1);
    ck_assert_int_lt(n, 10000);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("jfr_judge");
    TCase *tests = tcase_create("judge");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_leak_is_named_by_its_holder_and_where_it_allocates, 0,
                        sizeof(leaks) / sizeof(leaks[0]));
    tcase_add_test(tests, a_cache_that_evicts_is_no_leak);
    tcase_add_test(tests, a_holder_of_new_objects_alone_is_no_leak);
    tcase_add_test(tests, without_chains_it_says_how_to_record_them);
    tcase_add_test(tests, each_allocation_that_fails_is_an_error);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
