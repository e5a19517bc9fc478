/*
 * web_node.c - one node of the graph: what leads to it and from it, how sure that is and who said
 * so, and for a symptom the paths to causes and fixes.
 *
 * The picture has the surest edges; the list has all that were looked at, each with its
 * provenance, which opens.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "page.h"
#include "slice.h"
#include "timestamp.h"
#include "web_priv.h"

enum {
    MOST_DRAWN = 12, /* boxes on a side */
    MOST_LINKS = 200,
    MOST_EVIDENCE = 5,
    BOX_WIDTH = 300,
    BOX_HEIGHT = 28,
    ROW_HEIGHT = 36,
    GAP = 150, /* room for "explained-by 0.82" */
    TEXT = 128
};

/* A box that leads to its node's page. */
static void put_box(fl_buf *out, const fl_graph_node *node, double x, double y, bool is_own)
{
    char shown[TEXT], id[WEB_AGE_TEXT];
    assert(node->key != NULL);
    const char *name = web_node_name(node);
    (void)snprintf(shown, sizeof(shown), strlen(name) > 42 ? "%.40s\xE2\x80\xA6" : "%s", name);
    (void)snprintf(id, sizeof(id), "%llu", (unsigned long long)node->id);
    fl_html(out, "<a href=\"/graph?node=@\"><title>$ $</title>", id, fl_node_kind_name(node->kind),
            name);
    fl_buf_printf(
        out,
        "<rect class=\"box%s\" x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\" rx=\"4\"/>"
        "<text class=\"service\" x=\"%.0f\" y=\"%.0f\">",
        is_own ? " own" : "", x, y, BOX_WIDTH, BOX_HEIGHT, x + BOX_WIDTH / 2.0,
        y + BOX_HEIGHT / 2.0 + 4);
    fl_html(out, "$</text></a>\n", shown);
}

/* The arrow points as the edge does; its kind and mean stand on it. */
/* Seen from the node: which way it leads, how sure that is, and who said so. */
static void put_link_line(fl_buf *out, const fl_graph_link *link, double x, double y, double v)
{
    char label[TEXT];
    bool is_known = link->evidence_count > 0;
    /* From the node on the right side of the picture, to it on the left one. */
    double low = x, high = x + GAP;
    double at = link->leaves ? y : v, to = link->leaves ? v : y;
    fl_buf_printf(out,
                  "<path class=\"call same\" marker-end=\"url(#head)\" d=\"M%.0f %.0fC%.0f %.0f "
                  "%.0f %.0f %.0f %.0f\"/>",
                  low, at, low + 50, at, high - 50, to, high - 4, to);
    (void)snprintf(label, sizeof(label), is_known ? "%s %.2f" : "%s",
                   fl_edge_kind_name(link->edge.kind), link->confidence.mean);
    fl_buf_printf(out, "<text x=\"%.0f\" y=\"%.0f\">", x + GAP / 2.0, (at + to) / 2 + 4);
    fl_html(out, "$</text>\n", label);
}

/* What enters on the left, what leaves on the right, the surest first. */
static void put_sides(fl_buf *out, const fl_graph_node_view *view, double middle)
{
    size_t rows[2] = {0, 0};
    for (size_t i = 0; i < view->link_count; i++) {
        const fl_graph_link *link = &view->links[i];
        size_t *row = &rows[link->leaves];
        if (*row == MOST_DRAWN || link->other.key == NULL)
            continue;
        double y = 10 + (double)(*row)++ * ROW_HEIGHT;
        double x = link->leaves ? 2 * (BOX_WIDTH + GAP) : 0;
        put_link_line(out, link, link->leaves ? 2 * BOX_WIDTH + GAP : BOX_WIDTH, middle,
                      y + BOX_HEIGHT / 2.0);
        put_box(out, &link->other, x + 2, y, false);
    }
}

/* As high as the fuller side. */
static void put_picture(fl_buf *out, const fl_graph_node_view *view)
{
    size_t sides[2] = {0, 0};
    for (size_t i = 0; i < view->link_count; i++)
        sides[view->links[i].leaves] += sides[view->links[i].leaves] < MOST_DRAWN;
    size_t most = sides[0] > sides[1] ? sides[0] : sides[1];
    if (most == 0)
        return;
    int width = 3 * BOX_WIDTH + 2 * GAP + 4, height = (int)most * ROW_HEIGHT + 20;
    double middle = height / 2.0;
    fl_buf_printf(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Picture of the "
        "neighbourhood\"><svg class=\"calls\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d "
        "%d\"><title>What leads to it, and from it</title><defs><marker id=\"head\" "
        "viewBox=\"0 0 8 8\" refX=\"6\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
        "markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0l8 4l-8 4z\"/>"
        "</marker></defs>\n",
        width, height, width, height);
    put_sides(out, view, middle);
    put_box(out, &view->node, BOX_WIDTH + GAP, middle - BOX_HEIGHT / 2.0, true);
    fl_buf_text(out, "</svg></div>\n");
}

