/*
 * trace_text.c - the tables of a trace for a terminal.
 *
 * A page is a head of one line and then tables, each with its heading. Numbers stand to the right
 * of their columns, names behind all numbers, so that a name of any length moves nothing. Durations
 * have three digits and a unit; JSON has them in nanoseconds.
 *
 * Names come out of the program that was traced: bytes that are not printable ASCII become '?'.
 */
#include <assert.h>
#include <string.h>

#include "trace_view.h"

struct page {
    fl_buf *out;
    const fl_sched_report *report;
    const fl_trace_title *title;
    size_t most;
};

static void put_name(fl_buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        fl_buf_char(out, *text >= ' ' && *text <= '~' ? *text : '?');
}

/* "main.work (/src/main.go:17)"; "-" where nothing is known. */
static void put_place(fl_buf *out, const fl_sched_place *place)
{
    if (place->function[0] == '\0') {
        fl_buf_char(out, '-');
        return;
    }
    put_name(out, place->function);
    if (place->file[0] != '\0') {
        const char *slash = strrchr(place->file, '/');
        fl_buf_text(out, " (");
        put_name(out, slash != NULL ? slash + 1 : place->file);
        fl_buf_printf(out, ":%u)", place->line);
    }
}

/* As wide as the longest, so that units stand below each other. */
static void put_duration(fl_buf *out, int64_t ns)
{
    char text[FL_TRACE_DURATION];
    fl_buf_printf(out, "%9s", fl_trace_duration(text, ns));
}

/* How many rows of a table are shown. */
static size_t rows_of(const struct page *page, size_t count)
{
    return page->most != 0 && page->most < count ? page->most : count;
}

/* How many rows are not shown. */
static void put_rest(const struct page *page, size_t count)
{
    if (rows_of(page, count) < count)
        fl_buf_printf(page->out, "  ... %zu more\n", count - page->most);
}

/* 0 of nothing. */
static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static int64_t span_of(const struct page *page)
{
    return page->report->to_ns - page->report->from_ns;
}

/* ---- tables ---- */

static void put_waits(const struct page *page)
{
    const fl_sched_report *report = page->report;
    fl_buf_text(page->out, "\nwaiting\n     total   count       max  open  for\n");
    for (size_t i = 0; i < rows_of(page, report->wait_count); i++) {
        const fl_sched_wait *wait = &report->waits[i];
        put_duration(page->out, wait->total_ns);
        fl_buf_printf(page->out, " %7llu ", (unsigned long long)wait->count);
        put_duration(page->out, wait->max_ns);
        fl_buf_printf(page->out, " %5llu  %-8s ", (unsigned long long)wait->open,
                      fl_sched_class_name(wait->class));
        put_place(page->out, &wait->place);
        if (wait->reason[0] != '\0') {
            fl_buf_text(page->out, ": ");
            put_name(page->out, wait->reason);
        }
        fl_buf_char(page->out, '\n');
    }
    put_rest(page, report->wait_count);
}

/* Most alive at the end first. */
static void put_goroutines(const struct page *page)
{
    const fl_sched_report *report = page->report;
    fl_buf_text(page->out, "\ngoroutines\n before  started    ended    alive  waiting    running"
                           "  function, created by, waiting in\n");
    for (size_t i = 0; i < rows_of(page, report->site_count); i++) {
        const fl_sched_site *site = &report->sites[i];
        fl_buf_printf(page->out, "%7llu %8llu %8llu %8llu %8llu  ",
                      (unsigned long long)site->before, (unsigned long long)site->started,
                      (unsigned long long)site->ended, (unsigned long long)site->alive,
                      (unsigned long long)site->waiting);
        put_duration(page->out, site->running_ns);
        fl_buf_text(page->out, "  ");
        put_name(page->out, site->function[0] != '\0' ? site->function : "(not known)");
        if (site->created.function[0] != '\0') {
            fl_buf_text(page->out, ", ");
            put_place(page->out, &site->created);
        }
        if (site->waits_reason != NULL) {
            fl_buf_text(page->out, ", ");
            put_place(page->out, &site->waits_at);
        }
        fl_buf_char(page->out, '\n');
    }
    put_rest(page, report->site_count);
}

