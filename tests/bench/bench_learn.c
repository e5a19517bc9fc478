/*
 * bench_learn.c - documents to proposals: megabytes and documents a second of CPU time, and what a
 * review costs in a store with much other evidence.
 *
 * The documents are the fixtures, many times over, each copy with another number in it, so that
 * none is known already.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "documents.h"
#include "learn.h"
#include "review.h"
#include "slice.h"
#include "timestamp.h"

enum { COPIES = 200, MAX_TEXT = 1 << 20, OTHER_EVIDENCE = 1000000, BATCH = 2000 };

static const char *const names[] = {
    "sre-shakespeare-index.md", "gitlab-pool.json",     "github-syncmap.json",
    "jira-cert.json",           "five-whys-coupon.md",  "zh-ticket-gc.md",
    "chat-redis.txt",           "narrative-outage.txt", "log4-kafka-rebalance.md",
    "wiki-export-dns.html",     "zh-postmortem-mq.txt", "howto-oncall.md",
    "goroutine-leak-gateway.md"};

struct run {
    fl_learn_rules *rules;
    fl_proposals *proposals;
    size_t documents;
};

static fl_status take(const fl_document *document, void *payload, fl_error *err)
{
    struct run *run = payload;
    run->documents++;
    return fl_learn_document(run->proposals, run->rules, document, 1, err);
}

static void must(fl_status status, const fl_error *err)
{
    if (status == FL_OK)
        return;
    fprintf(stderr, "bench_learn: %s\n", err->message);
    exit(1);
}

/* CPU time, which other programs on the machine do not add to. */
static int64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * FL_NS_PER_S + now.tv_nsec;
}

static size_t read_file(char *out, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/tests/fixtures/learn/%s", FL_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    size_t len = file != NULL ? fread(out, 1, MAX_TEXT, file) : 0;
    if (file != NULL)
        fclose(file);
    return len;
}

static void learn_all(struct run *run, fl_error *err)
{
    static char text[MAX_TEXT + 64];
    size_t bytes = 0;
    int64_t spent_ns = 0;
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        size_t len = read_file(text, names[n]);
        bool is_json = strstr(names[n], ".json") != NULL;
        for (int copy = 0; copy < COPIES; copy++) {
            int more = is_json ? snprintf(text + len, 64, " ")
                               : snprintf(text + len, 64, "\n\nCopy %d of it.\n", copy);
            fl_slice bytes_of = {.ptr = (unsigned char *)text, .len = len + (size_t)more};
            int64_t start = cpu_ns();
            must(fl_documents_read(bytes_of, names[n], take, run, err), err);
            spent_ns += cpu_ns() - start;
            bytes += bytes_of.len;
        }
    }
    double seconds = (double)spent_ns / 1e9;
    printf("learn: %.1f MB/s, %.0f documents/s (%zu documents, %.2f MB, %zu proposals)\n",
           (double)bytes / 1e6 / seconds, (double)run->documents / seconds, run->documents,
           (double)bytes / 1e6, fl_proposals_count(run->proposals));
}

/* What a store holds beside proposals. */
static void fill(fl_store *store, size_t count, fl_error *err)
{
    static fl_graph_evidence items[BATCH];
    static char references[BATCH][32];
    fl_graph_node nodes[2] = {{.kind = FL_NODE_SYMPTOM, .key = "s"},
                              {.kind = FL_NODE_CAUSE, .key = "c"}};
    for (size_t i = 0; i < 2; i++)
        nodes[i].id = fl_node_id(nodes[i].kind, fl_slice_of(nodes[i].key));
    fl_graph_edge edge = {.kind = FL_EDGE_EXPLAINED_BY, .from = nodes[0].id, .to = nodes[1].id};
    edge.id = fl_edge_id(edge.kind, edge.from, edge.to, FL_SLICE(""));
    for (size_t done = 0; done < count; done += BATCH) {
        for (size_t i = 0; i < BATCH; i++) {
            snprintf(references[i], sizeof(references[i]), "incident-%zu", done + i);
            items[i] = (fl_graph_evidence){.edge = edge.id,
                                           .source = FL_SOURCE_AUTOMATIC,
                                           .author = "bench",
                                           .reference = references[i],
                                           .supports = true};
            items[i].id = fl_graph_evidence_id(&items[i]);
        }
        fl_graph_batch batch = {.nodes = nodes,
                                .node_count = 2,
                                .edges = &edge,
                                .edge_count = 1,
                                .evidence = items,
                                .evidence_count = BATCH};
        must(fl_graph_add(NULL, store, &batch, err), err);
    }
}

static void review_all(const struct run *run, fl_error *err)
{
    char path[64];
    fl_store *store = NULL;
    fl_graph_added added;
    fl_waiting_list list;
    fl_arena arena = fl_arena_of(1u << 30);
    snprintf(path, sizeof(path), "/tmp/bench_learn_%d.db", (int)getpid());
    must(fl_store_open(&store, path, FL_STORE_CREATE, err), err);
    fill(store, OTHER_EVIDENCE, err);
    int64_t start = cpu_ns();
    must(fl_learn_keep(&added, store, run->proposals, 1, err), err);
    int64_t kept = cpu_ns();
    must(fl_review_list(&list, store, &arena, err), err);
    int64_t listed = cpu_ns();
    printf("keep: %.0f proposals/s; review: the list of %zu out of %d items in %.2f s\n",
           (double)added.evidence / ((double)(kept - start) / 1e9), list.count,
           OTHER_EVIDENCE + (int)added.evidence, (double)(listed - kept) / 1e9);
    fl_arena_dispose(&arena);
    fl_store_close(store);
    const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char file[80];
        snprintf(file, sizeof(file), "%s%s", path, ends[i]);
        remove(file);
    }
}

int main(void)
{
    fl_error err = {0};
    struct run run = {.rules = NULL};
    must(fl_learn_rules_create(&run.rules, &err), &err);
    must(fl_proposals_create(&run.proposals, &err), &err);
    learn_all(&run, &err);
    review_all(&run, &err);
    fl_proposals_destroy(run.proposals);
    fl_learn_rules_destroy(run.rules);
    return 0;
}
