#include "grpc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fl_squeeze.h"
#include "fl_test.h"
#include "h2_client.h"
#include "listen.h"
#include "mem.h"
#include "timestamp.h"

#define TRACES "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
#define LOGS   "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

static fl_error err;
static fl_http *http;
static fl_grpc *grpc;
static unsigned port;
static h2_client *client;
static int fd;
/* What handlers saw, and a gate that holds them. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static bool is_held, is_unready;
static unsigned handled;
static fl_buf seen;
static char seen_path[64], seen_client[64], seen_type[64];
static bool seen_grpc;

static void handler(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context;
    (void)pthread_mutex_lock(&lock);
    while (is_held)
        (void)pthread_cond_wait(&opened, &lock);
    handled++;
    fl_buf_clear(&seen);
    fl_buf_add(&seen, request->body);
    (void)snprintf(seen_path, sizeof(seen_path), "%s", request->path);
    (void)snprintf(seen_client, sizeof(seen_client), "%s", request->client);
    (void)snprintf(seen_type, sizeof(seen_type), "%s", request->content_type);
    seen_grpc = request->is_grpc && request->arrival_ns > 0;
    (void)pthread_mutex_unlock(&lock);
    fl_buf_text(&reply->body, "done");
}

static void set_held(bool value)
{
    (void)pthread_mutex_lock(&lock);
    is_held = value;
    (void)pthread_cond_broadcast(&opened);
    (void)pthread_mutex_unlock(&lock);
}

static void busy_handler(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context, (void)request;
    fl_http_problem(reply, 503, "the disk is full");
    reply->retry_after_s = 3;
}

static void nap_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * FL_NS_PER_MS};
    (void)nanosleep(&time, NULL);
}

static bool is_ready(void *payload)
{
    (void)payload;
    return !is_unready;
}

enum { MOST_BYTES = 1 << 20 };

static const fl_http_route routes[] = {
    {.method = "POST", .path = "/v1/traces", .max_body_bytes = MOST_BYTES, .run = handler},
    {.method = "POST", .path = "/v1/metrics", .run = handler},
    {.method = "POST", .path = "/v1/logs", .run = busy_handler},
};

static int connect_to(unsigned to)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)to),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int made = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = {.tv_sec = 20};
    ck_assert_int_ge(made, 0);
    ck_assert_int_eq(
        0, setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, (socklen_t)sizeof(patience)));
    ck_assert_int_eq(0, connect(made, (struct sockaddr *)&at, (socklen_t)sizeof(at)));
    return made;
}

static void start(const fl_grpc_options *options)
{
    err = (fl_error){0};
    handled = 0;
    seen = fl_buf_of(64 << 20);
    ck_assert_ok(fl_http_create(&http, NULL, &err));
    ck_assert_ok(fl_http_add(http, routes, sizeof(routes) / sizeof(routes[0]), &err));
    ck_assert_ok(fl_grpc_create(&grpc, http, options, &err));
    ck_assert_ok(fl_grpc_listen(grpc, "127.0.0.1:0", &port, &err));
    ck_assert_uint_ne(0, port);
    fd = connect_to(port);
    client = h2_create();
}

static void setup(void)
{
    start(&(fl_grpc_options){.is_ready = is_ready});
}

static void teardown(void)
{
    set_held(false);
    if (fd >= 0)
        (void)close(fd);
    h2_destroy(client);
    fl_grpc_destroy(grpc);
    fl_http_destroy(http);
    fl_buf_dispose(&seen);
}

static void say(void)
{
    h2_flush(client);
    fl_slice said = fl_buf_slice(&client->out);
    for (size_t at = 0; at < said.len;) {
        ssize_t len = send(fd, said.ptr + at, said.len - at, MSG_NOSIGNAL);
        ck_assert_int_gt(len, 0);
        at += (size_t)len;
    }
    fl_buf_clear(&client->out);
}

/* Talk until a call is answered, or the server closes. */
static bool wait_for(const h2_call *call)
{
    unsigned char bytes[16384];
    while (!call->is_closed) {
        say();
        ssize_t len = recv(fd, bytes, sizeof(bytes), 0);
        if (len <= 0)
            return false;
        ck_assert(h2_take(client, (fl_slice){.ptr = bytes, .len = (size_t)len}));
    }
    say();
    return true;
}

static const fl_slice hello = BYTES_INIT("\0\0\0\0\5hello");

static h2_call *call_with(const char *path, fl_slice message)
{
    h2_call *call = h2_call_of(client, &(h2_ask){.path = path, .message = message});
    ck_assert(wait_for(call));
    return call;
}

