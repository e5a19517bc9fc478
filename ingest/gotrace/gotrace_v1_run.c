/*
 * gotrace_v1_run.c - gotrace_run.c for formats to 1.21: what the processor that is ahead goes on
 * with, as long as that is usual, possible, and earlier than what others have.
 *
 * A record's first byte is its kind and its form: one whose form is not that of its kind is left to
 * the merge, as are numbers of more than four bytes.
 */
#include "gotrace_v1_usual.h"

enum { NONE = 0, ONE = 1 << 6, TWO = 2 << 6, LIST = 3 << 6, IS_USUAL = 1 << 7 };

/* Numbers behind the time of records that are usual, by their first byte. */
static const unsigned char numbers_of[256] = {
    [V1_GO_START | TWO] = IS_USUAL | 2,
    [V1_GO_START_LOCAL | ONE] = IS_USUAL | 1,
    [V1_GO_END | NONE] = IS_USUAL,
    [V1_GO_STOP | ONE] = IS_USUAL | 1,
    [V1_GO_SCHED | ONE] = IS_USUAL | 1,
    [V1_GO_PREEMPT | ONE] = IS_USUAL | 1,
    [V1_GO_SLEEP | ONE] = IS_USUAL | 1,
    [V1_GO_BLOCK | ONE] = IS_USUAL | 1,
    [V1_GO_BLOCK_SEND | ONE] = IS_USUAL | 1,
    [V1_GO_BLOCK_RECV | ONE] = IS_USUAL | 1,
    [V1_GO_BLOCK_SELECT | ONE] = IS_USUAL | 1,
    [V1_GO_BLOCK_SYNC | ONE] = IS_USUAL | 1,
    [V1_GO_BLOCK_COND | ONE] = IS_USUAL | 1,
    [V1_GO_BLOCK_NET | ONE] = IS_USUAL | 1,
    [V1_GO_BLOCK_GC | ONE] = IS_USUAL | 1,
    [V1_GO_UNBLOCK | LIST] = IS_USUAL | 3,
    [V1_GO_UNBLOCK_LOCAL | TWO] = IS_USUAL | 2,
    [V1_SYSCALL | ONE] = IS_USUAL | 1,
};

/* The record at *at, which is usual, with as many bytes behind it as the longest has. */
static inline bool decode(go_usual *event, uint64_t *elapsed, const unsigned char **at)
{
    unsigned head = **at, numbers = numbers_of[head] & 3u;
    const unsigned char *next = *at + 1, *end = NULL;
    if (head >= LIST) {
        if (*next >= 0x80)
            return false;
        end = next + 1 + *next;
        next++;
    }
    bool good = gotrace_short(elapsed, &next);
    if (numbers > 0)
        good = good && gotrace_short(&event->args[0], &next);
    if (numbers > 1)
        good = good && gotrace_short(&event->args[1], &next);
    if (numbers > 2)
        good = good && gotrace_short(&event->args[2], &next);
    *at = next;
    return good && (end == NULL || end == next);
}

static inline go_verdict tell_usual(go_usual *event, unsigned kind)
{
    switch (kind) {
    case V1_GO_START:
    case V1_GO_START_LOCAL:
        return v1_usual_start(event, kind == V1_GO_START_LOCAL);
    case V1_GO_UNBLOCK:
    case V1_GO_UNBLOCK_LOCAL:
        return v1_usual_unblock(event, kind == V1_GO_UNBLOCK_LOCAL);
    case V1_SYSCALL:
        return v1_usual_syscall(event);
    default:
        return v1_usual_stop(event, kind);
    }
}

void fl_gotrace_v1_run(fl_gotrace *trace, go_machine *machine)
{
    assert(trace->heap_count > 0 && machine == &trace->machines[trace->heap[0].machine]);
    assert(machine->pos <= machine->end && machine->end <= trace->len);
    const unsigned char *at = trace->data + machine->pos;
    size_t left = machine->end - machine->pos;
    const unsigned char *end = left > GOTRACE_AT_HAND ? at + (left - GOTRACE_AT_HAND) : at;
    int64_t last_ns = fl_gotrace_turn_ns(trace), time_ns = machine->time_ns;
    uint64_t time = machine->time;
    while (at < end && numbers_of[*at] != 0 && trace->block_count + 1 < GOTRACE_BLOCK) {
        const unsigned char *next = at;
        uint64_t elapsed;
        go_usual event = {.trace = trace, .machine = machine};
        if (!decode(&event, &elapsed, &next) || elapsed > UINT64_MAX - time)
            break;
        event.time_ns = gotrace_v1_ns(trace, time + elapsed);
        if (event.time_ns > last_ns)
            break;
        if (machine->in_call) /* nothing that is usual says that the call blocks */
            gotrace_v1_end_call(trace, machine);
        if (tell_usual(&event, *at & (GO_V1_KINDS - 1)) != GO_DONE)
            break;
        time += elapsed;
        time_ns = event.time_ns;
        at = next;
    }
    machine->time = time;
    machine->time_ns = time_ns;
    machine->pos = (size_t)(at - trace->data);
}
