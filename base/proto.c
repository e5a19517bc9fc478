/*
 * proto.c - long varints, and what is said about a message that is broken.
 *
 * The fast ways through a field (proto.h) only find out that something is wrong; they leave the
 * place and come here. So what a message says is put together once, by reading the field again, and
 * costs the good path nothing.
 */
#include "proto.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

enum { MAX_VARINT_BYTES = 10, MAX_FIELD = (1 << 29) - 1 };

const unsigned char *fl_proto_long_varint(const unsigned char *p, const unsigned char *end,
                                          uint64_t *value)
{
    assert(p < end);
    size_t left = (size_t)(end - p);
    size_t limit = left < MAX_VARINT_BYTES ? left : MAX_VARINT_BYTES;
    uint64_t sum = 0;
    for (size_t i = 0; i < limit; i++) {
        sum |= (uint64_t)(p[i] & 0x7f) << 7 * i;
        if (p[i] < 0x80) {
            *value = sum;
            return i < MAX_VARINT_BYTES - 1 || p[i] <= 1 ? p + i + 1 : NULL;
        }
    }
    return NULL;
}

/* Invariant (2) of proto.h. */
static bool stop(fl_proto *in)
{
    assert(in->err.status != FL_OK);
    in->pos = in->bytes.len;
    in->type = FL_PROTO_NONE;
    return false;
}

/* The varint at `pos` could not be read: say why. */
static fl_status fail_varint(fl_proto *in, size_t pos, const char *what)
{
    size_t len = 0;
    while (pos + len < in->bytes.len && in->bytes.ptr[pos + len] >= 0x80)
        len++;
    if (pos + len == in->bytes.len && len < MAX_VARINT_BYTES)
        return fl_fail(&in->err, FL_E_TRUNCATED, in->base_offset + pos,
                       "message ends inside the %s", what);
    return fl_fail(&in->err, FL_E_SYNTAX, in->base_offset + pos, "%s has more than 64 bits", what);
}

/* Why the value of the current field, at `pos` of wire type `type`, could not be read. */
static fl_status fail_value(fl_proto *in, size_t pos, unsigned type)
{
    char what[40];
    uint64_t len;
    const unsigned char *end = in->bytes.ptr + in->bytes.len;
    size_t left = in->bytes.len - pos;
    uint64_t offset = in->base_offset + pos;
    switch (type) {
    case FL_PROTO_VARINT:
        snprintf(what, sizeof(what), "varint of field %u", (unsigned)in->field);
        return fail_varint(in, pos, what);
    case FL_PROTO_BYTES:
        if (left > 0 && fl_proto_varint(in->bytes.ptr + pos, end, &len) != NULL)
            return fl_fail(&in->err, FL_E_TRUNCATED, offset,
                           "field %u of %llu bytes runs past the end", (unsigned)in->field,
                           (unsigned long long)len);
        snprintf(what, sizeof(what), "length of field %u", (unsigned)in->field);
        return fail_varint(in, pos, what);
    case FL_PROTO_FIXED64:
    case FL_PROTO_FIXED32:
        return fl_fail(&in->err, FL_E_TRUNCATED, offset,
                       "message ends inside the %d bytes of field %u",
                       type == FL_PROTO_FIXED64 ? 8 : 4, (unsigned)in->field);
    case 3:
    case 4:
        return fl_fail(&in->err, FL_E_UNSUPPORTED, in->base_offset + in->field_pos,
                       "field %u is a group, which is not read here", (unsigned)in->field);
    default:
        return fl_fail(&in->err, FL_E_SYNTAX, in->base_offset + in->field_pos,
                       "field %u has the unknown wire type %u", (unsigned)in->field, type);
    }
}

/* Read the field at field_pos once more, slowly, for its first fault. */
bool fl_proto_fail_field(fl_proto *in)
{
    const unsigned char *start = in->bytes.ptr + in->field_pos;
    const unsigned char *end = in->bytes.ptr + in->bytes.len;
    uint64_t tag;
    assert(start < end);
    const unsigned char *p = fl_proto_varint(start, end, &tag);
    if (p == NULL) {
        (void)fail_varint(in, in->field_pos, "tag of a field");
    } else if (tag >> 3 == 0 || tag >> 3 > MAX_FIELD) {
        (void)fl_fail(&in->err, FL_E_SYNTAX, in->base_offset + in->field_pos,
                      "field number %llu is not between 1 and %d", (unsigned long long)(tag >> 3),
                      MAX_FIELD);
    } else {
        in->field = (uint32_t)(tag >> 3);
        (void)fail_value(in, (size_t)(p - in->bytes.ptr), (unsigned)(tag & 7));
    }
    return stop(in);
}

/* Completes "expected ..., found ...". */
static const char *type_name(fl_proto_type type)
{
    switch (type) {
    case FL_PROTO_VARINT:
        return "a varint";
    case FL_PROTO_FIXED64:
        return "8 fixed bytes";
    case FL_PROTO_BYTES:
        return "a length and bytes";
    case FL_PROTO_FIXED32:
        return "4 fixed bytes";
    default:
        return "nothing";
    }
}

bool fl_proto_fail_type(fl_proto *in, fl_proto_type wanted)
{
    (void)fl_fail(&in->err, FL_E_SYNTAX, in->base_offset + in->field_pos,
                  "expected %s in field %u, found %s", type_name(wanted), (unsigned)in->field,
                  type_name(in->type));
    return stop(in);
}

bool fl_proto_adopt(fl_proto *in, const fl_proto *child)
{
    if (fl_proto_ok(child))
        return fl_proto_ok(in);
    if (fl_proto_ok(in))
        in->err = child->err;
    return stop(in);
}

/* Most strings are short and ASCII: eight bytes at a time, the last eight overlapping. */
static inline bool is_ascii(fl_slice text)
{
    uint64_t seen = 0, word;
    if (text.len < sizeof(word)) {
        for (size_t i = 0; i < text.len; i++)
            seen |= text.ptr[i];
        return seen < 0x80;
    }
    for (size_t i = 0; i < text.len - sizeof(word); i += sizeof(word)) {
        memcpy(&word, text.ptr + i, sizeof(word));
        seen |= word;
    }
    memcpy(&word, text.ptr + text.len - sizeof(word), sizeof(word));
    return ((seen | word) & UINT64_C(0x8080808080808080)) == 0;
}

fl_slice fl_proto_text(fl_proto *in)
{
    fl_slice text = fl_proto_bytes(in);
    if (is_ascii(text))
        return text;
    size_t valid = fl_utf8_valid_prefix(text);
    if (valid == text.len)
        return text;
    uint64_t offset = in->base_offset + (uint64_t)(text.ptr - in->bytes.ptr) + valid;
    (void)fl_fail(&in->err, FL_E_SYNTAX, offset, "invalid UTF-8 in field %u", (unsigned)in->field);
    (void)stop(in);
    return (fl_slice){0};
}
