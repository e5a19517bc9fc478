#include "go_packages.h"

#include "fl_test.h"

START_TEST(the_first_element_tells_the_standard_library_from_others)
{
    ck_assert(fl_go_is_standard(SLICE("net")));
    ck_assert(fl_go_is_standard(SLICE("runtime")));
    ck_assert(fl_go_is_standard(SLICE("weak")));
    ck_assert(!fl_go_is_standard(SLICE("main")));
    ck_assert(!fl_go_is_standard(SLICE("github.com")));
    ck_assert(!fl_go_is_standard(SLICE("ne")));
    ck_assert(!fl_go_is_standard(SLICE("")));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("go_packages");
    TCase *tc = tcase_create("go_packages");
    tcase_add_test(tc, the_first_element_tells_the_standard_library_from_others);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
