#include "snapshot.h"

#include <math.h>

#include "mem.h"

#include "fl_test.h"

static fl_error err;
static fl_snapshot snapshot;

static void setup(void)
{
    err = (fl_error){0};
    snapshot = (fl_snapshot){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_snapshot_dispose(&snapshot);
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

enum { NODES = 40, EDGES = 160 };

/* Every fifth node has nothing that leaves it. */
static void make_edges(fl_snapshot_edge *edges, uint64_t seed)
{
    for (uint32_t i = 0; i < EDGES; i++) {
        uint32_t from = next_random(&seed) % NODES;
        edges[i] = (fl_snapshot_edge){.from = from % 5 == 0 ? from + 1 : from,
                                      .to = next_random(&seed) % NODES};
    }
}

START_TEST(every_edge_is_found_from_both_of_its_ends)
{
    fl_snapshot_edge edges[EDGES];
    make_edges(edges, (uint64_t)_i);
    ck_assert_ok(fl_snapshot_build(&snapshot, NODES, edges, EDGES, &err));
    for (uint32_t n = 0; n < NODES; n++) {
        uint32_t out = snapshot.out_start[n], in = snapshot.in_start[n];
        for (size_t i = 0; i < EDGES; i++) /* in the order in which they were given */
            if (edges[i].from == n)
                ck_assert_uint_eq(snapshot.out_to[out++], edges[i].to);
        for (uint32_t from = 0; from < NODES; from++)
            for (size_t i = 0; i < EDGES; i++)
                if (edges[i].from == from && edges[i].to == n)
                    ck_assert_uint_eq(snapshot.in_from[in++], from);
        ck_assert_uint_eq(out, snapshot.out_start[n + 1]);
        ck_assert_uint_eq(in, snapshot.in_start[n + 1]);
    }
    ck_assert_uint_eq(snapshot.out_start[NODES], EDGES);
    ck_assert_uint_le(fl_snapshot_bytes(&snapshot), EDGES * 8 + (NODES + 2) * 8);
}
END_TEST

START_TEST(a_graph_of_nothing_is_a_graph)
{
    ck_assert_ok(fl_snapshot_build(&snapshot, 0, NULL, 0, &err));
    ck_assert_uint_eq(snapshot.edge_count, 0);
    fl_snapshot_dispose(&snapshot);
    ck_assert_ok(fl_snapshot_build(&snapshot, 3, NULL, 0, &err));
    ck_assert_uint_eq(snapshot.out_start[3], 0);
}
END_TEST

START_TEST(too_many_nodes_are_refused)
{
    ck_assert_fails(FL_E_LIMIT, fl_snapshot_build(&snapshot, UINT32_MAX, NULL, 0, &err));
    ck_assert_str_eq(err.message,
                     "a graph of 4294967295 nodes and 0 edges is beyond 4294967294 of each");
    ck_assert_ptr_null(snapshot.out_start);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_snapshot_edge edges[EDGES];
    double rank[NODES];
    uint32_t seed = 3;
    fl_pagerank question = {.seeds = &seed, .seed_count = 1, .damping = 0.85};
    make_edges(edges, 1);
    for (long n = 0; n < 6; n++) {
        fl_mem_fail_after(n);
        fl_status status = fl_snapshot_build(&snapshot, NODES, edges, EDGES, &err);
        if (status == FL_OK)
            status = fl_snapshot_pagerank(rank, &snapshot, &question, &err);
        ck_assert_fails(FL_E_NOMEM, status);
        fl_snapshot_dispose(&snapshot);
    }
    fl_mem_fail_after(6);
    ck_assert_ok(fl_snapshot_build(&snapshot, NODES, edges, EDGES, &err));
    ck_assert_ok(fl_snapshot_pagerank(rank, &snapshot, &question, &err));
}
END_TEST

/* The ranks solve (I - M) r = (1 - d) s, with what has nowhere to go handed to the seeds. Solved
 * densely by Gaussian elimination with pivoting. */
static void solve(double *rank, const fl_snapshot_edge *edges, const fl_pagerank *question)
{
    static double m[NODES][NODES + 1];
    double degree[NODES] = {0}, start[NODES] = {0};
    memset(m, 0, sizeof(m));
    for (size_t i = 0; i < EDGES; i++)
        degree[edges[i].from]++;
    for (size_t i = 0; i < question->seed_count; i++)
        start[question->seeds[i]] += 1.0 / (double)question->seed_count;
    for (size_t i = 0; i < EDGES; i++)
        m[edges[i].to][edges[i].from] -= question->damping / degree[edges[i].from];
    for (size_t n = 0; n < NODES; n++) {
        m[n][n] += 1;
        m[n][NODES] = (1 - question->damping) * start[n];
        for (size_t from = 0; from < NODES; from++)
            m[n][from] -= degree[from] == 0 ? question->damping * start[n] : 0;
    }
    for (size_t c = 0; c < NODES; c++) {
        size_t pivot = c;
        for (size_t r = c; r < NODES; r++)
            pivot = fabs(m[r][c]) > fabs(m[pivot][c]) ? r : pivot;
        for (size_t k = 0; k <= NODES; k++) {
            double swapped = m[c][k];
            m[c][k] = m[pivot][k];
            m[pivot][k] = swapped;
        }
        for (size_t r = 0; r < NODES; r++) {
            double share = r != c ? m[r][c] / m[c][c] : 0;
            for (size_t k = c; k <= NODES; k++)
                m[r][k] -= share * m[c][k];
        }
    }
    for (size_t n = 0; n < NODES; n++)
        rank[n] = m[n][NODES] / m[n][n];
}

START_TEST(pagerank_solves_its_equation)
{
    fl_snapshot_edge edges[EDGES];
    double rank[NODES], exact[NODES], sum = 0;
    const uint32_t seeds[] = {3, 17, 17, 30};
    fl_pagerank question = {.seeds = seeds, .seed_count = 4, .damping = 0.5 + 0.1 * (_i % 5)};
    make_edges(edges, (uint64_t)_i);
    ck_assert_ok(fl_snapshot_build(&snapshot, NODES, edges, EDGES, &err));
    ck_assert_ok(fl_snapshot_pagerank(rank, &snapshot, &question, &err));
    solve(exact, edges, &question);
    for (size_t n = 0; n < NODES; n++) {
        ck_assert_msg(fabs(rank[n] - exact[n]) < 1e-8, "%zu: %.12g, not %.12g", n, rank[n],
                      exact[n]);
        sum += rank[n];
    }
    ck_assert_double_eq_tol(sum, 1, 1e-9);
}
END_TEST

START_TEST(pagerank_is_what_igraph_says)
{
    /* python-igraph 1.0.0, personalized_pagerank(damping=0.85, implementation="prpack"). Node 7 has
     * nothing that leaves it, 4 leads to 5 twice, 6 to itself. */
    static const uint32_t ends[][2] = {{0, 1}, {0, 2}, {1, 2}, {2, 0}, {3, 2}, {3, 4}, {4, 5},
                                       {4, 5}, {5, 3}, {5, 6}, {6, 6}, {1, 7}, {2, 5}};
    static const double theirs[] = {0.0703311410487, 0.0298907349457, 0.0708979624681,
                                    0.0665968592247, 0.14890218617,   0.156698492293,
                                    0.443979061498,  0.0127035623519};
    enum { COUNT = sizeof(ends) / sizeof(ends[0]), KNOWN = sizeof(theirs) / sizeof(theirs[0]) };
    const uint32_t seeds[] = {4, 0, 4, 4};
    const fl_pagerank question = {.seeds = seeds, .seed_count = 4, .damping = 0.85};
    fl_snapshot_edge edges[COUNT] = {0};
    double rank[KNOWN];
    for (size_t i = 0; i < COUNT; i++)
        edges[i] = (fl_snapshot_edge){.from = ends[i][0], .to = ends[i][1]};
    ck_assert_ok(fl_snapshot_build(&snapshot, KNOWN, edges, COUNT, &err));
    ck_assert_ok(fl_snapshot_pagerank(rank, &snapshot, &question, &err));
    for (size_t n = 0; n < KNOWN; n++)
        ck_assert_msg(fabs(rank[n] - theirs[n]) < 1e-6 * theirs[n], "%zu: %.12g", n, rank[n]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *tc = tcase_create("snapshot");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, every_edge_is_found_from_both_of_its_ends, 0, 10);
    tcase_add_test(tc, a_graph_of_nothing_is_a_graph);
    tcase_add_test(tc, too_many_nodes_are_refused);
    tcase_add_test(tc, every_allocation_may_fail);
    tcase_add_loop_test(tc, pagerank_solves_its_equation, 0, 20);
    tcase_add_test(tc, pagerank_is_what_igraph_says);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
