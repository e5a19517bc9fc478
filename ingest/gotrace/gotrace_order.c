/*
 * gotrace_order.c - what each event is possible for, and what it changes: the states of goroutines
 * and processors, and what each thread runs.
 *
 *   waits   its goroutine or processor has not come to the state or the number that it needs:
 * events of other threads come first. Only what names another one than the thread's own can wait
 *   broken  it contradicts what came before: nothing that follows can be trusted
 *
 * States of a goroutine and the events between them:
 *
 *   nowhere ── create ──> runnable ── start ──> running ── stop ──> runnable
 *                            ^                   │  │ └── block ──> waiting ── unblock ──> runnable
 *                            │                   │  └── destroy ──> nowhere
 *                            │                   v
 *                            └─ end, blocked ─ syscall ── end ──> running
 *
 * States of a processor: idle ── start ──> running ── stop ──> idle; a system call's begin makes a
 * running one stealable, its end running again, and a steal idle. One that is *abandoned* was in a
 * system call whose thread is not known any more: it can only be stolen.
 *
 * What a thread runs follows from that: a start binds a goroutine to it, a stop, block, destroy or
 * blocked end of a call lets it go; a processor is bound by its start and let go by stop and steal.
 * An event of a thread that runs nothing cannot be of a goroutine.
 *
 * Numbers: a goroutine counts its starts, unblocks and switches, a processor its starts, steals and
 * system calls, anew in each generation, where the status event sets them to 0.
 *
 * The rules are those of Go's internal/trace/order.go. A processor may be taken from a thread in a
 * system call ("stolen"), so that the call's begin carries the processor's number too.
 */
#include <string.h>

#include "faultline/limits.h"
#include "gotrace_usual.h"

/* One more than the arguments; experiments' events begin at 128. */
const unsigned char fl_gotrace_args[256] = {
    [EV_PROCS_CHANGE] = 3,
    [EV_PROC_START] = 3,
    [EV_PROC_STOP] = 1,
    [EV_PROC_STEAL] = 4,
    [EV_PROC_STATUS] = 3,
    [EV_GO_CREATE] = 4,
    [EV_GO_CREATE_SYSCALL] = 2,
    [EV_GO_START] = 3,
    [EV_GO_DESTROY] = 1,
    [EV_GO_DESTROY_SYSCALL] = 1,
    [EV_GO_STOP] = 3,
    [EV_GO_BLOCK] = 3,
    [EV_GO_UNBLOCK] = 4,
    [EV_SYSCALL_BEGIN] = 3,
    [EV_SYSCALL_END] = 1,
    [EV_SYSCALL_END_BLOCKED] = 1,
    [EV_GO_STATUS] = 4,
    [EV_STW_BEGIN] = 3,
    [EV_STW_END] = 1,
    [EV_GC_ACTIVE] = 2,
    [EV_GC_BEGIN] = 3,
    [EV_GC_END] = 2,
    [EV_SWEEP_ACTIVE] = 2,
    [EV_SWEEP_BEGIN] = 2,
    [EV_SWEEP_END] = 3,
    [EV_ASSIST_ACTIVE] = 2,
    [EV_ASSIST_BEGIN] = 2,
    [EV_ASSIST_END] = 1,
    [EV_HEAP_LIVE] = 2,
    [EV_HEAP_GOAL] = 2,
    [EV_GO_LABEL] = 2,
    [EV_TASK_BEGIN] = 5,
    [EV_TASK_END] = 3,
    [EV_REGION_BEGIN] = 4,
    [EV_REGION_END] = 4,
    [EV_LOG] = 5,
    [EV_GO_SWITCH] = 3,
    [EV_GO_SWITCH_DESTROY] = 3,
    [EV_GO_CREATE_BLOCKED] = 4,
    [EV_GO_STATUS_STACK] = 5,
    /* memory, where GODEBUG=traceallocfree=1 asks for it: spans, objects, stacks of goroutines */
    [128] = 4,
    [129] = 4,
    [130] = 2,
    [131] = 3,
    [132] = 3,
    [133] = 2,
    [134] = 3,
    [135] = 3,
    [136] = 2,
};

/* ---- goroutines come and go ---- */

