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
static const char *code_label;
static bool is_histogram;

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
    is_histogram = false;
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
static void push_total(uint32_t handle, const char *code, double count, double seconds)
{
    const fl_attr attrs[] = {
        {.key = SLICE("handler"), .value = {.kind = FL_VALUE_STRING, .text = SLICE("/")}},
        {.key = SLICE(code_label), .value = {.kind = FL_VALUE_STRING, .text = SLICE(code)}}};
    fl_point point = {.metric = SLICE("http_request_duration_seconds"),
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
        point.sum = seconds;
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
    uint32_t handle = sender(which);
    push_total(handle, "200", p->answered, p->seconds[0]);
    if (p->failed > 0)
        push_total(handle, "503", p->failed, p->seconds[1]);
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
    push(sender(FL_MAX_WATCHED_INSTANCES + 5), &point);
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
    tcase_add_test(cases, more_instances_than_there_is_room_for_are_counted);
    tcase_add_test(cases, each_allocation_that_fails_is_an_error);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
