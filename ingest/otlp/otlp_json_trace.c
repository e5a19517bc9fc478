/*
 * otlp_json_trace.c - one span out of JSON. Links, the trace state and flags are passed over.
 *
 *   span   := { "traceId": H, "spanId": H, "parentSpanId": H, "name": S, "kind": N or name,
 *               "startTimeUnixNano": T, "endTimeUnixNano": T, "attributes": [...],
 *               "events": [ event* ], "status": { "code": N or name } }
 *   event  := { "name": S, "timeUnixNano": T, "attributes": [...] }
 *
 * The attributes of all events of a span share one array, each event a run of it; past the limits
 * events and attributes are dropped and counted, and the span is kept.
 */
#include "otlp_priv.h"

static const fl_slice kind_names[] = {
    FL_SLICE_INIT("UNSPECIFIED"), FL_SLICE_INIT("INTERNAL"), FL_SLICE_INIT("SERVER"),
    FL_SLICE_INIT("CLIENT"),      FL_SLICE_INIT("PRODUCER"), FL_SLICE_INIT("CONSUMER"),
};
static const fl_slice status_names[] = {
    FL_SLICE_INIT("UNSET"),
    FL_SLICE_INIT("OK"),
    FL_SLICE_INIT("ERROR"),
};
_Static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == FL_SPAN_CONSUMER + 1,
               "each kind has a name");
enum { STATUS_ERROR = 2 };

/* Only an error counts: "unset" is what most producers send for success. */
static bool read_status(fl_json *in)
{
    fl_slice key;
    int code = 0;
    if (!fl_json_enter_object(in))
        return false;
    while (fl_json_next_member(in, &key))
        if (FL_OTLP_IS(key, "code") && !fl_json_null(in))
            code = fl_otlp_json_enum(in, FL_SLICE("STATUS_CODE_"), status_names, 3);
        else if (!FL_OTLP_IS(key, "code"))
            fl_json_skip(in);
    return code == STATUS_ERROR;
}

/* Attributes go to `attrs`, the free end of the array that all events share. */
static void read_event_members(fl_otlp *otlp, fl_json *in, fl_span_event *event,
                               fl_otlp_list *attrs)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key)) {
        if (fl_json_null(in))
            continue;
        if (FL_OTLP_IS(key, "name"))
            event->name = fl_json_string(in);
        else if (FL_OTLP_IS(key, "timeUnixNano"))
            event->time_ns = fl_otlp_time(otlp, fl_json_u64(in));
        else if (FL_OTLP_IS(key, "attributes"))
            fl_otlp_json_attrs(otlp, in, attrs);
        else
            fl_json_skip(in);
    }
}

/* An event over the limit is still read, so that what follows it is. */
static void read_events(fl_otlp *otlp, fl_json *in)
{
    if (!fl_json_enter_array(in))
        return;
    while (fl_json_next_element(in)) {
        fl_otlp_list attrs = {.items = otlp->event_attrs.items + otlp->event_attrs.count,
                              .cap = otlp->event_attrs.cap - otlp->event_attrs.count};
        fl_span_event event = {0};
        read_event_members(otlp, in, &event, &attrs);
        event.attrs = (fl_attrs){.items = attrs.items, .count = attrs.count};
        otlp->event_attrs.count += attrs.count;
        fl_span_event *place = fl_otlp_event_add(otlp);
        if (place != NULL)
            *place = event;
    }
}

/* The members that most spans do not have. */
static void read_rare_member(fl_otlp *otlp, fl_json *in, fl_slice key, fl_span *span)
{
    if (FL_OTLP_IS(key, "kind"))
        span->kind = (fl_span_kind)fl_otlp_json_enum(in, FL_SLICE("SPAN_KIND_"), kind_names, 6);
    else if (FL_OTLP_IS(key, "attributes"))
        fl_otlp_json_attrs(otlp, in, &otlp->attrs);
    else if (FL_OTLP_IS(key, "status"))
        span->is_error = read_status(in);
    else if (FL_OTLP_IS(key, "events"))
        read_events(otlp, in);
    else
        fl_json_skip(in);
}

void fl_otlp_json_span(fl_otlp *otlp, fl_json *in)
{
    fl_span span = {0};
    fl_slice key;
    size_t at = in->pos;
    fl_otlp_begin(otlp);
    if (!fl_json_enter_object(in))
        return;
    in->arena = &otlp->record_arena;
    while (fl_json_next_member(in, &key)) {
        if (fl_json_null(in))
            continue;
        if (FL_OTLP_IS(key, "traceId"))
            span.trace = fl_otlp_json_trace_id(otlp, in);
        else if (FL_OTLP_IS(key, "spanId"))
            span.id =
                fl_otlp_json_span_id(otlp, in, "span id is not 8 bytes as 16 hexadecimal digits");
        else if (FL_OTLP_IS(key, "parentSpanId"))
            span.parent = fl_otlp_json_span_id(
                otlp, in, "parent span id is not 8 bytes as 16 hexadecimal digits");
        else if (FL_OTLP_IS(key, "name"))
            span.name = fl_json_string(in);
        else if (FL_OTLP_IS(key, "startTimeUnixNano"))
            span.start_ns = fl_otlp_time(otlp, fl_json_u64(in));
        else if (FL_OTLP_IS(key, "endTimeUnixNano"))
            span.end_ns = fl_otlp_time(otlp, fl_json_u64(in));
        else
            read_rare_member(otlp, in, key, &span);
    }
    in->arena = &otlp->outer_arena;
    if (fl_json_ok(in))
        fl_otlp_push_span(otlp, &span, at);
}
