/*
 * rank.c - the order of the parts, and from their candidates to a verdict.
 */
#include "rank.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "rank_priv.h"

/* Windows of metrics are cheap and their history is what a baseline is made of: four hours. */
enum { MAX_METRIC_HISTORY = 240 };

/* How late the stated time may be: an alert rule that looks back a minute or two fires this late.
 */
enum { LEAD_COUNT = 3 };
static const int64_t leads_ns[LEAD_COUNT] = {0, INT64_C(60) * 1000000000,
                                             INT64_C(120) * 1000000000};
/* A first service this far before the second (150:1) ends the search for an earlier onset. */
#define CLEAR_MARGIN 5.0

double fl_rank_below_gate(double score)
{
    return score > FL_LBF_REAL ? FL_LBF_REAL * score / (1 + score) : score;
}

fl_status fl_rank_add(struct rank *r, const struct candidate *candidate, fl_error *err)
{
    if (!(candidate->score > 0))
        return FL_OK;
    if (r->candidate_count == r->candidate_max) {
        size_t max = r->candidate_max > 0 ? 2 * r->candidate_max : 64;
        struct candidate *grown;
        fl_status status = FL_RANK_NEW(r->arena, grown, max, "candidates", err);
        if (status != FL_OK)
            return status;
        if (r->candidate_count > 0)
            memcpy(grown, r->candidates, r->candidate_count * sizeof(*grown));
        r->candidates = grown;
        r->candidate_max = max;
    }
    r->candidates[r->candidate_count++] = *candidate;
    return FL_OK;
}

void fl_rank_add_part(struct candidate *c, enum part_kind kind, uint32_t index, double weight)
{
    assert(c->part_count <= MAX_PARTS);
    size_t at = c->part_count;
    if (c->part_count < MAX_PARTS) {
        c->part_count++;
    } else { /* keep the heaviest */
        at = 0;
        for (size_t i = 1; i < MAX_PARTS; i++)
            if (fabs(c->parts[i].weight) < fabs(c->parts[at].weight))
                at = i;
        if (fabs(c->parts[at].weight) >= fabs(weight))
            return;
    }
    c->parts[at] = (struct evidence_part){.kind = kind, .index = index, .weight = weight};
}

/* The windows just before the stated time may be the incident's: with a lead they are its, else
 * they are nobody's. Metrics keep them, since their history is cleaned in order and often short. */
static bool is_incident(const struct rank *r, const fl_window *window)
{
    return window->incident || (window->from_ns < r->timeline->at_ns &&
                                window->from_ns >= r->timeline->at_ns - r->lead_ns);
}

static bool is_doubtful(const struct rank *r, const fl_window *window)
{
    return window->from_ns < r->timeline->at_ns &&
           window->from_ns >= r->timeline->at_ns - leads_ns[LEAD_COUNT - 1];
}

/* Of the baseline the windows nearest to the incident. */
static fl_status choose_sides(struct sides *out, struct rank *r, bool metrics, size_t max_history,
                              fl_error *err)
{
    const fl_timeline *t = r->timeline;
    fl_status status = FL_RANK_NEW(r->arena, out->baseline, t->window_count, "windows", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, out->incident, t->window_count, "windows", err);
    for (uint32_t w = 0; w < t->window_count && status == FL_OK; w++) {
        const fl_window *window = &t->windows[w];
        if (metrics ? !window->has_metrics : !window->has_spans && !window->has_logs)
            continue;
        if (is_incident(r, window))
            out->incident[out->incident_count++] = w;
        else if (metrics || !is_doubtful(r, window))
            out->baseline[out->baseline_count++] = w;
    }
    size_t first = 0;
    for (; status == FL_OK && out->baseline_count > max_history; out->baseline_count--) {
        int64_t oldest = t->at_ns - t->windows[out->baseline[first]].from_ns;
        int64_t newest =
            t->windows[out->baseline[first + out->baseline_count - 1]].from_ns - t->at_ns;
        first += oldest >= newest;
    }
    out->baseline += first;
    return status;
}

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    if (a->service != b->service)
        return a->service < b->service ? -1 : 1;
    int order = strcmp(a->locus_name != NULL ? a->locus_name : "",
                       b->locus_name != NULL ? b->locus_name : "");
    if (order == 0)
        order = strcmp(a->before != NULL ? a->before : "", b->before != NULL ? b->before : "");
    if (order == 0)
        order = strcmp(a->after != NULL ? a->after : "", b->after != NULL ? b->after : "");
    return order;
}

