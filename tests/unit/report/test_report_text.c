#include <stdio.h>

#include "mem.h"
#include "page.h"
#include "report.h"
#include "report_picture.h"
#include "slice.h"

#include "fl_golden.h"
#include "fl_pictures.h"

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
    const fl_picture *picture;
    fl_report_style style;
} pages[] = {
    {"report/incident.plain.txt", &fl_test_incident, NULL, {0}},
    {"report/incident.narrow.txt", &fl_test_incident, NULL, {.width = 60}},
    {"report/incident.color.txt",
     &fl_test_incident,
     NULL,
     {.width = 80, .color = true, .unicode = true}},
    {"report/incident.rows.txt", &fl_test_incident, &fl_test_picture, {.width = 60}},
    {"report/empty.plain.txt", &fl_test_empty_incident, &fl_test_empty_picture, {0}},
};

START_TEST(the_page_is_as_reviewed)
{
    ck_assert_ok(
        fl_report_text(&out, pages[_i].incident, pages[_i].picture, &pages[_i].style, &err));
    fl_golden_check(pages[_i].golden, out.ptr, out.len);
}
END_TEST

static size_t longest_line(const char *text);

/* An answer of a recording of the shop and its picture, as they were kept. */
static const struct {
    const char *golden;
    fl_report_style style;
} widths_of_the_shop[] = {
    {"report/shop.80.txt", {.width = 80, .unicode = true}},
    {"report/shop.200.txt", {.width = 200, .unicode = true}},
    {"report/shop.color.txt", {.width = 80, .unicode = true, .color = true}},
    {"report/shop.pipe.txt", {0}},
};

static char *read_golden(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), FL_SOURCE_DIR "/tests/golden/report/%s", name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    char *text = fl_mem_calloc(1, 1 << 17);
    size_t len = fread(text, 1, (1 << 17) - 1, file);
    ck_assert(len > 0 && feof(file));
    fclose(file);
    return text;
}

static void write_shop(fl_buf *to, const fl_report_style *style, bool has_picture)
{
    const fl_incident *incident = NULL;
    const fl_picture *picture = NULL;
    char *document = read_golden("shop.json"), *drawn = read_golden("shop.timeline.json");
    fl_arena arena = fl_arena_of(16 << 20);
    ck_assert_ok(fl_report_load(&incident, &arena, fl_slice_of(document), &err));
    ck_assert_ok(fl_report_picture_load(&picture, &arena, fl_slice_of(drawn), &err));
    ck_assert_ok(fl_report_text(to, incident, has_picture ? picture : NULL, style, &err));
    fl_arena_dispose(&arena);
    fl_mem_free(document);
    fl_mem_free(drawn);
}

START_TEST(a_recorded_incident_is_as_reviewed)
{
    write_shop(&out, &widths_of_the_shop[_i].style, true);
    fl_golden_check(widths_of_the_shop[_i].golden, out.ptr, out.len);
}
END_TEST

/* The words of a page: no line ends, no spaces, no sequences. */
static void keep_words(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0'; at++)
        if (*at == '\033')
            at += strcspn(at, "m");
        else if (*at != ' ' && *at != '\n')
            *to++ = *at;
    *to = '\0';
}

START_TEST(no_width_and_no_colour_adds_or_loses_a_word)
{
    fl_buf wide = fl_buf_of(1 << 20);
    write_shop(&out, &(fl_report_style){.width = (size_t)_i, .color = true}, false);
    write_shop(&wide, &(fl_report_style){.width = 139}, false);
    keep_words(out.ptr);
    keep_words(wide.ptr);
    ck_assert_str_eq(out.ptr, wide.ptr);
    fl_buf_dispose(&wide);
}
END_TEST

START_TEST(a_long_name_takes_the_room_of_the_bar_and_then_a_line_of_its_own)
{
    fl_hypothesis hypothesis = {.rank = 1,
                                .service = "a-service-with-a-name-of-45-columns-in-a-row",
                                .cause = FL_CAUSE_NETWORK_DELAY,
                                .resource = FL_RESOURCE_NETWORK,
                                .probability = 0.5};
    fl_incident incident = fl_test_empty_incident;
    incident.hypotheses = &hypothesis;
    incident.hypothesis_count = 1;
    const fl_report_style styles[] = {{.width = 100}, {.width = 80}};
    ck_assert_ok(fl_report_text(&out, &incident, NULL, &styles[0], &err));
    ck_assert_ptr_nonnull(
        strstr(out.ptr, "  1  [########........]  50 %  "
                        "a-service-with-a-name-of-45-columns-in-a-row  network-delay (network)\n"));
    fl_buf_clear(&out);
    ck_assert_ok(fl_report_text(&out, &incident, NULL, &styles[1], &err));
    ck_assert_ptr_nonnull(strstr(out.ptr,
                                 "  1  [##..]  50 %  a-service-with-a-name-of-45-columns-in-a-row\n"
                                 "                   network-delay (network)\n"));
}
END_TEST

