/*
 * digits.h - eight decimal digits at a time, in one 64-bit word ("SWAR").
 *
 * Inline because number.c and json.c spend their time here: OTLP writes a timestamp of 19 digits
 * into every record. On big-endian machines the word is never said to hold digits, and the callers'
 * byte loops do the work.
 */
#ifndef FL_DIGITS_H
#define FL_DIGITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool fl_is_digit(unsigned char c)
{
    return (unsigned)c - '0' < 10;
}

static inline uint64_t fl_digits_load(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

/* Each byte's upper half is 3, and stays 3 when 6 is added: '0' to '9'. */
static inline bool fl_digits_are8(uint64_t word)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return ((word & (word + UINT64_C(0x0606060606060606))) & UINT64_C(0xf0f0f0f0f0f0f0f0)) ==
           UINT64_C(0x3030303030303030);
#else
    (void)word;
    return false;
#endif
}

/* The value of eight digits, the first of them in the lowest byte: pairs, then fours, then all. */
static inline uint32_t fl_digits_value8(uint64_t word)
{
    word = (word & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8;
    word = (word & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
    return (uint32_t)((word & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32);
}

/* Step over digits from `p` on, adding them to *value; it wraps around after 19 digits or so. */
static inline const unsigned char *fl_digits_read(const unsigned char *p, const unsigned char *end,
                                                  uint64_t *value)
{
    uint64_t sum = *value, word;
    while (end - p >= 8 && fl_digits_are8(word = fl_digits_load(p))) {
        sum = sum * 100000000 + fl_digits_value8(word);
        p += 8;
    }
    for (; p < end && fl_is_digit(*p); p++)
        sum = sum * 10 + (*p - (unsigned)'0');
    *value = sum;
    return p;
}

#endif
