/*
 * incident.h - the answer: ranked hypotheses with their evidence.
 *
 * All texts are NUL-terminated UTF-8 and, like all arrays, live as long as the incident.
 * A text that is not known is NULL, never "". Times are nanoseconds since the epoch, UTC.
 */
#ifndef FAULTLINE_INCIDENT_H
#define FAULTLINE_INCIDENT_H

#include <stdbool.h>

#include "faultline/kept.h"
#include "faultline/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fl_modality {
    FL_MODALITY_METRICS,
    FL_MODALITY_LOGS,
    FL_MODALITY_TRACES,
    FL_MODALITY_TOPOLOGY, /* evidence only: what the call graph says */
    FL_MODALITY_CHANGES,  /* deploys, configuration, flags, merge requests */
    FL_MODALITY_PROFILES, /* evidence only: what a leak report says of a service */
    FL_MODALITY_MEMORY,   /* evidence only: what explained such symptoms before */
    FL_MODALITY_ALERTS,   /* evidence only: rules of others that fired */
    FL_MODALITY_COUNT
} fl_modality;

typedef enum fl_cause {
    FL_CAUSE_UNKNOWN,
    FL_CAUSE_CPU,
    FL_CAUSE_MEMORY_LEAK,
    FL_CAUSE_MEMORY,
    FL_CAUSE_NETWORK_DELAY,
    FL_CAUSE_NETWORK_LOSS,
    FL_CAUSE_DISK,
    FL_CAUSE_EXCEPTION,
    FL_CAUSE_CODE_PATH,
    FL_CAUSE_DEPENDENCY,
    FL_CAUSE_CONFIG_CHANGE,
    FL_CAUSE_DEPLOY,
    FL_CAUSE_TRAFFIC,
    FL_CAUSE_LOCK,
    FL_CAUSE_POOL,
    FL_CAUSE_GC,
    FL_CAUSE_COUNT
} fl_cause;

typedef enum fl_resource_kind {
    FL_RESOURCE_NONE,
    FL_RESOURCE_CPU,
    FL_RESOURCE_NETWORK,
    FL_RESOURCE_MEMORY,
    FL_RESOURCE_DISK,
    FL_RESOURCE_COUNT
} fl_resource_kind;

typedef enum fl_locus_kind {
    FL_LOCUS_METRIC,
    FL_LOCUS_OPERATION,
    FL_LOCUS_CODE_REGION, /* between the log templates `before` and `after` */
    FL_LOCUS_EDGE,
    FL_LOCUS_EXCEPTION,
    FL_LOCUS_CHANGE,
    FL_LOCUS_TYPE,
    FL_LOCUS_FRAME,
    FL_LOCUS_CONFIG,
    FL_LOCUS_COUNT
} fl_locus_kind;

typedef enum fl_verdict { FL_VERDICT_CAUSE_FOUND, FL_VERDICT_NO_CONFIDENT_CAUSE } fl_verdict;

/* The names used in the JSON contract. */
const char *fl_modality_name(fl_modality modality);      /* "metrics" */
const char *fl_cause_name(fl_cause cause);               /* "network-delay" */
const char *fl_resource_name(fl_resource_kind resource); /* "cpu"; NULL for FL_RESOURCE_NONE */
const char *fl_locus_name(fl_locus_kind locus);          /* "code-region" */
const char *fl_verdict_name(fl_verdict verdict);         /* "no-confident-cause" */

typedef struct fl_evidence {
    fl_modality modality;
    bool against;     /* speaks against the hypothesis */
    const char *text; /* one sentence with the figure, the baseline and the time */
    int64_t at_ns;
    double value, baseline;   /* NaN where there is none */
    const char *unit;         /* UCUM; NULL where value has none */
    const char *query;        /* shows the raw data again */
    double weight_nats;       /* log Bayes factor it adds */
    const char *finding;      /* the kind of leak that profiles show: "map-only-grows"; else NULL */
    const fl_kept_step *path; /* of a heap dump: who keeps what was found; NULL: none */
    size_t path_count;        /* at most FL_KEPT_STEPS */
} fl_evidence;

