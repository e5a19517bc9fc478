/*
 * clients.c - calls that take longer on the way, told by metrics alone: what callers see of them
 * became slower, and no service did.
 *
 * An observer is one process that reports quantiles (or the mean) of how long its calls take. Did
 * the calls to service X take a delay D more, and are a share f of the observer's calls to X, then
 * its latencies are a mixture: with Q the usual quantile function,
 *
 *     q <  1 - f: Q(q / (1 - f))              the delayed calls are all above it
 *     q >= 1 - f: D + Q((q - (1 - f)) / f)    it is among them
 *
 * and neither is above Q(q) + D. How well that says the incident's values, against "as usual", is
 * X's evidence, averaged over D. Of the entry, below which all calls are made, f is X's share of
 * the traffic, and its own latency has a share of requests that call X; of other observers f is
 * not known, nor whether they call X at all, unless --topology says so. X itself must not have
 * become slower: if it did, or another service that explains as much, there is no need of a
 * network. Cost: services x observers x delays x windows.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rank_priv.h"

enum { MAX_QUANTILES = 6, DELAY_COUNT = 12, SHARE_COUNT = 4, STUDENT_DEGREES = 4 };

#define SCALE_FALLBACK 0.3
#define OFFSET_S       5e-4 /* what latencies are rounded to, as in spans' streams */
/* Delays from 30 ms, below which a network is usual, by factors of 1.6 up to 5 s. */
#define LEAST_DELAY_S 0.03
#define DELAY_FACTOR  1.6
#define MOST_SHARE    0.97
/* How many services call one: call graphs are sparse whatever their size. */
#define USUAL_CALLERS  2.0
#define LEAST_DISTANCE 0.01 /* between the logarithms of two quantiles */

static const double shares[SHARE_COUNT] = {0.03, 0.1, 0.3, 0.7};

struct observer {
    uint32_t service;
    bool is_client;
    size_t count;
    uint32_t series[MAX_QUANTILES];
    double quantile[MAX_QUANTILES]; /* rising, the mean first */
    fl_lbf_shift test[MAX_QUANTILES];
    double *now[MAX_QUANTILES]; /* per incident window: ln(0.5 ms + seconds) */
    double weight;              /* 0: its own trouble explains what it sees */
};

struct clients {
    struct rank *r;
    struct observer *all;
    size_t count;
    const struct observer *entry; /* the entry's own latency; NULL: not measured */
    uint32_t entry_service;
    double *traffic;  /* per service, calls per second in the incident; NaN: not measured */
    double below;     /* of all services but the entry */
    double calls;     /* how probable it is that one service calls another */
    double *evidence; /* [observer][delay]: whether it calls the slow one is not known */
};

/* ---- a mixture ---- */

/* The usual quantile function between the known quantiles: ln(seconds) is linear in -ln(1 - q). */
static double usual_at(const struct observer *o, double q)
{
    assert(o->count > 0 && o->count <= MAX_QUANTILES);
    double x = -log(1 - fmin(fmax(q, 0), 1 - 1e-9)), x0 = 0, y0 = 0;
    bool has = false;
    for (size_t i = 0; i < o->count; i++) {
        if (o->quantile[i] == FL_RANK_MEAN)
            continue;
        double xi = -log(1 - o->quantile[i]), yi = o->test[i].center;
        if (has)
            yi = fmax(yi, y0 + LEAST_DISTANCE);
        if (x <= xi || i + 1 == o->count)
            return has ? y0 + (yi - y0) * (x - x0) / (xi - x0) : yi + log(fmax(x / xi, 1e-3));
        x0 = xi;
        y0 = yi;
        has = true;
    }
    return NAN;
}

static double mixed(const struct observer *o, size_t i, double share, double delay)
{
    assert(i < o->count && share > 0 && delay > 0);
    double q = o->quantile[i], usual = o->test[i].center;
    double most = log(exp(usual) + delay), to_others = 1 - share;
    if (q == FL_RANK_MEAN)
        return log(exp(usual) + share * delay);
    double at = q < to_others ? usual_at(o, q / to_others)
                              : log(delay + exp(usual_at(o, (q - to_others) / share)));
    return fmin(fmax(at, usual), most);
}

