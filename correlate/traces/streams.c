/*
 * streams.c - parents to child lists, and which operations are client calls.
 */
#include "trace_streams.h"

#include <assert.h>
#include <stdlib.h>

#include "streams_priv.h"

/* Spans are sorted by trace and start, so filling in order keeps each group sorted by start.
 * first[p + 1] is where p's next child goes: where p's children begin, and at last where they end.
 */
static fl_status list_children(struct forest *forest, fl_arena *arena, fl_error *err)
{
    const fl_timeline *t = forest->timeline;
    uint32_t *first, *children;
    fl_status status = FL_STREAMS_NEW(arena, first, t->span_count + 2, "spans", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, children, t->span_count, "spans", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < t->span_count; i++)
        if (t->spans[i].parent != FL_NO_INDEX)
            first[t->spans[i].parent + 2]++;
    for (size_t i = 1; i < t->span_count; i++)
        first[i + 1] += first[i];
    for (size_t i = 0; i < t->span_count; i++)
        if (t->spans[i].parent != FL_NO_INDEX)
            children[first[t->spans[i].parent + 1]++] = (uint32_t)i;
    forest->first_child = first;
    forest->children = children;
    return FL_OK;
}

static uint32_t server_of(const struct forest *forest, uint32_t span)
{
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
    uint32_t *server, *total, *waiting;
    fl_status status = FL_STREAMS_NEW(arena, server, t->span_count, "spans", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, is_client, t->operation_count, "operations", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, total, t->operation_count, "operations", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, waiting, t->operation_count, "operations", err);
    if (status != FL_OK)
        return status;
    for (size_t i = 0; i < t->span_count; i++) {
        uint32_t op = t->spans[i].operation;
        server[i] = server_of(forest, (uint32_t)i);
        total[op]++;
        waiting[op] += server[i] != FL_NO_INDEX;
    }
    for (size_t op = 0; op < t->operation_count; op++)
        is_client[op] = waiting[op] > 0 && 2 * waiting[op] >= total[op];
    forest->server = server;
    forest->is_client = is_client;
    return FL_OK;
}

static int compare_edges(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The caller destroys forest->edge_ids. */
static fl_status list_edges(struct forest *forest, fl_arena *arena, fl_error *err)
{
    const fl_timeline *t = forest->timeline;
    uint64_t *edges, *slot, place;
    fl_status status = fl_map_create(&forest->edge_ids, t->span_count + 1, err);
    for (uint32_t i = 0; i < t->span_count && status == FL_OK; i++) {
        uint32_t parent = t->spans[i].parent;
        if (parent != FL_NO_INDEX && fl_service_of(t, parent) != fl_service_of(t, i))
            status =
                fl_map_slot(&slot, forest->edge_ids,
                            fl_edge_of(fl_service_of(t, parent), fl_service_of(t, i)), NULL, err);
    }
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, edges, fl_map_count(forest->edge_ids), "calls", err);
    if (status != FL_OK)
        return status;
    size_t cursor = 0, count = 0;
    while (count < fl_map_count(forest->edge_ids) &&
           fl_map_next(forest->edge_ids, &cursor, &edges[count], &place))
        count++;
    qsort(edges, count, sizeof(*edges), compare_edges);
    for (size_t i = 0; i < count; i++)
        *fl_map_find(forest->edge_ids, edges[i]) = i;
    forest->edges = edges;
    forest->edge_count = count;
    return FL_OK;
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
        status = list_edges(&forest, arena, err);
    if (status == FL_OK)
        status = fl_streams_chains(out, &forest, arena, err);
    if (status == FL_OK)
        status = fl_streams_values(out, &forest, arena, err);
    out->edge_count = forest.edge_count;
    out->children = forest.children;
    out->first_child = forest.first_child;
    out->server = forest.server;
    fl_map_destroy(forest.edge_ids);
    return status;
}
