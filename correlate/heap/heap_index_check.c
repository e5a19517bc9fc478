/*
 * heap_index_check.c - the passes over arrays of an index.
 */
#include "heap_index_check.h"

#include <assert.h>

#include "dominators.h"

/* The words of a run without objects have no counts. */
static bool run_is_sound(const fl_heap_ids *ids, size_t run, uint64_t *before)
{
    size_t from = run * FL_HEAP_IDS_RUN, to = from + FL_HEAP_IDS_RUN;
    uint64_t any = 0, first = *before;
    unsigned wrong = 0;
    to = to < ids->word_count ? to : ids->word_count;
    for (size_t i = from; i < to; i++) {
        uint64_t bits = fl_heap_ids_bits(&ids->words[i]);
        any |= bits;
        wrong |= ids->words[i].before != *before;
        *before += fl_heap_ids_ones(bits);
    }
    return ids->runs[run] == first && (wrong == 0 || any == 0);
}

static bool words_are_sound(const fl_heap_ids *ids)
{
    uint64_t before = 0;
    for (size_t i = 0; i < fl_heap_ids_run_count(ids); i++)
        if (!run_is_sound(ids, i, &before))
            return false;
    return before == ids->count;
}

bool fl_heap_ids_are_sound(const fl_heap_ids *ids)
{
    if (ids->shift > 3 || ids->count > FL_MAX_HEAP_OBJECTS)
        return false;
    if (ids->words != NULL)
        return words_are_sound(ids);
    for (uint32_t i = 1; i < ids->count; i++)
        if (ids->sorted[i - 1] >= ids->sorted[i])
            return false;
    return true;
}

/* No way out of the loop, so that several are compared at once. */
bool fl_heap_classes_are_sound(const fl_heap *heap)
{
    const uint32_t *class_of = heap->class_of;
    uint32_t most = 0;
    for (size_t i = 0; i < heap->ids.count; i++)
        most = class_of[i] > most ? class_of[i] : most;
    return heap->ids.count == 0 || most < heap->census->count;
}

/* Ascending, from nothing to all of the kids. */
static bool starts_are_sound(const uint32_t *starts, size_t count, size_t kid_count)
{
    unsigned descents = 0;
    for (size_t i = 0; i <= count; i++)
        descents |= starts[i] > starts[i + 1];
    return descents == 0 && starts[0] == 0 && starts[count + 1] == kid_count;
}

static size_t count_reached(const uint32_t *idom, size_t count)
{
    size_t reached = 0;
    for (size_t i = 0; i < count; i++)
        reached += idom[i] != FL_DOM_NOTHING;
    return reached;
}

/* The list of one object, ascending: nobody is in it twice. */
static inline bool list_is_sound(const fl_heap *heap, size_t place, uint32_t dominator)
{
    const uint32_t *kids = heap->kids;
    uint64_t above = dominator == FL_DOM_ROOT ? UINT64_MAX : fl_heap_kept_bytes(heap, dominator);
    uint32_t from = heap->kid_starts[place], to = heap->kid_starts[place + 1];
    for (uint32_t i = from; i < to; i++) {
        if (kids[i] >= heap->ids.count || (i > from && kids[i] <= kids[i - 1]) ||
            heap->idom[kids[i]] != dominator || fl_heap_kept_bytes(heap, kids[i]) >= above)
            return false;
    }
    return true;
}

/* As many kids as reached objects, each in the list of its one dominator and once in that: so each
 * is in exactly one list. */
bool fl_heap_tree_is_sound(const fl_heap *heap, size_t kid_count)
{
    uint32_t count = heap->ids.count;
    assert(heap->idom != NULL && heap->kid_starts != NULL);
    assert(heap->retained != NULL || heap->retained_wide != NULL);
    if (!starts_are_sound(heap->kid_starts, count, kid_count) ||
        count_reached(heap->idom, count) != kid_count)
        return false;
    for (uint32_t o = 0; o < count; o++)
        if (!list_is_sound(heap, o, o))
            return false;
    return list_is_sound(heap, count, FL_DOM_ROOT);
}
