/*
 * view_around.c - breadth first, a ring a question: the edges of all nodes of one depth are asked
 * for at once, first those that leave, then those that enter.
 *
 * A node is known by its id until the end, when their texts are read. Bounds: `most` nodes, twice
 * EDGES_A_NODE * most edges, and the clock, which is looked at every LOOKED_AT rows.
 */
#include <assert.h>
#include <string.h>

#include "graph_find.h"
#include "graph_view.h"
#include "map.h"
#include "mem.h"
#include "rank_around.h"
#include "slice.h"
#include "timestamp.h"

enum { EDGES_A_NODE = 4, LOOKED_AT = 256 };

typedef struct walk {
    fl_arena *arena;
    fl_graph_around *out;
    fl_map *places; /* id -> place in nodes */
    fl_map *edge_ids;
    fl_graph_neighbour *nodes;
    size_t node_count, most;
    fl_graph_edge *edges;
    size_t edge_count;
    size_t depth; /* of what is found now */
    bool leaving;
    bool closed; /* all nodes are there: edges between them are wanted only */
    size_t rows;
    int64_t deadline_ns; /* monotonic; 0: none */
} walk;

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a part of the graph");
}

/* *known is false for a node that there is no room for. */
static fl_status note_node(bool *known, walk *w, uint64_t id, fl_error *err)
{
    *known = fl_map_find(w->places, id) != NULL;
    if (*known || w->closed)
        return FL_OK;
    if (w->node_count == w->most) {
        w->out->cut = FL_GRAPH_CUT_ROWS;
        return FL_OK;
    }
    uint64_t *place;
    fl_status status = fl_map_slot(&place, w->places, id, NULL, err);
    if (status != FL_OK)
        return status;
    *place = w->node_count;
    *known = true;
    w->nodes[w->node_count++] = (fl_graph_neighbour){.node = {.id = id}, .depth = w->depth};
    return FL_OK;
}

/* An edge between two nodes of a ring is met from both ends; the second time it is known. */
static fl_status keep_edge(walk *w, const fl_graph_edge *edge, fl_error *err)
{
    bool is_new;
    uint64_t *slot;
    if (w->edge_count == EDGES_A_NODE * w->most) {
        w->out->cut = FL_GRAPH_CUT_ROWS;
        return FL_OK;
    }
    fl_status status = fl_map_slot(&slot, w->edge_ids, edge->id, &is_new, err);
    if (status != FL_OK || !is_new)
        return status;
    fl_graph_edge *copy = &w->edges[w->edge_count++];
    *copy = *edge;
    if (edge->qualifier != NULL) {
        copy->qualifier = fl_arena_cstr(w->arena, fl_slice_of(edge->qualifier));
        if (copy->qualifier == NULL)
            return no_memory(err);
    }
    return FL_OK;
}

/* What leads to a node beyond the bound is left out with it, so that no edge hangs in the air. */
static fl_status visit_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    walk *w = payload;
    bool known;
    if (w->deadline_ns != 0 && w->rows++ % LOOKED_AT == 0 && fl_time_monotonic() > w->deadline_ns) {
        w->out->cut = FL_GRAPH_CUT_TIME;
        return FL_E_STOPPED;
    }
    fl_status status = note_node(&known, w, w->leaving ? edge->to : edge->from, err);
    return status == FL_OK && known ? keep_edge(w, edge, err) : status;
}

/* The edges of the nodes from place `from` on. */
static fl_status read_ring(walk *w, fl_store *store, size_t from, int64_t as_of_ns, fl_error *err)
{
    size_t count = w->node_count - from;
    uint64_t *ids = fl_mem_alloc(count * sizeof(*ids));
    fl_status status = FL_OK;
    assert(count > 0);
    if (ids == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++)
        ids[i] = w->nodes[from + i].node.id;
    fl_graph_question question = {.as_of_ns = as_of_ns,
                                  .limit = w->closed ? FL_VIEW_MAX_LINKS : w->most + 1,
                                  .ids = ids,
                                  .id_count = fl_graph_sort_ids(ids, count)};
    w->depth++;
    for (int side = 0; status == FL_OK && side < (w->closed ? 1 : 2); side++) {
        w->leaving = side == 0;
        question.scope = w->leaving ? FL_GRAPH_OUT : FL_GRAPH_IN;
        status = fl_graph_edges(store, &question, visit_edge, w, err);
    }
    fl_mem_free(ids);
    return status;
}

