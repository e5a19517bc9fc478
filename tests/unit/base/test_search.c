/*
 * test_search.c - the place of a number in rows that rise by it, against counting.
 */
#include "search.h"

#include "fl_test.h"

typedef struct row {
    const char *name; /* so that the number is not where the row begins */
    uint32_t number;
} row;

static uint64_t number_of(const void *rows, size_t i)
{
    return ((const row *)rows)[i].number;
}

/* Every run of equal numbers that few rows can have, and every number around them. */
START_TEST(the_first_of_equal_rows_is_found_as_by_counting)
{
    enum { MOST = 9 };
    row rows[MOST];
    for (unsigned steps = 0; steps < 1U << MOST; steps++) {
        uint32_t number = 1;
        for (size_t i = 0; i < MOST; i++) {
            number += steps >> i & 1U;
            rows[i] = (row){"", number};
        }
        for (size_t count = 0; count <= MOST; count++)
            for (uint32_t wanted = 0; wanted <= MOST + 2; wanted++) {
                size_t smaller = 0;
                while (smaller < count && rows[smaller].number < wanted)
                    smaller++;
                ck_assert_uint_eq(fl_search_first(rows, count, number_of, wanted), smaller);
            }
    }
}
END_TEST

START_TEST(where_there_are_no_rows_nothing_is_read)
{
    ck_assert_uint_eq(fl_search_first(NULL, 0, number_of, 7), 0);
}
END_TEST

static uint64_t itself(const void *rows, size_t i)
{
    (void)rows;
    return i;
}

/* Rows that nobody could keep: each is its own number. */
START_TEST(counts_do_not_wrap_around)
{
    ck_assert_uint_eq(fl_search_first(NULL, SIZE_MAX, itself, SIZE_MAX - 1), SIZE_MAX - 1);
    ck_assert_uint_eq(fl_search_first(NULL, SIZE_MAX, itself, UINT64_MAX), SIZE_MAX);
}
END_TEST

static Suite *search_suite(void)
{
    Suite *suite = suite_create("base/search");
    TCase *cases = tcase_create("search");
    tcase_add_test(cases, the_first_of_equal_rows_is_found_as_by_counting);
    tcase_add_test(cases, where_there_are_no_rows_nothing_is_read);
    tcase_add_test(cases, counts_do_not_wrap_around);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(search_suite)
