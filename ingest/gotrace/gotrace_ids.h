/*
 * gotrace_ids.h - goroutine ids to slots: a table from which what ended is taken out again.
 *
 * A long trace has millions of goroutines, of which some hundreds live at a time.
 */
#ifndef FL_GOTRACE_IDS_H
#define FL_GOTRACE_IDS_H

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
    uint64_t factor[2]; /* odd, of this process: see home_of() */
} fl_gotrace_ids;

/* Free it; it is empty afterwards. */
void fl_gotrace_ids_dispose(fl_gotrace_ids *ids);
/* UINT32_MAX where it is not there. */
uint32_t fl_gotrace_ids_find(const fl_gotrace_ids *ids, uint64_t id);
/* `id` is not in the table yet. */
FL_NODISCARD fl_status fl_gotrace_ids_add(fl_gotrace_ids *ids, uint64_t id, uint32_t slot,
                                          fl_error *err);
/* `id` is in the table. */
void fl_gotrace_ids_remove(fl_gotrace_ids *ids, uint64_t id);

#endif
