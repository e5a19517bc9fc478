/*
 * gc_judge.c - figures to findings.
 *
 *   heap grows       what stays after collections of the old part rises: the rules of levels.h, the
 *                    same by which memory statistics of Go programs are judged
 *   heap full        it does not, since there is no room left
 *   metaspace grows  the same of classes
 *   time             more of the time in pauses than the collector itself aims at
 *   failures         no room to copy or promote survivors to; a concurrent collection too late
 *   humongous        collections that large objects begin
 *   explicit         System.gc()
 *   stalls           threads that waited for memory
 *
 * A signature is found by what it matches: each finding has a line such as "gc log: heap grows".
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "facts.h"
#include "gc_priv.h"
#include "slice.h"

enum { MAX_FINDINGS = 9, MAX_EVIDENCE = 4, MAX_SENTENCES = 6, MIN_OF_A_KIND = 3 };
/* G1 sizes its heap so that collections take 1/(1 + GCTimeRatio) of the time, GCTimeRatio 12 by
 * default (Java SE 17 tuning guide, "Garbage-First"): above twice that it has failed. */
#define TIME_RATIO (2.0 / 13)
/* A quarter of all collections begun for one reason is no accident. */
#define CAUSE_SHARE 0.25
/* As much of the time in pauses as all collections together should take at most. */
#define EXPLICIT_RATIO 0.1
/* Of the largest heap. G1 keeps a tenth of it in reserve and a twentieth for the young part at
 * least (G1ReservePercent 10, G1NewSizePercent 5): beyond this it has no room but for the smallest
 * steps, and other collectors have no more. */
#define FULL_RATIO 0.85
/* Growth that would be missed is at most this share of the heap where none is claimed. */
#define TOLERANCE 0.25

/* Findings while they are made; the arena gets them when their number is known. */
typedef struct gc_writer {
    gc_case *c;
    fl_rules *rules;
    fl_leak_finding findings[MAX_FINDINGS];
    fl_leak_evidence evidence[MAX_FINDINGS][MAX_EVIDENCE];
    size_t count;
    fl_error *err;
    fl_status status;
} gc_writer;

static double mib(double bytes)
{
    return bytes / 1048576;
}

static double ms(int64_t ns)
{
    return (double)ns / 1e6;
}

/* How to see the first of a kind again, as the end of a sentence; "" where there is no way. */
static const char *first_of(gc_case *c, fl_gc_trouble trouble)
{
    char again[FL_GC_AGAIN_TEXT];
    const fl_gc_stats *s = c->stats;
    (void)fl_gc_again(again, c->report->files[s->trouble_file[trouble]], s->trouble_line[trouble]);
    return again[0] != '\0' ? fl_gc_say(c, "; the first: %s", again) : "";
}

/* Of those that hold for `line`; NULL: none does. */
static const fl_leak_signature *signature_of(gc_writer *w, const char *line)
{
    const fl_leak_signature *best = NULL;
    const fl_fact fact = {.feature = FL_LEAK_F_LOG, .text = line};
    const fl_facts facts = {.subject = FL_LEAK_PROGRAM, .items = &fact, .count = 1};
    if (w->status == FL_OK)
        w->status = fl_rules_best(&best, w->rules, &facts, w->err);
    return best;
}

/* `confidence` counts where no signature holds, whose prior else is it. */
static fl_leak_finding *begin(gc_writer *w, fl_leak_verdict verdict, const char *line,
                              double confidence)
{
    const fl_leak_interval unknown = {NAN, NAN, NAN};
    assert(w->count < MAX_FINDINGS);
    const fl_leak_signature *signature = signature_of(w, line);
    fl_leak_finding *out = &w->findings[w->count];
    *out = (fl_leak_finding){.verdict = verdict,
                             .subject = FL_LEAK_PROGRAM,
                             .signature = signature,
                             .confidence = signature != NULL ? signature->prior : confidence,
                             .growth_bytes_per_hour = unknown,
                             .growth_per_hour = unknown,
                             .seconds_to_limit = unknown,
                             .support = 1u << FL_LEAK_FROM_LOG,
                             .evidence = w->evidence[w->count]};
    w->count++;
    return out;
}

