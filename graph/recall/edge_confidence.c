/*
 * edge_confidence.c - evidence of one edge, counted into a belief.
 *
 * Items are collected first and weighed together: the cap of an author can only be applied when all
 * that the author says is known. Beyond the limit the rest is not read, and the belief says so;
 * what is read is then the beginning in the store's order, the same in every run.
 */
#include "edge_confidence.h"

#include <assert.h>

#include "hash.h"
#include "mem.h"
#include "slice.h"

typedef struct collected {
    fl_observation *items;
    size_t count, room, limit;
    fl_edge_belief *belief;
} collected;

/* The newest time is that of the newest item that was read. */
static fl_status collect(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    collected *all = payload;
    if (all->count == all->limit) {
        all->belief->cut = true;
        return FL_OK;
    }
    if (all->count == all->room) {
        size_t room = all->room > 0 ? 2 * all->room : 16;
        fl_observation *grown = fl_mem_realloc(all->items, room, sizeof(*grown));
        if (grown == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading evidence");
        all->items = grown;
        all->room = room;
    }
    all->items[all->count++] = (fl_observation){.source = item->source,
                                                .author = fl_hash_stable(fl_slice_of(item->author)),
                                                .supports = item->supports,
                                                .at_ns = item->at_ns};
    *(item->supports ? &all->belief->supporting : &all->belief->contradicting) += 1;
    if (item->source != FL_SOURCE_LIBRARY && item->at_ns > all->belief->last_ns)
        all->belief->last_ns = item->at_ns; /* the library was loaded then, nothing was seen */
    return FL_OK;
}

fl_status fl_edge_belief_of(fl_edge_belief *out, fl_store *store, const fl_edge_question *question,
                            fl_error *err)
{
    assert(question->limit > 0 && question->limit < SIZE_MAX);
    fl_graph_question asked = {.scope = FL_GRAPH_ONE,
                               .id = question->edge,
                               .as_of_ns = question->known_ns,
                               .limit = question->limit + 1,
                               .brief = true};
    *out = (fl_edge_belief){0};
    collected all = {.limit = question->limit, .belief = out};
    fl_status status = fl_graph_evidence_for(store, &asked, collect, &all, err);
    if (status == FL_OK)
        (question->sums_only ? fl_confidence_sums : fl_confidence_of)(
            &out->confidence, all.items, all.count, FL_HALF_LIFE_DAYS, question->at_ns);
    fl_mem_free(all.items);
    return status;
}
