/*
 * edge_beliefs.h - how sure the graph is of every edge that has evidence, in one walk.
 *
 * How sure an edge is follows from all of its evidence, and the store gives the evidence of one
 * edge in one run, edges in the same order of ids. So beliefs need no table: 40 bytes an edge, in
 * the order in which a walk over all edges meets them.
 */
#ifndef FL_EDGE_BELIEFS_H
#define FL_EDGE_BELIEFS_H

#include "graph_store.h"

/* Small: there may be millions. */
typedef struct fl_brief_belief {
    uint64_t edge;
    float mean, low, high;
    uint32_t supporting, contradicting; /* items */
    int64_t last_ns;                    /* of the newest item */
} fl_brief_belief;

typedef struct fl_edge_beliefs {
    fl_brief_belief *items; /* in the order of the store */
    size_t count, next;     /* next: to be met */
} fl_edge_beliefs;

/* What was recorded by `as_of_ns`, ages counted to it. The caller disposes of *out, also after a
 * failure. */
FL_NODISCARD fl_status fl_edge_beliefs_read(fl_edge_beliefs *out, fl_store *store, int64_t as_of_ns,
                                            fl_error *err);
void fl_edge_beliefs_dispose(fl_edge_beliefs *beliefs);
/* The belief of `edge`, or NULL where there is no evidence; called with the ids of a walk over all
 * edges, in its order. */
const fl_brief_belief *fl_edge_beliefs_next(fl_edge_beliefs *beliefs, uint64_t edge);

#endif
