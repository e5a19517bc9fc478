/*
 * block_write.c - records to rows: what records share becomes a group's key, the rest its columns.
 *
 *   resource := "R"                                        i64 number, text packed
 *   number   := "N" of series                              i64 start, time; f64 value
 *   shape    := "H" of series                              i64 start, time, count, scale, offset,
 *                                                          zero; f64 sum, min, max; text bounds,
 *                                                          values, counts
 *   traces   := "T"                                        i64 hi, lo
 *   ids      := "I"                                        i64 id
 *   uuids    := "U"                                        i64 hi, lo
 *   log      := "L" of severity:u8 text pattern schema     i64 time, trace, span; variables;
 *                                                          attributes
 *   span     := "S" of kind:u8 error:u8 pattern schema     i64 trace, id, parent, start, duration;
 *                                                          text events; variables; attributes
 *   change   := "C"                                        i64 time, kind; text service, key,
 *                                                          before, after, source, url
 *   alert    := "A"                                        i64 fingerprint, starts, ends, resolved;
 *                                                          text name, severity, summary, url,
 *                                                          service, instance, node, labels packed
 *
 *   of       := the resource's number
 *   series   := text metric, unit; kind, temporality, monotonic, part: u8; param: u64; attrs
 *   text     := length bytes
 *   attrs    := count (text key, kind:u8, value)^count
 *   schema   := count (text key, kind:u8)^count            above 128: one text of attrs instead;
 *                                                          a text that is an id has its VARIABLE_
 *                                                          for a kind, and its place for a value
 *   value    := nothing | u64 (int, bool, bits of a double) | text
 *
 * Counts, lengths and numbers are LEB128; u64 is big-endian. A trace, id, parent and a log's span
 * are places in "T" and "I", from 1; 0: none. Ids in texts and attributes are places in "U".
 *
 * Invariants: resources and ids come before the first record that names them in every block, since
 * "T", "I" and "U" are written before all rows, and groups of rows in the order of their first
 * ones, where "R" is one group; kinds[] names the columns in the order in which the cells are put.
 */
#include <assert.h>
#include <string.h>
#include <zstd.h>

#include "block_priv.h"
#include "bytes.h"
#include "crc32c.h"
#include "intern.h"
#include "mem.h"

/* Level 6: a fifth smaller than 3 on what is left after the columns, at some 60 MB/s. */
enum { ZSTD_LEVEL = 6, MAX_RESOURCE_BYTES = 64 << 20, MAX_SCRATCH_BYTES = 128 << 20 };

/* One record at a time is put together in `key`, `blob`, `text` and `kinds`. */
struct fl_block_writer {
    fl_sink sink;
    fl_rows *rows;
    fl_block_ids traces, ids, uuids;             /* of this block */
    int64_t attr_places[BLOCK_MAX_ATTR_COLUMNS]; /* of the record's attributes that are ids */
    size_t max_bytes;
    bool has_id_places;   /* "T" and "I" stand before all that names an id */
    fl_intern *resources; /* what each handle stands for */
    bool *is_written;     /* in this block, by handle */
    size_t resource_cap;
    uint64_t records;
    fl_buf key, blob;
    block_pattern text;
    fl_column_kind kinds[BLOCK_MAX_COLUMNS];
    size_t kind_count;
};

void fl_block_put_text(fl_buf *out, fl_slice text)
{
    fl_column_put_count(out, text.len);
    fl_buf_add(out, text);
}

void fl_block_put_u64(fl_buf *out, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        fl_buf_char(out, (char)(unsigned char)(value >> shift));
}

/* As many bytes as the kind needs; a reader knows the kind. */
static void put_value(fl_buf *out, const fl_value *value)
{
    switch (value->kind) {
    case FL_VALUE_NONE:
        break;
    case FL_VALUE_BOOL:
    case FL_VALUE_INT:
        fl_block_put_u64(out, (uint64_t)value->number);
        break;
    case FL_VALUE_DOUBLE:
        fl_block_put_u64(out, fl_bits_of(value->real));
        break;
    case FL_VALUE_STRING:
    case FL_VALUE_BYTES:
    case FL_VALUE_OTHER:
        fl_block_put_text(out, value->text);
        break;
    }
}

