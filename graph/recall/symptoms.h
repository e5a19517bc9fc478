/*
 * symptoms.h - what of an incident recurs: fingerprints without a time, a host or a number.
 *
 *   symptom  kind of locus | what is wrong with it | its name, or "step before -> step after"
 *   cause    service | what is wrong with it | locus
 *
 *   leak     "leak/" and the kind of bug that profiles show, as the library of signatures names it
 *
 * Each hypothesis beyond the gate shows one symptom: something that really changed, whether or not
 * it was the cause. Incidents that share symptoms need not share services.
 */
#ifndef FL_SYMPTOMS_H
#define FL_SYMPTOMS_H

#include "arena.h"
#include "faultline/incident.h"
#include "graph_store.h"

/* An incident that shows more is a flood, and the heaviest tell most. */
#define FL_MAX_SYMPTOMS 32

/* 20:1, the gate of the ranking: below it a change is not called real. */
#define FL_SYMPTOM_NATS 3.0
/* 1 in 5e8: a test that says more is not surer of anything. */
#define FL_SURE_NATS 20.0

typedef struct fl_symptoms {
    const fl_graph_node *nodes; /* heaviest first, no two alike; in the arena */
    const double *nats;         /* evidence for each, at most FL_SURE_NATS; NULL: all alike */
    size_t count;
} fl_symptoms;

/* What telemetry alone says of a hypothesis: its score without what memory has added. */
double fl_symptoms_telemetry_nats(const fl_hypothesis *hypothesis);
FL_NODISCARD fl_status fl_symptoms_of(fl_symptoms *out, const fl_incident *incident, int64_t now_ns,
                                      fl_arena *arena, fl_error *err);
/* The symptom that one hypothesis shows, whatever its score. */
FL_NODISCARD fl_status fl_symptoms_one(fl_graph_node *out, const fl_hypothesis *hypothesis,
                                       int64_t now_ns, fl_arena *arena, fl_error *err);
/* The symptom of a kind of leak: "map-only-grows". */
FL_NODISCARD fl_status fl_symptoms_leak(fl_graph_node *out, const char *kind, int64_t now_ns,
                                        fl_arena *arena, fl_error *err);
/* The cause that a hypothesis names. */
FL_NODISCARD fl_status fl_symptoms_cause(fl_graph_node *out, const fl_hypothesis *hypothesis,
                                         int64_t now_ns, fl_arena *arena, fl_error *err);
/* The first `count` hypotheses as what they name, in their order: the same number is the same
 * ranking, on every machine. `count` is at most what the incident has. */
uint64_t fl_symptoms_ranking(const fl_incident *incident, size_t count);
/* A cause or a fix in a person's words: white space made single, letters lower, so that two ways of
 * typing it are one node; the title keeps the words. FL_E_SYNTAX where it is empty. */
FL_NODISCARD fl_status fl_symptoms_said(fl_graph_node *out, fl_node_kind kind, const char *text,
                                        int64_t now_ns, fl_arena *arena, fl_error *err);
FL_NODISCARD fl_status fl_symptoms_incident(fl_graph_node *out, const fl_incident *incident,
                                            int64_t now_ns, fl_arena *arena, fl_error *err);

#endif
