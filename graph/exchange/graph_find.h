/*
 * graph_find.h - a node by what a person writes for it.
 *
 *   kind:key          "cause:pool too small"
 *   id                in decimal, as an export writes it
 *   key               where only one kind has it
 *   a beginning       of a key (with or without its kind), of a title or of an id, where only one
 *                     node has it
 *
 * The first of these that fits wins. The last one walks over all nodes.
 */
#ifndef FL_GRAPH_FIND_H
#define FL_GRAPH_FIND_H

#include "arena.h"
#include "graph_store.h"

/* Texts of *out live in the arena. FL_E_NOTFOUND where none fits, naming the nearest, or where
 * several do, naming the first few. */
FL_NODISCARD fl_status fl_graph_find(fl_graph_node *out, fl_store *store, const char *word,
                                     int64_t as_of_ns, fl_arena *arena, fl_error *err);
/* A copy of the node whose texts live in the arena; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_graph_node_copy(fl_graph_node *out, const fl_graph_node *node,
                                          fl_arena *arena, fl_error *err);

#endif
