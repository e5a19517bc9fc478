#include "leak_case.h"

#include <string.h>

#include "slice.h"

static const fl_leak_options plain;

/* A heap profile of `program` at that minute: what put keeps, and some garbage. */
static void heap_of(made_profile *m, fl_slice program, int minute, double made, double live)
{
    made_begin(m, FL_PROFILE_HEAP, START + minute * MINUTE);
    m->mapping.file = program;
    made_heap(m, PUT_STACK, 144, made, live);
    made_heap(m, SERVE_STACK, 32, made / 2, 0);
}

static void add_of(run *r, const char *program, int minute, double made, double live)
{
    made_profile m;
    heap_of(&m, fl_slice_of(program), minute, made, live);
    add(r, &m);
}

static bool warns(const fl_leak_report *report, const char *text)
{
    for (size_t i = 0; i < report->warning_count; i++) {
        if (strstr(report->warnings[i], text) != NULL)
            return true;
    }
    return false;
}

START_TEST(a_few_profiles_of_another_program_are_left_out)
{
    run r = begin(&plain);
    for (int i = 0; i < 9; i++)
        add_of(&r, "/srv/shop", i, 40 * MB * (i + 1), 9 * MB);
    for (int i = 0; i < 4; i++) /* growing together with them, if they were taken for one */
        add_of(&r, "/usr/bin/billing", 10 + i, 900 * MB, 200 * MB * (i + 1));
    const fl_leak_report *report = judge(&r);
    ck_assert_int_ne(report->verdict, FL_LEAK_LEAK);
    ck_assert_uint_eq(report->used_count, 9);
    ck_assert_uint_eq(report->warning_count, 1);
    ck_assert_str_eq(
        report->warnings[0],
        "4 of 13 profiles are of another program ('billing') and were left out: growth "
        "between two programs means nothing");
    end(&r);
}
END_TEST

START_TEST(half_of_one_and_half_of_another_program_are_refused)
{
    run r = begin(&plain);
    fl_error err = {0};
    for (int i = 0; i < 5; i++) {
        add_of(&r, "/srv/shop (deleted)", i, 40 * MB * (i + 1), 9 * MB);
        add_of(&r, "/srv/billing", i, 40 * MB * (i + 1), 9 * MB * i);
    }
    ck_assert_fails(FL_E_SYNTAX, fl_leak_judge(&r.report, r.leak, &r.arena, &err));
    ck_assert_str_eq(err.message, "profiles of two programs: 5 are of 'shop' and 5 of 'billing'; "
                                  "give those of one");
    end(&r);
}
END_TEST

/* Other runtimes name no program and count other things. */
START_TEST(another_runtimes_heap_is_another_program)
{
    run r = begin(&plain);
    for (int i = 0; i < 8; i++)
        add_of(&r, "/srv/shop", i, 40 * MB * (i + 1), 9 * MB * (i + 1));
    made_profile m;
    heap_of(&m, FL_SLICE(""), 9, 40 * MB, 1 * MB);
    m.types[0].name = m.types[1].name = FL_SLICE("other");
    m.types[2].name = FL_SLICE("objects");
    m.types[3].name = FL_SLICE("space");
    add(&r, &m);
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_LEAK);
    ck_assert(warns(&r.report, "another program ('a runtime that is not Go's')"));
    end(&r);
}
END_TEST

