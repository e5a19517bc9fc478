/*
 * receive_otlp.c - OTLP over HTTP and gRPC: POST /v1/logs, /v1/traces, /v1/metrics.
 *
 * A body that is no message at all is refused as a whole (400): JSON that does not hold to its end,
 * protobuf whose outermost fields do not. Within one that is, a record that cannot be read costs
 * itself and is told in partial_success. A file is read otherwise, up to where it breaks: its
 * writer cannot be told to send it again.
 */
#include <assert.h>

#include "json.h"
#include "proto.h"
#include "receive_answer.h"
#include "slice.h"

static fl_status check_otlp(const fl_http_request *request, fl_error *err)
{
    if (!request->is_grpc && !fl_http_is_type(request, "application/x-protobuf") &&
        !fl_http_is_type(request, "application/json"))
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "OTLP wants Content-Type application/x-protobuf or application/json");
    return request->is_grpc ? FL_OK : fl_receive_check_encoding(request, NULL, err);
}

/* One JSON object and nothing behind it. */
static fl_status check_json(fl_receive_context *context, fl_slice body, fl_error *err)
{
    assert(context != NULL);
    fl_json in = fl_json_over(body, &context->arena);
    if (fl_json_peek(&in) != FL_JSON_OBJECT && fl_json_ok(&in))
        return fl_fail(err, FL_E_SYNTAX, 0, "the body is no JSON object");
    fl_json_skip(&in);
    if (fl_json_finish(&in))
        return FL_OK;
    return fl_fail(err, in.err.status, in.err.offset, "the body is no JSON: %s (byte %llu)",
                   in.err.message, (unsigned long long)in.err.offset);
}

/* Fields, of which the records' are bytes. */
static fl_status check_proto(fl_slice body, fl_error *err)
{
    fl_proto in = fl_proto_over(body);
    while (fl_proto_next(&in))
        if (in.field == 1 && in.type != FL_PROTO_BYTES)
            return fl_fail(err, FL_E_SYNTAX, in.field_pos, "the body is no OTLP message");
    if (fl_proto_ok(&in))
        return FL_OK;
    return fl_fail(err, in.err.status, in.err.offset, "the body is no protobuf: %s (byte %llu)",
                   in.err.message, (unsigned long long)in.err.offset);
}

static fl_status decode(fl_receive_context *context, const fl_http_request *request,
                        fl_otlp_signal signal, fl_error *err)
{
    assert(signal != FL_OTLP_UNKNOWN && context->otlp != NULL);
    if (fl_receive_is_json(request)) {
        fl_status status = check_json(context, request->body, err);
        return status == FL_OK
                   ? fl_otlp_json(context->otlp, request->body, request->path, 0, 0, err)
                   : status;
    }
    fl_status status = check_proto(request->body, err);
    return status == FL_OK
               ? fl_otlp_proto(context->otlp, request->body, signal, request->path, 0, err)
               : status;
}

static fl_status decode_logs(fl_receive_context *context, const fl_http_request *request,
                             fl_error *err)
{
    return decode(context, request, FL_OTLP_LOGS, err);
}

static fl_status decode_traces(fl_receive_context *context, const fl_http_request *request,
                               fl_error *err)
{
    return decode(context, request, FL_OTLP_TRACES, err);
}

static fl_status decode_metrics(fl_receive_context *context, const fl_http_request *request,
                                fl_error *err)
{
    return decode(context, request, FL_OTLP_METRICS, err);
}

static void answer_logs(const fl_receive_outcome *outcome, const fl_http_request *request,
                        fl_http_reply *reply)
{
    fl_receive_answer_otlp(outcome, request, "rejectedLogRecords", reply);
}

static void answer_traces(const fl_receive_outcome *outcome, const fl_http_request *request,
                          fl_http_reply *reply)
{
    fl_receive_answer_otlp(outcome, request, "rejectedSpans", reply);
}

static void answer_metrics(const fl_receive_outcome *outcome, const fl_http_request *request,
                           fl_http_reply *reply)
{
    fl_receive_answer_otlp(outcome, request, "rejectedDataPoints", reply);
}

const fl_receive_how fl_receive_otlp_logs = {.protocol = FL_RECEIVE_OTLP_LOGS,
                                             .path = "/v1/logs",
                                             .role = FL_ROLE_INGEST,
                                             .check = check_otlp,
                                             .decode = decode_logs,
                                             .answer = answer_logs,
                                             .refuse = fl_receive_refuse_otlp};
const fl_receive_how fl_receive_otlp_traces = {.protocol = FL_RECEIVE_OTLP_TRACES,
                                               .path = "/v1/traces",
                                               .role = FL_ROLE_INGEST,
                                               .check = check_otlp,
                                               .decode = decode_traces,
                                               .answer = answer_traces,
                                               .refuse = fl_receive_refuse_otlp};
const fl_receive_how fl_receive_otlp_metrics = {.protocol = FL_RECEIVE_OTLP_METRICS,
                                                .path = "/v1/metrics",
                                                .role = FL_ROLE_INGEST,
                                                .check = check_otlp,
                                                .decode = decode_metrics,
                                                .answer = answer_metrics,
                                                .refuse = fl_receive_refuse_otlp};
