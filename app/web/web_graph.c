/*
 * web_graph.c - the knowledge graph: search for a node, and what there is of one.
 *
 *   /graph                      every node, a hundred at a time
 *   /graph?q=WORD&kind=KIND     those that fit
 *   /graph?node=NODE            one of them (web_node.c); NODE is what graph_find.h takes
 *
 * Everything is bounded by rows and by time, so that a graph of millions answers as one of
 * hundreds does; what was cut is said.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "graph_find.h"
#include "graph_search.h"
#include "page.h"
#include "timestamp.h"
#include "web_priv.h"

enum { MOST_FOUND = 100, MOST_AROUND = 60, AROUND_DEPTH = 2, ARENA_BYTES = 128 << 20 };
static const int64_t answer_ns = 500 * FL_NS_PER_MS;
static const int64_t around_ns = 150 * FL_NS_PER_MS; /* it is the least of the page */

/* An incident is known by its id; others by their words, where they have some. */
const char *web_node_name(const fl_graph_node *node)
{
    if (node->key == NULL)
        return "?"; /* not there, in a damaged store */
    return node->title != NULL && node->kind != FL_NODE_INCIDENT ? node->title : node->key;
}

/* By id: a key may be a sentence. */
void web_node_link(fl_buf *out, const fl_graph_node *node)
{
    char id[WEB_AGE_TEXT];
    (void)snprintf(id, sizeof(id), "%llu", (unsigned long long)node->id);
    fl_html(out, "<a href=\"/graph?node=@\">$</a>", id, web_node_name(node));
}

/* The form stays on the page of a node: the next question often is about another one. */
static void put_form(fl_buf *out, const char *word, const char *kind)
{
    fl_html(out,
            "<div class=\"bar-row\"><h1>Knowledge graph</h1>\n<form class=\"filter\" "
            "action=\"/graph\" role=\"search\"><label>Search <input type=\"search\" name=\"q\" "
            "value=\"$\" autocomplete=\"off\" data-key=\"/\"></label>\n<label>Kind "
            "<select name=\"kind\"><option value=\"\">any</option>",
            word);
    for (fl_node_kind k = 0; k < FL_NODE_KIND_COUNT; k++)
        fl_html(out, "<option value=\"$\"$>$</option>", fl_node_kind_name(k),
                kind != NULL && strcmp(kind, fl_node_kind_name(k)) == 0 ? " selected" : "",
                fl_node_kind_name(k));
    fl_buf_text(out, "</select></label>\n<button>Search</button></form></div>\n");
}

/* Kind, words, and since when it is known. */
static void put_found(fl_buf *out, const fl_graph_found *found)
{
    char shown[FL_COUNT_TEXT], fitting[FL_COUNT_TEXT];
    assert(found->count <= found->fitting);
    if (found->count == 0) {
        fl_buf_text(out, "<p>The graph has no such node. <code>faultline graph init</code> loads "
                         "what is publicly known; what is confirmed of incidents comes by itself."
                         "</p>\n");
        return;
    }
    fl_html(out, "<p class=\"dim\">$ of $$ that fit.</p>\n", fl_page_count(shown, found->count),
            fl_page_count(fitting, found->fitting),
            found->cut == FL_GRAPH_CUT_TIME ? ", and perhaps more," : "");
    fl_buf_text(out, "<table class=\"nodes\"><caption class=\"hidden\">Nodes</caption><thead><tr>"
                     "<th scope=\"col\">Kind</th><th scope=\"col\">What</th>"
                     "<th scope=\"col\">Known since</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < found->count; i++) {
        const fl_graph_node *node = &found->nodes[i];
        fl_html(out, "<tr><td class=\"modality\">$</td><td>", fl_node_kind_name(node->kind));
        web_node_link(out, node);
        fl_buf_text(out, "</td><td class=\"age\">");
        web_time(out, node->recorded_ns);
        fl_buf_text(out, "</td></tr>\n");
    }
    fl_buf_text(out, "</tbody></table>\n");
}

