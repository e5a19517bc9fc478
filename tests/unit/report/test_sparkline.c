#include "sparkline.h"

#include <math.h>

#include "page.h"

#include "fl_test.h"

static char text[FL_SPARKLINE_TEXT];

#define NOWHERE FL_SPARKLINE_NOWHERE

static const double rise[] = {0, 0, 1, 7, 8, NAN, 8};
static const double far_from_zero[] = {100, 101, 102};
static const double flat[] = {5, 5, 5}, nothing[] = {0, 0}, unknown[] = {NAN, NAN, INFINITY};
static const double huge[] = {-1.7e308, 0, 1.7e308};
static const double below[] = {-4, -2, 0};

/* One row of both alphabets. */
static const struct {
    fl_sparkline line;
    const char *unicode, *ascii;
} rows[] = {
    {{rise, 7, NAN, NAN, NOWHERE, NOWHERE, NOWHERE, 40, false}, "▁▁▂██·█", "[..:@@ @]"},
    {{rise, 7, NAN, NAN, 3, 6, 2, 40, false}, "▁▁▸▂│██·│█", "[..>:|@@ |@]"},
    {{rise, 7, NAN, NAN, 3, 7, 3, 40, false}, "▁▁▂│▸██·█", "[..:|>@@ @]"},
    {{rise, 7, NAN, NAN, 3, 7, 5, 40, false}, "▁▁▂│██▸·█", "[..:|@@> @]"},
    {{rise, 7, 0, 16, NOWHERE, NOWHERE, NOWHERE, 40, false}, "▁▁▁▄▅·▅", "[...=+ +]"},
    {{rise, 7, NAN, NAN, 0, 9, 0, 40, false}, "▁▁▂██·█", "[..:@@ @]"},
    {{rise, 7, NAN, NAN, 3, NOWHERE, 3, 4, false}, "▁│▸███", "[.|>@@@]"},
    {{far_from_zero, 3, NAN, NAN, NOWHERE, NOWHERE, NOWHERE, 40, false}, "▁▅█", "[.+@]"},
    {{below, 3, NAN, NAN, NOWHERE, NOWHERE, NOWHERE, 40, false}, "▁▅█", "[.+@]"},
    {{flat, 3, NAN, NAN, NOWHERE, NOWHERE, NOWHERE, 40, false}, "▅▅▅", "[+++]"},
    {{nothing, 2, NAN, NAN, NOWHERE, NOWHERE, NOWHERE, 40, false}, "▁▁", "[..]"},
    {{unknown, 3, 1, 2, NOWHERE, NOWHERE, NOWHERE, 40, false}, "···", "[   ]"},
    {{huge, 3, NAN, NAN, NOWHERE, NOWHERE, NOWHERE, 40, false}, "▁▅█", "[.+@]"},
    {{NULL, 0, NAN, NAN, 1, 2, 1, 40, false}, "", "[]"},
};

START_TEST(a_row_has_heights_gaps_and_marks_in_both_alphabets)
{
    fl_sparkline line = rows[_i].line;
    ck_assert_str_eq(fl_sparkline_write(text, &line), rows[_i].ascii);
    ck_assert_uint_eq(fl_sparkline_columns(&line), fl_page_columns(text));
    line.unicode = true;
    ck_assert_str_eq(fl_sparkline_write(text, &line), rows[_i].unicode);
    ck_assert_uint_eq(fl_sparkline_columns(&line), fl_page_columns(text));
}
END_TEST

START_TEST(a_spike_or_a_drop_of_one_step_is_seen_among_many)
{
    double values[240];
    for (size_t i = 0; i < 240; i++)
        values[i] = 50;
    values[101] = 100;
    values[222] = 0;
    fl_sparkline line = {values, 240, 49, 51, NOWHERE, NOWHERE, NOWHERE, 24, true};
    ck_assert_uint_eq(fl_sparkline_steps(&line), 10);
    ck_assert_str_eq(fl_sparkline_write(text, &line), "▅▅▅▅▅▅▅▅▅▅█▅▅▅▅▅▅▅▅▅▅▅▁▅");
}
END_TEST

START_TEST(numbers_at_the_ends_of_their_range_are_drawn)
{
    double least[] = {0, 5e-324, 0}, most[] = {-1.7e308, 1.7e308}, none[] = {NAN, NAN};
    fl_sparkline line = {least, 3, 0, 0, NOWHERE, NOWHERE, NOWHERE, 24, true};
    ck_assert_uint_eq(fl_page_columns(fl_sparkline_write(text, &line)), 3);
    line = (fl_sparkline){most, 2, -1.7e308, 1.7e308, NOWHERE, NOWHERE, NOWHERE, 24, true};
    ck_assert_uint_eq(fl_page_columns(fl_sparkline_write(text, &line)), 2);
    line = (fl_sparkline){none, 2, 7, 3, NOWHERE, NOWHERE, NOWHERE, 24, true};
    ck_assert_str_eq(fl_sparkline_write(text, &line), "··");
}
END_TEST

START_TEST(no_row_is_longer_than_its_cells_and_marks)
{
    double values[241];
    for (size_t i = 0; i < 241; i++)
        values[i] = (double)(i % 7);
    for (size_t count = 0; count <= 241; count++)
        for (size_t most = 1; most <= FL_SPARKLINE_CELLS; most++) {
            fl_sparkline line = {values, count, 0, 1, count / 2, count - 1, count / 3, most, true};
            fl_sparkline_write(text, &line);
            ck_assert_uint_le(fl_sparkline_columns(&line), most + 3);
            ck_assert_uint_eq(fl_sparkline_columns(&line), fl_page_columns(text));
        }
}
END_TEST

static Suite *sparkline_suite(void)
{
    Suite *suite = suite_create("report/sparkline");
    TCase *cases = tcase_create("sparkline");
    tcase_add_loop_test(cases, a_row_has_heights_gaps_and_marks_in_both_alphabets, 0,
                        sizeof(rows) / sizeof(rows[0]));
    tcase_add_test(cases, a_spike_or_a_drop_of_one_step_is_seen_among_many);
    tcase_add_test(cases, numbers_at_the_ends_of_their_range_are_drawn);
    tcase_add_test(cases, no_row_is_longer_than_its_cells_and_marks);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(sparkline_suite)
