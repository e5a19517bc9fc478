/*
 * made_proto.h - protobuf messages that a test writes itself.
 */
#ifndef FL_MADE_PROTO_H
#define FL_MADE_PROTO_H

#include "buf.h"
#include "slice.h"

static inline void made_varint(fl_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        fl_buf_char(out, (char)(value | 0x80));
    fl_buf_char(out, (char)value);
}

static inline void made_u64(fl_buf *out, uint32_t field, uint64_t value)
{
    made_varint(out, (uint64_t)field << 3);
    made_varint(out, value);
}

static inline void made_bytes(fl_buf *out, uint32_t field, fl_slice bytes)
{
    made_varint(out, (uint64_t)field << 3 | 2);
    made_varint(out, bytes.len);
    fl_buf_add(out, bytes);
}

static inline void made_text(fl_buf *out, uint32_t field, const char *text)
{
    made_bytes(out, field, fl_slice_of(text));
}

static inline void made_fixed64(fl_buf *out, uint32_t field, uint64_t bits)
{
    made_varint(out, (uint64_t)field << 3 | 1);
    for (int i = 0; i < 8; i++)
        fl_buf_char(out, (char)(bits >> 8 * i));
}

static inline void made_double(fl_buf *out, uint32_t field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    made_fixed64(out, field, bits);
}

/* `inner` as a field of `out`; inner is emptied. */
static inline void made_message(fl_buf *out, uint32_t field, fl_buf *inner)
{
    made_bytes(out, field, fl_buf_slice(inner));
    fl_buf_clear(inner);
}

#endif
