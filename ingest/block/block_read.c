/*
 * block_read.c - rows to records: a group's key and shape are checked once, then its rows are told.
 *
 * A block is checked by its CRC before anything is decompressed, so that what a torn or flipped
 * block says is never told; what is malformed behind a good CRC was made so, and is refused at its
 * byte.
 * block_write.c has the grammar of keys and the order of columns.
 *
 * A record is put together in memory that is used again for the next: the key's part of it (names,
 * attribute keys) in the group's arena, a row's part (events, packed attributes) in the row's,
 * texts in one buffer. So a block of any size is told within the budget of one record.
 *
 * What the sink relies on and bytes could break is checked here: kinds within their enums, a span's
 * id and order of time, buckets that fit bounds, the limits of faultline/limits.h.
 */
#include <assert.h>
#include <string.h>
#include <zstd.h>

#include "block_told.h"
#include "bytes.h"
#include "crc32c.h"
#include "faultline/limits.h"
#include "mem.h"

/* A record's attributes: what the key says of them, and their columns. */
struct attr_shape {
    fl_attr *items;
    size_t count;
    const fl_rows_column *columns; /* one for each that has a value; or one for all */
    bool is_packed;
    unsigned char id_kinds[BLOCK_MAX_ATTR_COLUMNS]; /* of those that are ids, else 0 */
};

/* Groups, not rows, are named: the place of a group is known, that of a cell is not. */
fl_status fl_told_refuse(fl_told *in, const char *what)
{
    return fl_fail(in->err, FL_E_SYNTAX, in->group->offset, "a group of a block: %s", what);
}

fl_slice fl_block_text(fl_reader *in)
{
    return fl_read_bytes(in, fl_column_count(in));
}

/* Reads beyond the key give zeros, which is asked about once, behind all of them. */
static fl_status check_key(fl_told *in)
{
    return in->key.short_read ? fl_told_refuse(in, "its key ends too early") : FL_OK;
}

/* The next `count` columns, which must be of a kind. */
fl_status fl_told_columns(const fl_rows_column **out, fl_told *in, fl_column_kind kind,
                          size_t count)
{
    if (count > in->columns_left)
        return fl_told_refuse(in, "it has too few columns");
    *out = in->columns;
    for (size_t i = 0; i < count; i++)
        if (in->columns[i].kind != kind)
            return fl_told_refuse(in, "a column is of another kind");
    in->columns += count;
    in->columns_left -= count;
    return FL_OK;
}

/* Behind the last thing that a group of this kind has: more would be lost in silence. */
fl_status fl_told_check_all(fl_told *in)
{
    if (in->columns_left > 0 || !fl_reader_done(&in->key))
        return fl_told_refuse(in, "it has more than belongs to it");
    return check_key(in);
}

/* Zeroed, in the arena in use; NULL and *status where memory or the budget ran out. */
void *fl_told_allot(fl_told *in, size_t count, size_t size, fl_status *status)
{
    void *items = *status == FL_OK ? fl_arena_alloc(in->arena, count, size) : NULL;
    if (items == NULL && *status == FL_OK)
        *status = fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a block");
    return items;
}

/* What is allotted from here on lives until the next row. */
void fl_told_begin_row(fl_told *in)
{
    fl_arena_reset(&in->row_arena);
    in->arena = &in->row_arena;
}

static bool is_text(fl_value_kind kind)
{
    return kind == FL_VALUE_STRING || kind == FL_VALUE_BYTES || kind == FL_VALUE_OTHER;
}

/* What stands in the bytes need not be a kind: false. */
static bool read_kind(fl_value_kind *out, fl_reader *in)
{
    uint64_t kind = fl_read_be(in, 1);
    *out = (fl_value_kind)kind;
    return kind <= FL_VALUE_OTHER;
}

