/*
 * heap_ids.c - the bitmap and its counts, and the sorted ids where that would be too large.
 */
#include "heap_ids.h"

#include <assert.h>
#include <stdlib.h>

#include "mem.h"
#include "search.h"

/* A bitmap may have so many bytes an object before sorted ids, which are 8, are better. Small ones,
 * 8 MiB for 256 MiB of heap, are always good: a bit is looked at where a list takes some 20 steps,
 * and their gaps are never written. */
enum { MAP_BYTES_AN_OBJECT = 8, SMALL_MAP_WORDS = 1 << 19 };

/* HotSpot's objects begin at multiples of 8, others' may not. */
static unsigned alignment_of(uint64_t id_bits)
{
    unsigned shift = 0;
    while (shift < 3 && (id_bits >> shift & 1) == 0)
        shift++;
    return shift;
}

/* A hostile dump with two objects at both ends of memory must not cost a bitmap of all of it. */
fl_status fl_heap_ids_open(fl_heap_ids *ids, const fl_census_totals *totals, fl_error *err)
{
    *ids = (fl_heap_ids){.base = totals->min_id, .shift = alignment_of(totals->id_bits)};
    if (totals->objects > FL_MAX_HEAP_OBJECTS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "the heap dump has more than %u objects",
                       FL_MAX_HEAP_OBJECTS);
    uint64_t words = ((totals->max_id - totals->min_id) >> ids->shift) / 64 + 1;
    uint64_t most = totals->objects * MAP_BYTES_AN_OBJECT / sizeof(fl_heap_ids_word);
    if (words <= SMALL_MAP_WORDS || words <= most) {
        ids->word_count = (size_t)words;
        ids->words = fl_mem_calloc(ids->word_count, sizeof(*ids->words));
        fl_mem_expect_fill(ids->words, ids->word_count * sizeof(*ids->words));
        ids->runs = fl_mem_calloc(fl_heap_ids_run_count(ids), sizeof(*ids->runs));
    } else {
        ids->sorted_cap = (size_t)totals->objects;
        ids->sorted = fl_mem_calloc(ids->sorted_cap, sizeof(*ids->sorted));
    }
    if (ids->sorted == NULL && (ids->words == NULL || ids->runs == NULL))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the objects' ids");
    return FL_OK;
}

void fl_heap_ids_lift(fl_heap_ids *ids, fl_heap_ids_pen *pen)
{
    assert(ids->words == NULL || pen->word < ids->word_count);
    if (pen->bits != 0)
        atomic_fetch_or_explicit(&ids->words[pen->word].bits, pen->bits, memory_order_relaxed);
    pen->bits = 0;
}

/* Neighbours in a dump are neighbours in memory: a word is written once for some ten objects. */
void fl_heap_ids_add(fl_heap_ids *ids, fl_heap_ids_pen *pen, uint64_t id)
{
    assert(id >= ids->base);
    if (ids->words == NULL) {
        assert(ids->count < ids->sorted_cap);
        ids->sorted[ids->count++] = id;
        return;
    }
    uint64_t place = (id - ids->base) >> ids->shift;
    if (place / 64 != pen->word) {
        fl_heap_ids_lift(ids, pen);
        pen->word = place / 64;
    }
    pen->bits |= UINT64_C(1) << (place % 64);
}

static int by_id(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* The same id twice is one object. */
static void close_sorted(fl_heap_ids *ids)
{
    uint32_t kept = 0;
    if (ids->count > 0)
        qsort(ids->sorted, ids->count, sizeof(*ids->sorted), by_id);
    for (uint32_t i = 0; i < ids->count; i++)
        if (i == 0 || ids->sorted[i] != ids->sorted[kept - 1])
            ids->sorted[kept++] = ids->sorted[i];
    ids->count = kept;
}

static bool is_empty(const fl_heap_ids *ids, size_t from, size_t to)
{
    while (from < to && fl_heap_ids_bits(&ids->words[from]) == 0)
        from++;
    return from == to;
}

void fl_heap_ids_close(fl_heap_ids *ids)
{
    if (ids->words == NULL) {
        close_sorted(ids);
        return;
    }
    ids->count = 0;
    for (size_t from = 0; from < ids->word_count; from += FL_HEAP_IDS_RUN) {
        size_t to =
            ids->word_count - from < FL_HEAP_IDS_RUN ? ids->word_count : from + FL_HEAP_IDS_RUN;
        ids->runs[from / FL_HEAP_IDS_RUN] = ids->count;
        if (is_empty(ids, from, to))
            continue;
        for (size_t i = from; i < to; i++) {
            ids->words[i].before = ids->count;
            ids->count += fl_heap_ids_ones(fl_heap_ids_bits(&ids->words[i]));
        }
    }
}

void fl_heap_ids_dispose(fl_heap_ids *ids)
{
    fl_mem_free(ids->words);
    fl_mem_free(ids->runs);
    fl_mem_free(ids->sorted);
    *ids = (fl_heap_ids){0};
}

/* The last run, then the last word, before which there are no more objects; then the bit. */
static uint64_t mapped_at(const fl_heap_ids *ids, uint32_t object)
{
    size_t low = 0, high = fl_heap_ids_run_count(ids);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (ids->runs[middle] <= object)
            low = middle;
        else
            high = middle;
    }
    low *= FL_HEAP_IDS_RUN;
    high = ids->word_count - low < FL_HEAP_IDS_RUN ? ids->word_count : low + FL_HEAP_IDS_RUN;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (ids->words[middle].before <= object)
            low = middle;
        else
            high = middle;
    }
    uint64_t bits = fl_heap_ids_bits(&ids->words[low]);
    for (uint32_t rest = object - ids->words[low].before; rest > 0; rest--)
        bits &= bits - 1;
    assert(bits != 0);
    uint64_t place = (uint64_t)low * 64 + fl_heap_ids_ones((bits & (~bits + 1)) - 1);
    return ids->base + (place << ids->shift);
}

uint64_t fl_heap_ids_at(const fl_heap_ids *ids, uint32_t object)
{
    assert(object < ids->count);
    return ids->words != NULL ? mapped_at(ids, object) : ids->sorted[object];
}

static uint64_t id_at(const void *sorted, size_t i)
{
    return ((const uint64_t *)sorted)[i];
}

uint32_t fl_heap_ids_search(const fl_heap_ids *ids, uint64_t id)
{
    size_t low = fl_search_first(ids->sorted, ids->count, id_at, id);
    return low < ids->count && ids->sorted[low] == id ? (uint32_t)low : FL_HEAP_NONE;
}
