/*
 * lbf.h - log Bayes factors (nats) for "the incident's windows do not come from the process that
 * made the baseline's windows". Above 3 nats (20:1) a difference is called real (Jeffreys 1961
 * calls that strong).
 *
 * Windows are exchangeable under the null. The null is over-dispersed (counts) or heavy-tailed
 * (values), so that load that merely wanders is no evidence; the alternative is diffuse; and the
 * span of the change is unknown: every run of the incident's windows may be it, with equal prior.
 */
#ifndef FL_LBF_H
#define FL_LBF_H

#include <stdbool.h>

#include "arena.h"

/* The gate: 20:1. */
#define FL_LBF_REAL 3.0

/*
 * Counts of `outcome_count` outcomes in each window, window-major: counts[w * outcome_count + b].
 * Null: Dirichlet-multinomial around the pooled baseline (Minka 2000), its precision averaged over
 * a grid weighted by how well each point predicts each baseline window from the others.
 * Alternative: a uniform Dirichlet.
 */
typedef struct fl_lbf_counts {
    size_t outcome_count;
    const double *baseline;
    size_t baseline_count; /* windows, at least 1 */
    const double *incident;
    size_t incident_count;
} fl_lbf_counts;

typedef struct fl_lbf_result {
    double lbf;        /* nats */
    size_t onset, end; /* the likeliest changed incident windows, [onset, end) */
} fl_lbf_result;

/* `scratch` is reset by the caller. FL_E_NOMEM where it is exhausted. */
FL_NODISCARD fl_status fl_lbf_counts_test(fl_lbf_result *out, const fl_lbf_counts *in,
                                          fl_arena *scratch, fl_error *err);

/*
 * One value per window (NaN: none). Null: Student t with 4 degrees of freedom around the baseline's
 * median, its scale pooled between this series' MAD and `prior_scale` (the fleet's, see
 * fl_fleet_scale) and never below a floor. Alternative: a shift with a Cauchy prior of a factor
 * of ten. Only rises are evidence when `rises_only`; falls then count as min(lbf, 0).
 */
typedef struct fl_lbf_values {
    const double *baseline;
    size_t baseline_count;
    const double *incident;
    size_t incident_count;
    double prior_scale;
    bool rises_only;
} fl_lbf_values;

typedef struct fl_lbf_shift {
    double lbf;
    size_t onset, end;     /* the likeliest changed windows, [onset, end) */
    double center, sigma;  /* of the null */
    double shift;          /* of the median within them */
    size_t baseline_count; /* values that were there */
} fl_lbf_shift;

/* Where either side has no value, *out is zeroed: no evidence. `scratch` as above. */
FL_NODISCARD fl_status fl_lbf_values_test(fl_lbf_shift *out, const fl_lbf_values *in,
                                          fl_arena *scratch, fl_error *err);

/* A single value that lies less than this above the median is never beyond the gate: with the least
 * scale that there is it takes 1.23, with a larger one more. */
#define FL_LBF_LEAST_RISE 1.0

/* Make NaN what is a real rise over the whole of a history. `scratch` as above. */
FL_NODISCARD fl_status fl_lbf_drop_rises(double *history, size_t count, double prior_scale,
                                         fl_arena *scratch, fl_error *err);
/* The same in order, each value over those before it, of which at least three must be there: a rise
 * that the past does not explain is not learnt. */
FL_NODISCARD fl_status fl_lbf_learn(double *history, size_t count, double prior_scale,
                                    fl_arena *scratch, fl_error *err);

/* Something that was there in `present` windows of the baseline and not in `absent`, and is in none
 * of `missing` windows now. Presence is over-dispersed: the history counts as at most 32 windows.
 */
double fl_lbf_vanished(size_t present, size_t absent, size_t missing);

/* Scale of one kind of series over the whole fleet: the largest of three quantiles of the absolute
 * deviations from each series' own median, each divided by what it is for a normal distribution.
 * Fewer than 6 deviations: `fallback`. Reorders `deviations`. */
double fl_fleet_scale(double *deviations, size_t count, double fallback);

/* Median; reorders `values`. NaN where count is 0. */
double fl_median(double *values, size_t count);
/* log(sum(exp(x))) without overflow. -INFINITY where count is 0. */
double fl_log_sum_exp(const double *x, size_t count);
/* log(Gamma(x)) for x > 0; unlike libm's lgamma it writes no global. */
double fl_log_gamma(double x);
/* Log density of Student's t at z. */
double fl_log_student(double z, double degrees);

#endif
