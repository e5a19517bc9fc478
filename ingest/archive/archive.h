/*
 * archive.h - what was accepted survives: batches of records in a write-ahead log, then in sealed
 * blocks, read back by time.
 *
 * A batch is one request's records. It is durable when the commit says so; after a crash it is
 * there once, neither lost nor twice. What came last lies in memory (the head) and in the log; a
 * head that is large or old is written as blocks, and the log is then released.
 * docs/formats/archive.md has the bytes, docs/adr/ why they are so.
 *
 * There is no clock inside: whoever owns the archive calls fl_archive_tick() about once a second.
 */
#ifndef FL_ARCHIVE_H
#define FL_ARCHIVE_H

#include <stdbool.h>

#include "faultline/record.h"
#include "wal.h"

typedef struct fl_archive fl_archive;             /* any thread */
typedef struct fl_archive_batch fl_archive_batch; /* one request's records; one thread; reused */

typedef enum fl_archive_kind {
    FL_ARCHIVE_SPAN,
    FL_ARCHIVE_LOG,
    FL_ARCHIVE_POINT,
    FL_ARCHIVE_CHANGE,
    FL_ARCHIVE_ALERT,
    FL_ARCHIVE_KIND_COUNT
} fl_archive_kind;

/* "span", "log", "point", "change", "alert": for statistics. */
const char *fl_archive_kind_name(fl_archive_kind kind);

/* --- a batch --- */

enum { FL_ARCHIVE_REASONS = 3, FL_ARCHIVE_REASON_BYTES = 192 };

/* The caller owns *out. */
FL_NODISCARD fl_status fl_archive_batch_create(fl_archive_batch **out, fl_error *err);
void fl_archive_batch_destroy(fl_archive_batch *batch); /* NULL is a no-op */
/* Empty, for the next request; the memory is kept, but of a burst. */
void fl_archive_batch_clear(fl_archive_batch *batch);
/* Borrowed; takes all kinds of records. Rejects are counted, and the first ones' reasons kept.
 * FL_E_LIMIT: the batch is larger than a record of the log may be; FL_E_NOMEM. */
const fl_sink *fl_archive_batch_sink(fl_archive_batch *batch);
/* Push the records to `sink`, in the order in which they came. Rejects are not told again. */
FL_NODISCARD fl_status fl_archive_batch_replay(const fl_archive_batch *batch, const fl_sink *sink,
                                               fl_error *err);
/* The same without points of one number that tell of no requests (base/contract/request_metrics.h):
 * they are *passed over, which costs a tenth. */
FL_NODISCARD fl_status fl_archive_batch_replay_requests(uint64_t *passed,
                                                        const fl_archive_batch *batch,
                                                        const fl_sink *sink, fl_error *err);
uint64_t fl_archive_batch_records(const fl_archive_batch *batch); /* of all kinds */
/* How many points may tell of requests, by their names. */
uint64_t fl_archive_batch_requests(const fl_archive_batch *batch);
uint64_t fl_archive_batch_count(const fl_archive_batch *batch, fl_archive_kind kind);
size_t fl_archive_batch_bytes(const fl_archive_batch *batch); /* as they are kept in the log */
/* How many records the decoder rejected. */
uint64_t fl_archive_batch_rejected(const fl_archive_batch *batch);
/* Why the i-th reject was one; NULL beyond those that are kept. */
const char *fl_archive_batch_reason(const fl_archive_batch *batch, size_t i);

/* --- the archive --- */

/* Of all members 0 means the default in brackets. */
typedef struct fl_archive_options {
    fl_durability durability;
    size_t head_bytes;   /* [64 MiB] a head of this size is sealed; twice as much may lie in
                            memory: one that is filled and one that is being sealed */
    size_t block_bytes;  /* [96 MiB] of a block in memory, before it is compressed; a head that
                            needs more becomes several */
    int64_t head_age_ns; /* [1 h] a head is sealed when its first batch is this old */
    uint64_t wal_bytes;  /* [1 GiB] of the log; beyond, commits are refused */
    uint64_t wal_segment_bytes; /* [64 MiB] */
    int64_t keep_ns;       /* [without end] blocks and profiles whose newest record is older go */
    uint64_t keep_bytes;   /* [without end] of blocks and profiles, the oldest go first */
    size_t merge_runs;     /* [8] so many sealed heads become one run of blocks; 1: none do */
    int64_t repeat_ns;     /* [1 h] how long a batch is remembered, to know it again */
    size_t repeat_batches; /* [262,144] how many are at least */
    bool has_no_thread;    /* sealing is done in fl_archive_tick() alone: for tests */
} fl_archive_options;

/* What an open found. */
typedef struct fl_archive_recovery {
    fl_wal_recovery wal;
    uint64_t batches, records; /* of the log, that are in no block yet */
    uint64_t blocks, block_bytes;
    uint64_t profiles, profile_bytes;
    uint64_t
        unfinished_files;   /* that a process was writing when it ended; removed, the log has it */
    uint64_t damaged_files; /* blocks beyond reading: they stay, and are left out */
    uint64_t damaged_batches; /* whole in the log, and yet not readable */
} fl_archive_recovery;

