#include "faultline/triage.h"

#include "fl_folder.h"
#include "fl_squeeze.h"
#include "fl_test.h"
#include "made_incident.h"
#include "mem.h"
#include "report.h"
#include "slice.h"

static fl_folder folder;
static fl_error err;
static fl_buf text;
static fl_triage *triage;
static const char *paths[4];
static fl_triage_request request;

static void setup(void)
{
    fl_folder_open(&folder);
    err = (fl_error){0};
    text = fl_buf_of(256u << 20);
    triage = NULL;
    paths[0] = folder.path;
    request = (fl_triage_request){.otlp = paths, .otlp_count = 1, .at_ns = MADE_INCIDENT_AT};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_triage_destroy(triage);
    fl_buf_dispose(&text);
    fl_folder_remove(&folder);
}

static const char *write_file(const char *name)
{
    return fl_folder_write(&folder, name, fl_buf_slice(&text));
}

static const fl_incident *run(void)
{
    fl_triage_destroy(triage);
    triage = NULL;
    ck_assert_ok(fl_triage_run(&triage, &request, &err));
    return fl_triage_incident(triage);
}

/* `sentence` with the folder's path in the place of DIR. */
static const char *in_folder(const char *sentence)
{
    static char whole[512];
    const char *hole = strstr(sentence, "DIR");
    snprintf(whole, sizeof(whole), "%.*s%s%s", hole != NULL ? (int)(hole - sentence) : 0, sentence,
             hole != NULL ? folder.path : "", hole != NULL ? hole + 3 : sentence);
    return whole;
}

static void run_fails(fl_status status, const char *sentence)
{
    fl_error own = {0};
    fl_triage_destroy(triage);
    triage = NULL;
    ck_assert_fails(status, fl_triage_run(&triage, &request, &own));
    ck_assert_ptr_null(triage);
    ck_assert_str_eq(own.message, in_folder(sentence));
}

static bool has_warning(const fl_incident *incident, const char *sentence)
{
    for (size_t i = 0; i < incident->warning_count; i++) {
        if (strcmp(incident->warnings[i], in_folder(sentence)) == 0)
            return true;
    }
    return false;
}

/* ---- a good run, to compare with ---- */

static void write_incident(made_signals signals)
{
    fl_buf_clear(&text);
    made_incident(&text, 10, 12, signals);
    write_file("good.jsonl");
    fl_buf_clear(&text);
}

START_TEST(a_small_incident_is_told)
{
    write_incident(MADE_ALL);
    const fl_incident *incident = run();
    ck_assert_int_eq(incident->verdict, FL_VERDICT_CAUSE_FOUND);
    ck_assert_uint_gt(incident->hypothesis_count, 0);
    ck_assert_str_eq(incident->hypotheses[0].service, "bank");
    ck_assert_int_eq(incident->window.from_ns, MADE_INCIDENT_AT);
    ck_assert_int_eq(incident->window.to_ns, MADE_INCIDENT_AT + INT64_C(300) * 1000000000);
    ck_assert_int_eq(incident->baseline.to_ns, MADE_INCIDENT_AT);
    ck_assert_uint_eq(incident->trace_spans, 13 * 12 * 2);
    ck_assert_uint_eq(incident->trace_edges, 1);
    ck_assert_uint_eq(incident->log_records, 13 * 12);
    ck_assert_uint_eq(incident->log_templates, 2);
    ck_assert_uint_eq(incident->metric_series, 2);
    ck_assert_uint_eq(incident->rejected_records, 0);
    ck_assert_uint_eq(incident->warning_count, 0);
    ck_assert_int_ge(fl_triage_decode_ns(triage), 0);
    ck_assert_int_ge(fl_triage_rank_ns(triage), 0);
}
END_TEST

