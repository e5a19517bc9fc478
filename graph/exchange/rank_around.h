/*
 * rank_around.h - what is nearest to a node by all ways together.
 *
 * A walk goes from node to node, along edges in either direction, and begins at the node again
 * every now and then; how often it is found at another one is its rank (snapshot.h). What many
 * short ways lead to comes before what one way leads to, and a way over a node that everything
 * leads to counts for little.
 */
#ifndef FL_RANK_AROUND_H
#define FL_RANK_AROUND_H

#include "graph_view.h"

/* Beyond it a graph is refused: some 500 MB while it is ranked. */
enum { FL_RANK_MAX_EDGES = 8000000 };

typedef struct fl_ranked {
    uint64_t id;
    double rank;  /* all of the graph's are 1 */
    size_t depth; /* edges from the node that was asked for */
} fl_ranked;

typedef struct fl_ranked_list {
    fl_ranked *items; /* the node itself, then highest rank first; in the arena */
    size_t count;
    fl_graph_cut cut; /* of the time: ranked by the edges that were read until then */
} fl_ranked_list;

/* Of the nodes up to the question's depth around its node, its `most` of highest rank. Reads all
 * edges once. */
FL_NODISCARD fl_status fl_graph_rank_around(fl_ranked_list *out, fl_store *store,
                                            const fl_graph_around_question *question,
                                            fl_arena *arena, fl_error *err);

#endif
