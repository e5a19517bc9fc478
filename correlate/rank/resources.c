/*
 * resources.c - is something used up? Metrics of saturation (cpu, memory, disk, pool, queue) whose
 * bad direction is known. A share is compared by its log odds, clipped to [2 %, 99 %], so that an
 * idle service going from 0 to 1 % is nothing and one going from 60 to 99 % is much; any other
 * value by its logarithm. A used-up resource explains slow code and slow wires of the same service,
 * so their evidence adds up.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rank_priv.h"

#define MIN_SHARE      0.02
#define MAX_SHARE      0.99
#define SCALE_FALLBACK 0.3
/* A resource that moved the wrong way, or hardly, is not what its service suffers from. */
#define LEAST_LBF (-1.0)
enum { LEAST_COMMON = 3 };

static bool is_saturation(fl_role role)
{
    return role == FL_ROLE_CPU || role == FL_ROLE_MEMORY || role == FL_ROLE_DISK ||
           role == FL_ROLE_POOL || role == FL_ROLE_QUEUE;
}

/* ---- the transform ---- */

static double log_odds(double value, const fl_metric_series *series)
{
    assert(series->share_of > 0);
    double share = fmin(fmax(value / series->share_of, MIN_SHARE), MAX_SHARE);
    return log(share / (1 - share));
}

/* Of values that start at zero, the change to 1 is as large as that from 1 to 3: one is the
 * resolution of what is counted. Where the fleet's usual value is larger, that is. */
static double transform(double value, const fl_metric_series *series, double offset)
{
    if (isnan(value))
        return NAN;
    return series->scale == FL_SCALE_SHARE ? log_odds(value, series) : log(fmax(value, 0) + offset);
}

/* The fleet's median over all baseline values of series with the same name: same_name[0..count). */
static fl_status fleet_median(double *out, struct rank *r, const uint32_t *same_name, size_t count,
                              fl_error *err)
{
    double *all;
    size_t kept = 0;
    fl_arena_reset(&r->scratch);
    fl_status status =
        FL_RANK_NEW(&r->scratch, all, count * r->metrics.baseline_count, "metric values", err);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        for (size_t w = 0; w < r->metrics.baseline_count; w++) {
            double value = r->timeline->metrics[same_name[i]].values[r->metrics.baseline[w]];
            if (!isnan(value))
                all[kept++] = fabs(value);
        }
    double median = status == FL_OK ? fl_median(all, kept) : NAN;
    *out = median > 0 ? median : 1;
    return status;
}

/* ---- the tests ---- */

static double *transformed(struct rank *r, uint32_t index, double offset, const uint32_t *windows,
                           size_t count)
{
    const fl_metric_series *series = &r->timeline->metrics[index];
    double *out = fl_rank_pick(r, series->values, windows, count);
    for (size_t i = 0; i < count && out != NULL; i++)
        out[i] = series->bad_when * transform(out[i], series, offset);
    return out;
}

static fl_status fleet_scale(double *out, struct rank *r, const uint32_t *same_name, size_t count,
                             double offset, fl_error *err)
{
    size_t windows = r->metrics.baseline_count, n = 0;
    double *deviations;
    fl_arena_reset(&r->scratch);
    fl_status status = FL_RANK_NEW(&r->scratch, deviations, count * windows, "deviations", err);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        double *own = transformed(r, same_name[i], offset, r->metrics.baseline, windows);
        size_t kept = 0;
        if (own == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for metric values");
        for (size_t w = 0; w < windows; w++)
            if (!isnan(own[w]))
                own[kept++] = own[w];
        double median = fl_median(own, kept);
        for (size_t w = 0; w < kept && kept > 1; w++)
            deviations[n++] = fabs(own[w] - median);
    }
    if (status == FL_OK)
        *out = fl_fleet_scale(deviations, n, SCALE_FALLBACK);
    return status;
}

double fl_rank_median(struct rank *r, uint32_t metric, const uint32_t *windows, size_t count)
{
    double *picked = fl_rank_pick(r, r->timeline->metrics[metric].values, windows, count);
    size_t kept = 0;
    for (size_t i = 0; i < count && picked != NULL; i++)
        if (!isnan(picked[i]))
            picked[kept++] = picked[i];
    return picked != NULL ? fl_median(picked, kept) : NAN;
}

