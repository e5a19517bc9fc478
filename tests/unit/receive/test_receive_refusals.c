/*
 * Requests that are refused: each with its status, its body, what senders may do next, and the
 * counter; clocks, full disks, webhooks that are not signed.
 */
#include "made_proto.h"
#include "receive_case.h"
#include "sha256.h"

static receive_case c;

static void setup(void)
{
    c = (receive_case){0};
    receive_case_open(&c);
}

static void teardown(void)
{
    receive_case_close(&c);
}

#define JSON    "application/json"
#define PROTO   "application/x-protobuf"
#define TEXT    "text/plain; charset=utf-8"
#define PROBLEM "application/problem+json"

/* clang-format off */
static const struct {
    const char *path, *type, *encoding;
    fl_slice body;
    fl_receive_protocol protocol;
    fl_receive_refusal why;
    unsigned status;
    const char *answer_type;
    fl_slice answer; /* of problem+json, a part */
} refused[] = {
    /* OTLP: google.rpc.Status, {1: code, 2: message} */
    {"/v1/logs", "text/plain", NULL, BYTES_INIT(""), FL_RECEIVE_OTLP_LOGS, FL_RECEIVE_UNSUPPORTED, 415, JSON,
     BYTES_INIT("{\"code\":12,\"message\":\"OTLP wants Content-Type application/x-protobuf or application/json\"}")},
    {"/v1/logs", "", NULL, BYTES_INIT(""), FL_RECEIVE_OTLP_LOGS, FL_RECEIVE_UNSUPPORTED, 415, JSON,
     BYTES_INIT("{\"code\":12,\"message\":\"OTLP wants Content-Type application/x-protobuf or application/json\"}")},
    {"/v1/traces", PROTO, "snappy", BYTES_INIT(""), FL_RECEIVE_OTLP_TRACES, FL_RECEIVE_UNSUPPORTED, 415, PROTO,
     BYTES_INIT("\x08\x0c\x12\x39that Content-Encoding is not read here; gzip and zstd are")},
    {"/v1/traces", JSON, NULL, BYTES_INIT("[]"), FL_RECEIVE_OTLP_TRACES, FL_RECEIVE_MALFORMED, 400, JSON,
     BYTES_INIT("{\"code\":3,\"message\":\"the body is no JSON object\"}")},
    {"/v1/traces", JSON, NULL, BYTES_INIT(""), FL_RECEIVE_OTLP_TRACES, FL_RECEIVE_MALFORMED, 400, JSON,
     BYTES_INIT("{\"code\":3,\"message\":\"the body is no JSON object\"}")},
    {"/v1/traces", JSON, NULL, BYTES_INIT("{\"resourceSpans\":[}"), FL_RECEIVE_OTLP_TRACES, FL_RECEIVE_MALFORMED, 400, JSON,
     BYTES_INIT("{\"code\":3,\"message\":\"?\"}")},
    {"/v1/traces", JSON, NULL, BYTES_INIT("{} {}"), FL_RECEIVE_OTLP_TRACES, FL_RECEIVE_MALFORMED, 400, JSON,
     BYTES_INIT("{\"code\":3,\"message\":\"?\"}")},
    {"/v1/traces", JSON, NULL, BYTES_INIT("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"a\"}]}]}]}"), FL_RECEIVE_OTLP_TRACES, FL_RECEIVE_MALFORMED, 400, JSON,
     BYTES_INIT("{\"code\":3,\"message\":\"?\"}")},
    {"/v1/metrics", PROTO, NULL, BYTES_INIT("\x0a\x7f"), FL_RECEIVE_OTLP_METRICS, FL_RECEIVE_MALFORMED, 400, PROTO,
     BYTES_INIT("\x08\x03\x12?")},
    {"/v1/metrics", PROTO, NULL, BYTES_INIT("\x08\x01"), FL_RECEIVE_OTLP_METRICS, FL_RECEIVE_MALFORMED, 400, PROTO,
     BYTES_INIT("\x08\x03\x12\x1bthe body is no OTLP message")},
    /* Remote write */
    {"/api/v1/write", "application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy", BYTES_INIT(""), FL_RECEIVE_REMOTE_WRITE, FL_RECEIVE_UNSUPPORTED, 415, TEXT,
     BYTES_INIT("remote write of io.prometheus.write.v2.Request is not read, prometheus.WriteRequest is\n")},
    {"/api/v1/write", JSON, NULL, BYTES_INIT("{}"), FL_RECEIVE_REMOTE_WRITE, FL_RECEIVE_UNSUPPORTED, 415, TEXT,
     BYTES_INIT("remote write wants Content-Type application/x-protobuf\n")},
    {"/api/v1/write", PROTO, "snappy", BYTES_INIT(""), FL_RECEIVE_REMOTE_WRITE, FL_RECEIVE_MALFORMED, 400, TEXT, BYTES_INIT("?")},
    {"/api/v1/write", PROTO, "snappy", BYTES_INIT("\x04\x0cx"), FL_RECEIVE_REMOTE_WRITE, FL_RECEIVE_MALFORMED, 400, TEXT, BYTES_INIT("?")},
    {"/api/v1/write", PROTO, "snappy", BYTES_INIT("\xff\xff\xff\xff\x0f"), FL_RECEIVE_REMOTE_WRITE, FL_RECEIVE_TOO_LARGE, 413, TEXT, BYTES_INIT("?")},
    /* Loki */
    {"/loki/api/v1/push", "text/plain", NULL, BYTES_INIT("x"), FL_RECEIVE_LOKI, FL_RECEIVE_UNSUPPORTED, 415, TEXT,
     BYTES_INIT("a push wants Content-Type application/json or application/x-protobuf\n")},
    {"/loki/api/v1/push", JSON, NULL, BYTES_INIT("{}"), FL_RECEIVE_LOKI, FL_RECEIVE_MALFORMED, 400, TEXT, BYTES_INIT("/loki/api/v1/push holds no push to Loki\n")},
    {"/loki/api/v1/push", "", NULL, BYTES_INIT("\x04\x0cx"), FL_RECEIVE_LOKI, FL_RECEIVE_MALFORMED, 400, TEXT, BYTES_INIT("?")},
    {"/loki/api/v1/push", JSON, "br", BYTES_INIT("{}"), FL_RECEIVE_LOKI, FL_RECEIVE_UNSUPPORTED, 415, TEXT,
     BYTES_INIT("that Content-Encoding is not read here; gzip and zstd are\n")},
    /* Zipkin */
    {"/api/v2/spans", "application/x-thrift", NULL, BYTES_INIT("x"), FL_RECEIVE_ZIPKIN, FL_RECEIVE_UNSUPPORTED, 415, TEXT,
     BYTES_INIT("/api/v2/spans wants Content-Type application/json\n")},
    {"/api/v2/spans", JSON, NULL, BYTES_INIT("{}"), FL_RECEIVE_ZIPKIN, FL_RECEIVE_MALFORMED, 400, TEXT, BYTES_INIT("?")},
    /* Webhooks and events */
    {"/v1/webhooks/alertmanager", JSON, NULL, BYTES_INIT("{}"), FL_RECEIVE_ALERTMANAGER, FL_RECEIVE_MALFORMED, 400, PROBLEM,
     BYTES_INIT("holds no alerts")},
    {"/v1/webhooks/alertmanager", JSON, NULL, BYTES_INIT("{\"version\":\"5\",\"alerts\":[]}"), FL_RECEIVE_ALERTMANAGER, FL_RECEIVE_MALFORMED, 400, PROBLEM,
     BYTES_INIT("version")},
    {"/v1/webhooks/github", "application/x-www-form-urlencoded", NULL, BYTES_INIT("payload="), FL_RECEIVE_GITHUB, FL_RECEIVE_UNSUPPORTED, 415, PROBLEM,
     BYTES_INIT("/v1/webhooks/github wants Content-Type application/json")},
    {"/v1/webhooks/github", JSON, NULL, BYTES_INIT("{"), FL_RECEIVE_GITHUB, FL_RECEIVE_MALFORMED, 400, PROBLEM, BYTES_INIT("the body is no JSON")},
    {"/v1/webhooks/gitlab", JSON, NULL, BYTES_INIT("[]"), FL_RECEIVE_GITLAB, FL_RECEIVE_MALFORMED, 400, PROBLEM, BYTES_INIT("the body is no JSON object")},
    {"/v1/events", "text/plain", NULL, BYTES_INIT("{}"), FL_RECEIVE_EVENTS, FL_RECEIVE_UNSUPPORTED, 415, PROBLEM, BYTES_INIT("/v1/events wants Content-Type application/json")},
    {"/v1/events", JSON, NULL, BYTES_INIT("{\"kind\":\"deploy\"}"), FL_RECEIVE_EVENTS, FL_RECEIVE_MALFORMED, 400, PROBLEM, BYTES_INIT("1 of 1 records were refused")},
    /* Profiles */
    {"/ingest", "", NULL, BYTES_INIT("x"), FL_RECEIVE_PYROSCOPE, FL_RECEIVE_MALFORMED, 400, TEXT, BYTES_INIT("the query has no 'name'\n")},
    {"/v1/profiles", "", NULL, BYTES_INIT("x"), FL_RECEIVE_PPROF, FL_RECEIVE_MALFORMED, 400, PROBLEM, BYTES_INIT("whose profile is it? ?service=NAME&type=heap")},
};
/* clang-format on */

