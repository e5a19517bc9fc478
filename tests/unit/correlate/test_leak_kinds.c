#include "leak_case.h"

#include "mem.h"
#include <string.h>

static const fl_leak_condition grows[] = {
    {.feature = FL_LEAK_F_SHAPE, .op = FL_LEAK_MATCHES, .pattern = "^growing$"}};
static const fl_leak_condition put_grows[] = {
    {.feature = FL_LEAK_F_SHAPE, .op = FL_LEAK_MATCHES, .pattern = "^growing$"},
    {.feature = FL_LEAK_F_FUNCTION, .op = FL_LEAK_MATCHES, .pattern = "put$"}};
static const fl_leak_condition steep[] = {
    {.feature = FL_LEAK_F_GROWTH_RATIO, .op = FL_LEAK_AT_LEAST, .value = 1e6}};
static const fl_leak_condition many[] = {
    {.feature = FL_LEAK_F_GOROUTINES, .op = FL_LEAK_AT_MOST, .value = 1e9}};
static const fl_leak_condition kept[] = {{.feature = FL_LEAK_F_RETAINED_RATIO,
                                          .op = FL_LEAK_AT_LEAST,
                                          .value = 0.5,
                                          .text = "most of it is kept"}};

static const char *best_of(const fl_leak_signature *signatures, size_t count, double *confidence)
{
    fl_leak_options options = {.signatures = signatures, .signature_count = count};
    run r = begin(&options);
    for (int i = 0; i < 10; i++)
        add_heap(&r, i, 6 * MB * (i + 1), 5 * MB * (i + 1));
    const fl_leak_report *report = judge(&r);
    const fl_leak_signature *s = report->findings[0].signature;
    *confidence = report->confidence;
    if (s != NULL && s->against_count > 0) {
        ck_assert_uint_ge(report->findings[0].against_count, 1);
        ck_assert_str_eq(report->findings[0].against[0], "most of it is kept");
    }
    end(&r);
    return s != NULL ? s->name : NULL;
}

#define LEAK_SITE(...)                                                                             \
    {                                                                                              \
        .verdict = FL_LEAK_LEAK, .subject = FL_LEAK_SITE, .prior = 0.9, __VA_ARGS__                \
    }

START_TEST(the_signature_with_most_conditions_names_the_kind)
{
    double c;
    const fl_leak_signature library[] = {
        LEAK_SITE(.name = "any-growth", .must = grows, .must_count = 1),
        LEAK_SITE(.name = "put-grows", .must = put_grows, .must_count = 2),
        LEAK_SITE(.name = "too-steep", .must = grows, .must_count = 1, .any = steep,
                  .any_count = 1),
        LEAK_SITE(.name = "not-known", .must = many, .must_count = 1),
        {.name = "no-site",
         .verdict = FL_LEAK_LEAK,
         .subject = FL_LEAK_LOCK,
         .must = grows,
         .must_count = 1},
    };
    ck_assert_str_eq(best_of(library, 5, &c), "put-grows");
    ck_assert_str_eq(best_of(library, 1, &c), "any-growth");
    ck_assert_ptr_null(best_of(library + 2, 3, &c));
}
END_TEST

START_TEST(a_signature_holds_only_in_its_runtimes)
{
    double c;
    const fl_leak_signature old =
        LEAK_SITE(.name = "old", .must = grows, .must_count = 1, .go_max = 23);
    const fl_leak_signature now =
        LEAK_SITE(.name = "now", .must = grows, .must_count = 1, .go_min = 24);
    ck_assert_ptr_null(best_of(&old, 1, &c));
    ck_assert_str_eq(best_of(&now, 1, &c), "now");
}
END_TEST

START_TEST(what_speaks_against_halves_the_odds)
{
    double without, with;
    const fl_leak_signature plain_one = LEAK_SITE(.name = "one", .must = grows, .must_count = 1);
    const fl_leak_signature doubted = LEAK_SITE(.name = "one", .must = grows, .must_count = 1,
                                                .against = kept, .against_count = 1);
    best_of(&plain_one, 1, &without);
    best_of(&doubted, 1, &with);
    ck_assert_double_eq_tol(with / (1 - with), 0.5 * without / (1 - without), 1e-9);
}
END_TEST

START_TEST(a_pattern_that_is_none_is_an_error)
{
    const fl_leak_condition broken = {
        .feature = FL_LEAK_F_FRAMES, .op = FL_LEAK_MATCHES, .pattern = "("};
    const fl_leak_signature s = LEAK_SITE(.name = "broken", .must = &broken, .must_count = 1);
    fl_leak_options options = {.signatures = &s, .signature_count = 1};
    fl_leak *leak = NULL;
    fl_error err = {0};
    ck_assert_fails(FL_E_SYNTAX, fl_leak_create(&leak, &options, &err));
    ck_assert_ptr_null(leak);
    ck_assert_msg(strncmp(err.message, "pattern '('", 11) == 0, "%s", err.message);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    const fl_leak_signature s = LEAK_SITE(.name = "put-grows", .must = put_grows, .must_count = 2,
                                          .against = kept, .against_count = 1);
    fl_leak_options options = {.signatures = &s, .signature_count = 1};
    for (long n = 0;; n++) {
        fl_arena arena = fl_arena_of(16u << 20);
        fl_leak *leak = NULL;
        fl_error err = {0};
        fl_leak_report report;
        fl_mem_fail_after(n);
        fl_status status = fl_leak_create(&leak, &options, &err);
        for (int i = 0; i < 6 && status == FL_OK; i++) {
            made_profile m;
            made_begin(&m, FL_PROFILE_HEAP, START + i * MINUTE);
            made_heap(&m, PUT_STACK, 144, 6 * MB * (i + 1), 5 * MB * (i + 1));
            made_heap(&m, SERVE_STACK, 32, 1 * MB * (i + 1), 0);
            status = fl_leak_add(leak, &m.profile, 0, &err);
        }
        if (status == FL_OK)
            status = fl_leak_judge(&report, leak, &arena, &err);
        fl_mem_fail_after(-1);
        fl_leak_destroy(leak);
        fl_arena_dispose(&arena);
        if (status == FL_OK)
            return;
        ck_assert_msg(status == FL_E_NOMEM, "%ld: %s", n, err.message);
        ck_assert_int_lt(n, 2000);
    }
}
END_TEST

static Suite *leak_kinds_suite(void)
{
    Suite *suite = suite_create("correlate/leak_kinds");
    TCase *cases = tcase_create("leak_kinds");
    tcase_add_test(cases, the_signature_with_most_conditions_names_the_kind);
    tcase_add_test(cases, a_signature_holds_only_in_its_runtimes);
    tcase_add_test(cases, what_speaks_against_halves_the_odds);
    tcase_add_test(cases, a_pattern_that_is_none_is_an_error);
    tcase_add_test(cases, each_allocation_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(leak_kinds_suite)