START_TEST(of_two_sampling_rates_the_one_with_most_profiles_counts)
{
    run r = begin(&plain);
    for (int i = 0; i < 11; i++) {
        made_profile m;
        bool is_odd = i >= 8;
        heap_of(&m, FL_SLICE("/srv/shop"), i, 40 * MB * (i + 1), is_odd ? 90 * MB * i : 9 * MB);
        m.profile.period = is_odd ? 1 : MADE_RATE;
        add(&r, &m);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_ne(report->verdict, FL_LEAK_LEAK);
    ck_assert_uint_eq(report->used_count, 8);
    ck_assert_str_eq(report->warnings[0],
                     "3 of 11 heap profiles were taken at another sampling rate than one sample in "
                     "524288 bytes, and were left out");
    end(&r);
}
END_TEST

/* After the restart the heap is small again: the fall hides the leak, or the rise is a warm-up. */
START_TEST(a_restart_in_the_middle_is_said_and_the_longer_life_judged)
{
    run r = begin(&plain);
    for (int i = 0; i < 12; i++) {
        int age = i < 4 ? i : i - 4;
        double before = i < 4 ? 900 * MB : 0;
        add_of(&r, "/srv/shop", i, before + 9 * MB * (age + 1), before / 4 + 8 * MB * (age + 1));
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
    ck_assert_uint_eq(report->used_count, 8);
    ck_assert_int_eq(report->from_ns, START + 4 * MINUTE);
    ck_assert(warns(report, "the counters of allocation fall 1 times in the course of time"));
    ck_assert(warns(report, "the longest run of 8 heap profiles of 12 is judged"));
    end(&r);
}
END_TEST

/* The last four were taken after the clock went back by an hour: sorted by time they come first. */
START_TEST(a_clock_that_was_set_back_makes_no_leak_a_fall)
{
    run r = begin(&plain);
    for (int i = 0; i < 12; i++) {
        int minute = i < 8 ? i : i - 60;
        add_of(&r, "/srv/shop", minute, 10 * MB * (i + 1), 9 * MB * (i + 1));
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
    ck_assert_uint_eq(report->used_count, 8);
    ck_assert(warns(report, "its clock was set back"));
    ck_assert_double_eq_tol(report->findings[0].growth_bytes_per_hour.value, 540 * MB, MB);
    end(&r);
}
END_TEST

START_TEST(several_instances_in_turn_are_never_a_leak)
{
    run r = begin(&plain);
    for (int i = 0; i < 12; i++) {
        double level = (i % 2 == 0 ? 20 : 90) * MB;
        add_of(&r, "/srv/shop", i, (i % 2 == 0 ? 4e3 : 1e3) * MB + MB * i, level + 2 * MB * i);
    }
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert(warns(report, "several instances"));
    end(&r);
}
END_TEST

/* A text form rounds: that is no restart. */
START_TEST(counters_that_fall_by_a_rounding_error_are_one_life)
{
    run r = begin(&plain);
    for (int i = 0; i < 8; i++)
        add_of(&r, "/srv/shop", i, 400 * MB - 1e5 * (i % 2), 9 * MB * (i + 1));
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_LEAK);
    ck_assert_uint_eq(r.report.warning_count, 0);
    end(&r);
}
END_TEST

START_TEST(a_leak_profile_alone_is_a_leak)
{
    run r = begin(&plain);
    made_profile m;
    made_begin(&m, FL_PROFILE_GOROUTINE_LEAK, START);
    made_sample(&m, "runtime.gopark:462;runtime.chanrecv1:509;main.wait:12", 0, (double[]){40});
    add(&r, &m);
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
    ck_assert_uint_eq(report->finding_count, 1);
    ck_assert_str_eq(report->findings[0].function, "main.wait");
    ck_assert(report->confidence > 0.9);
    /* Beside the profile of all goroutines it is the same finding, and no second one. */
    for (int i = 0; i < 6; i++)
        add_goroutines(&r, i, "runtime.gopark:462;runtime.chanrecv1:509;main.wait:12", 40 + i);
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_LEAK);
    ck_assert_uint_eq(r.report.finding_count, 1);
    end(&r);
}
END_TEST

/* goroutineleak?debug=2 marks each that nothing can wake in its state. */
START_TEST(a_text_that_marks_leaked_goroutines_is_a_leak)
{
    const fl_goframe wait = {
        .function = BYTES("main.wait"), .file = BYTES("/srv/app/main.go"), .line = 12};
    const fl_goframe work = {
        .function = BYTES("main.work"), .file = BYTES("/srv/app/main.go"), .line = 20};
    const fl_goframe *waits[] = {&wait}, *works[] = {&work};
    const fl_gogroup groups[] = {{.count = 40, .stack = waits, .stack_count = 1, .is_leaked = true},
                                 {.count = 9, .stack = works, .stack_count = 1}};
    const fl_goroutines text = {
        .form = FL_GOROUTINES_STACKS, .total = 49, .groups = groups, .group_count = 2};
    run r = begin(&plain);
    fl_error err = {0};
    ck_assert_ok(fl_leak_add_goroutines(r.leak, &text, 0, &err));
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_LEAK);
    ck_assert_uint_eq(r.report.finding_count, 1);
    ck_assert_str_eq(r.report.findings[0].function, "main.wait");
    end(&r);
}
END_TEST

START_TEST(profiles_without_a_time_are_said_to_be_no_points)
{
    run r = begin(&plain);
    made_profile m;
    heap_of(&m, FL_SLICE("/srv/shop"), 0, 40 * MB, 9 * MB);
    m.profile.time_ns = 0;
    add(&r, &m);
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_NOT_ENOUGH_DATA);
    ck_assert(warns(&r.report, "1 profiles do not say when they were taken"));
    end(&r);
}
END_TEST

static Suite *leak_scope_suite(void)
{
    Suite *suite = suite_create("correlate/leak_scope");
    TCase *cases = tcase_create("leak_scope");
    tcase_add_test(cases, a_few_profiles_of_another_program_are_left_out);
    tcase_add_test(cases, half_of_one_and_half_of_another_program_are_refused);
    tcase_add_test(cases, another_runtimes_heap_is_another_program);
    tcase_add_test(cases, of_two_sampling_rates_the_one_with_most_profiles_counts);
    tcase_add_test(cases, a_restart_in_the_middle_is_said_and_the_longer_life_judged);
    tcase_add_test(cases, a_clock_that_was_set_back_makes_no_leak_a_fall);
    tcase_add_test(cases, several_instances_in_turn_are_never_a_leak);
    tcase_add_test(cases, counters_that_fall_by_a_rounding_error_are_one_life);
    tcase_add_test(cases, a_leak_profile_alone_is_a_leak);
    tcase_add_test(cases, a_text_that_marks_leaked_goroutines_is_a_leak);
    tcase_add_test(cases, profiles_without_a_time_are_said_to_be_no_points);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(leak_scope_suite)
