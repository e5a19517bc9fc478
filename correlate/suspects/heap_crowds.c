/*
 * heap_crowds.c - one row an object, sorted by name; neighbours that are alike become one group.
 *
 * Classes of one name in several loaders are what redeployed programs and plug-ins leave behind;
 * loaders that the JDK makes for generated code have names of their own, and no twins.
 */
#include "heap_crowds.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "heap_holders.h"
#include "mem.h"
#include "slice.h"

enum { NAME_BYTES = 128 };

/* One thread or loader while they are gathered. */
typedef struct member {
    const char *name, *what;
    fl_heap_object object;
    uint64_t bytes;
    bool has_twin;
} member;

typedef struct members {
    member *rows;
    size_t count, cap;
} members;

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for threads and loaders");
}

/* Twice the room when it is full. */
static bool add(members *all, const member *row)
{
    if (all->count == all->cap) {
        size_t cap = all->cap == 0 ? 64 : 2 * all->cap;
        member *rows = fl_mem_realloc(all->rows, cap, sizeof(*rows));
        if (rows == NULL)
            return false;
        all->rows = rows;
        all->cap = cap;
    }
    all->rows[all->count++] = *row;
    return true;
}

/* No two rows are equal: the object decides last. */
static int by_name(const void *a, const void *b)
{
    const member *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order == 0)
        order = strcmp(x->what, y->what);
    return order != 0 ? order : (x->object > y->object) - (x->object < y->object);
}

/* Neighbours of one name and kind; `by_what`: of loaders the class that they share may differ. */
static fl_status gather(fl_heap_crowds *out, const fl_heap *heap, members *all, bool by_what,
                        fl_arena *arena, fl_error *err)
{
    assert(out->count == 0);
    uint64_t largest = 0;
    out->rows = fl_arena_alloc(arena, all->count + 1, sizeof(*out->rows));
    if (out->rows == NULL)
        return no_memory(err);
    if (all->count > 0)
        qsort(all->rows, all->count, sizeof(*all->rows), by_name);
    for (size_t i = 0; i < all->count; i++) {
        const member *row = &all->rows[i];
        fl_heap_crowd *group = out->count > 0 ? &out->rows[out->count - 1] : NULL;
        if (group == NULL || strcmp(group->name, row->name) != 0 ||
            (by_what && strcmp(group->what, row->what) != 0)) {
            group = &out->rows[out->count++];
            *group = (fl_heap_crowd){.name = row->name, .what = row->what};
            largest = 0;
        }
        group->count++;
        group->bytes += row->bytes;
        group->twins += row->has_twin;
        if (group->what[0] == '\0')
            group->what = row->what;
        if (row->bytes > largest) {
            largest = row->bytes;
            group->holder = fl_heap_holder_text(heap, row->object, arena);
        }
    }
    return FL_OK;
}

/* --- threads --- */

/* "pool-3-thread-17" is one of "pool-#-thread-#". */
static const char *name_of(const fl_heap *heap, fl_heap_object thread, fl_arena *arena)
{
    char text[NAME_BYTES] = "", short_text[NAME_BYTES];
    size_t len = 0;
    fl_heap_object name = fl_heap_follow(heap, thread, "name");
    if (name == FL_HEAP_NONE || !fl_heap_string(heap, name, text, sizeof(text)))
        text[0] = '\0';
    for (const char *at = text; *at != '\0'; at++) {
        bool is_digit = *at >= '0' && *at <= '9';
        if (is_digit && len > 0 && short_text[len - 1] == '#')
            continue;
        short_text[len++] = is_digit ? '#' : *at;
    }
    assert(len < NAME_BYTES);
    short_text[len] = '\0';
    return fl_arena_printf(arena, "%s", short_text);
}

/* The class of what it runs: `target`, since Java 19 in a holder of its own. */
static const char *task_of(const fl_heap *heap, fl_heap_object thread, fl_arena *arena)
{
    fl_heap_object task = fl_heap_follow(heap, thread, "target");
    fl_heap_object holder = fl_heap_follow(heap, thread, "holder");
    if (task == FL_HEAP_NONE && holder != FL_HEAP_NONE)
        task = fl_heap_follow(heap, holder, "task");
    uint32_t index = fl_heap_class_of(heap, task != FL_HEAP_NONE ? task : thread);
    return fl_arena_cstr(arena, fl_heap_class_at(heap, index)->name);
}

/* A thread object that was never started, or has ended, is no root of the kind. */
static bool is_running(const fl_heap *heap, fl_heap_object thread)
{
    size_t count;
    const fl_heap_root *roots = fl_heap_roots_of(heap, thread, &count);
    for (size_t i = 0; i < count; i++)
        if (roots[i].kind == FL_HEAP_ROOT_THREAD)
            return true;
    return false;
}

