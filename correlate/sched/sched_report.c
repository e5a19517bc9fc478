/*
 * sched_report.c - what is under way at the end is closed, and tables are put in order: by what
 * they cost, then by name, so that the same trace gives the same answer byte for byte.
 *
 * Totals include what is still under way at the end, counts do not: a goroutine that waits for the
 * whole trace has a total and is "open". Majority votes are exact where there is a majority; a
 * site whose goroutines wait in many places gets one of them.
 *
 * The text of a number is copied into the arena once for each row that shows it.
 */
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "sched_priv.h"

struct maker {
    fl_sched *sched;
    fl_arena *arena;
    bool failed;
};

static const char *text_of(struct maker *maker, fl_sym text)
{
    const char *copy = fl_arena_cstr(maker->arena, fl_gotrace_text(maker->sched->view, text));
    maker->failed |= copy == NULL;
    return copy;
}

/* Row 0 has no names: its texts are empty, never NULL. */
static fl_sched_place place_of(struct maker *maker, uint32_t place)
{
    assert(place < maker->sched->places.count);
    const sched_place *row = (sched_place *)maker->sched->places.rows + place;
    return (fl_sched_place){.function = text_of(maker, row->function),
                            .file = text_of(maker, row->file),
                            .line = row->line};
}

/* One more than is needed, so that an empty table has an address. */
static void *room(struct maker *maker, size_t count, size_t size)
{
    void *items = fl_arena_alloc(maker->arena, count + 1, size);
    maker->failed |= items == NULL;
    return items;
}

/* ---- the end of the trace ---- */

/* Majority vote (Boyer and Moore 1991): what more than half of a site's waiters wait for. */
static void vote(sched_site *site, uint32_t wait)
{
    if (site->votes == 0)
        site->wait = wait;
    if (site->wait == wait)
        site->votes++;
    else
        site->votes--;
}

/* What is open counts up to the end of the trace, but not as one that ended. */
static void close_goroutine(fl_sched *s, sched_goroutine *goroutine)
{
    sched_site *site = (sched_site *)s->sites.rows + goroutine->site;
    sched_wait *waits = s->waits.rows;
    int64_t ns = s->to_ns - goroutine->since_ns;
    site->alive++;
    switch (goroutine->state) {
    case FL_GOTRACE_WAITING:
    case FL_GOTRACE_SYSCALL:
        site->waiting++;
        vote(site, goroutine->wait);
        waits[goroutine->wait].open++;
        sched_sum(&waits[goroutine->wait].total_ns, ns);
        if (ns > waits[goroutine->wait].max_ns)
            waits[goroutine->wait].max_ns = ns;
        break;
    case FL_GOTRACE_RUNNING:
        sched_sum(&site->running_ns, ns);
        fl_sched_course_proc(s, goroutine->proc,
                             goroutine->worker != WORKER_NONE ? SCHED_MARKS : SCHED_RUNS,
                             goroutine->since_ns, s->to_ns);
        break;
    case FL_GOTRACE_RUNNABLE:
        sched_sum(&site->latency_ns, ns);
        break;
    default:
        break;
    }
}

/* Slots that nobody has are passed over. */
static void close_all(fl_sched *s)
{
    for (size_t i = 0; i < s->goroutine_count; i++)
        if (s->goroutines[i].state != FL_GOTRACE_NOWHERE &&
            s->goroutines[i].state != FL_GOTRACE_UNKNOWN)
            close_goroutine(s, &s->goroutines[i]);
    for (size_t i = 0; i < s->proc_count; i++)
        if (s->proc_use[i].state == FL_GOTRACE_IDLE) {
            s->proc_use[i].shown.idle_ns += s->to_ns - s->proc_use[i].since_ns;
            fl_sched_course_proc(s, (uint32_t)i, SCHED_IDLES, s->proc_use[i].since_ns, s->to_ns);
        }
}

/* ---- orders ---- */

