/*
 * jfr_answers.h - a recording's answers for a person: sites by the line of their own code, and what
 * holds the objects that stay.
 *
 * "Own" is code that is not the runtime's: what comes with the JDK, and with languages on it, is
 * known by its packages. Everything lives in the arena that is given.
 */
#ifndef FL_JFR_ANSWERS_H
#define FL_JFR_ANSWERS_H

#include "arena.h"
#include "jfr_recording.h"

/* Whether a class or a method is of the runtime. */
bool fl_jfr_is_runtime(fl_slice name);

/* The innermost frame of own code, else the innermost; false where there is no stack. */
bool fl_jfr_own_frame(fl_jfr_frame *out, const fl_jfr *jfr, uint32_t stack);

/* Events of one group with one own line and one class. */
typedef struct fl_jfr_place {
    fl_jfr_frame frame; /* of no stack: function FL_JFR_NONE */
    uint32_t type;
    uint64_t events;
    int64_t amount;
    uint32_t stack; /* of the site that has most of it */
} fl_jfr_place;

typedef struct fl_jfr_places {
    const fl_jfr_place *items; /* by falling amount, then events */
    size_t count;
} fl_jfr_places;

/* FL_E_NOMEM. */
FL_NODISCARD fl_status fl_jfr_places_of(fl_jfr_places *out, const fl_jfr_recording *recording,
                                        fl_jfr_group group, fl_arena *arena, fl_error *err);

/* What holds old objects: the field that is nearest to the root of what grows. Of the chain of one
 * object that is the first field of own code behind the longest array, which is what a collection
 * grows by; without an array, behind the object. */
typedef struct fl_jfr_holding {
    const char *holder;    /* "Sessions.OPEN": class and field, or the kind of root */
    const char *container; /* class of what the field holds; NULL: the field holds the object */
    const char *type;      /* class of most of the objects */
    bool is_static;
    bool is_own;               /* the field is one of own code */
    uint64_t objects;          /* of the sample */
    int64_t bytes;             /* of them, where the recording says it */
    int64_t longest;           /* elements of the longest array on the way; -1: none */
    int64_t first_ns, last_ns; /* allocated */
    uint32_t stack;            /* that allocated the first of them */
    size_t example;            /* of recording->olds */
} fl_jfr_holding;

typedef struct fl_jfr_holdings {
    const fl_jfr_holding *items; /* own first, by falling objects */
    size_t count;
    uint64_t objects;   /* of the sample, without the recorder's own */
    uint64_t unchained; /* of them, whose chain is not in the recording: see has_chains */
} fl_jfr_holdings;

/* FL_E_NOMEM. */
FL_NODISCARD fl_status fl_jfr_holdings_of(fl_jfr_holdings *out, const fl_jfr_recording *recording,
                                          fl_arena *arena, fl_error *err);

/* "Sessions.OPEN > java.util.HashMap.table > [17 of 64] > ...": the chain of one old object, from
 * its root, at most `most` steps of it. NULL: no memory. */
const char *fl_jfr_chain_text(const fl_jfr_recording *recording, size_t old, size_t most,
                              fl_arena *arena);

#endif
