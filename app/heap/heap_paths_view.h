/*
 * heap_paths_view.h - who keeps the heap, as a tree, as suspects, and as what grew between two
 * dumps.
 */
#ifndef FL_HEAP_PATHS_VIEW_H
#define FL_HEAP_PATHS_VIEW_H

#include "heap_signs.h"
#include "heap_view.h"

/* The rows, indented by depth, at most `top` (0: all). */
void fl_heap_view_paths(fl_buf *out, const fl_heap_title *title, const fl_heap_paths *paths,
                        size_t top);
void fl_heap_view_paths_json(fl_buf *out, const fl_heap_title *title, const fl_heap_paths *paths,
                             size_t top);

/* What grew from dump to dump: verdict, holder, kind, path. */
typedef struct fl_heap_compared {
    const fl_heap_title *const *titles; /* in the order of time, two at least */
    const fl_heap_record *const *records;
    size_t count;
    const fl_heap_signs *signs;
} fl_heap_compared;

void fl_heap_view_growth(fl_buf *out, const fl_heap_compared *compared);
void fl_heap_view_growth_json(fl_buf *out, const fl_heap_compared *compared);

#endif
