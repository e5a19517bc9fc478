/*
 * memory_learn.c - from an incident and what is said of it to nodes, edges and evidence.
 */
#include <assert.h>

#include "edge_confidence.h"
#include "memory.h"
#include "slice.h"

/* All that one lesson can add. */
enum {
    MAX_NODES = FL_MAX_SYMPTOMS + 3,
    MAX_EDGES = 2 * FL_MAX_SYMPTOMS + 2,
    MAX_JUDGED = FL_MAX_SYMPTOMS + 1 /* edges that evidence is added to */
};

/* A lesson as rows, before any of it is written: one batch is one transaction. */
typedef struct draft {
    const fl_lesson *lesson;
    fl_graph_node nodes[MAX_NODES];
    fl_graph_edge edges[MAX_EDGES];
    fl_graph_evidence evidence[MAX_JUDGED];
    fl_moved *moved; /* one for each item of evidence */
    const fl_graph_node *from[MAX_JUDGED], *to[MAX_JUDGED];
    fl_arena *arena;
    size_t node_count, edge_count, evidence_count;
} draft;

/* In the batch; adding a node that the store has is harmless. */
static const fl_graph_node *add_node(draft *d, const fl_graph_node *node)
{
    assert(d->node_count < MAX_NODES);
    d->nodes[d->node_count] = *node;
    return &d->nodes[d->node_count++];
}

/* Without a qualifier: what is learnt from incidents holds for every version. */
static const fl_graph_edge *add_edge(draft *d, fl_edge_kind kind, const fl_graph_node *from,
                                     const fl_graph_node *to)
{
    assert(d->edge_count < MAX_EDGES);
    fl_graph_edge *edge = &d->edges[d->edge_count++];
    *edge = (fl_graph_edge){.id = fl_edge_id(kind, from->id, to->id, FL_SLICE("")),
                            .kind = kind,
                            .from = from->id,
                            .to = to->id,
                            .recorded_ns = d->lesson->now_ns};
    return edge;
}

/* An edge, what the lesson says of it, and the place where its move is reported. */
static void judge(draft *d, fl_edge_kind kind, const fl_graph_node *from, const fl_graph_node *to,
                  fl_evidence_source source, bool supports)
{
    assert(d->evidence_count < MAX_JUDGED);
    const fl_lesson *lesson = d->lesson;
    fl_graph_evidence *item = &d->evidence[d->evidence_count];
    *item = (fl_graph_evidence){.edge = add_edge(d, kind, from, to)->id,
                                .source = source,
                                .author = lesson->author,
                                .reference = lesson->incident->id,
                                .supports = supports,
                                .at_ns = lesson->incident->at_ns,
                                .recorded_ns = lesson->now_ns,
                                .note = lesson->note};
    item->id = fl_graph_evidence_id(item);
    d->from[d->evidence_count] = from;
    d->to[d->evidence_count] = to;
    d->moved[d->evidence_count++] = (fl_moved){.from = from->title, .to = to->title, .kind = kind};
}

/* Whether the lesson says that of this symptom. */
static bool is_explained(const fl_lesson *lesson, uint64_t symptom)
{
    if (lesson->explains == NULL)
        return !lesson->fix_failed;
    for (size_t i = 0; i < lesson->explains_count; i++)
        if (lesson->explains[i] == symptom)
            return !lesson->fix_failed;
    return false;
}

/* The incident shows these symptoms; these are explained, or not, by that cause. */
static void draft_all(draft *d, const fl_graph_node *incident, const fl_symptoms *symptoms)
{
    assert(symptoms->count <= FL_MAX_SYMPTOMS);
    const fl_lesson *lesson = d->lesson;
    const fl_graph_node *cause = lesson->cause != NULL ? add_node(d, lesson->cause) : NULL;
    incident = add_node(d, incident);
    for (size_t i = 0; i < symptoms->count; i++) {
        const fl_graph_node *symptom = add_node(d, &symptoms->nodes[i]);
        add_edge(d, FL_EDGE_EXHIBITS, incident, symptom);
        if (cause != NULL && is_explained(lesson, symptom->id))
            judge(d, FL_EDGE_EXPLAINED_BY, symptom, cause, lesson->source, lesson->supports);
    }
    if (cause != NULL && lesson->supports && !lesson->fix_failed &&
        lesson->source != FL_SOURCE_AUTOMATIC)
        add_edge(d, FL_EDGE_DIAGNOSED_AS, incident, cause);
    if (cause != NULL && lesson->supports && lesson->fix != NULL)
        judge(d, FL_EDGE_RESOLVED_BY, cause, add_node(d, lesson->fix), lesson->fix_source,
              !lesson->fix_failed);
}

