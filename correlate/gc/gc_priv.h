/*
 * gc_priv.h - between the gathering of collections and the judgement on them.
 */
#ifndef FL_GC_PRIV_H
#define FL_GC_PRIV_H

#include "gc_stats.h"
#include "levels.h"

enum { GC_PARTS = 4096, GC_STEPS = 16, GC_BITS = 48, GC_NAME = 64 };

/* Counts of durations: GC_STEPS equal steps within each power of two, so that the middle of a step
 * is within 1/(2 * GC_STEPS) of what it stands for; below GC_STEPS ns each has its own. */
typedef struct gc_histogram {
    uint64_t count;
    int64_t total_ns, max_ns;
    uint32_t steps[GC_BITS * GC_STEPS];
} gc_histogram;

typedef struct gc_group {
    fl_gc_kind kind;
    char name[GC_NAME], cause[GC_NAME];
    gc_histogram pauses;
} gc_group;

typedef struct gc_longest {
    fl_gc_pause pause; /* its texts are not set */
    char name[GC_NAME], cause[GC_NAME];
    size_t file;
} gc_longest;

/* A part of the time. */
typedef struct gc_part {
    double low, low_old, metaspace;       /* bytes; INFINITY where there was no collection */
    int64_t low_ns, low_old_ns, class_ns; /* when */
    int64_t pause_ns;
} gc_part;

/*
 * Invariants: (1) parts[i] holds what was in [i, i + 1) * part_ns since the first collection, and
 * now_ns < GC_PARTS * part_ns; (2) longest[] falls by duration, of equal ones the earlier first;
 * (3) has_clock: every event so far had a time, since_ns or time_ns.
 */
struct fl_gc_stats {
    fl_gc_about about;
    const char *files[FL_GC_MAX_FILES];
    size_t file_count;
    bool has_clock, began;
    int64_t base_ns;       /* added to an event's own time to give the time since the first one */
    int64_t last_since_ns; /* of the event before; -1 */
    int64_t last_time_ns;  /* of its wall clock; -1 */
    int64_t now_ns;        /* of the last event, since the first */
    int64_t from_ns, to_ns;
    uint64_t restarts;
    uint64_t counts[FL_GC_KIND_COUNT], troubles[FL_GC_TROUBLE_COUNT];
    uint64_t troubled_full[FL_GC_TROUBLE_COUNT]; /* of these, full collections */
    int64_t troubled_pause_ns[FL_GC_TROUBLE_COUNT];
    uint64_t trouble_line[FL_GC_TROUBLE_COUNT]; /* of the first */
    size_t trouble_file[FL_GC_TROUBLE_COUNT];
    double allocated_bytes, promoted_bytes;
    int64_t last_after_bytes; /* -1: not known */
    uint64_t old_levels;      /* of collections that collect the old part */
    int64_t last_old_after, largest_capacity;
    gc_histogram pauses, stalls;
    gc_group groups[FL_GC_MAX_GROUPS];
    size_t group_count;
    gc_longest longest[FL_GC_LONGEST];
    size_t longest_count;
    int64_t part_ns;
    gc_part parts[GC_PARTS];
};

/* What a judgement works on. */
typedef struct gc_case {
    const fl_gc_stats *stats;
    const fl_gc_options *options;
    fl_gc_report *report;
    fl_levels heap, metaspace;
    fl_arena *arena;
    bool failed; /* the arena ran out */
} gc_case;

/* Verdict, findings and what to collect next, out of the figures in c->report. */
FL_NODISCARD fl_status fl_gc_judge(gc_case *c, fl_error *err);
/* printf into the arena; "" and `failed` where it ran out. */
const char *fl_gc_say(gc_case *c, const char *format, ...) FL_PRINTF(2, 3);

#endif
