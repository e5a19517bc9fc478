/*
 * gc_run.c - each log is looked into for its first time, then all are read in the order of these.
 *
 * Of two logs without dates nothing tells the order: they are read as they were given.
 */
#include "gc_run.h"

#include <assert.h>
#include <string.h>

#include "gc_stats.h"
#include "gclog_read.h"

/* One log, and where it belongs among the others. */
struct file {
    const char *path;
    int64_t first_ns; /* wall clock, else since the start; INT64_MAX: none */
};

/* A log that has no times at all sorts behind those that have. */
static fl_status take_first(void *payload, const fl_gc_event *event, fl_error *err)
{
    struct file *file = payload;
    if (event->time_ns >= 0 || event->since_ns >= 0)
        file->first_ns = event->time_ns >= 0 ? event->time_ns : event->since_ns;
    return fl_fail(err, FL_E_STOPPED, FL_NO_OFFSET, "the first is enough");
}

/* What is wrong with a file is said when it is read. */
static void look(struct file *file)
{
    const fl_gclog_visitor visitor = {.event = take_first, .payload = file};
    fl_gc_about about;
    fl_stream *in = NULL;
    file->first_ns = INT64_MAX;
    if (fl_stream_open(&in, file->path, NULL) != FL_OK)
        return;
    fl_status status = fl_gclog_read(&about, in, &visitor, NULL);
    assert(status != FL_OK || about.events == 0); /* the first event ends it */
    fl_stream_close(in);
}

/* The bridge from the decoder to the statistics; neither knows the other. */
static fl_status take_event(void *payload, const fl_gc_event *event, fl_error *err)
{
    (void)err;
    fl_gc_stats_add(payload, event);
    return FL_OK;
}

/* The first that is wrong is what is said. */
static void complain(fl_error *why, fl_status status, uint64_t offset, const char *path,
                     const char *message)
{
    assert(status != FL_OK && message != NULL);
    if (why->status == FL_OK)
        (void)fl_fail(why, status, offset, "%.100s: %.80s", path, message);
}

/* All of one file. A file that breaks off counts as far as it goes, and among others one may hold
 * nothing, as after a rotation; *why then says so. *events: that it had. */
static fl_status read_file(fl_gc_stats *stats, const char *path, bool is_alone, uint64_t *events,
                           fl_error *why, fl_error *err)
{
    const fl_gclog_visitor visitor = {.event = take_event, .payload = stats};
    fl_gc_about about;
    fl_error inner = {0};
    fl_stream *in = NULL;
    fl_status status = fl_stream_open_or_stdin(&in, path, err);
    if (status == FL_OK)
        status = fl_gc_stats_begin(stats, path, err);
    if (status != FL_OK) {
        fl_stream_close(in);
        return status;
    }
    status = fl_gclog_read(&about, in, &visitor, &inner);
    fl_stream_close(in);
    *events = about.events;
    if (status == FL_OK || about.events > 0)
        fl_gc_stats_about(stats, &about);
    if (status != FL_OK && status != FL_E_NOMEM && (about.events > 0 || !is_alone)) {
        complain(why, status, inner.offset, path, inner.message);
        return FL_OK;
    }
    if (status == FL_OK && about.events == 0 && !is_alone)
        complain(why, FL_E_UNSUPPORTED, FL_NO_OFFSET, path, "it has no collections yet");
    return status == FL_OK
               ? FL_OK
               : fl_fail(err, status, inner.offset, "%.100s: %.80s", path, inner.message);
}

/* Behind the report's own. */
static fl_status add_warning(fl_leak_report *report, const fl_error *why, fl_arena *arena,
                             fl_error *err)
{
    const char **all = fl_arena_alloc(arena, report->warning_count + 1, sizeof(*all));
    const char *text = fl_arena_printf(arena, "%s", why->message);
    if (all == NULL || text == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for warnings");
    for (size_t i = 0; i < report->warning_count; i++)
        all[i] = report->warnings[i];
    all[report->warning_count++] = text;
    report->warnings = all;
    return FL_OK;
}

/* By insertion: there are few, and equal ones keep their order. */
static void sort_files(struct file *files, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct file file = files[i];
        size_t at = i;
        for (; at > 0 && files[at - 1].first_ns > file.first_ns; at--)
            files[at] = files[at - 1];
        files[at] = file;
    }
}

/* Looked into only where there is an order to find: standard input can be read once. */
static fl_status read_files(fl_gc_stats *stats, const fl_gc_request *request, fl_error *why,
                            fl_error *err)
{
    struct file files[FL_GC_MAX_FILES];
    uint64_t all = 0, events = 0;
    fl_status status = FL_OK;
    if (request->count > FL_GC_MAX_FILES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d log files", FL_GC_MAX_FILES);
    for (size_t i = 0; i < request->count; i++) {
        files[i] = (struct file){.path = request->paths[i]};
        if (request->count > 1)
            look(&files[i]);
    }
    if (request->count > 1)
        sort_files(files, request->count);
    for (size_t i = 0; i < request->count && status == FL_OK; i++) {
        status = read_file(stats, files[i].path, request->count == 1, &events, why, err);
        all += events;
    }
    if (status == FL_OK && request->count > 1 && all == 0)
        return fl_fail(err, why->status, why->offset, "%s", why->message);
    return status;
}

/* The statistics live for the run only: what the report needs of them is in its arena by then. */
fl_status fl_gc_run(fl_gc_report *out, bool *damaged, const fl_gc_request *request, fl_arena *arena,
                    fl_error *err)
{
    fl_gc_stats *stats = NULL;
    fl_error why = {0};
    fl_gc_options options = {.limit_bytes = request->limit_bytes};
    assert(out != NULL && damaged != NULL && request->count > 0);
    if (request->library != NULL)
        options.signatures = fl_signatures_items(request->library, &options.signature_count);
    fl_status status = fl_gc_stats_create(&stats, err);
    if (status == FL_OK)
        status = read_files(stats, request, &why, err);
    if (status == FL_OK)
        status = fl_gc_stats_report(out, stats, &options, arena, err);
    *damaged = why.status != FL_OK;
    if (status == FL_OK && *damaged)
        status = add_warning(&out->verdict, &why, arena, err);
    fl_gc_stats_destroy(stats);
    return status;
}
