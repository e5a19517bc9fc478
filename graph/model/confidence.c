/*
 * confidence.c - sums of decayed weights, and the Beta distribution.
 *
 * Everything is computed in double precision in one order, so that the same evidence gives the same
 * number in every store: stores sum nothing themselves.
 */
#include "confidence.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "slice.h"

#define PRIOR      0.5  /* Jeffreys */
#define TAIL       0.05 /* of each side of a 90 % interval */
#define NS_PER_DAY 86400e9
#define SMALL_STEP 1e-6 /* of Halley's: what it leaves is below the precision of a double */

/*
 * Weights in the order in which the sources are to be trusted; a person counts as one observation.
 * A cap lets a source that is right in a row come near certainty only as far as one such author
 * should: a team's fourth confirmed incident outweighs all that a document or the library says.
 */
static const struct {
    const char *name;
    double weight, cap;
} sources[FL_SOURCE_COUNT] = {
    [FL_SOURCE_PERSON] = {"person", 1.0, 20.0},
    [FL_SOURCE_FIX] = {"fix", 1.0, 20.0},
    [FL_SOURCE_AUTOMATIC] = {"automatic", 0.3, 1.0},
    [FL_SOURCE_DOCUMENT] = {"document", 0.2, 1.0},
    [FL_SOURCE_HEDGED] = {"hedged-document", 0.1, 0.5},
    [FL_SOURCE_LIBRARY] = {"library", 0.5, 2.0},
    [FL_SOURCE_DRILL] = {"drill", 0.0, 0.0},
};

const char *fl_source_name(fl_evidence_source source)
{
    assert(source < FL_SOURCE_COUNT);
    return sources[source].name;
}

bool fl_source_of(fl_slice name, fl_evidence_source *out)
{
    for (fl_evidence_source i = 0; i < FL_SOURCE_COUNT; i++) {
        if (fl_slice_equal(name, fl_slice_of(sources[i].name))) {
            *out = i;
            return true;
        }
    }
    return false;
}

double fl_source_weight(fl_evidence_source source)
{
    assert(source < FL_SOURCE_COUNT);
    return sources[source].weight;
}

double fl_source_cap(fl_evidence_source source)
{
    assert(source < FL_SOURCE_COUNT);
    return sources[source].cap;
}

double fl_source_weight_aged(fl_evidence_source source, int64_t at_ns, double half_life_days,
                             int64_t now_ns)
{
    assert(source < FL_SOURCE_COUNT && half_life_days > 0);
    double age_days = ((double)now_ns - (double)at_ns) / NS_PER_DAY;
    return sources[source].weight * exp2(-fmax(age_days, 0) / half_life_days);
}

void fl_confidence_begin(fl_confidence_tally *tally)
{
    *tally = (fl_confidence_tally){.a = PRIOR, .b = PRIOR, .source = FL_SOURCE_COUNT};
}

/* What the author has said is all that it says: the cap can be applied. */
static void end_author(fl_confidence_tally *tally)
{
    double sum = tally->supporting + tally->contradicting;
    if (sum <= 0)
        return;
    double cap = sources[tally->source].cap;
    double share = sum > cap ? cap / sum : 1;
    tally->a += tally->supporting * share;
    tally->b += tally->contradicting * share;
    tally->supporting = tally->contradicting = 0;
}

void fl_confidence_count(fl_confidence_tally *tally, const fl_observation *item, bool supports,
                         double weight)
{
    assert(item->source < FL_SOURCE_COUNT && weight >= 0);
    if (item->source != tally->source || item->author != tally->author)
        end_author(tally);
    tally->source = item->source;
    tally->author = item->author;
    *(supports ? &tally->supporting : &tally->contradicting) += weight;
}

void fl_confidence_end(fl_confidence *out, fl_confidence_tally *tally)
{
    end_author(tally);
    fl_confidence_mean(out, tally->a, tally->b);
}

/* Every field, so that items that compare equal are equal. */
static int compare_observations(const void *a, const void *b)
{
    const fl_observation *x = a, *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->author != y->author)
        return x->author < y->author ? -1 : 1;
    if (x->at_ns != y->at_ns)
        return x->at_ns < y->at_ns ? -1 : 1;
    return (int)x->supports - (int)y->supports;
}

void fl_confidence_sums(fl_confidence *out, fl_observation *items, size_t count,
                        double half_life_days, int64_t now_ns)
{
    assert(count == 0 || items != NULL);
    assert(half_life_days > 0);
    fl_confidence_tally tally;
    fl_confidence_begin(&tally);
    if (count > 1)
        qsort(items, count, sizeof(*items), compare_observations);
    for (size_t i = 0; i < count; i++)
        fl_confidence_count(
            &tally, &items[i], items[i].supports,
            fl_source_weight_aged(items[i].source, items[i].at_ns, half_life_days, now_ns));
    fl_confidence_end(out, &tally);
}

void fl_confidence_of(fl_confidence *out, fl_observation *items, size_t count,
                      double half_life_days, int64_t now_ns)
{
    fl_confidence sums;
    fl_confidence_sums(&sums, items, count, half_life_days, now_ns);
    fl_confidence_beta(out, sums.a, sums.b);
}

void fl_confidence_mean(fl_confidence *out, double a, double b)
{
    assert(a > 0 && b > 0);
    *out = (fl_confidence){.a = a, .b = b, .mean = a / (a + b), .low = NAN, .high = NAN};
}

