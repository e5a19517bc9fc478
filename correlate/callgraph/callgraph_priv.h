/*
 * callgraph_priv.h - what graph and tree share: samples whose frames are numbers of names.
 */
#ifndef FL_CALLGRAPH_PRIV_H
#define FL_CALLGRAPH_PRIV_H

#include "callgraph.h"
#include "intern.h"
#include "slice.h"

/* One source made ready. */
typedef struct fl_call_input {
    const fl_profile *profile;
    bool is_base;
    size_t type;         /* index of the sample type */
    fl_sym *names;       /* of each frame */
    unsigned char *keep; /* of each location: a set of fl_call_keep; NULL: all samples stay */
} fl_call_input;

enum fl_call_keep { FL_CALL_FOCUSED = 1, FL_CALL_IGNORED = 2 };

typedef struct fl_call_inputs {
    fl_call_input *items;
    size_t count;
    fl_intern *names;
    fl_slice type, unit; /* in `names` */
    bool focus_matched, ignore_matched;
} fl_call_inputs;

/* On failure everything is given back. */
FL_NODISCARD fl_status fl_call_inputs_init(fl_call_inputs *out, const fl_call_source *sources,
                                           size_t count, const fl_call_query *query, fl_error *err);
void fl_call_inputs_dispose(fl_call_inputs *inputs);
/* Whether the filters let a sample through. */
bool fl_call_keeps(const fl_call_input *input, const fl_profile_sample *sample);

#endif
