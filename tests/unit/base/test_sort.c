#include "sort.h"

#include <stdbool.h>

#include "fl_test.h"
#include "hash.h"
#include "mem.h"

enum { MOST = 5000 };

static uint64_t state;

static uint64_t noise(void)
{
    state = fl_hash_mix(state + 0x9e3779b97f4a7c15u);
    return state;
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
}

static const size_t counts[] = {0, 1, 2, 3, 23, 24, 25, 39, 40, 41, 42, 100, 256, 1000, MOST};
enum { COUNTS = sizeof(counts) / sizeof(counts[0]), SHAPES = 7 };

/* Numbers as input may hold them: all over, few, in one byte, equal, in order, against it, nearly
 * in order. */
static uint64_t number_of(int shape, size_t i, size_t count)
{
    switch (shape) {
    case 0:
        return noise();
    case 1:
        return noise() % 3;
    case 2:
        return (noise() & 0xFF) << 40;
    case 3:
        return UINT64_MAX;
    case 4:
        return i;
    case 5:
        return count - i;
    default:
        return i + noise() % 5;
    }
}

/* ---- keyed items ---- */

START_TEST(items_rise_by_key_and_equal_ones_keep_their_order)
{
    static fl_keyed items[MOST], room[MOST];
    for (size_t c = 0; c < COUNTS; c++) {
        for (size_t i = 0; i < counts[c]; i++)
            items[i] = (fl_keyed){number_of(_i, i, counts[c]), (uint32_t)i, ~(uint32_t)i};
        fl_sort_keyed(items, room, counts[c]);
        size_t bad = 0;
        for (size_t i = 0; i < counts[c]; i++) {
            bad += items[i].group != ~items[i].index;
            bad += i > 0 && items[i - 1].key > items[i].key;
            bad +=
                i > 0 && items[i - 1].key == items[i].key && items[i - 1].index >= items[i].index;
        }
        ck_assert_uint_eq(bad, 0);
    }
}
END_TEST

START_TEST(signed_numbers_keep_their_order)
{
    static const int64_t rising[] = {INT64_MIN, INT64_MIN + 1, -256, -1, 0, 1, 255, INT64_MAX};
    for (size_t i = 1; i < sizeof(rising) / sizeof(rising[0]); i++)
        ck_assert_uint_lt(fl_sort_number(rising[i - 1]), fl_sort_number(rising[i]));
}
END_TEST

/* ---- rows ---- */

struct row {
    int64_t time;
    uint64_t trace;
    uint32_t detail, serial;
    unsigned char filling[40];
};

static uint64_t trace_of(const void *row)
{
    return ((const struct row *)row)->trace;
}

static uint64_t time_of(const void *row)
{
    return fl_sort_number(((const struct row *)row)->time);
}

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    if (a->trace != b->trace)
        return a->trace < b->trace ? -1 : 1;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return (a->detail > b->detail) - (a->detail < b->detail);
}

/* However many numbers help: none, one, two. */
static const fl_row_order orders[] = {{.compare = compare_rows},
                                      {.numbers = {trace_of}, .compare = compare_rows},
                                      {.numbers = {trace_of, time_of}, .compare = compare_rows}};

static struct row rows[MOST], expected[MOST];

static void make_rows(int shape, size_t count)
{
    memset(rows, 0, sizeof(rows));
    for (size_t i = 0; i < count; i++) {
        rows[i].trace = number_of(shape, i, count);
        rows[i].time = (int64_t)number_of((shape + 1) % SHAPES, i, count) >> 8;
        rows[i].detail = (uint32_t)(noise() % 4);
        rows[i].serial = (uint32_t)i;
        memset(rows[i].filling, (int)i & 0xFF, sizeof(rows[i].filling));
    }
}

/* Rows that compare as equal are the same to the caller: only their order is compared, and that
 * each row is there once and whole. */
static size_t differences(size_t count)
{
    static bool seen[MOST];
    size_t bad = 0;
    memset(seen, 0, sizeof(seen));
    for (size_t i = 0; i < count; i++) {
        uint32_t serial = rows[i].serial;
        bad += compare_rows(&rows[i], &expected[i]) != 0;
        bad += seen[serial];
        bad += rows[i].filling[0] != (unsigned char)serial ||
               rows[i].filling[39] != (unsigned char)serial;
        seen[serial] = true;
    }
    return bad;
}

