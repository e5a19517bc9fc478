/*
 * otlp_json_log.c - one log record out of JSON.
 *
 *   record := { "timeUnixNano": T, "observedTimeUnixNano": T, "severityNumber": N or name,
 *               "severityText": S, "body": value, "attributes": [...], "traceId": H, "spanId": H,
 *               "eventName": S }
 *
 * T is nanoseconds as a number or, as proto3 JSON writes 64 bits, a string; H is hexadecimal.
 * Members come in any order and null is as good as absent. A record without a time takes the
 * observed one; one without both is rejected. The body becomes text: a string as it is, anything
 * else as plain JSON.
 */
#include "otlp_priv.h"

/* SEVERITY_NUMBER_INFO3 is 9 + 2: four numbers for each of six words. */
static const fl_slice severity_names[] = {
    FL_SLICE_INIT("UNSPECIFIED"), FL_SLICE_INIT("TRACE"),  FL_SLICE_INIT("TRACE2"),
    FL_SLICE_INIT("TRACE3"),      FL_SLICE_INIT("TRACE4"), FL_SLICE_INIT("DEBUG"),
    FL_SLICE_INIT("DEBUG2"),      FL_SLICE_INIT("DEBUG3"), FL_SLICE_INIT("DEBUG4"),
    FL_SLICE_INIT("INFO"),        FL_SLICE_INIT("INFO2"),  FL_SLICE_INIT("INFO3"),
    FL_SLICE_INIT("INFO4"),       FL_SLICE_INIT("WARN"),   FL_SLICE_INIT("WARN2"),
    FL_SLICE_INIT("WARN3"),       FL_SLICE_INIT("WARN4"),  FL_SLICE_INIT("ERROR"),
    FL_SLICE_INIT("ERROR2"),      FL_SLICE_INIT("ERROR3"), FL_SLICE_INIT("ERROR4"),
    FL_SLICE_INIT("FATAL"),       FL_SLICE_INIT("FATAL2"), FL_SLICE_INIT("FATAL3"),
    FL_SLICE_INIT("FATAL4"),
};

_Static_assert(sizeof(severity_names) / sizeof(severity_names[0]) == 25, "0 and 6 words of 4");

/* An event is named by a member of its own since OTLP 1.5; before, by this attribute. */
static void read_event_name(fl_otlp *otlp, fl_json *in)
{
    fl_slice name = fl_json_string(in);
    fl_attr *attr = name.len > 0 ? fl_otlp_attr_add(otlp, &otlp->attrs) : NULL;
    if (attr != NULL)
        *attr = (fl_attr){.key = FL_SLICE("event.name"),
                          .value = {.kind = FL_VALUE_STRING, .text = name}};
}

/* The members that most records do not have. */
static void read_rare_member(fl_otlp *otlp, fl_json *in, fl_slice key, fl_log *log,
                             int64_t *observed_ns)
{
    if (FL_OTLP_IS(key, "observedTimeUnixNano"))
        *observed_ns = fl_otlp_time(otlp, fl_json_u64(in));
    else if (FL_OTLP_IS(key, "severityNumber"))
        log->severity = fl_otlp_json_enum(in, FL_SLICE("SEVERITY_NUMBER_"), severity_names, 25);
    else if (FL_OTLP_IS(key, "severityText"))
        log->severity_text = fl_json_string(in);
    else if (FL_OTLP_IS(key, "attributes"))
        fl_otlp_json_attrs(otlp, in, &otlp->attrs);
    else if (FL_OTLP_IS(key, "eventName"))
        read_event_name(otlp, in);
    else
        fl_json_skip(in);
}

void fl_otlp_json_log(fl_otlp *otlp, fl_json *in)
{
    fl_log log = {0};
    fl_value body = {0};
    int64_t observed_ns = 0;
    fl_slice key;
    size_t at = in->pos;
    fl_otlp_begin(otlp);
    if (!fl_json_enter_object(in))
        return;
    in->arena = &otlp->record_arena;
    while (fl_json_next_member(in, &key)) {
        if (fl_json_null(in))
            continue;
        if (FL_OTLP_IS(key, "timeUnixNano"))
            log.time_ns = fl_otlp_time(otlp, fl_json_u64(in));
        else if (FL_OTLP_IS(key, "body"))
            body = fl_otlp_json_value(otlp, in);
        else if (FL_OTLP_IS(key, "traceId"))
            log.trace = fl_otlp_json_trace_id(otlp, in);
        else if (FL_OTLP_IS(key, "spanId"))
            log.span =
                fl_otlp_json_span_id(otlp, in, "span id is not 8 bytes as 16 hexadecimal digits");
        else
            read_rare_member(otlp, in, key, &log, &observed_ns);
    }
    in->arena = &otlp->outer_arena;
    if (!fl_json_ok(in))
        return;
    log.body = fl_otlp_body_of(otlp, &body);
    if (log.time_ns == 0)
        log.time_ns = observed_ns;
    fl_otlp_push_log(otlp, &log, at);
}
