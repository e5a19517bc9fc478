/*
 * report_graph_view.c - nodes by kind and words, edges by name and direction, evidence by who says
 * what of which incident.
 *
 * Ids are decimal texts in JSON, as in an export: its numbers are doubles in many readers.
 */
#include "report_graph_view.h"

#include <assert.h>
#include <inttypes.h>

#include "json_put.h"
#include "page.h"
#include "timestamp.h"

enum { INDENT = 2, FIELD = 12, EVIDENCE = 4, EVIDENCE_TEXT = 14, ID_TEXT = 24 };

/* Words where there are some. "?" for a node that is not there, in a damaged store. */
static const char *name_of(const fl_graph_node *node)
{
    if (node->key == NULL)
        return "?";
    return node->title != NULL && node->kind != FL_NODE_INCIDENT ? node->title : node->key;
}

/* A line of what is known of the node. */
static void write_field(fl_page *page, const char *label, const char *text)
{
    fl_page_labelled(page, (fl_page_row){INDENT, FIELD}, label, FL_INK_PLAIN, text);
}

/* Kind and words in one line, then what else is known of the node itself. */
static void write_node(fl_page *page, const fl_graph_node *node)
{
    char id[ID_TEXT], recorded[FL_TIME_TEXT];
    fl_page_printf(page, FL_INK_DIM, "%s ", fl_node_kind_name(node->kind));
    fl_page_wrap(page, FL_INK_BOLD, name_of(node));
    fl_page_newline(page);
    if (node->title != NULL)
        write_field(page, node->kind == FL_NODE_INCIDENT ? "title" : "key",
                    node->kind == FL_NODE_INCIDENT ? node->title : node->key);
    snprintf(id, sizeof(id), "%" PRIu64, node->id);
    write_field(page, "id", id);
    write_field(page, "recorded", fl_time_format(recorded, node->recorded_ns));
}

/* "for   person ada of 20230129T0934, 2023-01-29T09:34:00Z: it was" */
static void write_evidence(fl_page *page, const fl_graph_evidence *item)
{
    char at[FL_TIME_TEXT];
    fl_page_pad(page, EVIDENCE);
    fl_page_put(page, item->supports ? FL_INK_GOOD : FL_INK_BAD,
                item->supports ? "for" : "against");
    fl_page_pad(page, EVIDENCE_TEXT);
    fl_page_printf(page, FL_INK_DIM, "%s %.80s of %.80s, %s%s", fl_source_name(item->source),
                   item->author, item->reference, fl_time_format(at, item->at_ns),
                   item->note != NULL ? ": " : "");
    if (item->note != NULL)
        fl_page_wrap(page, FL_INK_DIM, item->note);
    fl_page_newline(page);
}

/* The direction as an arrow, seen from the node; its far end; then what it rests on. */
static void write_link(fl_page *page, const fl_graph_link *link, size_t most)
{
    char last[FL_TIME_TEXT];
    fl_page_pad(page, INDENT);
    fl_page_printf(page, FL_INK_PLAIN, "%s %s %s ", link->leaves ? "->" : "<-",
                   fl_edge_kind_name(link->edge.kind), fl_node_kind_name(link->other.kind));
    fl_page_wrap(page, FL_INK_BOLD, name_of(&link->other));
    fl_page_newline(page);
    if (link->edge.qualifier != NULL)
        fl_page_labelled(page, (fl_page_row){EVIDENCE, EVIDENCE_TEXT}, "only", FL_INK_PLAIN,
                         link->edge.qualifier);
    if (link->evidence_count == 0)
        return;
    fl_page_pad(page, EVIDENCE);
    fl_page_printf(
        page, FL_INK_PLAIN, "%.2f (%.2f to %.2f, n = %zu); %zu for, %zu against; last %s",
        link->confidence.mean, link->confidence.low, link->confidence.high, link->evidence_count,
        link->supporting, link->contradicting, fl_time_format(last, link->last_ns));
    fl_page_newline(page);
    for (size_t i = 0; i < link->evidence_count && i < most; i++)
        write_evidence(page, &link->evidence[i]);
    if (link->evidence_count > most) {
        fl_page_pad(page, EVIDENCE);
        fl_page_printf(page, FL_INK_DIM, "and %zu more", link->evidence_count - most);
        fl_page_newline(page);
    }
}

/* What the bounds left out is said at the end, where the reader looks for more. */
fl_status fl_report_node_text(fl_buf *out, const fl_graph_node_view *view, size_t most,
                              const fl_report_style *style, fl_error *err)
{
    assert(view != NULL && view->node.key != NULL);
    fl_page page = fl_page_on(out, style);
    write_node(&page, &view->node);
    for (size_t i = 0; i < view->link_count; i++)
        write_link(&page, &view->links[i], most);
    if (view->cut) {
        fl_page_put(&page, FL_INK_WARN, "There is more than was looked at.");
        fl_page_newline(&page);
    }
    return fl_buf_check(out, "the answer", err);
}

/* ---- JSON ---- */

/* All 64 bits. */
static void put_id(fl_put *w, json_t *object, const char *key, uint64_t id)
{
    char text[ID_TEXT];
    snprintf(text, sizeof(text), "%" PRIu64, id);
    fl_put_text(w, object, key, text);
}

/* Members as in an export. */
static json_t *node_json(fl_put *w, const fl_graph_node *node)
{
    json_t *object = json_object();
    put_id(w, object, "id", node->id);
    fl_put_text(w, object, "kind", fl_node_kind_name(node->kind));
    fl_put_text(w, object, "key", node->key);
    fl_put_text(w, object, "title", node->title);
    fl_put_time(w, object, "recorded", node->recorded_ns);
    return object;
}

