/*
 * What speaks against: measurements that do not fit, what is missing, and why others were ruled out
 * (shop.h).
 */
#include "mem.h"
#include "rank.h"
#include "shop.h"

static fl_error err;
static shop s;

static void setup(void)
{
    err = (fl_error){0};
    s = (shop){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    shop_dispose(&s);
}

/* The evidence against the first hypothesis whose sentence holds `words`; NULL: none. */
static const fl_evidence *against(const fl_hypothesis *h, const char *words)
{
    for (size_t i = 0; i < h->evidence_count; i++)
        if (h->evidence[i].against && strstr(h->evidence[i].text, words) != NULL)
            return &h->evidence[i];
    return NULL;
}

static const char *ruled_out(const char *service)
{
    for (size_t i = 0; i < s.incident.ruled_out_count; i++)
        if (strcmp(s.incident.ruled_out[i].service, service) == 0)
            return s.incident.ruled_out[i].text;
    return "";
}

START_TEST(a_slow_service_that_uses_nothing_up_says_so)
{
    s = (shop){.seed = 1, .faults = {FAULT(SLOW, CHARGE, 8)}};
    shop_run(&s);
    const fl_hypothesis *first = &s.incident.hypotheses[0];
    ck_assert_str_eq(first->service, "pay");
    const fl_evidence *e = against(first, "container.");
    ck_assert_ptr_nonnull(e);
    ck_assert_int_eq(e->modality, FL_MODALITY_METRICS);
    ck_assert_double_lt(e->weight_nats, 0);
    ck_assert(isfinite(e->value) && isfinite(e->baseline) && e->query != NULL);
}
END_TEST

/* The score is that of the evidence for it: doubts are shown, not added. */
START_TEST(doubts_are_not_part_of_the_score)
{
    s = (shop){.seed = 1, .faults = {FAULT(SLOW, CHARGE, 8)}};
    shop_run(&s);
    const fl_hypothesis *first = &s.incident.hypotheses[0];
    double positive = 0;
    for (size_t i = 0; i < first->evidence_count; i++)
        positive += fmax(first->evidence[i].weight_nats, 0);
    ck_assert_double_eq_tol(first->score, positive, 1e-9);
}
END_TEST

START_TEST(without_metrics_that_is_said_against_it)
{
    s = (shop){.seed = 1, .faults = {FAULT(SLOW, CHARGE, 8)}, .no_metrics = true};
    shop_run(&s);
    const fl_evidence *e = against(&s.incident.hypotheses[0], "no metrics were recorded");
    ck_assert_ptr_nonnull(e);
    ck_assert_str_eq(e->text, "no metrics were recorded in the window: whether pay has used up a "
                              "resource cannot be told");
    ck_assert(isnan(e->value) && e->query == NULL);
}
END_TEST

START_TEST(without_spans_that_is_said_against_a_resource)
{
    s = (shop){.seed = 1, .faults = {FAULT(CPU, PAY, 97)}, .no_traces = true, .no_logs = true};
    shop_run(&s);
    ck_assert_str_eq(s.incident.hypotheses[0].service, "pay");
    ck_assert_ptr_nonnull(against(&s.incident.hypotheses[0], "no spans were recorded"));
}
END_TEST

START_TEST(every_sentence_has_the_time_from_which_it_holds)
{
    s = (shop){.seed = 1, .faults = {FAULT(SLOW, CHARGE, 8)}};
    shop_run(&s);
    const fl_evidence *e = &s.incident.hypotheses[0].evidence[0];
    ck_assert_msg(strstr(e->text, ", from 22:13:20") != NULL, "%s", e->text);
}
END_TEST

START_TEST(callers_of_the_cause_are_ruled_out_in_words)
{
    s = (shop){.seed = 1, .faults = {FAULT(SLOW, CHARGE, 8)}};
    shop_run(&s);
    ck_assert_ptr_nonnull(strstr(ruled_out("gate"), "it waits for what it calls"));
    ck_assert_ptr_nonnull(strstr(ruled_out("orders"), "it waits for what it calls"));
}
END_TEST

START_TEST(callers_are_ruled_out_by_metrics_alone)
{
    s = (shop){.seed = 1,
               .faults = {FAULT(SLOW, CHARGE, 40)},
               .no_traces = true,
               .no_logs = true,
               .has_service_metrics = true};
    shop_run(&s);
    ck_assert_str_eq(s.incident.hypotheses[0].service, "pay");
    ck_assert_msg(strstr(ruled_out("gate"), "but what it calls explains that") != NULL, "%s",
                  ruled_out("gate"));
}
END_TEST

START_TEST(the_two_sides_of_one_flow_are_one_hypothesis)
{
    s = (shop){.seed = 1, .faults = {FAULT(EXCEPTION, PRICE, 0.6)}};
    shop_run(&s);
    const fl_hypothesis *first = &s.incident.hypotheses[0];
    ck_assert_str_eq(first->service, "stock");
    ck_assert_int_eq(first->locus, FL_LOCUS_CODE_REGION);
    ck_assert_uint_ge(first->evidence_count, 2);
    ck_assert_str_eq(first->exception_type, "java.lang.IllegalStateException");
    ck_assert_str_eq(first->exception_message, "no price for item <*>");
    for (size_t i = 1; i < s.incident.hypothesis_count; i++)
        ck_assert(strcmp(s.incident.hypotheses[i].service, "stock") != 0 ||
                  s.incident.hypotheses[i].score < first->score);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("correlate/doubts");
    TCase *cases = tcase_create("doubts");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_slow_service_that_uses_nothing_up_says_so);
    tcase_add_test(cases, doubts_are_not_part_of_the_score);
    tcase_add_test(cases, without_metrics_that_is_said_against_it);
    tcase_add_test(cases, without_spans_that_is_said_against_a_resource);
    tcase_add_test(cases, every_sentence_has_the_time_from_which_it_holds);
    tcase_add_test(cases, callers_of_the_cause_are_ruled_out_in_words);
    tcase_add_test(cases, callers_are_ruled_out_by_metrics_alone);
    tcase_add_test(cases, the_two_sides_of_one_flow_are_one_hypothesis);
    suite_add_tcase(suite, cases);
    return suite;
}
FL_TEST_MAIN(suite)
