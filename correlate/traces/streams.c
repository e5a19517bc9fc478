/*
 * streams.c - parents to child lists, and which operations are client calls.
 */
#include "trace_streams.h"

#include <assert.h>

#include "streams_priv.h"

/* Spans are sorted by trace and start, so filling in order keeps each group sorted by start. */
static fl_status list_children(struct forest *forest, fl_arena *arena, fl_error *err)
{
    const fl_timeline *t = forest->timeline;
    uint32_t *first, *fill, *children;
    fl_status status = FL_STREAMS_NEW(arena, first, t->span_count + 1, "spans", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, fill, t->span_count, "spans", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, children, t->span_count, "spans", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < t->span_count; i++)
        if (t->spans[i].parent != FL_NO_INDEX)
            first[t->spans[i].parent + 1]++;
    for (size_t i = 0; i < t->span_count; i++)
        first[i + 1] += first[i];
    for (size_t i = 0; i < t->span_count; i++) {
        uint32_t parent = t->spans[i].parent;
        if (parent != FL_NO_INDEX)
            children[first[parent] + fill[parent]++] = (uint32_t)i;
    }
    forest->first_child = first;
    forest->children = children;
    return FL_OK;
}

uint32_t fl_forest_server_of(const struct forest *forest, uint32_t span)
{
    assert(span < forest->timeline->span_count);
    const fl_timeline *t = forest->timeline;
    uint32_t first = forest->first_child[span];
    if (forest->first_child[span + 1] - first != 1 || t->spans[span].duration_ns < 0)
        return FL_NO_INDEX;
    uint32_t child = forest->children[first];
    return fl_service_of(t, child) != fl_service_of(t, span) ? child : FL_NO_INDEX;
}

/* An operation is a client call when at least half of its spans have nothing below but one span
 * elsewhere: calls that fail lack the server's span. The kind is not asked: recordings often lack
 * it, and a client of something that is not traced spends its time itself. */
static fl_status find_clients(struct forest *forest, fl_arena *arena, fl_error *err)
{
    const fl_timeline *t = forest->timeline;
    uint8_t *is_client;
    uint32_t *total, *waiting;
    fl_status status = FL_STREAMS_NEW(arena, is_client, t->operation_count, "operations", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, total, t->operation_count, "operations", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, waiting, t->operation_count, "operations", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < t->span_count; i++) {
        uint32_t op = t->spans[i].operation;
        total[op]++;
        waiting[op] += fl_forest_server_of(forest, (uint32_t)i) != FL_NO_INDEX;
    }
    for (size_t op = 0; op < t->operation_count; op++)
        is_client[op] = waiting[op] > 0 && 2 * waiting[op] >= total[op];
    forest->is_client = is_client;
    return FL_OK;
}

static fl_status count_edges(fl_streams *out, fl_error *err)
{
    const fl_timeline *t = out->timeline;
    fl_map *pairs;
    uint64_t *slot;
    fl_status status = fl_map_create(&pairs, t->span_count + 1, err);
    for (uint32_t i = 0; i < t->span_count && status == FL_OK; i++) {
        uint32_t parent = t->spans[i].parent;
        if (parent == FL_NO_INDEX || fl_service_of(t, parent) == fl_service_of(t, i))
            continue;
        status =
            fl_map_slot(&slot, pairs,
                        (uint64_t)fl_service_of(t, parent) << 32 | fl_service_of(t, i), NULL, err);
    }
    out->edge_count = status == FL_OK ? fl_map_count(pairs) : 0;
    fl_map_destroy(pairs);
    return status;
}

fl_status fl_streams_build(fl_streams *out, const fl_timeline *timeline, fl_arena *arena,
                           fl_error *err)
{
    assert(out != NULL && timeline != NULL);
    struct forest forest = {.timeline = timeline};
    *out = (fl_streams){.timeline = timeline};
    fl_status status = list_children(&forest, arena, err);
    if (status == FL_OK)
        status = find_clients(&forest, arena, err);
    if (status == FL_OK)
        status = fl_streams_chains(out, &forest, arena, err);
    if (status == FL_OK)
        status = count_edges(out, err);
    return status == FL_OK ? fl_streams_values(out, &forest, arena, err) : status;
}
