/*
 * heap_holders.c - by dominators where one holds an object alone, by references where several do.
 *
 * Of a loaded class every instance refers to it and it to its loader, which refers to all of its
 * classes: only statics and instances' own fields are followed, so that the way does not lead
 * through there to any class of the program.
 */
#include "heap_holders.h"

#include <assert.h>

#include "map.h"
#include "slice.h"

/* Classes above one; a chain of classes that is broken ends somewhere. Objects that a search looks
 * at: lists and maps of some nesting are passed on the way, the whole heap is not. */
enum { MAX_SUPER_CLASSES = 256, MAX_SEARCHED = 4096 };

bool fl_heap_is_own_class(const fl_heap *heap, uint32_t class_index)
{
    static const char *const others[] = {"java.", "javax.", "jdk.", "sun.", "com.sun."};
    const fl_heap_class *class = fl_heap_class_at(heap, class_index);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (fl_slice_starts_with(class->name, fl_slice_of(others[i])))
            return false;
    return !class->is_array;
}

/* By the name of the class or of one above it: any loader may have loaded it. */
static bool inherits_name(const fl_heap *heap, uint32_t index, fl_slice name)
{
    for (int i = 0; index != FL_HEAP_NONE && i < MAX_SUPER_CLASSES; i++) {
        const fl_heap_class *class = fl_heap_class_at(heap, index);
        if (fl_slice_equal(class->name, name))
            return true;
        index = class->super;
    }
    return false;
}

bool fl_heap_is_thread_class(const fl_heap *heap, uint32_t class_index)
{
    return inherits_name(heap, class_index, FL_SLICE("java.lang.Thread"));
}

bool fl_heap_is_loader_class(const fl_heap *heap, uint32_t class_index)
{
    return inherits_name(heap, class_index, FL_SLICE("java.lang.ClassLoader"));
}

const fl_heap_member *fl_heap_static_of(const fl_heap *heap, uint32_t class_index,
                                        fl_heap_object object)
{
    const fl_heap_class *facts = fl_heap_class_at(heap, class_index);
    uint64_t id = fl_heap_id(heap, object);
    for (uint32_t i = 0; i < facts->static_count; i++)
        if (facts->statics[i].type == FL_HEAP_REFERENCE && facts->statics[i].value == id)
            return &facts->statics[i];
    return NULL;
}

const char *fl_heap_member_text(const fl_heap *heap, uint32_t class_index,
                                const fl_heap_member *member, fl_arena *arena)
{
    assert(member != NULL);
    return fl_arena_printf(arena, "%.*s.%.*s",
                           FL_SLICE_ARG(fl_heap_class_at(heap, class_index)->name),
                           FL_SLICE_ARG(member->name));
}

/* The class that has the field itself, which may be a super class of the object's. */
static uint32_t class_with(const fl_heap *heap, uint32_t index, const fl_heap_member *member)
{
    for (int i = 0; index != FL_HEAP_NONE && i < MAX_SUPER_CLASSES; i++) {
        const fl_heap_class *class = fl_heap_class_at(heap, index);
        if (member >= class->fields && member < class->fields + class->field_count)
            return index;
        index = class->super;
    }
    return FL_HEAP_NONE;
}

const char *fl_heap_field_text(const fl_heap *heap, fl_heap_object object, fl_heap_object kid,
                               fl_arena *arena)
{
    fl_heap_edge edge;
    uint32_t index = fl_heap_class_of(heap, object);
    if (!fl_heap_is_own_class(heap, index) || fl_heap_class_meant(heap, object) != FL_HEAP_NONE)
        return NULL;
    for (fl_heap_edges at = fl_heap_edges_of(heap, object); fl_heap_edges_next(&at, &edge);) {
        if (edge.to != kid || edge.kind != FL_HEAP_EDGE_FIELD || edge.is_weak)
            continue;
        uint32_t owner = class_with(heap, index, edge.member);
        if (owner == FL_HEAP_NONE || !fl_heap_is_own_class(heap, owner))
            owner = index;
        return fl_heap_member_text(heap, owner, edge.member, arena);
    }
    return NULL;
}

