/*
 * census.c - one reading: every item is counted where it belongs.
 *
 * What is kept: 100 to 200 bytes a class, 24 a name, a root; 88 a frame, a trace. What may come
 * late is looked up late: a class's name, the object that a root names, the class of a super class.
 * The first of two items with one id counts.
 *
 * Two things are learnt from neighbours, as the dump lists objects in the order of their addresses:
 * after a collection they touch, so that the distance between two is the size of the first. Garbage
 * between them only makes it larger, never smaller; objects that are listed in another order give
 * no distance at all. So the smallest distance that is seen of a class's instances is an upper
 * bound of their size, and an array whose neighbour begins where a layout says it ends is a vote
 * for that.
 *
 * Objects are counted by census_count.c, from several parts of the dump at once where it has some
 * (census_parts.c); what needs all classes (names, layouts, sizes) waits for the end
 * (census_classes.c).
 */
#include "census.h"

#include <assert.h>
#include <string.h>

#include "census_priv.h"
#include "faultline/limits.h"
#include "mem.h"
#include "slice.h"

/* What is no object comes in runs: names, classes, roots. */
enum { BATCH = 64 };

void *fl_census_grow(void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    size_t more = *cap < 64 ? 64 : *cap * 2;
    void *grown = fl_mem_realloc(items, more, size);
    if (grown != NULL)
        *cap = more;
    return grown;
}

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
}

/* --- classes and names --- */

/* The entry of a class id, made where it is new: a class is named before or after it is dumped, and
 * instances may come first. Entries may move. */
static fl_status entry_of(uint32_t *out, fl_census *census, uint64_t id, fl_error *err)
{
    bool added;
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, census->by_id, id, &added, err);
    if (status != FL_OK)
        return status;
    if (added) {
        fl_census_entry *grown =
            fl_census_grow(census->entries, census->count, &census->cap, sizeof(*census->entries));
        if (grown == NULL)
            return no_memory(err);
        census->entries = grown;
        grown[census->count] = (fl_census_entry){
            .facts = {.id = id,
                      .super = FL_HEAP_NONE,
                      .object = FL_HEAP_NONE,
                      .loader = FL_HEAP_NONE},
            .nearest_bytes = UINT64_MAX,
        };
        *slot = census->count++;
    }
    *out = (uint32_t)*slot;
    return FL_OK;
}

/* The text stays in the dump. Of two names with one id the first counts. */
static fl_status take_name(fl_census *census, const fl_heap_item *item, fl_error *err)
{
    bool added;
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, census->names_by_id, item->id, &added, err);
    if (status != FL_OK || !added)
        return status;
    fl_slice *grown = fl_census_grow(census->names, census->name_count, &census->name_cap,
                                     sizeof(*census->names));
    if (grown == NULL)
        return no_memory(err);
    census->names = grown;
    grown[census->name_count] = item->body;
    *slot = census->name_count++;
    return FL_OK;
}

/* A part leaves to the whole which of two dumps of a class is the first. */
static fl_status keep_class(fl_census *part, const fl_heap_item *item, fl_error *err)
{
    assert(part->is_part && item->kind == FL_HEAP_ITEM_CLASS);
    if (fl_map_find(part->by_id, item->id) == NULL)
        return FL_E_NOTFOUND;
    fl_heap_item *grown =
        fl_census_grow(part->late, part->late_count, &part->late_cap, sizeof(*part->late));
    if (grown == NULL)
        return no_memory(err);
    part->late = grown;
    grown[part->late_count++] = *item;
    return FL_OK;
}

/* What both kinds of record say of a class; the first dump of a class counts. */
static fl_status take_class(fl_census *census, const fl_heap_item *item, fl_error *err)
{
    uint32_t index;
    if (census->is_part)
        return keep_class(census, item, err);
    fl_status status = entry_of(&index, census, item->id, err);
    if (status != FL_OK)
        return status;
    fl_census_entry *entry = &census->entries[index];
    if (item->kind == FL_HEAP_ITEM_LOADED) {
        entry->name_id = item->class_id;
        entry->serial = item->serial;
    } else if (entry->record.ptr == NULL) {
        entry->super_id = item->class_id;
        entry->record = item->body;
    }
    return FL_OK;
}

/* A root may come before the object that it names: it is kept as its id. */
static fl_status take_root(fl_census *census, const fl_heap_item *item, fl_error *err)
{
    fl_census_root *grown = fl_census_grow(census->roots, census->root_count, &census->root_cap,
                                           sizeof(*census->roots));
    if (grown == NULL)
        return no_memory(err);
    census->roots = grown;
    grown[census->root_count++] =
        (fl_census_root){item->id, item->type, item->thread, item->frame, item->serial};
    return FL_OK;
}

