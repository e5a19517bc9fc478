/*
 * memory_prior.c - what was recalled of causes, put to the hypotheses that name them.
 *
 * Only what people, fixes and documents said of other incidents is in it: an answer of the ranking
 * is no prior for the next one, and what was said of this incident is none for asking it again.
 */
#include <assert.h>

#include "memory.h"

static size_t count_real(const fl_incident *incident)
{
    size_t count = 0;
    for (size_t i = 0; i < incident->hypothesis_count; i++)
        count += fl_symptoms_telemetry_nats(&incident->hypotheses[i]) >= FL_SYMPTOM_NATS;
    return count;
}

double fl_memory_base_rate(const fl_incident *incident)
{
    size_t real = count_real(incident);
    return real > 0 ? 1 / ((double)real + 1) : 0;
}

/* Priors are sorted by cause; NULL: nothing is known of it. */
static const fl_cause_prior *find_prior(const fl_memory *memory, uint64_t cause)
{
    size_t low = 0, high = memory->prior_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memory->priors[middle].cause < cause)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < memory->prior_count && memory->priors[low].cause == cause;
    return found && memory->priors[low].log_odds != 0 ? &memory->priors[low] : NULL;
}

static fl_status describe(fl_prior *out, const fl_incident *incident, const fl_cause_prior *prior,
                          fl_arena *arena, fl_error *err)
{
    const fl_confidence *c = &prior->confidence;
    assert(prior->supported <= prior->incidents);
    out->log_odds = prior->log_odds;
    out->value = c->mean;
    out->baseline = fl_memory_base_rate(incident);
    out->at_ns = prior->last_ns;
    out->text =
        fl_arena_printf(arena,
                        "%zu of %zu earlier incident%s with such symptoms %s explained by "
                        "this (%.2f, 90 %% interval %.2f to %.2f)",
                        prior->supported, prior->incidents, prior->incidents == 1 ? "" : "s",
                        prior->incidents == 1 ? "was" : "were", c->mean, c->low, c->high);
    out->query = fl_arena_printf(arena, "faultline graph paths --incident %s", incident->id);
    if (out->text == NULL || out->query == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while remembering");
    return FL_OK;
}

fl_status fl_memory_priors(const fl_prior **out, size_t *count, const fl_incident *incident,
                           const fl_memory *memory, fl_arena *arena, fl_error *err)
{
    assert(incident->id != NULL);
    fl_prior *priors = fl_arena_alloc(arena, incident->hypothesis_count + 1, sizeof(*priors));
    fl_status status = FL_OK;
    *out = priors;
    *count = 0;
    if (priors == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while remembering");
    for (size_t i = 0; status == FL_OK && i < incident->hypothesis_count; i++) {
        fl_graph_node cause;
        const fl_hypothesis *h = &incident->hypotheses[i];
        if (fl_symptoms_telemetry_nats(h) < FL_SYMPTOM_NATS)
            continue;
        status = fl_symptoms_cause(&cause, h, incident->at_ns, arena, err);
        const fl_cause_prior *prior = status == FL_OK ? find_prior(memory, cause.id) : NULL;
        if (prior == NULL)
            continue;
        priors[*count].hypothesis = i;
        status = describe(&priors[(*count)++], incident, prior, arena, err);
    }
    return status;
}
