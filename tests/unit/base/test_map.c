#include "map.h"

#include "fl_test.h"
#include "hash.h"
#include "mem.h"

static fl_map *map;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    ck_assert_ok(fl_map_create(&map, 1000000, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_map_destroy(map);
}

static void put(uint64_t key, uint64_t value)
{
    uint64_t *slot;
    ck_assert_ok(fl_map_slot(&slot, map, key, NULL, &err));
    *slot = value;
}

START_TEST(a_key_keeps_its_value)
{
    uint64_t *slot;
    bool added;
    ck_assert_ptr_null(fl_map_find(map, 7));
    ck_assert_ok(fl_map_slot(&slot, map, 7, &added, &err));
    ck_assert(added);
    ck_assert_uint_eq(*slot, 0);
    *slot = 70;
    ck_assert_ok(fl_map_slot(&slot, map, 7, &added, &err));
    ck_assert(!added);
    ck_assert_uint_eq(*slot, 70);
    ck_assert_uint_eq(*fl_map_find(map, 7), 70);
    ck_assert_uint_eq(fl_map_count(map), 1);
}
END_TEST

START_TEST(every_key_may_be_used)
{
    static const uint64_t keys[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i < 4; i++) {
        ck_assert_ptr_null(fl_map_find(map, keys[i]));
        put(keys[i], 100 + i);
    }
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(*fl_map_find(map, keys[i]), 100 + i);
    ck_assert_uint_eq(fl_map_count(map), 4);
}
END_TEST

/* Keys that are alike in the low, in the high, or in the middle bits. */
START_TEST(values_survive_growth_whatever_the_keys_look_like)
{
    uint64_t stride = UINT64_C(1) << (_i * 8);
    enum { COUNT = 50000 };
    for (uint64_t i = 0; i < COUNT; i++)
        put(i * stride, i);
    uint64_t distinct = _i * 8 + 16 <= 64 ? COUNT : UINT64_C(1) << (64 - _i * 8);
    ck_assert_uint_eq(fl_map_count(map), distinct < COUNT ? distinct : COUNT);
    for (uint64_t i = COUNT - 1; i > COUNT - 100; i--)
        ck_assert_uint_eq(*fl_map_find(map, i * stride), i);
    ck_assert_ptr_null(fl_map_find(map, UINT64_MAX));
}
END_TEST

START_TEST(a_walk_sees_each_pair_once)
{
    uint64_t key, value, keys = 0, values = 0;
    size_t cursor = 0, count = 0;
    ck_assert(!fl_map_next(map, &cursor, &key, &value));
    for (uint64_t i = 0; i < 1000; i++)
        put(i, i * i);
    for (cursor = 0; fl_map_next(map, &cursor, &key, &value); count++) {
        ck_assert_uint_eq(value, key * key);
        keys += key;
        values += value;
    }
    ck_assert_uint_eq(count, 1000);
    ck_assert_uint_eq(keys, 499500);
    ck_assert_uint_eq(values, 332833500);
    ck_assert(!fl_map_next(map, &cursor, &key, &value));
}
END_TEST

START_TEST(a_cleared_map_is_empty_and_usable)
{
    for (uint64_t i = 0; i < 1000; i++)
        put(i, i);
    fl_map_clear(map);
    ck_assert_uint_eq(fl_map_count(map), 0);
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert_ptr_null(fl_map_find(map, i));
    put(0, 5);
    put(9, 6);
    ck_assert_uint_eq(*fl_map_find(map, 0), 5);
    ck_assert_uint_eq(fl_map_count(map), 2);
}
END_TEST

START_TEST(a_restarted_map_is_empty_and_usable_whatever_size_it_had)
{
    static const size_t sizes[] = {3, 4000, 2, 0, 100, 9000, 1, 4000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ck_assert_ok(fl_map_restart(map, sizes[i], &err));
        ck_assert_uint_eq(fl_map_count(map), 0);
        size_t count = 2 * sizes[i] + 1, wrong = 0; /* more than it was told */
        for (uint64_t k = 0; k < count; k++)
            wrong += fl_map_find(map, k) != NULL;
        for (uint64_t k = 0; k < count; k++)
            put(k, k + i);
        for (uint64_t k = 0; k < count; k++)
            wrong += *fl_map_find(map, k) != k + i;
        ck_assert_uint_eq(wrong, 0);
        ck_assert_uint_eq(fl_map_count(map), count);
    }
}
END_TEST

START_TEST(a_restart_without_memory_leaves_it_empty)
{
    put(1, 1);
    fl_mem_fail_after(0);
    ck_assert_fails(FL_E_NOMEM, fl_map_restart(map, 1000, NULL));
    ck_assert_uint_eq(fl_map_count(map), 0);
    ck_assert_ptr_null(fl_map_find(map, 1));
    ck_assert_ok(fl_map_restart(map, 10, &err)); /* takes none */
    fl_mem_fail_after(-1);
    put(1, 2);
    ck_assert_uint_eq(*fl_map_find(map, 1), 2);
}
END_TEST

START_TEST(over_its_budget_it_refuses_new_keys_only)
{
    fl_map *small;
    uint64_t *slot;
    ck_assert_ok(fl_map_create(&small, 2, &err));
    ck_assert_ok(fl_map_slot(&slot, small, 0, NULL, &err));
    ck_assert_ok(fl_map_slot(&slot, small, 1, NULL, &err));
    ck_assert_fails(FL_E_LIMIT, fl_map_slot(&slot, small, 2, NULL, &err));
    ck_assert_str_eq(err.message, "a map exceeds 2 keys");
    ck_assert_fails(FL_E_LIMIT, fl_map_slot(&slot, small, 3, NULL, NULL));
    ck_assert_int_eq(fl_map_slot(&slot, small, 1, NULL, NULL), FL_OK);
    ck_assert_uint_eq(fl_map_count(small), 2);
    fl_map_destroy(small);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    fl_map *other;
    for (long allowed = 0; allowed < 2; allowed++) {
        fl_mem_fail_after(allowed);
        ck_assert_fails(FL_E_NOMEM, fl_map_create(&other, 10, NULL));
        ck_assert_ptr_null(other);
    }
    fl_mem_fail_after(-1);
    for (uint64_t i = 0; i < 5000; i++) {
        uint64_t *slot;
        fl_mem_fail_after(0);
        fl_status status = fl_map_slot(&slot, map, i, NULL, NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_uint_eq(fl_map_count(map), status == FL_OK ? i + 1 : i);
        put(i, i + 1);
    }
    for (uint64_t i = 0; i < 5000; i++)
        ck_assert_uint_eq(*fl_map_find(map, i), i + 1);
}
END_TEST

/* The same random operations on the map and on a plain array. */
START_TEST(it_does_what_an_array_does)
{
    enum { KEYS = 4096 };
    static uint64_t values[KEYS];
    static bool present[KEYS];
    size_t count = 0;
    uint64_t noise = 3;
    for (int i = 0; i < 300000; i++) {
        noise = fl_hash_mix(noise + 1);
        size_t k = noise % KEYS;
        uint64_t key = fl_hash_mix(k), *found = fl_map_find(map, key);
        if ((found != NULL) != present[k] || (present[k] && *found != values[k]))
            ck_abort_msg("step %d: key %zu is not as in the array", i, k);
        if (noise >> 60 == 0) {
            count += !present[k];
            present[k] = true;
            values[k] = noise;
            put(key, noise);
        }
        if (noise >> 48 == 7) {
            fl_map_clear(map);
            memset(present, 0, sizeof(present));
            count = 0;
        }
        if (fl_map_count(map) != count)
            ck_abort_msg("step %d: %zu keys, not %zu", i, fl_map_count(map), count);
    }
}
END_TEST

static Suite *map_suite(void)
{
    Suite *suite = suite_create("base/map");
    TCase *cases = tcase_create("map");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_key_keeps_its_value);
    tcase_add_test(cases, every_key_may_be_used);
    tcase_add_loop_test(cases, values_survive_growth_whatever_the_keys_look_like, 0, 7);
    tcase_add_test(cases, a_walk_sees_each_pair_once);
    tcase_add_test(cases, a_cleared_map_is_empty_and_usable);
    tcase_add_test(cases, a_restarted_map_is_empty_and_usable_whatever_size_it_had);
    tcase_add_test(cases, a_restart_without_memory_leaves_it_empty);
    tcase_add_test(cases, over_its_budget_it_refuses_new_keys_only);
    tcase_add_test(cases, each_allocation_may_fail);
    tcase_add_test(cases, it_does_what_an_array_does);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(map_suite)
