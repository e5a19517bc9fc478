/*
 * leak.c - an analysis's life: made, fed with statistics and crashes, released.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "faultline/limits.h"
#include "hash.h"
#include "leak_priv.h"
#include "mem.h"
#include "slice.h"

/* The most that each table of numbers may hold; more stacks than these are refused before. */
enum { MAX_FUNCTIONS = 1 << 20 };

fl_status fl_leak_create(fl_leak **out, const fl_leak_options *options, fl_error *err)
{
    assert(out != NULL && options != NULL);
    *out = NULL;
    fl_leak *leak = fl_mem_calloc(1, sizeof(*leak));
    if (leak == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
    leak->options = *options;
    for (int i = 0; i < SET_COUNT; i++)
        leak->sets[i].keep = FL_MAX_LEAK_SNAPSHOTS;
    fl_status status = fl_intern_create(&leak->texts, FL_MAX_LEAK_TEXT_BYTES, err);
    if (status == FL_OK)
        status = fl_map_create(&leak->function_ids, MAX_FUNCTIONS, err);
    if (status == FL_OK)
        status = fl_map_create(&leak->stack_ids, FL_MAX_LEAK_STACKS + 1, err);
    if (status == FL_OK)
        status = fl_map_create(&leak->site_ids, FL_MAX_LEAK_SITES + 1, err);
    if (status == FL_OK)
        status = fl_leak_compile(leak, err);
    if (status != FL_OK) {
        fl_leak_destroy(leak);
        return status;
    }
    *out = leak;
    return FL_OK;
}

void fl_leak_destroy(fl_leak *leak)
{
    if (leak == NULL)
        return;
    fl_leak_release(leak);
    for (int i = 0; i < SET_COUNT; i++) {
        for (size_t k = 0; k < leak->sets[i].count; k++)
            fl_mem_free(leak->sets[i].snapshots[k].cells);
        fl_mem_free(leak->sets[i].snapshots);
    }
    for (int i = 0; i < STATS_ROWS; i++)
        fl_mem_free(leak->stats[i].rows);
    fl_intern_destroy(leak->texts);
    fl_map_destroy(leak->function_ids);
    fl_map_destroy(leak->stack_ids);
    fl_map_destroy(leak->site_ids);
    fl_mem_free(leak->functions);
    fl_mem_free(leak->stacks);
    fl_mem_free(leak->frames);
    fl_mem_free(leak->sites);
    fl_mem_free(leak->parked);
    fl_mem_free(leak->map_room);
    fl_mem_free(leak->cell_of);
    fl_mem_free(leak);
}

/* NaN where a source does not tell this column. */
static double column_at(const fl_gostats *stats, fl_gostat column, size_t row)
{
    return stats->values[column] != NULL ? stats->values[column][row] : NAN;
}

/* What was alive where the source tells it, else what was allocated and not yet swept: the
 * smallest of a cycle is taken later (leak_total.c). */
static leak_row row_of(const fl_gostats *stats, size_t i)
{
    double live = column_at(stats, FL_GOSTAT_HEAP_LIVE_BYTES, i);
    return (leak_row){
        .time_s = (double)stats->times_ns[i] / NS_PER_S,
        .live_bytes = isfinite(live) ? live : column_at(stats, FL_GOSTAT_HEAP_ALLOC_BYTES, i),
        .objects = column_at(stats, FL_GOSTAT_HEAP_OBJECTS, i),
        .gc_count = column_at(stats, FL_GOSTAT_NUM_GC, i),
        .gc_cpu_ratio = column_at(stats, FL_GOSTAT_GC_CPU_RATIO, i),
        .gc_cpu_ns = column_at(stats, FL_GOSTAT_GC_CPU_NS, i),
        .pause_ns = column_at(stats, FL_GOSTAT_PAUSE_TOTAL_NS, i),
        .allocated = column_at(stats, FL_GOSTAT_TOTAL_ALLOC_BYTES, i),
        .goroutines = column_at(stats, FL_GOSTAT_GOROUTINES, i),
        .requests = column_at(stats, FL_GOSTAT_REQUESTS, i),
    };
}

fl_status fl_leak_add_stats(fl_leak *leak, const fl_gostats *stats, fl_error *err)
{
    assert(leak != NULL && stats != NULL && (int)stats->source < (int)STATS_ROWS);
    leak_stats *own = &leak->stats[stats->source];
    own->since_start = own->since_start || stats->is_since_start;
    for (size_t i = 0; i < stats->row_count; i++) {
        void *rows = own->rows;
        if (own->count == FL_MAX_LEAK_ROWS) { /* every other row leaves */
            for (size_t k = 0; k < own->count / 2; k++)
                own->rows[k] = own->rows[2 * k];
            own->count /= 2;
        }
        fl_status status = fl_leak_grow(&rows, &own->cap, own->count + 1, sizeof(*own->rows), err);
        own->rows = rows;
        if (status != FL_OK)
            return status;
        own->rows[own->count++] = row_of(stats, i);
    }
    return FL_OK;
}
