/*
 * streams.c - parents to child lists, and which operations are client calls.
 */
#include "trace_streams.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/record.h"
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

/* What is known to serve does not only wait. */
static bool serves(const fl_span_row *span)
{
    return span->kind == FL_SPAN_SERVER || span->kind == FL_SPAN_CONSUMER;
}

static uint32_t server_of(const struct forest *forest, uint32_t span)
{
    const fl_timeline *t = forest->timeline;
    uint32_t first = forest->first_child[span];
    if (serves(&t->spans[span]))
        return FL_NO_INDEX;
    if (forest->first_child[span + 1] - first != 1 || t->spans[span].duration_ns < 0)
        return FL_NO_INDEX;
    uint32_t child = forest->children[first];
    return fl_service_of(t, child) != fl_service_of(t, span) ? child : FL_NO_INDEX;
}

/* An operation is a client call when at least half of its spans have nothing below but one span
 * elsewhere: calls that fail lack the server's span. That it is a client's by its kind is not
 * asked: recordings often lack it, and a client of something that is not traced spends its time
 * itself. */
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

/* Edges are numbered as they are met, and then by size: place[number]. */
static fl_status sort_edges(struct forest *forest, const fl_map *ids, uint32_t *place,
                            fl_arena *arena, fl_error *err)
{
    uint64_t *edges, *met, edge, number;
    size_t cursor = 0, count = fl_map_count(ids);
    fl_status status = FL_STREAMS_NEW(arena, edges, count, "calls", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, met, count, "calls", err);
    if (status != FL_OK)
        return status;
    while (fl_map_next(ids, &cursor, &edge, &number))
        met[number] = edge;
    memcpy(edges, met, count * sizeof(*edges));
    qsort(edges, count, sizeof(*edges), compare_edges);
    for (size_t i = 0; i < count; i++) {
        const uint64_t *found = bsearch(&met[i], edges, count, sizeof(*edges), compare_edges);
        assert(found != NULL);
        place[i] = (uint32_t)(found - edges);
    }
    forest->edges = edges;
    forest->edge_count = count;
    return FL_OK;
}

/* The last edge into an operation is mostly the next one too. */
struct last_edge {
    uint32_t caller, number;
};

/* The number of the edge into each span whose parent is of another service. */
static fl_status number_edges(uint32_t *edge_of, fl_map *ids, const fl_timeline *t,
                              struct last_edge *last, fl_error *err)
{
    fl_status status = FL_OK;
    for (uint32_t op = 0; op < t->operation_count; op++)
        last[op].caller = FL_NO_INDEX;
    for (uint32_t i = 0; i < t->span_count && status == FL_OK; i++) {
        uint32_t parent = t->spans[i].parent, caller, callee = fl_service_of(t, i);
        edge_of[i] = FL_NO_INDEX;
        if (parent == FL_NO_INDEX || (caller = fl_service_of(t, parent)) == callee)
            continue;
        struct last_edge *own = &last[t->spans[i].operation];
        if (own->caller != caller) {
            uint64_t *slot;
            size_t count = fl_map_count(ids);
            bool added;
            status = fl_map_slot(&slot, ids, fl_edge_of(caller, callee), &added, err);
            if (status != FL_OK)
                break;
            *slot = added ? count : *slot;
            *own = (struct last_edge){caller, (uint32_t)*slot};
        }
        edge_of[i] = own->number;
    }
    return status;
}

static fl_status list_edges(struct forest *forest, fl_arena *arena, fl_error *err)
{
    const fl_timeline *t = forest->timeline;
    uint32_t *edge_of, *place = NULL;
    struct last_edge *last;
    fl_map *ids = NULL;
    fl_status status = FL_STREAMS_NEW(arena, edge_of, t->span_count, "spans", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, last, t->operation_count, "operations", err);
    if (status == FL_OK)
        status = fl_map_create(&ids, t->span_count + 1, err);
    if (status == FL_OK)
        status = number_edges(edge_of, ids, t, last, err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, place, fl_map_count(ids), "calls", err);
    if (status == FL_OK)
        status = sort_edges(forest, ids, place, arena, err);
    fl_map_destroy(ids);
    for (size_t i = 0; i < t->span_count && status == FL_OK; i++)
        if (edge_of[i] != FL_NO_INDEX)
            edge_of[i] = place[edge_of[i]];
    forest->edge_of = edge_of;
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
        status = list_edges(&forest, arena, err);
    if (status == FL_OK)
        status = fl_streams_chains(out, &forest, arena, err);
    if (status == FL_OK)
        status = fl_streams_values(out, &forest, arena, err);
    out->edge_count = forest.edge_count;
    out->children = forest.children;
    out->first_child = forest.first_child;
    out->server = forest.server;
    return status;
}
