/*
 * stream.h - read plain, gzip and zstd files alike, as bytes or as lines.
 *
 * The kind is told by the first bytes, not by the name. Concatenated gzip members and zstd frames
 * are one stream; skippable zstd frames are passed over. Bounded: one input buffer, and a zstd
 * window of at most 128 MiB, whatever the file. A decompression bomb is refused: past
 * FL_STREAM_FREE_BYTES of output, output may be at most FL_STREAM_MAX_RATIO times the input
 * consumed (faultline/limits.h).
 */
#ifndef FL_STREAM_H
#define FL_STREAM_H

#include <stdbool.h>

#include "faultline/status.h"

typedef struct fl_stream fl_stream;

/* FL_E_NOTFOUND or FL_E_IO ("cannot open PATH: reason"), or FL_E_NOMEM. A folder, a FIFO or a
 * device is refused. */
FL_NODISCARD fl_status fl_stream_open(fl_stream **out, const char *path, fl_error *err);
/* The same over what another program writes to a pipe, or any descriptor that is open: it is read
 * once, from where it is, and stays the caller's. Waits for the first bytes. */
FL_NODISCARD fl_status fl_stream_attach(fl_stream **out, int fd, const char *name, fl_error *err);
/* A file by its path; "-" is standard input. */
FL_NODISCARD fl_status fl_stream_open_or_stdin(fl_stream **out, const char *path, fl_error *err);
/* The same over bytes in memory, which are borrowed until the close. `name` is for messages. */
FL_NODISCARD fl_status fl_stream_over(fl_stream **out, fl_slice bytes, const char *name,
                                      fl_error *err);
void fl_stream_close(fl_stream *in); /* NULL is a no-op */
/* Let the first `bytes` of output be no bomb whatever they are made of, in place of
 * FL_STREAM_FREE_BYTES: for who has a bound of its own. Before the first read. */
void fl_stream_allow(fl_stream *in, uint64_t bytes);
/* Whether bytes begin as gzip or zstd do, and would be decompressed. */
bool fl_stream_is_packed(fl_slice bytes);

/* Up to `cap` > 0 decompressed bytes; *len is 0 only at the end or on failure. All that is good
 * comes before the failure, which is sticky: FL_E_TRUNCATED when a compressed file ends inside a
 * frame, FL_E_SYNTAX on corrupt data, FL_E_UNSUPPORTED where zstd wants a dictionary, FL_E_LIMIT
 * on a bomb or a larger window, FL_E_IO, FL_E_NOMEM. Its offset counts decompressed bytes. */
FL_NODISCARD fl_status fl_stream_read(fl_stream *in, void *buf, size_t cap, size_t *len,
                                      fl_error *err);

/* A block that streams are read into, one after the other; it grows and is freed with
 * fl_mem_free(block.ptr). */
typedef struct fl_stream_block {
    unsigned char *ptr;
    size_t cap;
} fl_stream_block;

/* All of a stream that nothing was read from; it can only be closed afterwards. *out is in `block`,
 * until that is read into again. Of more than `most` bytes the first most + 1 are read. Much faster
 * than fl_stream_read() for gzip of usual sizes, with the same result; fails as that does, and on
 * failure there is nothing. */
FL_NODISCARD fl_status fl_stream_read_all(fl_slice *out, fl_stream_block *block, fl_stream *in,
                                          size_t most, fl_error *err);

/* A line reader over a stream it does not own. */
typedef struct fl_lines fl_lines;
typedef struct fl_line {
    fl_slice text;   /* without "\n" or "\r\n"; valid until the next call */
    uint64_t number; /* from 1 */
    uint64_t offset; /* of the line's first byte, decompressed */
    bool too_long;   /* longer than max_line_bytes: text holds its first bytes, the rest was passed
                        over */
} fl_line;

FL_NODISCARD fl_status fl_lines_create(fl_lines **out, fl_stream *stream, size_t max_line_bytes,
                                       fl_error *err);
/* The stream stays open. NULL is a no-op. */
void fl_lines_destroy(fl_lines *lines);
/* FL_OK with *more false at the end. When the stream fails, lines that were complete come first,
 * then the unfinished last one is dropped and the failure is returned. */
FL_NODISCARD fl_status fl_lines_next(fl_lines *lines, fl_line *line, bool *more, fl_error *err);

#endif
