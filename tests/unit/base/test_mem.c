#include "mem.h"

#include "fl_test.h"

static void teardown(void)
{
    fl_mem_fail_after(-1);
}

START_TEST(no_bytes_are_still_a_block)
{
    void *blocks[] = {fl_mem_alloc(0), fl_mem_calloc(0, 8), fl_mem_calloc(8, 0),
                      fl_mem_realloc(NULL, 0, 8), fl_mem_realloc(fl_mem_alloc(10), 8, 0)};
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        ck_assert_ptr_nonnull(blocks[i]);
        fl_mem_free(blocks[i]);
    }
    fl_mem_free(NULL);
}
END_TEST

START_TEST(a_product_that_overflows_is_refused)
{
    size_t volatile half = SIZE_MAX / 2; /* kept from the compiler, which would warn */
    ck_assert_ptr_null(fl_mem_calloc(half, 3));
    ck_assert_ptr_null(fl_mem_calloc(half + 1, 2));
    char *block = fl_mem_alloc(4);
    memcpy(block, "kept", 4);
    ck_assert_ptr_null(fl_mem_realloc(block, half, 3));
    ck_assert_ptr_null(fl_mem_realloc(block, half + 1, 2)); /* 0 when it wraps */
    ck_assert_mem_eq(block, "kept", 4);
    fl_mem_free(block);
}
END_TEST

START_TEST(calloc_zeroes_and_realloc_keeps)
{
    unsigned char *block = fl_mem_calloc(100, 3);
    for (size_t i = 0; i < 300; i++) {
        ck_assert_uint_eq(block[i], 0);
        block[i] = (unsigned char)i;
    }
    block = fl_mem_realloc(block, 1000, 3);
    for (size_t i = 0; i < 300; i++)
        ck_assert_uint_eq(block[i], (unsigned char)i);
    fl_mem_free(block);
}
END_TEST

START_TEST(a_test_may_choose_which_allocation_fails)
{
    void *blocks[2];
    fl_mem_fail_after(2);
    blocks[0] = fl_mem_alloc(1);
    blocks[1] = fl_mem_calloc(1, 1);
    ck_assert_ptr_nonnull(blocks[0]);
    ck_assert_ptr_nonnull(blocks[1]);
    ck_assert_ptr_null(fl_mem_alloc(1));
    ck_assert_ptr_null(fl_mem_calloc(1, 1));
    ck_assert_ptr_null(fl_mem_realloc(blocks[0], 1, 1));
    ck_assert_ptr_null(fl_mem_alloc(1)); /* and all after it */
    fl_mem_fail_after(-1);
    blocks[0] = fl_mem_realloc(blocks[0], 2, 1);
    ck_assert_ptr_nonnull(blocks[0]);
    fl_mem_free(blocks[0]);
    fl_mem_free(blocks[1]);
}
END_TEST

START_TEST(a_hint_changes_no_byte_and_never_fails)
{
    static const size_t sizes[] = {0, 1, 4096, (4 << 20) - 1, 4 << 20, (9 << 20) + 1};
    fl_mem_expect_fill(NULL, 8 << 20);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t cap = sizes[i] + 1;
        unsigned char *bytes = fl_mem_alloc(cap);
        memset(bytes, 7, cap);
        fl_mem_expect_fill(bytes, cap);
        for (size_t at = 0; at < cap; at++)
            ck_assert(bytes[at] == 7);
        fl_mem_free(bytes);
    }
}
END_TEST

static Suite *mem_suite(void)
{
    Suite *suite = suite_create("base/mem");
    TCase *cases = tcase_create("mem");
    tcase_add_checked_fixture(cases, NULL, teardown);
    tcase_add_test(cases, no_bytes_are_still_a_block);
    tcase_add_test(cases, a_product_that_overflows_is_refused);
    tcase_add_test(cases, calloc_zeroes_and_realloc_keeps);
    tcase_add_test(cases, a_hint_changes_no_byte_and_never_fails);
    tcase_add_test(cases, a_test_may_choose_which_allocation_fails);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(mem_suite)
