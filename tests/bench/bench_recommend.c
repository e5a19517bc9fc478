/*
 * bench_recommend.c - advice for services of 20 components, from a store with a million edges.
 *
 *     bench_recommend STORE [EDGES [QUESTIONS]]
 *
 * (default 1000000 edges, 200 questions). STORE is a URL as for --store; it is filled where it is
 * empty, and asked only where it is not. The graph is made up from a fixed seed: a cause requires
 * one to three of 5,000 components and settings with a range of versions (few of them are used by
 * many causes, as in life), explains five symptoms, is resolved by four fixes and was the
 * diagnosis of six incidents; every edge that is judged has an item of evidence. The curated
 * library is loaded as well.
 *
 * A service has 20 components of random versions and 10 settings, each from anywhere.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "library_load.h"
#include "recommend.h"
#include "slice.h"
#include "timestamp.h"

enum {
    BATCH_CAUSES = 1000,
    COMPONENTS = 4000,
    SETTINGS = 1000,
    SYMPTOMS = 5,
    FIXES = 4,
    INCIDENTS = 6,
    MOST_REQUIRED = 3,
    EDGES_EACH = MOST_REQUIRED + SYMPTOMS + FIXES + INCIDENTS,
    ASKED_COMPONENTS = 20,
    ASKED_SETTINGS = 10,
    TEXT_BYTES = 64
};

#define NOW_NS INT64_C(1700000000000000000)

typedef struct made {
    fl_store *store;
    fl_graph_node nodes[BATCH_CAUSES * (EDGES_EACH + 1)];
    fl_graph_edge edges[BATCH_CAUSES * EDGES_EACH];
    fl_graph_evidence evidence[BATCH_CAUSES * EDGES_EACH];
    char texts[BATCH_CAUSES * (EDGES_EACH + 1)][TEXT_BYTES];
    char ranges[BATCH_CAUSES * MOST_REQUIRED][TEXT_BYTES];
    size_t node_count, edge_count, evidence_count, range_count;
    uint64_t state;
} made;

static void fail(const char *what, const fl_error *err)
{
    fprintf(stderr, "bench_recommend: %s: %s\n", what, err->message);
    exit(EXIT_FAILURE);
}

static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* Below `count`; the first few come often. */
static size_t pick(uint64_t *state, size_t count, double power)
{
    return (size_t)(pow(uniform(state), power) * (double)count);
}

static uint64_t add_node(made *m, fl_node_kind kind, const char *form, size_t index)
{
    char *text = m->texts[m->node_count];
    snprintf(text, TEXT_BYTES, "%s%zu", form, index);
    m->nodes[m->node_count] = (fl_graph_node){.id = fl_node_id(kind, fl_slice_of(text)),
                                              .kind = kind,
                                              .key = text,
                                              .recorded_ns = NOW_NS};
    return m->nodes[m->node_count++].id;
}

static void add_edge(made *m, fl_edge_kind kind, uint64_t from, uint64_t to, const char *range)
{
    fl_graph_edge *edge = &m->edges[m->edge_count++];
    *edge = (fl_graph_edge){.id = fl_edge_id(kind, from, to, fl_slice_of(range)),
                            .kind = kind,
                            .from = from,
                            .to = to,
                            .qualifier = range,
                            .recorded_ns = NOW_NS};
    if (kind == FL_EDGE_DIAGNOSED_AS)
        return;
    fl_graph_evidence *item = &m->evidence[m->evidence_count++];
    *item = (fl_graph_evidence){.edge = edge->id,
                                .source = FL_SOURCE_PERSON,
                                .author = "ada",
                                .reference = "incident",
                                .supports = true,
                                .at_ns = NOW_NS,
                                .recorded_ns = NOW_NS};
    item->id = fl_graph_evidence_id(item);
}

static void add_cause(made *m, size_t index)
{
    uint64_t cause = add_node(m, FL_NODE_CAUSE, "cause-", index);
    size_t required = 1 + pick(&m->state, MOST_REQUIRED, 1);
    for (size_t i = 0; i < required; i++) {
        bool is_setting = uniform(&m->state) < 0.2;
        char *range = m->ranges[m->range_count++];
        size_t low = pick(&m->state, 8, 1);
        if (is_setting)
            snprintf(range, TEXT_BYTES, ">=%zu", low);
        else
            snprintf(range, TEXT_BYTES, "semver >=%zu.0 <%zu.0", low, low + 3);
        uint64_t to =
            is_setting
                ? add_node(m, FL_NODE_CONFIG, "setting-", pick(&m->state, SETTINGS, 1.3))
                : add_node(m, FL_NODE_COMPONENT, "component-", pick(&m->state, COMPONENTS, 1.3));
        add_edge(m, FL_EDGE_REQUIRES, cause, to, range);
    }
    for (size_t i = 0; i < SYMPTOMS; i++)
        add_edge(m, FL_EDGE_EXPLAINED_BY,
                 add_node(m, FL_NODE_SYMPTOM, "symptom-", pick(&m->state, 50000, 2)), cause, NULL);
    for (size_t i = 0; i < FIXES; i++)
        add_edge(m, FL_EDGE_RESOLVED_BY, cause,
                 add_node(m, FL_NODE_FIX, "raise the limit of pool ", pick(&m->state, 20000, 2)),
                 NULL);
    for (size_t i = 0; i < INCIDENTS; i++)
        add_edge(m, FL_EDGE_DIAGNOSED_AS,
                 add_node(m, FL_NODE_INCIDENT, "incident-", INCIDENTS * index + i), cause, NULL);
}

