/*
 * What profiles found, in the ranking: two services over half an hour, of each a memory metric that
 * stays or doubles.
 */
#include <math.h>

#include "faultline/timeline.h"
#include "fl_test.h"
#include "mem.h"
#include "rank.h"

enum { ORDERS, PAYMENT, SERVICES };
enum { BASELINE = 24, INCIDENT = 5, WINDOWS = BASELINE + INCIDENT };
static const int64_t minute_ns = INT64_C(60000000000);

static const char *const names[SERVICES] = {"orders", "payment"};
static double values[SERVICES][WINDOWS];
static fl_metric_series series[SERVICES];
static const fl_entity entities[SERVICES] = {{.service = ORDERS, .instance = "orders-1"},
                                             {.service = PAYMENT, .instance = "payment-1"}};
static fl_window windows[WINDOWS];
static fl_timeline timeline;
static fl_streams streams;
static fl_incident incident;
static fl_arena arena;
static fl_error err;

static const fl_rank_finding leak = {.service = "orders",
                                     .cause = FL_CAUSE_MEMORY_LEAK,
                                     .confidence = 0.9,
                                     .frame = "main.put (store.go:42)",
                                     .text = "leak in main.put",
                                     .at_ns = 77,
                                     .value = 1e9,
                                     .unit = "By/h",
                                     .query = "faultline leak profiles/orders"};

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(64u << 20);
    for (int w = 0; w < WINDOWS; w++)
        windows[w] = (fl_window){.from_ns = (w + 1) * minute_ns,
                                 .to_ns = (w + 2) * minute_ns,
                                 .incident = w >= BASELINE,
                                 .has_metrics = true};
    for (int s = 0; s < SERVICES; s++) {
        for (int w = 0; w < WINDOWS; w++)
            values[s][w] = 100 + (w * 7 + s) % 5;
        series[s] = (fl_metric_series){.entity = (uint32_t)s,
                                       .name = "go.memory.used",
                                       .attributes = "",
                                       .unit = "By",
                                       .role = FL_ROLE_MEMORY,
                                       .share_of = 1,
                                       .bad_when = 1,
                                       .values = values[s]};
    }
    timeline = (fl_timeline){.at_ns = windows[BASELINE].from_ns,
                             .step_ns = minute_ns,
                             .windows = windows,
                             .window_count = WINDOWS,
                             .services = names,
                             .service_count = SERVICES,
                             .entities = entities,
                             .entity_count = SERVICES,
                             .metrics = series,
                             .metric_series_count = SERVICES,
                             .span_sampling = 1,
                             .log_sampling = 1,
                             .metric_sampling = 1};
    streams = (fl_streams){.timeline = &timeline};
    incident = (fl_incident){.at_ns = timeline.at_ns};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

/* From the incident on, three times as much and more by the minute. */
static void let_memory_rise(int service)
{
    for (int w = BASELINE; w < WINDOWS; w++)
        values[service][w] = 300 + 40 * (w - BASELINE);
}

/* The same, and as it is from then on. */
static void let_memory_jump(int service)
{
    for (int w = BASELINE; w < WINDOWS; w++)
        values[service][w] = 400 + w % 2;
}

static void rank(const fl_rank_finding *findings, size_t count)
{
    const fl_rank_question question = {.findings = findings, .finding_count = count};
    ck_assert_ok(fl_rank(&incident, &streams, &question, &arena, &err));
}

static const fl_hypothesis *find(const char *service)
{
    for (size_t i = 0; i < incident.hypothesis_count; i++)
        if (strcmp(incident.hypotheses[i].service, service) == 0)
            return &incident.hypotheses[i];
    return NULL;
}

static const fl_evidence *evidence_of(const fl_hypothesis *hypothesis)
{
    for (size_t i = 0; i < hypothesis->evidence_count; i++)
        if (hypothesis->evidence[i].modality == FL_MODALITY_PROFILES)
            return &hypothesis->evidence[i];
    return NULL;
}

