/*
 * export_priv.h - one language of graph_export.h.
 */
#ifndef FL_EXPORT_PRIV_H
#define FL_EXPORT_PRIV_H

#include "edge_beliefs.h"
#include "graph_export.h"

typedef struct fl_export fl_export;

/* Each function writes one row to sink->out; NULL: the language has no such rows. */
typedef struct fl_export_kind {
    const char *name;
    bool wants_beliefs; /* edges are written with how sure they are */
    const char *head, *nodes_end, *edges_end, *tail;
    void (*node)(fl_export *to, const fl_graph_node *node);
    void (*edge)(fl_export *to, const fl_graph_edge *edge);
    void (*evidence)(fl_export *to, const fl_graph_evidence *item);
} fl_export_kind;

struct fl_export {
    const fl_graph_sink *sink;
    const fl_export_kind *kind;
    size_t count;                  /* rows of this table so far */
    const fl_brief_belief *belief; /* of the edge that is written; NULL: there is no evidence */
};

enum { FL_EXPORT_ID_TEXT = 24 };
/* All 64 bits in decimal: a JSON number would lose eleven of them in most readers. */
const char *fl_export_id(char out[FL_EXPORT_ID_TEXT], uint64_t id);

extern const fl_export_kind fl_export_json, fl_export_dot, fl_export_graphml, fl_export_cypher;

#endif
