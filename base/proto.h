/*
 * proto.h - the protobuf wire format over a byte slice (protobuf.dev/programming-guides/encoding).
 *
 *   message := (tag value)*        tag := varint(field << 3 | type)
 *   value   := varint (type 0) | 8 bytes LE (1) | varint length, bytes (2) | 4 bytes LE (5)
 *
 * Groups (types 3 and 4) are refused: no format read here uses them. Nothing is allocated. The
 * first failure is sticky and kept in `err` with the offset from the start of the outermost slice.
 *
 *     fl_proto in = fl_proto_over(bytes);
 *     while (fl_proto_next(&in))
 *         switch (in.field) {
 *         case 1: name = fl_proto_bytes(&in); break;
 *         case 2: read_child(fl_proto_message(&in)); break;   // unread fields are skipped by next
 *         }
 */
#ifndef FL_PROTO_H
#define FL_PROTO_H

#include <stdbool.h>

#include "faultline/status.h"

typedef enum fl_proto_type {
    FL_PROTO_VARINT = 0,
    FL_PROTO_FIXED64 = 1,
    FL_PROTO_BYTES = 2,
    FL_PROTO_FIXED32 = 5
} fl_proto_type;

typedef struct fl_proto {
    fl_slice bytes;
    size_t pos;
    uint64_t base_offset; /* of `bytes` within the outermost slice */
    uint32_t field;
    fl_proto_type type;
    uint64_t scalar; /* the value of a varint or fixed field */
    fl_slice body;   /* the value of a bytes field */
    fl_error err;
} fl_proto;

fl_proto fl_proto_over(fl_slice bytes);
bool fl_proto_ok(const fl_proto *in);
/* Step to the next field, whose value is then in `scalar` or `body`; false at the end or on failure. */
bool fl_proto_next(fl_proto *in);

/* The current value in the wanted shape; a wrong wire type is a failure and gives the neutral value. */
uint64_t fl_proto_u64(fl_proto *in);     /* varint */
int64_t fl_proto_i64(fl_proto *in);      /* varint, two's complement */
int64_t fl_proto_sint(fl_proto *in);     /* varint, zigzag */
uint64_t fl_proto_fixed64(fl_proto *in);
uint32_t fl_proto_fixed32(fl_proto *in);
double fl_proto_double(fl_proto *in);
fl_slice fl_proto_bytes(fl_proto *in);
/* A reader over the current bytes field, its offsets counted from the outermost slice. */
fl_proto fl_proto_message(fl_proto *in);
/* Take over a child's failure. */
bool fl_proto_adopt(fl_proto *in, const fl_proto *child);

#endif
