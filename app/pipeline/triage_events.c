/*
 * triage_events.c - from a file of events to the decoder that it is for.
 *
 * A file is offered to the readers of alerts and of webhooks, which know their own by its members;
 * what is neither is our own form, whose reader also says what is wrong with a file that cannot be
 * read.
 */
#include "triage_events.h"

#include <assert.h>

#include "alerts.h"
#include "changes.h"
#include "events.h"
#include "mem.h"
#include "slice.h"
#include "stream.h"

/* What is kept of the alerts while they are read. */
struct collecting {
    fl_triage_alert *out;
    fl_arena *arena;
};

static fl_status take_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    struct collecting *c = payload;
    fl_triage_alert *out = c->out;
    bool is_first = out->count++ == 0;
    bool is_better = alert->is_resolved != out->is_resolved ? out->is_resolved
                                                            : alert->starts_ns < out->starts_ns;
    if (!is_first && !is_better)
        return FL_OK;
    out->starts_ns = alert->starts_ns;
    out->is_resolved = alert->is_resolved;
    out->service = NULL;
    if (alert->service.len == 0)
        return FL_OK;
    out->service = fl_arena_cstr(c->arena, alert->service);
    return out->service != NULL ? FL_OK
                                : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for an alert");
}

static fl_status pass_over_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    (void)payload;
    (void)alert;
    (void)err;
    return FL_OK;
}

/* The second reading of the file says what is wrong with it. */
static fl_status pass_over_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)payload;
    (void)reject;
    (void)err;
    return FL_OK;
}

/* All of a file; empty where it cannot be read as a whole, which its reader then says. */
static fl_status read_file(fl_slice *out, fl_stream_block *block, const char *path, fl_error *err)
{
    fl_stream *stream;
    *out = (fl_slice){0};
    fl_status status = fl_stream_open(&stream, path, err);
    if (status != FL_OK)
        return status;
    status = fl_stream_read_all(out, block, stream, FL_MAX_EVENTS_BYTES, NULL);
    fl_stream_close(stream);
    if (status == FL_E_NOMEM)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %s", path);
    if (status != FL_OK || out->len > FL_MAX_EVENTS_BYTES)
        *out = (fl_slice){0};
    return FL_OK;
}

fl_status fl_triage_alerts_read(fl_triage_alert *out, const char *const *paths, size_t count,
                                fl_arena *arena, fl_error *err)
{
    assert(out != NULL && arena != NULL);
    *out = (fl_triage_alert){0};
    struct collecting collecting = {.out = out, .arena = arena};
    fl_sink sink = {.payload = &collecting, .alert = take_alert, .reject = pass_over_reject};
    fl_stream_block block = {0};
    fl_status status = FL_OK;
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        fl_intake to = {.sink = &sink, .source = paths[i]};
        fl_error own = {0};
        fl_slice bytes;
        status = read_file(&bytes, &block, paths[i], err);
        if (status == FL_OK)
            status = fl_alerts_json(&to, bytes, &own);
        if (status == FL_E_UNSUPPORTED)
            status = FL_OK;
        else if (status != FL_OK && own.status != FL_OK)
            status = fl_fail(err, own.status, own.offset, "%s", own.message);
    }
    fl_mem_free(block.ptr);
    return status;
}

fl_status fl_triage_events_read(const fl_sink *sink, const char *path, bool strict, fl_error *err)
{
    fl_stream_block block = {0};
    fl_slice bytes;
    fl_error own = {0};
    assert(sink->change != NULL && sink->reject != NULL);
    fl_status status = read_file(&bytes, &block, path, err);
    if (status != FL_OK)
        return status;
    fl_sink with_alerts = *sink;
    if (with_alerts.alert == NULL)
        with_alerts.alert = pass_over_alert;
    fl_intake to = {.sink = &with_alerts, .source = path, .strict = strict};
    status = fl_alerts_json(&to, bytes, &own);
    if (status == FL_E_UNSUPPORTED) {
        own = (fl_error){0};
        status = fl_changes_json(&to, bytes, 0, &own);
    }
    fl_mem_free(block.ptr);
    if (status == FL_E_UNSUPPORTED)
        return fl_events_file(sink, path, strict, err);
    return status == FL_OK ? FL_OK : fl_fail(err, status, own.offset, "%s", own.message);
}
