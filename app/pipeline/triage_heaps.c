/*
 * triage_heaps.c - from files to services, from each service's dumps to findings, moments, a
 * series.
 *
 *   sort       files by service; what is neither a dump nor a class histogram is warned of
 *   several    one leak run over them all; comparison of the first with the last
 *   one        heap_alone.h, where it is a dump
 *
 * Findings are leaks, at most LEAKS_EACH of a service, the heaviest first, then states: a map whose
 * hashes collide, texts that are there many times. The order
 * in which files were given does not show.
 */
#include "triage_heaps.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "faultline/leak_run.h"
#include "gauge.h"
#include "heap_alone.h"
#include "histo.h"
#include "hprof.h"
#include "slice.h"
#include "stream.h"
#include "triage_findings.h"
#include "triage_gc.h"

enum {
    MAX_FILES = 64,
    LEAKS_EACH = 4,
    FINDINGS_EACH = LEAKS_EACH + 2, /* and two states */
    STEPS = 4,                      /* moments of a finding */
    WARNINGS_EACH = 8,
    HEAD_BYTES = 4096,
    MAX_MOMENTS = MAX_FILES * (1 + STEPS * FINDINGS_EACH),
    MAX_WARNINGS = MAX_FILES * (1 + WARNINGS_EACH)
};

/* One file and whose it is. */
struct heap_file {
    const char *service, *path;
    bool is_dump; /* else a class histogram, which has no time */
};

struct reading {
    const fl_triage_heaps_from *from;
    struct heap_file files[MAX_FILES];
    size_t file_count;
    fl_rank_finding *findings;
    fl_moment *moments;
    const char **services, **warnings;
    size_t finding_count, moment_count, service_count, warning_count;
    uint64_t unreadable;
    const fl_sink *sink;
    fl_arena *arena;
    fl_error *err;
};

/* The files of one service, by path. */
struct group {
    const char *service;
    const struct heap_file *files;
    size_t count;
};

static fl_status no_memory(const struct reading *in)
{
    return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for heap dumps");
}

static fl_status warn(struct reading *in, const char *text)
{
    if (text == NULL)
        return no_memory(in);
    assert(in->warning_count < MAX_WARNINGS);
    in->warnings[in->warning_count++] = text;
    return FL_OK;
}

static fl_status add_moment(struct reading *in, const struct group *group, int64_t at_ns,
                            const char *text, const char *query)
{
    assert(in->moment_count < MAX_MOMENTS);
    if (text == NULL || query == NULL)
        return no_memory(in);
    if (at_ns != 0) /* a histogram is of no moment */
        in->moments[in->moment_count++] =
            (fl_moment){.at_ns = at_ns, .service = group->service, .text = text, .query = query};
    return FL_OK;
}

/* ---- which files ---- */

