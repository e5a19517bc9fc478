/*
 * graph_check.c - one walk over each table, in the order in which rows refer to each other: what
 * was met is kept by its id, so that a reference is one look.
 *
 * Nothing here trusts what the store checked when a row was added: rows may have been written by
 * another program, or the file may have been damaged since.
 */
#include "graph_check.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check_circle.h"
#include "map.h"
#include "slice.h"
#include "utf8.h"

/* A store beyond that is checked by its database. */
#define MAX_ROWS (256u << 20)

static const struct {
    const char *name;
    bool is_note;
} kinds[FL_FAULT_KIND_COUNT] = {
    [FL_FAULT_DATABASE] = {"database", false},
    [FL_FAULT_UNKNOWN_KIND] = {"unknown-kind", false},
    [FL_FAULT_WRONG_ID] = {"wrong-id", false},
    [FL_FAULT_TEXT] = {"text", false},
    [FL_FAULT_DANGLING_EDGE] = {"dangling-edge", false},
    [FL_FAULT_FORBIDDEN_EDGE] = {"forbidden-edge", false},
    [FL_FAULT_STRAY_EVIDENCE] = {"stray-evidence", false},
    [FL_FAULT_CIRCLE] = {"circle", false},
    [FL_FAULT_BEYOND_CAP] = {"beyond-cap", true},
    [FL_FAULT_FUTURE] = {"future", true},
};

/* What one author says of one edge from one source: a run in the order of the store. */
typedef struct author_run {
    uint64_t edge;
    fl_evidence_source source;
    char author[FL_MAX_NODE_KEY_BYTES + 1];
    uint64_t items;
} author_run;

typedef struct check {
    fl_graph_checked *out;
    fl_graph_visit_fault *visit;
    void *payload;
    int64_t now_ns;
    fl_map *nodes; /* id -> kind + 1 */
    fl_map *edges; /* id -> 1 */
    fl_circle circle;
    author_run run;
} check;

/* Part of the JSON contract: names are not changed. */
const char *fl_fault_kind_name(fl_fault_kind kind)
{
    assert(kind < FL_FAULT_KIND_COUNT);
    return kinds[kind].name;
}

bool fl_fault_is_note(fl_fault_kind kind)
{
    assert(kind < FL_FAULT_KIND_COUNT);
    return kinds[kind].is_note;
}

uint64_t fl_graph_checked_faults(const fl_graph_checked *checked)
{
    uint64_t sum = 0;
    for (fl_fault_kind kind = 0; kind < FL_FAULT_KIND_COUNT; kind++)
        sum += fl_fault_is_note(kind) ? 0 : checked->counts[kind];
    return sum;
}

/* Counted, and handed on in words. */
static fl_status say(check *c, fl_fault_kind kind, uint64_t id, fl_error *err, const char *format,
                     ...) FL_PRINTF(5, 6);
static fl_status say(check *c, fl_fault_kind kind, uint64_t id, fl_error *err, const char *format,
                     ...)
{
    char sentence[256];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    c->out->counts[kind]++;
    const fl_graph_fault fault = {.kind = kind, .id = id, .sentence = sentence};
    return c->visit(&fault, c->payload, err);
}

/* NULL is no text, and fine. */
static fl_status check_text(check *c, uint64_t id, const char *what, const char *text, size_t limit,
                            fl_error *err)
{
    fl_slice bytes = fl_slice_of(text);
    if (bytes.len > limit)
        return say(c, FL_FAULT_TEXT, id, err, "%s has %zu bytes, and may have %zu", what, bytes.len,
                   limit);
    if (fl_utf8_valid_prefix(bytes) != bytes.len)
        return say(c, FL_FAULT_TEXT, id, err, "%s is not UTF-8", what);
    return FL_OK;
}

/* Two machines may disagree by seconds; the note says that one of them is ahead. */
static fl_status check_recorded(check *c, uint64_t id, int64_t recorded_ns, fl_error *err)
{
    return recorded_ns > c->now_ns ? say(c, FL_FAULT_FUTURE, id, err, "recorded later than now")
                                   : FL_OK;
}

/* ---- rows ---- */

