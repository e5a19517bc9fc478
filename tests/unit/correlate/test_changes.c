/*
 * Changes that precede an incident: the guilty one wins, an innocent one does not, and what speaks
 * for or against it is said in figures. The incident is made up (shop.h).
 */
#include "mem.h"
#include "rank.h"
#include "report.h"
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

#define DEPLOY(name, minutes)                                                                      \
    {                                                                                              \
        .time_ns = (minutes)*SHOP_MINUTE, .kind = FL_CHANGE_DEPLOY,                                \
        .service = FL_SLICE_INIT(name), .before = FL_SLICE_INIT("1"), .after = FL_SLICE_INIT("2")  \
    }

static const fl_change_record pay_now[] = {DEPLOY("pay", -1)};
static const fl_change_record mail_now[] = {DEPLOY("mail", -1)};
static const fl_change_record gate_now[] = {DEPLOY("gate", -1)};
static const fl_change_record pay_later[] = {DEPLOY("pay", 3)};
static const fl_change_record pay_long_ago[] = {DEPLOY("pay", -11), DEPLOY("pay", -5 * 24 * 60)};
static const fl_change_record pay_all_the_time[] = {
    DEPLOY("pay", -11), DEPLOY("pay", -10), DEPLOY("pay", -9), DEPLOY("pay", -8), DEPLOY("pay", -7),
    DEPLOY("pay", -6),  DEPLOY("pay", -5),  DEPLOY("pay", -4), DEPLOY("pay", -3)};
static const fl_change_record setting[] = {{.time_ns = -2 * SHOP_MINUTE,
                                            .kind = FL_CHANGE_CONFIG,
                                            .key = FL_SLICE_INIT("db.pool"),
                                            .before = FL_SLICE_INIT("10"),
                                            .after = FL_SLICE_INIT("1"),
                                            .url = FL_SLICE_INIT("https://config/7")}};

typedef struct scenario {
    const char *name;
    shop_fault fault;
    const fl_change_record *changes;
    size_t count;
    fl_cause cause;
    fl_locus_kind locus;
    const char *innocent; /* is ruled out; NULL: nobody */
} scenario;

/* clang-format off */
static const scenario scenarios[] = {
    {"a guilty deploy", FAULT(SLOW, CHARGE, 8), pay_now, 1, FL_CAUSE_DEPLOY, FL_LOCUS_CHANGE, NULL},
    {"a guilty deploy that throws", FAULT(EXCEPTION, CHARGE, 0.6), pay_now, 1, FL_CAUSE_DEPLOY, FL_LOCUS_CODE_REGION, NULL},
    {"a guilty setting of everything", FAULT(SLOW, CHARGE, 8), setting, 1, FL_CAUSE_CONFIG_CHANGE, FL_LOCUS_CONFIG, NULL},
    {"a deploy of another service", FAULT(SLOW, CHARGE, 8), mail_now, 1, FL_CAUSE_UNKNOWN, FL_LOCUS_OPERATION, "mail"},
    {"a deploy of a caller", FAULT(SLOW, CHARGE, 8), gate_now, 1, FL_CAUSE_UNKNOWN, FL_LOCUS_OPERATION, "gate"},
    {"a deploy after it began", FAULT(SLOW, CHARGE, 8), pay_later, 1, FL_CAUSE_UNKNOWN, FL_LOCUS_OPERATION, NULL},
    {"one of many that passed without harm", FAULT(SLOW, CHARGE, 8), pay_all_the_time, 9, FL_CAUSE_UNKNOWN, FL_LOCUS_OPERATION, NULL},
};
/* clang-format on */
enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

START_TEST(the_guilty_change_wins_and_the_innocent_does_not)
{
    const scenario *which = &scenarios[_i];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        s = (shop){.seed = seed,
                   .faults = {which->fault},
                   .changes = which->changes,
                   .change_count = which->count};
        shop_run(&s);
        const fl_hypothesis *first = s.incident.hypotheses;
        ck_assert_msg(s.incident.verdict == FL_VERDICT_CAUSE_FOUND, "%s", which->name);
        ck_assert_str_eq(first->service, "pay");
        ck_assert_msg(first->cause == which->cause && first->locus == which->locus,
                      "%s, seed %d: %s at %s %s", which->name, (int)seed,
                      fl_cause_name(first->cause), fl_locus_name(first->locus), first->locus_name);
        bool ruled_out = false;
        for (size_t i = 0; i < s.incident.ruled_out_count; i++)
            ruled_out |= which->innocent != NULL &&
                         strcmp(s.incident.ruled_out[i].service, which->innocent) == 0 &&
                         strstr(s.incident.ruled_out[i].text, "its deploy 1 -> 2 came ") != NULL;
        ck_assert_msg(ruled_out == (which->innocent != NULL), "%s: ruled out", which->name);
        shop_dispose(&s);
        s = (shop){0};
    }
}
END_TEST

