#include "column.h"

#include <math.h>

#include "fl_test.h"

static fl_error err;
static fl_buf buf;

static void set_up(void)
{
    err = (fl_error){0};
    buf = fl_buf_of(1 << 20);
}

static void tear_down(void)
{
    fl_buf_dispose(&buf);
}

/* The bytes it takes, after it has come back. */
static size_t i64_len(const int64_t *values, size_t count)
{
    int64_t back[1000];
    fl_buf_clear(&buf);
    fl_column_put_i64(&buf, values, count);
    fl_reader in = fl_reader_over(fl_buf_slice(&buf));
    ck_assert_ok(fl_column_i64(back, count, &in, &err));
    ck_assert(fl_reader_done(&in));
    if (count > 0)
        ck_assert_mem_eq(back, values, count * sizeof(back[0]));
    in = fl_reader_over(fl_buf_slice(&buf));
    ck_assert_ok(fl_column_skip_i64(count, &in, &err));
    ck_assert(fl_reader_done(&in));
    return buf.len;
}

static size_t f64_len(const double *values, size_t count)
{
    double back[1000];
    fl_buf_clear(&buf);
    fl_column_put_f64(&buf, values, count);
    fl_reader in = fl_reader_over(fl_buf_slice(&buf));
    ck_assert_ok(fl_column_f64(back, count, &in, &err));
    ck_assert(fl_reader_done(&in));
    if (count > 0)
        ck_assert_mem_eq(back, values, count * sizeof(back[0]));
    in = fl_reader_over(fl_buf_slice(&buf));
    ck_assert_ok(fl_column_skip_f64(count, &in, &err));
    ck_assert(fl_reader_done(&in));
    return buf.len;
}

START_TEST(moments_at_a_fixed_step_take_a_byte_each)
{
    int64_t times[100];
    for (int64_t i = 0; i < 100; i++)
        times[i] = INT64_C(1700000000000000000) + i * INT64_C(15000000000);
    ck_assert_uint_eq(i64_len(times, 100), 1 + 5 + 1 + 98);
    times[50] += 2000000; /* two milliseconds late */
    ck_assert_uint_le(i64_len(times, 100), 1 + 7 + 4 + 100);
}
END_TEST

START_TEST(what_stays_the_same_is_written_once)
{
    int64_t same[1000];
    double pi[1000];
    for (size_t i = 0; i < 1000; i++) {
        same[i] = -7000;
        pi[i] = 0.25;
    }
    ck_assert_uint_eq(i64_len(same, 1000), 2);
    ck_assert_uint_le(f64_len(pi, 1000), 1 + 4 * 3);
}
END_TEST

START_TEST(extreme_integers_come_back)
{
    const int64_t ends[] = {INT64_MIN, INT64_MAX, 0, -1, INT64_MAX, INT64_MIN, INT64_MIN, 1};
    for (size_t count = 0; count <= 8; count++)
        i64_len(ends, count);
    i64_len((const int64_t[]){INT64_MIN}, 1);
}
END_TEST

START_TEST(ids_take_no_more_than_they_have)
{
    int64_t ids[100];
    uint64_t state = 1;
    for (size_t i = 0; i < 100; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ids[i] = (int64_t)(state ^ state >> 29);
    }
    ck_assert_uint_le(i64_len(ids, 100), 1 + 800);
}
END_TEST

START_TEST(decimal_fractions_are_kept_as_integers)
{
    double shares[100];
    for (int i = 0; i < 100; i++)
        shares[i] = (double)(5000 + i % 7) / 1000;
    ck_assert_uint_le(f64_len(shares, 100), 1 + 1 + 2 + 99);
}
END_TEST

START_TEST(every_double_comes_back_bit_by_bit)
{
    const uint64_t bits[] = {UINT64_C(0x7ff0000000000002), UINT64_C(0x7ff8000000000001),
                             UINT64_C(0xfff0000000000000), UINT64_C(0x7ff0000000000000),
                             UINT64_C(0x8000000000000000), 1,
                             UINT64_C(0x7fefffffffffffff), UINT64_C(0x0123456789abcdef)};
    double values[8 + 6] = {0};
    memcpy(values, bits, sizeof(bits));
    const double more[] = {0.1, 1.0 / 3, 9007199254740993.0, 1e300, -0.3, 123456.789};
    memcpy(values + 8, more, sizeof(more));
    for (size_t from = 0; from < 14; from++)
        for (size_t count = 0; from + count <= 14; count++)
            f64_len(values + from, count);
}
END_TEST