void fl_block_put_attrs(fl_buf *out, const fl_attrs *attrs)
{
    fl_column_put_count(out, attrs->count);
    for (size_t i = 0; i < attrs->count; i++) {
        fl_block_put_text(out, attrs->items[i].key);
        fl_buf_char(out, (char)attrs->items[i].value.kind);
        put_value(out, &attrs->items[i].value);
    }
}

/* What was put together for a record may have failed anywhere: asked once. */
static fl_status check_scratch(const fl_block_writer *to, fl_error *err)
{
    fl_status status = fl_buf_check(&to->key, "a record", err);
    if (status == FL_OK)
        status = fl_buf_check(&to->blob, "a record", err);
    return status == FL_OK ? fl_buf_check(&to->text.pattern, "a record", err) : status;
}

/* The key and the kinds are complete; cells follow. */
static fl_status begin_row(fl_block_writer *to, fl_error *err)
{
    fl_status status = check_scratch(to, err);
    return status == FL_OK
               ? fl_rows_begin(to->rows, fl_buf_slice(&to->key), to->kinds, to->kind_count, err)
               : status;
}

/* Counted only when the whole row is in. */
static fl_status end_row(fl_block_writer *to, fl_error *err)
{
    fl_status status = fl_rows_end(to->rows, err);
    to->records += status == FL_OK;
    return status;
}

/* Forget the record before. Kinds follow in the order of the cells. */
static void begin_key(fl_block_writer *to, block_group kind)
{
    fl_buf_clear(&to->key);
    fl_buf_clear(&to->blob);
    to->kind_count = 0;
    fl_buf_char(&to->key, (char)kind);
}

/* As many as there will be cells of that kind, in a row. */
static void add_kinds(fl_block_writer *to, fl_column_kind kind, size_t count)
{
    assert(to->kind_count + count <= BLOCK_MAX_COLUMNS);
    for (size_t i = 0; i < count; i++)
        to->kinds[to->kind_count++] = kind;
}

/* Handles are given once for each distinct resource, and hold over blocks. */
static fl_status take_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                               fl_error *err)
{
    fl_block_writer *to = payload;
    fl_sym sym = 0;
    fl_buf_clear(&to->blob);
    fl_block_put_text(&to->blob, resource->service);
    fl_block_put_text(&to->blob, resource->instance);
    fl_block_put_text(&to->blob, resource->node);
    fl_block_put_attrs(&to->blob, &resource->attrs);
    fl_status status = fl_buf_check(&to->blob, "a resource", err);
    if (status == FL_OK)
        status = fl_intern_put(&sym, to->resources, fl_buf_slice(&to->blob), err);
    if (status != FL_OK || sym < to->resource_cap) {
        *handle = sym;
        return status;
    }
    size_t cap = to->resource_cap == 0 ? 64 : to->resource_cap * 2;
    bool *grown = fl_mem_realloc(to->is_written, cap, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for resources");
    memset(grown + to->resource_cap, 0, (cap - to->resource_cap) * sizeof(*grown));
    to->is_written = grown;
    to->resource_cap = cap;
    *handle = sym;
    return FL_OK;
}

/* A block says what each of its handles is, before the first record of it. */
static fl_status say_resource(fl_block_writer *to, uint32_t handle, fl_error *err)
{
    assert(handle < fl_intern_count(to->resources));
    if (to->is_written[handle])
        return FL_OK;
    begin_key(to, BLOCK_RESOURCES);
    add_kinds(to, FL_COLUMN_I64, 1);
    add_kinds(to, FL_COLUMN_TEXT, 1);
    fl_status status = begin_row(to, err);
    if (status != FL_OK)
        return status;
    fl_rows_i64(to->rows, handle);
    fl_rows_text(to->rows, fl_intern_text(to->resources, handle));
    status = fl_rows_end(to->rows, err);
    to->is_written[handle] = status == FL_OK;
    return status;
}

/* The place of an id among those of the block, + 1. The list of them is written before the rows. */
static fl_status say_id(int64_t *out, fl_block_writer *to, block_group kind, fl_trace_id id,
                        fl_error *err)
{
    fl_block_ids *ids = kind == BLOCK_TRACES ? &to->traces
                        : kind == BLOCK_IDS  ? &to->ids
                                             : &to->uuids;
    uint64_t place = 0;
    bool is_new = false;
    fl_status status = FL_OK;
    if (id.hi != 0 || id.lo != 0)
        status = fl_block_ids_put(&place, &is_new, ids, id, err);
    *out = (int64_t)place;
    if (status != FL_OK || !is_new)
        return status;
    if (fl_block_writer_bytes(to) >= to->max_bytes)
        status = fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a block is full with %zu bytes",
                         fl_block_writer_bytes(to));
    else
        status = fl_rows_take_cells(to->rows, kind == BLOCK_IDS ? 1 : 2, err);
    if (status != FL_OK)
        fl_block_ids_take_back(ids);
    return status;
}

