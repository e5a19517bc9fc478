/*
 * stream.c - one source of raw bytes (a file or memory), one of three ways to turn them into
 * output.
 *
 * Invariants:
 *   (1) raw.ptr[raw_pos .. raw.len) is input that was fetched and not consumed; over a plain file
 *       it stays empty, since output is read straight into the caller's buffer (of a plain pipe it
 *       holds the first bytes, by which the kind was told);
 *   (2) in_total counts consumed and out_total delivered bytes: the bomb rule compares the two
 *       after each step, and a step makes at most STEP_BYTES;
 *   (3) `inside` says that a gzip member or zstd frame has begun and not ended. Between two, the
 *       next magic number is checked here, so that the libraries never see another format (libzstd
 *       would also take its legacy ones);
 *   (4) once `failure` is set, nothing is read any more.
 *
 * Plain files are read in the caller's blocks and not mapped: a log that is truncated while it is
 * read must not end in SIGBUS. A block of 256 KiB stays in the L2 cache while it is scanned.
 *
 * States of a compressed stream: between frames (enter_frame), inside of one (step), ended, failed.
 * A failure is kept and told by every later read, but never before the output that came ahead of
 * it.
 */
#include "stream_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd_errors.h>

#include "faultline/limits.h"
#include "mem.h"
#include "quote.h"

enum {
    STEP_BYTES = 1 << 20,
    MAGIC_BYTES = 4,
    WINDOW_LOG_MAX = 27,  /* 128 MiB: what `zstd --ultra -22` and `--long` need */
    GZIP_ONLY = 16,       /* inflateInit2: gzip framing, no zlib */
    ZSTD_FIRST_BYTES = 5, /* the shortest frame header */
    ZSTD_BLOCK_HEADER_BYTES = 3
};

static const char *const frame_names[] = {
    [FL_STREAM_GZIP] = "gzip member", [FL_STREAM_ZSTD] = "zstd frame"};

/* The end of a path tells more than its beginning. */
static void set_name(char out[FL_STREAM_NAME_BYTES], const char *path)
{
    char shown[FL_QUOTE_LOCATION];
    path = fl_quote_location(shown, path);
    size_t len = strlen(path);
    if (len < FL_STREAM_NAME_BYTES)
        memcpy(out, path, len + 1);
    else
        snprintf(out, FL_STREAM_NAME_BYTES, "...%s", path + len - (FL_STREAM_NAME_BYTES - 4));
}

fl_stream_format fl_stream_format_of(fl_slice bytes)
{
    const unsigned char *p = bytes.ptr;
    if (bytes.len >= 2 && p[0] == 0x1f && p[1] == 0x8b)
        return FL_STREAM_GZIP;
    if (bytes.len < MAGIC_BYTES)
        return FL_STREAM_PLAIN;
    bool frame = p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd;
    bool skippable = (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18;
    return frame || skippable ? FL_STREAM_ZSTD : FL_STREAM_PLAIN;
}

bool fl_stream_is_packed(fl_slice bytes)
{
    return fl_stream_format_of(bytes) != FL_STREAM_PLAIN;
}

/* A sentence about the file, at the place in its output that was reached. */
static fl_status fail(fl_stream *in, fl_status status, const char *reason)
{
    return fl_fail(&in->failure, status, in->out_total, "%s: %s", in->name, reason);
}

/* errno is read here, so nothing may come between the call and this. */
static fl_status fail_read(fl_stream *in)
{
    return fl_fail(&in->failure, FL_E_IO, in->out_total, "cannot read %s: %s", in->name,
                   strerror(errno));
}

/* zlib's memory counts like ours, and tests can make it fail. */
static void *zlib_alloc(void *opaque, unsigned count, unsigned size)
{
    (void)opaque;
    return fl_mem_calloc(count, size);
}

/* The counterpart of zlib_alloc(). */
static void zlib_free(void *opaque, void *ptr)
{
    (void)opaque;
    fl_mem_free(ptr);
}

/* What invariant (1) is about. */
static fl_slice raw_left(const fl_stream *in)
{
    return (fl_slice){.ptr = in->raw.len > 0 ? in->raw.ptr + in->raw_pos : NULL,
                      .len = in->raw.len - in->raw_pos};
}

/* What decoding needs beyond the stream itself. zlib is started by the first member that is read
 * step by step: one that is read whole does without (stream_whole.c). */
static fl_status start_decoder(fl_stream *in, fl_error *err)
{
    assert(in->zstd == NULL);
    bool ok = true;
    if (in->kind == FL_STREAM_ZSTD) {
        in->zstd = ZSTD_createDCtx();
        ok = in->zstd != NULL &&
             !ZSTD_isError(ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX));
    }
    return ok ? FL_OK
              : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to decompress %s", in->name);
}

