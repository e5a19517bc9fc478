#include "fl_http_raw.h"
#include "fl_squeeze.h"
#include "fl_test.h"
#include "http.h"
#include "listen.h"
#include "mem.h"
#include "slice.h"
#include "timestamp.h"
#include "tokens.h"

static fl_error err;
static fl_http *http;
static unsigned port;
static raw_answer answer;

static char context_names[][8] = {"post", "get", "tree", "leaf"};

/* What came in, as text: the path, the type, a parameter, a header, the length and the body. */
static void echo(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    const char *q = fl_http_query(request, "q"), *x = fl_http_header(request, "x-more");
    reply->content_type = "text/plain";
    fl_buf_printf(&reply->body, "%s %s %s %s %s %s %zu ", (const char *)context, request->method,
                  request->path, request->content_type, q != NULL ? q : "-", x != NULL ? x : "-",
                  request->body.len);
    fl_buf_add(&reply->body, request->body);
}

static void only_length(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context;
    fl_buf_printf(&reply->body, "%zu", request->body.len);
}

static void slow(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context, (void)request;
    nap_ms(300);
    fl_buf_text(&reply->body, "done");
}

static void busy(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context, (void)request;
    fl_http_problem(reply, 503, "the \"disk\" is\nfull");
    reply->retry_after_s = 7;
}

static void endless(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context, (void)request;
    reply->body.status = FL_E_LIMIT;
}

static void tagged(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context;
    reply->content_type = "text/plain";
    fl_buf_text(&reply->body, "the same");
    fl_http_reply_tag(reply, request);
}

static const fl_http_route routes[] = {
    {.method = "GET", .path = "/tagged", .run = tagged},
    {.method = "POST",
     .path = "/echo",
     .max_body_bytes = 1000,
     .run = echo,
     .context = context_names[0]},
    {.method = "GET", .path = "/echo", .run = echo, .context = context_names[1]},
    {.method = "GET", .path = "/tree/*", .run = echo, .context = context_names[2]},
    {.method = "GET", .path = "/tree/leaf", .run = echo, .context = context_names[3]},
    {.method = "POST", .path = "/length", .max_body_bytes = 8 << 20, .run = only_length},
    {.method = "GET", .path = "/slow", .run = slow},
    {.method = "POST", .path = "/busy", .run = busy},
    {.method = "GET", .path = "/endless", .run = endless},
    {.method = "GET", .path = "/read", .role = FL_ROLE_READ, .run = only_length},
    {.method = "POST", .path = "/send", .role = FL_ROLE_INGEST, .run = only_length},
    {.method = "GET", .path = "/probe", .run = endless, .is_probe = true},
};

static void start(fl_http_options options)
{
    err = (fl_error){0};
    ck_assert_ok(fl_http_create(&http, &options, &err));
    ck_assert_ok(fl_http_add(http, routes, sizeof(routes) / sizeof(routes[0]), &err));
    ck_assert_ok(fl_http_listen(http, "127.0.0.1:0", &port, &err));
}

static void setup(void)
{
    start((fl_http_options){.workers = 4});
}

static void teardown(void)
{
    fl_http_destroy(http);
    http = NULL;
}

static void restart(fl_http_options options)
{
    teardown();
    start(options);
}

static void ask(const char *request)
{
    raw_ask(port, request, strlen(request), &answer);
}

/* A POST with a body of bytes. */
static void post(const char *path, const char *headers, const void *body, size_t len)
{
    char head[512];
    int head_len =
        snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n",
                 path, headers, len);
    int fd = raw_connect(port);
    raw_send(fd, head, (size_t)head_len);
    raw_send(fd, body, len);
    raw_read(fd, &answer, false);
    close(fd);
}

static size_t gzip_of(unsigned char *out, size_t cap, const void *bytes, size_t len)
{
    fl_bytes packed = fl_gzip((fl_slice){.ptr = bytes, .len = len});
    ck_assert_uint_le(packed.len, cap);
    memcpy(out, packed.ptr, packed.len);
    free(packed.ptr);
    return packed.len;
}

