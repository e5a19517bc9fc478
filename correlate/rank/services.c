/*
 * services.c - where there are no spans: the latency and the errors of services along the call
 * graph.
 *
 * The excess of a service is how many seconds (or failed requests) more than usual it gives its
 * callers in the worst window of the symptom's service. A callee's excess is shared out among its
 * callers and taken off theirs, weighted by how sure it is that the callee changed; what is left is
 * the service's own. Its share of the symptom's excess, times the probability that it changed at
 * all, is the probability that it is the cause. Cost: services times windows, and edges.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rank_priv.h"

/* What "usual" means for a level: the hour before. The far baseline tells how much it varies. */
static const int64_t recent_ns = INT64_C(3600) * 1000000000;

#define SCALE_FALLBACK 0.25
#define MODEL_SCALE    0.1 /* a change of 10 % is never beyond noise by its size alone */
#define HISTORY_WEIGHT                                                                             \
    50.0 /* samples that a service's own history counts as, against the fleet's 4 */
#define LATENCY_OFFSET 1e-4 /* s */
#define SHIFT_SCALE    2.3025851
#define LEAST_ODDS     1e-6
#define MOST_PROBABLE  0.999
#define ALL_FAIL       0.999 /* where always everything fails, failure is not what is measured */
enum { STUDENT_DEGREES = 4 };

enum symptom { SYMPTOM_LATENCY, SYMPTOM_ERRORS, SYMPTOM_COUNT };

struct node {
    uint32_t badness, traffic; /* metric series, FL_NO_INDEX: none */
    double base, now, requests;
    double excess, own, lbf, own_scale;
    double peak;           /* the most excess of any window */
    bool reachable, known; /* known: something was measured before */
};

struct services {
    struct rank *r;
    enum symptom symptom;
    struct node *nodes;
    uint32_t star; /* the window that is explained */
    int64_t cadence_ns;
    double *ys;
};

static double value_at(const struct services *x, uint32_t series, uint32_t window)
{
    return series != FL_NO_INDEX ? x->r->timeline->metrics[series].values[window] : NAN;
}

static double requests_at(const struct services *x, uint32_t service, uint32_t window)
{
    double requests = value_at(x, x->nodes[service].traffic, window);
    if (x->nodes[service].traffic == FL_NO_INDEX)
        return 1;
    requests =
        fl_rank_requests(x->r, &x->r->timeline->metrics[x->nodes[service].traffic], requests);
    return isnan(requests) ? 0 : fmax(requests, 0);
}

/* Seconds a request, or the share of requests that failed. */
static double badness_at(const struct services *x, uint32_t service, uint32_t window)
{
    uint32_t index = x->nodes[service].badness;
    double value = value_at(x, index, window);
    if (index == FL_NO_INDEX || isnan(value) || x->symptom == SYMPTOM_LATENCY)
        return value;
    const fl_metric_series *series = &x->r->timeline->metrics[index];
    if (series->scale == FL_SCALE_SHARE) {
        double share = fmin(fmax(value / series->share_of, 0), 1);
        return series->bad_when < 0 ? 1 - share : share;
    }
    return value / fmax(requests_at(x, service, window), 1);
}

static double log_badness(const struct services *x, uint32_t service, uint32_t window)
{
    double bad = badness_at(x, service, window), requests = requests_at(x, service, window);
    if (isnan(bad))
        return NAN;
    return x->symptom == SYMPTOM_LATENCY ? log(fmax(bad, 0) + LATENCY_OFFSET)
                                         : log((bad * requests + 0.5) / (requests + 1));
}

/* ---- one service ---- */

/* The usual distance of samples. A sample may speak of all the time up to the next one. */
static int64_t cadence_ns(const struct services *x)
{
    const struct sides *m = &x->r->metrics;
    const fl_window *windows = x->r->timeline->windows;
    size_t count = 0;
    for (size_t i = 1; i < m->baseline_count; i++)
        x->ys[count++] =
            (double)(windows[m->baseline[i]].from_ns - windows[m->baseline[i - 1]].from_ns);
    return count > 0 ? (int64_t)fl_median(x->ys, count) : x->r->timeline->step_ns;
}

/* Within the hour before, and over before the incident's time. */
static bool is_recent(const struct services *x, uint32_t window)
{
    const fl_timeline *t = x->r->timeline;
    return t->windows[window].from_ns + x->cadence_ns <= t->at_ns &&
           t->at_ns - t->windows[window].from_ns <= recent_ns;
}

