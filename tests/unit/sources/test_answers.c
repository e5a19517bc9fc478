#include <stdio.h>
#include <stdlib.h>

#include "answers.h"
#include "fl_test.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_arena text;
static char came[2048];

static void setup(void)
{
    err = (fl_error){0};
    text = fl_arena_of(1 << 20);
    came[0] = '\0';
}

static void teardown(void)
{
    fl_arena_dispose(&text);
}

static void add(fl_slice value, const char *end)
{
    size_t len = strlen(came);
    snprintf(came + len, sizeof(came) - len, "%.*s%s", FL_SLICE_ARG(value), end);
}

static fl_status on_name(void *payload, fl_slice name, fl_error *e)
{
    (void)payload;
    add(name, ";");
    return fl_slice_equal(name, SLICE("stop")) ? fl_fail(e, FL_E_STOPPED, 0, "enough") : FL_OK;
}

static fl_status on_labels(void *payload, const fl_labels *labels, fl_error *e)
{
    (void)payload, (void)e;
    for (size_t i = 0; i < labels->count; i++) {
        add(labels->items[i].key, "=");
        add(labels->items[i].value.text, ",");
    }
    add(SLICE(";"), "");
    return FL_OK;
}

static fl_status on_trace(void *payload, const fl_found_trace *found, fl_error *e)
{
    char line[96];
    (void)payload, (void)e;
    snprintf(line, sizeof(line), "%016llx%016llx %lld ", (unsigned long long)found->id.hi,
             (unsigned long long)found->id.lo, (long long)found->start_ns);
    add(SLICE(line), "");
    add(found->service, ";");
    return FL_OK;
}

static fl_status on_target(void *payload, const fl_scraped *target, fl_error *e)
{
    add(target->url, " ");
    add(SLICE(target->is_up ? "up" : "down"), " ");
    return on_labels(payload, target->labels, e);
}

/* Each reader by its number, so that tables can name it. */
enum { NAMES, SERIES, TRACES, VERSION, TIME, TARGETS, COUNT, ANY, READERS };

static fl_status read_as(int reader, fl_slice body)
{
    char version[FL_VERSION_TEXT];
    int64_t time_ns = 0;
    err = (fl_error){0};
    came[0] = '\0';
    switch (reader) {
    case NAMES:
        return fl_answer_names(body, &text, on_name, NULL, &err);
    case SERIES:
        return fl_answer_series(body, &text, on_labels, NULL, &err);
    case TRACES:
        return fl_answer_traces(body, &text, on_trace, NULL, &err);
    case TARGETS:
        return fl_answer_targets(body, &text, on_target, NULL, &err);
    case COUNT: {
        uint64_t count;
        fl_status status = fl_answer_series_count(&count, body, &text, &err);
        snprintf(came, sizeof(came), "%llu", (unsigned long long)count);
        return status;
    }
    case ANY: {
        bool any;
        fl_status status = fl_answer_has_any(&any, body, &text, &err);
        snprintf(came, sizeof(came), "%s", any ? "any" : "none");
        return status;
    }
    case VERSION: {
        fl_status status = fl_answer_version(version, body, &text, &err);
        snprintf(came, sizeof(came), "%s", version);
        return status;
    }
    default: {
        fl_status status = fl_answer_time(&time_ns, body, &text, &err);
        snprintf(came, sizeof(came), "%lld", (long long)time_ns);
        return status;
    }
    }
}

static const struct {
    int reader;
    const char *body, *came;
} good[] = {
    {NAMES, "{\"status\":\"success\",\"data\":[\"app\",\"a\\nb\"]}", "app;a\nb;"},
    {NAMES, "{\"data\":[\"frontend\"],\"total\":1,\"limit\":0,\"offset\":0,\"errors\":null}",
     "frontend;"},
    {NAMES, "{\"data\":null,\"status\":\"success\"}", ""},
    {NAMES, "{\"status\":\"success\"}", ""},
    {SERIES,
     "{\"status\":\"success\",\"data\":[{\"__name__\":\"up\",\"job\":\"a\"},{\"job\":\"\"},{}]}",
     "__name__=up,job=a,;;;"},
    {TRACES,
     "{\"traces\":[{\"traceID\":\"1f\",\"rootServiceName\":\"web\",\"startTimeUnixNano\":\"12\","
     "\"spanSet\":{\"spans\":[]}},{\"traceID\":\"000102030405060708090a0b0c0d0e0f\"}],"
     "\"metrics\":{\"inspectedTraces\":5}}",
     "0000000000000000000000000000001f 12 web;000102030405060708090a0b0c0d0e0f 0 ;"},
    {TRACES, "{\"metrics\":{}}", ""},
    {VERSION, "{\"status\":\"success\",\"data\":{\"version\":\"2.42.0\",\"branch\":\"x\"}}",
     "2.42.0"},
    {VERSION, "{\"version\":\"2.0.1\",\"revision\":\"v\"}", "2.0.1"},
    {VERSION, "{\"data\":{},\"version\":7}", ""},
    {TIME,
     "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1.5,\"1795379460."
     "123\"]}}",
     "1795379460123000000"},
    {NAMES, "{\"tagValues\":[\"web\"]}", "web;"},
    {COUNT, "{\"data\":{\"headStats\":{\"numSeries\":508,\"chunkCount\":9},\"x\":[]}}", "508"},
    {COUNT, "{\"status\":\"success\",\"data\":[]}", "0"},
    {ANY, "{\"data\":[\"a\"]}", "any"},
    {ANY, "{\"data\":[]}", "none"},
    {ANY, "{\"status\":\"success\",\"data\":{\"result\":[{}]}}", "any"},
    {ANY, "{\"data\":{\"result\":[],\"x\":[1]}}", "none"},
    {ANY, "{\"traces\":[{}],\"metrics\":{}}", "any"},
    {TARGETS,
     "{\"status\":\"success\",\"data\":{\"activeTargets\":[{\"discoveredLabels\":{\"x\":\"y\"},"
     "\"labels\":{\"job\":\"a\"},\"scrapeUrl\":\"http://a:1/metrics\",\"health\":\"up\"},"
     "{\"scrapeUrl\":\"http://b/\",\"health\":\"down\"}],\"droppedTargets\":[]}}",
     "http://a:1/metrics up job=a,;http://b/ down ;"},
};