static void fill(made *m, size_t edge_count)
{
    fl_error err = {0};
    fl_library *library;
    fl_library_loaded loaded;
    for (size_t cause = 0, edges = 0; edges < edge_count;) {
        m->node_count = m->edge_count = m->evidence_count = m->range_count = 0;
        for (size_t i = 0; i < BATCH_CAUSES; i++)
            add_cause(m, cause++);
        const fl_graph_batch batch = {.nodes = m->nodes,
                                      .node_count = m->node_count,
                                      .edges = m->edges,
                                      .edge_count = m->edge_count,
                                      .evidence = m->evidence,
                                      .evidence_count = m->evidence_count};
        if (fl_graph_add(NULL, m->store, &batch, &err) != FL_OK)
            fail("adding", &err);
        edges += m->edge_count;
    }
    if (fl_library_create(&library, &err) != FL_OK ||
        fl_library_add_built_in(library, &err) != FL_OK ||
        fl_library_load(&loaded, m->store, library, false, NOW_NS, &err) != FL_OK)
        fail("loading the library", &err);
    fl_library_destroy(library);
}

/* What one question cost and found. */
typedef struct asked {
    int64_t spent_ns;
    double cpu_ms; /* other programs are not always quiet */
    size_t causes, items;
} asked;

static asked ask(made *m, const fl_library *names)
{
    char texts[2 * (ASKED_COMPONENTS + ASKED_SETTINGS)][TEXT_BYTES];
    fl_service_part components[ASKED_COMPONENTS], settings[ASKED_SETTINGS];
    fl_error err = {0};
    fl_recommended advice;
    fl_arena arena = fl_arena_of(256 << 20);
    size_t t = 0;
    for (size_t i = 0; i < ASKED_COMPONENTS + ASKED_SETTINGS; i++) {
        bool is_setting = i >= ASKED_COMPONENTS;
        char *name = texts[t++], *value = texts[t++];
        size_t index = pick(&m->state, is_setting ? SETTINGS : COMPONENTS, 1.3);
        snprintf(name, TEXT_BYTES, "%s-%zu", is_setting ? "setting" : "component", index);
        snprintf(value, TEXT_BYTES, "%zu%s", pick(&m->state, 11, 1), is_setting ? "" : ".4.1");
        fl_service_part part = {.name = name, .value = value};
        *(is_setting ? &settings[i - ASKED_COMPONENTS] : &components[i]) = part;
    }
    const fl_service service = {.name = "service",
                                .components = components,
                                .component_count = ASKED_COMPONENTS,
                                .settings = settings,
                                .setting_count = ASKED_SETTINGS};
    const fl_recommend_question question = {.service = &service, .names = names, .now_ns = NOW_NS};
    int64_t start_ns = fl_time_monotonic();
    clock_t start = clock();
    if (fl_recommend(&advice, m->store, &question, &arena, &err) != FL_OK)
        fail("asking", &err);
    asked out = {fl_time_monotonic() - start_ns, 1e3 * (double)(clock() - start) / CLOCKS_PER_SEC,
                 advice.causes, advice.count};
    fl_arena_dispose(&arena);
    return out;
}

static int compare_spent(const void *a, const void *b)
{
    int64_t x = ((const asked *)a)->spent_ns, y = ((const asked *)b)->spent_ns;
    return (x > y) - (x < y);
}

static void measure(made *m, size_t questions)
{
    fl_error err = {0};
    fl_library *names;
    asked *all = calloc(questions, sizeof(*all));
    if (all == NULL || fl_library_create(&names, &err) != FL_OK ||
        fl_library_add_built_in(names, &err) != FL_OK)
        fail("preparing", &err);
    size_t causes = 0, items = 0;
    double cpu_ms = 0;
    m->state = 7;
    for (size_t i = 0; i < questions; i++) {
        all[i] = ask(m, names);
        causes += all[i].causes;
        items += all[i].items;
        cpu_ms += all[i].cpu_ms;
    }
    qsort(all, questions, sizeof(*all), compare_spent);
    printf("%zu services of %d components and %d settings: %.1f causes, %.1f pieces of advice\n",
           questions, ASKED_COMPONENTS, ASKED_SETTINGS, (double)causes / (double)questions,
           (double)items / (double)questions);
    printf("median %.2f ms, p90 %.2f ms, p99 %.2f ms, slowest %.2f ms; processor %.2f ms each\n",
           (double)all[questions / 2].spent_ns / 1e6,
           (double)all[questions * 90 / 100].spent_ns / 1e6,
           (double)all[questions * 99 / 100].spent_ns / 1e6,
           (double)all[questions - 1].spent_ns / 1e6, cpu_ms / (double)questions);
    fl_library_destroy(names);
    free(all);
}

static fl_status see(const fl_graph_node *node, void *payload, fl_error *err)
{
    (void)node;
    (void)err;
    *(bool *)payload = true;
    return FL_OK;
}

int main(int argc, char **argv)
{
    fl_error err = {0};
    bool is_filled = false;
    const fl_graph_question any = {.as_of_ns = FL_GRAPH_NOW, .limit = 1};
    made *m = calloc(1, sizeof(*m));
    if (argc < 2 || m == NULL) {
        fprintf(stderr, "usage: bench_recommend STORE [EDGES [QUESTIONS]]\n");
        return EXIT_FAILURE;
    }
    m->state = 1;
    if (fl_store_open(&m->store, argv[1], FL_STORE_CREATE, &err) != FL_OK ||
        fl_graph_nodes(m->store, &any, see, &is_filled, &err) != FL_OK)
        fail("opening", &err);
    if (!is_filled)
        fill(m, argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000);
    measure(m, argc > 3 ? strtoul(argv[3], NULL, 10) : 200);
    fl_store_close(m->store);
    free(m);
    return EXIT_SUCCESS;
}
