/*
 * trace_run.c - the reader's events into the analysis, then its report.
 */
#include "trace_run.h"

#include <assert.h>
#include <sys/stat.h>

#include "arena.h"
#include "faultline/limits.h"
#include "fetch.h"
#include "mem.h"

enum { MAX_TRACE_WARNINGS = 7 };

struct fl_trace_run {
    fl_arena arena;
    fl_sched *sched;
    fl_sched_report report;
    fl_gotrace_info info;
    const char *warnings[MAX_TRACE_WARNINGS];
    size_t warning_count;
    int64_t guess_ns;
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

/* Of a format without generations. */
static bool is_old(const fl_gotrace_info *info)
{
    return info->version < 22;
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
    if (info->nameless && is_old(info))
        warn(run, "names of functions are missing: they stand behind where it breaks off");
    else if (info->nameless)
        warn(run, "names of functions and reasons are missing in its last generation: they stand"
                  " behind where it breaks off");
    if (info->clock_assumed)
        warn(run, "the end of the trace, which says how its clock runs, is missing: times are those"
                  " of an x86 processor of 3 GHz, right in proportion only, and nothing is judged");
    if (info->guessed > 0)
        warn(run, fl_arena_printf(&run->arena,
                                  "what %llu event%s follow%s is missing: some processors' events"
                                  " had not been written yet where it breaks off",
                                  (unsigned long long)info->guessed, info->guessed == 1 ? "" : "s",
                                  info->guessed == 1 ? "s" : ""));
    if (info->damaged > 0)
        warn(run, fl_arena_printf(
                      &run->arena, "%llu damaged name%s, stack%s or sample%s passed over",
                      (unsigned long long)info->damaged, info->damaged == 1 ? "" : "s",
                      info->damaged == 1 ? "" : "s", info->damaged == 1 ? " was" : "s were"));
    if (info->skipped_batches > 0)
        warn(run, fl_arena_printf(&run->arena, "%llu batch%s of experiments passed over",
                                  (unsigned long long)info->skipped_batches,
                                  info->skipped_batches == 1 ? "" : "es"));
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
    static const int formats[] = {7, 8, 9, 10, 11, 19, 21, 22, 23, 25, 26};
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
    /* signatures ask for milliseconds and rates */
    if (!fl_gotrace_info_of(trace)->clock_assumed)
        criteria.signatures = fl_signatures_items(library, &criteria.signature_count);
    return fl_sched_report_make(&run->report, run->sched, fl_gotrace_view_of(trace), &criteria,
                                &run->arena, err);
}

/* The report copies what it shows: reader and analysis go before it is looked at. */
static fl_status run_all(fl_trace_run *run, fl_stream *in, const fl_trace_options *options,
                         fl_error *err)
{
    fl_gotrace *trace = NULL;
    fl_status status = fl_sched_create(&run->sched, err);
    if (status == FL_OK && options->with_course)
        status = fl_sched_follow(run->sched, err);
    if (status == FL_OK)
        status = fl_gotrace_create(&trace, err);
    if (status == FL_OK)
        status = fl_gotrace_read(trace, in, take, run, err);
    if (status == FL_OK)
        status = make_report(run, trace, options->library, err);
    if (status == FL_OK) {
        run->info = *fl_gotrace_info_of(trace);
        find_warnings(run);
    }
    fl_gotrace_destroy(trace);
    fl_sched_destroy(run->sched);
    run->sched = NULL;
    return status;
}

fl_status fl_trace_run_create(fl_trace_run **out, fl_stream *in, const fl_trace_options *options,
                              fl_error *err)
{
    assert(out != NULL && in != NULL && options != NULL && options->library != NULL);
    *out = NULL;
    fl_trace_run *run = fl_mem_calloc(1, sizeof(*run));
    if (run == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a trace");
    run->arena = fl_arena_of(FL_MAX_STREAMS_BYTES);
    fl_status status = run_all(run, in, options, err);
    if (status != FL_OK)
        fl_trace_run_destroy(run);
    else
        *out = run;
    return status;
}

fl_status fl_trace_run_bytes(fl_trace_run **out, fl_slice bytes, int64_t asked_ns,
                             const fl_trace_options *options, fl_error *err)
{
    fl_stream *in = NULL;
    fl_status status = fl_stream_over(&in, bytes, "trace", err);
    if (status == FL_OK)
        status = fl_trace_run_create(out, in, options, err);
    if (status == FL_OK)
        (*out)->guess_ns = asked_ns;
    fl_stream_close(in);
    return status;
}

/* What a program sends while it is traced, for the seconds that the address says. */
static fl_status run_url(fl_trace_run **out, const char *url, const fl_trace_options *options,
                         fl_error *err)
{
    fl_fetch *fetch;
    fl_fetch_answer answer;
    char shown[FL_FETCH_URL], scheme[8];
    fl_status status = fl_fetch_show_url(shown, scheme, url, err);
    if (status == FL_OK)
        status = fl_fetch_create(&fetch, NULL, err);
    if (status != FL_OK)
        return status;
    status = fl_fetch_get(&answer, fetch, url, err);
    if (status == FL_OK) {
        fl_error own = {0};
        status = fl_trace_run_bytes(out, answer.body, answer.time_ns, options, &own);
        if (status != FL_OK)
            status = fl_fail(err, status, own.offset, "%.100s: %s", shown, own.message);
    }
    fl_fetch_destroy(fetch);
    return status;
}

/* By its time, which is that of its end; 0 for what is no file. */
static int64_t began_by_file(const fl_trace_run *run, const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode) || about.st_mtim.tv_sec <= 0)
        return 0;
    int64_t end_ns = (int64_t)about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec;
    return end_ns - (run->report.to_ns - run->report.from_ns);
}

static fl_status run_file(fl_trace_run **out, const char *path, const fl_trace_options *options,
                          fl_error *err)
{
    fl_stream *in;
    fl_error own = {0};
    fl_status status = fl_stream_open_or_stdin(&in, path, err);
    if (status != FL_OK)
        return status;
    status = fl_trace_run_create(out, in, options, &own);
    fl_stream_close(in);
    if (status != FL_OK)
        return fl_fail(err, status, own.offset, "%.100s: %s", path, own.message);
    (*out)->guess_ns = began_by_file(*out, path);
    return FL_OK;
}

fl_status fl_trace_run_input(fl_trace_run **out, const char *input, const fl_trace_options *options,
                             fl_error *err)
{
    assert(out != NULL && input != NULL && options != NULL);
    *out = NULL;
    return fl_fetch_is_url(input) ? run_url(out, input, options, err)
                                  : run_file(out, input, options, err);
}

int64_t fl_trace_run_guess_ns(const fl_trace_run *run)
{
    assert(run != NULL);
    return run->guess_ns;
}

void fl_trace_run_date(fl_trace_run *run, int64_t began_ns)
{
    assert(run != NULL && run->info.clock_to_wall_ns == 0);
    run->info.clock_to_wall_ns = began_ns - run->report.from_ns;
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
