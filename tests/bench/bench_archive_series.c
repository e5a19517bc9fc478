/*
 * bench_archive_series.c - what many series cost: memory, processor time and bytes on the disk.
 *
 *     bench_archive_series [SERIES [SCRAPES [HEAD_MB [FOLDER]]]]
 *
 * SERIES counters of a made-up cluster (six labels, as Kubernetes' have them) are scraped SCRAPES
 * times, every 15 seconds of their own time and as fast as the archive takes them; each scrape also
 * brings a log line of each of 10,000 statements. "resident" is what the process has after each
 * quarter, the peak last. Bytes on disk are those after all merges that are due.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "archive.h"
#include "slice.h"

enum { BATCH_RECORDS = 2000, STATEMENTS = 10000 };

static const int64_t STEP_NS = 15000000000;

typedef struct state {
    fl_archive *archive;
    fl_archive_batch *batch;
    const fl_sink *sink;
    uint32_t resource;
    uint64_t records, refused;
    int64_t now_ns;
} state;

static void die(const char *what)
{
    fprintf(stderr, "bench_archive_series: %s\n", what);
    exit(EXIT_FAILURE);
}

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double resident_mb(void)
{
    unsigned long long pages = 0, ignored;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%llu %llu", &ignored, &pages) != 2)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static void check(fl_status status, const fl_error *err)
{
    if (status != FL_OK)
        die(err->message);
}

/* As a sender that is told to try again. */
static void commit(state *to)
{
    fl_error err = {0};
    bool repeated;
    fl_status status;
    const fl_resource resource = {.service = FL_SLICE("checkout")};
    while ((status = fl_archive_commit(&repeated, to->archive, to->batch, &err)) == FL_E_LIMIT) {
        err = (fl_error){0};
        to->refused++;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    check(status, &err);
    fl_archive_batch_clear(to->batch);
    check(to->sink->resource(to->sink->payload, &resource, &to->resource, &err), &err);
}

static fl_attr label(const char *key, const char *value)
{
    return (fl_attr){fl_slice_of(key), {.kind = FL_VALUE_STRING, .text = fl_slice_of(value)}};
}

static void put_point(state *to, size_t number, size_t scrape)
{
    char metric[64], pod[64], bound[16], path[32];
    fl_error err = {0};
    snprintf(metric, sizeof(metric), "http_request_duration_seconds_%zu", number % 500);
    snprintf(pod, sizeof(pod), "checkout-5d9c8b7f6d-%05zx", number / 500);
    snprintf(bound, sizeof(bound), "%zu", number % 12);
    snprintf(path, sizeof(path), "/api/v1/r%zu", number % 37);
    const fl_attr labels[] = {label("handler", path),     label("instance", "10.0.12.7:9090"),
                              label("job", "kubernetes"), label("le", bound),
                              label("namespace", "shop"), label("pod", pod)};
    const fl_point point = {.metric = fl_slice_of(metric),
                            .kind = FL_POINT_SUM,
                            .temporality = FL_TEMPORALITY_CUMULATIVE,
                            .monotonic = true,
                            .time_ns = to->now_ns,
                            .value = (double)(number * 7 + scrape * (number % 100)),
                            .attrs = {labels, sizeof(labels) / sizeof(labels[0])}};
    check(to->sink->point(to->sink->payload, to->resource, &point, &err), &err);
}

/* Ten thousand statements: words in place of digits, which would be variables. */
static void put_log(state *to, size_t number, size_t scrape)
{
    char body[128], name[8];
    fl_error err = {0};
    for (size_t i = 0, rest = number; i < 5; i++, rest /= 26)
        name[i] = (char)('a' + rest % 26);
    name[5] = '\0';
    snprintf(body, sizeof(body), "%s: order %zu took %zu ms", name, number * 31 + scrape,
             scrape % 90);
    const fl_log log = {
        .time_ns = to->now_ns + (int64_t)number, .severity = 9, .body = fl_slice_of(body)};
    check(to->sink->log(to->sink->payload, to->resource, &log, &err), &err);
}

static void scrape_all(state *to, size_t series, size_t scrape)
{
    for (size_t i = 0; i < series + STATEMENTS; i++, to->records++) {
        if (i < series)
            put_point(to, i, scrape);
        else
            put_log(to, i - series, scrape);
        if (fl_archive_batch_records(to->batch) == BATCH_RECORDS)
            commit(to);
    }
    to->now_ns += STEP_NS;
    fl_archive_tick(to->archive, to->now_ns);
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

/* The archive says what is being merged; that there is nothing more is seen by waiting. */
static void await_merges(const state *at)
{
    for (int idle = 0; idle < 10; idle++) {
        fl_archive_tick(at->archive, at->now_ns);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        if (fl_archive_stats_of(at->archive).merging_blocks > 0)
            idle = -1;
    }
}

static void report(const state *at, double cpu, const char *sep)
{
    fl_error err = {0};
    struct rusage usage;
    check(fl_archive_flush(at->archive, &err), &err);
    await_merges(at);
    fl_archive_stats stats = fl_archive_stats_of(at->archive);
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "%s peak %.0f MB\n%llu records, %.0f ns of processor time each, %.2f bytes each on disk in "
        "%llu blocks (%llu were merged), told %llu times to try again\n",
        sep, (double)usage.ru_maxrss / 1e3, (unsigned long long)at->records,
        (cpu_s() - cpu) * 1e9 / (double)at->records,
        (double)stats.block_bytes / (double)stats.block_records, (unsigned long long)stats.blocks,
        (unsigned long long)stats.merged_blocks, (unsigned long long)at->refused);
}

int main(int argc, char **argv)
{
    size_t series = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    size_t scrapes = argc > 2 ? strtoul(argv[2], NULL, 10) : 8;
    char folder[64] = "./bench-archive-XXXXXX";
    fl_error err = {0};
    fl_disk *disk;
    fl_archive_recovery found;
    state at = {.now_ns = INT64_C(1700000000) * 1000000000};
    const fl_archive_options options = {.head_bytes =
                                            argc > 3 ? strtoul(argv[3], NULL, 10) << 20 : 0};
    if (series == 0 || scrapes == 0 || (argc <= 4 && mkdtemp(folder) == NULL))
        die("usage: bench_archive_series [SERIES [SCRAPES [HEAD_MB [FOLDER]]]]");
    check(fl_disk_open(&disk, argc > 4 ? argv[4] : folder, &err), &err);
    check(fl_archive_open(&at.archive, &found, disk, &options, at.now_ns, &err), &err);
    check(fl_archive_batch_create(&at.batch, &err), &err);
    at.sink = fl_archive_batch_sink(at.batch);
    commit(&at);
    double cpu = cpu_s();
    printf("%zu series, %zu scrapes: resident", series, scrapes);
    for (size_t i = 0; i < scrapes; i++) {
        scrape_all(&at, series, i);
        if ((i + 1) * 4 / scrapes != i * 4 / scrapes)
            printf(" %.0f", resident_mb());
        fflush(stdout);
    }
    commit(&at);
    report(&at, cpu, " MB,");
    fl_archive_batch_destroy(at.batch);
    fl_archive_close(at.archive);
    fl_disk_close(disk);
    empty_folder(argc > 4 ? argv[4] : folder);
    if (argc <= 4)
        rmdir(folder);
    return EXIT_SUCCESS;
}
