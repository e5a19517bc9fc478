/*
 * triage_findings.c - verdicts to causes, places to frames, figures to a sentence.
 *
 * Verdicts that tell what something does without being trouble (a cache at its bound, memory that
 * is kept for later) are no cause; what makes single operations slow is the lock's where there is
 * one, else the collector's and the allocator's. A heap dump tells of two states besides: maps
 * whose look-ups are slow, and memory that is wasted. Whether they hurt the ranking finds out.
 */
#include "triage_findings.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "fetch.h"

const char *fl_triage_shown(const char *input, fl_arena *arena)
{
    char shown[FL_FETCH_URL], scheme[8];
    assert(input != NULL && arena != NULL);
    if (!fl_fetch_is_url(input))
        return input;
    bool is_valid = fl_fetch_show_url(shown, scheme, input, NULL) == FL_OK;
    return fl_arena_printf(arena, "%s", is_valid ? shown : "URL");
}

/* What the conditions of its signature are measured on, which is one kind for all of them. */
static bool is_measured_in(const fl_leak_finding *finding, fl_leak_measured in)
{
    const fl_leak_signature *signature = finding->signature;
    return signature != NULL && signature->must_count > 0 &&
           fl_leak_feature_info_of(signature->must[0].feature)->in == in;
}

/* FL_CAUSE_UNKNOWN for what is no trouble. */
static fl_cause cause_of(const fl_leak_finding *finding)
{
    bool is_of_heap = is_measured_in(finding, FL_LEAK_IN_HEAPS);
    switch (finding->verdict) {
    case FL_LEAK_LEAK:
        return FL_CAUSE_MEMORY_LEAK;
    case FL_LEAK_GC_PRESSURE:
    case FL_LEAK_CHURN:
        return FL_CAUSE_GC;
    case FL_LEAK_LATENCY:
        if (is_of_heap) /* chains that look-ups walk */
            return FL_CAUSE_CPU;
        return finding->subject == FL_LEAK_LOCK ? FL_CAUSE_LOCK : FL_CAUSE_GC;
    case FL_LEAK_RETENTION:
        return is_of_heap ? FL_CAUSE_MEMORY : FL_CAUSE_UNKNOWN;
    case FL_LEAK_CRASH:
        return FL_CAUSE_EXCEPTION;
    case FL_LEAK_NOT_ENOUGH_DATA:
    case FL_LEAK_NO_LEAK:
    case FL_LEAK_BOUNDED_GROWTH:
    case FL_LEAK_VERDICT_COUNT:
        return FL_CAUSE_UNKNOWN;
    }
    return FL_CAUSE_UNKNOWN;
}

bool fl_triage_is_trouble(const fl_leak_finding *finding)
{
    assert(finding != NULL);
    return cause_of(finding) != FL_CAUSE_UNKNOWN;
}

const char *fl_triage_frame_of(const fl_leak_finding *finding, fl_arena *arena)
{
    assert(finding != NULL && arena != NULL);
    if (finding->function == NULL || finding->file == NULL)
        return finding->function != NULL ? fl_arena_printf(arena, "%s", finding->function) : NULL;
    const char *slash = strrchr(finding->file, '/');
    return fl_arena_printf(arena, "%s (%s:%llu)", finding->function,
                           slash != NULL ? slash + 1 : finding->file,
                           (unsigned long long)finding->line);
}

/* What it is, where, and the first of its figures. */
static const char *text_of(const fl_leak_finding *finding, const char *service, const char *frame,
                           fl_arena *arena)
{
    const char *kind =
        finding->signature != NULL ? finding->signature->title : "no known kind of bug";
    const char *figure = finding->evidence_count > 0 ? finding->evidence[0].text : NULL;
    return fl_arena_printf(arena, "%s in %s of %s (%s)%s%s", fl_leak_verdict_name(finding->verdict),
                           frame != NULL ? frame : "the program", service, kind,
                           figure != NULL ? ": " : "", figure != NULL ? figure : "");
}

/* A report may go before the ranking does. */
static bool copy_path(fl_rank_finding *out, const fl_leak_finding *finding, fl_arena *arena)
{
    bool whole = true;
    assert(finding->path_count <= FL_KEPT_STEPS);
    if (finding->path_count == 0)
        return true;
    fl_kept_step *path = fl_arena_alloc(arena, finding->path_count, sizeof(*path));
    for (size_t i = 0; i < finding->path_count && path != NULL; i++) {
        const fl_kept_step *from = &finding->path[i];
        path[i] = *from;
        path[i].type = from->type != NULL ? fl_arena_printf(arena, "%s", from->type) : NULL;
        path[i].field = from->field != NULL ? fl_arena_printf(arena, "%s", from->field) : NULL;
        whole &= (path[i].type != NULL || from->type == NULL) &&
                 (path[i].field != NULL || from->field == NULL);
    }
    out->path = path;
    out->path_count = path != NULL ? finding->path_count : 0;
    return whole && path != NULL;
}

fl_status fl_triage_finding_of(fl_rank_finding *out, const fl_leak_finding *finding,
                               const char *service, const char *query, fl_arena *arena,
                               fl_error *err)
{
    assert(out != NULL && service != NULL && query != NULL);
    *out = (fl_rank_finding){.cause = cause_of(finding), .value = NAN};
    if (out->cause == FL_CAUSE_UNKNOWN)
        return FL_OK;
    const char *frame = fl_triage_frame_of(finding, arena);
    *out = (fl_rank_finding){
        .service = service,
        .cause = out->cause,
        .confidence = finding->confidence,
        .frame = frame,
        .kind = finding->signature != NULL ? fl_arena_printf(arena, "%s", finding->signature->name)
                                           : NULL,
        .text = text_of(finding, service, frame, arena),
        .at_ns = finding->evidence_count > 0 ? finding->evidence[0].at_ns : 0,
        .value = finding->growth_bytes_per_hour.value,
        .unit = isnan(finding->growth_bytes_per_hour.value) ? NULL : "By/h",
        .query = query,
    };
    bool whole = out->text != NULL && (out->kind != NULL || finding->signature == NULL);
    whole &= copy_path(out, finding, arena);
    return whole ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for profiles");
}
