#include "facts.h"

#include <math.h>

#include "fl_test.h"
#include "leak_signature.h"
#include "mem.h"

static fl_rules *rules;
static fl_error err;

static void setup(void)
{
    rules = NULL;
    err = (fl_error){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_rules_destroy(rules);
}

/* ---- a small library ---- */

static const fl_leak_condition queue[] = {
    {.feature = FL_LEAK_F_TRACE_QUEUE, .op = FL_LEAK_AT_LEAST, .value = 3}};
static const fl_leak_condition short_queue[] = {
    {.feature = FL_LEAK_F_TRACE_QUEUE, .op = FL_LEAK_AT_MOST, .value = 1}};
static const fl_leak_condition place_and_queue[] = {
    {.feature = FL_LEAK_F_TRACE_QUEUE, .op = FL_LEAK_AT_LEAST, .value = 3},
    {.feature = FL_LEAK_F_TRACE_PLACE, .op = FL_LEAK_MATCHES, .pattern = "^shop\\."}};
static const fl_leak_condition elsewhere[] = {
    {.feature = FL_LEAK_F_TRACE_PLACE, .op = FL_LEAK_LACKS, .pattern = "^shop\\."}};
static const fl_leak_condition rare_or_long[] = {
    {.feature = FL_LEAK_F_TRACE_WAITS, .op = FL_LEAK_AT_MOST, .value = 20, .text = "few waits"},
    {.feature = FL_LEAK_F_TRACE_PLACE, .op = FL_LEAK_MATCHES, .pattern = "main", .text = "in main"},
};
static const fl_leak_condition growing[] = {
    {.feature = FL_LEAK_F_SHAPE, .op = FL_LEAK_MATCHES, .pattern = "."}};

static const fl_leak_signature library[] = {
    {.name = "line",
     .subject = FL_LEAK_LOCK,
     .prior = 0.8,
     .must = queue,
     .must_count = 1,
     .against = rare_or_long,
     .against_count = 2},
    {.name = "line-again", .subject = FL_LEAK_LOCK, .prior = 0.8, .must = queue, .must_count = 1},
    {.name = "line-in-shop",
     .subject = FL_LEAK_LOCK,
     .prior = 0.5,
     .must = place_and_queue,
     .must_count = 2},
    {.name = "away", .subject = FL_LEAK_SITE, .prior = 0.5, .must = elsewhere, .must_count = 1},
    {.name = "old-go",
     .subject = FL_LEAK_GOROUTINES,
     .prior = 0.5,
     .must = short_queue,
     .must_count = 1,
     .go_max = 23},
    {.name = "one-of-two",
     .subject = FL_LEAK_PROGRAM,
     .prior = 0.5,
     .must = queue,
     .must_count = 1,
     .any = rare_or_long,
     .any_count = 2},
    {.name = "of-profiles",
     .subject = FL_LEAK_LOCK,
     .prior = 0.99,
     .must = growing,
     .must_count = 1},
};
enum { COUNT = sizeof(library) / sizeof(library[0]) };

static const char *best(fl_leak_subject subject, const fl_fact *items, size_t count, int go)
{
    const fl_leak_signature *found;
    const fl_facts facts = {
        .subject = subject, .go_from = go, .go_to = go, .items = items, .count = count};
    if (rules == NULL)
        ck_assert_ok(fl_rules_create(&rules, library, COUNT, FL_LEAK_IN_TRACES, &err));
    ck_assert_ok(fl_rules_best(&found, rules, &facts, &err));
    return found != NULL ? found->name : "";
}

#define BEST(subject, go, ...)                                                                     \
    best(subject, (const fl_fact[]){__VA_ARGS__},                                                  \
         sizeof((const fl_fact[]){__VA_ARGS__}) / sizeof(fl_fact), go)
#define QUEUE(value)                                                                               \
    {                                                                                              \
        FL_LEAK_F_TRACE_QUEUE, value, NULL                                                         \
    }
#define WAITS(value)                                                                               \
    {                                                                                              \
        FL_LEAK_F_TRACE_WAITS, value, NULL                                                         \
    }
#define PLACE(name)                                                                                \
    {                                                                                              \
        FL_LEAK_F_TRACE_PLACE, 0, name                                                             \
    }

START_TEST(the_most_demanding_that_holds_is_the_answer)
{
    ck_assert_str_eq(BEST(FL_LEAK_LOCK, 0, QUEUE(3), PLACE("shop.buy")), "line-in-shop");
    ck_assert_str_eq(BEST(FL_LEAK_LOCK, 0, QUEUE(3), PLACE("cart.add")), "line");
    ck_assert_str_eq(BEST(FL_LEAK_LOCK, 0, QUEUE(2.9), PLACE("shop.buy")), "");
}
END_TEST

START_TEST(what_is_not_among_the_facts_holds_for_nothing)
{
    ck_assert_str_eq(BEST(FL_LEAK_LOCK, 0, WAITS(5)), "");
    ck_assert_str_eq(BEST(FL_LEAK_LOCK, 0, QUEUE(NAN)), "");
    ck_assert_str_eq(BEST(FL_LEAK_SITE, 0, QUEUE(3)), ""); /* not even `lacks` */
    ck_assert_str_eq(BEST(FL_LEAK_SITE, 0, PLACE("cart.add")), "away");
    ck_assert_str_eq(BEST(FL_LEAK_SITE, 0, PLACE("cart.add"), PLACE("shop.buy")), "");
}
END_TEST

START_TEST(what_is_measured_elsewhere_is_not_tried)
{
    const fl_fact shape = {FL_LEAK_F_SHAPE, 0, "growing"};
    ck_assert_str_eq(best(FL_LEAK_LOCK, &shape, 1, 0), "");
    ck_assert_int_eq(fl_leak_signature_measured(&library[COUNT - 1]), FL_LEAK_IN_PROFILES);
}
END_TEST

START_TEST(one_of_any_is_enough_and_none_is_not)
{
    ck_assert_str_eq(BEST(FL_LEAK_PROGRAM, 0, QUEUE(4), WAITS(20), PLACE("x")), "one-of-two");
    ck_assert_str_eq(BEST(FL_LEAK_PROGRAM, 0, QUEUE(4), WAITS(21), PLACE("main.f")), "one-of-two");
    ck_assert_str_eq(BEST(FL_LEAK_PROGRAM, 0, QUEUE(4), WAITS(21), PLACE("x")), "");
}
END_TEST

START_TEST(a_version_out_of_range_is_left_alone_and_an_unknown_one_is_not)
{
    ck_assert_str_eq(BEST(FL_LEAK_GOROUTINES, 23, QUEUE(1)), "old-go");
    ck_assert_str_eq(BEST(FL_LEAK_GOROUTINES, 24, QUEUE(1)), "");
    ck_assert_str_eq(BEST(FL_LEAK_GOROUTINES, 0, QUEUE(1)), "old-go");
}
END_TEST

START_TEST(each_that_speaks_against_halves_the_odds)
{
    const fl_fact items[] = {QUEUE(3), WAITS(20), PLACE("main.run")};
    const fl_facts facts = {.subject = FL_LEAK_LOCK, .items = items, .count = 3};
    fl_against against;
    ck_assert_str_eq(best(FL_LEAK_LOCK, items, 3, 0), "line");
    ck_assert_ok(fl_rules_against(&against, rules, &library[0], &facts, &err));
    ck_assert_uint_eq(against.count, 2);
    ck_assert_str_eq(against.texts[0], "few waits");
    ck_assert_str_eq(against.texts[1], "in main");
    ck_assert_double_eq_tol(fl_rules_confidence(&library[0], 0), 0.8, 1e-12);
    ck_assert_double_eq_tol(fl_rules_confidence(&library[0], 2), 0.5, 1e-12);
}
END_TEST

START_TEST(a_pattern_that_is_none_is_said)
{
    const fl_leak_condition bad = {
        .feature = FL_LEAK_F_TRACE_PLACE, .op = FL_LEAK_MATCHES, .pattern = "("};
    const fl_leak_signature one = {
        .name = "bad", .subject = FL_LEAK_SITE, .must = &bad, .must_count = 1};
    const fl_fact fact = PLACE("x");
    const fl_facts facts = {.subject = FL_LEAK_SITE, .items = &fact, .count = 1};
    const fl_leak_signature *found;
    ck_assert_ok(fl_rules_create(&rules, &one, 1, FL_LEAK_IN_TRACES, &err));
    ck_assert_int_eq(fl_rules_best(&found, rules, &facts, &err), FL_E_SYNTAX);
    ck_assert_ptr_null(found);
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    const fl_fact items[] = {QUEUE(3), PLACE("shop.buy")};
    const fl_facts facts = {.subject = FL_LEAK_LOCK, .items = items, .count = 2};
    const fl_leak_signature *found = NULL;
    fl_status status = FL_E_NOMEM;
    for (int i = 0; status == FL_E_NOMEM && i < 1000; i++) {
        fl_rules_destroy(rules);
        rules = NULL;
        fl_mem_fail_after(i);
        status = fl_rules_create(&rules, library, COUNT, FL_LEAK_IN_TRACES, &err);
        if (status == FL_OK)
            status = fl_rules_best(&found, rules, &facts, &err);
        fl_mem_fail_after(-1);
    }
    ck_assert_ok(status);
    ck_assert_str_eq(found->name, "line-in-shop");
}
END_TEST

static Suite *facts_suite(void)
{
    Suite *suite = suite_create("facts");
    TCase *tc = tcase_create("facts");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_most_demanding_that_holds_is_the_answer);
    tcase_add_test(tc, what_is_not_among_the_facts_holds_for_nothing);
    tcase_add_test(tc, what_is_measured_elsewhere_is_not_tried);
    tcase_add_test(tc, one_of_any_is_enough_and_none_is_not);
    tcase_add_test(tc, a_version_out_of_range_is_left_alone_and_an_unknown_one_is_not);
    tcase_add_test(tc, each_that_speaks_against_halves_the_odds);
    tcase_add_test(tc, a_pattern_that_is_none_is_said);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(facts_suite)
