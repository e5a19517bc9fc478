/*
 * gotrace_step.h - an event that is tried, and what handlers of events tell of it.
 *
 * A handler looks whether its event is possible; only where it is, it changes states and tells.
 */
#ifndef FL_GOTRACE_STEP_H
#define FL_GOTRACE_STEP_H

#include "gotrace_priv.h"

/* The event at hand and who it happens to. */
struct step {
    fl_gotrace *trace;
    uint32_t at; /* the thread; its address changes where another thread is made */
    go_machine *machine;
    unsigned kind; /* of the event, in the numbers of 1.22 and later */
    fl_error *err;
};

enum { NEEDS_G = 1, NEEDS_P = 2 };

static inline go_verdict broken(const struct step *step, const char *what)
{
    (void)fl_fail(step->err, FL_E_SYNTAX, step->trace->base + step->machine->pos,
                  "event kind %u of %s %llu: %s", step->machine->kind,
                  step->trace->v1.is ? "processor" : "thread",
                  (unsigned long long)step->machine->id, what);
    return GO_BROKEN;
}

/* Whether the thread runs what the event takes for granted. */
static inline bool has(const struct step *step, unsigned needs)
{
    bool no_thread = step->machine->id == UINT64_MAX;
    return !no_thread && ((needs & NEEDS_G) == 0 || step->machine->g != FL_GOTRACE_NONE) &&
           ((needs & NEEDS_P) == 0 || step->machine->p != FL_GOTRACE_NONE);
}

static inline fl_gotrace_event *tell(const struct step *step, fl_gotrace_kind kind)
{
    return fl_gotrace_emit(step->trace, step->machine, kind, step->machine->time_ns);
}

static inline fl_gotrace_event *tell_go(const struct step *step, uint32_t target,
                                        fl_gotrace_state from, fl_gotrace_state to)
{
    fl_gotrace_event *event = tell(step, FL_GOTRACE_GO);
    event->target = target;
    event->from = (uint8_t)from;
    event->to = (uint8_t)to;
    return event;
}

static inline fl_gotrace_event *tell_proc(const struct step *step, uint32_t target,
                                          fl_gotrace_state from, fl_gotrace_state to)
{
    fl_gotrace_event *event = tell_go(step, target, from, to);
    event->kind = FL_GOTRACE_PROC;
    return event;
}

static inline uint32_t stack_of(const struct step *step, uint64_t id)
{
    return gotrace_stack_of(step->trace, id);
}

static inline fl_sym text_of(const struct step *step, uint64_t id)
{
    return gotrace_text_of(step->trace, id);
}

static inline bool gotrace_succeeds(const fl_gotrace *trace, uint64_t seq, go_seq last)
{
    return trace->gen == last.gen && seq == last.seq + 1;
}

static inline bool succeeds(const struct step *step, uint64_t seq, go_seq last)
{
    return gotrace_succeeds(step->trace, seq, last);
}

static inline go_seq gotrace_seq(const fl_gotrace *trace, uint64_t seq)
{
    return (go_seq){.gen = trace->gen, .seq = seq};
}

static inline go_seq seq_of(const struct step *step, uint64_t seq)
{
    return gotrace_seq(step->trace, seq);
}

static inline go_goroutine *running(const struct step *step)
{
    assert(step->machine->g < step->trace->slot_count);
    return &step->trace->goroutines[step->machine->g];
}

/* NULL for one that was never told of. */
static inline go_proc *gotrace_proc(const fl_gotrace *trace, uint64_t id)
{
    return id < trace->proc_count && trace->procs[id].state != PROC_ABSENT ? &trace->procs[id]
                                                                           : NULL;
}

static inline go_proc *proc_of(const struct step *step, uint64_t id)
{
    return gotrace_proc(step->trace, id);
}

/* --- gotrace_order.c --- */
/* FL_GOTRACE_NONE, with the reason in step->err, where there is no room. */
uint32_t fl_gotrace_add_goroutine(const struct step *step, uint64_t id, fl_gotrace_state state);
/* Its slot is used again for what comes after the next call. */
void fl_gotrace_end_goroutine(fl_gotrace *trace, uint32_t slot);

/* --- gotrace_spans.c: handlers of spans, the heap's size, and what programs note --- */
go_verdict fl_gotrace_on_go_span_begin(struct step *step);
go_verdict fl_gotrace_on_go_span_end(struct step *step);
go_verdict fl_gotrace_on_assist_active(struct step *step);
go_verdict fl_gotrace_on_sweep(struct step *step);
go_verdict fl_gotrace_on_sweep_active(struct step *step);
go_verdict fl_gotrace_on_gc(struct step *step);
go_verdict fl_gotrace_on_heap(struct step *step);
go_verdict fl_gotrace_on_note(struct step *step);
go_verdict fl_gotrace_on_user(struct step *step);
go_verdict fl_gotrace_on_experiment(struct step *step);

#endif
