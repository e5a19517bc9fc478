#include "callgraph.h"
#include "mem.h"
#include "profile_build.h"
#include "profile_made.h"
#include "slice.h"

static fl_profile *profiles[2];
static fl_buf text;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    text = fl_buf_of(1 << 20);
    for (int i = 0; i < 2; i++) {
        ck_assert_ok(fl_profile_create(&profiles[i], &err));
        fl_profile_begin(profiles[i]);
    }
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    for (int i = 0; i < 2; i++)
        fl_profile_destroy(profiles[i]);
    fl_buf_dispose(&text);
}

/* Functions by the letters of their names, each with one plain and one inlined frame. */
static void begin(fl_profile *p, const char *names)
{
    ck_assert_ok(fl_profile_add_type(p, SLICE("objects"), SLICE("count"), &err));
    ck_assert_ok(fl_profile_add_type(p, SLICE("space"), SLICE("bytes"), &err));
    for (const char *c = names; *c != '\0'; c++) {
        fl_profile_function function = {.name = {(const unsigned char *)c, 1},
                                        .file = SLICE("/src/f.go")};
        ck_assert_ok(fl_profile_add_function(p, &function, &err));
        for (int i = 0; i < 2; i++) {
            fl_profile_frame frame = {.function = (uint32_t)(c - names),
                                      .mapping = FL_PROFILE_NONE,
                                      .location = (uint32_t)p->frame_count,
                                      .inlined = i == 1};
            ck_assert_ok(fl_profile_add_frame(p, &frame, &err));
        }
    }
}

/* A stack from the outside in; a capital letter is an inlined call. */
static void add(fl_profile *p, const char *names, const char *stack, int64_t value)
{
    ck_assert_ok(fl_profile_sample_begin(p, &err));
    for (size_t k = strlen(stack); k > 0; k--) {
        char c = stack[k - 1];
        bool is_inlined = c >= 'A' && c <= 'Z';
        const char *at = strchr(names, is_inlined ? c - 'A' + 'a' : c);
        ck_assert_ptr_nonnull(at);
        ck_assert_ok(
            fl_profile_push_stack(p, (uint32_t)(2 * (at - names) + (is_inlined ? 1 : 0)), &err));
    }
    fl_profile_set_value(p, 0, value > 0);
    fl_profile_set_value(p, 1, value);
    fl_profile_sample_end(p);
}

static void finish(fl_profile *p)
{
    fl_profile_finish(p, SLICE("space"), FL_PROFILE_OTHER);
}

static fl_callgraph *graph_of(const fl_call_query *query, bool with_base)
{
    fl_call_source sources[] = {{.profile = profiles[0], .name = "new"},
                                {.profile = profiles[1], .name = "base", .is_base = true}};
    fl_callgraph *graph = NULL;
    ck_assert_ok(fl_callgraph_create(&graph, sources, with_base ? 2 : 1, query, &err));
    return graph;
}

/* "name flat cum inlining; callers > name > callees", a row a line. */
static const char *shown(const fl_callgraph *graph)
{
    fl_buf_clear(&text);
    for (size_t i = 0; i < graph->node_count; i++) {
        const fl_call_node *node = &graph->nodes[i];
        fl_buf_add(&text, node->name);
        fl_buf_printf(&text, " %" PRId64 " %" PRId64 " %d", node->flat, node->cum, node->inlining);
        for (uint32_t k = 0; k < node->in_count; k++) {
            const fl_call_edge *edge = &graph->in[node->in_at + k];
            ck_assert_uint_eq(edge->callee, i);
            fl_buf_printf(&text, " <%c:%" PRId64 "%s%s", *graph->nodes[edge->caller].name.ptr,
                          edge->weight, edge->is_inlined ? "i" : "", edge->is_residual ? "r" : "");
        }
        for (uint32_t k = 0; k < node->out_count; k++) {
            const fl_call_edge *edge = &graph->out[node->out_at + k];
            ck_assert_uint_eq(edge->caller, i);
            fl_buf_printf(&text, " >%c:%" PRId64, *graph->nodes[edge->callee].name.ptr,
                          edge->weight);
        }
        fl_buf_char(&text, '\n');
    }
    return text.ptr != NULL ? text.ptr : "";
}

