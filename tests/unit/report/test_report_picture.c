#include "report_picture.h"

#include <jansson.h>
#include <stdio.h>

#include "fl_pictures.h"
#include "fl_test.h"
#include "mem.h"

static fl_error err;
static fl_arena arena;
static fl_buf good;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(8 << 20);
    good = fl_buf_of(1 << 20);
    ck_assert_ok(fl_report_picture_json(&good, &fl_test_picture, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&good);
    fl_arena_dispose(&arena);
}

static void check_round_trip(const fl_picture *picture)
{
    const fl_picture *back = NULL;
    fl_buf once = fl_buf_of(1 << 20), twice = fl_buf_of(1 << 20);
    ck_assert_ok(fl_report_picture_json(&once, picture, &err));
    ck_assert_ok(fl_report_picture_load(&back, &arena, fl_buf_slice(&once), &err));
    ck_assert_ok(fl_report_picture_json(&twice, back, &err));
    ck_assert_str_eq(once.ptr, twice.ptr);
    fl_buf_dispose(&once);
    fl_buf_dispose(&twice);
}

START_TEST(a_picture_is_read_back_byte_for_byte)
{
    check_round_trip(&fl_test_picture);
    check_round_trip(&fl_test_empty_picture);
}
END_TEST

START_TEST(what_was_written_is_there_again)
{
    const fl_picture *back = NULL;
    ck_assert_ok(fl_report_picture_load(&back, &arena, fl_buf_slice(&good), &err));
    ck_assert_str_eq(back->incident, "3f9a2c11d0e4");
    ck_assert_int_eq(back->from_ns, FL_TEST_AT_NS - 3 * FL_TEST_MINUTE);
    ck_assert_int_eq(back->step_ns, FL_TEST_MINUTE);
    ck_assert_uint_eq(back->step_count, FL_TEST_STEPS);
    ck_assert_int_eq(back->onset.low_ns, fl_test_picture.onset.low_ns);
    ck_assert_uint_eq(back->lane_count, 6);
    ck_assert_uint_eq(back->lanes_left_out, 2);
    ck_assert_str_eq(back->lanes[0].name, "requests");
    ck_assert(back->lanes[0].is_entry && !back->lanes[4].is_entry);
    ck_assert_ptr_null(back->lanes[4].instance);
    ck_assert_double_eq(back->lanes[0].values[5], 400);
    ck_assert(isnan(back->lanes[2].values[6]));
    ck_assert_uint_eq(back->lanes[4].hypothesis, 1);
    ck_assert_int_eq(back->events[1].until_ns, FL_TEST_AT_NS + 4 * FL_TEST_MINUTE);
    ck_assert_int_eq(back->events[0].kind, FL_PICTURE_CHANGE);
    ck_assert_ptr_null(back->events[1].query);
    ck_assert_uint_eq(back->calls[0].during.errors, 640);
    ck_assert(!back->calls[1].is_traced);
    ck_assert(isnan(back->calls[1].before.p50_ms));
    ck_assert_uint_eq(back->stack_count, 1);
    ck_assert_uint_eq(back->stacks[0].frame_count, 5);
    ck_assert_str_eq(back->stacks[0].frames[4].name, "main.<gone>");
    ck_assert_uint_eq(back->stacks[0].frames[4].parent, 3);
    ck_assert_double_eq(back->stacks[0].frames[2].after, 8e6);
    ck_assert_uint_eq(back->stacks[0].frames_left_out, 7);
}
END_TEST

/* Also what is no UTF-8 and no finite number. */
START_TEST(anything_can_be_written)
{
    const double values[] = {INFINITY, -0.0, 1e300, NAN, 1.0 / 3, 1e-300, 123456789.123, 2};
    fl_lane lane = fl_test_lanes[0];
    fl_picture picture = fl_test_picture;
    fl_buf out = fl_buf_of(1 << 20);
    lane.service = "a\xff\x1b[31m<script>\xe2\x80\xae";
    lane.values = values;
    picture.lanes = &lane;
    picture.lane_count = 1;
    ck_assert_ok(fl_report_picture_json(&out, &picture, &err));
    json_t *root = json_loadb(out.ptr, out.len, 0, NULL);
    ck_assert_ptr_nonnull(root);
    const json_t *back = json_array_get(json_object_get(root, "lanes"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(back, "service")),
                     "a\xef\xbf\xbd\x1b[31m<script>\xe2\x80\xae");
    const json_t *numbers = json_object_get(back, "values");
    ck_assert(json_is_null(json_array_get(numbers, 0)));
    ck_assert(json_is_null(json_array_get(numbers, 3)));
    ck_assert_double_eq(json_real_value(json_array_get(numbers, 4)), 0.333333);
    json_decref(root);
    fl_buf_dispose(&out);
}
END_TEST

START_TEST(every_prefix_fails_cleanly)
{
    for (size_t len = 0; len + 2 < good.len; len++) {
        const fl_picture *back = NULL;
        fl_error own = {0};
        fl_slice part = {.ptr = (const unsigned char *)good.ptr, .len = len};
        ck_assert_fails(FL_E_SYNTAX, fl_report_picture_load(&back, &arena, part, &own));
        ck_assert_ptr_null(back);
        ck_assert(strncmp(own.message, "a picture is not JSON: ", 23) == 0);
    }
}
END_TEST