/* One table for all that takes long under a name or at a place; nothing where it is empty. */
static void put_costs(const struct page *page, const char *head, const fl_sched_cost *costs,
                      size_t count)
{
    if (count == 0)
        return;
    fl_buf_printf(page->out, "\n%s\n     total   count       p50       p99       max  open\n",
                  head);
    for (size_t i = 0; i < rows_of(page, count); i++) {
        put_duration(page->out, costs[i].total_ns);
        fl_buf_printf(page->out, " %7llu ", (unsigned long long)costs[i].count);
        put_duration(page->out, costs[i].p50_ns);
        fl_buf_char(page->out, ' ');
        put_duration(page->out, costs[i].p99_ns);
        fl_buf_char(page->out, ' ');
        put_duration(page->out, costs[i].max_ns);
        fl_buf_printf(page->out, " %5llu  ", (unsigned long long)costs[i].open);
        put_name(page->out, costs[i].name);
        if (costs[i].place.function[0] != '\0') {
            fl_buf_text(page->out, costs[i].name[0] != '\0' ? ": " : "");
            put_place(page->out, &costs[i].place);
        }
        fl_buf_char(page->out, '\n');
    }
    put_rest(page, count);
}

/* In order of time: whether they come closer together is what one looks for. */
static void put_cycles(const struct page *page)
{
    const fl_sched_report *report = page->report;
    fl_buf_printf(page->out, "\ncollections: %zu\n", report->cycle_count);
    if (report->cycle_count == 0)
        return;
    fl_buf_text(page->out, "        at      mark      stop   workers    assist  assists"
                           "  heap MB before  after   goal  begun by\n");
    for (size_t i = 0; i < rows_of(page, report->cycle_count); i++) {
        const fl_sched_cycle *cycle = &report->cycles[i];
        put_duration(page->out, cycle->begin_ns - report->from_ns);
        fl_buf_char(page->out, ' ');
        put_duration(page->out,
                     (cycle->end_ns != 0 ? cycle->end_ns : report->to_ns) - cycle->begin_ns);
        fl_buf_char(page->out, ' ');
        put_duration(page->out, cycle->stw_ns);
        fl_buf_char(page->out, ' ');
        put_duration(page->out, cycle->worker_ns + cycle->idle_worker_ns);
        fl_buf_char(page->out, ' ');
        put_duration(page->out, cycle->assist_ns);
        fl_buf_printf(page->out, " %8llu %15.1f %6.1f %6.1f  ", (unsigned long long)cycle->assists,
                      (double)cycle->heap_before_bytes / 1e6, (double)cycle->heap_after_bytes / 1e6,
                      (double)cycle->goal_bytes / 1e6);
        put_place(page->out, &cycle->trigger);
        fl_buf_char(page->out, '\n');
    }
    put_rest(page, report->cycle_count);
}

/* Collections, then who pays: by assisting, by standing still. */
static void put_gc(const struct page *page)
{
    put_cycles(page);
    put_costs(page, "assists: who marks for the collector", page->report->assists,
              page->report->assist_count);
    put_costs(page, "stops of the world", page->report->stops, page->report->stop_count);
}

/* What was slow beside what went on meanwhile. */
static void put_spikes(const struct page *page)
{
    const fl_sched_report *report = page->report;
    if (report->spike_count == 0)
        return;
    fl_buf_text(page->out, "\nslow regions: ten times what is usual\n        at      took  with\n");
    for (size_t i = 0; i < rows_of(page, report->spike_count); i++) {
        const fl_sched_spike *spike = &report->spikes[i];
        put_duration(page->out, spike->begin_ns - report->from_ns);
        fl_buf_char(page->out, ' ');
        put_duration(page->out, spike->duration_ns);
        fl_buf_text(page->out, "  ");
        put_name(page->out, spike->name);
        if (spike->grew) {
            fl_buf_text(page->out, ", a map grows in ");
            put_place(page->out, &spike->growth);
        }
        if (spike->marking)
            fl_buf_text(page->out, ", a collection");
        fl_buf_char(page->out, '\n');
    }
    put_rest(page, report->spike_count);
}

