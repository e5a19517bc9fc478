/*
 * finish_metrics.c - samples into one value per window.
 *
 * A level is the mean of its samples in the window. A counter becomes a rate: the increments
 * between neighbouring samples (a fall is a restart: the new value is the increment), over the time
 * between them. A histogram becomes its rate, its mean and its 99th percentile (linear inside a
 * bucket, as Prometheus' histogram_quantile); a bucket that was empty until now, which exponential
 * histograms do not send, counts from 0. Series are sorted by entity, name, attributes, part.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "mem.h"
#include "slice.h"
#include "timeline_priv.h"

/* Samples further apart than Prometheus' lookback are not neighbours: nobody watched in between. */
static const int64_t max_gap_ns = INT64_C(300) * 1000000000;
enum { MAX_BUCKETS = 512 };

/* A series by the ranks of its names, so that its place does not depend on what came first. */
struct sorted_series {
    const struct raw_series *raw;
    const char *name, *unit, *attributes;
    uint32_t entity;
    const struct raw_sample *samples;
    size_t sample_count;
};

/* The work in hand. A series of samples may become several: a rate, a mean, a percentile. */
struct metrics {
    fl_timeline_builder *b;
    const struct ranks *ranks;
    struct sorted_series *sorted;
    size_t sorted_count;
    fl_metric_series *out;
    size_t out_count, out_max;
    fl_map *role_ids; /* name << 32 | unit -> index into roles */
    fl_metric_role *roles;
    size_t role_count;
    double *scratch; /* windows x (2 + MAX_BUCKETS) */
};

/* Parts of a metric come in the order of their enum: the count before the sum before the buckets,
 * which is what emit_metric() relies on; buckets by their bounds. */
static int compare_sorted(const void *left, const void *right)
{
    const struct sorted_series *a = left, *b = right;
    if (a->entity != b->entity)
        return a->entity < b->entity ? -1 : 1;
    int order = strcmp(a->name, b->name);
    if (order == 0)
        order = strcmp(a->attributes, b->attributes);
    if (order == 0)
        order = strcmp(a->unit, b->unit);
    if (order != 0)
        return order;
    if (a->raw->part != b->raw->part)
        return a->raw->part < b->raw->part ? -1 : 1;
    return (a->raw->param > b->raw->param) - (a->raw->param < b->raw->param);
}

/* Interned names: equal ids are equal texts. */
static bool same_metric(const struct sorted_series *a, const struct sorted_series *b)
{
    return a->entity == b->entity && a->raw->name == b->raw->name && a->raw->unit == b->raw->unit &&
           a->raw->attributes == b->raw->attributes;
}

/* Those in windows that are not kept. */
static void drop_far_samples(fl_timeline_builder *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->sample_count; i++)
        if (fl_tl_window(b, b->samples[i].time_ns) != FL_NO_INDEX)
            b->samples[kept++] = b->samples[i];
    b->sample_count = kept;
}

/* Names to ranks, samples to their series and windows; then in order. */
static fl_status sort_series(struct metrics *m, fl_error *err)
{
    fl_timeline_builder *b = m->b;
    fl_status status = FL_TL_NEW(b, m->sorted, b->series_count, "metric series", err);
    if (status != FL_OK)
        return status;
    m->sorted_count = b->series_count;
    for (size_t i = 0; i < b->series_count; i++) {
        const struct raw_series *raw = &b->series[i];
        m->sorted[i] = (struct sorted_series){.raw = raw,
                                              .name = m->ranks->text[raw->name],
                                              .unit = m->ranks->text[raw->unit],
                                              .attributes = m->ranks->text[raw->attributes],
                                              .entity = m->ranks->entity[raw->entity]};
    }
    for (size_t i = 0; i < b->sample_count; i++) { /* settled: sorted by series, then time */
        struct sorted_series *series = &m->sorted[b->samples[i].series];
        if (series->sample_count++ == 0)
            series->samples = &b->samples[i];
        b->samples[i].window = fl_tl_window(b, b->samples[i].time_ns);
        assert(b->samples[i].window != FL_NO_INDEX);
        b->sorted_windows[b->samples[i].window].has_metrics = true;
    }
    size_t kept = 0; /* a budget may have left series without samples */
    for (size_t i = 0; i < m->sorted_count; i++)
        if (m->sorted[i].sample_count > 0)
            m->sorted[kept++] = m->sorted[i];
    m->sorted_count = kept;
    qsort(m->sorted, m->sorted_count, sizeof(*m->sorted), compare_sorted);
    return FL_OK;
}

