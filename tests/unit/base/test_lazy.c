#include "lazy.h"

#include "fl_test.h"

static fl_error err;
static double (*hypotenuse)(double, double);
static void (*missing)(void);

static const fl_lazy_symbol symbols[] = {{"hypot", &hypotenuse}, {"no_such_function", &missing}};

static void setup(void)
{
    err = (fl_error){0};
    hypotenuse = NULL;
}

START_TEST(a_function_of_a_loaded_library_can_be_called)
{
    ck_assert_ok(fl_lazy_load("libm.so.6", symbols, 1, &err));
    ck_assert_double_eq(hypotenuse(3, 4), 5);
}
END_TEST

START_TEST(a_library_that_is_not_there_is_one_sentence)
{
    ck_assert_fails(FL_E_UNSUPPORTED, fl_lazy_load("libnowhere.so.1", symbols, 1, &err));
    ck_assert_ptr_nonnull(
        strstr(err.message, "this needs the library libnowhere.so.1, which is not installed: "));
    ck_assert(hypotenuse == NULL);
}
END_TEST

START_TEST(a_library_without_a_function_is_too_old)
{
    ck_assert_fails(FL_E_UNSUPPORTED, fl_lazy_load("libm.so.6", symbols, 2, &err));
    ck_assert_str_eq(err.message, "the library libm.so.6 has no no_such_function: it is too old");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("lazy");
    TCase *tc = tcase_create("lazy");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, a_function_of_a_loaded_library_can_be_called);
    tcase_add_test(tc, a_library_that_is_not_there_is_one_sentence);
    tcase_add_test(tc, a_library_without_a_function_is_too_old);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
