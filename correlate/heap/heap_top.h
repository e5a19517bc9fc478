/*
 * heap_top.h - what keeps most: the largest of the objects that only the roots keep, and their sums
 * by class, by package and by class loader. Nothing is in two of them, so that sums are exact.
 *
 * A class object counts for the class that it stands for: its statics are that class's.
 *
 * Memory: some 100 bytes a class, 20 an object that is told of, twice as much of them while they
 * are found.
 */
#ifndef FL_HEAP_TOP_H
#define FL_HEAP_TOP_H

#include "heap.h"

typedef struct fl_heap_top_row {
    fl_slice name;         /* of the class or the package: "" where it has none */
    fl_heap_object loader; /* of a class, of a loader; FL_HEAP_NONE: the boot loader */
    uint64_t objects;      /* that only the roots keep */
    uint64_t retained_bytes;
} fl_heap_top_row;

typedef struct fl_heap_top {
    fl_heap_object *objects; /* the largest first */
    size_t object_count, total_count;
    fl_heap_top_row *classes, *packages, *loaders; /* that keep most first */
    size_t class_count, package_count, loader_count;
} fl_heap_top;

/* At most `most` objects (0: all). The heap has a tree. FL_E_NOMEM. The caller
 * disposes of *out. */
FL_NODISCARD fl_status fl_heap_top_find(fl_heap_top *out, const fl_heap *heap, size_t most,
                                        fl_error *err);
void fl_heap_top_dispose(fl_heap_top *top);

/* What a class's name has in front of its last dot. */
fl_slice fl_heap_top_package(fl_slice class_name);

#endif
