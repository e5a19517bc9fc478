/*
 * spans.c - spans into rows of 64 bytes; their events become lines of the span.
 */
#include <assert.h>

#include "slice.h"
#include "timeline_priv.h"

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

int fl_tl_compare_spans(const void *left, const void *right)
{
    const fl_span_row *a = left, *b = right;
    if (a->trace != b->trace)
        return COMPARE(a->trace, b->trace);
    if (a->start_ns != b->start_ns)
        return COMPARE(a->start_ns, b->start_ns);
    if (a->id != b->id)
        return COMPARE(a->id, b->id);
    if (a->duration_ns != b->duration_ns)
        return COMPARE(b->duration_ns, a->duration_ns); /* the enclosing span first */
    if (a->operation != b->operation)
        return COMPARE(a->operation, b->operation);
    if (a->entity != b->entity)
        return COMPARE(a->entity, b->entity);
    if (a->parent_id != b->parent_id)
        return COMPARE(a->parent_id, b->parent_id);
    return a->kind != b->kind ? COMPARE(a->kind, b->kind) : COMPARE(a->is_error, b->is_error);
}

uint64_t fl_tl_span_key(const void *row)
{
    return ((const fl_span_row *)row)->trace;
}

static uint64_t start_of(const void *row)
{
    return fl_sort_number(((const fl_span_row *)row)->start_ns);
}

const fl_row_order fl_tl_span_order = {.numbers = {fl_tl_span_key, start_of},
                                       .compare = fl_tl_compare_spans};

/* An exception as "file:line Type: message"; any other event by its name. */
static fl_status push_event(const struct source *source, uint32_t entity, const fl_span *span,
                            const fl_span_event *event, fl_error *err)
{
    fl_timeline_builder *b = source->builder;
    struct thrown thrown;
    bool is_exception = fl_tl_thrown_of(&thrown, b, &event->attrs);
    fl_log log = {.time_ns = event->time_ns > 0 ? event->time_ns : span->start_ns,
                  .severity = is_exception ? 17 : 0,
                  .trace = span->trace,
                  .span = span->id};
    fl_buf_clear(&b->line);
    if (is_exception && thrown.location.len > 0)
        fl_buf_printf(&b->line, "%.*s ", FL_SLICE_ARG(thrown.location));
    fl_buf_add(&b->line, is_exception ? thrown.type : event->name);
    if (thrown.type.len > 0 && thrown.message.len > 0)
        fl_buf_text(&b->line, ": ");
    fl_buf_add(&b->line, thrown.message);
    fl_status status = fl_buf_check(&b->line, "a span event", err);
    if (status == FL_OK && !is_exception)
        status = fl_tl_note_changes(b, entity, &event->attrs, log.time_ns, err);
    b->throws = is_exception ? &thrown : NULL;
    if (status == FL_OK)
        status = fl_tl_add_line(source, entity, &log, fl_buf_slice(&b->line), err);
    b->throws = NULL;
    return status;
}

fl_status fl_tl_push_span(void *payload, uint32_t entity, const fl_span *span, fl_error *err)
{
    const struct source *source = payload;
    fl_timeline_builder *b = source->builder;
    assert(span->end_ns >= span->start_ns);
    if (entity == FL_NO_INDEX) {
        b->over_budget++;
        return FL_OK;
    }
    fl_span_row row = {.trace = fl_tl_trace_hash(span->trace),
                       .id = span->id,
                       .parent_id = span->parent,
                       .start_ns = span->start_ns,
                       .duration_ns = span->end_ns - span->start_ns,
                       .entity = entity,
                       .parent = FL_NO_INDEX,
                       .kind = (uint8_t)span->kind,
                       .is_error = span->is_error};
    bool wanted;
    fl_status status = fl_tl_note_time(&wanted, source, span->start_ns, err);
    if (status != FL_OK || !wanted || !fl_sampler_wants(&b->spans, row.trace))
        return status;
    status = fl_tl_operation(&row.operation, b, entity, span->name, err);
    if (status == FL_OK && row.operation == FL_NO_INDEX)
        b->over_budget++;
    else if (status == FL_OK)
        status = fl_sampler_add(&b->spans, &row, err);
    for (size_t i = 0; i < span->event_count && status == FL_OK; i++)
        status = push_event(source, entity, span, &span->events[i], err);
    return status;
}
