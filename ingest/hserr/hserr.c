/*
 * hserr.c - a crash report line by line. docs/formats/hs-err.md has the table of what is read.
 *
 *   # ...                     the header: what happened, versions, the problematic frame
 *   Words: value              Command Line, Host, Time, Current thread, siginfo, java_command
 *   Native frames: ( ...      a frame a line, up to an empty one; also Java frames
 *   Heap:                     lines up to an empty one
 *   Native Memory Tracking:   what the virtual machine counts, a category a line (hserr_memory.c)
 *   NAME (N events):          "Event: ..." lines; the last are kept
 *
 * Invariant: frames, heap lines and events are counted up to their limits and left out beyond, so
 * that a report of any length takes a bounded part of the arena.
 */
#include "hserr.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "hserr_priv.h"
#include "number.h"

enum { MAX_LINE_BYTES = 64 << 10, MAX_TEXT = 1024, MAX_HEAP_LINES = 64 };

enum section {
    SECTION_NONE,
    SECTION_NATIVE,
    SECTION_JAVA,
    SECTION_THREADS,
    SECTION_OTHERS,
    SECTION_HEAP,
    SECTION_EVENTS
};

struct reading {
    fl_crash *out;
    fl_arena *arena;
    enum section section;
    bool in_header, began, wants_frame; /* wants_frame: the header's next line is the frame */
    bool failed;                        /* the arena ran out */
    fl_crash_frame *native_frames, *java_frames;
    const char **heap;
    fl_crash_events *events;
    fl_hserr_memory memory;
};

/* At most MAX_TEXT bytes of a text: a command line may be long. */
static const char *keep(struct reading *in, fl_slice text)
{
    fl_slice trimmed = fl_slice_trim(text);
    trimmed.len = trimmed.len < MAX_TEXT ? trimmed.len : MAX_TEXT;
    const char *kept = fl_arena_cstr(in->arena, trimmed);
    in->failed |= kept == NULL;
    return kept;
}

/* ---- the header ---- */

/* ", pid=28646, tid=28647" and " at pc=0x...": numbers behind their names. */
static void take_ids(fl_crash *out, fl_slice text)
{
    static const struct {
        const char *name;
        size_t len;
    } names[] = {{"pc=", 3}, {"pid=", 4}, {"tid=", 4}};
    uint64_t *const to[] = {&out->pc, &out->pid, &out->tid};
    for (size_t i = 0; i < 3; i++) {
        size_t at = fl_slice_find(text, fl_slice_of(names[i].name)), digits = 0;
        if (at == text.len)
            continue;
        fl_slice value = fl_slice_part(text, at + names[i].len, text.len);
        if (fl_hserr_take_hex(&value, to[i]))
            continue;
        while (digits < value.len && value.ptr[digits] >= '0' && value.ptr[digits] <= '9')
            digits++;
        (void)fl_parse_u64(fl_slice_part(value, 0, digits), to[i]);
    }
}

/* "SIGSEGV (0xb) at pc=...", "EXCEPTION_ACCESS_VIOLATION (0xc0000005) at pc=...", "Internal Error
 * (file.cpp:12), pid=...", "Out of Memory Error (os_linux.cpp:2627), pid=...". */
static bool take_what(struct reading *in, fl_slice text)
{
    fl_crash *out = in->out;
    size_t end = fl_slice_find(text, FL_SLICE(" at pc="));
    bool is_signal = end < text.len;
    if (!is_signal)
        end = fl_slice_find(text, FL_SLICE(", pid="));
    if (end == text.len)
        return false;
    out->what = keep(in, fl_slice_part(text, 0, end));
    if (!is_signal && out->cause != FL_CRASH_OUT_OF_MEMORY)
        out->cause = fl_slice_starts_with(text, FL_SLICE("Out of Memory")) ? FL_CRASH_OUT_OF_MEMORY
                                                                           : FL_CRASH_INTERNAL;
    take_ids(out, text);
    return true;
}

