/*
 * rows_write.c - groups of rows in memory, and their bytes.
 *
 *   rows  := group*
 *   group := key_len key row_count column_count kind:u8^column_count column^column_count
 *   text  := distinct:count lengths:i64 bytes (index:i64, where distinct < rows)
 *
 * Counts are LEB128; columns are base/column.h's.
 *
 * Invariant: between rows every column of a group has row_count cells; a row that failed is cut off
 * again.
 */
#include <assert.h>
#include <string.h>

#include "bytes.h"
#include "column.h"
#include "intern.h"
#include "mem.h"
#include "rows.h"
#include "slice.h"

/* One column as it grows. Cells are bits; those of texts are where each ends in `text`. */
struct cells {
    uint64_t *items;
    size_t count, cap;
    fl_buf text;
    fl_column_kind kind;
};

struct group {
    struct cells *columns;
    size_t column_count, row_count;
    fl_sym next; /* the group of the row that came after its last one */
};

struct fl_rows {
    fl_intern *keys; /* a group's index is its key's; NULL: there are none */
    struct group *groups;
    size_t group_count, group_cap;
    size_t bytes, max_bytes, cells;
    fl_sym last;        /* the group of the row before */
    struct group *open; /* of the row that is being made */
    size_t at;          /* its next column */
    fl_status failed;   /* of that row */
};

fl_status fl_rows_create(fl_rows **out, size_t max_bytes, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_rows *made = fl_mem_calloc(1, sizeof(*made));
    if (made == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for rows");
    made->max_bytes = max_bytes;
    *out = made;
    return FL_OK;
}

/* Columns may have cells of a row that failed; they go with the rest. */
static void dispose_group(struct group *group)
{
    for (size_t i = 0; i < group->column_count; i++) {
        fl_mem_free(group->columns[i].items);
        fl_buf_dispose(&group->columns[i].text);
    }
    fl_mem_free(group->columns);
}

/* Cells are freed, not kept: the groups of the next hour may be others. */
void fl_rows_clear(fl_rows *rows)
{
    assert(rows != NULL && rows->open == NULL);
    for (size_t i = 0; i < rows->group_count; i++)
        dispose_group(&rows->groups[i]);
    fl_intern_destroy(rows->keys);
    rows->keys = NULL;
    rows->group_count = 0;
    rows->last = 0;
    rows->bytes = rows->cells = 0;
}

void fl_rows_destroy(fl_rows *rows)
{
    if (rows == NULL)
        return;
    fl_rows_clear(rows);
    fl_mem_free(rows->groups);
    fl_mem_free(rows);
}

size_t fl_rows_bytes(const fl_rows *rows)
{
    assert(rows != NULL);
    return rows->bytes;
}

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for rows");
}

/* Room for one more group, so that its key is added last. */
static fl_status reserve_group(fl_rows *rows, fl_error *err)
{
    size_t cap = rows->group_cap == 0 ? 64 : rows->group_cap * 2;
    if (rows->group_count < rows->group_cap)
        return FL_OK;
    struct group *grown = fl_mem_realloc(rows->groups, cap, sizeof(*grown));
    if (grown == NULL)
        return no_memory(err);
    rows->groups = grown;
    rows->group_cap = cap;
    return FL_OK;
}

/* The key is added last, since it cannot be taken back. */
static fl_status add_group(fl_sym *out, fl_rows *rows, fl_slice key, const fl_column_kind *kinds,
                           size_t count, fl_error *err)
{
    fl_status status = reserve_group(rows, err);
    struct cells *columns = status == FL_OK ? fl_mem_calloc(count, sizeof(*columns)) : NULL;
    if (columns == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        columns[i].kind = kinds[i];
        columns[i].text = fl_buf_of(rows->max_bytes);
    }
    status = fl_intern_put(out, rows->keys, key, err);
    if (status != FL_OK) {
        fl_mem_free(columns);
        return status;
    }
    assert(*out == rows->group_count);
    rows->groups[rows->group_count++] = (struct group){.columns = columns, .column_count = count};
    rows->bytes += key.len + count * sizeof(*columns) + sizeof(struct group);
    return FL_OK;
}

/* Telemetry comes in the same order again and again: after the row before, the one that followed it
 * last time. To compare a key is much less than to hash it. */
static bool guess_group(fl_sym *sym, const fl_rows *rows, fl_slice key)
{
    if (rows->last >= rows->group_count)
        return false;
    *sym = rows->groups[rows->last].next;
    return *sym < rows->group_count && fl_slice_equal(fl_intern_text(rows->keys, *sym), key);
}

