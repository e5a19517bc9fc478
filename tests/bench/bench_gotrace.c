/*
 * bench_gotrace FILE - an execution trace of Go, read to events in order.
 *
 * Prints CPU time of this process, the best of three rounds, MB/s (10^6 bytes) and events a second.
 * A large trace to read is made by tests/bench/gotrace-stress.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "gotrace.h"

enum { ROUNDS = 3 };

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Sums what it is told, so that nothing of it is left out. */
static fl_status take(void *payload, const fl_gotrace_view *view, const fl_gotrace_event *events,
                      size_t count, fl_error *err)
{
    uint64_t *sum = payload;
    (void)view;
    (void)err;
    for (size_t i = 0; i < count; i++)
        *sum += events[i].kind + events[i].stack + (uint64_t)events[i].time_ns;
    return FL_OK;
}

static fl_status read_once(const char *path, fl_gotrace_info *info, uint64_t *sum, fl_error *err)
{
    fl_stream *in;
    fl_gotrace *trace = NULL;
    fl_status status = fl_stream_open(&in, path, err);
    if (status != FL_OK)
        return status;
    status = fl_gotrace_create(&trace, err);
    if (status == FL_OK)
        status = fl_gotrace_read(trace, in, take, sum, err);
    if (status == FL_OK)
        *info = *fl_gotrace_info_of(trace);
    fl_gotrace_destroy(trace);
    fl_stream_close(in);
    return status;
}

int main(int argc, char **argv)
{
    fl_error err = {0};
    fl_gotrace_info info = {0};
    struct rusage usage;
    struct stat file;
    double best = 0;
    uint64_t sum = 0;
    if (argc != 2 || stat(argv[1], &file) != 0) {
        fprintf(stderr, "usage: bench_gotrace FILE\n");
        return 2;
    }
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();
        if (read_once(argv[1], &info, &sum, &err) != FL_OK) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        double seconds = cpu_seconds() - start;
        if (round == 0 || seconds < best)
            best = seconds;
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("go 1.%u: %.3f s, %.0f MB/s, %.1f M events/s, %ld MiB (sum %llx)\n", info.version, best,
           (double)file.st_size / 1e6 / best, (double)info.events / 1e6 / best,
           usage.ru_maxrss / 1024, (unsigned long long)sum);
    return 0;
}