/* An empty table without samples is no sign of health, and says so. */
static void put_maps(const struct page *page)
{
    const fl_sched_report *report = page->report;
    fl_buf_printf(page->out, "\nmaps: seen in stacks; %llu sample%s of the processor in all\n",
                  (unsigned long long)report->samples, report->samples == 1 ? "" : "s");
    if (report->samples == 0)
        fl_buf_text(page->out, "  no samples: take a CPU profile at the same time\n");
    if (report->map_count > 0)
        fl_buf_text(page->out, " samples   reads  writes   grows  others  in\n");
    for (size_t i = 0; i < rows_of(page, report->map_count); i++) {
        const fl_sched_map_use *use = &report->maps[i];
        fl_buf_printf(page->out, "%8llu %7llu %7llu %7llu %7llu  ",
                      (unsigned long long)use->samples, (unsigned long long)use->reads,
                      (unsigned long long)use->writes, (unsigned long long)use->grows,
                      (unsigned long long)use->others);
        put_place(page->out, &use->place);
        fl_buf_char(page->out, '\n');
    }
    put_rest(page, report->map_count);
    put_spikes(page);
}

static void put_latency_line(const struct page *page)
{
    char p50[FL_TRACE_DURATION], p99[FL_TRACE_DURATION], p999[FL_TRACE_DURATION],
        most[FL_TRACE_DURATION];
    const fl_sched_latency *latency = &page->report->latency;
    fl_buf_printf(page->out,
                  "scheduling   %llu time%s, half within %s, 99 %% within %s, 99.9 %% within %s,"
                  " %s at most\n",
                  (unsigned long long)latency->count, latency->count == 1 ? "" : "s",
                  fl_trace_duration(p50, latency->p50_ns), fl_trace_duration(p99, latency->p99_ns),
                  fl_trace_duration(p999, latency->p999_ns),
                  fl_trace_duration(most, latency->max_ns));
}

/* The program's delays, then by function, then system calls. */
static void put_latency(const struct page *page)
{
    const fl_sched_report *report = page->report;
    size_t shown = 0;
    fl_buf_char(page->out, '\n');
    put_latency_line(page);
    fl_buf_text(page->out, "\nrunnable and not running\n     total       max  function\n");
    for (size_t i = 0; i < report->site_count && (page->most == 0 || shown < page->most); i++) {
        const fl_sched_site *site = &report->sites[i];
        if (site->latency_ns == 0)
            continue;
        put_duration(page->out, site->latency_ns);
        fl_buf_char(page->out, ' ');
        put_duration(page->out, site->latency_max_ns);
        fl_buf_text(page->out, "  ");
        put_name(page->out, site->function[0] != '\0' ? site->function : "(not known)");
        fl_buf_char(page->out, '\n');
        shown++;
    }
    fl_buf_text(page->out, "\nsystem calls\n     total   count       max  in\n");
    shown = 0;
    for (size_t i = 0; i < report->wait_count && (page->most == 0 || shown < page->most); i++) {
        const fl_sched_wait *wait = &report->waits[i];
        if (wait->class != FL_SCHED_SYSCALL)
            continue;
        put_duration(page->out, wait->total_ns);
        fl_buf_printf(page->out, " %7llu ", (unsigned long long)wait->count);
        put_duration(page->out, wait->max_ns);
        fl_buf_text(page->out, "  ");
        put_place(page->out, &wait->place);
        fl_buf_char(page->out, '\n');
        shown++;
    }
}

static void put_user(const struct page *page)
{
    const fl_sched_report *report = page->report;
    if (report->task_count + report->region_count == 0)
        fl_buf_text(page->out, "\nno tasks, no regions: the program does not mark any"
                               " (runtime/trace)\n");
    put_costs(page, "tasks", report->tasks, report->task_count);
    put_costs(page, "regions", report->regions, report->region_count);
    put_spikes(page);
}

/* ---- the summary ---- */

static void put_findings(const struct page *page)
{
    const fl_sched_report *report = page->report;
    if (report->finding_count == 0) {
        fl_buf_text(page->out, page->title->warning_count == 0 ? "\nnothing stands out\n"
                               : page->title->clock_assumed
                                   ? "\nnothing is judged: its clock is not known\n"
                                   : "\nnothing stands out in what could be read\n");
        return;
    }
    for (size_t i = 0; i < report->finding_count; i++) {
        const fl_sched_finding *finding = &report->findings[i];
        const fl_leak_signature *signature = finding->signature;
        fl_buf_printf(page->out, "\n%s: %s\n", signature->name, signature->title);
        if (finding->place.function[0] != '\0') {
            fl_buf_text(page->out, "  in ");
            put_place(page->out, &finding->place);
            fl_buf_char(page->out, '\n');
        }
        for (size_t k = 0; k < finding->evidence_count; k++) {
            fl_buf_text(page->out, "  - ");
            put_name(page->out, finding->evidence[k]);
            fl_buf_char(page->out, '\n');
        }
        for (size_t k = 0; k < finding->against_count; k++)
            fl_buf_printf(page->out, "  but: %s\n", finding->against[k]);
        fl_buf_printf(page->out, "  do: %s\n", signature->fix);
    }
}

