#include "lbf.h"

#include <math.h>

#include "fl_test.h"
#include "lbf_cases.h"
#include "mem.h"

static fl_error err;
static fl_arena scratch;

static void setup(void)
{
    err = (fl_error){0};
    scratch = fl_arena_of(1u << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&scratch);
}

/* A small generator (Knuth's MMIX constants), so that a failure repeats. */
static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / 9007199254740992.0;
}

static fl_lbf_result test_counts(size_t outcomes, const double *past, size_t past_count,
                                 const double *now, size_t now_count)
{
    fl_lbf_result out;
    fl_lbf_counts in = {.outcome_count = outcomes,
                        .baseline = past,
                        .baseline_count = past_count,
                        .incident = now,
                        .incident_count = now_count};
    fl_arena_reset(&scratch);
    ck_assert_ok(fl_lbf_counts_test(&out, &in, &scratch, &err));
    ck_assert(isfinite(out.lbf));
    ck_assert_uint_lt(out.onset, out.end);
    ck_assert_uint_le(out.end, now_count);
    return out;
}

static fl_lbf_shift test_values(const double *past, size_t past_count, const double *now,
                                size_t now_count, double scale, bool rises_only)
{
    fl_lbf_shift out;
    fl_lbf_values in = {.baseline = past,
                        .baseline_count = past_count,
                        .incident = now,
                        .incident_count = now_count,
                        .prior_scale = scale,
                        .rises_only = rises_only};
    fl_arena_reset(&scratch);
    ck_assert_ok(fl_lbf_values_test(&out, &in, &scratch, &err));
    ck_assert(isfinite(out.lbf));
    return out;
}

/* ---- counts ---- */

START_TEST(counts_agree_with_the_reference)
{
    for (size_t i = 0; i < sizeof(counts_cases) / sizeof(counts_cases[0]); i++) {
        const struct counts_case *c = &counts_cases[i];
        fl_lbf_result r = test_counts(c->outcomes, c->baseline, c->past, c->incident, c->now);
        ck_assert_msg(fabs(r.lbf - c->lbf) < 1e-7, "%s: %.9f, not %.9f", c->name, r.lbf, c->lbf);
        ck_assert_msg(r.onset == c->onset && r.end == c->end, "%s: [%zu, %zu)", c->name, r.onset,
                      r.end);
    }
}
END_TEST

/* One count in one window: a Beta-binomial's predictive, no gamma function left. */
START_TEST(one_count_is_the_ratio_of_two_shares)
{
    const double past[] = {37, 3}, now[] = {0, 1};
    const double a[] = {0.5, 0.02};
    double predicted = 0, k = 3;
    for (size_t i = 0; i < 4; i++) /* either precision gives the same share */
        predicted += (past[1] + a[i % 2] / k) / (40 + a[i % 2]) / 4;
    fl_lbf_result r = test_counts(2, past, 1, now, 1);
    ck_assert_double_eq_tol(r.lbf, log(1 / k) - log(predicted), 1e-12);
}
END_TEST

enum { OUTCOMES = 5, PAST = 8, NOW = 3 };

static void fill_random(double *rows, size_t count, uint64_t *state)
{
    for (size_t i = 0; i < count * OUTCOMES; i++)
        rows[i] = floor(uniform(state) * uniform(state) * 40);
}

START_TEST(the_order_of_outcomes_changes_nothing)
{
    uint64_t state = 1;
    for (int round = 0; round < 50; round++) {
        double past[PAST * OUTCOMES], now[NOW * OUTCOMES], past2[PAST * OUTCOMES],
            now2[NOW * OUTCOMES];
        fill_random(past, PAST, &state);
        fill_random(now, NOW, &state);
        for (size_t w = 0; w < PAST; w++)
            for (size_t b = 0; b < OUTCOMES; b++)
                past2[w * OUTCOMES + b] = past[w * OUTCOMES + (2 * b + 1) % OUTCOMES];
        for (size_t w = 0; w < NOW; w++)
            for (size_t b = 0; b < OUTCOMES; b++)
                now2[w * OUTCOMES + b] = now[w * OUTCOMES + (2 * b + 1) % OUTCOMES];
        double one = test_counts(OUTCOMES, past, PAST, now, NOW).lbf;
        ck_assert_double_eq_tol(one, test_counts(OUTCOMES, past2, PAST, now2, NOW).lbf, 1e-8);
    }
}
END_TEST

