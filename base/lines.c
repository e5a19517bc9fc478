/*
 * lines.c - the line reader of stream.h: memchr over blocks that the stream fills in place.
 *
 * Invariants:
 *   (1) buf[begin .. end) was read and not handed out; `offset` is the place of buf[begin] in the
 *       stream, and the first `scanned` of these bytes hold no line feed;
 *   (2) the buffer is one block, or has grown for a long line to at most max_bytes + 2 (its CR LF);
 *   (3) `passing`: the front of a line that is too long was handed out, its rest is still to be
 *       dropped.
 *
 * Cost: each byte is read into the buffer and scanned once; a line cut by a block's end moves once.
 */
#include "stream.h"

#include <assert.h>
#include <string.h>

#include "mem.h"

enum { BLOCK_BYTES = 256 << 10 };

struct fl_lines {
    fl_stream *stream;
    unsigned char *buf;
    size_t cap;
    size_t begin, end, scanned;
    size_t max_bytes;
    uint64_t offset;
    uint64_t number;
    bool ended; /* the stream has no more, or has failed */
    bool passing;
    fl_error failure;
};

fl_status fl_lines_create(fl_lines **out, fl_stream *stream, size_t max_line_bytes, fl_error *err)
{
    assert(out != NULL && stream != NULL && max_line_bytes > 0 && max_line_bytes < SIZE_MAX / 4);
    *out = NULL;
    fl_lines *lines = fl_mem_calloc(1, sizeof(*lines));
    unsigned char *buf = fl_mem_alloc(BLOCK_BYTES);
    if (lines == NULL || buf == NULL) {
        fl_mem_free(lines);
        fl_mem_free(buf);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a line reader");
    }
    lines->stream = stream;
    lines->buf = buf;
    lines->cap = BLOCK_BYTES;
    lines->max_bytes = max_line_bytes;
    *out = lines;
    return FL_OK;
}

void fl_lines_destroy(fl_lines *lines)
{
    if (lines == NULL)
        return;
    fl_mem_free(lines->buf);
    fl_mem_free(lines);
}

/* Consume bytes; what was known of the rest is forgotten. */
static void drop(fl_lines *lines, size_t len)
{
    assert(len <= lines->end - lines->begin);
    lines->begin += len;
    lines->offset += len;
    lines->scanned = 0;
}

/* Only for a line that fills the whole buffer, so at most log2(max / block) times a file. */
static fl_status grow(fl_lines *lines)
{
    size_t cap = lines->cap * 2;
    if (cap > lines->max_bytes + 2)
        cap = lines->max_bytes + 2;
    assert(cap > lines->cap);
    unsigned char *buf = fl_mem_realloc(lines->buf, cap, 1);
    if (buf == NULL)
        return fl_fail(&lines->failure, FL_E_NOMEM, lines->offset,
                       "no memory for a line of %zu bytes", cap);
    lines->buf = buf;
    lines->cap = cap;
    return FL_OK;
}

/* More bytes behind what is left, or `ended`. */
static void fill(fl_lines *lines)
{
    assert(!lines->ended);
    size_t left = lines->end - lines->begin;
    if (lines->begin > 0 && left > 0)
        memmove(lines->buf, lines->buf + lines->begin, left);
    lines->begin = 0;
    lines->end = left;
    if (left == lines->cap && grow(lines) != FL_OK) {
        lines->ended = true;
        return;
    }
    size_t room = lines->cap - left;
    size_t got = 0;
    fl_status status =
        fl_stream_read(lines->stream, lines->buf + left, room < BLOCK_BYTES ? room : BLOCK_BYTES,
                       &got, &lines->failure);
    lines->ended = status != FL_OK || got == 0;
    lines->end += got;
}

/* Hand out buf[begin .. begin + len), of which `cut` bytes are the line's end and not its text. */
static fl_status give(fl_lines *lines, fl_line *line, size_t len, size_t cut)
{
    assert(cut <= len && len <= lines->end - lines->begin);
    size_t text_len = len - cut;
    line->too_long = text_len > lines->max_bytes;
    line->text = (fl_slice){.ptr = lines->buf + lines->begin,
                            .len = line->too_long ? lines->max_bytes : text_len};
    line->number = ++lines->number;
    line->offset = lines->offset;
    drop(lines, len);
    return FL_OK;
}

/* The line feed among the bytes that are there and were not looked at; NULL: none, all scanned. */
static const unsigned char *find_feed(fl_lines *lines)
{
    assert(lines->begin <= lines->end && lines->end <= lines->cap);
    size_t left = lines->end - lines->begin;
    const unsigned char *from = lines->buf + lines->begin;
    const unsigned char *feed =
        left > lines->scanned ? memchr(from + lines->scanned, '\n', left - lines->scanned) : NULL;
    if (feed == NULL)
        lines->scanned = left;
    return feed;
}

/* Drop the rest of a line whose front was handed out, its line feed included. */
static void pass_over(fl_lines *lines)
{
    while (lines->passing) {
        const unsigned char *feed = find_feed(lines);
        if (feed != NULL)
            drop(lines, (size_t)(feed - (lines->buf + lines->begin)) + 1);
        else
            drop(lines, lines->end - lines->begin);
        lines->passing = feed == NULL && !lines->ended;
        if (lines->passing)
            fill(lines);
    }
}

fl_status fl_lines_next(fl_lines *lines, fl_line *line, bool *more, fl_error *err)
{
    assert(lines != NULL && line != NULL && more != NULL);
    *line = (fl_line){0};
    pass_over(lines);
    *more = true;
    for (;;) {
        const unsigned char *feed = find_feed(lines);
        const unsigned char *from = lines->buf + lines->begin;
        size_t left = lines->end - lines->begin;
        if (feed != NULL) {
            size_t len = (size_t)(feed - from) + 1;
            return give(lines, line, len, len > 1 && feed[-1] == '\r' ? 2 : 1);
        }
        if (left >= lines->max_bytes + 2) { /* also without CR LF it is too long */
            lines->passing = true;
            return give(lines, line, left, 0);
        }
        if (lines->ended)
            break;
        fill(lines);
    }
    *more = false;
    if (lines->failure.status != FL_OK) {
        drop(lines, lines->end - lines->begin);
        return fl_fail(err, lines->failure.status, lines->failure.offset, "%s",
                       lines->failure.message);
    }
    *more = lines->end > lines->begin;
    return *more ? give(lines, line, lines->end - lines->begin, 0) : FL_OK;
}
