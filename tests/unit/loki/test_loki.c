/*
 * Loki: pushes of winston-loki and pino-loki, an answer of Loki itself, each form of labels and
 * entries, what is refused.
 */
#include "loki.h"

#include "made_proto.h"
#include "made_snappy.h"
#include "received.h"

static received r;
static fl_error err;
static fl_buf message, stream, inner;

static void setup(void)
{
    err = (fl_error){0};
    received_init(&r);
    message = fl_buf_of(1 << 20);
    stream = fl_buf_of(1 << 20);
    inner = fl_buf_of(1 << 20);
}

static void teardown(void)
{
    received_dispose(&r);
    fl_buf_dispose(&message);
    fl_buf_dispose(&stream);
    fl_buf_dispose(&inner);
}

#define IDS        "00000000000000000000000000000000 0000000000000000"
#define PUSH(s)    "{\"streams\":[" s "]}"
#define APP(v)     "{\"stream\":{\"app\":\"a\",\"level\":\"warn\"},\"values\":[" v "]}"
#define WHO        "resource 0 service=a instance= node= app=\"a\"\n"
#define READ(text) "log of 0: 5 severity 13 \"warn\" \"" text "\" " IDS " level=\"warn\"\n"
#define ANSWER(s)                                                                                  \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"streams\",\"result\":[" s "]}}"

/* clang-format off */
static const struct {
    const char *text, *read;
} good[] = {
    {PUSH(""), ""},
    {"{\"streams\":null}", ""},
    {"\xef\xbb\xbf" PUSH(APP("")), WHO},
    {PUSH(APP("[\"5\",\"x\"],[5,\"y\",{}]")), WHO READ("x") READ("y")},
    {PUSH("{\"values\":[[\"5\",\"x\"]],\"stream\":{\"app\":\"a\",\"level\":\"warn\"}}"), WHO READ("x")},
    {PUSH("{\"labels\":\"{app=\\\"a\\\", level=`warn`}\",\"entries\":[{\"ts\":\"1970-01-01T00:00:00.000000005Z\",\"line\":\"x\"}]}"), WHO READ("x")},
    {PUSH("{\"stream\":{\"app\":\"a\",\"level\":\"info\"},\"values\":[[\"5\",\"x\",{\"lvl\":\"error\"}],[\"6\",\"y\",{\"lvl\":\"odd\"}]]}"), WHO "log of 0: 5 severity 17 \"error\" \"x\" " IDS " level=\"info\" lvl=\"error\"\nlog of 0: 6 severity 9 \"info\" \"y\" " IDS " level=\"info\" lvl=\"odd\"\n"},
    {PUSH("{\"stream\":{\"app\":\"a\"},\"values\":[[\"5\",\"x\",{\"level\":\"ERROR\",\"n\":7,\"z\":null}]]}"), WHO "log of 0: 5 severity 17 \"ERROR\" \"x\" " IDS " level=\"ERROR\" n=\"7\"\n"},
    {PUSH("{\"stream\":{\"app\":\"a\"},\"values\":[[\"5\",\"x\",{\"structuredMetadata\":{\"trace_id\":\"000102030405060708090a0b0c0d0e0f\",\"span_id\":\"0000000000000007\"},\"parsed\":{\"lvl\":\"50\"}}]]}"), WHO
     "log of 0: 5 severity 17 \"50\" \"x\" 000102030405060708090a0b0c0d0e0f 0000000000000007 trace_id=\"000102030405060708090a0b0c0d0e0f\" span_id=\"0000000000000007\" lvl=\"50\"\n"},
    {PUSH("{\"stream\":{\"app\":\"a\"},\"values\":[[\"5\",\"x\",{\"traceID\":\"a920a03609ee0340\"}],[\"6\",\"y\",{\"trace_id\":\"zz\"}]]}"), WHO
     "log of 0: 5 severity 0 \"\" \"x\" 0000000000000000a920a03609ee0340 0000000000000000 traceID=\"a920a03609ee0340\"\nlog of 0: 6 severity 0 \"\" \"y\" " IDS " trace_id=\"zz\"\n"},
    {PUSH(APP("[\"5\",\"\\u0061\\nb\"]")), WHO READ("a\nb")},
};

