/*
 * batch.c - records of one request to bytes, as batch_priv.h says.
 *
 * A record's length is bounded first, and then written straight through: room is asked for once.
 * So a record costs one comparison and the copies of its texts, whatever its number of fields.
 * Texts are not looked up in a table: the log is read at most once, and the block that follows it
 * has tables of its own.
 *
 * Limits of faultline/limits.h are kept here too, though decoders keep them: what a reader would
 * refuse must not become durable.
 *
 * Invariant: bytes[0, len) are whole items; a record that was refused has left nothing.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "batch_priv.h"
#include "faultline/limits.h"
#include "mem.h"
#include "request_metrics.h"
#include "slice.h"

enum {
    FIRST_CAP = 4096,
    KEPT_CAP = 8 << 20, /* a larger buffer is given back with the next clear */
    COUNT_BYTES = 10,   /* of a LEB128, at most */
    FIXED_BYTES = 160   /* above all numbers of any record together */
};

struct fl_archive_batch {
    fl_sink sink;
    unsigned char *bytes;
    size_t len, cap;
    unsigned char series[2][BATCH_SHARED_BYTES]; /* of the point before, and of this one */
    size_t series_len;                           /* of the one before */
    size_t turn;                                 /* which of the two it is */
    int64_t start_ns, time_ns;                   /* of the point before */
    uint32_t resources;
    size_t resource_at, resource_len; /* the item of the last one */
    fl_batch_facts facts;
    uint64_t requests; /* points that may tell of some */
    uint64_t rejected;
    char reasons[FL_ARCHIVE_REASONS][FL_ARCHIVE_REASON_BYTES];
    size_t reason_count;
};

const char *fl_archive_kind_name(fl_archive_kind kind)
{
    static const char *const names[] = {"span", "log", "point", "change", "alert"};
    static_assert(sizeof(names) / sizeof(names[0]) == FL_ARCHIVE_KIND_COUNT, "a name for each");
    assert((unsigned)kind < FL_ARCHIVE_KIND_COUNT);
    return names[kind];
}

/* The range is empty: its ends are such that the first record sets both. */
void fl_batch_facts_clear(fl_batch_facts *facts)
{
    *facts = (fl_batch_facts){.min_ns = INT64_MAX, .max_ns = INT64_MIN};
}

void fl_batch_facts_note(fl_batch_facts *facts, fl_archive_kind kind, int64_t time_ns)
{
    facts->counts[kind]++;
    facts->min_ns = time_ns < facts->min_ns ? time_ns : facts->min_ns;
    facts->max_ns = time_ns > facts->max_ns ? time_ns : facts->max_ns;
}

void fl_batch_facts_add(fl_batch_facts *to, const fl_batch_facts *from)
{
    for (size_t i = 0; i < FL_ARCHIVE_KIND_COUNT; i++)
        to->counts[i] += from->counts[i];
    to->min_ns = from->min_ns < to->min_ns ? from->min_ns : to->min_ns;
    to->max_ns = from->max_ns > to->max_ns ? from->max_ns : to->max_ns;
}

uint64_t fl_batch_facts_records(const fl_batch_facts *facts)
{
    uint64_t records = 0;
    for (size_t i = 0; i < FL_ARCHIVE_KIND_COUNT; i++)
        records += facts->counts[i];
    return records;
}

int64_t fl_batch_alert_time(const fl_alert_record *alert)
{
    return alert->is_resolved && alert->ends_ns != 0 ? alert->ends_ns : alert->starts_ns;
}

/* Room for `more` bytes; the ceiling is what the log takes as one record. */
static fl_status reserve(fl_archive_batch *to, size_t more, fl_error *err)
{
    size_t cap = to->cap;
    if (more > FL_MAX_WAL_RECORD_BYTES - to->len)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "the records of one request are above %u bytes", FL_MAX_WAL_RECORD_BYTES);
    if (more <= cap - to->len)
        return FL_OK;
    while (cap - to->len < more)
        cap = cap < FIRST_CAP ? FIRST_CAP : cap * 2;
    unsigned char *grown = fl_mem_realloc(to->bytes, cap, 1);
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a batch of %zu bytes", cap);
    to->bytes = grown;
    to->cap = cap;
    return FL_OK;
}