/* Whether a value is an id: its VARIABLE_, which then stands in the place of its kind. */
static unsigned char id_kind(fl_trace_id *out, const fl_value *value)
{
    return value->kind == FL_VALUE_STRING ? fl_block_id_kind(out, value->text) : 0;
}

/* Names and kinds of attributes into the key, a column for each value; or one for all of them. */
static fl_status add_attr_shape(fl_block_writer *to, const fl_attrs *attrs, fl_error *err)
{
    fl_status status = FL_OK;
    if (attrs->count > BLOCK_MAX_ATTR_COLUMNS) {
        fl_column_put_count(&to->key, BLOCK_MAX_ATTR_COLUMNS + 1);
        add_kinds(to, FL_COLUMN_TEXT, 1);
        return FL_OK;
    }
    fl_column_put_count(&to->key, attrs->count);
    for (size_t i = 0; status == FL_OK && i < attrs->count; i++) {
        fl_value_kind kind = attrs->items[i].value.kind;
        fl_trace_id id;
        unsigned char as_id = id_kind(&id, &attrs->items[i].value);
        fl_block_put_text(&to->key, attrs->items[i].key);
        fl_buf_char(&to->key, (char)(as_id != 0 ? as_id : kind));
        if (as_id != 0)
            status = say_id(&to->attr_places[i], to, BLOCK_UUIDS, id, err);
        if (kind == FL_VALUE_DOUBLE)
            add_kinds(to, FL_COLUMN_F64, 1);
        else if (kind == FL_VALUE_INT || kind == FL_VALUE_BOOL || as_id != 0)
            add_kinds(to, FL_COLUMN_I64, 1);
        else if (kind != FL_VALUE_NONE)
            add_kinds(to, FL_COLUMN_TEXT, 1);
    }
    return status;
}

/* In the order of add_attr_shape(). */
static void add_attr_cells(fl_block_writer *to, const fl_attrs *attrs)
{
    if (attrs->count > BLOCK_MAX_ATTR_COLUMNS) {
        fl_buf_clear(&to->blob);
        fl_block_put_attrs(&to->blob, attrs);
        fl_rows_text(to->rows, fl_buf_slice(&to->blob));
        return;
    }
    for (size_t i = 0; i < attrs->count; i++) {
        const fl_value *value = &attrs->items[i].value;
        fl_trace_id ignored;
        if (value->kind == FL_VALUE_DOUBLE)
            fl_rows_f64(to->rows, value->real);
        else if (value->kind == FL_VALUE_INT || value->kind == FL_VALUE_BOOL)
            fl_rows_i64(to->rows, value->number);
        else if (id_kind(&ignored, value) != 0)
            fl_rows_i64(to->rows, to->attr_places[i]);
        else if (value->kind != FL_VALUE_NONE)
            fl_rows_text(to->rows, value->text);
    }
}

static bool is_id(const block_variable *variable)
{
    return variable->kind >= VARIABLE_UUID && variable->kind <= VARIABLE_HEX16;
}

/* A text of the record: its pattern into the key, its variables become columns. */
static fl_status add_text_shape(fl_block_writer *to, fl_slice text, block_own *own, fl_error *err)
{
    fl_status status = FL_OK;
    fl_block_take_apart(&to->text, text, own);
    fl_block_put_text(&to->key, fl_buf_slice(&to->text.pattern));
    for (size_t i = 0; status == FL_OK && i < to->text.count; i++) {
        block_variable *variable = &to->text.items[i];
        add_kinds(to, variable->kind == VARIABLE_TEXT ? FL_COLUMN_TEXT : FL_COLUMN_I64, 1);
        if (is_id(variable))
            status = say_id(&variable->integer, to, BLOCK_UUIDS, variable->id, err);
    }
    return status;
}