static const struct {
    const char *text, *read;
} bad[] = {
    {PUSH("{\"values\":[[\"5\",\"x\"]]}," APP("[\"5\",\"x\"]")), "reject line 1 byte 12 records 1: a stream without labels\n" WHO READ("x")},
    {PUSH(APP("[\"five\",\"x\"],[\"5\",\"x\"]")), WHO "reject line 1 byte 60 records 1: expected an integer of 64 bits\n" READ("x")},
    {PUSH(APP("[\"-5\",\"x\"]")), WHO "reject line 1 byte 59 records 1: an entry's time is before 1970\n"},
    {PUSH(APP("[\"5\"],[],[\"5\",\"x\",{},{}],7")), WHO "reject line 1 byte 59 records 1: an entry is not [nanoseconds, line]\nreject line 1 byte 65 records 1: an entry is not [nanoseconds, line]\nreject line 1 byte 68 records 1: an entry has more than time, line and metadata\nreject line 1 byte 84 records 1: expected an array, found a number\n"},
    {PUSH(APP("[\"5\",\"x\",{\"a\":[]}]")), WHO "reject line 1 byte 73 records 1: expected a string, found an array\n"},
    {PUSH("{\"labels\":\"{app}\",\"entries\":[]}," APP("[\"5\",\"x\"]")), "reject line 1 byte 22 records 1: labels are not {name=\"value\", ...}: byte 4 of them\n" WHO READ("x")},
    {PUSH("{\"labels\":\"{}\",\"entries\":[{\"line\":\"x\"},{\"ts\":\"-2h\"}]}"), "resource 0 service= instance= node=\nreject line 1 byte 38 records 1: 'ts' is missing\nreject line 1 byte 57 records 1: 'ts' is not RFC 3339 or an epoch\n"},
    {PUSH("7," APP("[\"5\",\"x\"]")), "reject line 1 byte 12 records 1: expected an object, found a number\n" WHO READ("x")},
    {PUSH(APP("[\"5\",\"x\"],\n[\"5\"")), WHO READ("x") "reject line 2 byte 70 records 1: an entry is not [nanoseconds, line]\nreject line 2 byte 75 records 1: expected ',' or ']' after an element\n"},
    {PUSH("") "x", "reject line 1 byte 14 records 1: expected the end of the input, found 'x'\n"},
    {"{\"streams\":{}}", "reject line 1 byte 11 records 1: expected an array, found an object\n"},
};

/* Labels as text; the offset of the byte that is wrong where there is one. */
static const struct {
    const char *labels;
    const char *read; /* NULL: refused */
    size_t bad_at;
} texts[] = {
    {"{}", "resource 0 service= instance= node=\n", 0},
    {" { } ", "resource 0 service= instance= node=\n", 0},
    {"{app=\"a\"}", WHO, 0},
    {"{app=\"a\",}", WHO, 0},
    {"{ app = \"a\" , }", WHO, 0},
    {"{\"app\"=\"a\"}", WHO, 0},
    {"{app=\"\\u0061\"}", WHO, 0},
    {"{app=\"\\x61\"}", WHO, 0},
    {"{app=\"\\141\"}", WHO, 0},
    {"{app=\"\\U00000061\"}", WHO, 0},
    {"{app=`a`}", WHO, 0},
    {"{app=\"x\\\\\\\"\\n\\ty\"}", "resource 0 service=x\\\"\n\ty instance= node= app=\"x\\\"\n\ty\"\n", 0},
    {"{app=\"\\u20ac\"}", "resource 0 service=\xe2\x82\xac instance= node= app=\"\xe2\x82\xac\"\n", 0},
    {"", NULL, 0},
    {"app", NULL, 0},
    {"{", NULL, 1},
    {"{app", NULL, 4},
    {"{app=", NULL, 5},
    {"{app=a}", NULL, 5},
    {"{app=\"a", NULL, 7},
    {"{app=\"a\"", NULL, 8},
    {"{app=\"a\" b=\"c\"}", NULL, 9},
    {"{app=\"a\"}x", NULL, 9},
    {"{=\"a\"}", NULL, 1},
    {"{app=\"\\q\"}", NULL, 8},
    {"{app=\"\\xff\"}", NULL, 10},
    {"{app=\"\\ud800\"}", NULL, 12},
    {"{app=\"\\u12", NULL, 8},
    {"{app=\"\\", NULL, 7},
    {"{,}", NULL, 1},
    {"{\"\"=\"a\"}", NULL, 3},
};

