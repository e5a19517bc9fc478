/*
 * jaeger.c - traces out of Jaeger's JSON.
 *
 *   answer  := { "data": [ TRACE* ] | null, "errors"?: [ { "code", "msg" }* ] | null, ... }
 *   TRACE   := { "traceID": HEX, "spans": [ SPAN* ], "processes": { KEY: PROCESS }, ... }
 *   PROCESS := { "serviceName": TEXT, "tags"?: [ TAG* ] }
 *   SPAN    := { "traceID": HEX, "spanID": HEX, "parentSpanID"?: HEX, "operationName": TEXT,
 *                "references"?: [ { "refType": "CHILD_OF" | "FOLLOWS_FROM", "traceID", "spanID" }*
 * ], "startTime": us, "duration": us, "tags"?: [ TAG* ], "processID": KEY | "process": PROCESS,
 * "logs"?: [ { "timestamp": us, "fields": [ TAG* ] }* ] } TAG     := { "key": TEXT, "type":
 * "string" | "bool" | "int64" | "float64" | "binary", "value" }
 *
 * Processes stand behind the spans that name them: a trace is stepped over once to find both, then
 * its processes are read and then its spans.
 */
#include "jaeger.h"

#include <assert.h>

#include "faultline/limits.h"
#include "labels.h"
#include "slice.h"
#include "spans.h"

enum { US = 1000, MAX_PROCESSES = 4096 };

struct process {
    fl_slice key;
    uint32_t resource;
};

struct jaeger {
    fl_intake *to;
    fl_json in;
    fl_arena fixed, trace, arena; /* of the payload, of a trace, of a span */
    fl_span_draft draft;
    fl_labels labels;
    struct process *processes; /* of the trace in hand, MAX_PROCESSES at most */
    size_t process_count;
    uint32_t nobody; /* the resource of spans without a process, */
    bool has_nobody; /* where it was announced */
    fl_error *err;
};

/* ---- tags ---- */

/* What its type says, as far as the value is of it; texts of any type stay texts. */
static fl_value read_value(fl_json *in)
{
    fl_value value = {.kind = FL_VALUE_STRING};
    switch (fl_json_peek(in)) {
    case FL_JSON_STRING:
        value.text = fl_json_string(in);
        break;
    case FL_JSON_TRUE:
    case FL_JSON_FALSE:
        value = (fl_value){.kind = FL_VALUE_BOOL, .number = fl_json_bool(in)};
        break;
    case FL_JSON_NUMBER: {
        fl_json_mark mark = fl_json_here(in);
        value = (fl_value){.kind = FL_VALUE_INT, .number = fl_json_i64(in)};
        if (!fl_json_ok(in)) { /* a fraction */
            fl_json_rewind(in, mark);
            value = (fl_value){.kind = FL_VALUE_DOUBLE, .real = fl_json_double(in)};
        }
        break;
    }
    default:
        value = (fl_value){.kind = FL_VALUE_OTHER, .text = fl_json_raw(in)};
        break;
    }
    return value;
}

/* False for a tag without a key, or on failure. */
static bool read_tag(fl_json *in, fl_attr *out)
{
    fl_slice key;
    bool is_binary = false;
    *out = (fl_attr){0};
    if (!fl_json_enter_object(in))
        return false;
    while (fl_json_next_member(in, &key))
        if (fl_slice_equal(key, FL_SLICE("key")))
            out->key = fl_json_string(in);
        else if (fl_slice_equal(key, FL_SLICE("value")))
            out->value = read_value(in);
        else if (fl_slice_equal(key, FL_SLICE("type")))
            is_binary = fl_slice_equal(fl_json_string(in), FL_SLICE("binary"));
        else
            fl_json_skip(in);
    if (is_binary && out->value.kind == FL_VALUE_STRING)
        out->value.kind = FL_VALUE_BYTES;
    return fl_json_ok(in) && out->key.len > 0;
}

static void take_span_tag(struct jaeger *x, const fl_attr *tag)
{
    fl_span *span = &x->draft.span;
    assert(tag->key.len > 0);
    if (fl_slice_equal(tag->key, FL_SLICE("span.kind")))
        span->kind = fl_span_kind_parse(tag->value.text);
    else if (fl_slice_equal(tag->key, FL_SLICE("error")))
        span->is_error |= fl_span_error_tag(&tag->value);
    else if (fl_slice_equal(tag->key, FL_SLICE("otel.status_code")))
        span->is_error |= fl_slice_equal(tag->value.text, FL_SLICE("ERROR"));
    fl_span_draft_attr(&x->draft, tag->key, tag->value);
}

