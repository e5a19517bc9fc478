/*
 * grpc_session.h - one HTTP/2 connection's unary calls, without sockets, threads or clocks: bytes
 * go in, calls come out, answers go in, bytes come out.
 *
 * A call belongs to the session while it arrives and while it is answered, and to whoever took it
 * from hooks.ready in between. A client that goes away meanwhile leaves it `is_cancelled`.
 *
 * What a hostile client can do is bounded by limits below: memory by the streams of a connection
 * and by the budget, work by the patience (grpc_session.c).
 */
#ifndef FL_GRPC_SESSION_H
#define FL_GRPC_SESSION_H

#include <stdatomic.h>

#include "grpc_wire.h"
#include "http.h"

typedef struct fl_grpc_session fl_grpc_session;

enum {
    FL_GRPC_MAX_STREAMS = 100,          /* of a connection, where nothing else is said */
    FL_GRPC_MAX_HEADER_BYTES = 8 << 10, /* of a call; what gRPC libraries allow by default */
    FL_GRPC_CALL_BYTES = 12 << 10,      /* taken from the budget for a call without its message */
    FL_GRPC_STREAM_WINDOW = 1 << 20, /* what may be under way of a message: 100 ms at 80 Mbit/s */
    FL_GRPC_CONNECTION_WINDOW = 4 << 20
};

typedef enum fl_grpc_call_state {
    FL_GRPC_ARRIVING,
    FL_GRPC_RUNNING,  /* with whoever took it */
    FL_GRPC_ANSWERING /* the answer is being sent */
} fl_grpc_call_state;

typedef struct fl_grpc_call {
    fl_job job; /* first: workers know the call by it */
    fl_grpc_session *session;
    void *owner;                          /* the payload of the hooks */
    struct fl_grpc_call *next, *previous; /* of the session */
    struct fl_grpc_call *next_done;       /* of whoever took it */
    int32_t stream_id;                    /* 0: the stream is closed */
    fl_grpc_call_state state;
    atomic_bool is_cancelled;
    bool has_ended; /* the client has sent all */
    /* The head: name NUL value NUL .., and where each stands. */
    fl_buf head;
    uint16_t head_at[FL_HTTP_MAX_HEADERS];
    fl_http_field fields[FL_HTTP_MAX_HEADERS];
    size_t head_count;
    bool is_head_too_large;
    /* For the handler; made when the head is whole. */
    fl_http_request request;
    const fl_http_route *route;
    fl_grpc_message message;
    fl_slice encoding; /* grpc-encoding, of the head; empty where none or identity */
    size_t claimed_bytes;
    int64_t begun_ns, answered_ns,
        deadline_ns; /* on the session's clock; INT64_MAX where there is none */
    /* The answer. */
    fl_http_reply reply; /* its body is the message where the code is OK */
    fl_grpc_code code;
    char why[256];
    unsigned retry_after_s;
    unsigned char prefix[FL_GRPC_PREFIX_BYTES];
    size_t sent_bytes;
} fl_grpc_call;

/* What happens on all connections; read by other threads. */
typedef struct fl_grpc_counters {
    atomic_uint_fast64_t codes[FL_GRPC_CODES]; /* calls by their answer */
    atomic_uint_fast64_t calls, resets, refused_streams, impatient, message_bytes, unpacked_bytes;
} fl_grpc_counters;

typedef struct fl_grpc_hooks {
    void *payload;
    /* The head is whole: find the route and the largest message, or say in `reply` why not. The
     * largest message is `call->message.body.max_bytes`. */
    bool (*admit)(void *payload, fl_grpc_call *call, fl_http_reply *reply);
    /* The message is whole; the call is given back by fl_grpc_session_answer(). False: not taken,
     * there is too much to do. */
    bool (*ready)(void *payload, fl_grpc_call *call);
    fl_budget *budget;
    fl_grpc_counters *counters;
    size_t max_streams;      /* 0: FL_GRPC_MAX_STREAMS */
    size_t max_header_bytes; /* 0, or more than that: FL_GRPC_MAX_HEADER_BYTES */
} fl_grpc_hooks;

/* FL_E_UNSUPPORTED where libnghttp2 is missing, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_grpc_session_create(fl_grpc_session **out, const fl_grpc_hooks *hooks,
                                              int64_t now_ns, fl_error *err);
/* Only when fl_grpc_session_running() is 0. NULL is a no-op. */
void fl_grpc_session_destroy(fl_grpc_session *session);

/* Bytes of the client. FL_E_SYNTAX where it does not speak HTTP/2, FL_E_NOMEM: close it, after what
 * is left of the output. */
FL_NODISCARD fl_status fl_grpc_session_feed(fl_grpc_session *session, fl_slice bytes,
                                            int64_t now_ns, fl_error *err);
/* Append output for the client, at least `most` bytes if there are so many. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_grpc_session_output(fl_grpc_session *session, fl_buf *out, size_t most,
                                              fl_error *err);
/* What the clock asks for: late calls are answered, quiet clients asked whether they are there.
 * False: the connection is dead or idle, close it. */
FL_NODISCARD bool fl_grpc_session_tick(fl_grpc_session *session, int64_t now_ns);
/* No more calls are taken; those there are are finished. */
void fl_grpc_session_stop(fl_grpc_session *session);
/* Nothing more will come or go. */
bool fl_grpc_session_is_over(const fl_grpc_session *session);
/* Nobody is there any more: calls under way are cancelled, and come back nevertheless. */
void fl_grpc_session_abandon(fl_grpc_session *session);
size_t fl_grpc_session_running(const fl_grpc_session *session);

/* Take back a call that hooks.ready took, with its answer: `code`, and `reply.body` or `why`. */
void fl_grpc_session_answer(fl_grpc_session *session, fl_grpc_call *call);
/* Of a call: code and sentence, instead of a message. */
void fl_grpc_call_fail(fl_grpc_call *call, fl_grpc_code code, const char *why, ...) FL_PRINTF(3, 4);
/* Code, sentence and retry out of what a handler or the server said in `call->reply`. */
void fl_grpc_call_conclude(fl_grpc_call *call);
/* Take more of the budget; false: it is full. Given back with the call. */
FL_NODISCARD bool fl_grpc_call_claim(fl_grpc_call *call, size_t bytes);

#endif
