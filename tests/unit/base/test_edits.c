#include "edits.h"

#include "fl_test.h"

static const struct {
    const char *a, *b;
    size_t edits;
} words[] = {
    {"", "", 0},
    {"a", "", 1},
    {"", "abc", 3},
    {"triage", "triage", 0},
    {"triag", "triage", 1},
    {"traige", "triage", 1},
    {"kitten", "sitting", 3},
    {"ca", "abc", 3},
};

START_TEST(edits_are_the_known_distances_and_symmetric)
{
    ck_assert_uint_eq(fl_edits(SLICE(words[_i].a), SLICE(words[_i].b)), words[_i].edits);
    ck_assert_uint_eq(fl_edits(SLICE(words[_i].b), SLICE(words[_i].a)), words[_i].edits);
}
END_TEST

START_TEST(long_words_are_compared_by_their_beginnings)
{
    char a[200], b[200];
    memset(a, 'x', sizeof(a));
    memset(b, 'x', sizeof(b));
    a[199] = b[150] = '\0';
    ck_assert_uint_eq(fl_edits(SLICE(a), SLICE(b)), 0);
}
END_TEST

START_TEST(a_third_of_the_letters_may_be_mistaken)
{
    ck_assert_uint_eq(fl_edits_most(0), 1);
    ck_assert_uint_eq(fl_edits_most(5), 1);
    ck_assert_uint_eq(fl_edits_most(9), 3);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("edits");
    TCase *tc = tcase_create("cases");
    tcase_add_loop_test(tc, edits_are_the_known_distances_and_symmetric, 0,
                        sizeof(words) / sizeof(words[0]));
    tcase_add_test(tc, long_words_are_compared_by_their_beginnings);
    tcase_add_test(tc, a_third_of_the_letters_may_be_mistaken);
    suite_add_tcase(s, tc);
    return s;
}

FL_TEST_MAIN(suite)
