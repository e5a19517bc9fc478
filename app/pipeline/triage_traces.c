/*
 * triage_traces.c - traces, one after the other: series into the sink, findings to the ranking.
 *
 *   course      steps of the trace, put together to a tenth of a second, each metric of the table
 *   cycles      one value a collection, where it ends
 *   findings    those of the signatures, the worst first, FINDINGS_EACH of a trace
 *
 * A finding of a trace is dated by where it first shows; one that holds for the trace as a whole,
 * by its beginning. What is pushed and said does not depend on the order in which traces are given.
 */
#include "triage_traces.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"
#include "gauge.h"
#include "slice.h"
#include "timestamp.h"
#include "trace_findings.h"
#include "triage_findings.h"
#include "triage_gc.h"

enum {
    MAX_TRACES = FL_TRIAGE_TRACES,
    FINDINGS_EACH = 8,
    MOMENTS_EACH = 1 + 2 * FINDINGS_EACH,
    WARNINGS_EACH = 8,
    WARNINGS_OF_ALL = 1
};

/* Finer values than that tell of the trace and not of an incident. */
#define VALUE_NS 100000000
#define NS_PER_S 1e9

/* One to be told, and whose it is; run: NULL where it still is to be read. */
struct entry {
    const char *service, *path;
    fl_trace_run *run;
};

struct reading {
    const fl_triage_traces_from *from;
    fl_gc_feed feeds[MAX_TRACES];
    struct entry entries[MAX_TRACES];
    size_t entry_count, told_count, passed_over;
    fl_rank_finding *findings;
    fl_moment *moments;
    const char **warnings;
    size_t finding_count, moment_count, warning_count, undated;
    uint64_t unreadable;
    const fl_sink *sink;
    fl_arena *arena;
    fl_error *err;
};

/* One trace that was read. */
struct trace {
    const char *service; /* of its entry */
    const char *path;    /* as it may be shown */
    const fl_sched_report *report;
    int64_t to_wall_ns;
    uint32_t handle;
};

static fl_status no_memory(const struct reading *in)
{
    return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for traces");
}

static fl_status warn(struct reading *in, const char *text)
{
    if (text == NULL)
        return no_memory(in);
    assert(in->warning_count < MAX_TRACES * WARNINGS_EACH + WARNINGS_OF_ALL);
    in->warnings[in->warning_count++] = text;
    return FL_OK;
}

/* ---- series ---- */

/* Steps together; procs: how many processors there are. */
struct span {
    fl_sched_step sum;
    int64_t ns;
    double procs;
};

/* NaN, which is no point, where there is nothing to divide by. */
static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

/* What a program's users feel: the mean over all that began to run, however short they waited. */
static double mean_delay(const struct span *s)
{
    return ratio((double)s->sum.latency_ns, (double)s->sum.latency_count) / NS_PER_S;
}

/* The tail, which a mean over thousands of short delays hides. */
static double longest_delay(const struct span *s)
{
    return s->sum.latency_count > 0 ? (double)s->sum.latency_max_ns / NS_PER_S : NAN;
}

/* A level that only rises over several traces is a leak of them. */
static double goroutines(const struct span *s)
{
    return (double)s->sum.goroutines;
}

/* The collector tells it as it goes; 0 is that it did not yet. */
static double heap(const struct span *s)
{
    return s->sum.heap_bytes > 0 ? (double)s->sum.heap_bytes : NAN;
}

/* Of what all processors could have done: 1 is a program that uses each of them all the time. */
static double of_processors(const struct span *s, int64_t ns)
{
    return ratio((double)ns, s->procs * (double)s->ns);
}

/* Assists run within goroutines, but for the collector. */
static double user(const struct span *s)
{
    return of_processors(s, s->sum.running_ns - s->sum.assist_ns);
}

/* Idle workers are among them: they take what nobody else wants. */
static double mark(const struct span *s)
{
    return of_processors(s, s->sum.marking_ns);
}

