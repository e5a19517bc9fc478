/*
 * sink_none.c - what tells of records tells of all kinds, and wants each to be taken.
 */
#include "sink_none.h"

#include <assert.h>

/* Who tells wants a handle, which nobody looks at. */
static fl_status drop_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                               fl_error *err)
{
    assert(handle != NULL);
    (void)payload, (void)resource, (void)err;
    *handle = 0;
    return FL_OK;
}

static fl_status drop_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    (void)payload, (void)resource, (void)span, (void)err;
    return FL_OK;
}

static fl_status drop_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    (void)payload, (void)resource, (void)log, (void)err;
    return FL_OK;
}

static fl_status drop_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    (void)payload, (void)resource, (void)point, (void)err;
    return FL_OK;
}

static fl_status drop_change(void *payload, const fl_change_record *change, fl_error *err)
{
    (void)payload, (void)change, (void)err;
    return FL_OK;
}

static fl_status drop_alert(void *payload, const fl_alert_record *alert, fl_error *err)
{
    (void)payload, (void)alert, (void)err;
    return FL_OK;
}

/* Who rejected it has counted it. */
static fl_status drop_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)payload, (void)reject, (void)err;
    return FL_OK;
}

fl_sink fl_sink_none(void *payload)
{
    return (fl_sink){.payload = payload,
                     .resource = drop_resource,
                     .span = drop_span,
                     .log = drop_log,
                     .point = drop_point,
                     .change = drop_change,
                     .alert = drop_alert,
                     .reject = drop_reject};
}