/* Whether `answer` begins with `wanted`, of which '?' is anything to the end. */
static bool is_answer(fl_slice answer, fl_slice wanted)
{
    const unsigned char *any = memchr(wanted.ptr, '?', wanted.len);
    bool is_open = any != NULL && wanted.len - (size_t)(any - wanted.ptr) < 4;
    if (!is_open)
        return fl_slice_equal(answer, wanted);
    return fl_slice_starts_with(answer, fl_slice_part(wanted, 0, (size_t)(any - wanted.ptr)));
}

START_TEST(each_mistake_has_its_answer_and_its_counter)
{
    receive_case_request(&c, "POST", refused[_i].path, refused[_i].type, refused[_i].body);
    if (refused[_i].encoding != NULL)
        receive_case_header(&c, "Content-Encoding", refused[_i].encoding);
    ck_assert_uint_eq(receive_case_send(&c), refused[_i].status);
    ck_assert_str_eq(c.reply.content_type, refused[_i].answer_type);
    ck_assert_uint_eq(c.reply.retry_after_s, 0);
    fl_slice body = fl_buf_slice(&c.reply.body);
    bool found = strcmp(refused[_i].answer_type, PROBLEM) == 0
                     ? fl_slice_find(body, refused[_i].answer) < body.len
                     : is_answer(body, refused[_i].answer);
    ck_assert_msg(found, "%.*s", FL_SLICE_ARG(body));
    fl_receive_counts counts = receive_case_counts(&c, refused[_i].protocol);
    ck_assert_uint_eq(counts.requests, 1);
    for (size_t why = 0; why < FL_RECEIVE_REFUSALS; why++)
        ck_assert_uint_eq(counts.refused[why], why == (size_t)refused[_i].why);
    ck_assert_uint_eq(receive_case_records(&c), 0);
    ck_assert_uint_eq(c.tapped, 0);
}
END_TEST

