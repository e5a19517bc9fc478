/*
 * lbf.c - the two tests. Cost: grid points x windows x outcomes evaluations of log-gamma, and a
 * sort of each series.
 */
#include "lbf.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "sort.h"

#define PI          3.14159265358979323846
#define LN_PI       1.14472988584940017414
#define LN_SQRT_2PI 0.91893853320467274178
#define LN_3_8      -0.98082925301172623686

enum { GRID_COUNT = 4 };

/* The null's precision s (how many pseudo-events a context's mix is worth) and its smoothing a.
 * s is at least 8: with less, a context that always went one way and now always goes another
 * could never reach the gate. Two points each bracket what healthy contexts show; their weights
 * are learnt from the baseline. */
static const struct {
    double s, a;
} grid[GRID_COUNT] = {{8, 0.5}, {8, 0.02}, {128, 0.5}, {128, 0.02}};

enum { STUDENT_DEGREES = 4 };     /* the null's tails; also the fleet scale's weight in samples */
#define SCALE_FLOOR     0.2       /* a change of 20 % is never beyond noise by its size alone */
#define SHIFT_SCALE     2.3025851 /* ln 10: the alternative expects changes of a factor of ten */
#define NORMAL_QUANTILE 0.6744898 /* of |x|, median, standard normal */

/* Stirling's series with the argument shifted to at least 8 (Abramowitz and Stegun 6.1.15, 6.1.41);
 * error below 1e-13, relative where the value is above 1. libm's lgamma writes a global and is
 * three times slower. */
double fl_log_gamma(double x)
{
    assert(x > 0);
    double shift = 1.0;
    while (x < 8.0) {
        shift *= x;
        x += 1.0;
    }
    double r = 1.0 / x, r2 = r * r;
    double series =
        r *
        (1.0 / 12 -
         r2 * (1.0 / 360 -
               r2 * (1.0 / 1260 - r2 * (1.0 / 1680 - r2 * (1.0 / 1188 - r2 * (691.0 / 360360))))));
    return (x - 0.5) * log(x) - x + LN_SQRT_2PI + series - log(shift);
}

double fl_log_sum_exp(const double *x, size_t count)
{
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++)
        top = fmax(top, x[i]);
    if (isinf(top))
        return top;
    for (size_t i = 0; i < count; i++)
        sum += exp(x[i] - top);
    return top + log(sum);
}

double fl_log_student(double z, double degrees)
{
    assert(degrees > 0);
    return fl_log_gamma((degrees + 1) / 2) - fl_log_gamma(degrees / 2) - 0.5 * log(degrees * PI) -
           (degrees + 1) / 2 * log1p(z * z / degrees);
}

/* The same for 1 degree (Cauchy's) and for 4, in closed form. */
static double log_student_1(double z)
{
    return -LN_PI - log1p(z * z);
}

static double log_student_4(double z)
{
    return LN_3_8 - 2.5 * log1p(z * z / 4);
}

double fl_median(double *values, size_t count)
{
    if (count == 0)
        return NAN;
    double upper = fl_select(values, count, count / 2);
    if (count % 2 == 1)
        return upper;
    double lower = values[0];
    for (size_t i = 1; i < count / 2; i++)
        lower = values[i] > lower ? values[i] : lower;
    return (lower + upper) / 2;
}

double fl_fleet_scale(double *deviations, size_t count, double fallback)
{
    static const struct {
        double share, normal;
    } at[] = {{0.5, NORMAL_QUANTILE}, {0.75, 1.1503494}, {0.9, 1.6448536}};
    if (count < 6)
        return fallback;
    double scale = 0;
    size_t from = 0;
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        size_t nth = (size_t)(at[i].share * (double)(count - 1));
        scale = fmax(scale, fl_select(deviations + from, count - from, nth - from) / at[i].normal);
        from = nth; /* nothing before it is larger */
    }
    return scale;
}

/* ---- counts ---- */

/* ln of Gamma(alpha + x) / Gamma(alpha), which for small whole x is a product of x terms. */
static double log_rising(double alpha, double x)
{
    enum { MOST_TERMS = 16 };
    assert(alpha > 0 && x >= 0);
    if (x > MOST_TERMS || x != floor(x))
        return fl_log_gamma(alpha + x) - fl_log_gamma(alpha);
    double product = 1;
    for (double term = alpha; x > 0; term += 1, x -= 1)
        product *= term;
    return log(product);
}

