#include <stdio.h>

#include "faultline/limits.h"
#include "fl_file.h"
#include "mem.h"
#include "otlp_decode.h"

#define IDS    "\"traceId\":\"0123456789abcdef0123456789abcdef\",\"spanId\":\"00f067aa0ba902b7\""
#define TIMES  "\"startTimeUnixNano\":\"1000\",\"endTimeUnixNano\":\"2000\""
#define SPAN   "{" IDS "," TIMES ",\"name\":\"n\"}"
#define OPENED "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"spans\":["
#define CLOSED "]}]}]}"

static otlp_decoder decoder;
static fl_buf text;

static void setup(void)
{
    otlp_decoder_init(&decoder);
    text = fl_buf_of(256u << 20);
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&text);
    otlp_decoder_dispose(&decoder);
}

static void repeat(const char *part, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fl_buf_text(&text, part);
}

static fl_status decode_text(void)
{
    return otlp_decode_json(&decoder, fl_buf_slice(&text));
}

/* ---- what Tempo and Jaeger answer ---- */

START_TEST(a_recorded_trace_of_tempo_is_read)
{
    fl_bytes body = fl_file_read("tests/fixtures/receivers/tempo_trace.json");
    ck_assert_int_eq(otlp_decode_json(&decoder, fl_bytes_slice(body)), FL_OK);
    ck_assert_uint_eq(decoder.dump.spans, 5);
    ck_assert_uint_eq(decoder.dump.rejects, 0);
    ck_assert_ptr_nonnull(strstr(otlp_decoder_text(&decoder),
                                 "span of 0: 9a5a4510d8c508f29eefa9b8b9d51fff 29c313c93b9c2eb3 "
                                 "parent 0000000000000000 \"POST /cart/checkout\" kind 2 "));
    ck_assert_ptr_nonnull(strstr(otlp_decoder_text(&decoder),
                                 "f7bc63a1c0ca591d parent 29c313c93b9c2eb3 \"checkout.Place\""));
    free(body.ptr);
}
END_TEST

START_TEST(a_request_may_stand_inside_of_one_object_more)
{
    fl_buf_text(&text, "{\"trace\":" OPENED SPAN CLOSED
                       ",\"message\":\"\",\"result\":" OPENED SPAN CLOSED ",\"result\":null}");
    ck_assert_int_eq(decode_text(), FL_OK);
    ck_assert_uint_eq(decoder.dump.spans, 2);
    ck_assert_uint_eq(decoder.dump.rejects, 0);
}
END_TEST

/* clang-format off */
static const struct {
    const char *trace, *span;
    bool is_good;
} base64_ids[] = {
    {"mlpFENjFCPKe76m4udUf/w==", "KcMTyTucLrM=", true},
    {"mlpFENjFCPKe76m4udUf_w==", "KcMTyTucLrM=", false},
    {"mlpFENjFCPKe76m4udUf/w==", "KcMTyTucLr==", false},
    {"mlpFENjFCPKe76m4udUf/wAA", "KcMTyTucLrM=", false}, /* 18 bytes */
    {"mlpFENjFCPKe76m4udUf/w=", "KcMTyTucLrM=", false},
    {"mlpFENjFCPKe76m4udUf/!==", "KcMTyTucLrM=", false},
    {"====EN jFCPKe76m4udUf/w=", "KcMTyTucLrM=", false},
    {"mlpFENjFCPKe76m4udUf/w==", "KcMTyTucL M=", false},
};
/* clang-format on */

START_TEST(ids_may_be_base64)
{
    fl_buf_printf(&text, OPENED "{\"traceId\":\"%s\",\"spanId\":\"%s\"," TIMES "}" CLOSED,
                  base64_ids[_i].trace, base64_ids[_i].span);
    ck_assert_int_eq(decode_text(), FL_OK);
    ck_assert_uint_eq(decoder.dump.spans, base64_ids[_i].is_good);
    ck_assert_uint_eq(decoder.dump.rejects, !base64_ids[_i].is_good);
}
END_TEST