/* What requests pay, in proportion to what they allocate. */
static double assist(const struct span *s)
{
    return of_processors(s, s->sum.assist_ns);
}

/* A trace without samples of the processor has none. */
static double growth(const struct span *s)
{
    return (double)s->sum.map_growth;
}

static const struct metric {
    const char *name, *unit;
    double (*value)(const struct span *);
} metrics[] = {
    {"go.schedule.duration", "s", mean_delay},
    {"go.schedule.duration.max", "s", longest_delay},
    {"go.goroutine.count", "{goroutine}", goroutines},
    {"go.memory.heap.live", "By", heap},
    {"go.cpu.user.utilization", "1", user},
    {"go.cpu.gc.mark.utilization", "1", mark},
    {"go.cpu.gc.assist.utilization", "1", assist},
    {"go.map.growth", "{sample}", growth},
};
enum { METRICS = sizeof(metrics) / sizeof(metrics[0]) };

/* On the service's clock, as if it had reported the value itself. */
static fl_status push_point(const struct reading *in, const struct trace *trace, const char *name,
                            const char *unit, int64_t trace_ns, double value)
{
    const fl_point point =
        fl_gauge_of(fl_slice_of(name), fl_slice_of(unit), trace_ns + trace->to_wall_ns, value);
    return isfinite(value) ? in->sink->point(in->sink->payload, trace->handle, &point, in->err)
                           : FL_OK;
}

/* Levels are those of the last step, durations add up. */
static void add_step(struct span *span, const fl_sched_step *step, int64_t ns)
{
    fl_sched_step *sum = &span->sum;
    span->ns += ns;
    sum->running_ns += step->running_ns;
    sum->marking_ns += step->marking_ns;
    sum->assist_ns += step->assist_ns;
    sum->latency_ns += step->latency_ns;
    sum->latency_count += step->latency_count;
    sum->latency_max_ns =
        step->latency_max_ns > sum->latency_max_ns ? step->latency_max_ns : sum->latency_max_ns;
    sum->goroutines = step->goroutines;
    sum->heap_bytes = step->heap_bytes;
    sum->map_growth += step->map_growth;
}

/* Each value stands at the end of what it is about. */
static fl_status push_course(const struct reading *in, const struct trace *trace)
{
    const fl_sched_report *report = trace->report;
    const fl_sched_course *course = report->course;
    size_t each = course->step_ns >= VALUE_NS
                      ? 1
                      : (size_t)((VALUE_NS + course->step_ns - 1) / course->step_ns);
    double procs = (double)(report->procs > 0 ? report->procs : report->proc_count);
    fl_status status = FL_OK;
    for (size_t i = 0; i < course->step_count && status == FL_OK; i += each) {
        struct span span = {.procs = procs};
        int64_t begin_ns = report->from_ns + (int64_t)i * course->step_ns;
        for (size_t k = i; k < i + each && k < course->step_count; k++)
            add_step(&span, &course->steps[k], course->step_ns);
        int64_t left_ns = report->to_ns - begin_ns;
        span.ns = left_ns < span.ns ? left_ns : span.ns;
        for (size_t m = 0; m < METRICS && status == FL_OK; m++)
            status = push_point(in, trace, metrics[m].name, metrics[m].unit, begin_ns + span.ns,
                                metrics[m].value(&span));
    }
    return status;
}

/* One that the trace cuts off is no whole one. */
static fl_status push_cycles(const struct reading *in, const struct trace *trace)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < trace->report->cycle_count && status == FL_OK; i++) {
        const fl_sched_cycle *cycle = &trace->report->cycles[i];
        if (cycle->end_ns == 0)
            continue;
        status = push_point(in, trace, "go.gc.duration", "s", cycle->end_ns,
                            (double)(cycle->end_ns - cycle->begin_ns) / NS_PER_S);
        if (status == FL_OK)
            status = push_point(in, trace, "go.gc.pause.duration", "s", cycle->end_ns,
                                (double)cycle->stw_ns / NS_PER_S);
    }
    return status;
}

