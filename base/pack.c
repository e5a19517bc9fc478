/*
 * pack.c - a frame says how much it holds, which is believed only within the bound, and checked.
 */
#include "pack.h"

#include <assert.h>
#include <zstd.h>

#include "mem.h"

/* A third of the time of 6 for a few percent more bytes. */
enum { LEVEL = 3 };

/* In memory of its own first: the frame's length is not known before. */
fl_status fl_pack(fl_buf *out, fl_slice bytes, const char *what, fl_error *err)
{
    assert(out != NULL && what != NULL);
    size_t cap = ZSTD_compressBound(bytes.len);
    unsigned char *room = fl_mem_alloc(cap);
    if (room == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to compress %s", what);
    size_t len =
        ZSTD_compress(room, cap, bytes.len > 0 ? (const void *)bytes.ptr : "", bytes.len, LEVEL);
    fl_status status = FL_OK;
    if (ZSTD_isError(len)) {
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "cannot compress %s: %s", what,
                         ZSTD_getErrorName(len));
    } else {
        fl_buf_add(out, (fl_slice){.ptr = room, .len = len});
        status = fl_buf_check(out, what, err);
    }
    fl_mem_free(room);
    return status;
}

/* The bound is checked before room is made for what the frame says it holds. */
fl_status fl_unpack(fl_buf *out, fl_slice packed, size_t most, const char *what, fl_error *err)
{
    assert(out != NULL && what != NULL);
    unsigned long long size = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
        return fl_fail(err, FL_E_SYNTAX, 0, "%s is not compressed as it was kept", what);
    if (size > most)
        return fl_fail(err, FL_E_LIMIT, 0, "%s is larger than %zu bytes", what, most);
    unsigned char *room = fl_mem_alloc((size_t)size);
    if (room == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to decompress %s", what);
    size_t len = ZSTD_decompress(room, (size_t)size, packed.ptr, packed.len);
    fl_status status = FL_OK;
    if (ZSTD_isError(len) || len != size) {
        status = fl_fail(err, FL_E_SYNTAX, 0, "%s is damaged: %s", what,
                         ZSTD_isError(len) ? ZSTD_getErrorName(len) : "it ends early");
    } else {
        fl_buf_add(out, (fl_slice){.ptr = room, .len = len});
        status = fl_buf_check(out, what, err);
    }
    fl_mem_free(room);
    return status;
}
