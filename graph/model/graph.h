/*
 * graph.h - the words of the graph: kinds of nodes and edges, and which edges may be.
 *
 *   incident -exhibits-> symptom        incident -diagnosed-as-> cause
 *   symptom -explained-by-> cause       cause -resolved-by-> fix
 *   cause -requires-> component|config  service -runs-> component
 *   service -sets-> config              service -calls-> service
 *   change -introduced-> cause          plan -implements-> fix
 *
 * A node is known by its kind and key, an edge by its kind, its ends and its qualifier (a version
 * range, for instance). Their ids are hashes of those, so that every machine and every store gives
 * the same thing the same id, and writing it twice is writing it once.
 */
#ifndef FL_GRAPH_H
#define FL_GRAPH_H

#include <stdbool.h>

#include "faultline/status.h"

typedef enum fl_node_kind {
    FL_NODE_SERVICE,
    FL_NODE_COMPONENT, /* key: name, as its ecosystem writes it */
    FL_NODE_CONFIG,    /* key: "name=value" */
    FL_NODE_SYMPTOM,   /* key: a fingerprint that recurs: no time, no host */
    FL_NODE_CAUSE,
    FL_NODE_FIX,
    FL_NODE_CHANGE,
    FL_NODE_PLAN,
    FL_NODE_INCIDENT,
    FL_NODE_KIND_COUNT
} fl_node_kind;

typedef enum fl_edge_kind {
    FL_EDGE_EXHIBITS,
    FL_EDGE_DIAGNOSED_AS,
    FL_EDGE_EXPLAINED_BY,
    FL_EDGE_RESOLVED_BY,
    FL_EDGE_REQUIRES,
    FL_EDGE_RUNS,
    FL_EDGE_SETS,
    FL_EDGE_CALLS,
    FL_EDGE_INTRODUCED,
    FL_EDGE_IMPLEMENTS,
    FL_EDGE_KIND_COUNT
} fl_edge_kind;

const char *fl_node_kind_name(fl_node_kind kind); /* "symptom" */
const char *fl_edge_kind_name(fl_edge_kind kind); /* "explained-by" */
bool fl_node_kind_of(fl_slice name, fl_node_kind *out);
bool fl_edge_kind_of(fl_slice name, fl_edge_kind *out);
/* Whether an edge of `kind` may lead from a node of one kind to one of another. */
bool fl_edge_allowed(fl_edge_kind kind, fl_node_kind from, fl_node_kind to);

/* Never 0. */
uint64_t fl_node_id(fl_node_kind kind, fl_slice key);
uint64_t fl_edge_id(fl_edge_kind kind, uint64_t from, uint64_t to, fl_slice qualifier);

#endif
