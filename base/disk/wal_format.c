/*
 * wal_format.c - the bytes of segments and records (docs/formats/wal.md).
 *
 *   segment := "FLWAL001" first:u64 valid_before:u64 crc:u32 record*  zeros
 *   record  := length:u32 crc:u32 kind:u8 payload       length counts kind and payload
 *
 * All numbers are little-endian. A record's CRC also covers its sequence, which is not written: a
 * record that stands in a wrong place is not taken for another.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "crc32c.h"
#include "wal_priv.h"

static const char MAGIC[] = "FLWAL001";

void fl_wal_name(char out[WAL_NAME_BYTES], uint64_t first)
{
    int len = snprintf(out, WAL_NAME_BYTES, "%016" PRIx64 ".wal", first);
    assert(len == 20);
}

bool fl_wal_name_read(uint64_t *first, const char *name)
{
    uint64_t value = 0;
    if (strlen(name) != 20 || strcmp(name + 16, ".wal") != 0)
        return false;
    for (size_t i = 0; i < 16; i++) {
        const char *digit = memchr("0123456789abcdef", name[i], 16);
        if (digit == NULL)
            return false;
        value = value << 4 | (uint64_t)(digit - "0123456789abcdef");
    }
    *first = value;
    return true;
}

void fl_wal_header_write(unsigned char out[WAL_HEADER_BYTES], const fl_wal_segment *segment)
{
    assert(segment->valid_before <= segment->first);
    memcpy(out, MAGIC, 8);
    fl_bytes_put_le(out + 8, segment->first, 8);
    fl_bytes_put_le(out + 16, segment->valid_before, 8);
    fl_bytes_put_le(out + 24, fl_crc32c(0, (fl_slice){out, 24}), 4);
}

bool fl_wal_header_read(fl_wal_segment *out, const unsigned char bytes[WAL_HEADER_BYTES])
{
    if (memcmp(bytes, MAGIC, 8) != 0 ||
        fl_bytes_le(bytes + 24, 4) != fl_crc32c(0, (fl_slice){bytes, 24}))
        return false;
    *out = (fl_wal_segment){.first = fl_bytes_le(bytes + 8, 8),
                            .valid_before = fl_bytes_le(bytes + 16, 8)};
    return out->valid_before <= out->first;
}

/* Of what is written and of where it stands. */
static uint32_t record_crc(const unsigned char frame[WAL_FRAME_BYTES], uint64_t sequence,
                           fl_slice payload)
{
    unsigned char before[13]; /* sequence, length, kind */
    fl_bytes_put_le(before, sequence, 8);
    memcpy(before + 8, frame, 4);
    before[12] = frame[8];
    return fl_crc32c(fl_crc32c(0, (fl_slice){before, sizeof(before)}), payload);
}

void fl_wal_frame_write(unsigned char out[WAL_FRAME_BYTES], uint64_t sequence, unsigned char kind,
                        fl_slice payload)
{
    assert(payload.len <= FL_MAX_WAL_RECORD_BYTES);
    fl_bytes_put_le(out, (uint32_t)payload.len + 1, 4);
    out[8] = kind;
    fl_bytes_put_le(out + 4, record_crc(out, sequence, payload), 4);
}

bool fl_wal_frame_len(size_t *out, const unsigned char frame[WAL_FRAME_BYTES])
{
    uint32_t len = (uint32_t)fl_bytes_le(frame, 4);
    if (len == 0 || len - 1 > FL_MAX_WAL_RECORD_BYTES)
        return false;
    *out = len - 1;
    return true;
}

bool fl_wal_frame_holds(const unsigned char frame[WAL_FRAME_BYTES], uint64_t sequence,
                        fl_slice payload)
{
    return fl_bytes_le(frame + 4, 4) == record_crc(frame, sequence, payload);
}
