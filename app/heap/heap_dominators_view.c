/*
 * heap_dominators_view.c - the dominator tree object by object, from the roots or from one object,
 * to a depth.
 *
 * Objects that keep less than LEAST_SHARE of where the tree begins are told of together in one
 * line, so that a level has at most 1 / LEAST_SHARE rows. No recursion: what is still to be drawn
 * waits on a stack.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "heap_show.h"
#include "heap_text.h"
#include "mem.h"
#include "slice.h"

#define LEAST_SHARE 0.005

typedef struct node {
    fl_heap_object object; /* FL_HEAP_NONE: what is left out below its parent */
    size_t depth;
    uint64_t objects, bytes;
} node;

typedef struct drawing {
    fl_buf *out;
    const fl_heap_asked *asked;
    uint64_t whole, least; /* bytes */
    node *stack;
    size_t count, cap;
} drawing;

/* False without memory. */
static bool push(drawing *d, node added)
{
    if (d->count == d->cap) {
        size_t cap = d->cap > 0 ? 2 * d->cap : 256;
        node *grown = fl_mem_realloc(d->stack, cap, sizeof(*grown));
        if (grown == NULL)
            return false;
        d->stack = grown;
        d->cap = cap;
    }
    d->stack[d->count++] = added;
    return true;
}

/* The largest is on top of the stack; what is left out lies below all of them. */
static int by_bytes(const void *a, const void *b)
{
    const node *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return (x->object < y->object) - (x->object > y->object);
}

/* What `object` alone keeps, as far as it is shown. False without memory. */
static bool push_kids(drawing *d, fl_heap_object object, size_t depth)
{
    size_t count, first = d->count + 1, top = d->asked->top;
    const fl_heap_object *kids = fl_heap_dominated(d->asked->heap, object, &count);
    node rest = {.object = FL_HEAP_NONE, .depth = depth};
    if (depth > d->asked->depth || count == 0)
        return true;
    if (!push(d, rest))
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes = fl_heap_retained_bytes(d->asked->heap, kids[i]);
        if (bytes >= d->least) {
            if (!push(d, (node){kids[i], depth, 1, bytes}))
                return false;
            continue;
        }
        rest.objects++;
        rest.bytes += bytes;
    }
    qsort(d->stack + first, d->count - first, sizeof(*d->stack), by_bytes);
    size_t shown = d->count - first, cut = top > 0 && top < shown ? shown - top : 0;
    for (size_t i = 0; i < cut; i++) {
        rest.objects++;
        rest.bytes += d->stack[first + i].bytes;
    }
    for (size_t i = first; i + cut < d->count; i++)
        d->stack[i] = d->stack[i + cut];
    d->count -= cut;
    d->stack[first - 1] = rest;
    return true;
}

/* One space deeper a level; numbers stay in their columns. */
static void put_row(drawing *d, const node *row)
{
    double share = d->whole > 0 ? 100.0 * (double)row->bytes / (double)d->whole : 0;
    fl_buf_printf(d->out, "%14" PRIu64 " %5.1f%%  %*s", row->bytes, share, (int)row->depth - 1, "");
    if (row->object == FL_HEAP_NONE)
        fl_buf_printf(d->out, "%" PRIu64 " objects more", row->objects);
    else
        fl_heap_text_object(d->out, d->asked->heap, row->object);
    fl_buf_char(d->out, '\n');
}

/* What is left out has no object, but a number of them. */
static void json_row(drawing *d, const node *row, bool is_first)
{
    const fl_heap *heap = d->asked->heap;
    fl_buf_printf(d->out, "%s\n{\"depth\":%zu,\"retained_bytes\":%" PRIu64, is_first ? "" : ",",
                  row->depth, row->bytes);
    if (row->object == FL_HEAP_NONE)
        fl_buf_printf(d->out, ",\"objects_more\":%" PRIu64, row->objects);
    else {
        uint32_t meant = fl_heap_class_meant(heap, row->object);
        fl_buf_char(d->out, ',');
        fl_heap_json_address(d->out, "object", heap, row->object);
        fl_heap_json_text(d->out, meant != FL_HEAP_NONE ? "meant" : "class",
                          meant != FL_HEAP_NONE ? fl_heap_class_at(heap, meant)->name
                                                : fl_heap_text_class(heap, row->object));
    }
    fl_buf_char(d->out, '}');
}

/* Depth first. False without memory. */
static bool draw(drawing *d)
{
    bool is_first = true, is_done = true;
    fl_heap_object from = d->asked->object;
    if (from == FL_HEAP_NONE)
        is_done = push_kids(d, from, 1);
    else
        is_done = push(d, (node){from, 1, 1, d->whole});
    while (is_done && d->count > 0) {
        const node row = d->stack[--d->count];
        assert(row.depth > 0);
        if (row.object == FL_HEAP_NONE && row.objects == 0)
            continue;
        if (d->asked->as_json)
            json_row(d, &row, is_first);
        else
            put_row(d, &row);
        is_first = false;
        if (row.object != FL_HEAP_NONE)
            is_done = push_kids(d, row.object, row.depth + 1);
    }
    return is_done;
}

/* Of the roots, all that they keep; of an object, what it keeps. */
static uint64_t whole_of(const fl_heap *heap, fl_heap_object object)
{
    uint64_t bytes = 0;
    if (object != FL_HEAP_NONE)
        return fl_heap_retained_bytes(heap, object);
    for (uint32_t i = 0; i < fl_heap_class_count(heap); i++)
        bytes += fl_heap_class_at(heap, i)->reached_bytes;
    return bytes;
}

/* Needs nothing but the tree that every heap has. */
fl_status fl_heap_show_dominators(fl_buf *out, const fl_heap_asked *asked, fl_error *err)
{
    drawing d = {.out = out, .asked = asked, .whole = whole_of(asked->heap, asked->object)};
    d.least = (uint64_t)((double)d.whole * LEAST_SHARE);
    if (asked->as_json) {
        fl_heap_json_begin(out, "dominators", asked->title);
        fl_buf_printf(out, ",\"whole_bytes\":%" PRIu64 ",\"rows\":[", d.whole);
    } else {
        fl_heap_view_title(out, asked->title);
        fl_buf_text(out, "     #retained  share  object, and below it what it alone keeps\n");
    }
    bool is_done = draw(&d);
    if (asked->as_json)
        fl_buf_text(out, "]}\n");
    fl_mem_free(d.stack);
    return is_done ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the tree");
}
