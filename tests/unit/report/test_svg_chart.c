#include "svg_chart.h"

#include "fl_pictures.h"
#include "fl_test.h"

static fl_buf out;

static void setup(void)
{
    out = fl_buf_of(1 << 20);
}

static void teardown(void)
{
    fl_buf_dispose(&out);
}

static size_t count_of(const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(out.ptr, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

START_TEST(a_lane_has_its_parts_and_is_described)
{
    fl_svg_lane(&out, &fl_test_picture, 2);
    ck_assert_ptr_nonnull(strstr(out.ptr, "<title>frontend: p50</title>"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "usually 20; during the incident 30 to 950; what callers "
                                          "from outside met</desc>"));
    ck_assert_uint_eq(count_of("class=\"fl-window\""), 1);
    ck_assert_uint_eq(count_of("class=\"fl-usual\""), 1);
    ck_assert_uint_eq(count_of("class=\"fl-onset\""), 1);
    ck_assert_uint_eq(count_of("class=\"fl-onset-at\""), 1);
    ck_assert_ptr_nonnull(strstr(out.ptr, ">09:34</text>"));
    ck_assert_ptr_nonnull(strstr(out.ptr, ">950 ms</text>"));
    ck_assert_uint_eq(count_of("<svg"), 1);
    ck_assert_uint_eq(count_of("</svg>"), 1);
}
END_TEST

/* Six numbers, a gap, one number: two pieces, the second a dot. */
START_TEST(a_gap_in_the_numbers_is_a_gap_in_the_line)
{
    fl_svg_lane(&out, &fl_test_picture, 2);
    const char *line = strstr(out.ptr, "class=\"fl-line\" d=\"");
    ck_assert_ptr_nonnull(line);
    const char *end = strchr(line + 20, '"');
    size_t moves = 0, lines = 0, dots = 0;
    for (const char *at = line + 19; at < end; at++) {
        moves += *at == 'M';
        lines += *at == 'L';
        dots += *at == 'h';
    }
    ck_assert_uint_eq(moves, 2);
    ck_assert_uint_eq(lines, 5);
    ck_assert_uint_eq(dots, 1);
}
END_TEST

START_TEST(the_overview_has_a_line_for_each_lane_and_a_mark_for_each_event)
{
    fl_svg_overview(&out, &fl_test_picture, 30);
    ck_assert_uint_eq(count_of("class=\"fl-line\""), 6);
    ck_assert_uint_eq(count_of("class=\"fl-mark"), 3);
    ck_assert_ptr_nonnull(strstr(out.ptr, "6 of 6 series, 3 events"));
    fl_buf_clear(&out);
    fl_svg_overview(&out, &fl_test_picture, 2);
    ck_assert_uint_eq(count_of("class=\"fl-line\""), 2);
}
END_TEST

START_TEST(nothing_hostile_leaves_its_place)
{
    static const double values[FL_TEST_STEPS] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, INFINITY};
    fl_lane lane = fl_test_lanes[0];
    fl_picture_event event = fl_test_events[0];
    fl_picture picture = fl_test_picture;
    lane.service = "</title><script>x</script>";
    lane.name = "\" onload=\"x\x1b";
    lane.why = "<![CDATA[";
    lane.values = values;
    lane.usual = lane.usual_low = lane.usual_high = NAN;
    lane.unit = "<i>";
    event.text = "</path><image href='http://evil'/>";
    picture.lanes = &lane;
    picture.lane_count = 1;
    picture.events = &event;
    picture.event_count = 1;
    fl_svg_lane(&out, &picture, 0);
    fl_svg_overview(&out, &picture, 5);
    ck_assert_uint_eq(count_of("<script"), 0);
    ck_assert_uint_eq(count_of("<image"), 0);
    ck_assert_uint_eq(count_of("<!["), 0);
    ck_assert_uint_eq(count_of("<i>"), 0);
    ck_assert_uint_eq(count_of(" onload=\""), 0);
    ck_assert_uint_eq(count_of("\x1b"), 0);
    ck_assert_uint_eq(count_of("nan"), 0);
    ck_assert_uint_eq(count_of("inf"), 0);
}
END_TEST

START_TEST(an_empty_picture_is_drawn_too)
{
    fl_svg_overview(&out, &fl_test_empty_picture, 5);
    ck_assert_uint_eq(count_of("</svg>"), 1);
}
END_TEST

static Suite *svg_suite(void)
{
    Suite *suite = suite_create("report/svg_chart");
    TCase *cases = tcase_create("svg_chart");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_lane_has_its_parts_and_is_described);
    tcase_add_test(cases, a_gap_in_the_numbers_is_a_gap_in_the_line);
    tcase_add_test(cases, the_overview_has_a_line_for_each_lane_and_a_mark_for_each_event);
    tcase_add_test(cases, nothing_hostile_leaves_its_place);
    tcase_add_test(cases, an_empty_picture_is_drawn_too);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(svg_suite)
