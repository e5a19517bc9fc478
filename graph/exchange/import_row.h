/*
 * import_row.h - one row of an exported graph, out of its JSON object.
 */
#ifndef FL_IMPORT_ROW_H
#define FL_IMPORT_ROW_H

#include "arena.h"
#include "graph_store.h"

/* Texts live in the arena. A failure has its offset from the beginning of `object`. */
FL_NODISCARD fl_status fl_import_node(fl_graph_node *out, fl_arena *arena, fl_slice object,
                                      fl_error *err);
FL_NODISCARD fl_status fl_import_edge(fl_graph_edge *out, fl_arena *arena, fl_slice object,
                                      fl_error *err);
FL_NODISCARD fl_status fl_import_evidence(fl_graph_evidence *out, fl_arena *arena, fl_slice object,
                                          fl_error *err);

#endif
