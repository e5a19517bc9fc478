/*
 * heap_edges.c - the pass that fills the arrays: class, place and size of each object, and what it
 * refers to.
 *
 * References are appended in the order of the file, which need not be that of the objects: each
 * object has its list, whose last one is marked. An object's class is a reference too, where its
 * Class object is not kept by itself: that of a loader that nothing else keeps, for one.
 */
#include <assert.h>

#include "dominators.h"
#include "heap_layout.h"
#include "heap_priv.h"
#include "mem.h"

enum { BATCH = 256 };
#define MAX_OFFSET ((UINT64_C(1) << 40) - 1)
/* 2^32 places, of which the last means that there are none. */
#define MAX_TARGETS ((size_t)FL_FLOW_NONE - 1)

/* `out_of_room` is sticky: checked once a batch. */
typedef struct filling {
    fl_heap *heap;
    fl_heap_object object;
    bool is_first; /* of the object's references */
    bool out_of_room;
} filling;

/* By a quarter: the large blocks are moved by their pages, and little is reserved in vain. */
static bool grow(fl_heap *heap)
{
    size_t cap = heap->target_cap + heap->target_cap / 4 + 1024;
    cap = cap < MAX_TARGETS ? cap : MAX_TARGETS;
    if (cap == heap->target_cap)
        return false;
    uint32_t *grown = fl_mem_realloc(heap->targets, cap, sizeof(*grown));
    if (grown == NULL)
        return false;
    heap->targets = grown;
    heap->target_cap = cap;
    return true;
}

