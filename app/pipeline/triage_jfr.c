/*
 * triage_jfr.c - a recording as points and lines. Times are the recording's own: the JVM's clock.
 */
#include "triage_jfr.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "gauge.h"
#include "jfr_judge.h"
#include "slice.h"

enum { SEVERITY_WARN = 13, LINE_BYTES = 1024, ARENA_BYTES = 64 << 20 }; /* OTLP's SeverityNumber */

/* Everything goes straight into the sink. */
struct pushing {
    const fl_gc_feed *feed;
    const fl_jfr_recording *recording;
    const fl_sink *sink;
    uint32_t handle;
    fl_arena *arena;
};

/* As if the service had reported it itself. */
static fl_status push_point(const struct pushing *p, fl_slice metric, fl_slice unit,
                            int64_t time_ns, double value, fl_error *err)
{
    const fl_point point = fl_gauge_of(metric, unit, time_ns, value);
    assert(metric.len > 0);
    return isfinite(value) ? p->sink->point(p->sink->payload, p->handle, &point, err) : FL_OK;
}

/* A line that a person would have logged. */
static fl_status push_line(const struct pushing *p, int64_t time_ns, fl_slice text, fl_error *err)
{
    const fl_log log = {.time_ns = time_ns,
                        .severity = SEVERITY_WARN,
                        .severity_text = FL_SLICE("WARN"),
                        .body = text};
    return p->sink->log(p->sink->payload, p->handle, &log, err);
}

/* A collection that stops the program for its whole duration and leaves the old part collected is
 * what a person looks for; young ones come by the thousand. */
static bool stands_out(const struct pushing *p, const fl_jfr_gc *gc)
{
    fl_slice name = fl_jfr_name(p->recording->names, gc->name);
    return fl_slice_ends_with(name, FL_SLICE("Full")) || fl_slice_ends_with(name, FL_SLICE("Old"));
}

static fl_status push_collection(const struct pushing *p, const fl_jfr_gc *gc, fl_error *err)
{
    char text[LINE_BYTES];
    fl_status status = push_point(p, FL_SLICE("jvm.gc.duration"), FL_SLICE("s"), gc->time_ns,
                                  (double)gc->pauses_ns / 1e9, err);
    if (status == FL_OK && gc->after_bytes >= 0)
        status = push_point(p, FL_SLICE("jvm.memory.used_after_last_gc"), FL_SLICE("By"),
                            gc->after_ns, (double)gc->after_bytes, err);
    if (status != FL_OK || !stands_out(p, gc))
        return status;
    fl_slice name = fl_jfr_name(p->recording->names, gc->name);
    fl_slice cause = fl_jfr_name(p->recording->names, gc->cause);
    int len = snprintf(text, sizeof(text),
                       "collection %.*s (%.*s) stopped the program for %.1f ms, %.1f MiB to %.1f"
                       " MiB [faultline jfr --view gc %.200s]",
                       (int)(name.len < 64 ? name.len : 64), (const char *)name.ptr,
                       (int)(cause.len < 64 ? cause.len : 64), (const char *)cause.ptr,
                       (double)gc->pauses_ns / 1e6, (double)gc->before_bytes / 1048576,
                       (double)gc->after_bytes / 1048576, p->feed->path);
    assert(len > 0 && (size_t)len < sizeof(text));
    return push_line(p, gc->time_ns,
                     (fl_slice){.ptr = (const unsigned char *)text, .len = (size_t)len}, err);
}

static fl_status push_load(const struct pushing *p, const fl_jfr_load *load, fl_error *err)
{
    fl_status status = push_point(p, FL_SLICE("jvm.cpu.recent_utilization"), FL_SLICE("1"),
                                  load->time_ns, load->user + load->system, err);
    return status == FL_OK ? push_point(p, FL_SLICE("jvm.system.cpu.utilization"), FL_SLICE("1"),
                                        load->time_ns, load->machine, err)
                           : status;
}

/* A leak with its holder, where it could first be told: at the recording's end. */
static fl_status push_leak(const struct pushing *p, fl_error *err)
{
    char text[LINE_BYTES];
    fl_leak_report report;
    const fl_jfr_request request = {.name = p->feed->path};
    fl_status status = fl_jfr_judge(&report, p->recording, &request, p->arena, err);
    if (status != FL_OK || report.verdict != FL_LEAK_LEAK || report.finding_count == 0)
        return status;
    const fl_leak_finding *first = &report.findings[0];
    int len = snprintf(text, sizeof(text),
                       "heap leak: %.200s keeps objects of %.200s"
                       " [faultline leak %.200s]",
                       first->holder != NULL ? first->holder : "something",
                       first->function != NULL ? first->function : "the program", p->feed->path);
    assert(len > 0 && (size_t)len < sizeof(text));
    return push_line(p, p->recording->totals.to_ns,
                     (fl_slice){.ptr = (const unsigned char *)text, .len = (size_t)len}, err);
}

static fl_status push_all(const struct pushing *p, fl_error *err)
{
    const fl_jfr_recording *recording = p->recording;
    fl_status status = FL_OK;
    for (size_t i = 0; i < recording->gc_count && status == FL_OK; i++)
        status = push_collection(p, &recording->gcs[i], err);
    for (size_t i = 0; i < recording->load_count && status == FL_OK; i++)
        status = push_load(p, &recording->loads[i], err);
    return status == FL_OK ? push_leak(p, err) : status;
}

/* Errors of the file become FL_E_IO, which costs the triage this feed and a warning; what the sink
 * refuses ends the triage, as it does for every other source. */
fl_status fl_jfr_feed_read(void *payload, const fl_sink *sink, fl_error *err)
{
    const fl_gc_feed *feed = payload;
    const fl_resource resource = {.service = fl_slice_of(feed->service)};
    fl_arena arena = fl_arena_of(ARENA_BYTES);
    struct pushing p = {.feed = feed, .sink = sink, .arena = &arena};
    fl_jfr_recording *recording;
    fl_error why = {0};
    fl_status status = sink->resource(sink->payload, &resource, &p.handle, err);
    if (status != FL_OK)
        return status;
    status = fl_jfr_recording_file(&recording, feed->path, &why);
    if (status == FL_E_NOMEM)
        return fl_fail(err, status, why.offset, "%s", why.message);
    if (status != FL_OK)
        return fl_fail(err, FL_E_IO, why.offset, "%s", why.message);
    p.recording = recording;
    status = push_all(&p, err);
    fl_jfr_recording_destroy(recording);
    fl_arena_dispose(&arena);
    return status;
}
