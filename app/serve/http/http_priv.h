/*
 * http_priv.h - the server's inside: one struct for the server, one for each connection.
 *
 * A connection's struct is touched by its event thread, but between suspending and resuming by the
 * worker alone; only `deadline_ns` is read by the thread that closes what is overdue.
 */
#ifndef FL_HTTP_PRIV_H
#define FL_HTTP_PRIV_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "clients.h"
#include "http.h"
#include "tls.h"
#include "tokens.h"

/* A refused body up to this size is read to its end, so that the client hears the answer and the
 * connection goes on; before a larger one that is announced the answer comes at once. */
enum { FL_HTTP_DISCARD_BYTES = 1 << 20, FL_HTTP_DISCARD_MOST = 256 << 20 };

typedef enum fl_http_encoding {
    FL_HTTP_PLAIN, /* also snappy: a part of what remote write calls its content */
    FL_HTTP_GZIP,
    FL_HTTP_ZSTD,
    FL_HTTP_UNKNOWN
} fl_http_encoding;

typedef enum fl_http_phase {
    FL_HTTP_HEAD,    /* nothing of the next request is known */
    FL_HTTP_BODY,    /* wanted or discarded */
    FL_HTTP_WORK,    /* a worker has it */
    FL_HTTP_ANSWER,  /* the reply is there */
    FL_HTTP_WRITING, /* and is on its way */
} fl_http_phase;

struct MHD_Connection;
struct MHD_Daemon;

typedef struct fl_http_conn {
    fl_job job; /* the first member */
    fl_http *http;
    struct fl_http_conn *next, *prev; /* under the server's lock */
    int fd;
    _Atomic int64_t deadline_ns; /* monotonic; INT64_MAX: none */
    struct MHD_Connection *mhd;  /* of the request under way */
    fl_http_phase phase;
    fl_http_request request;
    fl_http_reply reply;
    bool has_reply; /* `reply` is to be disposed of */
    atomic_bool
        is_waiting; /* a stream that has nothing to tell: suspended, and to be asked again */
    bool must_close;
    bool is_trusted;            /* its certificate was verified, where one is asked for */
    const fl_http_route *route; /* NULL: refused */
    fl_http_encoding encoding;
    uint64_t announced; /* Content-Length; UINT64_MAX: chunked */
    uint64_t came;
    int64_t began_ns; /* of the body, monotonic */
    unsigned char *body;
    size_t body_cap;
    size_t charged;             /* to the budget */
    fl_tls *tls;                /* that its session uses; NULL: none */
    const fl_http_route *asked; /* the route, also of a request that is refused */
    fl_http_field headers[FL_HTTP_MAX_HEADERS], parameters[FL_HTTP_MAX_PARAMETERS];
    char client[INET6_ADDRSTRLEN];
} fl_http_conn;

struct fl_http {
    fl_http_options options;
    fl_http_route routes[FL_HTTP_MAX_ROUTES];
    atomic_size_t route_count; /* grows only; what is below it does not change */
    struct MHD_Daemon *listeners[FL_HTTP_MAX_LISTENERS];
    size_t listener_count;
    fl_workers *workers;
    fl_budget budget;
    fl_clients *clients;
    pthread_rwlock_t tokens_lock;
    fl_tokens *tokens; /* NULL: nobody has to have one */
    fl_tls *tls;       /* under the lock; NULL: it speaks no TLS */
    bool is_mutual;    /* clients show certificates */

    pthread_mutex_t lock; /* the list of connections, and the end of the overdue thread */
    pthread_cond_t wake;
    fl_http_conn *conns;
    bool is_ending;
    pthread_t overdue;

    atomic_bool is_ready;
    atomic_bool is_stopping; /* requests are refused */
    atomic_bool is_closed;   /* nothing goes to the workers any more */
    atomic_uint connections, active, working;
    _Atomic uint64_t connections_total, connections_refused, connections_overdue;
    _Atomic uint64_t requests, wire_bytes, body_bytes;
    _Atomic uint64_t answers[6], refused[FL_HTTP_REFUSALS];
};

/* --- http_conn.c: what libmicrohttpd calls --- */
struct sockaddr;
/* Opens what libmicrohttpd needs over a socket that listens. NULL: it could not. */
struct MHD_Daemon *fl_http_conn_serve(fl_http *http, int fd);

/* Streams that wait are asked again; under the server's lock. */
void fl_http_conn_wake(fl_http *http);

/* --- http_body.c --- */
fl_http_encoding fl_http_encoding_of(const char *name);
/* The body's memory for `more` bytes after `came`, charged to the budget. */
FL_NODISCARD bool fl_http_body_add(fl_http_conn *conn, const char *bytes, size_t len);
/* request.body out of what came, decompressed. After false a problem is in `reply`. */
FL_NODISCARD bool fl_http_body_open(fl_http_conn *conn, unsigned char **opened);
void fl_http_body_drop(fl_http_conn *conn);

/* --- http_auth.c --- */
void fl_http_refuse_all(fl_http *http, fl_http_reply *reply);

/* --- http_route.c --- */
void fl_http_count_refusal(fl_http *http, fl_http_refusal why);

#endif
