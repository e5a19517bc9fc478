/*
 * points.c - data points into samples of series. A histogram becomes a count, a sum and its
 * buckets; an exponential one has its buckets mapped to bounds a factor of 2^(1/4) apart (19 %, the
 * resolution of scale 2), so that points of different scales add up.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "hash.h"
#include "mem.h"
#include "slice.h"
#include "timeline_priv.h"

enum { COMMON_SCALE = 2, MAX_LABELS = 64 };

/* What all samples of one point share. */
struct target {
    const struct source *source;
    struct raw_series series;
    struct raw_sample sample;
};

static fl_status push_part(struct target *t, enum part part, double param, double value,
                           fl_error *err)
{
    fl_timeline_builder *b = t->source->builder;
    if (!isfinite(value))
        return FL_OK;
    t->series.part = part;
    t->series.param = param;
    fl_status status = fl_tl_series(&t->sample.series, b, &t->series, err);
    if (status != FL_OK || t->sample.series == FL_NO_INDEX) {
        b->over_budget += status == FL_OK;
        return status;
    }
    t->sample.value = value;
    return fl_tl_add_sample(b, &t->sample, err);
}

static fl_status push_buckets(struct target *t, const fl_point *point, enum part part,
                              fl_error *err)
{
    assert(point->bucket_count == 0 || point->counts != NULL);
    fl_status status = FL_OK;
    for (size_t i = 0; i < point->bucket_count && status == FL_OK; i++) {
        double bound = i < point->bound_count ? point->bounds[i] : INFINITY;
        status = push_part(t, part, bound, (double)point->counts[i], err);
    }
    return status;
}

/* Empty buckets are left out, but where a bucket begins is said: by an empty one below it. */
static fl_status push_exponential(struct target *t, const fl_point *point, enum part part,
                                  fl_error *err)
{
    fl_status status = FL_OK;
    int shift = point->scale > COMMON_SCALE ? point->scale - COMMON_SCALE : 0;
    double width = exp2(-(double)(point->scale - shift)); /* of a bucket, in powers of two */
    int64_t told = INT64_MIN;                             /* the last bucket that was pushed */
    assert(shift < 63);
    if (point->zero_count > 0)
        status = push_part(t, part, 0, (double)point->zero_count, err);
    for (size_t i = 0; i < point->bucket_count && status == FL_OK;) {
        int64_t group = (point->offset + (int64_t)i) >> shift;
        double count = 0;
        for (; i < point->bucket_count && (point->offset + (int64_t)i) >> shift == group; i++)
            count += (double)point->counts[i];
        if (count == 0)
            continue;
        if (told != group - 1)
            status = push_part(t, part, exp2((double)group * width), 0, err);
        if (status == FL_OK)
            status = push_part(t, part, exp2((double)(group + 1) * width), count, err);
        told = group;
    }
    return status;
}

static fl_status push_histogram(struct target *t, const fl_point *point, fl_error *err)
{
    bool total = point->temporality == FL_TEMPORALITY_CUMULATIVE;
    fl_status status =
        push_part(t, total ? PART_COUNT_TOTAL : PART_COUNT_CHANGE, 0, (double)point->count, err);
    if (status == FL_OK)
        status = push_part(t, total ? PART_SUM_TOTAL : PART_SUM_CHANGE, 0, point->sum, err);
    enum part part = total ? PART_BUCKET_TOTAL : PART_BUCKET_CHANGE;
    if (status == FL_OK && point->kind == FL_POINT_HISTOGRAM)
        status = push_buckets(t, point, part, err);
    if (status == FL_OK && point->kind == FL_POINT_EXP_HISTOGRAM)
        status = push_exponential(t, point, part, err);
    return status;
}

