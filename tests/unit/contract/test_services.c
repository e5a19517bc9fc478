#include "services.h"

#include "fl_test.h"

static const char *const names[] = {"Bank", "bank", "b\303\274cher", "payment"};

START_TEST(a_service_is_found_by_its_bytes)
{
    const char *const sorted[] = {names[0], names[1], names[2], names[3]};
    const fl_timeline t = {.services = sorted, .service_count = 4};
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_uint_eq(i, fl_service_find(&t, fl_slice_of(names[i])));
}
END_TEST

START_TEST(what_nothing_was_heard_of_is_nowhere)
{
    const fl_timeline t = {.services = names, .service_count = 4}, none = {0};
    const char *const absent[] = {"", "A", "ban", "banks", "zoo"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        ck_assert_uint_eq(FL_NO_INDEX, fl_service_find(&t, fl_slice_of(absent[i])));
    ck_assert_uint_eq(FL_NO_INDEX, fl_service_find(&none, fl_slice_of("bank")));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("services");
    TCase *tc = tcase_create("services");
    tcase_add_test(tc, a_service_is_found_by_its_bytes);
    tcase_add_test(tc, what_nothing_was_heard_of_is_nowhere);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
