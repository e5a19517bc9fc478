/*
 * bench_wal.c - the write-ahead log: records a second with a sync for each group, against the
 * disk's own syncs, and a replay.
 *
 *     bench_wal [FOLDER]      (default: a new one under /var/tmp, which is a disk's)
 *
 * Each sender waits for every one of its records of RECORD_BYTES; "bare" is a write and an
 * fdatasync of the same bytes in one thread, without a log.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crc32c.h"
#include "wal.h"

enum { THREADS = 32, RECORD_BYTES = 64 << 10, SECONDS = 3 };

static unsigned char payload[RECORD_BYTES];
static double deadline;

static void die(const char *what)
{
    fprintf(stderr, "bench_wal: %s\n", what);
    exit(EXIT_FAILURE);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void *write_until(void *context)
{
    fl_error err = {0};
    while (now_s() < deadline) {
        fl_wal_ticket ticket;
        if (fl_wal_append(&ticket, context, 1, (fl_slice){payload, RECORD_BYTES}, &err) != FL_OK ||
            fl_wal_wait(context, &ticket, &err) != FL_OK)
            die(err.message);
    }
    return NULL;
}

static void print_rate(const char *what, double records, double seconds, double syncs)
{
    printf("%-26s %10.0f records/s %8.0f MB/s %8.0f syncs/s\n", what, records / seconds,
           records * RECORD_BYTES / seconds / 1e6, syncs / seconds);
}

static void time_threads(fl_wal *wal, size_t threads, const char *what)
{
    pthread_t ids[THREADS];
    fl_error err = {0};
    fl_wal_stats before = fl_wal_stats_of(wal);
    double start = now_s();
    deadline = start + SECONDS;
    for (size_t i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, write_until, wal) != 0)
            die("no thread");
    for (size_t i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    fl_wal_stats after = fl_wal_stats_of(wal);
    print_rate(what, (double)(after.next_sequence - before.next_sequence), now_s() - start,
               (double)(after.groups - before.groups));
    if (fl_wal_release(wal, after.next_sequence, &err) != FL_OK)
        die(err.message);
}

static void time_bare(fl_disk *disk)
{
    fl_error err = {0};
    fl_disk_file *file;
    double start = now_s();
    uint64_t count = 0;
    if (fl_disk_open_file(&file, disk, "bare", true, &err) != FL_OK ||
        fl_disk_reserve(file, 64 << 20, &err) != FL_OK)
        die(err.message);
    for (; now_s() - start < SECONDS; count++)
        if (fl_disk_write(file, (fl_slice){payload, RECORD_BYTES},
                          count * RECORD_BYTES % (64 << 20), &err) != FL_OK ||
            fl_disk_sync(file, &err) != FL_OK)
            die(err.message);
    print_rate("bare, one at a time", (double)count, now_s() - start, (double)count);
    fl_disk_close_file(file);
    if (fl_disk_remove(disk, "bare", &err) != FL_OK)
        die(err.message);
}

static fl_wal *open_log(fl_disk *disk, fl_durability durability, fl_wal_recovery *found)
{
    fl_wal *wal;
    fl_error err = {0};
    const fl_wal_options options = {.durability = durability};
    if (fl_wal_open(&wal, found, disk, &options, &err) != FL_OK)
        die(err.message);
    return wal;
}

static void time_replay(fl_disk *disk)
{
    fl_error err = {0};
    fl_wal_recovery found;
    fl_wal *wal = open_log(disk, FL_DURABILITY_MEMORY, &found);
    for (int i = 0; i < 4096; i++) {
        fl_wal_ticket ticket;
        if (fl_wal_append(&ticket, wal, 1, (fl_slice){payload, RECORD_BYTES}, &err) != FL_OK ||
            fl_wal_wait(wal, &ticket, &err) != FL_OK)
            die(err.message);
    }
    fl_wal_close(wal);
    double start = now_s();
    wal = open_log(disk, FL_DURABILITY_MEMORY, &found);
    double seconds = now_s() - start;
    print_rate("replay", (double)found.records, seconds, 0);
    if (fl_wal_release(wal, found.records, &err) != FL_OK)
        die(err.message);
    fl_wal_close(wal);
}

static void time_crc(void)
{
    double start = now_s();
    uint32_t crc = 0;
    for (int i = 0; i < 20000; i++)
        crc = fl_crc32c(crc, (fl_slice){payload, RECORD_BYTES});
    print_rate("CRC-32C alone", 20000, now_s() - start, 0);
    if (crc == 1)
        puts("");
}

int main(int argc, char **argv)
{
    char made[] = "/var/tmp/faultline-bench-XXXXXX";
    fl_error err = {0};
    fl_disk *disk;
    fl_wal_recovery found;
    if (argc < 2 && mkdtemp(made) == NULL)
        die("no folder");
    for (size_t i = 0; i < RECORD_BYTES; i++)
        payload[i] = (unsigned char)(i * 2654435761u >> 13);
    if (fl_disk_open(&disk, argc > 1 ? argv[1] : made, &err) != FL_OK)
        die(err.message);
    time_crc();
    time_bare(disk);
    fl_wal *wal = open_log(disk, FL_DURABILITY_BATCH, &found);
    time_threads(wal, 1, "batch, 1 sender");
    time_threads(wal, THREADS, "batch, 32 senders");
    fl_wal_close(wal);
    wal = open_log(disk, FL_DURABILITY_MEMORY, &found);
    time_threads(wal, THREADS, "memory, 32 senders");
    fl_wal_close(wal);
    time_replay(disk);
    fl_disk_close(disk);
    return EXIT_SUCCESS;
}
