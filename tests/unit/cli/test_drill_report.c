#include "drill_report.h"

#include <jansson.h>

#include "mem.h"

#include "fl_test.h"

static fl_error err;
static fl_arena arena;
static fl_buf out;

static const fl_drill_case cases[] = {
    {.folder = "c/shop/a", .name = "shop/a", .system = "shop"},
    {.folder = "c/shop/b", .name = "shop/b", .system = "shop"},
    {.folder = "c/shop/c", .name = "shop/c", .system = "shop"},
    {.folder = "c/train/d", .name = "train/d", .system = "train"},
};

static const fl_drill_outcome outcomes[] = {
    {.which = &cases[0],
     .is_counted = true,
     .truth = {.service = "pay", .resource = FL_RESOURCE_CPU},
     .ranks = {.service = 1, .last = 1, .fine = 1},
     .time_ns = 100000000},
    {.which = &cases[1],
     .is_counted = true,
     .truth = {.service = "pay", .region = {"X#1", "X#2"}},
     .ranks = {.service = 1, .last = 1, .fine = 4},
     .time_ns = 300000000,
     .above = {{1, "pay", "cpu", "cpu", 0.75}, {2, NULL, "unknown", NULL, 0.001}},
     .above_count = 2,
     .above_left = 1},
    {.which = &cases[2], .failure = "c/shop/c/truth.json: not an object", .time_ns = 1},
    {.which = &cases[3],
     .is_counted = true,
     .truth = {.service = "seat"},
     .failure = "folder c/train/d holds nothing",
     .time_ns = 5000000},
};

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
    out = fl_buf_of(1 << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
    fl_buf_dispose(&out);
}

static fl_drill_result summed(void)
{
    fl_drill_result result;
    ck_assert_ok(fl_drill_sum(&result, &arena, outcomes, 4, &err));
    return result;
}

START_TEST(systems_are_summed_apart_and_uncounted_cases_left_out)
{
    fl_drill_result result = summed();
    ck_assert_uint_eq(result.system_count, 2);
    ck_assert_str_eq(result.systems[0].name, "shop");
    ck_assert_uint_eq(result.systems[0].tally.n, 2);
    ck_assert_uint_eq(result.systems[0].tally.hits[0], 2);
    ck_assert_uint_eq(result.systems[0].tally.fine_hits[0], 1);
    ck_assert_uint_eq(result.systems[0].tally.fine_hits[2], 2);
    ck_assert_int_eq(result.systems[0].median_ns, 200000000);
    ck_assert_int_eq(result.systems[0].worst_ns, 300000000);
    ck_assert_uint_eq(result.systems[1].tally.n, 1);
    ck_assert_uint_eq(result.systems[1].tally.hits[2], 0);
}
END_TEST

START_TEST(a_case_is_a_miss_by_service_or_by_finer_cause)
{
    ck_assert(!fl_drill_is_miss(&outcomes[0]));
    ck_assert(fl_drill_is_miss(&outcomes[1]));
    ck_assert(!fl_drill_is_miss(&outcomes[2]));
    ck_assert(fl_drill_is_miss(&outcomes[3]));
}
END_TEST

static const char table[] =
    "System    n   AC@1   AC@3   AC@5    n  AIS@1  AIS@3  AIS@5    median     worst\n"
    "shop      2  1.000  1.000  1.000    2  0.500  0.500  1.000   0.200 s   0.300 s\n"
    "train     1  0.000  0.000  0.000    0    n/a    n/a    n/a   0.005 s   0.005 s\n";

static const char misses[] = "\nNot first (2)\n"
                             "  shop/b\n"
                             "      true: pay, code between X#1 and X#2\n"
                             "      rank of the service: 1; of the cause: 4\n"
                             "        1  pay  cpu, cpu  75 %\n"
                             "        2  (service not named)  unknown  <1 %\n"
                             "           and 1 more\n"
                             "  train/d\n"
                             "      true: seat\n"
                             "      rank of the service: not in the ranking\n"
                             "      folder c/train/d holds nothing\n";

START_TEST(the_table_has_n_with_every_figure)
{
    fl_drill_result result = summed();
    ck_assert_ok(fl_drill_text(&out, &result, false, &(fl_report_style){0}, &err));
    ck_assert_str_eq(out.ptr, table);
}
END_TEST

