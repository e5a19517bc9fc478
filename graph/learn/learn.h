/*
 * learn.h - documents to proposals: edges of the graph that a text seems to state.
 *
 * Rules over sentences (learn_rules.h), no model. A document is divided into accounts: what it
 * tells of one incident. Within one, the symptoms are explained by its cause, the cause is resolved
 * by its fixes; beside that, each sentence that says what caused what is an edge of its own.
 *
 *   symptom -explained-by-> cause      cause -resolved-by-> fix       change -introduced-> cause
 *   cause -requires-> component range  cause -requires-> config key=value
 *   service -runs-> component range
 *
 * The same document gives the same proposals, whatever was learnt before it.
 */
#ifndef FL_LEARN_H
#define FL_LEARN_H

#include "faultline/document.h"
#include "graph_store.h"
#include "learn_rules.h"

/* All proposals of one run, with their texts: some hundred bytes each. */
#define FL_MAX_PROPOSALS      (1u << 20)
#define FL_MAX_PROPOSAL_BYTES (1u << 30)

typedef struct fl_proposal {
    uint64_t id; /* of its evidence */
    fl_edge_kind kind;
    fl_graph_node from, to;
    const char *qualifier; /* a version range with its ecosystem: "maven <6.2.6"; NULL: none */
    bool supports;         /* false: the text speaks against it */
    bool is_hedged;        /* the text is not sure */
    const char *rule;      /* what it follows from: "caused by", "section" */
    const char *sentence;  /* that says so */
    const char *document;  /* for people */
    uint64_t offset;       /* of the sentence in the file; else of its block */
    const char *author;    /* of the evidence: the tracker's, else "documents" */
    const char *reference; /* of the evidence: which document, which sentence */
    int64_t at_ns;
} fl_proposal;

typedef struct fl_proposals fl_proposals;

FL_NODISCARD fl_status fl_proposals_create(fl_proposals **out, fl_error *err);
void fl_proposals_destroy(fl_proposals *all); /* NULL is a no-op */
size_t fl_proposals_count(const fl_proposals *all);
/* In the order in which they were found. */
const fl_proposal *fl_proposals_at(const fl_proposals *all, size_t index);

/* Add what `document` proposes; what is proposed already (the same edge out of the same sentence)
 * is not added again. A document without a time of its own, or one in it, gets `now_ns`.
 * FL_E_LIMIT, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_learn_document(fl_proposals *out, const fl_learn_rules *rules,
                                         const fl_document *document, int64_t now_ns,
                                         fl_error *err);

#endif
