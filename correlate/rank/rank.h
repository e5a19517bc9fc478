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
    fl_cause cause;    /* memory-leak, gc, lock or exception */
    bool against;      /* the profiles speak against that cause */
    double confidence; /* 0..1, that what it says is so */
    const char *frame; /* function, file and line; NULL where it is against */
    const char *text;  /* one sentence with its figures */
    int64_t at_ns;     /* 0: of no moment */
    double value;      /* of the growth, by the hour; NaN: none */
    const char *unit;
    const char *query; /* the command that shows it again */
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

#endif
