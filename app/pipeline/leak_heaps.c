/*
 * leak_heaps.c - dumps to paths, paths to findings.
 *
 * A finding names the static (or what else hangs on the roots) that holds what grew. There is no
 * sampling in a dump: the growth is exact, and what is uncertain is whether it goes on. On the
 * three labelled programs of which there are two dumps both leaks were told from the healthy one
 * (docs/formats/hprof.md); three right answers of three are a rate of 0.80 by the rule of
 * succession.
 */
#include "leak_heaps.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "hprof.h"
#include "slice.h"

#define CONFIDENCE  0.80
#define NS_PER_HOUR 3.6e12

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for heap dumps");
}

bool fl_leak_heaps_is(fl_slice head)
{
    return fl_hprof_is(head);
}

/* --- reading --- */

/* The graph goes when its record is made: of one dump at a time it is in memory. */
static fl_status read_record(fl_leak_heap *out, fl_hprof *dump, fl_error *err)
{
    fl_heap *heap = NULL;
    const fl_heap_options options = {.layout = FL_HEAP_LAYOUT_INFER};
    fl_heap_source source = fl_hprof_source(dump);
    fl_status status = fl_heap_create(&heap, &source, &options, err);
    if (status != FL_OK)
        return status;
    out->is_cut = fl_hprof_damage(dump) != NULL || !fl_heap_has_roots(heap);
    status = fl_heap_record_make(&out->record, heap, err);
    fl_heap_destroy(heap);
    return status;
}

fl_status fl_leak_heaps_take(fl_leak_heaps *heaps, const char *name, const fl_slice *bytes,
                             fl_arena *arena, const char **warning, fl_error *err)
{
    fl_hprof *dump = NULL;
    fl_error own = {0};
    const char *folder = heaps->folder != NULL ? heaps->folder : "/var/tmp";
    *warning = NULL;
    if (heaps->count == FL_MAX_LEAK_HEAPS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "%s: more than %d heap dumps", name,
                       FL_MAX_LEAK_HEAPS);
    fl_leak_heap *item = &heaps->items[heaps->count];
    fl_status status = bytes != NULL ? fl_hprof_over(&dump, *bytes, &own)
                                     : fl_hprof_open(&dump, name, folder, &own);
    if (status == FL_OK)
        status = read_record(item, dump, &own);
    if (status == FL_OK) {
        const fl_error *damage = fl_hprof_damage(dump);
        item->time_ns = fl_hprof_facts_of(dump).time_ns;
        heaps->count++;
        if (damage != NULL)
            *warning = fl_arena_printf(arena, "%s: %s, at byte %llu", name, damage->message,
                                       (unsigned long long)damage->offset);
    }
    fl_hprof_close(dump);
    return status == FL_OK ? FL_OK
                           : fl_fail(err, status, own.offset, "%.90s: %.90s", name, own.message);
}

void fl_leak_heaps_dispose(fl_leak_heaps *heaps)
{
    for (size_t i = 0; i < heaps->count; i++)
        fl_heap_record_dispose(&heaps->items[i].record);
    heaps->count = 0;
}

/* --- findings --- */

fl_status fl_leak_heaps_keep_path(fl_leak_finding *finding, const fl_heap_kept *kept,
                                  fl_arena *arena, fl_error *err)
{
    assert(kept->count > 0 && kept->count <= FL_KEPT_STEPS);
    fl_kept_step *path = fl_arena_alloc(arena, kept->count, sizeof(*path));
    if (path == NULL)
        return no_memory(err);
    memcpy(path, kept->steps, kept->count * sizeof(*path));
    finding->path = path;
    finding->path_count = kept->count;
    return FL_OK;
}

/* What a report is made with. */
typedef struct report_run {
    const fl_leak_heaps *heaps;
    fl_rules *rules;
    uint64_t limit_bytes;
    fl_arena *arena;
} report_run;

