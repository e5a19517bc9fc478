#include "watch.h"

#include <math.h>
#include <stdio.h>

#include "fl_test.h"
#include "made_traffic.h"
#include "mem.h"

static const int64_t S = 1000000000;
enum { MINUTE = 60, HOUR = 3600, MAX_TOLD = 32 };
static const int64_t begin_s = 1600000000;

struct told {
    fl_sign sign;
    char service[32], summary[96], name[32], node[32];
    int64_t at_s;
};

static fl_error err;
static fl_watch *watch;
static made_traffic traffic;
static struct told told[MAX_TOLD];
static size_t told_count;
static int64_t now_s; /* since the beginning */

static void copy_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text != NULL ? text : "-");
}

static fl_status note(void *payload, const fl_sign *sign, fl_error *e)
{
    (void)payload;
    (void)e;
    ck_assert_uint_lt(told_count, MAX_TOLD);
    struct told *t = &told[told_count++];
    t->sign = *sign;
    t->at_s = now_s;
    copy_text(t->service, sizeof(t->service), sign->service);
    copy_text(t->summary, sizeof(t->summary), sign->summary);
    copy_text(t->name, sizeof(t->name), sign->name);
    copy_text(t->node, sizeof(t->node), sign->node);
    return FL_OK;
}

static void setup(void)
{
    err = (fl_error){0};
    told_count = 0;
    now_s = 0;
    fl_watch_options options = {.alert = note};
    ck_assert_ok(fl_watch_create(&watch, &options, &err));
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
    return (made_requests){.service = "shop",
                           .operation = "GET /",
                           .a_second = 2,
                           .error_share = 0.001,
                           .median_ms = 40,
                           .spread = 0.4,
                           .kind = FL_SPAN_SERVER};
}

/* A point of another service each second: telemetry goes on. */
static void run(const made_requests *requests, size_t count, int64_t seconds)
{
    for (int64_t end = now_s + seconds; now_s < end; now_s++) {
        int64_t at = (begin_s + now_s) * S;
        for (size_t i = 0; i < count; i++)
            made_second(&traffic, &requests[i], at);
        made_point(&traffic, "meter", at);
        if (now_s % 5 == 4)
            ck_assert_ok(fl_watch_advance(watch, at + S, note, NULL, &err));
    }
}

static void run_usual(int64_t seconds)
{
    made_requests requests = usual();
    run(&requests, 1, seconds);
}

static void expect(size_t at, fl_sign_kind kind, const char *service, bool is_over)
{
    ck_assert_uint_lt(at, told_count);
    ck_assert_str_eq(fl_sign_kind_name(told[at].sign.kind), fl_sign_kind_name(kind));
    ck_assert_str_eq(told[at].service, service);
    ck_assert_int_eq(told[at].sign.cleared_ns != 0, is_over);
}

/* Onset and time to notice, in seconds. */
static void expect_onset(size_t at, int64_t began_s, int64_t most_s)
{
    double onset = (double)(told[at].sign.onset_ns - (begin_s + began_s) * S) / 1e9;
    ck_assert_msg(fabs(onset) <= 70, "onset is off by %.0f s", onset);
    ck_assert_int_le(told[at].at_s - began_s, most_s);
}

START_TEST(health_is_not_told_of)
{
    run_usual(4 * HOUR);
    ck_assert_uint_eq(told_count, 0);
    ck_assert_uint_eq(fl_watch_stats_of(watch).entries, 1);
}
END_TEST

