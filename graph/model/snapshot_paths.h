/*
 * snapshot_paths.h - what the graph in memory knows of several nodes at once: symptoms, the causes
 * that explain them, the fixes that resolved those.
 *
 * A cause's posterior is the weighted average of those of its edges from the nodes that are asked
 * for; one that does not point to it counts with the prior, so that a cause that explains all
 * outranks one that explains a part. A fix is as sure as both edges together (confidence.h). That
 * is what graph/recall does from evidence, where it reads it anew each time and knows of each item
 * who said it of which incident; here the posteriors are those of the snapshot.
 */
#ifndef FL_SNAPSHOT_PATHS_H
#define FL_SNAPSHOT_PATHS_H

#include "arena.h"
#include "confidence.h"
#include "snapshot.h"

/* Middle nodes of one question; what is beyond is not looked at, and said. */
enum { FL_SNAPSHOT_MAX_MIDDLES = 1024 };

typedef struct fl_snapshot_question {
    const uint32_t *starts;       /* below node_count, no two alike */
    const double *weights;        /* above 0, one for each start; NULL: all alike */
    size_t count;                 /* at least 1 */
    uint32_t first, second;       /* kinds of the edges to the middle, and on from there */
    size_t most_edges;            /* of one node that are looked at: a hub takes no longer */
    size_t most_paths, most_ends; /* that are told, best first; at least 1 */
} fl_snapshot_question;

typedef struct fl_snapshot_end {
    uint32_t node;
    fl_confidence confidence; /* of the whole path */
} fl_snapshot_end;

typedef struct fl_snapshot_path {
    uint32_t node;   /* in the middle */
    uint32_t shared; /* starts that have an edge to it */
    fl_confidence confidence;
    const fl_snapshot_end *ends; /* highest lower bound first; equal ones by their numbers */
    size_t end_count;
} fl_snapshot_path;

typedef struct fl_snapshot_answer { /* in the arena */
    const fl_snapshot_path *paths;  /* highest lower bound first; equal ones by their numbers */
    size_t count, found;            /* told, and all that there are */
    bool cut;                       /* a limit was met: there is more than was looked at */
} fl_snapshot_answer;

FL_NODISCARD fl_status fl_snapshot_paths(fl_snapshot_answer *out, const fl_snapshot *snapshot,
                                         const fl_snapshot_question *question, fl_arena *arena,
                                         fl_error *err);

#endif
