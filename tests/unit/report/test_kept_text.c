#include "kept_text.h"

#include <stdio.h>
#include <string.h>

#include "fl_kept.h"
#include "fl_test.h"
#include "mem.h"
#include "postmortem.h"
#include "report.h"

static fl_error err;
static fl_arena arena;
static fl_buf out;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
    out = fl_buf_of(1 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&out);
    fl_arena_dispose(&arena);
}

static bool says(const char *text)
{
    return strstr(out.ptr, text) != NULL;
}

START_TEST(a_step_is_named_as_a_view_of_heaps_names_it)
{
    static const char *const names[] = {"the heap", "class shop.Cache",
                                        ".ENTRIES java.util.HashMap", FL_TEST_HOSTILE};
    char name[FL_KEPT_NAME_TEXT];
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(fl_kept_name(name, &fl_test_path[i]), names[i]);
}
END_TEST

START_TEST(a_long_name_is_cut_between_characters)
{
    char name[FL_KEPT_NAME_TEXT], type[1001], field[1001];
    memset(type, 'a', 1000);
    memcpy(type + 199, "\xC3\xA9", 2);
    memset(field, 'f', 1000);
    type[1000] = field[1000] = '\0';
    const fl_kept_step step = {.kind = FL_KEPT_OBJECTS, .type = type, .field = field};
    ck_assert_uint_eq(strlen(fl_kept_name(name, &step)), 1 + 200 + 1 + 199 + 3);
    ck_assert_str_eq(name + 202 + 198, "a...");
}
END_TEST

START_TEST(figures_are_of_the_heap_and_of_the_first_dump)
{
    static const char *const figures[] = {"17.3 MB, 4.1 MB before; 80,211 objects",
                                          "13.1 MB, 76 %, 88 B before", "13.1 MB, 76 %, 0 B before",
                                          "99 MB, >99 %, 7 B before; 60,000 objects"};
    char text[FL_KEPT_FIGURES_TEXT], gap[FL_KEPT_GAP_TEXT];
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(fl_kept_figures(text, fl_test_path, i), figures[i]);
    ck_assert_str_eq(fl_kept_gap(gap, 0), "");
    ck_assert_str_eq(fl_kept_gap(gap, 1), "(1 step) ");
    ck_assert_str_eq(fl_kept_gap(gap, UINT64_MAX), "(18446744073709551615 steps) ");
}
END_TEST

START_TEST(a_heap_of_nothing_has_no_shares)
{
    const fl_kept_step nothing[] = {{.kind = FL_KEPT_HEAP}};
    ck_assert(fl_kept_share(nothing, UINT64_MAX) == 0);
}
END_TEST

/* ---- where it is shown ---- */

START_TEST(a_terminal_shows_each_step_below_the_one_that_keeps_it)
{
    const fl_report_style plain = {.width = 100}, fine = {.width = 100, .unicode = true};
    ck_assert_ok(fl_report_text(&out, &fl_test_kept_incident, NULL, &plain, &err));
    ck_assert(says("                  the heap 17.3 MB, 4.1 MB before; 80,211 objects\n"
                   "                  ` (2 steps) class shop.Cache 13.1 MB, 76 %, 88 B before\n"
                   "                    ` .ENTRIES java.util.HashMap 13.1 MB, 76 %, 0 B before\n"
                   "                      ` shop.<script>`auto:F1`?[31m?|*x* 99 MB, >99 %, 7 B"));
    ck_assert(strchr(out.ptr, '\033') == NULL);
    fl_buf_clear(&out);
    ck_assert_ok(fl_report_text(&out, &fl_test_kept_incident, NULL, &fine, &err));
    ck_assert(says("\xE2\x94\x94 .ENTRIES java.util.HashMap"));
}
END_TEST

START_TEST(a_long_way_is_shown_by_its_end)
{
    fl_kept_step steps[FL_KEPT_STEPS];
    fl_evidence evidence = fl_test_kept_evidence[0];
    fl_hypothesis hypothesis = fl_test_kept_hypotheses[0];
    fl_incident incident = fl_test_kept_incident;
    const fl_report_style plain = {.width = 100};
    for (size_t i = 0; i < FL_KEPT_STEPS; i++)
        steps[i] = fl_test_path[i < 3 ? i : 2];
    evidence.path = steps;
    evidence.path_count = FL_KEPT_STEPS;
    hypothesis.evidence = &evidence;
    incident.hypotheses = &hypothesis;
    ck_assert_ok(fl_report_text(&out, &incident, NULL, &plain, &err));
    ck_assert(says("` (10 steps) .ENTRIES java.util.HashMap"));
    size_t lines = 0;
    for (const char *at = out.ptr; (at = strstr(at, ".ENTRIES java")) != NULL; at++)
        lines++;
    ck_assert_uint_eq(lines, 7);
}
END_TEST

static void draft(fl_postmortem_format format)
{
    const fl_postmortem_input in = {.incident = &fl_test_kept_incident};
    const fl_postmortem_options options = {.format = format};
    ck_assert_ok(fl_postmortem_write(&out, &in, &options, &err));
}

