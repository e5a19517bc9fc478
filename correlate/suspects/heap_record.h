/*
 * heap_record.h - what is remembered of one dump when its graph is gone: the paths from the roots,
 * what each of their rows is like, threads and loaders, what its collections prove. Some hundred
 * kilobytes, so that many dumps of one program can be compared.
 */
#ifndef FL_HEAP_RECORD_H
#define FL_HEAP_RECORD_H

#include "heap_crowds.h"
#include "heap_faults.h"
#include "heap_paths.h"

/* What a row of the paths is, by its class and by the field that leads to it. */
typedef enum fl_heap_mark {
    FL_HEAP_MARK_MAP = 1,
    FL_HEAP_MARK_CONCURRENT_MAP = 2,
    FL_HEAP_MARK_QUEUE = 4,
    FL_HEAP_MARK_COLLECTION = 8,
    FL_HEAP_MARK_LAMBDA = 16,
    FL_HEAP_MARK_LISTENER = 32, /* by a word in its name: no dump has interfaces */
    FL_HEAP_MARK_INNER = 64,    /* alone keeps the object it came from (this$0) */
    FL_HEAP_MARK_THREAD = 128,
    FL_HEAP_MARK_LOCAL = 256 /* an entry of a thread's map of ThreadLocals */
} fl_heap_mark;

typedef struct fl_heap_clue {
    unsigned marks;
    uint64_t entries; /* of the largest object of the row, where it is a collection */
    uint32_t capacity;
} fl_heap_clue;

/* A finding about one map, in words that outlive the graph. */
typedef struct fl_heap_map_fault {
    fl_heap_fault fault;
    const char *holder;    /* "shop.Grid.CELLS"; NULL: not known */
    const char *map_class; /* "java.util.HashMap" */
    const char *key_class; /* NULL: not known */
    const char *changed;   /* the field of the key; NULL: not known */
} fl_heap_map_fault;

typedef struct fl_heap_record {
    fl_heap_paths *paths;
    fl_heap_clue *clues; /* [row of the paths] */
    fl_heap_crowds threads, loaders;
    fl_heap_map_fault *faults; /* of maps and of texts; no ThreadLocals, which the paths have */
    size_t fault_count;
    fl_arena arena;
} fl_heap_record;

/* A path that keeps less of the heap is no row: what grows by the least share that is told of is
 * seen then, also where it is spread over a few rows. */
#define FL_HEAP_RECORD_SHARE 0.005

/* References are indexed where several hold what is heavy. FL_E_NOMEM, FL_E_LIMIT. The caller
 * disposes of *out. */
FL_NODISCARD fl_status fl_heap_record_make(fl_heap_record *out, fl_heap *heap, fl_error *err);
void fl_heap_record_dispose(fl_heap_record *record);

#endif
