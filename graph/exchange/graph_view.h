/*
 * graph_view.h - parts of the graph as people look at them: a node with its edges and what they
 * rest on, what lies around a node, and what the graph is surest of.
 *
 * Everything is bounded: depth, rows and time. What a bound left out is said, and what was found
 * until then is the answer.
 */
#ifndef FL_GRAPH_VIEW_H
#define FL_GRAPH_VIEW_H

#include "arena.h"
#include "graph_store.h"

/* An edge of a node that is looked at. */
typedef struct fl_graph_link {
    fl_graph_edge edge;
    bool leaves;         /* the node; otherwise enters it */
    fl_graph_node other; /* at the far end */
    fl_confidence confidence;
    size_t supporting, contradicting;  /* items */
    int64_t last_ns;                   /* of the newest; 0: there is none */
    const fl_graph_evidence *evidence; /* in the order of the store */
    size_t evidence_count;
} fl_graph_link;

typedef struct fl_graph_node_view {
    fl_graph_node node;
    const fl_graph_link *links; /* those with evidence first, highest lower bound first */
    size_t link_count;
    bool cut; /* there is more than was looked at */
} fl_graph_node_view;

/* Of one node and of one edge, as in recall/memory.h. */
enum { FL_VIEW_MAX_LINKS = 1000, FL_VIEW_MAX_EVIDENCE = 10000 };

/* What was recorded by `as_of_ns`, ages counted to it. Everything lives in the arena. */
FL_NODISCARD fl_status fl_graph_view_node(fl_graph_node_view *out, fl_store *store,
                                          const fl_graph_node *node, int64_t as_of_ns,
                                          fl_arena *arena, fl_error *err);

typedef struct fl_graph_neighbour {
    fl_graph_node node;
    size_t depth; /* edges from the node that was asked for, whichever way they lead */
    double rank;  /* where that was asked for */
} fl_graph_neighbour;

typedef enum fl_graph_cut {
    FL_GRAPH_WHOLE,
    FL_GRAPH_CUT_ROWS, /* there are more than were asked for */
    FL_GRAPH_CUT_TIME
} fl_graph_cut;

typedef struct fl_graph_around {
    /* Nearest first, as they were met, or highest rank first; itself the first. */
    const fl_graph_neighbour *nodes;
    size_t node_count;
    const fl_graph_edge *edges; /* between these nodes, as they were met */
    size_t edge_count;
    fl_graph_cut cut;
    bool is_ranked;
} fl_graph_around;

enum { FL_VIEW_MAX_DEPTH = 16, FL_VIEW_MAX_NEIGHBOURS = 100000 };

typedef struct fl_graph_around_question {
    const fl_graph_node *node;
    size_t depth;    /* at most FL_VIEW_MAX_DEPTH */
    size_t most;     /* nodes, at least one and at most FL_VIEW_MAX_NEIGHBOURS */
    int64_t time_ns; /* how long it may take; 0: as long as it takes */
    int64_t as_of_ns;
    bool by_rank; /* of those nodes the highest in rank (rank_around.h), and not the nearest */
} fl_graph_around_question;

FL_NODISCARD fl_status fl_graph_view_around(fl_graph_around *out, fl_store *store,
                                            const fl_graph_around_question *question,
                                            fl_arena *arena, fl_error *err);

/* An edge that the graph is sure of: what explains a symptom, what resolves a cause. */
typedef struct fl_graph_known {
    fl_graph_edge edge;
    fl_graph_node from, to;
    float mean, low, high;
    uint32_t supporting, contradicting; /* items */
    int64_t last_ns;
} fl_graph_known;

typedef struct fl_graph_known_list {
    const fl_graph_known *items; /* highest lower bound first */
    size_t count;
} fl_graph_known_list;

/* The FL_VIEW_MAX_KNOWN edges explained-by and resolved-by of highest lower bound, as they were
 * known at a time: evidence that was recorded later is left out, and ages are counted to it. Reads
 * all evidence once. */
enum { FL_VIEW_MAX_KNOWN = 20 };
FL_NODISCARD fl_status fl_graph_view_known(fl_graph_known_list *out, fl_store *store,
                                           int64_t as_of_ns, fl_arena *arena, fl_error *err);

#endif
