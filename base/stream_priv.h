/*
 * stream_priv.h - a stream from within: what reading it step by step and reading it whole share.
 */
#ifndef FL_STREAM_PRIV_H
#define FL_STREAM_PRIV_H

#include "stream.h"

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

enum {
    FL_STREAM_RAW_BYTES = 128 << 10,
    FL_STREAM_NAME_BYTES = 100 /* of a path in a message; the sentence behind it must still fit */
};

typedef enum fl_stream_format { FL_STREAM_PLAIN, FL_STREAM_GZIP, FL_STREAM_ZSTD } fl_stream_format;

/* Its invariants stand at the top of stream.c. */
struct fl_stream {
    int fd; /* -1: memory */
    fl_stream_format kind;
    bool inside;
    bool raw_ended; /* nothing is left to be fetched */
    fl_slice raw;
    size_t raw_pos;
    unsigned char *raw_buf; /* of a file, from the first fetch on */
    size_t raw_cap;
    uint64_t in_total, out_total;
    uint64_t free_bytes; /* that may be made of however little */
    z_stream gzip;
    bool gzip_ready; /* from the first member on */
    ZSTD_DCtx *zstd;
    size_t zstd_wants;  /* input for its next block, 0 at the start of a frame */
    bool zstd_has_more; /* it may hold output for which there was no room */
    fl_error failure;
    char name[FL_STREAM_NAME_BYTES];
};

/* PLAIN unless `bytes` begin with a whole magic number. */
fl_stream_format fl_stream_format_of(fl_slice bytes);
/* Have at least `want` raw bytes, as many as the raw buffer can hold, unless the input ends before;
 * what is left moves to the front. */
fl_status fl_stream_fetch(fl_stream *in, size_t want);
/* The raw buffer with room for `cap` bytes, before anything was fetched. False: no memory. */
bool fl_stream_reserve_raw(fl_stream *in, size_t cap);
/* Give the raw buffer back; the stream has no input any more. */
void fl_stream_drop_raw(fl_stream *in);

#endif
