/*
 * archive_parts.c - records become the files of a run, one part after the other.
 *
 * A block is full at some size; then the next part begins with the record that did not fit. The
 * last part has a name of its own: so the bytes of a part wait until the next one is ready, or
 * there is none.
 *
 * Memory: one writer, and one part as it stands in its file.
 */
#include <assert.h>

#include "archive_priv.h"
#include "mem.h"

/* A part's number has four digits in a name. */
enum { MAX_PARTS = 0xffff };

fl_status fl_parts_open(fl_parts *out, fl_disk *disk, const fl_sealed *run, size_t block_bytes,
                        fl_error *err)
{
    assert(run->first_sequence < run->next_sequence);
    *out = (fl_parts){.disk = disk, .run = *run, .waiting = fl_buf_of(SIZE_MAX / 4)};
    fl_batch_facts_clear(&out->facts);
    fl_status status = fl_block_writer_create(&out->writer, block_bytes, err);
    if (status == FL_OK)
        out->to = fl_block_writer_sink(out->writer);
    return status;
}

void fl_parts_dispose(fl_parts *parts)
{
    fl_block_writer_destroy(parts->writer);
    fl_buf_dispose(&parts->waiting);
    fl_mem_free(parts->items);
}

/* Room in the list is made before anything is written. */
static fl_status reserve_part(fl_parts *parts, fl_error *err)
{
    size_t cap = parts->cap == 0 ? 4 : parts->cap * 2;
    if (parts->count < parts->cap)
        return FL_OK;
    fl_sealed *grown = cap <= MAX_PARTS ? fl_mem_realloc(parts->items, cap, sizeof(*grown)) : NULL;
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the parts of a block");
    parts->items = grown;
    parts->cap = cap;
    return FL_OK;
}

/* The part that waits becomes a file. */
static fl_status write_waiting(fl_parts *parts, bool is_end, fl_error *err)
{
    fl_sealed *part = &parts->items[parts->count];
    part->is_end = is_end;
    fl_status status = fl_sealed_write(part, parts->disk, fl_buf_slice(&parts->waiting), err);
    parts->has_stray = parts->has_stray || part->is_stray;
    if (status == FL_OK) {
        parts->count++;
        parts->has_waiting = false;
        fl_buf_clear(&parts->waiting);
    }
    return status;
}

fl_status fl_parts_next(fl_parts *parts, fl_error *err)
{
    fl_status status = parts->has_waiting ? write_waiting(parts, false, err) : FL_OK;
    if (status == FL_OK)
        status = reserve_part(parts, err);
    if (status == FL_OK)
        status = fl_block_finish(&parts->waiting, parts->writer, err);
    if (status != FL_OK) {
        parts->has_failed = true;
        return status;
    }
    fl_sealed *part = &parts->items[parts->count];
    *part = parts->run;
    part->part = (unsigned)parts->count;
    part->min_ns = parts->facts.min_ns;
    part->max_ns = parts->facts.max_ns;
    part->records = fl_batch_facts_records(&parts->facts);
    parts->has_waiting = true;
    fl_batch_facts_clear(&parts->facts);
    return FL_OK;
}

/* A run without records has one part all the same: its name says what the log need not tell. */
fl_status fl_parts_end(fl_parts *parts, fl_error *err)
{
    fl_status status = FL_OK;
    if (fl_block_writer_records(parts->writer) > 0 || !parts->has_waiting)
        status = fl_parts_next(parts, err);
    if (status == FL_OK)
        status = write_waiting(parts, true, err);
    parts->has_failed = parts->has_failed || status != FL_OK;
    return status;
}

void fl_parts_forget(fl_parts *parts)
{
    fl_block_writer_clear(parts->writer);
    fl_batch_facts_clear(&parts->facts);
    parts->is_full = false;
}

