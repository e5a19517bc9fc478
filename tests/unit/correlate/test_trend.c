#include "trend.h"

#include <math.h>

#include "fl_test.h"
#include "mem.h"

enum { MOST = 64 };

typedef struct made {
    double time_s[MOST], value[MOST], error[MOST];
    fl_series series;
} made;

static void make(made *m, size_t count, const double *value, double error)
{
    for (size_t i = 0; i < count; i++) {
        m->time_s[i] = 10.0 * (double)i;
        m->value[i] = value[i];
        m->error[i] = error;
    }
    m->series =
        (fl_series){.time_s = m->time_s, .value = m->value, .error = m->error, .count = count};
}

static fl_trend trend_of(const fl_series *series)
{
    fl_arena scratch = fl_arena_of(1u << 20);
    fl_error err = {0};
    fl_trend out;
    ck_assert_msg(fl_trend_of(&out, series, &scratch, &err) == FL_OK, "%s", err.message);
    fl_arena_dispose(&scratch);
    return out;
}

static fl_trend trend(size_t count, const double *value, double error)
{
    made m;
    make(&m, count, value, error);
    return trend_of(&m.series);
}

#define TREND(error, ...)                                                                          \
    trend(sizeof((double[]){__VA_ARGS__}) / sizeof(double), (double[]){__VA_ARGS__}, error)

START_TEST(a_line_has_its_slope_and_grows)
{
    fl_trend t = TREND(1, 100, 120, 140, 160, 180, 200);
    ck_assert_double_eq_tol(t.slope, 2, 1e-12);
    ck_assert(t.low < 2 && t.high > 2);
    ck_assert_int_eq(t.shape, FL_SHAPE_GROWING);
    ck_assert_double_eq_tol(t.late_share, 1, 1e-12);
    ck_assert_double_eq_tol(t.first, 100, 1e-9);
    ck_assert_double_eq_tol(t.last, 200, 1e-9);
    ck_assert_double_eq_tol(t.step_share, 0.2, 1e-12);
    ck_assert_double_eq(t.fall_share, 0);
}
END_TEST

/* Kendall 1975: S is the number of rising pairs minus falling ones; without ties its variance is
 * n(n-1)(2n+5)/18, and each group of t ties takes t(t-1)(2t+5)/18 from it. */
START_TEST(mann_kendall_has_its_closed_forms)
{
    ck_assert_double_eq_tol(TREND(1, 1, 2, 3, 4, 5).mann_kendall_z, 9 / sqrt(50.0 / 3), 1e-12);
    ck_assert_double_eq_tol(TREND(1, 5, 4, 3, 2, 1).mann_kendall_z, -9 / sqrt(50.0 / 3), 1e-12);
    ck_assert_double_eq_tol(TREND(1, 1, 1, 2, 3).mann_kendall_z, 4 / sqrt(138.0 / 18), 1e-12);
    ck_assert_double_eq(TREND(1, 7, 7, 7, 7).mann_kendall_z, 0);
}
END_TEST

START_TEST(a_trend_does_not_depend_on_the_unit_and_mirrors_its_sign)
{
    const double value[] = {3, 9, 4, 12, 9, 15, 14, 21};
    double scaled[8], mirrored[8];
    for (int i = 0; i < 8; i++) {
        scaled[i] = 1000 * value[i];
        mirrored[i] = -value[i];
    }
    fl_trend t = trend(8, value, 1), s = trend(8, scaled, 1000), m = trend(8, mirrored, 1);
    ck_assert_double_eq_tol(s.slope, 1000 * t.slope, 1e-9);
    ck_assert_double_eq_tol(s.growth_z, t.growth_z, 1e-9);
    ck_assert_double_eq_tol(s.mann_kendall_z, t.mann_kendall_z, 1e-12);
    ck_assert_double_eq_tol(m.slope, -t.slope, 1e-12);
    ck_assert_double_eq_tol(m.mann_kendall_z, -t.mann_kendall_z, 1e-12);
}
END_TEST

START_TEST(one_wild_value_does_not_move_the_slope)
{
    fl_trend t = TREND(1, 10, 20, 30, 4000, 50, 60, 70);
    ck_assert_double_eq_tol(t.slope, 1, 0.2);
}
END_TEST

START_TEST(what_rose_and_then_stayed_is_bounded)
{
    ck_assert_int_eq(TREND(1, 5, 20, 35, 50, 51, 49, 50, 50).shape, FL_SHAPE_BOUNDED);
    ck_assert_int_eq(TREND(1, 5, 20, 35, 50, 65, 80, 95, 110).shape, FL_SHAPE_GROWING);
}
END_TEST

