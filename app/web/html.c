/*
 * html.c - one pass over the markup, one over each text. Runs of harmless ASCII, which is nearly
 * all, are copied at once.
 */
#include "html.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "slice.h"
#include "utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* From mark to mark; what lies between them is ours and is copied. */
void fl_html_fill(fl_buf *out, const char *markup, const char *const *texts, size_t count)
{
    size_t used = 0;
    for (;;) {
        size_t run = strcspn(markup, "$@");
        fl_buf_add(out, (fl_slice){.ptr = (const unsigned char *)markup, .len = run});
        markup += run;
        if (*markup == '\0')
            break;
        assert(used < count && "a mark without a text");
        if (*markup++ == '$')
            fl_html_text(out, texts[used++]);
        else
            fl_html_segment(out, texts[used++]);
    }
    assert(used == count && "a text without a mark");
}

/* The entity of an ASCII character; NULL where it is written as it is. */
static const char *entity_of(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
    case '\n':
    case '\r':
        return " ";
    default:
        return c < 0x20 || c == 0x7F ? REPLACEMENT : NULL;
    }
}

/* C1 controls, marks and overrides of direction, and the ends of lines that are no '\n'. */
static bool is_hostile(uint32_t code)
{
    return (code >= 0x80 && code <= 0x9F) || code == 0x061C || code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB) ||
           (code >= 0xE0000 && code <= 0xE007F); /* tags: text that nobody sees */
}

/* Not in the middle of a character. */
static size_t shown_bytes(fl_slice text)
{
    if (text.len <= FL_HTML_TEXT_BYTES)
        return text.len;
    size_t end = FL_HTML_TEXT_BYTES;
    while (end > FL_HTML_TEXT_BYTES - 4 && (text.ptr[end] & 0xC0) == 0x80)
        end--;
    return end;
}

/* One character of several bytes, or a byte that is none. Returns how many were used. */
static size_t put_wide(fl_buf *out, fl_slice rest)
{
    uint32_t code = 0;
    size_t bytes = fl_utf8_decode(&code, rest);
    if (bytes == 0 || is_hostile(code))
        fl_buf_text(out, REPLACEMENT);
    else
        fl_buf_add(out, fl_slice_part(rest, 0, bytes));
    return bytes > 0 ? bytes : 1;
}

/* A run of harmless bytes is [from, at): written when something else comes, and at the end. */
void fl_html_text(fl_buf *out, const char *text)
{
    fl_slice all = fl_slice_of(text), rest = fl_slice_part(all, 0, shown_bytes(all));
    size_t from = 0, at = 0;
    while (at < rest.len) {
        bool is_wide = rest.ptr[at] >= 0x80;
        const char *entity = is_wide ? NULL : entity_of(rest.ptr[at]);
        if (!is_wide && entity == NULL) {
            at++;
            continue;
        }
        fl_buf_add(out, fl_slice_part(rest, from, at));
        if (is_wide)
            at += put_wide(out, fl_slice_part(rest, at, rest.len));
        else {
            fl_buf_text(out, entity);
            at++;
        }
        from = at;
    }
    fl_buf_add(out, fl_slice_part(rest, from, rest.len));
    if (rest.len < all.len)
        fl_buf_printf(out, "\xE2\x80\xA6 (%zu bytes, of which this is the beginning)", all.len);
}

/* Unreserved characters of RFC 3986 stay; all else, also '/', is its bytes in hexadecimal. */
void fl_html_segment(fl_buf *out, const char *text)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (const char *c = text != NULL ? text : ""; *c != '\0'; c++)
        if (strchr(safe, *c) != NULL)
            fl_buf_char(out, *c);
        else
            fl_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*c);
}
