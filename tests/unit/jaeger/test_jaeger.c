/*
 * Jaeger: answers of its query API in the shape that it documents, what is refused. No recording of
 * one was at hand; a trace is written down here with the members that Jaeger 1.x answers.
 */
#include "jaeger.h"

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

#define ANSWER(traces)                                                                             \
    "{\"data\":[" traces "],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}"
#define TRACE(spans)                                                                               \
    "{\"traceID\":\"1\",\"spans\":[" spans                                                         \
    "],\"processes\":{\"p1\":{\"serviceName\":\"cart\"}},\"warnings\":null}"
#define SPAN(id, more)                                                                             \
    "{\"traceID\":\"1\",\"spanID\":\"" id                                                          \
    "\",\"operationName\":\"op\",\"startTime\":5,\"duration\":2,\"processID\":\"p1\"" more "}"
#define CART    "resource 0 service=cart instance= node= service.name=\"cart\"\n"
#define ID(n)   "000000000000000" n
#define HEAD(n) "span of 0: 0000000000000000" ID("1") " " ID(n) " parent "
#define TAIL    " \"op\" kind 0 5000..7000"
#define READ(n) HEAD(n) ID("0") TAIL "\n"

static const char whole[] =
    "{\"data\":[{\"traceID\":\"00c1f5a1bd2ec2ee\",\"spans\":[{\"traceID\":\"00c1f5a1bd2ec2ee\","
    "\"spanID\":\"68a94ed1a5a7dbd6\",\"flags\":1,\"operationName\":\"HTTP GET /customer\","
    "\"references\":[{\"refType\":\"FOLLOWS_FROM\",\"traceID\":\"00c1f5a1bd2ec2ee\",\"spanID\":"
    "\"9\"},"
    "{\"refType\":\"CHILD_OF\",\"traceID\":\"00c1f5a1bd2ec2ee\",\"spanID\":\"32f1dd79ab6eb0c0\"}],"
    "\"startTime\":1485467191639875,\"duration\":381325,\"tags\":[{\"key\":\"span.kind\",\"type\":"
    "\"string\",\"value\":\"server\"},{\"key\":\"http.status_code\",\"type\":\"int64\",\"value\":"
    "500},"
    "{\"key\":\"error\",\"type\":\"bool\",\"value\":true},{\"key\":\"load\",\"type\":\"float64\","
    "\"value\":0.5},{\"key\":\"raw\",\"type\":\"binary\",\"value\":\"AAE=\"}],\"logs\":[{"
    "\"timestamp\":"
    "1485467191639900,\"fields\":[{\"key\":\"event\",\"type\":\"string\",\"value\":\"exception\"},"
    "{\"key\":\"exception.type\",\"type\":\"string\",\"value\":\"IOError\"},{\"key\":\"message\","
    "\"type\":"
    "\"string\",\"value\":\"broken "
    "pipe\"}]}],\"processID\":\"p2\",\"warnings\":null}],\"processes\":{"
    "\"p1\":{\"serviceName\":\"frontend\",\"tags\":[]},\"p2\":{\"serviceName\":\"customer\","
    "\"tags\":[{"
    "\"key\":\"hostname\",\"type\":\"string\",\"value\":\"node-3\"},{\"key\":\"k8s.pod.name\","
    "\"type\":"
    "\"string\",\"value\":\"customer-0\"},{\"key\":\"service.version\",\"type\":\"string\","
    "\"value\":"
    "\"1.2\"},{\"key\":\"jaeger.version\",\"type\":\"string\",\"value\":\"Go-2.30\"}]}},"
    "\"warnings\":"
    "null}],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}";

