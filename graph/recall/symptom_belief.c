/*
 * symptom_belief.c - evidence of all edges of one symptom, weighed for each cause.
 *
 * All items are read first, sorted by what they refer to, and numbered by it; then sorted by who
 * says it, and each given its weight at that time. Then each cause is weighed with its own items
 * and those of its rivals turned round, in that one order: O(causes * items), both bounded.
 */
#include "symptom_belief.h"

#include <assert.h>
#include <stdlib.h>

#include "hash.h"
#include "mem.h"
#include "slice.h"

/* One item of evidence for one of the edges. */
typedef struct witness {
    fl_observation said;
    uint64_t reference; /* a hash, then a number from 0 */
    uint32_t edge;      /* place among the edges of the symptom */
    double weight;      /* at the time to which ages are counted */
    bool is_own;        /* of the incident that asks */
} witness;

/* One question while it is answered. The arrays are of the heap and live as long as it. */
typedef struct reading {
    fl_store *store;
    const fl_belief_question *question;
    fl_cause_belief *causes;
    size_t cause_count;
    witness *items;
    size_t count, room;
    size_t reference_count;
    uint64_t self;
    bool is_candidate[FL_MEMORY_MAX_CAUSES];
    unsigned char *judged; /* per reference: a person or a fix has judged it */
    unsigned char *claims; /* per reference: what it says of the cause that is weighed */
    bool cut;
} reading;

/* One sentence for every allocation here. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading evidence");
}

/* ---- reading ---- */

/* Edges of other kinds count against the limit of what is looked at, and are not kept. */
static fl_status take_edge(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    reading *r = payload;
    (void)err;
    if (edge->kind != FL_EDGE_EXPLAINED_BY)
        return FL_OK;
    if (r->cause_count == FL_MEMORY_MAX_CAUSES)
        r->cut = true;
    else
        r->causes[r->cause_count++] = (fl_cause_belief){.cause = edge->to, .edge = edge->id};
    return FL_OK;
}

/* For the edge that was added last. */
static fl_status take_item(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    reading *r = payload;
    if (r->count == FL_MEMORY_MAX_EVIDENCE) {
        r->cut = true;
        return FL_OK;
    }
    if (r->count == r->room) {
        size_t room = r->room > 0 ? 2 * r->room : 64;
        witness *grown = fl_mem_realloc(r->items, room, sizeof(*grown));
        if (grown == NULL)
            return no_memory(err);
        r->items = grown;
        r->room = room;
    }
    uint64_t reference = fl_hash_stable(fl_slice_of(item->reference));
    r->items[r->count++] = (witness){.said = {.source = item->source,
                                              .author = fl_hash_stable(fl_slice_of(item->author)),
                                              .supports = item->supports,
                                              .at_ns = item->at_ns},
                                     .reference = reference,
                                     .is_own = r->question->self != NULL && reference == r->self};
    return FL_OK;
}

/* Edges first, then the evidence for each; a walk is not begun inside of another. */
static fl_status read_all(reading *r, fl_error *err)
{
    fl_graph_question question = {.scope = FL_GRAPH_OUT,
                                  .id = r->question->symptom,
                                  .as_of_ns = r->question->known_ns,
                                  .limit = FL_MEMORY_MAX_EDGES};
    fl_status status = fl_graph_edges(r->store, &question, take_edge, r, err);
    question.scope = FL_GRAPH_ONE;
    question.brief = true;
    for (size_t i = 0; status == FL_OK && i < r->cause_count; i++) {
        size_t from = r->count;
        question.id = r->causes[i].edge;
        question.limit = FL_MEMORY_MAX_EVIDENCE - r->count + 1;
        status = fl_graph_evidence_for(r->store, &question, take_item, r, err);
        for (size_t k = from; k < r->count; k++)
            r->items[k].edge = (uint32_t)i;
    }
    return status;
}

static int compare_references(const void *a, const void *b)
{
    const witness *x = a, *y = b;
    return (x->reference > y->reference) - (x->reference < y->reference);
}

/* Authors together, and a sum of one author in one order: items of one time weigh the same. */
static int compare_authors(const void *a, const void *b)
{
    const fl_observation *x = &((const witness *)a)->said, *y = &((const witness *)b)->said;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->author != y->author)
        return x->author < y->author ? -1 : 1;
    return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

