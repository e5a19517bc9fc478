/*
 * number.h - text to numbers without locale, errno or NUL termination.
 *
 * Decimal to double: exact by Clinger's fast path (at most 19 significant digits that fit 2^53 and
 * a power of ten up to 22; "How to read floating point numbers accurately", PLDI 1990), else by
 * strtod in the C locale, so every result is correctly rounded.
 */
#ifndef FL_NUMBER_H
#define FL_NUMBER_H

#include <stdbool.h>

#include "faultline/status.h"

/* The whole of `text` must be one number of JSON's grammar (fl_parse_double also takes NaN,
 * Infinity and -Infinity, as OTLP JSON writes them). False leaves *out untouched. */
bool fl_parse_double(fl_slice text, double *out);
/* Optional '-', digits; false on overflow or anything else. */
bool fl_parse_i64(fl_slice text, int64_t *out);
bool fl_parse_u64(fl_slice text, uint64_t *out);
/* `len` bytes of hex, either case, into out[len / 2]; false on odd length or another character. */
bool fl_parse_hex(fl_slice text, unsigned char *out, size_t out_len);

#endif