START_TEST(a_verbose_table_explains_each_miss)
{
    fl_drill_result result = summed();
    ck_assert_ok(fl_drill_text(&out, &result, true, &(fl_report_style){0}, &err));
    ck_assert_int_eq(strncmp(out.ptr, table, strlen(table)), 0);
    ck_assert_str_eq(out.ptr + strlen(table), misses);
}
END_TEST

START_TEST(none_and_several_causes_are_said_in_words)
{
    const fl_drill_outcome two[] = {
        {.which = &cases[0], .is_counted = true, .truth = {0}},
        {.which = &cases[1],
         .is_counted = true,
         .truth = {.service = "pay", .also = {"mail", "cart"}, .also_count = 2}}};
    fl_drill_result result;
    ck_assert_ok(fl_drill_sum(&result, &arena, two, 2, &err));
    ck_assert_ok(fl_drill_text(&out, &result, true, &(fl_report_style){0}, &err));
    ck_assert_ptr_nonnull(strstr(out.ptr, "shop/a\n      true: nothing was wrong\n  shop/b\n"));
    ck_assert_ptr_nonnull(strstr(out.ptr, "      true: pay; mail; cart\n      rank of"));
    fl_buf_dispose(&out);
    out = fl_buf_of(1 << 20);
    ck_assert_ok(fl_drill_json(&out, &result, &err));
    json_t *document = json_loadb(out.ptr, out.len, 0, NULL);
    const json_t *missed = json_object_get(document, "misses");
    const json_t *none = json_object_get(json_array_get(missed, 0), "truth");
    const json_t *several = json_object_get(json_array_get(missed, 1), "truth");
    ck_assert(json_is_null(json_object_get(none, "service")));
    ck_assert_uint_eq(json_array_size(json_object_get(several, "also")), 2);
    json_decref(document);
}
END_TEST

START_TEST(the_json_report_says_the_same)
{
    fl_drill_result result = summed();
    ck_assert_ok(fl_drill_json(&out, &result, &err));
    json_t *document = json_loadb(out.ptr, out.len, 0, NULL);
    ck_assert_ptr_nonnull(document);
    const json_t *shop = json_array_get(json_object_get(document, "systems"), 0);
    ck_assert_double_eq(json_number_value(json_object_get(json_object_get(shop, "ais"), "1")), 0.5);
    ck_assert(json_is_null(
        json_object_get(json_array_get(json_object_get(document, "systems"), 1), "ais")));
    const json_t *missed = json_array_get(json_object_get(document, "misses"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(missed, "cause_rank")), 4);
    ck_assert_uint_eq(json_array_size(json_object_get(document, "misses")), 2);
    ck_assert_uint_eq(json_array_size(json_object_get(document, "not_counted")), 1);
    json_decref(document);
}
END_TEST

START_TEST(nothing_is_summed_to_nothing)
{
    fl_drill_result result;
    ck_assert_ok(fl_drill_sum(&result, &arena, NULL, 0, &err));
    ck_assert_uint_eq(result.system_count, 0);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    json_set_alloc_funcs(fl_mem_alloc, fl_mem_free);
    for (long failures = 0; status != FL_OK; failures++) {
        fl_drill_result result;
        fl_arena own = fl_arena_of(1 << 20);
        fl_buf text = fl_buf_of(1 << 20);
        fl_mem_fail_after(failures);
        status = fl_drill_sum(&result, &own, outcomes, 4, NULL);
        if (status == FL_OK)
            status = fl_drill_text(&text, &result, true, &(fl_report_style){0}, NULL);
        if (status == FL_OK)
            status = fl_drill_json(&text, &result, NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        fl_buf_dispose(&text);
        fl_arena_dispose(&own);
    }
}
END_TEST

static Suite *drill_report_suite(void)
{
    Suite *suite = suite_create("cli/drill_report");
    TCase *list = tcase_create("drill_report");
    tcase_add_checked_fixture(list, setup, teardown);
    tcase_add_test(list, systems_are_summed_apart_and_uncounted_cases_left_out);
    tcase_add_test(list, a_case_is_a_miss_by_service_or_by_finer_cause);
    tcase_add_test(list, the_table_has_n_with_every_figure);
    tcase_add_test(list, a_verbose_table_explains_each_miss);
    tcase_add_test(list, the_json_report_says_the_same);
    tcase_add_test(list, none_and_several_causes_are_said_in_words);
    tcase_add_test(list, nothing_is_summed_to_nothing);
    tcase_add_test(list, survives_each_allocation_failing);
    suite_add_tcase(suite, list);
    return suite;
}

FL_TEST_MAIN(drill_report_suite)