START_TEST(each_modality_may_be_missing)
{
    static const made_signals signals[] = {MADE_TRACES,
                                           MADE_LOGS,
                                           MADE_METRICS,
                                           MADE_TRACES | MADE_LOGS,
                                           MADE_TRACES | MADE_METRICS,
                                           MADE_LOGS | MADE_METRICS,
                                           MADE_ALL};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        write_incident(signals[i]);
        const fl_incident *incident = run();
        ck_assert_int_eq(incident->missing[FL_MODALITY_TRACES], (signals[i] & MADE_TRACES) == 0);
        ck_assert_int_eq(incident->missing[FL_MODALITY_LOGS], (signals[i] & MADE_LOGS) == 0);
        ck_assert_int_eq(incident->missing[FL_MODALITY_METRICS], (signals[i] & MADE_METRICS) == 0);
        ck_assert_uint_eq(incident->rejected_records, 0);
    }
}
END_TEST

START_TEST(without_a_baseline_that_is_said)
{
    made_incident(&text, 0, 12, MADE_ALL);
    write_file("good.jsonl");
    const fl_incident *incident = run();
    ck_assert_int_eq(incident->verdict, FL_VERDICT_NO_CONFIDENT_CAUSE);
    ck_assert(has_warning(
        incident, "there is no baseline: nothing before the incident's time, and no --baseline"));
}
END_TEST

static size_t progress_calls;

static void count_progress(void *payload, const char *what, uint64_t done, uint64_t total)
{
    ck_assert_ptr_eq(payload, &progress_calls);
    ck_assert_ptr_nonnull(what);
    ck_assert_uint_le(done, total);
    progress_calls++;
}

START_TEST(progress_is_told_in_bytes)
{
    write_incident(MADE_ALL);
    request.progress = count_progress;
    request.payload = &progress_calls;
    run();
    ck_assert_uint_ge(progress_calls, 1);
}
END_TEST

START_TEST(destroying_nothing_is_nothing)
{
    fl_triage_destroy(NULL);
}
END_TEST

/* ---- inputs that are not there ---- */

START_TEST(an_empty_folder_is_refused)
{
    run_fails(FL_E_IO, "folder DIR holds no .json, .jsonl, .ndjson, .pb, .binpb or .otlp file");
    text = fl_buf_of(1024);
    write_file("readme.txt");
    run_fails(FL_E_IO, "folder DIR holds no .json, .jsonl, .ndjson, .pb, .binpb or .otlp file");
}
END_TEST

START_TEST(a_missing_folder_is_refused)
{
    paths[0] = fl_folder_path(&folder, "none");
    run_fails(FL_E_IO, "cannot read DIR/none: No such file or directory");
}
END_TEST

START_TEST(a_missing_baseline_is_refused)
{
    write_incident(MADE_ALL);
    static const char *baseline;
    baseline = fl_folder_path(&folder, "none");
    request.baseline = &baseline;
    request.baseline_count = 1;
    run_fails(FL_E_IO, "cannot read DIR/none: No such file or directory");
}
END_TEST

START_TEST(a_folder_without_otlp_is_refused)
{
    fl_buf_text(&text, "{\"name\":\"something else\"}\n");
    write_file("package.json");
    run_fails(FL_E_IO, "DIR/package.json and its neighbours hold no telemetry");
}
END_TEST

/* As an exporter leaves it that had nothing to say. */
START_TEST(an_empty_file_says_nothing)
{
    paths[0] = write_file("empty.json");
    const fl_incident *incident = run();
    ck_assert_int_eq(incident->verdict, FL_VERDICT_NO_CONFIDENT_CAUSE);
    ck_assert(incident->missing[FL_MODALITY_METRICS]);
    ck_assert(incident->missing[FL_MODALITY_LOGS]);
    ck_assert(incident->missing[FL_MODALITY_TRACES]);
}
END_TEST

START_TEST(other_json_in_the_folder_is_passed_over)
{
    write_incident(MADE_ALL);
    fl_buf_text(&text, "{\"name\":\"something else\"}\n");
    write_file("package.json");
    const fl_incident *incident = run();
    ck_assert_uint_eq(incident->rejected_records, 0);
    ck_assert_uint_eq(incident->warning_count, 0);
}
END_TEST

