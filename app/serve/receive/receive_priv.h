/*
 * receive_priv.h - what the protocols share: the context of one request in hand, the table that
 * says how each is decoded and answered.
 */
#ifndef FL_RECEIVE_PRIV_H
#define FL_RECEIVE_PRIV_H

#include "arena.h"
#include "metric_types.h"
#include "otlp.h"
#include "prometheus.h"
#include "receive.h"
#include "receive_guard.h"

/* Everything that decoding needs, reused from request to request; one request at a time. */
typedef struct fl_receive_context {
    struct fl_receive_context *next;
    fl_receive *receive;
    fl_archive_batch *batch;
    fl_redact *redact;      /* in front of the batch; NULL: nothing is taken out */
    fl_redact_rules *rules; /* of `redact`, which keeps them */
    fl_receive_guard guard; /* in front of both; decoders push into guard.sink */
    fl_intake intake;
    fl_otlp *otlp;
    fl_prometheus *prometheus;
    fl_metric_types_seen types_seen; /* what `prometheus` knows of the shared types */
    fl_arena arena;                  /* of one request */
    /* A profile to be kept, which no batch holds: its bytes are the request's, or a part. */
    bool has_profile;
    fl_archive_profile who; /* in the arena */
    fl_slice profile;
} fl_receive_context;

/* What became of a request, for its answer. */
typedef struct fl_receive_outcome {
    unsigned status;      /* HTTP's; 200 where all is well, whatever the protocol's own is */
    const char *sentence; /* why it was refused; "" otherwise */
    uint64_t accepted;
    uint64_t refused;   /* records */
    const char *reason; /* of the first of them */
} fl_receive_outcome;

/* One protocol. `decode` pushes into the context's guard. */
typedef struct fl_receive_how {
    fl_receive_protocol protocol;
    const char *path;
    fl_http_role role;
    size_t max_body_bytes; /* 0: HTTP's own limit */
    /* The protocol has no word for "in part": a refused record is the request's failure (400),
     * though the others are kept. */
    bool is_whole;
    /* NULL: anybody may send. Otherwise 0, or the status and why. */
    unsigned (*admit)(const fl_receive *receive, const fl_http_request *request, fl_error *err);
    /* Whether type and encoding are read: FL_E_UNSUPPORTED becomes 415. */
    fl_status (*check)(const fl_http_request *request, fl_error *err);
    fl_status (*decode)(fl_receive_context *context, const fl_http_request *request, fl_error *err);
    void (*answer)(const fl_receive_outcome *outcome, const fl_http_request *request,
                   fl_http_reply *reply);
    /* fl_http_route.refuse */
    void (*refuse)(const fl_http_request *request, fl_http_reply *reply);
} fl_receive_how;

extern const fl_receive_how fl_receive_otlp_logs, fl_receive_otlp_traces, fl_receive_otlp_metrics,
    fl_receive_remote_write, fl_receive_loki, fl_receive_zipkin, fl_receive_alertmanager,
    fl_receive_github, fl_receive_gitlab, fl_receive_events, fl_receive_pyroscope, fl_receive_pprof;

/* Routes that only answer: what clients ask before they send, and what is not read. */
enum { FL_RECEIVE_PROBES = 6 };
void fl_receive_probe_routes(fl_http_route routes[FL_RECEIVE_PROBES]);

/* Of a webhook that is not verified: FL_HTTP's client text is an address of this machine. */
bool fl_receive_is_loopback(const char *client);
fl_slice fl_receive_github_secret(const fl_receive *receive);
fl_slice fl_receive_gitlab_token(const fl_receive *receive);
/* One profile is read at a time: it may need a gigabyte. The caller reads between the two. */
void fl_receive_profile_begin(fl_receive *receive);
void fl_receive_profile_end(fl_receive *receive);
/* FL_OK, or FL_E_UNSUPPORTED where Content-Encoding is not `wanted` (NULL: none), which the
 * transport has not undone. */
FL_NODISCARD fl_status fl_receive_check_encoding(const fl_http_request *request, const char *wanted,
                                                 fl_error *err);
/* The same of Content-Type: `type`, or none at all. */
FL_NODISCARD fl_status fl_receive_check_type(const fl_http_request *request, const char *type,
                                             fl_error *err);

#endif