/* Only these kinds have a text that counts; of others the member is left as it came. */
static bool has_text(fl_value_kind kind)
{
    return kind == FL_VALUE_STRING || kind == FL_VALUE_BYTES || kind == FL_VALUE_OTHER;
}

/* Upper bounds, without what they are written as. */
static size_t room_of_text(fl_slice text)
{
    return COUNT_BYTES + text.len;
}

/* A key, its kind, and a number or the length of a text for each. */
static size_t room_of_attrs(const fl_attrs *attrs)
{
    size_t room = COUNT_BYTES;
    for (size_t i = 0; i < attrs->count; i++) {
        const fl_attr *attr = &attrs->items[i];
        room += room_of_text(attr->key) + 1 + COUNT_BYTES;
        room += has_text(attr->value.kind) ? attr->value.text.len : 0;
    }
    return room;
}

/* The writers below rely on room that was asked for, and return where they ended. */
static unsigned char *put_count(unsigned char *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (unsigned char)(value | 0x80);
    *at++ = (unsigned char)value;
    return at;
}

/* Big-endian, as base/reader.h reads it. */
static unsigned char *put_u64(unsigned char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(value >> (56 - 8 * i));
    return at + 8;
}

/* Bit by bit: NaN's payload and the sign of zero come back. */
static unsigned char *put_real(unsigned char *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return put_u64(at, bits);
}

static unsigned char *put_text(unsigned char *at, fl_slice text)
{
    at = put_count(at, text.len);
    if (text.len > 0)
        memcpy(at, text.ptr, text.len);
    return at + text.len;
}

/* As many bytes as the kind needs; a reader knows the kind. */
static unsigned char *put_value(unsigned char *at, const fl_value *value)
{
    switch (value->kind) {
    case FL_VALUE_NONE:
        break;
    case FL_VALUE_BOOL:
    case FL_VALUE_INT:
        return put_u64(at, (uint64_t)value->number);
    case FL_VALUE_DOUBLE:
        return put_real(at, value->real);
    case FL_VALUE_STRING:
    case FL_VALUE_BYTES:
    case FL_VALUE_OTHER:
        return put_text(at, value->text);
    }
    return at;
}

static unsigned char *put_attrs(unsigned char *at, const fl_attrs *attrs)
{
    at = put_count(at, attrs->count);
    for (size_t i = 0; i < attrs->count; i++) {
        at = put_text(at, attrs->items[i].key);
        *at++ = (unsigned char)attrs->items[i].value.kind;
        at = put_value(at, &attrs->items[i].value);
    }
    return at;
}

/* The first few are worth telling a sender, all are worth counting. */
static void note_reason(fl_archive_batch *to, uint64_t records, const char *reason)
{
    to->rejected += records;
    if (to->reason_count < FL_ARCHIVE_REASONS)
        snprintf(to->reasons[to->reason_count++], FL_ARCHIVE_REASON_BYTES, "%s", reason);
}

/* What a reader would refuse costs itself only. Decoders keep to the limits. */
static bool is_too_wide(fl_archive_batch *to, size_t attrs)
{
    if (attrs > FL_MAX_ATTRS_PER_RECORD)
        note_reason(to, 1, "a record has more attributes than are kept");
    return attrs > FL_MAX_ATTRS_PER_RECORD;
}

/* What was reserved was enough: anything else has overwritten memory already. */
static void end_item(fl_archive_batch *to, const unsigned char *at)
{
    assert(at >= to->bytes + to->len && at <= to->bytes + to->cap);
    to->len = (size_t)(at - to->bytes);
}

/* Where one like the last one comes, as between the scopes of a request, that one serves. */
static bool is_last_resource(const fl_archive_batch *to, const unsigned char *end)
{
    const unsigned char *item = to->bytes + to->len;
    size_t len = (size_t)(end - item);
    return to->resources > 0 && len == to->resource_len &&
           memcmp(to->bytes + to->resource_at, item, len) == 0;
}