/* clang-format off */
static const struct {
    const char *text, *read;
} good[] = {
    {whole,
     "resource 0 service=frontend instance= node= service.name=\"frontend\"\n"
     "resource 1 service=customer instance=customer-0 node=node-3 service.name=\"customer\" k8s.pod.name=\"customer-0\" hostname=\"node-3\" service.version=\"1.2\"\n"
     "span of 1: 000000000000000000c1f5a1bd2ec2ee 68a94ed1a5a7dbd6 parent 32f1dd79ab6eb0c0 \"HTTP GET /customer\" kind 2 1485467191639875000..1485467192021200000 error span.kind=\"server\" http.response.status_code=500 error=true load=0.5d raw=bytes:AAE=\n"
     "  event 1485467191639900000 \"exception\" event=\"exception\" exception.type=\"IOError\" message=\"broken pipe\"\n"},
    {ANSWER(""), ""},
    {"{\"data\":null,\"errors\":null}", ""},
    {"\xef\xbb\xbf" ANSWER(TRACE(SPAN("1", ""))), CART READ("1")},
    {ANSWER(TRACE(SPAN("2", ",\"parentSpanID\":\"1\",\"tags\":null,\"logs\":null,\"references\":null"))), CART HEAD("2") ID("1") TAIL "\n"},
    {ANSWER(TRACE(SPAN("2", ",\"references\":[{\"refType\":\"FOLLOWS_FROM\",\"spanID\":\"1\"}]"))), CART HEAD("2") ID("1") TAIL "\n"},
    {ANSWER(TRACE(SPAN("2", ",\"tags\":[{\"key\":\"error\",\"value\":\"false\"},{\"key\":\"x\",\"value\":[1]},{\"value\":1}]"))), CART HEAD("2") ID("0") TAIL " error=\"false\" x=other:[1]\n"},
    {ANSWER(TRACE(SPAN("2", ",\"processID\":\"p9\"") "," SPAN("3", ",\"processID\":\"p8\""))), CART "resource 1 service= instance= node=\nspan of 1: 0000000000000000" ID("1") " " ID("2") " parent " ID("0") TAIL "\nspan of 1: 0000000000000000" ID("1") " " ID("3") " parent " ID("0") TAIL "\n"},
    {ANSWER(TRACE(SPAN("2", ",\"process\":{\"serviceName\":\"own\"}"))), CART "resource 1 service=own instance= node= service.name=\"own\"\nspan of 1: 0000000000000000" ID("1") " " ID("2") " parent " ID("0") TAIL "\n"},
    {ANSWER(TRACE(SPAN("2", ",\"logs\":[{\"timestamp\":6,\"fields\":[{\"key\":\"message\",\"value\":\"m\"}]}]"))), CART READ("2") "  event 6000 \"m\" message=\"m\"\n"},
};

static const struct {
    const char *text, *read;
} bad[] = {
    {ANSWER(TRACE(SPAN("x", "") "," SPAN("1", ""))), CART "reject line 1 byte 57 records 1: 'spanID' is not 1 to 16 hexadecimal digits\n" READ("1")},
    {ANSWER(TRACE(SPAN("", ""))), CART "reject line 1 byte 33 records 1: a span without an id\n"},
    {ANSWER(TRACE(SPAN("1", ",\"traceID\":\"0\""))), CART "reject line 1 byte 136 records 1: 'traceID' is not 1 to 32 hexadecimal digits\n"},
    {ANSWER(TRACE(SPAN("1", ",\"startTime\":-1"))), CART "reject line 1 byte 138 records 1: a time is not between the years 1970 and 2262\n"},
    {ANSWER(TRACE(SPAN("1", ",\"startTime\":0"))), CART "reject line 1 byte 33 records 1: a span without a start\n"},
    {ANSWER(TRACE(SPAN("1", ",\"duration\":9223372036854775"))), CART "reject line 1 byte 33 records 1: a span ends beyond the year 2262\n"},
    {ANSWER(TRACE(SPAN("1", ",\"tags\":[7]"))), CART "reject line 1 byte 134 records 1: expected an object, found a number\n"},
    {ANSWER(TRACE("7," SPAN("1", ""))), CART "reject line 1 byte 33 records 1: expected an object, found a number\n" READ("1")},
    {ANSWER("{\"spans\":7}," TRACE(SPAN("1", ""))), "reject line 1 byte 18 records 1: expected an array, found a number\n" CART READ("1")},
    {ANSWER("{\"spans\":[],\"processes\":[]}"), "reject line 1 byte 33 records 1: expected an object, found an array\n"},
    {ANSWER(TRACE(SPAN("1", "")) ",7"), CART READ("1") "reject line 1 byte 187 records 1: expected an object, found a number\n"},
    {"{\"data\":[" TRACE(SPAN("1", "")) ",\n{]]}", CART READ("1") "reject line 2 byte 189 records 1: expected a key or '}'\n"},
    {ANSWER(TRACE(SPAN("1", ""))) "x", CART READ("1") "reject line 1 byte 233 records 1: expected the end of the input, found 'x'\n"},
};

