/*
 * reader.c - bounds are checked here and nowhere else.
 *
 * The first read that does not fit sets `short_read` for good: a decoder reads a whole structure
 * and asks once at its end. Values read after it are 0 and empty, which no caller may act upon.
 */
#include "reader.h"

#include <assert.h>

#include "bytes.h"

fl_reader fl_reader_over(fl_slice bytes)
{
    return (fl_reader){.bytes = bytes};
}

bool fl_reader_done(const fl_reader *in)
{
    assert(in->pos <= in->bytes.len);
    return in->pos == in->bytes.len;
}

fl_slice fl_read_bytes(fl_reader *in, uint64_t len)
{
    assert(in->pos <= in->bytes.len);
    if (in->short_read || len > in->bytes.len - in->pos) {
        in->short_read = true;
        return (fl_slice){0};
    }
    fl_slice out = {.ptr = len > 0 ? in->bytes.ptr + in->pos : NULL, .len = (size_t)len};
    in->pos += (size_t)len;
    return out;
}

/* Most are one byte or eight. */
uint64_t fl_read_be(fl_reader *in, size_t width)
{
    assert(width >= 1 && width <= 8 && in->pos <= in->bytes.len);
    if (!in->short_read && width <= in->bytes.len - in->pos && (width == 1 || width == 8)) {
        const unsigned char *at = in->bytes.ptr + in->pos;
        in->pos += width;
        return width == 1 ? *at : fl_bytes_be64(at);
    }
    fl_slice raw = fl_read_bytes(in, width);
    uint64_t value = 0;
    for (size_t i = 0; i < raw.len; i++)
        value = value << 8 | raw.ptr[i];
    return value;
}
