#include "graph_view.h"

#include <stdio.h>

#include "graph_find.h"
#include "mem.h"
#include "path_evidence.h"
#include "service_symptoms.h"

#include "fl_graph_made.h"
#include "fl_store_place.h"
#include "fl_test.h"

static fl_error err;
static fl_store_place place;
static fl_store *store;
static fl_arena arena;
static fl_made_graph made;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(256u << 20);
    fl_store_place_make(&place);
    store = NULL;
    fl_make_graph(&made);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
    ck_assert_ok(fl_graph_add(NULL, store, &made.batch, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
    fl_store_close(store);
    fl_store_place_clear(&place);
}

static fl_status find(fl_graph_node *out, const char *word)
{
    const fl_graph_find_question question = {.word = word, .as_of_ns = FL_GRAPH_NOW};
    return fl_graph_find(out, store, &question, &arena, &err);
}

/* ---- finding ---- */

START_TEST(a_node_is_found_by_each_way_of_naming_it)
{
    char id[24];
    fl_graph_node node;
    snprintf(id, sizeof(id), "%llu", (unsigned long long)made.nodes[2].id);
    const char *words[] = {"fix:raise maxTotal", id, "raise maxTotal", "raise", "fix:raise"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        ck_assert_ok(find(&node, words[i]));
        ck_assert_uint_eq(node.id, made.nodes[2].id);
        ck_assert_str_eq(node.key, "raise maxTotal");
    }
}
END_TEST

START_TEST(what_is_not_there_yet_is_not_found)
{
    fl_graph_node node;
    const fl_graph_find_question question = {.word = "fix:raise maxTotal",
                                             .as_of_ns = FL_MADE_AT_NS};
    ck_assert_fails(FL_E_NOTFOUND, fl_graph_find(&node, store, &question, &arena, &err));
    ck_assert_str_eq(err.message, "no node 'fix:raise maxTotal' in the graph");
}
END_TEST

START_TEST(a_mistake_is_answered_with_the_nearest_and_nothing_with_nothing)
{
    fl_graph_node node;
    ck_assert_fails(FL_E_NOTFOUND, find(&node, "fix:rise maxtotal"));
    ck_assert_str_eq(err.message, "no node 'fix:rise maxtotal' in the graph; did you mean"
                                  " 'fix:raise maxTotal'?");
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOTFOUND, find(&node, "maxTotal"));
    ck_assert_str_eq(err.message, "no node 'maxTotal' in the graph; did you mean"
                                  " 'fix:raise maxTotal'?");
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOTFOUND, find(&node, "zebra crossing"));
    ck_assert_str_eq(err.message, "no node 'zebra crossing' in the graph");
    err = (fl_error){0};
    ck_assert_fails(FL_E_SYNTAX, find(&node, ""));
}
END_TEST

START_TEST(several_that_fit_are_listed)
{
    fl_graph_node node, more[5];
    char keys[5][16];
    for (int i = 0; i < 5; i++) {
        snprintf(keys[i], sizeof(keys[i]), "service-%d", i);
        more[i] = fl_made_node(FL_NODE_SERVICE, keys[i], 1);
    }
    const fl_graph_batch batch = {.nodes = more, .node_count = 5};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
    ck_assert_fails(FL_E_NOTFOUND, find(&node, "service-"));
    ck_assert_ptr_nonnull(
        strstr(err.message, "'service-' may be one of 5 nodes: service:service-"));
    ck_assert_ptr_nonnull(strstr(err.message, " ..."));
    ck_assert_ok(find(&node, "service-3"));
}
END_TEST