static const struct {
    const char *text;
    fl_status status;
    const char *message;
} answers[] = {
    {ANSWER(""), FL_OK, ""},
    {ANSWER(APP("[\"5\",\"x\"]")), FL_OK, ""},
    {"{\"data\":{\"stats\":{},\"result\":[" APP("") "]},\"status\":\"success\"}", FL_OK, ""},
    {"", FL_E_UNSUPPORTED, "test holds no answer of Loki"},
    {"[]", FL_E_UNSUPPORTED, "test holds no answer of Loki"},
    {"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":[]}]}}", FL_E_UNSUPPORTED, "test holds no answer of Loki"},
    {"{\"status\":\"success\",\"data\":[\"app\"]}", FL_E_UNSUPPORTED, "test holds no answer of Loki"},
    {"{\"status\":\"error\",\"errorType\":\"x\",\"error\":\"too many \\\"series\\\"\"}", FL_E_IO, "test: the server answered: too many \"series\""},
};
/* clang-format on */

START_TEST(each_form_of_a_push_is_read)
{
    ck_assert_ok(fl_loki_json(&r.to, SLICE(good[_i].text), &err));
    ck_assert_str_eq(received_text(&r), good[_i].read);
}
END_TEST

START_TEST(what_is_wrong_costs_itself_and_is_named)
{
    ck_assert_ok(fl_loki_json(&r.to, SLICE(bad[_i].text), &err));
    ck_assert_str_eq(received_text(&r), bad[_i].read);
    ck_assert_uint_eq(r.to.rejects, r.dump.rejects);
}
END_TEST

START_TEST(labels_as_text_are_read_as_go_writes_them)
{
    char refused[128];
    made_text(&stream, 1, texts[_i].labels);
    made_message(&message, 1, &stream);
    ck_assert_ok(fl_loki_plain_proto(&r.to, fl_buf_slice(&message), &err));
    snprintf(refused, sizeof(refused),
             "reject line 0 byte %zu records 1: labels are not {name=\"value\", ...}\n",
             4 + texts[_i].bad_at);
    ck_assert_str_eq(received_text(&r), texts[_i].read != NULL ? texts[_i].read : refused);
}
END_TEST

START_TEST(an_answer_is_streams_or_something_else)
{
    ck_assert_fails(answers[_i].status, fl_loki_answer(&r.to, SLICE(answers[_i].text), &err));
    ck_assert_str_eq(err.message, answers[_i].message);
    ck_assert_uint_eq(r.dump.logs, strstr(answers[_i].text, "\"5\"") != NULL);
}
END_TEST

/* What the senders of the recordings pushed. */
static const struct {
    const char *file;
    const char *parts[3];
} pushes[] = {
    {"loki_push_pino.json",
     {"resource 0 service=payment instance= node= application=\"payment\"\n",
      "log of 0: 1795379292501000000 severity 9 \"info\" \"{\\\"level\\\":30", "level=\"info\"\n"}},
    {"loki_push_pino_error.json", {"service=payment", "severity 17 \"error\"", "gateway timeout"}},
    {"loki_push_winston.json",
     {"service=checkout", "severity 9 \"info\"",
      "env=\"prod\" transport=\"json\" route=\"/cart\" "
      "order=\"1\" level=\"info\"\n"}},
};

START_TEST(recorded_pushes_are_read)
{
    fl_bytes body = received_fixture(pushes[_i].file);
    ck_assert_ok(fl_loki_json(&r.to, fl_bytes_slice(body), &err));
    ck_assert_uint_eq(r.dump.logs, 1);
    ck_assert_uint_eq(r.dump.rejects, 0);
    for (size_t i = 0; i < 3; i++) {
        char part[128];
        size_t len = 0;
        for (const char *c = pushes[_i].parts[i]; *c != '\0'; c++)
            if (*c != '\\')
                part[len++] = *c;
        part[len] = '\0';
        ck_assert_msg(strstr(received_text(&r), part) != NULL, "no %s in %s", part,
                      received_text(&r));
    }
    free(body.ptr);
}
END_TEST

