/*
 * heap_collections.h - maps, lists and queues of a heap: how many entries they have, how full their
 * arrays are, how their entries are spread, and what keys tell.
 *
 * A collection is recognised by its class, or one that it inherits from, and by fields that the
 * dump says it has (fl_heap_collection_info). Maps inside of sets count as maps.
 *
 * Memory: 96 bytes a collection, 16 an entry of the largest map. Time: chains of maps are followed,
 * each entry once; a chain that bites its own tail (HashMap could be broken so by threads up to
 * Java 7) ends where the heap has no more objects.
 */
#ifndef FL_HEAP_COLLECTIONS_H
#define FL_HEAP_COLLECTIONS_H

#include "heap.h"

/* How the array behind a collection is used. */
typedef enum fl_heap_collection_kind {
    FL_HEAP_LIST,    /* elements one behind the other */
    FL_HEAP_CHAINED, /* entries in chains of `next` */
    FL_HEAP_OPEN,    /* entries or keys in the array itself */
    FL_HEAP_LINKED,  /* no array: a list or a tree of nodes */
    FL_HEAP_COLLECTION_KIND_COUNT
} fl_heap_collection_kind;

typedef struct fl_heap_collection {
    fl_heap_object object;
    uint32_t info;           /* row of fl_heap_collection_info() */
    uint64_t size;           /* entries, as its own field says */
    uint32_t capacity, used; /* slots of its array; those that are not null */
    /* of CHAINED ones: */
    uint64_t entries;     /* that the chains have */
    uint64_t longest;     /* chain */
    uint64_t in_long;     /* entries in chains of FL_HEAP_LONG_CHAIN and more */
    uint64_t same_keys;   /* entries whose key object is also that of another entry */
    uint64_t equal_keys;  /* entries whose key has the same fields as that of another entry */
    uint64_t empty_bytes; /* of slots without anything */
} fl_heap_collection;

/* HashMap turns a chain of 8 into a tree: with hashes that spread, one of a hundred million chains
 * is as long (its own comment: Poisson with 0.5, 0.00000006). */
#define FL_HEAP_LONG_CHAIN 8u

typedef struct fl_heap_collection_class {
    const char *name;
    fl_heap_collection_kind kind;
    const char *size; /* the field that says how many, NULL: as many as slots are used */
    const char *array;
    bool is_map;
} fl_heap_collection_class;

size_t fl_heap_collection_info_count(void);
const fl_heap_collection_class *fl_heap_collection_info(uint32_t row);

/* Fill ratio in steps: 0, up to 20 %, 40 %, 60 %, 80 %, 100 %. */
enum { FL_HEAP_FILL_STEPS = 6 };

/* All collections of one row of the table. */
typedef struct fl_heap_collection_sum {
    uint64_t count, empty_count; /* empty: no entries */
    uint64_t without_array;      /* of the empty ones: that cost nothing more */
    uint64_t entries;
    uint64_t empty_bytes;
    uint64_t fill[FL_HEAP_FILL_STEPS]; /* of those with an array */
} fl_heap_collection_sum;

typedef struct fl_heap_collections {
    fl_heap_collection *rows; /* in the order of addresses */
    size_t count, cap;
    fl_heap_collection_sum *sums; /* one a row of the table */
} fl_heap_collections;

/* FL_E_NOMEM. The caller disposes of *out. */
FL_NODISCARD fl_status fl_heap_collections_find(fl_heap_collections *out, const fl_heap *heap,
                                                fl_error *err);
void fl_heap_collections_dispose(fl_heap_collections *collections);

/* Which step of the fill ratio a collection is on. */
unsigned fl_heap_fill_step(const fl_heap_collection *collection);

#endif
