/*
 * view_node.c - one node: its edges, the far ends, and the evidence, each asked for at once.
 */
#include <assert.h>
#include <stdlib.h>

#include "graph_find.h"
#include "graph_view.h"
#include "hash.h"
#include "mem.h"
#include "slice.h"

typedef struct view {
    fl_arena *arena;
    fl_graph_node_view *out;
    uint64_t self;
    bool leaves;
    fl_graph_link *links;
    size_t count;
    /* of the edge whose evidence is read */
    fl_graph_link *of;
    fl_graph_evidence *evidence;
    size_t room;
    int64_t as_of_ns;
} view;

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for a part of the graph");
}

/* A copy in the arena; NULL stays NULL, and *ok turns false for want of memory. */
static const char *copy_text(const char *text, fl_arena *arena, bool *ok)
{
    const char *copy = text != NULL ? fl_arena_cstr(arena, fl_slice_of(text)) : NULL;
    *ok = *ok && (text == NULL || copy != NULL);
    return copy;
}

/* An edge from a node to itself both leaves and enters; it is listed once. */
static fl_status keep_link(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    view *v = payload;
    bool ok = true;
    if (!v->leaves && edge->from == edge->to)
        return FL_OK;
    if (v->count == FL_VIEW_MAX_LINKS) {
        v->out->cut = true;
        return FL_OK;
    }
    fl_graph_link *link = &v->links[v->count++];
    *link = (fl_graph_link){.edge = *edge, .leaves = v->leaves};
    link->edge.qualifier = copy_text(edge->qualifier, v->arena, &ok);
    link->other.id = v->leaves ? edge->to : edge->from;
    return ok ? FL_OK : no_memory(err);
}

/* Both sides share the bound: what leaves is read first, since causes and fixes lie there. */
static fl_status read_links(view *v, fl_store *store, fl_error *err)
{
    fl_graph_question question = {.scope = FL_GRAPH_OUT,
                                  .id = v->self,
                                  .as_of_ns = v->as_of_ns,
                                  .limit = FL_VIEW_MAX_LINKS + 1};
    v->leaves = true;
    fl_status status = fl_graph_edges(store, &question, keep_link, v, err);
    question.scope = FL_GRAPH_IN;
    v->leaves = false;
    return status == FL_OK ? fl_graph_edges(store, &question, keep_link, v, err) : status;
}

/* Several edges may lead to one node. */
static fl_status keep_other(const fl_graph_node *node, void *payload, fl_error *err)
{
    view *v = payload;
    fl_graph_node copy;
    fl_status status = fl_graph_node_copy(&copy, node, v->arena, err);
    for (size_t i = 0; status == FL_OK && i < v->count; i++)
        if (v->links[i].other.id == node->id)
            v->links[i].other = copy;
    return status;
}

/* In one question, whatever their number: a node may have a thousand edges. */
static fl_status read_others(view *v, fl_store *store, uint64_t *ids, fl_error *err)
{
    for (size_t i = 0; i < v->count; i++)
        ids[i] = v->links[i].other.id;
    const fl_graph_question question = {.scope = FL_GRAPH_ONE,
                                        .as_of_ns = v->as_of_ns,
                                        .ids = ids,
                                        .id_count = fl_graph_sort_ids(ids, v->count)};
    return fl_graph_nodes(store, &question, keep_other, v, err);
}

/* The arena does not give back what grows out of its place; doubling wastes at most as much again.
 */
