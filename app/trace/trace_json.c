/*
 * trace_json.c - everything that is known of a trace, after schemas/json/trace.schema.json.
 *
 * Members stand in the order of the schema, rows in the order of the report. Whatever is asked for,
 * every member is there: an empty table is an empty array, so that a program need not ask.
 *
 * Durations and times are nanoseconds, times from the trace's begin; `began_at` is the wall clock
 * of that, null where the trace does not say.
 */
#include <assert.h>

#include "json_put.h"
#include "trace_view.h"

/* null, not an object of empty texts, where nothing is known. */
static json_t *place_of(fl_put *w, const fl_sched_place *place)
{
    if (place->function[0] == '\0')
        return json_null();
    json_t *object = json_object();
    fl_put_text(w, object, "function", place->function);
    fl_put_text(w, object, "file", place->file);
    fl_put_count(w, object, "line", place->line);
    return object;
}

/* Whole numbers: times are at most 2^62, sums of many goroutines' at most 2^63 - 1. */
static void put_ns(fl_put *w, json_t *object, const char *key, int64_t ns)
{
    fl_put_value(w, object, key, json_integer(ns));
}

/* How many rows of a table are shown. */
static size_t rows_of(size_t count, size_t most)
{
    return most != 0 && most < count ? most : count;
}

static json_t *waits_of(fl_put *w, const fl_sched_report *report, size_t most)
{
    json_t *array = json_array();
    for (size_t i = 0; i < rows_of(report->wait_count, most); i++) {
        const fl_sched_wait *wait = &report->waits[i];
        json_t *row = json_object();
        fl_put_text(w, row, "for", fl_sched_class_name(wait->class));
        fl_put_text(w, row, "reason", wait->reason);
        fl_put_value(w, row, "place", place_of(w, &wait->place));
        fl_put_count(w, row, "count", wait->count);
        fl_put_count(w, row, "open", wait->open);
        put_ns(w, row, "total_ns", wait->total_ns);
        put_ns(w, row, "max_ns", wait->max_ns);
        fl_put_item(w, array, row);
    }
    return array;
}

/* Those that wait at the end say for what and where, by majority. */
static json_t *sites_of(fl_put *w, const fl_sched_report *report, size_t most)
{
    json_t *array = json_array();
    for (size_t i = 0; i < rows_of(report->site_count, most); i++) {
        const fl_sched_site *site = &report->sites[i];
        bool waits = site->waits_reason != NULL;
        json_t *row = json_object();
        fl_put_text(w, row, "function", site->function);
        fl_put_value(w, row, "created_by", place_of(w, &site->created));
        fl_put_count(w, row, "before", site->before);
        fl_put_count(w, row, "started", site->started);
        fl_put_count(w, row, "ended", site->ended);
        fl_put_count(w, row, "alive", site->alive);
        fl_put_count(w, row, "waiting", site->waiting);
        fl_put_text(w, row, "waits_for", waits ? fl_sched_class_name(site->waits_class) : NULL);
        fl_put_value(w, row, "waits_in", waits ? place_of(w, &site->waits_at) : json_null());
        put_ns(w, row, "running_ns", site->running_ns);
        put_ns(w, row, "runnable_ns", site->latency_ns);
        put_ns(w, row, "runnable_max_ns", site->latency_max_ns);
        fl_put_item(w, array, row);
    }
    return array;
}

static json_t *costs_of(fl_put *w, const fl_sched_cost *costs, size_t count, size_t most)
{
    json_t *array = json_array();
    for (size_t i = 0; i < rows_of(count, most); i++) {
        json_t *row = json_object();
        fl_put_text(w, row, "name", costs[i].name);
        fl_put_value(w, row, "place", place_of(w, &costs[i].place));
        fl_put_count(w, row, "count", costs[i].count);
        fl_put_count(w, row, "open", costs[i].open);
        put_ns(w, row, "total_ns", costs[i].total_ns);
        put_ns(w, row, "p50_ns", costs[i].p50_ns);
        put_ns(w, row, "p99_ns", costs[i].p99_ns);
        put_ns(w, row, "max_ns", costs[i].max_ns);
        fl_put_item(w, array, row);
    }
    return array;
}