/* More nodes than are looked at between two looks at the clock. */
START_TEST(the_walk_ends_with_its_time_and_what_is_named_exactly_is_found)
{
    enum { MANY = 600 };
    static fl_graph_node more[MANY], node;
    static char keys[MANY][16];
    for (int i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof(keys[i]), "service-%d", i);
        more[i] = fl_made_node(FL_NODE_SERVICE, keys[i], 1);
    }
    const fl_graph_batch batch = {.nodes = more, .node_count = MANY};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
    fl_graph_find_question question = {.word = "zebra", .as_of_ns = FL_GRAPH_NOW, .time_ns = 1};
    ck_assert_fails(FL_E_NOTFOUND, fl_graph_find(&node, store, &question, &arena, &err));
    ck_assert_str_eq(err.message, "no node 'zebra' was found in time: name it by kind:key or id");
    err = (fl_error){0};
    question.word = "serv";
    ck_assert_fails(FL_E_NOTFOUND, fl_graph_find(&node, store, &question, &arena, &err));
    ck_assert_str_eq(err.message, "'serv' may be one of several nodes: name it by kind:key or id");
    question.word = "service-599";
    ck_assert_ok(fl_graph_find(&node, store, &question, &arena, &err));
}
END_TEST

/* ---- one node ---- */

START_TEST(a_node_is_shown_with_what_its_edges_rest_on)
{
    fl_graph_node_view view;
    ck_assert_ok(fl_graph_view_node(&view, store, &made.nodes[1], FL_MADE_AT_NS + 2, &arena, &err));
    ck_assert_uint_eq(view.link_count, 3);
    ck_assert(!view.cut);
    /* resolved-by has one for; explained-by one for and one against; requires nothing */
    ck_assert_int_eq(view.links[0].edge.kind, FL_EDGE_RESOLVED_BY);
    ck_assert(view.links[0].leaves);
    ck_assert_str_eq(view.links[0].other.key, "raise maxTotal");
    ck_assert_double_eq_tol(view.links[0].confidence.mean, 0.75, 1e-9);
    ck_assert_int_eq(view.links[1].edge.kind, FL_EDGE_EXPLAINED_BY);
    ck_assert(!view.links[1].leaves);
    ck_assert_uint_eq(view.links[1].supporting, 1);
    ck_assert_uint_eq(view.links[1].contradicting, 1);
    ck_assert_int_eq(view.links[1].last_ns, FL_MADE_AT_NS + 1);
    ck_assert_int_eq(view.links[2].edge.kind, FL_EDGE_REQUIRES);
    ck_assert_str_eq(view.links[2].edge.qualifier, FL_HOSTILE_TEXT);
    ck_assert_uint_eq(view.links[2].evidence_count, 0);
}
END_TEST

START_TEST(evidence_of_later_is_not_shown_and_does_not_count)
{
    fl_graph_node_view view;
    ck_assert_ok(fl_graph_view_node(&view, store, &made.nodes[1], FL_MADE_AT_NS, &arena, &err));
    ck_assert_uint_eq(view.link_count, 2); /* "requires" came later */
    ck_assert_uint_eq(view.links[0].evidence_count, 1);
    ck_assert_double_eq_tol(view.links[0].confidence.mean, 0.75, 1e-9);
}
END_TEST

/* ---- around a node ---- */

enum { CHAIN = 12 };

/* service-0 calls service-1 calls ... and the last calls the first. */
static void make_ring(fl_graph_node *nodes, fl_graph_edge *edges, char keys[CHAIN][16])
{
    for (int i = 0; i < CHAIN; i++) {
        snprintf(keys[i], 16, "service-%d", i);
        nodes[i] = fl_made_node(FL_NODE_SERVICE, keys[i], 1);
    }
    for (int i = 0; i < CHAIN; i++)
        edges[i] = fl_made_edge(FL_EDGE_CALLS, &nodes[i], &nodes[(i + 1) % CHAIN], NULL, 1);
    const fl_graph_batch batch = {
        .nodes = nodes, .node_count = CHAIN, .edges = edges, .edge_count = CHAIN};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
}

START_TEST(a_ring_is_walked_both_ways_and_ends)
{
    fl_graph_node nodes[CHAIN];
    fl_graph_edge edges[CHAIN];
    char keys[CHAIN][16];
    fl_graph_around around;
    make_ring(nodes, edges, keys);
    fl_graph_around_question question = {
        .node = &nodes[0], .depth = 2, .most = 100, .as_of_ns = FL_GRAPH_NOW};
    ck_assert_ok(fl_graph_view_around(&around, store, &question, &arena, &err));
    ck_assert_uint_eq(around.node_count, 5);
    ck_assert_uint_eq(around.edge_count, 4);
    ck_assert_str_eq(around.nodes[0].node.key, "service-0");
    for (size_t i = 0; i < around.node_count; i++)
        ck_assert_uint_eq(around.nodes[i].depth, (i + 1) / 2);
    question.depth = FL_VIEW_MAX_DEPTH;
    ck_assert_ok(fl_graph_view_around(&around, store, &question, &arena, &err));
    ck_assert_uint_eq(around.node_count, CHAIN);
    ck_assert_uint_eq(around.edge_count, CHAIN);
    ck_assert_int_eq(around.cut, FL_GRAPH_WHOLE);
}
END_TEST

