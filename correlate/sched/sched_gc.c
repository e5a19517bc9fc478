/*
 * sched_gc.c - collections: from the begin of marking to its end, with the stops of the world and
 * the assists meanwhile, what workers did, and the heap before and after.
 *
 * The stop that begins a cycle ends just after its marking began and counts for it; the one that
 * ends it begins before its marking ends.
 */
#include "faultline/limits.h"
#include "sched_priv.h"

/* The cycle under way, or the last one; NULL: none. */
static sched_cycle *cycle_of(fl_sched *sched)
{
    return sched->cycle_count > 0 ? &sched->cycles[sched->cycle_count - 1] : NULL;
}

/* Beyond the budget cycles are not kept, and their assists count for the last that is. */
static void begin_cycle(fl_sched *sched, const fl_gotrace_event *event)
{
    sched->marking = true;
    if (sched->cycle_count == FL_MAX_SCHED_CYCLES) {
        sched->dropped++;
        return;
    }
    if (!fl_sched_reserve(sched, (void **)&sched->cycles, &sched->cycle_cap, sched->cycle_count + 1,
                          sizeof(*sched->cycles)))
        return;
    sched_stack *stack = fl_sched_stack_of(sched, event->stack);
    if (stack == NULL)
        return;
    sched->cycles[sched->cycle_count++] =
        (sched_cycle){.shown = {.begin_ns = event->time_ns,
                                .heap_before_bytes = sched->heap_bytes,
                                .goal_bytes = sched->goal_bytes},
                      .trigger = stack->place};
}

/* A cycle that began before the trace is told "active": it begins with the trace. */
static void on_mark(fl_sched *sched, const fl_gotrace_event *event)
{
    if (event->kind != FL_GOTRACE_END) {
        if (!sched->marking)
            begin_cycle(sched, event);
        return;
    }
    sched_cycle *cycle = cycle_of(sched);
    sched->marking = false;
    if (cycle == NULL || cycle->shown.end_ns != 0)
        return;
    cycle->shown.end_ns = event->time_ns;
    cycle->shown.heap_after_bytes = sched->heap_bytes;
    sched->after_unknown = true;
}

/* Stops of the collector are alike wherever they come from; others are told by who stops. */
static void on_stw(fl_sched *sched, sched_goroutine *goroutine, const fl_gotrace_event *event)
{
    if (event->kind != FL_GOTRACE_END) {
        sched_stack *stack = fl_sched_stack_of(sched, event->stack);
        goroutine->stw_ns = event->time_ns;
        sched->before_stop = sched->samples; /* one stop at a time */
        goroutine->assist_place = stack != NULL ? stack->place : 0;
        return;
    }
    if (goroutine->stw_ns == 0)
        return;
    int64_t ns = event->time_ns - goroutine->stw_ns;
    fl_slice name = fl_gotrace_text(sched->view, event->text);
    bool is_gc = fl_slice_starts_with(name, FL_SLICE("GC"));
    sched_cost *cost = fl_sched_cost_of(sched, &sched->stops, event->text,
                                        is_gc ? 0 : goroutine->assist_place, true);
    goroutine->stw_ns = 0;
    if (cost == NULL)
        return;
    fl_sched_cost_add(cost, ns);
    /* the first stands for what ran before the stop as well */
    uint64_t samples = sched->samples - sched->before_stop;
    cost->samples += samples > 1 ? samples - 1 : 0;
    fl_sched_course_stop(sched, event->time_ns - ns, event->time_ns);
    sched_cycle *cycle = cycle_of(sched);
    if (is_gc && cycle != NULL)
        sched_sum(&cycle->shown.stw_ns, ns);
}

/* How long a goroutine has run so far. */
static int64_t ran_of(const sched_goroutine *goroutine, int64_t now_ns)
{
    return goroutine->ran_ns +
           (goroutine->state == FL_GOTRACE_RUNNING ? now_ns - goroutine->since_ns : 0);
}