static void make_usual(void)
{
    const char *names = "mabc";
    begin(profiles[0], names);
    add(profiles[0], names, "mab", 60);
    add(profiles[0], names, "mac", 30);
    add(profiles[0], names, "mBc", 7);
    add(profiles[0], names, "m", 3);
    finish(profiles[0]);
}

START_TEST(flat_is_the_innermost_and_cum_the_whole_stack)
{
    make_usual();
    fl_call_query query = {.with_edges = true};
    fl_callgraph *graph = graph_of(&query, false);
    ck_assert_int_eq(graph->total, 100);
    ck_assert_int_eq(graph->shown_flat, 100);
    ck_assert_str_eq(shown(graph), "b 60 67 1 <a:60 <m:7i >c:7\n"
                                   "c 37 37 0 <a:30 <b:7\n"
                                   "m 3 100 0 >a:90 >b:7\n"
                                   "a 0 90 0 <m:90 >b:60 >c:30\n");
    fl_callgraph_destroy(graph);
    query.by_cum = true;
    graph = graph_of(&query, false);
    ck_assert(fl_slice_equal(graph->nodes[0].name, SLICE("m")));
    fl_callgraph_destroy(graph);
}
END_TEST

START_TEST(recursion_counts_once)
{
    begin(profiles[0], "ab");
    add(profiles[0], "ab", "abaab", 10);
    finish(profiles[0]);
    fl_call_query query = {.with_edges = true};
    fl_callgraph *graph = graph_of(&query, false);
    ck_assert_str_eq(shown(graph), "b 10 10 0 <a:10 >a:10\na 0 10 0 <b:10 >b:10\n");
    fl_callgraph_destroy(graph);
}
END_TEST

START_TEST(what_is_trimmed_leaves_residual_calls)
{
    make_usual();
    fl_call_query query = {.with_edges = true, .node_fraction = 0.4};
    fl_callgraph *graph = graph_of(&query, false);
    ck_assert_uint_eq(graph->dropped_nodes, 1);
    fl_callgraph_destroy(graph);
    query = (fl_call_query){.with_edges = true, .node_count = 3};
    graph = graph_of(&query, false);
    ck_assert_uint_eq(graph->kept_nodes, 4);
    ck_assert_str_eq(shown(graph), "b 60 67 0 <m:67r >c:7\n"
                                   "c 37 37 0 <m:30r <b:7\n"
                                   "m 3 100 0 >b:67 >c:30\n");
    fl_callgraph_destroy(graph);
    query = (fl_call_query){.with_edges = true, .edge_fraction = 0.1};
    graph = graph_of(&query, false);
    ck_assert_uint_eq(graph->edge_count, 3);
    fl_callgraph_destroy(graph);
}
END_TEST

START_TEST(inlining_is_told_without_edges)
{
    make_usual();
    fl_call_query query = {0};
    fl_callgraph *graph = graph_of(&query, false);
    ck_assert_str_eq(shown(graph), "b 60 67 1\nc 37 37 0\nm 3 100 0\na 0 90 0\n");
    fl_callgraph_destroy(graph);
}
END_TEST

START_TEST(a_base_is_subtracted_and_is_the_total)
{
    make_usual();
    begin(profiles[1], "mabd");
    add(profiles[1], "mabd", "mab", 50);
    add(profiles[1], "mabd", "md", 30);
    finish(profiles[1]);
    fl_call_query query = {0};
    fl_callgraph *graph = graph_of(&query, true);
    ck_assert_int_eq(graph->total, 80);
    ck_assert_str_eq(shown(graph), "c 37 37 0\nd -30 -30 0\nb 10 17 1\nm 3 20 0\na 0 40 0\n");
    fl_callgraph_destroy(graph);
}
END_TEST