START_TEST(a_file_given_twice_counts_once)
{
    write_incident(MADE_ALL);
    paths[1] = fl_folder_path(&folder, "good.jsonl");
    request.otlp_count = 2;
    ck_assert_uint_eq(run()->trace_spans, 13 * 12 * 2);
    made_incident(&text, 10, 12, MADE_ALL); /* and a copy of it */
    write_file("copy.jsonl");
    ck_assert_uint_eq(run()->log_records, 13 * 12);
    ck_assert_str_eq(fl_triage_incident(triage)->hypotheses[0].service, "bank");
}
END_TEST

static void remove_second(void *payload, const char *what, uint64_t done, uint64_t total)
{
    (void)payload;
    (void)done;
    (void)total;
    if (strstr(what, "good.jsonl") != NULL)
        unlink(fl_folder_path(&folder, "late.jsonl"));
}

START_TEST(a_file_that_cannot_be_opened_costs_itself)
{
    write_incident(MADE_ALL);
    size_t spans = run()->trace_spans;
    fl_buf_text(&text, "{\"resourceSpans\":[]}\n");
    write_file("late.jsonl");
    request.progress = remove_second;
    const fl_incident *incident = run();
    ck_assert_uint_eq(incident->trace_spans, spans);
    ck_assert_uint_eq(incident->rejected_records, 1);
    ck_assert(has_warning(incident, "cannot open DIR/late.jsonl: No such file or directory"));
    write_file("late.jsonl");
    request.strict = true;
    run_fails(FL_E_NOTFOUND, "cannot open DIR/late.jsonl: No such file or directory");
}
END_TEST

