/*
 * grpc_work.c - which handler a call is for, and the call on a worker.
 *
 * Between fl_workers_submit() and the list of done calls the call is the worker's, all but its
 * stream: that may close meanwhile, which the event thread says by is_cancelled.
 */
#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "grpc_priv.h"
#include "mem.h"
#include "proto.h"
#include "slice.h"
#include "stream.h"
#include "timestamp.h"

#define HEALTH_CHECK "/grpc.health.v1.Health/Check"
enum { MAX_HEALTH_BYTES = 1 << 10 };

const fl_grpc_method fl_grpc_otlp_methods[] = {
    {"/opentelemetry.proto.collector.trace.v1.TraceService/Export", "/v1/traces"},
    {"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "/v1/metrics"},
    {"/opentelemetry.proto.collector.logs.v1.LogsService/Export", "/v1/logs"},
    {NULL, NULL}};

/* Before the message comes: who may not send need not send, and gets no memory. */
bool fl_grpc_admit(void *payload, fl_grpc_call *call, fl_http_reply *reply)
{
    fl_grpc_conn *conn = payload;
    fl_grpc *grpc = conn->grpc;
    const fl_grpc_method *methods = grpc->options.methods;
    call->request.client = conn->client;
    call->request.arrival_ns = fl_time_now();
    if (conn->tls != NULL && !fl_tls_session_is_trusted(conn->tls)) {
        fl_http_refuse_untrusted(grpc->http, reply);
        return false;
    }
    if (strcmp(call->request.path, HEALTH_CHECK) == 0) {
        call->message.body.max_bytes = MAX_HEALTH_BYTES;
        return true;
    }
    size_t i = 0;
    while (methods[i].name != NULL && strcmp(call->request.path, methods[i].name) != 0)
        i++;
    if (methods[i].name == NULL) {
        fl_http_problem(reply, 501, "there is no method %.160s", call->request.path);
        return false;
    }
    call->route = grpc->routes[i];
    call->request.path = methods[i].route;
    call->message.body.max_bytes =
        call->route->max_body_bytes > 0 ? call->route->max_body_bytes : FL_HTTP_MAX_BODY;
    return fl_http_admit(grpc->http, call->route, &call->request, reply);
}

/* --- grpc.health.v1: HealthCheckRequest {1: service}, HealthCheckResponse {1: status} --- */

/* The server as a whole, or one of its services by name. */
static bool is_service(const fl_grpc *grpc, fl_slice name)
{
    if (name.len == 0)
        return true;
    for (const fl_grpc_method *method = grpc->options.methods; method->name != NULL; method++) {
        fl_slice service = fl_slice_of(method->name + 1);
        service.len = fl_slice_find(service, FL_SLICE("/"));
        if (fl_slice_equal(service, name))
            return true;
    }
    return false;
}

/* On the event thread: it reads a few bytes and a flag, and has to answer when all workers are
 * stuck. */
static void answer_health(const fl_grpc *grpc, fl_grpc_call *call)
{
    enum { SERVICE = 1 };
    static const char serving[] = {0x08, 1}, not_serving[] = {0x08, 2};
    fl_slice name = {0};
    fl_proto in = fl_proto_over(fl_buf_slice(&call->message.body));
    while (fl_proto_next(&in))
        if (in.field == SERVICE)
            name = fl_proto_bytes(&in);
    if (call->message.is_packed || !fl_proto_ok(&in)) {
        fl_grpc_call_fail(call, FL_GRPC_INVALID_ARGUMENT, "this is no plain HealthCheckRequest");
        return;
    }
    if (!is_service(grpc, name)) {
        fl_grpc_call_fail(call, FL_GRPC_NOT_FOUND, "there is no such service");
        return;
    }
    bool is_ready = grpc->options.is_ready == NULL || grpc->options.is_ready(grpc->options.payload);
    fl_buf_add(&call->reply.body,
               (fl_slice){.ptr = (const unsigned char *)(is_ready ? serving : not_serving),
                          .len = sizeof(serving)});
    fl_grpc_call_conclude(call);
}

/* --- on a worker --- */

/* How compressed bytes of that encoding begin: a sender that says gzip means gzip. */
static bool begins_as(fl_slice bytes, fl_slice encoding)
{
    bool is_zstd = fl_slice_equal(encoding, FL_SLICE("zstd"));
    return fl_slice_starts_with(bytes,
                                is_zstd ? FL_SLICE("\x28\xb5\x2f\xfd") : FL_SLICE("\x1f\x8b"));
}

/* What a sender would do with it decides: a broken message is not sent again, memory comes back. */
static void fail_unpack(fl_grpc_call *call, const fl_error *err)
{
    fl_grpc_code code = err->status == FL_E_LIMIT   ? FL_GRPC_RESOURCE_EXHAUSTED
                        : err->status == FL_E_NOMEM ? FL_GRPC_UNAVAILABLE
                                                    : FL_GRPC_INTERNAL;
    fl_grpc_call_fail(call, code, "%s", err->message);
}

/* The message as the sender meant it, in `block` where it was compressed. */
static bool unpack(fl_grpc_call *call, fl_slice *out, fl_stream_block *block)
{
    size_t most = call->message.body.max_bytes;
    fl_error err = {0};
    fl_stream *in = NULL;
    *out = fl_buf_slice(&call->message.body);
    if (!call->message.is_packed)
        return true;
    if (call->encoding.len == 0 || !begins_as(*out, call->encoding)) {
        fl_grpc_call_fail(call, FL_GRPC_INTERNAL, "the message is not compressed as the call says");
        return false;
    }
    if (fl_stream_over(&in, *out, "the message", &err) != FL_OK ||
        fl_stream_read_all(out, block, in, most, &err) != FL_OK)
        fail_unpack(call, &err);
    fl_stream_close(in);
    if (err.status != FL_OK)
        return false;
    if (out->len > most)
        fl_grpc_call_fail(call, FL_GRPC_RESOURCE_EXHAUSTED,
                          "the message is larger than %zu bytes when decompressed", most);
    else if (!fl_grpc_call_claim(call, block->cap))
        fl_grpc_call_fail(call, FL_GRPC_UNAVAILABLE, "there are too many requests in memory");
    return call->code == FL_GRPC_OK;
}

/* The decompressed message is freed with the call's work, not with its answer: answers may wait for
 * slow clients. */
static void handle(fl_grpc *grpc, fl_grpc_call *call)
{
    enum { RETRY_S = 1 };
    fl_stream_block block = {0};
    fl_slice body;
    if (unpack(call, &body, &block)) {
        atomic_fetch_add(&grpc->counters.unpacked_bytes, body.len);
        call->request.body = body;
        fl_http_run(grpc->http, call->route, &call->request, &call->reply);
        call->request.body = (fl_slice){0};
        fl_grpc_call_conclude(call);
    } else if (call->code == FL_GRPC_UNAVAILABLE) {
        call->retry_after_s = RETRY_S;
    }
    fl_mem_free(block.ptr);
}

/* A call that nobody waits for any more is not worth a handler. */
static void run_call(fl_job *job)
{
    fl_grpc_call *call = (fl_grpc_call *)job;
    fl_grpc_conn *conn = call->owner;
    fl_grpc *grpc = conn->grpc;
    assert(call->state == FL_GRPC_RUNNING && call->route != NULL);
    if (atomic_load(&call->is_cancelled))
        fl_grpc_call_fail(call, FL_GRPC_CANCELLED, "the call was cancelled");
    else if (fl_time_monotonic() >= call->deadline_ns)
        fl_grpc_call_fail(call, FL_GRPC_DEADLINE_EXCEEDED, "the call waited past its deadline");
    else
        handle(grpc, call);
    /* One wake for all that are done until the event thread comes. */
    (void)pthread_mutex_lock(&grpc->lock);
    bool is_first = grpc->done == NULL;
    call->next_done = grpc->done;
    grpc->done = call;
    if (is_first)
        fl_grpc_wake(grpc);
    (void)pthread_mutex_unlock(&grpc->lock);
}

bool fl_grpc_ready(void *payload, fl_grpc_call *call)
{
    fl_grpc_conn *conn = payload;
    if (call->route == NULL) {
        answer_health(conn->grpc, call);
        fl_grpc_session_answer(call->session, call);
        return true;
    }
    call->job.run = run_call;
    return fl_workers_submit(fl_http_workers(conn->grpc->http), &call->job);
}
