/*
 * archive.c - opening, and the commit of batches.
 *
 * A commit copies the batch, appends it to the log and to the head under one lock, so that both
 * have the same order and a head is a run of sequences without gaps; then it waits for the log
 * without the lock, and settles the entry: durable, or gone.
 *
 * Locks: the archive's is held for the append and for settling, never while the disk works; the
 * log's own is taken inside of it. Callbacks run without any.
 *
 * Invariants:
 *  (1) What was acknowledged is in the log or in a block that is durable: the log is released up to
 *      where the newest block ends, and not before.
 *  (2) A run of sequences is in the head, or in `sealing`, or in blocks; never in two of them for
 *      who holds the lock.
 *  (3) Memory: one head and one that is being sealed, each at most head_bytes or one batch; beyond,
 *      commits are refused.
 */
#include "archive.h"

#include <assert.h>
#include <string.h>

#include "archive_priv.h"
#include "hash.h"
#include "mem.h"

static const int64_t hour_ns = INT64_C(3600) * 1000000000;

enum {
    DEFAULT_HEAD_BYTES = 64 << 20,
    /* A series' labels are some 7 bytes in a block: a tenth as much for each of a dozen samples. */
    DEFAULT_MERGE_RUNS = 8,
    DEFAULT_BLOCK_BYTES = 96 << 20,
    /* Collectors retry for five minutes; at a thousand samples a batch and half a million a second
     * that is 150,000 batches. */
    DEFAULT_REPEAT_BATCHES = 256 << 10
};

/* 0 is never a useful value of any of them. */
static fl_archive_options with_defaults(const fl_archive_options *options)
{
    fl_archive_options out = *options;
    if (out.head_bytes == 0)
        out.head_bytes = DEFAULT_HEAD_BYTES;
    if (out.block_bytes == 0)
        out.block_bytes = DEFAULT_BLOCK_BYTES;
    if (out.head_age_ns == 0)
        out.head_age_ns = hour_ns;
    if (out.wal_bytes == 0)
        out.wal_bytes = UINT64_C(1) << 30;
    if (out.merge_runs == 0)
        out.merge_runs = DEFAULT_MERGE_RUNS;
    if (out.repeat_ns == 0)
        out.repeat_ns = hour_ns;
    if (out.repeat_batches == 0)
        out.repeat_batches = DEFAULT_REPEAT_BATCHES;
    return out;
}

/* --- opening --- */

/* A batch of the log, that is in no block. One that is not readable is counted, and stays out. */
static fl_status take_replayed(void *context, uint64_t sequence, unsigned char kind,
                               fl_slice payload, fl_error *err)
{
    fl_archive *archive = context;
    fl_head_entry *entry = NULL;
    fl_batch_reader *reader = NULL;
    fl_batch_facts facts;
    fl_sink sink = fl_batch_facts_sink(&facts);
    fl_error found = {0};
    (void)sequence;
    fl_batch_facts_clear(&facts);
    fl_status status = fl_batch_reader_create(&reader, err);
    if (status != FL_OK)
        return status;
    status = kind == ARCHIVE_WAL_BATCH ? fl_batch_read(reader, payload, &sink, &found)
                                       : FL_E_UNSUPPORTED;
    fl_batch_reader_destroy(reader);
    if (status == FL_E_NOMEM)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", found.message);
    if (status != FL_OK) {
        archive->stats.found.damaged_batches++;
        return FL_OK;
    }
    status = fl_head_reserve(archive->head, err);
    if (status == FL_OK)
        status = fl_head_entry_create(&entry, payload, &facts, err);
    if (status != FL_OK)
        return status;
    entry->is_durable = true;
    entry->hash = fl_hash_stable(payload);
    fl_head_add(archive->head, entry);
    archive->stats.found.batches++;
    archive->stats.found.records += fl_batch_facts_records(&facts);
    return fl_repeats_note(archive, entry->hash, REPEAT_DURABLE, err);
}

