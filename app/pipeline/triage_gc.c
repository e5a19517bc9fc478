/*
 * triage_gc.c - collections as points and lines, one after the other; nothing is kept of them.
 */
#include "triage_gc.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "faultline/gc.h"
#include "gauge.h"
#include "gclog_read.h"
#include "quote.h"
#include "slice.h"

enum { SEVERITY_WARN = 13, LINE_BYTES = 1024 }; /* OTLP's SeverityNumber */

/* What the visitor needs from event to event; everything else goes straight into the sink. */
struct reading {
    const fl_gc_feed *feed;
    const fl_sink *sink;
    uint32_t handle;
    uint64_t dated;  /* events that were pushed */
    bool is_refused; /* by the sink, not by the file */
};

/* A name in front of the first slash is a service's, as with --pprof; what stands behind it may
 * hold anything, further equals signs included. */
fl_status fl_gc_feed_of(fl_gc_feed *out, const char *text, const char *service, const char *option,
                        fl_error *err)
{
    const char *equals = strchr(text, '='), *slash = strchr(text, '/');
    bool is_named = equals != NULL && equals > text && (slash == NULL || equals < slash);
    assert(out != NULL);
    out->path = is_named ? equals + 1 : text;
    fl_slice name =
        is_named ? (fl_slice){.ptr = (const unsigned char *)text, .len = (size_t)(equals - text)}
                 : fl_slice_of(service);
    char location[FL_QUOTE_LOCATION];
    const char *shown = fl_quote_location(location, text);
    if (name.len == 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "whose is %.80s? say --%s SERVICE=%.60s",
                       shown, option, shown);
    if (name.len >= sizeof(out->service))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "a service's name has at most %zu bytes",
                       sizeof(out->service) - 1);
    memcpy(out->service, name.ptr, name.len);
    out->service[name.len] = '\0';
    return FL_OK;
}

/* As if the service had reported it itself: a gauge, so that a window shows the mean of its pauses
 * and of its levels. */
static fl_status push_point(const struct reading *in, fl_slice metric, fl_slice unit,
                            int64_t time_ns, double value, fl_error *err)
{
    const fl_point point = fl_gauge_of(metric, unit, time_ns, value);
    return in->sink->point(in->sink->payload, in->handle, &point, err);
}

/* Young collections and pauses of concurrent ones come by the thousand; these do not. */
static bool stands_out(const fl_gc_event *event)
{
    const unsigned failures = 1u << FL_GC_EVACUATION_FAILED | 1u << FL_GC_PROMOTION_FAILED |
                              1u << FL_GC_CONCURRENT_FAILED;
    return event->kind == FL_GC_FULL || event->kind == FL_GC_DEGENERATE ||
           event->kind == FL_GC_STALL || (event->troubles & failures) != 0;
}

/* The sizes last, and the command behind them: what is alike comes first, for templates. */
static fl_status push_line(const struct reading *in, const fl_gc_event *event, fl_error *err)
{
    char text[LINE_BYTES], sizes[96] = "", marks[96] = "", again[FL_GC_AGAIN_TEXT];
    size_t used = 0;
    for (int t = 0; t <= FL_GC_CONCURRENT_FAILED; t++)
        if ((event->troubles & 1u << t) != 0 && used < sizeof(marks))
            used += (size_t)snprintf(marks + used, sizeof(marks) - used, ", %s",
                                     fl_gc_trouble_name((fl_gc_trouble)t));
    if (event->before_bytes >= 0)
        snprintf(sizes, sizeof(sizes), ", %.1f MiB to %.1f MiB",
                 (double)event->before_bytes / 1048576, (double)event->after_bytes / 1048576);
    (void)fl_gc_again(again, in->feed->path, event->line);
    int len = snprintf(text, sizeof(text), "%.*s (%.*s)%s took %.1f ms%s%s%s%s",
                       (int)(event->name.len < 64 ? event->name.len : 64), event->name.ptr,
                       (int)(event->cause.len < 64 ? event->cause.len : 64),
                       event->cause.len > 0 ? (const char *)event->cause.ptr : "", marks,
                       (double)(event->pause_ns > 0 ? event->pause_ns : 0) / 1e6, sizes,
                       again[0] != '\0' ? " [" : "", again, again[0] != '\0' ? "]" : "");
    assert(len > 0 && (size_t)len < sizeof(text));
    const fl_log log = {.time_ns = event->time_ns,
                        .severity = SEVERITY_WARN,
                        .severity_text = FL_SLICE("WARN"),
                        .body = {.ptr = (const unsigned char *)text, .len = (size_t)len}};
    return in->sink->log(in->sink->payload, in->handle, &log, err);
}

/* What has no date is nowhere on the timeline. */
static fl_status on_event(void *payload, const fl_gc_event *event, fl_error *err)
{
    struct reading *in = payload;
    fl_status status = FL_OK;
    if (event->time_ns < 0)
        return FL_OK;
    in->dated++;
    if (event->pause_ns >= 0)
        status = push_point(in, FL_SLICE("jvm.gc.duration"), FL_SLICE("s"), event->time_ns,
                            (double)event->pause_ns / 1e9, err);
    if (status == FL_OK && event->after_bytes >= 0 && event->kind != FL_GC_MARK)
        status = push_point(in, FL_SLICE("jvm.memory.used_after_last_gc"), FL_SLICE("By"),
                            event->time_ns, (double)event->after_bytes, err);
    if (status == FL_OK && stands_out(event))
        status = push_line(in, event, err);
    in->is_refused = status != FL_OK;
    return status;
}

/* Errors of the file become FL_E_IO, which costs the triage this feed and a warning; what the sink
 * refuses ends the triage, as it does for every other source. */
fl_status fl_gc_feed_read(void *payload, const fl_sink *sink, fl_error *err)
{
    const fl_gc_feed *feed = payload;
    struct reading in = {.feed = feed, .sink = sink};
    const fl_gclog_visitor visitor = {.event = on_event, .payload = &in};
    const fl_resource resource = {.service = fl_slice_of(feed->service)};
    fl_gc_about about;
    fl_stream *stream = NULL;
    fl_error why = {0};
    char location[FL_QUOTE_LOCATION];
    fl_status status = sink->resource(sink->payload, &resource, &in.handle, err);
    if (status != FL_OK)
        return status;
    status = fl_stream_open(&stream, feed->path, &why);
    if (status == FL_OK)
        status = fl_gclog_read(&about, stream, &visitor, &why);
    fl_stream_close(stream);
    if (status == FL_E_NOMEM || in.is_refused)
        return fl_fail(err, status, why.offset, "%s", why.message);
    if (status != FL_OK)
        return fl_fail(err, FL_E_IO, why.offset, "%.80s: %.100s",
                       fl_quote_location(location, feed->path), why.message);
    if (in.dated == 0)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET,
                       "%.80s: no collection has a date; log with :time,uptime,level,tags",
                       feed->path);
    return FL_OK;
}
