/*
 * gotrace_v1_usual.h - the events that a trace of a format to 1.21 mostly consists of. As
 * gotrace_usual.h, for the rules of gotrace_v1_order.c.
 */
#ifndef FL_GOTRACE_V1_USUAL_H
#define FL_GOTRACE_V1_USUAL_H

#include "gotrace_usual.h"
#include "gotrace_v1.h"

/* Of a goroutine, in `notes`. */
enum {
    UNTOLD = 1, /* its creation was not told: it was there before the trace */
    LEFT = 2    /* it is in a call whose end was told */
};

/* NULL: there is none of that number. */
static inline go_goroutine *gotrace_v1_find(const fl_gotrace *trace, uint64_t id, uint32_t *slot)
{
    *slot = fl_gotrace_ids_find(&trace->goroutine_ids, id);
    return *slot != FL_GOTRACE_NONE ? &trace->goroutines[*slot] : NULL;
}

/* A goroutine's next state, told as coming from `from`, or from what was before the trace. */
static inline fl_gotrace_event *v1_tell_next(const go_usual *event, uint32_t slot,
                                             fl_gotrace_state from, fl_gotrace_state to)
{
    assert(slot < event->trace->slot_count);
    go_goroutine *goroutine = &event->trace->goroutines[slot];
    bool is_new = (goroutine->notes & UNTOLD) != 0;
    fl_gotrace_event *told = usual_tell(event, slot, is_new ? FL_GOTRACE_UNKNOWN : from, to);
    if (is_new) {
        told->stack = goroutine->stw;
        goroutine->stw = FL_GOTRACE_NONE;
        goroutine->notes &= (uint8_t)~UNTOLD;
    }
    goroutine->state = (uint8_t)to;
    return told;
}

/* Goroutine, and its number unless that is "local". */
static inline go_verdict v1_usual_start(go_usual *event, bool is_local)
{
    go_machine *machine = event->machine;
    uint32_t slot;
    go_goroutine *goroutine = gotrace_v1_find(event->trace, event->args[0], &slot);
    if (goroutine == NULL || goroutine->state != FL_GOTRACE_RUNNABLE ||
        (!is_local && event->args[1] != goroutine->seq.seq))
        return GO_WAITS;
    if (machine->g != FL_GOTRACE_NONE || machine->p == FL_GOTRACE_NONE)
        return usual_broken(event, "a goroutine starts where there is no place for it");
    goroutine->seq.seq++;
    (void)v1_tell_next(event, slot, FL_GOTRACE_RUNNABLE, FL_GOTRACE_RUNNING);
    machine->g = slot;
    return GO_DONE;
}

/* It ends, yields or blocks. Stack; of one that ends none. */
static inline go_verdict v1_usual_stop(go_usual *event, unsigned kind)
{
    fl_gotrace *trace = event->trace;
    uint32_t slot = event->machine->g;
    if (slot == FL_GOTRACE_NONE)
        return usual_broken(event, "there is no running goroutine to stop");
    bool yields = kind == V1_GO_SCHED || kind == V1_GO_PREEMPT;
    fl_gotrace_state to = kind == V1_GO_END ? FL_GOTRACE_NOWHERE
                          : yields          ? FL_GOTRACE_RUNNABLE
                                            : FL_GOTRACE_WAITING;
    fl_gotrace_event *told = v1_tell_next(event, slot, FL_GOTRACE_RUNNING, to);
    if (kind == V1_GO_END)
        fl_gotrace_end_goroutine(trace, slot);
    else {
        told->text = trace->v1.reasons[kind];
        told->stack = gotrace_stack_of(trace, event->args[0]);
    }
    event->machine->g = FL_GOTRACE_NONE;
    return GO_DONE;
}

/* Goroutine, its number, stack. "Local" ones lack the number. */
static inline go_verdict v1_usual_unblock(go_usual *event, bool is_local)
{
    const uint64_t *args = event->args;
    uint32_t slot;
    go_goroutine *goroutine = gotrace_v1_find(event->trace, args[0], &slot);
    if (goroutine == NULL || goroutine->state != FL_GOTRACE_WAITING ||
        (!is_local && args[1] != goroutine->seq.seq))
        return GO_WAITS;
    goroutine->seq.seq++;
    v1_tell_next(event, slot, FL_GOTRACE_WAITING, FL_GOTRACE_RUNNABLE)->stack =
        gotrace_stack_of(event->trace, args[is_local ? 1 : 2]);
    return GO_DONE;
}

/* The goroutine's state changes only when the call is said to block, or ends at once. Stack. */
static inline go_verdict v1_usual_syscall(go_usual *event)
{
    go_machine *machine = event->machine;
    if (machine->g == FL_GOTRACE_NONE)
        return usual_broken(event, "there is no running goroutine for a system call");
    usual_tell(event, machine->g, FL_GOTRACE_RUNNING, FL_GOTRACE_SYSCALL)->stack =
        gotrace_stack_of(event->trace, event->args[0]);
    machine->in_call = true;
    return GO_DONE;
}

/* The call that a processor's goroutine began is over at once: nothing said that it blocked. */
static inline void gotrace_v1_end_call(fl_gotrace *trace, go_machine *machine)
{
    assert(machine->in_call && machine->g != FL_GOTRACE_NONE);
    fl_gotrace_event *event = fl_gotrace_emit(trace, machine, FL_GOTRACE_GO, trace->last_ns);
    event->target = machine->g;
    event->from = FL_GOTRACE_SYSCALL;
    event->to = FL_GOTRACE_RUNNING;
    machine->in_call = false;
}

#endif
