#include "crc32c.h"

#include "fl_test.h"

/* RFC 3720, appendix B.4. */
START_TEST(the_values_of_the_standard_come_out)
{
    unsigned char bytes[32] = {0};
    ck_assert_uint_eq(fl_crc32c(0, (fl_slice){bytes, 32}), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof(bytes));
    ck_assert_uint_eq(fl_crc32c(0, (fl_slice){bytes, 32}), 0x62A8AB43);
    for (unsigned char i = 0; i < 32; i++)
        bytes[i] = i;
    ck_assert_uint_eq(fl_crc32c(0, (fl_slice){bytes, 32}), 0x46DD794E);
    for (unsigned char i = 0; i < 32; i++)
        bytes[i] = (unsigned char)(31 - i);
    ck_assert_uint_eq(fl_crc32c(0, (fl_slice){bytes, 32}), 0x113FDB5C);
    ck_assert_uint_eq(fl_crc32c(0, SLICE("123456789")), 0xE3069283);
    ck_assert_uint_eq(fl_crc32c(0, (fl_slice){0}), 0);
}
END_TEST

START_TEST(both_ways_agree_at_every_length_and_alignment)
{
    unsigned char bytes[80];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t from = 0; from < 9; from++)
        for (size_t len = 0; from + len <= sizeof(bytes); len++) {
            fl_slice part = {bytes + from, len};
            ck_assert_uint_eq(fl_crc32c(7, part), fl_crc32c_portable(7, part));
        }
}
END_TEST

START_TEST(parts_give_what_the_whole_gives)
{
    fl_slice whole = SLICE("a record of some length");
    for (size_t cut = 0; cut <= whole.len; cut++) {
        uint32_t first = fl_crc32c(0, (fl_slice){whole.ptr, cut});
        ck_assert_uint_eq(fl_crc32c(first, (fl_slice){whole.ptr + cut, whole.len - cut}),
                          fl_crc32c(0, whole));
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("disk/crc32c");
    TCase *tcase = tcase_create("crc32c");
    tcase_add_test(tcase, the_values_of_the_standard_come_out);
    tcase_add_test(tcase, both_ways_agree_at_every_length_and_alignment);
    tcase_add_test(tcase, parts_give_what_the_whole_gives);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
