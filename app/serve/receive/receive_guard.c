/*
 * receive_guard.c - times against the clock.
 *
 * A record from the future would be the newest of the archive until its time has come: retention
 * would not drop it, and each question about "now" would read it. One from the past does no such
 * harm. The time of a span is its end, since that is when it was sent.
 */
#include "receive_guard.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "timestamp.h"

/* Senders keep what they could not send for minutes: the Collector's retries end after 5, Loki's
 * and Prometheus' after 10 and more. An hour is beyond them. */
#define LATE_NS (INT64_C(3600) * FL_NS_PER_S)

/* Remember the first refusal: `what` of `time_ns` is `why`. */
static void note(fl_receive_guard *guard, const char *what, int64_t time_ns, const char *why)
{
    char text[FL_TIME_TEXT];
    if (guard->reason[0] == '\0')
        snprintf(guard->reason, sizeof(guard->reason), "%s of %s: %s", what,
                 fl_time_format(text, time_ns), why);
}

static bool is_ahead(fl_receive_guard *guard, int64_t time_ns, const char *what)
{
    if (time_ns <= guard->latest_ns)
        return false;
    guard->ahead++;
    note(guard, what, time_ns, "too far ahead of the clock");
    return true;
}

/* Whether a record of that time passes. */
static bool is_timely(fl_receive_guard *guard, int64_t time_ns, const char *what)
{
    if (is_ahead(guard, time_ns, what))
        return false;
    if (time_ns < guard->oldest_ns) {
        guard->too_old++;
        note(guard, what, time_ns, "older than is kept");
        return false;
    }
    guard->late += time_ns < guard->late_ns;
    return true;
}

static fl_status guard_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                                fl_error *err)
{
    const fl_receive_guard *guard = payload;
    return guard->to->resource(guard->to->payload, resource, handle, err);
}

static fl_status guard_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    fl_receive_guard *guard = payload;
    return is_timely(guard, span->end_ns, "span")
               ? guard->to->span(guard->to->payload, resource, span, err)
               : FL_OK;
}

static fl_status guard_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    fl_receive_guard *guard = payload;
    return is_timely(guard, log->time_ns, "log record")
               ? guard->to->log(guard->to->payload, resource, log, err)
               : FL_OK;
}

static fl_status guard_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    fl_receive_guard *guard = payload;
    return is_timely(guard, point->time_ns, "data point")
               ? guard->to->point(guard->to->payload, resource, point, err)
               : FL_OK;
}

static fl_status guard_change(void *payload, const fl_change_record *change, fl_error *err)
{
    fl_receive_guard *guard = payload;
    return is_timely(guard, change->time_ns, "change")
               ? guard->to->change(guard->to->payload, change, err)
               : FL_OK;
}

/* Only its beginning counts: an alert says itself until when it holds, which lies ahead. */
static fl_status guard_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    fl_receive_guard *guard = payload;
    return is_ahead(guard, alert->starts_ns, "alert")
               ? FL_OK
               : guard->to->alert(guard->to->payload, alert, err);
}

static fl_status guard_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    fl_receive_guard *guard = payload;
    (void)err;
    assert(reject->records > 0);
    guard->unreadable += reject->records;
    if (guard->reason[0] == '\0')
        snprintf(guard->reason, sizeof(guard->reason), "%.200s (byte %llu)", reject->reason,
                 (unsigned long long)reject->offset);
    return FL_OK;
}

void fl_receive_guard_init(fl_receive_guard *guard, const fl_sink *to)
{
    assert(to->resource != NULL && to->change != NULL && to->alert != NULL);
    memset(guard, 0, sizeof(*guard));
    guard->to = to;
    guard->sink = (fl_sink){.payload = guard,
                            .resource = guard_resource,
                            .span = guard_span,
                            .log = guard_log,
                            .point = guard_point,
                            .change = guard_change,
                            .alert = guard_alert,
                            .reject = guard_reject};
}

void fl_receive_guard_begin(fl_receive_guard *guard, int64_t now_ns, int64_t max_ahead_ns,
                            int64_t max_age_ns)
{
    assert(now_ns > 0 && max_ahead_ns >= 0 && max_age_ns >= 0);
    guard->latest_ns = now_ns > INT64_MAX - max_ahead_ns ? INT64_MAX : now_ns + max_ahead_ns;
    guard->oldest_ns = max_age_ns > 0 ? now_ns - max_age_ns : INT64_MIN;
    guard->late_ns = now_ns - LATE_NS;
    guard->late = guard->unreadable = guard->ahead = guard->too_old = 0;
    guard->reason[0] = '\0';
}

uint64_t fl_receive_guard_refused(const fl_receive_guard *guard)
{
    return guard->unreadable + guard->ahead + guard->too_old;
}
