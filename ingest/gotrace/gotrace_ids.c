/*
 * gotrace_ids.c - open addressing with linear probing, at most half full.
 *
 * Invariant: between the cell where an id would stand alone and the one where it stands there is no
 * free cell. A removal keeps it by moving back what stands behind (Knuth, volume 3, 6.4, R).
 */
#include "gotrace_ids.h"

#include "hash.h"
#include "mem.h"
#include "slice.h"

enum { FIRST_CAP = 256 };

/* Any two texts do: what they are hashed to is secret. */
static void draw_factors(fl_gotrace_ids *ids)
{
    ids->factor[0] = fl_hash_keyed(FL_SLICE("first")) | 1;
    ids->factor[1] = fl_hash_keyed(FL_SLICE("second")) | 1;
}

void fl_gotrace_ids_dispose(fl_gotrace_ids *ids)
{
    fl_mem_free(ids->cells);
    *ids = (fl_gotrace_ids){0};
}

static fl_status grow(fl_gotrace_ids *ids, fl_error *err)
{
    fl_gotrace_ids larger = {.cap = ids->cap == 0 ? FIRST_CAP : 2 * ids->cap, .count = ids->count};
    draw_factors(&larger);
    larger.cells = fl_mem_calloc(larger.cap, sizeof(*larger.cells));
    if (larger.cells == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for goroutines");
    for (size_t i = 0; i < larger.cap; i++)
        larger.cells[i].slot = UINT32_MAX;
    for (size_t i = 0; i < ids->cap; i++)
        if (ids->cells[i].slot != UINT32_MAX)
            larger.cells[fl_gotrace_ids_cell(&larger, ids->cells[i].id)] = ids->cells[i];
    fl_mem_free(ids->cells);
    *ids = larger;
    return FL_OK;
}

fl_status fl_gotrace_ids_add(fl_gotrace_ids *ids, uint64_t id, uint32_t slot, fl_error *err)
{
    assert(slot != UINT32_MAX);
    if (2 * (ids->count + 1) > ids->cap) {
        fl_status status = grow(ids, err);
        if (status != FL_OK)
            return status;
    }
    size_t at = fl_gotrace_ids_cell(ids, id);
    assert(ids->cells[at].slot == UINT32_MAX);
    ids->cells[at] = (fl_gotrace_id){.id = id, .slot = slot};
    ids->count++;
    return FL_OK;
}

void fl_gotrace_ids_remove(fl_gotrace_ids *ids, uint64_t id)
{
    assert(ids->cap > 0);
    size_t mask = ids->cap - 1, hole = fl_gotrace_ids_cell(ids, id);
    assert(ids->cells[hole].slot != UINT32_MAX);
    ids->count--;
    for (size_t at = (hole + 1) & mask; ids->cells[at].slot != UINT32_MAX; at = (at + 1) & mask) {
        size_t home = fl_gotrace_ids_home(ids, ids->cells[at].id);
        /* it may move back to the hole where its home is not between the two */
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            ids->cells[hole] = ids->cells[at];
            hole = at;
        }
    }
    ids->cells[hole].slot = UINT32_MAX;
}