/* Somebody who knows has looked at the incident: a person, or telemetry after a fix. */
static bool is_judgement(const witness *item)
{
    return item->said.source == FL_SOURCE_PERSON || item->said.source == FL_SOURCE_FIX;
}

/* References become numbers, so that what is known of each is kept in arrays. */
static fl_status number_references(reading *r, fl_error *err)
{
    if (r->count > 1)
        qsort(r->items, r->count, sizeof(*r->items), compare_references);
    r->judged = fl_mem_calloc(r->count + 1, 1);
    r->claims = fl_mem_calloc(r->count + 1, 1);
    if (r->judged == NULL || r->claims == NULL)
        return no_memory(err);
    uint64_t previous = 0;
    for (size_t i = 0; i < r->count; i++) {
        witness *item = &r->items[i];
        bool is_next = i == 0 || item->reference != previous;
        previous = item->reference;
        r->reference_count += is_next;
        item->reference = r->reference_count - 1;
        r->judged[item->reference] |= is_judgement(item);
    }
    return FL_OK;
}

/* ---- weighing ---- */

/* Once for all causes: most of what weighing costs. */
static void put_in_order(reading *r)
{
    if (r->count > 1)
        qsort(r->items, r->count, sizeof(*r->items), compare_authors);
    for (size_t i = 0; i < r->count; i++)
        r->items[i].weight = fl_source_weight_aged(r->items[i].said.source, r->items[i].said.at_ns,
                                                   FL_HALF_LIFE_DAYS, r->question->at_ns);
}

enum {
    CLAIM_FOR = 1,
    CLAIM_AGAINST = 2,
    CLAIM_ELSEWHERE = 4,
    CLAIM_SAID = 8,           /* for, and not by the program itself */
    CLAIM_PRIOR = 16,         /* anything that a prior may rest on: */
    CLAIM_PRIOR_FOR = 32,     /* for it, */
    CLAIM_PRIOR_AGAINST = 64, /* against it, */
    CLAIM_PRIOR_RIVAL = 128   /* for another candidate */
};

/* A drill is kept and tells nothing; what the program thought is settled by whoever knows. */
static bool counts(const reading *r, const witness *item)
{
    if (item->said.source == FL_SOURCE_DRILL || (item->is_own && r->question->others_only))
        return false;
    return item->said.source != FL_SOURCE_AUTOMATIC || r->judged[item->reference] == 0;
}

/* What the ranking said, and what was said of the incident that is ranked, is no prior for it. */
static bool is_prior(const witness *item)
{
    return item->said.source != FL_SOURCE_AUTOMATIC && !item->is_own;
}

/* Whether the cause of that edge is one that the incident which asks may have. */
static bool is_candidate(const reading *r, uint32_t edge)
{
    for (size_t i = 0; i < r->question->candidate_count; i++)
        if (r->question->candidates[i] == r->causes[edge].cause)
            return true;
    return false;
}

/* What one item says of the cause of this edge. */
static unsigned char claim_of(const reading *r, const witness *item, uint32_t edge)
{
    unsigned claim = 0;
    bool prior = is_prior(item), here = item->edge == edge;
    if (here && item->said.supports)
        claim = CLAIM_FOR | (prior ? CLAIM_PRIOR | CLAIM_PRIOR_FOR : 0u) |
                (item->said.source != FL_SOURCE_AUTOMATIC ? CLAIM_SAID : 0u);
    else if (here)
        claim = CLAIM_AGAINST | (prior ? CLAIM_PRIOR | CLAIM_PRIOR_AGAINST : 0u);
    else if (item->said.supports)
        claim = CLAIM_ELSEWHERE | (prior ? CLAIM_PRIOR : 0u) |
                (prior && r->is_candidate[item->edge] ? CLAIM_PRIOR_RIVAL : 0u);
    return (unsigned char)claim;
}

/* What each reference says of it: for and against it, or for another. */
static void gather_claims(reading *r, uint32_t edge)
{
    for (size_t i = 0; i < r->reference_count; i++)
        r->claims[i] = 0;
    for (size_t i = 0; i < r->count; i++)
        if (counts(r, &r->items[i]))
            r->claims[r->items[i].reference] |= claim_of(r, &r->items[i], edge);
}

