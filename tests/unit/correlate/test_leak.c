#include "leak_case.h"

#include <math.h>

static const fl_leak_options plain;

START_TEST(a_function_that_keeps_what_it_allocates_is_a_leak)
{
    fl_leak_options options = {.limit_bytes = 512u << 20};
    run r = begin(&options);
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 6 * MB * (i + 1), 5 * MB * (i + 1));
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
    ck_assert(report->confidence > 0.8 && report->confidence <= 1);
    const fl_leak_finding *f = &report->findings[0];
    ck_assert_str_eq(f->function, "main.(*store).put");
    ck_assert_str_eq(f->file, "/srv/app/main.go");
    ck_assert_uint_eq(f->line, 25);
    ck_assert_str_eq(f->holder, "store");
    ck_assert_double_eq_tol(f->growth_bytes_per_hour.value, 300 * MB, 1e3);
    ck_assert(f->growth_bytes_per_hour.low < 300 * MB && f->growth_bytes_per_hour.high > 300 * MB);
    double room = 536870912 - 50 * MB;
    ck_assert_double_eq_tol(f->seconds_to_limit.value, room / (300 * MB) * 3600, 60);
    ck_assert(f->support & 1u << FL_LEAK_FROM_HEAP);
    ck_assert_str_eq(report->runtime, "go1.26");
    ck_assert_uint_eq(report->used_count, 10);
    end(&r);
}
END_TEST

START_TEST(growth_below_the_sampling_floor_is_never_called_no_leak)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 40 * MB * (i + 1), 1 * MB + 0.1 * MB * i);
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_double_eq_tol(report->sampling_floor_bytes, 12.25 * MADE_RATE, 1);
    ck_assert_uint_ge(report->collect_count, 1);
    end(&r);
}
END_TEST

START_TEST(an_exact_total_that_stays_is_no_leak)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 40 * MB * (i + 1), 1 * MB + 0.3 * MB * (i % 2));
    add_totals(&r, 40, flat_total);
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_NO_LEAK);
    ck_assert_uint_ge(report->ruled_out_count, 1);
    ck_assert_str_eq(report->ruled_out[0].kind, "leak");
    end(&r);
}
END_TEST

START_TEST(an_exact_total_that_grows_finds_a_leak_below_the_sampling_floor)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 300 * MB * (i + 1), 0.5 * MB + 0.2 * MB * i);
    add_totals(&r, 40, rising_total);
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
    ck_assert(report->confidence <= 0.8);
    ck_assert_str_eq(report->findings[0].function, "main.(*store).put");
    ck_assert_double_eq_tol(report->findings[0].growth_bytes_per_hour.value, 36 * MB, 2 * MB);
    ck_assert(report->findings[0].support & 1u << FL_LEAK_FROM_MEMSTATS);
    ck_assert_uint_ge(report->findings[0].against_count, 1);
    end(&r);
}
END_TEST

static double late_total(size_t i)
{
    return 3 * MB + 0.1 * MB * (double)(i % 3) + (i > 20 ? 2 * MB * (double)(i - 20) : 0);
}

static double late_step(size_t i)
{
    return 3 * MB + 0.1 * MB * (double)(i % 3) + (i > 20 ? 40 * MB : 0);
}

/* Flat for half of the time: as a whole that is no line. The heap profiles alone are too few. */
START_TEST(a_leak_that_begins_late_is_found_by_the_exact_total)
{
    static const double live[] = {1, 1, 1, 4, 12, 25};
    for (int k = 0; k < 2; k++) {
        run r = begin(&plain);
        for (int i = 0; i < 6; i++)
            add_heap(&r, i, 300 * MB * (i + 1), live[i] * MB);
        add_totals(&r, 40, k == 0 ? late_total : late_step);
        const fl_leak_report *report = judge(&r);
        if (k == 0) {
            ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
            ck_assert_str_eq(report->findings[0].function, "main.(*store).put");
            ck_assert(report->confidence <= 0.85);
        }
        for (size_t i = 0; i < report->finding_count && k == 1; i++)
            ck_assert(!(report->findings[i].support & 1u << FL_LEAK_FROM_MEMSTATS));
        end(&r);
    }
}
END_TEST

START_TEST(agreement_of_both_views_makes_surer)
{
    double confidence[2];
    for (int k = 0; k < 2; k++) {
        run r = begin(&plain);
        for (int i = 0; i < 6; i++)
            add_heap(&r, i, 8 * MB * (i + 1), 7 * MB * (i + 1));
        if (k == 1)
            add_totals(&r, 40, rising_total);
        confidence[k] = judge(&r)->confidence;
        ck_assert_int_eq(r.report.verdict, FL_LEAK_LEAK);
        end(&r);
    }
    ck_assert(confidence[1] > confidence[0] + 0.05);
}
END_TEST

