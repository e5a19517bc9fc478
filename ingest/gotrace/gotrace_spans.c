/*
 * gotrace_spans.c - events that change no state of the scheduler: spans of the runtime's own work,
 * the heap's size, what programs note.
 *
 * A span begins and ends on the same goroutine or processor, and is there at most once; marking is
 * of the whole program and numbered. One that was under way when the trace began is told "active"
 * in the first generation, where it is new, and in later ones, where it must be known.
 */
#include "gotrace_step.h"

/* ---- spans of the runtime's work ---- */

static fl_gotrace_event *tell_span(const struct step *step, fl_gotrace_kind kind,
                                   fl_gotrace_span span)
{
    fl_gotrace_event *event = tell(step, kind);
    event->span = (uint8_t)span;
    return event;
}

/* The world is stopped by a goroutine; an assist is a goroutine's own. */
go_verdict fl_gotrace_on_go_span_begin(struct step *step)
{
    bool is_stw = step->kind == EV_STW_BEGIN;
    fl_gotrace_span span = is_stw ? FL_GOTRACE_STW : FL_GOTRACE_ASSIST;
    if (!has(step, NEEDS_G | NEEDS_P) || (running(step)->spans & 1u << span) != 0)
        return broken(step, "a goroutine cannot begin this here");
    fl_gotrace_event *event = tell_span(step, FL_GOTRACE_BEGIN, span);
    event->target = step->machine->g;
    event->stack = stack_of(step, step->machine->args[is_stw ? 1 : 0]);
    running(step)->spans |= (uint8_t)(1u << span);
    if (is_stw)
        running(step)->stw = event->text = text_of(step, step->machine->args[0]);
    return GO_DONE;
}

/* A stop's end does not say again what it was for. */
go_verdict fl_gotrace_on_go_span_end(struct step *step)
{
    bool is_stw = step->kind == EV_STW_END;
    fl_gotrace_span span = is_stw ? FL_GOTRACE_STW : FL_GOTRACE_ASSIST;
    if (!has(step, NEEDS_G | NEEDS_P) || (running(step)->spans & 1u << span) == 0)
        return broken(step, "a goroutine ends what it did not begin");
    fl_gotrace_event *event = tell_span(step, FL_GOTRACE_END, span);
    event->target = step->machine->g;
    event->text = is_stw ? running(step)->stw : FL_GOTRACE_NONE;
    running(step)->spans &= (uint8_t) ~(1u << span);
    return GO_DONE;
}

/* It may be of a goroutine that does not run now. */
go_verdict fl_gotrace_on_assist_active(struct step *step)
{
    uint32_t slot = fl_gotrace_ids_find(&step->trace->goroutine_ids, step->machine->args[0]);
    if (slot == FL_GOTRACE_NONE)
        return broken(step, "an unknown goroutine assists");
    go_goroutine *goroutine = &step->trace->goroutines[slot];
    bool first = step->trace->gen == step->trace->first_gen;
    if (first == ((goroutine->spans & 1u << FL_GOTRACE_ASSIST) != 0))
        return broken(step, "an assist under way contradicts what came before");
    goroutine->spans |= 1u << FL_GOTRACE_ASSIST;
    tell_span(step, FL_GOTRACE_ACTIVE, FL_GOTRACE_ASSIST)->target = slot;
    return GO_DONE;
}

/* A processor sweeps one span of memory after the other within one of these. */
go_verdict fl_gotrace_on_sweep(struct step *step)
{
    bool begins = step->kind == EV_SWEEP_BEGIN;
    go_proc *proc = proc_of(step, step->machine->p);
    if (!has(step, NEEDS_P) || proc == NULL || proc->sweeps == begins)
        return broken(step, "a processor cannot begin or end a sweep here");
    fl_gotrace_event *event =
        tell_span(step, begins ? FL_GOTRACE_BEGIN : FL_GOTRACE_END, FL_GOTRACE_SWEEP);
    event->target = step->machine->p;
    if (begins)
        event->stack = stack_of(step, step->machine->args[0]);
    else
        event->value = step->machine->args[0];
    proc->sweeps = begins;
    return GO_DONE;
}

go_verdict fl_gotrace_on_sweep_active(struct step *step)
{
    go_proc *proc = proc_of(step, step->machine->args[0]);
    bool first = step->trace->gen == step->trace->first_gen;
    if (proc == NULL || first == proc->sweeps)
        return broken(step, "a sweep under way contradicts what came before");
    proc->sweeps = true;
    tell_span(step, FL_GOTRACE_ACTIVE, FL_GOTRACE_SWEEP)->target = (uint32_t)step->machine->args[0];
    return GO_DONE;
}

