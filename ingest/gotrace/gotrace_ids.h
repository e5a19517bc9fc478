/*
 * gotrace_ids.h - goroutine ids to slots: a table from which what ended is taken out again.
 *
 * A long trace has millions of goroutines, of which some hundreds live at a time.
 */
#ifndef FL_GOTRACE_IDS_H
#define FL_GOTRACE_IDS_H

#include <assert.h>
#include <stddef.h>

#include "faultline/status.h"

typedef struct fl_gotrace_id {
    uint64_t id;
    uint32_t slot; /* UINT32_MAX: free */
} fl_gotrace_id;

/* All zeros is an empty table. */
typedef struct fl_gotrace_ids {
    fl_gotrace_id *cells;
    size_t cap, count;  /* cap: a power of two, at least twice count */
    uint64_t factor[2]; /* odd, of this process: see fl_gotrace_ids_home() */
} fl_gotrace_ids;

/* Free it; it is empty afterwards. */
void fl_gotrace_ids_dispose(fl_gotrace_ids *ids);

/* Multiplications with odd words that differ from process to process, as in base/map.c: ids of a
 * trace cannot be aimed at one place. */
static inline size_t fl_gotrace_ids_home(const fl_gotrace_ids *ids, uint64_t id)
{
    uint64_t h = id * ids->factor[0];
    h = (h ^ h >> 32) * ids->factor[1];
    return (size_t)(h >> 32) & (ids->cap - 1);
}

/* Where `id` stands, or the free cell where it would; the table has cells. */
static inline size_t fl_gotrace_ids_cell(const fl_gotrace_ids *ids, uint64_t id)
{
    assert(ids->cap >= 2 * ids->count);
    size_t at = fl_gotrace_ids_home(ids, id);
    while (ids->cells[at].slot != UINT32_MAX && ids->cells[at].id != id)
        at = (at + 1) & (ids->cap - 1);
    return at;
}

/* UINT32_MAX where it is not there. */
static inline uint32_t fl_gotrace_ids_find(const fl_gotrace_ids *ids, uint64_t id)
{
    return ids->cap == 0 ? UINT32_MAX : ids->cells[fl_gotrace_ids_cell(ids, id)].slot;
}

/* `id` is not in the table yet. */
FL_NODISCARD fl_status fl_gotrace_ids_add(fl_gotrace_ids *ids, uint64_t id, uint32_t slot,
                                          fl_error *err);
/* `id` is in the table. */
void fl_gotrace_ids_remove(fl_gotrace_ids *ids, uint64_t id);

#endif
