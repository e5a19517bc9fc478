/*
 * heap_oql_view.c - rows of a query's answer. Each cell is one line of text: what people select is
 * addresses, names and numbers; numbers stand at the right of their column.
 *
 * The text is made in two passes over the cells, one for the widths. A wide column pushes those
 * behind it to the right only in its own row.
 */
#include "heap_oql_view.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "heap_text.h"
#include "profile_text.h"
#include "slice.h"

/* A column is not made wider than this for one long text. */
enum { MAX_WIDTH = 60, SHOWN_ITEMS = 4 };

/* --- cells --- */

static fl_slice class_name(const fl_heap *heap, fl_heap_object object, bool *is_class)
{
    assert(is_class != NULL);
    uint32_t meant = fl_heap_class_meant(heap, object);
    *is_class = meant != FL_HEAP_NONE;
    return fl_heap_class_at(heap, *is_class ? meant : fl_heap_class_of(heap, object))->name;
}

/* "java.util.HashMap @ 0x7f0012", of a String its text too. */
static void put_object(fl_buf *out, const fl_heap *heap, fl_heap_object object)
{
    assert(object != FL_HEAP_NONE);
    char text[FL_HEAP_OQL_TEXT_BYTES];
    bool is_class;
    fl_slice name = class_name(heap, object, &is_class);
    fl_buf_text(out, is_class ? "class " : "");
    fl_profile_text_terminal(out, name);
    fl_buf_printf(out, " @ 0x%" PRIx64, fl_heap_id(heap, object));
    if (!fl_heap_string(heap, object, text, sizeof(text)))
        return;
    fl_buf_text(out, " \"");
    fl_profile_text_terminal(out, fl_slice_of(text));
    fl_buf_char(out, '"');
}

/* A UTF-16 unit; half of a pair is shown as what it is. */
static void put_char(fl_buf *out, int64_t unit)
{
    assert(unit >= 0 && unit <= 0xffff);
    if (unit >= ' ' && unit < 0x7f)
        fl_buf_printf(out, "'%c'", (char)unit);
    else
        fl_buf_printf(out, "'\\u%04x'", (unsigned)unit);
}

/* All but lists. */
static void put_single(fl_buf *out, const fl_heap *heap, const fl_oql_value *value)
{
    switch (value->kind) {
    case FL_OQL_BOOL:
        fl_buf_text(out, value->number != 0 ? "true" : "false");
        break;
    case FL_OQL_INT:
        fl_buf_printf(out, "%" PRId64, value->number);
        break;
    case FL_OQL_FLOAT:
        fl_buf_printf(out, "%.15g", value->real);
        break;
    case FL_OQL_CHAR:
        put_char(out, value->number);
        break;
    case FL_OQL_TEXT:
        fl_profile_text_terminal(out, value->text);
        break;
    case FL_OQL_OBJECT:
        put_object(out, heap, value->object);
        break;
    default:
        fl_buf_text(out, "null");
        break;
    }
}

/* How long, and the first of it. */
static void put_list(fl_buf *out, const fl_heap *heap, const fl_oql_value *value)
{
    assert(value->kind == FL_OQL_OBJECTS || value->kind == FL_OQL_VALUES);
    fl_buf_printf(out, "%zu: [", value->count);
    for (size_t i = 0; i < value->count && i < SHOWN_ITEMS; i++) {
        fl_buf_text(out, i > 0 ? ", " : "");
        if (value->kind == FL_OQL_OBJECTS)
            put_object(out, heap, value->objects[i]);
        else
            put_single(out, heap, &value->values[i]);
    }
    fl_buf_text(out, value->count > SHOWN_ITEMS ? ", ...]" : "]");
}

/* Lists have a count of their own; all else is one value. */
static bool is_list(const fl_oql_value *value)
{
    return value->kind == FL_OQL_OBJECTS || value->kind == FL_OQL_VALUES;
}