static fl_status push_summary(struct target *t, const fl_point *point, fl_error *err)
{
    fl_status status = push_part(t, PART_COUNT_TOTAL, 0, (double)point->count, err);
    if (status == FL_OK)
        status = push_part(t, PART_SUM_TOTAL, 0, point->sum, err);
    for (size_t i = 0; i < point->bound_count && status == FL_OK; i++)
        status = push_part(t, PART_QUANTILE, point->bounds[i], point->values[i], err);
    return status;
}

static fl_status push_sum(struct target *t, const fl_point *point, fl_error *err)
{
    enum part part = PART_VALUE; /* an up-down counter that tells its level */
    if (point->temporality == FL_TEMPORALITY_DELTA)
        part = PART_CHANGE;
    else if (point->monotonic)
        part = PART_TOTAL;
    return push_part(t, part, 0, point->value, err);
}

/* Prometheus sends the numbers of a histogram as series of their own, not always together. */
static fl_status push_single(struct target *t, const fl_point *point, fl_error *err)
{
    static const enum part parts[] = {[FL_PART_COUNT] = PART_COUNT_TOTAL,
                                      [FL_PART_SUM] = PART_SUM_TOTAL,
                                      [FL_PART_BELOW] = PART_BELOW_TOTAL,
                                      [FL_PART_QUANTILE] = PART_QUANTILE};
    assert(point->part <= FL_PART_QUANTILE);
    bool has_param = point->part == FL_PART_BELOW || point->part == FL_PART_QUANTILE;
    return push_part(t, parts[point->part], has_param ? point->param : 0, point->value, err);
}

static int compare_attrs(const void *left, const void *right)
{
    const fl_attr *const *a = left, *const *b = right;
    return fl_slice_compare((*a)->key, (*b)->key);
}

static void spell_value(fl_buf *out, const fl_value *value)
{
    if (value->kind == FL_VALUE_INT)
        fl_buf_printf(out, "%lld", (long long)value->number);
    else if (value->kind == FL_VALUE_BOOL)
        fl_buf_text(out, value->number != 0 ? "true" : "false");
    else if (value->kind == FL_VALUE_DOUBLE)
        fl_buf_printf(out, "%.17g", value->real);
    else
        fl_buf_add(out, value->text);
}

/* "k=v,k=v", sorted by key, in b->line. What is too long for a name keeps its hash, so that it is
 * not taken for another. */
static fl_status spell_labels(fl_timeline_builder *b, const fl_attrs *attrs, fl_error *err)
{
    const fl_attr *sorted[MAX_LABELS];
    size_t count = attrs->count < MAX_LABELS ? attrs->count : MAX_LABELS;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &attrs->items[i];
    if (count > 1)
        qsort(sorted, count, sizeof(sorted[0]), compare_attrs);
    fl_buf_clear(&b->line);
    for (size_t i = 0; i < count; i++) {
        fl_buf_text(&b->line, i > 0 ? "," : "");
        fl_buf_add(&b->line, sorted[i]->key);
        fl_buf_char(&b->line, '=');
        spell_value(&b->line, &sorted[i]->value);
    }
    fl_slice text = fl_buf_slice(&b->line);
    if (text.len > FL_MAX_NAME_LEN) {
        char tail[32];
        snprintf(tail, sizeof(tail), "...#%016llx", (unsigned long long)fl_hash_stable(text));
        b->line.len = fl_tl_cut(text, FL_MAX_NAME_LEN - strlen(tail)).len;
        fl_buf_text(&b->line, tail);
    }
    return fl_buf_check(&b->line, "the label set of a metric", err);
}

/* Of the labels in b->line and of whose they are; the same in whatever order records come. */
static uint64_t label_set_of(const fl_timeline_builder *b, uint32_t entity)
{
    const struct raw_entity *e = &b->entities[entity];
    uint64_t hash = fl_hash_stable(fl_intern_text(b->names, e->service));
    hash = fl_hash_mix(hash ^ fl_hash_stable(fl_intern_text(b->names, e->instance)));
    return fl_hash_mix(hash ^ fl_hash_stable(fl_buf_slice(&b->line)));
}