/* A list of tags, or null; each goes to the span, to the event in hand, or to the labels. */
enum target { TO_SPAN, TO_EVENT, TO_LABELS };

static void read_tags(struct jaeger *x, fl_json *in, enum target target)
{
    fl_attr tag;
    if (fl_json_null(in) || !fl_json_enter_array(in))
        return;
    while (fl_json_next_element(in)) {
        if (!read_tag(in, &tag))
            continue;
        if (target == TO_SPAN)
            take_span_tag(x, &tag);
        else if (target == TO_LABELS && tag.value.kind == FL_VALUE_STRING)
            fl_labels_add(&x->labels, tag.key, tag.value.text);
        else if (target == TO_EVENT)
            fl_span_draft_event_attr(&x->draft, tag.key, tag.value);
    }
}

/* ---- processes ---- */

/* Who a process is: its name, and tags by the names that labels have. */
static fl_status read_process(struct jaeger *x, fl_json *in, uint32_t *resource)
{
    fl_slice key, service = {0};
    fl_labels_clear(&x->labels);
    bool more = fl_json_enter_object(in);
    while (more && fl_json_next_member(in, &key))
        if (fl_slice_equal(key, FL_SLICE("serviceName")))
            service = fl_json_string(in);
        else if (fl_slice_equal(key, FL_SLICE("tags")))
            read_tags(x, in, TO_LABELS);
        else
            fl_json_skip(in);
    if (!fl_json_ok(in))
        return FL_OK;
    (void)fl_labels_take(&x->labels, FL_SLICE("service.name"));
    (void)fl_labels_take(&x->labels, FL_SLICE("service_name"));
    fl_labels_add(&x->labels, FL_SLICE("service.name"), service);
    return fl_labels_announce(resource, &x->labels, x->to->sink, x->err);
}

/* Those over the limit are nobody's. */
static fl_status read_processes(struct jaeger *x, fl_json *in)
{
    fl_slice key;
    fl_status status = FL_OK;
    assert(x->processes != NULL);
    x->process_count = 0;
    if (!fl_json_enter_object(in))
        return FL_OK;
    while (status == FL_OK && fl_json_next_member(in, &key)) {
        if (x->process_count == MAX_PROCESSES) {
            fl_json_skip(in);
            continue;
        }
        struct process *process = &x->processes[x->process_count];
        process->key = key;
        status = read_process(x, in, &process->resource);
        x->process_count += status == FL_OK && fl_json_ok(in);
    }
    return status;
}

static bool find_process(const struct jaeger *x, fl_slice key, uint32_t *resource)
{
    assert(x->process_count <= MAX_PROCESSES);
    for (size_t i = 0; i < x->process_count; i++)
        if (fl_slice_equal(x->processes[i].key, key)) {
            *resource = x->processes[i].resource;
            return true;
        }
    return false;
}

static fl_status announce_nobody(struct jaeger *x, uint32_t *resource)
{
    fl_status status = FL_OK;
    if (!x->has_nobody) {
        fl_resource nobody = {0};
        status = x->to->sink->resource(x->to->sink->payload, &nobody, &x->nobody, x->err);
        x->has_nobody = status == FL_OK;
    }
    *resource = x->nobody;
    return status;
}

/* ---- spans ---- */

/* What a span says of itself beside its draft. */
struct parts {
    fl_slice process_key, process; /* process: an object, as it stands in the payload */
    uint64_t child_of, follows;    /* 0: none */
};

static int64_t read_us(fl_json *in)
{
    size_t at = in->pos;
    int64_t time_ns = 0, value = fl_json_i64(in);
    if (fl_json_ok(in) && !fl_intake_time(&time_ns, value, US))
        fl_json_fail(in, at, "a time is not between the years 1970 and 2262");
    return time_ns;
}

static void read_trace_id(fl_json *in, fl_trace_id *out)
{
    size_t at = in->pos;
    fl_slice text = fl_json_string(in);
    if (fl_json_ok(in) && !fl_trace_id_parse(out, text))
        fl_json_fail(in, at, "'traceID' is not 1 to 32 hexadecimal digits");
}

