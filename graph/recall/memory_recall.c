/*
 * memory_recall.c - from symptoms to the causes, fixes and incidents that the graph knows for them.
 *
 * Walks the store itself, one node after the other, within the limits of memory.h:
 *
 *   symptom -explained-by-> cause -resolved-by-> fix      symptom <-exhibits- incident
 *
 * First everything is collected for every symptom, then weighed: how rare a symptom is can only be
 * said when all incidents that show one are known.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edge_confidence.h"
#include "mem.h"
#include "memory.h"
#include "slice.h"

enum { MAX_CAUSES = 256, MAX_FIXES = 64, MAX_INCIDENTS = 1024, MAX_SIMILAR = 5 };

typedef struct candidate {
    fl_path path;
    fl_edge_belief by_symptom[FL_MAX_SYMPTOMS];
    uint32_t symptoms; /* bits of those that point here */
} candidate;

typedef struct exhibit {
    uint64_t incident;
    uint32_t symptoms; /* bits of those that it shows */
} exhibit;

typedef struct recall {
    fl_store *store;
    fl_arena *arena;
    fl_memory *out;
    uint64_t self;
    int64_t now_ns;
    size_t symptom_count;
    double weight[FL_MAX_SYMPTOMS];
    candidate *causes;
    size_t cause_count;
    exhibit *incidents;
    size_t incident_count;
} recall;

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while remembering");
}

/* ---- the edges of a node ---- */

typedef struct edge_list {
    fl_edge_kind kind;
    uint64_t *others; /* the node at the other end */
    uint64_t *ids;
    size_t count, seen;
} edge_list;

static void list_dispose(edge_list *list)
{
    fl_mem_free(list->others);
    fl_mem_free(list->ids);
}

/* Edges of other kinds count against the limit of what is looked at, and are not kept. */
static fl_status keep_out(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    edge_list *list = payload;
    (void)err;
    if (edge->kind == list->kind && list->count < FL_MEMORY_MAX_EDGES) {
        list->others[list->count] = edge->to;
        list->ids[list->count++] = edge->id;
    }
    list->seen++;
    return FL_OK;
}

/* The same with the ends exchanged, so that `others` is always the far end. */
static fl_status keep_in(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    fl_graph_edge turned = *edge;
    turned.to = edge->from;
    return keep_out(&turned, payload, err);
}

/* The caller disposes of *out, also after a failure. */
static fl_status list_edges(edge_list *out, recall *r, uint64_t node, fl_graph_scope side,
                            fl_edge_kind kind, fl_error *err)
{
    assert(side == FL_GRAPH_OUT || side == FL_GRAPH_IN);
    fl_graph_question question = {
        .scope = side, .id = node, .as_of_ns = r->now_ns, .limit = FL_MEMORY_MAX_EDGES + 1};
    *out = (edge_list){.kind = kind,
                       .others = fl_mem_alloc(FL_MEMORY_MAX_EDGES * sizeof(uint64_t)),
                       .ids = fl_mem_alloc(FL_MEMORY_MAX_EDGES * sizeof(uint64_t))};
    if (out->others == NULL || out->ids == NULL)
        return no_memory(err);
    fl_status status =
        fl_graph_edges(r->store, &question, side == FL_GRAPH_OUT ? keep_out : keep_in, out, err);
    r->out->cut = r->out->cut || out->seen > FL_MEMORY_MAX_EDGES;
    return status;
}

/* ---- titles ---- */

typedef struct title {
    fl_arena *arena;
    const char *text;
} title;

/* Of an incident the id, by which it is shown again; of everything else the words. */
static fl_status take_title(const fl_graph_node *node, void *payload, fl_error *err)
{
    title *out = payload;
    const char *text =
        node->title != NULL && node->kind != FL_NODE_INCIDENT ? node->title : node->key;
    out->text = fl_arena_printf(out->arena, "%s", text);
    return out->text != NULL ? FL_OK : no_memory(err);
}

