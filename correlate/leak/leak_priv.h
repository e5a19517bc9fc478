/*
 * leak_priv.h - what the parts of the analyzer share: stacks, snapshots, subjects.
 *
 *   function  (name, file), numbered once; its owner is decided when it is judged
 *   stack     frames of (function, line), innermost first, numbered once
 *   site      (stack, block size), numbered once
 *   snapshot  cells of (site, values), of one set: heap, goroutines, those that nothing can wake,
 *             mutex, block, processor time
 */
#ifndef FL_LEAK_PRIV_H
#define FL_LEAK_PRIV_H

#include "intern.h"
#include "leak_analysis.h"
#include "map.h"
#include "regex.h"
#include "trend.h"

/* Those that this analysis measures. */
enum { LEAK_FEATURES = FL_LEAK_F_CPU_BUSY + 1 };

enum {
    MAX_FRAMES = 192,    /* of a stack that are kept, innermost first */
    MIN_LEAK_POINTS = 5, /* docs/leaks-method.md: fewer cannot tell a warm-up from a leak */
    HOUR_S = 3600,
    ITEM_MAX_BYTES = 2048, /* what is no table or array of a map: its keys, values, nodes */
};
#define NS_PER_S 1e9
#define NO_ID    UINT32_MAX

/* Whose code a function is. */
typedef enum fl_owner { OWNER_UNKNOWN, OWNER_USER, OWNER_DEPENDENCY, OWNER_STANDARD } fl_owner;

typedef struct leak_function {
    fl_sym name, file;
    fl_owner owner;
    bool is_observer; /* takes profiles itself: runtime/pprof, net/http/pprof */
    uint32_t next;    /* which stood behind it in the last profile; NO_ID: none */
} leak_function;

typedef struct leak_frame {
    uint32_t function; /* or NO_ID: not symbolized */
    uint32_t line;
} leak_frame;

typedef struct leak_stack {
    uint32_t frame_at, frame_count;
    uint32_t user;    /* index of the innermost frame of the user's own code, or NO_ID */
    bool is_observer; /* a frame takes profiles */
} leak_stack;

typedef struct leak_site {
    uint32_t stack;
    uint64_t block_bytes; /* 0: not said */
} leak_site;

/* Heap: objects and bytes ever allocated, objects and bytes in use. Goroutines: count. Mutex and
 * block: waits, delay in ns. Processor: samples, time in ns. */
enum {
    V_COUNT = 0,
    V_WAITS = 0,
    V_DELAY = 1,
    V_ALLOC_OBJECTS = 0,
    V_ALLOC_BYTES,
    V_OBJECTS,
    V_BYTES,
    VALUE_COUNT
};

typedef struct leak_cell {
    uint32_t site;
    double value[VALUE_COUNT];
} leak_cell;

typedef struct leak_snapshot {
    int64_t time_ns;
    uint64_t rank;     /* a hash of the time: the smallest stay */
    uint64_t print;    /* of all values: equal ones saw the same garbage collection */
    double rate;       /* bytes for one sample; 0: exact */
    unsigned from;     /* 1u << fl_leak_source */
    uint32_t program;  /* the name of the first mapping's file, a fl_sym; NO_ID: not told */
    double allocated;  /* bytes ever, of all sites: heap only */
    double duration_s; /* that it covers: processor only */
    leak_cell *cells;
    size_t cell_count;
} leak_snapshot;

typedef enum leak_set_kind {
    SET_HEAP,
    SET_GOROUTINES,
    SET_LEAKED, /* goroutines that the collector found unreachable */
    SET_MUTEX,
    SET_BLOCK,
    SET_CPU,
    SET_COUNT
} leak_set_kind;

typedef struct leak_set {
    leak_snapshot *snapshots;
    size_t count, cap;
    uint64_t seen;     /* snapshots that were given */
    size_t cell_count; /* over all snapshots */
    size_t keep;       /* how many may stay */
} leak_set;

/* What is known of goroutines of one stack beyond their number. */
typedef struct leak_parked {
    uint32_t stack;
    fl_sym state, created_by;
    double wait_minutes;   /* the longest; NaN: not told */
    double median_minutes; /* of those that tell a wait, where they are the most; else NaN */
    bool is_leaked;        /* the collector found that nothing can wake them */
    double count;
    uint64_t newest_id; /* of the text: which of two is the later one; 0: it tells no ids */
    uint64_t ids[FL_GO_SAMPLE];
    uint32_t id_count;
} leak_parked;

