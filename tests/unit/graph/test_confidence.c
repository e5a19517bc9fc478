#include "confidence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "slice.h"

#include "fl_test.h"

#define DAY INT64_C(86400000000000)
#define NOW (20000 * DAY)

/* Computed with exact fractions: for whole a and b, I_x(a, b) is the probability of at least a
 * successes in a + b - 1 trials, and its inverse a bisection of that. */
static const struct {
    double x, a, b, cdf;
} cdfs[] = {
    {0.1, 1, 1, 0.10000000000000001},
    {0.25, 2, 3, 0.26171875},
    {0.5, 7, 2, 0.03515625},
    {0.9, 7, 2, 0.81310473000000005},
    {0.01, 1, 20, 0.18209306240276912},
    {0.3, 30, 70, 0.51162510455860921},
    {0.7, 48, 2, 5.6523187054632957e-07},
    {0.95, 48, 3, 0.54053312271951526},
    {0.5, 150, 150, 0.5},
    {0.4, 150, 150, 0.0002356060556082238},
};

static const struct {
    double p, a, b, x;
} quantiles[] = {
    {0.05, 1, 1, 0.050000000000000003},    {0.05, 2, 1, 0.22360679774997896},
    {0.05, 48, 3, 0.87938584457795588},    {0.95, 48, 3, 0.9834481408107687},
    {0.05, 7, 2, 0.52932059139886833},     {0.95, 7, 2, 0.95361073602038882},
    {0.5, 30, 70, 0.29866197430869573},    {0.05, 1, 40, 0.0012815105228752603},
    {0.95, 100, 100, 0.55803015794234101},
};

static bool close_to(double got, double wanted)
{
    return fabs(got - wanted) <= 1e-11 * fmax(fabs(wanted), 1e-3);
}

START_TEST(the_incomplete_beta_function_has_its_exact_values)
{
    double got = fl_beta_cdf(cdfs[_i].x, cdfs[_i].a, cdfs[_i].b);
    ck_assert_msg(close_to(got, cdfs[_i].cdf), "%.17g, not %.17g", got, cdfs[_i].cdf);
    double other = fl_beta_cdf(1 - cdfs[_i].x, cdfs[_i].b, cdfs[_i].a);
    ck_assert_msg(close_to(1 - other, cdfs[_i].cdf) || fabs(1 - other - cdfs[_i].cdf) < 1e-14,
                  "mirrored: %.17g", 1 - other);
}
END_TEST

START_TEST(its_inverse_has_its_exact_values)
{
    double got = fl_beta_quantile(quantiles[_i].p, quantiles[_i].a, quantiles[_i].b);
    ck_assert_msg(close_to(got, quantiles[_i].x), "%.17g, not %.17g", got, quantiles[_i].x);
}
END_TEST

START_TEST(the_inverse_undoes_the_function_from_tiny_to_huge_parameters)
{
    static const double parameters[] = {0.01, 0.5, 1, 3.7, 80, 5e3, 1e6};
    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < 7; j++)
            for (double p = 0.05; p < 1; p += 0.15) {
                double a = parameters[i], b = parameters[j], x = fl_beta_quantile(p, a, b);
                ck_assert(x >= 0 && x <= 1);
                /* Where x is as near 0 or 1 as a double can be, p cannot be met any better. */
                if (x > 1e-300 && 1 - x > 1e-8)
                    ck_assert_msg(fabs(fl_beta_cdf(x, a, b) - p) < 1e-8, "%g %g %g: %g", p, a, b,
                                  fl_beta_cdf(x, a, b));
            }
    ck_assert(fl_beta_quantile(0, 2, 3) == 0);
    ck_assert(fl_beta_quantile(1, 2, 3) == 1);
    ck_assert(fl_beta_cdf(0, 2, 3) == 0);
    ck_assert(fl_beta_cdf(1, 2, 3) == 1);
}
END_TEST

static fl_confidence of(fl_observation *items, size_t count)
{
    fl_confidence out;
    fl_confidence_of(&out, items, count, FL_HALF_LIFE_DAYS, NOW);
    ck_assert(out.low <= out.mean && out.mean <= out.high);
    return out;
}

static fl_observation said(fl_evidence_source source, uint64_t author, bool supports,
                           int64_t days_ago)
{
    return (fl_observation){
        .source = source, .author = author, .supports = supports, .at_ns = NOW - days_ago * DAY};
}

START_TEST(without_evidence_there_is_the_prior)
{
    fl_confidence none = of(NULL, 0);
    ck_assert_double_eq(none.mean, 0.5);
    ck_assert_double_eq_tol(none.low, 0.006156, 1e-6); /* sin^2(pi / 40), the arcsine law */
    ck_assert_double_eq_tol(none.high, 1 - 0.006156, 1e-6);
}
END_TEST

START_TEST(one_of_one_does_not_outrank_forty_eight_of_fifty)
{
    fl_observation items[50];
    for (uint64_t i = 0; i < 50; i++)
        items[i] = said(FL_SOURCE_PERSON, i, i >= 2, 0);
    fl_confidence many = of(items, 50), one = of(items + 2, 1);
    ck_assert_double_eq(many.a, 48.5);
    ck_assert_double_eq(many.b, 2.5);
    ck_assert(many.low > one.low);
}
END_TEST

