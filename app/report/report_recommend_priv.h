/*
 * report_recommend_priv.h - what the five forms share.
 */
#ifndef FL_REPORT_RECOMMEND_PRIV_H
#define FL_REPORT_RECOMMEND_PRIV_H

#include "report_recommend.h"

enum { FL_BELIEF_TEXT = 96 };

/* "0.82 (90 % 0.61 to 0.94, n = 7)". Returns `out`. */
const char *fl_recommend_belief(char out[FL_BELIEF_TEXT], const fl_recommendation *item);
/* An alert's expression, with $service inside of its quotes as the service's name, quoted as PromQL
 * wants it. */
void fl_recommend_expression(fl_buf *out, const fl_recommendation *item, const fl_service *service);
/* Whether its quotes and brackets close. */
bool fl_recommend_closes(fl_slice expression);
/* `text` as a JSON text, which YAML and Rego read as well: quoted, control characters and those
 * that reorder text escaped, bytes that are not UTF-8 as U+FFFD. */
void fl_recommend_quote(fl_buf *out, const char *text);
/* "spring-boot 2.7.18" or "redis.timeout = 2000ms", what opened a gate. */
void fl_recommend_gate_text(fl_buf *out, const fl_recommend_gate *gate);
/* "3 incidents" */
const char *fl_recommend_incidents(char out[FL_BELIEF_TEXT], size_t count);

#endif
