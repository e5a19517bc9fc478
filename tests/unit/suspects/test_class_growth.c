#include "class_growth.h"

#include <string.h>

#include "fl_test.h"

enum { MOST = 2, STEPS = 8 };

/* A heap of 1,000,000 bytes in which class 1 has so many instances, moment by moment, class 2 as
 * many of 8 bytes, and class 3 always the same. */
static size_t find(fl_class_growth out[MOST], const uint64_t *counts, size_t count,
                   uint64_t each_bytes)
{
    static fl_class_cell cells[STEPS][3];
    fl_class_snapshot series[STEPS];
    ck_assert_uint_le(count, STEPS);
    for (size_t i = 0; i < count; i++) {
        cells[i][0] = (fl_class_cell){1, counts[i], counts[i] * each_bytes};
        cells[i][1] = (fl_class_cell){2, counts[i], counts[i] * 8};
        cells[i][2] = (fl_class_cell){3, 500, 500000};
        series[i] = (fl_class_snapshot){cells[i], 3, 1000000};
    }
    return fl_class_growth_find(out, MOST, series, count);
}

START_TEST(a_class_that_rises_to_the_end_is_found_with_its_company)
{
    static const struct {
        uint64_t counts[STEPS];
        size_t count, found;
    } cases[] = {
        {{100, 200}, 2, 2},
        {{100, 200, 300, 400, 500, 600, 700, 800}, 8, 2},
        {{100, 200, 190, 400, 500, 600, 700, 800}, 8, 2}, /* one step down in seven */
        {{100, 200, 190, 400, 390, 600, 700, 800}, 8, 0}, /* two */
        {{100, 200, 300, 400, 500, 600, 600, 600}, 8, 0}, /* a plateau: no rise in the last third */
        {{100, 800, 100, 800, 100, 800, 100, 900}, 8, 0},
        {{800, 700, 600, 500, 400, 300, 200, 100}, 8, 0},
        {{500, 500}, 2, 0},
        {{500, 590}, 2, 0}, /* less than a fifth more */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fl_class_growth out[MOST];
        ck_assert_uint_eq(find(out, cases[i].counts, cases[i].count, 1000), cases[i].found);
        if (cases[i].found == 0)
            continue;
        ck_assert_uint_eq(out[0].class_id, 1);
        ck_assert_uint_eq(out[1].class_id, 2);
        ck_assert_uint_eq(out[0].first_instances, cases[i].counts[0]);
        ck_assert_uint_eq(out[0].last_instances, cases[i].counts[cases[i].count - 1]);
        ck_assert_uint_eq(out[0].last_bytes, 1000 * out[0].last_instances);
    }
}
END_TEST

START_TEST(what_is_little_of_the_heap_is_not_told)
{
    fl_class_growth out[MOST];
    ck_assert_uint_eq(find(out, (const uint64_t[]){10, 20}, 2, 1000), 0);
    ck_assert_uint_eq(find(out, (const uint64_t[]){10, 30}, 2, 1000), 2);
}
END_TEST

START_TEST(a_class_that_was_not_there_counts_from_nothing)
{
    const fl_class_cell last[] = {{7, 100, 100000}};
    const fl_class_snapshot series[] = {{NULL, 0, 1000000}, {last, 1, 1000000}};
    fl_class_growth out[MOST];
    ck_assert_uint_eq(fl_class_growth_find(out, MOST, series, 2), 1);
    ck_assert_uint_eq(out[0].first_instances, 0);
    ck_assert_uint_eq(out[0].rises, 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("heap/class_growth");
    TCase *tcase = tcase_create("growth");
    tcase_add_test(tcase, a_class_that_rises_to_the_end_is_found_with_its_company);
    tcase_add_test(tcase, what_is_little_of_the_heap_is_not_told);
    tcase_add_test(tcase, a_class_that_was_not_there_counts_from_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
