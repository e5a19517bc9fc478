/*
 * ids.c - a list of ids, and a hash from an id to its place.
 *
 * The index has buckets of eight places, one cache line each. It doubles while there are more than
 * four places a bucket, up to its largest size, 4 MiB; a full bucket forgets its oldest place.
 *
 * Invariant: what the index names is compared with the list, so that two ids of one hash, which
 * only somebody who wants that can make, cost a second place and no mistake; nor does a place that
 * was taken back and given to another id.
 *
 * Cost: an id that is new or known takes one cache line of the index, and its own in the list where
 * 32 bits of the hash agree.
 */
#include "ids.h"

#include <assert.h>
#include <string.h>

#include "hash.h"
#include "mem.h"

enum { WAYS = 8, FIRST_BUCKETS = 64, MAX_BUCKETS = 1 << 16, MAX_IDS = 32 << 20 };

struct fl_block_id_bucket {
    uint32_t tags[WAYS];
    uint32_t places[WAYS]; /* 0: free */
};

_Static_assert(sizeof(struct fl_block_id_bucket) == 64, "a bucket is a cache line");

static uint64_t hash_of(fl_trace_id id)
{
    return fl_hash_mix(fl_hash_mix(id.hi) ^ id.lo);
}

void fl_block_ids_dispose(fl_block_ids *ids)
{
    fl_mem_free(ids->buckets);
    fl_mem_free(ids->items);
    *ids = (fl_block_ids){0};
}

/* The next block has its own places. */
void fl_block_ids_clear(fl_block_ids *ids)
{
    if (ids->buckets != NULL)
        memset(ids->buckets, 0, ids->bucket_count * sizeof(*ids->buckets));
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
    fl_trace_id *grown = cap <= MAX_IDS ? fl_mem_realloc(ids->items, cap, sizeof(*grown)) : NULL;
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu ids", cap);
    ids->items = grown;
    ids->cap = cap;
    return FL_OK;
}

size_t fl_block_ids_bytes(const fl_block_ids *ids)
{
    return ids->cap * sizeof(ids->items[0]) + ids->bucket_count * sizeof(ids->buckets[0]);
}

static bool is_at(const fl_block_ids *ids, uint64_t place, fl_trace_id id)
{
    return place > 0 && place <= ids->count && ids->items[place - 1].hi == id.hi &&
           ids->items[place - 1].lo == id.lo;
}

static struct fl_block_id_bucket *bucket_of(const fl_block_ids *ids, uint64_t hash)
{
    return &ids->buckets[hash & (ids->bucket_count - 1)];
}

void fl_block_ids_hint(const fl_block_ids *ids, fl_trace_id id)
{
    if (ids->buckets != NULL)
        __builtin_prefetch(bucket_of(ids, hash_of(id)), 1);
}

/* A free way has place 0, which is the smallest: it goes before the oldest. */
static void note_place(struct fl_block_id_bucket *bucket, uint32_t tag, uint32_t place)
{
    size_t oldest = 0;
    for (size_t way = 1; way < WAYS; way++)
        if (bucket->places[way] < bucket->places[oldest])
            oldest = way;
    bucket->tags[oldest] = tag;
    bucket->places[oldest] = place;
}

/* Where there is no memory for a larger one the index stays as it is, and forgets sooner. */
static void grow_index(fl_block_ids *ids)
{
    size_t count = ids->bucket_count == 0 ? FIRST_BUCKETS : ids->bucket_count * 2;
    if (count > MAX_BUCKETS || ids->count < WAYS / 2 * ids->bucket_count)
        return;
    struct fl_block_id_bucket *grown = fl_mem_calloc(count, sizeof(*grown));
    if (grown == NULL)
        return;
    fl_mem_free(ids->buckets);
    ids->buckets = grown;
    ids->bucket_count = count;
    for (size_t i = 0; i < ids->count; i++) {
        uint64_t hash = hash_of(ids->items[i]);
        note_place(bucket_of(ids, hash), (uint32_t)(hash >> 32), (uint32_t)(i + 1));
    }
}

/* 0: it is not there, or was forgotten. */
static uint64_t find_place(const fl_block_ids *ids, fl_trace_id id, uint64_t hash)
{
    if (ids->buckets == NULL)
        return 0;
    const struct fl_block_id_bucket *bucket = bucket_of(ids, hash);
    for (size_t way = 0; way < WAYS; way++)
        if (bucket->tags[way] == (uint32_t)(hash >> 32) && is_at(ids, bucket->places[way], id))
            return bucket->places[way];
    return 0;
}

fl_status fl_block_ids_put(uint64_t *place, bool *is_new, fl_block_ids *ids, fl_trace_id id,
                           fl_error *err)
{
    *is_new = false;
    *place = ids->last;
    if (is_at(ids, ids->last, id))
        return FL_OK;
    uint64_t hash = hash_of(id);
    *place = find_place(ids, id, hash);
    if (*place == 0) {
        fl_status status = fl_block_ids_reserve(ids, 1, err);
        if (status != FL_OK)
            return status;
        grow_index(ids);
        *is_new = true;
        ids->items[ids->count++] = id;
        *place = ids->count;
        if (ids->buckets != NULL)
            note_place(bucket_of(ids, hash), (uint32_t)(hash >> 32), (uint32_t)ids->count);
    }
    ids->last = *place;
    return FL_OK;
}

/* What names its place in the index names nothing then. */
void fl_block_ids_take_back(fl_block_ids *ids)
{
    assert(ids->count > 0);
    ids->count--;
    ids->last = 0;
}
