/*
 * timeline.h - the one timeline: what the telemetry said, on one clock, as plain arrays.
 *
 * ingest/timeline builds it, correlate/ reads it. Everything is sorted by content, never by the
 * order of arrival, so the same records give the same timeline. Texts are NUL-terminated UTF-8.
 *
 * Windows are the unit of comparison: equal slices of time, counted from the incident's time, of
 * which only those that hold data are listed. Those at or after it and before its end are the
 * incident; every other one is baseline.
 */
#ifndef FAULTLINE_TIMELINE_H
#define FAULTLINE_TIMELINE_H

#include <stdbool.h>

#include "faultline/record.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FL_NO_INDEX UINT32_MAX

typedef struct fl_window {
    int64_t from_ns, to_ns;
    bool incident;
    bool has_spans, has_logs, has_metrics;
} fl_window;

/* Where records come from. */
typedef struct fl_entity {
    uint32_t service;     /* index into services */
    const char *instance; /* NULL where not known */
    const char *node;
} fl_entity;

typedef struct fl_operation {
    uint32_t service;
    const char *name; /* NULL: spans that only their logs tell of */
} fl_operation;

/* Sorted by trace, then start, then id. */
typedef struct fl_span_row {
    uint64_t trace; /* a hash of the trace id; equal for equal ids */
    uint64_t id, parent_id;
    int64_t start_ns, duration_ns; /* duration is -1 for a span that only its logs tell of */
    uint32_t operation;            /* index into operations */
    uint32_t entity;
    uint32_t window;
    uint32_t parent; /* row, or FL_NO_INDEX: a root, or the parent never arrived */
    uint8_t kind;    /* fl_span_kind */
    bool is_error;
} fl_span_row;

/* A log record or a span event that belongs to a span; sorted by span, then time, then template. */
typedef struct fl_span_log {
    uint32_t span;
    uint32_t template_index;
    int64_t time_ns;
} fl_span_log;

typedef struct fl_template {
    uint64_t id;
    const char *text;
    const char *location; /* NULL where lines carry none */
    int severity;
    bool is_error;
    /* Of a line that was recorded as an exception; NULL where that is not told. */
    const char *exception_type, *exception_frame;
} fl_template;

/* Lines of one template from one service. counts[w] is for window w. */
typedef struct fl_log_series {
    uint32_t service;
    uint32_t template_index;
    const double *counts;
    const char *example; /* one raw line, from the incident where there is one */
} fl_log_series;

typedef enum fl_role {
    FL_ROLE_OTHER,
    FL_ROLE_TRAFFIC,
    FL_ROLE_ERRORS,
    FL_ROLE_LATENCY,
    FL_ROLE_CPU,
    FL_ROLE_MEMORY,
    FL_ROLE_NETWORK,
    FL_ROLE_DISK,
    FL_ROLE_POOL,
    FL_ROLE_QUEUE,
    FL_ROLE_COUNT
} fl_role;

/* How a value is read: a share of a whole is compared by its odds, any other by its ratio. */
typedef enum fl_scale { FL_SCALE_VALUE, FL_SCALE_SHARE } fl_scale;

/* One number per window; NaN where nothing was measured. */
typedef struct fl_metric_series {
    uint32_t entity;
    const char *name;
    const char *statistic;  /* "p99", "mean", "rate", a quantile; NULL for a plain value */
    const char *attributes; /* "k=v,k=v" sorted by key; "" where there are none */
    const char *unit;       /* UCUM; "" where not given */
    fl_role role;
    fl_scale scale;
    double share_of; /* SHARE: the value of a whole (100 for percent, 1 for a ratio) */
    bool is_host;    /* about the node below, shared by its neighbours, not about the service */
    int8_t bad_when; /* +1: trouble shows as a rise, -1: as a fall, 0: not told */
    const double *values;
} fl_metric_series;

typedef struct fl_topology_edge {
    uint32_t caller, callee; /* services */
} fl_topology_edge;

typedef struct fl_change {
    int64_t time_ns;
    fl_change_kind kind;
    uint32_t service;           /* FL_NO_INDEX: everything */
    const char *key;            /* of a configuration, or a flag's name; NULL: none */
    const char *before, *after; /* values, or versions; NULL: not told */
    const char *source, *url;   /* NULL: not told */
    bool is_seen;               /* in the telemetry itself, and not told */
} fl_change;

/* A rule that fired, as it was told or as the series ALERTS shows it. A symptom: it says that
 * something hurts, and whom. Texts that are not known are NULL. */
typedef struct fl_alert {
    int64_t starts_ns, ends_ns; /* ends 0: not over, or not told */
    uint32_t service;           /* FL_NO_INDEX: not told, or nothing else was heard of it */
    const char *name;           /* of the rule */
    const char *severity, *summary;
} fl_alert;

/* A clock that differed from those of most, as the calls between them tell: `offset_ns` (ahead of
 * the others where it is above 0) was taken off the times of its entity's spans and lines. What is
 * left is within `error_ns`: an order of less than that between entities says nothing. */
typedef struct fl_clock {
    uint32_t entity;
    int64_t offset_ns, error_ns;
    uint64_t calls; /* that told it */
} fl_clock;

typedef struct fl_timeline {
    int64_t at_ns, step_ns;
    const fl_window *windows;
    size_t window_count;
    const char *const *services; /* sorted */
    size_t service_count;
    const fl_entity *entities;
    size_t entity_count;
    const fl_operation *operations;
    size_t operation_count;
    const fl_span_row *spans;
    size_t span_count;
    const fl_span_log *span_logs;
    size_t span_log_count;
    const fl_template *templates;
    size_t template_count;
    const fl_log_series *logs;
    size_t log_series_count;
    const fl_metric_series *metrics;
    size_t metric_series_count;
    const fl_topology_edge *topology; /* given by the user, else as metrics tell; sorted */
    size_t topology_count;
    const fl_change *changes; /* by time, then content; distinct */
    size_t change_count;
    const fl_alert *alerts; /* by their start, then content; distinct */
    size_t alert_count;
    const fl_clock *clocks; /* by entity; none where all agree as far as calls tell */
    size_t clock_count;
    bool has_changes;                                    /* something would have told of one */
    uint64_t log_records, span_records, point_records;   /* distinct ones that were read */
    double span_sampling, log_sampling, metric_sampling; /* shares kept, in (0, 1] */
} fl_timeline;

/* "deploy", "config", "flag", "merge-request" */
const char *fl_change_kind_name(fl_change_kind kind);
/* "traffic", "errors", "latency", "cpu" ... */
const char *fl_role_name(fl_role role);

#ifdef __cplusplus
}
#endif

#endif
