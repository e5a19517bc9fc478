#include "graph_ahead.h"

#include <stdio.h>

#include "mem.h"
#include "slice.h"

#include "fl_store_place.h"
#include "fl_test.h"

enum { CAUSES = 5, SAID = 4 };

static fl_error err;
static fl_store_place place;
static fl_store *store;
static fl_graph_node nodes[CAUSES + 1]; /* the last is their symptom */
static fl_graph_edge edges[CAUSES];
static fl_graph_evidence items[CAUSES * SAID];

static fl_graph_node node(fl_node_kind kind, const char *key)
{
    return (fl_graph_node){.id = fl_node_id(kind, fl_slice_of(key)), .kind = kind, .key = key};
}

static void fill(void)
{
    static const char *const keys[] = {"a", "b", "c", "d", "e"}, *const authors[] = {"x", "y"};
    nodes[CAUSES] = node(FL_NODE_SYMPTOM, "slow");
    nodes[CAUSES].title = "Slow";
    for (size_t i = 0; i < CAUSES; i++) {
        nodes[i] = node(FL_NODE_CAUSE, keys[i]);
        edges[i] = (fl_graph_edge){.kind = FL_EDGE_EXPLAINED_BY,
                                   .from = nodes[CAUSES].id,
                                   .to = nodes[i].id,
                                   .qualifier = i == 0 ? "semver:>=1" : NULL};
        edges[i].id =
            fl_edge_id(edges[i].kind, edges[i].from, edges[i].to, fl_slice_of(edges[i].qualifier));
        for (size_t k = 0; k < SAID; k++) {
            fl_graph_evidence *item = &items[i * SAID + k];
            *item = (fl_graph_evidence){.edge = edges[i].id,
                                        .author = authors[k % 2],
                                        .reference = keys[k],
                                        .recorded_ns = (int64_t)k,
                                        .note = k == 1 ? "noted" : NULL};
            item->id = fl_graph_evidence_id(item);
        }
    }
    ck_assert_ok(fl_graph_add(NULL, store,
                              &(fl_graph_batch){.nodes = nodes,
                                                .node_count = CAUSES + 1,
                                                .edges = edges,
                                                .edge_count = CAUSES,
                                                .evidence = items,
                                                .evidence_count = CAUSES * SAID},
                              &err));
}

static void setup(void)
{
    err = (fl_error){0};
    fl_store_place_make(&place);
    store = NULL;
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
    fill();
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_store_close(store);
    fl_store_place_clear(&place);
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "-";
}

typedef struct told {
    char text[4096];
} told;

static void tell(told *out, const char *line)
{
    size_t used = strlen(out->text);
    snprintf(out->text + used, sizeof(out->text) - used, "%s\n", line);
}

static fl_status tell_node(const fl_graph_node *row, void *payload, fl_error *e)
{
    char line[128];
    (void)e;
    snprintf(line, sizeof(line), "%llu %s %s", (unsigned long long)row->id, row->key,
             or_none(row->title));
    tell(payload, line);
    return FL_OK;
}

static fl_status tell_edge(const fl_graph_edge *row, void *payload, fl_error *e)
{
    char line[128];
    (void)e;
    snprintf(line, sizeof(line), "%llu %llu %s", (unsigned long long)row->id,
             (unsigned long long)row->to, or_none(row->qualifier));
    tell(payload, line);
    return FL_OK;
}

static fl_status tell_item(const fl_graph_evidence *row, void *payload, fl_error *e)
{
    char line[128];
    (void)e;
    snprintf(line, sizeof(line), "%llu %s %s %s", (unsigned long long)row->id, row->author,
             row->reference, or_none(row->note));
    tell(payload, line);
    return FL_OK;
}

/* Everything that a walk from the symptom asks, one question after the other. */
static void ask_all(told *out, int64_t as_of_ns, size_t limit)
{
    fl_graph_question question = {
        .scope = FL_GRAPH_OUT, .id = nodes[CAUSES].id, .as_of_ns = as_of_ns, .limit = limit};
    *out = (told){""};
    ck_assert_ok(fl_graph_edges(store, &question, tell_edge, out, &err));
    question.scope = FL_GRAPH_ONE;
    for (size_t i = 0; i < CAUSES; i++) {
        question.id = nodes[i].id;
        ck_assert_ok(fl_graph_nodes(store, &question, tell_node, out, &err));
        question.id = edges[i].id;
        ck_assert_ok(fl_graph_evidence_for(store, &question, tell_item, out, &err));
    }
}

static fl_status read_all_ahead(int64_t as_of_ns, size_t limit)
{
    uint64_t symptom = nodes[CAUSES].id, ends[CAUSES + 1], ids[CAUSES];
    fl_graph_question question = {.scope = FL_GRAPH_OUT, .as_of_ns = as_of_ns, .limit = limit};
    for (size_t i = 0; i < CAUSES; i++) {
        ends[i] = nodes[i].id;
        ids[i] = edges[CAUSES - 1 - i].id;
    }
    ends[CAUSES] = ends[0]; /* said twice */
    fl_status status = fl_graph_ahead_edges(store, &question, &symptom, 1, &err);
    question.scope = FL_GRAPH_ONE;
    if (status == FL_OK)
        status = fl_graph_ahead_nodes(store, &question, ends, CAUSES + 1, &err);
    if (status == FL_OK)
        status = fl_graph_ahead_evidence(store, &question, ids, CAUSES, &err);
    return status;
}