static fl_status add_file(struct reading *in, const char *service, fl_slice path)
{
    if (in->file_count == MAX_FILES)
        return fl_fail(in->err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d heap dumps", MAX_FILES);
    const char *text = fl_arena_cstr(in->arena, path);
    if (text == NULL || service == NULL)
        return no_memory(in);
    in->files[in->file_count++] = (struct heap_file){.service = service, .path = text};
    return FL_OK;
}

/* "SERVICE=FILE,FILE": empty names between commas are none. */
static fl_status add_files(struct reading *in, const char *text)
{
    fl_gc_feed feed;
    size_t before = in->file_count;
    fl_status status = fl_gc_feed_of(&feed, text, in->from->service, "heap", in->err);
    if (status != FL_OK)
        return status;
    const char *service = fl_arena_printf(in->arena, "%s", feed.service);
    for (const char *path = feed.path; path != NULL && status == FL_OK;) {
        const char *comma = strchr(path, ',');
        size_t len = comma != NULL ? (size_t)(comma - path) : strlen(path);
        if (len > 0)
            status =
                add_file(in, service, (fl_slice){.ptr = (const unsigned char *)path, .len = len});
        path = comma != NULL ? comma + 1 : NULL;
    }
    if (status == FL_OK && in->file_count == before)
        status = fl_fail(in->err, FL_E_SYNTAX, FL_NO_OFFSET, "--heap %.80s names no file", text);
    return status;
}

/* By service, then by path, whatever the order in which they were given. */
static int compare_files(const void *left, const void *right)
{
    const struct heap_file *a = left, *b = right;
    int order = strcmp(a->service, b->service);
    return order != 0 ? order : strcmp(a->path, b->path);
}

/* The first bytes, unpacked. */
static fl_status read_head(unsigned char head[HEAD_BYTES], size_t *len, const char *path,
                           fl_error *err)
{
    fl_stream *stream = NULL;
    size_t got = 1;
    fl_status status = fl_stream_open(&stream, path, err);
    *len = 0;
    while (status == FL_OK && got > 0 && *len < HEAD_BYTES) {
        status = fl_stream_read(stream, head + *len, HEAD_BYTES - *len, &got, err);
        *len += status == FL_OK ? got : 0;
    }
    fl_stream_close(stream);
    return status;
}

/* What a file is. One that is not there is a mistake; what is something else costs itself. */
static fl_status sniff(struct reading *in, struct heap_file *file, bool *is_useful)
{
    unsigned char head[HEAD_BYTES];
    fl_slice bytes = {.ptr = head};
    fl_error why = {0};
    fl_status status = read_head(head, &bytes.len, file->path, &why);
    if (status == FL_E_NOMEM || status == FL_E_IO || status == FL_E_NOTFOUND)
        return fl_fail(in->err, status, why.offset, "%s", why.message);
    file->is_dump = fl_hprof_is(bytes);
    *is_useful = file->is_dump || fl_histo_is(bytes);
    if (*is_useful)
        return FL_OK;
    in->unreadable++;
    return warn(in, fl_arena_printf(in->arena,
                                    "%s: this is neither a heap dump of a Java program nor a class"
                                    " histogram (jmap -histo)",
                                    file->path));
}

/* What is left is used; a file that is given twice is one. */
static fl_status sort_files(struct reading *in)
{
    size_t kept = 0;
    fl_status status = FL_OK;
    qsort(in->files, in->file_count, sizeof(in->files[0]), compare_files);
    for (size_t i = 0; i < in->file_count && status == FL_OK; i++) {
        struct heap_file file = in->files[i];
        bool is_useful = false;
        if (i > 0 && compare_files(&in->files[i - 1], &file) == 0)
            continue;
        status = sniff(in, &file, &is_useful);
        if (status == FL_OK && is_useful)
            in->files[kept++] = file;
    }
    in->file_count = kept;
    return status;
}

/* ---- findings ---- */

/* "faultline leak A B": the command that prints the whole report. */
static const char *leak_query(const struct reading *in, const struct group *group)
{
    const char *query = "faultline leak";
    for (size_t i = 0; i < group->count && query != NULL; i++)
        query = fl_arena_printf(in->arena, "%s %s", query, group->files[i].path);
    return query;
}

/* By which way it is kept: the last sentence, where there is one. NULL: none is known. */
static const char *way_of(const fl_leak_finding *leak)
{
    static const char begin[] = "kept by way of ";
    const char *last =
        leak->evidence_count > 1 ? leak->evidence[leak->evidence_count - 1].text : NULL;
    return last != NULL && strncmp(last, begin, sizeof(begin) - 1) == 0 ? last : NULL;
}

/* The way stands in the evidence, so that whoever reads the answer has it: as steps where they are
 * known. */
static fl_status add_finding(struct reading *in, const struct group *group,
                             const fl_leak_finding *leak, const char *query)
{
    const char *way = way_of(leak);
    assert(in->finding_count < (size_t)MAX_FILES * FINDINGS_EACH);
    if (query == NULL)
        return no_memory(in);
    fl_rank_finding *out = &in->findings[in->finding_count];
    fl_status status = fl_triage_finding_of(out, leak, group->service, query, in->arena, in->err);
    if (status != FL_OK)
        return status;
    if (way != NULL && out->path_count == 0)
        out->text = fl_arena_printf(in->arena, "%s; %s", out->text, way);
    in->finding_count++;
    return out->text != NULL ? FL_OK : no_memory(in);
}

/* What it is, how it is kept, and what speaks for it: `said` is how many dumps do. */
static fl_status add_steps(struct reading *in, const struct group *group,
                           const fl_leak_finding *leak, const char *said, const char *query)
{
    const char *way = way_of(leak);
    int64_t at_ns = leak->evidence_count > 0 ? leak->evidence[0].at_ns : 0;
    const char *last = group->files[group->count - 1].path;
    const char *title = leak->signature != NULL ? leak->signature->title : "something grows";
    fl_status status =
        add_moment(in, group, at_ns,
                   fl_arena_printf(in->arena, "phenomenon: %s in %s: %s",
                                   fl_leak_verdict_name(leak->verdict), leak->function, title),
                   query);
    if (status == FL_OK && way != NULL)
        status = add_moment(
            in, group, at_ns, fl_arena_printf(in->arena, "snapshot: %s is %s", leak->function, way),
            group->count > 1 ? fl_arena_printf(in->arena, "faultline heap --view paths %s %s",
                                               group->files[0].path, last)
                             : fl_arena_printf(in->arena, "faultline heap --view paths %s", last));
    if (status == FL_OK && leak->evidence_count > 0)
        status =
            add_moment(in, group, at_ns,
                       fl_arena_printf(in->arena, "comparison: %s", leak->evidence[0].text), query);
    if (status != FL_OK)
        return status;
    return add_moment(
        in, group, at_ns,
        fl_arena_printf(in->arena, "verification: %s; %s%s", said,
                        leak->against_count > 0 ? "against it: " : "nothing speaks against it",
                        leak->against_count > 0 ? leak->against[0] : ""),
        leak->signature != NULL
            ? fl_arena_printf(in->arena, "faultline signatures show %s", leak->signature->name)
            : query);
}

static fl_status add_leak(struct reading *in, const struct group *group,
                          const fl_leak_finding *leak, const char *said, const char *query)
{
    fl_status status = add_finding(in, group, leak, query);
    return status == FL_OK ? add_steps(in, group, leak, said, query) : status;
}

/* ---- several ---- */

/* Dumps that looked long enough and saw nothing grow speak against a leak. */
static fl_status add_innocence(struct reading *in, const struct group *group,
                               const fl_leak_report *report, const char *query)
{
    fl_rank_finding *out = &in->findings[in->finding_count++];
    *out = (fl_rank_finding){
        .service = group->service,
        .cause = FL_CAUSE_MEMORY_LEAK,
        .against = true,
        .confidence = report->confidence,
        .text = fl_arena_printf(in->arena, "%zu dumps of the heap of %s show no leak", group->count,
                                group->service),
        .value = NAN,
        .query = query,
    };
    return out->text != NULL && query != NULL ? FL_OK : no_memory(in);
}

/* Of two dumps of one moment nothing is a course. */
static bool has_course(const fl_leak_total *totals, size_t count)
{
    bool differs = false;
    for (size_t i = 1; i < count; i++)
        differs |= totals[i].time_ns != totals[0].time_ns;
    return differs;
}

static fl_status take_totals(struct reading *in, const struct group *group, const fl_leak_run *run)
{
    size_t count;
    uint32_t handle = 0;
    const fl_leak_total *totals = fl_leak_run_totals(run, &count);
    const fl_resource resource = {.service = fl_slice_of(group->service)};
    bool is_series = has_course(totals, count);
    fl_status status =
        is_series ? in->sink->resource(in->sink->payload, &resource, &handle, in->err) : FL_OK;
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        const fl_point point = fl_gauge_of(FL_SLICE("jvm.memory.used_after_last_gc"),
                                           FL_SLICE("By"), totals[i].time_ns, totals[i].heap_bytes);
        status = add_moment(
            in, group, totals[i].time_ns,
            fl_arena_printf(in->arena, "a heap dump: the roots keep %.1f MB",
                            totals[i].heap_bytes / 1e6),
            fl_arena_printf(in->arena, "faultline heap --view paths %s", totals[i].source));
        if (status == FL_OK && is_series)
            status = in->sink->point(in->sink->payload, handle, &point, in->err);
    }
    return status;
}

