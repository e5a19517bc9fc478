/*
 * memory_similar.c - the incidents of the past that show most of the same, and why they are alike.
 *
 *   overlap = weight of what both show / weight of what either shows
 *
 * What only the other incident shows weighs what ours weigh on average. How much that is takes
 * reading the other's edges; without it the overlap can only be larger. So incidents are looked at
 * in the order of that bound, and no more of them than may be among those that are told.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "memory_priv.h"
#include "slice.h"

enum { MAX_TOLD = 32, MAX_FIXES = 8, AHEAD = 64 };

typedef struct alike {
    fl_similar told;
    const fl_exhibit *shows;
    double bound;       /* overlap is at most this */
    uint64_t *symptoms; /* that it shows, where it was looked at; in the arena */
} alike;

/* Highest bound first; ids settle a tie. */
static int compare_bounds(const void *a, const void *b)
{
    const alike *x = a, *y = b;
    if (x->bound != y->bound)
        return x->bound > y->bound ? -1 : 1;
    return (x->shows->incident > y->shows->incident) - (x->shows->incident < y->shows->incident);
}

static int compare_overlaps(const void *a, const void *b)
{
    const alike *x = a, *y = b;
    if (x->told.overlap != y->told.overlap)
        return x->told.overlap > y->told.overlap ? -1 : 1;
    return (x->shows->incident > y->shows->incident) - (x->shows->incident < y->shows->incident);
}

static double weight_of(const fl_recall *r, uint32_t symptoms)
{
    double sum = 0;
    for (size_t s = 0; s < r->symptom_count; s++)
        sum += (symptoms >> s & 1) != 0 ? r->weight[s] : 0;
    return sum;
}

/* The whole overlap, with what only the other shows. */
static fl_status look_at(alike *a, fl_recall *r, fl_error *err)
{
    assert(a->shows->symptoms != 0 && r->symptom_count > 0);
    fl_edge_list edges;
    double ours = weight_of(r, UINT32_MAX);
    fl_status status =
        fl_recall_edges(&edges, r, a->shows->incident, FL_GRAPH_OUT, FL_EDGE_EXHIBITS, err);
    a->told = (fl_similar){.shared = fl_recall_bits(a->shows->symptoms),
                           .theirs = edges.count,
                           .ours = r->symptom_count};
    double only_theirs =
        a->told.theirs > a->told.shared ? (double)(a->told.theirs - a->told.shared) : 0;
    a->told.overlap =
        weight_of(r, a->shows->symptoms) / (ours + only_theirs * ours / (double)r->symptom_count);
    a->symptoms = fl_arena_alloc(r->arena, edges.count + 1, sizeof(*a->symptoms));
    if (status == FL_OK && a->symptoms == NULL)
        status = fl_recall_no_memory(err);
    if (status == FL_OK && edges.count > 0)
        memcpy(a->symptoms, edges.others, edges.count * sizeof(*a->symptoms));
    fl_edge_list_dispose(&edges);
    return status;
}

/* ---- why ---- */

static bool is_ours(const fl_recall *r, uint64_t symptom)
{
    for (size_t s = 0; s < r->symptom_count; s++)
        if (r->question->symptoms->nodes[s].id == symptom)
            return true;
    return false;
}

/* Our own symptoms by whether the other shows them, in our order. */
static fl_status split_ours(alike *a, fl_recall *r, fl_error *err)
{
    const char **both = fl_arena_alloc(r->arena, r->symptom_count, sizeof(*both));
    const char **here = fl_arena_alloc(r->arena, r->symptom_count, sizeof(*here));
    size_t shared = 0, rest = 0;
    if (both == NULL || here == NULL)
        return fl_recall_no_memory(err);
    for (size_t s = 0; s < r->symptom_count; s++) {
        const fl_graph_node *node = &r->question->symptoms->nodes[s];
        const char *text = node->title != NULL ? node->title : node->key;
        if ((a->shows->symptoms >> s & 1) != 0)
            both[shared++] = text;
        else
            here[rest++] = text;
    }
    assert(shared == a->told.shared);
    a->told.both = both;
    a->told.here = here;
    return FL_OK;
}

static fl_status name_theirs(alike *a, fl_recall *r, fl_error *err)
{
    const char **there = fl_arena_alloc(r->arena, MAX_TOLD, sizeof(*there));
    fl_status status = there != NULL ? FL_OK : fl_recall_no_memory(err);
    for (size_t i = 0; status == FL_OK && i < a->told.theirs && a->told.there_count < MAX_TOLD; i++)
        if (!is_ours(r, a->symptoms[i]))
            status = fl_recall_title(&there[a->told.there_count++], r, a->symptoms[i], err);
    a->told.there = there;
    return status;
}

/* Whether one edge has evidence for it that refers to an incident. */
typedef struct mention {
    const char *incident;
    bool found;
} mention;

static fl_status find_mention(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    mention *m = payload;
    (void)err;
    m->found = m->found || (item->supports && strcmp(item->reference, m->incident) == 0);
    return FL_OK;
}

/* What is said to have helped in that incident, of all that ever helped against its cause. */
static fl_status add_fixes(fl_similar *told, const char **fixes, fl_recall *r, uint64_t cause,
                           fl_error *err)
{
    fl_edge_list edges;
    fl_status status = fl_recall_edges(&edges, r, cause, FL_GRAPH_OUT, FL_EDGE_RESOLVED_BY, err);
    for (size_t i = 0; status == FL_OK && i < edges.count && told->fix_count < MAX_FIXES; i++) {
        mention m = {.incident = told->incident};
        fl_graph_question question = {.scope = FL_GRAPH_ONE,
                                      .id = edges.ids[i],
                                      .as_of_ns = r->question->now_ns,
                                      .limit = FL_MEMORY_MAX_EVIDENCE,
                                      .brief = true};
        status = fl_graph_evidence_for(r->store, &question, find_mention, &m, err);
        if (status == FL_OK && m.found)
            status = fl_recall_title(&fixes[told->fix_count++], r, edges.others[i], err);
    }
    fl_edge_list_dispose(&edges);
    return status;
}