static int compare_places(const fl_sched_place *a, const fl_sched_place *b)
{
    int order = strcmp(a->function, b->function);
    if (order == 0)
        order = strcmp(a->file, b->file);
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

/* The larger one first. */
static int falling(int64_t a, int64_t b)
{
    return (a < b) - (a > b);
}

static int compare_waits(const void *left, const void *right)
{
    const fl_sched_wait *a = left, *b = right;
    int order = falling(a->total_ns, b->total_ns);
    if (order == 0)
        order = strcmp(a->reason, b->reason);
    return order != 0 ? order : compare_places(&a->place, &b->place);
}

/* What there are most of at the end, then what was made most. */
static int compare_sites(const void *left, const void *right)
{
    const fl_sched_site *a = left, *b = right;
    int order = falling((int64_t)a->alive, (int64_t)b->alive);
    if (order == 0)
        order = falling((int64_t)a->started, (int64_t)b->started);
    if (order == 0)
        order = strcmp(a->function, b->function);
    return order != 0 ? order : compare_places(&a->created, &b->created);
}

static int compare_costs(const void *left, const void *right)
{
    const fl_sched_cost *a = left, *b = right;
    int order = falling(a->total_ns, b->total_ns);
    if (order == 0)
        order = strcmp(a->name, b->name);
    return order != 0 ? order : compare_places(&a->place, &b->place);
}

static int compare_maps(const void *left, const void *right)
{
    const fl_sched_map_use *a = left, *b = right;
    int order = falling((int64_t)a->samples, (int64_t)b->samples);
    if (order == 0)
        order = falling((int64_t)a->others, (int64_t)b->others);
    return order != 0 ? order : compare_places(&a->place, &b->place);
}

static int compare_spikes(const void *left, const void *right)
{
    const fl_sched_spike *a = left, *b = right;
    int order = falling(a->duration_ns, b->duration_ns);
    return order != 0 ? order : (a->begin_ns > b->begin_ns) - (a->begin_ns < b->begin_ns);
}

/* ---- tables ---- */

static void make_waits(fl_sched_report *out, struct maker *maker)
{
    const sched_wait *rows = maker->sched->waits.rows;
    fl_sched_wait *waits = room(maker, maker->sched->waits.count, sizeof(*waits));
    for (size_t i = 0; !maker->failed && i < maker->sched->waits.count; i++) {
        if (rows[i].count == 0 && rows[i].open == 0)
            continue;
        waits[out->wait_count++] = (fl_sched_wait){.class = (fl_sched_class)rows[i].class,
                                                   .reason = text_of(maker, rows[i].reason),
                                                   .place = place_of(maker, rows[i].place),
                                                   .count = rows[i].count,
                                                   .total_ns = rows[i].total_ns,
                                                   .max_ns = rows[i].max_ns,
                                                   .open = rows[i].open};
    }
    if (!maker->failed)
        qsort(waits, out->wait_count, sizeof(*waits), compare_waits);
    out->waits = waits;
}

/* Goroutines of a function that began before the trace are created at place 0, which is none. */
static uint64_t old_ended(const struct maker *maker, fl_sym function)
{
    const sched_table *sites = &maker->sched->sites;
    const uint64_t *row = fl_map_find(sites->keys, (uint64_t)function << 32);
    return row != NULL ? ((const sched_site *)sites->rows)[*row].ended : 0;
}

/* Where nobody waits there is no place to name. */
static fl_sched_site make_site(struct maker *maker, const sched_site *row)
{
    fl_sched_site site = {.function = text_of(maker, row->function),
                          .created = place_of(maker, row->created),
                          .before = row->before,
                          .started = row->started,
                          .ended = row->ended,
                          .alive = row->alive,
                          .waiting = row->waiting,
                          .old_ended = old_ended(maker, row->function),
                          .running_ns = row->running_ns,
                          .latency_ns = row->latency_ns,
                          .latency_max_ns = row->latency_max_ns,
                          .first_ns = row->first_ns,
                          .last_ns = row->last_ns};
    if (row->waiting > 0 && row->wait != SCHED_NONE) {
        const sched_wait *wait = (sched_wait *)maker->sched->waits.rows + row->wait;
        site.waits_class = (fl_sched_class)wait->class;
        site.waits_reason = text_of(maker, wait->reason);
        site.waits_at = place_of(maker, wait->place);
    } else
        site.waits_at = place_of(maker, 0);
    return site;
}

static void make_sites(fl_sched_report *out, struct maker *maker)
{
    const sched_site *rows = maker->sched->sites.rows;
    fl_sched_site *sites = room(maker, maker->sched->sites.count, sizeof(*sites));
    for (size_t i = 0; !maker->failed && i < maker->sched->sites.count; i++)
        if (rows[i].before + rows[i].started > 0)
            sites[out->site_count++] = make_site(maker, &rows[i]);
    if (!maker->failed)
        qsort(sites, out->site_count, sizeof(*sites), compare_sites);
    out->sites = sites;
}

static const fl_sched_cost *make_costs(struct maker *maker, const sched_table *table, size_t *count)
{
    const sched_cost *rows = table->rows;
    fl_sched_cost *costs = room(maker, table->count, sizeof(*costs));
    for (size_t i = 0; !maker->failed && i < table->count; i++) {
        const sched_cost *row = &rows[i];
        if (row->count == 0 && row->open == 0)
            continue;
        costs[*count] = (fl_sched_cost){.name = text_of(maker, row->name),
                                        .place = place_of(maker, row->place),
                                        .count = row->count,
                                        .open = row->open,
                                        .total_ns = row->total_ns,
                                        .max_ns = row->max_ns,
                                        .running_ns = row->running_ns,
                                        .samples = row->samples};
        if (row->hist != NULL) {
            costs[*count].p50_ns = fl_sched_hist_quantile(row->hist, 0.5);
            costs[*count].p99_ns = fl_sched_hist_quantile(row->hist, 0.99);
        }
        ++*count;
    }
    if (!maker->failed)
        qsort(costs, *count, sizeof(*costs), compare_costs);
    return costs;
}

static void make_maps(fl_sched_report *out, struct maker *maker)
{
    const sched_map_use *rows = maker->sched->maps.rows;
    fl_sched_map_use *maps = room(maker, maker->sched->maps.count, sizeof(*maps));
    for (size_t i = 0; !maker->failed && i < maker->sched->maps.count; i++)
        if (rows[i].samples + rows[i].others > 0)
            maps[out->map_count++] = (fl_sched_map_use){.place = place_of(maker, rows[i].place),
                                                        .samples = rows[i].samples,
                                                        .reads = rows[i].reads,
                                                        .writes = rows[i].writes,
                                                        .grows = rows[i].grows,
                                                        .others = rows[i].others,
                                                        .longest = rows[i].longest,
                                                        .longest_ns = rows[i].longest_ns};
    if (!maker->failed)
        qsort(maps, out->map_count, sizeof(*maps), compare_maps);
    out->maps = maps;
}

static void make_cycles(fl_sched_report *out, struct maker *maker)
{
    size_t count = maker->sched->cycle_count;
    fl_sched_cycle *cycles = room(maker, count, sizeof(*cycles));
    for (size_t i = 0; !maker->failed && i < count; i++) {
        cycles[i] = maker->sched->cycles[i].shown;
        cycles[i].trigger = place_of(maker, maker->sched->cycles[i].trigger);
    }
    out->cycles = cycles;
    out->cycle_count = count;
}

/* A region is a spike where it took ten times what is usual under its name, and a millisecond. */
static void make_spikes(fl_sched_report *out, struct maker *maker)
{
    enum { USUAL_TIMES = 10, LEAST_NS = 1000000 };
    const fl_sched *s = maker->sched;
    const sched_cost *regions = s->regions.rows;
    fl_sched_spike *spikes = room(maker, s->spike_count, sizeof(*spikes));
    for (size_t i = 0; !maker->failed && i < s->spike_count; i++) {
        const sched_spike *row = &s->spikes[i];
        int64_t usual = fl_sched_hist_quantile(regions[row->region].hist, 0.5);
        if (row->duration_ns < LEAST_NS || row->duration_ns < USUAL_TIMES * usual)
            continue;
        bool grew = row->growth != SCHED_NONE;
        spikes[out->spike_count++] =
            (fl_sched_spike){.name = text_of(maker, regions[row->region].name),
                             .begin_ns = row->begin_ns,
                             .duration_ns = row->duration_ns,
                             .grew = grew,
                             .doubled = row->doubled,
                             .marking = row->marking,
                             .growth = place_of(maker, grew ? row->growth : 0)};
    }
    if (!maker->failed)
        qsort(spikes, out->spike_count, sizeof(*spikes), compare_spikes);
    out->spikes = spikes;
}

/* Processors that were never told of do not appear. */
static void make_procs(fl_sched_report *out, struct maker *maker)
{
    fl_sched_proc *use = room(maker, maker->sched->proc_count, sizeof(*use));
    for (size_t i = 0; !maker->failed && i < maker->sched->proc_count; i++)
        use[i] = maker->sched->proc_use[i].shown;
    out->proc_use = use;
    out->proc_count = maker->sched->proc_count;
    out->procs = maker->sched->procs > 0 ? maker->sched->procs : out->proc_count;
}

static fl_sched_latency make_latency(const fl_sched *s)
{
    return (fl_sched_latency){.count = s->latency_count,
                              .p50_ns = fl_sched_hist_quantile(&s->latency, 0.5),
                              .p90_ns = fl_sched_hist_quantile(&s->latency, 0.9),
                              .p99_ns = fl_sched_hist_quantile(&s->latency, 0.99),
                              .p999_ns = fl_sched_hist_quantile(&s->latency, 0.999),
                              .max_ns = s->latency.most_ns,
                              .total_ns = s->latency_ns};
}

fl_status fl_sched_report_make(fl_sched_report *out, fl_sched *sched, const fl_gotrace_view *view,
                               const fl_sched_criteria *criteria, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && sched != NULL && view != NULL && criteria != NULL && arena != NULL);
    struct maker maker = {.sched = sched, .arena = arena};
    sched->view = view;
    fl_error own = {0};
    sched->err = &own;
    close_all(sched);
    sched->err = NULL;
    maker.failed = own.status != FL_OK;
    *out = (fl_sched_report){.from_ns = sched->from_ns,
                             .to_ns = sched->to_ns,
                             .events = sched->events,
                             .samples = sched->samples,
                             .latency = make_latency(sched),
                             .sweep_ns = sched->sweep_ns,
                             .heap_end_bytes = sched->heap_bytes,
                             .dropped = sched->dropped};
    make_waits(out, &maker);
    make_sites(out, &maker);
    make_procs(out, &maker);
    make_cycles(out, &maker);
    out->assists = make_costs(&maker, &sched->assists, &out->assist_count);
    out->stops = make_costs(&maker, &sched->stops, &out->stop_count);
    out->tasks = make_costs(&maker, &sched->tasks, &out->task_count);
    out->regions = make_costs(&maker, &sched->regions, &out->region_count);
    make_maps(out, &maker);
    make_spikes(out, &maker);
    fl_status status =
        maker.failed ? fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the scheduler's story")
                     : fl_sched_findings(out, criteria, arena, err);
    if (status == FL_OK)
        status = fl_sched_course_report(out, sched, arena, err);
    sched->view = NULL;
    return status;
}
