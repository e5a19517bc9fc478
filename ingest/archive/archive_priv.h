/*
 * archive_priv.h - what the parts of the archive share.
 *
 * Sequences are the log's. A head holds the batches of a run of sequences, a block says of which
 * run it is; the log is replayed from where the newest block ends.
 */
#ifndef FL_ARCHIVE_PRIV_H
#define FL_ARCHIVE_PRIV_H

#include <pthread.h>

#include "batch_priv.h"
#include "map.h"

enum { ARCHIVE_NAME_BYTES = 256, ARCHIVE_WAL_BATCH = 1 };

/* One batch in memory. Never changes once it is durable. */
typedef struct fl_head_entry {
    fl_batch_facts facts;
    uint64_t hash; /* of the bytes: by which a repeat is known */
    size_t index;  /* in its head */
    size_t len;
    bool is_durable;
    unsigned char bytes[];
} fl_head_entry;

typedef struct fl_head {
    fl_head_entry **entries; /* NULL: was refused */
    size_t count, cap;
    size_t bytes;                           /* of memory */
    size_t pending;                         /* entries that the log has not answered for */
    size_t refs;                            /* the archive's, and one for each reader */
    uint64_t first_sequence, next_sequence; /* next: once it is being sealed */
    int64_t opened_ns;                      /* when its first batch came */
} fl_head;

/* A sealed file. */
typedef struct fl_sealed {
    uint64_t first_sequence, next_sequence;
    unsigned part; /* of the files of this run of sequences */
    bool is_end;   /* the last of them: without it the others do not count */
    int64_t min_ns, max_ns, sealed_ns;
    uint64_t records, bytes;
    size_t refs;        /* one for each reader, and one while it is being merged */
    bool is_merged;     /* made of the files of several heads */
    bool is_kept_apart; /* could not be merged: not read, or too much with others */
    bool is_emptied;    /* while it is written anew without its records */
    bool is_damaged;    /* while an archive is opened */
    bool is_stray;      /* was not made durable, and could not be removed */
} fl_sealed;

typedef struct fl_kept_profile {
    char name[ARCHIVE_NAME_BYTES];
    int64_t time_ns;
    uint64_t bytes;
} fl_kept_profile;

/* A file of the hashes of batches that were sealed. */
typedef struct fl_sealed_hashes {
    uint64_t first_sequence, next_sequence;
    int64_t sealed_ns;
} fl_sealed_hashes;

/* Hashes of batches, in two generations: the older one goes when the newer is full or old. */
typedef struct fl_repeats {
    fl_map *newer, *older;
    int64_t begun_ns;
    fl_sealed_hashes *files; /* by sequence */
    size_t file_count, file_cap;
} fl_repeats;

struct fl_archive {
    fl_disk *disk;
    fl_archive_options options;
    fl_wal *wal;
    pthread_mutex_t lock;   /* of all below; taken before the log's */
    pthread_cond_t changed; /* an entry was settled, a seal ended */
    pthread_cond_t work;    /* for the thread */
    pthread_t thread;
    bool has_thread, is_stopping, is_sealing, is_due;
    pthread_t merge_thread;
    bool has_merge_thread, is_merge_due;
    int64_t merge_after_ns;  /* a failed merge is tried again then */
    fl_head *head, *sealing; /* sealing: NULL where there is none */
    fl_sealed **blocks;      /* by sequence */
    size_t block_count, block_cap;
    fl_sealed **replaced; /* by a merge: their files go when nobody reads them */
    size_t replaced_count;
    fl_kept_profile **profiles; /* by time */
    size_t profile_count, profile_cap;
    uint64_t profile_bytes, next_temporary;
    fl_repeats repeats;
    int64_t now_ns;
    fl_archive_stats stats;
};

/* --- heads --- */

