#include "ids.h"

#include "fl_test.h"
#include "hash.h"
#include "mem.h"

static fl_error err;
static fl_block_ids ids;

static void set_up(void)
{
    err = (fl_error){0};
    ids = (fl_block_ids){0};
}

static void tear_down(void)
{
    fl_mem_fail_after(-1);
    fl_block_ids_dispose(&ids);
}

static uint64_t put(fl_trace_id id)
{
    uint64_t place;
    bool is_new;
    size_t before = ids.count;
    bool is_right = fl_block_ids_put(&place, &is_new, &ids, id, &err) == FL_OK &&
                    ids.count == before + is_new && (!is_new || place == ids.count) && place > 0 &&
                    place <= ids.count && ids.items[place - 1].hi == id.hi &&
                    ids.items[place - 1].lo == id.lo;
    if (!is_right) /* an assertion costs a system call */
        ck_abort_msg("id %llu is at %llu of %zu: %s", (unsigned long long)id.lo,
                     (unsigned long long)place, ids.count, err.message);
    return place;
}

static fl_trace_id made(uint64_t i)
{
    return (fl_trace_id){fl_hash_mix(i), i};
}

START_TEST(an_id_has_one_place)
{
    for (uint64_t i = 0; i < 20000; i++)
        put(made(i));
    size_t forgotten = 0;
    for (uint64_t i = 0; i < 20000; i++)
        forgotten += put(made(i)) != i + 1;
    ck_assert_uint_eq(put(made(20000)), ids.count);
    ck_assert_uint_lt(forgotten, 20000 / 20); /* in a bucket that was full */
    fl_block_ids_clear(&ids);
    ck_assert_uint_eq(put(made(7)), 1);
}
END_TEST

START_TEST(ids_that_differ_in_one_half_differ)
{
    ck_assert_uint_eq(put((fl_trace_id){1, 2}), 1);
    ck_assert_uint_eq(put((fl_trace_id){1, 3}), 2);
    ck_assert_uint_eq(put((fl_trace_id){2, 2}), 3);
    ck_assert_uint_eq(put((fl_trace_id){1, 2}), 1);
}
END_TEST

START_TEST(among_very_many_the_last_ones_are_known)
{
    enum { MANY = 1500000, NEAR = 1000 };
    size_t known = 0;
    for (uint64_t i = 0; i < MANY; i++)
        put(made(i));
    for (uint64_t i = MANY - NEAR; i < MANY; i++)
        known += put(made(i)) == i + 1;
    ck_assert_uint_eq(known, NEAR);
    put(made(0)); /* forgotten or not: its place holds it */
    ck_assert_uint_le(fl_block_ids_bytes(&ids), (16 << 21) + (64 << 16));
}
END_TEST

START_TEST(what_was_taken_back_was_never_there)
{
    put(made(1));
    put(made(2));
    fl_block_ids_take_back(&ids);
    ck_assert_uint_eq(put(made(3)), 2);
    ck_assert_uint_eq(put(made(2)), 3);
    ck_assert_uint_eq(put(made(1)), 1);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    uint64_t next = 0;
    for (long allowed = 0; allowed < 12; allowed++) {
        fl_mem_fail_after(allowed);
        for (int i = 0; i < 400; i++) {
            uint64_t place;
            bool is_new;
            size_t before = ids.count;
            fl_status status = fl_block_ids_put(&place, &is_new, &ids, made(next), &err);
            ck_assert(status == FL_OK || (status == FL_E_NOMEM && ids.count == before));
            next += status == FL_OK;
            err = (fl_error){0};
        }
        fl_mem_fail_after(-1);
        put(made(next++));
    }
    ck_assert_uint_gt(ids.bucket_count, 64); /* it grew in the end */
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("block/ids");
    TCase *tests = tcase_create("ids");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_id_has_one_place);
    tcase_add_test(tests, ids_that_differ_in_one_half_differ);
    tcase_add_test(tests, among_very_many_the_last_ones_are_known);
    tcase_add_test(tests, what_was_taken_back_was_never_there);
    tcase_add_test(tests, survives_each_allocation_failing);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
