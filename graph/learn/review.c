/*
 * review.c - what waits is found by one walk over the evidence, in the order of its edges.
 *
 * All evidence for an edge comes together, so that what people said of it is known when its last
 * item has been seen: documents' items whose reference no person has answered wait. Then nodes and
 * edges are asked for, one by one: what waits is little beside what the graph holds.
 *
 * The walk needs memory for what waits and for one edge's answers. It reads all evidence, and asks
 * three times for each item that waits: docs/benchmarks.md has the time for a million. Reviews are
 * rare, and an index for them would cost every write.
 *
 * Invariants: items before `first` are of edges that are finished; those from `first` to `count`
 * are of the edge that is being seen, and may still leave.
 */
#include "review.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge_confidence.h"
#include "mem.h"
#include "memory.h"
#include "number.h"
#include "slice.h"
#include "symptoms.h"

/* More than a team reads; the rest comes when these are done. */
enum { MAX_WAITING = 20000, MAX_ANSWERS = 4096 };

struct walk {
    fl_waiting *items;
    size_t count;
    size_t first; /* of the edge that is being seen */
    uint64_t edge;
    fl_arena *arena;
    char *answers[MAX_ANSWERS]; /* references that a person spoke of, for this edge */
    size_t answer_count;
    fl_arena spoken;
};

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the review");
}

/* Those of the edge whose reference was answered leave. */
static void close_edge(struct walk *w)
{
    size_t kept = w->first;
    assert(w->first <= w->count);
    for (size_t i = w->first; i < w->count; i++) {
        bool answered = false;
        for (size_t a = 0; a < w->answer_count && !answered; a++)
            answered = strcmp(w->answers[a], w->items[i].proposal.reference) == 0;
        if (!answered)
            w->items[kept++] = w->items[i];
    }
    w->count = kept;
    w->first = kept;
    w->answer_count = 0;
    fl_arena_reset(&w->spoken);
}

/* "sentence\ndocument, byte 12, rule \"caused by\"" */
static void take_note(fl_proposal *p, char *note)
{
    char *line = note != NULL ? strrchr(note, '\n') : NULL;
    p->sentence = note != NULL ? note : "";
    p->document = p->rule = "";
    if (line == NULL)
        return;
    *line++ = '\0';
    p->document = line;
    char *byte = strstr(line, ", byte "), *rule = strstr(line, ", rule \"");
    if (byte == NULL || rule == NULL)
        return;
    *byte = *rule = '\0';
    uint64_t offset = 0;
    if (fl_parse_u64(fl_slice_of(byte + strlen(", byte ")), &offset))
        p->offset = offset;
    rule += strlen(", rule \"");
    size_t len = strlen(rule);
    if (len > 0 && rule[len - 1] == '"')
        rule[len - 1] = '\0';
    p->rule = rule;
}

/* Borrowed texts are copied: the walk goes on. */
static fl_status keep_waiting(struct walk *w, const fl_graph_evidence *item, fl_error *err)
{
    assert(w->count <= MAX_WAITING);
    if (w->count == MAX_WAITING)
        return FL_OK;
    fl_waiting *out = &w->items[w->count];
    char *note = fl_arena_printf(w->arena, "%s", item->note != NULL ? item->note : "");
    *out = (fl_waiting){.edge = item->edge};
    out->proposal = (fl_proposal){.id = item->id,
                                  .supports = item->supports,
                                  .is_hedged = item->source == FL_SOURCE_HEDGED,
                                  .author = fl_arena_printf(w->arena, "%s", item->author),
                                  .reference = fl_arena_printf(w->arena, "%s", item->reference),
                                  .at_ns = item->at_ns};
    if (note == NULL || out->proposal.author == NULL || out->proposal.reference == NULL)
        return no_memory(err);
    take_note(&out->proposal, note);
    w->count++;
    return FL_OK;
}

/* Evidence comes by edge, source, author and id. */
static fl_status see(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    struct walk *w = payload;
    assert(w->answer_count <= MAX_ANSWERS);
    if (item->edge != w->edge)
        close_edge(w);
    w->edge = item->edge;
    if (item->source == FL_SOURCE_DOCUMENT || item->source == FL_SOURCE_HEDGED)
        return keep_waiting(w, item, err);
    if (item->source != FL_SOURCE_PERSON || w->answer_count == MAX_ANSWERS)
        return FL_OK;
    char *reference = fl_arena_printf(&w->spoken, "%s", item->reference);
    if (reference == NULL)
        return no_memory(err);
    w->answers[w->answer_count++] = reference;
    return FL_OK;
}

