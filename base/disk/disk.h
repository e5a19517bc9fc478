/*
 * disk.h - one folder of files, as what must survive a crash sees it: names, bytes at an offset,
 * and when they are durable. Tests put a disk that fails in its place.
 *
 * What a crash may do: a write that was not followed by fl_disk_sync() is kept, lost, or kept in
 * part; a name made, changed or removed is so only after fl_disk_sync_names(). A failed sync says
 * nothing about what was kept, and syncing again does not help (Rebello et al., "Can Applications
 * Recover from fsync Failures?", 2020): the bytes have to be written elsewhere.
 *
 * Failures: FL_E_LIMIT where the disk or the quota is full, which may pass; FL_E_NOTFOUND; FL_E_IO;
 * FL_E_NOMEM. The sentence names the file.
 */
#ifndef FL_DISK_H
#define FL_DISK_H

#include <stdbool.h>

#include "faultline/status.h"

typedef struct fl_disk fl_disk;
typedef struct fl_disk_file fl_disk_file;

/* `name` is borrowed for the call. Anything but FL_OK ends the listing and is returned by it. */
typedef fl_status fl_disk_visit(void *payload, const char *name, uint64_t size_bytes,
                                fl_error *err);

typedef struct fl_disk_ops {
    fl_status (*list)(fl_disk *disk, fl_disk_visit *visit, void *payload, fl_error *err);
    fl_status (*open)(fl_disk_file **out, fl_disk *disk, const char *name, bool is_new,
                      fl_error *err);
    fl_status (*rename)(fl_disk *disk, const char *from, const char *to, fl_error *err);
    fl_status (*remove)(fl_disk *disk, const char *name, fl_error *err);
    fl_status (*sync_names)(fl_disk *disk, fl_error *err);
    void (*destroy)(fl_disk *disk);
    fl_status (*read)(size_t *got, fl_disk_file *file, unsigned char *to, size_t len,
                      uint64_t offset, fl_error *err);
    fl_status (*write)(fl_disk_file *file, fl_slice bytes, uint64_t offset, fl_error *err);
    fl_status (*reserve)(fl_disk_file *file, uint64_t size_bytes, fl_error *err);
    fl_status (*truncate)(fl_disk_file *file, uint64_t size_bytes, fl_error *err);
    fl_status (*sync)(fl_disk_file *file, fl_error *err);
    void (*close)(fl_disk_file *file);
} fl_disk_ops;

struct fl_disk {
    const fl_disk_ops *ops;
};

struct fl_disk_file {
    fl_disk *disk;
};

/* The machine's own: the folder `path`, made with mode 0700 where it is missing, for this process
 * alone until it is closed (FL_E_IO "... is in use by another process"). The caller owns *out. */
FL_NODISCARD fl_status fl_disk_open(fl_disk **out, const char *path, fl_error *err);
void fl_disk_close(fl_disk *disk); /* NULL is a no-op. Files must be closed before */

/* The files of the folder, in no order; no folders, no links. */
FL_NODISCARD fl_status fl_disk_list(fl_disk *disk, fl_disk_visit *visit, void *payload,
                                    fl_error *err);
/* To read and write. A new one must not exist, the others must. */
FL_NODISCARD fl_status fl_disk_open_file(fl_disk_file **out, fl_disk *disk, const char *name,
                                         bool is_new, fl_error *err);
/* Replaces `to` where it exists, as one step. */
FL_NODISCARD fl_status fl_disk_rename(fl_disk *disk, const char *from, const char *to,
                                      fl_error *err);
FL_NODISCARD fl_status fl_disk_remove(fl_disk *disk, const char *name, fl_error *err);
FL_NODISCARD fl_status fl_disk_sync_names(fl_disk *disk, fl_error *err);

/* Fewer bytes than asked for only at the end of the file. */
FL_NODISCARD fl_status fl_disk_read(size_t *got, fl_disk_file *file, unsigned char *to, size_t len,
                                    uint64_t offset, fl_error *err);
/* All of it, or a failure that leaves any part of it. */
FL_NODISCARD fl_status fl_disk_write(fl_disk_file *file, fl_slice bytes, uint64_t offset,
                                     fl_error *err);
/* Make the file this large, of zeros, with its room on the disk taken where the system can. */
FL_NODISCARD fl_status fl_disk_reserve(fl_disk_file *file, uint64_t size_bytes, fl_error *err);
FL_NODISCARD fl_status fl_disk_truncate(fl_disk_file *file, uint64_t size_bytes, fl_error *err);
/* The file's bytes and size are durable. */
FL_NODISCARD fl_status fl_disk_sync(fl_disk_file *file, fl_error *err);
void fl_disk_close_file(fl_disk_file *file); /* NULL is a no-op */

#endif
