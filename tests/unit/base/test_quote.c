#include <string.h>

#include "fl_test.h"
#include "quote.h"

START_TEST(text_out_of_input_is_printable_and_short)
{
    char out[FL_QUOTE_TEXT], longer[100];
    ck_assert_str_eq(fl_quote(out, (fl_slice){(const unsigned char *)"a\x1b[2J", 5}), "a?[2J");
    memset(longer, 'x', sizeof(longer));
    fl_quote(out, (fl_slice){(const unsigned char *)longer, sizeof(longer)});
    ck_assert_uint_eq(strlen(out), FL_QUOTE_TEXT - 1);
    ck_assert_str_eq(out + FL_QUOTE_TEXT - 4, "...");
}
END_TEST

static const struct {
    const char *text, *shown;
} locations[] = {
    {"a/path", "a/path"},
    {"user@host", "user@host"},
    {"http://host:6060/debug", "http://host:6060/debug"},
    {"http://user:secret@host:6060/", "http://...@host:6060/"},
    {"ftp://secret@host", "ftp://...@host"},
    {"cart=https://u:s@host/", "cart=https://...@host/"},
    {"http://user:sec/ret@host/", "http://...@host/"},
    {"http://user:sec@ret@host/", "http://...@host/"},
    {"://@", "://...@"},
};

START_TEST(a_location_is_shown_without_user_and_password)
{
    char out[FL_QUOTE_LOCATION];
    ck_assert_str_eq(fl_quote_location(out, locations[_i].text), locations[_i].shown);
}
END_TEST

START_TEST(a_long_location_is_cut)
{
    char out[FL_QUOTE_LOCATION], text[4 * FL_QUOTE_LOCATION];
    memset(text, 'x', sizeof(text));
    memcpy(text + FL_QUOTE_LOCATION, "://u:s@", 7);
    text[sizeof(text) - 1] = '\0';
    const char *shown = fl_quote_location(out, text);
    ck_assert_ptr_eq(shown, out);
    ck_assert_uint_eq(strlen(shown), FL_QUOTE_LOCATION - 1);
    ck_assert_ptr_null(strstr(shown, "u:s"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("quote");
    TCase *tests = tcase_create("quote");
    tcase_add_test(tests, text_out_of_input_is_printable_and_short);
    tcase_add_loop_test(tests, a_location_is_shown_without_user_and_password, 0,
                        sizeof(locations) / sizeof(locations[0]));
    tcase_add_test(tests, a_long_location_is_cut);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
