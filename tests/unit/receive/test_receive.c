/*
 * Requests that are taken: recorded payloads of genuine senders, each protocol's own answer, what
 * is kept, counted and told; repeated ones.
 */
#include "receive_case.h"
#include "snappy.h"

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

#define JSON  "application/json"
#define PROTO "application/x-protobuf"

/* clang-format off */
static const struct sample {
    const char *path, *type, *fixture;
    fl_receive_protocol protocol;
    fl_archive_kind kind;
    unsigned status;
    const char *answer, *answer_type;
    uint64_t records;
    const char *kept; /* a part of what is kept */
} samples[] = {
    {"/v1/traces", JSON, "otlp/traces.json", FL_RECEIVE_OTLP_TRACES, FL_ARCHIVE_SPAN, 200, "{}", JSON, 10, "checkout"},
    {"/v1/traces", PROTO, "otlp/traces.pb", FL_RECEIVE_OTLP_TRACES, FL_ARCHIVE_SPAN, 200, "", PROTO, 10, "checkout"},
    {"/v1/traces", PROTO, "otlp/traces_sdk.pb", FL_RECEIVE_OTLP_TRACES, FL_ARCHIVE_SPAN, 200, "", PROTO, 10, "checkout"},
    {"/v1/logs", "application/json; charset=utf-8", "otlp/logs.json", FL_RECEIVE_OTLP_LOGS, FL_ARCHIVE_LOG, 200, "{}", JSON, 5, "payment"},
    {"/v1/logs", PROTO, "otlp/logs_sdk.pb", FL_RECEIVE_OTLP_LOGS, FL_ARCHIVE_LOG, 200, "", PROTO, 5, "payment"},
    {"/v1/metrics", JSON, "otlp/metrics.json", FL_RECEIVE_OTLP_METRICS, FL_ARCHIVE_POINT, 200, "{}", JSON, 5, "checkout"},
    {"/v1/metrics", PROTO, "otlp/metrics_sdk.pb", FL_RECEIVE_OTLP_METRICS, FL_ARCHIVE_POINT, 200, "", PROTO, 5, "checkout"},
    {"/api/v1/write", PROTO, "receivers/remote_write_1.snappy", FL_RECEIVE_REMOTE_WRITE, FL_ARCHIVE_POINT, 204, "", NULL, 500, "up"},
    {"/loki/api/v1/push", JSON, "receivers/loki_push_winston.json", FL_RECEIVE_LOKI, FL_ARCHIVE_LOG, 204, "", NULL, 1, "order placed"},
    {"/loki/api/v1/push", PROTO, "receivers/loki_push_winston.snappy", FL_RECEIVE_LOKI, FL_ARCHIVE_LOG, 204, "", NULL, 1, "checkout"},
    {"/loki/api/v1/push", JSON, "receivers/loki_push_pino.json", FL_RECEIVE_LOKI, FL_ARCHIVE_LOG, 204, "", NULL, 1, "charged"},
    {"/loki/api/v1/push", JSON, "receivers/loki_push_pino_error.json", FL_RECEIVE_LOKI, FL_ARCHIVE_LOG, 204, "", NULL, 1, "gateway timeout"},
    {"/api/v2/spans", JSON, "receivers/zipkin_v2_native.json", FL_RECEIVE_ZIPKIN, FL_ARCHIVE_SPAN, 202, "", NULL, 1, "zipkin-native"},
    {"/api/v2/spans", JSON, "receivers/zipkin_v2_otel.json", FL_RECEIVE_ZIPKIN, FL_ARCHIVE_SPAN, 202, "", NULL, 1, "zk"},
    {"/v1/webhooks/alertmanager", JSON, "receivers/alertmanager_webhook_firing.json", FL_RECEIVE_ALERTMANAGER, FL_ARCHIVE_ALERT, 200, "{\"accepted\": 1, \"refused\": 0}\n", JSON, 1, "AlwaysFiring"},
    {"/v1/webhooks/alertmanager", JSON, "receivers/alertmanager_webhook_resolved.json", FL_RECEIVE_ALERTMANAGER, FL_ARCHIVE_ALERT, 200, "{\"accepted\": 1, \"refused\": 0}\n", JSON, 1, "resolved"},
};
/* clang-format on */

static fl_bytes fixture(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "tests/fixtures/%s", name);
    return fl_file_read(path);
}

/* Without a content type that a transport made of nothing. */
static const char *type_of_reply(void)
{
    return c.reply.content_type != NULL ? c.reply.content_type : "";
}

