#include "drill_case.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

#include "fl_test.h"

static fl_error err;
static fl_arena arena;
static char root[64];

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(1 << 20);
    snprintf(root, sizeof(root), "/tmp/fl_cases_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void teardown(void)
{
    char command[128];
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

static void make_folder(const char *way)
{
    char command[256];
    snprintf(command, sizeof(command), "mkdir -p '%s/%s'", root, way);
    ck_assert_int_eq(system(command), 0);
}

static void make_case(const char *way, const char *truth)
{
    char path[256];
    make_folder(way);
    snprintf(path, sizeof(path), "%s/%s/truth.json", root, way);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fputs(truth, file);
    fclose(file);
}

static const char good[] =
    "{\"incident_time\": \"2023-01-29T09:25:39Z\", \"baseline\": \"calm\","
    " \"symptom\": {\"node\": \"front\", \"metric\": \"latency\"},"
    " \"root_cause\": {\"service\": \"pay\", \"code_region\": [\"X#1\", \"X#2\"]}}";

START_TEST(cases_are_found_at_any_depth_and_in_order)
{
    fl_drill_cases cases;
    make_case("shop/low/two", good);
    make_case("shop/low/one", good);
    make_case("train/b", good);
    make_case("train/a", good);
    make_folder("train/baseline");
    make_folder("train/.hidden");
    make_case("too/deep/to/be/found", good);
    ck_assert_ok(fl_drill_find(&cases, &arena, root, &err));
    ck_assert_uint_eq(cases.count, 4);
    ck_assert_str_eq(cases.items[0].name, "shop/low/one");
    ck_assert_str_eq(cases.items[0].system, "shop");
    ck_assert_str_eq(cases.items[1].name, "shop/low/two");
    ck_assert_str_eq(cases.items[2].name, "train/a");
    ck_assert_str_eq(cases.items[3].system, "train");
}
END_TEST

START_TEST(cases_right_below_belong_to_the_folder_they_are_in)
{
    fl_drill_cases cases;
    make_case("a", good);
    make_case("b", good);
    ck_assert_ok(fl_drill_find(&cases, &arena, root, &err));
    ck_assert_uint_eq(cases.count, 2);
    ck_assert_str_eq(cases.items[0].system, strrchr(root, '/') + 1);
    ck_assert_str_eq(cases.items[1].system, strrchr(root, '/') + 1);
}
END_TEST

START_TEST(one_folder_on_the_way_is_not_a_system_of_its_own)
{
    fl_drill_cases cases;
    make_case("low_traffic/a", good);
    make_case("low_traffic/b", good);
    ck_assert_ok(fl_drill_find(&cases, &arena, root, &err));
    ck_assert_str_eq(cases.items[0].system, strrchr(root, '/') + 1);
}
END_TEST

START_TEST(a_folder_may_itself_be_the_case)
{
    fl_drill_cases cases;
    char slashed[80];
    make_case("", good);
    snprintf(slashed, sizeof(slashed), "%s/", root);
    ck_assert_ok(fl_drill_find(&cases, &arena, slashed, &err));
    ck_assert_uint_eq(cases.count, 1);
    ck_assert_str_eq(cases.items[0].name, strrchr(root, '/') + 1);
}
END_TEST

START_TEST(a_folder_without_cases_or_that_is_missing_is_explained)
{
    fl_drill_cases cases;
    char expected[192];
    ck_assert_fails(FL_E_NOTFOUND, fl_drill_find(&cases, &arena, root, &err));
    snprintf(expected, sizeof(expected), "no folder with a truth.json at most 4 levels below %s",
             root);
    ck_assert_str_eq(err.message, expected);
    err = (fl_error){0};
    ck_assert_fails(FL_E_IO, fl_drill_find(&cases, &arena, "/nowhere", &err));
    ck_assert_str_eq(err.message, "cannot read the folder /nowhere: No such file or directory");
}
END_TEST

START_TEST(a_folder_that_contains_itself_ends)
{
    char link[80];
    fl_drill_cases cases;
    make_case("a", good);
    snprintf(link, sizeof(link), "%s/loop", root);
    ck_assert_int_eq(symlink(root, link), 0);
    ck_assert_ok(fl_drill_find(&cases, &arena, root, &err));
    ck_assert_uint_ge(cases.count, 1);
}
END_TEST

static fl_drill_case only_case(void)
{
    fl_drill_cases cases;
    ck_assert_ok(fl_drill_find(&cases, &arena, root, &err));
    ck_assert_uint_eq(cases.count, 1);
    return cases.items[0];
}

START_TEST(the_question_holds_time_baseline_topology_and_symptom)
{
    fl_drill_question question;
    char path[128];
    make_case("a", good);
    make_folder("calm");
    snprintf(path, sizeof(path), "%s/calm/service_graph.json", root);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fclose(file);
    fl_drill_case which = only_case();
    ck_assert_ok(fl_drill_read_question(&question, &arena, &which, &err));
    ck_assert_int_eq(question.at_ns, INT64_C(1674984339000000000));
    ck_assert_str_eq(question.service, "front");
    ck_assert_ptr_nonnull(strstr(question.baseline, "/calm"));
    ck_assert_ptr_nonnull(strstr(question.topology, "/calm/service_graph.json"));
    ck_assert_ptr_null(question.pprof);
    make_folder("a/profiles");
    ck_assert_ok(fl_drill_read_question(&question, &arena, &which, &err));
    ck_assert_ptr_nonnull(strstr(question.pprof, "/a/profiles"));
}
END_TEST

static void make_file(const char *way)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", root, way);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fclose(file);
}

static const char *ends_of(const char *text)
{
    const char *at = strstr(text, "/a/");
    return at != NULL ? at : text;
}

START_TEST(dumps_of_a_service_are_one_question_and_traces_one_each)
{
    fl_drill_question question;
    make_case("a", good);
    make_folder("calm");
    fl_drill_case which = only_case();
    ck_assert_ok(fl_drill_read_question(&question, &arena, &which, &err));
    ck_assert_uint_eq(question.heap_count + question.trace_count, 0);
    static const char *const folders[] = {"a/heaps", "a/heaps/pay", "a/heaps/empty", "a/traces",
                                          "a/traces/cart"};
    static const char *const files[] = {"a/heaps/pay/2.hprof", "a/heaps/pay/1.hprof",
                                        "a/heaps/pay/.part",   "a/heaps/README",
                                        "a/traces/cart/b,c",   "a/traces/cart/a"};
    for (size_t i = 0; i < 5; i++)
        make_folder(folders[i]);
    for (size_t i = 0; i < 6; i++)
        make_file(files[i]);
    ck_assert_ok(fl_drill_read_question(&question, &arena, &which, &err));
    ck_assert_uint_eq(question.heap_count, 1);
    ck_assert(strncmp(question.heaps[0], "pay=/", 5) == 0);
    ck_assert_ptr_nonnull(strstr(question.heaps[0], "/a/heaps/pay/1.hprof,/"));
    ck_assert_ptr_nonnull(strstr(question.heaps[0], "/a/heaps/pay/2.hprof"));
    ck_assert_uint_eq(question.trace_count, 2);
    ck_assert(strncmp(question.traces[0], "cart=/", 6) == 0);
    ck_assert_str_eq(ends_of(question.traces[0]), "/a/traces/cart/a");
    ck_assert_str_eq(ends_of(question.traces[1]), "/a/traces/cart/b,c");
}
END_TEST

START_TEST(a_name_that_would_be_taken_apart_is_refused)
{
    fl_drill_question question;
    make_case("a", good);
    make_folder("calm");
    make_folder("a/heaps");
    make_folder(_i ? "a/heaps/p=y" : "a/heaps/pay");
    make_file(_i ? "a/heaps/p=y/1" : "a/heaps/pay/1,2");
    fl_drill_case which = only_case();
    ck_assert_fails(FL_E_SYNTAX, fl_drill_read_question(&question, &arena, &which, &err));
    ck_assert_ptr_nonnull(strstr(err.message, ": a dump's path has no comma, and its service no"));
}
END_TEST

START_TEST(more_dumps_than_are_read_are_refused)
{
    char way[64];
    fl_drill_question question;
    make_case("a", good);
    make_folder("calm");
    make_folder("a/traces");
    make_folder("a/traces/pay");
    for (int i = 0; i <= FL_DRILL_MAX_DUMPS; i++) {
        snprintf(way, sizeof(way), "a/traces/pay/%d", i);
        make_file(way);
    }
    fl_drill_case which = only_case();
    ck_assert_fails(FL_E_LIMIT, fl_drill_read_question(&question, &arena, &which, &err));
    ck_assert(strncmp(err.message, "more than 64 entries in /", 25) == 0);
}
END_TEST

START_TEST(the_answer_holds_the_cause)
{
    fl_drill_answer answer;
    make_case("a", good);
    fl_drill_case which = only_case();
    ck_assert_ok(fl_drill_read_answer(&answer, &arena, &which, &err));
    ck_assert_str_eq(answer.service, "pay");
    ck_assert_int_eq(answer.resource, FL_RESOURCE_NONE);
    ck_assert_str_eq(answer.region[0], "X#1");
    ck_assert_str_eq(answer.region[1], "X#2");
}
END_TEST

START_TEST(a_case_may_have_several_causes)
{
    fl_drill_answer answer;
    make_case("a", "{\"root_cause\": {\"service\": \"pay\"}, \"further_causes\": "
                   "[{\"service\": \"mail\", \"resource\": \"cpu\"}, {\"service\": \"cart\"}]}");
    fl_drill_case which = only_case();
    ck_assert_ok(fl_drill_read_answer(&answer, &arena, &which, &err));
    ck_assert_str_eq(answer.service, "pay");
    ck_assert_uint_eq(answer.also_count, 2);
    ck_assert_str_eq(answer.also[0], "mail");
    ck_assert_str_eq(answer.also[1], "cart");
}
END_TEST

START_TEST(a_case_may_have_none)
{
    fl_drill_answer answer;
    make_case("a", "{\"root_cause\": null}");
    fl_drill_case which = only_case();
    ck_assert_ok(fl_drill_read_answer(&answer, &arena, &which, &err));
    ck_assert_ptr_null(answer.service);
    ck_assert_uint_eq(answer.also_count, 0);
}
END_TEST

START_TEST(a_case_without_baseline_and_symptom_is_a_question_too)
{
    fl_drill_question question;
    make_case("a", "{\"incident_time\": \"2023-01-29T09:25:39Z\"}");
    fl_drill_case which = only_case();
    ck_assert_ok(fl_drill_read_question(&question, &arena, &which, &err));
    ck_assert_ptr_null(question.baseline);
    ck_assert_ptr_null(question.topology);
    ck_assert_ptr_null(question.service);
}
END_TEST

/* What is wrong with truth.json; `asked` where it is the question that fails. */
static const struct {
    const char *truth, *message;
    bool asked;
} bad[] = {
    {"", "'[' or '{' expected near end of file", true},
    {"[1]", "not an object", true},
    {"{}", "'incident_time' is not a time", true},
    {"{\"incident_time\": 7}", "'incident_time' is not a time", true},
    {"{\"incident_time\": \"2023-01-29T09:25:39Z\", \"baseline\": \"gone\"}",
     "'baseline' is not a folder beside the case", true},
    {"{}", "'root_cause' names no service", false},
    {"{\"root_cause\": {\"service\": \"a\", \"resource\": \"luck\"}}",
     "'resource' is not a known word", false},
    {"{\"root_cause\": {\"service\": \"a\", \"code_region\": [\"X\"]}}",
     "'code_region' is not a pair of texts", false},
    {"{\"root_cause\": {\"service\": \"a\", \"code_region\": [\"X\", 2]}}",
     "'code_region' is not a pair of texts", false},
    {"{\"root_cause\": {\"service\": \"a\"}, \"further_causes\": {\"service\": \"b\"}}",
     "'further_causes' is not a list of at most 4", false},
    {"{\"root_cause\": {\"service\": \"a\"}, \"further_causes\": [1, 2, 3, 4, 5]}",
     "'further_causes' is not a list of at most 4", false},
    {"{\"root_cause\": {\"service\": \"a\"}, \"further_causes\": [{\"resource\": \"cpu\"}]}",
     "a further cause names no service", false},
};

START_TEST(a_malformed_truth_is_explained)
{
    fl_drill_question question;
    fl_drill_answer answer;
    char expected[192];
    make_case("a", bad[_i].truth);
    fl_drill_case which = only_case();
    ck_assert_fails(FL_E_SYNTAX, bad[_i].asked
                                     ? fl_drill_read_question(&question, &arena, &which, &err)
                                     : fl_drill_read_answer(&answer, &arena, &which, &err));
    snprintf(expected, sizeof(expected), "%s/a/truth.json: %s", root, bad[_i].message);
    ck_assert_str_eq(err.message, expected);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    make_case("shop/a", good);
    make_case("train/b", good);
    make_folder("shop/calm");
    for (long failures = 0; status != FL_OK; failures++) {
        fl_drill_cases cases;
        fl_drill_question question;
        fl_arena own = fl_arena_of(1 << 20);
        fl_mem_fail_after(failures);
        status = fl_drill_find(&cases, &own, root, NULL);
        if (status == FL_OK)
            status = fl_drill_read_question(&question, &own, &cases.items[0], NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        fl_arena_dispose(&own);
    }
}
END_TEST

static Suite *drill_case_suite(void)
{
    Suite *suite = suite_create("cli/drill_case");
    TCase *cases = tcase_create("drill_case");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, cases_are_found_at_any_depth_and_in_order);
    tcase_add_test(cases, cases_right_below_belong_to_the_folder_they_are_in);
    tcase_add_test(cases, one_folder_on_the_way_is_not_a_system_of_its_own);
    tcase_add_test(cases, a_folder_may_itself_be_the_case);
    tcase_add_test(cases, a_folder_without_cases_or_that_is_missing_is_explained);
    tcase_add_test(cases, a_folder_that_contains_itself_ends);
    tcase_add_test(cases, the_question_holds_time_baseline_topology_and_symptom);
    tcase_add_test(cases, dumps_of_a_service_are_one_question_and_traces_one_each);
    tcase_add_loop_test(cases, a_name_that_would_be_taken_apart_is_refused, 0, 2);
    tcase_add_test(cases, more_dumps_than_are_read_are_refused);
    tcase_add_test(cases, the_answer_holds_the_cause);
    tcase_add_test(cases, a_case_may_have_several_causes);
    tcase_add_test(cases, a_case_may_have_none);
    tcase_add_test(cases, a_case_without_baseline_and_symptom_is_a_question_too);
    tcase_add_loop_test(cases, a_malformed_truth_is_explained, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(drill_case_suite)