/* "" for a node that is not there, which foreign keys do not let happen. */
static fl_status title_of(const char **out, recall *r, uint64_t id, fl_error *err)
{
    title found = {.arena = r->arena, .text = ""};
    fl_graph_question question = {.scope = FL_GRAPH_ONE, .id = id, .as_of_ns = r->now_ns};
    fl_status status = fl_graph_nodes(r->store, &question, take_title, &found, err);
    *out = found.text;
    return status;
}

/* ---- collecting ---- */

/* NULL where there are too many. */
static candidate *candidate_of(recall *r, uint64_t cause)
{
    for (size_t i = 0; i < r->cause_count; i++)
        if (r->causes[i].path.cause == cause)
            return &r->causes[i];
    if (r->cause_count == MAX_CAUSES) {
        r->out->cut = true;
        return NULL;
    }
    candidate *new = &r->causes[r->cause_count++];
    new->path.cause = cause;
    return new;
}

/* What the graph says of this one symptom. */
static fl_status collect_causes(recall *r, size_t symptom, uint64_t node, fl_error *err)
{
    edge_list edges;
    fl_status status = list_edges(&edges, r, node, FL_GRAPH_OUT, FL_EDGE_EXPLAINED_BY, err);
    for (size_t i = 0; status == FL_OK && i < edges.count; i++) {
        candidate *c = candidate_of(r, edges.others[i]);
        if (c == NULL)
            break;
        status = fl_edge_belief_of(&c->by_symptom[symptom], r->store, edges.ids[i],
                                   FL_MEMORY_MAX_EVIDENCE, r->now_ns, err);
        c->symptoms |= UINT32_C(1) << symptom;
        r->out->cut = r->out->cut || c->by_symptom[symptom].cut;
    }
    list_dispose(&edges);
    return status;
}

/* The incident that asks is not one of those before it. */
static void note_incident(recall *r, size_t symptom, uint64_t incident)
{
    size_t i = 0;
    if (incident == r->self)
        return;
    while (i < r->incident_count && r->incidents[i].incident != incident)
        i++;
    if (i == MAX_INCIDENTS) {
        r->out->cut = true;
        return;
    }
    if (i == r->incident_count)
        r->incidents[r->incident_count++] = (exhibit){.incident = incident};
    r->incidents[i].symptoms |= UINT32_C(1) << symptom;
}

/* Which incidents showed this symptom. */
static fl_status collect_incidents(recall *r, size_t symptom, uint64_t node, fl_error *err)
{
    edge_list edges;
    fl_status status = list_edges(&edges, r, node, FL_GRAPH_IN, FL_EDGE_EXHIBITS, err);
    for (size_t i = 0; status == FL_OK && i < edges.count; i++)
        note_incident(r, symptom, edges.others[i]);
    list_dispose(&edges);
    return status;
}

/* ---- weighing ---- */

static void weigh_symptoms(recall *r, const fl_symptoms *symptoms)
{
    for (size_t s = 0; s < r->symptom_count; s++) {
        size_t showing = 0;
        for (size_t i = 0; i < r->incident_count; i++)
            showing += r->incidents[i].symptoms >> s & 1;
        r->weight[s] = (symptoms->nats != NULL ? symptoms->nats[s] : 1) *
                       log(((double)r->incident_count + 2) / ((double)showing + 1));
    }
}

static size_t bits_of(uint32_t set)
{
    size_t count = 0;
    for (; set != 0; set &= set - 1)
        count++;
    return count;
}

