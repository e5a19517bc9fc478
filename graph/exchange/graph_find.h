/*
 * graph_find.h - a node by what a person writes for it.
 *
 *   kind:key          "cause:pool too small"
 *   id                in decimal, as an export writes it
 *   key               where only one kind has it
 *   a beginning       of a key (with or without its kind), of a title or of an id, where only one
 *                     node has it
 *
 * The first of these that fits wins. The last one walks over all nodes, within a time.
 */
#ifndef FL_GRAPH_FIND_H
#define FL_GRAPH_FIND_H

#include "arena.h"
#include "graph_store.h"

typedef struct fl_graph_find_question {
    const char *word;
    int64_t as_of_ns; /* only what was recorded by then */
    int64_t time_ns;  /* of the walk; 0: as long as it takes */
} fl_graph_find_question;

/* Texts of *out live in the arena. FL_E_NOTFOUND where none fits, naming the nearest, where several
 * do, naming the first few, and where the time was over before all were looked at. */
FL_NODISCARD fl_status fl_graph_find(fl_graph_node *out, fl_store *store,
                                     const fl_graph_find_question *question, fl_arena *arena,
                                     fl_error *err);
/* A copy of the node whose texts live in the arena; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_graph_node_copy(fl_graph_node *out, const fl_graph_node *node,
                                          fl_arena *arena, fl_error *err);

#endif
