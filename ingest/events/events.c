/*
 * events.c - change events out of JSON.
 *
 *   file  := event* | "[" event* "]"          (white space or line feeds between, as JSON lines)
 *   event := { "time": T, "kind": "deploy" | "config" | "flag" | "merge-request",
 *              "service"?: NAME | [ NAME* ], "key"?: S, "old"?: V, "new"?: V, "version"?: S,
 *              "source"?: S, "url"?: S }
 *
 * T is RFC 3339, or an epoch of 10, 13, 16 or 19 digits as a text or a number. V is a text, a
 * number, true or false; "version" is the word for "new" that deploys use, and "scope" one for
 * "service". No service, null or an empty list is everything. A list of services gives one change
 * each. Members that are not known are passed over; null is as good as absent.
 *
 * An event costs itself: where its JSON is sound, reading goes on behind it, and where it is not,
 * on the next line that begins an event. In a list nothing tells where the next one begins.
 */
#include "events.h"

#include <assert.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "slice.h"
#include "stream.h"
#include "timestamp.h"

enum { MAX_SERVICES = 64, EVENT_ARENA_BYTES = 1 << 20 };

static const struct {
    fl_slice word;
    fl_change_kind kind;
} kinds[] = {
    {FL_SLICE_INIT("deploy"), FL_CHANGE_DEPLOY},
    {FL_SLICE_INIT("config"), FL_CHANGE_CONFIG},
    {FL_SLICE_INIT("flag"), FL_CHANGE_FLAG},
    {FL_SLICE_INIT("merge-request"), FL_CHANGE_MERGE_REQUEST},
};

struct event {
    fl_change_record change;
    bool has_time, has_kind;
    fl_slice services[MAX_SERVICES];
    size_t service_count;
};

struct reading {
    const fl_sink *sink;
    const char *source;
    bool strict;
    fl_slice bytes;
    size_t told_at; /* up to here lines were counted, */
    uint64_t told;  /* these many */
    fl_arena arena; /* of one event */
    fl_error *err;
};

/* ---- members ---- */