/* ---- in part ---- */

/* A log record of that time, in a request of `count`. */
static void put_log(fl_buf *request, int64_t time_ns, const char *text)
{
    fl_buf inner = fl_buf_of(1 << 16), record = fl_buf_of(1 << 16), scope = fl_buf_of(1 << 16),
           block = fl_buf_of(1 << 16);
    if (time_ns != 0)
        made_fixed64(&record, 1, (uint64_t)time_ns);
    made_text(&inner, 1, text);
    made_message(&record, 5, &inner);
    made_message(&scope, 2, &record);
    made_message(&block, 2, &scope);
    made_message(request, 1, &block);
    fl_buf_dispose(&inner);
    fl_buf_dispose(&record);
    fl_buf_dispose(&scope);
    fl_buf_dispose(&block);
}

START_TEST(records_that_are_refused_are_told_as_a_part_of_a_success)
{
    fl_buf body = fl_buf_of(1 << 16);
    put_log(&body, RECEIVE_NOW_NS, "good");
    put_log(&body, 0, "bad");
    ck_assert_uint_eq(receive_case_post(&c, "/v1/logs", PROTO, fl_buf_slice(&body)), 200);
    /* partial_success { rejected_log_records: 1, error_message } */
    static const char wanted[] = "\x0a\x21\x08\x01\x12\x1d"
                                 "log record: no time (byte ";
    ck_assert_uint_ge(c.reply.body.len, sizeof(wanted) - 1);
    ck_assert_mem_eq(c.reply.body.ptr, wanted, 1);
    ck_assert_ptr_nonnull(strstr(c.reply.body.ptr, "log record: no time (byte "));
    fl_proto in = fl_proto_over(fl_buf_slice(&c.reply.body));
    ck_assert(fl_proto_next(&in) && in.field == 1);
    fl_proto part = fl_proto_message(&in);
    ck_assert(fl_proto_next(&part) && part.field == 1);
    ck_assert_uint_eq(fl_proto_u64(&part), 1);
    ck_assert(fl_proto_next(&part) && part.field == 2);
    ck_assert(!fl_proto_next(&part) && fl_proto_ok(&part));
    ck_assert(!fl_proto_next(&in) && fl_proto_ok(&in));
    fl_receive_counts counts = receive_case_counts(&c, FL_RECEIVE_OTLP_LOGS);
    ck_assert_uint_eq(counts.records[FL_ARCHIVE_LOG], 1);
    ck_assert_uint_eq(counts.lost[FL_RECEIVE_LOST_UNREADABLE], 1);
    ck_assert_uint_eq(c.tapped, 1);
    fl_buf_dispose(&body);
}
END_TEST

