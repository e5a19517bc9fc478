/*
 * loki_json.c - pushes and answers as JSON.
 *
 *   push    := { "streams": [ STREAM* ] }
 *   answer  := { "status": "success" | "error", "data": { "resultType": "streams",
 *                "result": [ STREAM* ], "stats"? }, "errorType"?, "error"? }
 *   STREAM  := { "stream": { NAME: VALUE }, "values": [ ENTRY* ] }
 *            | { "labels": "{...}", "entries": [ { "ts": RFC3339 | ns, "line": TEXT }* ] }
 *   ENTRY   := [ "nanoseconds", "line", METADATA? ]
 *   METADATA := { NAME: VALUE | { NAME: VALUE } }
 *
 * The second form of a stream is that of /api/prom/push, which older senders use. Metadata inside
 * "structuredMetadata" and "parsed" is what Loki answers where it is asked to tell them apart.
 */
#include <assert.h>

#include "loki_priv.h"
#include "slice.h"
#include "timestamp.h"

/* What of a stream was stepped over because its labels came later; ptr is NULL where nothing was.
 */
struct parts {
    bool has_labels;
    fl_slice values, entries;
};

/* Numbers and truth values as they are written: metadata is text, but senders are not strict. */
static fl_slice read_text(fl_json *in)
{
    fl_json_kind kind = fl_json_peek(in);
    if (kind == FL_JSON_NUMBER || kind == FL_JSON_TRUE || kind == FL_JSON_FALSE)
        return fl_json_raw(in);
    return fl_json_null(in) ? (fl_slice){0} : fl_json_string(in);
}

static void read_pair(struct loki *x, fl_json *in, fl_slice name)
{
    fl_slice value = read_text(in);
    if (fl_json_ok(in))
        fl_labels_add(&x->labels, name, value);
}

static void read_stream_labels(struct loki *x, fl_json *in)
{
    fl_slice name;
    fl_labels_clear(&x->labels);
    if (fl_json_enter_object(in))
        while (fl_json_next_member(in, &name))
            read_pair(x, in, name);
}

/* One level deep at most. */
static void read_metadata(struct loki *x, fl_json *in)
{
    fl_slice name;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &name)) {
        if (fl_json_peek(in) != FL_JSON_OBJECT) {
            read_pair(x, in, name);
            continue;
        }
        (void)fl_json_enter_object(in);
        while (fl_json_next_member(in, &name))
            read_pair(x, in, name);
    }
}

/* An entry that is an array: [ns, line, metadata?]. */
static fl_status read_value(struct loki *x, fl_json *in)
{
    size_t at = in->pos;
    fl_slice line = {0};
    int64_t time_ns = 0;
    if (!fl_json_enter_array(in))
        return FL_OK;
    bool has_time = fl_json_next_element(in);
    if (has_time)
        time_ns = fl_json_i64(in);
    if (fl_json_ok(in) && time_ns < 0)
        fl_json_fail(in, at, "an entry's time is before 1970");
    bool has_line = has_time && fl_json_next_element(in);
    if (has_line)
        line = fl_json_string(in);
    bool has_more = has_line && fl_json_next_element(in);
    if (has_more && !fl_json_null(in))
        read_metadata(x, in);
    if (has_more && fl_json_next_element(in))
        fl_json_fail(in, at, "an entry has more than time, line and metadata");
    if (fl_json_ok(in) && !has_line)
        fl_json_fail(in, at, "an entry is not [nanoseconds, line]");
    return fl_json_ok(in) ? fl_loki_push_entry(x, time_ns, line) : FL_OK;
}

/* An entry that is an object, of the older form. */
static fl_status read_entry(struct loki *x, fl_json *in)
{
    size_t at = in->pos;
    fl_slice key, line = {0};
    int64_t time_ns = 0;
    bool has_time = false;
    if (!fl_json_enter_object(in))
        return FL_OK;
    while (fl_json_next_member(in, &key)) {
        size_t value_at = in->pos;
        if (fl_slice_equal(key, FL_SLICE("ts"))) {
            fl_slice text = read_text(in);
            has_time = true;
            if (fl_json_ok(in) && (text.len == 0 || text.ptr[0] < '0' || text.ptr[0] > '9' ||
                                   fl_time_parse(&time_ns, text, 0, NULL) != FL_OK))
                fl_json_fail(in, value_at, "'ts' is not RFC 3339 or an epoch");
        } else if (fl_slice_equal(key, FL_SLICE("line"))) {
            line = fl_json_string(in);
        } else {
            fl_json_skip(in);
        }
    }
    if (fl_json_ok(in) && !has_time)
        fl_json_fail(in, at, "'ts' is missing");
    return fl_json_ok(in) ? fl_loki_push_entry(x, time_ns, line) : FL_OK;
}

