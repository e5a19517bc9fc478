/*
 * chains.c - what follows what within a span.
 *
 * Each span gives two chains: START, its log lines by time, END; and START, its children by start,
 * END. Every neighbouring pair is one transition of the context (chain, operation, step). A span
 * without lines gives START -> END, so that a line that is no longer written is visible. A client
 * span gives only START -> the call.
 *
 * Most steps are what they were the last time: each context knows the transition that was last
 * taken from it, and each transition the context that it leads to, so that a table is asked only
 * where a step differs.
 */
#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "streams_priv.h"

/* Where a transition leads; as small as it can be, since these are read at every step. */
struct lead {
    fl_step to;
    uint32_t context; /* FL_NO_INDEX: not known yet */
};

struct chains {
    const struct forest *forest;
    fl_arena *arena, *scratch;
    fl_map *context_ids, *row_ids, *call_ids;
    fl_context *contexts;
    uint32_t *last; /* per context: the transition that was taken last */
    fl_transition *rows;
    struct lead *leads;  /* per transition */
    uint32_t *starts;    /* per operation and chain: the context of its start, or FL_NO_INDEX */
    uint32_t *span_rows; /* one entry per transition of each span */
    fl_call *calls;
    size_t context_count, row_count, call_count, pair_count;
    fl_error *err;
};

/* At most one transition more than steps, in each of two chains. */
static size_t most_pairs(const fl_timeline *t)
{
    return 3 * t->span_count + t->span_log_count;
}