static fl_status keep_evidence(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    view *v = payload;
    fl_graph_link *link = v->of;
    bool ok = true;
    if (link->evidence_count == FL_VIEW_MAX_EVIDENCE) {
        v->out->cut = true;
        return FL_OK;
    }
    if (link->evidence_count == v->room) {
        size_t room = v->room > 0 ? 2 * v->room : 16;
        fl_graph_evidence *more = fl_arena_alloc(v->arena, room, sizeof(*more));
        if (more == NULL)
            return no_memory(err);
        if (v->room > 0)
            memcpy(more, v->evidence, v->room * sizeof(*more));
        v->evidence = more;
        v->room = room;
    }
    fl_graph_evidence copy = *item;
    copy.author = copy_text(item->author, v->arena, &ok);
    copy.reference = copy_text(item->reference, v->arena, &ok);
    copy.note = copy_text(item->note, v->arena, &ok);
    v->evidence[link->evidence_count++] = copy;
    *(item->supports ? &link->supporting : &link->contradicting) += 1;
    link->last_ns = item->at_ns > link->last_ns ? item->at_ns : link->last_ns;
    return ok ? FL_OK : no_memory(err);
}

/* The prior where there is no evidence. */
static fl_status weigh(fl_graph_link *link, int64_t as_of_ns, fl_error *err)
{
    fl_observation *items = fl_mem_alloc((link->evidence_count + 1) * sizeof(*items));
    if (items == NULL)
        return no_memory(err);
    for (size_t i = 0; i < link->evidence_count; i++) {
        const fl_graph_evidence *e = &link->evidence[i];
        items[i] = (fl_observation){.source = e->source,
                                    .author = fl_hash_stable(fl_slice_of(e->author)),
                                    .supports = e->supports,
                                    .at_ns = e->at_ns};
    }
    fl_confidence_of(&link->confidence, items, link->evidence_count, FL_HALF_LIFE_DAYS, as_of_ns);
    fl_mem_free(items);
    return FL_OK;
}

/* An edge a question: the bound on items holds for each edge by itself. */
static fl_status read_evidence(view *v, fl_store *store, fl_graph_link *link, fl_error *err)
{
    const fl_graph_question question = {.scope = FL_GRAPH_ONE,
                                        .id = link->edge.id,
                                        .as_of_ns = v->as_of_ns,
                                        .limit = FL_VIEW_MAX_EVIDENCE + 1};
    v->of = link;
    v->evidence = NULL;
    v->room = 0;
    fl_status status = fl_graph_evidence_for(store, &question, keep_evidence, v, err);
    link->evidence = v->evidence;
    return status == FL_OK ? weigh(link, v->as_of_ns, err) : status;
}

/* What nothing is known of comes last; ids settle a tie, so that the order is the same everywhere.
 */
static int compare_links(const void *a, const void *b)
{
    const fl_graph_link *x = a, *y = b;
    bool x_known = x->evidence_count > 0, y_known = y->evidence_count > 0;
    if (x_known != y_known)
        return x_known ? -1 : 1;
    if (x->confidence.low != y->confidence.low)
        return x->confidence.low > y->confidence.low ? -1 : 1;
    if (x->edge.kind != y->edge.kind)
        return x->edge.kind < y->edge.kind ? -1 : 1;
    return (x->edge.id > y->edge.id) - (x->edge.id < y->edge.id);
}

/* Edges, then far ends, then evidence: each step knows what the next one asks for. */
fl_status fl_graph_view_node(fl_graph_node_view *out, fl_store *store, const fl_graph_node *node,
                             int64_t as_of_ns, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && node != NULL);
    *out = (fl_graph_node_view){.node = *node};
    view v = {.arena = arena,
              .out = out,
              .self = node->id,
              .as_of_ns = as_of_ns,
              .links = fl_arena_alloc(arena, FL_VIEW_MAX_LINKS, sizeof(*v.links))};
    uint64_t *ids = fl_arena_alloc(arena, FL_VIEW_MAX_LINKS, sizeof(*ids));
    if (v.links == NULL || ids == NULL)
        return no_memory(err);
    fl_status status = read_links(&v, store, err);
    if (status == FL_OK && v.count > 0)
        status = read_others(&v, store, ids, err);
    for (size_t i = 0; status == FL_OK && i < v.count; i++)
        status = read_evidence(&v, store, &v.links[i], err);
    if (status != FL_OK)
        return status;
    qsort(v.links, v.count, sizeof(*v.links), compare_links);
    out->links = v.links;
    out->link_count = v.count;
    return FL_OK;
}