#define LOG(time, text) "{\"timeUnixNano\":\"" time "\",\"body\":{\"stringValue\":\"" text "\"}}"

START_TEST(the_same_in_json)
{
    const char *body = "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[" LOG(
        "1795381700000000000", "a") "," LOG("0", "b") "," LOG("0", "c") "]}]}],\"newer\":{}}";
    ck_assert_uint_eq(receive_case_post(&c, "/v1/logs", JSON, SLICE(body)), 200);
    ck_assert_str_eq(receive_case_body(&c),
                     "{\"partialSuccess\":{\"rejectedLogRecords\":\"2\",\"errorMessage\":"
                     "\"log record: no time (byte 112)\"}}");
}
END_TEST

START_TEST(a_push_or_a_write_in_part_is_kept_and_yet_answered_with_400)
{
    const char *push = "{\"streams\":[{\"stream\":{\"app\":\"cart\"},\"values\":"
                       "[[\"1795381700000000000\",\"good\"],[\"x\",\"bad\"]]}]}";
    ck_assert_uint_eq(receive_case_post(&c, "/loki/api/v1/push", JSON, SLICE(push)), 400);
    ck_assert_ptr_nonnull(
        strstr(receive_case_body(&c), "1 of 2 records were refused; the first: "));
    ck_assert_uint_eq(receive_case_records(&c), 1);
    ck_assert_ptr_nonnull(strstr(receive_case_kept(&c), "good"));
    fl_receive_counts counts = receive_case_counts(&c, FL_RECEIVE_LOKI);
    ck_assert_uint_eq(counts.records[FL_ARCHIVE_LOG], 1);
    ck_assert_uint_eq(counts.refused[FL_RECEIVE_MALFORMED], 1);
}
END_TEST

/* ---- the clock ---- */

#define MINUTE INT64_C(60000000000)

START_TEST(a_record_too_far_ahead_is_refused_and_a_late_one_kept)
{
    fl_buf body = fl_buf_of(1 << 16);
    put_log(&body, RECEIVE_NOW_NS + 10 * MINUTE, "drift");
    put_log(&body, RECEIVE_NOW_NS + 10 * MINUTE + 1, "ahead");
    put_log(&body, RECEIVE_NOW_NS - 60 * MINUTE, "old");
    put_log(&body, RECEIVE_NOW_NS - 60 * MINUTE - 1, "late");
    put_log(&body, 1, "ancient");
    ck_assert_uint_eq(receive_case_post(&c, "/v1/logs", PROTO, fl_buf_slice(&body)), 200);
    ck_assert_ptr_nonnull(
        strstr(receive_case_body(&c),
               "log record of 2026-11-22T21:18:20.000000001Z: too far ahead of the clock"));
    fl_receive_counts counts = receive_case_counts(&c, FL_RECEIVE_OTLP_LOGS);
    ck_assert_uint_eq(counts.records[FL_ARCHIVE_LOG], 4);
    ck_assert_uint_eq(counts.lost[FL_RECEIVE_LOST_AHEAD], 1);
    ck_assert_uint_eq(counts.late, 2);
    ck_assert_ptr_null(strstr(receive_case_kept(&c), "ahead"));
    fl_buf_dispose(&body);
}
END_TEST

