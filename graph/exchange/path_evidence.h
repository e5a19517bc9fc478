/*
 * path_evidence.h - what the paths of an answer rest on, row by row: who said it, when, of what.
 */
#ifndef FL_PATH_EVIDENCE_H
#define FL_PATH_EVIDENCE_H

#include "memory.h"

/* Of one path: for its symptoms' edges to the cause, and for the cause's to its fixes. */
typedef struct fl_path_rows {
    const fl_graph_evidence *items; /* newest first */
    size_t count;
    bool cut; /* there are more */
} fl_path_rows;

/* Rows of one path that are told; most paths have some dozens. */
enum { FL_MAX_PATH_ROWS = 200 };

/* *out has one for each path of `memory`, in its order; everything lives in the arena. */
FL_NODISCARD fl_status fl_path_evidence(const fl_path_rows **out, fl_store *store,
                                        const fl_memory_question *question, const fl_memory *memory,
                                        fl_arena *arena, fl_error *err);

#endif
