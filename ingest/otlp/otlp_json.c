/*
 * otlp_json.c - the walk from a JSON request down to its records, and how it goes on after damage.
 *
 *   request  := { "resourceSpans" | "resourceLogs" | "resourceMetrics": [ resource* ] }
 *   resource := { "resource": {...}, "scopeSpans" | "scopeLogs" | "scopeMetrics": [ scope* ] }
 *   scope    := { "spans" | "logRecords" | "metrics": [ record* ] }
 *
 * Members come in any order and unknown ones are skipped. An array's element that cannot be read is
 * rejected, its end found by brackets and quotes alone, and the walk goes on behind it; so that a
 * record costs itself whether it has a wrong type, invalid UTF-8 or 100,000 brackets. Where no end
 * is found the rest of the request is lost, which is one reject.
 *
 * States of the walk, in the order in which they win:
 *   status != FL_OK   the sink, strict mode or memory ended the reading: every loop is left
 *   broken            the end of some value could not be found, and that was reported: likewise
 *   failed reader     one element is at fault; fl_otlp_json_each() finds its end and goes on
 *   discard           the resource could not be read: its records are counted and not pushed
 *
 * The resource names the service of every record below it, so scopes that stand before it are
 * stepped over, remembered as a reader that stands there, and walked at the end of the block.
 *
 * Cost: a value that is stepped over is looked at a second time, and each damaged element once more
 * from its start to its end; a file without either is read once.
 */
#include <assert.h>

#include "otlp_priv.h"

typedef struct fl_otlp_shape {
    fl_slice resources, scopes, records;
    const char *what; /* one record, for rejects */
    fl_otlp_json_fn *read_record, *read_scope, *read_resource;
} fl_otlp_shape;

/* --- the end of a value --- */

enum { ORDINARY, QUOTE, OPEN_BRACE, OPEN_BRACKET, CLOSE_BRACE, CLOSE_BRACKET };

static const unsigned char classes[256] = {
    ['"'] = QUOTE,       ['{'] = OPEN_BRACE,    ['['] = OPEN_BRACKET,
    ['}'] = CLOSE_BRACE, [']'] = CLOSE_BRACKET,
};

/* Behind the closing quote of the string that opens at `at`, or 0. */
static size_t string_end(fl_slice bytes, size_t at)
{
    for (size_t i = at + 1; i < bytes.len; i++) {
        const unsigned char *quote = memchr(bytes.ptr + i, '"', bytes.len - i);
        if (quote == NULL)
            return 0;
        size_t end = (size_t)(quote - bytes.ptr), slash = end;
        while (slash > i && bytes.ptr[slash - 1] == '\\')
            slash--;
        if ((end - slash) % 2 == 0)
            return end + 1;
        i = end;
    }
    return 0;
}

/* Note what was opened at `depth`; false where that is deeper than is kept track of. */
static bool push_bracket(fl_otlp *otlp, size_t depth, bool is_brace)
{
    if (depth >= FL_OTLP_MAX_BRACKETS)
        return false;
    uint64_t bit = UINT64_C(1) << depth % 64;
    if (is_brace)
        otlp->brackets[depth / 64] |= bit;
    else
        otlp->brackets[depth / 64] &= ~bit;
    return true;
}

/* False where the innermost open bracket is of the other kind. */
static bool pop_bracket(const fl_otlp *otlp, size_t depth, bool is_brace)
{
    return (otlp->brackets[depth / 64] >> depth % 64 & 1) == (is_brace ? 1u : 0u);
}

/* Behind the bracket that closes the container that opens at `at`, or 0. */
static size_t container_end(fl_otlp *otlp, fl_slice bytes, size_t at)
{
    size_t depth = 0;
    for (size_t i = at; i < bytes.len;) {
        unsigned class = classes[bytes.ptr[i]];
        switch (class) {
        case ORDINARY:
            i++;
            continue;
        case QUOTE:
            i = string_end(bytes, i);
            if (i == 0)
                return 0;
            continue;
        case OPEN_BRACE:
        case OPEN_BRACKET:
            if (!push_bracket(otlp, depth, class == OPEN_BRACE))
                return 0;
            depth++;
            break;
        default:
            depth--;
            if (!pop_bracket(otlp, depth, class == CLOSE_BRACE))
                return 0;
            if (depth == 0)
                return i + 1;
        }
        i++;
    }
    return 0;
}

