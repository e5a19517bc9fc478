/*
 * archive_blocks.c - sealed files: their names, their heads, and what an earlier process left.
 *
 *   name := first "-" next "-" part kind ".block"      16, 16 and 4 hexadecimal digits; kind "e" of
 *                                                      the last part of a run, "p" of the others;
 *                                                      "m" and "q" where it is merged out of runs
 *   file := "FLARC001" crc:u32 first, next, min, max, sealed, records, length: u64  block
 *
 * Numbers are little-endian; the CRC-32C is of the 56 bytes behind it. The block has a checksum of
 * its own.
 *
 * Invariants: a file has its name only after its bytes are durable; the last part of a run has it
 * only after the others' names are durable. So a run without its last part is one that was being
 * written, and the log still has it; or, where it is merged, the files that it was to replace are
 * still there. Those go after its last part has its name: where both are there, the merged run
 * counts.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "archive_priv.h"
#include "block.h"
#include "bytes.h"
#include "crc32c.h"
#include "mem.h"
#include "slice.h"

#define SEALED_MAGIC "FLARC001"

enum { SEALED_NUMBERS = 7, SEALED_HEAD_BYTES = 12 + 8 * SEALED_NUMBERS };

/* Seals, merges and what retention leaves of a block are written at the same time. */
static const char *temporary_of(const fl_sealed *block)
{
    if (block->is_emptied)
        return "empty.tmp";
    return block->is_merged ? "merge.tmp" : "seal.tmp";
}

static char kind_of(const fl_sealed *block)
{
    if (block->is_merged)
        return block->is_end ? 'm' : 'q';
    return block->is_end ? 'e' : 'p';
}

/* Sequences in the name: an open knows the runs of a folder before it reads any file. */
void fl_sealed_name(char out[ARCHIVE_NAME_BYTES], const fl_sealed *block)
{
    snprintf(out, ARCHIVE_NAME_BYTES, "%016llx-%016llx-%04x%c.block",
             (unsigned long long)block->first_sequence, (unsigned long long)block->next_sequence,
             block->part, kind_of(block));
}

/* Exactly as many digits, in lower case, and what stands behind them. */
bool fl_sealed_hex_read(uint64_t *out, const char **at, size_t digits, char end)
{
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = *(*at)++;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        *out = *out << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return end == '\0' || *(*at)++ == end;
}

bool fl_sealed_name_read(fl_sealed *out, const char *name)
{
    const char *at = name;
    uint64_t part;
    *out = (fl_sealed){0};
    if (!fl_sealed_hex_read(&out->first_sequence, &at, 16, '-') ||
        !fl_sealed_hex_read(&out->next_sequence, &at, 16, '-') ||
        !fl_sealed_hex_read(&part, &at, 4, '\0'))
        return false;
    out->part = (unsigned)part;
    out->is_end = *at == 'e' || *at == 'm';
    out->is_merged = *at == 'q' || *at == 'm';
    return kind_of(out) == *at && strcmp(at + 1, ".block") == 0;
}

/* In the order of the grammar above. */
static void put_head(unsigned char out[SEALED_HEAD_BYTES], const fl_sealed *block, size_t len)
{
    const uint64_t numbers[SEALED_NUMBERS] = {block->first_sequence,
                                              block->next_sequence,
                                              (uint64_t)block->min_ns,
                                              (uint64_t)block->max_ns,
                                              (uint64_t)block->sealed_ns,
                                              block->records,
                                              len};
    memcpy(out, SEALED_MAGIC, 8);
    for (size_t i = 0; i < SEALED_NUMBERS; i++)
        fl_bytes_put_le(out + 12 + 8 * i, numbers[i], 8);
    fl_bytes_put_le(out + 8, fl_crc32c(0, (fl_slice){out + 12, 8 * SEALED_NUMBERS}), 4);
}

/* What the name says must be what the head says: a file that was renamed by hand is none of ours.
 */