static const fl_evidence *change_evidence(const fl_hypothesis *h)
{
    for (size_t i = 0; i < h->evidence_count; i++)
        if (h->evidence[i].modality == FL_MODALITY_CHANGES)
            return &h->evidence[i];
    return NULL;
}

START_TEST(the_evidence_has_lag_rate_harm_and_a_query)
{
    s = (shop){
        .seed = 1, .faults = {FAULT(SLOW, CHARGE, 8)}, .changes = setting, .change_count = 1};
    shop_run(&s);
    ck_assert_str_eq(s.incident.hypotheses[0].locus_name, "config db.pool 10 -> 1");
    const fl_evidence *e = change_evidence(&s.incident.hypotheses[0]);
    ck_assert_ptr_nonnull(e);
    ck_assert_str_eq(e->text,
                     "config db.pool 10 -> 1 of everything, 2m before what changed there (such "
                     "changes come every 24m or so; whether such changes do harm is not known from "
                     "this history)");
    ck_assert_double_eq(e->value, 120);
    ck_assert_double_eq(e->baseline, 1440);
    ck_assert_str_eq(e->unit, "s");
    ck_assert_str_eq(e->query, "https://config/7");
    ck_assert_int_eq(e->at_ns, SHOP_AT - 2 * SHOP_MINUTE);
}
END_TEST

/* The longer ago and the more frequent, the less a change says. */
START_TEST(weight_falls_with_the_lag_and_with_the_rate)
{
    double weights[3] = {0};
    const fl_change_record near[] = {DEPLOY("pay", -1), DEPLOY("pay", -5 * 24 * 60)};
    const fl_change_record often[] = {DEPLOY("pay", -1), DEPLOY("pay", -5 * 24 * 60),
                                      DEPLOY("pay", -4 * 24 * 60), DEPLOY("pay", -3 * 24 * 60)};
    const struct {
        const fl_change_record *changes;
        size_t count;
    } given[3] = {{near, 2}, {pay_long_ago, 2}, {often, 4}};
    for (size_t i = 0; i < 3; i++) {
        s = (shop){.seed = 1,
                   .faults = {FAULT(SLOW, CHARGE, 8)},
                   .changes = given[i].changes,
                   .change_count = given[i].count};
        shop_run(&s);
        const fl_evidence *e = change_evidence(&s.incident.hypotheses[0]);
        ck_assert_ptr_nonnull(e);
        weights[i] = e->weight_nats;
        shop_dispose(&s);
        s = (shop){0};
    }
    ck_assert_double_gt(weights[0], weights[1]);
    ck_assert_double_gt(weights[0], weights[2]);
}
END_TEST

START_TEST(earlier_changes_that_passed_without_harm_are_counted)
{
    const fl_change_record three[] = {DEPLOY("mail", -30), DEPLOY("cart", -29), DEPLOY("pay", -1),
                                      DEPLOY("pay", -90 * 24 * 60)};
    s = (shop){.seed = 1,
               .faults = {FAULT(SLOW, CHARGE, 8)},
               .changes = three,
               .change_count = 4,
               .from = -40,
               .to = SHOP_INCIDENT};
    shop_run(&s);
    const fl_evidence *e = change_evidence(&s.incident.hypotheses[0]);
    ck_assert_ptr_nonnull(e);
    ck_assert_msg(strstr(e->text, "of 2 earlier changes of this kind 2 passed without harm") !=
                      NULL,
                  "%s", e->text);
}
END_TEST

START_TEST(a_change_alone_is_no_cause)
{
    s = (shop){.seed = 2, .changes = pay_now, .change_count = 1};
    shop_run(&s);
    ck_assert_int_eq(s.incident.verdict, FL_VERDICT_NO_CONFIDENT_CAUSE);
    for (size_t i = 0; i < s.incident.hypothesis_count; i++)
        ck_assert(s.incident.hypotheses[i].cause != FL_CAUSE_DEPLOY);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("correlate/changes");
    TCase *cases = tcase_create("changes");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, the_guilty_change_wins_and_the_innocent_does_not, 0, SCENARIOS);
    tcase_add_test(cases, the_evidence_has_lag_rate_harm_and_a_query);
    tcase_add_test(cases, weight_falls_with_the_lag_and_with_the_rate);
    tcase_add_test(cases, earlier_changes_that_passed_without_harm_are_counted);
    tcase_add_test(cases, a_change_alone_is_no_cause);
    suite_add_tcase(suite, cases);
    return suite;
}
FL_TEST_MAIN(suite)