/* Threads of one task have names that differ in a number. */
static bool add_thread(members *all, const fl_heap *heap, fl_heap_object thread, fl_arena *arena)
{
    const member row = {.name = name_of(heap, thread, arena),
                        .what = task_of(heap, thread, arena),
                        .object = thread,
                        .bytes = fl_heap_retained_bytes(heap, thread)};
    return row.name != NULL && row.what != NULL && add(all, &row);
}

fl_status fl_heap_crowds_of_threads(fl_heap_crowds *out, const fl_heap *heap, fl_arena *arena,
                                    fl_error *err)
{
    assert(out != NULL);
    members all = {0};
    size_t classes = fl_heap_class_count(heap);
    fl_heap_object count = (fl_heap_object)fl_heap_count(heap);
    bool *is_thread = fl_mem_calloc(classes + 1, sizeof(*is_thread));
    bool is_done = is_thread != NULL;
    *out = (fl_heap_crowds){0};
    for (uint32_t i = 0; is_done && i < classes; i++)
        is_thread[i] = fl_heap_is_thread_class(heap, i);
    for (fl_heap_object i = 0; is_done && i < count; i++)
        if (is_thread[fl_heap_class_of(heap, i)] && is_running(heap, i))
            is_done = add_thread(&all, heap, i, arena);
    fl_status status = is_done ? gather(out, heap, &all, true, arena, err) : no_memory(err);
    fl_mem_free(all.rows);
    fl_mem_free(is_thread);
    return status;
}

/* --- loaders --- */

/* A class and its loader, for the order in which namesakes are neighbours. */
typedef struct loaded {
    fl_slice name;
    fl_heap_object loader;
    uint32_t class_index;
    bool has_twin;
} loaded;

/* Namesakes are neighbours, those of one loader as well. */
static int by_class_name(const void *a, const void *b)
{
    const loaded *x = a, *y = b;
    int order = fl_slice_compare(x->name, y->name);
    if (order == 0)
        order = (x->loader > y->loader) - (x->loader < y->loader);
    return order != 0 ? order
                      : (x->class_index > y->class_index) - (x->class_index < y->class_index);
}

/* By loader, and of one loader what has a twin first. */
static int by_loader(const void *a, const void *b)
{
    const loaded *x = a, *y = b;
    if (x->loader != y->loader)
        return x->loader < y->loader ? -1 : 1;
    if (x->has_twin != y->has_twin)
        return x->has_twin ? -1 : 1;
    return fl_slice_compare(x->name, y->name);
}

/* Classes that are still reached and were loaded by a loader; of how many there is the name of
 * another one in a second loader. */
static size_t list_loaded(loaded *rows, const fl_heap *heap)
{
    size_t count = 0;
    for (uint32_t i = 0; i < fl_heap_class_count(heap); i++) {
        const fl_heap_class *class = fl_heap_class_at(heap, i);
        if (class->loader != FL_HEAP_NONE && class->object != FL_HEAP_NONE && !class->is_array &&
            fl_heap_is_reached(heap, class->object))
            rows[count++] = (loaded){class->name, class->loader, i, false};
    }
    if (count > 0)
        qsort(rows, count, sizeof(*rows), by_class_name);
    for (size_t i = 1; i < count; i++)
        if (fl_slice_equal(rows[i].name, rows[i - 1].name) && rows[i].loader != rows[i - 1].loader)
            rows[i].has_twin = rows[i - 1].has_twin = true;
    if (count > 0)
        qsort(rows, count, sizeof(*rows), by_loader);
    return count;
}

fl_status fl_heap_crowds_of_loaders(fl_heap_crowds *out, const fl_heap *heap, fl_arena *arena,
                                    fl_error *err)
{
    assert(out != NULL);
    members all = {0};
    loaded *rows = fl_mem_calloc(fl_heap_class_count(heap) + 1, sizeof(*rows));
    bool is_done = rows != NULL;
    *out = (fl_heap_crowds){0};
    size_t count = is_done ? list_loaded(rows, heap) : 0;
    for (size_t i = 0; is_done && i < count; i++) {
        if (i > 0 && rows[i].loader == rows[i - 1].loader)
            continue;
        uint32_t index = fl_heap_class_of(heap, rows[i].loader);
        const member row = {
            .name = fl_arena_cstr(arena, fl_heap_class_at(heap, index)->name),
            .what = fl_arena_cstr(arena, rows[i].has_twin ? rows[i].name : FL_SLICE("")),
            .object = rows[i].loader,
            .bytes = fl_heap_retained_bytes(heap, rows[i].loader),
            .has_twin = rows[i].has_twin};
        is_done = row.name != NULL && row.what != NULL && add(&all, &row);
    }
    fl_status status = is_done ? gather(out, heap, &all, false, arena, err) : no_memory(err);
    fl_mem_free(all.rows);
    fl_mem_free(rows);
    return status;
}
