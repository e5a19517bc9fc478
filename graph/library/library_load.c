/*
 * library_load.c - items to one batch, and what the store has beyond it taken back.
 *
 * A batch may name a node twice: a fix that helps two causes. The store adds it once; what counts
 * here counts it once, by its id.
 *
 * Evidence is append-only: what a newer library no longer says is not deleted but contradicted, by
 * the same author with the same reference. Both sides then weigh the same and the edge has the mean
 * of the prior, while what people said of it counts on. An item that comes back needs a revision,
 * since its old evidence stands contradicted for ever; the revision makes new references of it.
 *
 * What is to be taken back is found from the causes that the library names, not by a walk over all
 * evidence: loading costs what the library holds, however large the store.
 *
 * The time of the evidence is that of its loading, not of the public incident: a bug of 2015 in a
 * runtime that still has it is as true as on the day it was found, and its half-life would have it
 * forgotten. From then on it fades like everything that nobody confirms.
 */
#include "library_load.h"

#include <assert.h>

#include "map.h"
#include "slice.h"
#include "symptoms.h"

/* A node or edge has at most this many edges and items of evidence that matter here. */
enum { MAX_WALK = 100000, MAX_BATCH_BYTES = 256 << 20, MAX_TAKEN_BACK = 1 << 13 };

typedef struct draft {
    fl_graph_node *nodes;
    fl_graph_edge *edges;
    fl_graph_evidence *evidence;
    size_t node_count, edge_count, evidence_count;
    const fl_library *library;
    int64_t now_ns;
    fl_arena *arena;
    fl_error *err;
} draft;

/* One sentence for all of this file. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while loading the library");
}

/* ---- items to rows ---- */

/* Texts are the library's or the arena's. */
static fl_graph_node node_of(const draft *d, fl_node_kind kind, const char *key, const char *title)
{
    return (fl_graph_node){.id = fl_node_id(kind, fl_slice_of(key)),
                           .kind = kind,
                           .key = key,
                           .title = title,
                           .recorded_ns = d->now_ns};
}

/* Repeated nodes are harmless: the store takes each once. */
static uint64_t add_node(draft *d, const fl_graph_node *node)
{
    d->nodes[d->node_count++] = *node;
    return node->id;
}

/* An edge with `references` items of evidence for it; the first says why. */
static fl_status add_edge(draft *d, const fl_graph_edge *like, const fl_library_item *item,
                          size_t references, const char *why)
{
    fl_graph_edge edge = *like;
    edge.id = fl_edge_id(edge.kind, edge.from, edge.to, fl_slice_of(edge.qualifier));
    edge.recorded_ns = d->now_ns;
    d->edges[d->edge_count++] = edge;
    for (size_t i = 0; i < references; i++) {
        const char *reference = item->revision == 1
                                    ? item->references[i]
                                    : fl_arena_printf(d->arena, "%s (revision %u)",
                                                      item->references[i], item->revision);
        if (reference == NULL)
            return no_memory(d->err);
        fl_graph_evidence *out = &d->evidence[d->evidence_count++];
        *out = (fl_graph_evidence){.edge = edge.id,
                                   .source = FL_SOURCE_LIBRARY,
                                   .author = FL_LIBRARY_AUTHOR,
                                   .reference = reference,
                                   .supports = true,
                                   .at_ns = d->now_ns,
                                   .recorded_ns = d->now_ns,
                                   .note = i == 0 ? why : NULL};
        out->id = fl_graph_evidence_id(out);
    }
    return FL_OK;
}

/* An exception is seen between two log lines, or alone: FL_LOCUS_CODE_REGION, FL_LOCUS_EXCEPTION.
 */
enum { MOST_PLACES = 2 };