const char *fl_heap_holder_text(const fl_heap *heap, fl_heap_object object, fl_arena *arena)
{
    const char *nearest = NULL;
    fl_heap_object above = fl_heap_idom(heap, object);
    for (; above != FL_HEAP_NONE; object = above, above = fl_heap_idom(heap, object)) {
        uint32_t meant = fl_heap_class_meant(heap, above);
        const fl_heap_member *member =
            meant != FL_HEAP_NONE ? fl_heap_static_of(heap, meant, object) : NULL;
        if (member != NULL)
            return fl_heap_member_text(heap, meant, member, arena);
        if (nearest == NULL)
            nearest = fl_heap_field_text(heap, above, object, arena);
    }
    return nearest;
}

/* --- by references --- */

/* Breadth first, so that the nearest static is found; objects that were seen are not put again. */
typedef struct search {
    const fl_heap *heap;
    fl_map *seen;
    fl_heap_object queue[MAX_SEARCHED];
    size_t head, tail;
} search;

/* Whether `from` refers to `to` by a field or as an element, and keeps it so. */
static bool refers(const fl_heap *heap, fl_heap_object from, fl_heap_object to)
{
    fl_heap_edge edge;
    if (fl_heap_class_at(heap, fl_heap_class_of(heap, from))->is_array)
        return true;
    for (fl_heap_edges at = fl_heap_edges_of(heap, from); fl_heap_edges_next(&at, &edge);)
        if (edge.to == to && edge.kind == FL_HEAP_EDGE_FIELD && !edge.is_weak)
            return true;
    return false;
}

/* Each object is looked at once; beyond the room nothing more is taken. */
static fl_status put(search *s, fl_heap_object object, fl_error *err)
{
    uint64_t *slot;
    bool added = false;
    if (s->tail == MAX_SEARCHED)
        return FL_OK;
    fl_status status = fl_map_slot(&slot, s->seen, object, &added, err);
    if (status == FL_OK && added)
        s->queue[s->tail++] = object;
    return status;
}

/* Those who refer to the next object; *out, where one of them is a static. */
static fl_status step(const char **out, search *s, fl_arena *arena, fl_error *err)
{
    size_t count;
    fl_status status = FL_OK;
    const fl_heap *heap = s->heap;
    const fl_heap_object object = s->queue[s->head++];
    const fl_heap_object *from = fl_heap_inbound(heap, object, &count);
    count = count < MAX_SEARCHED ? count : MAX_SEARCHED;
    for (size_t i = 0; i < count && status == FL_OK && *out == NULL; i++) {
        uint32_t meant = fl_heap_class_meant(heap, from[i]);
        if (meant == FL_HEAP_NONE) {
            if (!fl_heap_is_thread_class(heap, fl_heap_class_of(heap, from[i])) &&
                refers(heap, from[i], object))
                status = put(s, from[i], err);
            continue;
        }
        const fl_heap_member *member =
            fl_heap_is_own_class(heap, meant) ? fl_heap_static_of(heap, meant, object) : NULL;
        if (member == NULL)
            continue;
        *out = fl_heap_member_text(heap, meant, member, arena);
        if (*out == NULL)
            status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for holders");
    }
    return status;
}

fl_status fl_heap_holder_search(const char **out, const fl_heap *heap, fl_heap_object object,
                                fl_arena *arena, fl_error *err)
{
    assert(object != FL_HEAP_NONE);
    search s = {.heap = heap};
    *out = NULL;
    fl_status status = fl_map_create(&s.seen, MAX_SEARCHED + 1, err);
    if (status == FL_OK)
        status = put(&s, object, err);
    while (status == FL_OK && *out == NULL && s.head < s.tail)
        status = step(out, &s, arena, err);
    fl_map_destroy(s.seen);
    return status;
}