/* In the order in which the pattern marks them. */
static void add_text_cells(fl_block_writer *to)
{
    for (size_t i = 0; i < to->text.count; i++)
        if (to->text.items[i].kind == VARIABLE_TEXT)
            fl_rows_text(to->rows, to->text.items[i].text);
        else
            fl_rows_i64(to->rows, to->text.items[i].integer);
}

/* Logs of one statement share nearly everything: their group is the statement, in effect. */
static fl_status take_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    fl_block_writer *to = payload;
    int64_t trace = 0, span = 0;
    block_own own = {.trace = log->trace, .span = log->span, .time_ns = log->time_ns};
    fl_status status = say_resource(to, resource, err);
    if (status == FL_OK)
        status = say_id(&trace, to, BLOCK_TRACES, log->trace, err);
    if (status == FL_OK)
        status = say_id(&span, to, BLOCK_IDS, (fl_trace_id){.lo = log->span}, err);
    if (status != FL_OK)
        return status;
    begin_key(to, BLOCK_LOGS);
    fl_column_put_count(&to->key, resource);
    fl_buf_char(&to->key, (char)log->severity);
    fl_block_put_text(&to->key, log->severity_text);
    add_kinds(to, FL_COLUMN_I64, 3);
    status = add_text_shape(to, log->body, &own, err);
    if (status == FL_OK)
        status = add_attr_shape(to, &log->attrs, err);
    if (status == FL_OK)
        status = begin_row(to, err);
    if (status != FL_OK)
        return status;
    fl_rows_i64(to->rows, log->time_ns);
    fl_rows_i64(to->rows, trace);
    fl_rows_i64(to->rows, span);
    add_text_cells(to);
    add_attr_cells(to, &log->attrs);
    return end_row(to, err);
}

/* Few spans have any: one column of bytes serves. */
static void put_events(fl_block_writer *to, const fl_span *span)
{
    fl_buf_clear(&to->blob);
    fl_column_put_count(&to->blob, span->event_count);
    for (size_t i = 0; i < span->event_count; i++) {
        fl_block_put_u64(&to->blob, (uint64_t)span->events[i].time_ns);
        fl_block_put_text(&to->blob, span->events[i].name);
        fl_block_put_attrs(&to->blob, &span->events[i].attrs);
    }
    fl_rows_text(to->rows, fl_buf_slice(&to->blob));
}

/* A parent is said before its child, which it usually began before: places then rise with time. */
static fl_status take_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    fl_block_writer *to = payload;
    int64_t trace = 0, id = 0, parent = 0;
    fl_block_ids_hint(&to->traces, span->trace);
    fl_block_ids_hint(&to->ids, (fl_trace_id){.lo = span->parent});
    fl_block_ids_hint(&to->ids, (fl_trace_id){.lo = span->id});
    fl_status status = say_resource(to, resource, err);
    if (status != FL_OK)
        return status;
    begin_key(to, BLOCK_SPANS);
    fl_column_put_count(&to->key, resource);
    fl_buf_char(&to->key, (char)span->kind);
    fl_buf_char(&to->key, (char)span->is_error);
    add_kinds(to, FL_COLUMN_I64, 5);
    add_kinds(to, FL_COLUMN_TEXT, 1);
    status = add_text_shape(to, span->name, NULL, err);
    if (status == FL_OK)
        status = add_attr_shape(to, &span->attrs, err);
    if (status == FL_OK)
        status = say_id(&trace, to, BLOCK_TRACES, span->trace, err);
    if (status == FL_OK)
        status = say_id(&parent, to, BLOCK_IDS, (fl_trace_id){.lo = span->parent}, err);
    if (status == FL_OK)
        status = say_id(&id, to, BLOCK_IDS, (fl_trace_id){.lo = span->id}, err);
    if (status == FL_OK)
        status = begin_row(to, err);
    if (status != FL_OK)
        return status;
    fl_rows_i64(to->rows, trace);
    fl_rows_i64(to->rows, id);
    fl_rows_i64(to->rows, parent);
    fl_rows_i64(to->rows, span->start_ns);
    fl_rows_i64(to->rows, (int64_t)((uint64_t)span->end_ns - (uint64_t)span->start_ns));
    put_events(to, span);
    add_text_cells(to);
    add_attr_cells(to, &span->attrs);
    return end_row(to, err);
}

