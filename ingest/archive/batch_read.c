/*
 * batch_read.c - bytes of a batch to records, as batch_priv.h says.
 *
 * The log's checksum covers the bytes, and still nothing is taken for granted: kinds within their
 * enums, a span's id and order of time, buckets that fit bounds, the limits of faultline/limits.h.
 * A record is put together in memory that is used again for the next: a reader has room for the
 * largest that the limits allow, and never asks for more but for handles of resources.
 */
#include <assert.h>
#include <string.h>

#include "batch_priv.h"
#include "column.h"
#include "faultline/limits.h"
#include "map.h"
#include "mem.h"
#include "request_metrics.h"

enum { MAX_RESOURCES = 16 << 20 };

struct fl_batch_reader {
    const fl_sink *sink;
    const fl_numbers *numbers; /* NULL: points of one number go to the sink, too */
    uint64_t *passed; /* numbers that tell of no requests are counted here; NULL: they are told */
    fl_reader in;
    bool is_in_series;
    size_t item;       /* where the item begins */
    uint32_t *handles; /* of the sink, by number */
    size_t resource_count, resource_cap;
    fl_error *err;
    unsigned char series[2][BATCH_SHARED_BYTES]; /* of the point before, and of this one */
    size_t series_len, turn;                     /* as in the batch that wrote it */
    int64_t start_ns, time_ns;                   /* of the point before */
    fl_attr attrs[FL_MAX_ATTRS_PER_RECORD];
    fl_attr event_attrs[FL_MAX_EVENT_ATTRS_PER_SPAN];
    fl_span_event events[FL_MAX_EVENTS_PER_SPAN];
    double bounds[FL_MAX_BUCKETS_PER_POINT], values[FL_MAX_BUCKETS_PER_POINT];
    uint64_t counts[FL_MAX_BUCKETS_PER_POINT];
};

/* Where attributes of one record go, part after part. */
struct room {
    fl_attr *items;
    size_t left;
};

