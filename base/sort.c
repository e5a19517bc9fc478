/*
 * sort.c - radix sort by bytes, least significant first (Knuth, TAOCP 3, 5.2.5); selection by
 * partition around the median of three (Hoare, CACM 1961), which sorts what is left when it makes
 * no headway.
 *
 * Rows are not moved while they are sorted: their numbers are, one after the other. Items whose
 * numbers were equal so far are a run, and share `group`, the place of the run's first item.
 */
#include "sort.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { BYTES = 8, BYTE_VALUES = 256, FEW_ITEMS = 40, FEW_VALUES = 24, SCOUT_STEPS = 8 };

static void insert_items(fl_keyed *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        fl_keyed held = items[i];
        size_t at = i;
        for (; at > 0 && items[at - 1].key > held.key; at--)
            items[at] = items[at - 1];
        items[at] = held;
    }
}

/* One pass: items by one byte of their keys into `out`. `counts` of its values become places. */
static void distribute(fl_keyed *out, const fl_keyed *items, size_t count, unsigned shift,
                       uint32_t *counts)
{
    uint32_t at = 0;
    for (size_t v = 0; v < BYTE_VALUES; v++) {
        uint32_t here = counts[v];
        counts[v] = at;
        at += here;
    }
    for (size_t i = 0; i < count; i++)
        out[counts[items[i].key >> shift & 0xFF]++] = items[i];
}

void fl_sort_keyed(fl_keyed *items, fl_keyed *room, size_t count)
{
    assert(count <= UINT32_MAX);
    if (count <= FEW_ITEMS) {
        insert_items(items, count);
        return;
    }
    uint32_t counts[BYTES][BYTE_VALUES] = {0};
    for (size_t i = 0; i < count; i++)
        for (unsigned byte = 0; byte < BYTES; byte++)
            counts[byte][items[i].key >> 8 * byte & 0xFF]++;
    fl_keyed *from = items, *to = room;
    for (unsigned byte = 0; byte < BYTES; byte++) {
        if (counts[byte][from[0].key >> 8 * byte & 0xFF] == count)
            continue; /* the same in all */
        distribute(to, from, count, 8 * byte, counts[byte]);
        fl_keyed *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != items)
        memcpy(items, from, count * sizeof(*items));
}

/* ---- rows ---- */

struct sorter {
    unsigned char *rows;
    size_t count, row_size;
    fl_keyed *items, *room;
};

static size_t run_end(const struct sorter *s, size_t first)
{
    size_t end = first + 1;
    while (end < s->count && s->items[end].group == s->items[first].group)
        end++;
    return end;
}

/* Sort one run by a number of its rows, and split it where that differs. */
static void split_run(struct sorter *s, size_t first, size_t end,
                      uint64_t (*number)(const void *row))
{
    assert(first < end && end <= s->count);
    fl_keyed *run = s->items + first;
    size_t count = end - first, start = 0;
    bool in_order = true;
    for (size_t i = 0; i < count; i++) {
        run[i].key = number(s->rows + run[i].index * s->row_size);
        in_order &= i == 0 || run[i - 1].key <= run[i].key;
    }
    if (!in_order)
        fl_sort_keyed(run, s->room, count);
    for (size_t i = 0; i < count; i++) {
        if (run[i].key != run[start].key)
            start = i;
        run[i].group = (uint32_t)(first + start);
    }
}

static void fetch(const struct sorter *s, size_t row)
{
    __builtin_prefetch(s->rows + row * s->row_size, 1);
    __builtin_prefetch(s->rows + (row + 1) * s->row_size - 1, 1);
}

/* rows[i] becomes what was rows[items[i].index], along the permutation's cycles. Rows are far
 * apart: a scout goes ahead on the cycle and has them fetched, which makes it four times as fast.
 */