/* Every fault of a row is said, not only the first: they have one cause seldom enough. */
static fl_status visit_node(const fl_graph_node *node, void *payload, fl_error *err)
{
    check *c = payload;
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, c->nodes, node->id, NULL, err);
    if (status != FL_OK)
        return status;
    c->out->nodes++;
    *slot = (uint64_t)node->kind + 1;
    if (node->key[0] == '\0')
        status = say(c, FL_FAULT_TEXT, node->id, err, "a %s without a key",
                     fl_node_kind_name(node->kind));
    if (status == FL_OK && node->id != fl_node_id(node->kind, fl_slice_of(node->key)))
        status = say(c, FL_FAULT_WRONG_ID, node->id, err, "the %s \"%.80s\" has not its own id",
                     fl_node_kind_name(node->kind), node->key);
    if (status == FL_OK)
        status = check_text(c, node->id, "a key", node->key, FL_MAX_NODE_KEY_BYTES, err);
    if (status == FL_OK)
        status = check_text(c, node->id, "a title", node->title, FL_MAX_GRAPH_TEXT_BYTES, err);
    return status == FL_OK ? check_recorded(c, node->id, node->recorded_ns, err) : status;
}

/* The first end that is missing; the kinds can be judged only where both are there. */
static fl_status check_ends(check *c, const fl_graph_edge *edge, fl_error *err)
{
    const char *name = fl_edge_kind_name(edge->kind);
    const uint64_t *from = fl_map_find(c->nodes, edge->from), *to = fl_map_find(c->nodes, edge->to);
    if (from == NULL || to == NULL)
        return say(c, FL_FAULT_DANGLING_EDGE, edge->id, err,
                   "an edge \"%s\" %s node %" PRIu64 ", which is not there", name,
                   from == NULL ? "leaves" : "enters", from == NULL ? edge->from : edge->to);
    fl_node_kind from_kind = (fl_node_kind)(*from - 1), to_kind = (fl_node_kind)(*to - 1);
    if (fl_edge_allowed(edge->kind, from_kind, to_kind))
        return FL_OK;
    return say(c, FL_FAULT_FORBIDDEN_EDGE, edge->id, err, "an edge \"%s\" leads from a %s to a %s",
               name, fl_node_kind_name(from_kind), fl_node_kind_name(to_kind));
}

/* `introduced` is the one kind whose edges together must not lead back. */
static fl_status visit_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    check *c = payload;
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, c->edges, edge->id, NULL, err);
    if (status != FL_OK)
        return status;
    c->out->edges++;
    *slot = 1;
    if (edge->id != fl_edge_id(edge->kind, edge->from, edge->to, fl_slice_of(edge->qualifier)))
        status = say(c, FL_FAULT_WRONG_ID, edge->id, err, "an edge \"%s\" has not its own id",
                     fl_edge_kind_name(edge->kind));
    if (status == FL_OK)
        status =
            check_text(c, edge->id, "a qualifier", edge->qualifier, FL_MAX_NODE_KEY_BYTES, err);
    if (status == FL_OK)
        status = check_ends(c, edge, err);
    if (status == FL_OK && edge->kind == FL_EDGE_INTRODUCED)
        status = fl_circle_add(&c->circle, edge->from, edge->to, err);
    return status == FL_OK ? check_recorded(c, edge->id, edge->recorded_ns, err) : status;
}

/* The run is over: does it weigh more than its author may? A drill weighs nothing; the curated
 * library names as many references as it has, and the cap is what they are meant to come to. */
static fl_status end_run(check *c, fl_error *err)
{
    const author_run *run = &c->run;
    double weight = (double)run->items * fl_source_weight(run->source);
    double cap = fl_source_cap(run->source);
    if (run->items == 0 || weight <= cap || run->source == FL_SOURCE_LIBRARY)
        return FL_OK;
    return say(c, FL_FAULT_BEYOND_CAP, run->edge, err,
               "%.80s (%s) says %" PRIu64 " things of one edge: they count as %g of %g",
               run->author, fl_source_name(run->source), run->items, cap, weight);
}

/* Items of an author follow each other in the order of the store. */
static fl_status note_author(check *c, const fl_graph_evidence *item, fl_error *err)
{
    author_run *run = &c->run;
    fl_status status = FL_OK;
    bool same = run->items > 0 && run->edge == item->edge && run->source == item->source &&
                strncmp(run->author, item->author, FL_MAX_NODE_KEY_BYTES) == 0;
    if (!same) {
        status = end_run(c, err);
        run->edge = item->edge;
        run->source = item->source;
        run->items = 0;
        snprintf(run->author, sizeof(run->author), "%s", item->author);
    }
    run->items++;
    return status;
}

