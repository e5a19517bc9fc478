/*
 * otlp_dump.h - a sink that writes each record and reject as one line of text, and one that only
 * counts. Equal text means equal records.
 */
#ifndef FL_OTLP_DUMP_H
#define FL_OTLP_DUMP_H

#include <inttypes.h>
#include <math.h>

#include "buf.h"
#include "faultline/record.h"
#include "slice.h"

typedef struct otlp_dump {
    fl_buf text;
    uint32_t resources;
    uint64_t spans, logs, points, rejects, lost; /* lost: the sum of the rejects' records */
    uint64_t stop_after; /* FL_E_STOPPED behind that many records; 0: never */
    fl_status stop_with;
} otlp_dump;

static inline void otlp_dump_value(fl_buf *out, const fl_value *value)
{
    switch (value->kind) {
    case FL_VALUE_NONE:
        fl_buf_text(out, "none");
        break;
    case FL_VALUE_STRING:
        fl_buf_printf(out, "\"%.*s\"", FL_SLICE_ARG(value->text));
        break;
    case FL_VALUE_BOOL:
        fl_buf_text(out, value->number != 0 ? "true" : "false");
        break;
    case FL_VALUE_INT:
        fl_buf_printf(out, "%" PRId64, value->number);
        break;
    case FL_VALUE_DOUBLE:
        fl_buf_printf(out, "%.17gd", value->real);
        break;
    case FL_VALUE_BYTES:
        fl_buf_printf(out, "bytes:%.*s", FL_SLICE_ARG(value->text));
        break;
    case FL_VALUE_OTHER:
        fl_buf_printf(out, "other:%.*s", FL_SLICE_ARG(value->text));
        break;
    }
}

static inline void otlp_dump_attrs(fl_buf *out, fl_attrs attrs)
{
    for (size_t i = 0; i < attrs.count; i++) {
        fl_buf_printf(out, " %.*s=", FL_SLICE_ARG(attrs.items[i].key));
        otlp_dump_value(out, &attrs.items[i].value);
    }
    fl_buf_char(out, '\n');
}

static inline fl_status otlp_dump_step(otlp_dump *dump, fl_error *err)
{
    uint64_t records = dump->spans + dump->logs + dump->points;
    if (dump->stop_after == 0 || records < dump->stop_after)
        return FL_OK;
    return fl_fail(err, dump->stop_with, FL_NO_OFFSET, "enough");
}

static inline fl_status otlp_dump_resource(void *payload, const fl_resource *resource,
                                           uint32_t *handle, fl_error *err)
{
    otlp_dump *dump = payload;
    (void)err;
    *handle = dump->resources++;
    fl_buf_printf(&dump->text, "resource %u service=%.*s instance=%.*s node=%.*s", *handle,
                  FL_SLICE_ARG(resource->service), FL_SLICE_ARG(resource->instance),
                  FL_SLICE_ARG(resource->node));
    otlp_dump_attrs(&dump->text, resource->attrs);
    return FL_OK;
}

static inline fl_status otlp_dump_span(void *payload, uint32_t resource, const fl_span *span,
                                       fl_error *err)
{
    otlp_dump *dump = payload;
    fl_buf *out = &dump->text;
    dump->spans++;
    fl_buf_printf(out,
                  "span of %u: %016" PRIx64 "%016" PRIx64 " %016" PRIx64 " parent %016" PRIx64
                  " \"%.*s\" kind %d %" PRId64 "..%" PRId64 "%s",
                  resource, span->trace.hi, span->trace.lo, span->id, span->parent,
                  FL_SLICE_ARG(span->name), (int)span->kind, span->start_ns, span->end_ns,
                  span->is_error ? " error" : "");
    otlp_dump_attrs(out, span->attrs);
    for (size_t i = 0; i < span->event_count; i++) {
        fl_buf_printf(out, "  event %" PRId64 " \"%.*s\"", span->events[i].time_ns,
                      FL_SLICE_ARG(span->events[i].name));
        otlp_dump_attrs(out, span->events[i].attrs);
    }
    return otlp_dump_step(dump, err);
}

