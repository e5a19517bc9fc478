/*
 * fuzz_block.c - a block of hostile rows: records that keep their promises, or a refusal with its
 * place; and what was told can be gathered and told again.
 *
 * Input: a block's plain bytes; head, checksum and compression are put around them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "block_priv.h"
#include "crc32c.h"
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

static fl_buf wrap(const uint8_t *data, size_t size)
{
    fl_buf block = fl_buf_of((size_t)1 << 30);
    unsigned char head[BLOCK_HEAD_BYTES] = BLOCK_MAGIC;
    size_t cap = ZSTD_compressBound(size);
    unsigned char *packed = malloc(cap);
    assert(packed != NULL);
    size_t len = ZSTD_compress(packed, cap, data, size, 1);
    for (int i = 0; i < 8; i++)
        head[12 + i] = (unsigned char)((uint64_t)size >> 8 * i);
    uint32_t crc = fl_crc32c(0, (fl_slice){head + 12, 8});
    crc = fl_crc32c(crc, (fl_slice){packed, len});
    for (int i = 0; i < 4; i++)
        head[8 + i] = (unsigned char)(crc >> 8 * i);
    fl_buf_add(&block, (fl_slice){head, sizeof(head)});
    fl_buf_add(&block, (fl_slice){packed, len});
    free(packed);
    return block;
}

static fl_status take_number(void *payload, uint32_t resource, fl_slice series,
                             const fl_number *number, fl_error *err)
{
    return fl_block_writer_number(payload, resource, series, number, err);
}

/* In three shares, as a merge reads a block: together they are all of it. */
static uint64_t records_of_shares(fl_slice block, const fl_sink *sink)
{
    static const fl_block_share shares[] = {
        {.has_others = true},
        {.last = UINT64_MAX / 3, .has_points = true},
        {.first = UINT64_MAX / 3 + 1, .last = UINT64_MAX, .has_points = true}};
    fl_error err = {0};
    fl_block_writer *writer;
    if (fl_block_writer_create(&writer, 64 << 20, &err) != FL_OK)
        abort();
    fl_sink next = *fl_block_writer_sink(writer), to = *sink;
    const fl_numbers numbers = {.payload = writer, .number = take_number};
    to.payload = &next;
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        fl_block_share share = shares[i];
        fl_status status = fl_block_read_share(block, &share, &to, &numbers, &err);
        assert(status == FL_OK);
    }
    uint64_t records = fl_block_writer_records(writer);
    fl_block_writer_destroy(writer);
    return records;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_error err = {0};
    fl_block_writer *writer;
    fl_buf block = wrap(data, size), again = fl_buf_of((size_t)1 << 30);
    if (fl_block_writer_create(&writer, 64 << 20, &err) != FL_OK)
        abort();
    fl_sink next = *fl_block_writer_sink(writer);
    const fl_sink sink = {.payload = &next,
                          .resource = take_resource,
                          .span = take_span,
                          .log = take_log,
                          .point = take_point,
                          .change = take_change,
                          .alert = take_alert};
    fl_status status = fl_block_read(fl_buf_slice(&block), &sink, &err);
    assert(status == err.status);
    uint64_t records = fl_block_writer_records(writer);
    err = (fl_error){0};
    if (status == FL_OK && records > 0) {
        status = fl_block_finish(&again, writer, &err);
        assert(status == FL_OK);
        status = fl_block_read(fl_buf_slice(&again), &sink, &err);
        assert(status == FL_OK && fl_block_writer_records(writer) == records);
        assert(records_of_shares(fl_buf_slice(&again), &sink) == records);
    }
    fl_block_writer_destroy(writer);
    fl_buf_dispose(&block);
    fl_buf_dispose(&again);
    return 0;
}
