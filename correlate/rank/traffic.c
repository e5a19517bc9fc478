/*
 * traffic.c - calls that are no longer made, told by metrics alone. The traffic of a service fell
 * though its caller's did not: the caller's code goes another way, or fails before it calls.
 *
 * Who calls whom is told by --topology. Else each service is as probably the caller beforehand, and
 * what speaks for one is how well its traffic foretold the other's in the baseline: the likelihood
 * of ln(x / y) under Student's t. The evidence is the fall of x / y, so that less load is none.
 * Cost: windows x services for each service whose traffic fell.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "rank_priv.h"

#define LEAST_SCALE 0.05 /* what one request in twenty more or less does */
enum { LEAST_WINDOWS = 5, STUDENT_DEGREES = 4, SCALE_ROUNDS = 20 };

struct traffic {
    struct rank *r;
    uint32_t *series; /* per service; FL_NO_INDEX: not measured */
    double *least;    /* per service: the smallest number above zero, at most one request */
    double *usual;    /* per service: the median of the baseline, in least ones */
    double *history, *now;
    double *likelihood; /* per service as the caller */
    fl_lbf_shift *tests;
};

/* Half of the least number keeps none apart from one, as Jeffreys' prior of a rate does. */
static double log_requests(const struct traffic *x, uint32_t service, uint32_t window)
{
    assert(x->least[service] > 0);
    double value = x->r->timeline->metrics[x->series[service]].values[window];
    return isnan(value) ? NAN : log(fmax(value, 0) + x->least[service] / 2);
}

/* How finely a series counts, and how much of that is usual. */
static void measure(struct traffic *x, uint32_t service)
{
    assert(x->series[service] != FL_NO_INDEX);
    const struct sides *m = &x->r->metrics;
    const double *values = x->r->timeline->metrics[x->series[service]].values;
    double least = INFINITY;
    size_t kept = 0;
    for (size_t i = 0; i < m->baseline_count; i++) {
        double value = values[m->baseline[i]];
        least = value > 0 ? fmin(least, value) : least;
        if (!isnan(value))
            x->history[kept++] = value;
    }
    x->least[service] = isinf(least) ? 1 : least;
    x->usual[service] = fl_median(x->history, kept) / x->least[service];
}

/* ln(y / x), or -ln(x) without a caller: a fall of the callee's traffic is a rise. */
static double *lacking(const struct traffic *x, uint32_t callee, uint32_t caller, double *out,
                       const uint32_t *windows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double all = caller != FL_NO_INDEX ? log_requests(x, caller, windows[i]) : 0;
        out[i] = all - log_requests(x, callee, windows[i]);
    }
    return out;
}

/* Calls that are made now and then, such as by jobs, are missing often: what k of n windows of the
 * baseline showed has a probability of about (k + 1) / (n + 1) in each window. */
static double most_surprise(const fl_lbf_shift *test, const double *history, size_t count)
{
    assert(test->end >= test->onset);
    double as_much = 0, all = 0, level = test->center + test->shift;
    for (size_t i = 0; i < count; i++) {
        all += !isnan(history[i]);
        as_much += !isnan(history[i]) && history[i] >= level;
    }
    return as_much > 0 ? (double)(test->end - test->onset) * log((all + 1) / (as_much + 1))
                       : INFINITY;
}

/* The evidence that calls are lacking, for one caller's share of them or in all. */
static fl_status test_fall(fl_lbf_shift *out, struct traffic *x, uint32_t callee, uint32_t caller,
                           fl_error *err)
{
    const struct sides *m = &x->r->metrics;
    fl_arena_reset(&x->r->scratch);
    fl_lbf_values test = {
        .baseline = lacking(x, callee, caller, x->history, m->baseline, m->baseline_count),
        .baseline_count = m->baseline_count,
        .incident = lacking(x, callee, caller, x->now, m->incident, m->incident_count),
        .incident_count = m->incident_count,
        .prior_scale = 1 / sqrt(x->usual[callee] + 0.5), /* Poisson's */
        .rises_only = true};
    fl_status status = fl_lbf_values_test(out, &test, &x->r->scratch, err);
    if (status == FL_OK)
        out->lbf = fmin(out->lbf, most_surprise(out, x->history, m->baseline_count));
    return status;
}

/* How well the caller's traffic foretells the callee's: the log likelihood of their ratio over the
 * baseline under Student's t, its scale being the likeliest (Dempster, Laird and Rubin 1977), so
 * that a few windows that stand out do not decide. */