START_TEST(a_leak_names_the_line_of_the_memory_that_rises)
{
    let_memory_rise(ORDERS);
    rank(NULL, 0);
    double alone = find("orders")->score;
    ck_assert_int_eq(find("orders")->locus, FL_LOCUS_METRIC);
    rank(&leak, 1);
    const fl_hypothesis *first = &incident.hypotheses[0];
    ck_assert_str_eq(first->service, "orders");
    ck_assert_int_eq(first->cause, FL_CAUSE_MEMORY_LEAK);
    ck_assert_int_eq(first->resource, FL_RESOURCE_MEMORY);
    ck_assert_int_eq(first->locus, FL_LOCUS_FRAME);
    ck_assert_str_eq(first->locus_name, "main.put (store.go:42)");
    ck_assert_double_eq_tol(first->score - alone, log(9), 1e-6);
    const fl_evidence *evidence = evidence_of(first);
    ck_assert_ptr_nonnull(evidence);
    ck_assert(!evidence->against);
    ck_assert_str_eq(evidence->text, "leak in main.put");
    ck_assert_str_eq(evidence->query, "faultline leak profiles/orders");
    ck_assert_int_eq(evidence->at_ns, 77);
    ck_assert_double_eq(evidence->value, 1e9);
}
END_TEST

START_TEST(a_leak_elsewhere_does_not_outrank_what_the_telemetry_shows)
{
    let_memory_rise(PAYMENT);
    rank(&leak, 1);
    ck_assert_str_eq(incident.hypotheses[0].service, "payment");
    ck_assert_ptr_null(evidence_of(&incident.hypotheses[0]));
    const fl_hypothesis *other = find("orders");
    ck_assert_ptr_nonnull(other);
    ck_assert_double_lt(other->probability, 0.1);
}
END_TEST

START_TEST(a_leak_alone_is_listed_and_no_confident_cause)
{
    rank(&leak, 1);
    ck_assert_int_eq(incident.verdict, FL_VERDICT_NO_CONFIDENT_CAUSE);
    const fl_hypothesis *own = find("orders");
    ck_assert_ptr_nonnull(own);
    ck_assert_int_eq(own->locus, FL_LOCUS_FRAME);
    ck_assert_double_le(own->score, log(19) + 1e-9);
}
END_TEST

START_TEST(a_report_that_finds_none_speaks_against_a_leak)
{
    fl_rank_finding none = leak;
    none.against = true;
    none.frame = NULL;
    let_memory_rise(ORDERS);
    rank(NULL, 0);
    double alone = find("orders")->score;
    rank(&none, 1);
    const fl_hypothesis *first = find("orders");
    ck_assert_int_eq(first->cause, FL_CAUSE_MEMORY);
    ck_assert_int_eq(first->locus, FL_LOCUS_METRIC);
    ck_assert_double_eq_tol(alone - first->score, log(9), 1e-6);
    ck_assert(evidence_of(first)->against);
    /* ... and of a service whose memory stays it is nothing to tell */
    none.service = "payment";
    rank(&none, 1);
    ck_assert(find("payment") == NULL || evidence_of(find("payment")) == NULL ||
              evidence_of(find("payment"))->against);
}
END_TEST

START_TEST(a_collector_at_work_explains_memory_and_a_lock_does_not)
{
    fl_rank_finding other = leak;
    let_memory_rise(ORDERS);
    other.cause = FL_CAUSE_GC;
    rank(&other, 1);
    ck_assert_int_eq(incident.hypotheses[0].cause, FL_CAUSE_GC);
    other.cause = FL_CAUSE_LOCK;
    rank(&other, 1);
    ck_assert_int_eq(incident.hypotheses[0].cause, FL_CAUSE_MEMORY_LEAK);
    ck_assert_ptr_null(evidence_of(&incident.hypotheses[0]));
}
END_TEST

/* What a heap dump says of a map and of texts. */
static fl_rank_finding state_of(fl_cause cause)
{
    fl_rank_finding state = leak;
    state.cause = cause;
    state.confidence = 0.75;
    state.frame = "shop.Grid.CELLS";
    return state;
}

static const struct {
    fl_role role;
    fl_cause state;
    bool fits;
} symptoms[] = {
    {FL_ROLE_CPU, FL_CAUSE_CPU, true},
    {FL_ROLE_CPU, FL_CAUSE_MEMORY, false},
    {FL_ROLE_MEMORY, FL_CAUSE_MEMORY, true},
    {FL_ROLE_MEMORY, FL_CAUSE_CPU, false},
};

