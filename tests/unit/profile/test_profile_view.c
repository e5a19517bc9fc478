#include <jansson.h>

#include "mem.h"
#include "pprof.h"
#include "profile_made.h"
#include "profile_measure.h"
#include "profile_text.h"
#include "profile_view.h"
#include "slice.h"

static fl_profile *profile;
static fl_buf text;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    text = fl_buf_of(16 << 20);
    ck_assert_ok(fl_profile_create(&profile, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_profile_destroy(profile);
    fl_buf_dispose(&text);
}

/* --- quantities: what go tool pprof prints for the same --- */

START_TEST(quantities_have_the_unit_that_suits_them)
{
    static const struct {
        const char *unit;
        int64_t value;
        const char *text;
    } rows[] = {
        {"bytes", 0, "0"},
        {"bytes", 512, "512B"},
        {"bytes", 524288, "512kB"},
        {"bytes", -524800, "-512.50kB"},
        {"bytes", INT64_C(1) << 40, "1TB"},
        {"bytes", INT64_MAX, "8192PB"},
        {"Byte", 2048, "2kB"},
        {"kilobytes", 2048, "2MB"},
        {"nanoseconds", 1500000, "1.50ms"},
        {"nanoseconds", 999, "999ns"},
        {"microseconds", 1500000, "1.50s"},
        {"seconds", 7200, "2hrs"},
        {"count", 1234567, "1234567"},
        {"parrots", 12, "12"},
        {"", -3, "-3"},
        {"a unit with a very long name", 1, "1"},
    };
    char out[FL_MEASURE_TEXT];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fl_measure unit = fl_measure_of(SLICE(rows[i].unit), rows[i].value);
        ck_assert_str_eq(fl_measure_format(out, rows[i].value, unit), rows[i].text);
    }
}
END_TEST

START_TEST(a_table_has_one_unit)
{
    ck_assert_str_eq(fl_measure_for(SLICE("bytes"), 1024, 4096).name, "kB");
    ck_assert_str_eq(fl_measure_for(SLICE("bytes"), 1 << 19, 1 << 30).name, "MB");
    ck_assert_str_eq(fl_measure_for(SLICE("bytes"), 1 << 19, 1 << 21).name, "kB");
    ck_assert_str_eq(fl_measure_for(SLICE("bytes"), 0, 1 << 30).name, "GB");
    ck_assert_str_eq(fl_measure_for(SLICE("count"), 1, 1 << 30).name, "");
}
END_TEST

START_TEST(percentages_have_two_digits_at_least)
{
    static const struct {
        int64_t value, total;
        const char *text;
    } rows[] = {
        {1, 3, "33.33%"},    {-1, 3, "33.33%"},        {9995, 10000, "  100%"},
        {1, 1000, "  0.1%"}, {456, 1000000, "0.046%"}, {0, 5, "    0%"},
        {5, 0, "    0%"},    {3, 1, "300.00%"},        {12, 1000000000, "1.2e-06%"},
    };
    char out[FL_PERCENTAGE_TEXT];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_str_eq(fl_percentage_format(out, rows[i].value, rows[i].total), rows[i].text);
    fl_percentage_format(out, INT64_MIN, 1);
}
END_TEST

/* --- names --- */

