/*
 * Zipkin: spans of zipkin-js and of OpenTelemetry's exporter as recorded, shared ids, what is
 * refused.
 */
#include "zipkin.h"

#include "received.h"

static received r;
static fl_error err;

static void setup(void)
{
    err = (fl_error){0};
    received_init(&r);
}

static void teardown(void)
{
    received_dispose(&r);
}

#define SPAN(id, more)                                                                             \
    "{\"traceId\":\"1\",\"id\":\"" id "\",\"timestamp\":5,\"duration\":2" more "}"
#define TRACE   "00000000000000000000000000000001 "
#define ID(n)   "000000000000000" n
#define NOBODY  "resource 0 service= instance= node=\n"
#define READ(n) "span of 0: " TRACE ID(n) " parent " ID("0") " \"\" kind 0 5000..7000\n"

/* clang-format off */
static const struct {
    const char *text, *read;
} good[] = {
    {"[" SPAN("1", "") "]", NOBODY READ("1")},
    {"\xef\xbb\xbf [[" SPAN("1", "") "]]\n", NOBODY READ("1")},
    {"[[" SPAN("1", "") "],[]]", NOBODY READ("1")},
    {"[" SPAN("1", ",\"parentId\":null,\"kind\":null,\"name\":null,\"tags\":null,\"annotations\":null,\"localEndpoint\":null,\"debug\":true,\"shared\":null") "]", NOBODY READ("1")},
    {"[" SPAN("2", ",\"parentId\":\"1\",\"kind\":\"CLIENT\",\"name\":\"get\",\"localEndpoint\":{\"serviceName\":\"cart\",\"ipv4\":\"10.0.0.1\",\"port\":80},\"remoteEndpoint\":{\"serviceName\":\"pay\",\"ipv6\":\"::1\"},\"tags\":{\"http.method\":\"GET\",\"error\":\"timeout\",\"n\":7},\"annotations\":[{\"timestamp\":6,\"value\":\"sent\"}]") "]",
     "resource 0 service=cart instance=10.0.0.1 node=\nspan of 0: " TRACE ID("2") " parent " ID("1") " \"get\" kind 3 5000..7000 error http.request.method=\"GET\" error=\"timeout\" n=\"7\" service.peer.name=\"pay\"\n  event 6000 \"sent\"\n"},
    {"[" SPAN("1", ",\"tags\":{\"error\":\"false\"}") "," SPAN("2", ",\"tags\":{\"otel.status_code\":\"ERROR\"}") "]",
     NOBODY "span of 0: " TRACE ID("1") " parent " ID("0") " \"\" kind 0 5000..7000 error=\"false\"\nresource 1 service= instance= node=\nspan of 1: " TRACE ID("2") " parent " ID("0") " \"\" kind 0 5000..7000 error otel.status_code=\"ERROR\"\n"},
    {"[" SPAN("1", ",\"tags\":{\"service.name\":\"s\",\"k8s.pod.name\":\"s-0\",\"host.name\":\"h\",\"service.version\":\"2\"},\"localEndpoint\":{\"ipv4\":\"10.0.0.1\"}") "]",
     "resource 0 service=s instance=s-0 node=h service.version=\"2\"\nspan of 0: " TRACE ID("1") " parent " ID("0") " \"\" kind 0 5000..7000 service.name=\"s\" k8s.pod.name=\"s-0\" host.name=\"h\" service.version=\"2\"\n"},
    {"[{\"traceId\":\"000102030405060708090a0b0c0d0e0F\",\"id\":\"A920a03609ee0340\",\"timestamp\":5,\"kind\":\"PRODUCER\"}]",
     NOBODY "span of 0: 000102030405060708090a0b0c0d0e0f a920a03609ee0340 parent " ID("0") " \"\" kind 4 5000..5000\n"},
};

