/*
 * prometheus_priv.h - what the readers of Prometheus' formats share: from labels to a series, from
 * a value to a point.
 *
 * Invariants: the labels of the series in hand are borrowed from the payload or from `text`, which
 * is reset with each series; `point` is filled but for time and value.
 */
#ifndef FL_PROMETHEUS_PRIV_H
#define FL_PROMETHEUS_PRIV_H

#include "arena.h"
#include "intern.h"
#include "labels.h"
#include "prometheus.h"

/* As MetricMetadata numbers them. */
typedef enum prometheus_type {
    TYPE_UNKNOWN,
    TYPE_COUNTER,
    TYPE_GAUGE,
    TYPE_HISTOGRAM,
    TYPE_GAUGE_HISTOGRAM,
    TYPE_SUMMARY,
    TYPE_INFO,
    TYPE_STATE_SET,
    TYPE_COUNT
} prometheus_type;

struct prometheus_family {
    prometheus_type type;
    fl_sym unit; /* in the same table of texts */
};

struct fl_prometheus {
    fl_sink sink;
    fl_intake to;
    fl_slice default_name;
    fl_prometheus_counts counts;
    uint64_t rejects;
    fl_labels labels;
    fl_intern *texts;                   /* names of families, and units */
    struct prometheus_family *families; /* by symbol; family_count of them */
    size_t family_count;
    fl_prometheus_told *told; /* may be NULL */
    void *told_payload;
    fl_arena text, body; /* of a series; of a payload */
    uint32_t resource;
    /* Of the series before, where its texts lie in the same payload: series of one target follow
     * each other, and one announcement is enough for them. */
    fl_attr who[FL_WHO_LABELS];
    size_t who_count;
    bool has_who, keeps_texts; /* the latter: of the payload in hand, texts are not copied */
    fl_point point;
    bool is_skipped; /* the series in hand is of a kind that is passed over */
};

/* Note what a family is. Over the budget it is forgotten: its series are told by their names. */
FL_NODISCARD fl_status fl_prometheus_note(fl_prometheus *p, fl_slice family, prometheus_type type,
                                          fl_slice unit, fl_error *err);
/* The series that p->labels name: who, which metric, which kind. NULL, or why there is none. */
FL_NODISCARD fl_status fl_prometheus_begin(fl_prometheus *p, const char **complaint, fl_error *err);
/* A value of the series in hand. */
FL_NODISCARD fl_status fl_prometheus_sample(fl_prometheus *p, int64_t time_ns, double value,
                                            fl_error *err);
bool fl_prometheus_type_parse(prometheus_type *out, fl_slice word);

#endif
