#include <stdio.h>

#include "fl_test.h"
#include "mem.h"
#include "slice.h"
#include "triage_jfr.h"

#define FIXTURE(name) FL_SOURCE_DIR "/tests/fixtures/jfr/" name

static fl_error err;
static fl_gc_feed feed;

/* What came into the sink. */
static struct came {
    char service[64], line[1024];
    size_t pauses, levels, loads, lines;
    int64_t from_ns, to_ns;
    size_t refuse_after; /* records; 0: none is refused */
} came;

static void setup(void)
{
    err = (fl_error){0};
    came = (struct came){.from_ns = INT64_MAX};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
}

static fl_status take(int64_t time_ns, fl_error *error)
{
    came.from_ns = time_ns < came.from_ns ? time_ns : came.from_ns;
    came.to_ns = time_ns > came.to_ns ? time_ns : came.to_ns;
    if (came.refuse_after > 0 && came.pauses + came.levels >= came.refuse_after)
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
    came.pauses += fl_slice_equal(point->metric, FL_SLICE("jvm.gc.duration"));
    came.levels += fl_slice_equal(point->metric, FL_SLICE("jvm.memory.used_after_last_gc"));
    came.loads += fl_slice_ends_with(point->metric, FL_SLICE("utilization"));
    return take(point->time_ns, error);
}

static fl_status on_log(void *payload, uint32_t resource, const fl_log *log, fl_error *error)
{
    (void)payload;
    ck_assert_uint_eq(resource, 7);
    came.lines++;
    snprintf(came.line, sizeof(came.line), "%.*s", FL_SLICE_ARG(log->body));
    return take(log->time_ns, error);
}

static fl_status read_it(const char *text, const char *service)
{
    const fl_sink sink = {.resource = on_resource, .point = on_point, .log = on_log};
    fl_status status = fl_gc_feed_of(&feed, text, service, "jfr", &err);
    return status == FL_OK ? fl_jfr_feed_read(&feed, &sink, &err) : status;
}

START_TEST(collections_and_load_are_points_and_a_leak_is_a_line)
{
    ck_assert_ok(read_it("shop=" FIXTURE("17-leak.jfr.gz"), "orders"));
    ck_assert_str_eq(came.service, "shop");
    ck_assert_uint_eq(came.pauses, 5);
    ck_assert_uint_eq(came.levels, 5);
    ck_assert_uint_gt(came.loads, 4);
    ck_assert_uint_eq(came.lines, 1);
    ck_assert_ptr_nonnull(strstr(came.line, "heap leak: static field Recorded.OPEN"));
    ck_assert_ptr_nonnull(strstr(came.line, "[faultline leak "));
    ck_assert_int_lt(came.to_ns - came.from_ns, INT64_C(5000000000));
}
END_TEST

START_TEST(a_healthy_program_has_no_line)
{
    ck_assert_ok(read_it(FIXTURE("17-healthy.jfr.gz"), "orders"));
    ck_assert_str_eq(came.service, "orders");
    ck_assert_uint_eq(came.lines, 0);
}
END_TEST

START_TEST(what_nobody_owns_and_what_is_no_recording_is_said)
{
    ck_assert_fails(FL_E_SYNTAX, read_it("rec.jfr", NULL));
    ck_assert_str_eq(err.message, "whose is rec.jfr? say --jfr SERVICE=rec.jfr");
    err = (fl_error){0};
    ck_assert_fails(FL_E_IO, read_it(FL_SOURCE_DIR "/README.md", "orders"));
    ck_assert_ptr_nonnull(strstr(err.message, "this is not a JFR recording"));
}
END_TEST

START_TEST(what_the_sink_refuses_ends_the_reading)
{
    came.refuse_after = 3;
    ck_assert_fails(FL_E_LIMIT, read_it(FIXTURE("17-leak.jfr.gz"), "orders"));
    ck_assert_str_eq(err.message, "no more of them");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("triage_jfr");
    TCase *tests = tcase_create("feed");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, collections_and_load_are_points_and_a_leak_is_a_line);
    tcase_add_test(tests, a_healthy_program_has_no_line);
    tcase_add_test(tests, what_nobody_owns_and_what_is_no_recording_is_said);
    tcase_add_test(tests, what_the_sink_refuses_ends_the_reading);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
