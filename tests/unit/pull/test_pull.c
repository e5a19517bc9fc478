#include <time.h>

#include "bad_server.h"
#include "fl_squeeze.h"
#include "fl_test.h"
#include "mem.h"
#include "pull.h"
#include "timestamp.h"

static fl_error err;
static fl_bad_server server;
static fl_pull *pull;
static fl_pull_source *source;

enum { MAX_SEEN = 64 };
static struct seen {
    fl_status status;
    long http;
    unsigned tries;
    char body[128], message[192];
    int64_t server_ns, sent_ns, received_ns;
} seen[MAX_SEEN];
static size_t seen_count;

static fl_status note(void *payload, const fl_pull_answer *answer, fl_error *e)
{
    (void)payload, (void)e;
    ck_assert_uint_lt(seen_count, MAX_SEEN);
    struct seen *s = &seen[seen_count++];
    *s = (struct seen){.status = answer->status,
                       .http = answer->http,
                       .tries = answer->tries,
                       .server_ns = answer->server_ns,
                       .sent_ns = answer->sent_ns,
                       .received_ns = answer->received_ns};
    snprintf(s->body, sizeof(s->body), "%.*s",
             (int)(answer->body.len < 100 ? answer->body.len : 100),
             answer->body.len > 0 ? (const char *)answer->body.ptr : "");
    snprintf(s->message, sizeof(s->message), "%s", answer->message);
    ck_assert_int_eq(answer->status == FL_OK, answer->message[0] == '\0');
    return FL_OK;
}

static const char *base(void)
{
    static char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", server.port);
    return url;
}

/* Pauses of milliseconds, so that a test of four tries is short. */
static void create(fl_pull_source_options options)
{
    fl_pull_destroy(pull);
    seen_count = 0;
    err = (fl_error){0};
    if (options.url == NULL)
        options.url = base();
    if (options.pause_ns == 0)
        options.pause_ns = FL_NS_PER_MS;
    if (options.breaker_failures == 0)
        options.breaker_failures = 100;
    ck_assert_ok(fl_pull_create(&pull, NULL, &err));
    ck_assert_ok(fl_pull_add(&source, pull, &options, &err));
}

static void setup(void)
{
    create((fl_pull_source_options){0});
}

static void teardown(void)
{
    fl_pull_destroy(pull);
    pull = NULL;
}

static void get(const char *path)
{
    ck_assert_ok(fl_pull_get(source, path, note, NULL, &err));
}

/* One after the other is what most tests want. */
static struct seen *ask(const char *path)
{
    get(path);
    ck_assert_ok(fl_pull_run(pull, &err));
    ck_assert_uint_gt(seen_count, 0);
    ck_assert_uint_eq(fl_pull_outstanding(pull), 0);
    return &seen[seen_count - 1];
}

/* With the port, which differs from run to run, written as PORT. */
static const char *without_port(const char *message)
{
    static char text[256];
    char number[16];
    snprintf(number, sizeof(number), ":%d", server.port);
    const char *at = strstr(message, number);
    if (at == NULL)
        return message;
    snprintf(text, sizeof(text), "%.*s:PORT%s", (int)(at - message), message, at + strlen(number));
    return text;
}

START_TEST(a_body_comes_decompressed)
{
    static const char *const paths[] = {"/zip", "/encoded", "/hop3"};
    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(ask(paths[i])->body, "profile");
    ck_assert_str_eq(ask("/empty")->body, "");
    ck_assert_str_eq(ask("/asks")->body, "gzip");
    ck_assert_str_eq(ask("/echo?a=%7Bb%7D")->body, "/echo?a=%7Bb%7D");
}
END_TEST

START_TEST(a_body_may_be_kept_as_it_was_sent)
{
    create((fl_pull_source_options){.keep_packed = true});
    ck_assert_str_eq(ask("/asks")->body, "");
    ck_assert_mem_eq(ask("/zip")->body, "\x1f\x8b", 2);
}
END_TEST

static char heard[64];
static size_t heard_len, heard_most;

static bool hear(void *payload, fl_slice bytes)
{
    ck_assert_ptr_eq(payload, heard);
    for (size_t i = 0; i < bytes.len && heard_len < sizeof(heard) - 1; i++)
        heard[heard_len++] = (char)bytes.ptr[i];
    heard[heard_len] = '\0';
    return heard_len < heard_most;
}

