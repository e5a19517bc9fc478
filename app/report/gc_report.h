/*
 * gc_report.h - what collections say, as a page and as JSON (schemas/json/gc.schema.json).
 */
#ifndef FL_GC_REPORT_H
#define FL_GC_REPORT_H

#include "faultline/gc.h"
#include "report.h"

/* The same report gives the same bytes. */
FL_NODISCARD fl_status fl_gc_report_json(fl_buf *out, const fl_gc_report *report, fl_error *err);
FL_NODISCARD fl_status fl_gc_report_text(fl_buf *out, const fl_gc_report *report,
                                         const fl_report_style *style, fl_error *err);

#endif
