/*
 * Nodes by a word in them: what fits better comes first, whatever the order of the store.
 */
#include "graph_search.h"

#include "fl_store_place.h"
#include "fl_test.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_store_place place;
static fl_store *store;
static fl_arena arena;

static const struct {
    fl_node_kind kind;
    const char *key, *title;
} made[] = {
    {FL_NODE_SERVICE, "pay", NULL},
    {FL_NODE_SERVICE, "payment", NULL},
    {FL_NODE_CAUSE, "shop|PAY too slow", "Payment takes long"},
    {FL_NODE_CAUSE, "spaying", NULL},
    {FL_NODE_FIX, "raise the pool", "pay more for it"},
    {FL_NODE_FIX, "restart", NULL},
    {FL_NODE_COMPONENT, "100% sure_thing", NULL},
};
enum { MADE = sizeof(made) / sizeof(made[0]) };

static void setup(void)
{
    fl_graph_node nodes[MADE];
    err = (fl_error){0};
    arena = fl_arena_of(4 << 20);
    fl_store_place_make(&place);
    ck_assert_ok(fl_store_open(&store, place.url, FL_STORE_CREATE, &err));
    for (size_t i = 0; i < MADE; i++)
        nodes[i] = (fl_graph_node){.id = fl_node_id(made[i].kind, fl_slice_of(made[i].key)),
                                   .kind = made[i].kind,
                                   .key = made[i].key,
                                   .title = made[i].title,
                                   .recorded_ns = 10 + (int64_t)i};
    const fl_graph_batch batch = {.nodes = nodes, .node_count = MADE};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
    fl_store_close(store);
    fl_store_place_clear(&place);
}

static fl_graph_found found;

static const char *search(fl_graph_search_question question)
{
    static char keys[512];
    size_t used = 0;
    question.most = question.most > 0 ? question.most : 10;
    question.as_of_ns = question.as_of_ns > 0 ? question.as_of_ns : FL_GRAPH_NOW;
    keys[0] = '\0';
    ck_assert_ok(fl_graph_search(&found, store, &question, &arena, &err));
    for (size_t i = 0; i < found.count; i++)
        used += (size_t)snprintf(keys + used, sizeof(keys) - used, "%s; ", found.nodes[i].key);
    return keys;
}

START_TEST(what_fits_better_comes_first)
{
    ck_assert_str_eq(search((fl_graph_search_question){.word = "pay"}),
                     "pay; payment; shop|PAY too slow; raise the pool; spaying; ");
    ck_assert_uint_eq(found.fitting, 5);
    ck_assert_int_eq(found.cut, FL_GRAPH_WHOLE);
    ck_assert_str_eq(search((fl_graph_search_question){.word = "POOL"}), "raise the pool; ");
    ck_assert_str_eq(search((fl_graph_search_question){.word = "nothing"}), "");
}
END_TEST

START_TEST(the_best_stay_where_there_is_room_for_few)
{
    ck_assert_str_eq(search((fl_graph_search_question){.word = "pay", .most = 2}),
                     "pay; payment; ");
    ck_assert_int_eq(found.cut, FL_GRAPH_CUT_ROWS);
    ck_assert_uint_eq(found.fitting, 5);
    ck_assert_str_eq(search((fl_graph_search_question){.word = "pay", .most = 1}), "pay; ");
}
END_TEST

START_TEST(a_kind_and_a_time_narrow_it)
{
    ck_assert_str_eq(search((fl_graph_search_question){.word = "pay", .kind = "cause"}),
                     "shop|PAY too slow; spaying; ");
    ck_assert_str_eq(search((fl_graph_search_question){.kind = "fix"}),
                     "raise the pool; restart; ");
    ck_assert_str_eq(search((fl_graph_search_question){.word = "pay", .as_of_ns = 11}),
                     "pay; payment; ");
    const fl_graph_search_question wrong = {.kind = "thing", .most = 1, .as_of_ns = FL_GRAPH_NOW};
    ck_assert_fails(FL_E_SYNTAX, fl_graph_search(&found, store, &wrong, &arena, &err));
    ck_assert_str_eq(err.message, "'thing' is no kind of node; known: service, component, config,"
                                  " symptom, cause, fix, change, plan, incident");
}
END_TEST

/* Nothing of a word is a pattern. */
START_TEST(marks_mean_themselves)
{
    ck_assert_str_eq(search((fl_graph_search_question){.word = "%"}), "100% sure_thing; ");
    ck_assert_str_eq(search((fl_graph_search_question){.word = "_"}), "100% sure_thing; ");
    ck_assert_str_eq(search((fl_graph_search_question){.word = "' OR 1=1 --"}), "");
}
END_TEST

START_TEST(a_time_that_is_over_cuts_the_answer)
{
    enum { MORE = 600 };
    static fl_graph_node nodes[MORE];
    static char keys[MORE][16];
    for (size_t i = 0; i < MORE; i++) {
        snprintf(keys[i], sizeof(keys[i]), "n%zu", i);
        nodes[i] = (fl_graph_node){.id = fl_node_id(FL_NODE_FIX, fl_slice_of(keys[i])),
                                   .kind = FL_NODE_FIX,
                                   .key = keys[i],
                                   .recorded_ns = 1};
    }
    const fl_graph_batch batch = {.nodes = nodes, .node_count = MORE};
    ck_assert_ok(fl_graph_add(NULL, store, &batch, &err));
    (void)search((fl_graph_search_question){.time_ns = 1});
    ck_assert_int_eq(found.cut, FL_GRAPH_CUT_TIME);
    ck_assert_uint_eq(found.count, 10);
}
END_TEST

START_TEST(each_allocation_that_fails_is_an_error)
{
    const fl_graph_search_question question = {.word = "a", .most = 3, .as_of_ns = FL_GRAPH_NOW};
    fl_status status = FL_E_NOMEM;
    for (long n = 0; n < 100 && status != FL_OK; n++) {
        fl_arena own = fl_arena_of(1 << 20);
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = fl_graph_search(&found, store, &question, &own, &err);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM || status == FL_E_IO);
        fl_arena_dispose(&own);
    }
    ck_assert_ok(status);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("graph_search");
    TCase *cases = tcase_create("graph_search");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, what_fits_better_comes_first);
    tcase_add_test(cases, the_best_stay_where_there_is_room_for_few);
    tcase_add_test(cases, a_kind_and_a_time_narrow_it);
    tcase_add_test(cases, marks_mean_themselves);
    tcase_add_test(cases, a_time_that_is_over_cuts_the_answer);
    tcase_add_test(cases, each_allocation_that_fails_is_an_error);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
