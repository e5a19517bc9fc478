/*
 * heap_paths.c - rows from the whole heap downwards, one level after the other.
 *
 * A row that waits has the list of those of its objects that dominate something; the lists of all
 * rows that wait have each object once at most. A row is worked on once: what its objects dominate
 * is summed up by class, and what is heavy becomes a row, which takes the list of its class over.
 * Chains of alternating classes end at MAX_DEPTH. Each object is looked at once, in the order in
 * which its dominators were.
 */
#include "heap_paths.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "faultline/limits.h"
#include "heap_holders.h"
#include "heap_priv.h"
#include "mem.h"
#include "slice.h"

enum { MAX_DEPTH = 64, MAX_ROWS = 1 << 20 };

typedef struct waiting {
    uint32_t *objects;
    size_t count, cap;
} waiting;

/* What the objects of one row dominate, of one class. */
typedef struct tally {
    uint64_t bytes, objects;
    uint64_t most_bytes; /* of the first that retains most */
    fl_heap_object largest;
    uint32_t row; /* that it became; FL_HEAP_NONE: none */
    waiting list;
} tally;

struct fl_heap_paths {
    fl_heap_path *rows;
    waiting *lists; /* [row] */
    size_t count, cap, lists_cap;
    tally *tallies; /* [class]; empty but for those of the row that is worked on */
    size_t classes;
    uint32_t *touched;
    size_t touched_count;
    uint64_t least_bytes;
    fl_arena arena;
};

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the paths of the heap");
}

static bool put_object(waiting *list, uint32_t object)
{
    if (list->count == list->cap) {
        uint32_t *grown =
            fl_census_grow(list->objects, list->count, &list->cap, sizeof(*list->objects));
        if (grown == NULL)
            return false;
        fl_mem_expect_fill(grown, list->cap * sizeof(*grown));
        list->objects = grown;
    }
    list->objects[list->count++] = object;
    return true;
}

/* Returns the row, FL_HEAP_NONE without memory. */
static uint32_t add_row(fl_heap_paths *paths, const fl_heap_path *row)
{
    fl_heap_path *rows = paths->count < MAX_ROWS
                             ? fl_census_grow(paths->rows, paths->count, &paths->cap, sizeof(*rows))
                             : NULL;
    if (rows == NULL || row->label == NULL)
        return FL_HEAP_NONE;
    paths->rows = rows;
    waiting *lists = fl_census_grow(paths->lists, paths->count, &paths->lists_cap, sizeof(*lists));
    if (lists == NULL)
        return FL_HEAP_NONE;
    paths->lists = lists;
    rows[paths->count] = *row;
    lists[paths->count] = (waiting){0};
    return (uint32_t)paths->count++;
}

/* --- labels --- */

static const char *class_label(fl_heap_paths *paths, const fl_heap *heap, uint32_t index,
                               const char *before)
{
    return fl_arena_printf(&paths->arena, "%s%.*s", before,
                           FL_SLICE_ARG(fl_heap_class_at(heap, index)->name));
}

/* An entry of a thread's map refers weakly to the ThreadLocal that it is a value of: the static
 * that has that one names it better than the thread does. */
static void name_thread_local(fl_heap_paths *paths, const fl_heap *heap, fl_heap_path *row)
{
    static const fl_slice entry = FL_SLICE_INIT("java.lang.ThreadLocal$ThreadLocalMap$Entry");
    if (row->class_index == FL_HEAP_NONE || row->largest == FL_HEAP_NONE ||
        !fl_slice_equal(fl_heap_class_at(heap, row->class_index)->name, entry))
        return;
    fl_heap_object local = fl_heap_follow(heap, row->largest, "referent");
    for (uint32_t i = 0; i < fl_heap_class_count(heap) && local != FL_HEAP_NONE; i++) {
        const fl_heap_member *field = fl_heap_static_of(heap, i, local);
        if (field == NULL)
            continue;
        row->holder = fl_heap_member_text(heap, i, field, &paths->arena);
        return;
    }
}

/* A class object, or what a class keeps: one object a row. */
static bool add_single(fl_heap_paths *paths, const fl_heap *heap, uint32_t parent,
                       fl_heap_object object)
{
    const fl_heap_path above = paths->rows[parent];
    uint32_t meant = fl_heap_class_meant(heap, object);
    fl_heap_path row = {.parent = parent,
                        .depth = above.depth + 1,
                        .class_index = fl_heap_class_of(heap, object),
                        .meant = meant,
                        .objects = 1,
                        .retained_bytes = fl_heap_retained_bytes(heap, object),
                        .largest = object};
    const fl_heap_member *field = NULL;
    if (above.meant != FL_HEAP_NONE && meant == FL_HEAP_NONE)
        field = fl_heap_static_of(heap, above.meant, object);
    if (meant != FL_HEAP_NONE)
        row.label = class_label(paths, heap, meant, "class ");
    else if (field != NULL) {
        const char *before = fl_arena_printf(&paths->arena, ".%.*s ", FL_SLICE_ARG(field->name));
        row.holder = fl_heap_member_text(heap, above.meant, field, &paths->arena);
        if (before != NULL && row.holder != NULL)
            row.label = class_label(paths, heap, row.class_index, before);
    } else
        row.label = class_label(paths, heap, row.class_index, "");
    uint32_t made = add_row(paths, &row);
    return made != FL_HEAP_NONE && put_object(&paths->lists[made], object);
}

