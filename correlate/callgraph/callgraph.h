/*
 * callgraph.h - profiles to functions and calls: who spends, and on whose behalf.
 *
 * The semantics are those of github.com/google/pprof, so that the figures are the ones that people
 * know: flat is what a function's own frames hold when they are innermost; cum counts a sample once
 * for each function in its stack, however often it recurs; a call's weight likewise counts once.
 * Functions are told apart by name alone. Base profiles count negative, and percentages are then of
 * the base's total. Sums saturate.
 *
 * Trimming: functions whose cum is below node_fraction of the sum of all flats leave; then the
 * first node_count in order stay. A call that leads through functions that left is residual: it
 * joins those that remain. Calls below edge_fraction of the same sum leave last.
 */
#ifndef FL_CALLGRAPH_H
#define FL_CALLGRAPH_H

#include "faultline/profile.h"

typedef struct fl_call_source {
    const fl_profile *profile;
    const char *name; /* of the file, for messages */
    bool is_base;
} fl_call_source;

/* Everything may be 0. */
typedef struct fl_call_query {
    const char *type;     /* of the samples; NULL: the default of the first that is no base */
    const char *focus;    /* keep samples with a function or file that matches */
    const char *ignore;   /* leave those out */
    double node_fraction; /* pprof: 0.005 */
    double edge_fraction; /* pprof: 0.001 */
    size_t node_count;    /* 0: all */
    bool by_cum;          /* order by cum, not by flat */
    bool with_edges;      /* else calls serve only to tell what is inlined */
} fl_call_query;

typedef enum fl_call_inlining {
    FL_CALL_REAL,
    FL_CALL_PARTLY_INLINED,
    FL_CALL_INLINED
} fl_call_inlining;

typedef struct fl_call_node {
    fl_slice name;
    int64_t flat, cum;
    fl_call_inlining inlining;
    uint32_t in_at, in_count;   /* in fl_callgraph.in: its callers, heaviest first */
    uint32_t out_at, out_count; /* in fl_callgraph.out: whom it calls */
} fl_call_node;

typedef struct fl_call_edge {
    uint32_t caller, callee; /* nodes */
    int64_t weight;
    bool is_inlined;  /* always */
    bool is_residual; /* at least once */
} fl_call_edge;

typedef struct fl_callgraph {
    fl_slice type, unit;
    int64_t total;             /* of the base where there is one with any weight */
    const fl_call_node *nodes; /* in order; what was trimmed is not there */
    size_t node_count;
    size_t kept_nodes;            /* before node_count cut them */
    size_t dropped_nodes;         /* below node_fraction */
    int64_t shown_flat;           /* sum of the nodes' flats */
    const fl_call_edge *in, *out; /* the same calls in two orders; empty without with_edges */
    size_t edge_count;
    bool focus_matched, ignore_matched;
} fl_callgraph;

/* The profiles are only read, and needed no longer afterwards. FL_E_NOTFOUND: no such sample type
 * ("FILE has no sample type 'x': it has a, b"). FL_E_SYNTAX for a pattern. FL_E_UNSUPPORTED: the
 * units differ. FL_E_LIMIT, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_callgraph_create(fl_callgraph **out, const fl_call_source *sources,
                                           size_t source_count, const fl_call_query *query,
                                           fl_error *err);
void fl_callgraph_destroy(fl_callgraph *graph); /* NULL is a no-op */

/* Every stack once, from the outermost call inwards: what a flame graph draws. Node 0 is the root;
 * a node stands behind its parent. */
typedef struct fl_call_tree_node {
    fl_slice name;                      /* empty for the root */
    int64_t value;                      /* of the samples through it, without the base's */
    int64_t base;                       /* of the base's, positive */
    uint32_t parent, first_child, next; /* FL_PROFILE_NONE: none; children by name */
    uint32_t depth;
} fl_call_tree_node;

typedef struct fl_call_tree {
    fl_slice type, unit;
    const fl_call_tree_node *nodes;
    size_t node_count;
    uint32_t max_depth;
} fl_call_tree;

/* The same sources and errors; of the query type, focus and ignore count. */
FL_NODISCARD fl_status fl_call_tree_create(fl_call_tree **out, const fl_call_source *sources,
                                           size_t source_count, const fl_call_query *query,
                                           fl_error *err);
void fl_call_tree_destroy(fl_call_tree *tree); /* NULL is a no-op */

#endif
