/*
 * proto.h - the protobuf wire format over a byte slice (protobuf.dev/programming-guides/encoding).
 *
 *   message := (tag value)*        tag := varint(field << 3 | type)
 *   value   := varint (type 0) | 8 bytes LE (1) | varint length, bytes (2) | 4 bytes LE (5)
 *
 * A varint has at most 10 bytes and 64 bits; a field is 1 to 2^29 - 1. Groups (types 3 and 4) are
 * refused: no format read here uses them. Nothing is allocated. The first failure is sticky and
 * kept in `err` with the offset from the start of the outermost slice.
 *
 *     fl_proto in = fl_proto_over(bytes);
 *     while (fl_proto_next(&in))
 *         switch (in.field) {
 *         case 1: name = fl_proto_bytes(&in); break;
 *         case 2: fl_proto_enter(&child, &in); read_child(&child); break;
 *         }
 * Fields that are not asked for are skipped by next.
 *
 * Invariants: (1) pos <= bytes.len; (2) after a failure pos is bytes.len and type FL_PROTO_NONE, so
 * that next ends and every value is the neutral one without a test of its own.
 * What runs once a field is inline: a field is often two bytes, and the call would cost as much.
 */
#ifndef FL_PROTO_H
#define FL_PROTO_H

#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "faultline/status.h"

typedef enum fl_proto_type {
    FL_PROTO_VARINT = 0,
    FL_PROTO_FIXED64 = 1,
    FL_PROTO_BYTES = 2,
    FL_PROTO_FIXED32 = 5,
    FL_PROTO_NONE = 7 /* no wire type: there is no current field */
} fl_proto_type;

typedef struct fl_proto {
    fl_slice bytes;
    size_t pos;
    uint64_t base_offset; /* of `bytes` within the outermost slice */
    size_t field_pos;     /* of the current field's tag within `bytes` */
    uint32_t field;
    fl_proto_type type;
    uint64_t scalar; /* the value of a varint or fixed field */
    fl_slice body;   /* the value of a bytes field */
    fl_error err;    /* FL_E_SYNTAX, FL_E_TRUNCATED, or FL_E_UNSUPPORTED for groups */
} fl_proto;

/* Not for callers: the rare ways through the functions below. */
const unsigned char *fl_proto_long_varint(const unsigned char *p, const unsigned char *end,
                                          uint64_t *value);
bool fl_proto_fail_field(fl_proto *in);
bool fl_proto_fail_type(fl_proto *in, fl_proto_type wanted);

/* Make `in` a reader over `bytes`, which stand `base_offset` bytes into the outermost slice. Of the
 * error's message only the first byte is cleared, as this runs for every message of a file. */
static inline void fl_proto_init(fl_proto *in, fl_slice bytes, uint64_t base_offset)
{
    in->bytes = bytes;
    in->pos = 0;
    in->base_offset = base_offset;
    in->field_pos = 0;
    in->field = 0;
    in->type = FL_PROTO_NONE;
    in->scalar = 0;
    in->body = (fl_slice){0};
    in->err.status = FL_OK;
    in->err.offset = 0;
    in->err.message[0] = '\0';
}

static inline fl_proto fl_proto_over(fl_slice bytes)
{
    fl_proto in = {.type = FL_PROTO_NONE};
    fl_proto_init(&in, bytes, 0);
    return in;
}

static inline bool fl_proto_ok(const fl_proto *in)
{
    return in->err.status == FL_OK;
}

/* Read the varint at `p` < `end`; NULL where it is cut off or too long. */
static inline const unsigned char *fl_proto_varint(const unsigned char *p, const unsigned char *end,
                                                   uint64_t *value)
{
    if (*p < 0x80) {
        *value = *p;
        return p + 1;
    }
    return fl_proto_long_varint(p, end, value);
}

/* `width` bytes at `p`, 4 or 8, little-endian; NULL where they are cut off. */
static inline const unsigned char *fl_proto_fixed(const unsigned char *p, const unsigned char *end,
                                                  size_t width, uint64_t *value)
{
    if ((size_t)(end - p) < width)
        return NULL;
    uint64_t sum = 0;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&sum, p, width);
#else
    for (size_t i = 0; i < width; i++)
        sum |= (uint64_t)p[i] << 8 * i;