/* A cell is one line, whatever its value has in it. */
static void put_cell(fl_buf *out, const fl_heap *heap, const fl_oql_value *value)
{
    assert(value != NULL);
    (is_list(value) ? put_list : put_single)(out, heap, value);
}

/* --- as text --- */

static bool is_number(const fl_oql_value *value)
{
    return value->kind == FL_OQL_INT || value->kind == FL_OQL_FLOAT;
}

/* Characters, as a terminal counts most of them. */
static size_t width_of(fl_slice text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++)
        width += (text.ptr[i] & 0xc0) != 0x80;
    return width;
}

/* One long text does not push all other rows apart. */
static void widen(size_t *width, fl_slice text)
{
    assert(width != NULL);
    size_t wanted = width_of(text);
    if (wanted > MAX_WIDTH)
        wanted = MAX_WIDTH;
    if (*width < wanted)
        *width = wanted;
}

/* The first pass: how wide each column is, its name included. */
static void measure(size_t *widths, fl_buf *cell, const fl_heap_oql_view *view)
{
    assert(widths != NULL);
    const fl_oql_table *table = view->table;
    for (size_t k = 0; k < table->column_count; k++) {
        widths[k] = 0;
        widen(&widths[k], table->columns[k]);
        for (size_t i = 0; i < table->row_count; i++) {
            fl_buf_clear(cell);
            put_cell(cell, view->heap, &table->rows[i].cells[k]);
            widen(&widths[k], fl_buf_slice(cell));
        }
    }
}

/* Nothing is put behind the last column. */
static void put_padded(fl_buf *out, fl_slice text, size_t width, bool at_right, bool is_last)
{
    size_t have = width_of(text), missing = have < width ? width - have : 0;
    if (at_right)
        fl_buf_printf(out, "%*s", (int)missing, "");
    fl_buf_add(out, text);
    if (!is_last)
        fl_buf_printf(out, "%*s", (int)(at_right ? 2 : missing + 2), "");
}

/* The second pass: the cells once more, now with room between them. */
static void put_rows(fl_buf *out, const size_t *widths, fl_buf *cell, const fl_heap_oql_view *view)
{
    const fl_oql_table *table = view->table;
    for (size_t i = 0; i < table->row_count; i++) {
        for (size_t k = 0; k < table->column_count; k++) {
            const fl_oql_value *value = &table->rows[i].cells[k];
            fl_buf_clear(cell);
            put_cell(cell, view->heap, value);
            put_padded(out, fl_buf_slice(cell), widths[k], is_number(value),
                       k + 1 == table->column_count);
        }
        fl_buf_char(out, '\n');
    }
}

/* The head of a column of numbers stands where they do. */
static void put_head(fl_buf *out, const size_t *widths, fl_buf *cell, const fl_oql_table *table)
{
    for (size_t k = 0; k < table->column_count; k++) {
        bool at_right = table->row_count > 0 && is_number(&table->rows[0].cells[k]);
        fl_buf_clear(cell);
        fl_profile_text_terminal(cell, table->columns[k]);
        put_padded(out, fl_buf_slice(cell), widths[k], at_right, k + 1 == table->column_count);
    }
    fl_buf_char(out, '\n');
}

void fl_heap_view_oql(fl_buf *out, const fl_heap_oql_view *view)
{
    const fl_oql_table *table = view->table;
    size_t widths[FL_OQL_MAX_COLUMNS];
    assert(table->column_count > 0 && table->column_count <= FL_OQL_MAX_COLUMNS);
    fl_buf cell = fl_buf_of(FL_MAX_HEAP_VIEW_BYTES);
    fl_heap_view_title(out, view->title);
    measure(widths, &cell, view);
    put_head(out, widths, &cell, table);
    put_rows(out, widths, &cell, view);
    if (cell.status != FL_OK && out->status == FL_OK)
        out->status = cell.status;
    fl_buf_dispose(&cell);
    if (table->row_count < table->total)
        fl_heap_text_left(out, table->total - table->row_count, "rows");
    else
        fl_buf_printf(out, "%" PRIu64 " row%s\n", table->total, table->total == 1 ? "" : "s");
}

