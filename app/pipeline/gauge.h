/*
 * gauge.h - numbers out of profiles, logs and recordings as the points of a metric.
 */
#ifndef FL_GAUGE_H
#define FL_GAUGE_H

#include <math.h>

#include "faultline/record.h"

/* As if the service had reported it itself: a window shows the mean of such numbers. Borrows both
 * texts. */
static inline fl_point fl_gauge_of(fl_slice metric, fl_slice unit, int64_t time_ns, double value)
{
    return (fl_point){.metric = metric,
                      .unit = unit,
                      .kind = FL_POINT_GAUGE,
                      .time_ns = time_ns,
                      .value = value,
                      .sum = NAN,
                      .min = NAN,
                      .max = NAN};
}

#endif