START_TEST(a_listener_gets_the_parts_and_may_end_the_answer)
{
    heard_len = 0;
    heard_most = 40;
    create((fl_pull_source_options){.part = hear, .part_of = heard, .max_tries = 1});
    struct seen *s = ask("/echo/all");
    ck_assert_int_eq(s->status, FL_OK);
    ck_assert_str_eq(s->body, "");
    ck_assert_str_eq(heard, "/echo/all");
    heard_len = 0;
    s = ask("/endless");
    ck_assert_int_eq(s->status, FL_E_IO);
    ck_assert_uint_ge(heard_len, heard_most);
}
END_TEST

START_TEST(a_listener_does_not_hear_a_refusal)
{
    heard_len = 0;
    heard[0] = '\0';
    create((fl_pull_source_options){.part = hear, .part_of = heard, .max_tries = 1});
    struct seen *s = ask("/missing");
    ck_assert_int_eq(s->status, FL_E_NOTFOUND);
    ck_assert_str_ne(s->body, "");
    ck_assert_str_eq(heard, "");
}
END_TEST

START_TEST(an_answer_tells_the_clocks)
{
    int64_t before = fl_time_now();
    struct seen *s = ask("/zip");
    ck_assert_int_ge(s->sent_ns, before);
    ck_assert_int_ge(s->received_ns, s->sent_ns);
    ck_assert_int_eq(s->server_ns % FL_NS_PER_S, 0);
    ck_assert_int_lt(s->server_ns - before, 2 * FL_NS_PER_S);
    ck_assert_int_lt(before - s->server_ns, 2 * FL_NS_PER_S);
}
END_TEST

START_TEST(many_requests_go_at_once_within_the_limit)
{
    create((fl_pull_source_options){.max_parallel = 8});
    int64_t begin = fl_time_monotonic();
    for (int i = 0; i < 16; i++)
        get("/slow"); /* 0.3 s each */
    ck_assert_ok(fl_pull_run(pull, &err));
    ck_assert_uint_eq(seen_count, 16);
    for (size_t i = 0; i < seen_count; i++)
        ck_assert_str_eq(seen[i].body, "slow");
    int64_t took = fl_time_monotonic() - begin;
    ck_assert_int_ge(took, 6 * FL_NS_PER_S / 10); /* two rounds, and not one */
    ck_assert_int_lt(took, 4 * FL_NS_PER_S);      /* nor sixteen */
}
END_TEST

static const struct {
    const char *path;
    fl_status status;
    const char *message;
} refused[] = {
    {"/nothing", FL_E_NOTFOUND, "http://127.0.0.1:PORT/nothing: not there (HTTP 404)"},
    {"/401", FL_E_IO, "http://127.0.0.1:PORT/401: a login is wanted (HTTP 401)"},
    {"/walled/debug/pprof/?secret=1", FL_E_IO,
     "http://127.0.0.1:PORT/walled/debug/pprof/: the login may not see this (HTTP 403)"},
    {"/500", FL_E_IO,
     "http://127.0.0.1:PORT/500: HTTP 500: Could not enable CPU profiling: in use?x"},
    {"/loop", FL_E_LIMIT, "http://127.0.0.1:PORT/loop: more than 3 redirects"},
    {"/to-https", FL_E_IO, NULL}, /* the same host: nobody there */
    {"/to-file", FL_E_UNSUPPORTED,
     "http://127.0.0.1:PORT/to-file: redirected to another place, which is not followed"},
    {"/to-host", FL_E_UNSUPPORTED,
     "http://127.0.0.1:PORT/to-host: redirected to another place, which is not followed"},
    {"/to-port", FL_E_UNSUPPORTED,
     "http://127.0.0.1:PORT/to-port: redirected to another place, which is not followed"},
    {"/to-nowhere", FL_E_IO, "http://127.0.0.1:PORT/to-nowhere: HTTP 302: redirected to nowhere"},
    {"/announced", FL_E_LIMIT,
     "http://127.0.0.1:PORT/announced: the answer is larger than 67108864 bytes"},
    {"/half-zip", FL_E_TRUNCATED, NULL},
    {"/cut", FL_E_IO, NULL},
};

START_TEST(bad_answers_are_refused_with_a_reason)
{
    struct seen *s = ask(refused[_i].path);
    ck_assert_fails(refused[_i].status, s->status);
    if (refused[_i].message != NULL)
        ck_assert_str_eq(without_port(s->message), refused[_i].message);
    ck_assert_ptr_nonnull(strstr(s->message, "://127.0.0.1:"));
    ck_assert_str_eq(ask("/zip")->body, "profile"); /* and the next one is answered */
}
END_TEST

