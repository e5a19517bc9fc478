#include "postmortem.h"

#include <stdio.h>

#include "fl_golden.h"
#include "fl_pictures.h"
#include "fl_test.h"
#include "mem.h"
#include "slice.h"
#include "timestamp.h"

static fl_error err;
static fl_buf out;

static const fl_path_fix fixes[] = {{.title = "raise redis.pool.size to 64",
                                     .confidence = {.mean = 0.82, .low = 0.61, .high = 0.95},
                                     .count = 4,
                                     .last_ns = FL_TEST_AT_NS - 900 * FL_TEST_MINUTE}};
static const fl_path paths[] = {{.title = "pool of payment-gateway",
                                 .confidence = {.mean = 0.74, .low = 0.5, .high = 0.91},
                                 .supporting = 5,
                                 .contradicting = 1,
                                 .elsewhere = 2,
                                 .fixes = fixes,
                                 .fix_count = 1,
                                 .known_fixes = 1}};
static const char *const causes[] = {"pool of ledger"};
static const fl_similar similar[] = {{.incident = "20221224T180000Z-0badcafe",
                                      .overlap = 0.66,
                                      .shared = 2,
                                      .causes = causes,
                                      .cause_count = 1}};
static const fl_memory memory = {.paths = paths,
                                 .path_count = 1,
                                 .similar = similar,
                                 .similar_count = 1,
                                 .seen = 6,
                                 .causes = 1};
static const char live[] = "{\"live\": {\"opened\": \"2023-01-29T09:36:00Z\", \"closed\": null}}";

static fl_postmortem_input input;

static void setup(void)
{
    err = (fl_error){0};
    out = fl_buf_of(FL_MAX_POSTMORTEM_BYTES);
    input = (fl_postmortem_input){.incident = &fl_test_incident,
                                  .document = live,
                                  .picture = &fl_test_picture,
                                  .memory = &memory};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&out);
}

static const char *written(fl_postmortem_format format)
{
    const fl_postmortem_options options = {.format = format};
    fl_buf_clear(&out);
    ck_assert_ok(fl_postmortem_write(&out, &input, &options, &err));
    return out.ptr;
}

static void check_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in:\n%s", part, text);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

START_TEST(a_draft_is_as_it_was_reviewed)
{
    static const char *const names[] = {"report/postmortem.md", "report/postmortem.html",
                                        "report/postmortem.json"};
    written((fl_postmortem_format)_i);
    fl_golden_check(names[_i], out.ptr, out.len);
}
END_TEST

/* Of the made-up series: 60, 210, 190 and 180 errors, one of which is usual each minute, of 1965
 * requests in four minutes; the fifth is as usual. */
START_TEST(the_impact_is_counted_from_the_entry_series)
{
    const char *text = written(FL_POSTMORTEM_MARKDOWN);
    check_has(text, "frontend: for 4m (2023-01-29T09:34:19Z to 2023-01-29T09:38:19Z): 636 of 1965 "
                    "requests failed beyond what is usual (32 %). One in a hundred took 3.1 s or "
                    "longer (usually 50 ms).");
    check_has(text, "**Time to detect (TTD)**: 1m2s: the alert HighErrorRate (critical): more than "
                    "5 % of requests fail fired at 2023-01-29T09:35:19Z.");
    check_has(text, "**Time to mitigate (TTM)**: 4m2s: every entry service was as usual again at "
                    "2023-01-29T09:38:19Z.");
    check_has(text, "**Time to acknowledge (TTA)**: unknown");
}
END_TEST

START_TEST(who_names_a_cause_while_it_lasts_has_taken_it_on_by_then)
{
    input.said_ns = fl_test_incident.onset.at_ns + 90 * FL_NS_PER_S;
    check_has(written(FL_POSTMORTEM_MARKDOWN),
              "**Time to acknowledge (TTA), at the latest**: 1m30s: somebody first named a cause");
    fl_buf_clear(&out);
    check_has(written(FL_POSTMORTEM_JSON), "\"tta_s\": 90");
}
END_TEST