/* The same fingerprints as those of incidents and of leak reports; how many there are. */
static fl_status symptom_nodes(fl_graph_node out[MOST_PLACES], size_t *count, const draft *d,
                               const fl_library_symptom *sign)
{
    fl_hypothesis like = {.locus = FL_LOCUS_METRIC, .cause = sign->cause, .locus_name = sign->text};
    *count = 1;
    switch (sign->sign) {
    case FL_LIBRARY_LEAK:
        return fl_symptoms_leak(out, sign->text, d->now_ns, d->arena, d->err);
    case FL_LIBRARY_METRIC:
        return fl_symptoms_one(out, &like, d->now_ns, d->arena, d->err);
    case FL_LIBRARY_EXCEPTION:
        like = (fl_hypothesis){.locus = FL_LOCUS_EXCEPTION,
                               .cause = FL_CAUSE_EXCEPTION,
                               .exception_type = sign->text,
                               .exception_message = sign->message};
        *count = MOST_PLACES;
        fl_status status = fl_symptoms_one(&out[0], &like, d->now_ns, d->arena, d->err);
        like.locus = FL_LOCUS_CODE_REGION;
        return status == FL_OK ? fl_symptoms_one(&out[1], &like, d->now_ns, d->arena, d->err)
                               : status;
    case FL_LIBRARY_SAID:
        return fl_symptoms_said(out, FL_NODE_SYMPTOM, sign->text, d->now_ns, d->arena, d->err);
    }
    return FL_OK;
}

/* The cause's text says why the symptom shows, and so is the note. */
static fl_status add_symptoms(draft *d, const fl_library_item *item, uint64_t cause)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < item->symptom_count; i++) {
        fl_graph_node nodes[MOST_PLACES];
        size_t places;
        status = symptom_nodes(nodes, &places, d, &item->symptoms[i]);
        for (size_t p = 0; status == FL_OK && p < places; p++) {
            const fl_graph_edge edge = {
                .kind = FL_EDGE_EXPLAINED_BY, .from = add_node(d, &nodes[p]), .to = cause};
            status = add_edge(d, &edge, item, item->reference_count, item->cause);
        }
    }
    return status;
}

/* By the library's own names, so that an alias in an item meets an alias in a service's file. */
static fl_status add_needs(draft *d, const fl_library_item *item, uint64_t cause)
{
    fl_status status = FL_OK;
    char name[FL_LIBRARY_NAME_BYTES];
    for (size_t i = 0; status == FL_OK && i < item->need_count; i++) {
        const fl_library_need *need = &item->needs[i];
        if (need->is_component)
            fl_library_component(name, d->library, fl_slice_of(need->name));
        else
            fl_library_setting(name, d->library, fl_slice_of(need->name));
        const char *key = fl_arena_printf(d->arena, "%s", name);
        if (key == NULL)
            return no_memory(d->err);
        fl_node_kind kind = need->is_component ? FL_NODE_COMPONENT : FL_NODE_CONFIG;
        fl_graph_node node = node_of(d, kind, key, NULL);
        const fl_graph_edge edge = {.kind = FL_EDGE_REQUIRES,
                                    .from = cause,
                                    .to = add_node(d, &node),
                                    .qualifier = need->gate};
        status = add_edge(d, &edge, item, item->reference_count, item->cause);
    }
    return status;
}

/* A plan stands for all fixes that it carries out. */
static fl_status add_fixes(draft *d, const fl_library_item *item, uint64_t cause)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < item->fix_count; i++) {
        const fl_library_fix *fix = &item->fixes[i];
        fl_graph_node node, plan;
        status = fl_symptoms_said(&node, FL_NODE_FIX, fix->text, d->now_ns, d->arena, d->err);
        if (status != FL_OK)
            return status;
        node.title = fix->text;
        uint64_t to = add_node(d, &node);
        const fl_graph_edge edge = {.kind = FL_EDGE_RESOLVED_BY, .from = cause, .to = to};
        status = add_edge(d, &edge, item, item->is_practice ? 1 : item->reference_count, fix->why);
        if (status != FL_OK || fix->plan == NULL)
            continue;
        status = fl_symptoms_said(&plan, FL_NODE_PLAN, fix->plan, d->now_ns, d->arena, d->err);
        if (status != FL_OK)
            return status;
        plan.title = fix->plan;
        const fl_graph_edge carries = {
            .kind = FL_EDGE_IMPLEMENTS, .from = add_node(d, &plan), .to = to};
        status = add_edge(d, &carries, item, 1, NULL);
    }
    return status;
}

