/*
 * rows_read.c - groups of rows out of their bytes, one at a time, into arrays that are used again.
 */
#include <assert.h>
#include <string.h>

#include "arena.h"
#include "column.h"
#include "rows.h"

struct input {
    fl_reader in;
    fl_arena arena; /* of one group */
    fl_rows_visit *visit;
    fl_rows_wants *wants; /* NULL: all */
    void *context;
    uint64_t cells; /* so far */
    fl_error *err;
};

static fl_status truncated(const struct input *in)
{
    return fl_fail(in->err, FL_E_TRUNCATED, in->in.pos, "a block ends inside a group");
}

/* Zeroed; sticky like the reader's failures. */
static void *allot(struct input *in, size_t count, size_t size, fl_status *status)
{
    void *items = *status == FL_OK ? fl_arena_alloc(&in->arena, count, size) : NULL;
    if (items == NULL && *status == FL_OK)
        *status = fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a block");
    return items;
}

/* The distinct texts stand one behind the other. */
static fl_status cut_texts(fl_slice *out, const int64_t *lengths, size_t count, struct input *in)
{
    for (size_t i = 0; i < count; i++) {
        if (lengths[i] < 0)
            return fl_fail(in->err, FL_E_SYNTAX, in->in.pos, "a text has a negative length");
        out[i] = fl_read_bytes(&in->in, (uint64_t)lengths[i]);
    }
    return in->in.short_read ? truncated(in) : FL_OK;
}

/* From index to text, row by row. */
static fl_status spread_texts(fl_slice *out, const fl_slice *distinct, size_t distinct_count,
                              size_t rows, struct input *in)
{
    fl_status status = FL_OK;
    int64_t *index = allot(in, rows, sizeof(*index), &status);
    if (status == FL_OK)
        status = fl_column_i64(index, rows, &in->in, in->err);
    for (size_t i = 0; status == FL_OK && i < rows; i++) {
        if (index[i] < 0 || (uint64_t)index[i] >= distinct_count)
            return fl_fail(in->err, FL_E_SYNTAX, in->in.pos, "there is no text %lld",
                           (long long)index[i]);
        out[i] = distinct[index[i]];
    }
    return status;
}

/* Distinct texts need no index: rows point to them in their order. */
static fl_status read_texts(fl_slice *out, size_t rows, struct input *in)
{
    fl_status status = FL_OK;
    uint64_t distinct = fl_column_count(&in->in);
    if (in->in.short_read)
        return truncated(in);
    if (distinct > rows || (distinct == 0 && rows > 0))
        return fl_fail(in->err, FL_E_SYNTAX, in->in.pos, "%llu texts for %zu rows",
                       (unsigned long long)distinct, rows);
    size_t count = (size_t)distinct;
    int64_t *lengths = allot(in, count, sizeof(*lengths), &status);
    fl_slice *texts = count < rows ? allot(in, count, sizeof(*texts), &status) : out;
    if (status == FL_OK)
        status = fl_column_i64(lengths, count, &in->in, in->err);
    if (status == FL_OK)
        status = cut_texts(texts, lengths, count, in);
    if (status == FL_OK && count < rows)
        status = spread_texts(out, texts, count, rows, in);
    return status;
}

/* Cells of the column's kind in the arena of the group. */
static fl_status read_column(fl_rows_column *out, size_t rows, struct input *in)
{
    fl_status status = FL_OK;
    void *cells =
        allot(in, rows, out->kind == FL_COLUMN_TEXT ? sizeof(fl_slice) : sizeof(int64_t), &status);
    if (status != FL_OK)
        return status;
    switch (out->kind) {
    case FL_COLUMN_I64:
        out->integers = cells;
        return fl_column_i64(cells, rows, &in->in, in->err);
    case FL_COLUMN_F64:
        out->reals = cells;
        return fl_column_f64(cells, rows, &in->in, in->err);
    case FL_COLUMN_TEXT:
        break;
    }
    out->texts = cells;
    return read_texts(cells, rows, in);
}

/* Constant columns make many rows of few bytes: cells are bounded before anything is made. */
static fl_status read_shape(fl_rows_group *group, struct input *in)
{
    group->offset = in->in.pos;
    group->key = fl_read_bytes(&in->in, fl_column_count(&in->in));
    uint64_t rows = fl_column_count(&in->in), columns = fl_column_count(&in->in);
    if (in->in.short_read)
        return truncated(in);
    if (rows == 0 || columns == 0 || columns > FL_MAX_ROW_COLUMNS)
        return fl_fail(in->err, FL_E_SYNTAX, group->offset, "a group of %llu rows, %llu columns",
                       (unsigned long long)rows, (unsigned long long)columns);
    if (rows > FL_MAX_BLOCK_CELLS || in->cells + rows * columns > FL_MAX_BLOCK_CELLS)
        return fl_fail(in->err, FL_E_LIMIT, group->offset, "a block has more than %d cells",
                       FL_MAX_BLOCK_CELLS);
    in->cells += rows * columns;
    group->row_count = (size_t)rows;
    group->column_count = (size_t)columns;
    return FL_OK;
}

/* Before any column is read: an unknown kind says that nothing behind it can be. */
static fl_status read_kinds(fl_rows_column *columns, size_t count, struct input *in)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t kind = fl_read_be(&in->in, 1);
        if (kind > FL_COLUMN_TEXT)
            return fl_fail(in->err, FL_E_SYNTAX, in->in.pos - 1, "a column of unknown kind %d",
                           (int)kind);
        columns[i] = (fl_rows_column){.kind = (fl_column_kind)kind};
    }
    return in->in.short_read ? truncated(in) : FL_OK;
}

/* Columns of texts are read all the same: their lengths are a column themselves. */
static fl_status skip_column(fl_rows_column *column, size_t rows, struct input *in)
{
    if (column->kind == FL_COLUMN_TEXT)
        return read_column(column, rows, in);
    return column->kind == FL_COLUMN_I64 ? fl_column_skip_i64(rows, &in->in, in->err)
                                         : fl_column_skip_f64(rows, &in->in, in->err);
}

static fl_status read_group(struct input *in)
{
    fl_rows_group group = {0};
    fl_status status = read_shape(&group, in);
    fl_rows_column *columns = allot(in, group.column_count, sizeof(*columns), &status);
    if (status == FL_OK)
        status = read_kinds(columns, group.column_count, in);
    bool is_wanted = status != FL_OK || in->wants == NULL || in->wants(in->context, group.key);
    for (size_t i = 0; status == FL_OK && i < group.column_count; i++)
        status = is_wanted ? read_column(&columns[i], group.row_count, in)
                           : skip_column(&columns[i], group.row_count, in);
    group.columns = columns;
    return status == FL_OK && is_wanted ? in->visit(in->context, &group, in->err) : status;
}

fl_status fl_rows_read_wanted(fl_slice bytes, fl_rows_wants *wants, fl_rows_visit *visit,
                              void *context, fl_error *err)
{
    struct input in = {.in = fl_reader_over(bytes),
                       .arena = fl_arena_of(SIZE_MAX), /* cells are counted instead */
                       .visit = visit,
                       .wants = wants,
                       .context = context,
                       .err = err};
    fl_status status = FL_OK;
    assert(visit != NULL);
    while (status == FL_OK && !fl_reader_done(&in.in)) {
        fl_arena_reset(&in.arena);
        status = read_group(&in);
    }
    fl_arena_dispose(&in.arena);
    return status;
}

fl_status fl_rows_read(fl_slice bytes, fl_rows_visit *visit, void *context, fl_error *err)
{
    return fl_rows_read_wanted(bytes, NULL, visit, context, err);
}