START_TEST(attributes_over_the_limit_are_told)
{
    write_incident(MADE_ALL);
    fl_buf_text(&text, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    for (unsigned i = 0; i < 1030; i++)
        fl_buf_printf(&text, "%s{\"key\":\"k%u\",\"value\":{\"intValue\":1}}", i > 0 ? "," : "", i);
    fl_buf_text(&text, "]},\"scopeSpans\":[]}]}\n");
    write_file("many.jsonl");
    const fl_incident *incident = run();
    ck_assert_uint_eq(incident->rejected_records, 0);
    ck_assert(has_warning(
        incident,
        "6 attributes or events were left out: more in one record than the limits allow"));
}
END_TEST

/* ---- damaged records beside good ones ---- */

#define SPAN(ids, times)                                                                           \
    "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" ids ",\"name\":\"x\"," times "}]}]}]}\n"
#define IDS "\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"spanId\":\"0001020304050607\""
#define TIMES                                                                                      \
    "\"startTimeUnixNano\":\"1700000001000000000\",\"endTimeUnixNano\":\"1700000002000000000\""
#define POINT(value)                                                                               \
    "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\",\"gauge\":{"           \
    "\"dataPoints\":[{"                                                                            \
    "\"timeUnixNano\":\"1700000001000000000\",\"asDouble\":" value "}]}}]}]}]}\n"
#define LOG(time, body)                                                                            \
    "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":" time                  \
    ",\"body\":{\"stringValue\":\"" body "\"}}]}]}]}\n"

/* What one bad line costs, and what is said about it; line 1 of bad.jsonl. */
static const struct damage {
    const char *line, *warning;
} damages[] = {
    {"{\"resourceSpans\":[\n", "request: expected an element or ']'; the rest is lost (byte 18)"},
    {"not JSON at all\n", "request: expected an object, found null; the rest is lost (byte 0)"},
    {SPAN(IDS, "\"startTimeUnixNano\":\"0\",\"endTimeUnixNano\":\"1700000002000000000\""),
     "span: no start time (byte 43)"},
    {SPAN(IDS, "\"startTimeUnixNano\":\"16725225600000000000\",\"endTimeUnixNano\":"
               "\"16725225600000000000\""),
     "span: time is beyond the year 2262 (byte 43)"},
    {SPAN(IDS, "\"startTimeUnixNano\":\"99999999999999999999\",\"endTimeUnixNano\":"
               "\"1700000002000000000\""),
     "span: expected an unsigned integer of 64 bits (byte 148)"},
    {SPAN(IDS, "\"startTimeUnixNano\":\"1700000002000000000\",\"endTimeUnixNano\":"
               "\"1700000001000000000\""),
     "span: ends before it starts (byte 43)"},
    {SPAN("\"traceId\":\"0001\",\"spanId\":\"0001020304050607\"", TIMES),
     "span: trace id is not 16 bytes as 32 hexadecimal digits (byte 43)"},
    {SPAN("\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"spanId\":\"00010203040506070809\"",
          TIMES),
     "span: span id is not 8 bytes as 16 hexadecimal digits (byte 43)"},
    {SPAN("\"traceId\":\"000102030405060708090a0b0c0d0e0g\",\"spanId\":\"0001020304050607\"",
          TIMES),
     "span: trace id is not 16 bytes as 32 hexadecimal digits (byte 43)"},
    {SPAN("\"traceId\":\"00000000000000000000000000000000\",\"spanId\":\"0001020304050607\"",
          TIMES),
     "span: no trace id (byte 43)"},
    {SPAN(IDS ",\"parentSpanId\":\"01\"", TIMES),
     "span: parent span id is not 8 bytes as 16 hexadecimal digits (byte 43)"},
    {POINT("\"NaN\""), "data point: value is not finite (byte 84)"},
    {POINT("NaN"), "data point: expected a number, found 'N' (byte 133)"},
    {POINT("\"-Infinity\""), "data point: value is not finite (byte 84)"},
    {POINT("1e999"), "data point: number beyond the range of a double (byte 133)"},
    {LOG("\"0\"", "x"), "log record: no time (byte 46)"},
    {LOG("\"16725225600000000000\"", "x"), "log record: time is beyond the year 2262 (byte 46)"},
    {LOG("\"1700000001000000000\"", "a\xff"
                                    "b"),
     "log record: invalid UTF-8 in a string (byte 108)"},
    {LOG("\"1700000001000000000\"", "\\ud800"), "log record: half a surrogate pair (byte 107)"},
};

START_TEST(a_damaged_record_costs_itself)
{
    write_incident(MADE_ALL);
    fl_incident good = *run();
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        char sentence[256];
        fl_buf_clear(&text);
        fl_buf_text(&text, damages[i].line);
        fl_buf_text(&text, SPAN(IDS, TIMES)); /* good */
        write_file("bad.jsonl");
        const fl_incident *incident = run();
        snprintf(sentence, sizeof(sentence), "bad.jsonl:1: %s", damages[i].warning);
        ck_assert(has_warning(incident, sentence));
        ck_assert_uint_eq(incident->warning_count, 1);
        ck_assert_uint_eq(incident->rejected_records, 1);
        ck_assert_uint_eq(incident->trace_spans, good.trace_spans + 1);
        ck_assert_uint_eq(incident->log_records, good.log_records);
        ck_assert_uint_eq(incident->metric_series, good.metric_series);
        ck_assert_str_eq(incident->hypotheses[0].service, "bank");
    }
}
END_TEST

START_TEST(strict_ends_at_the_first_damage)
{
    write_incident(MADE_ALL);
    request.strict = true;
    run();
    fl_buf_text(&text, SPAN(IDS, TIMES) POINT("\"NaN\""));
    write_file("bad.jsonl");
    run_fails(FL_E_SYNTAX, "DIR/bad.jsonl, line 2, byte 301: data point: value is not finite");
}
END_TEST

START_TEST(more_damage_than_is_listed_is_counted)
{
    write_incident(MADE_ALL);
    for (size_t i = 0; i < 30; i++)
        fl_buf_text(&text, POINT("\"NaN\""));
    write_file("bad.jsonl");
    const fl_incident *incident = run();
    ck_assert_uint_eq(incident->rejected_records, 30);
    ck_assert_uint_eq(incident->warning_count, 9);
    ck_assert(has_warning(incident, "30 records were unreadable in all; the rest was used"));
}
END_TEST

