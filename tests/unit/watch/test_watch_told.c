/*
 * A service of which only metrics tell: totals that its two processes are asked for now and then.
 */
#include "watch.h"

#include <math.h>
#include <stdio.h>

#include "fl_test.h"
#include "made_traffic.h"
#include "mem.h"

static const int64_t S = 1000000000, begin_s = 1600000000;
enum { MINUTE = 60, HOUR = 3600, MAX_TOLD = 32, PROCESSES = 2 };

/* What a process has counted since it began. */
typedef struct counted {
    double answered, failed, seconds[2];
} counted;

static fl_error err;
static fl_watch *watch;
static made_traffic traffic;
static counted process[PROCESSES];
static fl_sign told[MAX_TOLD];
static int64_t told_at_s[MAX_TOLD];
static char summaries[MAX_TOLD][FL_MAX_SIGN_TEXT_BYTES];
static size_t told_count;
static int64_t now_s, every_s;
static const char *code_label, *metric_name;
static bool is_histogram, is_without_sums, is_one_sender;
static int64_t since_s[PROCESSES]; /* of processes whose totals say since when they count; 0: not */

static fl_status note(void *payload, const fl_sign *sign, fl_error *e)
{
    (void)payload;
    (void)e;
    ck_assert_uint_lt(told_count, MAX_TOLD);
    snprintf(summaries[told_count], sizeof(summaries[0]), "%s", sign->summary);
    told_at_s[told_count] = now_s;
    told[told_count++] = *sign;
    return FL_OK;
}

