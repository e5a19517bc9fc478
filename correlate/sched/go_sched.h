/*
 * go_sched.h - what the scheduler and the collector of a Go program did, out of the events of an
 * execution trace: where goroutines wait and for what, what its processors did, collections and who
 * pays for them, growth of maps, goroutines that never end, tasks and regions; and findings.
 *
 * A *place* is a line of the program's own code: of a stack the innermost frame that is not the
 * standard library's, else its outermost one. Times are nanoseconds of the trace's clock.
 *
 * Memory: 96 bytes a goroutine alive at once, 16 a distinct stack, FL_MAX_SCHED_ROWS rows of each
 * table (one of costs has 1 KB of durations); what comes later is counted in the first row, which
 * is of no place.
 */
#ifndef FL_GO_SCHED_H
#define FL_GO_SCHED_H

#include <stdbool.h>

#include "arena.h"
#include "faultline/leak.h"
#include "gotrace_view.h"

typedef enum fl_sched_class {
    FL_SCHED_CHANNEL,
    FL_SCHED_SELECT,
    FL_SCHED_MUTEX,
    FL_SCHED_SYNC, /* wait groups, conditions, and what else waits for others */
    FL_SCHED_NETWORK,
    FL_SCHED_SLEEP,
    FL_SCHED_SYSCALL,
    FL_SCHED_GC,
    FL_SCHED_SYSTEM, /* the runtime's own goroutines */
    FL_SCHED_OTHER,
    FL_SCHED_CLASS_COUNT
} fl_sched_class;

/* "channel", "mutex" ...: the words of the JSON contract. */
const char *fl_sched_class_name(fl_sched_class class);

/* function "" where nothing is known. */
typedef struct fl_sched_place {
    const char *function, *file;
    uint32_t line;
} fl_sched_place;

typedef struct fl_sched_wait {
    fl_sched_class class;
    const char *reason; /* as the runtime says it; "" where it does not */
    fl_sched_place place;
    uint64_t count;
    int64_t total_ns, max_ns;
    uint64_t open; /* goroutines that still wait at the end */
} fl_sched_wait;

/* Goroutines of one start function that one place creates. */
typedef struct fl_sched_site {
    const char *function;
    fl_sched_place created;  /* function "": before the trace */
    uint64_t before;         /* alive when the trace began */
    uint64_t started, ended; /* within it */
    uint64_t alive, waiting; /* at its end */
    uint64_t old_ended;      /* of this function's goroutines from before the trace */
    int64_t running_ns;
    int64_t latency_ns, latency_max_ns; /* runnable and not running */
    int64_t first_ns, last_ns;          /* creations; 0: none */
    fl_sched_class waits_class;         /* of those that wait at the end: the most common */
    const char *waits_reason;           /* NULL: none waits */
    fl_sched_place waits_at;
} fl_sched_site;

typedef struct fl_sched_proc {
    int64_t running_ns; /* goroutines of the program */
    int64_t marking_ns; /* workers of the collector */
    int64_t idle_ns;    /* it was given to nobody */
} fl_sched_proc;

typedef struct fl_sched_cycle {
    int64_t begin_ns, end_ns; /* of marking; end 0: the trace ends before */
    int64_t stw_ns;
    int64_t assist_ns; /* in which assisting goroutines ran */
    uint64_t assists;
    int64_t worker_ns;      /* dedicated and fractional workers */
    int64_t idle_worker_ns; /* workers on processors that had nothing to do */
    uint64_t heap_before_bytes, heap_after_bytes, goal_bytes;
    fl_sched_place trigger; /* whose allocation began it */
} fl_sched_cycle;

/* How often something took how long, at one place or under one name. */
typedef struct fl_sched_cost {
    const char *name; /* of an stw, a task, a region; else "" */
    fl_sched_place place;
    uint64_t count, open;
    int64_t total_ns, max_ns, p50_ns, p99_ns;
    int64_t running_ns; /* of assists: of that, on a processor; else 0 */
    uint64_t samples;   /* of stops: of the processor, but for the first within each; else 0 */
} fl_sched_cost;

typedef struct fl_sched_map_use {
    fl_sched_place place;
    uint64_t samples, reads, writes, grows; /* samples of the processor within a map */
    uint64_t others;                        /* other events whose stack is within a map */
    uint64_t longest;   /* samples in a row within one doubling of a bucket map */
    int64_t longest_ns; /* when that ended */
} fl_sched_map_use;

/* A region that took much longer than others of its name. */
typedef struct fl_sched_spike {
    const char *name;
    int64_t begin_ns, duration_ns;
    bool grew;             /* a map was growing on this goroutine meanwhile */
    bool doubled;          /* the next array of a bucket map was allocated meanwhile */
    bool marking;          /* a collection was under way */
    fl_sched_place growth; /* with grew */
} fl_sched_spike;

