/*
 * fl_fake_disk.h - a disk in memory that fails when it is told to, and that can lose power.
 *
 * Each file has what its process sees and what is durable. fl_fake_disk_crash() keeps of the
 * difference what a real disk may: nothing of a name that was not synced, and of bytes any blocks
 * of 512, by a generator with a seed.
 */
#ifndef FL_FAKE_DISK_H
#define FL_FAKE_DISK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"

enum { FAKE_FILES = 64, FAKE_BLOCK = 512 };

typedef struct fake_bytes {
    unsigned char *ptr;
    size_t len;
} fake_bytes;

typedef struct fake_node {
    fake_bytes seen, durable;
    char name[256];         /* empty: removed */
    char durable_name[256]; /* empty: was not there */
    bool is_used;
} fake_node;

typedef struct fake_disk {
    fl_disk base;
    fake_node nodes[FAKE_FILES];
    uint64_t capacity; /* bytes of all files; writes beyond keep a part and fail with FL_E_LIMIT */
    long fail_after; /* operations that change something until they fail with FL_E_IO; -1: never */
    long operations;
    uint64_t seed;
} fake_disk;

typedef struct fake_file {
    fl_disk_file base;
    fake_node *node;
} fake_file;

static inline fake_disk *fake_of(fl_disk *disk)
{
    return (fake_disk *)disk;
}

static inline uint64_t fake_random(fake_disk *disk)
{
    disk->seed += 0x9E3779B97F4A7C15;
    uint64_t z = disk->seed;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

static inline void fake_resize(fake_bytes *bytes, size_t len)
{
    if (len > bytes->len) {
        bytes->ptr = realloc(bytes->ptr, len);
        memset(bytes->ptr + bytes->len, 0, len - bytes->len);
    }
    bytes->len = len;
}

static inline void fake_copy(fake_bytes *to, const fake_bytes *from)
{
    to->ptr = realloc(to->ptr, from->len + 1);
    if (from->len > 0)
        memcpy(to->ptr, from->ptr, from->len);
    to->len = from->len;
}

static inline bool fake_fails(fl_disk *disk)
{
    fake_disk *fake = fake_of(disk);
    fake->operations++;
    return fake->fail_after >= 0 && fake->fail_after-- == 0;
}

static inline fl_status fake_fail(fl_error *err, const char *what)
{
    return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot %s: made to fail", what);
}

static inline uint64_t fake_used(const fake_disk *disk)
{
    uint64_t used = 0;
    for (size_t i = 0; i < FAKE_FILES; i++)
        used += disk->nodes[i].name[0] != '\0' ? disk->nodes[i].seen.len : 0;
    return used;
}

static inline fake_node *fake_find(fl_disk *disk, const char *name)
{
    for (size_t i = 0; i < FAKE_FILES; i++)
        if (strcmp(fake_of(disk)->nodes[i].name, name) == 0)
            return &fake_of(disk)->nodes[i];
    return NULL;
}

static inline fl_status fake_list(fl_disk *disk, fl_disk_visit *visit, void *payload, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; status == FL_OK && i < FAKE_FILES; i++) {
        const fake_node *node = &fake_of(disk)->nodes[i];
        if (node->name[0] != '\0')
            status = visit(payload, node->name, node->seen.len, err);
    }
    return status;
}

static inline fl_status fake_open(fl_disk_file **out, fl_disk *disk, const char *name, bool is_new,
                                  fl_error *err)
{
    fake_node *node = fake_find(disk, name);
    if (is_new) {
        if (fake_fails(disk))
            return fake_fail(err, "make a file");
        if (node != NULL)
            return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot make %s: File exists", name);
        for (size_t i = 0; node == NULL && i < FAKE_FILES; i++)
            if (!fake_of(disk)->nodes[i].is_used)
                node = &fake_of(disk)->nodes[i];
        if (node == NULL)
            return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "no room for a file");
        node->is_used = true;
        snprintf(node->name, sizeof(node->name), "%s", name);
    }
    if (node == NULL)
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "there is no %s", name);
    fake_file *file = calloc(1, sizeof(*file));
    file->base.disk = disk;
    file->node = node;
    *out = &file->base;
    return FL_OK;
}

static inline fl_status fake_rename(fl_disk *disk, const char *from, const char *to, fl_error *err)
{
    fake_node *node = fake_find(disk, from), *old = fake_find(disk, to);
    if (fake_fails(disk) || node == NULL)
        return fake_fail(err, "rename");
    if (old != NULL)
        old->name[0] = '\0';
    snprintf(node->name, sizeof(node->name), "%s", to);
    return FL_OK;
}

static inline fl_status fake_remove(fl_disk *disk, const char *name, fl_error *err)
{
    fake_node *node = fake_find(disk, name);
    if (fake_fails(disk) || node == NULL)
        return fake_fail(err, "remove");
    node->name[0] = '\0';
    return FL_OK;
}

static inline void fake_forget(fake_node *node)
{
    free(node->seen.ptr);
    free(node->durable.ptr);
    *node = (fake_node){0};
}

