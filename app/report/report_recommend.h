/*
 * report_recommend.h - advice for a new service, in five forms.
 *
 * What a service's file says, and what the graph holds, is text of others: each form quotes it by
 * its own rules, so that nothing of it is markup, template, query or code.
 */
#ifndef FL_REPORT_RECOMMEND_H
#define FL_REPORT_RECOMMEND_H

#include "recommend.h"
#include "report.h"

typedef struct fl_recommend_shown {
    const fl_service *service;
    const fl_recommended *advice;
} fl_recommend_shown;

/* A page for the terminal. */
FL_NODISCARD fl_status fl_report_recommend_text(fl_buf *out, const fl_recommend_shown *shown,
                                                const fl_report_style *style, fl_error *err);
/* schemas/json/recommendation.schema.json */
FL_NODISCARD fl_status fl_report_recommend_json(fl_buf *out, const fl_recommend_shown *shown,
                                                fl_error *err);
/* CommonMark, for a ticket or a repository. */
FL_NODISCARD fl_status fl_report_recommend_markdown(fl_buf *out, const fl_recommend_shown *shown,
                                                    fl_error *err);
/* The alerts as a rule file of Prometheus, checked as far as its quotes and brackets go: an
 * expression that does not close is left out, and a comment says so. */
FL_NODISCARD fl_status fl_report_recommend_rules(fl_buf *out, const fl_recommend_shown *shown,
                                                 fl_error *err);
/* A policy in Rego (OPA 1.0, or 0.59 and later) over the service's file as JSON: `deny` while a
 * setting or version is what the advice is about, `warn` for what a file cannot show. */
FL_NODISCARD fl_status fl_report_recommend_rego(fl_buf *out, const fl_recommend_shown *shown,
                                                fl_error *err);

#endif
