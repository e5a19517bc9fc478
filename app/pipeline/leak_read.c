/*
 * leak_read.c - what an input holds is told by its first bytes, in this order:
 *
 *   an execution trace   "go 1.NN trace": its findings stand beside those of the series
 *   a heap dump          "JAVA PROFILE": of a Java program, by leak_heaps.h
 *   a class histogram    "num #instances #bytes": by leak_histos.h
 *   a crash report       of a Java virtual machine: a finding where its memory ran out
 *   goroutines           the text of debug=1 or debug=2, or a crash
 *   memory statistics    JSON lines, expvar, gctrace
 *   a profile            protobuf or text
 *   some other text      looked through for a crash and for statistics that begin further down
 *
 * A log may hold statistics and the crash that ended the program: a text is asked for both.
 */
#include "leak_read.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "crash_findings.h"
#include "faultline/limits.h"
#include "goroutine_read.h"
#include "gostats_read.h"
#include "hserr.h"
#include "slice.h"

enum { HEAD_BYTES = 4096, CHUNK_BYTES = 1 << 16, SMALL_BYTES = 16 << 20 };

/* One input, which is opened once for each decoder that is tried. */
struct input {
    const char *name;
    const fl_slice *bytes; /* NULL: a file */
    fl_slice content;      /* of a small one all, decompressed; empty: not known */
    int64_t default_ns;
};

/* From its beginning; both kinds decompress alike. */
static fl_status open_input(fl_stream **out, const struct input *in, fl_error *err)
{
    if (in->content.len > 0)
        return fl_stream_over(out, in->content, in->name, err);
    return in->bytes != NULL ? fl_stream_over(out, *in->bytes, in->name, err)
                             : fl_stream_open(out, in->name, err);
}

/* A small input is read once for all decoders. One that is large, damaged or packed twice is left
 * to them, who read it as a stream and use what stands before the damage. */
static void read_small(struct input *in, fl_leak_reader *reader)
{
    fl_stream *stream;
    fl_slice content = {0};
    if (open_input(&stream, in, NULL) != FL_OK)
        return;
    fl_status status = fl_stream_read_all(&content, &reader->content, stream, SMALL_BYTES, NULL);
    fl_stream_close(stream);
    if (status == FL_OK && content.len <= SMALL_BYTES && !fl_stream_is_packed(content))
        in->content = content;
}

/* The first bytes, decompressed. What breaks behind them is for the decoder to say. */
static fl_status read_head(unsigned char head[HEAD_BYTES], size_t *len, const struct input *in,
                           fl_error *err)
{
    fl_stream *stream;
    fl_error inner = {0};
    size_t got = 1;
    *len = 0;
    fl_status status = open_input(&stream, in, err);
    if (status != FL_OK)
        return status;
    while (status == FL_OK && got > 0 && *len < HEAD_BYTES) {
        status = fl_stream_read(stream, head + *len, HEAD_BYTES - *len, &got, &inner);
        *len += status == FL_OK ? got : 0;
    }
    fl_stream_close(stream);
    if (status == FL_E_NOMEM || (status != FL_OK && *len == 0))
        return fl_fail(err, status, inner.offset, "%s", inner.message);
    return FL_OK;
}

/* The whole of a text, in the reader's buffer. */
static fl_status read_text(fl_slice *out, fl_leak_reader *reader, const struct input *in,
                           fl_error *err)
{
    unsigned char chunk[CHUNK_BYTES];
    fl_stream *stream;
    size_t got = 1;
    fl_buf_clear(&reader->text);
    fl_status status = open_input(&stream, in, err);
    if (status != FL_OK)
        return status;
    while (status == FL_OK && got > 0 && reader->text.status == FL_OK) {
        status = fl_stream_read(stream, chunk, sizeof(chunk), &got, err);
        if (status == FL_OK)
            fl_buf_add(&reader->text, (fl_slice){.ptr = chunk, .len = got});
    }
    fl_stream_close(stream);
    if (status == FL_OK)
        status = fl_buf_check(&reader->text, in->name, err);
    *out = fl_buf_slice(&reader->text);
    return status;
}

