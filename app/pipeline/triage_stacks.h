/*
 * triage_stacks.h - two profiles of a finding to the tree of stacks that its picture keeps.
 */
#ifndef FL_TRIAGE_STACKS_H
#define FL_TRIAGE_STACKS_H

#include "arena.h"
#include "faultline/picture.h"

/* Both are of one service and one kind; `before` is the earlier one, which the caller knows by the
 * times of the profiles themselves and not by those of the files. */
typedef struct fl_triage_stacks_pair {
    const char *service;
    const char *type;           /* of the samples */
    const char *before, *after; /* files */
    int64_t before_ns, after_ns;
} fl_triage_stacks_pair;

/* Everything lives in `arena`, `pair` is borrowed. What cannot be read, or has no such samples,
 * leaves *out without frames: a picture is less than the finding. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_triage_stacks_read(fl_picture_stacks *out,
                                             const fl_triage_stacks_pair *pair, fl_arena *arena,
                                             fl_error *err);

#endif
