/*
 * grpc.h - unary gRPC over HTTP/2, with prior knowledge or over TLS where the HTTP server has a
 * certificate, into the handlers of http.h.
 *
 * Threads: one event thread reads, writes and frames; a call whose message is whole goes to the
 * HTTP server's workers, which decompress it and run the route's handler. Roles, tokens, rates and
 * the budget of bytes are those of the HTTP server.
 *
 * A method is a name on the wire and the route that takes its message: the handler gets what it
 * would get by HTTP POST as application/x-protobuf, and its reply's status becomes the grpc-status
 * (fl_grpc_code_of_http), a google.rpc.Status or problem+json the grpc-message, Retry-After a
 * google.rpc.RetryInfo. grpc.health.v1.Health/Check is answered here.
 */
#ifndef FL_GRPC_H
#define FL_GRPC_H

#include "grpc_wire.h"
#include "http.h"

typedef struct fl_grpc fl_grpc;

typedef struct fl_grpc_method {
    const char *name;  /* "/package.Service/Method" */
    const char *route; /* of the HTTP server, by POST */
} fl_grpc_method;

/* The three of OTLP, ended by an empty one. */
extern const fl_grpc_method fl_grpc_otlp_methods[];

enum { FL_GRPC_MAX_LISTENERS = 16 };

/* Zero takes the default that stands behind. */
typedef struct fl_grpc_options {
    const fl_grpc_method *methods;   /* fl_grpc_otlp_methods; borrowed */
    unsigned max_connections;        /* 1024 */
    unsigned max_per_client;         /* 256 connections of one address */
    size_t max_streams;              /* 100 calls of a connection */
    size_t max_header_bytes;         /* 8 KiB of a call, and no more than that */
    bool (*is_ready)(void *payload); /* what Health/Check says; NULL: always */
    void *payload;
} fl_grpc_options;

typedef struct fl_grpc_stats {
    unsigned connections;
    uint64_t connections_total, connections_refused, connections_failed;
    uint64_t connections_impatient; /* ended for what they cost */
    uint64_t calls, codes[FL_GRPC_CODES];
    uint64_t resets, refused_streams;
    uint64_t message_bytes;  /* as they came, with their prefixes */
    uint64_t unpacked_bytes; /* what handlers got */
} fl_grpc_stats;

/* Nothing listens. The HTTP server is borrowed and has its routes. FL_E_UNSUPPORTED where
 * libnghttp2 is missing, FL_E_NOTFOUND for a method whose route is not there. */
FL_NODISCARD fl_status fl_grpc_create(fl_grpc **out, fl_http *http, const fl_grpc_options *options,
                                      fl_error *err);
/* As fl_http_listen(). */
FL_NODISCARD fl_status fl_grpc_listen(fl_grpc *grpc, const char *address, unsigned *port,
                                      fl_error *err);
/* No more connections and calls; those under way are finished, for at most `grace_ns`. Handlers are
 * waited for. Again is a no-op. Before fl_http_stop(). */
void fl_grpc_stop(fl_grpc *grpc, int64_t grace_ns);
void fl_grpc_destroy(fl_grpc *grpc); /* stops at once, where it was not stopped. NULL is a no-op */
fl_grpc_stats fl_grpc_stats_of(fl_grpc *grpc);

#endif
