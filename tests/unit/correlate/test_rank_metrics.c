/*
 * The ranking without spans: what the metrics of a made-up mesh of five services tell. Each window
 * draws requests, and reports rates and quantiles of what servers and clients took, as proxies do:
 *
 *     front -> cart (nine in ten requests) -> mail (one in ten)
 *     front -> pay (one in five), rec (one in thirty)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "faultline/timeline.h"
#include "fl_test.h"
#include "mem.h"
#include "rank.h"
#include "rank_priv.h"

enum { CART, FRONT, MAIL, PAY, REC, SERVICES };
enum { BASELINE = 24, INCIDENT = 5, WINDOWS = BASELINE + INCIDENT };
enum { REQUESTS = 300, MOST_CALLS = 4 * REQUESTS, QUANTILES = 3, MOST_SERIES = 64 };
static const int64_t minute_ns = INT64_C(60000000000);

static const char *const names[SERVICES] = {"cart", "front", "mail", "pay", "rec"};
static const char *const pods[SERVICES] = {"cart-0", "front-0", "mail-0", "pay-0", "rec-0"};
static const double own_s[SERVICES] = {
    [CART] = 0.02, [FRONT] = 0.03, [MAIL] = 0.02, [PAY] = 0.02, [REC] = 0.02};

struct mesh {
    double wire_s[SERVICES]; /* what calls into a service take more on the way */
    double slow[SERVICES];   /* factor of own time; 0: as ever */
    double silent[SERVICES]; /* the share of its requests in which a service calls nobody */
    double load;             /* factor; 0: as ever */
    bool no_clients, has_topology;
    uint64_t seed, random;

    double server[SERVICES][MOST_CALLS], client[SERVICES][MOST_CALLS];
    size_t server_count[SERVICES], client_count[SERVICES];
    double values[MOST_SERIES][WINDOWS];
    fl_metric_series series[MOST_SERIES];
    size_t series_count;
    fl_entity entities[SERVICES + 1];
    fl_window windows[WINDOWS];
    fl_timeline timeline;
    fl_streams streams;
    fl_incident incident;
    fl_arena arena;
};

static struct mesh m;
static fl_error err;

static double uniform(void)
{
    m.random = m.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(m.random >> 11) / 9007199254740992.0;
}

static double vary(double median)
{
    return median * exp(0.4 * sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform()));
}

/* ---- one window ---- */

static double serve(int service, bool faulty);

static double call(int caller, int callee, bool faulty)
{
    double took = serve(callee, faulty) + vary(0.001) + (faulty ? m.wire_s[callee] : 0);
    m.client[caller][m.client_count[caller]++] = took;
    return took;
}

static double serve(int service, bool faulty)
{
    double took = vary(own_s[service]) * (faulty && m.slow[service] > 0 ? m.slow[service] : 1);
    bool calls = !(faulty && uniform() < m.silent[service]);
    if (service == FRONT && calls) {
        took += uniform() < 0.9 ? call(FRONT, CART, faulty) : 0;
        took += uniform() < 0.2 ? call(FRONT, PAY, faulty) : 0;
        took += uniform() < 1.0 / 30 ? call(FRONT, REC, faulty) : 0;
    }
    if (service == CART && calls && uniform() < 0.1)
        took += call(CART, MAIL, faulty);
    m.server[service][m.server_count[service]++] = took;
    return took;
}

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double quantile(double *values, size_t count, double q)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof(*values), compare_numbers);
    return values[(size_t)(q * (double)(count - 1))];
}

static double *add_series(int entity, const char *name, fl_role role, const char *unit)
{
    size_t at = 0;
    while (at < m.series_count &&
           (m.series[at].entity != (uint32_t)entity || strcmp(m.series[at].name, name) != 0))
        at++;
    if (at == m.series_count) {
        ck_assert_uint_lt(at, MOST_SERIES);
        m.series[m.series_count++] = (fl_metric_series){.entity = (uint32_t)entity,
                                                        .name = name,
                                                        .attributes = "",
                                                        .unit = unit,
                                                        .role = role,
                                                        .share_of = 1,
                                                        .bad_when = role != FL_ROLE_TRAFFIC,
                                                        .values = m.values[at]};
    }
    return m.values[at];
}

static void report(int window)
{
    static const double at[QUANTILES] = {0.5, 0.9, 0.99};
    static const char *const servers[QUANTILES] = {
        "server_latency_p50_seconds", "server_latency_p90_seconds", "server_latency_p99_seconds"};
    static const char *const clients[QUANTILES] = {
        "client_latency_p50_seconds", "client_latency_p90_seconds", "client_latency_p99_seconds"};
    for (int s = 0; s < SERVICES; s++) {
        add_series(s, "requests", FL_ROLE_TRAFFIC, "{request}/s")[window] =
            (double)m.server_count[s] / 60;
        for (int q = 0; q < QUANTILES; q++) {
            add_series(s, servers[q], FL_ROLE_LATENCY, "s")[window] =
                quantile(m.server[s], m.server_count[s], at[q]);
            if (!m.no_clients && (s == FRONT || s == CART))
                add_series(s, clients[q], FL_ROLE_LATENCY, "s")[window] =
                    quantile(m.client[s], m.client_count[s], at[q]);
        }
    }
}

