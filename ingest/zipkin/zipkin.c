/*
 * zipkin.c - spans out of Zipkin's JSON.
 *
 *   body  := [ SPAN* ] | [ [ SPAN* ]* ]
 *   SPAN  := { "traceId": HEX, "id": HEX, "parentId"?: HEX, "name"?, "kind"?: "CLIENT" | "SERVER" |
 *              "PRODUCER" | "CONSUMER", "timestamp": us, "duration"?: us, "localEndpoint"?:
 * ENDPOINT, "remoteEndpoint"?: ENDPOINT, "annotations"?: [ { "timestamp": us, "value" }* ],
 *              "tags"?: { NAME: VALUE }, "shared"?: bool }
 *   ENDPOINT := { "serviceName"?, "ipv4"?, "ipv6"?, "port"? }
 *
 * A server may report its span under the id that the client made for the call ("shared"). Here each
 * span has an id of its own: the server's becomes a hash of it, its parent the client's span. What
 * the server did below it names the shared id as its parent: such spans of the same service, in the
 * same payload, are put under the server's. So payloads with shared spans are read twice, first to
 * learn which ids are shared and by whom.
 */
#include "zipkin.h"

#include <assert.h>

#include "faultline/limits.h"
#include "hash.h"
#include "map.h"
#include "slice.h"
#include "spans.h"

enum { US = 1000, MAX_SHARED = 1 << 20 };

struct zipkin {
    fl_intake *to;
    fl_arena fixed, arena; /* of the payload, of a span */
    fl_span_draft draft;
    fl_map *shared; /* trace and id -> hash of the service that shares it; NULL: none do */
    bool is_survey; /* only learn what is shared */
    fl_slice service, ip, peer;
    bool has_duration, is_shared;
    fl_error *err;
};

static uint64_t key_of(fl_trace_id trace, uint64_t id)
{
    return fl_hash_mix(fl_hash_mix(trace.hi ^ fl_hash_mix(trace.lo)) ^ id);
}

/* The server's own id: never 0, and the same in each run. */
static uint64_t server_id(uint64_t id)
{
    uint64_t own = fl_hash_mix(id ^ UINT64_C(0x7365727665720001));
    return own != 0 ? own : 1;
}

/* ---- members ---- */

/* Microseconds to nanoseconds. */
static int64_t read_us(fl_json *in)
{
    size_t at = in->pos;
    int64_t time_ns = 0;
    if (fl_json_null(in))
        return 0;
    int64_t value = fl_json_i64(in);
    if (fl_json_ok(in) && !fl_intake_time(&time_ns, value, US))
        fl_json_fail(in, at, "a time is not between the years 1970 and 2262");
    return time_ns;
}

static void read_endpoint(fl_json *in, fl_slice *service, fl_slice *ip)
{
    fl_slice key;
    if (fl_json_null(in) || !fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (fl_json_null(in))
            continue;
        else if (fl_slice_equal(key, FL_SLICE("serviceName")))
            *service = fl_json_string(in);
        else if (fl_slice_equal(key, FL_SLICE("ipv4")) ||
                 (fl_slice_equal(key, FL_SLICE("ipv6")) && ip->len == 0))
            *ip = fl_json_string(in);
        else
            fl_json_skip(in);
}

/* Their values are texts; what else comes is kept as it is written. */
static void read_tags(struct zipkin *x, fl_json *in)
{
    fl_slice key;
    if (fl_json_null(in) || !fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key)) {
        bool is_text = fl_json_peek(in) == FL_JSON_STRING;
        fl_slice text = is_text ? fl_json_string(in) : fl_json_raw(in);
        fl_value value = {.kind = FL_VALUE_STRING, .text = text};
        if (!fl_json_ok(in))
            return;
        if (fl_slice_equal(key, FL_SLICE("error")))
            x->draft.span.is_error |= fl_span_error_tag(&value);
        if (fl_slice_equal(key, FL_SLICE("otel.status_code")))
            x->draft.span.is_error |= fl_slice_equal(text, FL_SLICE("ERROR"));
        fl_span_draft_attr(&x->draft, key, value);
    }
}

