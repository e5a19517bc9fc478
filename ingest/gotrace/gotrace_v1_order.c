/*
 * gotrace_v1_order.c - events of formats to 1.21: what each is possible for, and the events of
 * later formats that it is told as.
 *
 * A batch's events are of its processor, and of the goroutine that was started there last. So what
 * happens to a running goroutine is in order by itself, and what can have to wait is what makes one
 * runnable, or starts it, on another processor: such events have the number of the goroutine's
 * change (but "local" ones, which come behind the other on their own processor).
 *
 *   nowhere ── create ──> runnable ── start ──> running ── sched, preempt ──> runnable
 *                          ^  │ ^                │  │ └─── block, sleep, stop ──> waiting
 *                          │  │ │                │  └── end ──> nowhere
 *                          │  │ └─ exit ─ syscall <── syscall block
 *                          │  └── waiting, in syscall (before the trace) ──> waiting, syscall
 *                          └── unblock ── waiting
 *
 * What is told differently from what is recorded:
 *
 *   goroutines that were there before: as created, then as waiting or in a call; the others are
 *     runnable at the first "procs", which ends these. Of their stacks the outermost frame is known
 *   a call: its begin, and that it blocked where it did. Else it is told to end when it began
 *   its exit: recorded once the goroutine goes on. It is told by the time at which it really was
 *     ("exits"), unless that comes too early or too late: then when it is recorded
 *   idle processors: not recorded. Those that "procs" says there are, and that were not told of,
 * are
 *
 * The rules are those of Go's internal/trace/internal/tracev1/order.go and parser.go.
 */
#include "gotrace_v1_usual.h"

/* The event at hand as those have it that are told inline. */
static go_usual usual_of(const struct step *step)
{
    const uint64_t *args = step->machine->args;
    return (go_usual){.trace = step->trace,
                      .machine = step->machine,
                      .time_ns = step->machine->time_ns,
                      .args = {args[0], args[1], args[2]}};
}

static fl_gotrace_event *tell_next(const struct step *step, uint32_t slot, fl_gotrace_state from,
                                   fl_gotrace_state to)
{
    go_usual event = usual_of(step);
    return v1_tell_next(&event, slot, from, to);
}

static go_goroutine *find(const struct step *step, uint64_t id, uint32_t *slot)
{
    return gotrace_v1_find(step->trace, id, slot);
}

/* ---- goroutines ---- */

static go_verdict on_create(struct step *step)
{
    const uint64_t *args = step->machine->args;
    uint32_t slot;
    if (find(step, args[0], &slot) != NULL)
        return broken(step, "a goroutine is created that is there already");
    slot = fl_gotrace_add_goroutine(step, args[0], FL_GOTRACE_RUNNABLE);
    if (slot == FL_GOTRACE_NONE)
        return GO_BROKEN;
    go_goroutine *goroutine = &step->trace->goroutines[slot];
    goroutine->seq.seq = 1;
    if (step->trace->v1.begins) {
        goroutine->notes = UNTOLD;
        goroutine->stw = stack_of(step, args[1]);
        return GO_DONE;
    }
    fl_gotrace_event *event = tell_go(step, slot, FL_GOTRACE_NOWHERE, FL_GOTRACE_RUNNABLE);
    event->extra = stack_of(step, args[1]);
    event->stack = stack_of(step, args[2]);
    return GO_DONE;
}

/* A start's label is what a worker of the collector does. */
static go_verdict on_usual(struct step *step)
{
    unsigned kind = step->machine->kind;
    go_usual event = usual_of(step);
    go_verdict verdict = GO_BROKEN;
    switch (kind) {
    case V1_GO_START:
    case V1_GO_START_LOCAL:
    case V1_GO_START_LABEL:
        verdict = v1_usual_start(&event, kind == V1_GO_START_LOCAL);
        break;
    case V1_GO_UNBLOCK:
    case V1_GO_UNBLOCK_LOCAL:
        verdict = v1_usual_unblock(&event, kind == V1_GO_UNBLOCK_LOCAL);
        break;
    case V1_SYSCALL:
        verdict = v1_usual_syscall(&event);
        break;
    default:
        verdict = v1_usual_stop(&event, kind);
    }
    if (verdict == GO_DONE && kind == V1_GO_START_LABEL)
        tell(step, FL_GOTRACE_LABEL)->text = text_of(step, event.args[2]);
    return verdict == GO_BROKEN ? broken(step, event.why) : verdict;
}