/* Blocks are known already: the log's batches that are in one are not replayed. */
static fl_status open_log(fl_archive *archive, fl_error *err)
{
    uint64_t from = fl_archive_sealed_until(archive);
    const fl_wal_options options = {.durability = archive->options.durability,
                                    .segment_bytes = archive->options.wal_segment_bytes,
                                    .max_bytes = archive->options.wal_bytes,
                                    .visit = take_replayed,
                                    .visit_context = archive,
                                    .from_sequence = from};
    fl_error ignored = {0};
    fl_status status = fl_head_create(&archive->head, from, err);
    if (status != FL_OK)
        return status;
    status = fl_wal_open(&archive->wal, &archive->stats.found.wal, archive->disk, &options, err);
    if (status == FL_OK) /* a crash came between a seal and this */
        (void)!fl_wal_release(archive->wal, from, &ignored);
    archive->head->opened_ns = archive->now_ns;
    return status;
}

/* Last, so that nothing is shared while it is made. */
static fl_status start_threads(fl_archive *archive, fl_error *err)
{
    if (archive->options.has_no_thread)
        return FL_OK;
    if (pthread_create(&archive->thread, NULL, fl_archive_seal_thread, archive) != 0)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "cannot start a thread");
    archive->has_thread = true;
    if (pthread_create(&archive->merge_thread, NULL, fl_archive_merge_thread, archive) != 0)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "cannot start a thread");
    archive->has_merge_thread = true;
    return FL_OK;
}

fl_status fl_archive_open(fl_archive **out, fl_archive_recovery *found, fl_disk *disk,
                          const fl_archive_options *options, int64_t now_ns, fl_error *err)
{
    assert(out != NULL && found != NULL && disk != NULL && options != NULL);
    *out = NULL;
    *found = (fl_archive_recovery){0};
    fl_archive *archive = fl_mem_calloc(1, sizeof(*archive));
    if (archive == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an archive");
    archive->disk = disk;
    archive->options = with_defaults(options);
    archive->now_ns = now_ns;
    pthread_mutex_init(&archive->lock, NULL);
    pthread_cond_init(&archive->changed, NULL);
    pthread_cond_init(&archive->work, NULL);
    fl_status status = fl_repeats_open(archive, err);
    if (status == FL_OK)
        status = fl_archive_load(archive, err);
    if (status == FL_OK)
        status = fl_repeats_load(archive, err);
    if (status == FL_OK)
        status = open_log(archive, err);
    if (status == FL_OK)
        status = start_threads(archive, err);
    *found = archive->stats.found;
    if (status == FL_OK)
        *out = archive;
    else
        fl_archive_close(archive);
    return status;
}

/* The threads end: after the seal, without the merge that they are in. */
void fl_archive_close(fl_archive *archive)
{
    if (archive == NULL)
        return;
    if (archive->has_thread) {
        pthread_mutex_lock(&archive->lock);
        archive->is_stopping = true;
        pthread_cond_broadcast(&archive->work);
        pthread_mutex_unlock(&archive->lock);
        pthread_join(archive->thread, NULL);
    }
    if (archive->has_merge_thread)
        pthread_join(archive->merge_thread, NULL);
    assert(!archive->is_sealing);
    fl_wal_close(archive->wal);
    fl_head_unref(archive->head);
    fl_head_unref(archive->sealing);
    for (size_t i = 0; i < archive->block_count; i++)
        fl_mem_free(archive->blocks[i]);
    for (size_t i = 0; i < archive->profile_count; i++)
        fl_mem_free(archive->profiles[i]);
    for (size_t i = 0; i < archive->replaced_count; i++)
        fl_mem_free(archive->replaced[i]);
    fl_mem_free(archive->blocks);
    fl_mem_free(archive->replaced);
    fl_mem_free(archive->profiles);
    fl_repeats_dispose(&archive->repeats);
    pthread_cond_destroy(&archive->work);
    pthread_cond_destroy(&archive->changed);
    pthread_mutex_destroy(&archive->lock);
    fl_mem_free(archive);
}

/* --- commit --- */

/* An empty head takes any batch, so that a large one is not refused for ever. */
static bool head_takes(const fl_archive *archive, size_t len)
{
    const fl_head *head = archive->head;
    return head->count == 0 ||
           head->bytes + fl_head_entry_bytes(len) <= archive->options.head_bytes;
}

bool fl_archive_is_full(fl_archive *archive, size_t bytes)
{
    assert(archive != NULL);
    pthread_mutex_lock(&archive->lock);
    bool is_full = archive->sealing != NULL && !head_takes(archive, bytes);
    pthread_mutex_unlock(&archive->lock);
    return is_full;
}

/* Invariant (3). */
static fl_status make_room(fl_archive *archive, size_t len, fl_error *err)
{
    const fl_head *head = archive->head;
    if (head_takes(archive, len))
        return FL_OK;
    if (archive->sealing != NULL)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "%zu bytes wait to be written as blocks; try again later",
                       head->bytes + archive->sealing->bytes);
    return fl_archive_rotate(archive, err);
}

