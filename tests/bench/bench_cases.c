/*
 * bench_cases.c - milliseconds of ranking labelled cases, by system: all that comes after the
 * timeline (streams of spans, tests, hypotheses, explanation), and decoding, which is all before it
 * (reading, decompressing, OTLP to records, templates of lines, sorting onto the timeline).
 *
 *     bench_cases CASES [ROUNDS [all]]
 *
 * What fl_triage_run() takes, but by the processor's time of this thread, so that other programs
 * add little. Of a case's rounds the best counts; the first is told too, which finds caches cold.
 * "all" prints every case.
 */
#define _GNU_SOURCE /* syscall */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "drill_case.h"
#include "faultline/triage.h"

enum { MAX_ROUNDS = 100 };

/* Instead of the C library's: the monotonic clock is this thread's time. */
int clock_gettime(clockid_t clock, struct timespec *out)
{
    return (int)syscall(SYS_clock_gettime,
                        clock == CLOCK_MONOTONIC ? CLOCK_THREAD_CPUTIME_ID : clock, out);
}

struct timing {
    int64_t first_ns, rank_ns, decode_ns;
};

static fl_status triage_once(int64_t *rank_ns, int64_t *decode_ns, const fl_drill_case *which,
                             const fl_drill_question *question)
{
    fl_error err = {0};
    fl_triage *triage;
    const fl_triage_request request = {.otlp = &which->folder,
                                       .otlp_count = 1,
                                       .baseline = &question->baseline,
                                       .baseline_count = question->baseline != NULL,
                                       .at_ns = question->at_ns,
                                       .service = question->service,
                                       .topology = question->topology};
    fl_status status = fl_triage_run(&triage, &request, &err);
    if (status != FL_OK) {
        fprintf(stderr, "bench_cases: %s: %s\n", which->name, err.message);
        return status;
    }
    *rank_ns = fl_triage_rank_ns(triage);
    *decode_ns = fl_triage_decode_ns(triage);
    fl_triage_destroy(triage);
    return FL_OK;
}

static int64_t least(const int64_t *values, size_t count)
{
    int64_t out = values[0];
    for (size_t i = 1; i < count; i++)
        out = values[i] < out ? values[i] : out;
    return out;
}

static fl_status time_case(struct timing *out, const fl_drill_case *which, size_t rounds)
{
    int64_t rank_ns[MAX_ROUNDS], decode_ns[MAX_ROUNDS];
    fl_arena arena = fl_arena_of(1 << 20);
    fl_drill_question question;
    fl_status status = fl_drill_read_question(&question, &arena, which, NULL);
    for (size_t i = 0; i < rounds && status == FL_OK; i++)
        status = triage_once(&rank_ns[i], &decode_ns[i], which, &question);
    fl_arena_dispose(&arena);
    if (status == FL_OK)
        *out = (struct timing){.first_ns = rank_ns[0],
                               .rank_ns = least(rank_ns, rounds),
                               .decode_ns = least(decode_ns, rounds)};
    return status;
}

static double ms(int64_t ns)
{
    return (double)ns * 1e-6;
}

static void print_system(const fl_drill_case *cases, const struct timing *timings, size_t count,
                         int64_t *scratch)
{
    size_t slowest = 0, under = 0;
    int64_t first_ns = 0, decode_ns = 0;
    for (size_t i = 0; i < count; i++) {
        slowest = timings[i].rank_ns > timings[slowest].rank_ns ? i : slowest;
        first_ns = timings[i].first_ns > first_ns ? timings[i].first_ns : first_ns;
        decode_ns = timings[i].decode_ns > decode_ns ? timings[i].decode_ns : decode_ns;
        under += timings[i].rank_ns < 10000000;
        scratch[i] = timings[i].rank_ns;
    }
    printf(
        "%-16s n = %3zu  rank: median %5.1f ms, most %5.1f ms (%s; first round %.1f ms), %zu under "
        "10 ms;",
        cases[0].system, count, ms(fl_drill_median(scratch, count)), ms(timings[slowest].rank_ns),
        cases[slowest].name, ms(first_ns), under);
    for (size_t i = 0; i < count; i++)
        scratch[i] = timings[i].decode_ns;
    printf("  decode: median %5.1f ms, most %5.1f ms\n", ms(fl_drill_median(scratch, count)),
           ms(decode_ns));
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 5;
    bool all = argc > 3 && strcmp(argv[3], "all") == 0;
    fl_arena arena = fl_arena_of(16 << 20);
    fl_drill_cases found;
    fl_error err = {0};
    if (argc < 2 || rounds == 0 || rounds > MAX_ROUNDS)
        return EXIT_FAILURE;
    if (fl_drill_find(&found, &arena, argv[1], &err) != FL_OK) {
        fprintf(stderr, "bench_cases: %s\n", err.message);
        return EXIT_FAILURE;
    }
    struct timing *timings = fl_arena_alloc(&arena, found.count, sizeof(*timings));
    int64_t *scratch = fl_arena_alloc(&arena, found.count, sizeof(*scratch));
    for (size_t i = 0; i < found.count; i++) {
        if (timings == NULL || scratch == NULL ||
            time_case(&timings[i], &found.items[i], rounds) != FL_OK)
            return EXIT_FAILURE;
        if (all)
            printf("%s: rank %.2f ms (first %.2f), decode %.1f ms\n", found.items[i].name,
                   ms(timings[i].rank_ns), ms(timings[i].first_ns), ms(timings[i].decode_ns));
    }
    for (size_t from = 0, to; from < found.count; from = to) {
        for (to = from; to < found.count; to++)
            if (strcmp(found.items[to].system, found.items[from].system) != 0)
                break;
        print_system(&found.items[from], &timings[from], to - from, scratch);
    }
    fl_arena_dispose(&arena);
    return EXIT_SUCCESS;
}
