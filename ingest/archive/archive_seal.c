/*
 * archive_seal.c - a head becomes blocks, and old blocks go.
 *
 * A block is full at some size; then the next part of the same run begins with the record that did
 * not fit. The log is released after the last part has its name.
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
#include <string.h>

#include "archive_priv.h"
#include "block.h"
#include "mem.h"

/* A part's number has four digits in a name. */
enum { MAX_PARTS = 0xffff };

struct seal {
    fl_archive *archive;
    const fl_head *head;
    fl_block_writer *writer;
    const fl_sink *to;    /* the writer's */
    fl_batch_facts facts; /* of the part */
    fl_sealed *parts;     /* that are written */
    size_t part_count, part_cap;
    uint64_t dropped;
    int64_t now_ns;
};

/* Room in the list is made before anything is written. */
static fl_status add_part(fl_sealed **out, struct seal *seal, fl_error *err)
{
    if (seal->part_count == seal->part_cap) {
        size_t cap = seal->part_cap == 0 ? 4 : seal->part_cap * 2;
        fl_sealed *grown =
            cap <= MAX_PARTS ? fl_mem_realloc(seal->parts, cap, sizeof(*grown)) : NULL;
        if (grown == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the parts of a block");
        seal->parts = grown;
        seal->part_cap = cap;
    }
    *out = &seal->parts[seal->part_count];
    **out = (fl_sealed){.first_sequence = seal->head->first_sequence,
                        .next_sequence = seal->head->next_sequence,
                        .part = (unsigned)seal->part_count,
                        .min_ns = seal->facts.min_ns,
                        .max_ns = seal->facts.max_ns,
                        .sealed_ns = seal->now_ns,
                        .records = fl_batch_facts_records(&seal->facts)};
    return FL_OK;
}

/* What the writer holds becomes a file. */
static fl_status write_part(struct seal *seal, bool is_end, fl_error *err)
{
    fl_sealed *part = NULL;
    fl_buf bytes = fl_buf_of(SIZE_MAX / 4);
    fl_status status = add_part(&part, seal, err);
    if (status == FL_OK) {
        part->is_end = is_end;
        status = fl_block_finish(&bytes, seal->writer, err);
    }
    if (status == FL_OK)
        status = fl_sealed_write(part, seal->archive->disk, fl_buf_slice(&bytes), err);
    seal->part_count += status == FL_OK;
    fl_buf_dispose(&bytes);
    fl_batch_facts_clear(&seal->facts);
    return status;
}

/* After the writer's answer to a record: whether it has to be asked again, since it is empty now. A
 * record that an empty writer does not take is dropped: it would stop all that follow. */
static bool shall_retry(struct seal *seal, fl_status *status, fl_error *full, fl_error *err)
{
    if (*status == FL_OK)
        return false;
    if (*status == FL_E_LIMIT && fl_block_writer_records(seal->writer) > 0) {
        *status = write_part(seal, false, err);
        return *status == FL_OK;
    }
    if (*status == FL_E_LIMIT) {
        seal->dropped++;
        *status = FL_OK;
        return false;
    }
    *status = fl_fail(err, *status, full->offset, "%s", full->message);
    return false;
}

/* The writer says what a handle is in each part anew. */
static fl_status seal_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                               fl_error *err)
{
    struct seal *seal = payload;
    return seal->to->resource(seal->to->payload, resource, handle, err);
}

/* Each kind alike: put it, and once more into the next part. */
static fl_status seal_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    struct seal *seal = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = seal->to->span(seal->to->payload, resource, span, &full);
    } while (shall_retry(seal, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&seal->facts, FL_ARCHIVE_SPAN, span->start_ns);
    return status;
}

static fl_status seal_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    struct seal *seal = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = seal->to->log(seal->to->payload, resource, log, &full);
    } while (shall_retry(seal, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&seal->facts, FL_ARCHIVE_LOG, log->time_ns);
    return status;
}

