#include "fl_test.h"
#include "gotrace_ids.h"
#include "hash.h"
#include "mem.h"

static fl_error err;
static fl_gotrace_ids ids;

static void setup(void)
{
    err = (fl_error){0};
    ids = (fl_gotrace_ids){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_gotrace_ids_dispose(&ids);
}

START_TEST(an_empty_table_has_nobody)
{
    ck_assert_uint_eq(fl_gotrace_ids_find(&ids, 0), UINT32_MAX);
}
END_TEST

/* Against an array that says the same: ids come, are found, and go again in any order. */
START_TEST(what_was_taken_out_is_gone_and_the_rest_is_found)
{
    enum { IDS = 3000, STEPS = 200000 };
    static uint32_t model[IDS];
    memset(model, 0xff, sizeof(model));
    for (uint32_t step = 0; step < STEPS; step++) {
        uint64_t id = fl_hash_mix(step) % IDS;
        ck_assert_uint_eq(fl_gotrace_ids_find(&ids, id), model[id]);
        if (model[id] == UINT32_MAX) {
            ck_assert_ok(fl_gotrace_ids_add(&ids, id, step, &err));
            model[id] = step;
        } else {
            fl_gotrace_ids_remove(&ids, id);
            model[id] = UINT32_MAX;
        }
    }
    for (uint64_t id = 0; id < IDS; id++)
        ck_assert_uint_eq(fl_gotrace_ids_find(&ids, id), model[id]);
}
END_TEST

START_TEST(no_memory_leaves_the_table_as_it_was)
{
    for (uint64_t id = 0; id < 128; id++)
        ck_assert_ok(fl_gotrace_ids_add(&ids, id, 7, &err));
    fl_mem_fail_after(0);
    ck_assert_fails(FL_E_NOMEM, fl_gotrace_ids_add(&ids, 128, 7, &err));
    ck_assert_uint_eq(fl_gotrace_ids_find(&ids, 128), UINT32_MAX);
    ck_assert_uint_eq(fl_gotrace_ids_find(&ids, 127), 7);
}
END_TEST

/* Ids that all have one place under the hash without a key. */
START_TEST(ids_cannot_be_aimed_at_one_place)
{
    enum { AIMED = 4000, MASK = 8191 };
    size_t longest = 0, row = 0;
    uint64_t id = 0;
    for (uint32_t i = 0; i < AIMED; id++) {
        if ((fl_hash_mix(id) & MASK) != 0)
            continue;
        ck_assert_ok(fl_gotrace_ids_add(&ids, id, i++, &err));
    }
    /* in a row without a free cell stands what has one place */
    for (size_t i = 0; i < ids.cap; i++) {
        row = ids.cells[i].slot != UINT32_MAX ? row + 1 : 0;
        longest = row > longest ? row : longest;
    }
    ck_assert_uint_lt(longest, AIMED / 4);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("gotrace_ids");
    TCase *tc = tcase_create("core");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_empty_table_has_nobody);
    tcase_add_test(tc, what_was_taken_out_is_gone_and_the_rest_is_found);
    tcase_add_test(tc, ids_cannot_be_aimed_at_one_place);
    tcase_add_test(tc, no_memory_leaves_the_table_as_it_was);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