/* Behind a number or a word: at the comma or bracket that ends it. */
static size_t word_end(fl_slice bytes, size_t at)
{
    size_t i = at;
    while (i < bytes.len && bytes.ptr[i] != ',' && classes[bytes.ptr[i]] == ORDINARY)
        i++;
    return i < bytes.len && i > at ? i : 0;
}

size_t fl_otlp_json_end(fl_otlp *otlp, fl_slice bytes, size_t at)
{
    while (at < bytes.len && strchr(" \t\r\n", bytes.ptr[at]) != NULL && bytes.ptr[at] != '\0')
        at++;
    if (at >= bytes.len)
        return 0;
    switch (classes[bytes.ptr[at]]) {
    case QUOTE:
        return string_end(bytes, at);
    case OPEN_BRACE:
    case OPEN_BRACKET:
        return container_end(otlp, bytes, at);
    case ORDINARY:
        return word_end(bytes, at);
    default:
        return 0;
    }
}

/* --- going on after damage --- */

/* Stand behind the value at `mark` as if it had been read. */
static bool step_over(fl_otlp *otlp, fl_json *in, fl_json_mark mark)
{
    size_t end = fl_otlp_json_end(otlp, in->bytes, mark.pos);
    if (end == 0)
        return false;
    mark.pos = end;
    mark.first = false;
    fl_json_rewind(in, mark);
    return true;
}

/* All loops over this reader end. */
static void stop(fl_json *in)
{
    fl_json_fail(in, in->pos, "stopped");
}

void fl_otlp_json_take(fl_json *in, const fl_error *why)
{
    assert(why->status != FL_OK);
    fl_json_fail(in, why->offset, "%s", why->message);
    in->err.status = why->status;
}

void fl_otlp_json_adopt(const fl_otlp *otlp, fl_json *in, const fl_json *later)
{
    if (otlp->status != FL_OK || otlp->broken)
        stop(in);
    else if (later->err.status != FL_OK)
        fl_otlp_json_take(in, &later->err);
}

/* One reject for all that cannot be reached any more. Where the file itself is torn, the file's
 * reject says so. */
static void report_broken(fl_otlp *otlp, const fl_json *in, const char *what)
{
    assert(!fl_json_ok(in) && !otlp->broken);
    otlp->broken = true;
    if (!otlp->input_torn)
        fl_otlp_reject(otlp, in->err.offset, 1, "%s: %s; the rest is lost", what, in->err.message);
}

/* After a failure in an element: true when the walk can go on behind it. */
static bool recover(fl_otlp *otlp, fl_json *in, fl_json_mark mark, const char *what)
{
    assert(!fl_json_ok(in));
    if (otlp->status != FL_OK || otlp->broken)
        return false;
    if (in->err.status == FL_E_NOMEM) {
        fl_otlp_nomem(otlp);
        return false;
    }
    fl_error why = in->err;
    if (!step_over(otlp, in, mark)) {
        report_broken(otlp, in, what);
        return false;
    }
    fl_otlp_reject(otlp, why.offset, 1, "%s: %s", what, why.message);
    if (otlp->status != FL_OK)
        stop(in);
    return otlp->status == FL_OK;
}

void fl_otlp_json_defer(fl_otlp *otlp, fl_json *in, fl_json *later)
{
    *later = *in;
    if (!step_over(otlp, in, fl_json_here(in)))
        fl_json_fail(in, in->pos, "the input ends inside a value");
}

