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

#include "hprof.h"
#include "slice.h"

#define CONFIDENCE  0.80
#define LEAST_SHARE 0.005 /* of the heap: a path that keeps less is no row */
#define NS_PER_HOUR 3.6e12
enum { MAX_GROWTHS = 8, EVIDENCE = 3, MAX_STEPS = 12 };

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for heap dumps");
}

bool fl_leak_heaps_is(fl_slice head)
{
    return fl_hprof_is(head);
}

/* --- reading --- */

static fl_status read_paths(fl_leak_heap *out, fl_hprof *dump, fl_error *err)
{
    fl_heap *heap = NULL;
    const fl_heap_options options = {.layout = FL_HEAP_LAYOUT_INFER};
    fl_heap_source source = fl_hprof_source(dump);
    fl_status status = fl_heap_create(&heap, &source, &options, err);
    if (status != FL_OK)
        return status;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < fl_heap_class_count(heap); i++)
        bytes += fl_heap_class_at(heap, i)->reached_bytes;
    uint64_t least = (uint64_t)((double)bytes * LEAST_SHARE);
    out->is_cut = fl_hprof_damage(dump) != NULL || !fl_heap_has_roots(heap);
    status = fl_heap_paths_create(&out->paths, heap, least > 0 ? least : 1, err);
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
        status = read_paths(item, dump, &own);
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
        fl_heap_paths_destroy(heaps->items[i].paths);
    heaps->count = 0;
}

/* --- findings --- */

/* The rows on the way, without those between the first ones and the holder that say little. */
static const char *way_text(fl_arena *arena, const fl_heap_paths *paths, size_t row)
{
    const char *text = fl_heap_paths_at(paths, row)->label;
    for (size_t steps = 1; steps < MAX_STEPS && text != NULL; steps++) {
        row = fl_heap_paths_at(paths, row)->parent;
        const fl_heap_path *above = fl_heap_paths_at(paths, row);
        if (above->depth == 0)
            return text;
        text = fl_arena_printf(arena, "%s > %s", above->label, text);
    }
    return text;
}

/* Three sentences: how much, of what, by which way. */
static bool put_evidence(fl_leak_finding *finding, const fl_leak_heap *last,
                         const fl_heap_growth *growth, fl_arena *arena)
{
    const fl_heap_path *row = fl_heap_paths_at(last->paths, growth->row);
    fl_leak_evidence *evidence = fl_arena_alloc(arena, EVIDENCE, sizeof(*evidence));
    if (evidence == NULL || finding->holder == NULL)
        return false;
    double risen = (double)(growth->after_bytes - growth->before_bytes);
    evidence[0].text = fl_arena_printf(arena, "%s keeps %llu bytes alive, in the first dump %llu",
                                       finding->holder, (unsigned long long)growth->after_bytes,
                                       (unsigned long long)growth->before_bytes);
    evidence[0].value = risen;
    evidence[0].unit = "bytes";
    evidence[1].text = fl_arena_printf(arena, "of %s there are %llu, in the first dump %llu",
                                       row->label, (unsigned long long)growth->after_objects,
                                       (unsigned long long)growth->before_objects);
    evidence[1].value = (double)growth->after_objects - (double)growth->before_objects;
    evidence[1].unit = "objects";
    const char *way = way_text(arena, last->paths, growth->row);
    evidence[2].text = way != NULL ? fl_arena_printf(arena, "kept by way of %s", way) : NULL;
    evidence[2].value = NAN;
    evidence[2].unit = "";
    for (size_t i = 0; i < EVIDENCE; i++) {
        evidence[i].source = FL_LEAK_FROM_HEAP;
        evidence[i].at_ns = last->time_ns;
        if (evidence[i].text == NULL)
            return false;
    }
    finding->evidence = evidence;
    finding->evidence_count = EVIDENCE;
    return true;
}

static bool put_finding(fl_leak_finding *out, const fl_leak_heap *first, const fl_leak_heap *last,
                        const fl_heap_growth *growth, uint64_t limit_bytes, fl_arena *arena)
{
    double hours = (double)(last->time_ns - first->time_ns) / NS_PER_HOUR;
    double risen = (double)(growth->after_bytes - growth->before_bytes);
    double rate = hours > 0 ? risen / hours : NAN;
    double left = (double)limit_bytes - (double)fl_heap_paths_at(last->paths, 0)->retained_bytes;
    double seconds = limit_bytes > 0 ? (left > 0 ? left : 0) / rate * 3600 : NAN;
    *out = (fl_leak_finding){
        .verdict = FL_LEAK_LEAK,
        .subject = FL_LEAK_SITE,
        .confidence = CONFIDENCE,
        .holder = fl_arena_printf(arena, "%s", fl_heap_paths_holder(last->paths, growth->row)),
        .growth_bytes_per_hour = {rate, rate, rate}, /* counted, not sampled */
        .growth_per_hour = {NAN, NAN, NAN},
        .seconds_to_limit = {seconds, seconds, seconds},
        .support = 1u << FL_LEAK_FROM_HEAP,
    };
    out->function = out->holder;
    return put_evidence(out, last, growth, arena);
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
    report->confidence = wants_more ? 0 : CONFIDENCE;
    report->snapshot_count = report->used_count = heaps->count;
    report->from_ns = heaps->items[0].time_ns;
    report->to_ns = heaps->items[heaps->count - 1].time_ns;
    report->sampling_floor_bytes = 0; /* a dump has every object */
    return FL_OK;
}

fl_status fl_leak_heaps_report(fl_leak_report *report, fl_leak_heaps *heaps, uint64_t limit_bytes,
                               bool alone, fl_arena *arena, fl_error *err)
{
    fl_heap_growth growths[MAX_GROWTHS];
    size_t found = 0;
    assert(heaps->count > 0 && heaps->count <= FL_MAX_LEAK_HEAPS);
    qsort(heaps->items, heaps->count, sizeof(heaps->items[0]), by_time);
    const fl_leak_heap *first = &heaps->items[0], *last = &heaps->items[heaps->count - 1];
    if (heaps->count > 1) {
        fl_status status =
            fl_heap_growth_find(&found, growths, MAX_GROWTHS, first->paths, last->paths, err);
        if (status != FL_OK)
            return status;
    }
    size_t count = found + report->finding_count;
    fl_leak_finding *all = fl_arena_alloc(arena, count + 1, sizeof(*all));
    if (all == NULL)
        return no_memory(err);
    for (size_t i = 0; i < found; i++)
        if (!put_finding(&all[i], first, last, &growths[i], limit_bytes, arena))
            return no_memory(err);
    if (report->finding_count > 0)
        memcpy(all + found, report->findings, report->finding_count * sizeof(*all));
    report->findings = all;
    report->finding_count = count;
    if (alone || found > 0)
        return put_verdict(report, heaps, found, arena, err);
    return FL_OK;
}
