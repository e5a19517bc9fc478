/*
 * fl_sched_findings.c - what stands out in a trace, each with the figures that it rests on.
 *
 *   gc-pointers    50 MB or more stay alive, and marking takes a tenth of the time and half a
 *                  millisecond for each of them: pointers, not bytes. (Measured with Go 1.26: 1.5
 * million nodes in a map 1.3 to 3 ms a megabyte, 6 million entries without pointers 0.02.) assist
 * storm   allocating goroutines mark for a tenth of the time that goroutines run, in a hundred
 * spans or more. (A map of pointers under load: 520 to 735 in 4 s; below 40 without a storm, below
 * 8 in healthy programs.) stw tail       of five stops or more one in a hundred took 10 ms (the
 * runtime aims at 0.1 ms), and all took a hundredth of the time: one that the system starved once
 * is none map spike      the doubling of a bucket map (to Go 1.23) took 30 ms of a processor, or a
 * region of 10 ms that took ten times what is usual, meanwhile. Tables of Swiss maps are split one
 * by one: growth that is seen there is no pause convoy         by Little's law, waiting time over
 * time is the mean length of the queue: three or more before one lock, in fifty waits a second
 * and twenty in all, which a moment's jam does not have
 *   leaked         ten goroutines or more that one place created all along, of which none ended and
 *                  all wait for somebody else, in half a second or more: what is younger may end
 */
#include <string.h>

#include "sched_priv.h"

#define MARK_SHARE     0.10
#define MARK_MS_PER_MB 0.5
#define ASSIST_SHARE   0.10
#define ASSIST_COUNT   100
#define ALIVE_BYTES    50e6
#define STW_NS         10000000
#define STW_COUNT      5
#define STW_SHARE      0.01
#define QUEUE_LENGTH   3.0
#define WAITS_PER_S    50.0
#define CONVOY_COUNT   20
#define LEAKED_COUNT   10
#define LEAKED_SECONDS 0.5
#define SPIKE_SAMPLES  3
#define SPIKE_COUNT    3
#define SPIKE_NS       10000000
#define NS_PER_MS      1e6
#define NS_PER_S       1e9
#define MB             1e6

enum { MAX_FINDINGS = 32 };

struct finder {
    const fl_sched_report *report;
    fl_sched_finding *findings;
    size_t count;
    fl_arena *arena;
    double seconds;
    bool failed;
};

/* NULL where there are enough. */
static fl_sched_finding *add(struct finder *f, fl_sched_finding_kind kind,
                             const fl_sched_place *place, double value)
{
    static const fl_sched_place nowhere = {.function = "", .file = ""};
    if (f->count == MAX_FINDINGS)
        return NULL;
    f->findings[f->count] =
        (fl_sched_finding){.kind = kind, .place = place != NULL ? *place : nowhere, .value = value};
    return &f->findings[f->count++];
}

/* NULL is want of memory, which is said at the end. */
static void say(struct finder *f, fl_sched_finding *finding, const char *text)
{
    f->failed |= text == NULL;
    if (finding->evidence_count < FL_SCHED_MAX_EVIDENCE)
        finding->evidence[finding->evidence_count++] = text;
}

#define SAY(finder, finding, ...)                                                                  \
    say(finder, finding, fl_arena_printf((finder)->arena, __VA_ARGS__))

/* ---- the collector ---- */

struct marking {
    double ns, bytes, assist_ns, stw_ns, worker_ns;
    double ended_ns;
    uint64_t cycles, ended, assists;
};

/* All cycles together; one that the trace cuts off counts as long as it is seen, but what stays
 * alive is known at the end of a cycle only. */
static struct marking marking_of(const fl_sched_report *report)
{
    struct marking all = {0};
    for (size_t i = 0; i < report->cycle_count; i++) {
        const fl_sched_cycle *cycle = &report->cycles[i];
        int64_t end = cycle->end_ns != 0 ? cycle->end_ns : report->to_ns;
        all.ns += (double)(end - cycle->begin_ns);
        if (cycle->end_ns != 0) {
            all.ended++;
            all.ended_ns += (double)(end - cycle->begin_ns);
            all.bytes += (double)cycle->heap_after_bytes;
        }
        all.assist_ns += (double)cycle->assist_ns;
        all.assists += cycle->assists;
        all.stw_ns += (double)cycle->stw_ns;
        all.worker_ns += (double)cycle->worker_ns;
        all.cycles++;
    }
    return all;
}

/* The denominator of shares: what the program itself ran. */
static double running_of(const fl_sched_report *report)
{
    double ns = 0;
    for (size_t i = 0; i < report->proc_count; i++)
        ns += (double)report->proc_use[i].running_ns;
    return ns;
}