static double row_sum(const double *row, size_t count)
{
    double sum = 0;
    for (size_t b = 0; b < count; b++)
        sum += row[b];
    return sum;
}

/* Adds to out[] what a Dirichlet-multinomial around `pooled` minus `left_out` says of the counts
 * `x`, for each point of the grid. There is one more outcome than are listed, the one that was
 * never seen; it has no counts. */
static void log_predict(double out[GRID_COUNT], const double *pooled, const double *left_out,
                        const double *x, size_t outcomes)
{
    double total = row_sum(x, outcomes), k = (double)outcomes + 1;
    if (total == 0)
        return;
    double seen = row_sum(pooled, outcomes) - (left_out != NULL ? row_sum(left_out, outcomes) : 0);
    double precision[GRID_COUNT];
    for (size_t j = 0; j < GRID_COUNT; j++) {
        precision[j] = 1 / (1 / grid[j].s + 1 / (seen + grid[j].a));
        out[j] -= log_rising(precision[j], total);
    }
    for (size_t b = 0; b < outcomes; b++) {
        if (x[b] == 0)
            continue;
        double count = pooled[b] - (left_out != NULL ? left_out[b] : 0);
        for (size_t j = 0; j < GRID_COUNT; j++)
            out[j] += log_rising(precision[j] * (count + grid[j].a / k) / (seen + grid[j].a), x[b]);
    }
}

/* The same under a uniform Dirichlet. */
static double log_diffuse(const double *x, size_t outcomes)
{
    double k = (double)outcomes + 1;
    double result = -log_rising(k, row_sum(x, outcomes));
    for (size_t b = 0; b < outcomes; b++)
        if (x[b] > 1)
            result += log_rising(1, x[b]);
    return result;
}

static void weigh_grid(double weight[GRID_COUNT], const fl_lbf_counts *in, const double *pooled)
{
    memset(weight, 0, GRID_COUNT * sizeof(*weight));
    for (size_t w = 0; w < in->baseline_count && in->baseline_count >= 2; w++) {
        const double *row = in->baseline + w * in->outcome_count;
        log_predict(weight, pooled, row, row, in->outcome_count);
    }
    double total = fl_log_sum_exp(weight, GRID_COUNT);
    for (size_t j = 0; j < GRID_COUNT; j++)
        weight[j] -= total;
}

/* Averages over the unknown span of the change: each run of windows may be the changed one, with
 * equal prior. */
struct spans {
    double sum; /* of exp(lbf - best) so far */
    double best;
    size_t count, onset, end; /* of the best */
};

static void add_span(struct spans *s, size_t onset, size_t end, double lbf)
{
    assert(end > onset);
    if (s->count++ == 0 || lbf > s->best) {
        s->sum = s->count == 1 ? 1 : s->sum * exp(s->best - lbf) + 1;
        s->best = lbf;
        s->onset = onset;
        s->end = end;
    } else {
        s->sum += exp(lbf - s->best);
    }
}

static double average(const struct spans *s)
{
    assert(s->count > 0);
    return s->best + log(s->sum / (double)s->count);
}

fl_status fl_lbf_counts_test(fl_lbf_result *out, const fl_lbf_counts *in, fl_arena *scratch,
                             fl_error *err)
{
    assert(in->baseline_count > 0 && in->incident_count > 0 && in->outcome_count > 0);
    size_t outcomes = in->outcome_count;
    double *pooled = fl_arena_alloc(scratch, outcomes, 2 * sizeof(*pooled));
    double *null = fl_arena_alloc(scratch, in->incident_count, sizeof(*null));
    if (pooled == NULL || null == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to compare %zu outcomes",
                       outcomes);
    double *run = pooled + outcomes, weight[GRID_COUNT];
    for (size_t w = 0; w < in->baseline_count; w++)
        for (size_t b = 0; b < outcomes; b++)
            pooled[b] += in->baseline[w * outcomes + b];
    weigh_grid(weight, in, pooled);

    for (size_t w = 0; w < in->incident_count; w++) {
        const double *row = in->incident + w * outcomes;
        double each[GRID_COUNT];
        memcpy(each, weight, sizeof(each));
        log_predict(each, pooled, NULL, row, outcomes);
        null[w] = row_sum(row, outcomes) > 0 ? fl_log_sum_exp(each, GRID_COUNT) : 0;
    }
    struct spans spans = {0};
    for (size_t onset = 0; onset < in->incident_count; onset++) {
        double usual = 0;
        memset(run, 0, outcomes * sizeof(*run));
        for (size_t w = onset; w < in->incident_count; w++) {
            usual += null[w];
            for (size_t b = 0; b < outcomes; b++)
                run[b] += in->incident[w * outcomes + b];
            add_span(&spans, onset, w + 1, log_diffuse(run, outcomes) - usual);
        }
    }
    *out = (fl_lbf_result){.lbf = average(&spans), .onset = spans.onset, .end = spans.end};
    return FL_OK;
}