/* The posterior over all symptoms, as memory.h says. */
static void weigh_cause(recall *r, candidate *c)
{
    assert(c->symptoms != 0); /* it was found by one of them */
    double a = 0, b = 0, weights = 0;
    fl_confidence prior;
    fl_confidence_of(&prior, NULL, 0, FL_HALF_LIFE_DAYS, r->now_ns);
    for (size_t s = 0; s < r->symptom_count; s++) {
        bool points = (c->symptoms >> s & 1) != 0;
        const fl_edge_belief *belief = &c->by_symptom[s];
        a += r->weight[s] * (points ? belief->confidence.a : prior.a);
        b += r->weight[s] * (points ? belief->confidence.b : prior.b);
        weights += r->weight[s];
        /* What was said of one incident was said of each of its symptoms. */
        c->path.supporting =
            belief->supporting > c->path.supporting ? belief->supporting : c->path.supporting;
        c->path.contradicting = belief->contradicting > c->path.contradicting
                                    ? belief->contradicting
                                    : c->path.contradicting;
        c->path.last_ns = belief->last_ns > c->path.last_ns ? belief->last_ns : c->path.last_ns;
    }
    assert(weights > 0); /* ln((N + 2) / (n + 1)) with n <= N */
    c->path.shared = bits_of(c->symptoms);
    fl_confidence_beta(&c->path.confidence, a / weights, b / weights);
}

/* Ids settle a tie, so that the order is the same in every run and store. */
static int by_lower_bound(const fl_confidence *x, const fl_confidence *y, uint64_t x_id,
                          uint64_t y_id)
{
    if (x->low != y->low)
        return x->low > y->low ? -1 : 1;
    return (x_id > y_id) - (x_id < y_id);
}

static int compare_fixes(const void *a, const void *b)
{
    const fl_path_fix *x = a, *y = b;
    return by_lower_bound(&x->confidence, &y->confidence, x->id, y->id);
}

static int compare_paths(const void *a, const void *b)
{
    const fl_path *x = a, *y = b;
    return by_lower_bound(&x->confidence, &y->confidence, x->cause, y->cause);
}

static fl_status fix_of(fl_path_fix *out, recall *r, const fl_path *path, uint64_t fix,
                        uint64_t edge, fl_error *err)
{
    fl_edge_belief belief;
    fl_status status =
        fl_edge_belief_of(&belief, r->store, edge, FL_MEMORY_MAX_EVIDENCE, r->now_ns, err);
    if (status != FL_OK)
        return status;
    const fl_confidence edges[] = {path->confidence, belief.confidence};
    *out = (fl_path_fix){.id = fix, .count = belief.supporting, .last_ns = belief.last_ns};
    fl_confidence_path(&out->confidence, edges, 2);
    r->out->cut = r->out->cut || belief.cut;
    return title_of(&out->title, r, fix, err);
}

/* Fixes of one cause, each as sure as the path that leads to it. */
static fl_status find_fixes(recall *r, fl_path *path, fl_error *err)
{
    edge_list edges;
    fl_status status = list_edges(&edges, r, path->cause, FL_GRAPH_OUT, FL_EDGE_RESOLVED_BY, err);
    size_t count = edges.count < MAX_FIXES ? edges.count : MAX_FIXES;
    fl_path_fix *fixes = fl_arena_alloc(r->arena, count > 0 ? count : 1, sizeof(*fixes));
    if (status == FL_OK && fixes == NULL)
        status = no_memory(err);
    for (size_t i = 0; status == FL_OK && i < count; i++)
        status = fix_of(&fixes[i], r, path, edges.others[i], edges.ids[i], err);
    if (status == FL_OK) {
        qsort(fixes, count, sizeof(*fixes), compare_fixes);
        path->fixes = fixes;
        path->fix_count = count;
        r->out->cut = r->out->cut || edges.count > count;
    }
    list_dispose(&edges);
    return status;
}