START_TEST(a_request_reaches_its_handler_whole)
{
    ask("POST /echo?q=a%20b&z HTTP/1.1\r\nHost: x\r\nContent-Type: text/x; a=b\r\nX-More: 1\r\n"
        "Content-Length: 5\r\n\r\nhello");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(answer.body, "post POST /echo text/x; a=b a b 1 5 hello");
    ck_assert_str_eq(raw_header(&answer, "content-type"), "text/plain");
}
END_TEST

START_TEST(a_chunked_body_is_put_together)
{
    ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(answer.body, "post POST /echo  - - 5 hello");
}
END_TEST

START_TEST(an_exact_path_goes_before_a_pattern_and_paths_are_decoded)
{
    ask("GET /tree/leaf HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_str_eq(answer.body, "leaf GET /tree/leaf  - - 0 ");
    ask("GET /tree/a%2Fb HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_str_eq(answer.body, "tree GET /tree/a/b  - - 0 ");
    ask("GET /tree/ HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(answer.status, 200);
}
END_TEST

START_TEST(head_is_a_get_without_its_body)
{
    ask("HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(raw_header(&answer, "content-length"), "21");
    ck_assert_uint_eq(answer.body_len, 0);
}
END_TEST

START_TEST(one_connection_carries_many_requests)
{
    int fd = raw_connect(port);
    for (int i = 0; i < 100; i++) {
        const char request[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
        ck_assert(raw_send(fd, request, sizeof(request) - 1));
        raw_read(fd, &answer, false);
        ck_assert_int_eq(answer.status, 200);
        ck_assert(!answer.closed);
    }
    close(fd);
    fl_http_stats stats = fl_http_stats_of(http);
    ck_assert_uint_eq(stats.requests, 100);
    ck_assert_uint_eq(stats.connections_total, 1);
    ck_assert_uint_eq(stats.wire_bytes, 200);
    ck_assert_uint_eq(stats.answers[2], 100);
}
END_TEST

START_TEST(gzip_and_zstd_are_undone)
{
    unsigned char packed[2048];
    size_t len = gzip_of(packed, sizeof(packed), "hello hello", 11);
    post("/echo", "Content-Encoding: gzip\r\n", packed, len);
    ck_assert_str_eq(answer.body, "post POST /echo  - - 11 hello hello");
    post("/echo", "Content-Encoding: X-GZIP\r\n", packed, len);
    ck_assert_int_eq(answer.status, 200);
    len = ZSTD_compress(packed, sizeof(packed), "hello hello", 11, 3);
    post("/echo", "Content-Encoding: zstd\r\n", packed, len);
    ck_assert_str_eq(answer.body, "post POST /echo  - - 11 hello hello");
    post("/echo", "Content-Encoding: snappy\r\n", "as it came", 10);
    ck_assert_str_eq(answer.body, "post POST /echo  - - 10 as it came");
    post("/echo", "Content-Encoding: gzip\r\n", "", 0);
    ck_assert_str_eq(answer.body, "post POST /echo  - - 0 ");
}
END_TEST

START_TEST(the_limit_holds_after_decompression)
{
    static char plain[16 << 20];
    static unsigned char packed[1 << 16];
    size_t len = gzip_of(packed, sizeof(packed), plain, 1000);
    post("/echo", "Content-Encoding: gzip\r\n", packed, len);
    ck_assert_int_eq(answer.status, 200);
    len = gzip_of(packed, sizeof(packed), plain, 1001);
    post("/echo", "Content-Encoding: gzip\r\n", packed, len);
    ck_assert_int_eq(answer.status, 413);
    ck_assert_str_eq(answer.body, "{\"type\":\"about:blank\",\"title\":\"Content Too Large\","
                                  "\"status\":413,\"detail\":\"the body is larger than 1000 bytes "
                                  "when decompressed\"}\n");
    /* More than the guess and less than the limit: 8 MiB out of 8 KiB. */
    len = gzip_of(packed, sizeof(packed), plain, 8 << 20);
    post("/length", "Content-Encoding: gzip\r\n", packed, len);
    ck_assert_str_eq(answer.body, "8388608");
    len = gzip_of(packed, sizeof(packed), plain, sizeof(plain));
    post("/length", "Content-Encoding: gzip\r\n", packed, len);
    ck_assert_int_eq(answer.status, 413);
    ck_assert_uint_eq(fl_http_stats_of(http).refused[FL_HTTP_REFUSED_SIZE], 2);
    ck_assert_uint_eq(fl_http_stats_of(http).budget_used_bytes, 0);
}
END_TEST

START_TEST(every_beginning_of_a_compressed_body_is_refused)
{
    unsigned char packed[256];
    size_t len = gzip_of(packed, sizeof(packed), "hello hello", 11);
    for (size_t i = 1; i < len; i++) {
        post("/echo", "Content-Encoding: gzip\r\n", packed, i);
        ck_assert_int_eq(answer.status, 400);
    }
    len = ZSTD_compress(packed, sizeof(packed), "hello hello", 11, 3);
    for (size_t i = 1; i < len; i++) {
        post("/echo", "Content-Encoding: zstd\r\n", packed, i);
        ck_assert_int_eq(answer.status, 400);
    }
    ck_assert_uint_eq(fl_http_stats_of(http).budget_used_bytes, 0);
}
END_TEST

static const struct refused_case {
    const char *request;
    int status;
    const char *detail; /* NULL: libmicrohttpd's own page */
    bool closes;
} refused_cases[] = {
    {"GET /none HTTP/1.1\r\nHost: x\r\n\r\n", 404, "there is nothing at /none", false},
    {"DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n", 405, "/echo does not take DELETE", false},
    {"GET /length HTTP/1.1\r\nHost: x\r\n\r\n", 405, "/length does not take GET", false},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 413, NULL, false},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413,
     "the body is larger than 1000 bytes", true},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nhi", 415,
     "Content-Encoding 'br' is not read: gzip and zstd are", false},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip, gzip\r\nContent-Length: "
     "2\r\n\r\nhi",
     415, "Content-Encoding 'gzip, gzip' is not read: gzip and zstd are", false},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi", 400,
     "the body is not gzip, as Content-Encoding says", false},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: zstd\r\nContent-Length: 2\r\n\r\nhi", 400,
     "the body is not zstd, as Content-Encoding says", false},
    {"POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", 404,
     "there is nothing at /none", false},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
     "2\r\nhi\r\n0\r\n\r\n",
     400, "Content-Length and Transfer-Encoding are both there", true},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 400,
     "Content-Length or Transfer-Encoding stands there twice", true},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
     400, "Content-Length or Transfer-Encoding stands there twice", true},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, "
     "chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
     400, "Transfer-Encoding is not chunked", true},
    {"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 400,
     "chunked needs HTTP/1.1", true},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\nhi", 400, NULL, true},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2x\r\n\r\nhi", 400, NULL, true},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nhi", 413, NULL,
     true},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n",
     400, NULL, true},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nhi\r\n0\r\n\r\n",
     400, NULL, true},
    {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
     "chunked\r\n\r\nfffffffffffffffff\r\nhi\r\n0\r\n\r\n",
     413, NULL, true},
    {"GET /echo HTTP/1.1\r\n\r\n", 400, NULL, true},
    {"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n", 500,
     "the answer is too large or there is no memory for it", false},
    {"POST /busy HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 503, "the \\\"disk\\\" is?full",
     false},
};

