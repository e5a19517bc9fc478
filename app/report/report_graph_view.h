/*
 * report_graph_view.h - a part of the graph, for people and for programs.
 */
#ifndef FL_REPORT_GRAPH_VIEW_H
#define FL_REPORT_GRAPH_VIEW_H

#include "graph_view.h"
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

#endif
