/*
 * record.h - what every decoder turns bytes into, and the sink that it pushes them to.
 *
 * Times are nanoseconds since the epoch, UTC; 0 means "not given". Every slice is borrowed and
 * valid only during the call of the sink. Attribute keys are today's semantic conventions: a
 * decoder maps older names once, on entry.
 */
#ifndef FAULTLINE_RECORD_H
#define FAULTLINE_RECORD_H

#include <stdbool.h>

#include "faultline/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fl_value_kind {
    FL_VALUE_NONE,
    FL_VALUE_STRING,
    FL_VALUE_BOOL,
    FL_VALUE_INT,
    FL_VALUE_DOUBLE,
    FL_VALUE_BYTES, /* in `text` as base64 */
    FL_VALUE_OTHER  /* an array or a map, in `text` as plain JSON, whatever form the input had */
} fl_value_kind;

typedef struct fl_value {
    fl_value_kind kind;
    fl_slice text;  /* STRING, BYTES, OTHER */
    int64_t number; /* INT, and BOOL as 0 or 1 */
    double real;    /* DOUBLE */
} fl_value;

typedef struct fl_attr {
    fl_slice key;
    fl_value value;
} fl_attr;

typedef struct fl_attrs {
    const fl_attr *items;
    size_t count;
} fl_attrs;

/* Who the records that follow are about. */
typedef struct fl_resource {
    fl_slice service;  /* service.name; empty where none was given */
    fl_slice instance; /* k8s.pod.name, else service.instance.id, else container.id; or empty */
    fl_slice node;     /* k8s.node.name, else host.name; or empty */
    fl_attrs attrs;    /* all of them */
} fl_resource;

typedef struct fl_trace_id {
    uint64_t hi, lo; /* big-endian halves; both 0: none */
} fl_trace_id;

typedef enum fl_span_kind {
    FL_SPAN_UNSPECIFIED,
    FL_SPAN_INTERNAL,
    FL_SPAN_SERVER,
    FL_SPAN_CLIENT,
    FL_SPAN_PRODUCER,
    FL_SPAN_CONSUMER
} fl_span_kind;

typedef struct fl_span_event {
    int64_t time_ns;
    fl_slice name;
    fl_attrs attrs;
} fl_span_event;

typedef struct fl_span {
    fl_trace_id trace;
    uint64_t id;     /* never 0 */
    uint64_t parent; /* 0: a root */
    fl_slice name;
    fl_span_kind kind;
    int64_t start_ns, end_ns; /* end >= start */
    bool is_error;            /* status code ERROR */
    fl_attrs attrs;
    const fl_span_event *events;
    size_t event_count;
} fl_span;

typedef struct fl_log {
    int64_t time_ns; /* of the event, else observed */
    int severity;    /* OTLP SeverityNumber 1 to 24; 0: not given */
    fl_slice severity_text;
    fl_slice body; /* a string body, or another value as plain JSON */
    fl_trace_id trace;
    uint64_t span; /* 0: none */
    fl_attrs attrs;
} fl_log;

typedef enum fl_point_kind {
    FL_POINT_GAUGE,
    FL_POINT_SUM,
    FL_POINT_HISTOGRAM,
    FL_POINT_EXP_HISTOGRAM,
    FL_POINT_SUMMARY,
    FL_POINT_PART /* one number of a histogram or summary whose numbers come one by one */
} fl_point_kind;

/* What the `value` of a FL_POINT_PART is; all but the last are totals since the process began. */
typedef enum fl_point_part {
    FL_PART_COUNT,
    FL_PART_SUM,
    FL_PART_BELOW,   /* how many were at most `param`, which may be infinite */
    FL_PART_QUANTILE /* of the values, `param` in [0,1] */
} fl_point_part;

typedef enum fl_temporality {
    FL_TEMPORALITY_NONE,
    FL_TEMPORALITY_DELTA,
    FL_TEMPORALITY_CUMULATIVE
} fl_temporality;