/* A line behind "#". What says nothing else right after the cause is its detail. */
static void take_header(struct reading *in, fl_slice text)
{
    static const fl_slice memory =
        FL_SLICE_INIT("There is insufficient memory for the Java Runtime");
    fl_crash *out = in->out;
    fl_slice rest = text;
    if (in->wants_frame) {
        in->wants_frame = false;
        (void)fl_hserr_frame(&out->frame, text, in->arena, &in->failed);
    } else if (fl_slice_starts_with(text, memory)) {
        out->cause = FL_CRASH_OUT_OF_MEMORY;
        out->detail = keep(in, text);
    } else if (fl_hserr_take(&rest, FL_SLICE("JRE version:")))
        out->jre = keep(in, rest);
    else if (fl_hserr_take(&rest, FL_SLICE("Java VM:")))
        out->vm = keep(in, rest);
    else if (fl_slice_starts_with(text, FL_SLICE("Problematic frame:")))
        in->wants_frame = true;
    else if (out->what != NULL && out->detail == NULL && out->jre == NULL) {
        out->detail = keep(in, text);
        if (fl_slice_find(text, FL_SLICE("OutOfMemory encountered:")) < text.len)
            out->cause = FL_CRASH_JAVA_MEMORY;
    } else if (out->what == NULL && !take_what(in, text) && out->cause == FL_CRASH_OUT_OF_MEMORY &&
               fl_slice_starts_with(text, FL_SLICE("Native memory allocation"))) {
        out->detail = keep(in, text);
        fl_hserr_take_failure(&in->memory, text);
    }
}

/* ---- sections ---- */

/* One frame more, of at most FL_CRASH_MAX_FRAMES. */
static void take_frame(struct reading *in, fl_slice text)
{
    bool is_native = in->section == SECTION_NATIVE;
    size_t *count = is_native ? &in->out->native_count : &in->out->java_count;
    fl_crash_frame *frames = is_native ? in->native_frames : in->java_frames, frame;
    assert(*count <= FL_CRASH_MAX_FRAMES);
    if (!fl_hserr_frame(&frame, text, in->arena, &in->failed))
        return;
    if (*count == FL_CRASH_MAX_FRAMES)
        in->out->left_out++;
    else
        frames[(*count)++] = frame;
}

/* The last of them, so the oldest leaves. */
static void take_event(struct reading *in, fl_slice text)
{
    fl_crash_events *log = &in->events[in->out->event_count - 1];
    fl_slice rest = text;
    if (!fl_hserr_take(&rest, FL_SLICE("Event: ")))
        return;
    if (log->count == FL_CRASH_LAST_EVENTS) {
        memmove(&log->last[0], &log->last[1], (FL_CRASH_LAST_EVENTS - 1) * sizeof(log->last[0]));
        log->count--;
    }
    log->last[log->count++] = keep(in, rest);
}

/* "GC Heap History (10 events):". False where the line is no such title. */
static bool begin_events(struct reading *in, fl_slice text)
{
    size_t open = fl_slice_find(text, FL_SLICE(" ("));
    if (!fl_slice_ends_with(text, FL_SLICE(" events):")) || open == text.len)
        return false;
    in->section = SECTION_NONE;
    if (in->out->event_count == FL_CRASH_MAX_EVENTS) {
        in->out->left_out++;
        return true;
    }
    in->section = SECTION_EVENTS;
    in->events[in->out->event_count++] =
        (fl_crash_events){.name = keep(in, fl_slice_part(text, 0, open))};
    return true;
}

/* The first lines say how full it was; a region a line may follow, by the thousand. */
static void take_heap(struct reading *in, fl_slice text)
{
    if (in->out->heap_count == MAX_HEAP_LINES)
        in->out->left_out++;
    else
        in->heap[in->out->heap_count++] = keep(in, text);
}

/* "elapsed time: 1.239557 seconds (0d 0h 0m 1s)", on the line of the time or on its own. */
static void take_elapsed(struct reading *in, fl_slice text)
{
    static const fl_slice words = FL_SLICE_INIT("elapsed time: ");
    size_t at = fl_slice_find(text, words);
    if (at == text.len)
        return;
    fl_slice number = fl_slice_part(text, at + words.len, text.len);
    number = fl_slice_part(number, 0, fl_slice_find(number, FL_SLICE(" ")));
    (void)fl_parse_double(number, &in->out->elapsed_s);
}

