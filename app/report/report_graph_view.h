/*
 * report_graph_view.h - a part of the graph, for people and for programs.
 */
#ifndef FL_REPORT_GRAPH_VIEW_H
#define FL_REPORT_GRAPH_VIEW_H

#include <jansson.h>

#include "graph_search.h"
#include "graph_view.h"
#include "path_evidence.h"
#include "report.h"

/* A node and its edges; of an edge at most `most` items of evidence. */
FL_NODISCARD fl_status fl_report_node_text(fl_buf *out, const fl_graph_node_view *view, size_t most,
                                           const fl_report_style *style, fl_error *err);
/* schemas/json/graph-node.schema.json */
FL_NODISCARD fl_status fl_report_node_json(fl_buf *out, const fl_graph_node_view *view,
                                           fl_error *err);
/* What lies around a node, nearest first. */
FL_NODISCARD fl_status fl_report_around_text(fl_buf *out, const fl_graph_around *around,
                                             const fl_report_style *style, fl_error *err);
/* schemas/json/graph-neighbours.schema.json */
FL_NODISCARD fl_status fl_report_around_json(fl_buf *out, const fl_graph_around *around,
                                             fl_error *err);

/* schemas/json/graph-nodes.schema.json */
FL_NODISCARD fl_status fl_report_nodes_json(fl_buf *out, const fl_graph_found *found,
                                            fl_error *err);

/* What the graph was surest of at a time. */
FL_NODISCARD fl_status fl_report_known_text(fl_buf *out, const fl_graph_known_list *known,
                                            const fl_report_style *style, fl_error *err);
/* schemas/json/graph-known.schema.json */
FL_NODISCARD fl_status fl_report_known_json(fl_buf *out, const fl_graph_known_list *known,
                                            int64_t as_of_ns, fl_error *err);

/* What each path of an answer rests on, in words; of a path at most `most` rows. */
FL_NODISCARD fl_status fl_report_path_rows_text(fl_buf *out, const fl_memory *memory,
                                                const fl_path_rows *rows, size_t most,
                                                const fl_report_style *style, fl_error *err);
/* Rows as JSON, as in the answer about a node; NULL for want of memory. */
json_t *fl_report_evidence_json(const fl_graph_evidence *items, size_t count);

#endif
