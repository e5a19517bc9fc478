#include <math.h>

#include "faultline/triage.h"

#include "fl_folder.h"
#include "fl_test.h"
#include "made_incident.h"
#include "mem.h"
#include "slice.h"

#define MINUTE (INT64_C(60) * 1000000000)

static fl_folder folder;
static fl_error err;
static fl_triage *first, *later;
static const char *paths[1];
static fl_triage_request request;

/* Ten quiet minutes and three of trouble, triaged once. */
static void setup(void)
{
    fl_buf text = fl_buf_of(64u << 20);
    err = (fl_error){0};
    first = later = NULL;
    fl_folder_open(&folder);
    made_incident(&text, 10, 12, MADE_ALL);
    fl_folder_write(&folder, "made.jsonl", fl_buf_slice(&text));
    fl_buf_dispose(&text);
    paths[0] = folder.path;
    request = (fl_triage_request){.otlp = paths, .otlp_count = 1, .at_ns = MADE_INCIDENT_AT};
    ck_assert_ok(fl_triage_run(&first, &request, &err));
    request.recheck = fl_triage_incident(first);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_triage_destroy(later);
    fl_triage_destroy(first);
    fl_folder_remove(&folder);
}

static const fl_recheck *ask_at(int64_t at_ns)
{
    fl_triage_destroy(later);
    later = NULL;
    request.at_ns = at_ns;
    ck_assert_ok(fl_triage_run(&later, &request, &err));
    const fl_recheck *out = fl_triage_rechecked(later);
    ck_assert_ptr_nonnull(out);
    return out;
}

START_TEST(without_an_earlier_answer_nothing_is_measured_again)
{
    ck_assert_ptr_null(fl_triage_rechecked(first));
}
END_TEST

START_TEST(trouble_that_goes_on_is_still_there)
{
    const fl_recheck *found = ask_at(MADE_INCIDENT_AT + MINUTE);
    ck_assert_int_eq(found[0].state, FL_RECHECK_STILL_THERE);
    ck_assert_ptr_nonnull(found[0].evidence);
    const fl_evidence *e = found[0].evidence;
    ck_assert_double_lt(fabs(found[0].after - e->value), fabs(found[0].after - e->baseline));
}
END_TEST

START_TEST(what_was_before_the_incident_has_cleared)
{
    const fl_recheck *found = ask_at(MADE_INCIDENT_AT - 5 * MINUTE);
    ck_assert_int_eq(found[0].state, FL_RECHECK_CLEARED);
    ck_assert_double_lt(fabs(found[0].after - found[0].evidence->baseline),
                        fabs(found[0].after - found[0].evidence->value));
}
END_TEST

START_TEST(where_nothing_was_recorded_nothing_was_seen)
{
    const fl_recheck *found = ask_at(MADE_INCIDENT_AT + 600 * MINUTE);
    for (size_t i = 0; i < request.recheck->hypothesis_count; i++) {
        ck_assert_int_eq(found[i].state, FL_RECHECK_NOT_SEEN);
        ck_assert_ptr_null(found[i].evidence);
        ck_assert(isnan(found[i].after));
        ck_assert_uint_eq(found[i].hypothesis, i);
    }
}
END_TEST

START_TEST(records_of_the_incident_are_no_baseline_of_what_came_after)
{
    (void)ask_at(MADE_INCIDENT_AT + 2 * MINUTE);
    ck_assert_int_le(fl_triage_incident(later)->baseline.to_ns, MADE_INCIDENT_AT);
}
END_TEST

START_TEST(evidence_that_is_no_measurement_is_not_measured)
{
    fl_evidence odd[] = {
        {.modality = FL_MODALITY_MEMORY, .text = "explained 1 of 1", .value = 1, .baseline = 0.5},
        {.modality = FL_MODALITY_METRICS, .text = NULL, .value = 1, .baseline = 0.5},
        {.modality = FL_MODALITY_METRICS, .text = "", .value = 1, .baseline = 0.5},
        {.modality = FL_MODALITY_TRACES, .text = "in bank, ", .value = NAN, .baseline = 0.5},
        {.modality = FL_MODALITY_LOGS, .text = "in bank, it came after", .value = 1, .baseline = 0},
        {.modality = FL_MODALITY_LOGS, .text = "nobody logs \"x\" ", .value = 1, .baseline = 0},
    };
    fl_hypothesis hypothesis = *request.recheck->hypotheses;
    fl_incident incident = *request.recheck;
    hypothesis.evidence = odd;
    hypothesis.evidence_count = sizeof(odd) / sizeof(odd[0]);
    incident.hypotheses = &hypothesis;
    incident.hypothesis_count = 1;
    request.recheck = &incident;
    ck_assert_int_eq(ask_at(MADE_INCIDENT_AT + MINUTE)[0].state, FL_RECHECK_NOT_SEEN);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    fl_status status = FL_E_NOMEM;
    request.at_ns = MADE_INCIDENT_AT + MINUTE;
    for (long n = 0; n < 100000 && status != FL_OK; n += 1 + n / 20) {
        err = (fl_error){0};
        fl_triage_destroy(later);
        later = NULL;
        fl_mem_fail_after(n);
        status = fl_triage_run(&later, &request, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
    }
    ck_assert_int_eq(status, FL_OK);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("recheck");
    TCase *tc = tcase_create("recheck");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, without_an_earlier_answer_nothing_is_measured_again);
    tcase_add_test(tc, trouble_that_goes_on_is_still_there);
    tcase_add_test(tc, what_was_before_the_incident_has_cleared);
    tcase_add_test(tc, where_nothing_was_recorded_nothing_was_seen);
    tcase_add_test(tc, records_of_the_incident_are_no_baseline_of_what_came_after);
    tcase_add_test(tc, evidence_that_is_no_measurement_is_not_measured);
    tcase_add_test(tc, every_allocation_may_fail);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
