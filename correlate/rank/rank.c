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

/* Of the baseline the windows nearest to the incident. */
static fl_status choose_sides(struct sides *out, struct rank *r, bool metrics, size_t max_history, fl_error *err)
{
    const fl_timeline *t = r->timeline;
    fl_status status = FL_RANK_NEW(r->arena, out->baseline, t->window_count, "windows", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(r->arena, out->incident, t->window_count, "windows", err);
    for (uint32_t w = 0; w < t->window_count && status == FL_OK; w++) {
        const fl_window *window = &t->windows[w];
        if (metrics ? !window->has_metrics : !window->has_spans && !window->has_logs)
            continue;
        if (window->incident)
            out->incident[out->incident_count++] = w;
        else
            out->baseline[out->baseline_count++] = w;
    }
    size_t first = 0;
    for (; status == FL_OK && out->baseline_count > max_history; out->baseline_count--) {
        int64_t oldest = t->at_ns - t->windows[out->baseline[first]].from_ns;
        int64_t newest = t->windows[out->baseline[first + out->baseline_count - 1]].from_ns - t->at_ns;
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
    int order = strcmp(a->locus_name != NULL ? a->locus_name : "", b->locus_name != NULL ? b->locus_name : "");
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
    case PART_EDGE_GONE:
        break;
    }
    assert(onset < end && end <= sides->incident_count);
    return (fl_range){r->timeline->windows[sides->incident[onset]].from_ns,
                      r->timeline->windows[sides->incident[end - 1]].to_ns};
}

static fl_range span_of(const struct candidate *c, const struct rank *r)
{
    const struct evidence_part *heaviest = &c->parts[0];
    for (size_t i = 1; i < c->part_count; i++)
        if (c->parts[i].weight > heaviest->weight)
            heaviest = &c->parts[i];
    return fl_rank_span(r, heaviest);
}

/* What is beyond the gate though so many services are looked at. */
static double beyond_chance(const struct rank *r)
{
    return FL_LBF_REAL + log(fmax((double)r->timeline->service_count, 1));
}

/* A cause does not begin after what it causes, and is not over before it is noticed. The incident has
 * begun at its time or where the first candidate beyond chance does, whichever is later. One window
 * is within the resolution. What lies outside falls below the gate, and keeps its order there. */
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
        if (c->is_untimely)
            c->score = FL_LBF_REAL * c->score / (1 + c->score);
    }
}

fl_status fl_rank(fl_incident *out, const fl_streams *streams, const fl_rank_question *question,
                  fl_arena *arena, fl_error *err)
{
    assert(streams != NULL && question != NULL);
    struct rank r = {.streams = streams,
                     .timeline = streams->timeline,
                     .question = question,
                     .arena = arena,
                     .scratch = fl_arena_of(FL_MAX_RANK_SCRATCH_BYTES)};
    fl_status status = choose_sides(&r.traces, &r, false, MAX_HISTORY, err);
    if (status == FL_OK)
        status = choose_sides(&r.metrics, &r, true, MAX_METRIC_HISTORY, err);
    if (status == FL_OK)
        status = fl_rank_transitions(&r, err);
    if (status == FL_OK)
        status = fl_rank_values(&r, err);
    if (status == FL_OK)
        status = fl_rank_network(&r, err);
    if (status == FL_OK)
        status = fl_rank_resources(&r, err);
    if (status == FL_OK)
        status = fl_rank_services(&r, err);
    if (status == FL_OK) {
        demote_untimely(&r);
        if (r.candidate_count > 0)
            qsort(r.candidates, r.candidate_count, sizeof(*r.candidates), compare_candidates);
        status = fl_rank_explain(out, &r, err);
    }
    fl_arena_dispose(&r.scratch);
    return status;
}
