/*
 * heap_tree.c - the dominator tree and what is summed up along it.
 *
 * A class retains what its instances retain together: those below another instance of the class
 * are in that one already, so that a linked list is not counted once for each of its nodes.
 */
#include <assert.h>
#include <string.h>

#include "dominators.h"
#include "heap_priv.h"
#include "mem.h"
#include "parallel.h"

/* What an object weighs is known by its class, or stands in its item: in the order of addresses,
 * both are asked for in the order of memory. */
static void weigh_objects(fl_heap *heap)
{
    for (uint32_t i = 0; i < heap->ids.count; i++) {
        uint64_t words = fl_heap_shallow_bytes(heap, i) / 8;
        if (heap->retained != NULL)
            heap->retained[i] = words < UINT32_MAX ? (uint32_t)words : UINT32_MAX;
        else
            heap->retained_wide[i] = words * 8;
        if (heap->idom[i] == FL_DOM_NOTHING)
            continue;
        fl_heap_class *facts = fl_heap_facts(heap, heap->class_of[i]);
        facts->reached++;
        facts->reached_bytes += words * 8;
    }
}

/* Every object behind its dominators in `order`: backwards, sums are complete when they are added.
 */
static void sum_up(fl_heap *heap, const fl_dominators *tree)
{
    for (uint32_t i = tree->reached; i-- > 0;) {
        uint32_t object = tree->order[i], dominator = heap->idom[object];
        if (dominator == FL_DOM_ROOT)
            continue;
        if (heap->retained != NULL)
            heap->retained[dominator] += heap->retained[object];
        else
            heap->retained_wide[dominator] += heap->retained_wide[object];
    }
}

/* Counting sort by dominator; the last list is that of the roots. */
static bool list_kids(fl_heap *heap, uint32_t reached)
{
    size_t count = heap->ids.count;
    heap->kid_starts = fl_mem_calloc(count + 2, sizeof(*heap->kid_starts));
    heap->kids = fl_mem_alloc((reached + (size_t)1) * sizeof(*heap->kids));
    if (heap->kid_starts == NULL || heap->kids == NULL)
        return false;
    fl_mem_expect_fill(heap->kid_starts, (count + 2) * sizeof(*heap->kid_starts));
    fl_mem_expect_fill(heap->kids, (reached + (size_t)1) * sizeof(*heap->kids));
    uint32_t *starts = heap->kid_starts, sum = 0;
    for (uint32_t i = 0; i < count; i++)
        if (heap->idom[i] != FL_DOM_NOTHING)
            starts[heap->idom[i] == FL_DOM_ROOT ? count : heap->idom[i]]++;
    for (size_t i = 0; i <= count; i++) {
        uint32_t own = starts[i];
        starts[i] = sum;
        sum += own;
    }
    assert(sum == reached);
    for (uint32_t i = 0; i < count; i++)
        if (heap->idom[i] != FL_DOM_NOTHING)
            heap->kids[starts[heap->idom[i] == FL_DOM_ROOT ? count : heap->idom[i]]++] = i;
    memmove(starts + 1, starts, (count + 1) * sizeof(*starts));
    starts[0] = 0;
    return true;
}

/* Only the outermost instance of a class on the way down counts for what the class retains. */
static inline void count_outermost(fl_heap *heap, fl_heap_object object, const uint32_t *open)
{
    uint32_t class_index = heap->class_of[object];
    if (open[class_index] == 0)
        fl_heap_facts(heap, class_index)->retained_bytes += fl_heap_kept_bytes(heap, object);
}

/* Depth first: `path` has the place in `kids` of each object from a root down, and how many of them
 * are of a class is in `open`. Objects that dominate none, which most are, never get there. */
static void walk_tree(fl_heap *heap, uint32_t *open, uint32_t *path)
{
    const uint32_t *starts = heap->kid_starts, *kids = heap->kids;
    size_t depth = 1, above = heap->ids.count; /* whose list path[depth - 1] is in */
    path[0] = starts[above];
    while (depth > 0) {
        if (path[depth - 1] == starts[above + 1]) {
            if (--depth == 0)
                return;
            open[heap->class_of[above]]--;
            path[depth - 1]++;
            above = depth > 1 ? kids[path[depth - 2]] : heap->ids.count;
            continue;
        }
        uint32_t object = kids[path[depth - 1]];
        count_outermost(heap, object, open);
        if (starts[object] == starts[object + (size_t)1])
            path[depth - 1]++;
        else {
            open[heap->class_of[object]]++;
            path[depth++] = starts[object];
            above = object;
        }
    }
}