/* It was there before the trace, and waits or is in a call. */
static go_verdict on_status(struct step *step)
{
    bool waits = step->machine->kind == V1_GO_WAITING;
    uint32_t slot;
    go_goroutine *goroutine = find(step, step->machine->args[0], &slot);
    if (goroutine == NULL || goroutine->state != FL_GOTRACE_RUNNABLE || goroutine->seq.seq != 1)
        return GO_WAITS;
    goroutine->seq.seq = 2;
    fl_gotrace_event *event =
        tell_next(step, slot, FL_GOTRACE_RUNNABLE, waits ? FL_GOTRACE_WAITING : FL_GOTRACE_SYSCALL);
    event->g = event->p = event->m = FL_GOTRACE_NONE;
    return GO_DONE;
}

/* ---- system calls ---- */

/* The processor goes on without it. */
static go_verdict on_syscall_block(struct step *step)
{
    go_machine *machine = step->machine;
    if (machine->g == FL_GOTRACE_NONE)
        return broken(step, "there is no running goroutine whose call blocks");
    if (!machine->in_call)
        (void)tell_go(step, machine->g, FL_GOTRACE_RUNNING, FL_GOTRACE_SYSCALL);
    running(step)->state = FL_GOTRACE_SYSCALL;
    machine->in_call = false;
    machine->g = FL_GOTRACE_NONE;
    return GO_DONE;
}

/* Of the goroutine itself, on no processor. */
static void tell_exit(fl_gotrace *trace, uint32_t slot, int64_t time_ns)
{
    fl_gotrace_event *event = fl_gotrace_emit(trace, NULL, FL_GOTRACE_GO, time_ns);
    event->g = event->target = slot;
    event->from = FL_GOTRACE_SYSCALL;
    event->to = FL_GOTRACE_RUNNABLE;
}

static go_verdict on_syscall_exit(struct step *step)
{
    const go_machine *machine = step->machine;
    uint32_t slot;
    go_goroutine *goroutine = find(step, machine->args[0], &slot);
    if (goroutine == NULL || goroutine->state != FL_GOTRACE_SYSCALL ||
        (machine->kind == V1_SYSCALL_EXIT && machine->args[1] != goroutine->seq.seq))
        return GO_WAITS;
    if ((goroutine->notes & LEFT) == 0)
        tell_exit(step->trace, slot, machine->time_ns);
    goroutine->notes &= (uint8_t)~LEFT;
    goroutine->state = FL_GOTRACE_RUNNABLE;
    goroutine->seq.seq++;
    return GO_DONE;
}

void fl_gotrace_v1_exit(fl_gotrace *trace)
{
    assert(trace->v1.next_exit < trace->v1.exit_count);
    const go_exit *exit = &trace->v1.exits[trace->v1.next_exit++];
    uint32_t slot = fl_gotrace_ids_find(&trace->goroutine_ids, exit->g);
    if (slot == FL_GOTRACE_NONE)
        return;
    go_goroutine *goroutine = &trace->goroutines[slot];
    if (goroutine->state != FL_GOTRACE_SYSCALL || (goroutine->notes & LEFT) != 0)
        return;
    goroutine->notes |= LEFT;
    tell_exit(trace, slot, exit->time_ns);
}

/* ---- processors ---- */

/* What there is at the first "procs" was there before. Its events are as many as goroutines and
 * processors are: the block is told when it is full. */
