/*
 * bench_graph.c - a store full of graph: how fast evidence goes in, how long a question takes.
 *
 *     bench_graph STORE [NODES EDGES EVIDENCE [QUESTIONS [BATCH]]]
 *
 * (default 100000 nodes, 1000000 edges, 10000000 items of evidence, 1000 questions, 100000 rows a
 * transaction). STORE is a URL
 * as for --store; it is filled where it is empty, and asked only where it is not. The graph is made
 * up from a fixed seed: of the nodes 40 % are symptoms, 15 % causes, 15 % fixes, 30 % incidents; of
 * the edges 40 % say that a symptom is explained by a cause, 15 % that a cause is resolved by a
 * fix, the rest that an incident exhibits a symptom. Few symptoms and causes have many edges, as
 * in life. Evidence is spread over the first two kinds, two years and fifty authors.
 *
 * A question is five symptoms, each from anywhere: what is known of them is read anew each time.
 * Then the graph is read into memory, refreshed after every hundred items of new evidence, and
 * asked the same.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "graph_live.h"
#include "memory.h"
#include "slice.h"
#include "timestamp.h"

enum { SYMPTOMS = 5, TEXT_BYTES = 48, HUB = 100000 };

#define NOW_NS INT64_C(1700000000000000000)
#define DAY_NS INT64_C(86400000000000)

typedef struct made {
    fl_store *store;
    size_t symptoms, causes, fixes, incidents;
    size_t edge_count, evidence_count;
    uint64_t *judged; /* ids of the edges that evidence is for */
    size_t judged_count;
    uint64_t state;
    int64_t used_ns; /* of the processor, by the last question */
    size_t batch;    /* rows of a transaction */
    size_t most;     /* causes, and fixes of each, that are told; 0: all */
} made;

static void fail(const char *what, const fl_error *err)
{
    fprintf(stderr, "bench_graph: %s: %s\n", what, err->message);
    exit(EXIT_FAILURE);
}

static void *room(size_t count, size_t size)
{
    void *out = calloc(count, size);
    if (out == NULL) {
        fprintf(stderr, "bench_graph: out of memory\n");
        exit(EXIT_FAILURE);
    }
    return out;
}

static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* Below `count`; the higher the power, the more often the first few. */
static size_t pick(made *m, size_t count, double power)
{
    return (size_t)(pow(uniform(&m->state), power) * (double)count);
}

static uint64_t node_of(fl_node_kind kind, size_t index, char *key)
{
    static const char *const forms[] = {
        [FL_NODE_SYMPTOM] = "operation|latency|GET /api/v1/thing-",
        [FL_NODE_CAUSE] = "pool|connections|service-",
        [FL_NODE_FIX] = "raise the limit of pool ",
        [FL_NODE_INCIDENT] = "incident-",
    };
    snprintf(key, TEXT_BYTES, "%s%zu", forms[kind], index);
    return fl_node_id(kind, fl_slice_of(key));
}

static void add(made *m, const fl_graph_batch *batch)
{
    fl_error err = {0};
    if (fl_graph_add(NULL, m->store, batch, &err) != FL_OK)
        fail("adding", &err);
}

/* Wall time and this process's share of a processor: other programs are not always quiet. */
typedef struct watch {
    int64_t wall_ns;
    double cpu_s;
} watch;

static watch watch_now(void)
{
    return (watch){fl_time_monotonic(), (double)clock() / CLOCKS_PER_SEC};
}

static void watch_add(watch *spent, const watch *start)
{
    watch now = watch_now();
    spent->wall_ns += now.wall_ns - start->wall_ns;
    spent->cpu_s += now.cpu_s - start->cpu_s;
}

static void show_rate(const char *what, size_t count, const watch *spent)
{
    double s = (double)spent->wall_ns / 1e9;
    printf("%-10s %9zu in %7.2f s: %9.0f/s; processor %.2f s\n", what, count, s, (double)count / s,
           spent->cpu_s);
    fflush(stdout);
}

static void add_nodes(made *m)
{
    const struct {
        fl_node_kind kind;
        size_t count;
    } parts[] = {{FL_NODE_SYMPTOM, m->symptoms},
                 {FL_NODE_CAUSE, m->causes},
                 {FL_NODE_FIX, m->fixes},
                 {FL_NODE_INCIDENT, m->incidents}};
    fl_graph_node *nodes = room(m->batch, sizeof(*nodes));
    char(*keys)[TEXT_BYTES] = room(m->batch, TEXT_BYTES);
    size_t used = 0;
    for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
        for (size_t i = 0; i < parts[p].count; i++) {
            nodes[used] = (fl_graph_node){.id = node_of(parts[p].kind, i, keys[used]),
                                          .kind = parts[p].kind,
                                          .key = keys[used],
                                          .recorded_ns = NOW_NS - DAY_NS};
            if (++used == m->batch || i + 1 == parts[p].count) {
                add(m, &(fl_graph_batch){.nodes = nodes, .node_count = used});
                used = 0;
            }
        }
    }
    free(nodes);
    free(keys);
}

