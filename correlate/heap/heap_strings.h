/*
 * heap_strings.h - texts that a heap holds several times, and the bytes that this costs.
 *
 * Two Strings are equal when their characters are. Those that share one array of characters cost
 * only the String itself; what could go is all Strings of a text but one, and all arrays but one.
 *
 * Memory: 40 bytes a String while it runs. Time: every character once, and a sort by hashes. Texts
 * whose hashes are equal are compared; one that is not equal to the first of its hash counts as the
 * only one of its kind, which takes 2^32 Strings to be likely.
 */
#ifndef FL_HEAP_STRINGS_H
#define FL_HEAP_STRINGS_H

#include "heap.h"

typedef struct fl_heap_text {
    fl_heap_object example; /* the String with the lowest address */
    uint64_t strings, arrays;
    uint64_t lost_bytes;
} fl_heap_text;

typedef struct fl_heap_strings {
    uint64_t strings, texts; /* with characters; distinct */
    uint64_t bytes;          /* of the Strings and their arrays */
    uint64_t lost_bytes;     /* of all texts */
    fl_heap_text *rows;      /* that lose most, the most first */
    size_t row_count;
} fl_heap_strings;

/* At most `top` rows. FL_E_NOMEM. The caller disposes of *out. */
FL_NODISCARD fl_status fl_heap_strings_find(fl_heap_strings *out, const fl_heap *heap, size_t top,
                                            fl_error *err);
void fl_heap_strings_dispose(fl_heap_strings *strings);

#endif