START_TEST(the_order_of_baseline_windows_changes_nothing)
{
    uint64_t state = 2;
    for (int round = 0; round < 50; round++) {
        double past[PAST * OUTCOMES], now[NOW * OUTCOMES], turned[PAST * OUTCOMES];
        fill_random(past, PAST, &state);
        fill_random(now, NOW, &state);
        for (size_t w = 0; w < PAST; w++)
            memcpy(turned + w * OUTCOMES, past + (3 * w + 1) % PAST * OUTCOMES,
                   OUTCOMES * sizeof(*past));
        double one = test_counts(OUTCOMES, past, PAST, now, NOW).lbf;
        ck_assert_double_eq_tol(one, test_counts(OUTCOMES, turned, PAST, now, NOW).lbf, 1e-8);
    }
}
END_TEST

START_TEST(the_same_windows_again_are_no_evidence)
{
    const double row[] = {60, 30, 9, 1, 0};
    double rows[30 * OUTCOMES], before = INFINITY;
    for (size_t i = 0; i < 30; i++)
        memcpy(rows + i * OUTCOMES, row, sizeof(row));
    for (size_t past = 1; past <= 30; past++) {
        double lbf = test_counts(OUTCOMES, rows, past, rows, 2).lbf;
        ck_assert_double_lt(lbf, 0);
        ck_assert_msg(lbf < before, "%zu windows of history: %f after %f", past, lbf, before);
        before = lbf; /* the better the health is known, the surer that this is it */
    }
}
END_TEST

START_TEST(the_more_of_a_new_outcome_the_more_evidence)
{
    double past[PAST * 2], before = -INFINITY;
    for (size_t w = 0; w < PAST; w++) {
        past[2 * w] = 99;
        past[2 * w + 1] = 1;
    }
    for (int share = 2; share <= 100; share++) {
        double now[] = {100 - share, share};
        double lbf = test_counts(2, past, PAST, now, 1).lbf;
        ck_assert_msg(lbf >= before - 1e-9, "%d %%: %f after %f", share, lbf, before);
        before = lbf;
    }
    ck_assert_double_gt(before, 10);
}
END_TEST

/* Without over-dispersion a wandering load is evidence; with it, it is not. */
START_TEST(a_mix_that_always_wanders_is_no_evidence_when_it_wanders_again)
{
    const double past[] = {90, 10, 40, 60, 70, 30, 20, 80, 55, 45, 85, 15};
    const double now[] = {10, 90};
    ck_assert_double_lt(test_counts(2, past, 6, now, 1).lbf, 0);
    const double steady[] = {60, 40, 61, 39, 60, 40, 59, 41, 60, 40, 60, 40};
    ck_assert_double_gt(test_counts(2, steady, 6, now, 1).lbf, FL_LBF_REAL);
}
END_TEST

START_TEST(the_changed_run_is_found_wherever_it_is)
{
    const double past[] = {40, 0, 39, 1, 41, 0, 40, 0};
    for (size_t onset = 0; onset < 6; onset++)
        for (size_t end = onset + 1; end <= 6; end++) {
            double now[12];
            for (size_t w = 0; w < 6; w++) {
                bool changed = w >= onset && w < end;
                now[2 * w] = changed ? 2 : 40;
                now[2 * w + 1] = changed ? 38 : 0;
            }
            fl_lbf_result r = test_counts(2, past, 4, now, 6);
            ck_assert_uint_eq(r.onset, onset);
            ck_assert_uint_eq(r.end, end);
            ck_assert_double_gt(r.lbf, FL_LBF_REAL);
        }
}
END_TEST

START_TEST(random_counts_never_break_it)
{
    uint64_t state = 3;
    for (int round = 0; round < 300; round++) {
        double past[PAST * OUTCOMES], now[NOW * OUTCOMES];
        fill_random(past, PAST, &state);
        fill_random(now, NOW, &state);
        if (round % 3 == 0)
            memset(past, 0, sizeof(past)); /* nothing was ever seen */
        if (round % 5 == 0)
            for (size_t i = 0; i < NOW * OUTCOMES; i++)
                now[i] *= 1e6;
        (void)test_counts(OUTCOMES, past, 1 + (size_t)round % PAST, now, 1 + (size_t)round % NOW);
    }
}
END_TEST