/* Takes over `fd`, or -1 where there is none. */
static fl_status fail_open(int fd, const char *path, const char *reason, fl_error *err)
{
    fl_status status = fd < 0 && errno == ENOENT ? FL_E_NOTFOUND : FL_E_IO;
    if (fd >= 0)
        close(fd);
    char name[FL_STREAM_NAME_BYTES];
    set_name(name, path);
    return fl_fail(err, status, FL_NO_OFFSET, "cannot open %s: %s", name, reason);
}

/* A descriptor of a regular file and its first bytes. O_NONBLOCK: opening a FIFO must not wait. */
static fl_status open_regular(int *out, const char *path, unsigned char *magic, size_t *magic_len,
                              fl_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fail_open(-1, path, strerror(errno), err);
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail_open(fd, path, strerror(errno), err);
    if (S_ISDIR(info.st_mode))
        return fail_open(fd, path, "it is a folder", err);
    if (!S_ISREG(info.st_mode))
        return fail_open(fd, path, "it is not a regular file", err);
    ssize_t got = pread(fd, magic, MAGIC_BYTES, 0);
    if (got < 0)
        return fail_open(fd, path, strerror(errno), err);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    *magic_len = (size_t)got;
    *out = fd;
    return FL_OK;
}

/* A stream that takes over `fd`, also when it fails. */
static fl_status create(fl_stream **out, int fd, fl_stream_format kind, const char *name,
                        fl_error *err)
{
    fl_stream *in = fl_mem_calloc(1, sizeof(*in));
    if (in == NULL) {
        if (fd >= 0)
            close(fd);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a stream");
    }
    in->fd = fd;
    in->kind = kind;
    in->free_bytes = FL_STREAM_FREE_BYTES;
    set_name(in->name, name);
    fl_status status = start_decoder(in, err);
    if (status != FL_OK)
        fl_stream_close(in);
    else
        *out = in;
    return status;
}

fl_status fl_stream_open(fl_stream **out, const char *path, fl_error *err)
{
    assert(out != NULL && path != NULL);
    *out = NULL;
    unsigned char magic[MAGIC_BYTES];
    size_t magic_len = 0;
    int fd = -1;
    fl_status status = open_regular(&fd, path, magic, &magic_len, err);
    if (status != FL_OK)
        return status;
    return create(out, fd, fl_stream_format_of((fl_slice){.ptr = magic, .len = magic_len}), path,
                  err);
}

/* The first bytes are fetched here, to be told by: they are what raw begins with. */
static fl_status attach(fl_stream *in, fl_error *err)
{
    fl_status status = fl_stream_fetch(in, MAGIC_BYTES);
    if (status != FL_OK)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", in->failure.message);
    in->kind = fl_stream_format_of(raw_left(in));
    return start_decoder(in, err);
}

fl_status fl_stream_attach(fl_stream **out, int fd, const char *name, fl_error *err)
{
    assert(out != NULL && fd >= 0 && name != NULL);
    *out = NULL;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return fail_open(-1, name, strerror(errno), err);
    fl_stream *in = NULL;
    fl_status status = create(&in, own, FL_STREAM_PLAIN, name, err);
    if (status == FL_OK)
        status = attach(in, err);
    if (status != FL_OK)
        fl_stream_close(in);
    else
        *out = in;
    return status;
}

