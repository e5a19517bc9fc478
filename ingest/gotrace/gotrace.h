/*
 * gotrace.h - execution traces of Go programs to events in one order.
 *
 * Reads what Go 1.7 and later write (headers 1.7 to 1.11, 1.19, 1.21 to 1.23, 1.25, 1.26).
 * From 1.22 on a trace is a chain of *generations* of about a second; each has batches of events by
 * thread, and the strings and stacks that they name, under numbers that hold for this generation
 * only. Here strings and stacks get numbers that hold for the whole trace, and goroutines small
 * ones ("slots"). Before, a trace is one generation, with batches by processor, and tables at its
 * end; it is told as the same events. What it does not record is not told: how long a system call
 * took that did not block is 0, and of a goroutine that waited before the trace only where it
 * began.
 *
 * Order: clocks of processors differ, so times do not order events of different threads; what does
 * is that each goroutine and each processor is in one state at a time, and that their transitions
 * are numbered. The reader takes the earliest event that is possible now. Times never fall.
 *
 * A trace that breaks off, or that contradicts itself, is read up to there: `broken` says why. To
 * 1.21 the unit of time and all stacks stand at the end. Without them states, reasons and shares of
 * the time are still true, places are unknown, and lengths of time are those of an x86 processor of
 * 3 GHz (`clock_assumed`): right in proportion to each other only. Go writes a processor's events
 * when it has 64 KiB of them, so that those of a processor with little to do are missing from a
 * trace that was cut: an event that needs one of them is told as if it had been (`guessed`).
 *
 * Memory: the bytes of one generation (FL_MAX_GOTRACE_GENERATION_BYTES), 32 for each of its
 * batches, 40 for each of its samples, 4 for each of its strings and stacks; 68 to 100 for each
 * goroutine alive at once, 12 for each frame of distinct stacks, distinct texts. Tables that grow
 * have up to half as much again, and both copies while they move. To 1.21: the bytes of the whole
 * trace (FL_MAX_GOTRACE_V1_BYTES), and 16 for each system call that blocked.
 */
#ifndef FL_GOTRACE_H
#define FL_GOTRACE_H

#include <stdbool.h>

#include "gotrace_view.h"
#include "stream.h"

typedef struct fl_gotrace_info {
    unsigned version; /* 26 is the format of "go 1.26 trace" */
    uint64_t generations, events;
    int64_t from_ns, to_ns;   /* of the trace's clock */
    int64_t clock_to_wall_ns; /* add to a time to have UTC; 0: the trace does not say */
    uint64_t skipped_batches; /* of experiments */
    uint64_t dropped;         /* strings, stacks and samples beyond the budgets */
    uint64_t damaged;         /* to 1.21: the same that are damaged, and were passed over */
    uint64_t guessed;         /* to 1.21, cut: events that others, which are missing, come before */
    bool clock_assumed;       /* to 1.21: it breaks before it says how its clock runs */
    bool nameless;            /* it breaks before all names of its last generation are told */
    fl_error broken;          /* FL_OK: it was read to its end */
} fl_gotrace_info;

typedef struct fl_gotrace fl_gotrace;

/* Takes events, in order. What it returns other than FL_OK ends the reading with it. A slot of a
 * goroutine that ended is given to another one only behind the last event of a call. */
typedef fl_status fl_gotrace_take(void *payload, const fl_gotrace_view *view,
                                  const fl_gotrace_event *events, size_t count, fl_error *err);

/* Whether bytes begin like a trace of any version. */
bool fl_gotrace_sniff(fl_slice head);

/* The caller owns *out. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_gotrace_create(fl_gotrace **out, fl_error *err);
void fl_gotrace_destroy(fl_gotrace *trace); /* NULL is a no-op */

/* Read one trace, once for each fl_gotrace. FL_OK also where it breaks later on (see info).
 * FL_E_UNSUPPORTED: no trace, or of a version that is not read; FL_E_TRUNCATED, FL_E_SYNTAX,
 * FL_E_LIMIT: there is nothing of use before it breaks; FL_E_NOMEM; what `take` returned. */
FL_NODISCARD fl_status fl_gotrace_read(fl_gotrace *trace, fl_stream *in, fl_gotrace_take *take,
                                       void *payload, fl_error *err);

/* Of what was read so far. */
const fl_gotrace_info *fl_gotrace_info_of(const fl_gotrace *trace);
/* What events name; valid until the next event is read, or the end. */
const fl_gotrace_view *fl_gotrace_view_of(const fl_gotrace *trace);

#endif
