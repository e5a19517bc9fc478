/*
 * leak_report.h - a leak report as the JSON contract and as a page for the terminal, and the
 * library of signatures as both.
 */
#ifndef FL_LEAK_REPORT_H
#define FL_LEAK_REPORT_H

#include "faultline/leak_run.h"
#include "report.h"

/* What else the page shows. */
typedef struct fl_leak_shown {
    const fl_leak_report *report;
    const fl_leak_inputs *inputs;
    uint64_t limit_bytes; /* 0: none */
} fl_leak_shown;

/* Append the answer as schemas/json/leak.schema.json describes it. The same report gives the same
 * bytes. */
FL_NODISCARD fl_status fl_leak_report_json(fl_buf *out, const fl_leak_shown *shown, fl_error *err);

enum { FL_LEAK_REPORT_FIRST = 5 }; /* items of each list on the page; JSON has all */

/* Append the page: phenomenon, snapshot, comparison, verification, and what to do. */
FL_NODISCARD fl_status fl_leak_report_text(fl_buf *out, const fl_leak_shown *shown,
                                           const fl_report_style *style, fl_error *err);

/* One line a signature: the forms of one name together. */
FL_NODISCARD fl_status fl_signature_list_text(fl_buf *out, const fl_leak_signature *items,
                                              size_t count, const fl_report_style *style,
                                              fl_error *err);
/* `count` forms of one signature, whole. */
FL_NODISCARD fl_status fl_signature_text(fl_buf *out, const fl_leak_signature *forms, size_t count,
                                         const fl_report_style *style, fl_error *err);
/* An array of objects, one a form. */
FL_NODISCARD fl_status fl_signature_json(fl_buf *out, const fl_leak_signature *items, size_t count,
                                         fl_error *err);

/* "12.3 MiB", "-1.5 GiB", "812 B"; "n/a" for NaN. Returns `out`. */
enum { FL_BYTES_TEXT = 24 };
const char *fl_bytes_text(char out[FL_BYTES_TEXT], double bytes);

#endif