/* The part of Student's log density that depends on z. */
static double student_part(double z)
{
    assert(!isnan(z));
    return -(STUDENT_DEGREES + 1) / 2.0 * log1p(z * z / STUDENT_DEGREES);
}

/* How much better the mixture says the observer's values than the usual ones do. It begins in any
 * of the windows, with equal prior. The quantiles are of the same calls, and count as one. */
static double log_factor(const struct clients *x, const struct observer *o, double share,
                         double delay)
{
    assert(share > 0 && share < 1 && delay > 0);
    size_t windows = x->r->metrics.incident_count, onsets = 0;
    double predicted[MAX_QUANTILES], since = 0, total = -INFINITY;
    for (size_t i = 0; i < o->count; i++)
        predicted[i] = mixed(o, i, share, delay);
    for (size_t w = windows; w-- > 0;) {
        double here = 0;
        bool any = false;
        for (size_t i = 0; i < o->count; i++) {
            double y = o->now[i][w], sigma = o->test[i].sigma;
            if (isnan(y))
                continue;
            any = true;
            here += student_part((y - predicted[i]) / sigma) -
                    student_part((y - o->test[i].center) / sigma);
        }
        if (!any)
            continue;
        since += here / (double)o->count;
        double top = fmax(total, since);
        total = onsets == 0 ? since : top + log(exp(total - top) + exp(since - top));
        onsets++;
    }
    return onsets > 0 ? o->weight * (total - log((double)onsets)) : 0;
}

static double delay_at(size_t i)
{
    assert(i < DELAY_COUNT);
    return LEAST_DELAY_S * pow(DELAY_FACTOR, (double)i);
}

/* ---- who observes ---- */

static double *log_seconds(struct rank *r, fl_arena *arena, uint32_t series,
                           const uint32_t *windows, size_t count)
{
    double *out = fl_arena_alloc(arena, count, sizeof(*out));
    for (size_t i = 0; i < count && out != NULL; i++) {
        double value = r->timeline->metrics[series].values[windows[i]];
        out[i] = isnan(value) ? NAN : log(fmax(value, 0) + OFFSET_S);
    }
    return out;
}

/* Only what says of which calls it speaks: a largest or a last value does not. */
static bool is_observation(const struct rank *r, uint32_t series)
{
    const fl_metric_series *s = &r->timeline->metrics[series];
    return s->role == FL_ROLE_LATENCY && !s->is_host && !isnan(fl_rank_quantile(s));
}

/* Series of one entity, one side and one label set are what one observer says; `name` tells
 * metrics with quantiles in their name apart no further. */
static bool belongs(const struct rank *r, const struct observer *o, uint32_t series)
{
    const fl_metric_series *first = &r->timeline->metrics[o->series[0]],
                           *s = &r->timeline->metrics[series];
    return first->entity == s->entity && o->is_client == fl_rank_is_client_side(s) &&
           (strcmp(first->attributes, s->attributes) == 0 || strcmp(first->name, s->name) == 0);
}

/* Kept by rising quantile; of several series for one quantile the first counts. */
static void insert(struct observer *o, uint32_t series, double quantile)
{
    assert(o->count <= MAX_QUANTILES && quantile >= 0 && quantile < 1);
    size_t at = o->count;
    for (size_t i = 0; i < o->count; i++)
        if (o->quantile[i] == quantile)
            return;
    if (o->count == MAX_QUANTILES)
        return;
    for (; at > 0 && o->quantile[at - 1] > quantile; at--) {
        o->quantile[at] = o->quantile[at - 1];
        o->series[at] = o->series[at - 1];
    }
    o->quantile[at] = quantile;
    o->series[at] = series;
    o->count++;
}

