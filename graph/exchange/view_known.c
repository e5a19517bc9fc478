/*
 * view_known.c - what the graph is surest of: one walk over the evidence, one over the edges, which
 * keeps the best few.
 */
#include <assert.h>
#include <string.h>

#include "edge_beliefs.h"
#include "graph_find.h"
#include "graph_view.h"
#include "slice.h"

typedef struct walk {
    fl_arena *arena;
    fl_edge_beliefs beliefs;
    fl_graph_known items[FL_VIEW_MAX_KNOWN + 1]; /* one more: where the next one is tried */
    size_t count;
} walk;

/* Ids settle a tie, so that the order is the same in every store. */
static bool is_better(const fl_graph_known *a, const fl_graph_known *b)
{
    if (a->low != b->low)
        return a->low > b->low;
    return a->edge.id < b->edge.id;
}

/* Into its place among the best; what falls off the end is forgotten. */
static fl_status visit_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    walk *w = payload;
    const fl_brief_belief *belief = fl_edge_beliefs_next(&w->beliefs, edge->id);
    (void)err;
    if (belief == NULL || (edge->kind != FL_EDGE_EXPLAINED_BY && edge->kind != FL_EDGE_RESOLVED_BY))
        return FL_OK;
    fl_graph_known item = {.edge = *edge,
                           .mean = belief->mean,
                           .low = belief->low,
                           .high = belief->high,
                           .supporting = belief->supporting,
                           .contradicting = belief->contradicting,
                           .last_ns = belief->last_ns};
    size_t at = w->count;
    item.edge.qualifier = NULL; /* these kinds have none */
    for (; at > 0 && is_better(&item, &w->items[at - 1]); at--)
        w->items[at] = w->items[at - 1];
    w->items[at] = item;
    w->count += w->count < FL_VIEW_MAX_KNOWN;
    return FL_OK;
}

/* A node may be an end of several of them. */
static fl_status visit_node(const fl_graph_node *node, void *payload, fl_error *err)
{
    walk *w = payload;
    fl_graph_node copy;
    fl_status status = fl_graph_node_copy(&copy, node, w->arena, err);
    for (size_t i = 0; status == FL_OK && i < w->count; i++) {
        if (w->items[i].edge.from == node->id)
            w->items[i].from = copy;
        if (w->items[i].edge.to == node->id)
            w->items[i].to = copy;
    }
    return status;
}

/* At most forty nodes, in one question. */
static fl_status read_ends(walk *w, fl_store *store, int64_t as_of_ns, fl_error *err)
{
    uint64_t ids[2 * FL_VIEW_MAX_KNOWN];
    assert(w->count > 0 && w->count <= FL_VIEW_MAX_KNOWN);
    for (size_t i = 0; i < w->count; i++) {
        ids[2 * i] = w->items[i].edge.from;
        ids[2 * i + 1] = w->items[i].edge.to;
    }
    const fl_graph_question question = {.scope = FL_GRAPH_ONE,
                                        .as_of_ns = as_of_ns,
                                        .ids = ids,
                                        .id_count = fl_graph_sort_ids(ids, 2 * w->count)};
    return fl_graph_nodes(store, &question, visit_node, w, err);
}

/* Beliefs and edges are of one moment: they are matched by the order of their ids. */
fl_status fl_graph_view_known(fl_graph_known_list *out, fl_store *store, int64_t as_of_ns,
                              fl_arena *arena, fl_error *err)
{
    const fl_graph_question all = {.as_of_ns = as_of_ns};
    assert(out != NULL && store != NULL);
    *out = (fl_graph_known_list){0};
    walk *w = fl_arena_alloc(arena, 1, sizeof(*w));
    if (w == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a part of the graph");
    w->arena = arena;
    fl_status status = fl_store_hold(store, err);
    if (status != FL_OK)
        return status;
    status = fl_edge_beliefs_read(&w->beliefs, store, as_of_ns, err);
    if (status == FL_OK)
        status = fl_graph_edges(store, &all, visit_edge, w, err);
    if (status == FL_OK && w->count > 0)
        status = read_ends(w, store, as_of_ns, err);
    fl_store_release(store);
    fl_edge_beliefs_dispose(&w->beliefs);
    out->items = w->items;
    out->count = w->count;
    return status;
}
