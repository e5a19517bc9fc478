#include <jansson.h>

#include "mem.h"
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

START_TEST(an_incident_is_written_as_the_contract)
{
    ck_assert_ok(fl_report_json(&out, &fl_test_incident, &err));
    fl_golden_check("report/incident.json", out.ptr, out.len);
}
END_TEST

START_TEST(an_incident_without_findings_is_written_as_the_contract)
{
    ck_assert_ok(fl_report_json(&out, &fl_test_empty_incident, &err));
    fl_golden_check("report/empty.json", out.ptr, out.len);
}
END_TEST

START_TEST(the_same_incident_gives_the_same_bytes)
{
    fl_buf again = fl_buf_of(1 << 20);
    ck_assert_ok(fl_report_json(&out, &fl_test_incident, &err));
    ck_assert_ok(fl_report_json(&again, &fl_test_incident, &err));
    ck_assert_uint_eq(out.len, again.len);
    ck_assert_mem_eq(out.ptr, again.ptr, out.len);
    fl_buf_dispose(&again);
}
END_TEST

START_TEST(members_stand_in_the_order_of_the_contract)
{
    static const char *const order[] = {"\"schema\"",  "\"incident\"",   "\"modalities\"",
                                        "\"verdict\"", "\"hypotheses\"", "\"ruled_out\"",
                                        "\"warnings\""};
    ck_assert_ok(fl_report_json(&out, &fl_test_incident, &err));
    const char *at = out.ptr;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const char *found = strstr(at, order[i]);
        ck_assert_msg(found != NULL, "%s is not after its predecessor", order[i]);
        at = found;
    }
}
END_TEST

START_TEST(infinite_numbers_become_null)
{
    fl_evidence evidence = fl_test_edge_evidence[0];
    fl_hypothesis hypothesis = fl_test_hypotheses[1];
    fl_incident incident = fl_test_incident;
    evidence.value = INFINITY;
    evidence.weight_nats = -INFINITY;
    hypothesis.evidence = &evidence;
    incident.hypotheses = &hypothesis;
    incident.hypothesis_count = 1;
    ck_assert_ok(fl_report_json(&out, &incident, &err));
    ck_assert_ptr_nonnull(strstr(out.ptr, "\"value\": null"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "\"weight_nats\": null"));
}
END_TEST

START_TEST(a_score_beyond_six_decimals_is_rounded_and_never_minus_zero)
{
    fl_hypothesis hypothesis = fl_test_hypotheses[2];
    fl_incident incident = fl_test_incident;
    hypothesis.score = 1.23456789;
    hypothesis.probability = -0.0;
    incident.hypotheses = &hypothesis;
    incident.hypothesis_count = 1;
    ck_assert_ok(fl_report_json(&out, &incident, &err));
    ck_assert_ptr_nonnull(strstr(out.ptr, "\"score\": 1.234568,"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "\"probability\": 0.0,"));
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_replaced)
{
    const char *const warnings[] = {"broken \xff\xc3 here \xe2\x82"};
    fl_incident incident = fl_test_incident;
    incident.warnings = warnings;
    ck_assert_ok(fl_report_json(&out, &incident, &err));
    ck_assert_ptr_nonnull(
        strstr(out.ptr, "\"broken \xef\xbf\xbd\xef\xbf\xbd here \xef\xbf\xbd\xef\xbf\xbd\""));
}
END_TEST

START_TEST(a_full_buffer_is_a_limit)
{
    fl_buf small = fl_buf_of(100);
    ck_assert_fails(FL_E_LIMIT, fl_report_json(&small, &fl_test_incident, &err));
    fl_buf_dispose(&small);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    long failures = 0;
    json_set_alloc_funcs(fl_mem_alloc, fl_mem_free);
    for (; status != FL_OK; failures++) {
        fl_buf text = fl_buf_of(1 << 20);
        fl_mem_fail_after(failures);
        status = fl_report_json(&text, &fl_test_incident, NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        fl_buf_dispose(&text);
    }
    ck_assert_int_gt(failures, 100);
}
END_TEST

static Suite *report_json_suite(void)
{
    Suite *suite = suite_create("report/report_json");
    TCase *cases = tcase_create("report_json");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, an_incident_is_written_as_the_contract);
    tcase_add_test(cases, an_incident_without_findings_is_written_as_the_contract);
    tcase_add_test(cases, the_same_incident_gives_the_same_bytes);
    tcase_add_test(cases, members_stand_in_the_order_of_the_contract);
    tcase_add_test(cases, infinite_numbers_become_null);
    tcase_add_test(cases, a_score_beyond_six_decimals_is_rounded_and_never_minus_zero);
    tcase_add_test(cases, bytes_that_are_not_utf8_are_replaced);
    tcase_add_test(cases, a_full_buffer_is_a_limit);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(report_json_suite)
