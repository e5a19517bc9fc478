#include <jansson.h>
#include <stdio.h>

#include "mem.h"
#include "report.h"

#include "fl_incidents.h"
#include "fl_test.h"

static fl_error err;
static fl_arena arena;
static fl_buf good;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
    good = fl_buf_of(1 << 20);
    ck_assert_ok(fl_report_json(&good, &fl_test_incident, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&good);
    fl_arena_dispose(&arena);
}

static fl_slice slice(const fl_buf *buf)
{
    return fl_buf_slice(buf);
}

static void check_round_trip(const fl_incident *incident)
{
    const fl_incident *back = NULL;
    fl_buf once = fl_buf_of(1 << 20), twice = fl_buf_of(1 << 20);
    ck_assert_ok(fl_report_json(&once, incident, &err));
    ck_assert_ok(fl_report_load(&back, &arena, slice(&once), &err));
    ck_assert_ok(fl_report_json(&twice, back, &err));
    ck_assert_str_eq(once.ptr, twice.ptr);
    fl_buf_dispose(&once);
    fl_buf_dispose(&twice);
}

START_TEST(a_document_is_read_back_byte_for_byte)
{
    check_round_trip(&fl_test_incident);
    check_round_trip(&fl_test_empty_incident);
}
END_TEST

START_TEST(what_was_written_is_there_again)
{
    const fl_incident *back = NULL;
    ck_assert_ok(fl_report_load(&back, &arena, slice(&good), &err));
    ck_assert_str_eq(back->id, "3f9a2c11d0e4");
    ck_assert_int_eq(back->at_ns, FL_TEST_AT_NS);
    ck_assert_int_eq(back->window.to_ns - back->window.from_ns, INT64_C(300000000000));
    ck_assert_uint_eq(back->log_records, 1234567);
    ck_assert_uint_eq(back->rejected_records, 7);
    ck_assert_uint_eq(back->hypothesis_count, 3);
    ck_assert_int_eq(back->hypotheses[0].cause, FL_CAUSE_POOL);
    ck_assert_int_eq(back->hypotheses[1].resource, FL_RESOURCE_NETWORK);
    ck_assert_ptr_null(back->hypotheses[1].before);
    ck_assert_uint_eq(back->hypotheses[0].evidence_count, 3);
    ck_assert(back->hypotheses[0].evidence[2].against);
    ck_assert(isnan(back->hypotheses[0].evidence[2].baseline));
    ck_assert_int_eq(back->onset.low_ns, fl_test_incident.onset.low_ns);
    ck_assert_int_eq(back->hypotheses[1].onset.high_ns, fl_test_hypotheses[1].onset.high_ns);
    ck_assert_int_eq(back->hypotheses[2].onset.at_ns, 0);
    ck_assert_uint_eq(back->change_events, 3);
    ck_assert_uint_eq(back->clock_count, 2);
    ck_assert_str_eq(back->clocks[0].instance, "cart-0");
    ck_assert_int_eq(back->clocks[0].offset_ns, fl_test_clocks[0].offset_ns);
    ck_assert_int_eq(back->clocks[0].error_ns, fl_test_clocks[0].error_ns);
    ck_assert_uint_eq(back->clocks[0].calls, 120);
    ck_assert_ptr_null(back->clocks[1].instance);
    ck_assert_str_eq(back->hypotheses[0].exception_type, "redis.PoolExhaustedError");
    ck_assert_str_eq(back->warnings[0], fl_test_warnings[0]);
}
END_TEST

