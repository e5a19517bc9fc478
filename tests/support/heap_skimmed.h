/*
 * heap_skimmed.h - what a source gives in brief, held to what it gives in full.
 */
#ifndef HEAP_SKIMMED_H
#define HEAP_SKIMMED_H

#include <assert.h>

#include "faultline/heapdump.h"
#include "mem.h"

/* All items of a source, in brief; what is no object has its kind and id alone. */
typedef struct heap_briefs {
    fl_heap_brief *rows;
    size_t count, cap;
} heap_briefs;

static inline fl_heap_brief heap_brief_of(const fl_heap_item *item)
{
    fl_heap_brief row = {.kind = item->kind};
    if (item->kind == FL_HEAP_ITEM_TRACE) /* it has a serial, and its id is unspecified */
        row.id = item->serial;
    else
        row.id = item->id;
    if (item->kind < FL_HEAP_ITEM_INSTANCE)
        return row;
    row.class_id = item->kind == FL_HEAP_ITEM_VALUES ? item->type : item->class_id;
    row.count = item->kind == FL_HEAP_ITEM_INSTANCE ? (uint32_t)item->body.len : item->count;
    return row;
}

static inline void heap_briefs_read(heap_briefs *out, const fl_heap_source *source)
{
    fl_heap_item items[7];
    *out = (heap_briefs){0};
    source->rewind(source->payload);
    for (size_t n = 1; n > 0;) {
        n = source->read(source->payload, items, 7);
        if (out->count + n > out->cap) {
            out->cap = 2 * out->cap + 64;
            out->rows = fl_mem_realloc(out->rows, out->cap, sizeof(*out->rows));
            assert(out->rows != NULL);
        }
        for (size_t i = 0; i < n; i++)
            out->rows[out->count++] = heap_brief_of(&items[i]);
    }
}

static inline void heap_briefs_expect(const heap_briefs *in, size_t at, const fl_heap_brief *row)
{
    assert(at < in->count && in->rows[at].kind == row->kind && in->rows[at].id == row->id);
    assert(in->rows[at].class_id == row->class_id && in->rows[at].count == row->count);
}

/* `count` sources of one dump in turns, from their first item to their last. Returns how many
 * objects were skimmed. */
static inline size_t heap_skimmed_like_read(const fl_heap_source *sources, size_t count)
{
    fl_heap_lane room[FL_HEAP_LANES], *lanes[FL_HEAP_LANES];
    heap_briefs expected[FL_HEAP_LANES];
    size_t places[FL_HEAP_LANES] = {0}, of_lane[FL_HEAP_LANES], left = count, skimmed = 0;
    assert(count > 0 && count <= FL_HEAP_LANES);
    for (size_t i = 0; i < count; i++) {
        heap_briefs_read(&expected[i], &sources[i]);
        sources[i].rewind(sources[i].payload);
        room[i].payload = sources[i].payload;
        lanes[i] = &room[i];
        of_lane[i] = i;
    }
    while (left > 0) {
        sources[0].skim(lanes, left);
        for (size_t i = left; i-- > 0;) {
            size_t of = of_lane[i];
            fl_heap_item item;
            skimmed += lanes[i]->count;
            for (size_t r = 0; r < lanes[i]->count; r++)
                heap_briefs_expect(&expected[of], places[of]++, &lanes[i]->rows[r]);
            assert(lanes[i]->is_stopped || lanes[i]->count > 0 || left > 1);
            if (!lanes[i]->is_stopped)
                continue;
            if (sources[of].read(sources[of].payload, &item, 1) == 1) {
                fl_heap_brief row = heap_brief_of(&item);
                heap_briefs_expect(&expected[of], places[of]++, &row);
            } else {
                assert(places[of] == expected[of].count);
                lanes[i] = lanes[--left];
                of_lane[i] = of_lane[left];
            }
        }
    }
    for (size_t i = 0; i < count; i++)
        fl_mem_free(expected[i].rows);
    return skimmed;
}

/* The whole alone, then its parts, if it has some, in turns of each number. */
static inline size_t heap_skimmed_all_ways(const fl_heap_source *source)
{
    enum { MOST = 17 };
    fl_heap_source parts[MOST];
    size_t skimmed = heap_skimmed_like_read(source, 1);
    for (size_t lanes = 1; lanes <= FL_HEAP_LANES; lanes++) {
        size_t count = source->split(source->payload, parts, MOST, 1);
        for (size_t i = 0; i < count; i += lanes)
            skimmed += heap_skimmed_like_read(&parts[i], count - i < lanes ? count - i : lanes);
    }
    return skimmed;
}

#endif
