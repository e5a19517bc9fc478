/*
 * memory_ahead.c - what a question will ask the store for, read a step ahead.
 *
 * Remembering walks from node to node. Each step knows all nodes of the next before it begins, so
 * that a whole step is one question to a server and not hundreds (graph_ahead.h). What is read here
 * changes no answer: where it is too much, or cut, the steps ask for themselves.
 *
 *   symptoms    their edges to both sides, then the evidence for those to causes
 *   causes      their titles and edges, then the evidence for those to fixes, and the fixes' titles
 *   incidents   their edges, by tens, as long as one of them may be among the most similar
 *   outcomes    titles of the incidents that are told, and their causes as above
 */
#include <assert.h>

#include "graph_ahead.h"
#include "mem.h"
#include "memory_priv.h"

/* Of one edge: few have more, and those ask for themselves. */
enum { AHEAD_EVIDENCE = 256 };

/* Ids as they are met; the same may come twice. */
typedef struct id_list {
    uint64_t *items;
    size_t count, room;
} id_list;

static fl_status add_ids(id_list *list, const uint64_t *ids, size_t count, fl_error *err)
{
    if (count > list->room - list->count) {
        size_t room = 2 * list->room + count;
        uint64_t *grown = fl_mem_realloc(list->items, room, sizeof(*grown));
        if (grown == NULL)
            return fl_recall_no_memory(err);
        list->items = grown;
        list->room = room;
    }
    for (size_t i = 0; i < count; i++)
        list->items[list->count++] = ids[i];
    assert(list->count <= list->room);
    return FL_OK;
}

/* As the steps themselves will ask, or they would not be answered. */
static fl_graph_question question_of(const fl_recall *r, fl_graph_scope scope, size_t limit)
{
    return (fl_graph_question){.scope = scope, .as_of_ns = r->question->now_ns, .limit = limit};
}

fl_status fl_recall_ahead_edges(fl_recall *r, const uint64_t *nodes, size_t count,
                                fl_graph_scope side, fl_error *err)
{
    const fl_graph_question question = question_of(r, side, FL_MEMORY_MAX_EDGES + 1);
    return fl_graph_ahead_edges(r->store, &question, nodes, count, err);
}

/* A node is one row: a limit of two says that there is no other. */
fl_status fl_recall_ahead_titles(fl_recall *r, const uint64_t *nodes, size_t count, fl_error *err)
{
    const fl_graph_question question = question_of(r, FL_GRAPH_ONE, 2);
    return fl_graph_ahead_nodes(r->store, &question, nodes, count, err);
}

/* Edges of one kind that leave nodes, at most `most` of each: their ids and far ends. */
typedef struct outward {
    fl_edge_kind kind;
    size_t most;
    id_list edges, ends; /* of the heap */
} outward;

static void outward_dispose(outward *out)
{
    fl_mem_free(out->edges.items);
    fl_mem_free(out->ends.items);
}

/* The nodes' edges were read ahead, so that this asks nobody. */
static fl_status list_out(outward *out, fl_recall *r, const uint64_t *nodes, size_t count,
                          fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < count; i++) {
        fl_edge_list list;
        status = fl_recall_edges(&list, r, nodes[i], FL_GRAPH_OUT, out->kind, err);
        size_t kept = list.count < out->most ? list.count : out->most;
        if (status == FL_OK)
            status = add_ids(&out->edges, list.ids, kept, err);
        if (status == FL_OK)
            status = add_ids(&out->ends, list.others, kept, err);
        fl_edge_list_dispose(&list);
    }
    return status;
}

/* Notes are for people, and do not count. */
static fl_status ahead_evidence(fl_recall *r, const id_list *edges, fl_error *err)
{
    fl_graph_question question = question_of(r, FL_GRAPH_ONE, AHEAD_EVIDENCE);
    question.brief = true;
    return fl_graph_ahead_evidence(r->store, &question, edges->items, edges->count, err);
}

/* Both sides of the symptoms: what explains them, and which incidents show them. */
fl_status fl_recall_ahead_symptoms(fl_recall *r, fl_error *err)
{
    uint64_t ids[FL_MAX_SYMPTOMS];
    outward causes = {.kind = FL_EDGE_EXPLAINED_BY, .most = FL_MEMORY_MAX_CAUSES};
    assert(r->symptom_count <= FL_MAX_SYMPTOMS);
    for (size_t s = 0; s < r->symptom_count; s++)
        ids[s] = r->question->symptoms->nodes[s].id;
    fl_status status = fl_recall_ahead_edges(r, ids, r->symptom_count, FL_GRAPH_OUT, err);
    if (status == FL_OK)
        status = fl_recall_ahead_edges(r, ids, r->symptom_count, FL_GRAPH_IN, err);
    if (status == FL_OK)
        status = list_out(&causes, r, ids, r->symptom_count, err);
    if (status == FL_OK)
        status = ahead_evidence(r, &causes.edges, err);
    outward_dispose(&causes);
    return status;
}

/* The ways from causes to fixes, with what is said of them. */
static fl_status ahead_fixes(fl_recall *r, const id_list *causes, fl_error *err)
{
    outward fixes = {.kind = FL_EDGE_RESOLVED_BY, .most = FL_RECALL_MAX_FIXES};
    fl_status status = fl_recall_ahead_edges(r, causes->items, causes->count, FL_GRAPH_OUT, err);
    if (status == FL_OK)
        status = fl_recall_ahead_titles(r, causes->items, causes->count, err);
    if (status == FL_OK)
        status = list_out(&fixes, r, causes->items, causes->count, err);
    if (status == FL_OK)
        status = ahead_evidence(r, &fixes.edges, err);
    if (status == FL_OK)
        status = fl_recall_ahead_titles(r, fixes.ends.items, fixes.ends.count, err);
    outward_dispose(&fixes);
    return status;
}

/* Of causes that will be told. */
fl_status fl_recall_ahead_causes(fl_recall *r, const fl_path *paths, size_t count, fl_error *err)
{
    id_list causes = {0};
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < count; i++)
        status = add_ids(&causes, &paths[i].cause, 1, err);
    if (status == FL_OK)
        status = ahead_fixes(r, &causes, err);
    fl_mem_free(causes.items);
    return status;
}

fl_status fl_recall_ahead_outcomes(fl_recall *r, const uint64_t *incidents, size_t count,
                                   fl_error *err)
{
    outward causes = {.kind = FL_EDGE_DIAGNOSED_AS, .most = FL_RECALL_MAX_CAUSES};
    fl_status status = fl_recall_ahead_titles(r, incidents, count, err);
    if (status == FL_OK)
        status = list_out(&causes, r, incidents, count, err);
    if (status == FL_OK)
        status = ahead_fixes(r, &causes.ends, err);
    outward_dispose(&causes);
    return status;
}