void fl_otlp_json_each(fl_otlp *otlp, fl_json *in, const char *what, fl_otlp_json_fn *read)
{
    if (fl_json_null(in) || !fl_json_enter_array(in))
        return;
    while (fl_json_next_element(in)) {
        fl_json_mark mark = fl_json_here(in);
        read(otlp, in);
        if (otlp->status != FL_OK || otlp->broken)
            stop(in);
        if (!fl_json_ok(in) && !recover(otlp, in, mark, what))
            return;
    }
}

/* --- resources and scopes --- */

/* The attributes only: of the rest nothing is used. They live in the record's arena until pushed.
 */
static void read_resource_members(fl_otlp *otlp, fl_json *in)
{
    fl_slice key;
    fl_otlp_begin(otlp);
    if (fl_json_null(in) || !fl_json_enter_object(in))
        return;
    in->arena = &otlp->record_arena;
    while (fl_json_next_member(in, &key))
        if (FL_OTLP_IS(key, "attributes"))
            fl_otlp_json_attrs(otlp, in, &otlp->attrs);
        else
            fl_json_skip(in);
    in->arena = &otlp->outer_arena;
}

/* Announce the resource. One that cannot be read costs all of its records, in one reject. */
static void read_resource(fl_otlp *otlp, fl_json *in)
{
    fl_json_mark mark = fl_json_here(in);
    read_resource_members(otlp, in);
    in->arena = &otlp->outer_arena;
    if (fl_json_ok(in)) {
        fl_otlp_push_resource(otlp);
        return;
    }
    if (otlp->status != FL_OK || in->err.status == FL_E_NOMEM) {
        fl_otlp_nomem(otlp);
        return;
    }
    fl_error why = in->err;
    if (!step_over(otlp, in, mark))
        return;
    if (!otlp->discard)
        fl_otlp_discard_begin(otlp, why.offset, why.message);
}

/* One element of resourceSpans and its like: the resource, then its scopes. */
static void read_block(fl_otlp *otlp, fl_json *in, const fl_otlp_shape *shape)
{
    fl_slice key;
    fl_json later;
    bool has_resource = false, has_later = false;
    fl_arena_reset(&otlp->outer_arena);
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key)) {
        if (FL_OTLP_IS(key, "resource")) {
            read_resource(otlp, in);
            has_resource = true;
        } else if (!fl_slice_equal(key, shape->scopes)) {
            fl_json_skip(in);
        } else if (has_resource) {
            fl_otlp_json_each(otlp, in, "scope", shape->read_scope);
        } else {
            fl_otlp_json_defer(otlp, in, &later);
            has_later = true;
        }
        if (otlp->status != FL_OK || otlp->broken)
            return;
    }
    if (!has_later || !fl_json_ok(in))
        return;
    if (!has_resource) {
        fl_otlp_begin(otlp);
        fl_otlp_push_resource(otlp);
    }
    fl_otlp_json_each(otlp, &later, "scope", shape->read_scope);
    fl_otlp_json_adopt(otlp, in, &later);
}

/* A discarded resource ends with its block, and is reported with the number it has cost. */
static void read_resources_of(fl_otlp *otlp, fl_json *in, const fl_otlp_shape *shape)
{
    read_block(otlp, in, shape);
    fl_otlp_discard_end(otlp);
}

/* The scope's own name and version are passed over: no record is told apart by them. */
static void read_scope_of(fl_otlp *otlp, fl_json *in, const fl_otlp_shape *shape)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (fl_slice_equal(key, shape->records))
            fl_otlp_json_each(otlp, in, shape->what, shape->read_record);
        else
            fl_json_skip(in);
}

static fl_otlp_json_fn read_span_scope, read_log_scope, read_metric_scope;
static fl_otlp_json_fn read_span_resource, read_log_resource, read_metric_resource;

