/*
 * alerts.c - rules that fired: told as records, or seen as the series ALERTS that Prometheus writes
 * of its own rules, a sample for each time at which one fires.
 *
 * Samples of one label set that are no farther apart than the series lives without one belong to
 * one alert. What is kept while they come are stretches of time; those that turn out to touch are
 * put together at the end, so that the order of samples makes no difference.
 *
 * These series are no measurements: their values are 1, and the time since which a rule holds.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "hash.h"
#include "slice.h"
#include "timeline_priv.h"

/* How long a series that has no new sample lives on: Prometheus' lookback delta. */
static const int64_t stale_ns = INT64_C(300) * 1000000000;

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* ---- what comes ---- */

/* A text that there is no room for is not told: the alert stays. */
static fl_status name_or_none(fl_sym *out, fl_timeline_builder *b, fl_slice text, fl_error *err)
{
    fl_status status = fl_tl_name(out, b, text, err);
    if (status == FL_OK && *out == FL_NO_INDEX)
        *out = b->no_name;
    return status;
}

/* The row of an alert that is known; a new one that is `*is_new`. *out NULL: the budget is reached.
 */
static fl_status find_row(struct raw_alert **out, bool *is_new, fl_timeline_builder *b,
                          uint64_t key, fl_error *err)
{
    uint64_t *slot = fl_map_find(b->alert_ids, key);
    *out = NULL;
    *is_new = slot == NULL;
    if (slot != NULL) {
        *out = &b->alerts[*slot];
        return FL_OK;
    }
    if (b->alert_count == FL_MAX_TIMELINE_ALERTS) {
        b->over_budget++;
        return FL_OK;
    }
    fl_status status = fl_tl_grow((void **)&b->alerts, b->alert_count, sizeof(*b->alerts), err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, b->alert_ids, key, NULL, err);
    if (status != FL_OK)
        return status;
    *slot = b->alert_count;
    *out = &b->alerts[b->alert_count++];
    **out = (struct raw_alert){.key = key,
                               .name = b->no_name,
                               .severity = b->no_name,
                               .summary = b->no_name,
                               .service = b->no_name};
    return FL_OK;
}

/* Repeated, an alert may have other words: the first by text count. */
static void keep_first_text(fl_sym *out, const fl_timeline_builder *b, fl_sym other)
{
    if (fl_slice_compare(fl_intern_text(b->names, other), fl_intern_text(b->names, *out)) < 0)
        *out = other;
}

fl_status fl_tl_push_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    const struct source *source = payload;
    fl_timeline_builder *b = source->builder;
    struct raw_alert *row;
    bool is_new;
    fl_sym severity, summary;
    if (source->is_baseline || alert->starts_ns == 0)
        return FL_OK;
    uint64_t key = fl_hash_mix(alert->fingerprint ^ fl_hash_mix((uint64_t)alert->starts_ns));
    fl_status status = find_row(&row, &is_new, b, key, err);
    if (status != FL_OK || row == NULL)
        return status;
    status = name_or_none(&severity, b, alert->severity, err);
    if (status == FL_OK)
        status = name_or_none(&summary, b, alert->summary, err);
    if (status == FL_OK && is_new)
        status = name_or_none(&row->name, b, alert->name, err);
    if (status == FL_OK && is_new)
        status = name_or_none(&row->service, b, alert->service, err);
    if (status != FL_OK)
        return status;
    if (is_new) {
        row->from_ns = alert->starts_ns;
        row->severity = severity;
        row->summary = summary;
    }
    keep_first_text(&row->severity, b, severity);
    keep_first_text(&row->summary, b, summary);
    if (alert->is_resolved && alert->ends_ns > row->to_ns)
        row->to_ns = alert->ends_ns;
    return FL_OK;
}

static fl_slice label(const fl_point *point, fl_slice key)
{
    for (size_t i = 0; i < point->attrs.count; i++)
        if (fl_slice_equal(point->attrs.items[i].key, key))
            return point->attrs.items[i].value.text;
    return (fl_slice){0};
}

bool fl_tl_is_alert_series(const fl_point *point)
{
    return fl_slice_equal(point->metric, FL_SLICE("ALERTS")) ||
           fl_slice_equal(point->metric, FL_SLICE("ALERTS_FOR_STATE"));
}

/* A stretch that the moment is in or touches grows; one that is too far away stays as it is, and
 * the map leads to the new one from here on. */
