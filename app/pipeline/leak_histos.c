/*
 * leak_histos.c - texts to snapshots, growth of classes to findings.
 *
 * A class of the program that grows is a leak with little confidence: nobody knows who holds it.
 * Where only arrays and classes of the JDK grow, as they do in any program that does something,
 * there is no confident cause, and heap dumps are asked for.
 */
#include "leak_histos.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "slice.h"

#define LEAST_SHARE 0.001
#define NS_PER_HOUR 3.6e12
/* Of the programs of tests/corpus/heap-leaks a class is named in 11 leaks of 14 and in none of 20
 * healthy ones; but who holds it is not known, and nothing tells garbage from what is kept. */
#define CONFIDENCE      0.6
#define CONFIDENCE_FEW  0.4 /* two or three histograms */
#define MAX_NAMES_BYTES (64u << 20)
/* jcmd and jmap start a virtual machine of their own and stop the other one: that takes longer. */
#define LEAST_STEP_NS INT64_C(50000000)
enum { MAX_GROWTHS = 24, FEW = 3, CELLS = 1000, EVIDENCE = 2 };

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for class histograms");
}

static int by_class(const void *a, const void *b)
{
    const fl_class_cell *left = a, *right = b;
    return (left->class_id > right->class_id) - (left->class_id < right->class_id);
}

/* Rows of one name (of several loaders) are one class. */
static size_t merge(fl_class_cell *cells, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(cells, count, sizeof(*cells), by_class);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && cells[kept - 1].class_id == cells[i].class_id) {
            cells[kept - 1].instances += cells[i].instances;
            cells[kept - 1].bytes += cells[i].bytes;
        } else {
            cells[kept++] = cells[i];
        }
    }
    return kept;
}

/* What is large enough to be told of: a thousand classes at most. */
static fl_status keep(fl_leak_histos *histos, fl_leak_histo *item, const fl_histo *histo,
                      fl_arena *arena, fl_error *err)
{
    double least = LEAST_SHARE * (double)histo->bytes;
    size_t count = 0;
    for (size_t i = 0; i < histo->count; i++)
        count += (double)histo->rows[i].bytes >= least;
    count = count < CELLS ? count : CELLS;
    fl_class_cell *cells = fl_arena_alloc(arena, count + 1, sizeof(*cells));
    if (cells == NULL)
        return no_memory(err);
    size_t kept = 0;
    for (size_t i = 0; i < histo->count && kept < count; i++) {
        const fl_histo_row *row = &histo->rows[i];
        if ((double)row->bytes < least)
            continue;
        cells[kept].instances = row->instances;
        cells[kept].bytes = row->bytes;
        fl_status status = fl_intern_put(&cells[kept++].class_id, histos->names, row->name, err);
        if (status != FL_OK)
            return status;
    }
    item->snapshot = (fl_class_snapshot){cells, merge(cells, kept), histo->bytes};
    return FL_OK;
}

/* Room for all of them, and the table of names, come with the first. */
static fl_status prepare(fl_leak_histos *histos, fl_arena *arena, fl_error *err)
{
    if (histos->items == NULL)
        histos->items = fl_arena_alloc(arena, FL_MAX_LEAK_HISTOS, sizeof(*histos->items));
    if (histos->items == NULL)
        return no_memory(err);
    return histos->names != NULL ? FL_OK : fl_intern_create(&histos->names, MAX_NAMES_BYTES, err);
}