/* As put_value() writes it; what a kind does not have stays zero. */
static void read_value(fl_value *out, fl_reader *in)
{
    if (is_text(out->kind))
        out->text = fl_block_text(in);
    else if (out->kind == FL_VALUE_DOUBLE)
        out->real = fl_double_of(fl_read_be(in, 8));
    else if (out->kind != FL_VALUE_NONE)
        out->number = (int64_t)fl_read_be(in, 8);
}

/* Attributes with their values, as fl_block_put_attrs() writes them. */
fl_status fl_told_attrs(fl_attrs *out, fl_told *in, fl_reader *from)
{
    fl_status status = FL_OK;
    uint64_t count = fl_column_count(from);
    if (from->short_read || count > FL_MAX_ATTRS_PER_RECORD)
        return fl_told_refuse(in, "a record has too many attributes");
    fl_attr *items = fl_told_allot(in, (size_t)count, sizeof(*items), &status);
    for (size_t i = 0; status == FL_OK && i < count; i++) {
        items[i].key = fl_block_text(from);
        if (!read_kind(&items[i].value.kind, from))
            return fl_told_refuse(in, "an attribute is of an unknown kind");
        read_value(&items[i].value, from);
    }
    *out = (fl_attrs){.items = items, .count = (size_t)count};
    if (status == FL_OK && from->short_read)
        return fl_told_refuse(in, "attributes end too early");
    return status;
}

/* The column that values of a kind stand in; none have no value. */
static fl_column_kind column_kind(fl_value_kind kind)
{
    if (kind == FL_VALUE_DOUBLE)
        return FL_COLUMN_F64;
    return is_text(kind) ? FL_COLUMN_TEXT : FL_COLUMN_I64;
}

/* A text that is an id has its own kind; the key holds no other. */
static bool read_attr_kind(fl_value_kind *out, unsigned char *id_kind, fl_reader *in)
{
    fl_reader at = *in;
    uint64_t kind = fl_read_be(&at, 1);
    *id_kind = 0;
    if (kind < VARIABLE_UUID || kind > VARIABLE_HEX16)
        return read_kind(out, in);
    *in = at;
    *id_kind = (unsigned char)kind;
    *out = FL_VALUE_STRING;
    return true;
}

/* In the row's arena: it is told with the row. */
static fl_status id_text(fl_slice *out, fl_told *in, unsigned char kind, int64_t place)
{
    fl_status status = FL_OK;
    unsigned char *text = fl_told_allot(in, BLOCK_UUID_LEN, 1, &status);
    size_t len = status == FL_OK ? fl_block_put_id(text, kind, place, &in->uuids) : 0;
    *out = (fl_slice){text, len};
    return status == FL_OK && len == 0 ? fl_told_refuse(in, "its ids are unknown") : status;
}

/* Keys and kinds are the group's, and are read once for all of its rows. */
static fl_status read_attr_shape(struct attr_shape *out, fl_told *in)
{
    fl_status status = FL_OK;
    uint64_t count = fl_column_count(&in->key);
    *out = (struct attr_shape){.columns = in->columns};
    if (count > BLOCK_MAX_ATTR_COLUMNS) {
        out->is_packed = true;
        return fl_told_columns(&out->columns, in, FL_COLUMN_TEXT, 1);
    }
    out->count = (size_t)count;
    out->items = fl_told_allot(in, out->count, sizeof(*out->items), &status);
    for (size_t i = 0; status == FL_OK && i < out->count; i++) {
        const fl_rows_column *ignored;
        fl_value *value = &out->items[i].value;
        out->items[i].key = fl_block_text(&in->key);
        if (!read_attr_kind(&value->kind, &out->id_kinds[i], &in->key))
            return fl_told_refuse(in, "an attribute is of an unknown kind");
        if (value->kind != FL_VALUE_NONE)
            status = fl_told_columns(
                &ignored, in, out->id_kinds[i] != 0 ? FL_COLUMN_I64 : column_kind(value->kind), 1);
    }
    return status;
}

