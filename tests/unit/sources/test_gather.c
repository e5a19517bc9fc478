#include <stdio.h>

#include "bad_server.h"
#include "fl_test.h"
#include "mem.h"
#include "slice.h"
#include "sources.h"
#include "timestamp.h"

/* A moment whose minute is whole, and one minute more. */
#define AT_S INT64_C(1795380000)
static const int64_t at_ns = AT_S * 1000000000, hour_ns = INT64_C(3600) * 1000000000;

static fl_error err;
static fl_bad_server server, older, tight, ill;
static fl_gathered out[4];

/* What came, by service and by metric; a resource's handle is its index. */
enum { MAX_NAMES = 64 };
static struct {
    char names[MAX_NAMES][64];
    size_t count, spans[MAX_NAMES], logs[MAX_NAMES], points[MAX_NAMES], total;
    char metrics[MAX_NAMES][64];
    size_t metric_count, of_metric[MAX_NAMES];
    int64_t first_log_ns, last_log_ns;
    size_t errors, rejects;
} came;

static size_t index_of(char names[MAX_NAMES][64], size_t *count, fl_slice name)
{
    for (size_t i = 0; i < *count; i++)
        if (fl_slice_equal(SLICE(names[i]), name))
            return i;
    ck_assert_uint_lt(*count, MAX_NAMES);
    snprintf(names[*count], 64, "%.*s", FL_SLICE_ARG(name));
    return (*count)++;
}

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *e)
{
    (void)payload, (void)e;
    *handle = (uint32_t)index_of(came.names, &came.count, resource->service);
    return FL_OK;
}

static fl_status on_span(void *payload, uint32_t resource, const fl_span *span, fl_error *e)
{
    (void)payload, (void)e;
    came.spans[resource]++;
    came.errors += span->is_error;
    return FL_OK;
}

static fl_status on_log(void *payload, uint32_t resource, const fl_log *log, fl_error *e)
{
    (void)payload, (void)e;
    came.logs[resource]++;
    if (came.first_log_ns == 0 || log->time_ns < came.first_log_ns)
        came.first_log_ns = log->time_ns;
    if (log->time_ns > came.last_log_ns)
        came.last_log_ns = log->time_ns;
    return FL_OK;
}

static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *e)
{
    (void)payload, (void)e;
    came.points[resource]++;
    came.of_metric[index_of(came.metrics, &came.metric_count, point->metric)]++;
    return FL_OK;
}

static fl_status on_reject(void *payload, const fl_reject *reject, fl_error *e)
{
    (void)payload, (void)e, (void)reject;
    came.rejects++;
    return FL_OK;
}

static const fl_sink sink = {.resource = on_resource,
                             .span = on_span,
                             .log = on_log,
                             .point = on_point,
                             .reject = on_reject};

static size_t of_service(const size_t counts[MAX_NAMES], const char *name)
{
    for (size_t i = 0; i < came.count; i++)
        if (strcmp(came.names[i], name) == 0)
            return counts[i];
    return 0;
}

static size_t of_metric(const char *name)
{
    for (size_t i = 0; i < came.metric_count; i++)
        if (strcmp(came.metrics[i], name) == 0)
            return came.of_metric[i];
    return 0;
}

static int rank(void *payload, fl_slice metric, bool *is_host)
{
    (void)payload;
    *is_host = fl_slice_starts_with(metric, BYTES("node_"));
    return fl_slice_starts_with(metric, BYTES("kube_")) ? 100 : 1;
}

static const char *url_of(const fl_bad_server *of)
{
    static char urls[4][64];
    static size_t next;
    char *url = urls[next++ % 4];
    snprintf(url, 64, "http://127.0.0.1:%d", of->port);
    return url;
}

static fl_source source_of(fl_source_kind kind, const fl_bad_server *of)
{
    return (fl_source){.kind = kind,
                       .how = {.url = url_of(of), .pause_ns = FL_NS_PER_MS, .max_tries = 2}};
}

static fl_gather_request request_of(const fl_source *sources, size_t count)
{
    return (fl_gather_request){.sources = sources,
                               .count = count,
                               .from_ns = at_ns - hour_ns,
                               .at_ns = at_ns,
                               .to_ns = at_ns + 5 * 60 * FL_NS_PER_S,
                               .service = "checkout",
                               .ranks = {.rank = rank}};
}

static fl_status gather_from(const fl_gather_request *request)
{
    memset(&came, 0, sizeof(came));
    err = (fl_error){0};
    return fl_gather(out, request, &sink, &err);
}

/* All that were asked, one a line, since the server began. */
static bool was_asked(const fl_bad_server *of, const char *text)
{
    char command[128];
    static char all[1 << 20];
    snprintf(command, sizeof(command), "curl -s --compressed http://127.0.0.1:%d/hits", of->port);
    FILE *hits = popen(command, "r");
    ck_assert_ptr_nonnull(hits);
    size_t len = fread(all, 1, sizeof(all) - 1, hits);
    all[len] = '\0';
    pclose(hits);
    return strstr(all, text) != NULL;
}

