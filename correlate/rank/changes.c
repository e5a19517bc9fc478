/*
 * changes.c - was it changed? A deploy, a configuration or a flag that precedes the anomalies of
 * its own scope may be their cause; that it precedes them is not enough.
 *
 * Evidence is how much better the time of the change fits a cause than a coincidence:
 *
 *     weight = ln f(lag) - ln lambda + ln( 2 p )
 *
 * f(lag) = m / (m + lag)^2 is how long after a harmful change its harm begins, a Lomax density with
 * the median m: scale-free, so that a day later is still possible. lambda is how often this scope
 * is changed anyway, (n + 1/2) / T for n other changes in the time T before (Jeffreys' prior of a
 * Poisson rate). p is the probability that such a change does harm: the mean of a Beta posterior,
 * (harmful + 1/2) / (all + 1), over the earlier changes of that kind that telemetry follows;
 * without any it is 1/2 and says nothing.
 *
 * A change adds to the best hypothesis of its own service beyond the gate, and makes none where
 * nothing of its scope has changed: an innocent deploy stays one, however near. One of everything
 * adds to the best hypothesis of all.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "queries.h"
#include "rank_priv.h"
#include "timestamp.h"

/* Half of what does harm does it within ten minutes: as long as windows count as near (the cleaning
 * of transitions.c), and the usual length of a canary's bake time. */
static const int64_t median_lag_ns = INT64_C(600) * 1000000000;
/* Of earlier changes the latest are asked whether they did harm, and the latest before the incident
 * whether they caused it. */
enum { MAX_JUDGED = 32, MAX_CONSIDERED = 256 };
#define SCALE_FALLBACK 0.3
#define LEAST_METRIC   1e-3 /* a millisecond, or one error in a thousand requests */
#define MOST_PROBABLE  0.999
/* A change this long before or after an incident is worth a word why it is not the cause. */
static const int64_t suspicious_ns = INT64_C(3600) * 1000000000;

const char *fl_rank_change_text(struct rank *r, uint32_t index)
{
    assert(index < r->timeline->change_count);
    const fl_change *c = &r->timeline->changes[index];
    bool both = c->before != NULL && c->after != NULL;
    return fl_arena_printf(
        r->arena, "%s%s%s%s%s%s%s", fl_change_kind_name(c->kind), c->key != NULL ? " " : "",
        c->key != NULL ? c->key : "", c->before != NULL || c->after != NULL ? " " : "",
        c->before != NULL ? c->before : "", both ? " -> " : "", c->after != NULL ? c->after : "");
}

/* ---- did earlier changes do harm? ---- */

struct harm {
    bool is_known, is_seen;
};

static bool concerns(const fl_change *change, uint32_t service)
{
    return change->service == FL_NO_INDEX || change->service == service;
}

/* Metrics are measured as they are; durations are logarithms already. */
static double as_log(const struct rank *r, const struct sides *sides, double value)
{
    return sides == &r->metrics ? log(fmax(value, 0) + LEAST_METRIC) : value;
}

/* Whether values[w] stand out upwards in the windows just after `change`, against all others of the
 * baseline; nothing is known where there are no values on both sides. */
static fl_status stands_out(struct harm *out, struct rank *r, const struct sides *sides,
                            const double *values, const fl_change *change, fl_error *err)
{
    double *past, *after;
    size_t past_count = 0, after_count = 0;
    fl_lbf_shift test;
    fl_arena_reset(&r->scratch);
    fl_status status = FL_RANK_NEW(&r->scratch, past, sides->baseline_count, "windows", err);
    if (status == FL_OK)
        status = FL_RANK_NEW(&r->scratch, after, sides->baseline_count, "windows", err);
    for (size_t i = 0; i < sides->baseline_count && status == FL_OK; i++) {
        uint32_t w = sides->baseline[i];
        int64_t since = r->timeline->windows[w].from_ns - change->time_ns;
        if (isnan(values[w]))
            continue;
        if (since >= 0 && since < median_lag_ns)
            after[after_count++] = as_log(r, sides, values[w]);
        else
            past[past_count++] = as_log(r, sides, values[w]);
    }
    if (status != FL_OK || past_count < 3 || after_count == 0)
        return status;
    fl_lbf_values question = {.baseline = past,
                              .baseline_count = past_count,
                              .incident = after,
                              .incident_count = after_count,
                              .prior_scale = SCALE_FALLBACK,
                              .rises_only = true};
    status = fl_lbf_values_test(&test, &question, &r->scratch, err);
    out->is_known = true;
    out->is_seen |= status == FL_OK && test.lbf > FL_LBF_REAL;
    return status;
}

