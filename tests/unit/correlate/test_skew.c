/*
 * Clocks that differ, on made-up incidents of a small shop (shop.h): they are told, and the answer
 * is what it is with equal clocks.
 */
#include "rank.h"

#include "shop.h"

#define MS INT64_C(1000000)

static shop equal, skewed;

static void setup(void)
{
    equal = skewed = (shop){0};
}

static void teardown(void)
{
    shop_dispose(&equal);
    shop_dispose(&skewed);
}

static const struct skew {
    int service;
    int64_t ahead_ns;
    shop_fault fault;
} skews[] = {
    {PAY, -3000 * MS, FAULT(SLOW, CHARGE, 8)},
    {PAY, 3000 * MS, FAULT(SLOW, CHARGE, 8)},
    {STOCK, -250 * MS, FAULT(SLOW, CHARGE, 8)},
    {STOCK, -40 * MS, FAULT(NETWORK, STOCK, 60)},
    {STOCK, 700 * MS, FAULT(NETWORK, STOCK, 60)},
    {ORDERS, 5000 * MS, FAULT(EXCEPTION, PRICE, 0.6)},
    {CART, -70000 * MS, FAULT(EXCEPTION, PRICE, 0.6)},
    {GATE, 10000 * MS, FAULT(SLOW, CHARGE, 8)},
    {MAIL, -20 * MS, FAULT(VANISHED, PLACE, 1)},
};

static const char *text_of(const char *text)
{
    return text != NULL ? text : "-";
}

START_TEST(a_clock_that_differs_is_told_and_does_not_change_the_answer)
{
    const struct skew *skew = &skews[_i];
    equal.seed = skewed.seed = (uint64_t)_i + 1;
    equal.faults[0] = skewed.faults[0] = skew->fault;
    skewed.ahead_ns[skew->service] = skew->ahead_ns;
    shop_run(&equal);
    shop_run(&skewed);
    ck_assert_uint_eq(0, equal.timeline->clock_count);
    ck_assert_uint_eq(1, skewed.timeline->clock_count);
    const fl_clock *clock = &skewed.timeline->clocks[0];
    uint32_t service = skewed.timeline->entities[clock->entity].service;
    ck_assert_str_eq(shop_services[skew->service], skewed.timeline->services[service]);
    ck_assert_int_le(clock->offset_ns - skew->ahead_ns, clock->error_ns);
    ck_assert_int_le(skew->ahead_ns - clock->offset_ns, clock->error_ns);
    /* The way takes a millisecond at the median. */
    ck_assert_int_le(clock->error_ns, 2 * MS);
    ck_assert_uint_gt(equal.incident.hypothesis_count, 0);
    ck_assert_uint_gt(skewed.incident.hypothesis_count, 0);
    const fl_hypothesis *a = &equal.incident.hypotheses[0], *b = &skewed.incident.hypotheses[0];
    ck_assert_str_eq(a->service, b->service);
    ck_assert_int_eq(a->cause, b->cause);
    ck_assert_str_eq(text_of(a->locus_name), text_of(b->locus_name));
    ck_assert_str_eq(text_of(a->before), text_of(b->before));
    ck_assert_double_le(fabs(a->probability - b->probability), 0.1);
}
END_TEST

START_TEST(the_onset_of_a_service_is_as_sure_as_its_clock)
{
    equal.seed = skewed.seed = 3;
    equal.faults[0] = skewed.faults[0] = (shop_fault)FAULT(SLOW, CHARGE, 8);
    skewed.ahead_ns[PAY] = -3000 * MS;
    shop_run(&equal);
    shop_run(&skewed);
    const fl_onset *a = &equal.incident.hypotheses[0].onset;
    const fl_onset *b = &skewed.incident.hypotheses[0].onset;
    ck_assert_int_ne(0, b->at_ns);
    ck_assert_int_le(llabs(a->at_ns - b->at_ns), 1000 * MS);
    ck_assert_int_ge(b->high_ns - b->low_ns, skewed.timeline->clocks[0].error_ns);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("correlate/skew");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_clock_that_differs_is_told_and_does_not_change_the_answer, 0,
                        (int)(sizeof(skews) / sizeof(skews[0])));
    tcase_add_test(tests, the_onset_of_a_service_is_as_sure_as_its_clock);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
