/*
 * graph_live.c - a kind of store that answers from graph_live_rows.h, and what keeps those fresh.
 *
 * A refresh reads first and changes then: what the store cannot give leaves the graph as it was.
 * Edges that were read and not linked yet are linked by the next one. Where memory runs out while
 * it is changed, everything is forgotten, and the store answers until it is read again.
 */
#include "graph_live.h"

#include <assert.h>

#include "graph_live_rows.h"
#include "mem.h"
#include "store_priv.h"

typedef struct live_store {
    fl_store base;
    fl_store *behind;
    fl_live_rows rows;
    fl_graph_mark mark; /* set where the rows are the graph as it was then */
} live_store;

extern const fl_store_kind fl_store_live;

/* One sentence for every allocation here. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the graph");
}

/* A store that is not one of these is a mistake of the caller. */
static fl_store *behind(fl_store *base)
{
    assert(base->kind == &fl_store_live);
    return ((live_store *)base)->behind;
}

/* ---- answers ---- */

/* One id of a question. */
typedef struct asked {
    const live_store *store;
    const fl_graph_question *question;
    const fl_graph_walk *to;
} asked;

/* Edges on one side of a node: what is too new is passed over and does not count. */
static fl_status tell_edges(const asked *a, uint64_t id, fl_error *err)
{
    const fl_live_rows *rows = &a->store->rows;
    size_t left = a->question->limit != 0 ? a->question->limit : SIZE_MAX;
    const fl_live_node *node = fl_live_rows_node(rows, id);
    fl_live_run run = {0};
    if (node != NULL)
        run = a->question->scope == FL_GRAPH_OUT ? node->out : node->in;
    for (uint32_t i = 0; i < run.count && left > 0; i++) {
        fl_graph_edge edge;
        fl_live_rows_tell_edge(&edge, rows, rows->places[run.from + i]);
        if (edge.recorded_ns > a->question->as_of_ns)
            continue;
        left--;
        fl_status status = a->to->edge(&edge, a->to->payload, err);
        if (status != FL_OK)
            return status;
    }
    return FL_OK;
}

/* The edge itself. */
static fl_status tell_edge(const asked *a, uint64_t id, fl_error *err)
{
    const fl_live_edge *found = fl_live_rows_edge(&a->store->rows, id);
    fl_graph_edge edge;
    if (found == NULL || found->recorded_ns > a->question->as_of_ns)
        return FL_OK;
    fl_live_rows_tell_edge(&edge, &a->store->rows, (uint32_t)(found - a->store->rows.edges));
    return a->to->edge(&edge, a->to->payload, err);
}

/* All evidence for one edge, in the order of the store. */
static fl_status tell_items(const asked *a, uint64_t id, fl_error *err)
{
    const fl_live_edge *edge = fl_live_rows_edge(&a->store->rows, id);
    size_t left = a->question->limit != 0 ? a->question->limit : SIZE_MAX;
    for (uint32_t i = 0; edge != NULL && i < edge->items.count && left > 0; i++) {
        fl_graph_evidence item;
        fl_live_rows_tell_item(&item, &a->store->rows, id, edge->items.from + i);
        if (item.recorded_ns > a->question->as_of_ns)
            continue;
        left--;
        fl_status status = a->to->evidence(&item, a->to->payload, err);
        if (status != FL_OK)
            return status;
    }
    return FL_OK;
}

/* Each id of the question, in the order in which they are given. */
static fl_status tell_each(const asked *a, fl_status (*tell)(const asked *, uint64_t, fl_error *),
                           fl_error *err)
{
    const fl_graph_question *question = a->question;
    fl_status status = FL_OK;
    if (question->ids == NULL)
        return tell(a, question->id, err);
    for (size_t i = 0; status == FL_OK && i < question->id_count; i++)
        status = tell(a, question->ids[i], err);
    return status;
}

/* Everything at once is asked once, and not worth an order of its own. */
static bool answers(const live_store *live, const fl_graph_question *question)
{
    return live->mark.is_set && question->scope != FL_GRAPH_ALL;
}

/* A node where its edges lead, once it was read; NULL: the store is to be asked. */
static const fl_live_node *named_node(const live_store *live, uint64_t id)
{
    const fl_live_node *node = fl_live_rows_node(&live->rows, id);
    return node != NULL && node->key != FL_LIVE_NO_TEXT ? node : NULL;
}