static fl_status find_observers(struct clients *x, fl_error *err)
{
    const fl_timeline *t = x->r->timeline;
    fl_status status = FL_RANK_NEW(x->r->arena, x->all, t->metric_series_count, "metrics", err);
    for (uint32_t i = 0; i < t->metric_series_count && status == FL_OK; i++) {
        if (!is_observation(x->r, i))
            continue;
        size_t at = x->count;
        while (at > 0 && !belongs(x->r, &x->all[at - 1], i) &&
               t->metrics[x->all[at - 1].series[0]].entity == t->metrics[i].entity)
            at--;
        bool found = at > 0 && belongs(x->r, &x->all[at - 1], i);
        struct observer *o = found ? &x->all[at - 1] : &x->all[x->count++];
        if (!found)
            *o =
                (struct observer){.service = x->r->shown[t->entities[t->metrics[i].entity].service],
                                  .is_client = fl_rank_is_client_side(&t->metrics[i]),
                                  .weight = 1};
        insert(o, i, fl_rank_quantile(&t->metrics[i]));
    }
    return status;
}

/* How far latencies of one side usually are from their own median, over the fleet. */
static fl_status side_scale(double *out, struct clients *x, bool is_client, fl_error *err)
{
    const struct sides *m = &x->r->metrics;
    double *deviations;
    size_t count = 0, series = 0;
    for (size_t i = 0; i < x->count; i++)
        series += x->all[i].is_client == is_client ? x->all[i].count : 0;
    fl_arena_reset(&x->r->scratch);
    fl_status status =
        FL_RANK_NEW(&x->r->scratch, deviations, series * m->baseline_count, "deviations", err);
    for (size_t i = 0; i < x->count && status == FL_OK; i++)
        for (size_t q = 0; q < x->all[i].count && x->all[i].is_client == is_client; q++) {
            double *own = log_seconds(x->r, &x->r->scratch, x->all[i].series[q], m->baseline,
                                      m->baseline_count);
            size_t kept = 0;
            if (own == NULL)
                return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for metric values");
            for (size_t w = 0; w < m->baseline_count; w++)
                if (!isnan(own[w]))
                    own[kept++] = own[w];
            double median = fl_median(own, kept);
            for (size_t w = 0; w < kept && kept > 1; w++)
                deviations[count++] = fabs(own[w] - median);
        }
    if (status == FL_OK)
        *out = fl_fleet_scale(deviations, count, SCALE_FALLBACK);
    return status;
}

