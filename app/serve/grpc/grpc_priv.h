/*
 * grpc_priv.h - the server's inside: the event thread's connections, and what workers give back.
 */
#ifndef FL_GRPC_PRIV_H
#define FL_GRPC_PRIV_H

#include <netinet/in.h>
#include <pthread.h>

#include "grpc.h"
#include "grpc_session.h"
#include "tls.h"

enum {
    FL_GRPC_CONN_BYTES = 32 << 10, /* taken from the budget: libnghttp2's buffers and tables */
    FL_GRPC_TLS_BYTES = 64 << 10,  /* and a session of GnuTLS with its records */
    FL_GRPC_MAX_METHODS = 16,
    FL_GRPC_INPUT_BYTES = 64 << 10
};

typedef enum fl_grpc_source_kind {
    FL_GRPC_LISTENER,
    FL_GRPC_WAKE,
    FL_GRPC_CONN
} fl_grpc_source_kind;

/* What epoll names: the first member of what it is. */
typedef struct fl_grpc_source {
    fl_grpc_source_kind kind;
    int fd;
} fl_grpc_source;

/* The event thread's alone. Closed, it has fd -1 and stays until its calls have come back. */
typedef struct fl_grpc_conn {
    fl_grpc_source source;
    fl_grpc *grpc;
    struct fl_grpc_conn *next, *previous;
    fl_grpc_session *session;
    fl_tls_session *tls; /* NULL: as it is on the wire */
    size_t claimed_bytes;
    fl_buf out;
    size_t out_sent;
    int64_t stuck_ns; /* since when the client has taken nothing; 0: it takes */
    uint32_t events;
    char client[INET6_ADDRSTRLEN];
} fl_grpc_conn;

struct fl_grpc {
    fl_http *http;
    fl_grpc_options options;
    const fl_http_route *routes[FL_GRPC_MAX_METHODS]; /* of options.methods, in their order */
    fl_grpc_counters counters;

    int epoll;
    fl_grpc_source wake; /* an eventfd */
    fl_grpc_source listeners[FL_GRPC_MAX_LISTENERS];
    size_t listener_count;
    pthread_t thread;
    bool is_paused; /* accepting, because it failed; until the next tick */

    /* The event thread's. */
    fl_grpc_conn *conns;
    int64_t now_ns;
    bool said_stop;
    unsigned char input[FL_GRPC_INPUT_BYTES];

    pthread_mutex_t lock;
    fl_grpc_call *done; /* under the lock: calls that workers are through with, newest first */

    atomic_bool is_stopping;
    _Atomic int64_t stop_ns; /* when to stop waiting for others */
    atomic_bool is_joined;
    atomic_uint connections;
    atomic_uint_fast64_t connections_total, connections_refused, connections_failed;
};

/* --- grpc_loop.c --- */
/* The event thread; ends when it was told to stop and nothing is under way. */
void *fl_grpc_loop(void *payload);
void fl_grpc_wake(fl_grpc *grpc);

/* --- grpc_work.c: the hooks of a session; the payload is the connection --- */
bool fl_grpc_admit(void *payload, fl_grpc_call *call, fl_http_reply *reply);
bool fl_grpc_ready(void *payload, fl_grpc_call *call);

#endif
