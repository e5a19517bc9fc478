/*
 * gostats.h - what a Go runtime counts about its own memory, as columns over time.
 *
 * Decoded by ingest/gostats from lines of memory statistics, from expvar's /debug/vars and from
 * GODEBUG=gctrace=1. Rows stand in the order of the input, whose clock may go back: sort or check
 * before a trend is drawn. What a source does not tell is NaN, never 0.
 */
#ifndef FAULTLINE_GOSTATS_H
#define FAULTLINE_GOSTATS_H

#include <stdbool.h>

#include "faultline/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fl_gostat {
    FL_GOSTAT_HEAP_ALLOC_BYTES, /* live and not yet swept objects */
    FL_GOSTAT_HEAP_INUSE_BYTES, /* spans that hold an object */
    FL_GOSTAT_HEAP_IDLE_BYTES,
    FL_GOSTAT_HEAP_RELEASED_BYTES,
    FL_GOSTAT_HEAP_SYS_BYTES,
    FL_GOSTAT_HEAP_LIVE_BYTES, /* gctrace only: what the collection's mark phase found alive */
    FL_GOSTAT_HEAP_OBJECTS,
    FL_GOSTAT_STACK_INUSE_BYTES,
    FL_GOSTAT_SYS_BYTES,
    FL_GOSTAT_NEXT_GC_BYTES, /* the heap size at which the next collection shall be done */
    FL_GOSTAT_GOROUTINES,
    FL_GOSTAT_GC_CPU_RATIO, /* of the CPU time since the program's start; gctrace: in steps of 0.01
                             */
    /* From here on: counters since the program's start, of which differences tell. */
    FL_GOSTAT_NUM_GC,
    FL_GOSTAT_NUM_FORCED_GC,
    FL_GOSTAT_PAUSE_TOTAL_NS, /* all goroutines stopped */
    FL_GOSTAT_MARK_ASSIST_NS, /* gctrace only: CPU time that allocating goroutines had to mark */
    FL_GOSTAT_GC_CPU_NS,      /* gctrace only: CPU time of collections, idle marking left out */
    FL_GOSTAT_TOTAL_ALLOC_BYTES,
    FL_GOSTAT_MALLOCS,
    FL_GOSTAT_FREES,
    FL_GOSTAT_REQUESTS, /* the load, where whoever wrote the lines counted it beside */
    FL_GOSTAT_COUNT
} fl_gostat;

typedef enum fl_gostats_source {
    FL_GOSTATS_LINES,  /* JSON objects of memory statistics */
    FL_GOSTATS_EXPVAR, /* /debug/vars */
    FL_GOSTATS_GCTRACE
} fl_gostats_source;

/* One file's rows: values[s][i] was seen at times_ns[i]. A column that no row has is NULL. */
typedef struct fl_gostats {
    fl_gostats_source source;
    bool is_since_start;     /* times count from the program's start, not from 1970 */
    size_t row_count;        /* at least 1 */
    const int64_t *times_ns; /* row_count */
    const double *values[FL_GOSTAT_COUNT];
    uint64_t left_out;     /* rows thinned out of a longer file: evenly, the last is kept */
    uint64_t rejected;     /* objects or lines that could not be read */
    fl_error first_reject; /* why the first of them; its offset is into the file */
} fl_gostats;

/* Stable name such as "heap-inuse", with the unit in fl_gostat_unit ("bytes", "ns", "ratio", "").
 */
const char *fl_gostat_name(fl_gostat stat);
/* The unit of a column's values; empty for counts. */
const char *fl_gostat_unit(fl_gostat stat);
/* Whether only differences of the column tell something. */
bool fl_gostat_is_counter(fl_gostat stat);

#ifdef __cplusplus
}
#endif

#endif