/* What a program writes to its standard error: text, and no document that talks of a crash. */
static bool is_log(fl_slice head)
{
    fl_slice text = fl_slice_trim(head);
    bool printable = text.len > 0 && strchr("{[<", text.ptr[0]) == NULL;
    for (size_t i = 0; i < text.len && printable; i++)
        printable = text.ptr[i] >= ' ' || strchr("\t\r\n\033", text.ptr[i]) != NULL;
    return printable && memchr(text.ptr, '\0', text.len) == NULL;
}

/* A sentence about an input that was used only in part, or not at all. */
static void note(fl_leak_reader *reader, const char *name, const char *what)
{
    reader->warning = fl_arena_printf(reader->arena, "%s: %s", name, what);
}

/* ---- the decoders ---- */

/* Goroutines that cannot be read cost themselves: what came before them counts, and is said. */
static fl_status take_goroutines(fl_leak_reader *reader, const struct input *in, fl_error *err)
{
    fl_stream *stream;
    fl_goroutines *goroutines = NULL;
    fl_status status = open_input(&stream, in, err);
    if (status != FL_OK)
        return status;
    status = fl_goroutines_read(&goroutines, stream, err);
    fl_stream_close(stream);
    if (status == FL_OK)
        status = fl_leak_add_goroutines(reader->leak, goroutines, in->default_ns, err);
    if (status == FL_OK) {
        bool crashed = false;
        for (size_t i = 0; i < goroutines->crash_count; i++)
            crashed |= goroutines->crashes[i].kind != FL_GOCRASH_HANDLED;
        reader->inputs->counts[crashed ? FL_LEAK_INPUT_CRASH : FL_LEAK_INPUT_GOROUTINE]++;
        if (goroutines->broken.status != FL_OK || goroutines->rejected > 0) {
            reader->inputs->unreadable++;
            note(reader, in->name,
                 goroutines->broken.status != FL_OK ? goroutines->broken.message
                                                    : goroutines->first_reject.message);
        } else if (goroutines->is_cut) {
            note(reader, in->name, "Go stopped writing goroutines: the rest is not in it");
        }
    }
    fl_goroutines_destroy(goroutines);
    return status;
}

/* What is kept of them is copied by the analysis, so the decoder's arena goes at once. */
static fl_status take_stats(fl_leak_reader *reader, const struct input *in, fl_error *err)
{
    fl_slice text;
    fl_gostats stats;
    fl_arena arena = fl_arena_of(FL_MAX_RECORD_ARENA_BYTES);
    fl_status status = read_text(&text, reader, in, err);
    if (status == FL_OK)
        status = fl_gostats_read(&stats, text, in->default_ns, &arena, err);
    if (status == FL_OK)
        status = fl_leak_add_stats(reader->leak, &stats, err);
    if (status == FL_OK)
        reader->inputs->counts[FL_LEAK_INPUT_STATS]++;
    if (status == FL_OK && stats.rejected > 0)
        note(reader, in->name, stats.first_reject.message);
    fl_arena_dispose(&arena);
    return status;
}

/* Two builds of one program are taken, and said. Which profiles are of one program is for the
 * analysis to decide: it has seen all of them. */
static fl_status note_build(fl_leak_reader *reader, fl_error *err)
{
    const fl_profile *profile = reader->profile;
    fl_leak_program *program = &reader->program;
    if (profile->mapping_count == 0 || profile->mappings[0].build_id.len == 0)
        return FL_OK;
    fl_slice file = profile->mappings[0].file, build_id = profile->mappings[0].build_id;
    if (program->file == NULL) {
        program->file = fl_arena_cstr(reader->arena, file);
        program->build_id = fl_arena_cstr(reader->arena, build_id);
        return program->file != NULL && program->build_id != NULL
                   ? FL_OK
                   : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a program's name");
    }
    program->several_builds |= fl_slice_equal(file, fl_slice_of(program->file)) &&
                               !fl_slice_equal(build_id, fl_slice_of(program->build_id));
    return FL_OK;
}

