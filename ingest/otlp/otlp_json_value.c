/*
 * otlp_json_value.c - attributes, values, ids and enums out of JSON.
 *
 * Attributes are a list of {"key": K, "value": {"stringValue": V}}. Integers are numbers or strings
 * (proto3 JSON), ids hexadecimal in either case, an enum its number or, from some producers, its
 * name.
 *
 *   value := { "stringValue": S } | { "intValue": N } | { "doubleValue": D } | { "boolValue": B }
 *          | { "bytesValue": base64 } | { "arrayValue": {...} } | { "kvlistValue": {...} }
 *
 * Of several members the last one wins, as in a protobuf oneof. Scalars cost no copy: text is a
 * part of the input unless it has escapes. Arrays and maps become plain JSON (otlp_json_render.c).
 * An attribute without a key is dropped, and an id of no bytes is the id that is not there.
 */
#include <assert.h>
#include <string.h>

#include "bytes.h"
#include "number.h"
#include "otlp_priv.h"

/* 16 x the value of a hexadecimal digit's neighbour is made by shifting; 0xff is no digit. */
static const unsigned char hex_values[256] = {
    ['1'] = 1,  ['2'] = 2,  ['3'] = 3,  ['4'] = 4,  ['5'] = 5,  ['6'] = 6,  ['7'] = 7,
    ['8'] = 8,  ['9'] = 9,  ['a'] = 10, ['b'] = 11, ['c'] = 12, ['d'] = 13, ['e'] = 14,
    ['f'] = 15, ['A'] = 10, ['B'] = 11, ['C'] = 12, ['D'] = 13, ['E'] = 14, ['F'] = 15,
};

/* 16 digits into one number; false where one of them is none. */
static bool parse_hex64(const unsigned char *digits, uint64_t *out)
{
    uint64_t value = 0;
    bool is_hex = true;
    for (size_t i = 0; i < 16; i++) {
        unsigned nibble = hex_values[digits[i]];
        is_hex &= (nibble != 0) | (digits[i] == '0');
        value = value << 4 | nibble;
    }
    *out = value;
    return is_hex;
}

/* Tempo answers proto3's own mapping of bytes, base64 with its padding, where OTLP wants
 * hexadecimal digits. The lengths differ, so that either is told from the other. */
static bool parse_base64(unsigned char *out, size_t len, fl_slice text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t word = 0;
    size_t done = 0, digit_count = (len * 8 + 5) / 6;
    assert(text.len == (len + 2) / 3 * 4);
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.ptr[i] != '\0' ? strchr(digits, text.ptr[i]) : NULL;
        if (i < digit_count ? digit == NULL : text.ptr[i] != '=')
            return false;
        word = word << 6 | (i < digit_count ? (uint32_t)(digit - digits) : 0);
        if (i % 4 == 3)
            for (size_t k = 0; k < 3 && done < len; k++)
                out[done++] = (unsigned char)(word >> (16 - 8 * k));
    }
    return true;
}

fl_trace_id fl_otlp_json_trace_id(fl_otlp *otlp, fl_json *in)
{
    fl_trace_id id = {0};
    fl_slice text = fl_json_string(in);
    unsigned char bytes[FL_OTLP_TRACE_ID_BYTES] = {0};
    if (text.len == 0)
        return id;
    if (text.len == 24 && parse_base64(bytes, sizeof(bytes), text))
        return (fl_trace_id){.hi = fl_bytes_be64(bytes), .lo = fl_bytes_be64(bytes + 8)};
    if (text.len != 2 * FL_OTLP_TRACE_ID_BYTES || !parse_hex64(text.ptr, &id.hi) ||
        !parse_hex64(text.ptr + 16, &id.lo)) {
        fl_otlp_complain(otlp, "trace id is not 16 bytes as 32 hexadecimal digits");
        return (fl_trace_id){0};
    }
    return id;
}

uint64_t fl_otlp_json_span_id(fl_otlp *otlp, fl_json *in, const char *complaint)
{
    uint64_t id = 0;
    fl_slice text = fl_json_string(in);
    unsigned char bytes[FL_OTLP_SPAN_ID_BYTES] = {0};
    if (text.len == 0)
        return 0;
    if (text.len == 12 && parse_base64(bytes, sizeof(bytes), text))
        return fl_bytes_be64(bytes);
    if (text.len != 2 * FL_OTLP_SPAN_ID_BYTES || !parse_hex64(text.ptr, &id)) {
        fl_otlp_complain(otlp, complaint);
        return 0;
    }
    return id;
}

