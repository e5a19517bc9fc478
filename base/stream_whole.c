/*
 * stream_whole.c - a stream to its end, into one block; gzip by whole members where that can be.
 *
 * libdeflate needs a member's input and the room for its output at once, and takes half of zlib's
 * time for it. So it gets what is small: input that fits memory, and output up to
 * FL_STREAM_FREE_BYTES, below which the rule about bombs says nothing. Everything else goes step by
 * step, and so does whatever libdeflate does not like: nothing has been consumed by then, and what
 * is wrong, and where, is said by one place only.
 *
 * The length of a member stands at its end, modulo 2^32, and may be a lie: it is the first guess
 * for the room and no more. The guess is never beyond what deflate can make of the input; room that
 * was too little doubles, so that all trials together cost twice the last one.
 */
#include <assert.h>
#include <pthread.h>
#include <sys/stat.h>

#include <libdeflate.h>

#include "faultline/limits.h"
#include "mem.h"
#include "stream_priv.h"

enum {
    FIRST_BYTES = 64 << 10,
    FIRST_RAW_BYTES = 4 << 10,
    MOST_RAW_BYTES = FL_STREAM_FREE_BYTES,
    DEFLATE_MAX_RATIO = 1032, /* zlib.net/zlib_tech.html: 258 bytes for two bits */
    FLAGS_AT = 3,             /* RFC 1952, 2.3.1 */
    FLAG_HEADER_CRC = 2,      /* which libdeflate passes over and zlib checks */
    LENGTH_BYTES = 4          /* ISIZE, the last field of a member */
};

/* To exactly `cap`: callers double. */
static bool grow(fl_stream_block *block, size_t cap)
{
    assert(cap > block->cap);
    unsigned char *ptr = fl_mem_realloc(block->ptr, cap, 1);
    if (ptr == NULL)
        return false;
    fl_mem_expect_fill(ptr, cap);
    block->ptr = ptr;
    block->cap = cap;
    return true;
}

/* The size of a regular file, else 0. It is a hint: the file may grow or shrink meanwhile. */
static size_t file_bytes(const fl_stream *in)
{
    struct stat info;
    if (in->fd < 0 || fstat(in->fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 0)
        return 0;
    return (uint64_t)info.st_size < SIZE_MAX / 2 ? (size_t)info.st_size : 0;
}

/* --- gzip, whole members --- */

/* Whether the whole input is in `raw`, and is small. */
static bool has_all_raw(fl_stream *in)
{
    if (in->fd < 0)
        return in->raw.len <= MOST_RAW_BYTES;
    if (in->raw.len > 0) /* attached */
        return fl_stream_fetch(in, in->raw_cap) == FL_OK && in->raw_ended;
    size_t size = file_bytes(in);
    if (size == 0 || size > MOST_RAW_BYTES)
        return false;
    size_t cap = size < FIRST_RAW_BYTES ? FIRST_RAW_BYTES : size + 1;
    return fl_stream_reserve_raw(in, cap) && fl_stream_fetch(in, cap) == FL_OK && in->raw_ended;
}

/* How much room the first trial has: what the last member says of itself, within reason. */
static size_t first_guess(fl_slice raw, size_t most)
{
    assert(raw.len <= MOST_RAW_BYTES);
    size_t said = 0, possible = raw.len * DEFLATE_MAX_RATIO;
    for (size_t i = 0; i < LENGTH_BYTES && i < raw.len; i++)
        said = said << 8 | raw.ptr[raw.len - 1 - i];
    if (said > possible)
        said = possible;
    if (said < FIRST_BYTES)
        said = FIRST_BYTES;
    return said < most ? said : most;
}

/* Whether the next member's header is one that both libraries read alike. */
static bool is_plain_member(fl_slice raw)
{
    return raw.len > FLAGS_AT && fl_stream_format_of(raw) == FL_STREAM_GZIP &&
           (raw.ptr[FLAGS_AT] & FLAG_HEADER_CRC) == 0;
}

/* Every member of `raw` into the block. False: not this way. */
static bool inflate_members(fl_stream_block *block, size_t *len, fl_slice raw, size_t most,
                            struct libdeflate_decompressor *inflater)
{
    size_t guess = first_guess(raw, most);
    *len = 0;
    if (block->cap < guess && !grow(block, guess))
        return false;
    while (raw.len > 0) {
        size_t taken = 0, made = 0, room = (block->cap < most ? block->cap : most) - *len;
        if (!is_plain_member(raw))
            return false;
        enum libdeflate_result result = libdeflate_gzip_decompress_ex(
            inflater, raw.ptr, raw.len, block->ptr + *len, room, &taken, &made);
        if (result == LIBDEFLATE_INSUFFICIENT_SPACE && block->cap < most &&
            grow(block, block->cap < most / 2 ? block->cap * 2 : most))
            continue;
        if (result != LIBDEFLATE_SUCCESS)
            return false;
        assert(taken > 0 && taken <= raw.len && made <= room);
        raw = (fl_slice){.ptr = raw.ptr + taken, .len = raw.len - taken};
        *len += made;
    }
    return true;
}

static pthread_once_t count_once = PTHREAD_ONCE_INIT;

/* libdeflate's memory counts like ours, and tests can make it fail. */
static void count_memory(void)
{
    libdeflate_set_memory_allocator(fl_mem_alloc, fl_mem_free);
}

/* The stream is at its end when this was possible, and where it was when not. */
static bool read_members(fl_stream_block *block, size_t *len, fl_stream *in, size_t most)
{
    if (in->kind != FL_STREAM_GZIP || !has_all_raw(in))
        return false;
    pthread_once(&count_once, count_memory);
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    if (inflater == NULL)
        return false;
    bool done = inflate_members(block, len, in->raw, most, inflater);
    libdeflate_free_decompressor(inflater);
    return done;
}

/* --- step by step --- */

/* Up to one byte more than `most`, by which the caller sees that there is more. */
static fl_status read_steps(fl_stream_block *block, size_t *len, fl_stream *in, size_t most,
                            fl_error *err)
{
    size_t got = 1, wanted = in->kind == FL_STREAM_PLAIN ? file_bytes(in) + 1 : 0;
    if (wanted < FIRST_BYTES || wanted > most)
        wanted = FIRST_BYTES;
    for (*len = 0; got > 0 && *len <= most; *len += got) {
        if (*len == block->cap && !grow(block, *len == 0 ? wanted : *len * 2))
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the content of %s",
                           in->name);
        size_t room = block->cap - *len;
        if (room > most - *len + 1)
            room = most - *len + 1;
        fl_status status = fl_stream_read(in, block->ptr + *len, room, &got, err);
        if (status != FL_OK)
            return status;
    }
    return FL_OK;
}

fl_status fl_stream_read_all(fl_slice *out, fl_stream_block *block, fl_stream *in, size_t most,
                             fl_error *err)
{
    assert(out != NULL && block != NULL && in != NULL && most > 0 && most < SIZE_MAX / 2);
    assert(in->in_total == 0 && in->out_total == 0 && in->failure.status == FL_OK);
    size_t len = 0;
    fl_status status = FL_OK;
    *out = (fl_slice){0};
    if (!read_members(block, &len, in, most < FL_STREAM_FREE_BYTES ? most : FL_STREAM_FREE_BYTES))
        status = read_steps(block, &len, in, most, err);
    if (status == FL_OK)
        *out = (fl_slice){.ptr = block->ptr, .len = len};
    fl_stream_drop_raw(in);
    return status;
}
