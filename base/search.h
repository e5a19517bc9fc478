/*
 * search.h - where a number stands in rows that rise by it.
 *
 * Inline: with a key function that the compiler sees, the call is gone and what is left is the loop
 * that each caller would write.
 */
#ifndef FL_SEARCH_H
#define FL_SEARCH_H

#include <stddef.h>
#include <stdint.h>

/* The number by which the rows rise, of row `i`. */
typedef uint64_t fl_search_key(const void *rows, size_t i);

/* The first row whose number is at least `wanted`; `count` if there is none. Of equal ones the
 * first. Time: log2(count) calls. `rows` may be NULL where count is 0. */
static inline size_t fl_search_first(const void *rows, size_t count, fl_search_key *key_of,
                                     uint64_t wanted)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2; /* their sum could wrap around */
        if (key_of(rows, middle) < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#endif