START_TEST(answers_are_read)
{
    ck_assert_ok(read_as(good[_i].reader, SLICE(good[_i].body)));
    ck_assert_str_eq(came, good[_i].came);
}
END_TEST

/* Each is a whole answer: without its end there is none. */
START_TEST(every_prefix_fails_cleanly)
{
    size_t len = strlen(good[_i].body);
    for (size_t n = 0; n < len; n++) {
        unsigned char *part = malloc(n + 1); /* so that a byte read too far is seen */
        memcpy(part, good[_i].body, n);
        fl_status status = read_as(good[_i].reader, (fl_slice){part, n});
        ck_assert_msg(status == FL_E_SYNTAX || status == FL_E_TRUNCATED, "%zu", n);
        ck_assert_uint_le(err.offset, n);
        free(part);
    }
}
END_TEST

static const struct {
    int reader;
    const char *body;
    fl_status status;
    uint64_t offset;
    const char *message;
} bad[] = {
    {NAMES, "", FL_E_SYNTAX, 0, "expected an object, found the end of the input"},
    {NAMES, "[]", FL_E_SYNTAX, 0, "expected an object, found an array"},
    {NAMES, "{\"data\":{}}", FL_E_SYNTAX, 8, "expected an array, found an object"},
    {NAMES, "{\"data\":[7]}", FL_E_SYNTAX, 9, "expected a string, found a number"},
    {NAMES, "{\"data\":[\"stop\",\"a\"]}", FL_E_STOPPED, 0, "enough"},
    {NAMES, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"no\\tgo\"}", FL_E_IO,
     FL_NO_OFFSET, "it says an error: no?go"},
    {SERIES, "{\"data\":[[]]}", FL_E_SYNTAX, 9, "expected an object, found an array"},
    {SERIES, "{\"data\":[{\"a\":1}]}", FL_E_SYNTAX, 14, "expected a string, found a number"},
    {TRACES, "{\"traces\":[{\"traceID\":\"xyz\"}]}", FL_E_SYNTAX, 22,
     "a trace id is not hexadecimal"},
    {TRACES, "{\"traces\":[{\"traceID\":\"0\"}]}", FL_E_SYNTAX, 22,
     "a trace id is not hexadecimal"},
    {TRACES, "{\"traces\":[{\"durationMs\":1}]}", FL_E_SYNTAX, 11, "a trace without an id"},
    {TIME, "{\"data\":{\"result\":[1]}}", FL_E_SYNTAX, 18, "a scalar is not [seconds, a time]"},
    {TIME, "{\"data\":{\"result\":[1,\"-5\"]}}", FL_E_SYNTAX, 18,
     "a scalar is not [seconds, a time]"},
    {TIME, "{\"data\":{\"result\":[1,\"NaN\"]}}", FL_E_SYNTAX, 18,
     "a scalar is not [seconds, a time]"},
    {TIME, "{\"data\":{}}", FL_E_SYNTAX, 0, "an answer without a time"},
    {TARGETS, "{\"data\":{\"activeTargets\":7}}", FL_E_SYNTAX, 25,
     "expected an array, found a number"},
};

START_TEST(what_is_no_answer_is_refused)
{
    ck_assert_fails(bad[_i].status, read_as(bad[_i].reader, SLICE(bad[_i].body)));
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_uint_eq(err.offset, bad[_i].offset);
}
END_TEST

START_TEST(recorded_answers_are_read)
{
    static const struct {
        int reader;
        const char *file;
    } files[] = {{NAMES, "loki_labels.json"}, {TRACES, "tempo_search.json"}};
    const char *shared = getenv("FL_SHARED");
    char path[512];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/samples/%s",
                 shared != NULL ? shared : FL_SOURCE_DIR "/../shared", files[i].file);
        FILE *file = fopen(path, "rb");
        char body[4096];
        if (file == NULL) {
            printf("skipped: %s is not there\n", path);
            return;
        }
        size_t len = fread(body, 1, sizeof(body), file);
        fclose(file);
        ck_assert_ok(
            read_as(files[i].reader, (fl_slice){.ptr = (unsigned char *)body, .len = len}));
        ck_assert_uint_gt(strlen(came), 20);
    }
    ck_assert_ptr_nonnull(
        strstr(came, "9a5a4510d8c508f29eefa9b8b9d51fff 1795379495261000000 frontend;"));
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    for (size_t i = 0; i < 2; i++) {
        fl_arena_dispose(&text);
        fl_mem_fail_after((long)i);
        fl_status status = read_as(NAMES, SLICE(good[0].body));
        fl_mem_fail_after(-1);
        ck_assert_fails(i == 0 ? FL_E_NOMEM : FL_OK, status);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("answers");
    TCase *tests = tcase_create("answers");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, answers_are_read, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(tests, every_prefix_fails_cleanly, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(tests, what_is_no_answer_is_refused, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(tests, recorded_answers_are_read);
    tcase_add_test(tests, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