START_TEST(traces_lead_to_the_services_whose_metrics_and_logs_are_asked_for)
{
    const fl_source sources[] = {source_of(FL_SOURCE_PROMETHEUS, &server),
                                 source_of(FL_SOURCE_LOKI, &server),
                                 source_of(FL_SOURCE_TEMPO, &server)};
    const fl_gather_request request = request_of(sources, 3);
    ck_assert_ok(gather_from(&request));
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(out[i].failure, "");
        ck_assert_str_eq(out[i].note, "");
        ck_assert_fails(FL_OK, out[i].status);
    }
    /* 65 minutes of ten traces, five spans each; fifty of them have failed. */
    ck_assert_uint_eq(out[2].spans, 650 * 5);
    ck_assert_uint_eq(of_service(came.spans, "payment"), 650);
    ck_assert_uint_eq(came.errors, 50 * 5);
    /* Three services of 1,300 lines, and 50 of trouble; the end does not belong to it. */
    ck_assert_uint_eq(out[1].logs, 3 * 1300 + 50);
    ck_assert_uint_eq(of_service(came.logs, "payment"), 1350);
    ck_assert_int_ge(came.first_log_ns, request.from_ns);
    ck_assert_int_lt(came.last_log_ns, request.to_ns);
    /* A scrape each 15 s, both ends inclusive: 261. */
    ck_assert_uint_eq(of_metric("http_requests_total"), 3 * 261);
    ck_assert_uint_eq(of_metric("db_pool_pending"), 261);
    ck_assert_uint_eq(of_metric("kube_pod_restarts"), 261);
    ck_assert_uint_eq(of_metric("node_cpu_seconds_total"), 261);
    ck_assert_uint_eq(of_metric("unrelated_total"), 0);
    ck_assert_uint_eq(came.rejects, 0);
}
END_TEST

START_TEST(jaeger_gives_the_same_traces)
{
    const fl_source sources[] = {source_of(FL_SOURCE_JAEGER, &server)};
    fl_gather_request request = request_of(sources, 1);
    ck_assert_ok(gather_from(&request));
    ck_assert_str_eq(out[0].failure, "");
    ck_assert_uint_eq(of_service(came.spans, "payment"), 650 + 5 * 7); /* some errors come twice */
    request.service = NULL; /* each of its three services is asked for */
    ck_assert_ok(gather_from(&request));
    ck_assert_uint_eq(of_service(came.spans, "payment"), 3 * (65 * 5 + 5 * 2));
}
END_TEST

START_TEST(a_tempo_without_traceql_is_asked_by_tags)
{
    const fl_source sources[] = {source_of(FL_SOURCE_TEMPO, &older)};
    const fl_gather_request request = request_of(sources, 1);
    ck_assert_ok(gather_from(&request));
    ck_assert_str_eq(out[0].failure, "");
    ck_assert_uint_eq(out[0].spans, 650 * 5);
    ck_assert(was_asked(&older, "/api/search?tags=service.name=\"checkout\" error=true&start="));
}
END_TEST

START_TEST(an_answer_that_would_be_too_large_is_asked_for_in_halves)
{
    const fl_source sources[] = {source_of(FL_SOURCE_PROMETHEUS, &tight),
                                 source_of(FL_SOURCE_TEMPO, &server)};
    const fl_gather_request request = request_of(sources, 2);
    ck_assert_ok(gather_from(&request));
    ck_assert_str_eq(out[0].failure, "");
    ck_assert_uint_eq(of_metric("http_requests_total"), 3 * 261);
    ck_assert_uint_eq(of_metric("process_resident_memory_bytes"), 3 * 261);
}
END_TEST

START_TEST(a_source_that_fails_costs_itself)
{
    const fl_source sources[] = {
        source_of(FL_SOURCE_PROMETHEUS, &ill),
        {.kind = FL_SOURCE_LOKI, .how = {.url = "http://127.0.0.1:1", .max_tries = 1}},
        source_of(FL_SOURCE_TEMPO, &server)};
    const fl_gather_request request = request_of(sources, 3);
    ck_assert_ok(gather_from(&request));
    ck_assert_fails(FL_E_IO, out[0].status);
    ck_assert_ptr_nonnull(strstr(out[0].failure, "HTTP 503: gone for lunch"));
    ck_assert_fails(FL_E_IO, out[1].status);
    ck_assert_ptr_nonnull(strstr(out[1].failure, "Failed to connect"));
    ck_assert_uint_eq(out[2].spans, 650 * 5);
}
END_TEST

