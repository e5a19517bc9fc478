/*
 * learn_keep.c - proposals to nodes, edges and evidence.
 *
 *   note      = sentence "\n" document ", byte " offset ", rule \"" rule "\""
 *
 * The note is what a reviewer reads; review.c takes it apart again at its last line.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "mem.h"
#include "review.h"
#include "slice.h"

/* A transaction of this many is fast in both engines, and short enough for other writers. */
enum { BATCH = 500, NOTE_NAME_BYTES = 1000 };

struct batch {
    fl_graph_node nodes[2 * BATCH];
    fl_graph_edge edges[BATCH];
    fl_graph_evidence evidence[BATCH];
    size_t count;
    fl_arena notes;
};

/* Ids follow from what things are, so that a batch may be written twice. */
static fl_status draft(struct batch *b, const fl_proposal *p, int64_t now_ns, fl_error *err)
{
    assert(b->count < BATCH);
    fl_graph_edge *edge = &b->edges[b->count];
    fl_graph_evidence *item = &b->evidence[b->count];
    b->nodes[2 * b->count] = p->from;
    b->nodes[2 * b->count + 1] = p->to;
    *edge =
        (fl_graph_edge){.id = fl_edge_id(p->kind, p->from.id, p->to.id, fl_slice_of(p->qualifier)),
                        .kind = p->kind,
                        .from = p->from.id,
                        .to = p->to.id,
                        .qualifier = p->qualifier,
                        .recorded_ns = now_ns};
    *item = (fl_graph_evidence){.id = p->id,
                                .edge = edge->id,
                                .source = p->is_hedged ? FL_SOURCE_HEDGED : FL_SOURCE_DOCUMENT,
                                .author = p->author,
                                .reference = p->reference,
                                .supports = p->supports,
                                .at_ns = p->at_ns,
                                .recorded_ns = now_ns};
    item->note = fl_arena_printf(&b->notes, "%s\n%.*s, byte %" PRIu64 ", rule \"%s\"", p->sentence,
                                 NOTE_NAME_BYTES, p->document, p->offset, p->rule);
    b->count++;
    return item->note != NULL ? FL_OK
                              : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for proposals");
}

/* One transaction; what was written before a failure stays, and is not added again. */
static fl_status flush(fl_graph_added *sum, fl_store *store, struct batch *b, fl_error *err)
{
    assert(b->count <= BATCH);
    fl_graph_added added;
    const fl_graph_batch all = {.nodes = b->nodes,
                                .node_count = 2 * b->count,
                                .edges = b->edges,
                                .edge_count = b->count,
                                .evidence = b->evidence,
                                .evidence_count = b->count};
    if (b->count == 0)
        return FL_OK;
    fl_status status = fl_graph_add(&added, store, &all, err);
    b->count = 0;
    fl_arena_reset(&b->notes);
    if (status != FL_OK)
        return status;
    sum->nodes += added.nodes;
    sum->edges += added.edges;
    sum->evidence += added.evidence;
    return FL_OK;
}

fl_status fl_learn_keep(fl_graph_added *added, fl_store *store, const fl_proposals *all,
                        int64_t now_ns, fl_error *err)
{
    assert(store != NULL && all != NULL && added != NULL);
    *added = (fl_graph_added){0};
    struct batch *b = fl_mem_calloc(1, sizeof(*b));
    if (b == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for proposals");
    b->notes = fl_arena_of(BATCH * (size_t)FL_MAX_GRAPH_TEXT_BYTES * 2);
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < fl_proposals_count(all); i++) {
        status = draft(b, fl_proposals_at(all, i), now_ns, err);
        if (status == FL_OK && b->count == BATCH)
            status = flush(added, store, b, err);
    }
    if (status == FL_OK)
        status = flush(added, store, b, err);
    fl_arena_dispose(&b->notes);
    fl_mem_free(b);
    return status;
}
