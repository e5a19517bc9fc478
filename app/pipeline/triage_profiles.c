/*
 * triage_profiles.c - from paths to services, from each service's leak report to findings that the
 * ranking understands, and from its profiles to series.
 *
 *   SERVICE=PATH          the profiles of that service, whatever PATH is called
 *   PATH/orders/heap-...  a folder of folders: each is a service
 *   PATH/heap-...         a folder of profiles, or a file: the reported service, else the folder
 *
 * Series: "profile.heap.in_use" (By) and "profile.goroutines" ({goroutine}), one value a profile;
 * the rules of metric roles then read them as any other metric. Findings carry the command that
 * shows the whole report again.
 *
 * Execution traces among them are handed on (triage_traces.h): what they say has series, too.
 *
 * Events: of each finding the steps in which a person looks for a leak, as moments of the incident:
 *   phenomenon    when the growth could first be seen, and how fast it is
 *   snapshot      what allocates or waits, in the last profile
 *   comparison    the first profile against the last
 *   verification  which profiles say the same, and what speaks against it
 *
 * Stacks: of the comparison, the two profiles in one tree, small enough to be kept with the
 * incident (triage_stacks.h). Profiles are read a second time for it: a leak run has let go of all
 * but sums by then, and two files of hundreds cost little.
 */
#include "triage_profiles.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "faultline/leak_run.h"
#include "gauge.h"
#include "leak_traces.h"
#include "quote.h"
#include "slice.h"
#include "triage_findings.h"
#include "triage_stacks.h"

enum { MAX_SERVICES = 256, MAX_FINDINGS = 512, MAX_WARNINGS = 64, FINDINGS_EACH = 4, STEPS = 4 };
enum { MAX_MOMENTS = STEPS * MAX_FINDINGS };

/* One service and where its profiles are. */
struct source {
    const char *service, *path;
};

struct reading {
    struct source sources[MAX_SERVICES];
    size_t source_count;
    fl_rank_finding *findings;
    size_t finding_count;
    fl_moment *moments;
    size_t moment_count;
    fl_picture_stacks *stacks;
    size_t stack_count;
    const char **warnings;
    size_t warning_count;
    uint64_t unreadable;
    fl_triage_found *traces;
    size_t trace_count;
    const fl_triage_profile_paths *from;
    const fl_sink *sink;
    fl_arena *arena;
    fl_error *err;
};

/* One sentence for all of this file. */
static fl_status no_memory(const struct reading *in)
{
    return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for profiles");
}

/* ---- whose profiles ---- */

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static fl_status add_source(struct reading *in, const char *service, const char *path)
{
    assert(in->source_count <= MAX_SERVICES);
    if (service == NULL || path == NULL)
        return no_memory(in);
    if (in->source_count == MAX_SERVICES)
        return fl_fail(in->err, FL_E_LIMIT, FL_NO_OFFSET, "profiles of more than %d services",
                       MAX_SERVICES);
    in->sources[in->source_count++] = (struct source){.service = service, .path = path};
    return FL_OK;
}

/* The folders right below; none is no failure. */
static fl_status add_folders(struct reading *in, const char *path)
{
    DIR *dir = opendir(path);
    fl_status status = FL_OK;
    if (dir == NULL)
        return fl_fail(in->err, FL_E_IO, FL_NO_OFFSET, "cannot read folder %.120s: %s", path,
                       strerror(errno));
    for (const struct dirent *entry = readdir(dir); entry != NULL && status == FL_OK;
         entry = readdir(dir)) {
        const char *below = fl_arena_printf(in->arena, "%s/%s", path, entry->d_name);
        if (below == NULL)
            status = no_memory(in);
        else if (entry->d_name[0] != '.' && is_folder(below))
            status = add_source(in, fl_arena_printf(in->arena, "%s", entry->d_name), below);
    }
    closedir(dir);
    return status;
}

/* "a/b/" -> "b"; NULL where that is no name. */
static const char *last_name(struct reading *in, const char *path)
{
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    fl_slice name = {.ptr = (const unsigned char *)path + begin, .len = end - begin};
    if (name.len == 0 || name.ptr[0] == '.')
        return NULL;
    return fl_arena_cstr(in->arena, name);
}