fl_status fl_batch_reader_create(fl_batch_reader **out, fl_error *err)
{
    assert(out != NULL);
    *out = fl_mem_alloc(sizeof(**out)); /* large, and rarely used as a whole: not zeroed */
    if (*out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to read a batch");
    (*out)->handles = NULL;
    (*out)->resource_cap = 0;
    return FL_OK;
}

void fl_batch_reader_destroy(fl_batch_reader *reader)
{
    if (reader == NULL)
        return;
    fl_mem_free(reader->handles);
    fl_mem_free(reader);
}

/* What is wrong with an item, at the item. */
static fl_status refuse(struct fl_batch_reader *in, const char *what)
{
    return fl_fail(in->err, FL_E_SYNTAX, in->item, "an item of a batch: %s", what);
}

/* Reads beyond the end give zeros, which is asked about once, behind all of them. */
static fl_status check_read(struct fl_batch_reader *in)
{
    if (in->is_in_series && in->in.short_read)
        return refuse(in, "a series ends too early");
    return in->in.short_read
               ? fl_fail(in->err, FL_E_TRUNCATED, in->in.bytes.len, "a batch ends inside an item")
               : FL_OK;
}

/* The readers below give zeros behind the end; check_read() says so. */
static uint64_t read_count(struct fl_batch_reader *in)
{
    return fl_column_count(&in->in);
}

static uint64_t read_u64(struct fl_batch_reader *in)
{
    return fl_read_be(&in->in, 8);
}

static unsigned read_u8(struct fl_batch_reader *in)
{
    return (unsigned)fl_read_be(&in->in, 1);
}

static double read_real(struct fl_batch_reader *in)
{
    uint64_t bits = read_u64(in);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static fl_slice read_text(struct fl_batch_reader *in)
{
    return fl_read_bytes(&in->in, read_count(in));
}

/* The kind was checked; what it does not need is not there. */
static void read_value(fl_value *out, struct fl_batch_reader *in)
{
    switch (out->kind) {
    case FL_VALUE_NONE:
        break;
    case FL_VALUE_BOOL:
    case FL_VALUE_INT:
        out->number = (int64_t)read_u64(in);
        break;
    case FL_VALUE_DOUBLE:
        out->real = read_real(in);
        break;
    case FL_VALUE_STRING:
    case FL_VALUE_BYTES:
    case FL_VALUE_OTHER:
        out->text = read_text(in);
        break;
    }
}

/* A count of attributes is believed only as far as there is room for them. */
static fl_status read_attrs(fl_attrs *out, struct fl_batch_reader *in, struct room *room)
{
    uint64_t count = read_count(in);
    fl_status status = check_read(in);
    if (status == FL_OK && count > room->left)
        return refuse(in, "it has too many attributes");
    *out = (fl_attrs){.items = room->items, .count = (size_t)count};
    for (size_t i = 0; status == FL_OK && i < out->count; i++) {
        fl_attr *attr = &room->items[i];
        *attr = (fl_attr){.key = read_text(in)};
        unsigned kind = read_u8(in);
        if (kind > FL_VALUE_OTHER)
            return refuse(in, "an attribute is of an unknown kind");
        attr->value.kind = (fl_value_kind)kind;
        read_value(&attr->value, in);
    }
    if (status == FL_OK) {
        room->items += out->count;
        room->left -= out->count;
    }
    return status == FL_OK ? check_read(in) : status;
}

/* Those of the record itself; events have others. */
static fl_status read_record_attrs(fl_attrs *out, struct fl_batch_reader *in)
{
    struct room room = {.items = in->attrs, .left = FL_MAX_ATTRS_PER_RECORD};
    return read_attrs(out, in, &room);
}

/* Numbers are dense: a handle for each resource that was told. */
static fl_status grow_handles(struct fl_batch_reader *in)
{
    if (in->resource_count < in->resource_cap)
        return FL_OK;
    size_t cap = in->resource_cap == 0 ? 64 : in->resource_cap * 2;
    uint32_t *grown = in->resource_count < MAX_RESOURCES
                          ? fl_mem_realloc(in->handles, cap, sizeof(*grown))
                          : NULL;
    if (grown == NULL)
        return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for resources");
    in->handles = grown;
    in->resource_cap = cap;
    return FL_OK;
}

/* The sink's handle is kept under the resource's number. */
static fl_status tell_resource(struct fl_batch_reader *in)
{
    fl_resource resource = {0};
    resource.service = read_text(in);
    resource.instance = read_text(in);
    resource.node = read_text(in);
    fl_status status = read_record_attrs(&resource.attrs, in);
    if (status == FL_OK)
        status = grow_handles(in);
    if (status == FL_OK)
        status = in->sink->resource(in->sink->payload, &resource, &in->handles[in->resource_count],
                                    in->err);
    in->resource_count += status == FL_OK;
    return status;
}

/* A record before its resource is malformed. */
static fl_status read_handle(uint32_t *out, struct fl_batch_reader *in)
{
    uint64_t number = read_count(in);
    fl_status status = check_read(in);
    if (status != FL_OK)
        return status;
    if (number >= in->resource_count)
        return refuse(in, "its resource is unknown");
    *out = in->handles[number];
    return FL_OK;
}

/* All events of a span share one store of attributes. */
static fl_status read_events(fl_span *span, struct fl_batch_reader *in)
{
    struct room room = {.items = in->event_attrs, .left = FL_MAX_EVENT_ATTRS_PER_SPAN};
    uint64_t count = read_count(in);
    fl_status status = check_read(in);
    if (status == FL_OK && count > FL_MAX_EVENTS_PER_SPAN)
        return refuse(in, "a span has too many events");
    for (size_t i = 0; status == FL_OK && i < count; i++) {
        in->events[i].time_ns = (int64_t)read_u64(in);
        in->events[i].name = read_text(in);
        status = read_attrs(&in->events[i].attrs, in, &room);
    }
    span->events = in->events;
    span->event_count = (size_t)count;
    return status;
}

/* What faultline/record.h promises of every span. */
static fl_status check_span(struct fl_batch_reader *in, const fl_span *span)
{
    if (span->kind > FL_SPAN_CONSUMER)
        return refuse(in, "a span of an unknown kind");
    if (span->id == 0 || span->end_ns < span->start_ns)
        return refuse(in, "a span without an id, or that ends before it begins");
    return FL_OK;
}

/* In the order of batch.c's take_span(). */
static fl_status tell_span(struct fl_batch_reader *in)
{
    fl_span span = {0};
    uint32_t resource = 0;
    fl_status status = read_handle(&resource, in);
    span.trace.hi = read_u64(in);
    span.trace.lo = read_u64(in);
    span.id = read_u64(in);
    span.parent = read_u64(in);
    span.start_ns = (int64_t)read_u64(in);
    span.end_ns = (int64_t)((uint64_t)span.start_ns + read_count(in));
    span.kind = (fl_span_kind)read_u8(in);
    span.is_error = read_u8(in) != 0;
    span.name = read_text(in);
    if (status == FL_OK)
        status = read_record_attrs(&span.attrs, in);
    if (status == FL_OK)
        status = check_span(in, &span);
    if (status == FL_OK)
        status = read_events(&span, in);
    return status == FL_OK ? in->sink->span(in->sink->payload, resource, &span, in->err) : status;
}

/* In the order of take_log(). */
static fl_status tell_log(struct fl_batch_reader *in)
{
    fl_log log = {0};
    uint32_t resource = 0;
    fl_status status = read_handle(&resource, in);
    log.time_ns = (int64_t)read_u64(in);
    log.severity = (int)read_u8(in);
    log.severity_text = read_text(in);
    log.body = read_text(in);
    log.trace.hi = read_u64(in);
    log.trace.lo = read_u64(in);
    log.span = read_u64(in);
    if (status == FL_OK)
        status = read_record_attrs(&log.attrs, in);
    return status == FL_OK ? in->sink->log(in->sink->payload, resource, &log, in->err) : status;
}

static bool is_number(fl_point_kind kind)
{
    return kind == FL_POINT_GAUGE || kind == FL_POINT_SUM || kind == FL_POINT_PART;
}

/* Between the first and the last bytes of the series before, as put_like() writes it. */
static fl_status read_like(fl_slice *out, struct fl_batch_reader *in)
{
    uint64_t first = read_count(in), last = read_count(in);
    fl_slice middle = read_text(in);
    fl_status status = check_read(in);
    const unsigned char *before = in->series[in->turn];
    unsigned char *own = in->series[1 - in->turn];
    if (status != FL_OK)
        return status;
    if (first > in->series_len || last > in->series_len - first)
        return refuse(in, "it has more of the series before than there is");
    *out = middle;
    if (first + last + middle.len > BATCH_SHARED_BYTES) {
        in->series_len = 0;
        return first + last == 0 ? FL_OK : refuse(in, "a series is too long to be shared");
    }
    memcpy(own, before, (size_t)first);
    if (middle.len > 0)
        memcpy(own + first, middle.ptr, middle.len);
    memcpy(own + first + middle.len, before + (in->series_len - last), (size_t)last);
    in->series_len = (size_t)(first + last) + middle.len;
    in->turn = 1 - in->turn;
    *out = (fl_slice){.ptr = own, .len = in->series_len};
    return FL_OK;
}

/* A difference to the moment before, which it becomes. */
static int64_t read_step(struct fl_batch_reader *in, int64_t *before)
{
    uint64_t step = read_count(in);
    *before = (int64_t)((uint64_t)*before + (step >> 1 ^ (0 - (step & 1))));
    return *before;
}

/* In the order of put_series(). A series has a reader of its own, and nothing behind its
 * attributes.
 */
static fl_status take_series_apart(fl_point *out, struct fl_batch_reader *in, fl_slice series)
{
    fl_reader item = in->in;
    in->in = fl_reader_over(series);
    in->is_in_series = true;
    out->metric = read_text(in);
    out->unit = read_text(in);
    out->kind = (fl_point_kind)read_u8(in);
    out->temporality = (fl_temporality)read_u8(in);
    out->monotonic = read_u8(in) != 0;
    out->part = (fl_point_part)read_u8(in);
    out->param = read_real(in);
    fl_status status = read_record_attrs(&out->attrs, in);
    if (status == FL_OK && !fl_reader_done(&in->in))
        status = refuse(in, "a series has more than belongs to it");
    if (status == FL_OK && (out->kind > FL_POINT_PART || out->part > FL_PART_QUANTILE ||
                            out->temporality > FL_TEMPORALITY_CUMULATIVE))
        status = refuse(in, "a point of an unknown kind");
    in->in = item;
    in->is_in_series = false;
    return status;
}

/* What numbers and shapes have in common. */
static fl_status read_point(fl_slice *series, fl_number *number, uint32_t *resource,
                            struct fl_batch_reader *in)
{
    fl_status status = read_handle(resource, in);
    if (status == FL_OK)
        status = read_like(series, in);
    number->start_ns = read_step(in, &in->start_ns);
    number->time_ns = read_step(in, &in->time_ns);
    return status;
}

/* By the name alone, which a series begins with. */
static bool is_of_requests(struct fl_batch_reader *in, fl_slice series)
{
    fl_reader item = in->in;
    in->in = fl_reader_over(series);
    fl_slice metric = read_text(in);
    in->in = item;
    return fl_request_metric_is_named(metric);
}

/* The letter of the item and the kind of the point must agree. */
static fl_status tell_number(struct fl_batch_reader *in)
{
    fl_point point = {0};
    fl_number number = {0};
    fl_slice series = {0};
    uint32_t resource = 0;
    fl_status status = read_point(&series, &number, &resource, in);
    number.value = read_real(in);
    if (status == FL_OK)
        status = check_read(in);
    if (status == FL_OK && in->numbers != NULL)
        return in->numbers->number(in->numbers->payload, resource, series, &number, in->err);
    if (status == FL_OK && in->passed != NULL && !is_of_requests(in, series)) {
        ++*in->passed;
        return FL_OK;
    }
    if (status == FL_OK)
        status = take_series_apart(&point, in, series);
    if (status == FL_OK && !is_number(point.kind))
        return refuse(in, "a number that is a histogram");
    point.start_ns = number.start_ns;
    point.time_ns = number.time_ns;
    point.value = number.value;
    return status == FL_OK ? in->sink->point(in->sink->payload, resource, &point, in->err) : status;
}

/* Bounds, and the values at quantiles. */
static fl_status read_reals(double *out, size_t *count, struct fl_batch_reader *in)
{
    uint64_t wanted = read_count(in);
    fl_status status = check_read(in);
    *count = 0;
    if (status == FL_OK && wanted > FL_MAX_BUCKETS_PER_POINT)
        return refuse(in, "a point has too many bounds");
    if (status != FL_OK)
        return status;
    for (; *count < wanted; ++*count)
        out[*count] = read_real(in);
    return check_read(in);
}

/* Counts of buckets are small numbers, mostly. */
static fl_status read_buckets(fl_point *out, struct fl_batch_reader *in)
{
    uint64_t wanted = read_count(in);
    fl_status status = check_read(in);
    if (status == FL_OK && wanted > FL_MAX_BUCKETS_PER_POINT)
        return refuse(in, "a point has too many buckets");
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < wanted; i++)
        in->counts[i] = read_count(in);
    out->counts = in->counts;
    out->bucket_count = (size_t)wanted;
    return check_read(in);
}

/* What a histogram or a summary must be for those who read it by its counts. */
static fl_status check_shape(struct fl_batch_reader *in, const fl_point *point, size_t values)
{
    size_t bounds = point->bound_count, buckets = point->bucket_count;
    if (is_number(point->kind))
        return refuse(in, "a histogram that is a number");
    if (point->kind == FL_POINT_HISTOGRAM && buckets != 0 && buckets != bounds + 1)
        return refuse(in, "a histogram's buckets do not fit its bounds");
    if (point->kind == FL_POINT_SUMMARY && values != bounds)
        return refuse(in, "a summary's values do not fit its quantiles");
    return FL_OK;
}

/* In the order of put_shape(). */
static fl_status tell_shape(struct fl_batch_reader *in)
{
    fl_point point = {.bounds = in->bounds, .values = in->values};
    fl_number moments = {0};
    fl_slice series = {0};
    uint32_t resource = 0;
    size_t values = 0;
    fl_status status = read_point(&series, &moments, &resource, in);
    if (status == FL_OK)
        status = take_series_apart(&point, in, series);
    point.start_ns = moments.start_ns;
    point.time_ns = moments.time_ns;
    point.count = read_count(in);
    point.sum = read_real(in);
    point.min = read_real(in);
    point.max = read_real(in);
    point.scale = (int32_t)(uint32_t)read_count(in);
    point.offset = (int32_t)(uint32_t)read_count(in);
    point.zero_count = read_count(in);
    if (status == FL_OK)
        status = read_reals(in->bounds, &point.bound_count, in);
    if (status == FL_OK)
        status = read_reals(in->values, &values, in);
    if (status == FL_OK)
        status = read_buckets(&point, in);
    if (status == FL_OK)
        status = check_shape(in, &point, values);
    return status == FL_OK ? in->sink->point(in->sink->payload, resource, &point, in->err) : status;
}

/* A sink without `change` does not want any. */
static fl_status tell_change(struct fl_batch_reader *in)
{
    fl_change_record change = {.time_ns = (int64_t)read_u64(in),
                               .kind = (fl_change_kind)read_u8(in)};
    fl_slice *const texts[] = {&change.service, &change.key,    &change.before,
                               &change.after,   &change.source, &change.url};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = read_text(in);
    fl_status status = check_read(in);
    if (status == FL_OK && change.kind >= FL_CHANGE_KIND_COUNT)
        return refuse(in, "a change of an unknown kind");
    return status == FL_OK && in->sink->change != NULL
               ? in->sink->change(in->sink->payload, &change, in->err)
               : status;
}

/* The same of `alert`. */
static fl_status tell_alert(struct fl_batch_reader *in)
{
    fl_alert_record alert = {0};
    fl_slice *const texts[] = {&alert.name,    &alert.severity, &alert.summary, &alert.url,
                               &alert.service, &alert.instance, &alert.node};
    alert.fingerprint = read_u64(in);
    alert.starts_ns = (int64_t)read_u64(in);
    alert.ends_ns = (int64_t)read_u64(in);
    alert.is_resolved = read_u8(in) != 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = read_text(in);
    fl_status status = read_record_attrs(&alert.labels, in);
    return status == FL_OK && in->sink->alert != NULL
               ? in->sink->alert(in->sink->payload, &alert, in->err)
               : status;
}

/* The place of an item is what messages name. */
static fl_status tell_item(struct fl_batch_reader *in)
{
    in->item = in->in.pos;
    switch (read_u8(in)) {
    case BATCH_RESOURCE:
        return tell_resource(in);
    case BATCH_SPAN:
        return tell_span(in);
    case BATCH_LOG:
        return tell_log(in);
    case BATCH_NUMBER:
        return tell_number(in);
    case BATCH_SHAPE:
        return tell_shape(in);
    case BATCH_CHANGE:
        return tell_change(in);
    case BATCH_ALERT:
        return tell_alert(in);
    default:
        return refuse(in, "it is of an unknown kind");
    }
}

/* Items up to the end: a batch has no count, so that it can be written without looking back. */
static fl_status read_items(fl_batch_reader *reader, fl_slice bytes, fl_error *err)
{
    reader->in = fl_reader_over(bytes);
    reader->item = reader->resource_count = 0;
    reader->series_len = reader->turn = 0;
    reader->is_in_series = false;
    reader->start_ns = reader->time_ns = 0;
    reader->err = err;
    unsigned version = read_u8(reader);
    fl_status status = check_read(reader);
    if (status == FL_OK && version != BATCH_VERSION)
        return fl_fail(err, FL_E_UNSUPPORTED, 0, "a batch of version %u, this program reads %d",
                       version, BATCH_VERSION);
    while (status == FL_OK && !fl_reader_done(&reader->in))
        status = tell_item(reader);
    return status;
}

fl_status fl_batch_read(fl_batch_reader *reader, fl_slice bytes, const fl_sink *sink, fl_error *err)
{
    return fl_batch_read_raw(reader, bytes, sink, NULL, err);
}

fl_status fl_batch_read_raw(fl_batch_reader *reader, fl_slice bytes, const fl_sink *sink,
                            const fl_numbers *numbers, fl_error *err)
{
    assert(reader != NULL && sink != NULL);
    reader->sink = sink;
    reader->numbers = numbers;
    reader->passed = NULL;
    return read_items(reader, bytes, err);
}

fl_status fl_batch_read_requests(uint64_t *passed, fl_batch_reader *reader, fl_slice bytes,
                                 const fl_sink *sink, fl_error *err)
{
    assert(reader != NULL && sink != NULL && passed != NULL);
    reader->sink = sink;
    reader->numbers = NULL;
    reader->passed = passed;
    *passed = 0;
    return read_items(reader, bytes, err);
}