/* What was warned of makes the answer a partial one. */
static fl_status take_warnings(struct reading *in, const fl_leak_run *run)
{
    const fl_leak_report *report = fl_leak_run_report(run);
    uint64_t refused = fl_leak_run_inputs(run)->unreadable;
    fl_status status = FL_OK;
    in->unreadable += refused > 0 ? refused : report->warning_count > 0;
    for (size_t i = 0; i < report->warning_count && i < WARNINGS_EACH && status == FL_OK; i++)
        status = warn(in, fl_arena_printf(in->arena, "%s", report->warnings[i]));
    return status;
}

/* What does not grow, of each kind the heaviest: a state, of which no dump tells whether it hurts.
 */
static fl_status add_states(struct reading *in, const struct group *group,
                            const fl_leak_report *report, const char *query)
{
    static const char *const doubt[] = {FL_HEAP_STATE_DOUBT};
    static const fl_leak_verdict states[] = {FL_LEAK_LATENCY, FL_LEAK_RETENTION};
    fl_status status = FL_OK;
    for (size_t kind = 0; kind < sizeof(states) / sizeof(states[0]); kind++) {
        size_t i = 0;
        while (i < report->finding_count && report->findings[i].verdict != states[kind])
            i++;
        if (i == report->finding_count || status != FL_OK)
            continue;
        fl_leak_finding state = report->findings[i];
        state.against = doubt;
        state.against_count = 1;
        if (state.signature != NULL)
            state.confidence = fl_rules_confidence(state.signature, state.against_count);
        status = add_leak(in, group, &state, "the last dump says so", query);
    }
    return status;
}