/* A slot that nobody has, at the end or given back before the block at hand. */
static fl_status take_slot(uint32_t *out, fl_gotrace *trace, fl_error *err)
{
    if (trace->free_count > trace->ended_count) {
        size_t reusable = trace->free_count - trace->ended_count - 1;
        *out = trace->free_slots[reusable];
        trace->free_slots[reusable] = trace->free_slots[--trace->free_count];
        return FL_OK;
    }
    if (trace->slot_count == FL_MAX_GOTRACE_GOROUTINES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %u goroutines live at once",
                       FL_MAX_GOTRACE_GOROUTINES);
    fl_status status = fl_gotrace_reserve((void **)&trace->goroutines, &trace->slot_cap,
                                          trace->slot_count + 1, sizeof(*trace->goroutines), err);
    if (status == FL_OK)
        status = fl_gotrace_reserve((void **)&trace->slot_ids, &trace->id_cap, trace->slot_cap,
                                    sizeof(*trace->slot_ids), err);
    if (status == FL_OK)
        status = fl_gotrace_reserve((void **)&trace->free_slots, &trace->free_cap, trace->slot_cap,
                                    sizeof(*trace->free_slots), err);
    if (status == FL_OK)
        *out = (uint32_t)trace->slot_count++;
    return status;
}

uint32_t fl_gotrace_add_goroutine(const struct step *step, uint64_t id, fl_gotrace_state state)
{
    fl_gotrace *trace = step->trace;
    uint32_t slot = 0;
    if (take_slot(&slot, trace, step->err) != FL_OK)
        return FL_GOTRACE_NONE;
    trace->goroutines[slot] =
        (go_goroutine){.seq = seq_of(step, 0), .stw = FL_GOTRACE_NONE, .state = (uint8_t)state};
    trace->slot_ids[slot] = id;
    if (fl_gotrace_ids_add(&trace->goroutine_ids, id, slot, step->err) != FL_OK)
        return FL_GOTRACE_NONE;
    return slot;
}

void fl_gotrace_end_goroutine(fl_gotrace *trace, uint32_t slot)
{
    assert(trace->free_count < trace->slot_count);
    fl_gotrace_ids_remove(&trace->goroutine_ids, trace->slot_ids[slot]);
    trace->goroutines[slot].state = FL_GOTRACE_NOWHERE;
    trace->free_slots[trace->free_count++] = slot;
    trace->ended_count++;
}

/* ---- processors ---- */

fl_status fl_gotrace_make_procs(fl_gotrace *trace, uint64_t id, fl_error *err)
{
    if (id >= FL_MAX_GOTRACE_PROCS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "processor %llu is beyond %u",
                       (unsigned long long)id, FL_MAX_GOTRACE_PROCS);
    size_t cap = trace->proc_count;
    fl_status status = fl_gotrace_reserve((void **)&trace->procs, &cap, (size_t)id + 1,
                                          sizeof(*trace->procs), err);
    for (; status == FL_OK && trace->proc_count < cap; trace->proc_count++)
        trace->procs[trace->proc_count] = (go_proc){.state = PROC_ABSENT};
    return status;
}

/* The thread that runs a processor; NULL: none. */
static const go_machine *runner_of(const struct step *step, const go_proc *proc, uint32_t id)
{
    assert(proc->runner < step->trace->machine_count);
    const go_machine *runner = &step->trace->machines[proc->runner];
    return runner->p == id ? runner : NULL;
}

/* One that was in a system call is stolen soon: it is told as running where its thread is known,
 * else as idle. */
static go_verdict status_abandoned(struct step *step, go_proc *proc, uint32_t id)
{
    if (proc->state == FL_GOTRACE_SYSCALL) {
        const go_machine *runner = runner_of(step, proc, id);
        if (runner == NULL)
            return broken(step, "the thread of a processor that is about to be stolen is unknown");
        fl_gotrace_event *event = tell_proc(step, id, FL_GOTRACE_RUNNING, FL_GOTRACE_RUNNING);
        event->g = runner->g;
        event->p = id;
        event->m = (uint32_t)(runner - step->trace->machines);
    } else if (proc->state == PROC_ABANDONED)
        tell_proc(step, id, FL_GOTRACE_IDLE, FL_GOTRACE_IDLE);
    else
        return broken(step, "a processor is not in the state that it is said to be in");
    proc->seq = seq_of(step, 0);
    return GO_DONE;
}