/* The attributes of a row. What is packed lies in the arena. */
static fl_status attrs_of(fl_attrs *out, const struct attr_shape *shape, fl_told *in, size_t row)
{
    const fl_rows_column *column = shape->columns;
    if (shape->is_packed) {
        fl_reader packed = fl_reader_over(column->texts[row]);
        return fl_told_attrs(out, in, &packed);
    }
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < shape->count; i++) {
        fl_value *value = &shape->items[i].value;
        if (shape->id_kinds[i] != 0)
            status = id_text(&value->text, in, shape->id_kinds[i], (column++)->integers[row]);
        else if (is_text(value->kind))
            value->text = (column++)->texts[row];
        else if (value->kind == FL_VALUE_DOUBLE)
            value->real = (column++)->reals[row];
        else if (value->kind != FL_VALUE_NONE)
            value->number = (column++)->integers[row];
    }
    *out = (fl_attrs){.items = shape->items, .count = shape->count};
    return status;
}

/* A text of the records: its pattern says how many columns are its own, and of which kinds. */
static fl_status read_pattern(fl_slice *pattern, const fl_rows_column **columns, fl_told *in)
{
    fl_column_kind kinds[BLOCK_MAX_TEXT_VARIABLES];
    fl_status status = FL_OK;
    *pattern = fl_block_text(&in->key);
    *columns = in->columns;
    size_t count = fl_block_pattern_kinds(kinds, *pattern);
    for (size_t i = 0; status == FL_OK && i < count; i++) {
        const fl_rows_column *ignored;
        status = fl_told_columns(&ignored, in, kinds[i], 1);
    }
    return status;
}

/* Valid until the next text. */
static fl_status text_of(fl_slice *out, fl_told *in, fl_slice pattern,
                         const fl_rows_column *columns, size_t row)
{
    fl_buf_clear(&in->text);
    if (!fl_block_put_together(&in->text, pattern, columns, row, &in->own, &in->uuids))
        return fl_told_refuse(in, "its ids are unknown");
    *out = fl_buf_slice(&in->text);
    return fl_buf_check(&in->text, "a record's text", in->err);
}

/* A group names its resource by the block's number; the sink has its own. */
fl_status fl_told_handle(uint32_t *out, fl_told *in)
{
    uint64_t number = fl_column_count(&in->key);
    const uint64_t *handle = in->key.short_read ? NULL : fl_map_find(in->handles, number);
    if (handle == NULL)
        return fl_told_refuse(in, "its resource is unknown");
    *out = (uint32_t)(*handle - 1);
    return FL_OK;
}

/* A number that is said again means the later resource. */
static fl_status tell_resource(fl_told *in, int64_t number, fl_slice packed)
{
    fl_resource resource = {0};
    fl_reader from = fl_reader_over(packed);
    uint32_t handle = 0;
    uint64_t *slot;
    resource.service = fl_block_text(&from);
    resource.instance = fl_block_text(&from);
    resource.node = fl_block_text(&from);
    fl_status status = fl_told_attrs(&resource.attrs, in, &from);
    if (status == FL_OK)
        status = in->sink->resource(in->sink->payload, &resource, &handle, in->err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, in->handles, (uint64_t)number, NULL, in->err);
    if (status == FL_OK)
        *slot = (uint64_t)handle + 1;
    return status;
}

/* Of a group whose key is its kind alone: so many integers, then so many texts. */
static fl_status read_table(const fl_rows_column **numbers, size_t number_count,
                            const fl_rows_column **texts, size_t text_count, fl_told *in)
{
    fl_status status = fl_told_columns(numbers, in, FL_COLUMN_I64, number_count);
    if (status == FL_OK)
        status = fl_told_columns(texts, in, FL_COLUMN_TEXT, text_count);
    return status == FL_OK ? fl_told_check_all(in) : status;
}