static double log_likelihood(struct traffic *x, uint32_t callee, uint32_t caller, size_t *count)
{
    const struct sides *m = &x->r->metrics;
    size_t kept = 0;
    lacking(x, callee, caller, x->history, m->baseline, m->baseline_count);
    for (size_t i = 0; i < m->baseline_count; i++)
        if (!isnan(x->history[i]))
            x->history[kept++] = x->history[i];
    double median = fl_median(x->history, kept), scale = 1, result = 0;
    for (int round = 0; round < SCALE_ROUNDS && kept > 0; round++) {
        double sum = 0;
        for (size_t i = 0; i < kept; i++) {
            double z = (x->history[i] - median) / scale;
            sum += (STUDENT_DEGREES + 1) / (STUDENT_DEGREES + z * z) * z * z * scale * scale;
        }
        scale = fmax(sqrt(sum / (double)kept), LEAST_SCALE);
    }
    for (size_t i = 0; i < kept; i++)
        result += fl_log_student((x->history[i] - median) / scale, STUDENT_DEGREES) - log(scale);
    *count = kept;
    return result;
}

/* Measured, and not ruled out by the given call graph. */
static bool may_call(const struct traffic *x, uint32_t caller, uint32_t callee)
{
    const fl_timeline *t = x->r->timeline;
    bool found = t->topology_count == 0;
    for (size_t e = 0; e < t->topology_count && !found; e++)
        found = t->topology[e].caller == caller && t->topology[e].callee == callee;
    return found && caller != callee && x->series[caller] != FL_NO_INDEX;
}

/* The callee's traffic is the evidence against the caller. */
static fl_status add_caller(struct traffic *x, uint32_t caller, uint32_t callee, double score,
                            fl_error *err)
{
    struct rank *r = x->r;
    const struct sides *m = &r->metrics;
    uint32_t series = x->series[callee];
    assert(series != FL_NO_INDEX && score > 0);
    const fl_lbf_shift *test = &x->tests[caller];
    struct candidate c = {.service = caller,
                          .cause = FL_CAUSE_CODE_PATH,
                          .locus = FL_LOCUS_EDGE,
                          .locus_name =
                              fl_arena_printf(r->arena, "%s -> %s", r->timeline->services[caller],
                                              r->timeline->services[callee]),
                          .score = score,
                          .order = 5};
    if (c.locus_name == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the names of calls");
    r->metric_results[series] = (struct metric_result){
        .test = *test,
        .before = fl_rank_median(r, series, m->baseline, m->baseline_count),
        .after = fl_rank_median(r, series, m->incident + test->onset, test->end - test->onset)};
    fl_rank_add_part(&c, PART_METRIC, series, score);
    return fl_rank_add(r, &c, err);
}

/* Each possible caller's evidence, times the probability that it is the one that calls. */
static fl_status find_callers(struct traffic *x, uint32_t callee, fl_error *err)
{
    size_t services = x->r->timeline->service_count;
    fl_status status = FL_OK;
    for (uint32_t s = 0; s < services && status == FL_OK; s++) {
        size_t count = 0;
        x->likelihood[s] = -INFINITY;
        if (!may_call(x, s, callee))
            continue;
        double likelihood = log_likelihood(x, callee, s, &count);
        if (count >= LEAST_WINDOWS) {
            x->likelihood[s] = likelihood;
            status = test_fall(&x->tests[s], x, callee, s, err);
        }
    }
    double total = fl_log_sum_exp(x->likelihood, services);
    for (uint32_t s = 0; s < services && status == FL_OK; s++) {
        double score = x->tests[s].lbf + x->likelihood[s] - total;
        if (!isinf(x->likelihood[s]) && score > 0)
            status = add_caller(x, s, callee, score, err);
    }
    return status;
}

fl_status fl_rank_traffic(struct rank *r, fl_error *err)
{
    struct traffic x = {.r = r};
    size_t services = r->timeline->service_count;
    if (r->traces.incident_count > 0 || r->metrics.baseline_count < LEAST_WINDOWS ||
        r->metrics.incident_count == 0)
        return FL_OK;
    fl_status status = FL_RANK_NEW(r->arena, x.series, services, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.least, services, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.usual, services, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.likelihood, services, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.tests, services, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.history, r->metrics.baseline_count, "windows", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.now, r->metrics.incident_count, "windows", err);
    for (uint32_t s = 0; s < services && status == FL_OK; s++)
        x.series[s] = fl_rank_choose_series(r, s, FL_ROLE_TRAFFIC);
    for (uint32_t s = 0; s < services && status == FL_OK; s++)
        if (x.series[s] != FL_NO_INDEX)
            measure(&x, s);
    for (uint32_t s = 0; s < services && status == FL_OK; s++) {
        fl_lbf_shift fell = {0};
        if (x.series[s] != FL_NO_INDEX && x.usual[s] > 0)
            status = test_fall(&fell, &x, s, FL_NO_INDEX, err);
        if (status == FL_OK && fell.lbf > 0)
            status = find_callers(&x, s, err);
    }
    return status;
}
