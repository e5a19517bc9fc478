/*
 * Files of other tools: what each recorded payload is taken for, and an incident that is told from
 * saved answers of Prometheus and Loki alone.
 */
#include "payloads.h"

#include "faultline/triage.h"
#include "fl_folder.h"
#include "made_snappy.h"
#include "received.h"

static received r;
static fl_error err;
static fl_folder folder;
static fl_payloads *payloads;
static fl_buf text;

static void setup(void)
{
    err = (fl_error){0};
    received_init(&r);
    fl_folder_open(&folder);
    text = fl_buf_of(64u << 20);
    ck_assert_ok(fl_payloads_create(&payloads, &r.sink, false, &err));
}

static void teardown(void)
{
    received_dispose(&r);
    fl_payloads_destroy(payloads);
    fl_buf_dispose(&text);
    fl_folder_remove(&folder);
}

static const struct {
    const char *file;
    unsigned resources, spans, logs, points;
} recorded[] = {
    {"prom_query_range.json", 3, 0, 0, 60},
    {"prom_metadata.json", 0, 0, 0, 0},
    {"victoriametrics_export.ndjson", 2, 0, 0, 296},
    {"loki_query_range.json", 2, 0, 2, 0},
    {"loki_push_pino.json", 1, 0, 1, 0},
    {"zipkin_v2_native.json", 1, 1, 0, 0},
    {"zipkin_v2_otel.json", 1, 1, 0, 0},
    {"loki_push_winston.json", 1, 0, 1, 0},
    {"loki_push_winston.snappy", 1, 0, 1, 0},
    {"remote_write_1.snappy", 3, 0, 0, 500},
};

START_TEST(a_recorded_file_is_told_by_its_content)
{
    char path[512];
    snprintf(path, sizeof(path), FL_SOURCE_DIR "/tests/fixtures/receivers/%s", recorded[_i].file);
    ck_assert_ok(fl_payloads_file(payloads, path, &err));
    ck_assert_uint_eq(r.dump.resources, recorded[_i].resources);
    ck_assert_uint_eq(r.dump.spans, recorded[_i].spans);
    ck_assert_uint_eq(r.dump.logs, recorded[_i].logs);
    ck_assert_uint_eq(r.dump.points, recorded[_i].points);
    ck_assert_uint_eq(r.dump.rejects, 0);
}
END_TEST

static const struct {
    fl_slice bytes;
    fl_status status;
    const char *message;
} others[] = {
    {BYTES_INIT(""), FL_E_UNSUPPORTED, "f is empty"},
    {BYTES_INIT(" \n"), FL_E_UNSUPPORTED, "f is empty"},
    {BYTES_INIT("{\"name\":\"a\"}"), FL_E_UNSUPPORTED, "f holds no answer of Prometheus"},
    {BYTES_INIT("[1]"), FL_E_UNSUPPORTED, "f holds no answer of Prometheus"},
    {BYTES_INIT("plain words"), FL_E_UNSUPPORTED, "f holds no telemetry that is read"},
    {BYTES_INIT("\x01\x00z"), FL_E_UNSUPPORTED, "f holds no telemetry that is read"},
    {BYTES_INIT("\x02\x04\x0a\x00"), FL_E_UNSUPPORTED, "f holds no telemetry that is read"},
    {BYTES_INIT("{\"status\":\"error\",\"error\":\"no\"}"), FL_E_IO, "f: the server answered: no"},
};

START_TEST(what_is_something_else_is_told)
{
    ck_assert_fails(others[_i].status, fl_payloads_bytes(payloads, others[_i].bytes, "f", &err));
    ck_assert_str_eq(err.message, others[_i].message);
    ck_assert_str_eq(received_text(&r), "");
}
END_TEST

START_TEST(series_without_a_name_go_under_the_files)
{
    fl_slice body =
        SLICE("{\"status\":\"success\",\"data\":{\"result\":[{\"metric\":{\"job\":\"a\"},"
              "\"value\":[1,\"2\"]}]}}");
    fl_bytes packed = fl_gzip(body);
    const char *path = fl_folder_write(&folder, "error_ratio.json.gz", fl_bytes_slice(packed));
    ck_assert_ok(fl_payloads_file(payloads, path, &err));
    ck_assert_ptr_nonnull(strstr(received_text(&r), "gauge of 0: error_ratio [1] 0..1000000000 "));
    free(packed.ptr);
}
END_TEST

START_TEST(a_file_that_breaks_is_one_reject)
{
    fl_bytes packed = fl_gzip(SLICE("{\"streams\":[]}"));
    packed.len -= 9;
    const char *path = fl_folder_write(&folder, "cut.gz", fl_bytes_slice(packed));
    ck_assert_ok(fl_payloads_file(payloads, path, &err));
    ck_assert_uint_eq(r.dump.rejects, 1);
    ck_assert_fails(FL_E_NOTFOUND, fl_payloads_file(payloads, "/nonexistent/file", &err));
    free(packed.ptr);
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    const char *path = fl_folder_write(&folder, "a.json",
                                       SLICE("{\"status\":\"success\",\"data\":{\"result\":[{"
                                             "\"metric\":{\"a\":\"\\u0062\"},\"value\":[1,"
                                             "\"2\"]}]}}"));
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        fl_payloads *other = NULL;
        ck_assert_int_lt(after, 100);
        received_clear(&r);
        fl_mem_fail_after(after);
        fl_status status = fl_payloads_create(&other, &r.sink, false, &own);
        if (status == FL_OK)
            status = fl_payloads_file(other, path, &own);
        fl_mem_fail_after(-1);
        fl_payloads_destroy(other);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_uint_eq(r.dump.points, 1);
}
END_TEST

