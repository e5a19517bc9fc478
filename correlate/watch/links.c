/*
 * links.c - two generations of spans; a turn resolves the older and begins another.
 *
 * `mask` has the low bits of a trace's hash that must be zero: one more whenever a generation is
 * full, one less after one that was nearly empty.
 */
#include "links.h"

#include <assert.h>

#include "hash.h"
#include "map.h"
#include "mem.h"

typedef struct seen_span {
    uint64_t id, parent;
    uint32_t service;
    bool is_request; /* served, or a root */
} seen_span;

typedef struct generation {
    seen_span *spans;
    size_t count;
    fl_map *by_id; /* to a place in `spans` */
} generation;

struct fl_links {
    generation held[2]; /* [0]: being filled */
    size_t capacity;    /* of each */
    uint64_t mask;
};

/* All memory at once: noting a span allocates only in the index. */
static fl_status begin(generation *g, size_t capacity, fl_error *err)
{
    g->spans = fl_mem_alloc(capacity * sizeof(*g->spans));
    if (g->spans == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu spans", capacity);
    return fl_map_create(&g->by_id, capacity, err);
}

fl_status fl_links_create(fl_links **out, size_t max_spans, fl_error *err)
{
    assert(max_spans >= 2);
    *out = NULL;
    fl_links *links = fl_mem_calloc(1, sizeof(*links));
    if (links == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for links between services");
    links->capacity = max_spans / 2;
    fl_status status = begin(&links->held[0], links->capacity, err);
    if (status == FL_OK)
        status = begin(&links->held[1], links->capacity, err);
    if (status != FL_OK) {
        fl_links_destroy(links);
        return status;
    }
    *out = links;
    return FL_OK;
}

void fl_links_destroy(fl_links *links)
{
    if (links == NULL)
        return;
    for (size_t g = 0; g < 2; g++) {
        fl_mem_free(links->held[g].spans);
        fl_map_destroy(links->held[g].by_id);
    }
    fl_mem_free(links);
}

/* A client's span is its side of a request that its callee counts. */
static bool is_request(const fl_span *span)
{
    return span->parent == 0 || span->kind == FL_SPAN_SERVER || span->kind == FL_SPAN_CONSUMER;
}

/* Ids are unique in a trace only; that of another trace is as good as none in 2^64. */
fl_status fl_links_note(fl_links *links, uint32_t service, const fl_span *span, fl_error *err)
{
    generation *g = &links->held[0];
    uint64_t *slot;
    bool is_new;
    if ((fl_hash_mix(span->trace.hi ^ fl_hash_mix(span->trace.lo)) & links->mask) != 0)
        return FL_OK;
    if (g->count == links->capacity) {
        links->mask = links->mask << 1 | 1; /* from here on; what is held stays */
        return FL_OK;
    }
    fl_status status = fl_map_slot(&slot, g->by_id, span->id, &is_new, err);
    if (status != FL_OK || !is_new) /* sent again */
        return status;
    *slot = g->count;
    g->spans[g->count++] = (seen_span){
        .id = span->id, .parent = span->parent, .service = service, .is_request = is_request(span)};
    return FL_OK;
}

/* A parent may have come before its child or after. */
static const seen_span *find_span(const fl_links *links, uint64_t id)
{
    for (size_t g = 0; g < 2; g++) {
        const uint64_t *slot = fl_map_find(links->held[g].by_id, id);
        if (slot != NULL)
            return &links->held[g].spans[*slot];
    }
    return NULL;
}

/* The older generation goes: its children had a whole turn to meet their parents. */
void fl_links_turn(fl_links *links, const fl_links_visitor *to)
{
    generation *old = &links->held[1];
    for (size_t i = 0; i < old->count; i++) {
        const seen_span *span = &old->spans[i];
        const seen_span *parent = span->parent != 0 ? find_span(links, span->parent) : NULL;
        if (parent != NULL && parent->service != span->service)
            to->call(to->payload, parent->service, span->service);
        if (span->is_request)
            to->entry(to->payload, span->service, parent == NULL);
    }
    assert(old->count <= links->capacity);
    if (links->held[0].count < links->capacity / 4)
        links->mask >>= 1;
    old->count = 0;
    fl_map_clear(old->by_id);
    generation filled = links->held[0];
    links->held[0] = *old;
    links->held[1] = filled;
}
