/*
 * gotrace.h - execution traces of Go programs to events in one order.
 *
 * Reads what Go 1.22 and later write (headers 1.22, 1.23, 1.25, 1.26). Such a trace is a chain of
 * *generations* of about a second; each has batches of events by thread, and the strings and stacks
 * that they name, under numbers that hold for this generation only. Here strings and stacks get
 * numbers that hold for the whole trace, and goroutines small ones ("slots").
 *
 * Order: clocks of processors differ, so times do not order events of different threads; what does
 * is that each goroutine and each processor is in one state at a time, and that their transitions
 * are numbered. The reader takes the earliest event that is possible now. Times never fall.
 *
 * A trace that breaks off, or that contradicts itself, is read up to there: `broken` says why.
 *
 * Memory: the bytes of one generation (FL_MAX_GOTRACE_GENERATION_BYTES), 48 bytes for each
 * goroutine alive at once, 12 for each frame of distinct stacks, distinct texts.
 */
#ifndef FL_GOTRACE_H
#define FL_GOTRACE_H

#include <stdbool.h>

#include "intern.h"
#include "stream.h"

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

typedef struct fl_gotrace_info {
    unsigned version; /* 26 is the format of "go 1.26 trace" */
    uint64_t generations, events;
    int64_t from_ns, to_ns;   /* of the trace's clock */
    int64_t clock_to_wall_ns; /* add to a time to have UTC; 0: the trace does not say */
    uint64_t skipped_batches; /* of experiments */
    uint64_t dropped;         /* strings and stacks beyond the budgets */
    fl_error broken;          /* FL_OK: it was read to its end */
} fl_gotrace_info;

typedef struct fl_gotrace fl_gotrace;

/* Takes events, in order. What it returns other than FL_OK ends the reading with it. A slot of a
 * goroutine that ended is given to another one only behind the last event of a call. */
typedef fl_status fl_gotrace_take(void *payload, const fl_gotrace *trace,
                                  const fl_gotrace_event *events, size_t count, fl_error *err);

/* Whether bytes begin like a trace of any version. */
bool fl_gotrace_sniff(fl_slice head);

/* The caller owns *out. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_gotrace_create(fl_gotrace **out, fl_error *err);
void fl_gotrace_destroy(fl_gotrace *trace); /* NULL is a no-op */

/* Read one trace, once for each fl_gotrace. FL_OK also where it breaks later on (see info).
 * FL_E_UNSUPPORTED: no trace, or of a version that is not read; FL_E_TRUNCATED, FL_E_SYNTAX,
 * FL_E_LIMIT: there is nothing of use before it breaks; FL_E_NOMEM; what `take` returned. */
FL_NODISCARD fl_status fl_gotrace_read(fl_gotrace *trace, fl_stream *in, fl_gotrace_take *take,
                                       void *payload, fl_error *err);

/* Of what was read so far. */
const fl_gotrace_info *fl_gotrace_info_of(const fl_gotrace *trace);
/* "" for FL_GOTRACE_NONE. */
fl_slice fl_gotrace_text(const fl_gotrace *trace, fl_sym text);
size_t fl_gotrace_text_count(const fl_gotrace *trace);
/* The frames of a stack, the innermost first; NULL where it has none. */
const fl_gotrace_frame *fl_gotrace_stack(const fl_gotrace *trace, uint32_t stack, size_t *count);
/* Stacks have the numbers below it. */
size_t fl_gotrace_stack_count(const fl_gotrace *trace);
/* What Go calls the goroutine that has the slot. */
uint64_t fl_gotrace_goroutine_id(const fl_gotrace *trace, uint32_t slot);
/* Slots are below it. */
size_t fl_gotrace_slot_count(const fl_gotrace *trace);

#endif