/* The store orders evidence by edge, source and author, whatever is wrong with it. */
static fl_status visit_evidence(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    check *c = payload;
    fl_status status = FL_OK;
    c->out->evidence++;
    if (item->id != fl_graph_evidence_id(item))
        status = say(c, FL_FAULT_WRONG_ID, item->id, err, "what %.80s says has not its own id",
                     item->author);
    if (status == FL_OK && fl_map_find(c->edges, item->edge) == NULL)
        status = say(c, FL_FAULT_STRAY_EVIDENCE, item->id, err,
                     "what %.80s says is for edge %" PRIu64 ", which is not there", item->author,
                     item->edge);
    if (status == FL_OK)
        status = check_text(c, item->id, "an author", item->author, FL_MAX_NODE_KEY_BYTES, err);
    if (status == FL_OK)
        status =
            check_text(c, item->id, "a reference", item->reference, FL_MAX_REFERENCE_BYTES, err);
    if (status == FL_OK)
        status = check_text(c, item->id, "a note", item->note, FL_MAX_GRAPH_TEXT_BYTES, err);
    if (status == FL_OK)
        status = note_author(c, item, err);
    return status == FL_OK ? check_recorded(c, item->id, item->recorded_ns, err) : status;
}

/* ---- tables ---- */

/* A row of a kind that is not known ends its table's walk, and is a fault; a failure of the visit
 * itself is never FL_E_SYNTAX. */
static fl_status end_table(check *c, fl_status status, const fl_error *inner, fl_error *err)
{
    if (status == FL_E_SYNTAX)
        return say(c, FL_FAULT_UNKNOWN_KIND, 0, err, "%s", inner->message);
    return status == FL_OK ? FL_OK : fl_fail(err, status, inner->offset, "%s", inner->message);
}

/* In the database's own words. */
static fl_status visit_database(const char *sentence, void *payload, fl_error *err)
{
    return say(payload, FL_FAULT_DATABASE, 0, err, "%s", sentence);
}

/* As of one moment: a reference to a row that is being written is no fault. */
static fl_status check_tables(check *c, fl_store *store, fl_error *err)
{
    const fl_graph_question all = {.as_of_ns = FL_GRAPH_NOW};
    fl_error inner = {0};
    fl_status status = fl_graph_nodes(store, &all, visit_node, c, &inner);
    status = end_table(c, status, &inner, err);
    inner = (fl_error){0};
    if (status == FL_OK)
        status = end_table(c, fl_graph_edges(store, &all, visit_edge, c, &inner), &inner, err);
    inner = (fl_error){0};
    if (status == FL_OK)
        status = end_table(c, fl_graph_evidence_for(store, &all, visit_evidence, c, &inner), &inner,
                           err);
    return status == FL_OK ? end_run(c, err) : status;
}

/* Kinds that may be joined leave no way to make one; other programs do not ask. */
static fl_status check_circles(check *c, fl_error *err)
{
    size_t count;
    fl_status status = fl_circle_find(&count, &c->circle, err);
    if (status != FL_OK || count == 0)
        return status;
    return say(c, FL_FAULT_CIRCLE, 0, err,
               "%zu nodes lie in circles of \"introduced\", or between two of them", count);
}

fl_status fl_graph_check(fl_graph_checked *out, fl_store *store, int64_t now_ns,
                         fl_graph_visit_fault *visit, void *payload, fl_error *err)
{
    assert(out != NULL && store != NULL && visit != NULL);
    *out = (fl_graph_checked){0};
    check c = {.out = out, .visit = visit, .payload = payload, .now_ns = now_ns};
    fl_status status = fl_map_create(&c.nodes, MAX_ROWS, err);
    if (status == FL_OK)
        status = fl_map_create(&c.edges, MAX_ROWS, err);
    if (status == FL_OK)
        status = fl_store_check(store, visit_database, &c, err);
    if (status == FL_OK)
        status = fl_store_hold(store, err);
    if (status == FL_OK) {
        status = check_tables(&c, store, err);
        fl_store_release(store);
    }
    if (status == FL_OK)
        status = check_circles(&c, err);
    fl_map_destroy(c.nodes);
    fl_map_destroy(c.edges);
    fl_circle_dispose(&c.circle);
    return status;
}