static void read_annotation(struct zipkin *x, fl_json *in)
{
    fl_slice key, value = {0};
    int64_t time_ns = 0;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (fl_slice_equal(key, FL_SLICE("timestamp")))
            time_ns = read_us(in);
        else if (fl_slice_equal(key, FL_SLICE("value")))
            value = fl_json_string(in);
        else
            fl_json_skip(in);
    if (fl_json_ok(in))
        (void)fl_span_draft_event(&x->draft, time_ns, value);
}

static void read_trace_id(struct zipkin *x, fl_json *in)
{
    size_t at = in->pos;
    fl_slice text = fl_json_string(in);
    if (fl_json_ok(in) && !fl_trace_id_parse(&x->draft.span.trace, text))
        fl_json_fail(in, at, "'traceId' is not 1 to 32 hexadecimal digits");
}

static void read_id(uint64_t *out, fl_json *in, const char *name)
{
    size_t at = in->pos;
    if (fl_json_null(in))
        return;
    fl_slice text = fl_json_string(in);
    if (fl_json_ok(in) && !fl_span_id_parse(out, text))
        fl_json_fail(in, at, "'%s' is not 1 to 16 hexadecimal digits", name);
}

static void read_list(struct zipkin *x, fl_json *in)
{
    if (fl_json_null(in) || !fl_json_enter_array(in))
        return;
    while (fl_json_next_element(in))
        read_annotation(x, in);
}

static void read_member(struct zipkin *x, fl_json *in, fl_slice key)
{
    fl_span *span = &x->draft.span;
    fl_slice none = {0};
    if (fl_slice_equal(key, FL_SLICE("traceId"))) {
        read_trace_id(x, in);
    } else if (fl_slice_equal(key, FL_SLICE("id"))) {
        read_id(&span->id, in, "id");
    } else if (fl_slice_equal(key, FL_SLICE("parentId"))) {
        read_id(&span->parent, in, "parentId");
    } else if (fl_slice_equal(key, FL_SLICE("timestamp"))) {
        span->start_ns = read_us(in);
    } else if (fl_slice_equal(key, FL_SLICE("duration"))) {
        x->has_duration = fl_json_peek(in) != FL_JSON_NULL;
        span->end_ns = read_us(in);
    } else if (fl_slice_equal(key, FL_SLICE("localEndpoint"))) {
        read_endpoint(in, &x->service, &x->ip);
    } else if (fl_slice_equal(key, FL_SLICE("remoteEndpoint"))) {
        read_endpoint(in, &x->peer, &none);
    } else if (fl_slice_equal(key, FL_SLICE("tags"))) {
        read_tags(x, in);
    } else if (fl_slice_equal(key, FL_SLICE("annotations"))) {
        read_list(x, in);
    } else if (fl_json_null(in)) {
        return;
    } else if (fl_slice_equal(key, FL_SLICE("name"))) {
        span->name = fl_json_string(in);
    } else if (fl_slice_equal(key, FL_SLICE("kind"))) {
        span->kind = fl_span_kind_parse(fl_json_string(in));
    } else if (fl_slice_equal(key, FL_SLICE("shared"))) {
        x->is_shared = fl_json_bool(in);
    } else {
        fl_json_skip(in);
    }
}

/* ---- spans ---- */

/* Which ids a server shares, and which server. */
static fl_status note_shared(struct zipkin *x)
{
    uint64_t *slot = NULL;
    const fl_span *span = &x->draft.span;
    assert(x->is_survey && x->shared != NULL);
    if (!x->is_shared || span->id == 0)
        return FL_OK;
    fl_error own = {0};
    fl_status status = fl_map_slot(&slot, x->shared, key_of(span->trace, span->id), NULL, &own);
    if (status == FL_OK)
        *slot = fl_hash_stable(x->service);
    return status == FL_E_LIMIT ? FL_OK
           : status == FL_OK    ? FL_OK
                                : fl_fail(x->err, status, FL_NO_OFFSET, "%s", own.message);
}