/* A name before the path wins, then the folders below it. */
static fl_status add_path(struct reading *in, const char *path, const char *reported)
{
    const char *equals = strchr(path, '='), *slash = strchr(path, '/');
    size_t before = in->source_count;
    if (equals != NULL && equals > path && (slash == NULL || equals < slash)) {
        fl_slice name = {.ptr = (const unsigned char *)path, .len = (size_t)(equals - path)};
        return add_source(in, fl_arena_cstr(in->arena, name), equals + 1);
    }
    fl_status status = is_folder(path) ? add_folders(in, path) : FL_OK;
    if (status != FL_OK || in->source_count > before)
        return status;
    const char *name = reported;
    if (name == NULL && is_folder(path))
        name = last_name(in, path);
    char location[FL_QUOTE_LOCATION];
    const char *shown = fl_quote_location(location, path);
    return name != NULL
               ? add_source(in, name, path)
               : fl_fail(in->err, FL_E_SYNTAX, FL_NO_OFFSET,
                         "whose profiles are in %.100s? say --pprof SERVICE=%.60s", shown, shown);
}

/* By service, whatever the order in which they were given or listed. */
static int compare_sources(const void *left, const void *right)
{
    const struct source *a = left, *b = right;
    int order = strcmp(a->service, b->service);
    return order != 0 ? order : strcmp(a->path, b->path);
}

/* ---- what they say ---- */

/* The command that prints the whole report. */
static const char *query_of(struct reading *in, const struct source *source)
{
    const char *shown = fl_triage_shown(source->path, in->arena);
    return shown != NULL ? fl_arena_printf(in->arena, "faultline leak %s", shown) : NULL;
}

/* What is trouble, in the words of the ranking. */
static fl_status add_finding(struct reading *in, const struct source *source,
                             const fl_leak_finding *finding)
{
    const char *query = query_of(in, source);
    if (query == NULL)
        return no_memory(in);
    if (in->finding_count == MAX_FINDINGS)
        return FL_OK;
    fl_rank_finding *out = &in->findings[in->finding_count];
    fl_status status =
        fl_triage_finding_of(out, finding, source->service, query, in->arena, in->err);
    in->finding_count += status == FL_OK && out->cause != FL_CAUSE_UNKNOWN;
    return status;
}

/* ---- the four steps ---- */

/* The earliest and the latest profile of one kind; NULL where there are not two. */
struct ends {
    const fl_leak_total *first, *last;
};

static struct ends ends_of(const fl_leak_run *run, bool is_heap)
{
    size_t count;
    struct ends out = {0};
    const fl_leak_total *totals = fl_leak_run_totals(run, &count);
    for (size_t i = 0; i < count; i++) {
        const fl_leak_total *total = &totals[i];
        if (isnan(is_heap ? total->heap_bytes : total->goroutines))
            continue;
        if (out.first == NULL || total->time_ns < out.first->time_ns)
            out.first = total;
        if (out.last == NULL || total->time_ns > out.last->time_ns)
            out.last = total;
    }
    return out.first == out.last ? (struct ends){0} : out;
}

/* A moment that has no time is none. */
static fl_status add_moment(struct reading *in, const struct source *source, int64_t at_ns,
                            const char *text, const char *query)
{
    assert(in->moment_count <= MAX_MOMENTS);
    if (text == NULL || query == NULL)
        return no_memory(in);
    if (at_ns != 0 && in->moment_count < MAX_MOMENTS)
        in->moments[in->moment_count++] =
            (fl_moment){.at_ns = at_ns, .service = source->service, .text = text, .query = query};
    return FL_OK;
}

/* "grows by 1.3 GB an hour (95 %: 1.2 to 1.4)", of bytes or of goroutines. */
static const char *growth_of(struct reading *in, const fl_leak_finding *finding)
{
    bool is_heap = !isnan(finding->growth_bytes_per_hour.value);
    fl_leak_interval by = is_heap ? finding->growth_bytes_per_hour : finding->growth_per_hour;
    double unit = is_heap ? 1e6 : 1;
    if (isnan(by.value))
        return finding->signature != NULL ? finding->signature->title : "trouble";
    return fl_arena_printf(in->arena, "grows by %.4g %s an hour (95 %%: %.4g to %.4g)",
                           by.value / unit, is_heap ? "MB" : "goroutines", by.low / unit,
                           by.high / unit);
}

