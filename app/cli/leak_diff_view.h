/*
 * leak_diff_view.h - two snapshots side by side, as a table or as JSON.
 */
#ifndef FL_LEAK_DIFF_VIEW_H
#define FL_LEAK_DIFF_VIEW_H

#include "buf.h"
#include "leak_diff.h"
#include "report.h"

FL_NODISCARD fl_status fl_leak_diff_text(fl_buf *out, const fl_leak_diff *diff,
                                         const fl_report_style *style, fl_error *err);
/* {"schema":"faultline.leak-diff/1", ...}: totals and all rows. */
FL_NODISCARD fl_status fl_leak_diff_json(fl_buf *out, const fl_leak_diff *diff, fl_error *err);

#endif
