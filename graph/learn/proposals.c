/*
 * proposals.c - the list of proposals, each once, with everything that their evidence will carry.
 *
 * The reference of evidence is the document's identity and the sentence's hash. An issue is known
 * by its URL, so that a later export with one comment more repeats the sentences that it had; a
 * file by its content. So the same sentence says the same thing once, however often it is read.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "hash.h"
#include "learn_priv.h"
#include "mem.h"
#include "slice.h"
#include "symptoms.h"

struct fl_proposals {
    fl_proposal *items;
    size_t count, cap;
    fl_arena arena;
    fl_map *seen;
};

/* Documents without an author are one author: together they count for one cap. */
static const char *const nobody = "documents";

fl_status fl_proposals_create(fl_proposals **out, fl_error *err)
{
    fl_proposals *all = fl_mem_calloc(1, sizeof(*all));
    *out = NULL;
    if (all == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for proposals");
    all->arena = fl_arena_of(FL_MAX_PROPOSAL_BYTES);
    fl_status status = fl_map_create(&all->seen, FL_MAX_PROPOSALS, err);
    if (status != FL_OK) {
        fl_mem_free(all);
        return status;
    }
    *out = all;
    return FL_OK;
}

void fl_proposals_destroy(fl_proposals *all)
{
    if (all == NULL)
        return;
    fl_map_destroy(all->seen);
    fl_arena_dispose(&all->arena);
    fl_mem_free(all->items);
    fl_mem_free(all);
}

size_t fl_proposals_count(const fl_proposals *all)
{
    assert(all != NULL);
    return all->count;
}

const fl_proposal *fl_proposals_at(const fl_proposals *all, size_t index)
{
    assert(index < all->count);
    return &all->items[index];
}

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for proposals");
}

