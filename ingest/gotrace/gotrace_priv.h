/*
 * gotrace_priv.h - what the parts of the reader share.
 *
 *   gotrace.c         the stream to batches, generation by generation
 *   fl_gotrace_tables.c  a generation's strings, stacks, samples and clock
 *   fl_gotrace_merge.c   the threads' events to the next one that is possible
 *   gotrace_order.c   what an event is possible for, and what it changes
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
    GOTRACE_MAX_ARGS = 5,         /* of an event, without its time */
    GOTRACE_BLOCK = 512,          /* events that are told in one call */
    GOTRACE_MOST_EMITTED = 3      /* events that one of the trace is told as */
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
    fl_sym stw;    /* what the world is stopped for */
    uint8_t state; /* fl_gotrace_state */
    uint8_t spans; /* 1 << fl_gotrace_span */
} go_goroutine;

enum { PROC_ABSENT = 0xff, PROC_ABANDONED = 0xfe }; /* else an fl_gotrace_state */
typedef struct go_proc {
    go_seq seq;
    uint8_t state;
    bool sweeps;
} go_proc;

typedef struct go_batch {
    uint64_t time; /* in the trace's units */
    size_t start, end;
    uint32_t machine;
    uint32_t next; /* of the same thread, FL_GOTRACE_NONE: the last */
} go_batch;

/* A thread: what it runs, and where its events are read. */
typedef struct go_machine {
    uint64_t id;
    uint32_t g, p;
    uint32_t first, last; /* batches of this generation, FL_GOTRACE_NONE: none */
    bool seen;            /* an event of its own, or about it, was told */
    /* the event that comes next */
    uint8_t kind;
    size_t pos, end; /* behind it, and the end of its batch */
    int64_t time_ns;
    uint64_t args[GOTRACE_MAX_ARGS];
} go_machine;

typedef struct go_sample {
    int64_t time_ns;
    uint64_t g, stack;
    uint64_t m, p;
} go_sample;

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
    uint64_t gc_seq;
    uint8_t gc_state; /* 0: not known, 1: at rest, 2: marking */
    /* the merge */
    uint32_t *heap;
    size_t heap_count;
    uint64_t failed_tries;
    int64_t last_ns;
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

/* --- fl_gotrace_tables.c --- */
/* Strings, stacks, samples and clock out of the generation's batches. FL_E_SYNTAX, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_gotrace_tables(fl_gotrace *trace, fl_error *err);

/* --- fl_gotrace_merge.c --- */
/* A generation's events, told in order. */
FL_NODISCARD fl_status fl_gotrace_merge(fl_gotrace *trace, fl_error *err);
/* The thread of an id, made where there is none yet. */
FL_NODISCARD fl_status fl_gotrace_machine(uint32_t *out, fl_gotrace *trace, uint64_t id,
                                          fl_error *err);
/* The view after tables may have moved. */
void fl_gotrace_renew_view(fl_gotrace *trace);
/* Tell what is in the block. */
FL_NODISCARD fl_status fl_gotrace_flush(fl_gotrace *trace, fl_error *err);
/* An event at the end of the block, of what the thread (NULL: none) runs. */
fl_gotrace_event *fl_gotrace_emit(fl_gotrace *trace, const go_machine *machine,
                                  fl_gotrace_kind kind, int64_t time_ns);

/* --- gotrace_order.c --- */
/* Arguments of an event behind its time, plus one; 0: there is no such kind. */
extern const unsigned char fl_gotrace_args[256];
typedef enum go_verdict { GO_WAITS, GO_DONE, GO_BROKEN } go_verdict;
/* Tell the thread's next event, where it is possible. GO_BROKEN: `err` says why. */
go_verdict fl_gotrace_advance(fl_gotrace *trace, uint32_t machine, fl_error *err);

#endif
