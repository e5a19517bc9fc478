/*
 * fl_gotrace_maker.h - execution traces of Go, made where a test needs them: format of Go 1.26.
 */
#ifndef FL_GOTRACE_MAKER_H
#define FL_GOTRACE_MAKER_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "faultline/status.h"

/* The bytes so far, and the batch that is being filled. */
typedef struct fl_gotrace_maker {
    unsigned char bytes[1 << 16];
    size_t len;
    unsigned char batch[1 << 14];
    size_t batch_len;
} fl_gotrace_maker;

static inline size_t fl_make_varint(unsigned char *out, uint64_t value)
{
    size_t len = 0;
    for (; value >= 0x80; value >>= 7)
        out[len++] = (unsigned char)(value | 0x80);
    out[len++] = (unsigned char)value;
    return len;
}

static inline void fl_make_header(fl_gotrace_maker *maker, unsigned minor)
{
    maker->len = maker->batch_len = 0;
    memset(maker->bytes, 0, 16);
    snprintf((char *)maker->bytes, 16, "go 1.%u trace", minor);
    maker->len = 16;
}

/* Numbers into the batch; the first is the kind. The list ends with -1. */
static inline void fl_make_event(fl_gotrace_maker *maker, int kind, ...)
{
    va_list numbers;
    va_start(numbers, kind);
    maker->batch_len += fl_make_varint(maker->batch + maker->batch_len, (uint64_t)kind);
    for (int number = va_arg(numbers, int); number >= 0; number = va_arg(numbers, int))
        maker->batch_len += fl_make_varint(maker->batch + maker->batch_len, (uint64_t)number);
    va_end(numbers);
}

static inline void fl_make_string(fl_gotrace_maker *maker, int id, const char *text)
{
    size_t len = strlen(text);
    fl_make_event(maker, 5, id, (int)len, -1);
    memcpy(maker->batch + maker->batch_len, text, len);
    maker->batch_len += len;
}

/* The batch as it is now, of generation `gen` and thread `m`, from `time` on; then it is empty. */
static inline void fl_make_batch(fl_gotrace_maker *maker, int gen, uint64_t m, int time)
{
    maker->bytes[maker->len++] = 1;
    maker->len += fl_make_varint(maker->bytes + maker->len, (uint64_t)gen);
    maker->len += fl_make_varint(maker->bytes + maker->len, m);
    maker->len += fl_make_varint(maker->bytes + maker->len, (uint64_t)time);
    maker->len += fl_make_varint(maker->bytes + maker->len, maker->batch_len);
    memcpy(maker->bytes + maker->len, maker->batch, maker->batch_len);
    maker->len += maker->batch_len;
    maker->batch_len = 0;
}

static inline void fl_make_end(fl_gotrace_maker *maker)
{
    maker->bytes[maker->len++] = 52;
}

/* A clock of one unit a nanosecond, which read 1000 at a second of 1970. */
static inline void fl_make_clock(fl_gotrace_maker *maker, int gen)
{
    fl_make_event(maker, 50, -1);
    fl_make_event(maker, 8, 1000000000, -1);
    fl_make_event(maker, 51, 0, 7, 1, 0, -1);
    fl_make_batch(maker, gen, UINT64_MAX, 1000);
}

static inline fl_slice fl_made(const fl_gotrace_maker *maker)
{
    return (fl_slice){.ptr = maker->bytes, .len = maker->len};
}

#endif