static void permute(struct sorter *s)
{
    unsigned char held[FL_MAX_SORT_ROW_BYTES];
    uint32_t *from = (uint32_t *)s->room; /* no longer needed for the items */
    for (size_t i = 0; i < s->count; i++)
        from[i] = s->items[i].index;
    for (size_t i = 0; i < s->count; i++) {
        size_t to = i, scout = i;
        if (from[i] == i)
            continue;
        for (size_t step = 0; step < SCOUT_STEPS; step++)
            fetch(s, scout = from[scout]);
        memcpy(held, s->rows + i * s->row_size, s->row_size);
        while (from[to] != i) {
            fetch(s, scout = from[scout]);
            memcpy(s->rows + to * s->row_size, s->rows + from[to] * s->row_size, s->row_size);
            size_t next = from[to];
            from[to] = (uint32_t)to; /* done */
            to = next;
        }
        memcpy(s->rows + to * s->row_size, held, s->row_size);
        from[to] = (uint32_t)to;
    }
}

static void compare_run(struct sorter *s, size_t first, size_t end,
                        int (*compare)(const void *, const void *))
{
    unsigned char *rows = s->rows + first * s->row_size;
    for (size_t i = 1; i < end - first; i++)
        if (compare(rows + (i - 1) * s->row_size, rows + i * s->row_size) > 0) {
            qsort(rows, end - first, s->row_size, compare);
            return;
        }
}

void fl_sort_rows(void *rows, size_t count, size_t row_size, const fl_row_order *order)
{
    assert(row_size > 0 && row_size <= FL_MAX_SORT_ROW_BYTES && order->compare != NULL);
    struct sorter s = {.rows = rows, .count = count, .row_size = row_size};
    if (count < 2)
        return;
    s.items = count <= UINT32_MAX ? fl_mem_alloc(2 * count * sizeof(*s.items)) : NULL;
    if (s.items == NULL) {
        qsort(rows, count, row_size, order->compare);
        return;
    }
    s.room = s.items + count;
    for (size_t i = 0; i < count; i++)
        s.items[i] = (fl_keyed){.index = (uint32_t)i};
    for (size_t n = 0; order->numbers[n] != NULL; n++)
        for (size_t first = 0, end; first < count; first = end) {
            end = run_end(&s, first);
            if (end - first > 1)
                split_run(&s, first, end, order->numbers[n]);
        }
    permute(&s);
    for (size_t first = 0, end; first < count; first = end) {
        end = run_end(&s, first);
        compare_run(&s, first, end, order->compare);
    }
    fl_mem_free(s.items);
}

/* ---- selection ---- */

static void insert_values(double *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        double held = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > held; at--)
            values[at] = values[at - 1];
        values[at] = held;
    }
}

static int compare_values(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median_of_three(double a, double b, double c)
{
    double low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* Divide into values that are at most the pivot and values that are at least it. Returns where the
 * second part begins: neither is empty, for the pivot is one of several values. */
static size_t divide(double *values, size_t count)
{
    assert(count >= 3);
    double pivot = median_of_three(values[0], values[count / 2], values[count - 1]);
    size_t i = 0, j = count - 1;
    for (;;) {
        while (values[i] < pivot)
            i++;
        while (values[j] > pivot)
            j--;
        if (i >= j)
            return i;
        double held = values[i];
        values[i++] = values[j];
        values[j--] = held;
    }
}

double fl_select(double *values, size_t count, size_t nth)
{
    assert(nth < count);
    size_t place = nth;
    unsigned rounds = 0;
    for (size_t rest = count; rest > 0; rest /= 2)
        rounds += 2; /* twice what halving would need */
    for (; count > FEW_VALUES; rounds--) {
        if (rounds == 0) {
            qsort(values, count, sizeof(*values), compare_values);
            return values[place];
        }
        size_t cut = divide(values, count);
        if (place < cut) {
            count = cut;
        } else {
            values += cut;
            count -= cut;
            place -= cut;
        }
    }
    insert_values(values, count);
    return values[place];
}
