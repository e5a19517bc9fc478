/*
 * graph_copy.c - rows are gathered into batches as they are read, and added while the walk stands
 * still: the two stores are two connections.
 *
 * Order: nodes, edges, evidence, so that a reference is never ahead of what it refers to, and then
 * incidents, each by itself. A batch is a transaction of the store that is written.
 */
#include "graph_copy.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "arena.h"
#include "hash.h"
#include "map.h"
#include "mem.h"
#include "names.h"
#include "slice.h"
#include "sort.h"

enum {
    BATCH_ROWS = 5000,     /* as many as the stores take in one statement */
    BATCH_TEXT = 16 << 20, /* of a batch's texts */
    MAX_TEXT = 32 << 20,   /* a batch and one row more */
    MAX_KINDS = 8 << 20    /* nodes whose kinds are remembered; then it begins anew */
};
#define MAX_INCIDENTS      (16u << 20)
#define MAX_INCIDENT_BYTES (1u << 30) /* of their ids */

typedef struct copy {
    fl_graph_copied *out;
    fl_store *from, *to;
    fl_arena arena; /* of a batch */
    fl_map *kinds;
    fl_graph_node *nodes;
    fl_graph_edge *edges;
    fl_graph_evidence *evidence;
    fl_graph_batch batch; /* only counts: of one table at a time */
} copy;

/* One sentence for all of it. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while copying a store");
}

/* ---- the graph ---- */

/* Add what was gathered. */
static fl_status end_batch(copy *c, fl_error *err)
{
    fl_graph_added added = {0};
    fl_graph_batch batch = c->batch;
    batch.nodes = c->nodes;
    batch.edges = c->edges;
    batch.evidence = c->evidence;
    batch.kinds = c->kinds;
    if (batch.node_count + batch.edge_count + batch.evidence_count == 0)
        return FL_OK;
    if (fl_map_count(c->kinds) + 2 * BATCH_ROWS > MAX_KINDS)
        fl_map_clear(c->kinds);
    fl_status status = fl_graph_add(&added, c->to, &batch, err);
    c->out->added.nodes += added.nodes;
    c->out->added.edges += added.edges;
    c->out->added.evidence += added.evidence;
    c->batch = (fl_graph_batch){0};
    fl_arena_reset(&c->arena);
    return status;
}

/* Where `count` rows and their texts are enough. */
static fl_status end_row(copy *c, size_t count, fl_error *err)
{
    assert(count <= BATCH_ROWS);
    return count == BATCH_ROWS || c->arena.used_bytes > BATCH_TEXT ? end_batch(c, err) : FL_OK;
}

/* NULL stays NULL; *ok turns false for want of memory. */
static const char *copy_text(copy *c, const char *text, bool *ok)
{
    const char *made = text != NULL ? fl_arena_cstr(&c->arena, fl_slice_of(text)) : NULL;
    *ok = *ok && (text == NULL || made != NULL);
    return made;
}

/* Rows are borrowed during the visit, and are wanted until the batch is full. */
static fl_status copy_node(const fl_graph_node *node, void *payload, fl_error *err)
{
    copy *c = payload;
    bool ok = true;
    fl_graph_node *row = &c->nodes[c->batch.node_count++];
    *row = *node;
    row->key = copy_text(c, node->key, &ok);
    row->title = copy_text(c, node->title, &ok);
    c->out->nodes++;
    return ok ? end_row(c, c->batch.node_count, err) : no_memory(err);
}

/* Its ends are in the other store by now: all nodes were. */
static fl_status copy_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    copy *c = payload;
    bool ok = true;
    fl_graph_edge *row = &c->edges[c->batch.edge_count++];
    *row = *edge;
    row->qualifier = copy_text(c, edge->qualifier, &ok);
    c->out->edges++;
    return ok ? end_row(c, c->batch.edge_count, err) : no_memory(err);
}

/* Likewise its edge. */
static fl_status copy_evidence(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    copy *c = payload;
    bool ok = true;
    fl_graph_evidence *row = &c->evidence[c->batch.evidence_count++];
    *row = *item;
    row->author = copy_text(c, item->author, &ok);
    row->reference = copy_text(c, item->reference, &ok);
    row->note = copy_text(c, item->note, &ok);
    c->out->evidence++;
    return ok ? end_row(c, c->batch.evidence_count, err) : no_memory(err);
}

/* Each table ends its batch, so that the next one finds what it refers to. */
static fl_status copy_graph(copy *c, fl_error *err)
{
    const fl_graph_question all = {.as_of_ns = FL_GRAPH_NOW};
    fl_status status = fl_graph_nodes(c->from, &all, copy_node, c, err);
    if (status == FL_OK)
        status = end_batch(c, err);
    if (status == FL_OK)
        status = fl_graph_edges(c->from, &all, copy_edge, c, err);
    if (status == FL_OK)
        status = end_batch(c, err);
    if (status == FL_OK)
        status = fl_graph_evidence_for(c->from, &all, copy_evidence, c, err);
    return status == FL_OK ? end_batch(c, err) : status;
}

/* ---- incidents ---- */

/* What a list says of an incident: all that is kept beside its document. */
typedef struct row {
    const char *id, *service;
    int64_t at_ns, stored_ns;
    fl_verdict verdict;
    fl_cause cause;
    double probability;
    bool has_cause;
} row;

typedef struct rows {
    fl_arena arena;
    row *items;
    size_t count, room;
} rows;

