/*
 * recommend_judge.c - from what a service has to the causes that apply.
 *
 * First the causes that any part of the service leads to; then these in batches: their edges in one
 * question, their gates without one, and in a second question the evidence for the edges that
 * decide. A cause is decided by its first requirement that fails, and nearly all are.
 *
 * Why all or nothing: half of a cause's requirements is no weak sign of it. A service with Lettuce
 * and a short timeout is not half starved; what cannot be compared is told apart for that reason.
 *
 * An edge that is not believed does not count, and so a requirement that fails may still be void:
 * where evidence says so, the cause is judged once more, with evidence for all of its edges.
 *
 * Evidence is read once for an edge, and with it what it says: the first note in the store's order
 * is the reason that is shown, the first few references where it is written.
 *
 * Cost: three index walks a batch of 256 causes.
 *
 * Invariant: texts that outlive a batch are in the answer's arena, rows and their qualifiers in the
 * scratch arena, which is reset for the next batch.
 */
#include "recommend_judge.h"

#include <assert.h>

#include "hash.h"
#include "slice.h"

enum { MAX_ROWS = 1 << 15, SEED_BATCH = 8, MAX_EVIDENCE = 10000, FIRST_OBSERVATIONS = 64 };

fl_status fl_recommend_no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while looking for advice");
}

/* ---- edges ---- */

typedef struct edge_reading {
    fl_recommend_rows *rows;
    fl_recommend_work *w;
    const fl_recommend_asked *asked;
    uint64_t node; /* whose edges come */
    size_t of_node;
} edge_reading;

/* Beyond the limits rows are passed over, and the answer says so. */
static fl_status take_row(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    edge_reading *in = payload;
    uint64_t node = in->asked->side == FL_GRAPH_OUT ? edge->from : edge->to;
    in->of_node = node == in->node ? in->of_node + 1 : 1;
    in->node = node;
    if (in->rows->count == MAX_ROWS || in->of_node > in->asked->limit) {
        in->w->out->cut = true;
        return FL_OK;
    }
    fl_recommend_row *row = &in->rows->items[in->rows->count++];
    *row =
        (fl_recommend_row){.id = edge->id, .from = edge->from, .to = edge->to, .kind = edge->kind};
    if (edge->qualifier == NULL)
        return FL_OK;
    row->qualifier = fl_arena_printf(&in->w->scratch, "%s", edge->qualifier);
    return row->qualifier != NULL ? FL_OK : fl_recommend_no_memory(err);
}

fl_status fl_recommend_read_edges(fl_recommend_rows *out, fl_recommend_work *w,
                                  const fl_recommend_asked *asked)
{
    assert(asked->side == FL_GRAPH_OUT || asked->side == FL_GRAPH_IN);
    assert(asked->count <= FL_RECOMMEND_BATCH && asked->limit > 0);
    *out = (fl_recommend_rows){NULL, 0};
    if (asked->count == 0)
        return FL_OK;
    out->items = fl_arena_alloc(&w->scratch, MAX_ROWS, sizeof(*out->items));
    if (out->items == NULL)
        return fl_recommend_no_memory(w->err);
    edge_reading in = {.rows = out, .w = w, .asked = asked};
    const fl_graph_question question = {.scope = asked->side,
                                        .as_of_ns = w->question->now_ns,
                                        .limit = asked->limit + 1,
                                        .ids = asked->ids,
                                        .id_count = fl_graph_sort_ids(asked->ids, asked->count)};
    return fl_graph_edges(w->store, &question, take_row, &in, w->err);
}

/* ---- which causes to look at ---- */

/* Several parts of a service may lead to one cause. */
static fl_status add_cause(fl_recommend_work *w, uint64_t cause)
{
    bool added;
    uint64_t *slot;
    fl_status status = fl_map_slot(&slot, w->seen, cause, &added, w->err);
    if (status != FL_OK || !added)
        return status;
    if (w->cause_count == FL_RECOMMEND_MAX_CAUSES) {
        w->out->cut = true;
        return FL_OK;
    }
    w->causes[w->cause_count++] = cause;
    return FL_OK;
}

