/*
 * otlp_proto_record.c - one span or log record out of protobuf.
 *
 *   Span      := 1 trace id, 2 span id, 4 parent span id, 5 name, 6 kind, 7 start fixed64,
 *                8 end fixed64, 9 attribute*, 11 event*, 15 status
 *   Event     := 1 time fixed64, 2 name, 3 attribute*
 *   Status    := 3 code
 *   LogRecord := 1 time fixed64, 2 severity number, 3 severity text, 5 body, 6 attribute*,
 *                9 trace id, 10 span id, 11 observed time fixed64, 12 event name
 *
 * Fields that are not named here are stepped over by fl_proto_next(): links, trace state, flags and
 * the counts of what a producer dropped. A field that is there twice counts as it stands last, as
 * protobuf demands. Text is borrowed from the request and checked to be UTF-8.
 */
#include "otlp_priv.h"

enum { STATUS_ERROR = 2, SEVERITY_MAX = 24 };

/* Only an error counts: "unset" is what most producers send for success. */
static bool read_status(fl_proto *in)
{
    fl_proto status;
    uint64_t code = 0;
    fl_proto_enter(&status, in);
    while (fl_proto_next(&status))
        if (status.field == 3)
            code = fl_proto_u64(&status);
    fl_proto_adopt(in, &status);
    return code == STATUS_ERROR;
}

/* Its attributes are a run of the array that all events share. An event over the limit is still
 * read, since damage inside it is damage to the span. */
static void read_event(fl_otlp *otlp, fl_proto *in)
{
    fl_otlp_list attrs = {.items = otlp->event_attrs.items + otlp->event_attrs.count,
                          .cap = otlp->event_attrs.cap - otlp->event_attrs.count};
    fl_span_event made = {0};
    fl_proto event;
    fl_proto_enter(&event, in);
    while (fl_proto_next(&event))
        switch (event.field) {
        case 1:
            made.time_ns = fl_otlp_time(otlp, fl_proto_fixed64(&event));
            break;
        case 2:
            made.name = fl_proto_text(&event);
            break;
        case 3:
            fl_otlp_proto_attr(otlp, &event, &attrs);
            break;
        default:
            break;
        }
    fl_proto_adopt(in, &event);
    made.attrs = (fl_attrs){.items = attrs.items, .count = attrs.count};
    otlp->event_attrs.count += attrs.count;
    fl_span_event *place = fl_otlp_event_add(otlp);
    if (place != NULL)
        *place = made;
}

/* A kind that this version does not know is unspecified, never an error. */
static fl_span_kind kind_of(uint64_t number)
{
    return number <= FL_SPAN_CONSUMER ? (fl_span_kind)number : FL_SPAN_UNSPECIFIED;
}

void fl_otlp_proto_span(fl_otlp *otlp, fl_proto *in)
{
    fl_span span = {0};
    fl_otlp_begin(otlp);
    while (fl_proto_next(in))
        switch (in->field) {
        case 1:
            span.trace = fl_otlp_proto_trace_id(otlp, in);
            break;
        case 2:
            span.id = fl_otlp_proto_span_id(otlp, in, "span id is not 8 bytes");
            break;
        case 4:
            span.parent = fl_otlp_proto_span_id(otlp, in, "parent span id is not 8 bytes");
            break;
        case 5:
            span.name = fl_proto_text(in);
            break;
        case 6:
            span.kind = kind_of(fl_proto_u64(in));
            break;
        case 7:
            span.start_ns = fl_otlp_time(otlp, fl_proto_fixed64(in));
            break;
        case 8:
            span.end_ns = fl_otlp_time(otlp, fl_proto_fixed64(in));
            break;
        case 9:
            fl_otlp_proto_attr(otlp, in, &otlp->attrs);
            break;
        case 11:
            read_event(otlp, in);
            break;
        case 15:
            span.is_error = read_status(in);
            break;
        default:
            break;
        }
    if (fl_proto_ok(in))
        fl_otlp_push_span(otlp, &span, in->base_offset);
}

/* An event is named by a field of its own since OTLP 1.5; before, by this attribute. */
static void read_event_name(fl_otlp *otlp, fl_proto *in)
{
    fl_slice name = fl_proto_text(in);
    fl_attr *attr = name.len > 0 ? fl_otlp_attr_add(otlp, &otlp->attrs) : NULL;
    if (attr != NULL)
        *attr = (fl_attr){.key = FL_SLICE("event.name"),
                          .value = {.kind = FL_VALUE_STRING, .text = name}};
}

/* The protocol's numbers end at 24; beyond them nothing is said about severity. */
static int severity_of(uint64_t number)
{
    return number <= SEVERITY_MAX ? (int)number : 0;
}

void fl_otlp_proto_log(fl_otlp *otlp, fl_proto *in)
{
    fl_log log = {0};
    fl_value body = {0};
    int64_t observed_ns = 0;
    fl_otlp_begin(otlp);
    while (fl_proto_next(in))
        switch (in->field) {
        case 1:
            log.time_ns = fl_otlp_time(otlp, fl_proto_fixed64(in));
            break;
        case 2:
            log.severity = severity_of(fl_proto_u64(in));
            break;
        case 3:
            log.severity_text = fl_proto_text(in);
            break;
        case 5:
            body = fl_otlp_proto_value(otlp, in);
            break;
        case 6:
            fl_otlp_proto_attr(otlp, in, &otlp->attrs);
            break;
        case 9:
            log.trace = fl_otlp_proto_trace_id(otlp, in);
            break;
        case 10:
            log.span = fl_otlp_proto_span_id(otlp, in, "span id is not 8 bytes");
            break;
        case 11:
            observed_ns = fl_otlp_time(otlp, fl_proto_fixed64(in));
            break;
        case 12:
            read_event_name(otlp, in);
            break;
        default:
            break;
        }
    if (!fl_proto_ok(in))
        return;
    log.body = fl_otlp_body_of(otlp, &body);
    if (log.time_ns == 0)
        log.time_ns = observed_ns;
    fl_otlp_push_log(otlp, &log, in->base_offset);
}
