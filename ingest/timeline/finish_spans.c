/*
 * finish_spans.c - rows into trees: parents resolved, loops cut, lines put under their spans.
 *
 * A span whose parent never arrived is a root. Of spans in a parent loop one loses its parent: the
 * last that is met on the way up from the earliest. B3 lets the client and the server of one call
 * share an id: the server goes below the client, and what names that id goes below the half that is
 * of its own service. Lines that name a span nobody sent become a span of their
 * own without a duration, so that logs alone still tell what followed what.
 *
 * Trees are what tells whose clock differs (clocks.c). Where one does, times change, hence the
 * order of the rows, and everything is linked once more.
 */
#include <assert.h>

#include "hash.h"
#include "mem.h"
#include "timeline_priv.h"

struct builder_view {
    fl_timeline_builder *b;
    const struct ranks *ranks;
    fl_span_row *spans;
    size_t count;
    fl_map *rows;    /* of one trace: span key -> row */
    bool has_halves; /* rows of that trace in two services share an id */
};

/* The rows and the lines of one trace: [row, row_end) and [log, log_end). */
struct trace {
    size_t row, row_end, log, log_end;
};

/* Both are sorted by trace. False behind the last one. */
static bool next_trace(struct trace *at, const struct builder_view *v)
{
    const struct raw_log *logs = (const struct raw_log *)v->b->logs.rows;
    size_t log_count = v->b->logs.count;
    at->row = at->row_end;
    at->log = at->log_end;
    bool has_row = at->row < v->count, has_log = at->log < log_count;
    if (!has_row && !has_log)
        return false;
    uint64_t trace = !has_log || (has_row && v->spans[at->row].trace < logs[at->log].trace)
                         ? v->spans[at->row].trace
                         : logs[at->log].trace;
    while (at->row_end < v->count && v->spans[at->row_end].trace == trace)
        at->row_end++;
    while (at->log_end < log_count && logs[at->log_end].trace == trace)
        at->log_end++;
    return true;
}

/* Of rows in two services that share an id the second one. */
static uint64_t half_key(uint64_t id)
{
    return fl_hash_mix(id);
}

static uint32_t look_up(const struct builder_view *v, uint64_t key, uint64_t id)
{
    const uint64_t *slot = fl_map_find(v->rows, key);
    return slot != NULL && v->spans[*slot].id == id ? (uint32_t)*slot : FL_NO_INDEX;
}

static uint32_t service_of(const struct builder_view *v, uint32_t row)
{
    assert(row < v->count);
    return v->b->timeline.entities[v->spans[row].entity].service;
}

/* The row that `entity` means by an id. */
static uint32_t find_own_row(const struct builder_view *v, uint64_t id, uint32_t entity)
{
    uint32_t first = look_up(v, id, id);
    if (!v->has_halves || first == FL_NO_INDEX)
        return first;
    uint32_t second = look_up(v, half_key(id), id);
    bool is_second =
        second != FL_NO_INDEX && service_of(v, second) == v->b->timeline.entities[entity].service;
    return is_second ? second : first;
}

/* Of rows that share an id within a service the first is meant. */
static fl_status index_rows(struct builder_view *v, const struct trace *trace, fl_error *err)
{
    fl_status status = fl_map_restart(v->rows, trace->row_end - trace->row, err);
    v->has_halves = false;
    for (size_t i = trace->row; i < trace->row_end && status == FL_OK; i++) {
        uint64_t *slot, id = v->spans[i].id;
        bool added;
        status = fl_map_slot(&slot, v->rows, id, &added, err);
        if (status == FL_OK && !added &&
            service_of(v, (uint32_t)*slot) != service_of(v, (uint32_t)i)) {
            v->has_halves = true;
            status = fl_map_slot(&slot, v->rows, half_key(id), &added, err);
        }
        if (status == FL_OK && added)
            *slot = i;
    }
    return status;
}

/* Most records fall where the last one fell. */
static uint32_t window_of(const struct builder_view *v, int64_t time_ns, uint32_t last)
{
    const fl_window *windows = v->b->sorted_windows;
    bool is_last =
        last != FL_NO_INDEX && time_ns >= windows[last].from_ns && time_ns < windows[last].to_ns;
    return is_last ? last : fl_tl_window(v->b, time_ns);
}