static fl_status tell_node(const asked *a, uint64_t id, fl_error *err)
{
    const fl_live_node *found = named_node(a->store, id);
    fl_graph_node node;
    assert(found != NULL);
    if (found->recorded_ns > a->question->as_of_ns)
        return FL_OK;
    fl_live_rows_tell_node(&node, &a->store->rows, found);
    return a->to->node(&node, a->to->payload, err);
}

static bool knows_nodes(const live_store *live, const fl_graph_question *question)
{
    const uint64_t *ids = question->ids != NULL ? question->ids : &question->id;
    size_t count = question->ids != NULL ? question->id_count : 1, i = 0;
    while (i < count && named_node(live, ids[i]) != NULL)
        i++;
    return i == count;
}

/* Whoever asked, and the rows that keep what the store says. */
typedef struct passing {
    fl_live_rows *rows;
    const fl_graph_walk *to;
} passing;

/* Without memory for it, it is asked again the next time. */
static fl_status keep_and_tell(const fl_graph_node *node, void *payload, fl_error *err)
{
    const passing *p = payload;
    fl_status kept = fl_live_rows_name_node(p->rows, node, NULL);
    (void)kept;
    return p->to->node(node, p->to->payload, err);
}

/* Nodes of edges that came since everything was read are asked of the store once. */
static fl_status live_nodes(fl_store *base, const fl_graph_question *question,
                            fl_graph_visit_node *visit, void *payload, fl_error *err)
{
    live_store *live = (live_store *)base;
    const fl_graph_walk to = {.node = visit, .payload = payload};
    const asked a = {.store = live, .question = question, .to = &to};
    passing p = {.rows = &live->rows, .to = &to};
    if (!answers(live, question))
        return fl_graph_nodes(behind(base), question, visit, payload, err);
    if (knows_nodes(live, question))
        return tell_each(&a, tell_node, err);
    return fl_graph_nodes(behind(base), question, keep_and_tell, &p, err);
}

static fl_status live_edges(fl_store *base, const fl_graph_question *question,
                            fl_graph_visit_edge *visit, void *payload, fl_error *err)
{
    const live_store *live = (const live_store *)base;
    const fl_graph_walk to = {.edge = visit, .payload = payload};
    const asked a = {.store = live, .question = question, .to = &to};
    if (!answers(live, question))
        return fl_graph_edges(behind(base), question, visit, payload, err);
    return tell_each(&a, question->scope == FL_GRAPH_ONE ? tell_edge : tell_edges, err);
}

static fl_status live_evidence(fl_store *base, const fl_graph_question *question,
                               fl_graph_visit_evidence *visit, void *payload, fl_error *err)
{
    const live_store *live = (const live_store *)base;
    const fl_graph_walk to = {.evidence = visit, .payload = payload};
    const asked a = {.store = live, .question = question, .to = &to};
    if (!answers(live, question))
        return fl_graph_evidence_for(behind(base), question, visit, payload, err);
    return tell_each(&a, tell_items, err);
}

/* It was checked, and is there after the next refresh. */
static fl_status live_add(fl_graph_added *added, fl_store *base, const fl_graph_batch *batch,
                          fl_error *err)
{
    fl_store *to = behind(base);
    return to->kind->graph->add(added, to, batch, err);
}

static fl_status live_changed(fl_graph_mark *mark, fl_store *base, fl_graph_visit_id *visit,
                              void *payload, fl_error *err)
{
    return fl_graph_changed(mark, behind(base), visit, payload, err);
}

/* ---- what is not the graph ---- */

/* The store behind stays open: it is the caller's. */
static void live_close(fl_store *base)
{
    live_store *live = (live_store *)base;
    fl_live_rows_dispose(&live->rows);
    fl_mem_free(live);
}

static fl_status live_check(fl_store *base, fl_store_fault *visit, void *payload, fl_error *err)
{
    return fl_store_check(behind(base), visit, payload, err);
}

static fl_status live_hold(fl_store *base, fl_error *err)
{
    return fl_store_hold(behind(base), err);
}

static void live_release(fl_store *base)
{
    fl_store_release(behind(base));
}

