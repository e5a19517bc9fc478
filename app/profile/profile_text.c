/*
 * profile_text.c - escaping: runs of plain bytes are copied whole, others are handled one by one.
 */
#include "profile_text.h"

#include <assert.h>
#include <stdbool.h>

#include "slice.h"
#include "utf8.h"

/* The length of the character at the front: 1 for ASCII, 0 for what is not UTF-8. */
static size_t char_len(fl_slice text)
{
    assert(text.len > 0);
    if (text.ptr[0] < 0x80)
        return 1;
    for (size_t len = 2; len <= 4 && len <= text.len; len++)
        if (fl_utf8_valid_prefix((fl_slice){text.ptr, len}) == len)
            return len;
    return 0;
}

/* C1 controls, and the marks U+200E to U+200F, U+202A to U+202E, U+2066 to U+2069. */
static bool is_hostile(const unsigned char *c, size_t len)
{
    if (len == 2)
        return c[0] == 0xc2 && c[1] < 0xa0;
    if (len != 3 || c[0] != 0xe2)
        return false;
    bool is_mark = c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xaa && c[2] <= 0xae));
    return is_mark || (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
}

typedef void put_fn(fl_buf *out, const unsigned char *c, size_t len);

/* `put` gets every character that is not printable ASCII, or that is one of `special`; len 0: a
 * byte that is not UTF-8. */
static void each(fl_buf *out, fl_slice text, const char *special, put_fn *put)
{
    size_t plain = 0;
    if (text.len == 0) /* which may point nowhere */
        return;
    for (size_t at = 0; at < text.len;) {
        unsigned char c = text.ptr[at];
        bool is_plain = c >= ' ' && c < 0x7f && strchr(special, c) == NULL;
        if (is_plain) {
            at++;
            continue;
        }
        fl_buf_add(out, (fl_slice){text.ptr + plain, at - plain});
        size_t len = char_len((fl_slice){text.ptr + at, text.len - at});
        put(out, text.ptr + at, len);
        at += len > 0 ? len : 1;
        plain = at;
    }
    fl_buf_add(out, (fl_slice){text.ptr + plain, text.len - plain});
}

/* One question mark for each character that could do harm. */
static void put_terminal(fl_buf *out, const unsigned char *c, size_t len)
{
    if (len < 2 || is_hostile(c, len))
        fl_buf_char(out, '?');
    else
        fl_buf_add(out, (fl_slice){c, len});
}

/* RFC 8259: quotes, backslashes and controls. */
static void put_json(fl_buf *out, const unsigned char *c, size_t len)
{
    if (len == 0)
        fl_buf_text(out, "\\ufffd");
    else if (len > 1)
        fl_buf_add(out, (fl_slice){c, len});
    else if (*c == '"' || *c == '\\')
        fl_buf_printf(out, "\\%c", *c);
    else
        fl_buf_printf(out, "\\u%04x", *c);
}

/* XML 1.0 has no way to write most controls, not even as a reference. */
static void put_xml(fl_buf *out, const unsigned char *c, size_t len)
{
    static const char *const entities[128] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"};
    if (len > 1 && !is_hostile(c, len))
        fl_buf_add(out, (fl_slice){c, len});
    else if (len == 1 && entities[*c] != NULL)
        fl_buf_text(out, entities[*c]);
    else
        fl_buf_text(out, "\xef\xbf\xbd");
}

void fl_profile_text_terminal(fl_buf *out, fl_slice text)
{
    each(out, text, "", put_terminal);
}

void fl_profile_text_json(fl_buf *out, fl_slice text)
{
    fl_buf_char(out, '"');
    each(out, text, "\"\\", put_json);
    fl_buf_char(out, '"');
}

void fl_profile_text_xml(fl_buf *out, fl_slice text)
{
    each(out, text, "&<>\"'", put_xml);
}