/* Whether goroutines are the same ones in later texts (leak_survivors.c). */
typedef struct leak_survivors {
    size_t covered; /* goroutines of which that is known; 0: of none */
    bool none_stay; /* all of the earlier ones had ended, whichever texts are compared */
    bool most_stay; /* nearly all were still there when there were many more */
    bool is_old;    /* in one text, most were started long before the newest: no requests' work */
} leak_survivors;

/* One row of memory statistics, of those that count for the total. */
typedef struct leak_row {
    double time_s;
    double live_bytes, objects, gc_count, gc_cpu_ratio, gc_cpu_ns, pause_ns, allocated, goroutines,
        requests;
} leak_row;

typedef struct leak_stats {
    leak_row *rows;
    size_t count, cap;
    bool since_start;
} leak_stats;

enum { STATS_ROWS = FL_GOSTATS_GCTRACE + 1 }; /* one table for each source */

struct fl_leak {
    fl_leak_options options;
    fl_regex **patterns; /* of all conditions, signature by signature: must, any, against; NULL
                          * where a condition is a number's */
    size_t pattern_count;
    fl_intern *texts;
    fl_map *function_ids, *stack_ids, *site_ids;
    leak_function *functions;
    size_t function_count, function_cap;
    leak_stack *stacks;
    size_t stack_count, stack_cap;
    leak_frame *frames;
    size_t frame_count, frame_cap;
    leak_site *sites;
    size_t site_count, site_cap;
    leak_set sets[SET_COUNT];
    leak_parked *parked;
    size_t parked_count, parked_cap;
    leak_stats stats[STATS_ROWS];
    uint32_t *map_room; /* function of a profile -> our function */
    size_t map_cap;
    uint32_t *cell_of; /* site -> its cell in the snapshot that is being built, or NO_ID */
    size_t cell_of_cap;
    uint64_t dropped_sites;
    uint64_t untimed;      /* profiles of which the time is not known */
    uint64_t without_user; /* symbols missing */
    fl_sym crash_line;
    uint32_t crash_stack;
    bool has_crash, crash_is_fatal;
    int go_minor; /* 0: not known */
};

/* A block size of a subject: the site's share at the first and the last snapshot. */
typedef struct leak_block {
    uint32_t group;
    uint64_t bytes;
    double first_bytes, last_bytes; /* in use */
    double first_made, last_made;   /* objects ever allocated */
    double last_objects, peak_bytes;
} leak_block;

/* Processor samples: of the program, or of one function with what it calls (leak_cpu.c). */
typedef struct leak_cpu {
    double samples, gc, assist, alloc, lock;
    double map, writes, grows; /* of a function only */
    double duration_s, busy_s; /* of the program only */
} leak_cpu;

/* What is judged: one function's memory, goroutines or waits; or the program. */
typedef struct leak_subject {
    fl_leak_subject kind;
    leak_set_kind set;
    bool has_user;     /* a frame of the user's own code was found */
    uint32_t function; /* where the user's own code allocates or blocks, or NO_ID */
    uint32_t parent;   /* of a path: the index of its function's subject */
    uint32_t
        caller; /* of a path: a fl_sym, who calls at the place where paths part; NO_ID: nobody */
    const struct leak_subject *path; /* the path that makes it grow, where it is one of several */
    uint32_t top_stack;              /* the stack that grew most, else the largest */
    double top_weight;
    uint32_t *stacks;
    size_t stack_count;
    fl_series series;      /* bytes in use or goroutines, by snapshot */
    double *value, *error; /* what the series points to */
    double *objects;       /* in use, by snapshot; heap only */
    double *allocated;     /* bytes ever allocated, by snapshot; heap only */
    double *made;          /* objects ever allocated */
    fl_trend trend;
    double *item_value, *item_error, *item_made; /* of what lies in blocks below ITEM_MAX_BYTES */
    fl_series items;
    fl_trend item_trend;
    const leak_block *blocks; /* rising by size */
    size_t block_count;
    double number[LEAK_FEATURES];
    const char *state;   /* out of the frames */
    fl_slice text_state; /* out of a text; empty: none */
    fl_slice creator;    /* who started the goroutines; empty: not told */
    bool is_leaked;      /* the collector found that nothing can wake them */
    leak_survivors survivors;
    double turnover;    /* goroutines: objects their function made for each one more; or NaN */
    bool load_explains; /* goroutines: the program's load rose by half of what they did or more */
    bool is_kept;       /* goroutines: something beside their number says that they stay */
    bool follows_load;
    bool grows_by_total; /* the exact total grows, and this is the likeliest site */
    bool is_ladder_step; /* the step is a map's doubling */
    leak_cpu cpu;
    unsigned support;
} leak_subject;

