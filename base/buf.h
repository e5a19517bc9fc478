/*
 * buf.h - a growing byte buffer with a ceiling. Errors are sticky: write on, check once.
 */
#ifndef FL_BUF_H
#define FL_BUF_H

#include <stdarg.h>

#include "faultline/status.h"

typedef struct fl_buf {
    char *ptr; /* NUL-terminated whenever it is not NULL */
    size_t len;
    size_t cap;
    size_t max_bytes;
    fl_status
        status; /* FL_OK, FL_E_NOMEM or FL_E_LIMIT: the first failure; later writes do nothing */
} fl_buf;

/* An empty buffer that refuses to grow beyond `max_bytes`; nothing is allocated yet. */
fl_buf fl_buf_of(size_t max_bytes);
/* Free its memory; it is empty afterwards, with its limit. All zeros is allowed. */
void fl_buf_dispose(fl_buf *buf);
void fl_buf_clear(fl_buf *buf); /* length and status; keeps the memory */

/* Append. What does not fit sets the status and leaves the contents as they were. */
void fl_buf_add(fl_buf *buf, fl_slice bytes);
void fl_buf_text(fl_buf *buf, const char *text);
void fl_buf_char(fl_buf *buf, char c);
void fl_buf_printf(fl_buf *buf, const char *format, ...) FL_PRINTF(2, 3);
/* What was written, borrowed until the next write. */
fl_slice fl_buf_slice(const fl_buf *buf);
/* Records the sticky failure in `err` as "`what` is larger than N bytes" or as out of memory. */
FL_NODISCARD fl_status fl_buf_check(const fl_buf *buf, const char *what, fl_error *err);

#endif
