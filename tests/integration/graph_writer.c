/*
 * graph_writer.c - a program that writes to a store, or reads from it, to be killed and to be run
 * many times at once (test_durability.py).
 *
 *     graph_writer STORE write AUTHOR COUNT       one item a transaction; what was acknowledged is
 *                                                 printed, a number a line, once it is
 *     graph_writer STORE load AUTHOR COUNT BATCH  the same items, BATCH a transaction
 *     graph_writer STORE read AUTHOR COUNT        walks of everything; the numbers of items only
 *                                                 ever rise
 *
 * Items of all authors are for the same few edges, so that writers meet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph_store.h"
#include "slice.h"

enum { SYMPTOMS = 7, MAX_BATCH = 5000, TEXT_BYTES = 64 };

typedef struct writer {
    fl_store *store;
    const char *author;
    fl_graph_node nodes[SYMPTOMS + 1];
    fl_graph_edge edges[SYMPTOMS];
    fl_graph_evidence items[MAX_BATCH];
    char keys[SYMPTOMS + 1][TEXT_BYTES];
    char references[MAX_BATCH][TEXT_BYTES];
} writer;

static int fail(const fl_error *err)
{
    fprintf(stderr, "graph_writer: %s\n", err->message);
    return EXIT_FAILURE;
}

/* The same for every writer. */
static void make_graph(writer *w)
{
    for (size_t i = 0; i <= SYMPTOMS; i++) {
        fl_node_kind kind = i < SYMPTOMS ? FL_NODE_SYMPTOM : FL_NODE_CAUSE;
        snprintf(w->keys[i], TEXT_BYTES, "node-%zu", i);
        w->nodes[i] = (fl_graph_node){.id = fl_node_id(kind, fl_slice_of(w->keys[i])),
                                      .kind = kind,
                                      .key = w->keys[i],
                                      .recorded_ns = 1};
    }
    for (size_t i = 0; i < SYMPTOMS; i++) {
        uint64_t from = w->nodes[i].id, to = w->nodes[SYMPTOMS].id;
        w->edges[i] =
            (fl_graph_edge){.id = fl_edge_id(FL_EDGE_EXPLAINED_BY, from, to, fl_slice_of(NULL)),
                            .kind = FL_EDGE_EXPLAINED_BY,
                            .from = from,
                            .to = to,
                            .recorded_ns = 1};
    }
}

static void make_item(writer *w, size_t at, size_t number)
{
    snprintf(w->references[at], TEXT_BYTES, "%s/%zu", w->author, number);
    w->items[at] = (fl_graph_evidence){.edge = w->edges[number % SYMPTOMS].id,
                                       .source = FL_SOURCE_PERSON,
                                       .author = w->author,
                                       .reference = w->references[at],
                                       .supports = number % 3 != 0,
                                       .at_ns = (int64_t)number,
                                       .recorded_ns = 1};
    w->items[at].id = fl_graph_evidence_id(&w->items[at]);
}

/* Nodes and edges go along each time: they are there after the first. */
static fl_status add(writer *w, size_t count, fl_error *err)
{
    const fl_graph_batch batch = {.nodes = w->nodes,
                                  .node_count = SYMPTOMS + 1,
                                  .edges = w->edges,
                                  .edge_count = SYMPTOMS,
                                  .evidence = w->items,
                                  .evidence_count = count};
    return fl_graph_add(NULL, w->store, &batch, err);
}

/* By write(), so that a line is out when the next item begins. */
static void acknowledge(size_t number)
{
    char line[32];
    int len = snprintf(line, sizeof(line), "%zu\n", number);
    if (write(STDOUT_FILENO, line, (size_t)len) != len)
        exit(EXIT_FAILURE);
}

static int write_items(writer *w, size_t count, size_t batch)
{
    fl_error err = {0};
    for (size_t i = 0; i < count; i += batch) {
        size_t used = count - i < batch ? count - i : batch;
        for (size_t k = 0; k < used; k++)
            make_item(w, k, i + k);
        if (add(w, used, &err) != FL_OK)
            return fail(&err);
        acknowledge(i + used - 1);
    }
    return EXIT_SUCCESS;
}

static fl_status count_item(const fl_graph_evidence *item, void *payload, fl_error *err)
{
    (void)item;
    (void)err;
    ++*(size_t *)payload;
    return FL_OK;
}

static int read_items(writer *w, size_t count)
{
    const fl_graph_question everything = {.as_of_ns = FL_GRAPH_NOW};
    size_t before = 0;
    for (size_t i = 0; i < count; i++) {
        fl_error err = {0};
        size_t seen = 0;
        if (fl_graph_evidence_for(w->store, &everything, count_item, &seen, &err) != FL_OK)
            return fail(&err);
        if (seen < before) {
            fprintf(stderr, "graph_writer: %zu items, %zu before\n", seen, before);
            return EXIT_FAILURE;
        }
        before = seen;
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static writer w;
    fl_error err = {0};
    if (argc < 5) {
        fprintf(stderr, "usage: graph_writer STORE write|load|read AUTHOR COUNT [BATCH]\n");
        return EXIT_FAILURE;
    }
    size_t count = strtoul(argv[4], NULL, 10), batch = argc > 5 ? strtoul(argv[5], NULL, 10) : 1;
    w.author = argv[3];
    if (batch == 0 || batch > MAX_BATCH)
        return EXIT_FAILURE;
    if (fl_store_open(&w.store, argv[1], FL_STORE_CREATE, &err) != FL_OK)
        return fail(&err);
    make_graph(&w);
    int code = strcmp(argv[2], "read") == 0 ? read_items(&w, count) : write_items(&w, count, batch);
    fl_store_close(w.store);
    return code;
}
