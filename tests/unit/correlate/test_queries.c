#include "queries.h"

#include "fl_test.h"

static fl_arena arena;

static void set_up(void)
{
    arena = fl_arena_of(1 << 20);
}

static void tear_down(void)
{
    fl_arena_dispose(&arena);
}

START_TEST(a_metric_is_asked_for_by_its_name)
{
    ck_assert_str_eq(fl_query_metric(&arena, "cpu_percent", "pay", NULL),
                     "cpu_percent{service_name=\"pay\"}");
    ck_assert_str_eq(fl_query_metric(&arena, "cpu_percent", "pay", "pay-1"),
                     "cpu_percent{service_name=\"pay\",instance=\"pay-1\"}");
    ck_assert_str_eq(fl_query_metric(&arena, "go.memory.used", "pay", NULL),
                     "{__name__=\"go.memory.used\",service_name=\"pay\"}");
    ck_assert_str_eq(fl_query_metric(&arena, "5xx", "pay", NULL),
                     "{__name__=\"5xx\",service_name=\"pay\"}");
}
END_TEST

START_TEST(a_line_is_asked_for_by_its_words)
{
    ck_assert_str_eq(fl_query_lines(&arena, "pay", "main.go:75"),
                     "{service_name=\"pay\"} |= `main.go:75`");
    ck_assert_str_eq(fl_query_lines(&arena, "pay", "took <*> ms (of [<*>])"),
                     "{service_name=\"pay\"} |~ `took .* ms \\(of \\[.*\\]\\)`");
    ck_assert_str_eq(fl_query_lines(&arena, "pay", "a `quoted` \"word\""),
                     "{service_name=\"pay\"} |= \"a `quoted` \\\"word\\\"\"");
    ck_assert_str_eq(fl_query_lines(&arena, "pay", "`<*>` C:\\x"),
                     "{service_name=\"pay\"} |~ \"`.*` C:\\\\\\\\x\"");
}
END_TEST

START_TEST(no_name_ends_a_string_of_the_query)
{
    ck_assert_str_eq(fl_query_spans(&arena, "pay\" || true", "name", "GET \\ \x01\n"),
                     "{ resource.service.name = \"pay\\\" || true\" && name = "
                     "\"GET \\\\ \\x01\\n\" }");
    ck_assert_str_eq(fl_query_calls(&arena, "a\"", "r\xc3\xb4le"),
                     "{ resource.service.name = \"a\\\"\" } > { resource.service.name = "
                     "\"r\xc3\xb4le\" }");
}
END_TEST

START_TEST(without_memory_there_is_no_query)
{
    fl_arena_dispose(&arena);
    arena = fl_arena_of(8);
    ck_assert_ptr_null(fl_query_metric(&arena, "cpu_percent", "pay", NULL));
    ck_assert_ptr_null(fl_query_lines(&arena, "pay", "took <*> ms"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("correlate/queries");
    TCase *tcase = tcase_create("queries");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_metric_is_asked_for_by_its_name);
    tcase_add_test(tcase, a_line_is_asked_for_by_its_words);
    tcase_add_test(tcase, no_name_ends_a_string_of_the_query);
    tcase_add_test(tcase, without_memory_there_is_no_query);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
