#include "number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "fl_test.h"
#include "pow5.h"
#include "slice.h"

/* SplitMix64, so that a failure can be repeated. */
static uint64_t seed;

static uint64_t next_random(void)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Bits are compared, so that -0 is not 0. */
static void check_like_strtod(const char *text)
{
    double expected = strtod(text, NULL), got = 12345;
    bool fits = fl_parse_double(SLICE(text), &got);
    if (fits != !isinf(expected)) /* check notes each ck_assert in a file: only the failing ones */
        ck_abort_msg("%s: %s", text, fits ? "taken" : "refused");
    if (!fits)
        expected = 12345; /* untouched */
    if (memcmp(&got, &expected, sizeof(got)) != 0)
        ck_abort_msg("%s: %.17g, not %.17g", text, got, expected);
}

static const char *const doubles[] = {
    "0",
    "-0",
    "0.0",
    "-0.0e5",
    "1",
    "-1",
    "0.1",
    "123.456",
    "1e22",
    "1e23",
    "1E+2",
    "1e-2",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "9007199254740995",
    "9007199254740993.0000000000000000000000000000001",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "1e309",
    "-1e309",
    "1e99999999999999999999999",
    "2e-324",
    "3e-324",
    "4.9e-324",
    "2.2250738585072011e-308",
    "2.2250738585072014e-308",
    "1e-400",
    "-1e-400",
    "1e-99999999999999999999999",
    "0e99999999999999999999999",
    "0.000000000000000000000000000001",
    "100000000000000000000000000000000000000000000000000000000e-50",
    "0.00000000000000000000000000000000000000000000000001e50",
    "6.02214076e23",
    "1.602176634e-19",
    "1234567890123456789e40",
    "1234567890123456789e-40",
    "1234567890123456789e41",
    "8.5e-41",
    "12345678901234567890123456789",
    "0.3000000000000000166533453694",
    "45.345119999999994",
    "0.0009992409030000001",
    "123456789.12345678"};

START_TEST(doubles_are_those_of_strtod)
{
    check_like_strtod(doubles[_i]);
}
END_TEST

START_TEST(random_decimals_are_those_of_strtod)
{
    char text[64];
    seed = 1;
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t digits = next_random() >> next_random() % 64;
        int power = (int)(next_random() % 100) - 50;
        snprintf(text, sizeof(text), "%s%" PRIu64 "e%d", i & 1 ? "-" : "", digits, power);
        check_like_strtod(text);
    }
}
END_TEST

START_TEST(any_double_printed_with_17_digits_comes_back)
{
    char text[64];
    seed = 2;
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t bits = next_random();
        if (i & 1) /* half of them near 1, as measurements are */
            bits = (bits & UINT64_C(0x800fffffffffffff)) | (1023 - 20 + next_random() % 40) << 52;
        double value, got;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value))
            continue;
        snprintf(text, sizeof(text), i & 2 ? "%.17g" : "%.16e", value);
        if (!fl_parse_double(SLICE(text), &got) || memcmp(&got, &value, sizeof(got)) != 0)
            ck_abort_msg("%s: %.17g", text, got);
    }
}
END_TEST

/* A multiple of a power of two that lies exactly between two doubles, and its neighbours. */
START_TEST(halfway_points_go_to_even)
{
    char text[64];
    seed = 3;
    for (unsigned i = 0; i < 100000; i++) {
        unsigned extra = 1 + (unsigned)(next_random() % 10); /* bits beyond the 53 */
        uint64_t half = ((next_random() >> 11 | UINT64_C(1) << 52) << 1 | 1) << (extra - 1);
        for (uint64_t value = half - 1; value <= half + 1; value++) {
            snprintf(text, sizeof(text), "%" PRIu64, value);
            check_like_strtod(text);
            snprintf(text, sizeof(text), "%" PRIu64 "e%u", value, (unsigned)(next_random() % 25));
            check_like_strtod(text);
        }
    }
}
END_TEST

