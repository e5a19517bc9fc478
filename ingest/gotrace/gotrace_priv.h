/*
 * gotrace_priv.h - what the parts of the reader share.
 *
 *   gotrace.c         the stream to batches, generation by generation
 *   gotrace_tables.c  a generation's strings, stacks, samples and clock
 *   gotrace_merge.c   the threads' events to the next one that is possible
 *   gotrace_run.c     the same for runs of usual events of one thread
 *   gotrace_order.c   what an event is possible for, and what it changes
 *   gotrace_spans.c   the same, of events that change nobody's state
 *   gotrace_v1.c      formats to Go 1.21: the stream to batches by processor, and tables
 *   gotrace_v1_run.c  runs of usual events of one processor
 *   gotrace_v1_order.c   their events, told as those of later formats are
 */
#ifndef FL_GOTRACE_PRIV_H
#define FL_GOTRACE_PRIV_H

#include <assert.h>

#include "gotrace.h"
#include "gotrace_ids.h"
#include "map.h"

enum {
    GOTRACE_MAX_BATCH = 64 << 10, /* tracev2.MaxBatchSize */
    GOTRACE_MAX_STACK = 128,      /* tracev2.MaxFramesPerStack */
    GOTRACE_MAX_STRING = 1 << 10, /* tracev2.MaxEventTrailerDataSize */
    GOTRACE_V1_MAX_STACK = 1000,  /* internal/tracev1, as the next one */
    GOTRACE_V1_MAX_STRING = 1000000,
    GOTRACE_MAX_ARGS = 5,    /* of an event, without its time */
    GOTRACE_BLOCK = 512,     /* events that are told in one call */
    GOTRACE_MOST_EMITTED = 4 /* events that one of the trace is told as, what it assumes too */
};

/* Kinds of events and of batches (Go's internal/trace/tracev2/events.go). */
enum {
    EV_BATCH = 1,
    EV_STACKS = 2,
    EV_STACK = 3,
    EV_STRINGS = 4,
    EV_STRING = 5,
    EV_SAMPLES = 6,
    EV_SAMPLE = 7,
    EV_FREQUENCY = 8,
    EV_PROCS_CHANGE = 9,
    EV_PROC_START,
    EV_PROC_STOP,
    EV_PROC_STEAL,
    EV_PROC_STATUS,
    EV_GO_CREATE = 14,
    EV_GO_CREATE_SYSCALL,
    EV_GO_START,
    EV_GO_DESTROY,
    EV_GO_DESTROY_SYSCALL,
    EV_GO_STOP,
    EV_GO_BLOCK,
    EV_GO_UNBLOCK,
    EV_SYSCALL_BEGIN,
    EV_SYSCALL_END,
    EV_SYSCALL_END_BLOCKED,
    EV_GO_STATUS,
    EV_STW_BEGIN = 26,
    EV_STW_END,
    EV_GC_ACTIVE,
    EV_GC_BEGIN,
    EV_GC_END,
    EV_SWEEP_ACTIVE,
    EV_SWEEP_BEGIN,
    EV_SWEEP_END,
    EV_ASSIST_ACTIVE,
    EV_ASSIST_BEGIN,
    EV_ASSIST_END,
    EV_HEAP_LIVE,
    EV_HEAP_GOAL,
    EV_GO_LABEL = 39,
    EV_TASK_BEGIN,
    EV_TASK_END,
    EV_REGION_BEGIN,
    EV_REGION_END,
    EV_LOG,
    EV_GO_SWITCH = 45,
    EV_GO_SWITCH_DESTROY,
    EV_GO_CREATE_BLOCKED,
    EV_GO_STATUS_STACK,
    EV_EXPERIMENTAL_BATCH = 49,
    EV_SYNC = 50,
    EV_CLOCK_SNAPSHOT,
    EV_END_OF_GENERATION
};

/* How often something changed in a generation; the next change is one more. */
typedef struct go_seq {
    uint64_t gen, seq;
} go_seq;

typedef struct go_goroutine {
    go_seq seq;
    fl_sym stw;    /* what the world is stopped for; before it is told of (to 1.21): its stack */
    uint8_t state; /* fl_gotrace_state */
    uint8_t spans; /* 1 << fl_gotrace_span */
    uint8_t notes; /* to 1.21: what of it is told, see gotrace_v1_order.c */
} go_goroutine;

enum { PROC_ABSENT = 0xff, PROC_ABANDONED = 0xfe }; /* else an fl_gotrace_state */
typedef struct go_proc {
    go_seq seq;
    uint32_t runner; /* from 1.22 on: the thread that got it last, and may have lost it */
    uint8_t state;
    bool sweeps;
} go_proc;