/* In a pipe, a line that was there without the picture is there with it. */
START_TEST(rows_are_lines_of_their_own_in_a_pipe)
{
    fl_buf without = fl_buf_of(1 << 20);
    write_shop(&out, &(fl_report_style){0}, true);
    write_shop(&without, &(fl_report_style){0}, false);
    const char *with = out.ptr;
    for (const char *at = without.ptr; *at != '\0'; at += strcspn(at, "\n") + 1) {
        char line[512];
        snprintf(line, sizeof(line), "%.*s\n", (int)strcspn(at, "\n"), at);
        with = strstr(with, line);
        ck_assert_msg(with != NULL, "lost: %s", line);
        with += strlen(line);
    }
    fl_buf_dispose(&without);
}
END_TEST

/* Two modes of one metric have one query. */
START_TEST(the_row_is_of_the_series_that_the_evidence_speaks_of)
{
    fl_lane lanes[3] = {fl_test_lanes[4], fl_test_lanes[4], fl_test_lanes[4]};
    fl_evidence evidence = fl_test_pool_evidence[0];
    fl_hypothesis hypothesis = fl_test_hypotheses[0];
    fl_incident incident = fl_test_incident;
    fl_picture picture = fl_test_picture;
    lanes[0].name = "of another hypothesis";
    lanes[0].hypothesis = 2;
    lanes[1].name = "charge {mode=system}";
    lanes[1].usual = 3;
    lanes[2].name = "charge {mode=user}";
    lanes[2].usual = 18;
    evidence.baseline = 18.2;
    hypothesis.evidence = &evidence;
    hypothesis.evidence_count = 1;
    incident.hypotheses = &hypothesis;
    incident.hypothesis_count = 1;
    picture.lanes = lanes;
    picture.lane_count = 3;
    ck_assert_ok(fl_report_text(&out, &incident, &picture, &(fl_report_style){0}, &err));
    ck_assert_ptr_nonnull(strstr(out.ptr, "charge {mode=user}: usual 18 ms"));
    evidence.baseline = NAN; /* nothing to tell them by */
    fl_buf_clear(&out);
    ck_assert_ok(fl_report_text(&out, &incident, &picture, &(fl_report_style){0}, &err));
    ck_assert_ptr_nonnull(strstr(out.ptr, "charge {mode=system}: usual 3 ms"));
}
END_TEST

START_TEST(a_hostile_name_of_a_lane_is_text)
{
    fl_lane lane = fl_test_lanes[4];
    fl_picture picture = fl_test_picture;
    char name[4096];
    memset(name, 'x', sizeof(name));
    memcpy(name, "\033[2J\342\200\256\n", 8);
    name[sizeof(name) - 1] = '\0';
    lane.name = name;
    lane.unit = "\033]0;owned\007";
    picture.lanes = &lane;
    picture.lane_count = 1;
    ck_assert_ok(
        fl_report_text(&out, &fl_test_incident, &picture, &(fl_report_style){.width = 80}, &err));
    ck_assert_ptr_null(strchr(out.ptr, '\033'));
    ck_assert_ptr_null(strchr(out.ptr, '\007'));
    ck_assert_ptr_null(strstr(out.ptr, "\342\200\256"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "?[2J?"));
    ck_assert_uint_le(longest_line(out.ptr), 80);
}
END_TEST

static size_t longest_line(const char *text)
{
    size_t longest = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        char line[4096];
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
    fl_report_style style = {.width = (size_t)_i, .unicode = _i % 2 == 0};
    ck_assert_ok(fl_report_text(&out, &fl_test_incident, &fl_test_picture, &style, &err));
    ck_assert_uint_le(longest_line(out.ptr), style.width);
}
END_TEST

START_TEST(plain_pages_hold_no_control_sequence_and_only_ascii)
{
    ck_assert_ok(
        fl_report_text(&out, &fl_test_incident, &fl_test_picture, &(fl_report_style){0}, &err));
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
    ck_assert_ok(fl_report_text(&out, &incident, NULL, &(fl_report_style){0}, &err));
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
    ck_assert_ok(fl_report_text(&out, &incident, NULL, &(fl_report_style){0}, &err));
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
    ck_assert_ok(fl_report_text(&out, &incident, NULL, &(fl_report_style){0}, &err));
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
    ck_assert_ok(fl_report_text(&out, &incident, NULL, &(fl_report_style){0}, &err));
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
    ck_assert_ok(fl_report_text(&out, &incident, NULL, &(fl_report_style){0}, &err));
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
        status =
            fl_report_text(&text, &fl_test_incident, &fl_test_picture, &(fl_report_style){0}, NULL);
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
    tcase_add_loop_test(cases, no_line_is_wider_than_the_terminal, 60, 201);
    tcase_add_loop_test(cases, a_recorded_incident_is_as_reviewed, 0,
                        sizeof(widths_of_the_shop) / sizeof(widths_of_the_shop[0]));
    tcase_add_loop_test(cases, no_width_and_no_colour_adds_or_loses_a_word, 80, 201);
    tcase_add_test(cases, a_long_name_takes_the_room_of_the_bar_and_then_a_line_of_its_own);
    tcase_add_test(cases, rows_are_lines_of_their_own_in_a_pipe);
    tcase_add_test(cases, the_row_is_of_the_series_that_the_evidence_speaks_of);
    tcase_add_test(cases, a_hostile_name_of_a_lane_is_text);
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