/* Room for all that the items can make: no list grows afterwards. */
static fl_status allocate(draft *d, const fl_library_item *items, size_t count)
{
    size_t nodes = 0, edges = 0, evidence = 0;
    for (size_t i = 0; i < count; i++) {
        size_t own =
            MOST_PLACES * items[i].symptom_count + items[i].need_count + 2 * items[i].fix_count;
        nodes += own + 1;
        edges += own;
        evidence += own * items[i].reference_count;
    }
    d->nodes = fl_arena_alloc(d->arena, nodes + 1, sizeof(*d->nodes));
    d->edges = fl_arena_alloc(d->arena, edges + 1, sizeof(*d->edges));
    d->evidence = fl_arena_alloc(d->arena, evidence + 1, sizeof(*d->evidence));
    return d->nodes != NULL && d->edges != NULL && d->evidence != NULL ? FL_OK : no_memory(d->err);
}

/* In the order of the library. */
static fl_status draft_items(draft *d)
{
    size_t count;
    const fl_library_item *items = fl_library_items(d->library, &count);
    fl_status status = allocate(d, items, count);
    for (size_t i = 0; status == FL_OK && i < count; i++) {
        fl_graph_node cause = node_of(d, FL_NODE_CAUSE, items[i].name, items[i].title);
        add_node(d, &cause);
        status = add_symptoms(d, &items[i], cause.id);
        if (status == FL_OK)
            status = add_needs(d, &items[i], cause.id);
        if (status == FL_OK)
            status = add_fixes(d, &items[i], cause.id);
    }
    return status;
}

/* ---- what the library no longer says ---- */

typedef struct taking_back {
    draft *d;
    fl_store *store;
    fl_map *current; /* ids of the edges of the draft */
    uint64_t *stale; /* edges of a cause that are not */
    size_t stale_count;
    fl_graph_evidence *own; /* what the library ever said of one edge */
    size_t own_count;
    fl_graph_evidence *against; /* what is to be said now */
    size_t against_count;
    const char *note;
} taking_back;

/* Ids that the draft has, each once; *count is how many. */
static fl_status take_ids(fl_map *out, uint64_t id, size_t *count, fl_error *err)
{
    bool added;
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, out, id, &added, err);
    *count += status == FL_OK && added;
    return status;
}

/* Edges of other kinds are not the library's. */
static fl_status note_stale(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    taking_back *t = payload;
    bool ours = edge->kind == FL_EDGE_REQUIRES || edge->kind == FL_EDGE_RESOLVED_BY ||
                edge->kind == FL_EDGE_EXPLAINED_BY;
    if (!ours || fl_map_find(t->current, edge->id) != NULL)
        return FL_OK;
    if (t->stale_count == MAX_WALK)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a cause with more than %d edges", MAX_WALK);
    t->stale[t->stale_count++] = edge->id;
    return FL_OK;
}

/* What somebody else says of the edge is not ours to take back. */
static fl_status note_own(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    taking_back *t = payload;
    if (item->source != FL_SOURCE_LIBRARY ||
        !fl_slice_equal(fl_slice_of(item->author), FL_SLICE(FL_LIBRARY_AUTHOR)))
        return FL_OK;
    if (t->own_count == MAX_TAKEN_BACK)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d items for an edge",
                       MAX_TAKEN_BACK);
    fl_graph_evidence *out = &t->own[t->own_count++];
    *out = (fl_graph_evidence){.edge = item->edge, .source = item->source};
    out->author = FL_LIBRARY_AUTHOR;
    out->reference = fl_arena_printf(t->d->arena, "%s", item->reference);
    out->supports = item->supports;
    return out->reference != NULL ? FL_OK : no_memory(err);
}

