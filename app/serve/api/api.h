/*
 * api.h - /v1 for programs, pages and assistants: incidents, what people say of them, the graph and
 * advice, over one store. schemas/openapi.yaml is the contract, docs/api.md explains it.
 *
 *   fl_http routes ──> one handler ──> the route's row ──> checks ──> a store of the pool ──>
 * report
 *
 * Each row of a table names its path, role, parameters and function. A failure of a function
 * becomes one problem (RFC 9457): what the request got wrong 400 or 422, what is not there 404, a
 * store that does not answer 503 with Retry-After; everything else works on.
 */
#ifndef FL_API_H
#define FL_API_H

#include "buf.h"
#include "http.h"
#include "store.h"

typedef struct fl_api fl_api; /* any thread */

/* Zero takes the default that stands behind. Texts are copied. */
typedef struct fl_api_options {
    const char *store; /* URL; NULL: there is none, and what needs one says so */
    fl_store_mode mode;
    size_t stores; /* connections that are open at once: FL_API_STORES */
    /* Append the page of an incident that is kept in memory, which is newer than the store's, by
     * its id or a beginning that is its alone. False: it is not there. `out` NULL: only say so.
     * No function: nothing is in memory. */
    bool (*page)(void *payload, const char *id, fl_buf *out);
    void *payload;
} fl_api_options;

/* Questions to the graph take milliseconds: more would wait for the disk and not for each other. */
enum { FL_API_STORES = 8, FL_API_MAX_STORES = 64 };

/* Nothing is connected to before it is asked for. */
FL_NODISCARD fl_status fl_api_create(fl_api **out, const fl_api_options *options, fl_error *err);
/* Once, also while `http` serves; it must be stopped before the api is destroyed. */
FL_NODISCARD fl_status fl_api_add_routes(fl_api *api, fl_http *http, fl_error *err);
void fl_api_destroy(fl_api *api); /* NULL is a no-op */

typedef struct fl_api_stats {
    size_t stores_open, stores_busy;
    uint64_t stores_failed; /* tries to reach the store */
    size_t listeners;       /* to /v1/incidents/events */
} fl_api_stats;
fl_api_stats fl_api_stats_of(fl_api *api);

#endif
