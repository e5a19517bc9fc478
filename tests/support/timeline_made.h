/*
 * timeline_made.h - make a timeline out of records written down in a test, and show all of it as
 * text: equal text means equal timelines.
 *
 * Lines are their own templates here; how the miner groups them is the miner's tests' matter.
 */
#ifndef FL_TIMELINE_MADE_H
#define FL_TIMELINE_MADE_H

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "arena.h"
#include "buf.h"
#include "fl_test.h"
#include "hash.h"
#include "intern.h"
#include "slice.h"
#include "timeline_build.h"

#define MADE_SECOND INT64_C(1000000000)
#define MADE_MINUTE (60 * MADE_SECOND)
/* 2023-11-14T22:13:20Z, no whole minute: windows count from the incident, not from the hour. */
#define MADE_AT (1700000000 * MADE_SECOND)

typedef enum made_kind { MADE_SPAN, MADE_LOG, MADE_POINT } made_kind;

typedef struct made_record {
    made_kind kind;
    const char *service, *instance, *node; /* NULL: not given */
    bool baseline;
    fl_span span;
    fl_log log;
    fl_point point;
} made_record;

typedef struct made_timeline {
    fl_timeline_builder *builder;
    fl_roles *roles;
    fl_intern *lines;
    fl_arena arena;
    const fl_timeline *timeline;
    const char *const *edges; /* caller and callee in turns */
    size_t edge_count;
    int64_t at_ns, window_ns, step_ns; /* 0: MADE_AT, 5 minutes, 1 minute */
    fl_slice form;                     /* that all lines are of; empty: each is its own */
} made_timeline;

static inline fl_status made_classify(uint32_t *form, void *payload, uint32_t service,
                                      fl_slice line, int severity, fl_error *err)
{
    made_timeline *made = payload;
    (void)service;
    (void)severity;
    return fl_intern_put(form, made->lines, made->form.len > 0 ? made->form : line, err);
}

static inline fl_status made_begin(made_timeline *made, fl_error *err)
{
    made->arena = fl_arena_of(64u << 20);
    made->at_ns = made->at_ns != 0 ? made->at_ns : MADE_AT;
    made->window_ns = made->window_ns != 0 ? made->window_ns : 5 * MADE_MINUTE;
    made->step_ns = made->step_ns != 0 ? made->step_ns : MADE_MINUTE;
    fl_status status = fl_roles_create(&made->roles, err);
    if (status == FL_OK)
        status = fl_roles_add(
            made->roles,
            SLICE("rules:\n- {match: cpu, unit: '%', role: cpu, scale: share, of: 100}\n"
                  "- {match: duration, role: latency}\n"),
            "made.yaml", err);
    if (status == FL_OK)
        status = fl_intern_create(&made->lines, 64u << 20, err);
    fl_timeline_options options = {.at_ns = made->at_ns,
                                   .window_ns = made->window_ns,
                                   .step_ns = made->step_ns,
                                   .roles = made->roles,
                                   .classifier = {.payload = made, .classify = made_classify}};
    return status == FL_OK ? fl_timeline_create(&made->builder, &options, err) : status;
}

static inline void made_dispose(made_timeline *made)
{
    fl_timeline_destroy(made->builder);
    fl_intern_destroy(made->lines);
    fl_roles_destroy(made->roles);
    fl_arena_dispose(&made->arena);
    *made = (made_timeline){0};
}

static inline fl_status made_push(made_timeline *made, const made_record *record, fl_error *err)
{
    fl_sink sink = fl_timeline_sink(made->builder, record->baseline);
    fl_resource resource = {.service = fl_slice_of(record->service),
                            .instance = fl_slice_of(record->instance),
                            .node = fl_slice_of(record->node)};
    uint32_t handle;
    fl_status status = sink.resource(sink.payload, &resource, &handle, err);
    if (status != FL_OK)
        return status;
    if (record->kind == MADE_SPAN)
        return sink.span(sink.payload, handle, &record->span, err);
    if (record->kind == MADE_LOG)
        return sink.log(sink.payload, handle, &record->log, err);
    return sink.point(sink.payload, handle, &record->point, err);
}

typedef struct made_line {
    fl_slice text;
    uint32_t form;
} made_line;

static inline int made_compare_lines(const void *left, const void *right)
{
    const made_line *a = left, *b = right;
    return fl_slice_compare(a->text, b->text);
}

/* Templates are sorted by text, so that they do not tell in which order the lines came. */
static inline fl_status made_finish(made_timeline *made, fl_error *err)
{
    size_t count = fl_intern_count(made->lines);
    made_line *lines = fl_arena_alloc(&made->arena, count, sizeof(*lines));
    fl_template *templates = fl_arena_alloc(&made->arena, count, sizeof(*templates));
    uint32_t *template_of = fl_arena_alloc(&made->arena, count, sizeof(*template_of));
    if (lines == NULL || templates == NULL || template_of == NULL)
        return FL_E_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        lines[i] = (made_line){fl_intern_text(made->lines, i), i};
    qsort(lines, count, sizeof(*lines), made_compare_lines);
    for (uint32_t i = 0; i < count; i++) {
        template_of[lines[i].form] = i;
        templates[i] = (fl_template){.id = fl_hash_stable(lines[i].text),
                                     .text = fl_arena_cstr(&made->arena, lines[i].text)};
        if (templates[i].text == NULL)
            return FL_E_NOMEM;
    }
    fl_template_list list = {.templates = templates, .count = count, .template_of = template_of};
    return fl_timeline_finish(&made->timeline, made->builder, &list, made->edges, made->edge_count,
                              err);
}