static fl_status read_head(fl_sealed *block, uint64_t *len, const unsigned char *bytes, size_t got,
                           fl_error *err)
{
    if (got < SEALED_HEAD_BYTES)
        return fl_fail(err, FL_E_TRUNCATED, got, "a sealed file ends in its head");
    if (memcmp(bytes, SEALED_MAGIC, 5) != 0)
        return fl_fail(err, FL_E_SYNTAX, 0, "this is no sealed file");
    if (memcmp(bytes, SEALED_MAGIC, 8) != 0)
        return fl_fail(err, FL_E_UNSUPPORTED, 5,
                       "a sealed file of version %.3s, this program reads 001",
                       (const char *)bytes + 5);
    if (fl_bytes_le(bytes + 8, 4) != fl_crc32c(0, (fl_slice){bytes + 12, 8 * SEALED_NUMBERS}))
        return fl_fail(err, FL_E_SYNTAX, 8, "the head of a sealed file is damaged");
    if (fl_bytes_le(bytes + 12, 8) != block->first_sequence ||
        fl_bytes_le(bytes + 20, 8) != block->next_sequence)
        return fl_fail(err, FL_E_SYNTAX, 12, "a sealed file has another's name");
    block->min_ns = (int64_t)fl_bytes_le(bytes + 28, 8);
    block->max_ns = (int64_t)fl_bytes_le(bytes + 36, 8);
    block->sealed_ns = (int64_t)fl_bytes_le(bytes + 44, 8);
    block->records = fl_bytes_le(bytes + 52, 8);
    *len = fl_bytes_le(bytes + 60, 8);
    return FL_OK;
}

/* Bytes, then the name. A temporary file that an earlier failure left is written over. */
fl_status fl_sealed_write_file(bool *is_stray, fl_disk *disk, const char *name,
                               const char *temporary, const fl_slice parts[2], fl_error *err)
{
    fl_disk_file *file;
    fl_error ignored = {0};
    (void)!fl_disk_remove(disk, temporary, &ignored);
    fl_status status = fl_disk_open_file(&file, disk, temporary, true, err);
    if (status != FL_OK)
        return status;
    status = fl_disk_write(file, parts[0], 0, err);
    if (status == FL_OK)
        status = fl_disk_write(file, parts[1], parts[0].len, err);
    if (status == FL_OK)
        status = fl_disk_sync(file, err);
    fl_disk_close_file(file);
    if (status == FL_OK)
        status = fl_disk_rename(disk, temporary, name, err);
    if (status != FL_OK) {
        (void)!fl_disk_remove(disk, temporary, &ignored);
        return status;
    }
    status = fl_disk_sync_names(disk, err);
    if (status != FL_OK)
        *is_stray = fl_disk_remove(disk, name, &ignored) != FL_OK;
    return status;
}

/* Head and block are written one behind the other, without a copy of both. */
fl_status fl_sealed_write(fl_sealed *out, fl_disk *disk, fl_slice block, fl_error *err)
{
    unsigned char head[SEALED_HEAD_BYTES];
    char name[ARCHIVE_NAME_BYTES];
    const fl_slice parts[2] = {{head, sizeof(head)}, block};
    assert(out->first_sequence < out->next_sequence);
    put_head(head, out, block.len);
    fl_sealed_name(name, out);
    out->is_stray = false;
    out->bytes = sizeof(head) + block.len;
    return fl_sealed_write_file(&out->is_stray, disk, name, temporary_of(out), parts, err);
}

/* The head only: there may be thousands of files, and their blocks have checksums for when they are
 * read. */
fl_status fl_sealed_load(fl_sealed *block, fl_disk *disk, fl_error *err)
{
    unsigned char bytes[SEALED_HEAD_BYTES];
    char name[ARCHIVE_NAME_BYTES];
    fl_disk_file *file;
    size_t got = 0;
    uint64_t len = 0;
    fl_sealed_name(name, block);
    fl_status status = fl_disk_open_file(&file, disk, name, false, err);
    if (status != FL_OK)
        return status;
    status = fl_disk_read(&got, file, bytes, sizeof(bytes), 0, err);
    fl_disk_close_file(file);
    if (status == FL_OK)
        status = read_head(block, &len, bytes, got, err);
    if (status == FL_OK && len != block->bytes - SEALED_HEAD_BYTES)
        status = fl_fail(err, FL_E_TRUNCATED, block->bytes, "a sealed file is cut");
    return status;
}

