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
    fl_map_clear(watch->instance_at);
    for (size_t i = 0; i < watch->instance_count; i++) {
        watch_instance *instance = &watch->instances[i];
        uint64_t *slot = NULL;
        if (watch->now_ns - instance->heard_ns > instance_age_ns)
            instance->key = 0;
        if (instance->key == 0)
            continue;
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
    if (watch->now_ns - watch->instances_swept_ns < sweep_ns)
        return FL_MAX_WATCHED_INSTANCES;
    let_go(watch);
    for (size_t i = 0; i < FL_MAX_WATCHED_INSTANCES; i++)
        if (watch->instances[i].key == 0)
            return i;
    return FL_MAX_WATCHED_INSTANCES;
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

/* Requests are whole: of those before each border, rounded, none is lost and none counted twice. */
static void spread(fl_watch *watch, watch_operation *operation, const fl_rise *rise, bool is_error)
{
    int64_t first = rise->from_ns / WATCH_STEP_NS, last = (rise->to_ns - 1) / WATCH_STEP_NS;
    double steps = (double)(last - first + 1), done = 0;
    double ln_ms = rise->requests > 0 && rise->ms >= 0 ? log(rise->ms / rise->requests + 0.5) : 0;
    assert(first <= last && rise->requests >= 0);
    for (int64_t step = first; step <= last; step++) {
        double until = floor(rise->requests * (double)(step - first + 1) / steps + 0.5);
        double part = fmin(until - done, (double)(UINT32_MAX / 4096));
        done = until;
        if (!fl_watch_has_step(watch, step) || part <= 0)
            continue;
        watch_cell *cell = &operation->cells[step % WATCH_STEPS];
        uint32_t count = (uint32_t)part;
        cell->requests += count < UINT32_MAX - cell->requests ? count : 0;
        if (is_error)
            cell->errors += count < UINT32_MAX - cell->errors ? count : 0;
        cell->log_ms += (float)(part * ln_ms);
    }
}

/* Of two metrics for the same the one that tells more; then the one that is further up. */
static void choose_metric(watch_metrics *by, unsigned metric, bool is_timed, bool has_outcome)
{
    unsigned rank = metric + (has_outcome ? 0 : FL_REQUEST_METRICS) + 1;
    if (by->counting == 0 || rank < by->counting_rank) {
        by->counting = WATCH_BY_METRIC + metric;
        by->counting_rank = rank;
        by->told_ns = 0;
    }
    if (is_timed && (by->timing == 0 || metric + 1 < by->timing_rank)) {
        by->timing = WATCH_BY_METRIC + metric;
        by->timing_rank = metric + 1;
    }
}

/* How far it has told, and how long that takes it. */
static void note_told(watch_metrics *by, const fl_rise *rise)
{
    int64_t gap = rise->to_ns - rise->from_ns;
    by->told_ns = rise->to_ns > by->told_ns ? rise->to_ns : by->told_ns;
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

fl_status fl_watch_take_told(fl_watch *watch, uint32_t handle, unsigned metric,
                             const fl_point *point, fl_error *err)
{
    fl_told *told;
    fl_rise rise;
    bool is_risen;
    watch_operation *operation;
    if (handle >= WATCH_CROWDED) { /* whose totals they are cannot be told */
        watch->stats.crowded++;
        return FL_OK;
    }
    watch_service *service = &watch->services[fl_watch_service_of(watch, handle)];
    double ms = fl_request_metric_ms(metric, point);
    fl_outcome outcome = fl_request_outcome(point->attrs);
    fl_status status = told_for(&told, watch, point, err);
    if (status == FL_OK)
        status =
            fl_told_take(&is_risen, &rise, told, &(fl_told_point){point, handle, metric, ms}, err);
    if (status != FL_OK || !is_risen)
        return status;
    choose_metric(&service->metrics, metric, ms > 0, outcome != FL_OUTCOME_UNTOLD);
    if (service->metrics.counting == WATCH_BY_METRIC + metric)
        note_told(&service->metrics, &rise);
    uint64_t route = ms > 0 ? fl_request_route(point->attrs) | 1 : 1;
    status = fl_watch_operation(&operation, watch, service, WATCH_BY_METRIC + metric, route, err);
    if (status != FL_OK)
        return status;
    if (operation == NULL)
        watch->stats.crowded++;
    else
        spread(watch, operation, &rise, outcome == FL_OUTCOME_FAILED);
    return FL_OK;
}

/* ---- looks ---- */

/* Spans tell more: who calls, and each latency. */
void fl_watch_choose(const fl_watch *watch, watch_service *service)
{
    bool has_spans = service->span_step != 0 && fl_watch_has_step(watch, service->span_step);
    service->is_by_metrics = !has_spans && service->metrics.counting != 0;
}

/* The newest rise of one process may lie a whole gap before that of another. */
int64_t fl_watch_told_step(const fl_watch *watch, const watch_service *service, int64_t end_step)
{
    const watch_metrics *by = &service->metrics;
    int64_t told = (by->told_ns - by->gap_ns) / WATCH_STEP_NS;
    assert(service->is_by_metrics);
    if (watch->now_ns - by->told_ns > FL_MAX_RISE_NS)
        return 0;
    return told < end_step ? told : end_step;
}