static fl_status add_moment(struct raw_alert **out, bool *is_new, fl_timeline_builder *b,
                            uint64_t key, int64_t time_ns, fl_error *err)
{
    fl_status status = find_row(out, is_new, b, key, err);
    if (status != FL_OK || *out == NULL)
        return status;
    struct raw_alert *row = *out;
    bool is_near = time_ns >= row->from_ns - stale_ns && time_ns <= row->to_ns + stale_ns;
    if (!*is_new && !is_near) {
        if (b->alert_count == FL_MAX_TIMELINE_ALERTS) {
            b->over_budget++;
            return FL_OK;
        }
        status = fl_tl_grow((void **)&b->alerts, b->alert_count, sizeof(*b->alerts), err);
        uint64_t *slot = fl_map_find(b->alert_ids, key);
        assert(slot != NULL);
        if (status != FL_OK)
            return status;
        b->alerts[b->alert_count] = b->alerts[*slot];
        *slot = b->alert_count;
        row = *out = &b->alerts[b->alert_count++];
        row->from_ns = row->to_ns = time_ns;
    }
    if (*is_new || time_ns < row->from_ns)
        row->from_ns = time_ns;
    if (*is_new || time_ns > row->to_ns)
        row->to_ns = time_ns;
    return FL_OK;
}

/* Whether it can be compared with others: nobody means a time at the end of all numbers. */
static bool is_sound_time(int64_t time_ns)
{
    return time_ns >= 0 && time_ns <= INT64_MAX - stale_ns;
}

fl_status fl_tl_push_alert_point(const struct source *source, uint32_t entity, uint64_t key,
                                 const fl_point *point, fl_error *err)
{
    fl_timeline_builder *b = source->builder;
    struct raw_alert *row;
    bool is_new;
    if (source->is_baseline || !is_sound_time(point->time_ns) ||
        !fl_slice_equal(point->metric, FL_SLICE("ALERTS")) ||
        !fl_slice_equal(label(point, FL_SLICE("alertstate")), FL_SLICE("firing")))
        return FL_OK;
    fl_status status = add_moment(&row, &is_new, b, key, point->time_ns, err);
    if (status != FL_OK || row == NULL || !is_new)
        return status;
    row->is_sampled = true;
    row->service = b->entities[entity].service;
    status = name_or_none(&row->name, b, label(point, FL_SLICE("alertname")), err);
    return status == FL_OK
               ? name_or_none(&row->severity, b, label(point, FL_SLICE("severity")), err)
               : status;
}

/* ---- finishing ---- */

/* For qsort: stretches of one series beside each other. */
static int compare_rows(const void *left, const void *right)
{
    const struct raw_alert *a = left, *b = right;
    if (a->key != b->key)
        return COMPARE(a->key, b->key);
    return COMPARE(a->from_ns, b->from_ns);
}

/* Stretches that touch are one. */
static size_t join_stretches(struct raw_alert *rows, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(rows, count, sizeof(*rows), compare_rows);
    for (size_t i = 0; i < count; i++) {
        struct raw_alert *last = kept > 0 ? &rows[kept - 1] : NULL;
        if (last == NULL || last->key != rows[i].key || rows[i].from_ns > last->to_ns + stale_ns)
            rows[kept++] = rows[i];
        else if (rows[i].to_ns > last->to_ns)
            last->to_ns = rows[i].to_ns;
    }
    return kept;
}

static const char *or_null(const struct ranks *ranks, fl_sym sym)
{
    return ranks->text[sym][0] != '\0' ? ranks->text[sym] : NULL;
}

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static int compare_alerts(const void *left, const void *right)
{
    const fl_alert *a = left, *b = right;
    if (a->starts_ns != b->starts_ns)
        return COMPARE(a->starts_ns, b->starts_ns);
    if (a->service != b->service)
        return COMPARE(a->service, b->service);
    const char *const texts[][2] = {
        {a->name, b->name}, {a->severity, b->severity}, {a->summary, b->summary}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (compare_texts(texts[i][0], texts[i][1]) != 0)
            return compare_texts(texts[i][0], texts[i][1]);
    return COMPARE(a->ends_ns, b->ends_ns);
}

/* What was sampled until the end of the incident goes on. */
static int64_t end_of(const fl_timeline_builder *b, const struct raw_alert *row)
{
    int64_t end_ns = b->options.at_ns + b->options.window_ns;
    bool goes_on = row->is_sampled && row->to_ns + stale_ns >= end_ns;
    return goes_on ? 0 : row->to_ns;
}

fl_status fl_tl_finish_alerts(fl_timeline_builder *b, const struct ranks *ranks, fl_error *err)
{
    fl_alert *all;
    size_t count = join_stretches(b->alerts, b->alert_count), kept = 0;
    fl_status status = FL_TL_NEW(b, all, count, "alerts", err);
    if (status != FL_OK)
        return status;
    b->alert_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct raw_alert *row = &b->alerts[i];
        all[i] = (fl_alert){.starts_ns = row->from_ns,
                            .ends_ns = end_of(b, row),
                            .service = ranks->service[row->service],
                            .name = or_null(ranks, row->name),
                            .severity = or_null(ranks, row->severity),
                            .summary = or_null(ranks, row->summary)};
    }
    if (count > 1)
        qsort(all, count, sizeof(*all), compare_alerts);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_alerts(&all[kept - 1], &all[i]) != 0)
            all[kept++] = all[i];
    b->timeline.alerts = all;
    b->timeline.alert_count = kept;
    return FL_OK;
}
