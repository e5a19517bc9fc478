/*
 * sched_signatures.c - what each kind of finding is called, means, and what to do about it.
 *
 * They have the form of the signatures of leaks, so that reports show them alike; what they hold
 * for is decided over events, not over features of profiles.
 */
#include "go_sched.h"

static const fl_leak_signature signatures[] = {
    [FL_SCHED_GC_POINTERS] =
        {.name = "trace-gc-pointers",
         .title = "A large heap full of pointers makes every collection long",
         .verdict = FL_LEAK_GC_PRESSURE,
         .subject = FL_LEAK_PROGRAM,
         .prior = 0.85,
         .cause = "The collector follows every pointer of the live heap in each cycle, whatever"
                  " triggers it; meanwhile it takes processors, and goroutines that allocate help.",
         .fix = "Keep large constant structures without pointers, or collect less often (GOGC,"
                " GOMEMLIMIT); a heap profile says which structure it is."},
    [FL_SCHED_ASSIST_STORM] =
        {.name = "trace-assist-storm",
         .title = "Goroutines pay for the collector while they allocate",
         .verdict = FL_LEAK_GC_PRESSURE,
         .subject = FL_LEAK_SITE,
         .prior = 0.85,
         .cause =
             "Allocation is faster than the collector's own workers: what allocates has to mark"
             " before it may go on, which makes requests slow.",
         .fix = "Allocate less here, or give the heap more room (GOGC, GOMEMLIMIT)."},
    [FL_SCHED_STW_TAIL] =
        {.name = "trace-stw-tail",
         .title = "The world is stopped for long",
         .verdict = FL_LEAK_LATENCY,
         .subject = FL_LEAK_PROGRAM,
         .prior = 0.6,
         .cause =
             "All goroutines stand still until the last one has stopped, and until what stopped"
             " them is done. A machine without free processors makes each stop longer.",
         .fix =
             "Look for what stops it so often or so long: reads of memory statistics, profiles of"
             " goroutines, too few processors."},
    [FL_SCHED_MAP_SPIKE] =
        {.name = "trace-map-spike",
         .title = "A map that grows makes single operations slow",
         .verdict = FL_LEAK_LATENCY,
         .subject = FL_LEAK_SITE,
         .prior = 0.75,
         .cause =
             "Up to Go 1.23 a map that is full allocates an array of twice the size at once, and"
             " the writes that follow move its entries.",
         .fix = "Give the map its size at the start, shard it, or use Go 1.24 or later."},
    [FL_SCHED_CONVOY] =
        {.name = "trace-lock-convoy",
         .title = "Goroutines stand in line for one lock",
         .verdict = FL_LEAK_LATENCY,
         .subject = FL_LEAK_LOCK,
         .prior = 0.85,
         .cause = "More work wants the lock than fits through it one after the other: the queue"
                  " stays, and every request waits for all of it.",
         .fix = "Hold the lock for less, shard what it guards, or share it between readers."},
    [FL_SCHED_LEAKED] =
        {.name = "trace-goroutine-leak",
         .title = "Goroutines are created and never end",
         .verdict = FL_LEAK_LEAK,
         .subject = FL_LEAK_GOROUTINES,
         .prior = 0.85,
         .cause = "They wait for somebody who does not come, and keep their stacks and all that"
                  " these point to.",
         .fix = "Give each a way to end: a context, a closed channel, a buffered answer."},
};
_Static_assert(sizeof(signatures) / sizeof(signatures[0]) == FL_SCHED_FINDING_COUNT,
               "each kind of finding has a signature");

const fl_leak_signature *fl_sched_signature(fl_sched_finding_kind kind)
{
    assert(kind < FL_SCHED_FINDING_COUNT);
    return &signatures[kind];
}
