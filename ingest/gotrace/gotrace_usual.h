/*
 * gotrace_usual.h - the events that a trace from 1.22 on mostly consists of: a goroutine starts,
 * stops, is made runnable, calls the system and comes back.
 *
 * Inline, as they are tried in two places: one by one like all others (gotrace_order.c), and in the
 * runs of the thread that is ahead (gotrace_run.c). Neither may judge an event differently.
 */
#ifndef FL_GOTRACE_USUAL_H
#define FL_GOTRACE_USUAL_H

#include "gotrace_step.h"

/* An event with its numbers at hand. "No thread" runs nothing, so that what asks for a goroutine
 * or a processor refuses its events. */
typedef struct go_usual {
    fl_gotrace *trace;
    go_machine *machine;
    int64_t time_ns;
    uint64_t args[3];
    const char *why; /* with GO_BROKEN */
} go_usual;

static inline bool usual_runs(const go_usual *event)
{
    const go_machine *machine = event->machine;
    return machine->g != FL_GOTRACE_NONE && machine->p != FL_GOTRACE_NONE;
}

static inline go_verdict usual_broken(go_usual *event, const char *why)
{
    event->why = why;
    return GO_BROKEN;
}

static inline go_goroutine *usual_running(const go_usual *event)
{
    assert(event->machine->g < event->trace->slot_count);
    return &event->trace->goroutines[event->machine->g];
}

/* Tell the next state of a goroutine. */
static inline fl_gotrace_event *usual_tell(const go_usual *event, uint32_t target,
                                           fl_gotrace_state from, fl_gotrace_state to)
{
    const go_machine *machine = event->machine;
    fl_gotrace_event *told = gotrace_next_told(event->trace, event->time_ns);
    *told = (fl_gotrace_event){.time_ns = event->trace->last_ns,
                               .g = machine->g,
                               .p = machine->p,
                               .m = machine->m,
                               .target = target,
                               .text = FL_GOTRACE_NONE,
                               .kind = FL_GOTRACE_GO,
                               .from = (uint8_t)from,
                               .to = (uint8_t)to};
    return told;
}

/* Possible once it is runnable and all its events before were told. Goroutine, number. */
static inline go_verdict usual_start(go_usual *event)
{
    fl_gotrace *trace = event->trace;
    go_machine *machine = event->machine;
    uint32_t slot = fl_gotrace_ids_find(&trace->goroutine_ids, event->args[0]);
    if (slot == FL_GOTRACE_NONE)
        return GO_WAITS;
    go_goroutine *goroutine = &trace->goroutines[slot];
    if (goroutine->state != FL_GOTRACE_RUNNABLE ||
        !gotrace_succeeds(trace, event->args[1], goroutine->seq))
        return GO_WAITS;
    if (machine->p == FL_GOTRACE_NONE || machine->g != FL_GOTRACE_NONE)
        return usual_broken(event, "a goroutine starts on a thread that is not free for it");
    goroutine->state = FL_GOTRACE_RUNNING;
    goroutine->seq = gotrace_seq(trace, event->args[1]);
    usual_tell(event, slot, FL_GOTRACE_RUNNABLE, FL_GOTRACE_RUNNING);
    machine->g = slot;
    return GO_DONE;
}

/* It ends, yields or blocks. Reason, stack; of one that ends neither. */
static inline go_verdict usual_stop(go_usual *event, unsigned kind)
{
    fl_gotrace *trace = event->trace;
    uint32_t slot = event->machine->g;
    if (!usual_runs(event) || usual_running(event)->state != FL_GOTRACE_RUNNING)
        return usual_broken(event, "there is no running goroutine to stop");
    fl_gotrace_state to = kind == EV_GO_DESTROY ? FL_GOTRACE_NOWHERE
                          : kind == EV_GO_STOP  ? FL_GOTRACE_RUNNABLE
                                                : FL_GOTRACE_WAITING;
    fl_gotrace_event *told = usual_tell(event, slot, FL_GOTRACE_RUNNING, to);
    usual_running(event)->state = (uint8_t)to;
    if (kind == EV_GO_DESTROY)
        fl_gotrace_end_goroutine(trace, slot);
    else {
        told->text = gotrace_text_of(trace, event->args[0]);
        told->stack = gotrace_stack_of(trace, event->args[1]);
    }
    event->machine->g = FL_GOTRACE_NONE;
    return GO_DONE;
}

/* Anybody may do that: a goroutine, the network poller, a timer. Goroutine, number, stack. */
static inline go_verdict usual_unblock(go_usual *event)
{
    fl_gotrace *trace = event->trace;
    uint32_t slot = fl_gotrace_ids_find(&trace->goroutine_ids, event->args[0]);
    if (slot == FL_GOTRACE_NONE)
        return GO_WAITS;
    go_goroutine *goroutine = &trace->goroutines[slot];
    if (goroutine->state != FL_GOTRACE_WAITING ||
        !gotrace_succeeds(trace, event->args[1], goroutine->seq))
        return GO_WAITS;
    goroutine->state = FL_GOTRACE_RUNNABLE;
    goroutine->seq = gotrace_seq(trace, event->args[1]);
    usual_tell(event, slot, FL_GOTRACE_WAITING, FL_GOTRACE_RUNNABLE)->stack =
        gotrace_stack_of(trace, event->args[2]);
    return GO_DONE;
}

/* Number of the processor, stack. */
static inline go_verdict usual_syscall_begin(go_usual *event)
{
    fl_gotrace *trace = event->trace;
    if (!usual_runs(event) || usual_running(event)->state != FL_GOTRACE_RUNNING)
        return usual_broken(event, "there is no running goroutine for a system call");
    go_proc *proc = gotrace_proc(trace, event->machine->p);
    if (proc == NULL || !gotrace_succeeds(trace, event->args[0], proc->seq))
        return usual_broken(event, "a system call is not its processor's next event");
    proc->state = FL_GOTRACE_SYSCALL;
    proc->seq = gotrace_seq(trace, event->args[0]);
    usual_running(event)->state = FL_GOTRACE_SYSCALL;
    usual_tell(event, event->machine->g, FL_GOTRACE_RUNNING, FL_GOTRACE_SYSCALL)->stack =
        gotrace_stack_of(trace, event->args[1]);
    return GO_DONE;
}

/* The processor was not stolen meanwhile. No numbers. */
static inline go_verdict usual_syscall_end(go_usual *event)
{
    go_proc *proc = gotrace_proc(event->trace, event->machine->p);
    if (!usual_runs(event) || usual_running(event)->state != FL_GOTRACE_SYSCALL || proc == NULL ||
        proc->state != FL_GOTRACE_SYSCALL)
        return usual_broken(event, "there is no system call to end");
    proc->state = FL_GOTRACE_RUNNING;
    usual_running(event)->state = FL_GOTRACE_RUNNING;
    usual_tell(event, event->machine->g, FL_GOTRACE_SYSCALL, FL_GOTRACE_RUNNING);
    return GO_DONE;
}

#endif