/* How sure the store is that a symptom is explained by a cause, beside its other causes. */
static fl_status believe_cause(fl_confidence *out, size_t *items, draft *d, size_t judged,
                               fl_store *store, fl_error *err)
{
    fl_symptom_belief belief;
    const fl_belief_question question = {
        .symptom = d->from[judged]->id, .known_ns = d->lesson->now_ns, .at_ns = d->lesson->now_ns};
    fl_status status = fl_symptom_belief_of(&belief, store, &question, d->arena, err);
    if (status != FL_OK)
        return status;
    const fl_cause_belief *cause = fl_symptom_belief_find(&belief, d->to[judged]->id);
    fl_confidence_beta(out, cause->confidence.a, cause->confidence.b);
    *items = cause->supporting + cause->contradicting + cause->elsewhere;
    return FL_OK;
}

/* That a cause is resolved by a fix. */
static fl_status believe_fix(fl_confidence *out, size_t *items, const draft *d, size_t judged,
                             fl_store *store, fl_error *err)
{
    fl_edge_belief belief;
    const fl_edge_question question = {.edge = d->evidence[judged].edge,
                                       .known_ns = d->lesson->now_ns,
                                       .at_ns = d->lesson->now_ns,
                                       .limit = FL_MEMORY_MAX_EVIDENCE};
    fl_status status = fl_edge_belief_of(&belief, store, &question, err);
    *out = belief.confidence;
    *items = belief.supporting + belief.contradicting;
    return status;
}

/* How sure the store is of each judged edge at this moment. */
static fl_status believe(draft *d, fl_store *store, bool after, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < d->evidence_count; i++) {
        fl_moved *moved = &d->moved[i];
        fl_confidence *confidence = after ? &moved->after : &moved->before;
        size_t *items = after ? &moved->items_after : &moved->items_before;
        status = moved->kind == FL_EDGE_EXPLAINED_BY
                     ? believe_cause(confidence, items, d, i, store, err)
                     : believe_fix(confidence, items, d, i, store, err);
    }
    return status;
}

/* Before, the change, after. Another writer may come in between: the move then shows both. */
static fl_status learn(fl_learnt *out, fl_store *store, draft *d, fl_error *err)
{
    const fl_graph_batch batch = {.nodes = d->nodes,
                                  .node_count = d->node_count,
                                  .edges = d->edges,
                                  .edge_count = d->edge_count,
                                  .evidence = d->evidence,
                                  .evidence_count = d->evidence_count};
    bool is_note = d->lesson->is_note;
    fl_status status = is_note ? FL_OK : believe(d, store, false, err);
    if (status == FL_OK)
        status = fl_graph_add(&out->added, store, &batch, err);
    if (status == FL_OK && !is_note)
        status = believe(d, store, true, err);
    out->moved = d->moved;
    out->count = d->evidence_count;
    out->weight = fl_source_weight(d->lesson->source);
    out->aged = fl_source_weight_aged(d->lesson->source, d->lesson->incident->at_ns,
                                      FL_HALF_LIFE_DAYS, d->lesson->now_ns);
    return status;
}

fl_status fl_memory_learn(fl_learnt *out, fl_store *store, const fl_lesson *lesson, fl_arena *arena,
                          fl_error *err)
{
    assert(lesson->incident != NULL && lesson->author != NULL);
    assert(lesson->fix == NULL || lesson->cause != NULL);
    fl_symptoms symptoms;
    fl_graph_node incident;
    *out = (fl_learnt){0};
    fl_status status = fl_symptoms_of(&symptoms, lesson->incident, lesson->now_ns, arena, err);
    if (status == FL_OK)
        status = fl_symptoms_incident(&incident, lesson->incident, lesson->now_ns, arena, err);
    draft *d = fl_arena_alloc(arena, 1, sizeof(*d));
    fl_moved *moved = fl_arena_alloc(arena, MAX_JUDGED, sizeof(*moved));
    if (status == FL_OK && (d == NULL || moved == NULL))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while learning");
    if (status != FL_OK)
        return status;
    d->lesson = lesson;
    d->arena = arena;
    d->moved = moved;
    draft_all(d, &incident, &symptoms);
    return learn(out, store, d, err);
}