/* A gate that fails here may still hold for another edge, which then brings the cause. */
static fl_status find_causes_of(fl_recommend_work *w, uint64_t *nodes, size_t count)
{
    fl_recommend_rows rows;
    const fl_recommend_asked asked = {nodes, count, FL_RECOMMEND_MAX_EDGES, FL_GRAPH_IN};
    fl_arena_reset(&w->scratch);
    fl_status status = fl_recommend_read_edges(&rows, w, &asked);
    for (size_t i = 0; status == FL_OK && i < rows.count; i++) {
        const fl_recommend_row *row = &rows.items[i];
        const fl_recommend_seed *decided;
        if (row->kind == FL_EDGE_REQUIRES &&
            fl_recommend_answer(&decided, &w->seeds, row->to, fl_slice_of(row->qualifier)) !=
                FL_GATE_FAILS)
            status = add_cause(w, row->from);
    }
    return status;
}

/* Seeds are in the order of their nodes. */
static fl_status find_causes(fl_recommend_work *w)
{
    uint64_t nodes[SEED_BATCH]; /* that each may have all edges that are looked at */
    size_t count = 0;
    fl_status status = FL_OK;
    _Static_assert(SEED_BATCH * FL_RECOMMEND_MAX_EDGES <= MAX_ROWS, "rows of a batch fit");
    for (size_t i = 0; status == FL_OK && i < w->seeds.count; i++) {
        if (count == 0 || nodes[count - 1] != w->seeds.items[i].node)
            nodes[count++] = w->seeds.items[i].node;
        if (count == SEED_BATCH) {
            status = find_causes_of(w, nodes, count);
            count = 0;
        }
    }
    return status == FL_OK ? find_causes_of(w, nodes, count) : status;
}

/* ---- evidence ---- */

/* Beliefs of a batch, in the order in which their edges are read. */
typedef struct believing {
    fl_recommend_work *w;
    fl_recommend_belief *beliefs;
    size_t count;
    fl_map *at; /* edge to place, plus 1 */
    fl_observation *items;
    size_t item_count, room;
} believing;

/* The edge whose items came last. */
static void finish_belief(believing *b)
{
    if (b->count == 0)
        return;
    fl_confidence_of(&b->beliefs[b->count - 1].confidence, b->items, b->item_count,
                     FL_HALF_LIFE_DAYS, b->w->question->now_ns);
    b->item_count = 0;
}

/* A reference stands for an item of evidence on each edge of a cause. */
static bool is_known(const fl_recommend_belief *belief, const char *reference)
{
    for (size_t i = 0; i < belief->reference_count; i++)
        if (strcmp(belief->references[i], reference) == 0)
            return true;
    return false;
}

/* What it says besides its weight. A drill's evidence is kept and never counted, and so it gives no
 * reason either. */
static fl_status take_said(fl_recommend_belief *belief, const fl_graph_evidence *item,
                           fl_arena *arena, fl_error *err)
{
    *(item->supports ? &belief->supporting : &belief->contradicting) += 1;
    if (!item->supports || item->source == FL_SOURCE_DRILL)
        return FL_OK;
    belief->curated = belief->curated || item->source == FL_SOURCE_LIBRARY;
    belief->own = belief->own || item->source != FL_SOURCE_LIBRARY;
    if (belief->why == NULL && item->note != NULL && item->note[0] != '\0') {
        belief->why = fl_arena_printf(arena, "%s", item->note);
        if (belief->why == NULL)
            return fl_recommend_no_memory(err);
    }
    if (belief->reference_count == FL_RECOMMEND_FEW || is_known(belief, item->reference))
        return FL_OK;
    const char *reference = fl_arena_printf(arena, "%s", item->reference);
    belief->references[belief->reference_count++] = reference;
    return reference != NULL ? FL_OK : fl_recommend_no_memory(err);
}

