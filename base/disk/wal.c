/*
 * wal.c - appending, and the commit of a group by whoever waits for it first.
 *
 * Invariants:
 *  (1) A record is acknowledged only after the sync of its group has succeeded.
 *  (2) Sequences are given once: a refused group leaves a gap, and the segment that is begun after
 *      it says in its header up to where the earlier ones count, so that what was refused is not
 *      replayed, however much of it reached the disk.
 *  (3) A segment is not written to after a failure, nor by another process than its maker.
 *  (4) `pending` is the group that appends go to; the one that is being written is nobody's but
 *      the committer's and the tickets'.
 *
 * Cost: an append copies the record; a group is one write and one sync.
 */
#include "wal.h"

#include <assert.h>
#include <string.h>

#include "mem.h"
#include "wal_priv.h"

enum { DEFAULT_BYTES = 64 << 20, KEPT_GROUP_BYTES = 4 << 20 };

static void destroy_group(struct fl_wal_group *group)
{
    fl_mem_free(group->bytes);
    fl_mem_free(group);
}

/* An empty group, with the buffer of an earlier one where there is one. */
static struct fl_wal_group *take_group(fl_wal *wal)
{
    struct fl_wal_group *group = wal->spare;
    if (group == NULL)
        return fl_mem_calloc(1, sizeof(*group));
    wal->spare = group->next_spare;
    *group = (struct fl_wal_group){.bytes = group->bytes, .cap = group->cap};
    return group;
}

/* After its last ticket. A burst's large buffer is not kept for quiet times. */
static void recycle_group(fl_wal *wal, struct fl_wal_group *group)
{
    assert(group->is_done && group->tickets == 0);
    if (group->cap > KEPT_GROUP_BYTES) {
        destroy_group(group);
        return;
    }
    group->next_spare = wal->spare;
    wal->spare = group;
}

fl_status fl_wal_open(fl_wal **out, fl_wal_recovery *found, fl_disk *disk,
                      const fl_wal_options *options, fl_error *err)
{
    assert(out != NULL && found != NULL && disk != NULL && options != NULL);
    *out = NULL;
    *found = (fl_wal_recovery){0};
    fl_wal *wal = fl_mem_calloc(1, sizeof(*wal));
    if (wal == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the write-ahead log");
    wal->disk = disk;
    wal->options = *options;
    if (wal->options.segment_bytes == 0)
        wal->options.segment_bytes = DEFAULT_BYTES;
    if (wal->options.pending_bytes == 0)
        wal->options.pending_bytes = DEFAULT_BYTES;
    pthread_mutex_init(&wal->lock, NULL);
    pthread_cond_init(&wal->changed, NULL);
    fl_status status = fl_wal_recover(wal, found, err);
    if (status == FL_OK)
        *out = wal;
    else
        fl_wal_close(wal);
    return status;
}

void fl_wal_close(fl_wal *wal)
{
    if (wal == NULL)
        return;
    assert(!wal->is_committing);
    fl_disk_close_file(wal->file);
    if (wal->pending != NULL)
        destroy_group(wal->pending);
    while (wal->spare != NULL) {
        struct fl_wal_group *group = wal->spare;
        wal->spare = group->next_spare;
        destroy_group(group);
    }
    pthread_cond_destroy(&wal->changed);
    pthread_mutex_destroy(&wal->lock);
    fl_mem_free(wal->segments);
    fl_mem_free(wal);
}

fl_status fl_wal_add_segment(fl_wal *wal, const fl_wal_segment *segment, fl_error *err)
{
    fl_wal_segment *grown = fl_mem_realloc(wal->segments, wal->segment_count + 1, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the write-ahead log");
    wal->segments = grown;
    grown[wal->segment_count++] = *segment;
    wal->segment_bytes_total += segment->bytes;
    return FL_OK;
}

/* Room for `more` bytes in the group. */
static bool grow_group(struct fl_wal_group *group, size_t more)
{
    size_t wanted = group->len + more, cap = group->cap;
    if (wanted <= cap)
        return true;
    while (cap < wanted)
        cap = cap < 4096 ? 4096 : cap * 2;
    unsigned char *grown = fl_mem_realloc(group->bytes, cap, 1);
    if (grown == NULL)
        return false;
    group->bytes = grown;
    group->cap = cap;
    return true;
}

/* Backpressure: an empty group takes any record, so that a large one is not refused for ever. */
static fl_status check_room(const fl_wal *wal, size_t len, fl_error *err)
{
    size_t pending = wal->pending != NULL ? wal->pending->len : 0;
    if (pending > 0 && pending + len > wal->options.pending_bytes)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "the disk is %zu bytes behind; try again later", pending);
    if (wal->options.max_bytes > 0 &&
        wal->segment_bytes_total + pending + len > wal->options.max_bytes)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "the write-ahead log has reached its %llu bytes; try again later",
                       (unsigned long long)wal->options.max_bytes);
    return FL_OK;
}

