/*
 * column.c - the ways to write a column, of which the smallest is taken.
 *
 *   i64 := way:u8 first:zigzag rest      way = CONSTANT | DELTA | DELTA2, + 16 * power
 *        | RAW:u8 u64le*                   integers that have nothing in common: ids
 *   f64 := DECIMAL + 16 * power, i64     every value is an integer / 10^power
 *        | XOR, (tail:4 len:4 byte^len)* bits that differ from the value before
 *
 * CONSTANT has no rest, DELTA the differences and DELTA2 the differences of the differences,
 * zigzag, all of them divided by 10^power: moments in nanoseconds that were taken in milliseconds
 * cost no more than those. DELTA2 and XOR are the two ideas of Gorilla (Pelkonen et al., VLDB
 * 2015), kept at whole bytes for the compressor's sake. Differences wrap around modulo 2^64, which
 * is exact.
 */
#include "column.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "bytes.h"

enum { CONSTANT, DELTA, DELTA2, RAW };
enum { DECIMAL, XOR };
enum { MAX_I64_POWER = 9, MAX_F64_POWER = 6 };

static const int64_t POWERS[] = {1,      10,      100,      1000,      10000,
                                 100000, 1000000, 10000000, 100000000, 1000000000};

/* Small numbers of either sign become small numbers. */
static uint64_t zigzag(uint64_t value)
{
    return value << 1 ^ (0 - (value >> 63));
}

static uint64_t unzigzag(uint64_t value)
{
    return value >> 1 ^ (0 - (value & 1));
}

/* What fl_column_put_count() would write, to compare the ways without writing: seven bits a byte.
 */
static size_t count_len(uint64_t value)
{
    return 1 + (size_t)(63 - __builtin_clzll(value | 1)) / 7;
}

void fl_column_put_count(fl_buf *out, uint64_t value)
{
    unsigned char bytes[10];
    size_t len = 0;
    for (; value >= 128; value >>= 7)
        bytes[len++] = (unsigned char)(value | 128);
    bytes[len++] = (unsigned char)value;
    fl_buf_add(out, (fl_slice){bytes, len});
}

uint64_t fl_column_count(fl_reader *in)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint64_t byte = fl_read_be(in, 1);
        if (shift == 63 && byte > 1)
            break;
        value |= (byte & 127) << shift;
        if (byte < 128)
            return value;
    }
    in->short_read = true;
    return 0;
}

/* Largest power of ten that divides every value. */
static size_t common_power(const int64_t *values, size_t count)
{
    size_t power = MAX_I64_POWER;
    for (size_t i = 0; i < count && power > 0; i++)
        while (values[i] % POWERS[power] != 0)
            power--;
    return power;
}

/* The zigzag differences of one order or the other, through `each`. */
typedef struct differences {
    const int64_t *values;
    int64_t divisor;
    uint64_t last, step;
    bool is_second;
} differences;

static differences begin(const int64_t *values, size_t power, bool is_second)
{
    return (differences){.values = values,
                         .divisor = POWERS[power],
                         .last = (uint64_t)(values[0] / POWERS[power]),
                         .is_second = is_second};
}

static uint64_t next_difference(differences *in, size_t i)
{
    uint64_t value = (uint64_t)(in->values[i] / in->divisor), step = value - in->last;
    uint64_t result = in->is_second ? step - in->step : step;
    in->last = value;
    in->step = step;
    return zigzag(result);
}

static size_t size_of(const int64_t *values, size_t count, size_t power, bool is_second)
{
    differences in = begin(values, power, is_second);
    size_t size = 0;
    for (size_t i = 1; i < count; i++)
        size += count_len(next_difference(&in, i));
    return size;
}

/* One value is constant as well. */
static bool is_constant(const int64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (values[i] != values[0])
            return false;
    return true;
}

/* Little-endian, whatever the machine. */
static void put_raw(fl_buf *out, const int64_t *values, size_t count)
{
    fl_buf_char(out, RAW);
    for (size_t i = 0; i < count; i++) {
        unsigned char bytes[8];
        for (int b = 0; b < 8; b++)
            bytes[b] = (unsigned char)((uint64_t)values[i] >> 8 * b);
        fl_buf_add(out, (fl_slice){bytes, sizeof(bytes)});
    }
}

/* By the bytes that each takes, before any compressor. */
static size_t smallest_way(const int64_t *values, size_t count, size_t power)
{
    if (is_constant(values, count))
        return CONSTANT;
    size_t first = size_of(values, count, power, false);
    size_t second = size_of(values, count, power, true);
    if (8 * count < first && 8 * count < second)
        return RAW;
    return second < first ? DELTA2 : DELTA;
}

