/*
 * archive_merge.c - the files of several heads become one run, in the background.
 *
 * A series costs its labels once in each block: where a head holds each of a million series once or
 * twice, that is most of what is written. So runs that follow one another are written anew as one,
 * where each series has the samples of all of them.
 *
 * Parts of a merged run share its series out by their place (fl_block_share), since memory is that
 * of one block whatever the number of series; each part takes one reading of all the files, and its
 * width follows from how full the one before was. What is no point comes first, by time.
 *
 * What a crash leaves: parts without the last one, which the next open removes; the whole run
 * beside what it was made of, which that open removes. A file that somebody reads goes when he is
 * done.
 *
 * Cost: (parts + 1) readings of the files and one writing, once in the life of a record: a run that
 * is merged is not merged again. The thread gives way to the others (nice).
 *
 * Invariant: while a merge runs its files are held, so that they stay neighbours in the list.
 */
#include <assert.h>
#include <string.h>
#include <sys/resource.h>

#include "archive_priv.h"
#include "mem.h"

/* A failure is of a full disk, or of a file that is then left out: minutes are soon enough. */
static const int64_t retry_ns = INT64_C(600) * 1000000000;

enum {
    NICE = 10,
    /* What a full block of points is when it is compressed, about: for the first width. */
    PART_BYTES = 8 << 20,
    /* A run that is merged is dropped as one: it shall be a small part of what is kept. */
    KEPT_SHARE = 8,
    /* Below, a part would hold a few series: too large to merge. A metric has 2^32 places, and may
     * have most of the series. */
    MIN_WIDTH_LOG2 = 8,
    /* Behind such a metric a part is wide again after a few readings. */
    MOST_WIDER = 64
};

struct merge {
    fl_archive *archive;
    fl_sealed **held; /* the list's, and what they were */
    fl_sealed *files;
    size_t count, bad; /* bad: the file that could not be read; `count`: none */
    fl_parts parts;
};

/* --- which --- */

/* How many files the run of files[at] has. */
static size_t run_len(const fl_archive *archive, size_t at)
{
    size_t end = at + 1;
    while (end < archive->block_count &&
           fl_sealed_is_same_run(archive->blocks[at], archive->blocks[end]))
        end++;
    return end - at;
}

static bool is_candidate(const fl_archive *archive, size_t at, size_t len)
{
    for (size_t i = at; i < at + len; i++)
        if (archive->blocks[i]->is_merged || archive->blocks[i]->is_kept_apart)
            return false;
    return true;
}

/* Whether retention would still drop it in small steps. */
static bool is_small(const fl_archive *archive, size_t from, size_t to)
{
    const fl_archive_options *options = &archive->options;
    uint64_t bytes = 0;
    int64_t span_ns = archive->blocks[to - 1]->sealed_ns - archive->blocks[from]->sealed_ns;
    for (size_t i = from; i < to; i++)
        bytes += archive->blocks[i]->bytes;
    return (options->keep_ns == 0 || span_ns <= options->keep_ns / KEPT_SHARE) &&
           (options->keep_bytes == 0 || bytes <= options->keep_bytes / KEPT_SHARE);
}

/* The first merge_runs runs without a gap between their sequences: [*from, *to) of the list. */
static bool find_window(size_t *from, size_t *to, const fl_archive *archive)
{
    size_t runs = 0, len;
    for (size_t at = 0; at < archive->block_count; at += len) {
        len = run_len(archive, at);
        if (!is_candidate(archive, at, len)) {
            runs = 0;
            continue;
        }
        if (runs > 0 &&
            archive->blocks[at - 1]->next_sequence != archive->blocks[at]->first_sequence)
            runs = 0;
        if (runs++ == 0)
            *from = at;
        *to = at + len;
        if (runs == archive->options.merge_runs && is_small(archive, *from, *to))
            return true;
        if (runs == archive->options.merge_runs) {
            *from += run_len(archive, *from);
            runs--;
        }
    }
    return false;
}