enum { GC_UNKNOWN, GC_RESTS, GC_MARKS };

/* Begin and end are numbered together: they may be on different threads. */
go_verdict fl_gotrace_on_gc(struct step *step)
{
    fl_gotrace *trace = step->trace;
    unsigned kind = step->kind;
    uint64_t seq = step->machine->args[0];
    bool unknown = trace->gc_state == GC_UNKNOWN && kind != EV_GC_END;
    if (!unknown) {
        if (kind == EV_GC_ACTIVE && trace->gen == trace->first_gen)
            return broken(step, "marking is said to be under way twice");
        if (seq != trace->gc_seq + 1)
            return GO_WAITS;
        if ((trace->gc_state == GC_MARKS) != (kind != EV_GC_BEGIN))
            return broken(step, "a collection contradicts what came before");
        if (!has(step, NEEDS_G | NEEDS_P))
            return broken(step, "a collection without a goroutine");
    }
    trace->gc_seq = seq;
    trace->gc_state = kind == EV_GC_END ? GC_RESTS : GC_MARKS;
    fl_gotrace_event *event = tell_span(step,
                                        kind == EV_GC_BEGIN    ? FL_GOTRACE_BEGIN
                                        : kind == EV_GC_ACTIVE ? FL_GOTRACE_ACTIVE
                                                               : FL_GOTRACE_END,
                                        FL_GOTRACE_MARK);
    if (kind == EV_GC_BEGIN)
        event->stack = stack_of(step, step->machine->args[1]);
    return GO_DONE;
}

/* ---- what changes no state ---- */

go_verdict fl_gotrace_on_heap(struct step *step)
{
    if (!has(step, NEEDS_P))
        return broken(step, "the heap's size without a processor");
    tell(step, step->kind == EV_HEAP_LIVE ? FL_GOTRACE_HEAP_LIVE : FL_GOTRACE_HEAP_GOAL)->value =
        step->machine->args[0];
    return GO_DONE;
}

/* What needs a running goroutine and nothing else. */
go_verdict fl_gotrace_on_note(struct step *step)
{
    const uint64_t *args = step->machine->args;
    if (!has(step, NEEDS_G | NEEDS_P))
        return broken(step, "a note of no goroutine");
    switch (step->kind) {
    case EV_PROCS_CHANGE: {
        fl_gotrace_event *event = tell(step, FL_GOTRACE_PROCS);
        event->value = args[0];
        event->stack = stack_of(step, args[1]);
        break;
    }
    case EV_GO_LABEL:
        tell(step, FL_GOTRACE_LABEL)->text = text_of(step, args[0]);
        break;
    default: {
        assert(step->kind == EV_LOG);
        fl_gotrace_event *event = tell(step, FL_GOTRACE_LOG);
        event->value = args[0];
        event->extra = text_of(step, args[1]);
        event->text = text_of(step, args[2]);
        event->stack = stack_of(step, args[3]);
    }
    }
    return GO_DONE;
}

/* Tasks may end on another goroutine, more than once, or never: nothing of them is checked here. */
go_verdict fl_gotrace_on_user(struct step *step)
{
    const uint64_t *args = step->machine->args;
    if (!has(step, NEEDS_G | NEEDS_P))
        return broken(step, "a task or region of no goroutine");
    unsigned kind = step->kind;
    bool is_task = kind == EV_TASK_BEGIN || kind == EV_TASK_END;
    fl_gotrace_event *event = tell(step, kind == EV_TASK_BEGIN     ? FL_GOTRACE_TASK_BEGIN
                                         : kind == EV_TASK_END     ? FL_GOTRACE_TASK_END
                                         : kind == EV_REGION_BEGIN ? FL_GOTRACE_REGION_BEGIN
                                                                   : FL_GOTRACE_REGION_END);
    event->value = args[0];
    if (kind == EV_TASK_BEGIN) {
        event->extra = (uint32_t)args[1];
        event->text = text_of(step, args[2]);
    } else if (!is_task)
        event->text = text_of(step, args[1]);
    event->stack = stack_of(step, args[kind == EV_TASK_BEGIN ? 3 : kind == EV_TASK_END ? 1 : 2]);
    return GO_DONE;
}

go_verdict fl_gotrace_on_experiment(struct step *step)
{
    if (!has(step, 0))
        return broken(step, "an experiment's event of no thread");
    tell(step, FL_GOTRACE_OTHER)->value = step->kind;
    return GO_DONE;
}
