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

typedef struct fl_trace_options {
    const fl_signatures *library; /* borrowed as long as the report */
    bool with_course;             /* what was done in each step of time, for series and pictures */
} fl_trace_options;

/* Reads `in` to its end; it stays the caller's. The caller owns *out. Fails as fl_gotrace_read():
 * FL_OK also where the trace breaks later on, which its info says. */
FL_NODISCARD fl_status fl_trace_run_create(fl_trace_run **out, fl_stream *in,
                                           const fl_trace_options *options, fl_error *err);
/* The same of a file, "-" for standard input, or an address that sends one. Errors say its name. */
FL_NODISCARD fl_status fl_trace_run_input(fl_trace_run **out, const char *input,
                                          const fl_trace_options *options, fl_error *err);
/* The same of what was fetched before, when it was asked for; it is copied nowhere. */
FL_NODISCARD fl_status fl_trace_run_bytes(fl_trace_run **out, fl_slice bytes, int64_t asked_ns,
                                          const fl_trace_options *options, fl_error *err);
void fl_trace_run_destroy(fl_trace_run *run); /* NULL is a no-op */

/* When a trace without a clock may have begun: when its server was asked, or by the time of its
 * file, which was written to its end. 0: nothing tells. */
int64_t fl_trace_run_guess_ns(const fl_trace_run *run);
/* Tell one without a clock when it began: its info and findings then say moments. */
void fl_trace_run_date(fl_trace_run *run, int64_t began_ns);

/* Both live as long as the run. */
const fl_sched_report *fl_trace_run_report(const fl_trace_run *run);
const fl_gotrace_info *fl_trace_run_info(const fl_trace_run *run);
/* What was left out, as sentences: at most one of each kind. */
const char *const *fl_trace_run_warnings(const fl_trace_run *run, size_t *count);

#endif
