/*
 * fuzz_archive.c - a batch of hostile bytes: records that keep their promises, or a refusal with
 * its place; and what was told makes a batch that tells the same again.
 *
 * Input: a batch.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "batch_priv.h"
#include "fuzz.h"

static fl_status take_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                               fl_error *err)
{
    const fl_sink *next = payload;
    return next->resource(next->payload, resource, handle, err);
}

static fl_status take_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    const fl_sink *next = payload;
    assert(span->id != 0 && span->end_ns >= span->start_ns && span->kind <= FL_SPAN_CONSUMER);
    return next->span(next->payload, resource, span, err);
}

static fl_status take_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    const fl_sink *next = payload;
    return next->log(next->payload, resource, log, err);
}

static fl_status take_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    const fl_sink *next = payload;
    assert(point->kind <= FL_POINT_PART);
    assert(point->kind != FL_POINT_HISTOGRAM || point->bucket_count == 0 ||
           point->bucket_count == point->bound_count + 1);
    return next->point(next->payload, resource, point, err);
}

static fl_status take_change(void *payload, const fl_change_record *change, fl_error *err)
{
    const fl_sink *next = payload;
    assert(change->kind < FL_CHANGE_KIND_COUNT);
    return next->change(next->payload, change, err);
}

static fl_status take_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    const fl_sink *next = payload;
    return next->alert(next->payload, alert, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_error err = {0};
    fl_archive_batch *batch, *again;
    fl_batch_reader *reader;
    unsigned char *copy = malloc(size + 1); /* of its own, so that reading beyond it is noticed */
    assert(copy != NULL);
    memcpy(copy, data, size);
    if (fl_archive_batch_create(&batch, &err) != FL_OK ||
        fl_archive_batch_create(&again, &err) != FL_OK ||
        fl_batch_reader_create(&reader, &err) != FL_OK)
        abort();
    fl_sink next = *fl_archive_batch_sink(batch);
    const fl_sink sink = {.payload = &next,
                          .resource = take_resource,
                          .span = take_span,
                          .log = take_log,
                          .point = take_point,
                          .change = take_change,
                          .alert = take_alert};
    fl_status status = fl_batch_read(reader, (fl_slice){copy, size}, &sink, &err);
    assert(status == err.status);
    assert(status != FL_OK || fl_archive_batch_rejected(batch) == 0);
    next = *fl_archive_batch_sink(again);
    err = (fl_error){0};
    status = fl_batch_read(reader, fl_batch_bytes(batch), &sink, &err);
    assert(status == FL_OK);
    assert(fl_archive_batch_bytes(again) == fl_archive_batch_bytes(batch));
    assert(memcmp(fl_batch_bytes(again).ptr, fl_batch_bytes(batch).ptr,
                  fl_archive_batch_bytes(batch)) == 0);
    fl_batch_reader_destroy(reader);
    fl_archive_batch_destroy(again);
    fl_archive_batch_destroy(batch);
    free(copy);
    return 0;
}
