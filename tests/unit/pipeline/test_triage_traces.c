#include "triage_traces.h"

#include <stdio.h>

#include "bad_server.h"
#include "faultline/triage.h"
#include "fl_file.h"
#include "fl_folder.h"
#include "fl_test.h"
#include "made_incident.h"
#include "mem.h"
#include "slice.h"

#define FIXTURE(name) FL_SOURCE_DIR "/tests/fixtures/gotrace/" name ".trace.zst"
#define START_NS      (MADE_INCIDENT_AT + INT64_C(60000000000))
#define SECOND_NS     INT64_C(1000000000)

static fl_error err;
static fl_arena arena;
static fl_signatures *library;
static fl_triage_traces traces;

/* What came into the sink. */
static struct came {
    char service[64];
    size_t delays, goroutines, heaps, shares, cycles, growth;
    double largest_share, longest_delay;
    int64_t from_ns, to_ns;
    bool refuse;
} came;

static void setup(void)
{
    err = (fl_error){0};
    arena = fl_arena_of(256u << 20);
    came = (struct came){.from_ns = INT64_MAX};
    ck_assert_ok(fl_signatures_create(&library, &err));
    ck_assert_ok(fl_signatures_add_built_in(library, &err));
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_arena_dispose(&arena);
    fl_signatures_destroy(library);
}

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *error)
{
    (void)payload;
    (void)error;
    *handle = 7;
    snprintf(came.service, sizeof(came.service), "%.*s", FL_SLICE_ARG(resource->service));
    return FL_OK;
}

static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *error)
{
    (void)payload;
    ck_assert_uint_eq(resource, 7);
    ck_assert_int_eq(point->kind, FL_POINT_GAUGE);
    ck_assert(point->value >= 0);
    if (fl_slice_equal(point->metric, FL_SLICE("go.schedule.duration")))
        came.delays++;
    came.goroutines += fl_slice_equal(point->metric, FL_SLICE("go.goroutine.count"));
    came.heaps += fl_slice_equal(point->metric, FL_SLICE("go.memory.heap.live"));
    came.cycles += fl_slice_equal(point->metric, FL_SLICE("go.gc.pause.duration"));
    if (fl_slice_equal(point->metric, FL_SLICE("go.map.growth")))
        came.growth += (size_t)point->value;
    if (fl_slice_ends_with(point->metric, FL_SLICE("utilization"))) {
        came.shares++;
        came.largest_share = point->value > came.largest_share ? point->value : came.largest_share;
    }
    if (fl_slice_equal(point->metric, FL_SLICE("go.schedule.duration.max")))
        came.longest_delay = point->value > came.longest_delay ? point->value : came.longest_delay;
    came.from_ns = point->time_ns < came.from_ns ? point->time_ns : came.from_ns;
    came.to_ns = point->time_ns > came.to_ns ? point->time_ns : came.to_ns;
    return came.refuse ? fl_fail(error, FL_E_LIMIT, FL_NO_OFFSET, "no more of them") : FL_OK;
}

static fl_status read_them(const char *const *paths, size_t count, int64_t start_ns)
{
    const fl_sink sink = {.resource = on_resource, .point = on_point};
    const fl_triage_traces_from from = {
        .paths = paths, .count = count, .start_ns = start_ns, .library = library};
    return fl_triage_traces_read(&traces, &from, &sink, &arena, &err);
}

static fl_status read_one(const char *path, int64_t start_ns)
{
    return read_them(&path, 1, start_ns);
}

START_TEST(what_happened_is_series_on_the_services_clock)
{
    ck_assert_ok(read_one("bank=" FIXTURE("1.22-grow"), START_NS));
    ck_assert_str_eq(came.service, "bank");
    ck_assert_uint_eq(traces.warning_count, 0);
    ck_assert_int_gt(came.from_ns, START_NS);
    ck_assert_int_lt(came.to_ns, START_NS + 5 * SECOND_NS);
    ck_assert_uint_gt(came.delays, 2);
    ck_assert_uint_gt(came.goroutines, 2);
    ck_assert_uint_gt(came.heaps, 0);
    ck_assert_uint_gt(came.cycles, 0);
    ck_assert_uint_gt(came.growth, 3);
    ck_assert_uint_gt(came.shares, 6);
    ck_assert(came.largest_share > 0.1 && came.largest_share <= 1.01);
    ck_assert(came.longest_delay > 0 && came.longest_delay < 5);
}
END_TEST