static fl_status live_put(fl_store *base, const fl_incident *incident, fl_slice document,
                          int64_t now_ns, fl_error *err)
{
    return fl_store_put(behind(base), incident, document, now_ns, err);
}

static bool live_is_there(fl_store *base)
{
    return fl_store_is_there(behind(base));
}

static fl_status live_find(fl_store *base, const fl_store_question *question, fl_store_visit *visit,
                           void *payload, fl_error *err)
{
    return fl_store_find(behind(base), question, visit, payload, err);
}

static fl_status live_get(fl_store *base, const char *id_prefix, char **document, fl_error *err)
{
    return fl_store_get(behind(base), id_prefix, document, err);
}

static fl_status live_stamp(int64_t *stored_ns, bool *is_there, fl_store *base, const char *id,
                            fl_error *err)
{
    return behind(base)->kind->stamp(stored_ns, is_there, behind(base), id, err);
}

static const fl_graph_kind fl_graph_live = {
    .add = live_add,
    .nodes = live_nodes,
    .edges = live_edges,
    .evidence = live_evidence,
    .changed = live_changed,
    .is_near = true,
};

/* Without a scheme: it is opened over another store and not by a URL. */
const fl_store_kind fl_store_live = {
    .scheme = "",
    .close = live_close,
    .is_there = live_is_there,
    .check = live_check,
    .hold = live_hold,
    .release = live_release,
    .put = live_put,
    .find = live_find,
    .get = live_get,
    .stamp = live_stamp,
    .graph = &fl_graph_live,
};

fl_status fl_graph_live_open(fl_store **out, fl_store *base, fl_error *err)
{
    assert(base != NULL && base->kind != &fl_store_live);
    live_store *live = fl_mem_calloc(1, sizeof(*live));
    if (live == NULL)
        return no_memory(err);
    *live = (live_store){.base = {.kind = &fl_store_live}, .behind = base};
    *out = &live->base;
    return FL_OK;
}

size_t fl_graph_live_bytes(const fl_store *live)
{
    assert(live->kind == &fl_store_live);
    return fl_live_rows_bytes(&((const live_store *)live)->rows);
}

/* ---- refreshing ---- */

/* The items of one edge as they were read. */
typedef struct fresh_run {
    uint32_t edge;
    fl_live_run items;
} fresh_run;

/* One refresh. The arrays are of the heap and live as long as it. */
typedef struct refresh {
    fl_live_rows *rows;
    uint64_t *ids; /* of edges to be read */
    size_t id_count, id_room;
    fresh_run *runs;
    size_t run_count, run_room;
    uint64_t edge;    /* whose items are being read */
    size_t item_from; /* where they begin */
} refresh;

/* `items` with room for one more, or NULL. */
static void *grown(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t wanted = *room > 0 ? 2 * *room : 256;
    void *more = fl_mem_realloc(items, wanted, size);
    if (more != NULL)
        *room = wanted;
    return more;
}

/* Sorted later: ids come in no order, and more than once. */
static fl_status take_id(uint64_t id, void *payload, fl_error *err)
{
    refresh *r = payload;
    uint64_t *ids = grown(r->ids, r->id_count, &r->id_room, sizeof(*ids));
    if (ids == NULL)
        return no_memory(err);
    r->ids = ids;
    r->ids[r->id_count++] = id;
    return FL_OK;
}

/* One that is there is passed over: edges do not change. */
static fl_status take_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    return fl_live_rows_add_edge(((refresh *)payload)->rows, edge, err);
}

/* All items of an edge were read: nothing is taken away, so that as many as before are the same. */
static fl_status end_run(refresh *r, fl_error *err)
{
    fl_live_rows *rows = r->rows;
    size_t count = rows->item_count - r->item_from;
    const fl_live_edge *edge = count > 0 ? fl_live_rows_edge(rows, r->edge) : NULL;
    if (edge == NULL || edge->items.count == count) {
        rows->item_count = r->item_from;
        return FL_OK;
    }
    fresh_run *runs = grown(r->runs, r->run_count, &r->run_room, sizeof(*runs));
    if (runs == NULL)
        return no_memory(err);
    r->runs = runs;
    r->runs[r->run_count++] = (fresh_run){.edge = (uint32_t)(edge - rows->edges),
                                          .items = {(uint32_t)r->item_from, (uint32_t)count}};
    r->item_from = rows->item_count;
    return FL_OK;
}