/* Whatever was read ahead, and however much of it: the answers are the same. */
START_TEST(what_was_read_ahead_is_answered_as_the_store_would)
{
    static const int64_t moments[] = {0, 2, FL_GRAPH_NOW};
    static const size_t limits[] = {1, 2, SAID, SAID + 1, 100};
    told expected, answered;
    for (size_t m = 0; m < 3; m++) {
        for (size_t ahead = 0; ahead < 5; ahead++) {
            for (size_t limit = 0; limit < 5; limit++) {
                ask_all(&expected, moments[m], limits[limit]);
                ck_assert_ok(read_all_ahead(moments[m], limits[ahead]));
                ask_all(&answered, moments[m], limits[limit]);
                ck_assert_str_eq(answered.text, expected.text);
                fl_graph_ahead_forget(store);
            }
        }
    }
}
END_TEST

START_TEST(a_question_without_a_limit_is_answered_from_whole_runs)
{
    told expected, answered;
    ask_all(&expected, FL_GRAPH_NOW, 0);
    ck_assert_ok(read_all_ahead(FL_GRAPH_NOW, 2));
    ask_all(&answered, FL_GRAPH_NOW, 0);
    ck_assert_str_eq(answered.text, expected.text);
    ck_assert_ok(read_all_ahead(2, 100)); /* another moment: known, and not for this one */
    ask_all(&answered, FL_GRAPH_NOW, 0);
    ck_assert_str_eq(answered.text, expected.text);
}
END_TEST

/* The store's own answers first, then those of what was read ahead either way. */
START_TEST(evidence_without_its_notes_is_no_answer_to_who_wants_them)
{
    fl_graph_question brief = {.scope = FL_GRAPH_ONE,
                               .id = edges[0].id,
                               .as_of_ns = FL_GRAPH_NOW,
                               .limit = 100,
                               .brief = true},
                      whole = brief;
    whole.brief = false;
    told with = {""}, without = {""};
    ck_assert_ok(fl_graph_evidence_for(store, &whole, tell_item, &with, &err));
    ck_assert_ok(fl_graph_evidence_for(store, &brief, tell_item, &without, &err));
    ck_assert_ptr_nonnull(strstr(with.text, " noted\n"));
    ck_assert_uint_eq(strlen(without.text), strlen(with.text) - strlen("noted") + strlen("-"));
    for (int first = 0; first < 2; first++) {
        told again = {""}, shorter = {""};
        ck_assert_ok(
            fl_graph_ahead_evidence(store, first == 0 ? &brief : &whole, &edges[0].id, 1, &err));
        ck_assert_ok(fl_graph_evidence_for(store, &whole, tell_item, &again, &err));
        ck_assert_ok(fl_graph_evidence_for(store, &brief, tell_item, &shorter, &err));
        ck_assert_str_eq(again.text, with.text);
        ck_assert_str_eq(shorter.text, first == 0 ? without.text : with.text);
        fl_graph_ahead_forget(store);
    }
}
END_TEST

START_TEST(what_is_written_is_seen_at_once)
{
    told before, after;
    ck_assert_ok(read_all_ahead(FL_GRAPH_NOW, 100));
    ask_all(&before, FL_GRAPH_NOW, 100);
    fl_graph_evidence new = items[0];
    new.reference = "later";
    new.id = fl_graph_evidence_id(&new);
    ck_assert_ok(
        fl_graph_add(NULL, store, &(fl_graph_batch){.evidence = &new, .evidence_count = 1}, &err));
    ask_all(&after, FL_GRAPH_NOW, 100);
    ck_assert_uint_gt(strlen(after.text), strlen(before.text));
    ck_assert_ptr_nonnull(strstr(after.text, "later"));
}
END_TEST

static fl_status stop(const fl_graph_evidence *row, void *payload, fl_error *e)
{
    (void)row;
    (void)payload;
    return fl_fail(e, FL_E_STOPPED, FL_NO_OFFSET, "enough");
}

START_TEST(a_visitor_ends_a_walk_of_what_was_read_ahead)
{
    ck_assert_ok(read_all_ahead(FL_GRAPH_NOW, 100));
    fl_graph_question question = {
        .scope = FL_GRAPH_ONE, .id = edges[0].id, .as_of_ns = FL_GRAPH_NOW, .limit = 2};
    ck_assert_fails(FL_E_STOPPED, fl_graph_evidence_for(store, &question, stop, NULL, &err));
    ck_assert_str_eq(err.message, "enough");
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    told expected, answered;
    ask_all(&expected, FL_GRAPH_NOW, 100);
    for (long n = 0; n < 200; n++) {
        fl_mem_fail_after(n);
        err = (fl_error){0};
        fl_status status = read_all_ahead(FL_GRAPH_NOW, 100);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        err = (fl_error){0};
        ask_all(&answered, FL_GRAPH_NOW, 100);
        ck_assert_str_eq(answered.text, expected.text);
        fl_graph_ahead_forget(store);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store/graph_ahead");
    TCase *tc = tcase_create("graph_ahead");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_was_read_ahead_is_answered_as_the_store_would);
    tcase_add_test(tc, a_question_without_a_limit_is_answered_from_whole_runs);
    tcase_add_test(tc, evidence_without_its_notes_is_no_answer_to_who_wants_them);
    tcase_add_test(tc, what_is_written_is_seen_at_once);
    tcase_add_test(tc, a_visitor_ends_a_walk_of_what_was_read_ahead);
    tcase_add_test(tc, every_allocation_may_fail);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