/* What it was, and what helped. */
static fl_status name_outcome(alike *a, fl_recall *r, fl_error *err)
{
    const char **causes = fl_arena_alloc(r->arena, FL_RECALL_MAX_CAUSES, sizeof(*causes));
    const char **fixes = fl_arena_alloc(r->arena, MAX_FIXES, sizeof(*fixes));
    if (causes == NULL || fixes == NULL)
        return fl_recall_no_memory(err);
    fl_edge_list edges;
    fl_status status =
        fl_recall_edges(&edges, r, a->shows->incident, FL_GRAPH_OUT, FL_EDGE_DIAGNOSED_AS, err);
    for (size_t i = 0;
         status == FL_OK && i < edges.count && a->told.cause_count < FL_RECALL_MAX_CAUSES; i++) {
        status = fl_recall_title(&causes[a->told.cause_count++], r, edges.others[i], err);
        if (status == FL_OK)
            status = add_fixes(&a->told, fixes, r, edges.others[i], err);
    }
    fl_edge_list_dispose(&edges);
    a->told.causes = causes;
    a->told.fixes = fixes;
    return status;
}

static fl_status explain(alike *a, fl_recall *r, fl_error *err)
{
    fl_status status = fl_recall_title(&a->told.incident, r, a->shows->incident, err);
    if (status == FL_OK)
        status = split_ours(a, r, err);
    if (status == FL_OK)
        status = name_theirs(a, r, err);
    return status == FL_OK ? name_outcome(a, r, err) : status;
}

/* ---- which ---- */

/* Into its place among those before it, which are in order. */
static void sort_in(alike *all, size_t at)
{
    for (; at > 0 && compare_overlaps(&all[at], &all[at - 1]) < 0; at--) {
        alike moved = all[at];
        all[at] = all[at - 1];
        all[at - 1] = moved;
    }
}

/* The edges of the next few at once. */
static fl_status look_ahead(const alike *next, size_t left, fl_recall *r, fl_error *err)
{
    uint64_t ids[AHEAD];
    size_t count = left < AHEAD ? left : AHEAD;
    for (size_t i = 0; i < count; i++)
        ids[i] = next[i].shows->incident;
    return fl_recall_ahead_edges(r, ids, count, FL_GRAPH_OUT, err);
}

/* All that explain() will ask for the first few. */
static fl_status explain_ahead(const alike *first, size_t count, fl_recall *r, fl_error *err)
{
    uint64_t incidents[AHEAD], symptoms[AHEAD * MAX_TOLD];
    size_t named = 0;
    count = count < AHEAD ? count : AHEAD;
    for (size_t i = 0; i < count; i++) {
        size_t told = first[i].told.theirs < MAX_TOLD ? first[i].told.theirs : MAX_TOLD;
        incidents[i] = first[i].shows->incident;
        if (told > 0)
            memcpy(symptoms + named, first[i].symptoms, told * sizeof(*symptoms));
        named += told;
    }
    fl_status status = fl_recall_ahead_titles(r, symptoms, named, err);
    return status == FL_OK ? fl_recall_ahead_outcomes(r, incidents, count, err) : status;
}

/* Looks at incidents, highest bound first, until none that is left can be among the best `most`.
 * Those lie in front then; fewer where the time is over. */
static fl_status find_best(size_t *found, alike *all, size_t most, fl_recall *r, fl_error *err)
{
    fl_status status = FL_OK;
    *found = most;
    for (size_t i = 0; status == FL_OK && i < r->incident_count; i++) {
        if (fl_recall_is_late(r)) {
            *found = i < most ? i : most;
            break;
        }
        if (i >= most && all[most - 1].told.overlap > all[i].bound)
            break;
        if (i % AHEAD == 0)
            status = look_ahead(all + i, r->incident_count - i, r, err);
        if (status == FL_OK)
            status = look_at(&all[i], r, err);
        sort_in(all, i);
    }
    return status;
}

fl_status fl_recall_similar(fl_recall *r, fl_error *err)
{
    alike *all = fl_arena_alloc(r->arena, r->incident_count + 1, sizeof(*all));
    fl_similar *told = fl_arena_alloc(r->arena, r->incident_count + 1, sizeof(*told));
    size_t most = r->question->most_similar;
    size_t count = most == 0 || r->incident_count < most ? r->incident_count : most;
    if (all == NULL || told == NULL)
        return fl_recall_no_memory(err);
    double ours = weight_of(r, UINT32_MAX);
    for (size_t i = 0; i < r->incident_count; i++)
        all[i] = (alike){.shows = &r->incidents[i],
                         .bound = weight_of(r, r->incidents[i].symptoms) / ours};
    qsort(all, r->incident_count, sizeof(*all), compare_bounds);
    fl_status status = find_best(&count, all, count, r, err);
    if (status == FL_OK)
        status = explain_ahead(all, count, r, err);
    for (size_t i = 0; status == FL_OK && i < count; i++) {
        if (fl_recall_is_late(r)) {
            count = i;
            break;
        }
        status = explain(&all[i], r, err);
        told[i] = all[i].told;
    }
    r->out->similar = told;
    r->out->similar_count = count;
    r->out->seen = r->incident_count;
    return status;
}
