/*
 * export_graphml.c - the graph as GraphML (http://graphml.graphdrawing.org), which networkx,
 * igraph, Gephi and yEd read. Evidence is summed up: how sure an edge is, and items for and
 * against.
 */
#include <inttypes.h>

#include "export_priv.h"
#include "graph_text.h"
#include "timestamp.h"

/* Nothing for NULL: a reader then has no such attribute. */
static void data(fl_buf *out, const char *key, const char *text)
{
    if (text == NULL)
        return;
    fl_buf_printf(out, "<data key=\"%s\">", key);
    fl_graph_xml_text(out, text);
    fl_buf_text(out, "</data>");
}

/* As text: GraphML has no type for times. */
static void moment(fl_buf *out, int64_t at_ns, const char *key)
{
    char at[FL_TIME_TEXT];
    data(out, key, fl_time_format(at, at_ns));
}

/* Ids begin with a letter, as XML asks of an NMTOKEN that stands for a name. */
static void node_graphml(fl_export *to, const fl_graph_node *node)
{
    fl_buf *out = to->sink->out;
    fl_buf_printf(out, "    <node id=\"n%" PRIu64 "\">", node->id);
    data(out, "n_kind", fl_node_kind_name(node->kind));
    data(out, "n_key", node->key);
    data(out, "n_title", node->title);
    moment(out, node->recorded_ns, "n_recorded");
    fl_buf_text(out, "</node>\n");
}

/* Attributes of evidence are left out where there is none: 0 of 0 is not half. */
static void edge_graphml(fl_export *to, const fl_graph_edge *edge)
{
    fl_buf *out = to->sink->out;
    fl_buf_printf(out,
                  "    <edge id=\"e%" PRIu64 "\" source=\"n%" PRIu64 "\" target=\"n%" PRIu64 "\">",
                  edge->id, edge->from, edge->to);
    data(out, "e_kind", fl_edge_kind_name(edge->kind));
    data(out, "e_qualifier", edge->qualifier);
    moment(out, edge->recorded_ns, "e_recorded");
    if (to->belief != NULL)
        fl_buf_printf(out,
                      "<data key=\"e_mean\">%.6f</data><data key=\"e_low\">%.6f</data>"
                      "<data key=\"e_high\">%.6f</data><data key=\"e_supporting\">%u</data>"
                      "<data key=\"e_contradicting\">%u</data>",
                      (double)to->belief->mean, (double)to->belief->low, (double)to->belief->high,
                      to->belief->supporting, to->belief->contradicting);
    fl_buf_text(out, "</edge>\n");
}

#define KEY(id, of, name, type)                                                                    \
    "  <key id=\"" id "\" for=\"" of "\" attr.name=\"" name "\" attr.type=\"" type "\"/>\n"

/* clang-format off */
#define KEYS                                       \
    KEY("n_kind", "node", "kind", "string")        \
    KEY("n_key", "node", "key", "string")          \
    KEY("n_title", "node", "title", "string")      \
    KEY("n_recorded", "node", "recorded", "string") \
    KEY("e_kind", "edge", "kind", "string")        \
    KEY("e_qualifier", "edge", "qualifier", "string") \
    KEY("e_recorded", "edge", "recorded", "string") \
    KEY("e_mean", "edge", "mean", "double")        \
    KEY("e_low", "edge", "low", "double")          \
    KEY("e_high", "edge", "high", "double")        \
    KEY("e_supporting", "edge", "supporting", "long") \
    KEY("e_contradicting", "edge", "contradicting", "long")
/* clang-format on */

const fl_export_kind fl_export_graphml = {
    .name = "graphml",
    .wants_beliefs = true,
    .head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\"\n"
            "         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n"
            "         xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns"
            " http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n" KEYS
            "  <graph id=\"faultline\" edgedefault=\"directed\">\n",
    .nodes_end = "",
    .edges_end = "",
    .tail = "  </graph>\n</graphml>\n",
    .node = node_graphml,
    .edge = edge_graphml,
};