/* The block of a file, as a whole: it is checked before the first record of it is told. *bytes is
 * the caller's to free. */
static fl_status load_block(unsigned char **bytes, size_t *got, const fl_sealed *block,
                            fl_disk *disk, fl_error *err)
{
    char name[ARCHIVE_NAME_BYTES];
    fl_disk_file *file;
    size_t len = (size_t)block->bytes - SEALED_HEAD_BYTES;
    assert(block->bytes >= SEALED_HEAD_BYTES);
    *got = 0;
    *bytes = fl_mem_alloc(len);
    if (*bytes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a block of %zu bytes", len);
    fl_sealed_name(name, block);
    fl_status status = fl_disk_open_file(&file, disk, name, false, err);
    if (status == FL_OK) {
        status = fl_disk_read(got, file, *bytes, len, SEALED_HEAD_BYTES, err);
        fl_disk_close_file(file);
    }
    return status;
}

fl_status fl_sealed_read(const fl_sealed *block, fl_disk *disk, const fl_sink *sink, fl_error *err)
{
    unsigned char *bytes;
    size_t len;
    fl_status status = load_block(&bytes, &len, block, disk, err);
    if (status == FL_OK)
        status = fl_block_read((fl_slice){bytes, len}, sink, err);
    fl_mem_free(bytes);
    return status;
}

fl_status fl_sealed_read_share(const fl_sealed *block, fl_disk *disk, fl_block_share *share,
                               const fl_sink *sink, const fl_numbers *numbers, fl_error *err)
{
    unsigned char *bytes;
    size_t len;
    fl_status status = load_block(&bytes, &len, block, disk, err);
    if (status == FL_OK)
        status = fl_block_read_share((fl_slice){bytes, len}, share, sink, numbers, err);
    fl_mem_free(bytes);
    return status;
}

bool fl_sealed_is_same_run(const fl_sealed *a, const fl_sealed *b)
{
    return a->first_sequence == b->first_sequence && a->next_sequence == b->next_sequence &&
           a->is_merged == b->is_merged;
}

/* By sequence and part. New ones come last but for the load and for merges. */
static bool is_before(const fl_sealed *a, const fl_sealed *b)
{
    if (a->first_sequence != b->first_sequence)
        return a->first_sequence < b->first_sequence;
    if (a->next_sequence != b->next_sequence)
        return a->next_sequence < b->next_sequence;
    return a->part < b->part;
}

/* Entries are on the heap, one by one, since readers hold them while the list moves. */
fl_status fl_archive_add_block(fl_archive *archive, const fl_sealed *block, fl_error *err)
{
    if (archive->block_count == archive->block_cap) {
        size_t cap = archive->block_cap == 0 ? 64 : archive->block_cap * 2;
        fl_sealed **grown = fl_mem_realloc(archive->blocks, cap, sizeof(fl_sealed *));
        if (grown == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a list of blocks");
        archive->blocks = grown;
        archive->block_cap = cap;
    }
    fl_sealed *kept = fl_mem_alloc(sizeof(*kept));
    if (kept == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a list of blocks");
    *kept = *block;
    size_t at = archive->block_count++;
    for (; at > 0 && is_before(kept, archive->blocks[at - 1]); at--)
        archive->blocks[at] = archive->blocks[at - 1];
    archive->blocks[at] = kept;
    return FL_OK;
}

void fl_archive_forget_block(fl_archive *archive, size_t i)
{
    assert(i < archive->block_count);
    fl_mem_free(archive->blocks[i]);
    archive->block_count--;
    memmove(archive->blocks + i, archive->blocks + i + 1,
            (archive->block_count - i) * sizeof(archive->blocks[0]));
}

/* The lock is held: nobody has seen those that are taken back. */
fl_status fl_archive_add_parts(fl_archive *archive, const fl_parts *parts, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < parts->count; i++)
        status = fl_archive_add_block(archive, &parts->items[i], err);
    for (size_t i = archive->block_count; status != FL_OK && i-- > 0;)
        if (fl_sealed_is_same_run(archive->blocks[i], &parts->run))
            fl_archive_forget_block(archive, i);
    return status;
}

/* Blocks stand by sequence, and a head is sealed before the next one: the last is the newest. */
uint64_t fl_archive_sealed_until(const fl_archive *archive)
{
    return archive->block_count > 0 ? archive->blocks[archive->block_count - 1]->next_sequence : 0;
}

/* Names first: a folder is not changed while it is listed. */
static fl_status note_file(void *payload, const char *name, uint64_t size_bytes, fl_error *err)
{
    fl_archive *archive = payload;
    fl_sealed block;
    fl_sealed_hashes hashes;
    fl_kept_profile profile = {.bytes = size_bytes};
    if (fl_sealed_name_read(&block, name)) {
        block.bytes = size_bytes;
        return fl_archive_add_block(archive, &block, err);
    }
    if (fl_sealed_hashes_name_read(&hashes, name))
        return fl_repeats_add_file(archive, &hashes, err);
    if (!fl_profile_name_read(&profile.time_ns, name))
        return FL_OK;
    assert(strlen(name) < sizeof(profile.name));
    memcpy(profile.name, name, strlen(name));
    return fl_archive_add_profile(archive, &profile, err);
}

/* Off the list and off the disk. */
static fl_status remove_unneeded(fl_archive *archive, size_t i, fl_error *err)
{
    char name[ARCHIVE_NAME_BYTES];
    fl_sealed_name(name, archive->blocks[i]);
    archive->stats.found.damaged_files -= archive->blocks[i]->is_damaged;
    archive->stats.found.unfinished_files++;
    fl_archive_forget_block(archive, i);
    return fl_disk_remove(archive->disk, name, err);
}

/* The files of a run that has no end were being written. */
static fl_status remove_unfinished(fl_archive *archive, fl_error *err)
{
    bool has_end = false;
    fl_sealed run = {0};
    fl_status status = FL_OK;
    for (size_t i = archive->block_count; status == FL_OK && i-- > 0;) {
        const fl_sealed *block = archive->blocks[i];
        has_end = block->is_end || (has_end && fl_sealed_is_same_run(block, &run));
        run = *block;
        if (!has_end)
            status = remove_unneeded(archive, i, err);
    }
    return status;
}

/* A later version is no damage: that archive is not for this program, and is not opened. */
static bool is_damage(fl_status status)
{
    return status == FL_E_SYNTAX || status == FL_E_TRUNCATED || status == FL_E_LIMIT;
}

/* A damaged file stays for people, under its name, and does not count: where the log still has its
 * run, that comes back. */
static fl_status load_heads(fl_archive *archive, fl_error *err)
{
    for (size_t i = 0; i < archive->block_count; i++) {
        fl_error found = {0};
        fl_status status = fl_sealed_load(archive->blocks[i], archive->disk, &found);
        if (status != FL_OK && !is_damage(status))
            return fl_fail(err, status, found.offset, "%s", found.message);
        archive->blocks[i]->is_damaged = status != FL_OK;
        archive->stats.found.damaged_files += status != FL_OK;
    }
    return FL_OK;
}

/* What became of a merged run, where the files that it was made of are there as well. */
typedef enum merged_state { MERGED_WHOLE, MERGED_UNFINISHED, MERGED_DAMAGED } merged_state;

/* Parts are missing where a merge failed after the last one had its name: they were removed. (Of a
 * run that stands alone retention may have taken parts.) */
static merged_state state_of(const fl_archive *archive, const fl_sealed *merged)
{
    size_t parts = 0;
    for (size_t i = 0; i < archive->block_count; i++)
        if (fl_sealed_is_same_run(archive->blocks[i], merged)) {
            parts++;
            if (archive->blocks[i]->is_damaged)
                return MERGED_DAMAGED;
        }
    return parts == (size_t)merged->part + 1 ? MERGED_WHOLE : MERGED_UNFINISHED;
}

/* Whether it is one of the files that `merged` was made of. */
static bool is_replaced(const fl_sealed *block, const fl_sealed *merged)
{
    return !block->is_merged && block->first_sequence >= merged->first_sequence &&
           block->next_sequence <= merged->next_sequence;
}

/* A crash came between a merge and the end of what it was made of: one of them goes. Where the
 * merged run is damaged all of it stands back, and nothing goes. */
static fl_status settle_merge(fl_archive *archive, const fl_sealed *merged, fl_error *err)
{
    merged_state state = state_of(archive, merged);
    bool is_found = false;
    fl_status status = FL_OK;
    for (size_t i = 0; i < archive->block_count; i++)
        is_found = is_found || is_replaced(archive->blocks[i], merged);
    for (size_t i = archive->block_count; status == FL_OK && is_found && i-- > 0;) {
        bool is_part = fl_sealed_is_same_run(archive->blocks[i], merged);
        if (state == MERGED_DAMAGED && is_part)
            archive->blocks[i]->is_damaged = true;
        else if ((state == MERGED_WHOLE && is_replaced(archive->blocks[i], merged)) ||
                 (state == MERGED_UNFINISHED && is_part))
            status = remove_unneeded(archive, i, err);
    }
    return status;
}

/* After the heads: which of two is to be believed depends on their damage. From the end, since what
 * goes stands before its merged run, or behind its beginning. */
static fl_status settle_merges(fl_archive *archive, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t left = archive->block_count; status == FL_OK && left > 0; left--) {
        if (left > archive->block_count)
            continue;
        const fl_sealed block = *archive->blocks[left - 1];
        if (block.is_merged && block.is_end)
            status = settle_merge(archive, &block, err);
    }
    return status;
}

static void forget_damaged(fl_archive *archive)
{
    for (size_t i = archive->block_count; i-- > 0;)
        if (archive->blocks[i]->is_damaged) {
            fl_archive_forget_block(archive, i);
        } else {
            archive->stats.found.blocks++;
            archive->stats.found.block_bytes += archive->blocks[i]->bytes;
        }
}

/* Any one of the files that were being written. */
static fl_status find_temporary(void *payload, const char *name, uint64_t size_bytes, fl_error *err)
{
    char *found = payload;
    size_t len = strlen(name);
    (void)size_bytes;
    (void)err;
    if (len < ARCHIVE_NAME_BYTES && fl_slice_ends_with(fl_slice_of(name), FL_SLICE(".tmp")))
        memcpy(found, name, len + 1);
    return FL_OK;
}

/* One after the other: a folder is not changed while it is listed. */
static fl_status remove_temporary(fl_archive *archive, fl_error *err)
{
    for (;;) {
        char name[ARCHIVE_NAME_BYTES] = "";
        fl_status status = fl_disk_list(archive->disk, find_temporary, name, err);
        if (status != FL_OK || name[0] == '\0')
            return status;
        status = fl_disk_remove(archive->disk, name, err);
        if (status != FL_OK)
            return status;
        archive->stats.found.unfinished_files++;
    }
}

/* What is unfinished goes before the heads are read: it may have none. */
fl_status fl_archive_load(fl_archive *archive, fl_error *err)
{
    fl_status status = remove_temporary(archive, err);
    if (status == FL_OK)
        status = fl_disk_list(archive->disk, note_file, archive, err);
    if (status == FL_OK)
        status = remove_unfinished(archive, err);
    if (status == FL_OK)
        status = load_heads(archive, err);
    if (status == FL_OK)
        status = settle_merges(archive, err);
    if (status == FL_OK)
        forget_damaged(archive);
    archive->stats.found.profiles = archive->profile_count;
    archive->stats.found.profile_bytes = archive->profile_bytes;
    return status;
}
