/*
 * bench_grpc - unary calls over loopback into a handler that does nothing.
 *
 * The server is a process of its own; a row is its processor time for as many calls as the client
 * makes: calls and MB (10^6 bytes of messages as sent) for a second of one core. The client keeps
 * 4 connections with 16 calls each busy.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fl_squeeze.h"
#include "grpc.h"

/* nghttp2 is called by its own name here, not by the product's pointers. */
#include <nghttp2/nghttp2.h>

#define METHOD "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
enum { CONNECTIONS = 4, CALLS = 16, STREAMS = 4096, READ_BYTES = 64 << 10 };

typedef struct load {
    nghttp2_session *h2;
    int fd;
    size_t sent[STREAMS]; /* by half the stream's number, modulo */
} load;

static unsigned char *message;
static size_t message_len;
static const char *encoding;
static size_t wanted, started, answered, failed;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Processor time of the servers that have ended. */
static double children_cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* --- the server --- */

static void handler(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context;
    reply->status = request->body.len > 0 ? 200 : 400;
}

static const fl_http_route routes[] = {{.method = "POST", .path = "/v1/traces", .run = handler},
                                       {.method = "POST", .path = "/v1/metrics", .run = handler},
                                       {.method = "POST", .path = "/v1/logs", .run = handler}};

static void serve(int ready, int quit)
{
    fl_error err = {0};
    fl_http *http = NULL;
    fl_grpc *grpc = NULL;
    unsigned port = 0;
    char byte;
    if (fl_http_create(&http, NULL, &err) != FL_OK || fl_http_add(http, routes, 3, &err) != FL_OK ||
        fl_grpc_create(&grpc, http, NULL, &err) != FL_OK ||
        fl_grpc_listen(grpc, "127.0.0.1:0", &port, &err) != FL_OK) {
        fprintf(stderr, "bench_grpc: %s\n", err.message);
        _exit(EXIT_FAILURE);
    }
    if (write(ready, &port, sizeof(port)) != sizeof(port) || read(quit, &byte, 1) < 0)
        _exit(EXIT_FAILURE);
    fl_grpc_destroy(grpc);
    fl_http_destroy(http);
    _exit(EXIT_SUCCESS);
}

/* --- the client --- */

static ssize_t read_message(nghttp2_session *h2, int32_t stream, uint8_t *to, size_t cap,
                            uint32_t *flags, nghttp2_data_source *source, void *payload)
{
    (void)h2, (void)source;
    size_t *sent = &((load *)payload)->sent[(uint32_t)stream / 2 % STREAMS];
    size_t part = message_len - *sent < cap ? message_len - *sent : cap;
    memcpy(to, message + *sent, part);
    *sent += part;
    if (*sent == message_len) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        *sent = 0;
    }
    return (ssize_t)part;
}

static nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .namelen = strlen(name),
                        .value = (uint8_t *)(uintptr_t)value,
                        .valuelen = strlen(value)};
}

static void ask(load *to)
{
    const nghttp2_nv head[] = {nv(":method", "POST"),
                               nv(":scheme", "http"),
                               nv(":path", METHOD),
                               nv(":authority", "localhost"),
                               nv("content-type", "application/grpc"),
                               nv("te", "trailers"),
                               nv("grpc-encoding", encoding)};
    nghttp2_data_provider data = {.read_callback = read_message};
    if (nghttp2_submit_request(to->h2, NULL, head, 7, &data, NULL) < 0)
        abort();
    started++;
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t len, uint8_t flags,
                     void *payload)
{
    (void)h2, (void)frame, (void)flags, (void)payload;
    if (name_len == 11 && memcmp(name, "grpc-status", 11) == 0 && (len != 1 || value[0] != '0'))
        failed++;
    return 0;
}

static int on_close(nghttp2_session *h2, int32_t stream, uint32_t error, void *payload)
{
    (void)h2, (void)stream, (void)error;
    answered++;
    if (started < wanted)
        ask(payload);
    return 0;
}