static inline fl_status otlp_dump_log(void *payload, uint32_t resource, const fl_log *log,
                                      fl_error *err)
{
    otlp_dump *dump = payload;
    dump->logs++;
    fl_buf_printf(&dump->text,
                  "log of %u: %" PRId64 " severity %d \"%.*s\" \"%.*s\" %016" PRIx64 "%016" PRIx64
                  " %016" PRIx64,
                  resource, log->time_ns, log->severity, FL_SLICE_ARG(log->severity_text),
                  FL_SLICE_ARG(log->body), log->trace.hi, log->trace.lo, log->span);
    otlp_dump_attrs(&dump->text, log->attrs);
    return otlp_dump_step(dump, err);
}

static inline fl_status otlp_dump_point(void *payload, uint32_t resource, const fl_point *point,
                                        fl_error *err)
{
    static const char *const kinds[] = {"gauge",         "sum",     "histogram",
                                        "exp-histogram", "summary", "part"};
    static const char *const parts[] = {"count", "sum", "below", "quantile"};
    otlp_dump *dump = payload;
    fl_buf *out = &dump->text;
    dump->points++;
    fl_buf_printf(out, "%s of %u: %.*s [%.*s]%s%s %" PRId64 "..%" PRId64, kinds[point->kind],
                  resource, FL_SLICE_ARG(point->metric), FL_SLICE_ARG(point->unit),
                  point->temporality == FL_TEMPORALITY_DELTA        ? " delta"
                  : point->temporality == FL_TEMPORALITY_CUMULATIVE ? " cumulative"
                                                                    : "",
                  point->monotonic ? " monotonic" : "", point->start_ns, point->time_ns);
    if (point->kind == FL_POINT_PART)
        fl_buf_printf(out, " %s %g", parts[point->part], point->param);
    if (point->kind <= FL_POINT_SUM || point->kind == FL_POINT_PART)
        fl_buf_printf(out, " value %.17g", point->value);
    else
        fl_buf_printf(out, " count %" PRIu64 " sum %.17g min %.17g max %.17g", point->count,
                      point->sum, point->min, point->max);
    if (point->kind == FL_POINT_EXP_HISTOGRAM)
        fl_buf_printf(out, " scale %d offset %d zero %" PRIu64, point->scale, point->offset,
                      point->zero_count);
    for (size_t i = 0; i < point->bound_count; i++)
        fl_buf_printf(out, " %s%.17g", i == 0 ? "bounds " : "", point->bounds[i]);
    for (size_t i = 0; point->kind == FL_POINT_SUMMARY && i < point->bound_count; i++)
        fl_buf_printf(out, " %s%.17g", i == 0 ? "values " : "", point->values[i]);
    for (size_t i = 0; i < point->bucket_count; i++)
        fl_buf_printf(out, " %s%" PRIu64, i == 0 ? "counts " : "", point->counts[i]);
    otlp_dump_attrs(out, point->attrs);
    return otlp_dump_step(dump, err);
}

static inline fl_status otlp_dump_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    otlp_dump *dump = payload;
    (void)err;
    dump->rejects++;
    dump->lost += reject->records;
    fl_buf_printf(&dump->text, "reject line %" PRIu64 " byte %" PRIu64 " records %" PRIu64 ": %s\n",
                  reject->line, reject->offset, reject->records, reject->reason);
    return FL_OK;
}

static inline fl_sink otlp_dump_sink(otlp_dump *dump)
{
    *dump = (otlp_dump){.text = fl_buf_of(64u << 20)};
    return (fl_sink){.payload = dump,
                     .resource = otlp_dump_resource,
                     .span = otlp_dump_span,
                     .log = otlp_dump_log,
                     .point = otlp_dump_point,
                     .reject = otlp_dump_reject};
}

#endif
