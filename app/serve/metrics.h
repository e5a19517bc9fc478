/*
 * metrics.h - figures in Prometheus' text format 0.0.4.
 *
 *   # HELP name sentence
 *   # TYPE name counter
 *   name{label="value"} 42
 *
 * A family is begun once and its samples follow at once. Names of counters end in _total, units are
 * seconds and bytes.
 */
#ifndef FL_METRICS_H
#define FL_METRICS_H

#include "buf.h"

/* The type of what /metrics answers. */
#define FL_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

typedef struct fl_metrics {
    fl_buf *out;
    const char *name; /* of the family that was begun */
} fl_metrics;

typedef struct fl_metrics_label {
    const char *name, *value;
} fl_metrics_label;

/* `help` is a sentence without a full stop. */
void fl_metrics_counter(fl_metrics *m, const char *name, const char *help);
void fl_metrics_gauge(fl_metrics *m, const char *name, const char *help);
/* One sample of the family: a whole number. `label` NULL: none. */
void fl_metrics_count(fl_metrics *m, const char *label, const char *value, uint64_t count);
/* The same with a second label. */
void fl_metrics_count_of(fl_metrics *m, const fl_metrics_label labels[2], uint64_t count);
void fl_metrics_number(fl_metrics *m, const char *label, const char *value, double number);
/* A family of one sample without labels. */
void fl_metrics_one_counter(fl_metrics *m, const char *name, const char *help, uint64_t count);
void fl_metrics_one_gauge(fl_metrics *m, const char *name, const char *help, double number);

#endif