/* One sentence with its figure, to the finding that was begun last. */
static void add(gc_writer *w, double value, const char *unit, const char *text)
{
    fl_leak_finding *finding = &w->findings[w->count - 1];
    assert(w->count > 0 && finding->evidence_count < MAX_EVIDENCE);
    w->evidence[w->count - 1][finding->evidence_count++] =
        (fl_leak_evidence){.source = FL_LEAK_FROM_LOG, .text = text, .value = value, .unit = unit};
}

/* ---- levels ---- */

/* Seconds since the first collection to the wall clock, where there is one; else 0. */
static int64_t moment(const gc_case *c, double at_s)
{
    return c->report->from_ns >= 0 ? c->report->from_ns + (int64_t)(at_s * 1e9) : 0;
}

/* How long until the heap is full, where growth goes on as it does; the interval's ends change
 * places, since faster growth leaves less time. */
static void set_limit(fl_leak_finding *out, double last, const fl_trend *t, double limit)
{
    if (!(limit > last) || t->slope <= 0)
        return;
    double left = limit - last;
    out->seconds_to_limit =
        (fl_leak_interval){left / t->slope, t->high > 0 ? left / t->high : (double)NAN,
                           t->low > 0 ? left / t->low : (double)NAN};
}

/* The growth of one level, with its interval and its ends. */
static void add_growth(gc_writer *w, fl_leak_finding *out, const fl_levels *levels,
                       const char *what)
{
    const fl_series *s = &levels->series;
    const fl_trend *t = &levels->trend;
    double hours = (s->time_s[s->count - 1] - s->time_s[0]) / 3600;
    out->growth_bytes_per_hour = (fl_leak_interval){3600 * t->slope, 3600 * t->low, 3600 * t->high};
    out->began_ns = moment(w->c, s->time_s[0]);
    add(w, 3600 * t->slope, "By/h",
        fl_gc_say(w->c,
                  "%s rose from %.1f to %.1f MiB in %.3g %s, by %.1f MiB an hour"
                  " (95 %%: %.1f to %.1f), %.1f errors beyond chance",
                  what, mib(s->value[0]), mib(s->value[s->count - 1]),
                  hours < 1 ? 60 * hours : hours, hours < 1 ? "minutes" : "hours",
                  mib(3600 * t->slope), mib(3600 * t->low), mib(3600 * t->high), t->growth_z));
}

/* What the user says, else what the log says; NaN: nothing does. */
static double maximum_of(const gc_case *c)
{
    if (c->options->limit_bytes > 0)
        return (double)c->options->limit_bytes;
    return c->stats->about.max_bytes > 0 ? (double)c->stats->about.max_bytes : (double)NAN;
}

/* Where a heap may grow to: of one whose maximum is not known, the largest capacity so far, below
 * which it has room for certain. It proves no heap full, since the next may be larger. */
static double limit_of(const gc_case *c)
{
    double most = maximum_of(c);
    return isnan(most) && c->stats->largest_capacity > 0 ? (double)c->stats->largest_capacity
                                                         : most;
}

/* Growth and lack of room are one finding where both hold: room is then what growth takes. */
static void judge_heap(gc_writer *w)
{
    const gc_case *c = w->c;
    const fl_series *s = &c->heap.series;
    if (!c->report->heap_is_after_old || s->count == 0)
        return;
    double last = s->value[s->count - 1], most = maximum_of(c);
    bool grows = fl_levels_grow(&c->heap), is_full = last >= FULL_RATIO * most;
    if (grows) {
        fl_leak_finding *out = begin(w, FL_LEAK_LEAK, "gc log: heap grows", 0.8);
        add_growth(w, out, &c->heap, "what stays after collections of the old part");
        set_limit(out, last, &c->heap.trend, limit_of(c));
    } else if (is_full)
        (void)begin(w, FL_LEAK_GC_PRESSURE, "gc log: heap full", 0.8);
    if (is_full)
        add(w, last / most, "ratio",
            fl_gc_say(w->c, "the last of them left %.0f %% of the largest heap in use",
                      100 * fmin(last / most, 1)));
}

