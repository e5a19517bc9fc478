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

enum {
    FL_CRASH_MAX_MEMORY_ERRORS = 8,
    FL_CRASH_MAX_CATEGORIES = 48,
    FL_CRASH_MAX_STATES = 8,
    FL_CRASH_MAX_LIMITS = 8
};
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
    FL_CRASH_SIGNAL,        /* a signal: SIGSEGV, SIGBUS, SIGILL, SIGFPE, EXCEPTION_... */
    FL_CRASH_INTERNAL,      /* the virtual machine found itself wrong */
    FL_CRASH_OUT_OF_MEMORY, /* the machine had no memory for it */
    FL_CRASH_JAVA_MEMORY    /* an OutOfMemoryError, with -XX:+CrashOnOutOfMemoryError */
} fl_crash_cause;

/* What the virtual machine counts of its own memory, by what it is for ("Thread", "Java Heap"). */
typedef struct fl_crash_category {
    const char *name;
    uint64_t reserved_bytes, committed_bytes;
} fl_crash_category;

/* How many Java threads were in one state: "blocked", "in_vm". */
typedef struct fl_crash_state {
    const char *name;
    uint64_t count;
} fl_crash_state;

typedef struct fl_crash {
    fl_crash_cause cause;
    const char *what;      /* "SIGSEGV (0xb)", "Internal Error (sharedRuntime.cpp:553)" */
    const char *detail;    /* the sentence behind it, such as "guarantee(...) failed: ..." */
    uint64_t pc, pid, tid; /* pc: of a signal */
    const char *jre, *vm;  /* versions, as they stand */
    fl_crash_frame frame;  /* the problematic one; its text is NULL where there is none */
    const char *command, *host, *time;
    double elapsed_s;         /* since the start; NaN */
    const char *thread;       /* "JavaThread \"main\" [_thread_in_vm, id=28647, ...]" */
    const char *thread_name;  /* "main" */
    const char *thread_state; /* "in_vm" */
    bool is_sent;             /* the signal came from kill() and not from what code did */
    uint64_t sender_pid;      /* of who sent it; 0: nobody, or a process outside of the container */
    const char *signal_info;  /* "si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), ..." */
    const fl_crash_frame *native_frames;
    size_t native_count;
    const fl_crash_frame *java_frames; /* of the thread, the innermost first */
    size_t java_count;
    const char *const *heap; /* lines, as they stand */
    size_t heap_count;
    const char *memory_errors[FL_CRASH_MAX_MEMORY_ERRORS]; /* "java_heap_errors=3" */
    size_t memory_error_count;
    const char *memory_call; /* what could not be had: "mmap" or "malloc" */
    uint64_t memory_bytes;
    const char *memory_for;              /* "committing reserved memory" */
    const fl_crash_category *categories; /* with -XX:NativeMemoryTracking, else none */
    size_t category_count;
    uint64_t reserved_bytes, committed_bytes; /* of all of them; 0: not known */
    const char *limits[FL_CRASH_MAX_LIMITS]; /* lines on the machine's and the container's memory */
    size_t limit_count;
    uint64_t java_threads, other_threads;
    fl_crash_state thread_states[FL_CRASH_MAX_STATES]; /* of Java threads, as they come */
    size_t thread_state_count;
    const fl_crash_events *events;
    size_t event_count;
    bool is_whole;     /* it ends as a report does */
    uint64_t left_out; /* frames and lines beyond the limits */
} fl_crash;

#ifdef __cplusplus
}
#endif

#endif