START_TEST(a_record_of_100_000_brackets_costs_itself)
{
    fl_buf_text(&text, OPENED SPAN ",{\"x\":");
    repeat("[", 100000);
    repeat("]", 100000);
    fl_buf_text(&text, "}," SPAN CLOSED);
    ck_assert_int_eq(decode_text(), FL_OK);
    ck_assert_uint_eq(decoder.dump.spans, 2);
    ck_assert_ptr_nonnull(
        strstr(otlp_decoder_text(&decoder), "span: containers are nested more than 128 deep\n"));
    ck_assert_uint_eq(decoder.dump.rejects, 1);
}
END_TEST

START_TEST(brackets_beyond_the_limit_end_the_line)
{
    fl_buf_text(&text, OPENED SPAN ",");
    repeat("[", 200000);
    repeat("]", 200000);
    fl_buf_text(&text, "," SPAN CLOSED);
    ck_assert_int_eq(decode_text(), FL_OK);
    ck_assert_uint_eq(decoder.dump.spans, 1);
    ck_assert_uint_eq(decoder.dump.rejects, 1);
    ck_assert_ptr_nonnull(strstr(otlp_decoder_text(&decoder), "; the rest is lost\n"));
}
END_TEST

START_TEST(strict_mode_stops_at_the_first_reject_and_says_where)
{
    const char *line = OPENED "{" IDS "," TIMES ",\"name\":7}," SPAN CLOSED;
    char message[128];
    uint64_t at = 1000 + (uint64_t)(strstr(line, "7},") - line);
    snprintf(message, sizeof(message),
             "a/logs.jsonl, line 3, byte %llu: span: expected a string, found a number",
             (unsigned long long)at);
    fl_otlp_set_strict(decoder.otlp, true);
    fl_status status =
        fl_otlp_json(decoder.otlp, SLICE(line), "a/logs.jsonl", 3, 1000, &decoder.err);
    ck_assert_fails(FL_E_SYNTAX, status);
    ck_assert_str_eq(decoder.err.message, message);
    ck_assert_uint_eq(decoder.err.offset, at);
    ck_assert_uint_eq(decoder.dump.spans + decoder.dump.rejects, 0);

    otlp_decoder_clear(&decoder);
    fl_otlp_set_strict(decoder.otlp, false);
    ck_assert_int_eq(otlp_decode_json(&decoder, SLICE(line)), FL_OK);
    ck_assert_uint_eq(decoder.dump.spans, 1);
}
END_TEST

START_TEST(the_sink_can_stop_the_reading)
{
    decoder.dump.stop_after = 2;
    decoder.dump.stop_with = FL_E_STOPPED;
    fl_status status = otlp_decode_json(&decoder, SLICE(OPENED SPAN "," SPAN "," SPAN CLOSED));
    ck_assert_fails(FL_E_STOPPED, status);
    ck_assert_str_eq(decoder.err.message, "enough");
    ck_assert_uint_eq(decoder.dump.spans, 2);
    ck_assert_uint_eq(decoder.dump.rejects, 0);
}
END_TEST

START_TEST(attributes_over_the_limit_are_dropped_and_counted)
{
    fl_buf_text(&text, OPENED "{" IDS "," TIMES ",\"attributes\":[{\"key\":\"k\"}");
    repeat(",{\"key\":\"k\"}", FL_MAX_ATTRS_PER_RECORD + 4);
    fl_buf_text(&text, "]}" CLOSED);
    ck_assert_int_eq(decode_text(), FL_OK);
    ck_assert_uint_eq(decoder.dump.spans, 1);
    ck_assert_uint_eq(fl_otlp_dropped(decoder.otlp), 5);
}
END_TEST

