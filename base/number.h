/*
 * number.h - text to numbers without locale, errno or NUL termination.
 *
 * Decimal to double, always correctly rounded, by the first of three ways that is sure of it:
 * Clinger's fast path (a significand up to 2^53 and a power of ten up to 22 are both exact doubles;
 * "How to read floating point numbers accurately", PLDI 1990), a 128-bit product (Lemire, "Number
 * parsing at a gigabyte per second", 2021) for powers from -40 to 40, or strtod. strtod is given
 * digits and an exponent but never a radix character, so that a changed locale cannot change what
 * it reads.
 */
#ifndef FL_NUMBER_H
#define FL_NUMBER_H

#include <stdbool.h>

#include "faultline/status.h"

/* The whole of `text` must be one number of JSON's grammar (fl_parse_double also takes NaN,
 * Infinity and -Infinity, as OTLP JSON writes them). False leaves *out untouched; also false for
 * numbers beyond the range of a double. Those too small for one become 0. */
bool fl_parse_double(fl_slice text, double *out);
/* Optional '-' (fl_parse_i64 only), then digits; leading zeros are taken. False on overflow or
 * anything else leaves *out untouched. */
bool fl_parse_i64(fl_slice text, int64_t *out);
bool fl_parse_u64(fl_slice text, uint64_t *out);
/* Bytes: "512MiB", "1.5GB", "800000": above 0, alone or with a unit of 1000 (kB) or of 1024 (KiB).
 */
bool fl_parse_size(fl_slice text, uint64_t *out);
/* `len` bytes of hex, either case, into out[len / 2]; false on odd length, another character or a
 * length that is not 2 * out_len. What is in out[] is then unspecified. */
bool fl_parse_hex(fl_slice text, unsigned char *out, size_t out_len);

/* A number of JSON's grammar taken apart: (-1)^negative * significand * 10^exponent. */
typedef struct fl_decimal {
    uint64_t significand; /* the first 19 significant digits */
    int64_t exponent;     /* saturated far outside of what a double holds */
    bool negative;
    bool is_integer;   /* written without '.' and exponent */
    bool is_truncated; /* more than 19 significant digits were written */
} fl_decimal;

/*
 * Take apart the number that `text` starts with and return its length, at least 1. Where it starts
 * with none, return 0, set *bad_at to the offset of the offending byte and *why to the sentence.
 */
size_t fl_decimal_scan(fl_decimal *out, fl_slice text, size_t *bad_at, const char **why);
/* The value of a decimal taken from the whole of `text`; false where it is beyond a double. */
bool fl_decimal_double(const fl_decimal *decimal, fl_slice text, double *out);
/* Exact; false for a fraction, for overflow, and for more than 19 digits with a '.' or an exponent.
 */
bool fl_decimal_i64(const fl_decimal *decimal, fl_slice text, int64_t *out);
bool fl_decimal_u64(const fl_decimal *decimal, fl_slice text, uint64_t *out);

#endif
