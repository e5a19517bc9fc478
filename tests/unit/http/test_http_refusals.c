/*
 * What the listener itself refuses: by the size of a head, and in the words of a route's protocol.
 */
#include "fl_http_raw.h"
#include "fl_test.h"
#include "http.h"
#include "slice.h"

static fl_error err;
static fl_http *http;
static unsigned port;
static raw_answer answer;

static void busy(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context, (void)request;
    fl_http_problem(reply, 503, "the \"disk\" is\nfull");
    reply->retry_after_s = 7;
}

/* A protocol's own words for what the server refuses; those of its handler are its own already. */
static void refuse(const fl_http_request *request, fl_http_reply *reply)
{
    fl_buf said = fl_buf_of(1024);
    fl_http_problem_detail(&said, reply);
    fl_buf_clear(&reply->body);
    reply->content_type = "text/own";
    fl_buf_printf(&reply->body, "%s: %.*s", request->path, FL_SLICE_ARG(fl_buf_slice(&said)));
    fl_buf_dispose(&said);
}

static const fl_http_route routes[] = {
    {.method = "POST", .path = "/own", .max_body_bytes = 9, .run = busy, .refuse = refuse},
    {.method = "GET", .path = "/busy", .run = busy},
};

static void start(fl_http_options options)
{
    err = (fl_error){0};
    ck_assert_ok(fl_http_create(&http, &options, &err));
    ck_assert_ok(fl_http_add(http, routes, sizeof(routes) / sizeof(routes[0]), &err));
    ck_assert_ok(fl_http_listen(http, "127.0.0.1:0", &port, &err));
}

static void teardown(void)
{
    fl_http_destroy(http);
    http = NULL;
}

static void ask(const char *request)
{
    raw_ask(port, request, strlen(request), &answer);
}

/* Names and values count, not what stands between them: "Host", "x", "X", and 95 bytes are 101. */
START_TEST(headers_that_are_larger_than_said_are_refused)
{
    char request[256];
    start((fl_http_options){.workers = 2, .max_header_bytes = 100});
    for (int more = 0; more < 2; more++) {
        snprintf(request, sizeof(request), "GET /busy HTTP/1.1\r\nHost: x\r\nX: %0*d\r\n\r\n",
                 94 + more, 7);
        ask(request);
        ck_assert_int_eq(answer.status, more ? 431 : 503);
    }
}
END_TEST

#define OWN "POST /own HTTP/1.1\r\nHost: x\r\n"

static const struct {
    const char *request;
    int status;
    const char *type, *body;
} own_words[] = {
    {OWN "Content-Length: 10\r\n\r\n0123456789", 413, "text/own",
     "/own: the body is larger than 9 bytes"},
    {OWN "Content-Length: 9999999\r\n\r\n", 413, "text/own",
     "/own: the body is larger than 9 bytes"},
    {OWN "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n", 413, "text/own",
     "/own: the body is larger than 9 bytes"},
    {OWN "Content-Encoding: br\r\nContent-Length: 0\r\n\r\n", 415, "text/own",
     "/own: Content-Encoding 'br' is not read: gzip and zstd are"},
    {OWN "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab", 400, "text/own",
     "/own: the body is not gzip, as Content-Encoding says"},
    {OWN "Content-Length: 0\r\n\r\n", 503, "application/problem+json", NULL},
    {"GET /own HTTP/1.1\r\nHost: x\r\n\r\n", 405, "application/problem+json", NULL},
};

START_TEST(a_route_has_its_own_words_for_what_the_server_refuses)
{
    start((fl_http_options){.workers = 2});
    for (size_t i = 0; i < sizeof(own_words) / sizeof(own_words[0]); i++) {
        ask(own_words[i].request);
        ck_assert_int_eq(answer.status, own_words[i].status);
        ck_assert_str_eq(raw_header(&answer, "Content-Type"), own_words[i].type);
        if (own_words[i].body != NULL)
            ck_assert_str_eq(answer.body, own_words[i].body);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("http_refusals");
    TCase *tests = tcase_create("refusals");
    tcase_add_checked_fixture(tests, NULL, teardown);
    tcase_add_test(tests, headers_that_are_larger_than_said_are_refused);
    tcase_add_test(tests, a_route_has_its_own_words_for_what_the_server_refuses);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
