/*
 * import_window.h - a window that moves over a JSON document, and gives one value after the other.
 *
 * Only where a value ends is found here; whether it is well formed is for base/json.h, which gets
 * the value whole. A value is bounded, so that the window is.
 */
#ifndef FL_IMPORT_WINDOW_H
#define FL_IMPORT_WINDOW_H

#include <stdbool.h>

#include "graph_import.h"

/* The texts of a row at their limits, every byte as a \u escape, and as much again. */
#define FL_MAX_IMPORT_VALUE_BYTES (256u << 10)

typedef struct fl_window {
    const fl_graph_source *source;
    unsigned char *bytes;
    size_t begin, end; /* of what was read and not taken */
    bool ended;        /* the source has no more */
    uint64_t offset;   /* of bytes[begin] in the document */
    uint64_t line;     /* of bytes[begin], from 1 */
} fl_window;

FL_NODISCARD fl_status fl_window_open(fl_window *out, const fl_graph_source *source, fl_error *err);
/* Free the bytes; the source stays with its owner. */
void fl_window_close(fl_window *window);

/* The next byte that is no white space, which is not taken; -1 at the end. */
FL_NODISCARD fl_status fl_window_peek(int *out, fl_window *window, fl_error *err);
/* Take that byte, which must be `wanted`. */
FL_NODISCARD fl_status fl_window_expect(fl_window *window, char wanted, fl_error *err);

/* A value as it stands, valid until the next call. */
typedef struct fl_window_value {
    fl_slice text;
    uint64_t offset, line; /* of its first byte */
} fl_window_value;
FL_NODISCARD fl_status fl_window_take(fl_window_value *out, fl_window *window, fl_error *err);

/* Record a failure of the source's document: "NAME:LINE: ...", and return its status. `inner`'s
 * offset is counted from the beginning of `value`. */
fl_status fl_window_fail(const fl_window *window, const fl_window_value *value,
                         const fl_error *inner, fl_error *err);

#endif