START_TEST(a_thousand_digits_still_decide)
{
    static char text[4096];
    seed = 4;
    for (unsigned i = 0; i < 300; i++) {
        uint64_t bits = next_random() % (UINT64_C(0x7fe) << 52);
        double low;
        memcpy(&low, &bits, sizeof(low));
        double high = nextafter(low, INFINITY);
        /* Their mean in full, where the platform's long double can hold it, and a digit more. */
        int len =
            snprintf(text, sizeof(text), "%.1100Le", ((long double)low + (long double)high) / 2);
        ck_assert_int_lt(len, (int)sizeof(text) - 2);
        check_like_strtod(text);
        char *exponent = strchr(text, 'e');
        exponent[-1] = '1';
        check_like_strtod(text);
        memset(text, '9', 1500);
        snprintf(text + 1500, sizeof(text) - 1500, ".5e%d", -(int)(next_random() % 1800));
        check_like_strtod(text);
    }
}
END_TEST

/* 5^n, or a row times it, in base 2^32; enough words for 2^128 * 5^40. */
enum { WORDS = 8 };

static void multiply(uint32_t *number, uint32_t factor)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < WORDS; i++) {
        carry += (uint64_t)number[i] * factor;
        number[i] = (uint32_t)carry;
        carry >>= 32;
    }
    ck_assert_uint_eq(carry, 0);
}

static int bit_length(const uint32_t *number)
{
    for (int i = WORDS * 32 - 1; i >= 0; i--)
        if (number[i / 32] >> (i % 32) & 1)
            return i + 1;
    return 0;
}

static void load_row(uint32_t *number, int q)
{
    const uint64_t *row = fl_pow5[q - FL_POW5_MIN];
    memset(number, 0, WORDS * sizeof(*number));
    for (size_t i = 0; i < 4; i++)
        number[i] = (uint32_t)(row[1 - i / 2] >> (i % 2 * 32));
}

/* |row(-q) * 5^q - 2^b| <= 5^q for the power of two nearby: off by one unit at most. */
START_TEST(reciprocal_powers_of_five_are_right_to_the_last_bit)
{
    for (int q = 1; q <= -FL_POW5_MIN; q++) {
        uint32_t product[WORDS], five[WORDS] = {1};
        load_row(product, -q);
        ck_assert_int_eq(bit_length(product), 128);
        for (int i = 0; i < q; i++) {
            multiply(product, 5);
            multiply(five, 5);
        }
        int b = bit_length(five) + 127;
        bool above = bit_length(product) == b + 1;
        ck_assert_int_eq(above, q <= 27);
        /* The distance to 2^b, by two's complement where the product is below it. */
        uint64_t borrow = above ? 0 : 1;
        for (int i = 0; i < WORDS; i++) {
            uint64_t word = above ? product[i] : (uint64_t)(uint32_t)~product[i] + borrow;
            borrow = above ? 0 : word >> 32;
            product[i] = (uint32_t)word;
            int keep = b - i * 32; /* bits of this word below 2^b */
            if (keep < 32)
                product[i] &= keep <= 0 ? 0 : (UINT32_C(1) << keep) - 1;
        }
        int order = 0;
        for (int i = WORDS - 1; i >= 0 && order == 0; i--)
            order = (product[i] > five[i]) - (product[i] < five[i]);
        ck_assert_msg(order <= 0, "row %d", -q);
    }
}
END_TEST

START_TEST(powers_of_five_are_exact)
{
    uint32_t five[WORDS] = {1}, row[WORDS];
    for (int q = 0; q <= FL_POW5_MAX; q++, multiply(five, 5)) {
        load_row(row, q);
        ck_assert_int_eq(bit_length(row), 128);
        int shift = 128 - bit_length(five);
        for (int i = 0; i < 128; i++) {
            unsigned wanted = i < shift ? 0 : five[(i - shift) / 32] >> ((i - shift) % 32) & 1;
            ck_assert_msg((row[i / 32] >> (i % 32) & 1) == wanted, "row %d bit %d", q, i);
        }
    }
}
END_TEST