START_TEST(a_call_reaches_the_handler_of_its_route)
{
    h2_call *call = call_with(TRACES, hello);
    ck_assert_str_eq("0", call->grpc_status);
    ck_assert(fl_slice_equal(BYTES("\0\0\0\0\4done"), fl_buf_slice(&call->body)));
    ck_assert_str_eq("/v1/traces", seen_path);
    ck_assert_str_eq("127.0.0.1", seen_client);
    ck_assert_str_eq("application/x-protobuf", seen_type);
    ck_assert(seen_grpc);
    ck_assert(fl_slice_equal(SLICE("hello"), fl_buf_slice(&seen)));
    fl_grpc_stats stats = fl_grpc_stats_of(grpc);
    ck_assert_uint_eq(1, stats.connections);
    ck_assert_uint_eq(1, stats.calls);
    ck_assert_uint_eq(1, stats.codes[FL_GRPC_OK]);
    ck_assert_uint_eq(hello.len, stats.message_bytes);
    ck_assert_uint_eq(5, stats.unpacked_bytes);
}
END_TEST

START_TEST(a_refusal_of_the_handler_says_when_to_retry)
{
    h2_call *call = call_with(LOGS, hello);
    ck_assert_str_eq("14", call->grpc_status);
    ck_assert_str_eq("the disk is full", call->grpc_message);
    ck_assert_str_ne("", call->details);
}
END_TEST

static h2_call *call_packed(fl_slice packed, const char *encoding)
{
    unsigned char *message = h2_message(packed, true);
    h2_ask ask = {.path = TRACES, .message = {.ptr = message, .len = packed.len + 5}};
    if (encoding != NULL) {
        ask.extra[0] = "grpc-encoding";
        ask.extra[1] = encoding;
    }
    h2_call *call = h2_call_of(client, &ask);
    ck_assert(wait_for(call));
    free(message);
    return call;
}

START_TEST(compressed_messages_are_undone)
{
    fl_bytes gzip = fl_gzip(SLICE("hello hello hello")), zstd = fl_zstd(SLICE("and zstd"), 3);
    ck_assert_str_eq("0", call_packed(fl_bytes_slice(gzip), "gzip")->grpc_status);
    ck_assert(fl_slice_equal(SLICE("hello hello hello"), fl_buf_slice(&seen)));
    ck_assert_str_eq("0", call_packed(fl_bytes_slice(zstd), "zstd")->grpc_status);
    ck_assert(fl_slice_equal(SLICE("and zstd"), fl_buf_slice(&seen)));
    free(gzip.ptr);
    free(zstd.ptr);
}
END_TEST

START_TEST(messages_that_are_not_what_they_say_are_refused)
{
    fl_bytes gzip = fl_gzip(SLICE("hello hello hello"));
    fl_slice whole = fl_bytes_slice(gzip);
    const char *not_as_said = "the message is not compressed as the call says";
    h2_call *call = call_packed(whole, NULL);
    ck_assert_str_eq("13", call->grpc_status);
    ck_assert_str_eq(not_as_said, call->grpc_message);
    ck_assert_str_eq(not_as_said, call_packed(whole, "identity")->grpc_message);
    ck_assert_str_eq(not_as_said, call_packed(whole, "zstd")->grpc_message);
    ck_assert_str_eq(not_as_said, call_packed(SLICE("hello"), "gzip")->grpc_message);
    ck_assert_str_eq(not_as_said, call_packed(SLICE(""), "gzip")->grpc_message);
    for (size_t len = 2; len < whole.len; len++)
        ck_assert_str_eq("13", call_packed(fl_slice_part(whole, 0, len), "gzip")->grpc_status);
    ck_assert_uint_eq(0, handled);
    free(gzip.ptr);
}
END_TEST

START_TEST(a_bomb_is_not_inflated_beyond_the_limit)
{
    unsigned char *zeros = calloc(1, 8 << 20);
    fl_bytes bomb = fl_gzip((fl_slice){.ptr = zeros, .len = 8 << 20});
    h2_call *call = call_packed(fl_bytes_slice(bomb), "gzip");
    ck_assert_str_eq("8", call->grpc_status);
    ck_assert_str_eq("the message is larger than 1048576 bytes when decompressed",
                     call->grpc_message);
    ck_assert_uint_eq(0, handled);
    free(bomb.ptr);
    free(zeros);
}
END_TEST

