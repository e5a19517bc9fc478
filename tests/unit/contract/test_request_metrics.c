#include "request_metrics.h"

#include "fl_test.h"

static fl_attrs one(const char *key, const char *text)
{
    static fl_attr attr;
    attr = (fl_attr){.key = SLICE(key), .value = {.kind = FL_VALUE_STRING, .text = SLICE(text)}};
    return (fl_attrs){.items = &attr, .count = 1};
}

static unsigned metric_of(const char *name, fl_point_kind kind, fl_point_part part)
{
    const fl_point point = {.metric = SLICE(name),
                            .kind = kind,
                            .part = part,
                            .monotonic = kind == FL_POINT_SUM,
                            .temporality = FL_TEMPORALITY_CUMULATIVE};
    ck_assert(fl_request_metric_is_named(point.metric) ||
              fl_request_metric(&point) == FL_NO_REQUEST_METRIC);
    return fl_request_metric(&point);
}

static double ms_of(const char *name, const char *unit)
{
    const fl_point point = {
        .metric = SLICE(name), .unit = SLICE(unit), .kind = FL_POINT_HISTOGRAM, .count = 1};
    unsigned metric = fl_request_metric(&point);
    ck_assert_uint_ne(metric, FL_NO_REQUEST_METRIC);
    return fl_request_metric_ms(metric, &point);
}

START_TEST(one_metric_has_one_number_however_it_is_written)
{
    unsigned metric = metric_of("http.server.request.duration", FL_POINT_HISTOGRAM, 0);
    ck_assert_uint_ne(metric, FL_NO_REQUEST_METRIC);
    ck_assert_uint_eq(
        metric, metric_of("http_server_request_duration_seconds", FL_POINT_PART, FL_PART_COUNT));
    ck_assert_uint_eq(
        metric, metric_of("http_server_request_duration_seconds", FL_POINT_PART, FL_PART_SUM));
    ck_assert_uint_lt(metric, metric_of("http_requests_total", FL_POINT_SUM, 0));
    ck_assert_uint_ne(metric_of("http_requests_total", FL_POINT_SUM, 0), FL_NO_REQUEST_METRIC);
}
END_TEST