START_TEST(answers_over_a_limit_are_cut_off)
{
    create((fl_pull_source_options){.max_wire_bytes = 1 << 20, .max_bytes = 2 << 20});
    struct seen *s = ask("/endless");
    ck_assert_fails(FL_E_LIMIT, s->status);
    ck_assert_str_eq(without_port(s->message),
                     "http://127.0.0.1:PORT/endless: the answer is larger than 1048576 bytes");
    ck_assert_uint_eq(s->tries, 1);
    ck_assert_uint_lt(fl_pull_stats_of(source).wire_bytes, 4 << 20);
    s = ask("/bomb");
    ck_assert_fails(FL_E_LIMIT, s->status);
    ck_assert_str_eq(without_port(s->message),
                     "http://127.0.0.1:PORT/bomb: the answer is larger than 2097152 bytes when "
                     "decompressed");
    create((fl_pull_source_options){0});
    ck_assert_fails(FL_E_LIMIT, ask("/bomb")->status); /* the guard of the stream */
}
END_TEST

START_TEST(a_server_that_drips_or_keeps_silent_is_left_and_not_asked_again)
{
    int64_t begin = fl_time_monotonic();
    create((fl_pull_source_options){.slow_ns = FL_NS_PER_S});
    struct seen *s = ask("/drip");
    ck_assert_fails(FL_E_LIMIT, s->status);
    ck_assert_ptr_nonnull(strstr(s->message, "too slow: Operation too slow"));
    create((fl_pull_source_options){.total_timeout_ns = FL_NS_PER_S / 2});
    s = ask("/silent");
    ck_assert_fails(FL_E_LIMIT, s->status);
    ck_assert_uint_eq(s->tries, 1);
    ck_assert_int_lt(fl_time_monotonic() - begin, 15 * FL_NS_PER_S);
}
END_TEST

static const char *const passing[] = {"503", "500", "429", "502", "504", "reset", "cut"};

START_TEST(what_passes_is_tried_again)
{
    char path[128];
    snprintf(path, sizeof(path), "/fails-first?key=%s&times=2&how=%s", passing[_i], passing[_i]);
    struct seen *s = ask(path);
    ck_assert_msg(s->status == FL_OK, "%s: %s", passing[_i], s->message);
    ck_assert_str_eq(s->body, "at last");
    ck_assert_uint_eq(s->tries, 3);
    ck_assert_uint_eq(fl_pull_stats_of(source).retries, 2);
    ck_assert_uint_eq(fl_pull_stats_of(source).failures, 0);
}
END_TEST

START_TEST(what_does_not_pass_is_not_tried_again)
{
    ck_assert_uint_eq(ask("/fails-first?key=for-good&times=9&how=400")->tries, 1);
    ck_assert_uint_eq(ask("/fails-first?key=no-end&times=9&how=503")->tries, 4);
    ck_assert_int_eq(seen[seen_count - 1].http, 503);
    ck_assert_str_eq(ask("/hits?key=no-end")->body, "4 0");
    ck_assert_uint_eq(fl_pull_stats_of(source).failures, 2);
}
END_TEST

START_TEST(retry_after_is_waited_for_where_it_is_not_too_long)
{
    ck_assert_str_eq(ask("/fails-first?key=wait&times=1&how=429&after=1")->body, "at last");
    ck_assert_str_eq(ask("/hits?key=wait")->body, "2 1");
    struct seen *s = ask("/fails-first?key=too-long&times=1&how=503&after=3600");
    ck_assert_fails(FL_E_IO, s->status);
    ck_assert_uint_eq(s->tries, 1);
}
END_TEST

START_TEST(a_source_that_fails_again_and_again_is_left_alone_and_probed)
{
    create((fl_pull_source_options){
        .max_parallel = 1, .max_tries = 1, .breaker_failures = 3, .breaker_ns = FL_NS_PER_S / 2});
    for (int i = 0; i < 10; i++)
        get("/fails-first?key=ill&times=3&how=503");
    ck_assert_ok(fl_pull_run(pull, &err));
    ck_assert_uint_eq(seen_count, 10);
    for (size_t i = 0; i < 10; i++) {
        ck_assert_fails(FL_E_IO, seen[i].status);
        ck_assert_uint_eq(seen[i].tries, i < 3 ? 1 : 0);
    }
    ck_assert_ptr_nonnull(strstr(seen[9].message, ": left alone for 1s after 3 failures: http://"));
    fl_pull_stats stats = fl_pull_stats_of(source);
    ck_assert_int_eq(stats.state, FL_PULL_OPEN);
    ck_assert_uint_eq(stats.requests, 3);
    ck_assert_uint_eq(stats.left_alone, 7);
    nanosleep(&(struct timespec){.tv_nsec = 600000000}, NULL);
    get("/fails-first?key=ill&times=3&how=503");
    get("/zip");
    ck_assert_ok(fl_pull_run(pull, &err));
    ck_assert_str_eq(seen[10].body, "at last");
    ck_assert_str_eq(seen[11].body, "profile");
    ck_assert_int_eq(fl_pull_stats_of(source).state, FL_PULL_CLOSED);
}
END_TEST