#endif
    *value = sum;
    return p + width;
}

/* Step to the next field, whose value is then in `scalar` or `body`; false at the end or on
 * failure. */
static inline bool fl_proto_next(fl_proto *in)
{
    if (in->pos >= in->bytes.len)
        return false;
    const unsigned char *p = in->bytes.ptr + in->pos, *end = in->bytes.ptr + in->bytes.len;
    uint64_t tag, len;
    in->field_pos = in->pos;
    p = fl_proto_varint(p, end, &tag);
    if (p == NULL || tag > UINT32_MAX || tag < 8)
        return fl_proto_fail_field(in);
    in->field = (uint32_t)tag >> 3;
    in->type = (fl_proto_type)(tag & 7);
    switch (in->type) {
    case FL_PROTO_BYTES:
        p = p < end ? fl_proto_varint(p, end, &len) : NULL;
        if (p == NULL || len > (uint64_t)(end - p))
            return fl_proto_fail_field(in);
        in->body = (fl_slice){.ptr = p, .len = (size_t)len};
        p += len;
        break;
    case FL_PROTO_VARINT:
        p = p < end ? fl_proto_varint(p, end, &in->scalar) : NULL;
        break;
    case FL_PROTO_FIXED64:
        p = fl_proto_fixed(p, end, 8, &in->scalar);
        break;
    case FL_PROTO_FIXED32:
        p = fl_proto_fixed(p, end, 4, &in->scalar);
        break;
    default:
        p = NULL;
        break;
    }
    if (p == NULL)
        return fl_proto_fail_field(in);
    in->pos = (size_t)(p - in->bytes.ptr);
    return true;
}

/* The current value in the wanted shape; a wrong wire type is a failure and gives the neutral
 * value. */
static inline uint64_t fl_proto_u64(fl_proto *in) /* varint */
{
    return in->type == FL_PROTO_VARINT || fl_proto_fail_type(in, FL_PROTO_VARINT) ? in->scalar : 0;
}

static inline int64_t fl_proto_i64(fl_proto *in) /* varint, two's complement */
{
    return (int64_t)fl_proto_u64(in);
}

static inline int64_t fl_proto_sint(fl_proto *in) /* varint, zigzag */
{
    uint64_t value = fl_proto_u64(in);
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

static inline uint64_t fl_proto_fixed64(fl_proto *in)
{
    return in->type == FL_PROTO_FIXED64 || fl_proto_fail_type(in, FL_PROTO_FIXED64) ? in->scalar
                                                                                    : 0;
}

static inline uint32_t fl_proto_fixed32(fl_proto *in)
{
    bool right = in->type == FL_PROTO_FIXED32 || fl_proto_fail_type(in, FL_PROTO_FIXED32);
    return right ? (uint32_t)in->scalar : 0;
}

static inline double fl_proto_double(fl_proto *in)
{
    return fl_double_of(fl_proto_fixed64(in));
}

/* Borrowed; ptr is not NULL where a field of no bytes was read. */
static inline fl_slice fl_proto_bytes(fl_proto *in)
{
    bool right = in->type == FL_PROTO_BYTES || fl_proto_fail_type(in, FL_PROTO_BYTES);
    return right ? in->body : (fl_slice){0};
}

/* Make `child` a reader over the current bytes field, its offsets counted from the outermost slice.
 * On a wrong wire type it is empty, and the failure is the parent's. */
static inline void fl_proto_enter(fl_proto *child, fl_proto *in)
{
    fl_slice body = fl_proto_bytes(in);
    fl_proto_init(child, body, in->base_offset + in->pos - body.len);
}

/* As fl_proto_enter, by value: for places where the copy does not matter. */
static inline fl_proto fl_proto_message(fl_proto *in)
{
    fl_proto child = {.type = FL_PROTO_NONE};
    fl_proto_enter(&child, in);
    return child;
}

/* Take over a child's failure; false where there is one, or was one here. */
bool fl_proto_adopt(fl_proto *in, const fl_proto *child);

/* The current field as a string of UTF-8. Where it is none, the reader fails at its byte: "invalid
 * UTF-8 in field N". */
fl_slice fl_proto_text(fl_proto *in);

#endif