fl_status fl_leak_histos_take(fl_leak_histos *histos, const char *name, fl_slice text,
                              int64_t time_ns, fl_arena *arena, fl_error *err)
{
    fl_histo histo;
    fl_error own = {0};
    fl_arena passing = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES);
    if (histos->count == FL_MAX_LEAK_HISTOS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "%.90s: more than %d class histograms", name,
                       FL_MAX_LEAK_HISTOS);
    fl_status status = prepare(histos, arena, &own);
    if (status == FL_OK)
        status = fl_histo_read(&histo, text, &passing, &own);
    if (status == FL_OK && histo.is_cut)
        status =
            fl_fail(&own, FL_E_TRUNCATED, text.len, "the class histogram ends before its totals");
    if (status == FL_OK)
        status = keep(histos, &histos->items[histos->count], &histo, arena, &own);
    if (status == FL_OK) {
        histos->items[histos->count].time_ns = time_ns;
        histos->items[histos->count].order = histos->count;
        histos->count++;
    }
    fl_arena_dispose(&passing);
    return status == FL_OK ? FL_OK
                           : fl_fail(err, status, own.offset, "%.90s: %.90s", name, own.message);
}

void fl_leak_histos_dispose(fl_leak_histos *histos)
{
    fl_intern_destroy(histos->names);
    *histos = (fl_leak_histos){0};
}

/* --- the report --- */

