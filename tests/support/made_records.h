/*
 * made_records.h - one record of each kind, with what is rare, for whoever keeps records.
 */
#ifndef FL_MADE_RECORDS_H
#define FL_MADE_RECORDS_H

#include <math.h>

#include "faultline/record.h"
#include "fl_test.h"

static inline void made_records_check(fl_status status)
{
    ck_assert_str_eq(fl_status_name(status), "ok");
}

static const fl_attr made_records_many[200];

/* One record of each kind, with what is rare. */
static inline void made_records_push(const fl_sink *sink)
{
    uint32_t handle;
    fl_attr attrs[] = {{SLICE("n"), {.kind = FL_VALUE_NONE}},
                       {SLICE("b"), {.kind = FL_VALUE_BOOL, .number = 1}},
                       {SLICE("d"), {.kind = FL_VALUE_DOUBLE, .real = -0.5}},
                       {SLICE("o"), {.kind = FL_VALUE_OTHER, .text = SLICE("[1,2]")}},
                       {SLICE("i"), {.kind = FL_VALUE_INT, .number = INT64_MIN}}};
    fl_attrs five = {attrs, 5}, lots = {made_records_many, 200};
    fl_resource resource = {.service = SLICE("pay"), .instance = SLICE("pay-1"), .attrs = five};
    made_records_check(sink->resource(sink->payload, &resource, &handle, NULL));
    fl_log log = {
        .time_ns = -5, .severity = 24, .body = SLICE("a \x11 in 007 took 12ms"), .attrs = five};
    made_records_check(sink->log(sink->payload, handle, &log, NULL));
    log.body = SLICE("retry 3 of 5 for order-77 at 10.0.0.1:8080, 0 left, 99999999999999999999");
    log.attrs = lots;
    made_records_check(sink->log(sink->payload, handle, &log, NULL));
    fl_span_event event = {.time_ns = 7, .name = SLICE("exception"), .attrs = five};
    fl_span span = {.trace = {1, 2},
                    .id = 3,
                    .parent = 4,
                    .name = SLICE("GET /v1/orders/17"),
                    .kind = FL_SPAN_SERVER,
                    .start_ns = INT64_MIN,
                    .end_ns = INT64_MAX,
                    .is_error = true,
                    .attrs = lots,
                    .events = &event,
                    .event_count = 1};
    made_records_check(sink->span(sink->payload, handle, &span, NULL));
    const double bounds[] = {0.5, 0.99}, values[] = {1, 2};
    const uint64_t counts[] = {UINT64_MAX, 0, 7};
    fl_point point = {.metric = SLICE("m"),
                      .unit = SLICE("s"),
                      .kind = FL_POINT_SUMMARY,
                      .time_ns = 9,
                      .count = 3,
                      .sum = NAN,
                      .bounds = bounds,
                      .values = values,
                      .bound_count = 2};
    made_records_check(sink->point(sink->payload, handle, &point, NULL));
    point.kind = FL_POINT_HISTOGRAM;
    point.values = NULL;
    point.counts = counts;
    point.bucket_count = 3;
    made_records_check(sink->point(sink->payload, handle, &point, NULL));
    point.kind = FL_POINT_EXP_HISTOGRAM;
    point.bounds = NULL;
    point.bound_count = 0;
    point.scale = -3;
    point.offset = -70;
    made_records_check(sink->point(sink->payload, handle, &point, NULL));
    fl_point part = {.metric = SLICE("p"),
                     .kind = FL_POINT_PART,
                     .part = FL_PART_BELOW,
                     .param = INFINITY,
                     .value = 0.1,
                     .attrs = five};
    made_records_check(sink->point(sink->payload, handle, &part, NULL));
    fl_change_record change = {
        .time_ns = 1, .kind = FL_CHANGE_FLAG, .key = SLICE("new-pricing"), .after = SLICE("on")};
    made_records_check(sink->change(sink->payload, &change, NULL));
    fl_alert_record alert = {.fingerprint = UINT64_MAX,
                             .starts_ns = 5,
                             .ends_ns = 6,
                             .is_resolved = true,
                             .name = SLICE("TooSlow"),
                             .severity = SLICE("page"),
                             .service = SLICE("pay"),
                             .labels = five};
    made_records_check(sink->alert(sink->payload, &alert, NULL));
}

#endif
