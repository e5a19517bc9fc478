/*
 * Writers and readers at once within one program, each with a store of its own, as a daemon would
 * have them: nothing is lost, nothing is there twice, and (in the tsan preset) nothing is shared.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "graph_store.h"
#include "slice.h"

#include "fl_store_place.h"
#include "fl_test.h"

enum { WRITERS = 5, READERS = 5, ITEMS = 40, SYMPTOMS = 4 };

static fl_store_place place;
static fl_graph_node nodes[SYMPTOMS + 1];
static fl_graph_edge edges[SYMPTOMS];
static atomic_int failures;

static void make_graph(void)
{
    static const char *const keys[] = {"a", "b", "c", "d", "cause"};
    for (size_t i = 0; i <= SYMPTOMS; i++) {
        fl_node_kind kind = i < SYMPTOMS ? FL_NODE_SYMPTOM : FL_NODE_CAUSE;
        nodes[i] = (fl_graph_node){
            .id = fl_node_id(kind, fl_slice_of(keys[i])), .kind = kind, .key = keys[i]};
    }
    for (size_t i = 0; i < SYMPTOMS; i++) {
        edges[i] = (fl_graph_edge){
            .kind = FL_EDGE_EXPLAINED_BY, .from = nodes[i].id, .to = nodes[SYMPTOMS].id};
        edges[i].id = fl_edge_id(edges[i].kind, edges[i].from, edges[i].to, fl_slice_of(NULL));
    }
}

/* One item a transaction, with all nodes and edges, so that writers meet. */
static void *write_items(void *payload)
{
    const char *author = payload;
    fl_store *store = NULL;
    fl_error err = {0};
    fl_status status = fl_store_open(&store, place.url, FL_STORE_EXISTING, &err);
    for (size_t i = 0; status == FL_OK && i < ITEMS; i++) {
        char reference[32];
        snprintf(reference, sizeof(reference), "incident-%zu", i);
        fl_graph_evidence item = {
            .edge = edges[i % SYMPTOMS].id, .author = author, .reference = reference};
        item.id = fl_graph_evidence_id(&item);
        status = fl_graph_add(NULL, store,
                              &(fl_graph_batch){.nodes = nodes,
                                                .node_count = SYMPTOMS + 1,
                                                .edges = edges,
                                                .edge_count = SYMPTOMS,
                                                .evidence = &item,
                                                .evidence_count = 1},
                              &err);
    }
    failures += status != FL_OK;
    fl_store_close(store);
    return NULL;
}

static fl_status count_item(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    (void)item;
    (void)err;
    ++*(size_t *)payload;
    return FL_OK;
}

static fl_status count_all(size_t *out, fl_store *store, fl_error *err)
{
    const fl_graph_question everything = {.as_of_ns = FL_GRAPH_NOW};
    *out = 0;
    return fl_graph_evidence_for(store, &everything, count_item, out, err);
}

/* What was seen once is seen again. */
static void *read_items(void *payload)
{
    fl_store *store = NULL;
    fl_error err = {0};
    size_t before = 0, seen = 0;
    (void)payload;
    fl_status status = fl_store_open(&store, place.url, FL_STORE_EXISTING, &err);
    for (size_t i = 0; status == FL_OK && i < ITEMS; i++) {
        status = count_all(&seen, store, &err);
        failures += seen < before;
        before = seen;
    }
    failures += status != FL_OK;
    fl_store_close(store);
    return NULL;
}

START_TEST(threads_lose_nothing_and_double_nothing)
{
    static char authors[WRITERS][16];
    pthread_t threads[WRITERS + READERS];
    fl_store *store = NULL;
    fl_error err = {0};
    size_t seen = 0;
    fl_store_place_make(&place);
    make_graph();
    /* First from one thread: it makes the store, and loads what is loaded once. */
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
    for (size_t i = 0; i < WRITERS + READERS; i++) {
        if (i < WRITERS)
            snprintf(authors[i], sizeof(authors[i]), "writer-%zu", i);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, i < WRITERS ? write_items : read_items,
                                        i < WRITERS ? authors[i] : NULL),
                         0);
    }
    for (size_t i = 0; i < WRITERS + READERS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(failures, 0);
    ck_assert_ok(count_all(&seen, store, &err));
    ck_assert_uint_eq(seen, WRITERS * ITEMS);
    fl_store_close(store);
    fl_store_place_clear(&place);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("store/graph_threads");
    TCase *tc = tcase_create("graph_threads");
    tcase_add_test(tc, threads_lose_nothing_and_double_nothing);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
