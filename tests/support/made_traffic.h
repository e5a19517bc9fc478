/*
 * made_traffic.h - requests of made-up services, second by second, pushed into a sink.
 *
 * Latencies are log-normal around an operation's median, errors independent; all out of one stream
 * of numbers, so that a failure repeats.
 */
#ifndef MADE_TRAFFIC_H
#define MADE_TRAFFIC_H

#include <math.h>

#include "faultline/record.h"
#include "fl_test.h"

typedef struct made_traffic {
    const fl_sink *sink;
    uint64_t state, next_id;
} made_traffic;

typedef struct made_requests {
    const char *service, *operation;
    double a_second; /* the mean of a Poisson process */
    double error_share;
    double median_ms;
    double spread;   /* of ln(latency) */
    uint64_t parent; /* of all; 0: roots */
    fl_span_kind kind;
} made_requests;

/* Knuth's MMIX constants. */
static inline double made_uniform(made_traffic *t)
{
    t->state = t->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(t->state >> 11) + 0.5) / 9007199254740992.0;
}

static inline double made_normal(made_traffic *t)
{
    double radius = sqrt(-2 * log(made_uniform(t)));
    return radius * cos(6.283185307179586 * made_uniform(t));
}

/* Knuth, TAOCP volume 2, section 3.4.1: for small means. */
static inline unsigned made_poisson(made_traffic *t, double mean)
{
    double limit = exp(-mean), product = made_uniform(t);
    unsigned count = 0;
    for (; product > limit; count++)
        product *= made_uniform(t);
    return count;
}

/* Span ids are spread over all bits, as those of SDKs are. */
static inline uint64_t made_id(made_traffic *t)
{
    uint64_t z = (t->next_id += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return (z ^ z >> 27) | 1;
}

static inline uint32_t made_resource(made_traffic *t, const char *service)
{
    uint32_t handle = 0;
    fl_resource resource = {.service = SLICE(service)};
    ck_assert_int_eq(t->sink->resource(t->sink->payload, &resource, &handle, NULL), FL_OK);
    return handle;
}

/* The requests that end within this second. */
static inline void made_second(made_traffic *t, const made_requests *r, int64_t at_ns)
{
    uint32_t handle = made_resource(t, r->service);
    for (unsigned left = made_poisson(t, r->a_second); left > 0; left--) {
        double ms = r->median_ms * exp(r->spread * made_normal(t));
        int64_t end = at_ns + (int64_t)(made_uniform(t) * 1e9);
        fl_span span = {.trace = {made_id(t), 1},
                        .id = made_id(t),
                        .parent = r->parent,
                        .name = SLICE(r->operation),
                        .kind = r->kind,
                        .start_ns = end - (int64_t)(ms * 1e6),
                        .end_ns = end,
                        .is_error = made_uniform(t) < r->error_share};
        ck_assert_int_eq(t->sink->span(t->sink->payload, handle, &span, NULL), FL_OK);
    }
}

static inline void made_point(made_traffic *t, const char *service, int64_t at_ns)
{
    uint32_t handle = made_resource(t, service);
    fl_point point = {.metric = SLICE("up"), .kind = FL_POINT_GAUGE, .time_ns = at_ns, .value = 1};
    ck_assert_int_eq(t->sink->point(t->sink->payload, handle, &point, NULL), FL_OK);
}

#endif