/* One that comes again after another is written again: a request has few. */
static fl_status take_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                               fl_error *err)
{
    fl_archive_batch *to = payload;
    fl_attrs attrs = resource->attrs;
    if (is_too_wide(to, attrs.count))
        attrs.count = FL_MAX_ATTRS_PER_RECORD;
    fl_status status = reserve(to,
                               FIXED_BYTES + resource->service.len + resource->instance.len +
                                   resource->node.len + room_of_attrs(&attrs),
                               err);
    if (status != FL_OK)
        return status;
    unsigned char *at = to->bytes + to->len;
    *at++ = BATCH_RESOURCE;
    at = put_text(at, resource->service);
    at = put_text(at, resource->instance);
    at = put_text(at, resource->node);
    at = put_attrs(at, &attrs);
    if (!is_last_resource(to, at)) {
        to->resource_at = to->len;
        to->resource_len = (size_t)(at - to->bytes) - to->len;
        to->resources++;
        end_item(to, at);
    }
    *handle = to->resources - 1;
    return FL_OK;
}

/* Events are rare, and each has a moment, a name and attributes. */
static size_t room_of_events(const fl_span *span)
{
    size_t room = COUNT_BYTES;
    for (size_t i = 0; i < span->event_count; i++)
        room += 8 + room_of_text(span->events[i].name) + room_of_attrs(&span->events[i].attrs);
    return room;
}

/* As many as the limits allow: asked before by widest_attrs(). */
static unsigned char *put_events(unsigned char *at, const fl_span *span)
{
    at = put_count(at, span->event_count);
    for (size_t i = 0; i < span->event_count; i++) {
        at = put_u64(at, (uint64_t)span->events[i].time_ns);
        at = put_text(at, span->events[i].name);
        at = put_attrs(at, &span->events[i].attrs);
    }
    return at;
}

/* Of the record and of its events together. */
static size_t widest_attrs(const fl_span *span)
{
    size_t events = 0, widest = span->attrs.count;
    for (size_t i = 0; i < span->event_count; i++)
        events += span->events[i].attrs.count;
    if (span->event_count > FL_MAX_EVENTS_PER_SPAN || events > FL_MAX_EVENT_ATTRS_PER_SPAN)
        return SIZE_MAX;
    return widest;
}

/* The end is kept as a duration, which is small. */
static fl_status take_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    fl_archive_batch *to = payload;
    assert(resource < to->resources && span->id != 0 && span->end_ns >= span->start_ns);
    if (is_too_wide(to, widest_attrs(span)))
        return FL_OK;
    fl_status status = reserve(
        to, FIXED_BYTES + span->name.len + room_of_attrs(&span->attrs) + room_of_events(span), err);
    if (status != FL_OK)
        return status;
    unsigned char *at = to->bytes + to->len;
    *at++ = BATCH_SPAN;
    at = put_count(at, resource);
    at = put_u64(at, span->trace.hi);
    at = put_u64(at, span->trace.lo);
    at = put_u64(at, span->id);
    at = put_u64(at, span->parent);
    at = put_u64(at, (uint64_t)span->start_ns);
    at = put_count(at, (uint64_t)span->end_ns - (uint64_t)span->start_ns);
    *at++ = (unsigned char)span->kind;
    *at++ = (unsigned char)span->is_error;
    at = put_text(at, span->name);
    at = put_attrs(at, &span->attrs);
    end_item(to, put_events(at, span));
    fl_batch_facts_note(&to->facts, FL_ARCHIVE_SPAN, span->start_ns);
    return FL_OK;
}

/* The body is kept as it came: its template is found later, by the block. */
static fl_status take_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    fl_archive_batch *to = payload;
    assert(resource < to->resources);
    if (is_too_wide(to, log->attrs.count))
        return FL_OK;
    fl_status status = reserve(
        to, FIXED_BYTES + log->severity_text.len + log->body.len + room_of_attrs(&log->attrs), err);
    if (status != FL_OK)
        return status;
    unsigned char *at = to->bytes + to->len;
    *at++ = BATCH_LOG;
    at = put_count(at, resource);
    at = put_u64(at, (uint64_t)log->time_ns);
    *at++ = (unsigned char)log->severity;
    at = put_text(at, log->severity_text);
    at = put_text(at, log->body);
    at = put_u64(at, log->trace.hi);
    at = put_u64(at, log->trace.lo);
    at = put_u64(at, log->span);
    end_item(to, put_attrs(at, &log->attrs));
    fl_batch_facts_note(&to->facts, FL_ARCHIVE_LOG, log->time_ns);
    return FL_OK;
}