static const struct {
    const char *text;
    fl_status status;
    const char *message;
} refused[] = {
    {"", FL_E_UNSUPPORTED, "test holds no answer of Jaeger"},
    {"[]", FL_E_UNSUPPORTED, "test holds no answer of Jaeger"},
    {"{}", FL_E_UNSUPPORTED, "test holds no answer of Jaeger"},
    {"{\"data\":[]}", FL_E_UNSUPPORTED, "test holds no answer of Jaeger"},
    {"{\"data\":[\"cart\"],\"errors\":null}", FL_E_UNSUPPORTED, "test holds no answer of Jaeger"},
    {"{\"data\":{\"result\":[]},\"errors\":null}", FL_E_UNSUPPORTED, "test holds no answer of Jaeger"},
    {"{\"data\":null,\"errors\":[{\"code\":404,\"msg\":\"trace not found\"},{\"msg\":\"b\"}]}", FL_E_IO, "test: the server answered: trace not found"},
};
/* clang-format on */

START_TEST(each_form_is_read)
{
    ck_assert_ok(fl_jaeger_json(&r.to, SLICE(good[_i].text), &err));
    ck_assert_str_eq(received_text(&r), good[_i].read);
}
END_TEST

START_TEST(what_is_wrong_costs_itself_and_is_named)
{
    ck_assert_ok(fl_jaeger_json(&r.to, SLICE(bad[_i].text), &err));
    ck_assert_str_eq(received_text(&r), bad[_i].read);
}
END_TEST

START_TEST(what_is_no_answer_or_says_an_error_fails)
{
    ck_assert_fails(refused[_i].status, fl_jaeger_json(&r.to, SLICE(refused[_i].text), &err));
    ck_assert_str_eq(err.message, refused[_i].message);
}
END_TEST

START_TEST(strict_and_the_sink_end_the_reading)
{
    r.to.strict = true;
    ck_assert_fails(FL_E_SYNTAX, fl_jaeger_json(&r.to, SLICE(bad[0].text), &err));
    ck_assert_str_eq(err.message, "test:1: 'spanID' is not 1 to 16 hexadecimal digits");
    r.dump.stop_after = 1;
    r.dump.stop_with = FL_E_STOPPED;
    err = (fl_error){0};
    ck_assert_fails(
        FL_E_STOPPED,
        fl_jaeger_json(&r.to, SLICE(ANSWER(TRACE(SPAN("1", "") "," SPAN("2", "")))), &err));
    ck_assert_uint_eq(r.dump.spans, 1);
}
END_TEST

START_TEST(every_prefix_is_refused_or_read_as_far_as_it_goes)
{
    for (size_t len = 0; len < strlen(whole); len++) {
        fl_bytes part = received_exact(SLICE(whole), len);
        fl_error own = {0};
        received_clear(&r);
        fl_status status = fl_jaeger_json(&r.to, fl_bytes_slice(part), &own);
        ck_assert(status == FL_E_UNSUPPORTED || (status == FL_OK && r.dump.rejects == 1));
        free(part.ptr);
    }
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    const char *text =
        "{\"data\":[{\"spans\":[{\"traceID\":\"\\u0031\",\"spanID\":\"1\",\"startTime\":1,"
        "\"duration\":1}],\"processes\":{\"\\u0070\":{\"serviceName\":\"a\"}}}]}";
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        ck_assert_int_lt(after, 100);
        received_clear(&r);
        fl_mem_fail_after(after);
        fl_status status = fl_jaeger_json(&r.to, SLICE(text), &own);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_assert_uint_eq(r.dump.spans, 1);
}
END_TEST

static Suite *jaeger_suite(void)
{
    Suite *suite = suite_create("jaeger");
    TCase *cases = tcase_create("jaeger");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, each_form_is_read, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(cases, what_is_wrong_costs_itself_and_is_named, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(cases, what_is_no_answer_or_says_an_error_fails, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(cases, strict_and_the_sink_end_the_reading);
    tcase_add_test(cases, every_prefix_is_refused_or_read_as_far_as_it_goes);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(jaeger_suite)