START_TEST(findings_are_causes_and_moments_with_the_command_that_shows_them)
{
    ck_assert_ok(read_one("bank=" FIXTURE("1.26-convoy"), 0));
    ck_assert_uint_eq(traces.finding_count, 1);
    const fl_rank_finding *finding = &traces.findings[0];
    ck_assert_int_eq(finding->cause, FL_CAUSE_LOCK);
    ck_assert_str_eq(finding->service, "bank");
    ck_assert_str_eq(finding->kind, "trace-lock-convoy");
    ck_assert_str_eq(finding->frame, "main.handle (main.go:94)");
    ck_assert_str_eq(finding->query, "faultline trace " FIXTURE("1.26-convoy") " --view waits");
    ck_assert_uint_eq(traces.moment_count, 3);
    ck_assert_str_eq(traces.moments[0].query, "faultline trace " FIXTURE("1.26-convoy"));
    ck_assert_str_eq(traces.moments[2].text,
                     "verification: nothing in the trace speaks against it");
    ck_assert_str_eq(traces.moments[2].query, "faultline signatures show trace-lock-convoy");
    /* its own clock: recorded after Go 1.26 came out */
    ck_assert_int_gt(came.from_ns, INT64_C(1750000000) * SECOND_NS);
    ck_assert_int_ge(came.from_ns, traces.moments[0].at_ns);
}
END_TEST

START_TEST(a_healthy_trace_blames_nobody)
{
    ck_assert_ok(read_one("bank=" FIXTURE("1.26-polite"), 0));
    ck_assert_uint_eq(traces.finding_count, 0);
    ck_assert_uint_eq(traces.moment_count, 1);
}
END_TEST

START_TEST(a_trace_without_a_clock_is_dated_by_its_file_and_that_is_said)
{
    ck_assert_ok(read_one("bank=" FIXTURE("1.22-grow"), 0));
    ck_assert_uint_eq(traces.warning_count, 1);
    ck_assert_ptr_nonnull(strstr(traces.warnings[0], "does not say when it began: taken as 20"));
    ck_assert_ptr_nonnull(strstr(traces.warnings[0], "--trace-start TIME says otherwise"));
    ck_assert_int_gt(came.from_ns, INT64_C(1500000000) * SECOND_NS);
}
END_TEST

START_TEST(one_beginning_is_not_that_of_two_traces)
{
    const char *two[] = {"bank=" FIXTURE("1.22-grow"), "shop=" FIXTURE("1.22-grow")};
    ck_assert_int_eq(read_them(two, 2, START_NS), FL_E_SYNTAX);
    ck_assert_ptr_nonnull(strstr(err.message, "--trace-start is for one"));
    const char *other[] = {"bank=" FIXTURE("1.22-grow"), "shop=" FIXTURE("1.26-polite")};
    err = (fl_error){0};
    ck_assert_ok(read_them(other, 2, START_NS));
}
END_TEST

/* As the reader of profiles leaves them; the same file given by name is one trace still. */
START_TEST(a_trace_that_was_found_is_told_like_one_that_was_named)
{
    const char *named[] = {"bank=" FIXTURE("1.26-convoy")};
    fl_triage_found found[2] = {{.service = "bank", .path = FIXTURE("1.26-convoy")},
                                {.service = "shop", .path = FIXTURE("1.22-grow")}};
    const fl_trace_options options = {.library = library, .with_course = true};
    const fl_sink sink = {.resource = on_resource, .point = on_point};
    for (size_t i = 0; i < 2; i++)
        ck_assert_ok(fl_trace_run_input(&found[i].run, found[i].path, &options, &err));
    for (size_t given = 0; given < 2; given++) {
        const fl_triage_traces_from from = {.paths = named,
                                            .count = given,
                                            .found = found,
                                            .found_count = 2 - given,
                                            .start_ns = given ? 0 : START_NS,
                                            .library = library};
        ck_assert_ok(fl_triage_traces_read(&traces, &from, &sink, &arena, &err));
        ck_assert_uint_eq(traces.finding_count, 2 - given);
        ck_assert_str_eq(traces.findings[0].service, "bank");
        ck_assert_uint_eq(traces.warning_count, 0);
    }
    for (size_t i = 0; i < 2; i++)
        fl_trace_run_destroy(found[i].run);
}
END_TEST