/* ---- an incident out of saved answers ---- */

#define AT_S 1700000000

static void begin_result(const char *kind)
{
    fl_buf_clear(&text);
    fl_buf_printf(&text, "{\"status\":\"success\",\"data\":{\"resultType\":\"%s\",\"result\":[",
                  kind);
}

static void end_result(const char *name)
{
    text.len -= text.ptr[text.len - 1] == ',';
    fl_buf_text(&text, "]}}");
    (void)fl_folder_write(&folder, name, fl_buf_slice(&text));
}

/* 10 requests a second that take `usual_s`, and `now_s` from the incident on. */
static void add_histogram(const char *service, const char *ending, const char *le, double usual_s,
                          double now_s)
{
    double total = 0, bound = le == NULL || strcmp(le, "+Inf") == 0 ? 1e9 : strtod(le, NULL);
    fl_buf_printf(
        &text,
        "{\"metric\":{\"__name__\":\"http_request_duration_seconds_%s\",\"service\":\"%s\","
        "\"pod\":\"%s-0\"",
        ending, service, service);
    if (le != NULL)
        fl_buf_printf(&text, ",\"le\":\"%s\"", le);
    fl_buf_text(&text, "},\"values\":[");
    for (int s = AT_S - 1200; s < AT_S + 300; s += 15) {
        double took = (s < AT_S ? usual_s : now_s) * (1 + 0.02 * (s / 15 % 3));
        total += strcmp(ending, "sum") == 0 ? 150 * took : took <= bound ? 150 : 0;
        fl_buf_printf(&text, "[%d,\"%.9g\"],", s, total);
    }
    text.len--;
    fl_buf_text(&text, "]},");
}

static void add_service(const char *service, double usual_s, double now_s)
{
    static const char *const bounds[] = {"0.05", "0.1", "0.5", "1", "5", "+Inf"};
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
        add_histogram(service, "bucket", bounds[i], usual_s, now_s);
    add_histogram(service, "sum", NULL, usual_s, now_s);
    add_histogram(service, "count", NULL, usual_s, now_s);
}

static void add_lines(const char *service, bool has_trouble)
{
    fl_buf_printf(&text, "{\"stream\":{\"service_name\":\"%s\",\"level\":\"info\"},\"values\":[",
                  service);
    for (int s = AT_S - 1200; s < AT_S + 300; s += 5) {
        fl_buf_printf(&text, "[\"%d000000000\",\"request %d served\"],", s, s);
        if (has_trouble && s >= AT_S)
            fl_buf_printf(&text,
                          "[\"%d500000000\",\"could not get a connection from the pool within %d "
                          "ms\",{\"level\":\"error\"}],",
                          s, 3000 + s % 7);
    }
    text.len--;
    fl_buf_text(&text, "]},");
}

START_TEST(an_incident_is_told_from_saved_answers)
{
    fl_triage *triage = NULL;
    const char *paths[] = {folder.path};
    begin_result("matrix");
    add_service("bank", 0.03, 0.9);
    add_service("shop", 0.04, 0.04);
    add_service("mail", 0.02, 0.02);
    end_result("duration.json");
    begin_result("streams");
    add_lines("bank", true);
    add_lines("shop", false);
    end_result("lines.json");
    fl_triage_request request = {
        .otlp = paths, .otlp_count = 1, .at_ns = INT64_C(1000000000) * AT_S, .strict = true};
    ck_assert_ok(fl_triage_run(&triage, &request, &err));
    const fl_incident *incident = fl_triage_incident(triage);
    ck_assert_int_eq(incident->verdict, FL_VERDICT_CAUSE_FOUND);
    ck_assert_str_eq(incident->hypotheses[0].service, "bank");
    ck_assert_uint_eq(incident->log_records, 600 + 60);
    ck_assert_uint_eq(incident->metric_series, 9); /* rate, mean and p99 of each service */
    ck_assert_uint_eq(incident->rejected_records, 0);
    fl_triage_destroy(triage);
}
END_TEST

static Suite *payloads_suite(void)
{
    Suite *suite = suite_create("pipeline/payloads");
    TCase *cases = tcase_create("payloads");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, a_recorded_file_is_told_by_its_content, 0,
                        sizeof(recorded) / sizeof(recorded[0]));
    tcase_add_loop_test(cases, what_is_something_else_is_told, 0,
                        sizeof(others) / sizeof(others[0]));
    tcase_add_test(cases, series_without_a_name_go_under_the_files);
    tcase_add_test(cases, a_file_that_breaks_is_one_reject);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    tcase_add_test(cases, an_incident_is_told_from_saved_answers);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(payloads_suite)