START_TEST(each_recorded_payload_is_kept_and_answered_as_its_protocol_wants)
{
    const struct sample *s = &samples[_i];
    fl_bytes body = fixture(s->fixture);
    ck_assert_uint_eq(receive_case_post(&c, s->path, s->type, fl_bytes_slice(body)), s->status);
    ck_assert_str_eq(receive_case_body(&c), s->answer);
    ck_assert_str_eq(type_of_reply(), s->answer_type != NULL ? s->answer_type : "");
    fl_receive_counts counts = receive_case_counts(&c, s->protocol);
    ck_assert_uint_eq(counts.requests, 1);
    ck_assert_uint_eq(counts.bytes, body.len);
    ck_assert_uint_eq(counts.records[s->kind], s->records);
    ck_assert_uint_eq(counts.late, 0);
    ck_assert_uint_eq(c.tapped, s->records);
    ck_assert_uint_eq(receive_case_records(&c), s->records);
    ck_assert_ptr_nonnull(strstr(receive_case_kept(&c), s->kept));
    free(body.ptr);
}
END_TEST

START_TEST(a_repeated_request_is_answered_alike_and_changes_nothing)
{
    const struct sample *s = &samples[_i];
    fl_bytes body = fixture(s->fixture);
    receive_case_post(&c, s->path, s->type, fl_bytes_slice(body));
    uint64_t records = receive_case_records(&c), tapped = c.tapped;
    ck_assert_uint_eq(receive_case_post(&c, s->path, s->type, fl_bytes_slice(body)), s->status);
    ck_assert_str_eq(receive_case_body(&c), s->answer);
    fl_receive_counts counts = receive_case_counts(&c, s->protocol);
    ck_assert_uint_eq(counts.requests, 2);
    ck_assert_uint_eq(counts.repeated, 1);
    ck_assert_uint_eq(counts.records[s->kind], s->records);
    ck_assert_uint_eq(receive_case_records(&c), records);
    ck_assert_uint_eq(c.tapped, tapped);
    free(body.ptr);
}
END_TEST

START_TEST(a_prefix_of_a_payload_is_refused_or_read_and_never_breaks)
{
    const struct sample *s = &samples[_i];
    fl_bytes body = fixture(s->fixture);
    size_t step = body.len > 512 ? body.len / 97 : 1;
    for (size_t len = 0; len < body.len; len += step) {
        fl_bytes part = received_exact(fl_bytes_slice(body), len);
        unsigned status = receive_case_post(&c, s->path, s->type, fl_bytes_slice(part));
        ck_assert_msg(status == s->status || status == 400, "%u of %zu bytes", status, len);
        free(part.ptr);
    }
    free(body.ptr);
}
END_TEST

START_TEST(want_of_memory_is_answered_with_try_again)
{
    const struct sample *s = &samples[_i];
    fl_bytes body = fixture(s->fixture);
    unsigned status = 503;
    for (long n = 0; status != s->status; n++) {
        ck_assert_int_lt(n, 2000);
        receive_case_request(&c, "POST", s->path, s->type, fl_bytes_slice(body));
        /* The answer's own memory is the transport's matter. */
        fl_http_reply_dispose(&c.reply);
        fl_http_reply_init(&c.reply);
        fl_buf_printf(&c.reply.body, "%2048s", "");
        fl_buf_clear(&c.reply.body);
        size_t count;
        const fl_http_route *routes = fl_receive_routes(c.receive, &count);
        size_t i = 0;
        while (strcmp(routes[i].path, s->path) != 0)
            i++;
        fl_mem_fail_after(n);
        routes[i].run(routes[i].context, &c.request, &c.reply);
        fl_mem_fail_after(-1);
        status = c.reply.status;
        ck_assert_msg(status == s->status || (status == 503 && c.reply.retry_after_s > 0),
                      "%u after %ld allocations", status, n);
    }
    ck_assert_uint_eq(receive_case_records(&c), s->records);
    free(body.ptr);
}
END_TEST

START_TEST(grpc_is_protobuf_whatever_its_type_says)
{
    fl_bytes body = fixture("otlp/logs.pb");
    receive_case_request(&c, "POST", "/v1/logs", "application/grpc+proto", fl_bytes_slice(body));
    receive_case_header(&c, "Content-Encoding", "gzip");
    c.request.is_grpc = true;
    ck_assert_uint_eq(receive_case_send(&c), 200);
    ck_assert_uint_eq(c.reply.body.len, 0);
    ck_assert_uint_eq(receive_case_counts(&c, FL_RECEIVE_OTLP_LOGS).records[FL_ARCHIVE_LOG], 5);
    free(body.ptr);
}
END_TEST

START_TEST(an_empty_request_is_a_success_that_keeps_nothing)
{
    ck_assert_uint_eq(receive_case_post(&c, "/v1/metrics", PROTO, (fl_slice){0}), 200);
    ck_assert_uint_eq(receive_case_post(&c, "/v1/metrics", JSON, SLICE("{}")), 200);
    ck_assert_uint_eq(receive_case_post(&c, "/loki/api/v1/push", JSON, SLICE("{\"streams\":[]}")),
                      204);
    ck_assert_uint_eq(receive_case_post(&c, "/api/v2/spans", JSON, SLICE("[]")), 202);
    ck_assert_uint_eq(receive_case_records(&c), 0);
    ck_assert_uint_eq(c.tapped, 0);
}
END_TEST

#define EVENT(members)                                                                             \
    "{\"time\":\"2026-11-22T21:00:00Z\",\"kind\":\"deploy\",\"service\":\"cart\"" members "}"