static bool any_recent(const struct services *x)
{
    const struct sides *m = &x->r->metrics;
    for (size_t i = 0; i < m->baseline_count; i++)
        if (is_recent(x, m->baseline[i]))
            return true;
    return false;
}

/* How far a value usually is from the two before it. */
static double own_scale(struct services *x, uint32_t service)
{
    const struct sides *m = &x->r->metrics;
    double two[2] = {NAN, NAN};
    size_t count = 0;
    for (size_t i = 0; i < m->baseline_count; i++) {
        double y = log_badness(x, service, m->baseline[i]);
        if (isnan(y))
            continue;
        if (!isnan(two[0]))
            x->ys[count++] = fabs(y - (two[0] + two[1]) / 2);
        two[0] = two[1];
        two[1] = y;
    }
    return fl_fleet_scale(x->ys, count, NAN);
}

/* The usual level (weighted by requests), its median logarithm, and from how many windows. */
static size_t usual(struct services *x, uint32_t service, bool recent_only, double *level,
                    double *log_level)
{
    const struct sides *m = &x->r->metrics;
    double weighted = 0, weight = 0, plain = 0;
    size_t count = 0;
    for (size_t i = 0; i < m->baseline_count; i++) {
        uint32_t w = m->baseline[i];
        double bad = badness_at(x, service, w), requests = requests_at(x, service, w);
        if (isnan(bad) || (recent_only && !is_recent(x, w)))
            continue;
        weighted += bad * requests;
        weight += requests;
        plain += bad;
        x->ys[count++] = log_badness(x, service, w);
    }
    *level = weight > 0 ? weighted / weight : count > 0 ? plain / (double)count : NAN;
    *log_level = fl_median(x->ys, count);
    return count;
}