START_TEST(filters_keep_and_drop_whole_stacks)
{
    make_usual();
    fl_call_query query = {.focus = "^c$"};
    fl_callgraph *graph = graph_of(&query, false);
    ck_assert_int_eq(graph->total, 100);
    ck_assert(graph->focus_matched);
    ck_assert_str_eq(shown(graph), "c 37 37 0\na 0 30 0\nb 0 7 2\nm 0 37 0\n");
    fl_callgraph_destroy(graph);
    query = (fl_call_query){.ignore = "^c$|nothing"};
    graph = graph_of(&query, false);
    ck_assert(graph->ignore_matched);
    ck_assert_str_eq(shown(graph), "b 60 60 0\nm 3 63 0\na 0 60 0\n");
    fl_callgraph_destroy(graph);
    query = (fl_call_query){.focus = "nothing"};
    graph = graph_of(&query, false);
    ck_assert(!graph->focus_matched);
    ck_assert_uint_eq(graph->node_count, 0);
    fl_callgraph_destroy(graph);
    query = (fl_call_query){.ignore = "f\\.go"}; /* files count too */
    graph = graph_of(&query, false);
    ck_assert_uint_eq(graph->node_count, 0);
    fl_callgraph_destroy(graph);
}
END_TEST

START_TEST(what_cannot_be_counted_is_refused)
{
    make_usual();
    fl_call_source sources[] = {{.profile = profiles[0], .name = "a.pb.gz"},
                                {.profile = profiles[1], .name = "b.pb.gz"}};
    fl_callgraph *graph = NULL;
    fl_call_query query = {.type = "delay"};
    ck_assert_fails(FL_E_NOTFOUND, fl_callgraph_create(&graph, sources, 1, &query, &err));
    ck_assert_str_eq(err.message, "a.pb.gz has no sample type 'delay': it has objects, space");
    ck_assert_ptr_null(graph);
    err = (fl_error){0};
    query = (fl_call_query){.focus = "("};
    ck_assert_fails(FL_E_SYNTAX, fl_callgraph_create(&graph, sources, 1, &query, &err));
    err = (fl_error){0};
    ck_assert_ok(fl_profile_add_type(profiles[1], SLICE("space"), SLICE("kilobytes"), &err));
    ck_assert_ok(fl_profile_sample_begin(profiles[1], &err));
    fl_profile_sample_end(profiles[1]);
    query = (fl_call_query){0};
    ck_assert_fails(FL_E_UNSUPPORTED, fl_callgraph_create(&graph, sources, 2, &query, &err));
    ck_assert_str_eq(err.message, "b.pb.gz counts space in kilobytes, others in bytes");
}
END_TEST

START_TEST(sums_saturate)
{
    begin(profiles[0], "a");
    for (int i = 0; i < 5; i++)
        add(profiles[0], "a", "a", INT64_C(1) << 62);
    finish(profiles[0]);
    fl_call_query query = {.node_fraction = 0.005, .with_edges = true};
    fl_callgraph *graph = graph_of(&query, false);
    ck_assert_int_eq(graph->nodes[0].flat, INT64_MAX);
    ck_assert_int_eq(graph->total, INT64_MAX);
    fl_callgraph_destroy(graph);
}
END_TEST

