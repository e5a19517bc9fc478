#include "pack.h"

#include "fl_test.h"
#include "mem.h"

static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
}

START_TEST(what_was_packed_comes_back_and_is_smaller)
{
    fl_buf plain = fl_buf_of(1 << 20), packed = fl_buf_of(1 << 20), back = fl_buf_of(1 << 20);
    for (int i = 0; i < 5000; i++)
        fl_buf_printf(&plain, "%d,", i % 50);
    ck_assert_ok(fl_pack(&packed, fl_buf_slice(&plain), "a list", &err));
    ck_assert_uint_lt(packed.len, plain.len / 10);
    ck_assert_ok(fl_unpack(&back, fl_buf_slice(&packed), 1 << 20, "a list", &err));
    ck_assert_str_eq(back.ptr, plain.ptr);
    fl_buf_dispose(&plain);
    fl_buf_dispose(&packed);
    fl_buf_dispose(&back);
}
END_TEST

START_TEST(nothing_is_packed_too)
{
    fl_buf packed = fl_buf_of(100), back = fl_buf_of(100);
    ck_assert_ok(fl_pack(&packed, (fl_slice){0}, "nothing", &err));
    ck_assert_uint_gt(packed.len, 0);
    ck_assert_ok(fl_unpack(&back, fl_buf_slice(&packed), 100, "nothing", &err));
    ck_assert_uint_eq(back.len, 0);
    fl_buf_dispose(&packed);
    fl_buf_dispose(&back);
}
END_TEST

START_TEST(every_prefix_and_every_flipped_byte_fail_cleanly)
{
    fl_buf packed = fl_buf_of(1 << 16), back = fl_buf_of(1 << 16);
    ck_assert_ok(fl_pack(&packed, BYTES("one two three four one two three four"), "it", &err));
    for (size_t len = 0; len < packed.len; len++) {
        fl_error own = {0};
        ck_assert_fails(FL_E_SYNTAX, fl_unpack(&back, (fl_slice){(unsigned char *)packed.ptr, len},
                                               1 << 16, "it", &own));
        ck_assert(strncmp(own.message, "it is ", 6) == 0);
        ck_assert_uint_eq(back.len, 0);
    }
    for (size_t at = 0; at < packed.len; at++) {
        packed.ptr[at] ^= 0x55;
        fl_buf_clear(&back);
        fl_status status = fl_unpack(&back, fl_buf_slice(&packed), 1 << 16, "it", NULL);
        ck_assert(status == FL_OK || status == FL_E_SYNTAX || status == FL_E_LIMIT);
        packed.ptr[at] ^= 0x55;
    }
    fl_buf_dispose(&packed);
    fl_buf_dispose(&back);
}
END_TEST

START_TEST(what_is_too_large_is_refused_before_it_is_made)
{
    fl_buf packed = fl_buf_of(1 << 16), back = fl_buf_of(1 << 16);
    ck_assert_ok(fl_pack(&packed, BYTES("0123456789"), "it", &err));
    ck_assert_fails(FL_E_LIMIT, fl_unpack(&back, fl_buf_slice(&packed), 9, "it", &err));
    ck_assert_str_eq(err.message, "it is larger than 9 bytes");
    fl_buf small = fl_buf_of(4);
    err = (fl_error){0};
    ck_assert_fails(FL_E_LIMIT, fl_pack(&small, BYTES("0123456789"), "it", &err));
    ck_assert_str_eq(err.message, "it is larger than 4 bytes");
    fl_buf_dispose(&packed);
    fl_buf_dispose(&back);
    fl_buf_dispose(&small);
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_status status = FL_E_NOMEM;
    long allowed = 0;
    for (; status != FL_OK; allowed++) {
        fl_buf packed = fl_buf_of(1 << 16), back = fl_buf_of(1 << 16);
        fl_mem_fail_after(allowed);
        status = fl_pack(&packed, BYTES("abc"), "it", NULL);
        if (status == FL_OK)
            status = fl_unpack(&back, fl_buf_slice(&packed), 1 << 16, "it", NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        fl_buf_dispose(&packed);
        fl_buf_dispose(&back);
    }
    ck_assert_int_gt(allowed, 3);
}
END_TEST

static Suite *pack_suite(void)
{
    Suite *suite = suite_create("base/pack");
    TCase *cases = tcase_create("pack");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, what_was_packed_comes_back_and_is_smaller);
    tcase_add_test(cases, nothing_is_packed_too);
    tcase_add_test(cases, every_prefix_and_every_flipped_byte_fail_cleanly);
    tcase_add_test(cases, what_is_too_large_is_refused_before_it_is_made);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(pack_suite)