/* Evidence comes edge by edge: the one before is whole. */
static fl_status begin_belief(believing *b, uint64_t edge, fl_error *err)
{
    uint64_t *slot;
    finish_belief(b);
    fl_status status = fl_map_slot(&slot, b->at, edge, NULL, err);
    if (status != FL_OK)
        return status;
    b->beliefs[b->count] = (fl_recommend_belief){.edge = edge};
    *slot = ++b->count;
    return FL_OK;
}

/* Room for the observations of an edge grows; it serves the next edge as well. */
static fl_status take_evidence(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    believing *b = payload;
    fl_status status = FL_OK;
    if (b->count == 0 || b->beliefs[b->count - 1].edge != item->edge)
        status = begin_belief(b, item->edge, err);
    if (status != FL_OK)
        return status;
    if (b->item_count == MAX_EVIDENCE) {
        b->w->out->cut = true;
        return FL_OK;
    }
    if (b->item_count == b->room) {
        size_t room = b->room > 0 ? 2 * b->room : FIRST_OBSERVATIONS;
        fl_observation *items = fl_arena_alloc(&b->w->scratch, room, sizeof(*items));
        if (items == NULL)
            return fl_recommend_no_memory(err);
        if (b->item_count > 0)
            memcpy(items, b->items, b->item_count * sizeof(*items));
        b->items = items;
        b->room = room;
    }
    b->items[b->item_count++] =
        (fl_observation){.source = item->source,
                         .author = fl_hash_stable(fl_slice_of(item->author)),
                         .supports = item->supports,
                         .at_ns = item->at_ns};
    return take_said(&b->beliefs[b->count - 1], item, b->w->arena, err);
}

/* Of `count` edges, asked in batches. The places in b->beliefs stay: fixes refer to them. */
static fl_status believe(believing *b, uint64_t *edges, size_t count)
{
    fl_recommend_work *w = b->w;
    fl_status status = FL_OK;
    b->beliefs = fl_arena_alloc(w->arena, count + 1, sizeof(*b->beliefs));
    if (b->beliefs == NULL)
        return fl_recommend_no_memory(w->err);
    b->count = 0;
    count = count > 0 ? fl_graph_sort_ids(edges, count) : 0;
    for (size_t done = 0; status == FL_OK && done < count; done += FL_RECOMMEND_BATCH) {
        size_t left = count - done;
        const fl_graph_question question = {
            .scope = FL_GRAPH_ONE,
            .as_of_ns = w->question->now_ns,
            .limit = MAX_EVIDENCE + 1,
            .ids = edges + done,
            .id_count = left < FL_RECOMMEND_BATCH ? left : FL_RECOMMEND_BATCH};
        status = fl_graph_evidence_for(w->store, &question, take_evidence, b, w->err);
    }
    finish_belief(b);
    return status;
}

/* NULL where there is no more evidence for the edge than against it. */
static const fl_recommend_belief *believed(const believing *b, uint64_t edge)
{
    const uint64_t *slot = fl_map_find(b->at, edge);
    const fl_recommend_belief *belief = slot != NULL ? &b->beliefs[*slot - 1] : NULL;
    return belief != NULL && belief->confidence.a > belief->confidence.b ? belief : NULL;
}

/* ---- one cause ---- */

/* A cause's edges within the rows of its batch. */
typedef struct span {
    const fl_recommend_row *rows;
    size_t count;
} span;

/* What the service answers to one requirement, by whatever edge to its node answers best. */
typedef struct target {
    uint64_t node;
    fl_gate_answer answer;
    const fl_recommend_row *row;
    const fl_recommend_seed *seed;
    const fl_recommend_belief *belief;
} target;

/* Edges to one node are looked at together, at the first of them. */
static bool is_first_of_target(span of, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (of.rows[i].kind == FL_EDGE_REQUIRES && of.rows[i].to == of.rows[at].to)
            return false;
    return true;
}

/* Of the edges to the node of row `first`; only of those that are believed where `b` is given. No
 * row in *out: there is none. */
