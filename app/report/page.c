/*
 * page.c - columns are counted here and nowhere else.
 *
 * Layout: a column is one cell of a terminal; `page->column` is where the next character goes. A
 * wide character counts 2 and a combining mark 0, so that columns stand below each other in any
 * script. A tab or line feed in a text is a space: only fl_page_newline()
 * and the lines of fl_page_lines() end a line.
 *
 * Safety: every text passes next_glyph(), which turns control characters into '?': telemetry can
 * hold escape sequences, and none of them reaches a terminal. Colours are written by this file
 * alone.
 *
 * A wrapped paragraph keeps the column that it began in. A word that is wider than the room is cut,
 * unless it is an address, which people copy; and at least 20 columns are used, however narrow the
 * page, and at most 120, however wide.
 */
#include "page.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "slice.h"
#include "utf8.h"

/* A longer line of text is not read but lost in. */
enum { DEFAULT_WIDTH = 100, MIN_WIDTH = 40, LONGEST_LINE = 120, PRINTF_BYTES = 512 };

static const char *const inks[] = {
    [FL_INK_PLAIN] = "",        [FL_INK_BOLD] = "\033[1m", [FL_INK_DIM] = "\033[2m",
    [FL_INK_GOOD] = "\033[32m", [FL_INK_BAD] = "\033[31m", [FL_INK_WARN] = "\033[33m",
};

/* Code points of other than one column: East Asian Wide and Fullwidth (UAX 11) and emoji, coarsely
 * by block, and combining marks. */
static const struct {
    uint32_t from, to;
    size_t columns;
} widths[] = {
    {0x0300, 0x036F, 0},   {0x1100, 0x115F, 2},   {0x200B, 0x200D, 0}, {0x20D0, 0x20FF, 0},
    {0x2E80, 0xA4CF, 2},   {0xAC00, 0xD7A3, 2},   {0xF900, 0xFAFF, 2}, {0xFE00, 0xFE0F, 0},
    {0xFE20, 0xFE2F, 0},   {0xFE30, 0xFE6F, 2},   {0xFF00, 0xFF60, 2}, {0xFFE0, 0xFFE6, 2},
    {0x1F300, 0x1FAFF, 2}, {0x20000, 0x3FFFD, 2},
};

/* What one character of the input becomes on the page. */
typedef struct glyph {
    fl_slice bytes;
    size_t columns;
    bool space;
} glyph;

/* The code point at `text`, which is not at its end, and its bytes. 0 for what is not UTF-8: texts
 * are checked where they enter, and this is the last place before a terminal. */
static uint32_t decode(const char *text, size_t *len)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t want = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (p[0] >= 0x80 && p[0] < 0xC2) { /* not the first byte of anything */
        *len = 1;
        return 0;
    }
    uint32_t code = want == 1 ? p[0] : p[0] & (0x7Fu >> want);
    for (size_t i = 1; i < want; i++) {
        if ((p[i] & 0xC0) != 0x80) { /* damaged: one byte, shown as '?' */
            *len = 1;
            return 0;
        }
        code = code << 6 | (p[i] & 0x3F);
    }
    *len = want;
    return want > 1 && code < 0x80 ? 0 : code;
}

