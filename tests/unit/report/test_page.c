#include "page.h"

#include <string.h>

#include "fl_test.h"
#include "mem.h"
#include "slice.h"

/* Wrapping and columns are tested by what reports look like. */

enum { LONG = 4000 };

static fl_buf out;
static fl_report_style style;
static char name[LONG + 1];

static void setup(void)
{
    out = fl_buf_of(1 << 20);
    memset(name, 'x', LONG);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&out);
}

START_TEST(a_name_of_any_length_is_printed_whole)
{
    fl_page page = fl_page_on(&out, &style);
    fl_page_printf(&page, FL_INK_PLAIN, "%s:%u", name, 17u);
    ck_assert_uint_eq(out.len, LONG + 3);
    ck_assert_str_eq(out.ptr + LONG, ":17");
    ck_assert_uint_eq(page.column, LONG + 3);
}
END_TEST

START_TEST(without_memory_its_beginning_is_printed)
{
    fl_page page = fl_page_on(&out, &style);
    fl_buf_text(&out, name); /* room that is kept */
    fl_buf_clear(&out);
    fl_mem_fail_after(0);
    fl_page_printf(&page, FL_INK_PLAIN, "%s:%u", name, 17u);
    fl_mem_fail_after(-1);
    ck_assert_uint_eq(out.len, 511);
}
END_TEST

static const struct {
    const char *text, *shown;
} texts[] = {
    {"", ""},
    {"x\n\tat a.B.c(B.java:5)\r\nno end", "x\n\tat a.B.c(B.java:5)\r\nno end"},
    {"a\x1b[2J\x07\rb", "a?[2J??b"},
    {"\xc3\xa9 \xe2\x80\xae \xc2\x9b \xff\xc3", "\xc3\xa9 ? ? ??"},
};

START_TEST(lines_of_others_are_kept_and_steer_no_terminal)
{
    fl_page page = fl_page_on(&out, &style);
    fl_page_lines(&page, fl_slice_of(texts[_i].text));
    ck_assert(fl_slice_equal(fl_buf_slice(&out), fl_slice_of(texts[_i].shown)));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("page");
    TCase *tests = tcase_create("page");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_name_of_any_length_is_printed_whole);
    tcase_add_test(tests, without_memory_its_beginning_is_printed);
    tcase_add_loop_test(tests, lines_of_others_are_kept_and_steer_no_terminal, 0,
                        sizeof(texts) / sizeof(texts[0]));
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