/* The others have buckets or quantiles. */
static bool is_number(fl_point_kind kind)
{
    return kind == FL_POINT_GAUGE || kind == FL_POINT_SUM || kind == FL_POINT_PART;
}

/* What the points of a series share: the same bytes as in a block. */
static unsigned char *put_series(unsigned char *at, const fl_point *point)
{
    at = put_text(at, point->metric);
    at = put_text(at, point->unit);
    *at++ = (unsigned char)point->kind;
    *at++ = (unsigned char)point->temporality;
    *at++ = (unsigned char)point->monotonic;
    *at++ = (unsigned char)point->part;
    at = put_real(at, point->param);
    return put_attrs(at, &point->attrs);
}

/* How many bytes two runs begin with alike, at most `most`; eight at a time. */
static size_t common_first(const unsigned char *a, const unsigned char *b, size_t most)
{
    size_t len = 0;
    while (len + 8 <= most && memcmp(a + len, b + len, 8) == 0)
        len += 8;
    while (len < most && a[len] == b[len])
        len++;
    return len;
}

/* The same of the bytes before two ends. */
static size_t common_last(const unsigned char *a, const unsigned char *b, size_t most)
{
    size_t len = 0;
    while (len + 8 <= most && memcmp(a - len - 8, b - len - 8, 8) == 0)
        len += 8;
    while (len < most && a[-1 - (ptrdiff_t)len] == b[-1 - (ptrdiff_t)len])
        len++;
    return len;
}

/* A series by what it has in common with the one before, which it replaces. */
static unsigned char *put_like(unsigned char *at, fl_archive_batch *to, const fl_point *point)
{
    const unsigned char *before = to->series[to->turn];
    unsigned char *own = to->series[1 - to->turn];
    size_t len = (size_t)(put_series(own, point) - own);
    size_t most = len < to->series_len ? len : to->series_len;
    size_t first = common_first(own, before, most);
    size_t last = common_last(own + len, before + to->series_len, most - first);
    assert(len <= BATCH_SHARED_BYTES);
    to->turn = 1 - to->turn;
    to->series_len = len;
    at = put_count(at, first);
    at = put_count(at, last);
    return put_text(at, (fl_slice){.ptr = own + first, .len = len - first - last});
}

/* Too long to be kept for the next one: its length goes before it once it is known. */
static unsigned char *put_long(unsigned char *at, fl_archive_batch *to, const fl_point *point)
{
    unsigned char *series = at + 2 + COUNT_BYTES, length[COUNT_BYTES];
    size_t len = (size_t)(put_series(series, point) - series);
    size_t digits = (size_t)(put_count(length, len) - length);
    to->series_len = 0;
    *at++ = 0;
    *at++ = 0;
    memcpy(at, length, digits);
    memmove(at + digits, series, len);
    return at + digits + len;
}

/* Small numbers of either sign become small numbers; wraps around, which is exact. */
static unsigned char *put_step(unsigned char *at, int64_t *before, int64_t now)
{
    uint64_t step = (uint64_t)now - (uint64_t)*before;
    *before = now;
    return put_count(at, step << 1 ^ (0 - (step >> 63)));
}

/* A count before them, since bounds may be there without values. */
static unsigned char *put_reals(unsigned char *at, const double *values, size_t count)
{
    at = put_count(at, count);
    for (size_t i = 0; i < count; i++)
        at = put_real(at, values[i]);
    return at;
}