/* Give the server's half an id of its own, and its children that id as parent. */
static void settle_ids(const struct zipkin *x, fl_span *span)
{
    assert(!x->is_survey);
    if (x->shared == NULL)
        return;
    if (x->is_shared) {
        span->parent = span->id;
        span->id = server_id(span->id);
        return;
    }
    const uint64_t *sharer =
        span->parent != 0 ? fl_map_find(x->shared, key_of(span->trace, span->parent)) : NULL;
    if (sharer != NULL && *sharer == fl_hash_stable(x->service) && x->service.len > 0)
        span->parent = server_id(span->parent);
}

/* OpenTelemetry's exporter writes what its resource says as tags of each span. */
static fl_resource resource_of(const struct zipkin *x)
{
    fl_resource who = {.service = x->service, .instance = x->ip};
    fl_slice pod = fl_span_draft_find(&x->draft, FL_SLICE("k8s.pod.name"));
    fl_slice id = fl_span_draft_find(&x->draft, FL_SLICE("service.instance.id"));
    if (who.service.len == 0)
        who.service = fl_span_draft_find(&x->draft, FL_SLICE("service.name"));
    if (pod.len > 0 || id.len > 0)
        who.instance = pod.len > 0 ? pod : id;
    who.node = fl_span_draft_find(&x->draft, FL_SLICE("k8s.node.name"));
    if (who.node.len == 0)
        who.node = fl_span_draft_find(&x->draft, FL_SLICE("host.name"));
    return who;
}

static fl_status push(struct zipkin *x)
{
    uint32_t handle;
    fl_attr version = {.key = FL_SLICE("service.version"), .value = {.kind = FL_VALUE_STRING}};
    assert(x->draft.span.id != 0 && x->draft.span.start_ns <= x->draft.span.end_ns);
    version.value.text = fl_span_draft_find(&x->draft, version.key);
    fl_resource who = resource_of(x);
    if (version.value.text.len > 0)
        who.attrs = (fl_attrs){.items = &version, .count = 1};
    fl_status status = x->to->sink->resource(x->to->sink->payload, &who, &handle, x->err);
    if (status != FL_OK)
        return status;
    return x->to->sink->span(x->to->sink->payload, handle, &x->draft.span, x->err);
}

/* A message that is handed over takes no time; any other span without a duration is not finished.
 */
static void finish_span(struct zipkin *x, fl_json *in, size_t at)
{
    fl_span *span = &x->draft.span;
    bool is_message = span->kind == FL_SPAN_PRODUCER || span->kind == FL_SPAN_CONSUMER;
    if (x->peer.len > 0)
        fl_span_draft_attr(&x->draft, FL_SLICE("service.peer.name"),
                           (fl_value){.kind = FL_VALUE_STRING, .text = x->peer});
    settle_ids(x, span);
    if (span->end_ns > INT64_MAX - span->start_ns)
        fl_json_fail(in, at, "a span ends beyond the year 2262");
    else
        span->end_ns += span->start_ns;
    const char *complaint = fl_span_draft_finish(&x->draft);
    if (complaint == NULL && !x->has_duration && !is_message)
        complaint = "a span without a duration";
    if (complaint != NULL)
        fl_json_fail(in, at, "%s", complaint);
}

