/*
 * leak_traces.h - execution traces among the inputs of a leak run, kept for who puts them on a
 * timeline: a report has their findings only, a timeline their series as well.
 */
#ifndef FL_LEAK_TRACES_H
#define FL_LEAK_TRACES_H

#include "faultline/leak_run.h"
#include "trace_run.h"

/* A trace costs what its course does; a folder with more of them is no incident's. */
enum { FL_LEAK_TRACES = 32 };

/* All zeros is none; names live in the arena of who made it. What is found in a trace refers to the
 * signatures that it was judged by, so that they are not those of the leak run, which goes before.
 */
typedef struct fl_leak_traces {
    struct fl_leak_traced {
        const char *name; /* the file or address */
        fl_trace_run *run;
    } items[FL_LEAK_TRACES];
    size_t count;
    uint64_t passed_over; /* beyond the room: neither kept nor judged */
    fl_arena *arena;
    const fl_signatures *library; /* outlives the traces */
} fl_leak_traces;

/* fl_leak_run_create(), but that traces which can be read go to `traces`, with their course: they
 * are counted among the inputs, and neither judged nor warned of. The caller disposes of what is
 * kept, also on failure. */
FL_NODISCARD fl_status fl_leak_run_create_apart(fl_leak_run **out, const fl_leak_request *request,
                                                fl_leak_traces *traces, fl_error *err);
void fl_leak_traces_dispose(fl_leak_traces *traces);

#endif
