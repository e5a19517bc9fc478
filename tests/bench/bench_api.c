/*
 * bench_api.c - GET /v1/incidents/ID of an incident with 50 hypotheses of 8 rows of evidence each,
 * out of an SQLite store, for 100 clients that keep their connections.
 *
 *     bench_api [SECONDS]
 *
 * Twice: each client asks ten times a second, as pages do; and each asks again as soon as it has
 * its answer, which is as much as the machine gives. Then both again by clients that take gzip, as
 * browsers do. Processor time of the server and of the clients is told apart. The server is a
 * process of its own; one more process is all clients. A time is from the request's first byte to
 * the answer's last.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "api.h"
#include "fl_folder.h"
#include "fl_http_raw.h"
#include "fl_incidents.h"
#include "report.h"
#include "slice.h"
#include "timestamp.h"

enum {
    CLIENTS = 100,
    HYPOTHESES = 50,
    EVIDENCE = 8,
    A_SECOND = 10, /* requests of a client */
    MOST_TIMES = 4 << 20
};

static const char plain[] = "GET /v1/incidents/bench-1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
static const char packed[] =
    "GET /v1/incidents/bench-1 HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n";
static const char *request; /* of all clients */

static void fail(const char *what, const fl_error *err)
{
    fprintf(stderr, "bench_api: %s: %s\n", what, err->message);
    exit(EXIT_FAILURE);
}

static size_t fill_store(const char *place)
{
    static fl_hypothesis hypotheses[HYPOTHESES];
    static fl_evidence evidence[EVIDENCE];
    fl_error err = {0};
    fl_store *store;
    fl_incident incident = fl_test_incident;
    fl_buf document = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    for (size_t i = 0; i < EVIDENCE; i++)
        evidence[i] = fl_test_pool_evidence[i % 3];
    for (size_t i = 0; i < HYPOTHESES; i++) {
        hypotheses[i] = fl_test_hypotheses[0];
        hypotheses[i].rank = (uint32_t)i + 1;
        hypotheses[i].evidence = evidence;
        hypotheses[i].evidence_count = EVIDENCE;
    }
    incident.id = "bench-1";
    incident.hypotheses = hypotheses;
    incident.hypothesis_count = HYPOTHESES;
    if (fl_report_json(&document, &incident, &err) != FL_OK ||
        fl_store_open(&store, place, FL_STORE_CREATE, &err) != FL_OK ||
        fl_store_put(store, &incident, fl_buf_slice(&document), 1, &err) != FL_OK)
        fail("making the store", &err);
    size_t bytes = document.len;
    fl_store_close(store);
    fl_buf_dispose(&document);
    return bytes;
}

/* The port comes through the pipe; ends with a signal. */
static void serve(const char *place, int out)
{
    fl_error err = {0};
    fl_http *http;
    fl_api *api;
    unsigned port;
    const fl_api_options options = {.store = place, .mode = FL_STORE_EXISTING};
    const fl_http_options usual = {0};
    if (fl_http_create(&http, &usual, &err) != FL_OK ||
        fl_api_create(&api, &options, &err) != FL_OK ||
        fl_api_add_routes(api, http, &err) != FL_OK ||
        fl_http_listen(http, "127.0.0.1:0", &port, &err) != FL_OK)
        fail("starting", &err);
    if (write(out, &port, sizeof(port)) != sizeof(port))
        exit(EXIT_FAILURE);
    for (;;)
        pause();
}

typedef struct client {
    int fd;
    int64_t began_ns, due_ns; /* due: of the next request; 0 while one is under way */
    size_t got, wanted;
    char head[512];
} client;

static int64_t times[MOST_TIMES];
static size_t time_count;

static void send_request(client *c)
{
    c->began_ns = fl_time_monotonic();
    c->due_ns = 0;
    c->got = c->wanted = 0;
    raw_send(c->fd, request, strlen(request));
}