/* Exact totals out of memory statistics: what was alive after each collection. */
typedef struct leak_total {
    fl_series series;
    fl_trend trend;
    bool is_known;
    bool is_late;      /* of its last part only, in which it began to rise */
    double load_ratio; /* requests by the second: second half over first; NaN */
} leak_total;

/* Which snapshots are judged (leak_scope.c). */
typedef struct leak_scope {
    uint32_t program, other_program; /* NO_ID: none told */
    size_t of_program, other_programs;
    double rate; /* of heap profiles */
    size_t of_rate, other_rates;
    size_t lives, of_life;  /* heap profiles of the longest; 1: no counter falls */
    int64_t from_ns, to_ns; /* of that life, both inclusive */
} leak_scope;

/* All that a judgement works on; lives in the scratch arena. */
typedef struct leak_case {
    const fl_leak *leak;
    fl_arena *scratch, *arena; /* arena: what the report keeps */
    leak_scope scope;
    double *time_s[SET_COUNT]; /* of used snapshots, since the first */
    const leak_snapshot **used[SET_COUNT];
    size_t used_count[SET_COUNT];
    leak_subject *subjects;
    size_t subject_count;
    leak_subject *paths; /* of functions that several call (leak_paths.c) */
    size_t path_count;
    leak_subject program;    /* its series is the whole heap's */
    leak_subject goroutines; /* its series is all goroutines' */
    leak_subject crash;      /* the stack that ended the program */
    leak_total total;
    leak_cpu cpu;
    int64_t from_ns, to_ns;
} leak_case;

/* A subject with its verdict. */
typedef struct leak_judged {
    leak_subject *subject;
    fl_leak_verdict verdict;
    const fl_leak_signature *signature;
    double confidence;
    const leak_subject *proxy; /* whose code is named where the subject has none of the user's */
    bool by_total;             /* the total grows; the site is the likeliest of those that may */
    int urgency;
    double weight;
    fl_slice name;
} leak_judged;

typedef struct leak_judgement {
    leak_judged *rows; /* the most urgent first */
    size_t count, cap;
    fl_leak_verdict verdict;
    double confidence;
    bool total_grows;
} leak_judgement;

/* --- leak_store.c: profiles to snapshots ---------------------------------------------------- */

/* Grow an array of `size` bytes a row for one more; *cap doubles. */
FL_NODISCARD fl_status fl_leak_grow(void **rows, size_t *cap, size_t need, size_t size,
                                    fl_error *err);

/* --- leak_owner.c: whose code, names -------------------------------------------------------- */

/* Decide the owner of every function, and the user's frame of every stack. */
void fl_leak_decide_owners(fl_leak *leak);
/* The package of a Go function's name: "net/http" of "net/http.(*Server).Serve". */
fl_slice fl_leak_package_of(fl_slice function);
/* The receiver's type: "Server" of the same; empty where it is no method. */
fl_slice fl_leak_receiver_of(fl_slice function);
/* Whether a package of that path is one of Go's standard library. */
bool fl_leak_is_standard_package(fl_slice package);
/* What a goroutine with these frames waits for: "chan receive", "select" ..., "" for running. */
const char *fl_leak_state_of(const fl_leak *leak, uint32_t stack);

/* --- leak_scope.c: what may be compared ------------------------------------------------------ */

/* FL_E_SYNTAX where the snapshots are of two programs and neither is the plain majority. */
FL_NODISCARD fl_status fl_leak_scope_of(leak_case *c, fl_error *err);
bool fl_leak_is_in_scope(const leak_case *c, const leak_snapshot *snapshot, leak_set_kind set);

/* --- leak_subject.c: snapshots to subjects -------------------------------------------------- */

/* Choose the snapshots that tell something new, group them by function, draw the trends. */
FL_NODISCARD fl_status fl_leak_group(leak_case *c, fl_error *err);

/* stack -> subject, for the stacks of one set; NO_ID elsewhere. */
typedef struct leak_grouping {
    uint32_t *of_stack;
    leak_subject *subjects;
    size_t count, cap;
} leak_grouping;

/* A new subject, of which that stack is the first. */
FL_NODISCARD fl_status fl_leak_add_subject(leak_case *c, leak_grouping *g, leak_set_kind set,
                                           uint32_t stack, fl_error *err);
