/*
 * rows.h - rows gathered in groups, written column by column.
 *
 * A group has a key, bytes that its rows share, and a number of columns of which each holds
 * integers, doubles or texts. What is alike stands together, and becomes small.
 */
#ifndef FL_ROWS_H
#define FL_ROWS_H

#include <stdbool.h>

#include "buf.h"

enum {
    FL_MAX_ROW_COLUMNS = 1024,
    FL_MAX_BLOCK_CELLS = 32 << 20 /* of all columns; 8 bytes each */
};

typedef enum fl_column_kind { FL_COLUMN_I64, FL_COLUMN_F64, FL_COLUMN_TEXT } fl_column_kind;

typedef struct fl_rows fl_rows;

/* At most `max_bytes` of memory; the caller owns *out. */
FL_NODISCARD fl_status fl_rows_create(fl_rows **out, size_t max_bytes, fl_error *err);
void fl_rows_destroy(fl_rows *rows); /* NULL is a no-op */
size_t fl_rows_bytes(const fl_rows *rows);

/* Cells that whoever writes the rows puts before them count as if they were in them. FL_E_LIMIT. */
FL_NODISCARD fl_status fl_rows_take_cells(fl_rows *rows, size_t count, fl_error *err);
/* Append a group of integers that no fl_rows has. */
void fl_rows_put_group(fl_buf *out, fl_slice key, const int64_t *const *columns,
                       size_t column_count, size_t row_count);

/* Begin a row of the group `key`; `kinds` must be what its other rows have. Then every cell, in
 * order, and the end. FL_E_LIMIT: the row does not fit; nothing of it is kept. */
FL_NODISCARD fl_status fl_rows_begin(fl_rows *rows, fl_slice key, const fl_column_kind *kinds,
                                     size_t count, fl_error *err);
void fl_rows_i64(fl_rows *rows, int64_t value);
void fl_rows_f64(fl_rows *rows, double value);
void fl_rows_text(fl_rows *rows, fl_slice text);
FL_NODISCARD fl_status fl_rows_end(fl_rows *rows, fl_error *err);

/* All groups in the order of their first rows, appended to `out`. */
FL_NODISCARD fl_status fl_rows_write(fl_buf *out, const fl_rows *rows, fl_error *err);
/* Forget all rows and groups. */
void fl_rows_clear(fl_rows *rows);

/* A group as it is read; borrowed for the visit. */
typedef struct fl_rows_column {
    fl_column_kind kind;
    const int64_t *integers;
    const double *reals;
    const fl_slice *texts;
} fl_rows_column;

typedef struct fl_rows_group {
    fl_slice key;
    uint64_t offset; /* of the group in what is read */
    size_t row_count, column_count;
    const fl_rows_column *columns;
} fl_rows_group;

typedef fl_status fl_rows_visit(void *context, const fl_rows_group *group, fl_error *err);
/* Whether a group is to be visited, by its key; a group that is not costs little where it is all
 * numbers. */
typedef bool fl_rows_wants(void *context, fl_slice key);

/* FL_E_SYNTAX and FL_E_TRUNCATED at their byte; FL_E_LIMIT above FL_MAX_BLOCK_CELLS; FL_E_NOMEM;
 * what `visit` returned. */
FL_NODISCARD fl_status fl_rows_read(fl_slice bytes, fl_rows_visit *visit, void *context,
                                    fl_error *err);
FL_NODISCARD fl_status fl_rows_read_wanted(fl_slice bytes, fl_rows_wants *wants,
                                           fl_rows_visit *visit, void *context, fl_error *err);

#endif