/* What a processor does at the begin of a generation; its numbers start again. */
static go_verdict on_proc_status(struct step *step)
{
    static const uint8_t states[] = {[1] = FL_GOTRACE_RUNNING,
                                     [2] = FL_GOTRACE_IDLE,
                                     [3] = FL_GOTRACE_SYSCALL,
                                     [4] = PROC_ABANDONED};
    uint64_t id = step->machine->args[0], status = step->machine->args[1];
    if (status == 0 || status >= sizeof(states))
        return broken(step, "no such state of a processor");
    if (id >= step->trace->proc_count && fl_gotrace_make_procs(step->trace, id, step->err) != FL_OK)
        return GO_BROKEN;
    go_proc *proc = &step->trace->procs[id];
    uint8_t state = states[status];
    fl_gotrace_state shown =
        state == FL_GOTRACE_IDLE || state == PROC_ABANDONED ? FL_GOTRACE_IDLE : FL_GOTRACE_RUNNING;
    fl_gotrace_state before = shown;
    if (proc->state == PROC_ABSENT) {
        bool first = step->trace->gen == step->trace->first_gen;
        *proc = (go_proc){.state = state};
        before = first ? FL_GOTRACE_UNKNOWN : FL_GOTRACE_NOWHERE;
    } else if (state == PROC_ABANDONED)
        return status_abandoned(step, proc, (uint32_t)id);
    else if (proc->state != state)
        return broken(step, "a processor is not in the state that it is said to be in");
    proc->seq = seq_of(step, 0);
    tell_proc(step, (uint32_t)id, before, shown);
    if (shown == FL_GOTRACE_RUNNING) {
        step->machine->p = (uint32_t)id;
        proc->runner = step->at;
    }
    return GO_DONE;
}

/* A thread gets an idle processor. It may be in a system call still, whose own was not yet stolen.
 */
static go_verdict on_proc_start(struct step *step)
{
    uint64_t id = step->machine->args[0], seq = step->machine->args[1];
    go_proc *proc = proc_of(step, id);
    if (proc == NULL || proc->state != FL_GOTRACE_IDLE || !succeeds(step, seq, proc->seq) ||
        step->machine->p != FL_GOTRACE_NONE)
        return GO_WAITS;
    if (!has(step, 0))
        return broken(step, "a processor starts on no thread");
    proc->state = FL_GOTRACE_RUNNING;
    proc->seq = seq_of(step, seq);
    tell_proc(step, (uint32_t)id, FL_GOTRACE_IDLE, FL_GOTRACE_RUNNING);
    step->machine->p = (uint32_t)id;
    proc->runner = step->at;
    return GO_DONE;
}

/* By the thread that runs it: always possible, so that it needs no number. */
static go_verdict on_proc_stop(struct step *step)
{
    go_proc *proc = proc_of(step, step->machine->p);
    if (!has(step, NEEDS_P) || proc == NULL ||
        (proc->state != FL_GOTRACE_RUNNING && proc->state != FL_GOTRACE_SYSCALL))
        return broken(step, "there is no processor to stop");
    proc->state = FL_GOTRACE_IDLE;
    tell_proc(step, step->machine->p, FL_GOTRACE_RUNNING, FL_GOTRACE_IDLE);
    step->machine->p = FL_GOTRACE_NONE;
    return GO_DONE;
}

/* By another thread, out of a system call, or by itself. */
static go_verdict on_proc_steal(struct step *step)
{
    uint64_t id = step->machine->args[0], seq = step->machine->args[1];
    go_proc *proc = proc_of(step, id);
    if (proc == NULL || (proc->state != FL_GOTRACE_SYSCALL && proc->state != PROC_ABANDONED) ||
        !succeeds(step, seq, proc->seq))
        return GO_WAITS;
    if (!has(step, 0))
        return broken(step, "a processor is stolen by no thread");
    bool abandoned = proc->state == PROC_ABANDONED;
    if (!abandoned) {
        const uint64_t *from = fl_map_find(step->trace->machine_ids, step->machine->args[2]);
        if (from == NULL || step->trace->machines[*from].p != id)
            return broken(step, "a processor is stolen from a thread that does not have it");
    }
    proc->state = FL_GOTRACE_IDLE;
    proc->seq = seq_of(step, seq);
    tell_proc(step, (uint32_t)id, abandoned ? FL_GOTRACE_IDLE : FL_GOTRACE_RUNNING,
              FL_GOTRACE_IDLE);
    if (!abandoned)
        step->trace->machines[*fl_map_find(step->trace->machine_ids, step->machine->args[2])].p =
            FL_GOTRACE_NONE;
    return GO_DONE;
}

/* ---- goroutines ---- */

