/*
 * recommend.c - from what a service has to the causes that apply, and from those to advice.
 *
 * First the causes that any part of the service leads to, then each of them by itself: its edges in
 * one question, its gates without one, and evidence only when all of them hold. Advice is merged by
 * its fix at the end.
 *
 * Why the graph's own edges and not a table of rules: what a team confirms, rejects or learns from
 * its documents changes the same edges, and so the advice, without a rule being written. The
 * curated library is only one more author.
 *
 * Why all or nothing: half of a cause's requirements is no weak sign of it. A service with Lettuce
 * and a short timeout is not half starved; what cannot be compared is told apart for that reason.
 *
 * Invariants: (1) texts that outlive one cause are copied into the answer's arena, those of its
 * edges lie in the scratch arena, which is reset for the next cause; (2) an item's paths lie at its
 * first place in w->items until finish() sorts, so that a path is added without looking for room;
 * (3) nothing is written to the store.
 *
 * Cost: may_apply() asks no evidence, and nearly every candidate ends there or at the first
 * requirement that fails: the questions to the store are one for each candidate's edges, and one
 * for each edge that decides.
 */
#include "recommend.h"

#include <assert.h>
#include <stdlib.h>

#include "edge_confidence.h"
#include "map.h"
#include "recommend_priv.h"
#include "slice.h"

enum { MAX_UNSURE = 64, MAX_EVIDENCE = 10000, SCRATCH_BYTES = 64 << 20 };

/* An edge of the cause that is looked at, in the scratch arena. */
typedef struct edge_row {
    uint64_t id, other;
    fl_edge_kind kind;
    const char *qualifier; /* NULL: none */
} edge_row;

typedef struct edge_rows {
    edge_row *items;
    size_t count, seen;
    bool far_is_from; /* `other` is where the edge comes from */
    fl_arena *arena;
} edge_rows;

typedef struct work {
    fl_store *store;
    const fl_recommend_question *question;
    fl_recommend_seeds seeds;
    fl_recommended *out;
    fl_map *causes; /* those that were found */
    uint64_t *cause_ids;
    size_t cause_count;
    fl_recommendation *items;
    fl_recommend_path *paths; /* FL_RECOMMEND_MAX_PATHS for each item, in their first order */
    fl_recommend_unsure *unsure;
    fl_map *item_at; /* fix to place in items, plus 1 */
    edge_rows rows;
    fl_arena *arena, scratch; /* of the answer; of one cause */
    fl_error *err;
} work;

/* One sentence for all of this file. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while looking for advice");
}

/* ---- reading the store ---- */

/* Beyond the limit rows are counted and not kept. */
static fl_status take_row(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    edge_rows *rows = payload;
    if (rows->seen++ >= FL_RECOMMEND_MAX_EDGES)
        return FL_OK;
    edge_row *row = &rows->items[rows->count++];
    *row = (edge_row){
        .id = edge->id, .kind = edge->kind, .other = rows->far_is_from ? edge->from : edge->to};
    if (edge->qualifier == NULL)
        return FL_OK;
    row->qualifier = fl_arena_printf(rows->arena, "%s", edge->qualifier);
    return row->qualifier != NULL ? FL_OK : no_memory(err);
}

/* Into w->rows. */
static fl_status read_edges(work *w, uint64_t node, fl_graph_scope side)
{
    const fl_graph_question question = {.scope = side,
                                        .id = node,
                                        .as_of_ns = w->question->now_ns,
                                        .limit = FL_RECOMMEND_MAX_EDGES + 1};
    assert(side == FL_GRAPH_OUT || side == FL_GRAPH_IN);
    w->rows.count = w->rows.seen = 0;
    w->rows.far_is_from = side == FL_GRAPH_IN;
    w->rows.arena = &w->scratch;
    fl_status status = fl_graph_edges(w->store, &question, take_row, &w->rows, w->err);
    w->out->cut = w->out->cut || w->rows.seen > FL_RECOMMEND_MAX_EDGES;
    return status;
}

typedef struct named {
    fl_arena *arena;
    const char *key, *title;
    fl_node_kind kind;
} named;

