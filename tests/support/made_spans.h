/*
 * made_spans.h - a timeline of hand-made spans and lines, for tests of what reads it. Spans are
 * added in the order that a timeline has: by trace, then start.
 */
#ifndef FL_MADE_SPANS_H
#define FL_MADE_SPANS_H

#include <math.h>
#include <stdio.h>

#include "faultline/record.h"
#include "faultline/timeline.h"
#include "fl_test.h"

enum {
    MADE_SPANS = 512,
    MADE_LOGS = 2048,
    MADE_NAMES = 64,
    MADE_WINDOWS = 16,
    MADE_NAME_BYTES = 48
};
#define MADE_MS     INT64_C(1000000)
#define MADE_MINUTE (INT64_C(60000) * MADE_MS)

struct made_spans {
    fl_timeline timeline;
    fl_span_row spans[MADE_SPANS];
    fl_span_log logs[MADE_LOGS];
    fl_operation operations[MADE_NAMES];
    fl_template templates[MADE_NAMES];
    fl_window windows[MADE_WINDOWS];
    fl_entity entities[MADE_NAMES];
    const char *services[MADE_NAMES];
    char names[2 * MADE_NAMES][MADE_NAME_BYTES];
    size_t name_count;
    uint64_t trace;
};

static inline void made_init(struct made_spans *m, size_t baseline, size_t incident)
{
    *m = (struct made_spans){0};
    fl_timeline *t = &m->timeline;
    t->step_ns = MADE_MINUTE;
    t->at_ns = (int64_t)baseline * MADE_MINUTE;
    t->windows = m->windows;
    t->window_count = baseline + incident;
    ck_assert_uint_le(t->window_count, MADE_WINDOWS);
    for (size_t w = 0; w < t->window_count; w++)
        m->windows[w] = (fl_window){.from_ns = (int64_t)w * MADE_MINUTE,
                                    .to_ns = (int64_t)(w + 1) * MADE_MINUTE,
                                    .incident = w >= baseline};
    t->services = m->services;
    t->entities = m->entities;
    t->operations = m->operations;
    t->spans = m->spans;
    t->span_logs = m->logs;
    t->templates = m->templates;
    t->span_sampling = t->log_sampling = 1;
}

static inline const char *made_name(struct made_spans *m, const char *text)
{
    ck_assert_uint_lt(m->name_count, 2 * MADE_NAMES);
    snprintf(m->names[m->name_count], MADE_NAME_BYTES, "%s", text);
    return m->names[m->name_count++];
}

/* Numbers are given in order of appearance: tests add services in the order of their names. */
static inline uint32_t made_service(struct made_spans *m, const char *name)
{
    fl_timeline *t = &m->timeline;
    for (uint32_t i = 0; i < t->service_count; i++)
        if (strcmp(m->services[i], name) == 0)
            return i;
    ck_assert_uint_lt(t->service_count, MADE_NAMES);
    m->services[t->service_count] = made_name(m, name);
    m->entities[t->entity_count++] = (fl_entity){.service = (uint32_t)t->service_count};
    return (uint32_t)t->service_count++;
}

/* "service/operation"; "service/" is the operation of spans that only their lines tell of. */
static inline uint32_t made_operation(struct made_spans *m, const char *path)
{
    fl_timeline *t = &m->timeline;
    char service[MADE_NAME_BYTES];
    const char *slash = strchr(path, '/');
    snprintf(service, sizeof(service), "%.*s", (int)(slash - path), path);
    uint32_t number = made_service(m, service);
    for (uint32_t i = 0; i < t->operation_count; i++) {
        const char *name = m->operations[i].name != NULL ? m->operations[i].name : "";
        if (m->operations[i].service == number && strcmp(name, slash + 1) == 0)
            return i;
    }
    ck_assert_uint_lt(t->operation_count, MADE_NAMES);
    m->operations[t->operation_count] = (fl_operation){
        .service = number, .name = slash[1] != '\0' ? made_name(m, slash + 1) : NULL};
    return (uint32_t)t->operation_count++;
}

/* Spans that follow are of another trace. */
static inline void made_trace(struct made_spans *m)
{
    m->trace++;
}

/* `start_ms` is within the window, negative durations mean a span that only its lines tell of. */
static inline uint32_t made_span(struct made_spans *m, uint32_t parent, const char *path,
                                 uint32_t window, double start_ms, double duration_ms)
{
    fl_timeline *t = &m->timeline;
    ck_assert_uint_lt(t->span_count, MADE_SPANS);
    ck_assert_uint_lt(window, t->window_count);
    uint32_t operation = made_operation(m, path);
    m->spans[t->span_count] =
        (fl_span_row){.trace = m->trace,
                      .id = t->span_count + 1,
                      .parent = parent,
                      .window = window,
                      .operation = operation,
                      .entity = m->operations[operation].service,
                      .kind = FL_SPAN_UNSPECIFIED,
                      .start_ns = m->windows[window].from_ns + (int64_t)(start_ms * 1e6),
                      .duration_ns = duration_ms < 0 ? -1 : (int64_t)(duration_ms * 1e6)};
    if (duration_ms >= 0) {
        m->windows[window].has_spans = true;
        t->span_records++;
    }
    return (uint32_t)t->span_count++;
}

static inline uint32_t made_template(struct made_spans *m, const char *text, bool is_error)
{
    fl_timeline *t = &m->timeline;
    for (uint32_t i = 0; i < t->template_count; i++)
        if (strcmp(m->templates[i].text, text) == 0 && m->templates[i].is_error == is_error)
            return i;
    ck_assert_uint_lt(t->template_count, MADE_NAMES);
    m->templates[t->template_count] = (fl_template){.id = t->template_count + 1,
                                                    .text = made_name(m, text),
                                                    .severity = is_error ? 17 : 9,
                                                    .is_error = is_error};
    return (uint32_t)t->template_count++;
}

/* Lines are added in the order of their spans, then time. */
static inline void made_log(struct made_spans *m, uint32_t span, const char *text, bool is_error)
{
    fl_timeline *t = &m->timeline;
    ck_assert_uint_lt(t->span_log_count, MADE_LOGS);
    ck_assert(t->span_log_count == 0 || m->logs[t->span_log_count - 1].span <= span);
    m->logs[t->span_log_count++] = (fl_span_log){.span = span,
                                                 .template_index = made_template(m, text, is_error),
                                                 .time_ns = m->spans[span].start_ns};
    m->windows[m->spans[span].window].has_logs = true;
    t->log_records++;
}

#endif