/* In a system call on a thread that may not have been told of: *on is that thread. */
static go_verdict status_in_syscall(struct step *step, uint32_t slot, uint64_t thread, uint32_t *on)
{
    fl_gotrace *trace = step->trace;
    if (thread == UINT64_MAX)
        return broken(step, "a goroutine is in a system call without a thread");
    *on = step->at;
    if (thread == step->machine->id) {
        if (trace->gen != trace->first_gen && step->machine->g != slot)
            return broken(step, "a thread does not run the goroutine that is said to be its own");
        return GO_DONE;
    }
    if (fl_gotrace_machine(on, trace, thread, step->err) != FL_OK)
        return GO_BROKEN;
    step->machine = &trace->machines[step->at];
    go_machine *other = &trace->machines[*on];
    if (other->seen && other->g != slot)
        return broken(step, "a thread does not run the goroutine that is said to be its own");
    return GO_DONE;
}

/* Told as of the thread that has it: before this one its own or, of an unknown one, nothing. */
static go_verdict tell_status(struct step *step, uint32_t slot, fl_gotrace_state from,
                              fl_gotrace_state to)
{
    uint32_t on = step->at;
    bool is_new = false;
    if (to == FL_GOTRACE_SYSCALL) {
        go_verdict verdict = status_in_syscall(step, slot, step->machine->args[1], &on);
        if (verdict != GO_DONE)
            return verdict;
        is_new = on != step->at && !step->trace->machines[on].seen;
    }
    fl_gotrace_event *event = tell_go(step, slot, from, to);
    event->m = on;
    if (on != step->at && !is_new)
        event->g = slot;
    if (step->kind == EV_GO_STATUS_STACK)
        event->stack = stack_of(step, step->machine->args[3]);
    if (to == FL_GOTRACE_RUNNING || to == FL_GOTRACE_SYSCALL) {
        step->trace->machines[on].g = slot;
        step->trace->machines[on].seen = true;
    }
    return GO_DONE;
}

/* What a goroutine does at the begin of a generation. In the first one it is made known by that. */
static go_verdict on_go_status(struct step *step)
{
    static const uint8_t states[] = {[1] = FL_GOTRACE_RUNNABLE,
                                     [2] = FL_GOTRACE_RUNNING,
                                     [3] = FL_GOTRACE_SYSCALL,
                                     [4] = FL_GOTRACE_WAITING};
    fl_gotrace *trace = step->trace;
    uint64_t id = step->machine->args[0], status = step->machine->args[2];
    if (status == 0 || status >= sizeof(states))
        return broken(step, "no such state of a goroutine");
    fl_gotrace_state to = states[status], from = to;
    uint32_t slot = fl_gotrace_ids_find(&trace->goroutine_ids, id);
    if (slot != FL_GOTRACE_NONE) {
        if (trace->goroutines[slot].state != to)
            return broken(step, "a goroutine is not in the state that it is said to be in");
        trace->goroutines[slot].seq = seq_of(step, 0);
    } else if (trace->gen != trace->first_gen)
        return broken(step, "a goroutine that was never told of has a state");
    else {
        slot = fl_gotrace_add_goroutine(step, id, to);
        if (slot == FL_GOTRACE_NONE)
            return GO_BROKEN;
        from = FL_GOTRACE_UNKNOWN;
    }
    return tell_status(step, slot, from, to);
}

/* By a goroutine, or by the runtime on a processor without one. */
static go_verdict on_go_create(struct step *step)
{
    const uint64_t *args = step->machine->args;
    if (!has(step, NEEDS_P))
        return broken(step, "a goroutine is created without a processor");
    if (step->machine->g != FL_GOTRACE_NONE && running(step)->state != FL_GOTRACE_RUNNING)
        return broken(step, "a goroutine is created by one that does not run");
    if (fl_gotrace_ids_find(&step->trace->goroutine_ids, args[0]) != FL_GOTRACE_NONE)
        return broken(step, "a goroutine is created that is there already");
    fl_gotrace_state state =
        step->kind == EV_GO_CREATE_BLOCKED ? FL_GOTRACE_WAITING : FL_GOTRACE_RUNNABLE;
    uint32_t slot = fl_gotrace_add_goroutine(step, args[0], state);
    if (slot == FL_GOTRACE_NONE)
        return GO_BROKEN;
    fl_gotrace_event *event = tell_go(step, slot, FL_GOTRACE_NOWHERE, state);
    event->extra = stack_of(step, args[1]);
    event->stack = stack_of(step, args[2]);
    return GO_DONE;
}

