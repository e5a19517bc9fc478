/*
 * wal_recover.c - what the last process left: segments in their order, replayed.
 *
 * A segment counts from its header's `first` up to its successor's `valid_before`, the last one up
 * to where its records end. Bytes behind that end are a torn tail: a group of which the sync never
 * came back, and which nobody was told of. A record that is missing before such a bound was
 * acknowledged once, and the disk has lost it; replay goes on with the next segment.
 *
 * Cost: each file is read once, through a window of 1 MiB or one record.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "wal_priv.h"

enum { WINDOW_BYTES = 1 << 20 };

/* The run of a file's bytes that is in memory. */
struct window {
    fl_disk_file *file;
    unsigned char *bytes;
    size_t cap, len;
    uint64_t offset; /* of bytes[0] in the file */
};

struct record {
    uint64_t sequence;
    unsigned char kind;
    fl_slice payload;
};

struct replay {
    fl_wal *wal;
    fl_wal_recovery *found;
    struct window window;
    fl_error *err;
};

/* `len` bytes at `offset` are at *out; *got is less at the end of the file. */
static fl_status look(const unsigned char **out, size_t *got, struct window *in, uint64_t offset,
                      size_t len, fl_error *err)
{
    assert(offset >= in->offset);
    if (offset + len > in->offset + in->len) {
        size_t cap = len > WINDOW_BYTES ? len : WINDOW_BYTES;
        if (cap > in->cap) {
            unsigned char *grown = fl_mem_realloc(in->bytes, cap, 1);
            if (grown == NULL)
                return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a record");
            in->bytes = grown;
            in->cap = cap;
        }
        in->offset = offset;
        fl_status status = fl_disk_read(&in->len, in->file, in->bytes, in->cap, offset, err);
        if (status != FL_OK)
            return status;
    }
    size_t left = (size_t)(in->offset + in->len - offset);
    *out = in->bytes + (offset - in->offset);
    *got = left < len ? left : len;
    return FL_OK;
}

/* The record at `offset`, if it is the one of out->sequence; else *is_whole is false. */
static fl_status look_record(bool *is_whole, struct record *out, struct window *in, uint64_t offset,
                             fl_error *err)
{
    const unsigned char *at;
    unsigned char frame[WAL_FRAME_BYTES];
    size_t got, len;
    fl_status status = look(&at, &got, in, offset, WAL_FRAME_BYTES, err);
    *is_whole = false;
    if (status != FL_OK || got < WAL_FRAME_BYTES || !fl_wal_frame_len(&len, at))
        return status;
    memcpy(frame, at, sizeof(frame));
    status = look(&at, &got, in, offset, WAL_FRAME_BYTES + len, err);
    if (status != FL_OK || got < WAL_FRAME_BYTES + len)
        return status;
    out->kind = frame[8];
    out->payload = (fl_slice){.ptr = at + WAL_FRAME_BYTES, .len = len};
    *is_whole = fl_wal_frame_holds(frame, out->sequence, out->payload);
    return FL_OK;
}

/* Counted whether or not it is replayed: people are told what is in the log. */
static fl_status visit_record(struct replay *in, const struct record *record)
{
    in->found->records++;
    const fl_wal_options *options = &in->wal->options;
    if (options->visit == NULL || record->sequence < options->from_sequence)
        return FL_OK;
    return options->visit(options->visit_context, record->sequence, record->kind, record->payload,
                          in->err);
}

/* What is not zero behind the last record: reserved room is. */
static fl_status count_torn(uint64_t *torn, struct window *in, uint64_t offset, fl_error *err)
{
    const unsigned char *at;
    size_t got;
    uint64_t start = offset;
    *torn = 0;
    for (;; offset += got) {
        fl_status status = look(&at, &got, in, offset, WINDOW_BYTES, err);
        if (status != FL_OK || got == 0)
            return status;
        size_t used = got;
        while (used > 0 && at[used - 1] == 0)
            used--;
        if (used > 0)
            *torn = offset + used - start;
    }
}

/* The records of a segment before `bound`. *next is one past the last, *end where it ends. */
static fl_status replay_records(uint64_t *next, uint64_t *end, struct replay *in,
                                const fl_wal_segment *segment, uint64_t bound)
{
    struct record record = {.sequence = segment->first};
    fl_status status = FL_OK;
    bool is_whole = true;
    *end = WAL_HEADER_BYTES;
    while (status == FL_OK && record.sequence < bound) {
        status = look_record(&is_whole, &record, &in->window, *end, in->err);
        if (status != FL_OK || !is_whole)
            break;
        status = visit_record(in, &record);
        record.sequence++;
        *end += WAL_FRAME_BYTES + record.payload.len;
    }
    *next = record.sequence;
    return status;
}

/* Acknowledged records that are not there. What was released may be missing. */
static void count_lost(struct replay *in, uint64_t next, uint64_t bound)
{
    if (next < in->wal->options.from_sequence)
        next = in->wal->options.from_sequence;
    if (next < bound)
        in->found->lost_records += bound - next;
}

/* The last segment's end is the log's; its torn tail is cut off, so that it is counted once. */
static fl_status end_log(struct replay *in, fl_wal_segment *segment, uint64_t next, uint64_t end)
{
    uint64_t torn;
    fl_error ignored = {0};
    fl_status status = count_torn(&torn, &in->window, end, in->err);
    if (status != FL_OK)
        return status;
    in->found->torn_bytes += torn;
    in->wal->next_sequence = in->wal->acknowledged = next;
    if (next == segment->first) { /* its name is taken, and its bound still holds */
        in->wal->next_sequence++;
        in->wal->acknowledged = segment->valid_before;
    }
    in->wal->segment_bytes_total -= segment->bytes - end;
    segment->bytes = end;
    if (fl_disk_truncate(in->window.file, end, &ignored) == FL_OK)
        (void)!fl_disk_sync(in->window.file, &ignored);
    return FL_OK;
}

