/*
 * utf8.c - RFC 3629, section 4:
 *
 *   00-7F | C2-DF tail | E0 A0-BF tail | E1-EC tail*2 | ED 80-9F tail | EE-EF tail*2
 *   | F0 90-BF tail*2 | F1-F3 tail*3 | F4 80-8F tail*2          tail := 80-BF
 *
 * ASCII is stepped over 16 or 8 bytes at a time.
 */
#include "utf8.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* ASCII bytes known to lead `p`, which has `left` > 0 bytes and an ASCII one first. */
static size_t ascii_run(const unsigned char *p, size_t left)
{
#if defined(__SSE2__)
    if (left >= 16) {
        int high = _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)p));
        return high == 0 ? 16 : (size_t)__builtin_ctz((unsigned)high);
    }
#else
    uint64_t word;
    if (left >= sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        return (word & UINT64_C(0x8080808080808080)) == 0 ? sizeof(word) : 1;
    }
#endif
    return 1;
}

/* 80 to BF. */
static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The second byte carries all that is special about a lead byte: overlong forms, surrogates, the
 * top. */
static bool is_second(unsigned char lead, unsigned char c)
{
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    return c >= low && c <= high;
}

/* Length of the sequence at `p`, which has `left` bytes from a non-ASCII one on; 0 when invalid. */
static size_t sequence_len(const unsigned char *p, size_t left)
{
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    size_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (left < len || !is_second(p[0], p[1]) || (len > 2 && !is_tail(p[2])) ||
        (len > 3 && !is_tail(p[3])))
        return 0;
    return len;
}

size_t fl_utf8_valid_prefix(fl_slice text)
{
    size_t at = 0;
    while (at < text.len) {
        const unsigned char *p = text.ptr + at;
        size_t left = text.len - at;
        size_t len = p[0] < 0x80 ? ascii_run(p, left) : sequence_len(p, left);
        if (len == 0)
            return at;
        at += len;
    }
    return at;
}

size_t fl_utf8_decode(uint32_t *code_point, fl_slice text)
{
    assert(text.len > 0);
    const unsigned char *p = text.ptr;
    size_t len = p[0] < 0x80 ? 1 : sequence_len(p, text.len);
    uint32_t code = len == 1 ? p[0] : p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (p[i] & 0x3fu);
    if (len > 0)
        *code_point = code;
    return len;
}

size_t fl_utf8_encode(unsigned char *out, uint32_t code_point)
{
    assert(code_point <= 0x10ffff && (code_point < 0xd800 || code_point > 0xdfff));
    if (code_point < 0x80) {
        out[0] = (unsigned char)code_point;
        return 1;
    }
    size_t len = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {[2] = 0xc0, [3] = 0xe0, [4] = 0xf0};
    for (size_t i = len - 1; i > 0; i--, code_point >>= 6)
        out[i] = (unsigned char)(0x80 | (code_point & 0x3f));
    out[0] = (unsigned char)(lead[len] | code_point);
    return len;
}
