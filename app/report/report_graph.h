/*
 * report_graph.h - the whole graph as a document.
 */
#ifndef FL_REPORT_GRAPH_H
#define FL_REPORT_GRAPH_H

#include "graph_store.h"
#include "report.h"

/* A graph that prints larger is for a copy of the store. */
#define FL_MAX_GRAPH_DOCUMENT_BYTES (256u << 20)

/* schemas/json/graph.schema.json: nodes, edges and evidence as they were recorded by `as_of_ns`, in
 * the order of the store. Ids are decimal texts: JSON's numbers are doubles in many readers. */
FL_NODISCARD fl_status fl_report_graph_json(fl_buf *out, fl_store *store, int64_t as_of_ns,
                                            fl_error *err);
/* Graphviz's language. Every text is quoted. */
FL_NODISCARD fl_status fl_report_graph_dot(fl_buf *out, fl_store *store, int64_t as_of_ns,
                                           fl_error *err);
/* Counts by kind. */
FL_NODISCARD fl_status fl_report_graph_stats(fl_buf *out, fl_store *store, int64_t as_of_ns,
                                             const fl_report_style *style, fl_error *err);

#endif
