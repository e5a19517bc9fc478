/*
 * publish.h - what people made of a postmortem's draft, as evidence for the graph.
 *
 *   head     "<!-- faultline.postmortem/1 ID factors=N ranking=HASH -->" on a line of its own
 *   factor   a line with the mark `auto:F<number>`, 1 to N; "[x]" in it: it was the cause; "~~" in
 *            it, or no such line: it was not
 *   cause    "Confirmed cause:" at the beginning of a line, after its bullet; empty: not said
 *   fix      "What fixed it:" likewise
 *
 * Everything else is prose and is not read. A factor is the hypothesis of that number, as long as
 * the first N are those that were drafted: HASH is fl_symptoms_ranking() of them, 16 digits.
 */
#ifndef FL_PUBLISH_H
#define FL_PUBLISH_H

#include "memory.h"

enum { FL_DRAFT_FACTORS = 16 };

typedef struct fl_draft {
    const char *incident;                                         /* id */
    size_t factors;                                               /* that were drafted */
    uint64_t ranking;                                             /* of these */
    bool is_there[FL_DRAFT_FACTORS], is_ticked[FL_DRAFT_FACTORS]; /* by number - 1 */
    const char *cause, *fix;                                      /* in words; NULL: not said */
} fl_draft;

/* Texts live in `arena`. FL_E_SYNTAX: it is no draft, or says two things of one factor. */
FL_NODISCARD fl_status fl_draft_read(fl_draft *out, fl_slice text, fl_arena *arena, fl_error *err);

/* One thing that a draft says. */
typedef struct fl_published {
    bool supports;
    size_t factor; /* 0: a cause in words */
    fl_graph_node cause, fix;
    fl_lesson lesson;
    fl_learnt learnt; /* nothing where it was not written */
} fl_published;

typedef struct fl_publish_options {
    const fl_incident *incident; /* of the draft */
    const fl_draft *draft;
    const char *author;
    int64_t now_ns;
    bool is_dry; /* only say what would be learnt */
} fl_publish_options;

/* What a draft says, in the order in which it is learnt. */
typedef struct fl_publication {
    fl_published *items; /* at most FL_DRAFT_FACTORS + 1; in the arena */
    size_t count;
} fl_publication;

/* Let the graph learn what the draft says of its incident. Said twice it is learnt once.
 * FL_E_SYNTAX: a fix without a cause, or an incident that was triaged again with another ranking;
 * nothing is learnt then. */
FL_NODISCARD fl_status fl_publish(fl_publication *out, fl_store *store,
                                  const fl_publish_options *options, fl_arena *arena,
                                  fl_error *err);

#endif
