/*
 * disk_posix.c - a folder of the machine's file system.
 *
 * The folder's own descriptor holds the lock (flock: gone with the process, however it ends), and
 * its fsync makes names durable. Names are relative to it, so that a folder that is moved stays
 * the same one.
 */
#define _GNU_SOURCE /* flock, fallocate */
#include "disk.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

struct folder {
    fl_disk base;
    int fd;
    char path[PATH_MAX]; /* for sentences */
};

struct posix_file {
    fl_disk_file base;
    int fd;
    char name[NAME_MAX + 1];
};

static struct folder *folder_of(fl_disk *disk)
{
    return (struct folder *)disk;
}

static struct posix_file *file_of(fl_disk_file *file)
{
    return (struct posix_file *)file;
}

/* What errno means for the caller; `verb` reads "cannot `verb` FOLDER/NAME". */
static fl_status fail(fl_error *err, const struct folder *folder, const char *verb,
                      const char *name)
{
    int code = errno;
    fl_status status = FL_E_IO;
    if (code == ENOSPC || code == EDQUOT || code == EFBIG)
        status = FL_E_LIMIT;
    else if (code == ENOENT)
        status = FL_E_NOTFOUND;
    else if (code == ENOMEM)
        status = FL_E_NOMEM;
    return fl_fail(err, status, FL_NO_OFFSET, "cannot %s %.70s/%.40s: %s", verb, folder->path, name,
                   strerror(code));
}

static fl_status fail_file(fl_error *err, fl_disk_file *file, const char *verb)
{
    return fail(err, folder_of(file->disk), verb, file_of(file)->name);
}