static const struct {
    const char *text, *read;
} bad[] = {
    {"[" SPAN("1", "") ",7," SPAN("1", "") "]", NOBODY READ("1") "reject line 1 byte 53 records 1: expected an object, found a number\nresource 1 service= instance= node=\nspan of 1: " TRACE ID("1") " parent " ID("0") " \"\" kind 0 5000..7000\n"},
    {"[" SPAN("x", "") "]", "reject line 1 byte 21 records 1: 'id' is not 1 to 16 hexadecimal digits\n"},
    {"[" SPAN("12345678901234567", "") "]", "reject line 1 byte 21 records 1: 'id' is not 1 to 16 hexadecimal digits\n"},
    {"[" SPAN("0", "") "]", "reject line 1 byte 21 records 1: 'id' is not 1 to 16 hexadecimal digits\n"},
    {"[{\"traceId\":\"000102030405060708090a0b0c0d0e0f0\",\"id\":\"1\"}]", "reject line 1 byte 12 records 1: 'traceId' is not 1 to 32 hexadecimal digits\n"},
    {"[" SPAN("1", ",\"parentId\":\"\"") "]", "reject line 1 byte 63 records 1: 'parentId' is not 1 to 16 hexadecimal digits\n"},
    {"[{\"traceId\":\"1\",\"id\":\"1\",\"duration\":1}]", "reject line 1 byte 1 records 1: a span without a start\n"},
    {"[{\"traceId\":\"1\",\"id\":\"1\",\"timestamp\":1}]", "reject line 1 byte 1 records 1: a span without a duration\n"},
    {"[" SPAN("1", ",\"timestamp\":-1") "]", "reject line 1 byte 64 records 1: a time is not between the years 1970 and 2262\n"},
    {"[" SPAN("1", ",\"timestamp\":9223372036854775") "]", "reject line 1 byte 1 records 1: a span ends beyond the year 2262\n"},
    {"[" SPAN("1", ",\"duration\":9223372036854776") "]", "reject line 1 byte 63 records 1: a time is not between the years 1970 and 2262\n"},
    {"[" SPAN("1", ",\"tags\":[]") "]", "reject line 1 byte 59 records 1: expected an object, found an array\n"},
    {"[" SPAN("1", ",\"annotations\":[7]") "]", "reject line 1 byte 67 records 1: expected an object, found a number\n"},
    {"[" SPAN("1", ",\"shared\":1") "]", "reject line 1 byte 61 records 1: expected true or false, found a number\n"},
    {"[\n" SPAN("1", "") ",\n{]]", NOBODY READ("1") "reject line 3 byte 56 records 1: expected a key or '}'\n"},
    {"[" SPAN("1", "") "] x", NOBODY READ("1") "reject line 1 byte 54 records 1: expected the end of the input, found 'x'\n"},
};

static const char *const refused[] = {"", "[]", "[[]]", "{}", "[7]", "[{}]", "[{\"traceId\":\"1\"}]", "[{\"id\":\"1\"}]", "[{\"client\":\"a\",\"server\":\"b\"}]"};
/* clang-format on */

START_TEST(each_form_is_read)
{
    ck_assert_ok(fl_zipkin_json(&r.to, SLICE(good[_i].text), &err));
    ck_assert_str_eq(received_text(&r), good[_i].read);
}
END_TEST

START_TEST(what_is_wrong_costs_itself_and_is_named)
{
    ck_assert_ok(fl_zipkin_json(&r.to, SLICE(bad[_i].text), &err));
    ck_assert_str_eq(received_text(&r), bad[_i].read);
}
END_TEST

START_TEST(what_is_no_list_of_spans_is_told)
{
    ck_assert_fails(FL_E_UNSUPPORTED, fl_zipkin_json(&r.to, SLICE(refused[_i]), &err));
    ck_assert_str_eq(err.message, "test holds no spans of Zipkin");
}
END_TEST

/* The id and the parent of the n-th span that was read. */
static void ids_of(size_t n, uint64_t *id, uint64_t *parent)
{
    const char *at = received_text(&r);
    for (size_t i = 0; i <= n && at != NULL; i++)
        at = strstr(i == 0 ? at : at + 1, "span of ");
    ck_assert_ptr_nonnull(at);
    at = strchr(at, ':') + 2 + 32 + 1;
    *id = strtoull(at, NULL, 16);
    *parent = strtoull(at + 16 + strlen(" parent "), NULL, 16);
}

#define BY(service) ",\"localEndpoint\":{\"serviceName\":\"" service "\"}"

START_TEST(both_halves_of_a_shared_span_and_what_is_below_find_each_other)
{
    uint64_t id[5], parent[5];
    ck_assert_ok(fl_zipkin_json(
        &r.to,
        SLICE("[" SPAN("3", ",\"parentId\":\"2\"" BY("pay")) /* below the server's half */
              "," SPAN("2",
                       ",\"parentId\":\"1\",\"kind\":\"SERVER\",\"shared\":true" BY(
                           "pay")) "," SPAN("2",
                                            ",\"parentId\":\"1\",\"kind\":\"CLIENT\"" BY(
                                                "cart")) "," SPAN("4",
                                                                  ",\"parentId\":\"2\"" BY(
                                                                      "cart")) /* below the client's
                                                                                  half */
              "," SPAN("1", BY("cart")) "]"),
        &err));
    for (size_t i = 0; i < 5; i++)
        ids_of(i, &id[i], &parent[i]);
    ck_assert_uint_eq(parent[0], id[1]);
    ck_assert_uint_eq(parent[1], 2);
    ck_assert_uint_ne(id[1], 2);
    ck_assert_uint_eq(id[2], 2);
    ck_assert_uint_eq(parent[2], 1);
    ck_assert_uint_eq(parent[3], 2);
    ck_assert_uint_eq(parent[4], 0);
}
END_TEST