START_TEST(where_an_age_is_set_older_records_are_refused)
{
    fl_buf body = fl_buf_of(1 << 16);
    receive_case_close(&c);
    c = (receive_case){0};
    c.options.max_age_ns = 24 * 60 * MINUTE;
    receive_case_open(&c);
    put_log(&body, RECEIVE_NOW_NS - 24 * 60 * MINUTE, "kept");
    put_log(&body, RECEIVE_NOW_NS - 24 * 60 * MINUTE - 1, "too old");
    ck_assert_uint_eq(receive_case_post(&c, "/v1/logs", PROTO, fl_buf_slice(&body)), 200);
    fl_receive_counts counts = receive_case_counts(&c, FL_RECEIVE_OTLP_LOGS);
    ck_assert_uint_eq(counts.records[FL_ARCHIVE_LOG], 1);
    ck_assert_uint_eq(counts.lost[FL_RECEIVE_LOST_TOO_OLD], 1);
    fl_buf_dispose(&body);
}
END_TEST

#define ALERT                                                                                      \
    "{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":\"A\"},"      \
    "\"startsAt\":\"%s\",\"fingerprint\":\"%s\"}]}"

START_TEST(an_alert_may_have_begun_long_ago_but_not_ahead)
{
    char body[512];
    snprintf(body, sizeof(body), ALERT, "2024-01-01T00:00:00Z", "01");
    ck_assert_uint_eq(receive_case_post(&c, "/v1/webhooks/alertmanager", JSON, SLICE(body)), 200);
    snprintf(body, sizeof(body), ALERT, "2030-01-01T00:00:00Z", "02");
    ck_assert_uint_eq(receive_case_post(&c, "/v1/webhooks/alertmanager", JSON, SLICE(body)), 400);
    fl_receive_counts counts = receive_case_counts(&c, FL_RECEIVE_ALERTMANAGER);
    ck_assert_uint_eq(counts.records[FL_ARCHIVE_ALERT], 1);
    ck_assert_uint_eq(counts.late, 0);
    ck_assert_uint_eq(counts.lost[FL_RECEIVE_LOST_AHEAD], 1);
}
END_TEST

/* ---- full ---- */

static const struct {
    const char *path, *type, *fixture, *answer;
} pressed[] = {
    {"/v1/logs", JSON, "tests/fixtures/otlp/logs.json", "{\"code\":14,\"message\":\""},
    {"/v1/traces", PROTO, "tests/fixtures/otlp/traces.pb", "\x08\x0e\x12"},
    {"/api/v1/write", PROTO, "tests/fixtures/receivers/remote_write_1.snappy", ""},
    {"/api/v2/spans", JSON, "tests/fixtures/receivers/zipkin_v2_otel.json", ""},
    {"/v1/webhooks/alertmanager", JSON, "tests/fixtures/receivers/alertmanager_webhook_firing.json",
     "{"},
};

START_TEST(a_full_disk_is_answered_with_try_again_and_nothing_is_told)
{
    fl_bytes body = fl_file_read(pressed[_i].fixture);
    c.disk->capacity = 1;
    ck_assert_uint_eq(
        receive_case_post(&c, pressed[_i].path, pressed[_i].type, fl_bytes_slice(body)), 503);
    ck_assert_uint_eq(c.reply.retry_after_s, 5);
    ck_assert(fl_slice_starts_with(fl_buf_slice(&c.reply.body), SLICE(pressed[_i].answer)));
    ck_assert_uint_eq(c.tapped, 0);
    ck_assert_uint_eq(receive_case_records(&c), 0);
    c.disk->capacity = UINT64_MAX;
    unsigned status =
        receive_case_post(&c, pressed[_i].path, pressed[_i].type, fl_bytes_slice(body));
    ck_assert_msg(status / 100 == 2, "%u: %s", status, receive_case_body(&c));
    ck_assert_uint_gt(c.tapped, 0);
    free(body.ptr);
}
END_TEST

