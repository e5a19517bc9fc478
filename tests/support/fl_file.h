/*
 * fl_file.h - a whole file of the source tree, as a test wants it; zstd and gzip are undone.
 */
#ifndef FL_FILE_H
#define FL_FILE_H

#include <stdio.h>
#include <stdlib.h>

#include "fl_squeeze.h"
#include "stream.h"

/* Ends the test program where the file is not there: fixtures are part of the tree. */
static inline fl_bytes fl_file_read(const char *relative)
{
    char path[512];
    fl_stream *in;
    fl_error err = {0};
    fl_bytes out = {0};
    size_t cap = 1 << 16, len = 1;
    snprintf(path, sizeof(path), "%s/%s", FL_SOURCE_DIR, relative);
    if (fl_stream_open(&in, path, &err) != FL_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    out.ptr = malloc(cap);
    while (len > 0) {
        if (out.ptr == NULL ||
            fl_stream_read(in, out.ptr + out.len, cap - out.len, &len, &err) != FL_OK)
            abort();
        out.len += len;
        if (out.len == cap)
            out.ptr = realloc(out.ptr, cap *= 2);
    }
    fl_stream_close(in);
    return out;
}

#endif