START_TEST(a_recorded_snappy_push_is_read)
{
    fl_bytes body = received_fixture("loki_push_winston.snappy");
    ck_assert_ok(fl_loki_proto(&r.to, fl_bytes_slice(body), &err));
    ck_assert_str_eq(received_text(&r),
                     "resource 0 service=checkout instance= node= app=\"checkout\"\n"
                     "log of 0: 1795379291250000000 severity 9 \"info\" "
                     "\"{\"labels\":{\"route\":\"/cart\"},\"level\":\"info\",\"message\":\"order "
                     "placed\",\"order\":1}\" " IDS
                     " level=\"info\" env=\"prod\" transport=\"snappy\" route=\"/cart\"\n");
    free(body.ptr);
}
END_TEST

START_TEST(a_recorded_answer_is_read)
{
    fl_bytes body = received_fixture("loki_query_range.json");
    ck_assert_ok(fl_loki_answer(&r.to, fl_bytes_slice(body), &err));
    ck_assert_uint_eq(r.dump.logs, 2);
    ck_assert_uint_eq(r.dump.rejects, 0);
    ck_assert_ptr_nonnull(strstr(received_text(&r), "db timeout after 3000ms"));
    free(body.ptr);
}
END_TEST

static void entry(uint64_t seconds, uint64_t nanos, const char *line)
{
    fl_buf time = fl_buf_of(64);
    made_u64(&time, 1, seconds);
    made_u64(&time, 2, nanos);
    made_message(&inner, 1, &time);
    made_text(&inner, 2, line);
    fl_buf_dispose(&time);
}

static void made_push(void)
{
    fl_buf pair = fl_buf_of(64);
    made_text(&stream, 1, "{app=\"a\"}");
    entry(1, 7, "first");
    made_text(&pair, 1, "trace_id");
    made_text(&pair, 2, "000102030405060708090a0b0c0d0e0f");
    made_message(&inner, 3, &pair);
    made_message(&stream, 2, &inner);
    entry(1, 1000000000, "no such nanosecond");
    made_message(&stream, 2, &inner);
    made_text(&inner, 2, "no time");
    made_message(&stream, 2, &inner);
    entry(2, 0, "bad \xff");
    made_message(&stream, 2, &inner);
    entry(3, 0, "last");
    made_message(&stream, 2, &inner);
    made_message(&message, 1, &stream);
    fl_buf_dispose(&pair);
}

START_TEST(an_entry_of_protobuf_costs_itself)
{
    made_push();
    ck_assert_ok(fl_loki_plain_proto(&r.to, fl_buf_slice(&message), &err));
    ck_assert_uint_eq(r.dump.logs, 2);
    ck_assert_uint_eq(
        received_count(&r, ": an entry's time is not between the years 1970 and 2262\n"), 1);
    ck_assert_uint_eq(received_count(&r, ": an entry without a time\n"), 1);
    ck_assert_uint_eq(received_count(&r, ": invalid UTF-8 in field 2\n"), 1);
    ck_assert_ptr_nonnull(strstr(received_text(&r),
                                 "log of 0: 1000000007 severity 0 \"\" \"first\" "
                                 "000102030405060708090a0b0c0d0e0f"));
    ck_assert_ptr_nonnull(strstr(received_text(&r), "log of 0: 3000000000"));
}
END_TEST

START_TEST(a_stream_of_protobuf_costs_itself)
{
    ck_assert_ok(
        fl_loki_plain_proto(&r.to, BYTES("\x0a\x00\x0a\x02\x0a\x05\x08\x01\x0a\x05"), &err));
    ck_assert_str_eq(received_text(&r),
                     "reject line 0 byte 2 records 1: a stream without labels\n"
                     "reject line 0 byte 5 records 1: field 1 of 5 bytes runs past the end\n"
                     "reject line 0 byte 9 records 1: field 1 of 5 bytes runs past the end\n");
}
END_TEST