static void simulate(int window)
{
    bool faulty = window >= BASELINE;
    double load = (0.9 + 0.2 * uniform()) * (faulty && m.load > 0 ? m.load : 1);
    memset(m.server_count, 0, sizeof(m.server_count));
    memset(m.client_count, 0, sizeof(m.client_count));
    for (int i = 0; i < (int)(0.8 * REQUESTS * load); i++)
        (void)serve(FRONT, faulty);
    report(window);
}

/* ---- from windows to an answer ---- */

static void prepare(void)
{
    static const fl_topology_edge edges[] = {
        {CART, MAIL}, {FRONT, CART}, {FRONT, PAY}, {FRONT, REC}};
    m.random = m.seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    m.series_count = 0;
    for (int w = 0; w < WINDOWS; w++)
        m.windows[w] = (fl_window){.from_ns = w * minute_ns,
                                   .to_ns = (w + 1) * minute_ns,
                                   .incident = w >= BASELINE,
                                   .has_metrics = true};
    for (int s = 0; s < SERVICES; s++)
        m.entities[s] = (fl_entity){.service = (uint32_t)s, .instance = pods[s]};
    for (int w = 0; w < WINDOWS; w++)
        simulate(w);
    m.timeline = (fl_timeline){.at_ns = BASELINE * minute_ns,
                               .step_ns = minute_ns,
                               .windows = m.windows,
                               .window_count = WINDOWS,
                               .services = names,
                               .service_count = SERVICES,
                               .entities = m.entities,
                               .entity_count = SERVICES,
                               .metrics = m.series,
                               .metric_series_count = m.series_count,
                               .topology = edges,
                               .topology_count = m.has_topology ? 4 : 0,
                               .metric_sampling = 1};
    m.streams = (fl_streams){.timeline = &m.timeline};
}

static void answer(void)
{
    fl_rank_question question = {0};
    fl_arena_dispose(&m.arena);
    m.arena = fl_arena_of(64u << 20);
    m.incident = (fl_incident){.at_ns = m.timeline.at_ns};
    ck_assert_ok(fl_rank(&m.incident, &m.streams, &question, &m.arena, &err));
}

static void setup(void)
{
    err = (fl_error){0};
    m = (struct mesh){.seed = 1};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&m.arena);
}

static const fl_hypothesis *first_of(const char *service, fl_cause cause)
{
    for (size_t i = 0; i < m.incident.hypothesis_count; i++)
        if (strcmp(m.incident.hypotheses[i].service, service) == 0 &&
            m.incident.hypotheses[i].cause == cause)
            return &m.incident.hypotheses[i];
    return NULL;
}

/* ---- calls that take longer on the way ---- */

static void check_first(const char *service, fl_cause cause)
{
    ck_assert_uint_gt(m.incident.hypothesis_count, 0);
    const fl_hypothesis *first = &m.incident.hypotheses[0];
    ck_assert_msg(strcmp(first->service, service) == 0 && first->cause == cause,
                  "seed %d: %s, %s first", (int)m.seed, first->service,
                  fl_cause_name(first->cause));
    ck_assert_uint_gt(first->evidence_count, 0);
    ck_assert_ptr_null(strstr(first->evidence[0].text, "nan"));
}

START_TEST(a_far_service_is_told_by_its_caller_and_the_call_graph)
{
    m.seed = (uint64_t)_i + 1;
    m.has_topology = true;
    m.wire_s[MAIL] = 0.4;
    prepare();
    answer();
    check_first("mail", FL_CAUSE_NETWORK_DELAY);
    ck_assert_int_eq(m.incident.hypotheses[0].resource, FL_RESOURCE_NETWORK);
    ck_assert_int_eq(m.incident.verdict, FL_VERDICT_CAUSE_FOUND);
    ck_assert_ptr_nonnull(strstr(m.incident.hypotheses[0].evidence[0].text, "cart"));
}
END_TEST

/* Most calls below the front are the cart's: its median shows their delay, and only its 99th
 * percentile that of the few to rec. */
START_TEST(the_share_of_slow_calls_tells_which_service_is_far)
{
    static const int far[] = {REC, CART, PAY};
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        memset(m.wire_s, 0, sizeof(m.wire_s));
        m.seed = (uint64_t)_i + 1;
        m.wire_s[far[i]] = 0.4;
        prepare();
        answer();
        check_first(names[far[i]], FL_CAUSE_NETWORK_DELAY);
    }
}
END_TEST