/* Traces and frames are kept whole; few of them are ever looked at. */
static fl_status take_row(fl_census_table *table, uint64_t key, const fl_heap_item *item,
                          fl_error *err)
{
    bool added;
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, table->by_id, key, &added, err);
    if (status != FL_OK || !added)
        return status;
    fl_heap_item *grown =
        fl_census_grow(table->items, table->count, &table->cap, sizeof(*table->items));
    if (grown == NULL)
        return no_memory(err);
    table->items = grown;
    grown[table->count] = *item;
    *slot = table->count++;
    return FL_OK;
}

/* --- items --- */

/* What is no instance and no array: rare, so that it may cost more. */
static fl_status take_other(fl_census *census, fl_census_counts *counts, const fl_heap_item *item,
                            fl_error *err)
{
    bool is_before = item->kind == FL_HEAP_ITEM_NAME || item->kind == FL_HEAP_ITEM_LOADED ||
                     item->kind == FL_HEAP_ITEM_FRAME || item->kind == FL_HEAP_ITEM_TRACE;
    if (census->is_part && is_before)
        return FL_E_NOTFOUND; /* the dump changes under us: once more, by one thread */
    switch (item->kind) {
    case FL_HEAP_ITEM_NAME:
        return take_name(census, item, err);
    case FL_HEAP_ITEM_CLASS:
        fl_census_note_id(counts, item->id);
        return take_class(census, item, err);
    case FL_HEAP_ITEM_LOADED:
        return take_class(census, item, err);
    case FL_HEAP_ITEM_ROOT:
        return take_root(census, item, err);
    case FL_HEAP_ITEM_FRAME:
        return take_row(&census->frames, item->id, item, err);
    case FL_HEAP_ITEM_TRACE:
        return take_row(&census->traces, item->serial, item, err);
    default:
        return FL_OK;
    }
}

/* An object that the faster reader left to the other one. */
static fl_heap_brief brief_of(const fl_heap_item *item)
{
    bool is_instance = item->kind == FL_HEAP_ITEM_INSTANCE;
    assert(item->kind >= FL_HEAP_ITEM_INSTANCE && (is_instance || item->type < FL_HEAP_TYPE_END));
    return (fl_heap_brief){
        .id = item->id,
        .class_id = item->kind == FL_HEAP_ITEM_VALUES ? item->type : item->class_id,
        .count = is_instance ? (uint32_t)item->body.len : item->count,
        .kind = item->kind,
    };
}

/* Where a class is new there is room for what is counted of it, before the next object comes. */
fl_status fl_census_take(fl_census *census, fl_census_counts *counts, fl_census_reading *reading,
                         const fl_heap_item *items, size_t count, fl_error *err)
{
    fl_status status = FL_OK;
    assert(count > 0);
    if (!reading->has_items) {
        reading->has_items = true;
        reading->begins_with_object = items[0].kind >= FL_HEAP_ITEM_INSTANCE;
        reading->first_id = items[0].id;
    }
    for (size_t i = 0; i < count && status == FL_OK; i++)
        if (items[i].kind >= FL_HEAP_ITEM_INSTANCE) {
            fl_heap_brief row = brief_of(&items[i]);
            fl_census_count(census, counts, reading, &row, 1);
        } else {
            reading->ends_with_object = false; /* these are no neighbours */
            status = take_other(census, counts, &items[i], err);
            if (status == FL_OK)
                status = fl_census_counts_grow(counts, census, err);
        }
    reading->last_offset = items[count - 1].offset;
    return status;
}

/* One pass, in which objects are skimmed wherever they follow one another. */
fl_status fl_census_read(fl_census *census, const fl_heap_source *source, fl_error *err)
{
    fl_heap_item items[BATCH];
    fl_heap_lane lane = {.payload = source->payload}, *const lanes[] = {&lane};
    fl_census_reading reading = {.has_items = false};
    fl_status status = fl_census_counts_grow(&census->counts, census, err);
    source->rewind(source->payload);
    for (size_t count = 1; count > 0 && status == FL_OK;) {
        count = source->read(source->payload, items, BATCH);
        if (count > 0)
            status = fl_census_take(census, &census->counts, &reading, items, count, err);
        for (lane.is_stopped = status != FL_OK; !lane.is_stopped;) {
            source->skim(lanes, 1);
            fl_census_count_lane(census, &census->counts, &reading, &lane);
        }
    }
    census->last_offset = reading.last_offset;
    census->votes = reading.votes;
    return status;
}

fl_status fl_census_adopt(fl_census *census, const fl_census *part, fl_error *err)
{
    fl_status status = FL_OK;
    assert(!census->is_part && part->is_part);
    for (size_t i = 0; i < part->late_count && status == FL_OK; i++)
        status = take_class(census, &part->late[i], err);
    if (status != FL_OK || part->root_count == 0)
        return status;
    fl_census_root *grown =
        fl_mem_realloc(census->roots, census->root_count + part->root_count, sizeof(*grown));
    if (grown == NULL)
        return no_memory(err);
    memcpy(grown + census->root_count, part->roots, part->root_count * sizeof(*grown));
    census->roots = grown;
    census->root_count = census->root_cap = census->root_count + part->root_count;
    return FL_OK;
}