/* From the self times of its operations, its latency and its errors. */
static fl_status find_harm(struct harm *out, struct rank *r, const fl_change *change, fl_error *err)
{
    const fl_timeline *t = r->timeline;
    const fl_streams *s = r->streams;
    fl_status status = FL_OK;
    for (size_t i = 0; i < s->value_count && status == FL_OK; i++)
        if (s->values[i].kind == FL_STREAM_SELF &&
            concerns(change, t->operations[s->values[i].operation].service))
            status = stands_out(out, r, &r->traces, s->values[i].values, change, err);
    for (size_t i = 0; i < t->metric_series_count && status == FL_OK; i++) {
        const fl_metric_series *m = &t->metrics[i];
        if ((m->role == FL_ROLE_LATENCY || m->role == FL_ROLE_ERRORS) && m->bad_when > 0 &&
            concerns(change, t->entities[m->entity].service))
            status = stands_out(out, r, &r->metrics, m->values, change, err);
    }
    return status;
}

/* ---- the weight ---- */

/* When a hypothesis begins, as far as windows tell: a change after it is none of its causes. */
static int64_t latest_cause_ns(const struct rank *r, const struct candidate *c)
{
    return c->span.from_ns + r->timeline->step_ns;
}

/* Since when changes would have been known of. */
static int64_t history_begin(const struct rank *r)
{
    const fl_timeline *t = r->timeline;
    int64_t begin = t->window_count > 0 ? t->windows[0].from_ns : t->at_ns;
    return t->change_count > 0 && t->changes[0].time_ns < begin ? t->changes[0].time_ns : begin;
}

static void count_others(struct change_result *out, const struct rank *r, uint32_t index)
{
    const fl_timeline *t = r->timeline;
    const fl_change *change = &t->changes[index];
    for (uint32_t i = 0; i < t->change_count && t->changes[i].time_ns < t->at_ns; i++)
        out->others += i != index && t->changes[i].service == change->service;
    double known_ns = (double)(t->at_ns - history_begin(r));
    out->usual_ns = fmax(known_ns, (double)t->step_ns) / ((double)out->others + 0.5);
}

/* Beta posterior's counts over the latest earlier changes of the kind. */
static fl_status judge_others(struct change_result *out, struct rank *r, uint32_t index,
                              fl_error *err)
{
    const fl_timeline *t = r->timeline;
    fl_status status = FL_OK;
    size_t judged = 0;
    for (uint32_t i = index; i-- > 0 && judged < MAX_JUDGED && status == FL_OK;) {
        struct harm harm = {0};
        if (t->changes[i].kind != t->changes[index].kind ||
            t->changes[i].time_ns + median_lag_ns > t->at_ns)
            continue; /* its harm, if any, may be this incident */
        judged++;
        status = find_harm(&harm, r, &t->changes[i], err);
        out->harmful += harm.is_known && harm.is_seen;
        out->harmless += harm.is_known && !harm.is_seen;
    }
    return status;
}

static double weight_of(const struct change_result *c)
{
    double m = (double)median_lag_ns, lag = (double)c->lag_ns;
    double density = log(m) - 2 * log(m + lag);
    double harm = ((double)c->harmful + 0.5) / ((double)(c->harmful + c->harmless) + 1);
    assert(c->usual_ns > 0 && harm > 0 && harm < 1);
    return density + log(c->usual_ns) + log(2 * harm);
}

