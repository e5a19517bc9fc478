/*
 * metric_types.h - what senders told of their metrics' types, shared by the readers of all threads.
 *
 * Prometheus sends metadata in requests of their own, about once a minute, and each request meets
 * another reader. Whether a series is a counter must not depend on that: what one reader was told,
 * all are told before their next request.
 */
#ifndef FL_METRIC_TYPES_H
#define FL_METRIC_TYPES_H

#include "prometheus.h"

typedef struct fl_metric_types fl_metric_types; /* any thread */
typedef uint64_t fl_metric_types_seen;          /* of one reader; 0: nothing yet */

/* FL_E_NOMEM. The caller owns *out. */
FL_NODISCARD fl_status fl_metric_types_create(fl_metric_types **out, fl_error *err);
void fl_metric_types_destroy(fl_metric_types *types); /* NULL is a no-op */
/* A fl_prometheus_told of a reader. Over FL_MAX_METRICS families and for want of memory it is
 * forgotten: sent again in a minute. */
void fl_metric_types_told(void *types, const fl_prometheus_family *family);
/* Tell the reader what is new since it was last told. Without a lock where nothing is. */
FL_NODISCARD fl_status fl_metric_types_catch_up(fl_metric_types *types, fl_metric_types_seen *seen,
                                                fl_prometheus *reader, fl_error *err);

#endif
