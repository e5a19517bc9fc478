/*
 * sched_priv.h - the state of an analysis.
 *
 *   sched.c           events to states, and what each state cost
 *   sched_gc.c        spans of the runtime's work, collections
 *   sched_user.c      tasks, regions, samples
 *   sched_places.c    stacks to places and to what they are within
 *   sched_course.c    what was done in each step of time
 *   sched_report.c    tables in order
 *   sched_findings.c  what stands out
 */
#ifndef FL_SCHED_PRIV_H
#define FL_SCHED_PRIV_H

#include "go_sched.h"
#include "map.h"

#define SCHED_NONE    UINT32_MAX
#define SCHED_UNASKED (UINT32_MAX - 1) /* no text: those are fewer than their bytes */

/* Durations of many goroutines: a sum that has no room stays at the most there is. */
static inline void sched_sum(int64_t *sum, int64_t ns)
{
    if (__builtin_add_overflow(*sum, ns, sum))
        *sum = ns < 0 ? INT64_MIN : INT64_MAX;
}

/* Durations by size: four steps for each doubling. */
enum { HIST_STEPS = 4, HIST_CELLS = 64 * HIST_STEPS };
typedef struct sched_hist {
    uint32_t cells[HIST_CELLS];
    int64_t most_ns;
} sched_hist;

void fl_sched_hist_add(sched_hist *hist, int64_t ns);
/* The duration below which a share of all are; within an eighth. 0 where there is none. */
int64_t fl_sched_hist_quantile(const sched_hist *hist, double share);

/* What a stack is within. */
enum {
    IN_MAP_READ = 1,
    IN_MAP_WRITE = 2,
    IN_MAP_GROW = 4,
    IN_MUTEX = 8,
    IN_RUNTIME = 16, /* all of it: a goroutine of the runtime's own */
    IN_TRACER = 32,  /* what writes the trace, or serves profiles */
    IN_MAP_DOUBLE = 64,
    IN_UNSEEN = 128, /* it was not looked at yet */
    IN_MAP = IN_MAP_READ | IN_MAP_WRITE | IN_MAP_GROW
};

typedef struct sched_stack {
    uint32_t place; /* SCHED_NONE: not looked at yet */
    uint32_t row;   /* of `waits`, the last that was found for it */
    fl_sym reason;  /* of that row; SCHED_UNASKED: there is none */
    bool is_call;   /* that row is of system calls */
    uint8_t flags;
    uint8_t hint; /* class, by the functions */
} sched_stack;

typedef struct sched_place {
    fl_sym function, file;
    uint32_t line;
} sched_place;

typedef struct sched_wait {
    fl_sym reason;
    uint32_t place;
    uint8_t class;
    uint64_t count, open;
    int64_t total_ns, max_ns;
} sched_wait;

typedef struct sched_site {
    fl_sym function;
    uint32_t created; /* place */
    uint64_t before, started, ended, alive, waiting;
    int64_t running_ns, latency_ns, latency_max_ns, first_ns, last_ns;
    uint32_t wait; /* row of those that wait at the end: majority vote (Boyer and Moore) */
    uint64_t votes;
} sched_site;

typedef struct sched_cost {
    fl_sym name;
    uint32_t place;
    uint64_t count, open;
    int64_t total_ns, max_ns, running_ns;
    uint64_t samples;
    sched_hist *hist; /* NULL: none is kept */
} sched_cost;

typedef struct sched_map_use {
    uint32_t place;
    uint64_t samples, reads, writes, grows, others, longest;
    int64_t longest_ns; /* when that ended */
} sched_map_use;

typedef struct sched_cycle {
    fl_sched_cycle shown; /* but for the place */
    uint32_t trigger;
} sched_cycle;

typedef struct sched_spike {
    uint32_t region; /* row */
    int64_t begin_ns, duration_ns;
    uint32_t growth; /* place; SCHED_NONE: no map grew */
    bool marking, doubled;
} sched_spike;

/* Rows of one size with keys. */
typedef struct sched_table {
    void *rows;
    size_t count, cap, size;
    fl_map *keys;
} sched_table;

enum { WORKER_NONE, WORKER_BUSY, WORKER_IDLE };

typedef struct sched_goroutine {
    /* what most events use */
    int64_t since_ns;
    int64_t ran_ns;
    uint32_t wait, site, proc;
    uint8_t state, worker;
    bool has_site; /* else `site` is row 0 */
    /* the rest */
    uint32_t region;                     /* the innermost that is open */
    int64_t ran_before_ns;               /* the assist under way */
    int64_t assist_ns, stw_ns, sweep_ns; /* begin; 0: not under way */
    int64_t grew_ns;
    int64_t doubled_ns;
    uint32_t grew_place;
    uint32_t doubling; /* samples in a row within a doubling */
    uint32_t assist_place;
} sched_goroutine;

typedef struct sched_region {
    int64_t begin_ns;
    uint32_t row, outer; /* outer: the region around it; of a free one, the next free one */
} sched_region;

typedef struct sched_proc {
    fl_sched_proc shown;
    int64_t since_ns;
    uint8_t state;
} sched_proc;

typedef struct sched_course sched_course;

