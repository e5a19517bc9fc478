/*
 * snapshot_paths.c - two steps along the rows of the snapshot, ranked by lower bounds.
 *
 * Sums are gathered for every middle node; a bound is a root that takes microseconds to find, so
 * that it is found once for each middle node, and the ends are looked at behind those only that
 * are told. Cost: the edges that are looked at, and middles + told * ends bounds.
 */
#include "snapshot_paths.h"

#include <assert.h>
#include <stdlib.h>

#include "map.h"

#define TAIL 0.05 /* below the interval of confidence.h */

/* One that paths lead to, and what is known of it so far. */
typedef struct candidate {
    uint32_t node, shared;
    double a, b; /* sums of what the edges say beyond the prior, by weight; then the posterior */
    double low;  /* lower bound */
} candidate;

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while looking for paths");
}

static int compare_candidates(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->low != y->low)
        return x->low > y->low ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* The range of a node's edges, at most so many. */
static uint32_t edges_end(bool *cut, const fl_snapshot *s, uint32_t node, size_t most)
{
    uint32_t from = s->out_start[node], to = s->out_start[node + 1];
    bool too_many = to - from > most;
    *cut = *cut || too_many;
    return too_many ? from + (uint32_t)most : to;
}

typedef struct search {
    const fl_snapshot *snapshot;
    const fl_snapshot_question *question;
    fl_arena *arena;
    fl_map *places; /* of middle nodes in `found`, plus one */
    candidate *found;
    size_t count;
    bool cut;
} search;

/* NULL where there are too many. */
static fl_status candidate_of(candidate **out, search *s, uint32_t node, fl_error *err)
{
    uint64_t *slot;
    *out = NULL;
    if (s->count == FL_SNAPSHOT_MAX_MIDDLES && fl_map_find(s->places, node) == NULL) {
        s->cut = true;
        return FL_OK;
    }
    fl_status status = fl_map_slot(&slot, s->places, node, NULL, err);
    if (status != FL_OK)
        return status;
    if (*slot == 0) {
        s->found[s->count] = (candidate){.node = node};
        *slot = ++s->count;
    }
    *out = &s->found[*slot - 1];
    return FL_OK;
}

/* What one start says; of two edges to one node (two versions) each speaks for itself. */
static fl_status gather(search *s, uint32_t start, double weight, double prior, fl_error *err)
{
    const fl_snapshot *g = s->snapshot;
    uint32_t end = edges_end(&s->cut, g, start, s->question->most_edges);
    for (uint32_t e = g->out_start[start]; e < end; e++) {
        candidate *c;
        if (g->kind[e] != s->question->first)
            continue;
        fl_status status = candidate_of(&c, s, g->out_to[e], err);
        if (status != FL_OK)
            return status;
        if (c == NULL)
            continue;
        c->a += weight * ((double)g->a[e] - prior);
        c->b += weight * ((double)g->b[e] - prior);
        c->shared++;
    }
    return FL_OK;
}

/* From sums to posteriors: the prior and the average of what is beyond it. */
static void weigh(search *s, double weights, double prior)
{
    assert(weights > 0);
    for (size_t i = 0; i < s->count; i++) {
        candidate *c = &s->found[i];
        c->a = prior + c->a / weights;
        c->b = prior + c->b / weights;
        c->low = fl_beta_quantile(TAIL, c->a, c->b);
    }
    qsort(s->found, s->count, sizeof(*s->found), compare_candidates);
}

static int compare_ends(const void *a, const void *b)
{
    const fl_snapshot_end *x = a, *y = b;
    if (x->confidence.low != y->confidence.low)
        return x->confidence.low > y->confidence.low ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* What lies behind one of those that are told. */
static fl_status tell(fl_snapshot_path *out, search *s, const candidate *c, fl_error *err)
{
    const fl_snapshot *g = s->snapshot;
    uint32_t from = g->out_start[c->node];
    uint32_t to = edges_end(&s->cut, g, c->node, s->question->most_edges);
    fl_snapshot_end *ends = fl_arena_alloc(s->arena, to - from + 1, sizeof(*ends));
    if (ends == NULL)
        return no_memory(err);
    *out = (fl_snapshot_path){.node = c->node, .shared = c->shared, .ends = ends};
    fl_confidence_beta(&out->confidence, c->a, c->b);
    for (uint32_t e = from; e < to; e++) {
        if (g->kind[e] != s->question->second)
            continue;
        const fl_confidence edges[] = {out->confidence,
                                       {.a = (double)g->a[e], .b = (double)g->b[e]}};
        fl_snapshot_end *end = &ends[out->end_count++];
        end->node = g->out_to[e];
        fl_confidence_path(&end->confidence, edges, 2);
    }
    qsort(ends, out->end_count, sizeof(*ends), compare_ends);
    if (out->end_count > s->question->most_ends)
        out->end_count = s->question->most_ends;
    return FL_OK;
}

static fl_status search_all(fl_snapshot_answer *out, search *s, fl_error *err)
{
    const fl_snapshot_question *q = s->question;
    fl_confidence none;
    double weights = 0;
    fl_status status = FL_OK;
    fl_confidence_sums(&none, NULL, 0, FL_HALF_LIFE_DAYS, 0);
    assert(none.a == none.b); /* Jeffreys' prior leans to neither side */
    for (size_t i = 0; status == FL_OK && i < q->count; i++) {
        double weight = q->weights != NULL ? q->weights[i] : 1;
        assert(q->starts[i] < s->snapshot->node_count && weight > 0);
        status = gather(s, q->starts[i], weight, none.a, err);
        weights += weight;
    }
    if (status != FL_OK)
        return status;
    weigh(s, weights, none.a);
    size_t told = s->count < q->most_paths ? s->count : q->most_paths;
    fl_snapshot_path *paths = fl_arena_alloc(s->arena, told + 1, sizeof(*paths));
    if (paths == NULL)
        return no_memory(err);
    for (size_t i = 0; status == FL_OK && i < told; i++)
        status = tell(&paths[i], s, &s->found[i], err);
    *out = (fl_snapshot_answer){.paths = paths, .count = told, .found = s->count, .cut = s->cut};
    return status;
}

fl_status fl_snapshot_paths(fl_snapshot_answer *out, const fl_snapshot *snapshot,
                            const fl_snapshot_question *question, fl_arena *arena, fl_error *err)
{
    assert(question->count > 0 && question->most_edges > 0);
    assert(question->most_paths > 0 && question->most_ends > 0);
    *out = (fl_snapshot_answer){0};
    search s = {.snapshot = snapshot,
                .question = question,
                .arena = arena,
                .found = fl_arena_alloc(arena, FL_SNAPSHOT_MAX_MIDDLES, sizeof(candidate))};
    if (s.found == NULL)
        return no_memory(err);
    fl_status status = fl_map_create(&s.places, FL_SNAPSHOT_MAX_MIDDLES, err);
    if (status == FL_OK)
        status = search_all(out, &s, err);
    fl_map_destroy(s.places);
    return status;
}
