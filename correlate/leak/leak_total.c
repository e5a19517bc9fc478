/*
 * leak_total.c - memory statistics to a total: how many bytes were alive after each collection.
 *
 * No sampling is in it, so that it sees a leak which is too small for the heap profile; but it
 * does not say where. The total of a window is the smallest in it: what a batch holds for a while
 * comes and goes above that.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "faultline/limits.h"
#include "leak_priv.h"

enum { WINDOWS = 24, MIN_WINDOWS = 4, LATE_WINDOWS = MIN_LEAK_POINTS };
/* A rise that begins late must be beyond what a cache that fills makes: as surely as a total's, and
 * by twice the smallest heap that Go collects. */
#define LATE_Z          6.0
#define LATE_RISE_BYTES (4 << 20)
/* The first part of a program's life fills its caches; a total is judged without it. */
#define WARM_UP 0.1
/* gctrace rounds to MB: the deviation of a rounding error. */
#define ROUNDING_BYTES (1048576 / 3.4641016)

static int compare_rows(const void *a, const void *b)
{
    const leak_row *x = a, *y = b;
    return (x->time_s > y->time_s) - (x->time_s < y->time_s);
}

/* The smallest of each of WINDOWS equal parts of the time, the first part left out. */
static fl_status windows_of(leak_total *out, leak_case *c, const leak_row *rows, size_t count,
                            fl_error *err)
{
    double *time_s = fl_arena_alloc(c->scratch, 3 * (size_t)WINDOWS, sizeof(*time_s));
    if (time_s == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
    double *value = time_s + WINDOWS, *error = value + WINDOWS;
    double begin = rows[0].time_s + WARM_UP * (rows[count - 1].time_s - rows[0].time_s);
    double span = rows[count - 1].time_s - begin;
    size_t used = 0, last = WINDOWS;
    for (size_t i = 0; i < count && span > 0; i++) {
        if (rows[i].time_s < begin || !isfinite(rows[i].live_bytes))
            continue;
        size_t window = (size_t)(WINDOWS * (rows[i].time_s - begin) / span);
        window = window < WINDOWS ? window : WINDOWS - 1;
        if (window != last) {
            time_s[used] = rows[i].time_s;
            error[used] = ROUNDING_BYTES;
            value[used++] = rows[i].live_bytes;
        } else if (rows[i].live_bytes < value[used - 1]) {
            value[used - 1] = rows[i].live_bytes;
            time_s[used - 1] = rows[i].time_s;
        }
        last = window;
    }
    assert(used <= WINDOWS);
    out->series = (fl_series){.time_s = time_s, .value = value, .error = error, .count = used};
    out->is_known = used >= MIN_WINDOWS;
    fl_status status = fl_trend_of(&out->trend, &out->series, c->scratch, err);
    /* What the values scatter around their line is garbage of the moment: their error. */
    for (size_t i = 0; i < used && out->is_known && status == FL_OK; i++)
        error[i] = fmax(ROUNDING_BYTES, out->trend.slope_error * span / 2);
    return status == FL_OK ? fl_trend_of(&out->trend, &out->series, c->scratch, err) : status;
}

/* A leak that begins in the middle: flat, then a rise that lasts to the end. What is judged then is
 * the rise alone; as a whole such a series is a step, or scatters around a line that explains
 * nothing. */
static fl_status cut_late_rise(leak_total *total, fl_arena *scratch, fl_error *err)
{
    const fl_series *all = &total->series;
    fl_status status = FL_OK;
    bool found = total->trend.shape == FL_SHAPE_GROWING && total->trend.growth_z >= LATE_Z;
    double *error = fl_arena_alloc(scratch, all->count + 1, sizeof(*error));
    if (error == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
    for (size_t i = 0; i < all->count; i++) /* what scattered before does not err in the rise */
        error[i] = ROUNDING_BYTES;
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
            *total = (leak_total){.series = tail,
                                  .trend = trend,
                                  .is_known = true,
                                  .is_late = true,
                                  .load_ratio = total->load_ratio};
    }
    return status;
}

/* Of rows that are taken again and again, the smallest after each collection: the rest is garbage
 * that was not yet collected. Where a source tells what was alive it stays. */
static size_t after_collections(leak_row *rows, size_t count)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(rows[i].live_bytes))
            continue;
        bool same =
            used > 0 && isfinite(rows[i].gc_count) && rows[used - 1].gc_count == rows[i].gc_count;
        if (!same)
            rows[used++] = rows[i];
        else if (rows[i].live_bytes < rows[used - 1].live_bytes)
            rows[used - 1].live_bytes = rows[i].live_bytes;
    }
    return used;
}

/* Requests by the second, last half over first. */
static double load_ratio(const leak_row *rows, size_t count)
{
    size_t half = count / 2;
    if (count < 4 || !isfinite(rows[0].requests) || !isfinite(rows[count - 1].requests))
        return NAN;
    double before = (rows[half].requests - rows[0].requests) / (rows[half].time_s - rows[0].time_s);
    double after = (rows[count - 1].requests - rows[half].requests) /
                   (rows[count - 1].time_s - rows[half].time_s);
    return before > 0 ? after / before : NAN;
}

fl_status fl_leak_total_of(leak_case *c, fl_error *err)
{
    fl_status status = FL_OK;
    c->total = (leak_total){.load_ratio = NAN};
    if (c->scope.lives > 1) /* of which of the processes they are is not told */
        return FL_OK;
    for (size_t source = 0; source < STATS_ROWS && status == FL_OK; source++) {
        const leak_stats *stats = &c->leak->stats[source];
        leak_total found = {.load_ratio = NAN};
        if (stats->count < MIN_WINDOWS)
            continue;
        leak_row *rows = fl_arena_alloc(c->scratch, stats->count, sizeof(*rows));
        if (rows == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
        for (size_t i = 0; i < stats->count; i++)
            rows[i] = stats->rows[i];
        qsort(rows, stats->count, sizeof(*rows), compare_rows);
        double load = load_ratio(rows, stats->count);
        size_t count = after_collections(rows, stats->count);
        if (count >= MIN_WINDOWS)
            status = windows_of(&found, c, rows, count, err);
        bool better = found.is_known &&
                      (!c->total.is_known || found.trend.slope_error < c->total.trend.slope_error);
        double kept = isfinite(load) ? load : c->total.load_ratio;
        if (better)
            c->total = found;
        c->total.load_ratio = kept;
    }
    if (status == FL_OK && c->total.is_known)
        status = cut_late_rise(&c->total, c->scratch, err);
    return status;
}
