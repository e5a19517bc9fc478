/*
 * queries.h - the queries that show evidence again: PromQL of metrics, LogQL of lines, TraceQL of
 * spans.
 *
 * Names and lines come from outside: a quote or a backslash in them must not end a string of the
 * query. Texts are in the arena; NULL: no memory.
 */
#ifndef FL_QUERIES_H
#define FL_QUERIES_H

#include "arena.h"
#include "faultline/timeline.h"

/* `instance` may be NULL. A name that PromQL does not take as such, one with dots for instance,
 * stands as a string. */
const char *fl_query_metric(fl_arena *arena, const char *metric, const char *service,
                            const char *instance);
/* The lines of a template: a text with "<*>" where words vary, which any words match. */
const char *fl_query_lines(fl_arena *arena, const char *service, const char *text);
/* The lines of a statement: by its place in the source, else by its words. */
const char *fl_query_template(fl_arena *arena, const char *service, const fl_template *line);
const char *fl_query_spans(fl_arena *arena, const char *service, const char *attribute,
                           const char *value);
/* Prometheus' own series of the rules that fire. */
const char *fl_query_alert(fl_arena *arena, const char *name);
const char *fl_query_calls(fl_arena *arena, const char *caller, const char *callee);

#endif
