/*
 * heap_finalizers.h - objects with a finalizer, and soft, weak and phantom references: how many
 * there are, how many wait in a queue, and what is only alive because its finalizer has not run.
 *
 * An object whose class has finalize() is registered when it is made: a java.lang.ref.Finalizer
 * refers to it. Once nothing else keeps it, the collector hands the Finalizer over to a queue, from
 * which one thread takes one after the other. A Reference says where it stands by its `queue`: its
 * own one while it waits for the collector, ReferenceQueue.ENQUEUED while it is in it, a queue that
 * is none thereafter (Java 8 to 25).
 *
 * Memory: some 100 bytes a class.
 */
#ifndef FL_HEAP_FINALIZERS_H
#define FL_HEAP_FINALIZERS_H

#include "heap.h"

typedef enum fl_heap_reference_kind {
    FL_HEAP_SOFT,
    FL_HEAP_WEAK,
    FL_HEAP_FINAL,
    FL_HEAP_PHANTOM, /* Cleaners, too */
    FL_HEAP_REFERENCE_KIND_COUNT
} fl_heap_reference_kind;

const char *fl_heap_reference_kind_name(fl_heap_reference_kind kind); /* "soft" ... */

/* All references of one class. */
typedef struct fl_heap_references {
    fl_heap_reference_kind kind;
    uint32_t class_index;
    uint64_t count;
    uint64_t cleared; /* that refer to nothing any more */
    uint64_t queued;
    uint64_t pending; /* that the collector found, and nobody has put into their queue yet */
} fl_heap_references;

/* All objects of one class that have a finalizer which has not run. */
typedef struct fl_heap_finalizable {
    uint32_t class_index;
    uint64_t registered, queued, taken; /* in use or not seen by a collector; in the queue; out of
                                           it: the finalizer runs, or has run and will go */
    uint64_t kept_bytes;                /* retained by those that only their Finalizer keeps */
    fl_heap_object first;               /* of them, or of all, in the order of addresses */
} fl_heap_finalizable;

typedef struct fl_heap_finalizers {
    fl_heap_references *references; /* by kind, then by count */
    size_t reference_count;
    fl_heap_finalizable *rows; /* that keep most first */
    size_t count;
    uint64_t registered, queued, taken, kept_bytes; /* sums of the rows */
    bool has_queue;                                 /* the dump says which ones are queued */
} fl_heap_finalizers;

/* The heap has a tree. FL_E_NOMEM. The caller disposes of *out. */
FL_NODISCARD fl_status fl_heap_finalizers_find(fl_heap_finalizers *out, const fl_heap *heap,
                                               fl_error *err);
void fl_heap_finalizers_dispose(fl_heap_finalizers *finalizers);

/* A queue is told of as a fault where at least so many wait in it, and what only finalizers keep is
 * at least this share of what the roots keep: a collection right before the dump, as a dump of live
 * objects has it, puts all at once into the queue that died before it. */
#define FL_HEAP_QUEUED_LEAST 100u
#define FL_HEAP_QUEUED_SHARE 0.1

/* Of the heap's reached bytes; false where the queue is nothing to tell. */
bool fl_heap_finalizers_wait(const fl_heap_finalizers *finalizers, uint64_t reached_bytes);

#endif
