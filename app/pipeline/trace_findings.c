/*
 * trace_findings.c - a trace sees what profiles cannot (waits, stops, assists) and does not see
 * what they can (growth of memory): neither contradicts the other.
 *
 * The verdict of a report is that of its first finding. Growth, which a trace does not measure, is
 * not a number in its findings.
 */
#include "trace_findings.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* NULL for an empty text, which stands for what is not known. */
static const char *copy(fl_arena *arena, const char *text, bool *failed)
{
    if (text[0] == '\0')
        return NULL;
    const char *made = fl_arena_printf(arena, "%s", text);
    *failed |= made == NULL;
    return made;
}

/* The moment on the wall clock; 0 where the trace does not say. */
static int64_t moment_of(const fl_trace_run *run, int64_t trace_ns)
{
    int64_t to_wall = fl_trace_run_info(run)->clock_to_wall_ns;
    return trace_ns != 0 && to_wall != 0 ? trace_ns + to_wall : 0;
}

static fl_status convert(fl_leak_finding *out, const fl_sched_finding *finding,
                         const fl_trace_run *run, fl_arena *arena, fl_error *err)
{
    const fl_leak_interval unknown = {NAN, NAN, NAN};
    const fl_leak_signature *signature = finding->signature;
    bool failed = false;
    fl_leak_evidence *evidence =
        fl_arena_alloc(arena, finding->evidence_count + 1, sizeof(*evidence));
    const char **against = fl_arena_alloc(arena, finding->against_count + 1, sizeof(*against));
    *out = (fl_leak_finding){.verdict = signature->verdict,
                             .subject = signature->subject,
                             .signature = signature,
                             .confidence = finding->confidence,
                             .function = copy(arena, finding->place.function, &failed),
                             .file = copy(arena, finding->place.file, &failed),
                             .line = finding->place.line,
                             .growth_bytes_per_hour = unknown,
                             .growth_per_hour = unknown,
                             .seconds_to_limit = unknown,
                             .began_ns = moment_of(run, finding->at_ns),
                             .support = 1u << FL_LEAK_FROM_TRACE,
                             .evidence = evidence,
                             .evidence_count = finding->evidence_count,
                             .against = against,
                             .against_count = finding->against_count};
    for (size_t i = 0; against != NULL && i < finding->against_count; i++)
        against[i] = finding->against[i];
    for (size_t i = 0; evidence != NULL && i < finding->evidence_count; i++)
        evidence[i] = (fl_leak_evidence){.source = FL_LEAK_FROM_TRACE,
                                         .text = copy(arena, finding->evidence[i], &failed),
                                         .at_ns = out->began_ns,
                                         .value = finding->value,
                                         .unit = ""};
    return failed || evidence == NULL || against == NULL
               ? fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for what a trace says")
               : FL_OK;
}

static double figure_of(const fl_leak_finding *finding)
{
    return finding->evidence_count > 0 ? finding->evidence[0].value : 0;
}

/* Several traces of one program mostly say the same: each is told once, with its worst figures. */
static bool is_told(fl_trace_findings *findings, const fl_leak_finding *finding)
{
    for (size_t i = 0; i < findings->count; i++) {
        fl_leak_finding *told = &findings->items[i];
        bool same_place =
            told->line == finding->line && (told->function == finding->function ||
                                            (told->function != NULL && finding->function != NULL &&
                                             strcmp(told->function, finding->function) == 0));
        if (told->signature != finding->signature || !same_place)
            continue;
        if (figure_of(finding) > figure_of(told))
            *told = *finding;
        return true;
    }
    return false;
}

/* What is not known stands before all names. */
static int compare_names(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

/* The worst verdict first, then what is surest: the order of the files decides nothing. */
static int compare_findings(const void *left, const void *right)
{
    const fl_leak_finding *a = left, *b = right;
    if (a->verdict != b->verdict)
        return a->verdict > b->verdict ? -1 : 1;
    if (a->confidence < b->confidence || a->confidence > b->confidence)
        return a->confidence > b->confidence ? -1 : 1;
    int order = compare_names(a->function, b->function);
    if (order == 0)
        order = (a->line > b->line) - (a->line < b->line);
    return order != 0 ? order : strcmp(a->signature->name, b->signature->name);
}

/* Room for as many again, in the arena, which keeps the old ones until its end. */
static fl_status grow(fl_trace_findings *findings, size_t more, fl_arena *arena, fl_error *err)
{
    if (findings->count + more <= findings->cap)
        return FL_OK;
    size_t cap = 2 * findings->cap + more;
    fl_leak_finding *items = fl_arena_alloc(arena, cap, sizeof(*items));
    if (items == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for what a trace says");
    if (findings->count > 0)
        memcpy(items, findings->items, findings->count * sizeof(*items));
    findings->items = items;
    findings->cap = cap;
    return FL_OK;
}

fl_status fl_trace_findings_add(fl_trace_findings *findings, const fl_trace_run *run,
                                fl_arena *arena, fl_error *err)
{
    assert(findings != NULL && run != NULL);
    const fl_sched_report *report = fl_trace_run_report(run);
    fl_status status = grow(findings, report->finding_count, arena, err);
    for (size_t i = 0; i < report->finding_count && status == FL_OK; i++) {
        fl_leak_finding *next = &findings->items[findings->count];
        status = convert(next, &report->findings[i], run, arena, err);
        if (status == FL_OK && !is_told(findings, next))
            findings->count++;
    }
    return status;
}

fl_status fl_trace_findings_put(fl_trace_findings *findings, const fl_leak_finding *finding,
                                fl_arena *arena, fl_error *err)
{
    assert(findings != NULL && finding != NULL);
    fl_status status = grow(findings, 1, arena, err);
    if (status == FL_OK)
        findings->items[findings->count++] = *finding;
    return status;
}

fl_status fl_trace_findings_merge(fl_leak_report *report, const fl_trace_findings *findings,
                                  fl_arena *arena, fl_error *err)
{
    assert(report != NULL && findings != NULL);
    if (findings->count == 0)
        return FL_OK;
    size_t own = report->finding_count;
    bool in_front = report->verdict <= FL_LEAK_BOUNDED_GROWTH;
    fl_leak_finding *all = fl_arena_alloc(arena, own + findings->count, sizeof(*all));
    if (all == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for findings");
    if (own > 0)
        memcpy(all + (in_front ? findings->count : 0), report->findings, own * sizeof(*all));
    fl_leak_finding *traced = all + (in_front ? 0 : own);
    memcpy(traced, findings->items, findings->count * sizeof(*all));
    qsort(traced, findings->count, sizeof(*all), compare_findings);
    report->findings = all;
    report->finding_count = own + findings->count;
    if (in_front) {
        report->verdict = all[0].verdict;
        report->confidence = all[0].confidence;
    }
    return FL_OK;
}
