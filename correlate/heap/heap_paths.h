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
                             which it is kept; NULL: none */
    const char *field;    /* "shop.Cart.items": the field of an object of the program's own class by
                             which the largest is referred to; NULL: none */
    bool is_thread;       /* its objects are threads */
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

/* What several keep hangs on the roots, or on the loader whose classes keep it: such rows of at
 * least `least_bytes` get the nearest static as their holder. References are indexed where there is
 * such a row (fl_heap_index_inbound()). FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_paths_search_holders(fl_heap_paths *paths, fl_heap *heap,
                                                    uint64_t least_bytes, fl_error *err);

/* What names the row best: the static that is nearest above it or of itself; without one the field
 * that is nearest to the roots, or the label of what hangs on them. Texts of the paths. */
const char *fl_heap_paths_holder(const fl_heap_paths *paths, size_t row);

#endif
