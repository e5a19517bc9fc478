/*
 * answers.h - what servers of telemetry answer besides telemetry: names, label sets, lists of
 * traces, versions, targets.
 *
 *   names     { "status"?, "data": [ "a", "b" ] | null }   Prometheus and Loki: labels and their
 *             values; Jaeger: services and operations
 *   series    { "status", "data": [ { NAME: VALUE }* ] }    Prometheus: /api/v1/series
 *   traces    { "traces": [ { "traceID", "startTimeUnixNano"?, "rootServiceName"?, ... }* ],
 *             "metrics"? }                                  Tempo: /api/search
 *   version   { "version": V } | { "status", "data": { "version": V } }
 *   time      { "status", "data": { "resultType": "scalar", "result": [ seconds, "value" ] } }
 *   tags      { "tagValues": [ "a", "b" ] }                 Tempo: as names
 *   series    { "status", "data": { "headStats": { "numSeries": N } } }   Prometheus: status/tsdb
 *   any       whether "data", its "result", "traces" or "tagValues" is a list that is not empty
 *   targets   { "status", "data": { "activeTargets": [ { "labels", "scrapeUrl", "health" }* ] } }
 *
 * Sources: prometheus.io/docs/prometheus/latest/querying/api, grafana.com/docs/loki and
 * /docs/tempo, HTTP API. Members that are not named here are stepped over, but checked. Each reader
 * fails with FL_E_SYNTAX at an offset, with FL_E_IO where the answer says an error, which is the
 * message, or with what `each` returns; texts are borrowed during the call of `each`.
 */
#ifndef FL_ANSWERS_H
#define FL_ANSWERS_H

#include <stdbool.h>

#include "arena.h"
#include "labels.h"

typedef fl_status fl_answer_name(void *payload, fl_slice name, fl_error *err);
FL_NODISCARD fl_status fl_answer_names(fl_slice body, fl_arena *text, fl_answer_name *each,
                                       void *payload, fl_error *err);

typedef fl_status fl_answer_labels(void *payload, const fl_labels *labels, fl_error *err);
FL_NODISCARD fl_status fl_answer_series(fl_slice body, fl_arena *text, fl_answer_labels *each,
                                        void *payload, fl_error *err);

/* What a search tells of a trace. */
typedef struct fl_found_trace {
    fl_trace_id id;
    int64_t start_ns; /* 0: not told */
    fl_slice service; /* of its root; empty where not told */
} fl_found_trace;
typedef fl_status fl_answer_trace(void *payload, const fl_found_trace *trace, fl_error *err);
FL_NODISCARD fl_status fl_answer_traces(fl_slice body, fl_arena *text, fl_answer_trace *each,
                                        void *payload, fl_error *err);

/* Empty where none is told. */
enum { FL_VERSION_TEXT = 48 };
FL_NODISCARD fl_status fl_answer_version(char out[FL_VERSION_TEXT], fl_slice body, fl_arena *text,
                                         fl_error *err);
/* A scalar that is a time in seconds. */
FL_NODISCARD fl_status fl_answer_time(int64_t *out_ns, fl_slice body, fl_arena *text,
                                      fl_error *err);

/* How many series a Prometheus has at hand; 0 where it does not tell. */
FL_NODISCARD fl_status fl_answer_series_count(uint64_t *out, fl_slice body, fl_arena *text,
                                              fl_error *err);
FL_NODISCARD fl_status fl_answer_has_any(bool *out, fl_slice body, fl_arena *text, fl_error *err);

/* What Prometheus scrapes. */
typedef struct fl_scraped {
    fl_slice url; /* of its metrics */
    bool is_up;
    const fl_labels *labels;
} fl_scraped;
typedef fl_status fl_answer_target(void *payload, const fl_scraped *target, fl_error *err);
FL_NODISCARD fl_status fl_answer_targets(fl_slice body, fl_arena *text, fl_answer_target *each,
                                         void *payload, fl_error *err);

#endif
