/*
 * rank_around.c - all edges into a snapshot, both ways; ranks and depths on that; the best of them.
 *
 * Nodes get their numbers as edges name them, the one that is asked for 0. Edges come in the order
 * of their ids, so that numbers, sums and ranks are the same in every store. Ranks within what the
 * iteration leaves open are settled by ids.
 */
#include "rank_around.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "map.h"
#include "mem.h"
#include "snapshot.h"
#include "timestamp.h"

enum { LOOKED_AT = 1024, FIRST_ROOM = 4096 };

#define DAMPING 0.85 /* as usual: six edges from one beginning to the next */
/* Ranks nearer to each other than this are alike: a hundred times what the iteration leaves. */
#define ALIKE 1e-8
#define FAR   UINT32_MAX

/* The arrays are of the heap and live as long as one question. */
typedef struct ranking {
    fl_map *numbers;
    uint64_t *ids; /* of nodes, by number */
    size_t node_count, node_room;
    fl_snapshot_edge *edges; /* each twice, once in either direction */
    size_t edge_count, edge_room;
    fl_snapshot snapshot;
    double *rank;
    uint32_t *depth;
    size_t rows;
    int64_t deadline_ns; /* monotonic; 0: none */
    fl_graph_cut cut;
} ranking;

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for ranking the graph");
}

/* `items` with room for `more`, or NULL. */
static void *grown(void *items, size_t count, size_t more, size_t *room, size_t size)
{
    if (more <= *room - count)
        return items;
    size_t wanted = *room > 0 ? 2 * *room : FIRST_ROOM;
    void *out = fl_mem_realloc(items, wanted, size);
    if (out != NULL)
        *room = wanted;
    return out;
}

static fl_status number_node(uint32_t *out, ranking *r, uint64_t id, fl_error *err)
{
    bool added;
    uint64_t *slot, *ids = grown(r->ids, r->node_count, 1, &r->node_room, sizeof(*ids));
    if (ids == NULL)
        return no_memory(err);
    r->ids = ids;
    fl_status status = fl_map_slot(&slot, r->numbers, id, &added, err);
    if (status != FL_OK)
        return status;
    if (added) {
        *slot = r->node_count;
        r->ids[r->node_count++] = id;
    }
    *out = (uint32_t)*slot;
    return FL_OK;
}

static fl_status take_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    ranking *r = payload;
    uint32_t from, to;
    if (r->deadline_ns != 0 && r->rows++ % LOOKED_AT == 0 && fl_time_monotonic() > r->deadline_ns) {
        r->cut = FL_GRAPH_CUT_TIME;
        return FL_E_STOPPED;
    }
    if (r->edge_count == 2 * (size_t)FL_RANK_MAX_EDGES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "the graph has more than %d edges, too many to rank: ask without --rank",
                       FL_RANK_MAX_EDGES);
    fl_snapshot_edge *edges = grown(r->edges, r->edge_count, 2, &r->edge_room, sizeof(*edges));
    if (edges == NULL)
        return no_memory(err);
    r->edges = edges;
    fl_status status = number_node(&from, r, edge->from, err);
    if (status == FL_OK)
        status = number_node(&to, r, edge->to, err);
    if (status != FL_OK)
        return status;
    r->edges[r->edge_count++] = (fl_snapshot_edge){.from = from, .to = to};
    r->edges[r->edge_count++] = (fl_snapshot_edge){.from = to, .to = from};
    return FL_OK;
}

/* That the time was over is no failure. */
static fl_status read_edges(ranking *r, fl_store *store, const fl_graph_around_question *question,
                            fl_error *err)
{
    uint32_t self;
    const fl_graph_question all = {.as_of_ns = question->as_of_ns};
    fl_status status = fl_map_create(&r->numbers, 2 * (size_t)FL_RANK_MAX_EDGES + 1, err);
    if (status == FL_OK)
        status = number_node(&self, r, question->node->id, err);
    if (status == FL_OK)
        status = fl_graph_edges(store, &all, take_edge, r, err);
    return status == FL_E_STOPPED && r->cut == FL_GRAPH_CUT_TIME ? FL_OK : status;
}