static ssize_t on_send(nghttp2_session *h2, const uint8_t *bytes, size_t len, int flags,
                       void *payload)
{
    (void)h2, (void)flags;
    ssize_t sent = send(((load *)payload)->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? NGHTTP2_ERR_WOULDBLOCK : sent;
}

static void open_load(load *to, unsigned port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    nghttp2_session_callbacks *callbacks;
    to->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (to->fd < 0 || connect(to->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        nghttp2_session_callbacks_new(&callbacks) != 0)
        abort();
    (void)setsockopt(to->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    if (nghttp2_session_client_new(&to->h2, callbacks, to) != 0 ||
        nghttp2_submit_settings(to->h2, NGHTTP2_FLAG_NONE, NULL, 0) != 0)
        abort();
    nghttp2_session_callbacks_del(callbacks);
    for (int i = 0; i < CALLS && started < wanted; i++)
        ask(to);
}

static void pump(load *loads)
{
    static unsigned char bytes[READ_BYTES];
    struct pollfd polls[CONNECTIONS];
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (nghttp2_session_send(loads[i].h2) != 0)
            abort();
        short events = nghttp2_session_want_write(loads[i].h2) != 0 ? POLLIN | POLLOUT : POLLIN;
        polls[i] = (struct pollfd){.fd = loads[i].fd, .events = events};
    }
    if (poll(polls, CONNECTIONS, 10000) <= 0)
        abort();
    for (size_t i = 0; i < CONNECTIONS; i++) {
        ssize_t len = (polls[i].revents & POLLIN) != 0
                          ? recv(loads[i].fd, bytes, sizeof(bytes), MSG_DONTWAIT)
                          : 0;
        if (len > 0 && nghttp2_session_mem_recv(loads[i].h2, bytes, (size_t)len) != len)
            abort();
    }
}

static void run(const char *what, fl_slice bytes, const char *coding, size_t calls)
{
    int ready[2], quit[2];
    unsigned port = 0;
    static load loads[CONNECTIONS];
    if (pipe(ready) != 0 || pipe(quit) != 0)
        abort();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        (void)close(quit[1]);
        serve(ready[1], quit[0]);
    }
    if (child < 0 || read(ready[0], &port, sizeof(port)) != sizeof(port))
        abort();
    message_len = bytes.len + 5;
    message = malloc(message_len);
    if (message == NULL)
        abort();
    message[0] = strcmp(coding, "identity") != 0;
    for (unsigned i = 0; i < 4; i++)
        message[1 + i] = (unsigned char)(bytes.len >> (24 - 8 * i));
    memcpy(message + 5, bytes.ptr, bytes.len);
    encoding = coding;
    wanted = calls;
    started = answered = failed = 0;
    memset(loads, 0, sizeof(loads));
    double begin = seconds_now();
    for (size_t i = 0; i < CONNECTIONS; i++)
        open_load(&loads[i], port);
    while (answered < wanted)
        pump(loads);
    double wall = seconds_now() - begin;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        nghttp2_session_del(loads[i].h2);
        (void)close(loads[i].fd);
    }
    int status;
    double cpu = children_cpu();
    (void)close(quit[1]);
    if (waitpid(child, &status, 0) != child || status != 0)
        abort();
    cpu = children_cpu() - cpu;
    (void)close(quit[0]);
    (void)close(ready[0]);
    (void)close(ready[1]);
    double total = (double)calls;
    printf("%-22s %8zu calls %10.0f calls/s %8.0f MB/s a core; %8.0f calls/s wall; %zu failed\n",
           what, calls, total / cpu, total * (double)bytes.len / 1e6 / cpu, total / wall, failed);
    free(message);
}

int main(void)
{
    enum { LARGE = 1 << 20, MEDIUM = 16 << 10, SMALL = 256 };
    unsigned char *bytes = malloc(LARGE);
    if (bytes == NULL)
        return EXIT_FAILURE;
    (void)signal(SIGPIPE, SIG_IGN);
    /* Compresses to a fifth, as spans do. */
    unsigned state = 1;
    for (size_t i = 0; i < LARGE; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = i % 8 < 6 ? (unsigned char)('a' + i % 8) : (unsigned char)(state >> 24);
    }
    run("256 B", (fl_slice){.ptr = bytes, .len = SMALL}, "identity", 200000);
    run("16 KiB", (fl_slice){.ptr = bytes, .len = MEDIUM}, "identity", 100000);
    run("1 MiB", (fl_slice){.ptr = bytes, .len = LARGE}, "identity", 4000);
    fl_bytes packed = fl_gzip((fl_slice){.ptr = bytes, .len = MEDIUM});
    run("16 KiB as gzip", fl_bytes_slice(packed), "gzip", 100000);
    free(packed.ptr);
    packed = fl_zstd((fl_slice){.ptr = bytes, .len = MEDIUM}, 3);
    run("16 KiB as zstd", fl_bytes_slice(packed), "zstd", 100000);
    free(packed.ptr);
    free(bytes);
    return EXIT_SUCCESS;
}
