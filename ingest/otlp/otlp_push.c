/*
 * otlp_push.c - the scratch of one record, the checks on what it says, and the way to the sink.
 *
 * Checks that cost the record, each with a sentence that the tests know:
 *   span         trace id, span id, start and end are there; it does not end before it starts
 *   log record   a time is there, its own or the observed one
 *   data point   a time is there
 *   number       its value is finite
 *   histogram    there is one count more than bounds, and bounds rise
 *   summary      quantiles lie between 0 and 1
 *   exponential  the scale lies between -64 and 64
 *
 * The first complaint stays. A record of a discarded resource is counted before any check, so that
 * the one reject tells how many records went with the resource.
 */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "otlp_priv.h"

void fl_otlp_begin(fl_otlp *otlp)
{
    if (otlp->record_arena.used_bytes > 0)
        fl_arena_reset(&otlp->record_arena);
    otlp->attrs.count = 0;
    if (otlp->attrs.renamed) {
        otlp->attrs.renamed = false;
        otlp->attrs.peer_name = otlp->attrs.peer_port = 0;
        memset(otlp->attrs.renamed_bits, 0, sizeof(otlp->attrs.renamed_bits));
    }
    otlp->event_attrs.count = 0;
    otlp->event_count = 0;
    otlp->bound_count = otlp->value_count = otlp->bucket_count = 0;
    otlp->complaint = NULL;
}

fl_attr *fl_otlp_attr_add(fl_otlp *otlp, fl_otlp_list *list)
{
    if (list->count < list->cap)
        return &list->items[list->count++];
    otlp->dropped++;
    return NULL;
}

fl_span_event *fl_otlp_event_add(fl_otlp *otlp)
{
    if (otlp->event_count < FL_MAX_EVENTS_PER_SPAN)
        return &otlp->events[otlp->event_count++];
    otlp->dropped++;
    return NULL;
}

/* False after a complaint: a point that is cut would read as another distribution. */
static bool has_bucket_room(fl_otlp *otlp, size_t count)
{
    if (count < FL_MAX_BUCKETS_PER_POINT)
        return true;
    fl_otlp_complain(otlp, "more than 4096 buckets");
    return false;
}

void fl_otlp_bound_add(fl_otlp *otlp, double bound)
{
    if (has_bucket_room(otlp, otlp->bound_count))
        otlp->bounds[otlp->bound_count++] = bound;
}

void fl_otlp_value_add(fl_otlp *otlp, double value)
{
    if (has_bucket_room(otlp, otlp->value_count))
        otlp->values[otlp->value_count++] = value;
}

void fl_otlp_count_add(fl_otlp *otlp, uint64_t count)
{
    if (has_bucket_room(otlp, otlp->bucket_count))
        otlp->counts[otlp->bucket_count++] = count;
}

/* The line of an offset in a document file: from the last one asked for, forwards or backwards, so
 * that a run of rejects costs one pass over the document. */
static uint64_t document_line(fl_otlp *otlp, uint64_t at)
{
    assert(otlp->document != NULL);
    const unsigned char *text = otlp->document;
    while (otlp->mark_at < at)
        otlp->mark_line += text[otlp->mark_at++] == '\n';
    while (otlp->mark_at > at)
        otlp->mark_line -= text[--otlp->mark_at] == '\n';
    return otlp->mark_line;
}

/* To the sink, or, in strict mode, as the failure that ends the reading. */
static void emit_reject(fl_otlp *otlp, uint64_t at, uint64_t records, const char *reason)
{
    assert(otlp->source != NULL && reason != NULL);
    uint64_t line = otlp->document != NULL ? document_line(otlp, otlp->base + at) : otlp->line;
    otlp->rejects++;
    if (otlp->strict) {
        char place[32] = "";
        if (line > 0)
            snprintf(place, sizeof(place), ", line %llu", (unsigned long long)line);
        otlp->status = fl_fail(otlp->err, FL_E_SYNTAX, otlp->base + at, "%s%s, byte %llu: %s",
                               otlp->source, place, (unsigned long long)(otlp->base + at), reason);
        return;
    }
    fl_reject reject = {.source = otlp->source,
                        .line = line,
                        .offset = otlp->base + at,
                        .reason = reason,
                        .records = records};
    otlp->status = otlp->sink.reject(otlp->sink.payload, &reject, otlp->err);
}

void fl_otlp_reject(fl_otlp *otlp, uint64_t at, uint64_t records, const char *format, ...)
{
    assert(records > 0);
    if (otlp->status != FL_OK)
        return;
    if (otlp->discard) {
        otlp->discarded += records;
        return;
    }
    char reason[256];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    emit_reject(otlp, at, records, reason);
}

void fl_otlp_discard_begin(fl_otlp *otlp, uint64_t at, const char *reason)
{
    assert(!otlp->discard);
    snprintf(otlp->discard_reason, sizeof(otlp->discard_reason), "resource: %s", reason);
    otlp->discard = true;
    otlp->discard_at = at;
    otlp->discarded = 0;
}

void fl_otlp_discard_end(fl_otlp *otlp)
{
    if (!otlp->discard)
        return;
    otlp->discard = false;
    fl_otlp_reject(otlp, otlp->discard_at, otlp->discarded > 0 ? otlp->discarded : 1, "%s",
                   otlp->discard_reason);
}

