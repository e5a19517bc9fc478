/*
 * watch_told.c - requests that metrics tell of: from rises of totals into the rings.
 *
 * Metrics come every 15 to 60 seconds and tell of what was since the last time: a rise is spread
 * over the steps in which it came, and a service is looked at up to where all of its processes have
 * told. A rise has a mean latency, so the mean of ln(latency) is the logarithm of that.
 */
#include <assert.h>
#include <math.h>

#include "hash.h"
#include "mem.h"
#include "slice.h"
#include "watch_priv.h"

/* A process that no longer sends is another by then; longer than records may be on their way. */
static const int64_t instance_age_ns = INT64_C(7200) * 1000000000;
static const int64_t sweep_ns = INT64_C(60) * 1000000000;

#define GAP_FADE                                                                                   \
    (1.0 / 64) /* a longer gap counts at once and is forgotten over an hour of minutes */

/* ---- instances ---- */

/* Places keep their numbers: handles of those that stay are in use. */
static void let_go(fl_watch *watch)
{
    watch->instances_swept_ns = watch->now_ns;
    watch->instance_free = watch->instance_next = 0;
    fl_map_clear(watch->instance_at);
    for (size_t i = 0; i < watch->instance_count; i++) {
        watch_instance *instance = &watch->instances[i];
        uint64_t *slot = NULL;
        if (watch->now_ns - instance->heard_ns > instance_age_ns)
            instance->key = 0;
        if (instance->key == 0) {
            watch->instance_free++;
            continue;
        }
        fl_status status = fl_map_slot(&slot, watch->instance_at, instance->key, NULL, NULL);
        assert(status == FL_OK); /* it was as large before */
        (void)status;
        *slot = i;
    }
}

/* FL_MAX_WATCHED_INSTANCES: none. */
static size_t free_place(fl_watch *watch)
{
    if (watch->instance_count < FL_MAX_WATCHED_INSTANCES)
        return watch->instance_count++;
    if (watch->instance_free == 0 && watch->now_ns - watch->instances_swept_ns >= sweep_ns)
        let_go(watch);
    if (watch->instance_free == 0)
        return FL_MAX_WATCHED_INSTANCES;
    while (watch->instances[watch->instance_next].key != 0)
        watch->instance_next++;
    watch->instance_free--;
    return watch->instance_next++;
}

fl_status fl_watch_instance(uint32_t *handle, fl_watch *watch, uint32_t service, fl_slice name,
                            fl_error *err)
{
    uint64_t key = fl_hash_mix(fl_hash_keyed(name) ^ fl_hash_mix(service)) | 1;
    uint64_t *slot = fl_map_find(watch->instance_at, key);
    assert(service < FL_MAX_WATCHED_SERVICES);
    if (slot == NULL) {
        size_t place = free_place(watch);
        *handle = WATCH_CROWDED + service;
        if (place == FL_MAX_WATCHED_INSTANCES)
            return FL_OK;
        fl_status status = fl_map_slot(&slot, watch->instance_at, key, NULL, err);
        if (status != FL_OK)
            return status;
        *slot = place;
        watch->instances[place] = (watch_instance){.key = key, .service = service};
    }
    watch->instances[*slot].heard_ns = watch->now_ns;
    *handle = FL_MAX_WATCHED_SERVICES + (uint32_t)*slot;
    return FL_OK;
}

/* ---- rises ---- */

/* Of `total` requests so many as fall to a step; whole ones, of which none is lost and none counted
 * twice. */
static uint32_t share_of(double total, int64_t nth, int64_t steps)
{
    double before = floor(total * (double)nth / (double)steps + 0.5);
    double until = floor(total * (double)(nth + 1) / (double)steps + 0.5);
    return (uint32_t)fmin(until - before, (double)UINT32_MAX);
}

/* Over the steps in which a rise came. `log_ms` NaN: they are counted; else they took that. */
static void spread(fl_watch *watch, watch_operation *operation, const fl_rise *rise, bool is_error,
                   double log_ms)
{
    int64_t first = rise->from_ns / WATCH_STEP_NS, last = (rise->to_ns - 1) / WATCH_STEP_NS;
    assert(first <= last && rise->requests >= 0);
    for (int64_t step = first; step <= last; step++) {
        uint32_t count = share_of(rise->requests, step - first, last - first + 1);
        watch_cell *cell = &operation->cells[step % WATCH_STEPS];
        if (!fl_watch_has_step(watch, step))
            continue;
        if (isnan(log_ms))
            fl_watch_add(cell, count, is_error);
        else
            fl_watch_add_timed(cell, count, count * log_ms);
    }
}

/* Of two metrics for the same the one that tells more, then the one that is further up; of one that
 * went silent, the other. */
static bool is_taken(const watch_teller *by, const watch_teller *offer)
{
    return by->source == 0 || by->source == offer->source || offer->rank < by->rank ||
           offer->told_ns - by->told_ns > FL_MAX_RISE_NS;
}

/* One metric may have series with outcomes and without. */
static void take(watch_teller *by, const watch_teller *offer)
{
    bool is_same = by->source == offer->source;
    int64_t told_ns = is_same && by->told_ns > offer->told_ns ? by->told_ns : offer->told_ns;
    unsigned rank = is_same && by->rank < offer->rank ? by->rank : offer->rank;
    *by = (watch_teller){offer->source, rank, told_ns};
}

/* How long it takes a metric from one point to the next. */
static void note_gap(watch_metrics *by, const fl_rise *rise)
{
    int64_t gap = rise->to_ns - rise->from_ns;
    by->gap_ns =
        gap > by->gap_ns ? gap : by->gap_ns - (int64_t)((double)(by->gap_ns - gap) * GAP_FADE);
}