/* The members that came later are absent in what was stored before. */
START_TEST(a_document_of_before_onsets_changes_and_exceptions_is_still_read)
{
    json_t *old = json_loadb(good.ptr, good.len, 0, NULL), *item;
    size_t i;
    json_object_del(json_object_get(old, "incident"), "onset");
    json_object_del(json_object_get(old, "modalities"), "changes");
    json_array_foreach(json_object_get(old, "hypotheses"), i, item)
    {
        json_object_del(item, "onset");
        json_object_del(item, "exception");
    }
    char *text = json_dumps(old, 0);
    const fl_incident *back = NULL;
    ck_assert_ok(fl_report_load(&back, &arena, SLICE(text), &err));
    ck_assert_int_eq(back->onset.at_ns, 0);
    ck_assert_uint_eq(back->change_events, 0);
    ck_assert_ptr_null(back->hypotheses[0].exception_type);
    ck_assert_str_eq(back->hypotheses[0].service, "payment-gateway");
    free(text);
    json_decref(old);
}
END_TEST

START_TEST(every_prefix_of_a_document_fails_cleanly)
{
    for (size_t len = 0; len + 2 < good.len; len++) {
        const fl_incident *back = NULL;
        fl_error own = {0};
        fl_slice part = {.ptr = (const unsigned char *)good.ptr, .len = len};
        ck_assert_fails(FL_E_SYNTAX, fl_report_load(&back, &arena, part, &own));
        ck_assert_ptr_null(back);
        ck_assert(strncmp(own.message, "triage document is not JSON: ", 29) == 0);
    }
}
END_TEST

