#include "sampler.h"

#include "fl_test.h"
#include "hash.h"
#include "mem.h"

struct row {
    uint64_t trace;
    uint32_t item;
};

static uint64_t key_of(const void *row)
{
    return ((const struct row *)row)->trace;
}

static int compare(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    if (a->trace != b->trace)
        return a->trace < b->trace ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

static fl_sampler sampler;
static fl_error err;

static void begin(size_t max_rows)
{
    fl_sampler_dispose(&sampler);
    sampler = (fl_sampler){.row_size = sizeof(struct row),
                           .max_rows = max_rows,
                           .key = key_of,
                           .order.compare = compare};
    err = (fl_error){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_sampler_dispose(&sampler);
}

static void add(uint64_t trace, uint32_t item)
{
    struct row row;
    memset(&row, 0, sizeof(row));
    row.trace = trace;
    row.item = item;
    ck_assert_ok(fl_sampler_add(&sampler, &row, &err));
}

static const struct row *row_at(size_t i)
{
    return (const struct row *)sampler.rows + i;
}

/* A small generator of our own: the same numbers on every machine. */
static uint64_t random_state;

static size_t random_below(size_t bound)
{
    random_state = fl_hash_mix(random_state + 0x9e3779b97f4a7c15u);
    return (size_t)(random_state % bound);
}

static void shuffle(struct row *rows, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below(i);
        struct row held = rows[i - 1];
        rows[i - 1] = rows[j];
        rows[j] = held;
    }
}

START_TEST(within_the_budget_every_distinct_row_is_kept_once)
{
    begin(10);
    for (uint32_t round = 0; round < 100; round++)
        for (uint32_t i = 0; i < 10; i++)
            add(fl_hash_mix(i % 3 + 1), i);
    fl_sampler_settle(&sampler);
    ck_assert_uint_eq(sampler.count, 10);
    ck_assert_double_eq(fl_sampler_share(&sampler), 1.0);
    for (size_t i = 1; i < 10; i++)
        ck_assert_int_lt(compare(row_at(i - 1), row_at(i)), 0);
}
END_TEST

/* The smallest number of halvings for which the distinct rows fit, told without a sampler. */
static size_t expected_rows(unsigned *halvings, const struct row *rows, size_t count,
                            size_t max_rows)
{
    for (*halvings = 0;; ++*halvings) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i++)
            kept += *halvings == 0 || (*halvings < 64 && rows[i].trace >> (64 - *halvings) == 0);
        if (kept <= max_rows)
            return kept;
    }
}

START_TEST(the_kept_set_does_not_depend_on_the_order)
{
    enum { ROWS = 600, SHUFFLES = 60 };
    static const size_t budgets[] = {1, 2, 3, 7, 50, 200, 599, 600, 1000};
    static struct row rows[ROWS * 2], first[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        memset(&rows[i], 0, sizeof(rows[i]));
        rows[i].trace = fl_hash_mix(1 + i / 4); /* four rows a trace */
        rows[i].item = i;
    }
    for (size_t b = 0; b < sizeof(budgets) / sizeof(budgets[0]); b++) {
        unsigned halvings;
        size_t kept = expected_rows(&halvings, rows, ROWS, budgets[b]);
        for (size_t round = 0; round < SHUFFLES; round++) {
            size_t count = ROWS + random_below(ROWS); /* some of them twice */
            for (size_t i = ROWS; i < count; i++)
                rows[i] = rows[random_below(ROWS)];
            static struct row shuffled[ROWS * 2];
            memcpy(shuffled, rows, sizeof(rows));
            shuffle(shuffled, count);
            begin(budgets[b]);
            for (size_t i = 0; i < count; i++)
                add(shuffled[i].trace, shuffled[i].item);
            fl_sampler_settle(&sampler);
            ck_assert_uint_eq(sampler.count, kept);
            ck_assert_uint_eq(sampler.halvings, halvings);
            if (round == 0 && kept > 0)
                memcpy(first, sampler.rows, kept * sizeof(first[0]));
            ck_assert(kept == 0 || memcmp(first, sampler.rows, kept * sizeof(first[0])) == 0);
        }
    }
}
END_TEST