/* Read whole before the first document is asked for: a store gives one walk at a time. */
static fl_status take_row(const fl_store_row *in, void *payload, fl_error *err)
{
    rows *all = payload;
    if (all->count == all->room) {
        size_t room = all->room > 0 ? 2 * all->room : 64;
        row *grown = fl_mem_realloc(all->items, room, sizeof(*grown));
        if (grown == NULL)
            return no_memory(err);
        all->items = grown;
        all->room = room;
    }
    row *out = &all->items[all->count];
    *out = (row){.at_ns = in->at_ns, .stored_ns = in->stored_ns, .probability = in->probability};
    out->has_cause = in->cause != NULL;
    if (!fl_verdict_parse(&out->verdict, in->verdict) ||
        (out->has_cause && !fl_cause_parse(&out->cause, in->cause)))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                       "incident %.64s has a verdict or a cause that is not known", in->id);
    out->id = fl_arena_cstr(&all->arena, fl_slice_of(in->id));
    if (in->service != NULL)
        out->service = fl_arena_cstr(&all->arena, fl_slice_of(in->service));
    if (out->id == NULL || (in->service != NULL && out->service == NULL))
        return no_memory(err);
    all->count++;
    return FL_OK;
}

/* Of the other store: when each incident was stored, by the hash of its id. */
static fl_status take_stored(const fl_store_row *in, void *payload, fl_error *err)
{
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, payload, fl_hash_keyed(fl_slice_of(in->id)), NULL, err);
    if (status == FL_OK)
        *slot = fl_sort_number(in->stored_ns);
    return status;
}

/* What is drawn of it, where something is. Before the document: an incident that is there is there
 * whole, and one that was stopped in between is copied again. */
static fl_status copy_picture(copy *c, const char *id, fl_error *err)
{
    char *picture = NULL;
    fl_error own = {0};
    fl_status status = fl_store_get_picture(c->from, id, &picture, &own);
    if (status == FL_E_NOTFOUND)
        return FL_OK;
    if (status != FL_OK)
        return fl_fail(err, status, own.offset, "%s", own.message);
    assert(picture != NULL);
    status = fl_store_put_picture(c->to, id, fl_slice_of(picture), err);
    fl_mem_free(picture);
    return status;
}

/* The columns come from the row and the document is not looked into: it stays as it is, byte for
 * byte, whatever version of the program wrote it. */
static fl_status copy_incident(copy *c, const row *in, fl_error *err)
{
    char *document = NULL;
    const fl_hypothesis best = {
        .service = in->service, .cause = in->cause, .probability = in->probability};
    const fl_incident incident = {.id = in->id,
                                  .at_ns = in->at_ns,
                                  .verdict = in->verdict,
                                  .hypotheses = &best,
                                  .hypothesis_count = in->has_cause ? 1 : 0};
    fl_status status = copy_picture(c, in->id, err);
    if (status == FL_OK)
        status = fl_store_get(c->from, in->id, &document, err);
    if (status == FL_OK)
        status = fl_store_put(c->to, &incident, fl_slice_of(document), in->stored_ns, err);
    fl_mem_free(document);
    c->out->added_incidents += status == FL_OK;
    return status;
}

/* Oldest first, as they were stored: a copy that is stopped has the beginning of the list. */
static fl_status copy_rows(copy *c, const rows *all, const fl_map *stored, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = all->count; status == FL_OK && i > 0; i--) {
        const row *in = &all->items[i - 1];
        const uint64_t *there = fl_map_find(stored, fl_hash_keyed(fl_slice_of(in->id)));
        c->out->incidents++;
        if (there == NULL || *there < fl_sort_number(in->stored_ns))
            status = copy_incident(c, in, err);
    }
    return status;
}

/* A list of ids and times is small beside the documents, which come one by one. */
static fl_status copy_incidents(copy *c, fl_error *err)
{
    rows all = {.arena = fl_arena_of(MAX_INCIDENT_BYTES)};
    fl_map *stored = NULL;
    fl_status status = fl_map_create(&stored, MAX_INCIDENTS, err);
    if (status == FL_OK)
        status = fl_store_list(c->to, 0, take_stored, stored, err);
    if (status == FL_OK)
        status = fl_store_list(c->from, 0, take_row, &all, err);
    if (status == FL_OK)
        status = copy_rows(c, &all, stored, err);
    fl_map_destroy(stored);
    fl_mem_free(all.items);
    fl_arena_dispose(&all.arena);
    return status;
}

/* Held from the first row to the last document, so that both tell of the same moment. */
fl_status fl_graph_copy(fl_graph_copied *out, fl_store *from, fl_store *to, fl_error *err)
{
    assert(out != NULL && from != NULL && to != NULL && from != to);
    *out = (fl_graph_copied){0};
    copy c = {.out = out,
              .from = from,
              .to = to,
              .arena = fl_arena_of(MAX_TEXT),
              .nodes = fl_mem_calloc(BATCH_ROWS, sizeof(*c.nodes)),
              .edges = fl_mem_calloc(BATCH_ROWS, sizeof(*c.edges)),
              .evidence = fl_mem_calloc(BATCH_ROWS, sizeof(*c.evidence))};
    fl_status status =
        c.nodes != NULL && c.edges != NULL && c.evidence != NULL ? FL_OK : no_memory(err);
    if (status == FL_OK)
        status = fl_map_create(&c.kinds, MAX_KINDS, err);
    if (status == FL_OK)
        status = fl_store_hold(from, err);
    if (status == FL_OK) {
        status = copy_graph(&c, err);
        if (status == FL_OK)
            status = copy_incidents(&c, err);
        fl_store_release(from);
    }
    fl_map_destroy(c.kinds);
    fl_mem_free(c.nodes);
    fl_mem_free(c.edges);
    fl_mem_free(c.evidence);
    fl_arena_dispose(&c.arena);
    return status;
}