/* A second beyond the end that the picture tells, and a day before the begin. */
START_TEST(who_names_a_cause_before_or_after_it_tells_nothing_of_that)
{
    static const int64_t others_s[] = {4 * 60 + 3, -86400};
    for (size_t i = 0; i < sizeof(others_s) / sizeof(others_s[0]); i++) {
        fl_buf_clear(&out);
        input.said_ns = fl_test_incident.onset.at_ns + others_s[i] * FL_NS_PER_S;
        check_has(written(FL_POSTMORTEM_MARKDOWN), "**Time to acknowledge (TTA)**: unknown");
    }
}
END_TEST

START_TEST(an_impact_that_does_not_end_has_no_time_to_mitigate)
{
    fl_picture picture = fl_test_picture;
    picture.step_count = 6; /* the data ends in the worst of it */
    picture.event_count = 1;
    input.picture = &picture;
    input.document = NULL;
    const char *text = written(FL_POSTMORTEM_MARKDOWN);
    check_has(text, "where the data ends");
    check_has(text, "(TTD)**: unknown: no alert is among the data.");
    check_has(text, "(TTM)**: unknown: it was not over at 2023-01-29T09:39:19Z");
}
END_TEST

/* Steps are rounded up; of the last one, half a minute was looked at. */
START_TEST(an_impact_ends_with_the_window)
{
    fl_picture picture = fl_test_picture;
    picture.step_count = 6;
    picture.window.to_ns = FL_TEST_AT_NS + 5 * FL_TEST_MINUTE / 2;
    input.picture = &picture;
    const char *text = written(FL_POSTMORTEM_MARKDOWN);
    check_has(
        text,
        "frontend: for 2m30s (2023-01-29T09:34:19Z to 2023-01-29T09:36:49Z, where the data ends)");
}
END_TEST

START_TEST(what_is_not_known_is_said)
{
    const fl_incident *incident = &fl_test_empty_incident;
    input = (fl_postmortem_input){.incident = incident};
    const char *text = written(FL_POSTMORTEM_MARKDOWN);
    check_has(text, "# Postmortem: cause not known yet");
    check_has(text, "When the trouble began is not known");
    check_has(text, "No cause stands out from the data.");
    check_has(text, "*Not known: there are no series of an entry service.*");
    check_has(text, "*No hypothesis stands out from chance.*");
    check_has(text, "*The graph was not asked.*");
    check_has(text, "factors=0 ranking=0000000000000000 -->");
    ck_assert_uint_eq(count_of(text, "*(empty: for people to write)*"), 3);
    text = written(FL_POSTMORTEM_HTML);
    check_has(text, "No series are kept of this incident.");
    ck_assert_uint_eq(count_of(text, "class=\"people\""), 3);
}
END_TEST

/* Every row of the program is marked, and no mark comes twice. */
START_TEST(each_row_is_marked_once)
{
    const char *text = written(FL_POSTMORTEM_MARKDOWN);
    ck_assert_uint_eq(count_of(text, "`auto:F1`"), 1);
    ck_assert_uint_eq(count_of(text, "`auto:F1.1`"), 1);
    for (const char *line = text; line != NULL; line = strchr(line + 1, '\n')) {
        line += *line == '\n';
        bool is_row = strncmp(line, "- ", 2) == 0 || strncmp(line, "  - ", 4) == 0;
        bool is_peoples = strncmp(line, "- Confirmed cause:", 18) == 0 ||
                          strncmp(line, "- What fixed it:", 16) == 0;
        size_t len = strcspn(line, "\n");
        ck_assert_msg(!is_row || is_peoples || line[len - 1] == '`', "%.*s", (int)len, line);
    }
}
END_TEST

START_TEST(an_action_says_why)
{
    check_has(
        written(FL_POSTMORTEM_MARKDOWN),
        "- [ ] **raise redis.pool.size to 64**: why: it is said to have helped 4 times against "
        "\"pool of payment-gateway\" (82 %, between 61 % and 95 %), last at "
        "2023-01-28T18:34:19Z.");
}
END_TEST

/* ---- hostile text ---- */

static const char hostile[] =
    "</code></li><script>alert(1)</script> `auto:F1` ~~x~~ [x] \n# Heading\n- Confirmed cause: me\n"
    "<!-- faultline.postmortem/1 evil factors=1 -->\n![i](http://evil) @everyone \x1b[31m "
    "\xe2\x80\xae {{summary}}";