/* ---- nodes and edges ---- */

struct lookup {
    fl_graph_node node;
    fl_graph_edge edge;
    fl_arena *arena;
    bool found;
};

/* A node without a title is called by its key. */
static fl_status take_node(const fl_graph_node *node, void *payload, fl_error *err)
{
    struct lookup *out = payload;
    out->node = *node;
    out->found = true;
    out->node.key = fl_arena_printf(out->arena, "%s", node->key);
    out->node.title =
        node->title != NULL ? fl_arena_printf(out->arena, "%s", node->title) : out->node.key;
    return out->node.key != NULL && out->node.title != NULL ? FL_OK : no_memory(err);
}

/* Kind, ends and qualifier; ids need no copy. */
static fl_status take_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    struct lookup *out = payload;
    out->edge = *edge;
    out->found = true;
    if (edge->qualifier != NULL)
        out->edge.qualifier = fl_arena_printf(out->arena, "%s", edge->qualifier);
    return edge->qualifier == NULL || out->edge.qualifier != NULL ? FL_OK : no_memory(err);
}

/* Ends of edges are in every store: anything else is damage, and said. */
static fl_status find_node(fl_graph_node *out, fl_store *store, uint64_t id, fl_arena *arena,
                           fl_error *err)
{
    struct lookup found = {.arena = arena};
    fl_graph_question question = {.scope = FL_GRAPH_ONE, .id = id, .as_of_ns = FL_GRAPH_NOW};
    fl_status status = fl_graph_nodes(store, &question, take_node, &found, err);
    if (status == FL_OK && !found.found)
        status = fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "an edge ends at no node");
    *out = found.node;
    return status;
}

/* From the edge's id to what it says. */
static fl_status fill(fl_waiting *waiting, fl_store *store, fl_arena *arena, fl_error *err)
{
    assert(waiting->edge != 0);
    struct lookup found = {.arena = arena};
    fl_graph_question question = {
        .scope = FL_GRAPH_ONE, .id = waiting->edge, .as_of_ns = FL_GRAPH_NOW};
    fl_proposal *p = &waiting->proposal;
    fl_status status = fl_graph_edges(store, &question, take_edge, &found, err);
    if (status == FL_OK && !found.found)
        status = fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "evidence is for no edge");
    p->kind = found.edge.kind;
    p->qualifier = found.edge.qualifier;
    if (status == FL_OK)
        status = find_node(&p->from, store, found.edge.from, arena, err);
    if (status == FL_OK)
        status = find_node(&p->to, store, found.edge.to, arena, err);
    return status;
}

/* By document, then by place, so that a reviewer reads a text from its beginning. */
static int compare_waiting(const void *left, const void *right)
{
    const fl_proposal *a = &((const fl_waiting *)left)->proposal;
    const fl_proposal *b = &((const fl_waiting *)right)->proposal;
    int order = strcmp(a->document, b->document);
    if (order != 0)
        return order;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

fl_status fl_review_list(fl_waiting_list *out, fl_store *store, fl_arena *arena, fl_error *err)
{
    assert(store != NULL && arena != NULL);
    *out = (fl_waiting_list){0};
    struct walk *w = fl_mem_calloc(1, sizeof(*w));
    fl_waiting *items = fl_arena_alloc(arena, MAX_WAITING, sizeof(*items));
    if (w == NULL || items == NULL) {
        fl_mem_free(w);
        return no_memory(err);
    }
    w->items = items;
    w->arena = arena;
    w->spoken = fl_arena_of(MAX_ANSWERS * (size_t)(FL_MAX_GRAPH_TEXT_BYTES + 1));
    fl_graph_question all = {.scope = FL_GRAPH_ALL, .as_of_ns = FL_GRAPH_NOW};
    fl_status status = fl_graph_evidence_for(store, &all, see, w, err);
    close_edge(w);
    for (size_t i = 0; status == FL_OK && i < w->count; i++)
        status = fill(&items[i], store, arena, err);
    if (status == FL_OK) {
        qsort(items, w->count, sizeof(*items), compare_waiting);
        *out = (fl_waiting_list){.items = items, .count = w->count};
    }
    fl_arena_dispose(&w->spoken);
    fl_mem_free(w);
    return status;
}

fl_status fl_review_find(const fl_waiting **out, const fl_waiting_list *list, const char *prefix,
                         fl_error *err)
{
    const fl_waiting *found = NULL;
    assert(prefix != NULL);
    for (size_t i = 0; i < list->count; i++) {
        char id[17];
        snprintf(id, sizeof(id), "%016" PRIx64, list->items[i].proposal.id);
        if (prefix[0] == '\0' || strncmp(id, prefix, strlen(prefix)) != 0)
            continue;
        if (found != NULL)
            return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                           "several proposals begin with %.16s: give more of it", prefix);
        found = &list->items[i];
    }
    *out = found;
    return found != NULL ? FL_OK
                         : fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET,
                                   "no proposal %.16s waits for a review", prefix);
}

