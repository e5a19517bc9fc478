/*
 * Alerts beside telemetry: they tell causes apart that telemetry calls real, and make none. The
 * incident is made up (shop.h).
 */
#include "mem.h"
#include "rank.h"
#include "shop.h"

enum { SEEDS = 3 };

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

#define ALERT(id, rule, of, seconds)                                                               \
    {                                                                                              \
        .fingerprint = id, .starts_ns = (seconds)*SHOP_SECOND, .name = FL_SLICE_INIT(rule),        \
        .service = FL_SLICE_INIT(of)                                                               \
    }

static const fl_alert_record of_pay[] = {ALERT(1, "PaySlow", "pay", 90)};
static const fl_alert_record of_mail[] = {ALERT(1, "MailSlow", "mail", 90)};
static const fl_alert_record of_orders[] = {ALERT(1, "OrdersSlow", "orders", 90)};
static const fl_alert_record of_gate[] = {ALERT(1, "GateSlow", "gate", 90)};
static const fl_alert_record of_both[] = {ALERT(1, "PaySlow", "pay", 90),
                                          ALERT(2, "PayErrors", "pay", 100),
                                          ALERT(3, "GateSlow", "gate", 95)};
static const fl_alert_record another_time[] = {ALERT(1, "PaySlow", "pay", -1000),
                                               ALERT(2, "PaySlow", "pay", 301),
                                               ALERT(3, "Disk", "nobody", 90)};

static void run(uint64_t seed, shop_fault fault, const fl_alert_record *alerts, size_t count)
{
    shop_dispose(&s);
    s = (shop){.seed = seed, .faults = {fault}, .alerts = alerts, .alert_count = count};
    shop_run(&s);
}

static const fl_hypothesis *hypothesis_of(const char *service)
{
    for (size_t i = 0; i < s.incident.hypothesis_count; i++)
        if (strcmp(s.incident.hypotheses[i].service, service) == 0)
            return &s.incident.hypotheses[i];
    return NULL;
}

/* The item of evidence number `which` that alerts are; NULL: there are fewer. */
static const fl_evidence *alert_evidence(const fl_hypothesis *h, size_t which)
{
    for (size_t i = 0; i < h->evidence_count; i++)
        if (h->evidence[i].modality == FL_MODALITY_ALERTS && which-- == 0)
            return &h->evidence[i];
    return NULL;
}

START_TEST(an_alert_of_the_cause_itself_speaks_for_it)
{
    shop_fault slow = FAULT(SLOW, CHARGE, 8);
    run(1, slow, NULL, 0);
    double without = s.incident.hypotheses[0].score;
    run(1, slow, of_pay, 1);
    const fl_hypothesis *first = s.incident.hypotheses;
    ck_assert_str_eq(first->service, "pay");
    const fl_evidence *e = alert_evidence(first, 0);
    ck_assert_ptr_nonnull(e);
    ck_assert_str_eq(e->text, "the alert PaySlow of pay fires from 22:14:50");
    ck_assert_str_eq(e->query, "ALERTS{alertname=\"PaySlow\"}");
    /* One of six services explains it: ln(1 / (0.9 / 6 + 0.1)), in nats of score. */
    ck_assert_double_eq_tol(e->weight_nats, log(4) / 1.6, 1e-9);
    ck_assert_double_eq_tol(first->score, without + e->weight_nats, 1e-9);
}
END_TEST

START_TEST(several_rules_of_a_service_count_once_and_the_sum_is_bounded)
{
    run(1, (shop_fault)FAULT(SLOW, CHARGE, 8), of_both, 3);
    const fl_hypothesis *first = s.incident.hypotheses;
    ck_assert_str_eq(first->service, "pay");
    ck_assert_ptr_nonnull(alert_evidence(first, 0));
    /* The gate calls all: its alert fits any cause and is not shown. */
    ck_assert_ptr_null(alert_evidence(first, 1));
}
END_TEST

START_TEST(an_alert_of_an_entry_that_calls_all_says_nothing)
{
    shop_fault slow = FAULT(SLOW, CHARGE, 8);
    run(1, slow, NULL, 0);
    double without = s.incident.hypotheses[0].score;
    run(1, slow, of_gate, 1);
    ck_assert_double_eq_tol(s.incident.hypotheses[0].score, without, 1e-9);
}
END_TEST

