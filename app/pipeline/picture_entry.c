/*
 * picture_entry.c - what users met: requests, errors and times of services that are called from
 * outside.
 *
 * A request is a span that serves or begins a trace; one whose caller is not in the telemetry came
 * from outside. An entry service is one of which a tenth of the requests do, and at least ten
 * (correlate/watch has the same two bounds); its series are of those requests.
 *
 * Cost: two passes over the spans, and one selection per service and window.
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

/* Durations of the service's requests, those of a window together, and where each window's begin:
 * bounds[w] .. bounds[w + 1]. */
typedef struct durations {
    double *ms;
    uint32_t *bounds;
} durations;

/* First pass: how many, how many in vain, and how many times each window has. */
static void count_requests(struct picture *p, picture_entry *entry, const durations *of)
{
    const fl_timeline *t = p->timeline;
    memset(of->bounds, 0, (t->window_count + 2) * sizeof(of->bounds[0]));
    for (size_t i = 0; i < t->span_count; i++) {
        const fl_span_row *span = &t->spans[i];
        if (!is_request(span) || !is_from_outside(span) || service_of(t, span) != entry->service)
            continue;
        of->bounds[span->window + 2]++;
        entry->rows[ROW_REQUESTS][span->window] += 1 / p->out->spans_kept;
        entry->rows[ROW_ERRORS][span->window] += span->is_error ? 1 / p->out->spans_kept : 0;
    }
    for (size_t w = 2; w < t->window_count + 2; w++)
        of->bounds[w] += of->bounds[w - 1];
}

/* After the second pass bounds[w + 1] has moved on to where window w ends. */
static void tell_times(struct picture *p, picture_entry *entry, const durations *of)
{
    const fl_timeline *t = p->timeline;
    for (size_t i = 0; i < t->span_count; i++) {
        const fl_span_row *span = &t->spans[i];
        if (is_request(span) && is_from_outside(span) && service_of(t, span) == entry->service)
            of->ms[of->bounds[span->window + 1]++] = (double)span->duration_ns / 1e6;
    }
    for (size_t w = 0; w < t->window_count; w++) {
        size_t begin = of->bounds[w], count = of->bounds[w + 1] - begin;
        if (count == 0)
            continue;
        entry->rows[ROW_P50][w] = fl_select(of->ms + begin, count, (count - 1) / 2);
        entry->rows[ROW_P99][w] =
            fl_select(of->ms + begin, count, (size_t)ceil(0.99 * (double)count) - 1);
    }
}

/* Its four rows, as candidates that are always admitted. */
static fl_status measure(struct picture *p, size_t at, const durations *of, fl_error *err)
{
    picture_entry *entry = &p->entries[at];
    assert(at < p->entry_count && entry->requests > 0);
    fl_status status = make_rows(p, entry, err);
    if (status != FL_OK)
        return status;
    count_requests(p, entry, of);
    tell_times(p, entry, of);
    for (size_t r = 0; r < PICTURE_ENTRY_ROWS && status == FL_OK; r++) {
        picture_candidate c = {.source = SOURCE_ENTRY,
                               .index = (uint32_t)(at * PICTURE_ENTRY_ROWS + r),
                               .service = entry->service,
                               .cited = FL_NO_INDEX,
                               .is_entry = true};
        picture_row row = fl_picture_row_of(p, c.source, c.index);
        c.deviations = fl_picture_deviations(p, &row);
        status = fl_picture_add(p, &c, err);
    }
    return status;
}

/* One block of memory for the times of all, as large as the busiest one needs. */
fl_status fl_picture_find_entries(struct picture *p, fl_error *err)
{
    fl_status status = choose(p, err);
    uint64_t most = 0;
    for (size_t i = 0; i < p->entry_count; i++)
        most = p->entries[i].requests > most ? p->entries[i].requests : most;
    const durations of = {
        .ms = fl_arena_alloc(&p->scratch, most + 1, sizeof(double)),
        .bounds = fl_arena_alloc(&p->scratch, p->timeline->window_count + 2, sizeof(uint32_t))};
    if (status == FL_OK && (of.ms == NULL || of.bounds == NULL))
        status = fl_picture_no_memory(err);
    for (size_t i = 0; i < p->entry_count && status == FL_OK; i++)
        status = measure(p, i, &of, err);
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
    for (size_t i = 0; i < t->topology_count; i++)
        if (t->topology[i].callee == service)
            return false;
    for (size_t i = 0; i < t->topology_count; i++)
        if (t->topology[i].caller == service)
            return true;
    return false;
}
