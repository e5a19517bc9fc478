/*
 * remember.c - recall first, note then: an incident is not one of those before it.
 */
#include "remember.h"

#include <assert.h>
#include <stdio.h>

enum {
    FIRST_REMEMBERED = 3,        /* paths, fixes and incidents: a glance; 'graph paths' has more */
    MAX_MEMORY_BYTES = 64u << 20 /* far above what the limits of memory.h let a question take */
};

/* What telemetry says before memory has spoken. */
static fl_status take_diagnosis(fl_remember *r, const fl_incident *incident, int64_t now_ns,
                                fl_error *err)
{
    r->is_diagnosed = incident->verdict == FL_VERDICT_CAUSE_FOUND;
    if (!r->is_diagnosed)
        return FL_OK;
    assert(incident->hypothesis_count > 0);
    const fl_hypothesis *first = &incident->hypotheses[0];
    snprintf(r->note, sizeof(r->note), "telemetry alone: %.1f nats", first->score);
    return fl_symptoms_cause(&r->diagnosed, first, now_ns, &r->arena, err);
}

/* Ages are counted to the incident, so that an answer does not change with the clock. */
fl_status fl_remember_recall(fl_remember *out, fl_triage *triage, fl_store *store, int64_t now_ns,
                             fl_error *err)
{
    assert(store != NULL && triage != NULL);
    *out = (fl_remember){.arena = fl_arena_of(MAX_MEMORY_BYTES)};
    const fl_incident *incident = fl_triage_incident(triage);
    fl_symptoms symptoms;
    const fl_prior *priors = NULL;
    size_t count = 0;
    fl_memory_question question = {.symptoms = &symptoms,
                                   .self = incident->id,
                                   .others_only = true,
                                   .now_ns = now_ns,
                                   .at_ns = incident->at_ns,
                                   .most_paths = FIRST_REMEMBERED,
                                   .most_fixes = FIRST_REMEMBERED,
                                   .most_similar = FIRST_REMEMBERED};
    fl_status status = take_diagnosis(out, incident, now_ns, err);
    if (status == FL_OK)
        status = fl_symptoms_of(&symptoms, incident, now_ns, &out->arena, err);
    if (status == FL_OK)
        status = fl_memory_candidates(&question.candidates, incident, &out->arena, err);
    if (status == FL_OK)
        status = fl_memory_recall(&out->memory, store, &question, &out->arena, err);
    if (status == FL_OK)
        status = fl_memory_priors(&priors, &count, incident, &out->memory, &out->arena, err);
    return status == FL_OK ? fl_triage_weigh(triage, priors, count, err) : status;
}

void fl_remember_dispose(fl_remember *remember)
{
    fl_arena_dispose(&remember->arena);
}

fl_status fl_remember_note(fl_remember *remember, const fl_incident *incident, fl_store *store,
                           int64_t now_ns, fl_error *err)
{
    assert(store != NULL && incident->id != NULL);
    fl_learnt learnt;
    const fl_lesson seen = {.incident = incident,
                            .cause = remember->is_diagnosed ? &remember->diagnosed : NULL,
                            .supports = true,
                            .source = FL_SOURCE_AUTOMATIC,
                            .author = "faultline",
                            .note = remember->note,
                            .now_ns = now_ns,
                            .is_note = true};
    return fl_memory_learn(&learnt, store, &seen, &remember->arena, err);
}
