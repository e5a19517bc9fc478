#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "fl_test.h"
#include "mem.h"
#include "slice.h"
#include "tail.h"

static fl_error err;
static fl_tail *tail;
static fl_archive_batch *batch;
static fl_receive_tap tap;
static json_t *answer;

static void setup(void)
{
    err = (fl_error){0};
    ck_assert_ok(fl_tail_create(&tail, &err));
    ck_assert_ok(fl_archive_batch_create(&batch, &err));
    tap = fl_tail_tap(tail);
}

static void teardown(void)
{
    json_decref(answer);
    answer = NULL;
    fl_archive_batch_destroy(batch);
    fl_tail_destroy(tail);
}

/* The answer as JSON: that it is JSON is a part of each test. */
static void ask(uint64_t after)
{
    fl_buf out = fl_buf_of(8u << 20);
    fl_tail_read(tail, after, &out);
    json_decref(answer);
    answer = json_loadb(out.ptr, out.len, 0, NULL);
    ck_assert_msg(answer != NULL, "%s", out.ptr);
    fl_buf_dispose(&out);
}

static json_int_t number(const char *key)
{
    return json_integer_value(json_object_get(answer, key));
}

static size_t lines(void)
{
    return json_array_size(json_object_get(answer, "records"));
}

static const char *line_text(size_t i, const char *key)
{
    return json_string_value(
        json_object_get(json_array_get(json_object_get(answer, "records"), i), key));
}

static void add_logs(const char *service, const char *body, unsigned count)
{
    const fl_sink *sink = fl_archive_batch_sink(batch);
    uint32_t handle;
    const fl_resource resource = {.service = fl_slice_of(service)};
    ck_assert_ok(sink->resource(sink->payload, &resource, &handle, &err));
    for (unsigned i = 0; i < count; i++) {
        const fl_log log = {.time_ns = 1700000000000000000, .body = fl_slice_of(body)};
        ck_assert_ok(sink->log(sink->payload, handle, &log, &err));
    }
}

static void send_logs(const char *service, const char *body, unsigned count)
{
    fl_archive_batch_clear(batch);
    add_logs(service, body, count);
    tap.batch(tap.payload, batch);
}

START_TEST(nothing_is_kept_while_nobody_asks)
{
    send_logs("shop", "hello", 3);
    ask(UINT64_MAX);
    ck_assert_int_eq(number("next"), 0);
    ck_assert_uint_eq(lines(), 0);
}
END_TEST

START_TEST(who_asks_again_gets_what_came_since)
{
    ask(UINT64_MAX);
    send_logs("shop", "hello", 2);
    ask(0);
    ck_assert_uint_eq(lines(), 2);
    ck_assert_int_eq(number("next"), 2);
    ck_assert_str_eq(line_text(1, "kind"), "log");
    ck_assert_str_eq(line_text(1, "at"), "2023-11-14T22:13:20Z");
    ck_assert_str_eq(line_text(1, "service"), "shop");
    ck_assert_str_eq(line_text(1, "text"), "hello");
    ask(2);
    ck_assert_uint_eq(lines(), 0);
    send_logs("shop", "again", 1);
    ask(2);
    ck_assert_uint_eq(lines(), 1);
    ck_assert_str_eq(line_text(0, "text"), "again");
    ask(UINT64_MAX - 1);
    ck_assert_uint_eq(lines(), 0);
}
END_TEST

