/*
 * wal.h - a write-ahead log: records that are durable before whoever sent them is told so.
 *
 * Many threads append; whoever waits first writes what all of them have appended, with one sync
 * (group commit), so that the price of a sync is shared. Records are replayed, in their order, by
 * the next open. docs/formats/wal.md has the bytes.
 *
 * A record that was acknowledged is replayed until it is released. One that was refused, or of
 * which the answer was still to come when the process ended, may be replayed or not: senders repeat
 * it, and repeating must do no harm above.
 *
 * Full disks and failing syncs refuse what they hit and nothing else: the log goes on in a new
 * segment as soon as there is room, without what was refused.
 */
#ifndef FL_WAL_H
#define FL_WAL_H

#include "disk.h"

/* OTLP's largest request body, and what is said of it besides. */
#define FL_MAX_WAL_RECORD_BYTES ((64u << 20) + 4096u)

typedef enum fl_durability {
    FL_DURABILITY_BATCH, /* acknowledged after a sync: survives the loss of power */
    FL_DURABILITY_MEMORY /* after a write: survives the end of the process only */
} fl_durability;

typedef struct fl_wal fl_wal;

/* `payload` is borrowed for the call. Anything but FL_OK ends the open and is returned by it. */
typedef fl_status fl_wal_visit(void *context, uint64_t sequence, unsigned char kind,
                               fl_slice payload, fl_error *err);

typedef struct fl_wal_options {
    fl_durability durability;
    uint64_t segment_bytes; /* a file of the log; 0: 64 MiB. A larger record makes a larger one */
    uint64_t max_bytes;     /* of all files; 0: without end. Beyond, appends fail: FL_E_LIMIT */
    uint64_t
        pending_bytes;   /* appended and not yet written; 0: 64 MiB, always room for one record */
    fl_wal_visit *visit; /* NULL: nothing is replayed */
    void *visit_context;
    uint64_t from_sequence; /* what is replayed begins here: earlier ones were released */
} fl_wal_options;

/* What an open found. */
typedef struct fl_wal_recovery {
    uint64_t records;       /* that are in the log */
    uint64_t torn_bytes;    /* written, but not whole, when the last process ended; cut off */
    uint64_t lost_records;  /* acknowledged once, and now damaged: the disk's fault */
    uint64_t damaged_files; /* beyond reading; kept aside as NAME.damaged */
} fl_wal_recovery;

typedef struct fl_wal_stats {
    uint64_t first_sequence; /* the oldest that is kept */
    uint64_t next_sequence;
    uint64_t bytes; /* on disk */
    uint64_t segments;
    uint64_t groups; /* written since the open */
} fl_wal_stats;

/* What an append has to wait for; opaque. */
typedef struct fl_wal_ticket {
    struct fl_wal_group *group;
    uint64_t sequence;
} fl_wal_ticket;

/*
 * The log in the folder `disk`, which is borrowed until the close. Replays, and tells what was
 * found. FL_E_IO, FL_E_NOMEM, what `visit` returned. The caller owns *out.
 */
FL_NODISCARD fl_status fl_wal_open(fl_wal **out, fl_wal_recovery *found, fl_disk *disk,
                                   const fl_wal_options *options, fl_error *err);
/* Nobody may be waiting. What was appended and not waited for may be lost. NULL is a no-op. */
void fl_wal_close(fl_wal *wal);

/* Put a record behind all others, in memory; any thread. FL_E_LIMIT: the record, the log or what
 * is pending is too large, try again later. After FL_OK the ticket must be waited for, once. */
FL_NODISCARD fl_status fl_wal_append(fl_wal_ticket *out, fl_wal *wal, unsigned char kind,
                                     fl_slice payload, fl_error *err);
/* Until the record is durable, or is refused: FL_E_LIMIT where the disk is full, FL_E_IO. */
FL_NODISCARD fl_status fl_wal_wait(fl_wal *wal, fl_wal_ticket *ticket, fl_error *err);

/* Records before `sequence` are not needed again: files that hold nothing else are removed. */
FL_NODISCARD fl_status fl_wal_release(fl_wal *wal, uint64_t sequence, fl_error *err);
fl_wal_stats fl_wal_stats_of(fl_wal *wal);

#endif
