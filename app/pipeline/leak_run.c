/*
 * leak_run.c - the inputs, one after the other, into one analysis; then its judgement.
 *
 *   library    built-in signatures, then the user's
 *   inputs     files in the order of their paths, then addresses; each costs only itself
 *   judge      findings; warnings of the reading are put before the analysis' own
 *
 * An input that holds nothing of use is named in a warning; one that is damaged besides makes the
 * answer a partial one. Only when nothing at all could be used is the first complaint an error.
 */
#include "faultline/leak_run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "gc_run.h"
#include "gclog_read.h"
#include "inputs.h"
#include "jfr_judge.h"
#include "leak_read.h"
#include "mem.h"
#include "signatures_load.h"
#include "slice.h"

enum {
    MAX_TEXT_BYTES = 256 << 20, /* a log that is looked through */
    MAX_WARNINGS = 64,
    MAX_TOLD = 6 /* inputs of no use that are named; the rest is counted */
};

/* Texts of warnings live in the arena, until the run is destroyed with its report. */
struct fl_leak_run {
    const fl_leak_request *request; /* during the run only */
    fl_arena arena;
    fl_signatures *library;
    fl_leak *leak;
    fl_leak_reader reader;
    fl_leak_inputs inputs;
    fl_leak_report report;
    const char *warnings[MAX_WARNINGS];
    size_t warning_count, told;
    fl_error first; /* what the first input of no use said */
};

struct fl_leak_taker {
    fl_leak_run *run;
};

/* NULL, for want of memory while a text was made, is one warning less. */
static void warn(fl_leak_run *run, const char *text)
{
    if (text != NULL && run->warning_count < MAX_WARNINGS)
        run->warnings[run->warning_count++] = text;
}

/* Programs and source maps, where some were given. */
static fl_status prepare_names(fl_leak_run *run, fl_error *err)
{
    const fl_leak_request *request = run->request;
    if (request->binary == NULL && request->source_map == NULL)
        return FL_OK;
    fl_status status = fl_naming_create(&run->reader.naming, err);
    if (status == FL_OK)
        status = fl_profile_create(&run->reader.named, err);
    if (status == FL_OK && request->binary != NULL)
        status = fl_naming_add_binary(run->reader.naming, request->binary, err);
    if (status == FL_OK && request->source_map != NULL)
        status = fl_naming_add_map(run->reader.naming, request->source_map, err);
    return status;
}

