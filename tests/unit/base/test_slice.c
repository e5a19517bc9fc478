#include "slice.h"

#include "fl_test.h"

START_TEST(order_is_bytewise_with_the_shorter_first)
{
    ck_assert_int_eq(fl_slice_compare(FL_SLICE(""), FL_SLICE("")), 0);
    ck_assert_int_eq(fl_slice_compare((fl_slice){0}, FL_SLICE("")), 0);
    ck_assert_int_lt(fl_slice_compare(FL_SLICE("ab"), FL_SLICE("abc")), 0);
    ck_assert_int_gt(fl_slice_compare(FL_SLICE("abc"), FL_SLICE("ab")), 0);
    ck_assert_int_lt(fl_slice_compare(FL_SLICE("abc"), FL_SLICE("abd")), 0);
    ck_assert_int_gt(fl_slice_compare(FL_SLICE("\xff"), FL_SLICE("\x01")), 0);
    ck_assert_int_lt(fl_slice_compare(FL_SLICE("a\0a"), FL_SLICE("a\0b")), 0);
}
END_TEST

START_TEST(equality_needs_the_same_length)
{
    ck_assert(fl_slice_equal(FL_SLICE("pod"), fl_slice_of("pod")));
    ck_assert(!fl_slice_equal(FL_SLICE("pod"), FL_SLICE("pods")));
    ck_assert(!fl_slice_equal(FL_SLICE("pod"), FL_SLICE("pot")));
    ck_assert(fl_slice_equal((fl_slice){0}, FL_SLICE("")));
    ck_assert(fl_slice_equal(fl_slice_of(NULL), FL_SLICE("")));
}
END_TEST

START_TEST(ends_are_recognised)
{
    fl_slice name = FL_SLICE("logs.jsonl.zst");
    ck_assert(fl_slice_starts_with(name, FL_SLICE("logs.")));
    ck_assert(fl_slice_starts_with(name, name));
    ck_assert(fl_slice_starts_with(name, (fl_slice){0}));
    ck_assert(!fl_slice_starts_with(name, FL_SLICE("log.")));
    ck_assert(!fl_slice_starts_with(FL_SLICE("lo"), FL_SLICE("log")));
    ck_assert(fl_slice_ends_with(name, FL_SLICE(".zst")));
    ck_assert(fl_slice_ends_with(name, name));
    ck_assert(fl_slice_ends_with(name, (fl_slice){0}));
    ck_assert(!fl_slice_ends_with(name, FL_SLICE(".gz")));
    ck_assert(!fl_slice_ends_with(FL_SLICE("st"), FL_SLICE("zst")));
}
END_TEST

/* Each text with each needle, against the definition. */
START_TEST(find_gives_the_first_place_or_the_end)
{
    static const char *const texts[] = {"", "a", "ab", "aab", "abab", "aaaaab", "xyz", "ba"};
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
        for (size_t n = 0; n < sizeof(texts) / sizeof(texts[0]); n++) {
            const char *hit = strstr(texts[t], texts[n]);
            size_t expected = hit != NULL ? (size_t)(hit - texts[t]) : strlen(texts[t]);
            ck_assert_uint_eq(fl_slice_find(SLICE(texts[t]), SLICE(texts[n])), expected);
        }
    ck_assert_uint_eq(fl_slice_find(FL_SLICE("a\0b"), FL_SLICE("\0b")), 1);
    ck_assert_uint_eq(fl_slice_find((fl_slice){0}, FL_SLICE("x")), 0);
}
END_TEST

START_TEST(white_space_is_trimmed_at_both_ends_only)
{
    ck_assert(fl_slice_equal(fl_slice_trim(FL_SLICE(" \t a b\r\n")), FL_SLICE("a b")));
    ck_assert(fl_slice_equal(fl_slice_trim(FL_SLICE("a")), FL_SLICE("a")));
    ck_assert_uint_eq(fl_slice_trim(FL_SLICE(" \n\v\f ")).len, 0);
    ck_assert_uint_eq(fl_slice_trim((fl_slice){0}).len, 0);
}
END_TEST

static Suite *slice_suite(void)
{
    Suite *suite = suite_create("base/slice");
    TCase *cases = tcase_create("slice");
    tcase_add_test(cases, order_is_bytewise_with_the_shorter_first);
    tcase_add_test(cases, equality_needs_the_same_length);
    tcase_add_test(cases, ends_are_recognised);
    tcase_add_test(cases, find_gives_the_first_place_or_the_end);
    tcase_add_test(cases, white_space_is_trimmed_at_both_ends_only);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(slice_suite)