FL_NODISCARD fl_status fl_head_create(fl_head **out, uint64_t first_sequence, fl_error *err);
void fl_head_unref(fl_head *head); /* the archive's lock is held, or nobody else is there */
/* A copy; owned by the caller until it is added. */
FL_NODISCARD fl_status fl_head_entry_create(fl_head_entry **out, fl_slice bytes,
                                            const fl_batch_facts *facts, fl_error *err);
/* Room for one more, so that fl_head_add() cannot fail. */
FL_NODISCARD fl_status fl_head_reserve(fl_head *head, fl_error *err);
void fl_head_add(fl_head *head, fl_head_entry *entry);
void fl_head_remove(fl_head *head, fl_head_entry *entry); /* frees it */
size_t fl_head_entry_bytes(size_t len);

/* --- sealed blocks --- */

/* `digits` hexadecimal ones, in lower case, and what stands behind them; '\0': nothing is asked. */
bool fl_sealed_hex_read(uint64_t *out, const char **at, size_t digits, char end);
/* Bytes become a file, durable under its name, by way of `temporary`. *is_stray is set where it has
 * its name, that is not durable, and it could not be removed; else it stays as it is. */
FL_NODISCARD fl_status fl_sealed_write_file(bool *is_stray, fl_disk *disk, const char *name,
                                            const char *temporary, const fl_slice parts[2],
                                            fl_error *err);
void fl_sealed_name(char out[ARCHIVE_NAME_BYTES], const fl_sealed *block);
/* Whether the name is a block's; its sequences, part and end. */
bool fl_sealed_name_read(fl_sealed *out, const char *name);
/* Write one file of a run, durable under its name; out->bytes is set. */
FL_NODISCARD fl_status fl_sealed_write(fl_sealed *out, fl_disk *disk, fl_slice block,
                                       fl_error *err);
/* What its head says. FL_E_SYNTAX, FL_E_TRUNCATED, FL_E_UNSUPPORTED: not readable. */
FL_NODISCARD fl_status fl_sealed_load(fl_sealed *block, fl_disk *disk, fl_error *err);
FL_NODISCARD fl_status fl_sealed_read(const fl_sealed *block, fl_disk *disk, const fl_sink *sink,
                                      fl_error *err);
/* fl_block_read_share() of the file. */
FL_NODISCARD fl_status fl_sealed_read_share(const fl_sealed *block, fl_disk *disk,
                                            fl_block_share *share, const fl_sink *sink,
                                            const fl_numbers *numbers, fl_error *err);
bool fl_sealed_is_same_run(const fl_sealed *a, const fl_sealed *b);
/* The archive's list; the lock is held. */
FL_NODISCARD fl_status fl_archive_add_block(fl_archive *archive, const fl_sealed *block,
                                            fl_error *err);
/* Out of the list, not off the disk; the lock is held. */
void fl_archive_forget_block(fl_archive *archive, size_t i);

/* The files of an earlier process: what is not whole is removed, the rest listed. */
FL_NODISCARD fl_status fl_archive_load(fl_archive *archive, fl_error *err);
/* Where the newest block ends. */
uint64_t fl_archive_sealed_until(const fl_archive *archive);

/* --- parts: the files of one run --- */

typedef struct fl_parts {
    fl_disk *disk;
    fl_sealed run; /* what all of them have in common */
    fl_block_writer *writer;
    const fl_sink *to;    /* the writer's */
    fl_batch_facts facts; /* of what the writer holds */
    fl_buf waiting;       /* the bytes of items[count], until it is known whether it is the last */
    bool has_waiting;
    fl_sealed *items;
    size_t count, cap; /* that are written */
    uint64_t dropped;  /* records that no part takes */
    bool is_one;       /* refuse with FL_E_LIMIT what does not fit, in place of a next part */
    bool is_full;      /* something was refused */
    bool has_failed;   /* the failure is of a part, not of who told the records */
    bool has_stray;
} fl_parts;

