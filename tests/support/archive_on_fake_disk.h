/*
 * archive_on_fake_disk.h - an archive on a disk in memory, without a thread, and lines for it.
 */
#ifndef FL_ARCHIVE_ON_FAKE_DISK_H
#define FL_ARCHIVE_ON_FAKE_DISK_H

#include <stdio.h>

#include "archive.h"
#include "block_text.h"
#include "fl_fake_disk.h"
#include "fl_test.h"
#include "made_archive.h"
#include "made_records.h"
#include "mem.h"

static fl_error err;
static fake_disk *disk;
static fl_archive_recovery found;
static fl_archive_batch *batch;

static inline void set_up(void)
{
    err = (fl_error){0};
    disk = fake_disk_make(1);
    ck_assert_ok(fl_archive_batch_create(&batch, &err));
}

static inline void tear_down(void)
{
    fl_mem_fail_after(-1);
    fl_archive_batch_destroy(batch);
    fl_disk_close(&disk->base);
}

static inline fl_archive *open_with(fl_archive_options options)
{
    fl_archive *archive;
    options.has_no_thread = true;
    options.wal_segment_bytes = options.wal_segment_bytes != 0 ? options.wal_segment_bytes : 4096;
    ck_assert_ok(fl_archive_open(&archive, &found, &disk->base, &options, 1000, &err));
    return archive;
}

static inline fl_archive *open_it(void)
{
    return open_with((fl_archive_options){0});
}

static inline fl_status put_line(fl_archive *archive, int64_t time_ns, const char *text)
{
    bool repeated;
    made_archive_line(batch, time_ns, text);
    err = (fl_error){0};
    return fl_archive_commit(&repeated, archive, batch, &err);
}

/* Valid until the next call. */
static inline const char *lines_of(fl_archive *archive, int64_t from_ns, int64_t to_ns)
{
    static char text[4096];
    fl_buf bodies = made_archive_lines(archive, from_ns, to_ns);
    snprintf(text, sizeof(text), "%s", bodies.ptr);
    fl_buf_dispose(&bodies);
    return text;
}

/* The file of the i-th block. */
static inline fake_node *block_file(size_t i)
{
    for (size_t at = 0; at < FAKE_FILES; at++)
        if (strstr(disk->nodes[at].name, ".block") != NULL && i-- == 0)
            return &disk->nodes[at];
    ck_abort_msg("no such block");
    return NULL;
}

#endif
