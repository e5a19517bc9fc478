/*
 * leak.h - what a series of profiles of one program says about its memory: findings that name the
 * line, each with its growth, its evidence and what speaks against it.
 *
 * An analysis takes snapshots in any order (the time is the profile's), keeps a bounded number of
 * them and reports once. A *signature* is data: conditions over the *features* below, which the
 * analysis computes for each of its subjects; the library of them stands outside (fl_leak_options).
 *
 * All texts are NUL-terminated UTF-8. A text that is not known is NULL, a number that is not known
 * is NaN and meets no condition. Times are nanoseconds since the epoch, UTC.
 */
#ifndef FAULTLINE_LEAK_H
#define FAULTLINE_LEAK_H

#include <stdbool.h>

#include "faultline/kept.h"
#include "faultline/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fl_leak_verdict {
    FL_LEAK_NOT_ENOUGH_DATA,
    FL_LEAK_NO_LEAK,
    FL_LEAK_BOUNDED_GROWTH,
    FL_LEAK_CHURN,
    FL_LEAK_RETENTION,
    FL_LEAK_LATENCY,
    FL_LEAK_GC_PRESSURE,
    FL_LEAK_LEAK,
    FL_LEAK_CRASH,
    FL_LEAK_VERDICT_COUNT
} fl_leak_verdict;

/* "leak", "bounded-growth" ...: the words of the JSON contract and of the signature files. */
const char *fl_leak_verdict_name(fl_leak_verdict verdict);
/* False where `name` is none of them. */
bool fl_leak_verdict_find(fl_leak_verdict *out, fl_slice name);

/* What a signature speaks about; each subject has its own features. */
typedef enum fl_leak_subject {
    FL_LEAK_SITE,       /* memory, grouped by the user's function that allocates it */
    FL_LEAK_GOROUTINES, /* goroutines of one stack */
    FL_LEAK_LOCK,       /* delay of one stack of a mutex or block profile */
    FL_LEAK_PROGRAM,    /* the whole program: memory statistics, log */
    FL_LEAK_SUBJECT_COUNT
} fl_leak_subject;

/* "site", "goroutines" ...: the words of the signature files. */
const char *fl_leak_subject_name(fl_leak_subject subject);
/* False where `name` is none of them. */
bool fl_leak_subject_find(fl_leak_subject *out, fl_slice name);

/*
 * Features. Their names, units and meanings are in one table (fl_leak_feature_info). The texts are
 * matched by a regular expression, the numbers compared. A site, a goroutine stack and a lock also
 * have the program's features.
 */
