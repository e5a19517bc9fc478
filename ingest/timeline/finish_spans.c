/*
 * finish_spans.c - rows into trees: parents resolved, loops cut, lines put under their spans.
 *
 * A span whose parent never arrived is a root. Of spans in a parent loop one loses its parent: the
 * last that is met on the way up from the earliest. B3 lets the client and the server of one call
 * share an id: the server goes below the client, and what names that id goes below the half that is
 * of its own service. Lines that name a span nobody sent become a span of their
 * own without a duration, so that logs alone still tell what followed what.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "mem.h"
#include "timeline_priv.h"

struct builder_view {
    fl_timeline_builder *b;
    const struct ranks *ranks;
    fl_map *rows; /* span key -> row */
    fl_span_row *spans;
    size_t count;
    bool has_halves; /* rows in two services share an id */
};

static uint64_t span_key(uint64_t trace, uint64_t id)
{
    return trace ^ fl_hash_mix(id);
}

/* Of rows in two services that share an id the second one. */
static uint64_t half_key(uint64_t trace, uint64_t id)
{
    return fl_hash_mix(span_key(trace, id));
}

static uint32_t look_up(const struct builder_view *v, uint64_t key, uint64_t trace, uint64_t id)
{
    const uint64_t *slot = fl_map_find(v->rows, key);
    if (slot == NULL)
        return FL_NO_INDEX;
    const fl_span_row *row = &v->spans[*slot];
    return row->trace == trace && row->id == id ? (uint32_t)*slot : FL_NO_INDEX;
}

static uint32_t find_row(const struct builder_view *v, uint64_t trace, uint64_t id)
{
    return look_up(v, span_key(trace, id), trace, id);
}

static uint32_t service_of(const struct builder_view *v, uint32_t row)
{
    assert(row < v->count);
    return v->b->timeline.entities[v->spans[row].entity].service;
}

/* The row that `entity` means by an id. */
static uint32_t find_own_row(const struct builder_view *v, uint64_t trace, uint64_t id,
                             uint32_t entity)
{
    uint32_t first = find_row(v, trace, id);
    if (!v->has_halves || first == FL_NO_INDEX)
        return first;
    uint32_t second = look_up(v, half_key(trace, id), trace, id);
    bool is_second =
        second != FL_NO_INDEX && service_of(v, second) == v->b->timeline.entities[entity].service;
    return is_second ? second : first;
}

/* Of rows that share an id within a service the first is meant. */
static fl_status index_rows(struct builder_view *v, fl_error *err)
{
    fl_status status = FL_OK;
    fl_map_clear(v->rows);
    for (size_t i = 0; i < v->count && status == FL_OK; i++) {
        const fl_span_row *row = &v->spans[i];
        uint64_t *slot;
        bool added;
        status = fl_map_slot(&slot, v->rows, span_key(row->trace, row->id), &added, err);
        if (status == FL_OK && !added &&
            service_of(v, (uint32_t)*slot) != service_of(v, (uint32_t)i)) {
            v->has_halves = true;
            status = fl_map_slot(&slot, v->rows, half_key(row->trace, row->id), &added, err);
        }
        if (status == FL_OK && added)
            *slot = i;
    }
    return status;
}

/* Sorted numbers for those in order of appearance; rows of windows that are not kept leave. */
static void renumber(const struct builder_view *v)
{
    fl_span_row *rows = (fl_span_row *)v->b->spans.rows;
    size_t kept = 0;
    for (size_t i = 0; i < v->b->spans.count; i++) {
        fl_span_row row = rows[i];
        row.operation = v->ranks->operation[row.operation];
        row.entity = v->ranks->entity[row.entity];
        row.window = fl_tl_window(v->b, row.start_ns);
        rows[kept] = row;
        kept += row.window != FL_NO_INDEX;
    }
    v->b->spans.count = kept;
    struct raw_log *logs = (struct raw_log *)v->b->logs.rows;
    kept = 0;
    for (size_t i = 0; i < v->b->logs.count; i++) {
        struct raw_log log = logs[i];
        log.entity = v->ranks->entity[log.entity];
        log.window = fl_tl_window(v->b, log.time_ns);
        logs[kept] = log;
        kept += log.window != FL_NO_INDEX;
    }
    v->b->logs.count = kept;
}

/* Lines whose trace was sampled away have no span to stand under. */
static bool stands_alone(const struct builder_view *v, const struct raw_log *log)
{
    return log->span != 0 && log->trace != 0 && fl_sampler_wants(&v->b->spans, log->trace) &&
           find_row(v, log->trace, log->span) == FL_NO_INDEX;
}

static bool same_span(const struct raw_log *a, const struct raw_log *b)
{
    return a->trace == b->trace && a->span == b->span;
}