/* The place is the one that allocates, which triggers; what is large is for a heap profile to say.
 */
static void find_pointers(struct finder *f, const struct marking *all)
{
    double span = f->seconds * NS_PER_S;
    double per_mb = all->bytes > 0 ? all->ended_ns / NS_PER_MS / (all->bytes / MB) : 0;
    if (all->ended == 0 || all->ns < MARK_SHARE * span || per_mb < MARK_MS_PER_MB ||
        all->bytes / (double)all->ended < ALIVE_BYTES)
        return;
    const fl_sched_cycle *cycle = &f->report->cycles[0];
    fl_sched_finding *finding = add(f, FL_SCHED_GC_POINTERS, &cycle->trigger, all->ns);
    if (finding == NULL)
        return;
    finding->at_ns = cycle->begin_ns;
    SAY(f, finding, "marking was under way for %.0f %% of the time, in %llu collections of %.0f ms",
        100 * all->ns / span, (unsigned long long)all->cycles,
        all->ns / NS_PER_MS / (double)all->cycles);
    SAY(f, finding, "%.1f ms for each of %.0f MB that stay alive: a heap full of pointers", per_mb,
        all->bytes / MB / (double)all->ended);
}

/* The place is the one that pays most. */
static void find_assists(struct finder *f, const struct marking *all)
{
    double running = running_of(f->report);
    if (all->assists < ASSIST_COUNT || running <= 0 || all->assist_ns < ASSIST_SHARE * running)
        return;
    const fl_sched_cost *most = f->report->assist_count > 0 ? &f->report->assists[0] : NULL;
    fl_sched_finding *finding =
        add(f, FL_SCHED_ASSIST_STORM, most != NULL ? &most->place : NULL, all->assist_ns);
    if (finding == NULL)
        return;
    SAY(f, finding, "goroutines marked for the collector %llu times, %.1f %% of the time they ran",
        (unsigned long long)all->assists, 100 * all->assist_ns / running);
    if (most != NULL)
        SAY(f, finding, "%.0f %% of it was paid here; one took %.1f ms with its waiting",
            100 * (double)most->running_ns / all->assist_ns, (double)most->max_ns / NS_PER_MS);
}

/* Starting and stopping the trace stops the world, too. */
static void find_stops(struct finder *f)
{
    for (size_t i = 0; i < f->report->stop_count; i++) {
        const fl_sched_cost *stop = &f->report->stops[i];
        bool is_trace = strstr(stop->name, "trace") != NULL;
        if (is_trace || stop->count < STW_COUNT || stop->p99_ns < STW_NS ||
            (double)stop->total_ns < STW_SHARE * f->seconds * NS_PER_S)
            continue;
        fl_sched_finding *finding = add(f, FL_SCHED_STW_TAIL, &stop->place, (double)stop->total_ns);
        if (finding == NULL)
            return;
        SAY(f, finding,
            "the world was stopped %llu times (%s), for %.1f ms at most, %.1f ms at p99",
            (unsigned long long)stop->count, stop->name, (double)stop->max_ns / NS_PER_MS,
            (double)stop->p99_ns / NS_PER_MS);
    }
}

/* ---- the program ---- */

/* The longest slow region that a growing map explains; NULL: none is. *grown of *slow regions of
 * SPIKE_NS coincide. */
static const fl_sched_spike *worst_growth(const fl_sched_report *report, size_t *grown,
                                          size_t *slow)
{
    const fl_sched_spike *worst = NULL;
    bool doubled = false;
    *grown = *slow = 0;
    for (size_t i = 0; i < report->spike_count; i++) {
        const fl_sched_spike *spike = &report->spikes[i];
        if (spike->duration_ns < SPIKE_NS)
            continue;
        ++*slow;
        if (!spike->grew)
            continue;
        ++*grown;
        doubled |= spike->doubled;
        worst = worst == NULL ? spike : worst;
    }
    return doubled || (*grown >= SPIKE_COUNT && 2 * *grown >= *slow) ? worst : NULL;
}

/* One finding a place: samples say how long it took, regions whom it kept waiting. */
static void find_spikes(struct finder *f)
{
    size_t grown, slow;
    const fl_sched_spike *worst = worst_growth(f->report, &grown, &slow);
    for (size_t i = 0; i < f->report->map_count; i++) {
        const fl_sched_map_use *use = &f->report->maps[i];
        bool is_slow = worst != NULL && strcmp(worst->growth.function, use->place.function) == 0;
        if (use->longest < SPIKE_SAMPLES && !is_slow)
            continue;
        fl_sched_finding *finding = add(f, FL_SCHED_MAP_SPIKE, &use->place, (double)use->longest);
        if (finding == NULL)
            return;
        finding->at_ns = is_slow ? worst->begin_ns : use->longest_ns;
        if (use->longest > 0)
            SAY(f, finding,
                "a doubling of a map took %llu samples of the processor in a row, about"
                " %llu ms",
                (unsigned long long)use->longest, (unsigned long long)use->longest * 10);
        if (is_slow)
            SAY(f, finding,
                "%zu of %zu slow regions coincide with a map that grows; the longest,"
                " \"%s\", took %.1f ms",
                grown, slow, worst->name, (double)worst->duration_ns / NS_PER_MS);
    }
}

