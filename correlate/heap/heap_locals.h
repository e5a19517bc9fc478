/*
 * heap_locals.h - what threads keep in ThreadLocals, by thread and by ThreadLocal.
 *
 * A thread's map is reached by its fields `threadLocals` and `inheritableThreadLocals`; an entry
 * refers to the ThreadLocal weakly (`referent`) and to the value by `value`. An entry whose
 * ThreadLocal is gone keeps its value until the map happens to clean the slot: it is stale.
 *
 * Memory: some 64 bytes a thread and an entry. Needs the tree of dominators for retained sizes.
 */
#ifndef FL_HEAP_LOCALS_H
#define FL_HEAP_LOCALS_H

#include "heap.h"

typedef struct fl_heap_local {
    fl_heap_object thread;
    fl_heap_object key;      /* the ThreadLocal; FL_HEAP_NONE: gone */
    fl_heap_object value;    /* never FL_HEAP_NONE */
    uint64_t retained_bytes; /* by the value alone */
} fl_heap_local;

/* All values of one thread. */
typedef struct fl_heap_local_thread {
    fl_heap_object thread;
    uint32_t entries, stale;
    uint64_t retained_bytes;
} fl_heap_local_thread;

/* All values of one ThreadLocal. */
typedef struct fl_heap_local_key {
    fl_heap_object key;
    uint32_t threads;
    uint64_t retained_bytes;
    uint32_t holder; /* class with a static that is this ThreadLocal, or FL_HEAP_NONE */
    const fl_heap_member *member; /* that static */
    uint32_t value_class;         /* of the value that retains most */
} fl_heap_local_key;

typedef struct fl_heap_locals {
    fl_heap_local *rows; /* by ThreadLocal, then by thread */
    size_t count, cap;
    fl_heap_local_thread *threads; /* that retain most first */
    size_t thread_count;
    fl_heap_local_key *keys; /* that retain most first */
    size_t key_count;
} fl_heap_locals;

/* FL_E_NOMEM. The caller disposes of *out. */
FL_NODISCARD fl_status fl_heap_locals_find(fl_heap_locals *out, const fl_heap *heap, fl_error *err);
void fl_heap_locals_dispose(fl_heap_locals *locals);

#endif
