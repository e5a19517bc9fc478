#include <stdio.h>

#include "fl_test.h"
#include "mem.h"
#include "trace_run.h"
#include "trace_view.h"

static fl_error err;
static fl_buf out;
static fl_signatures *library;

static void setup(void)
{
    err = (fl_error){0};
    out = fl_buf_of(64u << 20);
    ck_assert_ok(fl_signatures_create(&library, &err));
    ck_assert_ok(fl_signatures_add_built_in(library, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&out);
    fl_signatures_destroy(library);
}

static size_t count_of(const char *what)
{
    size_t count = 0;
    for (const char *at = strstr(out.ptr, what); at != NULL; at = strstr(at + 1, what))
        count++;
    return count;
}

static void draw(const char *name)
{
    char path[512];
    fl_trace_run *run;
    const fl_trace_options options = {.library = library, .with_course = true};
    snprintf(path, sizeof(path), FL_SOURCE_DIR "/tests/fixtures/gotrace/%s.trace.zst", name);
    ck_assert_ok(fl_trace_run_input(&run, path, &options, &err));
    const fl_trace_title title = {.name = "<trace>"};
    ck_assert_ok(fl_trace_view_svg(&out, fl_trace_run_report(run), &title, &err));
    fl_trace_run_destroy(run);
}

START_TEST(each_row_has_its_words_and_nothing_runs)
{
    draw("1.26-convoy");
    ck_assert_uint_eq(count_of("<svg"), 1);
    ck_assert_uint_eq(count_of("</svg>"), 1);
    ck_assert_uint_eq(count_of("<g role=\"img\"><title>"), 8);
    ck_assert_uint_eq(count_of("</g>"), 8);
    ck_assert_uint_eq(count_of("<script"), 0);
    ck_assert_uint_eq(count_of("<style"), 0);
    ck_assert_uint_eq(count_of("href"), 0);
    ck_assert_uint_eq(count_of("<trace>"), 0);
    ck_assert_uint_eq(count_of("&lt;trace&gt;"), 2);
    ck_assert_uint_eq(count_of("processor 0: "), 1);
    ck_assert_uint_eq(count_of("1 collection, marking for 15.9 ms"), 1);
    ck_assert_uint_eq(count_of(">trace-lock-convoy: Goroutines stand in line for one lock<"), 1);
    ck_assert_uint_lt(out.len, 60 << 10);
}
END_TEST

START_TEST(what_stands_out_is_marked_where_it_begins)
{
    draw("1.22-grow");
    ck_assert_uint_eq(count_of("<title>A map that grows makes single operations slow</title>"), 1);
    fl_buf_clear(&out);
    draw("1.26-polite");
    ck_assert_uint_eq(count_of(">nothing stands out<"), 1);
}
END_TEST

START_TEST(the_same_trace_gives_the_same_bytes)
{
    draw("1.26-storm");
    size_t len = out.len;
    draw("1.26-storm");
    ck_assert_uint_eq(out.len, 2 * len);
    ck_assert_mem_eq(out.ptr, out.ptr + len, len);
}
END_TEST

/* Sixty-four processors that are never as busy as a step before, and a collection in each step. */
START_TEST(the_size_is_bounded)
{
    static fl_sched_step steps[FL_SCHED_STEPS];
    static fl_sched_proc procs[FL_SCHED_STEPS * FL_SCHED_COURSE_PROCS], use[FL_SCHED_COURSE_PROCS];
    static fl_sched_cycle cycles[FL_SCHED_STEPS];
    for (size_t i = 0; i < FL_SCHED_STEPS; i++) {
        steps[i] = (fl_sched_step){.stw_ns = 400,
                                   .latency_max_ns = i % 2 ? 900 : 1,
                                   .goroutines = i % 2 ? 7 : 1,
                                   .heap_bytes = i % 2 ? 9 : 1,
                                   .assist_ns = i % 2 ? 500 : 0};
        cycles[i] =
            (fl_sched_cycle){.begin_ns = (int64_t)i * 1000, .end_ns = (int64_t)i * 1000 + 300};
    }
    for (size_t i = 0; i < FL_SCHED_STEPS * FL_SCHED_COURSE_PROCS; i++)
        procs[i] = (fl_sched_proc){.running_ns = (int64_t)i * 7919 % 600,
                                   .marking_ns = (int64_t)i * 104729 % 400};
    const fl_sched_course course = {.step_ns = 1000,
                                    .step_count = FL_SCHED_STEPS,
                                    .steps = steps,
                                    .proc_count = FL_SCHED_COURSE_PROCS,
                                    .procs = procs};
    const fl_sched_report report = {.to_ns = FL_SCHED_STEPS * 1000,
                                    .procs = FL_SCHED_COURSE_PROCS,
                                    .proc_use = use,
                                    .proc_count = FL_SCHED_COURSE_PROCS,
                                    .cycles = cycles,
                                    .cycle_count = FL_SCHED_STEPS,
                                    .course = &course};
    const fl_trace_title title = {.name = "big"};
    ck_assert_ok(fl_trace_view_svg(&out, &report, &title, &err));
    ck_assert_uint_gt(out.len, 60 << 10);
    ck_assert_uint_lt(out.len, 200 << 10);
}
END_TEST

START_TEST(an_empty_trace_and_a_full_buffer_are_no_trouble)
{
    const fl_sched_course course = {.step_ns = 1000, .step_count = 1, .steps = &(fl_sched_step){0}};
    const fl_sched_report report = {.course = &course};
    const fl_trace_title title = {.name = "empty", .clock_to_wall_ns = 1};
    ck_assert_ok(fl_trace_view_svg(&out, &report, &title, &err));
    fl_buf small = fl_buf_of(100);
    ck_assert_int_eq(fl_trace_view_svg(&small, &report, &title, &err), FL_E_LIMIT);
    fl_buf_dispose(&small);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("trace_svg");
    TCase *tc = tcase_create("trace_svg");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, each_row_has_its_words_and_nothing_runs);
    tcase_add_test(tc, what_stands_out_is_marked_where_it_begins);
    tcase_add_test(tc, the_same_trace_gives_the_same_bytes);
    tcase_add_test(tc, the_size_is_bounded);
    tcase_add_test(tc, an_empty_trace_and_a_full_buffer_are_no_trouble);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
