/*
 * picture_calls.c - who called whom: how often, how often in vain, how long, and how much of that
 * was between the two.
 *
 * A call is a span whose parent is in another service. What the caller waits is the parent's time
 * where that is a client's span that waits for nothing else, else the callee's own. Calls are
 * gathered by caller, callee and side with one sort by digits; cost: that, and three selections a
 * side. Where there are no spans, the topology is drawn without figures.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "picture_priv.h"
#include "sort.h"

#define OFFSET_MS    0.5 /* as everywhere where times are compared: streams.h */
#define SHARE_WEIGHT 4.0 /* all calls failing counts as times that grew fiftyfold */
#define VANISHED     3.0 /* no more calls, as times that grew twentyfold */

typedef struct found_call {
    uint32_t caller, callee;
    double change;
    fl_picture_call call;
} found_call;

/* Durations of one side of one pair. */
typedef struct side_times {
    double *waits, *gaps;
    size_t wait_count, gap_count;
} side_times;

/* Whose span a row is. */
static uint32_t service_of(const fl_timeline *t, size_t span)
{
    return t->operations[t->spans[span].operation].service;
}

/* A parent that never arrived tells of no caller. */
static bool is_call(const fl_timeline *t, size_t span)
{
    uint32_t parent = t->spans[span].parent;
    return parent != FL_NO_INDEX && service_of(t, parent) != service_of(t, span);
}

/* Caller, callee, side: all of them below 2^16 services, as FL_MAX_ENTITIES holds. */
static uint64_t key_of(const fl_timeline *t, size_t span)
{
    uint64_t caller = service_of(t, t->spans[span].parent), callee = service_of(t, span);
    bool is_during = t->windows[t->spans[span].window].incident;
    return (caller << 32 | callee) << 1 | is_during;
}

/* How many there are. */
static size_t gather(fl_keyed *items, const fl_timeline *t)
{
    size_t count = 0;
    for (size_t i = 0; i < t->span_count; i++)
        if (is_call(t, i))
            items[count++] = (fl_keyed){.key = key_of(t, i), .index = (uint32_t)i};
    return count;
}

/* ---- one side ---- */

/* A call is in vain where either side says so: the caller may have given up first. */
static void add_call(fl_picture_side *side, side_times *times, const struct picture *p,
                     uint32_t span)
{
    const fl_timeline *t = p->timeline;
    const fl_span_row *callee = &t->spans[span], *caller = &t->spans[callee->parent];
    bool is_its_client = p->in->streams->server[callee->parent] == span &&
                         caller->kind == FL_SPAN_CLIENT && caller->duration_ns >= 0;
    side->calls++;
    side->errors += callee->is_error || (is_its_client && caller->is_error);
    if (callee->duration_ns < 0)
        return;
    double took = (double)callee->duration_ns / 1e6;
    double waited = is_its_client ? (double)caller->duration_ns / 1e6 : took;
    times->waits[times->wait_count++] = waited;
    if (is_its_client)
        times->gaps[times->gap_count++] = fmax(waited - took, 0);
}

/* The nearest rank; reorders `values`. NaN of nothing. */
static double quantile(double *values, size_t count, double q)
{
    assert(q > 0 && q <= 1);
    return count > 0 ? fl_select(values, count, (size_t)ceil(q * (double)count) - 1) : NAN;
}

/* Minutes in which spans were recorded at all. */
static double minutes_of(const fl_timeline *t, bool of_incident)
{
    size_t windows = 0;
    for (size_t w = 0; w < t->window_count; w++)
        windows += t->windows[w].incident == of_incident && t->windows[w].has_spans;
    return (double)windows * (double)t->step_ns / 60e9;
}

/* Of the times that were gathered; those are used up. */
static void finish_side(fl_picture_side *side, side_times *times, const struct picture *p,
                        double minutes)
{
    side->per_minute = minutes > 0 ? (double)side->calls / p->out->spans_kept / minutes : NAN;
    side->p50_ms = quantile(times->waits, times->wait_count, 0.5);
    side->p99_ms = quantile(times->waits, times->wait_count, 0.99);
    side->gap_ms = quantile(times->gaps, times->gap_count, 0.5);
}

/* ---- pairs ---- */

/* Factor of ten either way: 2.3; what is on one side only does not count here. */
static double grown(double before, double during)
{
    double by = log((during + OFFSET_MS) / (before + OFFSET_MS));
    return isnan(by) ? 0 : fabs(by);
}

/* Of calls in vain. */
static double share(const fl_picture_side *side)
{
    return side->calls > 0 ? (double)side->errors / (double)side->calls : 0;
}

/* Slower or faster, more or fewer in vain, appeared or gone. */
static double change_of(const fl_picture_call *call)
{
    const fl_picture_side *a = &call->before, *b = &call->during;
    double change = grown(a->p50_ms, b->p50_ms) + grown(a->p99_ms, b->p99_ms) +
                    SHARE_WEIGHT * fabs(share(a) - share(b));
    return (a->calls > 0) != (b->calls > 0) ? change + VANISHED : change;
}

