/*
 * series.c - metric series, numbered as they appear, so many a metric.
 *
 * Labels that never repeat must not crowd out the other metrics: of one metric at most
 * FL_MAX_SERIES_PER_METRIC series are kept. Over it, only label sets the first 1, 2, 3 ... bits of
 * whose key are zero: the smallest number for which they fit, whatever came first.
 */
#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "hash.h"
#include "mem.h"
#include "timeline_priv.h"

enum { KEY_BITS = 32 };

fl_status fl_tl_metric(uint32_t *out, fl_timeline_builder *b, fl_sym name, fl_error *err)
{
    uint64_t *slot = NULL;
    bool added = false;
    *out = FL_NO_INDEX;
    if (b->metric_count == FL_MAX_METRICS && fl_map_find(b->metric_ids, name) == NULL)
        return FL_OK;
    fl_status status = fl_tl_grow((void **)&b->metrics, b->metric_count, sizeof(*b->metrics), err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, b->metric_ids, name, &added, err);
    if (status != FL_OK)
        return status;
    if (added) {
        *slot = b->metric_count;
        b->metrics[b->metric_count++] = (struct raw_metric){0};
    }
    *out = (uint32_t)*slot;
    return FL_OK;
}

bool fl_tl_wants_series(const fl_timeline_builder *b, uint32_t metric, uint32_t key)
{
    assert(metric < b->metric_count);
    unsigned halvings = b->metrics[metric].halvings;
    return halvings == 0 || (halvings <= KEY_BITS && (uint64_t)key >> (KEY_BITS - halvings) == 0);
}

static uint64_t hash_of(const struct raw_series *series)
{
    uint64_t words[4] = {(uint64_t)series->entity << 32 | series->name,
                         (uint64_t)series->unit << 32 | series->attributes, series->part};
    memcpy(&words[3], &series->param, sizeof(words[3]));
    return fl_hash_keyed((fl_slice){.ptr = (const unsigned char *)words, .len = sizeof(words)});
}

/* Close the gaps that unwanted series left; number_of[] maps old numbers to new ones. */
static fl_status drop_unwanted(fl_timeline_builder *b, uint32_t *number_of, fl_error *err)
{
    size_t kept = 0, samples = 0;
    fl_status status = FL_OK;
    fl_map_clear(b->series_ids);
    for (size_t i = 0; i < b->series_count && status == FL_OK; i++) {
        const struct raw_series series = b->series[i];
        uint64_t *slot;
        number_of[i] = FL_NO_INDEX;
        if (!fl_tl_wants_series(b, series.metric, series.key)) {
            b->metrics[series.metric].series_count--;
            continue;
        }
        status = fl_map_slot(&slot, b->series_ids, hash_of(&series), NULL, err);
        if (status == FL_OK) {
            *slot = kept;
            number_of[i] = (uint32_t)kept;
            b->series[kept++] = series;
        }
    }
    for (size_t i = 0; i < b->sample_count && status == FL_OK; i++) {
        struct raw_sample sample = b->samples[i];
        sample.series = number_of[sample.series];
        b->samples[samples] = sample;
        samples += sample.series != FL_NO_INDEX;
    }
    if (status == FL_OK) {
        b->over_budget += b->sample_count - samples;
        b->sample_count = samples;
        b->series_count = kept;
    }
    return status;
}

static fl_status halve(fl_timeline_builder *b, struct raw_metric *metric, fl_error *err)
{
    uint32_t *number_of = fl_mem_alloc(b->series_count * sizeof(*number_of));
    if (number_of == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu metric series",
                       b->series_count);
    metric->halvings++;
    fl_status status = drop_unwanted(b, number_of, err);
    fl_mem_free(number_of);
    return status;
}

fl_status fl_tl_series(uint32_t *out, fl_timeline_builder *b, const struct raw_series *series,
                       fl_error *err)
{
    assert(series->metric < b->metric_count);
    struct raw_metric *metric = &b->metrics[series->metric];
    uint64_t hash = hash_of(series), *slot = fl_map_find(b->series_ids, hash);
    fl_status status = FL_OK;
    if (slot != NULL) {
        *out = (uint32_t)*slot;
        return FL_OK;
    }
    *out = FL_NO_INDEX;
    while (metric->series_count >= FL_MAX_SERIES_PER_METRIC && status == FL_OK &&
           fl_tl_wants_series(b, series->metric, series->key))
        status = halve(b, metric, err);
    if (status != FL_OK || b->series_count == FL_MAX_SERIES ||
        !fl_tl_wants_series(b, series->metric, series->key))
        return status;
    status = fl_tl_grow((void **)&b->series, b->series_count, sizeof(*series), err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, b->series_ids, hash, NULL, err);
    if (status != FL_OK)
        return status;
    *slot = *out = (uint32_t)b->series_count;
    b->series[b->series_count++] = *series;
    metric->series_count++;
    return FL_OK;
}