static inline fl_status fake_sync_names(fl_disk *disk, fl_error *err)
{
    if (fake_fails(disk))
        return fake_fail(err, "sync names");
    for (size_t i = 0; i < FAKE_FILES; i++) {
        fake_node *node = &fake_of(disk)->nodes[i];
        memcpy(node->durable_name, node->name, sizeof(node->name));
        if (node->is_used && node->name[0] == '\0')
            fake_forget(node);
    }
    return FL_OK;
}

static inline fl_status fake_read(size_t *got, fl_disk_file *file, unsigned char *to, size_t len,
                                  uint64_t offset, fl_error *err)
{
    const fake_bytes *seen = &((fake_file *)file)->node->seen;
    (void)err;
    if (offset < seen->len) {
        *got = seen->len - offset < len ? (size_t)(seen->len - offset) : len;
        memcpy(to, seen->ptr + offset, *got);
    }
    return FL_OK;
}

static inline fl_status fake_write(fl_disk_file *file, fl_slice bytes, uint64_t offset,
                                   fl_error *err)
{
    fake_disk *disk = fake_of(file->disk);
    fake_bytes *seen = &((fake_file *)file)->node->seen;
    size_t len = bytes.len;
    bool is_broken = fake_fails(file->disk), is_full = false;
    if (is_broken)
        len = (size_t)(fake_random(disk) % (len + 1)); /* a part of it was written */
    if (disk->capacity > 0 && offset + len > seen->len &&
        fake_used(disk) + offset + len - seen->len > disk->capacity) {
        is_full = true;
        len = len / 2;
    }
    if (offset + len > seen->len)
        fake_resize(seen, (size_t)(offset + len));
    if (len > 0)
        memcpy(seen->ptr + offset, bytes.ptr, len);
    if (is_full)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "cannot write: No space left on device");
    return is_broken ? fake_fail(err, "write") : FL_OK;
}

static inline fl_status fake_reserve(fl_disk_file *file, uint64_t size_bytes, fl_error *err)
{
    fake_disk *disk = fake_of(file->disk);
    fake_bytes *seen = &((fake_file *)file)->node->seen;
    if (fake_fails(file->disk))
        return fake_fail(err, "reserve");
    if (disk->capacity > 0 && fake_used(disk) - seen->len + size_bytes > disk->capacity)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "cannot reserve: No space left on device");
    fake_resize(seen, (size_t)size_bytes);
    return FL_OK;
}

static inline fl_status fake_truncate(fl_disk_file *file, uint64_t size_bytes, fl_error *err)
{
    if (fake_fails(file->disk))
        return fake_fail(err, "truncate");
    fake_resize(&((fake_file *)file)->node->seen, (size_t)size_bytes);
    return FL_OK;
}

static inline fl_status fake_sync(fl_disk_file *file, fl_error *err)
{
    fake_node *node = ((fake_file *)file)->node;
    if (fake_fails(file->disk))
        return fake_fail(err, "sync");
    fake_copy(&node->durable, &node->seen);
    return FL_OK;
}

static inline void fake_close(fl_disk_file *file)
{
    free(file);
}

static inline void fake_destroy(fl_disk *disk)
{
    for (size_t i = 0; i < FAKE_FILES; i++)
        fake_forget(&fake_of(disk)->nodes[i]);
    free(fake_of(disk));
}

static const fl_disk_ops fake_ops = {
    .list = fake_list,
    .open = fake_open,
    .rename = fake_rename,
    .remove = fake_remove,
    .sync_names = fake_sync_names,
    .destroy = fake_destroy,
    .read = fake_read,
    .write = fake_write,
    .reserve = fake_reserve,
    .truncate = fake_truncate,
    .sync = fake_sync,
    .close = fake_close,
};

/* Closed with fl_disk_close(). */
static inline fake_disk *fake_disk_make(uint64_t seed)
{
    fake_disk *disk = calloc(1, sizeof(*disk));
    disk->base.ops = &fake_ops;
    disk->fail_after = -1;
    disk->seed = seed;
    return disk;
}

/* Of the bytes that differ, some blocks were kept; so may the size. */
static inline void fake_crash_bytes(fake_disk *disk, fake_node *node)
{
    size_t len = fake_random(disk) % 2 == 0 ? node->seen.len : node->durable.len;
    fake_resize(&node->durable, len);
    for (size_t at = 0; at < len; at += FAKE_BLOCK) {
        size_t step = len - at < FAKE_BLOCK ? len - at : FAKE_BLOCK;
        if (at + step <= node->seen.len && fake_random(disk) % 2 == 0)
            memcpy(node->durable.ptr + at, node->seen.ptr + at, step);
    }
    fake_copy(&node->seen, &node->durable);
}

/* The power goes and comes back. Files of the last process must be closed. */
static inline void fake_disk_crash(fake_disk *disk)
{
    disk->fail_after = -1;
    for (size_t i = 0; i < FAKE_FILES; i++) {
        fake_node *node = &disk->nodes[i];
        bool keeps_new_name = fake_random(disk) % 2 == 0;
        if (!node->is_used)
            continue;
        if (!keeps_new_name)
            memcpy(node->name, node->durable_name, sizeof(node->name));
        memcpy(node->durable_name, node->name, sizeof(node->name));
        if (node->name[0] == '\0')
            fake_forget(node);
        else
            fake_crash_bytes(disk, node);
    }
}

#endif