/* What it takes is the whole time until it may go on; what it costs, the time in which it ran. */
static void on_assist(fl_sched *sched, sched_goroutine *goroutine, const fl_gotrace_event *event)
{
    if (event->kind != FL_GOTRACE_END) {
        sched_stack *stack = fl_sched_stack_of(sched, event->stack);
        goroutine->assist_ns = event->time_ns;
        goroutine->ran_before_ns = ran_of(goroutine, event->time_ns);
        goroutine->assist_place = stack != NULL ? stack->place : 0;
        return;
    }
    if (goroutine->assist_ns == 0)
        return;
    int64_t ns = event->time_ns - goroutine->assist_ns;
    sched_cost *cost =
        fl_sched_cost_of(sched, &sched->assists, FL_GOTRACE_NONE, goroutine->assist_place, true);
    goroutine->assist_ns = 0;
    if (cost == NULL)
        return;
    fl_sched_cost_add(cost, ns);
    int64_t ran = ran_of(goroutine, event->time_ns) - goroutine->ran_before_ns;
    sched_sum(&cost->running_ns, ran);
    fl_sched_course_assist(sched, event->time_ns - ns, event->time_ns, ran);
    sched_cycle *cycle = cycle_of(sched);
    if (cycle != NULL) {
        sched_sum(&cycle->shown.assist_ns, ran);
        cycle->shown.assists++;
    }
}

/* A processor sweeps between two events of its own. */
static void on_sweep(fl_sched *sched, const fl_gotrace_event *event)
{
    sched_goroutine *goroutine =
        event->g != FL_GOTRACE_NONE ? fl_sched_goroutine_of(sched, event->g) : NULL;
    if (goroutine == NULL)
        return;
    if (event->kind == FL_GOTRACE_END) {
        if (goroutine->sweep_ns != 0)
            sched_sum(&sched->sweep_ns, event->time_ns - goroutine->sweep_ns);
        goroutine->sweep_ns = 0;
    } else
        goroutine->sweep_ns = event->time_ns;
}

void fl_sched_on_span(fl_sched *sched, const fl_gotrace_event *event)
{
    assert(event->span < FL_GOTRACE_SPAN_COUNT);
    if (event->span == FL_GOTRACE_MARK) {
        on_mark(sched, event);
        return;
    }
    if (event->span == FL_GOTRACE_SWEEP) {
        on_sweep(sched, event);
        return;
    }
    sched_goroutine *goroutine =
        event->target != FL_GOTRACE_NONE ? fl_sched_goroutine_of(sched, event->target) : NULL;
    if (goroutine == NULL)
        return;
    if (event->span == FL_GOTRACE_STW)
        on_stw(sched, goroutine, event);
    else
        on_assist(sched, goroutine, event);
}

/* The size after a collection is the first that is told behind its end. */
void fl_sched_on_heap(fl_sched *sched, const fl_gotrace_event *event)
{
    if (event->kind == FL_GOTRACE_HEAP_GOAL) {
        sched->goal_bytes = event->value;
        return;
    }
    sched->heap_bytes = event->value;
    fl_sched_course_heap(sched, event->time_ns, event->value);
    sched_cycle *cycle = cycle_of(sched);
    if (sched->after_unknown && cycle != NULL)
        cycle->shown.heap_after_bytes = event->value;
    sched->after_unknown = false;
}

/* Idle workers use processors that nobody wanted: they cost nothing. */
void fl_sched_on_worker(fl_sched *sched, const sched_goroutine *goroutine, int64_t ns)
{
    sched_cycle *cycle = cycle_of(sched);
    if (cycle == NULL)
        return;
    if (goroutine->worker == WORKER_IDLE)
        sched_sum(&cycle->shown.idle_worker_ns, ns);
    else
        sched_sum(&cycle->shown.worker_ns, ns);
}
