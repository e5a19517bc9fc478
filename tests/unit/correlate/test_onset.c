/*
 * When it began: the posterior on made-up incidents whose beginning is known (shop.h). The stated
 * time is that of the shop, so an onset that is another one comes from the data.
 */
#include "mem.h"
#include "rank.h"
#include "shop.h"

enum { SEEDS = 8 };

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

typedef struct scenario {
    const char *name;
    shop shop;
    int onset;        /* windows after the stated time */
    int64_t widest_s; /* of the interval */
} scenario;

/* clang-format off */
static const scenario scenarios[] = {
    {"slow at the stated time", {.faults = {FAULT(SLOW, CHARGE, 8)}}, 0, 60},
    {"slow two minutes before it", {.faults = {FAULT_FROM(SLOW, CHARGE, 8, -2)}}, -2, 60},
    {"slow two minutes after it", {.faults = {FAULT_FROM(SLOW, CHARGE, 8, 2)}}, 2, 60},
    {"slow for two minutes", {.faults = {FAULT_DURING(SLOW, CHARGE, 8, 1, 2)}}, 1, 60},
    {"a far service", {.faults = {FAULT_FROM(NETWORK, STOCK, 60, 1)}}, 1, 60},
    {"an exception", {.faults = {FAULT_FROM(EXCEPTION, PRICE, 0.6, 2)}}, 2, 90},
    {"a used-up cpu", {.faults = {FAULT_FROM(CPU, PAY, 97, 1)}}, 1, 150},
    {"a used-up cpu, metrics alone", {.faults = {FAULT_FROM(CPU, PAY, 97, 1)}, .no_traces = true, .no_logs = true}, 1, 240},
    {"lines alone", {.faults = {FAULT_FROM(EXCEPTION, PRICE, 0.6, 1)}, .no_traces = true, .no_metrics = true, .bare_lines = true, .has_topology = true}, 1, 300},
};
/* clang-format on */
enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

/* A 90 % interval may miss one of eight. */
START_TEST(the_interval_holds_the_true_onset)
{
    const scenario *which = &scenarios[_i];
    int64_t truth_ns = SHOP_AT + which->onset * SHOP_MINUTE;
    int held = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        s = which->shop;
        s.seed = seed;
        shop_run(&s);
        const fl_onset *onset = &s.incident.onset;
        ck_assert_msg(onset->at_ns != 0, "%s, seed %d: no onset", which->name, (int)seed);
        ck_assert(onset->low_ns <= onset->at_ns && onset->at_ns <= onset->high_ns);
        ck_assert_msg(onset->high_ns - onset->low_ns <= which->widest_s * SHOP_SECOND,
                      "%s, seed %d: %lld s wide", which->name, (int)seed,
                      (long long)((onset->high_ns - onset->low_ns) / SHOP_SECOND));
        ck_assert_int_eq(onset->at_ns, s.incident.hypotheses[0].onset.at_ns);
        held += onset->low_ns <= truth_ns && truth_ns <= onset->high_ns;
        shop_dispose(&s);
        s = (shop){0};
    }
    ck_assert_msg(held >= SEEDS - 1, "%s: %d of %d", which->name, held, SEEDS);
}
END_TEST

START_TEST(nothing_began_where_nothing_changed)
{
    s.seed = 3;
    shop_run(&s);
    ck_assert_int_eq(s.incident.onset.at_ns, 0);
}
END_TEST

START_TEST(what_began_later_says_so)
{
    s = (shop){.seed = 2, .faults = {FAULT(SLOW, CHARGE, 8), FAULT_FROM(SLOW, SEND, 8, 1)}};
    shop_run(&s);
    const fl_hypothesis *mail = NULL;
    for (size_t i = 0; i < s.incident.hypothesis_count && mail == NULL; i++)
        if (strcmp(s.incident.hypotheses[i].service, "mail") == 0)
            mail = &s.incident.hypotheses[i];
    ck_assert_ptr_nonnull(mail);
    ck_assert_int_gt(mail->onset.low_ns, s.incident.onset.high_ns);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("correlate/onset");
    TCase *cases = tcase_create("onset");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, the_interval_holds_the_true_onset, 0, SCENARIOS);
    tcase_add_test(cases, nothing_began_where_nothing_changed);
    tcase_add_test(cases, what_began_later_says_so);
    suite_add_tcase(suite, cases);
    return suite;
}
FL_TEST_MAIN(suite)