/* Moments that run backwards, parents that never come and parents in a circle are no damage. */
START_TEST(odd_but_readable_records_are_used)
{
    write_incident(MADE_ALL);
    fl_incident good = *run();
    for (unsigned i = 0; i < 50; i++)
        fl_buf_printf(
            &text,
            "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"
            "\"000102030405060708090a0b0c0d0e0f\","
            "\"spanId\":\"%016x\",\"parentSpanId\":\"%016x\",\"name\":\"x\",\"startTimeUnixNano\":"
            "\"17000000%02u000000000\",\"endTimeUnixNano\":\"1700000060000000000\"}]}]}]}\n",
            1 + i, i < 40 ? 1 + (i + 1) % 40 : 1000 + i, 59 - i);
    write_file("odd.jsonl");
    const fl_incident *incident = run();
    ck_assert_uint_eq(incident->trace_spans, good.trace_spans + 50);
    ck_assert_uint_eq(incident->rejected_records, 0);
    ck_assert_uint_eq(incident->warning_count, 0);
}
END_TEST

/* ---- damaged files beside good ones ---- */

static fl_bytes squeezed_copy(bool gzip)
{
    fl_buf_clear(&text);
    made_incident(&text, 20, 12, MADE_ALL); /* older than the good file's */
    return gzip ? fl_gzip(fl_buf_slice(&text)) : fl_zstd(fl_buf_slice(&text), 3);
}

START_TEST(a_truncated_gzip_file_is_used_up_to_its_end)
{
    write_incident(MADE_ALL);
    size_t records = run()->log_records;
    fl_bytes bytes = squeezed_copy(true);
    fl_folder_write(&folder, "bad.jsonl.gz", (fl_slice){bytes.ptr, bytes.len / 2});
    const fl_incident *incident = run();
    ck_assert_uint_gt(incident->log_records, records);
    ck_assert_uint_eq(incident->rejected_records, 1);
    ck_assert_uint_eq(incident->warning_count, 1);
    ck_assert_ptr_nonnull(
        strstr(incident->warnings[0], "is truncated: it ends inside a gzip member"));
    free(bytes.ptr);
}
END_TEST

START_TEST(a_truncated_zstd_file_is_used_up_to_its_last_block)
{
    write_incident(MADE_ALL);
    fl_bytes bytes = squeezed_copy(false);
    fl_folder_write(&folder, "bad.jsonl.zst", (fl_slice){bytes.ptr, bytes.len / 2});
    const fl_incident *incident = run();
    ck_assert_uint_eq(incident->rejected_records, 1);
    ck_assert_ptr_nonnull(
        strstr(incident->warnings[0], "is truncated: it ends inside a zstd frame"));
    ck_assert_str_eq(incident->hypotheses[0].service, "bank");
    free(bytes.ptr);
}
END_TEST

START_TEST(a_corrupt_file_is_used_up_to_the_damage)
{
    write_incident(MADE_ALL);
    for (int gzip = 0; gzip < 2; gzip++) {
        fl_bytes bytes = squeezed_copy(gzip);
        memset(bytes.ptr + bytes.len / 2, 0xff, 16);
        fl_folder_write(&folder, "bad.jsonl.gz", fl_bytes_slice(bytes));
        const fl_incident *incident = run();
        ck_assert_uint_ge(incident->rejected_records, 1);
        ck_assert_str_eq(incident->hypotheses[0].service, "bank");
        free(bytes.ptr);
    }
}
END_TEST

START_TEST(nesting_of_100000_is_passed_over)
{
    write_incident(MADE_ALL);
    fl_incident good = *run();
    fl_buf_text(&text, "{\"resourceSpans\":");
    for (int i = 0; i < 100000; i++)
        fl_buf_char(&text, '[');
    fl_buf_text(&text, "\n{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":"
                       "\"1700000001000000000\",\"body\":");
    for (int i = 0; i < 33333; i++) /* three brackets each */
        fl_buf_text(&text, "{\"arrayValue\":{\"values\":[");
    for (int i = 0; i < 33333; i++)
        fl_buf_text(&text, "]}}");
    fl_buf_text(&text, "}]}]}]}\n" SPAN(IDS, TIMES));
    write_file("bad.jsonl");
    const fl_incident *incident = run();
    ck_assert_uint_eq(incident->trace_spans, good.trace_spans + 1);
    ck_assert_uint_eq(incident->rejected_records, 2);
    ck_assert(has_warning(incident, "bad.jsonl:1: resource: expected an object, found an "
                                    "array; the rest is lost (byte 18)"));
    ck_assert(has_warning(
        incident,
        "bad.jsonl:2: log record: containers are nested more than 128 deep (byte 101123)"));
}
END_TEST