/* Asked for by its id, so that it has a place. */
static fl_status take_node(const fl_graph_node *node, void *payload, fl_error *err)
{
    walk *w = payload;
    const uint64_t *place = fl_map_find(w->places, node->id);
    assert(place != NULL && *place < w->node_count);
    return fl_graph_node_copy(&w->nodes[*place].node, node, w->arena, err);
}

/* Kinds and texts of all that were found. */
static fl_status read_nodes(walk *w, fl_store *store, int64_t as_of_ns, fl_error *err)
{
    uint64_t *ids = fl_mem_alloc(w->node_count * sizeof(*ids));
    if (ids == NULL)
        return no_memory(err);
    for (size_t i = 0; i < w->node_count; i++)
        ids[i] = w->nodes[i].node.id;
    const fl_graph_question question = {.scope = FL_GRAPH_ONE,
                                        .as_of_ns = as_of_ns,
                                        .ids = ids,
                                        .id_count = fl_graph_sort_ids(ids, w->node_count)};
    fl_status status = fl_graph_nodes(store, &question, take_node, w, err);
    fl_mem_free(ids);
    return status;
}

/* The nodes by their ranks, then the edges among them. */
static fl_status walk_ranked(walk *w, fl_store *store, const fl_graph_around_question *question,
                             fl_error *err)
{
    bool known;
    fl_ranked_list list;
    fl_status status = fl_graph_rank_around(&list, store, question, w->arena, err);
    for (size_t i = 0; status == FL_OK && i < list.count; i++) {
        w->depth = list.items[i].depth;
        status = note_node(&known, w, list.items[i].id, err);
        if (status == FL_OK)
            w->nodes[i].rank = list.items[i].rank;
    }
    if (status != FL_OK)
        return status;
    w->out->cut = list.cut;
    w->out->is_ranked = true;
    w->closed = true;
    w->deadline_ns = 0; /* what is left is bounded by the rows */
    status = read_ring(w, store, 0, question->as_of_ns, err);
    return status == FL_OK ? read_nodes(w, store, question->as_of_ns, err) : status;
}

/* Ring after ring, until the depth, nothing new, or a bound ends it. That the time was over is an
 * answer and no failure: nodes that are known by then still get their names. */
static fl_status walk_out(walk *w, fl_store *store, const fl_graph_around_question *question,
                          fl_error *err)
{
    bool known;
    size_t from = 0;
    fl_status status = note_node(&known, w, question->node->id, err);
    while (status == FL_OK && w->depth < question->depth && from < w->node_count &&
           w->out->cut == FL_GRAPH_WHOLE) {
        size_t next = w->node_count;
        status = read_ring(w, store, from, question->as_of_ns, err);
        from = next;
    }
    if (status == FL_E_STOPPED && w->out->cut == FL_GRAPH_CUT_TIME)
        status = FL_OK;
    return status == FL_OK ? read_nodes(w, store, question->as_of_ns, err) : status;
}

/* Nodes that were met but are not there by this time are left out: an edge is not there either
 * then, so that there are none but in a damaged store. */
fl_status fl_graph_view_around(fl_graph_around *out, fl_store *store,
                               const fl_graph_around_question *question, fl_arena *arena,
                               fl_error *err)
{
    assert(question->node != NULL && question->depth <= FL_VIEW_MAX_DEPTH);
    assert(question->most > 0 && question->most <= FL_VIEW_MAX_NEIGHBOURS);
    size_t most_edges = EDGES_A_NODE * question->most;
    *out = (fl_graph_around){.cut = FL_GRAPH_WHOLE};
    walk w = {.arena = arena,
              .out = out,
              .most = question->most,
              .nodes = fl_arena_alloc(arena, question->most, sizeof(*w.nodes)),
              .edges = fl_arena_alloc(arena, most_edges, sizeof(*w.edges)),
              .deadline_ns = question->time_ns > 0 ? fl_time_monotonic() + question->time_ns : 0};
    if (w.nodes == NULL || w.edges == NULL)
        return no_memory(err);
    fl_status status = fl_map_create(&w.places, question->most, err);
    if (status == FL_OK)
        status = fl_map_create(&w.edge_ids, most_edges, err);
    if (status == FL_OK)
        status = (question->by_rank ? walk_ranked : walk_out)(&w, store, question, err);
    fl_map_destroy(w.places);
    fl_map_destroy(w.edge_ids);
    out->nodes = w.nodes;
    out->node_count = w.node_count;
    out->edges = w.edges;
    out->edge_count = w.edge_count;
    return status;
}
