/*
 * proto_oracle.h - the wire format read a second time in the plainest way, to hold the reader
 * against. Shared by the unit test and the fuzz target.
 */
#ifndef FL_PROTO_ORACLE_H
#define FL_PROTO_ORACLE_H

#include "proto.h"

typedef struct proto_oracle_field {
    uint64_t field, type, scalar;
    size_t body_at, body_len;
} proto_oracle_field;

/* One varint at *at; false where it is cut off, or does not fit 64 bits. */
static inline bool proto_oracle_varint(fl_slice bytes, size_t *at, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (*at >= bytes.len)
            return false;
        uint64_t seven = bytes.ptr[*at] & 0x7f;
        bool more = bytes.ptr[(*at)++] & 0x80;
        if (shift == 63 && seven > 1)
            return false;
        *out |= seven << shift;
        if (!more)
            return true;
    }
    return false;
}

/* One field at *at; false where it breaks the format. */
static inline bool proto_oracle_next(fl_slice bytes, size_t *at, proto_oracle_field *out)
{
    uint64_t tag, len = 0;
    if (!proto_oracle_varint(bytes, at, &tag))
        return false;
    *out = (proto_oracle_field){.field = tag / 8, .type = tag % 8};
    if (out->field == 0 || out->field >= 1u << 29)
        return false;
    if (out->type == 0)
        return proto_oracle_varint(bytes, at, &out->scalar);
    if (out->type == 2 && !proto_oracle_varint(bytes, at, &len))
        return false;
    if (out->type != 1 && out->type != 2 && out->type != 5)
        return false;
    len = out->type == 1 ? 8 : out->type == 5 ? 4 : len;
    if (len > bytes.len - *at)
        return false;
    for (size_t i = 0; i < len && out->type != 2; i++)
        out->scalar |= (uint64_t)bytes.ptr[*at + i] << 8 * i;
    out->body_at = *at;
    out->body_len = out->type == 2 ? (size_t)len : 0;
    *at += (size_t)len;
    return true;
}

/* NULL where the reader and the oracle agree about one message, else what is wrong. */
static inline const char *proto_oracle_compare(fl_slice bytes)
{
    fl_proto in = fl_proto_over(bytes);
    size_t at = 0;
    proto_oracle_field wanted;
    while (at < bytes.len) {
        size_t field_at = at;
        bool good = proto_oracle_next(bytes, &at, &wanted);
        if (fl_proto_next(&in) != good)
            return good ? "a field is refused" : "a broken field is taken";
        if (!good)
            return fl_proto_ok(&in) || in.err.offset < field_at || in.err.offset > bytes.len ||
                           in.err.message[0] == '\0' || fl_proto_next(&in)
                       ? "a failure without its place, or one that does not last"
                       : NULL;
        if (in.field != wanted.field || in.type != wanted.type || in.field_pos != field_at ||
            in.pos != at)
            return "another field";
        if (in.type != FL_PROTO_BYTES && in.scalar != wanted.scalar)
            return "another number";
        if (in.type == FL_PROTO_BYTES &&
            (in.body.ptr != bytes.ptr + wanted.body_at || in.body.len != wanted.body_len))
            return "other bytes";
    }
    return fl_proto_next(&in) || !fl_proto_ok(&in) ? "no clean end" : NULL;
}

#endif