/* Each entry costs itself. False in *sound where the JSON breaks: that was refused here. */
static fl_status read_entries(struct loki *x, fl_json *in, bool *sound)
{
    fl_status status = FL_OK;
    assert(x->stream_labels <= x->labels.count);
    *sound = true;
    if (!fl_json_enter_array(in))
        return FL_OK;
    while (status == FL_OK && *sound && fl_json_next_element(in)) {
        fl_json_mark mark = fl_json_here(in);
        x->labels.count = x->stream_labels;
        status = fl_json_peek(in) == FL_JSON_OBJECT ? read_entry(x, in) : read_value(x, in);
        if (status == FL_OK && !fl_json_ok(in))
            status = fl_intake_pass_over(x->to, in, mark, sound, x->err);
    }
    return status;
}

static fl_status begin(struct loki *x, fl_json *in, struct parts *parts)
{
    parts->has_labels = fl_json_ok(in);
    return parts->has_labels ? fl_loki_begin_stream(x) : FL_OK;
}

static fl_status read_member(struct loki *x, fl_json *in, fl_slice key, struct parts *parts,
                             bool *sound)
{
    size_t at = in->pos, bad_at = 0;
    fl_status status = FL_OK;
    bool is_values = fl_slice_equal(key, FL_SLICE("values"));
    if (fl_slice_equal(key, FL_SLICE("stream"))) {
        read_stream_labels(x, in);
        return begin(x, in, parts);
    }
    if (fl_slice_equal(key, FL_SLICE("labels")) && fl_json_peek(in) == FL_JSON_STRING) {
        fl_slice text = fl_json_string(in);
        if (fl_json_ok(in) && !fl_loki_read_labels(x, text, &bad_at, &status))
            fl_json_fail(in, at, "labels are not {name=\"value\", ...}: byte %zu of them", bad_at);
        return status != FL_OK ? fl_fail(x->err, status, FL_NO_OFFSET, "out of memory")
                               : begin(x, in, parts);
    }
    if (is_values || fl_slice_equal(key, FL_SLICE("entries"))) {
        if (parts->has_labels)
            return read_entries(x, in, sound);
        *(is_values ? &parts->values : &parts->entries) = fl_json_raw(in);
        return FL_OK;
    }
    fl_json_skip(in);
    return FL_OK;
}

/* One stream; false in *sound where the payload cannot be read on, which was then refused. */
static fl_status read_stream(struct loki *x, fl_json *in, bool *sound)
{
    fl_slice key;
    struct parts parts = {0};
    fl_status status = FL_OK;
    *sound = true;
    fl_arena_reset(&x->arena);
    x->labels.count = x->stream_labels = 0;
    fl_json_mark mark = fl_json_here(in);
    if (fl_json_enter_object(in))
        while (status == FL_OK && *sound && fl_json_next_member(in, &key))
            status = read_member(x, in, key, &parts, sound);
    if (status == FL_OK && *sound && fl_json_ok(in) && !parts.has_labels)
        fl_json_fail(in, mark.pos, "a stream without labels");
    if (status == FL_OK && *sound && !fl_json_ok(in))
        return fl_intake_pass_over(x->to, in, mark, sound, x->err);
    const fl_slice later[] = {parts.values, parts.entries};
    for (size_t i = 0; i < 2 && status == FL_OK && *sound; i++)
        if (later[i].ptr != NULL) { /* it was checked when it was stepped over */
            bool part_sound;
            fl_json part = fl_intake_reader(x->to, later[i], &x->arena);
            status = read_entries(x, &part, &part_sound);
            if (status == FL_OK && part_sound && !fl_json_ok(&part))
                status = fl_intake_refuse_error(x->to, &part.err, mark.pos, 1, x->err);
        }
    return status;
}

static fl_status read_streams(struct loki *x, fl_json *in, bool *sound)
{
    fl_status status = FL_OK;
    if (fl_json_enter_array(in))
        while (status == FL_OK && *sound && fl_json_next_element(in))
            status = read_stream(x, in, sound);
    return status;
}

/* After the last value, or after what breaks it. */
static fl_status finish(struct loki *x, fl_json *in, fl_status status, bool sound)
{
    if (status == FL_OK && sound && fl_json_ok(in))
        (void)fl_json_finish(in);
    if (status == FL_OK && sound && !fl_json_ok(in))
        status = fl_intake_refuse_error(x->to, &in->err, 0, 1, x->err);
    fl_loki_close(x);
    return status;
}

