/*
 * report_graph.h - the graph for people and, as JSON, for programs: how much it holds.
 */
#ifndef FL_REPORT_GRAPH_H
#define FL_REPORT_GRAPH_H

#include "graph_store.h"
#include "report.h"

/* An answer about a part of the graph; the whole of it is written as it is read. */
#define FL_MAX_GRAPH_DOCUMENT_BYTES (256u << 20)

/* Counts by kind, of what was recorded by `as_of_ns`. */
FL_NODISCARD fl_status fl_report_graph_stats(fl_buf *out, fl_store *store, int64_t as_of_ns,
                                             const fl_report_style *style, fl_error *err);
/* schemas/json/graph-stats.schema.json */
FL_NODISCARD fl_status fl_report_graph_stats_json(fl_buf *out, fl_store *store, int64_t as_of_ns,
                                                  fl_error *err);

#endif
