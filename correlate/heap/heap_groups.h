/*
 * heap_groups.h - what groups of objects keep alive, each group together: on the way down the
 * dominator tree only the outermost object of a group counts, so that nothing is counted twice.
 *
 * Memory: 8 bytes an object while it is summed up.
 */
#ifndef FL_HEAP_GROUPS_H
#define FL_HEAP_GROUPS_H

#include "heap.h"

#define FL_HEAP_NO_GROUP SIZE_MAX

/* The group of an object, less than the count of groups, or FL_HEAP_NO_GROUP. */
typedef size_t fl_heap_group_fn(void *payload, fl_heap_object object);

/* Adds to bytes[groups]. The heap has a tree. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_heap_groups_retain(uint64_t *bytes, const fl_heap *heap, size_t groups,
                                             fl_heap_group_fn *group_of, void *payload,
                                             fl_error *err);

#endif