START_TEST(errors_of_an_entry_are_told_and_their_end)
{
    made_requests broken = usual();
    broken.error_share = 0.25;
    run_usual(HOUR);
    run(&broken, 1, 10 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    expect(0, FL_SIGN_ERRORS, "shop", false);
    expect_onset(0, HOUR, 150);
    ck_assert_double_gt(told[0].sign.value, 0.15);
    ck_assert_double_lt(told[0].sign.baseline, 0.01);
    run_usual(5 * MINUTE);
    ck_assert_uint_eq(told_count, 2);
    expect(1, FL_SIGN_ERRORS, "shop", true);
    ck_assert_uint_eq(told[1].sign.key, told[0].sign.key);
    int64_t off = told[1].sign.cleared_ns / S - begin_s - HOUR - 10 * MINUTE;
    ck_assert_int_lt(llabs(off), 90);
}
END_TEST

START_TEST(an_entry_that_waits_is_told_of)
{
    made_requests slow = usual();
    slow.median_ms *= 6;
    run_usual(HOUR);
    run(&slow, 1, 10 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    expect(0, FL_SIGN_LATENCY, "shop", false);
    expect_onset(0, HOUR, 300);
    ck_assert(fabs(told[0].sign.value - 6) < 1.5);
    run_usual(5 * MINUTE);
    expect(1, FL_SIGN_LATENCY, "shop", true);
}
END_TEST

START_TEST(requests_that_stay_away_are_told_of_while_telemetry_goes_on)
{
    made_requests away = usual();
    away.a_second = 0;
    run_usual(HOUR);
    run(&away, 1, 10 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    expect(0, FL_SIGN_TRAFFIC, "shop", false);
    expect_onset(0, HOUR, 200);
    ck_assert_ptr_nonnull(strstr(told[0].summary, "0 requests a minute, before 1"));
    run_usual(3 * MINUTE);
    expect(1, FL_SIGN_TRAFFIC, "shop", true);
}
END_TEST

START_TEST(telemetry_that_stays_away_is_no_break)
{
    run_usual(HOUR);
    for (int i = 0; i < 20 * 6; i++) {
        now_s += 10;
        ck_assert_ok(fl_watch_advance(watch, (begin_s + now_s) * S, note, NULL, &err));
    }
    ck_assert_uint_eq(told_count, 0);
    run_usual(20 * MINUTE);
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

START_TEST(one_bad_minute_is_no_break)
{
    made_requests broken = usual();
    broken.error_share = 0.2;
    run_usual(HOUR);
    run(&broken, 1, 40);
    run_usual(10 * MINUTE);
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

START_TEST(another_mix_of_operations_is_not_slower)
{
    made_requests mix[2] = {usual(), usual()};
    mix[1].operation = "GET /report";
    mix[1].median_ms = 900;
    mix[1].a_second = 0.2;
    run(mix, 2, HOUR);
    mix[0].a_second = 0.2;
    mix[1].a_second = 2;
    run(mix, 2, 15 * MINUTE);
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

START_TEST(traffic_that_ebbs_away_breaks_nothing)
{
    made_requests requests = usual();
    for (int minute = 0; minute < 240; minute++) {
        requests.a_second = 4 * exp(-minute / 90.0);
        run(&requests, 1, MINUTE);
    }
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

START_TEST(a_break_that_lasts_becomes_the_usual)
{
    made_requests broken = usual();
    broken.error_share = 0.3;
    run_usual(HOUR);
    run(&broken, 1, 3 * HOUR);
    ck_assert_uint_eq(told_count, 2);
    expect(1, FL_SIGN_ERRORS, "shop", true);
}
END_TEST

START_TEST(what_breaks_again_soon_is_the_same_break)
{
    made_requests broken = usual();
    broken.error_share = 0.4;
    run_usual(HOUR);
    run(&broken, 1, 5 * MINUTE);
    run_usual(2 * MINUTE + 30);
    run(&broken, 1, 5 * MINUTE);
    ck_assert_uint_eq(told_count, 3);
    expect(2, FL_SIGN_ERRORS, "shop", false);
    ck_assert_uint_eq(told[2].sign.key, told[0].sign.key);
}
END_TEST

/* Traces of two spans: the entry's, and one of what it calls. */
static void run_pairs(int64_t seconds, double inner_errors)
{
    for (int64_t end = now_s + seconds; now_s < end; now_s++) {
        int64_t at = (begin_s + now_s) * S;
        for (int i = 0; i < 2; i++) {
            fl_span entry = {.trace = {made_id(&traffic), 1},
                             .id = made_id(&traffic),
                             .name = SLICE("GET /"),
                             .kind = FL_SPAN_SERVER,
                             .start_ns = at,
                             .end_ns = at + 40000000};
            fl_span inner = entry;
            inner.id = made_id(&traffic);
            inner.parent = entry.id;
            inner.is_error = made_uniform(&traffic) < inner_errors;
            fl_sink sink = *traffic.sink;
            ck_assert_ok(sink.span(sink.payload, made_resource(&traffic, "stock"), &inner, &err));
            ck_assert_ok(sink.span(sink.payload, made_resource(&traffic, "shop"), &entry, &err));
        }
        if (now_s % 5 == 4)
            ck_assert_ok(fl_watch_advance(watch, at + S, note, NULL, &err));
    }
}

START_TEST(calls_are_learnt_and_what_is_called_inside_is_no_entry)
{
    fl_calls *calls;
    uint32_t shop, stock;
    run_pairs(HOUR, 0);
    run_pairs(10 * MINUTE, 0.5);
    ck_assert_uint_eq(told_count, 0);
    ck_assert_uint_eq(fl_watch_stats_of(watch).entries, 1);
    ck_assert_ok(fl_calls_create(&calls, &err));
    ck_assert_ok(fl_watch_calls(watch, calls, &err));
    ck_assert_ok(fl_calls_service(&shop, calls, SLICE("shop"), &err));
    ck_assert_ok(fl_calls_service(&stock, calls, SLICE("stock"), &err));
    ck_assert(fl_calls_has(calls, shop, stock));
    ck_assert(!fl_calls_has(calls, stock, shop));
    fl_calls_destroy(calls);
}
END_TEST

START_TEST(a_parent_of_another_system_makes_an_entry)
{
    made_requests broken = usual();
    broken.parent = 0x1234;
    run(&broken, 1, HOUR);
    broken.error_share = 0.3;
    run(&broken, 1, 5 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    expect(0, FL_SIGN_ERRORS, "shop", false);
}
END_TEST

static void push_alert(uint64_t fingerprint, int64_t starts_s, bool is_resolved)
{
    fl_alert_record alert = {.fingerprint = fingerprint,
                             .starts_ns = (begin_s + starts_s) * S,
                             .is_resolved = is_resolved,
                             .name = SLICE("TooSlow"),
                             .service = SLICE("shop"),
                             .node = SLICE("node-1")};
    ck_assert_ok(traffic.sink->alert(traffic.sink->payload, &alert, &err));
}

START_TEST(alerts_are_signs_the_same_alert_the_same)
{
    push_alert(11, -60, false);
    push_alert(11, -60, false);
    push_alert(11, -60, true);
    push_alert(11, 0, false);
    push_alert(12, -60, false);
    ck_assert_uint_eq(told_count, 5);
    expect(0, FL_SIGN_ALERT, "shop", false);
    ck_assert_str_eq(told[0].name, "TooSlow");
    ck_assert_str_eq(told[0].node, "node-1");
    ck_assert_str_eq(told[0].summary, "-");
    ck_assert_uint_eq(told[1].sign.key, told[0].sign.key);
    ck_assert_uint_eq(told[2].sign.key, told[0].sign.key);
    expect(2, FL_SIGN_ALERT, "shop", true);
    ck_assert_uint_ne(told[3].sign.key, told[0].sign.key);
    ck_assert_uint_ne(told[4].sign.key, told[0].sign.key);
}
END_TEST

START_TEST(times_out_of_reach_are_counted_and_harm_nothing)
{
    uint32_t handle = made_resource(&traffic, "shop");
    fl_span span = {.id = 1, .name = SLICE("x"), .kind = FL_SPAN_SERVER, .trace = {1, 1}};
    span.end_ns = (begin_s + 3 * HOUR) * S;
    ck_assert_ok(traffic.sink->span(traffic.sink->payload, handle, &span, &err));
    span.end_ns = (begin_s - 3 * HOUR) * S;
    ck_assert_ok(traffic.sink->span(traffic.sink->payload, handle, &span, &err));
    span.end_ns = 0;
    ck_assert_ok(traffic.sink->span(traffic.sink->payload, handle, &span, &err));
    span.end_ns = INT64_MAX;
    ck_assert_ok(traffic.sink->span(traffic.sink->payload, handle, &span, &err));
    fl_watch_stats stats = fl_watch_stats_of(watch);
    ck_assert_uint_eq(stats.early, 2);
    ck_assert_uint_eq(stats.late, 2);
    ck_assert_uint_eq(stats.operations, 0);
    ck_assert_ok(fl_watch_advance(watch, S, note, NULL, &err)); /* a clock that was set back */
}
END_TEST

START_TEST(services_and_operations_have_their_limits)
{
    char name[32];
    fl_span span = {.id = 1, .kind = FL_SPAN_SERVER, .trace = {1, 1}, .end_ns = begin_s * S};
    for (int i = 0; i < FL_MAX_WATCHED_SERVICES + 5; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        uint32_t handle = made_resource(&traffic, name);
        for (int op = 0; op < 20 && i < 200; op++) {
            snprintf(name, sizeof(name), "op%d", op);
            span.name = SLICE(name);
            ck_assert_ok(traffic.sink->span(traffic.sink->payload, handle, &span, &err));
        }
        if (i >= 200)
            ck_assert_ok(traffic.sink->span(traffic.sink->payload, handle, &span, &err));
    }
    fl_watch_stats stats = fl_watch_stats_of(watch);
    ck_assert_uint_eq(stats.services, FL_MAX_WATCHED_SERVICES);
    ck_assert_uint_eq(stats.operations, FL_MAX_WATCHED_OPERATIONS);
    ck_assert_uint_gt(stats.crowded, 5);
}
END_TEST

START_TEST(each_allocation_that_fails_is_an_error)
{
    for (long n = 0; n < 400; n++) {
        fl_watch *mine = NULL;
        fl_error own = {0};
        fl_watch_options options = {.alert = note};
        fl_resource resource = {.service = SLICE("shop")};
        fl_span span = {.id = 1, .name = SLICE("x"), .trace = {1, 1}, .end_ns = begin_s * S};
        uint32_t handle;
        fl_mem_fail_after(n);
        fl_status status = fl_watch_create(&mine, &options, &own);
        if (status == FL_OK)
            status = fl_watch_advance(mine, begin_s * S, note, NULL, &own);
        const fl_sink *sink = mine != NULL ? fl_watch_sink(mine) : NULL;
        if (status == FL_OK)
            status = sink->resource(sink->payload, &resource, &handle, &own);
        if (status == FL_OK)
            status = sink->span(sink->payload, handle, &span, &own);
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

/* The seconds of [from_s, to_s), as an archive tells them. */
static void tell_past(const made_requests *requests, int64_t from_s, int64_t to_s)
{
    for (int64_t at = from_s; at < to_s; at++) {
        made_second(&traffic, requests, (begin_s + at) * S);
        made_point(&traffic, "meter", (begin_s + at) * S);
    }
}

/* A new watch at this moment, which waits for its past. */
static void start_again(void)
{
    const fl_watch_options options = {.alert = note};
    fl_watch_destroy(watch);
    ck_assert_ok(fl_watch_create(&watch, &options, &err));
    traffic.sink = fl_watch_sink(watch);
    fl_watch_pause(watch, true);
    ck_assert_ok(fl_watch_advance(watch, (begin_s + now_s) * S, note, NULL, &err));
}

START_TEST(a_past_that_is_told_again_is_what_is_usual)
{
    const made_requests requests = usual();
    made_requests broken = usual();
    broken.error_share = 0.25;
    now_s = 2 * HOUR;
    start_again();
    tell_past(&requests, now_s - 30 * MINUTE, now_s); /* the newest first */
    ck_assert_ok(fl_watch_advance(watch, (begin_s + now_s + 20) * S, note, NULL, &err));
    ck_assert_uint_eq(told_count, 0); /* half of the past would look like a surge */
    tell_past(&requests, now_s - 2 * HOUR, now_s - 30 * MINUTE);
    fl_watch_pause(watch, false);
    run(&broken, 1, 5 * MINUTE);
    ck_assert_uint_eq(fl_watch_stats_of(watch).entries, 1);
    ck_assert_uint_eq(told_count, 1);
    expect(0, FL_SIGN_ERRORS, "shop", false);
    expect_onset(0, 2 * HOUR, 150);
}
END_TEST

START_TEST(a_past_that_is_half_told_is_forgotten)
{
    made_requests requests = usual();
    now_s = 2 * HOUR;
    start_again();
    tell_past(&requests, now_s - 30 * MINUTE, now_s);
    requests.a_second = 40;
    tell_past(&requests, now_s - HOUR, now_s - 30 * MINUTE);
    fl_watch_forget(watch, (begin_s + now_s - HOUR) * S, (begin_s + now_s - 30 * MINUTE) * S);
    fl_watch_forget(watch, S, (begin_s - HOUR) * S); /* long gone */
    fl_watch_pause(watch, false);
    run_usual(HOUR);
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

START_TEST(a_break_of_before_goes_on_to_its_end)
{
    static const fl_sign_kind kinds[] = {FL_SIGN_ERRORS, FL_SIGN_LATENCY, FL_SIGN_TRAFFIC};
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        bool is_followed;
        const made_requests requests = usual();
        made_requests broken = usual();
        broken.error_share = kinds[k] == FL_SIGN_ERRORS ? 0.25 : broken.error_share;
        broken.median_ms *= kinds[k] == FL_SIGN_LATENCY ? 4 : 1;
        broken.a_second /= kinds[k] == FL_SIGN_TRAFFIC ? 8 : 1;
        told_count = 0;
        now_s = 0;
        start_again();
        fl_watch_pause(watch, false);
        run_usual(HOUR);
        run(&broken, 1, 5 * MINUTE);
        ck_assert_uint_eq(told_count, 1);
        expect(0, kinds[k], "shop", false);
        start_again();
        tell_past(&requests, 0, HOUR);
        tell_past(&broken, HOUR, now_s);
        fl_sign before = told[0].sign;
        before.service = told[0].service;
        ck_assert_ok(fl_watch_adopt(&is_followed, watch, &before, &err));
        ck_assert(is_followed);
        fl_watch_pause(watch, false);
        run(&broken, 1, 3 * MINUTE);
        ck_assert_uint_eq(told_count, 1); /* it is no other break */
        run_usual(5 * MINUTE);
        ck_assert_uint_eq(told_count, 2);
        expect(1, kinds[k], "shop", true);
        ck_assert_uint_eq(told[1].sign.key, told[0].sign.key);
        before.onset_ns -= S; /* older than what is known */
        ck_assert_ok(fl_watch_adopt(&is_followed, watch, &before, &err));
        ck_assert(!is_followed);
        run_usual(5 * MINUTE);
        ck_assert_uint_eq(told_count, 2);
    }
}
END_TEST

START_TEST(a_break_that_the_watch_has_itself_goes_on_under_its_own_key)
{
    made_requests broken = usual();
    broken.error_share = 0.25;
    run_usual(HOUR);
    run(&broken, 1, 5 * MINUTE);
    ck_assert_uint_eq(told_count, 1);
    const fl_sign own = told[0].sign;
    for (int64_t apart = -30; apart <= 30; apart += 30) { /* another's is older, or newer */
        bool is_followed;
        fl_sign other = own;
        other.service = "shop";
        other.onset_ns += apart * S;
        ck_assert_ok(fl_watch_adopt(&is_followed, watch, &other, &err));
        ck_assert_int_eq(is_followed, apart == 0);
    }
    run_usual(5 * MINUTE);
    ck_assert_uint_eq(told_count, 2);
    expect(1, FL_SIGN_ERRORS, "shop", true);
    ck_assert_uint_eq(told[1].sign.key, own.key);
    bool is_followed;
    fl_sign late = own; /* told as open by somebody who did not see its end */
    late.service = "shop";
    ck_assert_ok(fl_watch_adopt(&is_followed, watch, &late, &err));
    ck_assert(!is_followed);
}
END_TEST

START_TEST(a_break_whose_figures_are_not_known_is_not_adopted)
{
    fl_sign sign = {.kind = FL_SIGN_ERRORS, .onset_ns = begin_s * S, .service = "shop"};
    sign.value = NAN;
    bool is_followed = true;
    ck_assert_ok(fl_watch_adopt(&is_followed, watch, &sign, &err));
    ck_assert(!is_followed);
    sign.value = 0.5;
    sign.service = NULL;
    is_followed = true;
    ck_assert_ok(fl_watch_adopt(&is_followed, watch, &sign, &err));
    ck_assert(!is_followed);
    run_usual(HOUR);
    ck_assert_uint_eq(told_count, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("watch");
    TCase *cases = tcase_create("watch");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, health_is_not_told_of);
    tcase_add_test(cases, errors_of_an_entry_are_told_and_their_end);
    tcase_add_test(cases, an_entry_that_waits_is_told_of);
    tcase_add_test(cases, requests_that_stay_away_are_told_of_while_telemetry_goes_on);
    tcase_add_test(cases, telemetry_that_stays_away_is_no_break);
    tcase_add_test(cases, one_bad_minute_is_no_break);
    tcase_add_test(cases, another_mix_of_operations_is_not_slower);
    tcase_add_test(cases, traffic_that_ebbs_away_breaks_nothing);
    tcase_add_test(cases, a_break_that_lasts_becomes_the_usual);
    tcase_add_test(cases, what_breaks_again_soon_is_the_same_break);
    tcase_add_test(cases, calls_are_learnt_and_what_is_called_inside_is_no_entry);
    tcase_add_test(cases, a_parent_of_another_system_makes_an_entry);
    tcase_add_test(cases, alerts_are_signs_the_same_alert_the_same);
    tcase_add_test(cases, times_out_of_reach_are_counted_and_harm_nothing);
    tcase_add_test(cases, services_and_operations_have_their_limits);
    tcase_add_test(cases, a_past_that_is_told_again_is_what_is_usual);
    tcase_add_test(cases, a_past_that_is_half_told_is_forgotten);
    tcase_add_test(cases, a_break_of_before_goes_on_to_its_end);
    tcase_add_test(cases, a_break_that_the_watch_has_itself_goes_on_under_its_own_key);
    tcase_add_test(cases, a_break_whose_figures_are_not_known_is_not_adopted);
    tcase_add_test(cases, each_allocation_that_fails_is_an_error);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