/* The first of several: what comes again under the same words is of something else. */
static void keep_first(struct reading *in, const char **to, fl_slice text)
{
    if (*to == NULL)
        *to = keep(in, text);
}

/* " (0x00007fa0bc029800):  JavaThread "main" [...]", " is native thread". */
static void take_current(struct reading *in, fl_slice text)
{
    static const fl_slice mark = FL_SLICE_INIT("):");
    fl_slice rest = fl_slice_trim(text);
    size_t at = fl_slice_find(rest, mark);
    if (at < rest.len)
        rest = fl_slice_part(rest, at + mark.len, rest.len);
    else
        (void)fl_hserr_take(&rest, FL_SLICE("is "));
    if (in->out->thread == NULL)
        fl_hserr_take_current(&in->memory, rest);
    keep_first(in, &in->out->thread, rest);
}

/* "Words: value" of all versions. */
static void take_fact(struct reading *in, fl_slice text)
{
    fl_crash *out = in->out;
    fl_slice rest = text;
    if (fl_hserr_take(&rest, FL_SLICE("Command Line:")) ||
        fl_hserr_take(&rest, FL_SLICE("java_command:")))
        keep_first(in, &out->command, rest);
    else if (fl_hserr_take(&rest, FL_SLICE("Host:")))
        keep_first(in, &out->host, rest);
    else if (fl_hserr_take(&rest, FL_SLICE("siginfo:"))) {
        if (out->signal_info == NULL)
            fl_hserr_take_sender(out, rest);
        keep_first(in, &out->signal_info, rest);
    } else if (fl_hserr_take(&rest, FL_SLICE("Time:")) || fl_hserr_take(&rest, FL_SLICE("time:")))
        keep_first(in, &out->time,
                   fl_slice_part(rest, 0, fl_slice_find(rest, FL_SLICE("elapsed time:"))));
    else if (fl_hserr_take(&rest, FL_SLICE("Current thread")))
        take_current(in, rest);
    out->is_whole |= fl_slice_starts_with(text, FL_SLICE("vm_info:")); /* Java 8's last words */
    take_elapsed(in, text);
}

/* "OutOfMemoryError java_heap_errors=3", under the counts of exceptions. */
static void take_memory_error(struct reading *in, fl_slice kind)
{
    fl_crash *out = in->out;
    if (out->memory_error_count < FL_CRASH_MAX_MEMORY_ERRORS &&
        fl_slice_find(kind, FL_SLICE("_errors=")) < kind.len)
        out->memory_errors[out->memory_error_count++] = keep(in, kind);
}

/* A line of a section that has begun. */
static void take_inside(struct reading *in, fl_slice text)
{
    fl_slice rest = text;
    if (in->section == SECTION_NATIVE || in->section == SECTION_JAVA)
        take_frame(in, text);
    else if (in->section == SECTION_THREADS || in->section == SECTION_OTHERS)
        fl_hserr_take_thread(&in->memory, text, in->section == SECTION_THREADS);
    else if (in->section == SECTION_HEAP)
        take_heap(in, text);
    else if (in->section == SECTION_EVENTS)
        take_event(in, text);
    else if (fl_hserr_take(&rest, FL_SLICE("OutOfMemoryError ")))
        take_memory_error(in, rest);
    else if (!fl_hserr_take_limit(&in->memory, text))
        take_fact(in, text);
}

/* What a line begins, else what it is of. */
static void take_body(struct reading *in, fl_slice text)
{
    if (text.len == 0) {
        in->section = SECTION_NONE;
        return;
    }
    if (fl_slice_starts_with(text, FL_SLICE("Native frames:")) && in->out->native_count == 0)
        in->section = SECTION_NATIVE;
    else if (fl_slice_starts_with(text, FL_SLICE("Java frames:")) && in->out->java_count == 0)
        in->section = SECTION_JAVA;
    else if (fl_slice_starts_with(text, FL_SLICE("Java Threads:")) && in->out->java_threads == 0)
        in->section = SECTION_THREADS;
    else if (fl_slice_starts_with(text, FL_SLICE("Other Threads:")) && in->out->other_threads == 0)
        in->section = SECTION_OTHERS;
    else if (fl_hserr_take_tracking(&in->memory, text))
        in->section = SECTION_NONE;
    else if (fl_slice_equal(text, FL_SLICE("Heap:")) && in->out->heap_count == 0)
        in->section = SECTION_HEAP;
    else if (begin_events(in, text) || fl_slice_equal(text, FL_SLICE("END.")))
        in->out->is_whole |= fl_slice_equal(text, FL_SLICE("END."));
    else
        take_inside(in, text);
}

