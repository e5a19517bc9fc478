#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "fl_test.h"

static char said[9000];

static const char *complain(const char *name)
{
    fl_cli cli = {.err = tmpfile()};
    ck_assert_ptr_nonnull(cli.err);
    fl_cli_complain(&cli, "%s: not read", name);
    rewind(cli.err);
    said[fread(said, 1, sizeof(said) - 1, cli.err)] = '\0';
    fclose(cli.err);
    return said;
}

START_TEST(a_message_moves_no_cursor)
{
    ck_assert_str_eq(complain("a.hprof"), "faultline: a.hprof: not read\n");
    ck_assert_str_eq(complain("a\x1b[31m\x07\n\x7f"), "faultline: a?[31m???: not read\n");
    ck_assert_str_eq(complain("\xc2\x9b"
                              "31m\xff"),
                     "faultline: ?31m?: not read\n");
    ck_assert_str_eq(complain("\xc3\xa4"), "faultline: \xc3\xa4: not read\n");
}
END_TEST

START_TEST(a_message_that_is_too_long_is_cut)
{
    static char name[8500];
    memset(name, 'x', sizeof(name) - 1);
    ck_assert_uint_eq(strlen(complain(name)), strlen("faultline: \n") + 8191);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cli/run");
    TCase *tcase = tcase_create("complain");
    tcase_add_test(tcase, a_message_moves_no_cursor);
    tcase_add_test(tcase, a_message_that_is_too_long_is_cut);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