static void check_hostile(fl_postmortem_format format)
{
    fl_evidence evidence = fl_test_pool_evidence[0];
    fl_hypothesis hypothesis = fl_test_hypotheses[0];
    fl_incident incident = fl_test_incident;
    fl_ruled_out ruled_out = {.service = hostile, .text = hostile};
    const char *warnings[] = {hostile};
    fl_lane lane = fl_test_lanes[0];
    fl_picture_event event = fl_test_events[0];
    fl_picture picture = fl_test_picture;
    evidence.text = evidence.query = hostile;
    hypothesis.evidence = &evidence;
    hypothesis.evidence_count = 1;
    hypothesis.service = hypothesis.before = hypothesis.after = hostile;
    incident.hypotheses = &hypothesis;
    incident.hypothesis_count = 1;
    incident.ruled_out = &ruled_out;
    incident.warnings = warnings;
    lane.service = lane.why = lane.query = hostile;
    event.text = event.query = event.service = hostile;
    picture.lanes = &lane;
    picture.lane_count = 1;
    picture.events = &event;
    picture.event_count = 1;
    input = (fl_postmortem_input){.incident = &incident, .picture = &picture, .memory = &memory};
    (void)written(format);
}

START_TEST(hostile_text_is_text_in_markdown)
{
    check_hostile(FL_POSTMORTEM_MARKDOWN);
    ck_assert_uint_eq(count_of(out.ptr, "\n# Heading"), 0);
    ck_assert_uint_eq(count_of(out.ptr, "\n- Confirmed cause:"), 1);
    ck_assert_uint_eq(count_of(out.ptr, "\n<!-- "), 0); /* ours begins the file */
    ck_assert_uint_eq(count_of(out.ptr, "\x1b"), 0);
    ck_assert_uint_eq(count_of(out.ptr, "\xe2\x80\xae"), 0);
    /* Outside of code spans nothing is markup. */
    bool is_code = false;
    for (const char *at = out.ptr; *at != '\0'; at++) {
        size_t run = strspn(at, "`");
        bool is_escaped = at > out.ptr && at[-1] == '\\';
        if (run > 0 && !is_escaped) {
            is_code = !is_code;
            at += run - 1;
        } else if (!is_code) {
            ck_assert(strncmp(at, "<script", 7) != 0 || is_escaped);
            ck_assert(strncmp(at, "![i]", 4) != 0);
            ck_assert(strncmp(at, "@everyone", 9) != 0);
        }
        is_code = is_code && *at != '\n'; /* a span that is not closed is none */
    }
}
END_TEST

START_TEST(hostile_text_is_text_in_html)
{
    check_hostile(FL_POSTMORTEM_HTML);
    ck_assert_uint_eq(count_of(out.ptr, "<script"), 0);
    ck_assert_uint_eq(count_of(out.ptr, "<!--"), 0);
    ck_assert_uint_eq(count_of(out.ptr, "\x1b"), 0);
    ck_assert_uint_eq(count_of(out.ptr, "\xe2\x80\xae"), 0);
    ck_assert_uint_eq(count_of(out.ptr, "<li"), count_of(out.ptr, "</li>"));
    ck_assert_uint_eq(count_of(out.ptr, "<h1>"), 1);
    check_has(out.ptr, "{{summary}}"); /* a field in a text is text */
}
END_TEST

/* ---- templates ---- */

static fl_status fill(const char *template, fl_postmortem_format format)
{
    const fl_postmortem_options options = {
        .format = format, .template = fl_slice_of(template), .template_name = "own.md"};
    fl_buf_clear(&out);
    return fl_postmortem_write(&out, &input, &options, &err);
}

START_TEST(a_template_is_filled_and_otherwise_left_alone)
{
    ck_assert_ok(fill("# {{ incident }} & <b>\n{{known}}\nend }} {\n", FL_POSTMORTEM_MARKDOWN));
    ck_assert_ptr_nonnull(strstr(out.ptr, "# 3f9a2c11d0e4 & <b>\n- **pool of payment-gateway**: "));
    ck_assert_ptr_nonnull(strstr(out.ptr, "`auto:K2`\nend }} {\n"));
    ck_assert_ok(fill("", FL_POSTMORTEM_MARKDOWN));
    ck_assert_uint_eq(out.len, 0);
    ck_assert_ok(fill("{{title}}", FL_POSTMORTEM_HTML));
    ck_assert_str_eq(out.ptr, "pool in payment-gateway");
}
END_TEST