typedef struct go_batch {
    uint64_t time; /* in the trace's units */
    size_t start, end;
    uint32_t next;   /* of the same thread, FL_GOTRACE_NONE: the last */
    bool has_stacks; /* to 1.21 */
} go_batch;

/* A thread: what it runs, and where its events are read. To 1.21: a processor, since those are what
 * batches are of. */
typedef struct go_machine {
    uint64_t id;
    uint32_t g, p, m;     /* m: the thread that events name */
    uint32_t first, last; /* batches of this generation, FL_GOTRACE_NONE: none */
    bool seen;            /* an event of its own, or about it, was told */
    bool in_call;         /* to 1.21: a call's begin was told, and nothing behind it yet */
    /* the event that comes next */
    uint8_t kind;
    size_t pos, end; /* behind it, and the end of its batch */
    uint64_t time;   /* to 1.21: the same in the trace's units */
    int64_t time_ns;
    uint64_t args[GOTRACE_MAX_ARGS];
} go_machine;

/* A thread in the heap. */
typedef struct go_next {
    int64_t time_ns; /* of its next event */
    uint32_t machine;
} go_next;

typedef struct go_sample {
    int64_t time_ns;
    uint64_t g, stack;
    uint64_t m, p;
} go_sample;

/* To 1.21: a system call was over long before its goroutine could go on and say so. */
typedef struct go_exit {
    int64_t time_ns;
    uint64_t g;
} go_exit;

/* What only formats to 1.21 have. */
enum { GO_V1_KINDS = 64, GO_V1_STOPS = 17 };
typedef struct go_v1 {
    bool is;          /* it is one of those formats */
    bool begins;      /* goroutines that are created were there before the trace */
    bool stopped;     /* the world, by: */
    uint32_t stopper; /* the goroutine; FL_GOTRACE_NONE: none */
    fl_sym stopped_for;
    fl_sym reasons[GO_V1_KINDS]; /* of waiting and yielding, by kind of event */
    fl_sym stops[GO_V1_STOPS];   /* of the world, by number */
    fl_map *threads;             /* id to what events call it */
    go_exit *exits;              /* in order of time */
    size_t exit_count, exit_cap, next_exit;
    size_t known_procs; /* of those below it was told */
    bool is_cut;        /* events are missing: those of other processors are told all the same */
} go_v1;

/* Numbers of a generation to those of the trace; 0 at first. */
typedef struct go_lookup {
    uint32_t *items;
    size_t cap, end; /* items from end on were never set */
} go_lookup;

struct fl_gotrace {
    fl_gotrace_info info;
    fl_gotrace_view view; /* of the tables below */
    fl_gotrace_take *take;
    void *payload;
    fl_stream *in;
    /* the generation's bytes, then what was read behind them */
    unsigned char *data;
    size_t len, cap, pos;
    uint64_t base; /* of data[0] in the trace */
    bool at_end;
    /* the generation */
    uint64_t gen, first_gen;
    go_batch *batches;
    size_t batch_count, batch_cap;
    uint64_t min_time;
    double unit_ns;         /* of a unit of time; 0: not known */
    uint64_t whole_unit_ns; /* the same where it is a whole number, else 0 */
    bool has_frequency;
    go_lookup strings, stacks;
    bool unnamed; /* a frame names a string that there is not */
    go_sample *samples;
    size_t sample_count, sample_cap, next_sample;
    /* of the whole trace */
    fl_intern *texts;
    fl_gotrace_frame *frames;
    size_t frame_count, frame_cap;
    size_t *stack_starts; /* of each stack, and the end of the last */
    size_t stack_count, stack_cap;
    fl_map *stack_ids; /* hash to number */
    /* who is in which state */
    fl_gotrace_ids goroutine_ids;
    go_goroutine *goroutines;
    uint64_t *slot_ids;
    size_t slot_count, slot_cap, id_cap;
    uint32_t *free_slots;
    size_t free_count, free_cap;
    size_t ended_count; /* of free_slots, at its end: not to be used before the next call */
    go_proc *procs;
    size_t proc_count;
    go_machine *machines;
    size_t machine_count, machine_cap;
    fl_map *machine_ids;
    go_v1 v1;
    uint64_t gc_seq;
    uint8_t gc_state; /* 0: not known, 1: at rest, 2: marking */
    /* the merge */
    go_next *heap;
    size_t heap_count;
    uint64_t failed_tries;
    int64_t last_ns;
    int64_t aside_ns; /* of the next sample or exit; INT64_MAX: there is none */
    fl_gotrace_event block[GOTRACE_BLOCK + GOTRACE_MOST_EMITTED];
    size_t block_count;
    bool refused; /* by `take`: what it returned is what is returned */
};

/* Room for `count` items, doubling; the pointer and *cap change together. */
FL_NODISCARD fl_status fl_gotrace_reserve(void **items, size_t *cap, size_t count, size_t size,
                                          fl_error *err);