/* Order by name alone. */
static int compare_pairs(const void *left, const void *right)
{
    const found_call *a = left, *b = right;
    if (a->caller != b->caller)
        return a->caller < b->caller ? -1 : 1;
    return (a->callee > b->callee) - (a->callee < b->callee);
}

/* What changed most first; equal ones by name. */
static int compare_calls(const void *left, const void *right)
{
    const found_call *a = left, *b = right;
    if (a->change != b->change)
        return a->change > b->change ? -1 : 1;
    return compare_pairs(a, b);
}

/* Items of one pair: the sides follow each other. Returns how many they are. */
static size_t take_pair(found_call *out, struct picture *p, const fl_keyed *items, size_t count,
                        side_times *times)
{
    const fl_timeline *t = p->timeline;
    size_t i = 0;
    *out = (found_call){.caller = service_of(t, t->spans[items[0].index].parent),
                        .callee = service_of(t, items[0].index)};
    out->call = (fl_picture_call){
        .caller = t->services[out->caller], .callee = t->services[out->callee], .is_traced = true};
    for (int during = 0; during < 2; during++) {
        fl_picture_side *side = during == 1 ? &out->call.during : &out->call.before;
        uint64_t key = items[0].key >> 1 << 1 | (uint64_t)during;
        times->wait_count = times->gap_count = 0;
        for (; i < count && items[i].key == key; i++)
            add_call(side, times, p, items[i].index);
        finish_side(side, times, p, minutes_of(t, during == 1));
    }
    out->change = change_of(&out->call);
    assert(i > 0); /* the first item is of one of the two sides */
    return i;
}

/* Of sorted items. */
static size_t count_pairs(const fl_keyed *items, size_t count)
{
    size_t pairs = 0;
    for (size_t i = 0; i < count; i++)
        pairs += i == 0 || items[i].key >> 1 != items[i - 1].key >> 1;
    return pairs;
}

/* ---- all ---- */

/* Without spans all of the topology, as it is sorted; beside them what they do not tell of. Sorts
 * `calls`. */
static void add_topology(struct picture *p, fl_picture_call *out, found_call *calls, size_t count)
{
    const fl_timeline *t = p->timeline;
    const fl_picture_side none = {.per_minute = NAN, .p50_ms = NAN, .p99_ms = NAN, .gap_ms = NAN};
    if (count > 0)
        qsort(calls, count, sizeof(*calls), compare_pairs);
    for (size_t i = 0; i < t->topology_count; i++) {
        const fl_topology_edge *edge = &t->topology[i];
        const found_call key = {.caller = edge->caller, .callee = edge->callee};
        if (count > 0 && bsearch(&key, calls, count, sizeof(key), compare_pairs) != NULL)
            continue;
        if (p->out->call_count == FL_PICTURE_CALLS)
            p->out->calls_left_out++;
        else
            out[p->out->call_count++] = (fl_picture_call){.caller = t->services[edge->caller],
                                                          .callee = t->services[edge->callee],
                                                          .before = none,
                                                          .during = none};
    }
}

/* As many as a picture has, and then the topology that no span tells of. */
static fl_status keep(struct picture *p, found_call *calls, size_t count, fl_error *err)
{
    fl_picture_call *out = fl_arena_alloc(p->arena, FL_PICTURE_CALLS, sizeof(*out));
    if (out == NULL)
        return fl_picture_no_memory(err);
    if (count > 0)
        qsort(calls, count, sizeof(*calls), compare_calls);
    size_t kept = count < FL_PICTURE_CALLS ? count : FL_PICTURE_CALLS;
    for (size_t i = 0; i < kept; i++)
        out[i] = calls[i].call;
    p->out->calls = out;
    p->out->call_count = kept;
    p->out->calls_left_out = count - kept;
    add_topology(p, out, calls, count);
    return FL_OK;
}

/* Those of the lanes are not needed any more, and this wants the room. */
fl_status fl_picture_find_calls(struct picture *p, fl_error *err)
{
    const fl_timeline *t = p->timeline;
    fl_arena_reset(&p->scratch);
    size_t count = 0, done = 0, found = 0;
    fl_keyed *items = fl_arena_alloc(&p->scratch, t->span_count + 1, sizeof(*items));
    if (items == NULL)
        return fl_picture_no_memory(err);
    count = gather(items, t);
    fl_keyed *room = fl_arena_alloc(&p->scratch, count + 1, sizeof(*room));
    side_times times = {.waits = fl_arena_alloc(&p->scratch, count + 1, sizeof(double)),
                        .gaps = fl_arena_alloc(&p->scratch, count + 1, sizeof(double))};
    if (room == NULL || times.waits == NULL || times.gaps == NULL)
        return fl_picture_no_memory(err);
    fl_sort_keyed(items, room, count);
    found_call *calls = fl_arena_alloc(&p->scratch, count_pairs(items, count) + 1, sizeof(*calls));
    if (calls == NULL)
        return fl_picture_no_memory(err);
    while (done < count)
        done += take_pair(&calls[found++], p, items + done, count - done, &times);
    return keep(p, calls, found, err);
}
