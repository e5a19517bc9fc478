#include "html.h"

#include <string.h>

#include "fl_test.h"
#include "mem.h"

#define LOST "\xEF\xBF\xBD"

static fl_buf out;

static void setup(void)
{
    out = fl_buf_of(1 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&out);
}

static const struct text_case {
    const char *text, *shown;
} texts[] = {
    {NULL, ""},
    {"", ""},
    {"orders", "orders"},
    {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
    {"a\" onclick='b' &amp;", "a&quot; onclick=&#39;b&#39; &amp;amp;"},
    {"a\nb\tc\rd", "a b c d"},
    {"\x1b[31mred\x07", LOST "[31mred" LOST},
    {"caf\xC3\xA9 \xF0\x9F\x90\x9B", "caf\xC3\xA9 \xF0\x9F\x90\x9B"},
    {"gnp.\xE2\x80\xAEtxt", "gnp." LOST "txt"},
    {"\xE2\x81\xA6x\xE2\x81\xA9", LOST "x" LOST},
    {"c1 \xC2\x9B", "c1 " LOST},
    {"bad \xFF\xC0\xAF\xE2\x82", "bad " LOST LOST LOST LOST LOST},
    {"\xED\xA0\x80", LOST LOST LOST}, /* a surrogate */
    {"$ and @", "$ and @"},
};

START_TEST(text_is_shown_and_never_obeyed)
{
    fl_html_text(&out, texts[_i].text);
    ck_assert_str_eq(out.ptr != NULL ? out.ptr : "", texts[_i].shown);
}
END_TEST

START_TEST(a_segment_is_one_segment)
{
    fl_html(&out, "<a href=\"/x/@?q=@\">$</a>", "a/b c\xC3\xA9", "\"&#", "t<");
    ck_assert_str_eq(out.ptr, "<a href=\"/x/a%2Fb%20c%C3%A9?q=%22%26%23\">t&lt;</a>");
}
END_TEST

START_TEST(of_a_long_text_the_beginning_is_shown_and_its_length)
{
    static char text[1 << 20];
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    text[0] = 'x';
    text[1] = 'x'; /* so that the limit is in the middle of nothing */
    fl_html_text(&out, text);
    ck_assert_uint_lt(out.len, FL_HTML_TEXT_BYTES + 100);
    ck_assert_ptr_nonnull(
        strstr(out.ptr, "\xE2\x80\xA6 (1048574 bytes, of which this is the beginning)"));
    ck_assert_ptr_null(strstr(out.ptr, LOST));
    fl_buf_clear(&out);
    text[0] = 'x';
    memmove(text + 1, text + 2, sizeof(text) - 2); /* and now it is in one */
    fl_html_text(&out, text);
    ck_assert_ptr_null(strstr(out.ptr, LOST));
}
END_TEST

START_TEST(running_out_of_memory_is_kept_in_the_buffer)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n++) {
        fl_buf small = fl_buf_of(1 << 20);
        ck_assert_int_lt(n, 50);
        fl_mem_fail_after(n);
        for (int i = 0; i < 200; i++)
            fl_html(&small, "<b>$</b>", "<some text of a log line>");
        fl_mem_fail_after(-1);
        status = small.status;
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        fl_buf_dispose(&small);
    }
}
END_TEST

static Suite *html_suite(void)
{
    Suite *suite = suite_create("web/html");
    TCase *cases = tcase_create("html");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, text_is_shown_and_never_obeyed, 0, sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(cases, a_segment_is_one_segment);
    tcase_add_test(cases, of_a_long_text_the_beginning_is_shown_and_its_length);
    tcase_add_test(cases, running_out_of_memory_is_kept_in_the_buffer);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(html_suite)
