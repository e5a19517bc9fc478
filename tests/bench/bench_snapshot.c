/*
 * bench_snapshot.c - the shape of a graph in memory: how long it takes to build, how large it is,
 * and how long a personalised PageRank takes.
 *
 *     bench_snapshot [NODES EDGES [FOLDER]]       (default 100000 nodes, 1000000 edges)
 *
 * With FOLDER, edges (from, to: pairs of uint32) and ranks (double) are written there, for
 * pagerank_reference.py to compare with other implementations. The graph is made up from a fixed
 * seed: edges leave all nodes alike and enter few of them often, every fifth node has none. Times
 * are the processor's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "snapshot.h"

enum { ROUNDS = 9, SEEDS = 5 };

static void fail(const char *what, const fl_error *err)
{
    fprintf(stderr, "bench_snapshot: %s: %s\n", what, err->message);
    exit(EXIT_FAILURE);
}

/* Of this thread: other programs are not always quiet. */
static int64_t processor_ns(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
        exit(EXIT_FAILURE);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / 9007199254740992.0;
}

static fl_snapshot_edge *make_edges(size_t nodes, size_t edges)
{
    uint64_t state = 1;
    fl_snapshot_edge *made = calloc(edges, sizeof(*made));
    if (made == NULL)
        exit(EXIT_FAILURE);
    for (size_t i = 0; i < edges; i++) {
        double skewed = uniform(&state);
        uint32_t from = (uint32_t)(uniform(&state) * (double)nodes);
        made[i] = (fl_snapshot_edge){.from = from % 5 == 0 && from + 1 < nodes ? from + 1 : from,
                                     .to = (uint32_t)(skewed * skewed * (double)nodes)};
    }
    return made;
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t len)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

/* What a walk of the edges and the ranks is compared by. */
static void write_out(const char *folder, const fl_snapshot_edge *edges, size_t count,
                      const double *rank, size_t nodes)
{
    uint32_t *pairs = calloc(count, 2 * sizeof(*pairs));
    if (pairs == NULL)
        exit(EXIT_FAILURE);
    for (size_t i = 0; i < count; i++) {
        pairs[2 * i] = edges[i].from;
        pairs[2 * i + 1] = edges[i].to;
    }
    write_file(folder, "edges.u32", pairs, count * 2 * sizeof(*pairs));
    write_file(folder, "ranks.f64", rank, nodes * sizeof(*rank));
    free(pairs);
}

static int64_t bench_build(fl_snapshot *out, const fl_snapshot_edge *edges, size_t nodes,
                           size_t count)
{
    int64_t best_ns = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        fl_error err = {0};
        fl_snapshot_dispose(out);
        int64_t start_ns = processor_ns();
        if (fl_snapshot_build(out, nodes, edges, count, &err) != FL_OK)
            fail("building", &err);
        int64_t taken_ns = processor_ns() - start_ns;
        best_ns = taken_ns < best_ns ? taken_ns : best_ns;
    }
    return best_ns;
}

static int64_t bench_pagerank(double *rank, const fl_snapshot *snapshot)
{
    uint32_t seeds[SEEDS];
    int64_t best_ns = INT64_MAX;
    for (size_t i = 0; i < SEEDS; i++)
        seeds[i] = (uint32_t)((i + 1) * snapshot->node_count / (SEEDS + 2) | 1);
    const fl_pagerank question = {.seeds = seeds, .seed_count = SEEDS, .damping = 0.85};
    for (int i = 0; i < ROUNDS; i++) {
        fl_error err = {0};
        int64_t start_ns = processor_ns();
        if (fl_snapshot_pagerank(rank, snapshot, &question, &err) != FL_OK)
            fail("ranking", &err);
        int64_t taken_ns = processor_ns() - start_ns;
        best_ns = taken_ns < best_ns ? taken_ns : best_ns;
    }
    return best_ns;
}

int main(int argc, char **argv)
{
    size_t nodes = argc > 2 ? strtoul(argv[1], NULL, 10) : 100000;
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    if (nodes < SEEDS + 2 || count == 0)
        return EXIT_FAILURE;
    fl_snapshot snapshot = {0};
    fl_snapshot_edge *edges = make_edges(nodes, count);
    double *rank = calloc(nodes, sizeof(*rank));
    if (rank == NULL)
        return EXIT_FAILURE;
    int64_t build_ns = bench_build(&snapshot, edges, nodes, count);
    printf("%zu nodes, %zu edges: built in %.1f ms, %.1f bytes an edge\n", nodes, count,
           (double)build_ns / 1e6, (double)fl_snapshot_bytes(&snapshot) / (double)count);
    int64_t rank_ns = bench_pagerank(rank, &snapshot);
    printf("personalised PageRank, %d seeds: %.1f ms\n", SEEDS, (double)rank_ns / 1e6);
    if (argc > 3)
        write_out(argv[3], edges, count, rank, nodes);
    fl_snapshot_dispose(&snapshot);
    free(edges);
    free(rank);
    return EXIT_SUCCESS;
}