/* A file that goes away during the listing is not there. */
static fl_status visit_entry(fl_disk *disk, const char *name, fl_disk_visit *visit, void *payload,
                             fl_error *err)
{
    struct stat about;
    if (fstatat(folder_of(disk)->fd, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? FL_OK : fail(err, folder_of(disk), "look at", name);
    return S_ISREG(about.st_mode) ? visit(payload, name, (uint64_t)about.st_size, err) : FL_OK;
}

static fl_status posix_list(fl_disk *disk, fl_disk_visit *visit, void *payload, fl_error *err)
{
    /* a descriptor of its own: a listing moves its offset */
    int fd = openat(folder_of(disk)->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    fl_status status = FL_OK;
    if (entries == NULL) {
        status = fail(err, folder_of(disk), "list", "");
        if (fd >= 0)
            close(fd);
        return status;
    }
    for (errno = 0; status == FL_OK && (entry = readdir(entries)) != NULL; errno = 0)
        status = visit_entry(disk, entry->d_name, visit, payload, err);
    if (status == FL_OK && errno != 0)
        status = fail(err, folder_of(disk), "list", "");
    closedir(entries);
    return status;
}

/* No links: a name in the folder is a file of the folder. */
static fl_status posix_open(fl_disk_file **out, fl_disk *disk, const char *name, bool is_new,
                            fl_error *err)
{
    assert(strlen(name) <= NAME_MAX && strchr(name, '/') == NULL);
    struct posix_file *made = fl_mem_calloc(1, sizeof(*made));
    if (made == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a file");
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (is_new ? O_CREAT | O_EXCL : 0);
    made->fd = openat(folder_of(disk)->fd, name, flags, 0600);
    if (made->fd < 0) {
        fl_mem_free(made);
        return fail(err, folder_of(disk), is_new ? "make" : "open", name);
    }
    made->base.disk = disk;
    snprintf(made->name, sizeof(made->name), "%s", name);
    *out = &made->base;
    return FL_OK;
}

static fl_status posix_rename(fl_disk *disk, const char *from, const char *to, fl_error *err)
{
    int fd = folder_of(disk)->fd;
    return renameat(fd, from, fd, to) == 0 ? FL_OK : fail(err, folder_of(disk), "rename", from);
}

static fl_status posix_remove(fl_disk *disk, const char *name, fl_error *err)
{
    return unlinkat(folder_of(disk)->fd, name, 0) == 0 ? FL_OK
                                                       : fail(err, folder_of(disk), "remove", name);
}

static fl_status posix_sync_names(fl_disk *disk, fl_error *err)
{
    return fsync(folder_of(disk)->fd) == 0 ? FL_OK : fail(err, folder_of(disk), "sync", "");
}

static void posix_destroy(fl_disk *disk)
{
    close(folder_of(disk)->fd);
    fl_mem_free(folder_of(disk));
}

/* Until all is there or the file ends. */
static fl_status posix_read(size_t *got, fl_disk_file *file, unsigned char *to, size_t len,
                            uint64_t offset, fl_error *err)
{
    while (*got < len) {
        ssize_t count = pread(file_of(file)->fd, to + *got, len - *got, (off_t)(offset + *got));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_file(err, file, "read");
        if (count == 0)
            break;
        *got += (size_t)count;
    }
    return FL_OK;
}

/* A signal or a short write is not a failure. */
static fl_status posix_write(fl_disk_file *file, fl_slice bytes, uint64_t offset, fl_error *err)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t count =
            pwrite(file_of(file)->fd, bytes.ptr + done, bytes.len - done, (off_t)(offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_file(err, file, "write");
        done += (size_t)count;
    }
    return FL_OK;
}

/* Where the file system cannot take room ahead, only the size is set. */
static fl_status posix_reserve(fl_disk_file *file, uint64_t size_bytes, fl_error *err)
{
    int fd = file_of(file)->fd;
    if (fallocate(fd, 0, 0, (off_t)size_bytes) == 0)
        return FL_OK;
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        return fail_file(err, file, "reserve room for");
    return ftruncate(fd, (off_t)size_bytes) == 0 ? FL_OK : fail_file(err, file, "enlarge");
}

static fl_status posix_truncate(fl_disk_file *file, uint64_t size_bytes, fl_error *err)
{
    return ftruncate(file_of(file)->fd, (off_t)size_bytes) == 0 ? FL_OK
                                                                : fail_file(err, file, "shorten");
}

/* fdatasync: size and bytes; times are of no use here. */
static fl_status posix_sync(fl_disk_file *file, fl_error *err)
{
    return fdatasync(file_of(file)->fd) == 0 ? FL_OK : fail_file(err, file, "sync");
}

static void posix_close(fl_disk_file *file)
{
    close(file_of(file)->fd);
    fl_mem_free(file_of(file));
}

static const fl_disk_ops posix_ops = {
    .list = posix_list,
    .open = posix_open,
    .rename = posix_rename,
    .remove = posix_remove,
    .sync_names = posix_sync_names,
    .destroy = posix_destroy,
    .read = posix_read,
    .write = posix_write,
    .reserve = posix_reserve,
    .truncate = posix_truncate,
    .sync = posix_sync,
    .close = posix_close,
};

/* The lock belongs to the descriptor: it ends with the process, and a second open is refused. */
static fl_status open_folder(struct folder *folder, fl_error *err)
{
    if (mkdir(folder->path, 0700) != 0 && errno != EEXIST)
        return fail(err, folder, "make", "");
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0)
        return fail(err, folder, "open", "");
    if (flock(folder->fd, LOCK_EX | LOCK_NB) == 0)
        return FL_OK;
    fl_status status = errno == EWOULDBLOCK
                           ? fl_fail(err, FL_E_IO, FL_NO_OFFSET,
                                     "%.120s is in use by another process", folder->path)
                           : fail(err, folder, "lock", "");
    close(folder->fd);
    return status;
}

fl_status fl_disk_open(fl_disk **out, const char *path, fl_error *err)
{
    assert(out != NULL && path != NULL);
    *out = NULL;
    if (strlen(path) >= PATH_MAX)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "the path of a folder has at most %d bytes",
                       PATH_MAX - 1);
    struct folder *made = fl_mem_calloc(1, sizeof(*made));
    if (made == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a folder");
    made->base.ops = &posix_ops;
    snprintf(made->path, sizeof(made->path), "%s", path);
    fl_status status = open_folder(made, err);
    if (status == FL_OK)
        *out = &made->base;
    else
        fl_mem_free(made);
    return status;
}
