/*
 * trend.c - Theil-Sen (Sen 1968), Mann-Kendall (Kendall 1975) with Hamed and Rao's correction for
 * autocorrelation (1998), and a choice among shapes by weighted least squares.
 *
 * Cost: quadratic in the points, of which there are at most FL_TREND_MAX_POINTS.
 */
#include "trend.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "lbf.h"
#include "sort.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A model must beat the straight line by this much, in -2 log likelihood: the price of its extra
 * parameter (a knot) by BIC for 10 to 60 points, plus 20:1 (2 ln 20 = 6). */
#define MODEL_MARGIN 8.0
/* Values wander by this share of their level besides the sampling: garbage not yet collected. */
#define WANDER 0.02
/* A rise that is over: 3 sigma (there are some ten points to begin from), over a quarter of the
 * time at least. */
#define PLATEAU_Z     3.0
#define PLATEAU_SHARE 0.22
#define PLATEAU_RATIO 0.3
/* A rise that may be ending: half of what was promised. */
#define SLOW_RATIO 0.5
/* The gate of a trend: Gaussian 3.5 sigma, 1 in 4,300, against some 50 sites in a profile. */
#define TREND_Z 3.5

static const char *const shape_names[] = {
    [FL_SHAPE_UNCLEAR] = "unclear", [FL_SHAPE_FLAT] = "flat", [FL_SHAPE_GROWING] = "growing",
    [FL_SHAPE_BOUNDED] = "bounded", [FL_SHAPE_STEP] = "step", [FL_SHAPE_SAWTOOTH] = "sawtooth",
    [FL_SHAPE_FALLING] = "falling",
};
static_assert(COUNT(shape_names) == FL_SHAPE_COUNT, "a shape has no name");

const char *fl_leak_shape_name(fl_leak_shape shape)
{
    assert((unsigned)shape < FL_SHAPE_COUNT);
    return shape_names[shape];
}

double fl_student_975(size_t degrees)
{
    /* Abramowitz and Stegun, table 26.10; beyond it their expansion 26.7.5. */
    static const double table[] = {12.706, 4.303, 3.182, 2.776, 2.571,
                                   2.447,  2.365, 2.306, 2.262, 2.228};
    assert(degrees > 0);
    if (degrees <= COUNT(table))
        return table[degrees - 1];
    double z = 1.959964, n = (double)degrees;
    double g1 = (z * z * z + z) / 4, g2 = (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / 96;
    return z + g1 / n + g2 / (n * n);
}

double fl_sampling_variance(double objects, double bytes, double rate)
{
    assert(objects >= 0 && rate >= 0);
    if (!(objects > 0) || !(bytes > 0) || rate <= 1)
        return 0;
    double size = bytes / objects;
    return bytes * size / expm1(size / rate);
}

/* Theil and Sen's slope over the points [from, to); NaN where there are fewer than two. */
static double theil_sen(const fl_series *s, size_t from, size_t to, double *room)
{
    assert(from <= to && to <= s->count);
    size_t pairs = 0;
    for (size_t i = from; i < to; i++) {
        for (size_t j = i + 1; j < to; j++) {
            assert(s->time_s[j] > s->time_s[i]);
            room[pairs++] = (s->value[j] - s->value[i]) / (s->time_s[j] - s->time_s[i]);
        }
    }
    return fl_median(room, pairs);
}

/* Spread of the points [from, to) in time: the root of the sum of squares. */
static double time_spread(const fl_series *s, size_t from, size_t to)
{
    double mean = 0, sum = 0;
    for (size_t i = from; i < to; i++)
        mean += s->time_s[i] / (double)(to - from);
    for (size_t i = from; i < to; i++)
        sum += (s->time_s[i] - mean) * (s->time_s[i] - mean);
    return sqrt(sum);
}

/*
 * Variance of the difference of two values. An object that is sampled once stays sampled while it
 * lives, so that the difference errs only by what came and what went between: quantum * (come +
 * gone), where what came is at most the later value and at most what was made meanwhile.
 */
double fl_pair_variance(const fl_series *s, size_t from, size_t to)
{
    assert(from < to && to < s->count);
    double first = s->value[from], last = s->value[to];
    double independent = s->error[from] * s->error[from] + s->error[to] * s->error[to];
    double come = last, gone = first;
    if (s->quantum <= 0)
        return independent;
    if (s->made != NULL) {
        double made = fmax(s->made[to] - s->made[from], 0);
        come = fmin(made, last);
        gone = fmin(fmax(made - (last - first), 0), first);
    }
    return fmin(independent, s->quantum * (come + gone)) + s->quantum * s->quantum;
}

/*
 * Standard error of a slope over [from, to): the larger of what the scatter around the line says
 * (robust: median absolute residual over its normal quantile, with the degrees of freedom that the
 * line took) and what the sampling alone must cause.
 */
static double slope_error(const fl_series *s, size_t from, size_t to, double slope, double *room)
{
    size_t n = to - from;
    assert(n >= 2);
    for (size_t i = from; i < to; i++)
        room[i - from] = s->value[i] - slope * s->time_s[i];
    double middle = fl_median(room, n);
    for (size_t i = from; i < to; i++)
        room[i - from] = fabs(s->value[i] - slope * s->time_s[i] - middle);
    double scatter = fl_median(room, n) / 0.6744898;
    if (n > 2)
        scatter *= sqrt((double)n / (double)(n - 2));
    double by_scatter = scatter / time_spread(s, from, to);
    double span = s->time_s[to - 1] - s->time_s[from];
    double pair = fl_pair_variance(s, from, to - 1);
    return fmax(by_scatter, sqrt(pair) / span);
}

/* Sum over pairs of the sign of the later minus the earlier. */
static double kendall_s(const double *x, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++)
            sum += (double)((x[j] > x[i]) - (x[j] < x[i]));
    }
    return sum;
}

