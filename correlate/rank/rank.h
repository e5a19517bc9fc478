/*
 * rank.h - from streams to ranked hypotheses with their evidence. The method, its formulas and
 * what they rest on: docs/correlation.md.
 */
#ifndef FL_RANK_H
#define FL_RANK_H

#include "arena.h"
#include "faultline/incident.h"
#include "streams.h"

typedef struct fl_rank_question {
    const char *symptom_service; /* whose symptom is reported; NULL: not known */
} fl_rank_question;

/* Fill the verdict, the hypotheses and what was ruled out. Texts and arrays live
 * in `arena`. The same streams give the same answer. FL_E_NOMEM where an arena is exhausted. */
FL_NODISCARD fl_status fl_rank(fl_incident *out, const fl_streams *streams,
                               const fl_rank_question *question, fl_arena *arena, fl_error *err);

#endif