/* The key names it for programs, the title for people. */
static fl_status take_name(const fl_graph_node *node, void *payload, fl_error *err)
{
    named *out = payload;
    out->kind = node->kind;
    out->key = fl_arena_printf(out->arena, "%s", node->key);
    out->title = fl_arena_printf(out->arena, "%s", node->title != NULL ? node->title : node->key);
    return out->key != NULL && out->title != NULL ? FL_OK : no_memory(err);
}

/* Empty texts for a node that is not there, which foreign keys do not let happen. */
static fl_status read_name(named *out, work *w, uint64_t id)
{
    const fl_graph_question question = {
        .scope = FL_GRAPH_ONE, .id = id, .as_of_ns = w->question->now_ns};
    *out = (named){.arena = w->arena, .key = "", .title = ""};
    return fl_graph_nodes(w->store, &question, take_name, out, w->err);
}

/* As sure as the graph was at the moment of the question. */
static fl_status believe(fl_edge_belief *out, work *w, uint64_t edge)
{
    const fl_edge_question question = {.edge = edge,
                                       .known_ns = w->question->now_ns,
                                       .at_ns = w->question->now_ns,
                                       .limit = MAX_EVIDENCE};
    fl_status status = fl_edge_belief_of(out, w->store, &question, w->err);
    w->out->cut = w->out->cut || out->cut;
    return status;
}

/* More for it than against it. */
static bool is_believed(const fl_edge_belief *belief)
{
    return belief->confidence.a > belief->confidence.b;
}

/* ---- which causes to look at ---- */

/* Several parts of a service may lead to one cause. */
static fl_status add_cause(work *w, uint64_t cause)
{
    bool added;
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, w->causes, cause, &added, w->err);
    if (status != FL_OK || !added)
        return status;
    if (w->cause_count == FL_RECOMMEND_MAX_CAUSES) {
        w->out->cut = true;
        return FL_OK;
    }
    w->cause_ids[w->cause_count++] = cause;
    return FL_OK;
}

/* A gate that fails here may still hold for another edge, which then brings the cause. */
static fl_status find_causes(work *w)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < w->seeds.count; i++) {
        uint64_t node = w->seeds.items[i].node;
        if (i > 0 && w->seeds.items[i - 1].node == node)
            continue;
        fl_arena_reset(&w->scratch);
        status = read_edges(w, node, FL_GRAPH_IN);
        for (size_t k = 0; status == FL_OK && k < w->rows.count; k++) {
            const edge_row *row = &w->rows.items[k];
            const fl_recommend_seed *decided;
            if (row->kind == FL_EDGE_REQUIRES &&
                fl_recommend_answer(&decided, &w->seeds, node, fl_slice_of(row->qualifier)) !=
                    FL_GATE_FAILS)
                status = add_cause(w, row->other);
        }
    }
    return status;
}

/* ---- whether a cause applies ---- */

/* What is known of one cause that may apply. */
typedef struct candidate {
    uint64_t cause;
    fl_recommend_gate *gates;
    size_t gate_count;
    fl_confidence weakest; /* of the requirements */
    size_t unknown;        /* gates that cannot be told; the last of them: */
    fl_recommend_gate unknown_gate;
    uint64_t *fixes, *fix_edges;
    size_t fix_count;
} candidate;

/* The name of a setting that the service does not have is only in the graph. */
static fl_status name_gate(fl_recommend_gate *out, work *w, const edge_row *row,
                           const fl_recommend_seed *seed)
{
    named target;
    *out = (fl_recommend_gate){.is_component = seed != NULL && seed->is_component};
    if (row->qualifier != NULL) {
        out->gate = fl_arena_printf(w->arena, "%s", row->qualifier);
        if (out->gate == NULL)
            return no_memory(w->err);
    }
    if (seed != NULL) {
        out->name = seed->name;
        out->found = seed->value;
        return FL_OK;
    }
    fl_status status = read_name(&target, w, row->other);
    out->name = target.key;
    out->is_component = target.kind == FL_NODE_COMPONENT;
    return status;
}

