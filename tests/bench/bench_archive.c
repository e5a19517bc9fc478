/*
 * bench_archive.c - what it costs to accept records durably, on one core.
 *
 *     bench_archive [RECORDS [THREADS [FOLDER]]]
 *
 * Genuine requests (../shared/samples, or FL_SHARED) are decoded again and again, each time with
 * other moments and ids, into batches of some thousand records that are committed to an archive on
 * the disk. Processor time of the whole process a record, in four steps: decoding into a sink that
 * does nothing, into a batch, with the commit, and with sealing all of it into blocks. "disk" is
 * what the sealed blocks take.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "archive.h"
#include "mem.h"
#include "otlp.h"
#include "prometheus.h"
#include "stream.h"

enum { DEFAULT_RECORDS = 2000000, BATCH_RECORDS = 2000, MAX_THREADS = 64 };

typedef enum bench_step { STEP_DECODE, STEP_BATCH, STEP_COMMIT } bench_step;

typedef struct bench_sample {
    const char *name, *path;
    bool is_write;
} bench_sample;

/* Passes records on, as if they were others. */
typedef struct shifter {
    const fl_sink *to;
    int64_t by_ns;
    uint64_t salt, records;
} shifter;

typedef struct sender {
    const bench_sample *sample;
    fl_slice bytes;
    fl_archive *archive;
    bench_step step;
    uint64_t records, first, log_bytes;
    pthread_t thread;
} sender;

static void die(const char *what)
{
    fprintf(stderr, "bench_archive: %s\n", what);
    exit(EXIT_FAILURE);
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static fl_status on_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                             fl_error *err)
{
    shifter *at = payload;
    *handle = 0;
    return at->to == NULL ? FL_OK : at->to->resource(at->to->payload, resource, handle, err);
}

static fl_status on_span(void *payload, uint32_t resource, const fl_span *span, fl_error *err)
{
    shifter *at = payload;
    fl_span other = *span;
    at->records++;
    other.start_ns += at->by_ns;
    other.end_ns += at->by_ns;
    other.trace.hi ^= at->salt;
    other.trace.lo += at->salt;
    other.id += at->salt;
    other.parent += span->parent != 0 ? at->salt : 0;
    return at->to == NULL ? FL_OK : at->to->span(at->to->payload, resource, &other, err);
}

static fl_status on_log(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    shifter *at = payload;
    fl_log other = *log;
    at->records++;
    other.time_ns += at->by_ns;
    other.trace.hi ^= at->salt;
    other.trace.lo += at->salt;
    other.span += at->salt;
    return at->to == NULL ? FL_OK : at->to->log(at->to->payload, resource, &other, err);
}

static fl_status on_point(void *payload, uint32_t resource, const fl_point *point, fl_error *err)
{
    shifter *at = payload;
    fl_point other = *point;
    at->records++;
    other.time_ns += at->by_ns;
    other.value += (double)(at->salt % 1024); /* not the same again, and no noise either */
    return at->to == NULL ? FL_OK : at->to->point(at->to->payload, resource, &other, err);
}

static fl_status on_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    (void)payload;
    return fl_fail(err, FL_E_SYNTAX, reject->offset, "%s", reject->reason);
}

/* An odd constant (the golden ratio): ids of different turns differ. */
static void turn(shifter *at, uint64_t number, bool is_write)
{
    at->by_ns = (int64_t)number * (is_write ? 15000000000 : 1000000);
    at->salt = number * UINT64_C(0x9E3779B97F4A7C15);
}

static void *send_all(void *payload)
{
    sender *from = payload;
    fl_error err = {0};
    shifter at = {0};
    fl_archive_batch *batch;
    fl_otlp *otlp;
    fl_prometheus *prometheus;
    const fl_sink sink = {.payload = &at,
                          .resource = on_resource,
                          .span = on_span,
                          .log = on_log,
                          .point = on_point,
                          .reject = on_reject};
    const fl_intake intake = {.sink = &sink, .source = "bench"};
    if (fl_archive_batch_create(&batch, &err) != FL_OK ||
        fl_otlp_create(&otlp, &sink, &err) != FL_OK ||
        fl_prometheus_create(&prometheus, &intake, &err) != FL_OK)
        die(err.message);
    at.to = from->step == STEP_DECODE ? NULL : fl_archive_batch_sink(batch);
    for (uint64_t number = from->first, sent = 0; at.records < from->records; number++) {
        turn(&at, number, from->sample->is_write);
        fl_status status =
            from->sample->is_write
                ? fl_prometheus_write(prometheus, from->bytes, &err)
                : fl_otlp_proto(otlp, from->bytes, FL_OTLP_UNKNOWN, "bench", 0, &err);
        bool repeated = false;
        if (status == FL_OK && at.records - sent >= BATCH_RECORDS) {
            sent = at.records;
            from->log_bytes += fl_archive_batch_bytes(batch);
            while (from->step == STEP_COMMIT &&
                   (status = fl_archive_commit(&repeated, from->archive, batch, &err)) ==
                       FL_E_LIMIT) {
                err = (fl_error){0};
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
            }
            fl_archive_batch_clear(batch);
        }
        if (status != FL_OK || repeated)
            die(repeated ? "a batch is repeated" : err.message);
    }
    from->records = at.records;
    fl_archive_batch_destroy(batch);
    fl_otlp_destroy(otlp);
    fl_prometheus_destroy(prometheus);
    return NULL;
}

