#include "faultline/status.h"

#include "fl_test.h"

START_TEST(every_code_has_a_name_of_its_own)
{
    for (int code = FL_OK; code <= FL_E_STOPPED; code++) {
        const char *name = fl_status_name((fl_status)code);
        ck_assert_str_ne(name, "unknown");
        for (int other = FL_OK; other < code; other++)
            ck_assert_str_ne(name, fl_status_name((fl_status)other));
    }
    ck_assert_str_eq(fl_status_name(FL_E_NOMEM), "no_memory"); /* JSON carries these */
    ck_assert_str_eq(fl_status_name(FL_E_TRUNCATED), "truncated");
    ck_assert_str_eq(fl_status_name((fl_status)(FL_E_STOPPED + 1)), "unknown");
}
END_TEST

START_TEST(the_first_failure_wins)
{
    fl_error err = {0};
    ck_assert_int_eq(fl_fail(&err, FL_E_SYNTAX, 17, "wrong byte %d", 3), FL_E_SYNTAX);
    ck_assert_int_eq(fl_fail(&err, FL_E_IO, 18, "later"), FL_E_IO);
    ck_assert_int_eq(err.status, FL_E_SYNTAX);
    ck_assert_uint_eq(err.offset, 17);
    ck_assert_str_eq(err.message, "wrong byte 3");
}
END_TEST

START_TEST(nobody_has_to_listen)
{
    ck_assert_int_eq(fl_fail(NULL, FL_E_NOMEM, FL_NO_OFFSET, "%s", "x"), FL_E_NOMEM);
}
END_TEST

START_TEST(a_long_message_is_cut_and_terminated)
{
    fl_error err = {0};
    ck_assert_int_eq(fl_fail(&err, FL_E_IO, 0, "%500d", 1), FL_E_IO);
    ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
}
END_TEST

static Suite *status_suite(void)
{
    Suite *suite = suite_create("base/status");
    TCase *cases = tcase_create("status");
    tcase_add_test(cases, every_code_has_a_name_of_its_own);
    tcase_add_test(cases, the_first_failure_wins);
    tcase_add_test(cases, nobody_has_to_listen);
    tcase_add_test(cases, a_long_message_is_cut_and_terminated);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(status_suite)
