/*
 * Batches of many rows, which a server is sent by COPY and a file in sorted order: the same is kept
 * as of the same rows one by one. On whatever store the test is run (fl_store_place.h).
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph_store.h"
#include "mem.h"
#include "slice.h"

#include "fl_store_place.h"
#include "fl_test.h"

/* More than a batch that is inserted, and more than one part of a copy. */
enum { SYMPTOMS = 300, ITEMS = 3000, WRITERS = 4, ROUNDS = 20, TEXT_BYTES = 64 };

static fl_error err;
static fl_store_place place;
static fl_store *store;

typedef struct many {
    fl_graph_node nodes[SYMPTOMS + 1];
    fl_graph_edge edges[SYMPTOMS];
    fl_graph_evidence items[ITEMS];
    char keys[SYMPTOMS + 1][TEXT_BYTES];
    char references[ITEMS][TEXT_BYTES];
    fl_graph_batch batch;
} many;

static many made;

static void make_item(many *out, size_t i, const char *author, size_t number)
{
    snprintf(out->references[i], TEXT_BYTES, "incident \"%zu\" \\N\t{NULL,\303\244}", number);
    out->items[i] = (fl_graph_evidence){.edge = out->edges[number % SYMPTOMS].id,
                                        .source = FL_SOURCE_PERSON,
                                        .author = author,
                                        .reference = out->references[i],
                                        .supports = number % 3 > 0,
                                        .at_ns = -(int64_t)number,
                                        .recorded_ns = 30,
                                        .note = number % 2 == 0 ? NULL : ""};
    out->items[i].id = fl_graph_evidence_id(&out->items[i]);
}

/* Symptoms of one cause, and what an author says of them. */
static void make_many(many *out, const char *author)
{
    for (size_t i = 0; i <= SYMPTOMS; i++) {
        fl_node_kind kind = i < SYMPTOMS ? FL_NODE_SYMPTOM : FL_NODE_CAUSE;
        snprintf(out->keys[i], TEXT_BYTES, "thing %zu", i);
        out->nodes[i] = (fl_graph_node){.id = fl_node_id(kind, fl_slice_of(out->keys[i])),
                                        .kind = kind,
                                        .key = out->keys[i],
                                        .recorded_ns = 10};
    }
    for (size_t i = 0; i < SYMPTOMS; i++) {
        out->edges[i] = (fl_graph_edge){.kind = FL_EDGE_EXPLAINED_BY,
                                        .from = out->nodes[i].id,
                                        .to = out->nodes[SYMPTOMS].id,
                                        .recorded_ns = INT64_MIN};
        out->edges[i].id =
            fl_edge_id(FL_EDGE_EXPLAINED_BY, out->edges[i].from, out->edges[i].to, FL_SLICE(""));
    }
    for (size_t i = 0; i < ITEMS; i++)
        make_item(out, i, author, i);
    out->batch = (fl_graph_batch){.nodes = out->nodes,
                                  .node_count = SYMPTOMS + 1,
                                  .edges = out->edges,
                                  .edge_count = SYMPTOMS,
                                  .evidence = out->items,
                                  .evidence_count = ITEMS};
}

static void setup(void)
{
    err = (fl_error){0};
    fl_store_place_make(&place);
    store = NULL;
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
    make_many(&made, "ada");
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_store_close(store);
    fl_store_place_clear(&place);
}

static fl_status count_item(const fl_graph_evidence *item, void *payload, fl_error *e)
{
    (void)item;
    (void)e;
    ++*(size_t *)payload;
    return FL_OK;
}

static size_t count_items(void)
{
    size_t count = 0;
    const fl_graph_question everything = {.as_of_ns = FL_GRAPH_NOW};
    ck_assert_ok(fl_graph_evidence_for(store, &everything, count_item, &count, &err));
    return count;
}

static void expect_added(const fl_graph_batch *batch, size_t nodes, size_t edges, size_t evidence)
{
    fl_graph_added added;
    ck_assert_ok(fl_graph_add(&added, store, batch, &err));
    ck_assert_uint_eq(added.nodes, nodes);
    ck_assert_uint_eq(added.edges, edges);
    ck_assert_uint_eq(added.evidence, evidence);
}

/* The number of an item is in its time. */
static fl_status compare_item(const fl_graph_evidence *item, void *payload, fl_error *e)
{
    (void)e;
    const fl_graph_evidence *expected = &made.items[-item->at_ns];
    ck_assert_uint_eq(item->id, expected->id);
    ck_assert_uint_eq(item->edge, expected->edge);
    ck_assert_int_eq(item->source, expected->source);
    ck_assert_str_eq(item->author, expected->author);
    ck_assert_str_eq(item->reference, expected->reference);
    ck_assert_int_eq(item->supports, expected->supports);
    ck_assert_int_eq(item->recorded_ns, expected->recorded_ns);
    ck_assert_pstr_eq(item->note, expected->note);
    ++*(size_t *)payload;
    return FL_OK;
}

static fl_status compare_edge(const fl_graph_edge *edge, void *payload, fl_error *e)
{
    (void)e;
    ck_assert_uint_eq(edge->to, made.nodes[SYMPTOMS].id);
    ck_assert_int_eq(edge->recorded_ns, INT64_MIN);
    ck_assert_ptr_null(edge->qualifier);
    ++*(size_t *)payload;
    return FL_OK;
}

