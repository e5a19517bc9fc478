/*
 * http.h - an HTTP/1.1 server over libmicrohttpd that knows routes, roles and limits, and no word
 * of telemetry.
 *
 * Threads: each listener has one event thread, which reads heads and bodies and writes answers and
 * never blocks. A request that is whole goes to a worker, where its handler may block. One more
 * thread closes connections that are past their deadlines.
 *
 * What is refused here, as application/problem+json (RFC 9457): 400 a head or body that cannot be
 * trusted (two lengths, an encoding that does not hold), 401/403 without the role, 404, 405 with
 * Allow, 413, 415 an encoding that is not read, 429 too much from one client, 503 the budget or the
 * queue is full, or the process is stopping. libmicrohttpd itself answers what is not HTTP at all,
 * and heads beyond its memory (431), with its own short pages.
 */
#ifndef FL_HTTP_H
#define FL_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "workers.h"

typedef struct fl_tls fl_tls;       /* tls.h */
typedef struct fl_tokens fl_tokens; /* tokens.h */

/* What a route asks for, and what a token grants; ADMIN grants all. */
typedef enum fl_http_role {
    FL_ROLE_NONE,
    FL_ROLE_INGEST,
    FL_ROLE_READ,
    FL_ROLE_ADMIN
} fl_http_role;

typedef struct fl_http_field {
    const char *name, *value;
} fl_http_field;

/* Borrowed while the handler runs. */
typedef struct fl_http_request {
    const char *method; /* "HEAD" comes as "GET": the body of the answer is left out afterwards */
    const char *path;   /* without the query, decoded */
    fl_slice
        body; /* whole; gzip and zstd undone where Content-Encoding says so, snappy as it came */
    const char *content_type; /* "" where none */
    const char *client;       /* address, for logs and limits */
    int64_t arrival_ns;       /* of the head, since the epoch */
    bool is_grpc;
    const fl_http_field *headers, *parameters;
    size_t header_count, parameter_count;
} fl_http_request;

/* NULL: there is none. Names of headers in any case. The first of several. */
const char *fl_http_header(const fl_http_request *request, const char *name);
const char *fl_http_query(const fl_http_request *request, const char *name);
/* Whether Content-Type is that one: parameters and case do not count. */
bool fl_http_is_type(const fl_http_request *request, const char *type);

/* Of other headers; and of an ETag, with its quotes: 16 digits, or as many as a stranger's. */
enum { FL_HTTP_EXTRA = 6, FL_HTTP_TAG = 40 };

/* A body that goes on for as long as there is something to tell, in place of `body`. Both functions
 * run on an event thread and must not block. */
typedef struct fl_http_stream {
    /* Write up to `room` bytes and say how many. 0: nothing yet, it is asked again
     * FL_HTTP_STREAM_HZ times a second; below 0: that was all. NULL: the reply is no stream. */
    ptrdiff_t (*next)(void *payload, char *out, size_t room);
    void (*end)(void *payload); /* once: it is over, the client has gone, or it was never sent */
    void *payload;
} fl_http_stream;

enum { FL_HTTP_STREAM_HZ = 4 };

/* A body that many replies send, with its ETag and packed by gzip: it is made once and goes with
 * the last who holds it. Any thread. */
typedef struct fl_http_kept fl_http_kept;
/* The bytes are copied; one holder. */
FL_NODISCARD fl_status fl_http_kept_create(fl_http_kept **out, fl_slice bytes, fl_error *err);
/* One holder more; the same body. */
fl_http_kept *fl_http_kept_hold(fl_http_kept *kept);
void fl_http_kept_drop(fl_http_kept *kept); /* one holder less; NULL is a no-op */
/* What it occupies. */
size_t fl_http_kept_bytes(const fl_http_kept *kept);

/* Comes empty: 200, no type, a body that takes FL_HTTP_MAX_REPLY bytes. */
typedef struct fl_http_reply {
    unsigned status;
    const char *content_type;           /* static text; NULL: none */
    fl_buf body;                        /* the server's; one that failed becomes a 500 */
    unsigned retry_after_s;             /* 0: none */
    fl_http_field extra[FL_HTTP_EXTRA]; /* static texts */
    size_t extra_count;
    char etag[FL_HTTP_TAG]; /* "": none */
    fl_http_stream stream;  /* one that has ended is no longer there */
    fl_http_kept *kept;     /* in place of `body`; NULL: none */
    fl_slice sent;          /* of `kept`: it, or how it is packed */
} fl_http_reply;

