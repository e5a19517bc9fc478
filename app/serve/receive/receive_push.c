/*
 * receive_push.c - remote write of Prometheus, pushes to Loki, spans of Zipkin.
 *
 *   POST /api/v1/write       204; 400 for good where a series is refused, though the others are
 *                            kept (Remote-Write 1.0: invalid samples MUST be answered with 400);
 *                            415 for 2.0
 *   POST /loki/api/v1/push   204; 400 likewise: Loki itself keeps what is good of a push
 *   POST /api/v2/spans       202
 * A sender that speaks zstd or gzip (VictoriaMetrics' agent may) has its body undone by the
 * transport; it is then the message itself.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "loki.h"
#include "receive_answer.h"
#include "slice.h"
#include "zipkin.h"

static void answer_204(const fl_receive_outcome *outcome, const fl_http_request *request,
                       fl_http_reply *reply)
{
    (void)request;
    fl_receive_answer_plain(outcome, 204, reply);
}

/* Whether the transport has undone the encoding. */
static bool is_undone(const fl_http_request *request)
{
    const char *encoding = fl_http_header(request, "Content-Encoding");
    return encoding != NULL &&
           (strcasecmp(encoding, "gzip") == 0 || strcasecmp(encoding, "zstd") == 0);
}

/* ---- remote write ---- */

static fl_status check_write(const fl_http_request *request, fl_error *err)
{
    fl_status status = fl_prometheus_write_type(fl_slice_of(request->content_type), err);
    return status == FL_OK ? fl_receive_check_encoding(request, "snappy", err) : status;
}

/* What the reader was told of types in this request, all readers know before their next one. */
static fl_status decode_write(fl_receive_context *context, const fl_http_request *request,
                              fl_error *err)
{
    assert(context->prometheus != NULL);
    fl_prometheus_set_source(context->prometheus, request->path);
    return is_undone(request) ? fl_prometheus_write_proto(context->prometheus, request->body, err)
                              : fl_prometheus_write(context->prometheus, request->body, err);
}

const fl_receive_how fl_receive_remote_write = {.protocol = FL_RECEIVE_REMOTE_WRITE,
                                                .path = "/api/v1/write",
                                                .role = FL_ROLE_INGEST,
                                                .is_whole = true,
                                                .check = check_write,
                                                .decode = decode_write,
                                                .answer = answer_204};

/* ---- Loki ---- */

/* Without a type it is protobuf, as Loki has it. */
static bool is_loki_json(const fl_http_request *request)
{
    return fl_http_is_type(request, "application/json");
}

static fl_status check_loki(const fl_http_request *request, fl_error *err)
{
    if (is_loki_json(request))
        return fl_receive_check_encoding(request, NULL, err);
    if (request->content_type[0] != '\0' && !fl_http_is_type(request, "application/x-protobuf"))
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "a push wants Content-Type application/json or application/x-protobuf");
    return fl_receive_check_encoding(request, "snappy", err);
}

static fl_status decode_loki(fl_receive_context *context, const fl_http_request *request,
                             fl_error *err)
{
    assert(context->intake.source == request->path);
    if (is_loki_json(request))
        return fl_loki_json(&context->intake, request->body, err);
    return is_undone(request) ? fl_loki_plain_proto(&context->intake, request->body, err)
                              : fl_loki_proto(&context->intake, request->body, err);
}

const fl_receive_how fl_receive_loki = {.protocol = FL_RECEIVE_LOKI,
                                        .path = "/loki/api/v1/push",
                                        .role = FL_ROLE_INGEST,
                                        .is_whole = true,
                                        .check = check_loki,
                                        .decode = decode_loki,
                                        .answer = answer_204};

/* ---- Zipkin ---- */

static fl_status check_zipkin(const fl_http_request *request, fl_error *err)
{
    fl_status status = fl_receive_check_type(request, "application/json", err);
    return status == FL_OK ? fl_receive_check_encoding(request, NULL, err) : status;
}

/* A list of nothing, as a client sends to see whether somebody listens. */
static bool is_empty_list(fl_slice body)
{
    fl_slice text = fl_slice_trim(body);
    return text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']' &&
           fl_slice_trim(fl_slice_part(text, 1, text.len - 1)).len == 0;
}

static fl_status decode_zipkin(fl_receive_context *context, const fl_http_request *request,
                               fl_error *err)
{
    if (is_empty_list(request->body))
        return FL_OK;
    return fl_zipkin_json(&context->intake, request->body, err);
}

static void answer_zipkin(const fl_receive_outcome *outcome, const fl_http_request *request,
                          fl_http_reply *reply)
{
    (void)request;
    fl_receive_answer_plain(outcome, 202, reply);
}

const fl_receive_how fl_receive_zipkin = {.protocol = FL_RECEIVE_ZIPKIN,
                                          .path = "/api/v2/spans",
                                          .role = FL_ROLE_INGEST,
                                          .check = check_zipkin,
                                          .decode = decode_zipkin,
                                          .answer = answer_zipkin};