START_TEST(rows_are_sorted_as_by_comparing_alone)
{
    for (size_t c = 0; c < COUNTS; c++)
        for (size_t o = 0; o < sizeof(orders) / sizeof(orders[0]); o++) {
            make_rows(_i, counts[c]);
            memcpy(expected, rows, sizeof(rows));
            qsort(expected, counts[c], sizeof(expected[0]), compare_rows);
            fl_sort_rows(rows, counts[c], sizeof(rows[0]), &orders[o]);
            ck_assert_msg(differences(counts[c]) == 0, "%zu rows, %zu numbers", counts[c], o);
        }
}
END_TEST

START_TEST(without_memory_the_order_is_the_same)
{
    make_rows(_i, MOST);
    memcpy(expected, rows, sizeof(rows));
    fl_sort_rows(expected, MOST, sizeof(expected[0]), &orders[2]);
    fl_mem_fail_after(0);
    fl_sort_rows(rows, MOST, sizeof(rows[0]), &orders[2]);
    fl_mem_fail_after(-1);
    ck_assert_uint_eq(differences(MOST), 0);
}
END_TEST

/* ---- selection ---- */

static int compare_values(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void check_selected(const double *values, const double *sorted, size_t count, size_t nth)
{
    static double left[MOST];
    size_t bad = 0;
    for (size_t i = 0; i < count; i++)
        bad += i < nth ? values[i] > values[nth] : values[i] < values[nth];
    ck_assert_uint_eq(bad, 0);
    ck_assert_double_eq(values[nth], sorted[nth]);
    memcpy(left, values, count * sizeof(left[0]));
    qsort(left, count, sizeof(left[0]), compare_values);
    ck_assert_int_eq(memcmp(left, sorted, count * sizeof(left[0])), 0);
}

START_TEST(the_nth_value_parts_the_smaller_from_the_larger)
{
    static double made[MOST], values[MOST], sorted[MOST];
    for (size_t c = 1; c < COUNTS; c++) {
        size_t count = counts[c], wanted[] = {0, count / 4, count / 2, count - 1};
        for (size_t i = 0; i < count; i++)
            made[i] = (double)(int64_t)number_of(_i, i, count) / 3;
        memcpy(sorted, made, sizeof(made));
        qsort(sorted, count, sizeof(sorted[0]), compare_values);
        for (size_t w = 0; w < 4; w++) {
            memcpy(values, made, sizeof(made));
            ck_assert_double_eq(fl_select(values, count, wanted[w]), sorted[wanted[w]]);
            check_selected(values, sorted, count, wanted[w]);
        }
    }
}
END_TEST

/* Values against which the median of three as pivot divides off two at a time (Musser 1997):
 * without a way out, a million of them would take a quarter of 10^12 steps. */
START_TEST(values_made_to_be_slow_are_not)
{
    enum { HALF = 500000 };
    double *values = malloc(2 * HALF * sizeof(*values));
    ck_assert_ptr_nonnull(values);
    for (size_t i = 0; i < HALF; i++) {
        values[i] = (double)(i % 2 == 0 ? i + 1 : HALF + i + (HALF % 2));
        values[HALF + i] = (double)(2 * (i + 1));
    }
    ck_assert_double_eq(fl_select(values, 2 * HALF, HALF), HALF + 1); /* 1, 2, 3 ... */
    free(values);
}
END_TEST

static Suite *sort_suite(void)
{
    Suite *suite = suite_create("base/sort");
    TCase *cases = tcase_create("sort");
    tcase_add_checked_fixture(cases, NULL, teardown);
    tcase_add_loop_test(cases, items_rise_by_key_and_equal_ones_keep_their_order, 0, SHAPES);
    tcase_add_test(cases, signed_numbers_keep_their_order);
    tcase_add_loop_test(cases, rows_are_sorted_as_by_comparing_alone, 0, SHAPES);
    tcase_add_loop_test(cases, without_memory_the_order_is_the_same, 0, SHAPES);
    tcase_add_loop_test(cases, the_nth_value_parts_the_smaller_from_the_larger, 0, SHAPES);
    tcase_add_test(cases, values_made_to_be_slow_are_not);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(sort_suite)
