/*
 * gzip.c - zlib's compressor in steps of one block on the stack; its memory is counted like ours.
 */
#define ZLIB_CONST /* input is only read */
#include "gzip.h"

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "mem.h"

enum {
    STEP_BYTES = 16384,
    GZIP_FRAMING = 16, /* deflateInit2: gzip's header and checksum in place of zlib's */
    MEMORY_LEVEL = 8   /* zlib's default: 256 KiB */
};

/* zlib multiplies nothing itself: an overflow is a failure here. */
static voidpf take(voidpf opaque, uInt count, uInt size)
{
    (void)opaque;
    return fl_mem_calloc(count, size);
}

/* The other half of take(). */
static void give(voidpf opaque, voidpf ptr)
{
    (void)opaque;
    fl_mem_free(ptr);
}

/* All of the input is there from the beginning, so that zlib can be told to finish at once. */
fl_status fl_gzip_add(fl_buf *out, fl_slice bytes, int level, fl_error *err)
{
    unsigned char step[STEP_BYTES];
    z_stream z;
    assert(out != NULL && level >= 1 && level <= 9);
    if (bytes.len > UINT_MAX)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than 4 GiB to compress at once");
    memset(&z, 0, sizeof(z));
    z.zalloc = take;
    z.zfree = give;
    z.next_in = bytes.ptr;
    z.avail_in = (uInt)bytes.len;
    if (deflateInit2(&z, level, Z_DEFLATED, MAX_WBITS + GZIP_FRAMING, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for compressing");
    int result = Z_OK;
    while (result == Z_OK && out->status == FL_OK) {
        z.next_out = step;
        z.avail_out = sizeof(step);
        result = deflate(&z, Z_FINISH);
        fl_buf_add(out, (fl_slice){.ptr = step, .len = sizeof(step) - z.avail_out});
    }
    assert(result == Z_OK || result == Z_STREAM_END);
    (void)deflateEnd(&z);
    return fl_buf_check(out, "a compressed answer", err);
}