/* One text of the good document is replaced, and this is what the reader is told. */
static const struct {
    const char *from, *to;
    fl_status status;
    const char *message;
} bad[] = {
    {"faultline.triage/1", "faultline.triage/2", FL_E_UNSUPPORTED,
     "document of schema 'faultline.triage/2'; this program reads faultline.triage/1"},
    {"\"schema\"", "\"scheme\"", FL_E_SYNTAX, "triage document: 'schema' is missing"},
    {"\"incident\"", "\"accident\"", FL_E_SYNTAX, "triage document: 'incident' is missing"},
    {"\"id\": \"3f9a2c11d0e4\"", "\"id\": 7", FL_E_SYNTAX, "triage document: 'id' is not a string"},
    {"\"at\": \"2023-01-29T09:34:19Z\"", "\"at\": \"yesterday\"", FL_E_SYNTAX,
     "triage document: 'at' is not a time"},
    {"\"to\": \"2023-01-29T09:39:19Z\"", "\"to\": \"2022-01-29T09:39:19Z\"", FL_E_SYNTAX,
     "triage document: 'window' ends before it begins"},
    {"\"onset\": {", "\"onset\": 7, \"onset2\": {", FL_E_SYNTAX,
     "triage document: 'onset' is not an object"},
    {"\"low\": \"2023-01-29T09:34:10Z\"", "\"low\": null", FL_E_SYNTAX,
     "triage document: 'low' is not a time"},
    {"\"low\": \"2023-01-29T09:34:10Z\"", "\"low\": \"2023-01-29T09:34:18Z\"", FL_E_SYNTAX,
     "triage document: 'onset' is not in the order low, at, high"},
    {"\"low\": \"2023-01-29T09:34:10Z\"", "\"law\": 0", FL_E_SYNTAX,
     "triage document: 'low' is missing"},
    {"\"low\": \"2023-01-29T09:35:20Z\"", "\"low\": \"2023-01-29T09:35:25Z\"", FL_E_SYNTAX,
     "triage document: hypothesis 2: 'onset' is not in the order low, at, high"},
    {"\"ahead_ms\": 17.0", "\"ahead_ms\": 1e300", FL_E_SYNTAX,
     "triage document: 'ahead_ms' is not within a day"},
    {"\"within_ms\": 0.25", "\"within_ms\": null", FL_E_SYNTAX,
     "triage document: 'within_ms' is not within a day"},
    {"\"calls\": 120", "\"calls\": -1", FL_E_SYNTAX, "triage document: 'calls' is not a count"},
    {"\"clocks\": [", "\"clocks\": {}, \"other\": [", FL_E_SYNTAX,
     "triage document: 'clocks' is not an array"},
    {"\"events\": 3", "\"events\": -3", FL_E_SYNTAX, "triage document: 'events' is not a count"},
    {"\"events\": [", "\"events\": 5, \"other\": [", FL_E_SYNTAX,
     "triage document: 'events' is not an array"},
    {"\"text\": \"snapshot: a text\"", "\"text\": null", FL_E_SYNTAX,
     "triage document: 'text' is not a string"},
    {"\"query\": \"faultline leak profiles/cart\"", "\"query\": 1", FL_E_SYNTAX,
     "triage document: 'query' is not a string"},
    {"\"exception\": {", "\"exception\": 1, \"other\": {", FL_E_SYNTAX,
     "triage document: hypothesis 1: 'exception' is not an object"},
    {"\"message\": \"no connection within <*> ms\"", "\"message\": 5", FL_E_SYNTAX,
     "triage document: hypothesis 1: 'message' is not a string"},
    {"\"frame\": \"charge.go:91 payment.(*Charger).Charge\"", "\"frames\": 0", FL_E_SYNTAX,
     "triage document: hypothesis 1: 'frame' is missing"},
    {"\"series\": 1234", "\"series\": -1", FL_E_SYNTAX, "triage document: 'series' is not a count"},
    {"\"series\": 1234", "\"series\": 1.5", FL_E_SYNTAX,
     "triage document: 'series' is not a count"},
    {"\"missing\": []", "\"missing\": [\"smells\"]", FL_E_SYNTAX,
     "triage document: 'missing' holds an unknown word"},
    {"\"missing\": []", "\"missing\": {}", FL_E_SYNTAX,
     "triage document: 'missing' is not an array"},
    {"\"cause-found\"", "\"perhaps\"", FL_E_SYNTAX,
     "triage document: 'verdict' is not a known word"},
    {"\"rank\": 1,", "\"rank\": 0,", FL_E_SYNTAX,
     "triage document: hypothesis 1: 'rank' does not count from 1"},
    {"\"rank\": 1,", "\"rank\": 4294967296,", FL_E_SYNTAX,
     "triage document: hypothesis 1: 'rank' is not a count"},
    {"\"network-delay\"", "\"network-demons\"", FL_E_SYNTAX,
     "triage document: hypothesis 2: 'cause' is not a known word"},
    {"\"resource\": \"network\"", "\"resource\": \"net\"", FL_E_SYNTAX,
     "triage document: hypothesis 2: 'resource' is not a known word"},
    {"\"kind\": \"edge\"", "\"kind\": 1", FL_E_SYNTAX,
     "triage document: hypothesis 2: 'kind' is not a known word"},
    {"\"probability\": 0.0421", "\"probability\": 1.0421", FL_E_SYNTAX,
     "triage document: hypothesis 2: 'probability' is not within 0 and 1"},
    {"\"probability\": 0.0421", "\"probability\": null", FL_E_SYNTAX,
     "triage document: hypothesis 2: 'probability' is not within 0 and 1"},
    {"\"modality\": \"logs\"", "\"modality\": \"leaves\"", FL_E_SYNTAX,
     "triage document: hypothesis 1 evidence 2: 'modality' is not a known word"},
    {"\"value\": 214.0", "\"value\": \"214\"", FL_E_SYNTAX,
     "triage document: hypothesis 1 evidence 2: 'value' is not a number"},
    {"\"against\": true", "\"against\": 1", FL_E_SYNTAX,
     "triage document: hypothesis 1 evidence 3: 'against' is not true or false"},
    {"\"service\": \"cart\"", "\"service\": \"cart\", \"service\": \"x\"", FL_E_SYNTAX,
     "triage document is not JSON: duplicate object key near '\"service\"'"},
};