/* As much against an edge as was said for it, each reference once. */
static fl_status take_back_edge(taking_back *t, uint64_t edge)
{
    fl_graph_question question = {.scope = FL_GRAPH_ONE, .id = edge, .as_of_ns = FL_GRAPH_NOW};
    t->own_count = 0;
    fl_status status = fl_graph_evidence_for(t->store, &question, note_own, t, t->d->err);
    for (size_t i = 0; status == FL_OK && i < t->own_count; i++) {
        bool done = !t->own[i].supports;
        for (size_t k = 0; k < t->own_count && !done; k++)
            done = !t->own[k].supports && fl_slice_equal(fl_slice_of(t->own[k].reference),
                                                         fl_slice_of(t->own[i].reference));
        if (done)
            continue;
        if (t->against_count == MAX_TAKEN_BACK)
            return fl_fail(t->d->err, FL_E_LIMIT, FL_NO_OFFSET,
                           "more than %d items to take back at once", MAX_TAKEN_BACK);
        fl_graph_evidence *out = &t->against[t->against_count++];
        *out = t->own[i];
        out->supports = false;
        out->at_ns = out->recorded_ns = t->d->now_ns;
        out->note = t->note;
        out->id = fl_graph_evidence_id(out);
    }
    return status;
}

/* All edges of one cause that an earlier library drew and this one does not. */
static fl_status take_back_cause(taking_back *t, const char *name, const char *note)
{
    fl_graph_question question = {.id = fl_node_id(FL_NODE_CAUSE, fl_slice_of(name)),
                                  .as_of_ns = FL_GRAPH_NOW,
                                  .limit = MAX_WALK};
    t->stale_count = 0;
    t->note = note;
    question.scope = FL_GRAPH_OUT;
    fl_status status = fl_graph_edges(t->store, &question, note_stale, t, t->d->err);
    question.scope = FL_GRAPH_IN;
    if (status == FL_OK)
        status = fl_graph_edges(t->store, &question, note_stale, t, t->d->err);
    for (size_t i = 0; status == FL_OK && i < t->stale_count; i++)
        status = take_back_edge(t, t->stale[i]);
    return status;
}

/* Items that changed first, then those that are gone; each says why. */
static fl_status take_back_all(taking_back *t)
{
    size_t count, gone_count;
    const fl_library_item *items = fl_library_items(t->d->library, &count);
    const fl_library_gone *gone = fl_library_gone_items(t->d->library, &gone_count);
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < count; i++)
        status = take_back_cause(t, items[i].name, "superseded: the library says otherwise now");
    for (size_t i = 0; status == FL_OK && i < gone_count; i++) {
        const char *note =
            gone[i].by != NULL
                ? fl_arena_printf(t->d->arena, "superseded by %s: %s", gone[i].by, gone[i].why)
                : fl_arena_printf(t->d->arena, "superseded: %s", gone[i].why);
        status = note != NULL ? take_back_cause(t, gone[i].name, note) : no_memory(t->d->err);
    }
    return status;
}

/* ---- the store ---- */

typedef struct lookup {
    uint64_t id;
    bool found;
} lookup;

/* Whether the store has it. */
static fl_status see_node(const fl_graph_node *node, void *payload, fl_error *err)
{
    lookup *l = payload;
    (void)err;
    l->found = l->found || node->id == l->id;
    return FL_OK;
}

/* The same. */
static fl_status see_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    lookup *l = payload;
    (void)err;
    l->found = l->found || edge->id == l->id;
    return FL_OK;
}

/* The edge's evidence is read whole: one item has no question of its own. */
static fl_status see_evidence(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    lookup *l = payload;
    (void)err;
    l->found = l->found || item->id == l->id;
    return FL_OK;
}

/* Counts what the draft holds, each thing once, and what of it the store has not. */
static fl_status count_draft(fl_library_loaded *out, const draft *d, fl_store *store, fl_map *seen)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < d->node_count; i++) {
        size_t is_new = 0;
        lookup l = {.id = d->nodes[i].id};
        fl_graph_question q = {.scope = FL_GRAPH_ONE, .id = l.id, .as_of_ns = FL_GRAPH_NOW};
        status = take_ids(seen, l.id, &is_new, d->err);
        if (status == FL_OK && is_new > 0 && store != NULL)
            status = fl_graph_nodes(store, &q, see_node, &l, d->err);
        out->holds.nodes += is_new;
        out->added.nodes += is_new > 0 && !l.found;
    }
    for (size_t i = 0; status == FL_OK && i < d->edge_count; i++) {
        size_t is_new = 0;
        lookup l = {.id = d->edges[i].id};
        fl_graph_question q = {.scope = FL_GRAPH_ONE, .id = l.id, .as_of_ns = FL_GRAPH_NOW};
        status = take_ids(seen, l.id, &is_new, d->err);
        if (status == FL_OK && is_new > 0 && store != NULL)
            status = fl_graph_edges(store, &q, see_edge, &l, d->err);
        out->holds.edges += is_new;
        out->added.edges += is_new > 0 && !l.found;
    }
    for (size_t i = 0; status == FL_OK && i < d->evidence_count; i++) {
        size_t is_new = 0;
        lookup l = {.id = d->evidence[i].id};
        fl_graph_question q = {
            .scope = FL_GRAPH_ONE, .id = d->evidence[i].edge, .as_of_ns = FL_GRAPH_NOW};
        status = take_ids(seen, l.id, &is_new, d->err);
        if (status == FL_OK && is_new > 0 && store != NULL)
            status = fl_graph_evidence_for(store, &q, see_evidence, &l, d->err);
        out->holds.evidence += is_new;
        out->added.evidence += is_new > 0 && !l.found;
    }
    return status;
}

