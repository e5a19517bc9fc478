/*
 * heap_ways.c - breadth first: each object is put into the queue once, with the object that it was
 * reached from. A way is read backwards out of that.
 */
#include "heap_ways.h"

#include <assert.h>
#include <stdlib.h>

#include "heap_priv.h"
#include "mem.h"

/* In place of the object that one was reached from. */
#define UNSEEN (UINT32_MAX)
#define WANTED (UINT32_MAX - 1) /* and not seen */
#define ROOT   (UINT32_MAX - 2)

_Static_assert(FL_MAX_HEAP_OBJECTS < ROOT, "no object has one of these numbers");

typedef struct walk {
    const fl_heap *heap;
    uint32_t *from;  /* [object] */
    uint32_t *queue; /* [object] */
    size_t head, tail;
    size_t missing; /* wanted ones that were not seen */
} walk;

/* Into the queue, once: the first to reach it is on a shortest way. */
static void see(walk *w, uint32_t object, uint32_t from)
{
    assert(object < fl_heap_count(w->heap));
    if (w->from[object] <= ROOT)
        return;
    w->missing -= w->from[object] == WANTED;
    w->from[object] = from;
    w->queue[w->tail++] = object;
}

/* A referent counts where the heap was made with weak references that keep. */
static void spread(walk *w)
{
    const fl_heap *heap = w->heap;
    for (size_t i = 0; i < heap->root_object_count; i++)
        see(w, heap->root_objects[i], ROOT);
    while (w->head < w->tail && w->missing > 0) {
        fl_heap_edge edge;
        uint32_t object = w->queue[w->head++];
        for (fl_heap_edges at = fl_heap_edges_of(heap, object); fl_heap_edges_next(&at, &edge);)
            if (!edge.is_weak || heap->options.weak_keeps)
                see(w, edge.to, object);
    }
}

/* The first reference from one to the other: that by which it was reached. */
static fl_heap_edge edge_between(const fl_heap *heap, uint32_t from, uint32_t to)
{
    fl_heap_edge edge;
    for (fl_heap_edges at = fl_heap_edges_of(heap, from); fl_heap_edges_next(&at, &edge);)
        if (edge.to == to && (!edge.is_weak || heap->options.weak_keeps))
            return edge;
    assert(false && "it was reached by one");
    return (fl_heap_edge){.to = FL_HEAP_NONE};
}

/* Backwards; of a long way the middle is passed over. */
static void read_way(fl_heap_way *way, const walk *w, uint32_t object)
{
    size_t length = 0, at;
    *way = (fl_heap_way){.count = 0};
    if (w->from[object] > ROOT)
        return;
    for (uint32_t o = object; o != ROOT; o = w->from[o])
        length++;
    way->count = length < FL_HEAP_WAY_STEPS ? length : FL_HEAP_WAY_STEPS;
    way->left_out = length - way->count;
    uint32_t below = FL_HEAP_NONE;
    at = length;
    for (uint32_t o = object; o != ROOT; below = o, o = w->from[o]) {
        at--;
        size_t place = at < FL_HEAP_WAY_STEPS / 2 ? at : at - way->left_out;
        if (at >= FL_HEAP_WAY_STEPS / 2 && at < FL_HEAP_WAY_STEPS / 2 + way->left_out)
            continue;
        way->steps[place] = (fl_heap_step){.object = o, .edge = {.to = FL_HEAP_NONE}};
        if (below != FL_HEAP_NONE)
            way->steps[place].edge = edge_between(w->heap, o, below);
    }
}

/* An object may be asked for twice; it is looked for once. */
fl_status fl_heap_ways_find(fl_heap_way *out, const fl_heap *heap, const fl_heap_object *wanted,
                            size_t count, fl_error *err)
{
    size_t objects = fl_heap_count(heap);
    walk w = {.heap = heap};
    w.from = fl_mem_calloc(objects + 1, sizeof(*w.from));
    w.queue = fl_mem_calloc(objects + 1, sizeof(*w.queue));
    bool is_done = w.from != NULL && w.queue != NULL;
    for (size_t i = 0; is_done && i < objects; i++)
        w.from[i] = UNSEEN;
    for (size_t i = 0; is_done && i < count; i++) {
        assert(wanted[i] < objects);
        w.missing += w.from[wanted[i]] == UNSEEN;
        w.from[wanted[i]] = WANTED;
    }
    if (is_done)
        spread(&w);
    for (size_t i = 0; is_done && i < count; i++)
        read_way(&out[i], &w, wanted[i]);
    fl_mem_free(w.from);
    fl_mem_free(w.queue);
    return is_done ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the ways");
}
