/*
 * trace_run.c - the reader's events into the analysis, then its report.
 */
#include "trace_run.h"

#include <assert.h>

#include "arena.h"
#include "faultline/limits.h"
#include "mem.h"

enum { MAX_TRACE_WARNINGS = 4 };

struct fl_trace_run {
    fl_arena arena;
    fl_sched *sched;
    fl_sched_report report;
    fl_gotrace_info info;
    const char *warnings[MAX_TRACE_WARNINGS];
    size_t warning_count;
};

static fl_status take(void *payload, const fl_gotrace_view *view, const fl_gotrace_event *events,
                      size_t count, fl_error *err)
{
    fl_trace_run *run = payload;
    return fl_sched_add(run->sched, view, events, count, err);
}

/* For want of memory it is one warning less. */
static void warn(fl_trace_run *run, const char *text)
{
    assert(run->warning_count < MAX_TRACE_WARNINGS);
    if (text != NULL)
        run->warnings[run->warning_count++] = text;
}

/* One sentence of each kind, however often. */
static void find_warnings(fl_trace_run *run)
{
    const fl_gotrace_info *info = &run->info;
    if (info->broken.status != FL_OK)
        warn(run,
             info->broken.offset == FL_NO_OFFSET
                 ? fl_arena_printf(&run->arena, "it is not read to its end: %s",
                                   info->broken.message)
                 : fl_arena_printf(&run->arena, "it is read up to byte %llu only: %s",
                                   (unsigned long long)info->broken.offset, info->broken.message));
    if (info->nameless)
        warn(run,
             fl_arena_printf(&run->arena, "names of functions and reasons are missing in its last"
                                          " generation: they stand behind where it breaks off"));
    if (info->skipped_batches > 0)
        warn(run, fl_arena_printf(&run->arena, "%llu batches of experiments were passed over",
                                  (unsigned long long)info->skipped_batches));
    if (info->dropped + run->report.dropped > 0)
        warn(run,
             fl_arena_printf(&run->arena,
                             "%llu names, stacks, samples or rows were more than there is room for",
                             (unsigned long long)(info->dropped + run->report.dropped)));
}

/* The versions of Go that write a format: its own, and those that came before the next format. 0:
 * not known. */
static int last_version_of(int format)
{
    static const int formats[] = {11, 19, 21, 22, 23, 25, 26};
    for (size_t i = 0; i + 1 < sizeof(formats) / sizeof(formats[0]); i++)
        if (formats[i] == format)
            return formats[i + 1] - 1;
    return 0;
}

static fl_status make_report(fl_trace_run *run, const fl_gotrace *trace,
                             const fl_signatures *library, fl_error *err)
{
    int format = (int)fl_gotrace_info_of(trace)->version;
    fl_sched_criteria criteria = {.go_from = format, .go_to = last_version_of(format)};
    criteria.signatures = fl_signatures_items(library, &criteria.signature_count);
    return fl_sched_report_make(&run->report, run->sched, fl_gotrace_view_of(trace), &criteria,
                                &run->arena, err);
}

/* The report copies what it shows: reader and analysis go before it is looked at. */
static fl_status run_all(fl_trace_run *run, fl_stream *in, const fl_signatures *library,
                         fl_error *err)
{
    fl_gotrace *trace = NULL;
    fl_status status = fl_sched_create(&run->sched, err);
    if (status == FL_OK)
        status = fl_gotrace_create(&trace, err);
    if (status == FL_OK)
        status = fl_gotrace_read(trace, in, take, run, err);
    if (status == FL_OK)
        status = make_report(run, trace, library, err);
    if (status == FL_OK) {
        run->info = *fl_gotrace_info_of(trace);
        find_warnings(run);
    }
    fl_gotrace_destroy(trace);
    fl_sched_destroy(run->sched);
    run->sched = NULL;
    return status;
}

fl_status fl_trace_run_create(fl_trace_run **out, fl_stream *in, const fl_signatures *library,
                              fl_error *err)
{
    assert(out != NULL && in != NULL && library != NULL);
    *out = NULL;
    fl_trace_run *run = fl_mem_calloc(1, sizeof(*run));
    if (run == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a trace");
    run->arena = fl_arena_of(FL_MAX_STREAMS_BYTES);
    fl_status status = run_all(run, in, library, err);
    if (status != FL_OK)
        fl_trace_run_destroy(run);
    else
        *out = run;
    return status;
}

void fl_trace_run_destroy(fl_trace_run *run)
{
    if (run == NULL)
        return;
    fl_arena_dispose(&run->arena);
    fl_mem_free(run);
}

const fl_sched_report *fl_trace_run_report(const fl_trace_run *run)
{
    assert(run != NULL);
    return &run->report;
}

const fl_gotrace_info *fl_trace_run_info(const fl_trace_run *run)
{
    assert(run != NULL);
    return &run->info;
}

const char *const *fl_trace_run_warnings(const fl_trace_run *run, size_t *count)
{
    assert(run != NULL && count != NULL);
    *count = run->warning_count;
    return run->warnings;
}