/* The reader borrows from the run, which does not move. */
static fl_status prepare(fl_leak_run *run, fl_error *err)
{
    fl_leak_options options = {.limit_bytes = run->request->limit_bytes};
    fl_status status = fl_signatures_create(&run->library, err);
    if (status == FL_OK && !run->request->without_built_in)
        status = fl_signatures_add_built_in(run->library, err);
    if (status == FL_OK)
        status = fl_signatures_load(run->library, run->request->signatures,
                                    run->request->signature_count, err);
    if (status != FL_OK)
        return status;
    options.signatures = fl_signatures_items(run->library, &options.signature_count);
    status = fl_leak_create(&run->leak, &options, err);
    if (status == FL_OK)
        status = fl_profile_create(&run->reader.profile, err);
    if (status == FL_OK)
        status = prepare_names(run, err);
    run->reader.leak = run->leak;
    run->reader.library = run->library;
    run->reader.arena = &run->arena;
    run->reader.heaps.folder = run->request->temp_folder;
    run->reader.heaps.signatures = options.signatures;
    run->reader.heaps.signature_count = options.signature_count;
    run->reader.inputs = &run->inputs;
    run->reader.text = fl_buf_of(MAX_TEXT_BYTES);
    run->reader.totals = fl_arena_alloc(&run->arena, MAX_LEAK_TOTALS, sizeof(fl_leak_total));
    if (status == FL_OK && run->reader.totals == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for totals");
    return status;
}

/* ---- the inputs ---- */

/* Something else that lies in the folder, or damage: said, counted, and gone on without. */
static void pass_over(fl_leak_run *run, const fl_error *why)
{
    assert(why->status != FL_OK && why->status != FL_E_NOMEM);
    if (run->first.status == FL_OK)
        run->first = *why;
    if (why->status == FL_E_UNSUPPORTED)
        run->inputs.unknown++;
    else
        run->inputs.unreadable++;
    if (why->status != FL_E_UNSUPPORTED || run->told++ < MAX_TOLD)
        warn(run, fl_arena_printf(&run->arena, "%s", why->message));
}

/* Only the end of memory ends the run. */
static fl_status read_one(fl_leak_run *run, const char *name, const fl_slice *bytes,
                          int64_t default_ns, fl_error *err)
{
    fl_error own = {0};
    fl_status status = fl_leak_read(&run->reader, name, bytes, default_ns, &own);
    if (status == FL_E_NOMEM)
        return fl_fail(err, status, FL_NO_OFFSET, "%s", own.message);
    if (status != FL_OK)
        pass_over(run, &own);
    else
        warn(run, run->reader.warning);
    return FL_OK;
}

/* "scheme://..." */
static bool is_address(const char *input)
{
    return strstr(input, "://") != NULL;
}

static bool is_stdin(const char *input)
{
    return strcmp(input, "-") == 0;
}

/* Standard input is one file: it is read to its end before it is told what it is. */
static fl_status read_stdin(fl_leak_run *run, fl_error *err)
{
    fl_stream *stream;
    fl_stream_block block = {0};
    fl_slice bytes = {0};
    fl_status status = fl_stream_open_or_stdin(&stream, "-", err);
    if (status != FL_OK)
        return status;
    status = fl_stream_read_all(&bytes, &block, stream, MAX_TEXT_BYTES, err);
    fl_stream_close(stream);
    if (status == FL_OK && bytes.len > MAX_TEXT_BYTES)
        status = fl_fail(err, FL_E_LIMIT, bytes.len, "standard input is longer than %d bytes",
                         MAX_TEXT_BYTES);
    if (status == FL_OK)
        status = read_one(run, "standard input", &bytes, 0, err);
    fl_mem_free(block.ptr);
    return status;
}

/* What a file holds is told by its content; hidden ones are somebody's housekeeping. */
static bool is_any(const char *name)
{
    return name[0] != '.';
}

/* All paths are listed before the first is read: one that is missing is said at once. */
static fl_status read_files(fl_leak_run *run, fl_error *err)
{
    const fl_leak_request *request = run->request;
    fl_inputs files;
    uint64_t done = 0;
    size_t count = 0;
    const char **paths = fl_arena_alloc(&run->arena, request->input_count, sizeof(*paths));
    if (paths == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for file names");
    for (size_t i = 0; i < request->input_count; i++)
        if (!is_address(request->inputs[i]) && !is_stdin(request->inputs[i]))
            paths[count++] = request->inputs[i];
    fl_status status = fl_inputs_list_named(&files, paths, count, is_any, &run->arena, err);
    for (size_t i = 0; status == FL_OK && i < files.count; i++) {
        if (request->progress != NULL)
            request->progress(request->payload, files.items[i].path, done, files.bytes);
        done += files.items[i].bytes;
        status = read_one(run, files.items[i].path, NULL, 0, err);
    }
    for (size_t i = 0; status == FL_OK && i < request->input_count; i++)
        if (is_stdin(request->inputs[i]))
            status = read_stdin(run, err);
    return status;
}

fl_status fl_leak_take(fl_leak_taker *taker, const char *name, fl_slice bytes, int64_t time_ns,
                       fl_error *err)
{
    fl_leak_run *run = taker->run;
    assert(run->leak != NULL && name != NULL);
    fl_error own = {0};
    fl_status status = fl_leak_read(&run->reader, name, &bytes, time_ns, &own);
    if (status == FL_OK)
        warn(run, run->reader.warning);
    else if (status != FL_E_NOMEM)
        pass_over(run, &own);
    return status == FL_OK ? FL_OK : fl_fail(err, status, own.offset, "%s", own.message);
}

void fl_leak_take_failure(fl_leak_taker *taker, const fl_error *why)
{
    assert(why->status != FL_OK);
    pass_over(taker->run, why);
}

void fl_leak_take_cost(fl_leak_taker *taker, uint64_t requests, uint64_t bytes, int64_t duration_ns)
{
    taker->run->inputs.requests += requests;
    taker->run->inputs.fetched_bytes += bytes;
    taker->run->inputs.fetching_ns += duration_ns;
}

/* One after the other: each is asked, and watched, alone. */
static fl_status ask_servers(fl_leak_run *run, fl_error *err)
{
    const fl_leak_request *request = run->request;
    fl_leak_taker taker = {.run = run};
    fl_status status = FL_OK;
    for (size_t i = 0; i < request->input_count && status == FL_OK; i++) {
        const char *address = request->inputs[i];
        if (!is_address(address))
            continue;
        if (request->asker == NULL)
            return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET, "no network here to ask %.120s",
                           address);
        if (request->progress != NULL)
            request->progress(request->payload, address, 0, 0);
        status = request->asker->ask(request->asker->payload, address, &taker, err);
    }
    return status;
}

/* How many inputs said something. */
static uint64_t used_of(const fl_leak_inputs *inputs)
{
    uint64_t used = 0;
    for (int i = 0; i < FL_LEAK_INPUT_COUNT; i++)
        used += inputs->counts[i];
    return used;
}

/* ---- the judgement ---- */

/* One order, however they were found. */
static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Names that were given and could not be used: what was meant to help did not. */
static void warn_of_names(fl_leak_run *run)
{
    const fl_leak_request *request = run->request;
    const fl_naming_result *names = &run->reader.names;
    if (request->binary != NULL && names->is_other_build)
        warn(run, fl_arena_printf(&run->arena, "%s: of another build than the profiles, not used",
                                  request->binary));
    else if (request->binary != NULL && names->unnamed_addresses > 0)
        warn(run, fl_arena_printf(
                      &run->arena, "%s: names %llu of %llu addresses", request->binary,
                      (unsigned long long)names->named_addresses,
                      (unsigned long long)(names->named_addresses + names->unnamed_addresses)));
    if (request->source_map != NULL && names->mapped_places == 0)
        warn(run, fl_arena_printf(&run->arena, "%s: leads no line of the profiles to a source",
                                  request->source_map));
}

/* Those of reading in one order, then the analysis' own, whose order is its own. */
static fl_status merge_warnings(fl_leak_run *run, fl_error *err)
{
    fl_leak_report *report = &run->report;
    if (run->told > MAX_TOLD)
        warn(run, fl_arena_printf(&run->arena, "%zu inputs hold nothing of use in all", run->told));
    warn_of_names(run);
    if (run->reader.program.several_builds)
        warn(run, "the profiles are of several builds of one program: lines may have moved");
    size_t count = run->warning_count + report->warning_count;
    const char **all = fl_arena_alloc(&run->arena, count + 1, sizeof(*all));
    if (all == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for warnings");
    qsort(run->warnings, run->warning_count, sizeof(run->warnings[0]), compare_texts);
    memcpy(all, run->warnings, run->warning_count * sizeof(*all));
    if (report->warning_count > 0)
        memcpy(all + run->warning_count, report->warnings, report->warning_count * sizeof(*all));
    report->warnings = all;
    report->warning_count = count;
    return FL_OK;
}

/* A recording of a JVM is a series by itself, and judged alone: nothing else says when, and of
 * what, its collections are. */
static bool is_recording(const fl_leak_request *request)
{
    return request->input_count == 1 && !is_address(request->inputs[0]) &&
           !is_stdin(request->inputs[0]) && fl_jfr_sniff_file(request->inputs[0]);
}

/* Of the recording nothing is needed once its report is made. */
static fl_status run_recording(fl_leak_run *run, fl_error *err)
{
    const fl_leak_request *request = run->request;
    const fl_jfr_request from = {
        .name = request->inputs[0], .library = run->library, .limit_bytes = request->limit_bytes};
    fl_jfr_recording *recording;
    fl_status status = fl_jfr_recording_file(&recording, request->inputs[0], err);
    if (status != FL_OK)
        return status;
    run->inputs.files = run->inputs.counts[FL_LEAK_INPUT_STATS] = 1;
    run->inputs.unreadable = recording->totals.warning_count > 0;
    for (size_t i = 0; i < recording->totals.warning_count; i++)
        warn(run, fl_arena_printf(&run->arena, "%s", recording->totals.warnings[i]));
    status = fl_jfr_judge(&run->report, recording, &from, &run->arena, err);
    fl_jfr_recording_destroy(recording);
    return status == FL_OK ? merge_warnings(run, err) : status;
}

/* Whether an input is a file that begins as a garbage collection log does; *empty: it has nothing.
 */
static bool is_gc_log(const char *path, bool *empty)
{
    unsigned char head[4096];
    size_t got = 1, len = 0;
    fl_stream *in = NULL;
    *empty = false;
    if (is_address(path) || is_stdin(path) || fl_stream_open(&in, path, NULL) != FL_OK)
        return false;
    while (got > 0 && len < sizeof(head)) {
        if (fl_stream_read(in, head + len, sizeof(head) - len, &got, NULL) != FL_OK)
            break;
        len += got;
    }
    fl_stream_close(in);
    *empty = len == 0 && got == 0;
    return fl_gclog_sniff((fl_slice){.ptr = head, .len = len});
}

/* Collections of a Java program are a series by themselves, like a recording: rotated files of one
 * program, and nothing else among them; one that was just begun is empty. */
static bool are_gc_logs(const fl_leak_request *request)
{
    bool all = request->input_count <= FL_GC_MAX_FILES, any = false, is_empty;
    for (size_t i = 0; i < request->input_count && all; i++) {
        bool is_log = is_gc_log(request->inputs[i], &is_empty);
        any |= is_log;
        all = is_log || is_empty;
    }
    return all && any;
}

/* The same answer as that of `faultline gc`, without its figures. */
static fl_status run_gc_logs(fl_leak_run *run, fl_error *err)
{
    const fl_gc_request from = {.paths = run->request->inputs,
                                .count = run->request->input_count,
                                .library = run->library,
                                .limit_bytes = run->request->limit_bytes};
    fl_gc_report report;
    bool damaged = false;
    fl_status status = fl_gc_run(&report, &damaged, &from, &run->arena, err);
    if (status != FL_OK)
        return status;
    run->report = report.verdict;
    run->inputs.files = run->inputs.counts[FL_LEAK_INPUT_STATS] = from.count;
    run->inputs.unreadable = damaged;
    return FL_OK;
}

/* A crash report is one moment of a Java program, and so is a dump beside a histogram: what Go's
 * profiles could add is no help. */
static void ask_for_java(fl_leak_report *report)
{
    static const char *const collect[] = {
        "two or more heap dumps of the time before, some minutes apart (jcmd PID GC.heap_dump "
        "FILE)",
        "the collector's log (-Xlog:gc*): whether what stays after a collection grows"};
    report->collect = collect;
    report->collect_count = sizeof(collect) / sizeof(collect[0]);
}

/* Where nothing was of use, the first complaint says more than that nothing was. */
static fl_status run_all(fl_leak_run *run, fl_error *err)
{
    fl_status status = prepare(run, err);
    if (status == FL_OK && is_recording(run->request))
        return run_recording(run, err);
    if (status == FL_OK && are_gc_logs(run->request))
        return run_gc_logs(run, err);
    if (status == FL_OK)
        status = read_files(run, err);
    if (status == FL_OK)
        status = ask_servers(run, err);
    if (status == FL_OK && used_of(&run->inputs) == 0)
        return run->first.status != FL_OK
                   ? fl_fail(err, run->first.status, run->first.offset, "%s", run->first.message)
                   : fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                             "there is no profile among what was given");
    if (status == FL_OK)
        status = fl_leak_judge(&run->report, run->leak, &run->arena, err);
    if (status == FL_OK)
        status = fl_trace_findings_merge(&run->report, &run->reader.traces, &run->arena, err);
    if (status == FL_OK &&
        run->reader.crash_reports + run->reader.heaps.count + run->reader.histos.count ==
            used_of(&run->inputs))
        ask_for_java(&run->report);
    if (status == FL_OK && run->reader.heaps.count > 0)
        status = fl_leak_heaps_report(&run->report, &run->reader.heaps, run->request->limit_bytes,
                                      run->reader.heaps.count == used_of(&run->inputs), &run->arena,
                                      err);
    if (status == FL_OK && run->reader.histos.count > 0)
        status = fl_leak_histos_report(&run->report, &run->reader.histos,
                                       run->reader.histos.count == used_of(&run->inputs),
                                       &run->arena, err);
    return status == FL_OK ? merge_warnings(run, err) : status;
}

fl_status fl_leak_run_create_apart(fl_leak_run **out, const fl_leak_request *request,
                                   fl_leak_traces *traces, fl_error *err)
{
    assert(out != NULL && request != NULL && request->input_count > 0);
    assert(traces == NULL || traces->library != NULL);
    *out = NULL;
    fl_leak_run *run = fl_mem_calloc(1, sizeof(*run));
    if (run == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a leak run");
    run->request = request;
    run->reader.apart = traces;
    run->arena = fl_arena_of(FL_MAX_STREAMS_BYTES);
    fl_status status = run_all(run, err);
    run->request = NULL;
    run->reader.apart = NULL;
    fl_leak_heaps_dispose(&run->reader.heaps);
    fl_leak_histos_dispose(&run->reader.histos);
    fl_profile_destroy(run->reader.profile);
    fl_profile_destroy(run->reader.named);
    run->reader.profile = run->reader.named = NULL;
    fl_buf_dispose(&run->reader.text);
    fl_mem_free(run->reader.content.ptr);
    run->reader.content = (fl_stream_block){0};
    if (status != FL_OK) {
        fl_leak_run_destroy(run);
        return status;
    }
    *out = run;
    return FL_OK;
}

fl_status fl_leak_run_create(fl_leak_run **out, const fl_leak_request *request, fl_error *err)
{
    return fl_leak_run_create_apart(out, request, NULL, err);
}

void fl_leak_traces_dispose(fl_leak_traces *traces)
{
    assert(traces != NULL && traces->count <= FL_LEAK_TRACES);
    for (size_t i = 0; i < traces->count; i++)
        fl_trace_run_destroy(traces->items[i].run);
    traces->count = 0;
}

const fl_leak_report *fl_leak_run_report(const fl_leak_run *run)
{
    assert(run != NULL);
    return &run->report;
}

const fl_leak_inputs *fl_leak_run_inputs(const fl_leak_run *run)
{
    assert(run != NULL);
    return &run->inputs;
}

const fl_leak_total *fl_leak_run_totals(const fl_leak_run *run, size_t *count)
{
    assert(run != NULL && count != NULL);
    *count = run->reader.total_count;
    return run->reader.totals;
}

void fl_leak_run_destroy(fl_leak_run *run)
{
    if (run == NULL)
        return;
    fl_leak_destroy(run->leak);
    fl_signatures_destroy(run->library);
    fl_profile_destroy(run->reader.profile);
    fl_profile_destroy(run->reader.named);
    fl_naming_destroy(run->reader.naming);
    fl_buf_dispose(&run->reader.text);
    fl_mem_free(run->reader.content.ptr);
    fl_arena_dispose(&run->arena);
    fl_mem_free(run);
}