static fl_status allocate(struct chains *c, fl_error *err)
{
    size_t most = most_pairs(c->forest->timeline), spans = c->forest->timeline->span_count;
    fl_status status = fl_map_create(&c->context_ids, most + 1, err);
    if (status == FL_OK)
        status = fl_map_create(&c->row_ids, most + 1, err);
    if (status == FL_OK)
        status = fl_map_create(&c->call_ids, spans + 1, err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(c->arena, c->span_rows, most, "transitions", err);
    size_t chains = 2 * c->forest->timeline->operation_count;
    if (status == FL_OK)
        status = FL_STREAMS_NEW(c->scratch, c->starts, chains, "operations", err);
    for (size_t i = 0; i < chains && status == FL_OK; i++)
        c->starts[i] = FL_NO_INDEX;
    return status;
}

/* Arrays that double inside an arena: the old copies add up to no more than the last one. */
static void *grown(struct chains *c, fl_arena *arena, void *items, size_t count, size_t size)
{
    if (count != 0 && (count < 64 || (count & (count - 1)) != 0))
        return items;
    void *to = fl_arena_alloc(arena, count == 0 ? 64 : count * 2, size);
    if (to == NULL)
        (void)fl_fail(c->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu transitions", count);
    else if (count > 0)
        memcpy(to, items, count * size);
    return to;
}

/* The number under `key`; *added where it is `count`, the next one. */
static fl_status number(uint32_t *out, fl_map *map, uint64_t key, size_t count, bool *added,
                        fl_error *err)
{
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, map, key, added, err);
    if (status != FL_OK)
        return status;
    if (*added)
        *slot = count;
    *out = (uint32_t)*slot;
    return FL_OK;
}

/* The context of a step that was not met in this place before. */
static fl_status find_context(uint32_t *out, struct chains *c, fl_chain chain, uint32_t operation,
                              fl_step from)
{
    assert(operation < UINT32_C(1) << 31);
    bool added;
    size_t count = c->context_count;
    uint64_t where = (uint64_t)(operation << 1 | (uint32_t)chain) << 32 | from;
    fl_status status = number(out, c->context_ids, where, count, &added, c->err);
    if (status != FL_OK || !added)
        return status;
    if ((c->contexts = grown(c, c->arena, c->contexts, count, sizeof(*c->contexts))) == NULL ||
        (c->last = grown(c, c->scratch, c->last, count, sizeof(*c->last))) == NULL)
        return FL_E_NOMEM;
    c->contexts[count] = (fl_context){.chain = chain, .operation = operation, .step = from};
    c->last[count] = FL_NO_INDEX;
    c->context_count++;
    return FL_OK;
}

static fl_status find_row(uint32_t *out, struct chains *c, uint32_t context, fl_step to)
{
    bool added;
    size_t count = c->row_count;
    fl_status status = number(out, c->row_ids, (uint64_t)context << 32 | to, count, &added, c->err);
    if (status != FL_OK || !added)
        return status;
    if ((c->rows = grown(c, c->arena, c->rows, count, sizeof(*c->rows))) == NULL ||
        (c->leads = grown(c, c->scratch, c->leads, count, sizeof(*c->leads))) == NULL)
        return FL_E_NOMEM;
    c->rows[count] = (fl_transition){.context = context, .next = to};
    c->leads[count] = (struct lead){.to = to, .context = FL_NO_INDEX};
    c->contexts[context].row_count++;
    c->row_count++;
    return FL_OK;
}

static fl_status take_step(struct chains *c, uint32_t context, fl_step to, uint32_t *row)
{
    fl_status status = FL_OK;
    *row = c->last[context];
    if (*row == FL_NO_INDEX || c->leads[*row].to != to)
        status = find_row(row, c, context, to);
    if (status != FL_OK)
        return status;
    c->last[context] = *row;
    c->rows[*row].count++;
    c->span_rows[c->pair_count++] = *row;
    return FL_OK;
}

/* The steps of one chain of a span. */
struct walk {
    struct chains *c;
    fl_chain chain;
    uint32_t operation;
    uint32_t row; /* the last transition; FL_NO_INDEX: at the start */
};

static fl_status walk_to(struct walk *w, fl_step to)
{
    struct chains *c = w->c;
    fl_step from = fl_step_of(FL_STEP_START, 0);
    uint32_t context = c->starts[2 * w->operation + w->chain];
    if (w->row != FL_NO_INDEX) {
        from = c->leads[w->row].to;
        context = c->leads[w->row].context;
    }
    if (context == FL_NO_INDEX) {
        fl_status status = find_context(&context, c, w->chain, w->operation, from);
        if (status != FL_OK)
            return status;
        *(w->row != FL_NO_INDEX ? &c->leads[w->row].context
                                : &c->starts[2 * w->operation + w->chain]) = context;
    }
    return take_step(c, context, to, &w->row);
}

static fl_step end_of(const fl_span_row *span)
{
    return fl_step_of(span->is_error ? FL_STEP_END_ERROR : FL_STEP_END, 0);
}

static fl_status step_of_child(fl_step *out, struct chains *c, uint32_t span, uint32_t child)
{
    const fl_timeline *t = c->forest->timeline;
    uint32_t server = c->forest->server[child], call;
    bool added;
    if (fl_service_of(t, child) != fl_service_of(t, span)) {
        *out = fl_step_of(FL_STEP_REMOTE, t->spans[child].operation);
        return FL_OK;
    }
    if (server == FL_NO_INDEX) {
        *out = fl_step_of(FL_STEP_LOCAL, t->spans[child].operation);
        return FL_OK;
    }
    fl_call pair = {.client = t->spans[child].operation, .server = t->spans[server].operation};
    fl_status status = number(&call, c->call_ids, (uint64_t)pair.client << 32 | pair.server,
                              c->call_count, &added, c->err);
    if (status == FL_OK && added) {
        c->calls = grown(c, c->arena, c->calls, c->call_count, sizeof(*c->calls));
        if (c->calls == NULL)
            return FL_E_NOMEM;
        c->calls[c->call_count++] = pair;
    }
    *out = fl_step_of(FL_STEP_CALL, call);
    return status;
}

static fl_status walk_calls(struct chains *c, uint32_t span)
{
    const fl_timeline *t = c->forest->timeline;
    const fl_span_row *row = &t->spans[span];
    uint32_t first = c->forest->first_child[span], end = c->forest->first_child[span + 1];
    struct walk walk = {
        .c = c, .chain = FL_CHAIN_CALLS, .operation = row->operation, .row = FL_NO_INDEX};
    if (c->forest->server[span] != FL_NO_INDEX)
        return walk_to(&walk, fl_step_of(FL_STEP_REMOTE, FL_ANY_SERVER));
    fl_status status = FL_OK;
    for (uint32_t i = first; i < end && status == FL_OK; i++) {
        fl_step next;
        status = step_of_child(&next, c, span, c->forest->children[i]);
        if (status == FL_OK)
            status = walk_to(&walk, next);
    }
    return status == FL_OK ? walk_to(&walk, end_of(row)) : status;
}

/* logs[*cursor..) are sorted by span; leaves the cursor behind this span's. */
static fl_status walk_logs(struct chains *c, uint32_t span, size_t *cursor)
{
    assert(span < c->forest->timeline->span_count);
    const fl_timeline *t = c->forest->timeline;
    const fl_span_row *row = &t->spans[span];
    struct walk walk = {
        .c = c, .chain = FL_CHAIN_LOGS, .operation = row->operation, .row = FL_NO_INDEX};
    fl_status status = FL_OK;
    for (; *cursor < t->span_log_count && t->span_logs[*cursor].span == span && status == FL_OK;
         ++*cursor)
        status = walk_to(&walk, fl_step_of(FL_STEP_LOG, t->span_logs[*cursor].template_index));
    return status == FL_OK ? walk_to(&walk, end_of(row)) : status;
}

/* Where spans are recorded, lines without their span are what sampling left over, often only the
 * errors: which line follows which cannot be told from them. */
static void skip_logs(const fl_timeline *t, uint32_t span, size_t *cursor)
{
    while (*cursor < t->span_log_count && t->span_logs[*cursor].span == span)
        ++*cursor;
}

static fl_status walk_spans(struct chains *c, uint32_t *first_of_span)
{
    const fl_timeline *t = c->forest->timeline;
    fl_status status = FL_OK;
    size_t cursor = 0;
    for (uint32_t i = 0; i < t->span_count && status == FL_OK; i++) {
        first_of_span[i] = (uint32_t)c->pair_count;
        bool waits =
            c->forest->is_client[t->spans[i].operation] != 0 && c->forest->server[i] != FL_NO_INDEX;
        bool has_logs = cursor < t->span_log_count && t->span_logs[cursor].span == i;
        if (has_logs && t->spans[i].duration_ns < 0 && t->windows[t->spans[i].window].has_spans)
            skip_logs(t, i, &cursor);
        else if (t->log_records > 0 && (!waits || has_logs))
            status = walk_logs(c, i, &cursor);
        if (status == FL_OK && t->spans[i].duration_ns >= 0)
            status = walk_calls(c, i);
    }
    first_of_span[t->span_count] = (uint32_t)c->pair_count;
    assert(status != FL_OK || c->pair_count <= most_pairs(t));
    return status;
}

/* Rows by context, and each row's windows, both by counting. */
static fl_status group(fl_streams *out, struct chains *c, const uint32_t *first_of_span,
                       fl_error *err)
{
    const fl_timeline *t = c->forest->timeline;
    uint32_t *context_rows, *windows, **fill;
    fl_status status = FL_STREAMS_NEW(c->arena, context_rows, c->row_count, "transitions", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(c->arena, windows, c->pair_count, "transitions", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(c->scratch, fill, c->row_count, "transitions", err);
    if (status != FL_OK)
        return status;
    uint32_t at = 0;
    for (size_t i = 0; i < c->context_count; i++) {
        c->contexts[i].first_row = at;
        at += c->contexts[i].row_count;
        c->contexts[i].row_count = 0;
    }
    for (size_t r = 0; r < c->row_count; r++) {
        fl_context *context = &c->contexts[c->rows[r].context];
        context_rows[context->first_row + context->row_count++] = (uint32_t)r;
        c->rows[r].windows = fill[r] = windows;
        windows += c->rows[r].count;
    }
    for (size_t span = 0; span < t->span_count; span++)
        for (uint32_t i = first_of_span[span]; i < first_of_span[span + 1]; i++)
            *fill[c->span_rows[i]]++ = t->spans[span].window;
    out->context_rows = context_rows;
    return FL_OK;
}

fl_status fl_streams_chains(fl_streams *out, const struct forest *forest, fl_arena *arena,
                            fl_error *err)
{
    fl_arena scratch = fl_arena_of(FL_MAX_STREAMS_BYTES);
    struct chains c = {.forest = forest, .arena = arena, .scratch = &scratch, .err = err};
    uint32_t *first_of_span;
    fl_status status = allocate(&c, err);
    if (status == FL_OK)
        status =
            FL_STREAMS_NEW(arena, first_of_span, forest->timeline->span_count + 1, "spans", err);
    if (status == FL_OK)
        status = walk_spans(&c, first_of_span);
    if (status == FL_OK)
        status = group(out, &c, first_of_span, err);
    fl_arena_dispose(&scratch);
    fl_map_destroy(c.context_ids);
    fl_map_destroy(c.row_ids);
    fl_map_destroy(c.call_ids);
    if (status != FL_OK)
        return status;
    out->contexts = c.contexts;
    out->context_count = c.context_count;
    out->rows = c.rows;
    out->row_count = c.row_count;
    out->span_rows = c.span_rows;
    out->first_of_span = first_of_span;
    out->calls = c.calls;
    out->call_count = c.call_count;
    return FL_OK;
}