/* Variance of Kendall's S under no trend; each group of t equal values takes t(t-1)(2t+5)/18. */
static double kendall_variance(const double *x, size_t count, bool *seen)
{
    double n = (double)count, variance = n * (n - 1) * (2 * n + 5);
    memset(seen, 0, count * sizeof(*seen));
    for (size_t i = 0; i < count; i++) {
        double ties = 1;
        for (size_t j = i + 1; j < count && !seen[i]; j++) {
            if (x[j] == x[i]) {
                seen[j] = true;
                ties += 1;
            }
        }
        variance -= ties * (ties - 1) * (2 * ties + 5);
    }
    return fmax(variance, 0) / 18;
}

/* Hamed and Rao: the factor by which autocorrelated ranks of the detrended series widen S. Only
 * lags that are significant at 95 % count, and only from 10 points on, where they can be. */
static double autocorrelation_factor(const fl_series *s, double slope, double *rank)
{
    size_t n = s->count;
    if (n < 10)
        return 1;
    for (size_t i = 0; i < n; i++) {
        rank[i] = -((double)n - 1) / 2;
        double mine = s->value[i] - slope * s->time_s[i];
        for (size_t j = 0; j < n; j++) {
            double other = s->value[j] - slope * s->time_s[j];
            rank[i] += other < mine ? 1.0 : (other == mine && j != i) ? 0.5 : 0.0;
        }
    }
    double power = 0, sum = 0, m = (double)n;
    for (size_t i = 0; i < n; i++)
        power += rank[i] * rank[i];
    for (size_t lag = 1; lag <= n / 4 && power > 0; lag++) {
        double together = 0, k = (double)lag;
        for (size_t i = 0; i + lag < n; i++)
            together += rank[i] * rank[i + lag];
        double rho = together / power;
        if (fabs(rho) > 1.96 / sqrt(m))
            sum += (m - k) * (m - k - 1) * (m - k - 2) * rho;
    }
    /* Never below 1: noise that alternates must not make a trend surer. */
    return fmax(1 + 2 * sum / (m * (m - 1) * (m - 2)), 1);
}