/* In the sink's handles from here on. */
static fl_status tell_resources(fl_told *in)
{
    const fl_rows_column *numbers = NULL, *texts = NULL;
    fl_status status = read_table(&numbers, 1, &texts, 1, in);
    for (size_t row = 0; status == FL_OK && row < in->group->row_count; row++) {
        fl_told_begin_row(in);
        status = tell_resource(in, numbers->integers[row], texts->texts[row]);
    }
    return status;
}

/* A place in a list of ids; 0 is none. */
static fl_status id_at(fl_trace_id *out, fl_told *in, const fl_block_ids *ids, int64_t place)
{
    *out = (fl_trace_id){0};
    if (place < 0 || (uint64_t)place > ids->count)
        return fl_told_refuse(in, "its ids are unknown");
    if (place > 0)
        *out = ids->items[place - 1];
    return FL_OK;
}

/* Its moment and ids, which its body may name. */
static fl_status read_log(fl_log *log, fl_told *in, const fl_rows_column *fixed, size_t row)
{
    fl_trace_id span = {0};
    log->time_ns = fixed[0].integers[row];
    fl_status status = id_at(&log->trace, in, &in->traces, fixed[1].integers[row]);
    if (status == FL_OK)
        status = id_at(&span, in, &in->ids, fixed[2].integers[row]);
    log->span = span.lo;
    in->own = (block_own){.trace = log->trace, .span = log->span, .time_ns = log->time_ns};
    return status;
}

/* The three fixed columns, the body's, the attributes': as take_log() puts them. */
static fl_status tell_logs(fl_told *in)
{
    fl_log log = {0};
    uint32_t resource = 0;
    const fl_rows_column *fixed = NULL, *variables = NULL;
    fl_slice pattern = {0};
    struct attr_shape shape = {0};
    fl_status status = fl_told_handle(&resource, in);
    log.severity = (int)fl_read_be(&in->key, 1);
    log.severity_text = fl_block_text(&in->key);
    if (status == FL_OK)
        status = fl_told_columns(&fixed, in, FL_COLUMN_I64, 3);
    if (status == FL_OK)
        status = read_pattern(&pattern, &variables, in);
    if (status == FL_OK)
        status = read_attr_shape(&shape, in);
    if (status == FL_OK)
        status = fl_told_check_all(in);
    for (size_t row = 0; status == FL_OK && row < in->group->row_count; row++) {
        fl_told_begin_row(in);
        status = read_log(&log, in, fixed, row);
        if (status == FL_OK)
            status = text_of(&log.body, in, pattern, variables, row);
        if (status == FL_OK)
            status = attrs_of(&log.attrs, &shape, in, row);
        if (status == FL_OK)
            status = in->sink->log(in->sink->payload, resource, &log, in->err);
    }
    return status;
}

/* In the row's arena, so that a group of many spans needs no more than one of them. */
static fl_status read_events(fl_span *out, fl_told *in, fl_slice packed)
{
    fl_status status = FL_OK;
    fl_reader from = fl_reader_over(packed);
    uint64_t count = fl_column_count(&from);
    if (from.short_read || count > FL_MAX_EVENTS_PER_SPAN)
        return fl_told_refuse(in, "a span has too many events");
    fl_span_event *events = fl_told_allot(in, (size_t)count, sizeof(*events), &status);
    for (size_t i = 0; status == FL_OK && i < count; i++) {
        events[i].time_ns = (int64_t)fl_read_be(&from, 8);
        events[i].name = fl_block_text(&from);
        status = fl_told_attrs(&events[i].attrs, in, &from);
    }
    out->events = events;
    out->event_count = (size_t)count;
    if (status == FL_OK && from.short_read)
        return fl_told_refuse(in, "events end too early");
    return status;
}

/* What faultline/record.h promises of every span. */
static fl_status check_span(fl_told *in, const fl_span *span)
{
    if (span->id == 0 || span->end_ns < span->start_ns)
        return fl_told_refuse(in, "a span without an id, or that ends before it begins");
    return FL_OK;
}

