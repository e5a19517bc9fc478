/*
 * graph_store.c - what holds for the graph in every kind of store: limits, and which edges may be.
 *
 * An edge is checked against the kinds of its ends. Those of the batch are looked up in a table,
 * others in the store; nodes are never taken away, so that what was there stays there.
 */
#include "graph_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "graph_ahead.h"
#include "hash.h"
#include "map.h"
#include "mem.h"
#include "slice.h"
#include "sort.h"
#include "store_priv.h"
#include "utf8.h"

uint64_t fl_graph_evidence_id(const fl_graph_evidence *item)
{
    assert(item->author != NULL && item->reference != NULL);
    uint64_t id =
        fl_hash_mix(item->edge ^ fl_hash_stable(fl_slice_of(fl_source_name(item->source))));
    id = fl_hash_mix(id ^ fl_hash_stable(fl_slice_of(item->author)));
    id = fl_hash_mix(id ^ fl_hash_stable(fl_slice_of(item->reference)));
    return fl_hash_mix(id ^ (item->supports ? 1 : 2));
}

/* NULL is no text, and fine. */
static fl_status check_text(const char *text, size_t limit, const char *what, fl_error *err)
{
    fl_slice bytes = fl_slice_of(text);
    if (bytes.len > limit)
        return fl_fail(err, FL_E_LIMIT, limit, "%s of %zu bytes; the graph keeps up to %zu", what,
                       bytes.len, limit);
    if (fl_utf8_valid_prefix(bytes) != bytes.len)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%s is not UTF-8", what);
    return FL_OK;
}

/* An id that is not that of kind and key is a mistake of the caller. */
static fl_status check_node(const fl_graph_node *node, fl_error *err)
{
    assert(node->key != NULL);
    assert(node->id == fl_node_id(node->kind, fl_slice_of(node->key)));
    if (node->key[0] == '\0')
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "a %s without a name",
                       fl_node_kind_name(node->kind));
    fl_status status = check_text(node->key, FL_MAX_NODE_KEY_BYTES, "the name of a node", err);
    if (status == FL_OK)
        status = check_text(node->title, FL_MAX_GRAPH_TEXT_BYTES, "a title", err);
    return status;
}

/* The same for evidence. */
static fl_status check_evidence(const fl_graph_evidence *item, fl_error *err)
{
    assert(item->id == fl_graph_evidence_id(item));
    fl_status status = check_text(item->author, FL_MAX_NODE_KEY_BYTES, "an author", err);
    if (status == FL_OK)
        status = check_text(item->reference, FL_MAX_REFERENCE_BYTES, "a reference", err);
    if (status == FL_OK)
        status = check_text(item->note, FL_MAX_GRAPH_TEXT_BYTES, "a note", err);
    return status;
}

/* Kinds of nodes, as far as they are known: those of the batch, and then those asked for. */
typedef struct kinds {
    fl_map *known;
    fl_store *store;
} kinds;

/* Kinds are kept plus one, since 0 is what a new place holds. */
static fl_status keep_kind(fl_map *known, uint64_t id, fl_node_kind kind, fl_error *err)
{
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, known, id, NULL, err);
    if (status == FL_OK)
        *slot = (uint64_t)kind + 1;
    return status;
}

static fl_status take_kind(const fl_graph_node *node, void *payload, fl_error *err)
{
    return keep_kind(payload, node->id, node->kind, err);
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

size_t fl_graph_sort_ids(uint64_t *ids, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(ids, count, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || ids[i] != ids[kept - 1])
            ids[kept++] = ids[i];
    assert(kept <= count);
    return kept;
}

/* Asks the store for the ends that neither the batch brings nor earlier ones did, all at once. */
static fl_status learn_kinds(kinds *all, const fl_graph_batch *batch, fl_error *err)
{
    size_t count = 0;
    fl_status status = FL_OK;
    if (batch->edge_count > SIZE_MAX / 2 / sizeof(uint64_t))
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a batch of %zu edges", batch->edge_count);
    uint64_t *ids = fl_mem_alloc(2 * batch->edge_count * sizeof(*ids));
    if (ids == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for %zu edges",
                       batch->edge_count);
    for (size_t i = 0; i < batch->edge_count; i++) {
        ids[count] = batch->edges[i].from;
        count += fl_map_find(all->known, ids[count]) == NULL;
        ids[count] = batch->edges[i].to;
        count += fl_map_find(all->known, ids[count]) == NULL;
    }
    const fl_graph_question question = {.scope = FL_GRAPH_ONE,
                                        .as_of_ns = FL_GRAPH_NOW,
                                        .ids = ids,
                                        .id_count = fl_graph_sort_ids(ids, count)};
    if (count > 0)
        status = fl_graph_nodes(all->store, &question, take_kind, all->known, err);
    fl_mem_free(ids);
    return status;
}

static fl_status kind_of(fl_node_kind *out, const kinds *all, uint64_t id, fl_error *err)
{
    const uint64_t *known = fl_map_find(all->known, id);
    if (known == NULL)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "an edge ends at a node that is not there");
    *out = (fl_node_kind)(*known - 1);
    return FL_OK;
}