static double mann_kendall(const fl_series *s, double slope, double *room, bool *seen)
{
    double sum = kendall_s(s->value, s->count);
    double variance = kendall_variance(s->value, s->count, seen);
    variance *= autocorrelation_factor(s, slope, room);
    if (variance <= 0 || sum == 0)
        return 0;
    return (sum > 0 ? sum - 1 : sum + 1) / sqrt(variance); /* continuity correction */
}

/* A fitted model: its sum of squares, the first point of its later part, its slope or rise. */
typedef struct fit {
    double chi2;
    size_t knot;
    double rise;
} fit;

/*
 * Weighted least squares of value = a + b x. Sampled values whose turnover is known err by what
 * came and went since the value before: there the differences are fitted, each with its own
 * variance
 * (`weight[i]` is then of value[i] - value[i-1]), and a falls out.
 */
static fit fit_column(const fl_series *s, const double *weight, const double *x)
{
    bool by_steps = s->quantum > 0 && s->made != NULL;
    double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0;
    for (size_t i = by_steps ? 1 : 0; i < s->count; i++) {
        double dx = by_steps ? x[i] - x[i - 1] : x[i];
        double dy = by_steps ? s->value[i] - s->value[i - 1] : s->value[i];
        w += weight[i];
        wx += weight[i] * dx;
        wy += weight[i] * dy;
        wxx += weight[i] * dx * dx;
        wxy += weight[i] * dx * dy;
    }
    double mean_x = by_steps ? 0 : wx / w, mean_y = by_steps ? 0 : wy / w;
    double power = wxx - mean_x * wx;
    double b = power > 1e-12 * wxx ? (wxy - mean_x * wy) / power : 0;
    fit out = {.rise = b};
    for (size_t i = by_steps ? 1 : 0; i < s->count; i++) {
        double dx = by_steps ? x[i] - x[i - 1] : x[i] - mean_x;
        double dy = by_steps ? s->value[i] - s->value[i - 1] : s->value[i] - mean_y;
        out.chi2 += weight[i] * (dy - b * dx) * (dy - b * dx);
    }
    return out;
}

/* Rise up to a knot, then flat. */
static fit fit_hinge(const fl_series *s, const double *weight, double *x)
{
    fit best = {.chi2 = INFINITY};
    for (size_t knot = 1; knot + 1 < s->count; knot++) {
        for (size_t i = 0; i < s->count; i++)
            x[i] = fmin(s->time_s[i], s->time_s[knot]) - s->time_s[0];
        fit found = fit_column(s, weight, x);
        found.knot = knot;
        best = found.chi2 < best.chi2 ? found : best;
    }
    return best;
}

/* Two levels. */
static fit fit_step(const fl_series *s, const double *weight, double *x)
{
    fit best = {.chi2 = INFINITY};
    for (size_t knot = 1; knot < s->count; knot++) {
        for (size_t i = 0; i < s->count; i++)
            x[i] = i >= knot ? 1 : 0;
        fit found = fit_column(s, weight, x);
        found.knot = knot;
        best = found.chi2 < best.chi2 ? found : best;
    }
    return best;
}

static void set_weights(const fl_series *s, double *weight)
{
    double largest = 0;
    for (size_t i = 0; i < s->count; i++)
        largest = fmax(largest, fabs(s->value[i]));
    for (size_t i = 0; i < s->count; i++) {
        double wander = WANDER * largest;
        double variance = s->error[i] * s->error[i];
        if (s->quantum > 0 && s->made != NULL && i > 0)
            variance = fl_pair_variance(s, i - 1, i);
        variance += wander * wander;
        weight[i] = variance > 0 ? 1 / variance : 1;
    }
}

