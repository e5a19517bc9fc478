/*
 * leak_put.h - the parts of a leak report's JSON that the reports of heaps, recordings and
 * collections share.
 */
#ifndef FL_LEAK_PUT_H
#define FL_LEAK_PUT_H

#include "faultline/leak.h"
#include "json_put.h"

/* {"value", "low", "high"}, each of which may be null. */
json_t *fl_leak_put_interval(fl_put *w, fl_leak_interval interval);
/* An array of texts. */
json_t *fl_leak_put_texts(fl_put *w, const char *const *texts, size_t count);
/* A finding as schemas/json/leak.schema.json has it. */
json_t *fl_leak_put_finding(fl_put *w, const fl_leak_finding *finding);
/* "kind", "verdict", "confidence", "findings", "warnings", "collect": what every answer has. */
void fl_leak_put_verdict(fl_put *w, json_t *object, const fl_leak_report *report);

#endif
