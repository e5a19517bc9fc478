#include "dominators.h"

#include <stdbool.h>

#include "fl_test.h"
#include "mem.h"

enum { MOST = 64 };

static fl_error err;

static void set_up(void)
{
    err = (fl_error){0};
}

typedef struct graph {
    uint32_t count;
    bool edge[MOST][MOST];
    uint32_t roots[MOST];
    size_t root_count;
} graph;

static fl_flow flow_of(const graph *g)
{
    fl_flow flow = {.count = g->count,
                    .starts = fl_mem_alloc(MOST * sizeof(uint32_t)),
                    .targets = fl_mem_alloc((MOST * MOST + 1) * sizeof(uint32_t)),
                    .roots = g->roots,
                    .root_count = g->root_count};
    uint32_t used = 1;
    ck_assert_ptr_nonnull(flow.starts);
    ck_assert_ptr_nonnull(flow.targets);
    for (uint32_t v = 0; v < g->count; v++) {
        flow.starts[v] = FL_FLOW_NONE;
        for (uint32_t w = 0; w < g->count; w++) {
            if (!g->edge[v][w])
                continue;
            if (flow.starts[v] == FL_FLOW_NONE)
                flow.starts[v] = used;
            flow.targets[used++] = w;
        }
        if (flow.starts[v] != FL_FLOW_NONE)
            flow.targets[used - 1] |= FL_FLOW_LAST;
    }
    return flow;
}

/* What the roots reach without going through `without`. */
static void reach(bool *seen, const graph *g, uint32_t without)
{
    uint32_t stack[MOST * MOST];
    size_t depth = 0;
    memset(seen, 0, MOST * sizeof(*seen));
    for (size_t r = 0; r < g->root_count; r++)
        stack[depth++] = g->roots[r];
    while (depth > 0) {
        uint32_t v = stack[--depth];
        if (v == without || seen[v])
            continue;
        seen[v] = true;
        for (uint32_t w = 0; w < g->count; w++)
            if (g->edge[v][w] && !seen[w])
                stack[depth++] = w;
    }
}

/* By the definition: d dominates v where v is not reached without d; the immediate one is the one
 * that all others dominate. */
static void expect(uint32_t *idom, const graph *g)
{
    bool all[MOST], without[MOST][MOST];
    reach(all, g, UINT32_MAX);
    for (uint32_t d = 0; d < g->count; d++)
        reach(without[d], g, d);
    for (uint32_t v = 0; v < g->count; v++) {
        idom[v] = all[v] ? FL_DOM_ROOT : FL_DOM_NOTHING;
        for (uint32_t d = 0; d < g->count && all[v]; d++) {
            bool is_dominator = d != v && !without[d][v];
            /* deeper than what was found: that one dominates d */
            if (is_dominator && (idom[v] == FL_DOM_ROOT || !without[idom[v]][d]))
                idom[v] = d;
        }
    }
}

static void compare(const graph *g)
{
    uint32_t expected[MOST];
    fl_dominators found;
    fl_flow flow = flow_of(g);
    expect(expected, g);
    ck_assert_ok(fl_dominators_find(&found, &flow, &err));
    bool before[MOST] = {false};
    uint32_t reached = 0;
    for (uint32_t v = 0; v < g->count; v++) {
        ck_assert_uint_eq(found.idom[v], expected[v]);
        reached += expected[v] != FL_DOM_NOTHING;
    }
    ck_assert_uint_eq(found.reached, reached);
    for (uint32_t i = 0; i < found.reached; i++) {
        uint32_t v = found.order[i], d = found.idom[v];
        ck_assert(d == FL_DOM_ROOT || before[d]);
        before[v] = true;
    }
    fl_mem_free(found.idom);
    fl_mem_free(found.order);
}

/* Breadth-first approximations say that a dominates c. */
START_TEST(a_late_second_path_counts)
{
    enum { A, B, C, D, E };
    graph g = {.count = 5, .roots = {A, D}, .root_count = 2};
    g.edge[A][B] = g.edge[A][C] = g.edge[D][E] = g.edge[E][B] = g.edge[B][C] = true;
    fl_dominators found;
    fl_flow flow = flow_of(&g);
    ck_assert_ok(fl_dominators_find(&found, &flow, &err));
    ck_assert_uint_eq(found.idom[A], FL_DOM_ROOT);
    ck_assert_uint_eq(found.idom[B], FL_DOM_ROOT);
    ck_assert_uint_eq(found.idom[C], FL_DOM_ROOT);
    ck_assert_uint_eq(found.idom[D], FL_DOM_ROOT);
    ck_assert_uint_eq(found.idom[E], D);
    fl_mem_free(found.idom);
    fl_mem_free(found.order);
}
END_TEST

