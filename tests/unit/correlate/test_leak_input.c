#include "leak_case.h"

#include "faultline/limits.h"
#include <stdio.h>
#include <string.h>

static const fl_leak_options plain;

/* Writes what a report says into `out`, for comparison. */
static void digest(char *out, size_t size, const fl_leak_report *r)
{
    const fl_leak_finding *f = r->finding_count > 0 ? &r->findings[0] : NULL;
    snprintf(out, size, "%d %.17g %zu %s %.17g %s", (int)r->verdict, r->confidence,
             r->finding_count, f != NULL ? f->function : "-",
             f != NULL ? f->growth_bytes_per_hour.value : 0.0,
             f != NULL && f->evidence_count > 0 ? f->evidence[0].text : "-");
}

START_TEST(the_order_of_profiles_does_not_matter)
{
    static const int orders[][8] = {
        {0, 1, 2, 3, 4, 5, 6, 7}, {7, 6, 5, 4, 3, 2, 1, 0}, {3, 7, 1, 5, 0, 6, 2, 4}};
    char first[512], other[512];
    for (size_t k = 0; k < 3; k++) {
        run r = begin(&plain);
        for (int i = 0; i < 8; i++)
            add_heap(&r, orders[k][i], 6 * MB * (orders[k][i] + 1), 5 * MB * (orders[k][i] + 1));
        digest(k == 0 ? first : other, sizeof(first), judge(&r));
        end(&r);
        if (k > 0)
            ck_assert_str_eq(first, other);
    }
}
END_TEST

START_TEST(of_many_snapshots_some_are_kept_and_the_same_in_any_order)
{
    enum { GIVEN = 3 * FL_MAX_LEAK_SNAPSHOTS };
    char first[512], other[512];
    for (int k = 0; k < 2; k++) {
        run r = begin(&plain);
        for (int i = 0; i < GIVEN; i++) {
            int at = k == 0 ? i : GIVEN - 1 - i;
            add_heap(&r, at, 0.2 * MB * (at + 1), 0.1 * MB * (at + 1));
        }
        const fl_leak_report *report = judge(&r);
        ck_assert_uint_eq(report->snapshot_count, GIVEN);
        ck_assert_uint_eq(report->used_count, FL_MAX_LEAK_SNAPSHOTS);
        ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
        ck_assert_int_eq(report->to_ns - report->from_ns, (GIVEN - 1) * MINUTE);
        digest(k == 0 ? first : other, sizeof(first), report);
        end(&r);
    }
    ck_assert_str_eq(first, other);
}
END_TEST

START_TEST(snapshots_of_one_collection_count_once)
{
    run r = begin(&plain);
    for (int i = 0; i < 12; i++) {
        made_profile m;
        made_begin(&m, i % 2 == 0 ? FL_PROFILE_HEAP : FL_PROFILE_ALLOCS, START + i * MINUTE);
        made_heap(&m, PUT_STACK, 144, 9 * MB * (i / 3 + 1), 8 * MB * (i / 3 + 1));
        add(&r, &m);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_uint_eq(report->used_count, 4);
    ck_assert_int_eq(report->verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_uint_ge(report->finding_count, 1);
    ck_assert_int_eq(report->findings[0].verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_str_eq(report->findings[0].function, "main.(*store).put");
    ck_assert_uint_ge(report->collect_count, 1);
    end(&r);
}
END_TEST

START_TEST(what_profiling_itself_allocates_is_left_out)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_HEAP, START + i * MINUTE);
        made_heap(&m, "compress/flate.NewWriter:665;runtime/pprof.writeHeap:9;main.main:7", 663552,
                  20 * MB * (i + 1), 20 * MB * (i + 1));
        made_heap(&m, SERVE_STACK, 32, 1 * MB * (i + 1), 0);
        add(&r, &m);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_ne(report->verdict, FL_LEAK_LEAK);
    ck_assert_uint_eq(report->finding_count, 0);
    end(&r);
}
END_TEST

START_TEST(nothing_at_all_is_not_enough_data)
{
    run r = begin(&plain);
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert_uint_eq(report->finding_count, 0);
    ck_assert_uint_eq(report->snapshot_count, 0);
    ck_assert_uint_ge(report->collect_count, 2);
    ck_assert_ptr_null(report->runtime);
    end(&r);
}
END_TEST

START_TEST(values_at_the_ends_of_their_range_are_harmless)
{
    run r = begin(&plain);
    static const int64_t times[] = {INT64_MIN + 1, -5, 7, INT64_MAX - 9, INT64_MAX};
    for (int i = 0; i < 5; i++) {
        made_profile m;
        made_begin(&m, FL_PROFILE_HEAP, times[i]);
        made_heap(&m, PUT_STACK, INT64_MAX, 0, 0);
        for (size_t k = 0; k < 4; k++)
            m.values[k] = (INT64_C(1) << 62) - i;
        made_heap(&m, "?:7", 1, -3, -4);
        add(&r, &m);
    }
    judge(&r);
    end(&r);
}
END_TEST

static Suite *leak_input_suite(void)
{
    Suite *suite = suite_create("correlate/leak_input");
    TCase *cases = tcase_create("leak_input");
    tcase_add_test(cases, the_order_of_profiles_does_not_matter);
    tcase_add_test(cases, of_many_snapshots_some_are_kept_and_the_same_in_any_order);
    tcase_add_test(cases, snapshots_of_one_collection_count_once);
    tcase_add_test(cases, what_profiling_itself_allocates_is_left_out);
    tcase_add_test(cases, nothing_at_all_is_not_enough_data);
    tcase_add_test(cases, values_at_the_ends_of_their_range_are_harmless);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(leak_input_suite)