static fl_status tell_rest(struct step *step, uint64_t procs)
{
    fl_gotrace *trace = step->trace;
    fl_status status = FL_OK;
    bool first = trace->v1.begins;
    fl_gotrace_state before = first ? FL_GOTRACE_UNKNOWN : FL_GOTRACE_NOWHERE;
    for (size_t i = trace->v1.known_procs; i < procs && status == FL_OK; i++) {
        if (trace->procs[i].state != PROC_ABSENT)
            continue;
        trace->procs[i].state = FL_GOTRACE_IDLE;
        tell_proc(step, (uint32_t)i, before, FL_GOTRACE_IDLE);
        if (trace->block_count >= GOTRACE_BLOCK)
            status = fl_gotrace_flush(trace, step->err);
    }
    if (procs > trace->v1.known_procs)
        trace->v1.known_procs = (size_t)procs;
    for (uint32_t slot = 0; first && slot < trace->slot_count && status == FL_OK; slot++) {
        if (trace->goroutines[slot].state == FL_GOTRACE_NOWHERE ||
            (trace->goroutines[slot].notes & UNTOLD) == 0)
            continue;
        fl_gotrace_event *event = tell_next(step, slot, FL_GOTRACE_RUNNABLE, FL_GOTRACE_RUNNABLE);
        event->g = event->p = event->m = FL_GOTRACE_NONE;
        if (trace->block_count >= GOTRACE_BLOCK)
            status = fl_gotrace_flush(trace, step->err);
    }
    trace->v1.begins = false;
    return status;
}

static go_verdict on_procs(struct step *step)
{
    const uint64_t *args = step->machine->args;
    if (args[0] > step->trace->proc_count && args[0] > 0 &&
        fl_gotrace_make_procs(step->trace, args[0] - 1, step->err) != FL_OK)
        return GO_BROKEN;
    fl_gotrace_event *event = tell(step, FL_GOTRACE_PROCS);
    event->value = args[0];
    event->stack = stack_of(step, args[1]);
    return tell_rest(step, args[0]) == FL_OK ? GO_DONE : GO_BROKEN;
}

/* *out is what events call the thread. */
static fl_status find_thread(uint32_t *out, const struct step *step, uint64_t id)
{
    uint64_t *slot;
    bool added;
    fl_map *threads = step->trace->v1.threads;
    size_t count = fl_map_count(threads);
    fl_status status = fl_map_slot(&slot, threads, id, &added, step->err);
    if (status != FL_OK)
        return status;
    if (added)
        *slot = count;
    *out = (uint32_t)*slot;
    return FL_OK;
}

static go_verdict on_proc_start(struct step *step)
{
    go_machine *machine = step->machine;
    go_proc *proc = machine->p < step->trace->proc_count ? &step->trace->procs[machine->p] : NULL;
    if (proc == NULL || proc->state == FL_GOTRACE_RUNNING)
        return broken(step, "a processor starts that is running, or is none");
    if (find_thread(&machine->m, step, machine->args[0]) != FL_OK)
        return GO_BROKEN;
    fl_gotrace_state from =
        proc->state == PROC_ABSENT ? FL_GOTRACE_UNKNOWN : (fl_gotrace_state)proc->state;
    proc->state = FL_GOTRACE_RUNNING;
    tell_proc(step, machine->p, from, FL_GOTRACE_RUNNING);
    return GO_DONE;
}

static go_verdict on_proc_stop(struct step *step)
{
    go_machine *machine = step->machine;
    go_proc *proc = machine->p < step->trace->proc_count ? &step->trace->procs[machine->p] : NULL;
    if (proc == NULL || proc->state != FL_GOTRACE_RUNNING || machine->g != FL_GOTRACE_NONE)
        return broken(step, "a processor stops that is not running, or runs a goroutine");
    proc->state = FL_GOTRACE_IDLE;
    tell_proc(step, machine->p, FL_GOTRACE_RUNNING, FL_GOTRACE_IDLE);
    machine->m = FL_GOTRACE_NONE;
    return GO_DONE;
}

/* ---- collections ---- */

