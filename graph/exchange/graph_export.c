/*
 * graph_export.c - walks the store for any language: nodes, edges, evidence.
 *
 * How sure an edge is follows from all of its evidence, and the store gives the evidence of one
 * edge in one run and edges in the same order of ids. So beliefs are computed in one walk ahead, 32
 * bytes an edge that has evidence, and met in a second one; nothing is looked up.
 */
#include "graph_export.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "export_priv.h"
#include "hash.h"
#include "mem.h"
#include "slice.h"

static const fl_export_kind *const kinds[] = {&fl_export_json, &fl_export_dot, &fl_export_graphml,
                                              &fl_export_cypher};

const char *fl_export_id(char out[FL_EXPORT_ID_TEXT], uint64_t id)
{
    snprintf(out, FL_EXPORT_ID_TEXT, "%" PRIu64, id);
    return out;
}

/* ---- how sure edges are ---- */

typedef struct beliefs {
    fl_export_belief *items; /* in the order of the store */
    size_t count, room;
    fl_observation *of_edge; /* of the edge that is read */
    size_t of_edge_count, of_edge_room;
    uint64_t edge;
    int64_t now_ns;
    size_t next; /* to be met */
} beliefs;

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while writing the graph");
}

/* All evidence for one edge has been read. */
static fl_status end_edge(beliefs *all, fl_error *err)
{
    fl_confidence confidence;
    if (all->of_edge_count == 0)
        return FL_OK;
    if (all->count == all->room) {
        size_t room = all->room > 0 ? 2 * all->room : 256;
        fl_export_belief *grown = fl_mem_realloc(all->items, room, sizeof(*grown));
        if (grown == NULL)
            return no_memory(err);
        all->items = grown;
        all->room = room;
    }
    fl_export_belief *belief = &all->items[all->count++];
    *belief = (fl_export_belief){.edge = all->edge};
    for (size_t i = 0; i < all->of_edge_count; i++)
        *(all->of_edge[i].supports ? &belief->supporting : &belief->contradicting) += 1;
    fl_confidence_of(&confidence, all->of_edge, all->of_edge_count, FL_HALF_LIFE_DAYS, all->now_ns);
    belief->mean = (float)confidence.mean;
    belief->low = (float)confidence.low;
    belief->high = (float)confidence.high;
    all->of_edge_count = 0;
    return FL_OK;
}

/* The run of an edge ends where the next one begins. */
static fl_status take_evidence(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    beliefs *all = payload;
    fl_status status = item->edge != all->edge ? end_edge(all, err) : FL_OK;
    if (status != FL_OK)
        return status;
    if (all->of_edge_count == all->of_edge_room) {
        size_t room = all->of_edge_room > 0 ? 2 * all->of_edge_room : 64;
        fl_observation *grown = fl_mem_realloc(all->of_edge, room, sizeof(*grown));
        if (grown == NULL)
            return no_memory(err);
        all->of_edge = grown;
        all->of_edge_room = room;
    }
    all->edge = item->edge;
    all->of_edge[all->of_edge_count++] =
        (fl_observation){.source = item->source,
                         .author = fl_hash_stable(fl_slice_of(item->author)),
                         .supports = item->supports,
                         .at_ns = item->at_ns};
    return FL_OK;
}

/* The last edge has none behind it that would end it. */
static fl_status read_beliefs(beliefs *all, fl_store *store, const fl_graph_question *question,
                              fl_error *err)
{
    fl_status status = fl_graph_evidence_for(store, question, take_evidence, all, err);
    return status == FL_OK ? end_edge(all, err) : status;
}

/* NULL where there is no evidence. Ids as signed numbers, as the store orders them. */
static const fl_export_belief *belief_of(beliefs *all, uint64_t edge)
{
    while (all->next < all->count && (int64_t)all->items[all->next].edge < (int64_t)edge)
        all->next++;
    return all->next < all->count && all->items[all->next].edge == edge ? &all->items[all->next]
                                                                        : NULL;
}

/* ---- rows ---- */

typedef struct walk {
    fl_export to;
    beliefs beliefs;
} walk;

/* A row was written: away with the bytes when there are enough of them. */
static fl_status wrote(walk *w, fl_error *err)
{
    const fl_graph_sink *sink = w->to.sink;
    w->to.count++;
    if (sink->flush != NULL && sink->out->len >= FL_GRAPH_FLUSH_BYTES)
        return sink->flush(sink->payload, err);
    return fl_buf_check(sink->out, "the graph", err);
}

static fl_status visit_node(const fl_graph_node *node, void *payload, fl_error *err)
{
    walk *w = payload;
    w->to.kind->node(&w->to, node);
    return wrote(w, err);
}

/* The evidence was read before; here it is met in the order of the edges. */
static fl_status visit_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    walk *w = payload;
    w->to.belief = belief_of(&w->beliefs, edge->id);
    w->to.kind->edge(&w->to, edge);
    return wrote(w, err);
}

static fl_status visit_evidence(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    walk *w = payload;
    w->to.kind->evidence(&w->to, item);
    return wrote(w, err);
}

/* Tables in the order in which they refer to each other. */
static fl_status write_all(walk *w, fl_store *store, const fl_graph_question *all, fl_error *err)
{
    const fl_export_kind *kind = w->to.kind;
    fl_buf *out = w->to.sink->out;
    fl_status status = kind->wants_beliefs ? read_beliefs(&w->beliefs, store, all, err) : FL_OK;
    fl_buf_text(out, kind->head);
    if (status == FL_OK)
        status = fl_graph_nodes(store, all, visit_node, w, err);
    fl_buf_text(out, kind->nodes_end);
    w->to.count = 0;
    if (status == FL_OK)
        status = fl_graph_edges(store, all, visit_edge, w, err);
    fl_buf_text(out, kind->edges_end);
    w->to.count = 0;
    if (status == FL_OK && kind->evidence != NULL)
        status = fl_graph_evidence_for(store, all, visit_evidence, w, err);
    fl_buf_text(out, kind->tail);
    return status == FL_OK ? fl_buf_check(out, "the graph", err) : status;
}

fl_status fl_graph_export(const fl_graph_sink *sink, fl_store *store, const char *format,
                          int64_t as_of_ns, fl_error *err)
{
    assert(sink != NULL && sink->out != NULL && store != NULL);
    const fl_graph_question all = {.as_of_ns = as_of_ns};
    walk w = {.to = {.sink = sink}, .beliefs = {.now_ns = as_of_ns}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i]->name, format) == 0)
            w.to.kind = kinds[i];
    assert(w.to.kind != NULL);
    fl_status status = fl_store_hold(store, err);
    if (status == FL_OK) {
        status = write_all(&w, store, &all, err);
        fl_store_release(store);
    }
    fl_mem_free(w.beliefs.items);
    fl_mem_free(w.beliefs.of_edge);
    return status;
}