START_TEST(what_is_one_half_life_old_counts_half)
{
    fl_observation old = said(FL_SOURCE_PERSON, 1, true, 180);
    fl_observation future = said(FL_SOURCE_PERSON, 1, false, -400);
    ck_assert_double_eq_tol(of(&old, 1).a, 1.0, 1e-12);
    ck_assert_double_eq_tol(of(&future, 1).b, 1.5, 1e-12);
}
END_TEST

START_TEST(no_author_outweighs_the_cap_of_its_source)
{
    fl_observation items[1000];
    for (fl_evidence_source source = 0; source < FL_SOURCE_COUNT; source++) {
        for (size_t i = 0; i < 1000; i++)
            items[i] = said(source, 7, i % 4 != 0, 0);
        fl_confidence loud = of(items, 1000);
        double cap = fl_source_cap(source);
        ck_assert_double_eq_tol(loud.a, 0.5 + 0.75 * cap, 1e-9);
        ck_assert_double_eq_tol(loud.b, 0.5 + 0.25 * cap, 1e-9);
        ck_assert(fabs(loud.mean - 0.5) <= cap / (cap + 1));
    }
}
END_TEST

START_TEST(different_authors_add_up)
{
    fl_observation items[] = {said(FL_SOURCE_PERSON, 1, true, 0),
                              said(FL_SOURCE_PERSON, 2, true, 0),
                              said(FL_SOURCE_DOCUMENT, 1, false, 0)};
    fl_confidence all = of(items, 3);
    ck_assert_double_eq(all.a, 2.5);
    ck_assert_double_eq_tol(all.b, 0.5 + fl_source_weight(FL_SOURCE_DOCUMENT), 1e-12);
}
END_TEST

START_TEST(a_drill_never_counts)
{
    fl_observation drill = said(FL_SOURCE_DRILL, 1, true, 0);
    fl_confidence with = of(&drill, 1);
    ck_assert_double_eq(with.a, 0.5);
    ck_assert_double_eq(with.b, 0.5);
}
END_TEST

START_TEST(a_path_is_as_sure_as_the_product_of_its_edges)
{
    fl_confidence edges[3], path;
    fl_confidence_beta(&edges[0], 8, 2);
    fl_confidence_beta(&edges[1], 5, 5);
    fl_confidence_beta(&edges[2], 1, 1);
    fl_confidence_path(&path, edges, 3);
    ck_assert_double_eq_tol(path.mean, 0.8 * 0.5 * 0.5, 1e-12);
    /* The second moment is kept: E[x^2] = prod a (a + 1) / ((a + b) (a + b + 1)). */
    double square = (8 * 9 / 110.0) * (5 * 6 / 110.0) * (1 * 2 / 6.0), n = path.a + path.b;
    ck_assert_double_eq_tol(path.a * (path.a + 1) / (n * (n + 1)), square, 1e-12);
    fl_confidence_path(&path, edges, 1);
    ck_assert_double_eq_tol(path.low, edges[0].low, 1e-9);
    ck_assert_double_eq_tol(path.high, edges[0].high, 1e-9);
}
END_TEST

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* splitmix64 in (0, 1), from a fixed seed. */
static double draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return ((double)((z ^ z >> 31) >> 11) + 0.5) * 0x1p-53;
}

/* The distribution of a product of betas is not a beta; the interval by moments is compared with
 * quantiles of 20,000 products drawn by inversion (their own error is below 0.005). */
START_TEST(the_interval_of_a_path_is_that_of_sampling)
{
    enum { DRAWS = 20000 };
    static const double cases[][4] = {{6.5, 1.5, 3.5, 0.5},  {20.5, 4.5, 10.5, 2.5},
                                      {1.5, 0.5, 1.5, 0.5},  {2.5, 3.5, 5.5, 1.5},
                                      {48.5, 2.5, 1.5, 0.5}, {0.5, 0.5, 0.5, 0.5}};
    static double product[DRAWS];
    uint64_t state = 1;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        const double *p = cases[c];
        fl_confidence edges[2], path;
        fl_confidence_beta(&edges[0], p[0], p[1]);
        fl_confidence_beta(&edges[1], p[2], p[3]);
        fl_confidence_path(&path, edges, 2);
        for (size_t i = 0; i < DRAWS; i++)
            product[i] = fl_beta_quantile(draw(&state), p[0], p[1]) *
                         fl_beta_quantile(draw(&state), p[2], p[3]);
        qsort(product, DRAWS, sizeof(product[0]), compare_doubles);
        double low = fabs(path.low - product[DRAWS / 20]),
               high = fabs(path.high - product[DRAWS - DRAWS / 20]);
        printf("case %zu: low off by %.4f, high by %.4f\n", c, low, high);
        ck_assert_double_lt(low, 0.03);
        ck_assert_double_lt(high, 0.03);
    }
}
END_TEST

