/*
 * export_json.c - the graph as schemas/json/graph.schema.json, a row a line.
 *
 * Members stand in the order of the schema.
 */
#include "export_priv.h"
#include "graph_text.h"
#include "timestamp.h"

/* The end of the row before, and the beginning of this one. */
static fl_buf *begin(fl_export *to, uint64_t id)
{
    char text[FL_EXPORT_ID_TEXT];
    fl_buf *out = to->sink->out;
    fl_buf_text(out, to->count > 0 ? ",\n    {\"id\": \"" : "\n    {\"id\": \"");
    fl_buf_text(out, fl_export_id(text, id));
    fl_buf_char(out, '"');
    return out;
}

/* What needs no escapes: names of kinds and ids. */
static void plain(fl_buf *out, const char *name, const char *text)
{
    fl_buf_text(out, ", \"");
    fl_buf_text(out, name);
    fl_buf_text(out, "\": \"");
    fl_buf_text(out, text);
    fl_buf_char(out, '"');
}

/* What people wrote; null where there is none. */
static void text(fl_buf *out, const char *name, const char *value)
{
    fl_buf_text(out, ", \"");
    fl_buf_text(out, name);
    fl_buf_text(out, "\": ");
    fl_graph_json_text(out, value);
}

/* RFC 3339 with as many digits as the nanoseconds need: reading it back gives the same moment. */
static void moment(fl_buf *out, const char *name, int64_t at_ns)
{
    char at[FL_TIME_TEXT];
    plain(out, name, fl_time_format(at, at_ns));
}

/* Everything that the store keeps of a row, as in the next two: an import makes the same row. */
static void node_json(fl_export *to, const fl_graph_node *node)
{
    fl_buf *out = begin(to, node->id);
    plain(out, "kind", fl_node_kind_name(node->kind));
    text(out, "key", node->key);
    text(out, "title", node->title);
    moment(out, "recorded", node->recorded_ns);
    fl_buf_char(out, '}');
}

static void edge_json(fl_export *to, const fl_graph_edge *edge)
{
    char id[FL_EXPORT_ID_TEXT];
    fl_buf *out = begin(to, edge->id);
    plain(out, "kind", fl_edge_kind_name(edge->kind));
    plain(out, "from", fl_export_id(id, edge->from));
    plain(out, "to", fl_export_id(id, edge->to));
    text(out, "qualifier", edge->qualifier);
    moment(out, "recorded", edge->recorded_ns);
    fl_buf_char(out, '}');
}

static void evidence_json(fl_export *to, const fl_graph_evidence *item)
{
    char id[FL_EXPORT_ID_TEXT];
    fl_buf *out = begin(to, item->id);
    plain(out, "edge", fl_export_id(id, item->edge));
    plain(out, "source", fl_source_name(item->source));
    text(out, "author", item->author);
    text(out, "reference", item->reference);
    fl_buf_text(out, item->supports ? ", \"supports\": true" : ", \"supports\": false");
    moment(out, "at", item->at_ns);
    moment(out, "recorded", item->recorded_ns);
    text(out, "note", item->note);
    fl_buf_char(out, '}');
}

const fl_export_kind fl_export_json = {
    .name = "json",
    .head = "{\n  \"schema\": \"faultline.graph/1\",\n  \"nodes\": [",
    .nodes_end = "],\n  \"edges\": [",
    .edges_end = "],\n  \"evidence\": [",
    .tail = "]\n}\n",
    .node = node_json,
    .edge = edge_json,
    .evidence = evidence_json,
};
