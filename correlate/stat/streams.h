/*
 * streams.h - spans to streams that can be compared window by window, each conditioned on its
 * direct cause: time without the callees' time, the wire without the callee, the next step given
 * the present one. What is conditioned away cannot be blamed on the wrong side.
 */
#ifndef FL_STREAMS_H
#define FL_STREAMS_H

#include "faultline/timeline.h"

/* A step of a span, in 32 bits: its kind above, an index below. */
typedef uint32_t fl_step;
typedef enum fl_step_kind {
    FL_STEP_START,
    FL_STEP_END,
    FL_STEP_END_ERROR, /* the span's status says so */
    FL_STEP_LOG,       /* index: template */
    FL_STEP_LOCAL,     /* a child in the same service; index: operation */
    FL_STEP_REMOTE,    /* a child in another service; index: operation, or FL_ANY_SERVER */
    FL_STEP_CALL       /* a client span and the span it caused elsewhere; index into calls */
} fl_step_kind;

static inline fl_step fl_step_of(fl_step_kind kind, uint32_t index)
{
    return (uint32_t)kind << 29 | index;
}

static inline fl_step_kind fl_step_kind_of(fl_step step)
{
    return (fl_step_kind)(step >> 29);
}

static inline uint32_t fl_step_index(fl_step step)
{
    return step & 0x1FFFFFFF;
}

/* What a client span reached does not matter to it: many have names such as "HTTP GET", and which
 * targets they mix is load. That they reached one does. */
#define FL_ANY_SERVER UINT32_C(0x1FFFFFFF)

typedef struct fl_call {
    uint32_t client, server; /* operations */
} fl_call;

typedef enum fl_chain { FL_CHAIN_LOGS, FL_CHAIN_CALLS } fl_chain;

/* "In this operation, after this step": what comes next is counted. */
typedef struct fl_context {
    fl_chain chain;
    uint32_t operation;
    fl_step step;
    uint32_t row_count;
    uint32_t first_row; /* index into context_rows */
} fl_context;

/* One next step of a context. windows[] lists the window of each time it happened. */
typedef struct fl_transition {
    uint32_t context;
    fl_step next;
    const uint32_t *windows;
    size_t count;
} fl_transition;

typedef enum fl_value_stream_kind {
    FL_STREAM_SELF,  /* per operation: ln(0.5 ms + time not spent in children), median a window */
    FL_STREAM_TOTAL, /* per operation: ln(0.5 ms + duration) */
    FL_STREAM_WIRE   /* per edge: ln(0.5 ms + client's time - server's time), median a window */
} fl_value_stream_kind;

typedef struct fl_value_stream {
    fl_value_stream_kind kind;
    uint32_t operation;      /* SELF, TOTAL */
    uint32_t caller, callee; /* WIRE: services */
    const double *values;    /* per window; NaN: none */
    const double *counts;    /* per window */
} fl_value_stream;

typedef struct fl_streams {
    const fl_timeline *timeline;
    const fl_context *contexts;
    size_t context_count;
    const fl_transition *rows;
    size_t row_count;
    const uint32_t *context_rows; /* rows grouped by context */
    /* The transitions of span i are span_rows[first_of_span[i] .. first_of_span[i + 1]). */
    const uint32_t *span_rows;
    const uint32_t *first_of_span;
    const fl_call *calls;
    size_t call_count;
    /* The children of span i are rows children[first_child[i] .. first_child[i + 1]), by start. */
    const uint32_t *children;
    const uint32_t *first_child;
    const uint32_t *server; /* the one span elsewhere that a span only waits for; or FL_NO_INDEX */
    const fl_value_stream
        *values; /* SELF, then TOTAL by operation, then WIRE by caller and callee */
    size_t value_count;
    size_t edge_count; /* distinct pairs of calling and called service */
} fl_streams;

/* ln(0.5 ms + ns): the scale on which durations are compared. */
double fl_log_ms(double ns);
/* The duration of a span without the union of its children's intervals. */
int64_t fl_span_self_ns(const fl_timeline *timeline, const uint32_t *children,
                        const uint32_t *first_child, uint32_t span);

#endif