/* Rules are regular expressions: each pair of name and unit is asked about once. */
static fl_status find_role(fl_metric_role *out, struct metrics *m, const struct raw_series *raw,
                           fl_error *err)
{
    uint64_t *slot = NULL;
    bool added = false;
    fl_status status =
        fl_map_slot(&slot, m->role_ids, (uint64_t)raw->name << 32 | raw->unit, &added, err);
    if (status == FL_OK && added) {
        *slot = m->role_count;
        status = fl_roles_find(&m->roles[m->role_count], m->b->options.roles,
                               fl_intern_text(m->b->names, raw->name),
                               fl_intern_text(m->b->names, raw->unit), err);
        m->role_count++;
    }
    if (status == FL_OK)
        *out = m->roles[*slot];
    return status;
}

/* A window without samples has no value, which is not 0. */
static void fill_nan(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = NAN;
}

/* Levels: neighbours do not matter, only who is in the window. */
static void mean_per_window(double *out, size_t windows, const struct sorted_series *series)
{
    assert(out != NULL);
    fill_nan(out, windows);
    for (size_t i = 0; i < series->sample_count;) {
        uint32_t window = series->samples[i].window;
        double sum = 0;
        size_t first = i;
        for (; i < series->sample_count && series->samples[i].window == window; i++)
            sum += series->samples[i].value;
        out[window] = sum / (double)(i - first);
    }
}

/* How much a counter grew in each window, and over how many seconds that was seen (may be NULL). */
static void growth_per_window(double *out, double *seconds, const struct metrics *m,
                              const struct sorted_series *series)
{
    size_t windows = m->b->window_count;
    bool change = fl_tl_is_change(series->raw->part);
    double step_s = (double)m->b->options.step_ns / 1e9;
    memset(out, 0, windows * sizeof(*out));
    if (seconds != NULL)
        memset(seconds, 0, windows * sizeof(*seconds));
    for (size_t i = change ? 0 : 1; i < series->sample_count; i++) {
        const struct raw_sample *at = &series->samples[i];
        if (change) {
            out[at->window] += at->value;
            if (seconds != NULL)
                seconds[at->window] = step_s;
            continue;
        }
        const struct raw_sample *before = at - 1;
        if (at->time_ns - before->time_ns > max_gap_ns)
            continue;
        out[at->window] += at->value >= before->value ? at->value - before->value : at->value;
        if (seconds != NULL)
            seconds[at->window] += (double)(at->time_ns - before->time_ns) / 1e9;
    }
}

/* What a bucket held when it first appeared, of that what came since the metric's last sample. */
static double first_growth(const struct sorted_series *bucket, const struct sorted_series *events)
{
    if (events == NULL || bucket->sample_count == 0)
        return 0;
    const struct raw_sample *first = &bucket->samples[0];
    size_t before = 0;
    while (before < events->sample_count && events->samples[before].time_ns < first->time_ns)
        before++;
    bool watched = before > 0 && first->time_ns - events->samples[before - 1].time_ns <= max_gap_ns;
    return watched ? first->value : 0;
}

/* One series of the timeline; *values is NULL where the budget is used up, which is counted. What a
 * histogram of durations is counted by is traffic, whatever its name says of latency. */
