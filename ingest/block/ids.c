/*
 * ids.c - a list of ids, and a hash from an id to its place.
 *
 * Invariant: what the index names is compared with the list, so that two ids of one hash, which
 * only somebody who wants that can make, cost a second place and no mistake; nor does a place that
 * was taken back and given to another id.
 */
#include "ids.h"

#include <assert.h>

#include "hash.h"
#include "map.h"
#include "mem.h"

enum { MAX_IDS = 32 << 20 };

/* Bijective in each half, so that ids alone, with hi 0, never share a hash. */
static uint64_t hash_of(fl_trace_id id)
{
    return fl_hash_mix(id.hi) ^ id.lo;
}

void fl_block_ids_dispose(fl_block_ids *ids)
{
    fl_map_destroy(ids->index);
    fl_mem_free(ids->items);
    *ids = (fl_block_ids){0};
}

/* The next block has its own places. */
void fl_block_ids_clear(fl_block_ids *ids)
{
    if (ids->index != NULL)
        fl_map_clear(ids->index);
    ids->count = 0;
    ids->last = 0;
}

/* The list only; the index grows by itself, and may fail to. */
fl_status fl_block_ids_reserve(fl_block_ids *ids, size_t more, fl_error *err)
{
    size_t cap = ids->cap == 0 ? 64 : ids->cap;
    if (more <= ids->cap - ids->count)
        return FL_OK;
    while (cap - ids->count < more)
        cap *= 2;
    fl_trace_id *grown = fl_mem_realloc(ids->items, cap, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for ids");
    ids->items = grown;
    ids->cap = cap;
    return FL_OK;
}

/* The index is at most half full, and doubles: between two and four slots of 16 bytes an id. */
size_t fl_block_ids_bytes(const fl_block_ids *ids)
{
    return ids->cap * sizeof(ids->items[0]) + ids->count * 48;
}

static bool is_at(const fl_block_ids *ids, uint64_t place, fl_trace_id id)
{
    return place > 0 && place <= ids->count && ids->items[place - 1].hi == id.hi &&
           ids->items[place - 1].lo == id.lo;
}

/* One look into the index, since most ids are new, and the index is larger than any cache. */
fl_status fl_block_ids_put(uint64_t *place, bool *is_new, fl_block_ids *ids, fl_trace_id id,
                           fl_error *err)
{
    uint64_t *slot = NULL;
    *is_new = false;
    *place = ids->last;
    if (is_at(ids, ids->last, id))
        return FL_OK;
    fl_status status = fl_block_ids_reserve(ids, 1, err);
    if (status == FL_OK && ids->index == NULL)
        status = fl_map_create(&ids->index, MAX_IDS, err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, ids->index, hash_of(id), NULL, err);
    if (status != FL_OK)
        return status;
    if (!is_at(ids, *slot, id)) {
        *is_new = true;
        ids->items[ids->count++] = id;
        *slot = ids->count;
    }
    *place = ids->last = *slot;
    return FL_OK;
}

/* What names its place in the index names nothing then. */
void fl_block_ids_take_back(fl_block_ids *ids)
{
    assert(ids->count > 0);
    ids->count--;
    ids->last = 0;
}
