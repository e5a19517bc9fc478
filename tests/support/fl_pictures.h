/*
 * fl_pictures.h - a made-up picture for the made-up incident of fl_incidents.h.
 */
#ifndef FL_PICTURES_H
#define FL_PICTURES_H

#include <math.h>

#include "faultline/picture.h"
#include "fl_incidents.h"

#define FL_TEST_MINUTE INT64_C(60000000000)

enum { FL_TEST_STEPS = 8 }; /* three of them before the incident */

static const double fl_test_requests[FL_TEST_STEPS] = {600, 590, 610, 605, 580, 400, 380, 420};
static const double fl_test_errors[FL_TEST_STEPS] = {1, 0, 2, 60, 210, 190, 180, 0};
static const double fl_test_p50[FL_TEST_STEPS] = {20, 21, 19.5, 600, 900, 950, NAN, 30};
static const double fl_test_p99[FL_TEST_STEPS] = {48, 51, 50, 2100, 3000, 3100, NAN, 90};
static const double fl_test_self[FL_TEST_STEPS] = {12.4, 12.1, 12.6, 900, 1312.5, 1300, NAN, 12.5};
static const double fl_test_lines[FL_TEST_STEPS] = {0, 0, 0, 20, 70, 64, 60, 0};

#define FL_TEST_ENTRY(lane_name, lane_unit, lane_role, middle, low, high, far, numbers)            \
    {                                                                                              \
        .kind = FL_PICTURE_TRACE, .service = "frontend", .name = lane_name, .unit = lane_unit,     \
        .role = lane_role, .is_entry = true, .deviations = far,                                    \
        .why = "what callers from outside met",                                                    \
        .query = "{ resource.service.name = \"frontend\" && kind = \"server\" }", .usual = middle, \
        .usual_low = low, .usual_high = high, .values = numbers                                    \
    }

static const fl_lane fl_test_lanes[] = {
    FL_TEST_ENTRY("requests", "1", "traffic", 600, 590, 610, -8.98, fl_test_requests),
    FL_TEST_ENTRY("errors", "1", "errors", 1, 0, 2, 99, fl_test_errors),
    FL_TEST_ENTRY("p50", "ms", "latency", 20, 19.5, 21, 99, fl_test_p50),
    FL_TEST_ENTRY("p99", "ms", "latency", 50, 48, 51, 99, fl_test_p99),
    {.kind = FL_PICTURE_TRACE,
     .service = "payment-gateway",
     .name = "POST /charge, without its callees",
     .unit = "ms",
     .role = "latency",
     .hypothesis = 1,
     .weight_nats = 18.25,
     .deviations = 99,
     .why = "evidence for hypothesis 1, pool of payment-gateway",
     .query = "{ resource.service.name = \"payment-gateway\" && name = \"POST /charge\" }",
     .usual = 12.4,
     .usual_low = 12.1,
     .usual_high = 12.6,
     .values = fl_test_self},
    {.kind = FL_PICTURE_LOG,
     .service = "payment-gateway",
     .name = "could not get a connection from the pool",
     .unit = "1",
     .role = "errors",
     .hypothesis = 1,
     .weight_nats = 11.5,
     .deviations = 70,
     .why = "evidence for hypothesis 1, pool of payment-gateway",
     .query = "{service_name=\"payment-gateway\"} |= \"could not get a connection from the pool\"",
     .usual = 0,
     .usual_low = 0,
     .usual_high = 0,
     .values = fl_test_lines},
};

