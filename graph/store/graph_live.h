/*
 * graph_live.h - the graph of a store in memory, for who asks it again and again.
 *
 * It stands in front of a store and is one itself: the same questions give the same rows, so that
 * everything that remembers answers from it what it would have answered from the store. Edges,
 * evidence, and the nodes that edges lead to are told from memory; walks over everything, and
 * incidents are asked of the store behind it; what is added goes there.
 *
 * What is in memory is the graph as it was at the last refresh. A refresh asks the store only for
 * what was recorded since. Confidence is computed from the evidence when it is asked for, so that
 * evidence ages in memory exactly as it does in the store.
 */
#ifndef FL_GRAPH_LIVE_H
#define FL_GRAPH_LIVE_H

#include "graph_store.h"

/* Of the arrays: some 20 million edges with 60 million items; their texts have as much again. */
#define FL_MAX_LIVE_GRAPH_BYTES (UINT64_C(4) << 30)

typedef struct fl_graph_news {
    size_t edges, evidence; /* that were not there before */
    bool is_whole;          /* everything was read: the first time, or too long after the last */
} fl_graph_news;

/* Nothing is read yet: before its first refresh all questions go to `base`, which the caller keeps
 * open until *out was closed (fl_store_close), and which nobody else asks meanwhile. */
FL_NODISCARD fl_status fl_graph_live_open(fl_store **out, fl_store *base, fl_error *err);
/* `live` is of fl_graph_live_open(). After a failure it answers as before, or where there is no
 * memory for what is new, from the store; FL_E_LIMIT for a graph that is too large. `news` may be
 * NULL. */
FL_NODISCARD fl_status fl_graph_live_refresh(fl_graph_news *news, fl_store *live, fl_error *err);
/* What its arrays take; without the texts. */
size_t fl_graph_live_bytes(const fl_store *live);

#endif
