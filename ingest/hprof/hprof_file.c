/*
 * hprof_file.c - a dump as bytes in memory that cost none: the file is mapped; a packed one is
 * unpacked into a file without a name first.
 */
#define _DEFAULT_SOURCE 1 /* madvise */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "faultline/limits.h"
#include "hprof_priv.h"
#include "mem.h"
#include "stream.h"

enum { UNPACK_BYTES = 1 << 20 };

/* Signals interrupt long writes. */
static fl_status write_all(int fd, const char *folder, const unsigned char *bytes, size_t len,
                           fl_error *err)
{
    while (len > 0) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot unpack the heap dump in %s: %s",
                           folder, strerror(errno));
        bytes += done;
        len -= (size_t)done;
    }
    return FL_OK;
}

/* A file that nobody else can open and that goes with its descriptor; -1 with errno. */
static int nameless_file(const char *folder)
{
    char path[4096];
    int len = snprintf(path, sizeof(path), "%s/faultline-XXXXXX", folder);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkstemp(path);
    if (fd >= 0)
        (void)unlink(path);
    return fd;
}

/* Arrays of zeros are packed a thousand times, and are no attack: what the disk has room for may be
 * unpacked, up to the bound of a dump. */
static uint64_t room_on(int fd)
{
    struct statvfs disk;
    if (fstatvfs(fd, &disk) != 0 || disk.f_frsize == 0 ||
        disk.f_bavail > FL_MAX_HPROF_BYTES / disk.f_frsize)
        return FL_MAX_HPROF_BYTES;
    return (uint64_t)disk.f_bavail * disk.f_frsize;
}

/* What can be unpacked is, and why no more in dump->unpacking. */
static fl_status unpack(fl_hprof *dump, int to, const char *path, const char *folder, fl_error *err)
{
    fl_stream *in = NULL;
    fl_status status = fl_stream_open(&in, path, err);
    unsigned char *block = status == FL_OK ? fl_mem_alloc(UNPACK_BYTES) : NULL;
    uint64_t total = 0;
    size_t len = 1;
    if (status == FL_OK && block == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    if (status == FL_OK)
        fl_stream_allow(in, room_on(to));
    while (status == FL_OK && len > 0) {
        if (fl_stream_read(in, block, UNPACK_BYTES, &len, &dump->unpacking) != FL_OK)
            break;
        total += len;
        if (total > FL_MAX_HPROF_BYTES)
            status = fl_fail(err, FL_E_LIMIT, total, "the heap dump unpacks to more than %llu GiB",
                             (unsigned long long)(FL_MAX_HPROF_BYTES >> 30));
        else
            status = write_all(to, folder, block, len, err);
    }
    fl_mem_free(block);
    fl_stream_close(in);
    return status;
}

/* An empty file is mapped to no bytes, and is refused for what it does not say. */
static fl_status map_descriptor(fl_hprof *dump, int fd, const char *path, fl_error *err)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot map %s: it is no file", path);
    if (facts.st_size == 0)
        return FL_OK;
    void *mapping = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (mapping == MAP_FAILED)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot map %s: %s", path, strerror(errno));
    dump->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* without it heads are read out of the mapping */
    dump->mapping = mapping;
    dump->mapping_bytes = (size_t)facts.st_size;
    dump->bytes = (fl_slice){.ptr = mapping, .len = dump->mapping_bytes};
    return FL_OK;
}

/* The mapping of the packed file gives way to that of the unpacked one. */
static fl_status map_unpacked(fl_hprof *dump, const char *path, const char *folder, fl_error *err)
{
    int fd = nameless_file(folder);
    if (fd < 0)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot unpack the heap dump in %s: %s", folder,
                       strerror(errno));
    fl_status status = unpack(dump, fd, path, folder, err);
    fl_hprof_unmap(dump);
    if (status == FL_OK)
        status = map_descriptor(dump, fd, path, err);
    (void)close(fd);
    return status;
}

fl_status fl_hprof_map(fl_hprof *dump, const char *path, const char *folder, fl_error *err)
{
    assert(dump->mapping == NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is refused, not waited for */
    if (fd < 0)
        return fl_fail(err, errno == ENOENT ? FL_E_NOTFOUND : FL_E_IO, FL_NO_OFFSET,
                       "cannot open %s: %s", path, strerror(errno));
    fl_status status = map_descriptor(dump, fd, path, err);
    (void)close(fd);
    if (status == FL_OK && fl_stream_is_packed(dump->bytes))
        status = map_unpacked(dump, path, folder, err);
    return status;
}

void fl_hprof_unmap(fl_hprof *dump)
{
    if (dump->mapping != NULL) {
        (void)munmap(dump->mapping, dump->mapping_bytes);
        if (dump->fd >= 0)
            (void)close(dump->fd);
    }
    dump->mapping = NULL;
    dump->bytes = (fl_slice){.ptr = NULL, .len = 0};
}

bool fl_hprof_peek(unsigned char *to, size_t len, const fl_hprof *dump, size_t pos)
{
    assert(pos <= dump->bytes.len);
    if (len > dump->bytes.len - pos)
        return false;
    if (dump->mapping == NULL || dump->fd < 0) {
        memcpy(to, dump->bytes.ptr + pos, len);
        return true;
    }
    return pread(dump->fd, to, len, (off_t)pos) == (ssize_t)len;
}

void fl_hprof_release(const fl_hprof *dump, size_t start, size_t end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t first = (start + page - 1) / page * page, last = end / page * page;
    assert(start <= end && end <= dump->bytes.len);
    if (dump->mapping != NULL && first < last) /* that it fails costs memory, and nothing else */
        (void)madvise((unsigned char *)dump->mapping + first, last - first, MADV_DONTNEED);
}