/* Most of what there is, in most places. */
static fl_status seal_number(void *payload, uint32_t resource, fl_slice series,
                             const fl_number *number, fl_error *err)
{
    struct seal *seal = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = fl_block_writer_number(seal->writer, resource, series, number, &full);
    } while (shall_retry(seal, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&seal->facts, FL_ARCHIVE_POINT, number->time_ns);
    return status;
}

/* Histograms and summaries. */
static fl_status seal_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    struct seal *seal = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = seal->to->point(seal->to->payload, resource, point, &full);
    } while (shall_retry(seal, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&seal->facts, FL_ARCHIVE_POINT, point->time_ns);
    return status;
}

/* Changes and alerts are few, and alike. */
static fl_status seal_change(void *payload, const fl_change_record *change, fl_error *err)
{
    struct seal *seal = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = seal->to->change(seal->to->payload, change, &full);
    } while (shall_retry(seal, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&seal->facts, FL_ARCHIVE_CHANGE, change->time_ns);
    return status;
}

static fl_status seal_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    struct seal *seal = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = seal->to->alert(seal->to->payload, alert, &full);
    } while (shall_retry(seal, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&seal->facts, FL_ARCHIVE_ALERT, fl_batch_alert_time(alert));
    return status;
}

/* Batch after batch; entries that were refused left a gap. */
static fl_status write_head(struct seal *seal, fl_error *err)
{
    const fl_sink sink = {.payload = seal,
                          .resource = seal_resource,
                          .span = seal_span,
                          .log = seal_log,
                          .point = seal_point,
                          .change = seal_change,
                          .alert = seal_alert};
    const fl_batch_numbers numbers = {.payload = seal, .number = seal_number};
    fl_batch_reader *reader;
    fl_status status = fl_batch_reader_create(&reader, err);
    for (size_t i = 0; status == FL_OK && i < seal->head->count; i++) {
        const fl_head_entry *entry = seal->head->entries[i];
        if (entry == NULL)
            continue;
        assert(entry->is_durable);
        status =
            fl_batch_read_raw(reader, (fl_slice){entry->bytes, entry->len}, &sink, &numbers, err);
    }
    fl_batch_reader_destroy(reader);
    return status == FL_OK ? write_part(seal, true, err) : status;
}

/* Without the lock: nobody writes to a head that is being sealed. */
static fl_status seal_head(struct seal *seal, fl_error *err)
{
    fl_status status =
        fl_block_writer_create(&seal->writer, seal->archive->options.block_bytes, err);
    if (status != FL_OK)
        return status;
    seal->to = fl_block_writer_sink(seal->writer);
    fl_batch_facts_clear(&seal->facts);
    status = write_head(seal, err);
    fl_block_writer_destroy(seal->writer);
    return status;
}

/* Parts that a failed seal has written are written again under the same names; after a crash they
 * are removed. The lock is held. */