fl_range fl_rank_span(const struct rank *r, const struct evidence_part *part)
{
    const struct sides *sides = &r->traces;
    size_t onset = 0, end = sides->incident_count;
    switch (part->kind) {
    case PART_CONTEXT:
        onset = r->contexts[part->index].test.onset;
        end = r->contexts[part->index].test.end;
        break;
    case PART_VALUE:
        onset = r->values[part->index].test.onset;
        end = r->values[part->index].test.end;
        break;
    case PART_METRIC:
        sides = &r->metrics;
        onset = r->metric_results[part->index].test.onset;
        end = r->metric_results[part->index].test.end;
        break;
    case PART_SERVICE: {
        const fl_window *window = &r->timeline->windows[r->metric_results[part->index].window];
        return (fl_range){window->from_ns, window->to_ns};
    }
    case PART_LINES:
        onset = r->lines[part->index].onset;
        end = r->lines[part->index].end;
        break;
    case PART_EDGE_GONE:
    case PART_CHANGE:
    case PART_FINDING:
    case PART_ALERT:
        break;
    }
    assert(end <= sides->incident_count);
    if (onset >= end) /* nothing was there to be tested */
        return (fl_range){r->timeline->at_ns, r->timeline->at_ns + r->timeline->step_ns};
    return (fl_range){r->timeline->windows[sides->incident[onset]].from_ns,
                      r->timeline->windows[sides->incident[end - 1]].to_ns};
}

/* From the first to the last window in which a part beyond the gate differs. */
static fl_range span_of(const struct candidate *c, const struct rank *r)
{
    fl_range span = fl_rank_span(r, &c->parts[0]);
    for (size_t i = 1; i < c->part_count; i++) {
        fl_range part = fl_rank_span(r, &c->parts[i]);
        if (c->parts[i].weight <= FL_LBF_REAL)
            continue;
        span.from_ns = part.from_ns < span.from_ns ? part.from_ns : span.from_ns;
        span.to_ns = part.to_ns > span.to_ns ? part.to_ns : span.to_ns;
    }
    return span;
}

/* What is beyond the gate though so many services are looked at. */
static double beyond_chance(const struct rank *r)
{
    return FL_LBF_REAL + log(fmax((double)r->timeline->service_count, 1));
}

/* A cause does not begin after what it causes, and is not over before it is noticed. The incident
 * has begun at its time or where the first candidate beyond chance does, whichever is later. One
 * window is within the resolution. What lies outside falls below the gate, and keeps its order
 * there. */
static void demote_untimely(struct rank *r)
{
    int64_t begin = INT64_MAX, step = r->timeline->step_ns, at = r->timeline->at_ns;
    for (size_t i = 0; i < r->candidate_count; i++) {
        r->candidates[i].span = span_of(&r->candidates[i], r);
        if (r->candidates[i].score > beyond_chance(r) && r->candidates[i].span.from_ns < begin)
            begin = r->candidates[i].span.from_ns;
    }
    int64_t latest = begin > at ? begin : at;
    for (size_t i = 0; i < r->candidate_count; i++) {
        struct candidate *c = &r->candidates[i];
        bool late = begin != INT64_MAX && c->span.from_ns > latest + step;
        c->is_untimely = late && c->score > FL_LBF_REAL;
        c->timely_score = c->score;
        if (c->is_untimely)
            c->score = fl_rank_below_gate(c->score);
    }
}

