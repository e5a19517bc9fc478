/*
 * json_text_priv.h - the inside of a JSON string: finding its end, and its escapes.
 *
 *   char := any but '"', '\' and 00-1F | '\' ["\/bfnrt] | "\u" 4 hex digits
 *
 * Two \u escapes may make one surrogate pair; half a pair is refused, as it has no UTF-8.
 */
#ifndef FL_JSON_TEXT_PRIV_H
#define FL_JSON_TEXT_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Each byte that is zero gets its top bit set; a byte above the lowest zero may get it too. */
static inline uint64_t fl_json_zero_bytes(uint64_t word)
{
    return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* Whether any of eight bytes ends a run of plain characters. */
static inline bool fl_json_stops8(uint64_t word)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t control = (word - each * 0x20) & ~word & each * 0x80;
    return (control | fl_json_zero_bytes(word ^ each * '"') |
            fl_json_zero_bytes(word ^ each * '\\')) != 0;
}

/* The end of the run of plain characters at `p`: a quote, a backslash, a control character or
 * `end`. Sets *high where the run holds a byte that is not ASCII. */
static inline const unsigned char *fl_json_plain_portable(const unsigned char *p,
                                                          const unsigned char *end, bool *high)
{
    uint64_t word, seen = 0;
    for (; end - p >= 8; p += 8) {
        memcpy(&word, p, sizeof(word));
        if (fl_json_stops8(word))
            break;
        seen |= word & UINT64_C(0x8080808080808080);
    }
    for (; p < end && *p != '"' && *p != '\\' && *p >= 0x20; p++)
        seen |= *p & 0x80u;
    *high |= seen != 0;
    return p;
}

static inline const unsigned char *fl_json_plain(const unsigned char *p, const unsigned char *end,
                                                 bool *high)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);
    unsigned seen = 0;
    for (; end - p >= 16; p += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i stops =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)),
                         _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
        unsigned stop_mask = (unsigned)_mm_movemask_epi8(stops);
        unsigned high_mask = (unsigned)_mm_movemask_epi8(bytes);
        if (stop_mask != 0) {
            unsigned before = (stop_mask & (0 - stop_mask)) - 1; /* the bytes before the stop */
            *high |= (seen | (high_mask & before)) != 0;
            return p + __builtin_ctz(stop_mask);
        }
        seen |= high_mask;
    }
    *high |= seen != 0;
#endif
    return fl_json_plain_portable(p, end, high);
}

/* Bytes of the escape at `p`, a backslash: 2, 6 or, for a surrogate pair, 12. 0 when it is none,
 * with the sentence in *why, or NULL there where the input ended inside it. */
size_t fl_json_escape_len(const unsigned char *p, const unsigned char *end, const char **why);
/* Decode the checked inside of a string to `out`, which has room for as many bytes; returns its
 * length. */
size_t fl_json_unescape(unsigned char *out, const unsigned char *p, const unsigned char *end);

#endif
