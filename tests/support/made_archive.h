/*
 * made_archive.h - batches of log lines, and what an archive has of them, for its tests.
 */
#ifndef FL_MADE_ARCHIVE_H
#define FL_MADE_ARCHIVE_H

#include <stdio.h>

#include "archive.h"
#include "buf.h"
#include "fl_test.h"
#include "slice.h"

/* The batch becomes one log line. */
static inline void made_archive_line(fl_archive_batch *batch, int64_t time_ns, const char *text)
{
    const fl_sink *sink = fl_archive_batch_sink(batch);
    const fl_resource resource = {.service = SLICE("pay")};
    const fl_log log = {.time_ns = time_ns, .body = SLICE(text)};
    uint32_t handle;
    fl_archive_batch_clear(batch);
    ck_assert_int_eq(sink->resource(sink->payload, &resource, &handle, NULL), FL_OK);
    ck_assert_int_eq(sink->log(sink->payload, handle, &log, NULL), FL_OK);
}

static inline fl_status made_archive_add_body(void *payload, uint32_t resource, const fl_log *log,
                                              fl_error *err)
{
    (void)resource;
    (void)err;
    fl_buf_printf(payload, "%.*s ", FL_SLICE_ARG(log->body));
    return FL_OK;
}

static inline fl_status made_archive_resource(void *payload, const fl_resource *resource,
                                              uint32_t *handle, fl_error *err)
{
    (void)payload;
    (void)resource;
    (void)err;
    *handle = 0;
    return FL_OK;
}

/* The bodies of a range, each with a space behind it; disposed of by the caller. */
static inline fl_buf made_archive_lines(fl_archive *archive, int64_t from_ns, int64_t to_ns)
{
    fl_error err = {0};
    fl_buf bodies = fl_buf_of(64 << 20);
    const fl_sink sink = {
        .payload = &bodies, .resource = made_archive_resource, .log = made_archive_add_body};
    fl_buf_text(&bodies, "");
    ck_assert_ok(fl_archive_read(archive, from_ns, to_ns, &sink, &err));
    return bodies;
}

#endif