/* The largest rise of one step over all, and the largest fall from a maximum before it. */
static void set_steps(fl_trend *t, const fl_series *s)
{
    double top = s->value[0], step = 0, fall = 0, largest = fabs(top);
    for (size_t i = 1; i < s->count; i++) {
        step = fmax(step, s->value[i] - s->value[i - 1]);
        fall = fmax(fall, top - s->value[i]);
        top = fmax(top, s->value[i]);
        largest = fmax(largest, fabs(s->value[i]));
    }
    double rise = t->slope * (s->time_s[s->count - 1] - s->time_s[0]);
    t->step_share = rise > 0 ? fmin(step / rise, 1) : 0;
    t->fall_share = largest > 0 ? fall / largest : 0;
    double jump = 0, whole = s->value[s->count - 1] - s->value[0];
    for (size_t i = 2; i < s->count; i++)
        jump = fmax(jump, s->value[i] - s->value[i - 2]);
    t->jump_share = whole > 0 ? fmin(jump / whole, 1) : 0;
}

/* The seed of the coarse rule: mean and deviation of all values before the last. */
static double level_z(const fl_series *s)
{
    size_t n = s->count - 1;
    double mean = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        mean += s->value[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        sum += (s->value[i] - mean) * (s->value[i] - mean);
    double deviation = n > 1 ? sqrt(sum / (double)(n - 1)) : 0;
    return deviation > 0 ? (s->value[n] - mean) / deviation : 0;
}

/*
 * By how many errors less came from point `k` on than the rise before it promised, where it was no
 * more than `ratio` of that; else 0. `x` is what the rise is measured by: the time, or what was
 * made; the part behind the point must be long enough of it.
 */
static double shortfall_z(const fl_series *s, const double *x, size_t k, double ratio)
{
    size_t last = s->count - 1;
    assert(k > 0 && k < last);
    double before = x[k] - x[0], after = x[last] - x[k];
    double rise = s->value[k] - s->value[0], seen = s->value[last] - s->value[k];
    if (!(before > 0) || rise <= 0 || after < PLATEAU_SHARE * (x[last] - x[0]))
        return 0;
    double expected = rise / before * after;
    if (seen > ratio * expected)
        return 0;
    double variance = fl_pair_variance(s, k, last) + s->quantum * expected +
                      fl_pair_variance(s, 0, k) * after * after / (before * before);
    return (expected - seen) / sqrt(fmax(variance, 1e-300));
}

/*
 * Has a rise ended? From each point on, the rise before it says how much should have come after it.
 * Where so much less came that the errors do not explain it, the rise is over; the later part must
 * be long enough to tell. Returns that point, or 0.
 */
static size_t plateau_of(const fl_series *s)
{
    size_t best = 0;
    double best_z = PLATEAU_Z;
    for (size_t k = 1; k + 1 < s->count; k++) {
        double z = shortfall_z(s, s->time_s, k, PLATEAU_RATIO);
        if (z > best_z) {
            best_z = z;
            best = k;
        }
    }
    return best;
}

/* The clearest sign that a rise slows down; one late value alone is none. */
static double slowing_z(const fl_series *s, const double *x)
{
    double best = 0;
    for (size_t k = 1; k + 2 < s->count; k++)
        best = fmax(best, shortfall_z(s, x, k, SLOW_RATIO));
    return best;
}

static fl_leak_shape shape_of(fl_trend *t, const fl_series *s, const double *weight, double *x)
{
    for (size_t i = 0; i < s->count; i++)
        x[i] = s->time_s[i] - s->time_s[0];
    double line = fit_column(s, weight, x).chi2;
    fit hinge = fit_hinge(s, weight, x), step = fit_step(s, weight, x);
    assert(step.chi2 < INFINITY);
    if (t->growth_z <= -TREND_Z)
        return FL_SHAPE_FALLING;
    /* What scatters more than its errors say is over-dispersed: no model may win by that. */
    double freedom = (double)(s->count > 3 ? s->count - 3 : 1);
    double spread = fmax(1, fmin(step.chi2, hinge.chi2) / freedom);
    double margin = MODEL_MARGIN * spread;
    bool step_wins = step.chi2 + margin < line && step.chi2 <= hinge.chi2;
    bool hinge_wins = hinge.chi2 + margin < line && hinge.rise > 0;
    /* A step is flat behind it; what goes on rising began to grow then. */
    double behind = s->value[s->count - 1] - s->value[step.knot];
    bool goes_on = step.knot + 2 < s->count &&
                   behind > TREND_Z * sqrt(fl_pair_variance(s, step.knot, s->count - 1));
    if (step_wins && step.rise > 0 && !goes_on) {
        t->knot = step.knot;
        return FL_SHAPE_STEP;
    }
    if (hinge_wins) {
        t->knot = hinge.knot;
        return FL_SHAPE_BOUNDED;
    }
    size_t plateau = s->quantum > 0 ? plateau_of(s) : 0;
    bool rises = t->growth_z >= TREND_Z && t->mann_kendall_z > 0;
    double rose = s->value[s->count - 1] - s->value[0];
    bool rose_surely = rose > TREND_Z * sqrt(fl_pair_variance(s, 0, s->count - 1));
    if (plateau > 0 && (rises || rose_surely)) {
        t->knot = plateau;
        return FL_SHAPE_BOUNDED;
    }
    if (rises || (goes_on && rose_surely && t->late_z > 0))
        return t->late_share >= 0.25 ? FL_SHAPE_GROWING : FL_SHAPE_BOUNDED;
    if (t->fall_share >= 0.3)
        return FL_SHAPE_SAWTOOTH;
    return fabs(t->growth_z) < 2 ? FL_SHAPE_FLAT : FL_SHAPE_UNCLEAR;
}

/* What few points allow: their ends. */
static fl_trend ends_only(const fl_series *s)
{
    fl_trend t = {.count = s->count, .shape = FL_SHAPE_UNCLEAR};
    t.first = s->count > 0 ? s->value[0] : NAN;
    t.last = s->count > 0 ? s->value[s->count - 1] : NAN;
    t.slope = t.low = t.high = t.slope_error = t.growth_z = t.mann_kendall_z = NAN;
    t.level_z = t.late_share = t.late_z = t.step_share = t.jump_share = t.fall_share = NAN;
    t.slow_z = t.keep_slow_z = 0;
    return t;
}

fl_status fl_trend_of(fl_trend *out, const fl_series *series, fl_arena *scratch, fl_error *err)
{
    assert(out != NULL && series->count <= FL_TREND_MAX_POINTS);
    *out = ends_only(series);
    size_t n = series->count;
    if (n < FL_TREND_MIN_POINTS)
        return FL_OK;
    double *room = fl_arena_alloc(scratch, n * n, sizeof(*room));
    double *weight = fl_arena_alloc(scratch, n, sizeof(*weight));
    bool *seen = fl_arena_alloc(scratch, n, sizeof(*seen));
    if (room == NULL || weight == NULL || seen == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a trend");
    double span = series->time_s[n - 1] - series->time_s[0];
    out->slope = theil_sen(series, 0, n, room);
    out->slope_error = slope_error(series, 0, n, out->slope, room);
    out->growth_z = out->slope_error > 0 ? out->slope / out->slope_error
                                         : (out->slope > 0) * 99.0 - (out->slope < 0) * 99.0;
    double reach = fl_student_975(n - 2) * out->slope_error;
    out->low = out->slope - reach;
    out->high = out->slope + reach;
    out->mann_kendall_z = mann_kendall(series, out->slope, room, seen);
    out->level_z = level_z(series);
    size_t half = n / 2;
    double late = theil_sen(series, half > n - 2 ? n - 2 : half, n, room);
    out->late_share = out->slope > 0 ? late / out->slope : 0;
    double late_error = slope_error(series, half > n - 2 ? n - 2 : half, n, late, room);
    out->late_z = late_error > 0 ? late / late_error : 0;
    set_steps(out, series);
    out->slow_z = slowing_z(series, series->time_s);
    out->keep_slow_z = series->made != NULL ? slowing_z(series, series->made) : 0;
    set_weights(series, weight);
    out->shape = shape_of(out, series, weight, room);
    for (size_t i = 0; i < n; i++)
        room[i] = series->value[i] - out->slope * (series->time_s[i] - series->time_s[0]);
    if (out->shape == FL_SHAPE_GROWING) {
        out->first = fmax(fl_median(room, n), 0);
        out->last = out->first + out->slope * span;
    }
    return FL_OK;
}