struct fl_sched {
    const fl_gotrace_view *view; /* during a call */
    int64_t from_ns, to_ns;
    uint64_t events, samples, dropped;
    uint64_t before_stop; /* samples, when the world was stopped last */
    size_t procs;
    sched_goroutine *goroutines;
    size_t goroutine_count, goroutine_cap;
    sched_proc *proc_use;
    size_t proc_count, proc_cap;
    sched_stack *stacks;
    size_t stack_count, stack_cap;
    sched_table places, waits, sites, assists, stops, tasks, regions, maps;
    sched_hist latency;
    uint64_t latency_count;
    int64_t latency_ns;
    sched_cycle *cycles;
    size_t cycle_count, cycle_cap;
    bool marking, after_unknown; /* the heap after a cycle is told behind its end */
    int64_t sweep_ns;
    uint64_t heap_bytes, goal_bytes;
    sched_region *open_regions;
    size_t open_count, open_cap;
    uint32_t free_region;
    fl_map *open_tasks; /* id to time of begin and row: see sched_user.c */
    struct sched_open_task {
        int64_t begin_ns;
        uint32_t row;
    } * task_begins;
    size_t task_begin_count, task_begin_cap;
    sched_spike *spikes; /* a heap, the shortest first */
    size_t spike_count;
    sched_course *course; /* NULL: it is not followed */
    fl_error *err;        /* during a call: the first failure */
};

/* --- sched.c --- */
/* Room for `count` items; false, with sched->err set, where there is no memory. */
bool fl_sched_reserve(fl_sched *sched, void **items, size_t *cap, size_t count, size_t size);
/* The row of a key, made as a copy of `blank`; row 0 where there is no room. SCHED_NONE: no memory.
 */
uint32_t fl_sched_row(fl_sched *sched, sched_table *table, uint64_t key, const void *blank);
/* Room for the goroutine of a slot that was not seen before; NULL: no memory. */
sched_goroutine *fl_sched_goroutine_make(fl_sched *sched, uint32_t slot);
/* The goroutine of a slot; NULL: no memory. */
static inline sched_goroutine *fl_sched_goroutine_of(fl_sched *sched, uint32_t slot)
{
    return slot < sched->goroutine_count ? &sched->goroutines[slot]
                                         : fl_sched_goroutine_make(sched, slot);
}
sched_proc *fl_sched_proc_of(fl_sched *sched, uint32_t proc);
/* A duration at a row of costs. */
void fl_sched_cost_add(sched_cost *cost, int64_t ns);
/* The row of costs of a name and a place; with_hist: quantiles are asked for. NULL: no memory. */
sched_cost *fl_sched_cost_of(fl_sched *sched, sched_table *table, fl_sym name, uint32_t place,
                             bool with_hist);

/* --- sched_places.c --- */
/* The same of a stack that was not looked at before. */
sched_stack *fl_sched_stack_make(fl_sched *sched, uint32_t stack);
/* What is known of a stack; NULL: no memory. */
static inline sched_stack *fl_sched_stack_of(fl_sched *sched, uint32_t stack)
{
    bool is_known = stack < sched->stack_count && sched->stacks[stack].place != SCHED_NONE;
    return is_known ? &sched->stacks[stack] : fl_sched_stack_make(sched, stack);
}
/* The outermost function of a stack. */
fl_sym fl_sched_start_of(const fl_sched *sched, uint32_t stack);
fl_sched_class fl_sched_class_of(fl_slice reason, const sched_stack *stack);
/* Whether a function is of the standard library. */
bool fl_sched_is_standard(fl_slice function);

/* --- sched_gc.c --- */
void fl_sched_on_span(fl_sched *sched, const fl_gotrace_event *event);
void fl_sched_on_heap(fl_sched *sched, const fl_gotrace_event *event);
/* A worker of the collector ran for so long. */
void fl_sched_on_worker(fl_sched *sched, const sched_goroutine *goroutine, int64_t ns);

/* --- sched_user.c --- */
void fl_sched_on_user(fl_sched *sched, const fl_gotrace_event *event);
/* A stack within a map, or of a sample. */
void fl_sched_on_stack(fl_sched *sched, const sched_stack *stack, const fl_gotrace_event *event);
/* Forget the regions of a goroutine that ends. */
void fl_sched_drop_regions(fl_sched *sched, sched_goroutine *goroutine);

/* --- sched_course.c: nothing is done where the course is not followed --- */
typedef enum sched_use { SCHED_RUNS, SCHED_MARKS, SCHED_IDLES } sched_use;
void fl_sched_course_destroy(sched_course *course); /* NULL is a no-op */
void fl_sched_course_proc(fl_sched *sched, uint32_t proc, sched_use use, int64_t from_ns,
                          int64_t to_ns);
void fl_sched_course_stop(fl_sched *sched, int64_t from_ns, int64_t to_ns);
void fl_sched_course_delay(fl_sched *sched, int64_t now_ns, int64_t ns);
void fl_sched_course_assist(fl_sched *sched, int64_t from_ns, int64_t to_ns, int64_t ran_ns);
void fl_sched_course_goroutines(fl_sched *sched, int64_t now_ns, int change);
void fl_sched_course_heap(fl_sched *sched, int64_t now_ns, uint64_t bytes);
void fl_sched_course_growth(fl_sched *sched, int64_t now_ns);
/* Behind the sites of the report. */
FL_NODISCARD fl_status fl_sched_course_report(fl_sched_report *out, fl_sched *sched,
                                              fl_arena *arena, fl_error *err);

/* --- sched_findings.c --- */
FL_NODISCARD fl_status fl_sched_findings(fl_sched_report *report, const fl_sched_criteria *criteria,
                                         fl_arena *arena, fl_error *err);

#endif