/* Rings around node 0, up to `most` edges away. */
static fl_status find_depths(ranking *r, size_t most, fl_error *err)
{
    const fl_snapshot *s = &r->snapshot;
    uint32_t *met = fl_mem_alloc(r->node_count * sizeof(*met)), last = 1;
    r->depth = fl_mem_alloc(r->node_count * sizeof(*r->depth));
    if (met == NULL || r->depth == NULL) {
        fl_mem_free(met);
        return no_memory(err);
    }
    for (size_t n = 0; n < r->node_count; n++)
        r->depth[n] = FAR;
    r->depth[0] = met[0] = 0;
    for (uint32_t at = 0; at < last && r->depth[met[at]] < most; at++) {
        for (uint32_t e = s->out_start[met[at]]; e < s->out_start[met[at] + 1]; e++) {
            uint32_t to = s->out_to[e];
            if (r->depth[to] != FAR)
                continue;
            r->depth[to] = r->depth[met[at]] + 1;
            met[last++] = to;
        }
    }
    assert(last <= r->node_count);
    fl_mem_free(met);
    return FL_OK;
}

static fl_status rank_nodes(ranking *r, fl_error *err)
{
    const uint32_t self = 0;
    const fl_pagerank walk = {.seeds = &self, .seed_count = 1, .damping = DAMPING};
    fl_status status = fl_snapshot_build(&r->snapshot, r->node_count, r->edges, r->edge_count, err);
    if (status != FL_OK)
        return status;
    r->rank = fl_mem_alloc(r->node_count * sizeof(*r->rank));
    return r->rank != NULL ? fl_snapshot_pagerank(r->rank, &r->snapshot, &walk, err)
                           : no_memory(err);
}

/* The node itself first. Rounded, so that what compares alike does so with every third. */
static int compare_ranked(const void *a, const void *b)
{
    const fl_ranked *x = a, *y = b;
    double x_rank = floor(x->rank / ALIKE), y_rank = floor(y->rank / ALIKE);
    if ((x->depth == 0) != (y->depth == 0))
        return x->depth == 0 ? -1 : 1;
    if (x_rank != y_rank)
        return x_rank > y_rank ? -1 : 1;
    if (x->depth != y->depth)
        return x->depth < y->depth ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static fl_status take_best(fl_ranked_list *out, const ranking *r, size_t most, fl_arena *arena,
                           fl_error *err)
{
    size_t near = 0;
    for (size_t n = 0; n < r->node_count; n++)
        near += r->depth[n] != FAR;
    fl_ranked *all = fl_arena_alloc(arena, near, sizeof(*all));
    if (all == NULL)
        return no_memory(err);
    near = 0;
    for (size_t n = 0; n < r->node_count; n++)
        if (r->depth[n] != FAR)
            all[near++] = (fl_ranked){.id = r->ids[n], .rank = r->rank[n], .depth = r->depth[n]};
    qsort(all, near, sizeof(*all), compare_ranked);
    *out = (fl_ranked_list){.items = all, .count = near < most ? near : most, .cut = r->cut};
    if (near > most && r->cut == FL_GRAPH_WHOLE)
        out->cut = FL_GRAPH_CUT_ROWS;
    return FL_OK;
}

fl_status fl_graph_rank_around(fl_ranked_list *out, fl_store *store,
                               const fl_graph_around_question *question, fl_arena *arena,
                               fl_error *err)
{
    assert(question->node != NULL && question->most > 0);
    ranking r = {.cut = FL_GRAPH_WHOLE,
                 .deadline_ns =
                     question->time_ns > 0 ? fl_time_monotonic() + question->time_ns : 0};
    *out = (fl_ranked_list){.cut = FL_GRAPH_WHOLE};
    fl_status status = read_edges(&r, store, question, err);
    if (status == FL_OK)
        status = rank_nodes(&r, err);
    if (status == FL_OK)
        status = find_depths(&r, question->depth, err);
    if (status == FL_OK)
        status = take_best(out, &r, question->most, arena, err);
    fl_map_destroy(r.numbers);
    fl_mem_free(r.ids);
    fl_mem_free(r.edges);
    fl_mem_free(r.rank);
    fl_mem_free(r.depth);
    fl_snapshot_dispose(&r.snapshot);
    return status;
}
