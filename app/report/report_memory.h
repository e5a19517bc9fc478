/*
 * report_memory.h - what the graph learnt and what it remembers, for a person and for a program.
 */
#ifndef FL_REPORT_MEMORY_H
#define FL_REPORT_MEMORY_H

#include "memory.h"
#include "path_evidence.h"
#include "report.h"

/* What later telemetry says of an incident after its fix. */
typedef struct fl_verified {
    const fl_recheck *items; /* one for each hypothesis of the incident */
    fl_range window;
    fl_recheck_state verdict;
} fl_verified;

const char *fl_recheck_name(fl_recheck_state state); /* "still-there" */
/* Before, during and after, a line each hypothesis that is a symptom. */
FL_NODISCARD fl_status fl_report_verified_text(fl_buf *out, const fl_incident *incident,
                                               const fl_verified *verified,
                                               const fl_report_style *style, fl_error *err);

/* What a lesson moved: a line an edge, before and after. `what` is "confirmed", "rejected" or
 * "resolved". */
FL_NODISCARD fl_status fl_report_learnt_text(fl_buf *out, const char *what, const fl_lesson *lesson,
                                             const fl_learnt *learnt, const fl_report_style *style,
                                             fl_error *err);
/* schemas/json/learnt.schema.json. `verified` may be NULL. */
FL_NODISCARD fl_status fl_report_learnt_json(fl_buf *out, const char *what, const fl_lesson *lesson,
                                             const fl_learnt *learnt, const fl_verified *verified,
                                             fl_error *err);

/* Causes and fixes of the past, best first, and the incidents most alike, with why. */
FL_NODISCARD fl_status fl_report_memory_text(fl_buf *out, const fl_memory *memory,
                                             const fl_report_style *style, fl_error *err);
/* schemas/json/paths.schema.json: all of it, with what each path rests on. */
FL_NODISCARD fl_status fl_report_memory_json(fl_buf *out, const fl_symptoms *symptoms,
                                             const fl_memory *memory, const fl_path_rows *rows,
                                             fl_error *err);

/* The similar incidents alone. */
FL_NODISCARD fl_status fl_report_similar_text(fl_buf *out, const fl_memory *memory,
                                              const fl_report_style *style, fl_error *err);
/* schemas/json/similar.schema.json. */
FL_NODISCARD fl_status fl_report_similar_json(fl_buf *out, const fl_symptoms *symptoms,
                                              const fl_memory *memory, fl_error *err);

#endif
