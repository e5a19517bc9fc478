/*
 * number.c - JSON's number grammar, and decimal to binary:
 *
 *   number := "-"? ("0" | [1-9] digit*) ("." digit+)? ([eE] [+-]? digit+)?
 *
 * Three ways from decimal to double, each exact (correctly rounded, to even) where it answers:
 *   by_exact_power    up to 2^53 and 10^22: one operation on two exact doubles
 *   by_wide_product   19 digits and the powers of pow5.h: one or two 128-bit products (Lemire,
 *                     Number parsing at a gigabyte per second, SP&E 51(8), 2021)
 *   by_strtod         the rest: more digits, subnormal and huge numbers
 *
 * Integers do not pass through a double here: 64 bits of a counter or a time arrive as they were
 * written.
 */
#include "number.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "digits.h"
#include "pow5.h"
#include "slice.h"

enum {
    MAX_DIGITS = 19,           /* that always fit 64 bits */
    MAX_EXACT_POWER = 22,      /* 10^22 is the last one that a double holds exactly */
    MAX_DECIDING_DIGITS = 768, /* a halfway point between two doubles has at most 767 digits */
};

struct cursor {
    const unsigned char *p;
    const unsigned char *end;
};

/* 0 at the end, which is neither a digit nor a sign. */
static unsigned char peek(const struct cursor *in)
{
    return in->p < in->end ? *in->p : 0;
}

/* One or more digits into `value`; false when there is none. */
static bool read_digits(struct cursor *in, uint64_t *value)
{
    const unsigned char *start = in->p;
    in->p = fl_digits_read(in->p, in->end, value);
    return in->p > start;
}

/* What is wrong, or NULL. JSON allows no leading zero, which would be octal elsewhere. */
static const char *scan_integer(struct cursor *in, uint64_t *value)
{
    if (peek(in) == '0') {
        in->p++;
        return fl_is_digit(peek(in)) ? "leading zero in a number" : NULL;
    }
    return read_digits(in, value) ? NULL : "expected a digit";
}

/* The exponent's digits saturate, so that no length of them can overflow. */
static const char *scan_exponent(struct cursor *in, int64_t *exponent)
{
    const int64_t ceiling = INT64_C(1) << 56;
    in->p++;
    bool negative = peek(in) == '-';
    if (negative || peek(in) == '+')
        in->p++;
    if (!fl_is_digit(peek(in)))
        return "expected a digit";
    int64_t value = 0;
    for (; fl_is_digit(peek(in)); in->p++)
        value = value < ceiling ? value * 10 + (*in->p - '0') : value;
    *exponent += negative ? -value : value;
    return NULL;
}

/* Count again with the first 19 significant digits only: the plain sum has wrapped around. */
static void truncate_digits(fl_decimal *out, const unsigned char *p, const unsigned char *end)
{
    size_t kept = 0, dropped = 0, after_point = 0, dropped_after_point = 0;
    bool seen_point = false;
    uint64_t value = 0;
    for (; p < end; p++) {
        if (*p == '.') {
            seen_point = true;
            continue;
        }
        bool keep = kept < MAX_DIGITS;
        after_point += seen_point;
        dropped += !keep;
        dropped_after_point += !keep && seen_point;
        value = keep ? value * 10 + (*p - (unsigned)'0') : value;
        kept += keep && value > 0; /* leading zeros are not significant */
    }
    out->is_truncated = dropped > 0;
    out->significand = value;
    out->exponent +=
        (int64_t)(dropped - dropped_after_point) - (int64_t)(after_point - dropped_after_point);
}

size_t fl_decimal_scan(fl_decimal *out, fl_slice text, size_t *bad_at, const char **why)
{
    struct cursor in = {.p = text.ptr, .end = text.ptr + text.len};
    fl_decimal d = {.is_integer = true};
    d.negative = peek(&in) == '-';
    in.p += d.negative;
    const unsigned char *digits = in.p, *point = NULL;

    const char *problem = scan_integer(&in, &d.significand);
    if (problem == NULL && peek(&in) == '.') {
        point = in.p++;
        problem = read_digits(&in, &d.significand) ? NULL : "expected a digit";
    }
    const unsigned char *digits_end = in.p;
    if (problem == NULL && (peek(&in) | 0x20) == 'e')
        problem = scan_exponent(&in, &d.exponent);
    if (problem != NULL) {
        *bad_at = (size_t)(in.p - text.ptr);
        *why = problem;
        return 0;
    }
    d.is_integer = in.p == digits_end && point == NULL;
    if (digits_end - digits - (point != NULL) > MAX_DIGITS)
        truncate_digits(&d, digits, digits_end);
    else if (point != NULL)
        d.exponent -= digits_end - point - 1;
    *out = d;
    return (size_t)(in.p - text.ptr);
}

