/*
 * heap_groups.c - depth first with a stack of our own: an object is entered once and left once, and
 * a group is open while one of its objects is entered.
 */
#include "heap_groups.h"

#include <assert.h>

#include "mem.h"

#define LEAVE 0x80000000u /* on the stack: the object is left, not entered */

_Static_assert(FL_MAX_HEAP_OBJECTS < LEAVE, "the bit is free");

typedef struct walk {
    uint32_t *stack;
    size_t depth;
    uint32_t *open; /* [group] */
} walk;

/* Of FL_HEAP_NONE: what hangs on the roots. */
static void push_kids(walk *w, const fl_heap *heap, fl_heap_object object)
{
    size_t count;
    const fl_heap_object *kids = fl_heap_dominated(heap, object, &count);
    for (size_t i = 0; i < count; i++)
        w->stack[w->depth++] = kids[i];
}

/* An object without kids is not left: nothing would be found open meanwhile. */
static void enter(walk *w, const fl_heap *heap, fl_heap_object object, size_t group,
                  uint64_t *bytes)
{
    size_t kids;
    if (group != FL_HEAP_NO_GROUP && w->open[group] == 0)
        bytes[group] += fl_heap_retained_bytes(heap, object);
    (void)fl_heap_dominated(heap, object, &kids);
    if (kids == 0)
        return;
    if (group != FL_HEAP_NO_GROUP) {
        w->open[group]++;
        w->stack[w->depth++] = object | LEAVE;
    }
    push_kids(w, heap, object);
}

/* Each object is at most twice on the stack: once to enter, once to leave. */
fl_status fl_heap_groups_retain(uint64_t *bytes, const fl_heap *heap, size_t groups,
                                fl_heap_group_fn *group_of, void *payload, fl_error *err)
{
    walk w = {.depth = 0};
    w.open = fl_mem_calloc(groups + 1, sizeof(*w.open));
    w.stack = fl_mem_calloc(2 * fl_heap_count(heap) + 1, sizeof(*w.stack));
    bool is_done = w.open != NULL && w.stack != NULL;
    if (is_done)
        push_kids(&w, heap, FL_HEAP_NONE);
    while (is_done && w.depth > 0) {
        uint32_t object = w.stack[--w.depth];
        size_t group = group_of(payload, object & ~LEAVE);
        assert(group < groups || group == FL_HEAP_NO_GROUP);
        if (object & LEAVE)
            w.open[group]--;
        else
            enter(&w, heap, object, group, bytes);
    }
    fl_mem_free(w.open);
    fl_mem_free(w.stack);
    return is_done ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the sums");
}
