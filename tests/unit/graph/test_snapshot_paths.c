#include "snapshot_paths.h"

#include <math.h>

#include "mem.h"

#include "fl_test.h"

enum { EXPLAINED = 2, RESOLVED = 3, OTHER = 5 };

/* Symptoms 0 and 1, causes 2 and 3, fixes 4 and 5: cause 2 explains both symptoms, 3 one of them,
 * and better. */
static const fl_snapshot_edge small[] = {
    {0, 2, EXPLAINED, 8.5F, 0.5F}, {1, 2, EXPLAINED, 8.5F, 0.5F}, {0, 3, EXPLAINED, 9.5F, 0.5F},
    {2, 4, RESOLVED, 3.5F, 2.5F},  {2, 5, RESOLVED, 6.5F, 0.5F},  {0, 4, OTHER, 90.5F, 0.5F},
    {2, 0, OTHER, 90.5F, 0.5F}};

static fl_error err;
static fl_snapshot snapshot;
static fl_arena arena;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(64U << 20);
    ck_assert_ok(fl_snapshot_build(&snapshot, 6, small, sizeof(small) / sizeof(small[0]), &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_snapshot_dispose(&snapshot);
    fl_arena_dispose(&arena);
}

static const uint32_t both[] = {0, 1};

static fl_snapshot_question question(void)
{
    return (fl_snapshot_question){.starts = both,
                                  .count = 2,
                                  .first = EXPLAINED,
                                  .second = RESOLVED,
                                  .most_edges = 100,
                                  .most_paths = 10,
                                  .most_ends = 10};
}

static fl_snapshot_answer ask(const fl_snapshot_question *q)
{
    fl_snapshot_answer out;
    ck_assert_ok(fl_snapshot_paths(&out, &snapshot, q, &arena, &err));
    return out;
}

START_TEST(what_explains_all_comes_before_what_explains_a_part)
{
    const fl_snapshot_question q = question();
    const fl_snapshot_answer out = ask(&q);
    ck_assert_uint_eq(out.count, 2);
    ck_assert_uint_eq(out.found, 2);
    ck_assert(!out.cut);
    ck_assert_uint_eq(out.paths[0].node, 2);
    ck_assert_uint_eq(out.paths[0].shared, 2);
    ck_assert_uint_eq(out.paths[1].node, 3);
    ck_assert_uint_eq(out.paths[1].shared, 1);
}
END_TEST

START_TEST(a_posterior_is_the_average_with_the_prior_where_nothing_points)
{
    const fl_snapshot_question q = question();
    const fl_snapshot_answer out = ask(&q);
    fl_confidence expected;
    fl_confidence_beta(&expected, 8.5, 0.5);
    ck_assert_mem_eq(&out.paths[0].confidence, &expected, sizeof(expected));
    fl_confidence_beta(&expected, (9.5 + 0.5) / 2, 0.5); /* the other symptom: Beta(1/2, 1/2) */
    ck_assert_mem_eq(&out.paths[1].confidence, &expected, sizeof(expected));
}
END_TEST

START_TEST(weights_move_the_average)
{
    const double weights[] = {3, 1};
    fl_snapshot_question q = question();
    q.weights = weights;
    const fl_snapshot_answer out = ask(&q);
    for (size_t i = 0; i < out.count; i++)
        if (out.paths[i].node == 3)
            ck_assert_double_eq_tol(out.paths[i].confidence.a, (3 * 9.5 + 0.5) / 4, 1e-12);
}
END_TEST

START_TEST(fixes_are_as_sure_as_both_edges)
{
    const fl_snapshot_question q = question();
    const fl_snapshot_answer out = ask(&q);
    const fl_confidence edges[] = {out.paths[0].confidence, {.a = 6.5, .b = 0.5}};
    fl_confidence expected;
    fl_confidence_path(&expected, edges, 2);
    ck_assert_uint_eq(out.paths[0].end_count, 2);
    ck_assert_uint_eq(out.paths[0].ends[0].node, 5);
    ck_assert_mem_eq(&out.paths[0].ends[0].confidence, &expected, sizeof(expected));
    ck_assert_uint_eq(out.paths[0].ends[1].node, 4);
    ck_assert_uint_eq(out.paths[1].end_count, 0);
}
END_TEST

START_TEST(no_more_is_told_than_was_asked_for)
{
    fl_snapshot_question q = question();
    q.most_paths = 1;
    q.most_ends = 1;
    const fl_snapshot_answer out = ask(&q);
    ck_assert_uint_eq(out.count, 1);
    ck_assert_uint_eq(out.found, 2);
    ck_assert_uint_eq(out.paths[0].end_count, 1);
    ck_assert_uint_eq(out.paths[0].ends[0].node, 5);
}
END_TEST

/* A symptom with 100,000 causes, each of which has 1,000 fixes at one node behind it. */
START_TEST(a_hub_is_cut_and_says_so)
{
    enum { SPOKES = 100000 };
    fl_snapshot_edge *edges = fl_mem_calloc(SPOKES, sizeof(*edges));
    ck_assert_ptr_nonnull(edges);
    for (uint32_t i = 0; i < SPOKES; i++)
        edges[i] = (fl_snapshot_edge){0, 1 + i, EXPLAINED, 1.5F, 0.5F};
    fl_snapshot_dispose(&snapshot);
    ck_assert_ok(fl_snapshot_build(&snapshot, SPOKES + 1, edges, SPOKES, &err));
    fl_mem_free(edges);
    fl_snapshot_question q = question();
    q.count = 1;
    fl_snapshot_answer out = ask(&q);
    ck_assert(out.cut);
    ck_assert_uint_eq(out.found, 100);
    q.most_edges = SPOKES;
    out = ask(&q);
    ck_assert(out.cut);
    ck_assert_uint_eq(out.found, FL_SNAPSHOT_MAX_MIDDLES);
    ck_assert_uint_eq(out.paths[0].node, 1); /* all alike: the first in number */
}
END_TEST

START_TEST(nothing_known_is_no_paths)
{
    const uint32_t end = 5;
    fl_snapshot_question q = question();
    q.starts = &end;
    q.count = 1;
    const fl_snapshot_answer out = ask(&q);
    ck_assert_uint_eq(out.count, 0);
    ck_assert(!out.cut);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    const fl_snapshot_question q = question();
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        fl_snapshot_answer out;
        ck_assert_int_lt(n, 50);
        fl_arena_dispose(&arena);
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_snapshot_paths(&out, &snapshot, &q, &arena, &err);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("snapshot_paths");
    TCase *tc = tcase_create("snapshot_paths");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_explains_all_comes_before_what_explains_a_part);
    tcase_add_test(tc, a_posterior_is_the_average_with_the_prior_where_nothing_points);
    tcase_add_test(tc, weights_move_the_average);
    tcase_add_test(tc, fixes_are_as_sure_as_both_edges);
    tcase_add_test(tc, no_more_is_told_than_was_asked_for);
    tcase_add_test(tc, a_hub_is_cut_and_says_so);
    tcase_add_test(tc, nothing_known_is_no_paths);
    tcase_add_test(tc, every_allocation_may_fail);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