/* Numbered, since they begin on any processor. */
static go_verdict on_gc(struct step *step)
{
    fl_gotrace *trace = step->trace;
    bool begins = step->machine->kind == V1_GC_START;
    if ((trace->gc_state != 0) == begins || (begins && step->machine->args[0] != trace->gc_seq))
        return GO_WAITS;
    trace->gc_state = begins;
    trace->gc_seq += begins;
    fl_gotrace_event *event = tell(step, begins ? FL_GOTRACE_BEGIN : FL_GOTRACE_END);
    event->span = FL_GOTRACE_MARK;
    if (begins)
        event->stack = stack_of(step, step->machine->args[1]);
    return GO_DONE;
}

/* One after the other; who ends it may be on another processor. */
static go_verdict on_stw(struct step *step)
{
    fl_gotrace *trace = step->trace;
    go_v1 *v1 = &trace->v1;
    bool begins = step->machine->kind == V1_STW_START;
    if (v1->stopped == begins)
        return GO_WAITS;
    if (begins) {
        uint64_t why = step->machine->args[0];
        why += trace->info.version < 21 && why < 2;
        v1->stopper = step->machine->g;
        v1->stopped_for = v1->stops[why < GO_V1_STOPS ? why : 0];
    }
    v1->stopped = begins;
    fl_gotrace_event *event = tell(step, begins ? FL_GOTRACE_BEGIN : FL_GOTRACE_END);
    event->span = FL_GOTRACE_STW;
    event->target = v1->stopper;
    event->text = v1->stopped_for;
    return GO_DONE;
}

/* An assist may have been under way when the trace began. */
static go_verdict on_assist(struct step *step)
{
    bool begins = step->machine->kind == V1_ASSIST_START;
    step->kind = begins ? EV_ASSIST_BEGIN : EV_ASSIST_END;
    if (begins)
        return fl_gotrace_on_go_span_begin(step);
    if (step->machine->g != FL_GOTRACE_NONE)
        running(step)->spans |= 1u << FL_GOTRACE_ASSIST;
    return fl_gotrace_on_go_span_end(step);
}

static go_verdict on_sweep(struct step *step)
{
    step->kind = step->machine->kind == V1_SWEEP_START ? EV_SWEEP_BEGIN : EV_SWEEP_END;
    return fl_gotrace_on_sweep(step);
}

/* It may be on no processor. */
static go_verdict on_heap(struct step *step)
{
    bool is_live = step->machine->kind == V1_HEAP_LIVE;
    tell(step, is_live ? FL_GOTRACE_HEAP_LIVE : FL_GOTRACE_HEAP_GOAL)->value =
        step->machine->args[0];
    return GO_DONE;
}

/* ---- what programs note ---- */

/* A region's event says by its second number whether it begins or ends. */
static go_verdict on_user(struct step *step)
{
    uint64_t *args = step->machine->args;
    if (step->machine->kind != V1_REGION) {
        step->kind = step->machine->kind == V1_TASK_CREATE ? EV_TASK_BEGIN : EV_TASK_END;
        return fl_gotrace_on_user(step);
    }
    if (args[1] > 1)
        return broken(step, "a region neither begins nor ends");
    step->kind = args[1] == 0 ? EV_REGION_BEGIN : EV_REGION_END;
    args[1] = args[2];
    args[2] = args[3];
    return fl_gotrace_on_user(step);
}

/* What it says stands in the trace itself, see find_log(). */
static go_verdict on_log(struct step *step)
{
    const uint64_t *args = step->machine->args;
    fl_sym text;
    fl_slice said = {.ptr = step->trace->data + args[3], .len = (size_t)args[4]};
    if (fl_gotrace_text_put(&text, step->trace, said, step->err) != FL_OK)
        return GO_BROKEN;
    fl_gotrace_event *event = tell(step, FL_GOTRACE_LOG);
    event->value = args[0];
    event->extra = text_of(step, args[1]);
    event->text = text;
    event->stack = stack_of(step, args[2]);
    return GO_DONE;
}

/* A goroutine was woken for nothing: it waits again, which is told by its next event. */
static go_verdict on_nothing(struct step *step)
{
    (void)step;
    return GO_DONE;
}

