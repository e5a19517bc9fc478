/*
 * graph_copy.h - all of a store into another, of the same kind or of another one.
 *
 * The graph and the incidents with their documents and pictures, byte for byte, as of one moment of
 * the store that is read; what is written to it meanwhile is for the next copy. The other may hold
 * something already: rows that it has stay as they are, and an incident that it has in a newer form
 * stays, too. So a copy that was stopped at any moment is taken up by running it again.
 */
#ifndef FL_GRAPH_COPY_H
#define FL_GRAPH_COPY_H

#include "graph_store.h"

typedef struct fl_graph_copied {
    uint64_t nodes, edges, evidence, incidents; /* of the store that was read */
    fl_graph_added added;                       /* what the other did not have */
    uint64_t added_incidents;
} fl_graph_copied;

/* After a failure *out says what was copied before it. */
FL_NODISCARD fl_status fl_graph_copy(fl_graph_copied *out, fl_store *from, fl_store *to,
                                     fl_error *err);

#endif