/* An empty one is none: some writers give a root's parent so. */
static void read_span_id(fl_json *in, uint64_t *out, const char *name)
{
    size_t at = in->pos;
    fl_slice text = fl_json_string(in);
    if (fl_json_ok(in) && text.len > 0 && !fl_span_id_parse(out, text))
        fl_json_fail(in, at, "'%s' is not 1 to 16 hexadecimal digits", name);
}

/* The first of each kind counts: more than one parent has no place in a tree. */
static void read_reference(fl_json *in, struct parts *parts)
{
    fl_slice key, type = {0};
    uint64_t id = 0;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (fl_slice_equal(key, FL_SLICE("refType")))
            type = fl_json_string(in);
        else if (fl_slice_equal(key, FL_SLICE("spanID")))
            read_span_id(in, &id, "spanID");
        else
            fl_json_skip(in);
    if (fl_slice_equal(type, FL_SLICE("CHILD_OF")) && parts->child_of == 0)
        parts->child_of = id;
    else if (fl_slice_equal(type, FL_SLICE("FOLLOWS_FROM")) && parts->follows == 0)
        parts->follows = id;
}

static void read_references(fl_json *in, struct parts *parts)
{
    if (fl_json_null(in) || !fl_json_enter_array(in))
        return;
    while (fl_json_next_element(in))
        read_reference(in, parts);
}

/* An event is named by its field "event", else "message": OpenTracing's convention. */
static void read_log(struct jaeger *x, fl_json *in)
{
    fl_slice key, name = {0};
    int64_t time_ns = 0;
    bool has_event = fl_span_draft_event(&x->draft, 0, name);
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (fl_slice_equal(key, FL_SLICE("timestamp")))
            time_ns = read_us(in);
        else if (fl_slice_equal(key, FL_SLICE("fields")) && has_event)
            read_tags(x, in, TO_EVENT);
        else
            fl_json_skip(in);
    if (!has_event || !fl_json_ok(in))
        return;
    fl_span_event *event = &x->draft.events[x->draft.event_count - 1];
    event->time_ns = time_ns;
    for (size_t i = 0; i < event->attrs.count; i++) {
        const fl_attr *attr = &event->attrs.items[i];
        bool is_event = fl_slice_equal(attr->key, FL_SLICE("event"));
        if (is_event || (event->name.len == 0 && fl_slice_equal(attr->key, FL_SLICE("message"))))
            event->name = attr->value.text;
        if (is_event)
            return;
    }
}

static void read_logs(struct jaeger *x, fl_json *in)
{
    if (fl_json_null(in) || !fl_json_enter_array(in))
        return;
    while (fl_json_next_element(in))
        read_log(x, in);
}

static void read_member(struct jaeger *x, fl_json *in, fl_slice key, struct parts *parts)
{
    fl_span *span = &x->draft.span;
    if (fl_slice_equal(key, FL_SLICE("traceID")))
        read_trace_id(in, &span->trace);
    else if (fl_slice_equal(key, FL_SLICE("spanID")))
        read_span_id(in, &span->id, "spanID");
    else if (fl_slice_equal(key, FL_SLICE("parentSpanID")))
        read_span_id(in, &span->parent, "parentSpanID");
    else if (fl_slice_equal(key, FL_SLICE("operationName")))
        span->name = fl_json_string(in);
    else if (fl_slice_equal(key, FL_SLICE("references")))
        read_references(in, parts);
    else if (fl_slice_equal(key, FL_SLICE("startTime")))
        span->start_ns = read_us(in);
    else if (fl_slice_equal(key, FL_SLICE("duration")))
        span->end_ns = read_us(in);
    else if (fl_slice_equal(key, FL_SLICE("tags")))
        read_tags(x, in, TO_SPAN);
    else if (fl_slice_equal(key, FL_SLICE("logs")))
        read_logs(x, in);
    else if (fl_slice_equal(key, FL_SLICE("processID")))
        parts->process_key = fl_json_string(in);
    else if (fl_slice_equal(key, FL_SLICE("process")) && fl_json_peek(in) == FL_JSON_OBJECT)
        parts->process = fl_json_raw(in);
    else
        fl_json_skip(in);
}