static go_verdict (*const handlers[GO_V1_KINDS])(struct step *step) = {
    [V1_PROCS] = on_procs,
    [V1_PROC_START] = on_proc_start,
    [V1_PROC_STOP] = on_proc_stop,
    [V1_GC_START] = on_gc,
    [V1_GC_DONE] = on_gc,
    [V1_STW_START] = on_stw,
    [V1_STW_DONE] = on_stw,
    [V1_SWEEP_START] = on_sweep,
    [V1_SWEEP_DONE] = on_sweep,
    [V1_GO_CREATE] = on_create,
    [V1_GO_START] = on_usual,
    [V1_GO_END] = on_usual,
    [V1_GO_STOP] = on_usual,
    [V1_GO_SCHED] = on_usual,
    [V1_GO_PREEMPT] = on_usual,
    [V1_GO_SLEEP] = on_usual,
    [V1_GO_BLOCK] = on_usual,
    [V1_GO_UNBLOCK] = on_usual,
    [V1_GO_BLOCK_SEND] = on_usual,
    [V1_GO_BLOCK_RECV] = on_usual,
    [V1_GO_BLOCK_SELECT] = on_usual,
    [V1_GO_BLOCK_SYNC] = on_usual,
    [V1_GO_BLOCK_COND] = on_usual,
    [V1_GO_BLOCK_NET] = on_usual,
    [V1_SYSCALL] = on_usual,
    [V1_SYSCALL_EXIT] = on_syscall_exit,
    [V1_SYSCALL_BLOCK] = on_syscall_block,
    [V1_GO_WAITING] = on_status,
    [V1_GO_IN_SYSCALL] = on_status,
    [V1_HEAP_LIVE] = on_heap,
    [V1_HEAP_GOAL] = on_heap,
    [V1_FUTILE_WAKEUP] = on_nothing,
    [V1_GO_START_LOCAL] = on_usual,
    [V1_GO_UNBLOCK_LOCAL] = on_usual,
    [V1_SYSCALL_EXIT_LOCAL] = on_syscall_exit,
    [V1_GO_START_LABEL] = on_usual,
    [V1_GO_BLOCK_GC] = on_usual,
    [V1_ASSIST_START] = on_assist,
    [V1_ASSIST_DONE] = on_assist,
    [V1_TASK_CREATE] = on_user,
    [V1_TASK_END] = on_user,
    [V1_REGION] = on_user,
    [V1_LOG] = on_log,
};

go_verdict fl_gotrace_v1_advance(fl_gotrace *trace, uint32_t machine, fl_error *err)
{
    assert(machine < trace->machine_count);
    struct step step = {
        .trace = trace, .at = machine, .machine = &trace->machines[machine], .err = err};
    assert(handlers[step.machine->kind] != NULL); /* fl_gotrace_v1_next() lets no other pass */
    go_verdict verdict = handlers[step.machine->kind](&step);
    /* what contradicts itself for want of what was cut away costs itself; handlers look first */
    if (verdict == GO_BROKEN && trace->v1.is_cut && !trace->refused && err->status == FL_E_SYNTAX) {
        *err = (fl_error){0};
        trace->info.guessed++;
        return GO_DONE;
    }
    return verdict;
}

/* ---- what is missing ---- */

/* By nobody knows whom. */
static void tell_unseen(const struct step *step, uint32_t slot, fl_gotrace_state from,
                        fl_gotrace_state to)
{
    fl_gotrace_event *event = tell_next(step, slot, from, to);
    event->g = event->p = event->m = FL_GOTRACE_NONE;
}

/* Whoever runs it was stopped by an event that is missing. To look at all processors counts as
 * tries that failed, so that a trace cannot ask for it too often. True: it was in a call, which
 * changes the state only once it is known to block, but is told before. */
static bool stop_runner(fl_gotrace *trace, uint32_t slot)
{
    size_t i = 0;
    while (i < trace->machine_count && trace->machines[i].g != slot)
        i++;
    trace->failed_tries += i;
    assert(i < trace->machine_count);
    bool in_call = trace->machines[i].in_call;
    trace->machines[i].g = FL_GOTRACE_NONE;
    trace->machines[i].in_call = false;
    return in_call;
}