/* One lock at one line is one queue; a lock that is taken at several lines is several. */
static void find_convoys(struct finder *f)
{
    for (size_t i = 0; i < f->report->wait_count; i++) {
        const fl_sched_wait *wait = &f->report->waits[i];
        double queue = (double)wait->total_ns / (f->seconds * NS_PER_S);
        double rate = (double)wait->count / f->seconds;
        uint64_t all = wait->count + wait->open;
        if (wait->class != FL_SCHED_MUTEX || queue < QUEUE_LENGTH || rate < WAITS_PER_S ||
            wait->count < CONVOY_COUNT)
            continue;
        fl_sched_finding *finding = add(f, FL_SCHED_CONVOY, &wait->place, queue);
        if (finding == NULL)
            return;
        SAY(f, finding, "%.1f goroutines on average stood in line for the lock", queue);
        SAY(f, finding, "%.0f waits a second, %.2f ms each, %.1f ms at most", rate,
            (double)wait->total_ns / NS_PER_MS / (double)all, (double)wait->max_ns / NS_PER_MS);
    }
}

/* Waiting that only somebody else can end; a timer, the network or the system ends the others. */
static bool waits_for_others(fl_sched_class class)
{
    return class == FL_SCHED_CHANNEL || class == FL_SCHED_SELECT || class == FL_SCHED_MUTEX ||
           class == FL_SCHED_SYNC;
}

/* Of a function's goroutines that are older than the trace, those that ended. */
static uint64_t old_ended(const fl_sched_report *report, const char *function)
{
    uint64_t ended = 0;
    for (size_t i = 0; i < report->site_count; i++) {
        const fl_sched_site *site = &report->sites[i];
        if (site->created.function[0] == '\0' && strcmp(site->function, function) == 0)
            ended += site->ended;
    }
    return ended;
}

/* A pool is created at once; a leak goes on. What lives longer than the trace is steady where about
 * as many old ones end as new ones start. What was created at the very end may still end. */
static void find_leaked(struct finder *f)
{
    double span = f->seconds * NS_PER_S;
    if (f->seconds < LEAKED_SECONDS)
        return;
    for (size_t i = 0; i < f->report->site_count; i++) {
        const fl_sched_site *site = &f->report->sites[i];
        double over = (double)(site->last_ns - site->first_ns);
        if (site->started < LEAKED_COUNT || site->ended * 50 > site->started || over < span / 2 ||
            site->waiting * 10 < site->alive * 9 || site->waits_reason == NULL ||
            !waits_for_others(site->waits_class) ||
            2 * old_ended(f->report, site->function) >= site->started)
            continue;
        fl_sched_finding *finding = add(f, FL_SCHED_LEAKED, &site->created, (double)site->started);
        if (finding == NULL)
            return;
        finding->at_ns = site->first_ns;
        SAY(f, finding, "%llu goroutines of %s were started in %.1f s and %llu ended",
            (unsigned long long)site->started, site->function, f->seconds,
            (unsigned long long)site->ended);
        SAY(f, finding, "%llu wait (%s) in %s (%s:%u)", (unsigned long long)site->waiting,
            fl_sched_class_name(site->waits_class), site->waits_at.function, site->waits_at.file,
            site->waits_at.line);
    }
}

fl_status fl_sched_findings(fl_sched_report *report, const fl_sched *sched, fl_arena *arena,
                            fl_error *err)
{
    assert(report != NULL && sched != NULL);
    struct finder f = {.report = report,
                       .arena = arena,
                       .seconds = (double)(report->to_ns - report->from_ns) / NS_PER_S};
    struct marking all = marking_of(report);
    f.findings = fl_arena_alloc(arena, MAX_FINDINGS, sizeof(*f.findings));
    f.failed = f.findings == NULL;
    if (!f.failed && f.seconds > 0) {
        find_leaked(&f);
        find_convoys(&f);
        find_pointers(&f, &all);
        find_assists(&f, &all);
        find_stops(&f);
        find_spikes(&f);
    }
    if (f.failed)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for findings");
    report->findings = f.findings;
    report->finding_count = f.count;
    return FL_OK;
}
