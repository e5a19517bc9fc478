/*
 * jfr_judge.c - collections of a recording into the statistics of collections, then the holder.
 *
 * Names of collectors tell what a collection collected; whether it was concurrent is told by its
 * pauses, since G1 calls a full collection (JDK 11) and a concurrent cycle (JDK 17) the same.
 */
#include "jfr_judge.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gc_stats.h"
#include "jfr_answers.h"
#include "slice.h"

/* Figures of the rule in the header. Five objects of one holder by chance, were it one of many, is
 * what a share of a half excludes already; below five the share itself is chance. */
enum { MIN_HELD = 5, MAX_EVIDENCE = 16 };
#define MIN_RISE 1.2

struct judging {
    const fl_jfr_recording *recording;
    const fl_jfr_request *request;
    fl_leak_report *report;
    fl_arena *arena;
    fl_error *err;
};

/* One sentence for all of this file. */
static fl_status no_memory(struct judging *j)
{
    return fl_fail(j->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a judgement on a recording");
}

/* ---- the collections ---- */

/* What a collector's name says, as the JDK spells them (gcName.hpp). */
static fl_gc_kind kind_of(fl_slice name, const fl_jfr_gc *gc)
{
    static const char *const young[] = {"DefNew", "ParNew", "G1New", "ParallelScavenge",
                                        "ZGC Minor"};
    bool is_stopped = gc->pauses_ns >= gc->duration_ns - gc->duration_ns / 10;
    for (size_t i = 0; i < sizeof(young) / sizeof(young[0]); i++)
        if (fl_slice_equal(name, fl_slice_of(young[i])))
            return FL_GC_YOUNG;
    return is_stopped ? FL_GC_FULL : FL_GC_CYCLE;
}

/* What began it, where that is a trouble of its own. */
static unsigned troubles_of(fl_slice cause)
{
    if (fl_slice_equal(cause, FL_SLICE("System.gc()")))
        return 1u << FL_GC_EXPLICIT;
    if (fl_slice_starts_with(cause, FL_SLICE("Metadata GC")))
        return 1u << FL_GC_METASPACE;
    if (fl_slice_equal(cause, FL_SLICE("G1 Humongous Allocation")))
        return 1u << FL_GC_HUMONGOUS;
    return 0;
}

/* A collection of which only the heap was told, since the recording began within it, has no name.
 */
static void add_collections(fl_gc_stats *stats, const fl_jfr_recording *recording)
{
    for (size_t i = 0; i < recording->gc_count; i++) {
        const fl_jfr_gc *gc = &recording->gcs[i];
        fl_slice name = fl_jfr_name(recording->names, gc->name);
        fl_slice cause = fl_jfr_name(recording->names, gc->cause);
        if (name.len == 0)
            continue;
        const fl_gc_event event = {.kind = kind_of(name, gc),
                                   .troubles = troubles_of(cause),
                                   .name = name,
                                   .cause = cause,
                                   .time_ns = gc->time_ns,
                                   .since_ns = -1,
                                   .pause_ns = gc->pauses_ns,
                                   .before_bytes = gc->before_bytes,
                                   .after_bytes = gc->after_bytes,
                                   .capacity_bytes = gc->committed_bytes,
                                   .promoted_bytes = -1,
                                   .humongous_bytes = -1,
                                   .metaspace_bytes = -1};
        fl_gc_stats_add(stats, &event);
    }
}

/* "OpenJDK 64-Bit Server VM (17.0.15+6) for linux-amd64 ...": what stands in the first brackets;
 * all of it where there are none. */
static fl_slice short_version(fl_slice version)
{
    size_t begin = fl_slice_find(version, FL_SLICE("("));
    size_t end = fl_slice_find(version, FL_SLICE(")"));
    return begin < end && end < version.len ? fl_slice_part(version, begin + 1, end) : version;
}

/* The statistics live for the judgement only. */
static fl_status judge_collections(struct judging *j)
{
    const fl_jfr_recording *recording = j->recording;
    fl_slice version = fl_jfr_name(recording->names, recording->version);
    fl_gc_about about = {.max_bytes = -1, .region_bytes = -1, .events = recording->gc_count};
    for (size_t i = 0; i < recording->gc_count; i++)
        if (recording->gcs[i].reserved_bytes > about.max_bytes)
            about.max_bytes = recording->gcs[i].reserved_bytes;
    fl_gc_options options = {.limit_bytes = j->request->limit_bytes};
    fl_gc_report report;
    fl_gc_stats *stats = NULL;
    version = short_version(version);
    snprintf(about.version, sizeof(about.version), "%.*s",
             (int)(version.len < 60 ? version.len : 60), (const char *)version.ptr);
    if (j->request->library != NULL)
        options.signatures = fl_signatures_items(j->request->library, &options.signature_count);
    fl_status status = fl_gc_stats_create(&stats, j->err);
    if (status == FL_OK)
        status = fl_gc_stats_begin(stats, j->request->name, j->err);
    if (status == FL_OK) {
        add_collections(stats, recording);
        fl_gc_stats_about(stats, &about);
        status = fl_gc_stats_report(&report, stats, &options, j->arena, j->err);
    }
    fl_gc_stats_destroy(stats);
    if (status == FL_OK)
        *j->report = report.verdict;
    return status;
}

/* ---- the holder ---- */

/* The heap after the last collection over that after the first; NaN where there are not two. */
static double rise_of(const fl_jfr_recording *recording)
{
    double first = (double)NAN, last = (double)NAN;
    size_t known = 0;
    for (size_t i = 0; i < recording->gc_count; i++) {
        if (recording->gcs[i].after_bytes <= 0)
            continue;
        last = (double)recording->gcs[i].after_bytes;
        if (known++ == 0)
            first = last;
    }
    return known > 1 ? last / first : (double)NAN;
}

/* Whether what it holds was allocated from the beginning of the recording to its end. */
static bool is_kept_throughout(const fl_jfr_recording *recording, const fl_jfr_holding *held)
{
    int64_t quarter = (recording->totals.to_ns - recording->totals.from_ns) / 4;
    return held->first_ns <= recording->totals.from_ns + quarter &&
           held->last_ns >= recording->totals.to_ns - quarter;
}

/* The holder that has most of what is held, where it is one to be named: own code, at least half,
 * and enough of it. NULL: none. */
static const fl_jfr_holding *main_holder(const fl_jfr_holdings *holdings)
{
    uint64_t held = holdings->objects - holdings->unchained;
    const fl_jfr_holding *first = holdings->count > 0 ? &holdings->items[0] : NULL;
    if (first == NULL || !first->is_own || first->objects < MIN_HELD || first->objects * 2 < held)
        return NULL;
    return first;
}

/* The finding with one more sentence. */
static fl_status add_evidence(struct judging *j, fl_leak_finding *finding, const char *text,
                              double value)
{
    size_t count = finding->evidence_count;
    fl_leak_evidence *all = fl_arena_alloc(j->arena, count + 1, sizeof(*all));
    if (all == NULL || text == NULL)
        return no_memory(j);
    if (count > 0)
        memcpy(all, finding->evidence, count * sizeof(*all));
    all[count] = (fl_leak_evidence){
        .source = FL_LEAK_FROM_HEAP, .text = text, .value = value, .unit = "objects"};
    finding->evidence = all;
    finding->evidence_count = count + 1;
    return FL_OK;
}

/* Where the objects of the holder come from; a line that is not known is 0. */
static fl_status name_place(struct judging *j, fl_leak_finding *finding, const fl_jfr_holding *held)
{
    const fl_jfr *names = j->recording->names;
    fl_jfr_frame frame;
    if (!fl_jfr_own_frame(&frame, names, held->stack) || frame.function == FL_JFR_NONE)
        return FL_OK;
    finding->function = fl_arena_cstr(j->arena, fl_jfr_name(names, frame.function));
    finding->line = frame.line;
    return finding->function != NULL ? FL_OK : no_memory(j);
}

/* The holder, the place and the chain of one example. */
static fl_status name_holder(struct judging *j, fl_leak_finding *finding,
                             const fl_jfr_holdings *holdings, const fl_jfr_holding *held)
{
    enum { STEPS = 8 };
    const char *chain = fl_jfr_chain_text(j->recording, held->example, STEPS, j->arena);
    finding->subject = FL_LEAK_SITE;
    finding->support |= 1u << FL_LEAK_FROM_HEAP;
    finding->holder = fl_arena_printf(
        j->arena, "%s%s%s%s%s", held->is_static ? "static field " : "", held->holder,
        held->container != NULL ? " (" : "", held->container != NULL ? held->container : "",
        held->container != NULL ? ")" : "");
    if (chain == NULL || finding->holder == NULL)
        return no_memory(j);
    fl_status status = name_place(j, finding, held);
    if (status == FL_OK)
        status = add_evidence(
            j, finding,
            fl_arena_printf(j->arena, "%llu of %llu held objects of the sample %s held by %s",
                            (unsigned long long)held->objects,
                            (unsigned long long)(holdings->objects - holdings->unchained),
                            held->objects == 1 ? "is" : "are", held->holder),
            (double)held->objects);
    return status == FL_OK
               ? add_evidence(j, finding, fl_arena_printf(j->arena, "one of them: %s", chain), 1)
               : status;
}

/* A finding in front of the others, by the holder alone. */
static fl_leak_finding *begin_leak(struct judging *j)
{
    static const char *const against[] = {
        "a cache that was still filling when the recording ended looks the same"};
    const fl_leak_interval unknown = {(double)NAN, (double)NAN, (double)NAN};
    fl_leak_report *report = j->report;
    fl_leak_finding *all = fl_arena_alloc(j->arena, report->finding_count + 1, sizeof(*all));
    if (all == NULL)
        return NULL;
    if (report->finding_count > 0)
        memcpy(all + 1, report->findings, report->finding_count * sizeof(*all));
    /* Below a trend over collections of the old part (0.8): the rise may be garbage in part. */
    all[0] = (fl_leak_finding){.verdict = FL_LEAK_LEAK,
                               .confidence = 0.6,
                               .growth_bytes_per_hour = unknown,
                               .growth_per_hour = unknown,
                               .seconds_to_limit = unknown,
                               .against = against,
                               .against_count = 1};
    report->findings = all;
    report->finding_count++;
    report->verdict = FL_LEAK_LEAK;
    report->confidence = all[0].confidence;
    return all;
}

/* The leak that the collections show, where they show one. */
static fl_leak_finding *leak_of(struct judging *j)
{
    fl_leak_report *report = j->report;
    fl_leak_finding *all = fl_arena_alloc(j->arena, report->finding_count + 1, sizeof(*all));
    if (all == NULL || report->finding_count == 0)
        return NULL;
    memcpy(all, report->findings, report->finding_count * sizeof(*all));
    report->findings = all;
    return all[0].verdict == FL_LEAK_LEAK ? all : NULL;
}

static fl_status judge_holders(struct judging *j)
{
    fl_jfr_holdings holdings;
    fl_status status = fl_jfr_holdings_of(&holdings, j->recording, j->arena, j->err);
    if (status != FL_OK)
        return status;
    const fl_jfr_holding *held = main_holder(&holdings);
    if (held == NULL)
        return FL_OK;
    fl_leak_finding *finding = leak_of(j);
    bool is_open =
        j->report->verdict == FL_LEAK_NOT_ENOUGH_DATA || j->report->verdict == FL_LEAK_GC_PRESSURE;
    if (finding == NULL && is_open && is_kept_throughout(j->recording, held) &&
        rise_of(j->recording) >= MIN_RISE) {
        finding = begin_leak(j);
        if (finding == NULL)
            return no_memory(j);
        status = add_evidence(
            j, finding,
            fl_arena_printf(j->arena, "the heap after collections rose to %.1f times its first",
                            rise_of(j->recording)),
            rise_of(j->recording));
    }
    return finding != NULL && status == FL_OK ? name_holder(j, finding, &holdings, held) : status;
}

/* What would make the answer surer, of what this recording does not have. */
static fl_status add_collect(struct judging *j)
{
    fl_leak_report *report = j->report;
    const fl_jfr_recording *recording = j->recording;
    const char **all = fl_arena_alloc(j->arena, report->collect_count + 2, sizeof(*all));
    if (all == NULL)
        return no_memory(j);
    if (report->collect_count > 0)
        memcpy(all, report->collect, report->collect_count * sizeof(*all));
    if (!recording->has_chains)
        all[report->collect_count++] =
            "record with path-to-gc-roots=true: it names who holds what stays";
    report->collect = all;
    return FL_OK;
}

fl_status fl_jfr_judge(fl_leak_report *out, const fl_jfr_recording *recording,
                       const fl_jfr_request *request, fl_arena *arena, fl_error *err)
{
    struct judging j = {
        .recording = recording, .request = request, .report = out, .arena = arena, .err = err};
    assert(out != NULL && recording != NULL && request->name != NULL && arena != NULL);
    fl_status status = judge_collections(&j);
    if (status == FL_OK)
        status = judge_holders(&j);
    return status == FL_OK ? add_collect(&j) : status;
}
