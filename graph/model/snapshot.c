/*
 * snapshot.c - counting sort into compressed sparse rows, and the walk with restarts on them.
 *
 * The array of starts is two longer than there are nodes: counts go in shifted by two, so that
 * accumulating them leaves starts shifted by one, and placing the edges moves them home. No second
 * array of cursors is needed.
 *
 * A round of PageRank pulls along the edges that enter: writes are in order, and what is gathered
 * (8 bytes a node) stays in the cache for a hundred thousand nodes.
 */
#include "snapshot.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "mem.h"

#define MOST        (UINT32_MAX - 1)
#define CONVERGED   1e-10 /* in all nodes together: six digits of the largest in a million nodes */
#define MOST_ROUNDS 1000  /* 1e-10 is reached after 230 rounds with a damping of 0.9 */

static fl_status allocate(fl_snapshot *out, fl_error *err)
{
    size_t n = out->node_count, m = out->edge_count;
    out->out_start = fl_mem_calloc(n + 2, sizeof(uint32_t));
    out->in_start = fl_mem_calloc(n + 2, sizeof(uint32_t));
    out->out_to = fl_mem_alloc(m * sizeof(uint32_t));
    out->in_from = fl_mem_alloc(m * sizeof(uint32_t));
    if (out->out_start != NULL && out->in_start != NULL && out->out_to != NULL &&
        out->in_from != NULL)
        return FL_OK;
    fl_snapshot_dispose(out);
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a graph of %zu edges", m);
}

/* starts[n + 2] counted up: afterwards starts[n + 1] is where the edges of node n begin, and
 * counting that up while they are placed leaves them where they belong. */
static void accumulate(uint32_t *starts, size_t node_count)
{
    for (size_t n = 0; n < node_count; n++)
        starts[n + 2] += starts[n + 1];
}

/* Counting sort by the node that an edge leaves; stable. */
static void place_out(fl_snapshot *out, const fl_snapshot_edge *edges)
{
    accumulate(out->out_start, out->node_count);
    for (size_t i = 0; i < out->edge_count; i++) {
        uint32_t at = out->out_start[edges[i].from + 1]++;
        out->out_to[at] = edges[i].to;
    }
}

/* The same for the node that it enters, walking the edges in their new order. */
static void place_in(fl_snapshot *out)
{
    accumulate(out->in_start, out->node_count);
    for (uint32_t n = 0; n < out->node_count; n++) {
        for (uint32_t e = out->out_start[n]; e < out->out_start[n + 1]; e++) {
            uint32_t at = out->in_start[out->out_to[e] + 1]++;
            out->in_from[at] = n;
        }
    }
}

fl_status fl_snapshot_build(fl_snapshot *out, size_t node_count, const fl_snapshot_edge *edges,
                            size_t edge_count, fl_error *err)
{
    *out = (fl_snapshot){0};
    if (node_count > MOST || edge_count > MOST)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "a graph of %zu nodes and %zu edges is beyond %u of each", node_count,
                       edge_count, MOST);
    *out = (fl_snapshot){.node_count = node_count, .edge_count = edge_count};
    fl_status status = allocate(out, err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < edge_count; i++) {
        assert(edges[i].from < node_count && edges[i].to < node_count);
        out->out_start[edges[i].from + 2]++;
        out->in_start[edges[i].to + 2]++;
    }
    /* What was counted for the last node lies one beyond the end of what is kept. */
    place_out(out, edges);
    place_in(out);
    assert(out->out_start[node_count] == edge_count);
    assert(out->in_start[node_count] == edge_count);
    return FL_OK;
}

void fl_snapshot_dispose(fl_snapshot *snapshot)
{
    fl_mem_free(snapshot->out_start);
    fl_mem_free(snapshot->in_start);
    fl_mem_free(snapshot->out_to);
    fl_mem_free(snapshot->in_from);
    *snapshot = (fl_snapshot){0};
}

size_t fl_snapshot_bytes(const fl_snapshot *snapshot)
{
    return 2 * (snapshot->node_count + 2) * sizeof(uint32_t) +
           2 * snapshot->edge_count * sizeof(uint32_t);
}

/* What each node hands to every edge that leaves it; returns what ends where nothing leaves. */
static double hand_out(double *share, const double *rank, const fl_snapshot *s, double damping)
{
    double lost = 0;
    for (size_t n = 0; n < s->node_count; n++) {
        uint32_t degree = s->out_start[n + 1] - s->out_start[n];
        share[n] = degree > 0 ? damping * rank[n] / degree : 0;
        lost += degree > 0 ? 0 : rank[n];
    }
    return lost;
}

/* One round, from rank to next; returns how far the values moved in all. */
static double one_round(double *next, const double *rank, double *share, const fl_snapshot *s,
                        const fl_pagerank *question)
{
    double lost = hand_out(share, rank, s, question->damping), moved = 0;
    double restart = 1 - question->damping + question->damping * lost;
    for (size_t n = 0; n < s->node_count; n++) {
        double sum = 0;
        for (uint32_t e = s->in_start[n]; e < s->in_start[n + 1]; e++)
            sum += share[s->in_from[e]];
        next[n] = sum;
    }
    for (size_t i = 0; i < question->seed_count; i++)
        next[question->seeds[i]] += restart / (double)question->seed_count;
    for (size_t n = 0; n < s->node_count; n++)
        moved += fabs(next[n] - rank[n]);
    return moved;
}

fl_status fl_snapshot_pagerank(double *rank, const fl_snapshot *snapshot,
                               const fl_pagerank *question, fl_error *err)
{
    assert(question->damping > 0 && question->damping < 1);
    assert(question->seed_count > 0);
    size_t n = snapshot->node_count;
    double *next = fl_mem_alloc(n * sizeof(*next)), *share = fl_mem_alloc(n * sizeof(*share));
    if (next == NULL || share == NULL) {
        fl_mem_free(next);
        fl_mem_free(share);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for ranks of %zu nodes", n);
    }
    memset(rank, 0, n * sizeof(*rank));
    for (size_t i = 0; i < question->seed_count; i++) {
        assert(question->seeds[i] < n);
        rank[question->seeds[i]] += 1.0 / (double)question->seed_count;
    }
    double moved = 1;
    for (int round = 0; round < MOST_ROUNDS && moved > CONVERGED; round++) {
        moved = one_round(next, rank, share, snapshot, question);
        memcpy(rank, next, n * sizeof(*rank));
    }
    fl_mem_free(next);
    fl_mem_free(share);
    return FL_OK;
}
