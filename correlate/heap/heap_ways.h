/*
 * heap_ways.h - the shortest way from the roots to an object, by references that keep.
 *
 * Breadth first from all roots at once, as far as the last object that is asked for. What lies on a
 * thread's stack is reached by way of the thread. Of several shortest ways it is the one that comes
 * first in the order of roots and references.
 *
 * Memory: 8 bytes an object while they are looked for.
 */
#ifndef FL_HEAP_WAYS_H
#define FL_HEAP_WAYS_H

#include "heap.h"

enum { FL_HEAP_WAY_STEPS = 64 };

typedef struct fl_heap_step {
    fl_heap_object object;
    fl_heap_edge edge; /* to the next step's object; of the last step .to is FL_HEAP_NONE */
} fl_heap_step;

/* From the root to the object. A longer way keeps its beginning and its end: `left_out` steps stood
 * behind the first half. */
typedef struct fl_heap_way {
    fl_heap_step steps[FL_HEAP_WAY_STEPS];
    size_t count;    /* 0: no root keeps it */
    size_t left_out; /* steps in the middle */
} fl_heap_way;

/* The ways to `count` objects into out[count]. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_ways_find(fl_heap_way *out, const fl_heap *heap,
                                         const fl_heap_object *wanted, size_t count, fl_error *err);

#endif