/* The sequence is given here, so that the order of the log is the order of the appends. */
static fl_status append_locked(fl_wal_ticket *out, fl_wal *wal, unsigned char kind,
                               fl_slice payload, fl_error *err)
{
    size_t len = WAL_FRAME_BYTES + payload.len;
    fl_status status = check_room(wal, len, err);
    if (status != FL_OK)
        return status;
    if (wal->pending == NULL && (wal->pending = take_group(wal)) != NULL)
        wal->pending->first = wal->next_sequence;
    struct fl_wal_group *group = wal->pending;
    if (group == NULL || !grow_group(group, len))
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a record of %zu bytes",
                       payload.len);
    assert(group->first + group->count == wal->next_sequence);
    fl_wal_frame_write(group->bytes + group->len, wal->next_sequence, kind, payload);
    if (payload.len > 0)
        memcpy(group->bytes + group->len + WAL_FRAME_BYTES, payload.ptr, payload.len);
    group->len += len;
    group->count++;
    group->tickets++;
    *out = (fl_wal_ticket){.group = group, .sequence = wal->next_sequence++};
    return FL_OK;
}

fl_status fl_wal_append(fl_wal_ticket *out, fl_wal *wal, unsigned char kind, fl_slice payload,
                        fl_error *err)
{
    assert(out != NULL && wal != NULL);
    *out = (fl_wal_ticket){0};
    if (payload.len > FL_MAX_WAL_RECORD_BYTES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a record of %zu bytes is above the %u",
                       payload.len, FL_MAX_WAL_RECORD_BYTES);
    pthread_mutex_lock(&wal->lock);
    fl_status status = append_locked(out, wal, kind, payload, err);
    pthread_mutex_unlock(&wal->lock);
    return status;
}

/* The file stays as it is: its header's successor says how far it counts. */
static void abandon_file(fl_wal *wal)
{
    fl_disk_close_file(wal->file);
    wal->file = NULL;
    wal->offset = 0;
}

/* What was reserved and not used goes back; where that fails, zeros stay behind. */
static void finish_file(fl_wal *wal)
{
    fl_error ignored = {0};
    if (wal->file != NULL)
        (void)!fl_disk_truncate(wal->file, wal->offset, &ignored);
    abandon_file(wal);
}

/* Durable, name and all, before a record may rely on it. */
static fl_status write_header(fl_wal *wal, const fl_wal_segment *segment, uint64_t reserve_bytes,
                              fl_error *err)
{
    unsigned char header[WAL_HEADER_BYTES];
    fl_wal_header_write(header, segment);
    fl_status status = fl_disk_reserve(wal->file, reserve_bytes, err);
    if (status == FL_OK)
        status = fl_disk_write(wal->file, (fl_slice){header, sizeof(header)}, 0, err);
    if (status == FL_OK)
        status = fl_disk_sync(wal->file, err);
    return status == FL_OK ? fl_disk_sync_names(wal->disk, err) : status;
}

/* A file for `group` and what comes behind it. */
static fl_status begin_segment(fl_wal *wal, const struct fl_wal_group *group, fl_error *err)
{
    char name[WAL_NAME_BYTES];
    fl_wal_segment segment = {
        .first = group->first, .valid_before = wal->acknowledged, .bytes = WAL_HEADER_BYTES};
    uint64_t needed = WAL_HEADER_BYTES + (uint64_t)group->len;
    uint64_t reserve = needed > wal->options.segment_bytes ? needed : wal->options.segment_bytes;
    finish_file(wal);
    fl_wal_name(name, segment.first);
    fl_status status = fl_disk_open_file(&wal->file, wal->disk, name, true, err);
    if (status != FL_OK)
        return status;
    status = write_header(wal, &segment, reserve, err);
    if (status == FL_OK) {
        pthread_mutex_lock(&wal->lock);
        status = fl_wal_add_segment(wal, &segment, err);
        pthread_mutex_unlock(&wal->lock);
    }
    wal->offset = WAL_HEADER_BYTES;
    if (status == FL_OK)
        return FL_OK;
    fl_error ignored = {0};
    abandon_file(wal);
    (void)!fl_disk_remove(wal->disk, name, &ignored);
    return status;
}

