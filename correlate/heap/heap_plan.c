/*
 * heap_plan.c - where references stand in the values of each class's instances.
 *
 * An instance's values are those of its own fields, then those of its super class, and so on up. A
 * plan is one class's part, and says how far it is to the next part that has references at all:
 * most instances need one plan or two. Reference has a second plan, without the referent, that weak
 * classes go on to.
 */
#include <assert.h>

#include "heap_priv.h"
#include "mem.h"
#include "slice.h"

/* Those whose referent the collector may take. A finalizer's is kept until it has run. */
static bool is_weak_name(fl_slice name)
{
    return fl_slice_equal(name, FL_SLICE("java.lang.ref.SoftReference")) ||
           fl_slice_equal(name, FL_SLICE("java.lang.ref.WeakReference")) ||
           fl_slice_equal(name, FL_SLICE("java.lang.ref.PhantomReference"));
}

/* Super classes come first in the order, so that a class inherits what was found. */
static void find_weak(fl_heap *heap)
{
    heap->reference_class = FL_HEAP_NONE;
    for (uint32_t i = 0; i < heap->census->count; i++) {
        const fl_heap_class *facts = fl_heap_facts(heap, heap->census->order[i]);
        bool inherits = facts->super != FL_HEAP_NONE && heap->is_weak[facts->super];
        heap->is_weak[heap->census->order[i]] =
            !heap->options.weak_keeps && (inherits || is_weak_name(facts->name));
        if (!fl_slice_equal(facts->name, FL_SLICE("java.lang.ref.Reference")))
            continue;
        for (uint32_t f = 0; f < facts->field_count; f++)
            if (fl_slice_equal(facts->fields[f].name, FL_SLICE("referent"))) {
                heap->reference_class = heap->census->order[i];
                heap->referent = f;
            }
    }
}

/* The places of a class's own references, but for the field `without`. */
static bool list_references(fl_heap *heap, fl_heap_plan *plan, const fl_heap_class *facts,
                            uint32_t without)
{
    uint32_t *at = fl_arena_alloc(&heap->census->arena, facts->field_count, sizeof(*at));
    if (at == NULL)
        return false;
    for (uint32_t f = 0; f < facts->field_count; f++)
        if (facts->fields[f].type == FL_HEAP_REFERENCE && f != without)
            at[plan->count++] = facts->fields[f].at;
    plan->at = at;
    return true;
}

/* Where a class goes on: its super class, or where that goes on when it has no references. A weak
 * class has one less than its super classes say. */
static void link_plan(const fl_heap *heap, fl_heap_plan *plan, uint32_t class_index)
{
    const fl_heap_class *facts = fl_heap_facts(heap, class_index);
    uint32_t super = facts->super;
    assert(super == FL_HEAP_NONE || fl_heap_facts(heap, super)->value_bytes <= facts->value_bytes);
    plan->own_bytes = facts->value_bytes;
    plan->next = FL_HEAP_NONE;
    plan->most = plan->count;
    if (super == FL_HEAP_NONE)
        return;
    plan->most += heap->plans[super].most;
    plan->own_bytes -= fl_heap_facts(heap, super)->value_bytes;
    plan->skip = plan->own_bytes;
    if (super == heap->reference_class && heap->is_weak[class_index])
        super = (uint32_t)heap->census->count;
    if (heap->plans[super].count > 0)
        plan->next = super;
    else {
        plan->next = heap->plans[super].next;
        plan->skip += heap->plans[super].skip;
    }
}

/* Super classes first, so that a plan finds the next one made. */
fl_status fl_heap_plan_all(fl_heap *heap, fl_error *err)
{
    size_t count = heap->census->count;
    heap->plans = fl_mem_calloc(count + 1, sizeof(*heap->plans));
    heap->is_weak = fl_mem_calloc(count, sizeof(bool));
    heap->is_kept = fl_mem_calloc(count, sizeof(bool));
    bool ok = heap->plans != NULL && heap->is_weak != NULL && heap->is_kept != NULL;
    if (ok)
        find_weak(heap);
    for (size_t i = 0; i < count && ok; i++) {
        uint32_t index = heap->census->order[i];
        const fl_heap_class *facts = fl_heap_facts(heap, index);
        ok = list_references(heap, &heap->plans[index], facts, FL_HEAP_NONE);
        link_plan(heap, &heap->plans[index], index);
        if (index == heap->reference_class && ok) {
            fl_heap_plan *weak = &heap->plans[count];
            *weak = heap->plans[index];
            weak->count = 0;
            ok = list_references(heap, weak, facts, heap->referent);
        }
    }
    return ok ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the classes");
}
