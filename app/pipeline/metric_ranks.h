/*
 * metric_ranks.h - in which order metrics are asked for, by what they measure (ingest/timeline's
 * roles): errors and latency first, then saturation, traffic, and at the end what has no role.
 */
#ifndef FL_METRIC_RANKS_H
#define FL_METRIC_RANKS_H

#include "faultline/record.h"

typedef struct fl_ranked_metrics fl_ranked_metrics;

/* The built-in rules, behind those of a file where `roles` is not NULL. As of roles.h. */
FL_NODISCARD fl_status fl_ranked_metrics_create(fl_ranked_metrics **out, const char *roles,
                                                fl_error *err);
void fl_ranked_metrics_destroy(fl_ranked_metrics *ranked); /* NULL is a no-op */
/* What fl_metric_ranks of ingest/sources wants; `payload` is the fl_ranked_metrics. */
int fl_ranked_metrics_rank(void *payload, fl_slice metric, bool *is_host);

#endif