/* `run` is copied; to be disposed of also where it fails. */
FL_NODISCARD fl_status fl_parts_open(fl_parts *out, fl_disk *disk, const fl_sealed *run,
                                     size_t block_bytes, fl_error *err);
void fl_parts_dispose(fl_parts *parts);
fl_sink fl_parts_sink(fl_parts *parts);
fl_numbers fl_parts_numbers(fl_parts *parts);
/* What the writer holds is a part. */
FL_NODISCARD fl_status fl_parts_next(fl_parts *parts, fl_error *err);
/* And the last one: all of them are durable under their names. */
FL_NODISCARD fl_status fl_parts_end(fl_parts *parts, fl_error *err);
void fl_parts_forget(fl_parts *parts); /* what the writer holds */
/* The files that were written; false: one of them stays. */
bool fl_parts_remove(fl_parts *parts);
/* All of them into the archive's list, or none; the lock is held. */
FL_NODISCARD fl_status fl_archive_add_parts(fl_archive *archive, const fl_parts *parts,
                                            fl_error *err);

/* --- merging --- */

/* Merge one window of small runs, where there is one. The lock is not held; one thread. */
void fl_archive_merge(fl_archive *archive);
/* The thread; its argument is the archive. */
void *fl_archive_merge_thread(void *archive);
/* Remove the files that a merge has replaced and nobody reads. The lock is not held. */
void fl_archive_remove_replaced(fl_archive *archive);

/* --- sealing --- */

/* Begin to fill a new head, the present one is to be sealed; false: one is being sealed already, or
 * *status is not FL_OK. The lock is held. */
FL_NODISCARD fl_status fl_archive_rotate(fl_archive *archive, fl_error *err);
/* Write `sealing` as blocks. The lock is held on entry and on return, not in between. */
FL_NODISCARD fl_status fl_archive_seal(fl_archive *archive, fl_error *err);
/* The thread; its argument is the archive. */
void *fl_archive_seal_thread(void *archive);
/* Drop what is too old or too much. The lock is not held. */
void fl_archive_retain(fl_archive *archive);

/* --- repeats; the lock is held but where another is said --- */

enum { REPEAT_PENDING = 1, REPEAT_DURABLE = 2 };

FL_NODISCARD fl_status fl_repeats_open(fl_archive *archive, fl_error *err);
void fl_repeats_dispose(fl_repeats *repeats);
/* A pending hash may be forgotten here, when a generation is full of them: then its repeat is a
 * second batch, as after a long time. */
FL_NODISCARD fl_status fl_repeats_note(fl_archive *archive, uint64_t hash, uint64_t state,
                                       fl_error *err);
/* What the log has answered; 0: refused, and forgotten, since its sender will repeat it. */
void fl_repeats_settle(fl_archive *archive, uint64_t hash, uint64_t state);
/* Whether the batch is there; waits while that is not known. */
bool fl_repeats_await(fl_archive *archive, uint64_t hash);

/* Whether the name is that of a file of hashes. */
bool fl_sealed_hashes_name_read(fl_sealed_hashes *out, const char *name);
/* While the folder is listed. */
FL_NODISCARD fl_status fl_repeats_add_file(fl_archive *archive, const fl_sealed_hashes *file,
                                           fl_error *err);
/* The hashes of blocks that are not old, once the blocks are known. */
FL_NODISCARD fl_status fl_repeats_load(fl_archive *archive, fl_error *err);
/* The hashes of a head are durable, before its blocks are. The lock is not held. */
FL_NODISCARD fl_status fl_repeats_write(fl_archive *archive, const fl_head *head, int64_t sealed_ns,
                                        fl_error *err);
/* Remove the files that are old. The lock is not held. */
void fl_repeats_retain(fl_archive *archive);

/* --- profiles --- */

bool fl_profile_name_read(int64_t *time_ns, const char *name);
FL_NODISCARD fl_status fl_archive_add_profile(fl_archive *archive, const fl_kept_profile *profile,
                                              fl_error *err);

#endif
