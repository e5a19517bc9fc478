/*
 * crash_view.c - what crashed and where, first for a person in a hurry, then the stack, then what
 * was before; and all of it for programs.
 */
#include "crash_view.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json_put.h"
#include "leak_report.h"
#include "page.h"

enum { BODY = 2, LABEL = 15, SHOWN_FRAMES = 24, SHOWN_HEAP = 6, SHOWN_CATEGORIES = 6 };

/* A dim word, then a text that wraps under itself; nothing for what the report does not tell. */
static void labelled(fl_page *page, const char *name, const char *text)
{
    if (text != NULL)
        fl_page_labelled(page, (fl_page_row){BODY, LABEL}, name, FL_INK_PLAIN, text);
}

/* Between two parts there is an empty line. */
static void heading(fl_page *page, const char *text)
{
    fl_page_newline(page);
    fl_page_put(page, FL_INK_BOLD, text);
    fl_page_newline(page);
}

/* "libfoo.so+0x1139  parse_header", "GcLab.crash()V", else the line as it stands. */
static void frame_text(char *out, size_t size, const fl_crash_frame *frame)
{
    if (frame->method != NULL)
        snprintf(out, size, "%s", frame->plain != NULL ? frame->plain : frame->method);
    else if (frame->library != NULL)
        snprintf(out, size, "%s+0x%llx%s%s%s%s%s%s", frame->library,
                 (unsigned long long)frame->offset, frame->symbol != NULL ? "  " : "",
                 frame->symbol != NULL ? frame->symbol : "", frame->source != NULL ? " (" : "",
                 frame->source != NULL ? frame->source : "", frame->source != NULL ? ")" : "",
                 frame->is_looked_up ? " (looked up)" : "");
    else
        snprintf(out, size, "%s", frame->text != NULL ? frame->text : "");
}

/* Calls that were inlined stand above their frame: they are deeper in the stack. */
static void write_inlined(fl_page *page, const fl_crash_frame *frame)
{
    for (size_t i = 0; i < frame->inlined_count; i++) {
        fl_page_printf(page, FL_INK_DIM, "  %c  inlined: %s", frame->kind, frame->inlined[i]);
        fl_page_newline(page);
    }
}

/* One line a frame, its letter in front; what does not fit the page is counted. */
static void write_frames(fl_page *page, const char *title, const fl_crash_frame *frames,
                         size_t count)
{
    char text[1200];
    size_t shown = count < SHOWN_FRAMES ? count : SHOWN_FRAMES;
    if (count == 0)
        return;
    heading(page, title);
    for (size_t i = 0; i < shown; i++) {
        frame_text(text, sizeof(text), &frames[i]);
        write_inlined(page, &frames[i]);
        fl_page_printf(page, FL_INK_DIM, "  %c  ", frames[i].kind);
        fl_page_printf(page, frames[i].method != NULL ? FL_INK_PLAIN : FL_INK_DIM, "%s", text);
        fl_page_newline(page);
    }
    if (count > shown) {
        fl_page_printf(page, FL_INK_DIM, "  %zu more in the JSON answer (--format json)",
                       count - shown);
        fl_page_newline(page);
    }
}