void fl_confidence_low(fl_confidence *out)
{
    out->low = fl_beta_quantile(TAIL, out->a, out->b);
}

void fl_confidence_high(fl_confidence *out)
{
    out->high = fl_beta_quantile(1 - TAIL, out->a, out->b);
}

void fl_confidence_beta(fl_confidence *out, double a, double b)
{
    fl_confidence_mean(out, a, b);
    fl_confidence_low(out);
    fl_confidence_high(out);
}

void fl_confidence_path_mean(fl_confidence *out, const fl_confidence *edges, size_t count)
{
    assert(count > 0);
    double mean = 1, square = 1;
    for (size_t i = 0; i < count; i++) {
        double a = edges[i].a, b = edges[i].b;
        mean *= a / (a + b);
        square *= a * (a + 1) / ((a + b) * (a + b + 1));
    }
    /* Of Beta(a, b) with this mean and variance: a + b = mean (1 - mean) / variance - 1. */
    double variance = square - mean * mean;
    double sum = variance > 0 ? mean * (1 - mean) / variance - 1 : 1 / DBL_EPSILON;
    /* Edges too sure for a double to tell from 1 leave a whole of nothing. */
    fl_confidence_mean(out, fmax(mean * sum, DBL_EPSILON), fmax((1 - mean) * sum, DBL_EPSILON));
}

void fl_confidence_path(fl_confidence *out, const fl_confidence *edges, size_t count)
{
    fl_confidence_path_mean(out, edges, count);
    fl_confidence_beta(out, out->a, out->b);
}

/* The continued fraction of I_x(a, b), by Lentz's method (Thompson and Barnett 1986). It converges
 * in O(sqrt(max(a, b))) steps for x < (a + 1) / (a + b + 2). */
static double continued_fraction(double x, double a, double b)
{
    const double tiny = DBL_MIN / DBL_EPSILON;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (double m = 1; m < 1e7; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabs(d * c - 1) < 4 * DBL_EPSILON)
            break;
    }
    return h;
}

/* ln 1/B(a, b): what the density is scaled by. */
static double log_density_scale(double a, double b)
{
    return lgamma(a + b) - lgamma(a) - lgamma(b);
}

/* With the scale that every x of one a and b has in common. */
static double scaled_cdf(double x, double a, double b, double scale)
{
    if (x == 0 || x == 1)
        return x;
    double front = exp(scale + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * continued_fraction(x, a, b) / a;
    return 1 - front * continued_fraction(1 - x, b, a) / b;
}

double fl_beta_cdf(double x, double a, double b)
{
    assert(a > 0 && b > 0);
    assert(x >= 0 && x <= 1);
    return scaled_cdf(x, a, b, log_density_scale(a, b));
}

/* Near the quantile: within a hundredth for parameters above 1, by Abramowitz and Stegun 26.5.22
 * with the normal quantile of 26.2.23; below 1, where the density has a pole, by the power of its
 * nearer end. */
static double first_guess(double p, double a, double b)
{
    if (a <= 1 || b <= 1) {
        double left = exp(a * log(a / (a + b))) / a, right = exp(b * log(b / (a + b))) / b;
        double both = left + right;
        return p < left / both ? pow(a * both * p, 1 / a) : 1 - pow(b * both * (1 - p), 1 / b);
    }
    double t = sqrt(-2 * log(p < 0.5 ? p : 1 - p));
    double y = t - (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + t * 0.04481));
    y = p < 0.5 ? y : -y;
    double u = 1 / (2 * a - 1), v = 1 / (2 * b - 1), h = 2 / (u + v), l = (y * y - 3) / 6;
    double w = y * sqrt(h + l) / h - (v - u) * (l + 5.0 / 6 - 2 / (3 * h));
    return a / (a + b * exp(2 * w));
}

/* Halley's steps, whose error is that of the last one cubed, inside a bracket that each evaluation
 * narrows; where a step leaves it, the bracket is halved instead, so that it always ends. With
 * small parameters x may be any power of two. */
double fl_beta_quantile(double p, double a, double b)
{
    assert(p >= 0 && p <= 1);
    assert(a > 0 && b > 0);
    double low = 0, high = 1, scale = log_density_scale(a, b);
    if (p == 0 || p == 1)
        return p;
    double x = first_guess(p, a, b);
    x = x > 0 && x < 1 ? x : a / (a + b); /* also for NaN */
    for (int i = 0; i < 200 && high - low > 4 * DBL_EPSILON * high; i++) {
        double error = scaled_cdf(x, a, b, scale) - p;
        if (error == 0)
            return x;
        *(error > 0 ? &high : &low) = x;
        double density = exp(scale + (a - 1) * log(x) + (b - 1) * log1p(-x));
        double step = error / density, bend = (a - 1) / x - (b - 1) / (1 - x);
        step /= 1 - 0.5 * fmin(1, step * bend);
        double next = x - step;
        bool inside = next > low && next < high; /* false for NaN too */
        if (!inside)
            next = low > 0 ? low + (high - low) / 2 : high / 1024;
        if (fabs(next - x) <= (inside ? SMALL_STEP : DBL_EPSILON) * fmin(x, 1 - x))
            return next;
        x = next;
    }
    return x;
}
