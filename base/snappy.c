/*
 * snappy.c - snappy's block format, decoded with every length checked before its bytes are touched.
 *
 * Invariants: in_at <= in.len and out_at <= out_len; a copy reads only bytes that were written
 * before. Where SLACK bytes are free behind the place written to, elements are moved in whole words
 * whose surplus the next element overwrites; near the end of either side byte by byte.
 * Cost: one pass, one allocation.
 */
#include "snappy.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum {
    WORD = 8,
    CHUNK = 16,
    MAX_COPY = 64,
    SLACK = MAX_COPY + CHUNK,
    MAX_LENGTH_BYTES = 5, /* of a varint of 32 bits */
    /* The densest element is a copy of 64 bytes in 3. */
    DENSEST_OUT = 64,
    DENSEST_IN = 3
};

struct decoding {
    fl_slice in;
    size_t in_at;
    unsigned char *out;
    size_t out_len, out_at;
    size_t element_at; /* where the element in hand begins, for messages */
    fl_error *err;
};

static fl_status read_length(struct decoding *d, fl_error *err)
{
    uint64_t length = 0;
    for (unsigned i = 0; i < MAX_LENGTH_BYTES; i++) {
        if (d->in_at == d->in.len)
            return fl_fail(err, FL_E_TRUNCATED, d->in_at, "snappy block ends inside its length");
        unsigned char byte = d->in.ptr[d->in_at++];
        length |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80) {
            if (length > UINT32_MAX)
                break;
            d->out_len = (size_t)length;
            return FL_OK;
        }
    }
    return fl_fail(err, FL_E_SYNTAX, 0, "snappy block says a length of more than 32 bits");
}

/* `width` bytes, 1 to 4, little-endian. False where the block ends before them. */
static bool read_number(struct decoding *d, size_t width, uint32_t *value)
{
    assert(width >= 1 && width <= 4);
    if (d->in.len - d->in_at < width)
        return false;
    *value = 0;
    for (size_t i = 0; i < width; i++)
        *value |= (uint32_t)d->in.ptr[d->in_at + i] << 8 * i;
    d->in_at += width;
    return true;
}

static fl_status cut_off(const struct decoding *d)
{
    return fl_fail(d->err, FL_E_TRUNCATED, d->in.len,
                   "snappy block ends inside the element at byte %zu", d->element_at);
}

static fl_status too_much(const struct decoding *d)
{
    return fl_fail(d->err, FL_E_SYNTAX, d->element_at,
                   "snappy block holds more than the %zu bytes that it says", d->out_len);
}

static fl_status literal(struct decoding *d, unsigned char tag)
{
    uint32_t field = tag >> 2;
    if (field >= 60 && !read_number(d, field - 59, &field))
        return cut_off(d);
    size_t len = (size_t)field + 1, in_left = d->in.len - d->in_at,
           out_left = d->out_len - d->out_at;
    if (len > in_left)
        return cut_off(d);
    if (len > out_left)
        return too_much(d);
    if (len <= CHUNK && in_left >= CHUNK && out_left >= CHUNK)
        memcpy(d->out + d->out_at, d->in.ptr + d->in_at, CHUNK);
    else
        memcpy(d->out + d->out_at, d->in.ptr + d->in_at, len);
    d->in_at += len;
    d->out_at += len;
    return FL_OK;
}

/* A copy may overlap what it writes: then its bytes repeat with the period `offset`. From WORD
 * bytes on, a multiple of the period that is at least a word reaches back to written bytes only. */
static void copy_wide(unsigned char *to, size_t offset, size_t len)
{
    assert(offset > 0 && len <= MAX_COPY);
    if (offset >= CHUNK) {
        for (size_t i = 0; i < len; i += CHUNK)
            memcpy(to + i, to + i - offset, CHUNK);
        return;
    }
    size_t from = 0, period = offset;
    if (offset < WORD) {
        for (; from < WORD; from++)
            to[from] = *(to + from - offset);
        period = (WORD + offset - 1) / offset * offset;
    }
    for (size_t i = from; i < len; i += WORD)
        memcpy(to + i, to + i - period, WORD);
}

static fl_status copy(struct decoding *d, size_t offset, size_t len)
{
    size_t left = d->out_len - d->out_at;
    if (offset == 0 || offset > d->out_at)
        return fl_fail(d->err, FL_E_SYNTAX, d->element_at,
                       "snappy copy reaches %zu bytes back where %zu were written", offset,
                       d->out_at);
    if (len > left)
        return too_much(d);
    unsigned char *to = d->out + d->out_at;
    if (left >= SLACK)
        copy_wide(to, offset, len);
    else
        for (size_t i = 0; i < len; i++)
            to[i] = *(to + i - offset);
    d->out_at += len;
    return FL_OK;
}

static fl_status element(struct decoding *d)
{
    uint32_t offset;
    d->element_at = d->in_at;
    unsigned char tag = d->in.ptr[d->in_at++];
    switch (tag & 3) {
    case 0:
        return literal(d, tag);
    case 1:
        if (!read_number(d, 1, &offset))
            return cut_off(d);
        return copy(d, (size_t)(tag >> 5) << 8 | offset, 4 + (tag >> 2 & 7));
    case 2:
        if (!read_number(d, 2, &offset))
            return cut_off(d);
        return copy(d, offset, 1 + (size_t)(tag >> 2));
    default:
        if (!read_number(d, 4, &offset))
            return cut_off(d);
        return copy(d, offset, 1 + (size_t)(tag >> 2));
    }
}

fl_status fl_snappy_decode(fl_slice *out, fl_slice block, size_t max_bytes, fl_arena *arena,
                           fl_error *err)
{
    assert(out != NULL && arena != NULL);
    struct decoding d = {.in = block, .err = err};
    *out = (fl_slice){0};
    fl_status status = read_length(&d, err);
    if (status != FL_OK)
        return status;
    if (d.out_len > max_bytes)
        return fl_fail(err, FL_E_LIMIT, 0, "snappy block of %zu bytes is larger than %zu",
                       d.out_len, max_bytes);
    if (d.out_len / DENSEST_OUT > (block.len - d.in_at) / DENSEST_IN + 1)
        return fl_fail(err, FL_E_SYNTAX, 0,
                       "snappy block says %zu bytes, more than its %zu could hold", d.out_len,
                       block.len);
    d.out = fl_arena_bytes(arena, d.out_len);
    if (d.out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a snappy block of %zu bytes",
                       d.out_len);
    while (status == FL_OK && d.in_at < block.len)
        status = element(&d);
    if (status == FL_OK && d.out_at < d.out_len)
        status =
            fl_fail(err, FL_E_TRUNCATED, block.len,
                    "snappy block holds %zu of the %zu bytes that it says", d.out_at, d.out_len);
    if (status == FL_OK)
        *out = (fl_slice){.ptr = d.out, .len = d.out_len};
    return status;
}