void fl_column_put_i64(fl_buf *out, const int64_t *values, size_t count)
{
    assert(out != NULL && (count == 0 || values != NULL));
    if (count == 0)
        return;
    size_t power = common_power(values, count), way = smallest_way(values, count, power);
    if (way == RAW) {
        put_raw(out, values, count);
        return;
    }
    differences in = begin(values, power, way == DELTA2);
    fl_buf_char(out, (char)(way | power << 4));
    fl_column_put_count(out, zigzag(in.last));
    for (size_t i = 1; way != CONSTANT && i < count; i++)
        fl_column_put_count(out, next_difference(&in, i));
}

static fl_status check_read(const fl_reader *in, fl_error *err)
{
    return in->short_read ? fl_fail(err, FL_E_TRUNCATED, in->pos, "a column ends too early")
                          : FL_OK;
}

static fl_status unknown_way(const fl_reader *in, fl_error *err)
{
    return fl_fail(err, FL_E_SYNTAX, in->pos - 1, "a column is written in an unknown way");
}

static fl_status read_raw(int64_t *out, size_t count, fl_reader *in, fl_error *err)
{
    for (size_t i = 0; i < count && !in->short_read; i++) {
        uint64_t value = 0;
        for (int b = 0; b < 8; b++)
            value |= fl_read_be(in, 1) << 8 * b;
        out[i] = (int64_t)value;
    }
    return check_read(in, err);
}

fl_status fl_column_i64(int64_t *out, size_t count, fl_reader *in, fl_error *err)
{
    assert(in != NULL && (count == 0 || out != NULL));
    if (count == 0)
        return FL_OK;
    uint64_t head = fl_read_be(in, 1), way = head & 15, step = 0;
    if (head == RAW)
        return read_raw(out, count, in, err);
    if (way > DELTA2 || head >> 4 > MAX_I64_POWER)
        return unknown_way(in, err);
    uint64_t scale = (uint64_t)POWERS[head >> 4];
    uint64_t value = unzigzag(fl_column_count(in));
    for (size_t i = 0; i < count && !in->short_read; i++) {
        if (i > 0 && way != CONSTANT) {
            uint64_t difference = unzigzag(fl_column_count(in));
            step = way == DELTA2 ? step + difference : difference;
            value += step;
        }
        out[i] = (int64_t)(value * scale);
    }
    return check_read(in, err);
}

/* Whether the value is integer / 10^power, to the bit. 2^53: every integer below is a double. */
static bool is_decimal(double value, size_t power, int64_t *integer)
{
    double scaled = value * (double)POWERS[power];
    if (!(fabs(scaled) < 9007199254740992.0))
        return false;
    *integer = (int64_t)llround(scaled);
    return fl_bits_of((double)*integer / (double)POWERS[power]) == fl_bits_of(value);
}

/* The least power with which all are; MAX_F64_POWER + 1: none. A power that suits a value does not
 * cease to suit it when it is raised, unless the integer becomes too large. */
static size_t decimal_power(const double *values, size_t count)
{
    size_t power = 0, agreed = 0;
    int64_t ignored;
    while (power <= MAX_F64_POWER && agreed < count) {
        bool suits = true;
        for (agreed = 0; agreed < count && suits; agreed++)
            suits = is_decimal(values[agreed], power, &ignored);
        if (suits)
            return power;
        agreed = 0;
        power++;
    }
    return power;
}

enum { CHUNK = 256 };

/* Integers go through an i64 column of at most CHUNK values, so that nothing is allocated. */
static void put_decimals(fl_buf *out, const double *values, size_t count, size_t power)
{
    int64_t integers[CHUNK];
    fl_buf_char(out, (char)(DECIMAL | power << 4));
    for (size_t at = 0; at < count; at += CHUNK) {
        size_t len = count - at < CHUNK ? count - at : CHUNK;
        for (size_t i = 0; i < len; i++) {
            bool suits = is_decimal(values[at + i], power, &integers[i]);
            assert(suits); /* the power was found for all of them */
            (void)suits;
        }
        fl_column_put_i64(out, integers, len);
    }
}