/* One reference of the object that is being filled. */
static inline void put(filling *to, uint32_t object)
{
    fl_heap *heap = to->heap;
    if (heap->target_count == heap->target_cap && !grow(heap)) {
        to->out_of_room = true;
        return;
    }
    if (to->is_first)
        heap->starts[to->object] = (uint32_t)heap->target_count;
    to->is_first = false;
    heap->targets[heap->target_count++] = object;
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
static void begin(filling *to, fl_heap_object object)
{
    assert(object < to->heap->ids.count);
    to->object = object;
    to->is_first = true;
    to->heap->starts[object] = FL_FLOW_NONE;
}

static void end(filling *to)
{
    assert(to->is_first || to->heap->target_count > 0);
    if (!to->is_first)
        to->heap->targets[to->heap->target_count - 1] |= FL_FLOW_LAST;
}

/* Classes that are roots themselves need no reference: nothing would change. */
static inline void put_class(filling *to, uint32_t class_index)
{
    fl_heap_object object = fl_heap_facts(to->heap, class_index)->object;
    if (!to->heap->is_kept[class_index] && object != FL_HEAP_NONE)
        put(to, object);
}

/* Part by part, from the class itself up to those of its super classes that have references. */
static void put_fields(filling *to, const fl_heap_item *item, uint32_t class_index)
{
    const fl_heap *heap = to->heap;
    unsigned width = heap->source.id_bytes;
    size_t from = 0;
    for (uint32_t p = fl_heap_first_plan(heap, class_index); p != FL_HEAP_NONE;
         p = heap->plans[p].next) {
        const fl_heap_plan *plan = &heap->plans[p];
        for (uint32_t i = 0; i < plan->count; i++)
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
static uint32_t class_of_item(fl_heap *heap, const fl_heap_item *item)
{
    if (item->kind == FL_HEAP_ITEM_CLASS)
        return heap->class_class;
    return item->kind == FL_HEAP_ITEM_VALUES ? heap->census->values_class[item->type]
                                             : fl_census_class_of(heap->census, item->class_id);
}

static uint32_t words_of(const fl_heap *heap, const fl_heap_item *item, uint32_t class_index,
                         uint32_t meant)
{
    uint64_t bytes;
    if (item->kind == FL_HEAP_ITEM_INSTANCE)
        bytes = fl_heap_facts(heap, class_index)->instance_bytes;
    else if (item->kind == FL_HEAP_ITEM_CLASS)
        bytes = heap->census->entries[meant].class_bytes;
    else
        bytes = fl_heap_array_bytes(heap->census->totals.layout, item->type, item->count);
    assert(bytes % 8 == 0);
    return bytes / 8 < UINT32_MAX ? (uint32_t)(bytes / 8) : UINT32_MAX; /* a length is 32 GiB */
}

/* Everything that is known of an object is in its item. */
static void take_object(filling *to, const fl_heap_item *item)
{
    fl_heap *heap = to->heap;
    fl_heap_object object = fl_heap_ids_find(&heap->ids, item->id);
    assert(object != FL_HEAP_NONE); /* the source gives the same items again */
    uint32_t class_index = class_of_item(heap, item), meant = 0;
    if (item->kind == FL_HEAP_ITEM_CLASS)
        meant = fl_census_find_class(heap->census, item->id);
    heap->class_of[object] = class_index;
    heap->offset_low[object] = (uint32_t)item->offset;
    heap->offset_high[object] = (uint8_t)(item->offset >> 32);
    if (heap->options.without_tree)
        return;
    heap->words[object] = words_of(heap, item, class_index, meant);
    begin(to, object);
    put_class(to, class_index);
    if (item->kind == FL_HEAP_ITEM_INSTANCE)
        put_fields(to, item, class_index);
    else if (item->kind == FL_HEAP_ITEM_OBJECTS)
        put_elements(to, item);
    else if (item->kind == FL_HEAP_ITEM_CLASS)
        put_class_members(to, item, meant);
    end(to);
}

/* A thread's list moves to the end, where what lies on its stack has room behind it. */
static void put_stacks(filling *to)
{
    fl_heap *heap = to->heap;
    for (size_t i = 0; i < heap->held_count && !to->out_of_room;) {
        fl_heap_object thread = heap->held[i].thread;
        uint32_t from = heap->starts[thread];
        begin(to, thread);
        for (uint32_t last = from == FL_FLOW_NONE ? 1 : 0; last == 0; from++) {
            last = heap->targets[from] & FL_FLOW_LAST;
            put(to, heap->targets[from] & ~FL_FLOW_LAST);
        }
        for (; i < heap->held_count && heap->held[i].thread == thread; i++)
            put(to, heap->held[i].object);
        if (!to->out_of_room)
            end(to);
    }
}

/* 17 bytes an object; references are reserved while they come. */
static bool reserve(fl_heap *heap)
{
    size_t count = heap->ids.count;
    heap->class_of = fl_mem_calloc(count, sizeof(*heap->class_of));
    heap->offset_low = fl_mem_calloc(count, sizeof(*heap->offset_low));
    heap->offset_high = fl_mem_calloc(count, sizeof(*heap->offset_high));
    bool ok = heap->class_of != NULL && heap->offset_low != NULL && heap->offset_high != NULL;
    if (!ok || heap->options.without_tree)
        return ok;
    heap->words = fl_mem_calloc(count, sizeof(*heap->words));
    heap->starts = fl_mem_alloc((count > 0 ? count : 1) * sizeof(*heap->starts));
    for (size_t i = 0; i < count && heap->starts != NULL; i++)
        heap->starts[i] = FL_FLOW_NONE;
    return heap->words != NULL && heap->starts != NULL;
}

fl_status fl_heap_read_objects(fl_heap *heap, fl_error *err)
{
    fl_heap_item batch[BATCH];
    filling to = {.heap = heap};
    const fl_heap_source *source = &heap->source;
    if (!reserve(heap))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for %u objects",
                       heap->ids.count);
    source->rewind(source->payload);
    for (size_t count = 1; count > 0 && !to.out_of_room;) {
        count = source->read(source->payload, batch, BATCH);
        for (size_t i = 0; i < count && !to.out_of_room; i++) {
            if (batch[i].kind < FL_HEAP_ITEM_CLASS)
                continue;
            if (batch[i].offset > MAX_OFFSET)
                return fl_fail(err, FL_E_LIMIT, batch[i].offset, "the heap dump is over 1 TiB");
            take_object(&to, &batch[i]);
        }
    }
    if (!heap->options.without_tree)
        put_stacks(&to);
    if (to.out_of_room)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the references");
    return FL_OK;
}