/* "heap, memstats": who says so on their own. */
static const char *support_of(struct reading *in, const fl_leak_finding *finding)
{
    const char *text = "";
    for (int i = 0; i < FL_LEAK_SOURCE_COUNT && text != NULL; i++) {
        if (finding->support & 1u << i)
            text = fl_arena_printf(in->arena, "%s%s%s", text, text[0] != '\0' ? ", " : "",
                                   fl_leak_source_name((fl_leak_source)i));
    }
    return text;
}

/* The first and the last profile beside each other, where there are two to compare. */
static fl_status add_comparison(struct reading *in, const struct source *source,
                                const fl_leak_finding *finding, struct ends ends)
{
    if (ends.first == NULL || finding->evidence_count == 0)
        return FL_OK;
    return add_moment(in, source, ends.last->time_ns,
                      fl_arena_printf(in->arena, "comparison: %s", finding->evidence[0].text),
                      fl_arena_printf(in->arena, "faultline leak --diff %s %s", ends.first->source,
                                      ends.last->source));
}

/* The tree of the comparison; one of each service and type, however many findings are about it. */
static fl_status add_stacks(struct reading *in, const struct source *source,
                            const fl_leak_finding *finding, struct ends ends)
{
    bool is_heap = finding->subject != FL_LEAK_GOROUTINES;
    fl_picture_stacks *out = &in->stacks[in->stack_count];
    if (ends.first == NULL || in->stack_count == FL_PICTURE_STACKS)
        return FL_OK;
    fl_triage_stacks_pair pair = {.service = source->service,
                                  .type = is_heap ? "inuse_space" : "goroutine",
                                  .before = ends.first->source,
                                  .after = ends.last->source,
                                  .before_ns = ends.first->time_ns,
                                  .after_ns = ends.last->time_ns};
    for (size_t i = 0; i < in->stack_count; i++)
        if (in->stacks[i].service == pair.service && strcmp(in->stacks[i].type, pair.type) == 0)
            return FL_OK;
    fl_status status = fl_triage_stacks_read(out, &pair, in->arena, in->err);
    if (status != FL_OK || out->frame_count == 0)
        return status;
    out->query = fl_arena_printf(in->arena, "faultline profile flame --sample-type %s --base %s %s",
                                 pair.type, pair.before, pair.after);
    in->stack_count++;
    return out->query != NULL ? FL_OK : no_memory(in);
}

/* One finding, in the steps that show it again. */
static fl_status add_steps(struct reading *in, const struct source *source, const fl_leak_run *run,
                           const fl_leak_finding *finding)
{
    const fl_leak_report *report = fl_leak_run_report(run);
    struct ends ends = ends_of(run, finding->subject != FL_LEAK_GOROUTINES);
    const char *frame = fl_triage_frame_of(finding, in->arena), *growth = growth_of(in, finding);
    const char *support = support_of(in, finding), *query = query_of(in, source);
    int64_t began_ns = finding->began_ns != 0 ? finding->began_ns : report->from_ns;
    int64_t last_ns = ends.last != NULL ? ends.last->time_ns : report->to_ns;
    if (growth == NULL || support == NULL)
        return no_memory(in);
    fl_status status = add_moment(in, source, began_ns,
                                  fl_arena_printf(in->arena, "phenomenon: %s in %s %s",
                                                  fl_leak_verdict_name(finding->verdict),
                                                  frame != NULL ? frame : "the program", growth),
                                  query);
    if (status == FL_OK && ends.last != NULL)
        status = add_moment(
            in, source, last_ns,
            fl_arena_printf(in->arena, "snapshot: %s%s%s", frame != NULL ? frame : "the program",
                            finding->holder != NULL ? ", kept by " : "",
                            finding->holder != NULL ? finding->holder : ""),
            fl_arena_printf(in->arena, "faultline profile top %s", ends.last->source));
    if (status == FL_OK)
        status = add_comparison(in, source, finding, ends);
    if (status == FL_OK)
        status = add_stacks(in, source, finding, ends);
    if (status != FL_OK)
        return status;
    return add_moment(
        in, source, last_ns,
        fl_arena_printf(in->arena, "verification: %s agree%s; %s%s",
                        support[0] != '\0' ? support : "no profiles",
                        strchr(support, ',') != NULL ? "" : "s",
                        finding->against_count > 0 ? "against it: " : "nothing speaks against it",
                        finding->against_count > 0 ? finding->against[0] : ""),
        finding->signature != NULL
            ? fl_arena_printf(in->arena, "faultline signatures show %s", finding->signature->name)
            : query);
}