/* One text of the good picture is replaced, and this is what the reader is told. */
static const struct {
    const char *from, *to;
    fl_status status;
    const char *message;
} bad[] = {
    {"faultline.timeline/1", "faultline.timeline/2", FL_E_UNSUPPORTED,
     "picture: 'schema' is not faultline.timeline/1"},
    {"\"incident\"", "\"accident\"", FL_E_SYNTAX, "picture: 'incident' is missing"},
    {"\"at\":\"2023-01-29T09:34:19Z\"", "\"at\":\"soon\"", FL_E_SYNTAX,
     "picture: 'at' is not a time"},
    {"\"step_s\":60", "\"step_s\":0", FL_E_SYNTAX, "picture: 'step_s' is not above 0"},
    {"\"steps\":8", "\"steps\":241", FL_E_SYNTAX, "picture: 'steps' is not a count"},
    {"\"steps\":8", "\"steps\":9", FL_E_SYNTAX,
     "picture: lane 1: 'values' has fewer numbers than there are steps"},
    {"\"steps\":8", "\"steps\":7", FL_E_LIMIT, "picture: 'values' has 8 items, more than 7"},
    {"\"low\":\"2023-01-29T09:34:10Z\"", "\"low\":\"2024-01-29T09:34:10Z\"", FL_E_SYNTAX,
     "picture: 'onset' is not in order"},
    {"\"to\":\"2023-01-29T09:39:19Z\"", "\"to\":\"2022-01-29T09:39:19Z\"", FL_E_SYNTAX,
     "picture: 'window' ends before it begins"},
    {"\"lanes\":[", "\"lanes\":7,\"others\":[", FL_E_SYNTAX, "picture: 'lanes' is not a list"},
    {"\"kind\":\"log\"", "\"kind\":\"leaf\"", FL_E_SYNTAX,
     "picture: lane 6: 'kind' is not a kind of lane or event"},
    {"\"entry\":false", "\"entry\":0", FL_E_SYNTAX,
     "picture: lane 5: 'entry' is not true or false"},
    {"\"values\":[600.0", "\"values\":[\"600\"", FL_E_SYNTAX,
     "picture: lane 1: 'values' is not a number"},
    {"\"text\":\"configuration", "\"text\":null,\"was\":\"configuration", FL_E_SYNTAX,
     "picture: event 1: 'text' is not a string"},
    {"\"calls\":1800", "\"calls\":-1", FL_E_SYNTAX, "picture: call 1: 'calls' is not a count"},
    {"\"left_out\":7", "\"left\":7", FL_E_SYNTAX, "picture: stacks 1: 'left_out' is missing"},
    {"\"parent\":3", "\"parent\":4", FL_E_SYNTAX,
     "picture: stacks 1: 'parent' is not before its frame"},
    {"\"frames\":[", "\"frames\":0,\"others\":[", FL_E_SYNTAX,
     "picture: stacks 1: 'frames' is not a list"},
    {"\"left_out\":{", "\"left\":{", FL_E_SYNTAX, "picture: 'left_out' is missing"},
};

static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    ck_assert_msg(at != NULL, "%s is not there", from);
    size_t len = strlen(text) + strlen(to) + 1;
    char *out = malloc(len);
    snprintf(out, len, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

START_TEST(what_is_no_picture_is_refused_by_name)
{
    char *text = replaced(good.ptr, bad[_i].from, bad[_i].to);
    const fl_picture *back = NULL;
    ck_assert_fails(bad[_i].status, fl_report_picture_load(&back, &arena, SLICE(text), &err));
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_ptr_null(back);
    free(text);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    fl_buf small = fl_buf_of(100);
    ck_assert_fails(FL_E_LIMIT, fl_report_picture_json(&small, &fl_test_picture, &err));
    ck_assert_str_eq(err.message, "the picture is larger than 100 bytes");
    fl_buf_dispose(&small);
    fl_arena tiny = fl_arena_of(64);
    const fl_picture *back = NULL;
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOMEM, fl_report_picture_load(&back, &tiny, fl_buf_slice(&good), &err));
    fl_arena_dispose(&tiny);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    long allowed = 0;
    json_set_alloc_funcs(fl_mem_alloc, fl_mem_free);
    for (fl_status status = FL_E_NOMEM; status != FL_OK; allowed++) {
        const fl_picture *back = NULL;
        fl_buf text = fl_buf_of(1 << 20);
        fl_arena own = fl_arena_of(8 << 20);
        fl_mem_fail_after(allowed);
        status = fl_report_picture_json(&text, &fl_test_picture, NULL);
        if (status == FL_OK)
            status = fl_report_picture_load(&back, &own, fl_buf_slice(&text), NULL);
        fl_mem_fail_after(-1);
        /* jansson says of some allocations that failed that the text is none */
        ck_assert(status == FL_OK || status == FL_E_NOMEM || status == FL_E_SYNTAX);
        fl_buf_dispose(&text);
        fl_arena_dispose(&own);
    }
    ck_assert_int_gt(allowed, 200);
}
END_TEST

static Suite *picture_suite(void)
{
    Suite *suite = suite_create("report/report_picture");
    TCase *cases = tcase_create("picture");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_picture_is_read_back_byte_for_byte);
    tcase_add_test(cases, what_was_written_is_there_again);
    tcase_add_test(cases, anything_can_be_written);
    tcase_add_test(cases, every_prefix_fails_cleanly);
    tcase_add_loop_test(cases, what_is_no_picture_is_refused_by_name, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(cases, what_does_not_fit_is_refused);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(picture_suite)
