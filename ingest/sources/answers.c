/*
 * answers.c - one walk over the outer object, one reader for what stands inside of it.
 *
 * An answer that says an error has no data, so what was handed out before the error is met is
 * nothing. Texts with escapes are in the caller's arena, which is reset with each item.
 */
#include "answers.h"

#include <assert.h>
#include <string.h>

#include "json.h"
#include "quote.h"
#include "slice.h"
#include "spans.h"
#include "timestamp.h"

#define IS(key, text) fl_slice_equal(key, FL_SLICE(text))

/* An answer while it is read. */
struct reading {
    fl_json in;
    bool is_error;
    char error[FL_QUOTE_TEXT];
    fl_status status; /* of `each` */
    fl_error *err;
    void *payload;
};

/* A member of the outer object; true where it was read. */
typedef bool member_reader(struct reading *r, fl_slice key, const void *how);

/* Strings only: "error" of a success is null or absent. */
static void read_error(struct reading *r, fl_slice key)
{
    fl_json *in = &r->in;
    if (fl_json_peek(in) != FL_JSON_STRING) {
        fl_json_skip(in);
        return;
    }
    fl_slice text = fl_json_string(in);
    if (IS(key, "status"))
        r->is_error |= IS(text, "error");
    else
        (void)fl_quote(r->error, text);
}

/* The status of `each` is worth more than what the reader then says of an unfinished walk. */
static fl_status read_answer(struct reading *r, fl_slice body, fl_arena *text,
                             member_reader *member, const void *how)
{
    fl_slice key;
    fl_arena_reset(text);
    r->in = fl_json_over(body, text);
    if (fl_json_enter_object(&r->in))
        while (r->status == FL_OK && fl_json_next_member(&r->in, &key)) {
            if (IS(key, "status") || IS(key, "error"))
                read_error(r, key);
            else if (!member(r, key, how))
                fl_json_skip(&r->in);
        }
    if (r->status != FL_OK)
        return r->status;
    if (fl_json_ok(&r->in))
        (void)fl_json_finish(&r->in);
    if (!fl_json_ok(&r->in))
        return fl_fail(r->err, r->in.err.status, r->in.err.offset, "%s", r->in.err.message);
    if (r->is_error)
        return fl_fail(r->err, FL_E_IO, FL_NO_OFFSET, "it says an error: %s", r->error);
    return FL_OK;
}

/* ---- names ---- */

/* Jaeger answers null where it knows of none. */
static bool names_member(struct reading *r, fl_slice key, const void *how)
{
    fl_answer_name *const *each = how;
    fl_json *in = &r->in;
    if (!IS(key, "data") && !IS(key, "tagValues"))
        return false;
    if (fl_json_null(in) || !fl_json_enter_array(in))
        return true;
    while (r->status == FL_OK && fl_json_next_element(in)) {
        fl_arena_reset(in->arena);
        fl_slice name = fl_json_string(in);
        if (fl_json_ok(in))
            r->status = (*each)(r->payload, name, r->err);
    }
    return true;
}

fl_status fl_answer_names(fl_slice body, fl_arena *text, fl_answer_name *each, void *payload,
                          fl_error *err)
{
    struct reading r = {.payload = payload, .err = err};
    assert(text != NULL && each != NULL);
    return read_answer(&r, body, text, names_member, &each);
}

/* ---- label sets ---- */

/* A label without a value is none, as Prometheus has it. */
static void read_labels(fl_labels *labels, fl_json *in)
{
    fl_slice name;
    fl_labels_clear(labels);
    if (fl_json_enter_object(in))
        while (fl_json_next_member(in, &name)) {
            fl_slice value = fl_json_string(in);
            if (fl_json_ok(in))
                fl_labels_add(labels, name, value);
        }
}

static bool series_member(struct reading *r, fl_slice key, const void *how)
{
    fl_answer_labels *const *each = how;
    fl_labels labels = {.count = 0};
    fl_json *in = &r->in;
    if (!IS(key, "data"))
        return false;
    if (fl_json_null(in) || !fl_json_enter_array(in))
        return true;
    while (r->status == FL_OK && fl_json_next_element(in)) {
        fl_arena_reset(in->arena);
        read_labels(&labels, in);
        if (fl_json_ok(in))
            r->status = (*each)(r->payload, &labels, r->err);
    }
    return true;
}

fl_status fl_answer_series(fl_slice body, fl_arena *text, fl_answer_labels *each, void *payload,
                           fl_error *err)
{
    struct reading r = {.payload = payload, .err = err};
    assert(text != NULL && each != NULL);
    return read_answer(&r, body, text, series_member, &each);
}