/* --- as JSON --- */

static void json_object(fl_buf *out, const fl_heap *heap, fl_heap_object object)
{
    assert(object != FL_HEAP_NONE);
    char text[FL_HEAP_OQL_TEXT_BYTES];
    bool is_class;
    fl_slice name = class_name(heap, object, &is_class);
    fl_buf_printf(out, "{\"object\":\"0x%" PRIx64 "\",\"class\":", fl_heap_id(heap, object));
    fl_profile_text_json(out, is_class ? FL_SLICE("java.lang.Class") : name);
    if (is_class) {
        fl_buf_text(out, ",\"text\":");
        fl_profile_text_json(out, name);
    } else if (fl_heap_string(heap, object, text, sizeof(text))) {
        fl_buf_text(out, ",\"text\":");
        fl_profile_text_json(out, fl_slice_of(text));
    }
    fl_buf_char(out, '}');
}

/* Numbers stay numbers; characters become texts of one character. */
static void json_single(fl_buf *out, const fl_heap *heap, const fl_oql_value *value)
{
    if (value->kind == FL_OQL_OBJECT)
        json_object(out, heap, value->object);
    else if (value->kind == FL_OQL_TEXT)
        fl_profile_text_json(out, value->text);
    else if (value->kind == FL_OQL_FLOAT && isfinite(value->real))
        fl_buf_printf(out, "%.17g", value->real);
    else if (value->kind == FL_OQL_CHAR)
        fl_buf_printf(out, "\"\\u%04x\"", (unsigned)value->number);
    else if (value->kind == FL_OQL_BOOL || value->kind == FL_OQL_INT)
        put_single(out, heap, value);
    else /* JSON has neither NaN nor infinities */
        fl_buf_text(out, "null");
}

/* As many items as the answer has kept. */
static void json_list(fl_buf *out, const fl_heap *heap, const fl_oql_value *value)
{
    assert(is_list(value));
    fl_buf_printf(out, "{\"count\":%zu,\"items\":[", value->count);
    for (size_t i = 0; i < value->count && i < FL_OQL_MAX_LIST_ITEMS; i++) {
        fl_buf_text(out, i > 0 ? "," : "");
        if (value->kind == FL_OQL_OBJECTS)
            json_object(out, heap, value->objects[i]);
        else
            json_single(out, heap, &value->values[i]);
    }
    fl_buf_text(out, "]}");
}

void fl_heap_view_oql_json(fl_buf *out, const fl_heap_oql_view *view)
{
    const fl_oql_table *table = view->table;
    assert(table->row_count <= table->total);
    fl_buf_text(out, "{\"schema\":1,\"kind\":\"heap-oql\",");
    fl_heap_view_title_json(out, view->title);
    fl_buf_text(out, ",\"query\":");
    fl_profile_text_json(out, fl_slice_of(view->query));
    fl_buf_printf(out, ",\"row_count\":%" PRIu64 ",\"columns\":[", table->total);
    for (size_t k = 0; k < table->column_count; k++) {
        fl_buf_text(out, k > 0 ? "," : "");
        fl_profile_text_json(out, table->columns[k]);
    }
    fl_buf_text(out, "],\"rows\":[");
    for (size_t i = 0; i < table->row_count; i++) {
        for (size_t k = 0; k < table->column_count; k++) {
            const fl_oql_value *value = &table->rows[i].cells[k];
            fl_buf_text(out, k > 0 ? "," : i > 0 ? ",\n[" : "\n[");
            (is_list(value) ? json_list : json_single)(out, view->heap, value);
        }
        fl_buf_char(out, ']');
    }
    fl_buf_text(out, "]}\n");
}