/* By time; of one moment, in the order in which they were added. */
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

/* A report that looked long enough and found none speaks against a leak. */
static fl_status add_innocence(struct reading *in, const struct source *source,
                               const fl_leak_report *report)
{
    if (in->finding_count == MAX_FINDINGS)
        return FL_OK;
    fl_rank_finding *out = &in->findings[in->finding_count++];
    *out = (fl_rank_finding){
        .service = source->service,
        .cause = FL_CAUSE_MEMORY_LEAK,
        .against = true,
        .confidence = report->confidence,
        .text =
            fl_arena_printf(in->arena, "%zu profiles of %s show no leak (%s)", report->used_count,
                            source->service, fl_leak_verdict_name(report->verdict)),
        .value = NAN,
        .query = query_of(in, source),
    };
    return out->text != NULL && out->query != NULL ? FL_OK : no_memory(in);
}

/* The heaviest findings; one of each cause would hide the second of two leaks. */
static fl_status take_report(struct reading *in, const struct source *source,
                             const fl_leak_run *run)
{
    const fl_leak_report *report = fl_leak_run_report(run);
    fl_status status = FL_OK;
    for (size_t i = 0; i < report->finding_count && i < FINDINGS_EACH && status == FL_OK; i++) {
        const fl_leak_finding *finding = &report->findings[i];
        status = add_finding(in, source, finding);
        if (status == FL_OK && fl_triage_is_trouble(finding))
            status = add_steps(in, source, run, finding);
    }
    if (status == FL_OK &&
        (report->verdict == FL_LEAK_NO_LEAK || report->verdict == FL_LEAK_BOUNDED_GROWTH))
        status = add_innocence(in, source, report);
    for (size_t i = 0; i < report->warning_count && in->warning_count < MAX_WARNINGS; i++) {
        const char *text =
            fl_arena_printf(in->arena, "profiles of %s: %s", source->service, report->warnings[i]);
        if (text == NULL)
            return no_memory(in);
        in->warnings[in->warning_count++] = text;
    }
    return status;
}

/* What a profile is not about is no point. */
static fl_status push_point(struct reading *in, uint32_t handle, fl_slice metric, fl_slice unit,
                            int64_t time_ns, double value)
{
    const fl_point point = fl_gauge_of(metric, unit, time_ns, value);
    return isnan(value) ? FL_OK : in->sink->point(in->sink->payload, handle, &point, in->err);
}

/* As if the service had reported them itself. */
static fl_status push_series(struct reading *in, const struct source *source,
                             const fl_leak_run *run)
{
    size_t count;
    uint32_t handle;
    const fl_leak_total *totals = fl_leak_run_totals(run, &count);
    const fl_resource resource = {.service = fl_slice_of(source->service)};
    fl_status status = in->sink->resource(in->sink->payload, &resource, &handle, in->err);
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        status = push_point(in, handle, FL_SLICE("profile.heap.in_use"), FL_SLICE("By"),
                            totals[i].time_ns, totals[i].heap_bytes);
        if (status == FL_OK)
            status = push_point(in, handle, FL_SLICE("profile.goroutines"), FL_SLICE("{goroutine}"),
                                totals[i].time_ns, totals[i].goroutines);
    }
    return status;
}

/* A scheme stands in front of the first slash. */
static bool is_address(const char *path)
{
    return strstr(path, "://") != NULL && strstr(path, "://") + 1 == strchr(path, '/');
}

/* Profiles that cannot be used cost themselves, and so does a program that does not answer; a path
 * that is not there is a mistake to be said. */
static fl_status pass_over(struct reading *in, const struct source *source, const fl_error *why)
{
    bool is_mistake = why->status == FL_E_IO || why->status == FL_E_NOTFOUND;
    if (why->status == FL_E_NOMEM || (is_mistake && !is_address(source->path)))
        return fl_fail(in->err, why->status, why->offset, "%s", why->message);
    const char *text =
        fl_arena_printf(in->arena, "profiles of %s: %s", source->service, why->message);
    in->unreadable++;
    if (text == NULL)
        return no_memory(in);
    if (in->warning_count < MAX_WARNINGS)
        in->warnings[in->warning_count++] = text;
    return FL_OK;
}

