/*
 * batch_sinks.c - sinks in front of others: one that notes what there is, one that passes a range
 * of time.
 *
 * A record has one time by which it is found: of a span its start, of an alert its start or, once
 * it is resolved, its end. Both sinks agree on it, so that what facts leave out no range holds.
 */
#include <assert.h>

#include "batch_priv.h"

/* Facts do not depend on whom records are about. */
static fl_status note_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                               fl_error *err)
{
    (void)payload;
    (void)resource;
    (void)err;
    *handle = 0;
    return FL_OK;
}

static fl_status note_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    (void)resource;
    (void)err;
    fl_batch_facts_note(payload, FL_ARCHIVE_SPAN, span->start_ns);
    return FL_OK;
}

static fl_status note_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    (void)resource;
    (void)err;
    fl_batch_facts_note(payload, FL_ARCHIVE_LOG, log->time_ns);
    return FL_OK;
}

static fl_status note_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    (void)resource;
    (void)err;
    fl_batch_facts_note(payload, FL_ARCHIVE_POINT, point->time_ns);
    return FL_OK;
}

static fl_status note_change(void *payload, const fl_change_record *change, fl_error *err)
{
    (void)err;
    fl_batch_facts_note(payload, FL_ARCHIVE_CHANGE, change->time_ns);
    return FL_OK;
}

static fl_status note_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    (void)err;
    fl_batch_facts_note(payload, FL_ARCHIVE_ALERT, fl_batch_alert_time(alert));
    return FL_OK;
}

static fl_status ignore_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)payload;
    (void)reject;
    (void)err;
    return FL_OK;
}

fl_sink fl_batch_facts_sink(fl_batch_facts *facts)
{
    assert(facts != NULL);
    return (fl_sink){.payload = facts,
                     .resource = note_resource,
                     .span = note_span,
                     .log = note_log,
                     .point = note_point,
                     .change = note_change,
                     .alert = note_alert,
                     .reject = ignore_reject};
}

/* The range is half open, so that neighbouring ranges share nothing. */
static bool holds(const fl_batch_window *window, int64_t time_ns)
{
    return time_ns >= window->from_ns && time_ns < window->to_ns;
}

/* Whose failure it was is asked afterwards. */
static fl_status note_failure(fl_batch_window *window, fl_status status)
{
    window->has_failed = window->has_failed || status != FL_OK;
    return status;
}

/* Resources pass whether or not a record of theirs does: which will is not known yet. */
static fl_status pass_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                               fl_error *err)
{
    fl_batch_window *window = payload;
    return note_failure(window, window->to->resource(window->to->payload, resource, handle, err));
}

static fl_status pass_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    fl_batch_window *window = payload;
    if (!holds(window, span->start_ns))
        return FL_OK;
    return note_failure(window, window->to->span(window->to->payload, resource, span, err));
}

static fl_status pass_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    fl_batch_window *window = payload;
    if (!holds(window, log->time_ns))
        return FL_OK;
    return note_failure(window, window->to->log(window->to->payload, resource, log, err));
}

static fl_status pass_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    fl_batch_window *window = payload;
    if (!holds(window, point->time_ns))
        return FL_OK;
    return note_failure(window, window->to->point(window->to->payload, resource, point, err));
}

static fl_status pass_change(void *payload, const fl_change_record *change, fl_error *err)
{
    fl_batch_window *window = payload;
    if (!holds(window, change->time_ns))
        return FL_OK;
    return note_failure(window, window->to->change(window->to->payload, change, err));
}

static fl_status pass_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    fl_batch_window *window = payload;
    if (!holds(window, fl_batch_alert_time(alert)))
        return FL_OK;
    return note_failure(window, window->to->alert(window->to->payload, alert, err));
}

/* What its target does not want it does not want either. */
fl_sink fl_batch_window_sink(fl_batch_window *window)
{
    assert(window != NULL && window->to != NULL);
    return (fl_sink){.payload = window,
                     .resource = pass_resource,
                     .span = pass_span,
                     .log = pass_log,
                     .point = pass_point,
                     .change = window->to->change != NULL ? pass_change : NULL,
                     .alert = window->to->alert != NULL ? pass_alert : NULL,
                     .reject = ignore_reject};
}
