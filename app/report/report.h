/*
 * report.h - an incident as the JSON contract, as a page for the terminal, and back from JSON.
 */
#ifndef FL_REPORT_H
#define FL_REPORT_H

#include <stdbool.h>

#include "arena.h"
#include "buf.h"
#include "faultline/incident.h"
#include "faultline/picture.h"

/* A document larger than this is not one of ours. */
#define FL_MAX_DOCUMENT_BYTES (16u << 20)

/* Append the answer as schemas/json/triage.schema.json describes it, with a newline at the end. The
 * same incident gives the same bytes: members stand in the contract's order; scores, probabilities
 * and weights have six decimals, other numbers nine significant digits. NaN, infinity and NULL
 * become null; bytes that are not UTF-8 become U+FFFD. */
FL_NODISCARD fl_status fl_report_json(fl_buf *out, const fl_incident *incident, fl_error *err);

/* The incident that a document describes; it lives in `arena`. Members that are not known are
 * ignored, so that a newer minor version can still be shown. FL_E_SYNTAX with a sentence that names
 * the member (and for malformed JSON the offset), FL_E_UNSUPPORTED for another schema, FL_E_LIMIT.
 */
FL_NODISCARD fl_status fl_report_load(const fl_incident **out, fl_arena *arena, fl_slice document,
                                      fl_error *err);

typedef struct fl_report_style {
    size_t width; /* columns; 0: 100; less than 40 counts as 40 */
    bool color;   /* ANSI SGR sequences */
    bool unicode; /* the page's own marks; texts out of the telemetry are UTF-8 in any case */
} fl_report_style;

enum {
    FL_REPORT_FIRST_HYPOTHESES = 5, /* what fits a first screen; the JSON answer has all */
    FL_REPORT_FIRST_EVIDENCE = 7,
    FL_REPORT_FIRST_MOMENTS = 8, /* two findings in four steps */
    FL_REPORT_FIRST_RULED_OUT = 5,
    FL_REPORT_FIRST_WARNINGS = 5
};

/* Append the page for a person. Control characters out of the telemetry never reach the terminal.
 * `picture`, of the same incident, adds a row of characters to the evidence that it has a lane for;
 * NULL: none. */
FL_NODISCARD fl_status fl_report_text(fl_buf *out, const fl_incident *incident,
                                      const fl_picture *picture, const fl_report_style *style,
                                      fl_error *err);

#endif
