/* Numbers as people read them. */
#include "amount.h"

#include <float.h>
#include <math.h>

#include "fl_test.h"

typedef struct {
    double value;
    const char *unit, *text;
} reading;

static void expect(const reading *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[FL_AMOUNT_TEXT];
        ck_assert_str_eq(fl_amount(text, cases[i].value, cases[i].unit), cases[i].text);
    }
}

START_TEST(times_and_bytes_are_told_in_the_unit_that_suits)
{
    static const reading cases[] = {
        {12.4, "ms", "12.4 ms"},    {1312.5, "ms", "1.31 s"}, {3000, "ms", "3 s"},
        {999.4, "ms", "999 ms"},    {999.6, "ms", "1 s"},     {2.5e6, "ns", "2.5 ms"},
        {5.12e8, "By", "512 MB"},   {2048, "By", "2.05 kB"},  {1.629e8, "By", "163 MB"},
        {7.25e12, "By", "7.25 TB"}, {12, "By", "12 B"},       {3600, "s", "3600 s"},
        {-1.5e9, "By", "-1.5 GB"}};
    expect(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(other_numbers_keep_their_unit_and_have_no_exponent)
{
    static const reading cases[] = {{0, "1", "0"},
                                    {42, NULL, "42"},
                                    {0.333333, "1", "0.333"},
                                    {-7, "{line}", "-7 {line}"},
                                    {1234.5, "1", "1234"},
                                    {1234567.5, "1", "1.23M"},
                                    {3e9, "{request}", "3G {request}"},
                                    {999999, "1", "999999"},
                                    {-0.0, "1", "0"},
                                    {999.7, "%", "1000 %"}};
    expect(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(what_is_not_finite_or_beyond_all_letters_is_told_too)
{
    static const reading cases[] = {{NAN, "ms", "n/a"},
                                    {INFINITY, "By", "n/a"},
                                    {1e30, "1", "1e+18T"},
                                    {DBL_MAX, "ms", "1.8e+305 s"}};
    expect(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(a_long_unit_is_cut_within_the_text)
{
    char text[FL_AMOUNT_TEXT];
    ck_assert_str_eq(fl_amount(text, 1.5, "{something_with_a_name_of_its_own}"),
                     "1.5 {something_with_a_name_o");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("amount");
    TCase *tc = tcase_create("amount");
    tcase_add_test(tc, times_and_bytes_are_told_in_the_unit_that_suits);
    tcase_add_test(tc, other_numbers_keep_their_unit_and_have_no_exponent);
    tcase_add_test(tc, what_is_not_finite_or_beyond_all_letters_is_told_too);
    tcase_add_test(tc, a_long_unit_is_cut_within_the_text);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