/* Held until the merge is over. The lock is held. */
static fl_status hold(struct merge *merge, fl_error *err)
{
    fl_archive *archive = merge->archive;
    size_t from = 0, to = 0;
    if (archive->now_ns < archive->merge_after_ns || !find_window(&from, &to, archive))
        return FL_OK;
    merge->held = fl_mem_alloc((to - from) * sizeof(fl_sealed *));
    merge->files = fl_mem_alloc((to - from) * sizeof(*merge->files));
    if (merge->held == NULL || merge->files == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to merge %zu blocks", to - from);
    merge->count = merge->bad = to - from;
    memcpy(merge->held, archive->blocks + from, merge->count * sizeof(fl_sealed *));
    for (size_t i = 0; i < merge->count; i++) {
        merge->held[i]->refs++;
        merge->files[i] = *merge->held[i];
    }
    archive->stats.merging_blocks = merge->count;
    return FL_OK;
}

/* --- reading and writing, without the lock --- */

static bool is_stopping(fl_archive *archive)
{
    pthread_mutex_lock(&archive->lock);
    bool result = archive->is_stopping;
    pthread_mutex_unlock(&archive->lock);
    return result;
}

/* One reading of all files. A file's own failure is noted. */
static fl_status copy_share(struct merge *merge, fl_block_share *share, fl_error *err)
{
    const fl_sink sink = fl_parts_sink(&merge->parts);
    const fl_numbers numbers = fl_parts_numbers(&merge->parts);
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < merge->count; i++) {
        if (is_stopping(merge->archive))
            return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "the archive is being closed");
        status = fl_sealed_read_share(&merge->files[i], merge->archive->disk, share, &sink,
                                      &numbers, err);
        if (status != FL_OK && status != FL_E_NOMEM && !merge->parts.has_failed)
            merge->bad = i;
    }
    return status;
}

/* All but points. *has_points: there are some, for later. */
static fl_status copy_others(bool *has_points, struct merge *merge, fl_error *err)
{
    fl_block_share share = {.has_others = true};
    fl_status status = copy_share(merge, &share, err);
    *has_points = share.left_out > 0;
    if (status == FL_OK && fl_block_writer_records(merge->parts.writer) > 0)
        status = fl_parts_next(&merge->parts, err);
    return status;
}

/* A first guess of how many places a part has; too few cost readings, too many a second try. */
static uint64_t first_width(const struct merge *merge)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < merge->count; i++)
        bytes += merge->files[i].bytes;
    return UINT64_MAX / (1 + bytes / PART_BYTES);
}

/* A part that is not four fifths full may be wider. */
static uint64_t next_width(uint64_t width, size_t used, size_t limit)
{
    double factor = 0.8 * (double)limit / (double)(used + 1);
    if (factor <= 1)
        return width;
    double wider = (double)width * (factor < MOST_WIDER ? factor : MOST_WIDER);
    return wider >= 0x1p64 ? UINT64_MAX : (uint64_t)wider;
}

/* Series by their places, a part at a time. A width that does not fit is halved. */
static fl_status copy_points(struct merge *merge, fl_error *err)
{
    uint64_t first = 0, width = first_width(merge);
    size_t limit = merge->archive->options.block_bytes;
    fl_status status = FL_OK;
    merge->parts.is_one = true;
    for (bool is_last = false; status == FL_OK && !is_last;) {
        fl_error full = {0};
        is_last = width >= UINT64_MAX - first;
        fl_block_share share = {
            .first = first, .last = is_last ? UINT64_MAX : first + width, .has_points = true};
        status = copy_share(merge, &share, &full);
        size_t used = fl_block_writer_bytes(merge->parts.writer);
        if (status == FL_E_LIMIT && merge->parts.is_full && width >> MIN_WIDTH_LOG2 > 0) {
            fl_parts_forget(&merge->parts);
            merge->parts.has_failed = false;
            width /= 2;
            is_last = false;
            status = FL_OK;
            continue;
        }
        if (status != FL_OK)
            return fl_fail(err, status, full.offset, "%s", full.message);
        if (fl_block_writer_records(merge->parts.writer) > 0)
            status = fl_parts_next(&merge->parts, err);
        first = share.last + 1;
        width = next_width(width, used, limit);
    }
    return status;
}

