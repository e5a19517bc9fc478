/*
 * map.h - a hash map from a 64-bit key to a 64-bit value; open addressing, at most half full.
 *
 * Keys that are hashes of hostile text must be made with fl_hash_keyed; other keys are mixed here.
 * Iteration order is unspecified: sort before anything reaches an answer.
 */
#ifndef FL_MAP_H
#define FL_MAP_H

#include <stdbool.h>

#include "faultline/status.h"

typedef struct fl_map fl_map;

/* A map that refuses to hold more than `max_count` keys. The caller owns *out. */
FL_NODISCARD fl_status fl_map_create(fl_map **out, size_t max_count, fl_error *err);
void fl_map_destroy(fl_map *map); /* NULL is a no-op */

/* The value under `key`, or NULL. Valid until the next fl_map_slot. */
uint64_t *fl_map_find(const fl_map *map, uint64_t key);
/* The value under `key`, added as 0 where it was absent (*added tells; may be NULL). */
FL_NODISCARD fl_status fl_map_slot(uint64_t **out, fl_map *map, uint64_t key, bool *added,
                                   fl_error *err);
size_t fl_map_count(const fl_map *map);
/* Walk all pairs: start with *cursor = 0; false at the end. */
bool fl_map_next(const fl_map *map, size_t *cursor, uint64_t *key, uint64_t *value);
/* Forget all keys, keep the memory. */
void fl_map_clear(fl_map *map);
/* The same, at the cost of the next `count` keys and not of all that ever were: for many small maps
 * one after the other. On failure the map is empty. */
FL_NODISCARD fl_status fl_map_restart(fl_map *map, size_t count, fl_error *err);

#endif