/* The best answer of the edges that lead to the same node as rows[first], of those that are
 * believed. Costs evidence only where an edge decides something. */
static fl_status ask_target(fl_gate_answer *out, candidate *c, work *w, size_t first)
{
    const edge_row *rows = w->rows.items, *best_row = NULL;
    const fl_recommend_seed *decided, *best_seed = NULL;
    fl_edge_belief belief, best_belief = {{0}, 0, 0, 0, false};
    bool any = false;
    *out = FL_GATE_FAILS;
    for (size_t i = first; i < w->rows.count; i++) {
        if (rows[i].kind != FL_EDGE_REQUIRES || rows[i].other != rows[first].other)
            continue;
        fl_gate_answer answer =
            fl_recommend_answer(&decided, &w->seeds, rows[i].other, fl_slice_of(rows[i].qualifier));
        if (any && answer <= *out)
            continue;
        fl_status status = believe(&belief, w, rows[i].id);
        if (status != FL_OK)
            return status;
        if (!is_believed(&belief))
            continue;
        any = true;
        *out = answer;
        best_row = &rows[i];
        best_seed = decided;
        best_belief = belief;
    }
    if (!any) { /* nobody requires it any more */
        *out = FL_GATE_HOLDS;
        return FL_OK;
    }
    if (*out == FL_GATE_FAILS)
        return FL_OK;
    fl_recommend_gate gate;
    fl_status status = name_gate(&gate, w, best_row, best_seed);
    if (status != FL_OK)
        return status;
    if (*out == FL_GATE_UNKNOWN) {
        c->unknown++;
        c->unknown_gate = gate;
    }
    if (c->gate_count == 0 || best_belief.confidence.mean < c->weakest.mean)
        c->weakest = best_belief.confidence;
    c->gates[c->gate_count++] = gate;
    return FL_OK;
}

/* Edges to one node are looked at together, at the first of them. */
static bool is_first_of_target(const work *w, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (w->rows.items[i].kind == FL_EDGE_REQUIRES &&
            w->rows.items[i].other == w->rows.items[at].other)
            return false;
    return true;
}

/* A cheap look first: most candidates require something that the service has not. */
static bool may_apply(const work *w)
{
    const fl_recommend_seed *decided;
    size_t targets = 0, open = 0;
    for (size_t i = 0; i < w->rows.count; i++) {
        const edge_row *row = &w->rows.items[i];
        if (row->kind != FL_EDGE_REQUIRES)
            continue;
        targets++;
        open += fl_recommend_answer(&decided, &w->seeds, row->other, fl_slice_of(row->qualifier)) !=
                FL_GATE_FAILS;
    }
    return targets > 0 && open > 0;
}

/* Into `c`; *applies is false where a requirement fails or none is left. */
static fl_status ask_cause(bool *applies, candidate *c, work *w)
{
    *applies = may_apply(w);
    size_t room = w->rows.count + 1;
    c->gates = fl_arena_alloc(&w->scratch, room, sizeof(*c->gates));
    c->fixes = fl_arena_alloc(&w->scratch, room, sizeof(*c->fixes));
    c->fix_edges = fl_arena_alloc(&w->scratch, room, sizeof(*c->fix_edges));
    if (c->gates == NULL || c->fixes == NULL || c->fix_edges == NULL)
        return no_memory(w->err);
    for (size_t i = 0; *applies && i < w->rows.count; i++) {
        const edge_row *row = &w->rows.items[i];
        if (row->kind == FL_EDGE_RESOLVED_BY) {
            c->fixes[c->fix_count] = row->other;
            c->fix_edges[c->fix_count++] = row->id;
        }
        if (row->kind != FL_EDGE_REQUIRES || !is_first_of_target(w, i))
            continue;
        fl_gate_answer answer;
        fl_status status = ask_target(&answer, c, w, i);
        if (status != FL_OK)
            return status;
        *applies = answer != FL_GATE_FAILS;
    }
    *applies = *applies && c->gate_count > 0;
    return FL_OK;
}

/* ---- what a cause that applies looks like ---- */

