/*
 * steps.c - which steps of time hold data, and which of them are compared.
 *
 * Of more steps than the budget the nearest to the incident stay. While records come in, up to
 * twice as many are held; when these are full, half of them leave, and `max_distance` keeps what is
 * farther away out. It never falls below the distance of the last step that stays in the end, for
 * at no time are more steps known than there are.
 */
#include <assert.h>
#include <stdlib.h>

#include "faultline/limits.h"
#include "mem.h"
#include "timeline_priv.h"

/* Telemetry older than this before the incident is no baseline of it: a day covers the daily cycle.
 */
static const int64_t max_history_ns = INT64_C(86400) * 1000000000;

/* A difference that stops at the ends of the range. */
static int64_t difference(int64_t a, int64_t b)
{
    if (b < 0 && a > INT64_MAX + b)
        return INT64_MAX;
    return b > 0 && a < INT64_MIN + b ? INT64_MIN : a - b;
}

static int64_t step_of(const fl_timeline_builder *b, int64_t time_ns)
{
    int64_t after_ns = difference(time_ns, b->options.at_ns), step_ns = b->options.step_ns;
    assert(step_ns > 0);
    return after_ns / step_ns - (after_ns % step_ns < 0);
}

/* From the incident's first step 0 on: 0, 1 before, 1 after, 2 before ... No two are equal. */
static uint64_t distance_of(int64_t step)
{
    return step >= 0 ? 2 * (uint64_t)step : 2 * (uint64_t)-step - 1;
}

static int64_t incident_steps(const fl_timeline_builder *b)
{
    return b->options.window_ns / b->options.step_ns;
}

uint64_t fl_tl_distance(const fl_timeline_builder *b, int64_t time_ns)
{
    return distance_of(step_of(b, time_ns));
}

bool fl_tl_is_incident(const fl_timeline_builder *b, int64_t time_ns)
{
    int64_t step = step_of(b, time_ns);
    return step >= 0 && step < incident_steps(b);
}

/* Whether a step can be told from its neighbours: its two ends are moments. */
static bool is_representable(const fl_timeline_builder *b, int64_t step)
{
    const fl_timeline_options *options = &b->options;
    return step >= difference(INT64_MIN, options->at_ns) / options->step_ns + 1 &&
           step <= difference(INT64_MAX, options->at_ns) / options->step_ns - 1;
}

static int compare_distances(const void *left, const void *right)
{
    uint64_t a = distance_of(*(const int64_t *)left), b = distance_of(*(const int64_t *)right);
    return (a > b) - (a < b);
}

static int compare_steps(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* The nearest steps of the map in steps[0..*count), nearest first. */
static void nearest_steps(int64_t *steps, size_t *count, fl_timeline_builder *b)
{
    size_t cursor = 0, found = 0;
    uint64_t key, value;
    while (fl_map_next(b->steps, &cursor, &key, &value))
        steps[found++] = (int64_t)key;
    assert(found <= 2 * (size_t)FL_MAX_WINDOWS);
    qsort(steps, found, sizeof(*steps), compare_distances);
    *count = found < FL_MAX_WINDOWS ? found : FL_MAX_WINDOWS;
    if (found > FL_MAX_WINDOWS)
        b->max_distance = distance_of(steps[FL_MAX_WINDOWS - 1]);
}

static fl_status refill(fl_timeline_builder *b, const int64_t *steps, size_t count, fl_error *err)
{
    fl_status status = FL_OK;
    fl_map_clear(b->steps);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        uint64_t *slot;
        status = fl_map_slot(&slot, b->steps, (uint64_t)steps[i], NULL, err);
        if (status == FL_OK)
            *slot = i;
    }
    return status;
}

static fl_status note_step(fl_timeline_builder *b, int64_t step, fl_error *err)
{
    uint64_t *slot;
    if (fl_map_count(b->steps) == 2 * (size_t)FL_MAX_WINDOWS &&
        fl_map_find(b->steps, (uint64_t)step) == NULL) {
        size_t count;
        int64_t *steps = fl_mem_alloc(2 * (size_t)FL_MAX_WINDOWS * sizeof(*steps));
        if (steps == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %u windows",
                           2 * FL_MAX_WINDOWS);
        nearest_steps(steps, &count, b);
        fl_status status = refill(b, steps, count, err);
        fl_mem_free(steps);
        if (status != FL_OK || distance_of(step) > b->max_distance)
            return status;
    }
    return fl_map_slot(&slot, b->steps, (uint64_t)step, NULL, err);
}

fl_status fl_tl_note_time(bool *wanted, const struct source *source, int64_t time_ns, fl_error *err)
{
    fl_timeline_builder *b = source->builder;
    int64_t step = step_of(b, time_ns);
    bool in_incident = step >= 0 && step < incident_steps(b);
    bool has_place =
        source->is_baseline
            ? !in_incident
            : step < incident_steps(b) && difference(b->options.at_ns, time_ns) <= max_history_ns;
    *wanted = has_place && is_representable(b, step);
    if (!*wanted || step == b->last_step)
        return FL_OK;
    if (distance_of(step) > b->max_distance) {
        *wanted = false;
        b->over_budget++;
        return FL_OK;
    }
    b->last_step = step;
    return note_step(b, step, err);
}

fl_status fl_tl_settle_steps(int64_t **sorted, fl_timeline_builder *b, fl_error *err)
{
    fl_status status = FL_TL_NEW(b, *sorted, fl_map_count(b->steps), "windows", err);
    if (status != FL_OK)
        return status;
    nearest_steps(*sorted, &b->window_count, b);
    qsort(*sorted, b->window_count, sizeof(**sorted), compare_steps);
    return refill(b, *sorted, b->window_count, err);
}

uint32_t fl_tl_window(fl_timeline_builder *b, int64_t time_ns)
{
    const uint64_t *slot = fl_map_find(b->steps, (uint64_t)step_of(b, time_ns));
    if (slot == NULL)
        b->over_budget++;
    return slot != NULL ? (uint32_t)*slot : FL_NO_INDEX;
}