/* Scale and offset may be negative: they are written as the 32 bits that they are. */
static unsigned char *put_shape(unsigned char *at, const fl_point *point)
{
    at = put_count(at, point->count);
    at = put_real(at, point->sum);
    at = put_real(at, point->min);
    at = put_real(at, point->max);
    at = put_count(at, (uint32_t)point->scale);
    at = put_count(at, (uint32_t)point->offset);
    at = put_count(at, point->zero_count);
    at = put_reals(at, point->bounds, point->bound_count);
    at = put_reals(at, point->values, point->values != NULL ? point->bound_count : 0);
    at = put_count(at, point->bucket_count);
    for (size_t i = 0; i < point->bucket_count; i++)
        at = put_count(at, point->counts[i]);
    return at;
}

/* A series' labels are most of a point's bytes, and mostly those of the point before. */
static fl_status take_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    fl_archive_batch *to = payload;
    size_t room = FIXED_BYTES + point->metric.len + point->unit.len + room_of_attrs(&point->attrs);
    bool is_long = room > BATCH_SHARED_BYTES;
    assert(resource < to->resources);
    if (is_too_wide(to, point->attrs.count))
        return FL_OK;
    if (!is_number(point->kind))
        room += 2 * 8 * point->bound_count + COUNT_BYTES * point->bucket_count;
    if (!is_number(point->kind) && (point->bound_count > FL_MAX_BUCKETS_PER_POINT ||
                                    point->bucket_count > FL_MAX_BUCKETS_PER_POINT)) {
        note_reason(to, 1, "a point has more buckets than are kept");
        return FL_OK;
    }
    fl_status status = reserve(to, room, err);
    if (status != FL_OK)
        return status;
    unsigned char *at = to->bytes + to->len;
    *at++ = is_number(point->kind) ? BATCH_NUMBER : BATCH_SHAPE;
    at = put_count(at, resource);
    at = is_long ? put_long(at, to, point) : put_like(at, to, point);
    at = put_step(at, &to->start_ns, point->start_ns);
    at = put_step(at, &to->time_ns, point->time_ns);
    end_item(to, is_number(point->kind) ? put_real(at, point->value) : put_shape(at, point));
    fl_batch_facts_note(&to->facts, FL_ARCHIVE_POINT, point->time_ns);
    to->requests += fl_request_metric_is_named(point->metric);
    return FL_OK;
}

/* Changes and alerts name services, and have no resource. */
static fl_status take_change(void *payload, const fl_change_record *change, fl_error *err)
{
    fl_archive_batch *to = payload;
    const fl_slice texts[] = {change->service, change->key,    change->before,
                              change->after,   change->source, change->url};
    size_t room = FIXED_BYTES;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        room += texts[i].len;
    fl_status status = reserve(to, room, err);
    if (status != FL_OK)
        return status;
    unsigned char *at = to->bytes + to->len;
    *at++ = BATCH_CHANGE;
    at = put_u64(at, (uint64_t)change->time_ns);
    *at++ = (unsigned char)change->kind;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        at = put_text(at, texts[i]);
    end_item(to, at);
    fl_batch_facts_note(&to->facts, FL_ARCHIVE_CHANGE, change->time_ns);
    return FL_OK;
}

/* All of its labels, beside those that have a meaning here. */
static fl_status take_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    fl_archive_batch *to = payload;
    const fl_slice texts[] = {alert->name,    alert->severity, alert->summary, alert->url,
                              alert->service, alert->instance, alert->node};
    size_t room = FIXED_BYTES + room_of_attrs(&alert->labels);
    if (is_too_wide(to, alert->labels.count))
        return FL_OK;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        room += texts[i].len;
    fl_status status = reserve(to, room, err);
    if (status != FL_OK)
        return status;
    unsigned char *at = to->bytes + to->len;
    *at++ = BATCH_ALERT;
    at = put_u64(at, alert->fingerprint);
    at = put_u64(at, (uint64_t)alert->starts_ns);
    at = put_u64(at, (uint64_t)alert->ends_ns);
    *at++ = (unsigned char)alert->is_resolved;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        at = put_text(at, texts[i]);
    end_item(to, put_attrs(at, &alert->labels));
    fl_batch_facts_note(&to->facts, FL_ARCHIVE_ALERT, fl_batch_alert_time(alert));
    return FL_OK;
}

/* From the decoder: what it lost goes into the answer to the sender. */
static fl_status take_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)err;
    note_reason(payload, reject->records, reject->reason);
    return FL_OK;
}

