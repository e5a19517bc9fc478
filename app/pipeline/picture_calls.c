/*
 * picture_calls.c - who called whom: how often, how often in vain, how long, and how much of that
 * was between the two.
 *
 * A call is a span whose parent is in another service. What the caller waits is the parent's time
 * where that is a client's span that waits for nothing else, else the callee's own. Where there are
 * no spans, the topology is drawn without figures.
 *
 * Calls are gathered by caller, callee and side: a slot each, 2 * pair + side. One pass over the
 * spans, in their order, takes all that is needed of a span and its caller while both are at hand,
 * and counts the slots; a second one, over what was taken, puts each time to its slot. Cost: these
 * two, a look into a table where a service has several callers, and three selections a side.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
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

/* What a span tells of a call. */
typedef struct seen_call {
    double wait_ms, gap_ms; /* NaN: not known */
    uint32_t slot;
    bool is_error;
} seen_call;

/* Times of one slot among those of all: where they begin, how many were put there. */
typedef struct slot {
    uint32_t wait_at, wait_count, gap_at, gap_count;
} slot;

/* The caller of a service that was seen last: mostly it is the next one, too. */
typedef struct last_pair {
    uint32_t caller, pair;
} last_pair;

typedef struct gathering {
    struct picture *p;
    seen_call *seen;
    size_t seen_count;
    fl_map *pair_of; /* caller << 32 | callee -> pair + 1 */
    last_pair *last; /* of each service that is called */
    found_call *pairs;
    slot *slots; /* two for each pair */
    size_t pair_count, pair_room;
    double *waits, *gaps;
} gathering;

enum { FEW_PAIRS = 64 };

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

/* ---- pairs ---- */

/* Twice the room, with what there was; the scratch memory is given back all at once. */
static fl_status grow(gathering *g, fl_error *err)
{
    size_t room = g->pair_room > 0 ? 2 * g->pair_room : FEW_PAIRS;
    found_call *pairs = fl_arena_alloc(&g->p->scratch, room, sizeof(*pairs));
    slot *slots = fl_arena_alloc(&g->p->scratch, 2 * room, sizeof(*slots));
    if (pairs == NULL || slots == NULL)
        return fl_picture_no_memory(err);
    if (g->pair_count > 0) {
        memcpy(pairs, g->pairs, g->pair_count * sizeof(*pairs));
        memcpy(slots, g->slots, 2 * g->pair_count * sizeof(*slots));
    }
    g->pairs = pairs;
    g->slots = slots;
    g->pair_room = room;
    return FL_OK;
}

/* The next number to one that is new. */
static fl_status find_pair(uint32_t *out, gathering *g, uint32_t caller, uint32_t callee,
                           fl_error *err)
{
    const fl_timeline *t = g->p->timeline;
    uint64_t *place;
    fl_status status = fl_map_slot(&place, g->pair_of, (uint64_t)caller << 32 | callee, NULL, err);
    if (status == FL_OK && *place == 0 && g->pair_count == g->pair_room)
        status = grow(g, err);
    if (status != FL_OK)
        return status;
    if (*place == 0) {
        g->pairs[g->pair_count] = (found_call){.caller = caller,
                                               .callee = callee,
                                               .call = {.caller = t->services[caller],
                                                        .callee = t->services[callee],
                                                        .is_traced = true}};
        *place = ++g->pair_count;
    }
    *out = (uint32_t)(*place - 1);
    return FL_OK;
}

/* ---- calls ---- */

/* A call is in vain where either side says so: the caller may have given up first. */
static seen_call look_at(const struct picture *p, uint32_t span)
{
    const fl_timeline *t = p->timeline;
    const fl_span_row *callee = &t->spans[span], *caller = &t->spans[callee->parent];
    bool is_its_client = p->in->streams->server[callee->parent] == span &&
                         caller->kind == FL_SPAN_CLIENT && caller->duration_ns >= 0;
    seen_call seen = {.wait_ms = NAN,
                      .gap_ms = NAN,
                      .is_error = callee->is_error || (is_its_client && caller->is_error)};
    if (callee->duration_ns < 0)
        return seen;
    double took = (double)callee->duration_ns / 1e6;
    seen.wait_ms = is_its_client ? (double)caller->duration_ns / 1e6 : took;
    if (is_its_client)
        seen.gap_ms = fmax(seen.wait_ms - took, 0);
    return seen;
}

