/*
 * spans.c - a span under construction.
 */
#include "spans.h"

#include <assert.h>

#include "faultline/limits.h"
#include "slice.h"

/* Names of Zipkin's and OpenTracing's conventions that OpenTelemetry has others for. */
static const struct {
    fl_slice old, now;
} renames[] = {
    {FL_SLICE_INIT("component"), FL_SLICE_INIT("otel.scope.name")},
    {FL_SLICE_INIT("db.instance"), FL_SLICE_INIT("db.namespace")},
    {FL_SLICE_INIT("db.statement"), FL_SLICE_INIT("db.query.text")},
    {FL_SLICE_INIT("db.system"), FL_SLICE_INIT("db.system.name")},
    {FL_SLICE_INIT("db.type"), FL_SLICE_INIT("db.system.name")},
    {FL_SLICE_INIT("error.kind"), FL_SLICE_INIT("exception.type")},
    {FL_SLICE_INIT("error.object"), FL_SLICE_INIT("exception.type")},
    {FL_SLICE_INIT("http.method"), FL_SLICE_INIT("http.request.method")},
    {FL_SLICE_INIT("http.path"), FL_SLICE_INIT("url.path")},
    {FL_SLICE_INIT("http.status_code"), FL_SLICE_INIT("http.response.status_code")},
    {FL_SLICE_INIT("http.url"), FL_SLICE_INIT("url.full")},
    {FL_SLICE_INIT("peer.address"), FL_SLICE_INIT("network.peer.address")},
    {FL_SLICE_INIT("peer.hostname"), FL_SLICE_INIT("server.address")},
    {FL_SLICE_INIT("peer.port"), FL_SLICE_INIT("server.port")},
    {FL_SLICE_INIT("peer.service"), FL_SLICE_INIT("service.peer.name")},
    {FL_SLICE_INIT("sql.query"), FL_SLICE_INIT("db.query.text")},
    {FL_SLICE_INIT("stack"), FL_SLICE_INIT("exception.stacktrace")},
};

fl_status fl_span_draft_init(fl_span_draft *draft, fl_arena *arena, fl_error *err)
{
    *draft = (fl_span_draft){0};
    draft->attrs = fl_arena_alloc(arena, FL_MAX_ATTRS_PER_RECORD, sizeof(*draft->attrs));
    draft->events = fl_arena_alloc(arena, FL_MAX_EVENTS_PER_SPAN, sizeof(*draft->events));
    draft->event_attrs =
        fl_arena_alloc(arena, FL_MAX_EVENT_ATTRS_PER_SPAN, sizeof(*draft->event_attrs));
    if (draft->attrs == NULL || draft->events == NULL || draft->event_attrs == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    return FL_OK;
}

void fl_span_draft_begin(fl_span_draft *draft)
{
    assert(draft->attrs != NULL && draft->events != NULL && draft->event_attrs != NULL);
    draft->span = (fl_span){0};
    draft->attr_count = draft->event_attr_count = draft->event_count = 0;
}

static fl_slice name_today(fl_slice key)
{
    for (size_t i = 0; i < sizeof(renames) / sizeof(renames[0]); i++)
        if (fl_slice_equal(key, renames[i].old))
            return renames[i].now;
    return key;
}

void fl_span_draft_attr(fl_span_draft *draft, fl_slice key, fl_value value)
{
    if (key.len == 0)
        return;
    if (draft->attr_count == FL_MAX_ATTRS_PER_RECORD)
        draft->dropped++;
    else
        draft->attrs[draft->attr_count++] = (fl_attr){.key = name_today(key), .value = value};
}

bool fl_span_draft_event(fl_span_draft *draft, int64_t time_ns, fl_slice name)
{
    assert(draft->event_attr_count <= FL_MAX_EVENT_ATTRS_PER_SPAN);
    if (draft->event_count == FL_MAX_EVENTS_PER_SPAN) {
        draft->dropped++;
        return false;
    }
    draft->events[draft->event_count++] =
        (fl_span_event){.time_ns = time_ns,
                        .name = name,
                        .attrs = {.items = draft->event_attrs + draft->event_attr_count}};
    return true;
}

void fl_span_draft_event_attr(fl_span_draft *draft, fl_slice key, fl_value value)
{
    assert(draft->event_count > 0);
    if (key.len == 0)
        return;
    if (draft->event_attr_count == FL_MAX_EVENT_ATTRS_PER_SPAN) {
        draft->dropped++;
        return;
    }
    draft->event_attrs[draft->event_attr_count++] =
        (fl_attr){.key = name_today(key), .value = value};
    draft->events[draft->event_count - 1].attrs.count++;
}

fl_slice fl_span_draft_find(const fl_span_draft *draft, fl_slice key)
{
    for (size_t i = 0; i < draft->attr_count; i++)
        if (fl_slice_equal(draft->attrs[i].key, key))
            return draft->attrs[i].value.text;
    return (fl_slice){0};
}

const char *fl_span_draft_finish(fl_span_draft *draft)
{
    fl_span *span = &draft->span;
    span->attrs = (fl_attrs){.items = draft->attrs, .count = draft->attr_count};
    span->events = draft->events;
    span->event_count = draft->event_count;
    if (span->trace.hi == 0 && span->trace.lo == 0)
        return "a span without a trace id";
    if (span->id == 0)
        return "a span without an id";
    if (span->start_ns == 0)
        return "a span without a start";
    return span->end_ns < span->start_ns ? "a span ends before it starts" : NULL;
}

static bool hex_digit(unsigned *out, unsigned char c)
{
    if (c >= '0' && c <= '9')
        *out = c - (unsigned)'0';
    else if ((c | 32) >= 'a' && (c | 32) <= 'f')
        *out = (unsigned)(c | 32) - 'a' + 10;
    else
        return false;
    return true;
}

bool fl_trace_id_parse(fl_trace_id *out, fl_slice text)
{
    fl_trace_id id = {0};
    unsigned digit;
    if (text.len == 0 || text.len > 32)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!hex_digit(&digit, text.ptr[i]))
            return false;
        id.hi = id.hi << 4 | id.lo >> 60;
        id.lo = id.lo << 4 | digit;
    }
    *out = id;
    return id.hi != 0 || id.lo != 0;
}

bool fl_span_id_parse(uint64_t *out, fl_slice text)
{
    fl_trace_id id;
    if (text.len > 16 || !fl_trace_id_parse(&id, text))
        return false;
    *out = id.lo;
    return true;
}

static bool is_word(fl_slice text, fl_slice word)
{
    if (text.len != word.len)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if ((text.ptr[i] | 32) != word.ptr[i])
            return false;
    return true;
}

fl_span_kind fl_span_kind_parse(fl_slice word)
{
    static const fl_slice words[] = {
        [FL_SPAN_INTERNAL] = FL_SLICE_INIT("internal"),
        [FL_SPAN_SERVER] = FL_SLICE_INIT("server"),
        [FL_SPAN_CLIENT] = FL_SLICE_INIT("client"),
        [FL_SPAN_PRODUCER] = FL_SLICE_INIT("producer"),
        [FL_SPAN_CONSUMER] = FL_SLICE_INIT("consumer"),
    };
    for (size_t kind = FL_SPAN_INTERNAL; kind <= FL_SPAN_CONSUMER; kind++)
        if (is_word(word, words[kind]))
            return (fl_span_kind)kind;
    return FL_SPAN_UNSPECIFIED;
}

bool fl_span_error_tag(const fl_value *value)
{
    if (value->kind == FL_VALUE_BOOL)
        return value->number != 0;
    return !is_word(value->text, FL_SLICE("false"));
}
