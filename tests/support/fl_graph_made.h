/*
 * fl_graph_made.h - a small graph for tests: a symptom, its cause, its fix, and what people say.
 */
#ifndef FL_GRAPH_MADE_H
#define FL_GRAPH_MADE_H

#include "graph_store.h"
#include "slice.h"

#define FL_HOSTILE_TEXT                                                                            \
    "'); DROP TABLE node; -- \"q\\u0027\\\" </script> \x1b[31m ]]> & \n\r\t \xC3\xA9 $x {y} `z`"

static inline fl_graph_node fl_made_node(fl_node_kind kind, const char *key, int64_t recorded_ns)
{
    return (fl_graph_node){.id = fl_node_id(kind, fl_slice_of(key)),
                           .kind = kind,
                           .key = key,
                           .recorded_ns = recorded_ns};
}

static inline fl_graph_edge fl_made_edge(fl_edge_kind kind, const fl_graph_node *from,
                                         const fl_graph_node *to, const char *qualifier,
                                         int64_t recorded_ns)
{
    return (fl_graph_edge){.id = fl_edge_id(kind, from->id, to->id, fl_slice_of(qualifier)),
                           .kind = kind,
                           .from = from->id,
                           .to = to->id,
                           .qualifier = qualifier,
                           .recorded_ns = recorded_ns};
}

static inline fl_graph_evidence fl_made_evidence(const fl_graph_edge *edge, const char *author,
                                                 bool supports, int64_t at_ns)
{
    fl_graph_evidence item = {.edge = edge->id,
                              .source = FL_SOURCE_PERSON,
                              .author = author,
                              .reference = "20230129T093400Z",
                              .supports = supports,
                              .at_ns = at_ns,
                              .recorded_ns = at_ns};
    item.id = fl_graph_evidence_id(&item);
    return item;
}

typedef struct fl_made_graph {
    fl_graph_node nodes[4];
    fl_graph_edge edges[3];
    fl_graph_evidence evidence[3];
    fl_graph_batch batch;
} fl_made_graph;

#define FL_MADE_AT_NS INT64_C(1674984840000000000) /* 2023-01-29T09:34:00Z */

/* Every text that people give is hostile. */
static inline void fl_make_graph(fl_made_graph *out)
{
    const int64_t at = FL_MADE_AT_NS;
    out->nodes[0] = fl_made_node(FL_NODE_SYMPTOM, "log|could not get a connection", at);
    out->nodes[1] = fl_made_node(FL_NODE_CAUSE, FL_HOSTILE_TEXT, at);
    out->nodes[2] = fl_made_node(FL_NODE_FIX, "raise maxTotal", at + 1);
    out->nodes[3] = fl_made_node(FL_NODE_COMPONENT, "redis", at + 2);
    out->nodes[1].title = FL_HOSTILE_TEXT;
    out->edges[0] = fl_made_edge(FL_EDGE_EXPLAINED_BY, &out->nodes[0], &out->nodes[1], NULL, at);
    out->edges[1] = fl_made_edge(FL_EDGE_RESOLVED_BY, &out->nodes[1], &out->nodes[2], NULL, at);
    out->edges[2] =
        fl_made_edge(FL_EDGE_REQUIRES, &out->nodes[1], &out->nodes[3], FL_HOSTILE_TEXT, at + 2);
    out->evidence[0] = fl_made_evidence(&out->edges[0], FL_HOSTILE_TEXT, true, at);
    out->evidence[1] = fl_made_evidence(&out->edges[0], "bob", false, at + 1);
    out->evidence[2] = fl_made_evidence(&out->edges[1], "ada", true, at + 2);
    out->evidence[0].note = FL_HOSTILE_TEXT;
    out->batch = (fl_graph_batch){.nodes = out->nodes,
                                  .node_count = 4,
                                  .edges = out->edges,
                                  .edge_count = 3,
                                  .evidence = out->evidence,
                                  .evidence_count = 3};
}

#endif
