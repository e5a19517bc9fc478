/*
 * logmask.c - one pass over the bytes of a line, one table look-up a byte, no allocation.
 *
 *     line   = blank* (token (blank+ token)*)?
 *     token  = (word | mark)+
 *     word   = (letter | digit | '_' | byte >= 0x80)+      variable: holds a digit, or is 8 or
 *     mark   = any other byte that is not blank            more of a-f only
 *
 * A variable word becomes <*> and takes with it what belongs to the same value:
 *
 *     value  = '-'? variable (('-' word) | (join variable) | (' ' clock))*
 *     join   = '.' | ':' | '::' | '/' | ',' | ', ' | '+'
 *     clock  = digit digit ':' digit ...
 *
 * so that dates, addresses, UUIDs, fractions and lists of numbers are one <*>. A word before '='
 * is a key and no part of a list.
 *
 * Invariants of the scan: `out` never passes the key's end, because a word is written only up to
 * FL_LOG_WORD_BYTES and the text ends at the first token that does not fit; `token` is the start of
 * the token being written, so a token that does not fit is taken back as a whole.
 */
#include "logmask.h"

#include <assert.h>
#include <string.h>

#include "logchar.h"
#include "loghead.h"
#include "logjson.h"
#include "utf8.h"

enum { HEX_ID_BYTES = 8, MASK_BYTES = 3, IPV6_GROUP_BYTES = 4 };

typedef const unsigned char *cursor;

struct scan {
    unsigned char *base;  /* of the text */
    unsigned char *token; /* of the token being written */
    unsigned char *out;
    unsigned char *limit; /* text after this does not fit */
    unsigned seen;        /* kinds of all words */
    bool is_cut;
};

/* The rule for words above. */
static inline bool is_variable(unsigned kinds, size_t len)
{
    return (kinds & FL_CHAR_DIGIT) != 0 || (kinds == FL_CHAR_HEX && len >= HEX_ID_BYTES);
}

/* Past the word at `p`; `kinds` collects what it is made of. */
static inline cursor word_end(cursor p, cursor end, unsigned *kinds)
{
    unsigned all = 0, kind;
    while (p < end && ((kind = fl_char_kind[*p]) & FL_CHAR_WORD) != 0) {
        all |= kind;
        p++;
    }
    *kinds = all;
    return p;
}

/* "2001:db8:ff::a": a group without a digit, but after "::" or with colons around it. */
static bool is_ipv6_group(cursor word, cursor after, cursor end, unsigned kinds, bool is_ipv6)
{
    return word[-1] == ':' && kinds == FL_CHAR_HEX && after - word <= IPV6_GROUP_BYTES &&
           (is_ipv6 || (after < end && *after == ':'));
}

/* " 17:38:46" after a date. */
static inline bool is_clock(cursor p, cursor end)
{
    return end - p > 4 && *p == ' ' && p[3] == ':' &&
           (fl_char_kind[p[1]] & fl_char_kind[p[2]] & fl_char_kind[p[4]] & FL_CHAR_DIGIT) != 0;
}

/* Past all that belongs to the variable word before `p`. */
static cursor absorb(cursor p, cursor end)
{
    bool is_ipv6 = false;
    while (p < end) {
        unsigned kinds;
        if ((*p == '-' && p + 1 < end && fl_char_is(p[1], FL_CHAR_WORD)) || is_clock(p, end)) {
            p = word_end(p + 1, end, &kinds);
            continue;
        }
        if (!fl_char_is(*p, FL_CHAR_JOIN))
            return p;
        cursor word = p + 1;
        if (word < end && ((*p == ',' && *word == ' ') || (*p == ':' && *word == ':'))) {
            is_ipv6 = is_ipv6 || *p == ':';
            word++;
        }
        cursor after = word_end(word, end, &kinds);
        bool is_key = after < end && *after == '=';
        if (is_key || !(is_variable(kinds, (size_t)(after - word)) ||
                        is_ipv6_group(word, after, end, kinds, is_ipv6)))
            return p;
        p = after;
    }
    return p;
}

/* Write <*> for a variable word, over its sign where it has one. */
static inline void put_mask(struct scan *s, unsigned char *at)
{
    if (at > s->token && at[-1] == '-' &&
        (at - 1 == s->token || strchr("=:([{,\"'", at[-2]) != NULL))
        at--;
    memcpy(at, "<*>", MASK_BYTES);
    s->out = at + MASK_BYTES;
}

/* Write the word at `p` or its mask; past it. */
static inline cursor put_word(struct scan *s, cursor p, cursor end)
{
    cursor start = p;
    cursor stop = end - p > FL_LOG_WORD_BYTES ? p + FL_LOG_WORD_BYTES : end;
    unsigned char *out = s->out, *at = out;
    unsigned kinds = 0, kind;
    while (p < stop && ((kind = fl_char_kind[*p]) & FL_CHAR_WORD) != 0) {
        kinds |= kind;
        *out++ = *p++;
    }
    bool is_long = p == stop && p < end && fl_char_is(*p, FL_CHAR_WORD);
    if (is_long) {
        p = word_end(p, end, &kind);
        kinds |= kind;
    }
    if (is_variable(kinds, (size_t)(p - start))) {
        put_mask(s, at);
        return absorb(p, end);
    }
    s->seen |= kinds;
    s->out = is_long ? s->limit + 1 : out;
    return p;
}