/* The past is told of out of its order, beside what comes: their totals are not one another's. */
static fl_status told_for(fl_told **out, fl_watch *watch, const fl_point *point, fl_error *err)
{
    *out = watch->told;
    if (!watch->is_paused || point->time_ns >= watch->paused_ns)
        return FL_OK;
    fl_status status = watch->told_again != NULL ? FL_OK : fl_told_create(&watch->told_again, err);
    *out = watch->told_again;
    return status;
}

/* What a metric tells goes to an operation of its service, where it is the one that tells it. */
static fl_status place(fl_watch *watch, watch_service *service, const fl_told_point *in,
                       const fl_told_rises *rises, fl_error *err)
{
    watch_operation *operation;
    watch_metrics *by = &service->metrics;
    const fl_outcome outcome = fl_request_outcome(in->point->attrs);
    const unsigned source = WATCH_BY_METRIC + in->metric;
    const unsigned less = outcome == FL_OUTCOME_UNTOLD ? FL_REQUEST_METRICS : 0;
    const watch_teller counts = {source, in->metric + less, rises->counted.to_ns};
    const watch_teller times = {source, in->metric, rises->timed.to_ns};
    bool is_counting = rises->is_counted && is_taken(&by->counting, &counts);
    bool is_timing = rises->is_timed && is_taken(&by->timing, &times);
    if (service->is_by_spans || (!is_counting && !is_timing))
        return FL_OK;
    uint64_t route = in->ms_per_unit > 0 ? fl_request_route(in->point->attrs) : 0;
    fl_status status = fl_watch_operation(&operation, watch, service, source, route | 1, err);
    if (status != FL_OK)
        return status;
    if (operation == NULL) {
        watch->stats.crowded++;
        return FL_OK;
    }
    if (is_counting) {
        take(&by->counting, &counts);
        note_gap(by, &rises->counted);
        spread(watch, operation, &rises->counted, outcome == FL_OUTCOME_FAILED, NAN);
    }
    if (is_timing) {
        take(&by->timing, &times);
        double mean_ms = rises->timed.ms / fmax(rises->timed.requests, 1);
        spread(watch, operation, &rises->timed, false, log(mean_ms + 0.5));
    }
    return FL_OK;
}

/* A clock that is wrong tells nothing of when its requests were. */
fl_status fl_watch_take_told(fl_watch *watch, uint32_t handle, unsigned metric,
                             const fl_point *point, fl_error *err)
{
    fl_told *told;
    fl_told_rises rises;
    if (!fl_watch_is_kept(watch, point->time_ns / WATCH_STEP_NS))
        return FL_OK;
    if (handle >= WATCH_CROWDED) { /* whose totals they are cannot be told */
        watch->stats.crowded++;
        return FL_OK;
    }
    const fl_told_point in = {.point = point,
                              .sender = handle,
                              .metric = metric,
                              .ms_per_unit = fl_request_metric_ms(metric, point)};
    fl_status status = told_for(&told, watch, point, err);
    if (status == FL_OK)
        status = fl_told_take(&rises, told, &in, err);
    if (status != FL_OK || (!rises.is_counted && !rises.is_timed))
        return status;
    return place(watch, &watch->services[fl_watch_service_of(watch, handle)], &in, &rises, err);
}

/* ---- looks ---- */

static bool is_in_spans(const fl_watch *watch, const watch_service *service, int64_t step)
{
    for (size_t i = 0; i < service->operation_count; i++) {
        const watch_operation *operation = watch->operations[service->operations[i]];
        if (operation->source == WATCH_BY_SPANS &&
            operation->cells[step % WATCH_STEPS].requests > 0)
            return true;
    }
    return false;
}

/* How many minutes have requests that spans tell of, up to as many as make a past. */
static size_t minutes_of_spans(const fl_watch *watch, const watch_service *service)
{
    size_t minutes = 0;
    int64_t step = watch->head_step - WATCH_STEPS + 1;
    while (step <= watch->head_step && minutes < WATCH_FEWEST_PAST) {
        bool is_there = step >= 0 && is_in_spans(watch, service, step);
        minutes += is_there;
        step += is_there ? WATCH_WINDOW_STEPS - step % WATCH_WINDOW_STEPS : 1;
    }
    return minutes;
}

/* Spans tell more: who calls, and each latency. A few of them tell less, and who told of a break
 * tells of its end. */
void fl_watch_choose(const fl_watch *watch, watch_service *service)
{
    bool is_chosen = service->is_by_spans || service->is_by_metrics;
    for (size_t k = 0; k < FL_SIGN_KIND_COUNT; k++)
        if (is_chosen && service->breaks[k].is_open)
            return;
    bool has_metrics = service->metrics.counting.source != 0;
    service->is_by_spans = service->span_step != 0 &&
                           fl_watch_has_step(watch, service->span_step) &&
                           minutes_of_spans(watch, service) >= WATCH_FEWEST_PAST;
    service->is_by_metrics = has_metrics && !service->is_by_spans;
}

/* The newest rise of one process may lie a whole gap before that of another. */
int64_t fl_watch_told_step(const fl_watch *watch, const watch_service *service, int64_t end_step)
{
    const watch_metrics *by = &service->metrics;
    int64_t told = (by->counting.told_ns - by->gap_ns) / WATCH_STEP_NS;
    assert(service->is_by_metrics);
    if (watch->now_ns - by->counting.told_ns > FL_MAX_RISE_NS)
        return 0;
    return told < end_step ? told : end_step;
}
