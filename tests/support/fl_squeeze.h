/*
 * fl_squeeze.h - gzip and zstd bytes, and files, made where a test needs them.
 */
#ifndef FL_SQUEEZE_H
#define FL_SQUEEZE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "faultline/status.h"

/* Bytes that a test owns and frees. */
typedef struct fl_bytes {
    unsigned char *ptr;
    size_t len;
} fl_bytes;

static inline fl_slice fl_bytes_slice(fl_bytes bytes)
{
    return (fl_slice){.ptr = bytes.ptr, .len = bytes.len};
}

static inline fl_bytes fl_gzip(fl_slice plain)
{
    z_stream z = {0};
    if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    size_t cap = deflateBound(&z, plain.len);
    unsigned char *out = malloc(cap);
    z.next_in = (Bytef *)(uintptr_t)plain.ptr;
    z.avail_in = (uInt)plain.len;
    z.next_out = out;
    z.avail_out = (uInt)cap;
    if (out == NULL || deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    deflateEnd(&z);
    return (fl_bytes){.ptr = out, .len = cap - z.avail_out};
}

/* One frame with a checksum, as the zstd program writes it. */
static inline fl_bytes fl_zstd(fl_slice plain, int level)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t cap = ZSTD_compressBound(plain.len);
    unsigned char *out = malloc(cap);
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t len = ZSTD_compress2(context, out, cap, plain.ptr, plain.len);
    if (out == NULL || ZSTD_isError(len))
        abort();
    ZSTD_freeCCtx(context);
    return (fl_bytes){.ptr = out, .len = len};
}

static inline fl_bytes fl_joined(fl_slice a, fl_slice b)
{
    unsigned char *out = malloc(a.len + b.len + 1);
    if (out == NULL)
        abort();
    if (a.len > 0)
        memcpy(out, a.ptr, a.len);
    if (b.len > 0)
        memcpy(out + a.len, b.ptr, b.len);
    return (fl_bytes){.ptr = out, .len = a.len + b.len};
}

/* `bytes` in a new file, whose path is written to `path`; the caller unlinks it. */
#define FL_TEMP_PATH "/tmp/faultline-test-XXXXXX"
static inline void fl_temp_file(char path[sizeof(FL_TEMP_PATH)], fl_slice bytes)
{
    memcpy(path, FL_TEMP_PATH, sizeof(FL_TEMP_PATH));
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL || (bytes.len > 0 && fwrite(bytes.ptr, 1, bytes.len, file) != bytes.len) ||
        fclose(file) != 0)
        abort();
}

#endif