START_TEST(a_service_that_is_slow_itself_needs_no_network)
{
    m.seed = (uint64_t)_i + 1;
    m.slow[PAY] = 12;
    prepare();
    answer();
    check_first("pay", FL_CAUSE_UNKNOWN);
    const fl_hypothesis *network = first_of("pay", FL_CAUSE_NETWORK_DELAY);
    ck_assert(network == NULL || network->score < FL_LBF_REAL);
}
END_TEST

START_TEST(a_service_that_waits_for_calls_is_not_slow_itself)
{
    m.wire_s[CART] = 0.4;
    prepare();
    answer();
    const fl_hypothesis *waits = first_of("front", FL_CAUSE_UNKNOWN);
    ck_assert(waits == NULL || waits->score < 0.5 * m.incident.hypotheses[0].score);
}
END_TEST

/* ---- calls that are no longer made ---- */

START_TEST(who_stops_calling_is_told_by_what_no_longer_arrives)
{
    m.seed = (uint64_t)_i + 1;
    m.no_clients = m.has_topology = true;
    m.silent[CART] = 0.95;
    prepare();
    answer();
    check_first("cart", FL_CAUSE_CODE_PATH);
    ck_assert_str_eq(m.incident.hypotheses[0].locus_name, "cart -> mail");
}
END_TEST

START_TEST(the_entry_that_calls_nobody_is_named)
{
    m.seed = (uint64_t)_i + 1;
    m.silent[FRONT] = 0.9;
    prepare();
    answer();
    check_first("front", FL_CAUSE_CODE_PATH);
}
END_TEST

START_TEST(less_load_is_no_call_left_out)
{
    m.seed = (uint64_t)_i + 1;
    m.load = 0.4;
    prepare();
    answer();
    ck_assert_int_eq(m.incident.verdict, FL_VERDICT_NO_CONFIDENT_CAUSE);
}
END_TEST

START_TEST(calls_that_are_missing_now_and_then_are_no_news)
{
    m.no_clients = true;
    m.silent[CART] = 0.95;
    prepare();
    double *requests = add_series(MAIL, "requests", FL_ROLE_TRAFFIC, "{request}/s");
    for (int w = 0; w < BASELINE; w += 3)
        requests[w] = 0;
    answer();
    ck_assert_int_eq(m.incident.verdict, FL_VERDICT_NO_CONFIDENT_CAUSE);
}
END_TEST

START_TEST(a_healthy_mesh_has_no_confident_cause)
{
    m.seed = (uint64_t)_i + 1;
    m.has_topology = _i % 3 == 0;
    prepare();
    answer();
    ck_assert_int_eq(m.incident.verdict, FL_VERDICT_NO_CONFIDENT_CAUSE);
}
END_TEST

/* ---- which series says what ---- */

START_TEST(a_series_tells_its_side_and_its_quantile)
{
    static const struct {
        const char *name, *statistic, *attributes;
        bool is_client;
        double quantile;
    } rows[] = {{"http.server.request.duration", "p99", "", false, 0.99},
                {"http.client.request.duration", "mean", "", true, FL_RANK_MEAN},
                {"istio_request_duration_milliseconds", "p99", "reporter=source", true, 0.99},
                {"envoy_cluster_upstream_rq_time", NULL, "quantile=0.95", true, 0.95},
                {"pod_latency_p999_seconds", NULL, "", false, 0.999},
                {"pod_latency_p99.9_seconds", NULL, "", false, 0.999},
                {"latency", NULL, "statistic=p50", false, 0.5},
                {"latency_median", NULL, "", false, 0.5},
                {"latency", NULL, "statistic=Average", false, FL_RANK_MEAN},
                {"http2_duration", NULL, "", false, NAN},
                {"p_duration", NULL, "", false, NAN},
                {"op99_duration", NULL, "", false, NAN},
                {"duration", "rate", "", false, NAN},
                {"duration_p0", NULL, "", false, NAN},
                {"duration", NULL, "quantile=1", false, NAN}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fl_metric_series series = {
            .name = rows[i].name, .statistic = rows[i].statistic, .attributes = rows[i].attributes};
        double quantile_told = fl_rank_quantile(&series);
        ck_assert_msg(fl_rank_is_client_side(&series) == rows[i].is_client, "%s", rows[i].name);
        if (isnan(rows[i].quantile))
            ck_assert_msg(isnan(quantile_told), "%s: %g", rows[i].name, quantile_told);
        else
            ck_assert_double_eq_tol(quantile_told, rows[i].quantile, 1e-12);
    }
}
END_TEST