/* Metaspace is freed by collections of the old part as well, but its level is what is in use. */
static void judge_metaspace(gc_writer *w)
{
    if (!fl_levels_grow(&w->c->metaspace))
        return;
    fl_leak_finding *out = begin(w, FL_LEAK_LEAK, "gc log: metaspace grows", 0.7);
    add_growth(w, out, &w->c->metaspace, "Metaspace in use after collections");
}

/* ---- pauses and failures ---- */

/* The longest pause, with the line that tells it. */
static void add_longest(gc_writer *w)
{
    const fl_gc_report *r = w->c->report;
    if (r->longest_count == 0)
        return;
    const fl_gc_pause *p = &r->longest[0];
    char again[FL_GC_AGAIN_TEXT];
    bool is_shown = fl_gc_again(again, p->file, p->line)[0] != '\0';
    add(w, ms(p->pause_ns), "ms",
        fl_gc_say(w->c, "the longest pause took %.1f ms: %s%s%s%s%s%s", ms(p->pause_ns), p->name,
                  p->cause[0] != '\0' ? ", " : "", p->cause, is_shown ? " (" : "", again,
                  is_shown ? ")" : ""));
}

/* Ten seconds hold enough collections to speak of a share. */
static void judge_time(gc_writer *w)
{
    const fl_gc_report *r = w->c->report;
    bool all = r->pause_ratio >= TIME_RATIO, worst = r->worst_pause_ratio >= 2 * TIME_RATIO;
    if (r->pauses.count < 10 || r->span_ns < INT64_C(10000000000) || (!all && !worst))
        return;
    (void)begin(w, FL_LEAK_GC_PRESSURE, "gc log: collections take the time", 0.8);
    add(w, r->pause_ratio, "ratio",
        fl_gc_say(w->c, "pauses took %.1f %% of the time: %llu of them, %.1f s in all",
                  100 * r->pause_ratio, (unsigned long long)r->pauses.count,
                  (double)r->pauses.total_ns / 1e9));
    if (worst)
        add(w, r->worst_pause_ratio, "ratio",
            fl_gc_say(w->c, "in the worst minute, %.0f s after the first collection, %.0f %%",
                      (double)r->worst_at_ns / 1e9, 100 * r->worst_pause_ratio));
    add_longest(w);
}

/* Failures that end in a full collection, each alone worth a word; one of the young kind may happen
 * while the heap grows to its size. */
static void judge_failure(gc_writer *w, fl_gc_trouble trouble, uint64_t least, const char *line,
                          const char *what)
{
    const fl_gc_stats *s = w->c->stats;
    uint64_t count = s->troubles[trouble];
    if (count < least)
        return;
    (void)begin(w, FL_LEAK_GC_PRESSURE, line, 0.8);
    add(w, (double)count, "collections",
        fl_gc_say(w->c, "%s in %llu collection%s, which took %.1f ms in all%s", what,
                  (unsigned long long)count, count == 1 ? "" : "s",
                  ms(s->troubled_pause_ns[trouble]), first_of(w->c, trouble)));
}

/* Collections that free the young or the old part: what a cause can have a share in. */
static uint64_t collections_of(const fl_gc_report *r)
{
    return r->counts[FL_GC_YOUNG] + r->counts[FL_GC_MIXED] + r->counts[FL_GC_FULL] +
           r->counts[FL_GC_DEGENERATE] + r->counts[FL_GC_CYCLE];
}

