/*
 * receive_probe.c - routes that keep nothing: what clients ask before they send, and what is sent
 * in vain.
 *
 * A sender of a format that is not read would be told "not found" and be looked for in a proxy; a
 * sentence says what to send instead.
 */
#include <assert.h>

#include "receive_priv.h"

/* Loki's and Pyroscope's clients wait for this text. */
static void answer_ready(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context;
    (void)request;
    assert(reply->status == 200);
    reply->content_type = "text/plain; charset=utf-8";
    fl_buf_text(&reply->body, "ready\n");
}

static void answer_zipkin_health(void *context, const fl_http_request *request,
                                 fl_http_reply *reply)
{
    (void)context;
    (void)request;
    reply->content_type = "application/json";
    fl_buf_text(&reply->body, "{\"status\":\"UP\"}\n");
}

/* `context` is the sentence. */
static void answer_unread(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)request;
    assert(context != NULL);
    fl_http_problem(reply, 415, "%s", (const char *)context);
}

static char jaeger[] = "Jaeger's thrift is not read: let the client send OTLP to /v1/traces, or "
                       "Zipkin's JSON to /api/v2/spans";
static char zipkin_v1[] = "Zipkin's first format is not read: send the second to /api/v2/spans";
static char otlp_profiles[] =
    "OTLP's profiles are not read yet, as they still change: send pprof to /v1/profiles";

void fl_receive_probe_routes(fl_http_route routes[FL_RECEIVE_PROBES])
{
    const fl_http_route made[FL_RECEIVE_PROBES] = {
        {.method = "GET", .path = "/ready", .run = answer_ready},
        {.method = "GET", .path = "/health", .run = answer_zipkin_health},
        {.method = "GET", .path = "/loki/ready", .run = answer_ready},
        {.method = "POST",
         .path = "/api/traces",
         .role = FL_ROLE_INGEST,
         .run = answer_unread,
         .context = jaeger},
        {.method = "POST",
         .path = "/api/v1/spans",
         .role = FL_ROLE_INGEST,
         .run = answer_unread,
         .context = zipkin_v1},
        {.method = "POST",
         .path = "/v1development/profiles",
         .role = FL_ROLE_INGEST,
         .run = answer_unread,
         .context = otlp_profiles},
    };
    for (size_t i = 0; i < FL_RECEIVE_PROBES; i++)
        routes[i] = made[i];
}
