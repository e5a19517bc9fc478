/*
 * memory_prior.c - what was recalled of causes, put to the hypotheses that name them.
 *
 * Only what people, fixes and documents said of other incidents is in it: an answer of the ranking
 * is no prior for the next one, and what was said of this incident is none for asking it again.
 */
#include <assert.h>

#include "memory.h"

fl_status fl_memory_candidates(fl_candidates *out, const fl_incident *incident, fl_arena *arena,
                               fl_error *err)
{
    assert(incident != NULL);
    uint64_t *causes = fl_arena_alloc(arena, incident->hypothesis_count + 1, sizeof(*causes));
    size_t *places = fl_arena_alloc(arena, incident->hypothesis_count + 1, sizeof(*places));
    fl_status status = FL_OK;
    *out = (fl_candidates){.causes = causes, .hypotheses = places};
    if (causes == NULL || places == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while remembering");
    for (size_t i = 0; status == FL_OK && i < incident->hypothesis_count; i++) {
        fl_graph_node cause;
        const fl_hypothesis *h = &incident->hypotheses[i];
        if (fl_symptoms_telemetry_nats(h) < FL_SYMPTOM_NATS)
            continue;
        status = fl_symptoms_cause(&cause, h, incident->at_ns, arena, err);
        causes[out->count] = cause.id;
        places[out->count++] = i;
    }
    return status;
}

/* The counts stand beside the mean, so that 1 of 1 does not read like 48 of 50. */
static fl_status describe(fl_prior *out, const fl_incident *incident, const fl_cause_prior *prior,
                          fl_arena *arena, fl_error *err)
{
    const fl_confidence *c = &prior->confidence;
    assert(prior->supported <= prior->incidents);
    out->log_odds = prior->log_odds;
    out->value = c->mean;
    out->at_ns = prior->last_ns;
    out->text =
        fl_arena_printf(arena,
                        "explained %zu of %zu earlier incident%s with such symptoms, the "
                        "other hypotheses %zu (%.2f, 90 %% interval %.2f to %.2f)",
                        prior->supported, prior->incidents, prior->incidents == 1 ? "" : "s",
                        prior->rivals, c->mean, c->low, c->high);
    out->query = fl_arena_printf(arena, "faultline graph paths --incident %s", incident->id);
    if (out->text == NULL || out->query == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while remembering");
    return FL_OK;
}

fl_status fl_memory_priors(const fl_prior **out, size_t *count, const fl_incident *incident,
                           const fl_memory *memory, fl_arena *arena, fl_error *err)
{
    assert(incident->id != NULL);
    const fl_candidates *candidates = &memory->candidates;
    fl_prior *priors = fl_arena_alloc(arena, candidates->count + 1, sizeof(*priors));
    fl_status status = FL_OK;
    *out = priors;
    *count = 0;
    if (priors == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while remembering");
    for (size_t i = 0; status == FL_OK && memory->priors != NULL && i < candidates->count; i++) {
        if (memory->priors[i].log_odds == 0)
            continue;
        priors[*count] = (fl_prior){.hypothesis = candidates->hypotheses[i],
                                    .baseline = 1 / ((double)candidates->count + 1)};
        status = describe(&priors[(*count)++], incident, &memory->priors[i], arena, err);
    }
    return status;
}