static void finish_span(struct jaeger *x, fl_json *in, const struct parts *parts, size_t at)
{
    fl_span *span = &x->draft.span;
    assert(x->draft.events != NULL && at < in->bytes.len);
    if (parts->child_of != 0)
        span->parent = parts->child_of;
    else if (span->parent == 0)
        span->parent = parts->follows;
    if (span->end_ns > INT64_MAX - span->start_ns)
        fl_json_fail(in, at, "a span ends beyond the year 2262");
    else
        span->end_ns += span->start_ns;
    const char *complaint = fl_span_draft_finish(&x->draft);
    if (complaint != NULL)
        fl_json_fail(in, at, "%s", complaint);
}

static fl_status push(struct jaeger *x, const struct parts *parts)
{
    uint32_t resource;
    fl_status status = FL_OK;
    assert(x->draft.span.id != 0 && x->draft.span.start_ns <= x->draft.span.end_ns);
    if (parts->process.ptr != NULL) {
        fl_json in = fl_intake_reader(x->to, parts->process, &x->arena);
        status = read_process(x, &in, &resource);
        if (status == FL_OK && !fl_json_ok(&in))
            return fl_intake_refuse_error(x->to, &in.err, 0, 1, x->err);
    } else if (!find_process(x, parts->process_key, &resource)) {
        status = announce_nobody(x, &resource);
    }
    if (status != FL_OK)
        return status;
    return x->to->sink->span(x->to->sink->payload, resource, &x->draft.span, x->err);
}

static fl_status read_span(struct jaeger *x, fl_json *in)
{
    fl_slice key;
    struct parts parts = {{0}, {0}, 0, 0};
    bool sound;
    fl_arena_reset(&x->arena);
    fl_span_draft_begin(&x->draft);
    fl_json_mark mark = fl_json_here(in);
    if (fl_json_enter_object(in))
        while (fl_json_next_member(in, &key))
            read_member(x, in, key, &parts);
    if (fl_json_ok(in))
        finish_span(x, in, &parts, mark.pos);
    if (fl_json_ok(in))
        return push(x, &parts);
    fl_status status = fl_intake_pass_over(x->to, in, mark, &sound, x->err);
    assert(status != FL_OK || sound); /* it was stepped over before */
    return status;
}

/* ---- traces ---- */

static fl_status read_parts(struct jaeger *x, fl_slice spans, fl_slice processes)
{
    fl_status status = FL_OK;
    fl_arena_reset(&x->trace);
    x->process_count = 0;
    x->has_nobody = false;
    if (processes.ptr != NULL) {
        fl_json in = fl_intake_reader(x->to, processes, &x->trace);
        status = read_processes(x, &in);
        if (status == FL_OK && !fl_json_ok(&in))
            status = fl_intake_refuse_error(x->to, &in.err, 0, 1, x->err);
    }
    if (status != FL_OK || spans.ptr == NULL)
        return status;
    fl_json in = fl_intake_reader(x->to, spans, &x->arena);
    if (!fl_json_null(&in) && fl_json_enter_array(&in))
        while (status == FL_OK && fl_json_next_element(&in))
            status = read_span(x, &in);
    if (status == FL_OK && !fl_json_ok(&in))
        status = fl_intake_refuse_error(x->to, &in.err, 0, 1, x->err);
    return status;
}

static fl_status read_trace(struct jaeger *x, bool *sound)
{
    fl_slice key, spans = {0}, processes = {0};
    fl_json_mark mark = fl_json_here(&x->in);
    *sound = true;
    bool more = fl_json_enter_object(&x->in);
    while (more && fl_json_next_member(&x->in, &key))
        if (fl_slice_equal(key, FL_SLICE("spans")))
            spans = fl_json_raw(&x->in);
        else if (fl_slice_equal(key, FL_SLICE("processes")))
            processes = fl_json_raw(&x->in);
        else
            fl_json_skip(&x->in);
    if (!fl_json_ok(&x->in))
        return fl_intake_pass_over(x->to, &x->in, mark, sound, x->err);
    return read_parts(x, spans, processes);
}

struct summary {
    bool has_data, has_errors;
    char error[160];
};

/* The first message is told. */
static void read_errors(struct jaeger *x, struct summary *summary)
{
    fl_slice key;
    if (fl_json_null(&x->in) || !fl_json_enter_array(&x->in))
        return;
    while (fl_json_next_element(&x->in)) {
        if (!fl_json_enter_object(&x->in))
            return;
        while (fl_json_next_member(&x->in, &key)) {
            if (!fl_slice_equal(key, FL_SLICE("msg")) || summary->has_errors) {
                fl_json_skip(&x->in);
                continue;
            }
            fl_slice text = fl_json_string(&x->in);
            size_t len = text.len < sizeof(summary->error) ? text.len : sizeof(summary->error) - 1;
            if (len > 0)
                memcpy(summary->error, text.ptr, len);
            summary->error[len] = '\0';
            summary->has_errors = true;
        }
    }
}

