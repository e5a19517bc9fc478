/*
 * bytes.h - numbers as the bytes that stand for them, whatever the machine's own order.
 *
 * Inline: decoders of ids do little else.
 */
#ifndef FL_BYTES_H
#define FL_BYTES_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* Eight bytes, big-endian. Written out, since compilers then make one load and a byte swap of it.
 */
static inline uint64_t fl_bytes_be64(const unsigned char *p)
{
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 |
           (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
           (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

/* The same little-endian. */
static inline uint64_t fl_bytes_le64(const unsigned char *p)
{
    return (uint64_t)p[7] << 56 | (uint64_t)p[6] << 48 | (uint64_t)p[5] << 40 |
           (uint64_t)p[4] << 32 | (uint64_t)p[3] << 24 | (uint64_t)p[2] << 16 |
           (uint64_t)p[1] << 8 | (uint64_t)p[0];
}

/* `width` bytes, 1 to 8, little-endian. */
static inline uint64_t fl_bytes_le(const unsigned char *from, int width)
{
    uint64_t value = 0;
    assert(width >= 1 && width <= 8);
    for (int i = 0; i < width; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

static inline void fl_bytes_put_le(unsigned char *to, uint64_t value, int width)
{
    assert(width >= 1 && width <= 8);
    for (int i = 0; i < width; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

/* A double's bits: NaN's payload and the sign of zero included. */
static inline uint64_t fl_bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static inline double fl_double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

#endif