static fl_status tell_span(fl_told *in, fl_span *span, uint32_t resource,
                           const fl_rows_column *fixed, size_t row)
{
    fl_trace_id id = {0}, parent = {0};
    fl_status status = id_at(&span->trace, in, &in->traces, fixed[0].integers[row]);
    if (status == FL_OK)
        status = id_at(&id, in, &in->ids, fixed[1].integers[row]);
    if (status == FL_OK)
        status = id_at(&parent, in, &in->ids, fixed[2].integers[row]);
    span->id = id.lo;
    span->parent = parent.lo;
    span->start_ns = fixed[3].integers[row];
    span->end_ns = (int64_t)((uint64_t)span->start_ns + (uint64_t)fixed[4].integers[row]);
    if (status == FL_OK)
        status = check_span(in, span);
    if (status == FL_OK)
        status = read_events(span, in, fixed[5].texts[row]);
    return status == FL_OK ? in->sink->span(in->sink->payload, resource, span, in->err) : status;
}

/* The events' column is the sixth, behind the five fixed ones. */
static fl_status tell_spans(fl_told *in)
{
    fl_span span = {0};
    uint32_t resource = 0;
    const fl_rows_column *fixed = NULL, *variables = NULL, *events;
    fl_slice pattern = {0};
    struct attr_shape shape = {0};
    fl_status status = fl_told_handle(&resource, in);
    span.kind = (fl_span_kind)fl_read_be(&in->key, 1);
    span.is_error = fl_read_be(&in->key, 1) != 0;
    if (status == FL_OK && span.kind > FL_SPAN_CONSUMER)
        status = fl_told_refuse(in, "a span of an unknown kind");
    if (status == FL_OK)
        status = fl_told_columns(&fixed, in, FL_COLUMN_I64, 5);
    if (status == FL_OK)
        status = fl_told_columns(&events, in, FL_COLUMN_TEXT, 1);
    if (status == FL_OK)
        status = read_pattern(&pattern, &variables, in);
    if (status == FL_OK)
        status = read_attr_shape(&shape, in);
    if (status == FL_OK)
        status = fl_told_check_all(in);
    for (size_t row = 0; status == FL_OK && row < in->group->row_count; row++) {
        fl_told_begin_row(in);
        status = text_of(&span.name, in, pattern, variables, row);
        if (status == FL_OK)
            status = attrs_of(&span.attrs, &shape, in, row);
        if (status == FL_OK)
            status = tell_span(in, &span, resource, fixed, row);
    }
    return status;
}

/* Ids in their order; the group comes before those that name them. */
static fl_status read_ids(fl_told *in, fl_block_ids *ids, size_t column_count)
{
    const fl_rows_column *columns = NULL;
    fl_status status = fl_told_columns(&columns, in, FL_COLUMN_I64, column_count);
    if (status == FL_OK)
        status = fl_told_check_all(in);
    if (status == FL_OK)
        status = fl_block_ids_reserve(ids, in->group->row_count, in->err);
    for (size_t row = 0; status == FL_OK && row < in->group->row_count; row++) {
        uint64_t high = column_count > 1 ? (uint64_t)columns[0].integers[row] : 0;
        uint64_t low = (uint64_t)columns[column_count - 1].integers[row];
        ids->items[ids->count++] = (fl_trace_id){high, low}; /* nobody looks for them here */
    }
    return status;
}

/* Changes are about services by name and have no resource. */
static fl_status tell_changes(fl_told *in)
{
    const fl_rows_column *numbers = NULL, *texts = NULL;
    fl_status status = read_table(&numbers, 2, &texts, 6, in);
    for (size_t row = 0; status == FL_OK && row < in->group->row_count; row++) {
        fl_change_record change = {.time_ns = numbers[0].integers[row],
                                   .kind = (fl_change_kind)numbers[1].integers[row],
                                   .service = texts[0].texts[row],
                                   .key = texts[1].texts[row],
                                   .before = texts[2].texts[row],
                                   .after = texts[3].texts[row],
                                   .source = texts[4].texts[row],
                                   .url = texts[5].texts[row]};
        if (numbers[1].integers[row] < 0 || numbers[1].integers[row] >= FL_CHANGE_KIND_COUNT)
            return fl_told_refuse(in, "a change of an unknown kind");
        if (in->sink->change != NULL)
            status = in->sink->change(in->sink->payload, &change, in->err);
    }
    return status;
}