static void ask_target(target *out, const fl_recommend_work *w, span of, size_t first,
                       const believing *b)
{
    *out = (target){.node = of.rows[first].to, .answer = FL_GATE_FAILS};
    for (size_t i = first; i < of.count; i++) {
        const fl_recommend_row *row = &of.rows[i];
        const fl_recommend_seed *seed;
        if (row->kind != FL_EDGE_REQUIRES || row->to != out->node)
            continue;
        const fl_recommend_belief *belief = b != NULL ? believed(b, row->id) : NULL;
        fl_gate_answer answer =
            fl_recommend_answer(&seed, &w->seeds, row->to, fl_slice_of(row->qualifier));
        if ((b != NULL && belief == NULL) || (out->row != NULL && answer <= out->answer))
            continue;
        *out = (target){out->node, answer, row, seed, belief};
    }
}

/* The first target that fails whatever is believed; of.count where none does. */
static size_t first_failure(const fl_recommend_work *w, span of)
{
    for (size_t i = 0; i < of.count; i++) {
        target t;
        if (of.rows[i].kind != FL_EDGE_REQUIRES || !is_first_of_target(of, i))
            continue;
        ask_target(&t, w, of, i, NULL);
        if (t.answer == FL_GATE_FAILS)
            return i;
    }
    return of.count;
}

/* Which edges decide: those of the requirement that fails, or all. */
static size_t deciding_edges(uint64_t *out, const fl_recommend_work *w, span of, bool thorough)
{
    size_t failure = thorough ? of.count : first_failure(w, of), count = 0;
    for (size_t i = 0; i < of.count; i++) {
        const fl_recommend_row *row = &of.rows[i];
        bool decides = failure == of.count
                           ? row->kind == FL_EDGE_REQUIRES || row->kind == FL_EDGE_RESOLVED_BY
                           : row->kind == FL_EDGE_REQUIRES && row->to == of.rows[failure].to;
        if (decides)
            out[count++] = row->id;
    }
    return count;
}

/* What opened it, and how sure its requirement is. */
static fl_status add_gate(fl_recommend_applied *a, fl_recommend_work *w, const target *t)
{
    fl_recommend_gate *gate = &a->gates[a->gate_count];
    *gate = (fl_recommend_gate){.is_component = t->seed != NULL && t->seed->is_component,
                                .name = t->seed != NULL ? t->seed->name : NULL,
                                .found = t->seed != NULL ? t->seed->value : NULL};
    if (t->row->qualifier != NULL) {
        gate->gate = fl_arena_printf(w->arena, "%s", t->row->qualifier);
        if (gate->gate == NULL)
            return fl_recommend_no_memory(w->err);
    }
    if (a->gate_count == 0 || t->belief->confidence.mean < a->weakest->confidence.mean)
        a->weakest = t->belief;
    if (t->answer == FL_GATE_UNKNOWN) {
        a->unknown_count++;
        a->unknown_at = a->gate_count;
    }
    a->targets[a->gate_count++] = t->node;
    return FL_OK;
}

/* Room for the gates and fixes that these edges can make. */
static fl_status begin_applied(fl_recommend_applied *a, fl_recommend_work *w, span of)
{
    *a = (fl_recommend_applied){.cause = of.rows[0].from};
    a->gates = fl_arena_alloc(w->arena, of.count, sizeof(*a->gates));
    a->targets = fl_arena_alloc(w->arena, of.count, sizeof(*a->targets));
    a->fixes = fl_arena_alloc(w->arena, of.count, sizeof(*a->fixes));
    return a->gates != NULL && a->targets != NULL && a->fixes != NULL
               ? FL_OK
               : fl_recommend_no_memory(w->err);
}

/* With evidence for all of its edges. */
static fl_status apply(fl_recommend_work *w, span of, const believing *b)
{
    fl_recommend_applied *a = &w->applied[w->applied_count];
    fl_status status = begin_applied(a, w, of);
    for (size_t i = 0; status == FL_OK && i < of.count; i++) {
        const fl_recommend_row *row = &of.rows[i];
        const fl_recommend_belief *belief = believed(b, row->id);
        target t;
        if (row->kind == FL_EDGE_RESOLVED_BY && belief != NULL)
            a->fixes[a->fix_count++] = (fl_recommend_fix){row->to, belief};
        if (row->kind != FL_EDGE_REQUIRES || !is_first_of_target(of, i))
            continue;
        ask_target(&t, w, of, i, b);
        if (t.row == NULL) /* nobody requires it any more */
            continue;
        if (t.answer == FL_GATE_FAILS)
            return FL_OK;
        status = add_gate(a, w, &t);
    }
    w->applied_count += status == FL_OK && a->gate_count > 0;
    return status;
}

