/*
 * heap_number.c - the pass that gives each object its number, and counts the room that its
 * references need.
 *
 * A pass of its own: references point forwards, so that no object has a number before all have.
 * What a class's fields, an array's elements, a class's statics can be is counted, null included:
 * where one part's references end and those of the next begin is then known before they are read.
 */
#include <assert.h>

#include "dominators.h"
#include "heap_priv.h"

enum { BATCH = 256 };

typedef struct numbering {
    fl_heap *heap;
    uint64_t references[FL_HEAP_MOST_PARTS];
} numbering;

/* References of an object, or more; the object's class is one. */
static uint64_t most_references(const fl_heap *heap, fl_census_cache *cache,
                                const fl_heap_item *item)
{
    uint64_t room = item->body.len / heap->source.id_bytes;
    if (item->kind == FL_HEAP_ITEM_INSTANCE) {
        uint64_t most = heap->plans[fl_census_class_of(heap->census, cache, item->class_id)].most;
        return 1 + (most < room ? most : room);
    }
    if (item->kind == FL_HEAP_ITEM_OBJECTS)
        return 1 + (uint64_t)item->count;
    if (item->kind == FL_HEAP_ITEM_VALUES)
        return 1;
    uint32_t meant = fl_census_find_class(heap->census, item->id);
    assert(meant != FL_HEAP_NONE);
    return 5 + (uint64_t)fl_heap_facts(heap, meant)->static_count; /* and the record's own */
}

static void number_part(void *payload, size_t part)
{
    numbering *n = payload;
    fl_heap *heap = n->heap;
    const fl_heap_source *source = &heap->parts.sources[part];
    fl_heap_item batch[BATCH];
    fl_heap_ids_pen pen = {0};
    fl_census_cache cache = {0};
    uint64_t references = 0;
    source->rewind(source->payload);
    for (size_t count = 1; count > 0;) {
        count = source->read(source->payload, batch, BATCH);
        for (size_t i = 0; i < count; i++) {
            if (batch[i].kind < FL_HEAP_ITEM_CLASS)
                continue;
            fl_heap_ids_add(&heap->ids, &pen, batch[i].id);
            references += most_references(heap, &cache, &batch[i]);
        }
    }
    fl_heap_ids_lift(&heap->ids, &pen);
    n->references[part] = references;
}

/* Place 0 is no reference's. What threads hold comes last. */
fl_status fl_heap_number_objects(fl_heap *heap, fl_error *err)
{
    numbering n = {.heap = heap};
    fl_status status = fl_heap_ids_open(&heap->ids, &heap->census->totals, err);
    if (status != FL_OK)
        return status;
    fl_heap_parts_run(&heap->parts, heap->ids.words != NULL, number_part, &n);
    fl_heap_ids_close(&heap->ids);
    uint64_t sum = 1;
    for (size_t i = 0; i < heap->parts.count; i++) {
        heap->part_starts[i] = (uint32_t)sum;
        sum += n.references[i];
        if (sum > FL_FLOW_MOST && !heap->options.without_tree)
            return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                           "the heap dump has more than %u references", FL_FLOW_MOST);
    }
    heap->target_end = (uint32_t)sum;
    return FL_OK;
}