START_TEST(events_over_the_limit_are_dropped_and_counted)
{
    fl_buf_text(&text, OPENED "{" IDS "," TIMES ",\"events\":[{}");
    repeat(",{\"name\":\"e\",\"attributes\":[{\"key\":\"k\"},{\"key\":\"l\"},{\"key\":\"m\"},"
           "{\"key\":\"n\"},{\"key\":\"o\"}]}",
           FL_MAX_EVENTS_PER_SPAN + 1);
    fl_buf_text(&text, "]}" CLOSED);
    ck_assert_int_eq(decode_text(), FL_OK);
    ck_assert_uint_eq(decoder.dump.spans, 1);
    uint64_t attrs = 5 * (FL_MAX_EVENTS_PER_SPAN + 1) - FL_MAX_EVENT_ATTRS_PER_SPAN;
    ck_assert_uint_eq(fl_otlp_dropped(decoder.otlp), 2 + attrs);
}
END_TEST

START_TEST(too_many_buckets_cost_the_point)
{
    fl_buf_text(&text, "{\"resourceMetrics\":[{\"resource\":{},\"scopeMetrics\":[{\"metrics\":[{"
                       "\"name\":\"h\",\"unit\":\"s\",\"histogram\":{\"aggregationTemporality\":2,"
                       "\"dataPoints\":[{\"timeUnixNano\":\"1\",\"bucketCounts\":[0");
    repeat(",0", FL_MAX_BUCKETS_PER_POINT);
    fl_buf_text(&text, "]},{\"timeUnixNano\":\"1\"}]}}]}]}]}");
    ck_assert_int_eq(decode_text(), FL_OK);
    ck_assert_uint_eq(decoder.dump.points, 1);
    ck_assert_ptr_nonnull(
        strstr(otlp_decoder_text(&decoder), "data point: more than 4096 buckets\n"));
}
END_TEST

START_TEST(a_value_nested_too_deep_costs_the_record)
{
    fl_buf_text(&text, OPENED "{" IDS "," TIMES ",\"attributes\":[{\"key\":\"k\",\"value\":");
    repeat("{\"arrayValue\":{\"values\":[", 33);
    fl_buf_text(&text, "{}");
    repeat("]}}", 33);
    fl_buf_text(&text, "}]}," SPAN CLOSED);
    ck_assert_int_eq(decode_text(), FL_OK);
    ck_assert_uint_eq(decoder.dump.spans, 1);
    ck_assert_uint_eq(decoder.dump.rejects, 1);
    ck_assert_ptr_nonnull(
        strstr(otlp_decoder_text(&decoder), "span: a value is nested more than 32 deep\n"));
}
END_TEST

/* A cut line keeps the records before the cut and makes one reject. */
static void check_prefixes(const char *fixture)
{
    fl_slice whole = otlp_fixture(fixture);
    uint64_t last = 0;
    for (size_t len = 0; len < whole.len; len++) {
        unsigned char *copy = malloc(len + 1); /* exact, so that ASan sees a byte read too far */
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, whole.ptr, len);
        otlp_decoder_clear(&decoder);
        ck_assert_int_eq(otlp_decode_json(&decoder, (fl_slice){copy, len}), FL_OK);
        ck_assert_msg(decoder.dump.rejects == 1, "%s cut at %zu: %s", fixture, len,
                      otlp_decoder_text(&decoder));
        uint64_t records = decoder.dump.spans + decoder.dump.logs + decoder.dump.points;
        ck_assert_uint_ge(records, last);
        last = records;
        free(copy);
    }
    ck_assert_uint_ge(last, 5);
    otlp_fixture_free(whole);
}

START_TEST(every_prefix_of_a_request_keeps_what_came_before)
{
    check_prefixes("traces_2.json");
    check_prefixes("logs.json");
    check_prefixes("metrics.json");
}
END_TEST

/* Each byte replaced by others: no crash, and the line's other records are still there. */
START_TEST(a_damaged_byte_costs_at_most_the_rest)
{
    fl_slice whole = otlp_fixture("traces.json");
    unsigned char *copy = malloc(whole.len);
    ck_assert_ptr_nonnull(copy);
    static const unsigned char damages[] = {'"', '{', ']', ',', '\\', 0xff, 0};
    for (size_t at = 0; at < whole.len; at += 3)
        for (size_t d = 0; d < sizeof(damages); d++) {
            memcpy(copy, whole.ptr, whole.len);
            copy[at] = damages[d];
            otlp_decoder_clear(&decoder);
            ck_assert_int_eq(otlp_decode_json(&decoder, (fl_slice){copy, whole.len}), FL_OK);
            ck_assert_uint_le(decoder.dump.spans, 10);
            ck_assert_uint_le(decoder.dump.rejects, 10);
        }
    free(copy);
    otlp_fixture_free(whole);
}
END_TEST