/* 70 MiB: over the 64 that a line may have. */
static void write_long_line(void)
{
    static char block[1 << 20];
    memset(block, 'x', sizeof(block));
    fl_buf_clear(&text);
    fl_buf_text(&text, "{\"resourceSpans\":\"");
    for (int i = 0; i < 70; i++)
        fl_buf_add(&text, (fl_slice){(unsigned char *)block, sizeof(block)});
    fl_buf_text(&text, "\"}\n" SPAN(IDS, TIMES));
}

START_TEST(a_line_over_the_limit_is_passed_over)
{
    write_incident(MADE_ALL);
    size_t spans = run()->trace_spans;
    write_long_line();
    write_file("bad.jsonl");
    const fl_incident *incident = run();
    ck_assert_uint_eq(incident->trace_spans, spans + 1);
    ck_assert_uint_eq(incident->rejected_records, 1);
    ck_assert(has_warning(incident, "bad.jsonl:1: line is longer than 64 MiB (byte 0)"));
}
END_TEST

START_TEST(a_decompression_bomb_is_refused)
{
    write_incident(MADE_ALL);
    size_t spans = run()->trace_spans;
    write_long_line();
    for (int gzip = 0; gzip < 2; gzip++) {
        fl_bytes bytes = gzip ? fl_gzip(fl_buf_slice(&text)) : fl_zstd(fl_buf_slice(&text), 1);
        fl_folder_write(&folder, "bad.jsonl.gz", fl_bytes_slice(bytes));
        const fl_incident *incident = run();
        ck_assert_uint_eq(incident->trace_spans, spans);
        ck_assert_uint_eq(incident->rejected_records, 2);
        ck_assert(has_warning(incident, "bad.jsonl.gz:1: line is longer than 64 MiB (byte 0)"));
        ck_assert_ptr_nonnull(strstr(incident->warnings[1],
                                     "expands more than 200 times: refused as a decompression "
                                     "bomb (byte 67108866)"));
        free(bytes.ptr);
    }
}
END_TEST

/* ---- what the user gives besides ---- */

static const struct refused_topology {
    const char *text, *message;
} refused_topologies[] = {
    {"", "DIR/topology.txt:1:0: '[' or '{' expected near end of file"},
    {"{}", "DIR/topology.txt: expected a list of calls"},
    {"[", "DIR/topology.txt:1:1: ']' expected near end of file"},
    {"[]]", "DIR/topology.txt:1:3: end of file expected near ']'"},
    {"[1]", "DIR/topology.txt: item 1 names no \"caller\" and \"callee\" (or client and server, "
            "source and target)"},
    {"[{}]", "DIR/topology.txt: item 1 names no \"caller\" and \"callee\" (or client and server, "
             "source and target)"},
    {"[{\"client\":\"a\",\"server\":\"b\"},{\"client\":\"a\"}]",
     "DIR/topology.txt: item 2 names no \"caller\" and \"callee\" (or client and server, source "
     "and target)"},
    {"[{\"client\":\"a\",\"server\":\"\"}]",
     "DIR/topology.txt: item 1 names no \"caller\" and \"callee\" (or client and server, source "
     "and target)"},
    {"[{\"client\":1,\"server\":2}]", "DIR/topology.txt: item 1 names no \"caller\" and \"callee\" "
                                      "(or client and server, source and target)"},
    {"[{\"client\":\"a\",\"client\":\"b\",\"server\":\"c\"}]",
     "DIR/topology.txt:1:23: duplicate object key near '\"client\"'"},
    {"[{\"client\":\"a\",\"server\":\"\xff\"}]",
     "DIR/topology.txt:1:25: unable to decode byte 0xff near '\"'"},
    {"[\n {\"client\": nul}]", "DIR/topology.txt:2:15: invalid token near 'nul'"},
};

