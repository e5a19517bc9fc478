#include "leak_case.h"

#include <math.h>
#include <string.h>

#include "mem.h"

static const fl_leak_options plain;

#define COPY_LEAK "main.copyOf:9;main.(*history).record:14;main.main:7"
#define COPY_RING "main.copyOf:9;main.(*recent).push:21;main.main:8"

/* A helper at that minute: what each of two callers made and keeps. */
static void add_two(run *r, int minute, const char *one, double one_live, const char *two,
                    double two_live)
{
    made_profile m;
    double made = 30 * MB * (minute + 1);
    made_begin(&m, FL_PROFILE_HEAP, START + minute * MINUTE);
    made_heap(&m, one, 1024, fmax(made, one_live), one_live);
    made_heap(&m, two, 1024, made + MB, two_live);
    add(r, &m);
}

static const char *evidence_with(const fl_leak_finding *f, const char *text)
{
    for (size_t i = 0; i < f->evidence_count; i++) {
        if (strstr(f->evidence[i].text, text) != NULL)
            return f->evidence[i].text;
    }
    return NULL;
}

START_TEST(of_two_callers_of_a_helper_the_one_that_grows_is_named)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++)
        add_two(&r, i, COPY_LEAK, 8 * MB * (i + 1), COPY_RING, 90 * MB);
    const fl_leak_finding *f = &judge(&r)->findings[0];
    ck_assert_int_eq(r.report.verdict, FL_LEAK_LEAK);
    ck_assert_uint_eq(r.report.finding_count, 1);
    ck_assert_str_eq(f->function, "main.copyOf");
    ck_assert_str_eq(f->caller, "main.(*history).record");
    ck_assert_uint_eq(f->caller_line, 14);
    ck_assert_str_eq(f->holder, "history");
    ck_assert_str_eq(evidence_with(f, "called by"),
                     "called by main.(*history).record it grows by 480.0 MB an hour; by 1 other it "
                     "does not");
    end(&r);
}
END_TEST

START_TEST(a_caller_without_a_type_is_what_keeps_it)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++)
        add_two(&r, i, "main.copyOf:9;main.record:14", 8 * MB * (i + 1),
                "main.copyOf:9;main.push:3", 9 * MB);
    ck_assert_str_eq(judge(&r)->findings[0].holder, "main.record");
    end(&r);
}
END_TEST

START_TEST(where_both_callers_grow_none_is_named)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++)
        add_two(&r, i, COPY_LEAK, 8 * MB * (i + 1), COPY_RING, 6 * MB * (i + 1));
    ck_assert_int_eq(judge(&r)->verdict, FL_LEAK_LEAK);
    ck_assert_ptr_null(r.report.findings[0].caller);
    end(&r);
}
END_TEST

/* What one caller lets go of again and again hides what the other keeps. */
START_TEST(a_leak_under_another_callers_sawtooth_is_found)
{
    run r = begin(&plain);
    for (int i = 0; i < 12; i++)
        add_two(&r, i, COPY_LEAK, 8 * MB * (i + 1), COPY_RING, 200 * MB * (i % 3));
    const fl_leak_report *report = judge(&r);
    ck_assert_int_eq(report->verdict, FL_LEAK_LEAK);
    ck_assert_str_eq(report->findings[0].function, "main.copyOf");
    ck_assert_str_eq(report->findings[0].caller, "main.(*history).record");
    ck_assert_double_eq_tol(report->findings[0].growth_bytes_per_hour.value, 480 * MB, MB);
    end(&r);
}
END_TEST

START_TEST(paths_part_further_out_than_the_first_caller)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++)
        add_two(&r, i, "main.put:9;main.set:4;main.set:4;main.leaky:1;main.main:7",
                8 * MB * (i + 1), "main.put:9;main.set:4;main.sound:1;main.main:7", 90 * MB);
    const fl_leak_finding *f = &judge(&r)->findings[0];
    ck_assert_str_eq(f->function, "main.put");
    ck_assert_str_eq(f->caller, "main.leaky");
    end(&r);
}
END_TEST

START_TEST(two_lines_of_one_function_are_one_path)
{
    run r = begin(&plain);
    for (int i = 0; i < 10; i++)
        add_two(&r, i, "main.put:9;main.main:7", 8 * MB * (i + 1), "main.put:12;main.main:7",
                9 * MB);
    ck_assert_ptr_null(judge(&r)->findings[0].caller);
    end(&r);
}
END_TEST

START_TEST(each_allocation_of_paths_may_fail)
{
    for (long n = 0;; n++) {
        run r = begin(&plain);
        fl_error err = {0};
        for (int i = 0; i < 6; i++)
            add_two(&r, i, COPY_LEAK, 8 * MB * (i + 1), COPY_RING, 9 * MB);
        fl_mem_fail_after(n);
        fl_status status = fl_leak_judge(&r.report, r.leak, &r.arena, &err);
        fl_mem_fail_after(-1);
        end(&r);
        if (status == FL_OK)
            return;
        ck_assert_msg(status == FL_E_NOMEM, "%ld: %s", n, err.message);
        ck_assert_int_lt(n, 2000);
    }
}
END_TEST

static Suite *leak_paths_suite(void)
{
    Suite *suite = suite_create("correlate/leak_paths");
    TCase *cases = tcase_create("leak_paths");
    tcase_add_test(cases, of_two_callers_of_a_helper_the_one_that_grows_is_named);
    tcase_add_test(cases, a_caller_without_a_type_is_what_keeps_it);
    tcase_add_test(cases, where_both_callers_grow_none_is_named);
    tcase_add_test(cases, a_leak_under_another_callers_sawtooth_is_found);
    tcase_add_test(cases, paths_part_further_out_than_the_first_caller);
    tcase_add_test(cases, two_lines_of_one_function_are_one_path);
    tcase_add_test(cases, each_allocation_of_paths_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(leak_paths_suite)