/* What is to be taken back is known only after a look into the store. */
static fl_status find_superseded(taking_back *t, fl_store *store, fl_map *current)
{
    t->store = store;
    t->current = current;
    t->stale = fl_arena_alloc(t->d->arena, MAX_WALK, sizeof(*t->stale));
    t->own = fl_arena_alloc(t->d->arena, MAX_TAKEN_BACK, sizeof(*t->own));
    t->against = fl_arena_alloc(t->d->arena, MAX_TAKEN_BACK, sizeof(*t->against));
    if (t->stale == NULL || t->own == NULL || t->against == NULL)
        return no_memory(t->d->err);
    return store != NULL ? take_back_all(t) : FL_OK;
}

/* Both batches may be written again: after a failure between them the next run ends it. */
static fl_status write_all(fl_library_loaded *out, const draft *d, const taking_back *t,
                           fl_store *store)
{
    fl_graph_added taken;
    const fl_graph_batch batch = {.nodes = d->nodes,
                                  .node_count = d->node_count,
                                  .edges = d->edges,
                                  .edge_count = d->edge_count,
                                  .evidence = d->evidence,
                                  .evidence_count = d->evidence_count};
    const fl_graph_batch back = {.evidence = t->against, .evidence_count = t->against_count};
    /* What was counted before is what another writer left. */
    fl_status status = fl_graph_add(&out->added, store, &batch, d->err);
    if (status == FL_OK && t->against_count > 0) {
        status = fl_graph_add(&taken, store, &back, d->err);
        out->added.evidence += status == FL_OK ? taken.evidence : 0;
    }
    return status;
}

/* `seen` is a table of ids, which no hash of hostile text is: the library is ours. */
static fl_status load(fl_library_loaded *out, fl_store *store, draft *d, bool dry_run, fl_map *seen)
{
    taking_back t = {.d = d};
    fl_library_loaded counted = {0};
    fl_status status = draft_items(d);
    fl_library_items(d->library, &counted.items);
    fl_library_gone_items(d->library, &counted.gone);
    if (status == FL_OK)
        status = count_draft(&counted, d, store, seen);
    if (status == FL_OK)
        status = find_superseded(&t, store, seen);
    counted.superseded = t.against_count;
    counted.added.evidence += dry_run ? t.against_count : 0;
    if (status == FL_OK && !dry_run)
        status = write_all(&counted, d, &t, store);
    if (status == FL_OK)
        *out = counted;
    return status;
}

fl_status fl_library_load(fl_library_loaded *out, fl_store *store, const fl_library *library,
                          bool dry_run, int64_t now_ns, fl_error *err)
{
    assert(library != NULL);
    assert(dry_run || store != NULL);
    fl_map *seen = NULL;
    fl_arena arena = fl_arena_of(MAX_BATCH_BYTES);
    draft d = {.library = library, .now_ns = now_ns, .arena = &arena, .err = err};
    *out = (fl_library_loaded){0};
    fl_status status = fl_map_create(&seen, SIZE_MAX / 64, err);
    if (status == FL_OK)
        status = load(out, store, &d, dry_run, seen);
    fl_map_destroy(seen);
    fl_arena_dispose(&arena);
    return status;
}