/* Lengauer and Tarjan's example (TOPLAS 1, 1979, figure 1): R=0, A=1 ... L=12. */
START_TEST(the_published_example_comes_out)
{
    static const char edges[][3] = {"RA", "RB", "RC", "AD", "BA", "BD", "BE",
                                    "CF", "CG", "DL", "EH", "FI", "GI", "GJ",
                                    "HE", "HK", "IK", "JI", "KI", "KR", "LH"};
    static const char idoms[] = "?RRRRRCCRRGRD"; /* of R, A ... L */
    graph g = {.count = 13, .roots = {0}, .root_count = 1};
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        int from = edges[i][0] == 'R' ? 0 : edges[i][0] - 'A' + 1;
        g.edge[from][edges[i][1] == 'R' ? 0 : edges[i][1] - 'A' + 1] = true;
    }
    fl_dominators found;
    fl_flow flow = flow_of(&g);
    ck_assert_ok(fl_dominators_find(&found, &flow, &err));
    ck_assert_uint_eq(found.idom[0], FL_DOM_ROOT);
    for (uint32_t v = 1; v < 13; v++)
        ck_assert_uint_eq(found.idom[v], idoms[v] == 'R' ? 0u : (uint32_t)(idoms[v] - 'A' + 1));
    fl_mem_free(found.idom);
    fl_mem_free(found.order);
}
END_TEST

START_TEST(random_graphs_agree_with_the_definition)
{
    uint32_t seed = 1;
    for (int round = 0; round < 3000; round++) {
        graph g = {.count = 2 + (uint32_t)round % 30};
        for (uint32_t e = 0; e < g.count * (1 + (uint32_t)round % 3); e++) {
            seed = seed * 1664525u + 1013904223u;
            uint32_t from = (seed >> 8) % g.count;
            seed = seed * 1664525u + 1013904223u;
            g.edge[from][(seed >> 8) % g.count] = true;
        }
        g.root_count = 1 + (size_t)round % 4;
        for (size_t r = 0; r < g.root_count; r++)
            g.roots[r] = (uint32_t)(r * 7) % g.count; /* one may be there twice */
        compare(&g);
    }
}
END_TEST

/* What heaps are made of: trees with references to parents and siblings, and objects to which whole
 * lists refer; few random edges beside them. */
START_TEST(lists_and_trees_that_refer_back_agree_with_the_definition)
{
    uint32_t seed = 7;
    for (int round = 0; round < 3000; round++) {
        graph g = {.count = 4 + (uint32_t)round % (MOST - 4), .roots = {0, 1}, .root_count = 1};
        g.root_count += (size_t)round % 2;
        for (uint32_t v = 1; v < g.count; v++) {
            seed = seed * 1664525u + 1013904223u;
            uint32_t above = (seed >> 8) % v, how = seed >> 28;
            g.edge[above][v] = true;
            g.edge[v][above] = (how & 1) != 0;
            g.edge[v - 1][v] = (how & 2) != 0;
            g.edge[v][v - 1] = (how & 4) != 0;
            g.edge[v][g.count / 2] = round % 3 != 0; /* as to a class */
            if ((how & 8) != 0)
                g.edge[v][(seed >> 16) % g.count] = true;
        }
        compare(&g);
    }
}
END_TEST

START_TEST(a_chain_of_a_million_needs_no_stack)
{
    const uint32_t count = 1000000;
    const uint32_t root = 0;
    fl_flow flow = {.count = count,
                    .starts = fl_mem_alloc(count * sizeof(uint32_t)),
                    .targets = fl_mem_alloc((2 * (size_t)count + 1) * sizeof(uint32_t)),
                    .roots = &root,
                    .root_count = 1};
    fl_dominators found;
    /* there and back again: a doubly linked list */
    for (uint32_t v = 0; v < count; v++) {
        flow.starts[v] = 2 * v + 1;
        flow.targets[2 * v + 1] = v > 0 ? v - 1 : 0;
        flow.targets[2 * v + 2] = (v + 1 < count ? v + 1 : v) | FL_FLOW_LAST;
    }
    ck_assert_ok(fl_dominators_find(&found, &flow, &err));
    uint32_t wrong = 0;
    for (uint32_t v = 1; v < count; v++)
        wrong += found.idom[v] != v - 1;
    ck_assert_uint_eq(wrong, 0);
    fl_mem_free(found.idom);
    fl_mem_free(found.order);
}
END_TEST

START_TEST(without_roots_nothing_is_reached)
{
    graph g = {.count = 3};
    g.edge[0][1] = true;
    compare(&g);
    g.count = 0;
    compare(&g);
}
END_TEST

START_TEST(each_allocation_that_fails_is_reported)
{
    graph g = {.count = 3, .roots = {0}, .root_count = 1};
    g.edge[0][1] = g.edge[1][2] = true;
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        fl_dominators found;
        fl_flow flow = flow_of(&g);
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_dominators_find(&found, &flow, &err);
        fl_mem_fail_after(-1);
        if (status != FL_OK)
            ck_assert_str_eq(err.message, "out of memory for the dominator tree");
        ck_assert_int_lt(n, 20);
        fl_mem_free(found.idom);
        fl_mem_free(found.order);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap/dominators");
    TCase *tcase = tcase_create("dominators");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, a_late_second_path_counts);
    tcase_add_test(tcase, the_published_example_comes_out);
    tcase_add_test(tcase, random_graphs_agree_with_the_definition);
    tcase_add_test(tcase, lists_and_trees_that_refer_back_agree_with_the_definition);
    tcase_add_test(tcase, a_chain_of_a_million_needs_no_stack);
    tcase_add_test(tcase, without_roots_nothing_is_reached);
    tcase_add_test(tcase, each_allocation_that_fails_is_reported);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
