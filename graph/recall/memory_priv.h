/*
 * memory_priv.h - what the parts of remembering share: one question while it is answered.
 */
#ifndef FL_MEMORY_PRIV_H
#define FL_MEMORY_PRIV_H

#include "memory.h"

enum {
    FL_MEMORY_MAX_INCIDENTS = 1024,
    FL_RECALL_MAX_FIXES = 64, /* of one cause */
    FL_RECALL_MAX_CAUSES = 8, /* of one similar incident */
    /* Items of evidence for fixes, in one question: a second's worth from memory. Beyond them
     * FL_RECALL_FEW_ITEMS of each fix are read. */
    FL_RECALL_MAX_ITEMS = 500000,
    FL_RECALL_FEW_ITEMS = 255
};

typedef struct fl_exhibit {
    uint64_t incident;
    uint32_t symptoms; /* bits of those that it shows */
} fl_exhibit;

typedef struct fl_recall {
    fl_store *store;
    fl_arena *arena;
    fl_memory *out;
    const fl_memory_question *question;
    uint64_t self;
    int64_t at_ns;
    size_t symptom_count;
    double weight[FL_MAX_SYMPTOMS];
    fl_symptom_belief beliefs[FL_MAX_SYMPTOMS];
    fl_exhibit *incidents;
    size_t incident_count;
    size_t items_left;   /* of FL_RECALL_MAX_ITEMS */
    int64_t deadline_ns; /* monotonic; 0: none */
} fl_recall;

/* Edges of one kind at one side of a node, of the heap. */
typedef struct fl_edge_list {
    fl_edge_kind kind;
    uint64_t *others; /* the node at the other end */
    uint64_t *ids;
    size_t count, seen;
} fl_edge_list;

/* The caller disposes of *out, also after a failure. */
FL_NODISCARD fl_status fl_recall_edges(fl_edge_list *out, fl_recall *r, uint64_t node,
                                       fl_graph_scope side, fl_edge_kind kind, fl_error *err);
void fl_edge_list_dispose(fl_edge_list *list);
/* Of an incident the id, by which it is shown again; of everything else the words. */
FL_NODISCARD fl_status fl_recall_title(const char **out, fl_recall *r, uint64_t id, fl_error *err);
size_t fl_recall_bits(uint32_t set);
/* Whether the time is over; what is left out then is said. */
bool fl_recall_is_late(fl_recall *r);
FL_NODISCARD fl_status fl_recall_no_memory(fl_error *err);

/* memory_ahead.c: what the next steps ask the store for, read at once. */
FL_NODISCARD fl_status fl_recall_ahead_symptoms(fl_recall *r, fl_error *err);
FL_NODISCARD fl_status fl_recall_ahead_causes(fl_recall *r, const fl_path *paths, size_t count,
                                              fl_error *err);
FL_NODISCARD fl_status fl_recall_ahead_edges(fl_recall *r, const uint64_t *nodes, size_t count,
                                             fl_graph_scope side, fl_error *err);
FL_NODISCARD fl_status fl_recall_ahead_titles(fl_recall *r, const uint64_t *nodes, size_t count,
                                              fl_error *err);
/* Of nodes whose edges were read: those that lead from them to causes, and on to fixes. */
FL_NODISCARD fl_status fl_recall_ahead_outcomes(fl_recall *r, const uint64_t *incidents,
                                                size_t count, fl_error *err);

/* memory_similar.c: the incidents that show most of the same. Symptoms have their weights. */
FL_NODISCARD fl_status fl_recall_similar(fl_recall *r, fl_error *err);

#endif