static fl_status test_metric(struct rank *r, uint32_t index, double offset, double scale,
                             fl_error *err)
{
    struct metric_result *out = &r->metric_results[index];
    size_t past = r->metrics.baseline_count, count = r->metrics.incident_count;
    fl_arena_reset(&r->scratch);
    double *history = transformed(r, index, offset, r->metrics.baseline, past);
    double *now = transformed(r, index, offset, r->metrics.incident, count);
    if (history == NULL || now == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for metric values");
    fl_status status = fl_lbf_learn(history, past, scale, &r->scratch, err);
    fl_lbf_values test = {.baseline = history,
                          .baseline_count = past,
                          .incident = now,
                          .incident_count = count,
                          .prior_scale = scale,
                          .rises_only = true};
    if (status == FL_OK)
        status = fl_lbf_values_test(&out->test, &test, &r->scratch, err);
    if (status != FL_OK || out->test.baseline_count == 0)
        return status;
    out->is_evidence = true;
    out->before = fl_rank_median(r, index, r->metrics.baseline, past);
    out->after = fl_rank_median(r, index, r->metrics.incident + out->test.onset,
                                out->test.end - out->test.onset);
    return status;
}

/* All series of one name share their scale. */
static fl_status test_name(struct rank *r, const uint32_t *same_name, size_t count, fl_error *err)
{
    double offset = 1, scale = SCALE_FALLBACK;
    fl_status status = fleet_median(&offset, r, same_name, count, err);
    if (status == FL_OK)
        status = fleet_scale(&scale, r, same_name, count, offset, err);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = test_metric(r, same_name[i], offset, scale, err);
    return status;
}

struct named {
    const char *name, *statistic;
    uint32_t index;
};

static int compare_names(const void *left, const void *right)
{
    const struct named *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    if (order == 0)
        order = strcmp(a->statistic, b->statistic);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* The series that can be evidence, grouped by name and statistic. */
static fl_status group_by_name(struct named **out, size_t *count, struct rank *r, fl_error *err)
{
    const fl_timeline *t = r->timeline;
    fl_status status = FL_RANK_NEW(r->arena, *out, t->metric_series_count, "metric series", err);
    *count = 0;
    for (uint32_t i = 0; i < t->metric_series_count && status == FL_OK; i++) {
        const fl_metric_series *series = &t->metrics[i];
        if (is_saturation(series->role) && series->bad_when != 0 && !series->is_host)
            (*out)[(*count)++] =
                (struct named){.name = series->name,
                               .statistic = series->statistic != NULL ? series->statistic : "",
                               .index = i};
    }
    if (status == FL_OK)
        qsort(*out, *count, sizeof(**out), compare_names);
    return status;
}

static bool same_group(const struct named *a, const struct named *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->statistic, b->statistic) == 0;
}

static fl_status test_all(struct rank *r, fl_error *err)
{
    struct named *order;
    uint32_t *group;
    size_t count;
    fl_status status = group_by_name(&order, &count, r, err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, group, count, "metric series", err);
    for (size_t i = 0; i < count && status == FL_OK;) {
        size_t same = 0;
        for (; i + same < count && same_group(&order[i], &order[i + same]); same++)
            group[same] = order[i + same].index;
        status = test_name(r, group, same, err);
        i += same;
    }
    return status;
}

/* ---- candidates ---- */

static const struct {
    fl_role role;
    fl_cause cause;
    fl_resource_kind resource;
} kinds[] = {{FL_ROLE_CPU, FL_CAUSE_CPU, FL_RESOURCE_CPU},
             {FL_ROLE_MEMORY, FL_CAUSE_MEMORY, FL_RESOURCE_MEMORY},
             {FL_ROLE_DISK, FL_CAUSE_DISK, FL_RESOURCE_DISK},
             {FL_ROLE_POOL, FL_CAUSE_POOL, FL_RESOURCE_NONE},
             {FL_ROLE_QUEUE, FL_CAUSE_POOL, FL_RESOURCE_NONE}};

/* The strongest series of a role of a service. Where shares are measured, only they count: a
 * tenfold rise of an idle service's cpu seconds is nothing, its share says so. */
uint32_t fl_rank_strongest(const struct rank *r, uint32_t service, fl_role role)
{
    const fl_timeline *t = r->timeline;
    uint32_t best[2] = {FL_NO_INDEX, FL_NO_INDEX};
    for (uint32_t i = 0; i < t->metric_series_count; i++) {
        const fl_metric_series *series = &t->metrics[i];
        if (t->entities[series->entity].service != service || series->role != role ||
            !r->metric_results[i].is_evidence)
            continue;
        uint32_t *slot = &best[series->scale == FL_SCALE_SHARE];
        if (*slot == FL_NO_INDEX ||
            r->metric_results[i].test.lbf > r->metric_results[*slot].test.lbf)
            *slot = i;
    }
    return best[1] != FL_NO_INDEX ? best[1] : best[0];
}

/* Mann-Kendall's test for a trend (Kendall 1938), one-sided at 5 %, over the incident's windows:
 * memory that keeps rising leaks, memory that jumped is merely used. */
static bool only_rises(struct rank *r, uint32_t metric)
{
    const double *values = r->timeline->metrics[metric].values;
    const struct sides *m = &r->metrics;
    double s = 0, n = 0;
    for (size_t j = 0; j < m->incident_count; j++) {
        double later = values[m->incident[j]];
        n += !isnan(later);
        for (size_t i = 0; i < j; i++) {
            double earlier = values[m->incident[i]];
            if (!isnan(earlier) && !isnan(later))
                s += (later > earlier) - (later < earlier);
        }
    }
    double variance = n * (n - 1) * (2 * n + 5) / 18;
    return variance > 0 && (s - 1) / sqrt(variance) > 1.6448536;
}

/* Whether the resource was used up while `effect` lasted. A metric may lag by the window over which
 * it is averaged, and is no cause of what began after it had recovered. */
static bool explains(const struct rank *r, uint32_t metric, const struct evidence_part *effect)
{
    const struct evidence_part own = {.kind = PART_METRIC, .index = metric};
    fl_range used_up = fl_rank_span(r, &own), lasted = fl_rank_span(r, effect);
    return used_up.to_ns > lasted.from_ns && used_up.from_ns <= lasted.to_ns;
}

/* A used-up resource makes code and wires slow: what of it is seen adds up; that nothing is, though
 * it would be, speaks against. */
static void add_effects(struct candidate *c, struct rank *r, uint32_t metric)
{
    uint32_t slow = fl_rank_slowest(r, c->service), wires = r->network[c->service];
    const struct candidate *network = wires != FL_NO_INDEX ? &r->candidates[wires] : NULL;
    struct evidence_part code = {.kind = PART_VALUE, .index = slow};
    code.weight = slow != FL_NO_INDEX ? r->values[slow].test.lbf : 0;
    if (network != NULL && network->score >= code.weight) {
        if (!explains(r, metric, &network->parts[0]))
            return;
        for (size_t i = 0; i < network->part_count; i++)
            fl_rank_add_part(c, network->parts[i].kind, network->parts[i].index,
                             network->parts[i].weight);
        c->score += network->score;
    } else if (slow != FL_NO_INDEX && r->values[slow].test.end > 0 &&
               (code.weight < 0 || explains(r, metric, &code))) {
        fl_rank_add_part(c, code.kind, code.index, code.weight);
        c->score += code.weight;
    }
}

/* What rises in more than half of the services at once is load, or something that they share, and
 * no cause of one of them. */
static bool is_common(const struct rank *r, size_t kind)
{
    size_t measured = 0, risen = 0;
    for (uint32_t s = 0; s < r->timeline->service_count; s++) {
        uint32_t metric = fl_rank_strongest(r, s, kinds[kind].role);
        measured += metric != FL_NO_INDEX;
        risen += metric != FL_NO_INDEX && r->metric_results[metric].test.lbf > FL_LBF_REAL;
    }
    return risen >= LEAST_COMMON && 2 * risen > measured;
}

static fl_status add_resource(struct rank *r, uint32_t service, size_t kind, bool common,
                              fl_error *err)
{
    assert(kind < sizeof(kinds) / sizeof(kinds[0]));
    uint32_t metric = fl_rank_strongest(r, service, kinds[kind].role);
    if (metric == FL_NO_INDEX || r->metric_results[metric].test.lbf <= LEAST_LBF ||
        r->metric_results[metric].test.shift <= 0)
        return FL_OK;
    double own = r->metric_results[metric].test.lbf;
    struct candidate c = {.service = service,
                          .cause = kinds[kind].cause,
                          .resource = kinds[kind].resource,
                          .locus = FL_LOCUS_METRIC,
                          .locus_name = r->timeline->metrics[metric].name,
                          .score = own,
                          .order = 2};
    if (c.cause == FL_CAUSE_MEMORY && only_rises(r, metric))
        c.cause = FL_CAUSE_MEMORY_LEAK;
    fl_rank_add_part(&c, PART_METRIC, metric, own);
    add_effects(&c, r, metric);
    if (common)
        c.score = fl_rank_below_gate(c.score);
    return fl_rank_add(r, &c, err);
}

fl_status fl_rank_resources(struct rank *r, fl_error *err)
{
    fl_status status = FL_RANK_NEW(r->arena, r->metric_results, r->timeline->metric_series_count,
                                   "metric series", err);
    if (status != FL_OK || r->metrics.baseline_count == 0 || r->metrics.incident_count == 0)
        return status;
    status = test_all(r, err);
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]) && status == FL_OK; kind++) {
        bool common = is_common(r, kind);
        for (uint32_t s = 0; s < r->timeline->service_count && status == FL_OK; s++)
            status = add_resource(r, s, kind, common, err);
    }
    return status;
}
