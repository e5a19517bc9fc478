/*
 * bench_load.c - load for a running daemon: OTLP logs and spans, remote write; what it took of it.
 *
 *   taskset -c 0 build/release/faultline serve --listen 127.0.0.1:14318 --data DIR
 *   taskset -c 1 build/release/tests/bench_load 14318 [RECORDS [CONNECTIONS [PATH]]]
 *
 * All bodies are made beforehand (load_bodies.h). Each connection is a thread that writes a request
 * and waits for its answer. A request that is told to come again is sent again, after 10 ms: the
 * rate is what the daemon keeps up with, sealing included. The processor time is the daemon's own,
 * out of its /metrics.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "fl_file.h"
#include "load_bodies.h"

enum { MAX_CONNECTIONS = 256, ANSWER_BYTES = 1 << 20 };

typedef struct load {
    unsigned port;
    load_kind kind;
    fl_slice *bodies;
    size_t count;
    atomic_size_t next;
    atomic_ullong good, again, bad;
} load;

static int connect_to(unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        perror("bench_load: connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void write_all(int fd, fl_slice head, fl_slice body)
{
    while (head.len + body.len > 0) {
        struct iovec parts[] = {{(void *)(uintptr_t)head.ptr, head.len},
                                {(void *)(uintptr_t)body.ptr, body.len}};
        ssize_t n = writev(fd, parts, 2);
        if (n <= 0) {
            perror("bench_load: write");
            exit(1);
        }
        size_t of_head = (size_t)n < head.len ? (size_t)n : head.len;
        head = fl_slice_part(head, of_head, head.len);
        body = body.len > 0 ? fl_slice_part(body, (size_t)n - of_head, body.len) : body;
    }
}

/* The status; the answer, whose length is told, is in `into`. */
static unsigned read_answer(int fd, char *into)
{
    size_t len = 0, wanted = SIZE_MAX;
    while (len < wanted) {
        ssize_t n = read(fd, into + len, ANSWER_BYTES - 1 - len);
        if (n <= 0)
            return 0;
        len += (size_t)n;
        into[len] = '\0';
        const char *end = wanted == SIZE_MAX ? strstr(into, "\r\n\r\n") : NULL;
        if (end != NULL) {
            const char *length = strstr(into, "Content-Length: ");
            wanted =
                (size_t)(end - into) + 4 + (length != NULL ? strtoul(length + 16, NULL, 10) : 0);
        }
    }
    return (unsigned)strtoul(into + strlen("HTTP/1.1 "), NULL, 10);
}

static unsigned post(int fd, load_kind kind, fl_slice body, char *answer)
{
    char head[512];
    const char *encoding = load_routes[kind].encoding;
    int len =
        snprintf(head, sizeof(head),
                 "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
                 "%s%s%sContent-Length: %zu\r\n\r\n",
                 load_routes[kind].path, encoding != NULL ? "Content-Encoding: " : "",
                 encoding != NULL ? encoding : "", encoding != NULL ? "\r\n" : "", body.len);
    write_all(fd, (fl_slice){(const unsigned char *)head, (size_t)len}, body);
    return read_answer(fd, answer);
}

static void *send_all(void *payload)
{
    load *l = payload;
    size_t at;
    int fd = connect_to(l->port);
    char *answer = malloc(ANSWER_BYTES);
    while (answer != NULL && (at = atomic_fetch_add(&l->next, 1)) < l->count) {
        unsigned status;
        while ((status = post(fd, l->kind, l->bodies[at], answer)) == 503) {
            atomic_fetch_add(&l->again, 1);
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        }
        atomic_fetch_add(status / 100 == 2 ? &l->good : &l->bad, 1);
    }
    free(answer);
    close(fd);
    return NULL;
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A figure of the daemon's /metrics, by its name. */
static double figure(unsigned port, const char *name)
{
    static char answer[ANSWER_BYTES];
    char line[128];
    int fd = connect_to(port);
    const char *ask = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    write_all(fd, fl_slice_of(ask), (fl_slice){0});
    read_answer(fd, answer);
    close(fd);
    snprintf(line, sizeof(line), "\n%s ", name);
    const char *at = strstr(answer, line);
    return at != NULL ? strtod(at + strlen(line), NULL) : 0;
}

static void run(unsigned port, load_kind kind, uint64_t records, unsigned connections)
{
    fl_bytes recorded = fl_file_read("tests/fixtures/receivers/remote_write_1.snappy");
    fl_arena arena = fl_arena_of(64 << 20);
    fl_slice write;
    load_maker maker;
    load l = {.port = port, .kind = kind};
    pthread_t ids[MAX_CONNECTIONS];
    uint64_t bytes = 0, made = 0;
    if (fl_snappy_decode(&write, fl_bytes_slice(recorded), 64 << 20, &arena, NULL) != FL_OK)
        abort();
    load_maker_init(&maker, fl_time_now() - 600 * FL_NS_PER_S, write);
    l.count = records / (kind == LOAD_WRITE ? LOAD_SERIES : LOAD_RECORDS);
    l.bodies = calloc(l.count, sizeof(*l.bodies));
    for (size_t i = 0; l.bodies != NULL && i < l.count; i++) {
        fl_buf body = fl_buf_of(64 << 20);
        made += load_make(&maker, &body, kind);
        l.bodies[i] = fl_buf_slice(&body);
        bytes += body.len;
    }
    double cpu = figure(port, "process_cpu_seconds_total"), wall = seconds_now();
    for (unsigned i = 0; i < connections; i++)
        if (pthread_create(&ids[i], NULL, send_all, &l) != 0)
            abort();
    for (unsigned i = 0; i < connections; i++)
        pthread_join(ids[i], NULL);
    wall = seconds_now() - wall;
    cpu = figure(port, "process_cpu_seconds_total") - cpu;
    printf("%-13s %8.0f records/s of wall, %8.0f of the daemon's processor time; %zu requests of "
           "%" PRIu64 " bytes; %llu good, %llu bad, %llu told to come again; resident %.0f MB\n",
           load_routes[kind].name, (double)made / wall, (double)made / cpu, l.count,
           bytes / l.count, (unsigned long long)l.good, (unsigned long long)l.bad,
           (unsigned long long)l.again, figure(port, "process_resident_memory_bytes") / 1e6);
    for (size_t i = 0; i < l.count; i++)
        free((void *)(uintptr_t)l.bodies[i].ptr);
    free(l.bodies);
    load_maker_dispose(&maker);
    fl_arena_dispose(&arena);
    free(recorded.ptr);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_load PORT [RECORDS [CONNECTIONS [PATH]]]\n");
        return 2;
    }
    unsigned port = (unsigned)strtoul(argv[1], NULL, 10);
    uint64_t records = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000000;
    unsigned connections = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 16;
    if (connections == 0 || connections > MAX_CONNECTIONS || records < LOAD_SERIES)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int kind = LOAD_LOGS; kind <= LOAD_WRITE; kind++)
        if (argc <= 4 || strcmp(argv[4], load_routes[kind].path) == 0)
            run(port, (load_kind)kind, records, connections);
    return 0;
}