fl_status fl_stream_open_or_stdin(fl_stream **out, const char *path, fl_error *err)
{
    assert(path != NULL);
    return strcmp(path, "-") == 0 ? fl_stream_attach(out, STDIN_FILENO, "standard input", err)
                                  : fl_stream_open(out, path, err);
}

fl_status fl_stream_over(fl_stream **out, fl_slice bytes, const char *name, fl_error *err)
{
    assert(out != NULL && name != NULL);
    *out = NULL;
    fl_status status = create(out, -1, fl_stream_format_of(bytes), name, err);
    if (status == FL_OK) {
        (*out)->raw = bytes;
        (*out)->raw_ended = true;
    }
    return status;
}

void fl_stream_close(fl_stream *in)
{
    if (in == NULL)
        return;
    if (in->gzip_ready)
        inflateEnd(&in->gzip);
    ZSTD_freeDCtx(in->zstd);
    if (in->fd >= 0)
        close(in->fd);
    fl_mem_free(in->raw_buf);
    fl_mem_free(in);
}

/* read(2) that is not ended by signals; -1 after recording the failure. */
static ssize_t read_some(fl_stream *in, void *buf, size_t cap)
{
    assert(in->fd >= 0 && cap > 0);
    ssize_t got;
    do
        got = read(in->fd, buf, cap);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        (void)fail_read(in);
    return got;
}

bool fl_stream_reserve_raw(fl_stream *in, size_t cap)
{
    assert(in->fd >= 0 && in->raw.len == 0);
    if (cap <= in->raw_cap)
        return true;
    unsigned char *grown = fl_mem_alloc(cap);
    if (grown == NULL)
        return false;
    fl_mem_free(in->raw_buf);
    fl_mem_expect_fill(grown, cap);
    in->raw_buf = grown;
    in->raw_cap = cap;
    return true;
}

void fl_stream_drop_raw(fl_stream *in)
{
    fl_mem_free(in->raw_buf);
    in->raw_buf = NULL;
    in->raw_cap = in->raw_pos = 0;
    in->raw = (fl_slice){0};
    in->raw_ended = true;
}

fl_status fl_stream_fetch(fl_stream *in, size_t want)
{
    assert(in->raw_pos <= in->raw.len);
    size_t left = in->raw.len - in->raw_pos;
    if (left >= want || in->raw_ended)
        return FL_OK;
    if (in->raw_cap == 0 && !fl_stream_reserve_raw(in, FL_STREAM_RAW_BYTES))
        return fail(in, FL_E_NOMEM, "no memory to decompress it");
    assert(want <= in->raw_cap);
    while (left < want && !in->raw_ended) {
        if (left > 0 && in->raw_pos > 0)
            memmove(in->raw_buf, in->raw_buf + in->raw_pos, left);
        ssize_t got = read_some(in, in->raw_buf + left, in->raw_cap - left);
        if (got < 0)
            return in->failure.status;
        in->raw_ended = got == 0;
        left += (size_t)got;
        in->raw = (fl_slice){.ptr = in->raw_buf, .len = left};
        in->raw_pos = 0;
    }
    return FL_OK;
}

/* Only here does in_total grow: the bomb rule counts what was used, not what was fetched. */
static void consume(fl_stream *in, size_t len)
{
    assert(len <= in->raw.len - in->raw_pos);
    in->raw_pos += len;
    in->in_total += len;
}

/* The input ended where a frame goes on. */
static fl_status fail_inside(fl_stream *in)
{
    return fl_fail(&in->failure, FL_E_TRUNCATED, in->out_total,
                   "%s is truncated: it ends inside a %s", in->name, frame_names[in->kind]);
}

/* True when `bytes`, too few for a magic number, may be the start of one of `kind`. */
static bool may_become(fl_stream_format kind, fl_slice bytes)
{
    static const unsigned char frame[] = {0x28, 0xb5, 0x2f}, skippable[] = {0x2a, 0x4d};
    assert(bytes.len > 0 && bytes.len < MAGIC_BYTES);
    if (kind == FL_STREAM_GZIP)
        return bytes.len == 1 && bytes.ptr[0] == 0x1f;
    return memcmp(bytes.ptr, frame, bytes.len) == 0 ||
           ((bytes.ptr[0] & 0xf0) == 0x50 && memcmp(bytes.ptr + 1, skippable, bytes.len - 1) == 0);
}