/* What was kept becomes this reader's own; what there is no room for is told. */
static fl_status take_traces(struct reading *in, const struct source *source,
                             const fl_leak_traces *kept)
{
    uint64_t more = kept->passed_over;
    for (size_t i = 0; i < kept->count; i++) {
        if (in->trace_count < FL_TRIAGE_TRACES) {
            in->traces[in->trace_count++] = (fl_triage_found){
                .service = source->service, .path = kept->items[i].name, .run = kept->items[i].run};
        } else {
            fl_trace_run_destroy(kept->items[i].run);
            more++;
        }
    }
    if (more == 0 || in->warning_count == MAX_WARNINGS)
        return FL_OK;
    const char *text = fl_arena_printf(
        in->arena, "profiles of %s: %llu trace%s more than the %d that are read", source->service,
        (unsigned long long)more, more == 1 ? "" : "s", FL_TRIAGE_TRACES);
    in->warnings[in->warning_count++] = text;
    return text != NULL ? FL_OK : no_memory(in);
}

/* One service: its report, then its series. */
static fl_status read_source(struct reading *in, const struct source *source)
{
    fl_leak_run *run;
    fl_error why = {0};
    const fl_leak_request request = {.inputs = &source->path,
                                     .input_count = 1,
                                     .signatures = in->from->signatures,
                                     .signature_count = in->from->signature_count,
                                     .asker = in->from->asker};
    fl_leak_traces *kept = fl_arena_alloc(in->arena, 1, sizeof(*kept));
    if (kept == NULL)
        return no_memory(in);
    *kept = (fl_leak_traces){.arena = in->arena, .library = in->from->library};
    fl_status status = fl_leak_run_create_apart(&run, &request, kept, &why);
    if (status != FL_OK) {
        fl_leak_traces_dispose(kept);
        return pass_over(in, source, &why);
    }
    in->unreadable += fl_leak_run_inputs(run)->unreadable;
    status = take_traces(in, source, kept);
    if (status == FL_OK)
        status = take_report(in, source, run);
    if (status == FL_OK)
        status = push_series(in, source, run);
    fl_leak_run_destroy(run);
    return status;
}

fl_status fl_triage_profiles_read(fl_triage_profiles *out, const fl_triage_profile_paths *from,
                                  const fl_sink *sink, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && sink != NULL && (from->paths != NULL || from->count == 0));
    fl_status status = FL_OK;
    *out = (fl_triage_profiles){0};
    if (from->count == 0)
        return FL_OK;
    assert(from->library != NULL);
    struct reading *in = fl_arena_alloc(arena, 1, sizeof(*in));
    if (in == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for profiles");
    *in = (struct reading){
        .findings = fl_arena_alloc(arena, MAX_FINDINGS, sizeof(*in->findings)),
        .warnings = fl_arena_alloc(arena, MAX_WARNINGS, sizeof(*in->warnings)),
        .moments = fl_arena_alloc(arena, MAX_MOMENTS, sizeof(*in->moments)),
        .stacks = fl_arena_alloc(arena, FL_PICTURE_STACKS + 1, sizeof(*in->stacks)),
        .traces = fl_arena_alloc(arena, FL_TRIAGE_TRACES, sizeof(*in->traces)),
        .from = from,
        .sink = sink,
        .arena = arena,
        .err = err,
    };
    if (in->findings == NULL || in->warnings == NULL || in->moments == NULL || in->stacks == NULL ||
        in->traces == NULL)
        return no_memory(in);
    for (size_t i = 0; i < from->count && status == FL_OK; i++)
        status = add_path(in, from->paths[i], from->service);
    if (status == FL_OK)
        qsort(in->sources, in->source_count, sizeof(in->sources[0]), compare_sources);
    for (size_t i = 0; i < in->source_count && status == FL_OK; i++)
        status = read_source(in, &in->sources[i]);
    sort_moments(in->moments, in->moment_count);
    *out = (fl_triage_profiles){.findings = in->findings,
                                .finding_count = in->finding_count,
                                .moments = in->moments,
                                .moment_count = in->moment_count,
                                .stacks = in->stacks,
                                .stack_count = in->stack_count,
                                .warnings = in->warnings,
                                .warning_count = in->warning_count,
                                .unreadable = in->unreadable,
                                .traces = in->traces,
                                .trace_count = in->trace_count};
    return status;
}

void fl_triage_profiles_dispose(fl_triage_profiles *profiles)
{
    for (size_t i = 0; i < profiles->trace_count; i++)
        fl_trace_run_destroy(profiles->traces[i].run);
    profiles->trace_count = 0;
}