/* Also a body that would be refused for what it is: it is not looked at. */
START_TEST(while_memory_is_full_nothing_is_decoded)
{
    unsigned status = 200;
    receive_case_close(&c);
    c = (receive_case){.head_bytes = 4096};
    receive_case_open(&c);
    for (int64_t i = 0; status == 200; i++) {
        fl_buf body = fl_buf_of(1 << 16);
        put_log(&body, RECEIVE_NOW_NS - i, "a line of a log that is made up, and some more of it");
        ck_assert_int_lt(i, 1000);
        status = receive_case_post(&c, "/v1/logs", PROTO, fl_buf_slice(&body));
        fl_buf_dispose(&body);
    }
    ck_assert_uint_eq(status, 503);
    ck_assert_uint_eq(c.reply.retry_after_s, 5);
    uint64_t kept = receive_case_records(&c);
    static char large[4096];
    memset(large, 'x', sizeof(large));
    ck_assert_uint_eq(
        receive_case_post(&c, "/v1/logs", JSON,
                          (fl_slice){.ptr = (const unsigned char *)large, .len = sizeof(large)}),
        503);
    ck_assert_uint_eq(receive_case_counts(&c, FL_RECEIVE_OTLP_LOGS).refused[FL_RECEIVE_OVERLOADED],
                      2);
    ck_assert_uint_eq(fl_archive_stats_of(c.archive).refused_memory, 0);
    fl_archive_tick(c.archive, RECEIVE_NOW_NS + 1);
    ck_assert_uint_eq(receive_case_post(&c, "/v1/logs", JSON, SLICE("{")), 400);
    ck_assert_uint_eq(receive_case_records(&c), kept);
}
END_TEST

START_TEST(a_disk_that_fails_is_told_apart)
{
    fl_bytes body = fl_file_read("tests/fixtures/otlp/logs.json");
    c.disk->fail_after = c.disk->operations;
    ck_assert_uint_eq(receive_case_post(&c, "/v1/logs", JSON, fl_bytes_slice(body)), 503);
    ck_assert_uint_eq(receive_case_counts(&c, FL_RECEIVE_OTLP_LOGS).refused[FL_RECEIVE_FAILED], 1);
    c.disk->fail_after = -1;
    ck_assert_uint_eq(receive_case_post(&c, "/v1/logs", JSON, fl_bytes_slice(body)), 200);
    free(body.ptr);
}
END_TEST

/* ---- who sends ---- */

static const char merged[] =
    "{\"action\":\"closed\",\"pull_request\":{\"merged\":true,\"merged_at\":\"2026-11-22T21:00:"
    "00Z\","
    "\"merge_commit_sha\":\"0123456789abcdef0123456789abcdef01234567\",\"title\":\"t\","
    "\"html_url\":\"https://g.example/1\"},\"repository\":{\"name\":\"cart\","
    "\"full_name\":\"shop/cart\"}}";

static void open_with_secrets(void)
{
    receive_case_close(&c);
    c = (receive_case){0};
    c.options.github_secret = SLICE("geheim");
    c.options.gitlab_token = SLICE("token-1");
    receive_case_open(&c);
}

static void sign(char out[80], const char *secret, const char *body)
{
    unsigned char hash[FL_SHA256_BYTES];
    fl_hmac_sha256(hash, SLICE(secret), SLICE(body));
    memcpy(out, "sha256=", 8);
    for (size_t i = 0; i < sizeof(hash); i++)
        snprintf(out + 7 + 2 * i, 3, "%02x", hash[i]);
}

static unsigned deliver(const char *path, const char *header, const char *value)
{
    receive_case_request(&c, "POST", path, JSON, SLICE(merged));
    if (value != NULL)
        receive_case_header(&c, header, value);
    return receive_case_send(&c);
}