static fl_status emit(struct metrics *m, const struct sorted_series *series, const char *statistic,
                      double **values, fl_error *err)
{
    fl_timeline_builder *b = m->b;
    *values = NULL;
    if ((m->out_count + 1) * b->window_count > FL_MAX_SERIES_CELLS || m->out_count == m->out_max) {
        b->over_budget++;
        return FL_OK;
    }
    fl_metric_role role;
    fl_status status = find_role(&role, m, series->raw, err);
    if (status == FL_OK)
        status = FL_TL_NEW(b, *values, b->window_count, "metric values", err);
    if (status != FL_OK)
        return status;
    bool is_rate = statistic != NULL && strcmp(statistic, "rate") == 0;
    bool counts_events = is_rate && series->raw->part >= PART_COUNT_TOTAL;
    m->out[m->out_count++] = (fl_metric_series){
        .entity = series->entity,
        .name = series->name,
        .statistic = statistic,
        .attributes = series->attributes,
        .unit = counts_events ? "1/s" : series->unit,
        .role = counts_events && role.role == FL_ROLE_LATENCY ? FL_ROLE_TRAFFIC : role.role,
        .scale = role.scale,
        .share_of = role.share_of,
        .is_host = role.is_host,
        .bad_when = role.bad_when,
        .values = *values};
    return FL_OK;
}

/* Growth over the time in which it was seen: a window that nobody watched has no rate. */
static fl_status emit_rate(struct metrics *m, const struct sorted_series *series, fl_error *err)
{
    double *values;
    fl_status status = emit(m, series, "rate", &values, err);
    if (status != FL_OK || values == NULL)
        return status;
    growth_per_window(values, m->scratch, m, series);
    for (size_t w = 0; w < m->b->window_count; w++)
        values[w] = m->scratch[w] > 0 ? values[w] / m->scratch[w] : NAN;
    return FL_OK;
}

/* Growth of the sum over growth of the count; without events there is no mean. */
static fl_status emit_mean(struct metrics *m, const struct sorted_series *count,
                           const struct sorted_series *sum, fl_error *err)
{
    double *values;
    fl_status status = emit(m, count, "mean", &values, err);
    if (status != FL_OK || values == NULL)
        return status;
    growth_per_window(values, NULL, m, sum);
    growth_per_window(m->scratch, NULL, m, count);
    for (size_t w = 0; w < m->b->window_count; w++)
        values[w] = m->scratch[w] > 0 ? values[w] / m->scratch[w] : NAN;
    return FL_OK;
}

/* The 99th percentile of one window's bucket counts; bounds rise and the last may be infinite. */
static double percentile_99(const struct sorted_series *buckets, size_t count, const double *growth,
                            size_t stride)
{
    assert(count > 0 && stride > 0);
    double total = 0, below = 0;
    for (size_t i = 0; i < count; i++)
        total += growth[i * stride];
    if (total <= 0)
        return NAN;
    for (size_t i = 0; i < count; i++) {
        double here = growth[i * stride], upper = buckets[i].raw->param;
        double lower = i > 0 ? buckets[i - 1].raw->param : fmin(0, upper);
        if (below + here >= 0.99 * total && here > 0)
            return isinf(upper) ? lower : lower + (upper - lower) * (0.99 * total - below) / here;
        below += here;
    }
    return NAN;
}

/* Counts of all up to each bound become counts of each bucket. Buckets that were not read in the
 * same moment may make one negative: it is then empty. */
static void split_buckets(double *growth, size_t count, size_t stride)
{
    assert(stride > 0);
    for (size_t i = count; i-- > 1;)
        growth[i * stride] = fmax(0, growth[i * stride] - growth[(i - 1) * stride]);
}

/* Buckets of one metric, of which a single one without a bound tells nothing. */
static fl_status emit_percentile(struct metrics *m, const struct sorted_series *events,
                                 const struct sorted_series *buckets, size_t count, fl_error *err)
{
    assert(count > 0);
    double *values;
    size_t windows = m->b->window_count;
    if (count > MAX_BUCKETS || (count == 1 && isinf(buckets[0].raw->param)))
        return FL_OK;
    fl_status status = emit(m, &buckets[0], "p99", &values, err);
    if (status != FL_OK || values == NULL)
        return status;
    for (size_t i = 0; i < count; i++) {
        double *growth = m->scratch + i * windows;
        growth_per_window(growth, NULL, m, &buckets[i]);
        if (buckets[i].sample_count > 0 && !fl_tl_is_change(buckets[i].raw->part))
            growth[buckets[i].samples[0].window] += first_growth(&buckets[i], events);
    }
    if (buckets[0].raw->part == PART_BELOW_TOTAL)
        for (size_t w = 0; w < windows; w++)
            split_buckets(m->scratch + w, count, windows);
    for (size_t w = 0; w < windows; w++)
        values[w] = percentile_99(buckets, count, m->scratch + w, windows);
    return FL_OK;
}

