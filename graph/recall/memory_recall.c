/*
 * memory_recall.c - from symptoms to the causes and fixes that the graph knows for them.
 *
 * Walks the store itself, one node after the other, within the limits of symptom_belief.h:
 *
 *   symptom -explained-by-> cause -resolved-by-> fix      symptom <-exhibits- incident
 *
 * First everything is collected for every symptom, then weighed: how rare a symptom is can only be
 * said when all incidents that show one are known. Titles and fixes are read last, for those causes
 * only that are told.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edge_confidence.h"
#include "graph_ahead.h"
#include "mem.h"
#include "memory_priv.h"
#include "slice.h"
#include "timestamp.h"

fl_status fl_recall_no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while remembering");
}

bool fl_recall_is_late(fl_recall *r)
{
    bool is_late = r->deadline_ns != 0 && fl_time_monotonic() > r->deadline_ns;
    r->out->cut = r->out->cut || is_late;
    return is_late;
}

/* ---- the edges of a node ---- */

void fl_edge_list_dispose(fl_edge_list *list)
{
    fl_mem_free(list->others);
    fl_mem_free(list->ids);
}

/* Edges of other kinds count against the limit of what is looked at, and are not kept. */
static fl_status keep_out(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    fl_edge_list *list = payload;
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

fl_status fl_recall_edges(fl_edge_list *out, fl_recall *r, uint64_t node, fl_graph_scope side,
                          fl_edge_kind kind, fl_error *err)
{
    assert(side == FL_GRAPH_OUT || side == FL_GRAPH_IN);
    fl_graph_question question = {.scope = side,
                                  .id = node,
                                  .as_of_ns = r->question->now_ns,
                                  .limit = FL_MEMORY_MAX_EDGES + 1};
    *out = (fl_edge_list){.kind = kind,
                          .others = fl_mem_alloc(FL_MEMORY_MAX_EDGES * sizeof(uint64_t)),
                          .ids = fl_mem_alloc(FL_MEMORY_MAX_EDGES * sizeof(uint64_t))};
    if (out->others == NULL || out->ids == NULL)
        return fl_recall_no_memory(err);
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

static fl_status take_title(const fl_graph_node *node, void *payload, fl_error *err)
{
    title *out = payload;
    const char *text =
        node->title != NULL && node->kind != FL_NODE_INCIDENT ? node->title : node->key;
    out->text = fl_arena_printf(out->arena, "%s", text);
    return out->text != NULL ? FL_OK : fl_recall_no_memory(err);
}

/* "" for a node that is not there, which foreign keys do not let happen. */
fl_status fl_recall_title(const char **out, fl_recall *r, uint64_t id, fl_error *err)
{
    title found = {.arena = r->arena, .text = ""};
    fl_graph_question question = {.scope = FL_GRAPH_ONE, .id = id, .as_of_ns = r->question->now_ns};
    fl_status status = fl_graph_nodes(r->store, &question, take_title, &found, err);
    *out = found.text;
    return status;
}

size_t fl_recall_bits(uint32_t set)
{
    size_t count = 0;
    for (; set != 0; set &= set - 1)
        count++;
    return count;
}

/* ---- collecting ---- */

/* What the graph says of this one symptom. */
static fl_status collect_causes(fl_recall *r, size_t symptom, uint64_t node, fl_error *err)
{
    const fl_belief_question question = {.symptom = node,
                                         .known_ns = r->question->now_ns,
                                         .at_ns = r->at_ns,
                                         .self = r->question->self,
                                         .others_only = r->question->others_only,
                                         .candidates = r->question->candidates.causes,
                                         .candidate_count = r->question->candidates.count};
    fl_symptom_belief *belief = &r->beliefs[symptom];
    fl_status status = fl_symptom_belief_of(belief, r->store, &question, r->arena, err);
    r->out->cut = r->out->cut || belief->cut;
    return status;
}

/* The incident that asks is not one of those before it. */
static void note_incident(fl_recall *r, size_t symptom, uint64_t incident)
{
    size_t i = 0;
    if (incident == r->self)
        return;
    while (i < r->incident_count && r->incidents[i].incident != incident)
        i++;
    if (i == FL_MEMORY_MAX_INCIDENTS) {
        r->out->cut = true;
        return;
    }
    if (i == r->incident_count)
        r->incidents[r->incident_count++] = (fl_exhibit){.incident = incident};
    r->incidents[i].symptoms |= UINT32_C(1) << symptom;
}

/* Which incidents showed this symptom. */
static fl_status collect_incidents(fl_recall *r, size_t symptom, uint64_t node, fl_error *err)
{
    fl_edge_list edges;
    fl_status status = fl_recall_edges(&edges, r, node, FL_GRAPH_IN, FL_EDGE_EXHIBITS, err);
    for (size_t i = 0; status == FL_OK && i < edges.count; i++)
        note_incident(r, symptom, edges.others[i]);
    fl_edge_list_dispose(&edges);
    return status;
}

/* ---- weighing ---- */

static void weigh_symptoms(fl_recall *r, const fl_symptoms *symptoms)
{
    for (size_t s = 0; s < r->symptom_count; s++) {
        size_t showing = 0;
        for (size_t i = 0; i < r->incident_count; i++)
            showing += r->incidents[i].symptoms >> s & 1;
        r->weight[s] = (symptoms->nats != NULL ? symptoms->nats[s] : 1) *
                       log(((double)r->incident_count + 2) / ((double)showing + 1));
    }
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* How much a symptom's history speaks for a cause beyond its base rate b, in log odds. With a Beta
 * prior of one observation around b, the posterior mean is (S + b) / (S + C + 1); its log odds less
 * those of b are this. 0 where nothing is known. */
static double log_odds_gain(const fl_prior_sums *sums, double base_rate)
{
    assert(base_rate > 0 && base_rate < 1);
    return log1p(sums->supporting / base_rate) - log1p(sums->contradicting / (1 - base_rate));
}

/* What was said of one incident was said of each of its symptoms: the most is how many there are.
 */
static void count_belief(fl_path *path, const fl_cause_belief *belief)
{
    path->shared += belief->edge != 0;
    path->supporting = larger(path->supporting, belief->supporting);
    path->contradicting = larger(path->contradicting, belief->contradicting);
    path->elsewhere = larger(path->elsewhere, belief->elsewhere);
    path->automatic = larger(path->automatic, belief->automatic);
    path->last_ns = belief->last_ns > path->last_ns ? belief->last_ns : path->last_ns;
}

/* The posterior over all symptoms, as memory.h says; the upper end only of those that are told. */
static void weigh_path(fl_path *path, const fl_recall *r)
{
    double a = 0, b = 0, weights = 0;
    for (size_t s = 0; s < r->symptom_count; s++) {
        const fl_cause_belief *belief = fl_symptom_belief_find(&r->beliefs[s], path->cause);
        a += r->weight[s] * belief->confidence.a;
        b += r->weight[s] * belief->confidence.b;
        weights += r->weight[s];
        count_belief(path, belief);
    }
    assert(weights > 0); /* ln((N + 2) / (n + 1)) with n <= N */
    fl_confidence_mean(&path->confidence, a / weights, b / weights);
    fl_confidence_low(&path->confidence);
}

/* The weighted mean of the symptoms' log odds (a logarithmic opinion pool: Genest and Zidek 1986),
 * so that symptoms that are new dilute what the others say. Nothing where nobody has named it: such
 * a cause is not less likely for that. */
static void weigh_prior(fl_cause_prior *out, uint64_t cause, const fl_recall *r)
{
    double weights = 0, a = 0, b = 0, log_odds = 0;
    double base_rate = 1 / ((double)r->question->candidates.count + 1);
    bool is_named = false;
    for (size_t s = 0; s < r->symptom_count; s++) {
        const fl_cause_belief *belief = fl_symptom_belief_find(&r->beliefs[s], cause);
        const fl_prior_sums *sums = &belief->prior;
        is_named = is_named || sums->judged > 0;
        log_odds += r->weight[s] * log_odds_gain(sums, base_rate);
        a += r->weight[s] * sums->supporting;
        b += r->weight[s] * sums->contradicting;
        weights += r->weight[s];
        out->incidents = larger(out->incidents, sums->incidents);
        out->supported = larger(out->supported, sums->supported);
        out->rivals = larger(out->rivals, sums->rivals);
        out->last_ns = belief->last_ns > out->last_ns ? belief->last_ns : out->last_ns;
    }
    if (!is_named)
        return;
    fl_confidence none;
    fl_confidence_sums(&none, NULL, 0, FL_HALF_LIFE_DAYS, r->at_ns);
    fl_confidence_beta(&out->confidence, none.a + a / weights, none.b + b / weights);
    out->log_odds = log_odds / weights;
}

size_t fl_path_items(const fl_path *path)
{
    return path->supporting + path->contradicting + path->elsewhere;
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

static fl_status fix_of(fl_path_fix *out, fl_recall *r, const fl_path *path, uint64_t fix,
                        uint64_t edge, fl_error *err)
{
    fl_edge_belief belief;
    size_t left = larger(r->items_left, FL_RECALL_FEW_ITEMS);
    const fl_edge_question question = {
        .edge = edge,
        .known_ns = r->question->now_ns,
        .at_ns = r->at_ns,
        .limit = left < FL_MEMORY_MAX_EVIDENCE ? left : FL_MEMORY_MAX_EVIDENCE,
        .sums_only = true};
    fl_status status = fl_edge_belief_of(&belief, r->store, &question, err);
    if (status != FL_OK)
        return status;
    size_t items = belief.supporting + belief.contradicting;
    r->items_left -= items < r->items_left ? items : r->items_left;
    const fl_confidence edges[] = {path->confidence, belief.confidence};
    *out = (fl_path_fix){.id = fix, .count = belief.supporting, .last_ns = belief.last_ns};
    fl_confidence_path_mean(&out->confidence, edges, 2);
    fl_confidence_low(&out->confidence);
    r->out->cut = r->out->cut || belief.cut;
    return FL_OK;
}

/* Fixes of one cause, each as sure as the path that leads to it; titles of those that are told. */
static fl_status find_fixes(fl_recall *r, fl_path *path, fl_error *err)
{
    fl_edge_list edges;
    fl_status status =
        fl_recall_edges(&edges, r, path->cause, FL_GRAPH_OUT, FL_EDGE_RESOLVED_BY, err);
    size_t count = edges.count < FL_RECALL_MAX_FIXES ? edges.count : FL_RECALL_MAX_FIXES,
           most = r->question->most_fixes;
    fl_path_fix *fixes = fl_arena_alloc(r->arena, count > 0 ? count : 1, sizeof(*fixes));
    if (status == FL_OK && fixes == NULL)
        status = fl_recall_no_memory(err);
    for (size_t i = 0; status == FL_OK && i < count; i++)
        status = fix_of(&fixes[i], r, path, edges.others[i], edges.ids[i], err);
    if (status == FL_OK)
        qsort(fixes, count, sizeof(*fixes), compare_fixes);
    r->out->cut = r->out->cut || edges.count > count;
    path->fixes = fixes;
    path->known_fixes = edges.count;
    path->fix_count = most > 0 && count > most ? most : count;
    for (size_t i = 0; status == FL_OK && i < path->fix_count; i++) {
        fl_confidence_high(&fixes[i].confidence);
        status = fl_recall_title(&fixes[i].title, r, fixes[i].id, err);
    }
    fl_edge_list_dispose(&edges);
    return status;
}

/* Each cause that a symptom points to, once. */
static size_t gather_causes(fl_path *paths, fl_recall *r)
{
    size_t count = 0;
    for (size_t s = 0; s < r->symptom_count; s++) {
        for (size_t i = 0; i < r->beliefs[s].count; i++) {
            size_t known = 0;
            while (known < count && paths[known].cause != r->beliefs[s].causes[i].cause)
                known++;
            if (known == FL_MEMORY_MAX_CAUSES)
                r->out->cut = true;
            else if (known == count)
                paths[count++].cause = r->beliefs[s].causes[i].cause;
        }
    }
    return count;
}

/* A cause of which nothing counts is not known: it was injected, or only this incident named it. */
static size_t keep_known(fl_path *paths, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (fl_path_items(&paths[i]) > 0)
            paths[kept++] = paths[i];
    return kept;
}

/* Causes in their order, the first of them with their fixes. */
static fl_status make_paths(fl_recall *r, fl_error *err)
{
    fl_path *paths = fl_arena_alloc(r->arena, FL_MEMORY_MAX_CAUSES, sizeof(*paths));
    fl_status status = paths != NULL ? FL_OK : fl_recall_no_memory(err);
    if (status != FL_OK)
        return status;
    size_t count = gather_causes(paths, r), most = r->question->most_paths;
    for (size_t i = 0; i < count; i++)
        weigh_path(&paths[i], r);
    count = keep_known(paths, count);
    qsort(paths, count, sizeof(*paths), compare_paths);
    r->out->paths = paths;
    r->out->path_count = most > 0 && count > most ? most : count;
    r->out->causes = count;
    status = fl_recall_ahead_causes(r, paths, r->out->path_count, err);
    for (size_t i = 0; status == FL_OK && i < r->out->path_count; i++) {
        if (fl_recall_is_late(r))
            r->out->path_count = i;
        if (i == r->out->path_count)
            break;
        fl_confidence_high(&paths[i].confidence);
        status = fl_recall_title(&paths[i].title, r, paths[i].cause, err);
        if (status == FL_OK)
            status = find_fixes(r, &paths[i], err);
    }
    return status;
}

static fl_status make_priors(fl_recall *r, fl_error *err)
{
    const fl_candidates *candidates = &r->question->candidates;
    fl_cause_prior *priors = fl_arena_alloc(r->arena, candidates->count + 1, sizeof(*priors));
    if (priors == NULL)
        return fl_recall_no_memory(err);
    for (size_t i = 0; i < candidates->count; i++)
        weigh_prior(&priors[i], candidates->causes[i], r);
    r->out->priors = priors;
    return FL_OK;
}

static fl_status recall_all(fl_recall *r, fl_error *err)
{
    const fl_symptoms *symptoms = r->question->symptoms;
    fl_status status = fl_recall_ahead_symptoms(r, err);
    for (size_t s = 0; status == FL_OK && s < r->symptom_count; s++) {
        if (s > 0 && fl_recall_is_late(r)) {
            r->symptom_count = s; /* those that were read, and the answer is of them */
            break;
        }
        status = collect_causes(r, s, symptoms->nodes[s].id, err);
        if (status == FL_OK)
            status = collect_incidents(r, s, symptoms->nodes[s].id, err);
    }
    if (status != FL_OK || symptoms->count == 0)
        return status;
    weigh_symptoms(r, symptoms);
    status = make_paths(r, err);
    if (status == FL_OK)
        status = make_priors(r, err);
    return status == FL_OK ? fl_recall_similar(r, err) : status;
}

fl_status fl_memory_recall(fl_memory *out, fl_store *store, const fl_memory_question *question,
                           fl_arena *arena, fl_error *err)
{
    assert(question->symptoms->count <= FL_MAX_SYMPTOMS);
    *out = (fl_memory){.candidates = question->candidates};
    fl_recall *r = fl_arena_alloc(arena, 1, sizeof(*r));
    if (r == NULL)
        return fl_recall_no_memory(err);
    *r = (fl_recall){
        .store = store,
        .arena = arena,
        .out = out,
        .question = question,
        .at_ns = question->at_ns != 0 ? question->at_ns : question->now_ns,
        .symptom_count = question->symptoms->count,
        .items_left = FL_RECALL_MAX_ITEMS,
        .deadline_ns = question->time_ns > 0 ? fl_time_monotonic() + question->time_ns : 0,
        .incidents = fl_arena_alloc(arena, FL_MEMORY_MAX_INCIDENTS, sizeof(fl_exhibit))};
    if (r->incidents == NULL)
        return fl_recall_no_memory(err);
    if (question->self != NULL)
        r->self = fl_node_id(FL_NODE_INCIDENT, fl_slice_of(question->self));
    fl_status status = recall_all(r, err);
    fl_graph_ahead_forget(store);
    return status;
}
