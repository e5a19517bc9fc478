/*
 * Replies that go on: no worker is held, whoever leaves is noticed, and all end with the server.
 */
#include <stdatomic.h>
#include <string.h>

#include "fl_http_raw.h"
#include "fl_test.h"
#include "http.h"
#include "slice.h"
#include "timestamp.h"

static fl_error err;
static fl_http *http;
static unsigned port;
static raw_answer answer;

/* "tick N" each time it is asked, three times with a pause before each; then the end. */
static atomic_int streams_ended;
static atomic_int asked;

static ptrdiff_t next_tick(void *payload, char *out, size_t room)
{
    int n = atomic_fetch_add(&asked, 1);
    (void)payload;
    ck_assert_uint_gt(room, 64);
    if (n % 2 == 0)
        return 0;
    return n < 6 ? snprintf(out, room, "tick %d\n", n / 2) : -1;
}

static ptrdiff_t next_never(void *payload, char *out, size_t room)
{
    (void)payload, (void)out, (void)room;
    atomic_fetch_add(&asked, 1);
    return 0;
}

/* A client that has gone is noticed by what is written to him. */
static ptrdiff_t next_always(void *payload, char *out, size_t room)
{
    (void)payload;
    return atomic_fetch_add(&asked, 1) % 2 == 0 ? 0 : snprintf(out, room, ": still there\n\n");
}

static void stream_end(void *payload)
{
    (void)payload;
    atomic_fetch_add(&streams_ended, 1);
}

static void streamed(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    const char *kind = fl_http_query(request, "kind");
    (void)context;
    asked = 0;
    reply->content_type = "text/event-stream";
    reply->stream.next = kind == NULL                 ? next_tick
                         : strcmp(kind, "never") == 0 ? next_never
                                                      : next_always;
    reply->stream.end = stream_end;
}

static void plain(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context, (void)request;
    fl_buf_text(&reply->body, "plain");
}

static const fl_http_route routes[] = {
    {.method = "GET", .path = "/stream", .run = streamed},
    {.method = "GET", .path = "/plain", .run = plain},
};

/* One worker: a stream that held it would keep all else waiting. */
static void setup(void)
{
    const fl_http_options options = {.workers = 1};
    err = (fl_error){0};
    streams_ended = 0;
    ck_assert_ok(fl_http_create(&http, &options, &err));
    ck_assert_ok(fl_http_add(http, routes, sizeof(routes) / sizeof(routes[0]), &err));
    ck_assert_ok(fl_http_listen(http, "127.0.0.1:0", &port, &err));
}

static void teardown(void)
{
    fl_http_destroy(http);
}

static void ask(const char *request)
{
    raw_ask(port, request, strlen(request), &answer);
}

START_TEST(a_stream_tells_what_comes_until_its_end)
{
    static const char request[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
    char text[4096] = "";
    size_t len = 0;
    int fd = raw_connect(port);
    raw_send(fd, request, sizeof(request) - 1);
    while (strstr(text, "\r\n0\r\n\r\n") == NULL) { /* the last chunk */
        ssize_t got = recv(fd, text + len, sizeof(text) - 1 - len, 0);
        ck_assert_int_gt(got, 0);
        len += (size_t)got;
        text[len] = '\0';
    }
    close(fd);
    ck_assert_ptr_nonnull(strstr(text, "HTTP/1.1 200 OK\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "tick 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "tick 2\n"));
    ck_assert_ptr_null(strstr(text, "tick 3\n"));
    for (int i = 0; i < 100 && streams_ended == 0; i++)
        nap_ms(20);
    ck_assert_int_eq(streams_ended, 1);
    ask("HEAD /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ck_assert_int_eq(answer.status, 200);
    for (int i = 0; i < 100 && streams_ended == 1; i++)
        nap_ms(20);
    ck_assert_int_eq(streams_ended, 2);
}
END_TEST

/* No worker is held: there is one, and it answers others meanwhile. */
START_TEST(streams_that_wait_hold_no_worker_and_end_with_the_server)
{
    static const char request[] = "GET /stream?kind=never HTTP/1.1\r\nHost: x\r\n\r\n";
    int fds[8];
    for (size_t i = 0; i < 8; i++) {
        fds[i] = raw_connect(port);
        raw_send(fds[i], request, sizeof(request) - 1);
    }
    for (int i = 0; i < 200 && asked < 3; i++)
        nap_ms(20);
    ask("GET /plain HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(answer.status, 200);
    fl_http_stop(http, 5 * FL_NS_PER_S);
    ck_assert_int_eq(streams_ended, 8);
    for (size_t i = 0; i < 8; i++)
        close(fds[i]);
}
END_TEST

START_TEST(a_client_who_leaves_a_stream_ends_it)
{
    static const char request[] = "GET /stream?kind=always HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = raw_connect(port);
    raw_send(fd, request, sizeof(request) - 1);
    for (int i = 0; i < 200 && asked < 3; i++)
        nap_ms(20);
    close(fd);
    for (int i = 0; i < 200 && streams_ended == 0; i++)
        nap_ms(20);
    ck_assert_int_eq(streams_ended, 1);
    ck_assert_uint_eq(fl_http_stats_of(http).connections, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("http_stream");
    TCase *cases = tcase_create("http_stream");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_stream_tells_what_comes_until_its_end);
    tcase_add_test(cases, streams_that_wait_hold_no_worker_and_end_with_the_server);
    tcase_add_test(cases, a_client_who_leaves_a_stream_ends_it);
    suite_add_tcase(suite, cases);
    return suite;
}

FL_TEST_MAIN(make_suite)