START_TEST(a_message_as_large_as_allowed_comes_through)
{
    unsigned char *bytes = malloc(MOST_BYTES + 1);
    for (size_t i = 0; i <= MOST_BYTES; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 8);
    unsigned char *message = h2_message((fl_slice){.ptr = bytes, .len = MOST_BYTES}, false);
    h2_call *call = call_with(TRACES, (fl_slice){.ptr = message, .len = MOST_BYTES + 5});
    ck_assert_str_eq("0", call->grpc_status);
    ck_assert(fl_slice_equal((fl_slice){.ptr = bytes, .len = MOST_BYTES}, fl_buf_slice(&seen)));
    free(message);
    message = h2_message((fl_slice){.ptr = bytes, .len = MOST_BYTES + 1}, false);
    call = call_with(TRACES, (fl_slice){.ptr = message, .len = MOST_BYTES + 6});
    ck_assert_str_eq("8", call->grpc_status);
    ck_assert_str_eq("a message of 1048577 bytes is larger than 1048576", call->grpc_message);
    free(message);
    free(bytes);
}
END_TEST

START_TEST(unknown_methods_are_unimplemented)
{
    h2_call *call = call_with("/opentelemetry.proto.collector.trace.v1.TraceService/Import", hello);
    ck_assert_str_eq("12", call->grpc_status);
    ck_assert_str_eq(
        "there is no method /opentelemetry.proto.collector.trace.v1.TraceService/Import",
        call->grpc_message);
    ck_assert_str_eq("12", call_with("/grpc.health.v1.Health/Watch", hello)->grpc_status);
    ck_assert_str_eq("12", call_with("/v1/traces", hello)->grpc_status);
}
END_TEST

#define HEALTH "/grpc.health.v1.Health/Check"

START_TEST(health_is_told_as_the_standard_service_does)
{
    const fl_slice all = BYTES("\0\0\0\0\0");
    ck_assert(
        fl_slice_equal(BYTES("\0\0\0\0\2\x08\1"), fl_buf_slice(&call_with(HEALTH, all)->body)));
    is_unready = true;
    ck_assert(
        fl_slice_equal(BYTES("\0\0\0\0\2\x08\2"), fl_buf_slice(&call_with(HEALTH, all)->body)));
    is_unready = false;
    fl_slice name = SLICE("opentelemetry.proto.collector.logs.v1.LogsService");
    fl_buf text = fl_buf_of(100);
    fl_buf_text(&text, "\x0a\x31");
    fl_buf_add(&text, name);
    unsigned char *message = h2_message(fl_buf_slice(&text), false);
    ck_assert_str_eq(
        "0", call_with(HEALTH, (fl_slice){.ptr = message, .len = text.len + 5})->grpc_status);
    free(message);
    fl_buf_dispose(&text);
    ck_assert_str_eq("5", call_with(HEALTH, BYTES("\0\0\0\0\3\x0a\1x"))->grpc_status);
    ck_assert_str_eq("3", call_with(HEALTH, BYTES("\0\0\0\0\2\x0a\5"))->grpc_status);
    ck_assert_uint_eq(0, handled);
}
END_TEST

START_TEST(calls_of_one_connection_run_side_by_side)
{
    enum { CALLS = 100, HELD = FL_MIN_WORKERS / 2 };
    h2_call *calls[CALLS];
    set_held(true);
    for (size_t i = 0; i < HELD; i++)
        calls[i] = h2_call_of(client, &(h2_ask){.path = TRACES, .message = hello});
    ck_assert_str_eq("14", call_with(LOGS, hello)->grpc_status); /* overtakes them */
    ck_assert_uint_eq(0, handled);
    for (size_t i = HELD; i < CALLS; i++)
        calls[i] = h2_call_of(client, &(h2_ask){.path = TRACES, .message = hello});
    say();
    set_held(false);
    for (size_t i = 0; i < CALLS; i++) {
        ck_assert(wait_for(calls[i]));
        ck_assert_str_eq("0", calls[i]->grpc_status);
    }
    ck_assert_uint_eq(CALLS, handled);
}
END_TEST

START_TEST(a_call_that_waited_past_its_deadline_is_not_run)
{
    enum { CALLS = 64 };
    h2_call *calls[CALLS];
    set_held(true);
    for (size_t i = 0; i < CALLS; i++)
        calls[i] = h2_call_of(
            client, &(h2_ask){.path = TRACES, .message = hello, .extra = {"grpc-timeout", "300m"}});
    say();
    nap_ms(400);
    set_held(false);
    unsigned late = 0;
    for (size_t i = 0; i < CALLS; i++) {
        ck_assert(wait_for(calls[i]));
        late += strcmp(calls[i]->grpc_status, "4") == 0;
    }
    ck_assert_uint_gt(late, 0);
    ck_assert_uint_eq(CALLS, late + handled);
}
END_TEST

