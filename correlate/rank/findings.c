/*
 * findings.c - what the profiles of a service say about the causes of an incident.
 *
 * A leak report is about a program and not about an incident: memory that leaks for weeks is no
 * reason for what broke at noon. So a finding does not stand for itself. It goes to the hypothesis
 * that telemetry has already made of its service and that it explains (memory that is used up, time
 * that passes inside of the service), adds its weight there and names the line; only where there is
 * none does it become a hypothesis of its own, which with the confidence that a leak report can
 * reach stays near the gate. A report that finds no leak speaks against one in the same way.
 *
 * A *state* (FL_CAUSE_CPU: a map whose look-ups walk chains; FL_CAUSE_MEMORY: texts that are there
 * many times) is what a program may live with for years. It is a cause only of trouble that it
 * makes, never a hypothesis of its own, and gives way to what another finding has named.
 *
 * Weight: the log odds of the report's confidence, clipped at MOST_ODDS, since the report knows its
 * own data and not what else the service does.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "rank_priv.h"
#include "services.h"

/* 19:1, a confidence of 0.95: what a report says beyond that is not told apart by its tests. */
#define MOST_ODDS 19.0

static double weight_of(const fl_rank_finding *finding)
{
    assert(finding->confidence >= 0 && finding->confidence <= 1);
    double odds = finding->confidence / fmax(1 - finding->confidence, 1e-9);
    double weight = log(fmin(fmax(odds, 1), MOST_ODDS));
    return finding->against ? -weight : weight;
}

/* What needs a symptom to be a cause. */
static bool is_state(fl_cause cause)
{
    return cause == FL_CAUSE_CPU || cause == FL_CAUSE_MEMORY;
}

/* Time that a service takes of its own. */
static bool is_own_time(const struct candidate *c)
{
    return c->resource == FL_RESOURCE_NONE && c->part_count > 0 && c->parts[0].kind == PART_VALUE;
}

/* Whether the trouble that a hypothesis tells of is what a finding of that cause looks like from
 * outside. A leak is memory; a collector at work is processor time or memory; a lock is time that a
 * service takes of its own. */
static bool explains(fl_cause cause, const struct candidate *c)
{
    switch (cause) {
    case FL_CAUSE_MEMORY_LEAK:
        return c->resource == FL_RESOURCE_MEMORY;
    case FL_CAUSE_GC:
        return c->resource == FL_RESOURCE_CPU || c->resource == FL_RESOURCE_MEMORY ||
               c->cause == FL_CAUSE_GC;
    case FL_CAUSE_LOCK:
        return c->cause == FL_CAUSE_LOCK || is_own_time(c);
    case FL_CAUSE_CPU:
        return c->resource == FL_RESOURCE_CPU || is_own_time(c);
    case FL_CAUSE_MEMORY:
        return c->resource == FL_RESOURCE_MEMORY;
    case FL_CAUSE_EXCEPTION:
        return c->cause == FL_CAUSE_EXCEPTION;
    default:
        return false;
    }
}

/* The best one that it explains; NULL: none. */
static struct candidate *find_explained(struct rank *r, uint32_t service, fl_cause cause)
{
    struct candidate *best = NULL;
    for (size_t i = 0; i < r->candidate_count; i++) {
        struct candidate *c = &r->candidates[i];
        if (c->service == service && explains(cause, c) && (best == NULL || c->score > best->score))
            best = c;
    }
    return best;
}

/* The line is finer than a metric's or an operation's name; two log lines around it are kept. */
static void name_place(struct candidate *c, const fl_rank_finding *finding)
{
    if (finding->against) {
        if (c->cause == FL_CAUSE_MEMORY_LEAK)
            c->cause = FL_CAUSE_MEMORY;
        return;
    }
    if (is_state(finding->cause) && c->locus == FL_LOCUS_FRAME)
        return; /* another finding names it */
    if (finding->cause == FL_CAUSE_MEMORY && c->cause == FL_CAUSE_MEMORY_LEAK)
        return; /* waste brings the limit nearer, but memory does not rise by it */
    c->cause = finding->cause;
    if (c->locus == FL_LOCUS_CODE_REGION || finding->frame == NULL)
        return;
    c->locus = FL_LOCUS_FRAME;
    c->locus_name = finding->frame;
}

static fl_status add_own(struct rank *r, uint32_t service, uint32_t index, fl_error *err)
{
    const fl_rank_finding *finding = &r->question->findings[index];
    double weight = weight_of(finding);
    struct candidate c = {.service = service,
                          .cause = finding->cause,
                          .resource = finding->cause == FL_CAUSE_MEMORY_LEAK ? FL_RESOURCE_MEMORY
                                                                             : FL_RESOURCE_NONE,
                          .locus = FL_LOCUS_FRAME,
                          .locus_name = finding->frame,
                          .score = weight,
                          .order = 2};
    if (finding->against || finding->frame == NULL || is_state(finding->cause))
        return FL_OK;
    fl_rank_add_part(&c, PART_FINDING, index, weight);
    return fl_rank_add(r, &c, err);
}

fl_status fl_rank_findings(struct rank *r, fl_error *err)
{
    fl_status status = FL_OK;
    assert(r->question->findings != NULL || r->question->finding_count == 0);
    for (uint32_t i = 0; i < r->question->finding_count && status == FL_OK; i++) {
        const fl_rank_finding *finding = &r->question->findings[i];
        uint32_t service = fl_service_find(r->timeline, fl_slice_of(finding->service));
        if (service == FL_NO_INDEX)
            continue;
        struct candidate *c = find_explained(r, service, finding->cause);
        if (c == NULL || (c->score <= 0 && !finding->against)) {
            status = add_own(r, service, i, err);
            continue;
        }
        double weight = weight_of(finding);
        name_place(c, finding);
        fl_rank_add_part(c, PART_FINDING, i, weight);
        c->score = fmax(c->score + weight, 0);
    }
    return status;
}

void fl_rank_explain_finding(fl_evidence *out, struct rank *r, uint32_t finding)
{
    const fl_rank_finding *from = &r->question->findings[finding];
    out->modality = FL_MODALITY_PROFILES;
    out->text = from->text;
    out->at_ns = from->at_ns;
    out->value = from->value;
    out->baseline = NAN;
    out->unit = from->unit;
    out->query = from->query;
    out->finding = from->kind;
    out->path = from->path;
    out->path_count = from->path_count;
}
