/*
 * oql_retained.c - reachability with some objects taken away: a search with a stack of its own.
 *
 * One object's retained set is its part of the tree of dominators. Several objects together may
 * retain more than their parts: what each of two keeps alive alone is in neither part. So the set
 * is found by the definition. An object is put on the stack when its bit is set, once.
 */
#include "oql_retained.h"

#include <assert.h>

#include "mem.h"

typedef struct search {
    const fl_heap *heap;
    unsigned char *kept, *removed;
    fl_heap_object *stack;
    size_t depth, cap;
} search;

/* Mark an object and remember to look at what it refers to, unless it is taken away. */
static bool reach(search *s, fl_heap_object object)
{
    assert(object < fl_heap_count(s->heap));
    if (fl_oql_bit(s->kept, object) || fl_oql_bit(s->removed, object))
        return true;
    if (s->depth == s->cap) {
        size_t cap = s->cap == 0 ? 1024 : 2 * s->cap;
        fl_heap_object *stack = fl_mem_realloc(s->stack, cap, sizeof(*stack));
        if (stack == NULL)
            return false;
        s->stack = stack;
        s->cap = cap;
    }
    fl_oql_set_bit(s->kept, object);
    s->stack[s->depth++] = object;
    return true;
}

/* All that the stack's objects refer to, and so on; weak references keep nothing. */
static bool follow(search *s)
{
    while (s->depth > 0) {
        fl_heap_edge edge;
        fl_heap_edges edges = fl_heap_edges_of(s->heap, s->stack[--s->depth]);
        while (fl_heap_edges_next(&edges, &edge))
            if (!edge.is_weak && !reach(s, edge.to))
                return false;
    }
    return true;
}

/* Whether an object is kept by itself: what lies on a thread's stack hangs on the thread. */
static bool is_root(const fl_heap *heap, fl_heap_object object)
{
    size_t count;
    const fl_heap_root *roots = fl_heap_roots_of(heap, object, &count);
    for (size_t i = 0; i < count; i++)
        if (roots[i].thread == FL_HEAP_NONE || roots[i].thread == object)
            return true;
    return false;
}

/* Of a dump that ends before its roots, as the tree has it. */
static bool search_from_classes(search *s)
{
    assert(s->depth == 0);
    uint32_t count = (uint32_t)fl_heap_class_count(s->heap);
    for (uint32_t i = 0; i < count; i++) {
        fl_heap_object object = fl_heap_class_at(s->heap, i)->object;
        if (object != FL_HEAP_NONE && (!reach(s, object) || !follow(s)))
            return false;
    }
    return true;
}

/* Each root in turn, so that the stack holds what one root reaches at most. */
static bool search_from_roots(search *s)
{
    assert(s->depth == 0);
    fl_heap_object count = (fl_heap_object)fl_heap_count(s->heap);
    for (fl_heap_object i = 0; i < count; i++)
        if (is_root(s->heap, i) && (!reach(s, i) || !follow(s)))
            return false;
    return true;
}

fl_status fl_oql_reach_without(unsigned char *kept, const fl_heap *heap,
                               const fl_heap_object *objects, size_t count, fl_error *err)
{
    assert(kept != NULL && heap != NULL && (objects != NULL || count == 0));
    search s = {.heap = heap, .kept = kept};
    s.removed = fl_mem_calloc(fl_heap_count(heap) / 8 + 1, 1);
    bool is_done = s.removed != NULL;
    for (size_t i = 0; is_done && i < count; i++)
        fl_oql_set_bit(s.removed, objects[i]);
    is_done =
        is_done && (fl_heap_has_roots(heap) ? search_from_roots(&s) : search_from_classes(&s));
    fl_mem_free(s.removed);
    fl_mem_free(s.stack);
    return is_done ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
}
