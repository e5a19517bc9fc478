/*
 * ids.c - a list of ids, and a hash from an id to its place.
 *
 * Invariant: what the index names was compared with the list, so that two ids of one hash, which
 * only somebody who wants that can make, cost a second place and no mistake. An id that found no
 * room in the index has its place all the same.
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
}

uint64_t fl_block_ids_find(const fl_block_ids *ids, fl_trace_id id)
{
    const uint64_t *place = ids->index != NULL ? fl_map_find(ids->index, hash_of(id)) : NULL;
    if (place == NULL || *place == 0)
        return 0;
    assert(*place <= ids->count);
    const fl_trace_id *found = &ids->items[*place - 1];
    return found->hi == id.hi && found->lo == id.lo ? *place : 0;
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

/* Without an index the block is larger, and says the same. */
void fl_block_ids_add(fl_block_ids *ids, fl_trace_id id)
{
    fl_error ignored = {0};
    uint64_t *slot;
    assert(ids->count < ids->cap);
    ids->items[ids->count++] = id;
    if (ids->index == NULL && fl_map_create(&ids->index, MAX_IDS, &ignored) != FL_OK)
        return;
    if (fl_map_slot(&slot, ids->index, hash_of(id), NULL, &ignored) == FL_OK)
        *slot = ids->count;
}
