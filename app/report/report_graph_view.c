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
enum { SENTENCE_TEXT = FL_MAX_GRAPH_TEXT_BYTES + 256 };

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
    char at[FL_TIME_TEXT], text[SENTENCE_TEXT];
    fl_page_pad(page, EVIDENCE);
    fl_page_put(page, item->supports ? FL_INK_GOOD : FL_INK_BAD,
                item->supports ? "for" : "against");
    fl_page_pad(page, EVIDENCE_TEXT);
    snprintf(text, sizeof(text), "%s %.80s of %.80s, %s%s%s", fl_source_name(item->source),
             item->author, item->reference, fl_time_format(at, item->at_ns),
             item->note != NULL ? ": " : "", item->note != NULL ? item->note : "");
    fl_page_wrap(page, FL_INK_DIM, text);
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
    fl_page_printf(page, FL_INK_PLAIN, "%.2f (%.2f to %.2f, n = %zu); %zu for, %zu against",
                   link->confidence.mean, link->confidence.low, link->confidence.high,
                   link->evidence_count, link->supporting, link->contradicting);
    if (link->last_ns != 0)
        fl_page_printf(page, FL_INK_PLAIN, "; last %s", fl_time_format_s(last, link->last_ns));
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

/* In the order in which they were read, or sorted by whoever asked. */
json_t *fl_report_evidence_json(const fl_graph_evidence *items, size_t count)
{
    fl_put w = {.status = FL_OK};
    json_t *rows = json_array();
    assert(items != NULL || count == 0);
    for (size_t i = 0; i < count; i++)
        fl_put_item(&w, rows, evidence_json(&w, &items[i]));
    if (w.status == FL_OK)
        return rows;
    json_decref(rows);
    return NULL;
}

