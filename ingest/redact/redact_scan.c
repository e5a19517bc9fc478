/*
 * redact_scan.c - one pass over a text tells which rules are worth running.
 *
 * Nearly all texts hold no secret, so the pass must say "none" fast. Three things are looked for:
 *   '@'        by memchr
 *   digits     in windows of 64 bytes, eight at a time: a bit for each byte that is a digit, a
 * blank or a '-'. A card's number has 14 digits at least, so 14 such bits stand in a row; then the
 * window is looked at byte by byte. Times have such bits, but 13 at most. literals   by their four
 * rarest bytes in small letters: a hash of each four bytes of the text is looked up in 2 KiB of
 * bits. A hit is looked up in a table and compared. Capital letters are made small by setting bit
 * 5, which mixes up some other bytes as well ('@' and
 * '`'): it lets more through and never less.
 *
 * Cost: some 2 ns a byte would be 500 MB/s; see docs/benchmarks.md.
 */
#include <assert.h>
#include <string.h>

#include "redact_priv.h"
#include "slice.h"

static const uint64_t BYTES_01 = UINT64_C(0x0101010101010101);
static const uint64_t BYTES_80 = UINT64_C(0x8080808080808080);
static const uint32_t SMALL = 0x20202020;

/* A card's number, with what separates its digits; what is looked at in one go. */
enum { FEWEST_DIGITS = 14, LONGEST_NUMBER = 24, WINDOW = 64 };

static uint32_t load32(const unsigned char *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof(value));
    return value;
}

/* Multiplication mixes upwards; the top bits are the best ones (Knuth, TAOCP 3, 6.4). */
static uint32_t hash_of(uint32_t gram)
{
    return (gram * UINT32_C(2654435761)) >> (32 - FL_REDACT_MAP_BITS);
}

static bool is_marked(const fl_redact_scan *scan, uint32_t hash)
{
    return (scan->map[hash >> 3] >> (hash & 7) & 1) != 0;
}

/* ---- building ---- */

/* How often a byte stands in log lines, roughly: the four whose sum is least are looked for. */
static unsigned commonness(unsigned char c)
{
    if (strchr("etaoinsr", c) != NULL && c != '\0')
        return 6;
    if (c == ' ' || (c >= '0' && c <= '9'))
        return 8;
    return strchr("dhlucmfpg./:-=", c) != NULL ? 4 : 1;
}

static size_t rarest_gram(fl_slice literal)
{
    size_t best = 0;
    unsigned best_sum = UINT32_MAX;
    for (size_t i = 0; i + FL_REDACT_GRAM <= literal.len; i++) {
        unsigned sum = 0;
        for (size_t k = 0; k < FL_REDACT_GRAM; k++)
            sum += commonness(literal.ptr[i + k]);
        if (sum < best_sum) {
            best = i;
            best_sum = sum;
        }
    }
    return best;
}

/* Equal but for bit 5, as the pass compares. */
static bool is_alike(const unsigned char *text, fl_slice literal)
{
    for (size_t i = 0; i < literal.len; i++)
        if ((text[i] | 0x20) != (literal.ptr[i] | 0x20))
            return false;
    return true;
}

