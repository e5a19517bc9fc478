/*
 * heap_faults.h - what collections, texts and ThreadLocals of one heap prove or suggest, with the
 * figures that say so.
 *
 * Thresholds. Keys: no map whose keys have equals() and hashCode() holds two equal ones, so any
 * share would do; but keys may be meant to be told apart by identity, so at least half of a map of
 * some size must be alike. The same object as key of two entries is proof; so is an entry that
 * stands under the hash of what its key was (heap_strays.h). Chains: with hashes that spread,
 * entries in chains of eight and more are less than one in a million (heap_collections.h). Texts
 * and ThreadLocals: a twentieth and a tenth of the heap, what is worth an hour of somebody.
 */
#ifndef FL_HEAP_FAULTS_H
#define FL_HEAP_FAULTS_H

#include "heap_collections.h"
#include "heap_locals.h"
#include "heap_strings.h"

typedef enum fl_heap_fault_kind {
    FL_HEAP_KEYS_WITHOUT_EQUALS,
    FL_HEAP_KEYS_CHANGED,
    FL_HEAP_HASHES_COLLIDE,
    FL_HEAP_LOCALS_IN_POOL,
    FL_HEAP_TEXTS_REPEATED,
    FL_HEAP_FAULT_KIND_COUNT
} fl_heap_fault_kind;

typedef struct fl_heap_fault {
    fl_heap_fault_kind kind;
    fl_heap_object object; /* the map, the ThreadLocal, a String */
    uint64_t part, whole;  /* entries, threads, Strings: those concerned, and all */
    uint64_t bytes;        /* that it keeps or loses */
    uint32_t key_class;    /* of a key that is concerned, or of the value; or FL_HEAP_NONE */
    size_t row;            /* of the ThreadLocal in fl_heap_locals */
    /* KEYS_CHANGED: the field that changed, where that is how it was found; or NULL */
    const fl_heap_member *changed;
} fl_heap_fault;

typedef struct fl_heap_faults {
    fl_heap_fault *rows; /* by kind, then by bytes */
    size_t count, cap;
} fl_heap_faults;

/* "keys-without-equals", and one sentence about what to do. */
const char *fl_heap_fault_name(fl_heap_fault_kind kind);
const char *fl_heap_fault_hint(fl_heap_fault_kind kind);

/* FL_E_NOMEM. The caller disposes of *out. */
FL_NODISCARD fl_status fl_heap_faults_find(fl_heap_faults *out, const fl_heap *heap,
                                           const fl_heap_collections *collections,
                                           const fl_heap_locals *locals,
                                           const fl_heap_strings *strings, fl_error *err);
void fl_heap_faults_dispose(fl_heap_faults *faults);

#endif
