/*
 * snappy.h - snappy's block format, as remote write and Loki's push carry their bodies.
 *
 *   block   := varint length of the plain bytes, element*
 *   element := literal | copy, by the two low bits of its first byte
 *     00     literal: the high six bits are length - 1; 60 to 63 say that 1 to 4 bytes of it follow
 *     01     copy of 4 to 11 bytes (bits 2 to 4) from up to 2047 back (3 high bits, one byte)
 *     10     copy of 1 to 64 bytes (high six bits) from up to 65535 back (2 bytes)
 *     11     the same with an offset of 4 bytes
 * Source: google/snappy, format_description.txt. Numbers are little-endian. The framing format, in
 * which snappy's files are, is another one and is not read: no protocol that we take carries it.
 */
#ifndef FL_SNAPPY_H
#define FL_SNAPPY_H

#include "arena.h"
#include "faultline/status.h"

/* The plain bytes of a whole block, in the arena. The length is checked against `max_bytes` and
 * against what the block could hold before anything is allocated. FL_E_LIMIT, FL_E_TRUNCATED,
 * FL_E_SYNTAX, each with the offset in the block; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_snappy_decode(fl_slice *out, fl_slice block, size_t max_bytes,
                                        fl_arena *arena, fl_error *err);

#endif
