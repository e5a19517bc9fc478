/*
 * gotrace_v1.h - kinds of records of formats to 1.21 (Go's internal/trace/internal/tracev1).
 */
#ifndef FL_GOTRACE_V1_H
#define FL_GOTRACE_V1_H

#include "gotrace_priv.h"

enum {
    V1_BATCH = 1,
    V1_FREQUENCY = 2,
    V1_STACK = 3,
    V1_PROCS = 4,
    V1_PROC_START,
    V1_PROC_STOP,
    V1_GC_START,
    V1_GC_DONE,
    V1_STW_START = 9,
    V1_STW_DONE,
    V1_SWEEP_START,
    V1_SWEEP_DONE,
    V1_GO_CREATE = 13,
    V1_GO_START,
    V1_GO_END,
    V1_GO_STOP,
    V1_GO_SCHED,
    V1_GO_PREEMPT,
    V1_GO_SLEEP,
    V1_GO_BLOCK = 20,
    V1_GO_UNBLOCK,
    V1_GO_BLOCK_SEND,
    V1_GO_BLOCK_RECV,
    V1_GO_BLOCK_SELECT,
    V1_GO_BLOCK_SYNC,
    V1_GO_BLOCK_COND,
    V1_GO_BLOCK_NET,
    V1_SYSCALL = 28,
    V1_SYSCALL_EXIT,
    V1_SYSCALL_BLOCK,
    V1_GO_WAITING,
    V1_GO_IN_SYSCALL,
    V1_HEAP_LIVE = 33,
    V1_HEAP_GOAL,
    V1_TIMER_GOROUTINE,
    V1_FUTILE_WAKEUP,
    V1_STRING = 37,
    V1_GO_START_LOCAL,
    V1_GO_UNBLOCK_LOCAL,
    V1_SYSCALL_EXIT_LOCAL,
    V1_GO_START_LABEL = 41,
    V1_GO_BLOCK_GC,
    V1_ASSIST_START,
    V1_ASSIST_DONE,
    V1_TASK_CREATE = 45,
    V1_TASK_END,
    V1_REGION,
    V1_LOG,
    V1_SAMPLE = 49,
    V1_KIND_COUNT
};

/* Units of the trace to nanoseconds behind its first batch: 1 and more, as 0 means "not known" to
 * who counts from there. */
static inline int64_t gotrace_v1_ns(const fl_gotrace *trace, uint64_t units)
{
    /* signed, as that is what processors convert at once */
    int64_t since = (int64_t)(units - trace->min_time);
    if (units <= trace->min_time)
        return 1;
    double ns = (double)since * trace->unit_ns;
    /* 2^62 ns are 146 years; a damaged time must not overflow in sums */
    return since > 0 && ns < 4.6e18 ? (int64_t)ns + 1 : INT64_C(1) << 62;
}

#endif
