/*
 * fl_gotrace_told.h - what a reader of execution traces tells, as lines that a test can compare.
 */
#ifndef FL_GOTRACE_TOLD_H
#define FL_GOTRACE_TOLD_H

#include <stdio.h>

#include "fl_test.h"
#include "gotrace.h"

/* Lines so far; the call that is refused, 0: none. */
typedef struct fl_told {
    char text[1 << 16];
    size_t len, calls, refuse_at;
} fl_told;

/* "go-runnable>running" and the like. */
static inline void fl_name_event(char name[64], const fl_gotrace_event *event)
{
    static const char *const states[] = {"unknown", "nowhere", "runnable", "running",
                                         "syscall", "waiting", "idle"};
    static const char *const spans[] = {"stw", "mark", "sweep", "assist"};
    static const char *const kinds[] = {
        "sync",         "procs",      "proc",      "go",     "begin",      "active",
        "end",          "heap-live",  "heap-goal", "label",  "task-begin", "task-end",
        "region-begin", "region-end", "log",       "sample", "other"};
    ck_assert_uint_lt(event->kind, FL_GOTRACE_KIND_COUNT);
    ck_assert(event->from < FL_GOTRACE_STATE_COUNT && event->to < FL_GOTRACE_STATE_COUNT);
    if (event->kind == FL_GOTRACE_GO || event->kind == FL_GOTRACE_PROC)
        snprintf(name, 64, "%s-%s>%s", kinds[event->kind], states[event->from], states[event->to]);
    else if (event->kind >= FL_GOTRACE_BEGIN && event->kind <= FL_GOTRACE_END)
        snprintf(name, 64, "%s-%s", kinds[event->kind], spans[event->span]);
    else
        snprintf(name, 64, "%s", kinds[event->kind]);
}

/* What Go calls the goroutine of a slot; 0: none. */
static inline uint64_t fl_told_goroutine(const fl_gotrace_view *view, uint32_t slot)
{
    return slot == FL_GOTRACE_NONE ? 0 : view->goroutine_ids[slot];
}

/* "TIME NAME g TARGET text innermost function" */
static inline fl_status fl_told_take(void *payload, const fl_gotrace_view *view,
                                     const fl_gotrace_event *events, size_t count, fl_error *why)
{
    fl_told *told = payload;
    if (++told->calls == told->refuse_at)
        return fl_fail(why, FL_E_STOPPED, FL_NO_OFFSET, "enough");
    for (size_t i = 0; i < count && told->len < sizeof(told->text) - 256; i++) {
        const fl_gotrace_event *event = &events[i];
        size_t frames;
        char name[64];
        const fl_gotrace_frame *stack = fl_gotrace_stack(view, event->stack, &frames);
        fl_slice text = fl_gotrace_text(view, event->text);
        fl_slice leaf = frames > 0 ? fl_gotrace_text(view, stack[0].function) : SLICE("");
        fl_name_event(name, event);
        told->len += (size_t)snprintf(
            told->text + told->len, sizeof(told->text) - told->len, "%lld %s %llu %llu %.*s %.*s\n",
            (long long)event->time_ns, name, (unsigned long long)fl_told_goroutine(view, event->g),
            event->kind == FL_GOTRACE_GO
                ? (unsigned long long)fl_told_goroutine(view, event->target)
                : 0ull,
            (int)text.len, (const char *)text.ptr, (int)leaf.len, (const char *)leaf.ptr);
    }
    return FL_OK;
}

/* *trace is made anew, told is what it says. */
static inline fl_status fl_told_read(fl_told *told, fl_gotrace **trace, fl_slice bytes,
                                     fl_error *err)
{
    fl_stream *in;
    fl_gotrace_destroy(*trace);
    *trace = NULL;
    *err = (fl_error){0};
    told->len = told->calls = 0;
    told->text[0] = '\0';
    fl_status status = fl_stream_over(&in, bytes, "x", err);
    if (status != FL_OK)
        return status;
    status = fl_gotrace_create(trace, err);
    if (status == FL_OK)
        status = fl_gotrace_read(*trace, in, fl_told_take, told, err);
    fl_stream_close(in);
    return status;
}

#endif
