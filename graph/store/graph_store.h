/*
 * graph_store.h - where the graph is kept: nodes, edges and the evidence for edges.
 *
 * Everything is added, nothing is changed or taken away. An id follows from what a thing is
 * (model/graph.h), so that adding it again adds nothing: every write may be repeated. What was
 * known at some moment is what had been recorded by then.
 */
#ifndef FL_GRAPH_STORE_H
#define FL_GRAPH_STORE_H

#include "confidence.h"
#include "graph.h"
#include "store.h"

/* A document of a megabyte in a key would be kept for ever, and read by everyone. What lies in an
 * index, an author with a reference, has to fit into the 2,704 bytes of a row of PostgreSQL's. */
enum {
    FL_MAX_NODE_KEY_BYTES = 1024,
    FL_MAX_REFERENCE_BYTES = 1024,
    FL_MAX_GRAPH_TEXT_BYTES = 4096
};

typedef struct fl_graph_node {
    uint64_t id; /* fl_node_id() of kind and key */
    fl_node_kind kind;
    const char *key;
    const char *title; /* for people; NULL: the key says it */
    int64_t recorded_ns;
} fl_graph_node;

typedef struct fl_graph_edge {
    uint64_t id; /* fl_edge_id() */
    fl_edge_kind kind;
    uint64_t from, to;     /* ids of nodes */
    const char *qualifier; /* a version range with its ecosystem, ...; NULL: none */
    int64_t recorded_ns;
} fl_graph_edge;

typedef struct fl_graph_evidence {
    uint64_t id; /* fl_graph_evidence_id() */
    uint64_t edge;
    fl_evidence_source source;
    const char *author;    /* who says it: a person, a document, a program */
    const char *reference; /* of what: an incident's id, a document */
    bool supports;
    int64_t at_ns; /* when it was so */
    int64_t recorded_ns;
    const char *note; /* NULL: none */
} fl_graph_evidence;

/* What one author says of one edge with one reference is one item, said as often as it may be; to
 * take it back is to say the opposite, which is another. */
uint64_t fl_graph_evidence_id(const fl_graph_evidence *item);

typedef struct fl_graph_batch {
    const fl_graph_node *nodes;
    size_t node_count;
    const fl_graph_edge *edges; /* between nodes of the batch or of the store */
    size_t edge_count;
    const fl_graph_evidence *evidence; /* for edges of the batch or of the store */
    size_t evidence_count;
    /* Kinds of nodes that were met, by id, kept for the batches that follow, so that the ends of
     * their edges are not asked of the store again; the caller's, and begun empty. NULL: none. */
    struct fl_map *kinds;
} fl_graph_batch;

typedef struct fl_graph_added { /* what the store did not have */
    size_t nodes, edges, evidence;
} fl_graph_added;

/* One transaction: all of it, or nothing. FL_E_SYNTAX for a text beyond its limit or not UTF-8, for
 * an edge that its kind does not allow, and for an end or an edge that is not there. `added` may be
 * NULL. */
FL_NODISCARD fl_status fl_graph_add(fl_graph_added *added, fl_store *store,
                                    const fl_graph_batch *batch, fl_error *err);

/* Which rows a walk visits. */
typedef enum fl_graph_scope {
    FL_GRAPH_ALL,
    FL_GRAPH_ONE, /* the row with this id; of evidence, all that is for this edge */
    FL_GRAPH_OUT, /* edges that leave this node */
    FL_GRAPH_IN   /* edges that enter it */
} fl_graph_scope;

#define FL_GRAPH_NOW INT64_MAX

typedef struct fl_graph_question {
    fl_graph_scope scope;
    uint64_t id;
    int64_t as_of_ns; /* only what was recorded by then; FL_GRAPH_NOW */
    size_t limit;     /* 0: all */
    /* Where not NULL, several in place of `id`, as fl_graph_sort_ids() leaves them: asked at once,
     * each with the limit, their rows one id after the other. At least one, and not with
     * FL_GRAPH_ALL. */
    const uint64_t *ids;
    size_t id_count;
    /* Of evidence: whoever asks needs no note, which is then NULL; what is left lies side by side
     * in a store. */
    bool brief;
} fl_graph_question; /* FL_GRAPH_OUT and FL_GRAPH_IN are for edges */

/* As signed numbers, the order of every store, each once; returns how many are left. */
size_t fl_graph_sort_ids(uint64_t *ids, size_t count);

/* Rows come in the order of their ids as signed numbers, evidence by edge, source, author and id,
 * in every kind of store; they are borrowed during the visit. A visit that fails ends the walk
 * with its status. */
typedef fl_status fl_graph_visit_node(const fl_graph_node *node, void *payload, fl_error *err);
typedef fl_status fl_graph_visit_edge(const fl_graph_edge *edge, void *payload, fl_error *err);
typedef fl_status fl_graph_visit_evidence(const fl_graph_evidence *item, void *payload,
                                          fl_error *err);

FL_NODISCARD fl_status fl_graph_nodes(fl_store *store, const fl_graph_question *question,
                                      fl_graph_visit_node *visit, void *payload, fl_error *err);
FL_NODISCARD fl_status fl_graph_edges(fl_store *store, const fl_graph_question *question,
                                      fl_graph_visit_edge *visit, void *payload, fl_error *err);
FL_NODISCARD fl_status fl_graph_evidence_for(fl_store *store, const fl_graph_question *question,
                                             fl_graph_visit_evidence *visit, void *payload,
                                             fl_error *err);

/* Up to where somebody knows a store; begun as {0}. */
typedef struct fl_graph_mark {
    int64_t at;
    bool is_set;
    bool is_lost; /* the store no longer has what came since: everything is to be read again */
} fl_graph_mark;

/*
 * Visits the ids of edges that came, or for which evidence came, since the mark, and moves the mark
 * to now. In no order; some may be told more than once, also ones that had been told before: what
 * was being written when the mark was set may be there already or not, and is told again. Nothing
 * is visited where the mark is not set yet, or is lost. After a failure the mark is where it was.
 * Between fl_store_hold() and fl_store_release(), so that what is read of those edges fits to the
 * mark.
 */
typedef fl_status fl_graph_visit_id(uint64_t id, void *payload, fl_error *err);
FL_NODISCARD fl_status fl_graph_changed(fl_graph_mark *mark, fl_store *store,
                                        fl_graph_visit_id *visit, void *payload, fl_error *err);

#endif