/* Incidents and not items: two people who confirm one incident have seen one. */
static void count_claims(fl_cause_belief *out, const reading *r)
{
    for (size_t i = 0; i < r->reference_count; i++) {
        unsigned claims = r->claims[i];
        out->supporting += (claims & CLAIM_FOR) != 0;
        out->automatic += (claims & (CLAIM_FOR | CLAIM_SAID)) == CLAIM_FOR;
        out->contradicting += (claims & CLAIM_AGAINST) != 0;
        out->elsewhere +=
            (claims & (CLAIM_FOR | CLAIM_AGAINST | CLAIM_ELSEWHERE)) == CLAIM_ELSEWHERE;
        out->prior.incidents += (claims & CLAIM_PRIOR) != 0;
        out->prior.supported += (claims & CLAIM_PRIOR_FOR) != 0;
        out->prior.rivals += (claims & CLAIM_PRIOR_RIVAL) != 0;
        out->prior.judged += (claims & (CLAIM_PRIOR_FOR | CLAIM_PRIOR_AGAINST)) != 0;
    }
}

/* `edge` may be none of them: then every item is a rival's. */
static void weigh(fl_cause_belief *out, reading *r, uint32_t edge)
{
    fl_confidence_tally all, trusted, none;
    fl_confidence with, nothing;
    fl_confidence_begin(&all);
    fl_confidence_begin(&trusted);
    fl_confidence_begin(&none);
    gather_claims(r, edge);
    count_claims(out, r);
    for (size_t i = 0; i < r->count; i++) {
        const witness *item = &r->items[i];
        bool is_own = item->edge == edge, supports = is_own && item->said.supports;
        bool is_rival =
            item->said.supports && (r->claims[item->reference] & (CLAIM_FOR | CLAIM_AGAINST)) == 0;
        if (!counts(r, item) || (!is_own && !is_rival))
            continue;
        fl_confidence_count(&all, &item->said, supports, item->weight);
        if (is_prior(item) && (is_own || r->is_candidate[item->edge]))
            fl_confidence_count(&trusted, &item->said, supports, item->weight);
        if (is_own && item->said.at_ns > out->last_ns)
            out->last_ns = item->said.at_ns;
    }
    fl_confidence_end(&out->confidence, &all);
    fl_confidence_end(&with, &trusted);
    fl_confidence_end(&nothing, &none);
    out->prior.supporting = with.a - nothing.a;
    out->prior.contradicting = with.b - nothing.b;
}

/* Also of a reading that failed half way. */
static void reading_dispose(reading *r)
{
    fl_mem_free(r->items);
    fl_mem_free(r->judged);
    fl_mem_free(r->claims);
}

fl_status fl_symptom_belief_of(fl_symptom_belief *out, fl_store *store,
                               const fl_belief_question *question, fl_arena *arena, fl_error *err)
{
    assert(store != NULL && question->symptom != 0);
    *out = (fl_symptom_belief){0};
    reading r = {.store = store,
                 .question = question,
                 .causes = fl_arena_alloc(arena, FL_MEMORY_MAX_CAUSES, sizeof(*r.causes))};
    r.self = question->self != NULL ? fl_hash_stable(fl_slice_of(question->self)) : 0;
    fl_status status = r.causes != NULL ? read_all(&r, err) : no_memory(err);
    if (status == FL_OK)
        status = number_references(&r, err);
    if (status == FL_OK)
        put_in_order(&r);
    for (uint32_t i = 0; i < r.cause_count; i++)
        r.is_candidate[i] = is_candidate(&r, i);
    for (size_t i = 0; status == FL_OK && i < r.cause_count; i++)
        weigh(&r.causes[i], &r, (uint32_t)i);
    if (status == FL_OK)
        weigh(&out->other, &r, UINT32_MAX);
    out->causes = r.causes;
    out->count = r.cause_count;
    out->cut = r.cut;
    reading_dispose(&r);
    return status;
}

const fl_cause_belief *fl_symptom_belief_find(const fl_symptom_belief *belief, uint64_t cause)
{
    assert(belief->causes != NULL || belief->count == 0);
    for (size_t i = 0; i < belief->count; i++)
        if (belief->causes[i].cause == cause)
            return &belief->causes[i];
    return &belief->other;
}
