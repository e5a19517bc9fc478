/*
 * mcp_text.c - texts in answers.
 */
#include "mcp_text.h"

#include <assert.h>

#include "slice.h"
#include "utf8.h"

static const fl_slice unseen = FL_SLICE_INIT("\xef\xbf\xbd"); /* U+FFFD */

void fl_mcp_put_string(fl_buf *out, fl_slice text)
{
    assert(out != NULL);
    fl_buf_char(out, '"');
    for (size_t at = 0; at < text.len;) {
        size_t valid = fl_utf8_valid_prefix(fl_slice_part(text, at, text.len));
        for (size_t end = at + valid; at < end; at++) {
            unsigned char c = text.ptr[at];
            if (c == '"' || c == '\\')
                fl_buf_printf(out, "\\%c", c);
            else if (c < ' ')
                fl_buf_printf(out, "\\u%04x", (unsigned)c);
            else
                fl_buf_char(out, (char)c);
        }
        if (at < text.len) {
            fl_buf_add(out, unseen);
            at++;
        }
    }
    fl_buf_char(out, '"');
}

/* --- as somebody else's --- */

typedef struct letter {
    uint32_t point; /* U+FFFD where the bytes are no UTF-8 */
    size_t bytes;
} letter;

static letter letter_at(fl_slice text, size_t at)
{
    assert(at < text.len);
    uint32_t point = 0;
    size_t bytes = fl_utf8_decode(&point, fl_slice_part(text, at, text.len));
    return bytes > 0 ? (letter){point, bytes} : (letter){0xfffd, 1};
}

static bool is_line_end(uint32_t point)
{
    return (point >= '\n' && point <= '\r') || point == 0x85 || point == 0x2028 || point == 0x2029;
}

/* Unicode's categories Cc and Cf, as far as text is hidden or turned by them. */
static bool is_unseen(uint32_t point)
{
    return (point < ' ' && point != '\t') || (point >= 0x7f && point < 0xa0) || point == 0xad ||
           point == 0x61c || (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) ||
           point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb) ||
           (point >= 0xe0000 && point <= 0xe0fff);
}

/* One that ends no line. */
static void put_letter(fl_buf *out, fl_slice text, size_t at, letter next)
{
    assert(next.bytes > 0 && at + next.bytes <= text.len);
    if (is_unseen(next.point) || next.point == 0xfffd)
        fl_buf_add(out, unseen);
    else
        fl_buf_add(out, fl_slice_part(text, at, at + next.bytes));
}

void fl_mcp_put_line(fl_buf *out, fl_slice text)
{
    assert(out != NULL);
    for (size_t at = 0; at < text.len;) {
        letter next = letter_at(text, at);
        if (is_line_end(next.point))
            fl_buf_add(out, unseen);
        else
            put_letter(out, text, at, next);
        at += next.bytes;
    }
}

bool fl_mcp_put_quoted(fl_buf *out, fl_slice text, size_t max_bytes)
{
    assert(out != NULL && max_bytes <= out->max_bytes);
    size_t begun = out->len;
    bool is_new = true;
    for (size_t at = 0; at < text.len;) {
        letter next = letter_at(text, at);
        bool is_end = is_line_end(next.point);
        if (out->len - begun + 6 > max_bytes) { /* the mark and the longest letter */
            fl_buf_char(out, '\n');
            return false;
        }
        if (is_new)
            fl_buf_text(out, "| ");
        if (is_end)
            fl_buf_char(out, '\n');
        else
            put_letter(out, text, at, next);
        bool is_pair = next.point == '\r' && at + 1 < text.len && text.ptr[at + 1] == '\n';
        at += next.bytes + is_pair;
        is_new = is_end;
    }
    if (!is_new)
        fl_buf_char(out, '\n');
    return true;
}