/* ---- findings and moments ---- */

static fl_status add_moment(struct reading *in, const struct trace *trace, int64_t at_ns,
                            const char *text, const char *query)
{
    assert(in->moment_count < MAX_TRACES * MOMENTS_EACH);
    if (text == NULL || query == NULL)
        return no_memory(in);
    in->moments[in->moment_count++] =
        (fl_moment){.at_ns = at_ns, .service = trace->service, .text = text, .query = query};
    return FL_OK;
}

/* The table in which a finding's figures stand. */
static const char *view_of(const fl_leak_finding *finding)
{
    static const char *const views[FL_LEAK_SUBJECT_COUNT] = {[FL_LEAK_SITE] = "maps",
                                                             [FL_LEAK_GOROUTINES] = "goroutines",
                                                             [FL_LEAK_LOCK] = "waits",
                                                             [FL_LEAK_PROGRAM] = "gc"};
    return finding->verdict == FL_LEAK_GC_PRESSURE ? "gc" : views[finding->subject];
}

/* Two moments: what it is, where it begins; what speaks against it, where the trace ends and all of
 * it was seen. */
static fl_status add_finding(struct reading *in, const struct trace *trace,
                             const fl_leak_finding *finding)
{
    int64_t began_ns = trace->report->from_ns + trace->to_wall_ns;
    int64_t at_ns = finding->began_ns != 0 ? finding->began_ns : began_ns;
    const char *query =
        fl_arena_printf(in->arena, "faultline trace %s --view %s", trace->path, view_of(finding));
    if (query == NULL)
        return no_memory(in);
    fl_rank_finding *out = &in->findings[in->finding_count];
    fl_status status =
        fl_triage_finding_of(out, finding, trace->service, query, in->arena, in->err);
    if (status != FL_OK || out->cause == FL_CAUSE_UNKNOWN)
        return status;
    out->at_ns = at_ns;
    in->finding_count++;
    status = add_moment(in, trace, at_ns, fl_arena_printf(in->arena, "phenomenon: %s", out->text),
                        query);
    if (status != FL_OK)
        return status;
    return add_moment(
        in, trace, trace->report->to_ns + trace->to_wall_ns,
        fl_arena_printf(in->arena, "verification: %s%s",
                        finding->against_count > 0 ? "against it: "
                                                   : "nothing in the trace speaks against it",
                        finding->against_count > 0 ? finding->against[0] : ""),
        fl_arena_printf(in->arena, "faultline signatures show %s", finding->signature->name));
}

/* The heaviest findings, and where the trace is. */
static fl_status take_findings(struct reading *in, const struct trace *trace,
                               const fl_trace_run *run)
{
    const fl_sched_report *report = trace->report;
    fl_trace_findings found = {0};
    fl_leak_report ordered = {0};
    fl_status status = fl_trace_findings_add(&found, run, in->arena, in->err);
    if (status == FL_OK)
        status = fl_trace_findings_merge(&ordered, &found, in->arena, in->err);
    if (status == FL_OK)
        status = add_moment(
            in, trace, report->from_ns + trace->to_wall_ns,
            fl_arena_printf(in->arena,
                            "an execution trace of %.1f s: 99 %% of goroutines ran within %.2f ms",
                            (double)(report->to_ns - report->from_ns) / NS_PER_S,
                            (double)report->latency.p99_ns / 1e6),
            fl_arena_printf(in->arena, "faultline trace %s", trace->path));
    for (size_t i = 0; i < ordered.finding_count && i < FINDINGS_EACH && status == FL_OK; i++)
        status = add_finding(in, trace, &ordered.findings[i]);
    return status;
}

/* ---- one after the other ---- */