START_TEST(what_cannot_be_taken_is_refused_with_a_reason)
{
    const struct refused_case *c = &refused_cases[_i];
    char wanted[256];
    int fd = raw_connect(port);
    ck_assert(raw_send(fd, c->request, strlen(c->request)));
    if (strstr(c->request, ": 1001") != NULL) {
        char body[1001] = {0};
        raw_send(fd, body, sizeof(body));
    }
    raw_read(fd, &answer, false);
    ck_assert_msg(answer.status == c->status, "%s: %d", c->request, answer.status);
    if (c->detail != NULL) {
        snprintf(wanted, sizeof(wanted), "\"status\":%d,\"detail\":\"%s\"}\n", c->status,
                 c->detail);
        ck_assert_msg(strstr(answer.body, wanted) != NULL, "%s", answer.body);
        ck_assert_str_eq(raw_header(&answer, "Content-Type"), "application/problem+json");
    }
    if (c->closes) {
        ck_assert(raw_is_closed(fd));
    } else {
        const char again[] = "GET /tree/leaf HTTP/1.1\r\nHost: x\r\n\r\n";
        ck_assert(raw_send(fd, again, sizeof(again) - 1));
        raw_read(fd, &answer, false);
        ck_assert_int_eq(answer.status, 200);
    }
    close(fd);
    ck_assert_uint_eq(fl_http_stats_of(http).budget_used_bytes, 0);
}
END_TEST

