/*
 * library_load.h - the curated library into a store, as nodes, edges and evidence.
 *
 *   symptom -explained-by-> cause -resolved-by-> fix <-implements- plan
 *   cause -requires-> component | config, with the gate as the edge's qualifier
 *
 * Each public reference is one item of evidence for each edge, of the source "library" and of one
 * author, so that all of them together count for at most the cap of that source: what a team
 * confirms itself soon outweighs it. Where only practice knows the fix, that has one item.
 *
 * Loading again adds nothing. Edges that an earlier library gave to a cause and this one does not
 * keep their evidence and get as much against it, which says "superseded".
 */
#ifndef FL_LIBRARY_LOAD_H
#define FL_LIBRARY_LOAD_H

#include "graph_store.h"
#include "library.h"

#define FL_LIBRARY_AUTHOR "faultline library"

typedef struct fl_library_loaded {
    size_t items, gone;   /* of the library */
    fl_graph_added holds; /* what it is in the graph, each thing once */
    fl_graph_added added; /* what the store did not have */
    size_t superseded;    /* items of evidence that are taken back, among those added */
} fl_library_loaded;

/* `store` may be NULL where `dry_run` is true: there is none yet. Nothing is written then. */
FL_NODISCARD fl_status fl_library_load(fl_library_loaded *out, fl_store *store,
                                       const fl_library *library, bool dry_run, int64_t now_ns,
                                       fl_error *err);

#endif
