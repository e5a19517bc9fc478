/*
 * bench_profile.c - reading a series of profiles and the table of each, within one process.
 *
 * usage: bench_profile [-r ROUNDS] FILE...
 *
 * Figures are process CPU time for the whole series, the best of ROUNDS (default 20): the start of
 * a program, which for small files costs more than they do, is in profile_bench.py.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "callgraph.h"
#include "pprof.h"

enum { ROUNDS = 20 };

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Returns the functions of all tables, so that nothing can be left out. */
static size_t read_series(fl_profile *profile, char **files, int count, double *table_seconds)
{
    size_t functions = 0;
    for (int i = 0; i < count; i++) {
        fl_error err = {0};
        fl_callgraph *graph = NULL;
        if (fl_profile_read_file(profile, files[i], NULL, &err) != FL_OK) {
            fprintf(stderr, "%s\n", err.message);
            exit(EXIT_FAILURE);
        }
        double start = cpu_seconds();
        fl_call_source source = {.profile = profile, .name = files[i]};
        fl_call_query query = {.node_fraction = 0.005, .edge_fraction = 0.001};
        if (fl_callgraph_create(&graph, &source, 1, &query, &err) != FL_OK) {
            fprintf(stderr, "%s\n", err.message);
            exit(EXIT_FAILURE);
        }
        functions += graph->node_count;
        fl_callgraph_destroy(graph);
        *table_seconds += cpu_seconds() - start;
    }
    return functions;
}

int main(int argc, char **argv)
{
    int rounds = ROUNDS, first = 1;
    if (argc > 2 && strcmp(argv[1], "-r") == 0) {
        rounds = (int)strtol(argv[2], NULL, 10);
        first = 3;
    }
    fl_profile *profile = NULL;
    if (first >= argc || rounds < 1 || fl_profile_create(&profile, NULL) != FL_OK) {
        fprintf(stderr, "usage: bench_profile [-r ROUNDS] FILE...\n");
        return 2;
    }
    double best = INFINITY, best_tables = INFINITY;
    size_t functions = 0;
    for (int i = 0; i < rounds; i++) {
        double tables = 0, start = cpu_seconds();
        functions = read_series(profile, argv + first, argc - first, &tables);
        best = fmin(best, cpu_seconds() - start);
        best_tables = fmin(best_tables, tables);
    }
    printf("%d profiles: %.2f ms, of which tables %.2f ms, %zu functions shown\n", argc - first,
           1e3 * best, 1e3 * best_tables, functions);
    fl_profile_destroy(profile);
    return EXIT_SUCCESS;
}