/* ---- hypotheses ---- */

/* The best candidate beyond the gate that a change could have caused; FL_NO_INDEX: none. */
static uint32_t best_candidate(const struct rank *r, const fl_change *change)
{
    uint32_t best = FL_NO_INDEX;
    for (uint32_t i = 0; i < r->candidate_count; i++) {
        const struct candidate *c = &r->candidates[i];
        if (c->score > FL_LBF_REAL && concerns(change, c->service) &&
            (best == FL_NO_INDEX || c->score > r->candidates[best].score ||
             (c->score == r->candidates[best].score && c->order < r->candidates[best].order)))
            best = i;
    }
    return best;
}

static fl_status weigh_change(struct rank *r, uint32_t index, fl_error *err)
{
    struct change_result *out = &r->changes[index];
    const fl_change *change = &r->timeline->changes[index];
    uint32_t best = best_candidate(r, change);
    if (best == FL_NO_INDEX || change->time_ns > latest_cause_ns(r, &r->candidates[best]))
        return FL_OK;
    int64_t lag = r->candidates[best].span.from_ns - change->time_ns;
    out->lag_ns = lag > 0 ? lag : 0;
    count_others(out, r, index);
    fl_status status = judge_others(out, r, index, err);
    out->weight = weight_of(out);
    out->service = r->candidates[best].service;
    out->candidate = best;
    return status;
}

/* Room for one part more: the lightest leaves, since the change is what the hypothesis is about. */
static void make_room(struct candidate *c)
{
    size_t lightest = 0;
    if (c->part_count < MAX_PARTS)
        return;
    for (size_t i = 1; i < MAX_PARTS; i++)
        if (fabs(c->parts[i].weight) < fabs(c->parts[lightest].weight))
            lightest = i;
    c->parts[lightest] = c->parts[--c->part_count];
}

/* The hypothesis becomes one of the change. A code region and a resource stay named: they are where
 * the change shows. */
