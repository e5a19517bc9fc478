/*
 * check_circle.c - Kahn's algorithm (CACM 1962), from both ends: nodes that nothing enters are
 * taken away with their edges until there are none, then those that nothing leaves. What is left
 * lies in circles or between them. Edges of a node are found by a counting sort.
 */
#include "check_circle.h"

#include <assert.h>

#include "map.h"
#include "mem.h"

enum { FIRST_ROOM = 64 };

/* One sentence for all of it. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while looking for circles");
}

fl_status fl_circle_add(fl_circle *circle, uint64_t from, uint64_t to, fl_error *err)
{
    if (circle->count == circle->room) {
        size_t room = circle->room > 0 ? 2 * circle->room : FIRST_ROOM;
        fl_circle_edge *edges = fl_mem_realloc(circle->edges, room, sizeof(*edges));
        if (edges == NULL)
            return no_memory(err);
        circle->edges = edges;
        circle->room = room;
    }
    circle->edges[circle->count++] = (fl_circle_edge){.from = from, .to = to};
    return FL_OK;
}

void fl_circle_dispose(fl_circle *circle)
{
    fl_mem_free(circle->edges);
    *circle = (fl_circle){0};
}

/* Numbers from 0 in place of ids, in the order in which they are met. */
static fl_status number(size_t *nodes, fl_circle *circle, fl_error *err)
{
    fl_map *numbers;
    fl_status status = fl_map_create(&numbers, 2 * circle->count, err);
    *nodes = 0;
    for (size_t i = 0; status == FL_OK && i < 2 * circle->count; i++) {
        fl_circle_edge *edge = &circle->edges[i / 2];
        uint64_t *id = i % 2 == 0 ? &edge->from : &edge->to, *slot;
        bool added;
        status = fl_map_slot(&slot, numbers, *id, &added, err);
        if (status != FL_OK)
            break;
        if (added)
            *slot = (*nodes)++;
        *id = *slot;
    }
    fl_map_destroy(numbers);
    return status;
}

/* Work space over n nodes and m edges. */
typedef struct trim {
    size_t *start;       /* n + 1: where the edges of a node begin in `far` */
    size_t *far;         /* m: their other ends */
    size_t *entered;     /* n: by how many edges that are left */
    size_t *queue;       /* n */
    unsigned char *gone; /* n */
} trim;

/* Take away what nothing enters, over and over; `turned` takes edges the other way round. */
static void trim_once(trim *t, const fl_circle *circle, size_t nodes, bool turned)
{
    size_t head = 0, tail = 0;
    for (size_t n = 0; n <= nodes; n++)
        t->start[n] = 0;
    for (size_t n = 0; n < nodes; n++)
        t->entered[n] = 0;
    for (size_t i = 0; i < circle->count; i++) {
        const fl_circle_edge *e = &circle->edges[i];
        if (t->gone[e->from] || t->gone[e->to])
            continue;
        t->start[(turned ? e->to : e->from)]++;
        t->entered[turned ? e->from : e->to]++;
    }
    for (size_t n = 1; n <= nodes; n++)
        t->start[n] += t->start[n - 1];
    for (size_t i = 0; i < circle->count; i++) { /* filled from the back of each run */
        const fl_circle_edge *e = &circle->edges[i];
        if (t->gone[e->from] || t->gone[e->to])
            continue;
        t->far[--t->start[turned ? e->to : e->from]] = turned ? e->from : e->to;
    }
    for (size_t n = 0; n < nodes; n++)
        if (!t->gone[n] && t->entered[n] == 0)
            t->queue[tail++] = n;
    while (head < tail) {
        size_t n = t->queue[head++];
        t->gone[n] = 1;
        for (size_t e = t->start[n]; e < t->start[n + 1]; e++)
            if (--t->entered[t->far[e]] == 0)
                t->queue[tail++] = t->far[e];
    }
    assert(tail <= nodes);
}

fl_status fl_circle_find(size_t *out, fl_circle *circle, fl_error *err)
{
    size_t nodes = 0;
    *out = 0;
    if (circle->count == 0)
        return FL_OK;
    fl_status status = number(&nodes, circle, err);
    if (status != FL_OK)
        return status;
    trim t = {.start = fl_mem_calloc(nodes + 1, sizeof(*t.start)),
              .far = fl_mem_calloc(circle->count, sizeof(*t.far)),
              .entered = fl_mem_calloc(nodes, sizeof(*t.entered)),
              .queue = fl_mem_calloc(nodes, sizeof(*t.queue)),
              .gone = fl_mem_calloc(nodes, 1)};
    if (t.start != NULL && t.far != NULL && t.entered != NULL && t.queue != NULL &&
        t.gone != NULL) {
        trim_once(&t, circle, nodes, false);
        trim_once(&t, circle, nodes, true);
        for (size_t n = 0; n < nodes; n++)
            *out += t.gone[n] == 0;
    } else {
        status = no_memory(err);
    }
    fl_mem_free(t.start);
    fl_mem_free(t.far);
    fl_mem_free(t.entered);
    fl_mem_free(t.queue);
    fl_mem_free(t.gone);
    return status;
}
