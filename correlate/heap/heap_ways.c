/*
 * heap_ways.c - breadth first: each object is put into the queue once, with the object that it was
 * reached from. A way is read backwards out of that.
 *
 * By which reference one object leads to the next is looked for last, for all ways together: what
 * many ways have in common (a list that holds everything that is asked for) is read once, not once
 * for each.
 */
#include "heap_ways.h"

#include <assert.h>
#include <stdlib.h>

#include "heap_priv.h"
#include "mem.h"
#include "search.h"
#include "sort.h"

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

/* Backwards; of a long way the middle is passed over. Of each step's reference it is known only
 * where it leads. */
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
        way->steps[place] = (fl_heap_step){.object = o, .edge = {.to = below}};
    }
}

/* --- by which reference --- */

/* In the group of a step whose reference has its name. */
#define NAMED (UINT32_C(1) << 31)

/* A step's two objects, and which step of which way it is. */
static fl_keyed key_of(const fl_heap_step *step, size_t way, size_t place)
{
    return (fl_keyed){.key = (uint64_t)step->object << 32 | step->edge.to,
                      .index = (uint32_t)way,
                      .group = (uint32_t)place};
}

static uint64_t target_of(const void *steps, size_t i)
{
    return ((const fl_keyed *)steps)[i].key & UINT32_MAX;
}

/* Steps from one object, by where they lead: one pass over its references. Of several to one object
 * the first is meant, by which it was reached. */
static void name_references(fl_heap_way *ways, const fl_heap *heap, fl_keyed *steps, size_t count)
{
    size_t missing = count;
    fl_heap_edge edge;
    fl_heap_edges at = fl_heap_edges_of(heap, (fl_heap_object)(steps[0].key >> 32));
    while (missing > 0 && fl_heap_edges_next(&at, &edge)) {
        size_t i = fl_search_first(steps, count, target_of, edge.to);
        if (edge.is_weak && !heap->options.weak_keeps)
            continue;
        for (; i < count && target_of(steps, i) == edge.to && steps[i].group < NAMED; i++) {
            ways[steps[i].index].steps[steps[i].group].edge = edge;
            steps[i].group |= NAMED;
            missing--;
        }
    }
    assert(missing == 0 && "each was reached by one");
}

/* False without memory. */
static bool name_all(fl_heap_way *ways, size_t count, const fl_heap *heap)
{
    size_t steps = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        steps += ways[i].count;
    fl_keyed *all = fl_mem_calloc(2 * steps + 1, sizeof(*all));
    for (size_t i = 0; all != NULL && i < count; i++)
        for (size_t k = 0; k < ways[i].count; k++)
            if (ways[i].steps[k].edge.to != FL_HEAP_NONE)
                all[kept++] = key_of(&ways[i].steps[k], i, k);
    if (all != NULL)
        fl_sort_keyed(all, all + steps, kept);
    for (size_t first = 0, i = 1; i <= kept && all != NULL; i++)
        if (i == kept || all[i].key >> 32 != all[first].key >> 32) {
            name_references(ways, heap, all + first, i - first);
            first = i;
        }
    fl_mem_free(all);
    return all != NULL;
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
    is_done = is_done && name_all(out, count, heap);
    fl_mem_free(w.from);
    fl_mem_free(w.queue);
    return is_done ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the ways");
}