/* An unsigned LEB128 of at most 10 bytes; false where it does not end before `end`. */
static inline bool gotrace_varint(uint64_t *out, const unsigned char *data, size_t *pos, size_t end)
{
    assert(*pos <= end);
    uint64_t value = 0;
    size_t at = *pos;
    if (at < end && data[at] < 0x80) {
        *out = data[at];
        *pos = at + 1;
        return true;
    }
    if (at + 1 < end && data[at + 1] < 0x80) {
        *out = (data[at] & 0x7fu) | (unsigned)data[at + 1] << 7;
        *pos = at + 2;
        return true;
    }
    for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
        unsigned char byte = data[at++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            *pos = at;
            return true;
        }
    }
    return false;
}

/* The same where all of an event's bytes are at hand, for what most numbers are: of one to four
 * bytes. False, with *at anywhere: it is longer. Lengths repeat as a program's steps do, so that
 * branches guess them and no number waits for the length of the one before it. */
enum { GOTRACE_AT_HAND = 32 }; /* two bytes, and six numbers */
static inline bool gotrace_short(uint64_t *out, const unsigned char **at)
{
    const unsigned char *byte = *at;
    if (byte[0] < 0x80) {
        *out = byte[0];
        *at = byte + 1;
        return true;
    }
    if (byte[1] < 0x80) {
        *out = (byte[0] & 0x7fu) | (unsigned)byte[1] << 7;
        *at = byte + 2;
        return true;
    }
    uint32_t low = (byte[0] & 0x7fu) | (byte[1] & 0x7fu) << 7 | (byte[2] & 0x7fu) << 14;
    bool is_three = byte[2] < 0x80;
    *out = low | (is_three ? 0 : (byte[3] & 0x7fu) << 21);
    *at = byte + 4 - is_three;
    return is_three || byte[3] < 0x80;
}

/* Units of the trace to nanoseconds. */
static inline int64_t gotrace_ns(const fl_gotrace *trace, uint64_t units)
{
    /* 2^62 ns are 146 years; a damaged time must not overflow in sums */
    if (trace->whole_unit_ns != 0 && units < (UINT64_C(1) << 62) / trace->whole_unit_ns)
        return (int64_t)(units * trace->whole_unit_ns);
    double ns = (double)units * trace->unit_ns;
    return ns < 4.6e18 ? (int64_t)ns : INT64_C(1) << 62;
}

/* The trace's number of a generation's, or `absent`. */
static inline uint32_t gotrace_lookup(const go_lookup *lookup, uint64_t id, uint32_t absent)
{
    return id < lookup->end && lookup->items[id] != 0 ? lookup->items[id] - 1 : absent;
}

/* Of a stack, 0 where there is none; of a text, FL_GOTRACE_NONE. */
static inline uint32_t gotrace_stack_of(const fl_gotrace *trace, uint64_t id)
{
    uint32_t item = id < trace->stacks.end ? trace->stacks.items[id] : 0;
    return item - (item != 0);
}

static inline fl_sym gotrace_text_of(const fl_gotrace *trace, uint64_t id)
{
    /* one less than nothing is FL_GOTRACE_NONE */
    return (id < trace->strings.end ? trace->strings.items[id] : 0) - 1;
}

/* A batch, read to its end; a value that does not fit says what it was part of. */
typedef struct go_walk {
    const fl_gotrace *trace;
    size_t pos, end;
    uint64_t time; /* of the batch */
    const char *what;
    bool broken;
} go_walk;

/* 0 once the batch is damaged: what is made of it is not used. */
static inline uint64_t gotrace_number(go_walk *walk)
{
    uint64_t value = 0;
    walk->broken |= !gotrace_varint(&value, walk->trace->data, &walk->pos, walk->end);
    return value;
}

/* --- gotrace_tables.c --- */
/* One string, from its number on; longer than `most` is damage. FL_E_SYNTAX, FL_E_LIMIT,
 * FL_E_NOMEM. */
FL_NODISCARD fl_status fl_gotrace_string(fl_gotrace *trace, go_walk *walk, uint64_t most,
                                         fl_error *err);
/* One stack, from its number on; more frames than `most` are damage. The same failures. */
FL_NODISCARD fl_status fl_gotrace_stack_entry(fl_gotrace *trace, go_walk *walk, uint64_t most,
                                              fl_error *err);
