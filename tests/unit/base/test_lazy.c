#include "lazy.h"

#include "fl_test.h"

static fl_error err;
static double (*hypotenuse)(double, double);
static void (*missing)(void);

static const fl_lazy_symbol symbols[] = {{"hypot", &hypotenuse}, {"no_such_function", &missing}};

static fl_lazy_library library_of(const char *soname, size_t symbol_count)
{
    return (fl_lazy_library){.soname = soname, .symbols = symbols, .symbol_count = symbol_count};
}

static void setup(void)
{
    err = (fl_error){0};
    hypotenuse = NULL;
}

START_TEST(a_function_of_a_loaded_library_can_be_called)
{
    fl_lazy_library library = library_of("libm.so.6", 1);
    ck_assert_ok(fl_lazy_load(&library, &err));
    ck_assert_double_eq(hypotenuse(3, 4), 5);
}
END_TEST

START_TEST(a_library_that_is_not_there_is_one_sentence)
{
    fl_lazy_library library = library_of("libnowhere.so.1", 1);
    ck_assert_fails(FL_E_UNSUPPORTED, fl_lazy_load(&library, &err));
    ck_assert_ptr_nonnull(
        strstr(err.message, "this needs the library libnowhere.so.1, which is not installed: "));
    ck_assert(hypotenuse == NULL);
}
END_TEST

START_TEST(a_library_without_a_function_is_too_old)
{
    fl_lazy_library library = library_of("libm.so.6", 2);
    ck_assert_fails(FL_E_UNSUPPORTED, fl_lazy_load(&library, &err));
    ck_assert_str_eq(err.message, "the library libm.so.6 has no no_such_function: it is too old");
}
END_TEST

static unsigned begun;

static fl_status begin(fl_error *why)
{
    begun++;
    return begun == 1 ? fl_fail(why, FL_E_IO, FL_NO_OFFSET, "it does not begin") : FL_OK;
}

START_TEST(what_failed_once_fails_each_time_and_nothing_is_begun_twice)
{
    fl_lazy_library library = library_of("libm.so.6", 1);
    library.begin = begin;
    for (unsigned i = 0; i < 2; i++) {
        err = (fl_error){0};
        ck_assert_fails(FL_E_IO, fl_lazy_load(&library, &err));
        ck_assert_str_eq(err.message, "it does not begin");
    }
    ck_assert_uint_eq(1, begun);
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
    tcase_add_test(tc, what_failed_once_fails_each_time_and_nothing_is_begun_twice);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
