#include "arena.h"

#include <stdbool.h>

#include "fl_test.h"
#include "mem.h"

static fl_arena arena;

static void setup(void)
{
    arena = fl_arena_of(64u << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
}

static bool is_filled(const unsigned char *bytes, size_t len, unsigned char with)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != with)
            return false;
    return true;
}

START_TEST(memory_is_zeroed_and_aligned)
{
    for (size_t i = 1; i < 300; i++) {
        unsigned char *text = fl_arena_bytes(&arena, i % 7);
        ck_assert_ptr_nonnull(text);
        memset(text, 0xff, i % 7);
        unsigned char *ptr = fl_arena_alloc(&arena, i, 3);
        ck_assert_ptr_nonnull(ptr);
        ck_assert_uint_eq((uintptr_t)ptr % _Alignof(max_align_t), 0);
        ck_assert(is_filled(ptr, i * 3, 0));
        memset(ptr, 0xff, i * 3);
    }
}
END_TEST

/* Blocks of all sizes are filled with their number and looked at in the end. */
START_TEST(nothing_moves_and_nothing_overlaps)
{
    enum { COUNT = 400 };
    unsigned char *blocks[COUNT];
    size_t lengths[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        lengths[i] = i % 50 == 0 ? 300000 + i : i * 37 % 5000;
        blocks[i] = fl_arena_bytes(&arena, lengths[i]);
        ck_assert_ptr_nonnull(blocks[i]);
        memset(blocks[i], (int)(i % 251), lengths[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        ck_assert(is_filled(blocks[i], lengths[i], (unsigned char)(i % 251)));
}
END_TEST

START_TEST(over_its_budget_it_gives_null_and_stays_usable)
{
    arena.max_bytes = 100;
    ck_assert_ptr_nonnull(fl_arena_bytes(&arena, 60));
    ck_assert_ptr_null(fl_arena_bytes(&arena, 41));
    ck_assert_ptr_null(fl_arena_alloc(&arena, SIZE_MAX / 2, 3));
    ck_assert_ptr_null(fl_arena_alloc(&arena, SIZE_MAX, 1));
    ck_assert_ptr_null(fl_arena_copy(&arena, (fl_slice){(const unsigned char *)"", SIZE_MAX}).ptr);
    ck_assert_ptr_null(fl_arena_cstr(&arena, (fl_slice){(const unsigned char *)"", SIZE_MAX}));
    ck_assert_ptr_null(fl_arena_printf(&arena, "%50s", "x"));
    ck_assert_ptr_nonnull(fl_arena_bytes(&arena, 40));
    ck_assert_uint_eq(arena.used_bytes, 100);
    ck_assert_ptr_nonnull(fl_arena_bytes(&arena, 0));
    ck_assert_ptr_null(fl_arena_bytes(&arena, 1));
    fl_arena_reset(&arena);
    ck_assert_ptr_nonnull(fl_arena_bytes(&arena, 100));
}
END_TEST

START_TEST(a_reset_arena_takes_no_new_memory_for_the_same_work)
{
    for (int round = 0; round < 3; round++) {
        if (round == 2)
            fl_mem_fail_after(0);
        for (int i = 0; i < 20; i++)
            ck_assert_ptr_nonnull(fl_arena_alloc(&arena, 1, 160));
        fl_arena_reset(&arena);
        ck_assert_uint_eq(arena.used_bytes, 0);
    }
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
    fl_arena_reset(&arena); /* of an empty one: nothing to do */
    ck_assert_ptr_nonnull(fl_arena_bytes(&arena, 1));
}
END_TEST

START_TEST(a_huge_first_request_is_given_back_by_reset)
{
    ck_assert_ptr_nonnull(fl_arena_bytes(&arena, 5 << 20));
    fl_arena_reset(&arena);
    ck_assert_ptr_null(arena.head);
}
END_TEST

START_TEST(text_is_copied)
{
    fl_slice empty = fl_arena_copy(&arena, (fl_slice){0});
    ck_assert_ptr_nonnull(empty.ptr);
    ck_assert_uint_eq(empty.len, 0);
    char source[] = "a\0b";
    fl_slice copy = fl_arena_copy(&arena, (fl_slice){(unsigned char *)source, 3});
    char *text = fl_arena_cstr(&arena, (fl_slice){(unsigned char *)source, 3});
    memset(source, 'x', 3);
    ck_assert_uint_eq(copy.len, 3);
    ck_assert_mem_eq(copy.ptr, "a\0b", 3);
    ck_assert_str_eq(text, "a?b");
    ck_assert_str_eq(fl_arena_cstr(&arena, (fl_slice){0}), "");
    ck_assert_str_eq(fl_arena_printf(&arena, "%s has %d", "it", 12), "it has 12");
    ck_assert_uint_eq(strlen(fl_arena_printf(&arena, "%10000d", 1)), 10000);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
    fl_mem_fail_after(0);
    ck_assert_ptr_null(fl_arena_alloc(&arena, 1, 1));
    ck_assert_ptr_null(fl_arena_copy(&arena, SLICE("x")).ptr);
    ck_assert_ptr_null(fl_arena_printf(&arena, "x"));
    ck_assert_uint_eq(arena.used_bytes, 0);
    fl_mem_fail_after(1);
    ck_assert_ptr_nonnull(fl_arena_bytes(&arena, 4000));
    ck_assert_ptr_null(fl_arena_bytes(&arena, 4000));
    ck_assert_ptr_nonnull(fl_arena_bytes(&arena, 96)); /* what was there is still used */
}
END_TEST

static Suite *arena_suite(void)
{
    Suite *suite = suite_create("base/arena");
    TCase *cases = tcase_create("arena");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, memory_is_zeroed_and_aligned);
    tcase_add_test(cases, nothing_moves_and_nothing_overlaps);
    tcase_add_test(cases, over_its_budget_it_gives_null_and_stays_usable);
    tcase_add_test(cases, a_reset_arena_takes_no_new_memory_for_the_same_work);
    tcase_add_test(cases, a_huge_first_request_is_given_back_by_reset);
    tcase_add_test(cases, text_is_copied);
    tcase_add_test(cases, each_allocation_may_fail);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(arena_suite)
