/*
 * hserr_priv.h - between the report's lines and its frames.
 */
#ifndef FL_HSERR_PRIV_H
#define FL_HSERR_PRIV_H

#include "hserr.h"
#include "slice.h"

/* A frame's line: "V  [libjvm.so+0xed2f94]  Unsafe_PutLong+0x124". False where it is none. Texts
 * are copied into the arena; false with *failed where that ran out. */
bool fl_hserr_frame(fl_crash_frame *out, fl_slice line, fl_arena *arena, bool *failed);
/* "0x00007fc8adad2f94": hexadecimal digits behind "0x". Steps over them. */
bool fl_hserr_take_hex(fl_slice *in, uint64_t *out);
/* Steps over `text`, or leaves *in as it was. */
bool fl_hserr_take(fl_slice *in, fl_slice text);

/* ---- memory and threads: hserr_memory.c ---- */

/* What a line says of memory or threads, into `out` and the arena; *failed where that ran out. */
typedef struct fl_hserr_memory {
    fl_crash *out;
    fl_arena *arena;
    fl_crash_category *categories; /* FL_CRASH_MAX_CATEGORIES of them */
    bool is_tracking;              /* within "Native Memory Tracking:" */
    bool *failed;
} fl_hserr_memory;

/* "Native memory allocation (mmap) failed to map 4096 bytes for committing reserved memory." */
void fl_hserr_take_failure(fl_hserr_memory *in, fl_slice text);
/* A line of "Native Memory Tracking:", which has empty lines in it, so that its end is that of its
 * part of the report. True where the line was one of it. */
bool fl_hserr_take_tracking(fl_hserr_memory *in, fl_slice text);
/* When all lines were taken: a total that one of its parts passes is a damaged line, and not known.
 */
void fl_hserr_check_tracking(fl_hserr_memory *in);
/* "Memory: 4k page, ...", "memory_limit_in_bytes: ..." and their like: kept as they stand. */
bool fl_hserr_take_limit(fl_hserr_memory *in, fl_slice text);
/* A line of "Java Threads:" or "Other Threads:". */
void fl_hserr_take_thread(fl_hserr_memory *in, fl_slice text, bool is_java);
/* "JavaThread \"main\" [_thread_in_vm, id=1, ...]" to the name and the state of the thread. */
void fl_hserr_take_current(fl_hserr_memory *in, fl_slice text);
/* "si_signo: 11 (SIGSEGV), si_code: 0 (SI_USER), si_pid: 1": who sent it. */
void fl_hserr_take_sender(fl_crash *out, fl_slice text);

#endif