/* The key of the first member; empty where the bytes begin no object. */
static fl_slice first_key(fl_slice body, fl_arena *arena)
{
    fl_json in = fl_json_over(body, arena);
    fl_slice key = {0};
    if (fl_json_peek(&in) != FL_JSON_OBJECT || !fl_json_enter_object(&in) ||
        !fl_json_next_member(&in, &key))
        key.len = 0;
    return key;
}

fl_status fl_loki_json(fl_intake *to, fl_slice body, fl_error *err)
{
    struct loki x;
    fl_slice key;
    fl_status status = FL_OK;
    bool sound = true;
    body = fl_intake_text(body);
    fl_loki_open(&x, to, body, true, err);
    if (!fl_slice_equal(first_key(body, &x.arena), FL_SLICE("streams"))) {
        fl_loki_close(&x);
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "%s holds no push to Loki", to->source);
    }
    fl_json in = fl_json_over(body, &x.arena);
    (void)fl_json_enter_object(&in);
    while (status == FL_OK && sound && fl_json_next_member(&in, &key))
        if (fl_slice_equal(key, FL_SLICE("streams")) && !fl_json_null(&in))
            status = read_streams(&x, &in, &sound);
        else if (!fl_slice_equal(key, FL_SLICE("streams")))
            fl_json_skip(&in);
    return finish(&x, &in, status, sound);
}

/* ---- answers ---- */

struct summary {
    bool is_error, is_streams;
    char error[160];
};

static void keep_error(struct summary *out, fl_slice text)
{
    size_t len = text.len < sizeof(out->error) - 1 ? text.len : sizeof(out->error) - 1;
    if (len > 0)
        memcpy(out->error, text.ptr, len);
    out->error[len] = '\0';
}

/* Whether the next value, a result, begins with a stream, or holds nothing. */
static bool begins_with_stream(fl_json in)
{
    fl_slice key;
    if (!fl_json_enter_array(&in))
        return false;
    if (!fl_json_next_element(&in))
        return true;
    if (fl_json_peek(&in) != FL_JSON_OBJECT || !fl_json_enter_object(&in))
        return false;
    while (fl_json_next_member(&in, &key)) {
        if (fl_slice_equal(key, FL_SLICE("stream")) || fl_slice_equal(key, FL_SLICE("labels")))
            return true;
        fl_json_skip(&in);
    }
    return false;
}

static fl_status read_data(struct loki *x, fl_json *in, struct summary *summary, bool *sound)
{
    fl_slice key;
    fl_status status = FL_OK;
    (void)fl_json_enter_object(in);
    while (status == FL_OK && *sound && fl_json_next_member(in, &key))
        if (fl_slice_equal(key, FL_SLICE("result")) && begins_with_stream(*in)) {
            summary->is_streams = true;
            status = read_streams(x, in, sound);
        } else {
            fl_json_skip(in);
        }
    return status;
}

static fl_status read_top(struct loki *x, fl_json *in, struct summary *summary, bool *sound)
{
    fl_slice key;
    fl_status status = FL_OK;
    if (fl_json_peek(in) != FL_JSON_OBJECT || !fl_json_enter_object(in))
        return FL_OK;
    while (status == FL_OK && *sound && fl_json_next_member(in, &key)) {
        if (fl_slice_equal(key, FL_SLICE("data")) && fl_json_peek(in) == FL_JSON_OBJECT)
            status = read_data(x, in, summary, sound);
        else if (fl_slice_equal(key, FL_SLICE("status")))
            summary->is_error = fl_slice_equal(fl_json_string(in), FL_SLICE("error"));
        else if (fl_slice_equal(key, FL_SLICE("error")))
            keep_error(summary, fl_json_string(in));
        else
            fl_json_skip(in);
    }
    return status;
}

fl_status fl_loki_answer(fl_intake *to, fl_slice body, fl_error *err)
{
    struct loki x;
    struct summary summary = {0};
    bool sound = true;
    body = fl_intake_text(body);
    fl_loki_open(&x, to, body, true, err);
    fl_json in = fl_json_over(body, &x.arena);
    fl_status status = read_top(&x, &in, &summary, &sound);
    bool is_other = status == FL_OK && sound && !summary.is_streams;
    if (!is_other && !summary.is_error)
        return finish(&x, &in, status, sound);
    bool no_memory = in.err.status == FL_E_NOMEM;
    fl_loki_close(&x);
    if (no_memory)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "%s: out of memory", to->source);
    if (summary.is_error)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "%s: the server answered: %s", to->source,
                       summary.error);
    return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "%s holds no answer of Loki", to->source);
}