/* Small letters and single blanks: two ways of typing it are one node. */
static char *key_of(fl_arena *arena, fl_slice text)
{
    char *key = fl_arena_cstr(arena, text);
    for (char *p = key; p != NULL && *p != '\0'; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
    return key;
}

/* Names of configuration and of components are kept as they are written. */
static bool keeps_case(fl_node_kind kind)
{
    return kind == FL_NODE_CONFIG || kind == FL_NODE_COMPONENT;
}

/* The title keeps the words as they were written. */
static fl_status make_node(fl_graph_node *out, fl_arena *arena, fl_node_kind kind, fl_slice text,
                           int64_t now_ns, fl_error *err)
{
    assert(text.len > 0 && text.len <= FL_MAX_NODE_KEY_BYTES);
    char *title = fl_arena_cstr(arena, text);
    char *key = keeps_case(kind) ? title : key_of(arena, text);
    if (key == NULL || title == NULL)
        return no_memory(err);
    *out = (fl_graph_node){.id = fl_node_id(kind, fl_slice_of(key)),
                           .kind = kind,
                           .key = key,
                           .title = title,
                           .recorded_ns = now_ns};
    return FL_OK;
}

/* The texts that the evidence carries. */
static fl_status describe(fl_proposal *p, const learning *l, const edge_claim *edge)
{
    assert(edge->at.rule != NULL && edge->at.sentence.len > 0);
    fl_arena *arena = &l->out->arena;
    fl_slice author = l->document->author;
    author.len = author.len < 200 ? author.len : 200;
    p->rule = edge->at.rule;
    p->sentence = fl_arena_cstr(arena, edge->at.sentence);
    p->document = fl_arena_cstr(arena, l->document->name);
    p->author =
        author.len > 0 ? fl_arena_printf(arena, "document by %.*s", FL_SLICE_ARG(author)) : nobody;
    p->reference = fl_arena_printf(arena, "document %016" PRIx64 " sentence %016" PRIx64,
                                   l->identity, fl_hash_stable(edge->at.sentence));
    p->qualifier =
        edge->qualifier != NULL ? fl_arena_cstr(arena, fl_slice_of(edge->qualifier)) : NULL;
    bool whole = p->sentence != NULL && p->document != NULL && p->author != NULL &&
                 p->reference != NULL && (p->qualifier != NULL || edge->qualifier == NULL);
    return whole ? FL_OK : no_memory(l->err);
}

/* The id that the evidence will have. */
static uint64_t id_of(const fl_proposal *p)
{
    assert(p->author != NULL && p->reference != NULL);
    fl_graph_evidence item = {
        .edge = fl_edge_id(p->kind, p->from.id, p->to.id, fl_slice_of(p->qualifier)),
        .source = p->is_hedged ? FL_SOURCE_HEDGED : FL_SOURCE_DOCUMENT,
        .author = p->author,
        .reference = p->reference,
        .supports = p->supports};
    return fl_graph_evidence_id(&item);
}

/* The id knows what was proposed before. */
static fl_status append(fl_proposals *all, const fl_proposal *p, fl_error *err)
{
    assert(all->count <= all->cap);
    uint64_t *slot;
    bool added;
    fl_status status = fl_map_slot(&slot, all->seen, p->id, &added, err);
    if (status != FL_OK || !added)
        return status;
    if (all->count == all->cap) {
        size_t cap = all->cap > 0 ? 2 * all->cap : 64;
        fl_proposal *items = fl_mem_realloc(all->items, cap, sizeof(*items));
        if (items == NULL)
            return no_memory(err);
        all->items = items;
        all->cap = cap;
    }
    all->items[all->count++] = *p;
    return FL_OK;
}

void fl_propose(learning *l, const edge_claim *edge)
{
    assert(fl_edge_allowed(edge->kind, edge->from_kind, edge->to_kind));
    fl_arena *arena = &l->out->arena;
    fl_proposal p = {.kind = edge->kind,
                     .supports = !edge->contradicts,
                     .is_hedged = edge->at.is_hedged,
                     .offset = edge->at.offset,
                     .at_ns = l->at_ns};
    if (l->status != FL_OK || edge->from.len == 0 || edge->to.len == 0)
        return;
    if (edge->from_node != NULL)
        p.from = *edge->from_node;
    else
        l->status = make_node(&p.from, arena, edge->from_kind, edge->from, l->now_ns, l->err);
    if (l->status == FL_OK)
        l->status = make_node(&p.to, arena, edge->to_kind, edge->to, l->now_ns, l->err);
    bool is_loop =
        l->status == FL_OK && edge->kind != FL_EDGE_REQUIRES && strcmp(p.from.key, p.to.key) == 0;
    if (l->status != FL_OK || is_loop)
        return;
    l->status = describe(&p, l, edge);
    if (l->status != FL_OK)
        return;
    p.id = id_of(&p);
    l->status = append(l->out, &p, l->err);
}

/* An exception has the fingerprints of triage's symptoms, so that the next incident that shows it
 * is told: it is seen alone, or between two log lines. */
static void propose_exception(learning *l, const edge_claim *like, const claim *symptom)
{
    static const fl_locus_kind places[] = {FL_LOCUS_EXCEPTION, FL_LOCUS_CODE_REGION};
    fl_arena *arena = &l->out->arena;
    const char *type = fl_arena_cstr(arena, symptom->exception);
    const char *message = fl_arena_cstr(arena, symptom->message);
    if (type == NULL || message == NULL)
        l->status = no_memory(l->err);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && l->status == FL_OK; i++) {
        fl_graph_node node;
        edge_claim edge = *like;
        const fl_hypothesis shown = {.locus = places[i],
                                     .cause = FL_CAUSE_EXCEPTION,
                                     .exception_type = type,
                                     .exception_message = message};
        l->status = fl_symptoms_one(&node, &shown, l->now_ns, arena, l->err);
        edge.from_node = &node;
        if (l->status == FL_OK)
            fl_propose(l, &edge);
    }
}

void fl_propose_pair(learning *l, fl_edge_kind kind, const claim *from, const claim *to,
                     bool contradicts)
{
    static const struct {
        fl_node_kind from, to;
    } ends[FL_EDGE_KIND_COUNT] = {
        [FL_EDGE_EXPLAINED_BY] = {FL_NODE_SYMPTOM, FL_NODE_CAUSE},
        [FL_EDGE_RESOLVED_BY] = {FL_NODE_CAUSE, FL_NODE_FIX},
        [FL_EDGE_INTRODUCED] = {FL_NODE_CHANGE, FL_NODE_CAUSE},
        [FL_EDGE_IMPLEMENTS] = {FL_NODE_PLAN, FL_NODE_FIX},
    };
    assert(ends[kind].from != ends[kind].to);
    /* The sentence about the cause is the one to show, but for what was done and what was not. */
    const claim *by = kind == FL_EDGE_INTRODUCED ? from : to;
    const edge_claim edge = {.kind = kind,
                             .from = from->text,
                             .to = to->text,
                             .from_kind = ends[kind].from,
                             .to_kind = ends[kind].to,
                             .contradicts = contradicts,
                             .at = by->at};
    if (l->status == FL_OK && kind == FL_EDGE_EXPLAINED_BY && from->exception.len > 0 &&
        to->text.len > 0)
        propose_exception(l, &edge, from);
    else
        fl_propose(l, &edge);
}