/* All of it at once. On failure nothing is left behind. */
static inline fl_status made_run(made_timeline *made, const made_record *const *records,
                                 size_t count, fl_error *err)
{
    fl_status status = made_begin(made, err);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = made_push(made, records[i], err);
    if (status == FL_OK)
        status = made_finish(made, err);
    if (status != FL_OK)
        made_dispose(made);
    return status;
}

/* ---- as text ---- */

static inline const char *made_text(const char *text)
{
    return text != NULL ? text : "-";
}

static inline void made_dump_values(fl_buf *out, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fl_buf_printf(out, isnan(values[i]) ? " -" : " %.12g", values[i]);
    fl_buf_char(out, '\n');
}

static inline void made_dump_spans(fl_buf *out, const fl_timeline *t)
{
    for (size_t i = 0; i < t->span_count; i++) {
        const fl_span_row *s = &t->spans[i];
        fl_buf_printf(
            out, "span %zu: %016" PRIx64 " %" PRIx64 " of %" PRIx64 " at %+" PRId64 " for %" PRId64,
            i, s->trace, s->id, s->parent_id, s->start_ns - t->at_ns, s->duration_ns);
        fl_buf_printf(out, " operation %u entity %u window %u kind %d%s parent %d\n", s->operation,
                      s->entity, s->window, s->kind, s->is_error ? " error" : "", (int)s->parent);
    }
    for (size_t i = 0; i < t->span_log_count; i++)
        fl_buf_printf(out, "line of span %u: template %u at %+" PRId64 "\n", t->span_logs[i].span,
                      t->span_logs[i].template_index, t->span_logs[i].time_ns - t->at_ns);
}

static inline void made_dump_metrics(fl_buf *out, const fl_timeline *t)
{
    for (size_t i = 0; i < t->metric_series_count; i++) {
        const fl_metric_series *m = &t->metrics[i];
        fl_buf_printf(out, "metric of %u: %s %s {%s} [%s] %s scale %d of %g%s bad %d:", m->entity,
                      m->name, made_text(m->statistic), m->attributes, m->unit,
                      fl_role_name(m->role), (int)m->scale, m->share_of, m->is_host ? " host" : "",
                      m->bad_when);
        made_dump_values(out, m->values, t->window_count);
    }
}

static inline void made_dump(fl_buf *out, const fl_timeline *t)
{
    fl_buf_printf(out, "%" PRIu64 " logs %" PRIu64 " spans %" PRIu64 " points, kept %g and %g\n",
                  t->log_records, t->span_records, t->point_records, t->log_sampling,
                  t->span_sampling);
    for (size_t i = 0; i < t->window_count; i++) {
        const fl_window *w = &t->windows[i];
        fl_buf_printf(out, "window %+" PRId64 "..%+" PRId64 "%s%s%s%s\n", w->from_ns - t->at_ns,
                      w->to_ns - t->at_ns, w->incident ? " incident" : "",
                      w->has_spans ? " spans" : "", w->has_logs ? " logs" : "",
                      w->has_metrics ? " metrics" : "");
    }
    for (size_t i = 0; i < t->service_count; i++)
        fl_buf_printf(out, "service %zu: %s\n", i, t->services[i]);
    for (size_t i = 0; i < t->entity_count; i++)
        fl_buf_printf(out, "entity %zu: service %u instance %s node %s\n", i,
                      t->entities[i].service, made_text(t->entities[i].instance),
                      made_text(t->entities[i].node));
    for (size_t i = 0; i < t->operation_count; i++)
        fl_buf_printf(out, "operation %zu: service %u %s\n", i, t->operations[i].service,
                      made_text(t->operations[i].name));
    made_dump_spans(out, t);
    for (size_t i = 0; i < t->template_count; i++)
        fl_buf_printf(out, "template %zu: %s\n", i, t->templates[i].text);
    for (size_t i = 0; i < t->log_series_count; i++) {
        fl_buf_printf(out, "logs of %u: template %u \"%s\":", t->logs[i].service,
                      t->logs[i].template_index, t->logs[i].example);
        made_dump_values(out, t->logs[i].counts, t->window_count);
    }
    made_dump_metrics(out, t);
    for (size_t i = 0; i < t->topology_count; i++)
        fl_buf_printf(out, "%u calls %u\n", t->topology[i].caller, t->topology[i].callee);
}

/* ---- what tests look for ---- */

static inline uint32_t made_service(const made_timeline *made, const char *name)
{
    for (size_t i = 0; i < made->timeline->service_count; i++)
        if (strcmp(made->timeline->services[i], name) == 0)
            return (uint32_t)i;
    return FL_NO_INDEX;
}

/* The series of a metric, or NULL; statistic NULL is a plain value. */
static inline const fl_metric_series *made_metric(const made_timeline *made, const char *name,
                                                  const char *statistic)
{
    for (size_t i = 0; i < made->timeline->metric_series_count; i++) {
        const fl_metric_series *m = &made->timeline->metrics[i];
        if (strcmp(m->name, name) == 0 &&
            strcmp(made_text(m->statistic), made_text(statistic)) == 0)
            return m;
    }
    return NULL;
}

/* The row of the span with that id (the first of several), or FL_NO_INDEX. */
static inline uint32_t made_span_row(const made_timeline *made, uint64_t id)
{
    for (size_t i = 0; i < made->timeline->span_count; i++)
        if (made->timeline->spans[i].id == id)
            return (uint32_t)i;
    return FL_NO_INDEX;
}

#endif
