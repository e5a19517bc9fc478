/*
 * rank.h - from streams to ranked hypotheses with their evidence. The method, its formulas and
 * what they rest on: docs/correlation.md.
 */
#ifndef FL_RANK_H
#define FL_RANK_H

#include "arena.h"
#include "faultline/incident.h"
#include "streams.h"

/* What the profiles of a service say about one kind of trouble. Texts outlive the answer. */
typedef struct fl_rank_finding {
    const char *service;
    fl_cause cause;    /* memory-leak, gc, lock or exception; cpu or memory of a state, which is a
                          cause only where telemetry has such trouble (findings.c) */
    bool against;      /* the profiles speak against that cause */
    double confidence; /* 0..1, that what it says is so */
    const char *frame; /* function, file and line; NULL where it is against */
    const char *kind;  /* of leak, as the signatures name it; NULL: none of them holds */
    const char *text;  /* one sentence with its figures */
    int64_t at_ns;     /* 0: of no moment */
    double value;      /* of the growth, by the hour; NaN: none */
    const char *unit;
    const char *query;        /* the command that shows it again */
    const fl_kept_step *path; /* of a heap dump: who keeps what was found */
    size_t path_count;
} fl_rank_finding;

typedef struct fl_rank_question {
    const char *symptom_service;     /* whose symptom is reported; NULL: not known */
    const fl_rank_finding *findings; /* out of profiles; in an order of content */
    size_t finding_count;
} fl_rank_question;

/* Fill the verdict, the hypotheses and what was ruled out. Texts and arrays live
 * in `arena`. The same streams give the same answer. FL_E_NOMEM where an arena is exhausted. */
FL_NODISCARD fl_status fl_rank(fl_incident *out, const fl_streams *streams,
                               const fl_rank_question *question, fl_arena *arena, fl_error *err);

/* Measure the evidence of an earlier answer in the incident windows of later streams: out[i] is for
 * hypothesis i of `before`. Streams are found again by how the sentences about them begin. Figures
 * are compared by their logarithms, shares as they are. What there is no memory to find was not
 * seen. */
void fl_rank_recheck(fl_recheck *out, const fl_streams *streams, const fl_incident *before);

/* The most that priors may add to a hypothesis: odds of 19 to 1, below the gate of 20 to 1. */
#define FL_RANK_PRIOR_ODDS 19.0

/*
 * Weigh ranked hypotheses with what is known of them beforehand. The probability's log odds grow by
 * `fit` nats where the first hypothesis gains one nat of score, all else being the same
 * (explain.c), so that a prior of x log odds adds x / fit to the score: the probability then moves
 * by what the prior says. The scores, the order, the ranks, the probabilities, the onset and the
 * verdict follow. A hypothesis at or below the gate by telemetry alone gets none. `incident` has
 * had none before.
 */
FL_NODISCARD fl_status fl_rank_weigh(fl_incident *incident, const fl_prior *priors, size_t count,
                                     fl_arena *arena, fl_error *err);

#endif
