/*
 * markup.c - one walk over the characters of a text, and what each becomes.
 *
 * A text is cut before a character, never inside of one. Markdown: a backslash takes the meaning
 * of a mark away (CommonMark 2.4); '@', "://" and "www." have meanings in dialects that no
 * backslash takes away. The addresses become numeric references (CommonMark 2.5); mentions are
 * looked for after those are decoded, and an empty comment behind the '@' keeps the name apart
 * (CommonMark 6.6). In a code span nothing has a meaning but as many backquotes as began it
 * (CommonMark 6.1).
 */
#include "markup.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "slice.h"
#include "utf8.h"

static const char REPLACEMENT[] = "\xef\xbf\xbd";

/* Control characters of both sets, marks that break lines or reorder text, the byte order mark, and
 * U+FFFE and U+FFFF, which XML has not. */
static bool is_hostile(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x061C ||
           (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || code == 0xFFFE || code == 0xFFFF;
}

static bool is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

typedef void put_char(fl_buf *out, fl_slice c, fl_slice rest);

/* Each character through `put`, cleaned; NULL writes nothing, as an empty text does. */
static void walk(fl_buf *out, const char *text, put_char *put)
{
    fl_slice rest = fl_slice_of(text);
    size_t most = FL_MARKUP_TEXT_BYTES;
    bool was_space = false;
    while (rest.len > 0) {
        uint32_t code = 0;
        size_t bytes = fl_utf8_decode(&code, rest);
        fl_slice c = fl_slice_part(rest, 0, bytes > 0 ? bytes : 1);
        if (c.len > most) {
            fl_buf_text(out, "...");
            return;
        }
        most -= c.len;
        bool space = is_space(c.ptr[0]);
        if (space && !was_space)
            put(out, FL_SLICE(" "), rest);
        else if (!space && (bytes == 0 || is_hostile(code)))
            fl_buf_text(out, REPLACEMENT);
        else if (!space)
            put(out, c, rest);
        was_space = space;
        rest = fl_slice_part(rest, c.len, rest.len);
    }
}

/* Quotes too, so that it may stand in an attribute. */
static void put_html(fl_buf *out, fl_slice c, fl_slice rest)
{
    static const struct {
        char from;
        const char *to;
    } marks[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    (void)rest;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (c.len == 1 && (char)c.ptr[0] == marks[i].from) {
            fl_buf_text(out, marks[i].to);
            return;
        }
    fl_buf_add(out, c);
}

void fl_markup_html(fl_buf *out, const char *text)
{
    assert(out != NULL);
    walk(out, text, put_html);
}

/* Underscores inside of words are harmless in both dialects, and names are full of them; others
 * are rare. */
static void put_markdown(fl_buf *out, fl_slice c, fl_slice rest)
{
    char one = c.len == 1 ? (char)c.ptr[0] : '\0';
    bool is_address = (one == ':' && fl_slice_starts_with(rest, fl_slice_of("://"))) ||
                      (one == '.' && rest.len > 1 && out->len >= 3 &&
                       strncmp(out->ptr + out->len - 3, "www", 3) == 0);
    if (one == '@')
        fl_buf_text(out, "@<!-- -->");
    else if (is_address)
        fl_buf_printf(out, "&#%d;", one);
    else if (one != '\0' && strchr("\\`*_[]<>&|~#$^=!", one) != NULL)
        fl_buf_printf(out, "\\%c", one);
    else
        fl_buf_add(out, c);
}

void fl_markup_markdown(fl_buf *out, const char *text)
{
    assert(out != NULL);
    walk(out, text, put_markdown);
}

/* A code span has no escapes. */
static void put_plain(fl_buf *out, fl_slice c, fl_slice rest)
{
    (void)rest;
    fl_buf_add(out, c);
}

/* The longest run of backquotes in a text. */
static size_t longest_run(fl_slice text)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < text.len; i++) {
        run = text.ptr[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void put_fence(fl_buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fl_buf_char(out, '`');
}

/* A space inside of the fence keeps a backquote at an end apart; it is not shown. */
void fl_markup_code(fl_buf *out, const char *text)
{
    fl_buf clean = fl_buf_of(3 * FL_MARKUP_TEXT_BYTES + 8); /* each byte may become U+FFFD */
    assert(out != NULL);
    walk(&clean, text, put_plain);
    fl_slice bytes = fl_slice_trim(fl_buf_slice(&clean));
    if (bytes.len > 0) {
        size_t fence = longest_run(bytes) + 1;
        const char *gap = fence > 1 ? " " : "";
        put_fence(out, fence);
        fl_buf_text(out, gap);
        fl_buf_add(out, bytes);
        fl_buf_text(out, gap);
        put_fence(out, fence);
    }
    if (clean.status != FL_OK && out->status == FL_OK)
        out->status = clean.status;
    fl_buf_dispose(&clean);
}
