/*
 * config_secret.c - the one line of a secret's file.
 *
 * Editors and `echo` end it with a newline, which is not part of it. What stands there goes into
 * the caller's buffer and nowhere else.
 */
#include <assert.h>
#include <string.h>

#include "config_priv.h"
#include "faultline/limits.h"
#include "mem.h"
#include "slice.h"
#include "stream.h"

/* One line, not empty, without control characters. */
static fl_status check(fl_slice line, const char *path, fl_error *err)
{
    if (line.len == 0)
        return fl_fail(err, FL_E_SYNTAX, 0, "%.120s holds no secret", path);
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] < ' ' || line.ptr[i] == 0x7F)
            return fl_fail(err, FL_E_SYNTAX, i, "%.120s holds more than one line", path);
    return FL_OK;
}

fl_status fl_config_secret(fl_buf *out, const char *path, fl_error *err)
{
    assert(out != NULL && path != NULL);
    fl_stream *stream = NULL;
    fl_stream_block block = {0};
    fl_slice text = {0};
    fl_status status = fl_stream_open(&stream, path, err);
    if (status == FL_OK)
        status = fl_stream_read_all(&text, &block, stream, FL_MAX_SECRET_BYTES, err);
    if (status == FL_OK && text.len > FL_MAX_SECRET_BYTES)
        status = fl_fail(err, FL_E_LIMIT, FL_MAX_SECRET_BYTES, "%.120s is larger than %u bytes",
                         path, FL_MAX_SECRET_BYTES);
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    if (status == FL_OK)
        status = check(text, path, err);
    if (status == FL_OK) {
        fl_buf_add(out, text);
        status = fl_buf_check(out, path, err);
    }
    if (block.ptr != NULL)
        memset(block.ptr, 0, block.cap);
    fl_stream_close(stream);
    fl_mem_free(block.ptr);
    return status;
}