/* A text beyond the budget is dropped: *out is FL_GOTRACE_NONE. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_gotrace_text_put(fl_sym *out, fl_gotrace *trace, fl_slice text,
                                           fl_error *err);
/* One more sample, or one more dropped. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_gotrace_sample_put(fl_gotrace *trace, const go_sample *sample,
                                             fl_error *err);
void fl_gotrace_sort_samples(fl_gotrace *trace);
/* Units of the clock a second, more than 0. */
void fl_gotrace_set_frequency(fl_gotrace *trace, uint64_t per_second);
/* Strings, stacks, samples and clock out of the generation's batches. FL_E_SYNTAX, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_gotrace_tables(fl_gotrace *trace, fl_error *err);

/* --- gotrace_merge.c --- */
/* A generation's events, told in order. */
FL_NODISCARD fl_status fl_gotrace_merge(fl_gotrace *trace, fl_error *err);
/* The thread of an id, made where there is none yet. */
FL_NODISCARD fl_status fl_gotrace_machine(uint32_t *out, fl_gotrace *trace, uint64_t id,
                                          fl_error *err);
/* The view after tables may have moved. */
void fl_gotrace_renew_view(fl_gotrace *trace);
/* Tell what is in the block. */
FL_NODISCARD fl_status fl_gotrace_flush(fl_gotrace *trace, fl_error *err);
/* The place of the next event in the block, which happens at `time_ns`: at last_ns then. */
static inline fl_gotrace_event *gotrace_next_told(fl_gotrace *trace, int64_t time_ns)
{
    assert(trace->block_count < GOTRACE_BLOCK + GOTRACE_MOST_EMITTED);
    if (time_ns > trace->last_ns)
        trace->last_ns = time_ns;
    return &trace->block[trace->block_count++];
}

/* An event at the end of the block, of what the thread (NULL: none) runs. */
static inline fl_gotrace_event *fl_gotrace_emit(fl_gotrace *trace, const go_machine *machine,
                                                fl_gotrace_kind kind, int64_t time_ns)
{
    fl_gotrace_event *event = gotrace_next_told(trace, time_ns);
    *event = (fl_gotrace_event){.time_ns = trace->last_ns,
                                .g = machine != NULL ? machine->g : FL_GOTRACE_NONE,
                                .p = machine != NULL ? machine->p : FL_GOTRACE_NONE,
                                .m = machine != NULL ? machine->m : FL_GOTRACE_NONE,
                                .target = FL_GOTRACE_NONE,
                                .text = FL_GOTRACE_NONE,
                                .kind = (uint8_t)kind};
    return event;
}

/* --- gotrace_order.c --- */
/* Arguments of an event behind its time, plus one; 0: there is no such kind. */
extern const unsigned char fl_gotrace_args[256];
typedef enum go_verdict { GO_WAITS, GO_DONE, GO_BROKEN } go_verdict;
/* Tell the thread's next event, where it is possible. GO_BROKEN: `err` says why. */
go_verdict fl_gotrace_advance(fl_gotrace *trace, uint32_t machine, fl_error *err);
/* Processors up to number `id`, those that are new PROC_ABSENT. FL_E_LIMIT, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_gotrace_make_procs(fl_gotrace *trace, uint64_t id, fl_error *err);

/* --- gotrace_run.c --- */
/* Tell what follows on the first thread of the heap, whose event was told just now, as long as that
 * is usual, possible, and earlier than what others have. The rest is left to the merge. */
void fl_gotrace_run(fl_gotrace *trace, go_machine *machine);
/* The time up to which that thread is the one to go on with. */
int64_t fl_gotrace_turn_ns(const fl_gotrace *trace);

/* --- gotrace_v1.c --- */
/* All of a trace of a format to 1.21, behind its header. Damage is in info.broken, once there is
 * something to tell; FL_E_NOMEM, FL_E_TRUNCATED, FL_E_SYNTAX, FL_E_LIMIT, what `take` returned. */
FL_NODISCARD fl_status fl_gotrace_v1_read(fl_gotrace *trace, fl_error *err);
/* The next event of a processor; *more is false behind its last one. FL_E_SYNTAX. */
FL_NODISCARD fl_status fl_gotrace_v1_next(fl_gotrace *trace, go_machine *machine, bool *more,
                                          fl_error *err);

/* --- gotrace_v1_run.c --- */
/* As fl_gotrace_run(), of a processor. */
void fl_gotrace_v1_run(fl_gotrace *trace, go_machine *machine);

/* --- gotrace_v1_order.c --- */
/* As fl_gotrace_advance(). */
go_verdict fl_gotrace_v1_advance(fl_gotrace *trace, uint32_t machine, fl_error *err);
/* Of a trace that was cut: the processor's next event, of which something before it is missing, is
 * told after what it needs, or passed over where that cannot be. GO_BROKEN: `err` says why. */
go_verdict fl_gotrace_v1_force(fl_gotrace *trace, uint32_t machine, fl_error *err);
/* The next of the exits, told where its goroutine still is in the call. */
void fl_gotrace_v1_exit(fl_gotrace *trace);

#endif