typedef enum fl_leak_feature {
    /* texts */
    FL_LEAK_F_FRAMES,   /* any frame's name, of any of the subject's stacks, runtime included */
    FL_LEAK_F_LEAF,     /* the innermost frame's name */
    FL_LEAK_F_FUNCTION, /* the innermost frame of the user's own code */
    FL_LEAK_F_CALLEE, /* the frame that the user's own code called, "" where it allocates itself */
    FL_LEAK_F_CREATED_BY, /* who started the goroutine */
    FL_LEAK_F_STATE,      /* "chan receive", "select", ...: from the text, else out of the frames */
    FL_LEAK_F_SHAPE, /* of the series: growing, bounded, step, sawtooth, flat, falling, unclear */
    FL_LEAK_F_LOG,   /* a fatal error's or a panic's line */
    /* the series of in-use bytes, or of goroutines */
    FL_LEAK_F_GROWTH_Z,                /* slope over its standard error, sampling error included */
    FL_LEAK_F_MANN_KENDALL_Z,          /* tie-corrected, for what is no duplicate snapshot */
    FL_LEAK_F_LEVEL_Z,                 /* the last value against those before it: the coarse rule */
    FL_LEAK_F_GROWTH_RATIO,            /* last level over the first */
    FL_LEAK_F_GROWTH_PERCENT_PER_HOUR, /* of the first level */
    FL_LEAK_F_GROWTH_PER_HOUR,         /* bytes or goroutines */
    FL_LEAK_F_LATE_SHARE,              /* slope of the second half over the slope of all */
    FL_LEAK_F_STEP_SHARE,              /* the largest single step over the whole rise */
    FL_LEAK_F_FALL_SHARE,              /* the largest fall over the largest value */
    FL_LEAK_F_LEVEL,                   /* last value: bytes or goroutines */
    FL_LEAK_F_HEAP_SHARE,              /* of all in-use bytes at the end */
    FL_LEAK_F_GROWTH_SHARE,            /* of the growth of all in-use bytes */
    /* allocation */
    FL_LEAK_F_ALLOC_BYTES_PER_S,
    FL_LEAK_F_ALLOC_OBJECTS_PER_S,
    FL_LEAK_F_ALLOC_SHARE,    /* of all bytes allocated meanwhile */
    FL_LEAK_F_OBJECT_SHARE,   /* of all objects allocated meanwhile */
    FL_LEAK_F_RETAINED_RATIO, /* rise of in-use bytes over bytes allocated meanwhile */
    FL_LEAK_F_TURNOVER,       /* objects ever allocated over objects in use, at the end */
    /* block sizes */
    FL_LEAK_F_BLOCK_BYTES,    /* the size that holds most bytes */
    FL_LEAK_F_BLOCK_COUNT,    /* distinct sizes */
    FL_LEAK_F_LADDER_STEPS,   /* longest chain of sizes in steps of two (within rounding) */
    FL_LEAK_F_LADDER_REACHED, /* 1: a new top of that chain appeared within the window */
    FL_LEAK_F_TABLE_SHARE,    /* of in-use bytes, in blocks that are map tables or bucket arrays */
    FL_LEAK_F_LARGEST_BLOCK_BYTES,
    /* goroutines and locks */
    FL_LEAK_F_WAIT_MINUTES, /* the longest wait of this stack */
    FL_LEAK_F_PAIR_BALANCE, /* of two stacks that one function starts: smaller over larger count */
    FL_LEAK_F_DELAY_PER_S,  /* seconds waited for each second of the program */
    FL_LEAK_F_WAITS_PER_S,
    /* the program */
    FL_LEAK_F_SNAPSHOTS,
    FL_LEAK_F_SPAN_S,
    FL_LEAK_F_HEAP_BYTES, /* in use at the end */
    FL_LEAK_F_HEAP_OBJECTS,
    FL_LEAK_F_GC_PER_S,
    FL_LEAK_F_GC_CPU_RATIO, /* of the processors, over the series */
    FL_LEAK_F_GC_CYCLE_MS,  /* processor time of a cycle */
    FL_LEAK_F_GC_PAUSE_MS,  /* per cycle */
    FL_LEAK_F_GOROUTINES,
    /* processor samples: of the subject's function, with what it calls in the runtime */
    FL_LEAK_F_CPU_SHARE,       /* of all samples */
    FL_LEAK_F_CPU_MAP_SAMPLES, /* how many were seen in a map */
    FL_LEAK_F_CPU_MAP_WRITES,  /* of these, in writing one */
    FL_LEAK_F_CPU_MAP_GROWS,   /* and in making one larger */
    /* and of the program */
    FL_LEAK_F_CPU_SAMPLES,
    FL_LEAK_F_CPU_GC_SHARE, /* marking, but for what only idle processors do */
    FL_LEAK_F_CPU_ASSIST_SHARE,
    FL_LEAK_F_CPU_ALLOC_SHARE,
    FL_LEAK_F_CPU_LOCK_SHARE,
    FL_LEAK_F_CPU_BUSY, /* processors in use */
    /* an execution trace: of any of its subjects */
    FL_LEAK_F_TRACE_PLACE, /* text: the line's function of the user's own code */
    FL_LEAK_F_TRACE_SPAN_S,
    FL_LEAK_F_TRACE_CPU_RATIO, /* processor time by samples over what goroutines seem to have run */
    /* the program's collector, and one reason to stop the world */
    FL_LEAK_F_TRACE_MARK_SHARE,     /* of the time, in which marking was under way */
    FL_LEAK_F_TRACE_MARK_MS_PER_MB, /* marking for each megabyte that stays alive */
    FL_LEAK_F_TRACE_ALIVE_BYTES,    /* after a collection */
    FL_LEAK_F_TRACE_STOPS,
    FL_LEAK_F_TRACE_STOP_P99_MS,
    FL_LEAK_F_TRACE_STOP_SHARE,      /* of the time */
    FL_LEAK_F_TRACE_STOP_IDLE_SHARE, /* of that, without a sample of the processor; 0: no samples */
    /* a site: who assists the collector most, or uses a map */
    FL_LEAK_F_TRACE_ASSISTS, /* of the whole program */
    FL_LEAK_F_TRACE_ASSIST_SHARE,
    FL_LEAK_F_TRACE_DOUBLING_MS,  /* of a processor, the longest doubling of a bucket map */
    FL_LEAK_F_TRACE_SLOW_DOUBLED, /* slow regions in which one was doubled */
    FL_LEAK_F_TRACE_SLOW_GREW,    /* and in which a map grew in any way */
    FL_LEAK_F_TRACE_SLOW_GREW_SHARE,
    /* goroutines of one place, and a lock */
    FL_LEAK_F_TRACE_WAITS_FOR, /* text: "channel", "select", ... */
    FL_LEAK_F_TRACE_STARTED,
    FL_LEAK_F_TRACE_ENDED_SHARE,    /* of those */
    FL_LEAK_F_TRACE_CREATION_SHARE, /* of the time, from the first creation to the last */
    FL_LEAK_F_TRACE_WAITING_SHARE,  /* of those alive at the end */
    FL_LEAK_F_TRACE_REPLACED_RATIO, /* older ones of that function that ended, over started ones */
    FL_LEAK_F_TRACE_QUEUE,          /* goroutines in line for a lock, on average */
    FL_LEAK_F_TRACE_WAITS,
    FL_LEAK_F_TRACE_WAITS_PER_S,
    /* heap dumps of Java programs: what grows, or is too much */
    FL_LEAK_F_HEAP_SIGN, /* text: "map-grows", "queue-unbounded", ... (docs/heap-collections.md) */
    FL_LEAK_F_HEAP_HOLDER, /* text: "shop.Cache.ENTRIES" */
    FL_LEAK_F_HEAP_PATH,   /* text: the classes and statics from the roots, with " > " between */
    FL_LEAK_F_HEAP_DUMPS,
    FL_LEAK_F_HEAP_GROWTH_RATIO,   /* of what the holder keeps, last dump over first */
    FL_LEAK_F_HEAP_RETAINED_BYTES, /* by the holder, in the last dump */
    FL_LEAK_FEATURE_COUNT
} fl_leak_feature;

