/*
 * map.c - linear probing over (key, value) pairs.
 *
 * Invariants:
 *   (1) slot_count is a power of two and at most half of the slots are used, so every probe meets
 *       an empty one;
 *   (2) a slot whose key is 0 is empty; the pair under key 0 itself lives outside of the slots.
 *
 * A key's place is the top bits of two multiplications with odd words of the process key: keys out
 * of input (span ids) cannot be aimed at one place, and the order of iteration differs from run to
 * run, so that code which leaks it into an answer is found by the first repeated test.
 *
 * Nothing is ever removed but by fl_map_clear(), so there are no tombstones, and a probe that ends
 * at an empty slot is an answer. Cost: a slot is 16 bytes; at most half of them used, a hit is
 * about one and a half probes and a miss two and a half (Knuth, TAOCP volume 3, section 6.4, linear
 * probing).
 */
#include "map.h"

#include <assert.h>
#include <string.h>

#include "hash_priv.h"
#include "mem.h"

enum { FIRST_SLOT_BITS = 5 };

struct pair {
    uint64_t key, value;
};

struct fl_map {
    struct pair *slots;
    size_t slot_count, capacity; /* slots in use, slots that there is memory for */
    unsigned shift;              /* 64 - log2(slot_count) */
    bool has_zero;               /* key 0 is in the map */
    uint64_t zero_value;
    size_t count; /* with key 0 */
    size_t max_count;
    uint64_t factor[2];
};

/* The index of a key's first slot. */
static inline size_t place(const fl_map *map, uint64_t key)
{
    uint64_t h = key * map->factor[0];
    h = (h ^ h >> 32) * map->factor[1];
    return (size_t)(h >> map->shift);
}

/* The slot of `key`, or the empty one where it belongs. Ends because of invariant (1). */
static inline struct pair *find_slot(const fl_map *map, uint64_t key)
{
    size_t mask = map->slot_count - 1;
    for (size_t i = place(map, key);; i = (i + 1) & mask) {
        struct pair *slot = &map->slots[i];
        if (slot->key == key || slot->key == 0)
            return slot;
    }
}

/* Move to 2^bits slots. On failure nothing changed. */
static fl_status resize(fl_map *map, unsigned bits, fl_error *err)
{
    assert(bits >= FIRST_SLOT_BITS && bits < 64);
    size_t slot_count = (size_t)1 << bits;
    struct pair *slots = fl_mem_calloc(slot_count, sizeof(*slots));
    if (slots == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a map of %zu keys",
                       slot_count / 2);
    struct pair *old = map->slots;
    size_t old_count = map->slot_count;
    map->slots = slots;
    map->slot_count = map->capacity = slot_count;
    map->shift = 64 - bits;
    for (size_t i = 0; i < old_count; i++)
        if (old[i].key != 0)
            *find_slot(map, old[i].key) = old[i];
    fl_mem_free(old);
    return FL_OK;
}

fl_status fl_map_create(fl_map **out, size_t max_count, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_map *map = fl_mem_calloc(1, sizeof(*map));
    if (map == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a map");
    map->max_count = max_count;
    const uint64_t *key = fl_hash_process_key();
    map->factor[0] = key[0] | 1;
    map->factor[1] = key[1] | 1;
    fl_status status = resize(map, FIRST_SLOT_BITS, err);
    if (status != FL_OK) {
        fl_map_destroy(map);
        return status;
    }
    *out = map;
    return FL_OK;
}

void fl_map_destroy(fl_map *map)
{
    if (map == NULL)
        return;
    fl_mem_free(map->slots);
    fl_mem_free(map);
}

uint64_t *fl_map_find(const fl_map *map, uint64_t key)
{
    assert(map != NULL);
    if (key == 0)
        return map->has_zero ? (uint64_t *)(uintptr_t)&map->zero_value : NULL;
    struct pair *slot = find_slot(map, key);
    return slot->key != 0 ? &slot->value : NULL;
}

fl_status fl_map_slot(uint64_t **out, fl_map *map, uint64_t key, bool *added, fl_error *err)
{
    assert(out != NULL && map != NULL);
    struct pair *slot = key != 0 ? find_slot(map, key) : NULL;
    bool found = slot != NULL ? slot->key != 0 : map->has_zero;
    if (added != NULL)
        *added = !found;
    if (found) {
        *out = slot != NULL ? &slot->value : &map->zero_value;
        return FL_OK;
    }
    if (map->count >= map->max_count)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a map exceeds %zu keys", map->max_count);
    if (key == 0) {
        map->has_zero = true;
        map->zero_value = 0;
        *out = &map->zero_value;
    } else {
        if ((map->count + 1) * 2 > map->slot_count) {
            fl_status status = resize(map, 64 - map->shift + 1, err);
            if (status != FL_OK)
                return status;
            slot = find_slot(map, key);
        }
        *slot = (struct pair){.key = key};
        *out = &slot->value;
    }
    map->count++;
    return FL_OK;
}

size_t fl_map_count(const fl_map *map)
{
    assert(map != NULL);
    return map->count;
}

/* Cursor 0 is key 0, cursor i + 1 is slot i. */
bool fl_map_next(const fl_map *map, size_t *cursor, uint64_t *key, uint64_t *value)
{
    assert(map != NULL && cursor != NULL);
    if (*cursor == 0) {
        ++*cursor;
        if (map->has_zero) {
            *key = 0;
            *value = map->zero_value;
            return true;
        }
    }
    for (size_t i = *cursor - 1; i < map->slot_count; i++) {
        if (map->slots[i].key != 0) {
            *key = map->slots[i].key;
            *value = map->slots[i].value;
            *cursor = i + 2;
            return true;
        }
    }
    *cursor = map->slot_count + 1;
    return false;
}

void fl_map_clear(fl_map *map)
{
    assert(map != NULL);
    memset(map->slots, 0, map->slot_count * sizeof(*map->slots));
    map->has_zero = false;
    map->count = 0;
}

fl_status fl_map_restart(fl_map *map, size_t count, fl_error *err)
{
    assert(map != NULL && count < SIZE_MAX / 4);
    unsigned bits = FIRST_SLOT_BITS;
    while ((size_t)1 << bits < 2 * count)
        bits++;
    bool fits = (size_t)1 << bits <= map->capacity;
    if (fits) {
        map->slot_count = (size_t)1 << bits;
        map->shift = 64 - bits;
    }
    fl_map_clear(map);
    return fits ? FL_OK : resize(map, bits, err);
}
