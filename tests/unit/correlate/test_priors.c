#include <math.h>

#include "mem.h"
#include "rank.h"

#include "fl_incidents.h"
#include "fl_test.h"

static fl_error err;
static fl_arena arena;
static fl_hypothesis hypotheses[3];
static fl_incident incident;

/* Three services: two beyond the gate that are close, and one below it. */
static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1u << 20);
    memcpy(hypotheses, fl_test_hypotheses, sizeof(hypotheses));
    hypotheses[0].score = 21;
    hypotheses[0].probability = 0.5;
    hypotheses[1].rank = 2;
    hypotheses[1].score = 20;
    hypotheses[1].probability = 0.2;
    hypotheses[2].rank = 3;
    hypotheses[2].score = 2.9;
    hypotheses[2].probability = 0.001;
    incident = fl_test_incident;
    incident.hypotheses = hypotheses;
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

static fl_prior prior_of(size_t hypothesis, double log_odds)
{
    return (fl_prior){.hypothesis = hypothesis,
                      .log_odds = log_odds,
                      .text = "6 of 7 were explained by this",
                      .query = "faultline graph paths --incident x",
                      .at_ns = FL_TEST_AT_NS,
                      .value = 0.8,
                      .baseline = 0.25};
}

static void weigh(fl_prior prior)
{
    ck_assert_ok(fl_rank_weigh(&incident, &prior, 1, &arena, &err));
}

static const fl_evidence *memory_of(const fl_hypothesis *h)
{
    for (size_t i = 0; i < h->evidence_count; i++)
        if (h->evidence[i].modality == FL_MODALITY_MEMORY)
            return &h->evidence[i];
    return NULL;
}

static double log_odds(double p)
{
    return log(p / (1 - p));
}

START_TEST(without_priors_nothing_changes)
{
    ck_assert_ok(fl_rank_weigh(&incident, NULL, 0, &arena, &err));
    ck_assert_ptr_eq(incident.hypotheses, hypotheses);
    weigh(prior_of(0, 0));
    ck_assert_ptr_eq(incident.hypotheses, hypotheses);
    ck_assert_uint_eq(arena.used_bytes > 0, true);
    ck_assert_ptr_null(memory_of(&incident.hypotheses[0]));
}
END_TEST

START_TEST(a_prior_is_a_line_of_evidence_of_its_own_and_moves_the_probability_by_what_it_says)
{
    weigh(prior_of(0, 1));
    const fl_hypothesis *first = &incident.hypotheses[0];
    const fl_evidence *memory = memory_of(first);
    ck_assert_ptr_nonnull(memory);
    ck_assert_str_eq(memory->text, "6 of 7 were explained by this");
    ck_assert_str_eq(memory->query, "faultline graph paths --incident x");
    ck_assert(!memory->against);
    ck_assert_double_eq_tol(first->score, 21 + memory->weight_nats, 1e-12);
    ck_assert_double_eq_tol(log_odds(first->probability), log_odds(0.5) + 1, 1e-9);
    ck_assert_uint_eq(first->evidence_count, fl_test_hypotheses[0].evidence_count + 1);
}
END_TEST

START_TEST(a_prior_decides_between_hypotheses_that_are_close)
{
    weigh(prior_of(1, 2.5));
    ck_assert_str_eq(incident.hypotheses[0].service, fl_test_hypotheses[1].service);
    ck_assert_uint_eq(incident.hypotheses[0].rank, 1);
    ck_assert_uint_eq(incident.hypotheses[1].rank, 2);
    ck_assert_int_eq(incident.onset.at_ns, fl_test_hypotheses[1].onset.at_ns);
    double sum = 0;
    for (size_t i = 0; i < 3; i++) {
        ck_assert(i == 0 ||
                  incident.hypotheses[i].probability <= incident.hypotheses[i - 1].probability);
        sum += incident.hypotheses[i].probability;
    }
    ck_assert_double_le(sum, 1);
}
END_TEST

START_TEST(no_prior_moves_more_than_the_odds_that_it_may_have)
{
    hypotheses[1].score = 15;
    weigh(prior_of(1, 1e9));
    ck_assert_str_eq(incident.hypotheses[0].service, fl_test_hypotheses[0].service);
    ck_assert_double_le(incident.hypotheses[1].score - 15, log(FL_RANK_PRIOR_ODDS));
    ck_assert(incident.hypotheses[1].score > 15);
}
END_TEST

START_TEST(a_prior_speaks_against_as_well)
{
    weigh(prior_of(0, -2));
    ck_assert_str_eq(incident.hypotheses[0].service, fl_test_hypotheses[1].service);
    const fl_evidence *memory = memory_of(&incident.hypotheses[1]);
    ck_assert(memory->against);
    ck_assert(memory->weight_nats < 0);
}
END_TEST

START_TEST(what_telemetry_does_not_call_real_gets_no_prior)
{
    weigh(prior_of(2, 3));
    ck_assert_ptr_eq(incident.hypotheses, hypotheses);
    ck_assert_double_eq(incident.hypotheses[2].score, 2.9);
}
END_TEST

START_TEST(memory_alone_gives_no_verdict_and_a_tie_keeps_the_order_of_telemetry)
{
    hypotheses[0].score = hypotheses[1].score = 3.2;
    hypotheses[0].probability = hypotheses[1].probability = 0.02;
    const fl_prior both[] = {prior_of(0, 9), prior_of(1, 9)};
    incident.verdict = FL_VERDICT_NO_CONFIDENT_CAUSE;
    ck_assert_ok(fl_rank_weigh(&incident, both, 2, &arena, &err));
    ck_assert_int_eq(incident.verdict, FL_VERDICT_NO_CONFIDENT_CAUSE);
    ck_assert_str_eq(incident.hypotheses[0].service, fl_test_hypotheses[0].service);
    ck_assert_uint_eq(incident.hypotheses[1].rank, 1);
    ck_assert_double_lt(incident.hypotheses[0].probability, 0.5);
}
END_TEST

START_TEST(evidence_is_heaviest_first)
{
    weigh(prior_of(0, 3));
    const fl_hypothesis *first = &incident.hypotheses[0];
    for (size_t i = 1; i < first->evidence_count; i++)
        ck_assert(fabs(first->evidence[i].weight_nats) <= fabs(first->evidence[i - 1].weight_nats));
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    const fl_prior prior = prior_of(0, 1);
    for (long n = 0; n < 10; n++) {
        fl_arena own = fl_arena_of(1u << 20);
        fl_incident copy = incident;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        fl_status status = fl_rank_weigh(&copy, &prior, 1, &own, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || (status == FL_E_NOMEM && copy.hypotheses == hypotheses));
        fl_arena_dispose(&own);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("priors");
    TCase *tc = tcase_create("priors");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, without_priors_nothing_changes);
    tcase_add_test(
        tc, a_prior_is_a_line_of_evidence_of_its_own_and_moves_the_probability_by_what_it_says);
    tcase_add_test(tc, a_prior_decides_between_hypotheses_that_are_close);
    tcase_add_test(tc, no_prior_moves_more_than_the_odds_that_it_may_have);
    tcase_add_test(tc, a_prior_speaks_against_as_well);
    tcase_add_test(tc, what_telemetry_does_not_call_real_gets_no_prior);
    tcase_add_test(tc, memory_alone_gives_no_verdict_and_a_tie_keeps_the_order_of_telemetry);
    tcase_add_test(tc, evidence_is_heaviest_first);
    tcase_add_test(tc, every_allocation_may_fail);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
