/*
 * picture_entry.c - what users met: requests, errors and times of services that are called from
 * outside.
 *
 * A request is a span that serves or begins a trace; one whose caller is not in the telemetry came
 * from outside. An entry service is one of which a tenth of the requests do, and at least ten
 * (correlate/watch has the same two bounds); its series are of those requests.
 *
 * Cost: three passes over the spans, and two selections per service and window.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "picture_priv.h"
#include "queries.h"
#include "sort.h"

enum { ROW_REQUESTS, ROW_ERRORS, ROW_P50, ROW_P99 };

#define ENTRY_SHARE 0.1
#define ENTRY_LEAST 10

/* Whose span it is. */
static uint32_t service_of(const fl_timeline *t, const fl_span_row *span)
{
    return t->operations[span->operation].service;
}

/* A client's span is its side of a request that its callee counts. */
static bool is_request(const fl_span_row *span)
{
    return span->parent_id == 0 || span->kind == FL_SPAN_SERVER || span->kind == FL_SPAN_CONSUMER;
}

/* From outside of what telemetry tells of. Not one that only its logs tell of: such have no
 * parents that could be known. */
static bool is_from_outside(const fl_span_row *span)
{
    return span->parent == FL_NO_INDEX && span->duration_ns >= 0;
}

/* Most requests first; equal ones by name. */
static int compare_entries(const void *left, const void *right)
{
    const picture_entry *a = left, *b = right;
    if (a->requests != b->requests)
        return a->requests > b->requests ? -1 : 1;
    return (a->service > b->service) - (a->service < b->service);
}

/* The busiest of them, sorted. */
static void keep_entry(struct picture *p, uint32_t service, uint64_t requests)
{
    picture_entry entry = {.service = service, .requests = requests};
    if (p->entry_count < PICTURE_ENTRIES)
        p->entries[p->entry_count++] = entry;
    else if (compare_entries(&entry, &p->entries[PICTURE_ENTRIES - 1]) < 0)
        p->entries[PICTURE_ENTRIES - 1] = entry;
    qsort(p->entries, p->entry_count, sizeof(entry), compare_entries);
}

/* Which services, by what their spans say. */
static fl_status choose(struct picture *p, fl_error *err)
{
    const fl_timeline *t = p->timeline;
    uint64_t *all = fl_arena_alloc(&p->scratch, t->service_count + 1, sizeof(*all));
    uint64_t *outer = fl_arena_alloc(&p->scratch, t->service_count + 1, sizeof(*outer));
    if (all == NULL || outer == NULL)
        return fl_picture_no_memory(err);
    for (size_t i = 0; i < t->span_count; i++) {
        const fl_span_row *span = &t->spans[i];
        if (!is_request(span))
            continue;
        all[service_of(t, span)]++;
        outer[service_of(t, span)] += is_from_outside(span);
    }
    for (uint32_t s = 0; s < t->service_count; s++)
        if (all[s] >= ENTRY_LEAST && (double)outer[s] >= ENTRY_SHARE * (double)all[s])
            keep_entry(p, s, outer[s]);
    return FL_OK;
}

/* Zero where spans were recorded and none is of this service; NaN where none were. */
static fl_status make_rows(struct picture *p, picture_entry *entry, fl_error *err)
{
    const fl_timeline *t = p->timeline;
    for (size_t r = 0; r < PICTURE_ENTRY_ROWS; r++) {
        entry->rows[r] = fl_arena_alloc(&p->scratch, t->window_count + 1, sizeof(double));
        if (entry->rows[r] == NULL)
            return fl_picture_no_memory(err);
        for (size_t w = 0; w < t->window_count; w++)
            entry->rows[r][w] = r < ROW_P50 && t->windows[w].has_spans ? 0 : NAN;
    }
    return FL_OK;
}

/* Durations of all requests: those of an entry together, and of each window within them. Window w
 * of entry e is bounds[e * (windows + 2) + w] .. the next. */
typedef struct durations {
    double *ms;
    uint32_t *bounds;
    uint32_t *slot_of; /* of each service; PICTURE_ENTRIES: it is no entry */
} durations;

/* The entry that a span is a request of, from outside; NULL: of none. */
static picture_entry *entry_of(struct picture *p, const durations *of, const fl_span_row *span)
{
    uint32_t slot = of->slot_of[service_of(p->timeline, span)];
    bool is_counted = slot < PICTURE_ENTRIES && is_request(span) && is_from_outside(span);
    return is_counted ? &p->entries[slot] : NULL;
}

static uint32_t *bounds_of(const struct picture *p, const durations *of, const picture_entry *entry)
{
    return of->bounds + (size_t)(entry - p->entries) * (p->timeline->window_count + 2);
}

/* First pass: how many, how many in vain, and how many times each window has. */
static void count_requests(struct picture *p, const durations *of)
{
    const fl_timeline *t = p->timeline;
    uint32_t before = 0;
    for (size_t i = 0; i < t->span_count; i++) {
        const fl_span_row *span = &t->spans[i];
        picture_entry *entry = entry_of(p, of, span);
        if (entry == NULL)
            continue;
        bounds_of(p, of, entry)[span->window + 2]++;
        entry->rows[ROW_REQUESTS][span->window] += 1 / p->out->spans_kept;
        entry->rows[ROW_ERRORS][span->window] += span->is_error ? 1 / p->out->spans_kept : 0;
    }
    for (size_t e = 0; e < p->entry_count; e++) {
        uint32_t *bounds = bounds_of(p, of, &p->entries[e]);
        bounds[0] = bounds[1] = before;
        for (size_t w = 2; w < t->window_count + 2; w++)
            bounds[w] += bounds[w - 1];
        before = bounds[t->window_count + 1];
    }
}

