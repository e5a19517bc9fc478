/*
 * heap_paths.h - what keeps the heap, by path from the roots: the dominator tree with objects of
 * one class under one path put together, so that it can be read, and compared with that of another
 * dump.
 *
 * A class's object is a row of its own, and what it keeps is named by the static. Objects directly
 * below one of their own class are in its row, so that a list is one row and not one a node. Only
 * what retains much becomes a row.
 */
#ifndef FL_HEAP_PATHS_H
#define FL_HEAP_PATHS_H

#include "heap.h"

typedef struct fl_heap_path {
    uint32_t parent;      /* row; FL_HEAP_NONE: the first row, which is the whole heap */
    uint32_t depth;       /* 0: the whole */
    const char *label;    /* "class shop.Cache", ".ENTRIES java.util.HashMap", "shop.Item" */
    const char *holder;   /* "shop.Cache.ENTRIES": the static, or the static ThreadLocal, through
                             which   it is kept; NULL: none */
    uint32_t class_index; /* of the objects; of the whole FL_HEAP_NONE */
    uint32_t meant;       /* the class that a class object stands for; else FL_HEAP_NONE */
    uint64_t objects, retained_bytes;
    fl_heap_object largest; /* of the objects; FL_HEAP_NONE: of the whole */
} fl_heap_path;

typedef struct fl_heap_paths fl_heap_paths;

/* Rows that retain at least `least_bytes` > 0; parents before children. The heap has a tree and
 * outlives nothing of this. FL_E_NOMEM, FL_E_LIMIT. The caller owns *out. */
FL_NODISCARD fl_status fl_heap_paths_create(fl_heap_paths **out, const fl_heap *heap,
                                            uint64_t least_bytes, fl_error *err);
void fl_heap_paths_destroy(fl_heap_paths *paths); /* NULL is a no-op */

size_t fl_heap_paths_count(const fl_heap_paths *paths);
const fl_heap_path *fl_heap_paths_at(const fl_heap_paths *paths, size_t row);

/* Where much comes together: a row from which no single row below has at least this share of its
 * bytes. 0.7 is what MAT stops at. */
#define FL_HEAP_PATHS_DROP 0.7
size_t fl_heap_paths_descend(const fl_heap_paths *paths, size_t row);

/* What names the row best: the holder of the nearest row above it or of itself; without one the
 * label of what hangs on the roots. Texts of the paths. */
const char *fl_heap_paths_holder(const fl_heap_paths *paths, size_t row);

/* What there is now and was not before, by path. */
typedef struct fl_heap_growth {
    size_t row;       /* in the later paths: where the growth comes together */
    size_t container; /* the nearest row above it, or itself, of which there are no more now */
    uint64_t before_bytes, after_bytes;     /* that the container retains */
    uint64_t before_objects, after_objects; /* in the row */
    uint64_t rise_bytes;                    /* of the row */
} fl_heap_growth;

/* A container leaks where it retains at least 1.2 times as much, and that is at least this share of
 * the later heap. On the recordings of which there are two dumps, from the middle of a run and its
 * end, leaks double and a healthy program stays as it is. */
#define FL_HEAP_GROWTH_RATIO 1.2
#define FL_HEAP_GROWTH_SHARE 0.02

/* At most `most` of them, the largest growth first, and one for each container: what rose most in
 * it; *found says how many. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_growth_find(size_t *found, fl_heap_growth *out, size_t most,
                                           const fl_heap_paths *before, const fl_heap_paths *after,
                                           fl_error *err);

#endif