double fl_lbf_vanished(size_t present, size_t absent, size_t missing)
{
    assert(missing > 0);
    const double smoothing = 0.06, most_windows = 32;
    double seen = (double)(present + absent) + 2 * smoothing, m = (double)missing;
    double precision = 1 / (1 / most_windows + 1 / seen);
    double alpha = precision * ((double)absent + smoothing) / seen;
    double null = fl_log_gamma(precision) - fl_log_gamma(precision + m) + fl_log_gamma(alpha + m) -
                  fl_log_gamma(alpha);
    return -log(m + 1) - null; /* a uniform prior gives m misses in a row 1 / (m + 1) */
}

/* ---- values ---- */

static size_t without_nan(double *out, const double *in, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(in[i]))
            out[kept++] = in[i];
    return kept;
}

/* The null's scale, from the median deviation of so many values. */
static void set_scale(fl_lbf_shift *out, double deviation, size_t count, double prior_scale)
{
    double n = (double)count, scale = count > 1 ? deviation / NORMAL_QUANTILE : prior_scale;
    double pooled = (STUDENT_DEGREES * prior_scale * prior_scale + (n - 1) * scale * scale) /
                    (STUDENT_DEGREES + n - 1);
    out->sigma = sqrt(pooled * (1 + 1 / n) + SCALE_FLOOR * SCALE_FLOOR);
    out->baseline_count = count;
}

/* Reorders the history. */
static void fit_null(fl_lbf_shift *out, double *history, size_t count, double prior_scale)
{
    out->center = fl_median(history, count);
    for (size_t i = 0; i < count; i++)
        history[i] = fabs(history[i] - out->center);
    set_scale(out, fl_median(history, count), count, prior_scale);
}

/* The null's log densities of values. */
static void log_null(double *out, const fl_lbf_shift *null, const double *y, size_t count)
{
    double log_sigma = log(null->sigma);
    for (size_t i = 0; i < count; i++)
        out[i] = log_student_4((y[i] - null->center) / null->sigma) - log_sigma;
}

/* How much better a shift explains the values `y` than the null does, whose densities are `usual`.
 */
static double log_shift(const fl_lbf_shift *null, const double *y, const double *usual,
                        size_t count, double shift)
{
    assert(null->sigma > 0 && count > 0);
    double spread = hypot(SHIFT_SCALE, null->sigma), log_sigma = log(null->sigma);
    double result = log_student_1(shift / spread) - log(spread);
    if (count == 1)
        return result - usual[0];
    for (size_t i = 0; i < count; i++) {
        result -= usual[i];
        result += log_student_4((y[i] - null->center - shift) / null->sigma) - log_sigma;
    }
    /* Laplace's approximation of the integral over the shift */
    return result + log_sigma + LN_SQRT_2PI - 0.5 * log((double)count);
}

/* sorted[0..count) takes one more, behind its equals. */
static void insert_sorted(double *sorted, size_t count, double value)
{
    size_t from = 0, to = count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (sorted[middle] > value)
            to = middle;
        else
            from = middle + 1;
    }
    memmove(sorted + from + 1, sorted + from, (count - from) * sizeof(*sorted));
    sorted[from] = value;
}

