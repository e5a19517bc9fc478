#include <stdio.h>

#include "mem.h"
#include "page.h"
#include "report.h"

#include "fl_golden.h"
#include "fl_incidents.h"

static fl_error err;
static fl_buf out;

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

static const struct {
    const char *golden;
    const fl_incident *incident;
    fl_report_style style;
} pages[] = {
    {"report/incident.plain.txt", &fl_test_incident, {0}},
    {"report/incident.narrow.txt", &fl_test_incident, {.width = 60}},
    {"report/incident.color.txt", &fl_test_incident, {.width = 80, .color = true, .unicode = true}},
    {"report/empty.plain.txt", &fl_test_empty_incident, {0}},
};

START_TEST(the_page_is_as_reviewed)
{
    ck_assert_ok(fl_report_text(&out, pages[_i].incident, &pages[_i].style, &err));
    fl_golden_check(pages[_i].golden, out.ptr, out.len);
}
END_TEST

static size_t longest_line(const char *text)
{
    size_t longest = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        char line[1024];
        ck_assert_uint_lt(len, sizeof(line));
        memcpy(line, text, len);
        line[len] = '\0';
        if (strstr(line, " see  ") == NULL && fl_page_columns(line) > longest)
            longest = fl_page_columns(line); /* queries are not wrapped on purpose */
        text += len + (text[len] == '\n');
    }
    return longest;
}

START_TEST(no_line_is_wider_than_the_terminal)
{
    fl_report_style style = {.width = (size_t)_i};
    ck_assert_ok(fl_report_text(&out, &fl_test_incident, &style, &err));
    ck_assert_uint_le(longest_line(out.ptr), style.width);
}
END_TEST

START_TEST(plain_pages_hold_no_control_sequence_and_only_ascii)
{
    ck_assert_ok(fl_report_text(&out, &fl_test_incident, &(fl_report_style){0}, &err));
    for (size_t i = 0; i < out.len; i++)
        ck_assert(out.ptr[i] == '\n' || (out.ptr[i] >= ' ' && out.ptr[i] <= '~'));
}
END_TEST

START_TEST(an_escape_sequence_of_a_log_line_never_reaches_the_terminal)
{
    static const char *const warnings[] = {
        "red \033[31malert\007 \302\233 and \342\200\256reversed\x7f and \r\nmore"};
    fl_incident incident = fl_test_empty_incident;
    incident.warnings = warnings;
    incident.warning_count = 1;
    ck_assert_ok(fl_report_text(&out, &incident, &(fl_report_style){0}, &err));
    ck_assert_ptr_nonnull(strstr(out.ptr, "red ?[31malert? ? and ?reversed? and more\n"));
}
END_TEST

START_TEST(a_first_screen_shows_at_most_seven_items_of_evidence_and_counts_the_rest)
{
    fl_evidence evidence[20];
    fl_hypothesis hypotheses[9];
    fl_incident incident = fl_test_incident;
    for (size_t i = 0; i < 20; i++)
        evidence[i] = fl_test_pool_evidence[0];
    for (size_t i = 0; i < 9; i++) {
        hypotheses[i] = fl_test_hypotheses[0];
        hypotheses[i].rank = (uint32_t)i + 1;
        hypotheses[i].evidence = evidence;
        hypotheses[i].evidence_count = 20;
    }
    incident.hypotheses = hypotheses;
    incident.hypothesis_count = 9;
    ck_assert_ok(fl_report_text(&out, &incident, &(fl_report_style){0}, &err));
    size_t shown = 0;
    for (const char *at = out.ptr; (at = strstr(at, "+ traces")) != NULL; at++)
        shown++;
    ck_assert_uint_eq(shown, FL_REPORT_FIRST_EVIDENCE);
    ck_assert_ptr_nonnull(strstr(out.ptr, "16 more items of evidence in the JSON answer"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "4 more hypotheses in the JSON answer"));
}
END_TEST

START_TEST(a_single_hypothesis_may_use_the_whole_screen)
{
    fl_evidence evidence[7];
    fl_hypothesis hypothesis = fl_test_hypotheses[0];
    fl_incident incident = fl_test_incident;
    for (size_t i = 0; i < 7; i++)
        evidence[i] = fl_test_pool_evidence[0];
    hypothesis.evidence = evidence;
    hypothesis.evidence_count = 7;
    incident.hypotheses = &hypothesis;
    incident.hypothesis_count = 1;
    ck_assert_ok(fl_report_text(&out, &incident, &(fl_report_style){0}, &err));
    ck_assert_ptr_null(strstr(out.ptr, "more item"));
}
END_TEST