/* Where the requirement that failed is not believed, the rest is asked after all. */
static bool is_void(const fl_recommend_work *w, span of, const believing *b)
{
    target t;
    ask_target(&t, w, of, first_failure(w, of), b);
    return t.row == NULL;
}

/* ---- batches ---- */

/* Rows of one cause stand together. */
static span next_span(const fl_recommend_rows *rows, size_t at)
{
    size_t end = at;
    while (end < rows->count && rows->items[end].from == rows->items[at].from)
        end++;
    return (span){rows->items + at, end - at};
}

/* Causes whose failing requirement turns out to be void come into `again`. */
static fl_status judge_rows(fl_recommend_work *w, const fl_recommend_rows *rows, bool thorough,
                            uint64_t *again, size_t *again_count)
{
    believing b = {.w = w};
    size_t asked = 0;
    span of;
    uint64_t *edges = fl_arena_alloc(&w->scratch, rows->count + 1, sizeof(*edges));
    fl_status status = edges != NULL ? fl_map_create(&b.at, SIZE_MAX / 64, w->err)
                                     : fl_recommend_no_memory(w->err);
    for (size_t at = 0; status == FL_OK && at < rows->count; at += of.count) {
        of = next_span(rows, at);
        asked += deciding_edges(edges + asked, w, of, thorough);
    }
    if (status == FL_OK)
        status = believe(&b, edges, asked);
    for (size_t at = 0; status == FL_OK && at < rows->count; at += of.count) {
        of = next_span(rows, at);
        if (thorough || first_failure(w, of) == of.count)
            status = apply(w, of, &b);
        else if (is_void(w, of, &b))
            again[(*again_count)++] = of.rows[0].from;
    }
    fl_map_destroy(b.at);
    return status;
}

/* The whole batch in two questions; a third where a requirement turns out to be void. */
static fl_status judge_batch(fl_recommend_work *w, uint64_t *causes, size_t count)
{
    fl_recommend_rows rows;
    uint64_t again[FL_RECOMMEND_BATCH];
    size_t again_count = 0;
    const fl_recommend_asked asked = {causes, count, FL_RECOMMEND_MAX_EDGES, FL_GRAPH_OUT};
    assert(count <= FL_RECOMMEND_BATCH);
    fl_arena_reset(&w->scratch);
    fl_status status = fl_recommend_read_edges(&rows, w, &asked);
    if (status == FL_OK)
        status = judge_rows(w, &rows, false, again, &again_count);
    if (status != FL_OK || again_count == 0)
        return status;
    const fl_recommend_asked once_more = {again, again_count, FL_RECOMMEND_MAX_EDGES, FL_GRAPH_OUT};
    fl_arena_reset(&w->scratch);
    status = fl_recommend_read_edges(&rows, w, &once_more);
    return status == FL_OK ? judge_rows(w, &rows, true, NULL, NULL) : status;
}

fl_status fl_recommend_judge(fl_recommend_work *w)
{
    assert(w->seen != NULL && w->causes != NULL);
    fl_status status = find_causes(w);
    w->applied = fl_arena_alloc(w->arena, w->cause_count + 1, sizeof(*w->applied));
    if (status == FL_OK && w->applied == NULL)
        status = fl_recommend_no_memory(w->err);
    for (size_t at = 0; status == FL_OK && at < w->cause_count; at += FL_RECOMMEND_BATCH) {
        size_t left = w->cause_count - at;
        status =
            judge_batch(w, w->causes + at, left < FL_RECOMMEND_BATCH ? left : FL_RECOMMEND_BATCH);
    }
    return status;
}
