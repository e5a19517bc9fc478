/*
 * sched_findings.c - what stands out in a trace: subjects with what was measured of them, for
 * signatures to be tried on (schemas/signatures/traces.yaml), each finding with its figures.
 *
 *   program      marking, and what stays alive; each reason for which the world is stopped
 *   site         who assists the collector most; each place that uses a map
 *   lock         waiting at one line: by Little's law, time waited over time is the mean length of
 *                the queue
 *   goroutines   of one place that creates them
 *
 * Every subject also has where it is, how long the trace is, and how much of the time that
 * goroutines seem to run the system gave them: what only a busy machine made long is no fault of a
 * program.
 */
#include <math.h>
#include <string.h>

#include "facts.h"
#include "sched_priv.h"

#define NS_PER_MS 1e6
#define NS_PER_S  1e9
#define MB        1e6

/* The runtime samples a processor a hundred times a second. */
#define SAMPLE_MS 10

/* A region that took less is not slow, whatever grew meanwhile. */
#define SPIKE_NS 10000000

/* Fewer samples, or samples of less that seemed to run, tell nothing of how much processor time
 * there was. */
enum { MAX_FINDINGS = 32, MAX_FACTS = 12, MIN_SAMPLES = 5, MIN_EXPECTED = 20 };

struct finder {
    const fl_sched_report *report;
    fl_rules *rules;
    const fl_sched_criteria *criteria;
    fl_sched_finding *findings;
    size_t count;
    fl_arena *arena;
    double seconds;
    double cpu_ratio; /* NaN: not known */
    fl_status status;
    fl_error *err;
};

/* One subject. */
struct subject {
    fl_leak_subject kind;
    fl_sched_place place;
    const char *function; /* another name by which it is known; NULL: none */
    fl_fact facts[MAX_FACTS];
    size_t count;
    double value; /* what findings of one signature are ranked by */
};

static const fl_sched_place nowhere = {.function = "", .file = ""};

static void number(struct subject *subject, fl_leak_feature feature, double value)
{
    assert(subject->count < MAX_FACTS);
    subject->facts[subject->count++] = (fl_fact){.feature = feature, .number = value};
}

static void text(struct subject *subject, fl_leak_feature feature, const char *value)
{
    assert(subject->count < MAX_FACTS && value != NULL);
    subject->facts[subject->count++] = (fl_fact){.feature = feature, .text = value};
}

