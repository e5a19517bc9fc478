/*
 * dominators.h - which vertex every path from the roots to another one goes through last.
 *
 * The semi-NCA algorithm (Georgiadis, Tarjan, Werneck, "Finding dominators in practice", J. Graph
 * Algorithms Appl. 10, 2006): semidominators by path compression, then the nearest common ancestor.
 * Nothing here recurses. Memory besides the graph: 12 bytes a vertex and 8 an edge that leads back
 * or across while the graph is there, 4 a vertex more when its edges are freed.
 */
#ifndef FL_DOMINATORS_H
#define FL_DOMINATORS_H

#include "faultline/status.h"

#define FL_FLOW_LAST 0x80000000u /* in `targets`: the last one of its vertex */
#define FL_FLOW_NONE 0u          /* in `starts`: a vertex without edges; targets[0] is no edge's */
#define FL_FLOW_MOST 0x7ffffffeu /* vertices, and edges */

/* Vertices are 0 to count - 1; those of `roots` hang on one root that is none of them. */
typedef struct fl_flow {
    uint32_t count;
    uint32_t *starts;  /* [count] into targets */
    uint32_t *targets; /* of fl_mem; both are taken by fl_dominators_find() */
    const uint32_t *roots;
    size_t root_count;
} fl_flow;

#define FL_DOM_ROOT    (UINT32_MAX - 1) /* kept by several roots, or a root itself */
#define FL_DOM_NOTHING UINT32_MAX       /* not reached */

typedef struct fl_dominators {
    uint32_t *idom;  /* [count] vertex, FL_DOM_ROOT or FL_DOM_NOTHING; fl_mem_free() */
    uint32_t *order; /* the reached vertices, each behind its dominators; fl_mem_free() */
    uint32_t reached;
} fl_dominators;

/* FL_E_NOMEM. */
FL_NODISCARD fl_status fl_dominators_find(fl_dominators *out, fl_flow *flow, fl_error *err);

#endif