static const struct {
    const char *text;
    size_t bad_at;
    const char *why;
} not_numbers[] = {
    {"", 0, "expected a digit"},           {"-", 1, "expected a digit"},
    {"+1", 0, "expected a digit"},         {".5", 0, "expected a digit"},
    {"5.", 2, "expected a digit"},         {"-.5", 1, "expected a digit"},
    {"01", 1, "leading zero in a number"}, {"-00", 2, "leading zero in a number"},
    {"1e", 2, "expected a digit"},         {"1e+", 3, "expected a digit"},
    {"1.e5", 2, "expected a digit"},       {"1e.5", 2, "expected a digit"},
    {"--1", 1, "expected a digit"},        {"x", 0, "expected a digit"},
    {"1.5e-", 5, "expected a digit"},      {"infinity", 0, "expected a digit"},
};

START_TEST(text_that_is_no_number_is_explained)
{
    fl_decimal decimal;
    size_t bad_at = 99;
    const char *why = NULL;
    fl_slice text = SLICE(not_numbers[_i].text);
    ck_assert_uint_eq(fl_decimal_scan(&decimal, text, &bad_at, &why), 0);
    ck_assert_uint_eq(bad_at, not_numbers[_i].bad_at);
    ck_assert_str_eq(why, not_numbers[_i].why);
    double value = 7;
    ck_assert(!fl_parse_double(text, &value));
    ck_assert_double_eq(value, 7);
}
END_TEST

START_TEST(a_double_is_the_whole_text)
{
    double value = 7;
    static const char *const bad[] = {"1 ",  " 1",  "1x",        "1e5e5",     "1.5.5", "nan",
                                      "NAN", "inf", "Infinityx", "+Infinity", "0x10",  "1,5"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!fl_parse_double(SLICE(bad[i]), &value), "%s", bad[i]);
    ck_assert(!fl_parse_double((fl_slice){0}, &value));
    ck_assert_double_eq(value, 7);
    ck_assert(fl_parse_double(FL_SLICE("NaN"), &value) && isnan(value));
    ck_assert(fl_parse_double(FL_SLICE("Infinity"), &value) && isinf(value) && value > 0);
    ck_assert(fl_parse_double(FL_SLICE("-Infinity"), &value) && isinf(value) && value < 0);
}
END_TEST