/* Rows for spans that only their lines tell of, behind the real ones. `out` NULL: count them. */
static size_t add_log_spans(const struct builder_view *v, fl_span_row *out)
{
    const struct raw_log *logs = (const struct raw_log *)v->b->logs.rows;
    size_t count = 0, named = v->b->operation_count;
    for (size_t i = 0; i < v->b->logs.count; i++) {
        const struct raw_log *log = &logs[i];
        if ((i > 0 && same_span(&logs[i - 1], log)) || !stands_alone(v, log))
            continue;
        if (out != NULL)
            out[count] = (fl_span_row){.trace = log->trace,
                                       .id = log->span,
                                       .start_ns = log->time_ns,
                                       .duration_ns = -1,
                                       .operation = (uint32_t)named +
                                                    v->b->timeline.entities[log->entity].service,
                                       .entity = log->entity,
                                       .window = log->window,
                                       .parent = FL_NO_INDEX};
        count++;
    }
    return count;
}

static void merge_rows(fl_span_row *out, const fl_span_row *a, size_t a_count, const fl_span_row *b,
                       size_t b_count)
{
    assert(out != NULL);
    size_t i = 0, j = 0;
    while (i < a_count || j < b_count) {
        bool take_a = j == b_count || (i < a_count && fl_tl_compare_spans(&a[i], &b[j]) <= 0);
        *out++ = take_a ? a[i++] : b[j++];
    }
}

static fl_status gather_rows(struct builder_view *v, fl_error *err)
{
    fl_timeline_builder *b = v->b;
    v->spans = (fl_span_row *)b->spans.rows;
    v->count = b->spans.count;
    fl_status status = index_rows(v, err);
    if (status != FL_OK)
        return status;
    size_t alone = add_log_spans(v, NULL), total = b->spans.count + alone;
    fl_span_row *merged, *extra;
    status = FL_TL_NEW(b, merged, total, "spans", err);
    if (status != FL_OK)
        return status;
    extra = fl_mem_calloc(alone, sizeof(*extra));
    if (extra == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu spans", alone);
    add_log_spans(v, extra);
    qsort(extra, alone, sizeof(*extra), fl_tl_compare_spans);
    merge_rows(merged, v->spans, b->spans.count, extra, alone);
    fl_mem_free(extra);
    b->timeline.span_records = b->spans.count;
    fl_sampler_dispose(&b->spans);
    v->spans = merged;
    v->count = total;
    b->timeline.spans = merged;
    b->timeline.span_count = total;
    return index_rows(v, err);
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
    uint32_t halves[2] = {find_row(v, row->trace, row->id),
                          look_up(v, half_key(row->trace, row->id), row->trace, row->id)};
    for (size_t i = 0; i < 2; i++)
        if (halves[i] != FL_NO_INDEX && v->spans[halves[i]].kind == FL_SPAN_CLIENT)
            return halves[i];
    return FL_NO_INDEX;
}

static fl_status link_parents(struct builder_view *v, fl_error *err)
{
    for (size_t i = 0; i < v->count; i++) {
        fl_span_row *row = &v->spans[i];
        row->parent = find_client_half(v, row);
        if (row->parent == FL_NO_INDEX && row->parent_id != 0)
            row->parent = find_own_row(v, row->trace, row->parent_id, row->entity);
        if (row->parent == i)
            row->parent = FL_NO_INDEX;
    }
    return cut_loops(v, err);
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

static fl_status link_logs(struct builder_view *v, const fl_template_list *templates, fl_error *err)
{
    const struct raw_log *logs = (const struct raw_log *)v->b->logs.rows;
    fl_span_log *out;
    size_t count = 0;
    fl_status status = FL_TL_NEW(v->b, out, v->b->logs.count, "lines of spans", err);
    for (size_t i = 0; i < v->b->logs.count && status == FL_OK; i++) {
        if (logs[i].span == 0 || logs[i].trace == 0)
            continue;
        uint32_t row = find_own_row(v, logs[i].trace, logs[i].span, logs[i].entity);
        if (row != FL_NO_INDEX)
            out[count++] = (fl_span_log){.span = row,
                                         .template_index = templates->template_of[logs[i].form],
                                         .time_ns = logs[i].time_ns};
    }
    if (status != FL_OK)
        return status;
    qsort(out, count, sizeof(*out), compare_span_logs);
    v->b->timeline.span_logs = out;
    v->b->timeline.span_log_count = count;
    return FL_OK;
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
        status = link_parents(&v, err);
    if (status == FL_OK)
        status = link_logs(&v, templates, err);
    fl_map_destroy(v.rows);
    fl_window *windows = b->sorted_windows;
    for (size_t i = 0; i < b->timeline.span_count && status == FL_OK; i++)
        windows[b->timeline.spans[i].window].has_spans |= b->timeline.spans[i].duration_ns >= 0;
    return status;
}