/* One goroutine hands the thread to another: told as an unblock, a block or an end, and a start. */
static go_verdict on_go_switch(struct step *step)
{
    const uint64_t *args = step->machine->args;
    if (!has(step, NEEDS_G | NEEDS_P) || running(step)->state != FL_GOTRACE_RUNNING)
        return broken(step, "there is no running goroutine to switch from");
    uint32_t next = fl_gotrace_ids_find(&step->trace->goroutine_ids, args[0]);
    if (next == FL_GOTRACE_NONE)
        return GO_WAITS;
    go_goroutine *to = &step->trace->goroutines[next];
    if (to->state != FL_GOTRACE_WAITING || !succeeds(step, args[1], to->seq))
        return GO_WAITS;
    uint32_t slot = step->machine->g;
    bool ends = step->kind == EV_GO_SWITCH_DESTROY;
    tell_go(step, next, FL_GOTRACE_WAITING, FL_GOTRACE_RUNNABLE);
    tell_go(step, slot, FL_GOTRACE_RUNNING, ends ? FL_GOTRACE_NOWHERE : FL_GOTRACE_WAITING);
    running(step)->state = FL_GOTRACE_WAITING;
    if (ends)
        fl_gotrace_end_goroutine(step->trace, slot);
    to->state = FL_GOTRACE_RUNNING;
    to->seq = seq_of(step, args[1]);
    step->machine->g = FL_GOTRACE_NONE;
    tell_go(step, next, FL_GOTRACE_RUNNABLE, FL_GOTRACE_RUNNING);
    step->machine->g = next;
    return GO_DONE;
}

/* ---- system calls ---- */

/* The thread has lost its processor before; it may have got another one. */
static go_verdict on_syscall_end_blocked(struct step *step)
{
    go_proc *proc = proc_of(step, step->machine->p);
    if (proc != NULL && proc->state == FL_GOTRACE_SYSCALL)
        return GO_WAITS;
    if (!has(step, NEEDS_G) || running(step)->state != FL_GOTRACE_SYSCALL)
        return broken(step, "there is no system call to end");
    running(step)->state = FL_GOTRACE_RUNNABLE;
    tell_go(step, step->machine->g, FL_GOTRACE_SYSCALL, FL_GOTRACE_RUNNABLE);
    step->machine->g = FL_GOTRACE_NONE;
    return GO_DONE;
}

/* C calls Go: a goroutine appears in a system call. */
static go_verdict on_go_create_syscall(struct step *step)
{
    uint64_t id = step->machine->args[0];
    if (!has(step, 0) || step->machine->g != FL_GOTRACE_NONE ||
        fl_gotrace_ids_find(&step->trace->goroutine_ids, id) != FL_GOTRACE_NONE)
        return broken(step, "a goroutine cannot come into a system call here");
    uint32_t slot = fl_gotrace_add_goroutine(step, id, FL_GOTRACE_SYSCALL);
    if (slot == FL_GOTRACE_NONE)
        return GO_BROKEN;
    tell_go(step, slot, FL_GOTRACE_NOWHERE, FL_GOTRACE_SYSCALL);
    step->machine->g = slot;
    return GO_DONE;
}

/* And leaves. The processor is as good as stolen: the system may give the thread's id again. */
static go_verdict on_go_destroy_syscall(struct step *step)
{
    if (!has(step, NEEDS_G) || running(step)->state != FL_GOTRACE_SYSCALL)
        return broken(step, "there is no goroutine in a system call to end");
    uint32_t slot = step->machine->g;
    if (step->machine->p != FL_GOTRACE_NONE) {
        go_proc *proc = proc_of(step, step->machine->p);
        if (proc == NULL || proc->state != FL_GOTRACE_SYSCALL)
            return broken(step, "a processor is not in the system call that ends");
        proc->state = PROC_ABANDONED;
        tell_proc(step, step->machine->p, FL_GOTRACE_RUNNING, FL_GOTRACE_IDLE);
    }
    tell_go(step, slot, FL_GOTRACE_SYSCALL, FL_GOTRACE_NOWHERE);
    fl_gotrace_end_goroutine(step->trace, slot);
    step->machine->g = step->machine->p = FL_GOTRACE_NONE;
    return GO_DONE;
}

/* ---- what a trace mostly consists of ---- */

