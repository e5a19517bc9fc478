/*
 * heap.c - the passes over a dump, in their order, and what is asked of the whole.
 *
 *   1. census      classes, names, roots, how many objects and where
 *   2. ids         every id marked: ids to dense numbers
 *   3. objects     class, place in the dump, size, references
 *   4. tree        dominators, retained sizes
 */
#include "heap.h"

#include <assert.h>

#include "dominators.h"
#include "heap_layout.h"
#include "heap_priv.h"
#include "mem.h"
#include "slice.h"

_Static_assert(FL_DOM_NOTHING == FL_HEAP_NONE, "what is not reached has no dominator");

void fl_heap_name_objects(fl_heap *heap)
{
    heap->class_class = heap->census->class_class;
    for (uint32_t i = 0; i < heap->census->count; i++) {
        fl_census_entry *entry = &heap->census->entries[i];
        if (entry->record.ptr != NULL)
            entry->facts.object = fl_heap_ids_find(&heap->ids, entry->facts.id);
        if (entry->loader_id != 0)
            entry->facts.loader = fl_heap_ids_find(&heap->ids, entry->loader_id);
    }
}

/* Each pass needs what those before it found; a failure leaves nothing behind. */
fl_status fl_heap_create(fl_heap **out, const fl_heap_source *source,
                         const fl_heap_options *options, fl_error *err)
{
    fl_heap *heap = fl_mem_calloc(1, sizeof(*heap));
    *out = NULL;
    if (heap == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    heap->source = *source;
    heap->options = *options;
    fl_status status = fl_census_create(&heap->census, source, options->layout, err);
    if (status == FL_OK)
        status = fl_heap_plan_all(heap, err);
    if (status == FL_OK) {
        heap->parts = fl_heap_parts_of(source);
        status = fl_heap_number_objects(heap, err);
    }
    if (status == FL_OK) {
        fl_heap_name_objects(heap);
        status = fl_heap_take_roots(heap, err);
    }
    if (status == FL_OK)
        status = fl_heap_read_objects(heap, err);
    if (status == FL_OK && !options->without_tree)
        status = fl_heap_make_tree(heap, err);
    if (status == FL_OK)
        *out = heap;
    else
        fl_heap_destroy(heap);
    return status;
}

void fl_heap_destroy(fl_heap *heap)
{
    if (heap == NULL)
        return;
    fl_census_destroy(heap->census);
    if (heap->is_mapped) {
        heap->ids = (fl_heap_ids){0};
        heap->class_of = heap->offset_low = heap->idom = heap->kid_starts = heap->kids = NULL;
        heap->offset_high = NULL;
        heap->retained = NULL;
        heap->retained_wide = NULL;
    }
    fl_heap_ids_dispose(&heap->ids);
    void *const blocks[] = {heap->plans,      heap->is_weak,       heap->is_kept,    heap->class_of,
                            heap->offset_low, heap->offset_high,   heap->starts,     heap->targets,
                            heap->roots,      heap->root_objects,  heap->held,       heap->idom,
                            heap->retained,   heap->retained_wide, heap->kid_starts, heap->kids,
                            heap->inbound,    heap->inbound_starts};
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        fl_mem_free(blocks[i]);
    fl_mem_free(heap);
}

fl_heap_layout fl_heap_layout_of(const fl_heap *heap)
{
    return heap->census->totals.layout;
}

const fl_census *fl_heap_census(const fl_heap *heap)
{
    return heap->census;
}

bool fl_heap_has_roots(const fl_heap *heap)
{
    return !heap->no_roots;
}

size_t fl_heap_count(const fl_heap *heap)
{
    return heap->ids.count;
}

size_t fl_heap_class_count(const fl_heap *heap)
{
    return heap->census->count;
}

const fl_heap_class *fl_heap_class_at(const fl_heap *heap, uint32_t index)
{
    return fl_census_class_at(heap->census, index);
}

uint32_t fl_heap_find_class(const fl_heap *heap, fl_slice name, uint32_t from)
{
    for (uint32_t i = from; i < heap->census->count; i++)
        if (fl_slice_equal(fl_heap_facts(heap, i)->name, name))
            return i;
    return FL_HEAP_NONE;
}

/* Loops of super classes were cut when the classes were linked. */
bool fl_heap_inherits(const fl_heap *heap, uint32_t index, uint32_t ancestor)
{
    while (index != FL_HEAP_NONE && index != ancestor)
        index = fl_heap_facts(heap, index)->super;
    return index != FL_HEAP_NONE;
}

fl_heap_object fl_heap_find(const fl_heap *heap, uint64_t id)
{
    return fl_heap_ids_find(&heap->ids, id);
}

uint64_t fl_heap_id(const fl_heap *heap, fl_heap_object object)
{
    return fl_heap_ids_at(&heap->ids, object);
}

uint32_t fl_heap_class_of(const fl_heap *heap, fl_heap_object object)
{
    assert(object < heap->ids.count);
    return heap->class_of[object];
}

uint32_t fl_heap_class_meant(const fl_heap *heap, fl_heap_object object)
{
    if (fl_heap_class_of(heap, object) != heap->class_class)
        return FL_HEAP_NONE;
    uint32_t index = fl_census_find_class(heap->census, fl_heap_id(heap, object));
    bool is_one = index != FL_HEAP_NONE && fl_heap_facts(heap, index)->object == object;
    return is_one ? index : FL_HEAP_NONE;
}

/* By class where that is enough; arrays are asked for their length, also where their class is not
 * in the dump and so no array's by its name. */
uint64_t fl_heap_shallow_bytes(const fl_heap *heap, fl_heap_object object)
{
    const fl_census_entry *entry = &heap->census->entries[fl_heap_class_of(heap, object)];
    uint32_t meant = fl_heap_class_meant(heap, object);
    fl_heap_item item;
    if (meant != FL_HEAP_NONE)
        return heap->census->entries[meant].class_bytes;
    bool is_array = entry->array_count > 0 && fl_heap_item_of(heap, object, &item) &&
                    item.kind > FL_HEAP_ITEM_INSTANCE;
    return is_array ? fl_heap_array_bytes(heap->census->totals.layout, item.type, item.count)
                    : entry->facts.instance_bytes;
}

/* An index may point anywhere into the dump: what stands there must be this object, and a class
 * one that is known. */
static bool is_item_of(const fl_heap *heap, fl_heap_object object, const fl_heap_item *item)
{
    return item->kind >= FL_HEAP_ITEM_CLASS && fl_heap_ids_find(&heap->ids, item->id) == object &&
           (item->kind != FL_HEAP_ITEM_CLASS ||
            fl_census_find_class(heap->census, item->id) != FL_HEAP_NONE);
}

bool fl_heap_item_of(const fl_heap *heap, fl_heap_object object, fl_heap_item *item)
{
    assert(object < heap->ids.count && heap->offset_low != NULL);
    return heap->source.at(heap->source.payload, fl_heap_offset(heap, object), item) &&
           (!heap->is_mapped || is_item_of(heap, object, item));
}
