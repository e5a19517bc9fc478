/*
 * store_priv.h - what a kind of store implements. One static descriptor each, listed in store.c.
 */
#ifndef FL_STORE_PRIV_H
#define FL_STORE_PRIV_H

#include "buf.h"
#include "graph_store.h"
#include "live_store.h"

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
    fl_status (*changed)(fl_graph_mark *mark, fl_store *store, fl_graph_visit_id *visit,
                         void *payload, fl_error *err);
    bool is_near; /* in memory: reading ahead would be a copy; but nodes that it has not are kept */
} fl_graph_kind;

typedef struct fl_live_signs {
    const uint64_t *items;
    size_t count;
    int64_t now_ns;
} fl_live_signs;
/* As numbers with signs, between the two brackets. */
void fl_live_put_signs(fl_buf *out, const fl_live_signs *signs, const char *brackets);

/* What live_store.h says of each. */
typedef struct fl_live_kind {
    fl_status (*publish)(fl_live_published *out, fl_store *store, const fl_live *live,
                         const fl_live_signs *signs, fl_error *err);
    fl_status (*claim)(fl_store *store, const fl_live_claimer *by, fl_live_visit *visit,
                       void *payload, fl_error *err);
    fl_status (*renew)(fl_store *store, const fl_live_claimer *by, fl_error *err);
} fl_live_kind;

typedef struct fl_store_kind {
    const char *scheme; /* of its URLs, without the colon */
    /* `location` is the URL without its scheme. */
    fl_status (*open)(fl_store **out, const char *location, fl_store_mode mode, fl_error *err);
    void (*close)(fl_store *store);
    bool (*is_there)(fl_store *store);
    fl_status (*plan)(fl_store_plan *out, const char *location, fl_error *err);
    fl_status (*check)(fl_store *store, fl_store_fault *visit, void *payload, fl_error *err);
    fl_status (*hold)(fl_store *store, fl_error *err);
    void (*release)(fl_store *store);
    fl_status (*put)(fl_store *store, const fl_incident *incident, fl_slice document,
                     int64_t now_ns, fl_error *err);
    /* `limit`, `behind_ns` and `behind_id` are always set. */
    fl_status (*find)(fl_store *store, const fl_store_question *question, fl_store_visit *visit,
                      void *payload, fl_error *err);
    fl_status (*get)(fl_store *store, const char *id_prefix, char **document, fl_error *err);
    /* Both are set where there is an incident of that whole id. */
    fl_status (*stamp)(int64_t *stored_ns, bool *is_there, fl_store *store, const char *id,
                       fl_error *err);
    /* Packed (pack.h). *out stays empty where there is none. */
    fl_status (*put_picture)(fl_store *store, const char *id, fl_slice packed, fl_error *err);
    fl_status (*get_picture)(fl_buf *out, fl_store *store, const char *id, fl_error *err);
    const fl_graph_kind *graph;
    const fl_live_kind *live;
} fl_store_kind;

/* Where the rows of a walk go: the one of the three that its statement asks for. */
typedef struct fl_graph_walk {
    fl_graph_visit_node *node;
    fl_graph_visit_edge *edge;
    fl_graph_visit_evidence *evidence;
    void *payload;
} fl_graph_walk;

/* Whether the question is answered by rows that were read ahead (graph_ahead.h); they are walked
 * then, and *status is how that ended. */
bool fl_graph_ahead_answers_nodes(fl_status *status, const fl_store *store,
                                  const fl_graph_question *question, const fl_graph_walk *to,
                                  fl_error *err);
bool fl_graph_ahead_answers_edges(fl_status *status, const fl_store *store,
                                  const fl_graph_question *question, const fl_graph_walk *to,
                                  fl_error *err);
bool fl_graph_ahead_answers_evidence(fl_status *status, const fl_store *store,
                                     const fl_graph_question *question, const fl_graph_walk *to,
                                     fl_error *err);

/* A row that this program would not have written; `what` is "a node". */
fl_status fl_graph_fail_kind(const char *what, fl_error *err);

/* Incidents whose ids begin with `prefix`: begun with {.prefix = ...}, given at most
 * FL_STORE_LISTED_MATCHES ids in their order, and ended by taking the document. */
enum { FL_STORE_LISTED_MATCHES = 5 };
typedef struct fl_store_match {
    const char *prefix;
    size_t count;
    char *document; /* of the first */
    bool is_exact;
    char ids[128]; /* of the first few, for the message */
} fl_store_match;
FL_NODISCARD fl_status fl_store_match_add(fl_store_match *found, const char *id, fl_slice document,
                                          fl_error *err);
/* *document is the caller's, where `status` so far is FL_OK and one matches; else what was found is
 * freed, and the failure says what there is. `where` is "the store". */
FL_NODISCARD fl_status fl_store_match_take(char **document, fl_store_match *found, fl_status status,
                                           const char *where, fl_error *err);

/* The first member of every kind's own struct. */
struct fl_store {
    const fl_store_kind *kind;
    struct fl_graph_ahead *ahead; /* rows that were read ahead; NULL: none */
};

extern const fl_store_kind fl_store_sqlite, fl_store_postgres;

#endif
