/*
 * snapshot.h - the shape of a graph in memory, for walks over all of it: compressed sparse rows.
 *
 * Nodes are numbers from 0. Edges lie sorted by the node they leave, and a second index lists
 * those that enter a node. Building counts, it does not compare: O(nodes + edges). An edge costs
 * 8 bytes, a node 8.
 */
#ifndef FL_SNAPSHOT_H
#define FL_SNAPSHOT_H

#include "faultline/status.h"

typedef struct fl_snapshot_edge {
    uint32_t from, to;
} fl_snapshot_edge;

typedef struct fl_snapshot {
    size_t node_count, edge_count;
    /* Edges that leave node n: [out_start[n], out_start[n + 1]), in the order in which they were
     * given. */
    uint32_t *out_start, *out_to;
    /* Edges that enter node n, in the order of the nodes that they come from. */
    uint32_t *in_start, *in_from;
} fl_snapshot;

/* FL_E_NOMEM, or FL_E_LIMIT above 2^32 - 2 nodes or edges. Every `from` and `to` is below
 * node_count: asserted. A failed build leaves *out empty. */
FL_NODISCARD fl_status fl_snapshot_build(fl_snapshot *out, size_t node_count,
                                         const fl_snapshot_edge *edges, size_t edge_count,
                                         fl_error *err);
void fl_snapshot_dispose(fl_snapshot *snapshot); /* leaves it empty */
size_t fl_snapshot_bytes(const fl_snapshot *snapshot);

/*
 * Personalised PageRank (Haveliwala, "Topic-sensitive PageRank", 2002): where a walk is found that
 * follows edges with probability `damping`, all that leave a node being alike, and otherwise starts
 * again at one of the seeds; it starts again too where nothing leaves. By power iteration until
 * the values move by less than 1e-10 in all (about log(1e-10) / log(damping) rounds at most).
 */
typedef struct fl_pagerank {
    const uint32_t *seeds; /* at least one, alike in weight; the same one twice weighs twice */
    size_t seed_count;
    double damping; /* in (0, 1); 0.85 is usual */
} fl_pagerank;

/* rank[node_count], which sums up to 1. */
FL_NODISCARD fl_status fl_snapshot_pagerank(double *rank, const fl_snapshot *snapshot,
                                            const fl_pagerank *question, fl_error *err);

#endif