START_TEST(what_is_beyond_the_rows_is_left_out_and_said)
{
    fl_graph_node nodes[CHAIN];
    fl_graph_edge edges[CHAIN];
    char keys[CHAIN][16];
    fl_graph_around around;
    make_ring(nodes, edges, keys);
    for (size_t most = 1; most < CHAIN; most++) {
        const fl_graph_around_question question = {
            .node = &nodes[0], .depth = FL_VIEW_MAX_DEPTH, .most = most, .as_of_ns = FL_GRAPH_NOW};
        ck_assert_ok(fl_graph_view_around(&around, store, &question, &arena, &err));
        ck_assert_uint_eq(around.node_count, most);
        ck_assert_uint_eq(around.edge_count, most - 1);
        ck_assert_int_eq(around.cut, FL_GRAPH_CUT_ROWS);
    }
}
END_TEST

START_TEST(a_walk_whose_time_is_over_says_so)
{
    fl_graph_around around;
    const fl_graph_around_question question = {
        .node = &made.nodes[1], .depth = 3, .most = 100, .time_ns = 1, .as_of_ns = FL_GRAPH_NOW};
    ck_assert_ok(fl_graph_view_around(&around, store, &question, &arena, &err));
    ck_assert_int_eq(around.cut, FL_GRAPH_CUT_TIME);
    ck_assert_uint_eq(around.node_count, 1);
    ck_assert_str_eq(around.nodes[0].node.key, FL_HOSTILE_TEXT);
}
END_TEST

/* ---- by rank ---- */

enum { LEAVES = 30, STAR = 6 + LEAVES };

/* 0 has the neighbours 1, 2, 3, which all lead to 4, and 5, to which thirty others lead as well. */
static void make_star(fl_graph_node *nodes, fl_graph_edge *edges, char (*keys)[16])
{
    static const int from[] = {0, 0, 2, 1, 4, 3, 5}, to[] = {1, 2, 0, 4, 2, 4, 0};
    size_t count = 0;
    for (int i = 0; i < STAR; i++) {
        snprintf(keys[i], sizeof(keys[i]), "star-%d", i);
        nodes[i] = fl_made_node(FL_NODE_SERVICE, keys[i], 1);
    }
    for (int i = 0; i < 7; i++)
        edges[count++] = fl_made_edge(FL_EDGE_CALLS, &nodes[from[i]], &nodes[to[i]], NULL, 1);
    edges[count++] = fl_made_edge(FL_EDGE_CALLS, &nodes[3], &nodes[0], NULL, 1);
    for (int i = 6; i < STAR; i++)
        edges[count++] = fl_made_edge(FL_EDGE_CALLS, &nodes[i], &nodes[5], NULL, 1);
    const fl_graph_batch batch = {
        .nodes = nodes, .node_count = STAR, .edges = edges, .edge_count = count};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
}