START_TEST(random_columns_come_back)
{
    uint64_t state = 88172645463325252u;
    for (int round = 0; round < 300; round++) {
        int64_t integers[600];
        double reals[600];
        size_t count = (size_t)(round * 2 + 1) % 600;
        for (size_t i = 0; i < count; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            integers[i] = (int64_t)(state >> round % 64);
            reals[i] = (double)(int64_t)(state >> (40 + round % 20)) / (round % 3 == 0 ? 100 : 7);
        }
        i64_len(integers, count);
        f64_len(reals, count);
    }
}
END_TEST

static const struct refused {
    fl_slice bytes;
    bool is_real;
    const char *message;
    uint64_t offset;
} refused[] = {
    {BYTES_INIT(""), false, "a column ends too early", 0},
    {BYTES_INIT("\x04\x01"), false, "a column is written in an unknown way", 0},
    {BYTES_INIT("\x03\x01"), false, "a column ends too early", 2},
    {BYTES_INIT("\xa1\x01"), false, "a column is written in an unknown way", 0},
    {BYTES_INIT("\x01\x02"), false, "a column ends too early", 2},
    {BYTES_INIT("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), false, "a column ends too early",
     11},
    {BYTES_INIT("\x02"), true, "a column is written in an unknown way", 0},
    {BYTES_INIT("\x70\x00\x00"), true, "a column is written in an unknown way", 0},
    {BYTES_INIT("\x01\x08"), true, "a column ends too early", 2},
    {BYTES_INIT("\x01\x81"), true, "a number has more than 64 bits", 1},
};

START_TEST(a_malformed_column_is_refused_at_its_place)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        int64_t integers[3];
        double reals[3];
        fl_error own = {0};
        fl_reader in = fl_reader_over(refused[i].bytes);
        fl_status status = refused[i].is_real ? fl_column_f64(reals, 3, &in, &own)
                                              : fl_column_i64(integers, 3, &in, &own);
        ck_assert_int_ne(status, FL_OK);
        ck_assert_str_eq(own.message, refused[i].message);
        ck_assert_msg(own.offset == refused[i].offset, "%d: %d", (int)i, (int)own.offset);
        own = (fl_error){0};
        in = fl_reader_over(refused[i].bytes);
        ck_assert_fails(status, refused[i].is_real ? fl_column_skip_f64(3, &in, &own)
                                                   : fl_column_skip_i64(3, &in, &own));
        ck_assert_str_eq(own.message, refused[i].message);
    }
}
END_TEST

START_TEST(every_prefix_of_a_column_is_refused)
{
    double values[40], back[40];
    for (int i = 0; i < 40; i++)
        values[i] = i % 3 == 0 ? 1.0 / (i + 1) : i;
    fl_column_put_f64(&buf, values, 40);
    for (size_t len = 0; len < buf.len; len++) {
        fl_error own = {0};
        fl_reader in = fl_reader_over((fl_slice){(unsigned char *)buf.ptr, len});
        ck_assert_fails(FL_E_TRUNCATED, fl_column_f64(back, 40, &in, &own));
        in = fl_reader_over((fl_slice){(unsigned char *)buf.ptr, len});
        own = (fl_error){0};
        ck_assert_fails(FL_E_TRUNCATED, fl_column_skip_f64(40, &in, &own));
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("base/column");
    TCase *tcase = tcase_create("column");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, moments_at_a_fixed_step_take_a_byte_each);
    tcase_add_test(tcase, what_stays_the_same_is_written_once);
    tcase_add_test(tcase, extreme_integers_come_back);
    tcase_add_test(tcase, ids_take_no_more_than_they_have);
    tcase_add_test(tcase, decimal_fractions_are_kept_as_integers);
    tcase_add_test(tcase, every_double_comes_back_bit_by_bit);
    tcase_add_test(tcase, random_columns_come_back);
    tcase_add_test(tcase, a_malformed_column_is_refused_at_its_place);
    tcase_add_test(tcase, every_prefix_of_a_column_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

FL_TEST_MAIN(make_suite)