/* What features are measured on. The conditions of one signature are all measured on one kind. */
typedef enum fl_leak_measured {
    FL_LEAK_IN_PROFILES, /* profiles, statistics and logs */
    FL_LEAK_IN_TRACES,
    FL_LEAK_IN_HEAPS,
    FL_LEAK_MEASURED_COUNT
} fl_leak_measured;

/* "profiles", "traces", "heap dumps": the words of messages. */
const char *fl_leak_measured_name(fl_leak_measured measured);

typedef struct fl_leak_feature_info {
    const char *name; /* "growth_z": how signature files name it */
    const char *unit; /* "", "bytes", "ratio", "text" ... */
    const char *text; /* one line */
    bool is_text;
    fl_leak_measured in;
} fl_leak_feature_info;

/* The row of a feature; never NULL. */
const fl_leak_feature_info *fl_leak_feature_info_of(fl_leak_feature feature);
/* False, with *out untouched, where `name` is no feature's. */
bool fl_leak_feature_find(fl_leak_feature *out, fl_slice name);

typedef enum fl_leak_op {
    FL_LEAK_AT_LEAST,
    FL_LEAK_AT_MOST,
    FL_LEAK_MATCHES, /* texts: the expression is found in one of them */
    FL_LEAK_LACKS,   /* texts: it is found in none */
    FL_LEAK_OP_COUNT
} fl_leak_op;

typedef struct fl_leak_condition {
    fl_leak_feature feature;
    fl_leak_op op;
    double value;        /* numbers */
    const char *pattern; /* texts: a regular expression (PCRE2) */
    const char *text;    /* what it means when it holds, for `against`; may be NULL */
} fl_leak_condition;

/*
 * One signature. It holds for a subject when the runtime is in range (or not known), every `must`
 * holds, and one of `any` where there are some. Of the signatures that hold the most demanding one
 * wins (a condition on names counts 3, on numbers 1, on the shape 0; `any` as its largest), then
 * the higher prior, then the name.
 */