/* Stacks, series, block sizes and trends of the subjects from the `from`th on, out of `of_stack`;
 * `all`, which may be NULL, is the sum of them. */
FL_NODISCARD fl_status fl_leak_fill_group(leak_case *c, leak_grouping *g, leak_set_kind set,
                                          size_t from, leak_subject *all, fl_error *err);

/* The largest value of a subject's series; 0 where it has none. */
static inline double fl_leak_peak(const leak_subject *subject)
{
    double peak = 0;
    for (size_t i = 0; i < subject->series.count; i++)
        peak = subject->value[i] > peak ? subject->value[i] : peak;
    return peak;
}

/* --- leak_paths.c: who calls --------------------------------------------------------------------
 */

/* After fl_leak_group(). */
FL_NODISCARD fl_status fl_leak_paths_of(leak_case *c, fl_error *err);
/* Of a function that grows, the one path that does while the others stay; NULL: there is none. */
leak_subject *fl_leak_growing_path(const leak_case *c, const leak_subject *subject);

/* --- leak_survivors.c: ids of goroutines ------------------------------------------------------ */

FL_NODISCARD fl_status fl_leak_survivors_of(leak_survivors *out, const leak_case *c,
                                            const leak_subject *subject, fl_error *err);

/* --- leak_total.c: memory statistics to a total ---------------------------------------------- */

FL_NODISCARD fl_status fl_leak_total_of(leak_case *c, fl_error *err);

/* --- leak_cpu.c: processor samples --------------------------------------------------------------
 */

/* Of the used processor profiles: samples by function, and the features made of them. */
void fl_leak_cpu_of(leak_case *c);
/* Whether processor samples are a second view of that verdict. */
bool fl_leak_cpu_agrees(const leak_case *c, const leak_subject *subject, fl_leak_verdict verdict);
/* Whether a frame of a stack of processor samples is the runtime's, called by the subject's
 * function: heap profiles hide those. */
bool fl_leak_is_runtime_frame(const fl_leak *leak, const leak_subject *subject, uint32_t stack,
                              uint32_t frame);

/* --- leak_features.c: the numbers that signatures test -------------------------------------- */

FL_NODISCARD fl_status fl_leak_features_of(leak_case *c, fl_error *err);

/* --- leak_match.c: signatures ----------------------------------------------------------------- */

FL_NODISCARD fl_status fl_leak_compile(fl_leak *leak, fl_error *err);
void fl_leak_release(fl_leak *leak);
/* The best signature of `verdict` that holds for a subject, or NULL. */
FL_NODISCARD fl_status fl_leak_best_signature(const fl_leak_signature **out, const leak_case *c,
                                              const leak_subject *subject, fl_leak_verdict verdict,
                                              fl_error *err);
/* Whether a condition holds; `regex` is its pattern's. */
FL_NODISCARD fl_status fl_leak_holds(bool *out, const leak_case *c, const leak_subject *subject,
                                     const fl_leak_condition *condition, const fl_regex *regex,
                                     fl_error *err);
/* Where the patterns of a signature begin: those of must, any, against. */
size_t fl_leak_first_pattern(const fl_leak *leak, const fl_leak_signature *signature);

/* --- leak_judge.c, leak_report.c -------------------------------------------------------------- */

/* Verdicts of all subjects, and of the program. */
FL_NODISCARD fl_status fl_leak_decide(leak_judgement *out, leak_case *c, fl_error *err);

static inline bool fl_leak_counts_goroutines(leak_set_kind set)
{
    return set == SET_GOROUTINES || set == SET_LEAKED;
}

/* The frame that stands for a stack: the innermost of the user's own code; without one where the
 * goroutine began, or what allocates. */
static inline uint32_t fl_leak_place_of(const leak_stack *stack, leak_set_kind set)
{
    if (stack->user != NO_ID)
        return stack->user;
    return fl_leak_counts_goroutines(set) ? stack->frame_count - 1 : 0;
}

static inline fl_slice fl_leak_name_at(const fl_leak *leak, const leak_frame *frame)
{
    return frame->function == NO_ID
               ? (fl_slice){(const unsigned char *)"", 0}
               : fl_intern_text(leak->texts, leak->functions[frame->function].name);
}

/* The name of a subject's function; empty where it has none. */
static inline fl_slice fl_leak_function_of(const fl_leak *leak, const leak_subject *subject)
{
    return subject->function == NO_ID
               ? (fl_slice){(const unsigned char *)"", 0}
               : fl_intern_text(leak->texts, leak->functions[subject->function].name);
}

#endif
