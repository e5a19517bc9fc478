/*
 * gc_run.h - from garbage collection logs of one program to what they say, in one call.
 */
#ifndef FL_GC_RUN_H
#define FL_GC_RUN_H

#include "arena.h"
#include "faultline/gc.h"
#include "signatures.h"

typedef struct fl_gc_request {
    const char *const *paths;     /* "-" is standard input, alone */
    size_t count;                 /* at most FL_GC_MAX_FILES */
    const fl_signatures *library; /* borrowed as long as the report */
    uint64_t limit_bytes;         /* time until the heap has this size; 0: its largest */
} fl_gc_request;

/* Rotated files are put in order by the times of their first collections. The report lives in
 * `arena`; *damaged: a file ended in the middle or could not be read to its end. FL_E_IO,
 * FL_E_NOTFOUND, FL_E_UNSUPPORTED and FL_E_SYNTAX where a file holds no collections that can be
 * read, FL_E_LIMIT, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_gc_run(fl_gc_report *out, bool *damaged, const fl_gc_request *request,
                                 fl_arena *arena, fl_error *err);

#endif
