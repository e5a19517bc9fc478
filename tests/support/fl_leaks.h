/*
 * fl_leaks.h - a leak report made by hand, with everything that a report can have, and an empty
 * one.
 */
#ifndef FL_LEAKS_H
#define FL_LEAKS_H

#include <math.h>

#include "leak_report.h"

#define FL_LEAK_NO_INTERVAL                                                                        \
    {                                                                                              \
        NAN, NAN, NAN                                                                              \
    }

static const fl_leak_condition fl_test_must[] = {
    {.feature = FL_LEAK_F_GROWTH_Z, .op = FL_LEAK_AT_LEAST, .value = 3.5, .text = "it grows"},
    {.feature = FL_LEAK_F_FRAMES, .op = FL_LEAK_MATCHES, .pattern = "^sync\\."},
};
static const fl_leak_condition fl_test_against[] = {
    {.feature = FL_LEAK_F_LEVEL, .op = FL_LEAK_AT_MOST, .value = 4096, .text = "it is small"},
};
static const char *const fl_test_references[] = {"https://example.org/issues/1",
                                                 "https://example.org/issues/2"};
static const fl_leak_signature fl_test_signatures[] = {
    {.name = "map-only-grows",
     .title = "A map is written to and nothing is deleted from it",
     .verdict = FL_LEAK_LEAK,
     .subject = FL_LEAK_SITE,
     .go_max = 23,
     .prior = 0.9,
     .must = fl_test_must,
     .must_count = 2,
     .any = fl_test_must,
     .any_count = 1,
     .against = fl_test_against,
     .against_count = 1,
     .cause = "Every entry that was ever put into this map is still in it.",
     .fix = "Delete it on the path that finishes its work, or put a bound on the map.",
     .sketch = "defer func() {\n    delete(s.m, id)\n}()",
     .references = fl_test_references,
     .reference_count = 2},
    {.name = "map-only-grows",
     .title = "A map is written to and nothing is deleted from it",
     .verdict = FL_LEAK_LEAK,
     .subject = FL_LEAK_SITE,
     .go_min = 24,
     .prior = 0.8,
     .must = fl_test_must,
     .must_count = 1,
     .cause = "Every entry that was ever put into this map is still in it.",
     .fix = "Delete it on the path that finishes its work, or put a bound on the map."},
    {.name = "short",
     .title = "A short one",
     .verdict = FL_LEAK_CHURN,
     .subject = FL_LEAK_LOCK,
     .go_min = 20,
     .go_max = 22,
     .prior = 0.5,
     .must = fl_test_must,
     .must_count = 1,
     .cause = "Why.",
     .fix = "How."},
};
enum { FL_TEST_SIGNATURES = 3 };

static const fl_leak_evidence fl_test_leak_evidence[] = {
    {.source = FL_LEAK_FROM_HEAP,
     .text = "in use rises from 12.1 MiB to 38.4 MiB in 10 snapshots (z 41)",
     .at_ns = INT64_C(1793750400000000000),
     .value = 40265318,
     .unit = "bytes"},
    {.source = FL_LEAK_FROM_ALLOCS,
     .text = "two tables were allocated for each one in use",
     .value = NAN},
    {.source = FL_LEAK_FROM_MEMSTATS,
     .text = "a text with an escape \033[31m and a broken byte \xff",
     .value = 2.5,
     .unit = "ratio"},
};
static const char *const fl_test_leak_against[] = {"the load rose by 12 % meanwhile"};
static const fl_leak_finding fl_test_findings[] = {
    {.verdict = FL_LEAK_LEAK,
     .subject = FL_LEAK_SITE,
     .signature = &fl_test_signatures[0],
     .confidence = 0.9312345678,
     .function = "main.(*sessionStore).put",
     .file = "/src/app/store.go",
     .line = 42,
     .caller = "main.login",
     .caller_file = "/src/app/login.go",
     .caller_line = 31,
     .holder = "main.(*sessionStore)",
     .growth_bytes_per_hour = {2.4e9, 2.2e9, 2.6e9},
     .growth_per_hour = FL_LEAK_NO_INTERVAL,
     .seconds_to_limit = {747, 690, 815},
     .support = 1u << FL_LEAK_FROM_HEAP | 1u << FL_LEAK_FROM_MEMSTATS,
     .evidence = fl_test_leak_evidence,
     .evidence_count = 3,
     .against = fl_test_leak_against,
     .against_count = 1},
    {.verdict = FL_LEAK_LEAK,
     .subject = FL_LEAK_GOROUTINES,
     .confidence = 0.5,
     .growth_bytes_per_hour = FL_LEAK_NO_INTERVAL,
     .growth_per_hour = {120, 110, 130},
     .seconds_to_limit = FL_LEAK_NO_INTERVAL,
     .function = "main.waitForReply"},
    {.verdict = FL_LEAK_LATENCY,
     .subject = FL_LEAK_PROGRAM,
     .signature = &fl_test_signatures[2],
     .confidence = 0.001,
     .growth_bytes_per_hour = FL_LEAK_NO_INTERVAL,
     .growth_per_hour = FL_LEAK_NO_INTERVAL,
     .seconds_to_limit = FL_LEAK_NO_INTERVAL},
};
static const fl_leak_ruled_out fl_test_leak_ruled_out[] = {
    {"bounded-growth", "the second half grows as fast as the first"},
    {"goroutines-parked", "the number of goroutines stays at 7"},
};
static const char *const fl_test_collect[] = {
    "heap profiles with ?gc=1, one a minute, for an hour"};
static const char *const fl_test_leak_warnings[] = {"notes.txt: this is a text, not a profile",
                                                    "2 execution traces were not read"};

static const fl_leak_report fl_test_leak = {
    .verdict = FL_LEAK_LEAK,
    .confidence = 0.9312345678,
    .findings = fl_test_findings,
    .finding_count = 3,
    .ruled_out = fl_test_leak_ruled_out,
    .ruled_out_count = 2,
    .collect = fl_test_collect,
    .collect_count = 1,
    .warnings = fl_test_leak_warnings,
    .warning_count = 2,
    .runtime = "go1.22",
    .snapshot_count = 20,
    .used_count = 10,
    .from_ns = INT64_C(1793750362000000000),
    .to_ns = INT64_C(1793750400000000000),
    .sampling_floor_bytes = 6422528,
};
static const fl_leak_inputs fl_test_leak_inputs = {
    .counts = {[FL_LEAK_INPUT_HEAP] = 10, [FL_LEAK_INPUT_ALLOCS] = 10, [FL_LEAK_INPUT_TRACE] = 2},
    .files = 23,
    .unknown = 1,
    .requests = 20,
    .fetched_bytes = 123456,
    .fetching_ns = INT64_C(1250000000),
};
static const fl_leak_shown fl_test_shown_leak = {
    .report = &fl_test_leak, .inputs = &fl_test_leak_inputs, .limit_bytes = 512u << 20};

static const fl_leak_report fl_test_no_leak = {.verdict = FL_LEAK_NOT_ENOUGH_DATA,
                                               .collect = fl_test_collect,
                                               .collect_count = 1,
                                               .sampling_floor_bytes = NAN};
static const fl_leak_inputs fl_test_no_inputs = {0};
static const fl_leak_shown fl_test_shown_nothing = {.report = &fl_test_no_leak,
                                                    .inputs = &fl_test_no_inputs};

#endif
