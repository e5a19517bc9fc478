/*
 * wal_priv.h - the bytes of the log, and what appending and recovery share.
 */
#ifndef FL_WAL_PRIV_H
#define FL_WAL_PRIV_H

#include <pthread.h>

#include "wal.h"

enum {
    WAL_HEADER_BYTES = 28, /* "FLWAL001", first, valid_before, CRC */
    WAL_FRAME_BYTES = 9,   /* length, CRC, kind */
    WAL_NAME_BYTES = 32
};

/* A file of the log. Records of earlier files count only up to `valid_before`. */
typedef struct fl_wal_segment {
    uint64_t first, valid_before;
    uint64_t bytes;
} fl_wal_segment;

/* What one sync makes durable. */
struct fl_wal_group {
    unsigned char *bytes;
    size_t len, cap;
    uint64_t first, count;
    size_t tickets; /* not yet waited for */
    bool is_done;
    fl_error result; /* status FL_OK: durable */
    struct fl_wal_group *next_spare;
};

struct fl_wal {
    fl_disk *disk;
    fl_wal_options options;
    pthread_mutex_t lock; /* of all below, but what is the committer's */
    pthread_cond_t changed;
    fl_wal_segment *segments;
    size_t segment_count;
    uint64_t segment_bytes_total; /* of all segments */
    uint64_t next_sequence;
    uint64_t acknowledged; /* all before it are durable or were refused */
    struct fl_wal_group *pending, *spare;
    uint64_t groups;
    bool is_committing;
    /* the committer's: whoever set is_committing */
    fl_disk_file *file; /* NULL: the next group begins a segment */
    uint64_t offset;
};

void fl_wal_name(char out[WAL_NAME_BYTES], uint64_t first);
/* Whether the name is a segment's, and of which first record. */
bool fl_wal_name_read(uint64_t *first, const char *name);
void fl_wal_header_write(unsigned char out[WAL_HEADER_BYTES], const fl_wal_segment *segment);
bool fl_wal_header_read(fl_wal_segment *out, const unsigned char bytes[WAL_HEADER_BYTES]);
/* A record's frame; the payload follows it. */
void fl_wal_frame_write(unsigned char out[WAL_FRAME_BYTES], uint64_t sequence, unsigned char kind,
                        fl_slice payload);
/* The payload's length, at most FL_MAX_WAL_RECORD_BYTES; false: no frame, or the log's end. */
bool fl_wal_frame_len(size_t *out, const unsigned char frame[WAL_FRAME_BYTES]);
bool fl_wal_frame_holds(const unsigned char frame[WAL_FRAME_BYTES], uint64_t sequence,
                        fl_slice payload);

/* Find the segments, replay them, and leave the log ready for the next group. */
FL_NODISCARD fl_status fl_wal_recover(fl_wal *wal, fl_wal_recovery *found, fl_error *err);
/* Append to wal->segments; the lock is held, or nobody else is there. */
FL_NODISCARD fl_status fl_wal_add_segment(fl_wal *wal, const fl_wal_segment *segment,
                                          fl_error *err);

#endif