START_TEST(a_client_that_leaves_takes_its_calls_along)
{
    set_held(true);
    for (size_t i = 0; i < 50; i++)
        h2_call_of(client, &(h2_ask){.path = TRACES, .message = hello});
    say();
    for (int i = 0; i < 500 && fl_grpc_stats_of(grpc).calls < 50; i++)
        nap_ms(10);
    (void)close(fd);
    fd = -1;
    for (int i = 0; i < 500 && fl_grpc_stats_of(grpc).connections > 0; i++)
        nap_ms(10);
    set_held(false);
    fl_grpc_stop(grpc, 0);
    ck_assert_uint_lt(handled, 50);
    ck_assert_uint_eq(0, fl_http_stats_of(http).budget_used_bytes);
}
END_TEST

static void *stop_at_once(void *payload)
{
    fl_grpc_stop(payload, 0);
    return NULL;
}

START_TEST(an_abrupt_stop_waits_for_handlers_alone)
{
    set_held(true);
    h2_call *call = h2_call_of(client, &(h2_ask){.path = TRACES, .message = hello});
    say();
    for (int i = 0; i < 500 && fl_http_stats_of(http).workers.busy == 0; i++)
        nap_ms(10);
    pthread_t stopper;
    ck_assert_int_eq(0, pthread_create(&stopper, NULL, stop_at_once, grpc));
    ck_assert(!wait_for(call)); /* the connection is closed */
    set_held(false);
    (void)pthread_join(stopper, NULL);
    ck_assert_uint_eq(1, handled);
    ck_assert_uint_eq(0, fl_grpc_stats_of(grpc).connections);
}
END_TEST

static void *stop_gently(void *payload)
{
    fl_grpc_stop(payload, 10 * FL_NS_PER_S);
    return NULL;
}

START_TEST(a_gentle_stop_answers_what_is_under_way)
{
    set_held(true);
    h2_call *call = h2_call_of(client, &(h2_ask){.path = TRACES, .message = hello});
    say();
    for (int i = 0; i < 500 && fl_http_stats_of(http).workers.busy == 0; i++)
        nap_ms(10);
    pthread_t stopper;
    ck_assert_int_eq(0, pthread_create(&stopper, NULL, stop_gently, grpc));
    nap_ms(100);
    set_held(false);
    ck_assert(wait_for(call));
    ck_assert_str_eq("0", call->grpc_status);
    ck_assert(client->has_goaway);
    (void)pthread_join(stopper, NULL);
    ck_assert_uint_eq(0, fl_grpc_stats_of(grpc).connections);
}
END_TEST

START_TEST(connections_beyond_the_limit_are_closed)
{
    unsigned char byte;
    ck_assert_str_eq("0", call_with(TRACES, hello)->grpc_status);
    int others[3];
    for (size_t i = 0; i < 3; i++)
        others[i] = connect_to(port);
    /* The third is one too many of one client: it is closed, the first hear the settings. */
    ck_assert_int_eq(1, recv(others[0], &byte, 1, 0));
    ck_assert_int_eq(1, recv(others[1], &byte, 1, 0));
    ck_assert_int_le(recv(others[2], &byte, 1, 0), 0);
    ck_assert_uint_eq(1, fl_grpc_stats_of(grpc).connections_refused);
    for (size_t i = 0; i < 3; i++)
        (void)close(others[i]);
    ck_assert_str_eq("0", call_with(TRACES, hello)->grpc_status);
}
END_TEST

static void setup_of_three(void)
{
    start(&(fl_grpc_options){.max_per_client = 3});
}

START_TEST(what_does_not_speak_http_2_is_closed)
{
    unsigned char bytes[256];
    int other = connect_to(port);
    ck_assert_int_eq(18, send(other, "GET / HTTP/1.1\r\n\r\n", 18, 0));
    while (recv(other, bytes, sizeof(bytes), 0) > 0) {
    }
    (void)close(other);
    ck_assert_uint_eq(1, fl_grpc_stats_of(grpc).connections_failed);
}
END_TEST

