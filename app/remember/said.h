/*
 * said.h - what people say of an incident becomes a lesson: which cause they mean, and which fix.
 *
 * A hypothesis is meant by its number, or a cause is given in words.
 */
#ifndef FL_SAID_H
#define FL_SAID_H

#include "memory.h"

typedef struct fl_said {
    const char *cause;   /* in words; NULL: that of a hypothesis */
    uint64_t hypothesis; /* counted from 1; meant where there are no words */
    const char *fix;     /* in words; NULL: none */
} fl_said;

/* Name the cause and the fix of a lesson that has its incident and its time; the nodes live in the
 * arena. FL_E_SYNTAX where words say nothing, FL_E_NOTFOUND for a number that is no hypothesis's.
 */
FL_NODISCARD fl_status fl_said_name(fl_lesson *lesson, const fl_said *said, fl_arena *arena,
                                    fl_error *err);
/* fl_memory_learn(); FL_E_NOTFOUND where the incident shows nothing to learn from: to say something
 * of it is a mistake, and not a silent nothing. */
FL_NODISCARD fl_status fl_said_learn(fl_learnt *out, fl_store *store, const fl_lesson *lesson,
                                     fl_arena *arena, fl_error *err);

#endif
