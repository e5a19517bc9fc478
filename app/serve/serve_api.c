/*
 * serve_api.c - /v1 as a part of the daemon: over the store of the incidents, with those that are
 * open first.
 */
#include <assert.h>

#include "serve_priv.h"
#include "timestamp.h"

/* fl_api_options.page: the incidents may come later than the routes, or not at all. */
static bool page_of(void *payload, const char *id, fl_buf *out)
{
    fl_serve *serve = payload;
    fl_incidents *incidents = serve->incidents;
    return incidents != NULL && fl_incidents_page(incidents, id, out);
}

fl_status fl_serve_start_api(fl_serve *serve, fl_error *err)
{
    assert(serve->archive != NULL && serve->http != NULL);
    fl_serve_try_incidents(serve, fl_time_now());
    const fl_api_options options = {
        .store = serve->options.store, .mode = FL_STORE_CREATE, .page = page_of, .payload = serve};
    fl_api *api;
    fl_status status = fl_api_create(&api, &options, err);
    if (status != FL_OK)
        return status;
    serve->api = api;
    return fl_api_add_routes(api, serve->http, err);
}

void fl_serve_put_api(fl_metrics *m, fl_api *api)
{
    const fl_api_stats s = fl_api_stats_of(api);
    fl_metrics_one_gauge(m, "faultline_api_stores", "Connections to the store that are open",
                         (double)s.stores_open);
    fl_metrics_one_gauge(m, "faultline_api_stores_busy", "Of these, such as answer a request",
                         (double)s.stores_busy);
    fl_metrics_one_gauge(m, "faultline_api_listeners", "Clients that are told what changes",
                         (double)s.listeners);
    fl_metrics_one_counter(m, "faultline_api_store_failures_total",
                           "Tries to reach the store that failed", s.stores_failed);
}
