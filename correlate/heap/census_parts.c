/*
 * census_parts.c - a census out of the parts of a dump, each read by a thread.
 *
 * Names and classes come first and are read by one. Each part then counts into entries of its own,
 * which are added up in the order of the parts. What the last object of a part tells by its
 * distance to the first one of the next is made up for there. A dump that has a class in its
 * objects' part which was not named before is read again, by one thread.
 */
#include <assert.h>
#include <string.h>

#include "census_priv.h"
#include "heap_parts.h"
#include "mem.h"

typedef struct counted {
    fl_census *census;
    fl_census_reading reading;
    fl_status status;
    fl_error err;
} counted;

typedef struct counting {
    fl_census *whole;
    const fl_heap_parts *parts;
    counted done[FL_HEAP_MOST_PARTS]; /* [0] is not used */
} counting;

/* The names and classes of the whole, and nothing counted. */
static fl_census *begin_part(const fl_census *whole)
{
    fl_census *part = fl_mem_calloc(1, sizeof(*part));
    if (part == NULL)
        return NULL;
    part->is_part = true;
    part->id_bytes = whole->id_bytes;
    part->by_id = whole->by_id;
    part->names_by_id = whole->names_by_id;
    part->count = part->cap = whole->count;
    memcpy(part->values_class, whole->values_class, sizeof(part->values_class));
    part->entries = fl_mem_calloc(whole->count, sizeof(*part->entries));
    for (size_t i = 0; i < whole->count && part->entries != NULL; i++)
        part->entries[i].nearest_bytes = UINT64_MAX;
    return part;
}

static void end_part(fl_census *part)
{
    if (part == NULL)
        return;
    fl_mem_free(part->entries);
    fl_mem_free(part->roots);
    fl_mem_free(part);
}

static void count_part(void *payload, size_t index)
{
    counting *c = payload;
    counted *to = &c->done[index];
    if (index == 0)
        return;
    to->census = begin_part(c->whole);
    if (to->census == NULL || to->census->entries == NULL)
        to->status = fl_fail(&to->err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    else
        to->status = fl_census_read(to->census, &c->parts->sources[index], &to->reading, &to->err);
}

/* The first dump of a class counts, the smallest distance counts. */
static void add_entry(fl_census_entry *to, const fl_census_entry *from)
{
    to->facts.count += from->facts.count;
    to->array_count += from->array_count;
    for (int layout = 0; layout < FL_HEAP_LAYOUT_COUNT; layout++)
        to->array_bytes[layout] += from->array_bytes[layout];
    if (from->nearest_bytes < to->nearest_bytes) {
        to->nearest_bytes = from->nearest_bytes;
        to->nearest_count = 0;
    }
    if (from->nearest_bytes == to->nearest_bytes)
        to->nearest_count += from->nearest_count;
    if (to->record.ptr == NULL && from->record.ptr != NULL) {
        to->super_id = from->super_id;
        to->record = from->record;
    }
}

static void add_totals(fl_census *to, const fl_census *from)
{
    fl_census_totals *sum = &to->totals;
    if (from->totals.objects > 0) {
        bool is_less = sum->objects == 0 || from->totals.min_id < sum->min_id;
        sum->min_id = is_less ? from->totals.min_id : sum->min_id;
        sum->max_id = from->totals.max_id > sum->max_id ? from->totals.max_id : sum->max_id;
        sum->id_bits |= from->totals.id_bits;
        sum->objects += from->totals.objects;
    }
    to->vote_count += from->vote_count;
    for (int layout = 0; layout < FL_HEAP_LAYOUT_COUNT; layout++)
        to->votes[layout] += from->votes[layout];
}

/* In the order of the dump. */
static fl_status add_roots(fl_census *to, const fl_census *from, fl_error *err)
{
    fl_census_root *grown =
        fl_mem_realloc(to->roots, to->root_count + from->root_count, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    if (from->root_count > 0)
        memcpy(grown + to->root_count, from->roots, from->root_count * sizeof(*grown));
    to->roots = grown;
    to->root_count = to->root_cap = to->root_count + from->root_count;
    return FL_OK;
}

/* `before` is the last object of the parts so far, in the entries of the whole. */
static fl_status add_part(fl_census *whole, const counted *part, fl_census_neighbour *before,
                          fl_error *err)
{
    const fl_census *from = part->census;
    assert(from->count == whole->count);
    if (!part->reading.has_items)
        return FL_OK;
    if (part->reading.begins_with_object)
        fl_census_compare(whole, before, part->reading.first_id);
    *before = part->reading.before;
    if (before->entry != NULL)
        before->entry = whole->entries + (before->entry - from->entries);
    for (size_t i = 0; i < whole->count; i++)
        add_entry(&whole->entries[i], &from->entries[i]);
    add_totals(whole, from);
    whole->last_offset = from->last_offset;
    return add_roots(whole, from, err);
}

/* Nothing is added before all parts are known to be good. */
static fl_status add_parts(counting *c, fl_error *err)
{
    fl_census_neighbour before = {.entry = NULL};
    fl_status status = FL_OK;
    for (size_t i = 1; i < c->parts->count; i++)
        if (c->done[i].status != FL_OK) {
            if (err != NULL && c->done[i].status != FL_E_NOTFOUND)
                *err = c->done[i].err;
            return c->done[i].status;
        }
    for (size_t i = 1; i < c->parts->count && status == FL_OK; i++)
        status = add_part(c->whole, &c->done[i], &before, err);
    return status;
}

fl_status fl_census_read_parts(fl_census *census, const fl_heap_source *source, fl_error *err)
{
    fl_heap_parts parts = fl_heap_parts_of(source);
    fl_census_reading reading;
    fl_status status = fl_census_read(census, &parts.sources[0], &reading, err);
    if (parts.count == 1 || status != FL_OK)
        return status;
    counting c = {.whole = census, .parts = &parts};
    fl_heap_parts_run(&parts, true, count_part, &c);
    status = add_parts(&c, err);
    for (size_t i = 1; i < parts.count; i++)
        end_part(c.done[i].census);
    /* names and classes that were taken already are the same ones */
    return status == FL_E_NOTFOUND ? fl_census_read(census, source, &reading, err) : status;
}