enum { FL_SCHED_MAX_EVIDENCE = 4 };
typedef struct fl_sched_finding {
    const fl_leak_signature *signature; /* never NULL */
    double confidence;                  /* 0..1 */
    fl_sched_place place;               /* function "": of the program as a whole */
    const char *evidence[FL_SCHED_MAX_EVIDENCE];
    size_t evidence_count;
    const char *against[FL_SCHED_MAX_EVIDENCE];
    size_t against_count;
    double value; /* what it is ranked by within its signature */
    int64_t at_ns;
} fl_sched_finding;

enum { FL_SCHED_STEPS = 512, FL_SCHED_COURSE_PROCS = 64 };

/* What was done in a step of time; durations are of all processors together. */
typedef struct fl_sched_step {
    int64_t running_ns, marking_ns, idle_ns;
    int64_t assist_ns; /* of running_ns, goroutines that marked for the collector */
    int64_t stw_ns;
    int64_t latency_ns, latency_max_ns; /* from runnable to running, of what began to run in it */
    uint64_t latency_count;
    int64_t goroutines;  /* at most */
    uint64_t heap_bytes; /* at last; 0: not told yet */
    uint32_t map_growth; /* samples of the processor in maps that grow */
    bool has_level;
} fl_sched_step;

typedef struct fl_sched_course {
    int64_t step_ns;
    size_t step_count; /* at most FL_SCHED_STEPS */
    const fl_sched_step *steps;
    size_t proc_count;          /* at most FL_SCHED_COURSE_PROCS */
    const fl_sched_proc *procs; /* step_count of each */
} fl_sched_course;

/* Quantiles are right within an eighth. */
typedef struct fl_sched_latency {
    uint64_t count;
    int64_t p50_ns, p90_ns, p99_ns, p999_ns, max_ns, total_ns;
} fl_sched_latency;

/* All in the caller's arena; tables by what they cost, the largest first. */
typedef struct fl_sched_report {
    int64_t from_ns, to_ns;
    uint64_t events, samples;
    size_t procs;     /* GOMAXPROCS, the largest */
    double cpu_ratio; /* processor time by samples over what goroutines seem to have run; NaN: not
                         known. Less than 1: the system ran others meanwhile */
    fl_sched_latency latency; /* from runnable to running */
    const fl_sched_wait *waits;
    size_t wait_count;
    const fl_sched_site *sites;
    size_t site_count;
    const fl_sched_proc *proc_use;
    size_t proc_count;
    const fl_sched_cycle *cycles; /* in order; the first FL_MAX_SCHED_CYCLES */
    size_t cycle_count;
    const fl_sched_cost *assists;
    size_t assist_count;
    const fl_sched_cost *stops; /* the world is stopped, by what for */
    size_t stop_count;
    const fl_sched_map_use *maps;
    size_t map_count;
    const fl_sched_cost *tasks, *regions;
    size_t task_count, region_count;
    const fl_sched_spike *spikes; /* the longest first */
    size_t spike_count;
    int64_t sweep_ns;
    uint64_t heap_end_bytes, dropped; /* dropped: rows that had no room of their own */
    const fl_sched_finding *findings;
    size_t finding_count;
    const fl_sched_course *course; /* NULL: it was not followed */
} fl_sched_report;

typedef struct fl_sched fl_sched;

FL_NODISCARD fl_status fl_sched_create(fl_sched **out, fl_error *err); /* FL_E_NOMEM */
void fl_sched_destroy(fl_sched *sched);                                /* NULL is a no-op */

/* Before the first event: the report will have the course of the trace. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_sched_follow(fl_sched *sched, fl_error *err);

/* Events in order; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_sched_add(fl_sched *sched, const fl_gotrace_view *view,
                                    const fl_gotrace_event *events, size_t count, fl_error *err);
/* What findings are judged by. */
typedef struct fl_sched_criteria {
    const fl_leak_signature *signatures; /* those of traces count; borrowed as long as the report */
    size_t signature_count;
    int go_from, go_to; /* minor versions that the program may be built with; 0: not known */
} fl_sched_criteria;

/* Once, behind the last event. Texts and arrays are in `arena`. FL_E_NOMEM, FL_E_SYNTAX where a
 * pattern of a signature is no regular expression. */
FL_NODISCARD fl_status fl_sched_report_make(fl_sched_report *out, fl_sched *sched,
                                            const fl_gotrace_view *view,
                                            const fl_sched_criteria *criteria, fl_arena *arena,
                                            fl_error *err);

#endif
