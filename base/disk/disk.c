/*
 * disk.c - the calls go to whichever disk it is.
 */
#include "disk.h"

#include <assert.h>

void fl_disk_close(fl_disk *disk)
{
    if (disk != NULL)
        disk->ops->destroy(disk);
}

fl_status fl_disk_list(fl_disk *disk, fl_disk_visit *visit, void *payload, fl_error *err)
{
    assert(disk != NULL && visit != NULL);
    return disk->ops->list(disk, visit, payload, err);
}

fl_status fl_disk_open_file(fl_disk_file **out, fl_disk *disk, const char *name, bool is_new,
                            fl_error *err)
{
    assert(out != NULL && disk != NULL && name != NULL);
    *out = NULL;
    fl_status status = disk->ops->open(out, disk, name, is_new, err);
    assert((status == FL_OK) == (*out != NULL));
    return status;
}

fl_status fl_disk_rename(fl_disk *disk, const char *from, const char *to, fl_error *err)
{
    assert(disk != NULL && from != NULL && to != NULL);
    return disk->ops->rename(disk, from, to, err);
}

fl_status fl_disk_remove(fl_disk *disk, const char *name, fl_error *err)
{
    assert(disk != NULL && name != NULL);
    return disk->ops->remove(disk, name, err);
}

fl_status fl_disk_sync_names(fl_disk *disk, fl_error *err)
{
    assert(disk != NULL);
    return disk->ops->sync_names(disk, err);
}

fl_status fl_disk_read(size_t *got, fl_disk_file *file, unsigned char *to, size_t len,
                       uint64_t offset, fl_error *err)
{
    assert(got != NULL && file != NULL && (len == 0 || to != NULL));
    *got = 0;
    fl_status status = file->disk->ops->read(got, file, to, len, offset, err);
    assert(*got <= len);
    return status;
}

fl_status fl_disk_write(fl_disk_file *file, fl_slice bytes, uint64_t offset, fl_error *err)
{
    assert(file != NULL && (bytes.len == 0 || bytes.ptr != NULL));
    return file->disk->ops->write(file, bytes, offset, err);
}

fl_status fl_disk_reserve(fl_disk_file *file, uint64_t size_bytes, fl_error *err)
{
    assert(file != NULL);
    return file->disk->ops->reserve(file, size_bytes, err);
}

fl_status fl_disk_truncate(fl_disk_file *file, uint64_t size_bytes, fl_error *err)
{
    assert(file != NULL);
    return file->disk->ops->truncate(file, size_bytes, err);
}

fl_status fl_disk_sync(fl_disk_file *file, fl_error *err)
{
    assert(file != NULL);
    return file->disk->ops->sync(file, err);
}

void fl_disk_close_file(fl_disk_file *file)
{
    if (file != NULL)
        file->disk->ops->close(file);
}
