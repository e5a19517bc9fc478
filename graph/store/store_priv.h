/*
 * store_priv.h - what a kind of store implements. One static descriptor each, listed in store.c.
 */
#ifndef FL_STORE_PRIV_H
#define FL_STORE_PRIV_H

#include "graph_store.h"

/* What has passed the checks of graph_store.c. Statements stand in graph_sql.h. */
typedef struct fl_graph_kind {
    fl_status (*add)(fl_graph_added *added, fl_store *store, const fl_graph_batch *batch,
                     fl_error *err);
    fl_status (*nodes)(fl_store *store, const fl_graph_question *question,
                       fl_graph_visit_node *visit, void *payload, fl_error *err);
    fl_status (*edges)(fl_store *store, const fl_graph_question *question,
                       fl_graph_visit_edge *visit, void *payload, fl_error *err);
    fl_status (*evidence)(fl_store *store, const fl_graph_question *question,
                          fl_graph_visit_evidence *visit, void *payload, fl_error *err);
} fl_graph_kind;

typedef struct fl_store_kind {
    const char *scheme; /* of its URLs, without the colon */
    /* `location` is the URL without its scheme. */
    fl_status (*open)(fl_store **out, const char *location, fl_store_mode mode, fl_error *err);
    void (*close)(fl_store *store);
    fl_status (*put)(fl_store *store, const fl_incident *incident, fl_slice document,
                     int64_t now_ns, fl_error *err);
    fl_status (*list)(fl_store *store, size_t limit, fl_store_visit *visit, void *payload,
                      fl_error *err);
    fl_status (*get)(fl_store *store, const char *id_prefix, char **document, fl_error *err);
    const fl_graph_kind *graph;
} fl_store_kind;

/* The first member of every kind's own struct. */
struct fl_store {
    const fl_store_kind *kind;
};

extern const fl_store_kind fl_store_sqlite, fl_store_postgres;

#endif
