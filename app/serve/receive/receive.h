/*
 * receive.h - every protocol in which telemetry is sent to us: its routes, its decoder, its answer.
 *
 *   request -> decoder -> clock -> redaction -> batch -> archive (durable) -> taps -> the
 * protocol's own answer
 *
 * A request is acknowledged only when what it held is durable; sent again, it changes nothing. What
 * is wrong with one record costs that record, and the sender is told in the way in which its
 * protocol does. docs/receive.md has the table of routes, answers and limits.
 *
 * Clock: a record that is more than `max_ahead_ns` ahead of the request's arrival is refused, since
 * it would be the newest for as long. One that is older than `max_age_ns` is refused where that is
 * set. One that is older than an hour is late: kept, and counted. Alerts are kept whenever they
 * began: they may have fired for weeks.
 */
#ifndef FL_RECEIVE_H
#define FL_RECEIVE_H

#include "archive.h"
#include "http.h"
#include "redact.h"

typedef struct fl_receive fl_receive;

typedef enum fl_receive_protocol {
    FL_RECEIVE_OTLP_LOGS,
    FL_RECEIVE_OTLP_TRACES,
    FL_RECEIVE_OTLP_METRICS,
    FL_RECEIVE_REMOTE_WRITE,
    FL_RECEIVE_LOKI,
    FL_RECEIVE_ZIPKIN,
    FL_RECEIVE_ALERTMANAGER,
    FL_RECEIVE_GITHUB,
    FL_RECEIVE_GITLAB,
    FL_RECEIVE_EVENTS,
    FL_RECEIVE_PYROSCOPE,
    FL_RECEIVE_PPROF,
    FL_RECEIVE_PROTOCOLS
} fl_receive_protocol;

/* Why a whole request was refused: nothing of it was kept, but of the last two. */
typedef enum fl_receive_refusal {
    FL_RECEIVE_UNSUPPORTED,  /* a type, an encoding or a version that is not read */
    FL_RECEIVE_UNAUTHORIZED, /* a webhook's signature or token */
    FL_RECEIVE_MALFORMED,    /* not what its protocol says */
    FL_RECEIVE_TOO_LARGE,    /* more than one batch may hold */
    FL_RECEIVE_OVERLOADED,   /* disk or memory full: the sender shall try again */
    FL_RECEIVE_FAILED,       /* the disk failed: the same */
    FL_RECEIVE_REFUSALS
} fl_receive_refusal;

/* What becomes of records that are not kept. */
typedef enum fl_receive_loss {
    FL_RECEIVE_LOST_UNREADABLE,
    FL_RECEIVE_LOST_AHEAD,            /* of the clock */
    FL_RECEIVE_LOST_TOO_OLD,          /* older than max_age_ns */
    FL_RECEIVE_LOST_STALE,            /* samples that only mark the end of a series */
    FL_RECEIVE_LOST_NOT_FINITE,       /* samples: NaN and infinities */
    FL_RECEIVE_LOST_EXEMPLAR,         /* have no place here */
    FL_RECEIVE_LOST_NATIVE_HISTOGRAM, /* the same */
    FL_RECEIVE_LOST_ATTRIBUTE,        /* and events, over the limits of one record, which is kept */
    FL_RECEIVE_LOSSES
} fl_receive_loss;

/* Since the creation. Requests are those that reached a handler. */
typedef struct fl_receive_counts {
    uint64_t requests, bytes; /* of bodies, decompressed by the transport */
    uint64_t repeated;        /* requests that were accepted before, and added nothing */
    uint64_t refused[FL_RECEIVE_REFUSALS];
    uint64_t records[FL_ARCHIVE_KIND_COUNT]; /* accepted */
    uint64_t profiles;
    uint64_t late; /* of the accepted */
    uint64_t lost[FL_RECEIVE_LOSSES];
} fl_receive_counts;

typedef struct fl_receive_stats {
    fl_receive_counts by[FL_RECEIVE_PROTOCOLS];
} fl_receive_stats;

/* "otlp_logs", "unsupported", "ahead" ...: for statistics. */
const char *fl_receive_protocol_name(fl_receive_protocol protocol);
const char *fl_receive_refusal_name(fl_receive_refusal refusal);
const char *fl_receive_loss_name(fl_receive_loss loss);

/* Sees each batch after its commit, unless it was a repeated one. On the thread of the request, so
 * it must not block; several threads at a time. */
typedef struct fl_receive_tap {
    void *payload;
    void (*batch)(void *payload, const fl_archive_batch *batch);
} fl_receive_tap;

typedef struct fl_receive_options {
    fl_archive *archive;        /* borrowed */
    const fl_receive_tap *taps; /* copied */
    size_t tap_count;
    /* Empty: that webhook is taken from loopback alone. Copied. */
    fl_slice github_secret, gitlab_token;
    fl_redact_rules *redaction; /* what is taken out of records; kept. NULL: nothing */
    int64_t max_ahead_ns;       /* 0: 10 minutes, as Loki's creation_grace_period */
    int64_t max_age_ns;         /* 0: however old */
} fl_receive_options;

enum { FL_RECEIVE_MAX_TAPS = 4 };

/* FL_E_NOMEM. The caller owns *out. */
FL_NODISCARD fl_status fl_receive_create(fl_receive **out, const fl_receive_options *options,
                                         fl_error *err);
/* Nobody may be inside. NULL is a no-op. */
void fl_receive_destroy(fl_receive *receive);
/* Borrowed, as long as `receive` lives. The handlers run on any number of threads. */
const fl_http_route *fl_receive_routes(const fl_receive *receive, size_t *count);
fl_receive_stats fl_receive_stats_of(fl_receive *receive);
/* Other rules from the next request on; kept. */
void fl_receive_set_redaction(fl_receive *receive, fl_redact_rules *rules);
/* Those that hold now, for others who keep records: the caller gives them back. NULL: none. */
fl_redact_rules *fl_receive_redaction(fl_receive *receive);

#endif
