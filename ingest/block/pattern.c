/*
 * pattern.c - a text as a pattern and its variables: "took 17 ms at node-3" is "took \x11 ms at
 * \x12" with 17 and "node-3".
 *
 *   word     := a run of letters, digits, "_" and "-"
 *   variable := a word with a digit; digits alone (and digits with a short unit) are an integer,
 * and the ids that the record itself has are neither: they are known already
 *
 * Lossless, and blind to what a text means: the miner of log templates is a layer above. The idea
 * is CLP's (Rodrigues et al., OSDI 2021).
 */
#include <assert.h>
#include <string.h>

#include "block_priv.h"
#include "digits.h"
#include "slice.h"

enum { MAX_UNIT = 3, MAX_DIGITS = 18 };

/* A minus belongs to words: ids and dates hold it, and no integer is then negative. */
static bool is_word(unsigned char c)
{
    return fl_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
}

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How many digits an integer at the word's beginning has: as many as are followed by a unit only.
 * 0: it is none, or would not be written the same way again. */
static size_t integer_len(fl_slice word)
{
    size_t len = 0;
    while (len < word.len && fl_is_digit(word.ptr[len]))
        len++;
    if (len == 0 || len > MAX_DIGITS || word.len - len > MAX_UNIT ||
        (word.ptr[0] == '0' && len > 1))
        return 0;
    for (size_t i = len; i < word.len; i++)
        if (!is_letter(word.ptr[i]))
            return 0;
    return len;
}

static int64_t integer_of(fl_slice digits)
{
    uint64_t value = 0;
    (void)fl_digits_read(digits.ptr, digits.ptr + digits.len, &value);
    return (int64_t)value;
}

/* Whoever calls has checked that there is room. */
static void add_variable(block_pattern *out, const block_variable *variable)
{
    assert(out->count < BLOCK_MAX_TEXT_VARIABLES);
    out->items[out->count++] = *variable;
    fl_buf_char(&out->pattern, variable->is_integer ? VARIABLE_INTEGER : VARIABLE_TEXT);
}

/* In lower case, as everybody writes them; others are texts. */
static void put_hex(unsigned char *out, uint64_t value)
{
    for (int i = 15; i >= 0; i--, value >>= 4)
        out[i] = (unsigned char)"0123456789abcdef"[value & 15];
}

static const block_own_ids *with_digits(block_own_ids *own)
{
    if (!own->has_digits) {
        put_hex(own->trace_digits, own->trace.hi);
        put_hex(own->trace_digits + 16, own->trace.lo);
        put_hex(own->span_digits, own->span);
        own->has_digits = true;
    }
    return own;
}

/* A word that is one of the record's ids leaves a mark, and no variable. */
static bool is_own_id(block_pattern *out, fl_slice word, block_own_ids *own)
{
    if (own == NULL || (word.len != BLOCK_TRACE_DIGITS && word.len != BLOCK_SPAN_DIGITS))
        return false;
    (void)with_digits(own);
    if (word.len == BLOCK_TRACE_DIGITS &&
        memcmp(word.ptr, own->trace_digits, BLOCK_TRACE_DIGITS) == 0)
        fl_buf_char(&out->pattern, VARIABLE_TRACE);
    else if (word.len == BLOCK_SPAN_DIGITS &&
             memcmp(word.ptr, own->span_digits, BLOCK_SPAN_DIGITS) == 0)
        fl_buf_char(&out->pattern, VARIABLE_SPAN);
    else
        return false;
    return true;
}

/* Words without a digit are part of the pattern: they tell statements apart. */
static void take_word(block_pattern *out, fl_slice word, block_own_ids *own)
{
    bool has_digit = false;
    if (is_own_id(out, word, own))
        return;
    for (size_t i = 0; i < word.len && !has_digit; i++)
        has_digit = fl_is_digit(word.ptr[i]);
    if (!has_digit) {
        fl_buf_add(&out->pattern, word);
        return;
    }
    size_t digits = integer_len(word);
    fl_slice number = {word.ptr, digits};
    block_variable variable = {.text = word, .is_integer = digits > 0};
    if (digits > 0)
        variable.integer = integer_of(number);
    add_variable(out, &variable);
    if (digits > 0)
        fl_buf_add(&out->pattern, (fl_slice){word.ptr + digits, word.len - digits});
}

/* One variable, and a pattern that is no more than its mark. */
static void take_whole(block_pattern *out, fl_slice text)
{
    fl_buf_clear(&out->pattern);
    out->count = 0;
    add_variable(out, &(block_variable){.text = text});
}

void fl_block_take_apart(block_pattern *out, fl_slice text, block_own_ids *own)
{
    size_t at = 0;
    fl_buf_clear(&out->pattern);
    out->count = 0;
    while (at < text.len) {
        size_t start = at;
        unsigned char c = text.ptr[at];
        if ((c >= VARIABLE_INTEGER && c <= VARIABLE_SPAN) ||
            out->count == BLOCK_MAX_TEXT_VARIABLES) {
            take_whole(out, text);
            return;
        }
        while (at < text.len && is_word(text.ptr[at]))
            at++;
        if (at > start)
            take_word(out, (fl_slice){text.ptr + start, at - start}, own);
        else
            fl_buf_add(&out->pattern, (fl_slice){text.ptr + at++, 1});
    }
}

/* Marks of own ids have no column. */
size_t fl_block_pattern_kinds(fl_column_kind kinds[BLOCK_MAX_TEXT_VARIABLES], fl_slice pattern)
{
    size_t count = 0;
    for (size_t i = 0; i < pattern.len && count < BLOCK_MAX_TEXT_VARIABLES; i++)
        if (pattern.ptr[i] == VARIABLE_INTEGER || pattern.ptr[i] == VARIABLE_TEXT)
            kinds[count++] = pattern.ptr[i] == VARIABLE_INTEGER ? FL_COLUMN_I64 : FL_COLUMN_TEXT;
    return count;
}

/* Columns are used up from left to right, as their marks come. */
void fl_block_put_together(fl_buf *out, fl_slice pattern, const fl_rows_column *columns, size_t row,
                           block_own_ids *own)
{
    for (size_t i = 0; i < pattern.len; i++) {
        unsigned char c = pattern.ptr[i];
        if (c == VARIABLE_INTEGER)
            fl_buf_printf(out, "%lld", (long long)(columns++)->integers[row]);
        else if (c == VARIABLE_TEXT)
            fl_buf_add(out, (columns++)->texts[row]);
        else if (c == VARIABLE_TRACE && own != NULL)
            fl_buf_add(out, (fl_slice){with_digits(own)->trace_digits, BLOCK_TRACE_DIGITS});
        else if (c == VARIABLE_SPAN && own != NULL)
            fl_buf_add(out, (fl_slice){with_digits(own)->span_digits, BLOCK_SPAN_DIGITS});
        else
            fl_buf_char(out, (char)c);
    }
}