/* The group of the key, made where it is not there. */
static fl_status find_group(fl_sym *sym, fl_rows *rows, fl_slice key, const fl_column_kind *kinds,
                            size_t count, fl_error *err)
{
    fl_status status = FL_OK;
    if (rows->keys == NULL)
        status = fl_intern_create(&rows->keys, rows->max_bytes, err);
    if (status == FL_OK && !fl_intern_find(sym, rows->keys, key))
        status = add_group(sym, rows, key, kinds, count, err);
    return status;
}

/* What both ways to fill a block say. */
static fl_status full(const fl_rows *rows, fl_error *err)
{
    return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a block is full with %zu bytes", rows->bytes);
}

fl_status fl_rows_take_cells(fl_rows *rows, size_t count, fl_error *err)
{
    assert(rows != NULL && rows->open == NULL);
    if (rows->bytes >= rows->max_bytes || rows->cells + count > FL_MAX_BLOCK_CELLS)
        return full(rows, err);
    rows->cells += count;
    return FL_OK;
}

fl_status fl_rows_begin(fl_rows *rows, fl_slice key, const fl_column_kind *kinds, size_t count,
                        fl_error *err)
{
    fl_sym sym;
    assert(rows != NULL && rows->open == NULL && count > 0 && count <= FL_MAX_ROW_COLUMNS);
    if (rows->bytes >= rows->max_bytes || rows->cells + count > FL_MAX_BLOCK_CELLS)
        return full(rows, err);
    fl_status status = FL_OK;
    if (!guess_group(&sym, rows, key))
        status = find_group(&sym, rows, key, kinds, count, err);
    if (status != FL_OK)
        return status;
    if (rows->last < rows->group_count)
        rows->groups[rows->last].next = sym;
    rows->last = sym;
    rows->open = &rows->groups[sym];
    rows->at = 0;
    rows->failed = FL_OK;
    assert(rows->open->column_count == count && rows->open->columns[0].kind == kinds[0]);
    return FL_OK;
}

/* A failure is kept for the end of the row, which then cuts it off. */
static void put_cell(fl_rows *rows, fl_column_kind kind, uint64_t bits)
{
    assert(rows->open != NULL && rows->at < rows->open->column_count);
    struct cells *cells = &rows->open->columns[rows->at++];
    assert(cells->kind == kind);
    (void)kind;
    if (cells->count == cells->cap) {
        size_t cap = cells->cap == 0 ? 4 : cells->cap * 2;
        uint64_t *grown = fl_mem_realloc(cells->items, cap, sizeof(*grown));
        if (grown == NULL) {
            rows->failed = FL_E_NOMEM;
            return;
        }
        rows->bytes += (cap - cells->cap) * sizeof(*grown);
        cells->items = grown;
        cells->cap = cap;
    }
    cells->items[cells->count++] = bits;
}

void fl_rows_i64(fl_rows *rows, int64_t value)
{
    put_cell(rows, FL_COLUMN_I64, (uint64_t)value);
}

void fl_rows_f64(fl_rows *rows, double value)
{
    put_cell(rows, FL_COLUMN_F64, fl_bits_of(value));
}

/* Its bytes and where they end; a failure of either is the row's. */
void fl_rows_text(fl_rows *rows, fl_slice text)
{
    assert(rows->open != NULL && rows->at < rows->open->column_count);
    fl_buf *to = &rows->open->columns[rows->at].text;
    fl_buf_add(to, text);
    rows->bytes += text.len;
    if (to->status != FL_OK && rows->failed == FL_OK)
        rows->failed = to->status;
    put_cell(rows, FL_COLUMN_TEXT, to->len);
}

/* Back to the rows that were there; a text's end is the cell before. */
static void cut_row(struct group *group)
{
    for (size_t i = 0; i < group->column_count; i++) {
        struct cells *cells = &group->columns[i];
        if (cells->count > group->row_count)
            cells->count = group->row_count;
        if (cells->kind == FL_COLUMN_TEXT) {
            size_t len = cells->count > 0 ? (size_t)cells->items[cells->count - 1] : 0;
            cells->text.len = cells->text.len < len ? cells->text.len : len;
            cells->text.status = FL_OK;
        }
    }
}

fl_status fl_rows_end(fl_rows *rows, fl_error *err)
{
    struct group *group = rows->open;
    assert(group != NULL && rows->at == group->column_count);
    rows->open = NULL;
    if (rows->failed != FL_OK) {
        cut_row(group);
        return rows->failed == FL_E_NOMEM ? no_memory(err) : full(rows, err);
    }
    group->row_count++;
    rows->cells += group->column_count;
    return FL_OK;
}

