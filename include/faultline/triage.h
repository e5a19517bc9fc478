/*
 * triage.h - from telemetry files to a ranked root cause, in one call.
 */
#ifndef FAULTLINE_TRIAGE_H
#define FAULTLINE_TRIAGE_H

#include "faultline/incident.h"
#include "faultline/leak_run.h"
#include "faultline/record.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fl_triage fl_triage;

/* Records that come from elsewhere than files: what is before `at` is baseline. */
typedef struct fl_triage_feed {
    /* Push them all. FL_E_IO costs this feed only, as an unreadable file of a folder does: its
     * sentence is a warning, and what was pushed counts. Anything else ends the triage. */
    fl_status (*read)(void *payload, const fl_sink *sink, fl_error *err);
    void *payload;
    bool tells_changes; /* where there is none, there was none: it is not a missing modality */
} fl_triage_feed;

typedef struct fl_triage_request {
    const char *const
        *otlp; /* files or folders with the incident; folders are read one level deep */
    size_t otlp_count;
    const char *const *baseline; /* the same for fault-free telemetry; may be none */
    size_t baseline_count;
    const char *const *events; /* files with change events, webhooks, or alerts */
    size_t events_count;
    const fl_triage_feed *feeds; /* each is read once */
    size_t feed_count;
    bool at_from_alerts; /* the alerts among `events` tell at_ns, and `service` where it is NULL */
    int64_t at_ns;       /* when it was noticed or began */
    int64_t window_ns;   /* how long after `at` to look; 0: 5 minutes */
    const char *service; /* whose symptom is reported; NULL: not known */
    const char
        *topology; /* JSON list of {"client","server"} (or {"caller","callee"}); NULL: from spans */
    const char *roles; /* YAML with metric roles, before the built-in ones; NULL: none */
    /* Profiles: "SERVICE=PATH", or PATH, a folder named as the service or with a folder for each;
     * what faultline/leak_run.h takes. May be none. */
    const char *const *pprof;
    size_t pprof_count;
    /* What judges profiles, traces and heap dumps beside the built-in signatures: YAML files or
     * folders of them; one replaces the built-in one of its name. May be none. */
    const char *const *signatures;
    size_t signature_count;
    const fl_leak_asker *asker; /* how addresses among them are asked; NULL: they are refused */
    /* Execution traces of Go programs: "SERVICE=FILE", "SERVICE=URL", or one of `service`. */
    const char *const *traces;
    size_t trace_count;
    int64_t trace_start_ns; /* when the one trace began that does not say so; 0: not told */
    /* Heap dumps and class histograms of Java programs: "SERVICE=FILE[,FILE...]", or such files of
     * `service`. */
    const char *const *heaps;
    size_t heap_count;
    const char *temp_folder; /* packed heap dumps are unpacked there; NULL: /var/tmp */
    /* An earlier answer whose evidence is to be measured again in this window, after a fix; NULL:
     * none. Records of `otlp` from its beginning up to at_ns are left out: they are the incident.
     */
    const fl_incident *recheck;
    bool strict; /* the first malformed record ends the triage */
    /* Called now and then with what is being done; `done` of `total` bytes. May be NULL. */
    void (*progress)(void *payload, const char *what, uint64_t done, uint64_t total);
    void *payload;
} fl_triage_request;

/* Read, correlate, rank. Deterministic: the same bytes in files of any order and any names give
 * the same incident. The caller owns *out. Errors: FL_E_IO (an input is missing or holds no
 * telemetry), FL_E_SYNTAX (topology, roles, or strict mode), FL_E_LIMIT, FL_E_NOMEM. Inputs that
 * are damaged in part give FL_OK, warnings, and incident.rejected_records. */
FL_NODISCARD fl_status fl_triage_run(fl_triage **out, const fl_triage_request *request,
                                     fl_error *err);
/* Let what is remembered speak: each prior is evidence of its own for its hypothesis, and may
 * change the order, the probabilities and the verdict. It is bounded, so that it decides only
 * between hypotheses whose telemetry is close, and it makes none of those that telemetry does not
 * call real. Texts are copied. Once, after fl_triage_run(); without priors nothing changes. */
FL_NODISCARD fl_status fl_triage_weigh(fl_triage *triage, const fl_prior *priors, size_t count,
                                       fl_error *err);
/* Lives as long as the triage. */
const fl_incident *fl_triage_incident(const fl_triage *triage);
/* Of each hypothesis of the request's `recheck`, in their order; NULL where there was none. Borrows
 * from that answer. */
const fl_recheck *fl_triage_rechecked(const fl_triage *triage);
/* Nanoseconds of wall time that decoding took. */
int64_t fl_triage_decode_ns(const fl_triage *triage);
/* Nanoseconds of wall time that ranking took. */
int64_t fl_triage_rank_ns(const fl_triage *triage);
/* NULL is a no-op. */
void fl_triage_destroy(fl_triage *triage);

/* "0.1.0" */
const char *fl_version(void);

#ifdef __cplusplus
}
#endif

#endif