/* What was measured of a sign, tried on the library. */
static fl_status find_signature(const fl_leak_signature **out, double *confidence,
                                const report_run *run, const fl_heap_sign *sign, fl_error *err)
{
    const fl_heap_record *last = &run->heaps->items[run->heaps->count - 1].record;
    const char *way =
        sign->has_growth ? fl_heap_sign_way(last->paths, &sign->growth, run->arena) : sign->holder;
    if (way == NULL)
        return no_memory(err);
    const fl_fact items[] = {
        {.feature = FL_LEAK_F_HEAP_SIGN, .text = fl_heap_sign_name(sign->kind)},
        {.feature = FL_LEAK_F_HEAP_HOLDER, .text = sign->holder},
        {.feature = FL_LEAK_F_HEAP_PATH, .text = way},
        {.feature = FL_LEAK_F_HEAP_DUMPS, .number = (double)run->heaps->count},
        {.feature = FL_LEAK_F_HEAP_GROWTH_RATIO,
         .number =
             sign->before_bytes > 0 ? (double)sign->after_bytes / (double)sign->before_bytes : NAN},
        {.feature = FL_LEAK_F_HEAP_RETAINED_BYTES, .number = (double)sign->after_bytes},
    };
    const fl_facts facts = {
        .subject = FL_LEAK_SITE, .items = items, .count = sizeof(items) / sizeof(items[0])};
    fl_against against = {.count = 0};
    fl_status status = fl_rules_best(out, run->rules, &facts, err);
    if (status == FL_OK && *out != NULL)
        status = fl_rules_against(&against, run->rules, *out, &facts, err);
    if (status == FL_OK && *out != NULL)
        *confidence = fl_rules_confidence(*out, against.count);
    return status;
}

/* Sentences move to the report's arena, since those of a record go with it. */
static bool put_evidence(fl_leak_finding *finding, const fl_heap_sign *sign, int64_t time_ns,
                         fl_arena *arena)
{
    fl_leak_evidence *evidence = fl_arena_alloc(arena, FL_HEAP_SIGN_SENTENCES, sizeof(*evidence));
    if (evidence == NULL || finding->holder == NULL)
        return false;
    for (size_t i = 0; i < sign->evidence_count; i++)
        evidence[i] =
            (fl_leak_evidence){.source = FL_LEAK_FROM_HEAP,
                               .text = fl_arena_printf(arena, "%s", sign->evidence[i].text),
                               .at_ns = time_ns,
                               .value = sign->evidence[i].value,
                               .unit = sign->evidence[i].unit};
    for (size_t i = 0; i < sign->evidence_count; i++)
        if (evidence[i].text == NULL)
            return false;
    finding->evidence = evidence;
    finding->evidence_count = sign->evidence_count;
    return true;
}

/* From the heap down to the row that the sign is about, with what each step kept in the first dump:
 * a reader sees at which step the growth begins. Crowds of threads and loaders have no row. */
static fl_status put_path(fl_leak_finding *finding, const report_run *run, size_t row,
                          fl_error *err)
{
    fl_heap_kept kept;
    const fl_leak_heap *items = run->heaps->items;
    size_t count = run->heaps->count;
    const fl_heap_paths *first = count > 1 ? items[0].record.paths : NULL;
    if (row == 0)
        return FL_OK;
    fl_status status =
        fl_heap_kept_row(&kept, items[count - 1].record.paths, row, first, run->arena, err);
    return status == FL_OK ? fl_leak_heaps_keep_path(finding, &kept, run->arena, err) : status;
}

/* Bytes an hour; NaN where nothing grew, or no time went by. */
static double rate_of(const fl_leak_heaps *heaps, const fl_heap_sign *sign)
{
    double hours =
        (double)(heaps->items[heaps->count - 1].time_ns - heaps->items[0].time_ns) / NS_PER_HOUR;
    double risen = (double)sign->after_bytes - (double)sign->before_bytes;
    return fl_heap_sign_is_leak(sign->kind) && hours > 0 ? risen / hours : NAN;
}

/* Without a signature the verdict is the kind's own. */
static fl_status put_finding(fl_leak_finding *out, const report_run *run, const fl_heap_sign *sign,
                             fl_error *err)
{
    const fl_leak_heap *last = &run->heaps->items[run->heaps->count - 1];
    double rate = rate_of(run->heaps, sign);
    double left =
        (double)run->limit_bytes - (double)fl_heap_paths_at(last->record.paths, 0)->retained_bytes;
    double seconds = run->limit_bytes > 0 && rate > 0 ? (left > 0 ? left : 0) / rate * 3600 : NAN;
    fl_leak_verdict verdict = fl_heap_sign_is_leak(sign->kind)   ? FL_LEAK_LEAK
                              : sign->kind == FL_HEAP_SIGN_TEXTS ? FL_LEAK_RETENTION
                                                                 : FL_LEAK_LATENCY;
    *out = (fl_leak_finding){
        .verdict = verdict,
        .subject = FL_LEAK_SITE,
        .confidence = CONFIDENCE,
        .holder = fl_arena_printf(run->arena, "%s", sign->holder),
        .growth_bytes_per_hour = {rate, rate, rate}, /* counted, not sampled */
        .growth_per_hour = {NAN, NAN, NAN},
        .seconds_to_limit = {seconds, seconds, seconds},
        .support = 1u << FL_LEAK_FROM_HEAP,
    };
    out->function = out->holder;
    fl_status status = find_signature(&out->signature, &out->confidence, run, sign, err);
    if (status == FL_OK && out->signature != NULL)
        out->verdict = out->signature->verdict;
    if (status == FL_OK && !put_evidence(out, sign, last->time_ns, run->arena))
        status = no_memory(err);
    if (status == FL_OK)
        status = put_path(out, run, sign->row, err);
    return status;
}

