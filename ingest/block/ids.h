/*
 * ids.h - ids of traces and spans, each once: what refers to one says which of them it is.
 *
 * "Once" holds among neighbours, the last half a million: what refers to an id comes soon after it,
 * or never, and a table of all would be larger than any cache.
 *
 * An id is 8 or 16 random bytes, which no compressor makes smaller, and most of what is left of
 * logs and spans. A reference to one that is nearby is a small number.
 */
#ifndef FL_BLOCK_IDS_H
#define FL_BLOCK_IDS_H

#include <stdbool.h>

#include "faultline/record.h"

/* Ids in the order in which they were added; all zeros: empty. */
typedef struct fl_block_ids {
    struct fl_block_id_bucket *buckets; /* from a hash to places; NULL: none yet */
    size_t bucket_count;                /* a power of two */
    fl_trace_id *items;
    size_t count, cap;
    uint64_t last; /* the place that was found last: neighbours share ids */
} fl_block_ids;

/* Free it; it is empty afterwards. */
void fl_block_ids_dispose(fl_block_ids *ids);
/* Forget all, keep the memory. */
void fl_block_ids_clear(fl_block_ids *ids);
/* Room for `more` in the list. */
FL_NODISCARD fl_status fl_block_ids_reserve(fl_block_ids *ids, size_t more, fl_error *err);
/* `id` will be asked for soon: several are found in the time of one, where their part of the index
 * is in no cache. */
void fl_block_ids_hint(const fl_block_ids *ids, fl_trace_id id);
/* The place of `id`, from 1; *is_new: it was added, at the end, and may be taken back. */
FL_NODISCARD fl_status fl_block_ids_put(uint64_t *place, bool *is_new, fl_block_ids *ids,
                                        fl_trace_id id, fl_error *err);
void fl_block_ids_take_back(fl_block_ids *ids);
/* Of memory. */
size_t fl_block_ids_bytes(const fl_block_ids *ids);

#endif
