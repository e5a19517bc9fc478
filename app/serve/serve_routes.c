/*
 * serve_routes.c - what is asked of the daemon itself.
 *
 *   /healthz    200 while the process answers at all
 *   /readyz     200 where data is taken, else 503 and why not
 *   /metrics    all figures, for Prometheus
 *   /v1/tail    the records that came since a number: what `faultline tail` shows
 *   /v1/status  the same for people and programs: what `faultline status` shows
 */
#include "serve_priv.h"

#include <assert.h>

#include "metrics.h"
#include "number.h"
#include "slice.h"

/* That this is answered says that the event thread and a worker live. */
static void healthz(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context, (void)request;
    reply->content_type = "text/plain";
    fl_buf_text(&reply->body, "ok\n");
}

/* For load balancers: while it is 503, senders belong elsewhere. */
static void readyz(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    const fl_serve *serve = context;
    fl_serve_state state = (fl_serve_state)serve->state;
    (void)request;
    if (state == FL_SERVE_READY) {
        reply->content_type = "text/plain";
        fl_buf_text(&reply->body, "ready\n");
        return;
    }
    fl_http_problem(reply, 503, "%s",
                    state == FL_SERVE_REFUSING ? "the disk takes nothing more"
                                               : fl_serve_state_name(state));
    reply->retry_after_s = 1;
}

/* Also while it recovers or stops: that is when somebody looks. */
static void metrics(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)request;
    reply->content_type = FL_METRICS_TYPE;
    fl_serve_metrics(context, &reply->body);
}

static void status_of(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    fl_error err = {0};
    (void)request;
    reply->content_type = "application/json";
    if (fl_serve_status(context, &reply->body, &err) != FL_OK)
        fl_http_problem(reply, 500, "%s", err.message);
}

/* Without "after" the answer says where to begin. */
static void tail_of(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    fl_serve *serve = context;
    const char *after = fl_http_query(request, "after");
    uint64_t number = UINT64_MAX;
    if (after != NULL && !fl_parse_u64(fl_slice_of(after), &number)) {
        fl_http_problem(reply, 400, "after is the number that the last answer called next");
        return;
    }
    reply->content_type = "application/json";
    fl_tail_read(serve->tail, number, &reply->body);
}

fl_status fl_serve_add_routes(fl_serve *serve, fl_error *err)
{
    assert(serve->http != NULL);
    const fl_http_route routes[] = {
        {.method = "GET", .path = "/healthz", .run = healthz, .is_probe = true},
        {.method = "GET", .path = "/readyz", .run = readyz, .context = serve, .is_probe = true},
        {.method = "GET",
         .path = "/metrics",
         .role = FL_ROLE_READ,
         .run = metrics,
         .context = serve,
         .is_probe = true},
        {.method = "GET",
         .path = "/v1/status",
         .role = FL_ROLE_READ,
         .run = status_of,
         .context = serve,
         .is_probe = true},
        {.method = "GET",
         .path = "/v1/tail",
         .role = FL_ROLE_READ,
         .run = tail_of,
         .context = serve},
    };
    return fl_http_add(serve->http, routes, sizeof(routes) / sizeof(routes[0]), err);
}