/* A series is its labels and what its numbers mean. */
static void begin_point(fl_block_writer *to, block_group kind, uint32_t resource,
                        const fl_point *point)
{
    begin_key(to, kind);
    fl_column_put_count(&to->key, resource);
    fl_block_put_text(&to->key, point->metric);
    fl_block_put_text(&to->key, point->unit);
    fl_buf_char(&to->key, (char)point->kind);
    fl_buf_char(&to->key, (char)point->temporality);
    fl_buf_char(&to->key, (char)point->monotonic);
    fl_buf_char(&to->key, (char)point->part);
    fl_block_put_u64(&to->key, fl_bits_of(point->param));
    fl_block_put_attrs(&to->key, &point->attrs);
    add_kinds(to, FL_COLUMN_I64, 2);
}

/* The key is complete. A counter's start stays the same and costs nothing. */
static fl_status put_number(fl_block_writer *to, const fl_number *number, fl_error *err)
{
    add_kinds(to, FL_COLUMN_F64, 1);
    fl_status status = begin_row(to, err);
    if (status != FL_OK)
        return status;
    fl_rows_i64(to->rows, number->start_ns);
    fl_rows_i64(to->rows, number->time_ns);
    fl_rows_f64(to->rows, number->value);
    return end_row(to, err);
}

/* The usual point. */
static fl_status take_number(fl_block_writer *to, uint32_t resource, const fl_point *point,
                             fl_error *err)
{
    const fl_number number = {
        .start_ns = point->start_ns, .time_ns = point->time_ns, .value = point->value};
    begin_point(to, BLOCK_NUMBERS, resource, point);
    return put_number(to, &number, err);
}

fl_status fl_block_writer_number(fl_block_writer *writer, uint32_t resource, fl_slice series,
                                 const fl_number *number, fl_error *err)
{
    assert(writer != NULL && number != NULL && series.len > 0);
    fl_status status = say_resource(writer, resource, err);
    if (status != FL_OK)
        return status;
    begin_key(writer, BLOCK_NUMBERS);
    fl_column_put_count(&writer->key, resource);
    fl_buf_add(&writer->key, series);
    add_kinds(writer, FL_COLUMN_I64, 2);
    return put_number(writer, number, err);
}

/* Bounds are the same from point to point, and become one text of the column. */
static void put_doubles(fl_block_writer *to, const double *values, size_t count)
{
    fl_buf_clear(&to->blob);
    for (size_t i = 0; i < count; i++)
        fl_block_put_u64(&to->blob, fl_bits_of(values[i]));
    fl_rows_text(to->rows, fl_buf_slice(&to->blob));
}

/* Most buckets are empty or small: a byte each, before zstd. */
static void put_counts(fl_block_writer *to, const uint64_t *counts, size_t count)
{
    fl_buf_clear(&to->blob);
    for (size_t i = 0; i < count; i++)
        fl_column_put_count(&to->blob, counts[i]);
    fl_rows_text(to->rows, fl_buf_slice(&to->blob));
}

/* Twelve columns, whichever of them the kind of point uses: constant ones cost two bytes. */
static fl_status take_shape(fl_block_writer *to, uint32_t resource, const fl_point *point,
                            fl_error *err)
{
    begin_point(to, BLOCK_SHAPES, resource, point);
    add_kinds(to, FL_COLUMN_I64, 4);
    add_kinds(to, FL_COLUMN_F64, 3);
    add_kinds(to, FL_COLUMN_TEXT, 3);
    fl_status status = begin_row(to, err);
    if (status != FL_OK)
        return status;
    fl_rows_i64(to->rows, point->start_ns);
    fl_rows_i64(to->rows, point->time_ns);
    fl_rows_i64(to->rows, (int64_t)point->count);
    fl_rows_i64(to->rows, point->scale);
    fl_rows_i64(to->rows, point->offset);
    fl_rows_i64(to->rows, (int64_t)point->zero_count);
    fl_rows_f64(to->rows, point->sum);
    fl_rows_f64(to->rows, point->min);
    fl_rows_f64(to->rows, point->max);
    put_doubles(to, point->bounds, point->bound_count);
    put_doubles(to, point->values, point->values != NULL ? point->bound_count : 0);
    put_counts(to, point->counts, point->bucket_count);
    return end_row(to, err);
}

