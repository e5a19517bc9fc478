/*
 * report_graph.c - the graph for other programs: JSON to keep, DOT to look at, counts to know.
 *
 * Rows are written as they come out of the store, so that memory follows the document and not a
 * tree of it.
 */
#include "report_graph.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>

#include "json_put.h"
#include "page.h"
#include "timestamp.h"

typedef struct rows {
    fl_buf *out;
    size_t count;
} rows;

/* One row of an array; takes `row`, NULL for want of memory. */
static fl_status write_row(rows *to, json_t *row, fl_error *err)
{
    fl_buf_text(to->out, to->count++ > 0 ? ",\n    " : "\n    ");
    bool failed = !fl_put_dump(to->out, row, 0);
    json_decref(row);
    fl_status status = fl_buf_check(to->out, "the graph", err);
    if (status == FL_OK && failed)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the graph");
    return status;
}

enum { ID_TEXT = 24 };

/* All 64 bits: a JSON number would lose eleven of them in most readers. */
static const char *id_text(char out[ID_TEXT], uint64_t id)
{
    snprintf(out, ID_TEXT, "%" PRIu64, id);
    return out;
}

/* Members in the order of the schema, as in the next two. */
static fl_status node_json(const fl_graph_node *node, void *payload, fl_error *err)
{
    char id[ID_TEXT], recorded[FL_TIME_TEXT];
    return write_row(payload,
                     json_pack("{s:s, s:s, s:s, s:s?, s:s}", "id", id_text(id, node->id), "kind",
                               fl_node_kind_name(node->kind), "key", node->key, "title",
                               node->title, "recorded",
                               fl_time_format(recorded, node->recorded_ns)),
                     err);
}

static fl_status edge_json(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    char id[ID_TEXT], from[ID_TEXT], to[ID_TEXT], recorded[FL_TIME_TEXT];
    return write_row(payload,
                     json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s}", "id", id_text(id, edge->id),
                               "kind", fl_edge_kind_name(edge->kind), "from",
                               id_text(from, edge->from), "to", id_text(to, edge->to), "qualifier",
                               edge->qualifier, "recorded",
                               fl_time_format(recorded, edge->recorded_ns)),
                     err);
}

static fl_status evidence_json(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    char id[ID_TEXT], edge[ID_TEXT], at[FL_TIME_TEXT], recorded[FL_TIME_TEXT];
    return write_row(payload,
                     json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s?}", "id",
                               id_text(id, item->id), "edge", id_text(edge, item->edge), "source",
                               fl_source_name(item->source), "author", item->author, "reference",
                               item->reference, "supports", item->supports, "at",
                               fl_time_format(at, item->at_ns), "recorded",
                               fl_time_format(recorded, item->recorded_ns), "note", item->note),
                     err);
}

fl_status fl_report_graph_json(fl_buf *out, fl_store *store, int64_t as_of_ns, fl_error *err)
{
    assert(out != NULL && store != NULL);
    const fl_graph_question all = {.as_of_ns = as_of_ns};
    rows nodes = {.out = out}, edges = {.out = out}, evidence = {.out = out};
    fl_buf_text(out, "{\n  \"schema\": \"faultline.graph/1\",\n  \"nodes\": [");
    fl_status status = fl_graph_nodes(store, &all, node_json, &nodes, err);
    fl_buf_text(out, "],\n  \"edges\": [");
    if (status == FL_OK)
        status = fl_graph_edges(store, &all, edge_json, &edges, err);
    fl_buf_text(out, "],\n  \"evidence\": [");
    if (status == FL_OK)
        status = fl_graph_evidence_for(store, &all, evidence_json, &evidence, err);
    fl_buf_text(out, "]\n}\n");
    return status == FL_OK ? fl_buf_check(out, "the graph", err) : status;
}

/* ---- DOT (the grammar of its quoted strings: only '"' and '\' need a backslash) ---- */

static void dot_text(fl_buf *out, const char *text)
{
    fl_buf_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fl_buf_char(out, '\\');
        fl_buf_char(out, (unsigned char)*text < ' ' ? ' ' : *text);
    }
    fl_buf_char(out, '"');
}

/* Nodes are named by their ids, so that no text can be taken for syntax. */
static fl_status node_dot(const fl_graph_node *node, void *payload, fl_error *err)
{
    rows *to = payload;
    fl_buf_printf(to->out, "  n%" PRIu64 " [class=", node->id);
    dot_text(to->out, fl_node_kind_name(node->kind));
    fl_buf_text(to->out, ", label=");
    dot_text(to->out, node->title != NULL ? node->title : node->key);
    fl_buf_text(to->out, "];\n");
    return fl_buf_check(to->out, "the graph", err);
}