/* Each quantile's usual value and its spread, from a history that is cleaned in order. */
static fl_status test_observer(struct clients *x, struct observer *o, double scale, fl_error *err)
{
    struct rank *r = x->r;
    fl_status status = FL_OK;
    for (size_t q = 0; q < o->count && status == FL_OK; q++) {
        fl_arena_reset(&r->scratch);
        double *history = log_seconds(r, &r->scratch, o->series[q], r->metrics.baseline,
                                      r->metrics.baseline_count);
        o->now[q] =
            log_seconds(r, r->arena, o->series[q], r->metrics.incident, r->metrics.incident_count);
        if (history == NULL || o->now[q] == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for metric values");
        status = fl_lbf_learn(history, r->metrics.baseline_count, scale, &r->scratch, err);
        fl_lbf_values test = {.baseline = history,
                              .baseline_count = r->metrics.baseline_count,
                              .incident = o->now[q],
                              .incident_count = r->metrics.incident_count,
                              .prior_scale = scale};
        if (status == FL_OK)
            status = fl_lbf_values_test(&o->test[q], &test, &r->scratch, err);
    }
    /* What has no usual value says nothing. */
    size_t kept = 0;
    for (size_t q = 0; q < o->count; q++)
        if (o->test[q].baseline_count > 0) {
            o->series[kept] = o->series[q];
            o->quantile[kept] = o->quantile[q];
            o->test[kept] = o->test[q];
            o->now[kept++] = o->now[q];
        }
    o->count = kept;
    return status;
}

static double sigmoid(double value)
{
    return 1 / (1 + exp(-value));
}

/* A process whose own resources are used up measures others as slow. */
static void doubt_the_troubled(struct clients *x)
{
    const struct rank *r = x->r;
    for (size_t i = 0; i < x->count; i++)
        for (size_t k = 0; k < r->timeline->metric_series_count; k++) {
            const struct metric_result *m = &r->metric_results[k];
            uint32_t entity = r->timeline->metrics[k].entity;
            if (m->is_evidence && m->test.shift > 0 &&
                r->timeline->entities[entity].service == x->all[i].service)
                x->all[i].weight = fmin(x->all[i].weight, 1 - sigmoid(m->test.lbf - FL_LBF_REAL));
        }
}

/* ---- the entry ---- */

/* Calls per second of each service in the incident, the sum of its instances. */
static void measure_traffic(struct clients *x)
{
    const fl_timeline *t = x->r->timeline;
    const struct sides *m = &x->r->metrics;
    for (size_t s = 0; s < t->service_count; s++)
        x->traffic[s] = NAN;
    for (size_t i = 0; i < t->metric_series_count; i++) {
        const fl_metric_series *series = &t->metrics[i];
        uint32_t service = x->r->shown[t->entities[series->entity].service];
        double sum = 0, count = 0;
        if (series->role != FL_ROLE_TRAFFIC || series->is_host || fl_rank_is_client_side(series))
            continue;
        for (size_t w = 0; w < m->incident_count; w++)
            if (!isnan(series->values[m->incident[w]])) {
                sum += fmax(series->values[m->incident[w]], 0);
                count++;
            }
        if (count > 0)
            x->traffic[service] =
                (isnan(x->traffic[service]) ? 0 : x->traffic[service]) + sum / count;
    }
}

/* The usual latency at the quantile nearest to 0.9, which most exporters have. */
static double usual_latency(const struct observer *o)
{
    assert(o->count > 0);
    size_t best = 0;
    for (size_t q = 1; q < o->count; q++)
        if (fabs(o->quantile[q] - 0.9) < fabs(o->quantile[best] - 0.9))
            best = q;
    return exp(o->test[best].center);
}

/* Where the symptom is, or what is also seen from outside. Else: a request is in the entry for as
 * long as in all that it causes below, so that most requests are there at a time (Little 1961:
 * their rate times their duration). */
static double entry_weight(const struct clients *x, const struct observer *o)
{
    const struct rank *r = x->r;
    const char *asked = r->question->symptom_service;
    if (asked != NULL && strcmp(r->timeline->services[o->service], asked) == 0)
        return INFINITY;
    for (uint32_t s = 0; s < r->timeline->service_count && asked == NULL; s++)
        if (s != o->service && r->shown[s] == o->service)
            return INFINITY;
    return (isnan(x->traffic[o->service]) ? 1 : x->traffic[o->service]) * usual_latency(o);
}

static void find_entry(struct clients *x)
{
    const struct rank *r = x->r;
    double most = -1;
    for (size_t i = 0; i < x->count; i++) {
        const struct observer *o = &x->all[i];
        if (o->is_client || o->count == 0)
            continue;
        double weight = entry_weight(x, o);
        if (weight > most ||
            (weight == most && o->service == x->entry_service && o->count > x->entry->count)) {
            most = weight;
            x->entry = o;
            x->entry_service = o->service;
        }
    }
    for (size_t s = 0; s < r->timeline->service_count; s++)
        if (x->entry != NULL && s != x->entry_service && !isnan(x->traffic[s]))
            x->below += x->traffic[s];
}

/* ---- which service's calls ---- */

static bool calls(const fl_timeline *t, uint32_t caller, uint32_t callee)
{
    for (size_t e = 0; e < t->topology_count; e++)
        if (t->topology[e].caller == caller && t->topology[e].callee == callee)
            return true;
    return false;
}

/* ln(exp(a) + exp(b)). */
static double log_add(double a, double b)
{
    double top = fmax(a, b);
    return isinf(top) ? top : top + log(exp(a - top) + exp(b - top));
}

/* Over the shares that the slow calls may have. */
static double any_share(const struct clients *x, const struct observer *o, double delay)
{
    double total = -INFINITY;
    for (size_t i = 0; i < SHARE_COUNT; i++)
        total = log_add(total, log_factor(x, o, shares[i], delay));
    return total - log((double)SHARE_COUNT);
}

/* What an observer says of slow calls to `callee`. */
static double says(const struct clients *x, size_t observer, uint32_t callee, size_t delay)
{
    const fl_timeline *t = x->r->timeline;
    assert(observer < x->count && delay < DELAY_COUNT);
    const struct observer *o = &x->all[observer];
    double known = t->topology_count > 0, per_request, share;
    if (o->count == 0 || o->service == callee)
        return 0;
    if (o->is_client && known > 0)
        return calls(t, o->service, callee) ? x->evidence[observer * DELAY_COUNT + delay] : 0;
    if (o->is_client &&
        (o->service != x->entry_service || !(x->below > 0) || isnan(x->traffic[callee])))
        return log_add(x->evidence[observer * DELAY_COUNT + delay] + log(x->calls),
                       log1p(-x->calls));
    if (o->is_client) {
        share = fmin(x->traffic[callee] / x->below, MOST_SHARE);
        return share > 0 ? log_factor(x, o, share, delay_at(delay)) : 0;
    }
    if (o != x->entry || !(x->traffic[o->service] > 0) || isnan(x->traffic[callee]))
        return 0;
    per_request = x->traffic[callee] / x->traffic[o->service];
    share = fmin(per_request, MOST_SHARE);
    return share > 0 ? log_factor(x, o, share, delay_at(delay) * fmax(1, per_request)) : 0;
}

struct verdict {
    double score;
    size_t delay; /* the likeliest */
};

/* All observers together, averaged over the delay, which is the same for all of them. */
static struct verdict weigh(const struct clients *x, uint32_t callee)
{
    struct verdict out = {.score = -INFINITY};
    double best = -INFINITY;
    for (size_t d = 0; d < DELAY_COUNT; d++) {
        double sum = 0;
        for (size_t i = 0; i < x->count; i++)
            sum += says(x, i, callee, d);
        out.score = log_add(out.score, sum);
        if (sum > best) {
            best = sum;
            out.delay = d;
        }
    }
    out.score -= log((double)DELAY_COUNT);
    return out;
}

/* The evidence that a service became slower, and that it became faster: waiting on the wire spaces
 * its requests out. Any of the quantiles may be the one that shows it. */
static void own_change(const struct clients *x, uint32_t service, double *slower, double *faster)
{
    *slower = *faster = -INFINITY;
    for (size_t i = 0; i < x->count; i++) {
        const struct observer *o = &x->all[i];
        double rise = -INFINITY, fall = -INFINITY;
        for (size_t q = 0; q < o->count; q++) {
            const fl_lbf_shift *test = &o->test[q];
            rise = log_add(rise, test->shift > 0 ? test->lbf : fmin(test->lbf, 0));
            fall = log_add(fall, test->shift < 0 ? test->lbf : fmin(test->lbf, 0));
        }
        if (o->is_client || o->service != service || o->count == 0)
            continue;
        *slower = fmax(*slower, rise - log((double)o->count));
        *faster = fmax(*faster, fall - log((double)o->count));
    }
}

/* How probable it is that a service became slower, and not for what it calls. */
static double log_own_fault(const struct clients *x, uint32_t service, double slower)
{
    double waits = x->r->waits[service];
    return log(sigmoid(slower - FL_LBF_REAL)) + (isnan(waits) ? 0 : log(sigmoid(-waits)));
}

/* What callers' metrics say for it is the evidence, each by the quantile that rose most. */
static fl_status add_wire(struct clients *x, uint32_t callee, double score, size_t delay,
                          fl_error *err)
{
    struct rank *r = x->r;
    struct candidate c = {.service = callee,
                          .cause = FL_CAUSE_NETWORK_DELAY,
                          .resource = FL_RESOURCE_NETWORK,
                          .locus = FL_LOCUS_METRIC,
                          .score = score,
                          .order = 3};
    double best = 0;
    for (size_t i = 0; i < x->count; i++) {
        const struct observer *o = &x->all[i];
        double weight = o->is_client ? says(x, i, callee, delay) : 0;
        size_t top = 0;
        for (size_t q = 1; q < o->count; q++)
            if (o->test[q].lbf * (o->test[q].shift > 0) > o->test[top].lbf)
                top = q;
        if (!(weight > 0) || !(o->test[top].shift > 0))
            continue;
        uint32_t series = o->series[top];
        r->metric_results[series] = (struct metric_result){
            .test = o->test[top],
            .before = exp(o->test[top].center) - OFFSET_S,
            .after = exp(o->test[top].center + o->test[top].shift) - OFFSET_S};
        fl_rank_add_part(&c, PART_METRIC, series, weight);
        if (weight > best) {
            best = weight;
            c.locus_name = r->timeline->metrics[series].name;
        }
    }
    return best > 0 ? fl_rank_add(r, &c, err) : FL_OK;
}

/* Against the best account without a network: nothing changed, or a service became slower. */
static fl_status weigh_all(struct clients *x, fl_error *err)
{
    size_t services = x->r->timeline->service_count;
    struct verdict *of;
    double usual = 0; /* that nothing changed, or services did */
    fl_status status = FL_RANK_NEW(x->r->arena, of, services, "services", err);
    for (uint32_t s = 0; s < services && status == FL_OK; s++) {
        double slower, faster;
        of[s] = weigh(x, s);
        own_change(x, s, &slower, &faster);
        if (s != x->entry_service && slower > 0)
            usual = log_add(usual, of[s].score + log_own_fault(x, s, slower));
        of[s].score += slower > 0 ? -slower : log_add(0, faster);
    }
    for (uint32_t s = 0; s < services && status == FL_OK; s++)
        if (s != x->entry_service && x->r->shown[s] == s && of[s].score > usual)
            status = add_wire(x, s, of[s].score - usual, of[s].delay, err);
    return status;
}

/* For services.c: a service whose calls take longer is slow for that. */
static void tell_who_waits(struct clients *x)
{
    for (size_t i = 0; i < x->count; i++)
        for (size_t q = 0; q < x->all[i].count && x->all[i].is_client; q++) {
            const fl_lbf_shift *test = &x->all[i].test[q];
            double *waits = &x->r->waits[x->all[i].service];
            *waits = fmax(isnan(*waits) ? -INFINITY : *waits,
                          test->shift > 0 ? test->lbf : fmin(test->lbf, 0));
        }
}

static bool any_client(const struct clients *x)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->all[i].is_client && x->all[i].count > 0)
            return true;
    return false;
}