/* Nothing that was accepted may be left out: then there is no merge. */
static fl_status write_run(struct merge *merge, fl_error *err)
{
    bool has_points = false;
    fl_status status = copy_others(&has_points, merge, err);
    if (status == FL_OK && has_points)
        status = copy_points(merge, err);
    if (status == FL_OK && merge->parts.dropped > 0) {
        merge->bad = 0;
        status = fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a record fits into no block");
    }
    return status == FL_OK ? fl_parts_end(&merge->parts, err) : status;
}

/* --- the lists; the lock is held --- */

/* Room for the files in the list of what was replaced. */
static fl_status reserve_replaced(fl_archive *archive, size_t files, fl_error *err)
{
    fl_sealed **replaced =
        fl_mem_realloc(archive->replaced, archive->replaced_count + files, sizeof(fl_sealed *));
    if (replaced == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a list of blocks");
    archive->replaced = replaced;
    return FL_OK;
}

/* The files' entries out of the list, in whose order they are held; held ones wait for their
 * readers. */
static void take_out(struct merge *merge)
{
    fl_archive *archive = merge->archive;
    size_t kept = 0, taken = 0;
    for (size_t i = 0; i < archive->block_count; i++) {
        fl_sealed *block = archive->blocks[i];
        if (taken == merge->count || block != merge->held[taken]) {
            archive->blocks[kept++] = block;
            continue;
        }
        block->refs--;
        archive->replaced[archive->replaced_count++] = block;
        taken++;
    }
    assert(taken == merge->count);
    archive->block_count = kept;
}

/* The parts come in first, beside those that they replace: only that can fail. */
static fl_status publish(struct merge *merge, fl_error *err)
{
    fl_archive *archive = merge->archive;
    fl_status status = reserve_replaced(archive, merge->count, err);
    if (status == FL_OK)
        status = fl_archive_add_parts(archive, &merge->parts, err);
    if (status != FL_OK)
        return status;
    take_out(merge);
    archive->stats.merged_blocks += merge->count;
    return FL_OK;
}

/* The files stay what they were; one that is bad is not tried again, nor are files that do not fit
 * together. Where a part could not be removed there is no merging until the next open, which
 * tidies up: another window over the same sequences would double them. */
static void give_up(struct merge *merge, bool is_clean)
{
    fl_archive *archive = merge->archive;
    bool is_too_large = merge->parts.is_full; /* a full disk, also FL_E_LIMIT, may pass */
    for (size_t i = 0; i < merge->count; i++) {
        merge->held[i]->refs--;
        merge->held[i]->is_kept_apart = merge->held[i]->is_kept_apart || is_too_large;
    }
    if (!is_clean)
        archive->merge_after_ns = INT64_MAX;
    else if (merge->bad < merge->count)
        merge->held[merge->bad]->is_kept_apart = true;
    else if (!is_too_large)
        archive->merge_after_ns = archive->now_ns + retry_ns;
    archive->stats.merge_failures += !archive->is_stopping;
}

static fl_status open_parts(struct merge *merge, fl_error *err)
{
    const fl_sealed *last = &merge->files[merge->count - 1];
    fl_sealed run = {.first_sequence = merge->files[0].first_sequence,
                     .next_sequence = last->next_sequence,
                     .sealed_ns = last->sealed_ns,
                     .is_merged = true};
    return fl_parts_open(&merge->parts, merge->archive->disk, &run,
                         merge->archive->options.block_bytes, err);
}

/* One window; false: there was none, or it failed. */
static bool merge_one(fl_archive *archive)
{
    struct merge merge = {.archive = archive};
    fl_error err = {0};
    pthread_mutex_lock(&archive->lock);
    fl_status status = hold(&merge, &err);
    pthread_mutex_unlock(&archive->lock);
    bool has_window = merge.count > 0;
    if (status == FL_OK && has_window)
        status = open_parts(&merge, &err);
    if (status == FL_OK && has_window)
        status = write_run(&merge, &err);
    pthread_mutex_lock(&archive->lock);
    if (status == FL_OK && has_window)
        status = publish(&merge, &err);
    pthread_mutex_unlock(&archive->lock);
    bool is_clean = status == FL_OK || fl_parts_remove(&merge.parts);
    pthread_mutex_lock(&archive->lock);
    if (status != FL_OK && has_window)
        give_up(&merge, is_clean);
    archive->stats.merging_blocks = 0;
    pthread_mutex_unlock(&archive->lock);
    fl_parts_dispose(&merge.parts);
    fl_mem_free(merge.held);
    fl_mem_free(merge.files);
    return status == FL_OK && has_window;
}

void fl_archive_merge(fl_archive *archive)
{
    assert(archive != NULL);
    while (archive->options.merge_runs > 1 && merge_one(archive))
        fl_archive_remove_replaced(archive);
}

/* One of them that nobody reads, behind the first *at, held; NULL: there is none. The lock is held.
 */
static fl_sealed *hold_replaced(size_t *at, fl_archive *archive)
{
    for (; *at < archive->replaced_count; (*at)++)
        if (archive->replaced[*at]->refs == 0) {
            archive->replaced[*at]->refs++;
            return archive->replaced[*at];
        }
    return NULL;
}

/* Gone for good: only then parts of the merged run may go. */
static bool remove_durably(fl_archive *archive, const fl_sealed *block)
{
    char name[ARCHIVE_NAME_BYTES];
    fl_error ignored = {0};
    fl_sealed_name(name, block);
    fl_status status = fl_disk_remove(archive->disk, name, &ignored);
    return (status == FL_OK || status == FL_E_NOTFOUND) &&
           fl_disk_sync_names(archive->disk, &ignored) == FL_OK;
}

/* The list may have moved meanwhile. The lock is held. */
static void forget_replaced(fl_archive *archive, fl_sealed *block)
{
    size_t at = 0;
    while (archive->replaced[at] != block)
        at++;
    assert(at < archive->replaced_count && block->refs == 1);
    archive->replaced[at] = archive->replaced[--archive->replaced_count];
    fl_mem_free(block);
}

/* One that cannot be removed now is tried again, by the next tick or the next open. */
void fl_archive_remove_replaced(fl_archive *archive)
{
    size_t at = 0;
    pthread_mutex_lock(&archive->lock);
    for (fl_sealed *block; (block = hold_replaced(&at, archive)) != NULL;) {
        pthread_mutex_unlock(&archive->lock);
        bool is_gone = remove_durably(archive, block);
        pthread_mutex_lock(&archive->lock);
        if (is_gone) {
            forget_replaced(archive, block);
        } else {
            block->refs--;
            at++;
        }
    }
    pthread_mutex_unlock(&archive->lock);
}

/* On Linux a thread has a niceness of its own. */
void *fl_archive_merge_thread(void *context)
{
    fl_archive *archive = context;
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    pthread_mutex_lock(&archive->lock);
    while (!archive->is_stopping) {
        if (!archive->is_merge_due) {
            pthread_cond_wait(&archive->work, &archive->lock);
            continue;
        }
        archive->is_merge_due = false;
        pthread_mutex_unlock(&archive->lock);
        fl_archive_merge(archive);
        pthread_mutex_lock(&archive->lock);
    }
    pthread_mutex_unlock(&archive->lock);
    return NULL;
}
