/*
 * block_told.h - what the parts of reading a block share: the group that is being told, and how far
 * its key and its columns are used up.
 */
#ifndef FL_BLOCK_TOLD_H
#define FL_BLOCK_TOLD_H

#include "arena.h"
#include "block_priv.h"
#include "map.h"

typedef struct fl_told {
    const fl_sink *sink;
    fl_block_share *share; /* NULL: all of it */
    const fl_numbers *numbers;
    fl_block_ids traces, ids, uuids; /* of the block */
    fl_map *handles;                 /* the block's number of a resource to the sink's handle + 1 */
    fl_arena group_arena, row_arena; /* of a group's key, and of one record */
    fl_arena *arena;                 /* the one that is in use */
    fl_buf text;
    block_own own; /* of the record */
    const fl_rows_group *group;
    const fl_rows_column *columns; /* that are left */
    size_t columns_left;
    fl_reader key;
    fl_error *err;
} fl_told;

/* Groups, not rows, are named: the place of a group is known, that of a cell is not. */
fl_status fl_told_refuse(fl_told *in, const char *what);
/* The next `count` columns, which must be of a kind. */
FL_NODISCARD fl_status fl_told_columns(const fl_rows_column **out, fl_told *in, fl_column_kind kind,
                                       size_t count);
/* Behind the last thing that a group of this kind has: more would be lost in silence. */
FL_NODISCARD fl_status fl_told_check_all(fl_told *in);
/* Zeroed, in the arena in use; NULL and *status where memory or the budget ran out. */
void *fl_told_allot(fl_told *in, size_t count, size_t size, fl_status *status);
/* Attributes with their values, as fl_block_put_attrs() writes them. */
FL_NODISCARD fl_status fl_told_attrs(fl_attrs *out, fl_told *in, fl_reader *from);
/* A group names its resource by the block's number; the sink has its own. */
FL_NODISCARD fl_status fl_told_handle(uint32_t *out, fl_told *in);
/* What is allotted from here on lives until the next row. */
void fl_told_begin_row(fl_told *in);

FL_NODISCARD fl_status fl_told_numbers(fl_told *in);
FL_NODISCARD fl_status fl_told_shapes(fl_told *in);
/* What stands behind the resource in the key of a group of points, and where that is among all
 * series (fl_block_share). */
fl_slice fl_told_series(fl_slice group_key);
uint64_t fl_told_place(fl_slice series);

#endif