static fl_status publish(fl_archive *archive, const struct seal *seal, fl_error *err)
{
    fl_status status = FL_OK;
    size_t before = archive->block_count;
    for (size_t i = 0; status == FL_OK && i < seal->part_count; i++)
        status = fl_archive_add_block(archive, &seal->parts[i], err);
    if (status != FL_OK) { /* nobody has seen them: what was added stands last */
        while (archive->block_count > before)
            fl_mem_free(archive->blocks[--archive->block_count]);
        return status;
    }
    archive->stats.sealed_blocks += seal->part_count;
    archive->stats.unsealed_records += seal->dropped;
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
    struct seal seal = {.archive = archive, .head = archive->sealing, .now_ns = archive->now_ns};
    uint64_t until = seal.head->next_sequence;
    pthread_mutex_unlock(&archive->lock);
    fl_status status = seal_head(&seal, err);
    pthread_mutex_lock(&archive->lock);
    if (status == FL_OK)
        status = publish(archive, &seal, err);
    fl_mem_free(seal.parts);
    archive->stats.seal_failures += status != FL_OK;
    pthread_mutex_unlock(&archive->lock);
    fl_error ignored = {0}; /* what stays is released with the next head */
    if (status == FL_OK)
        (void)!fl_wal_release(archive->wal, until, &ignored);
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
    pthread_cond_signal(&archive->work);
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

/* The clocks of senders may be ahead: no record is newer than its block. */
static int64_t newest_of(const fl_sealed *block)
{
    return block->max_ns < block->sealed_ns ? block->max_ns : block->sealed_ns;
}

/* What retention by bytes counts: the log has a bound of its own. */
static uint64_t kept_bytes(const fl_archive *archive)
{
    uint64_t bytes = archive->profile_bytes;
    for (size_t i = 0; i < archive->block_count; i++)
        bytes += archive->blocks[i]->bytes;
    return bytes;
}

/* The last part of a run says that the others count, and goes after them. */
static bool holds_others(const fl_archive *archive, size_t i)
{
    return archive->blocks[i]->is_end && i > 0 &&
           archive->blocks[i - 1]->first_sequence == archive->blocks[i]->first_sequence;
}

/* The block that goes first; the newest stays, since it says from where the log counts. */
static fl_sealed *oldest_block(const fl_archive *archive)
{
    fl_sealed *oldest = NULL;
    for (size_t i = 0; i + 1 < archive->block_count; i++) {
        fl_sealed *block = archive->blocks[i];
        if (block->refs == 0 && !holds_others(archive, i) &&
            (oldest == NULL || newest_of(block) < newest_of(oldest)))
            oldest = block;
    }
    return oldest;
}

/* Out of the list; its file is removed without the lock. */
static void forget(fl_archive *archive, const fl_sealed *block)
{
    size_t at = 0;
    while (archive->blocks[at] != block)
        at++;
    archive->stats.dropped_blocks++;
    archive->stats.dropped_bytes += block->bytes;
    fl_mem_free(archive->blocks[at]);
    archive->block_count--;
    for (; at < archive->block_count; at++)
        archive->blocks[at] = archive->blocks[at + 1];
}

/* The oldest is the first. */
static void forget_profile(fl_archive *archive)
{
    archive->stats.dropped_profiles++;
    archive->stats.dropped_bytes += archive->profiles[0]->bytes;
    archive->profile_bytes -= archive->profiles[0]->bytes;
    fl_mem_free(archive->profiles[0]);
    archive->profile_count--;
    for (size_t i = 0; i < archive->profile_count; i++)
        archive->profiles[i] = archive->profiles[i + 1];
}

/* The name of the next file to go, which is then out of the lists; false: none. */
static bool take_oldest(char name[ARCHIVE_NAME_BYTES], fl_archive *archive)
{
    const fl_archive_options *options = &archive->options;
    fl_sealed *block = oldest_block(archive);
    const fl_kept_profile *profile = archive->profile_count > 0 ? archive->profiles[0] : NULL;
    bool is_profile = profile != NULL && (block == NULL || profile->time_ns < newest_of(block));
    if (block == NULL && profile == NULL)
        return false;
    int64_t newest = is_profile ? profile->time_ns : newest_of(block);
    bool is_old = options->keep_ns > 0 && newest < archive->now_ns - options->keep_ns;
    if (!is_old && (options->keep_bytes == 0 || kept_bytes(archive) <= options->keep_bytes))
        return false;
    if (is_profile) {
        memcpy(name, profile->name, ARCHIVE_NAME_BYTES);
        forget_profile(archive);
    } else {
        fl_sealed_name(name, block);
        forget(archive, block);
    }
    return true;
}

/* A file that cannot be removed, or comes back after a crash, goes with the next open. */
void fl_archive_retain(fl_archive *archive)
{
    char name[ARCHIVE_NAME_BYTES];
    bool goes_on = true;
    while (goes_on) {
        fl_error ignored = {0};
        pthread_mutex_lock(&archive->lock);
        goes_on = take_oldest(name, archive);
        pthread_mutex_unlock(&archive->lock);
        if (goes_on)
            (void)!fl_disk_remove(archive->disk, name, &ignored);
    }
}
