/*
 * gc_json.c - what collections say, for programs: schemas/json/gc.schema.json.
 *
 * The verdict and its findings as a leak report has them, then the figures. Durations are
 * milliseconds, what is not known is null.
 */
#include <assert.h>
#include <math.h>

#include "gc_report.h"
#include "leak_put.h"

/* -1 is not known. */
static double known(int64_t value, double unit)
{
    return value >= 0 ? (double)value / unit : (double)NAN;
}

/* Milliseconds, as the log has them; a quantile of nothing is null. */
static json_t *durations_of(fl_put *w, const fl_gc_durations *d)
{
    json_t *object = json_object();
    fl_put_count(w, object, "count", d->count);
    fl_put_number(w, object, "total_ms", known(d->total_ns, 1e6));
    fl_put_number(w, object, "p50_ms", known(d->p50_ns, 1e6));
    fl_put_number(w, object, "p95_ms", known(d->p95_ns, 1e6));
    fl_put_number(w, object, "p99_ms", known(d->p99_ns, 1e6));
    fl_put_number(w, object, "p999_ms", known(d->p999_ns, 1e6));
    fl_put_number(w, object, "max_ms", known(d->max_ns, 1e6));
    return object;
}

/* The series that the trend was drawn through, so that a reader can draw it again. */
static json_t *level_of(fl_put *w, const fl_gc_level *level)
{
    json_t *object = json_object(), *points = json_array();
    for (size_t i = 0; i < level->count; i++) {
        json_t *point = json_object();
        fl_put_number(w, point, "seconds", level->time_s[i]);
        fl_put_number(w, point, "bytes", level->bytes[i]);
        fl_put_item(w, points, point);
    }
    fl_put_text(w, object, "shape", level->shape);
    fl_put_value(w, object, "bytes_per_hour", fl_leak_put_interval(w, level->per_hour));
    fl_put_rounded(w, object, "growth_z", level->growth_z);
    fl_put_value(w, object, "points", points);
    return object;
}

/* What the log says of the virtual machine itself. */
static json_t *java_of(fl_put *w, const fl_gc_about *about)
{
    json_t *object = json_object();
    fl_put_text(w, object, "collector", fl_gc_collector_name(about->collector));
    fl_put_text(w, object, "version", about->version[0] != '\0' ? about->version : NULL);
    fl_put_number(w, object, "processors", about->cpus > 0 ? (double)about->cpus : (double)NAN);
    fl_put_number(w, object, "max_bytes", known(about->max_bytes, 1));
    fl_put_number(w, object, "region_bytes", known(about->region_bytes, 1));
    return object;
}

/* By total time, the most first. */
static json_t *groups_of(fl_put *w, const fl_gc_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->group_count; i++) {
        const fl_gc_group *group = &report->groups[i];
        json_t *object = json_object();
        fl_put_text(w, object, "name", group->name);
        fl_put_text(w, object, "cause", group->cause[0] != '\0' ? group->cause : NULL);
        fl_put_text(w, object, "kind", fl_gc_kind_name(group->kind));
        fl_put_value(w, object, "pauses", durations_of(w, &group->pauses));
        fl_put_item(w, array, object);
    }
    return array;
}

/* Each pause with its line, and the command that prints it. */
static json_t *longest_of(fl_put *w, const fl_gc_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->longest_count; i++) {
        const fl_gc_pause *pause = &report->longest[i];
        json_t *object = json_object();
        char again[FL_GC_AGAIN_TEXT];
        fl_put_number(w, object, "ms", known(pause->pause_ns, 1e6));
        fl_put_moment(w, object, "at", pause->time_ns > 0 ? pause->time_ns : 0);
        fl_put_number(w, object, "uptime_s", known(pause->since_ns, 1e9));
        fl_put_text(w, object, "name", pause->name);
        fl_put_text(w, object, "cause", pause->cause[0] != '\0' ? pause->cause : NULL);
        fl_put_number(w, object, "before_bytes", known(pause->before_bytes, 1));
        fl_put_number(w, object, "after_bytes", known(pause->after_bytes, 1));
        fl_put_text(w, object, "file", pause->file);
        fl_put_count(w, object, "line", pause->line);
        (void)fl_gc_again(again, pause->file, pause->line);
        fl_put_text(w, object, "query", again[0] != '\0' ? again : NULL);
        fl_put_item(w, array, object);
    }
    return array;
}

/* What is counted, by its word. */
static json_t *counts_of(fl_put *w, const fl_gc_report *report)
{
    json_t *object = json_object();
    for (int k = 0; k < FL_GC_KIND_COUNT; k++)
        fl_put_count(w, object, fl_gc_kind_name((fl_gc_kind)k), report->counts[k]);
    return object;
}

/* The same of marks: one collection may have several. */
static json_t *troubles_of(fl_put *w, const fl_gc_report *report)
{
    json_t *object = json_object();
    for (int t = 0; t < FL_GC_TROUBLE_COUNT; t++)
        fl_put_count(w, object, fl_gc_trouble_name((fl_gc_trouble)t), report->troubles[t]);
    return object;
}

/* Which files, how much of them, and over which time; moments are null where no line has a date. */
static void put_span(fl_put *w, json_t *object, const fl_gc_report *report)
{
    fl_put_value(w, object, "files", fl_leak_put_texts(w, report->files, report->file_count));
    fl_put_count(w, object, "lines", report->about.lines);
    fl_put_count(w, object, "events", report->about.events);
    fl_put_count(w, object, "rejected", report->about.rejected);
    fl_put_moment(w, object, "from", report->from_ns > 0 ? report->from_ns : 0);
    fl_put_moment(w, object, "to", report->to_ns > 0 ? report->to_ns : 0);
    fl_put_number(w, object, "seconds", known(report->span_ns, 1e9));
    fl_put_count(w, object, "restarts", report->restarts);
}

/* The figures of the page, all of them, unrounded where they are measured. */
static void put_figures(fl_put *w, json_t *object, const fl_gc_report *report)
{
    fl_put_value(w, object, "counts", counts_of(w, report));
    fl_put_value(w, object, "troubles", troubles_of(w, report));
    fl_put_value(w, object, "pauses", durations_of(w, &report->pauses));
    fl_put_value(w, object, "stalls", durations_of(w, &report->stalls));
    fl_put_rounded(w, object, "pause_ratio", report->pause_ratio);
    fl_put_rounded(w, object, "worst_minute_pause_ratio", report->worst_pause_ratio);
    fl_put_number(w, object, "worst_minute_at_s", known(report->worst_at_ns, 1e9));
    fl_put_number(w, object, "allocated_bytes_per_s", report->alloc_bytes_per_s);
    fl_put_number(w, object, "promoted_bytes_per_s", report->promoted_bytes_per_s);
    fl_put_value(w, object, "heap", level_of(w, &report->heap));
    fl_put_value(w, object, "heap_is_after_old", json_boolean(report->heap_is_after_old));
    fl_put_value(w, object, "metaspace", level_of(w, &report->metaspace));
}

fl_status fl_gc_report_json(fl_buf *out, const fl_gc_report *report, fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *object = json_object();
    assert(out != NULL && report != NULL);
    fl_put_value(&w, object, "schema", json_string_nocheck("faultline.gc/1"));
    fl_leak_put_verdict(&w, object, &report->verdict);
    fl_put_value(&w, object, "java", java_of(&w, &report->about));
    put_span(&w, object, report);
    put_figures(&w, object, report);
    fl_put_value(&w, object, "groups", groups_of(&w, report));
    fl_put_value(&w, object, "longest", longest_of(&w, report));
    return fl_put_document(out, &w, object, err);
}
