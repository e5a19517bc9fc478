/*
 * heap_threads.h - threads of a heap: their state, their stack as far as the dump has it, what lies
 * on it, and virtual threads by what they run.
 *
 * A thread runs where a root says that its object is a thread. Virtual threads are objects of
 * java.lang.VirtualThread; Java 21 dumps no stack of one, later versions do. What a virtual thread
 * keeps hangs on its task and on nothing else, unless the dump has its stack.
 *
 * Memory: some 64 bytes a thread, some 150 a class.
 */
#ifndef FL_HEAP_THREADS_H
#define FL_HEAP_THREADS_H

#include "heap.h"
#include "map.h"

typedef enum fl_heap_thread_state {
    FL_HEAP_THREAD_UNKNOWN,
    FL_HEAP_THREAD_NEW,
    FL_HEAP_THREAD_RUNNABLE, /* virtual: on a carrier */
    FL_HEAP_THREAD_BLOCKED,
    FL_HEAP_THREAD_WAITING, /* virtual: on none */
    FL_HEAP_THREAD_TIMED_WAITING,
    FL_HEAP_THREAD_ENDED,
    FL_HEAP_THREAD_STATE_COUNT
} fl_heap_thread_state;

const char *fl_heap_thread_state_name(fl_heap_thread_state state); /* "timed waiting" */

typedef struct fl_heap_thread {
    fl_heap_object object;
    bool is_virtual, is_daemon;
    fl_heap_thread_state state;
    uint64_t retained_bytes;
    uint32_t locals; /* objects on its stack */
    uint32_t trace;  /* among those of the dump; FL_HEAP_NONE: it has none of this thread */
} fl_heap_thread;

/* Virtual threads whose tasks are of one class. */
typedef struct fl_heap_virtual {
    uint32_t task_class; /* FL_HEAP_NONE: not known */
    uint64_t counts[FL_HEAP_THREAD_STATE_COUNT], count;
    uint64_t unreached;      /* that no root keeps: they wait for what nobody can do any more */
    uint64_t retained_bytes; /* sum over the threads */
    fl_heap_object largest;
} fl_heap_virtual;

typedef struct fl_heap_threads {
    fl_heap_thread *rows; /* that run; those that keep most first */
    size_t count;
    fl_heap_virtual *virtuals; /* that keep most first */
    size_t virtual_count;
    uint64_t idle, idle_bytes; /* other Thread objects, not virtual; what they keep */
    fl_map *classes;           /* serial numbers to classes: how frames name them */
} fl_heap_threads;

/* The heap has a tree. FL_E_NOMEM. The caller disposes of *out. */
FL_NODISCARD fl_status fl_heap_threads_find(fl_heap_threads *out, const fl_heap *heap,
                                            fl_error *err);
void fl_heap_threads_dispose(fl_heap_threads *threads);

typedef struct fl_heap_frame {
    fl_slice class_name, method, source; /* "" where the dump does not say */
    int32_t line;                        /* 0 and less: not known; -3: native */
} fl_heap_frame;

/* Frames from the innermost outwards: fills out[cap], returns how many there are. */
size_t fl_heap_thread_frames(fl_heap_frame *out, size_t cap, const fl_heap *heap,
                             const fl_heap_threads *threads, const fl_heap_thread *thread);

#endif