/* An edge, its far end, how sure it is, and why. */
static json_t *link_json(fl_put *w, const fl_graph_link *link)
{
    json_t *object = json_object(), *belief = json_object();
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
    fl_put_value(w, object, "evidence",
                 fl_report_evidence_json(link->evidence, link->evidence_count));
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

/* A line a node; depth by indentation, or where they are ranked a number. */
fl_status fl_report_around_text(fl_buf *out, const fl_graph_around *around,
                                const fl_report_style *style, fl_error *err)
{
    assert(around != NULL);
    fl_page page = fl_page_on(out, style);
    for (size_t i = 0; i < around->node_count; i++) {
        const fl_graph_neighbour *n = &around->nodes[i];
        if (around->is_ranked)
            fl_page_printf(&page, FL_INK_DIM, "%8.5f %2zu ", n->rank, n->depth);
        else
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

/* What was searched for, best first. */
fl_status fl_report_nodes_json(fl_buf *out, const fl_graph_found *found, fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *document = json_object(), *nodes = json_array();
    assert(found != NULL);
    for (size_t i = 0; i < found->count; i++)
        fl_put_item(&w, nodes, node_json(&w, &found->nodes[i]));
    fl_put_text(&w, document, "schema", "faultline.graph-nodes/1");
    fl_put_value(&w, document, "nodes", nodes);
    fl_put_count(&w, document, "fitting", found->fitting);
    fl_put_text(&w, document, "cut", cut_names[found->cut]);
    return fl_put_document(out, &w, document, err);
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
        if (around->is_ranked)
            fl_put_rounded(&w, node, "rank", around->nodes[i].rank);
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

/* ---- what the graph is surest of ---- */

/* The two ends, then how sure that is. */
static void write_known(fl_page *page, const fl_graph_known *known)
{
    char last[FL_TIME_TEXT];
    fl_page_pad(page, INDENT);
    fl_page_wrap(page, FL_INK_PLAIN, name_of(&known->from));
    fl_page_newline(page);
    fl_page_pad(page, EVIDENCE);
    fl_page_printf(page, FL_INK_PLAIN, "-> %s ", fl_edge_kind_name(known->edge.kind));
    fl_page_wrap(page, FL_INK_BOLD, name_of(&known->to));
    fl_page_newline(page);
    fl_page_pad(page, EVIDENCE);
    fl_page_printf(page, FL_INK_DIM, "%.2f (%.2f to %.2f, n = %u); %u for, %u against",
                   (double)known->mean, (double)known->low, (double)known->high,
                   known->supporting + known->contradicting, known->supporting,
                   known->contradicting);
    if (known->last_ns != 0)
        fl_page_printf(page, FL_INK_DIM, "; last %s", fl_time_format_s(last, known->last_ns));
    fl_page_newline(page);
}

/* That nothing was known is an answer, too. */
fl_status fl_report_known_text(fl_buf *out, const fl_graph_known_list *known,
                               const fl_report_style *style, fl_error *err)
{
    assert(known->items != NULL || known->count == 0);
    fl_page page = fl_page_on(out, style);
    fl_page_put(&page, FL_INK_BOLD,
                known->count > 0 ? "What the graph is surest of" : "There is no evidence by then");
    fl_page_newline(&page);
    for (size_t i = 0; i < known->count; i++)
        write_known(&page, &known->items[i]);
    return fl_buf_check(out, "the answer", err);
}

/* Nodes and confidence as in the other answers. */
fl_status fl_report_known_json(fl_buf *out, const fl_graph_known_list *known, int64_t as_of_ns,
                               fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *document = json_object(), *edges = json_array();
    assert(known->items != NULL || known->count == 0);
    fl_put_text(&w, document, "schema", "faultline.graph-known/1");
    fl_put_moment(&w, document, "as_of", as_of_ns);
    for (size_t i = 0; i < known->count; i++) {
        const fl_graph_known *k = &known->items[i];
        json_t *edge = json_object(), *belief = json_object();
        put_id(&w, edge, "id", k->edge.id);
        fl_put_text(&w, edge, "kind", fl_edge_kind_name(k->edge.kind));
        fl_put_value(&w, edge, "from", node_json(&w, &k->from));
        fl_put_value(&w, edge, "to", node_json(&w, &k->to));
        fl_put_rounded(&w, belief, "mean", (double)k->mean);
        fl_put_rounded(&w, belief, "low", (double)k->low);
        fl_put_rounded(&w, belief, "high", (double)k->high);
        fl_put_count(&w, belief, "n", (uint64_t)k->supporting + k->contradicting);
        fl_put_value(&w, edge, "confidence", belief);
        fl_put_count(&w, edge, "supporting", k->supporting);
        fl_put_count(&w, edge, "contradicting", k->contradicting);
        fl_put_moment(&w, edge, "last", k->last_ns);
        fl_put_item(&w, edges, edge);
    }
    fl_put_value(&w, document, "edges", edges);
    return fl_put_document(out, &w, document, err);
}

/* ---- what paths rest on ---- */

/* Under the title of each cause, in the order of the paths. */
fl_status fl_report_path_rows_text(fl_buf *out, const fl_memory *memory, const fl_path_rows *rows,
                                   size_t most, const fl_report_style *style, fl_error *err)
{
    assert(rows != NULL || memory->path_count == 0);
    fl_page page = fl_page_on(out, style);
    if (memory->path_count > 0) {
        fl_page_put(&page, FL_INK_BOLD, "Evidence");
        fl_page_newline(&page);
    }
    for (size_t i = 0; i < memory->path_count; i++) {
        fl_page_pad(&page, INDENT);
        fl_page_wrap(&page, FL_INK_PLAIN, memory->paths[i].title);
        fl_page_newline(&page);
        for (size_t k = 0; k < rows[i].count && k < most; k++)
            write_evidence(&page, &rows[i].items[k]);
        if (rows[i].count > most) {
            fl_page_pad(&page, EVIDENCE);
            fl_page_printf(&page, FL_INK_DIM, "and %zu more%s", rows[i].count - most,
                           rows[i].cut ? ", at least" : "");
            fl_page_newline(&page);
        }
    }
    return fl_buf_check(out, "the answer", err);
}