static void sort_candidates(struct rank *r)
{
    if (r->candidate_count > 0)
        qsort(r->candidates, r->candidate_count, sizeof(*r->candidates), compare_candidates);
}

static fl_status rank_with(struct rank *r, fl_error *err)
{
    fl_status status = choose_sides(&r->traces, r, false, MAX_HISTORY, err);
    if (status == FL_OK)
        status = choose_sides(&r->metrics, r, true, MAX_METRIC_HISTORY, err);
    if (status == FL_OK)
        status = fl_rank_find_silent(r, err);
    if (status == FL_OK)
        status = fl_rank_transitions(r, err);
    if (status == FL_OK)
        status = fl_rank_values(r, err);
    if (status == FL_OK)
        status = fl_rank_network(r, err);
    if (status == FL_OK)
        status = fl_rank_resources(r, err);
    if (status == FL_OK)
        status = fl_rank_lines(r, err);
    if (status == FL_OK)
        status = fl_rank_find_views(r, err);
    if (status == FL_OK)
        status = fl_rank_clients(r, err);
    if (status == FL_OK)
        status = fl_rank_services(r, err);
    if (status == FL_OK)
        status = fl_rank_traffic(r, err);
    if (status == FL_OK)
        status = fl_rank_findings(r, err);
    if (status != FL_OK)
        return status;
    demote_untimely(r);
    sort_candidates(r);
    fl_rank_merge(r);
    status = fl_rank_changes(r, err);
    if (status == FL_OK)
        status = fl_rank_alerts(r, err);
    sort_candidates(r);
    return status;
}

double fl_rank_second_score(const struct rank *r)
{
    assert(r->candidate_count > 0);
    for (size_t i = 1; i < r->candidate_count; i++)
        if (r->candidates[i].service != r->candidates[0].service)
            return r->candidates[i].score;
    return 0;
}

/* Without spans there is no telling an earlier onset from metrics that lag: the stated time counts.
 */
static bool has_spans(const struct rank *r)
{
    for (size_t w = 0; w < r->timeline->window_count; w++) {
        const fl_window *window = &r->timeline->windows[w];
        if ((window->has_spans || window->has_logs) && (window->incident || is_doubtful(r, window)))
            return true;
    }
    return false;
}

static bool is_clear(const struct rank *r)
{
    return !has_spans(r) || (r->candidate_count > 0 &&
                             r->candidates[0].score - fl_rank_second_score(r) > CLEAR_MARGIN);
}

/* The stated time is believed as long as it gives a clear answer; else that lead counts which gives
 * the most probable one. */
fl_status fl_rank(fl_incident *out, const fl_streams *streams, const fl_rank_question *question,
                  fl_arena *arena, fl_error *err)
{
    assert(streams != NULL && question != NULL);
    struct rank best = {0};
    fl_arena scratch = fl_arena_of(FL_MAX_RANK_SCRATCH_BYTES);
    fl_status status = FL_OK;
    for (size_t i = 0; i < LEAD_COUNT && status == FL_OK; i++) {
        struct rank r = {.streams = streams,
                         .timeline = streams->timeline,
                         .question = question,
                         .lead_ns = leads_ns[i],
                         .kept = best.kept,
                         .arena = arena,
                         .scratch = scratch};
        status = rank_with(&r, err);
        scratch = r.scratch;
        bool clear = status == FL_OK && is_clear(&r);
        if (i == 0 || clear || fl_rank_first_probability(&r) > fl_rank_first_probability(&best))
            best = r;
        if (clear)
            break;
    }
    best.scratch = scratch;
    if (status == FL_OK)
        status = fl_rank_explain(out, &best, err);
    fl_arena_dispose(&best.scratch);
    return status;
}