/* Those that a crash brings back go with the next open. */
bool fl_parts_remove(fl_parts *parts)
{
    char name[ARCHIVE_NAME_BYTES];
    bool is_clean = !parts->has_stray;
    for (size_t i = 0; i < parts->count; i++) {
        fl_error ignored = {0};
        fl_sealed_name(name, &parts->items[i]);
        is_clean = fl_disk_remove(parts->disk, name, &ignored) == FL_OK && is_clean;
    }
    parts->count = 0;
    return is_clean;
}

/* After the writer's answer to a record: whether it has to be asked again, since it is empty now. A
 * record that an empty writer does not take is dropped: it would stop all that follow. */
static bool shall_retry(fl_parts *parts, fl_status *status, fl_error *full, fl_error *err)
{
    if (*status == FL_OK)
        return false;
    if (*status == FL_E_LIMIT && parts->is_one) {
        parts->is_full = true;
    } else if (*status == FL_E_LIMIT && fl_block_writer_records(parts->writer) > 0) {
        *status = fl_parts_next(parts, err);
        return *status == FL_OK;
    } else if (*status == FL_E_LIMIT) {
        parts->dropped++;
        *status = FL_OK;
        return false;
    }
    parts->has_failed = true;
    *status = fl_fail(err, *status, full->offset, "%s", full->message);
    return false;
}

/* The writer says what a handle is in each part anew. */
static fl_status put_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                              fl_error *err)
{
    fl_parts *parts = payload;
    fl_status status = parts->to->resource(parts->to->payload, resource, handle, err);
    parts->has_failed = parts->has_failed || status != FL_OK;
    return status;
}

/* Each kind alike: put it, and once more into the next part. */
static fl_status put_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    fl_parts *parts = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = parts->to->span(parts->to->payload, resource, span, &full);
    } while (shall_retry(parts, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&parts->facts, FL_ARCHIVE_SPAN, span->start_ns);
    return status;
}

static fl_status put_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    fl_parts *parts = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = parts->to->log(parts->to->payload, resource, log, &full);
    } while (shall_retry(parts, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&parts->facts, FL_ARCHIVE_LOG, log->time_ns);
    return status;
}

/* Most of what there is, in most places. */
static fl_status put_number(void *payload, uint32_t resource, fl_slice series,
                            const fl_number *number, fl_error *err)
{
    fl_parts *parts = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = fl_block_writer_number(parts->writer, resource, series, number, &full);
    } while (shall_retry(parts, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&parts->facts, FL_ARCHIVE_POINT, number->time_ns);
    return status;
}

/* Histograms and summaries. */
static fl_status put_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    fl_parts *parts = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = parts->to->point(parts->to->payload, resource, point, &full);
    } while (shall_retry(parts, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&parts->facts, FL_ARCHIVE_POINT, point->time_ns);
    return status;
}

/* Changes and alerts are few, and alike. */
static fl_status put_change(void *payload, const fl_change_record *change, fl_error *err)
{
    fl_parts *parts = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = parts->to->change(parts->to->payload, change, &full);
    } while (shall_retry(parts, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&parts->facts, FL_ARCHIVE_CHANGE, change->time_ns);
    return status;
}

static fl_status put_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    fl_parts *parts = payload;
    fl_status status;
    fl_error full;
    do {
        full = (fl_error){0};
        status = parts->to->alert(parts->to->payload, alert, &full);
    } while (shall_retry(parts, &status, &full, err));
    if (full.status == FL_OK)
        fl_batch_facts_note(&parts->facts, FL_ARCHIVE_ALERT, fl_batch_alert_time(alert));
    return status;
}

fl_sink fl_parts_sink(fl_parts *parts)
{
    return (fl_sink){.payload = parts,
                     .resource = put_resource,
                     .span = put_span,
                     .log = put_log,
                     .point = put_point,
                     .change = put_change,
                     .alert = put_alert};
}

fl_numbers fl_parts_numbers(fl_parts *parts)
{
    return (fl_numbers){.payload = parts, .number = put_number};
}