/* The run of an edge ends where the next one begins. */
static fl_status take_item(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    refresh *r = payload;
    fl_status status = item->edge != r->edge ? end_run(r, err) : FL_OK;
    r->edge = item->edge;
    return status == FL_OK ? fl_live_rows_add_item(r->rows, item, err) : status;
}

/* Where an edge leads; of others nobody asks in a way that memory answers. */
static fl_status take_node(const fl_graph_node *node, void *payload, fl_error *err)
{
    return fl_live_rows_name_node(((refresh *)payload)->rows, node, err);
}

/* Edges before their evidence, and before the nodes that they lead to, which come with everything
 * only. */
static fl_status read_rows(refresh *r, fl_store *from, const fl_graph_question *question,
                           fl_error *err)
{
    fl_status status = fl_graph_edges(from, question, take_edge, r, err);
    if (status == FL_OK && question->scope == FL_GRAPH_ALL)
        status = fl_graph_nodes(from, question, take_node, r, err);
    if (status == FL_OK)
        status = fl_graph_evidence_for(from, question, take_item, r, err);
    return status == FL_OK ? end_run(r, err) : status;
}

/* What changed, or everything, at one moment of the store. */
static fl_status read_news(refresh *r, live_store *live, fl_graph_mark *mark, fl_error *err)
{
    fl_graph_question question = {.as_of_ns = FL_GRAPH_NOW};
    fl_status status = fl_store_hold(live->behind, err);
    if (status != FL_OK)
        return status;
    status = fl_graph_changed(mark, live->behind, take_id, r, err);
    if (status == FL_OK && (!live->mark.is_set || mark->is_lost)) {
        live->mark = (fl_graph_mark){0};
        fl_live_rows_dispose(&live->rows);
        status = fl_live_rows_open(&live->rows, err);
        r->item_from = 0;
    }
    question.scope = live->mark.is_set ? FL_GRAPH_ONE : FL_GRAPH_ALL;
    question.id_count = fl_graph_sort_ids(r->ids, r->id_count);
    question.ids = question.id_count > 0 ? r->ids : NULL;
    if (status == FL_OK && (!live->mark.is_set || question.id_count > 0))
        status = read_rows(r, live->behind, &question, err);
    fl_store_release(live->behind);
    return status;
}

/* Only memory can fail here. */
static fl_status apply(fl_graph_news *news, const refresh *r, fl_error *err)
{
    fl_live_rows *rows = r->rows;
    fl_status status = fl_live_rows_link(rows, err);
    for (size_t i = 0; status == FL_OK && i < r->run_count; i++) {
        news->evidence += r->runs[i].items.count - rows->edges[r->runs[i].edge].items.count;
        fl_live_rows_keep_items(rows, r->runs[i].edge, r->runs[i].items);
    }
    return status == FL_OK ? fl_live_rows_tidy(rows, err) : status;
}

/* The mark moves last: what failed half way is read again. */
fl_status fl_graph_live_refresh(fl_graph_news *news, fl_store *base, fl_error *err)
{
    assert(base->kind == &fl_store_live);
    live_store *live = (live_store *)base;
    fl_graph_mark mark = live->mark;
    fl_graph_news ignored;
    size_t items = live->rows.item_count, edges = live->rows.linked;
    refresh r = {.rows = &live->rows, .item_from = items};
    news = news != NULL ? news : &ignored;
    *news = (fl_graph_news){0};
    fl_status status = read_news(&r, live, &mark, err);
    news->is_whole = !live->mark.is_set;
    if (status != FL_OK && live->mark.is_set)
        live->rows.item_count = items; /* as it was */
    if (status == FL_OK)
        status = apply(news, &r, err);
    else if (live->mark.is_set)
        goto out;
    if (status != FL_OK) {
        live->mark = (fl_graph_mark){0};
        fl_live_rows_dispose(&live->rows);
        goto out;
    }
    news->edges = live->rows.linked - (news->is_whole ? 0 : edges);
    live->mark = mark;
out:
    fl_mem_free(r.ids);
    fl_mem_free(r.runs);
    return status;
}