/* Sorted numbers for those in order of appearance; rows of windows that are not kept leave. */
static void renumber(const struct builder_view *v)
{
    fl_span_row *rows = (fl_span_row *)v->b->spans.rows;
    uint32_t window = FL_NO_INDEX;
    size_t kept = 0;
    for (size_t i = 0; i < v->b->spans.count; i++) {
        fl_span_row row = rows[i];
        row.operation = v->ranks->operation[row.operation];
        row.entity = v->ranks->entity[row.entity];
        row.window = window = window_of(v, row.start_ns, window);
        rows[kept] = row;
        kept += row.window != FL_NO_INDEX;
    }
    v->b->spans.count = kept;
    struct raw_log *logs = (struct raw_log *)v->b->logs.rows;
    kept = 0;
    for (size_t i = 0; i < v->b->logs.count; i++) {
        struct raw_log log = logs[i];
        log.entity = v->ranks->entity[log.entity];
        log.window = window = window_of(v, log.time_ns, window);
        logs[kept] = log;
        kept += log.window != FL_NO_INDEX;
    }
    v->b->logs.count = kept;
}

/* Lines whose trace was sampled away have no span to stand under. */
static bool stands_alone(const struct builder_view *v, const struct raw_log *log)
{
    return log->span != 0 && log->trace != 0 && fl_sampler_wants(&v->b->spans, log->trace) &&
           look_up(v, log->span, log->span) == FL_NO_INDEX;
}

/* Rows for spans that only their lines tell of. The caller frees *out. */
static fl_status list_log_spans(fl_span_row **out, size_t *count, struct builder_view *v,
                                fl_error *err)
{
    const struct raw_log *logs = (const struct raw_log *)v->b->logs.rows;
    uint32_t named = (uint32_t)v->b->operation_count;
    fl_status status = FL_OK;
    for (struct trace trace = {0}; status == FL_OK && next_trace(&trace, v);) {
        if (trace.log < trace.log_end)
            status = index_rows(v, &trace, err);
        for (size_t i = trace.log; i < trace.log_end && status == FL_OK; i++) {
            const struct raw_log *log = &logs[i];
            if ((i > trace.log && log->span == log[-1].span) || !stands_alone(v, log))
                continue;
            status = fl_tl_grow((void **)out, *count, sizeof(**out), err);
            if (status == FL_OK)
                (*out)[(*count)++] =
                    (fl_span_row){.trace = log->trace,
                                  .id = log->span,
                                  .start_ns = log->time_ns,
                                  .duration_ns = -1,
                                  .operation = named + v->b->timeline.entities[log->entity].service,
                                  .entity = log->entity,
                                  .window = log->window,
                                  .parent = FL_NO_INDEX};
        }
    }
    return status;
}