/* A cycle that the trace cuts off is as long as it is seen. */
static json_t *cycles_of(fl_put *w, const fl_sched_report *report, size_t most)
{
    json_t *array = json_array();
    for (size_t i = 0; i < rows_of(report->cycle_count, most); i++) {
        const fl_sched_cycle *cycle = &report->cycles[i];
        json_t *row = json_object();
        bool ended = cycle->end_ns != 0;
        put_ns(w, row, "at_ns", cycle->begin_ns - report->from_ns);
        put_ns(w, row, "mark_ns", (ended ? cycle->end_ns : report->to_ns) - cycle->begin_ns);
        fl_put_value(w, row, "ended", json_boolean(ended));
        put_ns(w, row, "stopped_ns", cycle->stw_ns);
        put_ns(w, row, "assist_ns", cycle->assist_ns);
        fl_put_count(w, row, "assists", cycle->assists);
        put_ns(w, row, "worker_ns", cycle->worker_ns);
        put_ns(w, row, "idle_worker_ns", cycle->idle_worker_ns);
        fl_put_count(w, row, "heap_before_bytes", cycle->heap_before_bytes);
        fl_put_count(w, row, "heap_after_bytes", cycle->heap_after_bytes);
        fl_put_count(w, row, "heap_goal_bytes", cycle->goal_bytes);
        fl_put_value(w, row, "begun_by", place_of(w, &cycle->trigger));
        fl_put_item(w, array, row);
    }
    return array;
}

static json_t *gc_of(fl_put *w, const fl_sched_report *report, size_t most)
{
    json_t *object = json_object();
    fl_put_count(w, object, "count", report->cycle_count);
    put_ns(w, object, "sweep_ns", report->sweep_ns);
    fl_put_value(w, object, "cycles", cycles_of(w, report, most));
    fl_put_value(w, object, "assists", costs_of(w, report->assists, report->assist_count, most));
    fl_put_value(w, object, "stops", costs_of(w, report->stops, report->stop_count, most));
    return object;
}

static json_t *maps_of(fl_put *w, const fl_sched_report *report, size_t most)
{
    json_t *array = json_array();
    for (size_t i = 0; i < rows_of(report->map_count, most); i++) {
        const fl_sched_map_use *use = &report->maps[i];
        json_t *row = json_object();
        fl_put_value(w, row, "place", place_of(w, &use->place));
        fl_put_count(w, row, "samples", use->samples);
        fl_put_count(w, row, "reads", use->reads);
        fl_put_count(w, row, "writes", use->writes);
        fl_put_count(w, row, "grows", use->grows);
        fl_put_count(w, row, "others", use->others);
        fl_put_count(w, row, "longest_doubling", use->longest);
        fl_put_item(w, array, row);
    }
    return array;
}

/* Longest first. */
static json_t *spikes_of(fl_put *w, const fl_sched_report *report, size_t most)
{
    json_t *array = json_array();
    for (size_t i = 0; i < rows_of(report->spike_count, most); i++) {
        const fl_sched_spike *spike = &report->spikes[i];
        json_t *row = json_object();
        fl_put_text(w, row, "name", spike->name);
        put_ns(w, row, "at_ns", spike->begin_ns - report->from_ns);
        put_ns(w, row, "duration_ns", spike->duration_ns);
        fl_put_value(w, row, "map_grows_in",
                     spike->grew ? place_of(w, &spike->growth) : json_null());
        fl_put_value(w, row, "map_doubles", json_boolean(spike->doubled));
        fl_put_value(w, row, "marking", json_boolean(spike->marking));
        fl_put_item(w, array, row);
    }
    return array;
}

static json_t *procs_of(fl_put *w, const fl_sched_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->proc_count; i++) {
        json_t *row = json_object();
        put_ns(w, row, "running_ns", report->proc_use[i].running_ns);
        put_ns(w, row, "marking_ns", report->proc_use[i].marking_ns);
        put_ns(w, row, "idle_ns", report->proc_use[i].idle_ns);
        fl_put_item(w, array, row);
    }
    return array;
}

