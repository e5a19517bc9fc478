/*
 * export_cypher.c - the graph as statements of Neo4j's language, a statement a line, without
 * parameters, so that a shell takes them as they are. Everything is merged by its id: running them
 * again adds nothing. Evidence is nodes of their own, since no edge can lead to an edge.
 */
#include <ctype.h>
#include <inttypes.h>

#include "export_priv.h"
#include "graph_text.h"
#include "timestamp.h"

/* "resolved-by" as the name of a kind of relationship, RESOLVED_BY. */
static void type_name(fl_buf *out, const char *name)
{
    for (; *name != '\0'; name++)
        fl_buf_char(out, *name == '-' ? '_' : (char)toupper((unsigned char)*name));
}

/* "cause" as a label, Cause. */
static void label_name(fl_buf *out, const char *name)
{
    fl_buf_char(out, (char)toupper((unsigned char)*name));
    fl_buf_text(out, name + 1);
}

/* A property that is null is removed by SET, so that a title that went goes there too. */
static void set_text(fl_buf *out, const char *what, const char *text)
{
    fl_buf_printf(out, ", %s = ", what);
    fl_graph_cypher_text(out, text);
}

/* The first of a SET: it has a value in any case. */
static void set_recorded(fl_buf *out, char variable, int64_t at_ns)
{
    char at[FL_TIME_TEXT];
    fl_buf_printf(out, " SET %c.recorded = datetime('%s')", variable, fl_time_format(at, at_ns));
}

/* The label of all nodes carries the constraint; that of the kind is set beside it. */
static void node_cypher(fl_export *to, const fl_graph_node *node)
{
    fl_buf *out = to->sink->out;
    fl_buf_printf(out, "MERGE (n:Faultline {id: '%" PRIu64 "'})", node->id);
    set_recorded(out, 'n', node->recorded_ns);
    fl_buf_text(out, ", n:");
    label_name(out, fl_node_kind_name(node->kind));
    set_text(out, "n.key", node->key);
    set_text(out, "n.title", node->title);
    fl_buf_text(out, ";\n");
}

/* Its ends are merged before: nodes stand first in the document. */
static void edge_cypher(fl_export *to, const fl_graph_edge *edge)
{
    fl_buf *out = to->sink->out;
    fl_buf_printf(out,
                  "MATCH (a:Faultline {id: '%" PRIu64 "'}), (b:Faultline {id: '%" PRIu64
                  "'}) MERGE (a)-[r:",
                  edge->from, edge->to);
    type_name(out, fl_edge_kind_name(edge->kind));
    fl_buf_printf(out, " {id: '%" PRIu64 "'}]->(b)", edge->id);
    set_recorded(out, 'r', edge->recorded_ns);
    set_text(out, "r.qualifier", edge->qualifier);
    if (to->belief != NULL)
        fl_buf_printf(
            out,
            ", r.mean = %.6f, r.low = %.6f, r.high = %.6f, r.supporting = %u, r.contradicting = %u",
            (double)to->belief->mean, (double)to->belief->low, (double)to->belief->high,
            to->belief->supporting, to->belief->contradicting);
    fl_buf_text(out, ";\n");
}

/* Tied to its edge by the property, as a key of the relationship. */
static void evidence_cypher(fl_export *to, const fl_graph_evidence *item)
{
    char at[FL_TIME_TEXT];
    fl_buf *out = to->sink->out;
    fl_buf_printf(out, "MERGE (e:FaultlineEvidence {id: '%" PRIu64 "'})", item->id);
    set_recorded(out, 'e', item->recorded_ns);
    fl_buf_printf(
        out, ", e.edge = '%" PRIu64 "', e.source = '%s', e.supports = %s, e.at = datetime('%s')",
        item->edge, fl_source_name(item->source), item->supports ? "true" : "false",
        fl_time_format(at, item->at_ns));
    set_text(out, "e.author", item->author);
    set_text(out, "e.reference", item->reference);
    set_text(out, "e.note", item->note);
    fl_buf_text(out, ";\n");
}

const fl_export_kind fl_export_cypher = {
    .name = "cypher",
    .wants_beliefs = true,
    .head = "CREATE CONSTRAINT faultline_id IF NOT EXISTS FOR (n:Faultline) REQUIRE n.id IS"
            " UNIQUE;\n"
            "CREATE CONSTRAINT faultline_evidence_id IF NOT EXISTS FOR (e:FaultlineEvidence)"
            " REQUIRE e.id IS UNIQUE;\n",
    .nodes_end = "",
    .edges_end = "",
    .tail = "",
    .node = node_cypher,
    .edge = edge_cypher,
    .evidence = evidence_cypher,
};