/* A number that this version does not know is 0, "unspecified", and never an error. */
static int enum_of(int64_t number, size_t count)
{
    return number > 0 && (uint64_t)number < count ? (int)number : 0;
}

int fl_otlp_json_enum(fl_json *in, fl_slice prefix, const fl_slice *names, size_t count)
{
    if (fl_json_peek(in) != FL_JSON_STRING)
        return enum_of(fl_json_i64(in), count);
    int64_t number;
    fl_slice text = fl_json_string(in);
    if (fl_parse_i64(text, &number))
        return enum_of(number, count);
    if (!fl_slice_starts_with(text, prefix))
        return 0;
    fl_slice name = {text.ptr + prefix.len, text.len - prefix.len};
    for (size_t i = 0; i < count; i++)
        if (fl_slice_equal(name, names[i]))
            return (int)i;
    return 0;
}

/* Of a kind that is kept as text; borrowed. */
static fl_value string_value(fl_value_kind kind, fl_slice text)
{
    return (fl_value){.kind = kind, .text = text};
}

/* The text is copied to the record's arena, as the buffer serves the next value too. */
static fl_value container_value(fl_otlp *otlp, fl_json *in, bool is_map)
{
    fl_buf_clear(&otlp->text);
    fl_otlp_json_render(otlp, in, is_map);
    if (!fl_json_ok(in))
        return (fl_value){0};
    return string_value(FL_VALUE_OTHER, fl_otlp_text_take(otlp));
}

/* Every member but stringValue; true where `key` is one. */
static bool read_other_value(fl_json *in, fl_slice key, fl_value *value)
{
    if (FL_OTLP_IS(key, "intValue"))
        *value = (fl_value){.kind = FL_VALUE_INT, .number = fl_json_i64(in)};
    else if (FL_OTLP_IS(key, "doubleValue"))
        *value = (fl_value){.kind = FL_VALUE_DOUBLE, .real = fl_json_double(in)};
    else if (FL_OTLP_IS(key, "boolValue"))
        *value = (fl_value){.kind = FL_VALUE_BOOL, .number = fl_json_bool(in) ? 1 : 0};
    else if (FL_OTLP_IS(key, "bytesValue"))
        *value = string_value(FL_VALUE_BYTES, fl_json_string(in));
    else
        return false;
    return true;
}

fl_value fl_otlp_json_value(fl_otlp *otlp, fl_json *in)
{
    fl_value value = {0};
    fl_slice key;
    if (fl_json_null(in) || !fl_json_enter_object(in))
        return value;
    while (fl_json_next_member(in, &key)) {
        if (fl_json_null(in))
            continue;
        if (FL_OTLP_IS(key, "stringValue"))
            value = string_value(FL_VALUE_STRING, fl_json_string(in));
        else if (FL_OTLP_IS(key, "arrayValue"))
            value = container_value(otlp, in, false);
        else if (FL_OTLP_IS(key, "kvlistValue"))
            value = container_value(otlp, in, true);
        else if (!read_other_value(in, key, &value))
            fl_json_skip(in);
    }
    return value;
}

/* Renamed as soon as it is added, while its key is in the cache. */
static void read_attr(fl_otlp *otlp, fl_json *in, fl_otlp_list *list)
{
    fl_attr attr = {0};
    fl_slice key;
    if (!fl_json_enter_object(in))
        return;
    while (fl_json_next_member(in, &key)) {
        if (FL_OTLP_IS(key, "key"))
            attr.key = fl_json_string(in);
        else if (FL_OTLP_IS(key, "value"))
            attr.value = fl_otlp_json_value(otlp, in);
        else
            fl_json_skip(in);
    }
    if (!fl_json_ok(in) || attr.key.len == 0)
        return;
    fl_attr *place = fl_otlp_attr_add(otlp, list);
    if (place == NULL)
        return;
    *place = attr;
    fl_otlp_semconv_apply(otlp, list);
}

void fl_otlp_json_attrs(fl_otlp *otlp, fl_json *in, fl_otlp_list *list)
{
    if (fl_json_null(in) || !fl_json_enter_array(in))
        return;
    while (fl_json_next_element(in))
        read_attr(otlp, in, list);
}
