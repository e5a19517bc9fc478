/*
 * leak_heaps.h - heap dumps among the inputs of a leak run: what grew from each of them to the
 * next, as findings.
 *
 * Of each dump only a record is kept (heap_record.h). One dump alone is never a verdict.
 */
#ifndef FL_LEAK_HEAPS_H
#define FL_LEAK_HEAPS_H

#include "arena.h"
#include "faultline/leak.h"
#include "heap_kept.h"
#include "heap_signs.h"

enum { FL_MAX_LEAK_HEAPS = FL_HEAP_MAX_DUMPS }; /* the rest is refused */

typedef struct fl_leak_heap {
    int64_t time_ns;
    fl_heap_record record;
    bool is_cut; /* damaged, or it ends before its roots */
} fl_leak_heap;

typedef struct fl_leak_heaps {
    fl_leak_heap items[FL_MAX_LEAK_HEAPS];
    size_t count;
    const char *folder;                  /* where packed ones are unpacked; NULL: /var/tmp */
    const fl_leak_signature *signatures; /* names for what is found; they outlive the report */
    size_t signature_count;
} fl_leak_heaps;

/* Whether an input begins as a heap dump does. */
bool fl_leak_heaps_is(fl_slice head);

/* One dump: the file `name`, or `bytes` where they are not NULL. *total_bytes is what its roots
 * keep, *warning (in the arena) what is missing of it, or NULL. The failures of fl_hprof_open() and
 * of fl_heap_create(), after "NAME: ". */
FL_NODISCARD fl_status fl_leak_heaps_take(fl_leak_heaps *heaps, const char *name,
                                          const fl_slice *bytes, fl_arena *arena,
                                          const char **warning, fl_error *err);
void fl_leak_heaps_dispose(fl_leak_heaps *heaps);

/* Put what they say into a report that was judged; its texts live in the arena. `alone`: nothing
 * else was read, so that the verdict is theirs. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_leak_heaps_report(fl_leak_report *report, fl_leak_heaps *heaps,
                                            uint64_t limit_bytes, bool alone, fl_arena *arena,
                                            fl_error *err);

/* The way becomes the finding's; its texts live in the arena already. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_leak_heaps_keep_path(fl_leak_finding *finding, const fl_heap_kept *kept,
                                               fl_arena *arena, fl_error *err);

#endif
