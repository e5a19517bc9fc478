/*
 * levels.c - the smallest level of each part of the time, and the trend of these.
 */
#include "levels.h"

#include <assert.h>
#include <math.h>

enum { WINDOWS = 24, LATE_WINDOWS = 5 };
/* A rise that begins late must be beyond what a cache that fills makes: as surely as a total's, and
 * by twice the smallest heap that Go collects. */
#define LATE_Z          6.0
#define LATE_RISE_BYTES (4 << 20)
/* The first part of a program's life fills its caches; a total is judged without it. */
#define WARM_UP 0.1
/* A total that is measured, not sampled, has many points: it must be far beyond chance. */
#define TOTAL_Z 6.0

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
}

/* The smallest of each of WINDOWS equal parts of the time, the first part left out. */
static fl_status windows_of(fl_levels *out, const fl_levels_input *in, fl_arena *arena,
                            fl_error *err)
{
    const double *when_s = in->time_s, *bytes = in->bytes;
    const size_t count = in->count;
    double *time_s = fl_arena_alloc(arena, 3 * (size_t)WINDOWS, sizeof(*time_s));
    if (time_s == NULL)
        return no_memory(err);
    double *value = time_s + WINDOWS, *error = value + WINDOWS;
    double begin = when_s[0] + WARM_UP * (when_s[count - 1] - when_s[0]);
    double span = when_s[count - 1] - begin;
    size_t used = 0, last = WINDOWS;
    for (size_t i = 0; i < count && span > 0; i++) {
        if (when_s[i] < begin || !isfinite(bytes[i]))
            continue;
        size_t window = (size_t)(WINDOWS * (when_s[i] - begin) / span);
        window = window < WINDOWS ? window : WINDOWS - 1;
        if (window != last) {
            time_s[used] = when_s[i];
            error[used] = in->rounding;
            value[used++] = bytes[i];
        } else if (bytes[i] < value[used - 1]) {
            value[used - 1] = bytes[i];
            time_s[used - 1] = when_s[i];
        }
        last = window;
    }
    assert(used <= WINDOWS);
    out->series = (fl_series){.time_s = time_s, .value = value, .error = error, .count = used};
    out->is_known = used >= FL_LEVELS_MIN;
    fl_status status = fl_trend_of(&out->trend, &out->series, arena, err);
    /* What the values scatter around their line is garbage of the moment: their error. */
    for (size_t i = 0; i < used && out->is_known && status == FL_OK; i++)
        error[i] = fmax(in->rounding, out->trend.slope_error * span / 2);
    return status == FL_OK ? fl_trend_of(&out->trend, &out->series, arena, err) : status;
}

/* A leak that begins in the middle: flat, then a rise that lasts to the end. What is judged then is
 * the rise alone; as a whole such a series is a step, or scatters around a line that explains
 * nothing. */
fl_status fl_levels_cut_late(fl_levels *total, double rounding, fl_arena *scratch, fl_error *err)
{
    assert(total->is_known);
    const fl_series *all = &total->series;
    fl_status status = FL_OK;
    bool found = total->trend.shape == FL_SHAPE_GROWING && total->trend.growth_z >= LATE_Z;
    double *error = fl_arena_alloc(scratch, all->count + 1, sizeof(*error));
    if (error == NULL)
        return no_memory(err);
    for (size_t i = 0; i < all->count; i++) /* what scattered before does not err in the rise */
        error[i] = rounding;
    for (size_t at = 3; at + LATE_WINDOWS <= all->count && !found && status == FL_OK; at++) {
        double low = all->value[0], high = low, rise = all->value[all->count - 1] - all->value[at];
        for (size_t i = 0; i <= at; i++) {
            low = fmin(low, all->value[i]);
            high = fmax(high, all->value[i]);
        }
        if (rise < 0.5 * high || rise < LATE_RISE_BYTES || high - low > 0.25 * rise)
            continue;
        fl_trend trend;
        fl_series tail = {.time_s = all->time_s + at,
                          .value = all->value + at,
                          .error = error + at,
                          .count = all->count - at};
        status = fl_trend_of(&trend, &tail, scratch, err);
        found = trend.shape == FL_SHAPE_GROWING && trend.growth_z >= LATE_Z &&
                trend.late_share >= 0.5 && trend.fall_share <= 0.1;
        if (status == FL_OK && found)
            *total = (fl_levels){.series = tail, .trend = trend, .is_known = true, .is_late = true};
    }
    return status;
}

fl_status fl_levels_of(fl_levels *out, const fl_levels_input *in, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && in->rounding > 0);
    *out = (fl_levels){0};
    return in->count >= FL_LEVELS_MIN ? windows_of(out, in, arena, err) : FL_OK;
}

bool fl_levels_grow(const fl_levels *levels)
{
    const fl_series *s = &levels->series;
    const fl_trend *t = &levels->trend;
    if (!levels->is_known || t->shape != FL_SHAPE_GROWING || t->growth_z < TOTAL_Z || s->count < 6)
        return false;
    double rise = t->slope * (s->time_s[s->count - 1] - s->time_s[0]);
    return rise >= 1048576 && rise >= 0.05 * t->last && t->late_share >= 0.5;
}
