/*
 * bench_http.c - what the transport takes without what is behind it: requests a second of small
 * bodies, bytes a second of large ones, plain and compressed. The server has one core, the client
 * another one; the handler looks at the length alone.
 */
#define _GNU_SOURCE /* sched_setaffinity */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "fl_http_raw.h"
#include "fl_squeeze.h"
#include "http.h"
#include "timestamp.h"

enum { MAX_CONNECTIONS = 64 };

typedef struct load {
    const char *name;
    size_t body_bytes;
    bool is_gzip;
    int connections;
} load;

static const load loads[] = {
    {"200 B, 1 connection", 200, false, 1},      {"200 B, 16 connections", 200, false, 16},
    {"200 B, 64 connections", 200, false, 64},   {"64 KiB, 16 connections", 64 << 10, false, 16},
    {"1 MiB, 4 connections", 1 << 20, false, 4}, {"1 MiB as gzip, 4 connections", 1 << 20, true, 4},
};

static void pin(size_t core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

static void handler(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    (void)context;
    fl_buf_printf(&reply->body, "%zu", request->body.len);
}

/* Lines as logs have them: they compress about eightfold. */
static fl_bytes body_of(const load *l)
{
    fl_bytes body = {.ptr = malloc(l->body_bytes + 1), .len = l->body_bytes};
    uint64_t state = 1;
    for (size_t i = 0; i < l->body_bytes;) {
        char line[128];
        state = state * 6364136223846793005u + 1442695040888963407u;
        int len = snprintf(line, sizeof(line),
                           "GET /cart/%06u 200 took %u ms for user %08x of shop-eu-west\n",
                           (unsigned)(state >> 40) % 1000000, (unsigned)(state >> 33) % 900,
                           (unsigned)(state >> 20));
        size_t line_len = (size_t)len, left = l->body_bytes - i;
        size_t take = line_len < left ? line_len : left;
        memcpy(body.ptr + i, line, take);
        i += take;
    }
    if (!l->is_gzip)
        return body;
    fl_bytes packed = fl_gzip(fl_bytes_slice(body));
    free(body.ptr);
    return packed;
}

typedef struct peer {
    int fd;
    size_t sent;
    char answer[1024];
    size_t len;
} peer;

/* One step of a connection that may go on; true when an answer was whole. */
static bool step(peer *p, const char *request, size_t len)
{
    while (p->sent < len) {
        ssize_t sent = send(p->fd, request + p->sent, len - p->sent, MSG_NOSIGNAL);
        if (sent < 0)
            return false;
        p->sent += (size_t)sent;
    }
    ssize_t got = recv(p->fd, p->answer + p->len, sizeof(p->answer) - 1 - p->len, 0);
    if (got <= 0)
        return false;
    p->len += (size_t)got;
    p->answer[p->len] = '\0';
    const char *end = strstr(p->answer, "\r\n\r\n"),
               *length = strstr(p->answer, "Content-Length: ");
    if (end == NULL || length == NULL ||
        p->len < (size_t)(end + 4 - p->answer) + strtoul(length + 16, NULL, 10))
        return false;
    if (strncmp(p->answer, "HTTP/1.1 200", 12) != 0)
        abort();
    p->sent = p->len = 0;
    return true;
}

/* Requests that were answered within `seconds`. */
static uint64_t run_client(unsigned port, const load *l, const char *request, size_t len,
                           double seconds)
{
    static peer peers[MAX_CONNECTIONS];
    struct epoll_event events[MAX_CONNECTIONS];
    int epoll = epoll_create1(0);
    uint64_t done = 0;
    for (int i = 0; i < l->connections; i++) {
        peers[i] = (peer){.fd = raw_connect(port)};
        (void)fcntl(peers[i].fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &peers[i]};
        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].fd, &event);
    }
    int64_t end_ns = fl_time_monotonic() + (int64_t)(seconds * 1e9);
    while (fl_time_monotonic() < end_ns) {
        int count = epoll_wait(epoll, events, MAX_CONNECTIONS, 100);
        for (int i = 0; i < count; i++)
            while (step(events[i].data.ptr, request, len))
                done++;
    }
    for (int i = 0; i < l->connections; i++)
        close(peers[i].fd);
    close(epoll);
    return done;
}

static double cpu_s(void)
{
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void run_load(unsigned port, const load *l, double seconds)
{
    fl_bytes body = body_of(l);
    char *request = malloc(body.len + 512);
    int head = snprintf(
        request, 512, "POST /v1/bench HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n",
        l->is_gzip ? "Content-Encoding: gzip\r\n" : "", body.len);
    memcpy(request + head, body.ptr, body.len);
    int report[2];
    uint64_t done = 0;
    if (pipe(report) != 0)
        abort();
    double before = cpu_s();
    pid_t child = fork();
    if (child == 0) {
        pin(1);
        done = run_client(port, l, request, (size_t)head + body.len, seconds);
        _exit(write(report[1], &done, sizeof(done)) != sizeof(done));
    }
    (void)waitpid(child, NULL, 0);
    if (read(report[0], &done, sizeof(done)) != sizeof(done))
        abort();
    double used = cpu_s() - before;
    printf("%-30s %9.0f requests/s %8.0f MB/s of bodies, %5.2f of a core, %6.1f us each\n", l->name,
           (double)done / seconds, (double)done * (double)l->body_bytes / seconds / 1e6,
           used / seconds, used * 1e6 / (double)done);
    close(report[0]);
    close(report[1]);
    free(request);
    free(body.ptr);
}

int main(int argc, char **argv)
{
    fl_error err = {0};
    fl_http *http;
    unsigned port;
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
    const fl_http_route route = {.method = "POST", .path = "/v1/bench", .run = handler};
    pin(0);
    if (fl_http_create(&http, NULL, &err) != FL_OK || fl_http_add(http, &route, 1, &err) != FL_OK ||
        fl_http_listen(http, "127.0.0.1:0", &port, &err) != FL_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
        run_load(port, &loads[i], seconds);
    fl_http_destroy(http);
    return 0;
}