START_TEST(a_path_of_certain_edges_stays_finite)
{
    fl_confidence edges[2], path;
    fl_confidence_beta(&edges[0], 1e15, 1e-3);
    edges[1] = edges[0];
    fl_confidence_path(&path, edges, 2);
    ck_assert(isfinite(path.a) && isfinite(path.b));
    ck_assert(path.mean > 0.999 && path.high <= 1);
}
END_TEST

START_TEST(every_source_is_found_by_its_name)
{
    for (fl_evidence_source source = 0; source < FL_SOURCE_COUNT; source++) {
        fl_evidence_source found = FL_SOURCE_COUNT;
        ck_assert(fl_source_of(fl_slice_of(fl_source_name(source)), &found));
        ck_assert_int_eq(found, source);
        ck_assert(fl_source_weight(source) <= 1);
    }
    fl_evidence_source none;
    ck_assert(!fl_source_of(SLICE("rumour"), &none));
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

START_TEST(sums_alone_are_those_of_the_whole)
{
    fl_observation items[] = {{FL_SOURCE_PERSON, 1, true, 0}, {FL_SOURCE_DOCUMENT, 2, false, 5}};
    fl_confidence whole, sums;
    fl_confidence_of(&whole, items, 2, FL_HALF_LIFE_DAYS, 10);
    fl_confidence_sums(&sums, items, 2, FL_HALF_LIFE_DAYS, 10);
    ck_assert(sums.a == whole.a && sums.b == whole.b && sums.mean == whole.mean);
    ck_assert(isnan(sums.low) && isnan(sums.high));
}
END_TEST

/* Two authors under their caps and one beyond, by hand in the order of the sums. */
START_TEST(what_is_counted_one_by_one_is_the_sum)
{
    fl_observation items[64];
    fl_confidence sums, counted;
    fl_confidence_tally tally;
    for (size_t i = 0; i < 64; i++)
        items[i] = said(i < 30 ? FL_SOURCE_PERSON : FL_SOURCE_DOCUMENT, i < 50 ? i % 3 : 9,
                        i % 4 != 0, (int64_t)(i * 37 % 200));
    fl_confidence_sums(&sums, items, 64, FL_HALF_LIFE_DAYS, NOW); /* and sorts them */
    fl_confidence_begin(&tally);
    for (size_t i = 0; i < 64; i++)
        fl_confidence_count(
            &tally, &items[i], items[i].supports,
            fl_source_weight_aged(items[i].source, items[i].at_ns, FL_HALF_LIFE_DAYS, NOW));
    fl_confidence_end(&counted, &tally);
    ck_assert(counted.a == sums.a && counted.b == sums.b && counted.mean == sums.mean);
    ck_assert(sums.a > 10 && sums.a + sums.b < 1 + 30 + 4 * fl_source_cap(FL_SOURCE_DOCUMENT));
}
END_TEST

START_TEST(an_interval_in_parts_is_that_of_the_whole)
{
    fl_confidence whole, parts;
    for (double a = 0.1; a < 3000; a *= 1.7) {
        fl_confidence_beta(&whole, a, 5);
        fl_confidence_mean(&parts, a, 5);
        ck_assert(isnan(parts.low) && isnan(parts.high));
        fl_confidence_low(&parts);
        fl_confidence_high(&parts);
        ck_assert(parts.mean == whole.mean && parts.low == whole.low && parts.high == whole.high);
        ck_assert(fabs(fl_beta_cdf(parts.low, a, 5) - 0.05) < 1e-12);
        ck_assert(fabs(fl_beta_cdf(parts.high, a, 5) - 0.95) < 1e-12);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("confidence");
    TCase *tc = tcase_create("confidence");
    tcase_add_loop_test(tc, the_incomplete_beta_function_has_its_exact_values, 0, COUNT(cdfs));
    tcase_add_loop_test(tc, its_inverse_has_its_exact_values, 0, COUNT(quantiles));
    tcase_add_test(tc, the_inverse_undoes_the_function_from_tiny_to_huge_parameters);
    tcase_add_test(tc, without_evidence_there_is_the_prior);
    tcase_add_test(tc, one_of_one_does_not_outrank_forty_eight_of_fifty);
    tcase_add_test(tc, what_is_one_half_life_old_counts_half);
    tcase_add_test(tc, no_author_outweighs_the_cap_of_its_source);
    tcase_add_test(tc, different_authors_add_up);
    tcase_add_test(tc, a_drill_never_counts);
    tcase_add_test(tc, a_path_is_as_sure_as_the_product_of_its_edges);
    tcase_add_test(tc, the_interval_of_a_path_is_that_of_sampling);
    tcase_add_test(tc, a_path_of_certain_edges_stays_finite);
    tcase_add_test(tc, every_source_is_found_by_its_name);
    tcase_add_test(tc, sums_alone_are_those_of_the_whole);
    tcase_add_test(tc, what_is_counted_one_by_one_is_the_sum);
    tcase_add_test(tc, an_interval_in_parts_is_that_of_the_whole);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
