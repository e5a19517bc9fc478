/*
 * review.h - proposals in the store, and what people say of them.
 *
 * A proposal is an edge with one item of evidence whose source is a document, and whose note holds
 * the sentence. It weighs little (confidence.h) until somebody reads it. What a person says is
 * another item of evidence with the same reference: for it (accepted), against it (rejected), or
 * against it and for another edge (edited). A proposal waits as long as no person has spoken of its
 * edge with its reference: so nothing is changed or taken away, and both engines keep it alike.
 */
#ifndef FL_REVIEW_H
#define FL_REVIEW_H

#include "learn.h"

/* Keep all proposals, in batches of one transaction each. What the store has is not added again. */
FL_NODISCARD fl_status fl_learn_keep(fl_graph_added *added, fl_store *store,
                                     const fl_proposals *all, int64_t now_ns, fl_error *err);

/* A proposal that waits, as it is read from the store. */
typedef struct fl_waiting {
    fl_proposal proposal; /* `rule` and `document` as they were noted */
    uint64_t edge;
} fl_waiting;

typedef struct fl_waiting_list {
    const fl_waiting *items; /* in the order of their documents and places in them; in the arena */
    size_t count;
} fl_waiting_list;

FL_NODISCARD fl_status fl_review_list(fl_waiting_list *out, fl_store *store, fl_arena *arena,
                                      fl_error *err);
/* The one whose id, as 16 digits, begins with `prefix`. FL_E_NOTFOUND where there is none, or where
 * several do. */
FL_NODISCARD fl_status fl_review_find(const fl_waiting **out, const fl_waiting_list *list,
                                      const char *prefix, fl_error *err);

typedef enum fl_verdict_of_person {
    FL_REVIEW_ACCEPT,
    FL_REVIEW_REJECT,
    FL_REVIEW_EDIT /* this edge is not what the sentence says; that one is */
} fl_verdict_of_person;

typedef struct fl_review {
    fl_verdict_of_person verdict;
    const char *from, *to; /* EDIT: the new ends in words; NULL: as it was */
    const char *author;
    const char *why; /* NULL: not said */
    int64_t now_ns;
} fl_review;

/* How sure the graph was and is of the edge: of the new one after an edit. */
typedef struct fl_reviewed {
    fl_graph_node from, to; /* in the arena */
    fl_edge_kind kind;
    fl_confidence before, after;
    size_t items_before, items_after;
} fl_reviewed;

/* Say it, in one transaction. A proposal that the text speaks against is accepted as evidence
 * against, and rejected as evidence for. FL_E_SYNTAX for an edit that changes nothing. */
FL_NODISCARD fl_status fl_review_say(fl_reviewed *out, fl_store *store, const fl_waiting *waiting,
                                     const fl_review *review, fl_arena *arena, fl_error *err);

#endif