static bool is_number(fl_point_kind kind)
{
    return kind == FL_POINT_GAUGE || kind == FL_POINT_SUM || kind == FL_POINT_PART;
}

/* Points without a number of buckets are most, and have a narrower row. */
static fl_status take_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    fl_status status = say_resource(payload, resource, err);
    if (status != FL_OK)
        return status;
    return is_number(point->kind) ? take_number(payload, resource, point, err)
                                  : take_shape(payload, resource, point, err);
}

/* Few: one group for all of them. */
static fl_status take_change(void *payload, const fl_change_record *change, fl_error *err)
{
    fl_block_writer *to = payload;
    const fl_slice texts[] = {change->service, change->key,    change->before,
                              change->after,   change->source, change->url};
    begin_key(to, BLOCK_CHANGES);
    add_kinds(to, FL_COLUMN_I64, 2);
    add_kinds(to, FL_COLUMN_TEXT, 6);
    fl_status status = begin_row(to, err);
    if (status != FL_OK)
        return status;
    fl_rows_i64(to->rows, change->time_ns);
    fl_rows_i64(to->rows, (int64_t)change->kind);
    for (size_t i = 0; i < 6; i++)
        fl_rows_text(to->rows, texts[i]);
    return end_row(to, err);
}

/* The same. Labels repeat from one delivery to the next, and become one text of the column. */
static fl_status take_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    fl_block_writer *to = payload;
    const fl_slice texts[] = {alert->name,    alert->severity, alert->summary, alert->url,
                              alert->service, alert->instance, alert->node};
    begin_key(to, BLOCK_ALERTS);
    add_kinds(to, FL_COLUMN_I64, 4);
    add_kinds(to, FL_COLUMN_TEXT, 8);
    fl_block_put_attrs(&to->blob, &alert->labels);
    fl_status status = begin_row(to, err);
    if (status != FL_OK)
        return status;
    fl_rows_i64(to->rows, (int64_t)alert->fingerprint);
    fl_rows_i64(to->rows, alert->starts_ns);
    fl_rows_i64(to->rows, alert->ends_ns);
    fl_rows_i64(to->rows, alert->is_resolved);
    for (size_t i = 0; i < 7; i++)
        fl_rows_text(to->rows, texts[i]);
    fl_rows_text(to->rows, fl_buf_slice(&to->blob));
    return end_row(to, err);
}

/* What could not be read was counted by whoever read it. */
static fl_status pass_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)payload;
    (void)reject;
    (void)err;
    return FL_OK;
}