/* Of what there is none there is no share. */
static double share_of(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

/* The odds, and what makes them less. */
static void doubt(struct finder *f, fl_sched_finding *finding, const fl_facts *facts)
{
    fl_against against;
    f->status = fl_rules_against(&against, f->rules, finding->signature, facts, f->err);
    if (f->status != FL_OK)
        return;
    finding->confidence = fl_rules_confidence(finding->signature, against.count);
    for (; finding->against_count < against.count && finding->against_count < FL_SCHED_MAX_EVIDENCE;
         finding->against_count++)
        finding->against[finding->against_count] = against.texts[finding->against_count];
}

/* NULL where no signature holds, or there are enough findings. */
static fl_sched_finding *judge(struct finder *f, struct subject *subject)
{
    const fl_leak_signature *signature;
    text(subject, FL_LEAK_F_TRACE_PLACE, subject->place.function);
    if (subject->function != NULL)
        text(subject, FL_LEAK_F_TRACE_PLACE, subject->function);
    number(subject, FL_LEAK_F_TRACE_SPAN_S, f->seconds);
    number(subject, FL_LEAK_F_TRACE_CPU_RATIO, f->cpu_ratio);
    const fl_facts facts = {.subject = subject->kind,
                            .go_from = f->criteria->go_from,
                            .go_to = f->criteria->go_to,
                            .items = subject->facts,
                            .count = subject->count};
    if (f->status != FL_OK || f->count == MAX_FINDINGS)
        return NULL;
    f->status = fl_rules_best(&signature, f->rules, &facts, f->err);
    if (f->status != FL_OK || signature == NULL)
        return NULL;
    fl_sched_finding *finding = &f->findings[f->count];
    *finding = (fl_sched_finding){
        .signature = signature, .place = subject->place, .value = subject->value};
    doubt(f, finding, &facts);
    if (f->status != FL_OK)
        return NULL;
    f->count++;
    return finding;
}

/* NULL is want of memory. */
static void say(struct finder *f, fl_sched_finding *finding, const char *sentence)
{
    if (sentence == NULL && f->status == FL_OK)
        f->status = fl_fail(f->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for findings");
    if (sentence != NULL && finding->evidence_count < FL_SCHED_MAX_EVIDENCE)
        finding->evidence[finding->evidence_count++] = sentence;
}

/* "1 collection", "2 collections" */
static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
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

/* The trace takes a thread that the system does not run for one that runs; samples are taken of
 * processor time. */
static double cpu_ratio_of(const fl_sched_report *report)
{
    double ns = running_of(report);
    for (size_t i = 0; i < report->proc_count; i++)
        ns += (double)report->proc_use[i].marking_ns;
    bool is_told = report->samples >= MIN_SAMPLES && ns >= MIN_EXPECTED * SAMPLE_MS * NS_PER_MS;
    return is_told ? share_of((double)report->samples * SAMPLE_MS * NS_PER_MS, ns) : NAN;
}

/* Marking lasts the longer the less the system runs it: what it would have taken on processors of
 * its own is what the heap costs. */
static double ran_share_of(const struct finder *f)
{
    return f->cpu_ratio < 1 ? f->cpu_ratio : 1; /* also where it is not known */
}

/* The place is the one that allocates, which triggers; what is large is for a heap profile to say.
 */
static void find_pointers(struct finder *f, const struct marking *all)
{
    if (all->ended == 0)
        return;
    const fl_sched_cycle *cycle = &f->report->cycles[0];
    double span = f->seconds * NS_PER_S, alive = all->bytes / (double)all->ended;
    double per_mb = share_of(all->ended_ns / NS_PER_MS * ran_share_of(f), all->bytes / MB);
    struct subject subject = {.kind = FL_LEAK_PROGRAM, .place = cycle->trigger, .value = all->ns};
    number(&subject, FL_LEAK_F_TRACE_MARK_SHARE, all->ns / span);
    number(&subject, FL_LEAK_F_TRACE_MARK_MS_PER_MB, per_mb);
    number(&subject, FL_LEAK_F_TRACE_ALIVE_BYTES, alive);
    fl_sched_finding *finding = judge(f, &subject);
    if (finding == NULL)
        return;
    finding->at_ns = cycle->begin_ns;
    SAY(f, finding,
        "marking was under way for %.0f %% of the time, in %llu collection%s of %.0f ms",
        100 * all->ns / span, (unsigned long long)all->cycles, plural(all->cycles),
        all->ns / NS_PER_MS / (double)all->cycles);
    SAY(f, finding, "%.1f ms for each of %.0f MB that stay alive: a heap full of pointers", per_mb,
        alive / MB);
}

/* The place is the one that pays most. */
static void find_assists(struct finder *f, const struct marking *all)
{
    const fl_sched_cost *most = f->report->assist_count > 0 ? &f->report->assists[0] : NULL;
    double running = running_of(f->report);
    struct subject subject = {.kind = FL_LEAK_SITE,
                              .place = most != NULL ? most->place : nowhere,
                              .value = all->assist_ns};
    number(&subject, FL_LEAK_F_TRACE_ASSISTS, (double)all->assists);
    number(&subject, FL_LEAK_F_TRACE_ASSIST_SHARE, share_of(all->assist_ns, running));
    fl_sched_finding *finding = judge(f, &subject);
    if (finding == NULL)
        return;
    SAY(f, finding, "goroutines marked for the collector %llu time%s, %.1f %% of the time they ran",
        (unsigned long long)all->assists, plural(all->assists),
        running > 0 ? 100 * all->assist_ns / running : 0);
    if (most != NULL && all->assist_ns > 0)
        SAY(f, finding, "%.0f %% of it was paid here; one took %.1f ms with its waiting",
            100 * (double)most->running_ns / all->assist_ns, (double)most->max_ns / NS_PER_MS);
}

/* Of a stop's time, the part in which nothing of the program ran: a thread that the system does not
 * run cannot stop, and takes no samples. Nothing is known of a trace without samples. */
static double idle_share_of(const struct finder *f, const fl_sched_cost *stop)
{
    double sampled_ns = (double)stop->samples * SAMPLE_MS * NS_PER_MS;
    if (isnan(f->cpu_ratio) || sampled_ns >= (double)stop->total_ns)
        return 0;
    return 1 - sampled_ns / (double)stop->total_ns;
}

/* Starting and stopping the trace stops the world, too. */
static void find_stops(struct finder *f)
{
    for (size_t i = 0; i < f->report->stop_count; i++) {
        const fl_sched_cost *stop = &f->report->stops[i];
        if (strstr(stop->name, "trace") != NULL)
            continue;
        struct subject subject = {
            .kind = FL_LEAK_PROGRAM, .place = stop->place, .value = (double)stop->total_ns};
        number(&subject, FL_LEAK_F_TRACE_STOPS, (double)stop->count);
        number(&subject, FL_LEAK_F_TRACE_STOP_P99_MS, (double)stop->p99_ns / NS_PER_MS);
        number(&subject, FL_LEAK_F_TRACE_STOP_SHARE,
               (double)stop->total_ns / (f->seconds * NS_PER_S));
        number(&subject, FL_LEAK_F_TRACE_STOP_IDLE_SHARE, idle_share_of(f, stop));
        fl_sched_finding *finding = judge(f, &subject);
        if (finding != NULL)
            SAY(f, finding,
                "the world was stopped %llu time%s (%s), for %.1f ms at most, %.1f ms at p99",
                (unsigned long long)stop->count, plural(stop->count), stop->name,
                (double)stop->max_ns / NS_PER_MS, (double)stop->p99_ns / NS_PER_MS);
    }
}

/* ---- the program ---- */

/* Slow regions, and what grew meanwhile. */
struct growth {
    size_t slow, grew, doubled;
    const fl_sched_spike *worst; /* the longest in which a map grew; NULL: none */
};

static struct growth growth_of(const fl_sched_report *report)
{
    struct growth all = {0};
    for (size_t i = 0; i < report->spike_count; i++) {
        const fl_sched_spike *spike = &report->spikes[i];
        bool is_slow = spike->duration_ns >= SPIKE_NS;
        all.slow += is_slow;
        all.grew += is_slow && spike->grew;
        all.doubled += is_slow && spike->grew && spike->doubled;
        if (is_slow && spike->grew && all.worst == NULL)
            all.worst = spike;
    }
    return all;
}

/* One subject a place: samples say how long it took, regions whom it kept waiting. */
static void find_spikes(struct finder *f)
{
    struct growth all = growth_of(f->report);
    for (size_t i = 0; i < f->report->map_count; i++) {
        const fl_sched_map_use *use = &f->report->maps[i];
        bool is_slow =
            all.worst != NULL && strcmp(all.worst->growth.function, use->place.function) == 0;
        struct subject subject = {
            .kind = FL_LEAK_SITE, .place = use->place, .value = (double)use->longest};
        number(&subject, FL_LEAK_F_TRACE_DOUBLING_MS, (double)use->longest * SAMPLE_MS);
        number(&subject, FL_LEAK_F_TRACE_SLOW_DOUBLED, is_slow ? (double)all.doubled : 0);
        number(&subject, FL_LEAK_F_TRACE_SLOW_GREW, is_slow ? (double)all.grew : 0);
        number(&subject, FL_LEAK_F_TRACE_SLOW_GREW_SHARE,
               is_slow ? share_of((double)all.grew, (double)all.slow) : 0);
        fl_sched_finding *finding = judge(f, &subject);
        if (finding == NULL)
            continue;
        finding->at_ns = is_slow ? all.worst->begin_ns : use->longest_ns;
        if (use->longest > 0)
            SAY(f, finding,
                "a doubling of a map took %llu sample%s of the processor in a row, about"
                " %llu ms",
                (unsigned long long)use->longest, plural(use->longest),
                (unsigned long long)use->longest * SAMPLE_MS);
        if (is_slow)
            SAY(f, finding,
                "%zu of %zu slow region%s coincide%s with a map that grows; the longest,"
                " \"%s\", took %.1f ms",
                all.grew, all.slow, plural(all.slow), all.grew == 1 ? "s" : "", all.worst->name,
                (double)all.worst->duration_ns / NS_PER_MS);
    }
}

/* One lock at one line is one queue; a lock that is taken at several lines is several. */
static void find_convoys(struct finder *f)
{
    for (size_t i = 0; i < f->report->wait_count; i++) {
        const fl_sched_wait *wait = &f->report->waits[i];
        /* waits whose stacks the trace lacks are of no one line */
        if (wait->class != FL_SCHED_MUTEX || wait->place.function[0] == '\0')
            continue;
        double queue = (double)wait->total_ns / (f->seconds * NS_PER_S);
        double rate = (double)wait->count / f->seconds;
        uint64_t all = wait->count + wait->open;
        struct subject subject = {.kind = FL_LEAK_LOCK, .place = wait->place, .value = queue};
        number(&subject, FL_LEAK_F_TRACE_QUEUE, queue);
        number(&subject, FL_LEAK_F_TRACE_WAITS, (double)wait->count);
        number(&subject, FL_LEAK_F_TRACE_WAITS_PER_S, rate);
        fl_sched_finding *finding = judge(f, &subject);
        if (finding == NULL)
            continue;
        SAY(f, finding, "%.1f goroutines on average stood in line for the lock", queue);
        SAY(f, finding, "%.0f waits a second, %.2f ms each, %.1f ms at most", rate,
            (double)wait->total_ns / NS_PER_MS / (double)all, (double)wait->max_ns / NS_PER_MS);
    }
}

/* What lives longer than the trace is steady where about as many old ones end as new ones start. */
static struct subject created_by(const struct finder *f, const fl_sched_site *site)
{
    struct subject subject = {.kind = FL_LEAK_GOROUTINES,
                              .place = site->created,
                              .function = site->function,
                              .value = (double)site->started};
    double started = (double)site->started;
    double over = (double)(site->last_ns - site->first_ns);
    number(&subject, FL_LEAK_F_TRACE_STARTED, started);
    number(&subject, FL_LEAK_F_TRACE_ENDED_SHARE, (double)site->ended / started);
    number(&subject, FL_LEAK_F_TRACE_CREATION_SHARE, over / (f->seconds * NS_PER_S));
    number(&subject, FL_LEAK_F_TRACE_WAITING_SHARE,
           share_of((double)site->waiting, (double)site->alive));
    number(&subject, FL_LEAK_F_TRACE_REPLACED_RATIO, (double)site->old_ended / started);
    text(&subject, FL_LEAK_F_TRACE_WAITS_FOR,
         site->waits_reason != NULL ? fl_sched_class_name(site->waits_class) : "");
    return subject;
}

static void find_leaked(struct finder *f)
{
    for (size_t i = 0; i < f->report->site_count; i++) {
        const fl_sched_site *site = &f->report->sites[i];
        if (site->started == 0)
            continue;
        struct subject subject = created_by(f, site);
        fl_sched_finding *finding = judge(f, &subject);
        if (finding == NULL)
            continue;
        finding->at_ns = site->first_ns;
        SAY(f, finding, "%llu goroutine%s of %s %s started in %.1f s and %llu ended",
            (unsigned long long)site->started, plural(site->started), site->function,
            site->started == 1 ? "was" : "were", f->seconds, (unsigned long long)site->ended);
        if (site->waits_reason != NULL)
            SAY(f, finding, "%llu wait%s (%s) in %s (%s:%u)", (unsigned long long)site->waiting,
                site->waiting == 1 ? "s" : "", fl_sched_class_name(site->waits_class),
                site->waits_at.function, site->waits_at.file, site->waits_at.line);
    }
}

fl_status fl_sched_findings(fl_sched_report *report, const fl_sched_criteria *criteria,
                            fl_arena *arena, fl_error *err)
{
    assert(report != NULL && criteria != NULL);
    struct finder f = {.report = report,
                       .criteria = criteria,
                       .arena = arena,
                       .err = err,
                       .seconds = (double)(report->to_ns - report->from_ns) / NS_PER_S};
    struct marking all = marking_of(report);
    f.cpu_ratio = report->cpu_ratio = cpu_ratio_of(report);
    f.findings = fl_arena_alloc(arena, MAX_FINDINGS, sizeof(*f.findings));
    if (f.findings == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for findings");
    f.status = fl_rules_create(&f.rules, criteria->signatures, criteria->signature_count,
                               FL_LEAK_IN_TRACES, err);
    if (f.status == FL_OK && f.seconds > 0) {
        find_leaked(&f);
        find_convoys(&f);
        find_pointers(&f, &all);
        find_assists(&f, &all);
        find_stops(&f);
        find_spikes(&f);
    }
    fl_rules_destroy(f.rules);
    report->findings = f.findings;
    report->finding_count = f.count;
    return f.status;
}
