/*
 * jfr_view.h - a recording of the Flight Recorder as a page for the terminal and as JSON.
 *
 * Both show the same: sites by their own line, collections by time, holders of what stays. The page
 * has the largest rows of each and says how many it left out; JSON has stacks and chains whole.
 * Texts out of a recording are a stranger's: the page shows their control characters as '?', JSON
 * escapes them. The same recording gives the same bytes.
 */
#ifndef FL_JFR_VIEW_H
#define FL_JFR_VIEW_H

#include "faultline/leak.h"
#include "jfr_answers.h"
#include "report.h"

/* What of a recording is shown. */
typedef enum fl_jfr_view {
    FL_JFR_VIEW_SUMMARY, /* a few rows of everything */
    FL_JFR_VIEW_ALLOCATIONS,
    FL_JFR_VIEW_EXECUTION,
    FL_JFR_VIEW_NATIVE,
    FL_JFR_VIEW_EXCEPTIONS,
    FL_JFR_VIEW_LOCKS,
    FL_JFR_VIEW_GC,
    FL_JFR_VIEW_LOAD,
    FL_JFR_VIEW_OLD,
    FL_JFR_VIEW_OBJECTS,
    FL_JFR_VIEW_EVENTS,
    FL_JFR_VIEW_COUNT
} fl_jfr_view;

/* "summary", "allocations" ..., NULL at the end: the words of the command line. */
extern const char *const fl_jfr_view_names[FL_JFR_VIEW_COUNT + 1];

typedef struct fl_jfr_shown {
    const fl_jfr_recording *recording;
    const fl_leak_report *report; /* what it says of leaks; NULL: it was not asked */
    const char *name;             /* of the file */
    fl_jfr_view view;
    size_t rows; /* of each list; 0: all */
} fl_jfr_shown;

/* Append; FL_E_NOMEM, or the buffer's failure. */
FL_NODISCARD fl_status fl_jfr_view_text(fl_buf *out, const fl_jfr_shown *shown,
                                        const fl_report_style *style, fl_error *err);
/* As schemas/json/jfr.schema.json describes it: all members, each list with at most `rows`. */
FL_NODISCARD fl_status fl_jfr_view_json(fl_buf *out, const fl_jfr_shown *shown, fl_error *err);

/* What is said of all collections together (here for both forms). */
typedef struct fl_jfr_gc_totals {
    uint64_t collections;
    int64_t pauses_ns, longest_ns;
    double pause_ratio; /* of the recording's time; NaN where that is not known */
    int64_t first_after_bytes, last_after_bytes, committed_bytes; /* -1: not known */
} fl_jfr_gc_totals;
fl_jfr_gc_totals fl_jfr_gc_totals_of(const fl_jfr_recording *recording);

#endif