/* ---- traces ---- */

/* What a search shows of the spans that matched is stepped over: the trace is asked for anyway. */
static void read_found(fl_found_trace *found, fl_json *in)
{
    fl_slice key;
    size_t at = in->pos;
    *found = (fl_found_trace){0};
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key)) {
        size_t value_at = in->pos;
        if (IS(key, "traceID") || IS(key, "traceId")) {
            fl_slice id = fl_json_string(in);
            if (fl_json_ok(in) && !fl_trace_id_parse(&found->id, id))
                fl_json_fail(in, value_at, "a trace id is not hexadecimal");
        } else if (IS(key, "startTimeUnixNano"))
            found->start_ns = fl_json_i64(in);
        else if (IS(key, "rootServiceName"))
            found->service = fl_json_string(in);
        else
            fl_json_skip(in);
    }
    if (fl_json_ok(in) && found->id.hi == 0 && found->id.lo == 0)
        fl_json_fail(in, at, "a trace without an id");
}

static bool traces_member(struct reading *r, fl_slice key, const void *how)
{
    fl_answer_trace *const *each = how;
    fl_found_trace found;
    fl_json *in = &r->in;
    if (!IS(key, "traces"))
        return false;
    if (fl_json_null(in) || !fl_json_enter_array(in))
        return true;
    while (r->status == FL_OK && fl_json_next_element(in)) {
        fl_arena_reset(in->arena);
        read_found(&found, in);
        if (fl_json_ok(in))
            r->status = (*each)(r->payload, &found, r->err);
    }
    return true;
}

fl_status fl_answer_traces(fl_slice body, fl_arena *text, fl_answer_trace *each, void *payload,
                           fl_error *err)
{
    struct reading r = {.payload = payload, .err = err};
    assert(text != NULL && each != NULL);
    return read_answer(&r, body, text, traces_member, &each);
}

/* ---- version and time ---- */

/* At the top, or one level down; a version that is no text is none. */
static bool version_member(struct reading *r, fl_slice key, const void *how)
{
    char *out = r->payload;
    fl_json *in = &r->in;
    fl_slice inner;
    (void)how;
    if (IS(key, "version") && fl_json_peek(in) == FL_JSON_STRING) {
        char shown[FL_QUOTE_TEXT];
        (void)fl_quote(shown, fl_json_string(in));
        size_t len = strlen(shown) < FL_VERSION_TEXT ? strlen(shown) : FL_VERSION_TEXT - 1;
        memcpy(out, shown, len);
        out[len] = '\0';
        return true;
    }
    if (!IS(key, "data") || fl_json_peek(in) != FL_JSON_OBJECT || !fl_json_enter_object(in))
        return false;
    while (fl_json_next_member(in, &inner))
        if (!IS(inner, "version") || !version_member(r, inner, NULL))
            fl_json_skip(in);
    return true;
}

fl_status fl_answer_version(char out[FL_VERSION_TEXT], fl_slice body, fl_arena *text, fl_error *err)
{
    struct reading r = {.payload = out, .err = err};
    assert(text != NULL);
    out[0] = '\0';
    return read_answer(&r, body, text, version_member, NULL);
}

/* [ seconds, "value" ]: the value, which is what was asked for. */
static void read_scalar(int64_t *out_ns, fl_json *in)
{
    size_t at = in->pos;
    if (!fl_json_enter_array(in))
        return;
    bool has_time = fl_json_next_element(in);
    if (has_time)
        fl_json_skip(in);
    bool has_value = has_time && fl_json_next_element(in);
    double seconds = has_value ? fl_json_double(in) : 0;
    if (fl_json_ok(in) && (!has_value || fl_json_next_element(in) || !(seconds >= 0) ||
                           seconds >= (double)INT64_MAX / (double)FL_NS_PER_S))
        fl_json_fail(in, at, "a scalar is not [seconds, a time]");
    if (fl_json_ok(in))
        *out_ns = (int64_t)(seconds * 1000 + 0.5) * FL_NS_PER_MS;
}

static bool time_member(struct reading *r, fl_slice key, const void *how)
{
    fl_json *in = &r->in;
    fl_slice inner;
    (void)how;
    if (!IS(key, "data"))
        return false;
    if (fl_json_enter_object(in))
        while (fl_json_next_member(in, &inner)) {
            if (IS(inner, "result"))
                read_scalar(r->payload, in);
            else
                fl_json_skip(in);
        }
    return true;
}