/* A trace that is damaged, and of no time besides, is one input that could not be used. */
START_TEST(what_is_wrong_twice_counts_once)
{
    fl_bytes whole = fl_file_read("tests/fixtures/gotrace/1.22-grow.trace.zst");
    fl_triage_found found = {.service = "bank", .path = "standard input"};
    const fl_trace_options options = {.library = library, .with_course = true};
    const fl_sink sink = {.resource = on_resource, .point = on_point};
    fl_slice cut = {.ptr = whole.ptr, .len = whole.len / 2};
    ck_assert_ok(fl_trace_run_bytes(&found.run, cut, 0, &options, &err));
    const fl_triage_traces_from from = {.found = &found, .found_count = 1, .library = library};
    ck_assert_ok(fl_triage_traces_read(&traces, &from, &sink, &arena, &err));
    ck_assert_uint_eq(traces.unreadable, 1);
    ck_assert_uint_ge(traces.warning_count, 2);
    fl_trace_run_destroy(found.run);
    free(whole.ptr);
}
END_TEST

START_TEST(a_beginning_that_no_trace_needs_is_said)
{
    ck_assert_ok(read_one("bank=" FIXTURE("1.26-polite"), START_NS));
    ck_assert_uint_eq(traces.warning_count, 1);
    ck_assert_str_eq(traces.warnings[0],
                     "--trace-start changes nothing: every trace says itself when it began");
}
END_TEST

static const struct {
    const char *path;
    fl_status status;
    const char *message; /* with FL_OK: the first warning */
} bad[] = {
    {"trace.out", FL_E_SYNTAX, "whose is trace.out? say --trace SERVICE=trace.out"},
    {"bank=/nowhere/trace.out", FL_E_NOTFOUND, "/nowhere/trace.out"},
    {"bank=" FL_SOURCE_DIR "/CHANGELOG.md", FL_OK, "this is no Go execution trace"},
    {"bank=http://127.0.0.1:1/debug/pprof/trace", FL_OK, "127.0.0.1:1"},
};

START_TEST(what_cannot_be_read_is_said)
{
    ck_assert_int_eq(read_one(bad[_i].path, 0), bad[_i].status);
    const char *said = bad[_i].status == FL_OK ? traces.warnings[0] : err.message;
    ck_assert_msg(strstr(said, bad[_i].message) != NULL, "%s", said);
    ck_assert_uint_eq(traces.unreadable, bad[_i].status == FL_OK);
}
END_TEST

/* Queries and warnings go into reports, which others read, and stay in the store. */
START_TEST(the_password_of_an_address_is_shown_nowhere)
{
    char path[256];
    fl_bad_server server = fl_server_start(FL_SOURCE_DIR "/tests/support/fetch_server.py",
                                           FL_SOURCE_DIR "/tests/fixtures/gotrace");
    snprintf(path, sizeof(path), "bank=http://bob:hunter2@127.0.0.1:%d/files/1.22-grow.trace.zst",
             server.port);
    fl_status status = read_one(path, 0);
    fl_server_stop(&server);
    ck_assert_ok(status);
    ck_assert_uint_eq(traces.finding_count, 1);
    ck_assert_ptr_null(strstr(traces.findings[0].query, "hunter2"));
    ck_assert_ptr_nonnull(strstr(traces.findings[0].query, "http://127.0.0.1:"));
    for (size_t i = 0; i < traces.moment_count; i++)
        ck_assert_ptr_null(strstr(traces.moments[i].query, "hunter2"));
    ck_assert_uint_eq(traces.warning_count, 1);
    ck_assert_ptr_null(strstr(traces.warnings[0], "hunter2"));
    ck_assert_ptr_nonnull(strstr(traces.warnings[0], "by the time of its request"));
}
END_TEST

START_TEST(an_answer_that_is_no_trace_is_said_with_its_address)
{
    char path[256], expected[256];
    fl_bad_server server = fl_server_start(FL_SOURCE_DIR "/tests/support/fetch_server.py",
                                           FL_SOURCE_DIR "/tests/fixtures/gotrace");
    snprintf(path, sizeof(path), "bank=http://bob:hunter2@127.0.0.1:%d/files/counts.txt",
             server.port);
    fl_status status = read_one(path, 0);
    fl_server_stop(&server);
    ck_assert_ok(status);
    snprintf(expected, sizeof(expected),
             "http://127.0.0.1:%d/files/counts.txt: this is no Go execution trace", server.port);
    ck_assert_uint_eq(traces.warning_count, 1);
    ck_assert_str_eq(traces.warnings[0], expected);
    ck_assert_uint_eq(traces.unreadable, 1);
}
END_TEST

