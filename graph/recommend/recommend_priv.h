/*
 * recommend_priv.h - a service as the nodes of the graph that it touches.
 */
#ifndef FL_RECOMMEND_PRIV_H
#define FL_RECOMMEND_PRIV_H

#include "gate.h"
#include "recommend.h"

/* A node that the service touches: one for each spelling of a name. */
typedef struct fl_recommend_seed {
    uint64_t node;
    bool is_component;
    bool is_exact;    /* a config node "name=value": that value is what is required */
    const char *name; /* as the library calls it */
    const char *value;
} fl_recommend_seed;

typedef struct fl_recommend_seeds { /* by node, each node and value once */
    fl_recommend_seed *items;
    size_t count;
} fl_recommend_seeds;

FL_NODISCARD fl_status fl_recommend_find_seeds(fl_recommend_seeds *out,
                                               const fl_recommend_question *question,
                                               fl_arena *arena, fl_error *err);
/* The first seed of this node; NULL: the service does not touch it. */
const fl_recommend_seed *fl_recommend_seed_of(const fl_recommend_seeds *seeds, uint64_t node);
/* Whether an edge to this node with this qualifier lets the service through, and the seed that
 * decided (NULL: none). */
fl_gate_answer fl_recommend_answer(const fl_recommend_seed **decided,
                                   const fl_recommend_seeds *seeds, uint64_t node,
                                   fl_slice qualifier);
/* The service's own part in place of what the advice names; NULL: nothing. */
const fl_service_part *fl_recommend_now(const fl_recommend_question *question,
                                        const fl_advice_words *words);
/* Whether the service follows the advice already, or it is about something that it has not. */
bool fl_recommend_is_met(const fl_recommend_question *question, const fl_advice_words *words);

#endif