/* Its own clock, what was said, a guess; FL_E_UNSUPPORTED where there is not even that. */
static fl_status date(struct reading *in, const char *path, fl_trace_run *run)
{
    char shown[FL_TIME_TEXT];
    int64_t guess_ns = fl_trace_run_guess_ns(run);
    if (fl_trace_run_info(run)->clock_to_wall_ns != 0)
        return FL_OK;
    if (in->from->start_ns != 0) {
        if (in->undated++ > 0)
            return fl_fail(in->err, FL_E_SYNTAX, FL_NO_OFFSET,
                           "%.80s is the second trace that does not say when it began:"
                           " --trace-start is for one",
                           path);
        fl_trace_run_date(run, in->from->start_ns);
        return FL_OK;
    }
    if (guess_ns == 0)
        return warn(in, fl_arena_printf(in->arena,
                                        "%s: nothing tells when it began; say --trace-start TIME",
                                        path));
    fl_trace_run_date(run, guess_ns);
    fl_time_format(shown, guess_ns);
    return warn(in, fl_arena_printf(in->arena,
                                    "%s does not say when it began: taken as %s, by the time of its"
                                    " %s; --trace-start TIME says otherwise",
                                    path, shown, fl_fetch_is_url(path) ? "request" : "file"));
}

/* Warnings first: a trace that breaks off counts as far as it goes, and one that cannot be dated is
 * nowhere on the timeline. */
static fl_status take_run(struct reading *in, const struct entry *entry, fl_trace_run *run)
{
    size_t count;
    const char *const *warnings = fl_trace_run_warnings(run, &count);
    const fl_resource resource = {.service = fl_slice_of(entry->service)};
    struct trace trace = {.service = entry->service,
                          .path = fl_triage_shown(entry->path, in->arena),
                          .report = fl_trace_run_report(run)};
    fl_status status = trace.path != NULL ? FL_OK : no_memory(in);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = warn(in, fl_arena_printf(in->arena, "%s: %s", trace.path, warnings[i]));
    bool has_clock = !fl_trace_run_info(run)->clock_assumed;
    if (status == FL_OK)
        status = has_clock ? date(in, trace.path, run)
                           : warn(in, fl_arena_printf(in->arena,
                                                      "%s: without its clock it is nowhere on the"
                                                      " timeline",
                                                      trace.path));
    in->told_count += has_clock;
    trace.to_wall_ns = fl_trace_run_info(run)->clock_to_wall_ns;
    /* once, whatever is wrong with it */
    in->unreadable += fl_trace_run_info(run)->broken.status != FL_OK || trace.to_wall_ns == 0;
    if (status != FL_OK || trace.to_wall_ns == 0)
        return status;
    status = in->sink->resource(in->sink->payload, &resource, &trace.handle, in->err);
    if (status == FL_OK)
        status = push_course(in, &trace);
    if (status == FL_OK)
        status = push_cycles(in, &trace);
    return status == FL_OK ? take_findings(in, &trace, run) : status;
}

/* What is damaged or does not answer costs itself; a file that is not there is a mistake. */
static fl_status read_trace(struct reading *in, const struct entry *entry)
{
    const fl_trace_options options = {.library = in->from->library, .with_course = true};
    fl_trace_run *run = NULL;
    fl_error why = {0};
    if (entry->run != NULL)
        return take_run(in, entry, entry->run);
    fl_status status = fl_trace_run_input(&run, entry->path, &options, &why);
    bool is_mistake =
        (status == FL_E_IO || status == FL_E_NOTFOUND) && !fl_fetch_is_url(entry->path);
    if (status == FL_E_NOMEM || is_mistake)
        return fl_fail(in->err, status, why.offset, "%s", why.message);
    if (status != FL_OK) {
        in->unreadable++;
        return warn(in, fl_arena_printf(in->arena, "%s", why.message));
    }
    status = take_run(in, entry, run);
    fl_trace_run_destroy(run);
    return status;
}

/* By service, whatever the order in which they were given. */
static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = strcmp(a->service, b->service);
    return order != 0 ? order : strcmp(a->path, b->path);
}