START_TEST(what_counts_no_requests_is_none_of_them)
{
    const char *const names[] = {"",
                                 "http",
                                 "http_requests_total_",
                                 "http_client_request_duration_seconds",
                                 "up",
                                 "process_cpu_seconds_total",
                                 "http_server_request_duration_seconds_and_then_some_more_text"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_uint_eq(metric_of(names[i], FL_POINT_SUM, 0), FL_NO_REQUEST_METRIC);
    const char *timed = "http_request_duration_seconds";
    ck_assert_uint_eq(metric_of(timed, FL_POINT_PART, FL_PART_BELOW), FL_NO_REQUEST_METRIC);
    ck_assert_uint_eq(metric_of(timed, FL_POINT_PART, FL_PART_QUANTILE), FL_NO_REQUEST_METRIC);
    ck_assert_uint_eq(metric_of(timed, FL_POINT_SUM, 0), FL_NO_REQUEST_METRIC);
    ck_assert_uint_eq(metric_of("http_requests_total", FL_POINT_GAUGE, 0), FL_NO_REQUEST_METRIC);
}
END_TEST

START_TEST(metrics_made_of_spans_count_those_of_servers)
{
    fl_point point = {.metric = SLICE("traces_spanmetrics_calls_total"),
                      .kind = FL_POINT_SUM,
                      .monotonic = true,
                      .attrs = one("span_kind", "SPAN_KIND_SERVER")};
    ck_assert_uint_ne(fl_request_metric(&point), FL_NO_REQUEST_METRIC);
    point.attrs = one("span.kind", "SPAN_KIND_CONSUMER");
    ck_assert_uint_ne(fl_request_metric(&point), FL_NO_REQUEST_METRIC);
    point.attrs = one("span_kind", "SPAN_KIND_CLIENT");
    ck_assert_uint_eq(fl_request_metric(&point), FL_NO_REQUEST_METRIC);
    point.attrs = (fl_attrs){0};
    ck_assert_uint_eq(fl_request_metric(&point), FL_NO_REQUEST_METRIC);
}
END_TEST

START_TEST(a_sum_is_in_the_unit_that_its_name_or_itself_tells)
{
    ck_assert_double_eq(ms_of("http.server.request.duration", ""), 1000);
    ck_assert_double_eq(ms_of("http.server.request.duration", "ms"), 1);
    ck_assert_double_eq(ms_of("http_server_duration_milliseconds", "s"), 1);
    ck_assert_double_eq(ms_of("http.server.duration", ""), 1);
    ck_assert_double_eq(ms_of("http.server.requests", "s"), 1000);
}
END_TEST

START_TEST(outcomes_are_read_of_statuses_and_words)
{
    static const struct {
        const char *key, *value;
        fl_outcome outcome;
    } cases[] = {
        {"code", "200", FL_OUTCOME_ANSWERED},
        {"code", "404", FL_OUTCOME_ANSWERED},
        {"code", "503", FL_OUTCOME_FAILED},
        {"status", "5xx", FL_OUTCOME_FAILED},
        {"status", "4xx", FL_OUTCOME_ANSWERED},
        {"http.response.status_code", "500", FL_OUTCOME_FAILED},
        {"status_code", "STATUS_CODE_ERROR", FL_OUTCOME_FAILED},
        {"status_code", "STATUS_CODE_UNSET", FL_OUTCOME_ANSWERED},
        {"grpc_code", "OK", FL_OUTCOME_ANSWERED},
        {"grpc_code", "NotFound", FL_OUTCOME_ANSWERED},
        {"grpc_code", "DeadlineExceeded", FL_OUTCOME_FAILED},
        {"rpc.grpc.status_code", "14", FL_OUTCOME_FAILED},
        {"rpc.response.status_code", "DEADLINE_EXCEEDED", FL_OUTCOME_FAILED},
        {"outcome", "SERVER_ERROR", FL_OUTCOME_FAILED},
        {"outcome", "SUCCESS", FL_OUTCOME_ANSWERED},
        {"error.type", "timeout", FL_OUTCOME_FAILED},
        {"handler", "/500", FL_OUTCOME_UNTOLD},
        {"code", "99999999999999999999", FL_OUTCOME_ANSWERED},
        {"code", "", FL_OUTCOME_ANSWERED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(fl_request_outcome(one(cases[i].key, cases[i].value)) == cases[i].outcome,
                      "%s=%s", cases[i].key, cases[i].value);
    const fl_attr number = {.key = SLICE("http.response.status_code"),
                            .value = {.kind = FL_VALUE_INT, .number = 502}};
    ck_assert_int_eq(fl_request_outcome((fl_attrs){&number, 1}), FL_OUTCOME_FAILED);
    const fl_attr both[] = {
        {.key = SLICE("error.type"), .value = {.kind = FL_VALUE_STRING, .text = SLICE("404")}},
        {.key = SLICE("http.response.status_code"),
         .value = {.kind = FL_VALUE_INT, .number = 404}}};
    ck_assert_int_eq(fl_request_outcome((fl_attrs){both, 2}), FL_OUTCOME_ANSWERED);
}
END_TEST

START_TEST(a_route_is_the_same_in_any_order)
{
    const fl_attr attrs[] = {
        {.key = SLICE("method"), .value = {.kind = FL_VALUE_STRING, .text = SLICE("GET")}},
        {.key = SLICE("handler"), .value = {.kind = FL_VALUE_STRING, .text = SLICE("/a")}},
        {.key = SLICE("code"), .value = {.kind = FL_VALUE_STRING, .text = SLICE("200")}}};
    const fl_attr turned[] = {attrs[1], attrs[2], attrs[0]};
    uint64_t route = fl_request_route((fl_attrs){attrs, 3});
    ck_assert_uint_ne(route, 0);
    ck_assert_uint_eq(route, fl_request_route((fl_attrs){turned, 3}));
    ck_assert_uint_eq(route, fl_request_route((fl_attrs){attrs, 2}));
    ck_assert_uint_ne(route, fl_request_route((fl_attrs){attrs, 1}));
    ck_assert_uint_eq(0, fl_request_route((fl_attrs){attrs + 2, 1}));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("request_metrics");
    TCase *tc = tcase_create("request_metrics");
    tcase_add_test(tc, one_metric_has_one_number_however_it_is_written);
    tcase_add_test(tc, what_counts_no_requests_is_none_of_them);
    tcase_add_test(tc, metrics_made_of_spans_count_those_of_servers);
    tcase_add_test(tc, a_sum_is_in_the_unit_that_its_name_or_itself_tells);
    tcase_add_test(tc, outcomes_are_read_of_statuses_and_words);
    tcase_add_test(tc, a_route_is_the_same_in_any_order);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