/* Merge `extra` into the rows, from the back. */
static fl_status merge_rows(struct builder_view *v, const fl_span_row *extra, size_t count,
                            fl_error *err)
{
    fl_sampler *sampler = &v->b->spans;
    size_t rest = v->count, total = v->count + count;
    fl_span_row *rows = fl_mem_realloc(sampler->rows, total, sizeof(*rows));
    if (rows == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu spans", total);
    sampler->rows = (unsigned char *)rows;
    sampler->count = sampler->capacity = v->count = total;
    v->spans = rows;
    while (count > 0) {
        bool later = rest > 0 && fl_tl_compare_spans(&rows[rest - 1], &extra[count - 1]) > 0;
        rows[--total] = later ? rows[--rest] : extra[--count];
    }
    return FL_OK;
}

/* The sampler's rows become the timeline's. */
static fl_status gather_rows(struct builder_view *v, fl_error *err)
{
    fl_timeline_builder *b = v->b;
    fl_span_row *extra = NULL;
    size_t count = 0;
    v->spans = (fl_span_row *)b->spans.rows;
    v->count = b->timeline.span_records = b->spans.count;
    fl_status status = list_log_spans(&extra, &count, v, err);
    if (status == FL_OK && count > 0) {
        fl_sort_rows(extra, count, sizeof(*extra), &fl_tl_span_order);
        status = merge_rows(v, extra, count, err);
    }
    fl_mem_free(extra);
    b->timeline.spans = v->spans;
    b->timeline.span_count = v->count;
    return status;
}

/* Cut the loops: walking up from each row, a row met twice on one walk loses its parent. */
static fl_status cut_loops(struct builder_view *v, fl_error *err)
{
    assert(v->spans != NULL || v->count == 0);
    uint32_t *walk = fl_mem_calloc(v->count, sizeof(*walk));
    if (walk == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu spans", v->count);
    for (size_t i = 0; i < v->count; i++) {
        uint32_t mark = (uint32_t)i + 1, at = (uint32_t)i;
        while (at != FL_NO_INDEX && walk[at] == 0) {
            walk[at] = mark;
            uint32_t up = v->spans[at].parent;
            if (up != FL_NO_INDEX && walk[up] == mark)
                up = v->spans[at].parent = FL_NO_INDEX;
            at = up;
        }
    }
    fl_mem_free(walk);
    return FL_OK;
}

/* The client half of the call whose server half `row` is. */
static uint32_t find_client_half(const struct builder_view *v, const fl_span_row *row)
{
    if (!v->has_halves || row->kind != FL_SPAN_SERVER)
        return FL_NO_INDEX;
    uint32_t halves[2] = {look_up(v, row->id, row->id), look_up(v, half_key(row->id), row->id)};
    for (size_t i = 0; i < 2; i++)
        if (halves[i] != FL_NO_INDEX && v->spans[halves[i]].kind == FL_SPAN_CLIENT)
            return halves[i];
    return FL_NO_INDEX;
}

static void link_parents(struct builder_view *v, const struct trace *trace)
{
    for (size_t i = trace->row; i < trace->row_end; i++) {
        fl_span_row *row = &v->spans[i];
        row->parent = find_client_half(v, row);
        if (row->parent == FL_NO_INDEX && row->parent_id != 0)
            row->parent = find_own_row(v, row->parent_id, row->entity);
        if (row->parent == i)
            row->parent = FL_NO_INDEX;
    }
}

static int compare_span_logs(const void *left, const void *right)
{
    const fl_span_log *a = left, *b = right;
    if (a->span != b->span)
        return a->span < b->span ? -1 : 1;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return (a->template_index > b->template_index) - (a->template_index < b->template_index);
}

static uint64_t span_of(const void *row)
{
    return ((const fl_span_log *)row)->span;
}

static uint64_t time_of(const void *row)
{
    return fl_sort_number(((const fl_span_log *)row)->time_ns);
}

static const fl_row_order span_log_order = {.numbers = {span_of, time_of},
                                            .compare = compare_span_logs};

/* Put the lines of one trace behind the `count` that are there; how many there are then. */
static size_t link_logs(fl_span_log *out, size_t count, const struct builder_view *v,
                        const struct trace *trace, const fl_template_list *templates)
{
    const struct raw_log *logs = (const struct raw_log *)v->b->logs.rows;
    for (size_t i = trace->log; i < trace->log_end; i++) {
        if (logs[i].span == 0 || logs[i].trace == 0)
            continue;
        uint32_t row = find_own_row(v, logs[i].span, logs[i].entity);
        if (row != FL_NO_INDEX)
            out[count++] = (fl_span_log){.span = row,
                                         .template_index = templates->template_of[logs[i].form],
                                         .time_ns = logs[i].time_ns};
    }
    return count;
}

static fl_status link_traces(struct builder_view *v, const fl_template_list *templates,
                             fl_error *err)
{
    fl_timeline *timeline = &v->b->timeline;
    fl_span_log *lines;
    size_t count = 0;
    fl_status status = FL_TL_NEW(v->b, lines, v->b->logs.count, "lines of spans", err);
    for (struct trace trace = {0}; status == FL_OK && next_trace(&trace, v);) {
        status = index_rows(v, &trace, err);
        if (status != FL_OK)
            return status;
        link_parents(v, &trace);
        count = link_logs(lines, count, v, &trace, templates);
    }
    if (status != FL_OK)
        return status;
    fl_sort_rows(lines, count, sizeof(*lines), &span_log_order);
    timeline->span_logs = lines;
    timeline->span_log_count = count;
    return cut_loops(v, err);
}

fl_status fl_tl_finish_spans(fl_timeline_builder *b, const struct ranks *ranks,
                             const fl_template_list *templates, fl_error *err)
{
    struct builder_view v = {.b = b, .ranks = ranks};
    renumber(&v);
    fl_sampler_settle(&b->spans);
    fl_sampler_settle(&b->logs);
    b->timeline.span_sampling = fl_sampler_share(&b->spans);
    b->timeline.log_sampling = fl_sampler_share(&b->logs);
    fl_status status = fl_map_create(&v.rows, 2 * (b->spans.count + b->logs.count) + 1, err);
    if (status == FL_OK)
        status = gather_rows(&v, err);
    if (status == FL_OK)
        status = link_traces(&v, templates, err);
    if (status == FL_OK)
        status = fl_tl_find_clocks(b, err);
    if (status == FL_OK && b->timeline.clock_count > 0)
        status = fl_tl_set_clocks(b, err);
    if (status == FL_OK && b->timeline.clock_count > 0)
        status = link_traces(&v, templates, err);
    fl_map_destroy(v.rows);
    fl_window *windows = b->sorted_windows;
    for (size_t i = 0; i < b->timeline.span_count && status == FL_OK; i++)
        windows[b->timeline.spans[i].window].has_spans |= b->timeline.spans[i].duration_ns >= 0;
    return status;
}