/* Who says it of which incident or document, and when. */
static void put_evidence(fl_buf *out, const fl_graph_link *link)
{
    char more[FL_COUNT_TEXT];
    fl_buf_text(out, "<ul class=\"provenance\">\n");
    for (size_t i = 0; i < link->evidence_count && i < MOST_EVIDENCE; i++) {
        const fl_graph_evidence *item = &link->evidence[i];
        fl_html(out, "<li class=\"$\"><span class=\"sign\">$</span> $ <b>$</b> of $, ",
                item->supports ? "for" : "against", item->supports ? "+" : "\xE2\x88\x92",
                fl_source_name(item->source), item->author, item->reference);
        web_time(out, item->at_ns);
        fl_html(out, "$$</li>\n", item->note != NULL ? ": " : "", item->note);
    }
    if (link->evidence_count > MOST_EVIDENCE)
        fl_html(out, "<li class=\"dim\">and $ more</li>\n",
                fl_page_count(more, link->evidence_count - MOST_EVIDENCE));
    fl_buf_text(out, "</ul>\n");
}

static void put_link(fl_buf *out, const fl_graph_link *link)
{
    char text[TEXT];
    assert(link->evidence_count == 0 || link->evidence != NULL);
    fl_html(out, "<li><p>$ <span class=\"modality\">$ $</span> ",
            link->leaves ? "\xE2\x86\x92" : "\xE2\x86\x90", fl_edge_kind_name(link->edge.kind),
            fl_node_kind_name(link->other.kind));
    web_node_link(out, &link->other);
    if (link->edge.qualifier != NULL)
        fl_html(out, " <span class=\"dim\">only $</span>", link->edge.qualifier);
    fl_buf_text(out, "</p>");
    if (link->evidence_count > 0) {
        web_put_belief(out, &link->confidence, link->evidence_count);
        (void)snprintf(text, sizeof(text), "%zu for, %zu against", link->supporting,
                       link->contradicting);
        fl_html(out, "<details><summary>$</summary>", text);
        put_evidence(out, link);
        fl_buf_text(out, "</details>");
    }
    fl_buf_text(out, "</li>\n");
}

/* Those with evidence come first. */
static void put_links(fl_buf *out, const fl_graph_node_view *view)
{
    char count[FL_COUNT_TEXT], id[WEB_AGE_TEXT];
    fl_html(out,
            "<section aria-labelledby=\"edges\"><h2 id=\"edges\">$ edges</h2>\n"
            "<ol class=\"links\">\n",
            fl_page_count(count, view->link_count));
    for (size_t i = 0; i < view->link_count && i < MOST_LINKS; i++)
        put_link(out, &view->links[i]);
    fl_buf_text(out, "</ol>\n");
    /* By id: a key is others' words, and a shell would read them. */
    (void)snprintf(id, sizeof(id), "%llu", (unsigned long long)view->node.id);
    if (view->cut || view->link_count > MOST_LINKS)
        fl_html(out,
                "<p class=\"warn\">There is more than is shown. <code>faultline graph show $ "
                "--format json</code> has the first thousand.</p>\n",
                id);
    fl_buf_text(out, "</section>\n");
}

/* What lies two edges away, by how much leads to it. */
static void put_around(fl_buf *out, const fl_graph_around *around)
{
    fl_buf_text(out, "<section aria-labelledby=\"around\"><h2 id=\"around\">Two edges away</h2>\n"
                     "<ol class=\"around\">\n");
    for (size_t i = 0; i < around->node_count; i++) {
        const fl_graph_neighbour *near = &around->nodes[i];
        if (near->depth < 2)
            continue;
        fl_html(out, "<li><span class=\"modality\">$</span> ", fl_node_kind_name(near->node.kind));
        web_node_link(out, &near->node);
        fl_buf_text(out, "</li>\n");
    }
    fl_buf_text(out, "</ol>\n");
    if (around->cut != FL_GRAPH_WHOLE)
        fl_buf_text(out, "<p class=\"dim\">There is more around it than was looked at.</p>\n");
    fl_buf_text(out, "</section>\n");
}

/* From the node itself outwards. */
void web_put_node(fl_buf *out, const web_node *of)
{
    const fl_graph_node *node = &of->view.node;
    assert(node->key != NULL);
    fl_html(out,
            "<article class=\"node\"><p class=\"crumb\">$ <span class=\"id\">$</span> known since ",
            fl_node_kind_name(node->kind), node->title != NULL ? node->key : "");
    web_time(out, node->recorded_ns);
    fl_html(out, "</p>\n<h2 class=\"name\">$</h2>\n", web_node_name(node));
    if (node->kind == FL_NODE_INCIDENT)
        fl_html(out, "<p><a href=\"/incidents/@\">Its page</a></p>\n", node->key);
    put_picture(out, &of->view);
    fl_buf_text(out, "<div class=\"columns\">\n");
    put_links(out, &of->view);
    fl_buf_text(out, "<div>\n");
    if (of->has_memory)
        web_put_paths(out, &of->memory);
    put_around(out, &of->around);
    fl_buf_text(out, "</div></div></article>\n");
}