/* One write, one sync. The committer runs this without the lock. */
static fl_status write_group(fl_wal *wal, const struct fl_wal_group *group, fl_error *err)
{
    fl_status status = FL_OK;
    if (wal->file == NULL || wal->offset + group->len > wal->options.segment_bytes)
        status = begin_segment(wal, group, err);
    if (status != FL_OK)
        return status;
    status = fl_disk_write(wal->file, (fl_slice){group->bytes, group->len}, wal->offset, err);
    if (status == FL_OK && wal->options.durability == FL_DURABILITY_BATCH)
        status = fl_disk_sync(wal->file, err);
    if (status != FL_OK) {
        abandon_file(wal);
        return status;
    }
    wal->offset += group->len;
    return FL_OK;
}

/* The lock is held on entry and on return, not while the disk works. */
static void commit_pending(fl_wal *wal)
{
    struct fl_wal_group *group = wal->pending;
    fl_error result = {0};
    assert(group != NULL && group->count > 0 && !wal->is_committing);
    wal->pending = NULL;
    wal->is_committing = true;
    pthread_mutex_unlock(&wal->lock);
    fl_status status = write_group(wal, group, &result);
    pthread_mutex_lock(&wal->lock);
    assert(result.status == status);
    if (status == FL_OK) {
        wal->acknowledged = group->first + group->count;
        wal->segments[wal->segment_count - 1].bytes += group->len;
        wal->segment_bytes_total += group->len;
        wal->groups++;
    }
    group->result = result;
    group->is_done = true;
    wal->is_committing = false;
    pthread_cond_broadcast(&wal->changed);
}

fl_status fl_wal_wait(fl_wal *wal, fl_wal_ticket *ticket, fl_error *err)
{
    struct fl_wal_group *group = ticket->group;
    assert(wal != NULL && group != NULL);
    pthread_mutex_lock(&wal->lock);
    while (!group->is_done)
        if (wal->is_committing)
            pthread_cond_wait(&wal->changed, &wal->lock);
        else
            commit_pending(wal);
    fl_error result = group->result;
    assert(group->tickets > 0);
    if (--group->tickets == 0)
        recycle_group(wal, group);
    pthread_mutex_unlock(&wal->lock);
    *ticket = (fl_wal_ticket){0};
    return result.status == FL_OK ? FL_OK
                                  : fl_fail(err, result.status, FL_NO_OFFSET, "%s", result.message);
}

/* Files whose successor begins at or before `sequence` hold nothing that is still needed. */
static size_t count_released(const fl_wal *wal, uint64_t sequence)
{
    size_t count = 0;
    while (count + 1 < wal->segment_count && wal->segments[count + 1].valid_before <= sequence)
        count++;
    return count;
}

/* The lock is held while the file goes: appends wait, readers of a half-changed list do not exist.
 */
static fl_status remove_first(fl_wal *wal, fl_error *err)
{
    char name[WAL_NAME_BYTES];
    fl_wal_name(name, wal->segments[0].first);
    fl_status status = fl_disk_remove(wal->disk, name, err);
    if (status != FL_OK)
        return status;
    wal->segment_bytes_total -= wal->segments[0].bytes;
    wal->segment_count--;
    memmove(wal->segments, wal->segments + 1, wal->segment_count * sizeof(wal->segments[0]));
    return FL_OK;
}

fl_status fl_wal_release(fl_wal *wal, uint64_t sequence, fl_error *err)
{
    fl_status status = FL_OK;
    assert(wal != NULL);
    pthread_mutex_lock(&wal->lock);
    for (size_t left = count_released(wal, sequence); status == FL_OK && left > 0; left--)
        status = remove_first(wal, err);
    pthread_mutex_unlock(&wal->lock);
    return status;
}

fl_wal_stats fl_wal_stats_of(fl_wal *wal)
{
    assert(wal != NULL);
    pthread_mutex_lock(&wal->lock);
    fl_wal_stats stats = {
        .first_sequence = wal->segment_count > 0 ? wal->segments[0].first : wal->next_sequence,
        .next_sequence = wal->next_sequence,
        .bytes = wal->segment_bytes_total,
        .segments = wal->segment_count,
        .groups = wal->groups,
    };
    pthread_mutex_unlock(&wal->lock);
    return stats;
}