static fl_graph_edge make_edge(made *m, size_t index)
{
    char key[TEXT_BYTES];
    fl_graph_edge edge = {.recorded_ns = NOW_NS - DAY_NS};
    if (index < m->edge_count * 40 / 100) {
        edge.kind = FL_EDGE_EXPLAINED_BY;
        edge.from = node_of(FL_NODE_SYMPTOM, pick(m, m->symptoms, 1.3), key);
        edge.to = node_of(FL_NODE_CAUSE, pick(m, m->causes, 2), key);
    } else if (index < m->judged_count) {
        edge.kind = FL_EDGE_RESOLVED_BY;
        edge.from = node_of(FL_NODE_CAUSE, pick(m, m->causes, 1), key);
        edge.to = node_of(FL_NODE_FIX, pick(m, m->fixes, 2), key);
    } else {
        edge.kind = FL_EDGE_EXHIBITS;
        edge.from = node_of(FL_NODE_INCIDENT, pick(m, m->incidents, 1), key);
        edge.to = node_of(FL_NODE_SYMPTOM, pick(m, m->symptoms, 1.3), key);
    }
    edge.id = fl_edge_id(edge.kind, edge.from, edge.to, FL_SLICE(""));
    return edge;
}

static void add_edges(made *m)
{
    fl_graph_edge *edges = room(m->batch, sizeof(*edges));
    for (size_t i = 0; i < m->edge_count;) {
        size_t used = 0;
        for (; used < m->batch && i < m->edge_count; used++, i++) {
            edges[used] = make_edge(m, i);
            if (i < m->judged_count)
                m->judged[i] = edges[used].id;
        }
        add(m, &(fl_graph_batch){.edges = edges, .edge_count = used});
    }
    free(edges);
}

static void make_evidence(made *m, fl_graph_evidence *out, size_t index, char *texts)
{
    static const fl_evidence_source sources[] = {FL_SOURCE_PERSON, FL_SOURCE_PERSON, FL_SOURCE_FIX,
                                                 FL_SOURCE_AUTOMATIC, FL_SOURCE_DOCUMENT};
    int64_t at_ns = NOW_NS - (int64_t)(uniform(&m->state) * 730) * DAY_NS - DAY_NS;
    snprintf(texts, TEXT_BYTES, "person-%zu", pick(m, 50, 2));
    snprintf(texts + TEXT_BYTES, TEXT_BYTES, "incident-%zu", index);
    *out = (fl_graph_evidence){.edge = m->judged[pick(m, m->judged_count, 1)],
                               .source = sources[pick(m, 5, 1)],
                               .author = texts,
                               .reference = texts + TEXT_BYTES,
                               .supports = uniform(&m->state) < 0.8,
                               .at_ns = at_ns,
                               .recorded_ns = at_ns};
    out->id = fl_graph_evidence_id(out);
}