START_TEST(events_are_kept_and_counted)
{
    ck_assert_uint_eq(
        receive_case_post(&c, "/v1/events", JSON, SLICE(EVENT(",\"version\":\"1.2\""))), 200);
    ck_assert_str_eq(receive_case_body(&c), "{\"accepted\": 1, \"refused\": 0}\n");
    ck_assert_uint_eq(
        receive_case_post(&c, "/v1/events", "application/x-ndjson",
                          SLICE(EVENT("") "\n" EVENT(",\"key\":\"a\"") "\n{\"time\":\"x\"}")),
        200);
    ck_assert_str_eq(receive_case_body(&c),
                     "{\"accepted\": 2, \"refused\": 1, \"reason\": \"'time' is not RFC 3339 or "
                     "an epoch (byte 148)\"}\n");
    ck_assert_uint_eq(receive_case_counts(&c, FL_RECEIVE_EVENTS).records[FL_ARCHIVE_CHANGE], 3);
    ck_assert_uint_eq(receive_case_counts(&c, FL_RECEIVE_EVENTS).lost[FL_RECEIVE_LOST_UNREADABLE],
                      1);
    ck_assert_ptr_nonnull(strstr(receive_case_kept(&c), "[cart]"));
}
END_TEST

/* The Collector's and vmagent's bodies may be compressed by other means: the transport undid it. */
START_TEST(a_write_whose_encoding_was_undone_is_the_message_itself)
{
    fl_bytes body = fixture("receivers/remote_write_1.snappy");
    fl_arena arena = fl_arena_of(1 << 20);
    fl_slice message;
    ck_assert_int_eq(fl_snappy_decode(&message, fl_bytes_slice(body), 1 << 20, &arena, NULL),
                     FL_OK);
    receive_case_request(&c, "POST", "/api/v1/write", PROTO, message);
    receive_case_header(&c, "content-encoding", "zstd");
    ck_assert_uint_eq(receive_case_send(&c), 204);
    receive_case_request(&c, "POST", "/api/v1/write", PROTO, fl_bytes_slice(body));
    receive_case_header(&c, "Content-Encoding", "snappy");
    ck_assert_uint_eq(receive_case_send(&c), 204);
    ck_assert_uint_eq(receive_case_counts(&c, FL_RECEIVE_REMOTE_WRITE).repeated, 1);
    fl_arena_dispose(&arena);
    free(body.ptr);
}
END_TEST

static const struct {
    const char *path, *type, *body;
} probes[] = {
    {"/ready", "text/plain; charset=utf-8", "ready\n"},
    {"/loki/ready", "text/plain; charset=utf-8", "ready\n"},
    {"/health", "application/json", "{\"status\":\"UP\"}\n"},
};

START_TEST(what_clients_ask_first_is_answered)
{
    receive_case_request(&c, "GET", probes[_i].path, "", (fl_slice){0});
    ck_assert_uint_eq(receive_case_send(&c), 200);
    ck_assert_str_eq(c.reply.content_type, probes[_i].type);
    ck_assert_str_eq(receive_case_body(&c), probes[_i].body);
}
END_TEST

START_TEST(each_word_of_the_statistics_is_one)
{
    for (size_t i = 0; i < FL_RECEIVE_PROTOCOLS; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(fl_receive_protocol_name((fl_receive_protocol)i),
                             fl_receive_protocol_name((fl_receive_protocol)k));
    ck_assert_str_eq(fl_receive_protocol_name(FL_RECEIVE_PPROF), "pprof");
    ck_assert_str_eq(fl_receive_refusal_name(FL_RECEIVE_FAILED), "failed");
    ck_assert_str_eq(fl_receive_loss_name(FL_RECEIVE_LOST_ATTRIBUTE), "attribute");
}
END_TEST

static Suite *receive_suite(void)
{
    Suite *suite = suite_create("receive");
    TCase *cases = tcase_create("receive");
    int count = sizeof(samples) / sizeof(samples[0]);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, each_recorded_payload_is_kept_and_answered_as_its_protocol_wants, 0,
                        count);
    tcase_add_loop_test(cases, a_repeated_request_is_answered_alike_and_changes_nothing, 0, count);
    tcase_add_loop_test(cases, a_prefix_of_a_payload_is_refused_or_read_and_never_breaks, 0, count);
    tcase_add_loop_test(cases, want_of_memory_is_answered_with_try_again, 0, count);
    tcase_add_test(cases, grpc_is_protobuf_whatever_its_type_says);
    tcase_add_test(cases, an_empty_request_is_a_success_that_keeps_nothing);
    tcase_add_test(cases, events_are_kept_and_counted);
    tcase_add_test(cases, a_write_whose_encoding_was_undone_is_the_message_itself);
    tcase_add_loop_test(cases, what_clients_ask_first_is_answered, 0,
                        sizeof(probes) / sizeof(probes[0]));
    tcase_add_test(cases, each_word_of_the_statistics_is_one);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(receive_suite)
