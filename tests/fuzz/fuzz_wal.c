/*
 * fuzz_wal.c - a log of hostile bytes opens, gives only what its checksums hold, takes more, and
 * opens again with that.
 *
 * Input: a byte of options, then the first segment. Option 1 puts a sound header before it, option
 * 2 mends the checksums of its records, so that what lies behind them is reached.
 */
#include <assert.h>

#include "fl_fake_disk.h"
#include "fuzz.h"
#include "wal_priv.h"

static void mend_records(unsigned char *bytes, size_t size)
{
    uint64_t sequence = 0;
    size_t at = WAL_HEADER_BYTES, len;
    while (at + WAL_FRAME_BYTES <= size && fl_wal_frame_len(&len, bytes + at) &&
           len <= size - at - WAL_FRAME_BYTES) {
        fl_slice payload = {.ptr = bytes + at + WAL_FRAME_BYTES, .len = len};
        fl_wal_frame_write(bytes + at, sequence++, bytes[at + 8], payload);
        at += WAL_FRAME_BYTES + len;
    }
}

static void place_segment(fl_disk *disk, const uint8_t *data, size_t size)
{
    fl_error err = {0};
    fl_disk_file *file;
    const fl_wal_segment first = {0};
    unsigned char *bytes = malloc(size);
    assert(bytes != NULL);
    memcpy(bytes, data, size);
    if ((data[0] & 1) != 0 && size >= WAL_HEADER_BYTES)
        fl_wal_header_write(bytes, &first);
    if ((data[0] & 2) != 0)
        mend_records(bytes, size);
    if (fl_disk_open_file(&file, disk, "0000000000000000.wal", true, &err) != FL_OK ||
        fl_disk_write(file, (fl_slice){bytes, size}, 0, &err) != FL_OK)
        abort();
    fl_disk_close_file(file);
    free(bytes);
}

static uint64_t count_records(fl_disk *disk, bool adds_one)
{
    fl_error err = {0};
    fl_wal *wal;
    fl_wal_recovery found;
    fl_wal_ticket ticket;
    const fl_wal_options options = {.segment_bytes = 1024};
    fl_status status = fl_wal_open(&wal, &found, disk, &options, &err);
    assert(status == FL_OK && found.lost_records == 0);
    if (adds_one) {
        status = fl_wal_append(&ticket, wal, 1, (fl_slice){0}, &err);
        assert(status == FL_OK);
        status = fl_wal_wait(wal, &ticket, &err);
        assert(status == FL_OK);
    }
    fl_wal_close(wal);
    return found.records;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    fake_disk *disk = fake_disk_make(1);
    place_segment(&disk->base, data, size);
    uint64_t records = count_records(&disk->base, true);
    uint64_t again = count_records(&disk->base, false);
    assert(again == records + 1);
    fl_disk_close(&disk->base);
    return 0;
}