static const double exact_powers[MAX_EXACT_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Both operands are exact, so the one rounding of the operation is the right one. That holds only
 * where a double is computed with as a double. */
static bool by_exact_power(const fl_decimal *d, double *out)
{
    if (FLT_EVAL_METHOD != 0 || d->significand > UINT64_C(1) << 53 ||
        d->exponent < -MAX_EXACT_POWER || d->exponent > MAX_EXACT_POWER)
        return false;
    double value = (double)d->significand;
    *out = d->exponent < 0 ? value / exact_powers[-d->exponent] : value * exact_powers[d->exponent];
    return true;
}

#if defined(__SIZEOF_INT128__)
__extension__ typedef unsigned __int128 wide;

/* Lemire's algorithm 1, for powers of ten where no result is subnormal or infinite. The product's
 * upper 55 bits are right unless its low 9 bits of the upper word are all ones, which is when the
 * power's lower half is needed; exactly halfway is possible only where 5^q divides or fits. */
static bool by_wide_product(const fl_decimal *d, double *out)
{
    if (d->significand == 0 || d->exponent < FL_POW5_MIN || d->exponent > FL_POW5_MAX)
        return false;
    int q = (int)d->exponent;
    int shift = __builtin_clzll(d->significand);
    uint64_t w = d->significand << shift;
    const uint64_t *power = fl_pow5[q - FL_POW5_MIN];
    wide product = (wide)w * power[0];
    if (((uint64_t)(product >> 64) & 0x1ff) == 0x1ff)
        product += (wide)w * power[1] >> 64;
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;

    int top = (int)(high >> 63);
    uint64_t fraction = high >> (top + 9);
    if (low <= 1 && q >= -4 && q <= 23 && (fraction & 3) == 1 && fraction << (top + 9) == high)
        fraction &= ~UINT64_C(1); /* halfway: to even, which is down */
    fraction = (fraction + (fraction & 1)) >> 1;

    /* floor(q * log2(10)) by a product that is exact for these q, kept positive for the shift. A
     * fraction that was rounded up to 2^53 carries into the exponent, as it should. */
    int exponent = ((217706 * q + (256 << 16)) >> 16) - 256 + 63 + top - shift;
    assert(exponent > -1023 && exponent < 1024); /* neither subnormal nor infinite */
    uint64_t bits = ((uint64_t)(exponent + 1023) << 52) + (fraction - (UINT64_C(1) << 52));
    memcpy(out, &bits, sizeof(bits));
    return true;
}
#else
static bool by_wide_product(const fl_decimal *d, double *out)
{
    (void)d;
    (void)out;
    return false;
}
#endif

/* Digits that cannot decide any more are summed up in one '1', and the point becomes an exponent.
 */
static double by_strtod(fl_slice text)
{
    assert(text.len > 0);
    char plain[MAX_DECIDING_DIGITS + 32];
    size_t len = 0;
    int64_t exponent = 0;
    bool seen_point = false, sticky = false;
    size_t i = text.ptr[0] == '-';
    for (; i < text.len && (text.ptr[i] | 0x20) != 'e'; i++) {
        if (text.ptr[i] == '.') {
            seen_point = true;
        } else {
            bool keep = len < MAX_DECIDING_DIGITS;
            if (keep && (len > 0 || text.ptr[i] != '0'))
                plain[len++] = (char)text.ptr[i];
            sticky |= !keep && text.ptr[i] != '0';
            exponent += (int)!keep - (int)seen_point;
        }
    }
    if (sticky) {
        plain[len++] = '1';
        exponent--;
    }
    if (i < text.len) {
        struct cursor in = {.p = text.ptr + i, .end = text.ptr + text.len};
        const char *problem = scan_exponent(&in, &exponent);
        assert(problem == NULL);
    }
    assert(len <= MAX_DECIDING_DIGITS + 1);
    exponent = exponent > 99999 ? 99999 : exponent < -99999 ? -99999 : exponent;
    snprintf(plain + len, sizeof(plain) - len, len > 0 ? "e%d" : "0", (int)exponent);
    return strtod(plain, NULL);
}

bool fl_decimal_double(const fl_decimal *d, fl_slice text, double *out)
{
    double value;
    bool exact = !d->is_truncated && (by_exact_power(d, &value) || by_wide_product(d, &value));
    if (!exact)
        value = by_strtod(text);
    if (isinf(value))
        return false;
    *out = d->negative ? -value : value;
    return true;
}

/* The three words that proto3 JSON has for what is no JSON number. */
static bool parse_word(fl_slice text, double *out)
{
    bool negative = fl_slice_equal(text, FL_SLICE("-Infinity"));
    if (negative || fl_slice_equal(text, FL_SLICE("Infinity"))) {
        *out = negative ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    if (!fl_slice_equal(text, FL_SLICE("NaN")))
        return false;
    *out = (double)NAN;
    return true;
}

bool fl_parse_double(fl_slice text, double *out)
{
    fl_decimal decimal;
    size_t bad_at;
    const char *why;
    if (text.len > 0 && fl_decimal_scan(&decimal, text, &bad_at, &why) == text.len)
        return fl_decimal_double(&decimal, text, out);
    return parse_word(text, out);
}

bool fl_parse_u64(fl_slice text, uint64_t *out)
{
    uint64_t value = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = text.ptr[i] - (unsigned)'0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool fl_parse_size(fl_slice text, uint64_t *out)
{
    static const struct {
        const char *name;
        double bytes;
    } units[] = {{"", 1},
                 {"B", 1},
                 {"kB", 1e3},
                 {"KB", 1e3},
                 {"MB", 1e6},
                 {"GB", 1e9},
                 {"TB", 1e12},
                 {"KiB", 1024},
                 {"K", 1024},
                 {"M", 1024 * 1024},
                 {"MiB", 1024 * 1024},
                 {"G", 1073741824.0},
                 {"GiB", 1073741824.0},
                 {"TiB", 1099511627776.0}};
    size_t digits = 0;
    double number;
    while (digits < text.len &&
           ((text.ptr[digits] >= '0' && text.ptr[digits] <= '9') || text.ptr[digits] == '.'))
        digits++;
    if (!fl_parse_double(fl_slice_part(text, 0, digits), &number))
        return false;
    while (digits < text.len && text.ptr[digits] == ' ')
        digits++;
    fl_slice unit = fl_slice_part(text, digits, text.len);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!fl_slice_equal(unit, fl_slice_of(units[i].name)))
            continue;
        number *= units[i].bytes;
        if (!(number >= 1 && number < 9e18))
            return false;
        *out = (uint64_t)number;
        return true;
    }
    return false;
}

/* A magnitude and a sign as an int64_t; 2^63 exists only with a minus. */
static bool apply_sign(uint64_t magnitude, bool negative, int64_t *out)
{
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *out = !negative ? (int64_t)magnitude : magnitude == 0 ? 0 : -(int64_t)(magnitude - 1) - 1;
    return true;
}

/* `text` behind its minus where it has one. */
static fl_slice without_sign(fl_slice text, bool negative)
{
    return (fl_slice){.ptr = text.ptr + negative, .len = text.len - negative};
}

bool fl_parse_i64(fl_slice text, int64_t *out)
{
    uint64_t magnitude;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    return fl_parse_u64(negative ? without_sign(text, true) : text, &magnitude) &&
           apply_sign(magnitude, negative, out);
}

/* significand * 10^exponent where that is an integer of 64 bits. */
static bool magnitude_of(const fl_decimal *d, fl_slice text, uint64_t *out)
{
    if (d->is_integer)
        return fl_parse_u64(without_sign(text, d->negative), out);
    uint64_t value = d->significand;
    int64_t exponent = value == 0 ? 0 : d->exponent;
    for (; exponent < 0 && value % 10 == 0; exponent++)
        value /= 10;
    for (; exponent > 0 && value <= UINT64_MAX / 10; exponent--)
        value *= 10;
    if (exponent != 0 || d->is_truncated)
        return false;
    *out = value;
    return true;
}

bool fl_decimal_i64(const fl_decimal *d, fl_slice text, int64_t *out)
{
    uint64_t magnitude;
    return magnitude_of(d, text, &magnitude) && apply_sign(magnitude, d->negative, out);
}

bool fl_decimal_u64(const fl_decimal *d, fl_slice text, uint64_t *out)
{
    uint64_t magnitude;
    if (!magnitude_of(d, text, &magnitude) || (d->negative && magnitude != 0))
        return false;
    *out = magnitude;
    return true;
}

/* 0 to 15 for a digit in either case; -1 for anything else. */
static int hex_value(unsigned char c)
{
    if (fl_is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool fl_parse_hex(fl_slice text, unsigned char *out, size_t out_len)
{
    assert(out != NULL || out_len == 0);
    if (text.len % 2 != 0 || text.len / 2 != out_len)
        return false;
    for (size_t i = 0; i < out_len; i++) {
        int high = hex_value(text.ptr[2 * i]), low = hex_value(text.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}