/* Of one moment by their words, so that the order in which traces were read does not show. */
static int compare_moments(const void *left, const void *right)
{
    const fl_moment *a = left, *b = right;
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns ? -1 : 1;
    return strcmp(a->text, b->text);
}

/* The same file of the same service: who names what lies in the folder, too, means one trace. */
static bool is_given(const struct reading *in, const fl_triage_found *found)
{
    for (size_t i = 0; i < in->entry_count; i++)
        if (strcmp(in->entries[i].service, found->service) == 0 &&
            strcmp(in->entries[i].path, found->path) == 0)
            return true;
    return false;
}

/* Those that were named, then those that were found, as far as there is room. */
static fl_status list_all(struct reading *in)
{
    const fl_triage_traces_from *from = in->from;
    fl_status status = FL_OK;
    for (size_t i = 0; i < from->count && status == FL_OK; i++) {
        status = fl_gc_feed_of(&in->feeds[i], from->paths[i], from->service, "trace", in->err);
        in->entries[in->entry_count++] =
            (struct entry){.service = in->feeds[i].service, .path = in->feeds[i].path};
    }
    for (size_t i = 0; i < from->found_count && status == FL_OK; i++) {
        const fl_triage_found *found = &from->found[i];
        if (is_given(in, found))
            continue;
        if (in->entry_count < MAX_TRACES)
            in->entries[in->entry_count++] =
                (struct entry){.service = found->service, .path = found->path, .run = found->run};
        else
            in->passed_over++;
    }
    if (status == FL_OK)
        qsort(in->entries, in->entry_count, sizeof(in->entries[0]), compare_entries);
    return status;
}

static fl_status read_all(struct reading *in)
{
    fl_status status = list_all(in);
    for (size_t i = 0; i < in->entry_count && status == FL_OK; i++)
        status = read_trace(in, &in->entries[i]);
    if (status == FL_OK && in->passed_over > 0)
        status =
            warn(in, fl_arena_printf(in->arena,
                                     "%zu trace%s among the profiles: more than the %d that"
                                     " are read",
                                     in->passed_over, in->passed_over == 1 ? "" : "s", MAX_TRACES));
    else if (status == FL_OK && in->from->start_ns != 0 && in->undated == 0 && in->told_count > 0)
        status = warn(in, fl_arena_printf(in->arena,
                                          "--trace-start changes nothing: every trace says itself"
                                          " when it began"));
    qsort(in->moments, in->moment_count, sizeof(in->moments[0]), compare_moments);
    return status;
}

fl_status fl_triage_traces_read(fl_triage_traces *out, const fl_triage_traces_from *from,
                                const fl_sink *sink, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && sink != NULL && (from->paths != NULL || from->count == 0));
    *out = (fl_triage_traces){0};
    if (from->count + from->found_count == 0)
        return FL_OK;
    assert(from->library != NULL);
    if (from->count > MAX_TRACES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d traces", MAX_TRACES);
    struct reading *in = fl_arena_alloc(arena, 1, sizeof(*in));
    if (in == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for traces");
    *in = (struct reading){
        .from = from,
        .findings = fl_arena_alloc(arena, MAX_TRACES * FINDINGS_EACH, sizeof(*in->findings)),
        .moments = fl_arena_alloc(arena, MAX_TRACES * MOMENTS_EACH, sizeof(*in->moments)),
        .warnings = fl_arena_alloc(arena, MAX_TRACES * WARNINGS_EACH + WARNINGS_OF_ALL,
                                   sizeof(*in->warnings)),
        .sink = sink,
        .arena = arena,
        .err = err};
    if (in->findings == NULL || in->moments == NULL || in->warnings == NULL)
        return no_memory(in);
    fl_status status = read_all(in);
    *out = (fl_triage_traces){.findings = in->findings,
                              .finding_count = in->finding_count,
                              .moments = in->moments,
                              .moment_count = in->moment_count,
                              .warnings = in->warnings,
                              .warning_count = in->warning_count,
                              .unreadable = in->unreadable};
    return status;
}