/* It asks on and on and takes nothing: what it is owed stays bounded, and others are served. */
START_TEST(a_client_that_never_reads_harms_nobody)
{
    int greedy = connect_to(port), small = 4096;
    (void)setsockopt(greedy, SOL_SOCKET, SO_RCVBUF, &small, (socklen_t)sizeof(small));
    struct timeval patience = {.tv_usec = 200000};
    (void)setsockopt(greedy, SOL_SOCKET, SO_SNDTIMEO, &patience, (socklen_t)sizeof(patience));
    ck_assert_int_gt(send(greedy, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33, 0), 0);
    char pings[17 * 256];
    for (size_t i = 0; i < 256; i++)
        memcpy(pings + 17 * i, "\0\0\x08\6\0\0\0\0\0abcdefgh", 17);
    for (int i = 0; i < 100 && send(greedy, pings, sizeof(pings), MSG_NOSIGNAL) > 0; i++) {
    }
    ck_assert_str_eq("0", call_with(TRACES, hello)->grpc_status);
    (void)close(greedy);
}
END_TEST

START_TEST(many_connections_at_once_are_served)
{
    enum { OTHERS = 100 };
    int others[OTHERS];
    for (size_t i = 0; i < OTHERS; i++)
        others[i] = connect_to(port); /* and say nothing */
    ck_assert_str_eq("0", call_with(TRACES, hello)->grpc_status);
    for (size_t i = 0; i < OTHERS; i++)
        (void)close(others[i]);
}
END_TEST

START_TEST(addresses_are_numbers_and_free)
{
    unsigned other;
    char taken[32];
    ck_assert_fails(FL_E_SYNTAX, fl_grpc_listen(grpc, "localhost:4317", &other, &err));
    ck_assert_str_eq("address 'localhost:4317' is not like 127.0.0.1:4318 or [::1]:4318",
                     err.message);
    err = (fl_error){0};
    (void)snprintf(taken, sizeof(taken), "127.0.0.1:%u", port);
    ck_assert_fails(FL_E_IO, fl_grpc_listen(grpc, taken, &other, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "Address already in use"));
}
END_TEST

START_TEST(a_method_without_a_route_is_an_error)
{
    static const fl_grpc_method methods[] = {{"/a.B/C", "/nowhere"}, {NULL, NULL}};
    fl_grpc *other;
    ck_assert_fails(FL_E_NOTFOUND,
                    fl_grpc_create(&other, http, &(fl_grpc_options){.methods = methods}, &err));
    ck_assert_str_eq("nothing takes /nowhere for the method /a.B/C", err.message);
}
END_TEST

START_TEST(creating_survives_each_allocation_failing)
{
    fl_grpc_destroy(grpc); /* nobody else allocates meanwhile */
    fl_mem_fail_after(0);
    ck_assert_fails(FL_E_NOMEM, fl_grpc_create(&grpc, http, NULL, &err));
    fl_mem_fail_after(-1);
    ck_assert_str_eq("no memory for gRPC", err.message);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("grpc");
    TCase *tests = tcase_create("all"), *few = tcase_create("few connections");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_call_reaches_the_handler_of_its_route);
    tcase_add_test(tests, a_refusal_of_the_handler_says_when_to_retry);
    tcase_add_test(tests, compressed_messages_are_undone);
    tcase_add_test(tests, messages_that_are_not_what_they_say_are_refused);
    tcase_add_test(tests, a_bomb_is_not_inflated_beyond_the_limit);
    tcase_add_test(tests, a_message_as_large_as_allowed_comes_through);
    tcase_add_test(tests, unknown_methods_are_unimplemented);
    tcase_add_test(tests, health_is_told_as_the_standard_service_does);
    tcase_add_test(tests, calls_of_one_connection_run_side_by_side);
    tcase_add_test(tests, a_call_that_waited_past_its_deadline_is_not_run);
    tcase_add_test(tests, a_client_that_leaves_takes_its_calls_along);
    tcase_add_test(tests, an_abrupt_stop_waits_for_handlers_alone);
    tcase_add_test(tests, a_gentle_stop_answers_what_is_under_way);
    tcase_add_test(tests, what_does_not_speak_http_2_is_closed);
    tcase_add_test(tests, a_client_that_never_reads_harms_nobody);
    tcase_add_test(tests, many_connections_at_once_are_served);
    tcase_add_test(tests, addresses_are_numbers_and_free);
    tcase_add_test(tests, a_method_without_a_route_is_an_error);
    tcase_add_test(tests, creating_survives_each_allocation_failing);
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(few, setup_of_three, teardown);
    tcase_add_test(few, connections_beyond_the_limit_are_closed);
    suite_add_tcase(suite, few);
    return suite;
}

FL_TEST_MAIN(make_suite)