START_TEST(what_was_added_in_bulk_is_read_back)
{
    size_t items = 0, edges = 0;
    const fl_graph_question everything = {.as_of_ns = FL_GRAPH_NOW};
    expect_added(&made.batch, SYMPTOMS + 1, SYMPTOMS, ITEMS);
    ck_assert_ok(fl_graph_evidence_for(store, &everything, compare_item, &items, &err));
    ck_assert_ok(fl_graph_edges(store, &everything, compare_edge, &edges, &err));
    ck_assert_uint_eq(items, ITEMS);
    ck_assert_uint_eq(edges, SYMPTOMS);
}
END_TEST

START_TEST(many_rows_again_add_nothing)
{
    expect_added(&made.batch, SYMPTOMS + 1, SYMPTOMS, ITEMS);
    for (int i = 0; i < 3; i++)
        expect_added(&made.batch, 0, 0, 0);
    ck_assert_uint_eq(count_items(), ITEMS);
}
END_TEST

START_TEST(of_many_rows_only_the_new_are_added)
{
    const fl_graph_batch first = {.nodes = made.nodes,
                                  .node_count = SYMPTOMS + 1,
                                  .edges = made.edges,
                                  .edge_count = SYMPTOMS,
                                  .evidence = &made.items[ITEMS / 2],
                                  .evidence_count = 1};
    expect_added(&first, SYMPTOMS + 1, SYMPTOMS, 1);
    expect_added(&made.batch, 0, 0, ITEMS - 1);
    ck_assert_uint_eq(count_items(), ITEMS);
}
END_TEST

START_TEST(a_row_that_is_twice_in_a_bulk_is_added_once)
{
    for (size_t i = ITEMS / 2; i < ITEMS; i++)
        make_item(&made, i, "ada", ITEMS - 1 - i);
    expect_added(&made.batch, SYMPTOMS + 1, SYMPTOMS, ITEMS / 2);
    ck_assert_uint_eq(count_items(), ITEMS / 2);
}
END_TEST

/* The first is in the way of a copy, and of those after it for a while: what comes then is all
 * kept, however it goes over. */
START_TEST(new_rows_after_known_ones_are_all_added)
{
    expect_added(&made.batch, SYMPTOMS + 1, SYMPTOMS, ITEMS);
    expect_added(&made.batch, 0, 0, 0);
    for (size_t round = 1; round <= ROUNDS; round++) {
        for (size_t i = 0; i < ITEMS; i++)
            make_item(&made, i, "ada", round * ITEMS + i);
        expect_added(&made.batch, 0, 0, ITEMS);
    }
    expect_added(&made.batch, 0, 0, 0);
    ck_assert_uint_eq(count_items(), (ROUNDS + 1) * ITEMS);
}
END_TEST

START_TEST(a_bulk_is_added_whole_or_not_at_all)
{
    made.items[ITEMS - 1].edge = 1; /* there is none */
    made.items[ITEMS - 1].id = fl_graph_evidence_id(&made.items[ITEMS - 1]);
    ck_assert_fails(FL_E_SYNTAX, fl_graph_add(NULL, store, &made.batch, &err));
    ck_assert_str_eq(err.message, "there is evidence for an edge that is not there");
    err = (fl_error){0};
    ck_assert_uint_eq(count_items(), 0);
    make_item(&made, ITEMS - 1, "ada", ITEMS - 1);
    expect_added(&made.batch, SYMPTOMS + 1, SYMPTOMS, ITEMS);
}
END_TEST

START_TEST(every_allocation_of_a_bulk_may_fail)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; n < 400 && status != FL_OK; n++) {
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_graph_add(NULL, store, &made.batch, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_uint_eq(count_items(), status == FL_OK ? ITEMS : 0);
    }
    ck_assert_int_eq(status, FL_OK);
}
END_TEST

/* In parts that others bring too, so that copies meet. */
static void write_all(int writer)
{
    fl_store *own = NULL;
    size_t part = ITEMS / 10;
    if (fl_store_open(&own, place.url, FL_STORE_EXISTING, &err) != FL_OK)
        _exit(2);
    for (size_t i = 0; i < 10; i++) {
        fl_graph_batch batch = made.batch;
        batch.evidence += (writer % 2 == 0 ? i : 9 - i) * part;
        batch.evidence_count = part;
        if (fl_graph_add(NULL, own, &batch, &err) != FL_OK)
            _exit(3);
    }
    fl_store_close(own);
    _exit(0);
}

START_TEST(bulks_that_meet_lose_nothing_and_double_nothing)
{
    pid_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        ck_assert_int_ge(writers[i], 0);
        if (writers[i] == 0)
            write_all(i);
    }
    for (int i = 0; i < WRITERS; i++) {
        int ended = -1;
        ck_assert_int_eq(waitpid(writers[i], &ended, 0), writers[i]);
        ck_assert_int_eq(ended, 0);
    }
    ck_assert_uint_eq(count_items(), ITEMS);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store/graph_bulk");
    TCase *tc = tcase_create("graph_bulk");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, what_was_added_in_bulk_is_read_back);
    tcase_add_test(tc, many_rows_again_add_nothing);
    tcase_add_test(tc, of_many_rows_only_the_new_are_added);
    tcase_add_test(tc, a_row_that_is_twice_in_a_bulk_is_added_once);
    tcase_add_test(tc, new_rows_after_known_ones_are_all_added);
    tcase_add_test(tc, a_bulk_is_added_whole_or_not_at_all);
    tcase_add_test(tc, every_allocation_of_a_bulk_may_fail);
    tcase_add_test(tc, bulks_that_meet_lose_nothing_and_double_nothing);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
