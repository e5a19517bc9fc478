/*
 * heap_kept.c - upwards from the end of the way, then turned round.
 *
 * While it is walked the nearest step stands first; the last place is the heap's. What finds no
 * room between is counted, so that no list of a million nodes of two classes in turn costs more
 * than the walk.
 */
#include "heap_kept.h"

#include <assert.h>
#include <string.h>

#include "heap_growth.h"
#include "heap_holders.h"
#include "slice.h"

enum { ROOM = FL_KEPT_STEPS - 1, MAX_DEPTH = 128 };

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for who keeps what");
}

/* A copy in the arena, cut between two characters: no name of a program's own is so long. */
static const char *name_of(fl_slice name, fl_arena *arena)
{
    size_t end = name.len < FL_KEPT_NAME_BYTES ? name.len : FL_KEPT_NAME_BYTES;
    while (end < name.len && end > 0 && (name.ptr[end] & 0xC0) == 0x80)
        end--;
    return fl_arena_cstr(arena, fl_slice_part(name, 0, end));
}

/* The heap first, its end last. */
static void turn(fl_heap_kept *kept, fl_kept_step whole, uint64_t left_out)
{
    assert(kept->count <= ROOM);
    for (size_t i = 0, k = kept->count; i + 1 < k--; i++) {
        fl_kept_step step = kept->steps[i];
        kept->steps[i] = kept->steps[k];
        kept->steps[k] = step;
    }
    memmove(kept->steps + 1, kept->steps, kept->count * sizeof(kept->steps[0]));
    kept->steps[0] = whole;
    if (kept->count > 0)
        kept->steps[1].left_out = left_out;
    kept->count++;
}

/* --- by rows --- */

/* What leads to the class in a row's label: ".ENTRIES " of what a static refers to, "class " of a
 * class. A class that somebody gave such a name has no such row above it, or no blank. */
static size_t label_head(const fl_heap_path *row, const fl_heap_path *above)
{
    fl_slice label = fl_slice_of(row->label);
    size_t blank = fl_slice_find(label, FL_SLICE(" "));
    bool is_static = above->meant != FL_HEAP_NONE && label.len > 0 && label.ptr[0] == '.';
    return (row->meant != FL_HEAP_NONE || is_static) && blank < label.len ? blank + 1 : 0;
}

/* "ENTRIES" out of ".ENTRIES ", "items" out of "shop.Cart.items". */
static fl_slice field_of(const fl_heap_path *row, size_t head)
{
    if (head > 0 && row->meant == FL_HEAP_NONE)
        return fl_slice_part(fl_slice_of(row->label), 1, head - 1);
    const char *dot = row->field != NULL ? strrchr(row->field, '.') : NULL;
    return dot != NULL ? fl_slice_of(dot + 1) : (fl_slice){0};
}

/* Of a row's own class only the field of a program's own object is known (heap_paths.h): what the
 * JDK's collections call their tables nobody needs to be told. False: no memory. */
static bool put_row(fl_kept_step *out, const fl_heap_paths *last, size_t at, fl_arena *arena)
{
    const fl_heap_path *row = fl_heap_paths_at(last, at);
    size_t head = label_head(row, fl_heap_paths_at(last, row->parent));
    fl_slice field = field_of(row, head);
    *out = (fl_kept_step){.kind = row->meant != FL_HEAP_NONE ? FL_KEPT_CLASS : FL_KEPT_OBJECTS,
                          .type = name_of(fl_slice_of(row->label + head), arena),
                          .field = field.len > 0 ? name_of(field, arena) : NULL,
                          .objects = row->objects,
                          .retained_bytes = row->retained_bytes};
    return out->type != NULL && (field.len == 0 || out->field != NULL);
}

/* What each row of the way kept in the first dump; rows[] from the end to the heap. */
static void put_before(uint64_t before[MAX_DEPTH], const size_t rows[MAX_DEPTH], size_t count,
                       const fl_heap_paths *last, const fl_heap_paths *first)
{
    uint32_t at = 0;
    for (size_t i = count; i-- > 0;) {
        if (rows[i] != 0)
            at = fl_heap_growth_match(first, at, last, rows[i]);
        before[i] = at != FL_HEAP_NONE ? fl_heap_paths_at(first, at)->retained_bytes : 0;
    }
}

/* Rows are trees already, with neighbours of one class put together: nothing is left but to copy
 * the names, since those of a record go with it. */
