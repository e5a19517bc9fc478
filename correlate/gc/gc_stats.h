/*
 * gc_stats.h - collections in, figures and findings out (faultline/gc.h).
 *
 * Memory is some 600 KiB whatever the number of collections: quantiles come out of histograms,
 * levels out of at most 4,096 equal parts of the time, whose width doubles as the log goes on. The
 * same collections in the same order give the same answer.
 */
#ifndef FL_GC_STATS_H
#define FL_GC_STATS_H

#include "arena.h"
#include "faultline/gc.h"

typedef struct fl_gc_stats fl_gc_stats;

/* The caller owns *out. */
FL_NODISCARD fl_status fl_gc_stats_create(fl_gc_stats **out, fl_error *err);
void fl_gc_stats_destroy(fl_gc_stats *stats); /* NULL is a no-op */

/* Events that follow are of this file; its name is borrowed. At most FL_GC_MAX_FILES: FL_E_LIMIT.
 */
FL_NODISCARD fl_status fl_gc_stats_begin(fl_gc_stats *stats, const char *file, fl_error *err);
/* An event, in the order of the log; nothing of it is borrowed. */
void fl_gc_stats_add(fl_gc_stats *stats, const fl_gc_event *event);
/* What the file told beside its events. */
void fl_gc_stats_about(fl_gc_stats *stats, const fl_gc_about *about);

/* Figures and findings of what was added. Signatures are those whose subject is the program and
 * whose conditions are on the feature `log` alone; they are borrowed. `limit_bytes` 0: the largest
 * heap that the log tells. FL_E_NOMEM, FL_E_SYNTAX where a signature's pattern is no expression. */
typedef struct fl_gc_options {
    const fl_leak_signature *signatures;
    size_t signature_count;
    uint64_t limit_bytes;
} fl_gc_options;
FL_NODISCARD fl_status fl_gc_stats_report(fl_gc_report *out, const fl_gc_stats *stats,
                                          const fl_gc_options *options, fl_arena *arena,
                                          fl_error *err);

#endif