/* ---- values ---- */

START_TEST(values_agree_with_the_reference)
{
    for (size_t i = 0; i < sizeof(values_cases) / sizeof(values_cases[0]); i++) {
        const struct values_case *c = &values_cases[i];
        fl_lbf_shift r =
            test_values(c->baseline, c->past, c->incident, c->now, c->prior_scale, c->rises_only);
        ck_assert_msg(fabs(r.lbf - c->lbf) < 1e-6, "%s: %.9f, not %.9f", c->name, r.lbf, c->lbf);
        ck_assert_msg(r.onset == c->onset && r.end == c->end, "%s: [%zu, %zu)", c->name, r.onset,
                      r.end);
    }
}
END_TEST

START_TEST(the_null_is_told)
{
    const double past[] = {5, NAN, 7, 6, 6}, now[] = {9, 9.5, 10};
    fl_lbf_shift r = test_values(past, 5, now, 3, 0.4, true);
    ck_assert_uint_eq(r.baseline_count, 4);
    ck_assert_double_eq_tol(r.center, 6, 1e-12);
    ck_assert_double_eq_tol(r.shift, 3.5, 1e-12);
    double mad = 0.5 / 0.6744898, pooled = (4 * 0.16 + 3 * mad * mad) / 7;
    ck_assert_double_eq_tol(r.sigma, sqrt(pooled * 1.25 + 0.04), 1e-7);
}
END_TEST

START_TEST(no_value_on_either_side_is_no_evidence)
{
    const double some[] = {1, 2, 3}, none[] = {NAN, NAN};
    fl_lbf_shift r = test_values(none, 2, some, 3, 0.3, true);
    ck_assert_double_eq(r.lbf, 0);
    ck_assert_uint_eq(r.baseline_count, 0);
    r = test_values(some, 3, none, 2, 0.3, true);
    ck_assert_double_eq(r.lbf, 0);
    ck_assert_uint_eq(r.end, 0);
    r = test_values(some, 0, some, 3, 0.3, true);
    ck_assert_double_eq(r.lbf, 0);
}
END_TEST

START_TEST(gaps_change_only_where_the_windows_are)
{
    const double past[] = {1, 1.1, 0.9, 1}, gappy[] = {NAN, 1, NAN, NAN, 1.1, 0.9, 1, NAN};
    const double now[] = {1, 4, 4.1}, holes[] = {NAN, 1, NAN, 4, NAN, 4.1, NAN};
    fl_lbf_shift a = test_values(past, 4, now, 3, 0.3, true),
                 b = test_values(gappy, 8, holes, 7, 0.3, true);
    ck_assert_double_eq(a.lbf, b.lbf);
    ck_assert_double_eq(a.shift, b.shift);
    ck_assert_uint_eq(a.onset, 1);
    ck_assert_uint_eq(a.end, 3);
    ck_assert_uint_eq(b.onset, 3);
    ck_assert_uint_eq(b.end, 6);
}
END_TEST

START_TEST(a_larger_shift_is_more_evidence)
{
    const double past[] = {1, 1.2, 0.9, 1.1, 1, 0.8};
    for (size_t windows = 1; windows <= 4; windows++) {
        double before = -INFINITY;
        for (int step = 0; step <= 200; step++) {
            double now[4];
            for (size_t w = 0; w < windows; w++)
                now[w] = 1 + 0.05 * step;
            double lbf = test_values(past, 6, now, windows, 0.3, true).lbf;
            ck_assert_msg(lbf >= before - 1e-9, "%zu windows, shift %f: %f after %f", windows,
                          0.05 * step, lbf, before);
            before = lbf;
        }
        ck_assert_double_gt(before, FL_LBF_REAL);
    }
}
END_TEST

START_TEST(only_differences_count)
{
    uint64_t state = 4;
    for (int round = 0; round < 100; round++) {
        double past[PAST], now[NOW], far_past[PAST], far_now[NOW];
        for (size_t i = 0; i < PAST; i++)
            far_past[i] = (past[i] = 3 * uniform(&state)) + 64;
        for (size_t i = 0; i < NOW; i++)
            far_now[i] = (now[i] = 6 * uniform(&state)) + 64;
        double one = test_values(past, PAST, now, NOW, 0.3, false).lbf;
        ck_assert_double_eq_tol(one, test_values(far_past, PAST, far_now, NOW, 0.3, false).lbf,
                                1e-9);
    }
}
END_TEST