static fl_status tell_alert(fl_told *in, const fl_rows_column *numbers, const fl_rows_column *texts,
                            size_t row)
{
    fl_alert_record alert = {.fingerprint = (uint64_t)numbers[0].integers[row],
                             .starts_ns = numbers[1].integers[row],
                             .ends_ns = numbers[2].integers[row],
                             .is_resolved = numbers[3].integers[row] != 0,
                             .name = texts[0].texts[row],
                             .severity = texts[1].texts[row],
                             .summary = texts[2].texts[row],
                             .url = texts[3].texts[row],
                             .service = texts[4].texts[row],
                             .instance = texts[5].texts[row],
                             .node = texts[6].texts[row]};
    fl_reader packed = fl_reader_over(texts[7].texts[row]);
    fl_status status = fl_told_attrs(&alert.labels, in, &packed);
    return status == FL_OK && in->sink->alert != NULL
               ? in->sink->alert(in->sink->payload, &alert, in->err)
               : status;
}

/* Alerts are about services by name, too. */
static fl_status tell_alerts(fl_told *in)
{
    const fl_rows_column *numbers = NULL, *texts = NULL;
    fl_status status = read_table(&numbers, 4, &texts, 8, in);
    for (size_t row = 0; status == FL_OK && row < in->group->row_count; row++) {
        fl_told_begin_row(in);
        status = tell_alert(in, numbers, texts, row);
    }
    return status;
}

/* Resources and ids are told for whatever share names them. */
static bool is_wanted(void *context, fl_slice key)
{
    fl_told *in = context;
    fl_block_share *share = in->share;
    unsigned char kind = key.len > 0 ? key.ptr[0] : 0;
    if (kind == BLOCK_RESOURCES || kind == BLOCK_TRACES || kind == BLOCK_IDS || kind == BLOCK_UUIDS)
        return true;
    if (kind != BLOCK_NUMBERS && kind != BLOCK_SHAPES)
        return share->has_others;
    uint64_t place = share->has_points ? fl_told_place(fl_told_series(key)) : 0;
    bool is_in = share->has_points && place >= share->first && place <= share->last;
    share->left_out += !is_in;
    return is_in;
}

/* Arenas and columns are the group's; the ids and resources before it stay. */
static fl_status tell_group(void *context, const fl_rows_group *group, fl_error *err)
{
    fl_told *in = context;
    (void)err; /* in->err is the same */
    fl_arena_reset(&in->group_arena);
    in->arena = &in->group_arena;
    in->group = group;
    in->columns = group->columns;
    in->columns_left = group->column_count;
    in->key = fl_reader_over(group->key);
    switch (fl_read_be(&in->key, 1)) {
    case BLOCK_RESOURCES:
        return tell_resources(in);
    case BLOCK_TRACES:
        return read_ids(in, &in->traces, 2);
    case BLOCK_IDS:
        return read_ids(in, &in->ids, 1);
    case BLOCK_UUIDS:
        return read_ids(in, &in->uuids, 2);
    case BLOCK_NUMBERS:
        return fl_told_numbers(in);
    case BLOCK_SHAPES:
        return fl_told_shapes(in);
    case BLOCK_LOGS:
        return tell_logs(in);
    case BLOCK_SPANS:
        return tell_spans(in);
    case BLOCK_CHANGES:
        return tell_changes(in);
    case BLOCK_ALERTS:
        return tell_alerts(in);
    default:
        return fl_told_refuse(in, "it is of an unknown kind");
    }
}

