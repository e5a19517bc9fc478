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

/* Control characters of both sets, marks that break lines or reorder text (U+061C among them), the
 * byte order mark, and U+FFFE and U+FFFF, which XML has not. `c` is one whole character. */
static bool is_hostile(fl_slice c)
{
    const unsigned char *p = c.ptr;
    if (c.len == 1)
        return p[0] < 0x20 || p[0] == 0x7F;
    if (c.len == 2)
        return (p[0] == 0xC2 && p[1] < 0xA0) || (p[0] == 0xD8 && p[1] == 0x9C);
    if (c.len != 3)
        return false;
    unsigned last = p[2];
    if (p[0] == 0xEF)
        return (p[1] == 0xBB && last == 0xBF) || (p[1] == 0xBF && last >= 0xBE);
    if (p[0] != 0xE2)
        return false;
    bool is_mark =
        p[1] == 0x80 && ((last >= 0x8B && last <= 0x8F) || (last >= 0xA8 && last <= 0xAE));
    return is_mark || (p[1] == 0x81 && last >= 0xA0 && last <= 0xAF);
}

static bool is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

/* The character at the beginning of `rest`, as bytes; one byte where that is not UTF-8. */
static fl_slice first_of(fl_slice rest, bool *is_good)
{
    assert(rest.len > 0);
    unsigned char head = rest.ptr[0];
    size_t want = head < 0x80 ? 1 : head < 0xE0 ? 2 : head < 0xF0 ? 3 : 4;
    fl_slice one = {.ptr = rest.ptr, .len = want <= rest.len ? want : rest.len};
    *is_good = fl_utf8_valid_prefix(one) == one.len && one.len == want;
    if (!*is_good)
        one.len = 1;
    return one;
}

typedef void put_char(fl_buf *out, fl_slice c, fl_slice rest);

/* Each character through `put`, cleaned. */
static void walk(fl_buf *out, const char *text, put_char *put)
{
    fl_slice rest = fl_slice_of(text);
    size_t most = FL_MARKUP_TEXT_BYTES;
    bool was_space = false;
    while (rest.len > 0) {
        bool is_good = false;
        fl_slice c = first_of(rest, &is_good);
        if (c.len > most) {
            fl_buf_text(out, "...");
            return;
        }
        most -= c.len;
        bool space = is_space(c.ptr[0]);
        if (space && !was_space)
            put(out, (fl_slice){.ptr = (const unsigned char *)" ", .len = 1}, rest);
        else if (!space && (!is_good || is_hostile(c)))
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

/* NULL writes nothing, as an empty text does. */
void fl_markup_html(fl_buf *out, const char *text)
{
    assert(out != NULL);
    if (text != NULL)
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
    if (text != NULL)
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
    if (text != NULL)
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