/* What the path does not reach of its room costs nothing: it is as deep as the tree. */
static bool sum_classes(fl_heap *heap, uint32_t reached)
{
    assert(reached <= heap->ids.count && heap->kid_starts != NULL);
    uint32_t *open = fl_mem_calloc(heap->census->count, sizeof(*open));
    uint32_t *path = fl_mem_alloc(((size_t)reached + 1) * sizeof(*path));
    bool ok = open != NULL && path != NULL;
    if (ok)
        walk_tree(heap, open, path);
    fl_mem_free(open);
    fl_mem_free(path);
    return ok;
}

/* Sizes, and who dominates whom, do not need one another. */
typedef struct summing {
    fl_heap *heap;
    const fl_dominators *tree;
    bool has_kids;
} summing;

static void sum_part(void *payload, size_t part)
{
    summing *s = payload;
    if (part == 0) {
        weigh_objects(s->heap);
        sum_up(s->heap, s->tree);
    } else
        s->has_kids = list_kids(s->heap, s->tree->reached);
}

/* In units of 8 bytes where all of the heap is less than 2^32 of them. */
static bool reserve_sizes(fl_heap *heap)
{
    size_t count = heap->ids.count;
    if (heap->census->totals.bytes / 8 < UINT32_MAX) {
        heap->retained = fl_mem_alloc(count * sizeof(*heap->retained));
        fl_mem_expect_fill(heap->retained, count * sizeof(*heap->retained));
    } else {
        heap->retained_wide = fl_mem_alloc(count * sizeof(*heap->retained_wide));
        fl_mem_expect_fill(heap->retained_wide, count * sizeof(*heap->retained_wide));
    }
    return heap->retained != NULL || heap->retained_wide != NULL;
}

/* Dominators take the references: the peak is while they are searched. */
fl_status fl_heap_make_tree(fl_heap *heap, fl_error *err)
{
    fl_dominators tree;
    fl_flow flow = {.count = heap->ids.count,
                    .starts = heap->starts,
                    .targets = heap->targets,
                    .roots = heap->root_objects,
                    .root_count = heap->root_object_count};
    heap->starts = heap->targets = NULL;
    fl_status status = fl_dominators_find(&tree, &flow, err);
    if (status != FL_OK)
        return status;
    assert(tree.reached <= heap->ids.count);
    heap->idom = tree.idom;
    summing sums = {.heap = heap, .tree = &tree};
    bool ok = reserve_sizes(heap);
    if (ok)
        fl_parallel_run(2, sum_part, &sums);
    fl_mem_free(tree.order);
    ok = ok && sums.has_kids && sum_classes(heap, tree.reached);
    return ok ? FL_OK
              : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the dominator tree");
}

uint64_t fl_heap_retained_bytes(const fl_heap *heap, fl_heap_object object)
{
    assert(object < heap->ids.count);
    bool has_tree = heap->retained != NULL || heap->retained_wide != NULL;
    return has_tree ? fl_heap_kept_bytes(heap, object) : 0;
}

bool fl_heap_is_reached(const fl_heap *heap, fl_heap_object object)
{
    assert(object < heap->ids.count);
    return heap->idom != NULL && heap->idom[object] != FL_DOM_NOTHING;
}

fl_heap_object fl_heap_idom(const fl_heap *heap, fl_heap_object object)
{
    assert(object < heap->ids.count);
    if (heap->idom == NULL || heap->idom[object] == FL_DOM_ROOT)
        return FL_HEAP_NONE;
    return heap->idom[object]; /* FL_DOM_NOTHING is FL_HEAP_NONE */
}

const fl_heap_object *fl_heap_dominated(const fl_heap *heap, fl_heap_object object, size_t *count)
{
    *count = 0;
    if (heap->kids == NULL)
        return NULL;
    size_t at = object == FL_HEAP_NONE ? heap->ids.count : object;
    assert(at <= heap->ids.count);
    *count = heap->kid_starts[at + 1] - heap->kid_starts[at];
    return heap->kids + heap->kid_starts[at];
}
