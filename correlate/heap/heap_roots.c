/*
 * heap_roots.c - roots as objects, and what lies on the stacks of threads.
 *
 * A local variable is kept by its thread, as MAT has it: the thread is a root, the local hangs on
 * it, and what a thread keeps can be seen. A root whose object is not in the dump is dropped. A
 * dump that was cut has no roots, since HotSpot writes them last: its classes stand in for them.
 */
#include <assert.h>
#include <stdlib.h>

#include "heap_priv.h"
#include "mem.h"
#include "search.h"

const char *fl_heap_root_kind_name(fl_heap_root_kind kind)
{
    static const char *const names[] = {
        [FL_HEAP_ROOT_UNKNOWN] = "unknown",
        [FL_HEAP_ROOT_JNI_GLOBAL] = "JNI global",
        [FL_HEAP_ROOT_JNI_LOCAL] = "JNI local",
        [FL_HEAP_ROOT_JAVA_FRAME] = "Java frame",
        [FL_HEAP_ROOT_NATIVE_STACK] = "native stack",
        [FL_HEAP_ROOT_STICKY_CLASS] = "system class",
        [FL_HEAP_ROOT_THREAD_BLOCK] = "thread block",
        [FL_HEAP_ROOT_MONITOR] = "monitor",
        [FL_HEAP_ROOT_THREAD] = "thread",
        [FL_HEAP_ROOT_OTHER] = "other",
    };
    _Static_assert(sizeof(names) / sizeof(names[0]) == FL_HEAP_ROOT_KIND_COUNT, "each has a name");
    assert((unsigned)kind < FL_HEAP_ROOT_KIND_COUNT);
    return names[kind];
}

/* Roots that name the thread on whose stack they lie. */
static bool is_on_stack(uint32_t kind)
{
    return kind == FL_HEAP_ROOT_JAVA_FRAME || kind == FL_HEAP_ROOT_JNI_LOCAL ||
           kind == FL_HEAP_ROOT_NATIVE_STACK || kind == FL_HEAP_ROOT_THREAD_BLOCK;
}

static int by_object(const void *a, const void *b)
{
    const fl_heap_root *left = a, *right = b;
    if (left->object != right->object)
        return left->object < right->object ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    if (left->thread != right->thread)
        return left->thread < right->thread ? -1 : 1;
    return (left->frame > right->frame) - (left->frame < right->frame);
}

static int by_thread(const void *a, const void *b)
{
    const struct fl_heap_held *left = a, *right = b;
    if (left->thread != right->thread)
        return left->thread < right->thread ? -1 : 1;
    return (left->object > right->object) - (left->object < right->object);
}

/* Serial numbers of threads to their objects. */
static fl_status map_threads(const fl_heap *heap, fl_map *threads, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < heap->census->root_count && status == FL_OK; i++) {
        const fl_census_root *root = &heap->census->roots[i];
        uint32_t object = fl_heap_ids_find(&heap->ids, root->id);
        uint64_t *slot;
        if (root->kind != FL_HEAP_ROOT_THREAD || object == FL_HEAP_NONE)
            continue;
        status = fl_map_slot(&slot, threads, root->thread, NULL, err);
        if (status == FL_OK)
            *slot = object;
    }
    return status;
}

/* One root: on its thread's stack, or by itself. */
static void take_root(fl_heap *heap, const fl_map *threads, const fl_census_root *root)
{
    uint32_t object = fl_heap_ids_find(&heap->ids, root->id);
    if (object == FL_HEAP_NONE)
        return;
    const uint64_t *thread = is_on_stack(root->kind) ? fl_map_find(threads, root->thread) : NULL;
    uint32_t holder = thread != NULL ? (uint32_t)*thread : FL_HEAP_NONE;
    assert(heap->root_count < heap->census->root_count && root->kind < FL_HEAP_ROOT_KIND_COUNT);
    heap->roots[heap->root_count++] = (fl_heap_root){.object = object,
                                                     .kind = (fl_heap_root_kind)root->kind,
                                                     .thread = holder,
                                                     .frame = root->frame};
    if (holder != FL_HEAP_NONE && holder != object) {
        heap->held[heap->held_count++] = (struct fl_heap_held){holder, object, root->frame};
        return;
    }
    heap->root_objects[heap->root_object_count++] = object;
    uint32_t meant = fl_census_find_class(heap->census, root->id);
    if (meant != FL_HEAP_NONE)
        heap->is_kept[meant] = true;
}

/* Statics then hold what they hold; what only threads kept is not reached. */
static void let_classes_stand_in(fl_heap *heap)
{
    heap->no_roots = true;
    for (uint32_t i = 0; i < heap->census->count; i++) {
        fl_heap_object object = fl_heap_facts(heap, i)->object;
        if (object == FL_HEAP_NONE)
            continue;
        heap->root_objects[heap->root_object_count++] = object;
        heap->is_kept[i] = true;
    }
}

/* Threads first: locals are told by serial numbers, and may come before the thread does. */
fl_status fl_heap_take_roots(fl_heap *heap, fl_error *err)
{
    size_t count = heap->census->root_count;
    size_t most = count > heap->census->count ? count : heap->census->count;
    fl_map *threads = NULL;
    fl_status status = fl_map_create(&threads, UINT32_MAX, err);
    heap->roots = fl_mem_calloc(count, sizeof(*heap->roots));
    heap->held = fl_mem_calloc(count, sizeof(*heap->held));
    heap->root_objects = fl_mem_calloc(most, sizeof(*heap->root_objects));
    if (status == FL_OK &&
        (heap->roots == NULL || heap->held == NULL || heap->root_objects == NULL))
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the roots");
    if (status == FL_OK)
        status = map_threads(heap, threads, err);
    for (size_t i = 0; i < count && status == FL_OK; i++)
        take_root(heap, threads, &heap->census->roots[i]);
    fl_map_destroy(threads);
    if (status != FL_OK)
        return status;
    if (heap->root_object_count == 0)
        let_classes_stand_in(heap);
    if (heap->root_count > 0)
        qsort(heap->roots, heap->root_count, sizeof(*heap->roots), by_object);
    if (heap->held_count > 0)
        qsort(heap->held, heap->held_count, sizeof(*heap->held), by_thread);
    return FL_OK;
}

static uint64_t object_of_root(const void *roots, size_t i)
{
    return ((const fl_heap_root *)roots)[i].object;
}

const fl_heap_root *fl_heap_roots_of(const fl_heap *heap, fl_heap_object object, size_t *count)
{
    size_t low = fl_search_first(heap->roots, heap->root_count, object_of_root, object);
    *count = 0;
    while (low + *count < heap->root_count && heap->roots[low + *count].object == object)
        ++*count;
    return heap->roots + low;
}