static bool stop_soon(void *payload)
{
    return ++*(int *)payload > 2;
}

START_TEST(a_stop_ends_each_request_once)
{
    int asked = 0;
    const fl_pull_options options = {.should_stop = stop_soon, .should_stop_of = &asked};
    fl_pull_destroy(pull);
    ck_assert_ok(fl_pull_create(&pull, &options, &err));
    ck_assert_ok(fl_pull_add(&source, pull, &(fl_pull_source_options){.url = base()}, &err));
    for (int i = 0; i < 6; i++)
        get("/silent");
    ck_assert_fails(FL_E_STOPPED, fl_pull_run(pull, &err));
    ck_assert_uint_eq(seen_count, 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_fails(FL_E_STOPPED, seen[i].status);
    ck_assert_uint_eq(fl_pull_outstanding(pull), 0);
}
END_TEST

START_TEST(what_is_under_way_may_be_dropped)
{
    for (int i = 0; i < 6; i++)
        get("/silent");
    ck_assert_ok(fl_pull_step(pull, 0, &err));
    ck_assert_uint_eq(fl_pull_outstanding(pull), 6);
    ck_assert_uint_eq(seen_count, 0);
}
END_TEST

static fl_status ask_more(void *payload, const fl_pull_answer *answer, fl_error *e)
{
    (void)payload;
    ck_assert_fails(FL_OK, answer->status);
    return fl_pull_get(source, "/zip", note, NULL, e);
}

static fl_status give_up(void *payload, const fl_pull_answer *answer, fl_error *e)
{
    (void)payload, (void)answer;
    return fl_fail(e, FL_E_NOMEM, FL_NO_OFFSET, "the sink is full");
}

START_TEST(an_answer_may_ask_for_more_or_end_all)
{
    ck_assert_ok(fl_pull_get(source, "/zip", ask_more, NULL, &err));
    ck_assert_ok(fl_pull_run(pull, &err));
    ck_assert_uint_eq(seen_count, 1);
    ck_assert_ok(fl_pull_get(source, "/zip", give_up, NULL, &err));
    ck_assert_fails(FL_E_NOMEM, fl_pull_run(pull, &err));
    ck_assert_str_eq(err.message, "the sink is full");
}
END_TEST

START_TEST(secrets_come_from_files_and_reach_no_message)
{
    char token[sizeof(FL_TEMP_PATH)], bad[sizeof(FL_TEMP_PATH)], url[96];
    fl_temp_file(token, SLICE("s3cret\n"));
    fl_temp_file(bad, SLICE("two\nlines\n"));
    create((fl_pull_source_options){.token_file = token});
    ck_assert_str_eq(ask("/who")->body, "Bearer s3cret");
    create((fl_pull_source_options){.user = "eve", .password_file = token});
    ck_assert_str_eq(ask("/who")->body, "Basic ZXZlOnMzY3JldA==");
    snprintf(url, sizeof(url), "http://eve:s3cret@127.0.0.1:%d/", server.port);
    create((fl_pull_source_options){.url = url});
    ck_assert_str_eq(ask("/who")->body, "Basic ZXZlOnMzY3JldA==");
    ck_assert_str_eq(fl_pull_source_url(source), base());
    ck_assert_ptr_null(strstr(ask("/nothing")->message, "s3cret"));
    create((fl_pull_source_options){.token_file = bad});
    struct seen *s = ask("/who");
    ck_assert_fails(FL_E_SYNTAX, s->status);
    ck_assert_ptr_nonnull(strstr(s->message, "holds no secret of one line"));
    create((fl_pull_source_options){.token_file = "/nonexistent/token"});
    ck_assert_fails(FL_E_NOTFOUND, ask("/who")->status);
    unlink(token);
    unlink(bad);
}
END_TEST

START_TEST(a_tenant_is_named_in_each_request)
{
    create((fl_pull_source_options){.tenant = "team-a"});
    ck_assert_str_eq(ask("/tenant")->body, "team-a");
    create((fl_pull_source_options){0});
    ck_assert_str_eq(ask("/tenant")->body, "nobody");
    ck_assert_fails(FL_E_SYNTAX,
                    fl_pull_add(&source, pull,
                                &(fl_pull_source_options){.url = base(), .tenant = "a\r\nb: c"},
                                &err));
}
END_TEST

START_TEST(nobody_there_is_an_error_after_some_tries)
{
    create((fl_pull_source_options){.url = "http://127.0.0.1:1/prefix/"});
    struct seen *s = ask("/x");
    ck_assert_fails(FL_E_IO, s->status);
    ck_assert_uint_eq(s->tries, 4);
    ck_assert_ptr_nonnull(strstr(s->message, "http://127.0.0.1:1/prefix/x: Failed to connect"));
}
END_TEST

START_TEST(urls_that_are_none_are_refused)
{
    static const struct {
        const char *url, *message;
    } bad[] = {
        {"ftp://host/", "'ftp://host/' is not an http:// or https:// URL"},
        {"file:///etc/passwd", "'file:///etc/passwd' is not an http:// or https:// URL"},
        {"host:9090", "'host:9090' is not an http:// or https:// URL"},
        {"http://host/?x=1", "'http://host/?x=1' has a query: give it without"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err = (fl_error){0};
        ck_assert_fails(
            FL_E_SYNTAX,
            fl_pull_add(&source, pull, &(fl_pull_source_options){.url = bad[i].url}, &err));
        ck_assert_str_eq(err.message, bad[i].message);
    }
}
END_TEST

START_TEST(running_out_of_memory_anywhere_is_an_error)
{
    for (long n = 0; n < 200; n++) {
        const fl_pull_source_options options = {
            .url = base(), .pause_ns = 1, .user = "eve", .ca_file = "/x"};
        err = (fl_error){0};
        fl_pull_destroy(pull);
        pull = NULL;
        seen_count = 0;
        fl_mem_fail_after(n);
        fl_status status = fl_pull_create(&pull, NULL, &err);
        if (status == FL_OK)
            status = fl_pull_add(&source, pull, &options, &err);
        if (status == FL_OK)
            status = fl_pull_get(source, "/encoded", note, NULL, &err);
        if (status == FL_OK)
            status = fl_pull_run(pull, &err);
        fl_mem_fail_after(-1);
        if (status == FL_OK && seen[0].status == FL_OK)
            return;
        ck_assert_fails(FL_E_NOMEM, status != FL_OK ? status : seen[0].status);
    }
    ck_abort_msg("never enough memory");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pull");
    TCase *tests = tcase_create("requests");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_body_comes_decompressed);
    tcase_add_test(tests, a_body_may_be_kept_as_it_was_sent);
    tcase_add_test(tests, a_listener_gets_the_parts_and_may_end_the_answer);
    tcase_add_test(tests, a_listener_does_not_hear_a_refusal);
    tcase_add_test(tests, an_answer_tells_the_clocks);
    tcase_add_test(tests, many_requests_go_at_once_within_the_limit);
    tcase_add_loop_test(tests, bad_answers_are_refused_with_a_reason, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tests, answers_over_a_limit_are_cut_off);
    tcase_add_test(tests, a_server_that_drips_or_keeps_silent_is_left_and_not_asked_again);
    tcase_add_loop_test(tests, what_passes_is_tried_again, 0, sizeof(passing) / sizeof(passing[0]));
    tcase_add_test(tests, what_does_not_pass_is_not_tried_again);
    tcase_add_test(tests, retry_after_is_waited_for_where_it_is_not_too_long);
    tcase_add_test(tests, a_source_that_fails_again_and_again_is_left_alone_and_probed);
    tcase_add_test(tests, a_stop_ends_each_request_once);
    tcase_add_test(tests, what_is_under_way_may_be_dropped);
    tcase_add_test(tests, an_answer_may_ask_for_more_or_end_all);
    tcase_add_test(tests, secrets_come_from_files_and_reach_no_message);
    tcase_add_test(tests, a_tenant_is_named_in_each_request);
    tcase_add_test(tests, nobody_there_is_an_error_after_some_tries);
    tcase_add_test(tests, urls_that_are_none_are_refused);
    tcase_add_test(tests, running_out_of_memory_anywhere_is_an_error);
    suite_add_tcase(suite, tests);
    return suite;
}

/* The server is started once, before the tests fork. */
int main(void)
{
    server = fl_server_start(FL_SOURCE_DIR "/tests/support/fetch_server.py", NULL);
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    fl_server_stop(&server);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
