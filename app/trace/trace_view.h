/*
 * trace_view.h - an execution trace for a person to look at: the summary and its tables as text,
 * as JSON (schemas/json/trace.schema.json), as a timeline in SVG.
 */
#ifndef FL_TRACE_VIEW_H
#define FL_TRACE_VIEW_H

#include "buf.h"
#include "go_sched.h"

typedef enum fl_trace_shown {
    FL_TRACE_SUMMARY,
    FL_TRACE_WAITS,
    FL_TRACE_GOROUTINES,
    FL_TRACE_GC,
    FL_TRACE_MAPS,
    FL_TRACE_LATENCY,
    FL_TRACE_TASKS,
    FL_TRACE_SHOWN_COUNT
} fl_trace_shown;

/* What the reading of the file said besides. */
typedef struct fl_trace_title {
    const char *name;         /* of the file */
    unsigned version;         /* 26: "go 1.26 trace" */
    uint64_t generations;     /* complete or not */
    int64_t clock_to_wall_ns; /* 0: not known */
    bool clock_assumed;       /* times are right in proportion only */
    const char *const *warnings;
    size_t warning_count;
} fl_trace_title;

/* Each appends to `out`; `most`: rows of a table, 0: all. Fails as the buffer does. */
FL_NODISCARD fl_status fl_trace_view_text(fl_buf *out, const fl_sched_report *report,
                                          const fl_trace_title *title, fl_trace_shown shown,
                                          size_t most, fl_error *err);
FL_NODISCARD fl_status fl_trace_view_json(fl_buf *out, const fl_sched_report *report,
                                          const fl_trace_title *title, size_t most, fl_error *err);
/* A timeline, of a report with its course; at most about 200 KB. */
FL_NODISCARD fl_status fl_trace_view_svg(fl_buf *out, const fl_sched_report *report,
                                         const fl_trace_title *title, fl_error *err);

/* "1.20 ms": three digits and the unit that fits. */
enum { FL_TRACE_DURATION = 32 };
const char *fl_trace_duration(char out[FL_TRACE_DURATION], int64_t ns);

#endif