fl_status fl_heap_kept_row(fl_heap_kept *out, const fl_heap_paths *last, size_t row,
                           const fl_heap_paths *first, fl_arena *arena, fl_error *err)
{
    size_t rows[MAX_DEPTH], count = 0;
    uint64_t before[MAX_DEPTH] = {0};
    assert(row > 0 && row < fl_heap_paths_count(last));
    *out = (fl_heap_kept){.count = 0};
    for (size_t at = row; at != FL_HEAP_NONE; at = fl_heap_paths_at(last, at)->parent) {
        assert(count < MAX_DEPTH);
        rows[count++] = at;
    }
    if (first != NULL)
        put_before(before, rows, count, last, first);
    for (size_t i = 0; i + 1 < count && i < ROOM; i++) {
        fl_kept_step *step = &out->steps[out->count++];
        if (!put_row(step, last, rows[i], arena))
            return no_memory(err);
        step->has_before = first != NULL;
        step->before_bytes = before[i];
    }
    const fl_heap_path *whole = fl_heap_paths_at(last, 0);
    turn(out,
         (fl_kept_step){.kind = FL_KEPT_HEAP,
                        .objects = whole->objects,
                        .retained_bytes = whole->retained_bytes,
                        .has_before = first != NULL,
                        .before_bytes = before[count - 1]},
         count - 1 > ROOM ? count - 1 - ROOM : 0);
    return FL_OK;
}

/* --- by dominators --- */

/* The name by which `above` refers to the object; empty: as an element, or not itself. */
static fl_slice field_from(const fl_heap *heap, fl_heap_object above, fl_heap_object object)
{
    fl_heap_edge edge;
    uint32_t meant = fl_heap_class_meant(heap, above);
    if (meant != FL_HEAP_NONE) {
        const fl_heap_member *member = fl_heap_static_of(heap, meant, object);
        return member != NULL ? member->name : (fl_slice){0};
    }
    if (fl_heap_class_at(heap, fl_heap_class_of(heap, above))->is_array)
        return (fl_slice){0};
    for (fl_heap_edges at = fl_heap_edges_of(heap, above); fl_heap_edges_next(&at, &edge);)
        if (edge.to == object && edge.kind == FL_HEAP_EDGE_FIELD && !edge.is_weak)
            return edge.member->name;
    return (fl_slice){0};
}

/* What a single object keeps; false: no memory. */
static bool put_object(fl_kept_step *out, const fl_heap *heap, fl_heap_object object,
                       fl_heap_object above, fl_arena *arena)
{
    uint32_t meant = fl_heap_class_meant(heap, object);
    uint32_t index = meant != FL_HEAP_NONE ? meant : fl_heap_class_of(heap, object);
    fl_slice field = above != FL_HEAP_NONE ? field_from(heap, above, object) : (fl_slice){0};
    *out = (fl_kept_step){.kind = meant != FL_HEAP_NONE ? FL_KEPT_CLASS : FL_KEPT_OBJECTS,
                          .type = name_of(fl_heap_class_at(heap, index)->name, arena),
                          .field = field.len > 0 ? name_of(field, arena) : NULL,
                          .objects = 1,
                          .retained_bytes = fl_heap_retained_bytes(heap, object)};
    return out->type != NULL && (field.len == 0 || out->field != NULL);
}

/* Whether both are of one class, and no classes themselves. */
static bool is_alike(const fl_heap *heap, fl_heap_object a, fl_heap_object b)
{
    return fl_heap_class_of(heap, a) == fl_heap_class_of(heap, b) &&
           fl_heap_class_meant(heap, a) == FL_HEAP_NONE &&
           fl_heap_class_meant(heap, b) == FL_HEAP_NONE;
}

/* A list of ten million nodes is walked in full, which costs a look at each, and is one step: who
 * reads it wants to know whose list it is. Its step stands for the node nearest to the roots. */
fl_status fl_heap_kept_object(fl_heap_kept *out, const fl_heap *heap, fl_heap_object object,
                              const fl_kept_step *whole, fl_arena *arena, fl_error *err)
{
    uint64_t left_out = 0;
    assert(object != FL_HEAP_NONE && whole->kind == FL_KEPT_HEAP);
    *out = (fl_heap_kept){.count = 0};
    while (object != FL_HEAP_NONE) {
        uint64_t alike = 1;
        fl_heap_object above = fl_heap_idom(heap, object);
        for (; above != FL_HEAP_NONE && is_alike(heap, object, above); alike++) {
            object = above;
            above = fl_heap_idom(heap, object);
        }
        if (out->count == ROOM) {
            left_out++;
        } else {
            fl_kept_step *step = &out->steps[out->count++];
            if (!put_object(step, heap, object, above, arena))
                return no_memory(err);
            step->objects = alike;
        }
        object = above;
    }
    turn(out, *whole, left_out);
    return FL_OK;
}