/* Titles of what explains itself by the cause, and how many incidents were diagnosed as it. */
static fl_status read_history(fl_recommend_path *path, work *w, uint64_t cause)
{
    fl_status status = read_edges(w, cause, FL_GRAPH_IN);
    const char **titles = fl_arena_alloc(w->arena, FL_RECOMMEND_FEW, sizeof(*titles));
    if (status != FL_OK || titles == NULL)
        return status != FL_OK ? status : no_memory(w->err);
    for (size_t i = 0; status == FL_OK && i < w->rows.count; i++) {
        named symptom;
        const edge_row *row = &w->rows.items[i];
        path->incidents += row->kind == FL_EDGE_DIAGNOSED_AS;
        if (row->kind != FL_EDGE_EXPLAINED_BY || path->symptom_count == FL_RECOMMEND_FEW)
            continue;
        status = read_name(&symptom, w, row->other);
        titles[path->symptom_count++] = symptom.title;
    }
    path->symptoms = titles;
    return status;
}

/* What the evidence for a fix says besides its weight. */
typedef struct said {
    fl_recommend_path *path;
    const char **references;
    fl_arena *arena;
} said;

/* A reference stands for an item of evidence on each of the cause's edges. */
static bool is_known(const said *s, const char *reference)
{
    for (size_t i = 0; i < s->path->reference_count; i++)
        if (strcmp(s->references[i], reference) == 0)
            return true;
    return false;
}

/* A drill's evidence is kept and never counted, and so it gives no reason either. */
static fl_status take_said(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    said *s = payload;
    fl_recommend_path *path = s->path;
    if (!item->supports || item->source == FL_SOURCE_DRILL)
        return FL_OK;
    path->curated = path->curated || item->source == FL_SOURCE_LIBRARY;
    path->own = path->own || item->source != FL_SOURCE_LIBRARY;
    if (path->why == NULL && item->note != NULL && item->note[0] != '\0') {
        path->why = fl_arena_printf(s->arena, "%s", item->note);
        if (path->why == NULL)
            return no_memory(err);
    }
    if (path->reference_count == FL_RECOMMEND_FEW || is_known(s, item->reference))
        return FL_OK;
    const char *reference = fl_arena_printf(s->arena, "%s", item->reference);
    s->references[path->reference_count++] = reference;
    return reference != NULL ? FL_OK : no_memory(err);
}

/* The first note in the store's order, and the first few references. */
static fl_status read_said(fl_recommend_path *path, work *w, uint64_t edge)
{
    const fl_graph_question question = {
        .scope = FL_GRAPH_ONE, .id = edge, .as_of_ns = w->question->now_ns, .limit = MAX_EVIDENCE};
    said s = {.path = path, .arena = w->arena};
    s.references = fl_arena_alloc(w->arena, FL_RECOMMEND_FEW, sizeof(*s.references));
    if (s.references == NULL)
        return no_memory(w->err);
    path->references = s.references;
    return fl_graph_evidence_for(w->store, &question, take_said, &s, w->err);
}

/* ---- advice ---- */

/* Plans come from the other side of the fix. */
static fl_status read_plans(fl_recommendation *item, work *w, uint64_t fix)
{
    fl_status status = read_edges(w, fix, FL_GRAPH_IN);
    const char **plans = fl_arena_alloc(w->arena, FL_RECOMMEND_FEW, sizeof(*plans));
    if (status != FL_OK || plans == NULL)
        return status != FL_OK ? status : no_memory(w->err);
    for (size_t i = 0; status == FL_OK && i < w->rows.count; i++) {
        named plan;
        if (w->rows.items[i].kind != FL_EDGE_IMPLEMENTS || item->plan_count == FL_RECOMMEND_FEW)
            continue;
        status = read_name(&plan, w, w->rows.items[i].other);
        plans[item->plan_count++] = plan.title;
    }
    item->plans = plans;
    return status;
}

/* A piece of advice that is new; *out NULL where the service follows it already, or there are too
 * many. */