static fl_status read_answer(struct jaeger *x)
{
    fl_slice key;
    struct summary summary = {0};
    fl_status status = FL_OK;
    bool sound = true;
    assert(x->in.pos <= x->in.bytes.len && x->to->sink->reject != NULL);
    (void)fl_json_enter_object(&x->in);
    while (status == FL_OK && sound && fl_json_next_member(&x->in, &key)) {
        if (fl_slice_equal(key, FL_SLICE("errors"))) {
            read_errors(x, &summary);
        } else if (fl_slice_equal(key, FL_SLICE("data")) && fl_json_peek(&x->in) == FL_JSON_ARRAY) {
            (void)fl_json_enter_array(&x->in);
            while (status == FL_OK && sound && fl_json_next_element(&x->in)) {
                status = read_trace(x, &sound);
                summary.has_data = true;
            }
        } else {
            fl_json_skip(&x->in);
        }
    }
    if (status == FL_OK && sound && fl_json_ok(&x->in))
        (void)fl_json_finish(&x->in);
    if (status == FL_OK && sound && !fl_json_ok(&x->in))
        return fl_intake_refuse_error(x->to, &x->in.err, 0, 1, x->err);
    if (status == FL_OK && summary.has_errors && !summary.has_data)
        return fl_fail(x->err, FL_E_IO, FL_NO_OFFSET, "%s: the server answered: %s", x->to->source,
                       summary.error);
    return status;
}

static bool is_trace(fl_json in)
{
    fl_slice key;
    if (fl_json_peek(&in) != FL_JSON_OBJECT || !fl_json_enter_object(&in))
        return false;
    while (fl_json_next_member(&in, &key)) {
        if (fl_slice_equal(key, FL_SLICE("spans")) || fl_slice_equal(key, FL_SLICE("processes")))
            return true;
        fl_json_skip(&in);
    }
    return false;
}

/* "data" begins with a trace, or there is none and "errors" beside it, which no other tool has. */
static bool is_jaeger(fl_slice body, fl_arena *arena)
{
    fl_json in = fl_json_over(body, arena);
    fl_slice key;
    bool is_empty = false;
    if (fl_json_peek(&in) != FL_JSON_OBJECT || !fl_json_enter_object(&in))
        return false;
    while (fl_json_next_member(&in, &key)) {
        if (is_empty && fl_slice_equal(key, FL_SLICE("errors")))
            return true;
        fl_json_kind kind = fl_json_peek(&in);
        if (fl_slice_equal(key, FL_SLICE("data")) && kind == FL_JSON_ARRAY) {
            fl_json list = in;
            (void)fl_json_enter_array(&list);
            is_empty = !fl_json_next_element(&list) && fl_json_ok(&list);
            if (!is_empty)
                return is_trace(list);
        } else if (fl_slice_equal(key, FL_SLICE("data"))) {
            is_empty = kind == FL_JSON_NULL;
            if (!is_empty)
                return false;
        }
        fl_json_skip(&in);
    }
    return false;
}

fl_status fl_jaeger_json(fl_intake *to, fl_slice body, fl_error *err)
{
    assert(to->sink->resource != NULL && to->sink->span != NULL);
    struct jaeger x = {.to = to,
                       .fixed = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES),
                       .trace = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES),
                       .arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES),
                       .err = err};
    body = fl_intake_text(body);
    fl_intake_begin(to, body, true);
    fl_status status = is_jaeger(body, &x.arena)
                           ? fl_span_draft_init(&x.draft, &x.fixed, err)
                           : fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                                     "%s holds no answer of Jaeger", to->source);
    if (status == FL_OK) {
        x.processes = fl_arena_alloc(&x.fixed, MAX_PROCESSES, sizeof(*x.processes));
        if (x.processes == NULL)
            status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    }
    x.in = fl_json_over(body, &x.trace);
    if (status == FL_OK)
        status = read_answer(&x);
    fl_arena_dispose(&x.arena);
    fl_arena_dispose(&x.trace);
    fl_arena_dispose(&x.fixed);
    return status;
}
