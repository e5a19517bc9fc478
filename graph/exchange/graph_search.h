/*
 * graph_search.h - nodes that a person may mean: by a word somewhere in their key or title.
 *
 * What fits better comes first: the whole of a key or title, its beginning, the beginning of a word
 * in it, anything in it; equal ones by kind and key. ASCII letters count alike in both cases. Walks
 * over all nodes, within a time.
 */
#ifndef FL_GRAPH_SEARCH_H
#define FL_GRAPH_SEARCH_H

#include "graph_view.h"

enum { FL_SEARCH_MOST = 1000 };

typedef struct fl_graph_search_question {
    const char *word; /* NULL or "": every node fits */
    const char *kind; /* by its name; NULL: any */
    size_t most;      /* 1 to FL_SEARCH_MOST */
    int64_t as_of_ns; /* only what was recorded by then */
    int64_t time_ns;  /* 0: as long as it takes */
} fl_graph_search_question;

typedef struct fl_graph_found {
    const fl_graph_node *nodes;
    size_t count;
    size_t fitting; /* of those that were looked at; more than `count` where rows were cut */
    fl_graph_cut cut;
} fl_graph_found;

/* FL_E_SYNTAX for a kind that there is not, naming those that there are. Texts live in the arena,
 * also those of nodes that better ones took the place of: at most `most` of them at a time are
 * told, and the arena bounds the rest. */
FL_NODISCARD fl_status fl_graph_search(fl_graph_found *out, fl_store *store,
                                       const fl_graph_search_question *question, fl_arena *arena,
                                       fl_error *err);

#endif