static fl_status new_item(fl_recommendation **out, work *w, uint64_t fix)
{
    named name;
    *out = NULL;
    fl_status status = read_name(&name, w, fix);
    if (status != FL_OK)
        return status;
    fl_recommendation item = {.fix = fix, .text = name.title};
    fl_advice_read(&item.words, fl_slice_of(item.text));
    if (fl_recommend_is_met(w->question, &item.words)) {
        w->out->met++;
        return FL_OK;
    }
    if (w->out->count == FL_RECOMMEND_MAX_ITEMS) {
        w->out->cut = true;
        return FL_OK;
    }
    const fl_service_part *now = fl_recommend_now(w->question, &item.words);
    item.now = now != NULL ? now->value : NULL;
    item.now_name = now != NULL ? now->name : NULL;
    item.paths = &w->paths[w->out->count * FL_RECOMMEND_MAX_PATHS];
    status = read_plans(&item, w, fix);
    *out = &w->items[w->out->count++];
    **out = item;
    return status;
}

/* The place of a fix that was met before; places of met advice are remembered as well. */
static fl_status item_of(fl_recommendation **out, work *w, uint64_t fix)
{
    bool added;
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, w->item_at, fix, &added, w->err);
    if (status != FL_OK)
        return status;
    if (!added) {
        *out = *slot > 0 ? &w->items[*slot - 1] : NULL;
        return FL_OK;
    }
    status = new_item(out, w, fix);
    *slot = *out != NULL ? w->out->count : 0;
    return status;
}

/* `like` has what all fixes of the cause share. */
static fl_status add_fix(work *w, const fl_recommend_path *like, const fl_confidence *weakest,
                         uint64_t fix, uint64_t edge)
{
    fl_edge_belief belief;
    fl_recommendation *item;
    fl_status status = believe(&belief, w, edge);
    if (status != FL_OK || !is_believed(&belief))
        return status;
    status = item_of(&item, w, fix);
    if (status != FL_OK || item == NULL)
        return status;
    if (item->path_count == FL_RECOMMEND_MAX_PATHS) {
        w->out->cut = true;
        return FL_OK;
    }
    const fl_confidence parts[] = {*weakest, belief.confidence};
    fl_recommend_path path = *like;
    fl_confidence_path(&path.confidence, parts, 2);
    path.supporting = belief.supporting;
    path.contradicting = belief.contradicting;
    status = read_said(&path, w, edge);
    w->paths[(size_t)(item - w->items) * FL_RECOMMEND_MAX_PATHS + item->path_count++] = path;
    return status;
}

/* What cannot be compared is said, where all else holds. */
static void add_unsure(work *w, const candidate *c, const char *title)
{
    if (w->out->unsure_count == MAX_UNSURE) {
        w->out->cut = true;
        return;
    }
    w->unsure[w->out->unsure_count++] =
        (fl_recommend_unsure){.cause = title, .gate = c->unknown_gate};
}

/* Out of the scratch arena. */
static fl_status keep_gates(fl_recommend_path *path, work *w, const candidate *c)
{
    fl_recommend_gate *gates = fl_arena_alloc(w->arena, c->gate_count, sizeof(*gates));
    if (gates == NULL)
        return no_memory(w->err);
    memcpy(gates, c->gates, c->gate_count * sizeof(*gates));
    path->gates = gates;
    path->gate_count = c->gate_count;
    return FL_OK;
}

/* One cause from its edges to its advice. */
static fl_status look_at(work *w, uint64_t cause)
{
    bool applies;
    candidate c = {.cause = cause};
    named name;
    fl_arena_reset(&w->scratch);
    fl_status status = read_edges(w, cause, FL_GRAPH_OUT);
    if (status == FL_OK)
        status = ask_cause(&applies, &c, w);
    if (status != FL_OK || !applies)
        return status;
    status = read_name(&name, w, cause);
    if (status == FL_OK && c.unknown > 0) {
        add_unsure(w, &c, name.title);
        return FL_OK;
    }
    fl_recommend_path path = {.key = name.key, .title = name.title};
    w->out->causes++;
    if (status == FL_OK)
        status = keep_gates(&path, w, &c);
    if (status == FL_OK)
        status = read_history(&path, w, cause);
    for (size_t i = 0; status == FL_OK && i < c.fix_count; i++)
        status = add_fix(w, &path, &c.weakest, c.fixes[i], c.fix_edges[i]);
    return status;
}