START_TEST(frames_without_a_name_are_known_by_their_file)
{
    fl_profile_mapping mapping = {.file = SLICE("/usr/lib/libc.so.6")};
    fl_profile_frame frames[] = {{.function = FL_PROFILE_NONE, .mapping = 0},
                                 {.function = FL_PROFILE_NONE, .mapping = FL_PROFILE_NONE}};
    begin(profiles[0], "a");
    ck_assert_ok(fl_profile_add_mapping(profiles[0], &mapping, &err));
    for (int i = 0; i < 2; i++) {
        ck_assert_ok(fl_profile_add_frame(profiles[0], &frames[i], &err));
        ck_assert_ok(fl_profile_sample_begin(profiles[0], &err));
        ck_assert_ok(fl_profile_push_stack(profiles[0], (uint32_t)(2 + i), &err));
        fl_profile_set_value(profiles[0], 1, 2 - i);
        fl_profile_sample_end(profiles[0]);
    }
    finish(profiles[0]);
    fl_call_query query = {0};
    fl_callgraph *graph = graph_of(&query, false);
    ck_assert_str_eq(shown(graph), "[libc.so.6] 2 2 0\n<unknown> 1 1 0\n");
    fl_callgraph_destroy(graph);
}
END_TEST

START_TEST(a_tree_has_each_stack_once_and_children_by_name)
{
    make_usual();
    begin(profiles[1], "mabc");
    add(profiles[1], "mabc", "mab", 10);
    add(profiles[1], "mabc", "ma", 5);
    finish(profiles[1]);
    fl_call_source sources[] = {{.profile = profiles[0], .name = "new"},
                                {.profile = profiles[1], .name = "base", .is_base = true}};
    fl_call_tree *tree = NULL;
    fl_call_query query = {0};
    ck_assert_ok(fl_call_tree_create(&tree, sources, 2, &query, &err));
    ck_assert_uint_eq(tree->max_depth, 3);
    ck_assert_int_eq(tree->nodes[0].value, 100);
    ck_assert_int_eq(tree->nodes[0].base, 15);
    const fl_call_tree_node *m = &tree->nodes[tree->nodes[0].first_child];
    const fl_call_tree_node *a = &tree->nodes[m->first_child];
    const fl_call_tree_node *b = &tree->nodes[a->next];
    ck_assert_int_eq(m->value, 100);
    ck_assert(fl_slice_equal(a->name, SLICE("a")) && a->value == 90 && a->base == 15);
    ck_assert(fl_slice_equal(b->name, SLICE("b")) && b->value == 7 && b->base == 0);
    ck_assert_uint_eq(b->next, FL_PROFILE_NONE);
    for (size_t i = 1; i < tree->node_count; i++)
        ck_assert_uint_lt(tree->nodes[i].parent, i);
    fl_call_tree_destroy(tree);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    make_usual();
    fl_call_source source = {.profile = profiles[0], .name = "new"};
    fl_call_query query = {.with_edges = true, .focus = "m"};
    bool done = false;
    for (long n = 0; !done; n++) {
        fl_callgraph *graph = NULL;
        fl_call_tree *tree = NULL;
        err = (fl_error){0};
        fl_mem_fail_after(n);
        fl_status status = fl_callgraph_create(&graph, &source, 1, &query, &err);
        if (status == FL_OK)
            status = fl_call_tree_create(&tree, &source, 1, &query, &err);
        fl_mem_fail_after(-1);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "%s", err.message);
        done = status == FL_OK;
        ck_assert(done == (tree != NULL));
        fl_callgraph_destroy(graph);
        fl_call_tree_destroy(tree);
    }
}
END_TEST

static Suite *callgraph_suite(void)
{
    Suite *suite = suite_create("correlate/callgraph");
    TCase *cases = tcase_create("callgraph");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, flat_is_the_innermost_and_cum_the_whole_stack);
    tcase_add_test(cases, recursion_counts_once);
    tcase_add_test(cases, what_is_trimmed_leaves_residual_calls);
    tcase_add_test(cases, inlining_is_told_without_edges);
    tcase_add_test(cases, a_base_is_subtracted_and_is_the_total);
    tcase_add_test(cases, filters_keep_and_drop_whole_stacks);
    tcase_add_test(cases, what_cannot_be_counted_is_refused);
    tcase_add_test(cases, sums_saturate);
    tcase_add_test(cases, frames_without_a_name_are_known_by_their_file);
    tcase_add_test(cases, a_tree_has_each_stack_once_and_children_by_name);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(callgraph_suite)