typedef struct fl_leak_signature {
    const char *name; /* "map-only-grows" */
    const char *title;
    fl_leak_verdict verdict;
    fl_leak_subject subject;
    int go_min, go_max; /* minor versions, both inclusive: 24 is go1.24; 0: no bound */
    double prior;       /* 0..1: how often it is right where all holds */
    const fl_leak_condition *must;
    size_t must_count;
    const fl_leak_condition *any;
    size_t any_count;
    const fl_leak_condition *against; /* each that holds is shown and halves the odds */
    size_t against_count;
    const char *cause, *fix, *sketch; /* sketch: code, may be NULL */
    const char *const *references;
    size_t reference_count;
} fl_leak_signature;

/* Where evidence comes from; a finding's `support` is a set of them. */
typedef enum fl_leak_source {
    FL_LEAK_FROM_HEAP,
    FL_LEAK_FROM_ALLOCS,
    FL_LEAK_FROM_GOROUTINE,
    FL_LEAK_FROM_BLOCK,
    FL_LEAK_FROM_MUTEX,
    FL_LEAK_FROM_CPU,
    FL_LEAK_FROM_MEMSTATS,
    FL_LEAK_FROM_LOG,
    FL_LEAK_FROM_TRACE, /* an execution trace */
    FL_LEAK_SOURCE_COUNT
} fl_leak_source;

/* "heap", "goroutine" ...: the words of the JSON contract. */
const char *fl_leak_source_name(fl_leak_source source);

typedef struct fl_leak_evidence {
    fl_leak_source source;
    const char *text;
    int64_t at_ns; /* 0: of no moment */
    double value;
    const char *unit;
} fl_leak_evidence;

typedef struct fl_leak_interval {
    double value, low, high; /* NaN: not known. 95 %. */
} fl_leak_interval;

typedef struct fl_leak_finding {
    fl_leak_verdict verdict;
    fl_leak_subject subject;
    const fl_leak_signature *signature; /* NULL: no signature of the library holds */
    double confidence;                  /* 0..1 */
    const char *function, *file;        /* where the user's own code allocates or blocks */
    uint64_t line;                      /* 0: not known */
    const char *caller, *caller_file;   /* who calls it where it grows, and others call it where it
                                         * does   not; NULL: nobody stands out */
    uint64_t caller_line;
    const char *holder; /* what keeps it: a type, a global, a creator; may be NULL */
    fl_leak_interval growth_bytes_per_hour;
    fl_leak_interval growth_per_hour;  /* goroutines; NaN for memory */
    fl_leak_interval seconds_to_limit; /* NaN without a limit or without growth */
    int64_t began_ns; /* the first snapshot by which it had grown beyond its error; 0: not known */
    unsigned support; /* 1u << fl_leak_source: profiles that agree */
    const fl_leak_evidence *evidence;
    size_t evidence_count;
    const char *const *against;
    size_t against_count;
    /* Of heap dumps: the way from the heap to what was found. At most FL_KEPT_STEPS; 0: not known.
     */
    const fl_kept_step *path;
    size_t path_count;
} fl_leak_finding;

typedef struct fl_leak_ruled_out {
    const char *kind; /* a verdict's or a signature's name */
    const char *text;
} fl_leak_ruled_out;

typedef struct fl_leak_report {
    fl_leak_verdict verdict;
    double confidence;
    const fl_leak_finding *findings; /* the first is the one that the verdict rests on */
    size_t finding_count;
    const fl_leak_ruled_out *ruled_out;
    size_t ruled_out_count;
    const char *const *collect; /* what to collect next; sentences */
    size_t collect_count;
    const char *const *warnings;
    size_t warning_count;
    const char *runtime;         /* "go1.26", or NULL */
    size_t snapshot_count;       /* that were given */
    size_t used_count;           /* distinct garbage collections that the trend rests on */
    int64_t from_ns, to_ns;      /* 0 where there are none */
    double sampling_floor_bytes; /* growth of one site below this cannot be seen; NaN: no heap */
} fl_leak_report;

#ifdef __cplusplus
}
#endif

#endif
