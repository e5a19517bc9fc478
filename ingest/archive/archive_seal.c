/*
 * archive_seal.c - a head becomes blocks.
 *
 * The log is released after the last part has its name (archive_parts.c).
 *
 * What a crash leaves, step by step: a temporary file, which the next open removes; parts without
 * the last one, which it removes too, since the log still has the run; all parts, and a log that
 * was not released, of which the open replays what is behind the newest block only.
 *
 * A failure (the disk is full) changes nothing: the head stays, the log keeps it, the next tick
 * tries again. Meanwhile commits fill the other head, and are refused when that is full, too.
 *
 * Cost: a seal decodes each batch once and writes each record into a block; commits go on beside
 * it.
 *
 * Invariant: one seal at a time (is_sealing); between the snapshot and the end of it nobody changes
 * `sealing` but to settle what is pending, which is waited for first.
 */
#include <assert.h>

#include "archive_priv.h"
#include "mem.h"

/* Batch after batch; entries that were refused left a gap. Nobody writes to a head that is being
 * sealed: no lock. */
static fl_status write_head(fl_parts *parts, const fl_head *head, fl_error *err)
{
    const fl_sink sink = fl_parts_sink(parts);
    const fl_numbers numbers = fl_parts_numbers(parts);
    fl_batch_reader *reader;
    fl_status status = fl_batch_reader_create(&reader, err);
    for (size_t i = 0; status == FL_OK && i < head->count; i++) {
        const fl_head_entry *entry = head->entries[i];
        if (entry == NULL)
            continue;
        assert(entry->is_durable);
        status =
            fl_batch_read_raw(reader, (fl_slice){entry->bytes, entry->len}, &sink, &numbers, err);
    }
    fl_batch_reader_destroy(reader);
    return status == FL_OK ? fl_parts_end(parts, err) : status;
}

/* Parts that a failed seal has written are written again under the same names; after a crash they
 * are removed. The lock is held. */
static fl_status publish(fl_archive *archive, const fl_parts *parts, fl_error *err)
{
    fl_status status = fl_archive_add_parts(archive, parts, err);
    if (status != FL_OK)
        return status;
    archive->stats.sealed_blocks += parts->count;
    archive->stats.unsealed_records += parts->dropped;
    fl_head_unref(archive->sealing);
    archive->sealing = NULL;
    return FL_OK;
}

/* What waits for the log is settled by its own threads, which need the lock: it is given up for the
 * wait. */
fl_status fl_archive_seal(fl_archive *archive, fl_error *err)
{
    assert(archive->sealing != NULL && !archive->is_sealing);
    archive->is_sealing = true;
    while (archive->sealing->pending > 0)
        pthread_cond_wait(&archive->changed, &archive->lock);
    const fl_head *head = archive->sealing;
    const fl_sealed run = {.first_sequence = head->first_sequence,
                           .next_sequence = head->next_sequence,
                           .sealed_ns = archive->now_ns};
    fl_parts parts;
    pthread_mutex_unlock(&archive->lock);
    fl_status status =
        fl_parts_open(&parts, archive->disk, &run, archive->options.block_bytes, err);
    if (status == FL_OK)
        status = fl_repeats_write(archive, head, run.sealed_ns, err);
    if (status == FL_OK)
        status = write_head(&parts, head, err);
    pthread_mutex_lock(&archive->lock);
    if (status == FL_OK)
        status = publish(archive, &parts, err);
    fl_parts_dispose(&parts);
    archive->stats.seal_failures += status != FL_OK;
    pthread_mutex_unlock(&archive->lock);
    fl_error ignored = {0}; /* what stays is released with the next head */
    if (status == FL_OK)
        (void)!fl_wal_release(archive->wal, run.next_sequence, &ignored);
    pthread_mutex_lock(&archive->lock);
    archive->is_sealing = false;
    pthread_cond_broadcast(&archive->changed);
    return status;
}

/* Sequences are given under the archive's lock: those below `next` are all in this head. */
fl_status fl_archive_rotate(fl_archive *archive, fl_error *err)
{
    fl_head *fresh;
    assert(archive->sealing == NULL && archive->head->count > 0);
    uint64_t next = fl_wal_stats_of(archive->wal).next_sequence;
    fl_status status = fl_head_create(&fresh, next, err);
    if (status != FL_OK)
        return status;
    archive->head->next_sequence = next;
    archive->sealing = archive->head;
    archive->head = fresh;
    archive->is_due = true;
    pthread_cond_broadcast(&archive->work);
    return FL_OK;
}

/* After a failure (a full disk) the next tick makes it due again. */
void *fl_archive_seal_thread(void *context)
{
    fl_archive *archive = context;
    pthread_mutex_lock(&archive->lock);
    while (!archive->is_stopping) {
        if (archive->sealing == NULL || archive->is_sealing || !archive->is_due) {
            pthread_cond_wait(&archive->work, &archive->lock);
            continue;
        }
        fl_error err = {0};
        archive->is_due = false;
        (void)!fl_archive_seal(archive, &err);
    }
    pthread_mutex_unlock(&archive->lock);
    return NULL;
}