/* --- one row --- */

/* Classes, and what a static of a class refers to. What several statics keep together is summed up
 * like anything else. */
static inline bool is_single(const fl_heap *heap, const fl_heap_path *row, fl_heap_object kid)
{
    if (heap->class_of[kid] == heap->class_class && fl_heap_class_meant(heap, kid) != FL_HEAP_NONE)
        return true;
    return row->meant != FL_HEAP_NONE && fl_heap_static_of(heap, row->meant, kid) != NULL;
}

static inline bool count_kid(fl_heap_paths *paths, const fl_heap *heap, fl_heap_object kid)
{
    uint32_t index = heap->class_of[kid];
    uint64_t bytes = fl_heap_kept_bytes(heap, kid);
    tally *sum = &paths->tallies[index];
    if (sum->objects == 0)
        paths->touched[paths->touched_count++] = index;
    if (sum->objects++ == 0 || bytes > sum->most_bytes) {
        sum->most_bytes = bytes;
        sum->largest = kid;
    }
    sum->bytes += bytes;
    return !fl_heap_dominates(heap, kid) || put_object(&sum->list, kid);
}

/* What one object of the row dominates, or the roots with the number behind the last object: more
 * of the same, rows of their own, or sums by class. */
static bool count_kids(fl_heap_paths *paths, const fl_heap *heap, uint32_t row, size_t place)
{
    uint32_t end = heap->kid_starts[place + 1];
    for (uint32_t i = heap->kid_starts[place]; i < end; i++) {
        const fl_heap_object kid = heap->kids[i];
        fl_heap_path *here = &paths->rows[row];
        bool ok = true;
        if (is_single(heap, here, kid))
            ok = fl_heap_kept_bytes(heap, kid) < paths->least_bytes ||
                 add_single(paths, heap, row, kid);
        else if (heap->class_of[kid] == here->class_index) {
            here->objects++;
            ok = !fl_heap_dominates(heap, kid) || put_object(&paths->lists[row], kid);
        } else
            ok = count_kid(paths, heap, kid);
        if (!ok)
            return false;
    }
    return true;
}

/* Heavy sums become rows, in the order of their first object. */
static bool make_rows(fl_heap_paths *paths, const fl_heap *heap, uint32_t parent)
{
    uint32_t depth = paths->rows[parent].depth + 1;
    for (size_t i = 0; i < paths->touched_count; i++) {
        tally *sum = &paths->tallies[paths->touched[i]];
        sum->row = FL_HEAP_NONE;
        if (sum->bytes < paths->least_bytes)
            continue;
        fl_heap_path row = {.parent = parent,
                            .depth = depth,
                            .label = class_label(paths, heap, paths->touched[i], ""),
                            .class_index = paths->touched[i],
                            .meant = FL_HEAP_NONE,
                            .objects = sum->objects,
                            .retained_bytes = sum->bytes,
                            .largest = sum->largest};
        sum->row = add_row(paths, &row);
        if (sum->row == FL_HEAP_NONE)
            return false;
        paths->lists[sum->row] = sum->list;
        sum->list = (waiting){0};
    }
    return true;
}

static void name_made(fl_heap_paths *paths, const fl_heap *heap, fl_heap_path *row)
{
    assert(row->largest != FL_HEAP_NONE);
    fl_heap_object above = fl_heap_idom(heap, row->largest);
    row->is_thread = fl_heap_is_thread_class(heap, row->class_index);
    name_thread_local(paths, heap, row);
    if (above != FL_HEAP_NONE)
        row->field = fl_heap_field_text(heap, above, row->largest, &paths->arena);
}

static bool expand(fl_heap_paths *paths, const fl_heap *heap, uint32_t row)
{
    bool ok = true;
    if (paths->rows[row].depth >= MAX_DEPTH || heap->kids == NULL)
        return true;
    paths->touched_count = 0;
    if (row == 0)
        ok = count_kids(paths, heap, row, heap->ids.count);
    for (size_t i = 0; i < paths->lists[row].count && ok; i++)
        ok = count_kids(paths, heap, row, paths->lists[row].objects[i]);
    ok = ok && make_rows(paths, heap, row);
    for (size_t i = 0; i < paths->touched_count && ok; i++) {
        tally *sum = &paths->tallies[paths->touched[i]];
        if (sum->row != FL_HEAP_NONE)
            name_made(paths, heap, &paths->rows[sum->row]);
        fl_mem_free(sum->list.objects);
        *sum = (tally){0};
    }
    return ok;
}

/* --- the whole --- */

