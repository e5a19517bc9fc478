/*
 * A sink that drops everything takes everything.
 */
#include "sink_none.h"

#include "fl_test.h"

START_TEST(each_kind_of_record_is_taken_and_dropped)
{
    fl_error err = {0};
    uint32_t handle = 7;
    int payload = 3;
    const fl_sink sink = fl_sink_none(&payload);
    ck_assert_ptr_eq(sink.payload, &payload);
    ck_assert_ok(sink.resource(sink.payload, &(fl_resource){0}, &handle, &err));
    ck_assert_uint_eq(handle, 0);
    ck_assert_ok(sink.span(sink.payload, handle, &(fl_span){0}, &err));
    ck_assert_ok(sink.log(sink.payload, handle, &(fl_log){0}, &err));
    ck_assert_ok(sink.point(sink.payload, handle, &(fl_point){0}, &err));
    ck_assert_ok(sink.change(sink.payload, &(fl_change_record){0}, &err));
    ck_assert_ok(sink.alert(sink.payload, &(fl_alert_record){0}, &err));
    ck_assert_ok(sink.reject(sink.payload, &(fl_reject){0}, &err));
    ck_assert_int_eq(payload, 3);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("sink_none");
    TCase *cases = tcase_create("all");
    tcase_add_test(cases, each_kind_of_record_is_taken_and_dropped);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
