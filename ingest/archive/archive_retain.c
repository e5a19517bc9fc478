/*
 * archive_retain.c - what is too old or too much goes, whole files at a time.
 *
 * The oldest file goes first, by its newest record; while somebody reads it, nothing goes. The
 * newest block says from where the log counts: when it is too old its records go and its name
 * stays, with an empty block behind it, until there is a newer one. It never goes for want of room.
 */
#include <string.h>

#include "archive_priv.h"
#include "mem.h"

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
           fl_sealed_is_same_run(archive->blocks[i - 1], archive->blocks[i]);
}

static bool is_newest(const fl_archive *archive, const fl_sealed *block)
{
    return block == archive->blocks[archive->block_count - 1];
}

static bool is_old(const fl_archive *archive, int64_t newest_ns)
{
    return archive->options.keep_ns > 0 && newest_ns < archive->now_ns - archive->options.keep_ns;
}

/* The newest block goes for its age only, and only once: what is left of it says where the log
 * counts. */
static bool may_go(const fl_archive *archive, const fl_sealed *block)
{
    return !is_newest(archive, block) || (block->records > 0 && is_old(archive, newest_of(block)));
}

/* The block that goes first. */
static fl_sealed *oldest_block(const fl_archive *archive)
{
    fl_sealed *oldest = NULL;
    for (size_t i = 0; i < archive->block_count; i++) {
        fl_sealed *block = archive->blocks[i];
        if (!holds_others(archive, i) && may_go(archive, block) &&
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
    fl_archive_forget_block(archive, at);
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

typedef enum what_goes { GOES_NOTHING, GOES_FILE, GOES_NEWEST } what_goes;

/* The next to go. A file is out of the lists then; the newest block is held, and told to nobody. */
static what_goes take_oldest(char name[ARCHIVE_NAME_BYTES], fl_sealed **newest, fl_archive *archive)
{
    const fl_archive_options *options = &archive->options;
    fl_sealed *block = oldest_block(archive);
    const fl_kept_profile *profile = archive->profile_count > 0 ? archive->profiles[0] : NULL;
    bool is_profile = profile != NULL && (block == NULL || profile->time_ns < newest_of(block));
    if (block == NULL && profile == NULL)
        return GOES_NOTHING;
    /* Of a run that stands beside what it replaces, an open would take what is left for unfinished.
     */
    if (!is_profile && block->is_merged && archive->replaced_count > 0)
        return GOES_NOTHING;
    int64_t until = is_profile ? profile->time_ns : newest_of(block);
    bool is_much = options->keep_bytes > 0 && kept_bytes(archive) > options->keep_bytes;
    if ((!is_old(archive, until) && !is_much) || (!is_profile && block->refs > 0))
        return GOES_NOTHING;
    if (is_profile) {
        memcpy(name, profile->name, ARCHIVE_NAME_BYTES);
        forget_profile(archive);
        return GOES_FILE;
    }
    if (is_newest(archive, block)) {
        *newest = block;
        block->refs++;
        return GOES_NEWEST;
    }
    fl_sealed_name(name, block);
    forget(archive, block);
    return GOES_FILE;
}

/* An empty block in the place of the newest one: as one step, by its name. */
static fl_status write_empty(fl_sealed *block, fl_disk *disk, fl_error *err)
{
    fl_block_writer *writer;
    fl_buf bytes = fl_buf_of(SIZE_MAX / 4);
    fl_batch_facts none;
    fl_status status = fl_block_writer_create(&writer, 1, err);
    if (status != FL_OK)
        return status;
    fl_batch_facts_clear(&none);
    block->min_ns = none.min_ns;
    block->max_ns = none.max_ns;
    block->records = 0;
    block->is_emptied = true;
    status = fl_block_finish(&bytes, writer, err);
    if (status == FL_OK)
        status = fl_sealed_write(block, disk, fl_buf_slice(&bytes), err);
    fl_block_writer_destroy(writer);
    fl_buf_dispose(&bytes);
    return status;
}

/* It is in the list, and held: only who reads would look at it, and finds no time in it. A failure
 * leaves it as it was, for the next tick. */
static bool empty_newest(fl_archive *archive, fl_sealed *newest)
{
    fl_error ignored = {0};
    pthread_mutex_lock(&archive->lock);
    const fl_sealed before = *newest;
    fl_sealed after = before;
    newest->min_ns = INT64_MAX;
    newest->max_ns = INT64_MIN;
    pthread_mutex_unlock(&archive->lock);
    bool is_done = write_empty(&after, archive->disk, &ignored) == FL_OK;
    pthread_mutex_lock(&archive->lock);
    const fl_sealed *now = is_done ? &after : &before;
    newest->min_ns = now->min_ns;
    newest->max_ns = now->max_ns;
    newest->records = now->records;
    newest->bytes = now->bytes;
    newest->refs--;
    if (is_done) {
        archive->stats.dropped_blocks++;
        archive->stats.dropped_bytes += before.bytes - after.bytes;
    }
    pthread_mutex_unlock(&archive->lock);
    return is_done;
}

/* A file that cannot be removed, or comes back after a crash, goes with the next open. */
void fl_archive_retain(fl_archive *archive)
{
    char name[ARCHIVE_NAME_BYTES];
    bool goes_on = true;
    while (goes_on) {
        fl_error ignored = {0};
        fl_sealed *newest = NULL;
        pthread_mutex_lock(&archive->lock);
        what_goes what = take_oldest(name, &newest, archive);
        pthread_mutex_unlock(&archive->lock);
        goes_on = what == GOES_FILE || (what == GOES_NEWEST && empty_newest(archive, newest));
        if (what == GOES_FILE)
            (void)!fl_disk_remove(archive->disk, name, &ignored);
    }
}
