/*
 * cut_sink.c - records by their time: a span by its start.
 */
#include "cut_sink.h"

#include <assert.h>

/* The end belongs to what is kept: a window begins there. */
static bool is_left_out(const fl_cut *cut, int64_t time_ns)
{
    return time_ns >= cut->from_ns && time_ns < cut->to_ns;
}

/* Resources pass whole: what is left out of one may be followed by what is kept. */
static fl_status pass_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                               fl_error *err)
{
    const fl_cut *cut = payload;
    return cut->to.resource(cut->to.payload, resource, handle, err);
}

static fl_status pass_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    const fl_cut *cut = payload;
    if (is_left_out(cut, span->start_ns))
        return FL_OK;
    return cut->to.span(cut->to.payload, resource, span, err);
}

static fl_status pass_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    const fl_cut *cut = payload;
    if (is_left_out(cut, log->time_ns))
        return FL_OK;
    return cut->to.log(cut->to.payload, resource, log, err);
}

static fl_status pass_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    const fl_cut *cut = payload;
    if (is_left_out(cut, point->time_ns))
        return FL_OK;
    return cut->to.point(cut->to.payload, resource, point, err);
}

/* A change during the incident may be its fix, and is no measurement. */
static fl_status pass_change(void *payload, const fl_change_record *change, fl_error *err)
{
    const fl_cut *cut = payload;
    return cut->to.change != NULL ? cut->to.change(cut->to.payload, change, err) : FL_OK;
}

/* One during the incident says when somebody was called, whatever is measured. */
static fl_status pass_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    const fl_cut *cut = payload;
    return cut->to.alert != NULL ? cut->to.alert(cut->to.payload, alert, err) : FL_OK;
}

/* What cannot be read has no time. */
static fl_status pass_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    const fl_cut *cut = payload;
    return cut->to.reject(cut->to.payload, reject, err);
}

fl_sink fl_cut_sink(fl_cut *cut)
{
    assert(cut != NULL && cut->from_ns <= cut->to_ns);
    return (fl_sink){.payload = cut,
                     .resource = pass_resource,
                     .span = pass_span,
                     .log = pass_log,
                     .point = pass_point,
                     .change = pass_change,
                     .alert = pass_alert,
                     .reject = pass_reject};
}
