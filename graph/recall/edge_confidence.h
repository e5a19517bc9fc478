/*
 * edge_confidence.h - how sure the graph is of one edge, read from the store.
 */
#ifndef FL_EDGE_CONFIDENCE_H
#define FL_EDGE_CONFIDENCE_H

#include "graph_store.h"

typedef struct fl_edge_belief {
    fl_confidence confidence;
    size_t supporting, contradicting; /* items */
    int64_t last_ns;                  /* of the newest item that was seen, not curated; 0: none */
    bool cut;                         /* there is more evidence than was read */
} fl_edge_belief;

typedef struct fl_edge_question {
    uint64_t edge;
    int64_t known_ns; /* what was recorded later is not known */
    int64_t at_ns;    /* to which ages are counted */
    size_t limit;     /* items that are read */
    bool sums_only;   /* the interval is not needed */
} fl_edge_question;

/* An edge that is not there has the prior. */
FL_NODISCARD fl_status fl_edge_belief_of(fl_edge_belief *out, fl_store *store,
                                         const fl_edge_question *question, fl_error *err);

#endif