static void count_refused(fl_archive *archive, uint64_t *reason, uint64_t records)
{
    ++*reason;
    archive->stats.refused_records += records;
}

/* Whose fault a failure of the log is: a disk's, or ours for want of memory. */
static uint64_t *reason_of(fl_archive *archive, fl_status status)
{
    return status == FL_E_LIMIT || status == FL_E_IO ? &archive->stats.refused_disk
                                                     : &archive->stats.refused_other;
}

/* Before anything is copied: when both heads are full, refusing must cost next to nothing. */
static fl_status check_room(fl_archive *archive, const fl_archive_batch *batch, fl_error *err)
{
    pthread_mutex_lock(&archive->lock);
    fl_status status = make_room(archive, fl_archive_batch_bytes(batch), err);
    if (status != FL_OK)
        count_refused(archive, &archive->stats.refused_memory, fl_archive_batch_records(batch));
    pthread_mutex_unlock(&archive->lock);
    return status;
}

/* Into the log and the head; the lock is held. Others may have taken the room meanwhile. */
static fl_status admit(fl_wal_ticket *ticket, fl_archive *archive, fl_head_entry *entry,
                       fl_error *err)
{
    uint64_t records = fl_batch_facts_records(&entry->facts);
    fl_status status = make_room(archive, entry->len, err);
    if (status != FL_OK) {
        count_refused(archive, &archive->stats.refused_memory, records);
        return status;
    }
    status = fl_head_reserve(archive->head, err);
    if (status == FL_OK)
        status = fl_wal_append(ticket, archive->wal, ARCHIVE_WAL_BATCH,
                               (fl_slice){entry->bytes, entry->len}, err);
    if (status != FL_OK) {
        count_refused(archive, reason_of(archive, status), records);
        return status;
    }
    if (archive->head->count == 0)
        archive->head->opened_ns = archive->now_ns;
    fl_head_add(archive->head, entry);
    archive->head->pending++;
    return FL_OK;
}

/* Appended, or known already; the entry is then the head's, or was not needed. */
static fl_status enter(bool *repeated, fl_wal_ticket *ticket, fl_head **head, fl_archive *archive,
                       fl_head_entry *entry, fl_error *err)
{
    uint64_t hash = fl_hash_stable((fl_slice){entry->bytes, entry->len});
    fl_error ignored = {0};
    fl_status status = FL_OK;
    pthread_mutex_lock(&archive->lock);
    *repeated = fl_repeats_await(archive, hash);
    if (*repeated) {
        archive->stats.repeated_batches++;
    } else {
        status = admit(ticket, archive, entry, err);
        if (status == FL_OK) /* not to be remembered costs a repeat, and no more */
            (void)!fl_repeats_note(archive, hash, REPEAT_PENDING, &ignored);
    }
    entry->hash = hash;
    *head = archive->head;
    pthread_mutex_unlock(&archive->lock);
    return status;
}

/* What the log has answered. */
static void settle(fl_archive *archive, fl_head *head, fl_head_entry *entry, fl_status status)
{
    pthread_mutex_lock(&archive->lock);
    assert(head->pending > 0);
    fl_repeats_settle(archive, entry->hash, status == FL_OK ? REPEAT_DURABLE : 0);
    if (status == FL_OK) {
        entry->is_durable = true;
        archive->stats.batches++;
        for (size_t i = 0; i < FL_ARCHIVE_KIND_COUNT; i++)
            archive->stats.records[i] += entry->facts.counts[i];
    } else {
        count_refused(archive, reason_of(archive, status), fl_batch_facts_records(&entry->facts));
        fl_head_remove(head, entry);
    }
    head->pending--;
    pthread_cond_broadcast(&archive->changed);
    pthread_mutex_unlock(&archive->lock);
}

