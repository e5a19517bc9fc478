/*
 * api_priv.h - one request on its way through the api, for the files that answer.
 */
#ifndef FL_API_PRIV_H
#define FL_API_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "api.h"
#include "api_advice.h"
#include "api_cache.h"
#include "api_events.h"
#include "api_once.h"
#include "arena.h"
#include "faultline/incident.h"
#include "json.h"
#include "store_pool.h"

/* Everything of one request; the function of its row fills the body of the reply. */
typedef struct fl_api_call {
    fl_api *api;
    const fl_http_request *request;
    fl_http_reply *reply;
    const char *id;  /* in the path; NULL: there is none */
    fl_store *store; /* once it was asked for */
    fl_arena arena;
    int64_t now_ns;
    bool is_live; /* the document was that of an incident in memory */
} fl_api_call;

/* FL_E_STOPPED: the reply is a problem already. FL_E_NOTFOUND becomes 404, the rest 500 or 503. */
typedef fl_status fl_api_run(fl_api_call *call, fl_error *err);

typedef struct fl_api_route {
    const char *method;
    const char *path; /* "{id}" stands for one part */
    fl_http_role role;
    fl_api_run *run;
    const char *parameters; /* names, each between two spaces; others are refused */
    size_t max_body_bytes;  /* of a POST */
    bool is_kept;           /* without parameters the answer follows from the document alone */
} fl_api_route;

struct fl_api {
    fl_api_options options;
    fl_store_pool *pool;
    fl_api_once *once;
    fl_api_cache *cache;
    pthread_mutex_t contract_lock;
    fl_http_kept *contract; /* under the lock; NULL: nobody has asked for it */
    fl_api_advice *advice;
    fl_api_events *events;
    atomic_bool is_read_whole;    /* somebody reads the whole graph */
    struct fl_api_entry *entries; /* contexts of the routes */
};

/* The table, which schemas/openapi.yaml describes. */
const fl_api_route *fl_api_routes(size_t *count);

/* --- api.c: what every function of a row may ask --- */

/* The reply becomes a problem; returns FL_E_STOPPED. */
fl_status fl_api_refuse(fl_api_call *call, unsigned status, const char *format, ...)
    FL_PRINTF(3, 4);
/* A store for the rest of the request; one that cannot be had is told in the reply. */
FL_NODISCARD fl_status fl_api_store(fl_store **out, fl_api_call *call);
/* A whole number between the two; `fallback` where the parameter is not there. */
FL_NODISCARD fl_status fl_api_number(size_t *out, fl_api_call *call, const char *name,
                                     size_t fallback, const size_t bounds[2]);
/* A time as fl_time_parse() takes it; now where the parameter is not there. */
FL_NODISCARD fl_status fl_api_time(int64_t *out, fl_api_call *call, const char *name);
/* The end of a body: 400 where it is not what was read of it, with the place. */
FL_NODISCARD fl_status fl_api_read_end(fl_api_call *call, fl_json *in, fl_error *err);

/* The reply is that body, held for it, in place of what it has. */
void fl_api_send_kept(fl_api_call *call, fl_http_kept *kept);

fl_api_run fl_api_listen;

/* --- api_incidents.c --- */

/* The page of the incident of the path: that in memory, else the stored one. */
FL_NODISCARD fl_status fl_api_document(fl_buf *out, fl_api_call *call, fl_error *err);
/* What is drawn of it, as it is kept. */
FL_NODISCARD fl_status fl_api_picture(fl_buf *out, fl_api_call *call, fl_error *err);
/* The same as an incident, in the call's arena. */
FL_NODISCARD fl_status fl_api_incident(const fl_incident **out, fl_api_call *call, fl_error *err);
fl_api_run fl_api_incidents, fl_api_one, fl_api_hypotheses, fl_api_evidence, fl_api_timeline;
fl_api_run fl_api_postmortem;

/* --- api_graph.c --- */
fl_api_run fl_api_similar, fl_api_paths;
fl_api_run fl_api_nodes, fl_api_provenance, fl_api_neighbours, fl_api_graph_paths, fl_api_known,
    fl_api_graph_stats;

/* --- api_say.c --- */
fl_api_run fl_api_confirm, fl_api_reject, fl_api_resolve;

/* --- api_advice.c --- */
fl_api_run fl_api_recommend, fl_api_learn;

/* --- api_grafana.c --- */
fl_api_run fl_api_grafana_test, fl_api_grafana_query, fl_api_grafana_annotations;
fl_api_run fl_api_grafana_metrics, fl_api_grafana_options, fl_api_grafana_variable;
fl_api_run fl_api_grafana_tag_keys, fl_api_grafana_tag_values;

/* --- api_contract.c --- */
fl_api_run fl_api_contract;

#endif
