/*
 * gather_priv.h - one gathering: what its sources share.
 *
 * Phases, each of which runs until no request is left: (1) who is there: traces, and what
 * Prometheus and Loki know without names; (2) metrics and logs of those services. What is asked
 * for in an answer's name belongs to that answer's phase.
 */
#ifndef FL_GATHER_PRIV_H
#define FL_GATHER_PRIV_H

#include "arena.h"
#include "buf.h"
#include "intake.h"
#include "intern.h"
#include "labels.h"
#include "otlp.h"
#include "prometheus.h"
#include "sources.h"

typedef struct gather gather;
typedef struct gather_source gather_source;

/* A minute of the window, or what of it the window has. */
typedef struct gather_slice {
    int64_t from_ns, to_ns;
} gather_slice;

struct gather_source {
    gather *all;
    const fl_source *given;
    fl_pull_source *server;
    fl_gathered *out;
    fl_sink sink;      /* in front of the caller's: counts */
    fl_intake intake;  /* into `sink` */
    void *own;         /* of its kind, in the gathering's arena */
    size_t next_slice; /* that nobody has begun */
};

/* The services that matter: the asked one first, then by how often traces go through them. */
typedef struct gather_services {
    fl_slice *names;
    size_t count;
    bool has_own; /* names[0] is the asked one */
} gather_services;

struct gather {
    const fl_gather_request *request;
    const fl_sink *to;
    fl_pull *pull;
    gather_source *sources;
    fl_arena arena, text; /* for all of it; for an answer's texts */
    fl_buf path;          /* scratch: a request's */
    fl_intern *seen;      /* services of traces */
    uint64_t *seen_count; /* by symbol; room for seen_room */
    size_t seen_room;
    gather_services services;
    gather_slice *slices; /* in the order of reading */
    size_t slice_count;
    uint64_t asked, ended; /* requests, for progress */
};

/* Ask for what stands in all->path, which is cleared. */
FL_NODISCARD fl_status gather_get(gather_source *source, fl_pull_done *done, void *payload,
                                  fl_error *err);
/* Counts an answer; true where it is good. Else the failure is noted. */
bool gather_answered(gather_source *source, const fl_pull_answer *answer);
/* A failure of a decoder: FL_OK where it costs the answer only. */
FL_NODISCARD fl_status gather_decoded(gather_source *source, fl_status status, const fl_error *own,
                                      fl_error *err);
void gather_note(gather_source *source, const char *format, ...) FL_PRINTF(2, 3);
/* The next minute, or NULL; how many there are: all->slice_count. */
const gather_slice *gather_next_slice(gather_source *source);
/* "a|b" of names[from..to) as a pattern inside of a quoted text, into all->path, escaped. */
void gather_put_pattern(gather *all, size_t from, size_t to);
/* `text`, escaped for a query. */
void gather_put(gather *all, const char *text);

/* Each kind's phases; its `own` is made in the first. */
typedef struct gather_kind {
    const char *name;
    fl_status (*first)(gather_source *source, fl_error *err);
    fl_status (*second)(gather_source *source, fl_error *err); /* NULL: none */
    void (*end)(gather_source *source);                        /* NULL: nothing to free */
    bool has_traces;
} gather_kind;

extern const gather_kind gather_prometheus, gather_loki, gather_tempo, gather_jaeger;

#endif