START_TEST(what_many_ways_lead_to_is_ranked_before_what_one_does)
{
    fl_graph_node nodes[STAR];
    fl_graph_edge edges[2 * STAR];
    char keys[STAR][16];
    fl_graph_around around;
    make_star(nodes, edges, keys);
    fl_graph_around_question question = {
        .node = &nodes[0], .depth = 2, .most = 6, .as_of_ns = FL_GRAPH_NOW, .by_rank = true};
    ck_assert_ok(fl_graph_view_around(&around, store, &question, &arena, &err));
    ck_assert(around.is_ranked);
    ck_assert_int_eq(around.cut, FL_GRAPH_CUT_ROWS);
    ck_assert_uint_eq(around.node_count, 6); /* none of the thirty leaves */
    ck_assert_str_eq(around.nodes[0].node.key, "star-0");
    for (size_t i = 1; i < 6; i++) {
        ck_assert_str_ne(around.nodes[i].node.key, "");
        ck_assert(i == 1 || around.nodes[i].rank <= around.nodes[i - 1].rank + 1e-7);
        ck_assert_uint_eq(around.nodes[i].depth,
                          strcmp(around.nodes[i].node.key, "star-4") == 0 ? 2 : 1);
    }
    ck_assert_uint_eq(around.edge_count, 8); /* the leaves' are not among them */
    question.most = 100;
    ck_assert_ok(fl_graph_view_around(&around, store, &question, &arena, &err));
    ck_assert_uint_eq(around.node_count, STAR);
    ck_assert_uint_eq(around.edge_count, 8 + LEAVES);
    ck_assert_int_eq(around.cut, FL_GRAPH_WHOLE);
    question.depth = 1;
    ck_assert_ok(fl_graph_view_around(&around, store, &question, &arena, &err));
    ck_assert_uint_eq(around.node_count, 5);
}
END_TEST

START_TEST(nodes_alike_in_rank_come_in_one_order)
{
    fl_graph_node nodes[CHAIN];
    fl_graph_edge edges[CHAIN];
    char keys[CHAIN][16];
    fl_graph_around around;
    make_ring(nodes, edges, keys);
    const fl_graph_around_question question = {.node = &nodes[0],
                                               .depth = FL_VIEW_MAX_DEPTH,
                                               .most = 100,
                                               .as_of_ns = FL_GRAPH_NOW,
                                               .by_rank = true};
    ck_assert_ok(fl_graph_view_around(&around, store, &question, &arena, &err));
    ck_assert_uint_eq(around.node_count, CHAIN);
    for (size_t i = 0; i < around.node_count; i++)
        ck_assert_uint_eq(around.nodes[i].depth, (i + 1) / 2);
    for (size_t i = 1; i + 1 < around.node_count; i += 2)
        ck_assert(around.nodes[i].node.id < around.nodes[i + 1].node.id);
}
END_TEST

START_TEST(ranking_of_a_node_alone_and_without_time_ends)
{
    fl_graph_around around;
    fl_graph_node alone = fl_made_node(FL_NODE_SERVICE, "alone", 1);
    fl_graph_around_question question = {
        .node = &alone, .depth = 3, .most = 10, .as_of_ns = FL_GRAPH_NOW, .by_rank = true};
    ck_assert_ok(
        fl_graph_add(NULL, store, &(fl_graph_batch){.nodes = &alone, .node_count = 1}, &err));
    ck_assert_ok(fl_graph_view_around(&around, store, &question, &arena, &err));
    ck_assert_uint_eq(around.node_count, 1);
    ck_assert_int_eq(around.cut, FL_GRAPH_WHOLE);
    question.time_ns = 1;
    ck_assert_ok(fl_graph_view_around(&around, store, &question, &arena, &err));
    ck_assert_int_eq(around.cut, FL_GRAPH_CUT_TIME);
    ck_assert_str_eq(around.nodes[0].node.key, "alone");
}
END_TEST

/* ---- what is known, of services ---- */

START_TEST(what_the_graph_is_surest_of_comes_first)
{
    fl_graph_known_list known;
    ck_assert_ok(fl_graph_view_known(&known, store, FL_MADE_AT_NS + 2, &arena, &err));
    ck_assert_uint_eq(known.count, 2); /* "requires" has no evidence */
    ck_assert_int_eq(known.items[0].edge.kind, FL_EDGE_RESOLVED_BY);
    ck_assert_str_eq(known.items[0].to.key, "raise maxTotal");
    ck_assert_double_eq_tol(known.items[0].mean, 0.75, 1e-6);
    ck_assert_double_eq_tol(known.items[1].mean, 0.5, 1e-6);
    ck_assert_uint_eq(known.items[1].contradicting, 1);
    ck_assert_ok(fl_graph_view_known(&known, store, FL_MADE_AT_NS - 1, &arena, &err));
    ck_assert_uint_eq(known.count, 0);
}
END_TEST

enum { SYMPTOM_PAIRS = 30 };