START_TEST(all_kinds_of_records_are_shown)
{
    const fl_sink *sink = fl_archive_batch_sink(batch);
    const fl_resource resource = {.service = SLICE("shop")};
    const fl_span span = {.id = 1, .name = SLICE("GET /"), .start_ns = 1, .end_ns = 2};
    const fl_span failed = {
        .id = 2, .name = SLICE("GET /x"), .start_ns = 1, .end_ns = 2, .is_error = true};
    const fl_point point = {.metric = SLICE("up"), .time_ns = 1, .value = 0.5};
    const fl_point histogram = {
        .metric = SLICE("took"), .kind = FL_POINT_HISTOGRAM, .time_ns = 1, .count = 1};
    const fl_change_record change = {
        .time_ns = 1, .service = SLICE("shop"), .after = SLICE("v2"), .source = SLICE("ci")};
    const fl_alert_record alert = {.starts_ns = 1, .name = SLICE("Down"), .service = SLICE("cart")};
    uint32_t handle;
    ask(UINT64_MAX);
    ck_assert_ok(sink->resource(sink->payload, &resource, &handle, &err));
    ck_assert_ok(sink->span(sink->payload, handle, &span, &err));
    ck_assert_ok(sink->span(sink->payload, handle, &failed, &err));
    ck_assert_ok(sink->point(sink->payload, handle, &point, &err));
    ck_assert_ok(sink->point(sink->payload, handle, &histogram, &err));
    ck_assert_ok(sink->change(sink->payload, &change, &err));
    ck_assert_ok(sink->alert(sink->payload, &alert, &err));
    tap.batch(tap.payload, batch);
    ask(0);
    static const char *const wanted[][3] = {
        {"span", "shop", "GET /"}, {"span, error", "shop", "GET /x"}, {"point", "shop", "up 0.5"},
        {"point", "shop", "took"}, {"change", "shop", "v2"},          {"alert", "cart", "Down"}};
    ck_assert_uint_eq(lines(), 6);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_str_eq(line_text(i, "kind"), wanted[i][0]);
        ck_assert_str_eq(line_text(i, "service"), wanted[i][1]);
        ck_assert_str_eq(line_text(i, "text"), wanted[i][2]);
    }
}
END_TEST

START_TEST(hostile_text_stays_one_string)
{
    char every[256], long_text[4096];
    for (int i = 0; i < 255; i++)
        every[i] = (char)(i + 1);
    every[255] = '\0';
    memset(long_text, '"', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    ask(UINT64_MAX);
    send_logs("\"\\\n", every, 1);
    send_logs(long_text, long_text, 1);
    send_logs("gr\xc3\xbc\xc3\x9f", "na\xc3\xafve \xff\xfe", 1);
    ask(0);
    ck_assert_uint_eq(lines(), 3);
    ck_assert_str_eq(line_text(0, "service"), "\"\\?");
    ck_assert_uint_eq(strlen(line_text(1, "text")), 200);
    ck_assert_str_eq(line_text(2, "service"), "gr\xc3\xbc\xc3\x9f");
    ck_assert_str_eq(line_text(2, "text"), "na\xc3\xafve ??");
}
END_TEST

START_TEST(what_comes_too_fast_is_counted)
{
    ask(UINT64_MAX);
    send_logs("shop", "hello", FL_TAIL_PER_S + 500);
    ask(0);
    ck_assert_uint_eq(lines(), FL_TAIL_PER_S);
    ck_assert_int_eq(number("passed_over"), 500);
    ask((uint64_t)number("next"));
    ck_assert_int_eq(number("passed_over"), 0);
}
END_TEST

START_TEST(who_asks_late_is_told_how_much_is_gone)
{
    ask(UINT64_MAX);
    for (int i = 0; i < 3; i++) { /* a second takes a thousand */
        send_logs("shop", "hello", FL_TAIL_PER_S);
        struct timespec time = {.tv_sec = 1, .tv_nsec = 50000000};
        nanosleep(&time, NULL);
    }
    ask(0);
    ck_assert_uint_eq(lines(), FL_TAIL_LINES);
    ck_assert_int_eq(number("passed_over"), 3 * FL_TAIL_PER_S - FL_TAIL_LINES);
}
END_TEST

START_TEST(more_services_than_there_are_names_for_are_shown_without)
{
    ask(UINT64_MAX);
    for (int i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof(name), "service-%d", i);
        add_logs(name, "hello", 1);
    }
    tap.batch(tap.payload, batch);
    ask(0);
    ck_assert_uint_eq(lines(), 100);
    ck_assert_str_eq(line_text(63, "service"), "service-63");
    ck_assert_str_eq(line_text(64, "service"), "");
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_tail *other;
    fl_mem_fail_after(0);
    fl_status status = fl_tail_create(&other, &err);
    fl_mem_fail_after(-1);
    ck_assert_fails(FL_E_NOMEM, status);
    ck_assert_ptr_null(other);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("tail");
    TCase *tests = tcase_create("tail");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, nothing_is_kept_while_nobody_asks);
    tcase_add_test(tests, who_asks_again_gets_what_came_since);
    tcase_add_test(tests, all_kinds_of_records_are_shown);
    tcase_add_test(tests, hostile_text_stays_one_string);
    tcase_add_test(tests, what_comes_too_fast_is_counted);
    tcase_add_test(tests, who_asks_late_is_told_how_much_is_gone);
    tcase_add_test(tests, more_services_than_there_are_names_for_are_shown_without);
    tcase_add_test(tests, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