START_TEST(a_trace_is_kept_whole_or_not_at_all)
{
    enum { TRACES = 500, SPANS = 9 };
    size_t rows_of[TRACES] = {0};
    begin(1000);
    for (uint32_t i = 0; i < TRACES * SPANS; i++)
        add(fl_hash_mix(1 + i % TRACES), i % TRACES);
    fl_sampler_settle(&sampler);
    ck_assert_double_eq(fl_sampler_share(&sampler), 1.0); /* duplicates do not count */
    begin(1000);
    for (uint32_t i = 0; i < TRACES * SPANS; i++)
        add(fl_hash_mix(1 + i % TRACES), i);
    fl_sampler_settle(&sampler);
    ck_assert_uint_gt(sampler.count, 200);
    ck_assert_uint_le(sampler.count, 1000);
    for (size_t i = 0; i < sampler.count; i++)
        rows_of[row_at(i)->item % TRACES]++;
    for (size_t i = 0; i < TRACES; i++)
        ck_assert(rows_of[i] == 0 || rows_of[i] == SPANS);
    ck_assert_double_eq(fl_sampler_share(&sampler), 0.125);
}
END_TEST

START_TEST(a_trace_larger_than_the_budget_leaves_and_others_stay)
{
    begin(100);
    for (uint32_t i = 0; i < 1000; i++)
        add(UINT64_C(0x4000000000000000), i); /* leaves at the second halving */
    for (uint32_t i = 0; i < 50; i++)
        add(i + 1, i);
    fl_sampler_settle(&sampler);
    ck_assert_uint_eq(sampler.count, 50);
    ck_assert_double_eq(fl_sampler_share(&sampler), 0.25);
}
END_TEST

START_TEST(a_key_that_no_halving_reaches_leaves_at_last)
{
    begin(100);
    for (uint32_t i = 0; i < 1000; i++)
        add(0, i);
    fl_sampler_settle(&sampler);
    ck_assert_uint_eq(sampler.count, 0);
    ck_assert_double_gt(fl_sampler_share(&sampler), 0);
    add(0, 1); /* still usable */
    add(UINT64_MAX, 1);
    fl_sampler_settle(&sampler);
    ck_assert_uint_eq(sampler.count, 0);
}
END_TEST

START_TEST(an_empty_sampler_settles_and_wants_everything)
{
    begin(1);
    fl_sampler_settle(&sampler);
    ck_assert_uint_eq(sampler.count, 0);
    ck_assert(fl_sampler_wants(&sampler, 0));
    ck_assert(fl_sampler_wants(&sampler, UINT64_MAX));
}
END_TEST

START_TEST(memory_is_bounded_by_the_budget)
{
    begin(5000);
    for (uint32_t i = 0; i < 200000; i++)
        add(fl_hash_mix(i + 1), i);
    ck_assert_uint_le(sampler.capacity, 5000 + 5000 / 4 + 1);
    fl_sampler_settle(&sampler);
    ck_assert_uint_le(sampler.count, 5000);
    ck_assert_uint_ge(sampler.count, 2000); /* half of the budget, but for the luck of the hash */
}
END_TEST

/* A failed add changes nothing, and the next one works. */
START_TEST(survives_each_allocation_failing)
{
    begin(100000);
    for (uint32_t i = 0; i < 5000;) {
        struct row row = {.trace = fl_hash_mix(i + 1), .item = i};
        size_t count = sampler.count;
        fl_mem_fail_after(0);
        fl_status status = fl_sampler_add(&sampler, &row, NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        if (status == FL_E_NOMEM) {
            ck_assert_uint_eq(sampler.count, count);
            ck_assert_ok(fl_sampler_add(&sampler, &row, &err));
        }
        ck_assert_uint_eq(sampler.count, ++i);
    }
    struct row row = {.trace = 1};
    begin(1);
    fl_mem_fail_after(0);
    ck_assert_fails(FL_E_NOMEM, fl_sampler_add(&sampler, &row, &err));
    ck_assert_str_eq(err.message, "no memory for 2 records");
}
END_TEST

static Suite *sampler_suite(void)
{
    Suite *suite = suite_create("timeline/sampler");
    TCase *cases = tcase_create("sampler");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, NULL, teardown);
    tcase_add_test(cases, within_the_budget_every_distinct_row_is_kept_once);
    tcase_add_test(cases, the_kept_set_does_not_depend_on_the_order);
    tcase_add_test(cases, a_trace_is_kept_whole_or_not_at_all);
    tcase_add_test(cases, a_trace_larger_than_the_budget_leaves_and_others_stay);
    tcase_add_test(cases, a_key_that_no_halving_reaches_leaves_at_last);
    tcase_add_test(cases, an_empty_sampler_settles_and_wants_everything);
    tcase_add_test(cases, memory_is_bounded_by_the_budget);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(sampler_suite)
