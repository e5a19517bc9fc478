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

#define LEAVE 0x80000000u /* on the stack: the object is left, not entered */

/* Every object behind its dominators in `order`: backwards, sums are complete when they are added.
 */
static bool sum_up(fl_heap *heap, const fl_dominators *tree)
{
    heap->retained = fl_mem_alloc((heap->ids.count + (size_t)1) * sizeof(*heap->retained));
    if (heap->retained == NULL)
        return false;
    for (uint32_t i = 0; i < heap->ids.count; i++)
        heap->retained[i] = (uint64_t)heap->words[i] * 8;
    for (uint32_t i = tree->reached; i-- > 0;) {
        uint32_t object = tree->order[i], dominator = heap->idom[object];
        if (dominator != FL_DOM_ROOT)
            heap->retained[dominator] += heap->retained[object];
    }
    return true;
}

/* Counting sort by dominator; the last list is that of the roots. */
static bool list_kids(fl_heap *heap, uint32_t reached)
{
    size_t count = heap->ids.count;
    heap->kid_starts = fl_mem_calloc(count + 2, sizeof(*heap->kid_starts));
    heap->kids = fl_mem_alloc((reached + (size_t)1) * sizeof(*heap->kids));
    if (heap->kid_starts == NULL || heap->kids == NULL)
        return false;
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
static void enter(fl_heap *heap, fl_heap_object object, uint32_t *open)
{
    fl_heap_class *facts = fl_heap_facts(heap, heap->class_of[object]);
    facts->reached++;
    facts->reached_bytes += (uint64_t)heap->words[object] * 8;
    if (open[heap->class_of[object]]++ == 0)
        facts->retained_bytes += heap->retained[object];
}

/* Depth first with a stack of our own: each object is entered once and left once. */
static bool sum_classes(fl_heap *heap, uint32_t reached)
{
    assert(reached <= heap->ids.count && heap->kid_starts != NULL);
    uint32_t *open = fl_mem_calloc(heap->census->count, sizeof(*open));
    uint32_t *stack = fl_mem_alloc((2 * (size_t)reached + 1) * sizeof(*stack));
    size_t depth = 0;
    bool ok = open != NULL && stack != NULL;
    const uint32_t *starts = heap->kid_starts;
    for (uint32_t i = starts[heap->ids.count]; ok && i < starts[heap->ids.count + (size_t)1]; i++)
        stack[depth++] = heap->kids[i];
    while (ok && depth > 0) {
        uint32_t object = stack[--depth];
        if (object & LEAVE) {
            open[heap->class_of[object & ~LEAVE]]--;
            continue;
        }
        enter(heap, object, open);
        stack[depth++] = object | LEAVE;
        for (uint32_t i = starts[object]; i < starts[object + (size_t)1]; i++)
            stack[depth++] = heap->kids[i];
    }
    fl_mem_free(open);
    fl_mem_free(stack);
    return ok;
}

/* Dominators free the references; sums free the sizes: the peak is within the dominators. */
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
    bool ok = sum_up(heap, &tree);
    fl_mem_free(tree.order);
    ok = ok && list_kids(heap, tree.reached) && sum_classes(heap, tree.reached);
    fl_mem_free(heap->words);
    heap->words = NULL;
    return ok ? FL_OK
              : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the dominator tree");
}

uint64_t fl_heap_retained_bytes(const fl_heap *heap, fl_heap_object object)
{
    assert(object < heap->ids.count);
    return heap->retained != NULL ? heap->retained[object] : 0;
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