static uint64_t run(uint64_t *bytes, const sender *like, size_t threads, uint64_t records)
{
    sender senders[MAX_THREADS];
    uint64_t sent = 0;
    *bytes = 0;
    for (size_t i = 0; i < threads; i++) {
        senders[i] = *like;
        senders[i].records = records / threads;
        senders[i].first = 1 + i * records; /* turns of different threads differ */
        if (pthread_create(&senders[i].thread, NULL, send_all, &senders[i]) != 0)
            die("no thread");
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(senders[i].thread, NULL);
        sent += senders[i].records;
        *bytes += senders[i].log_bytes;
    }
    return sent;
}

static void empty_folder(const char *path)
{
    char name[4096];
    DIR *dir = opendir(path);
    for (const struct dirent *entry = dir != NULL ? readdir(dir) : NULL; entry != NULL;
         entry = readdir(dir)) {
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(name);
    }
    if (dir != NULL)
        closedir(dir);
}

static void time_sample(const bench_sample *sample, uint64_t records, size_t threads,
                        const char *folder)
{
    static const char *const steps[] = {"decode", "batch", "commit"};
    fl_error err = {0};
    fl_stream *stream;
    fl_stream_block memory = {0};
    fl_disk *disk;
    fl_archive_recovery found;
    sender like = {.sample = sample};
    if (fl_stream_open(&stream, sample->path, &err) != FL_OK ||
        fl_stream_read_all(&like.bytes, &memory, stream, 1 << 30, &err) != FL_OK ||
        fl_disk_open(&disk, folder, &err) != FL_OK ||
        fl_archive_open(&like.archive, &found, disk,
                        &(fl_archive_options){.wal_bytes = UINT64_C(8) << 30}, 1, &err) != FL_OK)
        die(err.message);
    fl_stream_close(stream);
    printf("%-20s", sample->name);
    double cpu = 0, wall = 0;
    uint64_t sent = 0, bytes = 0;
    for (bench_step step = STEP_DECODE; step <= STEP_COMMIT; step++) {
        like.step = step;
        cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
        wall = seconds(CLOCK_MONOTONIC);
        sent = run(&bytes, &like, step == STEP_COMMIT ? threads : 1, records);
        printf("  %s %6.0f ns", steps[step],
               (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e9 / (double)sent);
        fflush(stdout);
    }
    printf(" (wall %.0f)", (seconds(CLOCK_MONOTONIC) - wall) * 1e9 / (double)sent);
    if (fl_archive_flush(like.archive, &err) != FL_OK)
        die(err.message);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    fl_archive_stats stats = fl_archive_stats_of(like.archive);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("  sealed %6.0f ns: %.0f records/s on one core; log %.0f, disk %.2f bytes each, %llu "
           "blocks, %llu "
           "groups, "
           "refused %llu; %ld MB\n",
           cpu * 1e9 / (double)sent, (double)sent / cpu, (double)bytes / (double)sent,
           (double)stats.block_bytes / (double)stats.block_records,
           (unsigned long long)stats.blocks, (unsigned long long)stats.wal_groups,
           (unsigned long long)stats.refused_memory, usage.ru_maxrss / 1024);
    fl_archive_close(like.archive);
    fl_disk_close(disk);
    fl_mem_free(memory.ptr);
    empty_folder(folder);
}

int main(int argc, char **argv)
{
    static char paths[3][4096];
    bench_sample samples[] = {{"logs, protobuf", "otlp_logs.pb", false},
                              {"spans, protobuf", "otlp_traces.pb", false},
                              {"remote write", "remote_write_1.snappy", true}};
    uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : DEFAULT_RECORDS;
    size_t threads = argc > 2 ? strtoul(argv[2], NULL, 10) : 8;
    const char *shared = getenv("FL_SHARED");
    char folder[64] = "./bench-archive-XXXXXX";
    if (threads == 0 || threads > MAX_THREADS || records == 0)
        die("usage: bench_archive [RECORDS [THREADS [FOLDER]]]");
    if (argc <= 3 && mkdtemp(folder) == NULL)
        die("cannot make a folder");
    for (size_t i = 0; i < 3; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s/samples/%s",
                 shared != NULL ? shared : FL_SOURCE_DIR "/../shared", samples[i].path);
        samples[i].path = paths[i];
        time_sample(&samples[i], records, threads, argc > 3 ? argv[3] : folder);
    }
    if (argc <= 3)
        rmdir(folder);
    return EXIT_SUCCESS;
}