START_TEST(a_state_is_a_cause_only_where_the_symptom_fits)
{
    const fl_rank_finding state = state_of(symptoms[_i].state);
    bool fits = symptoms[_i].fits;
    series[ORDERS].role = series[PAYMENT].role = symptoms[_i].role;
    if (symptoms[_i].role == FL_ROLE_CPU)
        series[ORDERS].name = series[PAYMENT].name = "container.cpu.usage";
    rank(&state, 1);
    ck_assert(find("orders") == NULL || evidence_of(find("orders")) == NULL);
    let_memory_jump(ORDERS);
    rank(NULL, 0);
    fl_cause cause = find("orders")->cause;
    double alone = find("orders")->score;
    rank(&state, 1);
    const fl_hypothesis *first = find("orders");
    ck_assert_int_eq(first->locus == FL_LOCUS_FRAME, fits);
    ck_assert_double_eq_tol(first->score - alone, fits ? log(3) : 0, 1e-6);
    ck_assert_int_eq(evidence_of(first) != NULL, fits);
    ck_assert_int_eq(first->cause, cause);
    for (size_t i = 0; i < incident.hypothesis_count && !fits; i++)
        ck_assert_ptr_null(evidence_of(&incident.hypotheses[i]));
}
END_TEST

START_TEST(wasted_memory_does_not_name_memory_that_rises)
{
    const fl_rank_finding state = state_of(FL_CAUSE_MEMORY);
    let_memory_rise(ORDERS);
    rank(&state, 1);
    ck_assert_int_eq(find("orders")->cause, FL_CAUSE_MEMORY_LEAK);
    ck_assert_int_eq(find("orders")->locus, FL_LOCUS_METRIC);
    ck_assert_ptr_nonnull(evidence_of(find("orders")));
}
END_TEST

START_TEST(a_state_gives_way_to_what_a_leak_names)
{
    const fl_rank_finding both[] = {leak, state_of(FL_CAUSE_MEMORY)};
    let_memory_rise(ORDERS);
    rank(both, 2);
    const fl_hypothesis *first = find("orders");
    ck_assert_int_eq(first->cause, FL_CAUSE_MEMORY_LEAK);
    ck_assert_str_eq(first->locus_name, "main.put (store.go:42)");
}
END_TEST

START_TEST(findings_of_services_without_telemetry_are_passed_over)
{
    fl_rank_finding other = leak;
    other.service = "nobody";
    let_memory_rise(ORDERS);
    rank(&other, 1);
    for (size_t i = 0; i < incident.hypothesis_count; i++)
        ck_assert_ptr_null(evidence_of(&incident.hypotheses[i]));
}
END_TEST

START_TEST(certainty_is_clipped)
{
    fl_rank_finding sure = leak;
    sure.confidence = 1;
    let_memory_rise(ORDERS);
    rank(NULL, 0);
    double alone = find("orders")->score;
    rank(&sure, 1);
    ck_assert_double_eq_tol(find("orders")->score - alone, log(19), 1e-6);
    sure.confidence = 0.3; /* less than even odds are no evidence, and none against */
    rank(&sure, 1);
    ck_assert_double_eq_tol(find("orders")->score, alone, 1e-6);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("rank_findings");
    TCase *cases = tcase_create("rank_findings");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_leak_names_the_line_of_the_memory_that_rises);
    tcase_add_test(cases, a_leak_elsewhere_does_not_outrank_what_the_telemetry_shows);
    tcase_add_test(cases, a_leak_alone_is_listed_and_no_confident_cause);
    tcase_add_test(cases, a_report_that_finds_none_speaks_against_a_leak);
    tcase_add_test(cases, a_collector_at_work_explains_memory_and_a_lock_does_not);
    tcase_add_loop_test(cases, a_state_is_a_cause_only_where_the_symptom_fits, 0,
                        sizeof(symptoms) / sizeof(symptoms[0]));
    tcase_add_test(cases, wasted_memory_does_not_name_memory_that_rises);
    tcase_add_test(cases, a_state_gives_way_to_what_a_leak_names);
    tcase_add_test(cases, findings_of_services_without_telemetry_are_passed_over);
    tcase_add_test(cases, certainty_is_clipped);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