START_TEST(what_the_sink_refuses_ends_it)
{
    came.refuse = true;
    ck_assert_int_eq(read_one("bank=" FIXTURE("1.26-convoy"), 0), FL_E_LIMIT);
    ck_assert_str_eq(err.message, "no more of them");
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    fl_status status = FL_E_NOMEM;
    for (long n = 0; status != FL_OK; n = n < 40 ? n + 1 : n + n / 4) {
        fl_arena_dispose(&arena);
        arena = fl_arena_of(256u << 20);
        err = (fl_error){0};
        fl_mem_fail_after(n);
        status = read_one("bank=" FIXTURE("small-1.26"), 0);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_int_lt(n, 100000);
    }
}
END_TEST

/* ---- in a triage ---- */

/* Shop calls bank, which is slow or burns its processor; only the trace knows why. */
static const struct {
    const char *path, *frame;
    made_signals signals;
    fl_cause cause;
} known[] = {
    {"bank=" FIXTURE("1.26-convoy"), "main.handle (main.go:94)", MADE_TRACES, FL_CAUSE_LOCK},
    {"bank=" FIXTURE("1.22-grow"), "main.(*counts).put (main.go:134)", MADE_METRICS, FL_CAUSE_GC},
};

START_TEST(a_trace_names_the_cause_that_telemetry_only_sees_the_effect_of)
{
    fl_folder folder;
    double score = 0;
    fl_folder_open(&folder);
    fl_buf text = fl_buf_of(256u << 20);
    made_incident(&text, 30, 20, known[_i].signals);
    (void)fl_folder_write(&folder, "telemetry.jsonl", fl_buf_slice(&text));
    const char *otlp = folder.path;
    fl_triage_request request = {.otlp = &otlp,
                                 .otlp_count = 1,
                                 .at_ns = MADE_INCIDENT_AT,
                                 .traces = &known[_i].path,
                                 .trace_start_ns = START_NS};
    for (size_t with = 0; with < 2; with++) {
        fl_triage *triage;
        request.trace_count = with;
        ck_assert_ok(fl_triage_run(&triage, &request, &err));
        const fl_incident *incident = fl_triage_incident(triage);
        ck_assert_uint_gt(incident->hypothesis_count, 0);
        const fl_hypothesis *first = &incident->hypotheses[0];
        ck_assert_str_eq(first->service, "bank");
        ck_assert_int_eq(first->cause == known[_i].cause, (int)with);
        ck_assert_uint_eq(incident->moment_count, with ? 3 : 0);
        ck_assert(with == 0 || first->score > score + 0.3);
        score = first->score;
        if (with)
            ck_assert_str_eq(first->locus_name, known[_i].frame);
        fl_triage_destroy(triage);
    }
    fl_buf_dispose(&text);
    fl_folder_remove(&folder);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("triage_traces");
    TCase *tc = tcase_create("triage_traces");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_happened_is_series_on_the_services_clock);
    tcase_add_test(tc, findings_are_causes_and_moments_with_the_command_that_shows_them);
    tcase_add_test(tc, a_healthy_trace_blames_nobody);
    tcase_add_test(tc, a_trace_without_a_clock_is_dated_by_its_file_and_that_is_said);
    tcase_add_test(tc, one_beginning_is_not_that_of_two_traces);
    tcase_add_test(tc, a_trace_that_was_found_is_told_like_one_that_was_named);
    tcase_add_test(tc, what_is_wrong_twice_counts_once);
    tcase_add_test(tc, a_beginning_that_no_trace_needs_is_said);
    tcase_add_loop_test(tc, what_cannot_be_read_is_said, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tc, what_the_sink_refuses_ends_it);
    tcase_add_test(tc, the_password_of_an_address_is_shown_nowhere);
    tcase_add_test(tc, an_answer_that_is_no_trace_is_said_with_its_address);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    tcase_add_loop_test(tc, a_trace_names_the_cause_that_telemetry_only_sees_the_effect_of, 0,
                        sizeof(known) / sizeof(known[0]));
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
