/*
 * archive_read.c - what lies in a range of time, told out of blocks, the head that is being sealed,
 * and the head.
 *
 * What is to be told is noted under the lock, once, and held by references; it is read without the
 * lock. Entries of heads and sealed files never change, so a reading sees each record once, though
 * a head becomes blocks meanwhile.
 *
 * Memory: one block, compressed and not, at a time.
 */
#include <assert.h>

#include "archive_priv.h"
#include "mem.h"

struct snapshot {
    fl_head *heads[2];
    size_t head_count;
    const fl_head_entry **entries;
    size_t entry_count;
    fl_sealed **blocks;
    size_t block_count;
};

/* Of a closed range and a half-open one. */
static bool overlaps(int64_t min_ns, int64_t max_ns, const fl_batch_window *window)
{
    return min_ns < window->to_ns && max_ns >= window->from_ns;
}

/* What is pending may still be refused, and is not told. */
static void hold_entries(struct snapshot *out, fl_head *head, const fl_batch_window *window)
{
    if (head == NULL)
        return;
    head->refs++;
    out->heads[out->head_count++] = head;
    for (size_t i = 0; i < head->count; i++) {
        const fl_head_entry *entry = head->entries[i];
        if (entry != NULL && entry->is_durable &&
            overlaps(entry->facts.min_ns, entry->facts.max_ns, window))
            out->entries[out->entry_count++] = entry;
    }
}

/* Blocks and entries that reach into the windows. The lock is held. */
static fl_status hold(struct snapshot *out, fl_archive *archive, const fl_batch_window *window,
                      const fl_batch_window *unsealed, fl_error *err)
{
    size_t entries =
        archive->head->count + (archive->sealing != NULL ? archive->sealing->count : 0);
    out->entries = fl_mem_alloc(entries * sizeof(*out->entries));
    out->blocks = fl_mem_alloc(archive->block_count * sizeof(*out->blocks));
    if (out->entries == NULL || out->blocks == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to read the archive");
    for (size_t i = 0; i < archive->block_count; i++)
        if (overlaps(archive->blocks[i]->min_ns, archive->blocks[i]->max_ns, window)) {
            archive->blocks[i]->refs++;
            out->blocks[out->block_count++] = archive->blocks[i];
        }
    hold_entries(out, archive->sealing, unsealed);
    hold_entries(out, archive->head, unsealed);
    return FL_OK;
}

/* A block that was to be dropped meanwhile goes with the next tick. */
static void release(struct snapshot *held, fl_archive *archive)
{
    pthread_mutex_lock(&archive->lock);
    for (size_t i = 0; i < held->head_count; i++)
        fl_head_unref(held->heads[i]);
    for (size_t i = 0; i < held->block_count; i++)
        held->blocks[i]->refs--;
    pthread_mutex_unlock(&archive->lock);
    fl_mem_free(held->entries);
    fl_mem_free(held->blocks);
}

/* A block's own failure costs that block; the sink's, and a lack of memory, end the reading. */
static fl_status tell_block(const fl_sealed *block, fl_archive *archive, fl_batch_window *window,
                            fl_error *err)
{
    fl_sink sink = fl_batch_window_sink(window);
    fl_error found = {0};
    fl_status status = fl_sealed_read(block, archive->disk, &sink, &found);
    if (status == FL_OK)
        return FL_OK;
    if (window->has_failed || status == FL_E_NOMEM)
        return fl_fail(err, status, found.offset, "%s", found.message);
    pthread_mutex_lock(&archive->lock);
    archive->stats.read_failures++;
    pthread_mutex_unlock(&archive->lock);
    return FL_OK;
}

/* In the order of the log, after the blocks, which are older. */
static fl_status tell_entries(const struct snapshot *held, fl_batch_window *window, fl_error *err)
{
    const fl_sink sink = fl_batch_window_sink(window);
    fl_batch_reader *reader;
    fl_status status = fl_batch_reader_create(&reader, err);
    for (size_t i = 0; status == FL_OK && i < held->entry_count; i++)
        status = fl_batch_read(reader, (fl_slice){held->entries[i]->bytes, held->entries[i]->len},
                               &sink, err);
    fl_batch_reader_destroy(reader);
    return status;
}

/* `window` is what is told; `blocks` and it say what is looked into. */
static fl_status read_window(fl_archive *archive, const fl_batch_window *blocks,
                             fl_batch_window *window, fl_error *err)
{
    struct snapshot held = {0};
    pthread_mutex_lock(&archive->lock);
    fl_status status = hold(&held, archive, blocks, window, err);
    pthread_mutex_unlock(&archive->lock);
    for (size_t i = 0; status == FL_OK && i < held.block_count; i++)
        status = tell_block(held.blocks[i], archive, window, err);
    if (status == FL_OK)
        status = tell_entries(&held, window, err);
    release(&held, archive);
    return status;
}

fl_status fl_archive_read(fl_archive *archive, int64_t from_ns, int64_t to_ns, const fl_sink *sink,
                          fl_error *err)
{
    fl_batch_window window = {.to = sink, .from_ns = from_ns, .to_ns = to_ns};
    assert(archive != NULL && sink != NULL);
    return read_window(archive, &window, &window, err);
}

fl_status fl_archive_read_recent(fl_archive *archive, int64_t since_ns, const fl_sink *sink,
                                 fl_error *err)
{
    const fl_batch_window blocks = {.from_ns = since_ns, .to_ns = INT64_MAX};
    fl_batch_window window = {.to = sink, .from_ns = INT64_MIN, .to_ns = INT64_MAX};
    assert(archive != NULL && sink != NULL);
    return read_window(archive, &blocks, &window, err);
}
