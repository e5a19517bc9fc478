/*
 * reader.h - a bounded cursor over untrusted bytes whose failure is sticky.
 *
 * A read past the end returns zero, moves nothing and marks the reader; decoders read a whole
 * step straight through and check once. No decoder touches a raw pointer.
 */
#ifndef FL_READER_H
#define FL_READER_H

#include <stdbool.h>

#include "slice.h"

typedef struct fl_reader {
    fl_slice bytes;  /* borrowed for the reader's whole life */
    size_t pos;      /* <= bytes.len */
    bool short_read; /* a read asked for more than was left */
} fl_reader;

/* At the first byte. */
fl_reader fl_reader_over(fl_slice bytes);
/* All bytes were read. */
bool fl_reader_done(const fl_reader *in);

uint64_t fl_read_be(fl_reader *in, size_t width); /* 1 to 8 bytes, big-endian */
fl_slice fl_read_bytes(fl_reader *in, uint64_t len);

#endif
