#include "markup.h"

#include "fl_test.h"

typedef void writer(fl_buf *out, const char *text);

static void check(writer *write, const char *text, const char *expected)
{
    fl_buf out = fl_buf_of(1 << 16);
    fl_buf_text(&out, "|");
    write(&out, text);
    ck_assert_str_eq(out.ptr + 1, expected);
    fl_buf_dispose(&out);
}

START_TEST(html_is_shown_as_text)
{
    check(fl_markup_html, "<script>alert(\"x\" && 'y')</script>",
          "&lt;script&gt;alert(&quot;x&quot; &amp;&amp; &#39;y&#39;)&lt;/script&gt;");
    check(fl_markup_html, NULL, "");
    check(fl_markup_html, "", "");
    check(fl_markup_html, "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80",
          "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80");
}
END_TEST

/* The right-to-left override, a C1 control, an isolate, a zero width joiner, a byte order mark, the
 * Arabic letter mark, and two that are no characters. */
START_TEST(what_reorders_hides_or_is_no_text_is_replaced)
{
    static const char *const hostile[] = {
        "\x1b",         "\x07",         "\x7f", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x81\xa6",
        "\xe2\x80\x8d", "\xef\xbb\xbf", "\xff", "\xc3",     "\xe2\x80",     "\xe2\x80\xa8"};
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        fl_buf text = fl_buf_of(100);
        fl_buf_printf(&text, "a%sb", hostile[i]);
        fl_buf html = fl_buf_of(100), markdown = fl_buf_of(100), code = fl_buf_of(100);
        fl_markup_html(&html, text.ptr);
        fl_markup_markdown(&markdown, text.ptr);
        fl_markup_code(&code, text.ptr);
        ck_assert_msg(strncmp(html.ptr, "a\xef\xbf\xbd", 4) == 0, "%zu: %s", i, html.ptr);
        ck_assert(strncmp(markdown.ptr, "a\xef\xbf\xbd", 4) == 0);
        ck_assert(strncmp(code.ptr, "`a\xef\xbf\xbd", 5) == 0);
        ck_assert_ptr_null(strstr(html.ptr, hostile[i]) == html.ptr + 1 ? html.ptr : NULL);
        fl_buf_dispose(&text);
        fl_buf_dispose(&html);
        fl_buf_dispose(&markdown);
        fl_buf_dispose(&code);
    }
}
END_TEST

START_TEST(white_space_is_one_space)
{
    check(fl_markup_html, "a\r\n\t b", "a b");
    check(fl_markup_markdown, "a\n\n# b\n- c", "a \\# b - c");
    check(fl_markup_code, "a\nb", "`a b`");
}
END_TEST

START_TEST(markdown_has_no_meaning)
{
    check(fl_markup_markdown, "*b* _i_ `c` [l](u) ![i](u) <b> ~~s~~ a|b $x$ &amp;",
          "\\*b\\* \\_i\\_ \\`c\\` \\[l\\](u) \\!\\[i\\](u) \\<b\\> \\~\\~s\\~\\~ a\\|b \\$x\\$ "
          "\\&amp;");
    check(fl_markup_markdown, "@someone see http://evil.example www.evil.example a\\b",
          "@<!-- -->someone see http&#58;//evil.example www&#46;evil.example a\\\\b");
}
END_TEST

START_TEST(a_code_span_cannot_be_left)
{
    check(fl_markup_code, "{a=\"b\"} |= `c`", "`` {a=\"b\"} |= `c` ``");
    check(fl_markup_code, "```", "```` ``` ````");
    check(fl_markup_code, "", "");
    check(fl_markup_code, "  \n ", "");
    check(fl_markup_code, NULL, "");
    check(fl_markup_code, "<b>&", "`<b>&`");
}
END_TEST

/* Each byte is shown as three. */
START_TEST(a_code_span_of_what_is_no_text_has_room)
{
    char text[FL_MARKUP_TEXT_BYTES + 1];
    fl_buf out = fl_buf_of(1 << 16);
    memset(text, 0xff, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    fl_markup_code(&out, text);
    ck_assert_int_eq(out.status, FL_OK);
    ck_assert_uint_eq(out.len, 3 * FL_MARKUP_TEXT_BYTES + 2);
    fl_buf_dispose(&out);
}
END_TEST

START_TEST(of_a_megabyte_the_beginning_is_shown)
{
    char *text = malloc((1 << 20) + 1);
    memset(text, 'a', 1 << 20);
    text[1 << 20] = '\0';
    fl_buf out = fl_buf_of(1 << 16);
    fl_markup_html(&out, text);
    ck_assert_uint_eq(out.len, FL_MARKUP_TEXT_BYTES + 3);
    ck_assert_str_eq(out.ptr + FL_MARKUP_TEXT_BYTES, "...");
    fl_buf_dispose(&out);
    free(text);
}
END_TEST

static Suite *markup_suite(void)
{
    Suite *suite = suite_create("report/markup");
    TCase *cases = tcase_create("markup");
    tcase_add_test(cases, html_is_shown_as_text);
    tcase_add_test(cases, what_reorders_hides_or_is_no_text_is_replaced);
    tcase_add_test(cases, white_space_is_one_space);
    tcase_add_test(cases, markdown_has_no_meaning);
    tcase_add_test(cases, a_code_span_cannot_be_left);
    tcase_add_test(cases, a_code_span_of_what_is_no_text_has_room);
    tcase_add_test(cases, of_a_megabyte_the_beginning_is_shown);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(markup_suite)
