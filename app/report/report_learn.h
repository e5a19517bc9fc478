/*
 * report_learn.h - proposals out of documents, for a person and for a program.
 */
#ifndef FL_REPORT_LEARN_H
#define FL_REPORT_LEARN_H

#include "report.h"
#include "review.h"

/* What one run of 'faultline learn' did. */
typedef struct fl_learn_run {
    size_t files, documents, failed; /* failed: files that could not be read */
    bool is_dry;
    fl_graph_added added; /* where it was not dry */
} fl_learn_run;

/* Each edge under its sentence. */
FL_NODISCARD fl_status fl_report_learn_text(fl_buf *out, const fl_proposals *all,
                                            const fl_learn_run *run, const fl_report_style *style,
                                            fl_error *err);
/* schemas/json/proposals.schema.json. */
FL_NODISCARD fl_status fl_report_learn_json(fl_buf *out, const fl_proposals *all,
                                            const fl_learn_run *run, fl_error *err);

/* Proposals that wait for a person. */
FL_NODISCARD fl_status fl_report_waiting_text(fl_buf *out, const fl_waiting_list *list,
                                              const fl_report_style *style, fl_error *err);
FL_NODISCARD fl_status fl_report_waiting_json(fl_buf *out, const fl_waiting_list *list,
                                              fl_error *err);
/* One of them, as it is asked about. */
void fl_report_waiting_one(fl_buf *out, const fl_waiting *waiting, const fl_report_style *style);

/* What a saying moved. `what` is "accepted", "rejected" or "edited". */
FL_NODISCARD fl_status fl_report_reviewed_text(fl_buf *out, const char *what,
                                               const fl_reviewed *reviewed,
                                               const fl_report_style *style, fl_error *err);
FL_NODISCARD fl_status fl_report_reviewed_json(fl_buf *out, const char *what,
                                               const fl_reviewed *reviewed, fl_error *err);

#endif