START_TEST(strict_and_the_sink_end_the_reading)
{
    r.to.strict = true;
    ck_assert_fails(FL_E_SYNTAX, fl_loki_json(&r.to, SLICE(bad[0].text), &err));
    ck_assert_str_eq(err.message, "test:1: a stream without labels");
    r.to.strict = false;
    r.dump.stop_after = 1;
    r.dump.stop_with = FL_E_STOPPED;
    err = (fl_error){0};
    ck_assert_fails(FL_E_STOPPED,
                    fl_loki_json(&r.to, SLICE(PUSH(APP("[\"5\",\"x\"],[\"5\",\"y\"]"))), &err));
    ck_assert_uint_eq(r.dump.logs, 1);
}
END_TEST

START_TEST(what_is_no_push_is_told)
{
    ck_assert_fails(FL_E_UNSUPPORTED, fl_loki_json(&r.to, SLICE("{\"resourceLogs\":[]}"), &err));
    ck_assert_str_eq(err.message, "test holds no push to Loki");
    ck_assert_fails(FL_E_TRUNCATED, fl_loki_proto(&r.to, SLICE(""), NULL));
}
END_TEST

START_TEST(every_prefix_is_read_as_far_as_it_goes)
{
    const char *text = PUSH(APP("[\"5\",\"x\",{\"a\":\"b\"}],[\"6\",\"y\"]"));
    made_push();
    for (size_t len = 0; len < strlen(text); len++) {
        fl_bytes part = received_exact(SLICE(text), len);
        fl_error own = {0};
        received_clear(&r);
        fl_status status = fl_loki_json(&r.to, fl_bytes_slice(part), &own);
        ck_assert(status == FL_E_UNSUPPORTED || (status == FL_OK && r.dump.rejects == 1));
        free(part.ptr);
    }
    for (size_t len = 0; len < message.len; len++) {
        fl_bytes part = received_exact(fl_buf_slice(&message), len);
        received_clear(&r);
        ck_assert_ok(fl_loki_plain_proto(&r.to, fl_bytes_slice(part), &err));
        ck_assert_uint_eq(r.dump.rejects, len > 0);
        free(part.ptr);
    }
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    const char *text = PUSH(
        "{\"labels\":\"{app=\\\"\\\\u0061\\\"}\",\"entries\":[{\"ts\":5,\"line\":\"\\u0078\"}]}");
    fl_buf block = fl_buf_of(1 << 20);
    made_text(&stream, 1, "{app=\"\\x61\"}");
    made_message(&message, 1, &stream);
    made_snappy_block(&block, fl_buf_slice(&message));
    for (int form = 0; form < 2; form++)
        for (int64_t after = 0;; after++) {
            fl_error own = {0};
            ck_assert_int_lt(after, 100);
            received_clear(&r);
            fl_mem_fail_after(after);
            fl_status status = form == 0 ? fl_loki_json(&r.to, SLICE(text), &own)
                                         : fl_loki_proto(&r.to, fl_buf_slice(&block), &own);
            fl_mem_fail_after(-1);
            if (status == FL_OK)
                break;
            ck_assert_fails(FL_E_NOMEM, status);
        }
    ck_assert_ptr_nonnull(strstr(received_text(&r), "service=a"));
    fl_buf_dispose(&block);
}
END_TEST

static Suite *loki_suite(void)
{
    Suite *suite = suite_create("loki");
    TCase *cases = tcase_create("loki");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, each_form_of_a_push_is_read, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(cases, what_is_wrong_costs_itself_and_is_named, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(cases, labels_as_text_are_read_as_go_writes_them, 0,
                        sizeof(texts) / sizeof(texts[0]));
    tcase_add_loop_test(cases, an_answer_is_streams_or_something_else, 0,
                        sizeof(answers) / sizeof(answers[0]));
    tcase_add_loop_test(cases, recorded_pushes_are_read, 0, sizeof(pushes) / sizeof(pushes[0]));
    tcase_add_test(cases, a_recorded_snappy_push_is_read);
    tcase_add_test(cases, a_recorded_answer_is_read);
    tcase_add_test(cases, an_entry_of_protobuf_costs_itself);
    tcase_add_test(cases, a_stream_of_protobuf_costs_itself);
    tcase_add_test(cases, strict_and_the_sink_end_the_reading);
    tcase_add_test(cases, what_is_no_push_is_told);
    tcase_add_test(cases, every_prefix_is_read_as_far_as_it_goes);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(loki_suite)
