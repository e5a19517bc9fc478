/*
 * merge.c - several hypotheses that tell of one cause become one.
 *
 * A fault in an operation shows in the order of its lines and in the order of its calls: two
 * contexts, one cause. The finer place, two log statements, stays; the evidence is put together and
 * the score is that of the better one, since the two say the same and are no independent evidence.
 * A hypothesis all of whose evidence stands in a better one of the same service says nothing of its
 * own either, unless it names a resource.
 */
#include <assert.h>
#include <string.h>

#include "rank_priv.h"

static bool has_part(const struct candidate *c, const struct evidence_part *part)
{
    for (size_t i = 0; i < c->part_count; i++)
        if (c->parts[i].kind == part->kind && c->parts[i].index == part->index)
            return true;
    return false;
}

static bool is_within(const struct candidate *part, const struct candidate *whole)
{
    for (size_t i = 0; i < part->part_count; i++)
        if (!has_part(whole, &part->parts[i]))
            return false;
    return true;
}

/* The operation whose own flow a candidate is about; FL_NO_INDEX for any other one. A callee's
 * candidate is told by its callers' contexts, and so is about none. */
static uint32_t flow_of(const struct rank *r, const struct candidate *c)
{
    if (c->part_count == 0 || c->parts[0].kind != PART_CONTEXT || c->order > 1)
        return FL_NO_INDEX;
    return r->streams->contexts[c->parts[0].index].operation;
}

/* Both about one operation: one by its lines, the other by its calls. */
static bool is_same_flow(const struct rank *r, const struct candidate *a, const struct candidate *b)
{
    uint32_t operation = flow_of(r, a);
    bool lines = a->locus == FL_LOCUS_CODE_REGION;
    return operation != FL_NO_INDEX && operation == flow_of(r, b) &&
           lines != (b->locus == FL_LOCUS_CODE_REGION);
}

/* `from` is worse. */
static void take_over(struct candidate *into, const struct candidate *from)
{
    assert(into->service == from->service && into->score >= from->score);
    bool is_finer = from->locus == FL_LOCUS_CODE_REGION && into->locus == FL_LOCUS_OPERATION;
    for (size_t i = 0; i < from->part_count; i++)
        if (!has_part(into, &from->parts[i]))
            fl_rank_add_part(into, from->parts[i].kind, from->parts[i].index,
                             from->parts[i].weight);
    if (!is_finer)
        return;
    into->locus = from->locus;
    into->locus_name = from->locus_name;
    into->before = from->before;
    into->after = from->after;
    if (from->cause == FL_CAUSE_EXCEPTION)
        into->cause = from->cause;
}

void fl_rank_merge(struct rank *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->candidate_count; i++) {
        const struct candidate *c = &r->candidates[i];
        size_t at = 0;
        for (; at < kept; at++) {
            struct candidate *better = &r->candidates[at];
            if (better->service != c->service || c->score <= FL_LBF_REAL)
                continue;
            if (is_same_flow(r, better, c) ||
                (c->resource == FL_RESOURCE_NONE && c->locus != FL_LOCUS_CODE_REGION &&
                 is_within(c, better)))
                break;
        }
        if (at < kept)
            take_over(&r->candidates[at], c);
        else
            r->candidates[kept++] = *c;
    }
    r->candidate_count = kept;
}
