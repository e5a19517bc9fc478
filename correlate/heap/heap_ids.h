/*
 * heap_ids.h - ids of objects to dense numbers and back, in the order of the ids.
 *
 * Ids are addresses: a bitmap of the range with the count before each 64 places, 16 bytes for 512
 * bytes of heap, about one byte an object. Gaps of the range, such as the free part of a
 * generation, cost nothing: their pages are never written. Where addresses are too far apart for
 * that, the sorted ids, 8 bytes an object.
 */
#ifndef FL_HEAP_IDS_H
#define FL_HEAP_IDS_H

#include <stdatomic.h>

#include "census.h"

typedef struct fl_heap_ids_word {
    _Atomic uint64_t bits; /* threads mark ids at the same time */
    uint32_t before;       /* objects before this word */
} fl_heap_ids_word;

/* Words of a run: 64 KB, some pages. */
enum { FL_HEAP_IDS_RUN = 4096 };

typedef struct fl_heap_ids {
    uint64_t base; /* the smallest id */
    unsigned shift;
    fl_heap_ids_word *words; /* NULL: sorted ids */
    size_t word_count;
    uint32_t *runs; /* objects before each run of words; the words of an empty run have no counts */
    uint64_t *sorted;
    size_t sorted_cap;
    uint32_t count; /* distinct ids; once it was closed */
} fl_heap_ids;

/* What a thread has marked in one word and not yet written there. */
typedef struct fl_heap_ids_pen {
    uint64_t word, bits;
} fl_heap_ids_pen;

/* Room for what a census counted; then each id once or more, then the close. */
FL_NODISCARD fl_status fl_heap_ids_open(fl_heap_ids *ids, const fl_census_totals *totals,
                                        fl_error *err);
/* Sorted ids are added by one thread; a pen begins empty and is lifted in the end. */
void fl_heap_ids_add(fl_heap_ids *ids, fl_heap_ids_pen *pen, uint64_t id);
void fl_heap_ids_lift(fl_heap_ids *ids, fl_heap_ids_pen *pen);
void fl_heap_ids_close(fl_heap_ids *ids);
void fl_heap_ids_dispose(fl_heap_ids *ids);

uint64_t fl_heap_ids_at(const fl_heap_ids *ids, uint32_t object);
/* FL_HEAP_NONE where there is none. */
uint32_t fl_heap_ids_search(const fl_heap_ids *ids, uint64_t id);

static inline uint64_t fl_heap_ids_bits(const fl_heap_ids_word *word)
{
    return atomic_load_explicit(&word->bits, memory_order_relaxed);
}

static inline size_t fl_heap_ids_run_count(const fl_heap_ids *ids)
{
    return (ids->word_count + FL_HEAP_IDS_RUN - 1) / FL_HEAP_IDS_RUN;
}

/* How many bits are set: there is no instruction for it on the oldest of our machines. */
static inline uint32_t fl_heap_ids_ones(uint64_t bits)
{
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)(bits * UINT64_C(0x0101010101010101) >> 56);
}

/* Inline: every reference of a heap is looked up once. */
static inline uint32_t fl_heap_ids_find(const fl_heap_ids *ids, uint64_t id)
{
    if (ids->words == NULL)
        return fl_heap_ids_search(ids, id);
    uint64_t place = (id - ids->base) >> ids->shift;
    if (id < ids->base || place / 64 >= ids->word_count || (id - ids->base) != place << ids->shift)
        return FL_HEAP_NONE;
    const fl_heap_ids_word *word = &ids->words[place / 64];
    uint64_t bit = UINT64_C(1) << (place % 64), bits = fl_heap_ids_bits(word);
    if ((bits & bit) == 0)
        return FL_HEAP_NONE;
    return word->before + fl_heap_ids_ones(bits & (bit - 1));
}

#endif
