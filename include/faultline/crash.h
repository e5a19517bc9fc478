/*
 * crash.h - what a Java virtual machine wrote when it crashed (hs_err_pidN.log).
 *
 * Decoded by ingest/hserr. Texts are NUL-terminated, in the arena that the report was read into;
 * one that the report does not have is NULL, a number 0.
 */
#ifndef FAULTLINE_CRASH_H
#define FAULTLINE_CRASH_H

#include <stdbool.h>

#include "faultline/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FL_CRASH_MAX_MEMORY_ERRORS = 8 };
enum { FL_CRASH_MAX_FRAMES = 256, FL_CRASH_MAX_EVENTS = 16, FL_CRASH_LAST_EVENTS = 5 };

/* The letters in front of frames: J compiled Java code, j interpreted, V the virtual machine, v its
 * generated stubs, C native code, A compiled ahead of time. */
typedef struct fl_crash_frame {
    char kind;
    const char *text;    /* the line behind the letter, as it stands */
    const char *library; /* "libjvm.so" */
    uint64_t offset;     /* in it, as its file counts addresses */
    const char *symbol;  /* "Unsafe_PutLong" */
    const char *method;  /* "GcLab.crash()V" */
    const char *plain;   /* that method as its source has it, where a mapping tells; else NULL */
    bool is_looked_up;   /* the symbol comes from a given file, not from the report */
    /* By the DWARF of a given file; else NULL and none. */
    const char *source;         /* "unsafe.cpp:262" */
    const char *const *inlined; /* calls that were inlined there, the innermost first:
                                   "name (unsafe.cpp:202)" */
    size_t inlined_count;
} fl_crash_frame;

/* The last events of one log: "GC Heap History", "Internal exceptions" ... */
typedef struct fl_crash_events {
    const char *name;
    const char *last[FL_CRASH_LAST_EVENTS]; /* the oldest first */
    size_t count;
} fl_crash_events;

typedef enum fl_crash_cause {
    FL_CRASH_SIGNAL,       /* a signal: SIGSEGV, SIGBUS, SIGILL, SIGFPE, EXCEPTION_... */
    FL_CRASH_INTERNAL,     /* the virtual machine found itself wrong */
    FL_CRASH_OUT_OF_MEMORY /* the machine had no memory for it */
} fl_crash_cause;

typedef struct fl_crash {
    fl_crash_cause cause;
    const char *what;      /* "SIGSEGV (0xb)", "Internal Error (sharedRuntime.cpp:553)" */
    const char *detail;    /* the sentence behind it, such as "guarantee(...) failed: ..." */
    uint64_t pc, pid, tid; /* pc: of a signal */
    const char *jre, *vm;  /* versions, as they stand */
    fl_crash_frame frame;  /* the problematic one; its text is NULL where there is none */
    const char *command, *host, *time;
    double elapsed_s;        /* since the start; NaN */
    const char *thread;      /* "JavaThread \"main\" [_thread_in_vm, id=28647, ...]" */
    const char *signal_info; /* "si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), ..." */
    const fl_crash_frame *native_frames;
    size_t native_count;
    const fl_crash_frame *java_frames; /* of the thread, the innermost first */
    size_t java_count;
    const char *const *heap; /* lines, as they stand */
    size_t heap_count;
    const char *memory_errors[FL_CRASH_MAX_MEMORY_ERRORS]; /* "java_heap_errors=3" */
    size_t memory_error_count;
    uint64_t java_threads;
    const fl_crash_events *events;
    size_t event_count;
    bool is_whole;     /* it ends as a report does */
    uint64_t left_out; /* frames and lines beyond the limits */
} fl_crash;

#ifdef __cplusplus
}
#endif

#endif