/* What it was in is told as left, unless that was told before: of a call that it was. */
static void assume_state(const struct step *step, uint32_t slot, fl_gotrace_state wanted)
{
    go_goroutine *goroutine = &step->trace->goroutines[slot];
    fl_gotrace_state from = (fl_gotrace_state)goroutine->state;
    if (from == wanted)
        return;
    if (from == FL_GOTRACE_RUNNING && stop_runner(step->trace, slot))
        from = FL_GOTRACE_SYSCALL;
    if ((goroutine->notes & LEFT) != 0)
        from = FL_GOTRACE_RUNNABLE;
    goroutine->notes &= (uint8_t)~LEFT;
    goroutine->state = (uint8_t)wanted;
    if (from != wanted)
        tell_unseen(step, slot, from, wanted);
}

/* The goroutine of the event in the state that it needs, and so often changed. One that is not
 * known was created by an event that is missing: it is told as of before the trace. False: there is
 * no room. */
static bool assume_goroutine(const struct step *step, fl_gotrace_state wanted, bool has_seq)
{
    const uint64_t *args = step->machine->args;
    uint32_t slot;
    go_goroutine *goroutine = find(step, args[0], &slot);
    if (goroutine == NULL) {
        slot = fl_gotrace_add_goroutine(step, args[0], wanted);
        if (slot == FL_GOTRACE_NONE)
            return false;
        goroutine = &step->trace->goroutines[slot];
        goroutine->notes = UNTOLD;
        goroutine->stw = 0;
        goroutine->seq.seq = 1;
        if (wanted == FL_GOTRACE_SYSCALL) /* an exit is told of what was told before */
            tell_unseen(step, slot, wanted, wanted);
    }
    assume_state(step, slot, wanted);
    if (has_seq)
        goroutine->seq.seq = args[1];
    return true;
}

/* Collections and stops of the world are one after the other: an end is told before a begin that
 * comes too early. */
static void assume_rest(const struct step *step)
{
    fl_gotrace *trace = step->trace;
    if (step->machine->kind == V1_GC_START) {
        if (trace->gc_state != 0)
            tell(step, FL_GOTRACE_END)->span = FL_GOTRACE_MARK;
        trace->gc_state = 0;
        trace->gc_seq = step->machine->args[0];
    } else if (step->machine->kind == V1_STW_START) {
        fl_gotrace_event *event = tell(step, FL_GOTRACE_END);
        event->span = FL_GOTRACE_STW;
        event->target = trace->v1.stopper;
        event->text = trace->v1.stopped_for;
        trace->v1.stopped = false;
    }
}

go_verdict fl_gotrace_v1_force(fl_gotrace *trace, uint32_t machine, fl_error *err)
{
    assert(trace->v1.is_cut && machine < trace->machine_count);
    struct step step = {
        .trace = trace, .at = machine, .machine = &trace->machines[machine], .err = err};
    unsigned kind = step.machine->kind;
    bool good = true;
    trace->info.guessed++;
    trace->v1.begins = false; /* what tells of the time before the trace is missing, or was told */
    if (kind == V1_GO_START || kind == V1_GO_START_LABEL || kind == V1_GO_START_LOCAL)
        good = assume_goroutine(&step, FL_GOTRACE_RUNNABLE, kind != V1_GO_START_LOCAL);
    else if (kind == V1_GO_UNBLOCK || kind == V1_GO_UNBLOCK_LOCAL)
        good = assume_goroutine(&step, FL_GOTRACE_WAITING, kind == V1_GO_UNBLOCK);
    else if (kind == V1_SYSCALL_EXIT || kind == V1_SYSCALL_EXIT_LOCAL)
        good = assume_goroutine(&step, FL_GOTRACE_SYSCALL, kind == V1_SYSCALL_EXIT);
    else
        assume_rest(&step);
    if (!good)
        return GO_BROKEN;
    /* what still has to wait, such as the end of a stop that did not begin, is passed over */
    return fl_gotrace_v1_advance(trace, machine, err) == GO_BROKEN ? GO_BROKEN : GO_DONE;
}