START_TEST(a_malformed_topology_is_refused_with_its_place)
{
    write_incident(MADE_ALL);
    request.topology = fl_folder_path(&folder, "topology.txt");
    for (size_t i = 0; i < sizeof(refused_topologies) / sizeof(refused_topologies[0]); i++) {
        fl_buf_clear(&text);
        fl_buf_text(&text, refused_topologies[i].text);
        write_file("topology.txt");
        run_fails(FL_E_SYNTAX, refused_topologies[i].message);
    }
    request.topology = "/nonexistent/topology.json";
    run_fails(FL_E_NOTFOUND, "cannot open /nonexistent/topology.json: No such file or directory");
}
END_TEST

START_TEST(each_pair_of_words_names_a_call)
{
    write_incident(MADE_LOGS);
    fl_buf_text(&text, "[{\"client\":\"a\",\"server\":\"b\"},{\"caller\":\"a\",\"callee\":\"b\"},{"
                       "\"source\":\"a\","
                       "\"target\":\"b\",\"weight\":3},{\"client\":\"a\",\"server\":\"b\"}]");
    write_file("topology.txt");
    request.topology = fl_folder_path(&folder, "topology.txt");
    run();
}
END_TEST

START_TEST(malformed_roles_are_refused_with_their_place)
{
    write_incident(MADE_ALL);
    fl_buf_text(&text, "rules:\n- {match: x, role: cpus}\n");
    request.roles = write_file("roles.yaml");
    run_fails(
        FL_E_SYNTAX,
        "DIR/roles.yaml:2:14: role is one of traffic, errors, latency, cpu, memory, network, disk, "
        "pool, queue, other");
    request.roles = "/nonexistent/roles.yaml";
    run_fails(FL_E_NOTFOUND, "cannot open /nonexistent/roles.yaml: No such file or directory");
}
END_TEST

START_TEST(a_configuration_file_has_a_ceiling)
{
    write_incident(MADE_ALL);
    for (size_t i = 0; i <= 1 << 20; i++)
        fl_buf_char(&text, '#');
    request.roles = write_file("roles.yaml");
    run_fails(FL_E_LIMIT, "DIR/roles.yaml is larger than 1048576 bytes");
}
END_TEST

START_TEST(a_users_roles_count)
{
    write_incident(MADE_METRICS);
    fl_buf_text(&text, "rules:\n- {match: cpu, role: other}\n");
    request.roles = write_file("roles.yaml");
    const fl_incident *incident = run();
    for (size_t i = 0; i < incident->hypothesis_count; i++)
        ck_assert_int_ne(incident->hypotheses[i].cause, FL_CAUSE_CPU);
}
END_TEST

START_TEST(the_ends_of_time_are_no_trouble)
{
    static const int64_t moments[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    write_incident(MADE_ALL);
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        request.at_ns = moments[i];
        const fl_incident *incident = run();
        ck_assert_int_eq(incident->verdict, FL_VERDICT_NO_CONFIDENT_CAUSE);
        ck_assert_int_ge(incident->window.to_ns, incident->window.from_ns);
    }
}
END_TEST

START_TEST(a_window_has_a_ceiling)
{
    write_incident(MADE_ALL);
    request.window_ns = INT64_C(4096) * 60 * 1000000000;
    run();
    request.window_ns++;
    run_fails(FL_E_LIMIT, "the window is longer than 4096 minutes");
    request.window_ns = INT64_MAX;
    run_fails(FL_E_LIMIT, "the window is longer than 4096 minutes");
}
END_TEST

/* ---- memory ---- */

static fl_status run_once(fl_buf *answer)
{
    fl_error own = {0};
    fl_triage *made = NULL;
    fl_status status = fl_triage_run(&made, &request, &own);
    ck_assert_int_eq(status == FL_OK, made != NULL);
    ck_assert_int_eq(status == FL_OK, own.message[0] == '\0');
    if (status == FL_OK)
        ck_assert_ok(fl_report_json(answer, fl_triage_incident(made), &own));
    fl_triage_destroy(made);
    return status;
}