static int by_time(const void *a, const void *b)
{
    const fl_leak_histo *left = a, *right = b;
    if (left->time_ns != right->time_ns)
        return left->time_ns < right->time_ns ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

/* Texts that were written faster than a program can be asked were copied: then their order of
 * reading counts, and nothing is known of how long it took. */
static void forget_copying(fl_leak_histos *histos)
{
    int64_t first = histos->items[0].time_ns, last = first;
    for (size_t i = 1; i < histos->count; i++) {
        int64_t here = histos->items[i].time_ns;
        first = here < first ? here : first;
        last = here > last ? here : last;
    }
    if ((double)last - (double)first >= (double)LEAST_STEP_NS * (double)(histos->count - 1))
        return;
    for (size_t i = 0; i < histos->count; i++)
        histos->items[i].time_ns = first;
}

/* A class of the program's: no array, and not of the JDK. */
static bool is_own(fl_slice name)
{
    static const char *const others[] = {"java.", "javax.", "jdk.", "sun.", "com.sun.", "<"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (fl_slice_starts_with(name, fl_slice_of(others[i])))
            return false;
    return !fl_slice_ends_with(name, FL_SLICE("[]"));
}

/* Bytes an hour; NaN where the times are not known. */
static double rate_of(const fl_leak_histos *histos, const fl_class_growth *growth)
{
    const fl_leak_histo *first = &histos->items[0], *last = &histos->items[histos->count - 1];
    double hours = (double)(last->time_ns - first->time_ns) / NS_PER_HOUR;
    return first->time_ns > 0 && hours > 0
               ? (double)(growth->last_bytes - growth->first_bytes) / hours
               : NAN;
}

static fl_status put_finding(fl_leak_finding *out, const fl_leak_histos *histos,
                             const fl_class_growth *growth, fl_arena *arena, fl_error *err)
{
    const char *name = fl_arena_cstr(arena, fl_intern_text(histos->names, growth->class_id));
    fl_leak_evidence *evidence = fl_arena_alloc(arena, EVIDENCE, sizeof(*evidence));
    double rate = rate_of(histos, growth);
    if (name == NULL || evidence == NULL)
        return no_memory(err);
    *out = (fl_leak_finding){
        .verdict = FL_LEAK_LEAK,
        .subject = FL_LEAK_SITE,
        .confidence = histos->count > FEW ? CONFIDENCE : CONFIDENCE_FEW,
        .function = name,
        .growth_bytes_per_hour = {rate, rate, rate},
        .growth_per_hour = {NAN, NAN, NAN},
        .seconds_to_limit = {NAN, NAN, NAN},
        .support = 1u << FL_LEAK_FROM_HEAP,
        .evidence = evidence,
        .evidence_count = EVIDENCE,
    };
    int64_t at_ns = histos->items[histos->count - 1].time_ns;
    evidence[0] = (fl_leak_evidence){
        .source = FL_LEAK_FROM_HEAP,
        .at_ns = at_ns,
        .value = (double)growth->last_instances - (double)growth->first_instances,
        .unit = "objects",
        .text = fl_arena_printf(arena,
                                "of %s there are %" PRIu64 " in %" PRIu64
                                " bytes, in the first of %zu histograms %" PRIu64 " in %" PRIu64
                                "; %" PRIu32 " of %zu steps go up",
                                name, growth->last_instances, growth->last_bytes, histos->count,
                                growth->first_instances, growth->first_bytes, growth->rises,
                                histos->count - 1)};
    evidence[1] = (fl_leak_evidence){
        .source = FL_LEAK_FROM_HEAP,
        .at_ns = at_ns,
        .value = NAN,
        .unit = "",
        .text = "a histogram names a class and not who holds it; two heap dumps name the holder"};
    return evidence[0].text != NULL ? FL_OK : no_memory(err);
}

/* What the texts are answered with where they are all there is. */
static fl_status put_verdict(fl_leak_report *report, const fl_leak_histos *histos, size_t found,
                             size_t own, fl_arena *arena, fl_error *err)
{
    const char **collect = fl_arena_alloc(arena, 1, sizeof(*collect));
    if (collect == NULL)
        return no_memory(err);
    bool is_open = histos->count < 2 || (own == 0 && found > 0);
    collect[0] =
        histos->count < 2
            ? "a second class histogram of the same program, some minutes later"
            : "two heap dumps, some minutes apart: only arrays and classes of the JDK grow,"
              " and a histogram does not name who holds them";
    report->collect = collect;
    report->collect_count = is_open;
    report->ruled_out_count = 0;
    report->verdict = own > 0 ? FL_LEAK_LEAK : is_open ? FL_LEAK_NOT_ENOUGH_DATA : FL_LEAK_NO_LEAK;
    report->confidence = is_open ? 0 : histos->count > FEW ? CONFIDENCE : CONFIDENCE_FEW;
    report->snapshot_count = report->used_count = histos->count;
    report->from_ns = histos->items[0].time_ns;
    report->to_ns = histos->items[histos->count - 1].time_ns;
    report->sampling_floor_bytes = 0; /* a histogram counts every object */
    return FL_OK;
}

/* Classes of the program first: a growth of arrays is mostly theirs. */
static size_t own_first(fl_class_growth *growths, size_t found, const fl_leak_histos *histos)
{
    size_t own = 0;
    for (size_t i = 0; i < found; i++) {
        fl_class_growth here = growths[i];
        if (!is_own(fl_intern_text(histos->names, here.class_id)))
            continue;
        memmove(&growths[own + 1], &growths[own], (i - own) * sizeof(here));
        growths[own++] = here;
    }
    return own;
}

fl_status fl_leak_histos_report(fl_leak_report *report, fl_leak_histos *histos, bool alone,
                                fl_arena *arena, fl_error *err)
{
    fl_class_growth growths[MAX_GROWTHS];
    size_t found = 0, own = 0, others = report->finding_count;
    fl_status status = FL_OK;
    assert(histos->count > 0 && histos->count <= FL_MAX_LEAK_HISTOS);
    forget_copying(histos);
    qsort(histos->items, histos->count, sizeof(histos->items[0]), by_time);
    fl_class_snapshot *series = fl_arena_alloc(arena, histos->count, sizeof(*series));
    fl_leak_finding *all = fl_arena_alloc(arena, others + MAX_GROWTHS, sizeof(*all));
    if (series == NULL || all == NULL)
        return no_memory(err);
    for (size_t i = 0; i < histos->count; i++)
        series[i] = histos->items[i].snapshot;
    if (histos->count > 1)
        found = fl_class_growth_find(growths, MAX_GROWTHS, series, histos->count);
    own = own_first(growths, found, histos);
    if (others > 0)
        memcpy(all, report->findings, others * sizeof(*all));
    for (size_t i = 0; i < own && status == FL_OK; i++)
        status = put_finding(&all[others + i], histos, &growths[i], arena, err);
    report->findings = all;
    report->finding_count = others + own;
    return status == FL_OK && alone ? put_verdict(report, histos, found, own, arena, err) : status;
}