static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    ck_assert_msg(at != NULL, "the good document does not hold %s", from);
    size_t size = strlen(text) + strlen(to) + 1;
    char *out = malloc(size);
    ck_assert_ptr_nonnull(out);
    snprintf(out, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

START_TEST(a_wrong_member_is_named)
{
    const fl_incident *back = NULL;
    char *text = replaced(good.ptr, bad[_i].from, bad[_i].to);
    ck_assert_fails(bad[_i].status, fl_report_load(&back, &arena, SLICE(text), &err));
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_ptr_null(back);
    free(text);
}
END_TEST

START_TEST(a_member_that_is_not_known_is_ignored)
{
    const fl_incident *back = NULL;
    char *text = replaced(good.ptr, "\"verdict\"", "\"mood\": [1, {\"a\": null}], \"verdict\"");
    ck_assert_ok(fl_report_load(&back, &arena, SLICE(text), &err));
    free(text);
}
END_TEST

START_TEST(an_array_at_the_top_is_refused)
{
    const fl_incident *back = NULL;
    ck_assert_fails(FL_E_SYNTAX, fl_report_load(&back, &arena, SLICE("[]"), &err));
    ck_assert_str_eq(err.message, "triage document: 'schema' is missing");
}
END_TEST

START_TEST(nesting_without_end_is_refused)
{
    enum { DEPTH = 100000 };
    const fl_incident *back = NULL;
    char *text = malloc(DEPTH);
    memset(text, '[', DEPTH);
    ck_assert_fails(
        FL_E_SYNTAX,
        fl_report_load(&back, &arena, (fl_slice){(const unsigned char *)text, DEPTH}, &err));
    free(text);
}
END_TEST

START_TEST(a_document_over_the_limit_is_refused_unread)
{
    const fl_incident *back = NULL;
    fl_slice big = {.ptr = (const unsigned char *)"", .len = FL_MAX_DOCUMENT_BYTES + 1};
    ck_assert_fails(FL_E_LIMIT, fl_report_load(&back, &arena, big, &err));
    ck_assert_str_eq(err.message, "a triage document of 16777217 bytes is larger than 16777216");
}
END_TEST

START_TEST(an_arena_that_is_too_small_is_reported)
{
    const fl_incident *back = NULL;
    fl_arena small = fl_arena_of(256);
    ck_assert_fails(FL_E_NOMEM, fl_report_load(&back, &small, slice(&good), &err));
    fl_arena_dispose(&small);
}
END_TEST

/* jansson reports some failed allocations as the end of its input; no matter which, none may pass
 * as success, crash or leak. */
START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    long failures = 0;
    json_set_alloc_funcs(fl_mem_alloc, fl_mem_free);
    for (; status != FL_OK; failures++) {
        const fl_incident *back = NULL;
        fl_error own = {0};
        fl_arena room = fl_arena_of(1 << 20);
        fl_mem_fail_after(failures);
        status = fl_report_load(&back, &room, slice(&good), &own);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM || status == FL_E_SYNTAX,
                      "allocation %ld: %s", failures, own.message);
        ck_assert(status == FL_OK || back == NULL);
        fl_arena_dispose(&room);
    }
    ck_assert_int_gt(failures, 100);
}
END_TEST

static Suite *report_load_suite(void)
{
    Suite *suite = suite_create("report/report_load");
    TCase *cases = tcase_create("report_load");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_document_is_read_back_byte_for_byte);
    tcase_add_test(cases, what_was_written_is_there_again);
    tcase_add_test(cases, every_prefix_of_a_document_fails_cleanly);
    tcase_add_test(cases, a_document_of_before_onsets_changes_and_exceptions_is_still_read);
    tcase_add_loop_test(cases, a_wrong_member_is_named, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(cases, a_member_that_is_not_known_is_ignored);
    tcase_add_test(cases, an_array_at_the_top_is_refused);
    tcase_add_test(cases, nesting_without_end_is_refused);
    tcase_add_test(cases, a_document_over_the_limit_is_refused_unread);
    tcase_add_test(cases, an_arena_that_is_too_small_is_reported);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(report_load_suite)
