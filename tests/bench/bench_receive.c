/*
 * bench_receive.c - what taking a request costs behind the transport: decode, batch, log, head.
 *
 *   taskset -c 0 build/release/tests/bench_receive [SECONDS [THREADS]]
 *
 * Handlers are called as the transport's workers call them, in as many threads, over an archive in
 * a folder of the working directory, durable. Bodies are made beforehand
 * (tests/bench/load_bodies.h).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "fl_file.h"
#include "fl_folder.h"
#include "load_bodies.h"
#include "mem.h"
#include "receive.h"
#include "timestamp.h"

enum { MAX_THREADS = 64 };

typedef struct bench {
    fl_receive *receive;
    load_kind kind;
    fl_slice *bodies;
    size_t count;
    atomic_size_t next;
    atomic_ullong good, refused;
} bench;

static unsigned send_one(const fl_http_route *route, fl_slice body)
{
    fl_http_reply reply;
    fl_http_request request = {.method = "POST",
                               .path = route->path,
                               .body = body,
                               .content_type = "application/x-protobuf",
                               .client = "127.0.0.1",
                               .arrival_ns = fl_time_now()};
    fl_http_reply_init(&reply);
    route->run(route->context, &request, &reply);
    unsigned status = reply.status;
    fl_http_reply_dispose(&reply);
    return status;
}

/* What is refused for want of memory is sent again, as senders do: the rate is that of all of it,
 * sealing with it. */
static void *send_all(void *payload)
{
    bench *b = payload;
    size_t routes_count, at;
    const fl_http_route *routes = fl_receive_routes(b->receive, &routes_count), *route = routes;
    while (strcmp(route->path, load_routes[b->kind].path) != 0)
        route++;
    while ((at = atomic_fetch_add(&b->next, 1)) < b->count) {
        for (unsigned status = 503; status == 503;) {
            status = send_one(route, b->bodies[at]);
            atomic_fetch_add(&b->good, status / 100 == 2);
            atomic_fetch_add(&b->refused, status == 503);
            if (status == 503)
                nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        }
    }
    return NULL;
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Enough bodies for so long at the rate that is wanted. */
static void run(fl_receive *receive, load_kind kind, double seconds, unsigned threads)
{
    fl_bytes recorded = fl_file_read("tests/fixtures/receivers/remote_write_1.snappy");
    fl_arena arena = fl_arena_of(64 << 20);
    fl_slice write;
    load_maker maker;
    bench b = {.receive = receive, .kind = kind};
    pthread_t ids[MAX_THREADS];
    uint64_t records = 0, bytes = 0;
    if (fl_snappy_decode(&write, fl_bytes_slice(recorded), 64 << 20, &arena, NULL) != FL_OK)
        abort();
    load_maker_init(&maker, fl_time_now() - 600 * FL_NS_PER_S, write);
    size_t count =
        (size_t)(seconds * (kind == LOAD_WRITE ? 1000000 / LOAD_SERIES : 600000 / LOAD_RECORDS));
    b.bodies = calloc(count, sizeof(*b.bodies));
    for (size_t i = 0; i < count; i++) {
        fl_buf body = fl_buf_of(64 << 20);
        records += load_make(&maker, &body, kind);
        b.bodies[i] = fl_buf_slice(&body);
        bytes += body.len;
    }
    b.count = count;
    double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, send_all, &b) != 0)
            abort();
    for (unsigned i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    wall = seconds_of(CLOCK_MONOTONIC) - wall;
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%-13s %8.0f records/s of wall, %8.0f of processor time; %zu requests of %" PRIu64
           " bytes, %llu good, %llu sent again\n",
           load_routes[kind].name, (double)records / wall, (double)records / cpu, count,
           bytes / count, (unsigned long long)b.good, (unsigned long long)b.refused);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)b.bodies[i].ptr);
    free(b.bodies);
    load_maker_dispose(&maker);
    fl_arena_dispose(&arena);
    free(recorded.ptr);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
    unsigned threads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 8;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int kind = LOAD_LOGS; kind <= LOAD_WRITE; kind++) {
        fl_folder folder;
        fl_error err = {0};
        fl_disk *disk;
        fl_archive *archive;
        fl_archive_recovery found;
        fl_receive *receive;
        fl_archive_options options = {.durability = FL_DURABILITY_BATCH, .wal_bytes = 4ull << 30};
        fl_folder_open(&folder);
        if (threads == 0 || threads > MAX_THREADS ||
            fl_disk_open(&disk, folder.path, &err) != FL_OK ||
            fl_archive_open(&archive, &found, disk, &options, fl_time_now(), &err) != FL_OK ||
            fl_receive_create(&receive, &(fl_receive_options){.archive = archive}, &err) != FL_OK) {
            fprintf(stderr, "bench_receive: %s\n", err.message);
            return 1;
        }
        run(receive, (load_kind)kind, seconds, threads);
        fl_archive_stats stats = fl_archive_stats_of(archive);
        printf("              refused: memory %" PRIu64 ", disk %" PRIu64 "; sealed blocks %" PRIu64
               ", log groups %" PRIu64 "\n",
               stats.refused_memory, stats.refused_disk, stats.sealed_blocks, stats.wal_groups);
        fl_receive_destroy(receive);
        fl_archive_close(archive);
        fl_disk_close(disk);
        fl_folder_remove(&folder);
    }
    return 0;
}