/* A share of all collections, and enough of them that it is one. */
static void judge_humongous(gc_writer *w)
{
    const fl_gc_stats *s = w->c->stats;
    uint64_t count = s->troubles[FL_GC_HUMONGOUS], all = collections_of(w->c->report);
    if (count < 10 || (double)count < CAUSE_SHARE * (double)all)
        return;
    (void)begin(w, FL_LEAK_GC_PRESSURE, "gc log: humongous", 0.8);
    add(w, (double)count / (double)all, "ratio",
        fl_gc_say(w->c,
                  "%llu of %llu collections were begun for an object of half a region or more%s%s",
                  (unsigned long long)count, (unsigned long long)all,
                  s->about.region_bytes > 0
                      ? fl_gc_say(w->c, " (%.3g MiB)", mib((double)s->about.region_bytes / 2))
                      : "",
                  first_of(w->c, FL_GC_HUMONGOUS)));
}

/* Calls that cost nothing (ExplicitGCInvokesConcurrent) have no share in the pauses. */
static void judge_explicit(gc_writer *w)
{
    const fl_gc_stats *s = w->c->stats;
    uint64_t count = s->troubles[FL_GC_EXPLICIT];
    double share = s->pauses.total_ns > 0
                       ? (double)s->troubled_pause_ns[FL_GC_EXPLICIT] / (double)s->pauses.total_ns
                       : 0;
    if (count < MIN_OF_A_KIND || share < EXPLICIT_RATIO)
        return;
    (void)begin(w, FL_LEAK_LATENCY, "gc log: explicit", 0.9);
    add(w, (double)count, "collections",
        fl_gc_say(w->c,
                  "System.gc() began %llu collections, %llu of them full: %.0f %% of all time in"
                  " pauses%s",
                  (unsigned long long)count, (unsigned long long)s->troubled_full[FL_GC_EXPLICIT],
                  100 * share, first_of(w->c, FL_GC_EXPLICIT)));
}

/* How many, how long in all, and the longest: what the callers of those threads waited. */
static void judge_stalls(gc_writer *w)
{
    const fl_gc_report *r = w->c->report;
    if (r->stalls.count < MIN_OF_A_KIND)
        return;
    (void)begin(w, FL_LEAK_LATENCY, "gc log: stalls", 0.8);
    add(w, (double)r->stalls.count, "stalls",
        fl_gc_say(
            w->c, "threads stalled %llu times for memory, %.1f ms in all, the longest %.1f ms",
            (unsigned long long)r->stalls.count, ms(r->stalls.total_ns), ms(r->stalls.max_ns)));
}

/* ---- the verdict ---- */

/* Whether growth that matters would have been seen. */
/* The tolerance is that of leak analysis: growth of a quarter of the heap, or of the 4 MiB at which
 * a heap begins, would have been seen. */
static bool may_exclude(const fl_levels *levels)
{
    const fl_series *s = &levels->series;
    const fl_trend *t = &levels->trend;
    if (!levels->is_known || s->count < FL_LEVELS_MIN)
        return false;
    if (t->shape == FL_SHAPE_BOUNDED || t->shape == FL_SHAPE_STEP || t->shape == FL_SHAPE_FALLING)
        return true;
    double span = s->time_s[s->count - 1] - s->time_s[0];
    double tolerance = fmax(4 << 20, TOLERANCE * s->value[s->count - 1]);
    return t->shape != FL_SHAPE_GROWING && 3.5 * t->slope_error * span <= tolerance;
}

/* Nothing stands out: what may be said of the heap. */
static void set_quiet_verdict(gc_case *c)
{
    fl_leak_report *out = &c->report->verdict;
    const char **collect = fl_arena_alloc(c->arena, 1, sizeof(*collect));
    out->verdict = FL_LEAK_NOT_ENOUGH_DATA;
    if (collect == NULL) {
        c->failed = true;
        return;
    }
    if (c->report->heap_is_after_old && may_exclude(&c->heap)) {
        bool bounded = c->heap.trend.shape == FL_SHAPE_BOUNDED;
        out->verdict = bounded ? FL_LEAK_BOUNDED_GROWTH : FL_LEAK_NO_LEAK;
        out->confidence = 0.8;
        return;
    }
    *collect = c->report->heap_is_after_old
                   ? "a longer log: what stays after collections scatters too much for an answer"
                   : "a log with collections of the old part in at least four parts of its time"
                     " (jcmd PID GC.run begins one): what collections of the young part leave is"
                     " not what stays";
    out->collect = collect;
    out->collect_count = 1;
}