/* Control characters, and marks that break lines or change the direction of text. */
static bool is_hostile(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

/* Everything below U+0300 is one column wide. */
static size_t columns_of(uint32_t code)
{
    for (size_t i = 0; code >= 0x0300 && i < sizeof(widths) / sizeof(widths[0]); i++)
        if (code >= widths[i].from && code <= widths[i].to)
            return widths[i].columns;
    return 1;
}

/* Step over the character at *text, which is not at its end. */
static glyph next_glyph(const char **text)
{
    size_t len;
    const char *start = *text;
    uint32_t code = decode(start, &len);
    *text += len;
    if (code == ' ' || code == '\t' || code == '\n' || code == '\r')
        return (glyph){.bytes = FL_SLICE(" "), .columns = 1, .space = true};
    if (is_hostile(code))
        return (glyph){.bytes = FL_SLICE("?"), .columns = 1};
    return (glyph){.bytes = {(const unsigned char *)start, len}, .columns = columns_of(code)};
}

fl_page fl_page_on(fl_buf *out, const fl_report_style *style)
{
    assert(out != NULL && style != NULL);
    fl_page page = {.out = out, .style = *style};
    if (page.style.width == 0)
        page.style.width = DEFAULT_WIDTH;
    if (page.style.width < MIN_WIDTH)
        page.style.width = MIN_WIDTH;
    return page;
}

size_t fl_page_columns(const char *text)
{
    size_t columns = 0;
    while (*text != '\0')
        columns += next_glyph(&text).columns;
    return columns;
}

/* Control sequences of ECMA-48, and none at all without colour. */
static void begin(fl_page *page, fl_ink ink)
{
    assert((size_t)ink < sizeof(inks) / sizeof(inks[0]));
    if (page->style.color)
        fl_buf_text(page->out, inks[ink]);
}

/* Plain ink has nothing to end. */
static void end(fl_page *page, fl_ink ink)
{
    if (page->style.color && ink != FL_INK_PLAIN)
        fl_buf_text(page->out, "\033[0m");
}

void fl_page_put(fl_page *page, fl_ink ink, const char *text)
{
    begin(page, ink);
    while (*text != '\0') {
        glyph g = next_glyph(&text);
        fl_buf_add(page->out, g.bytes);
        page->column += g.columns;
    }
    end(page, ink);
}

void fl_page_printf(fl_page *page, fl_ink ink, const char *format, ...)
{
    char text[PRINTF_BYTES], *whole = NULL;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(text, sizeof(text), format, args);
    assert(len >= 0);
    if ((size_t)len >= sizeof(text)) /* names out of files have any length */
        whole = fl_mem_alloc((size_t)len + 1);
    if (whole != NULL)
        (void)vsnprintf(whole, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    fl_page_put(page, ink, whole != NULL ? whole : text);
    fl_mem_free(whole);
}

void fl_page_newline(fl_page *page)
{
    fl_buf_char(page->out, '\n');
    page->column = 0;
}

/* How many bytes from `at` on are shown as they are and need no look at what they encode. */
static size_t plain_run(fl_slice text, size_t at)
{
    size_t end = at;
    while (end < text.len && ((text.ptr[end] >= ' ' && text.ptr[end] < 0x7F) ||
                              text.ptr[end] == '\n' || text.ptr[end] == '\t'))
        end++;
    return end - at;
}

void fl_page_lines(fl_page *page, fl_slice text)
{
    size_t at = 0;
    while (at < text.len) {
        size_t len = plain_run(text, at);
        fl_buf_add(page->out, fl_slice_part(text, at, at + len));
        at += len;
        if (at == text.len)
            break;
        const fl_slice rest = fl_slice_part(text, at, text.len);
        uint32_t code;
        len = fl_utf8_decode(&code, rest);
        bool is_line_end = rest.ptr[0] == '\r' && rest.len > 1 && rest.ptr[1] == '\n';
        bool is_shown = is_line_end || (len > 0 && !is_hostile(code));
        fl_buf_add(page->out, is_shown ? fl_slice_part(rest, 0, len) : FL_SLICE("?"));
        at += len > 0 ? len : 1;
    }
    assert(at == text.len);
    page->column = 0;
}

void fl_page_labelled(fl_page *page, fl_page_row row, const char *label, fl_ink ink,
                      const char *text)
{
    assert(row.label < row.text);
    fl_page_pad(page, row.label);
    fl_page_put(page, FL_INK_DIM, label);
    fl_page_pad(page, row.text);
    fl_page_wrap(page, ink, text);
    fl_page_newline(page);
}

void fl_page_pad(fl_page *page, size_t to)
{
    size_t spaces = page->column < to ? to - page->column : page->column > to ? 1 : 0;
    for (size_t i = 0; i < spaces; i++)
        fl_buf_char(page->out, ' ');
    page->column += spaces;
}

/* Whether the word at `text` is a URL. */
static bool is_address(const char *text)
{
    size_t scheme = 0;
    while ((text[scheme] >= 'a' && text[scheme] <= 'z') || text[scheme] == '+')
        scheme++;
    return scheme > 0 && strncmp(text + scheme, "://", 3) == 0;
}

/* Columns and end of the word at `text`, cut where it would be wider than `room`. */
static const char *word_end(const char *text, size_t room, size_t *columns)
{
    *columns = 0;
    if (is_address(text))
        room = SIZE_MAX;
    while (*text != '\0') {
        const char *next = text;
        glyph g = next_glyph(&next);
        if (g.space || (*columns > 0 && *columns + g.columns > room))
            break;
        *columns += g.columns;
        text = next;
    }
    return text;
}

/* The characters that next_glyph() gives as spaces. */
static const char *skip_space(const char *text)
{
    while (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')
        text++;
    return text;
}

void fl_page_wrap(fl_page *page, fl_ink ink, const char *text)
{
    assert(text != NULL);
    size_t indent = page->column;
    size_t room = page->style.width > indent + 20 ? page->style.width - indent : 20;
    room = room < LONGEST_LINE ? room : LONGEST_LINE;
    size_t limit = indent + room;
    begin(page, ink);
    for (text = skip_space(text); *text != '\0'; text = skip_space(text)) {
        size_t columns;
        const char *stop = word_end(text, room, &columns);
        if (page->column > indent && page->column + 1 + columns > limit) {
            fl_page_newline(page);
            fl_page_pad(page, indent);
        } else if (page->column > indent) {
            fl_page_pad(page, page->column + 1);
        }
        while (text < stop) {
            glyph g = next_glyph(&text);
            fl_buf_add(page->out, g.bytes);
            page->column += g.columns;
        }
    }
    end(page, ink);
}

const char *fl_page_percent(char out[FL_PERCENT_TEXT], double ratio)
{
    double kept = round(ratio * 1e6) / 1e6;
    if (isnan(kept))
        snprintf(out, FL_PERCENT_TEXT, "n/a");
    else if (kept < 0.01)
        snprintf(out, FL_PERCENT_TEXT, "<1 %%");
    else if (kept > 0.99)
        snprintf(out, FL_PERCENT_TEXT, ">99 %%");
    else
        snprintf(out, FL_PERCENT_TEXT, "%.0f %%", kept * 100);
    return out;
}

const char *fl_page_count(char out[FL_COUNT_TEXT], uint64_t count)
{
    char digits[FL_COUNT_TEXT];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
    assert(len > 0 && len + (len - 1) / 3 < FL_COUNT_TEXT);
    size_t to = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[to++] = ',';
        out[to++] = digits[i];
    }
    out[to] = '\0';
    return out;
}

void fl_page_bar(fl_page *page, double ratio, size_t cells)
{
    assert(cells > 0);
    double clamped = isnan(ratio) || ratio < 0 ? 0 : ratio > 1 ? 1 : ratio;
    size_t full = (size_t)lround(clamped * (double)cells);
    fl_page_put(page, FL_INK_PLAIN, page->style.unicode ? "" : "[");
    for (size_t i = 0; i < cells; i++)
        fl_buf_text(page->out, page->style.unicode ? (i < full ? "\u2588" : "\u2591")
                                                   : (i < full ? "#" : "."));
    page->column += cells;
    fl_page_put(page, FL_INK_PLAIN, page->style.unicode ? "" : "]");
}