/* "12 of Java (11 blocked, 1 in_vm), 8 others". */
static void write_threads(fl_page *page, const fl_crash *crash)
{
    char text[400];
    size_t at = 0;
    if (crash->java_threads + crash->other_threads == 0)
        return;
    at = (size_t)snprintf(text, sizeof(text), "%llu of Java",
                          (unsigned long long)crash->java_threads);
    for (size_t i = 0; i < crash->thread_state_count && at < sizeof(text); i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%llu %.32s", i == 0 ? " (" : ", ",
                               (unsigned long long)crash->thread_states[i].count,
                               crash->thread_states[i].name);
    if (at < sizeof(text))
        snprintf(text + at, sizeof(text) - at, "%s, %llu others",
                 crash->thread_state_count > 0 ? ")" : "",
                 (unsigned long long)crash->other_threads);
    labelled(page, "Threads", text);
}

/* What could not be had, and errors for want of memory that were thrown before. */
static void write_failure(fl_page *page, const fl_crash *crash)
{
    char text[400], bytes[FL_BYTES_TEXT];
    if (crash->memory_call != NULL) {
        snprintf(text, sizeof(text), "%s by %.40s%s%.240s",
                 fl_bytes_text(bytes, (double)crash->memory_bytes), crash->memory_call,
                 crash->memory_for != NULL ? " for " : "",
                 crash->memory_for != NULL ? crash->memory_for : "");
        labelled(page, "Asked for", text);
    }
    for (size_t i = 0; i < crash->memory_error_count; i++)
        labelled(page, i == 0 ? "Errors" : "", crash->memory_errors[i]);
}

/* Whether the page tells of native memory: elsewhere it is in the JSON answer only. */
static bool is_of_memory(const fl_crash *crash)
{
    return crash->cause == FL_CRASH_OUT_OF_MEMORY || crash->cause == FL_CRASH_JAVA_MEMORY;
}

/* The largest categories first; equal ones as the report has them. */
static void write_native_memory(fl_page *page, const fl_crash *crash)
{
    char committed[FL_BYTES_TEXT], reserved[FL_BYTES_TEXT];
    bool is_shown[FL_CRASH_MAX_CATEGORIES] = {false};
    if (crash->category_count == 0)
        return;
    heading(page, "Native memory, as the virtual machine counts its own");
    if (crash->committed_bytes > 0) {
        fl_page_printf(page, FL_INK_PLAIN, "  %s committed of %s reserved",
                       fl_bytes_text(committed, (double)crash->committed_bytes),
                       fl_bytes_text(reserved, (double)crash->reserved_bytes));
        fl_page_newline(page);
    }
    for (size_t row = 0; row < SHOWN_CATEGORIES && row < crash->category_count; row++) {
        size_t most = FL_CRASH_MAX_CATEGORIES;
        for (size_t i = 0; i < crash->category_count; i++)
            if (!is_shown[i] &&
                (most == FL_CRASH_MAX_CATEGORIES ||
                 crash->categories[i].committed_bytes > crash->categories[most].committed_bytes))
                most = i;
        const fl_crash_category *category = &crash->categories[most];
        is_shown[most] = true;
        fl_page_printf(page, FL_INK_PLAIN, "  %-24.40s %10s of %s", category->name,
                       fl_bytes_text(committed, (double)category->committed_bytes),
                       fl_bytes_text(reserved, (double)category->reserved_bytes));
        fl_page_newline(page);
    }
}

/* Lines of the system and of the container, as they stand. */
static void write_limits(fl_page *page, const fl_crash *crash)
{
    if (crash->limit_count > 0)
        heading(page, "Memory of the machine and the container");
    for (size_t i = 0; i < crash->limit_count; i++) {
        fl_page_pad(page, BODY);
        fl_page_wrap(page, FL_INK_PLAIN, crash->limits[i]);
        fl_page_newline(page);
    }
}

/* The machine, the versions, the moment. */
static void write_facts(fl_page *page, const fl_crash *crash)
{
    char text[64];
    labelled(page, "Thread", crash->thread);
    write_threads(page, crash);
    write_failure(page, crash);
    labelled(page, "Signal", crash->signal_info);
    labelled(page, "Java", crash->jre);
    labelled(page, "VM", crash->vm);
    labelled(page, "Command", crash->command);
    labelled(page, "Host", crash->host);
    labelled(page, "Time", crash->time);
    if (isfinite(crash->elapsed_s)) {
        snprintf(text, sizeof(text), "%.0f seconds after the start", crash->elapsed_s);
        labelled(page, "Ran", text);
    }
}

/* The first lines say how full it was. */
static void write_heap(fl_page *page, const fl_crash *crash)
{
    size_t shown = crash->heap_count < SHOWN_HEAP ? crash->heap_count : SHOWN_HEAP;
    if (shown > 0)
        heading(page, "Heap");
    for (size_t i = 0; i < shown; i++) {
        fl_page_pad(page, BODY);
        fl_page_printf(page, FL_INK_PLAIN, "%s", crash->heap[i]);
        fl_page_newline(page);
    }
}

/* Of each log the newest last, as they happened. */
static void write_events(fl_page *page, const fl_crash *crash)
{
    bool any = false;
    for (size_t i = 0; i < crash->event_count; i++) {
        const fl_crash_events *log = &crash->events[i];
        if (log->count == 0)
            continue;
        if (!any)
            heading(page, "Last events");
        any = true;
        fl_page_pad(page, BODY);
        fl_page_put(page, FL_INK_DIM, log->name);
        fl_page_newline(page);
        for (size_t k = log->count > 2 ? log->count - 2 : 0; k < log->count; k++) {
            fl_page_pad(page, BODY + 2);
            fl_page_printf(page, FL_INK_PLAIN, "%.200s", log->last[k]);
            fl_page_newline(page);
        }
    }
}

/* The answer within the first screen: whose code, who called it, what that means. The rest is for
 * whoever goes on from there. */
fl_status fl_crash_text(fl_buf *out, const fl_crash_report *report, const fl_report_style *style,
                        fl_error *err)
{
    char text[1200];
    const fl_crash *crash = &report->crash;
    assert(report->verdict != NULL && report->meaning != NULL);
    fl_page page = fl_page_on(out, style);
    fl_page_put(&page, FL_INK_BAD, "Crash");
    fl_page_printf(&page, FL_INK_PLAIN, "%s %s: %s", report->is_place ? " in" : ":",
                   report->verdict, crash->what != NULL ? crash->what : "no cause told");
    fl_page_newline(&page);
    fl_page_newline(&page);
    labelled(&page, "Detail", crash->detail);
    frame_text(text, sizeof(text), &crash->frame);
    labelled(&page, "Frame", crash->frame.text != NULL ? text : NULL);
    labelled(&page, "Called by", report->called_by);
    labelled(&page, "Meaning", report->meaning);
    write_facts(&page, crash);
    write_frames(&page, "Stack", crash->native_frames, crash->native_count);
    if (crash->native_count == 0)
        write_frames(&page, "Java stack", crash->java_frames, crash->java_count);
    write_heap(&page, crash);
    if (is_of_memory(crash)) {
        write_native_memory(&page, crash);
        write_limits(&page, crash);
    }
    write_events(&page, crash);
    if (report->warning_count > 0)
        heading(&page, "Warnings");
    for (size_t i = 0; i < report->warning_count; i++) {
        fl_page_pad(&page, BODY);
        fl_page_wrap(&page, FL_INK_PLAIN, report->warnings[i]);
        fl_page_newline(&page);
    }
    return fl_buf_check(out, "the report", err);
}

/* ---- for programs ---- */

/* Lines as they stand in the report. */
static json_t *texts_of(fl_put *w, const char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        fl_put_item(w, array, fl_put_text_of(texts[i]));
    return array;
}

/* The line as it stands goes along: what was read out of it can be checked. */
static json_t *frame_of(fl_put *w, const fl_crash_frame *frame)
{
    const char kind[2] = {frame->kind, '\0'};
    if (frame->text == NULL)
        return json_null();
    json_t *object = json_object();
    fl_put_text(w, object, "kind", kind);
    fl_put_text(w, object, "text", frame->text);
    fl_put_text(w, object, "library", frame->library);
    if (frame->library != NULL)
        fl_put_count(w, object, "offset", frame->offset);
    else
        fl_put_value(w, object, "offset", json_null());
    fl_put_text(w, object, "symbol", frame->symbol);
    fl_put_text(w, object, "method", frame->method);
    fl_put_text(w, object, "plain_method", frame->plain);
    fl_put_value(w, object, "looked_up", json_boolean(frame->is_looked_up));
    fl_put_text(w, object, "source", frame->source);
    fl_put_value(w, object, "inlined", texts_of(w, frame->inlined, frame->inlined_count));
    return object;
}

/* In the order of the stack, the innermost first. */
static json_t *frames_of(fl_put *w, const fl_crash_frame *frames, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        fl_put_item(w, array, frame_of(w, &frames[i]));
    return array;
}

/* Logs that are empty are there, too: that nothing happened may matter. */
static json_t *events_of(fl_put *w, const fl_crash *crash)
{
    json_t *array = json_array();
    for (size_t i = 0; i < crash->event_count; i++) {
        json_t *object = json_object();
        fl_put_text(w, object, "name", crash->events[i].name);
        fl_put_value(w, object, "last", texts_of(w, crash->events[i].last, crash->events[i].count));
        fl_put_item(w, array, object);
    }
    return array;
}

/* Threads by their states, as the report has them. */
static json_t *threads_of(fl_put *w, const fl_crash *crash)
{
    json_t *object = json_object(), *states = json_array();
    for (size_t i = 0; i < crash->thread_state_count; i++) {
        json_t *state = json_object();
        fl_put_text(w, state, "state", crash->thread_states[i].name);
        fl_put_count(w, state, "count", crash->thread_states[i].count);
        fl_put_item(w, states, state);
    }
    fl_put_count(w, object, "java", crash->java_threads);
    fl_put_count(w, object, "other", crash->other_threads);
    fl_put_value(w, object, "states", states);
    return object;
}

/* What could not be had; null where memory was not the cause. */
static json_t *failure_of(fl_put *w, const fl_crash *crash)
{
    if (crash->memory_call == NULL)
        return json_null();
    json_t *object = json_object();
    fl_put_text(w, object, "call", crash->memory_call);
    fl_put_count(w, object, "bytes", crash->memory_bytes);
    fl_put_text(w, object, "for", crash->memory_for);
    return object;
}

/* Null without -XX:NativeMemoryTracking. */
static json_t *native_memory_of(fl_put *w, const fl_crash *crash)
{
    if (crash->category_count == 0)
        return json_null();
    json_t *object = json_object(), *categories = json_array();
    for (size_t i = 0; i < crash->category_count; i++) {
        json_t *category = json_object();
        fl_put_text(w, category, "name", crash->categories[i].name);
        fl_put_count(w, category, "reserved_bytes", crash->categories[i].reserved_bytes);
        fl_put_count(w, category, "committed_bytes", crash->categories[i].committed_bytes);
        fl_put_item(w, categories, category);
    }
    fl_put_count(w, object, "reserved_bytes", crash->reserved_bytes);
    fl_put_count(w, object, "committed_bytes", crash->committed_bytes);
    fl_put_value(w, object, "categories", categories);
    return object;
}

/* What memory and threads were like. */
static void put_memory(fl_put *w, json_t *object, const fl_crash *crash)
{
    fl_put_value(w, object, "threads", threads_of(w, crash));
    fl_put_value(w, object, "failed_request", failure_of(w, crash));
    fl_put_value(w, object, "memory_errors",
                 texts_of(w, crash->memory_errors, crash->memory_error_count));
    fl_put_value(w, object, "native_memory", native_memory_of(w, crash));
    fl_put_value(w, object, "limits", texts_of(w, crash->limits, crash->limit_count));
}

/* In the order of the schema. */
fl_status fl_crash_json(fl_buf *out, const fl_crash_report *report, fl_error *err)
{
    static const char *const causes[] = {[FL_CRASH_SIGNAL] = "signal",
                                         [FL_CRASH_INTERNAL] = "internal",
                                         [FL_CRASH_OUT_OF_MEMORY] = "out-of-memory",
                                         [FL_CRASH_JAVA_MEMORY] = "java-out-of-memory"};
    fl_put w = {.status = FL_OK};
    const fl_crash *crash = &report->crash;
    json_t *object = json_object();
    fl_put_value(&w, object, "schema", json_string_nocheck("faultline.crash/1"));
    fl_put_text(&w, object, "cause", causes[crash->cause]);
    fl_put_text(&w, object, "verdict", report->verdict);
    fl_put_text(&w, object, "meaning", report->meaning);
    fl_put_text(&w, object, "what", crash->what);
    fl_put_text(&w, object, "detail", crash->detail);
    fl_put_value(&w, object, "frame", frame_of(&w, &crash->frame));
    fl_put_text(&w, object, "called_by", report->called_by);
    fl_put_count(&w, object, "pc", crash->pc);
    fl_put_count(&w, object, "pid", crash->pid);
    fl_put_count(&w, object, "tid", crash->tid);
    fl_put_text(&w, object, "thread", crash->thread);
    fl_put_text(&w, object, "thread_name", crash->thread_name);
    fl_put_text(&w, object, "thread_state", crash->thread_state);
    fl_put_text(&w, object, "signal_info", crash->signal_info);
    fl_put_count(&w, object, "sender_pid", crash->sender_pid);
    fl_put_text(&w, object, "jre", crash->jre);
    fl_put_text(&w, object, "vm", crash->vm);
    fl_put_text(&w, object, "command", crash->command);
    fl_put_text(&w, object, "host", crash->host);
    fl_put_text(&w, object, "time", crash->time);
    fl_put_number(&w, object, "elapsed_s", crash->elapsed_s);
    fl_put_value(&w, object, "native_frames",
                 frames_of(&w, crash->native_frames, crash->native_count));
    fl_put_value(&w, object, "java_frames", frames_of(&w, crash->java_frames, crash->java_count));
    put_memory(&w, object, crash);
    fl_put_value(&w, object, "heap", texts_of(&w, crash->heap, crash->heap_count));
    fl_put_value(&w, object, "events", events_of(&w, crash));
    fl_put_value(&w, object, "warnings", texts_of(&w, report->warnings, report->warning_count));
    return fl_put_document(out, &w, object, err);
}