START_TEST(a_certainty_is_not_claimed_by_rounding)
{
    fl_hypothesis hypothesis = fl_test_hypotheses[0];
    fl_incident incident = fl_test_incident;
    hypothesis.probability = 0.9999;
    incident.hypotheses = &hypothesis;
    incident.hypothesis_count = 1;
    ck_assert_ok(fl_report_text(&out, &incident, &(fl_report_style){0}, &err));
    ck_assert_ptr_nonnull(strstr(out.ptr, ">99 %"));
    ck_assert_ptr_null(strstr(out.ptr, "100 %"));
}
END_TEST

START_TEST(unknown_names_are_not_left_blank)
{
    fl_hypothesis hypothesis = {.rank = 1, .locus = FL_LOCUS_OPERATION, .probability = NAN};
    fl_incident incident = fl_test_empty_incident;
    incident.hypotheses = &hypothesis;
    incident.hypothesis_count = 1;
    ck_assert_ok(fl_report_text(&out, &incident, &(fl_report_style){0}, &err));
    ck_assert_ptr_nonnull(strstr(out.ptr, "(service not named)"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "n/a"));
}
END_TEST

START_TEST(columns_are_those_of_a_terminal)
{
    ck_assert_uint_eq(fl_page_columns("abc"), 3);
    ck_assert_uint_eq(fl_page_columns("\u00fcber"), 4);
    ck_assert_uint_eq(fl_page_columns("e\u0301"), 1);
    ck_assert_uint_eq(fl_page_columns("\u65e5\u672c"), 4);
    ck_assert_uint_eq(fl_page_columns("\U0001F525"), 2);
    ck_assert_uint_eq(fl_page_columns("\xff\xfe"), 2); /* damaged bytes show as '?' */
}
END_TEST

START_TEST(a_word_longer_than_the_line_is_broken)
{
    char word[301];
    memset(word, 'x', 300);
    word[300] = '\0';
    fl_page page = fl_page_on(&out, &(fl_report_style){.width = 60});
    fl_page_pad(&page, 10);
    fl_page_wrap(&page, FL_INK_PLAIN, word);
    ck_assert_uint_eq(longest_line(out.ptr), 60);
}
END_TEST

START_TEST(an_address_is_not_cut)
{
    const char *address =
        "https://docs.example.org/one/two/three/four/five/six/seven/eight/nine/ten";
    fl_page page = fl_page_on(&out, &(fl_report_style){.width = 40});
    fl_page_pad(&page, 10);
    fl_page_wrap(&page, FL_INK_PLAIN, address);
    ck_assert_str_eq(out.ptr + 10, address);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    for (long failures = 0; status != FL_OK; failures++) {
        fl_buf text = fl_buf_of(1 << 20);
        fl_mem_fail_after(failures);
        status = fl_report_text(&text, &fl_test_incident, &(fl_report_style){0}, NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        fl_buf_dispose(&text);
    }
}
END_TEST

static Suite *report_text_suite(void)
{
    Suite *suite = suite_create("report/report_text");
    TCase *cases = tcase_create("report_text");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, the_page_is_as_reviewed, 0, sizeof(pages) / sizeof(pages[0]));
    tcase_add_loop_test(cases, no_line_is_wider_than_the_terminal, 70, 121);
    tcase_add_test(cases, plain_pages_hold_no_control_sequence_and_only_ascii);
    tcase_add_test(cases, an_escape_sequence_of_a_log_line_never_reaches_the_terminal);
    tcase_add_test(cases, a_first_screen_shows_at_most_seven_items_of_evidence_and_counts_the_rest);
    tcase_add_test(cases, a_single_hypothesis_may_use_the_whole_screen);
    tcase_add_test(cases, a_certainty_is_not_claimed_by_rounding);
    tcase_add_test(cases, unknown_names_are_not_left_blank);
    tcase_add_test(cases, columns_are_those_of_a_terminal);
    tcase_add_test(cases, a_word_longer_than_the_line_is_broken);
    tcase_add_test(cases, an_address_is_not_cut);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(report_text_suite)
