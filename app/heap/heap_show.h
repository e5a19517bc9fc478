/*
 * heap_show.h - the views that need the whole graph of a heap, by name: each finds what it is about
 * and writes it, as text or as JSON (schemas/json/heap.schema.json).
 *
 * The same heap is the same answer: rows are ordered by sizes, then by addresses.
 */
#ifndef FL_HEAP_SHOW_H
#define FL_HEAP_SHOW_H

#include "heap_view.h"

typedef struct fl_heap_asked {
    const fl_heap_title *title;
    const fl_heap *heap; /* with its tree */
    size_t top;          /* rows of each table; 0: all */
    bool as_json;
    size_t depth;          /* of the tree of dominators, at least 1 */
    fl_heap_object object; /* where it begins; FL_HEAP_NONE: at the roots */
} fl_heap_asked;

/* FL_E_NOMEM. */
typedef fl_status fl_heap_show_fn(fl_buf *out, const fl_heap_asked *asked, fl_error *err);

/* NULL: there is no such view, or it is one of those that need less than the graph. */
fl_heap_show_fn *fl_heap_show_of(const char *view);

/* The tree of dominators, object by object. */
fl_heap_show_fn fl_heap_show_dominators;
/* What waits for its finalizer; soft, weak and phantom references by class. */
fl_heap_show_fn fl_heap_show_finalizers;
/* Class loaders, and those that are there more than once. */
fl_heap_show_fn fl_heap_show_loaders;
/* Threads with their stacks, what lies on them and their ThreadLocals; virtual threads. */
fl_heap_show_fn fl_heap_show_threads;
/* What keeps most: objects, classes, packages, loaders. */
fl_heap_show_fn fl_heap_show_top;
/* What no root keeps, by class. */
fl_heap_show_fn fl_heap_show_unreachable;

#endif