/* Causes with their fixes, in their order. */
static fl_status make_paths(recall *r, fl_error *err)
{
    fl_path *paths = fl_arena_alloc(r->arena, r->cause_count + 1, sizeof(*paths));
    fl_status status = paths != NULL ? FL_OK : no_memory(err);
    for (size_t i = 0; status == FL_OK && i < r->cause_count; i++) {
        weigh_cause(r, &r->causes[i]);
        paths[i] = r->causes[i].path;
        status = title_of(&paths[i].title, r, paths[i].cause, err);
        if (status == FL_OK)
            status = find_fixes(r, &paths[i], err);
    }
    if (status != FL_OK)
        return status;
    qsort(paths, r->cause_count, sizeof(*paths), compare_paths);
    r->out->paths = paths;
    r->out->path_count = r->cause_count;
    return FL_OK;
}

/* ---- similar incidents ---- */

static int compare_similar(const void *a, const void *b)
{
    const fl_similar *x = a, *y = b;
    if (x->overlap != y->overlap)
        return x->overlap > y->overlap ? -1 : 1;
    return strcmp(x->incident, y->incident);
}

/* What only the other incident shows is as rare as ours are on average. */
static fl_status similar_to(fl_similar *out, recall *r, const exhibit *e, fl_error *err)
{
    assert(e->symptoms != 0 && r->symptom_count > 0);
    edge_list edges;
    double both = 0, ours = 0;
    fl_status status = list_edges(&edges, r, e->incident, FL_GRAPH_OUT, FL_EDGE_EXHIBITS, err);
    for (size_t s = 0; s < r->symptom_count; s++) {
        ours += r->weight[s];
        both += (e->symptoms >> s & 1) != 0 ? r->weight[s] : 0;
    }
    *out = (fl_similar){
        .shared = bits_of(e->symptoms), .theirs = edges.count, .ours = r->symptom_count};
    double only_theirs = out->theirs > out->shared ? (double)(out->theirs - out->shared) : 0;
    out->overlap = both / (ours + only_theirs * ours / (double)r->symptom_count);
    list_dispose(&edges);
    return status == FL_OK ? title_of(&out->incident, r, e->incident, err) : status;
}

/* The most similar few, of all that share a symptom. */
static fl_status make_similar(recall *r, fl_error *err)
{
    fl_similar *similar = fl_arena_alloc(r->arena, r->incident_count + 1, sizeof(*similar));
    fl_status status = similar != NULL ? FL_OK : no_memory(err);
    for (size_t i = 0; status == FL_OK && i < r->incident_count; i++)
        status = similar_to(&similar[i], r, &r->incidents[i], err);
    if (status != FL_OK)
        return status;
    qsort(similar, r->incident_count, sizeof(*similar), compare_similar);
    r->out->similar = similar;
    r->out->similar_count = r->incident_count < MAX_SIMILAR ? r->incident_count : MAX_SIMILAR;
    r->out->seen = r->incident_count;
    return FL_OK;
}

fl_status fl_memory_recall(fl_memory *out, fl_store *store, const fl_memory_question *question,
                           fl_arena *arena, fl_error *err)
{
    const fl_symptoms *symptoms = question->symptoms;
    assert(symptoms->count <= FL_MAX_SYMPTOMS);
    *out = (fl_memory){0};
    recall r = {.store = store,
                .arena = arena,
                .out = out,
                .self = question->self,
                .now_ns = question->now_ns,
                .symptom_count = symptoms->count,
                .causes = fl_arena_alloc(arena, MAX_CAUSES, sizeof(candidate)),
                .incidents = fl_arena_alloc(arena, MAX_INCIDENTS, sizeof(exhibit))};
    fl_status status = r.causes != NULL && r.incidents != NULL ? FL_OK : no_memory(err);
    for (size_t s = 0; status == FL_OK && s < symptoms->count; s++) {
        status = collect_causes(&r, s, symptoms->nodes[s].id, err);
        if (status == FL_OK)
            status = collect_incidents(&r, s, symptoms->nodes[s].id, err);
    }
    if (status != FL_OK || symptoms->count == 0)
        return status;
    weigh_symptoms(&r, symptoms);
    status = make_paths(&r, err);
    return status == FL_OK ? make_similar(&r, err) : status;
}