/* When something began, from the data alone and not from the stated time: the median of what is
 * probable, and the interval that holds it with 90 %. All 0 where it cannot be told. */
typedef struct fl_onset {
    int64_t at_ns, low_ns, high_ns;
} fl_onset;

typedef struct fl_hypothesis {
    uint32_t rank; /* from 1; equal scores share the rank */
    const char *service, *instance;
    fl_cause cause;
    fl_resource_kind resource;
    fl_locus_kind locus;
    const char *locus_name, *before, *after; /* before and after only for a code region */
    double score;                            /* nats */
    double probability;                      /* that this is the cause */
    /* What is thrown, where the cause is an exception that was recorded as one; each may be NULL.
     */
    const char *exception_type, *exception_message, *exception_frame;
    fl_onset onset;
    const fl_evidence *evidence;
    size_t evidence_count; /* heaviest first */
} fl_hypothesis;

/* What is known of a hypothesis before its telemetry is looked at. */
typedef struct fl_prior {
    size_t hypothesis;      /* place among those of the incident */
    double log_odds;        /* beyond those of any other cause; a ranking bounds it */
    const char *text;       /* one sentence: why */
    const char *query;      /* shows it again */
    int64_t at_ns;          /* of the newest of what it rests on */
    double value, baseline; /* how often it was so, and how often where nothing is known; 0..1 */
} fl_prior;

/* What later telemetry says of a hypothesis, by the heaviest of its evidence that could be measured
 * again. That nothing could be measured is no recovery. */
typedef enum fl_recheck_state {
    FL_RECHECK_NOT_SEEN,
    FL_RECHECK_CLEARED,    /* nearer to what it was before than during the incident */
    FL_RECHECK_STILL_THERE /* as near to what it was during the incident, or nearer */
} fl_recheck_state;

typedef struct fl_recheck {
    size_t hypothesis; /* place among those of the earlier answer */
    fl_recheck_state state;
    const fl_evidence *evidence; /* of the earlier answer; NULL where nothing was seen */
    double after;                /* its value now; NaN where nothing was seen */
} fl_recheck;

typedef struct fl_ruled_out {
    const char *service;
    const char *text; /* one sentence: why not */
} fl_ruled_out;

typedef struct fl_range {
    int64_t from_ns, to_ns; /* to is exclusive; both 0 where there is none */
} fl_range;

/* A moment on the incident's clock that no figure of the telemetry shows: what profiles found, step
 * by step (docs/leaks.md, "In a triage"). */
typedef struct fl_moment {
    int64_t at_ns;
    const char *service;
    const char *text;
    const char *query; /* the command that shows it again */
} fl_moment;

/* A clock that differed from those of most, as calls between client and server tell; times of its
 * spans and lines were put right by `offset_ns` (ahead of the others where it is above 0). */
typedef struct fl_clock_skew {
    const char *service, *instance; /* instance NULL where not known */
    int64_t offset_ns, error_ns;
    uint64_t calls; /* that told it */
} fl_clock_skew;

typedef struct fl_incident {
    const char *id; /* a function of the question and the data: the same input, the same id */
    int64_t at_ns;
    fl_range window, baseline;
    fl_onset onset; /* of the first hypothesis, where that is beyond chance */
    uint64_t metric_series, log_records, log_templates, trace_spans, trace_edges;
    uint64_t change_events;
    bool missing[FL_MODALITY_COUNT]; /* nothing of it inside the window */
    fl_verdict verdict;
    const fl_hypothesis *hypotheses;
    size_t hypothesis_count;
    const fl_ruled_out *ruled_out;
    size_t ruled_out_count;
    const fl_moment *moments; /* by time */
    size_t moment_count;
    const fl_clock_skew *clocks; /* by service and instance */
    size_t clock_count;
    const char *const *warnings;
    size_t warning_count;
    uint64_t rejected_records; /* unreadable; more than 0 makes the answer a partial one */
} fl_incident;

#ifdef __cplusplus
}
#endif

#endif