/* Members as in an export, too. */
static void put_edge(fl_put *w, json_t *object, const fl_graph_edge *edge)
{
    put_id(w, object, "id", edge->id);
    fl_put_text(w, object, "kind", fl_edge_kind_name(edge->kind));
    put_id(w, object, "from", edge->from);
    put_id(w, object, "to", edge->to);
    fl_put_text(w, object, "qualifier", edge->qualifier);
    fl_put_time(w, object, "recorded", edge->recorded_ns);
}

/* Without the edge, in which it stands. */
static json_t *evidence_json(fl_put *w, const fl_graph_evidence *item)
{
    json_t *object = json_object();
    put_id(w, object, "id", item->id);
    fl_put_text(w, object, "source", fl_source_name(item->source));
    fl_put_text(w, object, "author", item->author);
    fl_put_text(w, object, "reference", item->reference);
    fl_put_value(w, object, "supports", json_boolean(item->supports));
    fl_put_time(w, object, "at", item->at_ns);
    fl_put_time(w, object, "recorded", item->recorded_ns);
    fl_put_text(w, object, "note", item->note);
    return object;
}

/* An edge, its far end, how sure it is, and why. */
static json_t *link_json(fl_put *w, const fl_graph_link *link)
{
    json_t *object = json_object(), *belief = json_object(), *evidence = json_array();
    put_edge(w, object, &link->edge);
    fl_put_value(w, object, "other", node_json(w, &link->other));
    fl_put_rounded(w, belief, "mean", link->confidence.mean);
    fl_put_rounded(w, belief, "low", link->confidence.low);
    fl_put_rounded(w, belief, "high", link->confidence.high);
    fl_put_count(w, belief, "n", link->evidence_count);
    fl_put_value(w, object, "confidence", belief);
    fl_put_count(w, object, "supporting", link->supporting);
    fl_put_count(w, object, "contradicting", link->contradicting);
    fl_put_moment(w, object, "last", link->last_ns);
    for (size_t i = 0; i < link->evidence_count; i++)
        fl_put_item(w, evidence, evidence_json(w, &link->evidence[i]));
    fl_put_value(w, object, "evidence", evidence);
    return object;
}

/* All evidence that was read: a program can leave out what it does not want. */
fl_status fl_report_node_json(fl_buf *out, const fl_graph_node_view *view, fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *document = json_object(), *edges = json_array();
    assert(view != NULL);
    fl_put_text(&w, document, "schema", "faultline.graph-node/1");
    fl_put_value(&w, document, "node", node_json(&w, &view->node));
    for (size_t i = 0; i < view->link_count; i++)
        fl_put_item(&w, edges, link_json(&w, &view->links[i]));
    fl_put_value(&w, document, "edges", edges);
    fl_put_value(&w, document, "cut", json_boolean(view->cut));
    return fl_put_document(out, &w, document, err);
}

/* ---- around a node ---- */

/* null: nothing was left out. */
static const char *const cut_names[] = {
    [FL_GRAPH_WHOLE] = NULL, [FL_GRAPH_CUT_ROWS] = "rows", [FL_GRAPH_CUT_TIME] = "time"};

/* A line a node; depth by indentation. */
fl_status fl_report_around_text(fl_buf *out, const fl_graph_around *around,
                                const fl_report_style *style, fl_error *err)
{
    assert(around != NULL);
    fl_page page = fl_page_on(out, style);
    for (size_t i = 0; i < around->node_count; i++) {
        const fl_graph_neighbour *n = &around->nodes[i];
        fl_page_pad(&page, 2 * n->depth);
        fl_page_printf(&page, FL_INK_DIM, "%s ", fl_node_kind_name(n->node.kind));
        fl_page_wrap(&page, n->depth == 0 ? FL_INK_BOLD : FL_INK_PLAIN, name_of(&n->node));
        fl_page_newline(&page);
    }
    fl_page_printf(&page, FL_INK_PLAIN, "%zu node%s, %zu edge%s", around->node_count,
                   around->node_count == 1 ? "" : "s", around->edge_count,
                   around->edge_count == 1 ? "" : "s");
    if (around->cut == FL_GRAPH_CUT_ROWS)
        fl_page_put(&page, FL_INK_WARN, "; there are more: raise --limit");
    if (around->cut == FL_GRAPH_CUT_TIME)
        fl_page_put(&page, FL_INK_WARN, "; the time was over: raise --time-limit");
    fl_page_newline(&page);
    return fl_buf_check(out, "the answer", err);
}

/* Edges name their ends by id; the nodes stand beside them. */
fl_status fl_report_around_json(fl_buf *out, const fl_graph_around *around, fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *document = json_object(), *nodes = json_array(), *edges = json_array();
    assert(around != NULL);
    fl_put_text(&w, document, "schema", "faultline.graph-neighbours/1");
    for (size_t i = 0; i < around->node_count; i++) {
        json_t *node = node_json(&w, &around->nodes[i].node);
        fl_put_count(&w, node, "depth", around->nodes[i].depth);
        fl_put_item(&w, nodes, node);
    }
    for (size_t i = 0; i < around->edge_count; i++) {
        json_t *edge = json_object();
        put_edge(&w, edge, &around->edges[i]);
        fl_put_item(&w, edges, edge);
    }
    fl_put_value(&w, document, "nodes", nodes);
    fl_put_value(&w, document, "edges", edges);
    fl_put_text(&w, document, "cut", cut_names[around->cut]);
    return fl_put_document(out, &w, document, err);
}