START_TEST(a_fall_weighs_as_much_as_a_rise_where_both_count)
{
    const double past[] = {0, 0.1, -0.1, 0}, up[] = {3, 3.2}, down[] = {-3, -3.2};
    double rise = test_values(past, 4, up, 2, 0.3, false).lbf;
    ck_assert_double_eq_tol(rise, test_values(past, 4, down, 2, 0.3, false).lbf, 1e-9);
    ck_assert_double_eq(rise, test_values(past, 4, up, 2, 0.3, true).lbf);
    ck_assert_double_eq(test_values(past, 4, down, 2, 0.3, true).lbf, 0);
}
END_TEST

START_TEST(more_health_is_less_evidence)
{
    double past[30], now[] = {1.02, 0.98}, before = INFINITY;
    for (size_t i = 0; i < 30; i++)
        past[i] = 1 + 0.05 * (double)(i % 3) - 0.05;
    for (size_t count = 3; count <= 30; count += 3) {
        double lbf = test_values(past, count, now, 2, 0.3, true).lbf;
        ck_assert_double_lt(lbf, 0);
        ck_assert_double_lt(lbf, before);
        before = lbf;
    }
}
END_TEST

START_TEST(a_history_without_spread_does_not_make_a_trifle_infinite)
{
    const double past[] = {3, 3, 3, 3, 3, 3, 3, 3}, trifle[] = {3.01, 3.02, 3.01};
    ck_assert_double_lt(test_values(past, 8, trifle, 3, 0, true).lbf, 0);
}
END_TEST

/* ---- presence ---- */

START_TEST(what_vanished_is_a_product_of_shares)
{
    const size_t cases[][3] = {{30, 0, 1}, {30, 0, 5}, {20, 10, 3},
                               {2, 1, 2},  {1, 0, 1},  {300, 4, 7}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double present = (double)cases[i][0], absent = (double)cases[i][1],
               seen = present + absent + 0.12;
        double precision = 1 / (1.0 / 32 + 1 / seen), alpha = precision * (absent + 0.06) / seen,
               null = 0;
        for (size_t w = 0; w < cases[i][2]; w++)
            null += log((alpha + (double)w) / (precision + (double)w));
        double expected = -log((double)cases[i][2] + 1) - null;
        ck_assert_double_eq_tol(fl_lbf_vanished(cases[i][0], cases[i][1], cases[i][2]), expected,
                                1e-9);
    }
}
END_TEST

START_TEST(the_longer_it_was_there_and_is_missing_the_more_evidence)
{
    for (size_t n = 1; n < 30; n++) {
        ck_assert_double_gt(fl_lbf_vanished(n + 1, 0, 3), fl_lbf_vanished(n, 0, 3));
        ck_assert_double_gt(fl_lbf_vanished(30, 0, n + 1), fl_lbf_vanished(30, 0, n));
        ck_assert_double_lt(fl_lbf_vanished(30, n + 1, 3), fl_lbf_vanished(30, n, 3));
    }
    ck_assert_double_lt(fl_lbf_vanished(5, 25, 1), 0);
}
END_TEST