START_TEST(hostile_names_do_no_harm)
{
    static const struct {
        const char *name, *terminal, *json, *xml;
    } rows[] = {
        {"main.f[...]", "main.f[...]", "\"main.f[...]\"", "main.f[...]"},
        {"a\x1b[31m\n", "a?[31m?", "\"a\\u001b[31m\\u000a\"", "a\xef\xbf\xbd[31m\xef\xbf\xbd"},
        {"<b>&\"'\\", "<b>&\"'\\", "\"<b>&\\\"'\\\\\"", "&lt;b&gt;&amp;&quot;&#39;\\"},
        {"\xc3\xa9\xff", "\xc3\xa9?", "\"\xc3\xa9\\ufffd\"", "\xc3\xa9\xef\xbf\xbd"},
        {"\xe2\x80\xaex", "?x", "\"\xe2\x80\xaex\"", "\xef\xbf\xbdx"},
        {"\xc2\x9b", "?", "\"\xc2\x9b\"", "\xef\xbf\xbd"},
        {"\xf0\x9f\x92\xa9", "\xf0\x9f\x92\xa9", "\"\xf0\x9f\x92\xa9\"", "\xf0\x9f\x92\xa9"},
        {"\xe2\x82", "??", "\"\\ufffd\\ufffd\"", "\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fl_buf_clear(&text);
        fl_profile_text_terminal(&text, SLICE(rows[i].name));
        ck_assert_str_eq(text.ptr, rows[i].terminal);
        fl_buf_clear(&text);
        fl_profile_text_json(&text, SLICE(rows[i].name));
        ck_assert_str_eq(text.ptr, rows[i].json);
        fl_buf_clear(&text);
        fl_profile_text_xml(&text, SLICE(rows[i].name));
        ck_assert_str_eq(text.ptr, rows[i].xml);
    }
}
END_TEST

/* --- views of the made profile --- */

static void read_made(void)
{
    made message = made_profile();
    ck_assert_ok(fl_profile_read_bytes(profile, made_slice(&message), "in", NULL, &err));
}

static fl_callgraph *graph_of(bool with_edges)
{
    fl_call_source source = {.profile = profile, .name = "in"};
    fl_call_query query = {.with_edges = with_edges};
    fl_callgraph *graph = NULL;
    ck_assert_ok(fl_callgraph_create(&graph, &source, 1, &query, &err));
    return graph;
}

static fl_call_tree *tree_of(bool with_base)
{
    fl_call_source sources[] = {{.profile = profile, .name = "in"},
                                {.profile = profile, .name = "in", .is_base = true}};
    fl_call_query query = {0};
    fl_call_tree *tree = NULL;
    ck_assert_ok(fl_call_tree_create(&tree, sources, with_base ? 2 : 1, &query, &err));
    return tree;
}

START_TEST(top_is_the_table_that_people_know)
{
    read_made();
    fl_callgraph *graph = graph_of(false);
    fl_slice comments[] = {FL_SLICE("a comment"), FL_SLICE("#not this")};
    fl_profile_title title = {.file = FL_SLICE("app"),
                              .build_id = FL_SLICE("0badcafe"),
                              .doc_url = FL_SLICE("http://example.com/"),
                              .comments = comments,
                              .comment_count = 2,
                              .focus = "x",
                              .time_ns = INT64_C(1700000000999999999),
                              .duration_ns = INT64_C(5000000000)};
    fl_profile_view_top(&text, graph, &title);
    ck_assert_str_eq(text.ptr, "File: app\n"
                               "Build ID: 0badcafe\n"
                               "a comment\n"
                               "Type: inuse_space\n"
                               "Doc: http://example.com/\n"
                               "Time: 2023-11-14 22:13:20 UTC\n"
                               "Duration: 5s, Total samples = 4224B \n"
                               "Active filters:\n"
                               "   focus=x\n"
                               "Showing nodes accounting for 4224B, 100% of 4224B total\n"
                               "      flat  flat%   sum%        cum   cum%\n"
                               "     4096B 96.97% 96.97%      4224B   100%  main.main\n"
                               "      128B  3.03%   100%       128B  3.03%  pkg.inner (inline)\n"
                               "         0     0%   100%       128B  3.03%  pkg.outer\n");
    fl_callgraph_destroy(graph);
}
END_TEST

static json_t *parsed(void)
{
    json_error_t at;
    json_t *root = json_loadb(text.ptr, text.len, 0, &at);
    ck_assert_msg(root != NULL, "%s in %s", at.text, text.ptr);
    return root;
}

START_TEST(json_has_the_figures_as_numbers)
{
    read_made();
    fl_callgraph *graph = graph_of(true);
    fl_profile_title title = {.time_ns = INT64_C(1700000000999999999)};
    fl_profile_view_tree_json(&text, graph, &title);
    json_t *root = parsed(), *rows = json_object_get(root, "rows");
    ck_assert_str_eq(json_string_value(json_object_get(root, "schema")), "faultline.profile/1");
    ck_assert_str_eq(json_string_value(json_object_get(root, "time")),
                     "2023-11-14T22:13:20.999999999Z");
    ck_assert(json_is_null(json_object_get(root, "file")));
    ck_assert_int_eq(json_integer_value(json_object_get(root, "total")), 4224);
    ck_assert_uint_eq(json_array_size(rows), 3);
    json_t *outer = json_array_get(rows, 2);
    json_t *caller = json_array_get(json_object_get(outer, "callers"), 0);
    json_t *callee = json_array_get(json_object_get(outer, "callees"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(caller, "function")), "main.main");
    ck_assert_str_eq(json_string_value(json_object_get(callee, "function")), "pkg.inner");
    ck_assert_int_eq(json_integer_value(json_object_get(callee, "value")), 128);
    ck_assert(json_is_true(json_object_get(callee, "inlined")));
    json_decref(root);
    fl_buf_clear(&text);
    fl_profile_view_top_json(&text, graph, &title);
    json_decref(parsed());
    fl_callgraph_destroy(graph);
}
END_TEST

START_TEST(folded_stacks_are_lines)
{
    read_made();
    fl_call_tree *tree = tree_of(false);
    ck_assert_ok(fl_profile_view_folded(&text, tree, false, &err));
    ck_assert_str_eq(text.ptr, "main.main 4096\nmain.main;pkg.outer;pkg.inner 128\n");
    fl_call_tree_destroy(tree);
    tree = tree_of(true);
    fl_buf_clear(&text);
    ck_assert_ok(fl_profile_view_folded(&text, tree, true, &err));
    ck_assert_str_eq(text.ptr, "main.main 4096 4096\nmain.main;pkg.outer;pkg.inner 128 128\n");
    fl_call_tree_destroy(tree);
}
END_TEST

START_TEST(stacks_nest_in_json)
{
    read_made();
    fl_call_tree *tree = tree_of(true);
    fl_profile_view_stacks_json(&text, tree, true);
    ck_assert_str_eq(
        text.ptr,
        "{\"schema\":\"faultline.profile/1\",\"view\":\"flame\",\"sample_type\":\"inuse_space\","
        "\"unit\":\"bytes\",\"root\":{\"name\":\"all\",\"value\":4224,\"base\":4224,\"children\":["
        "{\"name\":\"main.main\",\"value\":4224,\"base\":4224,\"children\":["
        "{\"name\":\"pkg.outer\",\"value\":128,\"base\":128,\"children\":["
        "{\"name\":\"pkg.inner\",\"value\":128,\"base\":128,\"children\":[]}]}]}]}}\n");
    json_decref(parsed());
    fl_call_tree_destroy(tree);
}
END_TEST

START_TEST(a_flame_graph_has_a_box_for_each_node)
{
    read_made();
    fl_call_tree *tree = tree_of(false);
    ck_assert_ok(fl_profile_view_flame(&text, tree, false, "a <title>", &err));
    ck_assert_ptr_nonnull(strstr(text.ptr, ">a &lt;title&gt;</text>"));
    ck_assert_ptr_nonnull(strstr(text.ptr, "<title>pkg.inner\n128B, 3.03%</title>"));
    ck_assert_ptr_nonnull(strstr(text.ptr, "<title>all\n4.12kB, 100%</title>"));
    size_t boxes = 0;
    for (const char *at = text.ptr; (at = strstr(at, "<g>")) != NULL; at++)
        boxes++;
    ck_assert_uint_eq(boxes, 4);
    ck_assert_ptr_null(strstr(text.ptr, "<script"));
    ck_assert_ptr_null(strstr(text.ptr, "href"));
    fl_call_tree_destroy(tree);
    tree = tree_of(true);
    fl_buf_clear(&text);
    ck_assert_ok(fl_profile_view_flame(&text, tree, true, "t", &err));
    ck_assert_ptr_nonnull(strstr(text.ptr, "; the base has 128B</title>"));
    fl_call_tree_destroy(tree);
}
END_TEST

START_TEST(a_picture_without_samples_is_a_picture)
{
    made message = {.len = 0};
    made_types(&message);
    made_strings(&message);
    ck_assert_ok(fl_profile_read_bytes(profile, made_slice(&message), "in", NULL, &err));
    fl_call_tree *tree = tree_of(false);
    ck_assert_ok(fl_profile_view_flame(&text, tree, false, "t", &err));
    ck_assert_ptr_nonnull(strstr(text.ptr, "</svg>"));
    fl_call_tree_destroy(tree);
    fl_callgraph *graph = graph_of(true);
    fl_profile_title title = {0};
    fl_buf_clear(&text);
    fl_profile_view_tree(&text, graph, &title);
    ck_assert_ptr_nonnull(strstr(text.ptr, "Showing nodes accounting for 0, 0% of 0 total\n"));
    fl_callgraph_destroy(graph);
}
END_TEST

START_TEST(views_survive_each_allocation_failing)
{
    read_made();
    fl_call_tree *tree = tree_of(false);
    for (long n = 0, done = 0; done == 0; n++) {
        fl_buf out = fl_buf_of(1 << 20);
        fl_mem_fail_after(n);
        fl_status flame = fl_profile_view_flame(&out, tree, false, "t", NULL);
        fl_status folded = fl_profile_view_folded(&out, tree, false, NULL);
        fl_mem_fail_after(-1);
        done = flame == FL_OK && folded == FL_OK && out.status == FL_OK;
        fl_buf_dispose(&out);
    }
    fl_call_tree_destroy(tree);
}
END_TEST

static Suite *profile_view_suite(void)
{
    Suite *suite = suite_create("profile/view");
    TCase *cases = tcase_create("view");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, quantities_have_the_unit_that_suits_them);
    tcase_add_test(cases, a_table_has_one_unit);
    tcase_add_test(cases, percentages_have_two_digits_at_least);
    tcase_add_test(cases, hostile_names_do_no_harm);
    tcase_add_test(cases, top_is_the_table_that_people_know);
    tcase_add_test(cases, json_has_the_figures_as_numbers);
    tcase_add_test(cases, folded_stacks_are_lines);
    tcase_add_test(cases, stacks_nest_in_json);
    tcase_add_test(cases, a_flame_graph_has_a_box_for_each_node);
    tcase_add_test(cases, a_picture_without_samples_is_a_picture);
    tcase_add_test(cases, views_survive_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(profile_view_suite)