static fl_status check_edge(const fl_graph_edge *edge, const kinds *all, fl_error *err)
{
    fl_node_kind from = FL_NODE_SERVICE, to = FL_NODE_SERVICE;
    fl_status status = check_text(edge->qualifier, FL_MAX_NODE_KEY_BYTES, "a qualifier", err);
    assert(edge->id == fl_edge_id(edge->kind, edge->from, edge->to, fl_slice_of(edge->qualifier)));
    if (status == FL_OK)
        status = kind_of(&from, all, edge->from, err);
    if (status == FL_OK)
        status = kind_of(&to, all, edge->to, err);
    if (status == FL_OK && !fl_edge_allowed(edge->kind, from, to))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "no edge \"%s\" leads from a %s to a %s",
                       fl_edge_kind_name(edge->kind), fl_node_kind_name(from),
                       fl_node_kind_name(to));
    return status;
}

/* Nodes first: they may be the ends of the edges. */
static fl_status check_batch(const fl_graph_batch *batch, kinds *all, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < batch->node_count; i++) {
        status = check_node(&batch->nodes[i], err);
        if (status == FL_OK)
            status = keep_kind(all->known, batch->nodes[i].id, batch->nodes[i].kind, err);
    }
    if (status == FL_OK && batch->edge_count > 0)
        status = learn_kinds(all, batch, err);
    for (size_t i = 0; status == FL_OK && i < batch->edge_count; i++)
        status = check_edge(&batch->edges[i], all, err);
    for (size_t i = 0; status == FL_OK && i < batch->evidence_count; i++)
        status = check_evidence(&batch->evidence[i], err);
    return status;
}

/* ---- order ---- */

static uint64_t number_of(uint64_t id)
{
    return id ^ UINT64_C(1) << 63; /* as signed numbers */
}

static int compare_numbers(uint64_t x, uint64_t y)
{
    return (x > y) - (x < y);
}

static uint64_t node_number(const void *row)
{
    return number_of(((const fl_graph_node *)row)->id);
}

static uint64_t edge_number(const void *row)
{
    return number_of(((const fl_graph_edge *)row)->id);
}

static uint64_t evidence_edge_number(const void *row)
{
    return number_of(((const fl_graph_evidence *)row)->edge);
}

static uint64_t evidence_number(const void *row)
{
    return number_of(((const fl_graph_evidence *)row)->id);
}

static int compare_nodes(const void *a, const void *b)
{
    return compare_numbers(node_number(a), node_number(b));
}

static int compare_edges(const void *a, const void *b)
{
    return compare_numbers(edge_number(a), edge_number(b));
}

static int compare_evidence(const void *a, const void *b)
{
    int by_edge = compare_numbers(evidence_edge_number(a), evidence_edge_number(b));
    return by_edge != 0 ? by_edge : compare_numbers(evidence_number(a), evidence_number(b));
}

static const fl_row_order node_order = {{node_number}, compare_nodes},
                          edge_order = {{edge_number}, compare_edges},
                          evidence_order = {{evidence_edge_number, evidence_number},
                                            compare_evidence};

/* A sorted copy of `count` rows, the caller's; NULL for want of memory. */
static void *sorted(const void *rows, size_t count, size_t size, const fl_row_order *order)
{
    if (count > SIZE_MAX / size)
        return NULL;
    void *copy = fl_mem_alloc(count * size);
    if (copy == NULL)
        return NULL;
    if (count > 0)
        memcpy(copy, rows, count * size);
    fl_sort_rows(copy, count, size, order);
    return copy;
}

/* In the order of their keys: a store then goes once through its pages and not back and forth, and
 * writers that bring the same rows meet in one order, so that none waits for one that waits. */