/* ---- the small ones ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

START_TEST(a_median_is_the_middle)
{
    static const struct {
        double values[6];
        size_t count;
        double median;
    } cases[] = {{{4}, 1, 4},
                 {{1, 2}, 2, 1.5},
                 {{9, 1, 5}, 3, 5},
                 {{4, 1, 3, 2}, 4, 2.5},
                 {{7, 7, 7, 7, 7, 0}, 6, 7},
                 {{-1, -3}, 2, -2}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double values[6];
        memcpy(values, cases[i].values, sizeof(values));
        ck_assert_double_eq(fl_median(values, cases[i].count), cases[i].median);
    }
    ck_assert_double_nan(fl_median(NULL, 0));
}
END_TEST

START_TEST(the_fleet_scale_of_normal_deviations_is_their_deviation)
{
    enum { COUNT = 4000 };
    static double deviations[COUNT], sorted[COUNT];
    uint64_t state = 5;
    for (size_t i = 0; i < COUNT; i++) /* Box and Muller 1958 */
        deviations[i] = fabs(2.5 * sqrt(-2 * log(1 - uniform(&state))) *
                             cos(6.283185307179586 * uniform(&state)));
    memcpy(sorted, deviations, sizeof(sorted));
    qsort(sorted, COUNT, sizeof(*sorted), compare_doubles);
    double expected =
        fmax(fmax(sorted[(COUNT - 1) / 2] / 0.6744898, sorted[(COUNT - 1) * 3 / 4] / 1.1503494),
             sorted[(COUNT - 1) * 9 / 10] / 1.6448536);
    double scale = fl_fleet_scale(deviations, COUNT, 0.3);
    ck_assert_double_eq_tol(scale, expected, 1e-12);
    ck_assert_double_eq_tol(scale, 2.5, 0.1);
}
END_TEST

START_TEST(the_fleet_scale_of_few_is_the_fallback)
{
    double five[] = {1, 2, 3, 4, 5}, six[] = {0, 0, 0, 0, 0, 0};
    ck_assert_double_eq(fl_fleet_scale(five, 5, 0.3), 0.3);
    ck_assert_double_eq(fl_fleet_scale(NULL, 0, 0.25), 0.25);
    ck_assert_double_eq(fl_fleet_scale(six, 6, 0.3), 0);
}
END_TEST

START_TEST(log_sum_exp_neither_overflows_nor_loses_the_small)
{
    const double big[] = {1000, 1000}, small[] = {-1000, -1000, -1000}, mixed[] = {-INFINITY, 2},
                 none[] = {-INFINITY, -INFINITY};
    ck_assert_double_eq_tol(fl_log_sum_exp(big, 2), 1000 + log(2), 1e-9);
    ck_assert_double_eq_tol(fl_log_sum_exp(small, 3), -1000 + log(3), 1e-9);
    ck_assert_double_eq_tol(fl_log_sum_exp(mixed, 2), 2, 1e-12);
    ck_assert(fl_log_sum_exp(none, 2) == -INFINITY);
    ck_assert(fl_log_sum_exp(NULL, 0) == -INFINITY);
}
END_TEST

START_TEST(log_gamma_agrees_with_libm)
{
    double worst = 0;
    for (double x = 1e-3; x < 1e6; x *= 1.0007) {
        double expected = lgamma(x),
               difference = fabs(fl_log_gamma(x) - expected) / fmax(fabs(expected), 1);
        worst = fmax(worst, difference);
        ck_assert_msg(difference < 1e-13, "log_gamma(%g) is off by %g", x, difference);
    }
    ck_assert_double_gt(worst, 0);
    double factorial = 0;
    for (int n = 1; n <= 20; n++) {
        ck_assert_double_eq_tol(fl_log_gamma(n), factorial, 1e-12 * fmax(factorial, 1));
        factorial += log(n);
    }
}
END_TEST

START_TEST(student_has_its_closed_forms)
{
    const double pi = 3.14159265358979323846;
    for (double z = -30; z <= 30; z += 0.37) {
        ck_assert_double_eq_tol(fl_log_student(z, 1), -log(pi * (1 + z * z)), 1e-12); /* Cauchy */
        ck_assert_double_eq_tol(fl_log_student(z, 4), log(0.375) - 2.5 * log1p(z * z / 4), 1e-12);
        ck_assert_double_eq_tol(fl_log_student(z / 10, 1e7), -0.5 * log(2 * pi) - z * z / 200,
                                1e-5); /* normal */
    }
}
END_TEST

START_TEST(the_density_of_student_adds_up_to_one)
{
    double sum = 0, step = 0.01;
    for (double z = -200; z <= 200; z += step)
        sum += exp(fl_log_student(z, 4)) * step;
    ck_assert_double_eq_tol(sum, 1, 1e-5);
}
END_TEST

/* ---- memory ---- */

/* ---- histories ---- */

enum { HISTORY = 40 };