/* The rest to 100 % is the scheduler's own work and system calls. */
static void put_processors(const struct page *page)
{
    const fl_sched_report *report = page->report;
    double running = 0, marking = 0, idle = 0;
    for (size_t i = 0; i < report->proc_count; i++) {
        running += (double)report->proc_use[i].running_ns;
        marking += (double)report->proc_use[i].marking_ns;
        idle += (double)report->proc_use[i].idle_ns;
    }
    double all = (double)span_of(page) * (double)report->procs;
    fl_buf_printf(page->out,
                  "processors   %zu: %.1f %% goroutines, %.1f %% collector, %.1f %% idle\n",
                  report->procs, percent(running, all), percent(marking, all), percent(idle, all));
}

/* Below that the machine was busy with others often enough to show in every delay. */
#define STARVED 0.8

/* What the system takes away looks like the program's own doing everywhere else on the page. */
static void put_machine(const struct page *page)
{
    double ratio = page->report->cpu_ratio;
    if (ratio < STARVED) /* not where it is not known */
        fl_buf_printf(page->out,
                      "machine      short of processors: it ran goroutines for %.0f %% of the time"
                      " that they seem to run; delays and stops are partly its own\n",
                      100 * ratio);
}

static void put_head(const struct page *page)
{
    const fl_sched_report *report = page->report;
    char span[FL_TRACE_DURATION];
    put_name(page->out, page->title->name);
    fl_buf_printf(page->out, ": execution trace of Go (format 1.%u), %s%s, %llu event%s\n",
                  page->title->version, page->title->clock_assumed ? "perhaps " : "",
                  fl_trace_duration(span, span_of(page)), (unsigned long long)report->events,
                  report->events == 1 ? "" : "s");
}

/* Few lines on everything, what stands out, and the longest waits. */
static void put_summary(const struct page *page)
{
    const fl_sched_report *report = page->report;
    uint64_t before = 0, started = 0, ended = 0;
    int64_t mark = 0, assist = 0;
    char mark_text[FL_TRACE_DURATION], assist_text[FL_TRACE_DURATION];
    for (size_t i = 0; i < report->site_count; i++) {
        before += report->sites[i].before;
        started += report->sites[i].started;
        ended += report->sites[i].ended;
    }
    for (size_t i = 0; i < report->cycle_count; i++) {
        const fl_sched_cycle *cycle = &report->cycles[i];
        mark += (cycle->end_ns != 0 ? cycle->end_ns : report->to_ns) - cycle->begin_ns;
        if (__builtin_add_overflow(assist, cycle->assist_ns, &assist))
            assist = INT64_MAX;
    }
    put_processors(page);
    put_machine(page);
    put_latency_line(page);
    fl_buf_printf(page->out, "goroutines   %llu before, %llu started, %llu ended\n",
                  (unsigned long long)before, (unsigned long long)started,
                  (unsigned long long)ended);
    fl_buf_printf(page->out, "collections  %zu, marking for %s, assists %s\n", report->cycle_count,
                  fl_trace_duration(mark_text, mark), fl_trace_duration(assist_text, assist));
    put_findings(page);
    put_waits(page);
}

fl_status fl_trace_view_text(fl_buf *out, const fl_sched_report *report,
                             const fl_trace_title *title, fl_trace_shown shown, size_t most,
                             fl_error *err)
{
    static void (*const views[])(const struct page *page) = {
        [FL_TRACE_SUMMARY] = put_summary,
        [FL_TRACE_WAITS] = put_waits,
        [FL_TRACE_GOROUTINES] = put_goroutines,
        [FL_TRACE_GC] = put_gc,
        [FL_TRACE_MAPS] = put_maps,
        [FL_TRACE_LATENCY] = put_latency,
        [FL_TRACE_TASKS] = put_user,
    };
    assert(shown < sizeof(views) / sizeof(views[0]) && title->name != NULL);
    struct page page = {.out = out, .report = report, .title = title, .most = most};
    put_head(&page);
    views[shown](&page);
    return fl_buf_check(out, "the page", err);
}
