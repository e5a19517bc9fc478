/*
 * archive_repeats.c - batches that were committed are known again, by a hash of their bytes; also
 * after a restart.
 *
 * What the log holds is hashed when it is replayed. Of what a block holds the hashes are written
 * beside it, and removed when no sender can repeat those batches any more:
 *
 *   name := first "-" next ".batches"           16 hexadecimal digits each: the sequences of a head
 *   file := "FLBAT001" crc:u32 sealed, count: u64  hash:u64^count
 *
 * Numbers are little-endian; the CRC-32C is of what follows it. The file is durable before the last
 * block of its run is, and counts only where that is there: a hash without its batch would be a
 * repeat of what is lost. One that is damaged is removed; it costs that a repeat is a second batch.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "archive_priv.h"
#include "bytes.h"
#include "crc32c.h"
#include "mem.h"
#include "slice.h"

#define HASHES_MAGIC "FLBAT001"

/* Of the hashes: a head of 64 MiB has a few thousand batches, and could not have a million. */
enum { HASHES_HEAD_BYTES = 28, MAX_HASHES_BYTES = 64 << 20 };

static const char temporary_name[] = "batches.tmp";

/* The log's batches are noted here while it is replayed. */
fl_status fl_repeats_open(fl_archive *archive, fl_error *err)
{
    fl_status status = fl_map_create(&archive->repeats.newer, archive->options.repeat_batches, err);
    if (status == FL_OK)
        status = fl_map_create(&archive->repeats.older, archive->options.repeat_batches, err);
    archive->repeats.begun_ns = archive->now_ns;
    return status;
}

void fl_repeats_dispose(fl_repeats *repeats)
{
    fl_map_destroy(repeats->newer);
    fl_map_destroy(repeats->older);
    fl_mem_free(repeats->files);
}

/* How the hash is known: 0, pending or durable. */
static uint64_t *find_repeat(const fl_repeats *repeats, uint64_t hash)
{
    uint64_t *found = fl_map_find(repeats->newer, hash);
    return found != NULL && *found != 0 ? found : fl_map_find(repeats->older, hash);
}

fl_status fl_repeats_note(fl_archive *archive, uint64_t hash, uint64_t state, fl_error *err)
{
    fl_repeats *repeats = &archive->repeats;
    uint64_t *slot;
    if (fl_map_count(repeats->newer) >= archive->options.repeat_batches ||
        archive->now_ns - repeats->begun_ns >= archive->options.repeat_ns) {
        fl_map *swapped = repeats->older;
        repeats->older = repeats->newer;
        repeats->newer = swapped;
        repeats->begun_ns = archive->now_ns;
        fl_map_clear(swapped);
    }
    fl_status status = fl_map_slot(&slot, repeats->newer, hash, NULL, err);
    if (status == FL_OK)
        *slot = state;
    return status;
}

void fl_repeats_settle(fl_archive *archive, uint64_t hash, uint64_t state)
{
    uint64_t *found = find_repeat(&archive->repeats, hash);
    if (found != NULL)
        *found = state;
}

/* A repeat is answered when the first one is: as it is durable, or anew. */
bool fl_repeats_await(fl_archive *archive, uint64_t hash)
{
    for (;;) {
        const uint64_t *found = find_repeat(&archive->repeats, hash);
        if (found == NULL || *found != REPEAT_PENDING)
            return found != NULL && *found == REPEAT_DURABLE;
        pthread_cond_wait(&archive->changed, &archive->lock);
    }
}

/* --- files --- */

static void put_name(char out[ARCHIVE_NAME_BYTES], const fl_sealed_hashes *file)
{
    snprintf(out, ARCHIVE_NAME_BYTES, "%016llx-%016llx.batches",
             (unsigned long long)file->first_sequence, (unsigned long long)file->next_sequence);
}

bool fl_sealed_hashes_name_read(fl_sealed_hashes *out, const char *name)
{
    const char *at = name;
    *out = (fl_sealed_hashes){0};
    return fl_sealed_hex_read(&out->first_sequence, &at, 16, '-') &&
           fl_sealed_hex_read(&out->next_sequence, &at, 16, '.') && strcmp(at, "batches") == 0;
}