void fl_otlp_nomem(fl_otlp *otlp)
{
    if (otlp->status == FL_OK)
        otlp->status = fl_fail(otlp->err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
}

/* True when the record in hand is to be pushed. */
static bool is_good(fl_otlp *otlp, const char *what, uint64_t at)
{
    if (otlp->status != FL_OK)
        return false;
    if (otlp->discard) {
        otlp->discarded++;
        return false;
    }
    if (otlp->complaint == NULL)
        return true;
    fl_otlp_reject(otlp, at, 1, "%s: %s", what, otlp->complaint);
    return false;
}

/* The attributes in today's names. Most records have none to settle. */
static fl_attrs attrs_of(fl_otlp *otlp, fl_span_kind kind)
{
    if (otlp->attrs.renamed)
        fl_otlp_semconv_finish(&otlp->attrs, kind);
    return (fl_attrs){.items = otlp->attrs.items, .count = otlp->attrs.count};
}

void fl_otlp_push_resource(fl_otlp *otlp)
{
    if (otlp->status != FL_OK)
        return;
    attrs_of(otlp, FL_SPAN_UNSPECIFIED);
    fl_resource resource = fl_otlp_resource_of(&otlp->attrs);
    otlp->status = otlp->sink.resource(otlp->sink.payload, &resource, &otlp->resource, otlp->err);
}

void fl_otlp_push_span(fl_otlp *otlp, fl_span *span, uint64_t at)
{
    if (span->trace.hi == 0 && span->trace.lo == 0)
        fl_otlp_complain(otlp, "no trace id");
    if (span->id == 0)
        fl_otlp_complain(otlp, "no span id");
    if (span->start_ns == 0)
        fl_otlp_complain(otlp, "no start time");
    if (span->end_ns == 0)
        fl_otlp_complain(otlp, "no end time");
    if (span->end_ns < span->start_ns)
        fl_otlp_complain(otlp, "ends before it starts");
    if (!is_good(otlp, "span", at))
        return;
    span->attrs = attrs_of(otlp, span->kind);
    span->events = otlp->events;
    span->event_count = otlp->event_count;
    otlp->status = otlp->sink.span(otlp->sink.payload, otlp->resource, span, otlp->err);
}

void fl_otlp_push_log(fl_otlp *otlp, fl_log *log, uint64_t at)
{
    if (log->time_ns == 0)
        fl_otlp_complain(otlp, "no time");
    if (!is_good(otlp, "log record", at))
        return;
    log->attrs = attrs_of(otlp, FL_SPAN_UNSPECIFIED);
    otlp->status = otlp->sink.log(otlp->sink.payload, otlp->resource, log, otlp->err);
}

/* NaN does not rise, so it is refused too. */
static void check_rising(fl_otlp *otlp)
{
    for (size_t i = 0; i < otlp->bound_count; i++)
        if (isnan(otlp->bounds[i]) || (i > 0 && otlp->bounds[i] <= otlp->bounds[i - 1])) {
            fl_otlp_complain(otlp, "bounds do not rise");
            return;
        }
}

/* A histogram of neither bounds nor counts still has its count and sum. */
static void check_histogram(fl_otlp *otlp)
{
    bool is_empty = otlp->bound_count == 0 && otlp->bucket_count == 0;
    if (!is_empty && otlp->bucket_count != otlp->bound_count + 1)
        fl_otlp_complain(otlp, "counts do not match the bounds: there must be one count more");
    check_rising(otlp);
}

/* Quantiles without a value (an empty Prometheus summary has NaN) are left out. */
static void check_summary(fl_otlp *otlp)
{
    assert(otlp->bound_count == otlp->value_count);
    size_t kept = 0;
    for (size_t i = 0; i < otlp->bound_count; i++) {
        if (!(otlp->bounds[i] >= 0 && otlp->bounds[i] <= 1))
            fl_otlp_complain(otlp, "quantile is not between 0 and 1");
        if (!isfinite(otlp->values[i]))
            continue;
        otlp->bounds[kept] = otlp->bounds[i];
        otlp->values[kept++] = otlp->values[i];
    }
    otlp->bound_count = otlp->value_count = kept;
}

/* Consumers ask for NaN only: it is the one value that says "not known". */
static double finite_or_nan(double value)
{
    return isfinite(value) ? value : NAN;
}

/* Attach the arrays, which stay the reader's, after checking that they fit together. */
static void finish_distribution(fl_otlp *otlp, fl_point *point)
{
    if (point->kind == FL_POINT_HISTOGRAM)
        check_histogram(otlp);
    else if (point->kind == FL_POINT_SUMMARY)
        check_summary(otlp);
    else if (point->scale < -64 || point->scale > 64)
        fl_otlp_complain(otlp, "scale is not between -64 and 64");
    point->sum = finite_or_nan(point->sum);
    point->min = finite_or_nan(point->min);
    point->max = finite_or_nan(point->max);
    point->bounds = otlp->bounds;
    point->values = otlp->values;
    point->bound_count = otlp->bound_count;
    point->counts = otlp->counts;
    point->bucket_count = otlp->bucket_count;
}

void fl_otlp_push_point(fl_otlp *otlp, fl_point *point, bool has_value, uint64_t at)
{
    if (point->time_ns == 0)
        fl_otlp_complain(otlp, "no time");
    if (point->kind > FL_POINT_SUM)
        finish_distribution(otlp, point);
    else if (!has_value)
        fl_otlp_complain(otlp, "no value");
    else if (!isfinite(point->value))
        fl_otlp_complain(otlp, "value is not finite");
    if (!is_good(otlp, "data point", at))
        return;
    point->attrs = attrs_of(otlp, FL_SPAN_UNSPECIFIED);
    otlp->status = otlp->sink.point(otlp->sink.payload, otlp->resource, point, otlp->err);
}