START_TEST(survives_each_allocation_failing)
{
    fl_buf whole = fl_buf_of(1u << 20), answer = fl_buf_of(1u << 20);
    made_incident(&text, 2, 2, MADE_ALL);
    write_file("good.jsonl");
    fl_buf_clear(&text);
    fl_buf_text(&text, "[{\"client\":\"shop\",\"server\":\"bank\"}]");
    request.topology = write_file("topology.txt");
    fl_buf_clear(&text);
    fl_buf_text(&text, "rules:\n- {match: x, role: cpu}\n");
    request.roles = write_file("roles.txt");
    ck_assert_int_eq(run_once(&whole), FL_OK);
    long allowed = 0;
    for (fl_status status = FL_E_NOMEM; status != FL_OK; allowed++) {
        fl_mem_fail_after(allowed);
        fl_error own = {0};
        fl_triage *made = NULL;
        status = fl_triage_run(&made, &request, &own);
        fl_mem_fail_after(-1);
        ck_assert_int_eq(status == FL_OK, made != NULL);
        ck_assert_msg(status == FL_OK || status == FL_E_NOMEM, "allocation %ld: %s: %s", allowed,
                      fl_status_name(status), own.message);
        ck_assert(status == FL_OK || strstr(own.message, "memory") != NULL);
        fl_triage_destroy(made);
    }
    ck_assert_int_gt(allowed, 100);
    ck_assert_int_eq(run_once(&answer), FL_OK);
    ck_assert_str_eq(answer.ptr, whole.ptr);
    fl_buf_dispose(&whole);
    fl_buf_dispose(&answer);
}
END_TEST

static Suite *triage_suite(void)
{
    Suite *suite = suite_create("pipeline/triage");
    TCase *cases = tcase_create("triage");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_small_incident_is_told);
    tcase_add_test(cases, each_modality_may_be_missing);
    tcase_add_test(cases, without_a_baseline_that_is_said);
    tcase_add_test(cases, progress_is_told_in_bytes);
    tcase_add_test(cases, destroying_nothing_is_nothing);
    tcase_add_test(cases, an_empty_folder_is_refused);
    tcase_add_test(cases, a_missing_folder_is_refused);
    tcase_add_test(cases, a_missing_baseline_is_refused);
    tcase_add_test(cases, a_folder_without_otlp_is_refused);
    tcase_add_test(cases, an_empty_file_says_nothing);
    tcase_add_test(cases, other_json_in_the_folder_is_passed_over);
    tcase_add_test(cases, a_file_given_twice_counts_once);
    tcase_add_test(cases, a_file_that_cannot_be_opened_costs_itself);
    tcase_add_test(cases, attributes_over_the_limit_are_told);
    tcase_add_test(cases, a_damaged_record_costs_itself);
    tcase_add_test(cases, strict_ends_at_the_first_damage);
    tcase_add_test(cases, more_damage_than_is_listed_is_counted);
    tcase_add_test(cases, odd_but_readable_records_are_used);
    tcase_add_test(cases, a_truncated_gzip_file_is_used_up_to_its_end);
    tcase_add_test(cases, a_truncated_zstd_file_is_used_up_to_its_last_block);
    tcase_add_test(cases, a_corrupt_file_is_used_up_to_the_damage);
    tcase_add_test(cases, nesting_of_100000_is_passed_over);
    tcase_add_test(cases, a_line_over_the_limit_is_passed_over);
    tcase_add_test(cases, a_decompression_bomb_is_refused);
    tcase_add_test(cases, a_malformed_topology_is_refused_with_its_place);
    tcase_add_test(cases, each_pair_of_words_names_a_call);
    tcase_add_test(cases, malformed_roles_are_refused_with_their_place);
    tcase_add_test(cases, a_configuration_file_has_a_ceiling);
    tcase_add_test(cases, a_users_roles_count);
    tcase_add_test(cases, the_ends_of_time_are_no_trouble);
    tcase_add_test(cases, a_window_has_a_ceiling);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(triage_suite)
