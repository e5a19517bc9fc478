/*
 * gotrace_run.c - what the thread that is ahead goes on with: its next events, as long as they are
 * earlier than everybody else's.
 *
 * Threads work in turns of some dozens of events, so that asking after each one who is next is
 * mostly asking in vain. Here a thread's events are decoded and told in one loop, up to the first
 * that is not before the others' next one, that is rare, or that is not possible now. That one is
 * left as if nothing had looked at it: the merge takes it up, and says what may be wrong with it.
 *
 * Invariant: what is told here is what the merge would have told, event by event.
 */
#include "gotrace_usual.h"

int64_t fl_gotrace_turn_ns(const fl_gotrace *trace)
{
    const go_next *heap = trace->heap;
    int64_t last = (INT64_C(1) << 62) - 1; /* damaged times are handled by the merge */
    if (trace->aside_ns < last)
        last = trace->aside_ns;
    for (size_t i = 1; i < 3 && i < trace->heap_count; i++) {
        /* of two with one time the one with the lower number is first */
        int64_t before = heap[i].time_ns - (heap[i].machine < heap[0].machine);
        last = before < last ? before : last;
    }
    return last;
}

/* The numbers of an event that is usual, behind its time; GO_WAITS for all that is to be left. */
static inline go_verdict tell_usual(go_usual *event, unsigned kind, const unsigned char **at)
{
    uint64_t *args = event->args;
    switch (kind) {
    case EV_GO_START:
        return gotrace_short(&args[0], at) && gotrace_short(&args[1], at) ? usual_start(event)
                                                                          : GO_WAITS;
    case EV_GO_BLOCK:
    case EV_GO_STOP:
        return gotrace_short(&args[0], at) && gotrace_short(&args[1], at) ? usual_stop(event, kind)
                                                                          : GO_WAITS;
    case EV_GO_DESTROY:
        return usual_stop(event, kind);
    case EV_GO_UNBLOCK:
        return gotrace_short(&args[0], at) && gotrace_short(&args[1], at) &&
                       gotrace_short(&args[2], at)
                   ? usual_unblock(event)
                   : GO_WAITS;
    case EV_SYSCALL_BEGIN:
        return gotrace_short(&args[0], at) && gotrace_short(&args[1], at)
                   ? usual_syscall_begin(event)
                   : GO_WAITS;
    case EV_SYSCALL_END:
        return usual_syscall_end(event);
    default:
        return GO_WAITS;
    }
}

void fl_gotrace_run(fl_gotrace *trace, go_machine *machine)
{
    assert(trace->heap_count > 0 && machine == &trace->machines[trace->heap[0].machine]);
    assert(machine->pos <= machine->end && machine->end <= trace->len && machine->seen);
    const unsigned char *at = trace->data + machine->pos;
    size_t left = machine->end - machine->pos;
    /* where all bytes of the longest event are at hand, counted so that it needs no sign */
    const unsigned char *end = left > GOTRACE_AT_HAND ? at + (left - GOTRACE_AT_HAND) : at;
    int64_t last_ns = fl_gotrace_turn_ns(trace), time_ns = machine->time_ns;
    while (at < end && trace->block_count < GOTRACE_BLOCK) {
        const unsigned char *next = at + 1;
        uint64_t elapsed;
        if (!gotrace_short(&elapsed, &next))
            break;
        /* a number of four bytes of nanoseconds, or of a clock as slow as once a second, fits */
        int64_t ns = trace->whole_unit_ns != 0 ? (int64_t)(elapsed * trace->whole_unit_ns)
                                               : gotrace_ns(trace, elapsed);
        go_usual event = {.trace = trace, .machine = machine, .time_ns = time_ns + ns};
        if (ns > last_ns - time_ns || tell_usual(&event, *at, &next) != GO_DONE)
            break;
        time_ns = event.time_ns;
        at = next;
    }
    machine->time_ns = time_ns;
    machine->pos = (size_t)(at - trace->data);
}