fl_status fl_answer_time(int64_t *out_ns, fl_slice body, fl_arena *text, fl_error *err)
{
    struct reading r = {.payload = out_ns, .err = err};
    assert(text != NULL);
    *out_ns = 0;
    fl_status status = read_answer(&r, body, text, time_member, NULL);
    if (status == FL_OK && *out_ns == 0)
        return fl_fail(err, FL_E_SYNTAX, 0, "an answer without a time");
    return status;
}

/* ---- figures ---- */

/* A member of the object that comes next, by its path of two names. */
static bool count_member(struct reading *r, fl_slice key, const void *how)
{
    fl_json *in = &r->in;
    fl_slice inner;
    (void)how;
    if (!IS(key, "data") && !IS(key, "headStats"))
        return false;
    if (fl_json_peek(in) != FL_JSON_OBJECT || !fl_json_enter_object(in))
        return false;
    bool is_head = IS(key, "headStats");
    while (fl_json_next_member(in, &inner)) {
        if (is_head && IS(inner, "numSeries"))
            *(uint64_t *)r->payload = fl_json_u64(in);
        else if (is_head || !IS(inner, "headStats") || !count_member(r, inner, NULL))
            fl_json_skip(in);
    }
    return true;
}

fl_status fl_answer_series_count(uint64_t *out, fl_slice body, fl_arena *text, fl_error *err)
{
    struct reading r = {.payload = out, .err = err};
    assert(text != NULL);
    *out = 0;
    return read_answer(&r, body, text, count_member, NULL);
}

/* Lists are looked into no further than to their first element. */
static bool any_member(struct reading *r, fl_slice key, const void *how)
{
    fl_json *in = &r->in;
    fl_slice inner;
    (void)how;
    if (!IS(key, "data") && !IS(key, "result") && !IS(key, "traces") && !IS(key, "tagValues"))
        return false;
    if (fl_json_peek(in) == FL_JSON_ARRAY && fl_json_enter_array(in)) {
        while (fl_json_next_element(in)) {
            *(bool *)r->payload = true;
            fl_json_skip(in);
        }
        return true;
    }
    if (!IS(key, "data") || fl_json_peek(in) != FL_JSON_OBJECT || !fl_json_enter_object(in))
        return false;
    while (fl_json_next_member(in, &inner))
        if (!IS(inner, "result") || !any_member(r, inner, NULL))
            fl_json_skip(in);
    return true;
}

fl_status fl_answer_has_any(bool *out, fl_slice body, fl_arena *text, fl_error *err)
{
    struct reading r = {.payload = out, .err = err};
    assert(text != NULL);
    *out = false;
    return read_answer(&r, body, text, any_member, NULL);
}

/* ---- targets ---- */

/* Discovered labels are what relabelling began with: the labels are what it made of them. */
static void read_target(fl_scraped *target, fl_labels *labels, fl_json *in)
{
    fl_slice key;
    fl_labels_clear(labels);
    *target = (fl_scraped){.labels = labels};
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (IS(key, "labels"))
            read_labels(labels, in);
        else if (IS(key, "scrapeUrl"))
            target->url = fl_json_string(in);
        else if (IS(key, "health"))
            target->is_up = fl_slice_equal(fl_json_string(in), FL_SLICE("up"));
        else
            fl_json_skip(in);
}

static bool targets_member(struct reading *r, fl_slice key, const void *how)
{
    fl_answer_target *const *each = how;
    fl_labels labels = {.count = 0};
    fl_scraped target;
    fl_json *in = &r->in;
    fl_slice inner;
    if (!IS(key, "data"))
        return false;
    if (!fl_json_enter_object(in))
        return true;
    while (r->status == FL_OK && fl_json_next_member(in, &inner)) {
        if (!IS(inner, "activeTargets")) {
            fl_json_skip(in);
            continue;
        }
        if (!fl_json_enter_array(in))
            return true;
        while (r->status == FL_OK && fl_json_next_element(in)) {
            fl_arena_reset(in->arena);
            read_target(&target, &labels, in);
            if (fl_json_ok(in))
                r->status = (*each)(r->payload, &target, r->err);
        }
    }
    return true;
}

fl_status fl_answer_targets(fl_slice body, fl_arena *text, fl_answer_target *each, void *payload,
                            fl_error *err)
{
    struct reading r = {.payload = payload, .err = err};
    assert(text != NULL && each != NULL);
    return read_answer(&r, body, text, targets_member, &each);
}