fl_status fl_rank_clients(struct rank *r, fl_error *err)
{
    struct clients x = {.r = r, .entry_service = FL_NO_INDEX};
    double scale[2] = {0};
    if (r->traces.incident_count > 0 || r->metrics.baseline_count == 0 ||
        r->metrics.incident_count == 0)
        return FL_OK;
    fl_status status = find_observers(&x, err);
    for (int side = 0; side < 2 && status == FL_OK; side++)
        status = side_scale(&scale[side], &x, side == 1, err);
    for (size_t i = 0; i < x.count && status == FL_OK; i++)
        status = test_observer(&x, &x.all[i], scale[x.all[i].is_client], err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.traffic, r->timeline->service_count, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.evidence, x.count * DELAY_COUNT, "observers", err);
    if (status != FL_OK || !any_client(&x))
        return status;
    x.calls = fmin(USUAL_CALLERS / fmax((double)r->timeline->service_count - 1, 1), 0.5);
    tell_who_waits(&x);
    measure_traffic(&x);
    find_entry(&x);
    doubt_the_troubled(&x);
    for (size_t i = 0; i < x.count; i++)
        for (size_t d = 0; d < DELAY_COUNT && x.all[i].is_client && x.all[i].count > 0; d++)
            x.evidence[i * DELAY_COUNT + d] = any_share(&x, &x.all[i], delay_at(d));
    return weigh_all(&x, err);
}