/* A report may stand in the output of a program: what comes before its first line is passed over,
 * and so are lines that begin as the header's behind its end. */
static void take_line(struct reading *in, fl_slice text)
{
    fl_slice rest = text;
    bool is_header = fl_hserr_take(&rest, FL_SLICE("#"));
    rest = fl_slice_trim(rest);
    if (!in->began) {
        in->began = is_header && fl_hserr_sniff(text);
        in->in_header = in->began;
    } else if (in->in_header && !is_header)
        in->in_header = false;
    if (!in->began || (in->in_header && rest.len == 0))
        return;
    if (in->in_header)
        take_header(in, rest);
    else if (!is_header)
        take_body(in, fl_slice_trim(text));
}

/* One sentence for all of this file. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a crash report");
}

/* The reading goes on after odd lines, and ends only with the stream or the arena. */
static fl_status read_lines(struct reading *in, fl_lines *lines, fl_error *err)
{
    fl_line line;
    bool more = true;
    fl_status status = FL_OK;
    while (status == FL_OK && !in->failed) {
        status = fl_lines_next(lines, &line, &more, err);
        if (status != FL_OK || !more)
            break;
        take_line(in, line.text);
    }
    return in->failed ? no_memory(err) : status;
}

fl_status fl_hserr_read(fl_crash *out, fl_stream *in, fl_arena *arena, fl_error *err)
{
    fl_lines *lines = NULL;
    assert(out != NULL && in != NULL && arena != NULL);
    *out = (fl_crash){.elapsed_s = NAN};
    struct reading r = {
        .out = out,
        .arena = arena,
        .native_frames = fl_arena_alloc(arena, FL_CRASH_MAX_FRAMES, sizeof(*r.native_frames)),
        .java_frames = fl_arena_alloc(arena, FL_CRASH_MAX_FRAMES, sizeof(*r.java_frames)),
        .heap = fl_arena_alloc(arena, MAX_HEAP_LINES, sizeof(*r.heap)),
        .events = fl_arena_alloc(arena, FL_CRASH_MAX_EVENTS, sizeof(*r.events))};
    r.memory = (fl_hserr_memory){
        .out = out,
        .arena = arena,
        .categories = fl_arena_alloc(arena, FL_CRASH_MAX_CATEGORIES, sizeof(*r.memory.categories)),
        .failed = &r.failed};
    if (r.memory.categories == NULL || r.native_frames == NULL || r.java_frames == NULL ||
        r.heap == NULL || r.events == NULL)
        return no_memory(err);
    fl_status status = fl_lines_create(&lines, in, MAX_LINE_BYTES, err);
    if (status == FL_OK)
        status = read_lines(&r, lines, err);
    fl_lines_destroy(lines);
    fl_hserr_check_tracking(&r.memory);
    out->native_frames = r.native_frames;
    out->java_frames = r.java_frames;
    out->heap = r.heap;
    out->events = r.events;
    out->categories = r.memory.categories;
    if (status == FL_OK && !r.began)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "no crash report of a Java virtual machine");
    return status;
}

bool fl_hserr_sniff(fl_slice head)
{
    static const fl_slice error =
        FL_SLICE_INIT("fatal error has been detected by the Java Runtime");
    static const fl_slice other = FL_SLICE_INIT("# An unexpected error has been detected by");
    static const fl_slice memory =
        FL_SLICE_INIT("# There is insufficient memory for the Java Runtime");
    return fl_slice_find(head, error) < head.len || fl_slice_find(head, other) < head.len ||
           fl_slice_find(head, memory) < head.len;
}
