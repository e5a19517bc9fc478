/*
 * heap_kept.h - the way from the whole heap to one place of it, as steps that outlive the graph
 * (faultline/kept.h).
 *
 * A way with more than FL_KEPT_STEPS steps keeps the heap and the steps nearest to its end; the
 * first of those says how many are left out above it.
 */
#ifndef FL_HEAP_KEPT_H
#define FL_HEAP_KEPT_H

#include "arena.h"
#include "faultline/kept.h"
#include "heap_paths.h"

typedef struct fl_heap_kept {
    fl_kept_step steps[FL_KEPT_STEPS];
    size_t count;
} fl_heap_kept;

/* To a row > 0 of paths; `first`: of an earlier dump, to compare with, or NULL. Texts live in the
 * arena. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_kept_row(fl_heap_kept *out, const fl_heap_paths *last, size_t row,
                                        const fl_heap_paths *first, fl_arena *arena, fl_error *err);

/* To an object, by its dominators; `whole` is what the roots keep in all. Neighbours of one class
 * on the way are one step, as a list's nodes are. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_kept_object(fl_heap_kept *out, const fl_heap *heap,
                                           fl_heap_object object, const fl_kept_step *whole,
                                           fl_arena *arena, fl_error *err);

#endif
