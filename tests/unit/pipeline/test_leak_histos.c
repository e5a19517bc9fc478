#include "leak_histos.h"

#include <math.h>
#include <string.h>

#include "fl_test.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_arena arena;
static fl_leak_histos histos;
static fl_leak_report report;

static void set_up(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(8 << 20);
    histos = (fl_leak_histos){0};
    report = (fl_leak_report){0};
}

static void tear_down(void)
{
    fl_mem_fail_after(-1);
    fl_leak_histos_dispose(&histos);
    fl_arena_dispose(&arena);
}

/* A histogram in which two classes have so many instances. */
static fl_status take(unsigned arrays, unsigned items, int64_t time_ns)
{
    const char *text = fl_arena_printf(&arena,
                                       " num     #instances         #bytes  class name\n"
                                       "   1:  %u  %u  [B\n   2:  %u  %u  shop.Item\n"
                                       "Total  %u  %u\n",
                                       arrays, arrays * 100, items, items * 24, arrays + items,
                                       arrays * 100 + items * 24);
    return fl_leak_histos_take(&histos, "h.txt", fl_slice_of(text), time_ns, &arena, &err);
}

static fl_leak_verdict judge(void)
{
    report = (fl_leak_report){0};
    ck_assert_ok(fl_leak_histos_report(&report, &histos, true, &arena, &err));
    return report.verdict;
}

START_TEST(one_wants_another_and_a_class_that_grows_is_named)
{
    const int64_t hour = INT64_C(3600) * 1000000000;
    ck_assert_ok(take(1000, 500, 3 * hour));
    ck_assert_uint_eq(judge(), FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_ptr_nonnull(strstr(report.collect[0], "a second class histogram"));
    ck_assert_ok(take(500, 250, 2 * hour)); /* the times order them */
    ck_assert_uint_eq(judge(), FL_LEAK_LEAK);
    ck_assert_uint_eq(report.finding_count, 1);
    const fl_leak_finding *finding = &report.findings[0];
    ck_assert_str_eq(finding->function, "shop.Item");
    ck_assert_ptr_null(finding->holder);
    ck_assert_double_eq(finding->growth_bytes_per_hour.value, 250 * 24);
    ck_assert_str_eq(
        finding->evidence[0].text,
        "of shop.Item there are 500 in 12000 bytes, in the first of 2 histograms 250 in"
        " 6000; 1 of 1 steps go up");
    ck_assert_ptr_nonnull(strstr(finding->evidence[1].text, "not who holds it"));
    ck_assert_double_lt(report.confidence, 0.5);
}
END_TEST

START_TEST(arrays_alone_are_no_confident_cause_and_what_stays_is_no_leak)
{
    ck_assert_ok(take(1000, 500, 0));
    ck_assert_ok(take(2000, 500, 0));
    ck_assert_uint_eq(judge(), FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_ptr_nonnull(strstr(report.collect[0], "only arrays and classes of the JDK grow"));
    ck_assert_uint_eq(report.finding_count, 0);
    ck_assert_ok(take(2000, 500, 0));
    ck_assert_uint_eq(judge(), FL_LEAK_NO_LEAK);
}
END_TEST

START_TEST(times_of_copies_are_no_times)
{
    const int64_t copied = INT64_C(1000) * 1000000000, ms = 1000000;
    ck_assert_ok(take(500, 250, copied + 9 * ms));
    ck_assert_ok(take(750, 500, copied + 5 * ms));
    ck_assert_ok(take(1000, 750, copied));
    ck_assert_uint_eq(judge(), FL_LEAK_LEAK);
    ck_assert(isnan(report.findings[0].growth_bytes_per_hour.value));
    ck_assert_int_eq(report.from_ns, copied);
    ck_assert_int_eq(report.to_ns, copied);
}
END_TEST

START_TEST(a_text_that_is_cut_is_refused)
{
    fl_slice cut = SLICE("num #instances #bytes\n 1: 5 100 [B\n");
    ck_assert_fails(FL_E_TRUNCATED, fl_leak_histos_take(&histos, "h.txt", cut, 0, &arena, &err));
    ck_assert_str_eq(err.message, "h.txt: the class histogram ends before its totals");
    ck_assert_uint_eq(histos.count, 0);
}
END_TEST

START_TEST(more_than_are_kept_are_refused)
{
    for (int i = 0; i < FL_MAX_LEAK_HISTOS; i++)
        ck_assert_ok(take(10, 10, 0));
    ck_assert_fails(FL_E_LIMIT, take(10, 10, 0));
    ck_assert_str_eq(err.message, "h.txt: more than 1000 class histograms");
}
END_TEST

START_TEST(each_allocation_that_fails_is_reported)
{
    fl_status status = FL_E_NOMEM;
    static const char text[] = "num #instances #bytes\n 1: 5 100 [B\nTotal 5 100\n";
    for (long n = 0; status != FL_OK; n++) {
        tear_down();
        set_up();
        fl_mem_fail_after(n);
        status = fl_leak_histos_take(&histos, "h.txt", fl_slice_of(text), 0, &arena, &err);
        fl_mem_fail_after(-1);
        if (status != FL_OK)
            ck_assert_fails(FL_E_NOMEM, status);
        ck_assert_int_lt(n, 40);
    }
    ck_assert_uint_eq(histos.count, 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pipeline/leak_histos");
    TCase *tcase = tcase_create("leak_histos");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, one_wants_another_and_a_class_that_grows_is_named);
    tcase_add_test(tcase, arrays_alone_are_no_confident_cause_and_what_stays_is_no_leak);
    tcase_add_test(tcase, times_of_copies_are_no_times);
    tcase_add_test(tcase, a_text_that_is_cut_is_refused);
    tcase_add_test(tcase, more_than_are_kept_are_refused);
    tcase_add_test(tcase, each_allocation_that_fails_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
