/*
 * heap_edges.c - the pass that fills the arrays: class and place of each object, and what it refers
 * to.
 *
 * References are put in the order of the file, which need not be that of the objects: each object
 * has its list, whose last one is marked. The parts of a dump are read at the same time, each with
 * its own room; an object that the dump has twice is in two of them, so that such a dump is read by
 * one thread. An object's class is a reference too, where its Class object is not kept by itself:
 * that of a loader that nothing else keeps, for one.
 */
#include <assert.h>

#include "dominators.h"
#include "heap_priv.h"
#include "mem.h"

enum { BATCH = 256 };
#define MAX_OFFSET ((UINT64_C(1) << 40) - 1)

/* Objects of one part of the dump, whose references go to `targets` from `next` on. */
typedef struct filling {
    fl_heap *heap;
    uint32_t *targets;
    uint32_t next, end;
    fl_census_cache cache;
} filling;

/* One reference of the object that is being filled. There is room for as many as can be. */
static inline void put(filling *to, uint32_t object)
{
    assert(to->next < to->end);
    to->targets[to->next++] = object;
}

/* Null, and what the dump does not have, is no reference. */
static inline void put_id(filling *to, uint64_t id)
{
    if (id == 0)
        return;
    uint32_t object = fl_heap_ids_find(&to->heap->ids, id);
    if (object != FL_HEAP_NONE)
        put(to, object);
}

/* An object that is dumped twice has the references of the second time. */
static inline void end(filling *to, fl_heap_object object, uint32_t first)
{
    to->heap->starts[object] = to->next > first ? first : FL_FLOW_NONE;
    if (to->next > first)
        to->targets[to->next - 1] |= FL_FLOW_LAST;
}

/* Classes that are roots themselves need no reference: nothing would change. */
static inline void put_class(filling *to, uint32_t class_index)
{
    fl_heap_object object = fl_heap_facts(to->heap, class_index)->object;
    if (!to->heap->is_kept[class_index] && object != FL_HEAP_NONE)
        put(to, object);
}

/* Part by part, from the class itself up to those of its super classes that have references. What
 * instances do not have is not gone through: they may say that they are shorter than their class.
 */
static void put_fields(filling *to, const fl_heap_item *item, uint32_t class_index)
{
    const fl_heap *heap = to->heap;
    unsigned width = heap->source.id_bytes;
    size_t from = 0, len = item->body.len;
    for (uint32_t p = fl_heap_first_plan(heap, class_index); p != FL_HEAP_NONE && from < len;
         p = heap->plans[p].next) {
        const fl_heap_plan *plan = &heap->plans[p];
        for (uint32_t i = 0; i < plan->count && from + plan->at[i] < len; i++)
            put_id(to, fl_heap_id_in(item->body, from + plan->at[i], width));
        from += plan->skip;
    }
}

static void put_elements(filling *to, const fl_heap_item *item)
{
    unsigned width = to->heap->source.id_bytes;
    for (uint32_t i = 0; i < item->count; i++)
        put_id(to, fl_heap_id_in(item->body, (size_t)i * width, width));
}

/* The class record begins with its loader, signers and protection domain. */
static void put_class_members(filling *to, const fl_heap_item *item, uint32_t meant)
{
    unsigned width = to->heap->source.id_bytes;
    assert(meant < to->heap->census->count && item->kind == FL_HEAP_ITEM_CLASS);
    const fl_heap_class *facts = fl_heap_facts(to->heap, meant);
    for (size_t i = 0; i < 3; i++)
        put_id(to, fl_heap_id_in(item->body, i * width, width));
    put_id(to, item->class_id);
    for (uint32_t i = 0; i < facts->static_count; i++)
        if (facts->statics[i].type == FL_HEAP_REFERENCE)
            put_id(to, facts->statics[i].value);
}

/* Arrays of numbers name no class, they name a type. */
static inline uint32_t class_of_item(filling *to, const fl_heap_item *item)
{
    const fl_census *census = to->heap->census;
    if (item->kind == FL_HEAP_ITEM_CLASS)
        return census->class_class;
    return item->kind == FL_HEAP_ITEM_VALUES
               ? census->values_class[item->type]
               : fl_census_class_of(census, &to->cache, item->class_id);
}

/* Everything that is known of an object is in its item. */
static void take_object(filling *to, const fl_heap_item *item)
{
    fl_heap *heap = to->heap;
    fl_heap_object object = fl_heap_ids_find(&heap->ids, item->id);
    assert(object != FL_HEAP_NONE); /* the source gives the same items again */
    uint32_t class_index = class_of_item(to, item), first = to->next;
    heap->class_of[object] = class_index;
    heap->offset_low[object] = (uint32_t)item->offset;
    if (heap->offset_high != NULL)
        heap->offset_high[object] = (uint8_t)(item->offset >> 32);
    if (heap->options.without_tree)
        return;
    put_class(to, class_index);
    if (item->kind == FL_HEAP_ITEM_INSTANCE)
        put_fields(to, item, class_index);
    else if (item->kind == FL_HEAP_ITEM_OBJECTS)
        put_elements(to, item);
    else if (item->kind == FL_HEAP_ITEM_CLASS)
        put_class_members(to, item, fl_census_find_class(heap->census, item->id));
    end(to, object, first);
}