/* A quantile that the sender computed is a level of its own: quantiles cannot be added up. */
static fl_status emit_level(struct metrics *m, const struct sorted_series *series, fl_error *err)
{
    double *values;
    const char *name = NULL;
    if (series->raw->part == PART_QUANTILE) {
        name = fl_arena_printf(&m->b->arena, "p%g", series->raw->param * 100);
        if (name == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for metric names");
    }
    fl_status status = emit(m, series, name, &values, err);
    if (status == FL_OK && values != NULL)
        mean_per_window(values, m->b->window_count, series);
    return status;
}

/* All series of one metric and label set: series[0..count). */
static fl_status emit_metric(struct metrics *m, const struct sorted_series *series, size_t count,
                             fl_error *err)
{
    const struct sorted_series *counts[2] = {NULL, NULL}; /* of totals, of changes */
    fl_status status = FL_OK;
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        size_t same = 1;
        const struct sorted_series **events = &counts[fl_tl_is_change(series[i].raw->part)];
        switch (series[i].raw->part) {
        case PART_VALUE:
        case PART_QUANTILE:
            status = emit_level(m, &series[i], err);
            break;
        case PART_COUNT_TOTAL:
        case PART_COUNT_CHANGE:
            *events = &series[i];
            status = emit_rate(m, &series[i], err);
            break;
        case PART_TOTAL:
        case PART_CHANGE:
            status = emit_rate(m, &series[i], err);
            break;
        case PART_SUM_TOTAL:
        case PART_SUM_CHANGE:
            if (*events != NULL)
                status = emit_mean(m, *events, &series[i], err);
            break;
        case PART_BUCKET_TOTAL:
        case PART_BUCKET_CHANGE:
        case PART_BELOW_TOTAL:
            while (i + same < count && series[i + same].raw->part == series[i].raw->part)
                same++;
            status = emit_percentile(m, *events, &series[i], same, err);
            i += same - 1;
            break;
        }
    }
    return status;
}

/* At most two series of each: a rate, and a mean or a percentile. */
static fl_status emit_all(struct metrics *m, fl_error *err)
{
    fl_timeline_builder *b = m->b;
    m->out_max = 2 * m->sorted_count;
    fl_status status = FL_TL_NEW(b, m->out, m->out_max, "metric series", err);
    if (status == FL_OK)
        status = FL_TL_NEW(b, m->roles, m->sorted_count, "metric roles", err);
    for (size_t i = 0; i < m->sorted_count && status == FL_OK;) {
        size_t same = 1;
        while (i + same < m->sorted_count && same_metric(&m->sorted[i], &m->sorted[i + same]))
            same++;
        status = emit_metric(m, &m->sorted[i], same, err);
        i += same;
    }
    b->timeline.metrics = m->out;
    b->timeline.metric_series_count = m->out_count;
    return status;
}

fl_status fl_tl_finish_metrics(fl_timeline_builder *b, const struct ranks *ranks, fl_error *err)
{
    struct metrics m = {.b = b, .ranks = ranks};
    fl_status status = FL_OK;
    drop_far_samples(b);
    fl_tl_settle_samples(b);
    b->timeline.point_records = b->sample_count;
    b->timeline.metric_sampling = fl_tl_sample_share(b);
    if (status == FL_OK && b->series_count > 0)
        status = fl_map_create(&m.role_ids, b->series_count, err);
    if (status == FL_OK && b->series_count > 0)
        status = sort_series(&m, err);
    if (status == FL_OK && b->series_count > 0) {
        m.scratch = fl_mem_calloc(b->window_count, (2 + MAX_BUCKETS) * sizeof(double));
        status = m.scratch == NULL ? fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET,
                                             "no memory for %zu windows", b->window_count)
                                   : emit_all(&m, err);
    }
    fl_mem_free(m.scratch);
    fl_mem_free(b->samples);
    b->samples = NULL;
    b->sample_count = b->sample_capacity = 0;
    fl_map_destroy(m.role_ids);
    return status;
}
