/*
 * report_graph.c - how much the graph holds.
 */
#include "report_graph.h"

#include <assert.h>
#include <jansson.h>

#include "json_put.h"
#include "page.h"

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

static fl_status count_all(counts *out, fl_store *store, int64_t as_of_ns, fl_error *err)
{
    const fl_graph_question question = {.as_of_ns = as_of_ns};
    *out = (counts){{0}, {0}, {0}, {0}};
    fl_status status = fl_graph_nodes(store, &question, count_node, out, err);
    if (status == FL_OK)
        status = fl_graph_edges(store, &question, count_edge, out, err);
    if (status == FL_OK)
        status = fl_graph_evidence_for(store, &question, count_evidence, out, err);
    return status;
}

fl_status fl_report_graph_stats(fl_buf *out, fl_store *store, int64_t as_of_ns,
                                const fl_report_style *style, fl_error *err)
{
    assert(out != NULL && store != NULL);
    counts all;
    fl_page page = fl_page_on(out, style);
    fl_status status = count_all(&all, store, as_of_ns, err);
    if (status != FL_OK)
        return status;
    write_counts(&page, &all);
    return fl_buf_check(out, "the graph", err);
}

/* Every kind, also where there is none of it: a program need not ask. */
fl_status fl_report_graph_stats_json(fl_buf *out, fl_store *store, int64_t as_of_ns, fl_error *err)
{
    assert(out != NULL && store != NULL);
    counts all;
    fl_put w = {.status = FL_OK};
    fl_status status = count_all(&all, store, as_of_ns, err);
    if (status != FL_OK)
        return status;
    json_t *document = json_object(), *nodes = json_object(), *edges = json_object();
    json_t *evidence = json_object();
    for (fl_node_kind kind = 0; kind < FL_NODE_KIND_COUNT; kind++)
        fl_put_count(&w, nodes, fl_node_kind_name(kind), all.nodes[kind]);
    for (fl_edge_kind kind = 0; kind < FL_EDGE_KIND_COUNT; kind++)
        fl_put_count(&w, edges, fl_edge_kind_name(kind), all.edges[kind]);
    for (fl_evidence_source source = 0; source < FL_SOURCE_COUNT; source++) {
        json_t *both = json_object();
        fl_put_count(&w, both, "supporting", all.supporting[source]);
        fl_put_count(&w, both, "contradicting", all.contradicting[source]);
        fl_put_value(&w, evidence, fl_source_name(source), both);
    }
    fl_put_text(&w, document, "schema", "faultline.graph-stats/1");
    fl_put_moment(&w, document, "as_of", as_of_ns);
    fl_put_value(&w, document, "nodes", nodes);
    fl_put_value(&w, document, "edges", edges);
    fl_put_value(&w, document, "evidence", evidence);
    return fl_put_document(out, &w, document, err);
}