static void read_part(void *payload, size_t part)
{
    fl_heap *heap = payload;
    fl_heap_item batch[BATCH];
    const fl_heap_source *source = &heap->parts.sources[part];
    bool is_last = part + 1 == heap->parts.count;
    filling to = {.heap = heap,
                  .targets = heap->targets,
                  .next = heap->part_starts[part],
                  .end = is_last ? heap->target_end : heap->part_starts[part + 1]};
    source->rewind(source->payload);
    for (size_t count = 1; count > 0;) {
        count = source->read(source->payload, batch, BATCH);
        for (size_t i = 0; i < count; i++)
            if (batch[i].kind >= FL_HEAP_ITEM_CLASS)
                take_object(&to, &batch[i]);
    }
}

/* How many references the lists of threads have once what lies on their stacks is behind them. */
static uint64_t count_stacks(const fl_heap *heap)
{
    uint64_t sum = heap->held_count;
    for (size_t i = 0; i < heap->held_count; i++) {
        if (i > 0 && heap->held[i].thread == heap->held[i - 1].thread)
            continue;
        uint32_t from = heap->starts[heap->held[i].thread];
        if (from == FL_FLOW_NONE)
            continue;
        for (sum++; (heap->targets[from] & FL_FLOW_LAST) == 0; from++)
            sum++;
    }
    return sum;
}

/* A thread's list moves to the end, where what lies on its stack has room behind it. */
static void put_stacks(filling *to)
{
    fl_heap *heap = to->heap;
    for (size_t i = 0; i < heap->held_count;) {
        fl_heap_object thread = heap->held[i].thread;
        uint32_t from = heap->starts[thread], first = to->next;
        for (uint32_t last = from == FL_FLOW_NONE ? 1 : 0; last == 0; from++) {
            last = heap->targets[from] & FL_FLOW_LAST;
            put(to, heap->targets[from] & ~FL_FLOW_LAST);
        }
        for (; i < heap->held_count && heap->held[i].thread == thread; i++)
            put(to, heap->held[i].object);
        end(to, thread, first);
    }
}

static fl_status hold_stacks(fl_heap *heap, fl_error *err)
{
    uint64_t most = heap->target_end + count_stacks(heap);
    if (most > FL_FLOW_MOST)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "the heap dump has more than %u references",
                       FL_FLOW_MOST);
    uint32_t *grown = fl_mem_realloc(heap->targets, (size_t)most, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the references");
    heap->targets = grown;
    filling to = {.heap = heap, .targets = grown, .next = heap->target_end, .end = (uint32_t)most};
    put_stacks(&to);
    return FL_OK;
}

/* What is filled, most of it. Zeros say that nothing is known of an object. */
static void *array(size_t count, size_t size)
{
    void *made = fl_mem_calloc(count, size);
    fl_mem_expect_fill(made, count * size);
    return made;
}

/* 12 bytes an object and 4 a reference; of room that no reference takes no page is touched. */
static bool reserve(fl_heap *heap)
{
    size_t count = heap->ids.count;
    bool is_long = heap->census->last_offset > UINT32_MAX;
    heap->class_of = array(count, sizeof(*heap->class_of));
    heap->offset_low = array(count, sizeof(*heap->offset_low));
    heap->offset_high = is_long ? array(count, sizeof(*heap->offset_high)) : NULL;
    bool ok = heap->class_of != NULL && heap->offset_low != NULL &&
              (heap->offset_high != NULL || !is_long);
    if (!ok || heap->options.without_tree)
        return ok;
    heap->starts = array(count, sizeof(*heap->starts));
    heap->targets = fl_mem_alloc((size_t)heap->target_end * sizeof(*heap->targets));
    fl_mem_expect_fill(heap->targets, (size_t)heap->target_end * sizeof(*heap->targets));
    return heap->starts != NULL && heap->targets != NULL;
}

fl_status fl_heap_read_objects(fl_heap *heap, fl_error *err)
{
    const fl_census *census = heap->census;
    if (census->last_offset > MAX_OFFSET)
        return fl_fail(err, FL_E_LIMIT, census->last_offset, "the heap dump is over 1 TiB");
    if (!reserve(heap))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for %u objects",
                       heap->ids.count);
    fl_heap_parts_run(&heap->parts, census->totals.objects == heap->ids.count, read_part, heap);
    return heap->options.without_tree ? FL_OK : hold_stacks(heap, err);
}