static fl_status take_run(struct reading *in, const struct group *group, const fl_leak_run *run)
{
    const fl_leak_report *report = fl_leak_run_report(run);
    const char *query = leak_query(in, group);
    const char *said = fl_arena_printf(in->arena, "%zu dumps agree", group->count);
    fl_status status = take_warnings(in, run);
    if (status == FL_OK)
        status = take_totals(in, group, run);
    if (query == NULL || said == NULL)
        return no_memory(in);
    /* one's own signatures may call the heaviest something else: these take no leak's place */
    size_t leaks = 0;
    for (size_t i = 0; i < report->finding_count && leaks < LEAKS_EACH && status == FL_OK; i++) {
        if (report->findings[i].verdict != FL_LEAK_LEAK)
            continue;
        status = add_leak(in, group, &report->findings[i], said, query);
        leaks++;
    }
    if (status == FL_OK)
        status = add_states(in, group, report, query);
    if (status == FL_OK && report->verdict == FL_LEAK_NO_LEAK)
        status = add_innocence(in, group, report, query);
    return status;
}

/* Damage costs the service its findings; only the end of memory ends the triage. */
static fl_status pass_over(struct reading *in, const fl_error *why)
{
    if (why->status == FL_E_NOMEM)
        return fl_fail(in->err, why->status, why->offset, "%s", why->message);
    in->unreadable++;
    return warn(in, fl_arena_printf(in->arena, "%s", why->message));
}

static fl_status read_several(struct reading *in, const struct group *group)
{
    const char *inputs[MAX_FILES];
    const fl_leak_request request = {.inputs = inputs,
                                     .input_count = group->count,
                                     .signatures = in->from->signatures,
                                     .signature_count = in->from->signature_count,
                                     .temp_folder = in->from->temp_folder};
    fl_leak_run *run = NULL;
    fl_error why = {0};
    for (size_t i = 0; i < group->count; i++)
        inputs[i] = group->files[i].path;
    fl_status status = fl_leak_run_create(&run, &request, &why);
    if (status != FL_OK)
        return pass_over(in, &why);
    in->services[in->service_count++] = group->service;
    status = take_run(in, group, run);
    fl_leak_run_destroy(run);
    return status;
}

/* ---- one ---- */