/* The copy and the hash are made without the lock, so that it is held for an append only. */
fl_status fl_archive_commit(bool *repeated, fl_archive *archive, const fl_archive_batch *batch,
                            fl_error *err)
{
    fl_head *head = NULL;
    fl_head_entry *entry;
    fl_wal_ticket ticket = {0};
    assert(repeated != NULL && archive != NULL && batch != NULL);
    *repeated = false;
    if (fl_archive_batch_records(batch) == 0)
        return FL_OK;
    fl_status status = check_room(archive, batch, err);
    if (status == FL_OK)
        status = fl_head_entry_create(&entry, fl_batch_bytes(batch), fl_batch_facts_of(batch), err);
    if (status != FL_OK)
        return status;
    status = enter(repeated, &ticket, &head, archive, entry, err);
    if (status != FL_OK || *repeated) {
        fl_mem_free(entry);
        return status;
    }
    status = fl_wal_wait(archive->wal, &ticket, err);
    settle(archive, head, entry, status);
    return status;
}

/* --- the rest of the day --- */

/* One seal at a time: by the thread, or by who is here. The lock is held. */
static fl_status seal_now(fl_archive *archive, fl_error *err)
{
    while (archive->is_sealing)
        pthread_cond_wait(&archive->changed, &archive->lock);
    return archive->sealing != NULL ? fl_archive_seal(archive, err) : FL_OK;
}

/* A seal that failed is due again with each tick. */
void fl_archive_tick(fl_archive *archive, int64_t now_ns)
{
    fl_error ignored = {0};
    assert(archive != NULL);
    pthread_mutex_lock(&archive->lock);
    archive->now_ns = now_ns > archive->now_ns ? now_ns : archive->now_ns;
    if (archive->sealing == NULL && archive->head->count > 0 &&
        archive->now_ns - archive->head->opened_ns >= archive->options.head_age_ns)
        (void)!fl_archive_rotate(archive, &ignored);
    archive->is_due = archive->is_merge_due = true;
    pthread_cond_broadcast(&archive->work);
    if (archive->options.has_no_thread)
        (void)!seal_now(archive, &ignored);
    pthread_mutex_unlock(&archive->lock);
    if (archive->options.has_no_thread)
        fl_archive_merge(archive);
    fl_archive_remove_replaced(archive);
    fl_repeats_retain(archive);
    fl_archive_retain(archive);
}

/* The one that waits, and then the head: at most two. */
fl_status fl_archive_flush(fl_archive *archive, fl_error *err)
{
    assert(archive != NULL);
    pthread_mutex_lock(&archive->lock);
    fl_status status = seal_now(archive, err);
    if (status == FL_OK && archive->sealing == NULL && archive->head->count > 0)
        status = fl_archive_rotate(archive, err);
    if (status == FL_OK)
        status = seal_now(archive, err);
    pthread_mutex_unlock(&archive->lock);
    return status;
}

/* Of what lies in the archive now. The lock is held. */
static void add_kept(fl_archive_stats *out, const fl_archive *archive)
{
    int64_t oldest = INT64_MAX;
    for (size_t i = 0; i < archive->block_count; i++) {
        out->block_bytes += archive->blocks[i]->bytes;
        out->block_records += archive->blocks[i]->records;
        oldest = archive->blocks[i]->min_ns < oldest ? archive->blocks[i]->min_ns : oldest;
    }
    for (size_t i = 0; i < archive->head->count; i++)
        if (archive->head->entries[i] != NULL && archive->head->entries[i]->facts.min_ns < oldest)
            oldest = archive->head->entries[i]->facts.min_ns;
    out->oldest_ns = oldest != INT64_MAX ? oldest : 0;
    out->blocks = archive->block_count;
    out->profiles = archive->profile_count;
    out->profile_bytes = archive->profile_bytes;
    out->head_batches = archive->head->count;
    out->head_bytes = archive->head->bytes;
    out->sealing_bytes = archive->sealing != NULL ? archive->sealing->bytes : 0;
}

/* The log's figures have a lock of their own, and may be a moment older. */
fl_archive_stats fl_archive_stats_of(fl_archive *archive)
{
    assert(archive != NULL);
    fl_wal_stats wal = fl_wal_stats_of(archive->wal);
    pthread_mutex_lock(&archive->lock);
    fl_archive_stats stats = archive->stats;
    add_kept(&stats, archive);
    pthread_mutex_unlock(&archive->lock);
    stats.wal_bytes = wal.bytes;
    stats.wal_segments = wal.segments;
    stats.wal_groups = wal.groups;
    return stats;
}
