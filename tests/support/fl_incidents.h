/*
 * fl_incidents.h - made-up incidents for tests of what shows, keeps and counts them.
 */
#ifndef FL_INCIDENTS_H
#define FL_INCIDENTS_H

#include <math.h>

#include "faultline/incident.h"

#define FL_TEST_AT_NS INT64_C(1674984859000000000) /* 2023-01-29T09:34:19Z */

static const fl_evidence fl_test_pool_evidence[] = {
    {.modality = FL_MODALITY_TRACES,
     .text =
         "Self time of POST /charge rose from 12.4 ms to 1.31 s at 2023-01-29T09:34:20Z; the time"
         " that its callee takes did not change.",
     .at_ns = FL_TEST_AT_NS + 1000000000,
     .value = 1.3125,
     .baseline = 0.0124,
     .unit = "s",
     .query = "{ resource.service.name = \"payment-gateway\" && name = \"POST /charge\" }",
     .weight_nats = 18.25},
    {.modality = FL_MODALITY_LOGS,
     .text =
         "\"could not get a connection from the pool\" began at 2023-01-29T09:34:21Z: 214 lines,"
         " none in the baseline.",
     .at_ns = FL_TEST_AT_NS + 2000000000,
     .value = 214,
     .baseline = 0,
     .query = "{service_name=\"payment-gateway\"} |= \"could not get a connection from the pool\"",
     .weight_nats = 11.5},
    {.modality = FL_MODALITY_METRICS,
     .against = true,
     .text = "CPU of the instance stayed at 4 %.",
     .at_ns = FL_TEST_AT_NS,
     .value = 0.04,
     .baseline = NAN,
     .unit = "1",
     .weight_nats = -0.75},
};

static const fl_evidence fl_test_edge_evidence[] = {
    {.modality = FL_MODALITY_TOPOLOGY,
     .text = "It is called by payment-gateway, whose trouble it does not explain.",
     .at_ns = 0,
     .value = NAN,
     .baseline = NAN,
     .weight_nats = 0.5},
};

static const fl_hypothesis fl_test_hypotheses[] = {
    {.rank = 1,
     .service = "payment-gateway",
     .instance = "payment-gateway-7d9c-x2x5p",
     .cause = FL_CAUSE_POOL,
     .resource = FL_RESOURCE_NONE,
     .locus = FL_LOCUS_CODE_REGION,
     .before = "INFO charge.go:88 charge accepted <*>",
     .after = "ERROR redis.go:131 could not get a connection from the pool",
     .exception_type = "redis.PoolExhaustedError",
     .exception_message = "no connection within <*> ms",
     .exception_frame = "charge.go:91 payment.(*Charger).Charge",
     .onset = {FL_TEST_AT_NS - 2000000000, FL_TEST_AT_NS - 9000000000, FL_TEST_AT_NS + 500000000},
     .score = 29.0,
     .probability = 0.8731234567,
     .evidence = fl_test_pool_evidence,
     .evidence_count = 3},
    {.rank = 2,
     .service = "ledger",
     .cause = FL_CAUSE_NETWORK_DELAY,
     .resource = FL_RESOURCE_NETWORK,
     .locus = FL_LOCUS_EDGE,
     .locus_name = "payment-gateway -> ledger",
     .onset = {FL_TEST_AT_NS + 65000000000, FL_TEST_AT_NS + 61000000000,
               FL_TEST_AT_NS + 70000000000},
     .score = 3.5,
     .probability = 0.0421,
     .evidence = fl_test_edge_evidence,
     .evidence_count = 1},
    {.rank = 2,
     .service = "cart",
     .cause = FL_CAUSE_CPU,
     .resource = FL_RESOURCE_CPU,
     .locus = FL_LOCUS_METRIC,
     .locus_name = "container.cpu.usage",
     .score = 3.5,
     .probability = 0.004},
};

static const fl_ruled_out fl_test_ruled_out[] = {
    {.service = "frontend",
     .text = "Its errors began with those of payment-gateway, which it calls, and are explained by"
             " them."},
};

static const fl_moment fl_test_moments[] = {
    {.at_ns = FL_TEST_AT_NS + INT64_C(1500000000),
     .service = "cart",
     .text = "phenomenon: leak in main.put (store.go:42) grows by 2400 MB an hour",
     .query = "faultline leak profiles/cart"},
    {.at_ns = FL_TEST_AT_NS + INT64_C(60000000000), .service = "cart", .text = "snapshot: a text"},
};

static const fl_clock_skew fl_test_clocks[] = {
    {.service = "cart",
     .instance = "cart-0",
     .offset_ns = INT64_C(-2300400000),
     .error_ns = 1500000,
     .calls = 120},
    {.service = "frontend", .offset_ns = 17000000, .error_ns = 250000, .calls = 8},
};

static const char *const fl_test_warnings[] = {
    "traces.otlp.jsonl.zst ends inside a frame: the first 12,345 records were used",
};

static const fl_incident fl_test_incident = {
    .id = "3f9a2c11d0e4",
    .at_ns = FL_TEST_AT_NS,
    .window = {FL_TEST_AT_NS, FL_TEST_AT_NS + INT64_C(300000000000)},
    .baseline = {FL_TEST_AT_NS - INT64_C(2400000000000), FL_TEST_AT_NS},
    .onset = {FL_TEST_AT_NS - 2000000000, FL_TEST_AT_NS - 9000000000, FL_TEST_AT_NS + 500000000},
    .metric_series = 1234,
    .log_records = 1234567,
    .log_templates = 210,
    .trace_spans = 4021,
    .trace_edges = 54,
    .change_events = 3,
    .verdict = FL_VERDICT_CAUSE_FOUND,
    .hypotheses = fl_test_hypotheses,
    .hypothesis_count = 3,
    .ruled_out = fl_test_ruled_out,
    .ruled_out_count = 1,
    .moments = fl_test_moments,
    .moment_count = 2,
    .clocks = fl_test_clocks,
    .clock_count = 2,
    .warnings = fl_test_warnings,
    .warning_count = 1,
    .rejected_records = 7,
};

/* Nothing but the question. */
static const fl_incident fl_test_empty_incident = {
    .id = "000000000000",
    .at_ns = FL_TEST_AT_NS,
    .window = {FL_TEST_AT_NS, FL_TEST_AT_NS + INT64_C(300000000000)},
    .missing = {[FL_MODALITY_LOGS] = true, [FL_MODALITY_TRACES] = true},
    .verdict = FL_VERDICT_NO_CONFIDENT_CAUSE,
};

#endif