static fl_status take_alone(struct reading *in, const struct group *group,
                            const fl_heap_alone *alone)
{
    const char *path = group->files[0].path;
    fl_status status = FL_OK;
    in->services[in->service_count++] = group->service;
    if (alone->damage != NULL) {
        in->unreadable++;
        status = warn(in, fl_arena_printf(in->arena, "%s: %s", path, alone->damage));
    }
    if (status == FL_OK)
        status = add_moment(
            in, group, alone->time_ns,
            fl_arena_printf(in->arena, "a heap dump: the roots keep %.1f MB in %llu objects",
                            (double)alone->bytes / 1e6, (unsigned long long)alone->objects),
            fl_arena_printf(in->arena, "faultline heap --view paths %s", path));
    /* one's own signatures may call anything a leak, or nothing */
    size_t leaks = 0, others = 0;
    for (size_t i = 0; i < alone->count && status == FL_OK; i++) {
        const fl_heap_alone_finding *found = &alone->findings[i];
        bool is_leak = found->leak.verdict == FL_LEAK_LEAK;
        if (is_leak ? leaks++ >= LEAKS_EACH : others++ >= FINDINGS_EACH - LEAKS_EACH)
            continue;
        const char *query =
            fl_arena_printf(in->arena, "faultline heap --view %s %s", found->view, path);
        status = add_leak(in, group, &found->leak, "one dump says so", query);
    }
    return status;
}

/* A class histogram alone has nothing to compare with. */
static fl_status read_one(struct reading *in, const struct group *group)
{
    fl_heap_alone *alone = fl_arena_alloc(in->arena, 1, sizeof(*alone));
    fl_heap_alone_from from = {.path = group->files[0].path, .temp_folder = in->from->temp_folder};
    fl_error why = {0};
    if (!group->files[0].is_dump)
        return warn(in, fl_arena_printf(in->arena,
                                        "%s: one class histogram alone says nothing: a second one,"
                                        " some minutes later, shows what grows",
                                        from.path));
    if (alone == NULL)
        return no_memory(in);
    from.signatures = fl_signatures_items(in->from->library, &from.signature_count);
    fl_status status = fl_heap_alone_read(alone, &from, in->arena, &why);
    return status == FL_OK ? take_alone(in, group, alone) : pass_over(in, &why);
}

/* ---- all of them ---- */

/* Of one moment in the order of services and of what is said. */
static void sort_moments(fl_moment *moments, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        fl_moment moment = moments[i];
        size_t k = i;
        for (; k > 0 && moments[k - 1].at_ns > moment.at_ns; k--)
            moments[k] = moments[k - 1];
        moments[k] = moment;
    }
}

static fl_status read_groups(struct reading *in)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < in->file_count && status == FL_OK;) {
        struct group group = {.service = in->files[i].service, .files = &in->files[i]};
        while (i < in->file_count && strcmp(in->files[i].service, group.service) == 0)
            group.count++, i++;
        status = group.count > 1 ? read_several(in, &group) : read_one(in, &group);
    }
    sort_moments(in->moments, in->moment_count);
    return status;
}

/* The list first: a file that is not there is said before any is read. */
static fl_status read_all(struct reading *in)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < in->from->count && status == FL_OK; i++)
        status = add_files(in, in->from->paths[i]);
    if (status == FL_OK)
        status = sort_files(in);
    return status == FL_OK ? read_groups(in) : status;
}

fl_status fl_triage_heaps_read(fl_triage_heaps *out, const fl_triage_heaps_from *from,
                               const fl_sink *sink, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && sink != NULL && (from->paths != NULL || from->count == 0));
    *out = (fl_triage_heaps){0};
    if (from->count == 0)
        return FL_OK;
    assert(from->library != NULL);
    struct reading *in = fl_arena_alloc(arena, 1, sizeof(*in));
    if (in == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for heap dumps");
    *in = (struct reading){
        .from = from,
        .findings = fl_arena_alloc(arena, MAX_FILES * FINDINGS_EACH, sizeof(*in->findings)),
        .moments = fl_arena_alloc(arena, MAX_MOMENTS, sizeof(*in->moments)),
        .services = fl_arena_alloc(arena, MAX_FILES, sizeof(*in->services)),
        .warnings = fl_arena_alloc(arena, MAX_WARNINGS, sizeof(*in->warnings)),
        .sink = sink,
        .arena = arena,
        .err = err};
    if (in->findings == NULL || in->moments == NULL || in->services == NULL || in->warnings == NULL)
        return no_memory(in);
    fl_status status = read_all(in);
    *out = (fl_triage_heaps){.findings = in->findings,
                             .finding_count = in->finding_count,
                             .moments = in->moments,
                             .moment_count = in->moment_count,
                             .services = in->services,
                             .service_count = in->service_count,
                             .warnings = in->warnings,
                             .warning_count = in->warning_count,
                             .unreadable = in->unreadable};
    return status;
}
