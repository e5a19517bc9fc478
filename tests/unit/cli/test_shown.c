#include "shown.h"

#include <stdio.h>

#include "mem.h"
#include "report_picture.h"

#include "fl_pictures.h"
#include "fl_test.h"

static fl_error err;
static fl_buf out, document, picture;

static void setup(void)
{
    err = (fl_error){0};
    out = fl_buf_of(1 << 20);
    document = fl_buf_of(1 << 20);
    picture = fl_buf_of(1 << 20);
    ck_assert_ok(fl_report_json(&document, &fl_test_incident, &err));
    ck_assert_ok(fl_report_picture_json(&picture, &fl_test_picture, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&out);
    fl_buf_dispose(&document);
    fl_buf_dispose(&picture);
}

static fl_status show(const char *text, const char *drawn)
{
    fl_buf_clear(&out);
    return fl_shown_text(&out, &(fl_shown){.document = text, .picture = drawn},
                         &(fl_report_style){0}, &err);
}

/* The document with `live` as its last member. */
static const char *with_live(const char *live)
{
    static char text[32768];
    size_t end = strlen(document.ptr);
    while (document.ptr[end - 1] != '}')
        end--;
    snprintf(text, sizeof(text), "%.*s, \"live\": %s}", (int)end - 1, document.ptr, live);
    return text;
}

START_TEST(the_answer_has_the_rows_of_its_picture)
{
    ck_assert_ok(show(document.ptr, picture.ptr));
    ck_assert_ptr_nonnull(strstr(out.ptr, "[..>.|*@@ .]"));
    ck_assert_ok(show(document.ptr, NULL));
    ck_assert_ptr_null(strstr(out.ptr, "[..>.|*@@ .]"));
}
END_TEST

START_TEST(a_picture_that_cannot_be_read_costs_itself_only)
{
    static const struct {
        const char *picture, *said;
    } cases[] = {
        {"", "Its picture cannot be shown: "},
        {"{", "Its picture cannot be shown: "},
        {"{\"schema\": \"faultline.timeline/9\"}", "Its picture cannot be shown: "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_ok(show(document.ptr, cases[i].picture));
        ck_assert_ptr_nonnull(strstr(out.ptr, "Cause found: payment-gateway, pool (87 %)"));
        ck_assert_ptr_nonnull(strstr(out.ptr, cases[i].said));
    }
}
END_TEST

START_TEST(what_a_daemon_knows_stands_below_it)
{
    ck_assert_ok(
        show(with_live("{\"state\": \"open\", \"opened\": \"2023-01-29T09:35:00Z\","
                       " \"signs_total\": 13, \"signs_lasting\": 2, \"trouble_at\": \"a\","
                       " \"signs\": [{\"onset\": \"2023-01-29T09:34:30Z\", \"kind\": \"alert\","
                       " \"name\": \"Slow\", \"reason\": \"it is the first\"}]}"),
             NULL));
    ck_assert_ptr_nonnull(strstr(
        out.ptr,
        "\nopen since 2023-01-29T09:35:00Z, 13 alerts and breaks, 2 of them last; trouble at a\n"
        "  2023-01-29T09:34:30Z  alert Slow: it is the first\n  and 1 more\n"));
}
END_TEST

START_TEST(hostile_words_of_a_daemon_are_text)
{
    ck_assert_ok(show(
        with_live(
            "{\"state\": \"\\u001b[2J\", \"trouble_at\": \"\\u202eb\\u001b]0;x\\u0007\","
            " \"signs\": [{\"name\": \"\\u001b[31m\", \"reason\": [], \"onset\": 7}, 1, null]}"),
        NULL));
    ck_assert_ptr_null(strchr(out.ptr, '\033'));
    ck_assert_ptr_null(strchr(out.ptr, '\007'));
    ck_assert_ptr_nonnull(strstr(out.ptr, "?[2J since -"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "  -  - ?[31m: -\n"));
}
END_TEST

START_TEST(what_is_no_answer_is_refused)
{
    ck_assert_int_eq(show("", NULL), FL_E_SYNTAX);
    err = (fl_error){0};
    ck_assert_int_eq(show("{\"schema\": \"faultline.triage/9\"}", NULL), FL_E_UNSUPPORTED);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    for (long failures = 0; status != FL_OK; failures++) {
        fl_buf page = fl_buf_of(1 << 20);
        fl_mem_fail_after(failures);
        status = fl_shown_text(&page, &(fl_shown){.document = document.ptr, .picture = picture.ptr},
                               &(fl_report_style){0}, NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        fl_buf_dispose(&page);
    }
}
END_TEST

static Suite *shown_suite(void)
{
    Suite *suite = suite_create("cli/shown");
    TCase *cases = tcase_create("shown");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, the_answer_has_the_rows_of_its_picture);
    tcase_add_test(cases, a_picture_that_cannot_be_read_costs_itself_only);
    tcase_add_test(cases, what_a_daemon_knows_stands_below_it);
    tcase_add_test(cases, hostile_words_of_a_daemon_are_text);
    tcase_add_test(cases, what_is_no_answer_is_refused);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(shown_suite)