static fl_status blame(struct rank *r, uint32_t index, fl_error *err)
{
    const struct change_result *result = &r->changes[index];
    const fl_change *change = &r->timeline->changes[index];
    struct candidate *c = &r->candidates[result->candidate];
    bool is_setting = change->kind == FL_CHANGE_CONFIG || change->kind == FL_CHANGE_FLAG;
    assert(result->weight > 0);
    c->cause = is_setting ? FL_CAUSE_CONFIG_CHANGE : FL_CAUSE_DEPLOY;
    if (c->locus != FL_LOCUS_CODE_REGION) {
        c->locus = is_setting && change->key != NULL ? FL_LOCUS_CONFIG : FL_LOCUS_CHANGE;
        c->locus_name = fl_rank_change_text(r, index);
        if (c->locus_name == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the names of changes");
    }
    c->score += result->weight;
    if (c->probability > 0 && c->probability < 1) {
        double odds = c->probability / (1 - c->probability) * exp(fmin(result->weight, 50));
        c->probability = fmin(odds / (1 + odds), fmax(MOST_PROBABLE, c->probability));
    }
    make_room(c);
    fl_rank_add_part(c, PART_CHANGE, index, result->weight);
    return FL_OK;
}

/* Of several changes of a service the weightiest; of equal ones the latest. */
static bool is_weightiest(const struct rank *r, uint32_t index)
{
    const struct change_result *own = &r->changes[index];
    for (uint32_t i = 0; i < r->timeline->change_count; i++)
        if (r->changes[i].service == own->service &&
            (r->changes[i].weight > own->weight ||
             (r->changes[i].weight == own->weight && i > index)))
            return false;
    return true;
}

fl_status fl_rank_changes(struct rank *r, fl_error *err)
{
    const fl_timeline *t = r->timeline;
    fl_status status = FL_RANK_NEW(r->arena, r->changes, t->change_count, "changes", err);
    uint32_t end = 0;
    while (end < t->change_count && t->changes[end].time_ns < r->timeline->at_ns + suspicious_ns)
        end++;
    for (uint32_t i = 0; i < t->change_count; i++)
        r->changes[i].service = FL_NO_INDEX;
    for (uint32_t i = end > MAX_CONSIDERED ? end - MAX_CONSIDERED : 0; i < end && status == FL_OK;
         i++)
        status = weigh_change(r, i, err);
    for (uint32_t i = 0; i < t->change_count && status == FL_OK; i++)
        if (r->changes[i].service != FL_NO_INDEX && r->changes[i].weight > 0 && is_weightiest(r, i))
            status = blame(r, i, err);
    return status;
}

/* ---- words ---- */

static const char *harm_text(struct rank *r, const struct change_result *result)
{
    size_t all = result->harmless + result->harmful;
    if (all == 0)
        return "whether such changes do harm is not known from this history";
    return fl_arena_printf(r->arena, "of %zu earlier changes of this kind %zu passed without harm",
                           all, result->harmless);
}

static const char *query_of(struct rank *r, const fl_change *change, const char *service,
                            const char *time)
{
    if (change->url != NULL)
        return change->url;
    if (change->is_seen && change->kind == FL_CHANGE_DEPLOY)
        return fl_query_spans(r->arena, service, "resource.service.version", change->after);
    if (change->is_seen)
        return fl_query_spans(r->arena, service, "event.feature_flag.key", change->key);
    return fl_arena_printf(r->arena, "jq 'select(.time == \"%s\")' EVENTS", time);
}

void fl_rank_explain_change(fl_evidence *out, struct rank *r, uint32_t index)
{
    const fl_change *change = &r->timeline->changes[index];
    const struct change_result *result = &r->changes[index];
    const char *service = r->timeline->services[result->service];
    const char *what = fl_rank_change_text(r, index), *harm = harm_text(r, result);
    char time[FL_TIME_TEXT], lag[FL_TIME_TEXT], usual[FL_TIME_TEXT];
    fl_time_format(time, change->time_ns);
    fl_duration_format(lag, result->lag_ns);
    fl_duration_format(usual, (int64_t)result->usual_ns / FL_NS_PER_S * FL_NS_PER_S);
    out->modality = FL_MODALITY_CHANGES;
    out->at_ns = change->time_ns;
    out->value = (double)result->lag_ns / 1e9;
    out->baseline = result->usual_ns / 1e9;
    out->unit = "s";
    out->query = query_of(r, change, service, time);
    out->text = what == NULL || harm == NULL
                    ? NULL
                    : fl_arena_printf(r->arena,
                                      "%s of %s%s, %s before what changed there (such changes come "
                                      "every %s or so; %s)",
                                      what, change->service != FL_NO_INDEX ? service : "everything",
                                      change->is_seen ? " was first seen" : "", lag, usual, harm);
}

const char *fl_rank_innocent_change(struct rank *r, uint32_t service, int64_t onset_ns)
{
    const fl_timeline *t = r->timeline;
    uint32_t nearest = FL_NO_INDEX;
    int64_t begin = onset_ns != 0 ? onset_ns : t->at_ns, distance = suspicious_ns;
    char lag[FL_TIME_TEXT];
    for (uint32_t i = 0; i < t->change_count; i++) {
        int64_t away = t->changes[i].time_ns - begin;
        if (t->changes[i].service == service && (away < 0 ? -away : away) < distance) {
            distance = away < 0 ? -away : away;
            nearest = i;
        }
    }
    if (nearest == FL_NO_INDEX)
        return NULL;
    bool is_later = t->changes[nearest].time_ns > begin;
    const char *what = fl_rank_change_text(r, nearest);
    fl_duration_format(lag, distance / FL_NS_PER_S * FL_NS_PER_S);
    if (what == NULL)
        return NULL;
    return fl_arena_printf(r->arena,
                           is_later ? "its %s came %s after the incident had begun"
                                    : "its %s came %s before the onset, but nothing of its own "
                                      "changed with it beyond chance",
                           what, lag);
}
