/*
 * Change events out of JSON: what is read, what is refused and with which words, and where reading
 * goes on.
 */
#include "events.h"

#include <stdio.h>

#include "buf.h"
#include "fl_squeeze.h"
#include "fl_test.h"
#include "mem.h"
#include "slice.h"

static fl_error err;
static fl_buf seen;
static fl_sink sink;
static fl_status answer; /* of the sink */
static size_t rejects;

static fl_status on_change(void *payload, const fl_change_record *c, fl_error *e)
{
    (void)payload;
    fl_buf_printf(&seen, "%lld %d [%.*s] %.*s %.*s>%.*s %.*s %.*s\n", (long long)c->time_ns,
                  (int)c->kind, FL_SLICE_ARG(c->service), FL_SLICE_ARG(c->key),
                  FL_SLICE_ARG(c->before), FL_SLICE_ARG(c->after), FL_SLICE_ARG(c->source),
                  FL_SLICE_ARG(c->url));
    return answer == FL_OK ? FL_OK : fl_fail(e, answer, FL_NO_OFFSET, "the sink says no");
}

static fl_status on_reject(void *payload, const fl_reject *reject, fl_error *e)
{
    (void)payload;
    (void)e;
    ck_assert_uint_eq(reject->records, 1);
    rejects++;
    fl_buf_printf(&seen, "reject line %llu byte %llu: %s\n", (unsigned long long)reject->line,
                  (unsigned long long)reject->offset, reject->reason);
    return FL_OK;
}

static void setup(void)
{
    err = (fl_error){0};
    answer = FL_OK;
    rejects = 0;
    seen = fl_buf_of(1 << 20);
    sink = (fl_sink){.change = on_change, .reject = on_reject};
}

static void teardown(void)
{
    fl_mem_fail_after(-1);
    fl_buf_dispose(&seen);
}

static const char *read_text(const char *text)
{
    fl_buf_clear(&seen);
    ck_assert_ok(fl_events_bytes(&sink, SLICE(text), "events.jsonl", false, &err));
    return seen.len > 0 ? seen.ptr : "";
}

#define T1 "1674984840000000000"
#define EVENT                                                                                      \
    "{\"time\":\"2023-01-29T09:34:00Z\",\"kind\":\"deploy\",\"service\":\"pay\",\"version\":\"1."  \
    "5.0\"}"
#define READ T1 " 0 [pay]  >1.5.0  \n"

/* clang-format off */
static const struct {
    const char *text, *read;
} good[] = {
    {"", ""},
    {" \n\n", ""},
    {"[]", ""},
    {"\xef\xbb\xbf" EVENT "\n", READ},
    {EVENT, READ},
    {EVENT "\n" EVENT "\n", READ READ},
    {"[" EVENT ",\n" EVENT "]\n", READ READ},
    {"{\n  \"time\": \"2023-01-29T09:34:00Z\",\n  \"kind\": \"merge-request\"\n}", T1 " 3 []  >  \n"},
    {"{\"time\":1674984840,\"kind\":\"config\",\"key\":\"db.pool\",\"old\":10,\"new\":5}", T1 " 1 [] db.pool 10>5  \n"},
    {"{\"time\":\"1674984840000\",\"kind\":\"flag\",\"key\":\"new-cart\",\"old\":false,\"new\":true}", T1 " 2 [] new-cart false>true  \n"},
    {"{\"time\":\"2023-01-29T10:34:00+01:00\",\"kind\":\"deploy\",\"service\":[\"a\",\"b\"]}", T1 " 0 [a]  >  \n" T1 " 0 [b]  >  \n"},
    {"{\"time\":\"2023-01-29T09:34:00Z\",\"kind\":\"deploy\",\"scope\":\"a\",\"old\":\"1\",\"new\":\"2\",\"source\":\"argo\",\"url\":\"https://x/1\"}", T1 " 0 [a]  1>2 argo https://x/1\n"},
    {"{\"time\":\"2023-01-29T09:34:00Z\",\"kind\":\"deploy\",\"service\":null,\"author\":{\"name\":[1,2]}}", T1 " 0 []  >  \n"},
    {"{\"time\":\"2023-01-29T09:34:00Z\",\"kind\":\"deploy\",\"service\":[]}", T1 " 0 []  >  \n"},
    {"{\"time\":\"2023-01-29T09:34:00Z\",\"kind\":\"deploy\",\"service\":\"caf\\u00e9\"}", T1 " 0 [caf\xc3\xa9]  >  \n"},
};

