/*
 * request_metrics.h - the metrics by which a service counts the requests that it serves, as
 * instrumentation libraries name them.
 *
 * Names are compared with '.' as '_' and without a unit or "_total" at their end, as
 * OpenTelemetry's rules for Prometheus write them: http_server_request_duration  OpenTelemetry's
 * semantic conventions (stable), seconds http_server_duration          the same before 1.23,
 * milliseconds rpc_server_call_duration      the same for calls, seconds; rpc_server_duration
 * before, milliseconds http_server_requests          Micrometer (Spring), seconds
 *   http_request_duration         Prometheus' client libraries and their middlewares, seconds
 *   grpc_server_handling          go-grpc-prometheus and its kin, seconds
 *   traces_span_metrics_duration, traces_spanmetrics_latency   what a collector, and Tempo, make of
 *                                 spans; those of servers and consumers
 *   http_requests, grpc_server_handled, traces_span_metrics_calls, traces_spanmetrics_calls
 *                                 counts alone
 */
#ifndef FL_REQUEST_METRICS_H
#define FL_REQUEST_METRICS_H

#include "faultline/record.h"

enum { FL_REQUEST_METRICS = 13, FL_NO_REQUEST_METRIC = FL_REQUEST_METRICS };

typedef enum fl_outcome { FL_OUTCOME_UNTOLD, FL_OUTCOME_ANSWERED, FL_OUTCOME_FAILED } fl_outcome;

/* Whether a metric of this name may be one: for those who would have to decode the rest. */
bool fl_request_metric_is_named(fl_slice metric);
/* Which of them it is, or FL_NO_REQUEST_METRIC. Buckets and quantiles are none: what they count is
 * counted by their family's count and sum. */
unsigned fl_request_metric(const fl_point *point);
/* Milliseconds of one unit of its sum; 0 where it has none and only counts. */
double fl_request_metric_ms(unsigned metric, const fl_point *point);
/* Whether these requests failed by the server's doing, of the attributes that say so: an HTTP
 * status of 500 or above, a status of gRPC that OpenTelemetry counts as a server's error, an
 * outcome or type of error in words. */
fl_outcome fl_request_outcome(fl_attrs attrs);
/* Equal where method and route, or the name of a call, are; 0 where none is given. */
uint64_t fl_request_route(fl_attrs attrs);

#endif
