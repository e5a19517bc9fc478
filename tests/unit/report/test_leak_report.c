#include "leak_report.h"

#include <jansson.h>
#include <stdio.h>

#include "fl_golden.h"
#include "fl_leaks.h"
#include "mem.h"

static fl_error err;
static fl_buf out;
static const fl_report_style plain = {.width = 100};

static void setup(void)
{
    err = (fl_error){0};
    out = fl_buf_of(1 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&out);
}

START_TEST(a_report_is_written_as_the_contract)
{
    ck_assert_ok(fl_leak_report_json(&out, &fl_test_shown_leak, &err));
    fl_golden_check("report/leak.json", out.ptr, out.len);
}
END_TEST

START_TEST(a_report_without_findings_is_written_as_the_contract)
{
    ck_assert_ok(fl_leak_report_json(&out, &fl_test_shown_nothing, &err));
    fl_golden_check("report/leak_empty.json", out.ptr, out.len);
}
END_TEST

START_TEST(members_of_the_contract_stand_first_and_in_its_order)
{
    static const char *const order[] = {
        "\"schema\"",     "\"verdict\"",   "\"kind\"",     "\"confidence\"",
        "\"findings\"",   "\"verdict\"",   "\"kind\"",     "\"function\"",
        "\"file\"",       "\"line\"",      "\"holder\"",   "\"growth_bytes_per_hour\"",
        "\"evidence\"",   "\"profile\"",   "\"text\"",     "\"at\"",
        "\"value\"",      "\"unit\"",      "\"against\"",  "\"fix\"",
        "\"references\"", "\"ruled_out\"", "\"warnings\"",
    };
    ck_assert_ok(fl_leak_report_json(&out, &fl_test_shown_leak, &err));
    const char *at = out.ptr;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const char *found = strstr(at, order[i]);
        ck_assert_msg(found != NULL, "%s is not after its predecessor", order[i]);
        at = found + 1;
    }
}
END_TEST

START_TEST(a_page_shows_the_four_steps)
{
    ck_assert_ok(fl_leak_report_text(&out, &fl_test_shown_leak, &plain, &err));
    fl_golden_check("report/leak.plain.txt", out.ptr, out.len);
}
END_TEST

START_TEST(a_page_of_a_narrow_coloured_terminal)
{
    const fl_report_style style = {.width = 60, .color = true, .unicode = true};
    ck_assert_ok(fl_leak_report_text(&out, &fl_test_shown_leak, &style, &err));
    fl_golden_check("report/leak.color.txt", out.ptr, out.len);
}
END_TEST

START_TEST(a_page_without_findings_says_what_to_collect)
{
    ck_assert_ok(fl_leak_report_text(&out, &fl_test_shown_nothing, &plain, &err));
    fl_golden_check("report/leak_empty.plain.txt", out.ptr, out.len);
}
END_TEST

START_TEST(escapes_of_the_input_never_reach_the_terminal)
{
    ck_assert_ok(fl_leak_report_text(&out, &fl_test_shown_leak, &plain, &err));
    ck_assert_ptr_null(memchr(out.ptr, '\033', out.len));
}
END_TEST

START_TEST(every_verdict_has_words)
{
    fl_leak_report report = fl_test_leak;
    fl_leak_shown shown = fl_test_shown_leak;
    shown.report = &report;
    for (int i = 0; i < FL_LEAK_VERDICT_COUNT; i++) {
        report.verdict = (fl_leak_verdict)i;
        fl_buf_clear(&out);
        ck_assert_ok(fl_leak_report_text(&out, &shown, &plain, &err));
        ck_assert_ptr_nonnull(memchr(out.ptr, ':', 60));
    }
}
END_TEST

START_TEST(signatures_are_listed_one_a_line_with_their_forms)
{
    ck_assert_ok(
        fl_signature_list_text(&out, fl_test_signatures, FL_TEST_SIGNATURES, &plain, &err));
    fl_golden_check("report/signatures.plain.txt", out.ptr, out.len);
}
END_TEST

START_TEST(a_signature_is_shown_whole)
{
    ck_assert_ok(fl_signature_text(&out, fl_test_signatures, 2, &plain, &err));
    fl_golden_check("report/signature.plain.txt", out.ptr, out.len);
}
END_TEST

START_TEST(signatures_are_written_as_json)
{
    ck_assert_ok(fl_signature_json(&out, fl_test_signatures, FL_TEST_SIGNATURES, &err));
    fl_golden_check("report/signatures.json", out.ptr, out.len);
}
END_TEST

static const struct size {
    double bytes;
    const char *text;
} sizes[] = {
    {0, "0 B"},
    {-0.0, "0 B"},
    {812, "812 B"},
    {999.4, "999 B"},
    {1024, "1.0 KiB"},
    {10 * 1024, "10 KiB"},
    {1.5 * 1024 * 1024, "1.5 MiB"},
    {-3e9, "-2.8 GiB"},
    {1e30, "7994 PiB"},
    {NAN, "n/a"},
};

START_TEST(bytes_read_as_a_person_says_them)
{
    char text[FL_BYTES_TEXT];
    ck_assert_str_eq(fl_bytes_text(text, sizes[_i].bytes), sizes[_i].text);
}
END_TEST

/* All documents and pages, so that each allocation of each of them is hit. */
static fl_status write_all(void)
{
    fl_status status = fl_leak_report_json(&out, &fl_test_shown_leak, &err);
    if (status == FL_OK)
        status = fl_signature_json(&out, fl_test_signatures, FL_TEST_SIGNATURES, &err);
    if (status == FL_OK)
        status = fl_leak_report_text(&out, &fl_test_shown_leak, &plain, &err);
    return status == FL_OK ? fl_signature_text(&out, fl_test_signatures, 2, &plain, &err) : status;
}

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    long n = 0;
    json_set_alloc_funcs(fl_mem_alloc, fl_mem_free);
    for (; status == FL_E_NOMEM && n < 5000; n++) {
        fl_buf_dispose(&out);
        out = fl_buf_of(1 << 20);
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = write_all();
        fl_mem_fail_after(-1);
    }
    ck_assert_ok(status);
    ck_assert_int_gt(n, 50);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("leak_report");
    TCase *cases = tcase_create("leak_report");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_report_is_written_as_the_contract);
    tcase_add_test(cases, a_report_without_findings_is_written_as_the_contract);
    tcase_add_test(cases, members_of_the_contract_stand_first_and_in_its_order);
    tcase_add_test(cases, a_page_shows_the_four_steps);
    tcase_add_test(cases, a_page_of_a_narrow_coloured_terminal);
    tcase_add_test(cases, a_page_without_findings_says_what_to_collect);
    tcase_add_test(cases, escapes_of_the_input_never_reach_the_terminal);
    tcase_add_test(cases, every_verdict_has_words);
    tcase_add_test(cases, signatures_are_listed_one_a_line_with_their_forms);
    tcase_add_test(cases, a_signature_is_shown_whole);
    tcase_add_test(cases, signatures_are_written_as_json);
    tcase_add_loop_test(cases, bytes_read_as_a_person_says_them, 0,
                        sizeof(sizes) / sizeof(sizes[0]));
    tcase_add_test(cases, every_allocation_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
