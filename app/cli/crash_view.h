/*
 * crash_view.h - a crash report as a page and as JSON (schemas/json/crash.schema.json).
 */
#ifndef FL_CRASH_VIEW_H
#define FL_CRASH_VIEW_H

#include "crash_run.h"
#include "report.h"

/* The same report gives the same bytes. */
FL_NODISCARD fl_status fl_crash_json(fl_buf *out, const fl_crash_report *report, fl_error *err);
FL_NODISCARD fl_status fl_crash_text(fl_buf *out, const fl_crash_report *report,
                                     const fl_report_style *style, fl_error *err);

#endif
