#include <stdio.h>

#include "fl_test.h"
#include "mem.h"
#include "slice.h"
#include "triage_gc.h"

#define FIXTURE(name) FL_SOURCE_DIR "/tests/fixtures/gclog/" name

static fl_error err;
static fl_gc_feed feed;

/* What came into the sink. */
static struct came {
    char service[64], line[512];
    size_t pauses, levels, lines;
    double longest_s;
    int64_t from_ns, to_ns;
    size_t refuse_after; /* records; 0: none is refused */
} came;

static void setup(void)
{
    err = (fl_error){0};
    came = (struct came){.from_ns = INT64_MAX};
}

static fl_status take(int64_t time_ns, fl_error *error)
{
    came.from_ns = time_ns < came.from_ns ? time_ns : came.from_ns;
    came.to_ns = time_ns > came.to_ns ? time_ns : came.to_ns;
    if (came.refuse_after > 0 && came.pauses + came.levels + came.lines >= came.refuse_after)
        return fl_fail(error, FL_E_LIMIT, FL_NO_OFFSET, "no more of them");
    return FL_OK;
}

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *error)
{
    (void)payload;
    (void)error;
    *handle = 7;
    snprintf(came.service, sizeof(came.service), "%.*s", FL_SLICE_ARG(resource->service));
    return FL_OK;
}

static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *error)
{
    (void)payload;
    ck_assert_uint_eq(resource, 7);
    ck_assert_int_eq(point->kind, FL_POINT_GAUGE);
    if (fl_slice_equal(point->metric, FL_SLICE("jvm.gc.duration"))) {
        ck_assert(fl_slice_equal(point->unit, FL_SLICE("s")));
        came.pauses++;
        came.longest_s = point->value > came.longest_s ? point->value : came.longest_s;
    } else {
        ck_assert(fl_slice_equal(point->metric, FL_SLICE("jvm.memory.used_after_last_gc")));
        ck_assert_double_gt(point->value, 0);
        came.levels++;
    }
    return take(point->time_ns, error);
}

static fl_status on_log(void *payload, uint32_t resource, const fl_log *log, fl_error *error)
{
    (void)payload;
    ck_assert_uint_eq(resource, 7);
    if (came.lines++ == 0)
        snprintf(came.line, sizeof(came.line), "%.*s", FL_SLICE_ARG(log->body));
    return take(log->time_ns, error);
}

static fl_status read_log(const char *text, const char *service)
{
    const fl_sink sink = {.resource = on_resource, .point = on_point, .log = on_log};
    fl_status status = fl_gc_feed_of(&feed, text, service, "gc-log", &err);
    return status == FL_OK ? fl_gc_feed_read(&feed, &sink, &err) : status;
}

START_TEST(pauses_and_levels_are_points_and_failures_are_lines)
{
    ck_assert_ok(read_log("shop=" FIXTURE("java8-details.log"), "orders"));
    ck_assert_str_eq(came.service, "shop");
    ck_assert_uint_eq(came.pauses, 5);
    ck_assert_uint_eq(came.levels, 3);
    ck_assert_uint_eq(came.lines, 2);
    ck_assert_double_eq(came.longest_s, 1.0);
    ck_assert_int_eq(came.from_ns, INT64_C(1488358800500000000));
    ck_assert_int_eq(came.to_ns, INT64_C(1488358805000000000));
    ck_assert_str_eq(
        came.line,
        "GC and Full GC (Allocation Failure), promotion-failed, concurrent-failed took"
        " 1000.0 ms, 468.8 MiB to 117.2 MiB [sed -n 9p " FIXTURE("java8-details.log") "]");
}
END_TEST

START_TEST(a_file_without_a_name_is_of_the_reported_service)
{
    ck_assert_ok(read_log(FIXTURE("java17-serial.log.zst"), "orders"));
    ck_assert_str_eq(came.service, "orders");
    ck_assert_uint_eq(came.lines, 1);
    ck_assert_ptr_nonnull(strstr(came.line, "Pause Full (Allocation Failure) took "));
}
END_TEST

START_TEST(what_nobody_owns_is_refused)
{
    ck_assert_fails(FL_E_SYNTAX, read_log("gc.log", NULL));
    ck_assert_str_eq(err.message, "whose is gc.log? say --gc-log SERVICE=gc.log");
}
END_TEST

static const struct {
    const char *path, *message;
} bad[] = {
    {FIXTURE("java8-g1.log"), "no collection has a date; log with :time,uptime,level,tags"},
    {FIXTURE("none.log"), "cannot open"},
    {FL_SOURCE_DIR "/tests/fixtures/bounds/expands.log.zst", "expand"},
    {FL_SOURCE_DIR "/README.md", "no garbage collection log of a Java virtual machine"},
};

START_TEST(a_log_that_cannot_be_used_costs_itself)
{
    ck_assert_fails(FL_E_IO, read_log(bad[_i].path, "orders"));
    ck_assert_msg(strstr(err.message, bad[_i].message) != NULL, "%s", err.message);
}
END_TEST

START_TEST(what_the_sink_refuses_ends_the_reading)
{
    came.refuse_after = 3;
    ck_assert_fails(FL_E_LIMIT, read_log(FIXTURE("java8-details.log"), "orders"));
    ck_assert_str_eq(err.message, "no more of them");
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_status status = FL_E_IO;
    for (long n = 0; status != FL_OK && n < 100; n++) {
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = read_log(FIXTURE("java8-details.log"), "orders");
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM || status == FL_E_IO);
    }
    ck_assert_ok(status);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("triage_gc");
    TCase *tc = tcase_create("core");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, pauses_and_levels_are_points_and_failures_are_lines);
    tcase_add_test(tc, a_file_without_a_name_is_of_the_reported_service);
    tcase_add_test(tc, what_nobody_owns_is_refused);
    tcase_add_loop_test(tc, a_log_that_cannot_be_used_costs_itself, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tc, what_the_sink_refuses_ends_the_reading);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
