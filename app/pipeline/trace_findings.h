/*
 * trace_findings.h - findings of execution traces as findings of a leak report, beside those of
 * profiles.
 */
#ifndef FL_TRACE_FINDINGS_H
#define FL_TRACE_FINDINGS_H

#include "arena.h"
#include "faultline/leak.h"
#include "trace_run.h"

/* Of all traces of a run. All zeros is none. */
typedef struct fl_trace_findings {
    fl_leak_finding *items;
    size_t count, cap;
} fl_trace_findings;

/* Copies what a trace found into `arena`. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_trace_findings_add(fl_trace_findings *findings, const fl_trace_run *run,
                                             fl_arena *arena, fl_error *err);
/* One more, of something else that is told beside series; what it points to stays where it is.
 * FL_E_NOMEM. */
FL_NODISCARD fl_status fl_trace_findings_put(fl_trace_findings *findings,
                                             const fl_leak_finding *finding, fl_arena *arena,
                                             fl_error *err);
/* Puts them into a report, the worst first: in front, with their verdict, where profiles found
 * nothing, else behind what these found. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_trace_findings_merge(fl_leak_report *report,
                                               const fl_trace_findings *findings, fl_arena *arena,
                                               fl_error *err);

#endif
