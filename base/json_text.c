/*
 * json_text.c - escapes. Checked first and decoded after, so that decoding has no failures.
 *
 * A surrogate pair is two escapes and one character; half of one is refused, as it has no UTF-8.
 * Where the input ends inside an escape the length is 0 and there is no reason given: the caller
 * then says that the string has no end, which is what its reader can mend.
 */
#include "json_text_priv.h"

#include <assert.h>

#include "number.h"
#include "utf8.h"

enum { UNICODE_LEN = 6, PAIR_LEN = 2 * UNICODE_LEN };

/* The first half of a pair. */
static bool is_high_surrogate(unsigned unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

/* The second half of a pair. */
static bool is_low_surrogate(unsigned unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* The four digits of the \u escape at `p`, or -1. The input must hold all six bytes. */
static int unicode_unit(const unsigned char *p)
{
    unsigned char unit[2];
    bool is_hex = fl_parse_hex((fl_slice){.ptr = p + 2, .len = 4}, unit, sizeof(unit));
    return is_hex ? unit[0] << 8 | unit[1] : -1;
}

/* As fl_json_escape_len() for the escape \u: 6 bytes, or 12 for a surrogate pair. */
static size_t unicode_len(const unsigned char *p, size_t left, const char **why)
{
    if (left < UNICODE_LEN)
        return 0;
    int unit = unicode_unit(p);
    if (unit < 0) {
        *why = "\\u needs four hex digits";
        return 0;
    }
    if (!is_high_surrogate((unsigned)unit) && !is_low_surrogate((unsigned)unit))
        return UNICODE_LEN;
    *why = "half a surrogate pair";
    if (is_low_surrogate((unsigned)unit))
        return 0;
    const unsigned char *second = p + UNICODE_LEN;
    if (left < PAIR_LEN) { /* the input ended before the second half could */
        size_t have = left - UNICODE_LEN;
        if (have == 0 || memcmp(second, "\\u", have < 2 ? have : 2) == 0)
            *why = NULL;
        return 0;
    }
    if (second[0] != '\\' || second[1] != 'u')
        return 0;
    int low = unicode_unit(second);
    return low >= 0 && is_low_surrogate((unsigned)low) ? PAIR_LEN : 0;
}

size_t fl_json_escape_len(const unsigned char *p, const unsigned char *end, const char **why)
{
    assert(p < end && *p == '\\');
    size_t left = (size_t)(end - p);
    *why = NULL;
    if (left < 2)
        return 0;
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return 2;
    case 'u':
        return unicode_len(p, left, why);
    default:
        *why = "unknown escape in a string";
        return 0;
    }
}

/* The byte for the letter behind the backslash; the others stand for themselves. */
static unsigned char short_escape(unsigned char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

/* Write the escape at *p and step over it. */
static size_t decode_escape(unsigned char *out, const unsigned char **p)
{
    const unsigned char *at = *p;
    if (at[1] != 'u') {
        *p += 2;
        out[0] = short_escape(at[1]);
        return 1;
    }
    int unit = unicode_unit(at);
    assert(unit >= 0);
    uint32_t code = (uint32_t)unit;
    *p += UNICODE_LEN;
    if (is_high_surrogate(code)) {
        int low = unicode_unit(*p);
        assert(low >= 0);
        code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        *p += UNICODE_LEN;
    }
    return fl_utf8_encode(out, code);
}

size_t fl_json_unescape(unsigned char *out, const unsigned char *p, const unsigned char *end)
{
    size_t len = 0;
    while (p < end) {
        const unsigned char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((slash != NULL ? slash : end) - p);
        memcpy(out + len, p, run);
        len += run;
        p += run;
        if (slash != NULL)
            len += decode_escape(out + len, &p);
    }
    assert(p == end);
    return len;
}
