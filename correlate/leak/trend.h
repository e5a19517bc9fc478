/*
 * trend.h - does a short, noisy series grow, and how: its slope with an interval, tests that need
 * no distribution, and the shape that explains it best.
 *
 * The method, its formulas and what they were measured on: docs/leaks-method.md.
 */
#ifndef FL_LEAK_TREND_H
#define FL_LEAK_TREND_H

#include <stdbool.h>

#include "arena.h"

typedef enum fl_leak_shape {
    FL_SHAPE_UNCLEAR,  /* too few points, or models that explain it alike */
    FL_SHAPE_FLAT,     /* no trend beyond the noise */
    FL_SHAPE_GROWING,  /* rises, and still does in its second half */
    FL_SHAPE_BOUNDED,  /* rose and then stayed: warm-up, a cache that filled */
    FL_SHAPE_STEP,     /* one jump between two levels */
    FL_SHAPE_SAWTOOTH, /* falls back again and again, without a drift beyond that */
    FL_SHAPE_FALLING
} fl_leak_shape;
enum { FL_SHAPE_COUNT = FL_SHAPE_FALLING + 1 };

/* "growing", "bounded" ...: the words of the feature `shape`. */
const char *fl_leak_shape_name(fl_leak_shape shape);

/* Points in rising time, no two at one time. `error` is the standard error of each value alone,
 * `made` a counter of all that ever came, in the unit of the values (NULL: not known; then each
 * value errs on its own). */
typedef struct fl_series {
    const double *time_s;
    const double *value;
    const double *error;
    size_t count;
    const double *made;
    double quantum; /* one sampled object stands for this much; 0: values are exact */
} fl_series;

typedef struct fl_trend {
    size_t count;
    fl_leak_shape shape;
    double slope, low, high; /* by the second: Theil and Sen's, with its 95 % interval */
    double slope_error;      /* one standard error */
    double growth_z;         /* slope over slope_error */
    double mann_kendall_z;   /* corrected for ties and for autocorrelation */
    double level_z;          /* the last value against all before it: mean and deviation */
    double first, last;      /* levels: of the line where it grows, else of the ends' medians */
    double late_share;       /* slope of the last half over slope */
    double late_z;           /* that slope over its error */
    double step_share;       /* largest single rise over the whole rise */
    double jump_share;       /* the same of two neighbouring ones: a step caught half way */
    double fall_share;       /* largest fall from a maximum before it, over the maximum */
    double slow_z;           /* errors by which a later part rose by less than half of what the part
                              * before it promised; 0: none did */
    double keep_slow_z;      /* the same for each unit that was made, where that is known */
    size_t knot;             /* bounded, step: the first point of the later level */
} fl_trend;

enum { FL_TREND_MIN_POINTS = 3, FL_TREND_MAX_POINTS = 512 };

/* Below FL_TREND_MIN_POINTS only first and last are set, the rest is NaN and unclear. `scratch` is
 * reset by the caller. FL_E_NOMEM where it is exhausted. */
FL_NODISCARD fl_status fl_trend_of(fl_trend *out, const fl_series *series, fl_arena *scratch,
                                   fl_error *err);

/* Variance of value[to] - value[from], of which from < to: what came and what went between them
 * where `made` is known, else both values' errors. */
double fl_pair_variance(const fl_series *series, size_t from, size_t to);

/* Two-sided 95 % quantile of Student's t. `degrees` at least 1. */
double fl_student_975(size_t degrees);

/*
 * Standard error of a sampled profile's estimate of `bytes` in `objects` blocks of one size, where
 * one sample is taken each `rate` bytes on average: N S^2 (1-p)/p with p = 1 - exp(-S/rate), which
 * tends to bytes * rate for small blocks and to 0 for large ones. Returns the variance. A rate of
 * up to 1 is exact.
 */
double fl_sampling_variance(double objects, double bytes, double rate);

#endif