fl_status fl_archive_batch_create(fl_archive_batch **out, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_archive_batch *made = fl_mem_calloc(1, sizeof(*made));
    if (made == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a batch");
    made->sink = (fl_sink){.payload = made,
                           .resource = take_resource,
                           .span = take_span,
                           .log = take_log,
                           .point = take_point,
                           .change = take_change,
                           .alert = take_alert,
                           .reject = take_reject};
    fl_status status = reserve(made, FIRST_CAP, err);
    if (status != FL_OK) {
        fl_mem_free(made);
        return status;
    }
    fl_archive_batch_clear(made);
    *out = made;
    return FL_OK;
}

void fl_archive_batch_destroy(fl_archive_batch *batch)
{
    if (batch == NULL)
        return;
    fl_mem_free(batch->bytes);
    fl_mem_free(batch);
}

/* A burst's buffer is not kept for quiet times; where less cannot be had, it stays. */
void fl_archive_batch_clear(fl_archive_batch *batch)
{
    assert(batch != NULL && batch->cap >= FIRST_CAP);
    if (batch->cap > KEPT_CAP) {
        unsigned char *less = fl_mem_realloc(batch->bytes, FIRST_CAP, 1);
        batch->cap = less != NULL ? FIRST_CAP : batch->cap;
        batch->bytes = less != NULL ? less : batch->bytes;
    }
    batch->bytes[0] = BATCH_VERSION;
    batch->len = 1;
    batch->resources = 0;
    batch->series_len = 0;
    batch->start_ns = batch->time_ns = 0;
    batch->requests = batch->rejected = 0;
    batch->reason_count = 0;
    fl_batch_facts_clear(&batch->facts);
}

const fl_sink *fl_archive_batch_sink(fl_archive_batch *batch)
{
    return &batch->sink;
}

/* A reader of its own: it is large, and few ask for it. `passed` NULL: all are told. */
static fl_status replay(uint64_t *passed, const fl_archive_batch *batch, const fl_sink *sink,
                        fl_error *err)
{
    fl_batch_reader *reader;
    assert(batch != NULL && sink != NULL);
    const fl_slice bytes = fl_batch_bytes(batch);
    fl_status status = fl_batch_reader_create(&reader, err);
    if (status == FL_OK)
        status = passed != NULL ? fl_batch_read_requests(passed, reader, bytes, sink, err)
                                : fl_batch_read(reader, bytes, sink, err);
    fl_batch_reader_destroy(reader);
    return status;
}

fl_status fl_archive_batch_replay(const fl_archive_batch *batch, const fl_sink *sink, fl_error *err)
{
    return replay(NULL, batch, sink, err);
}

fl_status fl_archive_batch_replay_requests(uint64_t *passed, const fl_archive_batch *batch,
                                           const fl_sink *sink, fl_error *err)
{
    *passed = 0;
    return replay(passed, batch, sink, err);
}

uint64_t fl_archive_batch_requests(const fl_archive_batch *batch)
{
    return batch->requests;
}

uint64_t fl_archive_batch_records(const fl_archive_batch *batch)
{
    return fl_batch_facts_records(&batch->facts);
}

uint64_t fl_archive_batch_count(const fl_archive_batch *batch, fl_archive_kind kind)
{
    assert((unsigned)kind < FL_ARCHIVE_KIND_COUNT);
    return batch->facts.counts[kind];
}

size_t fl_archive_batch_bytes(const fl_archive_batch *batch)
{
    return batch->len;
}

uint64_t fl_archive_batch_rejected(const fl_archive_batch *batch)
{
    return batch->rejected;
}

const char *fl_archive_batch_reason(const fl_archive_batch *batch, size_t i)
{
    return i < batch->reason_count ? batch->reasons[i] : NULL;
}

fl_slice fl_batch_bytes(const fl_archive_batch *batch)
{
    return (fl_slice){.ptr = batch->bytes, .len = batch->len};
}

const fl_batch_facts *fl_batch_facts_of(const fl_archive_batch *batch)
{
    return &batch->facts;
}
