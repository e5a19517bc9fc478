/*
 * doubts.c - what does not fit: against a hypothesis that stands, and why others do not.
 *
 * What a hypothesis would lead one to expect and what was measured otherwise is shown with it, with
 * the log Bayes factor of that measurement. It is not part of the score: a service can be slow
 * without using up a resource, but whoever reads the answer wants to know that it does. Where the
 * kind of data is missing that could tell, that is said instead: absence is no evidence of health.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "amount.h"
#include "rank_priv.h"
#include "timestamp.h"

/* Doubts of less than this are not worth a line: a factor of 1.1. */
#define LEAST_DOUBT 0.1

static bool has_part(const struct candidate *c, enum part_kind kind, uint32_t index)
{
    for (size_t i = 0; i < c->part_count; i++)
        if (c->parts[i].kind == kind && c->parts[i].index == index)
            return true;
    return false;
}

/* Against the hypothesis, and only where there is room: evidence does not give way to doubt. */
static void doubt(struct candidate *c, enum part_kind kind, uint32_t index, double weight)
{
    if (weight < -LEAST_DOUBT && c->part_count < MAX_PARTS && !has_part(c, kind, index))
        fl_rank_add_part(c, kind, index, weight);
}

/* Slow code is expected to use something up: the resource that comes nearest to it. */
static void doubt_resources(struct candidate *c, const struct rank *r)
{
    static const fl_role roles[] = {FL_ROLE_CPU, FL_ROLE_MEMORY, FL_ROLE_DISK, FL_ROLE_POOL,
                                    FL_ROLE_QUEUE};
    uint32_t best = FL_NO_INDEX;
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        uint32_t metric = fl_rank_strongest(r, c->service, roles[i]);
        if (metric != FL_NO_INDEX && (best == FL_NO_INDEX || r->metric_results[metric].test.lbf >
                                                                 r->metric_results[best].test.lbf))
            best = metric;
    }
    if (best != FL_NO_INDEX)
        doubt(c, PART_METRIC, best, r->metric_results[best].test.lbf);
}

/* What goes another way or is used up is expected to take longer. */
static void doubt_speed(struct candidate *c, const struct rank *r)
{
    uint32_t slow = fl_rank_slowest(r, c->service);
    if (slow != FL_NO_INDEX && r->values[slow].test.end > 0)
        doubt(c, PART_VALUE, slow, r->values[slow].test.lbf);
}

void fl_rank_doubt(struct candidate *c, const struct rank *r)
{
    assert(c->part_count > 0);
    if (c->score <= FL_LBF_REAL || r->metric_results == NULL || r->values == NULL)
        return;
    if (c->cause == FL_CAUSE_UNKNOWN || c->resource == FL_RESOURCE_NETWORK)
        doubt_resources(c, r);
    if (c->resource != FL_RESOURCE_NETWORK && c->parts[0].kind != PART_VALUE)
        doubt_speed(c, r);
}

/* ---- one sentence without a measurement ---- */

static bool is_there(const struct rank *r, const struct sides *sides, bool logs)
{
    for (size_t i = 0; i < sides->incident_count; i++) {
        const fl_window *window = &r->timeline->windows[sides->incident[i]];
        if (sides == &r->metrics || (logs ? window->has_logs : window->has_spans))
            return true;
    }
    return false;
}

static bool begins_late(fl_evidence *out, struct rank *r, const struct candidate *c)
{
    int64_t begin = r->timeline->at_ns;
    char late[FL_TIME_TEXT];
    if (!c->is_untimely || c->span.from_ns <= begin)
        return false;
    out->value = (double)(c->span.from_ns - begin) / 1e9;
    out->baseline = 0;
    out->unit = "s";
    out->at_ns = c->span.from_ns;
    out->weight_nats = c->score - c->timely_score;
    out->modality = FL_MODALITY_TOPOLOGY;
    out->text = fl_arena_printf(r->arena,
                                "it began %s after the incident had: a cause does not begin after "
                                "what it causes",
                                fl_duration_format(late, c->span.from_ns - begin));
    return true;
}

static bool lacks_data(fl_evidence *out, struct rank *r, const struct candidate *c)
{
    const char *what = NULL, *unknown = NULL;
    if (c->cause == FL_CAUSE_UNKNOWN && !is_there(r, &r->metrics, false)) {
        out->modality = FL_MODALITY_METRICS;
        what = "metrics";
        unknown = "has used up a resource";
    } else if (c->resource != FL_RESOURCE_NONE && !is_there(r, &r->traces, false)) {
        out->modality = FL_MODALITY_TRACES;
        what = "spans";
        unknown = "is slow by itself or waits";
    } else if (c->cause == FL_CAUSE_CODE_PATH && !is_there(r, &r->traces, true)) {
        out->modality = FL_MODALITY_LOGS;
        what = "lines";
        unknown = "leaves out a statement";
    }
    out->value = out->baseline = NAN;
    if (what != NULL)
        out->text = fl_arena_printf(
            r->arena, "no %s were recorded in the window: whether %s %s cannot be told", what,
            r->timeline->services[c->service], unknown);
    return what != NULL;
}

fl_status fl_rank_unmeasured(fl_evidence *out, size_t *count, struct rank *r,
                             const struct candidate *c, fl_error *err)
{
    static bool (*const ask[])(fl_evidence *, struct rank *,
                               const struct candidate *) = {begins_late, lacks_data};
    _Static_assert(sizeof(ask) / sizeof(ask[0]) == FL_RANK_UNMEASURED, "room for each");
    for (size_t i = 0; i < sizeof(ask) / sizeof(ask[0]); i++) {
        fl_evidence item = {.against = true};
        if (!ask[i](&item, r, c))
            continue;
        if (item.text == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for evidence");
        out[(*count)++] = item;
    }
    return FL_OK;
}

/* ---- others ---- */

const char *fl_rank_why_late(struct rank *r, uint32_t service)
{
    char late[FL_TIME_TEXT];
    for (size_t i = 0; i < r->candidate_count; i++) {
        const struct candidate *c = &r->candidates[i];
        if (c->service == service && c->is_untimely && c->span.from_ns > r->timeline->at_ns)
            return fl_arena_printf(r->arena,
                                   "what changed there began only %s after the incident had",
                                   fl_duration_format(late, c->span.from_ns - r->timeline->at_ns));
    }
    return NULL;
}

const char *fl_rank_why_shared(struct rank *r, uint32_t service)
{
    uint32_t metric = r->explained != NULL ? r->explained[service] : FL_NO_INDEX;
    if (metric == FL_NO_INDEX)
        return NULL;
    const struct metric_result *m = &r->metric_results[metric];
    const fl_metric_series *series = &r->timeline->metrics[metric];
    char now[FL_AMOUNT_TEXT], usual[FL_AMOUNT_TEXT];
    return fl_arena_printf(r->arena, "its %s is %s (baseline %s), but what it calls explains that",
                           series->name, fl_amount(now, m->after, series->unit),
                           fl_amount(usual, m->before, series->unit));
}