fl_status fl_redact_scan_add(fl_redact_scan *scan, fl_arena *arena, fl_slice literal,
                             uint64_t rules, fl_error *err)
{
    assert(literal.len >= FL_REDACT_GRAM && rules != 0);
    for (size_t i = 0; i < scan->literal_count; i++) {
        fl_redact_literal *known = &scan->literals[i];
        if (known->text.len == literal.len && is_alike(literal.ptr, known->text)) {
            known->rules |= rules;
            return FL_OK;
        }
    }
    if (scan->literal_count == FL_REDACT_MAX_LITERALS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "redaction rules have more than %d literals",
                       FL_REDACT_MAX_LITERALS);
    fl_redact_literal *added = &scan->literals[scan->literal_count];
    *added = (fl_redact_literal){fl_arena_copy(arena, literal), rarest_gram(literal), rules};
    if (added->text.ptr == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for redaction rules");
    uint32_t hash = hash_of(load32(literal.ptr + added->gram_at) | SMALL);
    scan->map[hash >> 3] = (unsigned char)(scan->map[hash >> 3] | 1u << (hash & 7));
    size_t slot = hash % FL_REDACT_SLOTS;
    while (scan->slots[slot] != 0)
        slot = (slot + 1) % FL_REDACT_SLOTS;
    scan->slots[slot] = (uint16_t)++scan->literal_count;
    return FL_OK;
}

/* ---- the pass ---- */

/* The rules of all literals whose gram stands at `at`. */
static uint64_t rules_at(const fl_redact_scan *scan, fl_slice text, size_t at, uint32_t hash)
{
    uint64_t rules = 0;
    for (size_t slot = hash % FL_REDACT_SLOTS; scan->slots[slot] != 0;
         slot = (slot + 1) % FL_REDACT_SLOTS) {
        const fl_redact_literal *literal = &scan->literals[scan->slots[slot] - 1];
        if (at >= literal->gram_at && text.len - (at - literal->gram_at) >= literal->text.len &&
            is_alike(text.ptr + at - literal->gram_at, literal->text))
            rules |= literal->rules;
    }
    return rules;
}

/* Every byte but the last three begins four. */
static uint64_t scan_literals(const fl_redact_scan *scan, fl_slice text)
{
    uint64_t rules = 0;
    for (size_t i = 0; i + FL_REDACT_GRAM <= text.len; i++) {
        uint32_t hash = hash_of(load32(text.ptr + i) | SMALL);
        if (is_marked(scan, hash))
            rules |= rules_at(scan, text, i, hash);
    }
    return rules;
}

/* The top bit of each of eight bytes as one of eight bits, the first byte lowest. */
static uint64_t gather(uint64_t tops)
{
    return (tops >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* Top bits of the bytes that are `c`, and of some behind one that is. */
static uint64_t tops_of(uint64_t word, unsigned char c)
{
    uint64_t other = word ^ (BYTES_01 * c);
    return (other - BYTES_01) & ~other & BYTES_80;
}

/* A bit for each of 64 bytes: digits, and digits with what may stand between them. */
struct masks {
    uint64_t digits, number;
};

static struct masks masks_of(const unsigned char *bytes)
{
    struct masks masks = {0, 0};
    for (size_t i = 0; i < WINDOW; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        uint64_t flipped = word ^ (BYTES_01 * '0');                    /* digits become 0 to 9 */
        uint64_t above = (flipped & ~BYTES_80) + BYTES_01 * (127 - 9); /* top bit: above 9 */
        uint64_t digits = ~(above | flipped) & BYTES_80;
        masks.digits |= gather(digits) << i;
        masks.number |= gather(digits | tops_of(word, ' ') | tops_of(word, '-')) << i;
    }
    return masks;
}

/* Whether as many bits as a card has digits are set next to each other. */
static bool has_run(uint64_t mask)
{
    mask &= mask >> 1; /* two, four, eight */
    mask &= mask >> 2;
    mask &= mask >> 4;
    mask &= mask >> (FEWEST_DIGITS - 8);
    return mask != 0;
}

static bool is_digit(unsigned char c)
{
    return (unsigned)(c - '0') <= 9;
}

/* The same byte by byte: digits with single blanks or '-' between them. */
static bool has_number(fl_slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = text.ptr[i];
        if (is_digit(c)) {
            if (++count == FEWEST_DIGITS)
                return true;
        } else if ((c != ' ' && c != '-') || i == 0 || !is_digit(text.ptr[i - 1])) {
            count = 0;
        }
    }
    return false;
}

/* Windows overlap by what a number may be long without being in one of them whole. */
static bool has_digits(fl_slice text)
{
    for (size_t at = 0; at < text.len; at += WINDOW - LONGEST_NUMBER) {
        unsigned char tail[WINDOW] = {0};
        size_t len = text.len - at < WINDOW ? text.len - at : WINDOW;
        const unsigned char *bytes = text.ptr + at;
        if (len < WINDOW) {
            memcpy(tail, bytes, len);
            bytes = tail;
        }
        struct masks masks = masks_of(bytes);
        if (__builtin_popcountll(masks.digits) >= FEWEST_DIGITS && has_run(masks.number) &&
            has_number(fl_slice_part(text, at, at + len)))
            return true;
        if (len < WINDOW)
            break;
    }
    return false;
}

uint64_t fl_redact_scan_text(const fl_redact_scan *scan, fl_slice text)
{
    uint64_t rules = scan->any_rules;
    if (text.len < FL_REDACT_GRAM)
        return text.len > 0 ? rules : 0;
    rules |= scan_literals(scan, text);
    if (scan->at_rules != 0 && memchr(text.ptr, '@', text.len) != NULL)
        rules |= scan->at_rules;
    if (scan->digit_rules != 0 && text.len >= FEWEST_DIGITS && has_digits(text))
        rules |= scan->digit_rules;
    return rules;
}