/* Second pass: each time to its place. After it bounds[w + 1] has moved on to where window w ends.
 */
static void place_times(struct picture *p, const durations *of)
{
    const fl_timeline *t = p->timeline;
    for (size_t i = 0; i < t->span_count; i++) {
        const fl_span_row *span = &t->spans[i];
        const picture_entry *entry = entry_of(p, of, span);
        if (entry != NULL)
            of->ms[bounds_of(p, of, entry)[span->window + 1]++] = (double)span->duration_ns / 1e6;
    }
}

static void tell_times(const struct picture *p, const picture_entry *entry, const durations *of)
{
    const uint32_t *bounds = bounds_of(p, of, entry);
    for (size_t w = 0; w < p->timeline->window_count; w++) {
        size_t begin = bounds[w], count = bounds[w + 1] - begin;
        if (count == 0)
            continue;
        entry->rows[ROW_P50][w] = fl_select(of->ms + begin, count, (count - 1) / 2);
        entry->rows[ROW_P99][w] =
            fl_select(of->ms + begin, count, (size_t)ceil(0.99 * (double)count) - 1);
    }
}

/* Its four rows, as candidates that are always admitted. */
static fl_status add_rows(struct picture *p, size_t at, fl_error *err)
{
    fl_status status = FL_OK;
    assert(at < p->entry_count && p->entries[at].requests > 0);
    for (size_t r = 0; r < PICTURE_ENTRY_ROWS && status == FL_OK; r++) {
        picture_candidate c = {.source = SOURCE_ENTRY,
                               .index = (uint32_t)(at * PICTURE_ENTRY_ROWS + r),
                               .service = p->entries[at].service,
                               .cited = FL_NO_INDEX,
                               .is_entry = true};
        picture_row row = fl_picture_row_of(p, c.source, c.index);
        c.deviations = fl_picture_deviations(p, &row);
        status = fl_picture_add(p, &c, err);
    }
    return status;
}

/* Room for the times of all requests, and which service has which place. */
static fl_status make_durations(durations *out, struct picture *p, fl_error *err)
{
    const fl_timeline *t = p->timeline;
    uint64_t requests = 0;
    for (size_t e = 0; e < p->entry_count; e++)
        requests += p->entries[e].requests;
    out->ms = fl_arena_alloc(&p->scratch, requests + 1, sizeof(double));
    out->bounds =
        fl_arena_alloc(&p->scratch, PICTURE_ENTRIES * (t->window_count + 2), sizeof(*out->bounds));
    out->slot_of = fl_arena_alloc(&p->scratch, t->service_count + 1, sizeof(*out->slot_of));
    if (out->ms == NULL || out->bounds == NULL || out->slot_of == NULL)
        return fl_picture_no_memory(err);
    for (size_t s = 0; s < t->service_count; s++)
        out->slot_of[s] = PICTURE_ENTRIES;
    for (size_t e = 0; e < p->entry_count; e++)
        out->slot_of[p->entries[e].service] = (uint32_t)e;
    return FL_OK;
}

/* Two passes for all of them together, however many they are. */
fl_status fl_picture_find_entries(struct picture *p, fl_error *err)
{
    durations of = {0};
    fl_status status = choose(p, err);
    if (status == FL_OK && p->entry_count == 0)
        return FL_OK;
    if (status == FL_OK)
        status = make_durations(&of, p, err);
    for (size_t e = 0; e < p->entry_count && status == FL_OK; e++)
        status = make_rows(p, &p->entries[e], err);
    if (status != FL_OK)
        return status;
    count_requests(p, &of);
    place_times(p, &of);
    for (size_t e = 0; e < p->entry_count && status == FL_OK; e++) {
        tell_times(p, &p->entries[e], &of);
        status = add_rows(p, e, err);
    }
    return status;
}

/* TraceQL's own fields: "kind" and "status". */
void fl_picture_name_entry(fl_lane *lane, struct picture *p, const picture_candidate *c)
{
    static const char *const names[] = {"requests", "errors", "p50", "p99"};
    static const char *const units[] = {"1", "1", "ms", "ms"};
    static const fl_role roles[] = {FL_ROLE_TRAFFIC, FL_ROLE_ERRORS, FL_ROLE_LATENCY,
                                    FL_ROLE_LATENCY};
    size_t what = c->index % PICTURE_ENTRY_ROWS;
    assert(c->source == SOURCE_ENTRY && c->index / PICTURE_ENTRY_ROWS < p->entry_count);
    lane->kind = FL_PICTURE_TRACE;
    lane->service = p->timeline->services[c->service];
    lane->name = names[what];
    lane->unit = units[what];
    lane->role = fl_role_name(roles[what]);
    lane->query = fl_query_spans(p->arena, lane->service, what == ROW_ERRORS ? "status" : "kind",
                                 what == ROW_ERRORS ? "error" : "server");
}

/* Somebody who calls and is not called, or whom the alert was about. */
bool fl_picture_is_entry(const struct picture *p, uint32_t service)
{
    const fl_timeline *t = p->timeline;
    if (p->in->service != NULL && strcmp(p->in->service, t->services[service]) == 0)
        return true;
    return p->is_caller[service] && !p->is_callee[service];
}