/* One more header of two static texts. */
void fl_http_reply_add(fl_http_reply *reply, const char *name, const char *value);
/* What an ETag of these bytes is: the same bytes, the same tag. */
void fl_http_tag_of(char out[FL_HTTP_TAG], fl_slice bytes);
/* And when they are sent packed. */
void fl_http_packed_tag_of(char out[FL_HTTP_TAG], const char *tag);
/* Whether a header like If-Match or If-None-Match names the tag (RFC 9110, 8.8.3 and 13.1); `value`
 * may be NULL, which names none. Weak tags are like strong ones where `is_weak`, else like none. */
bool fl_http_tag_matches(const char *value, const char *tag, bool is_weak);
/* The reply gets the ETag of its body; one that the client has already becomes 304 without it. */
void fl_http_reply_tag(fl_http_reply *reply, const fl_http_request *request);
/* The reply sends `kept`, which is held for it, under its ETag: packed where the client takes that,
 * 304 where it has it already. */
void fl_http_reply_keep(fl_http_reply *reply, fl_http_kept *kept, const fl_http_request *request);
/* Whether Accept-Encoding takes gzip. */
bool fl_http_takes_gzip(const fl_http_request *request);
/* What the reply sends, if it is no stream. */
fl_slice fl_http_reply_bytes(const fl_http_reply *reply);
/* The reply becomes that status as problem+json: `detail` is a sentence for people. */
void fl_http_problem(fl_http_reply *reply, unsigned status, const char *detail, ...)
    FL_PRINTF(3, 4);
/* The sentence of such a reply, without its escapes; nothing of another one. */
void fl_http_problem_detail(fl_buf *out, const fl_http_reply *reply);
/* "Bad Request", also for codes that nobody knows. */
const char *fl_http_status_text(unsigned status);

/* Runs on a worker, may block. */
typedef void fl_http_handler(void *context, const fl_http_request *request, fl_http_reply *reply);

typedef struct fl_http_route {
    const char *method; /* GET answers HEAD as well */
    const char *path;   /* a trailing "*": any tail, also an empty one */
    fl_http_role role;
    size_t max_body_bytes; /* as it comes and after decompression; 0: FL_HTTP_MAX_BODY */
    fl_http_handler *run;
    void *context;
    bool is_probe; /* answered also while the server is not ready, or stopping */
    /* Say a refusal of the server in the words of the route's protocol: `reply` is problem+json and
     * keeps its status. NULL: it stays so. Called on any thread, never blocks. */
    void (*refuse)(const fl_http_request *request, fl_http_reply *reply);
} fl_http_route;

/* OTLP recommends 64 MiB as the largest body, after decompression. */
enum {
    FL_HTTP_MAX_BODY = 64 << 20,
    FL_HTTP_MAX_REPLY = 64 << 20,
    FL_HTTP_MAX_ROUTES = 128,
    FL_HTTP_MAX_HEADERS = 64,
    FL_HTTP_MAX_PARAMETERS = 32,
    FL_HTTP_MAX_LISTENERS = 16
};

/* Zero takes the default that stands behind. Files are read at the creation. */
typedef struct fl_http_options {
    unsigned workers;        /* fl_workers_create() */
    size_t max_queued;       /* 1024 requests that wait for a worker */
    size_t max_body_bytes;   /* FL_HTTP_MAX_BODY; no route takes more */
    size_t max_header_bytes; /* 32 KiB: names and values of a request's headers */
    size_t budget_bytes;     /* 256 MiB of bodies and answers, in all */
    unsigned max_per_client; /* 2048 connections of one client (clients.h) */
    unsigned client_rate;    /* requests a second of one client; any number */
    const char *cert_file,
        *key_file;              /* PEM; all listeners speak TLS 1.2 or 1.3; none: they do not */
    const char *client_ca_file; /* clients must show a certificate of these authorities */
    unsigned max_connections;   /* 4096, over all listeners */
    int64_t head_timeout_ns;  /* 10 s from the connection, or the request line, to the head's end */
    int64_t idle_timeout_ns;  /* 75 s between two requests: more than what clients keep (60 s) */
    int64_t body_grace_ns;    /* 15 s for a body or an answer, and as much more as .. */
    uint64_t min_bytes_per_s; /* .. it takes at this rate: 4 KiB/s */
} fl_http_options;

