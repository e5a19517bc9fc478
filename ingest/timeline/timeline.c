/*
 * timeline.c - the builder's life: create, receive, finish.
 */
#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "mem.h"
#include "slice.h"
#include "timeline_priv.h"

/* The handle is the entity's number, which spans, logs and points then come with. */
static fl_status push_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                               fl_error *err)
{
    const struct source *source = payload;
    fl_status status = fl_tl_entity(handle, source->builder, resource, err);
    return status == FL_OK ? fl_tl_handle(handle, source->builder, *handle, resource, err) : status;
}

static fl_status push_span(void *payload, uint32_t handle, const fl_span *span, fl_error *err)
{
    fl_timeline_builder *b = ((const struct source *)payload)->builder;
    return fl_tl_push_span(payload, fl_tl_entity_of(b, handle, span->start_ns), span, err);
}

static fl_status push_log(void *payload, uint32_t handle, const fl_log *log, fl_error *err)
{
    fl_timeline_builder *b = ((const struct source *)payload)->builder;
    return fl_tl_push_log(payload, fl_tl_entity_of(b, handle, log->time_ns), log, err);
}

static fl_status push_point(void *payload, uint32_t handle, const fl_point *point, fl_error *err)
{
    fl_timeline_builder *b = ((const struct source *)payload)->builder;
    return fl_tl_push_point(payload, fl_tl_entity_of(b, handle, point->time_ns), point, err);
}

/* The file's own name: where a folder lies is not part of the answer. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* All are counted, the first few are kept as sentences: a broken exporter breaks every record. A
 * sentence that there is no memory for costs only itself. */
static fl_status push_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)err;
    fl_timeline_builder *b = ((const struct source *)payload)->builder;
    b->rejected += reject->records;
    if (b->first_reject_count == MAX_FIRST_REJECTS)
        return FL_OK;
    const char *name = base_name(reject->source), *text;
    if (reject->line > 0)
        text = fl_arena_printf(&b->text, "%s:%llu: %s (byte %llu)", name,
                               (unsigned long long)reject->line, reject->reason,
                               (unsigned long long)reject->offset);
    else
        text = fl_arena_printf(&b->text, "%s: %s (byte %llu)", name, reject->reason,
                               (unsigned long long)reject->offset);
    if (text != NULL)
        b->first_rejects[b->first_reject_count++] = text;
    return FL_OK;
}

fl_sink fl_timeline_sink(fl_timeline_builder *b, bool from_baseline)
{
    return (fl_sink){.payload = &b->sources[from_baseline],
                     .resource = push_resource,
                     .span = push_span,
                     .log = push_log,
                     .point = push_point,
                     .change = fl_tl_push_change,
                     .alert = fl_tl_push_alert,
                     .reject = push_reject};
}

fl_timeline_losses fl_timeline_losses_of(const fl_timeline_builder *b)
{
    return (fl_timeline_losses){.rejected = b->rejected,
                                .over_budget = b->over_budget,
                                .first_rejects = b->first_rejects,
                                .first_reject_count = b->first_reject_count};
}

static fl_status create_tables(fl_timeline_builder *b, fl_error *err)
{
    fl_status status = fl_intern_create(&b->names, FL_MAX_NAME_BYTES, err);
    if (status == FL_OK)
        status = fl_map_create(&b->entity_ids, 2 * FL_MAX_ENTITIES, err);
    if (status == FL_OK)
        status = fl_map_create(&b->thrown_ids, FL_MAX_LOG_FORMS, err);
    if (status == FL_OK)
        status = fl_map_create(&b->state_ids, FL_MAX_STATES, err);
    if (status == FL_OK)
        status = fl_map_create(&b->handle_ids, 2 * (size_t)FL_MAX_STATES, err);
    if (status == FL_OK)
        status = fl_map_create(&b->operation_ids, FL_MAX_OPERATIONS + 2 * FL_MAX_ENTITIES, err);
    if (status == FL_OK)
        status = fl_map_create(&b->series_ids, FL_MAX_SERIES, err);
    if (status == FL_OK)
        status = fl_map_create(&b->metric_ids, FL_MAX_METRICS, err);
    if (status == FL_OK)
        status = fl_map_create(&b->steps, 2 * (size_t)FL_MAX_WINDOWS, err);
    if (status == FL_OK)
        status = fl_map_create(&b->example_ids, FL_MAX_EXAMPLES, err);
    if (status == FL_OK)
        status = fl_map_create(&b->alert_ids, FL_MAX_TIMELINE_ALERTS, err);
    return status == FL_OK ? fl_tl_name(&b->no_name, b, (fl_slice){0}, err) : status;
}