/* ---- the order ---- */

/* Texts settle a tie, so that the order is the same in every run and store. */
static int by_lower_bound(const fl_confidence *x, const fl_confidence *y, const char *x_text,
                          const char *y_text)
{
    if (x->low != y->low)
        return x->low > y->low ? -1 : 1;
    return strcmp(x_text, y_text);
}

/* The surest first. */
static int compare_paths(const void *a, const void *b)
{
    const fl_recommend_path *x = a, *y = b;
    return by_lower_bound(&x->confidence, &y->confidence, x->key, y->key);
}

/* What is to be set first, what is only to be done last. */
static int compare_items(const void *a, const void *b)
{
    const fl_recommendation *x = a, *y = b;
    if (x->words.kind != y->words.kind)
        return x->words.kind < y->words.kind ? -1 : 1;
    return by_lower_bound(&x->confidence, &y->confidence, x->text, y->text);
}

/* Advice without a path was found only by causes beyond a limit. An incident that was diagnosed as
 * two causes counts for both: which of them it was is not known. */
static void finish(work *w)
{
    for (size_t i = 0; i < w->out->count; i++) {
        fl_recommendation *item = &w->items[i];
        assert(item->path_count > 0);
        qsort(&w->paths[i * FL_RECOMMEND_MAX_PATHS], item->path_count, sizeof(*item->paths),
              compare_paths);
        item->confidence = item->paths[0].confidence;
        for (size_t p = 0; p < item->path_count; p++) {
            item->evidence += item->paths[p].supporting + item->paths[p].contradicting;
            item->prevented += item->paths[p].incidents;
        }
    }
    qsort(w->items, w->out->count, sizeof(*w->items), compare_items);
    w->out->items = w->items;
    w->out->unsure = w->unsure;
}

/* Room for the most: what is beyond is cut, not grown into. */
static fl_status allocate(work *w)
{
    w->cause_ids = fl_arena_alloc(w->arena, FL_RECOMMEND_MAX_CAUSES, sizeof(*w->cause_ids));
    w->items = fl_arena_alloc(w->arena, FL_RECOMMEND_MAX_ITEMS, sizeof(*w->items));
    w->paths = fl_arena_alloc(w->arena, (size_t)FL_RECOMMEND_MAX_ITEMS * FL_RECOMMEND_MAX_PATHS,
                              sizeof(*w->paths));
    w->unsure = fl_arena_alloc(w->arena, MAX_UNSURE, sizeof(*w->unsure));
    w->rows.items = fl_arena_alloc(w->arena, FL_RECOMMEND_MAX_EDGES, sizeof(*w->rows.items));
    if (w->cause_ids == NULL || w->items == NULL || w->paths == NULL || w->unsure == NULL ||
        w->rows.items == NULL)
        return no_memory(w->err);
    fl_status status = fl_map_create(&w->causes, SIZE_MAX / 64, w->err);
    return status == FL_OK ? fl_map_create(&w->item_at, SIZE_MAX / 64, w->err) : status;
}

fl_status fl_recommend(fl_recommended *out, fl_store *store, const fl_recommend_question *question,
                       fl_arena *arena, fl_error *err)
{
    assert(store != NULL && question->service != NULL);
    work w = {.store = store,
              .question = question,
              .out = out,
              .arena = arena,
              .scratch = fl_arena_of(SCRATCH_BYTES),
              .err = err};
    *out = (fl_recommended){0};
    fl_status status = allocate(&w);
    if (status == FL_OK)
        status = fl_recommend_find_seeds(&w.seeds, question, arena, err);
    if (status == FL_OK)
        status = find_causes(&w);
    for (size_t i = 0; status == FL_OK && i < w.cause_count; i++)
        status = look_at(&w, w.cause_ids[i]);
    if (status == FL_OK)
        finish(&w);
    fl_map_destroy(w.causes);
    fl_map_destroy(w.item_at);
    fl_arena_dispose(&w.scratch);
    return status;
}