/* Its numbers are the first of the thread's event. */
static go_verdict on_usual(struct step *step)
{
    const go_machine *machine = step->machine;
    go_usual event = {.trace = step->trace,
                      .machine = step->machine,
                      .time_ns = machine->time_ns,
                      .args = {machine->args[0], machine->args[1], machine->args[2]}};
    go_verdict verdict = GO_BROKEN;
    switch (step->kind) {
    case EV_GO_START:
        verdict = usual_start(&event);
        break;
    case EV_GO_UNBLOCK:
        verdict = usual_unblock(&event);
        break;
    case EV_SYSCALL_BEGIN:
        verdict = usual_syscall_begin(&event);
        break;
    case EV_SYSCALL_END:
        verdict = usual_syscall_end(&event);
        break;
    default:
        verdict = usual_stop(&event, step->kind);
    }
    return verdict == GO_BROKEN ? broken(step, event.why) : verdict;
}

static go_verdict (*const handlers[])(struct step *step) = {
    [EV_PROCS_CHANGE] = fl_gotrace_on_note,
    [EV_PROC_START] = on_proc_start,
    [EV_PROC_STOP] = on_proc_stop,
    [EV_PROC_STEAL] = on_proc_steal,
    [EV_PROC_STATUS] = on_proc_status,
    [EV_GO_CREATE] = on_go_create,
    [EV_GO_CREATE_SYSCALL] = on_go_create_syscall,
    [EV_GO_START] = on_usual,
    [EV_GO_DESTROY] = on_usual,
    [EV_GO_DESTROY_SYSCALL] = on_go_destroy_syscall,
    [EV_GO_STOP] = on_usual,
    [EV_GO_BLOCK] = on_usual,
    [EV_GO_UNBLOCK] = on_usual,
    [EV_SYSCALL_BEGIN] = on_usual,
    [EV_SYSCALL_END] = on_usual,
    [EV_SYSCALL_END_BLOCKED] = on_syscall_end_blocked,
    [EV_GO_STATUS] = on_go_status,
    [EV_STW_BEGIN] = fl_gotrace_on_go_span_begin,
    [EV_STW_END] = fl_gotrace_on_go_span_end,
    [EV_GC_ACTIVE] = fl_gotrace_on_gc,
    [EV_GC_BEGIN] = fl_gotrace_on_gc,
    [EV_GC_END] = fl_gotrace_on_gc,
    [EV_SWEEP_ACTIVE] = fl_gotrace_on_sweep_active,
    [EV_SWEEP_BEGIN] = fl_gotrace_on_sweep,
    [EV_SWEEP_END] = fl_gotrace_on_sweep,
    [EV_ASSIST_ACTIVE] = fl_gotrace_on_assist_active,
    [EV_ASSIST_BEGIN] = fl_gotrace_on_go_span_begin,
    [EV_ASSIST_END] = fl_gotrace_on_go_span_end,
    [EV_HEAP_LIVE] = fl_gotrace_on_heap,
    [EV_HEAP_GOAL] = fl_gotrace_on_heap,
    [EV_GO_LABEL] = fl_gotrace_on_note,
    [EV_TASK_BEGIN] = fl_gotrace_on_user,
    [EV_TASK_END] = fl_gotrace_on_user,
    [EV_REGION_BEGIN] = fl_gotrace_on_user,
    [EV_REGION_END] = fl_gotrace_on_user,
    [EV_LOG] = fl_gotrace_on_note,
    [EV_GO_SWITCH] = on_go_switch,
    [EV_GO_SWITCH_DESTROY] = on_go_switch,
    [EV_GO_CREATE_BLOCKED] = on_go_create,
    [EV_GO_STATUS_STACK] = on_go_status,
};

go_verdict fl_gotrace_advance(fl_gotrace *trace, uint32_t machine, fl_error *err)
{
    assert(machine < trace->machine_count);
    struct step step = {.trace = trace,
                        .at = machine,
                        .machine = &trace->machines[machine],
                        .kind = trace->machines[machine].kind,
                        .err = err};
    unsigned kind = step.kind;
    step.machine->seen = true;
    assert(fl_gotrace_args[kind] != 0); /* next_event() lets no other pass */
    go_verdict verdict = kind < sizeof(handlers) / sizeof(handlers[0])
                             ? handlers[kind](&step)
                             : fl_gotrace_on_experiment(&step);
    step.machine = &trace->machines[machine];
    if (step.machine->id == UINT64_MAX) /* "no thread" runs nothing */
        step.machine->g = step.machine->p = FL_GOTRACE_NONE;
    return verdict;
}