/* Blanks become one space; a token of nothing is none. */
static inline void end_token(struct scan *s)
{
    if (s->out > s->token) {
        *s->out++ = ' ';
        s->token = s->out;
    }
}

/* Take back the token that did not fit; <*> stands for it and the rest. */
static void cut(struct scan *s)
{
    assert(s->token <= s->limit + 1);
    memcpy(s->token, "<*>", MASK_BYTES);
    s->out = s->token + MASK_BYTES;
    s->is_cut = true;
}

/* Stops at the first token that does not fit. */
static void put_text(struct scan *s, cursor p, cursor end)
{
    while (p < end) {
        unsigned kind = fl_char_kind[*p];
        if (kind & FL_CHAR_WORD) {
            p = put_word(s, p, end);
        } else if (kind & FL_CHAR_BLANK) {
            cursor q = fl_char_skip_ansi(p, end);
            if (q == p)
                end_token(s);
            p = q > p ? q : p + 1;
        } else {
            *s->out++ = *p++;
        }
        if (s->out > s->limit) {
            cut(s);
            return;
        }
    }
}

/* Each byte that is not part of valid UTF-8, and each byte of a C1 control character: '?'. */
static void sanitize(unsigned char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        at += fl_utf8_valid_prefix((fl_slice){.ptr = text + at, .len = len - at});
        if (at < len)
            text[at++] = '?';
    }
    for (size_t i = 0; i + 1 < len; i++)
        if (text[i] == 0xc2 && text[i + 1] < 0xa0)
            text[i] = text[i + 1] = '?';
}

/* Of a text whose tokens are divided by one space each. */
static size_t count_tokens(fl_slice text)
{
    size_t count = text.len > 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ' ';
    return count;
}

/* Write the message `text`, with the code location verbatim where it has one. */
static void put_message(fl_log_form *out, struct scan *s, fl_slice text)
{
    cursor p = text.ptr, end = p + text.len;
    fl_slice location;
    out->location_at = out->location_len = 0;
    if (fl_log_location(&location, text)) {
        put_text(s, p, location.ptr);
        assert(!s->is_cut && location.len <= (size_t)(s->limit - s->out));
        out->location_at = (size_t)(s->out - s->base);
        out->location_len = location.len;
        memcpy(s->out, location.ptr, location.len);
        s->out += location.len;
        p = location.ptr + location.len;
    }
    put_text(s, p, end);
}

/* 0, or the first number of the class of four that OTLP's severity number is in. */
static int severity_class(int severity)
{
    return severity < 1 || severity > 24 ? 0 : (severity - 1) / 4 * 4 + 1;
}

void fl_log_form_of(fl_log_form *out, fl_slice line, int severity)
{
    assert(out != NULL && (line.ptr != NULL || line.len == 0));
    bool is_longer = line.len > FL_MAX_LOG_LINE_BYTES;
    if (is_longer)
        line.len = FL_MAX_LOG_LINE_BYTES;
    if (line.ptr == NULL)
        line.ptr = (cursor) "";

    unsigned char buffer[FL_LOG_JSON_BYTES];
    fl_log_json json = {0};
    cursor first = fl_char_skip_blank(line.ptr, line.ptr + line.len);
    if (first < line.ptr + line.len && *first == '{' &&
        fl_log_json_text(&json, line, buffer, sizeof(buffer))) {
        is_longer = json.text.len == sizeof(buffer);
        line = json.text;
    }
    fl_log_head head = fl_log_head_of(line);
    if (severity == 0)
        severity = json.severity != 0 ? json.severity : head.severity;

    unsigned char *base = out->key + 1;
    struct scan scan = {.base = base,
                        .token = base,
                        .out = base,
                        .limit = base + FL_MAX_LOG_TEXT_BYTES - MASK_BYTES - 1};
    put_message(out, &scan,
                (fl_slice){.ptr = head.rest, .len = (size_t)(line.ptr + line.len - head.rest)});
    if (is_longer && !scan.is_cut)
        cut(&scan);
    if (scan.is_cut && base + out->location_at >= scan.token)
        out->location_at = out->location_len = 0; /* it went with its token */
    out->len = (size_t)(scan.out - base);
    if (out->len > 0 && base[out->len - 1] == ' ')
        out->len--;
    if (scan.seen & FL_CHAR_HIGH)
        sanitize(base, out->len);
    assert(out->location_at + out->location_len <= out->len);
    out->severity = severity_class(severity);
    out->key[0] = (unsigned char)('0' + (out->severity + 3) / 4);
    out->token_count = count_tokens(fl_log_form_text(out));
}
