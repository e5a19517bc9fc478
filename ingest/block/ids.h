/*
 * ids.h - ids of traces and spans, each once: what refers to one says which of them it is.
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
    struct fl_map *index; /* a hash to the place of one id with it, + 1; NULL: none yet */
    fl_trace_id *items;
    size_t count, cap;
} fl_block_ids;

void fl_block_ids_dispose(fl_block_ids *ids);
/* Forget all, keep the memory. */
void fl_block_ids_clear(fl_block_ids *ids);
/* The place of `id`, + 1; 0: it is not there. */
uint64_t fl_block_ids_find(const fl_block_ids *ids, fl_trace_id id);
/* Room for `more`, so that fl_block_ids_add() cannot fail. */
FL_NODISCARD fl_status fl_block_ids_reserve(fl_block_ids *ids, size_t more, fl_error *err);
/* Of memory. */
size_t fl_block_ids_bytes(const fl_block_ids *ids);
/* At the end; it may be there already. */
void fl_block_ids_add(fl_block_ids *ids, fl_trace_id id);

#endif
