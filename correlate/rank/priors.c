/*
 * priors.c - what is remembered of hypotheses, added to what telemetry says of them.
 *
 * Telemetry asks how much better the incident fits this cause than none; the prior says how likely
 * the cause was before anything was measured. Their log odds add up. The prior is clipped at odds
 * of FL_RANK_PRIOR_ODDS either way: with the gate at 20 to 1, no memory makes a cause of something
 * that telemetry does not call real, and a new fault outweighs the old ones by its evidence.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rank_priv.h"

/* Of the hypotheses in order, telemetry's or the final one. */
typedef struct lead {
    double first,
        second; /* scores: of the first, and of the best other service, at least the gate */
} lead;

/* NULL is a service of its own. */
static bool same_service(const fl_hypothesis *a, const fl_hypothesis *b)
{
    if (a->service == NULL || b->service == NULL)
        return a->service == b->service;
    return strcmp(a->service, b->service) == 0;
}

/* As fl_rank_second_score() and the fit see them: nothing being wrong competes at the gate. */
static lead lead_of(const fl_hypothesis *all, size_t count)
{
    lead out = {.first = all[0].score, .second = 0};
    for (size_t i = 1; i < count && out.second == 0; i++)
        if (!same_service(&all[i], &all[0]))
            out.second = all[i].score;
    out.second = fmax(out.second, FL_LBF_REAL);
    return out;
}

/* How the log odds of the first hypothesis change with the scores. */
static double fit_of(lead l)
{
    return FIT_SCORE * l.first + FIT_MARGIN * (l.first - l.second);
}

/* Clipped, and in the score's nats. */
static double score_of_prior(double log_odds)
{
    double most = log(FL_RANK_PRIOR_ODDS);
    return fmax(-most, fmin(most, log_odds)) / (FIT_SCORE + FIT_MARGIN);
}

/* One more item of evidence, in its place. */
static fl_status add_evidence(fl_hypothesis *h, const fl_prior *prior, double weight,
                              fl_arena *arena, fl_error *err)
{
    fl_evidence *all = fl_arena_alloc(arena, h->evidence_count + 1, sizeof(*all));
    char *text = fl_arena_printf(arena, "%s", prior->text);
    char *query = fl_arena_printf(arena, "%s", prior->query);
    if (all == NULL || text == NULL || query == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for what is remembered");
    if (h->evidence_count > 0)
        memcpy(all, h->evidence, h->evidence_count * sizeof(*all));
    all[h->evidence_count++] = (fl_evidence){.modality = FL_MODALITY_MEMORY,
                                             .against = weight < 0,
                                             .text = text,
                                             .at_ns = prior->at_ns,
                                             .value = prior->value,
                                             .baseline = prior->baseline,
                                             .unit = "1",
                                             .query = query,
                                             .weight_nats = weight};
    fl_rank_sort_evidence(all, h->evidence_count);
    h->evidence = all;
    return FL_OK;
}

/* A place before and after, so that equal scores keep the order of telemetry. */
struct placed {
    fl_hypothesis hypothesis;
    size_t before;
    double telemetry; /* its score without memory */
};

static int compare_placed(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;
    if (a->hypothesis.score != b->hypothesis.score)
        return a->hypothesis.score > b->hypothesis.score ? -1 : 1;
    return (a->before > b->before) - (a->before < b->before);
}

/* Equal scores share the rank. */
static void number_ranks(fl_hypothesis *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool tie = i > 0 && all[i].score == all[i - 1].score;
        all[i].rank = tie ? all[i - 1].rank : (uint32_t)i + 1;
    }
}

/* Odds of one to nothing would be beyond what can be said. */
static double log_odds(double probability)
{
    const double least = 1e-9;
    double p = fmax(least, fmin(1 - least, probability));
    return log(p / (1 - p));
}

/* The verdict is asked of telemetry and memory together, but the gate of telemetry alone. */
static void conclude(fl_incident *incident, fl_hypothesis *all, double telemetry, lead before)
{
    size_t count = incident->hypothesis_count;
    lead after = lead_of(all, count);
    double x = log_odds(incident->hypotheses[0].probability) + fit_of(after) - fit_of(before);
    fl_rank_spread_probability(all, count, 1 / (1 + exp(-x)));
    number_ranks(all, count);
    bool confident =
        all[0].probability >= 0.5 && telemetry > FL_LBF_REAL && after.second < after.first;
    incident->verdict = confident ? FL_VERDICT_CAUSE_FOUND : FL_VERDICT_NO_CONFIDENT_CAUSE;
    incident->hypotheses = all;
    if (all[0].onset.at_ns != 0)
        incident->onset = all[0].onset;
}

/* Returns how many priors there are for hypotheses that telemetry calls real. */
static fl_status add_priors(size_t *added, struct placed *placed, const fl_incident *incident,
                            const fl_prior *prior, fl_arena *arena, fl_error *err)
{
    assert(prior->hypothesis < incident->hypothesis_count);
    struct placed *p = &placed[prior->hypothesis];
    double weight = score_of_prior(prior->log_odds);
    if (p->telemetry <= FL_LBF_REAL || weight == 0)
        return FL_OK;
    p->hypothesis.score += weight;
    *added += 1;
    return add_evidence(&p->hypothesis, prior, weight, arena, err);
}

fl_status fl_rank_weigh(fl_incident *incident, const fl_prior *priors, size_t count,
                        fl_arena *arena, fl_error *err)
{
    assert(incident != NULL && (priors != NULL || count == 0));
    size_t total = incident->hypothesis_count, added = 0;
    fl_status status = FL_OK;
    if (count == 0 || total == 0)
        return FL_OK;
    struct placed *placed = fl_arena_alloc(arena, total, sizeof(*placed));
    fl_hypothesis *all = fl_arena_alloc(arena, total, sizeof(*all));
    if (placed == NULL || all == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for what is remembered");
    for (size_t i = 0; i < total; i++)
        placed[i] = (struct placed){incident->hypotheses[i], i, incident->hypotheses[i].score};
    for (size_t i = 0; status == FL_OK && i < count; i++)
        status = add_priors(&added, placed, incident, &priors[i], arena, err);
    if (status != FL_OK || added == 0)
        return status;
    lead before = lead_of(incident->hypotheses, total);
    qsort(placed, total, sizeof(*placed), compare_placed);
    for (size_t i = 0; i < total; i++)
        all[i] = placed[i].hypothesis;
    conclude(incident, all, placed[0].telemetry, before);
    return FL_OK;
}