static int by_time(const void *a, const void *b)
{
    const fl_leak_heap *left = a, *right = b;
    return (left->time_ns > right->time_ns) - (left->time_ns < right->time_ns);
}

/* --- the report --- */

/* What one dump, or two that are alike, are answered with. Of a dump that was cut nothing is known
 * but what it has: that nothing grew in it is no verdict. */
static fl_status put_verdict(fl_leak_report *report, const fl_leak_heaps *heaps, size_t found,
                             fl_arena *arena, fl_error *err)
{
    static const char again[] = "a second heap dump of the same program, some minutes later: what"
                                " grows shows between two";
    static const char whole[] = "heap dumps that are whole: the first or the last of these was cut";
    const char **collect = fl_arena_alloc(arena, 1, sizeof(*collect));
    if (collect == NULL)
        return no_memory(err);
    const fl_leak_heap *items = heaps->items;
    bool is_cut = items[0].is_cut || items[heaps->count - 1].is_cut;
    bool wants_more = heaps->count < 2 || (found == 0 && is_cut);
    collect[0] = heaps->count < 2 ? again : whole;
    report->collect = collect;
    report->collect_count = wants_more;
    report->ruled_out_count = 0;
    report->verdict = found > 0    ? FL_LEAK_LEAK
                      : wants_more ? FL_LEAK_NOT_ENOUGH_DATA
                                   : FL_LEAK_NO_LEAK;
    if (found == 0 && report->finding_count > 0 && report->findings[0].verdict == FL_LEAK_LATENCY)
        report->verdict = FL_LEAK_LATENCY; /* chains are as long in one dump as in two */
    report->confidence = wants_more ? 0 : CONFIDENCE;
    report->snapshot_count = report->used_count = heaps->count;
    report->from_ns = heaps->items[0].time_ns;
    report->to_ns = heaps->items[heaps->count - 1].time_ns;
    report->sampling_floor_bytes = 0; /* a dump has every object */
    return FL_OK;
}

/* What grows stands in front of the findings of others, what is only slow or large behind. */
static fl_status put_findings(fl_leak_report *report, const report_run *run,
                              const fl_heap_signs *signs, fl_error *err)
{
    fl_status status = FL_OK;
    size_t others = report->finding_count;
    fl_leak_finding *all = fl_arena_alloc(run->arena, signs->count + others + 1, sizeof(*all));
    if (all == NULL)
        return no_memory(err);
    if (others > 0)
        memcpy(all + signs->leaks, report->findings, others * sizeof(*all));
    for (size_t i = 0; i < signs->count && status == FL_OK; i++)
        status = put_finding(&all[i < signs->leaks ? i : i + others], run, &signs->rows[i], err);
    report->findings = all;
    report->finding_count = signs->count + others;
    return status;
}

fl_status fl_leak_heaps_report(fl_leak_report *report, fl_leak_heaps *heaps, uint64_t limit_bytes,
                               bool alone, fl_arena *arena, fl_error *err)
{
    fl_heap_signs signs = {.count = 0};
    const fl_heap_record *records[FL_MAX_LEAK_HEAPS];
    report_run run = {.heaps = heaps, .limit_bytes = limit_bytes, .arena = arena};
    assert(heaps->count > 0 && heaps->count <= FL_MAX_LEAK_HEAPS);
    qsort(heaps->items, heaps->count, sizeof(heaps->items[0]), by_time);
    for (size_t i = 0; i < heaps->count; i++)
        records[i] = &heaps->items[i].record;
    fl_status status = fl_rules_create(&run.rules, heaps->signatures, heaps->signature_count,
                                       FL_LEAK_IN_HEAPS, err);
    if (status == FL_OK)
        status = fl_heap_signs_find(&signs, records, heaps->count, arena, err);
    if (status == FL_OK)
        status = put_findings(report, &run, &signs, err);
    fl_rules_destroy(run.rules);
    if (status == FL_OK && (alone || signs.leaks > 0))
        status = put_verdict(report, heaps, signs.leaks, arena, err);
    return status;
}