/* Making the rows is not counted. */
static void add_evidence(made *m)
{
    fl_graph_evidence *items = room(m->batch, sizeof(*items));
    char(*texts)[2 * TEXT_BYTES] = room(m->batch, sizeof(*texts));
    watch spent = {0};
    for (size_t i = 0; i < m->evidence_count;) {
        size_t used = 0;
        for (; used < m->batch && i < m->evidence_count; used++, i++)
            make_evidence(m, &items[used], i, texts[used]);
        const watch start = watch_now();
        add(m, &(fl_graph_batch){.evidence = items, .evidence_count = used});
        watch_add(&spent, &start);
        if (i % 1000000 == 0 || i == m->evidence_count)
            show_rate("evidence", i, &spent);
    }
    free(items);
    free(texts);
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* `first` is one of the symptoms; the others are from anywhere. */
static int64_t ask(made *m, size_t first, size_t *paths, size_t *fixes)
{
    char keys[SYMPTOMS][TEXT_BYTES];
    fl_graph_node nodes[SYMPTOMS];
    fl_error err = {0};
    fl_memory memory;
    for (size_t s = 0; s < SYMPTOMS; s++) {
        size_t index = s == 0 ? first : pick(m, m->symptoms, 1.3);
        uint64_t id = node_of(FL_NODE_SYMPTOM, index, keys[s]);
        nodes[s] = (fl_graph_node){.id = id, .kind = FL_NODE_SYMPTOM, .key = keys[s]};
    }
    const fl_symptoms symptoms = {.nodes = nodes, .count = SYMPTOMS};
    const fl_memory_question question = {.symptoms = &symptoms,
                                         .now_ns = NOW_NS,
                                         .most_similar = 5,
                                         .most_paths = m->most,
                                         .most_fixes = m->most};
    fl_arena arena = fl_arena_of(256U << 20);
    clock_t used = clock();
    int64_t start_ns = fl_time_monotonic();
    if (fl_memory_recall(&memory, m->store, &question, &arena, &err) != FL_OK)
        fail("asking", &err);
    int64_t taken_ns = fl_time_monotonic() - start_ns;
    m->used_ns = (int64_t)(clock() - used) * (1000000000 / CLOCKS_PER_SEC);
    *paths += memory.path_count;
    for (size_t i = 0; i < memory.path_count; i++)
        *fixes += memory.paths[i].fix_count;
    fl_arena_dispose(&arena);
    return taken_ns;
}

static void bench_paths(made *m, size_t questions)
{
    int64_t *taken_ns = room(questions, sizeof(*taken_ns));
    int64_t *used_ns = room(questions, sizeof(*used_ns));
    size_t paths = 0, fixes = 0;
    m->state = 99;
    for (size_t i = 0; i < questions; i++) {
        taken_ns[i] = ask(m, pick(m, m->symptoms, 1.3), &paths, &fixes);
        used_ns[i] = m->used_ns;
    }
    qsort(used_ns, questions, sizeof(*used_ns), compare_times);
    qsort(taken_ns, questions, sizeof(*taken_ns), compare_times);
    printf("paths of %d symptoms, %zu questions, %.0f causes and %.0f fixes each:"
           " median %.2f ms, p99 %.2f ms, longest %.2f ms; processor %.2f and %.2f ms\n",
           SYMPTOMS, questions, (double)paths / (double)questions,
           (double)fixes / (double)questions, (double)taken_ns[questions / 2] / 1e6,
           (double)taken_ns[questions * 99 / 100] / 1e6, (double)taken_ns[questions - 1] / 1e6,
           (double)used_ns[questions / 2] / 1e6, (double)used_ns[questions * 99 / 100] / 1e6);
    free(taken_ns);
    free(used_ns);
}

/* As triage asks, as graph paths does, and with --most 0. */
static void bench_pages(made *m, size_t questions)
{
    static const size_t pages[] = {3, 10, 0};
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        m->most = pages[i];
        bench_paths(m, questions);
    }
}

/* A symptom that 100,000 incidents exhibit and that every cause explains, among four others. */
static void bench_hub(made *m)
{
    size_t hub = m->symptoms, paths = 0, fixes = 0, used = 0;
    fl_graph_node *nodes = room(HUB + 1, sizeof(*nodes));
    fl_graph_edge *edges = room(HUB + m->causes, sizeof(*edges));
    char(*keys)[TEXT_BYTES] = room(HUB + 1, TEXT_BYTES);
    uint64_t symptom = node_of(FL_NODE_SYMPTOM, hub, keys[HUB]);
    for (size_t i = 0; i < HUB + m->causes; i++) {
        char cause[TEXT_BYTES];
        fl_graph_edge *edge = &edges[used++];
        if (i < HUB) {
            uint64_t id = node_of(FL_NODE_INCIDENT, m->incidents + i, keys[i]);
            nodes[i] = (fl_graph_node){.id = id, .kind = FL_NODE_INCIDENT, .key = keys[i]};
            *edge = (fl_graph_edge){.kind = FL_EDGE_EXHIBITS, .from = id, .to = symptom};
        } else {
            uint64_t id = node_of(FL_NODE_CAUSE, i - HUB, cause);
            *edge = (fl_graph_edge){.kind = FL_EDGE_EXPLAINED_BY, .from = symptom, .to = id};
        }
        edge->id = fl_edge_id(edge->kind, edge->from, edge->to, FL_SLICE(""));
    }
    nodes[HUB] =
        (fl_graph_node){.id = symptom, .kind = FL_NODE_SYMPTOM, .key = keys[HUB], .recorded_ns = 0};
    add(m, &(fl_graph_batch){
               .nodes = nodes, .node_count = HUB + 1, .edges = edges, .edge_count = used});
    m->most = 10;
    (void)ask(m, hub, &paths, &fixes);
    int64_t taken_ns = ask(m, hub, &paths, &fixes);
    printf("one of them a hub of %zu edges: %.2f ms\n", used, (double)taken_ns / 1e6);
    free(nodes);
    free(edges);
    free(keys);
}

static fl_status stop_at_first(const fl_graph_edge *edge, void *payload, fl_error *err)
{
    (void)edge;
    (void)err;
    *(bool *)payload = true;
    return FL_OK;
}

static bool is_filled(fl_store *store)
{
    fl_error err = {0};
    bool filled = false;
    const fl_graph_question any = {.as_of_ns = FL_GRAPH_NOW, .limit = 1};
    if (fl_graph_edges(store, &any, stop_at_first, &filled, &err) != FL_OK)
        fail("asking", &err);
    return filled;
}