static const fl_picture_event fl_test_events[] = {
    {.at_ns = FL_TEST_AT_NS - 5 * FL_TEST_MINUTE,
     .kind = FL_PICTURE_CHANGE,
     .service = "payment-gateway",
     .text = "configuration redis.pool.size: 50 -> 5 (argocd)",
     .query = "https://deploys.example/4711"},
    {.at_ns = FL_TEST_AT_NS + FL_TEST_MINUTE,
     .until_ns = FL_TEST_AT_NS + 4 * FL_TEST_MINUTE,
     .kind = FL_PICTURE_ALERT,
     .service = "frontend",
     .text = "HighErrorRate (critical): more than 5 % of requests fail"},
    {.at_ns = FL_TEST_AT_NS + INT64_C(1500000000),
     .kind = FL_PICTURE_PROFILE,
     .service = "cart",
     .text = "phenomenon: leak in main.put (store.go:42) grows by 2400 MB an hour",
     .query = "faultline leak profiles/cart"},
};

static const fl_picture_call fl_test_calls[] = {
    {.caller = "frontend",
     .callee = "payment-gateway",
     .is_traced = true,
     .before = {1800, 3, 600, 14.2, 33, 0.4},
     .during = {2400, 640, 480, 910, 3000, 0.5}},
    {.caller = "payment-gateway",
     .callee = "ledger",
     .before = {.per_minute = NAN, .p50_ms = NAN, .p99_ms = NAN, .gap_ms = NAN},
     .during = {.per_minute = NAN, .p50_ms = NAN, .p99_ms = NAN, .gap_ms = NAN}},
};

/* A heap that grew in one function. */
static const fl_picture_frame fl_test_frames[] = {
    {.name = "all", .before = 3e6, .after = 9.5e6},
    {.name = "main.main", .parent = 0, .before = 3e6, .after = 9.5e6},
    {.name = "main.(*cache).put", .parent = 1, .before = 1e6, .after = 8e6},
    {.name = "main.render", .parent = 1, .before = 2e6, .after = 1.5e6},
    {.name = "main.<gone>", .parent = 3, .before = 5e5, .after = 0},
};
static const fl_picture_stacks fl_test_stacks[] = {
    {.service = "orders",
     .type = "inuse_space",
     .unit = "bytes",
     .before_ns = FL_TEST_AT_NS,
     .after_ns = FL_TEST_AT_NS + 4 * FL_TEST_MINUTE,
     .query = "faultline profile flame --sample-type inuse_space --base heap-1 heap-2",
     .frames = fl_test_frames,
     .frame_count = sizeof(fl_test_frames) / sizeof(fl_test_frames[0]),
     .frames_left_out = 7},
};
static const fl_picture fl_test_picture = {
    .incident = "3f9a2c11d0e4",
    .at_ns = FL_TEST_AT_NS,
    .from_ns = FL_TEST_AT_NS - 3 * FL_TEST_MINUTE,
    .step_ns = FL_TEST_MINUTE,
    .step_count = FL_TEST_STEPS,
    .window = {FL_TEST_AT_NS, FL_TEST_AT_NS + 5 * FL_TEST_MINUTE},
    .baseline = {FL_TEST_AT_NS - 3 * FL_TEST_MINUTE, FL_TEST_AT_NS},
    .onset = {FL_TEST_AT_NS - 2000000000, FL_TEST_AT_NS - 9000000000, FL_TEST_AT_NS + 500000000},
    .spans_kept = 1,
    .logs_kept = 0.5,
    .lanes = fl_test_lanes,
    .lane_count = sizeof(fl_test_lanes) / sizeof(fl_test_lanes[0]),
    .lanes_left_out = 2,
    .events = fl_test_events,
    .event_count = sizeof(fl_test_events) / sizeof(fl_test_events[0]),
    .calls = fl_test_calls,
    .call_count = sizeof(fl_test_calls) / sizeof(fl_test_calls[0]),
    .stacks = fl_test_stacks,
    .stack_count = 1,
};

static const fl_picture fl_test_empty_picture = {
    .incident = "00",
    .at_ns = FL_TEST_AT_NS,
    .from_ns = FL_TEST_AT_NS,
    .step_ns = FL_TEST_MINUTE,
    .window = {FL_TEST_AT_NS, FL_TEST_AT_NS + 5 * FL_TEST_MINUTE},
    .spans_kept = 1,
    .logs_kept = 1,
};

#endif
