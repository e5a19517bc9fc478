/*
 * otlp_contract.h - a sink that asserts what record.h promises of each record, reading every byte.
 */
#ifndef FL_OTLP_CONTRACT_H
#define FL_OTLP_CONTRACT_H

#include <assert.h>
#include <math.h>

#include "faultline/limits.h"
#include "faultline/record.h"
#include "utf8.h"

typedef struct otlp_contract {
    uint32_t resources;
    uint64_t records, rejects;
    uint64_t end; /* no reject is behind it */
} otlp_contract;

static inline void otlp_check_text(fl_slice text)
{
    assert(text.ptr != NULL || text.len == 0);
    assert(text.len == 0 || fl_utf8_valid_prefix(text) == text.len);
}

static inline void otlp_check_attrs(fl_attrs attrs, size_t limit)
{
    assert(attrs.count <= limit);
    for (size_t i = 0; i < attrs.count; i++) {
        assert(attrs.items[i].key.len > 0);
        assert(attrs.items[i].value.kind <= FL_VALUE_OTHER);
        otlp_check_text(attrs.items[i].key);
        otlp_check_text(attrs.items[i].value.text);
    }
}

static inline fl_status otlp_check_resource(void *payload, const fl_resource *resource,
                                            uint32_t *handle, fl_error *err)
{
    (void)err;
    otlp_contract *seen = payload;
    *handle = ++seen->resources;
    otlp_check_text(resource->service);
    otlp_check_text(resource->instance);
    otlp_check_text(resource->node);
    otlp_check_attrs(resource->attrs, FL_MAX_ATTRS_PER_RECORD);
    return FL_OK;
}

static inline void otlp_check_record(otlp_contract *seen, uint32_t resource)
{
    seen->records++;
    assert(resource == seen->resources && resource > 0);
}

static inline fl_status otlp_check_span(void *payload, uint32_t resource, const fl_span *span,
                                        fl_error *err)
{
    (void)err;
    otlp_check_record(payload, resource);
    assert((span->trace.hi | span->trace.lo) != 0 && span->id != 0);
    assert(span->start_ns > 0 && span->end_ns >= span->start_ns);
    assert(span->kind <= FL_SPAN_CONSUMER && span->event_count <= FL_MAX_EVENTS_PER_SPAN);
    otlp_check_text(span->name);
    otlp_check_attrs(span->attrs, FL_MAX_ATTRS_PER_RECORD);
    for (size_t i = 0; i < span->event_count; i++) {
        assert(span->events[i].time_ns >= 0);
        otlp_check_text(span->events[i].name);
        otlp_check_attrs(span->events[i].attrs, FL_MAX_EVENT_ATTRS_PER_SPAN);
    }
    return FL_OK;
}

static inline fl_status otlp_check_log(void *payload, uint32_t resource, const fl_log *log,
                                       fl_error *err)
{
    (void)err;
    otlp_check_record(payload, resource);
    assert(log->time_ns > 0 && log->severity >= 0 && log->severity <= 24);
    otlp_check_text(log->severity_text);
    otlp_check_text(log->body);
    otlp_check_attrs(log->attrs, FL_MAX_ATTRS_PER_RECORD);
    return FL_OK;
}

static inline void otlp_check_lists(const fl_point *point)
{
    assert(point->bound_count <= FL_MAX_BUCKETS_PER_POINT);
    assert(point->bucket_count <= FL_MAX_BUCKETS_PER_POINT);
    assert(isfinite(point->sum) || isnan(point->sum));
    if (point->kind == FL_POINT_HISTOGRAM)
        assert(point->bucket_count ==
               (point->bound_count == 0 ? point->bucket_count & 1 : point->bound_count + 1));
    if (point->kind == FL_POINT_EXP_HISTOGRAM)
        assert(point->scale >= -64 && point->scale <= 64 && point->bound_count == 0);
    for (size_t i = 0; i < point->bound_count; i++) {
        assert(point->kind != FL_POINT_HISTOGRAM || i == 0 ||
               point->bounds[i] > point->bounds[i - 1]);
        assert(point->kind != FL_POINT_SUMMARY || (point->bounds[i] >= 0 && point->bounds[i] <= 1));
        assert(point->kind != FL_POINT_SUMMARY || isfinite(point->values[i]));
    }
}

static inline fl_status otlp_check_point(void *payload, uint32_t resource, const fl_point *point,
                                         fl_error *err)
{
    (void)err;
    otlp_check_record(payload, resource);
    assert(point->time_ns > 0 && point->start_ns >= 0 && point->metric.len > 0);
    assert(point->kind <= FL_POINT_SUMMARY && point->temporality <= FL_TEMPORALITY_CUMULATIVE);
    if (point->kind <= FL_POINT_SUM)
        assert(isfinite(point->value));
    else
        otlp_check_lists(point);
    otlp_check_text(point->metric);
    otlp_check_text(point->unit);
    otlp_check_attrs(point->attrs, FL_MAX_ATTRS_PER_RECORD);
    return FL_OK;
}

static inline fl_status otlp_check_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)err;
    otlp_contract *seen = payload;
    seen->rejects++;
    assert(reject->records > 0 && reject->reason[0] != '\0' && reject->source != NULL);
    assert(reject->offset <= seen->end);
    return FL_OK;
}

static inline fl_sink otlp_contract_sink(otlp_contract *seen)
{
    return (fl_sink){.payload = seen,
                     .resource = otlp_check_resource,
                     .span = otlp_check_span,
                     .log = otlp_check_log,
                     .point = otlp_check_point,
                     .reject = otlp_check_reject};
}

#endif
