/*
 * graph.c - the tables of kinds, and ids out of what things are.
 *
 * An id is a 64-bit hash. With a million nodes the odds that two share one are about one in 37
 * million (birthday bound, n^2 / 2^65); a store that holds a node of another key under an id keeps
 * the first, and nothing is overwritten.
 */
#include "graph.h"

#include <assert.h>

#include "hash.h"
#include "slice.h"

static const char *const node_names[FL_NODE_KIND_COUNT] = {
    [FL_NODE_SERVICE] = "service",   [FL_NODE_COMPONENT] = "component",
    [FL_NODE_CONFIG] = "config",     [FL_NODE_SYMPTOM] = "symptom",
    [FL_NODE_CAUSE] = "cause",       [FL_NODE_FIX] = "fix",
    [FL_NODE_CHANGE] = "change",     [FL_NODE_PLAN] = "plan",
    [FL_NODE_INCIDENT] = "incident",
};

#define KIND(node) (1u << FL_NODE_##node)

static const struct {
    const char *name;
    unsigned from, to; /* bits of node kinds */
} edges[FL_EDGE_KIND_COUNT] = {
    [FL_EDGE_EXHIBITS] = {"exhibits", KIND(INCIDENT), KIND(SYMPTOM)},
    [FL_EDGE_DIAGNOSED_AS] = {"diagnosed-as", KIND(INCIDENT), KIND(CAUSE)},
    [FL_EDGE_EXPLAINED_BY] = {"explained-by", KIND(SYMPTOM), KIND(CAUSE)},
    [FL_EDGE_RESOLVED_BY] = {"resolved-by", KIND(CAUSE), KIND(FIX)},
    [FL_EDGE_REQUIRES] = {"requires", KIND(CAUSE), KIND(COMPONENT) | KIND(CONFIG)},
    [FL_EDGE_RUNS] = {"runs", KIND(SERVICE), KIND(COMPONENT)},
    [FL_EDGE_SETS] = {"sets", KIND(SERVICE), KIND(CONFIG)},
    [FL_EDGE_CALLS] = {"calls", KIND(SERVICE), KIND(SERVICE)},
    [FL_EDGE_INTRODUCED] = {"introduced", KIND(CHANGE), KIND(CAUSE)},
    [FL_EDGE_IMPLEMENTS] = {"implements", KIND(PLAN), KIND(FIX)},
};

const char *fl_node_kind_name(fl_node_kind kind)
{
    assert(kind < FL_NODE_KIND_COUNT);
    return node_names[kind];
}

const char *fl_edge_kind_name(fl_edge_kind kind)
{
    assert(kind < FL_EDGE_KIND_COUNT);
    return edges[kind].name;
}

bool fl_node_kind_of(fl_slice name, fl_node_kind *out)
{
    for (fl_node_kind i = 0; i < FL_NODE_KIND_COUNT; i++) {
        if (fl_slice_equal(name, fl_slice_of(node_names[i]))) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool fl_edge_kind_of(fl_slice name, fl_edge_kind *out)
{
    for (fl_edge_kind i = 0; i < FL_EDGE_KIND_COUNT; i++) {
        if (fl_slice_equal(name, fl_slice_of(edges[i].name))) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool fl_edge_allowed(fl_edge_kind kind, fl_node_kind from, fl_node_kind to)
{
    assert(kind < FL_EDGE_KIND_COUNT);
    assert(from < FL_NODE_KIND_COUNT && to < FL_NODE_KIND_COUNT);
    return (edges[kind].from >> from & 1) != 0 && (edges[kind].to >> to & 1) != 0;
}

static uint64_t never_zero(uint64_t hash)
{
    return hash != 0 ? hash : 1;
}

/* The name of the kind, not its number: numbers may be reordered. */
uint64_t fl_node_id(fl_node_kind kind, fl_slice key)
{
    uint64_t named = fl_hash_stable(fl_slice_of(fl_node_kind_name(kind)));
    return never_zero(fl_hash_mix(named ^ fl_hash_stable(key)));
}

/* Mixed in turn, so that an edge and its reverse differ. */
uint64_t fl_edge_id(fl_edge_kind kind, uint64_t from, uint64_t to, fl_slice qualifier)
{
    uint64_t id = fl_hash_stable(fl_slice_of(fl_edge_kind_name(kind)));
    id = fl_hash_mix(id ^ from);
    id = fl_hash_mix(id ^ to);
    return never_zero(fl_hash_mix(id ^ fl_hash_stable(qualifier)));
}