/* --- the whole --- */

/* Class 0 takes what the dump has no class for; arrays of primitives have one each, until a class
 * of the right name is met. Their ids are none that a dump has for a class: 0, 1, 2 ... */
static fl_status prepare(fl_census *census, fl_error *err)
{
    fl_status status = fl_map_create(&census->by_id, UINT32_MAX, err);
    if (status == FL_OK)
        status = fl_map_create(&census->names_by_id, UINT32_MAX, err);
    if (status == FL_OK)
        status = fl_map_create(&census->frames.by_id, UINT32_MAX, err);
    if (status == FL_OK)
        status = fl_map_create(&census->traces.by_id, UINT32_MAX, err);
    uint32_t index = 0;
    if (status == FL_OK)
        status = entry_of(&index, census, 0, err);
    for (uint32_t type = FL_HEAP_BOOLEAN; type < FL_HEAP_TYPE_END && status == FL_OK; type++)
        status = entry_of(&census->values_class[type], census, type, err);
    return status;
}

/* An empty census for dumps of this width. */
static fl_status begin(fl_census **out, unsigned id_bytes, fl_error *err)
{
    assert(id_bytes == 4 || id_bytes == 8);
    fl_census *census = *out = fl_mem_calloc(1, sizeof(*census));
    if (census == NULL)
        return no_memory(err);
    census->id_bytes = id_bytes;
    census->arena = fl_arena_of(FL_MAX_HEAP_TEXT_BYTES);
    return prepare(census, err);
}

/* What was read becomes a census, or nothing. */
static fl_status finish(fl_census **out, fl_census *census, fl_heap_layout layout, fl_status status,
                        fl_error *err)
{
    if (status == FL_OK)
        status = fl_census_counts_grow(&census->counts, census, err);
    if (status == FL_OK) {
        fl_census_settle(census, &census->counts);
        fl_census_counts_dispose(&census->counts);
        status = fl_census_link(census, layout, err);
    }
    *out = status == FL_OK ? census : NULL;
    if (status != FL_OK)
        fl_census_destroy(census);
    return status;
}

fl_status fl_census_create(fl_census **out, const fl_heap_source *source, fl_heap_layout layout,
                           fl_error *err)
{
    fl_census *census;
    fl_status status = begin(&census, source->id_bytes, err);
    if (status == FL_OK)
        status = fl_census_read_parts(census, source, err);
    return finish(out, census, layout, status, err);
}

fl_status fl_census_replay(fl_census **out, const fl_heap_source *source, const uint64_t *places,
                           size_t count, fl_heap_layout layout, fl_error *err)
{
    fl_census *census;
    fl_heap_item item;
    fl_status status = begin(&census, source->id_bytes, err);
    if (status == FL_OK)
        status = fl_census_counts_grow(&census->counts, census, err);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        uint64_t offset = places[i] >> 1;
        bool is_there = (places[i] & 1) != 0 ? source->record_at(source->payload, offset, &item)
                                             : source->at(source->payload, offset, &item);
        if (is_there && item.kind < FL_HEAP_ITEM_INSTANCE)
            status = take_other(census, &census->counts, &item, err);
        else
            status = fl_fail(err, FL_E_SYNTAX, offset,
                             "the dump has no class or name where the"
                             " index says it has");
    }
    return finish(out, census, layout, status, err);
}

void fl_census_destroy(fl_census *census)
{
    if (census == NULL)
        return;
    fl_map_destroy(census->by_id);
    fl_map_destroy(census->names_by_id);
    fl_map_destroy(census->frames.by_id);
    fl_map_destroy(census->traces.by_id);
    fl_census_counts_dispose(&census->counts);
    fl_mem_free(census->entries);
    fl_mem_free(census->order);
    fl_mem_free(census->names);
    fl_mem_free(census->roots);
    fl_mem_free(census->frames.items);
    fl_mem_free(census->traces.items);
    fl_arena_dispose(&census->arena);
    fl_mem_free(census);
}

fl_census_totals fl_census_totals_of(const fl_census *census)
{
    return census->totals;
}

size_t fl_census_class_count(const fl_census *census)
{
    return census->count;
}

const fl_heap_class *fl_census_class_at(const fl_census *census, uint32_t index)
{
    assert(index < census->count);
    return &census->entries[index].facts;
}

uint32_t fl_census_find_class(const fl_census *census, uint64_t id)
{
    const uint64_t *found = fl_map_find(census->by_id, id);
    return found != NULL ? (uint32_t)*found : FL_HEAP_NONE;
}

uint32_t fl_census_values_class(const fl_census *census, fl_heap_type type)
{
    assert(type >= FL_HEAP_BOOLEAN && type < FL_HEAP_TYPE_END);
    return census->values_class[type];
}

fl_slice fl_census_name(const fl_census *census, uint64_t id)
{
    const uint64_t *found = fl_map_find(census->names_by_id, id);
    return found != NULL ? census->names[*found] : FL_SLICE("");
}
