/*
 * buf.c - doubling growth up to the ceiling.
 *
 * Invariants: len < cap where ptr is not NULL, ptr[len] is NUL, len <= max_bytes. A write either
 * happens whole or sets `status` and changes nothing.
 *
 * The failure is sticky: a page is written without a test after each word, and checked once at its
 * end with fl_buf_check(), which also makes the sentence.
 */
#include "buf.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

enum { FIRST_CAP = 256 };

fl_buf fl_buf_of(size_t max_bytes)
{
    assert(max_bytes < SIZE_MAX / 2);
    return (fl_buf){.max_bytes = max_bytes};
}

void fl_buf_dispose(fl_buf *buf)
{
    assert(buf != NULL);
    fl_mem_free(buf->ptr);
    *buf = (fl_buf){.max_bytes = buf->max_bytes};
}

void fl_buf_clear(fl_buf *buf)
{
    assert(buf != NULL);
    buf->len = 0;
    buf->status = FL_OK;
    if (buf->ptr != NULL)
        buf->ptr[0] = '\0';
}

/* Room for `extra` more bytes and the NUL; false after recording the failure. */
static bool reserve(fl_buf *buf, size_t extra)
{
    assert(buf != NULL && buf->len <= buf->max_bytes);
    if (buf->status != FL_OK)
        return false;
    if (extra > buf->max_bytes - buf->len) {
        buf->status = FL_E_LIMIT;
        return false;
    }
    size_t need = buf->len + extra + 1;
    if (need <= buf->cap)
        return true;
    size_t cap = buf->cap > FIRST_CAP / 2 ? buf->cap * 2 : FIRST_CAP;
    if (cap > buf->max_bytes + 1)
        cap = buf->max_bytes + 1;
    if (cap < need)
        cap = need;
    char *ptr = fl_mem_realloc(buf->ptr, cap, 1);
    if (ptr == NULL) {
        buf->status = FL_E_NOMEM;
        return false;
    }
    buf->ptr = ptr;
    buf->cap = cap;
    buf->ptr[buf->len] = '\0';
    return true;
}

void fl_buf_add(fl_buf *buf, fl_slice bytes)
{
    if (!reserve(buf, bytes.len) || bytes.len == 0)
        return;
    memcpy(buf->ptr + buf->len, bytes.ptr, bytes.len);
    buf->len += bytes.len;
    buf->ptr[buf->len] = '\0';
}

void fl_buf_text(fl_buf *buf, const char *text)
{
    assert(text != NULL);
    fl_buf_add(buf, (fl_slice){.ptr = (const unsigned char *)text, .len = strlen(text)});
}

void fl_buf_char(fl_buf *buf, char c)
{
    if (!reserve(buf, 1))
        return;
    buf->ptr[buf->len++] = c;
    buf->ptr[buf->len] = '\0';
}

void fl_buf_printf(fl_buf *buf, const char *format, ...)
{
    assert(format != NULL);
    if (!reserve(buf, 0))
        return;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(buf->ptr + buf->len, buf->cap - buf->len, format, args);
    va_end(args);
    size_t cap = buf->cap;
    if (len < 0 || !reserve(buf, (size_t)len)) {
        buf->ptr[buf->len] = '\0'; /* take back what the first try wrote */
        buf->status = len < 0 ? FL_E_LIMIT : buf->status;
        return;
    }
    if (buf->cap != cap) {
        va_start(args, format);
        vsnprintf(buf->ptr + buf->len, buf->cap - buf->len, format, args);
        va_end(args);
    }
    buf->len += (size_t)len;
}

fl_slice fl_buf_slice(const fl_buf *buf)
{
    assert(buf != NULL);
    return (fl_slice){.ptr = (const unsigned char *)buf->ptr, .len = buf->len};
}

fl_status fl_buf_check(const fl_buf *buf, const char *what, fl_error *err)
{
    assert(buf != NULL && what != NULL);
    if (buf->status == FL_E_LIMIT)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "%s is larger than %zu bytes", what,
                       buf->max_bytes);
    if (buf->status == FL_E_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %s", what);
    return FL_OK;
}