/* Of a list that ends with the report's arena. */
static void keep_findings(gc_writer *w)
{
    gc_case *c = w->c;
    fl_leak_report *out = &c->report->verdict;
    fl_leak_finding *findings = fl_arena_alloc(c->arena, w->count + 1, sizeof(*findings));
    fl_leak_evidence *evidence =
        fl_arena_alloc(c->arena, (w->count + 1) * MAX_EVIDENCE, sizeof(*evidence));
    if (findings == NULL || evidence == NULL) {
        c->failed = true;
        return;
    }
    for (size_t i = 0; i < w->count; i++) {
        memcpy(evidence + i * MAX_EVIDENCE, w->evidence[i], sizeof(w->evidence[i]));
        findings[i] = w->findings[i];
        findings[i].evidence = evidence + i * MAX_EVIDENCE;
    }
    out->findings = findings;
    out->finding_count = w->count;
    out->verdict = w->findings[0].verdict;
    out->confidence = w->findings[0].confidence;
}

/* What the figures lack, and why. */
static void add_warnings(gc_case *c)
{
    const fl_gc_about *about = &c->stats->about;
    const char **warnings = fl_arena_alloc(c->arena, 2, sizeof(*warnings));
    fl_leak_report *out = &c->report->verdict;
    c->failed |= warnings == NULL;
    if (warnings == NULL)
        return;
    if (about->rejected > 0)
        warnings[out->warning_count++] =
            fl_gc_say(c, "%llu line%s could not be read; the first at byte %llu: %s",
                      (unsigned long long)about->rejected, about->rejected == 1 ? "" : "s",
                      (unsigned long long)about->first_reject.offset, about->first_reject.message);
    if (!c->stats->has_clock)
        warnings[out->warning_count++] =
            "the log has no times: rates, shares and trends cannot be told";
    out->warnings = warnings;
}

/* One after the other; the order is that of equal verdicts. */
static void judge_all(gc_writer *w)
{
    judge_heap(w);
    judge_metaspace(w);
    judge_failure(w, FL_GC_CONCURRENT_FAILED, 1, "gc log: concurrent failed",
                  "a concurrent collection did not end in time");
    judge_failure(w, FL_GC_PROMOTION_FAILED, 1, "gc log: promotion failed",
                  "the old part had no room for survivors");
    judge_failure(w, FL_GC_EVACUATION_FAILED, 2, "gc log: evacuation failed",
                  "there was no room to copy survivors to");
    judge_time(w);
    judge_stalls(w);
    judge_humongous(w);
    judge_explicit(w);
}

fl_status fl_gc_judge(gc_case *c, fl_error *err)
{
    gc_writer w = {.c = c, .err = err};
    fl_leak_report *out = &c->report->verdict;
    *out = (fl_leak_report){.sampling_floor_bytes = NAN,
                            .snapshot_count = c->stats->about.events,
                            .used_count = c->heap.series.count};
    out->from_ns = c->report->from_ns > 0 ? c->report->from_ns : 0;
    out->to_ns = c->report->to_ns > 0 ? c->report->to_ns : 0;
    if (c->stats->about.version[0] != '\0')
        out->runtime = fl_gc_say(c, "java %s", c->stats->about.version);
    w.status = fl_rules_create(&w.rules, c->options->signatures, c->options->signature_count,
                               FL_LEAK_IN_PROFILES, err);
    if (w.status == FL_OK)
        judge_all(&w);
    fl_rules_destroy(w.rules);
    if (w.status == FL_OK && w.count > 0)
        keep_findings(&w);
    else if (w.status == FL_OK)
        set_quiet_verdict(c);
    add_warnings(c);
    if (w.status != FL_OK)
        return w.status;
    return c->failed
               ? fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a report on collections")
               : FL_OK;
}