/* Whose file it is, which version, whether it is whole; in this order. */
static fl_status check_head(uint64_t *plain_len, fl_slice bytes, fl_error *err)
{
    if (bytes.len < BLOCK_HEAD_BYTES)
        return fl_fail(err, FL_E_TRUNCATED, bytes.len, "a block ends in its head");
    if (memcmp(bytes.ptr, BLOCK_MAGIC, 5) != 0)
        return fl_fail(err, FL_E_SYNTAX, 0, "this is no block");
    if (memcmp(bytes.ptr, BLOCK_MAGIC, 8) != 0)
        return fl_fail(err, FL_E_UNSUPPORTED, 5, "a block of version %.3s, this program reads 001",
                       (const char *)bytes.ptr + 5);
    if (fl_bytes_le(bytes.ptr + 8, 4) != fl_crc32c(0, (fl_slice){bytes.ptr + 12, bytes.len - 12}))
        return fl_fail(err, FL_E_SYNTAX, 8, "a block is damaged: its checksum is another");
    *plain_len = fl_bytes_le(bytes.ptr + 12, 8);
    if (*plain_len > BLOCK_MAX_PLAIN_BYTES)
        return fl_fail(err, FL_E_LIMIT, 12, "a block of more than %d bytes", BLOCK_MAX_PLAIN_BYTES);
    return FL_OK;
}

/* The budgets are those of a record that comes from outside. */
static fl_status tell_plain(fl_told *in, fl_slice plain)
{
    in->group_arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES);
    in->row_arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES);
    in->text = fl_buf_of(FL_MAX_RECORD_LINE_BYTES);
    fl_status status = fl_map_create(&in->handles, FL_MAX_BLOCK_CELLS, in->err);
    if (status == FL_OK)
        status = fl_rows_read_wanted(plain, in->share != NULL ? is_wanted : NULL, tell_group, in,
                                     in->err);
    fl_map_destroy(in->handles);
    fl_block_ids_dispose(&in->traces);
    fl_block_ids_dispose(&in->ids);
    fl_block_ids_dispose(&in->uuids);
    fl_buf_dispose(&in->text);
    fl_arena_dispose(&in->group_arena);
    fl_arena_dispose(&in->row_arena);
    return status;
}

/* Decompressed as a whole, since columns point into it. */
static fl_status tell_block(fl_told *in, fl_slice bytes)
{
    uint64_t len = 0;
    fl_status status = check_head(&len, bytes, in->err);
    unsigned char *plain = status == FL_OK ? fl_mem_alloc((size_t)len) : NULL;
    if (status == FL_OK && plain == NULL)
        return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a block");
    if (status != FL_OK)
        return status;
    size_t got = ZSTD_decompress(plain, (size_t)len, bytes.ptr + BLOCK_HEAD_BYTES,
                                 bytes.len - BLOCK_HEAD_BYTES);
    if (ZSTD_isError(got) || got != len)
        status = fl_fail(in->err, FL_E_SYNTAX, BLOCK_HEAD_BYTES, "a block is damaged: %s",
                         ZSTD_isError(got) ? ZSTD_getErrorName(got) : "it is shorter than it says");
    else
        status = tell_plain(in, (fl_slice){plain, (size_t)len});
    fl_mem_free(plain);
    return status;
}

fl_status fl_block_read(fl_slice bytes, const fl_sink *sink, fl_error *err)
{
    assert(sink != NULL);
    fl_told in = {.sink = sink, .err = err};
    return tell_block(&in, bytes);
}

fl_status fl_block_read_share(fl_slice bytes, fl_block_share *share, const fl_sink *sink,
                              const fl_numbers *numbers, fl_error *err)
{
    assert(share != NULL && sink != NULL && numbers != NULL);
    fl_told in = {.sink = sink, .share = share, .numbers = numbers, .err = err};
    return tell_block(&in, bytes);
}