/* Where a profile is counted. */
static fl_leak_input input_of(fl_profile_kind kind)
{
    switch (kind) {
    case FL_PROFILE_HEAP:
        return FL_LEAK_INPUT_HEAP;
    case FL_PROFILE_ALLOCS:
        return FL_LEAK_INPUT_ALLOCS;
    case FL_PROFILE_GOROUTINE:
    case FL_PROFILE_GOROUTINE_LEAK:
        return FL_LEAK_INPUT_GOROUTINE;
    case FL_PROFILE_BLOCK:
        return FL_LEAK_INPUT_BLOCK;
    case FL_PROFILE_MUTEX:
        return FL_LEAK_INPUT_MUTEX;
    case FL_PROFILE_CPU:
        return FL_LEAK_INPUT_CPU;
    case FL_PROFILE_OTHER:
    case FL_PROFILE_THREAD_CREATE:
    case FL_PROFILE_WALL:
        return FL_LEAK_INPUT_OTHER;
    }
    return FL_LEAK_INPUT_OTHER;
}

/* The sum over all samples of one type; NaN where the profile has no such type. */
static double total_of(const fl_profile *profile, fl_slice type)
{
    uint32_t at = fl_profile_type_find(profile, type);
    double sum = 0;
    for (size_t i = 0; at != FL_PROFILE_NONE && i < profile->sample_count; i++)
        sum += (double)fl_profile_value(profile, i, at);
    return at != FL_PROFILE_NONE ? sum : NAN;
}