static fl_status add_sorted(fl_graph_added *added, fl_store *store, const fl_graph_batch *batch,
                            fl_error *err)
{
    fl_graph_batch in = *batch;
    fl_graph_node *nodes =
        sorted(batch->nodes, batch->node_count, sizeof(*batch->nodes), &node_order);
    fl_graph_edge *edges =
        sorted(batch->edges, batch->edge_count, sizeof(*batch->edges), &edge_order);
    fl_graph_evidence *evidence =
        sorted(batch->evidence, batch->evidence_count, sizeof(*batch->evidence), &evidence_order);
    in.nodes = nodes;
    in.edges = edges;
    in.evidence = evidence;
    fl_status status = FL_OK;
    if (nodes == NULL || edges == NULL || evidence == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while writing to a store");
    if (status == FL_OK)
        status = store->kind->graph->add(added, store, &in, err);
    fl_mem_free(nodes);
    fl_mem_free(edges);
    fl_mem_free(evidence);
    return status;
}

fl_status fl_graph_add(fl_graph_added *added, fl_store *store, const fl_graph_batch *batch,
                       fl_error *err)
{
    assert(store != NULL && batch != NULL);
    fl_graph_added ignored;
    kinds all = {.store = store};
    fl_map *own = NULL;
    fl_status status = batch->kinds == NULL
                           ? fl_map_create(&own, batch->node_count + 2 * batch->edge_count + 1, err)
                           : FL_OK;
    all.known = own != NULL ? own : batch->kinds;
    if (status == FL_OK)
        status = check_batch(batch, &all, err);
    fl_map_destroy(own);
    added = added != NULL ? added : &ignored;
    *added = (fl_graph_added){0};
    fl_graph_ahead_forget(store); /* it was of the moment before */
    if (status == FL_OK)
        status = add_sorted(added, store, batch, err);
    if (status != FL_OK && batch->kinds != NULL)
        fl_map_clear(batch->kinds); /* nodes of a batch that failed are not there */
    return status;
}

fl_status fl_graph_fail_kind(const char *what, fl_error *err)
{
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "the store holds %s of a kind that is not known",
                   what);
}

/* A mistake of the caller. */
static void check_question(const fl_graph_question *question)
{
    assert((question->ids == NULL) == (question->id_count == 0));
    assert(question->ids == NULL || question->scope != FL_GRAPH_ALL);
}

fl_status fl_graph_nodes(fl_store *store, const fl_graph_question *question,
                         fl_graph_visit_node *visit, void *payload, fl_error *err)
{
    assert(store != NULL && visit != NULL);
    assert(question->scope == FL_GRAPH_ALL || question->scope == FL_GRAPH_ONE);
    check_question(question);
    fl_status status;
    const fl_graph_walk to = {.node = visit, .payload = payload};
    if (fl_graph_ahead_answers_nodes(&status, store, question, &to, err))
        return status;
    return store->kind->graph->nodes(store, question, visit, payload, err);
}

fl_status fl_graph_edges(fl_store *store, const fl_graph_question *question,
                         fl_graph_visit_edge *visit, void *payload, fl_error *err)
{
    assert(store != NULL && visit != NULL);
    check_question(question);
    fl_status status;
    const fl_graph_walk to = {.edge = visit, .payload = payload};
    if (fl_graph_ahead_answers_edges(&status, store, question, &to, err))
        return status;
    return store->kind->graph->edges(store, question, visit, payload, err);
}

fl_status fl_graph_evidence_for(fl_store *store, const fl_graph_question *question,
                                fl_graph_visit_evidence *visit, void *payload, fl_error *err)
{
    assert(store != NULL && visit != NULL);
    assert(question->scope == FL_GRAPH_ALL || question->scope == FL_GRAPH_ONE);
    check_question(question);
    fl_status status;
    const fl_graph_walk to = {.evidence = visit, .payload = payload};
    if (fl_graph_ahead_answers_evidence(&status, store, question, &to, err))
        return status;
    return store->kind->graph->evidence(store, question, visit, payload, err);
}

fl_status fl_graph_changed(fl_graph_mark *mark, fl_store *store, fl_graph_visit_id *visit,
                           void *payload, fl_error *err)
{
    assert(mark != NULL && store != NULL && visit != NULL);
    fl_graph_mark moved = {.at = mark->at, .is_set = mark->is_set};
    fl_status status = store->kind->graph->changed(&moved, store, visit, payload, err);
    if (status == FL_OK)
        *mark = moved;
    return status;
}
