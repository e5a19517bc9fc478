/*
 * gc.h - what garbage collection logs of one program say: pauses, rates, the heap that stays, and
 * findings (faultline/leak.h).
 *
 * All texts are NUL-terminated UTF-8 in the arena that the report was made in. A number that is not
 * known is NaN, a duration or a time -1.
 */
#ifndef FAULTLINE_GC_H
#define FAULTLINE_GC_H

#include "faultline/gclog.h"
#include "faultline/leak.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FL_GC_MAX_GROUPS = 48, FL_GC_LONGEST = 10, FL_GC_MAX_FILES = 64 };

/* Durations, of which quantiles are within 1.6 % and the largest is exact. */
typedef struct fl_gc_durations {
    uint64_t count;
    int64_t total_ns, p50_ns, p95_ns, p99_ns, p999_ns, max_ns; /* -1 where count is 0 */
} fl_gc_durations;

/* Pauses of one name and cause. */
typedef struct fl_gc_group {
    fl_gc_kind kind;
    const char *name, *cause; /* cause may be "" */
    fl_gc_durations pauses;
} fl_gc_group;

/* One pause, and where it stands. */
typedef struct fl_gc_pause {
    int64_t pause_ns, time_ns, since_ns, before_bytes, after_bytes;
    uint64_t line;
    const char *file, *name, *cause;
} fl_gc_pause;

enum { FL_GC_AGAIN_TEXT = 384 };

/*
 * The command that shows line `line` of a log again, for a shell, whatever its path holds:
 * "sed -n 7p gc.log", "zcat 'my gc.log.gz' | sed -n 7p". Line 0 is of a recording, of which there
 * are no lines: "faultline jfr --view gc FILE". "" where there is none: of standard input, or where
 * it does not fit. Returns `out`.
 */
const char *fl_gc_again(char out[FL_GC_AGAIN_TEXT], const char *file, uint64_t line);

/* A level over time and its trend; shape is a word of fl_leak_finding's feature `shape`. */
typedef struct fl_gc_level {
    const double *time_s, *bytes; /* since the first collection; the smallest of each part */
    size_t count;                 /* 0: not known */
    const char *shape;
    fl_leak_interval per_hour; /* bytes; 95 % */
    double growth_z;
} fl_gc_level;

typedef struct fl_gc_report {
    fl_gc_about about; /* of all files together: the first that tells; counts are sums */
    const char *const *files;
    size_t file_count;
    int64_t from_ns, to_ns; /* wall clock; -1 */
    int64_t span_ns;        /* from the first collection to the last; -1 */
    uint64_t restarts;      /* the virtual machine began anew so many times within */
    uint64_t counts[FL_GC_KIND_COUNT];
    uint64_t troubles[FL_GC_TROUBLE_COUNT];
    fl_gc_durations pauses, stalls;
    double pause_ratio;       /* of the span */
    double worst_pause_ratio; /* of its worst minute, where the span has one */
    int64_t worst_at_ns;      /* where that minute begins, since the first collection; -1 */
    double alloc_bytes_per_s, promoted_bytes_per_s;
    fl_gc_level heap;       /* alive after collections */
    bool heap_is_after_old; /* of those that collect the old part; else of all */
    fl_gc_level metaspace;
    const fl_gc_group *groups; /* by total time */
    size_t group_count;
    const fl_gc_pause *longest;
    size_t longest_count;
    fl_leak_report verdict;
} fl_gc_report;

#ifdef __cplusplus
}
#endif

#endif
