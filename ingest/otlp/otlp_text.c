/*
 * otlp_text.c - values without a place of their own in fl_value, as plain JSON: the same text
 * whether the record came as JSON or as protobuf.
 *
 * Output is what a strict JSON reader takes: control characters escaped, no NaN outside of quotes,
 * and members in the order of the input. Numbers are written without the locale. Text that is not
 * UTF-8 does not come here: both readers refuse it before.
 */
#include <math.h>
#include <stdio.h>

#include "number.h"
#include "otlp_priv.h"

/* The short forms that JSON has, else \u and four digits; `c` is one byte of ASCII. */
static void add_escape(fl_buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        fl_buf_text(out, "\\\"");
        break;
    case '\\':
        fl_buf_text(out, "\\\\");
        break;
    case '\n':
        fl_buf_text(out, "\\n");
        break;
    case '\r':
        fl_buf_text(out, "\\r");
        break;
    case '\t':
        fl_buf_text(out, "\\t");
        break;
    default:
        fl_buf_printf(out, "\\u%04x", c);
        break;
    }
}

void fl_otlp_text_string(fl_buf *out, fl_slice text)
{
    fl_buf_char(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = text.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        fl_buf_add(out, (fl_slice){text.ptr + from, i - from});
        add_escape(out, c);
        from = i + 1;
    }
    if (from < text.len)
        fl_buf_add(out, (fl_slice){text.ptr + from, text.len - from});
    fl_buf_char(out, '"');
}

void fl_otlp_text_int(fl_buf *out, int64_t value)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        digits[--at] = '-';
    fl_buf_add(out, (fl_slice){(const unsigned char *)digits + at, sizeof(digits) - at});
}

/* The shortest of 15, 16 and 17 digits that reads back as the same number. */
void fl_otlp_text_double(fl_buf *out, double value)
{
    if (!isfinite(value)) {
        fl_buf_text(out, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        double back = 0;
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (digits == 17 || (fl_parse_double(fl_slice_of(text), &back) && back == value))
            break;
    }
    fl_buf_text(out, text);
}

void fl_otlp_text_base64(fl_buf *out, fl_slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t word = 0;
        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (k < have ? bytes.ptr[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            fl_buf_char(out, k <= have ? digits[word >> (18 - 6 * k) & 63] : '=');
    }
}

fl_slice fl_otlp_text_take(fl_otlp *otlp)
{
    fl_slice none = {0};
    if (otlp->text.status == FL_E_LIMIT) {
        fl_otlp_complain(otlp, "a value is larger than 64 MiB as text");
        return none;
    }
    /* Memory that would do tomorrow is another failure than a record that never fits. */
    const fl_arena *arena = &otlp->record_arena;
    if (otlp->text.status == FL_OK && otlp->text.len > arena->max_bytes - arena->used_bytes) {
        fl_otlp_complain(otlp, "its values are larger than 128 MiB as text");
        return none;
    }
    fl_slice copy = fl_arena_copy(&otlp->record_arena, fl_buf_slice(&otlp->text));
    if (otlp->text.status != FL_OK || copy.ptr == NULL) {
        fl_otlp_nomem(otlp);
        return none;
    }
    return copy;
}

/* Without the quotes that JSON needs around NaN and the infinities. */
static fl_slice unquoted(fl_slice text)
{
    if (text.len < 2 || text.ptr[0] != '"')
        return text;
    return (fl_slice){text.ptr + 1, text.len - 2};
}

fl_slice fl_otlp_body_of(fl_otlp *otlp, const fl_value *value)
{
    fl_buf *out = &otlp->text;
    switch (value->kind) {
    case FL_VALUE_NONE:
        return (fl_slice){0};
    case FL_VALUE_STRING:
    case FL_VALUE_BYTES:
    case FL_VALUE_OTHER:
        return value->text;
    case FL_VALUE_BOOL:
        return value->number != 0 ? FL_SLICE("true") : FL_SLICE("false");
    case FL_VALUE_INT:
        fl_buf_clear(out);
        fl_otlp_text_int(out, value->number);
        return fl_otlp_text_take(otlp);
    case FL_VALUE_DOUBLE:
        fl_buf_clear(out);
        fl_otlp_text_double(out, value->real);
        return unquoted(fl_otlp_text_take(otlp));
    }
    return (fl_slice){0};
}