/* ---- what a person says ---- */

struct saying {
    fl_graph_node nodes[2];
    fl_graph_edge edge;
    fl_graph_evidence evidence[2];
    size_t evidence_count;
};

/* The reference of the proposal makes it an answer to it. */
static void speak(struct saying *s, const fl_waiting *waiting, const fl_review *review,
                  uint64_t edge, bool supports)
{
    assert(s->evidence_count < 2);
    fl_graph_evidence *item = &s->evidence[s->evidence_count++];
    *item = (fl_graph_evidence){.edge = edge,
                                .source = FL_SOURCE_PERSON,
                                .author = review->author,
                                .reference = waiting->proposal.reference,
                                .supports = supports,
                                .at_ns = waiting->proposal.at_ns,
                                .recorded_ns = review->now_ns,
                                .note = review->why};
    item->id = fl_graph_evidence_id(item);
}

/* The edge as the reviewer has it. */
static fl_status edited(struct saying *s, const fl_waiting *waiting, const fl_review *review,
                        fl_arena *arena, fl_error *err)
{
    const fl_proposal *p = &waiting->proposal;
    const char *words[2] = {review->from, review->to};
    s->nodes[0] = p->from;
    s->nodes[1] = p->to;
    for (size_t i = 0; i < 2; i++) {
        fl_status status = words[i] != NULL ? fl_symptoms_said(&s->nodes[i], s->nodes[i].kind,
                                                               words[i], review->now_ns, arena, err)
                                            : FL_OK;
        if (status != FL_OK)
            return status;
    }
    s->edge = (fl_graph_edge){
        .id = fl_edge_id(p->kind, s->nodes[0].id, s->nodes[1].id, fl_slice_of(p->qualifier)),
        .kind = p->kind,
        .from = s->nodes[0].id,
        .to = s->nodes[1].id,
        .qualifier = p->qualifier,
        .recorded_ns = review->now_ns};
    return FL_OK;
}

/* Before and after, for the report. */
static fl_status believe(fl_confidence *out, size_t *items, fl_store *store, uint64_t edge,
                         int64_t now_ns, fl_error *err)
{
    fl_edge_belief belief;
    const fl_edge_question question = {
        .edge = edge, .known_ns = now_ns, .at_ns = now_ns, .limit = FL_MEMORY_MAX_EVIDENCE};
    fl_status status = fl_edge_belief_of(&belief, store, &question, err);
    if (status != FL_OK)
        return status;
    *out = belief.confidence;
    *items = belief.supporting + belief.contradicting;
    return FL_OK;
}

fl_status fl_review_say(fl_reviewed *out, fl_store *store, const fl_waiting *waiting,
                        const fl_review *review, fl_arena *arena, fl_error *err)
{
    assert(review->author != NULL && waiting->proposal.reference != NULL);
    struct saying s = {.evidence_count = 0};
    bool accepts = review->verdict == FL_REVIEW_ACCEPT;
    bool edits = review->verdict == FL_REVIEW_EDIT;
    fl_status status = edited(&s, waiting, review, arena, err);
    if (status == FL_OK && edits && s.edge.id == waiting->edge)
        status = fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                         "the edit changes nothing: accept or reject the proposal");
    if (status != FL_OK)
        return status;
    bool said = waiting->proposal.supports;
    speak(&s, waiting, review, waiting->edge, accepts ? said : !said);
    if (edits)
        speak(&s, waiting, review, s.edge.id, said);
    *out = (fl_reviewed){.from = s.nodes[0], .to = s.nodes[1], .kind = s.edge.kind};
    const fl_graph_batch batch = {.nodes = s.nodes,
                                  .node_count = 2,
                                  .edges = &s.edge,
                                  .edge_count = 1,
                                  .evidence = s.evidence,
                                  .evidence_count = s.evidence_count};
    status = believe(&out->before, &out->items_before, store, s.edge.id, review->now_ns, err);
    if (status == FL_OK)
        status = fl_graph_add(NULL, store, &batch, err);
    if (status == FL_OK)
        status = believe(&out->after, &out->items_after, store, s.edge.id, review->now_ns, err);
    return status;
}
