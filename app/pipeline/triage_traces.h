/*
 * triage_traces.h - execution traces of Go programs beside the telemetry of an incident.
 *
 * Series, after OpenTelemetry's semantic conventions where these have a name and after
 * runtime/metrics where not, one value a tenth of a second or a step of the trace's course:
 *
 *   go.schedule.duration, go.schedule.duration.max   s   from runnable to running: mean, longest
 *   go.goroutine.count                               {goroutine}
 *   go.memory.heap.live                              By
 *   go.cpu.user.utilization                          1   of the processors, goroutines
 *   go.cpu.gc.mark.utilization                       1   the collector's workers
 *   go.cpu.gc.assist.utilization                     1   goroutines that mark for it
 *   go.map.growth                                    {sample}  processor samples in maps that grow
 *   go.gc.duration, go.gc.pause.duration             s   one value a collection: marking, stops
 *
 * Findings go to the ranking like those of profiles. Moments: the trace itself, and of each finding
 * what it is and what speaks against it, with the command that shows it again.
 *
 * Clock: the trace's own (Go 1.25 and later), else when it is said to have begun, else a guess by
 * the time of its file, with a warning.
 */
#ifndef FL_TRIAGE_TRACES_H
#define FL_TRIAGE_TRACES_H

#include "arena.h"
#include "faultline/picture.h"
#include "faultline/record.h"
#include "rank.h"
#include "signatures.h"
#include "trace_run.h"

enum { FL_TRIAGE_TRACES = 32 }; /* of one triage, however they were given */

/* One that lay among profiles, and was read there. */
typedef struct fl_triage_found {
    const char *service, *path;
    fl_trace_run *run; /* borrowed; it is dated here where it is not */
} fl_triage_found;

typedef struct fl_triage_traces_from {
    const char *const *paths; /* "SERVICE=FILE", "SERVICE=URL", or one of `service` */
    size_t count;
    const fl_triage_found *found; /* but for those that `paths` name as well */
    size_t found_count;
    const char *service;          /* whose symptom is reported; NULL: not known */
    int64_t start_ns;             /* when the one trace began that does not say so; 0: not told */
    const fl_signatures *library; /* what they are judged by */
} fl_triage_traces_from;

typedef struct fl_triage_traces {
    const fl_rank_finding *findings; /* in the order of the paths' services */
    size_t finding_count;
    const fl_moment *moments; /* by time */
    size_t moment_count;
    const char *const *warnings;
    size_t warning_count;
    uint64_t unreadable;
} fl_triage_traces;

/* Read them, and push their series into `sink`. Everything lives in `arena`. A trace that cannot be
 * read costs itself, with a warning. FL_E_SYNTAX: nothing tells whose a trace is, or start_ns is
 * said of two; FL_E_IO and FL_E_NOTFOUND: a file is not there; FL_E_LIMIT: too many; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_triage_traces_read(fl_triage_traces *out,
                                             const fl_triage_traces_from *from, const fl_sink *sink,
                                             fl_arena *arena, fl_error *err);

#endif
