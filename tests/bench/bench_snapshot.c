/*
 * bench_snapshot.c - the graph in memory: how long it takes to build, how large it is, how long a
 * personalised PageRank takes, and a question for paths.
 *
 *     bench_snapshot [NODES EDGES [FOLDER]]       (default 100000 nodes, 1000000 edges)
 *
 * With FOLDER, edges (from, to: pairs of uint32) and ranks (double) are written there, for
 * pagerank_reference.py to compare with other implementations. The graph is made up from a fixed
 * seed: edges leave all nodes alike and enter few of them often, every fifth node has none. Times
 * are the processor's.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "snapshot.h"
#include "snapshot_paths.h"

enum { ROUNDS = 9, SEEDS = 5, QUESTIONS = 1000 };

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
                                     .to = (uint32_t)(skewed * skewed * (double)nodes),
                                     .kind = (uint32_t)(i % 10),
                                     .a = 1.5F,
                                     .b = 0.5F};
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

/* Of the nodes 40 % are symptoms, 15 % causes, 15 % fixes, the rest incidents; edges as in
 * bench_graph.c. Kinds are 0, 1 and 2. */
static void make_layers(fl_snapshot_edge *edges, size_t count, size_t nodes)
{
    uint64_t state = 2;
    double symptoms = 0.4 * (double)nodes, causes = 0.15 * (double)nodes;
    for (size_t i = 0; i < count; i++) {
        double part = (double)i / (double)count, x = uniform(&state), y = uniform(&state);
        fl_snapshot_edge *e = &edges[i];
        e->kind = part < 0.4 ? 0 : part < 0.55 ? 1 : 2;
        if (e->kind == 0) {
            e->from = (uint32_t)(pow(x, 1.3) * symptoms);
            e->to = (uint32_t)(symptoms + y * y * causes);
        } else if (e->kind == 1) {
            e->from = (uint32_t)(symptoms + x * causes);
            e->to = (uint32_t)(symptoms + causes + y * y * causes);
        } else {
            e->from = (uint32_t)(symptoms + 2 * causes + x * 0.3 * (double)nodes * 0.999);
            e->to = (uint32_t)(pow(y, 1.3) * symptoms);
        }
        e->a = (float)(0.5 + 15 * uniform(&state));
        e->b = (float)(0.5 + 5 * uniform(&state));
    }
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Questions of five symptoms, each from anywhere, told so many causes with so many fixes. */
static void bench_paths(const fl_snapshot *snapshot, size_t most_paths, size_t most_ends)
{
    static int64_t taken_ns[QUESTIONS];
    uint64_t state = 3;
    size_t paths = 0, ends = 0;
    fl_arena arena = fl_arena_of(64U << 20);
    for (size_t i = 0; i < QUESTIONS; i++) {
        uint32_t starts[SEEDS];
        fl_snapshot_answer answer;
        fl_error err = {0};
        for (size_t s = 0; s < SEEDS; s++)
            starts[s] = (uint32_t)(pow(uniform(&state), 1.3) * 0.4 * (double)snapshot->node_count);
        const fl_snapshot_question question = {.starts = starts,
                                               .count = SEEDS,
                                               .first = 0,
                                               .second = 1,
                                               .most_edges = 1000,
                                               .most_paths = most_paths,
                                               .most_ends = most_ends};
        int64_t start_ns = processor_ns();
        if (fl_snapshot_paths(&answer, snapshot, &question, &arena, &err) != FL_OK)
            fail("asking", &err);
        taken_ns[i] = processor_ns() - start_ns;
        paths += answer.count;
        for (size_t p = 0; p < answer.count; p++)
            ends += answer.paths[p].end_count;
        fl_arena_reset(&arena);
    }
    fl_arena_dispose(&arena);
    qsort(taken_ns, QUESTIONS, sizeof(*taken_ns), compare_times);
    printf("paths of %d symptoms, %d questions, %.0f causes and %.0f fixes told: median %.3f ms,"
           " p99 %.3f ms, longest %.3f ms\n",
           SEEDS, QUESTIONS, (double)paths / QUESTIONS, (double)ends / QUESTIONS,
           (double)taken_ns[QUESTIONS / 2] / 1e6, (double)taken_ns[QUESTIONS * 99 / 100] / 1e6,
           (double)taken_ns[QUESTIONS - 1] / 1e6);
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
    make_layers(edges, count, nodes);
    (void)bench_build(&snapshot, edges, nodes, count);
    bench_paths(&snapshot, 10, 5);
    bench_paths(&snapshot, FL_SNAPSHOT_MAX_MIDDLES, 64);
    fl_snapshot_dispose(&snapshot);
    free(edges);
    free(rank);
    return EXIT_SUCCESS;
}
