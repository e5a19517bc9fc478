/*
 * symptom_belief.h - what the graph believes of one symptom: all its causes together.
 *
 * An incident has one cause, so that what explains it by one speaks against the others of the same
 * symptom. Evidence is said of one edge only; here, for each cause of a symptom, an item that
 * supports another of them counts against it, unless the same incident supports both. What an
 * author says in that way falls under the same cap as what is said of the edge itself. The
 * program's own diagnosis of an incident counts as long as no person or fix has judged it.
 */
#ifndef FL_SYMPTOM_BELIEF_H
#define FL_SYMPTOM_BELIEF_H

#include "arena.h"
#include "graph_store.h"

/* Bounds of one question; what is beyond is not looked at, and said. */
enum {
    FL_MEMORY_MAX_EDGES = 1000,     /* of one node */
    FL_MEMORY_MAX_EVIDENCE = 20000, /* of one symptom or one edge */
    FL_MEMORY_MAX_CAUSES = 256      /* of one symptom, and of all that are asked for */
};

/*
 * Observations for and against a cause as far as they may speak in a ranking: without what the
 * ranking itself said and without what was said of the incident that asks. Of its rivals only those
 * count that are candidates of this incident as well: the others telemetry has not found.
 */
typedef struct fl_prior_sums {
    double supporting, contradicting;
    /* Incidents and documents: all that are explained, by this cause, and by other candidates; and
     * those of which it is said that this is the cause or that it is not. */
    size_t incidents, supported, rivals, judged;
} fl_prior_sums;

typedef struct fl_cause_belief {
    uint64_t cause, edge;     /* both 0: a cause that no edge names */
    fl_confidence confidence; /* without its interval */
    fl_prior_sums prior;
    /* Incidents and documents: for it, against it, and for another cause instead. */
    size_t supporting, contradicting, elsewhere;
    size_t automatic; /* of the supporting: nobody but the program says so */
    int64_t last_ns;  /* of the newest item said of the edge; 0: there is none */
} fl_cause_belief;

typedef struct fl_symptom_belief {
    const fl_cause_belief *causes; /* in the store's order of their edges; in the arena */
    size_t count;
    fl_cause_belief other; /* any cause without an edge from this symptom */
    bool cut;              /* there is more than was read */
} fl_symptom_belief;

typedef struct fl_belief_question {
    uint64_t symptom;
    int64_t known_ns;           /* what was recorded later is not known */
    int64_t at_ns;              /* to which ages are counted */
    const char *self;           /* the id of the incident that asks; NULL: none */
    bool others_only;           /* what was said of that one does not count at all */
    const uint64_t *candidates; /* causes that the incident may have, for the prior */
    size_t candidate_count;
} fl_belief_question;

FL_NODISCARD fl_status fl_symptom_belief_of(fl_symptom_belief *out, fl_store *store,
                                            const fl_belief_question *question, fl_arena *arena,
                                            fl_error *err);
/* The one of that cause, or `other`. */
const fl_cause_belief *fl_symptom_belief_find(const fl_symptom_belief *belief, uint64_t cause);

#endif
