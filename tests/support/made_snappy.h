/*
 * made_snappy.h - snappy blocks that a test makes itself: a length, then elements.
 */
#ifndef FL_MADE_SNAPPY_H
#define FL_MADE_SNAPPY_H

#include "buf.h"

static inline void made_snappy_length(fl_buf *out, uint64_t length)
{
    for (; length >= 0x80; length >>= 7)
        fl_buf_char(out, (char)(length | 0x80));
    fl_buf_char(out, (char)length);
}

static inline void made_snappy_literal(fl_buf *out, fl_slice bytes)
{
    for (size_t at = 0; at < bytes.len;) {
        size_t len = bytes.len - at < 65536 ? bytes.len - at : 65536;
        fl_buf_char(out, (char)(61 << 2));
        fl_buf_char(out, (char)((len - 1) & 0xff));
        fl_buf_char(out, (char)((len - 1) >> 8));
        fl_buf_add(out, (fl_slice){.ptr = bytes.ptr + at, .len = len});
        at += len;
    }
}

/* `len` is 1 to 64, `offset` fits two bytes. */
static inline void made_snappy_copy(fl_buf *out, size_t offset, size_t len)
{
    fl_buf_char(out, (char)((len - 1) << 2 | 2));
    fl_buf_char(out, (char)(offset & 0xff));
    fl_buf_char(out, (char)(offset >> 8));
}

/* A whole block of literals. */
static inline void made_snappy_block(fl_buf *out, fl_slice bytes)
{
    made_snappy_length(out, bytes.len);
    made_snappy_literal(out, bytes);
}

#endif
