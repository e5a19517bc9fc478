/*
 * graph_text.c - one walk over a text for all languages; each says how it writes a byte that needs
 * care.
 */
#include "graph_text.h"

#include <assert.h>
#include <string.h>

#include "slice.h"
#include "utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* Writes the character at the beginning of `rest` and returns its bytes, or 0 to let it stand. Only
 * asked for characters that are below ' ', above '~', or one of the marks. */
typedef size_t escape(fl_buf *out, fl_slice rest);

/* In runs: most texts have nothing to escape. */
static void write_text(fl_buf *out, const char *text, const char *marks, escape *special)
{
    assert(out != NULL && text != NULL);
    fl_slice rest = fl_slice_of(text);
    size_t run = 0;
    while (run < rest.len) {
        unsigned char c = rest.ptr[run];
        if (c >= ' ' && c <= '~' && strchr(marks, c) == NULL) {
            run++;
            continue;
        }
        fl_slice tail = {.ptr = rest.ptr + run, .len = rest.len - run};
        size_t whole = c < 0x80 ? 1 : 2; /* of the character; 0 where it is not UTF-8 */
        if (c >= 0x80) {
            whole += (size_t)(c >= 0xE0) + (size_t)(c >= 0xF0);
            fl_slice one = {.ptr = tail.ptr, .len = whole < tail.len ? whole : tail.len};
            whole = fl_utf8_valid_prefix(one);
        }
        fl_buf_add(out, (fl_slice){.ptr = rest.ptr, .len = run});
        size_t used = whole > 0 ? special(out, (fl_slice){.ptr = tail.ptr, .len = whole}) : 0;
        if (used == 0 && whole > 0)
            fl_buf_add(out, (fl_slice){.ptr = tail.ptr, .len = whole});
        else if (whole == 0)
            fl_buf_text(out, REPLACEMENT);
        run += whole > 0 ? whole : 1;
        rest = (fl_slice){.ptr = rest.ptr + run, .len = rest.len - run};
        run = 0;
    }
    fl_buf_add(out, rest);
}

/* RFC 8259, section 7; DEL is escaped too, for terminals. */
static size_t json_escape(fl_buf *out, fl_slice one)
{
    unsigned char c = one.ptr[0];
    if (one.len > 1)
        return 0;
    if (c == '"' || c == '\\')
        fl_buf_printf(out, "\\%c", c);
    else if (c == '\n')
        fl_buf_text(out, "\\n");
    else
        fl_buf_printf(out, "\\u%04x", c);
    return 1;
}

void fl_graph_json_text(fl_buf *out, const char *text)
{
    if (text == NULL) {
        fl_buf_text(out, "null");
        return;
    }
    fl_buf_char(out, '"');
    write_text(out, text, "\"\\<", json_escape);
    fl_buf_char(out, '"');
}

/* Only '"' and '\' have a meaning in the quotes; a label's "\n" and "\N" need the second. */
static size_t dot_escape(fl_buf *out, fl_slice one)
{
    if (one.len > 1)
        return 0;
    if (one.ptr[0] == '"' || one.ptr[0] == '\\')
        fl_buf_printf(out, "\\%c", one.ptr[0]);
    else
        fl_buf_char(out, ' ');
    return 1;
}

void fl_graph_dot_text(fl_buf *out, const char *text)
{
    fl_buf_char(out, '"');
    write_text(out, text, "\"\\", dot_escape);
    fl_buf_char(out, '"');
}

/* White space as numbers, or a reader makes spaces of it. Char ::= #x9 | #xA | #xD | [#x20-#xD7FF]
 * |
 * [#xE000-#xFFFD] | [#x10000-#x10FFFF]; the C1 controls are allowed and discouraged. */
static size_t xml_escape(fl_buf *out, fl_slice one)
{
    static const struct {
        char c;
        const char *text;
    } marks[] = {{'&', "&amp;"}, {'<', "&lt;"},   {'>', "&gt;"},  {'"', "&quot;"},
                 {'\t', "&#9;"}, {'\n', "&#10;"}, {'\r', "&#13;"}};
    if (one.len == 3 && memcmp(one.ptr, "\xEF\xBF", 2) == 0 && one.ptr[2] >= 0xBE) {
        fl_buf_text(out, REPLACEMENT); /* U+FFFE, U+FFFF */
        return one.len;
    }
    if (one.len > 1)
        return 0;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (marks[i].c == (char)one.ptr[0]) {
            fl_buf_text(out, marks[i].text);
            return 1;
        }
    }
    fl_buf_text(out, REPLACEMENT);
    return 1;
}

void fl_graph_xml_text(fl_buf *out, const char *text)
{
    write_text(out, text, "&<>\"", xml_escape);
}

/* The escapes of a string literal (openCypher 9, StringLiteral). */
static size_t cypher_escape(fl_buf *out, fl_slice one)
{
    unsigned char c = one.ptr[0];
    if (one.len > 1)
        return 0;
    if (c == '\'')
        fl_buf_text(out, "\\'");
    else if (c == '\\')
        fl_buf_text(out, "\\\\' + '");
    else if (c == '\n')
        fl_buf_text(out, "\\n");
    else
        fl_buf_printf(out, "\\u%04X", c);
    return 1;
}

/* The string is ended after a backslash and another begun: some versions of Neo4j turn "\u0027"
 * into a quote before they read strings, whatever stands in front of it. */
void fl_graph_cypher_text(fl_buf *out, const char *text)
{
    if (text == NULL) {
        fl_buf_text(out, "null");
        return;
    }
    fl_buf_char(out, '\'');
    write_text(out, text, "'\\", cypher_escape);
    fl_buf_char(out, '\'');
}