static bool expand_all(fl_heap_paths *paths, const fl_heap *heap)
{
    fl_heap_path whole = {.parent = FL_HEAP_NONE,
                          .label = "the heap",
                          .class_index = FL_HEAP_NONE,
                          .meant = FL_HEAP_NONE,
                          .largest = FL_HEAP_NONE};
    for (uint32_t i = 0; i < fl_heap_class_count(heap); i++) {
        whole.objects += fl_heap_class_at(heap, i)->reached;
        whole.retained_bytes += fl_heap_class_at(heap, i)->reached_bytes;
    }
    bool ok = add_row(paths, &whole) != FL_HEAP_NONE;
    for (uint32_t row = 0; row < paths->count && ok; row++) {
        ok = expand(paths, heap, row);
        fl_mem_free(paths->lists[row].objects);
        paths->lists[row] = (waiting){0};
    }
    return ok;
}

fl_status fl_heap_paths_create(fl_heap_paths **out, const fl_heap *heap, uint64_t least_bytes,
                               fl_error *err)
{
    assert(least_bytes > 0);
    fl_heap_paths *paths = fl_mem_calloc(1, sizeof(*paths));
    *out = NULL;
    if (paths == NULL)
        return no_memory(err);
    paths->least_bytes = least_bytes;
    paths->arena = fl_arena_of(FL_MAX_HEAP_TEXT_BYTES);
    paths->classes = fl_heap_class_count(heap);
    paths->tallies = fl_mem_calloc(paths->classes, sizeof(*paths->tallies));
    paths->touched = fl_mem_calloc(paths->classes, sizeof(*paths->touched));
    if (paths->tallies == NULL || paths->touched == NULL || !expand_all(paths, heap)) {
        fl_heap_paths_destroy(paths);
        return no_memory(err);
    }
    *out = paths;
    return FL_OK;
}

void fl_heap_paths_destroy(fl_heap_paths *paths)
{
    if (paths == NULL)
        return;
    for (size_t i = 0; i < paths->count; i++)
        fl_mem_free(paths->lists[i].objects);
    for (size_t i = 0; i < paths->classes && paths->tallies != NULL; i++)
        fl_mem_free(paths->tallies[i].list.objects);
    fl_mem_free(paths->rows);
    fl_mem_free(paths->lists);
    fl_mem_free(paths->tallies);
    fl_mem_free(paths->touched);
    fl_arena_dispose(&paths->arena);
    fl_mem_free(paths);
}

size_t fl_heap_paths_count(const fl_heap_paths *paths)
{
    return paths->count;
}

const fl_heap_path *fl_heap_paths_at(const fl_heap_paths *paths, size_t row)
{
    assert(row < paths->count);
    return &paths->rows[row];
}

/* Children stand behind their parents: one pass downwards. */
size_t fl_heap_paths_descend(const fl_heap_paths *paths, size_t row)
{
    for (size_t i = row + 1; i < paths->count; i++) {
        const fl_heap_path *below = &paths->rows[i];
        if (below->parent == row &&
            (double)below->retained_bytes >=
                FL_HEAP_PATHS_DROP * (double)paths->rows[row].retained_bytes)
            row = i;
    }
    return row;
}

/* Whether the row is a loader, or the list in which a loader has its classes. */
static bool is_loading(const fl_heap_paths *paths, const fl_heap *heap, uint32_t row)
{
    for (int up = 0; up < 3 && paths->rows[row].depth > 0; up++) {
        if (fl_heap_is_loader_class(heap, paths->rows[row].class_index))
            return true;
        row = paths->rows[row].parent;
    }
    return false;
}

/* Whether a row is the first below the roots or a loader's list, and nobody's by name. */
static bool is_unclaimed(const fl_heap_paths *paths, const fl_heap *heap, uint32_t row)
{
    const fl_heap_path *here = &paths->rows[row];
    if (here->meant != FL_HEAP_NONE || here->holder != NULL || here->is_thread ||
        is_loading(paths, heap, row))
        return false;
    return here->depth == 1 ||
           (here->depth > 1 && here->field == NULL && is_loading(paths, heap, here->parent));
}

fl_status fl_heap_paths_search_holders(fl_heap_paths *paths, fl_heap *heap, uint64_t least_bytes,
                                       fl_error *err)
{
    fl_status status = FL_OK;
    for (uint32_t row = 1; row < paths->count && status == FL_OK; row++) {
        fl_heap_path *here = &paths->rows[row];
        if (here->retained_bytes < least_bytes || !is_unclaimed(paths, heap, row))
            continue;
        status = fl_heap_index_inbound(heap, err);
        if (status == FL_OK)
            status = fl_heap_holder_search(&here->holder, heap, here->largest, &paths->arena, err);
    }
    return status;
}

const char *fl_heap_paths_holder(const fl_heap_paths *paths, size_t row)
{
    const char *nearest = paths->rows[row].label, *field = NULL;
    for (size_t at = row; at != FL_HEAP_NONE; at = paths->rows[at].parent) {
        const fl_heap_path *here = &paths->rows[at];
        if (here->holder != NULL)
            return here->holder;
        if (here->field != NULL)
            field = here->field;
        if (here->depth > 0)
            nearest = here->label;
    }
    return field != NULL ? field : nearest;
}
