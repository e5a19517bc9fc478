/*
 * edge_beliefs.c - observations of one edge are collected until the next edge begins; then they are
 * one belief.
 */
#include "edge_beliefs.h"

#include <assert.h>
#include <string.h>

#include "hash.h"
#include "mem.h"
#include "slice.h"

typedef struct reading {
    fl_edge_beliefs *out;
    size_t room;                  /* of out->items */
    fl_observation *observations; /* of the edge that is read */
    size_t count, observations_room;
    uint64_t edge;
    int64_t now_ns;
} reading;

/* `items` with room for one more, doubled where there is none; NULL for want of memory. */
static void *grown(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t wanted = *room > 0 ? 2 * *room : 64;
    void *more = fl_mem_realloc(items, wanted, size);
    if (more != NULL)
        *room = wanted;
    return more;
}

/* One sentence for all that is collected here. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading evidence");
}

/* All evidence for one edge has been read. */
static fl_status end_edge(reading *in, fl_error *err)
{
    fl_confidence confidence;
    if (in->count == 0)
        return FL_OK;
    fl_brief_belief *items =
        grown(in->out->items, in->out->count, &in->room, sizeof(*in->out->items));
    if (items == NULL)
        return no_memory(err);
    in->out->items = items;
    fl_brief_belief *belief = &items[in->out->count++];
    *belief = (fl_brief_belief){.edge = in->edge};
    for (size_t i = 0; i < in->count; i++) {
        const fl_observation *o = &in->observations[i];
        *(o->supports ? &belief->supporting : &belief->contradicting) += 1;
        belief->last_ns = o->at_ns > belief->last_ns ? o->at_ns : belief->last_ns;
    }
    fl_confidence_of(&confidence, in->observations, in->count, FL_HALF_LIFE_DAYS, in->now_ns);
    belief->mean = (float)confidence.mean;
    belief->low = (float)confidence.low;
    belief->high = (float)confidence.high;
    in->count = 0;
    return FL_OK;
}

/* The run of an edge ends where the next one begins. */
static fl_status take_evidence(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    reading *in = payload;
    fl_status status = item->edge != in->edge ? end_edge(in, err) : FL_OK;
    if (status != FL_OK)
        return status;
    fl_observation *observations =
        grown(in->observations, in->count, &in->observations_room, sizeof(*in->observations));
    if (observations == NULL)
        return no_memory(err);
    in->observations = observations;
    in->edge = item->edge;
    in->observations[in->count++] =
        (fl_observation){.source = item->source,
                         .author = fl_hash_stable(fl_slice_of(item->author)),
                         .supports = item->supports,
                         .at_ns = item->at_ns};
    return FL_OK;
}

/* The observations of the largest edge are all that is held beside the beliefs. */
fl_status fl_edge_beliefs_read(fl_edge_beliefs *out, fl_store *store, int64_t as_of_ns,
                               fl_error *err)
{
    assert(out != NULL && store != NULL);
    *out = (fl_edge_beliefs){0};
    const fl_graph_question all = {.as_of_ns = as_of_ns};
    reading in = {.out = out, .now_ns = as_of_ns};
    fl_status status = fl_graph_evidence_for(store, &all, take_evidence, &in, err);
    if (status == FL_OK) /* the last edge has none behind it that would end it */
        status = end_edge(&in, err);
    fl_mem_free(in.observations);
    return status;
}

void fl_edge_beliefs_dispose(fl_edge_beliefs *beliefs)
{
    fl_mem_free(beliefs->items);
    *beliefs = (fl_edge_beliefs){0};
}

/* Ids as the store orders them: the same 64 bits as signed numbers. */
static int64_t order_of(uint64_t id)
{
    int64_t bits;
    memcpy(&bits, &id, sizeof(bits));
    return bits;
}

const fl_brief_belief *fl_edge_beliefs_next(fl_edge_beliefs *beliefs, uint64_t edge)
{
    while (beliefs->next < beliefs->count &&
           order_of(beliefs->items[beliefs->next].edge) < order_of(edge))
        beliefs->next++;
    assert(beliefs->next <= beliefs->count);
    return beliefs->next < beliefs->count && beliefs->items[beliefs->next].edge == edge
               ? &beliefs->items[beliefs->next]
               : NULL;
}