fl_status fl_timeline_create(fl_timeline_builder **out, const fl_timeline_options *options,
                             fl_error *err)
{
    assert(options->step_ns > 0 && options->window_ns >= options->step_ns &&
           options->window_ns % options->step_ns == 0 && options->classifier.classify != NULL);
    *out = NULL;
    fl_timeline_builder *b = fl_mem_calloc(1, sizeof(*b));
    if (b == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a timeline");
    b->options = *options;
    for (size_t i = 0; i < 2; i++)
        b->sources[i] = (struct source){.builder = b, .is_baseline = i == 1};
    b->spans = (fl_sampler){.row_size = sizeof(fl_span_row),
                            .max_rows = FL_MAX_SPANS,
                            .key = fl_tl_span_key,
                            .order = fl_tl_span_order};
    b->logs = (fl_sampler){.row_size = sizeof(struct raw_log),
                           .max_rows = FL_MAX_LOGS,
                           .key = fl_tl_log_key,
                           .order = fl_tl_log_order};
    b->max_distance = UINT64_MAX;
    b->last_step = INT64_MAX;
    b->line = fl_buf_of(FL_MAX_RECORD_LINE_BYTES);
    b->frame = fl_buf_of(FL_MAX_RECORD_LINE_BYTES);
    b->text = fl_arena_of(FL_MAX_NAME_BYTES);
    b->arena = fl_arena_of(FL_MAX_TIMELINE_BYTES);
    fl_status status = create_tables(b, err);
    if (status != FL_OK) {
        fl_timeline_destroy(b);
        return status;
    }
    *out = b;
    return FL_OK;
}

void fl_timeline_destroy(fl_timeline_builder *b)
{
    if (b == NULL)
        return;
    fl_intern_destroy(b->names);
    fl_map_destroy(b->entity_ids);
    fl_map_destroy(b->thrown_ids);
    fl_mem_free(b->thrown);
    fl_buf_dispose(&b->frame);
    fl_map_destroy(b->state_ids);
    fl_map_destroy(b->handle_ids);
    fl_mem_free(b->states);
    fl_mem_free(b->handles);
    fl_mem_free(b->changes);
    fl_map_destroy(b->alert_ids);
    fl_mem_free(b->alerts);
    fl_map_destroy(b->operation_ids);
    fl_map_destroy(b->series_ids);
    fl_map_destroy(b->metric_ids);
    fl_map_destroy(b->steps);
    fl_map_destroy(b->example_ids);
    fl_mem_free(b->entities);
    fl_mem_free(b->operations);
    fl_mem_free(b->series);
    fl_mem_free(b->metrics);
    fl_mem_free(b->examples);
    fl_mem_free(b->samples);
    fl_sampler_dispose(&b->spans);
    fl_sampler_dispose(&b->logs);
    fl_buf_dispose(&b->line);
    fl_arena_dispose(&b->text);
    fl_arena_dispose(&b->arena);
    fl_mem_free(b);
}

fl_status fl_timeline_finish(const fl_timeline **out, fl_timeline_builder *b,
                             const fl_template_list *templates, const char *const *edges,
                             size_t edge_count, fl_error *err)
{
    struct ranks ranks = {0};
    b->timeline.at_ns = b->options.at_ns;
    b->timeline.step_ns = b->options.step_ns;
    fl_status status = fl_tl_finish_names(b, &ranks, edges, edge_count, err);
    if (status == FL_OK)
        status = fl_tl_finish_thrown(b, &ranks, templates, err);
    if (status == FL_OK)
        status = fl_tl_finish_spans(b, &ranks, templates, err);
    if (status == FL_OK)
        status = fl_tl_finish_logs(b, &ranks, templates, err);
    if (status == FL_OK)
        status = fl_tl_finish_metrics(b, &ranks, err);
    if (status == FL_OK)
        status = fl_tl_finish_edges(b, err);
    if (status == FL_OK)
        status = fl_tl_finish_changes(b, &ranks, err);
    if (status == FL_OK)
        status = fl_tl_finish_alerts(b, &ranks, err);
    *out = status == FL_OK ? &b->timeline : NULL;
    return status;
}
