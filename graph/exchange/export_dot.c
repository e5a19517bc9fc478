/*
 * export_dot.c - the graph in Graphviz's language. Nodes are named by their ids, so that no text
 * can be taken for syntax; two edges between the same nodes are two lines.
 */
#include <inttypes.h>

#include "export_priv.h"
#include "graph_text.h"

/* The kind as a class, by which a style sheet can colour it; the words as people wrote them. */
static void node_dot(fl_export *to, const fl_graph_node *node)
{
    fl_buf *out = to->sink->out;
    fl_buf_printf(out, "  n%" PRIu64 " [class=", node->id);
    fl_graph_dot_text(out, fl_node_kind_name(node->kind));
    fl_buf_text(out, ", label=");
    fl_graph_dot_text(out, node->title != NULL ? node->title : node->key);
    fl_buf_text(out, "];\n");
}

/* An edge without evidence says only what kind it is. */
static void edge_dot(fl_export *to, const fl_graph_edge *edge)
{
    fl_buf *out = to->sink->out;
    fl_buf_printf(out, "  n%" PRIu64 " -> n%" PRIu64 " [label=\"%s", edge->from, edge->to,
                  fl_edge_kind_name(edge->kind));
    if (to->belief != NULL)
        fl_buf_printf(out, " %.2f, n = %u", (double)to->belief->mean,
                      to->belief->supporting + to->belief->contradicting);
    fl_buf_text(out, "\"];\n");
}

const fl_export_kind fl_export_dot = {
    .name = "dot",
    .wants_beliefs = true,
    .head = "digraph faultline {\n  rankdir=LR;\n  node [shape=box];\n",
    .nodes_end = "",
    .edges_end = "",
    .tail = "}\n",
    .node = node_dot,
    .edge = edge_dot,
};