static fl_status take_call(gathering *g, uint32_t span, fl_error *err)
{
    const fl_timeline *t = g->p->timeline;
    uint32_t caller = service_of(t, t->spans[span].parent), callee = service_of(t, span);
    last_pair *last = &g->last[callee];
    bool is_during = t->windows[t->spans[span].window].incident;
    assert(caller != callee);
    if (last->caller != caller) {
        fl_status status = find_pair(&last->pair, g, caller, callee, err);
        if (status != FL_OK)
            return status;
        last->caller = caller;
    }
    seen_call seen = look_at(g->p, span);
    seen.slot = 2 * last->pair + is_during;
    fl_picture_call *call = &g->pairs[last->pair].call;
    fl_picture_side *side = is_during ? &call->during : &call->before;
    side->calls++;
    side->errors += seen.is_error;
    g->slots[seen.slot].wait_count += isnan(seen.wait_ms) ? 0 : 1;
    g->slots[seen.slot].gap_count += isnan(seen.gap_ms) ? 0 : 1;
    g->seen[g->seen_count++] = seen;
    return FL_OK;
}

/* All of them. */
static fl_status take_calls(gathering *g, fl_error *err)
{
    const fl_timeline *t = g->p->timeline;
    fl_status status = FL_OK;
    for (uint32_t i = 0; i < t->span_count && status == FL_OK; i++)
        if (is_call(t, i))
            status = take_call(g, i, err);
    return status;
}

/* Slot after slot, each as long as was counted. */
static fl_status place_times(gathering *g, fl_error *err)
{
    uint32_t wait_at = 0, gap_at = 0;
    g->waits = fl_arena_alloc(&g->p->scratch, g->seen_count + 1, sizeof(double));
    g->gaps = fl_arena_alloc(&g->p->scratch, g->seen_count + 1, sizeof(double));
    if (g->waits == NULL || g->gaps == NULL)
        return fl_picture_no_memory(err);
    for (size_t i = 0; i < 2 * g->pair_count; i++) {
        slot *one = &g->slots[i];
        one->wait_at = wait_at;
        one->gap_at = gap_at;
        wait_at += one->wait_count;
        gap_at += one->gap_count;
        one->wait_count = one->gap_count = 0;
    }
    assert(wait_at <= g->seen_count && gap_at <= g->seen_count);
    for (size_t i = 0; i < g->seen_count; i++) {
        const seen_call *seen = &g->seen[i];
        slot *one = &g->slots[seen->slot];
        if (!isnan(seen->wait_ms))
            g->waits[one->wait_at + one->wait_count++] = seen->wait_ms;
        if (!isnan(seen->gap_ms))
            g->gaps[one->gap_at + one->gap_count++] = seen->gap_ms;
    }
    return FL_OK;
}

/* ---- one side ---- */

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

/* Of the times that were gathered; those are put in another order. */
static void finish_side(fl_picture_side *side, const gathering *g, const slot *of, double minutes)
{
    double *waits = g->waits + of->wait_at, *gaps = g->gaps + of->gap_at;
    side->per_minute = minutes > 0 ? (double)side->calls / g->p->out->spans_kept / minutes : NAN;
    side->p50_ms = quantile(waits, of->wait_count, 0.5);
    side->p99_ms = quantile(waits, of->wait_count, 0.99);
    side->gap_ms = quantile(gaps, of->gap_count, 0.5);
}

/* ---- what changed ---- */

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

/* Figures of all pairs. */
static void finish_pairs(gathering *g)
{
    const fl_timeline *t = g->p->timeline;
    double before = minutes_of(t, false), during = minutes_of(t, true);
    for (size_t i = 0; i < g->pair_count; i++) {
        found_call *found = &g->pairs[i];
        finish_side(&found->call.before, g, &g->slots[2 * i], before);
        finish_side(&found->call.during, g, &g->slots[2 * i + 1], during);
        found->change = change_of(&found->call);
    }
}

/* Room for as many calls as there are spans at most; no service was called yet. */
static fl_status begin(gathering *g, fl_error *err)
{
    const fl_timeline *t = g->p->timeline;
    g->seen = fl_arena_alloc(&g->p->scratch, t->span_count + 1, sizeof(*g->seen));
    g->last = fl_arena_alloc(&g->p->scratch, t->service_count + 1, sizeof(*g->last));
    if (g->seen == NULL || g->last == NULL)
        return fl_picture_no_memory(err);
    for (size_t i = 0; i < t->service_count; i++)
        g->last[i].caller = FL_NO_INDEX;
    return fl_map_create(&g->pair_of, t->span_count + 1, err);
}

/* Those of the lanes are not needed any more, and this wants the room. */
fl_status fl_picture_find_calls(struct picture *p, fl_error *err)
{
    gathering g = {.p = p};
    fl_arena_reset(&p->scratch);
    fl_status status = begin(&g, err);
    if (status == FL_OK)
        status = take_calls(&g, err);
    if (status == FL_OK)
        status = place_times(&g, err);
    fl_map_destroy(g.pair_of);
    if (status != FL_OK)
        return status;
    finish_pairs(&g);
    return keep(p, g.pairs, g.pair_count, err);
}