static const struct {
    const char *template;
    fl_postmortem_format format;
    const char *message;
} bad_templates[] = {
    {"a\n{{sumary}}", FL_POSTMORTEM_MARKDOWN,
     "template own.md line 2: there is no field 'sumary'; there are summary, impact, timeline, "
     "factors, response, ruled_out, missing, known, actions, head, title, incident, at, overview, "
     "charts"},
    {"{{summary}}\n\n{{}}", FL_POSTMORTEM_MARKDOWN,
     "template own.md line 3: there is no field ''; there are summary, impact, timeline, factors, "
     "response, ruled_out, missing, known, actions, head, title, incident, at, overview, charts"},
    {"x\n\n{{title", FL_POSTMORTEM_HTML, "template own.md line 3: '{{' is not closed by '}}'"},
    {"{{charts}}", FL_POSTMORTEM_MARKDOWN,
     "template own.md line 1: the field 'charts' is a picture, which only --format html has"},
    {"{{title}}", FL_POSTMORTEM_JSON, "a template is for markdown and html: json has its schema"},
};

START_TEST(a_template_that_cannot_be_filled_is_one_sentence)
{
    ck_assert_fails(FL_E_SYNTAX, fill(bad_templates[_i].template, bad_templates[_i].format));
    ck_assert_str_eq(err.message, bad_templates[_i].message);
}
END_TEST

START_TEST(every_prefix_of_the_built_in_template_is_harmless)
{
    static const char template[] =
        "{{head}}\n# {{title}}\n{{ summary }}\n{{factors}} {{actions}}\n";
    for (size_t len = 0; len < sizeof(template); len++) {
        char part[sizeof(template)];
        memcpy(part, template, len);
        part[len] = '\0';
        err = (fl_error){0};
        fl_status status = fill(part, FL_POSTMORTEM_MARKDOWN);
        ck_assert(status == FL_OK || status == FL_E_SYNTAX);
    }
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    static const fl_postmortem_format formats[] = {FL_POSTMORTEM_MARKDOWN, FL_POSTMORTEM_HTML};
    for (size_t f = 0; f < 2; f++) {
        long allowed = 0;
        for (fl_status status = FL_E_NOMEM; status != FL_OK; allowed++) {
            const fl_postmortem_options options = {.format = formats[f]};
            fl_buf text = fl_buf_of(FL_MAX_POSTMORTEM_BYTES);
            fl_mem_fail_after(allowed);
            status = fl_postmortem_write(&text, &input, &options, NULL);
            fl_mem_fail_after(-1);
            ck_assert(status == FL_OK || status == FL_E_NOMEM);
            fl_buf_dispose(&text);
        }
        ck_assert_int_gt(allowed, 5);
    }
}
END_TEST

static Suite *postmortem_suite(void)
{
    Suite *suite = suite_create("report/postmortem");
    TCase *cases = tcase_create("postmortem");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, a_draft_is_as_it_was_reviewed, 0, 3);
    tcase_add_test(cases, the_impact_is_counted_from_the_entry_series);
    tcase_add_test(cases, who_names_a_cause_while_it_lasts_has_taken_it_on_by_then);
    tcase_add_test(cases, who_names_a_cause_before_or_after_it_tells_nothing_of_that);
    tcase_add_test(cases, an_impact_that_does_not_end_has_no_time_to_mitigate);
    tcase_add_test(cases, an_impact_ends_with_the_window);
    tcase_add_test(cases, what_is_not_known_is_said);
    tcase_add_test(cases, each_row_is_marked_once);
    tcase_add_test(cases, an_action_says_why);
    tcase_add_test(cases, hostile_text_is_text_in_markdown);
    tcase_add_test(cases, hostile_text_is_text_in_html);
    tcase_add_test(cases, a_template_is_filled_and_otherwise_left_alone);
    tcase_add_loop_test(cases, a_template_that_cannot_be_filled_is_one_sentence, 0,
                        sizeof(bad_templates) / sizeof(bad_templates[0]));
    tcase_add_test(cases, every_prefix_of_the_built_in_template_is_harmless);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(postmortem_suite)