/* From its file. One that was released as a whole is not read. */
static fl_status replay_segment(struct replay *in, size_t i)
{
    fl_wal *wal = in->wal;
    fl_wal_segment *segment = &wal->segments[i];
    bool is_last = i + 1 == wal->segment_count;
    uint64_t bound = is_last ? UINT64_MAX : segment[1].valid_before, next, end;
    char name[WAL_NAME_BYTES];
    if (!is_last && bound <= wal->options.from_sequence)
        return FL_OK;
    fl_wal_name(name, segment->first);
    in->window.offset = in->window.len = 0;
    fl_status status = fl_disk_open_file(&in->window.file, wal->disk, name, false, in->err);
    if (status != FL_OK)
        return status;
    status = replay_records(&next, &end, in, segment, bound);
    if (status == FL_OK && is_last)
        status = end_log(in, segment, next, end);
    else if (status == FL_OK)
        count_lost(in, next, bound);
    fl_disk_close_file(in->window.file);
    in->window.file = NULL;
    return status;
}

/* Files of other names are none of ours. */
static fl_status note_segment(void *payload, const char *name, uint64_t size_bytes, fl_error *err)
{
    fl_wal_segment segment = {.bytes = size_bytes};
    return fl_wal_name_read(&segment.first, name) ? fl_wal_add_segment(payload, &segment, err)
                                                  : FL_OK;
}

/* There are few: by insertion. */
static void sort_segments(fl_wal *wal)
{
    for (size_t i = 1; i < wal->segment_count; i++) {
        fl_wal_segment moved = wal->segments[i];
        size_t at = i;
        for (; at > 0 && wal->segments[at - 1].first > moved.first; at--)
            wal->segments[at] = wal->segments[at - 1];
        wal->segments[at] = moved;
    }
}

typedef enum header_state { HEADER_SOUND, HEADER_MISSING, HEADER_DAMAGED } header_state;

/* It is written and synced before the first record is: one of zeros has none behind it. */
static header_state judge_header(fl_wal_segment *segment, const unsigned char *bytes, size_t len)
{
    fl_wal_segment read;
    bool is_empty = true;
    for (size_t i = 0; i < len; i++)
        is_empty = is_empty && bytes[i] == 0;
    if (is_empty)
        return HEADER_MISSING;
    if (len < WAL_HEADER_BYTES || !fl_wal_header_read(&read, bytes) || read.first != segment->first)
        return HEADER_DAMAGED;
    segment->valid_before = read.valid_before;
    return HEADER_SOUND;
}

static fl_status read_header(header_state *out, fl_wal *wal, fl_wal_segment *segment, fl_error *err)
{
    unsigned char bytes[WAL_HEADER_BYTES] = {0};
    char name[WAL_NAME_BYTES];
    fl_disk_file *file;
    size_t got;
    fl_wal_name(name, segment->first);
    fl_status status = fl_disk_open_file(&file, wal->disk, name, false, err);
    if (status != FL_OK)
        return status;
    status = fl_disk_read(&got, file, bytes, sizeof(bytes), 0, err);
    fl_disk_close_file(file);
    *out = judge_header(segment, bytes, got);
    return status;
}

/* Without a header it was being made when the process ended; a damaged one is kept for people. */
static fl_status put_aside(fl_wal *wal, size_t i, header_state state, fl_error *err)
{
    char name[WAL_NAME_BYTES], aside[WAL_NAME_BYTES + 8];
    fl_wal_name(name, wal->segments[i].first);
    snprintf(aside, sizeof(aside), "%s.damaged", name);
    wal->segment_bytes_total -= wal->segments[i].bytes;
    wal->segment_count--;
    memmove(wal->segments + i, wal->segments + i + 1,
            (wal->segment_count - i) * sizeof(wal->segments[0]));
    return state == HEADER_MISSING ? fl_disk_remove(wal->disk, name, err)
                                   : fl_disk_rename(wal->disk, name, aside, err);
}

/* Backwards, since what is put aside moves what is behind it. */
static fl_status read_headers(fl_wal *wal, fl_wal_recovery *found, fl_error *err)
{
    for (size_t i = wal->segment_count; i-- > 0;) {
        header_state state = HEADER_SOUND;
        fl_status status = read_header(&state, wal, &wal->segments[i], err);
        if (status == FL_OK && state != HEADER_SOUND) {
            found->damaged_files += state == HEADER_DAMAGED;
            status = put_aside(wal, i, state, err);
        }
        if (status != FL_OK)
            return status;
    }
    return FL_OK;
}

fl_status fl_wal_recover(fl_wal *wal, fl_wal_recovery *found, fl_error *err)
{
    struct replay in = {.wal = wal, .found = found, .err = err};
    fl_status status = fl_disk_list(wal->disk, note_segment, wal, err);
    sort_segments(wal);
    if (status == FL_OK)
        status = read_headers(wal, found, err);
    for (size_t i = 0; status == FL_OK && i < wal->segment_count; i++)
        status = replay_segment(&in, i);
    if (wal->next_sequence < wal->options.from_sequence) /* the log is gone, what it fed is not */
        wal->next_sequence = wal->acknowledged = wal->options.from_sequence;
    fl_mem_free(in.window.bytes);
    return status;
}