/* What is known of a symptom leads somewhere: to causes and fixes. */
static fl_status recall(web_node *out, fl_store *store, fl_arena *arena, fl_error *err)
{
    const fl_symptoms symptoms = {.nodes = &out->view.node, .count = 1};
    const fl_memory_question question = {.symptoms = &symptoms,
                                         .now_ns = out->now_ns,
                                         .most_paths = 10,
                                         .most_fixes = 3,
                                         .most_similar = 1,
                                         .time_ns = answer_ns};
    if (out->view.node.kind != FL_NODE_SYMPTOM)
        return FL_OK;
    out->has_memory = true;
    return fl_memory_recall(&out->memory, store, &question, arena, err);
}

/* Each part has its own bound; all are of one moment of the store. */
static fl_status read_node(web_node *out, fl_store *store, const char *word, fl_arena *arena,
                           fl_error *err)
{
    fl_graph_node node;
    const fl_graph_around_question around = {.node = &node,
                                             .depth = AROUND_DEPTH,
                                             .most = MOST_AROUND,
                                             .time_ns = around_ns,
                                             .as_of_ns = FL_GRAPH_NOW,
                                             .by_rank = true};
    const fl_graph_find_question find = {
        .word = word, .as_of_ns = FL_GRAPH_NOW, .time_ns = answer_ns};
    fl_status status = fl_graph_find(&node, store, &find, arena, err);
    if (status == FL_OK)
        status = fl_graph_view_node(&out->view, store, &node, out->now_ns, arena, err);
    if (status == FL_OK)
        status = fl_graph_view_around(&out->around, store, &around, arena, err);
    return status == FL_OK ? recall(out, store, arena, err) : status;
}

/* What was asked for, out of the store into the arena. */
typedef struct answer {
    const char *word, *kind, *node_word;
    web_node node;
    fl_graph_found found;
} answer;

/* A node, or those that fit. */
static fl_status read_answer(answer *a, fl_store *store, fl_arena *arena, fl_error *err)
{
    const fl_graph_search_question question = {.word = a->word,
                                               .kind = a->kind,
                                               .most = MOST_FOUND,
                                               .as_of_ns = FL_GRAPH_NOW,
                                               .time_ns = answer_ns};
    return a->node_word != NULL ? read_node(&a->node, store, a->node_word, arena, err)
                                : fl_graph_search(&a->found, store, &question, arena, err);
}

/* The form is on every page. */
static void put_page(fl_buf *out, const fl_web *web, const answer *a)
{
    const web_frame frame = {.title = a->node_word != NULL ? web_node_name(&a->node.view.node)
                                                           : "Knowledge graph",
                             .here = "/graph"};
    web_begin(out, web, &frame);
    put_form(out, a->word, a->kind);
    if (a->node_word != NULL)
        web_put_node(out, &a->node);
    else
        put_found(out, &a->found);
    web_end(out);
}

/* An empty field of the form is none. */
static const char *given(const fl_http_request *request, const char *name)
{
    const char *value = fl_http_query(request, name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Nothing is written before all is read. */
void web_graph(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    fl_web *web = context;
    fl_error err = {0};
    fl_store *store = NULL;
    fl_arena arena = fl_arena_of(ARENA_BYTES);
    answer a = {.word = given(request, "q"),
                .kind = given(request, "kind"),
                .node_word = given(request, "node"),
                .node = {.now_ns = web_now(web)}};
    assert(strcmp(request->path, "/graph") == 0);
    if (web_refuse(web, request, reply))
        return;
    fl_status status = web_borrow(&store, web, &err);
    if (status == FL_OK)
        status = read_answer(&a, store, &arena, &err);
    web_return(web, store, status);
    if (status == FL_OK) {
        fl_buf page = fl_buf_of(WEB_MAX_PAGE);
        put_page(&page, web, &a);
        web_send(reply, request, &page);
    } else {
        unsigned code = status == FL_E_SYNTAX ? 400 : web_code_of(status);
        web_complain(web, request, reply, code, err.message);
    }
    fl_arena_dispose(&arena);
}
