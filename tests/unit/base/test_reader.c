#include "reader.h"

#include "fl_test.h"

START_TEST(numbers_are_big_endian_of_any_width)
{
    fl_slice bytes = BYTES("\x01\x02\x03\x04\x05\x06\x07\x08\xff");
    static const uint64_t expected[] = {0x01,
                                        0x0102,
                                        0x010203,
                                        0x01020304,
                                        UINT64_C(0x0102030405),
                                        UINT64_C(0x010203040506),
                                        UINT64_C(0x01020304050607),
                                        UINT64_C(0x0102030405060708)};
    for (size_t width = 1; width <= 8; width++) {
        fl_reader in = fl_reader_over(bytes);
        ck_assert_uint_eq(fl_read_be(&in, width), expected[width - 1]);
        ck_assert_uint_eq(in.pos, width);
        ck_assert(!in.short_read && !fl_reader_done(&in));
    }
}
END_TEST

START_TEST(bytes_are_borrowed)
{
    fl_slice bytes = BYTES("hello");
    fl_reader in = fl_reader_over(bytes);
    fl_slice part = fl_read_bytes(&in, 2);
    ck_assert_ptr_eq(part.ptr, bytes.ptr);
    ck_assert_uint_eq(part.len, 2);
    part = fl_read_bytes(&in, 0);
    ck_assert_uint_eq(part.len, 0);
    ck_assert(!in.short_read);
    part = fl_read_bytes(&in, 3);
    ck_assert_mem_eq(part.ptr, "llo", 3);
    ck_assert(fl_reader_done(&in) && !in.short_read);
}
END_TEST

START_TEST(a_short_read_sticks_and_moves_nothing)
{
    fl_reader in = fl_reader_over(BYTES("abc"));
    ck_assert_uint_eq(fl_read_be(&in, 4), 0);
    ck_assert(in.short_read);
    ck_assert_uint_eq(in.pos, 0);
    ck_assert_uint_eq(fl_read_be(&in, 1), 0); /* there is one, but the reader has failed */
    ck_assert_uint_eq(fl_read_bytes(&in, 1).len, 0);
    ck_assert_uint_eq(in.pos, 0);
}
END_TEST

START_TEST(a_length_that_would_wrap_is_a_short_read)
{
    fl_reader in = fl_reader_over(BYTES("abc"));
    ck_assert_uint_eq(fl_read_be(&in, 1), 'a');
    ck_assert_ptr_null(fl_read_bytes(&in, UINT64_MAX).ptr);
    ck_assert(in.short_read);
    ck_assert_uint_eq(in.pos, 1);
}
END_TEST

START_TEST(no_bytes_are_done_at_once)
{
    fl_reader in = fl_reader_over((fl_slice){0});
    ck_assert(fl_reader_done(&in));
    ck_assert_uint_eq(fl_read_bytes(&in, 0).len, 0);
    ck_assert(!in.short_read);
    ck_assert_uint_eq(fl_read_be(&in, 1), 0);
    ck_assert(in.short_read);
}
END_TEST

static Suite *reader_suite(void)
{
    Suite *suite = suite_create("base/reader");
    TCase *cases = tcase_create("reader");
    tcase_add_test(cases, numbers_are_big_endian_of_any_width);
    tcase_add_test(cases, bytes_are_borrowed);
    tcase_add_test(cases, a_short_read_sticks_and_moves_nothing);
    tcase_add_test(cases, a_length_that_would_wrap_is_a_short_read);
    tcase_add_test(cases, no_bytes_are_done_at_once);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(reader_suite)