START_TEST(what_rises_and_then_stays_is_bounded)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++) {
        double live = i < 5 ? 12 * MB * (i + 1) : 60 * MB;
        add_heap(&r, i, live, live);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_BOUNDED_GROWTH);
    const fl_leak_finding *f = &report->findings[0];
    ck_assert_str_eq(f->function, "main.(*store).put");
    const fl_leak_evidence *change = &f->evidence[f->evidence_count - 1];
    ck_assert_str_eq(change->text, "the rise ended then, after 240 s");
    ck_assert_int_eq(change->at_ns, START + 4 * MINUTE);
    end(&r);
}
END_TEST

START_TEST(memory_that_follows_load_is_bounded)
{
    run r = begin(&plain);
    double made = 0;
    for (int i = 0; i < 10; i++) {
        double rate = 20 * MB * (i + 1);
        made += rate;
        add_heap(&r, i, made, rate / 4);
    }
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_BOUNDED_GROWTH);
    end(&r);
}
END_TEST

/* A map's tables of which two were made for each one in use: none at first, then all. */
static fl_leak_verdict verdict_of_tables(int snapshots)
{
    run r = begin(&plain);
    for (int i = 0; i < snapshots; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_HEAP, START + i * 10 * MINUTE);
        double live = i == 0 ? 0 : 200 * MB;
        made_heap(&m, PUT_STACK, 28672, 2 * live, live);
        made_heap(&m, SERVE_STACK, 32, 1 * MB + 0.6 * MB * i, 0);
        add(&r, &m);
    }
    ck_assert(judge(&r)->verdict != FL_LEAK_NOT_ENOUGH_DATA || r.report.collect_count > 0);
    end(&r);
    return r.report.verdict;
}

START_TEST(two_snapshots_are_not_enough_for_retention)
{
    ck_assert_int_eq(verdict_of_tables(2), FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_int_eq(verdict_of_tables(8), FL_LEAK_RETENTION);
}
END_TEST

START_TEST(something_built_anew_again_and_again_is_churn)
{
    static const int64_t rungs[] = {288, 576, 1152, 2304, 4608, 9216};
    run r = begin(&plain);
    for (int i = 0; i < 8; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_HEAP, START + i * MADE_S);
        for (size_t k = 0; k < 6; k++)
            made_heap(&m, PUT_STACK, rungs[k], (double)rungs[k] * 2000 * (i + 1), 0);
        add(&r, &m);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_CHURN);
    ck_assert_str_eq(report->findings[0].function, "main.(*store).put");
    end(&r);
}
END_TEST

START_TEST(a_bucket_array_that_doubled_is_a_leak_though_it_is_flat_between)
{
    run r = begin(&(fl_leak_options){.runtime = "go1.22"});
    for (int i = 0; i < 8; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_HEAP, START + i * MINUTE);
        for (int k = 0; k < 4; k++) {
            double size = 655360.0 * (1 << k);
            bool made = k < 3 || i >= 4, live = k == (i >= 4 ? 3 : 2);
            made_heap(&m, PUT_STACK, (int64_t)size, made ? size : 0, live ? size : 0);
        }
        made_heap(&m, SERVE_STACK, 32, 1 * MB * (i + 1), 0);
        add(&r, &m);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
    ck_assert(report->confidence <= 0.8);
    ck_assert_str_eq(report->runtime, "go1.22");
    end(&r);
}
END_TEST

/* A ring that is full keeps less of what is made; over six collections it is like a leak else. */
START_TEST(what_keeps_ever_less_may_be_a_cache_that_fills)
{
    static const double live[][6] = {{20, 60, 95, 115, 130, 145}, {20, 45, 70, 95, 120, 145}};
    for (size_t k = 0; k < 2; k++) {
        run r = begin(&plain);
        for (int i = 0; i < 6; i++)
            add_heap(&r, i, (20 + 60 * i) * MB, live[k][i] * MB);
        ck_assert_int_eq(judge(&r)->verdict, k == 0 ? FL_LEAK_NOT_ENOUGH_DATA : FL_LEAK_LEAK);
        ck_assert_str_eq(r.report.findings[0].function, "main.(*store).put");
        end(&r);
    }
}
END_TEST

static Suite *leak_suite(void)
{
    Suite *suite = suite_create("correlate/leak");
    TCase *cases = tcase_create("leak");
    tcase_add_test(cases, a_function_that_keeps_what_it_allocates_is_a_leak);
    tcase_add_test(cases, growth_below_the_sampling_floor_is_never_called_no_leak);
    tcase_add_test(cases, an_exact_total_that_stays_is_no_leak);
    tcase_add_test(cases, an_exact_total_that_grows_finds_a_leak_below_the_sampling_floor);
    tcase_add_test(cases, a_leak_that_begins_late_is_found_by_the_exact_total);
    tcase_add_test(cases, agreement_of_both_views_makes_surer);
    tcase_add_test(cases, what_rises_and_then_stays_is_bounded);
    tcase_add_test(cases, memory_that_follows_load_is_bounded);
    tcase_add_test(cases, two_snapshots_are_not_enough_for_retention);
    tcase_add_test(cases, something_built_anew_again_and_again_is_churn);
    tcase_add_test(cases, a_bucket_array_that_doubled_is_a_leak_though_it_is_flat_between);
    tcase_add_test(cases, what_keeps_ever_less_may_be_a_cache_that_fills);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(leak_suite)
