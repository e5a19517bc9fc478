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
#include "levels.h"

static int compare_rows(const void *a, const void *b)
{
    const leak_row *x = a, *y = b;
    return (x->time_s > y->time_s) - (x->time_s < y->time_s);
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

/* The rows of one source as levels. */
static fl_status levels_of(fl_levels *out, leak_case *c, const leak_row *rows, size_t count,
                           fl_error *err)
{
    double *time_s = fl_arena_alloc(c->scratch, 2 * count, sizeof(*time_s));
    if (time_s == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
    for (size_t i = 0; i < count; i++) {
        time_s[i] = rows[i].time_s;
        time_s[count + i] = rows[i].live_bytes;
    }
    const fl_levels_input in = {
        .time_s = time_s, .bytes = time_s + count, .count = count, .rounding = FL_LEVELS_MIB_ERROR};
    return fl_levels_of(out, &in, c->scratch, err);
}

fl_status fl_leak_total_of(leak_case *c, fl_error *err)
{
    fl_status status = FL_OK;
    fl_levels best = {0};
    c->total = (leak_total){.load_ratio = NAN};
    if (c->scope.lives > 1) /* of which of the processes they are is not told */
        return FL_OK;
    for (size_t source = 0; source < STATS_ROWS && status == FL_OK; source++) {
        const leak_stats *stats = &c->leak->stats[source];
        fl_levels found = {0};
        if (stats->count < FL_LEVELS_MIN)
            continue;
        leak_row *rows = fl_arena_alloc(c->scratch, stats->count, sizeof(*rows));
        if (rows == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
        for (size_t i = 0; i < stats->count; i++)
            rows[i] = stats->rows[i];
        qsort(rows, stats->count, sizeof(*rows), compare_rows);
        double load = load_ratio(rows, stats->count);
        size_t count = after_collections(rows, stats->count);
        if (count >= FL_LEVELS_MIN)
            status = levels_of(&found, c, rows, count, err);
        if (found.is_known && (!best.is_known || found.trend.slope_error < best.trend.slope_error))
            best = found;
        c->total.load_ratio = isfinite(load) ? load : c->total.load_ratio;
    }
    if (status == FL_OK && best.is_known)
        status = fl_levels_cut_late(&best, FL_LEVELS_MIB_ERROR, c->scratch, err);
    c->total.series = best.series;
    c->total.trend = best.trend;
    c->total.is_known = best.is_known;
    c->total.is_late = best.is_late;
    return status;
}