static void setup(void)
{
    err = (fl_error){0};
    told_count = 0;
    now_s = 0;
    every_s = 15;
    code_label = "code";
    metric_name = "http_request_duration_seconds";
    is_histogram = is_without_sums = is_one_sender = false;
    memset(since_s, 0, sizeof(since_s));
    memset(process, 0, sizeof(process));
    ck_assert_ok(fl_watch_create(&watch, &(fl_watch_options){.alert = note}, &err));
    traffic = (made_traffic){.sink = fl_watch_sink(watch), .state = 7};
    ck_assert_ok(fl_watch_advance(watch, begin_s * S, note, NULL, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_watch_destroy(watch);
}

static made_requests usual(void)
{
    return (made_requests){
        .service = "shop", .a_second = 4, .error_share = 0.001, .median_ms = 40, .spread = 0.4};
}

static uint32_t sender(int which)
{
    char name[16];
    uint32_t handle;
    snprintf(name, sizeof(name), "shop-%d", which);
    fl_resource resource = {.service = SLICE("shop"), .instance = SLICE(name)};
    ck_assert_ok(traffic.sink->resource(traffic.sink->payload, &resource, &handle, &err));
    return handle;
}

static void push(uint32_t handle, const fl_point *point)
{
    ck_assert_ok(traffic.sink->point(traffic.sink->payload, handle, point, &err));
}

/* As Prometheus has a histogram, number by number, or as OTLP has it. */
static void push_total(int which, const char *code, double count, double seconds)
{
    uint32_t handle = sender(is_one_sender ? 0 : which);
    const fl_attr attrs[] = {
        {.key = SLICE("handler"), .value = {.kind = FL_VALUE_STRING, .text = SLICE("/")}},
        {.key = SLICE(code_label), .value = {.kind = FL_VALUE_STRING, .text = SLICE(code)}}};
    fl_point point = {.metric = SLICE(metric_name),
                      .kind = FL_POINT_PART,
                      .part = FL_PART_COUNT,
                      .time_ns = (begin_s + now_s) * S,
                      .value = count,
                      .attrs = {.items = attrs, .count = 2}};
    if (is_histogram) {
        point.metric = SLICE("http.server.request.duration");
        point.kind = FL_POINT_HISTOGRAM;
        point.temporality = FL_TEMPORALITY_CUMULATIVE;
        point.count = (uint64_t)count;
        point.sum = is_without_sums ? NAN : seconds;
        point.start_ns = since_s[which] != 0 ? (begin_s + since_s[which]) * S : 0;
        point.unit = SLICE("s");
        push(handle, &point);
        return;
    }
    push(handle, &point);
    point.part = FL_PART_SUM;
    point.value = seconds;
    push(handle, &point);
}

/* A series of failures is there from the first failure on, as client libraries have it. */
static void scrape(int which)
{
    const counted *p = &process[which];
    push_total(which, "200", p->answered, p->seconds[0]);
    if (p->failed > 0)
        push_total(which, "503", p->failed, p->seconds[1]);
}

static void serve_second(const made_requests *r, counted *p)
{
    for (unsigned left = made_poisson(&traffic, r->a_second / PROCESSES); left > 0; left--) {
        bool is_error = made_uniform(&traffic) < r->error_share;
        p->answered += !is_error;
        p->failed += is_error;
        p->seconds[is_error] += r->median_ms * exp(r->spread * made_normal(&traffic)) / 1000;
    }
}

/* The processes are not asked at the same moment. */
static void run(const made_requests *requests, int64_t seconds)
{
    for (int64_t end = now_s + seconds; now_s < end; now_s++) {
        for (int i = 0; i < PROCESSES; i++) {
            serve_second(requests, &process[i]);
            if ((now_s + 7 * i) % every_s == 0)
                scrape(i);
        }
        if (now_s % 5 == 4)
            ck_assert_ok(fl_watch_advance(watch, (begin_s + now_s + 1) * S, note, NULL, &err));
    }
}

static void run_usual(int64_t seconds)
{
    made_requests requests = usual();
    run(&requests, seconds);
}

/* A break of the last while, and its end. */
static void expect(size_t at, fl_sign_kind kind, bool is_over, int64_t began_s, int64_t most_s)
{
    ck_assert_uint_lt(at, told_count);
    ck_assert_str_eq(fl_sign_kind_name(told[at].kind), fl_sign_kind_name(kind));
    ck_assert_int_eq(told[at].cleared_ns != 0, is_over);
    double onset = (double)(told[at].onset_ns - (begin_s + began_s) * S) / 1e9;
    ck_assert_msg(fabs(onset) <= 75, "onset is off by %.0f s", onset);
    ck_assert_int_le(told_at_s[at] - began_s, most_s);
}

START_TEST(health_is_not_told_of)
{
    every_s = _i == 0 ? 15 : 60;
    run_usual(4 * HOUR);
    ck_assert_uint_eq(told_count, 0);
    ck_assert_uint_eq(fl_watch_stats_of(watch).entries, 1);
}
END_TEST

START_TEST(failures_are_told_of_and_their_end)
{
    made_requests broken = usual();
    broken.error_share = 0.2;
    every_s = _i == 1 ? 60 : 15;
    is_histogram = _i == 2;
    run_usual(HOUR);
    run(&broken, 10 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    expect(0, FL_SIGN_ERRORS, false, HOUR, 300);
    ck_assert_double_gt(told[0].value, 0.1);
    ck_assert_double_lt(told[0].value, 0.3);
    run_usual(10 * MINUTE);
    ck_assert_uint_eq(told_count, 2);
    expect(1, FL_SIGN_ERRORS, true, HOUR, 20 * MINUTE);
}
END_TEST

START_TEST(requests_that_wait_are_told_of)
{
    made_requests slow = usual();
    slow.median_ms *= 5;
    is_histogram = _i == 1;
    run_usual(HOUR);
    run(&slow, 10 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    expect(0, FL_SIGN_LATENCY, false, HOUR, 400);
    ck_assert(fabs(told[0].value - 5) < 1);
}
END_TEST

START_TEST(requests_that_stay_away_are_told_of)
{
    made_requests away = usual();
    away.a_second = 0;
    run_usual(HOUR);
    run(&away, 10 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    expect(0, FL_SIGN_TRAFFIC, false, HOUR, 300);
    ck_assert_ptr_nonnull(strstr(summaries[0], "0 requests a minute, before 2"));
}
END_TEST

START_TEST(metrics_that_stay_away_are_no_break)
{
    run_usual(HOUR);
    for (int64_t end = now_s + 20 * MINUTE; now_s < end; now_s += 5) {
        made_point(&traffic, "meter", (begin_s + now_s) * S);
        ck_assert_ok(fl_watch_advance(watch, (begin_s + now_s + 1) * S, note, NULL, &err));
    }
    ck_assert_uint_eq(told_count, 0);
    run_usual(20 * MINUTE);
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

START_TEST(processes_that_begin_again_break_nothing)
{
    run_usual(HOUR);
    for (int i = 0; i < 6; i++) {
        process[i % PROCESSES] = (counted){0};
        run_usual(2 * MINUTE);
    }
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

START_TEST(a_service_is_counted_by_one_metric_where_it_has_two)
{
    made_requests requests = usual(), broken = usual();
    broken.error_share = 0.2;
    for (int64_t end = now_s + 70 * MINUTE; now_s < end;) {
        const fl_point plain = {.metric = SLICE("http_requests_total"),
                                .kind = FL_POINT_SUM,
                                .monotonic = true,
                                .temporality = FL_TEMPORALITY_CUMULATIVE,
                                .time_ns = (begin_s + now_s) * S,
                                .value = process[0].answered + process[0].failed +
                                         process[1].answered + process[1].failed};
        push(sender(0), &plain);
        run(now_s < HOUR ? &requests : &broken, 15);
    }
    ck_assert_uint_eq(told_count, 1);
    ck_assert_double_gt(told[0].value, 0.14);
}
END_TEST

START_TEST(spans_go_before_metrics)
{
    made_requests spans = usual();
    spans.operation = "GET /";
    spans.kind = FL_SPAN_SERVER;
    made_requests broken = usual();
    broken.error_share = 0.5;
    for (int64_t end = now_s + 70 * MINUTE; now_s < end;) {
        made_second(&traffic, &spans, (begin_s + now_s) * S);
        run(now_s < HOUR ? &spans : &broken, 1);
    }
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

START_TEST(processes_that_one_sender_stands_for_are_told_apart_by_when_they_began)
{
    is_one_sender = is_histogram = true;
    since_s[0] = -HOUR;
    since_s[1] = -HOUR + 3;
    process[0].answered = 1e6; /* what it counted before anybody listened */
    process[1].answered = 3e6;
    run_usual(HOUR);
    for (int i = 0; i < PROCESSES; i++) { /* a deploy */
        process[i] = (counted){0};
        since_s[i] = now_s - 1 + i;
        run_usual(MINUTE);
    }
    run_usual(20 * MINUTE);
    ck_assert_uint_eq(told_count, 0);
    made_requests broken = usual();
    broken.error_share = 0.2;
    run(&broken, 5 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    ck_assert_str_eq(fl_sign_kind_name(told[0].kind), "errors");
}
END_TEST

START_TEST(a_break_of_what_is_told_of_no_more_ends_when_it_has_become_the_usual)
{
    made_requests broken = usual();
    broken.error_share = 0.5;
    run_usual(HOUR);
    run(&broken, 10 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    for (int64_t end = now_s + 3 * HOUR; now_s < end; now_s += 10)
        ck_assert_ok(fl_watch_advance(watch, (begin_s + now_s + 1) * S, note, NULL, &err));
    ck_assert_uint_eq(told_count, 2);
    expect(1, FL_SIGN_ERRORS, true, HOUR, 2 * HOUR);
}
END_TEST

START_TEST(a_point_of_the_future_changes_nothing)
{
    run_usual(HOUR);
    now_s += 24 * HOUR;
    for (int i = 0; i < 2; i++, now_s += 15)
        push_total(0, "200", process[0].answered + 1, process[0].seconds[0]);
    now_s -= 24 * HOUR + 30;
    for (int64_t end = now_s + 20 * MINUTE; now_s < end; now_s += 5) {
        made_point(&traffic, "meter", (begin_s + now_s) * S);
        ck_assert_ok(fl_watch_advance(watch, (begin_s + now_s + 1) * S, note, NULL, &err));
    }
    ck_assert_uint_eq(told_count, 0);
    ck_assert_uint_gt(fl_watch_stats_of(watch).early, 0);
}
END_TEST

START_TEST(a_metric_that_goes_silent_leaves_its_place_to_another)
{
    made_requests broken = usual();
    broken.error_share = 0.5;
    metric_name = "http_server_request_duration_seconds";
    run_usual(10 * MINUTE);
    metric_name = "http_request_duration_seconds";
    run_usual(2 * HOUR);
    run(&broken, 5 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    ck_assert_str_eq(fl_sign_kind_name(told[0].kind), "errors");
}
END_TEST

START_TEST(requests_whose_time_is_not_known_took_no_time)
{
    is_histogram = is_without_sums = true;
    run_usual(HOUR);
    is_without_sums = false;
    memset(process, 0, sizeof(process));
    run_usual(20 * MINUTE);
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

START_TEST(a_few_spans_do_not_take_the_place_of_metrics)
{
    made_requests broken = usual(), health = usual();
    broken.error_share = 0.5;
    health.operation = "GET /health";
    health.kind = FL_SPAN_SERVER;
    run_usual(HOUR);
    run(&broken, 5 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    made_second(&traffic, &health, (begin_s + now_s - 1) * S);
    run(&broken, 10 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    run_usual(10 * MINUTE);
    ck_assert_uint_eq(told_count, 2);
    run(&broken, 10 * MINUTE);
    ck_assert_uint_eq(told_count, 3);
}
END_TEST

START_TEST(routes_of_metrics_leave_operations_of_spans_their_places)
{
    made_requests mix[2] = {usual(), usual()};
    for (int i = 0; i < 2; i++) {
        mix[i].kind = FL_SPAN_SERVER;
        mix[i].operation = i == 0 ? "GET /a" : "GET /b";
        mix[i].median_ms = i == 0 ? 10 : 1000;
    }
    for (int64_t end = now_s + 80 * MINUTE; now_s < end; now_s++) {
        for (int i = 0; i < 20 && now_s % 15 == 0; i++) {
            char route[16];
            snprintf(route, sizeof(route), "/r%d", i);
            const fl_attr attr = {.key = SLICE("handler"),
                                  .value = {.kind = FL_VALUE_STRING, .text = SLICE(route)}};
            const fl_point point = {.metric = SLICE("http.server.duration"),
                                    .kind = FL_POINT_HISTOGRAM,
                                    .temporality = FL_TEMPORALITY_CUMULATIVE,
                                    .time_ns = (begin_s + now_s) * S,
                                    .count = (uint64_t)now_s + 1,
                                    .sum = (double)now_s,
                                    .attrs = {.items = &attr, .count = 1}};
            push(sender(0), &point);
        }
        mix[0].a_second = now_s < HOUR ? 3.6 : 0.4;
        mix[1].a_second = now_s < HOUR ? 0.4 : 3.6;
        for (int i = 0; i < 2; i++)
            made_second(&traffic, &mix[i], (begin_s + now_s) * S);
        if (now_s % 5 == 4)
            ck_assert_ok(fl_watch_advance(watch, (begin_s + now_s + 1) * S, note, NULL, &err));
    }
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

/* Cells are full long before a sender is tired of it. */
START_TEST(no_flood_of_requests_is_more_than_a_cell_holds)
{
    run_usual(HOUR);
    for (int i = 0; i < 12000; i++) {
        const fl_attr attr = {
            .key = SLICE("code"),
            .value = {.kind = FL_VALUE_STRING, .text = SLICE(i % 2 == 0 ? "503" : "200")}};
        const fl_point point = {.metric = SLICE("http.server.request.duration"),
                                .kind = FL_POINT_HISTOGRAM,
                                .temporality = FL_TEMPORALITY_CUMULATIVE,
                                .time_ns = (begin_s + now_s) * S + i,
                                .count = (uint64_t)(i + 1) * 1000000000,
                                .sum = 1,
                                .attrs = {.items = &attr, .count = 1}};
        push(sender(0), &point);
    }
    run_usual(30 * MINUTE);
    ck_assert_uint_ge(fl_watch_stats_of(watch).points, 12000);
}
END_TEST

START_TEST(more_instances_than_there_is_room_for_are_counted)
{
    fl_point point = {.metric = SLICE("http_requests_total"),
                      .kind = FL_POINT_SUM,
                      .monotonic = true,
                      .temporality = FL_TEMPORALITY_CUMULATIVE,
                      .time_ns = begin_s * S,
                      .value = 1};
    for (int i = 0; i < FL_MAX_WATCHED_INSTANCES + 3; i++)
        push(sender(i), &point);
    ck_assert_uint_eq(fl_watch_stats_of(watch).crowded, 3);
    now_s = 3 * HOUR;
    ck_assert_ok(fl_watch_advance(watch, (begin_s + now_s) * S, note, NULL, &err));
    point.time_ns = (begin_s + now_s) * S;
    for (int i = 5; i < 55; i++)
        push(sender(FL_MAX_WATCHED_INSTANCES + i), &point);
    ck_assert_uint_eq(fl_watch_stats_of(watch).crowded, 3);
}
END_TEST

START_TEST(each_allocation_that_fails_is_an_error)
{
    for (long n = 0; n < 400; n++) {
        fl_watch *mine = NULL;
        fl_error own = {0};
        uint32_t handle;
        const fl_resource resource = {.service = SLICE("shop"), .instance = SLICE("a")};
        fl_point point = {.metric = SLICE("http_requests_total"),
                          .kind = FL_POINT_SUM,
                          .monotonic = true,
                          .time_ns = begin_s * S};
        fl_mem_fail_after(n);
        fl_status status = fl_watch_create(&mine, &(fl_watch_options){.alert = note}, &own);
        if (status == FL_OK)
            fl_watch_pause(mine, true);
        if (status == FL_OK)
            status = fl_watch_advance(mine, (begin_s + 60) * S, note, NULL, &own);
        const fl_sink *sink = mine != NULL ? fl_watch_sink(mine) : NULL;
        if (status == FL_OK)
            status = sink->resource(sink->payload, &resource, &handle, &own);
        for (int i = 0; i < 2 && status == FL_OK; i++, point.time_ns += 15 * S, point.value += 3)
            status = sink->point(sink->payload, handle, &point, &own);
        fl_mem_fail_after(-1);
        fl_watch_destroy(mine);
        if (status == FL_OK)
            return;
        ck_assert_int_eq(status, FL_E_NOMEM);
        ck_assert_str_ne(own.message, "");
    }
    ck_abort_msg("it never succeeds");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("watch/told");
    TCase *cases = tcase_create("told");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, health_is_not_told_of, 0, 2);
    tcase_add_loop_test(cases, failures_are_told_of_and_their_end, 0, 3);
    tcase_add_loop_test(cases, requests_that_wait_are_told_of, 0, 2);
    tcase_add_test(cases, requests_that_stay_away_are_told_of);
    tcase_add_test(cases, metrics_that_stay_away_are_no_break);
    tcase_add_test(cases, processes_that_begin_again_break_nothing);
    tcase_add_test(cases, a_service_is_counted_by_one_metric_where_it_has_two);
    tcase_add_test(cases, spans_go_before_metrics);
    tcase_add_test(cases, processes_that_one_sender_stands_for_are_told_apart_by_when_they_began);
    tcase_add_test(cases, a_break_of_what_is_told_of_no_more_ends_when_it_has_become_the_usual);
    tcase_add_test(cases, a_point_of_the_future_changes_nothing);
    tcase_add_test(cases, a_metric_that_goes_silent_leaves_its_place_to_another);
    tcase_add_test(cases, requests_whose_time_is_not_known_took_no_time);
    tcase_add_test(cases, a_few_spans_do_not_take_the_place_of_metrics);
    tcase_add_test(cases, routes_of_metrics_leave_operations_of_spans_their_places);
    tcase_add_test(cases, no_flood_of_requests_is_more_than_a_cell_holds);
    tcase_add_test(cases, more_instances_than_there_is_room_for_are_counted);
    tcase_add_test(cases, each_allocation_that_fails_is_an_error);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