/* What a prober reports as a service of its own is said of the service that it is about. */
START_TEST(a_view_of_a_service_speaks_for_it)
{
    static const char *const with_view[SERVICES + 1] = {"cart", "front", "mail",
                                                        "pay",  "rec",   "view"};
    m.silent[FRONT] = 0.6;
    prepare();
    double *seen = add_series(SERVICES, "entry_p90", FL_ROLE_LATENCY, "s"),
           *good = add_series(SERVICES, "entry_success", FL_ROLE_ERRORS, "%");
    memcpy(seen, add_series(FRONT, "server_latency_p90_seconds", FL_ROLE_LATENCY, "s"),
           WINDOWS * sizeof(*seen));
    for (int w = 0; w < WINDOWS; w++)
        good[w] = w < BASELINE ? 100 : 45;
    m.series[m.series_count - 1].scale = FL_SCALE_SHARE;
    m.series[m.series_count - 1].share_of = 100;
    m.series[m.series_count - 1].bad_when = -1;
    m.entities[SERVICES] = (fl_entity){.service = SERVICES};
    m.timeline.metric_series_count = m.series_count;
    m.timeline.services = with_view;
    m.timeline.service_count = m.timeline.entity_count = SERVICES + 1;
    answer();
    ck_assert_uint_gt(m.incident.hypothesis_count, 0);
    ck_assert_str_eq(m.incident.hypotheses[0].service, "front");
    ck_assert_ptr_nonnull(first_of("front", FL_CAUSE_EXCEPTION));
    for (size_t i = 0; i < m.incident.hypothesis_count; i++)
        ck_assert_str_ne(m.incident.hypotheses[i].service, "view");
}
END_TEST

/* ---- memory ---- */

START_TEST(survives_each_allocation_failing)
{
    m.wire_s[CART] = 0.4;
    m.silent[CART] = 0.9;
    prepare();
    for (long n = 0;; n++) {
        ck_assert_int_lt(n, 10000);
        fl_arena fresh = fl_arena_of(64u << 20);
        fl_incident incident = {0};
        fl_rank_question question = {0};
        fl_mem_fail_after(n);
        fl_status status = fl_rank(&incident, &m.streams, &question, &fresh, NULL);
        fl_mem_fail_after(-1);
        fl_arena_dispose(&fresh);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        if (status == FL_OK) {
            ck_assert_int_gt(n, 3);
            break;
        }
    }
}
END_TEST

START_TEST(every_budget_is_enough_or_refused)
{
    m.wire_s[CART] = 0.4;
    m.silent[CART] = 0.9;
    prepare();
    answer();
    size_t enough = m.arena.used_bytes;
    for (size_t budget = 0; budget <= enough; budget += 1 + enough / 200) {
        fl_arena small = fl_arena_of(budget);
        fl_error own = {0};
        fl_incident incident = {0};
        fl_rank_question question = {0};
        fl_status status = fl_rank(&incident, &m.streams, &question, &small, &own);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_msg(status == FL_OK || strncmp(own.message, "no memory", 9) == 0, "%s",
                      own.message);
        fl_arena_dispose(&small);
    }
}
END_TEST

static Suite *rank_metrics_suite(void)
{
    enum { SEEDS = 5, HEALTHY_SEEDS = 20 };
    Suite *suite = suite_create("correlate/rank_metrics");
    TCase *cases = tcase_create("mesh"), *rest = tcase_create("rest");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_checked_fixture(rest, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_set_timeout(rest, 120);
    tcase_add_loop_test(cases, a_far_service_is_told_by_its_caller_and_the_call_graph, 0, SEEDS);
    tcase_add_loop_test(cases, the_share_of_slow_calls_tells_which_service_is_far, 0, SEEDS);
    tcase_add_loop_test(cases, a_service_that_is_slow_itself_needs_no_network, 0, SEEDS);
    tcase_add_test(cases, a_service_that_waits_for_calls_is_not_slow_itself);
    tcase_add_loop_test(cases, who_stops_calling_is_told_by_what_no_longer_arrives, 0, SEEDS);
    tcase_add_loop_test(cases, the_entry_that_calls_nobody_is_named, 0, SEEDS);
    tcase_add_loop_test(cases, less_load_is_no_call_left_out, 0, SEEDS);
    tcase_add_test(cases, calls_that_are_missing_now_and_then_are_no_news);
    tcase_add_loop_test(cases, a_healthy_mesh_has_no_confident_cause, 0, HEALTHY_SEEDS);
    tcase_add_test(rest, a_series_tells_its_side_and_its_quantile);
    tcase_add_test(rest, a_view_of_a_service_speaks_for_it);
    tcase_add_test(rest, survives_each_allocation_failing);
    tcase_add_test(rest, every_budget_is_enough_or_refused);
    suite_add_tcase(suite, cases);
    suite_add_tcase(suite, rest);
    return suite;
}

FL_TEST_MAIN(rank_metrics_suite)