START_TEST(an_alert_that_a_cause_does_not_explain_changes_nothing)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(seed, (shop_fault)FAULT(SLOW, CHARGE, 8), NULL, 0);
        double without = s.incident.hypotheses[0].score;
        run(seed, (shop_fault)FAULT(SLOW, CHARGE, 8), of_mail, 1);
        ck_assert_int_eq(s.incident.verdict, FL_VERDICT_CAUSE_FOUND);
        ck_assert_str_eq(s.incident.hypotheses[0].service, "pay");
        ck_assert_double_eq_tol(s.incident.hypotheses[0].score, without, 1e-9);
        ck_assert_ptr_null(alert_evidence(s.incident.hypotheses, 0));
    }
}
END_TEST

START_TEST(an_alert_of_a_caller_speaks_for_what_it_calls)
{
    run(1, (shop_fault)FAULT(SLOW, CHARGE, 8), of_orders, 1);
    const fl_evidence *e = alert_evidence(s.incident.hypotheses, 0);
    ck_assert_ptr_nonnull(e);
    ck_assert_str_eq(e->text, "the alert OrdersSlow of its caller orders fires from 22:14:50");
    /* orders and the three that it calls, of six. */
    ck_assert_double_eq_tol(e->weight_nats, -log(0.9 * 4 / 6 + 0.1) / 1.6, 1e-9);
}
END_TEST

START_TEST(an_alert_alone_is_no_cause)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(seed, (shop_fault){0}, of_both, 3);
        ck_assert_int_eq(s.incident.verdict, FL_VERDICT_NO_CONFIDENT_CAUSE);
        for (size_t i = 0; i < s.incident.hypothesis_count; i++)
            ck_assert_double_le(s.incident.hypotheses[i].score, 3.0);
    }
}
END_TEST

START_TEST(of_two_causes_the_alerted_one_gains)
{
    const shop_fault faults[] = {FAULT(SLOW, CHARGE, 8), FAULT(SLOW, SEND, 8)};
    double margin[2];
    for (int with = 0; with < 2; with++) {
        shop_dispose(&s);
        s = (shop){.seed = 2,
                   .faults = {faults[0], faults[1]},
                   .alerts = of_mail,
                   .alert_count = (size_t)with};
        shop_run(&s);
        ck_assert_ptr_nonnull(hypothesis_of("mail"));
        ck_assert_ptr_nonnull(hypothesis_of("pay"));
        margin[with] = hypothesis_of("mail")->score - hypothesis_of("pay")->score;
    }
    ck_assert_double_gt(margin[1], margin[0]);
}
END_TEST

START_TEST(alerts_of_another_time_or_of_nobody_do_not_count)
{
    run(1, (shop_fault)FAULT(SLOW, CHARGE, 8), another_time, 3);
    ck_assert_ptr_null(alert_evidence(s.incident.hypotheses, 0));
    ck_assert_uint_eq(s.timeline->alert_count, 3);
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    run(1, (shop_fault)FAULT(SLOW, CHARGE, 8), of_both, 3);
    fl_rank_question question = {0};
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        fl_incident out = {.at_ns = SHOP_AT};
        fl_arena arena = fl_arena_of(64u << 20);
        ck_assert_int_lt(after, 2000);
        fl_mem_fail_after(after);
        fl_status status = fl_rank(&out, &s.streams, &question, &arena, &own);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            ck_assert_str_eq(out.hypotheses[0].service, "pay");
        fl_arena_dispose(&arena);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("correlate/rank_alerts");
    TCase *cases = tcase_create("rank_alerts");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, an_alert_of_the_cause_itself_speaks_for_it);
    tcase_add_test(cases, several_rules_of_a_service_count_once_and_the_sum_is_bounded);
    tcase_add_test(cases, an_alert_of_an_entry_that_calls_all_says_nothing);
    tcase_add_test(cases, an_alert_that_a_cause_does_not_explain_changes_nothing);
    tcase_add_test(cases, an_alert_of_a_caller_speaks_for_what_it_calls);
    tcase_add_test(cases, an_alert_alone_is_no_cause);
    tcase_add_test(cases, of_two_causes_the_alerted_one_gains);
    tcase_add_test(cases, alerts_of_another_time_or_of_nobody_do_not_count);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    suite_add_tcase(suite, cases);
    return suite;
}
FL_TEST_MAIN(suite)