/* Whether the answer is whole. */
static bool read_some(client *c)
{
    static char bytes[1 << 18];
    for (;;) {
        ssize_t got = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got <= 0)
            return false;
        if (c->got < sizeof(c->head) - 1) {
            size_t room = sizeof(c->head) - 1 - c->got;
            size_t kept = (size_t)got < room ? (size_t)got : room;
            memcpy(c->head + c->got, bytes, kept);
            c->head[c->got + kept] = '\0';
            const char *end = strstr(c->head, "\r\n\r\n");
            const char *length = strstr(c->head, "Content-Length: ");
            if (end != NULL && length != NULL)
                c->wanted = (size_t)(end + 4 - c->head) + strtoul(length + 16, NULL, 10);
        }
        c->got += (size_t)got;
        if (c->wanted > 0 && c->got >= c->wanted)
            return strncmp(c->head, "HTTP/1.1 200", 12) == 0 ? true : (exit(EXIT_FAILURE), false);
    }
}

static pid_t server;

/* What a process has used of processors, as clock_getcpuclockid(3) has it. */
static double processor_us(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        exit(EXIT_FAILURE);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* `pause_ns` between the beginnings of a client's requests; 0: at once. */
static void run(unsigned port, const char *name, int64_t pause_ns, double seconds)
{
    static client clients[CLIENTS];
    int epoll = epoll_create1(0);
    int64_t begin_ns = fl_time_monotonic();
    int64_t end_ns = begin_ns + (int64_t)(seconds * 1e9);
    time_count = 0;
    double client_us = processor_us(getpid()), server_us = processor_us(server);
    for (size_t i = 0; i < CLIENTS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        clients[i] =
            (client){.fd = raw_connect(port), .due_ns = begin_ns + pause_ns * (int64_t)i / CLIENTS};
        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event);
    }
    for (int64_t now_ns = begin_ns; now_ns < end_ns; now_ns = fl_time_monotonic()) {
        struct epoll_event events[CLIENTS];
        for (size_t i = 0; i < CLIENTS; i++)
            if (clients[i].due_ns != 0 && clients[i].due_ns <= now_ns)
                send_request(&clients[i]);
        int count = epoll_wait(epoll, events, CLIENTS, 1);
        for (int i = 0; i < count; i++) {
            client *c = &clients[events[i].data.u32];
            if (!read_some(c) || time_count == MOST_TIMES)
                continue;
            now_ns = fl_time_monotonic();
            times[time_count++] = now_ns - c->began_ns;
            c->due_ns = c->began_ns + pause_ns > now_ns ? c->began_ns + pause_ns : now_ns;
        }
    }
    client_us = processor_us(getpid()) - client_us;
    server_us = processor_us(server) - server_us;
    for (size_t i = 0; i < CLIENTS; i++)
        close(clients[i].fd);
    close(epoll);
    qsort(times, time_count, sizeof(times[0]), compare);
    if (time_count == 0)
        exit(EXIT_FAILURE);
    printf("%-28s %8.0f requests/s   p50 %6.2f ms   p99 %6.2f ms   longest %6.2f ms   processor "
           "%5.1f us server, %5.1f us client\n",
           name, (double)time_count / seconds, (double)times[time_count / 2] / 1e6,
           (double)times[time_count * 99 / 100] / 1e6, (double)times[time_count - 1] / 1e6,
           server_us / (double)time_count, client_us / (double)time_count);
}

int main(int argc, char **argv)
{
    fl_folder folder;
    char place[128];
    int ends[2];
    unsigned port;
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 5;
    fl_folder_open(&folder);
    (void)snprintf(place, sizeof(place), "%s/store.db", folder.path);
    size_t bytes = fill_store(place);
    if (pipe(ends) != 0)
        return EXIT_FAILURE;
    server = fork();
    if (server == 0)
        serve(place, ends[1]);
    if (read(ends[0], &port, sizeof(port)) != sizeof(port))
        return EXIT_FAILURE;
    printf("an incident of %d hypotheses, %zu bytes, %d clients\n", HYPOTHESES, bytes, CLIENTS);
    request = plain;
    run(port, "ten requests a second each", FL_NS_PER_S / A_SECOND, seconds);
    run(port, "as fast as they can", 0, seconds);
    request = packed;
    run(port, "gzip, ten a second each", FL_NS_PER_S / A_SECOND, seconds);
    run(port, "gzip, as fast as they can", 0, seconds);
    (void)kill(server, SIGTERM);
    (void)waitpid(server, NULL, 0);
    fl_folder_remove(&folder);
    return EXIT_SUCCESS;
}