static const struct {
    const char *text, *read;
} bad[] = {
    {"{\"kind\":\"deploy\"}", "reject line 1 byte 0: 'time' is missing\n"},
    {"{\"time\":1674984840}", "reject line 1 byte 0: 'kind' is missing\n"},
    {"{\"time\":\"-2h\",\"kind\":\"deploy\"}", "reject line 1 byte 8: 'time' is not RFC 3339 or an epoch\n"},
    {"{\"time\":\"now\",\"kind\":\"deploy\"}", "reject line 1 byte 8: 'time' is not RFC 3339 or an epoch\n"},
    {"{\"time\":12,\"kind\":\"deploy\"}", "reject line 1 byte 8: 'time' is not RFC 3339 or an epoch\n"},
    {"{\"time\":[],\"kind\":\"deploy\"}", "reject line 1 byte 8: expected a string, found an array\n"},
    {"{\"time\":1674984840,\"kind\":\"rollout\"}", "reject line 1 byte 26: 'kind' is 'rollout', not deploy, config, flag or merge-request\n"},
    {"{\"time\":1674984840,\"kind\":7}", "reject line 1 byte 26: expected a string, found a number\n"},
    {"{\"time\":1674984840,\"kind\":\"deploy\",\"service\":[7]}", "reject line 1 byte 46: expected a string, found a number\n"},
    {"{\"time\":1674984840,\"kind\":\"deploy\",\"old\":{}}", "reject line 1 byte 41: expected a string, found an object\n"},
    {"7\n" EVENT, "reject line 1 byte 0: expected an object, found a number\n" READ},
    {"# a comment\n" EVENT, "reject line 1 byte 0: expected a value, found '#'\n" READ},
    {"{\"time\":\n" EVENT "\n" EVENT, "reject line 2 byte 9: expected a string, found an object\n" READ READ},
    {"{\"kind\":\"deploy\"}\n" EVENT, "reject line 1 byte 0: 'time' is missing\n" READ},
    {EVENT "\n{\"time\": oops}\n" EVENT, READ "reject line 2 byte 91: expected a value, found 'o'\n" READ},
    {EVENT "\n{\"time\":\"2023", READ "reject line 2 byte 90: string without a closing quote\n"},
    {"[" EVENT ",{\"kind\":\"flag\"}," EVENT "]", READ "reject line 1 byte 83: 'time' is missing\n" READ},
    {"[" EVENT ",{]," EVENT "]", READ "reject line 1 byte 84: expected a key or '}'\n"},
    {"[" EVENT, READ "reject line 1 byte 82: expected ',' or ']' after an element\n"},
    {"[" EVENT "] x", READ "reject line 1 byte 84: expected the end of the input, found 'x'\n"},
};
/* clang-format on */

START_TEST(events_are_read_from_lines_and_from_a_list)
{
    ck_assert_str_eq(read_text(good[_i].text), good[_i].read);
}
END_TEST

START_TEST(what_is_wrong_costs_itself_and_is_named)
{
    ck_assert_str_eq(read_text(bad[_i].text), bad[_i].read);
}
END_TEST

START_TEST(strict_ends_at_the_first_mistake_with_its_line)
{
    const char *text = EVENT "\n{\"time\":1674984840,\"kind\":\"x\"}\n" EVENT;
    ck_assert_fails(FL_E_SYNTAX, fl_events_bytes(&sink, SLICE(text), "a.jsonl", true, &err));
    ck_assert_str_eq(err.message,
                     "a.jsonl:2: 'kind' is 'x', not deploy, config, flag or merge-request");
    ck_assert_uint_eq(err.offset, strlen(EVENT) + 1 + 26);
    ck_assert_str_eq(seen.ptr, READ);
}
END_TEST

