/*
 * fl_gotrace_maker.h - execution traces of Go, made where a test needs them: formats of Go 1.26
 * and, by fl_make_v1_*(), of Go to 1.21.
 */
#ifndef FL_GOTRACE_MAKER_H
#define FL_GOTRACE_MAKER_H

#include <stdarg.h>
#include <stdbool.h>
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

/* Of processor `p`, from `time` on: what follows, up to the next one. */
static inline void fl_make_v1_batch(fl_gotrace_maker *maker, uint64_t p, int time)
{
    maker->bytes[maker->len++] = 1 | 1 << 6;
    maker->len += fl_make_varint(maker->bytes + maker->len, p);
    maker->len += fl_make_varint(maker->bytes + maker->len, (uint64_t)time);
}

/* A record of one number or more, the list ends with -1. */
static inline void fl_make_v1(fl_gotrace_maker *maker, int kind, ...)
{
    unsigned char numbers[512];
    size_t len = 0, count = 0;
    va_list list;
    va_start(list, kind);
    for (int number = va_arg(list, int); number >= 0; number = va_arg(list, int), count++)
        len += fl_make_varint(numbers + len, (uint64_t)number);
    va_end(list);
    size_t behind_first = count - 1;
    bool is_list = behind_first >= 3 || kind == 3;
    maker->bytes[maker->len++] = (unsigned char)(kind | (is_list ? 3 : (int)behind_first) << 6);
    if (is_list)
        maker->len += fl_make_varint(maker->bytes + maker->len, len);
    memcpy(maker->bytes + maker->len, numbers, len);
    maker->len += len;
}

static inline void fl_make_v1_text(fl_gotrace_maker *maker, const char *text)
{
    size_t len = strlen(text);
    maker->len += fl_make_varint(maker->bytes + maker->len, len);
    memcpy(maker->bytes + maker->len, text, len);
    maker->len += len;
}

static inline void fl_make_v1_string(fl_gotrace_maker *maker, int id, const char *text)
{
    maker->bytes[maker->len++] = 37;
    maker->len += fl_make_varint(maker->bytes + maker->len, (uint64_t)id);
    fl_make_v1_text(maker, text);
}

static inline fl_slice fl_made(const fl_gotrace_maker *maker)
{
    return (fl_slice){.ptr = maker->bytes, .len = maker->len};
}

/* Processor 0 runs goroutine 1; 2 waits since before the trace, 3 can run. Two processors. */
static inline void fl_make_v1_begin(fl_gotrace_maker *maker, unsigned minor)
{
    fl_make_header(maker, minor);
    fl_make_v1_batch(maker, 0, 1000);
    fl_make_v1(maker, 13, 0, 1, 1, 0, -1);
    fl_make_v1(maker, 13, 0, 2, 2, 0, -1);
    fl_make_v1(maker, 31, 0, 2, -1);
    fl_make_v1(maker, 13, 0, 3, 2, 0, -1);
    fl_make_v1(maker, 5, 1, 77, -1);
    fl_make_v1(maker, 14, 1, 1, 1, -1);
    fl_make_v1(maker, 4, 1, 2, 0, -1);
}

/* A clock of one unit a nanosecond, and the tables, where Go writes them: behind all else. */
static inline void fl_make_v1_end(fl_gotrace_maker *maker)
{
    fl_make_v1_batch(maker, UINT64_MAX, 5000);
    fl_make_v1(maker, 2, 1000000000, -1);
    fl_make_v1_string(maker, 1, "main.work");
    fl_make_v1_string(maker, 2, "/src/main.go");
    fl_make_v1_string(maker, 3, "main.main");
    fl_make_v1_string(maker, 4, "GC (idle)");
    fl_make_v1(maker, 3, 1, 1, 4096, 3, 2, 5, -1);
    fl_make_v1(maker, 3, 2, 1, 4097, 1, 2, 17, -1);
}

/* What fl_make_v1_begin() is told as, with the tables behind it. */
#define FL_V1_BEGIN_TOLD                                                                           \
    "1 sync 0 0  \n"                                                                               \
    "1 go-unknown>waiting 0 2  main.work\n"                                                        \
    "2 proc-unknown>running 0 0  \n"                                                               \
    "3 go-unknown>running 0 1  main.main\n"                                                        \
    "4 procs 1 0  \n"                                                                              \
    "4 proc-unknown>idle 1 0  \n"                                                                  \
    "4 go-unknown>runnable 0 3  main.work\n"

#endif