START_TEST(limits_are_told_and_the_incident_is_read_first)
{
    const fl_source sources[] = {source_of(FL_SOURCE_PROMETHEUS, &server),
                                 source_of(FL_SOURCE_LOKI, &server),
                                 source_of(FL_SOURCE_TEMPO, &server)};
    fl_gather_request request = request_of(sources, 3);
    request.max_series = 4;
    request.max_lines = 900;
    request.max_traces = 130;
    ck_assert_ok(gather_from(&request));
    ck_assert_ptr_nonnull(strstr(out[0].note, " series were left out: more than 4"));
    /* The asked service's come before those of its neighbours. */
    ck_assert_uint_ge(of_metric("http_requests_total"), 261);
    ck_assert_ptr_nonnull(strstr(out[1].note, " of 65 minutes were read: more than 900"));
    ck_assert_int_ge(came.last_log_ns, at_ns + 4 * 60 * FL_NS_PER_S);
    ck_assert_ptr_nonnull(strstr(out[2].note, "traces were sampled: at most 2 of each minute"));
    ck_assert_uint_ge(out[2].spans, 130 * 5);
    ck_assert_uint_lt(out[2].spans, 300 * 5);
}
END_TEST

START_TEST(without_a_service_all_of_a_prometheus_is_asked_for)
{
    const fl_source sources[] = {source_of(FL_SOURCE_PROMETHEUS, &server),
                                 source_of(FL_SOURCE_LOKI, &server)};
    fl_gather_request request = request_of(sources, 2);
    request.service = NULL;
    ck_assert_ok(gather_from(&request));
    ck_assert_str_eq(out[0].failure, "");
    ck_assert_uint_eq(of_metric("unrelated_total"), 20 * 261);
    ck_assert_uint_eq(of_service(came.logs, "payment"), 1350);
}
END_TEST

START_TEST(a_service_that_nobody_knows_gives_nothing_and_a_note)
{
    const fl_source sources[] = {source_of(FL_SOURCE_PROMETHEUS, &server),
                                 source_of(FL_SOURCE_LOKI, &server)};
    fl_gather_request request = request_of(sources, 2);
    request.service = "no.such(service)\"";
    ck_assert_ok(gather_from(&request));
    ck_assert_str_eq(out[0].failure, "");
    ck_assert_ptr_nonnull(strstr(out[1].note, "no label there names any of these services"));
    ck_assert_uint_eq(out[0].points, 261); /* of the host */
    ck_assert(was_asked(&server, "{service=~\"(no\\\\.such\\\\(service\\\\)\\\")\"}"));
}
END_TEST

static bool stop_soon(void *payload)
{
    return ++*(int *)payload > 3;
}

START_TEST(it_can_be_stopped)
{
    int asked = 0;
    const fl_source sources[] = {source_of(FL_SOURCE_TEMPO, &server)};
    fl_gather_request request = request_of(sources, 1);
    request.should_stop = stop_soon;
    request.payload = &asked;
    ck_assert_fails(FL_E_STOPPED, gather_from(&request));
}
END_TEST

START_TEST(running_out_of_memory_anywhere_is_an_error)
{
    const fl_source sources[] = {source_of(FL_SOURCE_PROMETHEUS, &server),
                                 source_of(FL_SOURCE_LOKI, &server),
                                 source_of(FL_SOURCE_TEMPO, &server)};
    fl_gather_request request = request_of(sources, 3);
    request.from_ns = at_ns;
    request.to_ns = at_ns + 60 * FL_NS_PER_S;
    /* Steps that grow: there are some thousand allocations. */
    for (long n = 0; n < 100000; n += 1 + n / 8) {
        fl_mem_fail_after(n);
        fl_status status = gather_from(&request);
        fl_mem_fail_after(-1);
        size_t failures = out[0].failures + out[1].failures + out[2].failures;
        if (status == FL_OK && failures == 0)
            return;
        if (status != FL_OK)
            ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_abort_msg("never enough memory");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("gather");
    TCase *tests = tcase_create("gather");
    tcase_set_timeout(tests, 200);
    tcase_add_test(tests, traces_lead_to_the_services_whose_metrics_and_logs_are_asked_for);
    tcase_add_test(tests, jaeger_gives_the_same_traces);
    tcase_add_test(tests, a_tempo_without_traceql_is_asked_by_tags);
    tcase_add_test(tests, an_answer_that_would_be_too_large_is_asked_for_in_halves);
    tcase_add_test(tests, a_source_that_fails_costs_itself);
    tcase_add_test(tests, limits_are_told_and_the_incident_is_read_first);
    tcase_add_test(tests, without_a_service_all_of_a_prometheus_is_asked_for);
    tcase_add_test(tests, a_service_that_nobody_knows_gives_nothing_and_a_note);
    tcase_add_test(tests, it_can_be_stopped);
    tcase_add_test(tests, running_out_of_memory_anywhere_is_an_error);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    static const char script[] = FL_SOURCE_DIR "/tests/support/sources_server.py";
    server = fl_server_start(script, "1795380000");
    older = fl_server_start(script, "1795380000,older");
    tight = fl_server_start(script, "1795380000,tight");
    ill = fl_server_start(script, "1795380000,ill");
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    fl_server_stop(&server);
    fl_server_stop(&older);
    fl_server_stop(&tight);
    fl_server_stop(&ill);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