static const fl_otlp_shape span_shape = {
    .resources = FL_SLICE_INIT("resourceSpans"),
    .scopes = FL_SLICE_INIT("scopeSpans"),
    .records = FL_SLICE_INIT("spans"),
    .what = "span",
    .read_record = fl_otlp_json_span,
    .read_scope = read_span_scope,
    .read_resource = read_span_resource,
};
static const fl_otlp_shape log_shape = {
    .resources = FL_SLICE_INIT("resourceLogs"),
    .scopes = FL_SLICE_INIT("scopeLogs"),
    .records = FL_SLICE_INIT("logRecords"),
    .what = "log record",
    .read_record = fl_otlp_json_log,
    .read_scope = read_log_scope,
    .read_resource = read_log_resource,
};
static const fl_otlp_shape metric_shape = {
    .resources = FL_SLICE_INIT("resourceMetrics"),
    .scopes = FL_SLICE_INIT("scopeMetrics"),
    .records = FL_SLICE_INIT("metrics"),
    .what = "metric",
    .read_record = fl_otlp_json_metric,
    .read_scope = read_metric_scope,
    .read_resource = read_metric_resource,
};

/* fl_otlp_json_each() hands on no payload, so that each signal has two functions of its own. */
static void read_span_scope(fl_otlp *otlp, fl_json *in)
{
    read_scope_of(otlp, in, &span_shape);
}

static void read_log_scope(fl_otlp *otlp, fl_json *in)
{
    read_scope_of(otlp, in, &log_shape);
}

static void read_metric_scope(fl_otlp *otlp, fl_json *in)
{
    read_scope_of(otlp, in, &metric_shape);
}

static void read_span_resource(fl_otlp *otlp, fl_json *in)
{
    read_resources_of(otlp, in, &span_shape);
}

static void read_log_resource(fl_otlp *otlp, fl_json *in)
{
    read_resources_of(otlp, in, &log_shape);
}

static void read_metric_resource(fl_otlp *otlp, fl_json *in)
{
    read_resources_of(otlp, in, &metric_shape);
}

/* --- the request --- */

/* NULL for a member that is none of the three signals. Tempo calls the spans of a trace batches. */
static const fl_otlp_shape *shape_of(fl_slice key)
{
    static const fl_otlp_shape *const shapes[] = {&span_shape, &log_shape, &metric_shape};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (fl_slice_equal(key, shapes[i]->resources))
            return shapes[i];
    return fl_slice_equal(key, FL_SLICE("batches")) ? &span_shape : NULL;
}

/* What Tempo ("trace") and Jaeger ("result") answer has the request inside of one object more. */
static bool is_wrapper(fl_slice key)
{
    return fl_slice_equal(key, FL_SLICE("trace")) || fl_slice_equal(key, FL_SLICE("result"));
}

/* Members of several signals in one object are all read. */
static void read_signal(fl_otlp *otlp, fl_json *in, fl_slice key)
{
    const fl_otlp_shape *shape = shape_of(key);
    if (shape == NULL) {
        fl_json_skip(in);
        return;
    }
    otlp->found = true;
    fl_otlp_json_each(otlp, in, "resource", shape->read_resource);
}

static void read_request(fl_otlp *otlp, fl_json *in)
{
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key))
        if (is_wrapper(key) && fl_json_peek(in) == FL_JSON_OBJECT) {
            (void)fl_json_enter_object(in);
            while (fl_json_next_member(in, &key))
                read_signal(otlp, in, key);
        } else {
            read_signal(otlp, in, key);
        }
    fl_json_finish(in);
}

fl_status fl_otlp_json(fl_otlp *otlp, fl_slice request, const char *source, uint64_t line,
                       uint64_t offset, fl_error *err)
{
    assert(source != NULL && !otlp->discard);
    otlp->source = source;
    otlp->line = line;
    otlp->base = offset;
    otlp->err = err;
    otlp->status = FL_OK;
    otlp->broken = false;
    fl_arena_reset(&otlp->outer_arena);
    fl_json in = fl_json_over(request, &otlp->outer_arena);
    read_request(otlp, &in);
    if (!fl_json_ok(&in) && otlp->status == FL_OK && !otlp->broken) {
        if (in.err.status == FL_E_NOMEM)
            fl_otlp_nomem(otlp);
        else
            report_broken(otlp, &in, "request");
    }
    return otlp->status;
}