/* False in *sound where the JSON cannot be read on, which was then refused. */
static fl_status read_span(struct zipkin *x, fl_json *in, bool *sound)
{
    fl_slice key, none = {0};
    fl_arena_reset(&x->arena);
    fl_span_draft_begin(&x->draft);
    x->service = x->ip = x->peer = none;
    x->has_duration = x->is_shared = false;
    *sound = true;
    fl_json_mark mark = fl_json_here(in);
    if (fl_json_enter_object(in))
        while (fl_json_next_member(in, &key))
            read_member(x, in, key);
    if (x->is_survey && fl_json_ok(in))
        return note_shared(x);
    if (fl_json_ok(in))
        finish_span(x, in, mark.pos);
    if (fl_json_ok(in))
        return push(x);
    if (!x->is_survey)
        return fl_intake_pass_over(x->to, in, mark, sound, x->err);
    bool is_memory = in->err.status == FL_E_NOMEM; /* mistakes are refused the second time */
    fl_json_rewind(in, mark);
    fl_json_skip(in);
    *sound = fl_json_ok(in);
    return is_memory ? fl_fail(x->err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory") : FL_OK;
}

/* A list of spans, or a list of traces, each a list of spans. */
static fl_status read_body(struct zipkin *x, fl_slice body)
{
    fl_json in = fl_json_over(body, &x->arena);
    fl_status status = FL_OK;
    bool sound = true;
    if (fl_json_enter_array(&in))
        while (status == FL_OK && sound && fl_json_next_element(&in)) {
            if (fl_json_peek(&in) != FL_JSON_ARRAY) {
                status = read_span(x, &in, &sound);
                continue;
            }
            (void)fl_json_enter_array(&in);
            while (status == FL_OK && sound && fl_json_next_element(&in))
                status = read_span(x, &in, &sound);
        }
    if (status == FL_OK && sound && fl_json_ok(&in))
        (void)fl_json_finish(&in);
    if (status == FL_OK && sound && !fl_json_ok(&in) && !x->is_survey)
        status = fl_intake_refuse_error(x->to, &in.err, 0, 1, x->err);
    return status;
}

/* The first span tells: it has a trace id and an id. An empty list is nobody's. */
static bool is_zipkin(fl_slice body, fl_arena *arena)
{
    fl_json in = fl_json_over(body, arena);
    fl_slice key;
    bool has_trace = false, has_id = false;
    if (fl_json_peek(&in) != FL_JSON_ARRAY || !fl_json_enter_array(&in) ||
        !fl_json_next_element(&in))
        return false;
    if (fl_json_peek(&in) == FL_JSON_ARRAY &&
        (!fl_json_enter_array(&in) || !fl_json_next_element(&in)))
        return false;
    if (fl_json_peek(&in) != FL_JSON_OBJECT || !fl_json_enter_object(&in))
        return false;
    while (!(has_trace && has_id) && fl_json_next_member(&in, &key)) {
        has_trace |= fl_slice_equal(key, FL_SLICE("traceId"));
        has_id |= fl_slice_equal(key, FL_SLICE("id"));
        fl_json_skip(&in);
    }
    return has_trace && has_id;
}

fl_status fl_zipkin_json(fl_intake *to, fl_slice body, fl_error *err)
{
    assert(to->sink->resource != NULL && to->sink->span != NULL);
    struct zipkin x = {.to = to,
                       .fixed = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES),
                       .arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES),
                       .err = err};
    body = fl_intake_text(body);
    fl_intake_begin(to, body, true);
    fl_status status = is_zipkin(body, &x.arena)
                           ? fl_span_draft_init(&x.draft, &x.fixed, err)
                           : fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                                     "%s holds no spans of Zipkin", to->source);
    if (status == FL_OK && fl_slice_find(body, FL_SLICE("\"shared\"")) < body.len) {
        status = fl_map_create(&x.shared, MAX_SHARED, err);
        x.is_survey = true;
        if (status == FL_OK)
            status = read_body(&x, body);
        x.is_survey = false;
    }
    if (status == FL_OK)
        status = read_body(&x, body);
    fl_map_destroy(x.shared);
    fl_arena_dispose(&x.arena);
    fl_arena_dispose(&x.fixed);
    return status;
}