/* A heap profile and the allocs profile beside it say the same: one is enough. */
static fl_status note_total(fl_leak_reader *reader, const char *name, fl_error *err)
{
    const fl_profile *profile = reader->profile;
    bool is_heap = profile->kind == FL_PROFILE_HEAP;
    if ((!is_heap && profile->kind != FL_PROFILE_GOROUTINE) || profile->time_ns <= 0 ||
        reader->totals == NULL || reader->total_count == MAX_LEAK_TOTALS)
        return FL_OK;
    fl_leak_total total = {.time_ns = profile->time_ns,
                           .heap_bytes = NAN,
                           .goroutines = NAN,
                           .source = fl_arena_printf(reader->arena, "%s", name)};
    if (total.source == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for totals");
    if (is_heap)
        total.heap_bytes = total_of(profile, FL_SLICE("inuse_space"));
    else
        total.goroutines = total_of(profile, FL_SLICE("goroutine"));
    reader->totals[reader->total_count++] = total;
    return FL_OK;
}

/* The profile as it is, or with the names that were given for it. */
static fl_status give_names(const fl_profile **out, fl_leak_reader *reader, fl_error *err)
{
    fl_naming_result names;
    *out = reader->profile;
    if (!fl_naming_has_any(reader->naming))
        return FL_OK;
    fl_status status = fl_naming_apply(reader->named, reader->naming, reader->profile, &names, err);
    *out = reader->named;
    reader->names.named_addresses += names.named_addresses;
    reader->names.unnamed_addresses += names.unnamed_addresses;
    reader->names.mapped_places += names.mapped_places;
    reader->names.is_other_build |= names.is_other_build;
    return status;
}

/* Names are normalised: a generic function has another one in each build. */
static fl_status take_profile(fl_leak_reader *reader, const struct input *in, fl_error *err)
{
    static const fl_pprof_options options = {.normalise_names = true};
    fl_stream *stream;
    const fl_profile *named = NULL;
    fl_status status = open_input(&stream, in, err);
    if (status != FL_OK)
        return status;
    status = fl_profile_read(reader->profile, stream, in->name, &options, err);
    fl_stream_close(stream);
    if (status == FL_OK)
        status = note_build(reader, err);
    if (status == FL_OK)
        status = give_names(&named, reader, err);
    if (status == FL_OK)
        status = fl_leak_add(reader->leak, named, in->default_ns, err);
    if (status == FL_OK)
        reader->inputs->counts[input_of(reader->profile->kind)]++;
    if (status == FL_OK)
        status = note_total(reader, in->name, err);
    if (status == FL_OK && reader->profile->clamped_values > 0)
        note(reader, in->name, "it has values beyond 2^62, which count as that");
    return status;
}

/* The trace as it is, for whose timeline it is: its name and its damage are told there. */
static fl_status keep_trace(fl_leak_reader *reader, const struct input *in, fl_error *err)
{
    fl_leak_traces *apart = reader->apart;
    const fl_trace_options options = {.library = apart->library, .with_course = true};
    fl_error inner = {0};
    if (apart->count == FL_LEAK_TRACES) {
        apart->passed_over++;
        return FL_OK;
    }
    struct fl_leak_traced *kept = &apart->items[apart->count];
    fl_status status =
        in->bytes == NULL
            ? fl_trace_run_input(&kept->run, in->name, &options, &inner)
            : fl_trace_run_bytes(&kept->run, *in->bytes, in->default_ns, &options, &inner);
    if (status != FL_OK)
        return fl_fail(err, status, inner.offset, "%s%s%s", in->bytes != NULL ? in->name : "",
                       in->bytes != NULL ? ": " : "", inner.message);
    apart->count++;
    reader->inputs->counts[FL_LEAK_INPUT_TRACE]++;
    kept->name = fl_arena_printf(apart->arena, "%s", in->name);
    return kept->name != NULL
               ? FL_OK
               : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a trace's name");
}

/* A trace that breaks off says what it can, and is said. */
static fl_status take_trace(fl_leak_reader *reader, const struct input *in, fl_error *err)
{
    fl_stream *stream;
    fl_trace_run *run = NULL;
    const fl_trace_options options = {.library = reader->library};
    fl_error inner = {0};
    fl_status status = open_input(&stream, in, err);
    if (status != FL_OK)
        return status;
    status = fl_trace_run_create(&run, stream, &options, &inner);
    fl_stream_close(stream);
    if (status != FL_OK)
        return fl_fail(err, status, inner.offset, "%s: %s", in->name, inner.message);
    status = fl_trace_findings_add(&reader->traces, run, reader->arena, err);
    if (status == FL_OK)
        reader->inputs->counts[FL_LEAK_INPUT_TRACE]++;
    if (status == FL_OK && fl_trace_run_info(run)->broken.status != FL_OK) {
        reader->inputs->unreadable++;
        note(reader, in->name, fl_trace_run_info(run)->broken.message);
    }
    fl_trace_run_destroy(run);
    return status;
}

/* A crash that memory had nothing to do with is for another command to explain. */
static fl_status take_crash_report(fl_leak_reader *reader, const struct input *in, fl_error *err)
{
    fl_stream *stream;
    fl_crash crash;
    fl_leak_finding finding;
    fl_error inner = {0};
    bool has = false;
    fl_status status = open_input(&stream, in, err);
    if (status != FL_OK)
        return status;
    status = fl_hserr_read(&crash, stream, reader->arena, &inner);
    fl_stream_close(stream);
    if (status != FL_OK)
        return fl_fail(err, status, inner.offset, "%s: %s", in->name, inner.message);
    status = fl_crash_finding(&finding, &has, &crash, reader->arena, err);
    if (status == FL_OK && has)
        status = fl_trace_findings_put(&reader->traces, &finding, reader->arena, err);
    if (status == FL_OK)
        reader->inputs->counts[FL_LEAK_INPUT_CRASH]++;
    reader->crash_reports += status == FL_OK;
    if (status == FL_OK && !has)
        note(reader, in->name,
             "no leak seen in a crash report; faultline crash tells what crashed");
    return status;
}

/* What it keeps is a point of the curve like any other profile's. */
static fl_status take_heap(fl_leak_reader *reader, const struct input *in, fl_error *err)
{
    const char *warning = NULL;
    fl_status status =
        fl_leak_heaps_take(&reader->heaps, in->name, in->bytes, reader->arena, &warning, err);
    if (status != FL_OK)
        return status;
    const fl_leak_heap *heap = &reader->heaps.items[reader->heaps.count - 1];
    reader->inputs->counts[FL_LEAK_INPUT_HEAP]++;
    reader->warning = warning;
    if (reader->total_count < MAX_LEAK_TOTALS)
        reader->totals[reader->total_count++] = (fl_leak_total){
            .time_ns = heap->time_ns,
            .heap_bytes = (double)fl_heap_paths_at(heap->record.paths, 0)->retained_bytes,
            .goroutines = NAN,
            .source = fl_arena_printf(reader->arena, "%s", in->name),
        };
    return FL_OK;
}

/* When a file was written last is when its program was asked; 0: not known. */
static int64_t written_ns(const struct input *in)
{
    struct stat about;
    if (in->bytes != NULL || stat(in->name, &about) != 0 || !S_ISREG(about.st_mode) ||
        about.st_mtim.tv_sec < 0 || about.st_mtim.tv_sec >= INT64_MAX / 1000000000)
        return in->default_ns;
    return (int64_t)about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec;
}

static fl_status take_histo(fl_leak_reader *reader, const struct input *in, fl_error *err)
{
    fl_slice text;
    fl_status status = read_text(&text, reader, in, err);
    if (status == FL_OK)
        status = fl_leak_histos_take(&reader->histos, in->name, text, written_ns(in), reader->arena,
                                     err);
    if (status == FL_OK)
        reader->inputs->counts[FL_LEAK_INPUT_HEAP]++;
    return status;
}

/* A log: it may hold both, and one of them is enough. `why` says what it is where it holds none. */
static fl_status take_log(fl_leak_reader *reader, const struct input *in, const fl_error *why,
                          fl_error *err)
{
    fl_error stats = {0}, goroutines = {0};
    fl_status status = take_stats(reader, in, &stats);
    if (status != FL_OK && status != FL_E_UNSUPPORTED)
        return fl_fail(err, status, stats.offset, "%s: %s", in->name, stats.message);
    bool used = status == FL_OK;
    status = take_goroutines(reader, in, &goroutines);
    if (status == FL_OK || (used && status == FL_E_UNSUPPORTED))
        return FL_OK;
    if (status == FL_E_UNSUPPORTED && why != NULL)
        return fl_fail(err, why->status, why->offset, "%s", why->message);
    return fl_fail(err, status, goroutines.offset, "%s: %s", in->name, goroutines.message);
}

/* A few words can look like a protobuf of odd fields: what is wrong with those helps nobody. */
static void call_it_text(fl_error *why, const char *name)
{
    if (strstr(why->message, "not a profile") != NULL)
        return;
    *why = (fl_error){.status = FL_E_UNSUPPORTED, .offset = FL_NO_OFFSET};
    snprintf(why->message, sizeof(why->message), "%.120s: this is text, not a profile", name);
}

fl_status fl_leak_read(fl_leak_reader *reader, const char *name, const fl_slice *bytes,
                       int64_t default_ns, fl_error *err)
{
    assert(reader != NULL && reader->leak != NULL && name != NULL);
    struct input in = {.name = name, .bytes = bytes, .default_ns = default_ns};
    unsigned char first[HEAD_BYTES];
    fl_slice head = {.ptr = first};
    fl_error inner = {0};
    reader->warning = NULL;
    reader->inputs->files++;
    read_small(&in, reader);
    fl_status status = read_head(first, &head.len, &in, err);
    if (status != FL_OK)
        return status;
    if (fl_gotrace_sniff(head))
        return reader->apart != NULL ? keep_trace(reader, &in, err) : take_trace(reader, &in, err);
    if (fl_leak_heaps_is(head))
        return take_heap(reader, &in, err);
    if (fl_histo_is(head))
        return take_histo(reader, &in, err);
    if (fl_hserr_sniff(head))
        return take_crash_report(reader, &in, err);
    if (fl_goroutines_sniff(head) || fl_gostats_sniff(head))
        return take_log(reader, &in, NULL, err);
    status = take_profile(reader, &in, &inner);
    bool refused = status == FL_E_SYNTAX || status == FL_E_UNSUPPORTED;
    if (refused && is_log(head)) {
        call_it_text(&inner, name);
        return take_log(reader, &in, &inner, err);
    }
    return status == FL_OK ? FL_OK : fl_fail(err, status, inner.offset, "%s", inner.message);
}