/* One value against others, by the test itself. */
static bool is_real_rise(const double *past, size_t count, double value, double scale)
{
    fl_lbf_shift out;
    fl_lbf_values in = {.baseline = past,
                        .baseline_count = count,
                        .incident = &value,
                        .incident_count = 1,
                        .prior_scale = scale,
                        .rises_only = true};
    fl_arena_reset(&scratch);
    ck_assert_ok(fl_lbf_values_test(&out, &in, &scratch, &err));
    return out.lbf > FL_LBF_REAL;
}

static size_t count_values(const double *values, size_t count)
{
    size_t there = 0;
    for (size_t i = 0; i < count; i++)
        there += isnan(values[i]) ? 0 : 1;
    return there;
}

/* Gaps, wandering, and now and then a step of up to a factor of e^4. */
static void fill_history(double *out, uint64_t *state)
{
    double spread = uniform(state);
    for (size_t i = 0; i < HISTORY; i++) {
        out[i] = spread * uniform(state) + (uniform(state) < 0.1 ? 4 * uniform(state) : 0);
        if (uniform(state) < 0.1)
            out[i] = NAN;
    }
}

START_TEST(a_history_learns_what_the_test_would_let_it)
{
    uint64_t state = 5;
    size_t dropped = 0;
    for (int round = 0; round < 200; round++) {
        double history[HISTORY], expected[HISTORY], scale = 0.5 * uniform(&state);
        fill_history(history, &state);
        memcpy(expected, history, sizeof(history));
        for (size_t i = 3; i < HISTORY; i++)
            if (count_values(expected, i) >= 3 && is_real_rise(expected, i, expected[i], scale))
                expected[i] = NAN;
        dropped += count_values(history, HISTORY) - count_values(expected, HISTORY);
        ck_assert_ok(fl_lbf_learn(history, HISTORY, scale, &scratch, &err));
        ck_assert_mem_eq(history, expected, sizeof(history));
    }
    ck_assert_uint_gt(dropped, 100);
}
END_TEST

START_TEST(what_stands_out_of_a_whole_history_is_dropped)
{
    uint64_t state = 6;
    size_t dropped = 0;
    for (int round = 0; round < 200; round++) {
        double history[HISTORY], whole[HISTORY], scale = 0.5 * uniform(&state);
        fill_history(history, &state);
        memcpy(whole, history, sizeof(history));
        ck_assert_ok(fl_lbf_drop_rises(history, HISTORY, scale, &scratch, &err));
        for (size_t i = 0; i < HISTORY; i++) {
            bool drop = is_real_rise(whole, HISTORY, whole[i], scale);
            ck_assert(drop ? isnan(history[i]) : isnan(whole[i]) || history[i] == whole[i]);
            dropped += drop;
        }
    }
    ck_assert_uint_gt(dropped, 100);
}
END_TEST

START_TEST(less_than_the_least_rise_is_never_beyond_the_gate)
{
    for (double scale = 0; scale < 4; scale += 0.01) {
        const double past[] = {0, 0, 0, 0};
        ck_assert(!is_real_rise(past, 1, FL_LBF_LEAST_RISE, scale));
        ck_assert(!is_real_rise(past, 4, FL_LBF_LEAST_RISE, scale));
    }
    const double past[] = {0, 0, 0, 0};
    ck_assert(is_real_rise(past, 4, 1.3, 0)); /* the bound is not idle */
}
END_TEST

START_TEST(a_history_of_nothing_stays_so)
{
    double history[] = {NAN, NAN, NAN, NAN};
    ck_assert_ok(fl_lbf_learn(history, 4, 0.3, &scratch, &err));
    ck_assert_ok(fl_lbf_drop_rises(history, 4, 0.3, &scratch, &err));
    ck_assert_ok(fl_lbf_learn(history, 0, 0.3, &scratch, &err));
    ck_assert_uint_eq(count_values(history, 4), 0);
    fl_arena none = fl_arena_of(8);
    ck_assert_fails(FL_E_NOMEM, fl_lbf_learn(history, 4, 0.3, &none, &err));
    ck_assert_str_eq(err.message, "no memory to compare 4 values");
    ck_assert_int_eq(fl_lbf_drop_rises(history, 4, 0.3, &none, NULL), FL_E_NOMEM);
    fl_arena_dispose(&none);
}
END_TEST