START_TEST(escapes_are_decoded_in_every_text)
{
    ck_assert_int_eq(
        otlp_decode_json(
            &decoder,
            SLICE("{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":"
                  "\"service.n\\u0061me\",\"value\":{\"stringValue\":\"caf\\u00e9\"}}]},"
                  "\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\\/x\",\"unit\":\"\\u00b5s\","
                  "\"gauge\":{\"dataPoints\":[{\"timeUnixNano\":\"1\",\"asInt\":1},"
                  "{\"timeUnixNano\":\"2\",\"asInt\":1,\"attributes\":[{\"key\":\"\\t\","
                  "\"value\":{\"stringValue\":\"\\ud83d\\ude00\"}}]}]}}]}]}]}")),
        FL_OK);
    ck_assert_str_eq(otlp_decoder_text(&decoder),
                     "resource 0 service=caf\xc3\xa9 instance= node= service.name=\"caf\xc3\xa9\"\n"
                     "gauge of 0: m/x [\xc2\xb5s] 0..1 value 1\n"
                     "gauge of 0: m/x [\xc2\xb5s] 0..2 value 1 \t=\"\xf0\x9f\x98\x80\"\n");
}
END_TEST

START_TEST(survives_each_allocation_failing)
{
    fl_slice request = otlp_fixture("logs.json");
    bool done = false;
    for (long successes = 0; !done; successes++) {
        otlp_dump dump;
        fl_sink sink = otlp_dump_sink(&dump);
        fl_otlp *otlp = NULL;
        ck_assert_int_lt(successes, 100);
        for (size_t i = 0; i < 4096; i++) /* the dump's own memory is not what is tested */
            fl_buf_char(&dump.text, ' ');
        fl_mem_fail_after(successes);
        fl_status status = fl_otlp_create(&otlp, &sink, NULL);
        if (status == FL_OK)
            status = fl_otlp_json(otlp, request, "test", 1, 0, NULL);
        fl_mem_fail_after(-1);
        ck_assert(status == FL_OK || status == FL_E_NOMEM);
        ck_assert_uint_eq(dump.rejects, 0);
        done = status == FL_OK;
        if (done)
            ck_assert_uint_eq(dump.logs, 5);
        fl_otlp_destroy(otlp);
        fl_buf_dispose(&dump.text);
    }
    otlp_fixture_free(request);
}
END_TEST

static Suite *otlp_json_suite(void)
{
    Suite *suite = suite_create("otlp/json");
    TCase *cases = tcase_create("json");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_recorded_trace_of_tempo_is_read);
    tcase_add_test(cases, a_request_may_stand_inside_of_one_object_more);
    tcase_add_loop_test(cases, ids_may_be_base64, 0, sizeof(base64_ids) / sizeof(base64_ids[0]));
    tcase_add_test(cases, a_record_of_100_000_brackets_costs_itself);
    tcase_add_test(cases, brackets_beyond_the_limit_end_the_line);
    tcase_add_test(cases, strict_mode_stops_at_the_first_reject_and_says_where);
    tcase_add_test(cases, the_sink_can_stop_the_reading);
    tcase_add_test(cases, attributes_over_the_limit_are_dropped_and_counted);
    tcase_add_test(cases, events_over_the_limit_are_dropped_and_counted);
    tcase_add_test(cases, too_many_buckets_cost_the_point);
    tcase_add_test(cases, a_value_nested_too_deep_costs_the_record);
    tcase_add_test(cases, every_prefix_of_a_request_keeps_what_came_before);
    tcase_add_test(cases, a_damaged_byte_costs_at_most_the_rest);
    tcase_add_test(cases, escapes_are_decoded_in_every_text);
    tcase_add_test(cases, survives_each_allocation_failing);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(otlp_json_suite)