START_TEST(other_methods_and_retries_stand_in_headers)
{
    ask("DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_str_eq(raw_header(&answer, "Allow"), "GET, HEAD, POST");
    ask("GET /length HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_str_eq(raw_header(&answer, "Allow"), "POST");
    ask("POST /busy HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    ck_assert_str_eq(raw_header(&answer, "Retry-After"), "7");
}
END_TEST

START_TEST(a_head_of_a_megabyte_is_refused)
{
    static char request[(1 << 20) + 256];
    int len = snprintf(request, sizeof(request), "GET /echo HTTP/1.1\r\nHost: x\r\nX-Long: ");
    memset(request + len, 'a', 1 << 20);
    int fd = raw_connect(port);
    (void)raw_send(fd, request, (size_t)len + (1 << 20)); /* closed while it is sent */
    raw_read(fd, &answer, false);
    ck_assert(answer.status == 431 || answer.status == 0);
    close(fd);
    ask("GET /tree/leaf HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(answer.status, 200);
}
END_TEST

START_TEST(more_headers_than_are_read_are_refused)
{
    char request[8192];
    size_t len = (size_t)snprintf(request, sizeof(request), "GET /echo HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < FL_HTTP_MAX_HEADERS; i++)
        len += (size_t)snprintf(request + len, sizeof(request) - len, "X-%d: y\r\n", i);
    snprintf(request + len, sizeof(request) - len, "\r\n");
    ask(request);
    ck_assert_int_eq(answer.status, 431);
}
END_TEST

START_TEST(bodies_beyond_the_budget_are_told_to_come_again)
{
    static char body[2 << 20];
    restart((fl_http_options){.workers = 2, .budget_bytes = 1 << 20});
    post("/length", "", body, sizeof(body));
    ck_assert_int_eq(answer.status, 503);
    ck_assert_str_eq(raw_header(&answer, "Retry-After"), "1");
    ck_assert_uint_eq(fl_http_stats_of(http).refused[FL_HTTP_REFUSED_BUDGET], 1);
    ck_assert_uint_eq(fl_http_stats_of(http).budget_used_bytes, 0);
    post("/length", "", body, 1 << 19);
    ck_assert_str_eq(answer.body, "524288");
}
END_TEST

START_TEST(requests_beyond_the_queue_are_told_to_come_again)
{
    enum { COUNT = 8 };
    int fds[COUNT], refused = 0;
    const char request[] = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    restart((fl_http_options){.workers = 1, .max_queued = 2});
    for (int i = 0; i < COUNT; i++) {
        fds[i] = raw_connect(port);
        ck_assert(raw_send(fds[i], request, sizeof(request) - 1));
    }
    for (int i = 0; i < COUNT; i++) {
        raw_read(fds[i], &answer, false);
        ck_assert(answer.status == 200 || answer.status == 503);
        refused += answer.status == 503;
        close(fds[i]);
    }
    ck_assert_int_ge(refused, COUNT - 3);
    ck_assert_uint_eq(fl_http_stats_of(http).refused[FL_HTTP_REFUSED_QUEUE], (uint64_t)refused);
}
END_TEST

START_TEST(what_is_slow_is_closed)
{
    restart((fl_http_options){.workers = 2,
                              .head_timeout_ns = FL_NS_PER_S / 2,
                              .idle_timeout_ns = FL_NS_PER_S / 2,
                              .body_grace_ns = FL_NS_PER_S / 2});
    static const char *const starts[] = {
        "", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nX",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        int fd = raw_connect(port);
        int64_t began = fl_time_monotonic();
        raw_send(fd, starts[i], strlen(starts[i]));
        /* A byte now and then does not help. */
        for (int k = 0; k < 3 && i > 1; k++) {
            nap_ms(100);
            raw_send(fd, "a", 1);
        }
        ck_assert(raw_is_closed(fd));
        ck_assert_int_lt(fl_time_monotonic() - began, 5 * FL_NS_PER_S);
        close(fd);
    }
    int fd = raw_connect(port);
    raw_send(fd, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", 31);
    raw_read(fd, &answer, false);
    ck_assert_int_eq(answer.status, 200);
    ck_assert(raw_is_closed(fd));
    close(fd);
    ck_assert_uint_eq(fl_http_stats_of(http).connections_overdue, 5);
    ck_assert_uint_eq(fl_http_stats_of(http).budget_used_bytes, 0);
}
END_TEST

START_TEST(connections_beyond_the_limit_are_closed)
{
    int fds[5], open = 0;
    restart((fl_http_options){.workers = 1, .max_connections = 3});
    for (int i = 0; i < 5; i++)
        fds[i] = raw_connect(port);
    for (int i = 0; i < 5; i++) {
        raw_send(fds[i], "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", 31);
        raw_read(fds[i], &answer, false);
        open += answer.status == 200;
    }
    ck_assert_int_eq(open, 3);
    for (int i = 0; i < 5; i++)
        close(fds[i]);
}
END_TEST

START_TEST(before_it_is_ready_a_server_answers_probes_alone)
{
    fl_http_set_ready(http, false);
    ask("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(answer.status, 503);
    ck_assert_str_eq(raw_header(&answer, "Retry-After"), "1");
    ck_assert_ptr_nonnull(strstr(answer.body, "this process is starting: send it again later"));
    ask("GET /not-yet-added HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(answer.status, 503);
    ask("GET /probe HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(answer.status, 500);
}
END_TEST

static const struct loopback_case {
    const char *address;
    bool is_loopback;
} loopback_cases[] = {
    {"127.0.0.1:80", true}, {"127.1.2.3:80", true}, {"[::1]:80", true},      {"0.0.0.0:80", false},
    {"[::]:80", false},     {"10.0.0.1:80", false}, {"localhost:80", false}, {"1127.0.0.1", false},
};

START_TEST(loopback_is_told_by_the_address)
{
    for (size_t i = 0; i < sizeof(loopback_cases) / sizeof(loopback_cases[0]); i++)
        ck_assert_msg(fl_listen_is_loopback(loopback_cases[i].address) ==
                          loopback_cases[i].is_loopback,
                      "%s", loopback_cases[i].address);
}
END_TEST

/* SHA-256 of "abc", FIPS 180-4's example. */
static const char known[] =
    "ingest ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";

static const struct token_case {
    const char *path, *header;
    int status;
    const char *detail;
} token_cases[] = {
    {"POST /send", "Authorization: Bearer abc", 200, NULL},
    {"POST /send", "authorization: bearer  abc ", 200, NULL},
    {"POST /send", "Authorization: Basic dXNlcjphYmM=", 200, NULL},               /* user:abc */
    {"POST /send", "Authorization: Basic YWJj", 401, "a bearer token is needed"}, /* abc */
    {"POST /send", "Authorization: Basic !!!!", 401, "a bearer token is needed"},
    {"POST /send", "Authorization: Bearer abd", 401, "a bearer token is needed"},
    {"POST /send", "Authorization: Bearer ", 401, "a bearer token is needed"},
    {"POST /send", "Authorization: abc", 401, "a bearer token is needed"},
    {"POST /send", "X: y", 401, "a bearer token is needed"},
    {"GET /read", "Authorization: Bearer abc", 403, "the token does not grant this"},
    {"GET /echo", "X: y", 200, NULL}, /* asks for no role */
};

START_TEST(a_route_with_a_role_asks_for_a_token)
{
    const struct token_case *c = &token_cases[_i];
    char request[256];
    fl_tokens *tokens;
    ck_assert_ok(fl_tokens_read(&tokens, SLICE(known), "t", &err));
    fl_http_set_tokens(http, tokens);
    snprintf(request, sizeof(request), "%s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: 0\r\n\r\n",
             c->path, c->header);
    ask(request);
    ck_assert_msg(answer.status == c->status, "%s, %s: %d", c->path, c->header, answer.status);
    if (c->detail != NULL)
        ck_assert_ptr_nonnull(strstr(answer.body, c->detail));
    if (c->status == 401)
        ck_assert_str_eq(raw_header(&answer, "WWW-Authenticate"), "Bearer realm=\"faultline\"");
    ck_assert_uint_eq(fl_http_stats_of(http).refused[FL_HTTP_REFUSED_AUTH], c->status != 200);
}
END_TEST

START_TEST(a_browser_is_asked_for_a_password)
{
    fl_tokens *tokens;
    ck_assert_ok(fl_tokens_read(&tokens, SLICE(known), "t", &err));
    fl_http_set_tokens(http, tokens);
    ask("GET /read HTTP/1.1\r\nHost: x\r\nAccept: text/html,*/*;q=0.8\r\n\r\n");
    ck_assert_int_eq(answer.status, 401);
    ck_assert_str_eq(raw_header(&answer, "WWW-Authenticate"),
                     "Basic realm=\"faultline\", charset=\"UTF-8\"");
}
END_TEST

static const struct page_case {
    const char *path, *host, *header;
    int status;
} page_cases[] = {
    {"POST /send", "x", "X: y", 200},
    {"POST /send", "x", "Origin: http://evil.example", 403},
    {"POST /send", "x", "Origin: null", 403},
    {"POST /send", "x", "Origin: http://localhost:3000", 200},
    {"GET /read", "127.0.0.1:4318", "X: y", 200},
    {"GET /read", "localhost:4318", "X: y", 200},
    {"GET /read", "[::1]:4318", "X: y", 200},
    {"GET /read", "evil.example:4318", "X: y", 403},
    {"GET /read", "127.0.0.1.evil.example", "X: y", 403},
};

START_TEST(without_tokens_pages_of_other_machines_are_refused)
{
    const struct page_case *c = &page_cases[_i];
    char request[256];
    snprintf(request, sizeof(request), "%s HTTP/1.1\r\nHost: %s\r\n%s\r\nContent-Length: 0\r\n\r\n",
             c->path, c->host, c->header);
    ask(request);
    ck_assert_msg(answer.status == c->status, "%s, %s, %s: %d", c->path, c->host, c->header,
                  answer.status);
}
END_TEST

START_TEST(a_client_beyond_its_rate_is_told_to_wait)
{
    int refused = 0;
    restart((fl_http_options){.workers = 2, .client_rate = 5});
    for (int i = 0; i < 20; i++) {
        ask("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        ck_assert(answer.status == 200 || answer.status == 429);
        if (answer.status == 429)
            ck_assert_str_eq(raw_header(&answer, "Retry-After"), "1");
        refused += answer.status == 429;
    }
    ck_assert_int_ge(refused, 10);
    ck_assert_uint_eq(fl_http_stats_of(http).refused[FL_HTTP_REFUSED_RATE], (uint64_t)refused);
}
END_TEST

START_TEST(one_client_leaves_room_for_others)
{
    int fds[4], refused = 0;
    restart((fl_http_options){.workers = 2, .max_per_client = 3});
    for (int i = 0; i < 4; i++) {
        fds[i] = raw_connect_from(port, "127.0.0.2");
        raw_send(fds[i], "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", 31);
        raw_read(fds[i], &answer, false);
        refused += answer.status != 200;
    }
    ck_assert_int_eq(refused, 1);
    ask("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(answer.status, 200);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}
END_TEST

START_TEST(a_stop_finishes_what_is_under_way)
{
    int fd = raw_connect(port);
    raw_send(fd, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", 31);
    while (fl_http_stats_of(http).workers.busy == 0)
        nap_ms(1);
    fl_http_stop(http, 5 * FL_NS_PER_S);
    raw_read(fd, &answer, false);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(answer.body, "done");
    ck_assert_str_eq(raw_header(&answer, "Connection"), "close");
    close(fd);
    ck_assert_int_eq(raw_connect(port), -1);
}
END_TEST

START_TEST(a_stop_does_not_wait_for_a_client_beyond_its_grace)
{
    int fd = raw_connect(port);
    const char part[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe";
    raw_send(fd, part, sizeof(part) - 1);
    while (fl_http_stats_of(http).requests == 0)
        nap_ms(1);
    int64_t began = fl_time_monotonic();
    fl_http_stop(http, FL_NS_PER_S / 10);
    ck_assert_int_lt(fl_time_monotonic() - began, 5 * FL_NS_PER_S);
    ck_assert(raw_is_closed(fd));
    close(fd);
}
END_TEST

static const struct address_case {
    const char *address;
    fl_status status;
    const char *message;
} address_cases[] = {
    {"4318", FL_E_SYNTAX, "address '4318' is not like 127.0.0.1:4318 or [::1]:4318"},
    {"localhost:4318", FL_E_SYNTAX,
     "address 'localhost:4318' is not like 127.0.0.1:4318 or [::1]:4318"},
    {"127.0.0.1:65536", FL_E_SYNTAX,
     "address '127.0.0.1:65536' is not like 127.0.0.1:4318 or [::1]:4318"},
    {"::1:80", FL_E_SYNTAX, "address '::1:80' is not like 127.0.0.1:4318 or [::1]:4318"},
    {":80", FL_E_SYNTAX, "address ':80' is not like 127.0.0.1:4318 or [::1]:4318"},
    {"203.0.113.1:80", FL_E_IO, "cannot listen on 203.0.113.1:80: Cannot assign requested address"},
};

START_TEST(an_address_that_cannot_be_listened_on_is_said)
{
    const struct address_case *c = &address_cases[_i];
    unsigned at;
    ck_assert_int_eq(fl_http_listen(http, c->address, &at, &err), c->status);
    ck_assert_str_eq(err.message, c->message);
}
END_TEST

START_TEST(a_port_that_is_taken_is_said)
{
    char address[64], wanted[128];
    unsigned at;
    snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    snprintf(wanted, sizeof(wanted), "cannot listen on %s: Address already in use", address);
    ck_assert_int_eq(fl_http_listen(http, address, &at, &err), FL_E_IO);
    ck_assert_str_eq(err.message, wanted);
}
END_TEST

START_TEST(what_a_client_has_already_is_not_sent_again)
{
    char tag[FL_HTTP_TAG], request[256];
    ask("GET /tagged HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(answer.body, "the same");
    fl_http_tag_of(tag, FL_SLICE("the same"));
    ck_assert_str_eq(raw_header(&answer, "etag"), tag);
    snprintf(request, sizeof(request),
             "GET /tagged HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"other\", W/%s\r\n\r\n", tag);
    ask(request);
    ck_assert_int_eq(answer.status, 304);
    ck_assert_str_eq(answer.body, "");
    ck_assert_str_eq(raw_header(&answer, "etag"), tag);
    ask("GET /tagged HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"other\"\r\n\r\n");
    ck_assert_int_eq(answer.status, 200);
}
END_TEST

START_TEST(tags_are_told_from_what_only_looks_like_them)
{
    static const struct {
        const char *value;
        bool weak, strong;
    } rows[] = {
        {NULL, false, false},
        {"", false, false},
        {"*", true, true},
        {" * ", true, true},
        {"*x", false, false},
        {"\"ab\"", true, true},
        {"W/\"ab\"", true, false},
        {"\"x\",\"ab\"", true, true},
        {"\"x,\" , \"ab\"", true, true},
        {"\"x, \"ab\"", false, false},
        {"\"AB\"", false, false},
        {"ab", false, false},
        {"\"ab", false, false},
        {"\"abc\"", false, false},
        {",,,", false, false},
        {"W/", false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_int_eq(fl_http_tag_matches(rows[i].value, "\"ab\"", true), rows[i].weak);
        ck_assert_int_eq(fl_http_tag_matches(rows[i].value, "\"ab\"", false), rows[i].strong);
    }
}
END_TEST

START_TEST(running_out_of_memory_is_an_answer_or_an_end_and_harmless)
{
    unsigned char packed[256];
    size_t len = gzip_of(packed, sizeof(packed), "hello hello", 11);
    for (long i = 0; i < 12; i++) {
        fl_mem_fail_after(i);
        post("/echo", "Content-Encoding: gzip\r\n", packed, len);
        fl_mem_fail_after(-1);
        ck_assert_msg(answer.status == 0 || answer.status == 200 || answer.status == 500 ||
                          answer.status == 503,
                      "%ld: %d", i, answer.status);
    }
    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(fl_http_stats_of(http).budget_used_bytes, 0);
}
END_TEST

START_TEST(a_server_that_cannot_be_made_leaves_nothing)
{
    fl_http *other;
    for (long i = 0; i < 3; i++) {
        err = (fl_error){0};
        fl_mem_fail_after(i);
        fl_status status = fl_http_create(&other, NULL, &err);
        fl_mem_fail_after(-1);
        ck_assert_int_eq(status, FL_E_NOMEM);
        ck_assert_ptr_null(other);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("http");
    TCase *tests = tcase_create("http");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_request_reaches_its_handler_whole);
    tcase_add_test(tests, a_chunked_body_is_put_together);
    tcase_add_test(tests, an_exact_path_goes_before_a_pattern_and_paths_are_decoded);
    tcase_add_test(tests, head_is_a_get_without_its_body);
    tcase_add_test(tests, one_connection_carries_many_requests);
    tcase_add_test(tests, gzip_and_zstd_are_undone);
    tcase_add_test(tests, the_limit_holds_after_decompression);
    tcase_add_test(tests, every_beginning_of_a_compressed_body_is_refused);
    tcase_add_loop_test(tests, what_cannot_be_taken_is_refused_with_a_reason, 0,
                        (int)(sizeof(refused_cases) / sizeof(refused_cases[0])));
    tcase_add_test(tests, other_methods_and_retries_stand_in_headers);
    tcase_add_test(tests, a_head_of_a_megabyte_is_refused);
    tcase_add_test(tests, more_headers_than_are_read_are_refused);
    tcase_add_test(tests, bodies_beyond_the_budget_are_told_to_come_again);
    tcase_add_test(tests, requests_beyond_the_queue_are_told_to_come_again);
    tcase_add_test(tests, what_is_slow_is_closed);
    tcase_add_test(tests, connections_beyond_the_limit_are_closed);
    tcase_add_test(tests, before_it_is_ready_a_server_answers_probes_alone);
    tcase_add_test(tests, loopback_is_told_by_the_address);
    tcase_add_loop_test(tests, a_route_with_a_role_asks_for_a_token, 0,
                        (int)(sizeof(token_cases) / sizeof(token_cases[0])));
    tcase_add_test(tests, a_browser_is_asked_for_a_password);
    tcase_add_loop_test(tests, without_tokens_pages_of_other_machines_are_refused, 0,
                        (int)(sizeof(page_cases) / sizeof(page_cases[0])));
    tcase_add_test(tests, a_client_beyond_its_rate_is_told_to_wait);
    tcase_add_test(tests, one_client_leaves_room_for_others);
    tcase_add_test(tests, a_stop_finishes_what_is_under_way);
    tcase_add_test(tests, a_stop_does_not_wait_for_a_client_beyond_its_grace);
    tcase_add_loop_test(tests, an_address_that_cannot_be_listened_on_is_said, 0,
                        (int)(sizeof(address_cases) / sizeof(address_cases[0])));
    tcase_add_test(tests, a_port_that_is_taken_is_said);
    tcase_add_test(tests, what_a_client_has_already_is_not_sent_again);
    tcase_add_test(tests, tags_are_told_from_what_only_looks_like_them);
    tcase_add_test(tests, running_out_of_memory_is_an_answer_or_an_end_and_harmless);
    tcase_add_test(tests, a_server_that_cannot_be_made_leaves_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

FL_TEST_MAIN(make_suite)