/* By sequence, as blocks are; a seal that is tried again has one already. */
fl_status fl_repeats_add_file(fl_archive *archive, const fl_sealed_hashes *file, fl_error *err)
{
    fl_repeats *repeats = &archive->repeats;
    for (size_t i = repeats->file_count; i-- > 0;)
        if (repeats->files[i].first_sequence == file->first_sequence &&
            repeats->files[i].next_sequence == file->next_sequence) {
            repeats->files[i].sealed_ns = file->sealed_ns;
            return FL_OK;
        }
    if (repeats->file_count == repeats->file_cap) {
        size_t cap = repeats->file_cap == 0 ? 16 : repeats->file_cap * 2;
        fl_sealed_hashes *grown = fl_mem_realloc(repeats->files, cap, sizeof(*grown));
        if (grown == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a list of files");
        repeats->files = grown;
        repeats->file_cap = cap;
    }
    size_t at = repeats->file_count++;
    for (; at > 0 && repeats->files[at - 1].next_sequence > file->next_sequence; at--)
        repeats->files[at] = repeats->files[at - 1];
    repeats->files[at] = *file;
    return FL_OK;
}

static void forget_file(fl_repeats *repeats, size_t i)
{
    assert(i < repeats->file_count);
    repeats->file_count--;
    memmove(repeats->files + i, repeats->files + i + 1,
            (repeats->file_count - i) * sizeof(repeats->files[0]));
}

/* Head and hashes as they stand in the file; hashes of what was refused are left out. */
static size_t put_hashes(unsigned char *out, const fl_head *head, int64_t sealed_ns)
{
    size_t count = 0, len;
    for (size_t i = 0; i < head->count; i++)
        if (head->entries[i] != NULL)
            fl_bytes_put_le(out + HASHES_HEAD_BYTES + 8 * count++, head->entries[i]->hash, 8);
    len = HASHES_HEAD_BYTES + 8 * count;
    memcpy(out, HASHES_MAGIC, 8);
    fl_bytes_put_le(out + 12, (uint64_t)sealed_ns, 8);
    fl_bytes_put_le(out + 20, count, 8);
    fl_bytes_put_le(out + 8, fl_crc32c(0, (fl_slice){out + 12, len - 12}), 4);
    return len;
}

/* The entry in the list is made first, and stays where the seal fails: the file then waits for its
 * age like any other. */
fl_status fl_repeats_write(fl_archive *archive, const fl_head *head, int64_t sealed_ns,
                           fl_error *err)
{
    const fl_sealed_hashes file = {head->first_sequence, head->next_sequence, sealed_ns};
    char name[ARCHIVE_NAME_BYTES];
    bool is_stray;
    unsigned char *bytes = fl_mem_alloc(HASHES_HEAD_BYTES + 8 * head->count);
    if (bytes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the hashes of a head");
    const fl_slice parts[2] = {{bytes, put_hashes(bytes, head, sealed_ns)}, {0}};
    put_name(name, &file);
    pthread_mutex_lock(&archive->lock);
    fl_status status = fl_repeats_add_file(archive, &file, err);
    pthread_mutex_unlock(&archive->lock);
    if (status == FL_OK)
        status = fl_sealed_write_file(&is_stray, archive->disk, name, temporary_name, parts, err);
    fl_mem_free(bytes);
    return status;
}

/* Whole, or not: why it is not does not matter. */
static bool is_sound(int64_t *sealed_ns, fl_slice bytes)
{
    if (bytes.len < HASHES_HEAD_BYTES || memcmp(bytes.ptr, HASHES_MAGIC, 8) != 0 ||
        fl_bytes_le(bytes.ptr + 8, 4) != fl_crc32c(0, (fl_slice){bytes.ptr + 12, bytes.len - 12}))
        return false;
    *sealed_ns = (int64_t)fl_bytes_le(bytes.ptr + 12, 8);
    return fl_bytes_le(bytes.ptr + 20, 8) == (bytes.len - HASHES_HEAD_BYTES) / 8 &&
           (bytes.len - HASHES_HEAD_BYTES) % 8 == 0;
}

static bool is_old(const fl_archive *archive, int64_t sealed_ns)
{
    return archive->now_ns - sealed_ns >= archive->options.repeat_ns;
}

/* *is_needed: it is not old, nor damaged, and its batches are in blocks. */
static fl_status note_file(bool *is_needed, fl_archive *archive, fl_sealed_hashes *file,
                           unsigned char *bytes, fl_error *err)
{
    char name[ARCHIVE_NAME_BYTES];
    fl_disk_file *opened;
    size_t len = 0;
    *is_needed = false;
    put_name(name, file);
    fl_status status = fl_disk_open_file(&opened, archive->disk, name, false, err);
    if (status != FL_OK)
        return status;
    status = fl_disk_read(&len, opened, bytes, MAX_HASHES_BYTES, 0, err);
    fl_disk_close_file(opened);
    if (status != FL_OK)
        return status;
    *is_needed = is_sound(&file->sealed_ns, (fl_slice){bytes, len}) &&
                 !is_old(archive, file->sealed_ns) &&
                 file->next_sequence <= fl_archive_sealed_until(archive);
    for (size_t at = HASHES_HEAD_BYTES; *is_needed && status == FL_OK && at < len; at += 8)
        status = fl_repeats_note(archive, fl_bytes_le(bytes + at, 8), REPEAT_DURABLE, err);
    return status;
}

/* The oldest first, so that the newest are remembered for longest. */
fl_status fl_repeats_load(fl_archive *archive, fl_error *err)
{
    fl_repeats *repeats = &archive->repeats;
    fl_status status = FL_OK;
    unsigned char *bytes = repeats->file_count > 0 ? fl_mem_alloc(MAX_HASHES_BYTES) : NULL;
    if (bytes == NULL && repeats->file_count > 0)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the hashes of batches");
    for (size_t i = 0; status == FL_OK && i < repeats->file_count;) {
        bool is_needed;
        char name[ARCHIVE_NAME_BYTES];
        put_name(name, &repeats->files[i]);
        status = note_file(&is_needed, archive, &repeats->files[i], bytes, err);
        if (is_needed || status != FL_OK) {
            i++;
            continue;
        }
        forget_file(repeats, i);
        status = fl_disk_remove(archive->disk, name, err);
    }
    fl_mem_free(bytes);
    return status;
}

/* Out of the list first: one that cannot be removed goes with the next open. */
void fl_repeats_retain(fl_archive *archive)
{
    fl_repeats *repeats = &archive->repeats;
    for (bool goes_on = true; goes_on;) {
        char name[ARCHIVE_NAME_BYTES];
        fl_error ignored = {0};
        pthread_mutex_lock(&archive->lock);
        goes_on = repeats->file_count > 0 && is_old(archive, repeats->files[0].sealed_ns);
        if (goes_on) {
            put_name(name, &repeats->files[0]);
            forget_file(repeats, 0);
        }
        pthread_mutex_unlock(&archive->lock);
        if (goes_on)
            (void)!fl_disk_remove(archive->disk, name, &ignored);
    }
}