START_TEST(only_the_surest_few_are_kept)
{
    char keys[SYMPTOM_PAIRS][24], authors[SYMPTOM_PAIRS][8];
    fl_graph_node nodes[SYMPTOM_PAIRS];
    fl_graph_edge edges[SYMPTOM_PAIRS];
    fl_graph_evidence items[SYMPTOM_PAIRS * (SYMPTOM_PAIRS + 1) / 2];
    fl_graph_known_list known;
    size_t count = 0;
    for (int i = 0; i < SYMPTOM_PAIRS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "symptom-%d", i);
        snprintf(authors[i], sizeof(authors[i]), "a%d", i);
        nodes[i] = fl_made_node(FL_NODE_SYMPTOM, keys[i], 1);
        edges[i] = fl_made_edge(FL_EDGE_EXPLAINED_BY, &nodes[i], &made.nodes[1], NULL, 1);
        for (int k = 0; k <= i; k++)
            items[count++] = fl_made_evidence(&edges[i], authors[k], true, 5);
    }
    const fl_graph_batch batch = {.nodes = nodes,
                                  .node_count = SYMPTOM_PAIRS,
                                  .edges = edges,
                                  .edge_count = SYMPTOM_PAIRS,
                                  .evidence = items,
                                  .evidence_count = count};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
    ck_assert_ok(fl_graph_view_known(&known, store, 5, &arena, &err));
    ck_assert_uint_eq(known.count, FL_VIEW_MAX_KNOWN);
    for (size_t i = 0; i < known.count; i++)
        ck_assert_uint_eq(known.items[i].supporting, SYMPTOM_PAIRS - i);
    ck_assert_str_eq(known.items[0].from.key, "symptom-29");
}
END_TEST

/* Two incidents of one service: both show the first symptom, one the second. */
static void make_incidents(void)
{
    const char *const ids[] = {"incident-1", "incident-2"};
    fl_graph_node nodes[4] = {fl_made_node(FL_NODE_SYMPTOM, "log|rare", 1), made.nodes[0]};
    fl_graph_edge edges[3];
    for (int i = 0; i < 2; i++) {
        const fl_hypothesis best = {.service = "payments", .probability = 0.5};
        const fl_incident incident = {
            .id = ids[i], .at_ns = 1, .hypotheses = &best, .hypothesis_count = 1};
        ck_assert_ok(fl_store_put(store, &incident, SLICE("{}"), FL_MADE_AT_NS, &err));
        nodes[2 + i] = fl_made_node(FL_NODE_INCIDENT, ids[i], 1);
        edges[i] = fl_made_edge(FL_EDGE_EXHIBITS, &nodes[2 + i], &nodes[1], NULL, 1);
    }
    edges[2] = fl_made_edge(FL_EDGE_EXHIBITS, &nodes[2], &nodes[0], NULL, 1);
    const fl_graph_batch batch = {.nodes = nodes, .node_count = 4, .edges = edges, .edge_count = 3};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
}

START_TEST(what_most_incidents_of_a_service_show_comes_first)
{
    fl_symptoms symptoms;
    make_incidents();
    ck_assert_ok(fl_service_symptoms(&symptoms, store, "payments", FL_GRAPH_NOW, &arena, &err));
    ck_assert_uint_eq(symptoms.count, 2);
    ck_assert_str_eq(symptoms.nodes[0].key, made.nodes[0].key);
    ck_assert_str_eq(symptoms.nodes[1].key, "log|rare");
    ck_assert_fails(FL_E_NOTFOUND,
                    fl_service_symptoms(&symptoms, store, "payment", FL_GRAPH_NOW, &arena, &err));
    ck_assert_str_eq(err.message, "no incident of service 'payment' is stored; did you mean"
                                  " 'payments'?");
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOTFOUND, fl_service_symptoms(&symptoms, store, "payments",
                                                       FL_MADE_AT_NS - 1, &arena, &err));
    ck_assert_str_eq(err.message, "no incident of service 'payments' is stored");
}
END_TEST