static const struct {
    const char *path, *type;
    unsigned status;
    fl_slice answer; /* empty: as it was */
    const char *answer_type;
} listeners[] = {
    {"/v1/logs", PROTO, 401, BYTES_INIT("\x08\x10\x12\x0ano \"token\""), PROTO},
    {"/v1/traces", PROTO, 429, BYTES_INIT("\x08\x08\x12\x0ano \"token\""), PROTO},
    {"/v1/metrics", JSON, 503, BYTES_INIT("{\"code\":14,\"message\":\"no \\\"token\\\"\"}"), JSON},
    {"/v1/logs", JSON, 413, BYTES_INIT("{\"code\":8,\"message\":\"no \\\"token\\\"\"}"), JSON},
    {"/v1/logs", "", 403, BYTES_INIT("{\"code\":7,\"message\":\"no \\\"token\\\"\"}"), JSON},
    {"/api/v1/write", PROTO, 503, BYTES_INIT(""), PROBLEM},
};

/* What the listener refuses before a handler hears of it: OTLP's senders find a google.rpc.Status
 * there, too. */
START_TEST(otlp_is_answered_in_its_own_way_by_the_listener_as_well)
{
    size_t count;
    const fl_http_route *routes = fl_receive_routes(c.receive, &count);
    for (size_t i = 0; i < sizeof(listeners) / sizeof(listeners[0]); i++) {
        fl_http_reply reply;
        size_t at = 0;
        while (at < count && strcmp(routes[at].path, listeners[i].path) != 0)
            at++;
        ck_assert_uint_lt(at, count);
        fl_http_reply_init(&reply);
        fl_http_problem(&reply, listeners[i].status, "no \"token\"");
        reply.retry_after_s = 3;
        const fl_http_request request = {.path = listeners[i].path,
                                         .content_type = listeners[i].type};
        if (listeners[i].answer.len == 0)
            ck_assert(routes[at].refuse == NULL);
        else
            routes[at].refuse(&request, &reply);
        ck_assert_uint_eq(reply.status, listeners[i].status);
        ck_assert_uint_eq(reply.retry_after_s, 3);
        ck_assert_str_eq(reply.content_type, listeners[i].answer_type);
        if (listeners[i].answer.len > 0)
            ck_assert_msg(fl_slice_equal(fl_buf_slice(&reply.body), listeners[i].answer), "%.*s",
                          FL_SLICE_ARG(fl_buf_slice(&reply.body)));
        fl_http_reply_dispose(&reply);
    }
}
END_TEST

START_TEST(a_delivery_of_github_must_be_signed)
{
    char signature[80];
    open_with_secrets();
    ck_assert_uint_eq(deliver("/v1/webhooks/github", "X-Hub-Signature-256", NULL), 401);
    sign(signature, "wrong", merged);
    ck_assert_uint_eq(deliver("/v1/webhooks/github", "X-Hub-Signature-256", signature), 401);
    ck_assert_ptr_null(strstr(receive_case_body(&c), "geheim"));
    sign(signature, "geheim", merged);
    ck_assert_uint_eq(deliver("/v1/webhooks/github", "x-hub-signature-256", signature), 200);
    ck_assert_str_eq(receive_case_body(&c), "{\"accepted\": 1, \"refused\": 0}\n");
    fl_receive_counts counts = receive_case_counts(&c, FL_RECEIVE_GITHUB);
    ck_assert_uint_eq(counts.refused[FL_RECEIVE_UNAUTHORIZED], 2);
    ck_assert_uint_eq(counts.records[FL_ARCHIVE_CHANGE], 1);
}
END_TEST

START_TEST(a_delivery_of_gitlab_must_come_with_the_token)
{
    open_with_secrets();
    ck_assert_uint_eq(deliver("/v1/webhooks/gitlab", "X-Gitlab-Token", NULL), 401);
    ck_assert_uint_eq(deliver("/v1/webhooks/gitlab", "X-Gitlab-Token", "token-2"), 401);
    ck_assert_uint_eq(deliver("/v1/webhooks/gitlab", "X-Gitlab-Token", "token-1"), 200);
    ck_assert_uint_eq(receive_case_counts(&c, FL_RECEIVE_GITLAB).refused[FL_RECEIVE_UNAUTHORIZED],
                      2);
}
END_TEST