START_TEST(one_jump_is_a_step)
{
    fl_trend t = TREND(1, 20, 21, 20, 19, 60, 61, 60, 60);
    ck_assert_int_eq(t.shape, FL_SHAPE_STEP);
    ck_assert_uint_eq(t.knot, 4);
}
END_TEST

START_TEST(what_falls_back_again_and_again_is_a_sawtooth)
{
    ck_assert_int_eq(TREND(1, 10, 30, 50, 12, 31, 48, 10, 32, 52, 11).shape, FL_SHAPE_SAWTOOTH);
}
END_TEST

START_TEST(what_stays_is_flat_and_what_goes_is_falling)
{
    ck_assert_int_eq(TREND(1, 50, 51, 50, 49, 50, 50, 51).shape, FL_SHAPE_FLAT);
    ck_assert_int_eq(TREND(1, 90, 80, 70, 60, 50, 40).shape, FL_SHAPE_FALLING);
}
END_TEST

/* For a ramp the last value's distance from those before it tends to sqrt(3), whatever its slope:
 * the coarse rule of 3.5 cannot see a steady leak. */
START_TEST(the_level_of_a_ramp_is_never_far_from_its_past)
{
    double value[MOST];
    for (int i = 0; i < MOST; i++)
        value[i] = 1e6 * i;
    fl_trend t = trend(MOST, value, 1);
    ck_assert_double_eq_tol(t.level_z, sqrt(3), 0.05);
    ck_assert(t.growth_z > 50);
}
END_TEST

/* Sampling each R bytes: p = 1 - exp(-S/R), variance N S^2 (1-p)/p. */
START_TEST(sampling_errs_by_bytes_times_rate_and_not_at_all_for_large_blocks)
{
    const double rate = 524288;
    ck_assert_double_eq_tol(fl_sampling_variance(1e6, 16e6, rate) / (16e6 * rate), 1, 1e-4);
    ck_assert_double_eq_tol(fl_sampling_variance(1, rate, rate), rate * rate / expm1(1), 1);
    ck_assert(fl_sampling_variance(1, 64 * rate, rate) < 1);
    ck_assert_double_eq(fl_sampling_variance(10, 1000, 1), 0);
    ck_assert_double_eq(fl_sampling_variance(0, 0, rate), 0);
}
END_TEST

/* 12.25 R = 6.4 MB is what one pair of snapshots shows at 3.5 sigma. */
START_TEST(growth_below_the_sampling_floor_is_no_trend)
{
    made m;
    const double rate = 524288;
    for (int k = 0; k < 2; k++) {
        double rise = (k == 0 ? 0.3 : 3) * 12.25 * rate, value[6];
        for (int i = 0; i < 6; i++)
            value[i] = rise * i / 5;
        make(&m, 6, value, 0);
        for (int i = 0; i < 6; i++)
            m.error[i] = sqrt(value[i] * rate + rate * rate);
        m.series.quantum = rate;
        m.series.made = m.value;
        fl_trend t = trend_of(&m.series);
        ck_assert_int_eq(t.growth_z >= 3.5, k);
    }
}
END_TEST

START_TEST(objects_that_stay_err_less_than_objects_that_are_replaced)
{
    made m;
    const double rate = 524288, value[] = {30e6, 33e6, 36e6, 39e6, 42e6};
    make(&m, 5, value, sqrt(36e6 * rate));
    m.series.quantum = rate;
    const double little[] = {0, 3e6, 6e6, 9e6, 12e6}, much[] = {0, 2e8, 4e8, 6e8, 8e8};
    m.series.made = little;
    double kept = trend_of(&m.series).growth_z;
    m.series.made = much;
    double replaced = trend_of(&m.series).growth_z;
    ck_assert(kept > 1.4 * replaced);
}
END_TEST

START_TEST(students_quantiles_are_those_of_the_table)
{
    ck_assert_double_eq_tol(fl_student_975(1), 12.706, 1e-3);
    ck_assert_double_eq_tol(fl_student_975(10), 2.228, 1e-3);
    ck_assert_double_eq_tol(fl_student_975(30), 2.042, 2e-3);
    ck_assert_double_eq_tol(fl_student_975(1000), 1.962, 1e-3);
}
END_TEST

