/*
 * sort.h - sorting and selecting by numbers: by digits and by partition, not by calling back.
 */
#ifndef FL_SORT_H
#define FL_SORT_H

#include <stddef.h>
#include <stdint.h>

/* A number to sort by and what it belongs to. */
typedef struct fl_keyed {
    uint64_t key;
    uint32_t index;
    uint32_t group; /* carried along */
} fl_keyed;

/* Stable, rising by key. `room` holds `count` items; what is in it afterwards is unspecified.
 * Cost: one pass for each byte in which the keys differ. */
void fl_sort_keyed(fl_keyed *items, fl_keyed *room, size_t count);

/* Rows are ordered by each of `numbers` (up to the first NULL), then by `compare`, which decides
 * over the whole row and agrees with the numbers. */
enum { FL_MAX_SORT_NUMBERS = 3 };
typedef struct fl_row_order {
    uint64_t (*numbers[FL_MAX_SORT_NUMBERS + 1])(const void *row);
    int (*compare)(const void *a, const void *b);
} fl_row_order;

/* Sort rows of one size, at most FL_MAX_SORT_ROW_BYTES. Where there is no memory for their numbers
 * it takes longer. */
enum { FL_MAX_SORT_ROW_BYTES = 128 };
void fl_sort_rows(void *rows, size_t count, size_t row_size, const fl_row_order *order);

/* Signed numbers as unsigned ones of the same order. */
static inline uint64_t fl_sort_number(int64_t value)
{
    return (uint64_t)value ^ UINT64_C(1) << 63;
}

/* Reorder `values`, none of them NaN, so that the nth smallest is at nth, nothing larger before it
 * and nothing smaller behind it; returns it. */
double fl_select(double *values, size_t count, size_t nth);

#endif
