/*
 * gotrace_view.h - events of a Go program's scheduler, in one order, and what they name: what the
 * decoder of execution traces tells and the analysis is told.
 *
 * Goroutines have small numbers here ("slots"), which are used again when one has ended.
 */
#ifndef FL_GOTRACE_VIEW_H
#define FL_GOTRACE_VIEW_H

#include <assert.h>

#include "intern.h"
#include "slice.h"

#define FL_GOTRACE_NONE UINT32_MAX /* no such goroutine, processor, thread or text */

typedef enum fl_gotrace_kind {
    FL_GOTRACE_SYNC,       /* a generation begins; value: its number */
    FL_GOTRACE_PROCS,      /* value: GOMAXPROCS from now on */
    FL_GOTRACE_PROC,       /* processor `target` goes from a state to another */
    FL_GOTRACE_GO,         /* goroutine `target` goes from a state to another; text: why it waits or
                            * yields. To a new one, extra: the stack that it begins with */
    FL_GOTRACE_BEGIN,      /* a span of runtime work begins; text: what the world was stopped for */
    FL_GOTRACE_ACTIVE,     /* one that began earlier is under way; target: goroutine or processor */
    FL_GOTRACE_END,        /* and ends; of a sweep: value swept bytes */
    FL_GOTRACE_HEAP_LIVE,  /* value: bytes */
    FL_GOTRACE_HEAP_GOAL,  /* value: bytes */
    FL_GOTRACE_LABEL,      /* text */
    FL_GOTRACE_TASK_BEGIN, /* value: the task; text: its name; extra: its parent's low 32 bits */
    FL_GOTRACE_TASK_END,   /* value: the task */
    FL_GOTRACE_REGION_BEGIN, /* value: the task or 0; text: its name */
    FL_GOTRACE_REGION_END,
    FL_GOTRACE_LOG,    /* value: the task or 0; text: what was said; extra: its key's text */
    FL_GOTRACE_SAMPLE, /* a sample of the processor: stack */
    FL_GOTRACE_OTHER,  /* of an experiment */
    FL_GOTRACE_KIND_COUNT
} fl_gotrace_kind;

/* Of goroutines and processors; a processor is running, idle or in a system call. */
typedef enum fl_gotrace_state {
    FL_GOTRACE_UNKNOWN, /* before the trace began */
    FL_GOTRACE_NOWHERE, /* before it was created, after it ended */
    FL_GOTRACE_RUNNABLE,
    FL_GOTRACE_RUNNING,
    FL_GOTRACE_SYSCALL,
    FL_GOTRACE_WAITING,
    FL_GOTRACE_IDLE,
    FL_GOTRACE_STATE_COUNT
} fl_gotrace_state;

typedef enum fl_gotrace_span {
    FL_GOTRACE_STW,    /* of a goroutine: the world is being stopped, or stands */
    FL_GOTRACE_MARK,   /* of the program */
    FL_GOTRACE_SWEEP,  /* of a processor */
    FL_GOTRACE_ASSIST, /* of a goroutine: it marks for what it wants to allocate */
    FL_GOTRACE_SPAN_COUNT
} fl_gotrace_span;

/* `g`, `p`, `m` are what was running when it happened, FL_GOTRACE_NONE where nothing was; stack 0
 * is none. */
typedef struct fl_gotrace_event {
    int64_t time_ns; /* of the trace's clock */
    uint64_t value;
    uint32_t g, p, m;
    uint32_t target;
    uint32_t stack; /* of what runs; of a goroutine that is said to wait: its own */
    uint32_t extra;
    fl_sym text;
    uint8_t kind, span; /* fl_gotrace_kind, fl_gotrace_span */
    uint8_t from, to;   /* fl_gotrace_state */
} fl_gotrace_event;

typedef struct fl_gotrace_frame {
    fl_sym function, file;
    uint32_t line;
} fl_gotrace_frame;

/* What the numbers in events mean, for all events so far. */
typedef struct fl_gotrace_view {
    const fl_intern *texts;
    const fl_gotrace_frame *frames; /* of all stacks, one after the other */
    const size_t *stack_starts;     /* of each stack, and the end of the last */
    size_t stack_count;             /* at least 1: stack 0 has no frames */
    const uint64_t *goroutine_ids;  /* by slot: what Go calls the goroutine */
    size_t slot_count;
} fl_gotrace_view;

/* "" for FL_GOTRACE_NONE. */
static inline fl_slice fl_gotrace_text(const fl_gotrace_view *view, fl_sym text)
{
    return text == FL_GOTRACE_NONE ? FL_SLICE("") : fl_intern_text(view->texts, text);
}

/* The frames of a stack, the innermost first; NULL where it has none. */
static inline const fl_gotrace_frame *fl_gotrace_stack(const fl_gotrace_view *view, uint32_t stack,
                                                       size_t *count)
{
    assert(stack < view->stack_count);
    size_t start = view->stack_starts[stack];
    *count = view->stack_starts[stack + 1] - start;
    return *count > 0 ? view->frames + start : NULL;
}

#endif
