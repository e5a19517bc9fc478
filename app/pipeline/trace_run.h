/*
 * trace_run.h - one execution trace, a file's or what a server sent, to what it says.
 */
#ifndef FL_TRACE_RUN_H
#define FL_TRACE_RUN_H

#include "go_sched.h"
#include "gotrace.h"
#include "signatures.h"
#include "stream.h"

typedef struct fl_trace_run fl_trace_run;

/* Reads `in` to its end; it stays the caller's. `library` is borrowed as long as the report. The
 * caller owns *out. Fails as fl_gotrace_read(): FL_OK also where the trace breaks later on, which
 * its info says. */
FL_NODISCARD fl_status fl_trace_run_create(fl_trace_run **out, fl_stream *in,
                                           const fl_signatures *library, fl_error *err);
void fl_trace_run_destroy(fl_trace_run *run); /* NULL is a no-op */

/* Both live as long as the run. */
const fl_sched_report *fl_trace_run_report(const fl_trace_run *run);
const fl_gotrace_info *fl_trace_run_info(const fl_trace_run *run);
/* What was left out, as sentences: at most one of each kind. */
const char *const *fl_trace_run_warnings(const fl_trace_run *run, size_t *count);

#endif