/* Makes zlib ready for the next member. */
static fl_status enter_member(fl_stream *in)
{
    if (in->gzip_ready)
        return inflateReset(&in->gzip) == Z_OK ? FL_OK : fail(in, FL_E_SYNTAX, "corrupt gzip data");
    in->gzip.zalloc = zlib_alloc;
    in->gzip.zfree = zlib_free;
    if (inflateInit2(&in->gzip, MAX_WBITS + GZIP_ONLY) != Z_OK)
        return fail(in, FL_E_NOMEM, "no memory to decompress it");
    in->gzip_ready = true;
    return FL_OK;
}

/* Between frames: enter the next one by invariant (3), or stay outside where the input ended. */
static fl_status enter_frame(fl_stream *in)
{
    fl_status status = fl_stream_fetch(in, MAGIC_BYTES);
    fl_slice left = raw_left(in);
    if (status != FL_OK || left.len == 0)
        return status;
    if (fl_stream_format_of(left) == in->kind) {
        in->inside = true;
        return in->kind == FL_STREAM_GZIP ? enter_member(in) : FL_OK;
    }
    if (left.len < MAGIC_BYTES && may_become(in->kind, left))
        return fail_inside(in);
    return fl_fail(&in->failure, FL_E_SYNTAX, in->out_total,
                   "%s: the bytes after its last %s are not another one", in->name,
                   frame_names[in->kind]);
}

/* inflate() hands out what it had made before a failure, so no care as in step_zstd is due. */
static fl_status step_gzip(fl_stream *in, unsigned char *out, size_t cap, size_t *made)
{
    assert(in->inside && cap <= STEP_BYTES);
    fl_slice left = raw_left(in);
    z_stream *z = &in->gzip;
    z->next_in = left.ptr;
    z->avail_in = left.len < STEP_BYTES ? (unsigned)left.len : STEP_BYTES;
    size_t offered = z->avail_in;
    z->next_out = out;
    z->avail_out = (unsigned)cap;
    int result = inflate(z, Z_NO_FLUSH);
    consume(in, offered - z->avail_in);
    *made = cap - z->avail_out;
    switch (result) {
    case Z_STREAM_END:
        in->inside = false;
        return FL_OK;
    case Z_OK:
    case Z_BUF_ERROR: /* no progress was possible; the caller sees whether input has ended */
        return FL_OK;
    case Z_MEM_ERROR:
        return fail(in, FL_E_NOMEM, "no memory to decompress it");
    default:
        return fl_fail(&in->failure, FL_E_SYNTAX, in->out_total + *made,
                       "%s: corrupt gzip data: %s", in->name,
                       z->msg != NULL ? z->msg : "wrong stream");
    }
}

/* The failures that a user can do something about have sentences of their own. */
static fl_status fail_zstd(fl_stream *in, size_t result)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
        return fail(in, FL_E_NOMEM, "no memory to decompress it");
    case ZSTD_error_frameParameter_windowTooLarge:
        return fail(in, FL_E_LIMIT, "its zstd window is larger than 128 MiB");
    case ZSTD_error_dictionary_wrong:
        return fail(in, FL_E_UNSUPPORTED, "it needs a zstd dictionary");
    default:
        return fl_fail(&in->failure, FL_E_SYNTAX, in->out_total, "%s: corrupt zstd data: %s",
                       in->name, ZSTD_getErrorName(result));
    }
}

/* libzstd does not tell what a failing call had already written. So a call is given the input of
 * one step only, and none while older output waits: then it fails before it writes, and all that
 * stands before the damage was delivered, whatever the size of the reads. What it says it wants is
 * that step and the header of the block behind it, which is held back. */