static json_t *latency_of(fl_put *w, const fl_sched_latency *latency)
{
    json_t *object = json_object();
    fl_put_count(w, object, "count", latency->count);
    put_ns(w, object, "total_ns", latency->total_ns);
    put_ns(w, object, "p50_ns", latency->p50_ns);
    put_ns(w, object, "p90_ns", latency->p90_ns);
    put_ns(w, object, "p99_ns", latency->p99_ns);
    put_ns(w, object, "p999_ns", latency->p999_ns);
    put_ns(w, object, "max_ns", latency->max_ns);
    return object;
}

/* All of them, whatever rows are asked for. */
static json_t *findings_of(fl_put *w, const fl_sched_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->finding_count; i++) {
        const fl_sched_finding *finding = &report->findings[i];
        json_t *row = json_object(), *evidence = json_array(), *against = json_array();
        const fl_leak_signature *signature = finding->signature;
        fl_put_text(w, row, "signature", signature->name);
        fl_put_text(w, row, "title", signature->title);
        fl_put_value(w, row, "place", place_of(w, &finding->place));
        for (size_t k = 0; k < finding->evidence_count; k++)
            fl_put_item(w, evidence, fl_put_text_of(finding->evidence[k]));
        fl_put_value(w, row, "evidence", evidence);
        for (size_t k = 0; k < finding->against_count; k++)
            fl_put_item(w, against, fl_put_text_of(finding->against[k]));
        fl_put_value(w, row, "against", against);
        fl_put_number(w, row, "confidence", finding->confidence);
        fl_put_text(w, row, "advice", signature->fix);
        fl_put_item(w, array, row);
    }
    return array;
}

fl_status fl_trace_view_json(fl_buf *out, const fl_sched_report *report,
                             const fl_trace_title *title, size_t most, fl_error *err)
{
    assert(report != NULL && title != NULL);
    fl_put w = {0};
    json_t *document = json_object(), *warnings = json_array();
    fl_put_text(&w, document, "schema", "faultline.trace/1");
    fl_put_text(&w, document, "file", title->name);
    fl_put_count(&w, document, "format", title->version);
    fl_put_moment(&w, document, "began_at",
                  title->clock_to_wall_ns != 0 ? report->from_ns + title->clock_to_wall_ns : 0);
    if (title->clock_assumed)
        fl_put_value(&w, document, "clock_assumed", json_true());
    put_ns(&w, document, "duration_ns", report->to_ns - report->from_ns);
    fl_put_count(&w, document, "generations", title->generations);
    fl_put_count(&w, document, "events", report->events);
    fl_put_count(&w, document, "samples", report->samples);
    fl_put_count(&w, document, "processors", report->procs);
    fl_put_number(&w, document, "cpu_ratio", report->cpu_ratio);
    fl_put_value(&w, document, "findings", findings_of(&w, report));
    fl_put_value(&w, document, "latency", latency_of(&w, &report->latency));
    fl_put_value(&w, document, "processor_use", procs_of(&w, report));
    fl_put_value(&w, document, "waits", waits_of(&w, report, most));
    fl_put_value(&w, document, "goroutines", sites_of(&w, report, most));
    fl_put_value(&w, document, "gc", gc_of(&w, report, most));
    fl_put_value(&w, document, "maps", maps_of(&w, report, most));
    fl_put_value(&w, document, "slow_regions", spikes_of(&w, report, most));
    fl_put_value(&w, document, "tasks", costs_of(&w, report->tasks, report->task_count, most));
    fl_put_value(&w, document, "regions",
                 costs_of(&w, report->regions, report->region_count, most));
    for (size_t i = 0; i < title->warning_count; i++)
        fl_put_item(&w, warnings, fl_put_text_of(title->warnings[i]));
    fl_put_value(&w, document, "warnings", warnings);
    return fl_put_document(out, &w, document, err);
}
