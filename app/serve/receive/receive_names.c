/*
 * receive_names.c - the words of statistics.
 */
#include <assert.h>

#include "receive.h"

const char *fl_receive_protocol_name(fl_receive_protocol protocol)
{
    static const char *const names[FL_RECEIVE_PROTOCOLS] = {
        "otlp_logs",    "otlp_traces", "otlp_metrics", "remote_write", "loki",      "zipkin",
        "alertmanager", "github",      "gitlab",       "events",       "pyroscope", "pprof",
    };
    assert((size_t)protocol < FL_RECEIVE_PROTOCOLS);
    return names[protocol];
}

const char *fl_receive_refusal_name(fl_receive_refusal refusal)
{
    static const char *const names[FL_RECEIVE_REFUSALS] = {
        "unsupported", "unauthorized", "malformed", "too_large", "overloaded", "failed",
    };
    assert((size_t)refusal < FL_RECEIVE_REFUSALS);
    return names[refusal];
}

const char *fl_receive_loss_name(fl_receive_loss loss)
{
    static const char *const names[FL_RECEIVE_LOSSES] = {
        "unreadable", "ahead",    "too_old",          "stale",
        "not_finite", "exemplar", "native_histogram", "attribute",
    };
    assert((size_t)loss < FL_RECEIVE_LOSSES);
    return names[loss];
}
