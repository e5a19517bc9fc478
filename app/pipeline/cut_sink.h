/*
 * cut_sink.h - a sink that leaves out the records of one span of time.
 */
#ifndef FL_CUT_SINK_H
#define FL_CUT_SINK_H

#include "faultline/record.h"

typedef struct fl_cut {
    fl_sink to;
    int64_t from_ns, to_ns; /* [from, to): left out; nothing where they are equal */
} fl_cut;

/* `cut` is borrowed. Everything but spans, logs and points passes. */
fl_sink fl_cut_sink(fl_cut *cut);

#endif