START_TEST(recorded_spans_are_read)
{
    fl_bytes body = received_fixture("zipkin_v2_native.json");
    ck_assert_ok(fl_zipkin_json(&r.to, fl_bytes_slice(body), &err));
    ck_assert_str_eq(received_text(&r),
                     "resource 0 service=zipkin-native instance= node=\n"
                     "span of 0: 0000000000000000a920a03609ee0340 a920a03609ee0340 parent "
                     "0000000000000000 \"work\" kind 0 1795379336665428000..1795379336675354000\n");
    free(body.ptr);
    body = received_fixture("zipkin_v2_otel.json");
    received_clear(&r);
    ck_assert_ok(fl_zipkin_json(&r.to, fl_bytes_slice(body), &err));
    ck_assert_str_eq(received_text(&r),
                     "resource 0 service=zk instance= node=\n"
                     "span of 0: 46e9ef5f45087b823b876e705d32a447 2bcef60dc2bfe058 parent "
                     "0000000000000000 \"op\" kind 0 1795379336590000000..1795379336590254000 "
                     "service.name=\"zk\"\n");
    free(body.ptr);
}
END_TEST

START_TEST(strict_and_the_sink_end_the_reading)
{
    r.to.strict = true;
    ck_assert_fails(FL_E_SYNTAX, fl_zipkin_json(&r.to, SLICE(bad[1].text), &err));
    ck_assert_str_eq(err.message, "test:1: 'id' is not 1 to 16 hexadecimal digits");
    r.dump.stop_after = 1;
    r.dump.stop_with = FL_E_STOPPED;
    err = (fl_error){0};
    ck_assert_fails(FL_E_STOPPED,
                    fl_zipkin_json(&r.to, SLICE("[" SPAN("1", "") "," SPAN("2", "") "]"), &err));
    ck_assert_uint_eq(r.dump.spans, 1);
}
END_TEST

START_TEST(attributes_and_events_over_the_limits_are_left_out)
{
    fl_buf text = fl_buf_of(1 << 20);
    fl_buf_text(&text,
                "[{\"traceId\":\"1\",\"id\":\"1\",\"timestamp\":1,\"duration\":1,\"tags\":{");
    for (int i = 0; i < 1030; i++)
        fl_buf_printf(&text, "%s\"t%d\":\"v\"", i > 0 ? "," : "", i);
    fl_buf_text(&text, "},\"annotations\":[");
    for (int i = 0; i < 1030; i++)
        fl_buf_printf(&text, "%s{\"timestamp\":1,\"value\":\"a\"}", i > 0 ? "," : "");
    fl_buf_text(&text, "]}]");
    ck_assert_ok(fl_zipkin_json(&r.to, fl_buf_slice(&text), &err));
    ck_assert_uint_eq(received_count(&r, "=\"v\""), 1024);
    ck_assert_uint_eq(received_count(&r, "  event 1000"), 1024);
    fl_buf_dispose(&text);
}
END_TEST

START_TEST(every_prefix_is_refused_or_read_as_far_as_it_goes)
{
    const char *text =
        "[" SPAN("2", ",\"shared\":true,\"tags\":{\"a\":\"b\"}") "," SPAN("3", "") "]";
    for (size_t len = 0; len < strlen(text); len++) {
        fl_bytes part = received_exact(SLICE(text), len);
        fl_error own = {0};
        received_clear(&r);
        fl_status status = fl_zipkin_json(&r.to, fl_bytes_slice(part), &own);
        ck_assert(status == FL_E_UNSUPPORTED || (status == FL_OK && r.dump.rejects == 1));
        free(part.ptr);
    }
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    const char *text = "[" SPAN("2", ",\"shared\":true,\"name\":\"\\u0061\"") "]";
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        ck_assert_int_lt(after, 100);
        received_clear(&r);
        fl_mem_fail_after(after);
        fl_status status = fl_zipkin_json(&r.to, SLICE(text), &own);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_uint_eq(r.dump.spans, 1);
}
END_TEST

static Suite *zipkin_suite(void)
{
    Suite *suite = suite_create("zipkin");
    TCase *cases = tcase_create("zipkin");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, each_form_is_read, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(cases, what_is_wrong_costs_itself_and_is_named, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(cases, what_is_no_list_of_spans_is_told, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(cases, both_halves_of_a_shared_span_and_what_is_below_find_each_other);
    tcase_add_test(cases, recorded_spans_are_read);
    tcase_add_test(cases, strict_and_the_sink_end_the_reading);
    tcase_add_test(cases, attributes_and_events_over_the_limits_are_left_out);
    tcase_add_test(cases, every_prefix_is_refused_or_read_as_far_as_it_goes);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(zipkin_suite)