/*
 * The archive in the folder `disk`, which is borrowed until the close, and nobody else's. `now_ns`:
 * as for fl_archive_tick(). The caller owns *out; nobody may be inside when it is closed. Closing
 * seals nothing: what is in the log is there at the next open.
 */
FL_NODISCARD fl_status fl_archive_open(fl_archive **out, fl_archive_recovery *found, fl_disk *disk,
                                       const fl_archive_options *options, int64_t now_ns,
                                       fl_error *err);
void fl_archive_close(fl_archive *archive); /* NULL is a no-op */

/*
 * Durable when FL_OK; *repeated: the same batch was committed before (recently) and nothing was
 * added. FL_E_LIMIT: disk or memory full, try later; FL_E_IO, FL_E_NOMEM. Blocks until the log is
 * synced, which all that wait share. An empty batch is durable already. The batch is not changed.
 */
FL_NODISCARD fl_status fl_archive_commit(bool *repeated, fl_archive *archive,
                                         const fl_archive_batch *batch, fl_error *err);

/* Whether a batch of about so many bytes would be refused now for want of memory: to be asked
 * before the work of decoding it. */
bool fl_archive_is_full(fl_archive *archive, size_t bytes);

/*
 * Push all records of [from_ns, to_ns), out of sealed blocks and the head, in no order of time. The
 * time of a record: a span's start, an alert's start or, where it is resolved, its end. Each
 * resource is announced before its records, maybe more than once. A block that is damaged is left
 * out and counted. Commits go on meanwhile; what they add may be told or not. What the sink returns
 * ends it; FL_E_NOMEM.
 */
FL_NODISCARD fl_status fl_archive_read(fl_archive *archive, int64_t from_ns, int64_t to_ns,
                                       const fl_sink *sink, fl_error *err);
/* What was accepted last, whatever its own time: all that is in no block yet, and whole blocks that
 * have something of `since_ns` or later. */
FL_NODISCARD fl_status fl_archive_read_recent(fl_archive *archive, int64_t since_ns,
                                              const fl_sink *sink, fl_error *err);

/* The time now: seals a head that is old, and drops what is older than it shall be. Failures are
 * counted, and tried again at the next tick. `now_ns` does not go back. */
void fl_archive_tick(fl_archive *archive, int64_t now_ns);
/* Seal all that was committed: before a planned end, which makes the next open quick. */
FL_NODISCARD fl_status fl_archive_flush(fl_archive *archive, fl_error *err);

/* --- profiles: kept as they came --- */

/* Whose profile it is; service and type are not empty. Together they have at most
 * FL_ARCHIVE_WHO_BYTES, where bytes other than letters, digits, '.', '_' and '-' count three times:
 * they become a file's name. */
enum { FL_ARCHIVE_WHO_BYTES = 200 };
typedef struct fl_archive_profile {
    fl_slice service, instance;
    fl_slice type; /* "heap", "goroutine" ... */
    int64_t time_ns;
} fl_archive_profile;

/* Durable when FL_OK. The same owner, type and time: replaced. FL_E_LIMIT: disk full. FL_E_SYNTAX:
 * a text is missing, or they are too long. */
FL_NODISCARD fl_status fl_archive_put_profile(fl_archive *archive, const fl_archive_profile *who,
                                              fl_slice bytes, fl_error *err);

/* `name` is that of a file in the archive's folder, whose bytes are the profile. Anything but FL_OK
 * ends the listing and is returned by it. The archive may not be called from within. */
typedef fl_status fl_archive_profile_visit(void *payload, const fl_archive_profile *who,
                                           const char *name, uint64_t size_bytes, fl_error *err);

/* Those of [from_ns, to_ns), by time. */
FL_NODISCARD fl_status fl_archive_profiles(fl_archive *archive, int64_t from_ns, int64_t to_ns,
                                           fl_archive_profile_visit *visit, void *payload,
                                           fl_error *err);

/* --- figures --- */

typedef struct fl_archive_stats {
    /* Since the open. */
    uint64_t batches, repeated_batches;
    uint64_t records[FL_ARCHIVE_KIND_COUNT];
    uint64_t refused_memory, refused_disk, refused_other; /* batches */
    uint64_t refused_records;
    uint64_t unsealed_records; /* too large for any block, and left out: 0 in practice */
    uint64_t sealed_blocks, seal_failures;
    uint64_t merged_blocks, merge_failures; /* files that became part of a merged run */
    uint64_t dropped_blocks, dropped_profiles, dropped_bytes; /* by retention */
    uint64_t read_failures;                                   /* blocks that could not be read */
    /* Now. */
    uint64_t head_batches, head_bytes, sealing_bytes;
    uint64_t wal_bytes, wal_segments, wal_groups;
    uint64_t merging_blocks;
    uint64_t blocks, block_bytes, block_records;
    uint64_t profiles, profile_bytes;
    int64_t oldest_ns; /* of blocks and heads; 0: there is none */
    fl_archive_recovery found;
} fl_archive_stats;

/* As of now; from any thread. */
fl_archive_stats fl_archive_stats_of(fl_archive *archive);

#endif
