/*
 * mcp_lines.c - messages as lines, which is what MCP calls "stdio".
 *
 *   line := message LF       an empty line is none; CR before LF is white space of JSON
 *
 * A line beyond FL_MCP_MAX_MESSAGE_BYTES is not kept: it is answered when it ends.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mcp.h"
#include "slice.h"

typedef struct lines {
    const fl_mcp *mcp;
    FILE *out;
    fl_buf line, reply;
    bool is_too_long;
} lines;

static const char too_long[] =
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":"
    "\"the message is larger than is read here\"}}";

/* At once: the client waits for it. */
static fl_status send(lines *l, fl_slice reply, fl_error *err)
{
    if (reply.len == 0)
        return FL_OK;
    if (fwrite(reply.ptr, 1, reply.len, l->out) == reply.len && fputc('\n', l->out) != EOF &&
        fflush(l->out) == 0)
        return FL_OK;
    return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot write an answer: %s", strerror(errno));
}

static fl_status end_line(lines *l, fl_error *err)
{
    fl_slice line = fl_slice_trim(fl_buf_slice(&l->line));
    assert(line.len <= FL_MCP_MAX_MESSAGE_BYTES);
    fl_status status = FL_OK;
    if (l->is_too_long) {
        status = send(l, fl_slice_of(too_long), err);
    } else if (line.len > 0) {
        fl_buf_clear(&l->reply);
        (void)fl_mcp_handle(l->mcp, line, &l->reply);
        status = send(l, fl_buf_slice(&l->reply), err);
    }
    fl_buf_clear(&l->line);
    l->is_too_long = false;
    return status;
}

/* Bytes of one or more lines. */
static fl_status take(lines *l, fl_slice bytes, fl_error *err)
{
    fl_status status = FL_OK;
    while (status == FL_OK && bytes.len > 0) {
        size_t at = fl_slice_find(bytes, FL_SLICE("\n"));
        bool is_whole = at < bytes.len;
        if (!l->is_too_long)
            fl_buf_add(&l->line, fl_slice_part(bytes, 0, is_whole ? at : bytes.len));
        if (l->line.status != FL_OK) {
            l->is_too_long = true;
            fl_buf_clear(&l->line);
        }
        if (is_whole)
            status = end_line(l, err);
        bytes = fl_slice_part(bytes, is_whole ? at + 1 : bytes.len, bytes.len);
    }
    return status;
}

/* The last line may lack its end. */
fl_status fl_mcp_serve_lines(const fl_mcp *mcp, int in, FILE *out, fl_error *err)
{
    unsigned char block[16 << 10];
    ssize_t len = 1;
    fl_status status = FL_OK;
    assert(mcp != NULL && in >= 0 && out != NULL);
    lines l = {.mcp = mcp,
               .out = out,
               .line = fl_buf_of(FL_MCP_MAX_MESSAGE_BYTES),
               .reply = fl_buf_of(FL_MCP_MAX_REPLY_BYTES)};
    while (status == FL_OK && len > 0) {
        len = read(in, block, sizeof(block));
        if (len < 0 && errno == EINTR)
            len = 1;
        else if (len < 0)
            status = fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot read: %s", strerror(errno));
        else if (len > 0)
            status = take(&l, (fl_slice){.ptr = block, .len = (size_t)len}, err);
    }
    if (status == FL_OK)
        status = end_line(&l, err);
    fl_buf_dispose(&l.line);
    fl_buf_dispose(&l.reply);
    return status;
}