static void fill(made *m)
{
    watch start = watch_now(), spent = {0};
    add_nodes(m);
    watch_add(&spent, &start);
    show_rate("nodes", m->symptoms + m->causes + m->fixes + m->incidents, &spent);
    start = watch_now();
    spent = (watch){0};
    add_edges(m);
    watch_add(&spent, &start);
    show_rate("edges", m->edge_count, &spent);
    add_evidence(m);
}

enum { REFRESHES = 50, NEW_ITEMS = 100 };

static int64_t refresh(fl_store *live, fl_graph_news *news)
{
    fl_error err = {0};
    int64_t start_ns = fl_time_monotonic();
    if (fl_graph_live_refresh(news, live, &err) != FL_OK)
        fail("refreshing", &err);
    return fl_time_monotonic() - start_ns;
}

/* Evidence of references that were not there before, for edges of the store. */
static void add_new_evidence(made *m, size_t round)
{
    fl_graph_evidence items[NEW_ITEMS];
    char(*texts)[2 * TEXT_BYTES] = room(NEW_ITEMS, sizeof(*texts));
    size_t first = (size_t)(fl_time_now() / 1000) + round * NEW_ITEMS;
    for (size_t i = 0; i < NEW_ITEMS; i++)
        make_evidence(m, &items[i], first + i, texts[i]);
    add(m, &(fl_graph_batch){.evidence = items, .evidence_count = NEW_ITEMS});
    free(texts);
}

/* The edges as they were made, where the store was filled by another run. */
static void make_judged(made *m)
{
    m->state = 1;
    for (size_t i = 0; i < m->judged_count; i++)
        m->judged[i] = make_edge(m, i).id;
}

static void bench_live(made *m, size_t questions)
{
    fl_store *store = m->store, *live = NULL;
    fl_error err = {0};
    fl_graph_news news;
    int64_t taken_ns[REFRESHES], idle_ns = 0;
    make_judged(m);
    if (fl_graph_live_open(&live, store, &err) != FL_OK)
        fail("opening", &err);
    int64_t load_ns = refresh(live, &news);
    printf("read into memory: %zu edges, %zu items in %.0f ms; %zu bytes\n", news.edges,
           news.evidence, (double)load_ns / 1e6, fl_graph_live_bytes(live));
    for (size_t i = 0; i < REFRESHES; i++) {
        add_new_evidence(m, i);
        taken_ns[i] = refresh(live, &news);
        if (news.is_whole || news.evidence != NEW_ITEMS)
            fprintf(stderr, "bench_graph: %zu items are new, not %d\n", news.evidence, NEW_ITEMS);
        idle_ns += refresh(live, &news) / REFRESHES;
    }
    qsort(taken_ns, REFRESHES, sizeof(*taken_ns), compare_times);
    printf("refreshed after %d new items: median %.2f ms, longest %.2f ms; after none: %.2f ms\n",
           NEW_ITEMS, (double)taken_ns[REFRESHES / 2] / 1e6, (double)taken_ns[REFRESHES - 1] / 1e6,
           (double)idle_ns / 1e6);
    m->store = live;
    printf("in memory:\n");
    bench_pages(m, questions);
    m->store = store;
    fl_store_close(live);
}

int main(int argc, char **argv)
{
    size_t nodes = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
    fl_error err = {0};
    made m = {.symptoms = nodes * 40 / 100,
              .causes = nodes * 15 / 100,
              .fixes = nodes * 15 / 100,
              .incidents = nodes * 30 / 100,
              .edge_count = argc > 3 ? strtoul(argv[3], NULL, 10) : 1000000,
              .evidence_count = argc > 4 ? strtoul(argv[4], NULL, 10) : 10000000,
              .batch = argc > 6 ? strtoul(argv[6], NULL, 10) : 100000,
              .state = 1};
    size_t questions = argc > 5 ? strtoul(argv[5], NULL, 10) : 1000;
    if (argc < 2 || nodes < 100 || m.edge_count < 100 || questions == 0 || m.batch == 0) {
        fprintf(stderr, "usage: bench_graph STORE [NODES EDGES EVIDENCE [QUESTIONS [BATCH]]]\n");
        return EXIT_FAILURE;
    }
    m.judged_count = m.edge_count * 55 / 100;
    m.judged = room(m.judged_count, sizeof(*m.judged));
    if (fl_store_open(&m.store, argv[1], FL_STORE_CREATE, &err) != FL_OK)
        fail("opening", &err);
    if (!is_filled(m.store))
        fill(&m);
    bench_pages(&m, questions);
    bench_live(&m, questions);
    bench_hub(&m);
    fl_store_close(m.store);
    free(m.judged);
    return EXIT_SUCCESS;
}