START_TEST(a_draft_has_it_as_lists_in_lists)
{
    draft(FL_POSTMORTEM_MARKDOWN);
    ck_assert(says("    - the heap: 17.3 MB, 4.1 MB before; 80,211 objects\n"
                   "      - (2 steps) class shop.Cache: 13.1 MB, 76 %, 88 B before\n"));
    ck_assert(says("          - shop.\\<script\\>\\`auto:F1\\`\xEF\xBF\xBD\\[31m"));
    fl_buf_clear(&out);
    draft(FL_POSTMORTEM_HTML);
    ck_assert(says("<ul class=\"kept\"><li><code>the heap</code> 17.3 MB"));
    ck_assert(says("\n<ul><li>(2 steps) <code>class shop.Cache</code>"));
    ck_assert(says("shop.&lt;script&gt;") && !says("<script"));
    ck_assert(says("</li></ul></li></ul></li></ul></li></ul>"));
    fl_buf_clear(&out);
    draft(FL_POSTMORTEM_JSON);
    ck_assert(says("\"what\": \"class\""));
}
END_TEST

/* ---- and back ---- */

START_TEST(a_document_has_every_step_again)
{
    const fl_incident *back = NULL;
    fl_buf twice = fl_buf_of(1 << 20);
    ck_assert_ok(fl_report_json(&out, &fl_test_kept_incident, &err));
    ck_assert_ok(fl_report_load(&back, &arena, fl_buf_slice(&out), &err));
    const fl_evidence *evidence = &back->hypotheses[0].evidence[0];
    ck_assert_uint_eq(evidence->path_count, 4);
    ck_assert_str_eq(evidence->path[3].type, FL_TEST_HOSTILE);
    ck_assert_str_eq(evidence->path[2].field, "ENTRIES");
    ck_assert_uint_eq(evidence->path[1].left_out, 2);
    ck_assert_uint_eq(evidence->path[1].before_bytes, 88);
    ck_assert(evidence->path[2].has_before && evidence->path[2].before_bytes == 0);
    ck_assert_ok(fl_report_json(&twice, back, &err));
    ck_assert_str_eq(out.ptr, twice.ptr);
    fl_buf_dispose(&twice);
}
END_TEST

static const struct {
    const char *from, *to, *message;
} bad[] = {
    {"\"path\": [", "\"path\": 7, \"other\": [", "'path' is not an array"},
    {"\"path\": [", "\"path\": [], \"other\": [", "'path' has no steps, or too many"},
    {"\"path\": [", "\"path\": [7,", "'before_bytes' is missing"},
    {"\"what\": \"heap\"", "\"what\": \"heaps\"", "'what' is not a known word"},
    {"\"what\": \"heap\"", "\"what\": \"class\"", "'path' does not begin with the heap"},
    {"\"what\": \"class\"", "\"what\": \"heap\"", "'path' does not begin with the heap"},
    {"\"class\": \"shop.Cache\"", "\"class\": null",
     "'class' is missing in a step of a path, or of the heap"},
    {"\"class\": \"shop.Cache\"", "\"class\": 7", "'class' is not a string"},
    {"\"field\": \"ENTRIES\"", "\"fields\": \"ENTRIES\"", "'field' is missing"},
    {"\"retained_bytes\": 13100000", "\"retained_bytes\": -1", "'retained_bytes' is not a count"},
    {"\"before_bytes\": 88", "\"before_bytes\": 8.5", "'before_bytes' is not a count"},
    {"\"left_out\": 2", "\"left_out\": null", "'left_out' is not a count"},
};

START_TEST(a_wrong_step_is_named)
{
    const fl_incident *back = NULL;
    char message[256];
    ck_assert_ok(fl_report_json(&out, &fl_test_kept_incident, &err));
    const char *at = strstr(out.ptr, bad[_i].from);
    ck_assert_ptr_nonnull(at);
    fl_buf text = fl_buf_of(1 << 20);
    fl_buf_printf(&text, "%.*s%s%s", (int)(at - out.ptr), out.ptr, bad[_i].to,
                  at + strlen(bad[_i].from));
    ck_assert_fails(FL_E_SYNTAX, fl_report_load(&back, &arena, fl_buf_slice(&text), &err));
    snprintf(message, sizeof(message), "triage document: hypothesis 1 evidence 1: %s",
             bad[_i].message);
    ck_assert_str_eq(err.message, message);
    fl_buf_dispose(&text);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("kept_text");
    TCase *tc = tcase_create("kept_text");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_step_is_named_as_a_view_of_heaps_names_it);
    tcase_add_test(tc, a_long_name_is_cut_between_characters);
    tcase_add_test(tc, figures_are_of_the_heap_and_of_the_first_dump);
    tcase_add_test(tc, a_heap_of_nothing_has_no_shares);
    tcase_add_test(tc, a_terminal_shows_each_step_below_the_one_that_keeps_it);
    tcase_add_test(tc, a_long_way_is_shown_by_its_end);
    tcase_add_test(tc, a_draft_has_it_as_lists_in_lists);
    tcase_add_test(tc, a_document_has_every_step_again);
    tcase_add_loop_test(tc, a_wrong_step_is_named, 0, sizeof(bad) / sizeof(bad[0]));
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