static void measure(struct services *x, uint32_t service, bool recent_only, double fleet)
{
    struct node *n = &x->nodes[service];
    double log_level;
    size_t count = usual(x, service, recent_only, &n->base, &log_level);
    if (count == 0 && recent_only)
        count = usual(x, service, false, &n->base, &log_level);
    n->now = badness_at(x, service, x->star);
    n->requests = requests_at(x, service, x->star);
    n->known = count > 0 && (x->symptom != SYMPTOM_ERRORS || n->base < ALL_FAIL);
    if (!n->known || isnan(n->now))
        return; /* a dependency never seen before is its caller's change */
    n->excess = n->requests * fmax(0, n->now - n->base);
    double own = isnan(n->own_scale) ? fleet : n->own_scale;
    double sigma = (STUDENT_DEGREES * fleet * fleet + HISTORY_WEIGHT * own * own) /
                   (STUDENT_DEGREES + HISTORY_WEIGHT);
    sigma *= 1 + 0.5 / (double)count;
    sigma += MODEL_SCALE * MODEL_SCALE +
             (x->symptom == SYMPTOM_ERRORS ? 1 : 0.25) / fmax(n->requests, 1);
    sigma = sqrt(sigma);
    double shift = log_badness(x, service, x->star) - log_level, spread = hypot(SHIFT_SCALE, sigma);
    n->lbf = fl_log_student(shift / spread, 1) - log(spread) -
             fl_log_student(shift / sigma, STUDENT_DEGREES) + log(sigma);
    if (shift <= 0)
        n->lbf = fmin(n->lbf, 0);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* ---- along the graph ---- */

static void take_off_callees(struct services *x)
{
    assert(x->nodes != NULL);
    const fl_timeline *t = x->r->timeline;
    for (size_t s = 0; s < t->service_count; s++)
        x->nodes[s].own = x->nodes[s].excess;
    for (uint32_t callee = 0; callee < t->service_count; callee++) {
        double excess = 0, requests = 0;
        for (size_t e = 0; e < t->topology_count; e++)
            if (t->topology[e].callee == callee) {
                excess += x->nodes[t->topology[e].caller].excess;
                requests += x->nodes[t->topology[e].caller].requests;
            }
        for (size_t e = 0; e < t->topology_count; e++) {
            struct node *caller = &x->nodes[t->topology[e].caller];
            if (t->topology[e].callee != callee || t->topology[e].caller == callee)
                continue;
            double part = excess > 0     ? caller->excess / excess
                          : requests > 0 ? caller->requests / requests
                                         : 0;
            caller->own -= part * x->nodes[callee].excess * sigmoid(x->nodes[callee].lbf);
        }
    }
    for (size_t s = 0; s < t->service_count; s++)
        x->nodes[s].own = fmax(0, x->nodes[s].own);
}

/* Everything without a given call graph; else what the symptom's service calls, however far. */
static void mark_reachable(struct services *x, uint32_t target)
{
    const fl_timeline *t = x->r->timeline;
    bool grew = true;
    x->nodes[target].reachable = true;
    while (grew) {
        grew = false;
        for (size_t e = 0; e < t->topology_count; e++)
            if (x->nodes[t->topology[e].caller].reachable &&
                !x->nodes[t->topology[e].callee].reachable)
                grew = x->nodes[t->topology[e].callee].reachable = true;
    }
    for (size_t s = 0; s < t->service_count && t->topology_count == 0; s++)
        x->nodes[s].reachable = true;
}

/* The usual level as the series itself would show it. */
static double usual_value(const struct services *x, const struct node *n)
{
    const fl_metric_series *series = &x->r->timeline->metrics[n->badness];
    if (x->symptom == SYMPTOM_LATENCY)
        return n->base;
    if (series->scale == FL_SCALE_SHARE)
        return (series->bad_when < 0 ? 1 - n->base : n->base) * series->share_of;
    return n->base * fmax(n->requests, 1);
}

/* ---- what is not measured ---- */

/* Services that may be below the symptom's and of which this symptom is not measured. */
static size_t count_hidden(const struct services *x)
{
    size_t hidden = 0;
    for (uint32_t s = 0; s < x->r->timeline->service_count; s++)
        hidden += x->r->shown[s] == s && x->nodes[s].reachable && !x->nodes[s].known;
    return hidden;
}

/* Where nothing says who calls whom, what is seen at a service may be of any that is not measured.
 * Each is as probable beforehand. */
static void share_with_hidden(struct services *x)
{
    double hidden = (double)count_hidden(x);
    assert(hidden >= 0);
    for (uint32_t s = 0; s < x->r->timeline->service_count; s++)
        if (x->r->timeline->topology_count == 0)
            x->nodes[s].own /= 1 + hidden;
}

/* Where what a service calls takes longer, it waits, which is no slowness of its own. */
static double not_waiting(const struct services *x, uint32_t service)
{
    double waits = x->r->waits[service];
    return x->symptom == SYMPTOM_LATENCY && !isnan(waits) ? 1 - sigmoid(waits) : 1;
}

static void note_result(struct services *x, const struct node *n)
{
    assert(n->badness != FL_NO_INDEX);
    x->r->metric_results[n->badness] =
        (struct metric_result){.before = usual_value(x, n),
                               .after = x->r->timeline->metrics[n->badness].values[x->star],
                               .test = {.lbf = n->lbf},
                               .window = x->star};
}

static fl_status add_service(struct services *x, uint32_t service, uint32_t target, fl_error *err)
{
    assert(x->nodes[target].excess > 0);
    const struct node *n = &x->nodes[service];
    const fl_timeline *t = x->r->timeline;
    double share = fmin(1, n->own / x->nodes[target].excess) * not_waiting(x, service);
    /* One service in twenty differs by chance in some window: at the gate it is even. */
    double p = fmin(share * sigmoid(n->lbf - FL_LBF_REAL), MOST_PROBABLE);
    if (n->known && n->lbf > FL_LBF_REAL) { /* it looks bad, by itself or by its callees */
        x->r->explained[service] = n->badness;
        note_result(x, n);
    }
    if (!n->reachable || !n->known || !(n->own > 0) || !(p > LEAST_ODDS))
        return FL_OK;
    struct candidate c = {
        .service = service,
        .cause = x->symptom == SYMPTOM_ERRORS ? FL_CAUSE_EXCEPTION : FL_CAUSE_UNKNOWN,
        .locus = FL_LOCUS_METRIC,
        .locus_name = t->metrics[n->badness].name,
        /* The Bayes factor: against the prior odds of 1 to 20, shared by the services. */
        .score = log(p / (1 - p)) + FL_LBF_REAL + log(fmax((double)t->service_count - 1, 1)),
        .order = 3};
    fl_rank_add_part(&c, PART_SERVICE, n->badness, c.score);
    note_result(x, n);
    return fl_rank_add(x->r, &c, err);
}

/* The service whose symptom it is: the one that was named, else the one with the most excess of
 * those that nobody calls, else of all. */
static uint32_t find_target(const struct services *x)
{
    const fl_timeline *t = x->r->timeline;
    uint32_t best = FL_NO_INDEX;
    bool best_is_entry = false;
    for (uint32_t s = 0; s < t->service_count; s++) {
        bool entry = true;
        if (x->r->question->symptom_service != NULL &&
            strcmp(t->services[s], x->r->question->symptom_service) == 0)
            return s;
        for (size_t e = 0; e < t->topology_count; e++)
            entry &= t->topology[e].callee != s || t->topology[e].caller == s;
        if (best == FL_NO_INDEX || (entry && !best_is_entry) ||
            (entry == best_is_entry && x->nodes[s].peak > x->nodes[best].peak)) {
            best = s;
            best_is_entry = entry;
        }
    }
    return best;
}

static double fleet_scale(struct services *x)
{
    size_t count = 0, services = x->r->timeline->service_count;
    for (uint32_t s = 0; s < services; s++)
        x->nodes[s].own_scale = own_scale(x, s);
    for (size_t s = 0; s < services; s++)
        if (!isnan(x->nodes[s].own_scale))
            x->ys[count++] = x->nodes[s].own_scale;
    return count > 0 ? fl_median(x->ys, count) : SCALE_FALLBACK;
}

static void measure_all(struct services *x, uint32_t window, bool recent_only, double fleet)
{
    x->star = window;
    for (uint32_t s = 0; s < x->r->timeline->service_count; s++) {
        x->nodes[s].excess = x->nodes[s].lbf = 0;
        measure(x, s, recent_only, fleet);
    }
}

static fl_status rank_symptom(struct services *x, fl_error *err)
{
    const struct sides *m = &x->r->metrics;
    size_t services = x->r->timeline->service_count;
    fl_role role = x->symptom == SYMPTOM_LATENCY ? FL_ROLE_LATENCY : FL_ROLE_ERRORS;
    memset(x->nodes, 0, services * sizeof(*x->nodes));
    for (uint32_t s = 0; s < services; s++) {
        x->nodes[s].badness = fl_rank_choose_series(x->r, s, role);
        x->nodes[s].traffic = fl_rank_choose_series(x->r, s, FL_ROLE_TRAFFIC);
    }
    bool recent = any_recent(x);
    double fleet = fleet_scale(x);
    for (size_t i = 0; i < m->incident_count; i++) {
        measure_all(x, m->incident[i], recent, fleet);
        for (uint32_t s = 0; s < services; s++)
            x->nodes[s].peak = fmax(x->nodes[s].peak, x->nodes[s].excess);
    }
    uint32_t target = find_target(x);
    if (!(x->nodes[target].peak > 0))
        return FL_OK;
    for (size_t i = 0; i < m->incident_count; i++) {
        measure_all(x, m->incident[i], recent, fleet);
        if (x->nodes[target].excess == x->nodes[target].peak)
            break;
    }
    take_off_callees(x);
    mark_reachable(x, target);
    share_with_hidden(x);
    fl_status status = FL_OK;
    for (uint32_t s = 0; s < services && status == FL_OK; s++)
        status = add_service(x, s, target, err);
    return status;
}

fl_status fl_rank_services(struct rank *r, fl_error *err)
{
    struct services x = {.r = r};
    if (r->traces.incident_count > 0 || r->metrics.baseline_count == 0 ||
        r->metrics.incident_count == 0 || r->timeline->service_count == 0)
        return FL_OK;
    size_t most = r->metrics.baseline_count + r->timeline->service_count;
    fl_status status = FL_RANK_NEW(r->arena, x.nodes, r->timeline->service_count, "services", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, x.ys, most, "windows", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, r->explained, r->timeline->service_count, "services", err);
    for (size_t s = 0; s < r->timeline->service_count && status == FL_OK; s++)
        r->explained[s] = FL_NO_INDEX;
    if (status == FL_OK)
        x.cadence_ns = cadence_ns(&x);
    for (int symptom = 0; symptom < SYMPTOM_COUNT && status == FL_OK; symptom++) {
        x.symptom = (enum symptom)symptom;
        status = rank_symptom(&x, err);
    }
    return status;
}
