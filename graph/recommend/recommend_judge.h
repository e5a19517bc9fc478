/*
 * recommend_judge.h - which causes apply to a service, and what is believed of their fixes.
 *
 * The store is asked for many rows at once: it may be a server, and each question a way to it and
 * back. What is known is kept by id; names are asked for at the end, by recommend.c.
 */
#ifndef FL_RECOMMEND_JUDGE_H
#define FL_RECOMMEND_JUDGE_H

#include "map.h"
#include "recommend_priv.h"

/* What the evidence for one edge says. */
typedef struct fl_recommend_belief {
    uint64_t edge;
    fl_confidence confidence;
    size_t supporting, contradicting;
    const char *why; /* the first note; NULL: none */
    const char *references[FL_RECOMMEND_FEW];
    size_t reference_count;
    bool curated, own;
} fl_recommend_belief;

typedef struct fl_recommend_fix {
    uint64_t fix;
    const fl_recommend_belief *belief;
} fl_recommend_fix;

/* A cause of which all requirements hold, or cannot be told. */
typedef struct fl_recommend_applied {
    uint64_t cause;
    fl_recommend_gate *gates; /* names of settings that are absent are NULL */
    uint64_t *targets;        /* the nodes that they are about */
    size_t gate_count;
    size_t unknown_count, unknown_at;   /* gates that cannot be told, and one of them */
    const fl_recommend_belief *weakest; /* of the requirements */
    fl_recommend_fix *fixes;            /* those that are believed to help */
    size_t fix_count;
    uint64_t symptoms[FL_RECOMMEND_FEW];
    size_t symptom_count, incidents;
} fl_recommend_applied;

/* One question to the graph, and where its answer goes. */
typedef struct fl_recommend_work {
    fl_store *store;
    const fl_recommend_question *question;
    fl_recommend_seeds seeds;
    fl_recommended *out;
    fl_map *seen; /* causes that were found */
    uint64_t *causes;
    size_t cause_count;
    fl_recommend_applied *applied;
    size_t applied_count;
    fl_arena *arena, scratch; /* of the answer; of one batch of causes */
    fl_error *err;
} fl_recommend_work;

enum { FL_RECOMMEND_BATCH = 256 }; /* ids in one question */

/* An edge as it was read; the qualifier is in the scratch arena. */
typedef struct fl_recommend_row {
    uint64_t id, from, to;
    fl_edge_kind kind;
    const char *qualifier; /* NULL: none */
} fl_recommend_row;

typedef struct fl_recommend_rows { /* one asked node after the other */
    fl_recommend_row *items;
    size_t count;
} fl_recommend_rows;

/* FL_E_NOMEM, with the sentence of all of recommend. */
fl_status fl_recommend_no_memory(fl_error *err);

typedef struct fl_recommend_asked { /* whose edges, and how many of each */
    uint64_t *ids;                  /* at most a batch; they are sorted for the question */
    size_t count, limit;
    fl_graph_scope side;
} fl_recommend_asked;

/* The rows live until the scratch arena is reset. */
FL_NODISCARD fl_status fl_recommend_read_edges(fl_recommend_rows *out, fl_recommend_work *w,
                                               const fl_recommend_asked *asked);
/* Fills w->applied. */
FL_NODISCARD fl_status fl_recommend_judge(fl_recommend_work *w);

#endif