static fl_status step_zstd(fl_stream *in, unsigned char *out, size_t cap, size_t *made)
{
    assert(in->inside && cap <= STEP_BYTES);
    fl_slice left = raw_left(in);
    size_t wants = in->zstd_wants > 0 ? in->zstd_wants : ZSTD_FIRST_BYTES;
    if (in->zstd_has_more)
        wants = 0;
    else if (wants > ZSTD_BLOCK_HEADER_BYTES)
        wants -= ZSTD_BLOCK_HEADER_BYTES;
    ZSTD_inBuffer source = {.src = left.ptr, .size = left.len < wants ? left.len : wants};
    ZSTD_outBuffer target = {.dst = out, .size = cap};
    size_t result = ZSTD_decompressStream(in->zstd, &target, &source);
    consume(in, source.pos);
    *made = target.pos;
    if (ZSTD_isError(result))
        return fail_zstd(in, result);
    in->zstd_has_more = target.pos == cap;
    in->zstd_wants = result;
    in->inside = result != 0;
    return FL_OK;
}

/* One turn of a decompressor. *made == 0 with FL_OK: call again, unless *ended. */
static fl_status step(fl_stream *in, unsigned char *out, size_t cap, size_t *made, bool *ended)
{
    *made = 0;
    if (!in->inside) {
        fl_status status = enter_frame(in);
        *ended = status == FL_OK && !in->inside;
        if (status != FL_OK || *ended)
            return status;
    }
    fl_status status = fl_stream_fetch(in, 1);
    if (status != FL_OK)
        return status;
    if (cap > STEP_BYTES)
        cap = STEP_BYTES;
    bool starved = raw_left(in).len == 0;
    status =
        in->kind == FL_STREAM_GZIP ? step_gzip(in, out, cap, made) : step_zstd(in, out, cap, made);
    /* Without input a decoder may still hold output; when it gives none, it waits in vain. */
    if (status == FL_OK && starved && *made == 0 && in->inside)
        return fail_inside(in);
    return status;
}

void fl_stream_allow(fl_stream *in, uint64_t bytes)
{
    assert(in->out_total == 0);
    in->free_bytes = bytes;
}

/* Small outputs may have any ratio: a run of zeros is no attack. */
static bool is_bomb(const fl_stream *in)
{
    return in->out_total > in->free_bytes && in->out_total / FL_STREAM_MAX_RATIO > in->in_total;
}

/* Fills the caller's buffer unless the input ends; what was made before a failure counts. */
static void read_compressed(fl_stream *in, unsigned char *out, size_t cap, size_t *len)
{
    assert(in->kind != FL_STREAM_PLAIN);
    bool ended = false;
    while (*len < cap && !ended) {
        size_t made = 0;
        fl_status status = step(in, out + *len, cap - *len, &made, &ended);
        *len += made;
        in->out_total += made;
        if (status == FL_OK && is_bomb(in))
            status = fl_fail(&in->failure, FL_E_LIMIT, in->out_total,
                             "%s expands more than %u times: refused as a decompression bomb",
                             in->name, FL_STREAM_MAX_RATIO);
        if (status != FL_OK)
            return;
    }
}

/* A read of 0 bytes is the end, for a file as for memory. */
static void read_plain(fl_stream *in, unsigned char *out, size_t cap, size_t *len)
{
    assert(in->kind == FL_STREAM_PLAIN);
    fl_slice left = raw_left(in);
    if (in->fd >= 0 && left.len == 0) {
        ssize_t got = in->raw_ended ? 0 : read_some(in, out, cap);
        *len = got > 0 ? (size_t)got : 0;
    } else {
        *len = left.len < cap ? left.len : cap;
        if (*len > 0)
            memcpy(out, left.ptr, *len);
        consume(in, *len);
    }
    in->out_total += *len;
}

fl_status fl_stream_read(fl_stream *in, void *buf, size_t cap, size_t *len, fl_error *err)
{
    assert(in != NULL && buf != NULL && cap > 0 && len != NULL);
    *len = 0;
    if (in->failure.status == FL_OK) {
        if (in->kind == FL_STREAM_PLAIN)
            read_plain(in, buf, cap, len);
        else
            read_compressed(in, buf, cap, len);
    }
    if (*len > 0 || in->failure.status == FL_OK)
        return FL_OK;
    return fl_fail(err, in->failure.status, in->failure.offset, "%s", in->failure.message);
}
