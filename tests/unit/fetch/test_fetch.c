#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fetch.h"
#include "fl_test.h"
#include "mem.h"
#include "timestamp.h"

static fl_error err;
static fl_fetch *fetch;
static fl_fetch_answer answer;
static fl_fetch_target target;
static int port;
static pid_t server;
static int to_server = -1;

/* Once, in the parent: the server lives while its standard input is open. */
static void start_server(void)
{
    int in[2], out[2];
    char line[32] = "";
    if (pipe(in) != 0 || pipe(out) != 0)
        abort();
    server = fork();
    if (server == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execlp("python3", "python3", FL_SOURCE_DIR "/tests/support/fetch_server.py", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_server = in[1];
    FILE *said = fdopen(out[0], "r");
    if (said == NULL || fgets(line, sizeof(line), said) == NULL)
        abort();
    port = atoi(line);
    fclose(said);
}

static void stop_server(void)
{
    close(to_server);
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
}

static void create(fl_fetch_options options)
{
    fl_fetch_destroy(fetch);
    err = (fl_error){0};
    ck_assert_ok(fl_fetch_create(&fetch, &options, &err));
}

static void setup(void)
{
    create((fl_fetch_options){0});
}

static void teardown(void)
{
    fl_fetch_destroy(fetch);
    fetch = NULL;
}

static const char *url_of(const char *path)
{
    static char url[512];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
    return url;
}

static fl_status get(const char *path)
{
    err = (fl_error){0};
    return fl_fetch_get(&answer, fetch, url_of(path), &err);
}

static fl_status find(const char *path)
{
    err = (fl_error){0};
    return fl_fetch_find(&target, fetch, url_of(path), &err);
}

/* The message with the port, which differs from run to run, written as PORT. */
static const char *message(void)
{
    static char text[256];
    char number[16];
    snprintf(number, sizeof(number), ":%d", port);
    const char *at = strstr(err.message, number);
    if (at == NULL)
        return err.message;
    snprintf(text, sizeof(text), "%.*s:PORT%s", (int)(at - err.message), err.message,
             at + strlen(number));
    return text;
}

static void assert_body(const char *expected)
{
    ck_assert_uint_eq(answer.body.len, strlen(expected));
    ck_assert_mem_eq(answer.body.ptr, expected, answer.body.len);
}

START_TEST(a_body_comes_decompressed)
{
    static const char *const paths[] = {"/zip", "/encoded", "/hop3"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ok(get(paths[i]));
        assert_body("profile");
        ck_assert_str_eq(answer.content_type, "application/octet-stream");
    }
    ck_assert_ok(get("/empty"));
    ck_assert_uint_eq(answer.body.len, 0);
}
END_TEST

START_TEST(each_request_is_counted_with_what_it_cost)
{
    ck_assert_ok(get("/echo"));
    ck_assert_uint_eq(answer.cost.requests, 1);
    ck_assert_uint_gt(answer.cost.wire_bytes, 5 + 50);
    ck_assert_int_gt(answer.cost.duration_ns, 0);
    ck_assert_int_lt(fl_time_now() - answer.time_ns, 10 * FL_NS_PER_S);
    fl_fetch_cost first = answer.cost;
    ck_assert_fails(FL_E_NOTFOUND, get("/nothing"));
    fl_fetch_cost total = fl_fetch_total(fetch);
    ck_assert_uint_eq(total.requests, 2);
    ck_assert_uint_gt(total.wire_bytes, first.wire_bytes);
    ck_assert_int_gt(total.duration_ns, first.duration_ns);
}
END_TEST

/* What a server can do wrong at once, and what is said about it. */
static const struct {
    const char *path;
    fl_status status;
    const char *message;
} refused[] = {
    {"/nothing", FL_E_NOTFOUND, "http://127.0.0.1:PORT/nothing: not there (HTTP 404)"},
    {"/login", FL_E_UNSUPPORTED,
     "http://127.0.0.1:PORT/login: a web page (\"Sign in \"), not a profile; is there a login "
     "before "
     "it?"},
    {"/hidden-login", FL_E_UNSUPPORTED,
     "http://127.0.0.1:PORT/hidden-login: a web page (\"Sign in \"), not a profile; is there a "
     "login "
     "before it?"},
    {"/debug/pprof/", FL_E_UNSUPPORTED,
     "http://127.0.0.1:PORT/debug/pprof/: a web page (\"/debug/pprof/\"), not a profile; is there "
     "a "
     "login before it?"},
    {"/401", FL_E_IO, "http://127.0.0.1:PORT/401: a login is wanted (HTTP 401)"},
    {"/500", FL_E_IO,
     "http://127.0.0.1:PORT/500: HTTP 500: Could not enable CPU profiling: in use"},
    {"/loop", FL_E_LIMIT, "http://127.0.0.1:PORT/loop: more than 5 redirects"},
    {"/to-https", FL_E_UNSUPPORTED,
     "http://127.0.0.1:PORT/to-https: redirected to another scheme, which is not followed"},
    {"/to-file", FL_E_UNSUPPORTED,
     "http://127.0.0.1:PORT/to-file: redirected to another scheme, which is not followed"},
    {"/announced", FL_E_LIMIT,
     "http://127.0.0.1:PORT/announced: the answer is larger than 134217728 bytes"},
    {"/half-zip", FL_E_TRUNCATED, NULL},
    {"/cut", FL_E_IO, NULL},
};

START_TEST(bad_answers_are_refused_with_a_reason)
{
    ck_assert_fails(refused[_i].status, get(refused[_i].path));
    if (refused[_i].message != NULL)
        ck_assert_str_eq(message(), refused[_i].message);
    ck_assert_ptr_nonnull(strstr(err.message, "http://127.0.0.1:"));
    /* And the next request is answered. */
    ck_assert_ok(get("/zip"));
    assert_body("profile");
}
END_TEST

START_TEST(answers_over_a_limit_are_cut_off)
{
    create((fl_fetch_options){.max_wire_bytes = 1 << 20, .max_bytes = 2 << 20});
    ck_assert_fails(FL_E_LIMIT, get("/endless"));
    ck_assert_str_eq(message(),
                     "http://127.0.0.1:PORT/endless: the answer is larger than 1048576 bytes");
    ck_assert_uint_lt(fl_fetch_total(fetch).wire_bytes, 4 << 20);
    ck_assert_fails(FL_E_LIMIT, get("/bomb"));
    ck_assert_str_eq(message(),
                     "http://127.0.0.1:PORT/bomb: the answer is larger than 2097152 bytes "
                     "when decompressed");
    create((fl_fetch_options){0});
    ck_assert_fails(FL_E_LIMIT, get("/bomb")); /* the guard of the stream: 1000 times its size */
}
END_TEST

START_TEST(a_server_that_drips_or_keeps_silent_is_left)
{
    create((fl_fetch_options){.slow_ns = FL_NS_PER_S});
    int64_t begin = fl_time_monotonic();
    ck_assert_fails(FL_E_LIMIT, get("/drip"));
    ck_assert_ptr_nonnull(strstr(err.message, "too slow: Operation too slow"));
    ck_assert_int_lt(fl_time_monotonic() - begin, 10 * FL_NS_PER_S);
    create((fl_fetch_options){.total_timeout_ns = FL_NS_PER_S / 2});
    ck_assert_fails(FL_E_LIMIT, get("/silent"));
    ck_assert_ptr_nonnull(strstr(err.message, "too slow"));
    ck_assert_int_lt(fl_time_monotonic() - begin, 15 * FL_NS_PER_S);
}
END_TEST

/* It answers after 0.3 s. */
START_TEST(the_seconds_in_a_query_are_waited_for)
{
    static const char *const queries[] = {"/slow?seconds=60", "/slow?debug=1&seconds=60",
                                          "/slow?seconds=60&gc=1",
                                          "/slow?seconds=99999999999999999999"};
    create((fl_fetch_options){.total_timeout_ns = FL_NS_PER_S / 10});
    ck_assert_fails(FL_E_LIMIT, get("/slow"));
    ck_assert_fails(FL_E_LIMIT, get("/slow?seconds="));
    ck_assert_fails(FL_E_LIMIT, get("/slow?milliseconds=60"));
    ck_assert_fails(FL_E_LIMIT, get("/slow?"));
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
        ck_assert_ok(get(queries[i]));
}
END_TEST

static bool stop_soon(void *payload)
{
    return ++*(int *)payload > 1;
}

START_TEST(a_request_can_be_stopped)
{
    int asked = 0;
    create((fl_fetch_options){.should_stop = stop_soon, .should_stop_of = &asked});
    ck_assert_fails(FL_E_STOPPED, get("/silent"));
    ck_assert_str_eq(message(), "http://127.0.0.1:PORT/silent: stopped");
}
END_TEST

START_TEST(nobody_there_is_an_error)
{
    ck_assert_fails(FL_E_IO, fl_fetch_get(&answer, fetch, "http://127.0.0.1:1/x", &err));
    ck_assert_ptr_nonnull(strstr(err.message, "http://127.0.0.1:1/x: Failed to connect"));
    err = (fl_error){0};
    ck_assert_fails(FL_E_IO, fl_fetch_get(&answer, fetch, "http://nowhere.invalid/", &err));
}
END_TEST

START_TEST(what_is_no_url_of_http_is_refused)
{
    static const char *const urls[] = {
        "",        "host:6060",   "ftp://host/x",      "file:///etc/passwd",
        "http://", "http://a b/", "http://host:99999/"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char expected[192];
        err = (fl_error){0};
        ck_assert_fails(FL_E_SYNTAX, fl_fetch_get(&answer, fetch, urls[i], &err));
        snprintf(expected, sizeof(expected), "'%s' is not an http:// or https:// URL", urls[i]);
        ck_assert_str_eq(err.message, expected);
        err = (fl_error){0};
        ck_assert_fails(FL_E_SYNTAX, fl_fetch_find(&target, fetch, urls[i], &err));
    }
    ck_assert(fl_fetch_is_url("http://x"));
    ck_assert(fl_fetch_is_url("ftp://x"));
    ck_assert(!fl_fetch_is_url("heap.pb.gz"));
    ck_assert(!fl_fetch_is_url("://x"));
    ck_assert(!fl_fetch_is_url("/a://b"));
    ck_assert_uint_eq(fl_fetch_total(fetch).requests, 0);
}
END_TEST

START_TEST(a_password_is_used_and_not_shown)
{
    char url[128];
    snprintf(url, sizeof(url), "http://me:secret@127.0.0.1:%d/who", port);
    ck_assert_ok(fl_fetch_get(&answer, fetch, url, &err));
    assert_body("Basic bWU6c2VjcmV0");
    snprintf(url, sizeof(url), "http://me:secret@127.0.0.1:%d/nothing", port);
    ck_assert_fails(FL_E_NOTFOUND, fl_fetch_get(&answer, fetch, url, &err));
    ck_assert_str_eq(message(), "http://127.0.0.1:PORT/nothing: not there (HTTP 404)");
}
END_TEST

START_TEST(the_index_is_found_below_a_bare_url)
{
    static const struct {
        const char *given, *base;
    } cases[] = {{"", "/debug/pprof/"},
                 {"/", "/debug/pprof/"},
                 {"/debug/pprof", "/debug/pprof/"},
                 {"/debug/pprof/", "/debug/pprof/"},
                 {"/debug/pprof/?x=1#y", "/debug/pprof/"},
                 {"/app", "/app/debug/pprof/"},
                 {"/app/", "/app/debug/pprof/"},
                 {"/ops/profiles", "/ops/profiles/"},
                 {"/moved", "/moved/debug/pprof/"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_ok(find(cases[i].given));
        ck_assert_str_eq(target.base, url_of(cases[i].base));
        ck_assert(!target.is_single);
        ck_assert(target.has[FL_FETCH_HEAP] && target.has[FL_FETCH_ALLOCS]);
        ck_assert(target.has[FL_FETCH_GOROUTINE] && !target.has[FL_FETCH_GOROUTINELEAK]);
        ck_assert(!target.has[FL_FETCH_MUTEX] && !target.has[FL_FETCH_CPU]);
    }
    ck_assert_ok(find("/app"));
    ck_assert_str_eq(target.vars, url_of("/app/debug/vars"));
}
END_TEST

START_TEST(a_url_of_one_profile_is_taken_as_it_is)
{
    ck_assert_ok(find("/debug/pprof/heap?gc=1"));
    ck_assert(target.is_single);
    ck_assert_str_eq(target.base, url_of("/debug/pprof/heap?gc=1"));
    ck_assert_uint_eq(fl_fetch_total(fetch).requests, 0);
}
END_TEST

START_TEST(a_target_without_an_index_says_what_may_be_wrong)
{
    ck_assert_fails(FL_E_NOTFOUND, find("/empty"));
    ck_assert_str_eq(message(), "http://127.0.0.1:PORT/empty: no /debug/pprof/ there; does the "
                                "program import net/http/pprof, and is this its port?");
    ck_assert_fails(FL_E_IO, find("/walled"));
    ck_assert_str_eq(message(),
                     "http://127.0.0.1:PORT/walled/debug/pprof/: a login is wanted (HTTP 403)");
}
END_TEST

START_TEST(only_what_is_asked_for_is_in_the_url)
{
    static const struct {
        fl_fetch_profile profile;
        fl_fetch_ask ask;
        const char *expected;
    } cases[] = {
        {FL_FETCH_HEAP, {0}, "/debug/pprof/heap"},
        {FL_FETCH_HEAP, {.gc = true}, "/debug/pprof/heap?gc=1"},
        {FL_FETCH_HEAP, {.gc = true, .debug = 1}, "/debug/pprof/heap?gc=1&debug=1"},
        {FL_FETCH_GOROUTINE, {.debug = 2}, "/debug/pprof/goroutine?debug=2"},
        {FL_FETCH_CPU, {.seconds = 7}, "/debug/pprof/profile?seconds=7"},
    };
    ck_assert_ok(find(""));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_ok(
            fl_fetch_pprof(&answer, fetch, &target, cases[i].profile, &cases[i].ask, &err));
        assert_body(cases[i].expected);
    }
    ck_assert_ok(fl_fetch_pprof(&answer, fetch, &target, FL_FETCH_MUTEX, NULL, &err));
    assert_body("/debug/pprof/mutex");
}
END_TEST

START_TEST(running_out_of_memory_is_an_error)
{
    for (long allowed = 0; allowed < 64; allowed++) {
        fl_fetch *made = NULL;
        fl_error why = {0};
        fl_mem_fail_after(allowed);
        fl_status status = fl_fetch_create(&made, NULL, &why);
        if (status == FL_OK)
            status = fl_fetch_get(&answer, made, url_of("/zip"), &why);
        fl_mem_fail_after(-1);
        fl_fetch_destroy(made);
        if (status == FL_OK)
            return;
        ck_assert_fails(FL_E_NOMEM, status);
    }
    ck_abort_msg("a request needs more than 64 allocations");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("fetch");
    TCase *tc = tcase_create("core");
    tcase_add_unchecked_fixture(tc, start_server, stop_server);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_body_comes_decompressed);
    tcase_add_test(tc, each_request_is_counted_with_what_it_cost);
    tcase_add_loop_test(tc, bad_answers_are_refused_with_a_reason, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tc, answers_over_a_limit_are_cut_off);
    tcase_add_test(tc, a_server_that_drips_or_keeps_silent_is_left);
    tcase_add_test(tc, the_seconds_in_a_query_are_waited_for);
    tcase_add_test(tc, a_request_can_be_stopped);
    tcase_add_test(tc, nobody_there_is_an_error);
    tcase_add_test(tc, what_is_no_url_of_http_is_refused);
    tcase_add_test(tc, a_password_is_used_and_not_shown);
    tcase_add_test(tc, the_index_is_found_below_a_bare_url);
    tcase_add_test(tc, a_url_of_one_profile_is_taken_as_it_is);
    tcase_add_test(tc, a_target_without_an_index_says_what_may_be_wrong);
    tcase_add_test(tc, only_what_is_asked_for_is_in_the_url);
    tcase_add_test(tc, running_out_of_memory_is_an_error);
    suite_add_tcase(suite, tc);
    return suite;
}

FL_TEST_MAIN(make_suite)