/* Texts stand one behind the other: where the one before ends this one begins. */
static fl_slice text_at(const struct cells *cells, size_t row)
{
    size_t from = row > 0 ? (size_t)cells->items[row - 1] : 0, to = (size_t)cells->items[row];
    return (fl_slice){.ptr = (const unsigned char *)cells->text.ptr + from, .len = to - from};
}

/* The distinct texts in `table` and each row's index among them in `index`. */
static fl_status index_texts(fl_intern *table, int64_t *index, const struct cells *cells,
                             fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t row = 0; status == FL_OK && row < cells->count; row++) {
        fl_sym sym = 0;
        status = fl_intern_put(&sym, table, text_at(cells, row), err);
        index[row] = sym;
    }
    return status;
}

/* Texts that are all distinct need no index. */
static void put_texts(fl_buf *out, const fl_intern *table, int64_t *scratch, const int64_t *index,
                      size_t rows)
{
    size_t distinct = fl_intern_count(table);
    for (size_t i = 0; i < distinct; i++)
        scratch[i] = (int64_t)fl_intern_text(table, (fl_sym)i).len;
    fl_column_put_count(out, distinct);
    fl_column_put_i64(out, scratch, distinct);
    for (size_t i = 0; i < distinct; i++)
        fl_buf_add(out, fl_intern_text(table, (fl_sym)i));
    if (distinct < rows)
        fl_column_put_i64(out, index, rows);
}

/* Its own table of distinct texts, which goes again before the next column. */
static fl_status write_texts(fl_buf *out, const struct cells *cells, fl_error *err)
{
    fl_intern *table;
    int64_t *index = fl_mem_alloc(2 * cells->count * sizeof(*index));
    if (index == NULL)
        return no_memory(err);
    fl_status status = fl_intern_create(&table, cells->text.len + 1, err);
    if (status == FL_OK) {
        status = index_texts(table, index, cells, err);
        if (status == FL_OK)
            put_texts(out, table, index + cells->count, index, cells->count);
        fl_intern_destroy(table);
    }
    fl_mem_free(index);
    return status;
}

static fl_status write_cells(fl_buf *out, const struct cells *cells, fl_error *err)
{
    if (cells->kind == FL_COLUMN_TEXT)
        return write_texts(out, cells, err);
    /* int64_t and double have the cells' size, and the same bits were put in */
    if (cells->kind == FL_COLUMN_I64)
        fl_column_put_i64(out, (const int64_t *)(const void *)cells->items, cells->count);
    else
        fl_column_put_f64(out, (const double *)(const void *)cells->items, cells->count);
    return FL_OK;
}

/* What stands before the kinds of a group's columns. */
static void put_shape(fl_buf *out, fl_slice key, size_t row_count, size_t column_count)
{
    fl_column_put_count(out, key.len);
    fl_buf_add(out, key);
    fl_column_put_count(out, row_count);
    fl_column_put_count(out, column_count);
}

void fl_rows_put_group(fl_buf *out, fl_slice key, const int64_t *const *columns,
                       size_t column_count, size_t row_count)
{
    assert(row_count > 0 && column_count > 0);
    put_shape(out, key, row_count, column_count);
    for (size_t i = 0; i < column_count; i++)
        fl_buf_char(out, FL_COLUMN_I64);
    for (size_t i = 0; i < column_count; i++)
        fl_column_put_i64(out, columns[i], row_count);
}

/* Kinds before columns: a reader knows what to expect before it reads any. */
static fl_status write_group(fl_buf *out, const struct group *group, fl_slice key, fl_error *err)
{
    fl_status status = FL_OK;
    put_shape(out, key, group->row_count, group->column_count);
    for (size_t i = 0; i < group->column_count; i++)
        fl_buf_char(out, (char)group->columns[i].kind);
    for (size_t i = 0; status == FL_OK && i < group->column_count; i++)
        status = write_cells(out, &group->columns[i], err);
    return status;
}

fl_status fl_rows_write(fl_buf *out, const fl_rows *rows, fl_error *err)
{
    fl_status status = FL_OK;
    assert(out != NULL && rows != NULL && rows->open == NULL);
    for (size_t i = 0; status == FL_OK && i < rows->group_count; i++)
        if (rows->groups[i].row_count > 0)
            status = write_group(out, &rows->groups[i], fl_intern_text(rows->keys, (fl_sym)i), err);
    return status == FL_OK ? fl_buf_check(out, "a block", err) : status;
}