/* What decides which metrics are kept whole when there are too many. */
static uint32_t key_of(const fl_timeline_builder *b, uint32_t entity, const fl_point *point)
{
    const struct raw_entity *e = &b->entities[entity];
    uint64_t hash = fl_hash_stable(fl_intern_text(b->names, e->service));
    hash = fl_hash_mix(hash ^ fl_hash_stable(fl_intern_text(b->names, e->instance)));
    hash = fl_hash_mix(hash ^ fl_hash_stable(point->metric));
    return (uint32_t)(fl_hash_mix(hash ^ fl_hash_stable(fl_buf_slice(&b->line))) >> 32);
}

/* Which series the point's numbers belong to, but for the part; false in *kept where a budget says
 * no. */
static fl_status name_series(bool *kept, struct raw_series *series, fl_timeline_builder *b,
                             const fl_point *point, fl_error *err)
{
    fl_sym known;
    *kept = false;
    fl_status status = fl_tl_name(&series->name, b, point->metric, err);
    if (status == FL_OK && series->name != FL_NO_INDEX)
        status = fl_tl_metric(&series->metric, b, series->name, err);
    if (status != FL_OK || series->name == FL_NO_INDEX || series->metric == FL_NO_INDEX ||
        !fl_tl_wants_series(b, series->metric, series->key) ||
        (b->series_count == FL_MAX_SERIES &&
         !fl_intern_find(&known, b->names, fl_buf_slice(&b->line))))
        return status;
    status = fl_tl_name(&series->unit, b, point->unit, err);
    if (status == FL_OK)
        status = fl_tl_name(&series->attributes, b, fl_buf_slice(&b->line), err);
    *kept = series->unit != FL_NO_INDEX && series->attributes != FL_NO_INDEX;
    return status;
}

static fl_status push_kind(struct target *t, const fl_point *point, fl_error *err)
{
    switch (point->kind) {
    case FL_POINT_SUM:
        return push_sum(t, point, err);
    case FL_POINT_HISTOGRAM:
    case FL_POINT_EXP_HISTOGRAM:
        return push_histogram(t, point, err);
    case FL_POINT_SUMMARY:
        return push_summary(t, point, err);
    case FL_POINT_PART:
        return push_single(t, point, err);
    case FL_POINT_GAUGE:
        break;
    }
    return push_part(t, PART_VALUE, 0, point->value, err);
}

static fl_status push_alert(const struct source *source, uint32_t entity, const fl_point *point,
                            fl_error *err)
{
    fl_timeline_builder *b = source->builder;
    if (entity == FL_NO_INDEX) {
        b->over_budget++;
        return FL_OK;
    }
    fl_status status = spell_labels(b, &point->attrs, err);
    if (status != FL_OK)
        return status;
    return fl_tl_push_alert_point(source, entity, label_set_of(b, entity), point, err);
}

fl_status fl_tl_push_point(void *payload, uint32_t entity, const fl_point *point, fl_error *err)
{
    struct target t = {
        .source = payload, .series.entity = entity, .sample.time_ns = point->time_ns};
    fl_timeline_builder *b = t.source->builder;
    bool wanted, kept = false;
    if (fl_tl_is_alert_series(point))
        return push_alert(t.source, entity, point, err);
    fl_status status = fl_tl_note_time(&wanted, t.source, point->time_ns, err);
    if (status != FL_OK || !wanted)
        return status;
    if (entity != FL_NO_INDEX) {
        status = spell_labels(b, &point->attrs, err);
        if (status != FL_OK)
            return status;
        t.sample.key = t.series.key = key_of(b, entity, point);
        if (fl_tl_wants_sample(b, t.sample.key, point->time_ns))
            status = name_series(&kept, &t.series, b, point, err);
    }
    b->over_budget += status == FL_OK && !kept;
    return status == FL_OK && kept ? push_kind(&t, point, err) : status;
}
