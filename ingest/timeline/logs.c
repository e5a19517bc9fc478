/*
 * logs.c - log records into rows of 56 bytes and one example line per service and form.
 */
#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "hash.h"
#include "slice.h"
#include "timeline_priv.h"

enum { MAX_EXAMPLE_BYTES = 240 }; /* about three lines of a terminal */

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_logs(const void *left, const void *right)
{
    const struct raw_log *a = left, *b = right;
    if (a->trace != b->trace)
        return COMPARE(a->trace, b->trace);
    if (a->span != b->span)
        return COMPARE(a->span, b->span);
    if (a->time_ns != b->time_ns)
        return COMPARE(a->time_ns, b->time_ns);
    if (a->content != b->content)
        return COMPARE(a->content, b->content);
    return a->entity != b->entity ? COMPARE(a->entity, b->entity)
                                  : COMPARE(a->severity, b->severity);
}

static uint64_t trace_of(const void *row)
{
    return ((const struct raw_log *)row)->trace;
}

static uint64_t span_of(const void *row)
{
    return ((const struct raw_log *)row)->span;
}

static uint64_t time_of(const void *row)
{
    return fl_sort_number(((const struct raw_log *)row)->time_ns);
}

const fl_row_order fl_tl_log_order = {.numbers = {trace_of, span_of, time_of},
                                      .compare = compare_logs};

/* A record without a trace stands for itself. */
uint64_t fl_tl_log_key(const void *row)
{
    const struct raw_log *log = row;
    return log->trace != 0 ? log->trace : fl_hash_mix(log->content ^ (uint64_t)log->time_ns);
}

/* Room for `len` bytes of text; false where there is none, for an example is a courtesy. */
static bool make_room(fl_timeline_builder *b, struct raw_example *example, size_t len)
{
    if (len <= example->capacity)
        return true;
    unsigned char *room = fl_arena_bytes(&b->text, MAX_EXAMPLE_BYTES);
    if (room == NULL)
        return false;
    example->text = room;
    example->capacity = MAX_EXAMPLE_BYTES;
    return true;
}

/* Keep `line` as the example where it ranks before the one that is there. */
static fl_status keep_example(fl_timeline_builder *b, const struct raw_log *row, fl_slice line,
                              fl_error *err)
{
    assert(row->entity < b->entity_count && row->form < UINT32_MAX / 2);
    bool in_incident = fl_tl_is_incident(b, row->time_ns), added;
    fl_sym service = b->entities[row->entity].service;
    uint64_t *slot = NULL, id = fl_tl_example_id(service, row->form, in_incident);
    fl_error quiet = {0};
    fl_status status =
        fl_tl_grow((void **)&b->examples, b->example_count, sizeof(*b->examples), err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, b->example_ids, id, &added, &quiet);
    if (status == FL_E_LIMIT)
        return FL_OK;
    if (status != FL_OK)
        return fl_fail(err, status, FL_NO_OFFSET, "no memory for example lines");
    if (added) {
        *slot = b->example_count;
        b->examples[b->example_count++] = (struct raw_example){.in_incident = in_incident};
    }
    struct raw_example *example = &b->examples[*slot];
    uint64_t key = fl_tl_log_key(row);
    if (example->is_set &&
        (key > example->key || (key == example->key && row->content >= example->content)))
        return FL_OK;
    size_t len = fl_tl_cut(line, MAX_EXAMPLE_BYTES).len;
    if (!make_room(b, example, len))
        return FL_OK;
    if (len > 0)
        memcpy(example->text, line.ptr, len);
    example->len = len;
    example->key = key;
    example->content = row->content;
    example->is_set = true;
    return FL_OK;
}

fl_status fl_tl_add_line(const struct source *source, uint32_t entity, const fl_log *log,
                         fl_slice line, fl_error *err)
{
    fl_timeline_builder *b = source->builder;
    struct raw_log row = {.trace = fl_tl_trace_hash(log->trace),
                          .span = log->span,
                          .time_ns = log->time_ns,
                          .content = fl_hash_stable(line),
                          .entity = entity,
                          .severity = (uint32_t)log->severity};
    bool wanted;
    fl_status status = fl_tl_note_time(&wanted, source, log->time_ns, err);
    if (status != FL_OK || !wanted || !fl_sampler_wants(&b->logs, fl_tl_log_key(&row)))
        return status;
    const fl_line_classifier *classifier = &b->options.classifier;
    status = classifier->classify(&row.form, classifier->payload, b->entities[entity].service, line,
                                  log->severity, err);
    if (status == FL_OK && b->throws != NULL)
        status = fl_tl_note_thrown(b, row.form, b->throws, err);
    if (status == FL_OK)
        status = keep_example(b, &row, line, err);
    return status == FL_OK ? fl_sampler_add(&b->logs, &row, err) : status;
}

static fl_slice text_of(const fl_attr *attr)
{
    return attr->value.kind == FL_VALUE_STRING ? attr->value.text : (fl_slice){0};
}

/* Structured logging keeps the code location and the exception in attributes: put them where a
 * line of text would have them, "file.go:12 body: Type". False where there are none. */
static bool spell_out(fl_buf *line, const fl_log *log, const struct thrown *thrown)
{
    fl_slice file = {0};
    int64_t number = 0;
    for (size_t i = 0; i < log->attrs.count; i++) {
        const fl_attr *attr = &log->attrs.items[i];
        if (fl_slice_equal(attr->key, FL_SLICE("code.file.path")))
            file = text_of(attr);
        else if (fl_slice_equal(attr->key, FL_SLICE("code.line.number")))
            number = attr->value.number;
    }
    if (file.len == 0 && thrown->type.len == 0 && thrown->message.len == 0)
        return false;
    while (file.len > 0 && memchr(file.ptr, '/', file.len) != NULL)
        file = (fl_slice){.ptr = file.ptr + 1, .len = file.len - 1}; /* the base name */
    fl_buf_clear(line);
    if (file.len > 0 && number > 0)
        fl_buf_printf(line, "%.*s:%lld ", FL_SLICE_ARG(file), (long long)number);
    else if (thrown->location.len > 0)
        fl_buf_printf(line, "%.*s ", FL_SLICE_ARG(thrown->location));
    fl_buf_add(line, log->body);
    if (thrown->type.len > 0)
        fl_buf_printf(line, ": %.*s", FL_SLICE_ARG(thrown->type));
    if (thrown->message.len > 0)
        fl_buf_printf(line, ": %.*s", FL_SLICE_ARG(thrown->message));
    return line->status == FL_OK;
}

fl_status fl_tl_push_log(void *payload, uint32_t entity, const fl_log *log, fl_error *err)
{
    const struct source *source = payload;
    fl_timeline_builder *b = source->builder;
    if (entity == FL_NO_INDEX) {
        b->over_budget++;
        return FL_OK;
    }
    if (log->attrs.count == 0)
        return fl_tl_add_line(source, entity, log, log->body, err);
    struct thrown thrown;
    b->throws = fl_tl_thrown_of(&thrown, b, &log->attrs) ? &thrown : NULL;
    fl_slice line = spell_out(&b->line, log, &thrown) ? fl_buf_slice(&b->line) : log->body;
    fl_status status = fl_tl_note_changes(b, entity, &log->attrs, log->time_ns, err);
    if (status == FL_OK)
        status = fl_tl_add_line(source, entity, log, line, err);
    b->throws = NULL;
    return status;
}