START_TEST(an_exhausted_arena_is_an_error)
{
    double rows[64] = {1};
    fl_lbf_result counts;
    fl_lbf_shift values;
    fl_lbf_counts c = {.outcome_count = 16,
                       .baseline = rows,
                       .baseline_count = 4,
                       .incident = rows,
                       .incident_count = 4};
    fl_lbf_values v = {.baseline = rows,
                       .baseline_count = 40,
                       .incident = rows,
                       .incident_count = 24,
                       .prior_scale = 1};
    fl_arena tiny = fl_arena_of(64);
    ck_assert_fails(FL_E_NOMEM, fl_lbf_counts_test(&counts, &c, &tiny, &err));
    ck_assert_str_eq(err.message, "no memory to compare 16 outcomes");
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOMEM, fl_lbf_values_test(&values, &v, &tiny, &err));
    ck_assert_str_eq(err.message, "no memory to compare 64 values");
    fl_arena_dispose(&tiny);
    for (long n = 0; n < 2; n++) {
        fl_arena fresh = fl_arena_of(1u << 20);
        fl_mem_fail_after(n);
        fl_status status = fl_lbf_counts_test(&counts, &c, &fresh, NULL);
        fl_mem_fail_after(-1);
        ck_assert_fails(n == 0 ? FL_E_NOMEM : FL_OK, status);
        fl_arena_dispose(&fresh);
    }
}
END_TEST

static Suite *lbf_suite(void)
{
    Suite *suite = suite_create("correlate/lbf");
    TCase *counts = tcase_create("counts"), *values = tcase_create("values"),
          *small = tcase_create("small");
    tcase_add_checked_fixture(counts, setup, teardown);
    tcase_add_checked_fixture(values, setup, teardown);
    tcase_add_checked_fixture(small, setup, teardown);
    tcase_add_test(counts, counts_agree_with_the_reference);
    tcase_add_test(counts, one_count_is_the_ratio_of_two_shares);
    tcase_add_test(counts, the_order_of_outcomes_changes_nothing);
    tcase_add_test(counts, the_order_of_baseline_windows_changes_nothing);
    tcase_add_test(counts, the_same_windows_again_are_no_evidence);
    tcase_add_test(counts, the_more_of_a_new_outcome_the_more_evidence);
    tcase_add_test(counts, a_mix_that_always_wanders_is_no_evidence_when_it_wanders_again);
    tcase_add_test(counts, the_changed_run_is_found_wherever_it_is);
    tcase_add_test(counts, random_counts_never_break_it);
    tcase_add_test(values, values_agree_with_the_reference);
    tcase_add_test(values, the_null_is_told);
    tcase_add_test(values, no_value_on_either_side_is_no_evidence);
    tcase_add_test(values, gaps_change_only_where_the_windows_are);
    tcase_add_test(values, a_larger_shift_is_more_evidence);
    tcase_add_test(values, only_differences_count);
    tcase_add_test(values, a_fall_weighs_as_much_as_a_rise_where_both_count);
    tcase_add_test(values, more_health_is_less_evidence);
    tcase_add_test(values, a_history_without_spread_does_not_make_a_trifle_infinite);
    tcase_add_test(small, what_vanished_is_a_product_of_shares);
    tcase_add_test(small, the_longer_it_was_there_and_is_missing_the_more_evidence);
    tcase_add_test(small, a_median_is_the_middle);
    tcase_add_test(small, the_fleet_scale_of_normal_deviations_is_their_deviation);
    tcase_add_test(small, the_fleet_scale_of_few_is_the_fallback);
    tcase_add_test(small, log_sum_exp_neither_overflows_nor_loses_the_small);
    tcase_add_test(small, log_gamma_agrees_with_libm);
    tcase_add_test(small, student_has_its_closed_forms);
    tcase_add_test(small, the_density_of_student_adds_up_to_one);
    tcase_add_test(small, a_history_learns_what_the_test_would_let_it);
    tcase_add_test(small, what_stands_out_of_a_whole_history_is_dropped);
    tcase_add_test(small, less_than_the_least_rise_is_never_beyond_the_gate);
    tcase_add_test(small, a_history_of_nothing_stays_so);
    tcase_add_test(small, an_exhausted_arena_is_an_error);
    suite_add_tcase(suite, counts);
    suite_add_tcase(suite, values);
    suite_add_tcase(suite, small);
    return suite;
}

FL_TEST_MAIN(lbf_suite)
