/*
 * utf8.h - strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef FL_UTF8_H
#define FL_UTF8_H

#include "faultline/status.h"

/* Bytes of the longest valid prefix; equal to text.len when all of it is valid. */
size_t fl_utf8_valid_prefix(fl_slice text);
/* The code point that a text begins with; returns its bytes, 0 where they are not UTF-8. The text
 * is not empty. */
size_t fl_utf8_decode(uint32_t *code_point, fl_slice text);
/* Write one code point (a valid scalar value) to out[4]; returns 1 to 4. */
size_t fl_utf8_encode(unsigned char *out, uint32_t code_point);

#endif
