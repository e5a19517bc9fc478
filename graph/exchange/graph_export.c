/*
 * graph_export.c - walks the store for any language: nodes, edges, evidence.
 *
 * How sure edges are is read in a walk ahead (edge_beliefs.h), and met again in the order of the
 * store; nothing is looked up.
 */
#include "graph_export.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "export_priv.h"

static const fl_export_kind *const kinds[] = {&fl_export_json, &fl_export_dot, &fl_export_graphml,
                                              &fl_export_cypher};

const char *fl_export_id(char out[FL_EXPORT_ID_TEXT], uint64_t id)
{
    snprintf(out, FL_EXPORT_ID_TEXT, "%" PRIu64, id);
    return out;
}

/* ---- rows ---- */

typedef struct walk {
    fl_export to;
    fl_edge_beliefs beliefs;
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
    w->to.belief = fl_edge_beliefs_next(&w->beliefs, edge->id);
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
    fl_status status =
        kind->wants_beliefs ? fl_edge_beliefs_read(&w->beliefs, store, all->as_of_ns, err) : FL_OK;
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

/* The store is held for all walks together: beliefs and edges would not meet otherwise. */
fl_status fl_graph_export(const fl_graph_sink *sink, fl_store *store, const char *format,
                          int64_t as_of_ns, fl_error *err)
{
    assert(sink != NULL && sink->out != NULL && store != NULL);
    const fl_graph_question all = {.as_of_ns = as_of_ns};
    walk w = {.to = {.sink = sink}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i]->name, format) == 0)
            w.to.kind = kinds[i];
    assert(w.to.kind != NULL);
    fl_status status = fl_store_hold(store, err);
    if (status == FL_OK) {
        status = write_all(&w, store, &all, err);
        fl_store_release(store);
    }
    fl_edge_beliefs_dispose(&w.beliefs);
    return status;
}