static const struct {
    const char *client;
    unsigned status;
} clients[] = {
    {"127.0.0.1", 200}, {"127.8.9.1", 200}, {"::1", 200},        {"::ffff:127.0.0.1", 200},
    {"10.0.0.1", 403},  {"::2", 403},       {"1270.0.0.1", 403}, {"", 403},
};

START_TEST(without_a_secret_deliveries_come_from_this_machine_alone)
{
    const char *const paths[] = {"/v1/webhooks/github", "/v1/webhooks/gitlab"};
    for (size_t i = 0; i < 2; i++) {
        receive_case_request(&c, "POST", paths[i], JSON, SLICE(merged));
        c.request.client = clients[_i].client;
        ck_assert_uint_eq(receive_case_send(&c), clients[_i].status);
    }
}
END_TEST

START_TEST(a_delivery_that_is_no_change_is_passed_over)
{
    ck_assert_uint_eq(
        receive_case_post(&c, "/v1/webhooks/github", JSON, SLICE("{\"zen\":\"x\",\"hook_id\":1}")),
        200);
    ck_assert_str_eq(receive_case_body(&c), "{\"accepted\": 0, \"refused\": 0}\n");
    ck_assert_uint_eq(
        receive_case_post(&c, "/v1/webhooks/gitlab", JSON,
                          SLICE("{\"object_kind\":\"issue\",\"event_type\":\"issue\"}")),
        200);
    ck_assert_uint_eq(receive_case_records(&c), 0);
}
END_TEST

/* ---- what is not read ---- */

static const struct {
    const char *path, *sentence;
} unread[] = {
    {"/api/traces", "Jaeger's thrift is not read"},
    {"/api/v1/spans", "Zipkin's first format is not read"},
    {"/v1development/profiles", "OTLP's profiles are not read yet"},
};

START_TEST(what_is_not_read_is_said_with_what_to_send_instead)
{
    ck_assert_uint_eq(receive_case_post(&c, unread[_i].path, "application/x-thrift", SLICE("x")),
                      415);
    ck_assert_str_eq(c.reply.content_type, PROBLEM);
    ck_assert_ptr_nonnull(strstr(receive_case_body(&c), unread[_i].sentence));
}
END_TEST

#define LOOP(cases, test, table)                                                                   \
    tcase_add_loop_test(cases, test, 0, sizeof(table) / sizeof((table)[0]))

static Suite *receive_refusals_suite(void)
{
    Suite *suite = suite_create("receive_refusals");
    TCase *cases = tcase_create("receive_refusals");
    tcase_add_checked_fixture(cases, setup, teardown);
    LOOP(cases, each_mistake_has_its_answer_and_its_counter, refused);
    tcase_add_test(cases, records_that_are_refused_are_told_as_a_part_of_a_success);
    tcase_add_test(cases, the_same_in_json);
    tcase_add_test(cases, a_push_or_a_write_in_part_is_kept_and_yet_answered_with_400);
    tcase_add_test(cases, a_record_too_far_ahead_is_refused_and_a_late_one_kept);
    tcase_add_test(cases, where_an_age_is_set_older_records_are_refused);
    tcase_add_test(cases, an_alert_may_have_begun_long_ago_but_not_ahead);
    LOOP(cases, a_full_disk_is_answered_with_try_again_and_nothing_is_told, pressed);
    tcase_add_test(cases, while_memory_is_full_nothing_is_decoded);
    tcase_add_test(cases, a_disk_that_fails_is_told_apart);
    tcase_add_test(cases, otlp_is_answered_in_its_own_way_by_the_listener_as_well);
    tcase_add_test(cases, a_delivery_of_github_must_be_signed);
    tcase_add_test(cases, a_delivery_of_gitlab_must_come_with_the_token);
    LOOP(cases, without_a_secret_deliveries_come_from_this_machine_alone, clients);
    tcase_add_test(cases, a_delivery_that_is_no_change_is_passed_over);
    LOOP(cases, what_is_not_read_is_said_with_what_to_send_instead, unread);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(receive_refusals_suite)