START_TEST(signed_integers_are_exact_at_their_limits)
{
    int64_t value = 7;
    ck_assert(fl_parse_i64(FL_SLICE("9223372036854775807"), &value) && value == INT64_MAX);
    ck_assert(fl_parse_i64(FL_SLICE("-9223372036854775808"), &value) && value == INT64_MIN);
    ck_assert(fl_parse_i64(FL_SLICE("-9223372036854775807"), &value) && value == -INT64_MAX);
    ck_assert(fl_parse_i64(FL_SLICE("-0"), &value) && value == 0);
    ck_assert(fl_parse_i64(FL_SLICE("007"), &value) && value == 7);
    static const char *const bad[] = {"9223372036854775808",
                                      "-9223372036854775809",
                                      "",
                                      "-",
                                      "+1",
                                      "1.0",
                                      "1e3",
                                      " 1",
                                      "1 ",
                                      "0x1",
                                      "--1",
                                      "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!fl_parse_i64(SLICE(bad[i]), &value), "%s", bad[i]);
    ck_assert_int_eq(value, 7);
}
END_TEST

START_TEST(unsigned_integers_are_exact_at_their_limit)
{
    uint64_t value = 7;
    ck_assert(fl_parse_u64(FL_SLICE("18446744073709551615"), &value) && value == UINT64_MAX);
    ck_assert(fl_parse_u64(FL_SLICE("0"), &value) && value == 0);
    value = 7;
    static const char *const bad[] = {"18446744073709551616",
                                      "18446744073709551620",
                                      "28446744073709551615",
                                      "-1",
                                      "-0",
                                      "",
                                      "1.0",
                                      "1a",
                                      "184467440737095516150"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!fl_parse_u64(SLICE(bad[i]), &value), "%s", bad[i]);
    ck_assert_uint_eq(value, 7);
}
END_TEST

static const struct {
    const char *text;
    bool is_i64, is_u64;
    uint64_t value; /* as two's complement */
} integers[] = {
    {"1.0", true, true, 1},
    {"1e3", true, true, 1000},
    {"-1.50e1", true, false, (uint64_t)-15},
    {"-0.0", true, true, 0},
    {"0e999999999999999999999", true, true, 0},
    {"1.5", false, false, 0},
    {"1e-1", false, false, 0},
    {"10e-1", true, true, 1},
    {"1e19", false, true, UINT64_C(10000000000000000000)},
    {"1e20", false, false, 0},
    {"1e999999999999999999999", false, false, 0},
    {"9.223372036854775807e18", true, true, INT64_MAX},
    {"9.223372036854775808e18", false, true, UINT64_C(1) << 63},
    {"-9.223372036854775808e18", true, false, UINT64_C(1) << 63},
    {"18446744073709551615", false, true, UINT64_MAX},
    {"18446744073709551616", false, false, 0},
    {"10000000000000000000.0", false, false, 0}, /* more than 19 digits and a point */
    {"-9223372036854775808", true, false, UINT64_C(1) << 63},
    {"-0", true, true, 0},
};

START_TEST(decimals_that_are_integers_are_taken_as_such)
{
    fl_decimal decimal;
    size_t bad_at;
    const char *why;
    fl_slice text = SLICE(integers[_i].text);
    ck_assert_uint_eq(fl_decimal_scan(&decimal, text, &bad_at, &why), text.len);
    int64_t i64 = 7;
    uint64_t u64 = 7;
    ck_assert_int_eq(fl_decimal_i64(&decimal, text, &i64), integers[_i].is_i64);
    ck_assert_int_eq(i64, integers[_i].is_i64 ? (int64_t)integers[_i].value : 7);
    ck_assert_int_eq(fl_decimal_u64(&decimal, text, &u64), integers[_i].is_u64);
    ck_assert_uint_eq(u64, integers[_i].is_u64 ? integers[_i].value : 7);
}
END_TEST

START_TEST(hex_of_either_case_fills_exactly_the_bytes_asked_for)
{
    unsigned char out[4] = {0};
    ck_assert(fl_parse_hex(FL_SLICE("00fFa19B"), out, 4));
    ck_assert_mem_eq(out, "\x00\xff\xa1\x9b", 4);
    ck_assert(fl_parse_hex((fl_slice){0}, out, 0));
    ck_assert(!fl_parse_hex(FL_SLICE("00ffa1"), out, 4));
    ck_assert(!fl_parse_hex(FL_SLICE("00ffa19b00"), out, 4));
    ck_assert(!fl_parse_hex(FL_SLICE("00ffa19"), out, 4));
    for (unsigned c = 0; c < 256; c++) {
        unsigned char pair[2] = {'0', (unsigned char)c};
        bool is_hex = c > 0 && strchr("0123456789abcdefABCDEF", (int)c) != NULL;
        ck_assert_int_eq(fl_parse_hex((fl_slice){.ptr = pair, .len = 2}, out, 1), is_hex);
        if (is_hex)
            ck_assert_uint_eq(out[0], strtoul((char[]){(char)c, 0}, NULL, 16));
    }
}
END_TEST

static Suite *number_suite(void)
{
    Suite *suite = suite_create("base/number");
    TCase *cases = tcase_create("number");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, doubles_are_those_of_strtod, 0,
                        sizeof(doubles) / sizeof(doubles[0]));
    tcase_add_test(cases, random_decimals_are_those_of_strtod);
    tcase_add_test(cases, any_double_printed_with_17_digits_comes_back);
    tcase_add_test(cases, halfway_points_go_to_even);
    tcase_add_test(cases, a_thousand_digits_still_decide);
    tcase_add_test(cases, reciprocal_powers_of_five_are_right_to_the_last_bit);
    tcase_add_test(cases, powers_of_five_are_exact);
    tcase_add_loop_test(cases, text_that_is_no_number_is_explained, 0,
                        sizeof(not_numbers) / sizeof(not_numbers[0]));
    tcase_add_test(cases, a_double_is_the_whole_text);
    tcase_add_test(cases, signed_integers_are_exact_at_their_limits);
    tcase_add_test(cases, unsigned_integers_are_exact_at_their_limit);
    tcase_add_loop_test(cases, decimals_that_are_integers_are_taken_as_such, 0,
                        sizeof(integers) / sizeof(integers[0]));
    tcase_add_test(cases, hex_of_either_case_fills_exactly_the_bytes_asked_for);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(number_suite)
