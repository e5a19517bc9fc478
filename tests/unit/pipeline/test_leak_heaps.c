#include "leak_heaps.h"

#include "fl_hprof_made.h"
#include "fl_test.h"
#include "mem.h"

static fl_error err;
static fl_arena arena;
static fl_leak_heaps heaps;
static fl_hprof_made made;

static void set_up(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
    heaps = (fl_leak_heaps){.count = 0};
    made = made_sample(8);
}

static void tear_down(void)
{
    fl_leak_heaps_dispose(&heaps);
    fl_arena_dispose(&arena);
    fl_buf_dispose(&made.out);
}

static fl_status take(fl_slice bytes, const char **warning)
{
    return fl_leak_heaps_take(&heaps, "a.hprof", &bytes, &arena, warning, &err);
}

START_TEST(one_dump_wants_another_and_two_alike_are_no_leak)
{
    fl_leak_report report = {.verdict = FL_LEAK_NOT_ENOUGH_DATA};
    const char *warning;
    ck_assert(fl_leak_heaps_is(made_bytes(&made)));
    ck_assert(!fl_leak_heaps_is(SLICE("go 1.22 trace")));
    ck_assert_ok(take(made_bytes(&made), &warning));
    ck_assert_ptr_null(warning);
    ck_assert_ok(fl_leak_heaps_report(&report, &heaps, 0, true, &arena, &err));
    ck_assert_uint_eq(report.verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_uint_eq(report.collect_count, 1);
    ck_assert_ok(take(made_bytes(&made), &warning));
    ck_assert_ok(fl_leak_heaps_report(&report, &heaps, 0, true, &arena, &err));
    ck_assert_uint_eq(report.verdict, FL_LEAK_NO_LEAK);
    ck_assert_uint_eq(report.finding_count, 0);
    ck_assert_uint_eq(report.collect_count, 0);
    ck_assert_uint_eq(report.snapshot_count, 2);
}
END_TEST

START_TEST(a_dump_that_was_cut_is_no_proof_of_health)
{
    fl_leak_report report = {.verdict = FL_LEAK_NO_LEAK};
    const char *warning;
    ck_assert_ok(take(made_bytes(&made), &warning));
    ck_assert_ok(take(fl_slice_part(made_bytes(&made), 0, made.out.len - 20), &warning));
    ck_assert_ok(fl_leak_heaps_report(&report, &heaps, 0, true, &arena, &err));
    ck_assert_uint_eq(report.finding_count, 0);
    ck_assert_uint_eq(report.verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_double_eq(report.confidence, 0);
    ck_assert_uint_eq(report.collect_count, 1);
    ck_assert_ptr_nonnull(strstr(report.collect[0], "was cut"));
}
END_TEST

START_TEST(findings_of_other_inputs_stay)
{
    const fl_leak_finding other = {.verdict = FL_LEAK_CHURN};
    fl_leak_report report = {
        .verdict = FL_LEAK_CHURN, .findings = &other, .finding_count = 1, .snapshot_count = 9};
    const char *warning;
    ck_assert_ok(take(made_bytes(&made), &warning));
    ck_assert_ok(fl_leak_heaps_report(&report, &heaps, 0, false, &arena, &err));
    ck_assert_uint_eq(report.verdict, FL_LEAK_CHURN);
    ck_assert_uint_eq(report.finding_count, 1);
    ck_assert_uint_eq(report.findings[0].verdict, FL_LEAK_CHURN);
    ck_assert_uint_eq(report.snapshot_count, 9);
}
END_TEST

START_TEST(damage_is_a_warning_and_no_dump_an_error)
{
    const char *warning;
    fl_slice cut = fl_slice_part(made_bytes(&made), 0, made.out.len - 20);
    ck_assert_ok(take(cut, &warning));
    ck_assert_ptr_nonnull(strstr(warning, "a.hprof: the heap dump ends inside an object, at byte"));
    ck_assert_fails(FL_E_SYNTAX, take(SLICE("JAVA PROFILE "), &warning));
    ck_assert_str_eq(err.message, "a.hprof: the version of the heap dump has no end");
    ck_assert_uint_eq(heaps.count, 1);
}
END_TEST

START_TEST(more_dumps_than_are_kept_are_refused)
{
    const char *warning;
    for (int i = 0; i < FL_MAX_LEAK_HEAPS; i++)
        ck_assert_ok(take(made_bytes(&made), &warning));
    ck_assert_fails(FL_E_LIMIT, take(made_bytes(&made), &warning));
    ck_assert_str_eq(err.message, "a.hprof: more than 32 heap dumps");
}
END_TEST

START_TEST(each_allocation_that_fails_is_reported)
{
    fl_status status = FL_E_NOMEM;
    const char *warning;
    for (long n = 0; status != FL_OK; n++) {
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = take(made_bytes(&made), &warning);
        fl_mem_fail_after(-1);
        if (status != FL_OK)
            ck_assert_fails(FL_E_NOMEM, status);
        ck_assert_int_lt(n, 400);
    }
    ck_assert_uint_eq(heaps.count, 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pipeline/leak_heaps");
    TCase *tcase = tcase_create("leak_heaps");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, one_dump_wants_another_and_two_alike_are_no_leak);
    tcase_add_test(tcase, a_dump_that_was_cut_is_no_proof_of_health);
    tcase_add_test(tcase, findings_of_other_inputs_stay);
    tcase_add_test(tcase, damage_is_a_warning_and_no_dump_an_error);
    tcase_add_test(tcase, more_dumps_than_are_kept_are_refused);
    tcase_add_test(tcase, each_allocation_that_fails_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
