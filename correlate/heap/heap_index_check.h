/*
 * heap_index_check.h - whether arrays by object are what the rest of a heap relies on. Each is one
 * pass: what cannot be proven in one is not saved either.
 */
#ifndef FL_HEAP_INDEX_CHECK_H
#define FL_HEAP_INDEX_CHECK_H

#include "heap_priv.h"

/* Ids ascend and are as many as said, so that each number has an id and back. */
bool fl_heap_ids_are_sound(const fl_heap_ids *ids);
/* Each object's class is one of them. */
bool fl_heap_classes_are_sound(const fl_heap *heap);
/* The lists of what is dominated are one tree below the roots, the same that the dominators say:
 * each reached object is in one list, that of its dominator, and retains less than that. So nobody
 * who goes up or down comes back to where he was. Objects of no size would break that order. */
bool fl_heap_tree_is_sound(const fl_heap *heap, size_t kid_count);

#endif