START_TEST(a_path_is_told_with_its_rows_newest_first)
{
    const fl_path_rows *rows;
    const fl_path_fix fix = {.id = made.nodes[2].id};
    const fl_path path = {.cause = made.nodes[1].id, .fixes = &fix, .fix_count = 1};
    const fl_memory memory = {.paths = &path, .path_count = 1};
    const fl_symptoms symptoms = {.nodes = made.nodes, .count = 1};
    fl_memory_question question = {.symptoms = &symptoms, .now_ns = FL_MADE_AT_NS + 2};
    ck_assert_ok(fl_path_evidence(&rows, store, &question, &memory, &arena, &err));
    ck_assert_uint_eq(rows[0].count, 3);
    ck_assert_str_eq(rows[0].items[0].author, "ada");
    ck_assert_str_eq(rows[0].items[1].author, "bob");
    ck_assert_str_eq(rows[0].items[2].note, FL_HOSTILE_TEXT);
    question.now_ns = FL_MADE_AT_NS;
    ck_assert_ok(fl_path_evidence(&rows, store, &question, &memory, &arena, &err));
    ck_assert_uint_eq(rows[0].count, 1);
}
END_TEST

START_TEST(every_failed_allocation_is_an_error_and_leaks_nothing)
{
    make_incidents();
    for (int what = 0; what < 6; what++) {
        fl_status status = FL_E_NOMEM;
        for (long n = 0; status != FL_OK && n < 200; n++) {
            fl_graph_node node;
            fl_graph_node_view view;
            fl_graph_around around;
            fl_graph_known_list known;
            fl_symptoms symptoms;
            const fl_graph_around_question question = {.node = &made.nodes[1],
                                                       .depth = 3,
                                                       .most = 100,
                                                       .as_of_ns = FL_GRAPH_NOW,
                                                       .by_rank = what == 5};
            err = (fl_error){0};
            fl_arena_dispose(&arena);
            fl_mem_fail_after(n);
            if (what == 0)
                status = find(&node, "raise");
            else if (what == 1)
                status =
                    fl_graph_view_node(&view, store, &made.nodes[1], FL_GRAPH_NOW, &arena, &err);
            else if (what == 2)
                status = fl_graph_view_known(&known, store, FL_GRAPH_NOW, &arena, &err);
            else if (what == 3)
                status =
                    fl_service_symptoms(&symptoms, store, "payments", FL_GRAPH_NOW, &arena, &err);
            else
                status = fl_graph_view_around(&around, store, &question, &arena, &err);
            fl_mem_fail_after(-1);
            ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", err.message);
        }
        ck_assert_int_eq(status, FL_OK);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("graph_view");
    TCase *tc = tcase_create("cases");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_node_is_found_by_each_way_of_naming_it);
    tcase_add_test(tc, what_is_not_there_yet_is_not_found);
    tcase_add_test(tc, a_mistake_is_answered_with_the_nearest_and_nothing_with_nothing);
    tcase_add_test(tc, several_that_fit_are_listed);
    tcase_add_test(tc, the_walk_ends_with_its_time_and_what_is_named_exactly_is_found);
    tcase_add_test(tc, a_node_is_shown_with_what_its_edges_rest_on);
    tcase_add_test(tc, evidence_of_later_is_not_shown_and_does_not_count);
    tcase_add_test(tc, a_ring_is_walked_both_ways_and_ends);
    tcase_add_test(tc, what_is_beyond_the_rows_is_left_out_and_said);
    tcase_add_test(tc, a_walk_whose_time_is_over_says_so);
    tcase_add_test(tc, what_many_ways_lead_to_is_ranked_before_what_one_does);
    tcase_add_test(tc, nodes_alike_in_rank_come_in_one_order);
    tcase_add_test(tc, ranking_of_a_node_alone_and_without_time_ends);
    tcase_add_test(tc, what_the_graph_is_surest_of_comes_first);
    tcase_add_test(tc, only_the_surest_few_are_kept);
    tcase_add_test(tc, what_most_incidents_of_a_service_show_comes_first);
    tcase_add_test(tc, a_path_is_told_with_its_rows_newest_first);
    tcase_add_test(tc, every_failed_allocation_is_an_error_and_leaks_nothing);
    suite_add_tcase(s, tc);
    return s;
}

FL_TEST_MAIN(suite)