/* Two edges between the same nodes are two lines. */
static fl_status edge_dot(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    rows *to = payload;
    fl_buf_printf(to->out, "  n%" PRIu64 " -> n%" PRIu64 " [label=", edge->from, edge->to);
    dot_text(to->out, fl_edge_kind_name(edge->kind));
    fl_buf_text(to->out, "];\n");
    return fl_buf_check(to->out, "the graph", err);
}

fl_status fl_report_graph_dot(fl_buf *out, fl_store *store, int64_t as_of_ns, fl_error *err)
{
    assert(out != NULL && store != NULL);
    const fl_graph_question all = {.as_of_ns = as_of_ns};
    rows to = {.out = out};
    fl_buf_text(out, "digraph faultline {\n  rankdir=LR;\n  node [shape=box];\n");
    fl_status status = fl_graph_nodes(store, &all, node_dot, &to, err);
    if (status == FL_OK)
        status = fl_graph_edges(store, &all, edge_dot, &to, err);
    fl_buf_text(out, "}\n");
    return status == FL_OK ? fl_buf_check(out, "the graph", err) : status;
}

/* ---- counts ---- */

typedef struct counts {
    size_t nodes[FL_NODE_KIND_COUNT], edges[FL_EDGE_KIND_COUNT];
    size_t supporting[FL_SOURCE_COUNT], contradicting[FL_SOURCE_COUNT];
} counts;

static fl_status count_node(const fl_graph_node *node, void *payload, fl_error *err)
{
    (void)err;
    ((counts *)payload)->nodes[node->kind]++;
    return FL_OK;
}

static fl_status count_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    (void)err;
    ((counts *)payload)->edges[edge->kind]++;
    return FL_OK;
}

static fl_status count_evidence(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    counts *all = payload;
    (void)err;
    (item->supports ? all->supporting : all->contradicting)[item->source]++;
    return FL_OK;
}

enum { COUNT_COLUMN = 24 };

/* What, and how much of it, in two columns. */
static void count_line(fl_page *page, const char *what, const char *name, size_t count)
{
    fl_page_printf(page, FL_INK_PLAIN, "%s %s", what, name);
    fl_page_pad(page, COUNT_COLUMN);
    fl_page_printf(page, FL_INK_PLAIN, "%zu", count);
}

/* In the order of the kinds; what there is none of is not listed. */
static void write_counts(fl_page *page, const counts *all)
{
    for (fl_node_kind kind = 0; kind < FL_NODE_KIND_COUNT; kind++) {
        if (all->nodes[kind] == 0)
            continue;
        count_line(page, "node", fl_node_kind_name(kind), all->nodes[kind]);
        fl_page_newline(page);
    }
    for (fl_edge_kind kind = 0; kind < FL_EDGE_KIND_COUNT; kind++) {
        if (all->edges[kind] == 0)
            continue;
        count_line(page, "edge", fl_edge_kind_name(kind), all->edges[kind]);
        fl_page_newline(page);
    }
    for (fl_evidence_source source = 0; source < FL_SOURCE_COUNT; source++) {
        if (all->supporting[source] + all->contradicting[source] == 0)
            continue;
        count_line(page, "evidence", fl_source_name(source), all->supporting[source]);
        fl_page_printf(page, FL_INK_PLAIN, " for, %zu against", all->contradicting[source]);
        fl_page_newline(page);
    }
}

fl_status fl_report_graph_stats(fl_buf *out, fl_store *store, int64_t as_of_ns,
                                const fl_report_style *style, fl_error *err)
{
    assert(out != NULL && store != NULL);
    const fl_graph_question question = {.as_of_ns = as_of_ns};
    counts all = {{0}, {0}, {0}, {0}};
    fl_page page = fl_page_on(out, style);
    fl_status status = fl_graph_nodes(store, &question, count_node, &all, err);
    if (status == FL_OK)
        status = fl_graph_edges(store, &question, count_edge, &all, err);
    if (status == FL_OK)
        status = fl_graph_evidence_for(store, &question, count_evidence, &all, err);
    if (status != FL_OK)
        return status;
    write_counts(&page, &all);
    return fl_buf_check(out, "the graph", err);
}