static double middle_of(const double *sorted, size_t count)
{
    assert(count > 0);
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

/* The window of the n-th value that is there. */
static size_t window_of(const double *values, size_t nth)
{
    size_t at = 0;
    for (;; at++)
        if (!isnan(values[at]) && nth-- == 0)
            return at;
}

fl_status fl_lbf_values_test(fl_lbf_shift *out, const fl_lbf_values *in, fl_arena *scratch,
                             fl_error *err)
{
    assert(in->prior_scale >= 0);
    *out = (fl_lbf_shift){0};
    double *history =
        fl_arena_alloc(scratch, in->baseline_count + 3 * in->incident_count + 1, sizeof(*history));
    if (history == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to compare %zu values",
                       in->baseline_count + in->incident_count);
    double *y = history + in->baseline_count, *usual = y + in->incident_count;
    double *some = usual + in->incident_count;
    size_t past = without_nan(history, in->baseline, in->baseline_count);
    size_t count = without_nan(y, in->incident, in->incident_count);
    if (past == 0 || count == 0)
        return FL_OK;
    fit_null(out, history, past, in->prior_scale);
    log_null(usual, out, y, count);

    struct spans spans = {0};
    for (size_t onset = 0; onset < count; onset++)
        for (size_t end = onset + 1; end <= count; end++) {
            insert_sorted(some, end - onset - 1, y[end - 1]);
            double shift = middle_of(some, end - onset) - out->center;
            add_span(&spans, onset, end,
                     log_shift(out, y + onset, usual + onset, end - onset, shift));
        }
    memcpy(some, y + spans.onset, (spans.end - spans.onset) * sizeof(*y));
    out->shift = fl_median(some, spans.end - spans.onset) - out->center;
    out->onset = window_of(in->incident, spans.onset);
    out->end = window_of(in->incident, spans.end - 1) + 1;
    out->lbf = average(&spans);
    if (in->rises_only && out->shift <= 0)
        out->lbf = fmin(out->lbf, 0);
    return FL_OK;
}

/* ---- histories ---- */

/* Whether a single value is a real rise, as fl_lbf_values_test() would say with `rises_only`. */
static bool is_real_rise(const fl_lbf_shift *null, double value)
{
    double usual;
    if (!(value - null->center >= FL_LBF_LEAST_RISE))
        return false;
    log_null(&usual, null, &value, 1);
    return log_shift(null, &value, &usual, 1, value - null->center) > FL_LBF_REAL;
}

fl_status fl_lbf_drop_rises(double *history, size_t count, double prior_scale, fl_arena *scratch,
                            fl_error *err)
{
    fl_lbf_shift null = {0};
    double *values = fl_arena_alloc(scratch, count, sizeof(*values));
    if (values == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to compare %zu values", count);
    size_t there = without_nan(values, history, count);
    if (there == 0)
        return FL_OK;
    fit_null(&null, values, there, prior_scale);
    for (size_t i = 0; i < count; i++)
        if (is_real_rise(&null, history[i]))
            history[i] = NAN;
    return FL_OK;
}

/* The median of |sorted[i] - center|: they rise outwards on both sides of the center. */
static double middle_deviation(const double *sorted, size_t count, double center)
{
    assert(count > 0);
    size_t right = 0;
    while (right < count && sorted[right] < center)
        right++;
    size_t left = right; /* sorted[left - 1] is the next one to the left */
    double last = 0, before = 0;
    for (size_t taken = 0; taken <= count / 2; taken++) {
        bool is_left =
            left > 0 && (right == count || center - sorted[left - 1] <= sorted[right] - center);
        before = last;
        last = is_left ? center - sorted[--left] : sorted[right++] - center;
    }
    return count % 2 == 1 ? last : (before + last) / 2;
}

/* Nearly every value is too near to the least one before it to have risen; only where one is not is
 * the past put in order, and then it is kept so. */
fl_status fl_lbf_learn(double *history, size_t count, double prior_scale, fl_arena *scratch,
                       fl_error *err)
{
    enum { FEWEST = 3 };
    double *sorted = fl_arena_alloc(scratch, count, sizeof(*sorted)), least = INFINITY;
    if (sorted == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to compare %zu values", count);
    for (size_t i = 0, seen = 0, past = 0; i < count; i++) {
        if (i >= FEWEST && history[i] - least >= FL_LBF_LEAST_RISE) {
            for (; seen < i; seen++)
                if (!isnan(history[seen]))
                    insert_sorted(sorted, past++, history[seen]);
            fl_lbf_shift null = {.center = past > 0 ? middle_of(sorted, past) : NAN};
            if (past >= FEWEST && history[i] - null.center >= FL_LBF_LEAST_RISE) {
                set_scale(&null, middle_deviation(sorted, past, null.center), past, prior_scale);
                if (is_real_rise(&null, history[i]))
                    history[i] = NAN;
            }
        }
        least = fmin(least, history[i]); /* fmin() passes over NaN */
    }
    return FL_OK;
}