static bool find_kind(fl_change_kind *out, fl_slice text)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (fl_slice_equal(text, kinds[i].word)) {
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

static void read_kind(fl_json *in, struct event *event)
{
    size_t at = in->pos;
    fl_slice text = fl_json_string(in);
    if (!fl_json_ok(in))
        return;
    event->has_kind = find_kind(&event->change.kind, text);
    if (!event->has_kind)
        fl_json_fail(in, at, "'kind' is '%.*s', not deploy, config, flag or merge-request",
                     text.len < 40 ? (int)text.len : 40, (const char *)text.ptr);
}

/* An epoch as a number reads like one as a text: the digits tell its unit. */
static void read_time(fl_json *in, struct event *event)
{
    size_t at = in->pos;
    bool is_number = fl_json_peek(in) == FL_JSON_NUMBER;
    fl_slice text = is_number ? fl_json_raw(in) : fl_json_string(in);
    fl_error why = {0};
    if (!fl_json_ok(in))
        return;
    /* An age such as -2h, and "now", are of the moment of reading: they are no times here. */
    if (text.len == 0 || text.ptr[0] < '0' || text.ptr[0] > '9' ||
        fl_time_parse(&event->change.time_ns, text, 0, &why) != FL_OK)
        fl_json_fail(in, at, "'time' is not RFC 3339 or an epoch");
    event->has_time = true;
}

/* A text as it is, and a number or a truth value as it is written. */
static fl_slice read_value(fl_json *in)
{
    switch (fl_json_peek(in)) {
    case FL_JSON_NUMBER:
    case FL_JSON_TRUE:
    case FL_JSON_FALSE:
        return fl_json_raw(in);
    default:
        return fl_json_string(in);
    }
}

static void add_service(fl_json *in, struct event *event, size_t at)
{
    fl_slice name = fl_json_string(in);
    if (!fl_json_ok(in) || name.len == 0)
        return;
    if (event->service_count == MAX_SERVICES)
        fl_json_fail(in, at, "more than %d services", MAX_SERVICES);
    else
        event->services[event->service_count++] = name;
}

static void read_services(fl_json *in, struct event *event)
{
    size_t at = in->pos;
    if (fl_json_peek(in) != FL_JSON_ARRAY)
        add_service(in, event, at);
    else if (fl_json_enter_array(in))
        while (fl_json_next_element(in))
            add_service(in, event, at);
}

static void read_member(fl_json *in, fl_slice key, struct event *event)
{
    fl_change_record *change = &event->change;
    if (fl_json_null(in))
        return;
    if (fl_slice_equal(key, FL_SLICE("time")))
        read_time(in, event);
    else if (fl_slice_equal(key, FL_SLICE("kind")))
        read_kind(in, event);
    else if (fl_slice_equal(key, FL_SLICE("service")) || fl_slice_equal(key, FL_SLICE("scope")))
        read_services(in, event);
    else if (fl_slice_equal(key, FL_SLICE("key")))
        change->key = fl_json_string(in);
    else if (fl_slice_equal(key, FL_SLICE("old")))
        change->before = read_value(in);
    else if (fl_slice_equal(key, FL_SLICE("new")) || fl_slice_equal(key, FL_SLICE("version")))
        change->after = read_value(in);
    else if (fl_slice_equal(key, FL_SLICE("source")))
        change->source = fl_json_string(in);
    else if (fl_slice_equal(key, FL_SLICE("url")))
        change->url = fl_json_string(in);
    else
        fl_json_skip(in);
}

/* ---- events ---- */

/* From 1. Complaints come in the order of the file but for those within one event. */
static uint64_t line_of(struct reading *x, size_t offset)
{
    if (offset < x->told_at)
        x->told_at = x->told = 0;
    for (; x->told_at < offset && x->told_at < x->bytes.len; x->told_at++)
        x->told += x->bytes.ptr[x->told_at] == '\n';
    return x->told + 1;
}

static fl_status refuse(struct reading *x, uint64_t offset, const char *reason)
{
    assert(reason != NULL);
    uint64_t at = offset < x->bytes.len ? offset : x->bytes.len;
    if (x->strict)
        return fl_fail(x->err, FL_E_SYNTAX, at, "%s:%llu: %s", x->source,
                       (unsigned long long)line_of(x, at), reason);
    fl_reject reject = {
        .source = x->source, .line = line_of(x, at), .offset = at, .reason = reason, .records = 1};
    return x->sink->reject(x->sink->payload, &reject, x->err);
}

static fl_status push(struct reading *x, struct event *event)
{
    fl_status status = FL_OK;
    size_t count = event->service_count > 0 ? event->service_count : 1;
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        event->change.service = event->service_count > 0 ? event->services[i] : (fl_slice){0};
        status = x->sink->change(x->sink->payload, &event->change, x->err);
    }
    return status;
}

/* Where the value begins that comes next. */
static size_t value_start(const struct reading *x, size_t at)
{
    while (at < x->bytes.len && (x->bytes.ptr[at] == ' ' || x->bytes.ptr[at] == '\t' ||
                                 x->bytes.ptr[at] == '\r' || x->bytes.ptr[at] == '\n'))
        at++;
    return at;
}