/* The first differs from 0. Trailing zero bytes are those of short binary fractions. */
static void put_xors(fl_buf *out, const double *values, size_t count)
{
    uint64_t last = 0;
    fl_buf_char(out, XOR);
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = fl_bits_of(values[i]), differs = bits ^ last;
        unsigned char bytes[9];
        size_t tail = 0, len = 0;
        last = bits;
        for (; differs != 0 && (differs & 255) == 0; differs >>= 8)
            tail++;
        for (; differs != 0; differs >>= 8)
            bytes[1 + len++] = (unsigned char)differs;
        bytes[0] = (unsigned char)(tail << 4 | len);
        fl_buf_add(out, (fl_slice){bytes, 1 + len});
    }
}

void fl_column_put_f64(fl_buf *out, const double *values, size_t count)
{
    assert(out != NULL && (count == 0 || values != NULL));
    if (count == 0)
        return;
    size_t power = decimal_power(values, count);
    if (power <= MAX_F64_POWER)
        put_decimals(out, values, count, power);
    else
        put_xors(out, values, count);
}

/* The same division as in is_decimal(), which was found to give the same bits. */
static fl_status read_decimals(double *out, size_t count, fl_reader *in, size_t power,
                               fl_error *err)
{
    int64_t integers[CHUNK];
    fl_status status = FL_OK;
    for (size_t at = 0; status == FL_OK && at < count; at += CHUNK) {
        size_t len = count - at < CHUNK ? count - at : CHUNK;
        status = fl_column_i64(integers, len, in, err);
        for (size_t i = 0; status == FL_OK && i < len; i++)
            out[at + i] = (double)integers[i] / (double)POWERS[power];
    }
    return status;
}

/* The mirror of put_xors(); eight bytes are all that a double has. */
static fl_status read_xors(double *out, size_t count, fl_reader *in, fl_error *err)
{
    uint64_t last = 0;
    for (size_t i = 0; i < count && !in->short_read; i++) {
        uint64_t head = fl_read_be(in, 1), tail = head >> 4, len = head & 15;
        if (tail + len > 8)
            return fl_fail(err, FL_E_SYNTAX, in->pos - 1, "a number has more than 64 bits");
        for (uint64_t b = 0; b < len; b++)
            last ^= fl_read_be(in, 1) << 8 * (tail + b);
        memcpy(&out[i], &last, sizeof(last));
    }
    return check_read(in, err);
}

fl_status fl_column_f64(double *out, size_t count, fl_reader *in, fl_error *err)
{
    assert(in != NULL && (count == 0 || out != NULL));
    if (count == 0)
        return FL_OK;
    uint64_t head = fl_read_be(in, 1);
    if ((head & 15) == DECIMAL && head >> 4 <= MAX_F64_POWER)
        return read_decimals(out, count, in, (size_t)(head >> 4), err);
    return head == XOR ? read_xors(out, count, in, err) : unknown_way(in, err);
}

fl_status fl_column_skip_i64(size_t count, fl_reader *in, fl_error *err)
{
    assert(in != NULL);
    if (count == 0)
        return FL_OK;
    uint64_t head = fl_read_be(in, 1), way = head & 15;
    if (head == RAW) {
        (void)fl_read_bytes(in, (uint64_t)count * 8);
        return check_read(in, err);
    }
    if (way > DELTA2 || head >> 4 > MAX_I64_POWER)
        return unknown_way(in, err);
    size_t numbers = way == CONSTANT ? 1 : count;
    for (size_t i = 0; i < numbers && !in->short_read; i++)
        (void)fl_column_count(in);
    return check_read(in, err);
}

static fl_status skip_decimals(size_t count, fl_reader *in, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t at = 0; status == FL_OK && at < count; at += CHUNK)
        status = fl_column_skip_i64(count - at < CHUNK ? count - at : CHUNK, in, err);
    return status;
}

static fl_status skip_xors(size_t count, fl_reader *in, fl_error *err)
{
    for (size_t i = 0; i < count && !in->short_read; i++) {
        uint64_t head = fl_read_be(in, 1);
        if ((head >> 4) + (head & 15) > 8)
            return fl_fail(err, FL_E_SYNTAX, in->pos - 1, "a number has more than 64 bits");
        (void)fl_read_bytes(in, head & 15);
    }
    return check_read(in, err);
}

fl_status fl_column_skip_f64(size_t count, fl_reader *in, fl_error *err)
{
    assert(in != NULL);
    if (count == 0)
        return FL_OK;
    uint64_t head = fl_read_be(in, 1);
    if ((head & 15) == DECIMAL && head >> 4 <= MAX_F64_POWER)
        return skip_decimals(count, in, err);
    return head == XOR ? skip_xors(count, in, err) : unknown_way(in, err);
}