/* One data point. Which members count depends on `kind`. */
typedef struct fl_point {
    fl_slice metric, unit;
    fl_point_kind kind;
    fl_temporality temporality; /* SUM and the histograms */
    bool monotonic;             /* SUM */
    int64_t start_ns, time_ns;
    double value;       /* GAUGE, SUM, PART; finite */
    fl_point_part part; /* PART */
    double param;       /* PART */
    uint64_t count;     /* histograms and SUMMARY */
    double sum;         /* same; NaN where absent */
    double min, max;    /* histograms; NaN where absent */
    /* HISTOGRAM: counts has bound_count + 1 items (or both are 0). SUMMARY: bounds are quantiles in
     * [0,1] and `values` their values, bound_count of each. EXP_HISTOGRAM: bucket i of `counts`
     * covers (base^(offset+i), base^(offset+i+1)], base = 2^(2^-scale); negative values are only
     * in count and sum. */
    const double *bounds;
    const double *values;
    size_t bound_count;
    const uint64_t *counts;
    size_t bucket_count;
    int32_t scale, offset;
    uint64_t zero_count;
    fl_attrs attrs;
} fl_point;

typedef enum fl_change_kind {
    FL_CHANGE_DEPLOY,
    FL_CHANGE_CONFIG,
    FL_CHANGE_FLAG,
    FL_CHANGE_MERGE_REQUEST,
    FL_CHANGE_KIND_COUNT
} fl_change_kind;

/* Something that people or their machines changed on purpose. What is not known is empty. */
typedef struct fl_change_record {
    int64_t time_ns;
    fl_change_kind kind;
    fl_slice service;       /* empty: everything */
    fl_slice key;           /* of a configuration, or a flag's name */
    fl_slice before, after; /* values, or versions */
    fl_slice source;        /* who tells it */
    fl_slice url;
} fl_change_record;

/* A rule that fired, as Alertmanager tells it. What is not known is empty. */
typedef struct fl_alert_record {
    uint64_t fingerprint;       /* of the labels: the same alert has the same */
    int64_t starts_ns, ends_ns; /* ends 0: not known, or not over */
    bool is_resolved;
    fl_slice name; /* of the rule */
    fl_slice severity, summary, url;
    fl_slice service, instance, node; /* as the labels say */
    fl_attrs labels;                  /* all of them */
} fl_alert_record;

/* A record that could not be read, and cost only itself. */
typedef struct fl_reject {
    const char *source; /* path or endpoint */
    uint64_t line;      /* from 1; 0 where the format has no lines */
    uint64_t offset;    /* byte offset in the decompressed input */
    const char *reason; /* one sentence */
    uint64_t records;   /* how many were lost with it, as far as that can be known; at least 1 */
} fl_reject;

/* Where records go. A status other than FL_OK ends the decoding and becomes its result. */
typedef struct fl_sink {
    void *payload;
    /* Announce a resource; the handle it returns comes with each of its records. */
    fl_status (*resource)(void *payload, const fl_resource *resource, uint32_t *handle,
                          fl_error *err);
    fl_status (*span)(void *payload, uint32_t resource, const fl_span *span, fl_error *err);
    fl_status (*log)(void *payload, uint32_t resource, const fl_log *log, fl_error *err);
    fl_status (*point)(void *payload, uint32_t resource, const fl_point *point, fl_error *err);
    /* Of those decoders that read changes; NULL for all others. */
    fl_status (*change)(void *payload, const fl_change_record *change, fl_error *err);
    /* The same of alerts. */
    fl_status (*alert)(void *payload, const fl_alert_record *alert, fl_error *err);
    /* FL_OK: go on without that record. */
    fl_status (*reject)(void *payload, const fl_reject *reject, fl_error *err);
} fl_sink;

#ifdef __cplusplus
}
#endif

#endif