/* One event, which begins at in->pos. False in *sound where its JSON is not. */
static fl_status read_event(struct reading *x, fl_json *in, bool *sound)
{
    struct event event = {0};
    fl_slice key;
    size_t start = value_start(x, in->pos);
    fl_arena_reset(&x->arena);
    fl_json_mark mark = fl_json_here(in);
    if (fl_json_enter_object(in))
        while (fl_json_next_member(in, &key))
            read_member(in, key, &event);
    *sound = true;
    if (fl_json_ok(in)) {
        if (event.has_time && event.has_kind)
            return push(x, &event);
        return refuse(x, start, event.has_time ? "'kind' is missing" : "'time' is missing");
    }
    fl_error why = in->err;
    if (why.status == FL_E_NOMEM)
        return fl_fail(x->err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading events");
    fl_json_rewind(in, mark);
    fl_json_skip(in); /* sound JSON that is no event costs itself */
    *sound = fl_json_ok(in);
    return refuse(x, why.offset != FL_NO_OFFSET ? why.offset : start, why.message);
}

/* The next line behind `at` that begins an event; the end where there is none. */
static size_t next_start(fl_slice bytes, size_t at)
{
    while (at < bytes.len) {
        const unsigned char *feed = memchr(bytes.ptr + at, '\n', bytes.len - at);
        if (feed == NULL)
            break;
        at = (size_t)(feed - bytes.ptr) + 1;
        if (at < bytes.len && bytes.ptr[at] == '{')
            return at;
    }
    return bytes.len;
}

/* After a mistake that hides where the event ends, reading goes on in a fresh line. */
static void go_on(struct reading *x, fl_json *in, size_t from)
{
    *in = fl_json_over(x->bytes, &x->arena);
    in->pos = next_start(x->bytes, from);
}

static fl_status read_lines(struct reading *x, fl_json *in)
{
    fl_status status = FL_OK;
    while (status == FL_OK) {
        size_t start = value_start(x, in->pos);
        bool sound = true;
        if (start == x->bytes.len)
            break;
        if (fl_json_peek(in) != FL_JSON_END) {
            status = read_event(x, in, &sound);
        } else { /* a byte that begins no value */
            fl_error why = in->err;
            sound = false;
            status = refuse(x, why.offset, why.message);
        }
        if (!sound)
            go_on(x, in, start);
    }
    return status;
}

static fl_status read_list(struct reading *x, fl_json *in)
{
    fl_status status = FL_OK;
    bool sound = true;
    (void)fl_json_enter_array(in);
    while (status == FL_OK && sound && fl_json_next_element(in))
        status = read_event(x, in, &sound);
    if (status == FL_OK && sound && fl_json_ok(in))
        (void)fl_json_finish(in);
    return status == FL_OK && sound && !fl_json_ok(in) ? refuse(x, in->err.offset, in->err.message)
                                                       : status;
}

fl_status fl_events_bytes(const fl_sink *sink, fl_slice bytes, const char *source, bool strict,
                          fl_error *err)
{
    assert(sink != NULL && sink->change != NULL && source != NULL);
    fl_error own = {0};
    if (fl_slice_starts_with(bytes, FL_SLICE("\xef\xbb\xbf")))
        bytes = (fl_slice){.ptr = bytes.ptr + 3, .len = bytes.len - 3};
    struct reading x = {.sink = sink,
                        .source = source,
                        .strict = strict,
                        .bytes = bytes,
                        .arena = fl_arena_of(EVENT_ARENA_BYTES),
                        .err = &own};
    fl_json in = fl_json_over(bytes, &x.arena);
    size_t start = value_start(&x, 0);
    bool is_list = start < bytes.len && bytes.ptr[start] == '[';
    fl_status status = is_list ? read_list(&x, &in) : read_lines(&x, &in);
    fl_arena_dispose(&x.arena);
    return status == FL_OK ? FL_OK : fl_fail(err, status, own.offset, "%s", own.message);
}

/* ---- files ---- */

/* All of a stream; *why is what ended it early. */
static fl_status read_whole(unsigned char **out, size_t *len, fl_stream *in, fl_error *why,
                            const char *path, fl_error *err)
{
    size_t cap = 0, got = 1;
    while (got > 0 && why->status == FL_OK) {
        if (*len > FL_MAX_EVENTS_BYTES)
            return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "%s is larger than %u bytes", path,
                           FL_MAX_EVENTS_BYTES);
        if (*len == cap) {
            cap = cap == 0 ? 64 << 10 : 2 * cap;
            unsigned char *grown = fl_mem_realloc(*out, cap, 1);
            if (grown == NULL)
                return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %s", path);
            *out = grown;
        }
        if (fl_stream_read(in, *out + *len, cap - *len, &got, why) != FL_OK)
            assert(why->status != FL_OK); /* which ends the loop */
        *len += got;
    }
    return FL_OK;
}

fl_status fl_events_file(const fl_sink *sink, const char *path, bool strict, fl_error *err)
{
    assert(path != NULL);
    fl_stream *stream;
    unsigned char *bytes = NULL;
    size_t len = 0;
    fl_error why = {0};
    fl_status status = fl_stream_open(&stream, path, err);
    if (status != FL_OK)
        return status;
    status = read_whole(&bytes, &len, stream, &why, path, err);
    fl_stream_close(stream);
    fl_slice text = {.ptr = bytes, .len = len};
    if (status == FL_OK && why.status != FL_OK && (strict || why.status == FL_E_NOMEM))
        status = fl_fail(err, why.status, why.offset, "%s: %s", path, why.message);
    if (status == FL_OK)
        status = fl_events_bytes(sink, text, path, strict, err);
    if (status == FL_OK && why.status != FL_OK) {
        fl_reject reject = {
            .source = path, .offset = why.offset, .reason = why.message, .records = 1};
        status = sink->reject(sink->payload, &reject, err);
    }
    fl_mem_free(bytes);
    return status;
}