/* Reasons for which nothing reached a handler. */
typedef enum fl_http_refusal {
    FL_HTTP_REFUSED_HEAD, /* malformed or contradictory */
    FL_HTTP_REFUSED_AUTH,
    FL_HTTP_REFUSED_ROUTE, /* not found, or another method */
    FL_HTTP_REFUSED_SIZE,
    FL_HTTP_REFUSED_ENCODING, /* not known, or does not hold */
    FL_HTTP_REFUSED_RATE,
    FL_HTTP_REFUSED_BUDGET,
    FL_HTTP_REFUSED_QUEUE,
    FL_HTTP_REFUSED_STOPPING, /* or not ready */
    FL_HTTP_REFUSALS
} fl_http_refusal;

extern const char *const fl_http_refusal_names[FL_HTTP_REFUSALS];

typedef struct fl_http_stats {
    unsigned connections;
    uint64_t connections_total, connections_refused, connections_overdue;
    uint64_t requests, answers[6]; /* by the first digit of the status */
    uint64_t refused[FL_HTTP_REFUSALS];
    uint64_t wire_bytes; /* of bodies as they came */
    uint64_t body_bytes; /* after decompression */
    size_t budget_used_bytes, budget_bytes;
    fl_workers_stats workers;
} fl_http_stats;

typedef struct fl_http fl_http;

/* Workers run, nothing listens. FL_E_UNSUPPORTED where libmicrohttpd is missing. */
FL_NODISCARD fl_status fl_http_create(fl_http **out, const fl_http_options *options, fl_error *err);
/* From one thread, also while it serves. The texts and contexts are borrowed, the array is copied.
 */
FL_NODISCARD fl_status fl_http_add(fl_http *http, const fl_http_route *routes, size_t count,
                                   fl_error *err);
/* "127.0.0.1:4318", "[::1]:0", "0.0.0.0:80": numbers only; port 0 is any free one. FL_E_SYNTAX on
 * another text, FL_E_IO "cannot listen on ADDRESS: reason". *port is where it listens. */
FL_NODISCARD fl_status fl_http_listen(fl_http *http, const char *address, unsigned *port,
                                      fl_error *err);
/* A server that is not ready answers probes, and 503 to all else: so it can listen before what its
 * handlers need is there. A new one is ready. */
void fl_http_set_ready(fl_http *http, bool is_ready);
/* From now on routes with a role ask for a token. Takes `tokens` (tokens.h); NULL: they do not. */
void fl_http_set_tokens(fl_http *http, fl_tokens *tokens);
/* New connections show that certificate and believe those authorities. Takes `tls`; there was one
 * before, and clients have to show certificates now as then. */
void fl_http_set_tls(fl_http *http, fl_tls *tls);
/* The one that counts, kept for the caller (fl_tls_drop); NULL: this server speaks no TLS. */
fl_tls *fl_http_tls(fl_http *http);
void fl_http_set_rate(fl_http *http, unsigned requests_per_s);
/* No more connections; requests under way are finished, for at most `grace_ns` where a client has
 * to do something for it. Handlers are waited for. Again is a no-op. */
void fl_http_stop(fl_http *http, int64_t grace_ns);
void fl_http_destroy(fl_http *http); /* stops at once, where it was not stopped. NULL is a no-op */
fl_http_stats fl_http_stats_of(fl_http *http);

/* --- for other transports over the same routes: gRPC --- */

/* The route, or NULL after a 404 or 405 in `reply`. */
const fl_http_route *fl_http_find(fl_http *http, const char *method, const char *path,
                                  fl_http_reply *reply);
/* Whether the request may have that route: role and rate; after false, why not is in `reply`. */
bool fl_http_admit(fl_http *http, const fl_http_route *route, const fl_http_request *request,
                   fl_http_reply *reply);
/* What its requests may have of a body. */
size_t fl_http_max_body(const fl_http *http, const fl_http_route *route);
/* The client showed no certificate that is believed: counted, and 403 in `reply`. */
void fl_http_refuse_untrusted(fl_http *http, fl_http_reply *reply);
/* The handler, with an empty reply that the caller disposes of. */
void fl_http_run(fl_http *http, const fl_http_route *route, const fl_http_request *request,
                 fl_http_reply *reply);
void fl_http_reply_init(fl_http_reply *reply);
void fl_http_reply_dispose(fl_http_reply *reply);
fl_workers *fl_http_workers(fl_http *http);
fl_budget *fl_http_budget(fl_http *http);

#endif