START_TEST(autocorrelated_noise_makes_a_trend_less_sure)
{
    double value[40], alternating[40];
    for (int i = 0; i < 40; i++) {
        value[i] = i + 12 * sin(i / 3.0);
        alternating[i] = i + ((i & 1) != 0 ? 12 : -12);
    }
    fl_trend slow = trend(40, value, 1), quick = trend(40, alternating, 1);
    /* Kendall's variance alone would give slow waves as much as any other series. */
    double plain = sqrt(40.0 * 39 * 85 / 18);
    double pairs = 0;
    for (int i = 0; i < 40; i++) {
        for (int j = i + 1; j < 40; j++)
            pairs += value[j] > value[i] ? 1 : -1;
    }
    ck_assert(slow.mann_kendall_z < 0.8 * (pairs - 1) / plain);
    ck_assert(quick.mann_kendall_z > 0);
}
END_TEST

START_TEST(fewer_than_three_points_have_ends_and_nothing_else)
{
    fl_trend t = TREND(1, 10, 90);
    ck_assert_int_eq(t.shape, FL_SHAPE_UNCLEAR);
    ck_assert_double_eq(t.first, 10);
    ck_assert_double_eq(t.last, 90);
    ck_assert(isnan(t.slope) && isnan(t.growth_z));
    ck_assert_str_eq(fl_leak_shape_name(t.shape), "unclear");
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    made m;
    const double value[] = {1, 2, 3, 4};
    make(&m, 4, value, 1);
    for (long n = 0;; n++) {
        fl_arena scratch = fl_arena_of(1u << 20);
        fl_error err = {0};
        fl_trend out;
        fl_mem_fail_after(n);
        fl_status status = fl_trend_of(&out, &m.series, &scratch, &err);
        fl_mem_fail_after(-1);
        fl_arena_dispose(&scratch);
        if (status == FL_OK)
            return;
        ck_assert_int_eq(status, FL_E_NOMEM);
        ck_assert_int_lt(n, 50);
    }
}
END_TEST

/* From the third value on 20 came where 200 were promised; the two differences err by 4 in all. */
START_TEST(a_rise_that_slows_down_is_told_by_time_and_by_what_was_made)
{
    ck_assert_double_eq_tol(TREND(1, 0, 100, 200, 210, 220).slow_z, 90, 1e-9);
    ck_assert_double_eq(TREND(1, 0, 100, 200, 300, 400, 500).slow_z, 0);
    /* One late value alone is none. */
    ck_assert_double_eq(TREND(1, 0, 100, 200, 300, 400, 410).slow_z, 0);
    made m;
    make(&m, 5, (double[]){0, 100, 200, 300, 400}, 1);
    ck_assert_double_eq(trend_of(&m.series).keep_slow_z, 0);
    m.series.made = (double[]){0, 100, 400, 1000, 2000};
    ck_assert_double_eq(trend_of(&m.series).slow_z, 0);
    ck_assert_double_gt(trend_of(&m.series).keep_slow_z, 3);
}
END_TEST

static Suite *trend_suite(void)
{
    Suite *suite = suite_create("correlate/trend");
    TCase *cases = tcase_create("trend");
    tcase_add_test(cases, a_line_has_its_slope_and_grows);
    tcase_add_test(cases, mann_kendall_has_its_closed_forms);
    tcase_add_test(cases, a_trend_does_not_depend_on_the_unit_and_mirrors_its_sign);
    tcase_add_test(cases, one_wild_value_does_not_move_the_slope);
    tcase_add_test(cases, what_rose_and_then_stayed_is_bounded);
    tcase_add_test(cases, one_jump_is_a_step);
    tcase_add_test(cases, what_falls_back_again_and_again_is_a_sawtooth);
    tcase_add_test(cases, what_stays_is_flat_and_what_goes_is_falling);
    tcase_add_test(cases, the_level_of_a_ramp_is_never_far_from_its_past);
    tcase_add_test(cases, sampling_errs_by_bytes_times_rate_and_not_at_all_for_large_blocks);
    tcase_add_test(cases, growth_below_the_sampling_floor_is_no_trend);
    tcase_add_test(cases, objects_that_stay_err_less_than_objects_that_are_replaced);
    tcase_add_test(cases, students_quantiles_are_those_of_the_table);
    tcase_add_test(cases, autocorrelated_noise_makes_a_trend_less_sure);
    tcase_add_test(cases, fewer_than_three_points_have_ends_and_nothing_else);
    tcase_add_test(cases, a_rise_that_slows_down_is_told_by_time_and_by_what_was_made);
    tcase_add_test(cases, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(trend_suite)