fl_status fl_block_writer_create(fl_block_writer **out, size_t max_bytes, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_block_writer *made = fl_mem_calloc(1, sizeof(*made));
    if (made == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a block");
    made->sink = (fl_sink){.payload = made,
                           .resource = take_resource,
                           .span = take_span,
                           .log = take_log,
                           .point = take_point,
                           .change = take_change,
                           .alert = take_alert,
                           .reject = pass_reject};
    made->max_bytes = max_bytes;
    made->key = fl_buf_of(MAX_SCRATCH_BYTES);
    made->blob = fl_buf_of(MAX_SCRATCH_BYTES);
    made->text.pattern = fl_buf_of(MAX_SCRATCH_BYTES);
    fl_status status = fl_rows_create(&made->rows, max_bytes, err);
    if (status == FL_OK)
        status = fl_intern_create(&made->resources, MAX_RESOURCE_BYTES, err);
    if (status == FL_OK)
        *out = made;
    else
        fl_block_writer_destroy(made);
    return status;
}

void fl_block_writer_destroy(fl_block_writer *writer)
{
    if (writer == NULL)
        return;
    fl_rows_destroy(writer->rows);
    fl_block_ids_dispose(&writer->traces);
    fl_block_ids_dispose(&writer->ids);
    fl_block_ids_dispose(&writer->uuids);
    fl_intern_destroy(writer->resources);
    fl_mem_free(writer->is_written);
    fl_buf_dispose(&writer->key);
    fl_buf_dispose(&writer->blob);
    fl_buf_dispose(&writer->text.pattern);
    fl_mem_free(writer);
}

const fl_sink *fl_block_writer_sink(fl_block_writer *writer)
{
    return &writer->sink;
}

size_t fl_block_writer_bytes(const fl_block_writer *writer)
{
    return fl_rows_bytes(writer->rows) + fl_block_ids_bytes(&writer->traces) +
           fl_block_ids_bytes(&writer->ids) + fl_block_ids_bytes(&writer->uuids);
}

uint64_t fl_block_writer_records(const fl_block_writer *writer)
{
    return writer->records;
}

/* Head and frame, in memory of their own first: `out` gets all or nothing. */
static fl_status seal(fl_buf *out, fl_slice plain, fl_error *err)
{
    size_t cap = BLOCK_HEAD_BYTES + ZSTD_compressBound(plain.len);
    unsigned char *bytes = fl_mem_alloc(cap);
    if (bytes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a block");
    size_t len = ZSTD_compress(bytes + BLOCK_HEAD_BYTES, cap - BLOCK_HEAD_BYTES, plain.ptr,
                               plain.len, ZSTD_LEVEL);
    fl_status status = FL_OK;
    if (ZSTD_isError(len)) {
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "cannot compress a block: %s",
                         ZSTD_getErrorName(len));
    } else {
        memcpy(bytes, BLOCK_MAGIC, 8);
        fl_bytes_put_le(bytes + 12, plain.len, 8);
        fl_bytes_put_le(bytes + 8, fl_crc32c(0, (fl_slice){bytes + 12, 8 + len}), 4);
        fl_buf_add(out, (fl_slice){bytes, BLOCK_HEAD_BYTES + len});
        status = fl_buf_check(out, "a block", err);
    }
    fl_mem_free(bytes);
    return status;
}

/* The high halves are all zero for spans, and left out. */
static fl_status put_ids(fl_buf *out, const fl_block_ids *ids, block_group kind, fl_error *err)
{
    const unsigned char key = (unsigned char)kind;
    size_t halves = kind == BLOCK_IDS ? 1 : 2;
    if (ids->count == 0)
        return FL_OK;
    int64_t *numbers = fl_mem_alloc(halves * ids->count * sizeof(*numbers));
    if (numbers == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a block");
    const int64_t *columns[] = {numbers, numbers + ids->count};
    for (size_t i = 0; i < ids->count; i++) {
        numbers[i] = (int64_t)(halves == 2 ? ids->items[i].hi : ids->items[i].lo);
        if (halves == 2)
            numbers[ids->count + i] = (int64_t)ids->items[i].lo;
    }
    fl_rows_put_group(out, (fl_slice){&key, 1}, columns, halves, ids->count);
    fl_mem_free(numbers);
    return FL_OK;
}

/* Resources have to be said again. */
void fl_block_writer_clear(fl_block_writer *writer)
{
    assert(writer != NULL);
    fl_rows_clear(writer->rows);
    fl_block_ids_clear(&writer->traces);
    fl_block_ids_clear(&writer->ids);
    fl_block_ids_clear(&writer->uuids);
    for (size_t i = 0; i < writer->resource_cap; i++)
        writer->is_written[i] = false;
    writer->records = 0;
}

/* The writer is emptied only after `out` has the block. */
fl_status fl_block_finish(fl_buf *out, fl_block_writer *writer, fl_error *err)
{
    assert(out != NULL && writer != NULL);
    fl_buf plain = fl_buf_of(BLOCK_MAX_PLAIN_BYTES);
    fl_status status = put_ids(&plain, &writer->traces, BLOCK_TRACES, err);
    if (status == FL_OK)
        status = put_ids(&plain, &writer->ids, BLOCK_IDS, err);
    if (status == FL_OK)
        status = put_ids(&plain, &writer->uuids, BLOCK_UUIDS, err);
    if (status == FL_OK)
        status = fl_rows_write(&plain, writer->rows, err);
    if (status == FL_OK)
        status = seal(out, fl_buf_slice(&plain), err);
    fl_buf_dispose(&plain);
    if (status != FL_OK)
        return status;
    fl_block_writer_clear(writer);
    return FL_OK;
}