START_TEST(what_the_sink_says_ends_the_reading)
{
    answer = FL_E_STOPPED;
    ck_assert_fails(FL_E_STOPPED,
                    fl_events_bytes(&sink, SLICE(EVENT "\n" EVENT), "a", false, &err));
    ck_assert_str_eq(err.message, "the sink says no");
    ck_assert_str_eq(seen.ptr, READ);
}
END_TEST

START_TEST(every_prefix_is_read_as_far_as_it_goes)
{
    const char *text = "[" EVENT "," EVENT "]";
    for (size_t len = 0; len < strlen(text); len++) {
        fl_error own = {0};
        fl_buf_clear(&seen);
        fl_slice part = {.ptr = (const unsigned char *)text, .len = len};
        ck_assert(fl_events_bytes(&sink, part, "a", false, &own) == FL_OK);
        ck_assert(len == 0 || strstr(seen.ptr, "reject") != NULL);
        ck_assert(len < strlen(EVENT) + 1 || strncmp(seen.ptr, READ, strlen(READ)) == 0);
        ck_assert_int_eq(fl_events_bytes(&sink, part, "a", true, &own) == FL_OK, len == 0);
    }
}
END_TEST

START_TEST(files_may_be_compressed_and_cut)
{
    char path[sizeof(FL_TEMP_PATH)];
    fl_bytes packed = fl_gzip(SLICE(EVENT "\n" EVENT "\n"));
    fl_temp_file(path, fl_bytes_slice(packed));
    ck_assert_ok(fl_events_file(&sink, path, true, &err));
    ck_assert_str_eq(seen.ptr, READ READ);
    unlink(path);
    packed.len -= 9;
    fl_temp_file(path, fl_bytes_slice(packed));
    fl_buf_clear(&seen);
    ck_assert_ok(fl_events_file(&sink, path, false, &err));
    ck_assert_ptr_nonnull(strstr(seen.ptr, "reject line 0"));
    ck_assert_fails(FL_E_TRUNCATED, fl_events_file(&sink, path, true, &err));
    unlink(path);
    free(packed.ptr);
    err = (fl_error){0};
    ck_assert_fails(FL_E_NOTFOUND, fl_events_file(&sink, "/nonexistent/events", false, &err));
}
END_TEST

START_TEST(want_of_memory_is_an_error_like_any_other)
{
    char path[sizeof(FL_TEMP_PATH)];
    fl_temp_file(path, SLICE("[" EVENT ",{\"time\":1674984840,\"kind\":\"fl\\u0061g\"}]"));
    for (int64_t after = 0;; after++) {
        fl_error own = {0};
        ck_assert_int_lt(after, 100);
        fl_mem_fail_after(after);
        fl_status status = fl_events_file(&sink, path, true, &own);
        fl_mem_fail_after(-1);
        if (status == FL_OK)
            break;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    unlink(path);
}
END_TEST

START_TEST(a_file_of_nothing_but_mistakes_is_read_in_one_pass)
{
    fl_buf text = fl_buf_of(8 << 20);
    for (size_t i = 0; i < 100000; i++)
        fl_buf_text(&text, i % 2 == 0 ? "{\"time\":[\n" : "garbage\n");
    seen.max_bytes = 64 << 20;
    ck_assert_ok(fl_events_bytes(&sink, fl_buf_slice(&text), "a", false, &err));
    ck_assert_uint_eq(rejects, 50000);
    fl_buf_dispose(&text);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("events/events");
    TCase *cases = tcase_create("events");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, events_are_read_from_lines_and_from_a_list, 0,
                        sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(cases, what_is_wrong_costs_itself_and_is_named, 0,
                        sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(cases, strict_ends_at_the_first_mistake_with_its_line);
    tcase_add_test(cases, what_the_sink_says_ends_the_reading);
    tcase_add_test(cases, every_prefix_is_read_as_far_as_it_goes);
    tcase_add_test(cases, files_may_be_compressed_and_cut);
    tcase_add_test(cases, want_of_memory_is_an_error_like_any_other);
    tcase_add_test(cases, a_file_of_nothing_but_mistakes_is_read_in_one_pass);
    suite_add_tcase(suite, cases);
    return suite;
}
FL_TEST_MAIN(suite)
