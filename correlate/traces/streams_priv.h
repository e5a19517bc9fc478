/*
 * streams_priv.h - what the passes over the spans share.
 */
#ifndef FL_STREAMS_PRIV_H
#define FL_STREAMS_PRIV_H

#include "arena.h"
#include "map.h"
#include "streams.h"

struct forest {
    const fl_timeline *timeline;
    const uint32_t *children;    /* rows grouped by parent, each group in order of start */
    const uint32_t *first_child; /* span_count + 1 */
    const uint32_t *server; /* per span: the one span in another service that it only waits for, or
                               FL_NO_INDEX */
    const uint8_t *is_client; /* per operation: its spans wait for another service */
    const uint64_t *edges; /* calling << 32 | called service, of spans and their children; sorted */
    const uint32_t *edge_of; /* per span: the place of the edge into it, or FL_NO_INDEX */
    size_t edge_count;
};

static inline uint32_t fl_service_of(const fl_timeline *t, uint32_t span)
{
    return t->operations[t->spans[span].operation].service;
}

static inline uint64_t fl_edge_of(uint32_t caller, uint32_t callee)
{
    return (uint64_t)caller << 32 | callee;
}

fl_status fl_streams_chains(fl_streams *out, const struct forest *forest, fl_arena *arena,
                            fl_error *err);
fl_status fl_streams_values(fl_streams *out, const struct forest *forest, fl_arena *arena,
                            fl_error *err);

#define FL_STREAMS_NEW(arena, out, count, what, err)                                               \
    (((out) = fl_arena_alloc((arena), (count), sizeof(*(out)))) != NULL                            \
         ? FL_OK                                                                                   \
         : fl_fail((err), FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu %s", (size_t)(count),       \
                   what))

#endif
